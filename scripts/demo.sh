#!/usr/bin/env bash
# Shows the whole rollout over two accounts and two regions on a local AWS: findings before, the rollout, findings after, a second
# run that changes nothing, and the way back. Ends with 0 only if all of that holds. It reaches nothing beyond 127.0.0.1, reads no
# AWS profile of yours, and leaves nothing running.
#
# usage: demo.sh        (after `cargo build`; `make demo` does both)
set -euo pipefail

root=$(cd -- "$(dirname -- "$0")/.." && pwd)
python=$root/.venv/bin/python
accounts=(222222222222 333333333333)
regions=us-east-1,eu-central-1
role='arn:{partition}:iam::{account}:role/OrganizationAccountAccessRole'
started=$SECONDS
# shellcheck source=scripts/results.sh
. "$root/scripts/results.sh"
case ${1:-} in '') ;; *) usage ;; esac

tmp=$(mktemp -d)
sandbox='' n_wrong=0
clean() {
    # The sandbox ends when its stdin is closed.
    exec 3>&- || true
    [ -z "$sandbox" ] || wait "$sandbox" || true
    rm -rf -- "$tmp"
}
trap clean EXIT
trap 'exit 130' INT TERM

title() { printf '\n%s\n' "$*"; }
# Says whether something holds, and keeps count of what does not.
holds() {
    if "${@:2}" >"$tmp/why" 2>&1; then
        printf '   yes  %s\n' "$1"
    else
        printf '   NO   %s\n' "$1" && head -20 "$tmp/why" && n_wrong=$((n_wrong + 1))
    fi
}
control() { # method path, with a body for each line of stdin if there is a third argument
    "$python" -c 'import sys, urllib.request as u
for body in sys.stdin.buffer if len(sys.argv) > 3 else [None]:
    print(u.urlopen(u.Request(sys.argv[2], body, method=sys.argv[1])).read().decode(), end="")' "$1" "$AWS_ENDPOINT_URL/_sandbox/$2" ${3:+body}
}

for tool in ssm-agentcheck ssm-role ssm-prefs ssm-scp ssm-events; do
    [ -x "$root/target/debug/$tool" ] || die "target/debug/$tool is missing: run cargo build first"
done
[ -x "$python" ] || die "$python is missing: run make venv first"
command -v jq >/dev/null || die "jq is not in PATH"

# Nothing of the caller's AWS settings may reach the tools, and nothing of the demo a real account.
for name in $(compgen -e | grep '^AWS_' || true); do unset "$name"; done
printf '[management]\naws_access_key_id = AKIA111111111111\naws_secret_access_key = demo\n' >"$tmp/credentials"
: >"$tmp/config"
printf '%s\n' "${accounts[@]}" >"$tmp/accounts"
over=(--region "$regions" --accounts "$tmp/accounts" --assume-role "$role")
export PATH="$root/target/debug:$PATH" AWS_SHARED_CREDENTIALS_FILE="$tmp/credentials" AWS_CONFIG_FILE="$tmp/config"
export AWS_ACCESS_KEY_ID=AKIA111111111111 AWS_SECRET_ACCESS_KEY=demo AWS_EC2_METADATA_DISABLED=true
export SLACK_WEBHOOK_URL=https://hooks.slack.com/services/T00000000/B00000000/demo

mkfifo "$tmp/stdin"
# AWS takes its time here, too: what was written does not show at once, and new roles, keys and queues are not everywhere. The
# local AWS and the tools, which are debug builds, live twenty times as fast as AWS.
export SSM_TIME_DIVISOR=20
"$python" "$root/tests/sandbox/sandbox.py" --unkind 1 --estate "$root/tests/sandbox/estates/demo.json" --exit-with-stdin \
    <"$tmp/stdin" >"$tmp/url" 2>"$tmp/sandbox.log" &
sandbox=$!
exec 3>"$tmp/stdin"
for _ in $(seq 300); do [ ! -s "$tmp/url" ] || break && sleep 0.1; done
[ -s "$tmp/url" ] || die "the local AWS did not start: $(tail -1 "$tmp/sandbox.log")"
AWS_ENDPOINT_URL=$(cat "$tmp/url")
export AWS_ENDPOINT_URL

# What AWS holds, as far as the tools manage it; the SCPs and the audit trail have no `show` and speak by their plans.
state() {
    mkdir -p "$1"
    local tool
    for tool in ssm-agentcheck ssm-role ssm-prefs; do
        # Versions of a document only ever grow, also on the way back: what is in force is what the default version says.
        # Nor do versions of agents go back.
        "$tool" show -o json "${over[@]}" | jq 'del(.agent.version?, .agent.latest?)
            | if .kind == "preferences" then del(.versions_differ, .document.value.latest) else . end
            | walk(if type == "object" and has("content") then del(.version) else . end)' >"$1/$tool"
    done
    ssm-scp plan -q -o json --profile management --region us-east-1 -f "$root/scripts/rollout.d/scp.json" >"$1/ssm-scp"
    ssm-events plan -q -o json "${over[@]}" -f "$root/scripts/rollout.d/events.json" >"$1/ssm-events"
}
findings() {
    jq -rs '[.[] | select(.kind == "finding")] | group_by(.id | split(".")[0])[] | [(.[0].id | split(".")[0]),
        (map(select(.severity == "error")) | length), (map(select(.severity == "warning")) | length),
        (map(select(.severity == "info")) | length)] | @tsv' "$1" |
        while read -r tool n_errors n_warnings n_infos; do
            printf '   %-12s %3d errors %3d warnings %3d infos\n' "$tool" "$n_errors" "$n_warnings" "$n_infos"
        done
}
rollout() {
    local status=0
    "$root/scripts/rollout.sh" --yes --run-dir "$tmp/the run" "${over[@]}" --guardrail-profile management \
        --guardrail-role 'arn:aws:iam::{account}:role/OrganizationAccountAccessRole' 2>"$tmp/rollout.log" || status=$?
    # 1: errors remain, as not every agent can be helped from here. The demo looks at which below.
    [ "$status" -le 1 ] || { tail -20 "$tmp/rollout.log" && die "rollout.sh ended with status $status"; }
}
# Starts a session on every node that is online, says who is there, and ends it: what becomes of each, a line each.
sessions() {
    ssm-agentcheck show -o json "${over[@]}" | jq -c 'select(.agent.ping == "Online")
        | {account: .target.account, region: .target.region, target: .instance_id, input: "whoami"}' | control POST sessions bodies |
        jq -c '. + {kept: [.s3.written, .logs.written]}' >"$1"
}
# How many of them leave a transcript in the bucket, in the log group, or do not even start.
transcripts() {
    jq -rs '"\(length) sessions: \(map(select(.kept == [true, true])) | length) with a transcript in bucket and log group, " +
        "\(map(select(.status != "Terminated")) | length) refused"' "$1"
}
every_session_leaves_its_transcript() {
    jq -r 'select(.status != "Refused" and .kept != [true, true]) | "\(.target): \(.status), \(.reason // .s3.error // .logs.error)"' "$1" >"$tmp/untold"
    cat "$tmp/untold" && [ -s "$1" ] && [ ! -s "$tmp/untold" ]
}
# A node that no session reaches starts none; verify has said so.
who_is_not_reached_was_found() {
    jq -r 'select(.status == "Refused") | .target' "$tmp/sessions.after" >"$tmp/refused"
    jq -r 'select(.id | startswith("agentcheck.connection.")) | .resource' "$tmp/the run/attempt-001/08-verify.findings.jsonl" |
        sort | diff "$tmp/refused" -
}
of_each_kind() { jq -s -e 'map(.credentials // empty) | unique == ["dhmc", "hybrid", "instance-profile"]' "$1"; }
no_transcript() { jq -s -e 'length > 0 and all(.[]; .kept | any | not)' "$1"; }
writes() { control GET calls | jq -r 'select(.read_only == false) | "\(.account) \(.service):\(.operation)"'; }
no_writes() { writes | grep -v ' ssm:SendCommand$' >"$tmp/writes" || true && cat "$tmp/writes" && [ ! -s "$tmp/writes" ]; }
no_problems() {
    control GET calls | jq -r 'select(.problems != []) | "\(.service):\(.operation) \(.problems)"' | sort -u >"$tmp/problems"
    cat "$tmp/problems" && [ ! -s "$tmp/problems" ]
}
all_plans_empty() { jq -s -e 'map(.changes[] | select(.action != "update_agent")) == []' "$tmp/the run/attempt-002"/[0-9][0-9]-*.plan.json; }
# Once more are only those tried that failed, or that the failures of their wave kept from being tried.
only_failed_updates_are_tried_again() {
    jq -n -e --slurpfile first "$tmp/the run/attempt-001/05-agents.result.json" --slurpfile again "$tmp/the run/attempt-002/05-agents.plan.json" '
        [$again[].changes[].resource] - [$first[].results[] | select(.status != "done") | .resource] == []'
}
agents_were_updated() { jq -s -e '[.[].results[] | select(.status == "done")] | length > 5' "$tmp/the run/attempt-001/05-agents.result.json"; }
only_what_is_left_to_you_has_errors() {
    jq -r 'select(.severity == "error") | .id' "$tmp/the run/attempt-001/08-verify.findings.jsonl" | sort | uniq -c |
        grep -v -e ' agentcheck\.' -e ' prefs\.trail\.missing$' -e ' events\.trail\.none$' && return 1 || return 0
}
same() { [ -s "$tmp/before/$1" ] && diff "$tmp/before/$1" "$tmp/after/$1"; }
# What the way back leaves, as the tool says itself.
kept() { jq -rs '[.[].results[] | select(.status == "done") | .action | select(test("^create_(key|bucket|log_group)$"))] | group_by(.)
    | map("\(length) \(.[0] | sub("create_"; "") | sub("_"; " "))") | join(", ")' "$tmp/the run/attempt-001/03-preferences.result.json"; }

title "1. An estate: $(ssm-agentcheck show -o json "${over[@]}" | wc -l | tr -d ' ') nodes in accounts ${accounts[*]}, $regions"
state "$tmp/before"
sessions "$tmp/sessions.before"
printf '   %s\n' "$(transcripts "$tmp/sessions.before")"
control DELETE calls >/dev/null

title "2. Rollout (scripts/rollout.sh --yes)"
rollout
grep -E '^==|applied:|skipped|nothing to change|^  [0-9]+ nodes' "$tmp/rollout.log" | paste -sd' ' - | sed 's/ *== */\n   /g' | sed '/^ *$/d'
printf '   %s writes reached the local AWS\n' "$(writes | wc -l | tr -d ' ')"

title "3. Findings before and after"
findings "$tmp/the run/attempt-001/02-inventory.findings.jsonl"
printf '   -- after --\n'
findings "$tmp/the run/attempt-001/08-verify.findings.jsonl"
holds "what still is an error is about agents and the missing trail, which the rollout reports and leaves to you" \
    only_what_is_left_to_you_has_errors
holds "agents were brought up to date in waves" agents_were_updated
holds "every request fits AWS's own models" no_problems
sessions "$tmp/sessions.after"
printf '   %s\n' "$(transcripts "$tmp/sessions.after")"
holds "by instance profile, Default Host Management and hybrid activation" of_each_kind "$tmp/sessions.after"
holds "a node that takes no session is one that verify found" who_is_not_reached_was_found
holds "every session that starts leaves its transcript in bucket and log group" every_session_leaves_its_transcript "$tmp/sessions.after"

title "4. The same again"
control DELETE calls >/dev/null
rollout
holds "every plan is empty, but for agents" all_plans_empty
holds "only updates that failed are tried again" only_failed_updates_are_tried_again
holds "nothing else was written" no_writes

title "5. The way back (scripts/rollback.sh --yes)"
"$root/scripts/rollback.sh" "$tmp/the run" --yes --assume-role "$role" --guardrail-profile management 2>"$tmp/rollback.log" ||
    { tail -20 "$tmp/rollback.log" && die "rollback.sh ended with an error"; }
grep -E '^==|undone|nothing' "$tmp/rollback.log" | paste -sd' ' - | sed 's/ *== */\n   /g' | sed '/^ *$/d'
state "$tmp/after"
for tool in ssm-agentcheck ssm-role ssm-prefs ssm-scp ssm-events; do holds "$tool finds what was there before" same "$tool"; done
sessions "$tmp/sessions.back"
holds "no session leaves a transcript, as before" no_transcript "$tmp/sessions.back"
printf '   kept, as they may hold records: %s\n' "$(kept)"

title "$([ "$n_wrong" -eq 0 ] && echo 'All of it holds' || echo "$n_wrong of it does not hold"), after $((SECONDS - started)) s."
[ "$n_wrong" -eq 0 ]
