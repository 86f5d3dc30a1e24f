"""Owns what a stack is: its resources, its events, where it is kept, and what its template's functions can refer to.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
"""

import threading
import uuid
from collections import defaultdict

import emulate

from . import cloudformation_parameters as parameters
from .cloudformation_resources import Failed, Place
from .cloudformation_template import NO_VALUE, Invalid

# stack id -> Stack, deleted ones too
STACKS = emulate.Store(dict)
_locks = defaultdict(threading.RLock)


class Resource:
    """One resource of a stack, as it was last made."""

    def __init__(self, logical_id, declared):
        self.logical_id = logical_id
        self.declared = declared
        self.kind = declared["Type"]
        self.physical_id = None
        self.properties = {}
        self.attributes = {}
        self.status = self.reason = None
        self.at = emulate.now()


class Stack:
    """A stack of one account and Region."""

    def __init__(self, account, region, name):
        self.account, self.region, self.name = account, region, name
        place = Place(account, region, name, "")
        self.id = place.arn("cloudformation", f"stack/{name}/{uuid.uuid4()}")
        self.template = None
        self.values = {}
        self.tags, self.capabilities = [], []
        self.resources = {}
        self.outputs = []
        self.events = []
        self.status = self.reason = None
        self.created = emulate.now()
        self.updated = self.deleted = None
        self.in_set = False
        self.protected = self.rollback_disabled = False

    def turn(self, status, reason=None, resource=None):
        """Gives the stack or one of its resources another status, and records it."""
        of = resource or self
        of.status, of.reason = status, reason
        if resource:
            resource.at = emulate.now()
        event = {
            "StackId": self.id, "StackName": self.name, "EventId": str(uuid.uuid4()), "Timestamp": emulate.now(),
            "LogicalResourceId": resource.logical_id if resource else self.name,
            "PhysicalResourceId": (resource.physical_id or "") if resource else self.id,
            "ResourceType": resource.kind if resource else "AWS::CloudFormation::Stack",
            "ResourceStatus": status, "ResourceStatusReason": reason,
        }
        self.events.append({key: value for key, value in event.items() if value is not None})

    def place(self, logical_id):
        return Place(self.account, self.region, self.name, logical_id)


class Scope:
    """What a template's functions can refer to in a stack."""

    def __init__(self, stack, template, values):
        self._stack, self._template, self._values = stack, template, values
        self.conditions = template.decide(self)

    def condition(self, name):
        return self.conditions[name]

    def ref(self, name):
        if name in self._template.parameters:
            return parameters.value_of(self._template, name, self._values[name])
        place = self._stack.place("")
        pseudo = {
            "AWS::AccountId": place.account, "AWS::Region": place.region, "AWS::Partition": place.partition,
            "AWS::URLSuffix": place.url_suffix, "AWS::StackName": self._stack.name, "AWS::StackId": self._stack.id,
            "AWS::NoValue": NO_VALUE, "AWS::NotificationARNs": [],
        }
        if name in pseudo:
            return pseudo[name]
        if name not in self._stack.resources:
            raise Invalid(f"Template error: {name} cannot be referred to here")
        return self._stack.resources[name].physical_id

    def attribute(self, name, attribute):
        resource = self._stack.resources[name]
        if attribute not in resource.attributes:
            raise Failed(f"NotEmulated: the sandbox does not emulate the attribute {attribute} of {resource.kind}")
        return str(resource.attributes[attribute])

    def dynamic(self, service, key):
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html"""
        place = self._stack.place("")
        if service == "ssm":
            name, _, version = key.partition(":")
            return place.call("ssm", "get_parameter", Name=f"{name}:{version}" if version else name)["Parameter"]["Value"]
        if service == "secretsmanager":
            # The whole secret by its name or ARN; parts of one have ":SecretString:" behind that.
            # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html
            if ":SecretString" in key:
                raise Failed("NotEmulated: the sandbox does not emulate dynamic references to parts of secrets")
            return place.call("secretsmanager", "get_secret_value", SecretId=key)["SecretString"]
        raise Failed(f"NotEmulated: the sandbox does not emulate dynamic references to {service}")


def lock(account, region):
    """Returns what keeps two changes of stacks in one place apart."""
    return _locks[(account, region)]


def find(account, region, name_or_id):
    """Returns a stack by its name or, deleted or not, by its id; None if there is none."""
    stacks = STACKS.of(account, region)
    if name_or_id in stacks:
        return stacks[name_or_id]
    return next((one for one in stacks.values() if one.name == name_or_id and one.status != "DELETE_COMPLETE"), None)
