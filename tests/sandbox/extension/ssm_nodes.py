"""Owns DescribeInstanceInformation, which moto lacks.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstanceInformation.html
Shape and limits: botocore/data/ssm/2014-11-06/service-2.json
"""

import re

import emulate
import nodes
from moto.ssm.responses import SimpleSystemManagerResponse

# Both spellings are accepted; the legacy list has only `PlatformTypes`.
ATTRIBUTES = {
    "ActivationIds": lambda n: n.activation_id,
    "AgentVersion": lambda n: n.agent_version,
    "AssociationStatus": lambda n: "Success",
    "IamRole": lambda n: n.iam_role,
    "InstanceIds": lambda n: n.instance_id,
    "PingStatus": lambda n: n.ping,
    "PlatformType": lambda n: n.platform_type,
    "PlatformTypes": lambda n: n.platform_type,
    "ResourceType": lambda n: "ManagedInstance" if n.is_hybrid else "EC2Instance",
    "SourceIds": lambda n: n.instance_id,
    "SourceTypes": lambda n: "AWS::SSM::ManagedInstance" if n.is_hybrid else "AWS::EC2::Instance",
}
# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_InstanceInformationFilter.html
LEGACY_KEYS = (
    "InstanceIds",
    "AgentVersion",
    "PingStatus",
    "PlatformTypes",
    "ActivationIds",
    "IamRole",
    "ResourceType",
    "AssociationStatus",
)
INSTANCE_ID = re.compile(r"(^i-(\w{8}|\w{17})$)|(^mi-\w{17}$)")


def describe_instance_information(response):
    """Answers with the nodes that match every filter, at most 50 a page."""
    request = emulate.parameters(response)
    if request.get("InstanceInformationFilterList") and request.get("Filters"):
        # "You can't use both InstanceInformationFilterList and Filters in the same call."
        emulate.refuse(
            "ValidationException",
            "Filters and InstanceInformationFilterList cannot be used at the same time.",
        )
    filters = [(f["Key"], f["Values"]) for f in request.get("Filters") or []]
    for item in request.get("InstanceInformationFilterList") or []:
        if item["key"] not in LEGACY_KEYS:
            emulate.refuse("InvalidFilterKey", f"The filter key {item['key']} is not valid.")
        filters.append((item["key"], item["valueSet"]))
    _check_filters(filters)
    account, region = response.current_account, response.region
    found = [
        node
        for node in nodes.visible(account, region)
        if all(_matches(account, region, node, key, values) for key, values in filters)
    ]
    shown, token = emulate.page(found, request, 5, 50, 10)
    latest = nodes.REGIONS.of(account, region).latest_agent
    answer = {"InstanceInformationList": [_information(node, latest) for node in shown]}
    if token:
        answer["NextToken"] = token
    return answer


def _check_filters(filters):
    has_tags = any(key == "tag-key" or key.startswith("tag:") for key, _ in filters)
    for key, values in filters:
        is_tag = key == "tag-key" or key.startswith("tag:")
        if not is_tag and key not in ATTRIBUTES:
            emulate.refuse("InvalidFilterKey", f"The filter key {key} is not valid.")
        if has_tags and not is_tag:
            # "You can't combine tag filters with other filters" (same page).
            emulate.refuse(
                "InvalidInstanceInformationFilterValue",
                "Tag filters cannot be combined with other filters.",
            )
        if key == "InstanceIds":
            for value in values:
                if not INSTANCE_ID.match(value):
                    emulate.refuse("InvalidInstanceId", f"The instance id {value} is not valid.")


def _matches(account, region, node, key, values):
    if key == "tag-key":
        return any(v in nodes.tags_of(account, region, node) for v in values)
    if key.startswith("tag:"):
        return nodes.tags_of(account, region, node).get(key[4:]) in values
    return ATTRIBUTES[key](node) in values


def _information(node, latest):
    information = {
        "InstanceId": node.instance_id,
        "PingStatus": node.ping,
        "LastPingDateTime": node.last_ping,
        "AgentVersion": node.agent_version,
        "PlatformType": node.platform_type,
        "PlatformName": node.platform_name,
        "PlatformVersion": node.platform_version,
        "ResourceType": ATTRIBUTES["ResourceType"](node),
        "IPAddress": node.ip_address,
        "ComputerName": node.computer_name or f"ip-{node.ip_address.replace('.', '-')}",
        "SourceId": node.instance_id,
        "SourceType": ATTRIBUTES["SourceTypes"](node),
        # "Whether the latest version of SSM Agent is running on your Linux managed node."
        "IsLatestVersion": nodes.version_key(node.agent_version) >= nodes.version_key(latest),
    }
    if node.iam_role:
        information["IamRole"] = node.iam_role
    if node.is_hybrid:
        information["ActivationId"] = node.activation_id
        information["RegistrationDate"] = node.registered
        information["Name"] = node.name
    return information


def install():
    register = emulate.operation(SimpleSystemManagerResponse, "DescribeInstanceInformation")
    register(describe_instance_information)
