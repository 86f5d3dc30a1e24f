"""Owns who besides the management account may call Organizations: any member, a delegated administrator of a service,
and whom the organization's resource policy names.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_delegate_policies.html
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_delegated_admin.html
Who may call what: botocore organizations/2016-11-28, documentation of each operation.
"""

import json
from typing import Any

from moto.organizations.exceptions import OrganizationsClientError
from moto.organizations.models import OrganizationsBackend
from moto.organizations.responses import OrganizationsResponse

from .iam import document_error
from .iam_simulate import ALLOWED, decide

# "You can call this operation from any account in a organization", or makes one.
OPEN_TO_MEMBERS = ("CreateOrganization", "DescribeEffectivePolicy", "DescribeHandshake", "DescribeOrganization",
                   "LeaveOrganization", "ListHandshakesForAccount")
# "from the management account or a member account that is a delegated administrator", what reads ..
READS = ("DescribeAccount", "DescribeCreateAccountStatus", "DescribeOrganizationalUnit", "DescribePolicy", "DescribeResourcePolicy",
         "ListAWSServiceAccessForOrganization", "ListAccounts", "ListAccountsForParent", "ListChildren", "ListCreateAccountStatus",
         "ListDelegatedAdministrators", "ListDelegatedServicesForAccount", "ListHandshakesForOrganization",
         "ListOrganizationalUnitsForParent", "ListParents", "ListPolicies", "ListPoliciesForTarget", "ListRoots",
         "ListTagsForResource", "ListTargetsForPolicy")
# .. and what writes, for which the resource policy must name the account; every other operation is the management account's.
WRITES = ("AttachPolicy", "CreatePolicy", "DeletePolicy", "DetachPolicy", "DisablePolicyType", "EnablePolicyType", "TagResource",
          "UntagResource", "UpdatePolicy")
# Shape ResourcePolicyContent.
MAX_CONTENT = 40_000


def install() -> None:
    """Adds the operations on the resource policy, which moto does not have."""
    OrganizationsResponse.put_resource_policy = _put_resource_policy
    OrganizationsResponse.describe_resource_policy = _describe_resource_policy
    OrganizationsResponse.delete_resource_policy = _delete_resource_policy


def may_call(backend: OrganizationsBackend, account: str, action: str, request: dict[str, Any]) -> bool:
    """Returns whether a member of the organization may call an operation on it."""
    if action in READS and any(admin.account.id == account for admin in backend.admins):
        return True
    policy = getattr(backend.org, "resource_policy", None)
    if policy is None or action not in READS + WRITES:
        return False
    context = {"organizations:PolicyType": _policy_types(backend, request)}
    asked = [("organization", policy)], f"organizations:{action}"
    return all(decide(*asked, arn, context, ("AWS", account)).result == ALLOWED for arn in _resources(backend, request))


def _policy_types(backend: OrganizationsBackend, request: dict[str, Any]) -> list[str]:
    named = [request[name] for name in ("Type", "Filter", "PolicyType") if name in request]
    return named or [policy.type for policy in backend.policies if policy.id == request.get("PolicyId")]


def _resources(backend: OrganizationsBackend, request: dict[str, Any]) -> list[str]:
    ids = {value for name, value in request.items() if name in ("PolicyId", "TargetId", "ResourceId", "AccountId", "OrganizationalUnitId", "ParentId", "RootId")}
    things = [*backend.policies, *backend.ou, *backend.accounts]
    return [thing.arn for thing in things if thing.id in ids] or ["*"]


def _put_resource_policy(self: OrganizationsResponse) -> str:
    organization, content = self.organizations_backend.org, self.request_params["Content"]
    error = document_error(content, principal="required", resource="required", version="required")
    if error or len(content) > MAX_CONTENT:
        raise OrganizationsClientError("InvalidInputException", error or "The resource policy is too long.")
    organization.resource_policy = content
    return _describe_resource_policy(self)


def _describe_resource_policy(self: OrganizationsResponse) -> str:
    organization = self.organizations_backend.org
    content = getattr(organization, "resource_policy", None)
    if content is None:
        raise OrganizationsClientError("ResourcePolicyNotFoundException", "We can't find a resource policy request with the parameter that you specified.")
    name = f"rp-{organization.id.removeprefix('o-')}"
    arn = f"arn:{self.partition}:organizations::{organization.master_account_id}:resourcepolicy/{organization.id}/{name}"
    return json.dumps({"ResourcePolicy": {"ResourcePolicySummary": {"Id": name, "Arn": arn}, "Content": content}})


def _delete_resource_policy(self: OrganizationsResponse) -> str:
    _describe_resource_policy(self)
    self.organizations_backend.org.resource_policy = None
    return "{}"
