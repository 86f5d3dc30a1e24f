"""Owns the managed nodes that Systems Manager knows, per account and Region.

Whether an EC2 node runs and which tags it has is read from moto's EC2, which
stays the one owner of instances.
"""

import datetime
import re
from dataclasses import dataclass, field

from moto.ec2.models import ec2_backends

import emulate

# What AWS-UpdateSSMAgent installs, and what IsLatestVersion compares with, unless
# the estate says otherwise.
LATEST_AGENT = "3.3.3050.0"


@dataclass
class Node:
    """One node that registered with Systems Manager at least once."""

    instance_id: str
    platform_type: str = "Linux"
    platform_name: str = "Amazon Linux"
    platform_version: str = "2023"
    agent_version: str = LATEST_AGENT
    ping: str = "Online"
    last_ping: datetime.datetime = None
    registered: datetime.datetime = None
    iam_role: str = None
    activation_id: str = None
    name: str = None
    computer_name: str = None
    ip_address: str = "10.0.0.1"
    # How this node's run commands end: a status of README.md, or "sh" for really running them.
    run_command: str = "Success"
    # What they print, by the text of the command: [{match?, stdout?, stderr?, exit_code?, status?, seconds?}].
    run_output: list = field(default_factory=list)
    # For "sh": files of the directory that a command runs in, and programs of this machine that it does not see.
    run_files: dict = field(default_factory=dict)
    run_hides: list = field(default_factory=list)
    # What AWS-RunPatchBaseline finds: {list: [{kb_id, state, ..}], baseline_id?, patch_group?}.
    patches: dict = field(default_factory=dict)
    # False: Online, yet no session can start, as when the role lacks ssmmessages.
    connected: bool = True
    # Users of the operating system whom a session may run as, root left out.
    users: list = field(default_factory=lambda: ["ec2-user", "ssm-user"])
    # Of a Windows node: streaming a session needs 5.1.
    powershell: str = "5.1"
    tags: dict = field(default_factory=dict)

    @property
    def is_hybrid(self):
        return self.instance_id.startswith("mi-")


class Region:
    """The managed nodes of one account in one Region."""

    def __init__(self):
        self.nodes = {}
        self.latest_agent = LATEST_AGENT


REGIONS = emulate.Store(Region)


def version_key(version):
    """Returns an agent version as numbers, for 3.10.1.0 is newer than 3.2.582.0."""
    return tuple(int(part) for part in re.findall(r"\d+", version))


def instances_of(account, region):
    """Returns moto's instances by id."""
    reservations = list(ec2_backends[account][region].reservations.values())
    return {instance.id: instance for r in reservations for instance in r.instances}


def tags_of(account, region, node):
    """Returns the tags of a node as a dict."""
    if node.is_hybrid:
        return node.tags
    # Not describe_tags, which walks through the tags of all instances.
    return dict(ec2_backends[account][region].tags.get(node.instance_id, {}))


def visible(account, region):
    """Returns the nodes that DescribeInstanceInformation may show.

    "DescribeInstanceInformation doesn't return ... stopped or terminated" nodes:
    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_InstanceInformation.html
    """
    shown = []
    # One walk for all nodes: estates of thousands would take seconds a call otherwise.
    instances = instances_of(account, region)
    for node in REGIONS.of(account, region).nodes.values():
        if not node.is_hybrid:
            instance = instances.get(node.instance_id)
            if instance is None or instance.state != "running":
                continue
        shown.append(node)
    return shown


def online(account, region, instance_id):
    """Returns the node if a command or session can reach it now, else None."""
    for node in visible(account, region):
        if node.instance_id == instance_id and node.ping == "Online":
            return node
    return None


