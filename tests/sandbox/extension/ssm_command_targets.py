"""Owns which nodes a command is for: those named, or those that match every target.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_Target.html
https://docs.aws.amazon.com/systems-manager/latest/userguide/send-commands-multiple.html
"""

import json

import emulate
import nodes
from moto.resourcegroups.models import resourcegroups_backends

EC2_INSTANCE = "AWS::EC2::Instance"


def chosen(account, region, request):
    """Returns the nodes of a request; one bad instance id refuses the whole call."""
    instance_ids = request.get("InstanceIds") or []
    targets = request.get("Targets") or []
    if bool(instance_ids) == bool(targets):
        emulate.refuse("ValidationException", "Specify either InstanceIds or Targets, and not both.")
    if len(instance_ids) > 50:
        emulate.refuse("ValidationException", "InstanceIds can hold at most 50 ids.")
    if len(set(instance_ids)) != len(instance_ids):
        emulate.refuse("DuplicateInstanceId", "You cannot specify an instance ID twice.")
    visible = {node.instance_id: node for node in nodes.visible(account, region)}
    if targets:
        # Whoever is targeted need not be reachable: such a node is an invocation that is not delivered.
        return [node for node in visible.values() if all(_matches(account, region, node, target) for target in targets)]
    for instance_id in instance_ids:
        if instance_id not in visible or visible[instance_id].ping != "Online":
            emulate.refuse("InvalidInstanceId", f"Instances [[{instance_id}]] not in a valid state for account {account}")
    return [visible[instance_id] for instance_id in instance_ids]


def _matches(account, region, node, target):
    key, values = target["Key"], target.get("Values") or []
    if key == "InstanceIds":
        return node.instance_id in values or "*" in values
    if key == "resource-groups:ResourceTypeFilters":
        return node.is_hybrid or EC2_INSTANCE in values
    tags = nodes.tags_of(account, region, node)
    if key == "resource-groups:Name":
        return any(_is_member(account, region, node, tags, name) for name in values)
    if key == "tag-key":
        return bool(set(tags) & set(values))
    return key.startswith("tag:") and tags.get(key[4:]) in values


def _is_member(account, region, node, tags, name):
    """Applies a query of type TAG_FILTERS_1_0: values of one key are alternatives, keys are not.

    https://docs.aws.amazon.com/ARG/latest/APIReference/API_ResourceQuery.html
    """
    group = resourcegroups_backends[account][region].groups.by_name.get(name)
    if group is None or group.resource_query.get("Type") != "TAG_FILTERS_1_0":
        return False
    query = json.loads(group.resource_query["Query"])
    types = query.get("ResourceTypeFilters") or []
    mine = "AWS::SSM::ManagedInstance" if node.is_hybrid else EC2_INSTANCE
    if not {mine, "AWS::AllSupported"} & set(types):
        return False
    return all(
        wanted["Key"] in tags and (not wanted.get("Values") or tags[wanted["Key"]] in wanted["Values"])
        for wanted in query.get("TagFilters") or []
    )
