# Makes of what `ssm-run --patch-scan` printed one record a node, of a resumed run the last: its patch state, or a gap.
# Missing and failed patches, and updates that wait for a reboot, are what a node lacks:
# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_InstancePatchState.html
def node: "\(.target.account)/\(.target.region)/\(.instance_id)";

(reduce (inputs | select(.kind == "invocation" or .kind == "patch_state")) as $record ({}; .[$record.kind][$record | node] = $record)) as $last
| $last.invocation // {} | keys[] | . as $node
| $last.invocation[$node] as $invocation
| $last.patch_state[$node] as $state
# A state that could not be read has a reason instead of numbers.
| if $invocation.status == "Success" and $state.missing_count != null and $state.reason == null then
    $state | .is_patched = ([.missing_count, .failed_count, .installed_pending_reboot_count] | map(. // 0) | add == 0)
else
    $invocation
    | {kind: "gap", target, instance_id, name, reason: (.reason // $state.reason // {id: "vulns.patch_scan.failed",
        message: (if .status == "Success" then "the scan for patches left no patch state" else "the scan for patches ended with \(.status_details // .status)" end),
        fix: "look at the output of AWS-RunPatchBaseline in patches.jsonl"})}
end
