#!/usr/bin/env bash
# Checks that a program needs no symbol of a newer glibc than the one named.
#
# usage: scripts/glibc.sh PROGRAM VERSION
#
# Exits with 1 and names the symbols when it does.
set -euo pipefail

if [ $# -ne 2 ]; then
    echo "usage: scripts/glibc.sh PROGRAM VERSION" >&2
    exit 2
fi
if ! symbols=$(readelf --wide --dyn-syms -- "$1") || [ -z "$symbols" ]; then
    echo "glibc.sh: $1 is no program whose symbols can be read" >&2
    exit 2
fi
newer=$(printf '%s\n' "$symbols" | grep -o '[A-Za-z0-9_]*@GLIBC_[0-9.]*' | sort -u | while read -r symbol; do
    version=${symbol#*@GLIBC_}
    oldest=$(printf '%s\n%s\n' "$version" "$2" | sort -V | head -n 1)
    if [ "$version" != "$2" ] && [ "$oldest" = "$2" ]; then
        printf ' %s' "$symbol"
    fi
done)
if [ -n "$newer" ]; then
    echo "glibc.sh: $1 needs a newer glibc than $2:$newer" >&2
    exit 1
fi
