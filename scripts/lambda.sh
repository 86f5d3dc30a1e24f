#!/usr/bin/env bash
# Packs ssm-events as the `bootstrap` of a Lambda function on provided.al2023: one zip for each architecture whose Rust
# target is installed.
#
# usage: scripts/lambda.sh [DIR]     [default: target/lambda]
#
# PROFILE=dev builds faster and larger; BINARY=PATH packs a binary of this machine that is built already. With cargo-zigbuild on
# the PATH the binary is linked for the runtime's own glibc; without it for the one of this machine, and what would not start
# there is refused.
#
# exit: 0 done, 2 an error, 130 stopped by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP, with all that was building
set -euo pipefail

# The glibc of Amazon Linux 2023. https://docs.aws.amazon.com/linux/al2023/ug/compare-with-al2.html
glibc=2.34
root=$(cd -- "$(dirname -- "$0")/.." && pwd)
# shellcheck source=scripts/building.sh
. "$root/scripts/building.sh"
case ${1:-} in -h | --help) usage ;; esac
stop_on_signals

out=${1:-$root/target/lambda}
binary=${BINARY:+$(cd -- "$(dirname -- "$BINARY")" && pwd)/$(basename -- "$BINARY")}
profile=${PROFILE:-release}
mkdir -p -- "$out"
out=$(cd -- "$out" && pwd)
cd -- "$root"

# Prints the path of the zip that it makes of a binary for an architecture.
pack() {
    local zip=$out/ssm-events-$2.zip
    scripts/glibc.sh "$1" "$glibc"
    # One time for all files, so that the same binary makes the same zip.
    python3 - "$1" "$zip" <<'PYTHON'
import os
import sys
import zipfile

binary, path = sys.argv[1:]
entry = zipfile.ZipInfo("bootstrap", (1980, 1, 1, 0, 0, 0))
entry.external_attr = 0o100755 << 16
entry.compress_type = zipfile.ZIP_DEFLATED
with zipfile.ZipFile(path + ".new", "w") as archive, open(binary, "rb") as file:
    archive.writestr(entry, file.read())
os.replace(path + ".new", path)  # Never half a zip under this name.
PYTHON
    echo "$zip"
}

if [ -n "$binary" ]; then
    pack "$binary" "$(uname -m)"
    exit
fi
targets=$(rustc --print sysroot)/lib/rustlib
n_built=0
for arch in x86_64 aarch64; do
    target=$arch-unknown-linux-gnu
    [ -d "$targets/$target/lib" ] || continue
    if command -v cargo-zigbuild >/dev/null; then
        build zigbuild --quiet --profile "$profile" -p ssm-events --target "$target.$glibc"
        built=target/$target
    elif [ "$arch" = "$(uname -m)" ]; then
        # Without --target, so that what is built already is used.
        build build --quiet --profile "$profile" -p ssm-events
        built=target
    else
        echo "lambda.sh: $arch is left out: install cargo-zigbuild to link for it" >&2
        continue
    fi
    case $profile in dev) built=$built/debug ;; *) built=$built/$profile ;; esac
    pack "$built/ssm-events" "$arch"
    n_built=$((n_built + 1))
done
if [ "$n_built" -eq 0 ]; then
    echo "lambda.sh: no Rust target for Linux with glibc is installed: rustup target add x86_64-unknown-linux-gnu" >&2
    exit 2
fi
