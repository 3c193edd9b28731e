#!/bin/sh
# embed_migrations.sh OUT FILES…: the .sql files, in order, as the C table that db/migrate.h declares.
# A file's number is its version: 0001_name.sql is schema version 1; a gap or a repetition is refused.
set -eu

out=$1
shift
temporary=$out.$$
trap 'rm -f "$temporary"' EXIT

{
    printf '#include "db/migrate.h"\n\n'
    version=0
    for file in "$@"; do
        version=$((version + 1))
        case ${file##*/} in
            "$(printf %04d "$version")"_*.sql) ;;
            *)
                echo "embed_migrations: expected $(printf %04d "$version")_*.sql, got $file" >&2
                exit 1
                ;;
        esac
        printf 'static const unsigned char sql_%d[] = {\n' "$version"
        od -An -v -tx1 "$file" | sed 's/ *\([0-9a-f][0-9a-f]\)/0x\1,/g'
        printf '0x00};\n\n'
    done
    printf 'const struct migration migrations[] = {\n'
    version=0
    for file in "$@"; do
        version=$((version + 1))
        printf '    {%d, "%s", (const char *)sql_%d},\n' "$version" "${file##*/}" "$version"
    done
    printf '};\nconst size_t migrations_count = sizeof migrations / sizeof migrations[0];\n'
} >"$temporary"
mv "$temporary" "$out"
