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
[ $# -gt 0 ] || set -- $(cd tests/fuzz && ls fuzz_*.c | sed 's/\.c$//')
out=build/fuzz
mkdir -p "$out"
flags='-std=c17 -g -O1 -fno-strict-aliasing -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
    -I. -Ibuild/gen -D_GNU_SOURCE -DIPCLAB_VERSION="0"'

# Everything below the programs' main functions, once for all targets.
sources=$(ls common/*.c db/*.c server/*.c server/api/*.c server/analysis/*.c | grep -v '^server/main\.c$')
for source in $sources build/gen/embedded.c build/gen/migrations.c; do
    object=$out/$(echo "$source" | tr / _).o
    [ -e "$object" ] && [ -z "$(find common db server "$source" -name "*.h" -newer "$object" -o -path "$source" -newer "$object")" ] && continue
    # shellcheck disable=SC2086
    clang $flags -c -o "$object" "$source"
done
clang -c -o "$out/embedded_data.o" build/gen/embedded.S
rm -f "$out/library.a"
ar rcs "$out/library.a" "$out"/*.o

for name in "$@"; do
    # shellcheck disable=SC2086
    clang $flags -fsanitize=fuzzer -o "$out/$name" "tests/fuzz/$name.c" "$out/library.a" \
        -lmicrohttpd -lcjson -lsqlite3 -lm
    mkdir -p "$out/corpus/$name" "tests/fuzz/seeds/$name"
    "$out/$name" -max_total_time="$seconds" -max_len=4096 -print_final_stats=1 -artifact_prefix="$out/" \
        "$out/corpus/$name" "tests/fuzz/seeds/$name" 2>"$out/$name.log" || {
        tail -n 60 "$out/$name.log"
        echo "fuzz: $name failed; its input is in $out" >&2
        exit 1
    }
    sed -n "s/^stat::number_of_executed_units: */$name: executions /p" "$out/$name.log"
done
