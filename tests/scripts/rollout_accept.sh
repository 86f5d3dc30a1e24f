#!/usr/bin/env bash
# scripts/rollout.sh --accept unread:ACCOUNT, with ssm-scp itself and a local AWS: a guardrail that nobody could judge is refused
# before anything is written, and goes on when each account that it binds is accepted, by the IDs that ssm-scp prints.
# shellcheck source=tests/scripts/scene
. "$(dirname -- "$0")/scene"

n_attached() { control GET 'calls?account=111111111111' | jq -s 'map(select(.operation == "AttachPolicy")) | length'; }

accepts_accounts_that_could_not_be_read_by_the_ids_of_ssm_scp() {
    top="$PWD/aws" # Which local_aws removes at the end of this subshell.
    mkdir aws && rm bin/*
    command -v ssm-scp >/dev/null || fail "ssm-scp is not in PATH; make build, and add target/debug"
    export SSM_TIME_DIVISOR=30
    # shellcheck disable=SC2034 # Of local_aws.
    estate=(--estate "$root/tests/sandbox/estates/demo.json")
    # shellcheck source=tests/scripts/local_aws
    . "$root/tests/scripts/local_aws"
    export AWS_ACCESS_KEY_ID=AKIA111111111111
    jq '.targets = ["r-sand"]' "$root/scripts/rollout.d/scp.json" >desired/scp.json
    rm desired/{agent,role,prefs,events}.json
    # In place of a role that reads IAM; the others of the risks are named by what is refused.
    guardrail=(rollout.sh --yes --desired desired --only guardrail --run-dir "run dir")
    run "${guardrail[@]}"
    expect_status 2
    expect_said "guardrail: pass --guardrail-role"
    expect_said "--accept unread:ACCOUNT"
    [ -z "$(find "run dir" -name '*guardrail.result.json')" ] || fail "it was applied"
    [ "$(n_attached)" -eq 0 ] || fail "it was attached"
    run "${guardrail[@]}" --accept unread:222222222222
    expect_status 2
    expect_said "unread:333333333333"
    [ "$(n_attached)" -eq 0 ] || fail "it was attached"
    mapfile -t risks < <(jq -r 'select(.id == "scp.lockout.risk") | .resource' "run dir"/attempt-*/*guardrail.result.json | sort -u)
    [[ " ${risks[*]} " == *" unread:333333333333 unread:444444444444 "* ]] || fail "the risks are ${risks[*]}"
    for risk in unread:222222222222 "${risks[@]}"; do guardrail+=(--accept "$risk"); done
    run "${guardrail[@]}"
    expect_status 0
    [ "$(n_attached)" -eq 1 ] || fail "it is attached $(n_attached) times"
}

for name in $(declare -F | sed -n 's/^declare -f //p'); do
    case $name in accepts_*) a_case "$name" ;; esac
done
finish
