"""Owns the commands that were sent and how their invocations look over time.

An invocation is unknown for a moment after SendCommand (AWS is eventually
consistent), then in progress, then as its node's `run_command` says.
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListCommandInvocations.html
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CommandInvocation.html
"""

from dataclasses import dataclass, field

import emulate
import nodes
from moto.ssm.responses import SimpleSystemManagerResponse

# Seconds after SendCommand; short, since tests wait for them.
KNOWN_AFTER = 0.1
DONE_AFTER = 0.3

DETAILS = {
    "Success": "Success",
    "Failed": "Failed",
    "TimedOut": "Execution Timed Out",
    "InProgress": "In Progress",
    "Pending": "Pending",
}
RESPONSE_CODES = {"Success": 0, "Failed": 1, "TimedOut": 1}
PLUGINS = {
    "AWS-RunShellScript": "aws:runShellScript",
    "AWS-RunPowerShellScript": "aws:runPowerShellScript",
    "AWS-UpdateSSMAgent": "aws:updateSsmAgent",
    "AWS-ConfigureAWSPackage": "configurePackage",
}

# command id -> Command
COMMANDS = emulate.Store(dict)


@dataclass
class Command:
    """One SendCommand with an invocation per node."""

    command_id: str
    document_name: str
    document_version: str
    requested: object
    expires: object
    timeout: int
    request: dict
    instance_ids: list
    nodes: list
    output: dict = field(default_factory=dict)
    effects: list = field(default_factory=list)

    def prepare(self, latest_agent):
        """Works out what each node will say and what will change on it."""
        parameters = self.request.get("Parameters") or {}
        for node in self.nodes:
            self.output[node.instance_id] = ""
            if self.document_name == "AWS-UpdateSSMAgent":
                wanted = (parameters.get("version") or [""])[0] or latest_agent
                wanted = latest_agent if wanted == "latest" else wanted
                downgrade = (parameters.get("allowDowngrade") or ["false"])[0] == "true"
                newer = nodes.version_key(wanted) > nodes.version_key(node.agent_version)
                if newer or downgrade:
                    self.effects.append((node, wanted))
                    self.output[node.instance_id] = (
                        f"Updating amazon-ssm-agent from {node.agent_version} to {wanted}\n"
                        f"amazon-ssm-agent updated successfully to {wanted}\n"
                    )
                else:
                    self.output[node.instance_id] = (
                        f"amazon-ssm-agent {node.agent_version} has already been installed, "
                        "update skipped\n"
                    )

    def status(self, node, now):
        """Returns an invocation's status; None as long as AWS does not know it yet."""
        age = (now - self.requested).total_seconds()
        if age < KNOWN_AFTER:
            return None
        if age < DONE_AFTER:
            return "InProgress"
        self._take_effect()
        return node.run_command

    def _take_effect(self):
        while self.effects:
            node, version = self.effects.pop()
            if node.run_command == "Success":
                node.agent_version = version

    def describe(self, now):
        """Returns the Command of SendCommand and ListCommands."""
        statuses = [self.status(node, now) or "Pending" for node in self.nodes]
        ended = [s for s in statuses if s not in ("Pending", "InProgress")]
        if not statuses:
            # No target matched: https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html
            status, details = "Success", "NoInstancesInTag"
        else:
            status = next(
                (s for s in ("Pending", "InProgress", "Failed", "TimedOut") if s in statuses),
                "Success",
            )
            details = DETAILS[status]
        description = {
            "CommandId": self.command_id,
            "DocumentName": self.document_name,
            "DocumentVersion": self.document_version,
            "Comment": self.request.get("Comment", ""),
            "ExpiresAfter": self.expires,
            "Parameters": self.request.get("Parameters") or {},
            "InstanceIds": self.instance_ids,
            "Targets": self.request.get("Targets") or [],
            "RequestedDateTime": self.requested,
            "Status": status,
            "StatusDetails": details,
            "OutputS3BucketName": self.request.get("OutputS3BucketName", ""),
            "OutputS3KeyPrefix": self.request.get("OutputS3KeyPrefix", ""),
            "MaxConcurrency": self.request.get("MaxConcurrency", "50"),
            "MaxErrors": self.request.get("MaxErrors", "0"),
            "TargetCount": len(self.nodes),
            "CompletedCount": len(ended),
            "ErrorCount": sum(s == "Failed" for s in statuses),
            "DeliveryTimedOutCount": 0,
            "TimeoutSeconds": self.timeout,
        }
        return description


def list_commands(response):
    """Answers with the commands of one id or one node, newest first."""
    request = emulate.parameters(response)
    now = emulate.now()
    listed = [
        command.describe(now)
        for command in _commands(response, request)
        if request.get("InstanceId") in (None, *(n.instance_id for n in command.nodes))
    ]
    return _paged(request, "Commands", listed)


def list_command_invocations(response):
    """Answers with the invocations that AWS knows by now."""
    request = emulate.parameters(response)
    now = emulate.now()
    listed = []
    for command in _commands(response, request):
        for node in command.nodes:
            if request.get("InstanceId") not in (None, node.instance_id):
                continue
            status = command.status(node, now)
            if status and _matches(command, status, request.get("Filters") or []):
                listed.append(_invocation(command, node, status, request.get("Details")))
    return _paged(request, "CommandInvocations", listed)


def get_command_invocation(response):
    """Answers with one invocation and its output."""
    request = emulate.parameters(response)
    command = COMMANDS.here(response).get(request["CommandId"])
    nodes_by_id = {n.instance_id: n for n in command.nodes} if command else {}
    node = nodes_by_id.get(request["InstanceId"])
    now = emulate.now()
    status = command.status(node, now) if node else None
    if status is None:
        emulate.refuse("InvocationDoesNotExist")
    output = command.output[node.instance_id] if status == "Success" else ""
    started = command.requested.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    ended = status not in ("Pending", "InProgress")
    return {
        "CommandId": command.command_id,
        "InstanceId": node.instance_id,
        "Comment": command.request.get("Comment", ""),
        "DocumentName": command.document_name,
        "DocumentVersion": command.document_version,
        "PluginName": _plugin(command),
        "ResponseCode": RESPONSE_CODES.get(status, -1),
        "ExecutionStartDateTime": started,
        "ExecutionElapsedTime": "PT0.2S" if ended else "",
        "ExecutionEndDateTime": started if ended else "",
        "Status": status,
        "StatusDetails": _details(status),
        "StandardOutputContent": output,
        "StandardOutputUrl": "",
        "StandardErrorContent": "" if status != "Failed" else "failed to run commands: exit status 1",
        "StandardErrorUrl": "",
        "CloudWatchOutputConfig": {
            "CloudWatchLogGroupName": "",
            "CloudWatchOutputEnabled": False,
        },
    }


def _commands(response, request):
    commands = COMMANDS.here(response)
    wanted = request.get("CommandId")
    if wanted:
        if wanted not in commands:
            emulate.refuse("InvalidCommandId")
        return [commands[wanted]]
    return sorted(commands.values(), key=lambda c: c.requested, reverse=True)


def _matches(command, status, filters):
    for item in filters:
        if item["key"] == "Status" and item["value"] != status:
            return False
        if item["key"] == "DocumentName" and item["value"] != command.document_name:
            return False
    return True


def _invocation(command, node, status, has_details):
    ended = status not in ("Pending", "InProgress")
    output = command.output[node.instance_id] if status == "Success" else ""
    plugin = {
        "Name": _plugin(command),
        "Status": status,
        "StatusDetails": _details(status),
        "ResponseCode": RESPONSE_CODES.get(status, -1),
        "ResponseStartDateTime": command.requested,
        "Output": output[:2500],
    }
    if ended:
        plugin["ResponseFinishDateTime"] = command.requested
    return {
        "CommandId": command.command_id,
        "InstanceId": node.instance_id,
        "InstanceName": node.name or "",
        "Comment": command.request.get("Comment", ""),
        "DocumentName": command.document_name,
        "DocumentVersion": command.document_version,
        "RequestedDateTime": command.requested,
        "Status": status,
        "StatusDetails": _details(status),
        "StandardOutputUrl": "",
        "StandardErrorUrl": "",
        "CommandPlugins": [plugin] if has_details else [],
    }


def _details(status):
    # GetCommandInvocation and CommandInvocation spell it without blanks.
    return {"TimedOut": "ExecutionTimedOut"}.get(status, status)


def _plugin(command):
    return PLUGINS.get(command.document_name, "aws:runShellScript")


def _paged(request, key, items):
    shown, token = emulate.page(items, request, 1, 50, 50)
    answer = {key: shown}
    if token:
        answer["NextToken"] = token
    return answer


def install():
    for name, function in (
        ("ListCommands", list_commands),
        ("ListCommandInvocations", list_command_invocations),
        ("GetCommandInvocation", get_command_invocation),
    ):
        emulate.operation(SimpleSystemManagerResponse, name)(function)
