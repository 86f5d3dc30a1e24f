#!/usr/bin/env bash
# scripts/rollout.sh: what it writes, when it stops, and what it keeps.
# shellcheck disable=SC2031,SC2016 # Each case runs in a subshell with a FAKE of its own; fakes are written by printf.
# shellcheck source=tests/scripts/scene
. "$(dirname -- "$0")/scene"

guardrail=(--guardrail-profile management --guardrail-role 'arn:aws:iam::{account}:role/Reader')
everything=(--desired desired "${guardrail[@]}" --run-dir "run dir")

applies_all_phases_in_order() {
    run rollout.sh --yes "${everything[@]}"
    expect_status 0
    expect_log "ssm-prefs us-east-1 after
ssm-role us-east-1 after
ssm-scp us-east-1 after
ssm-events us-east-1 after"
    expect_said "ssm-prefs: text of the plan for us-east-1"
    for file in 03-preferences.desired.json 03-preferences.plan.json 03-preferences.result.json 08-verify.organization.jsonl 08-verify.findings.jsonl; do
        [ -e "run dir/attempt-001/$file" ] || fail "no $file"
    done
}

refuses_to_write_without_yes_when_nobody_can_be_asked() {
    run rollout.sh "${everything[@]}"
    expect_status 2
    expect_said "pass --yes"
    expect_log ""
}

applies_what_somebody_says_yes_to() {
    run_and_answer y rollout.sh "${everything[@]}" --only preferences
    expect_status 0
    expect_said "Apply this change? [y/N]"
    expect_log "ssm-prefs us-east-1 after"
}

applies_nothing_that_somebody_does_not_say_yes_to() {
    for answer in n "" Y-maybe; do
        run_and_answer "$answer" rollout.sh "${everything[@]}" --only preferences
        expect_status 2
        expect_log ""
    done
}

needs_no_yes_when_nothing_changes() {
    run rollout.sh --yes "${everything[@]}"
    run rollout.sh "${everything[@]}"
    expect_status 0
    expect_said "nothing to change"
    [ -d "run dir/attempt-002" ] || fail "no second attempt"
}

stops_at_the_first_error() {
    echo 1 >"$FAKE/ssm-role.fail"
    run rollout.sh --yes "${everything[@]}"
    expect_status 2
    expect_said "failed set word: word: ?[2J it is something else"
    expect_log "ssm-prefs us-east-1 after
ssm-role us-east-1 after"
}

stops_when_a_plan_cannot_be_made_before_anything_is_written() {
    echo '{' | tee desired/prefs.json >desired/events.json
    run rollout.sh --yes "${everything[@]}"
    expect_status 2
    expect_said "preferences: no plan can be made"
    expect_said "audit-trail: no plan can be made"
    expect_log ""
}

takes_no_plan_for_an_error_not_for_an_empty_one() {
    rm bin/ssm-prefs
    printf '#!/bin/sh\n' >bin/ssm-prefs
    chmod +x bin/ssm-prefs
    run rollout.sh --yes "${everything[@]}"
    expect_status 2
    expect_said "ssm-prefs printed no plan"
}

goes_on_after_an_interruption_and_keeps_the_first_result() {
    echo 1 >"$FAKE/ssm-role.interrupt"
    run rollout.sh --yes "${everything[@]}"
    expect_status 130
    cp -r "run dir/attempt-001" first
    run rollout.sh --yes "${everything[@]}"
    expect_status 0
    expect_words after
    diff -r first "run dir/attempt-001" || fail "the first attempt was touched"
}

stops_on_a_real_ctrl_c_after_the_tool_in_flight() {
    # An apply that takes Ctrl-C as the tools do: it ends its call, prints its result and exits with 130.
    rm bin/ssm-role
    printf '%s\n' '#!/usr/bin/env bash' 'case " $* " in *" apply "*) ;; *) exec -a ssm-role bash "$0.real" "$@" ;; esac' \
        'trap "" INT; kill -INT -- "-$(ps -o pgid= $$ | tr -d " ")"; sleep 0.2; "$0.real" "$@"; exit 130' >bin/ssm-role
    sed 's/^tool=.*/tool=ssm-role/' "$root/tests/scripts/fake_tool" >bin/ssm-role.real
    chmod +x bin/ssm-role bin/ssm-role.real
    status=0
    setsid --wait "$root/scripts/rollout.sh" --yes "${everything[@]}" </dev/null >said 2>&1 || status=$?
    expect_status 130
    expect_said "rollout: interrupted"
    expect_log "ssm-prefs us-east-1 after
ssm-role us-east-1 after"
    [ -s "run dir/attempt-001/04-roles.result.json" ] || fail "the result is lost"
}

runs_phases_in_the_order_of_only() {
    run rollout.sh --yes "${everything[@]}" --only roles,preferences
    expect_status 0
    expect_log "ssm-role us-east-1 after
ssm-prefs us-east-1 after"
}

skips_the_guardrail_without_credentials_for_it() {
    run rollout.sh --yes --desired desired --run-dir r
    expect_status 0
    expect_said "skipped: it needs --guardrail-profile"
    if grep -q ssm-scp "$FAKE/log"; then fail "it was applied"; fi
}

uses_each_profile_for_its_own_tools_only() {
    run rollout.sh --yes "${everything[@]}" --profile shop
    expect_status 0
    [ "$(sort -u "$FAKE/profiles")" = "ssm-agentcheck profile shop
ssm-events profile shop
ssm-prefs profile shop
ssm-role profile shop
ssm-scp profile management" ] || fail "$(sort -u "$FAKE/profiles")"
}

skips_a_phase_without_a_desired_file() {
    rm desired/events.json
    run rollout.sh --yes "${everything[@]}"
    expect_status 0
    expect_said "skipped: there is no"
}

refuses_a_directory_without_any_desired_state() {
    mkdir empty misnamed && echo '{}' >misnamed/agents.json
    mkdir misnamed/prefs # Of no layers.
    for desired in empty misnamed; do
        run rollout.sh --yes --desired "$desired" --run-dir r
        expect_status 2
        expect_said "rollout: no desired state in $desired: expected one or more of prefs"
        expect_said "agent.json"
        if grep 'findings:' said; then fail "it counts what nobody looked for"; fi
        [ ! -e r ] || fail "it made a run directory"
    done
    expect_log ""
    run_make check DESIRED=empty
    expect_status 2
    expect_said "no desired state in empty"
}

names_the_files_that_no_phase_reads_where_one_is_missing() {
    echo '{}' >desired/routes.json
    run rollout.sh --yes "${everything[@]}"
    if grep 'no phase reads' said; then fail "nothing is missing"; fi
    mv desired/agent.json desired/agents.json
    mkdir desired/scps
    run rollout.sh --yes "${everything[@]}"
    expect_status 0
    expect_said "skipped: there is no desired/agent.json"
    expect_said "rollout: note: no phase reads desired/agents.json"
    expect_said "rollout: note: no phase reads desired/scps"
    if grep 'reads desired/role' said; then fail "it is read"; fi
}

works_in_all_regions_asked_for() {
    echo after >"$FAKE/ssm-agentcheck.eu-central-1"
    run rollout.sh --yes "${everything[@]}" --only preferences --region us-east-1 --region eu-central-1
    expect_status 0
    expect_log "ssm-prefs us-east-1 after
ssm-prefs eu-central-1 after"
}

ends_with_1_when_errors_remain() {
    rm "$FAKE/ssm-agentcheck.us-east-1"
    echo 1 >"$FAKE/ssm-agentcheck.fail"
    run rollout.sh --yes "${everything[@]}"
    expect_status 1
    expect_said "error agentcheck.word.before"
}

goes_on_when_agents_could_not_be_updated() {
    rm "$FAKE/ssm-agentcheck.us-east-1"
    echo 1 >"$FAKE/ssm-agentcheck.fail"
    run rollout.sh --yes "${everything[@]}"
    expect_said "not every agent was updated: 1 failed"
    expect_log "ssm-prefs us-east-1 after
ssm-role us-east-1 after
ssm-agentcheck us-east-1 after
ssm-scp us-east-1 after
ssm-events us-east-1 after"
}

updates_agents_that_are_too_old() {
    rm "$FAKE/ssm-agentcheck.us-east-1"
    run rollout.sh --yes "${everything[@]}"
    expect_status 0
    [ "$(cat "$FAKE/ssm-agentcheck.us-east-1")" = after ] || fail "the agents are as before"
}

hands_the_acceptance_of_excluded_nodes_to_the_plans_that_ask_for_it() {
    run rollout.sh --yes "${everything[@]}" --accept excluded-nodes --only roles,agents,preferences
    expect_status 0
    [ "$(sort -u "$FAKE/guarding")" = 'ssm-agentcheck --accept excluded-nodes
ssm-role --accept excluded-nodes' ] || fail "$(cat "$FAKE/guarding")"
}

refuses_a_guardrail_that_nobody_could_judge_before_anything_is_written() {
    for only in preflight preferences,guardrail; do
        run rollout.sh --yes --desired desired --guardrail-profile management --run-dir "run dir" --only "$only"
        expect_status 2
        expect_said "guardrail: pass --guardrail-role 'arn:aws:iam::{account}:role/NAME'"
        expect_log ""
    done
    run_make preflight GUARDRAIL_ROLE=
    expect_status 2
    expect_said "(GUARDRAIL_ROLE)"
    run_make plan GUARDRAIL_ROLE= # Who only looks needs none.
    expect_status 0
    # Who accepts that nobody looks may go on, and so may who has nothing to change.
    run rollout.sh --yes --desired desired --guardrail-profile management --run-dir "run dir" --accept unread:222222222222
    expect_status 0
    expect_words after
    run rollout.sh --yes --desired desired --guardrail-profile management --run-dir "run dir"
    expect_status 0
}

goes_without_alerts_where_there_is_no_slack() {
    unset SLACK_URL
    printf '%s\n' '{' ' // Comments are fine.' ' "webhook" : {' '  "env": "SLACK_URL" }, "trail": {} }' >desired/events.json
    run rollout.sh --yes "${everything[@]}"
    expect_status 0
    expect_said "audit-trail: skipped: SLACK_URL is not set, so there is no Slack to send alerts to; the trail of the same file is left out, too"
    expect_log "ssm-prefs us-east-1 after
ssm-role us-east-1 after
ssm-scp us-east-1 after"
    echo '{"webhook":{"env":"SLACK_URL"}}' >desired/events.json
    SLACK_URL='' run rollout.sh --yes "${everything[@]}"
    expect_said "there is no Slack to send alerts to"
    if grep -q "the trail" said; then fail "there is no trail"; fi
    SLACK_URL=https://hooks.slack.com/x run rollout.sh --yes "${everything[@]}"
    expect_status 0
    expect_words after
}

# What is in a comment is not there, and what looks like one in a string is.
reads_past_comments_wherever_they_are() {
    unset SLACK_URL OLD_URL
    printf '%s\n' '{ "note": "http://x /* \" //", // "webhook": {"env": "OLD_URL"},' ' /* "webhook": {"env": "OLD_URL"},' \
        '  ** */ "webhook": {"env": /* of ours */ "SLACK_URL"} } // {"webhook": {"env": "OLD_URL"}}' >desired/events.json
    run rollout.sh --yes "${everything[@]}"
    expect_status 0
    expect_said "audit-trail: skipped: SLACK_URL is not set"
    if grep -q OLD_URL said; then fail "it reads comments: $(cat said)"; fi
}

# 12
names_the_desired_files_as_the_user_does() {
    mkdir -p "desired/prefs" && mv desired/prefs.json desired/prefs/base.json
    run rollout.sh --yes "${everything[@]}"
    expect_status 0
    grep -q '^ssm-prefs plan .*-f desired/prefs' "$FAKE/calls" || fail "$(cat "$FAKE/calls")"
    if grep -v ' apply ' "$FAKE/calls" | grep 'run dir/[^ ]*desired'; then fail "it hands out its copies"; fi
    cmp desired/prefs/base.json <(head -n 1 "run dir/attempt-001/03-preferences.desired.json") || fail "no copy is kept"
    echo '{' >desired/role.json
    run rollout.sh --yes "${everything[@]}"
    expect_status 2
    expect_said "ssm-role: desired/role.json is malformed"
}

stops_when_a_desired_file_changes_while_it_runs() {
    rm bin/ssm-prefs
    printf '%s\n' '#!/usr/bin/env bash' 'case " $* " in *" apply "*) echo "{\"word\":\"later\"}" >desired/role.json ;; esac' \
        'exec -a ssm-prefs bash "$0.real" "$@"' >bin/ssm-prefs
    sed 's/^tool=.*/tool=ssm-prefs/' "$root/tests/scripts/fake_tool" >bin/ssm-prefs.real
    chmod +x bin/ssm-prefs
    run rollout.sh --yes "${everything[@]}"
    expect_status 2
    expect_said "roles: desired/role.json has changed while this ran; run again"
    expect_log "ssm-prefs us-east-1 after"
}

# One directory for one profile: what is run again is undone together, by the command that it prints.
keeps_runs_in_one_directory_and_says_how_to_go_back() {
    local back
    run rollout.sh --yes --desired desired "${guardrail[@]}" --profile 'the/shop'
    expect_status 0
    if grep -i make said; then fail "it says how it works"; fi
    echo '{"word":"later"}' >desired/prefs.json
    run rollout.sh --yes --desired desired "${guardrail[@]}" --profile 'the/shop'
    expect_status 0
    [ "$(cd run && echo *)" = the_shop ] && [ -d run/the_shop/attempt-002 ] || fail "$(find run)"
    [ "$(cat "$FAKE/ssm-prefs.us-east-1")" = later ] || fail "nothing new was applied"
    back=$(sed -n 's/^rollout: to go back: //p' said)
    case $back in *" --guardrail-profile management --guardrail-role 'arn:aws:iam::{account}:role/Reader'") ;; *) fail "$back" ;; esac
    (eval "$back --yes" </dev/null >said 2>&1) || fail "it does not go back"
    expect_words before
    AWS_PROFILE=other run rollout.sh --desired desired
    [ -d run/other ] || fail "there is no run/other"
    expect_said "pass --yes"
    if grep "to go back" said; then fail "nothing was applied"; fi
    run rollout.sh --yes --desired desired --only preferences
    expect_said "rollout: to go back: $root/scripts/rollback.sh '$PWD/run/default'"
}

# 12
works_through_a_symbolic_link() {
    mkdir "my bin"
    for name in rollout rollback stackset vulnscan; do
        ln -s "$root/scripts/$name.sh" "my bin/$name"
        "my bin/$name" --help >said 2>&1 || fail "$name"
        expect_said "usage: "
    done
    status=0
    (PATH="$PWD/my bin:$PATH" && rollout --yes "${everything[@]}" </dev/null >said 2>&1) || status=$?
    expect_status 0
    expect_words after
}

shows_the_guardrail_alone_how_to_look_for_people_locked_out() {
    run rollout.sh --yes "${everything[@]}" --guardrail-role 'arn:aws:iam::{account}:role/Reader' --accept unread:222222222222 --accept 'history:a b'
    expect_status 0
    [ "$(cat "$FAKE/guarding")" = 'ssm-scp --assume-role arn:aws:iam::{account}:role/Reader
ssm-scp --accept unread:222222222222
ssm-scp --accept history:a b' ] || fail "$(cat "$FAKE/guarding")"
}

shows_the_risks_that_stopped_the_guardrail() {
    echo 1 >"$FAKE/ssm-scp.risk"
    run rollout.sh --yes "${everything[@]}"
    expect_status 2
    expect_said "error scp.lockout.risk"
    run rollback.sh "run dir" --yes --guardrail-profile management
    expect_status 0
}

leaves_no_result_of_a_tool_that_wrote_nothing() {
    echo 1 >"$FAKE/ssm-prefs.refuse"
    run rollout.sh --yes "${everything[@]}"
    expect_status 2
    [ ! -e "run dir/attempt-001/03-preferences.result.json" ] || fail "there is a result"
}

works_from_a_directory_with_a_space() {
    mkdir "my scripts"
    cp "$root"/scripts/*.sh "$root/scripts/rollout.mk" "my scripts"
    status=0
    "my scripts/rollout.sh" --yes "${everything[@]}" </dev/null >said 2>&1 || status=$?
    expect_status 0
    expect_words after
}

takes_nothing_from_variables_that_make_would() {
    PROFILE=other REGIONS=eu-central-1 YES=1 ONLY=roles MAKEFLAGS=n run rollout.sh "${everything[@]}" --only preferences
    expect_status 2
    expect_said "pass --yes"
    expect_log ""
    [ "$(sort -u "$FAKE/profiles" 2>/dev/null)" = "" ] || fail "$(cat "$FAKE/profiles")"
}

rolls_out_over_accounts_and_back() {
    echo 222222222222 >"my accounts"
    fleet=(--assume-role 'arn:{partition}:iam::{account}:role/R' --external-id env:ID)
    run rollout.sh --yes "${everything[@]}" --accounts "my accounts" "${fleet[@]}"
    expect_status 0
    grep -q "^ssm-role plan .*--accounts .*/run dir/accounts --assume-role .*role/R --external-id env:ID" "$FAKE/calls" || fail "$(cat "$FAKE/calls")"
    rm "$FAKE/calls"
    run rollback.sh "run dir" --yes "${fleet[@]}"
    expect_status 0
    expect_words before
    [ "$(grep -c -- '--assume-role .*role/R --external-id env:ID' "$FAKE/calls")" = 3 ] || fail "$(cat "$FAKE/calls")"
}

ends_with_2_when_something_could_not_be_reached() {
    echo eu-central-1 >"$FAKE/ssm-events.lost"
    echo after >"$FAKE/ssm-agentcheck.eu-central-1"
    run rollout.sh --yes "${everything[@]}" --region us-east-1,eu-central-1
    expect_status 2
    expect_said "unreachable 222222222222/eu-central-1"
    expect_words after
}

keeps_what_it_writes_from_others() {
    umask 000
    run rollout.sh --yes "${everything[@]}"
    run rollback.sh "run dir" --yes --guardrail-profile management
    expect_status 0
    [ -z "$(find "run dir" -perm /077)" ] || fail "others may read $(find "run dir" -perm /077)"
    [ "$(find "run dir" -type f | wc -l)" -gt 20 ] || fail "hardly anything was written"
}

writes_through_no_symbolic_link() {
    local name
    echo mine >victim
    for name in lock accounts preferences.plan.new roles.flags attempt-001/03-preferences.result.json attempt-001; do
        rm -rf "run dir" && mkdir -p "run dir/attempt-001"
        [ "$name" != attempt-001 ] || rmdir "run dir/attempt-001"
        ln -s "$PWD/victim" "run dir/$name"
        run rollout.sh --yes "${everything[@]}"
        expect_status 2
        expect_said "is a symbolic link"
        expect_log ""
        [ "$(cat victim)" = mine ] || fail "$name was followed"
    done
    rm -r "run dir" && mkdir -m 777 "run dir"
    run rollout.sh --yes "${everything[@]}"
    expect_status 2
    expect_said "is open to others"
}

refuses_what_it_does_not_know() {
    run rollout.sh --yes --only roles,nonsense && expect_status 2 && expect_said "unknown phase 'nonsense'"
    run rollout.sh --frobnicate && expect_status 2
    run rollout.sh nonsense && expect_status 2
    run rollout.sh --help && expect_status 0 && expect_said "usage: rollout.sh"
    [ ! -e run ] || fail "it began"
}

names_a_tool_that_is_not_there() {
    rm bin/ssm-role
    PATH="$PWD/bin:/usr/bin:/bin" run rollout.sh --yes "${everything[@]}"
    expect_status 2
    expect_said "rollout: roles: ssm-role is not in PATH"
    expect_log ""
}

# With the real tools and a local AWS: their records go from one to the other.
verify_judges_the_roles_of_nodes_by_the_preferences() {
    local top="$PWD/aws"
    mkdir aws && rm bin/*
    command -v ssm-prefs >/dev/null || fail "ssm-prefs is not in PATH; make build, and add target/debug"
    # shellcheck source=tests/scripts/local_aws
    . "$root/tests/scripts/local_aws"
    an_account 333333333301
    run rollout.sh --yes --run-dir "the run" --only preferences,roles --region us-east-1,eu-central-1
    expect_status 0
    run rollout.sh --yes --run-dir "the run" --only verify --region us-east-1,eu-central-1
    if grep 'prefs\.role\..* \[eu-central-1\].*:role/web:' said; then fail "it is held against preferences of a region where it has no node"; fi
    refused="prefs.role.s3_put [us-east-1] arn:aws:iam::333333333301:role/web"
    if grep -qF "$refused" said; then fail "it is refused what roles granted"; fi
    # Somebody takes away what the roles phase granted: the key of the transcripts among it.
    "$root/.venv/bin/aws" iam delete-role-policy --role-name web --policy-name SessionManagerPreferences-us-east-1
    run rollout.sh --yes --run-dir "the run" --only verify
    expect_status 1
    expect_said "error $refused"
    expect_said "error prefs.role.s3_kms [us-east-1] arn:aws:iam::333333333301:role/web: the role may not use kms:GenerateDataKey"
    jq -e 'select(.kind == "host_management") | any(.roles[]; .role == "web")' "the run/attempt-003/01-verify.roles.jsonl" >/dev/null || fail "no roles are kept"
    run_make check ROLLOUT_DIR="the run" DESIRED="$root/scripts/rollout.d" GUARDRAIL_PROFILE=
    expect_status 2
    expect_said "error $refused"
}

for name in $(declare -F | sed -n 's/^declare -f //p'); do
    case $name in a_case | finish | run | run_* | fail | expect_* | control | an_account) ;; *) a_case "$name" ;; esac
done
finish
