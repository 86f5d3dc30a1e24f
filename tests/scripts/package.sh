#!/usr/bin/env bash
# Plays somebody who takes a package, or a clone: each line of the README that installs one, as it is printed, but below a
# directory; then the first table. Prints how long that took. What else the packages hold is for tests/scripts/dist.sh. The clone
# takes the binaries of the other tests; with LONG=1 it builds its own, as the README says.
set -euo pipefail
export CARGO_HOME=${CARGO_HOME:-$HOME/.cargo} RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}
root=$(cd -- "$(dirname -- "$0")/../.." && pwd)
top=$(mktemp -d)
trap 'rm -rf -- "$top"' EXIT
fail() { echo "package: $*" >&2 && exit 1; }
# shellcheck source=tests/scripts/as_root
. "$root/tests/scripts/as_root"
"$root/tests/ansible/packages.sh" rpm dpkg-deb
PATH="$root/.venv/bin:$PATH:/usr/sbin:/sbin" FAST=1 "$root/scripts/dist.sh" --binaries "$(dirname -- "$(command -v ssm-prefs)")" "$top/packages" >/dev/null

# shellcheck source=tests/scripts/local_aws
. "$root/tests/scripts/local_aws"
an_account 111122223333

# Installs below $at, where no dependency is. That they are found is for the package manager of the system to say: apt is asked
# here, of rpm's the names are held below.
sudo() { "$@"; }
apt() {
    [ "$1" = install ] || fail "apt $1"
    apt-get install --simulate -qq "$2" || fail "apt would not install $2"
    mkdir -p "$at/var/lib/dpkg/info" "$at/var/lib/dpkg/updates" && : >"$at/var/lib/dpkg/status"
    PATH="$PATH:/usr/sbin:/sbin" as_root dpkg --root="$at" --force-depends -i "$2"
}
dnf() {
    [ "$1" = install ] || fail "dnf $1"
    as_root rpm --root "$at" --dbpath /db --initdb && as_root rpm --root "$at" --dbpath /db --nodeps --ignorearch -i "$2"
}
tar() {
    mkdir -p "$at/usr/local"
    command tar "${@/#\/usr\/local/"$at/usr/local"}"
}
# Shows the first table with what was installed below $at, and says how long it took since $began. Nothing else is on the PATH, so
# that what is installed is what runs.
first_table() {
    local bin took
    bin=$(find "$at" -name ssm-agentcheck -path '*/bin/*' -printf '%h')
    env PATH="$bin" "$bin/ssm-agentcheck" show -o text >"$top/table" 2>"$top/log" || fail "after $line: $(cat "$top/log")"
    took=$((($(date +%s%N) - began) / 100000000))
    [ "$(grep -c '^i-0000000000000033' "$top/table")" -eq 3 ] || fail "after $line it shows $(cat "$top/table")"
    cmp "$(find "$at" -path '*/rollout.d/agent.json')" "$root/scripts/rollout.d/agent.json" || fail "$line installs no examples"
    echo "package: from $1 to the first table: $((took / 10)).$((took % 10)) s"
    first_use "$bin"
}
# Plays the first use of the README, as it is printed, with what was installed, where nothing is but what it makes. Findings are
# no error.
first_use() { # bin
    rm -rf "$top/use" && mkdir "$top/use"
    (
        cd -- "$top/use"
        export PATH="$1:/usr/bin:/bin" AWS_SHARED_CREDENTIALS_FILE="$top/credentials"
        unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_DEFAULT_REGION
        while IFS= read -r use; do
            eval "$use" </dev/null || [ $? -eq 1 ] || fail "after $line, '$use'"
        done <"$top/uses"
        cmp desired/agent.json "$root/scripts/rollout.d/agent.json" || fail "after $line, desired has no examples"
    ) >"$top/log" 2>&1 || fail "$(cat "$top/log")"
}
printf '[shop]\naws_access_key_id = %s\naws_secret_access_key = any\n' "$AWS_ACCESS_KEY_ID" >"$top/credentials"
awk -v page=README -v kinds=console -v section='## First use' -f "$root/tests/newcomer/commands.awk" "$root/README.md" >"$top/uses"
[ "$(wc -l <"$top/uses")" -ge 5 ] || fail "the first use is: $(cat "$top/uses")"
# The install lines, without what they say behind #.
sed -n 's/^\$ \(sudo .*ssm-tools-[^ ]*.*\)$/\1/p' "$root/README.md" | sed -E 's/ +#.*//' >"$top/lines"
[ "$(wc -l <"$top/lines")" -eq 3 ] || fail "the README installs by: $(cat "$top/lines")"
cd -- "$top/packages"
# Below a directory nothing else is installed, so that dependencies are passed over: the README names them. What rpmlib() names,
# rpm has.
needed=$(rpm -qpR ssm-tools-*.rpm | grep -v '^rpmlib(' | sort | paste -sd,)
[ "$needed" = "bash,glibc >= 2.17,jq,libgcc" ] || fail "the .rpm needs $needed"
needed=$(dpkg-deb --field ssm-tools-*.deb Depends Pre-Depends Recommends)
[ "$needed" = "Depends: bash, jq, libc6 (>= 2.17), libgcc-s1 | libgcc1" ] || fail "the .deb needs $needed"
grep -q '^Packages .* need bash and jq\.' "$root/README.md" || fail "the README does not say what packages need"
while IFS= read -r line; do
    read -r _ kind _ <<<"$line"
    at="$top/by $kind"
    mkdir "$at"
    began=$(date +%s%N)
    eval "${line//x86_64/$(uname -m)}" >"$top/log" 2>&1 </dev/null || fail "$line: $(cat "$top/log")"
    first_table "'$kind'"
done <"$top/lines"

line=$(sed -n 's/^\$ \(make install [^#]*[^# ]\) *#.*/\1/p' "$root/README.md") at="$top/by clone"
[ -n "$line" ] || fail "the README prints no make install"
mkdir "$at"
began=$(date +%s%N)
git clone --quiet --no-hardlinks "$root" "$top/clone"
cd -- "$top/clone"
what="a clone, built as releases are,"
[ -n "${LONG:-}" ] || { ln -s "$root/target" target && line+=" PROFILE=dev BUILD=:" && what="a clone with binaries"; }
(export HOME="$at" MAKEFLAGS='' && eval "$line") >"$top/log" 2>&1 </dev/null || fail "$line: $(cat "$top/log")"
first_table "$what"
echo "package: ok"
