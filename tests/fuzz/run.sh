#!/usr/bin/env bash
# Runs every fuzz target for some seconds, beginning with the fixtures, and fails when one crashes, hangs or asserts.
#
# usage: tests/fuzz/run.sh [SECONDS]     [default: 15, for each target]
#
# The crashing input is left in target/fuzz/TARGET.crash; `target/fuzz/*/release/TARGET FILE` runs it again.
set -euo pipefail

seconds=${1:-15}
root=$(cd -- "$(dirname -- "$0")/../.." && pwd)
cd -- "$root"
# Coverage is what libFuzzer is guided by. The stable compiler instruments for it; sanitizers would need another one, and
# there is no unsafe code to sanitize.
coverage='-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 -Cdebug-assertions'
# Build scripts and procedural macros are not instrumented when the target is named.
host=$(rustc -vV | sed -n 's/^host: //p')
RUSTFLAGS=$(echo "$coverage" | tr -s '\n ' ' ') cargo build --quiet --release -p fuzz --target-dir target/fuzz --target "$host"

tmp=$(mktemp -d)
trap 'rm -rf -- "$tmp"' EXIT
mkdir -- "$tmp/parser" "$tmp/evaluator" "$tmp/patterns" "$tmp/records"
n=0
for file in tests/fixtures/iam-policy/lint/*/policy.txt; do
    n=$((n + 1))
    cp -- "$file" "$tmp/parser/$n"
done
for file in tests/fixtures/iam-policy/evaluate/*.json; do
    n=$((n + 1))
    # The policy, the action, the resource and the context of the first request, divided by zero bytes.
    jq -j '(.policies.identity // .policies.service_control[0] // [])[0] as $policy | .requests[0]
        | [($policy | tojson), .action, .resource, ((.context // {}) | to_entries[] | .key, (.value[0] // ""))]
        | join("\u0000")' "$file" >"$tmp/evaluator/$n"
done
for file in tests/fixtures/event_pattern/*.json; do
    n=$((n + 1))
    jq -j '.pattern, "\u0000", (.fit // [])[0] // "{}"' "$file" >"$tmp/patterns/$n"
done
for file in tests/fixtures/cloudtrail/*/*.json; do
    n=$((n + 1))
    cp -- "$file" "$tmp/records/$n"
done
for target in parser evaluator patterns records; do
    printf '%s: ' "$target"
    if ! "target/fuzz/$host/release/$target" -max_total_time="$seconds" -rss_limit_mb=1024 -timeout=5 \
        -artifact_prefix="$tmp/" "$tmp/$target" >"$tmp/log" 2>&1; then
        for crash in "$tmp"/crash-* "$tmp"/timeout-* "$tmp"/oom-*; do
            [ ! -e "$crash" ] || cp -- "$crash" "target/fuzz/$target.crash"
        done
        tail -30 "$tmp/log" >&2
        exit 1
    fi
    grep '^Done' "$tmp/log"
done
