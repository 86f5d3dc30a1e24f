"""Owns Run Command: SendCommand reaches managed online nodes only, and what a
command does to a node is done (AWS-UpdateSSMAgent changes the agent's version).

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCommandInvocation.html
https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html (statuses)
"""

import datetime
import uuid

import documents
import emulate
import nodes
from extension import ssm_invocations
from moto.ssm.responses import SimpleSystemManagerResponse

# Delivery timeout in seconds: botocore's model says 30 to 2,592,000, the page 3,600 by default.
DEFAULT_TIMEOUT = 3600


def send_command(response):
    """Starts a command on every target; one bad instance id refuses the whole call."""
    request = emulate.parameters(response)
    account, region = response.current_account, response.region
    document = _document(account, region, request)
    instance_ids = request.get("InstanceIds") or []
    targets = request.get("Targets") or []
    if bool(instance_ids) == bool(targets):
        emulate.refuse(
            "ValidationException", "Specify either InstanceIds or Targets, and not both."
        )
    if len(instance_ids) > 50:
        emulate.refuse("ValidationException", "InstanceIds can hold at most 50 ids.")
    if len(set(instance_ids)) != len(instance_ids):
        emulate.refuse("DuplicateInstanceId", "You cannot specify an instance ID twice.")
    chosen = _chosen(account, region, instance_ids, targets)
    for node in chosen:
        if node.platform_type not in documents.platforms(document):
            emulate.refuse(
                "UnsupportedPlatformType",
                f"The document is not supported on {node.platform_type} ({node.instance_id}).",
            )
    _check_parameters(document, request.get("Parameters") or {})
    now = emulate.now()
    timeout = request.get("TimeoutSeconds", DEFAULT_TIMEOUT)
    command = ssm_invocations.Command(
        command_id=str(uuid.uuid4()),
        document_name=request["DocumentName"],
        document_version=request.get("DocumentVersion", "$DEFAULT"),
        requested=now,
        expires=now + datetime.timedelta(seconds=timeout),
        timeout=timeout,
        request=request,
        instance_ids=instance_ids,
        nodes=chosen,
    )
    command.prepare(nodes.REGIONS.of(account, region).latest_agent)
    ssm_invocations.COMMANDS.of(account, region)[command.command_id] = command
    return {"Command": command.describe(now)}


def _document(account, region, request):
    name = request["DocumentName"]
    document = documents.find(account, region, name)
    if document is None or document.document_type != "Command":
        emulate.refuse("InvalidDocument", f"Document with name {name} does not exist.")
    version = request.get("DocumentVersion", "$DEFAULT")
    if version not in ("$DEFAULT", "$LATEST") and not (
        version.isdigit() and int(version) in document.versions
    ):
        emulate.refuse("InvalidDocumentVersion", f"Version {version} does not exist.")
    return document


def _chosen(account, region, instance_ids, targets):
    chosen = []
    for instance_id in instance_ids:
        node = nodes.online(account, region, instance_id)
        if node is None:
            emulate.refuse(
                "InvalidInstanceId",
                f"Instances [[{instance_id}]] not in a valid state for account {account}",
            )
        chosen.append(node)
    if targets:
        chosen = [
            node
            for node in nodes.visible(account, region)
            if node.ping == "Online"
            and all(_targeted(account, region, node, target) for target in targets)
        ]
    return chosen


def _targeted(account, region, node, target):
    key, values = target["Key"], target.get("Values") or []
    if key == "InstanceIds":
        return node.instance_id in values or "*" in values
    tags = nodes.tags_of(account, region, node)
    if key == "tag-key":
        return bool(set(tags) & set(values))
    return key.startswith("tag:") and tags.get(key[4:]) in values


def _check_parameters(document, given):
    known = document.versions[document.default].parsed.get("parameters") or {}
    for name, values in given.items():
        if name not in known:
            emulate.refuse("InvalidParameters", f"Parameter {name} is not in the document.")
        if not isinstance(values, list):
            emulate.refuse("InvalidParameters", f"Parameter {name} must be a list of strings.")


def install():
    emulate.operation(SimpleSystemManagerResponse, "SendCommand")(send_command)
