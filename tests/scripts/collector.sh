#!/usr/bin/env bash
# Shows that vulnscan.d/collector.sh prints what dpkg, rpm and apk know, under dash and busybox, and that ssm-vulns makes
# valid SBOMs of it, or says that something is missing.
# shellcheck disable=SC2016 # Programs that are written here expand theirs when they run.
set -euo pipefail

root=$(cd -- "$(dirname -- "$0")/../.." && pwd)
collector=$root/scripts/vulnscan.d/collector.sh
tmp=$(mktemp -d)
trap 'rm -rf -- "$tmp"' EXIT
fail() {
    echo "collector: $1" >&2
    exit 1
}
"$root/tests/ansible/packages.sh" # Installs rpm, rpmbuild and busybox, if they are missing.

# Makes the invocation record of an output.
record() {
    jq -n -c --rawfile stdout "$1" '{kind: "invocation", target: {account: "111111111111", region: "us-east-1"},
        instance_id: "i-0123456789abcdef0", name: "web", command_id: "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9", document: "AWS-RunShellScript",
        status: "Success", status_details: "Success", exit_code: 0, started: "2026-11-27T06:00:00Z", ended: "2026-11-27T06:00:01Z",
        stdout: $stdout, stderr: "", truncated: {stdout: false, stderr: false}, reason: null}'
}
sbom() { ssm-vulns sbom -q -o json || [ $? -eq 2 ]; }
command -v ssm-vulns >/dev/null || fail "ssm-vulns is not in PATH; make build, and add target/debug"
unpack() { if read -r line && [ "$line" = "ssm-inventory 1 gzip" ]; then echo "ssm-inventory 1 plain" && base64 -d | gzip -dc; else printf '%s\n' "$line" && cat; fi; }

# -- dpkg, on this machine itself, by every shell, leaving no file behind
mkdir "$tmp/empty"
for shell in dash bash 'busybox ash'; do
    # shellcheck disable=SC2086 # A shell with its argument.
    (cd "$tmp/empty" && TMPDIR=$tmp/empty HOME=$tmp/empty $shell "$collector") >"$tmp/out.${shell%% *}" || fail "$shell: status $?"
    cmp "$tmp/out.dash" "$tmp/out.${shell%% *}" || fail "$shell prints something else than dash"
done
[ -z "$(ls -A "$tmp/empty")" ] || fail "it left something behind"
unpack <"$tmp/out.dash" >"$tmp/deb.txt"
grep '^deb	' "$tmp/deb.txt" | awk -F '\t' -v arch="$(dpkg --print-architecture)" \
    '{ print $2, $3, ($4 == "" ? arch : $4), ($5 == "" ? $2 : $5), ($6 == "" ? $3 : $6) }' | sort >"$tmp/ours"
dpkg-query -W -f '${Status}\t${Package} ${Version} ${Architecture} ${source:Package} ${source:Version}\n' |
    sed -n '/^.* \(not-installed\|config-files\)\t/d; s/^[^\t]*\t//p' | sort >"$tmp/theirs"
[ "$(wc -l <"$tmp/theirs")" -gt 100 ] || fail "there are hardly any packages"
diff "$tmp/ours" "$tmp/theirs" || fail "dpkg-query says otherwise"
record "$tmp/deb.txt" >"$tmp/deb.json"
sbom <"$tmp/deb.json" >"$tmp/deb.cdx.json"
[ "$(jq '.components | length' "$tmp/deb.cdx.json")" -eq $(($(wc -l <"$tmp/theirs") + 1)) ] || fail "components are missing"

# -- odd characters, packages of every state (all but two have files on the node), and a kernel that waits for a reboot; on a
# system of dpkg's own format
system="$tmp/deb root"
mkdir -p "$system/var/lib/dpkg" "$system/run" "$system/etc"
touch "$system/run/reboot-required"
printf 'PRETTY_NAME="Ubuntu 22.04.4 LTS \303\274"\nID=ubuntu\nID_LIKE=debian\nVERSION_ID="22.04"\nVERSION_CODENAME=jammy\n' >"$system/etc/os-release"
package() { # name version status field?
    printf 'Package: %s\nStatus: install ok %s\nVersion: %s\nArchitecture: amd64\n%sMaintainer: m\nDescription: d\n\n' "$1" "$3" "$2" "${4:+$4$'\n'}"
}
{
    package libstdc++6 '1:12.3.0-1ubuntu1~22.04+b1' installed 'Source: gcc-12 (12.3.0-1ubuntu1~22.04)'
    package gone 1 config-files
    package never 1 not-installed
    package half 1 half-installed
    package unpacked 1 unpacked
    package unconfigured 1 half-configured
    package waiting 1 triggers-awaited 'Triggers-Awaited: triggered'
    package triggered 1 triggers-pending 'Triggers-Pending: /usr/share/x'
    package linux-image-6.5.0-1014-aws 6.5.0-1014.14~22.04.1 installed 'Source: linux-signed-aws-6.5'
    package linux-image-6.5.0-1022-aws 6.5.0-1022.22~22.04.1 installed 'Source: linux-signed-aws-6.5'
    package linux-image-6.8.0-31-generic 6.8.0-31.31 installed 'Source: linux-signed'
} >"$system/var/lib/dpkg/status"
mkdir "$tmp/bin"
printf '#!/bin/sh\nif [ "$1" = -r ]; then echo "$KERNEL"; else echo x86_64; fi\n' >"$tmp/bin/uname"
chmod +x "$tmp/bin/uname"
KERNEL=6.5.0-1014-aws PATH=$tmp/bin:$PATH INVENTORY_ROOT=$system dash "$collector" >"$tmp/ubuntu.txt"
record "$tmp/ubuntu.txt" | sbom >"$tmp/ubuntu.cdx.json"
jq -r '.components[] | .purl // "\(.name) \(.version) \(.description)"' "$tmp/ubuntu.cdx.json" >"$tmp/got"
cat >"$tmp/expected" <<'LINES'
ubuntu 22.04 Ubuntu 22.04.4 LTS 
pkg:deb/ubuntu/half@1?arch=amd64&distro=ubuntu-22.04
pkg:deb/ubuntu/libstdc%2B%2B6@1:12.3.0-1ubuntu1~22.04%2Bb1?arch=amd64&distro=ubuntu-22.04&upstream=gcc-12%4012.3.0-1ubuntu1~22.04
pkg:deb/ubuntu/linux-image-6.5.0-1014-aws@6.5.0-1014.14~22.04.1?arch=amd64&distro=ubuntu-22.04&upstream=linux-signed-aws-6.5
pkg:deb/ubuntu/linux-image-6.5.0-1022-aws@6.5.0-1022.22~22.04.1?arch=amd64&distro=ubuntu-22.04&upstream=linux-signed-aws-6.5
pkg:deb/ubuntu/linux-image-6.8.0-31-generic@6.8.0-31.31?arch=amd64&distro=ubuntu-22.04&upstream=linux-signed
pkg:deb/ubuntu/triggered@1?arch=amd64&distro=ubuntu-22.04
pkg:deb/ubuntu/unconfigured@1?arch=amd64&distro=ubuntu-22.04
pkg:deb/ubuntu/unpacked@1?arch=amd64&distro=ubuntu-22.04
pkg:deb/ubuntu/waiting@1?arch=amd64&distro=ubuntu-22.04
LINES
diff "$tmp/expected" "$tmp/got" || fail "the package URLs are others"
kernels() { jq -r '[.metadata.component.properties[] | select(.name | startswith("ssm:kernel") or . == "ssm:reboot-pending").value] | join(" ")' "$1"; }
[ "$(kernels "$tmp/ubuntu.cdx.json")" = "6.5.0-1014-aws 6.5.0-1022-aws true" ] || fail "kernels: $(kernels "$tmp/ubuntu.cdx.json")"

# -- rpm itself, with packages that have what dpkg's have not, and then without the tag that old ones do not know
build() { # name version release further tags
    cat >"$tmp/$1.spec" <<SPEC
Name: $1
Version: $2
Release: $3
Summary: s
License: MIT
Vendor: Märchen & Co.
BuildArch: noarch
$4
%description
d
%package -n sub-$1
Summary: s
$4
%description -n sub-$1
d
%files
%files -n sub-$1
SPEC
    rpmbuild --quiet --define "_topdir $tmp/rpmbuild" -bb "$tmp/$1.spec" >"$tmp/log" 2>&1 || fail "$(cat "$tmp/log")"
}
build plain 1.0~rc1 1.amzn2023 ''
build epoch '1.0^git1' 2.el8 'Epoch: 2
ModularityLabel: nodejs:18:8080020230101000000:abc'
rpm --dbpath "$tmp/rpmdb" --initdb
rpm --dbpath "$tmp/rpmdb" -i --justdb --nodeps --nosignature "$tmp"/rpmbuild/RPMS/noarch/*.rpm 2>"$tmp/log" || fail "$(cat "$tmp/log")"
system="$tmp/rpm root"
mkdir -p "$system/usr/lib"
printf 'NAME="Amazon Linux"\nVERSION="2023"\nID="amzn"\nID_LIKE="fedora"\nVERSION_ID="2023"\nPRETTY_NAME="Amazon Linux 2023.6.20241121"\n' >"$system/usr/lib/os-release"
real=$(command -v rpm)
printf '#!/bin/sh\nexec %s --dbpath %s "$@"\n' "$real" "$tmp/rpmdb" >"$tmp/bin/rpm"
chmod +x "$tmp/bin/rpm"
KERNEL=6.1.115-126.197.amzn2023.x86_64 PATH=$tmp/bin:$PATH INVENTORY_ROOT=$system dash "$collector" >"$tmp/rpm.txt" || fail "rpm: status $?"
record "$tmp/rpm.txt" | sbom >"$tmp/rpm.cdx.json"
jq -r '.components[] | .purl // "\(.name) \(.version)"' "$tmp/rpm.cdx.json" | sort >"$tmp/got"
cat >"$tmp/expected" <<'LINES'
amazon 2023
pkg:rpm/amzn/epoch@1.0%5Egit1-2.el8?arch=noarch&distro=amzn-2023&epoch=2&rpmmod=nodejs:18:8080020230101000000:abc&upstream=epoch-1.0%5Egit1-2.el8.src.rpm
pkg:rpm/amzn/plain@1.0~rc1-1.amzn2023?arch=noarch&distro=amzn-2023&upstream=plain-1.0~rc1-1.amzn2023.src.rpm
pkg:rpm/amzn/sub-epoch@1.0%5Egit1-2.el8?arch=noarch&distro=amzn-2023&epoch=2&rpmmod=nodejs:18:8080020230101000000:abc&upstream=epoch-1.0%5Egit1-2.el8.src.rpm
pkg:rpm/amzn/sub-plain@1.0~rc1-1.amzn2023?arch=noarch&distro=amzn-2023&upstream=plain-1.0~rc1-1.amzn2023.src.rpm
LINES
diff "$tmp/expected" "$tmp/got" || fail "the package URLs are others"
[ -z "$(awk -F '\t' '$1 == "kernel" { print $3 }' "$tmp/rpm.txt")" ] || fail "nothing asks for a reboot"
mkdir -p "$system/run"
touch "$system/run/reboot-needed" # As SUSE does.
KERNEL=1 PATH=$tmp/bin:$PATH INVENTORY_ROOT=$system dash "$collector" | grep -qx 'kernel	1	required' || fail "a reboot that is needed is not seen"
rm "$system/run/reboot-needed"
printf '#!/bin/sh\ncase "$*" in --querytags) echo NAME ;; *MODULARITY*) exit 1 ;; *) exec %s --dbpath %s "$@" ;; esac\n' "$real" "$tmp/rpmdb" >"$tmp/bin/rpm"
KERNEL=4.14.1-1.amzn2.x86_64 PATH=$tmp/bin:$PATH INVENTORY_ROOT=$system dash "$collector" >"$tmp/old.txt" || fail "an old rpm: status $?"
[ "$(grep -c '^rpm	' "$tmp/old.txt")" -eq 4 ] || fail "an old rpm says nothing"
printf '#!/bin/sh\nif [ "$1" = --querytags ]; then echo NAME; else echo "error: rpmdb is damaged" >&2; exit 1; fi\n' >"$tmp/bin/rpm"
if PATH=$tmp/bin:$PATH INVENTORY_ROOT=$system KERNEL=4 dash "$collector" >"$tmp/out" 2>"$tmp/err"; then fail "a damaged database passes for an empty one"; fi
[ ! -s "$tmp/out" ] || fail "it printed a part: $(cat "$tmp/out")"
grep -qx 'collector: rpm cannot list the packages' "$tmp/err" || fail "it said: $(cat "$tmp/err")"
rm "$tmp/bin/rpm"

# -- apk, with nothing but busybox
system="$tmp/apk root"
mkdir -p "$system/lib/apk/db" "$system/etc" "$tmp/box"
for applet in $(busybox --list); do ln -s "$(command -v busybox)" "$tmp/box/$applet"; done
rm -f "$tmp/box/dpkg" "$tmp/box/rpm"
cp "$tmp/bin/uname" "$tmp/box/uname.new" && mv "$tmp/box/uname.new" "$tmp/box/uname"
sed -i "s|^#!/bin/sh|#!$tmp/box/sh|" "$tmp/box/uname"
printf 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.20.3\nPRETTY_NAME="Alpine Linux v3.20"\n' >"$system/etc/os-release"
printf 'C:Q1x=\nP:libcrypto3\nV:3.3.2-r0\nA:x86_64\no:openssl\nF:usr/lib\nR:libcrypto.so.3\n\nP:linux-lts\nV:6.6.58-r0\nA:x86_64\no:linux-lts\n\nP:tzdata\nV:2024b-r0\nA:noarch\no:tzdata\n' \
    >"$system/lib/apk/db/installed"
env -i PATH="$tmp/box" KERNEL=6.6.31-0-lts INVENTORY_ROOT="$system" "$tmp/box/ash" "$collector" >"$tmp/apk.txt" || fail "busybox: status $?"
record "$tmp/apk.txt" | sbom >"$tmp/apk.cdx.json"
jq -r '.components[] | .purl // "\(.name) \(.version)"' "$tmp/apk.cdx.json" >"$tmp/got"
cat >"$tmp/expected" <<'LINES'
alpine 3.20.3
pkg:apk/alpine/libcrypto3@3.3.2-r0?arch=x86_64&distro=alpine-3.20.3&upstream=openssl
pkg:apk/alpine/linux-lts@6.6.58-r0?arch=x86_64&distro=alpine-3.20.3
pkg:apk/alpine/tzdata@2024b-r0?arch=noarch&distro=alpine-3.20.3
LINES
diff "$tmp/expected" "$tmp/got" || fail "the package URLs are others"
[ "$(kernels "$tmp/apk.cdx.json")" = "6.6.31-0-lts 6.6.58-0-lts true" ] || fail "kernels: $(kernels "$tmp/apk.cdx.json")"

# -- no package manager at all
mkdir -p "$tmp/bare/etc" && echo ID=scratch >"$tmp/bare/etc/os-release"
if env -i PATH="$tmp/box" KERNEL=1 INVENTORY_ROOT="$tmp/bare" "$tmp/box/ash" "$collector" >"$tmp/out" 2>"$tmp/err"; then fail "a node without packages passes"; fi
[ ! -s "$tmp/out" ] || fail "it printed a part: $(cat "$tmp/out")"

# -- whatever is cut off or left out is noticed
"$root/scripts/vulnscan.d/collector.sh" >/dev/null # It is executable.
n=$(wc -l <"$tmp/ubuntu.txt")
for ((i = 1; i <= n; i++)); do
    head -n $((i - 1)) "$tmp/ubuntu.txt" >"$tmp/cut"
    sed "${i}d" "$tmp/ubuntu.txt" >"$tmp/short"
    record "$tmp/cut" && record "$tmp/short"
done >"$tmp/damaged.json"
sbom <"$tmp/damaged.json" | jq -r '.kind' | sort | uniq -c | tr -s ' ' >"$tmp/kinds"
[ "$(cat "$tmp/kinds")" = " $((2 * n)) gap" ] || fail "of $((2 * n)) damaged inventories came: $(cat "$tmp/kinds")"
for change in '.truncated.stdout = true' '.status = "Failed"' '.status = "Unreachable" | .reason = {id: "agentcheck.offline", message: "m", fix: "f"}' '.kind = "node"'; do
    [ "$(record "$tmp/ubuntu.txt" | jq -c "$change" | sbom | jq -r .kind)" = gap ] || fail "$change passes"
done

# -- whatever a node prints, it makes one SBOM or one gap, and the nodes after it get theirs
"$root/.venv/bin/python" - "$tmp"/{ubuntu,rpm,apk}.txt >"$tmp/odd.jsonl" <<'PYTHON'
import json, pathlib, random, sys
random.seed(7)
texts = [pathlib.Path(path).read_text() for path in sys.argv[1:]]
for number in range(600):
    lines = random.choice(texts).splitlines()[1:-1]
    for _ in range(random.randint(1, 3)):
        place = random.randrange(len(lines))
        fields = lines[place].split("\t")
        fields[random.randrange(len(fields))] = random.choice(["", "\u00fc\U0001f600", "-", ":", "~^", "1:", "a/b@c?d#e", "x\x1d\x1fx", "src.rpm", "0" * 400])
        lines[place] = "\t".join(fields[: random.randint(0, len(fields)) or len(fields)])
        if random.random() < 0.2:
            lines.insert(place, lines.pop(random.randrange(len(lines))))
    stdout = "\n".join(["ssm-inventory 1 plain", *lines, f"end\t{len(lines)}\t-"])
    record = {"kind": "invocation", "target": {"account": "1", "region": "r"}, "instance_id": f"i-{number}", "status": "Success", "stdout": stdout,
        "stderr": "", "truncated": {"stdout": False, "stderr": False}}
    print(json.dumps(record))
PYTHON
sbom <"$tmp/odd.jsonl" >"$tmp/odd"
jq -r 'if .kind == "gap" then .instance_id else .metadata.component.name end' "$tmp/odd" | sort -V | diff - <(seq -f 'i-%g' 0 599) || fail "a record was lost"
jq -c 'select(.bomFormat)' "$tmp/odd" | awk 'NR % 10 == 0' >"$tmp/odd.cdx.jsonl"
[ "$(wc -l <"$tmp/odd.cdx.jsonl")" -gt 10 ] || fail "hardly any of them has an SBOM"

# -- Windows: nothing here runs it, but it parses, and what it prints by its own description makes an SBOM
"$root/tests/scripts/validate" powershell "$root/scripts/vulnscan.d/collector.ps1"
sed 's/}$//' "$root/scripts/vulnscan.d/collector.ps1" >"$tmp/broken.ps1"
if "$root/tests/scripts/validate" powershell "$tmp/broken.ps1" 2>/dev/null; then fail "a broken script parses"; fi
printf 'ssm-inventory 1 plain\r\nos\twindows\t10.0.20348.2849\t\t\tMicrosoft Windows Server 2022 Datacenter\r\narch\tAMD64\r\nkernel\t10.0.20348.2849\t\r\nhotfix\tKB5046616\t2024-11-13\r\nwin\tPython 3.12 (64-bit)\t3.12.7\tPSF\r\nwin\tPython 3.12 (64-bit)\t3.12.7\tOther\r\nwin\tAgent\t\t\r\nend\t7\t-\r\n' >"$tmp/windows.txt"
record "$tmp/windows.txt" | sbom >"$tmp/windows.cdx.json"
[ "$(jq -r '[.components[] | .purl // ([.properties[] | select(.name == "ssm:hotfix").value] | join(","))] | join(" ")' "$tmp/windows.cdx.json")" = \
    "KB5046616 pkg:generic/Python%203.12%20%2864-bit%29@3.12.7 pkg:generic/Agent" ] || fail "$(cat "$tmp/windows.cdx.json")"

"$root/tests/scripts/validate" sbom "$tmp"/*.cdx.json "$tmp/odd.cdx.jsonl"

# -- Run Command takes two opening braces for a parameter; a checker that accepts everything shows nothing
if grep -n '{{' "$root"/scripts/vulnscan.d/collector.*; then fail "there is a parameter in a collector"; fi
jq '(.components[].purl | strings) |= sub("%2B"; "+")' "$tmp/ubuntu.cdx.json" >"$tmp/bad.json"
if "$root/tests/scripts/validate" sbom "$tmp/bad.json" 2>/dev/null; then fail "a package URL that is not canonical passes"; fi
jq '.components[1].type = "thing"' "$tmp/ubuntu.cdx.json" >"$tmp/bad.json"
if "$root/tests/scripts/validate" sbom "$tmp/bad.json" 2>/dev/null; then fail "an invalid SBOM passes"; fi
echo "ok collector.sh"
