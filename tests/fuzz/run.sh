#!/bin/sh
# Builds every fuzz_*.c here with clang, libFuzzer and the sanitizers, and runs each for some seconds.
#
#   sh tests/fuzz/run.sh [SECONDS [NAME…]]
#
# Inputs that are worth keeping are in tests/fuzz/seeds/NAME; what libFuzzer finds besides stays under build/fuzz.
# Run `make programs` first: the generated sources are taken from build/gen.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-30}
[ $# -gt 0 ] && shift
if [ $# -eq 0 ]; then
    for source in tests/fuzz/fuzz_*.c; do set -- "$@" "$(basename "$source" .c)"; done
fi
out=build/fuzz
mkdir -p "$out"
compile() {
    clang -std=c17 -g -O1 -fno-strict-aliasing -fno-sanitize-recover=undefined -I. -Ibuild/gen -D_GNU_SOURCE \
        -DIPCLAB_VERSION='"fuzz"' "$@"
}

# Everything below the programs' main functions, once for all targets.
for source in common/*.c db/*.c server/*.c server/api/*.c server/analysis/*.c build/gen/embedded.c build/gen/migrations.c; do
    [ "$source" = server/main.c ] && continue
    object=$out/$(echo "$source" | tr / _).o
    [ -e "$object" ] && [ -z "$(find common db server "$source" -name "*.h" -newer "$object" -o -path "$source" -newer "$object")" ] && continue
    compile -fsanitize=fuzzer-no-link,address,undefined -c -o "$object" "$source"
done
clang -c -o "$out/embedded_data.o" build/gen/embedded.S
rm -f "$out/library.a"
ar rcs "$out/library.a" "$out"/*.o

for name in "$@"; do
    compile -fsanitize=fuzzer,address,undefined -o "$out/$name" "tests/fuzz/$name.c" "$out/library.a" \
        -lmicrohttpd -lcjson -lsqlite3 -lz -lm
    mkdir -p "$out/corpus/$name" "tests/fuzz/seeds/$name"
    "$out/$name" -max_total_time="$seconds" -max_len=4096 -print_final_stats=1 -artifact_prefix="$out/" \
        "$out/corpus/$name" "tests/fuzz/seeds/$name" 2>"$out/$name.log" || {
        tail -n 60 "$out/$name.log"
        echo "fuzz: $name failed; its input is in $out" >&2
        exit 1
    }
    sed -n "s/^stat::number_of_executed_units: */$name: executions /p" "$out/$name.log"
done
