#!/usr/bin/env bash
# scripts/rollout.mk: what make does for each of its targets, and how it asks.
# shellcheck disable=SC2031,SC2016,SC2119 # Each case runs in a subshell with a FAKE of its own; `$` of makefiles.
# shellcheck source=tests/scripts/scene
. "$(dirname -- "$0")/scene"

all_words="ssm-prefs us-east-1 after
ssm-role us-east-1 after
ssm-scp us-east-1 after
ssm-events us-east-1 after"

makes_all_plans_side_by_side() {
    echo 5 >"$FAKE/together"
    run_make -j plan
    expect_status 0
    expect_log ""
    for phase in preferences roles agents guardrail audit-trail; do [ -s "the run/$phase.plan.json" ] || fail "no plan of $phase"; done
    run_make -j plan
    expect_status 0
    [ ! -e "$FAKE/calls" ] || fail "planned again"
}

applies_in_order_even_with_many_jobs() {
    run_make -j8 apply YES=1
    expect_status 0
    expect_log "$all_words"
    [ -s "the run/attempt-001/03-preferences.result.json" ] || fail "no result"
    [ -e "the run/attempt-001/08-verify.findings.jsonl" ] || fail "no findings"
    expect_nothing_to_do
    [ ! -e "the run/attempt-002" ] || fail "another attempt"
}

applies_the_plan_that_was_made_before() {
    run_make plan
    cp "the run/preferences.plan.json" planned
    run_make apply YES=1
    expect_status 0
    expect_calls plan "ssm-agentcheck ssm-role" # The roles need the new preferences, the agents the new roles.
    cmp planned "the run/attempt-001/03-preferences.plan.json" || fail "another plan was applied"
}

gives_accounts_to_all_but_the_guardrail() {
    echo 222222222222 >"my accounts"
    local fleet=(ACCOUNTS="my accounts" ASSUME_ROLE='arn:{partition}:iam::{account}:role/R' EXTERNAL_ID=env:ID REGIONS=all)
    run_make plan "${fleet[@]}"
    local expected='--region all --accounts .*/the run/accounts --assume-role arn:{partition}:iam::{account}:role/R --external-id env:ID'
    for tool in ssm-prefs ssm-role ssm-agentcheck ssm-events; do
        grep -q "^$tool plan .*$expected" "$FAKE/calls" || fail "$tool: $(grep "^$tool" "$FAKE/calls")"
    done
    if grep '^ssm-scp.*\(--region\|--accounts\|--assume\)' "$FAKE/calls"; then fail "ssm-scp got them"; fi
    run_make plan "${fleet[@]}"
    [ ! -e "$FAKE/calls" ] || fail "planned again"
    echo 333333333333 >>"my accounts"
    run_make apply YES=1 "${fleet[@]}"
    expect_calls plan "ssm-agentcheck ssm-events ssm-prefs ssm-role"
    if grep '^ssm-prefs apply.*\(--region\|--accounts\)' "$FAKE/calls"; then fail "apply got them"; fi
    grep -q '^ssm-prefs apply.*--assume-role' "$FAKE/calls" || fail "apply did not get the role"
}

stops_when_nothing_can_be_reached() {
    echo us-east-1 >"$FAKE/ssm-role.lost"
    run_make apply YES=1
    expect_status 2
    expect_log ""
}

reports_what_every_check_finds() {
    run_make -j check
    expect_status 2
    expect_calls check "ssm-agentcheck ssm-events ssm-prefs ssm-role ssm-scp"
    expect_said "error role.word.before"
    run_make apply YES=1
    run_make -j check
    expect_status 0
    [ -e "the run/roles.findings.jsonl" ] || fail "no findings"
}

refuses_to_write_without_yes_when_nobody_can_be_asked() {
    for yes in YES= YES=0; do
        run_make apply "$yes"
        expect_status 2
        expect_said "YES=1"
        expect_log ""
    done
    run_make apply YES=maybe
    expect_status 2
}

asks_on_the_terminal() {
    local make
    make=$(command -v make)
    run_and_answer n "$make" -j8 -Otarget -f "$root/scripts/rollout.mk" "${given[@]}" apply ONLY=preferences
    expect_status 2
    expect_said "Apply this change? [y/N]"
    expect_log ""
    run_and_answer y "$make" -j8 -Otarget -f "$root/scripts/rollout.mk" "${given[@]}" apply ONLY=preferences
    expect_status 0
    expect_log "ssm-prefs us-east-1 after"
}

makes_phases_up_to_one_and_those_of_only() {
    run_make roles YES=1
    expect_status 0
    expect_log "ssm-prefs us-east-1 after
ssm-role us-east-1 after"
    run_make apply YES=1
    expect_log "ssm-scp us-east-1 after
ssm-events us-east-1 after"
    run_make rollback YES=1
    run_make apply YES=1 ONLY="audit-trail,preferences"
    expect_log "ssm-events us-east-1 after
ssm-prefs us-east-1 after"
    run_make plan ONLY=nonsense
    expect_status 2
    expect_said "unknown phase 'nonsense'"
}

says_what_it_would_do_and_does_not() {
    run_make -n apply YES=1
    expect_status 0
    expect_said "apply preferences"
    if grep -q "nothing to be done" said; then fail "it says that nothing is to be done"; fi
    [ ! -e "$FAKE/calls" ] || fail "it called: $(cat "$FAKE/calls")"
    for goal in check rollback; do
        run_make -n "$goal" YES=1
        expect_status 0
        expect_said "$goal"
        [ ! -e "$FAKE/calls" ] || fail "it called: $(cat "$FAKE/calls")"
    done
    run_make apply YES=1
    run_make -n apply YES=1
    if grep -q 'apply preferences' said; then fail "it would do it again"; fi
}

is_included_in_a_makefile_of_yours() {
    printf '%s\n' 'ROLLOUT_DIR := here/too' 'DESIRED := desired' 'REGIONS := us-east-1 eu-central-1' \
        "include $root/scripts/rollout.mk" 'all: ; @echo mine' 'check: ; @echo my check' 'apply: rollout-apply ; @echo my $@' >Makefile
    [ "$(make 2>&1)" = mine ] || fail "another default goal"
    [ "$(make check 2>&1)" = "my check" ] || fail "another check"
    make -j4 apply YES=1 ONLY=preferences,roles >said 2>&1 </dev/null
    expect_said "my apply"
    expect_log "ssm-prefs us-east-1 after
ssm-prefs eu-central-1 after
ssm-role us-east-1 after
ssm-role eu-central-1 after"
    [ -s here/too/attempt-001/01-preferences.result.json ] || fail "no result"
}

# 12
works_from_a_path_with_a_space() {
    mkdir "o'my scripts"
    cp "$root"/scripts/*.sh "$root/scripts/rollout.mk" "o'my scripts"
    make -f "o'my scripts/rollout.mk" "${given[@]}" apply YES=1 ONLY=preferences </dev/null >said 2>&1 || fail "status $?"
    expect_log "ssm-prefs us-east-1 after"
    mv "o'my scripts" "my scripts"
    printf '%s\n' 'include my\ scripts/rollout.mk' >Makefile
    status=0
    make "${given[@]}" rollout-plan </dev/null >said 2>&1 || status=$?
    expect_status 2
    expect_said "the path of rollout.mk has a space: set ROLLOUT_SCRIPTS to its directory"
    make "${given[@]}" ROLLOUT_SCRIPTS="$PWD/my scripts" ONLY=roles rollout-plan </dev/null >said 2>&1 || fail "status $?"
    [ -s "the run/roles.plan.json" ] || fail "no plan"
}

waits_for_another_run_in_the_same_directory() {
    command -v flock >/dev/null || return 0
    make -f "$root/scripts/rollout.mk" "${given[@]}" apply YES=1 </dev/null >other 2>&1 &
    make -f "$root/scripts/rollout.mk" "${given[@]}" apply YES=1 </dev/null >said 2>&1 || fail "one failed"
    wait $! || fail "$(cat other)"
    expect_log "$all_words"
}

ends_the_tool_in_flight_when_make_is_stopped() {
    echo 1 >"$FAKE/ssm-role.slow"
    setsid make -f "$root/scripts/rollout.mk" "${given[@]}" apply YES=1 </dev/null >said 2>&1 &
    for _ in {1..300}; do [ ! -e "$FAKE/applying/slow" ] || break && sleep 0.1; done
    kill -TERM $!
    status=0
    wait $! || status=$?
    [ "$status" -ne 0 ] || fail "it was not stopped"
    [ ! -e "$FAKE/applying" ] || fail "the tool goes on"
    expect_said "rollout: interrupted"
    [ -s "the run/attempt-001/04-roles.result.json" ] || fail "its result is lost"
    run_make apply YES=1
    expect_status 0
    expect_words after
    expect_log "ssm-scp us-east-1 after
ssm-events us-east-1 after"
}

ends_the_plans_being_made_when_make_is_stopped() {
    echo 9 >"$FAKE/together" # So that they wait for one another.
    setsid make -j -f "$root/scripts/rollout.mk" "${given[@]}" apply YES=1 </dev/null >said 2>&1 &
    for _ in {1..300}; do [ "$(find "$FAKE" -name 'planning.*' | wc -l)" -lt 5 ] || break && sleep 0.1; done
    kill -TERM $!
    status=0
    wait $! || status=$?
    [ "$status" -ne 0 ] || fail "it was not stopped"
    expect_said "rollout: interrupted"
    sleep 0.5 # What the fakes themselves have started.
    ps -A -o pgid=,stat=,args= | awk -v group="$!" '$1 == group && $2 !~ /^Z/' >left
    [ ! -s left ] || fail "these go on: $(cat left)"
    expect_log ""
}

refuses_a_make_that_is_too_old() {
    run_make plan .FEATURES=target-specific MAKE_VERSION=3.81
    expect_status 2
    expect_said "needs GNU make 4 or later, this is 3.81"
}

for name in $(declare -F | sed -n 's/^declare -f //p'); do
    case $name in a_case | finish | run | run_* | fail | expect_*) ;; *) a_case "$name" ;; esac
done
finish
