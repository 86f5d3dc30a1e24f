"""Owns what Lambda asks about the role of a function: whether it may be assumed, and what it allows.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
"""

from typing import Any

from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends

from .iam_simulate import ALLOWED, decide

SERVICE = ("Service", "lambda.amazonaws.com")


def can_be_assumed(account: str, arn: str) -> bool:
    """Returns whether the role is there and trusts Lambda."""
    role = _role(account, arn)
    if role is None:
        return False
    document = role.assume_role_policy_document
    return decide([("trust", document)], "sts:AssumeRole", arn, {"aws:SourceAccount": [account]}, SERVICE).result == ALLOWED


def allows(account: str, arn: str, action: str, resource: str) -> bool:
    """Returns whether the policies of the role allow an action."""
    role = _role(account, arn)
    if role is None:
        return False
    documents = [(policy.name, _default(policy)) for policy in role.managed_policies.values()]
    return decide([*documents, *role.policies.items()], action, resource, {}).result == ALLOWED


def _default(policy: Any) -> str:
    return next(version.document for version in policy.versions if version.version_id == policy.default_version_id)


def _role(account: str, arn: str) -> Any:
    if arn.count(":") != 5:
        return None
    try:
        return iam_backends[account][arn.split(":")[1]].get_role_by_arn(arn)
    except NotFoundException:
        return None
