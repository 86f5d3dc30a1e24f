"""Owns sending commands and cancelling them.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CancelCommand.html
"""

import json
import uuid

import control
import document_content
import documents
import emulate
from extension import ssm_command_clock, ssm_command_state, ssm_command_steps, ssm_command_targets, ssm_invocations
from moto.ssm.responses import SimpleSystemManagerResponse


def send_command(response):
    """Starts a command on every target."""
    request = emulate.parameters(response)
    account, region = response.current_account, response.region
    document = _document(account, region, request)
    targets = ssm_command_targets.chosen(account, region, request)
    platforms = documents.platforms(document)
    for node in targets if request.get("InstanceIds") else []:
        # Of nodes that a target matched, those of another platform become invocations that say so.
        if node.platform_type not in platforms:
            emulate.refuse(
                "UnsupportedPlatformType",
                f"The document is not supported on {node.platform_type} ({node.instance_id}).",
            )
    version = _version(document, request)
    _check_size(version, request)
    steps = ssm_command_steps.steps_of(document, version, request.get("Parameters") or {}, account, region)
    now = emulate.now()
    command = ssm_command_state.Command(str(uuid.uuid4()), account, region, request, targets, steps, platforms, now)
    ssm_command_state.COMMANDS.of(account, region)[command.command_id] = command
    ssm_command_clock.watch(command)
    return {"Command": ssm_invocations.describe(command, now)}


def cancel_command(response):
    """Cancels a command on all nodes or on some; what has ended stays as it is."""
    request = emulate.parameters(response)
    command = ssm_command_state.COMMANDS.here(response).get(request["CommandId"])
    if command is None:
        emulate.refuse("InvalidCommandId")
    instance_ids = request.get("InstanceIds") or []
    if len(set(instance_ids)) != len(instance_ids):
        emulate.refuse("DuplicateInstanceId", "You cannot specify an instance ID twice.")
    if set(instance_ids) - set(command.by_id):
        emulate.refuse("InvalidInstanceId", "The command was not sent to all of these nodes.")
    now = emulate.now()
    command.advance(now)
    command.cancel(instance_ids, now)
    ssm_command_clock.watch(command)
    return {}


def _document(account, region, request):
    name = request["DocumentName"]
    document = documents.find(account, region, name)
    if document is None or document.document_type != "Command":
        emulate.refuse("InvalidDocument", f"Document with name {name} does not exist.")
    return document


def _version(document, request):
    version = request.get("DocumentVersion", "$DEFAULT")
    number = {"$DEFAULT": document.default, "$LATEST": document.latest}.get(version) or int(version)
    if number not in document.versions:
        emulate.refuse("InvalidDocumentVersion", f"Version {version} does not exist.")
    return document.versions[number]


def _check_size(version, request):
    """Refuses what is too large to send: the script is in the parameters.

    "The content of the document must not exceed 64KB. This quota also includes the content specified for input
    parameters at runtime." (API_CreateDocument, Content; SendCommand lists the error.)
    """
    given = request.get("Parameters") or {}
    texts = [version.content, *given, *(value for values in given.values() for value in values)]
    if sum(len(text.encode()) for text in texts) > document_content.MAXIMUM_BYTES:
        emulate.refuse("MaxDocumentSizeExceeded", "The size limit of a document is 64 KB.")


@control.route("GET", "/_sandbox/runs")
def get_runs(query, _body):
    """Prints how often each node of an account ran which command, one JSON object per line."""
    lines = []
    for (account, region), commands in ssm_command_state.COMMANDS.everywhere().items():
        if query.get("account") in (None, account):
            for command in list(commands.values()):
                lines += [json.dumps(_run(command, one)) + "\n" for one in command.invocations if one.n_runs]
    return 200, "".join(lines).encode()


def _run(command, one):
    return {
        "account": command.account,
        "region": command.region,
        "instance_id": one.node.instance_id,
        "command_id": command.command_id,
        "document": command.document_name,
        "comment": command.request.get("Comment", ""),
        "runs": one.n_runs,
    }


def install():
    emulate.operation(SimpleSystemManagerResponse, "SendCommand")(send_command)
    emulate.operation(SimpleSystemManagerResponse, "CancelCommand")(cancel_command)
