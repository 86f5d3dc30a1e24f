"""Owns with which role the agent of a node acts, and whether it can wait for sessions.

An EC2 instance tries the role of its profile and falls back to Default Host Management only if that may not call
UpdateInstanceInformation; what the profile's role lacks besides is never made up for:
https://docs.aws.amazon.com/systems-manager/latest/userguide/managed-instances-default-host-management.html
common/identity/credentialproviders/ec2roleprovider/ec2_role_provider.go in https://github.com/aws/amazon-ssm-agent
A hybrid node has the role of its activation: https://docs.aws.amazon.com/systems-manager/latest/userguide/hybrid-multicloud-service-role.html
"""

from dataclasses import dataclass

import iam_callers
import iam_evaluate
import iam_needs
import nodes
from moto.iam.models import iam_backends
from moto.utilities.utils import get_partition

from .ssm_session_access import Caller, Refusal
from .ssm_settings import DHMC, OFF, SETTINGS

# "SSM Agent version 3.2.582.0 or later" (the page of Default Host Management).
DHMC_AGENT = "3.2.582.0"
# China names its services by its own suffix as well: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
EC2_SERVICES, SSM_SERVICES = ("ec2.amazonaws.com", "ec2.amazonaws.com.cn"), ("ssm.amazonaws.com", "ssm.amazonaws.com.cn")
WAITING, TALKING = ("CreateControlChannel", "OpenControlChannel"), ("CreateDataChannel", "OpenDataChannel")


@dataclass
class Agent:
    """The agent of a node that has credentials."""

    node: nodes.Node
    role_arn: str
    source: str
    caller: Caller


@dataclass(eq=False)
class NoCredentials(Exception):
    """Why an agent has no role to act with."""

    why: str

    def __str__(self):
        return self.why


def agent_of(account, region, node):
    """Returns the Agent of a node; raises NoCredentials."""
    if node.is_hybrid:
        if not node.iam_role:
            raise NoCredentials("the activation names no role")
        return _managed(account, region, node, node.iam_role, "hybrid")
    profile, refused = _profile(account, region, node), None
    try:
        if profile is not None:
            return _by_profile(account, region, node, profile)
    except NoCredentials as error:
        refused = error
    value = (SETTINGS.of(account, region).get(DHMC) or (OFF,))[0]
    if value == OFF:
        raise refused or NoCredentials("no EC2 instance role found, and Systems Manager's instance management role is not configured for account: "
                                       f"{account}")
    if nodes.version_key(node.agent_version) < nodes.version_key(DHMC_AGENT):
        raise refused or NoCredentials(f"agent {node.agent_version} does not know Default Host Management")
    return _managed(account, region, node, value, "dhmc")


def waits(agent):
    """Raises a Refusal unless an agent may open its control channel: without it the node is not connected."""
    _channels(agent, WAITING)


def talks(agent):
    """Raises a Refusal unless an agent may open the data channel of a session."""
    _channels(agent, TALKING)


def _channels(agent, operations):
    caller = agent.caller
    for operation in operations:
        call = caller.call("ssmmessages", operation)
        # Denials quote the account's ARN: https://github.com/awslabs/landing-zone-accelerator-on-aws/pull/330
        caller.may(call, [iam_needs.Need(f"ssmmessages:{operation}", call.arn("ssmmessages", "*"))])


def _profile(account, region, node):
    instance = nodes.instances_of(account, region).get(node.instance_id)
    named = (instance.iam_instance_profile or {}).get("Arn") if instance is not None else None
    profiles = iam_backends[account][get_partition(region)].instance_profiles.values()
    return next((profile for profile in list(profiles) if named and profile.arn == named), None)


def _by_profile(account, region, node, profile):
    if not profile.roles:
        raise NoCredentials(f"EC2RoleRequestError: no EC2 instance role found in {profile.name}")
    # The profile keeps the role as it was when it was added; a role that was deleted and made again is another.
    role = profile.roles[0]
    role = next((one for one in list(iam_backends[account][role.partition].roles.values()) if one.arn == role.arn), None)
    if role is None or not _trusts(role, EC2_SERVICES, {}):
        # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/iam-roles-for-amazon-ec2.html: what the metadata service answers.
        raise NoCredentials(f"AssumeRoleUnauthorizedAccess: EC2 cannot assume the role {profile.roles[0].name}")
    instance = f"arn:{role.partition}:ec2:{region}:{account}:instance/{node.instance_id}"
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html: ec2:SourceInstanceARN,
    # ec2:RoleDelivery. ssm:SourceInstanceARN is not there for the role of a profile.
    keys = {"ec2:sourceinstancearn": [instance], "ec2:roledelivery": ["2.0"]}
    return _reporting(account, region, node, role, "instance-profile", keys, None)


def _managed(account, region, node, named, source):
    """The role that Systems Manager assumes for a node: `named` is its name with the path, without `role/`."""
    partition = get_partition(region)
    arn = f"arn:{partition}:iam::{account}:role/{named.removeprefix('/')}"
    role = next((one for one in list(iam_backends[account][partition].roles.values()) if one.arn == arn), None)
    # hybrid-multicloud-service-role.html, "confused deputy": aws:SourceAccount and aws:SourceArn.
    instance = f"arn:{partition}:ssm:{region}:{account}:managed-instance/{node.instance_id}"
    if not node.is_hybrid:
        instance = f"arn:{partition}:ec2:{region}:{account}:instance/{node.instance_id}"
    source_arn = f"arn:{partition}:ssm:{region}:{account}:managed-instance/{node.instance_id}"
    if role is None:
        raise NoCredentials(f"the role {named} does not exist")
    if not _trusts(role, SSM_SERVICES, {"aws:sourceaccount": [account], "aws:sourcearn": [source_arn]}):
        raise NoCredentials(f"Systems Manager cannot assume the role {named}")
    # SAR list_awssystemsmanager.html: ssm:SourceInstanceARN
    return _reporting(account, region, node, role, source, {}, {"ssm:sourceinstancearn": [instance]})


def _reporting(account, region, node, role, source, keys, ssm_keys):
    # ec2_role_provider.go, updateEmptyInstanceInformation: the role of a profile is taken if it may call this. One of Systems
    # Manager is taken as it is, yet a node that never reports is not Online.
    identity = iam_callers.of_role(role, node.instance_id, keys)
    environ = {"REMOTE_ADDR": node.ip_address, "HTTP_USER_AGENT": f"aws-sdk-go/1.55.5 amazon-ssm-agent/{node.agent_version}"}
    caller = Caller(identity, account, region, environ, ssm_keys=ssm_keys)
    try:
        caller.may(caller.call("ssm", "UpdateInstanceInformation", InstanceId=node.instance_id))
    except Refusal as refused:
        raise NoCredentials(f"{refused.code}: {refused.message}") from None
    return Agent(node, role.arn, source, caller)


def _trusts(role, services, context):
    for name in services:
        request = iam_evaluate.Request("sts:AssumeRole", role.arn, iam_evaluate.Caller("service", name=name), context)
        policies = iam_evaluate.Policies(
            resource=("trust", role.assume_role_policy_document), resource_account=role.account_id, resource_must_allow=True,
            resource_kind=iam_evaluate.TRUST,
        )
        if iam_evaluate.decide(request, policies).allowed:
            return True
    return False
