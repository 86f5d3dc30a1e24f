#!/usr/bin/env bash
# Writes the lists of Python packages that are installed, with the hash of every file, from those that are asked for.
#
# usage: scripts/requirements.sh        (needs uv: pip install uv)
set -euo pipefail
cd -- "$(dirname -- "$0")/.."
for list in tests/requirements scripts/dist.d/requirements; do
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url \
        --custom-compile-command scripts/requirements.sh "$list.in" --output-file "$list.txt"
done
