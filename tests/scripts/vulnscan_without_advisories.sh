#!/usr/bin/env bash
# vulnscan.sh, 1: advisories that are about nothing are a gap and status 2, not an all-clear. Sends nothing.
set -euo pipefail

root=$(cd -- "$(dirname -- "$0")/../.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf -- "$tmp"' EXIT
n_failed=0
fail() {
    echo "FAILED $case: $1" >&2
    sed 's/^/    /' "$tmp/err" >&2
    n_failed=$((n_failed + 1))
}

# A directory with a `=` in its name, as awk would take for an assignment, and one scanned node.
cd -- "$tmp"
scan='a scan=1'
mkdir "$scan"
node() { # id version release package..
    printf 'ssm-inventory 1 plain\nos\t%s\t%s\t\t\tp\narch\tx86_64\nkernel\t1\t\nrpm\topenssh\t0\t8.7p1\t%s\t\topenssh-8.7p1-%s.src.rpm\tV\t\nend\t4\t-\n' "$1" "$2" "$3" "$3" |
        jq -R -s -c --arg id "i-0000000000000$1" '{kind: "invocation", target: {account: "111111111111", region: "us-east-1"}, instance_id: $id, name: null,
            command_id: "c", document: "d", status: "Success", status_details: "Success", exit_code: 0, started: null, ended: null, stdout: ., stderr: "",
            truncated: {stdout: false, stderr: false}, reason: null}'
}
node almalinux 9.4 38.el9 >"$scan/invocations.jsonl"
osv() { # id ecosystem fixed more
    jq -n -c --arg id "$1" --arg ecosystem "$2" --arg fixed "$3" --argjson more "${4:-{\}}" '{schema_version: "1.6.0", $id, modified: (now | todate),
        affected: [{package: {$ecosystem, name: "openssh"}, ranges: [{type: "ECOSYSTEM", events: [{introduced: "0"}, {$fixed}]}]}]} + $more'
}

run() {
    status=0
    "$root/scripts/vulnscan.sh" --out "$scan" --offline "$@" >"$tmp/out" 2>"$tmp/err" || status=$?
}
gaps() { jq -r '"\(.instance_id // "-") \(.reason.id)"' "$scan/gaps.jsonl" | sort | paste -sd' ' -; }
# Status 2, these gaps, and SARIF that does not claim to be whole.
expect_gaps() {
    [ "$status" -eq 2 ] || fail "status $status"
    [ "$(gaps)" = "$1" ] || fail "the gaps are: $(cat -- "$scan/gaps.jsonl")"
    [ "$(jq '.runs[0].invocations[0].executionSuccessful' "$scan/vulnscan.sarif")" = false ] || fail "SARIF calls it successful"
}
none="- vulns.advisories.unread i-0000000000000almalinux vulns.advisories.none"

# An all-clear that is one, and findings, so that all that follows is not right by accident.
case='a fixed package'
osv ALSA-1 AlmaLinux:9 8.7p1-38.el9 >fixed.json
run --advisories fixed.json
[ "$status" -eq 0 ] || fail "status $status"
[ ! -s "$scan/gaps.jsonl" ] || fail "the gaps are: $(cat -- "$scan/gaps.jsonl")"

case='an empty directory' && mkdir nothing
run --advisories nothing && expect_gaps "$none"
case='an empty file' && : >empty.json
run --advisories empty.json && expect_gaps "- vulns.advisories.unread $none"
case='updateinfo.xml of AlmaLinux'
run --advisories "$root/tests/fixtures/vulnscan/updateinfo_el9.xml" && expect_gaps "- vulns.advisories.unread $none"
grep -qF 'not for a distribution that is known here, such as bash-9-1.el9' "$tmp/err" || fail "it does not say what was left out"
case='a directory of compressed files that are not read' && mkdir compressed
echo x >compressed/updateinfo.xml.zst && echo x >'compressed/update info.xml.xz'
run --advisories compressed && expect_gaps "- vulns.advisories.unread $none"
grep -qF 'compressed: 2 files in it are not read: ' "$tmp/err" || fail "it does not say which"
case='updateinfo.xml of bug fixes'
sed 's/type="security"/type="bugfix"/' "$root/tests/fixtures/vulnscan/updateinfo.xml" >bugfixes.xml
run --advisories bugfixes.xml && expect_gaps "$none"
case='a withdrawn advisory'
osv ALSA-2 AlmaLinux:9 9-1.el9 '{"withdrawn": "2026-02-01T00:00:00Z"}' >withdrawn.json
run --advisories withdrawn.json && expect_gaps "$none"
case='no usable advisory for one of two nodes, in the way of awk'
node debian 12 1 >>"$scan/invocations.jsonl"
run --advisories fixed.json && expect_gaps "i-0000000000000debian vulns.advisories.none"
sed -i '$d' "$scan/invocations.jsonl"

# What is not read beside what is.
case='a mirror of a database' && mkdir -p mirror/.git/objects && cp fixed.json mirror/a.json
echo x >mirror/.git/objects/pack && echo x >mirror/README.md && echo x >mirror/LICENSE
run --advisories mirror
[ "$status" -eq 0 ] || fail "status $status: $(gaps)"
for name in oval.xml.bz2 ALSA-3 primary.xml; do
    case="beside a good one: $name" && echo '<x/>' >"mirror/$name"
    run --advisories mirror && expect_gaps "- vulns.advisories.unread"
    grep -qF "mirror: 1 file in it is not read: mirror/$name" "$tmp/err" || fail "it does not say which"
    rm "mirror/$name"
done
for name in empty.json empty.xml.gz; do
    case="beside a good one: $name" && : >"mirror/$name"
    run --advisories mirror && expect_gaps "- vulns.advisories.unread"
    rm "mirror/$name"
done
case='damaged gzip before a good one' && head -c 20 </dev/urandom >mirror/0.json.gz
gzip -c fixed.json >mirror/1.json.gz
run --advisories mirror && expect_gaps "- vulns.advisories.unread"

case='a symbolic link in the directory of a scan' && echo mine >victim && ln -s "$PWD/victim" "$scan/gaps.new"
run --advisories fixed.json
[ "$status" -eq 2 ] || fail "status $status"
grep -qF 'is a symbolic link' "$tmp/err" || fail "it does not say why"
[ "$(cat victim)" = mine ] || fail "the link was followed"

[ "$n_failed" -eq 0 ] || exit 1
echo "ok vulnscan_without_advisories.sh"
