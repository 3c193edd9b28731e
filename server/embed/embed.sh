#!/bin/sh
# embed.sh OUT FILES…: the page's files (web/…), the programs of the labs (workers/labs/…) and the API's
# description, as part of the program.
#
# Writes OUT/embedded.S, which pulls each file in with .incbin, raw and compressed, and OUT/embedded.c, the table
# that embedded.h declares, sorted by path. Run it in the root of the tree; OUT/openapi.json has to be there. The
# assembler directives are those gcc and clang share.
set -eu
LC_ALL=C
export LC_ALL

out=$1
shift
mkdir -p "$out/gzip"
rm -f "$out"/gzip/*

content_type() {
    case $1 in
        *.html) echo 'text/html; charset=utf-8' ;;
        *.css) echo 'text/css; charset=utf-8' ;;
        *.js) echo 'text/javascript; charset=utf-8' ;;
        *.json) echo 'application/json' ;;
        *.yaml) echo 'application/yaml' ;;
        *.svg) echo 'image/svg+xml' ;;
        *.png) echo 'image/png' ;;
        *.ico) echo 'image/x-icon' ;;
        *.woff2) echo 'font/woff2' ;;
        *.txt | *.c) echo 'text/plain; charset=utf-8' ;;
        *.webmanifest) echo 'application/manifest+json' ;;
        *)
            echo "embed: no content type is known for $1" >&2
            exit 1
            ;;
    esac
}

# Lines "PATH FILE".
list() {
    for file in "$@"; do
        case $file in
            *[!A-Za-z0-9._/-]*)
                echo "embed: $file has a character in its name that no address should need" >&2
                exit 1
                ;;
        esac
        case $file in
            workers/labs/*) echo "/api/v1/labs/$(basename "$file" .c)/source $file" ;;
            *) echo "/${file#web/} $file" ;;
        esac
    done
    echo "/api/v1/openapi.yaml server/api/openapi.yaml"
    echo "/api/v1/openapi.json $out/openapi.json"
}

include() { # symbol file
    printf '    .balign 8\n%s:\n    .incbin "%s"\n%s_end:\n' "$1" "$2" "$1" >>"$out/embedded.S"
}

symbols() { # symbol
    printf 'extern const unsigned char %s[] __attribute__((visibility("hidden")));\n' "$1" "$1_end"
}

printf '    .section .note.GNU-stack,"",%%progbits\n    .section .rodata\n' >"$out/embedded.S"
: >"$out/embedded.symbols"
: >"$out/embedded.entries"
number=0
list "$@" | sort >"$out/embedded.list"
while read -r path file; do
    number=$((number + 1))
    raw=embedded_raw_$number
    gzip=embedded_gzip_$number
    type=$(content_type "$file")
    hash=$(sha256sum "$file" | cut -c 1-24)
    include "$raw" "$file"
    printf '    .globl %s, %s_end\n' "$raw" "$raw" >>"$out/embedded.S"
    symbols "$raw" >>"$out/embedded.symbols"
    gzip -9 -n -c "$file" >"$out/gzip/$number"
    # Below an eighth saved, unpacking costs more than it spares.
    if [ $(($(wc -c <"$out/gzip/$number") * 8)) -lt $(($(wc -c <"$file") * 7)) ]; then
        include "$gzip" "$out/gzip/$number"
        printf '    .globl %s, %s_end\n' "$gzip" "$gzip" >>"$out/embedded.S"
        symbols "$gzip" >>"$out/embedded.symbols"
        compressed="$gzip, ${gzip}_end"
    else
        compressed="NULL, NULL"
    fi
    printf '    {"%s", "%s", "%s", %s, %s_end, %s},\n' "$path" "$type" "$hash" "$raw" "$raw" "$compressed" \
        >>"$out/embedded.entries"
done <"$out/embedded.list"

{
    printf '#include "server/embed/embedded.h"\n\n'
    cat "$out/embedded.symbols"
    printf '\nconst struct embedded_file embedded_files[] = {\n'
    cat "$out/embedded.entries"
    printf '};\nconst size_t embedded_file_count = sizeof embedded_files / sizeof embedded_files[0];\n'
} >"$out/embedded.c.new"
mv "$out/embedded.c.new" "$out/embedded.c"
rm -f "$out/embedded.symbols" "$out/embedded.entries" "$out/embedded.list"
