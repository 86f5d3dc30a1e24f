#!/usr/bin/env bash
# Builds one tool for a glibc older than this machine's, as releases are: the one that needs no AWS, which compiles soonest.
# scripts/dist.sh builds all of them.
set -euo pipefail
root=$(cd -- "$(dirname -- "$0")/../.." && pwd)
export PATH="$root/.venv/bin:$PATH"
fail() { echo "cross: $*" >&2 && exit 1; }

cd -- "$root"
target=$(uname -m)-unknown-linux-gnu
CARGO_PROFILE_DEV_DEBUG=0 cargo zigbuild --quiet --locked --package ssm-vulns --target "$target.2.17"
built=target/$target/debug/ssm-vulns
scripts/glibc.sh "$built" 2.17
if scripts/glibc.sh "$built" 2.2 2>/dev/null; then fail "glibc.sh finds nothing"; fi
env -i "$built" --version | grep -q '^ssm-vulns ' || fail "what was built does not run"
echo "cross: ok"
