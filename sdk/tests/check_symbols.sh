#!/bin/sh
# usage: check_symbols.sh LIBWEIR_SO LIBWEIR_A HEADER...
# What the libraries show is weir_*, and it is exactly what the headers declare with WEIR_API.
set -eu
so=$1 archive=$2
shift 2
list=$(mktemp -d)
trap 'rm -rf "$list"' EXIT
sed -n '/^WEIR_API/{:more;/(/!{N;b more;};s/(.*//;s/.*[ *]\(weir_[a-z_]*\)$/\1/p;}' "$@" | sort > "$list/declared"
nm -D --defined-only "$so" | awk '$2 == "T" { sub(/@.*/, "", $3); print $3 }' | sort > "$list/shared"
nm -g --defined-only "$archive" 2>/dev/null | awk 'NF == 3 { print $3 }' | grep -v '^__\|^_sub_\|asan\|ubsan' | sort > "$list/static"
test -s "$list/declared"
diff "$list/declared" "$list/shared" && diff "$list/declared" "$list/static" && echo "$(wc -l < "$list/declared") symbols"
