#!/usr/bin/env bash
# Makes the workspace that builds all tools as one program, ssm-tools, and prints the path of its manifest.
#
# usage: scripts/dist.d/workspace.sh
#
# As programs of their own, each would hold the AWS SDK once more, and would be linked once more. Here each is a library of the same
# sources and the same dependencies; scripts/dist.d/main.rs calls the one whose name the program has. It is made anew below target/,
# as nobody but packages wants it: who works on a tool builds that tool alone.
set -euo pipefail

root=$(cd -- "$(dirname -- "$0")/../.." && pwd)
cd -- "$root"
into=target/ssm-tools
rm -rf -- "$into"
mkdir -p -- "$into/program/src"
# Profiles and versions are the same.
sed -e 's,^members = .*,members = ["program"\, "tools/*"],' -e 's,path = "\(shared\|tests\)/,path = "../../\1/,' Cargo.toml >"$into/Cargo.toml"
cp -- Cargo.lock "$into/Cargo.lock"
sed -n '/^\[workspace.package\]/,/^$/{s/^\[workspace.package\]/[package]\nname = "ssm-tools"/;p;}' Cargo.toml >"$into/program/Cargo.toml"
# The SDK describes each step to whoever subscribes to tracing, which no tool does: left out, that needs no room.
# https://docs.rs/tracing/latest/tracing/level_filters/index.html
printf '[dependencies]\ntracing = { version = "*", default-features = false, features = ["release_max_level_off"] }\n' >>"$into/program/Cargo.toml"
cp -- scripts/dist.d/main.rs "$into/program/src/main.rs"
for manifest in tools/*/Cargo.toml; do
    tool=${manifest#tools/} tool=${tool%/Cargo.toml}
    mkdir -p -- "$into/tools/$tool"
    {
        printf '[lib]\npath = "../../../../tools/%s/src/main.rs"\n\n' "$tool"
        sed -e '/^\[dev-dependencies\]/,/^$/d' -e '/^\[\[test\]\]/,/^$/d' "$manifest"
    } >"$into/tools/$tool/Cargo.toml"
    printf '%s = { path = "../tools/%s" }\n' "$tool" "$tool" >>"$into/program/Cargo.toml"
done
# What it does not need is dropped from the lock file; what is left must be what was tested.
cargo tree --quiet --manifest-path "$into/Cargo.toml" >/dev/null
if grep '^checksum = ' "$into/Cargo.lock" | grep -vxFf Cargo.lock >&2; then
    echo "workspace.sh: $into/Cargo.lock has packages that are not in Cargo.lock" >&2
    exit 2
fi
echo "$root/$into/Cargo.toml"
