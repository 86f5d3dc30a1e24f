#!/usr/bin/env bash
# Every benchmark runs, at its smallest size and with the tools in PATH, and none prints figures of a run that failed.
set -euo pipefail

root=$(cd -- "$(dirname -- "$0")/../.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf -- "$tmp"' EXIT
fail() {
    echo "$1" >&2
    exit 1
}
bench() {
    local name=$1
    shift
    "$root/.venv/bin/python" "$root/scripts/bench/$name.py" "$@" >"$tmp/stdout" 2>"$tmp/stderr"
}
# Runs a benchmark and looks for a row of its table.
shows() {
    local row=$1
    shift
    bench "$@" || fail "bench $*: $(cat "$tmp/stderr")"
    grep -q -- "^$row" "$tmp/stdout" || fail "bench $* has no row '$row': $(cat "$tmp/stdout")"
}

BENCH_BIN=$(dirname -- "$(command -v ssm-prefs)")
export BENCH_BIN
shows 'aws ssm get-document ' prefs 1
shows 'AWS CLI and jq ' agentcheck 10 1
shows 'ssm-role check ' nodes 20
shows 'boto3 ' run 1 1
shows '| .ssm-role check. | 1 | 2 | 2 |' fleet 1 1
shows 'python json ' scp 100 1 1 1
shows 'ssm-scp impact ' scp 100 1 2 3
shows 'python http.client ' events --mib 1 --events 10 --sessions 1000 --invocations 1 --runs 1
# The machine's own packages are what the nodes have.
if command -v dpkg-query >/dev/null; then LARGE=100 shows '100 advisories in a zip of one file each' vulnscan 1; fi

mkdir "$tmp/bin"
printf '#!/bin/sh\necho "ssm-prefs: no" >&2\nexit 2\n' >"$tmp/bin/ssm-prefs"
chmod +x "$tmp/bin/ssm-prefs"
export BENCH_BIN=$tmp/bin
status=0
bench prefs 1 || status=$?
[ "$status" -eq 2 ] || fail "a tool that fails gives figures"
grep -qx 'bench: ssm-prefs show ended with status 2: ssm-prefs: no' "$tmp/stderr" || fail "said: $(cat "$tmp/stderr")"
# Nothing is measured in place of a tool that was not built.
printf '#!/bin/sh\nexit 0\n' >"$tmp/ssm-scp"
chmod +x "$tmp/ssm-scp"
status=0
PATH="$tmp:$PATH" bench scp 100 1 || status=$?
[ "$status" -eq 2 ] || fail "a tool in PATH is measured"
grep -qx 'bench: ssm-scp is missing: run make bench' "$tmp/stderr" || fail "said: $(cat "$tmp/stderr")"
