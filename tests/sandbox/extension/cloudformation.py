"""Owns CloudFormation's operations on stacks and templates.

moto's CloudFormation skips types and properties that it does not know and writes past what the services refuse, so none of it is used.
Operations: botocore cloudformation/2010-05-15.
"""

import functools
import re
from urllib.parse import urlsplit

import emulate
from moto.core.responses import BaseResponse
from moto.s3.models import s3_backends

from . import cloudformation_parameters as parameters
from . import cloudformation_stacks as stacks
from .cloudformation_stack import STACKS, Stack, find
from .cloudformation_template import Invalid, NotEmulated, Template


class CloudFormationResponse(BaseResponse):
    """Where requests to CloudFormation arrive."""

    def __init__(self):
        super().__init__(service_name="cloudformation")
        self.automated_parameter_parsing = True


def operation(name):
    """Makes a function of (response, request) an operation, and its refusals CloudFormation's."""

    def register(function):
        @functools.wraps(function)
        def answer(response):
            try:
                return function(response, _plain(response.params))
            except Invalid as error:
                emulate.refuse("ValidationError", str(error))
            except NotEmulated as error:
                emulate.refuse("NotEmulated", str(error))

        emulate.operation(CloudFormationResponse, name)(answer)
        return function

    return register


def _plain(value):
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in dict(value).items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def is_true(value):
    """Reads a boolean of a request, whichever way it was parsed."""
    return str(value).lower() == "true"


def text_of(response, request, previous=None):
    """Returns the template of a request."""
    if is_true(request.get("UsePreviousTemplate")):
        return previous
    if "TemplateURL" in request:
        return _from_bucket(response, request["TemplateURL"])
    if not request.get("TemplateBody"):
        raise Invalid("Either Template URL or Template Body must be specified.")
    return request["TemplateBody"]


def _from_bucket(response, url):
    """A template's URL points to an object in S3, in the path or the virtual-hosted style."""
    place = urlsplit(url)
    found = re.match(r"(?:(?P<bucket>.+)\.)?s3[.-]", place.netloc)
    bucket, key = (found["bucket"], place.path[1:]) if found and found["bucket"] else place.path[1:].partition("/")[::2]
    owner = s3_backends[response.current_account][response.partition].buckets.get(bucket)
    if owner is None or key not in owner.keys:
        raise Invalid("S3 error: The specified key does not exist.")
    return owner.keys[key].value.decode()


def _stack(response, name, deleted_too=True):
    stack = find(response.current_account, response.region, name)
    if stack is None or (stack.status == "DELETE_COMPLETE" and not deleted_too):
        raise Invalid(f"Stack with id {name} does not exist")
    return stack


@operation("CreateStack")
def create_stack(response, request):
    """Makes a stack; answers when it is made or rolled back."""
    name = request["StackName"]
    if not re.fullmatch(r"[a-zA-Z][-a-zA-Z0-9]{0,127}", name):
        raise Invalid(f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*")
    if find(response.current_account, response.region, name):
        emulate.refuse("AlreadyExistsException", f"Stack [{name}] already exists")
    for ignored in ("RoleARN", "NotificationARNs", "StackPolicyBody", "StackPolicyURL", "RollbackConfiguration", "ResourceTypes"):
        if request.get(ignored):
            raise NotEmulated(f"the sandbox does not emulate {ignored} of stacks")
    template, values = stacks.prepare(text_of(response, request), request.get("Parameters", []), request.get("Capabilities", []))
    stack = Stack(response.current_account, response.region, name)
    stack.tags, stack.capabilities = request.get("Tags", []), request.get("Capabilities", [])
    stack.protected = is_true(request.get("EnableTerminationProtection"))
    on_failure = "DO_NOTHING" if is_true(request.get("DisableRollback")) else request.get("OnFailure", "ROLLBACK")
    stacks.create(stack, template, values, on_failure)
    return {"StackId": stack.id}


@operation("UpdateStack")
def update_stack(response, request):
    """Changes a stack; answers when it is changed or rolled back."""
    stack = _stack(response, request["StackName"], deleted_too=False)
    if not re.fullmatch(r"(CREATE|UPDATE|UPDATE_ROLLBACK|IMPORT)_COMPLETE", stack.status):
        raise Invalid(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
    template, values = stacks.prepare(text_of(response, request, stack.template.text), request.get("Parameters", []),
                                      request.get("Capabilities", []), stack.values)
    if not stacks.is_changed(stack, template, values):
        raise Invalid("No updates are to be performed.")
    stack.capabilities = request.get("Capabilities", [])
    stack.tags = request.get("Tags", stack.tags)
    stacks.update(stack, template, values)
    return {"StackId": stack.id}


@operation("DeleteStack")
def delete_stack(response, request):
    """Deletes a stack; one that is not there is as good."""
    stack = find(response.current_account, response.region, request["StackName"])
    if stack is None or stack.status == "DELETE_COMPLETE":
        return {}
    if stack.protected:
        raise Invalid(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
    stacks.delete(stack, request.get("RetainResources", []))
    return {}


def _described(stack):
    described = {
        "StackId": stack.id, "StackName": stack.name, "Description": stack.template.description, "CreationTime": stack.created,
        "LastUpdatedTime": stack.updated, "DeletionTime": stack.deleted, "StackStatus": stack.status, "StackStatusReason": stack.reason,
        "Parameters": parameters.described(stack.template, stack.values), "Outputs": stack.outputs, "Tags": stack.tags,
        "Capabilities": stack.capabilities, "DisableRollback": stack.rollback_disabled, "EnableTerminationProtection": stack.protected,
        "NotificationARNs": [], "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
    }
    return {key: value for key, value in described.items() if value is not None}


@operation("DescribeStacks")
def describe_stacks(response, request):
    """Describes one stack, or of all that are not deleted."""
    if request.get("StackName"):
        return {"Stacks": [_described(_stack(response, request["StackName"]))]}
    found = STACKS.here(response).values()
    return {"Stacks": [_described(stack) for stack in found if stack.status != "DELETE_COMPLETE"]}


@operation("ListStacks")
def list_stacks(response, request):
    """Lists stacks, deleted ones too."""
    wanted = request.get("StackStatusFilter")
    keys = ("StackId", "StackName", "CreationTime", "LastUpdatedTime", "DeletionTime", "StackStatus", "StackStatusReason", "DriftInformation")
    summaries = [{key: value for key, value in _described(stack).items() if key in keys} for stack in STACKS.here(response).values()]
    return {"StackSummaries": [one for one in summaries if not wanted or one["StackStatus"] in wanted]}


@operation("DescribeStackEvents")
def describe_stack_events(response, request):
    """Describes what happened, the newest first."""
    return {"StackEvents": list(reversed(_stack(response, request["StackName"]).events))}


def _resources(stack):
    return [
        {key: value for key, value in {
            "StackName": stack.name, "StackId": stack.id, "LogicalResourceId": one.logical_id, "PhysicalResourceId": one.physical_id,
            "ResourceType": one.kind, "Timestamp": one.at, "LastUpdatedTimestamp": one.at, "ResourceStatus": one.status,
            "ResourceStatusReason": one.reason,
        }.items() if value is not None}
        for one in stack.resources.values()
    ]


@operation("DescribeStackResources")
def describe_stack_resources(response, request):
    """Describes all resources of a stack, or of one."""
    found = _resources(_stack(response, request["StackName"]))
    wanted = request.get("LogicalResourceId")
    return {"StackResources": [one for one in found if wanted in (None, one["LogicalResourceId"])]}


@operation("DescribeStackResource")
def describe_stack_resource(response, request):
    """Describes one resource of a stack."""
    name = request["LogicalResourceId"]
    for one in _resources(_stack(response, request["StackName"])):
        if one["LogicalResourceId"] == name:
            return {"StackResourceDetail": one}
    raise Invalid(f"Resource {name} does not exist for stack {request['StackName']}")


@operation("ListStackResources")
def list_stack_resources(response, request):
    """Lists the resources of a stack."""
    return {"StackResourceSummaries": _resources(_stack(response, request["StackName"]))}


@operation("GetTemplate")
def get_template(response, request):
    """Returns the template as it was given."""
    return {"TemplateBody": _stack(response, request["StackName"]).template.text, "StagesAvailable": ["Original", "Processed"]}


@operation("ValidateTemplate")
def validate_template(response, request):
    """Says whether a template is well-formed, and what it needs."""
    template = Template(text_of(response, request))
    declared = [{"ParameterKey": name, "DefaultValue": one.get("Default"), "NoEcho": is_true(one.get("NoEcho")), "Description": one.get("Description")}
                for name, one in template.parameters.items()]
    return {"Parameters": [{key: value for key, value in one.items() if value is not None} for one in declared],
            "Description": template.description}


@operation("GetTemplateSummary")
def get_template_summary(response, request):
    """Says what a template has and needs, before it is used."""
    for other in ("StackName", "StackSetName"):
        if request.get(other):
            raise NotEmulated(f"the sandbox does not emulate {other} of GetTemplateSummary")
    template = Template(text_of(response, request))
    declared = [{"ParameterKey": name, "DefaultValue": None if one.get("Default") is None else str(one["Default"]), "ParameterType": one.get("Type"),
                 "NoEcho": is_true(one.get("NoEcho")), "Description": one.get("Description")} for name, one in template.parameters.items()]
    need = stacks.capability(template)
    described = {
        "Parameters": [{key: value for key, value in one.items() if value is not None} for one in declared], "Description": template.description,
        "Capabilities": [need] if need else [], "ResourceTypes": sorted({one["Type"] for one in template.resources.values()}),
        "CapabilitiesReason": f"The following resource(s) require capabilities: [{need}]" if need else None, "Version": "2010-09-09",
    }
    return {key: value for key, value in described.items() if value is not None}


def install():
    emulate.service("cloudformation", CloudFormationResponse)
    emulate.makes_calls("cloudformation")
