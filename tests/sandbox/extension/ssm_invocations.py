"""Owns what commands and their invocations look like to those who ask.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListCommands.html
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListCommandInvocations.html
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCommandInvocation.html
"""

import collections
import datetime

import emulate
from extension import ssm_command_output as output
from extension.ssm_command_canned import NOT_DELIVERED
from extension.ssm_command_state import COMMANDS, ERRORS
from moto.ssm.responses import SimpleSystemManagerResponse

ENDED = ("Success", "Failed", "TimedOut", "Cancelled")


def list_commands(response):
    """Answers with commands, newest first."""
    request = emulate.parameters(response)
    now = emulate.now()
    instance_id = request.get("InstanceId")
    listed = [
        command
        for command in _commands(response, request, now)
        if (instance_id is None or instance_id in command.by_id)
        and all(_matches(command, command.status(now), item) for item in request.get("Filters") or [])
    ]
    shown, token = emulate.page(listed, request, 1, 50, 50)
    return _answer("Commands", [describe(command, now) for command in shown], token)


def list_command_invocations(response):
    """Answers with the invocations that AWS knows by now."""
    request = emulate.parameters(response)
    filters = request.get("Filters") or []
    if any(item["key"] == "ExecutionStage" for item in filters):
        # "The ExecutionStage filter can't be used with the ListCommandInvocations operation" (API_CommandFilter).
        emulate.refuse("InvalidFilterKey", "ExecutionStage cannot be used here.")
    now = emulate.now()
    found = []
    for command in _commands(response, request, now):
        if command.is_known(now):
            found += [
                (command, one)
                for one in command.invocations
                if request.get("InstanceId") in (None, one.node.instance_id)
                and all(_matches(command, (one.status, one.details), item) for item in filters)
            ]
    shown, token = emulate.page(found, request, 1, 50, 50)
    rows = [_invocation(command, one, request.get("Details")) for command, one in shown]
    return _answer("CommandInvocations", rows, token)


def get_command_invocation(response):
    """Answers with one step of one invocation and its output."""
    request = emulate.parameters(response)
    now = emulate.now()
    command = COMMANDS.here(response).get(request["CommandId"])
    one = command.by_id.get(request["InstanceId"]) if command else None
    if one is None or not command.is_known(now):
        emulate.refuse("InvocationDoesNotExist")
    command.advance(now)
    with command.lock:
        return _step_of(command, one, request.get("PluginName"))


def describe(command, now):
    """Returns the Command of SendCommand and ListCommands."""
    request = command.request
    with command.lock:
        status, details = command.status(now)
        # AWS looks for the targets after it has answered.
        is_known = command.is_known(now)
        counts = command.counts if is_known else collections.Counter()
        return {
            "CommandId": command.command_id,
            "DocumentName": command.document_name,
            "DocumentVersion": request.get("DocumentVersion", "$DEFAULT"),
            "Comment": request.get("Comment", ""),
            "ExpiresAfter": command.expires,
            "Parameters": request.get("Parameters") or {},
            "InstanceIds": request.get("InstanceIds") or [],
            "Targets": request.get("Targets") or [],
            "RequestedDateTime": command.requested,
            "Status": status,
            "StatusDetails": details,
            "OutputS3Region": command.region,
            "OutputS3BucketName": request.get("OutputS3BucketName", ""),
            "OutputS3KeyPrefix": request.get("OutputS3KeyPrefix", ""),
            "MaxConcurrency": request.get("MaxConcurrency", "50"),
            "MaxErrors": request.get("MaxErrors", "0"),
            "TargetCount": len(command.invocations) if is_known or request.get("InstanceIds") else 0,
            "CompletedCount": counts.total(),
            "ErrorCount": sum(counts[word] for word in ERRORS),
            "DeliveryTimedOutCount": counts["DeliveryTimedOut"],
            "CloudWatchOutputConfig": _logs_of(command),
            "TimeoutSeconds": command.timeout,
        }


def _commands(response, request, now):
    commands = COMMANDS.here(response)
    wanted = request.get("CommandId")
    if wanted and wanted not in commands:
        emulate.refuse("InvalidCommandId")
    # The API is eventually consistent (API_GetCommandInvocation): a list lacks what was sent a moment ago.
    asked = [commands[wanted]] if wanted else [c for c in reversed(list(commands.values())) if c.is_known(now)]
    for command in asked:
        command.advance(now)
    return asked


def _matches(command, status, item):
    key, value = item["key"], item["value"]
    if key == "Status":
        return value in status
    if key == "DocumentName":
        return value == command.document_name
    if key == "ExecutionStage":
        return value == ("Complete" if command.is_over else "Executing")
    try:
        at = datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        emulate.refuse("ValidationException", f"{value} is not a timestamp.")
    at = at if at.tzinfo else at.replace(tzinfo=datetime.timezone.utc)
    return command.requested >= at if key == "InvokedAfter" else command.requested < at


def _invocation(command, one, has_details):
    with command.lock:
        is_single = len(command.steps) == 1
        return {
            "CommandId": command.command_id,
            "InstanceId": one.node.instance_id,
            "InstanceName": one.node.name or "",
            "Comment": command.request.get("Comment", ""),
            "DocumentName": command.document_name,
            "DocumentVersion": command.request.get("DocumentVersion", "$DEFAULT"),
            "RequestedDateTime": command.requested,
            "Status": one.status,
            "StatusDetails": one.details,
            # "StandardOutputUrl is populated if there is just one plugin defined for the command."
            "StandardOutputUrl": output.url(command, one.node, command.steps[0], "stdout") if is_single else "",
            "StandardErrorUrl": output.url(command, one.node, command.steps[0], "stderr") if is_single else "",
            "CommandPlugins": [_plugin(command, one, n) for n in range(len(command.steps))] if has_details else [],
            "CloudWatchOutputConfig": _logs_of(command),
        }


def _plugin(command, one, n):
    step, result = command.steps[n], one.results[n]
    status, details = _status_of(one, result)
    plugin = {
        "Name": step.name,
        "Status": status,
        "StatusDetails": details,
        "ResponseCode": result.code if result else -1,
        "Output": result.joined if result else "",
        "StandardOutputUrl": output.url(command, one.node, step, "stdout"),
        "StandardErrorUrl": output.url(command, one.node, step, "stderr"),
    }
    if command.request.get("OutputS3BucketName"):
        plugin["OutputS3Region"] = command.region
        plugin["OutputS3BucketName"] = command.request["OutputS3BucketName"]
        plugin["OutputS3KeyPrefix"] = output.prefix(command, one.node, step)
    if result:
        plugin["ResponseStartDateTime"], plugin["ResponseFinishDateTime"] = result.started, result.ended
    return plugin


def _step_of(command, one, name):
    numbers = [n for n, step in enumerate(command.steps) if name in (None, step.name)]
    if len(numbers) != 1:
        # "If the document contains more than one step, you must specify the name of the step":
        # https://github.com/boto/boto3/issues/1811, https://github.com/awslabs/amazon-eks-ami/issues/541
        emulate.refuse("InvalidPluginName")
    step, result = command.steps[numbers[0]], one.results[numbers[0]]
    status, details = _status_of(one, result)
    return {
        "CommandId": command.command_id,
        "InstanceId": one.node.instance_id,
        "Comment": command.request.get("Comment", ""),
        "DocumentName": command.document_name,
        "DocumentVersion": command.request.get("DocumentVersion", "$DEFAULT"),
        "PluginName": step.name,
        "ResponseCode": result.code if result else -1,
        "ExecutionStartDateTime": _iso(result.started if result else one.started if status == "InProgress" else None),
        "ExecutionElapsedTime": f"PT{(result.ended - result.started).total_seconds():.3f}S" if result else "",
        "ExecutionEndDateTime": _iso(result.ended if result else None),
        "Status": status,
        "StatusDetails": details,
        "StandardOutputContent": result.standard_output if result else "",
        "StandardOutputUrl": output.url(command, one.node, step, "stdout"),
        "StandardErrorContent": result.standard_error if result else "",
        "StandardErrorUrl": output.url(command, one.node, step, "stderr"),
        "CloudWatchOutputConfig": _logs_of(command),
    }


def _status_of(one, result):
    """Returns the status of a step: its own once it has ended, else that of the invocation."""
    if result:
        return result.status, result.details
    if one.status in ENDED and one.details not in (*NOT_DELIVERED, "Cancelled"):
        return "Pending", "Pending"
    if one.status in ("Delayed", "Cancelling"):
        # API_CommandPlugin knows neither.
        return "InProgress", "InProgress"
    return one.status, one.details


def _logs_of(command):
    group = output.log_group(command)
    return {"CloudWatchLogGroupName": group or "", "CloudWatchOutputEnabled": bool(group)}


def _iso(time):
    return time.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z" if time else ""


def _answer(key, rows, token):
    return {key: rows, **({"NextToken": token} if token else {})}


def install():
    for name, function in (
        ("ListCommands", list_commands),
        ("ListCommandInvocations", list_command_invocations),
        ("GetCommandInvocation", get_command_invocation),
    ):
        emulate.operation(SimpleSystemManagerResponse, name)(function)
