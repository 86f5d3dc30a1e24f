#!/usr/bin/env bash
# Shows that what lambda.sh packs is a bootstrap that starts on Lambda's glibc, and that glibc.sh can fail.
set -euo pipefail

root=$(cd -- "$(dirname -- "$0")/../.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf -- "$tmp"' EXIT
fail() {
    echo "$1" >&2
    exit 1
}

# The binary that all tests use: cargo would build the SDK's crates anew for one package, as their features differ.
BINARY=$root/target/debug/ssm-events "$root/scripts/lambda.sh" "$tmp/out dir" >"$tmp/list"
zip="$tmp/out dir/ssm-events-$(uname -m).zip"
grep -qxF "$zip" "$tmp/list" || fail "the zip of this machine is not named"
python3 - "$zip" "$tmp" <<'PYTHON'
import sys
import zipfile

with zipfile.ZipFile(sys.argv[1]) as archive:
    (entry,) = archive.infolist()
    assert entry.filename == "bootstrap" and entry.external_attr >> 16 & 0o111 == 0o111, entry
    archive.extract(entry, sys.argv[2])
PYTHON
chmod +x "$tmp/bootstrap"
# Without a runtime API there is nothing to serve; that it says so shows that it was started as a function.
if env -i "$tmp/bootstrap" 2>"$tmp/stderr"; then fail "bootstrap ended without a runtime API"; fi
grep -qx 'ssm-events: AWS_LAMBDA_RUNTIME_API is not set' "$tmp/stderr" || fail "bootstrap said: $(cat "$tmp/stderr")"

"$root/scripts/glibc.sh" "$tmp/bootstrap" 2.34
if "$root/scripts/glibc.sh" "$tmp/bootstrap" 2.2.4 2>"$tmp/stderr"; then fail "a glibc older than all symbols is enough"; fi
grep -q 'needs a newer glibc than 2.2.4: ' "$tmp/stderr" || fail "glibc.sh said: $(cat "$tmp/stderr")"
status=0
"$root/scripts/glibc.sh" "$0" 2.34 2>/dev/null || status=$?
[ "$status" -eq 2 ] || fail "a script passes for a program"
