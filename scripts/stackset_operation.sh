# shellcheck shell=bash disable=SC2154 # stackset.sh sets what is not assigned here.
# How stackset.sh follows operations to their end, and reports what became of each stack. Sourced by it.

# Finds the operation that is under way, if any.
find_running() {
    operation=''
    call list-stack-set-operations --stack-set-name "$name" --call-as "$call_as" >"$work/operations.json" || explain
    operation=$(jq -r '[.Summaries[] | select(.Status | IN("RUNNING", "STOPPING", "QUEUED")) | .OperationId] | last // empty' "$work/operations.json")
}

# Starts the operation that the request asks for, after what is under way, and follows it.
run_operation() {
    local verb=$1 id
    id=$(jq -r .OperationId "$work/request.json")
    while ! call "$verb" --cli-input-json "file://$work/request.json" >"$work/answer.json"; do
        if failed_with OperationIdAlreadyExistsException; then break; fi # The first answer got lost.
        failed_with OperationInProgressException || explain
        find_running
        [ -z "$operation" ] || follow
    done
    rm -- "$work/request.json"
    operation=$id
    follow
}

# Says how the operation stands whenever that changes, until it has ended. Its results stay in results.jsonl.
follow() {
    local status='' line said='' pause=1
    while :; do
        call list-stack-set-operation-results --stack-set-name "$name" --operation-id "$operation" --call-as "$call_as" >"$work/results.json" || explain
        # Until the last of them has ended the operation cannot have.
        if ! jq -e 'any(.Summaries[]; .Status | IN("PENDING", "RUNNING"))' "$work/results.json" >/dev/null; then
            call describe-stack-set-operation --stack-set-name "$name" --operation-id "$operation" --call-as "$call_as" >"$work/operation.json" || explain
            status=$(jq -r .StackSetOperation.Status "$work/operation.json")
        fi
        line=$(jq -r --arg status "$status" '
            def n($status; $word): [.Summaries[] | select(.Status == $status)] | length | if . > 0 then ", \(.) \($word)" else "" end;
            "\([.Summaries[] | select(.Status == "SUCCEEDED")] | length) of \(.Summaries | length) done"
            + n("FAILED"; "failed") + n("CANCELLED"; "canceled") + n("RUNNING"; "under way")' "$work/results.json")
        if [ "$line" != "$said" ]; then say "stackset: $line" && said=$line && pause=1; fi
        case $status in SUCCEEDED | FAILED | STOPPED) break ;; esac
        attend TERM sleep "$pause" # A shell does not hear of a stop while it sleeps itself.
        # An account takes minutes, and one call a second for an hour is nobody's friend.
        pause=$((pause < 8 ? pause * 2 : 15))
    done
    jq -r '.StackSetOperation | "stackset: \(.Action) \(.Status)\(if .StatusReason then ": \(.StatusReason)" else "" end)"' "$work/operation.json" >&2
    jq -c '.Summaries[]' "$work/results.json" >>"$work/results.jsonl"
    operation=''
}

# Reports what became of each account and region, and ends with 2 unless all is well.
report_instances() {
    jq -nc --arg name "$name" --arg regions "$regions" --slurpfile instances "$work/instances.json" --slurpfile targets "$work/targets.json" \
        --slurpfile results "$work/results.jsonl" '
        ($results | map({key: "\(.Account) \(.Region)", value: .}) | from_entries) as $result
        | ($instances[0].Summaries | map({key: "\(.Account) \(.Region)", value: .}) | from_entries) as $instance
        | [($targets[0][].account as $account | $regions | split(",")[] as $region | "\($account) \($region)"), ($instance | keys[])] | unique[]
        | . as $place | $instance[$place] as $one | $result[$place] as $last
        | {
            kind: "stack_instance", stack_set: $name, target: (split(" ") | {account: .[0], region: .[1]}),
            status: (if $one.Status == "CURRENT" then "SUCCEEDED" else $one.StackInstanceStatus.DetailedStatus // $last.Status // "PENDING" end),
            reason: (if $one.Status == "CURRENT" then null else $last.StatusReason // $one.StatusReason end), stack_id: $one.StackId
        }' >"$work/records.jsonl"
    finish
}

# Reports what became of each stack that was to be deleted; goes on only if all are gone.
report_deleted() {
    jq -c --arg name "$name" '.Summaries[] | {kind: "stack_instance", stack_set: $name, target: {account: .Account, region: .Region},
        status: (if .Status == "SUCCEEDED" then "DELETED" else .Status end), reason: .StatusReason, stack_id: null}' "$work/results.json" >"$work/records.jsonl"
    finish
}

finish() {
    cat -- "$work/records.jsonl"
    jq -r 'select(.status | IN("SUCCEEDED", "DELETED") | not) | "  \(.status) \(.target.account) \(.target.region): \(.reason // "no reason given")"
        | gsub("[\u0000-\u001f\u007f-\u009f]"; "?")' "$work/records.jsonl" >&2
    if jq -es 'any(.status | IN("SUCCEEDED", "DELETED") | not)' "$work/records.jsonl" >/dev/null; then
        die "not all stacks are as they should be; run again when the cause is gone"
    fi
}

# Leaves the operation to itself and says how to get back to it. A call of the AWS CLI has ended before the trap runs.
# shellcheck disable=SC2317 # Called by a trap.
interrupted() {
    say "stackset: interrupted"
    [ -z "$child" ] || kill "$child" 2>/dev/null || true
    if [ -n "$operation" ]; then
        say "stackset: operation $operation goes on. Run this again to follow it, or stackset.sh --stop --name $name to stop it."
    fi
    exit "$1"
}
