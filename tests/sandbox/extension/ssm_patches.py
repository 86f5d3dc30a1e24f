"""Owns what Patch Manager knows of the nodes: nothing until AWS-RunPatchBaseline ran on them.

https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-aws-runpatchbaseline.html
https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-compliance-states.html
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_InstancePatchState.html
"""

import uuid
from dataclasses import dataclass
from datetime import datetime

import emulate
from moto.ssm.responses import SimpleSystemManagerResponse

BASELINE = "pb-0c10e65780EXAMPLE"
COUNTS = {
    "INSTALLED": "InstalledCount",
    "INSTALLED_OTHER": "InstalledOtherCount",
    "INSTALLED_PENDING_REBOOT": "InstalledPendingRebootCount",
    "INSTALLED_REJECTED": "InstalledRejectedCount",
    "MISSING": "MissingCount",
    "FAILED": "FailedCount",
    "NOT_APPLICABLE": "NotApplicableCount",
    "AVAILABLE_SECURITY_UPDATE": "AvailableSecurityUpdateCount",
}
# The states that make a node non-compliant.
NON_COMPLIANT = ("MISSING", "FAILED", "INSTALLED_REJECTED", "INSTALLED_PENDING_REBOOT")
STRINGS = ("Classification", "KBId", "Severity", "State")

# instance id -> Scanned
STATES = emulate.Store(dict)


@dataclass
class Scanned:
    """What the last operation found on a node."""

    node: object
    patches: list
    operation: str
    snapshot: str
    reboot_option: str
    started: object
    ended: object


def patch(command, node):
    """Scans a node, or installs what it lacks, and returns what the script prints."""
    parameters = command.request.get("Parameters") or {}
    operation = parameters["Operation"][0]
    reboot_option = (parameters.get("RebootOption") or ["RebootIfNeeded"])[0]
    # The node may have been patched, and SSM not have taken its report: then it shows what an earlier operation left.
    # https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-troubleshooting.html
    now, kept = emulate.now(), node.patches.get("result_of")
    started, ended = (datetime.fromisoformat(kept),) * 2 if kept else (command.requested, now)
    patches = node.patches.setdefault("list", [])
    if operation == "Install":
        for one in patches:
            if one.get("state") == "MISSING":
                # "RebootIfNeeded" reboots at once here, "NoReboot" leaves that to somebody.
                one["state"] = "INSTALLED" if reboot_option == "RebootIfNeeded" else "INSTALLED_PENDING_REBOOT"
                one["installed_time"] = now.isoformat()
    snapshot = (parameters.get("SnapshotId") or [""])[0] or str(uuid.uuid4())
    STATES.of(command.account, command.region)[node.instance_id] = Scanned(
        node, [dict(one) for one in patches], operation, snapshot, reboot_option, started, ended
    )
    n_missing = sum(one.get("state") == "MISSING" for one in patches)
    return (
        f"Patching summary for {node.instance_id}:\nOperation: {operation}\nBaseline: {_baseline(node)}\n"
        f"Missing: {n_missing}\nPatch compliance data is uploaded.\n"
    )


def describe_instance_patch_states(response):
    """Answers with the states of the nodes asked for that were ever scanned."""
    request = emulate.parameters(response)
    states = STATES.here(response)
    asked = [states[instance_id] for instance_id in request["InstanceIds"] if instance_id in states]
    shown, token = emulate.page(asked, request, 10, 100, 100)
    answer = {"InstancePatchStates": [_state(one) for one in shown]}
    if token:
        answer["NextToken"] = token
    return answer


def describe_instance_patches(response):
    """Answers with the patches of one node."""
    request = emulate.parameters(response)
    state = STATES.here(response).get(request["InstanceId"])
    filters = {f["Key"]: [_plain(v) for v in f.get("Values") or []] for f in request.get("Filters") or []}
    for key in filters:
        if key not in STRINGS:
            emulate.refuse("InvalidFilter", f"The filter {key} is not valid.")
    patches = [_patch(one) for one in (state.patches if state else [])]
    found = [one for one in patches if all(_plain(one[key]) in values for key, values in filters.items())]
    shown, token = emulate.page(found, request, 10, 100, 50)
    answer = {"Patches": shown}
    if token:
        answer["NextToken"] = token
    return answer


def _plain(value):
    # The filter takes `InstalledOther` for INSTALLED_OTHER (DescribeInstancePatches, sample values).
    return value.replace("_", "").lower()


def _baseline(node):
    return node.patches.get("baseline_id", BASELINE)


def _state(scanned):
    state = {
        "InstanceId": scanned.node.instance_id,
        "PatchGroup": scanned.node.patches.get("patch_group", ""),
        "BaselineId": _baseline(scanned.node),
        "SnapshotId": scanned.snapshot,
        "OwnerInformation": "",
        "OperationStartTime": scanned.started,
        "OperationEndTime": scanned.ended,
        "Operation": scanned.operation,
        "UnreportedNotApplicableCount": 0,
        "CriticalNonCompliantCount": 0,
        "SecurityNonCompliantCount": 0,
        "OtherNonCompliantCount": 0,
        **dict.fromkeys(COUNTS.values(), 0),
    }
    for one in scanned.patches:
        state[COUNTS[one.get("state", "INSTALLED")]] += 1
        if one.get("state") in NON_COMPLIANT:
            kind = one.get("classification", "")
            key = "Critical" if one.get("compliance") == "CRITICAL" else "Security" if kind.startswith("Security") else "Other"
            state[f"{key}NonCompliantCount"] += 1
    if scanned.operation == "Install":
        state["RebootOption"] = scanned.reboot_option
        if scanned.reboot_option == "NoReboot":
            state["LastNoRebootInstallOperationTime"] = scanned.ended
    return state


def _patch(one):
    patch_data = {
        "Title": one.get("title", one["kb_id"]),
        "KBId": one["kb_id"],
        "Classification": one.get("classification", ""),
        "Severity": one.get("severity", ""),
        "State": one.get("state", "INSTALLED"),
        "InstalledTime": one.get("installed_time", 0),
    }
    if one.get("cve_ids") and patch_data["State"] in ("MISSING", "FAILED"):
        # "Currently, CVE ID values are reported only for patches with a status of Missing or Failed."
        patch_data["CVEIds"] = ",".join(one["cve_ids"])
    return patch_data


def install():
    register = emulate.operation
    register(SimpleSystemManagerResponse, "DescribeInstancePatchStates")(describe_instance_patch_states)
    register(SimpleSystemManagerResponse, "DescribeInstancePatches")(describe_instance_patches)
