#!/usr/bin/env bash
# scripts/dist.sh: what it packs holds all that `make install` installs, runs from a package, from an archive and without a system
# around it, as one program with links or as one for each tool. The packed binaries are those of the other tests, which the one
# program starts here; with LONG=1 it is built of the tools, for glibc 2.17.
set -euo pipefail
root=$(cd -- "$(dirname -- "$0")/../.." && pwd)
export PATH="$root/.venv/bin:$PATH"
top=$(mktemp -d)
trap 'rm -rf -- "$top"' EXIT
fail() { echo "dist: $*" >&2 && exit 1; }
# shellcheck source=tests/scripts/as_root
. "$root/tests/scripts/as_root"
"$root/tests/ansible/packages.sh" # For rpm.

tools="ssm-agentcheck ssm-role ssm-prefs ssm-scp ssm-events ssm-run ssm-vulns"
arch=$(uname -m)
out="$top/the packages"
FAST=1 "$root/scripts/dist.sh" --binaries "$(dirname -- "$(command -v ssm-prefs)")" "$out" >"$top/list"
base=ssm-tools-$(ssm-prefs --version | awk '{ print $2 }')-linux-$arch
collection=ssm_tools-rollout-$(ssm-prefs --version | awk '{ print $2 }').tar.gz
(cd -- "$out" && sha256sum --check --quiet --strict SHA256SUMS) || fail "the checksums are of something else"
[ "$(awk '{ print $2 }' "$top/list" | paste -sd' ' -)" = "SHA256SUMS $base.tar.gz $base.deb $base.rpm $base.cdx.json $collection" ] || fail "it lists $(cat "$top/list")"

# The same everywhere: what install.sh makes, the SBOM and the documents.
unpack() { # packages into
    mkdir -p "$2/deb" "$2/rpm" "$2/tar"
    dpkg-deb --extract "$1/$base.deb" "$2/deb"
    rpm2archive - <"$1/$base.rpm" | tar -C "$2/rpm" -xzf - || fail "the .rpm cannot be unpacked"
    tar -C "$2/tar" -xzf "$1/$base.tar.gz" && mv "$2/tar/$base" "$2/tar/usr"
    diff -r --no-dereference "$2/deb/usr" "$2/tar/usr" || fail ".deb and .tar.gz differ"
    diff -r --no-dereference "$2/rpm/usr" "$2/tar/usr" || fail ".rpm and .tar.gz differ"
}
unpack "$out" "$top"
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
all_run() { # bin
    local tool
    for tool in $tools; do env -i "$1/$tool" --version | grep -q "^$tool [0-9]" || fail "$1/$tool --version"; done
}
all_run "$top/tar/usr/bin"
# Scripts find their files wherever a package was unpacked, and so does a link to them.
scripts_run() { # usr
    local script
    for script in rollout rollback stackset vulnscan; do
        env -i PATH=/usr/local/bin:/usr/bin:/bin "$1/bin/ssm-$script" --help | grep -q "^usage: .*$script.sh" || fail "$1/bin/ssm-$script --help"
    done
    ln -sf "$1/bin/ssm-rollout" "$top/a link"
    [ "$(env -i PATH=/usr/local/bin:/usr/bin:/bin "$top/a link" --directory)" = "$(readlink -f "$1")/share/ssm-rollout" ] || fail "ssm-rollout --directory of $1"
}
mv "$top/tar/usr" "$top/tar/\$HOME \`a\` 'b' \"c\"" # As somebody may call it.
scripts_run "$top/tar/\$HOME \`a\` 'b' \"c\""
mv "$top/tar/\$HOME \`a\` 'b' \"c\"" "$top/tar/usr"
for kind in deb rpm; do scripts_run "$top/$kind/usr"; done
# Links of the documents lead to what is packed with them.
for page in "$top"/deb/usr/share/ssm-rollout/*.md "$top"/deb/usr/share/ssm-rollout/docs/*.md; do
    grep -o '](\([^)#]*\)' "$page" | sed 's/^](//' | grep -v '^https:' | sort -u >"$top/links" || true
    while IFS= read -r link; do
        [ -z "$link" ] || [ -e "$(dirname -- "$page")/$link" ] || fail "${page##*/} links to $link, which is not packed"
    done <"$top/links"
done
[ "$(find "$top/deb/usr/share/ssm-rollout/docs" -name '*.md' | wc -l)" -eq "$(find "$root/docs" -name '*.md' | wc -l)" ] || fail "not all documents are packed"
# The collection has the version of the tools, and its role and modules.
tar -tzf "$out/$collection" >"$top/files" || fail "the collection cannot be read"
for file in plugins/modules/ssm_scp.py roles/ssm_agent/tasks/main.yml playbooks/modules.yml; do grep -qx "$file" "$top/files" || fail "the collection has no $file"; done

# As the README has it, but into a directory: the package that is for this machine.
for line in 'apt install ./ssm-tools-*-linux-x86_64.deb' 'dnf install ./ssm-tools-*-linux-x86_64.rpm'; do
    grep -qF "\$ sudo $line " "$root/README.md" || fail "the README does not say $line"
done
install_all() { # packages into
    mkdir -p "$2/dpkg/var/lib/dpkg/info" "$2/dpkg/var/lib/dpkg/updates" && : >"$2/dpkg/var/lib/dpkg/status"
    PATH="$PATH:/usr/sbin:/sbin" as_root dpkg --root="$2/dpkg" --force-depends -i "$1/$base.deb" >"$2/dpkg.log" 2>&1 || fail "dpkg -i: $(cat "$2/dpkg.log")"
    as_root rpm --root "$2/by rpm" --dbpath /db --initdb || fail "rpm --initdb"
    as_root rpm --root "$2/by rpm" --dbpath /db --nodeps --ignorearch -i "$1/$base.rpm" >"$2/rpm.log" 2>&1 || fail "rpm -i: $(cat "$2/rpm.log")"
    all_run "$2/dpkg/usr/bin"
    all_run "$2/by rpm/usr/bin"
    as_root rpm --root "$2/by rpm" --dbpath /db --verify --nodeps --nouser --nogroup ssm-tools || fail "rpm --verify finds what was installed another"
}
install_all "$out" "$top"
cmp "$top/dpkg/usr/share/ssm-rollout/rollout.d/agent.json" "$root/scripts/rollout.d/agent.json" || fail "dpkg -i installs no examples"

# As releases have it: one program, which is the tool by whose name it is called. What it links here starts the tools.
mkdir "$top/program"
link=()
for tool in $tools; do
    library="$top/program/lib${tool//-/_}.rlib"
    TOOL=$(command -v "$tool") rustc --edition 2024 --crate-type rlib --crate-name "${tool//-/_}" -o "$library" - <<'RUST'
use std::os::unix::process::CommandExt;
pub fn main() -> std::process::ExitCode {
    let mut words = std::env::args_os();
    let error = std::process::Command::new(env!("TOOL")).arg0(words.next().unwrap()).args(words).exec();
    panic!("{error}")
}
RUST
    link+=(--extern "${tool//-/_}=$library")
done
rustfmt --edition 2024 --check "$root/scripts/dist.d/main.rs" || fail "main.rs is not formatted"
rustc --edition 2024 -D warnings "${link[@]}" -o "$top/program/ssm-tools" "$root/scripts/dist.d/main.rs"
one="$top/one program"
mkdir "$one"
FAST=1 "$root/scripts/dist.sh" --binaries "$top/program" "$one/packages" >/dev/null
unpack "$one/packages" "$one"
has_links() { # usr
    local tool
    for tool in $tools; do
        [ "$(readlink "$1/bin/$tool")" = ../lib/ssm-rollout/ssm-tools ] || fail "$1/bin/$tool is not a link to the one program"
    done
    [ -f "$1/lib/ssm-rollout/ssm-tools" ] && [ ! -L "$1/lib/ssm-rollout/ssm-tools" ] || fail "$1 has not the one program"
}
has_links "$one/tar/usr"
has_links "$one/packages/image-$arch/root/usr"
all_run "$one/tar/usr/bin"
install_all "$one/packages" "$one"
diff -r "$one/tar/usr/share" "$top/tar/usr/share" || fail "pages or completions of the one program differ"
diff <(dpkg-deb --contents "$out/$base.deb" | awk '{ print $6 }' | grep -v '^./usr/lib') \
    <(dpkg-deb --contents "$one/packages/$base.deb" | awk '{ print $6 }' | grep -v '^./usr/lib') || fail "the one program is packed with other files"
# A copy has all tools in it, so it needs only its name; Lambda has another for ssm-events.
cp "$one/tar/usr/bin/ssm-scp" "$one/ssm-scp"
env -i "$one/ssm-scp" --version | grep -q '^ssm-scp ' || fail "a copy of a link does not run"
BINARY="$one/tar/usr/bin/ssm-events" "$root/scripts/lambda.sh" "$one/lambda" >/dev/null
python3 -m zipfile -e "$one/lambda/ssm-events-$arch.zip" "$one"
chmod +x "$one/bootstrap"
if env -i "$one/bootstrap" 2>"$top/said"; then fail "bootstrap ended without a runtime API"; fi
grep -qx 'ssm-events: AWS_LAMBDA_RUNTIME_API is not set' "$top/said" || fail "bootstrap said: $(cat "$top/said")"
other_name() { # name expected
    local status=0
    (exec -a "$1" "$one/ssm-scp" --version) >"$top/stdout" 2>"$top/said" || status=$?
    [ "$status" -eq 2 ] && [ ! -s "$top/stdout" ] || fail "called as '$1' its status is $status"
    [ "$(cat "$top/said")" = "ssm-tools: called as '$2', which is not the name of a tool: expected ssm-agentcheck, ssm-role, ssm-prefs, ssm-scp, ssm-events, ssm-run or ssm-vulns" ] ||
        fail "called as '$1' it says $(cat "$top/said")"
}
other_name /usr/bin/ssm-tools ssm-tools
other_name ssm-scp-2 ssm-scp-2
other_name $'a\nb' 'a\nb'
other_name $'ssm-scp\xff' $'ssm-scp\xef\xbf\xbd'
other_name '' ''

# The SBOM is one, and has the crates that are linked, none of those for tests.
"$root/tests/scripts/validate" sbom "$out/$base.cdx.json"
# openssl-probe is for Unix but macOS: a platform that is named is not always one that is meant.
for crate in rustls aws-sdk-ssm openssl-probe; do
    jq -e --arg name "$crate" 'any(.components[]; .name == $name and (.purl | startswith("pkg:cargo/\($name)@")))' "$out/$base.cdx.json" >/dev/null || fail "the SBOM has no $crate"
done
jq -e '[.components[].name] | any(. == "proptest" or . == "testbed") | not' "$out/$base.cdx.json" >/dev/null || fail "the SBOM has what only tests need"
jq -e '[.components[].name] | any(startswith("windows") or . == "schannel" or . == "security-framework") | not' "$out/$base.cdx.json" >/dev/null ||
    fail "the SBOM has what other systems need"

# What the one program is built of is in Cargo.lock, which workspace.sh checks, and in the SBOM.
workspace=$("$root/scripts/dist.d/workspace.sh")
cargo tree --locked --manifest-path "$workspace" --package ssm-tools --edges normal --target "$arch-unknown-linux-gnu" --prefix none |
    sed -n 's/^\([^ ]*\) v\([^ ]*\).*/\1 \2/p' | grep -v '^ssm-tools ' | sort -u >"$top/linked"
jq -r '.components[] | "\(.name) \(.version)"' "$out/$base.cdx.json" | sort -u >"$top/listed"
[ "$(wc -l <"$top/linked")" -gt 100 ] || fail "the program has only $(cat "$top/linked")"
[ -z "$(comm -23 "$top/linked" "$top/listed")" ] || fail "the SBOM has not $(comm -23 "$top/linked" "$top/listed")"

# A program that has grown is not released.
max_megabytes=''
eval "$(sed -n '/^max_megabytes=/,/^}/p' "$root/scripts/dist.sh")"
die() { echo "$*" && exit 1; }
truncate -s $((max_megabytes * 1000000)) "$top/fits" && truncate -s $((max_megabytes * 1000000 + 1)) "$top/large"
(fit "$top/fits") || fail "$max_megabytes MB are too large"
{ (fit "$top/large") || true; } | grep -q "^large has ${max_megabytes}000001 bytes; at most $max_megabytes MB" || fail "more than $max_megabytes MB fit"

# The image has what its programs need and nothing else.
image="$out/image-$arch/root"
image_runs() { # image
    as_root env -i /usr/sbin/chroot "$1" /usr/bin/ssm-scp --version | grep -q '^ssm-scp ' || fail "the image does not run"
}
image_runs "$image"
[ -s "$image/etc/ssl/certs/ca-certificates.crt" ] || fail "the image trusts nobody"
[ ! -e "$image/bin/sh" ] || fail "the image has a shell"
if CERTIFICATES=/nowhere FAST=1 "$root/scripts/dist.sh" --binaries "$top/program" "$top/untrusting" >"$top/said" 2>&1; then fail "it makes an image that trusts nobody"; fi
grep -q '^dist: this machine has no certificates' "$top/said" || fail "it says $(cat "$top/said")"

# Nothing else is left, and what cannot be packed leaves it as it is.
before=$(grep 'cdx' "$out/SHA256SUMS")
"$root/scripts/dist.sh" --help | grep -q '^usage: scripts/dist.sh' || fail "--help"
for wrong in "$top/nowhere" "$top"; do
    if "$root/scripts/dist.sh" --binaries "$wrong" "$out" 2>"$top/said"; then fail "it packs nothing"; fi
    grep -q '^dist: ' "$top/said" || fail "it says $(cat "$top/said")"
done
[ "$(grep 'cdx' "$out/SHA256SUMS")" = "$before" ] || fail "what is there was changed"
# As dist.sh builds it, but not optimized: for another glibc than this machine's, ring's C and assembly among it. It compiles for
# minutes.
[ -n "${LONG:-}" ] || { echo "dist: ok" && exit; }
cd -- "$root"
target=$arch-unknown-linux-gnu
CARGO_PROFILE_DEV_DEBUG=0 cargo zigbuild --quiet --locked --manifest-path "$workspace" --package ssm-tools --target "$target.2.17" --target-dir target
scripts/glibc.sh "target/$target/debug/ssm-tools" 2.17
if scripts/glibc.sh "target/$target/debug/ssm-tools" 2.2 2>/dev/null; then fail "glibc.sh finds nothing"; fi
FAST=1 scripts/dist.sh --binaries "target/$target/debug" "$top/built" >/dev/null
unpack "$top/built" "$top/all of it"
has_links "$top/all of it/tar/usr"
all_run "$top/all of it/tar/usr/bin"
image_runs "$top/built/image-$arch/root"
diff -r "$top/all of it/tar/usr/share" "$top/tar/usr/share" || fail "pages or completions of what was built differ"
# Each is the tool of its name in what it says of wrong arguments and finds in files, too.
for tool in $tools; do
    for arguments in '' --help 'lint -f /dev/null' 'plan -f /nowhere' '--generate schema' '--wrong'; do
        for bin in "$(dirname -- "$(command -v ssm-prefs)")" "$top/all of it/tar/usr/bin"; do
            status=0
            # shellcheck disable=SC2086 # Words.
            env -i "$bin/$tool" $arguments </dev/null >"$top/said" 2>&1 || status=$?
            echo "$status" >>"$top/said"
            [ -e "$top/expected" ] || mv "$top/said" "$top/expected"
        done
        diff "$top/expected" "$top/said" || fail "$tool $arguments differs in the one program"
        rm "$top/expected"
    done
done
echo "dist: ok"
