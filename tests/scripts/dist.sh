#!/usr/bin/env bash
# scripts/dist.sh: what it packs holds all that `make install` installs, runs from a package, from an archive and without a system
# around it, and with LONG=1 that a tool can be linked for glibc 2.17. The packed binaries are those of the other tests.
set -euo pipefail
root=$(cd -- "$(dirname -- "$0")/../.." && pwd)
export PATH="$root/.venv/bin:$PATH"
top=$(mktemp -d)
trap 'rm -rf -- "$top"' EXIT
fail() { echo "dist: $*" >&2 && exit 1; }
"$root/tests/ansible/packages.sh" # For rpm.

arch=$(uname -m)
out="$top/the packages"
FAST=1 "$root/scripts/dist.sh" --binaries "$(dirname -- "$(command -v ssm-prefs)")" "$out" >"$top/list"
base=ssm-tools-$(ssm-prefs --version | awk '{ print $2 }')-linux-$arch
(cd -- "$out" && sha256sum --check --quiet --strict SHA256SUMS) || fail "the checksums are of something else"
[ "$(awk '{ print $2 }' "$top/list" | paste -sd' ' -)" = "SHA256SUMS $base.tar.gz $base.deb $base.rpm $base.cdx.json" ] || fail "it lists $(cat "$top/list")"

# The same everywhere: what install.sh makes, the SBOM and the documents.
mkdir "$top/deb" "$top/rpm" "$top/tar"
dpkg-deb --extract "$out/$base.deb" "$top/deb"
rpm2archive - <"$out/$base.rpm" | tar -C "$top/rpm" -xzf - || fail "the .rpm cannot be unpacked"
tar -C "$top/tar" -xzf "$out/$base.tar.gz" && mv "$top/tar/$base" "$top/tar/usr"
diff -r "$top/deb/usr" "$top/tar/usr" || fail ".deb and .tar.gz differ"
diff -r "$top/rpm/usr" "$top/tar/usr" || fail ".rpm and .tar.gz differ"
for file in bin/ssm-scp bin/ssm-rollout share/man/man1/ssm-scp-lint.1 share/fish/vendor_completions.d/ssm-run.fish \
    share/ssm-rollout/rollout.d/agent.json share/ssm-rollout/rollout.sh share/ssm-rollout/sbom.cdx.json share/ssm-rollout/LICENSE; do
    [ -s "$top/deb/usr/$file" ] || fail "no $file"
done
[ "$(dpkg-deb --field "$out/$base.deb" Architecture Depends)" = "Architecture: $(dpkg --print-architecture)
Depends: bash, jq, libc6 (>= 2.17), libgcc-s1 | libgcc1" ] || fail "$(dpkg-deb --info "$out/$base.deb")"
[ "$(dpkg-deb --contents "$out/$base.deb" | awk '{ print $2 }' | sort -u)" = root/root ] || fail "files of others in the .deb"
[ "$({ dpkg-deb --contents "$out/$base.deb" && tar -tvzf "$out/$base.tar.gz"; } | awk '{ print $4, $5 }' | sort -u | wc -l)" -eq 1 ] || fail "the .deb and .tar.gz have files of several times"
[ "$(rpm -qp --qf '[%{FILEMTIMES}\n]' "$out/$base.rpm" | sort -u)" = "$(git -C "$root" log -1 --format=%ct)" ] || fail "the .rpm has files of other times than the commit's"
[ "$(rpm -qp --qf '%{NAME} %{ARCH}' "$out/$base.rpm")" = "ssm-tools $arch" ] || fail "$(rpm -qpi "$out/$base.rpm")"
for tool in ssm-agentcheck ssm-role ssm-prefs ssm-scp ssm-events ssm-run ssm-vulns; do
    env -i "$top/tar/usr/bin/$tool" --version | grep -q "^$tool [0-9]" || fail "$tool --version"
done

# As the README has it, but into a directory: the package that is for this machine.
for manager in dpkg rpm; do
    grep -q "^\$ sudo $manager -i ssm-tools-\*-linux-x86_64\.$([ $manager = rpm ] && echo rpm || echo deb) " "$root/README.md" || fail "the README does not say $manager -i"
done
mkdir -p "$top/installed/var/lib/dpkg/info" "$top/installed/var/lib/dpkg/updates" && : >"$top/installed/var/lib/dpkg/status"
PATH="$PATH:/usr/sbin:/sbin" dpkg --root="$top/installed" --force-not-root --force-depends -i "$out/$base.deb" >"$top/dpkg" 2>&1 || fail "dpkg -i: $(cat "$top/dpkg")"
env -i "$top/installed/usr/bin/ssm-agentcheck" --version | grep -q '^ssm-agentcheck [0-9]' || fail "dpkg -i installs no ssm-agentcheck"
cmp "$top/installed/usr/share/ssm-rollout/rollout.d/agent.json" "$root/scripts/rollout.d/agent.json" || fail "dpkg -i installs no examples"
rpm --root "$top/by rpm" --dbpath /db --initdb || fail "rpm --initdb"
rpm --root "$top/by rpm" --dbpath /db --nodeps --ignorearch -i "$out/$base.rpm" >"$top/rpm.log" 2>&1 || fail "rpm -i: $(cat "$top/rpm.log")"
env -i "$top/by rpm/usr/bin/ssm-agentcheck" --version | grep -q '^ssm-agentcheck [0-9]' || fail "rpm -i installs no ssm-agentcheck"

# The SBOM is one, and has the crates that are linked, none of those for tests.
"$root/tests/scripts/validate" sbom "$out/$base.cdx.json"
# openssl-probe is for Unix but macOS: a platform that is named is not always one that is meant.
for crate in rustls aws-sdk-ssm openssl-probe; do
    jq -e --arg name "$crate" 'any(.components[]; .name == $name and (.purl | startswith("pkg:cargo/\($name)@")))' "$out/$base.cdx.json" >/dev/null || fail "the SBOM has no $crate"
done
jq -e '[.components[].name] | any(. == "proptest" or . == "testbed") | not' "$out/$base.cdx.json" >/dev/null || fail "the SBOM has what only tests need"
jq -e '[.components[].name] | any(startswith("windows") or . == "schannel" or . == "security-framework") | not' "$out/$base.cdx.json" >/dev/null ||
    fail "the SBOM has what other systems need"

# A binary that has grown is not released. Those of tests, with all that debuggers need, would be too large.
eval "$(sed -n '/^max_megabytes=/,/^}/p' "$root/scripts/dist.sh")"
die() { echo "$*" && exit 1; }
truncate -s 25000000 "$top/fits" && truncate -s 25000001 "$top/large" && truncate -s 24000001 "$top/part"
(fit "$top/fits") || fail "25 MB are too large"
{ (fit "$top/large") || true; } | grep -q '^large has 25000001 bytes; at most 25 MB' || fail "more than 25 MB fit"
{ (fit "$top/part" "$top/part" "$top/part" "$top/part" "$top/part" "$top/part") || true; } | grep -q '144000006 bytes together; at most 120 MB' || fail "more than 120 MB fit together"

# The image has what its programs need and nothing else.
image="$out/image-$arch/root"
if [ "$(id -u)" -eq 0 ]; then
    env -i /usr/sbin/chroot "$image" /usr/bin/ssm-scp --version | grep -q '^ssm-scp ' || fail "the image does not run"
fi
[ -s "$image/etc/ssl/certs/ca-certificates.crt" ] || fail "the image trusts nobody"
[ ! -e "$image/bin/sh" ] || fail "the image has a shell"

# Nothing else is left, and what cannot be packed leaves it as it is.
before=$(grep 'cdx' "$out/SHA256SUMS")
"$root/scripts/dist.sh" --help | grep -q '^usage: scripts/dist.sh' || fail "--help"
for wrong in "$top/nowhere" "$top"; do
    if "$root/scripts/dist.sh" --binaries "$wrong" "$out" 2>"$top/said"; then fail "it packs nothing"; fi
    grep -q '^dist: ' "$top/said" || fail "it says $(cat "$top/said")"
done
[ "$(grep 'cdx' "$out/SHA256SUMS")" = "$before" ] || fail "what is there was changed"
# One tool as dist.sh builds all: for another glibc than this machine's, ring's C and assembly among it. It compiles for minutes.
[ -n "${LONG:-}" ] || { echo "dist: ok" && exit; }
cd -- "$root"
target=$arch-unknown-linux-gnu
CARGO_PROFILE_DEV_DEBUG=0 cargo zigbuild --quiet --locked --package ssm-agentcheck --target "$target.2.17"
scripts/glibc.sh "target/$target/debug/ssm-agentcheck" 2.17
"target/$target/debug/ssm-agentcheck" --version | grep -q '^ssm-agentcheck ' || fail "what was linked for glibc 2.17 does not run"
if scripts/glibc.sh "target/$target/debug/ssm-agentcheck" 2.2 2>/dev/null; then fail "glibc.sh finds nothing"; fi
echo "dist: ok"
