"""Owns how stacks come about, change, roll back and go, one resource after another.

A stack is as it will be when the call that asks for it is answered; AWS takes minutes for that.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html#cfn-stack-status-codes
"""

import re

import emulate

from . import cloudformation_parameters as parameters
from . import cloudformation_schema as schema
from .cloudformation_resources import Failed, carry_out, check
from .cloudformation_stack import STACKS, Resource, Scope, lock
from .cloudformation_template import Invalid, NotEmulated, Template, references, resolve

NAMED_IAM = {"AWS::IAM::Role": "RoleName", "AWS::IAM::ManagedPolicy": "ManagedPolicyName", "AWS::IAM::InstanceProfile": "InstanceProfileName",
             "AWS::IAM::User": "UserName", "AWS::IAM::Group": "GroupName"}


def prepare(text, given, capabilities, previous=None):
    """Returns the template and the values of its parameters, or refuses the request as CreateStack does."""
    if len(text.encode()) > 51_200:
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
        raise Invalid("1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to 51200")
    template = Template(text)
    values = parameters.settle(template, given, previous)
    kinds = {name: resource["Type"] for name, resource in template.resources.items()}
    unknown = sorted({kind for kind in kinds.values() if schema.of(kind) is None})
    if unknown:
        raise Invalid(f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]")
    for part in [*template.resources.values(), *template.outputs.values()]:
        for name, attribute in references(part):
            if attribute and kinds.get(name) and attribute not in schema.attributes(kinds[name]) and not _is_property(kinds[name], attribute):
                raise Invalid(f"Template error: resource {name} does not support attribute type {attribute} in Fn::GetAtt")
    _check_capabilities(template, capabilities)
    return template, values


def _is_property(kind, attribute):
    # "QueueName" of a queue is a property which the page names as an attribute, too.
    return kind == "AWS::SQS::Queue" and attribute == "QueueName"


def capability(template):
    """Returns the capability that a template needs, or None.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/control-access-with-iam.html#using-iam-capabilities
    """
    of_iam = [one for one in template.resources.values() if one["Type"].startswith("AWS::IAM::")]
    named = [one for one in of_iam if NAMED_IAM.get(one["Type"]) in (one.get("Properties") or {})]
    return "CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM" if of_iam else None


def _check_capabilities(template, capabilities):
    need = capability(template)
    if need and need not in capabilities and "CAPABILITY_NAMED_IAM" not in capabilities:
        emulate.refuse("InsufficientCapabilitiesException", f"Requires capabilities : [{need}]")


def create(stack, template, values, on_failure="ROLLBACK"):
    """Makes a stack; what went wrong shows in its status and its events."""
    with lock(stack.account, stack.region):
        stack.template, stack.values = template, values
        stack.rollback_disabled = on_failure == "DO_NOTHING"
        scope = Scope(stack, template, values)
        order = template.order(scope.conditions)
        STACKS.of(stack.account, stack.region)[stack.id] = stack
        stack.turn("CREATE_IN_PROGRESS", "User Initiated")
        failed = None
        for name in order:
            failed = _create_one(stack, template, scope, name, "CREATE")
            if failed:
                break
        message = f"The following resource(s) failed to create: [{failed}]. " if failed else _set_outputs(stack, template, scope)
        if not message:
            stack.turn("CREATE_COMPLETE")
            return
        if on_failure == "DO_NOTHING":
            stack.turn("CREATE_FAILED", message)
            return
        stack.turn("ROLLBACK_IN_PROGRESS", message + "Rollback requested by user.")
        left = _delete_all(stack, lambda resource: resource.declared.get("DeletionPolicy") == "Retain")
        stack.turn("ROLLBACK_FAILED" if left else "ROLLBACK_COMPLETE", left)
        if on_failure == "DELETE" and not left:
            stack.deleted = emulate.now()
            stack.turn("DELETE_COMPLETE")


def _create_one(stack, template, scope, name, verb):
    """Makes one resource; returns its name if that failed."""
    resource = Resource(name, template.resources[name])
    stack.resources[name] = resource
    place = stack.place(name)
    stack.turn(f"{verb}_IN_PROGRESS", None, resource)
    try:
        resource.properties = check(resource.kind, resolve(resource.declared.get("Properties", {}), scope))
        resource.physical_id, resource.attributes = carry_out("create", resource.kind, place, resource.properties)
    except Exception as error:  # noqa: BLE001 - a resource fails, and the reason is reported.
        stack.turn(f"{verb}_FAILED", _reason(error), resource)
        resource.physical_id = None
        return name
    stack.turn(f"{verb}_COMPLETE", None, resource)
    return None


def _reason(error):
    if isinstance(error, (Failed, Invalid, NotEmulated)):
        return str(error)
    return f"{type(error).__name__}: {error}"


def _set_outputs(stack, template, scope):
    """Gives a stack its outputs; returns why, if that fails."""
    try:
        outputs = _outputs(template, scope)
    except Exception as error:  # noqa: BLE001 - a stack fails, and the reason is reported.
        return _reason(error)
    stack.outputs = outputs
    return None


def _outputs(template, scope):
    outputs = []
    for name, output in template.outputs.items():
        if scope.conditions.get(output.get("Condition"), True):
            made = {"OutputKey": name, "OutputValue": str(resolve(output["Value"], scope)), "Description": output.get("Description")}
            if "Export" in output:
                made["ExportName"] = resolve(output["Export"]["Name"], scope)
            outputs.append({key: value for key, value in made.items() if value is not None})
    return outputs


def _delete_all(stack, is_kept):
    """Deletes the resources, the last made first; returns what to report if some could not be."""
    left = []
    for name, resource in reversed(list(stack.resources.items())):
        if resource.physical_id is None or resource.status == "DELETE_COMPLETE":
            # It was never made, or went in an earlier try: nothing of it is left.
            resource.status = "DELETE_COMPLETE"
        elif is_kept(resource):
            stack.turn("DELETE_SKIPPED", None, resource)
        elif _delete_one(stack, resource):
            left.append(name)
    return f"The following resource(s) failed to delete: [{', '.join(left)}]. " if left else None


def _delete_one(stack, resource):
    stack.turn("DELETE_IN_PROGRESS", None, resource)
    try:
        carry_out("delete", resource.kind, stack.place(resource.logical_id), resource.physical_id, resource.properties)
    except Exception as error:  # noqa: BLE001 - a resource fails, and the reason is reported.
        stack.turn("DELETE_FAILED", _reason(error), resource)
        return True
    stack.turn("DELETE_COMPLETE", None, resource)
    return False


def delete(stack, retained=()):
    """Deletes a stack and what its resources' policies let go.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
    """
    with lock(stack.account, stack.region):
        stack.turn("DELETE_IN_PROGRESS", "User Initiated")
        left = _delete_all(stack, lambda one: one.logical_id in retained or one.declared.get("DeletionPolicy", "Delete") != "Delete")
        if left:
            stack.turn("DELETE_FAILED", left)
        else:
            stack.deleted = emulate.now()
            stack.turn("DELETE_COMPLETE")


def is_changed(stack, template, values):
    """Returns whether an update would do anything."""
    return (stack.template.resources, stack.template.outputs, stack.template.conditions, stack.values) != (
        template.resources, template.outputs, template.conditions, values)


def update(stack, template, values):
    """Changes a stack; if a resource fails, all goes back to how it was."""
    with lock(stack.account, stack.region):
        scope = Scope(stack, template, values)
        order = template.order(scope.conditions)
        before = dict(stack.resources)
        was = stack.template, stack.values, {name: (one.properties, one.attributes, one.declared) for name, one in before.items()}
        stack.updated = emulate.now()
        stack.turn("UPDATE_IN_PROGRESS", "User Initiated")
        replaced = []
        failed = None
        for name in order:
            if name not in before or before[name].status == "DELETE_COMPLETE":
                failed = _create_one(stack, template, scope, name, "CREATE")
            else:
                failed = _update_one(stack, template, scope, before[name], replaced)
            if failed:
                break
        message = f"The following resource(s) failed to update: [{failed}]. " if failed else _set_outputs(stack, template, scope)
        if message:
            _go_back(stack, failed, message, before, was)
            return
        stack.template, stack.values = template, values
        stack.turn("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        for old in replaced:
            if old.declared.get("UpdateReplacePolicy", "Delete") == "Delete":
                _delete_one(stack, old)
        for name in [name for name in before if name not in order]:
            gone = stack.resources.pop(name)
            if gone.physical_id is None or gone.declared.get("DeletionPolicy", "Delete") != "Delete":
                stack.turn("DELETE_SKIPPED", None, gone)
            else:
                _delete_one(stack, gone)
        stack.turn("UPDATE_COMPLETE")


def _update_one(stack, template, scope, resource, replaced):
    """Changes one resource if its properties changed; returns its name if that failed."""
    declared = template.resources[resource.logical_id]
    try:
        if declared["Type"] != resource.kind:
            raise Invalid(f"Update of resource type is not permitted. The new template modifies resource type of the following resources: [{resource.logical_id}]")
        properties = check(declared["Type"], resolve(declared.get("Properties", {}), scope))
        if properties == resource.properties:
            resource.declared = declared
            return None
        anew = schema.replaced_by(resource.kind, resource.properties, properties)
        if anew:
            return _replace(stack, template, scope, resource, properties, replaced)
        stack.turn("UPDATE_IN_PROGRESS", None, resource)
        attributes = carry_out("update", resource.kind, stack.place(resource.logical_id), resource.physical_id, properties, resource.properties)
    except Exception as error:  # noqa: BLE001 - a resource fails, and the reason is reported.
        stack.turn("UPDATE_FAILED", _reason(error), resource)
        return resource.logical_id
    resource.declared, resource.properties = declared, properties
    resource.attributes = attributes or resource.attributes
    stack.turn("UPDATE_COMPLETE", None, resource)
    return None


def _replace(stack, template, scope, resource, properties, replaced):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html#update-replacement"""
    identifiers = schema.is_named(resource.kind, properties)
    same_name = all(properties.get(key) == resource.properties.get(key) for key in identifiers)
    if identifiers and same_name:
        raise Invalid(f"CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename {resource.physical_id} and update the stack again.")
    failed = _create_one(stack, template, scope, resource.logical_id, "UPDATE")
    if failed:
        stack.resources[resource.logical_id] = resource
        return failed
    replaced.append(resource)
    return None


def _go_back(stack, failed, message, before, was):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-continueupdaterollback.html"""
    template, values, remembered = was
    stack.turn("UPDATE_ROLLBACK_IN_PROGRESS", message)
    stuck = []
    for name, resource in list(stack.resources.items()):
        old = before.get(name)
        if old is resource:
            properties, attributes, declared = remembered[name]
            # The one that failed may have been changed in part.
            if resource.properties != properties or name == failed:
                try:
                    carry_out("update", resource.kind, stack.place(name), resource.physical_id, properties, resource.properties)
                    stack.turn("UPDATE_COMPLETE", None, resource)
                except Exception as error:  # noqa: BLE001 - a resource fails, and the reason is reported.
                    stack.turn("UPDATE_FAILED", _reason(error), resource)
                    stuck.append(name)
            resource.properties, resource.attributes, resource.declared = properties, attributes, declared
            continue
        if resource.physical_id is not None and resource.declared.get("DeletionPolicy") != "Retain" and _delete_one(stack, resource):
            stuck.append(name)
        if old:
            stack.resources[name] = old
        else:
            del stack.resources[name]
    stack.template, stack.values = template, values
    if stuck:
        stack.turn("UPDATE_ROLLBACK_FAILED", f"The following resource(s) failed to update: [{', '.join(stuck)}]. ")
    else:
        stack.turn("UPDATE_ROLLBACK_COMPLETE")


def failure_of(stack):
    """Returns why the stack's last change failed: the first resource's reason since that change began."""
    begun = max(n for n, event in enumerate(stack.events) if re.match(r"(CREATE|UPDATE|DELETE)_IN_PROGRESS", event["ResourceStatus"])
                and event["PhysicalResourceId"] == stack.id)
    for event in stack.events[begun:]:
        if event["ResourceStatus"].endswith("_FAILED") and event["PhysicalResourceId"] != stack.id:
            return event["LogicalResourceId"], event.get("ResourceStatusReason", "")
    return None, stack.reason or ""
