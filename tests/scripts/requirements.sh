#!/usr/bin/env bash
# Whether the lists of Python packages with hashes are those of what is asked for: an edited list alone would change nothing.
set -euo pipefail
root=$(cd -- "$(dirname -- "$0")/../.." && pwd)
cd -- "$root"
n_asked=0
for list in tests/requirements scripts/dist.d/requirements tests/sandbox/requirements; do
    asked=$list.in hashed=$list.txt
    [ "$list" != tests/sandbox/requirements ] || asked=tests/sandbox/requirements.txt hashed=tests/requirements.txt
    while read -r one; do
        # Names are the same whatever their case, and with - for _.
        name=$(tr 'A-Z_' 'a-z-' <<<"${one%%==*}")
        grep -q "^$name==${one##*==} \\\\\$" "$hashed" || { echo "$asked: $one is not in $hashed; run scripts/requirements.sh" >&2 && exit 1; }
        n_asked=$((n_asked + 1))
    done < <(sed -n 's/^\([A-Za-z0-9._-]*\)\(\[[^]]*\]\)\{0,1\}\(==[^ ]*\).*/\1\3/p' "$asked")
done
[ "$n_asked" -gt 20 ] || { echo "only $n_asked packages were found" >&2 && exit 1; }
echo "requirements: ok"
