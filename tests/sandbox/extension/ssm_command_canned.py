"""Owns how a command ends on a node that only pretends to run it: as the node's `run_output` says for the text of the
command, else as its `run_command` says.

Statuses: https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html
"""

import re
from dataclasses import dataclass

import nodes
from extension import ssm_patches
from extension.ssm_command_agent import KILLED, ended

# Seconds that a command takes unless the node says otherwise; short, since tests wait for them.
SECONDS = 0.3
SHELL = "sh"
FOR_EVER = ("Pending", "InProgress", "Delayed")
# Status by StatusDetails, for those that differ. The calls spell details without the blanks of the guide:
# they are the values of the filter Status, and GetCommandInvocation answers so
# (https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CommandFilter.html).
STATUSES = {
    "ExecutionTimedOut": "TimedOut",
    "DeliveryTimedOut": "TimedOut",
    "Undeliverable": "Failed",
    "InvalidPlatform": "Failed",
    "AccessDenied": "Failed",
    "Terminated": "Cancelled",
}
# What never came to the agent, so that nothing ran and the response code is -1.
NOT_DELIVERED = ("DeliveryTimedOut", "Undeliverable", "InvalidPlatform", "AccessDenied", "Terminated")
KNOWN = ("Success", "Failed", "TimedOut", "Cancelled", SHELL, *FOR_EVER, *STATUSES)


@dataclass
class Fate:
    """What becomes of one command on one node: `details` None means that its steps decide."""

    details: str
    seconds: float
    is_shell: bool


def fate(command, node):
    """Returns what the estate wants of a command on a node."""
    entry = _entry(node, "\n".join(step.text for step in command.steps))
    details = entry.get("status") or ("" if entry.keys() & {"stdout", "stderr", "exit_code"} else node.run_command)
    details = "ExecutionTimedOut" if details == "TimedOut" else details
    if node.ping != "Online" and details not in NOT_DELIVERED:
        # It was targeted by a tag. AWS tries until the delivery time-out, the sandbox not that long.
        return Fate("DeliveryTimedOut", SECONDS, False)
    if node.platform_type not in command.platforms:
        return Fate("InvalidPlatform", SECONDS, False)
    seconds = entry.get("seconds", SECONDS)
    if details in FOR_EVER or details in NOT_DELIVERED:
        return Fate(details, seconds, False)
    return Fate(None, seconds, details == SHELL and _effect_of(command) is None)


def execute(command, node, step):
    """Returns the canned result of one step."""
    entry = _entry(node, step.text)
    outcome = entry.get("status") or node.run_command
    if entry.keys() & {"stdout", "stderr", "exit_code"} and "status" not in entry:
        return ended(entry.get("exit_code", 0), _bytes(entry, "stdout"), _bytes(entry, "stderr"))
    stdout, stderr = _bytes(entry, "stdout"), _bytes(entry, "stderr")
    if outcome in ("TimedOut", "ExecutionTimedOut"):
        return ended(KILLED, stdout, stderr)
    if outcome == "Cancelled":
        return ended(KILLED, stdout, stderr, is_canceled=True)
    if outcome == "Failed":
        return ended(entry.get("exit_code", 1), stdout, stderr)
    effect = _effect_of(command)
    return ended(0, stdout or (effect(command, node).encode() if effect else b""), stderr)


def _update_agent(command, node):
    parameters = command.request.get("Parameters") or {}
    latest = nodes.REGIONS.of(command.account, command.region).latest_agent
    wanted = (parameters.get("version") or [""])[0] or latest
    wanted = latest if wanted == "latest" else wanted
    old = node.agent_version
    is_downgrade = (parameters.get("allowDowngrade") or ["false"])[0] == "true"
    if nodes.version_key(wanted) <= nodes.version_key(old) and not is_downgrade:
        return f"amazon-ssm-agent {old} has already been installed, update skipped\n"
    node.agent_version = wanted
    return f"Updating amazon-ssm-agent from {old} to {wanted}\namazon-ssm-agent updated successfully to {wanted}\n"


def _effect_of(command):
    """Returns what does to a node what Amazon's document does to it, None for documents that only run scripts."""
    effects = {"AWS-UpdateSSMAgent": _update_agent, "AWS-RunPatchBaseline": ssm_patches.patch}
    return effects.get(command.document_name.rpartition("/")[2])


def _entry(node, text):
    for entry in node.run_output:
        if re.search(entry.get("match", ""), text):
            return entry
    return {}


def _bytes(entry, key):
    return entry.get(key, "").encode() * (entry.get("repeat", 1) if key == "stdout" else 1)
