#!/usr/bin/env bash
# Shows vulnscan.sh from nodes to SBOMs, table and SARIF, with ssm-run against the local AWS: what is found, what is missing,
# a crash in between, output that only S3 has whole, and a scan for patches.
set -euo pipefail

root=$(cd -- "$(dirname -- "$0")/../.." && pwd)
# shellcheck source=tests/scripts/signals
. "$root/tests/scripts/signals"
scan=$root/scripts/vulnscan.sh
tmp=$(mktemp -d)
sandbox=''
clean() {
    exec 3>&- || true # The sandbox ends when its stdin is closed.
    [ -z "$sandbox" ] || wait "$sandbox" || true
    rm -rf -- "$tmp"
}
trap clean EXIT
fail() {
    echo "vulnscan: $1" >&2
    [ ! -s "$tmp/err" ] || sed 's/^/    /' "$tmp/err" >&2
    exit 1
}
command -v ssm-run >/dev/null || fail "ssm-run is not in PATH; make build, and add target/debug"

# Runs a scan; `status`, and the files `out` and `err`, hold what came of it.
run() {
    status=0
    "$scan" "$@" >"$tmp/out" 2>"$tmp/err" || status=$?
}
expect() { # status, and what it says
    [ "$status" -eq "$1" ] || fail "status $status, expected $1"
    [ -z "${2:-}" ] || grep -qF -- "$2" "$tmp/err" || fail "it did not say '$2'"
}
gaps() { jq -r '"\(.instance_id // .target.account // "-") \(.reason.id)"' "$1/gaps.jsonl" | sort; }

# -- an estate: this machine twice, inventories as other distributions have them, and every way of having none
account=111111111111
inventory() { # id version like lines.. ; a whole one
    local id=$1 version=$2 like=$3
    shift 3
    printf 'ssm-inventory 1 plain\nos\t%s\t%s\t%s\t\tp\narch\tx86_64\nkernel\t1\t\n' "$id" "$version" "$like"
    printf '%b\n' "$@"
    printf 'end\t%s\t-\n' $(($# + 3))
}
many() { for i in $(seq 1200); do printf 'apk\\tpackage-%s\\t1.%s-r0\\t\\t\n' "$i" "$i"; done; }
mapfile -t many < <(many)
{
    node() { # id, agent in JSON, more in JSON
        jq -n -c --arg id "$1" --argjson agent "$2" --argjson more "${3:-{\}}" --arg account "$account" '{account: $account, region: "us-east-1", instance_id: $id,
            name: $id, platform: {type: "Linux", name: "Linux", version: "1"}, agent: ({version: "3.3.3050.0"} + $agent)} + $more'
    }
    canned() { jq -R -s -c '{run_output: [{match: "ssm-inventory", stdout: .}]}'; }
    node i-000000000000000a1 '{"run_command": "sh"}' '{"patches": {"list": [{"kb_id": "bash.x86_64", "state": "MISSING"}]}}'
    node i-000000000000000a2 '{"run_command": "sh"}' '{"patches": {"list": [{"kb_id": "bash.x86_64", "state": "INSTALLED"}]}}'
    node i-000000000000000b1 "$(inventory almalinux 9.4 rhel 'rpm\topenssl-libs\t1\t3.0.7\t24.el9\t\topenssl-3.0.7-24.el9.src.rpm\tAlmaLinux\t' | canned)" '{"name": "Büro \"7\""}'
    node i-000000000000000c1 "$(inventory alpine 3.20.3 '' 'apk\tlibcrypto3\t3.3.1-r0\t\topenssl' | canned)"
    node i-000000000000000b2 "$(inventory amzn 2023 fedora 'rpm\topenssl-libs\t1\t3.0.8\t1.amzn2023.0.9\t\topenssl-3.0.8-1.amzn2023.0.9.src.rpm\tAmazon Linux\t' | canned)"
    node i-000000000000000d1 "$(inventory windows 10.0.20348.1 '' 'hotfix\tKB5046616\t2024-11-13' 'win\tAgent\t1\tA' | canned)" '{"platform": {"type": "Windows", "name": "Windows", "version": "10"}}'
    node i-000000000000000e1 '{"run_command": "sh", "run_hides": ["dpkg-query", "rpm"]}'
    node i-000000000000000e2 '{"ping": "ConnectionLost", "last_ping_minutes_ago": 600}'
    node i-000000000000000e3 "$(printf 'ssm-inventory 1 gzip\n%s\n' "$(inventory debian 12 '' 'deb\tbash\t1\t\t\t' | gzip -c | base64 -w 0 | cut -c 1-60)" | canned)"
    node i-000000000000000e4 "$(inventory debian 12 '' 'deb\tbash\t1\t\t\t' | sed 's/^end.*/end\t4\t1234567/' | canned)"
    node i-000000000000000e5 "$(inventory alpine 3.20.3 '' "${many[@]}" | canned)"
} | jq -s '{nodes: .}' >"$tmp/estate.json"
good=(i-000000000000000a1 i-000000000000000a2 i-000000000000000b1 i-000000000000000b2 i-000000000000000c1)

for name in $(compgen -e | grep '^AWS_' || true); do unset "$name"; done
mkfifo "$tmp/stdin"
"$root/.venv/bin/python" "$root/tests/sandbox/sandbox.py" --estate "$tmp/estate.json" --exit-with-stdin <"$tmp/stdin" >"$tmp/url" 2>"$tmp/sandbox.log" &
sandbox=$!
exec 3>"$tmp/stdin"
for _ in $(seq 300); do [ ! -s "$tmp/url" ] || break && sleep 0.1; done
AWS_ENDPOINT_URL=$(cat "$tmp/url")
[ -n "$AWS_ENDPOINT_URL" ] || fail "the local AWS did not start: $(tail -1 "$tmp/sandbox.log")"
: >"$tmp/config"
export AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID=AKIA$account AWS_SECRET_ACCESS_KEY=any AWS_EC2_METADATA_DISABLED=true AWS_REGION=us-east-1
export AWS_CONFIG_FILE=$tmp/config AWS_SHARED_CREDENTIALS_FILE=$tmp/config

# -- advisories, in every form and container
# shellcheck disable=SC2016 # Fields of dpkg-query.
installed=$(dpkg-query -W -f '${Version}' bash) source=$(dpkg-query -W -f '${source:Version}' bash)
# shellcheck source=/dev/null
here=$(. /etc/os-release && case $ID in debian) echo "Debian:$VERSION_ID" ;; ubuntu) echo "Ubuntu:$VERSION_ID:LTS" ;; esac)
[ -n "$here" ] || fail "the test needs Debian or Ubuntu"
osv() { # id ecosystem name fixed
    jq -n -c --arg id "$1" --arg ecosystem "$2" --arg name "$3" --arg fixed "$4" '{schema_version: "1.6.0", $id, modified: (now | todate),
        summary: "Important: \($name) security update", affected: [{package: {$ecosystem, $name}, ranges: [{type: "ECOSYSTEM", events: [{introduced: "0"}, ({$fixed} | select($fixed != ""))]}]}]}'
}
mkdir -p "$tmp/osv dump/deep" "$tmp/harmless"
osv HERE-1 "$here" bash "$source+fixed" >"$tmp/osv dump/deep/HERE-1.json"
osv HERE-2 "$here" bash "$source" >"$tmp/harmless/here.json"
osv HERE-3 "$here" bash "" >"$tmp/osv dump/HERE-3.json"
osv ALSA-1 AlmaLinux:9 openssl-libs 1:3.0.7-25.el9_3 | gzip -c >"$tmp/osv dump/ALSA-1.json.gz"
today=$(date -u +%F)
sed "s/date=\"2024[^\"]*/date=\"$today/g" "$root/tests/fixtures/vulnscan/updateinfo.xml" | gzip -c >"$tmp/osv dump/0a1b-updateinfo.xml.gz"
sed "s/amzn2023\.0\.10/amzn2023.0.9/; s/date=\"2024[^\"]*/date=\"$today/g" "$root/tests/fixtures/vulnscan/updateinfo.xml" >"$tmp/harmless/updateinfo.xml"
osv ALSA-2 AlmaLinux:9 openssl-libs 1:3.0.7-24.el9 >"$tmp/harmless/alma.jsonl"
secdb() { # repository package fixed
    jq -n --arg repository "$1" --arg name "$2" --arg fixed "$3" \
        '{distroversion: "v3.20", reponame: $repository, packages: [{pkg: {$name, secfixes: {($fixed): ["CVE-2024-6119"]}}}]}'
}
secdb main openssl 3.3.2-r0 >"$tmp/main.json"
secdb community hello 1-r0 >"$tmp/community.json"
(cd "$tmp" && "$root/.venv/bin/python" -m zipfile -c secdb.zip main.json community.json)
{ secdb main openssl 3.3.1-r0 && cat "$tmp/community.json"; } >"$tmp/harmless/alpine.json"
rm "$tmp/main.json" "$tmp/community.json"

# -- what is found, on which nodes
run --out "$tmp/the scan" --advisories "$tmp/osv dump" --advisories "$tmp/secdb.zip" < <(
    ssm-agentcheck show | jq -c --arg good "${good[*]}" 'select(.instance_id as $id | $good | split(" ") | index($id))'
)
expect 1 "5 of 5 nodes have an SBOM"
here_nodes="$account/us-east-1/i-000000000000000a1 $account/us-east-1/i-000000000000000a2"
cat >"$tmp/expected" <<LINES
ALAS2023-2024-001,openssl-libs,1:3.0.8-1.amzn2023.0.9,1:3.0.8-1.amzn2023.0.10,1,$account/us-east-1/i-000000000000000b2
ALSA-1,openssl-libs,1:3.0.7-24.el9,1:3.0.7-25.el9_3,1,$account/us-east-1/i-000000000000000b1
HERE-1,bash,$installed,$source+fixed,2,$here_nodes
HERE-3,bash,$installed,,2,$here_nodes
CVE-2024-6119,libcrypto3,3.3.1-r0,3.3.2-r0,1,$account/us-east-1/i-000000000000000c1
LINES
"$root/.venv/bin/python" -c 'import csv, sys
for row in csv.DictReader(sys.stdin):
    print(*[row[key] for key in ("advisory", "package", "installed", "fixed", "n_nodes", "nodes")], sep=",")' <"$tmp/out" >"$tmp/got"
diff "$tmp/expected" "$tmp/got" || fail "the table is another"
cmp "$tmp/out" "$tmp/the scan/advisories.csv"
[ "$(jq -s 'map(select(.kind == "match")) | length' "$tmp/the scan/matches.jsonl")" = 7 ] || fail "a node and an advisory have no record of their own"
[ "$(jq -r .file "$tmp/the scan/sboms.jsonl" | sort)" = "$(cd "$tmp/the scan" && ls sbom/*)" ] || fail "sboms.jsonl names other files"
[ ! -s "$tmp/the scan/gaps.jsonl" ] || fail "there are gaps: $(gaps "$tmp/the scan")"
"$root/tests/scripts/validate" sbom "$tmp/the scan/sbom/"*.cdx.json
"$root/tests/scripts/validate" sarif "$tmp/the scan/vulnscan.sarif"
[ "$(jq -r '.runs[0].results[] | "\(.ruleId) \(.level) \(.locations | length) \(.locations[-1].physicalLocation.artifactLocation.uri)"' "$tmp/the scan/vulnscan.sarif")" = \
    "ALAS2023-2024-001 error 1 sbom/${account}_us-east-1_i-000000000000000b2.cdx.json
ALSA-1 error 1 sbom/${account}_us-east-1_i-000000000000000b1.cdx.json
HERE-1 error 2 sbom/${account}_us-east-1_i-000000000000000a2.cdx.json
HERE-3 error 2 sbom/${account}_us-east-1_i-000000000000000a2.cdx.json
CVE-2024-6119 warning 1 sbom/${account}_us-east-1_i-000000000000000c1.cdx.json" ] || fail "$(cat "$tmp/the scan/vulnscan.sarif")"
jq -r '.runs[0].results[].locations[].physicalLocation.artifactLocation.uri' "$tmp/the scan/vulnscan.sarif" | sort -u >"$tmp/uris"
while IFS= read -r uri; do [ -e "$tmp/the scan/$uri" ] || fail "SARIF names $uri, which is not there"; done <"$tmp/uris"
# The inventory of this machine came packed through Run Command, and holds what dpkg knows.
[ "$(jq '[.components[] | select(.type == "library")] | length' "$tmp/the scan/sbom/${account}_us-east-1_i-000000000000000a1.cdx.json")" -eq \
    "$(dpkg -l | grep -c '^ii')" ] || fail "the SBOM of this machine lacks packages"

[ "$(jq -r '.metadata.component.properties[] | select(.name == "ssm:name").value' "$tmp/the scan/sbom/"*b1.cdx.json)" = 'Büro "7"' ] || fail "the name is another"

# -- once more, without sending anything: by other advisories
osv_calls() { "$root/.venv/bin/python" -c 'import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read().decode(), end="")' "$AWS_ENDPOINT_URL/_sandbox/$1"; }
osv_calls "calls?account=$account" | wc -l >"$tmp/n_calls"
run --out "$tmp/the scan" --offline --advisories "$tmp/osv dump" --advisories "$tmp/secdb.zip" --fixed-only
expect 1
! grep -q HERE-3 "$tmp/out" || fail "what has no fix is listed"
# On a terminal the same in columns.
"$root/.venv/bin/python" -c 'import pty, sys; pty.spawn(sys.argv[1:])' "$scan" --out "$tmp/the scan" --offline --advisories "$tmp/osv dump" \
    --advisories "$tmp/secdb.zip" </dev/null 2>&1 | tr -d '\r' >"$tmp/tty"
grep -qxE 'ADVISORY +SEVERITY +CVES +PACKAGE +INSTALLED +FIXED +NODES +SUCH AS' "$tmp/tty" || fail "on a terminal it printed: $(cat "$tmp/tty")"
grep -qE "^HERE-1 +high +- +bash +[^ ]+ +[^ ]+ +2 +$here_nodes\$" "$tmp/tty" || fail "on a terminal it printed: $(cat "$tmp/tty")"
run --out "$tmp/the scan" --offline --advisories "$tmp/harmless"
expect 0
[ "$(wc -l <"$tmp/out")" -eq 1 ] || fail "it found $(cat "$tmp/out")"
"$root/tests/scripts/validate" sarif "$tmp/the scan/vulnscan.sarif"
rm "$tmp/harmless/alpine.json"
run --out "$tmp/the scan" --offline --advisories "$tmp/harmless"
expect 2 "vulns.advisories.none i-000000000000000c1"
run --out "$tmp/the scan" --offline
expect 0
[ "$(cat "$tmp/out")" = "$(ls -d "$tmp/the scan/sbom/"*)" ] || fail "it printed $(cat "$tmp/out")"
echo '{"a": 1}' >"$tmp/harmless/wrong.json"
run --out "$tmp/the scan" --offline --advisories "$tmp/harmless"
expect 2 "1 file in it is not read: $tmp/harmless/wrong.json"
osv_calls "calls?account=$account" | wc -l | cmp - "$tmp/n_calls" || fail "--offline called AWS"

# -- every node without an inventory is named, and the others are judged
run --out "$tmp/gaps" --advisories "$tmp/osv dump" --advisories "$tmp/secdb.zip" < <(jq -r '.nodes[].instance_id' "$tmp/estate.json")
expect 2 "6 of 11 nodes have an SBOM"
cat >"$tmp/expected" <<LINES
i-000000000000000d1 vulns.advisories.none
i-000000000000000e1 vulns.inventory.failed
i-000000000000000e2 $(gaps "$tmp/gaps" | sed -n 's/^i-000000000000000e2 \(agentcheck\..*\)$/\1/p')
i-000000000000000e3 vulns.inventory.damaged
i-000000000000000e4 vulns.inventory.damaged
i-000000000000000e5 vulns.inventory.cut
LINES
gaps "$tmp/gaps" | diff "$tmp/expected" - || fail "the gaps are others"
grep -q 'e1.*neither dpkg nor rpm nor apk' "$tmp/gaps/gaps.jsonl" || fail "it does not say what the collector said"
grep -q '^ALSA-1' "$tmp/out" || fail "the others are not judged"
"$root/tests/scripts/validate" sarif "$tmp/gaps/vulnscan.sarif"
[ "$(jq -c '.runs[0].invocations[0] | [.executionSuccessful, (.toolExecutionNotifications | length)]' "$tmp/gaps/vulnscan.sarif")" = '[false,6]' ] || fail "SARIF does not name the gaps"

# -- what Run Command cuts is whole in S3
"$root/.venv/bin/aws" s3api create-bucket --bucket inventories >/dev/null
run --out "$tmp/s3" < <(echo i-000000000000000e5)
expect 2 "vulns.inventory.cut"
run --out "$tmp/s3" --retry -- --output-s3 s3://inventories/scan --comment "INC 4712"
expect 0
[ "$(jq '.components | length' "$tmp/s3/sbom/${account}_us-east-1_i-000000000000000e5.cdx.json")" -eq 1201 ] || fail "packages are missing"

[ "$(jq -r 'select(.kind == "command").comment' "$tmp/s3/invocations.jsonl" | grep -c 'INC 4712$')" = 1 ] || fail "the comment is another"

# -- a scan for patches
run --out "$tmp/patches" --patch-scan < <(printf '%s\n' "${good[@]:0:2}")
expect 1 "patches: 1 of 2 nodes lack some"
[ "$(jq -c '[.instance_id, .missing_count, .is_patched]' "$tmp/patches/patch_states.jsonl" | paste -sd ' ')" = \
    '["i-000000000000000a1",1,false] ["i-000000000000000a2",0,true]' ] || fail "$(cat "$tmp/patches/patch_states.jsonl")"

run --out "$tmp/patches" --offline --advisories "$tmp/osv dump"
expect 1 "patches: nodes of which advisories say otherwise: 1,"
grep -q '"kind":"patch_difference".*a2"' "$tmp/patches/matches.jsonl" || fail "it does not say on which"
"$root/tests/scripts/validate" sarif "$tmp/patches/vulnscan.sarif"
[ "$(jq -c '.runs[0].invocations[0] | [.executionSuccessful, (.toolExecutionNotifications | map(.level))]' "$tmp/patches/vulnscan.sarif")" = '[true,["note"]]' ] ||
    fail "SARIF takes a difference for something else"
jq -c 'if .kind == "patch_state" then .missing_count = null | .reason = {id: "run.patch_state.unreadable", message: "m", fix: "f"} else . end' \
    "$tmp/patches/patches.jsonl" | sed '/"patch_state".*a2"/d' >"$tmp/unread"
mv "$tmp/unread" "$tmp/patches/patches.jsonl"
run --out "$tmp/patches" --offline
expect 2 "0 of 0 nodes lack some"
[ "$(gaps "$tmp/patches" | paste -sd ' ')" = "i-000000000000000a1 run.patch_state.unreadable i-000000000000000a2 vulns.patch_scan.failed" ] ||
    fail "$(gaps "$tmp/patches")"

# -- a scan for patches that left nothing, or only that it was sent, keeps no inventory from being judged, then or later
for left in '' '{"kind":"command"}' '{"kind":"comm'; do
    printf '%s' "$left" >"$tmp/patches/patches.jsonl"
    case $left in *'}') echo >>"$tmp/patches/patches.jsonl" ;; esac
    rm -f "$tmp/patches/matches.jsonl"
    run --out "$tmp/patches" --offline --advisories "$tmp/osv dump"
    expect 2 "the scan for patches left no result"
    [ "$(gaps "$tmp/patches")" = "- vulns.patch_scan.failed" ] || fail "$left: $(gaps "$tmp/patches")"
    grep -q '"kind":"match"' "$tmp/patches/matches.jsonl" || fail "$left: the inventories are not judged"
done
run --out "$tmp/patches" --resume --patch-scan </dev/null
expect 1 "patches: 1 of 2 nodes lack some"

# -- killed in between, and taken up: no node is asked twice, none is lost
forget() { "$root/.venv/bin/python" -c 'import sys, urllib.request as u; u.urlopen(u.Request(sys.argv[1], method="DELETE"))' "$AWS_ENDPOINT_URL/_sandbox/$1"; }
jq -n -c --arg account "$account" '{nodes: [range(1; 4) | {account: $account, region: "us-east-1", instance_id: "i-000000000000000f\(.)", platform: {type: "Linux", name: "L", version: "1"},
    agent: {version: "3.3.3050.0", run_output: [{match: "ssm-inventory", seconds: (. * 2 - 1.7), stdout: "ssm-inventory 1 plain\nos\tdebian\t12\t\t\tp\narch\tx\nkernel\t1\t\ndeb\ta\t1\t\t\t\nend\t4\t-\n"}]}}]}' |
    "$root/.venv/bin/python" -c 'import sys, urllib.request as u; u.urlopen(u.Request(sys.argv[1], data=sys.stdin.buffer.read(), method="POST"))' "$AWS_ENDPOINT_URL/_sandbox/estate"
printf 'i-000000000000000f%s\n' 1 2 3 >"$tmp/nodes"
setsid "$scan" --out "$tmp/crash" --nodes "$tmp/nodes" >/dev/null 2>&1 &
killed=$!
for _ in $(seq 200); do ! grep -qs '"kind":"invocation"' "$tmp/crash/invocations.jsonl" || break && sleep 0.05; done
kill -KILL -- "-$killed" && { wait "$killed" 2>/dev/null || true; }
[ "$(grep -c '"kind":"invocation"' "$tmp/crash/invocations.jsonl")" -lt 3 ] || fail "it was killed too late"
printf '{"kind":"invocation","tar' >>"$tmp/crash/invocations.jsonl"
run --out "$tmp/crash" --nodes "$tmp/nodes"
expect 2 "holds a scan"
run --out "$tmp/crash" --resume
expect 0 "3 of 3 nodes have an SBOM"
[ "$(osv_calls "runs?account=$account" | jq -r 'select(.instance_id | startswith("i-000000000000000f")) | .runs // .count // .n' | sort -u)" = 1 ] ||
    fail "runs: $(osv_calls "runs?account=$account" | grep 0000f)"

# -- Ctrl-C, which goes to ssm-run as well: it cancels and reports, and the rest is taken up later
status=0
"$root/.venv/bin/python" - "$scan" "$tmp/stopped" "$tmp/nodes" 2>"$tmp/err" <<'PYTHON' || status=$?
import os, pathlib, signal, subprocess, sys, time
scan, out, nodes = sys.argv[1:]
running = subprocess.Popen([scan, "--out", out, "--nodes", nodes], start_new_session=True, stdout=subprocess.DEVNULL)
records = pathlib.Path(out, "invocations.jsonl")
for _ in range(200):
    if records.exists() and '"kind":"command"' in records.read_text():
        break
    time.sleep(0.05)
os.killpg(running.pid, signal.SIGINT)
sys.exit(running.wait(timeout=60))
PYTHON
expect 130 "go on with --out $tmp/stopped --resume"
[ ! -e "$tmp/stopped/gaps.jsonl" ] || fail "a scan that was stopped was judged"
run --out "$tmp/stopped" --resume
expect 2 "the collector ended with Cancelled"
run --out "$tmp/stopped" --retry
expect 0 "3 of 3 nodes have an SBOM"
run --out "$tmp/stopped" --retry
expect 0 "every node has an inventory"
rm -r "$tmp/stopped"

# -- 9: every error is status 2 with a reason: 1 says that a package needs an update
printf 'mine' >"$tmp/a file"
run --out "$tmp/a file" </dev/null
expect 2 "a file"
if [ "$(id -u)" -eq 0 ]; then run --out /proc/nope </dev/null && expect 2 "/proc/nope"; fi
mkdir "$tmp/failing"
for status_of in 1:ssm-vulns 134:ssm-vulns 134:jq; do
    rm -f "$tmp/failing/"*
    printf '#!/bin/sh\nexit %s\n' "${status_of%:*}" >"$tmp/failing/${status_of#*:}"
    chmod +x "$tmp/failing/${status_of#*:}"
    PATH=$tmp/failing:$PATH run --out "$tmp/the scan" --offline --advisories "$tmp/osv dump"
    expect 2
    [ -s "$tmp/err" ] || fail "${status_of#*:} failed, and nothing says so"
done
# -- 12: by a symbolic link in a directory with a blank. 9: with busybox's programs first
mkdir -p "$tmp/my bin/deep"
ln -s "$scan" "$tmp/my bin/deep/scan it" && ln -s "deep/scan it" "$tmp/my bin/scan"
scan="$tmp/my bin/scan" run --out "$tmp/crash" --offline
expect 0 "3 of 3 nodes have an SBOM"
"$root/tests/ansible/packages.sh" # Installs busybox, if it is missing.
mkdir "$tmp/box"
for applet in $(busybox --list); do ln -s "$(command -v busybox)" "$tmp/box/$applet"; done
PATH=$tmp/box:$PATH run --out "$tmp/the scan" --offline --advisories "$tmp/osv dump" --advisories "$tmp/secdb.zip"
expect 1
diff "$tmp/the scan/advisories.csv" "$tmp/out" || fail "busybox makes something else"
# With tools that take no option behind an operand, as those of macOS.
mkdir "$tmp/strict"
for name in awk basename cat cmp cut dd dirname find grep head id mkdir mktemp mv readlink rm sed sort tail tr uname wc; do
    printf '#!/bin/sh\nPOSIXLY_CORRECT=1 exec %s "$@"\n' "$(command -v "$name")" >"$tmp/strict/$name"
    chmod +x "$tmp/strict/$name"
done
cp "$tmp/crash/invocations.jsonl" "$tmp/invocations"
printf '{"kind":"invocation","tar' >>"$tmp/crash/invocations.jsonl"
strictly() {
    PATH=$tmp/strict:$PATH run "$@"
    ! grep -E 'No such file|invalid option|^vulnscan: line' "$tmp/err" || fail "a tool is called in GNU's way alone"
}
strictly --out "$tmp/the scan" --offline --advisories "$tmp/osv dump" --advisories "$tmp/secdb.zip" && expect 1
strictly --out "$tmp/patches" --offline --advisories "$tmp/osv dump" && expect 1
strictly --out "$tmp/crash" --offline && expect 0
[ "$(jq -s length "$tmp/crash/sboms.jsonl")" -eq 3 ] || fail "half a line is no longer left out"
mv "$tmp/invocations" "$tmp/crash/invocations.jsonl"

# -- 9: a limit on the size of files, a disk that is full, and one that cannot be written
for blocks in 1 4 16; do
    status=0
    (ulimit -f "$blocks" && exec "$scan" --out "$tmp/the scan" --offline --advisories "$tmp/osv dump") >"$tmp/out" 2>"$tmp/err" || status=$?
    expect 2
    [ -s "$tmp/err" ] || fail "a limit of $blocks kB, and nothing says so"
done
if unshare --mount true 2>/dev/null; then
    mkdir "$tmp/mounted"
    n_kib=$(du -k "$tmp/the scan/invocations.jsonl" | cut -f 1)
    # It is full while the SBOMs are written, and before.
    for options in "size=$((n_kib + 60))k" "size=$((n_kib + 16))k" ro; do
        status=0
        # shellcheck disable=SC2016 # For the inner shell.
        unshare --mount sh -ec 'mount -t tmpfs -o mode=700 none "$1"
            cp "$2/invocations.jsonl" "$2/nodes" "$1"
            mount -o "remount,$3" "$1"
            shift 3
            exec "$@"' sh "$tmp/mounted" "$tmp/the scan" "$options" "$scan" --out "$tmp/mounted" --offline --advisories "$tmp/osv dump" \
            >"$tmp/out" 2>"$tmp/err" || status=$?
        expect 2
        grep -qiE 'no space left|read-only file system|cannot create' "$tmp/err" || fail "$options: it said $(cat "$tmp/err")"
    done
fi
run --out "$tmp/the scan" --offline --advisories "$tmp/osv dump" --advisories "$tmp/secdb.zip"
expect 1

# -- 2: jq is for lines of the chain: what it judged once is in ssm-vulns. No program of jq's includes another, which jq 1.8.2 may
# abort on.
! grep -rnE "(^|[;[:space:]'\"])(import|include) +\"" --include='*.jq' --include='*.sh' --include='*.py' --include='*.mk' --include='*.yml' "$root/scripts" ||
    fail "a program of jq takes in another"
[ "$(cd "$root/scripts/vulnscan.d" && echo *)" = "collector.ps1 collector.sh" ] || fail "there is more than the collector: $(ls "$root/scripts/vulnscan.d")"

# -- what ends without a scan
run --out "$tmp/none" </dev/null
expect 2 "there was no node to scan"
run --out "$tmp/refused" --frobnicate </dev/null
expect 2 "unknown argument"
run --advisories "$tmp/nothing there" --out "$tmp/refused" </dev/null
expect 2 "there are no advisories"
run --out "$tmp/refused" --offline </dev/null
expect 2 "there is no scan"
run --help
expect 0
grep -q '^usage: ssm-agentcheck show | vulnscan.sh' "$tmp/out" || fail "there is no help"
mkdir "$tmp/bin"
for status_of in 130:130 3:2; do
    printf '#!/bin/sh\nexit %s\n' "${status_of%:*}" >"$tmp/bin/ssm-run"
    chmod +x "$tmp/bin/ssm-run"
    rm -rf "$tmp/stopped"
    PATH=$tmp/bin:$PATH run --out "$tmp/stopped" <"$tmp/nodes"
    expect "${status_of#*:}" "--resume"
done
[ -z "$(find "$tmp" -name '.work.*')" ] || fail "it left something behind"
echo "ok vulnscan.sh"
