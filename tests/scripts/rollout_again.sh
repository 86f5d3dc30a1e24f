#!/usr/bin/env bash
# scripts/rollout.mk: what is done again, what is left alone, and where the next run goes on.
# shellcheck disable=SC2031,SC2016,SC2119 # Each case runs in a subshell with a FAKE of its own; `$` of makefiles.
# shellcheck source=tests/scripts/scene
. "$(dirname -- "$0")/scene"

all_words="ssm-prefs us-east-1 after
ssm-role us-east-1 after
ssm-scp us-east-1 after
ssm-events us-east-1 after"

redoes_only_the_phase_whose_desired_file_changed() {
    run_make apply YES=1
    echo '{"word":"later"}' >desired/events.json
    run_make apply YES=1
    expect_status 0
    expect_calls plan ssm-events
    expect_log "ssm-events us-east-1 later"
    expect_nothing_to_do
    touch desired/*.json # Says nothing new.
    expect_nothing_to_do
}

redoes_what_depends_on_a_phase_that_changed_something() {
    run_make apply YES=1
    echo '{"word":"later"}' >desired/prefs.json
    run_make apply YES=1
    expect_status 0
    expect_calls plan "ssm-prefs ssm-role"
    expect_log "ssm-prefs us-east-1 later"
    printf '%s\n\n' '{"word":"later"}' >desired/prefs.json # Other bytes, but nothing to change.
    run_make apply YES=1
    expect_status 0
    expect_calls plan ssm-prefs
    expect_log ""
}

redoes_what_depends_on_a_phase_that_was_undone() {
    run_make apply YES=1
    run_make rollback YES=1 ONLY=preferences
    expect_log "ssm-prefs us-east-1 before"
    run_make apply YES=1
    expect_status 0
    expect_calls plan "ssm-prefs ssm-role"
    expect_log "ssm-prefs us-east-1 after"
    expect_nothing_to_do
}

redoes_what_a_variable_is_for() {
    run_make apply YES=1
    run_make apply YES=1 GUARDRAIL_PROFILE=other
    expect_calls plan ssm-scp
    run_make apply YES=1 GUARDRAIL_PROFILE=other PROFILE=shop
    expect_calls plan "ssm-agentcheck ssm-events ssm-prefs ssm-role"
    expect_nothing_to_do GUARDRAIL_PROFILE=other PROFILE=shop
    echo after >"$FAKE/ssm-agentcheck.eu-central-1"
    run_make apply YES=1 REGIONS="us-east-1, eu-central-1" GUARDRAIL_PROFILE=other PROFILE=shop
    expect_status 0
    grep -q -- '--region us-east-1,eu-central-1' "$FAKE/calls" || fail "$(cat "$FAKE/calls")"
    expect_nothing_to_do REGIONS=us-east-1,eu-central-1 GUARDRAIL_PROFILE=other PROFILE=shop
}

knows_what_a_desired_state_names_and_its_layers() {
    # This ssm-events reads the function from where make was called.
    rm bin/ssm-events
    printf '%s\n' '#!/usr/bin/env bash' '[ -e function.zip ] || exit 2' 'exec -a ssm-events bash "$0.real" "$@"' >bin/ssm-events
    sed 's/^tool=.*/tool=ssm-events/; s/^case .content in/case {} in/' "$root/tests/scripts/fake_tool" >bin/ssm-events.real
    chmod +x bin/ssm-events
    echo '{"function":{"zip":"function.zip"}}' >desired/events.json
    echo 1 >function.zip
    mkdir desired/prefs && mv desired/prefs.json desired/prefs/a.json
    run_make apply YES=1
    expect_status 0
    expect_log "$all_words"
    echo 2 >function.zip
    run_make apply YES=1
    expect_calls plan ssm-events
    : >desired/prefs/b.json
    run_make apply YES=1
    expect_calls plan ssm-prefs
    expect_nothing_to_do
}

resumes_where_it_was_killed() {
    echo 1 >"$FAKE/ssm-role.kill"
    status=0
    setsid --wait make -f "$root/scripts/rollout.mk" "${given[@]}" apply YES=1 </dev/null >said 2>&1 || status=$?
    [ "$status" -ne 0 ] || fail "it was not killed"
    cp -r "the run/attempt-001" first
    run_make apply YES=1
    expect_status 0
    expect_words after
    expect_log "ssm-scp us-east-1 after
ssm-events us-east-1 after"
    expect_calls check "ssm-agentcheck ssm-events ssm-prefs ssm-role ssm-scp"
    expect_calls plan "ssm-agentcheck ssm-role" # Agents, too: nobody knows what the killed one wrote.
    diff -r first "the run/attempt-001" || fail "the first attempt was touched"
    expect_nothing_to_do
}

resumes_after_an_error() {
    echo 1 >"$FAKE/ssm-role.fail"
    run_make apply YES=1
    expect_status 2
    expect_said "failed set word"
    run_make apply YES=1
    expect_status 0
    expect_log "ssm-role us-east-1 after
ssm-scp us-east-1 after
ssm-events us-east-1 after"
    expect_nothing_to_do
}

plans_again_when_aws_was_changed_since() {
    run_make plan
    echo otherwise >"$FAKE/ssm-prefs.us-east-1"
    run_make apply YES=1
    expect_status 2
    run_make apply YES=1
    expect_status 0
    expect_words after
}

goes_on_without_what_cannot_be_reached_and_tries_it_again() {
    local two=(REGIONS='us-east-1,eu-central-1')
    echo after >"$FAKE/ssm-agentcheck.eu-central-1"
    echo eu-central-1 >"$FAKE/ssm-prefs.lost"
    run_make plan "${two[@]}"
    expect_status 2
    expect_said "unreachable 222222222222/eu-central-1: AssumeRole: AccessDenied"
    run_make apply YES=1 "${two[@]}"
    expect_status 2
    expect_log "ssm-prefs us-east-1 after
ssm-role us-east-1 after
ssm-role eu-central-1 after
ssm-scp us-east-1 after
ssm-scp eu-central-1 after
ssm-events us-east-1 after
ssm-events eu-central-1 after"
    rm "$FAKE/ssm-prefs.lost"
    run_make apply YES=1 "${two[@]}"
    expect_status 0
    expect_log "ssm-prefs eu-central-1 after"
    expect_calls plan "ssm-prefs ssm-role"
    expect_nothing_to_do "${two[@]}"
    run_make rollback YES=1
    [ "$(cat "$FAKE/ssm-prefs.eu-central-1")" = before ] || fail "not undone"
}

fails_when_verify_finds_errors_and_verifies_again() {
    rm "$FAKE/ssm-agentcheck.us-east-1"
    echo 1 >"$FAKE/ssm-agentcheck.fail"
    run_make apply YES=1
    expect_status 2
    expect_said "not every agent was updated"
    run_make apply YES=1
    expect_status 0
    expect_log "ssm-agentcheck us-east-1 after"
    expect_nothing_to_do
}

asks_aws_again_when_nothing_is_to_count_as_done() {
    run_make apply YES=1
    echo before >"$FAKE/ssm-prefs.us-east-1"
    expect_nothing_to_do
    run_make apply YES=1 FRESH=1
    expect_log "ssm-prefs us-east-1 after"
}

goes_on_where_rollout_sh_stopped() {
    echo 1 >"$FAKE/ssm-role.interrupt"
    run rollout.sh --yes --run-dir "the run" --desired desired --guardrail-profile management --guardrail-role 'arn:aws:iam::{account}:role/Reader'
    expect_status 130
    run_make apply YES=1
    expect_status 0
    expect_words after
    if grep -q '^ssm-prefs plan' "$FAKE/calls"; then fail "planned the preferences again"; fi
}

rolls_back_and_out_again() {
    run_make apply YES=1
    run_make rollback
    expect_status 2
    expect_nothing_to_do
    run_make rollback YES=1
    expect_status 0
    expect_log "ssm-events us-east-1 before
ssm-scp us-east-1 before
ssm-role us-east-1 before
ssm-prefs us-east-1 before"
    run_make apply YES=1
    expect_status 0
    expect_log "$all_words"
    [ -s "the run/attempt-001/03-preferences.result.json" ] || fail "the first result is lost"
    run_make rollback YES=1
    expect_words before
}

for name in $(declare -F | sed -n 's/^declare -f //p'); do
    case $name in a_case | finish | run | run_* | fail | expect_*) ;; *) a_case "$name" ;; esac
done
finish
