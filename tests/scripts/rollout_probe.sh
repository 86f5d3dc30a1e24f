#!/usr/bin/env bash
# scripts/rollout.sh --probe, and which sessions leave a transcript before a rollout, after it and after the way back: with the
# tools, a local AWS, and its stand-in for the session-manager-plugin.
# shellcheck disable=SC2030,SC2031 # Each case runs in a subshell.
# shellcheck source=tests/scripts/scene
. "$(dirname -- "$0")/scene"

account=333333333302
nodes="i-00000000000000021 i-00000000000000022 i-00000000000000023 i-00000000000000024 mi-00000000000000025 mi-00000000000000026"

# Two nodes by the role of an instance profile, two by Default Host Management once it is on, two by an activation; of each
# one is Windows.
an_aws() {
    top="$PWD/aws" # Which local_aws removes at the end of this subshell.
    mkdir aws && rm bin/*
    command -v ssm-prefs >/dev/null || fail "ssm-prefs is not in PATH; make build, and add target/debug"
    export SSM_TIME_DIVISOR=30
    # shellcheck source=tests/scripts/local_aws
    . "$root/tests/scripts/local_aws"
    control POST estate "$(jq -n --arg account "$account" --arg nodes "$nodes" '{
        roles: [{account: $account, name: "web", trust: "ec2.amazonaws.com", managed_policies: ["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"], instance_profile: true},
            {account: $account, name: "hybrid", path: "/service-role/", trust: "ssm.amazonaws.com", managed_policies: ["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"]}],
        nodes: [$nodes | split(" ") | to_entries[] | (.key / 2 | floor) as $kind | {account: $account, region: "us-east-1", instance_id: .value,
            platform: {type: ["Linux", "Windows"][.key % 2], name: "x", version: "1"},
            agent: ({version: "3.3.3050.0", powershell: "5.1"} + if $kind == 2 then {iam_role: "service-role/hybrid"} else {} end)}
            + if $kind == 0 then {profile: "web"} else {} end]}')" >/dev/null
    export AWS_ACCESS_KEY_ID=AKIA$account PATH="$root/tests/sandbox:$PATH"
    rollout=(rollout.sh --run-dir "the run" --region us-east-1)
}

# Holds a session on every node, and prints of each where its role is from and whether bucket and log group have the transcript.
kept() {
    local node
    for node in $nodes; do
        control POST sessions "{\"account\": \"$account\", \"target\": \"$node\", \"input\": \"echo hello\"}"
    done | jq -rs 'map("\(.credentials) \(.s3.written == true) \(.logs.written == true)") | group_by(.) | map("\(length) \(.[0])") | join(", ")'
}
expect_kept() {
    local now
    now=$(kept)
    [ "$now" = "$1" ] || fail "sessions: $now, expected $1"
}
writes() { control GET "calls?account=$account" | jq -r 'select(.read_only == false) | .operation' | sort | uniq -c | sed 's/^ *//' | paste -sd' ' -; }

each_kind_of_node_leaves_its_transcript_after_a_rollout_and_none_before_and_after_the_way_back() {
    local node probes=()
    an_aws
    expect_kept "2 hybrid false false, 2 instance-profile false false, 2 null false false"
    for node in $nodes; do probes+=(--probe "$node"); done
    # What --only leaves out is not done, but for what --probe asks for.
    run "${rollout[@]}" --yes --only preferences,roles "${probes[@]}"
    expect_status 0
    for node in $nodes; do
        expect_said "  $node: proved, session ran, bucket found, log group found"
        jq -e --arg node "$node" '.kind == "probe" and .instance_id == $node and .role != null' "the run/attempt-001/03-probe.$node.jsonl" >/dev/null || fail "no record"
    done
    expect_kept "2 dhmc true true, 2 hybrid true true, 2 instance-profile true true"
    control DELETE "calls?account=$account" >/dev/null
    run "${rollout[@]}" --yes --only probe "${probes[@]}"
    expect_status 0
    [ "$(writes)" = "6 StartSession 6 TerminateSession" ] || fail "$(writes)"
    run rollback.sh "the run" --yes
    expect_status 0
    expect_kept "2 hybrid false false, 2 instance-profile false false, 2 null false false"
}

a_node_whose_transcript_is_lost_ends_it_with_1_and_the_cause() {
    local good=mi-00000000000000025 bad=i-00000000000000021
    an_aws
    run "${rollout[@]}" --yes --only preferences,roles
    "$root/.venv/bin/aws" iam delete-role-policy --role-name web --policy-name SessionManagerPreferences-us-east-1
    # Verify has found errors, and the probe is made all the same, after it.
    run "${rollout[@]}" --yes --only verify,probe --probe "$bad,$good"
    expect_status 1
    expect_said "== probe"
    expect_said "  $bad: not proved, session refused, bucket not looked for, log group not looked for"
    expect_said "error prefs.role.kms_decrypt [us-east-1] arn:aws:iam::$account:role/web: the role may not use kms:Decrypt"
    expect_said "  $good: proved, session ran, bucket found, log group found"
    expect_said "rollout: not every session leaves its transcript"
    # One that nobody knows could not be looked at.
    run "${rollout[@]}" --yes --only probe --probe "$good" --probe mi-0fedcba9876543210
    expect_status 2
    expect_said "mi-0fedcba9876543210: Systems Manager knows no such node"
    expect_said "  $good: proved"
    PATH=${PATH#"$root/tests/sandbox:"} run "${rollout[@]}" --yes --only probe --probe "$good"
    expect_status 2
    expect_said "session-manager-plugin is not in PATH"
}

asks_before_it_opens_a_session() {
    local node=mi-00000000000000025
    an_aws
    run "${rollout[@]}" --yes --only preferences,roles
    run "${rollout[@]}" --only probe --probe "$node"
    expect_status 2
    expect_said "pass --yes"
    run_and_answer n "${rollout[@]}" --only probe --probe "$node"
    expect_status 2
    expect_said "Open a session on $node? [y/N]"
    [ -z "$(control GET "sessions?account=$account")" ] || fail "it opened one"
    run_and_answer y "${rollout[@]}" --only probe --probe "$node"
    expect_status 0
    expect_said "$node: proved"
}

make_probes_again_when_something_has_changed() {
    local node=mi-00000000000000025
    an_aws
    given=(ROLLOUT_DIR="the run" DESIRED="$PWD/desired" REGIONS=us-east-1 YES=1 ONLY="preferences roles probe")
    rm desired/*
    cp "$root"/scripts/rollout.d/{prefs,role}.json desired
    run_make apply
    expect_status 2
    expect_said "probe: name a node with --probe NODE (PROBE)"
    run_make apply PROBE="$node"
    expect_status 0
    expect_said "$node: proved"
    run_make apply PROBE="$node"
    expect_status 0
    expect_said "nothing to be done"
    jq '.idle_timeout_minutes = 30' "$root/scripts/rollout.d/prefs.json" >desired/prefs.json
    run_make apply PROBE="$node"
    expect_status 0
    expect_said "$node: proved"
    # It is a variable of every target, and the work of one.
    run_make roles PROBE="$node"
    expect_status 0
    if grep -q "== probe" said; then fail "it probed"; fi
    run_make apply PROBE="$node ../x"
    expect_status 2
    expect_said "--probe '../x': expected the ID of a node"
}

for name in $(declare -F | sed -n 's/^declare -f //p'); do
    case $name in a_case | finish | run | run_* | fail | expect_* | control | an_aws | an_account | kept | writes) ;; *) a_case "$name" ;; esac
done
finish
