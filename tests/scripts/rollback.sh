#!/usr/bin/env bash
# scripts/rollback.sh: what it takes back, in which order, and that it may be run again.
# shellcheck disable=SC2031,SC2016 # Each case runs in a subshell with a FAKE of its own; fakes are written by printf.
# shellcheck source=tests/scripts/scene
. "$(dirname -- "$0")/scene"

rolled_out() {
    run rollout.sh --yes --desired desired --guardrail-profile management --guardrail-role 'arn:aws:iam::{account}:role/Reader' \
        --run-dir "run dir" "$@"
    rm -f "$FAKE/log" "$FAKE/profiles"
}

undoes_everything_in_reverse_order() {
    rolled_out
    run rollback.sh "run dir" --yes
    expect_status 0
    expect_words before
    expect_log "ssm-events us-east-1 before
ssm-scp us-east-1 before
ssm-role us-east-1 before
ssm-prefs us-east-1 before"
}

may_be_run_again() {
    rolled_out
    run rollback.sh "run dir" --yes
    rm "$FAKE/log"
    run rollback.sh "run dir" --yes
    expect_status 0
    expect_said "undone already"
    expect_log ""
}

refuses_to_write_without_yes_when_nobody_can_be_asked() {
    rolled_out
    run rollback.sh "run dir"
    expect_status 2
    expect_said "pass --yes"
    expect_log ""
}

undoes_the_others_when_one_phase_cannot_be_undone() {
    rolled_out
    echo 1 >"$FAKE/ssm-events.fail" # As when Slack's queue still holds events: the guardrail must not wait for it.
    echo 1 >"$FAKE/ssm-role.fail"
    run rollback.sh "run dir" --yes
    expect_status 2
    expect_log "ssm-events us-east-1 before
ssm-scp us-east-1 before
ssm-role us-east-1 before
ssm-prefs us-east-1 before"
    [ "$(sed -n '/not everything is undone/,$p' said | sed 's/; what it did is in .*//')" = "rollback: not everything is undone; see to this and run again:
  attempt-001/07-audit-trail: set word: word: ?[2J it is something else; ssm-events apply ended with status 2
  attempt-001/04-roles: set word: word: ?[2J it is something else; ssm-role apply ended with status 2" ] || fail "the end is another"
    run rollback.sh "run dir" --yes
    expect_status 0
    expect_words before
    [ -e "run dir/attempt-001/07-audit-trail.undo-1.json" ] || fail "the failed try is lost"
}

undoes_only_the_phases_asked_for() {
    rolled_out
    run rollback.sh "run dir" --yes --only guardrail
    expect_status 0
    expect_log "ssm-scp us-east-1 before"
    run rollback.sh "run dir" --yes --only preferences,roles --only agents
    expect_status 0
    expect_log "ssm-scp us-east-1 before
ssm-role us-east-1 before
ssm-prefs us-east-1 before"
    run rollback.sh "run dir" --yes --only verify
    expect_status 2
    expect_said "unknown phase 'verify'"
}

undoes_several_runs_in_the_order_given() {
    rolled_out
    echo '{"word":"later"}' >desired/prefs.json
    run rollout.sh --yes --desired desired --only preferences --run-dir newer
    rm "$FAKE/log"
    run rollback.sh newer "run dir" --yes
    expect_status 0
    expect_words before
    expect_log "ssm-prefs us-east-1 after
ssm-events us-east-1 before
ssm-scp us-east-1 before
ssm-role us-east-1 before
ssm-prefs us-east-1 before"
    expect_said "== run dir/attempt-001/07-audit-trail"
    run rollback.sh newer nowhere --yes
    expect_status 2
}

counts_what_is_kept_on_purpose_as_undone() {
    rolled_out
    echo 1 >"$FAKE/ssm-prefs.keep"
    run rollback.sh "run dir" --yes
    expect_status 0
    expect_said "undone: 1 kept"
    expect_said "kept word"
    rm "$FAKE/log"
    run rollback.sh "run dir" --yes
    expect_status 0
    expect_log ""
}

looks_at_what_an_apply_without_a_result_did() {
    rolled_out
    rm "run dir/attempt-001/03-preferences.result.json"
    : >"run dir/attempt-001/04-roles.result.json"
    head -c 40 "run dir/attempt-001/06-guardrail.result.json" >part && mv part "run dir/attempt-001/06-guardrail.result.json"
    run rollback.sh "run dir" --yes
    expect_status 0
    expect_words before
    [ "$(grep -c 'apply --recover' "$FAKE/calls")" -eq 3 ] || fail "$(cat "$FAKE/calls")"
}

looks_at_what_a_call_that_was_given_up_did() {
    echo 1 >"$FAKE/ssm-role.give_up"
    rolled_out
    [ "$status" -eq 130 ] || fail "status $status"
    run rollback.sh "run dir" --yes
    expect_status 0
    [ "$(cat "$FAKE/ssm-role.us-east-1")" = before ] || fail "it is still there"
}

takes_a_plan_that_was_refused_for_one_that_did_nothing() {
    echo 1 >"$FAKE/ssm-prefs.refuse"
    rolled_out
    run rollback.sh "run dir" --yes
    expect_status 0
    expect_log ""
    expect_said "nothing to undo"
}

goes_on_after_an_interruption() {
    rolled_out
    echo 1 >"$FAKE/ssm-events.interrupt"
    run rollback.sh "run dir" --yes
    expect_status 130
    run rollback.sh "run dir" --yes
    expect_status 0
    expect_words before
}

undoes_later_attempts_first_and_each_once() {
    rolled_out --only preferences
    # Somebody takes it back by other means, so a second attempt sets it again.
    echo before >"$FAKE/ssm-prefs.us-east-1"
    rolled_out
    run rollback.sh "run dir" --yes
    expect_status 0
    expect_words before
    rolled_out
    expect_words after
    run rollback.sh "run dir" --yes
    expect_status 0
    expect_words before
}

undoes_all_regions_of_a_result() {
    rolled_out --only preferences --region us-east-1,eu-central-1
    run rollback.sh "run dir" --yes
    expect_status 0
    expect_log "ssm-prefs eu-central-1 before
ssm-prefs us-east-1 before"
}

uses_each_profile_for_its_own_tools_only() {
    rolled_out
    run rollback.sh "run dir" --yes --profile shop --guardrail-profile management
    [ "$(sort -u "$FAKE/profiles")" = "ssm-events profile shop
ssm-prefs profile shop
ssm-role profile shop
ssm-scp profile management" ] || fail "$(sort -u "$FAKE/profiles")"
}

runs_no_program_that_a_result_names() {
    rolled_out
    sed -i 's/ssm-role/reboot/g' "run dir/attempt-001/04-roles.result.json"
    printf '#!/bin/sh\ntouch "%s/rebooted"\n' "$FAKE" >bin/reboot
    chmod +x bin/reboot
    run rollback.sh "run dir" --yes
    expect_status 2
    expect_said "'reboot' is none of the tools"
    [ "$(cat "$FAKE/ssm-prefs.us-east-1")" = before ] || fail "it did not go on"
    [ ! -e "$FAKE/rebooted" ] || fail "it was run"
}

finds_out_what_a_killed_apply_did() {
    rolled_out
    printf '{"kind":"result","tool":"ssm-ro' >"run dir/attempt-001/04-roles.result.json"
    run rollback.sh "run dir" --yes
    expect_status 0
    expect_said "apply ended before it reported"
    for tool in ssm-prefs ssm-role; do
        [ "$(cat "$FAKE/$tool.us-east-1")" = before ] || fail "$tool is not back"
    done
}

leaves_alone_what_somebody_changed_after_a_killed_apply() {
    rolled_out
    : >"run dir/attempt-001/04-roles.result.json"
    echo other >"$FAKE/ssm-role.us-east-1"
    run rollback.sh "run dir" --yes
    expect_status 2
    expect_said "it is something else"
    [ "$(cat "$FAKE/ssm-role.us-east-1")" = other ] || fail "it was undone"
    [ "$(cat "$FAKE/ssm-prefs.us-east-1")" = before ] || fail "it did not go on"
}

ends_the_tool_in_flight_when_it_is_stopped() {
    local signal number
    for signal in TERM:143 HUP:129; do
        number=${signal#*:} signal=${signal%:*}
        rolled_out
        echo 1 >"$FAKE/ssm-scp.slow"
        setsid "$root/scripts/rollback.sh" "run dir" --yes </dev/null >said 2>&1 &
        for _ in {1..100}; do [ ! -e "$FAKE/applying/slow" ] || break && sleep 0.1; done
        kill -s "$signal" $!
        status=0
        wait $! || status=$?
        expect_status "$number"
        [ ! -e "$FAKE/applying" ] || fail "the tool goes on"
        expect_said "rollback: interrupted; run again to go on"
        [ -s "run dir/attempt-001/06-guardrail.undo-1.json" ] || fail "its result is lost"
        run rollback.sh "run dir" --yes
        expect_status 0
        expect_words before
        rm -r "run dir"
    done
}

writes_through_no_symbolic_link() {
    local name
    rolled_out
    echo mine >victim
    for name in lock attempt-001/03-preferences.undo.json attempt-001/new; do
        [ ! -e "run dir/$name" ] || rm "run dir/$name"
        ln -s "$PWD/victim" "run dir/$name"
        run rollback.sh "run dir" --yes
        expect_status 2
        expect_said "is a symbolic link"
        expect_log ""
        [ "$(cat victim)" = mine ] || fail "$name was followed"
        rm "run dir/$name"
    done
}

refuses_what_it_does_not_know() {
    run rollback.sh && expect_status 2
    run rollback.sh nowhere && expect_status 2
    run rollback.sh --help && expect_status 0 && expect_said "usage: rollback.sh"
    mkdir empty
    run rollback.sh empty && expect_status 0 && expect_said "nothing was applied"
}

shows_the_guardrail_alone_how_to_look_for_people_locked_out() {
    rolled_out
    rm -f "$FAKE/guarding"
    run rollback.sh "run dir" --yes --guardrail-profile management --guardrail-role 'arn:aws:iam::{account}:role/Reader' --accept unread:222222222222
    expect_status 0
    [ "$(cat "$FAKE/guarding")" = 'ssm-scp --assume-role arn:aws:iam::{account}:role/Reader
ssm-scp --accept unread:222222222222' ] || fail "$(cat "$FAKE/guarding")"
}

for name in $(declare -F | sed -n 's/^declare -f //p'); do
    case $name in a_case | finish | run | run_and_answer | fail | expect_* | rolled_out) ;; *) a_case "$name" ;; esac
done
finish
