"""Owns CloudFormation's operations on stack sets, and what they refuse.

Operations and errors: botocore cloudformation/2010-05-15.
"""

import re

import emulate
from moto.organizations.models import FakeDelegatedAdministrator

from . import cloudformation_parameters as parameters
from . import cloudformation_sets as sets
from . import cloudformation_stacks as stacks
from .cloudformation import is_true, operation, text_of
from .cloudformation_set_operations import PREFERENCES, Operation, check_preferences, follow_moves, start
from .cloudformation_template import Invalid, NotEmulated

NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,127}")


def _organization(response, management):
    organization = sets.organization_of(management, response.partition)
    if organization is None or organization.account_id != management or management not in sets.TRUSTING:
        raise Invalid("You must enable organizations access to operate a service managed stack set")
    return organization


def _found(response, request):
    return sets.find(sets.owner(response, request.get("CallAs")), response.region, request["StackSetName"])


def _page(items, request):
    """Lists come in pages of up to 100 (MaxResults)."""
    size, begin = int(request.get("MaxResults", 100)), int(request.get("NextToken", 0))
    page = {"Summaries": items[begin : begin + size]}
    return page | ({"NextToken": str(begin + size)} if begin + size < len(items) else {})


@operation("ActivateOrganizationsAccess")
def activate_organizations_access(response, _request):
    """Lets StackSets into the organization; only the management account may.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs-activate-trusted-access.html
    """
    organization = sets.organization_of(response.current_account, response.partition)
    if organization is None or organization.account_id != response.current_account:
        raise Invalid("Only the management account of an organization can activate organizations access")
    sets.TRUSTING.add(response.current_account)
    return {}


@operation("DescribeOrganizationsAccess")
def describe_organizations_access(response, request):
    """Says whether StackSets may work in the organization."""
    management = sets.owner(response, request.get("CallAs"))
    return {"Status": "ENABLED" if management in sets.TRUSTING else "DISABLED"}


@operation("CreateStackSet")
def create_stack_set(response, request):
    """Makes a set without instances."""
    if request.get("PermissionModel") != "SERVICE_MANAGED":
        raise NotEmulated("the sandbox emulates stack sets with service-managed permissions only")
    if is_true((request.get("ManagedExecution") or {}).get("Active")):
        raise NotEmulated("the sandbox does not emulate ManagedExecution of stack sets")
    name = request["StackSetName"]
    if not NAME.fullmatch(name):
        raise Invalid(f"1 validation error detected: Value '{name}' at 'stackSetName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]{{0,127}}")
    if "AutoDeployment" not in request:
        # "Required if the permissions model is SERVICE_MANAGED." (CreateStackSet, AutoDeployment)
        raise Invalid("AutoDeployment is required for a stack set with service-managed permissions")
    management = sets.owner(response, request.get("CallAs"))
    _organization(response, management)
    template, values = stacks.prepare(text_of(response, request), request.get("Parameters", []), request.get("Capabilities", []))
    with sets.lock(management):
        existing = sets.SETS.of(management, response.region)
        token = request.get("ClientRequestToken")
        if name in existing and token and existing[name].token == token:
            return {"StackSetId": existing[name].id}
        if name in existing:
            emulate.refuse("NameAlreadyExistsException", f"StackSet {name} already exists")
        made = sets.StackSet(management, response.region, name)
        made.template, made.values, made.description = template, values, request.get("Description")
        made.tags, made.capabilities = request.get("Tags", []), request.get("Capabilities", [])
        made.auto_deployment, made.token = _auto_deployment(request), token
        existing[name] = made
    return {"StackSetId": made.id}


def _auto_deployment(request):
    given = request["AutoDeployment"]
    if given.get("DependsOn"):
        raise NotEmulated("the sandbox does not emulate DependsOn of stack sets")
    settled = {"Enabled": is_true(given.get("Enabled"))}
    if settled["Enabled"]:
        settled["RetainStacksOnAccountRemoval"] = is_true(given.get("RetainStacksOnAccountRemoval"))
    return settled


@operation("DescribeStackSet")
def describe_stack_set(response, request):
    """Describes all of a set but its instances."""
    one = _found(response, request)
    described = {
        "StackSetName": one.name, "StackSetId": one.id, "Description": one.description, "Status": "ACTIVE", "TemplateBody": one.template.text,
        "Parameters": parameters.described(one.template, one.values), "Capabilities": one.capabilities, "Tags": one.tags,
        "StackSetARN": f"arn:{response.partition}:cloudformation:{one.region}:{one.management}:stackset/{one.id}",
        "AutoDeployment": one.auto_deployment, "PermissionModel": "SERVICE_MANAGED",
        "OrganizationalUnitIds": sorted({unit for units, _, _, _ in one.targets for unit in units}),
        "Regions": sorted({region for _, region in one.instances}), "ManagedExecution": {"Active": False},
    }
    return {"StackSet": {key: value for key, value in described.items() if value is not None}}


@operation("ListStackSets")
def list_stack_sets(response, request):
    """Lists the sets of a Region."""
    found = sets.SETS.of(sets.owner(response, request.get("CallAs")), response.region).values()
    return _page([{"StackSetName": one.name, "StackSetId": one.id, "Status": "ACTIVE", "PermissionModel": "SERVICE_MANAGED",
                   "AutoDeployment": one.auto_deployment} for one in found], request)


def _operation_of(stack_set, request, action, places, retain=False):
    """Returns an operation that may start: none is under way, and its id is new."""
    preferences = request.get("OperationPreferences") or {}
    unknown = set(preferences) - PREFERENCES
    if unknown:
        raise Invalid(f"unknown operation preferences: {', '.join(sorted(unknown))}")
    check_preferences(preferences, request.get("Regions") or {region for _, region in places})
    if request.get("OperationId") in stack_set.operations:
        emulate.refuse("OperationIdAlreadyExistsException", f"Operation {request['OperationId']} already exists")
    if stack_set.running():
        emulate.refuse("OperationInProgressException", "Another Operation on StackSet is in progress: only one operation can be performed at a given time")
    return Operation(action, preferences, request.get("OperationId"), retain, request.get("DeploymentTargets"))


def _places(organization, request):
    """Returns {(account, region): unit} that a request is for."""
    given = request.get("DeploymentTargets") or {}
    sets.check_targets(organization, given)
    if not request.get("Regions"):
        raise Invalid("Regions are required")
    found = sets.accounts_of(organization, given["OrganizationalUnitIds"], given.get("AccountFilterType", "NONE"), given.get("Accounts", []))
    return {(account, region): unit for region in request["Regions"] for account, unit in found.items()}


@operation("CreateStackInstances")
def create_stack_instances(response, request):
    """Makes the stacks that are missing, and again those that failed."""
    if request.get("ParameterOverrides"):
        raise NotEmulated("the sandbox does not emulate ParameterOverrides")
    one = _found(response, request)
    organization = _organization(response, one.management)
    places = _places(organization, request)
    with sets.lock(one.management):
        begun = _operation_of(one, request, "CREATE", places)
        given = request["DeploymentTargets"]
        target = (given["OrganizationalUnitIds"], given.get("AccountFilterType", "NONE"), given.get("Accounts", []), request["Regions"])
        if target not in one.targets:
            one.targets.append(target)
        return {"OperationId": start(one, begun, places)}


@operation("UpdateStackSet")
def update_stack_set(response, request):
    """Changes the set, and its stacks: all, or those of the targets and Regions that are given."""
    one = _found(response, request)
    organization = _organization(response, one.management)
    if "AutoDeployment" in request and ("DeploymentTargets" in request or "Regions" in request):
        raise Invalid("If you specify AutoDeployment, don't specify DeploymentTargets or Regions")
    template, values = stacks.prepare(text_of(response, request, one.template.text), request.get("Parameters", []),
                                      request.get("Capabilities", []), one.values)
    if "DeploymentTargets" in request or "Regions" in request:
        places = _places(organization, request)
        missing = [place for place in places if place not in one.instances]
        if missing:
            emulate.refuse("StackInstanceNotFoundException", f"Stack instance not found: {missing[0]}")
    else:
        places = {place: instance.unit for place, instance in one.instances.items() if instance.status != "INOPERABLE"}
    with sets.lock(one.management):
        begun = _operation_of(one, request, "UPDATE", places)
        if (template.text, values) != (one.template.text, one.values):
            for instance in one.instances.values():
                instance.status = "OUTDATED"
        one.template, one.values = template, values
        one.description = request.get("Description", one.description)
        one.tags, one.capabilities = request.get("Tags", one.tags), request.get("Capabilities", [])
        if "AutoDeployment" in request:
            one.auto_deployment = _auto_deployment(request)
        return {"OperationId": start(one, begun, places)}


@operation("DeleteStackInstances")
def delete_stack_instances(response, request):
    """Takes instances out of the set, and deletes their stacks unless they are to be kept."""
    one = _found(response, request)
    places = _places(_organization(response, one.management), request)
    with sets.lock(one.management):
        present = {place: unit for place, unit in places.items() if place in one.instances}
        begun = _operation_of(one, request, "DELETE", present, is_true(request["RetainStacks"]))
        units = set(request["DeploymentTargets"]["OrganizationalUnitIds"])
        left = []
        for of, kind, accounts, regions in one.targets:
            if request["DeploymentTargets"].get("AccountFilterType", "NONE") == "NONE" and set(of) <= units:
                regions = [region for region in regions if region not in request["Regions"]]
            if regions:
                left.append((of, kind, accounts, regions))
        one.targets = left
        return {"OperationId": start(one, begun, present)}


@operation("DeleteStackSet")
def delete_stack_set(response, request):
    """Deletes a set that has no instances."""
    one = _found(response, request)
    with sets.lock(one.management):
        if one.running():
            emulate.refuse("OperationInProgressException", "Another Operation on StackSet is in progress")
        if one.instances:
            emulate.refuse("StackSetNotEmptyException", "StackSet is not empty")
        del sets.SETS.of(one.management, one.region)[one.name]
    return {}


def _summary(instance, stack_set):
    described = {
        "StackSetId": stack_set.id, "Region": instance.region, "Account": instance.account, "OrganizationalUnitId": instance.unit,
        "StackId": instance.stack.id if instance.stack else None, "Status": instance.status, "StatusReason": instance.reason,
        "StackInstanceStatus": {"DetailedStatus": instance.detailed}, "LastOperationId": instance.operation, "DriftStatus": "NOT_CHECKED",
    }
    return {key: value for key, value in described.items() if value is not None}


@operation("ListStackInstances")
def list_stack_instances(response, request):
    """Lists instances, all or those of an account or Region."""
    if request.get("Filters"):
        raise NotEmulated("the sandbox does not emulate Filters of ListStackInstances")
    one = _found(response, request)
    return _page([_summary(instance, one) for (account, region), instance in sorted(one.instances.items())
                  if request.get("StackInstanceAccount") in (None, account) and request.get("StackInstanceRegion") in (None, region)], request)


@operation("DescribeStackInstance")
def describe_stack_instance(response, request):
    """Describes one instance."""
    one = _found(response, request)
    instance = one.instances.get((request["StackInstanceAccount"], request["StackInstanceRegion"]))
    if instance is None:
        emulate.refuse("StackInstanceNotFoundException", "The specified stack instance doesn't exist.")
    return {"StackInstance": _summary(instance, one)}


def _operation(response, request):
    one = _found(response, request)
    if request["OperationId"] not in one.operations:
        emulate.refuse("OperationNotFoundException", f"Operation {request['OperationId']} not found")
    return one, one.operations[request["OperationId"]]


def _reported(stack_set, one):
    described = {
        "OperationId": one.id, "StackSetId": stack_set.id, "Action": one.action, "Status": one.status, "StatusReason": one.reason,
        "OperationPreferences": one.preferences, "RetainStacks": one.retain if one.action == "DELETE" else None,
        "CreationTimestamp": one.begun, "EndTimestamp": one.ended, "DeploymentTargets": one.targets,
        "StatusDetails": {"FailedStackInstancesCount": one.failed()},
    }
    return {key: value for key, value in described.items() if value is not None}


@operation("DescribeStackSetOperation")
def describe_stack_set_operation(response, request):
    """Describes how an operation stands."""
    return {"StackSetOperation": _reported(*_operation(response, request))}


@operation("ListStackSetOperations")
def list_stack_set_operations(response, request):
    """Lists operations, the newest first."""
    one = _found(response, request)
    keys = ("OperationId", "Action", "Status", "StatusReason", "CreationTimestamp", "EndTimestamp", "OperationPreferences", "StatusDetails")
    found = [{key: value for key, value in _reported(one, each).items() if key in keys} for each in reversed(one.operations.values())]
    return _page(found, request)


@operation("ListStackSetOperationResults")
def list_stack_set_operation_results(response, request):
    """Lists what became of each account and Region."""
    _, one = _operation(response, request)
    return _page([dict(result) for result in one.results.values()], request)


@operation("StopStackSetOperation")
def stop_stack_set_operation(response, request):
    """"StackSets will cancel all the unstarted stack instance deployments and wait for those are in-progress to complete.\""""
    _, one = _operation(response, request)
    if one.status != "RUNNING":
        emulate.refuse("InvalidOperationException", f"Operation {one.id} is {one.status} and cannot be stopped")
    one.status = "STOPPING"
    return {}


def install():
    follow_moves()
    if sets.DELEGATED not in FakeDelegatedAdministrator.SUPPORTED_SERVICES:
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs-delegated-admin.html
        FakeDelegatedAdministrator.SUPPORTED_SERVICES.append(sets.DELEGATED)
