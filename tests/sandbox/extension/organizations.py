"""Owns the quotas, refusals and pages of the sandbox's AWS Organizations.

moto keeps the organization; this module decides which calls it takes.
Quotas: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
Errors: botocore organizations/2016-11-28, `errors` of each operation.
"""

import json
import os
from typing import Any

import unkind
from moto.organizations.exceptions import OrganizationsClientError
from moto.organizations.models import FakeAccount, FakeRoot, OrganizationsBackend, organizations_backends
from moto.organizations.responses import OrganizationsResponse
from moto.organizations.utils import DEFAULT_RCP_POLICY_ID, DEFAULT_SCP_POLICY_ID

from . import organizations_delegation
from .iam import document_error

# Both were half as large until May 2026, so a test can put the old ones back.
MAX_CONTENT = int(os.environ.get("SANDBOX_SCP_MAX_CHARACTERS", "10240"))
MAX_ATTACHED = int(os.environ.get("SANDBOX_SCP_MAX_ATTACHED", "10"))
MAX_RESULTS = 20
DEFAULT_POLICIES = {"SERVICE_CONTROL_POLICY": DEFAULT_SCP_POLICY_ID, "RESOURCE_CONTROL_POLICY": DEFAULT_RCP_POLICY_ID}


def install() -> None:
    """Makes the sandbox's Organizations refuse and page as AWS does."""
    for operation in ("create_policy", "update_policy", "delete_policy", "attach_policy", "detach_policy",
                      "enable_policy_type", "disable_policy_type"):
        original = getattr(OrganizationsResponse, operation)
        setattr(OrganizationsResponse, operation, _after(original, globals()[f"_{operation}"]))
    for operation, listing in LISTINGS.items():
        setattr(OrganizationsResponse, operation, _paged(*listing))
    OrganizationsResponse.organizations_backend = property(_backend_for_caller)
    FakeAccount.describe = _described_with_paths(FakeAccount.describe)
    FakeRoot.add_policy_type = _in_the_background(FakeRoot.add_policy_type)
    FakeRoot.describe = _with_pending_types(FakeRoot.describe)


def _in_the_background(inherited: Any) -> Any:
    """"This is an asynchronous request that AWS performs in the background" (API_EnablePolicyType)."""

    def add_policy_type(self: FakeRoot, policy_type: str) -> None:
        inherited(self, policy_type)
        account = self.master_account_id
        unkind.grow(account, "policy_type", policy_type, unkind.draw(account, "organizations.policy_type", policy_type))

    return add_policy_type


def _with_pending_types(inherited: Any) -> Any:
    def describe(self: FakeRoot) -> dict[str, Any]:
        root = inherited(self)
        pending = lambda kind: unkind.is_young(self.master_account_id, "policy_type", kind)
        types = [one | {"Status": "PENDING_ENABLE"} if pending(one["Type"]) else one for one in root["PolicyTypes"]]
        return root | {"PolicyTypes": types}

    return describe


def _described_with_paths(inherited: Any) -> Any:
    """Adds `Paths`: "The paths in the organization where the account exists."

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_Account.html
    """

    def describe(self: FakeAccount) -> dict[str, Any]:
        account = inherited(self)
        for backends in organizations_backends.values():
            for backend in backends.values():
                if backend.org and self in backend.accounts:
                    parents, at = [], self.parent_id
                    while at:
                        parents.insert(0, at)
                        at = next((ou.parent_id for ou in backend.ou if ou.id == at), None)
                    account["Paths"] = ["/".join([backend.org.id, *parents, self.id, ""])]
        return account

    return describe


def _error(code: str, message: str, reason: str | None = None) -> OrganizationsClientError:
    error = OrganizationsClientError(code, message)
    if reason:
        error.Reason = reason
    return error


def _violation(reason: str, message: str) -> OrganizationsClientError:
    return _error("ConstraintViolationException", message, reason)


def _invalid(reason: str, message: str = "You specified an invalid value.") -> OrganizationsClientError:
    return _error("InvalidInputException", message, reason)


def _backend_for_caller(response: OrganizationsResponse) -> OrganizationsBackend:
    """Returns the organization that the caller may use for this operation."""
    backend = organizations_backends[response.current_account][response.partition]
    action = response._get_action()
    if backend.org or action in organizations_delegation.OPEN_TO_MEMBERS:
        return backend
    management = organizations_backends.master_accounts.get(response.current_account)
    if management is None:
        raise _error("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
    backend = organizations_backends[management[0]][management[1]]
    if organizations_delegation.may_call(backend, response.current_account, action, response.request_params):
        return backend
    raise _error("AccessDeniedException", "You don't have permissions to access this resource.")


def _after(original: Any, check: Any) -> Any:
    def checked(self: OrganizationsResponse) -> str:
        finish = check(self.organizations_backend, self.request_params)
        result = original(self)
        if finish:
            finish()
        return result

    return checked


def _create_policy(backend: OrganizationsBackend, request: dict[str, Any]) -> None:
    if backend.org.feature_set != "ALL":
        raise _error("PolicyTypeNotAvailableForOrganizationException", "You can't use the specified policy type with the feature set currently enabled for this organization.")
    _check_policy(request["Type"], request)


def _update_policy(backend: OrganizationsBackend, request: dict[str, Any]) -> None:
    policy = backend.get_policy_by_id(request["PolicyId"])
    _refuse_aws_managed(policy)
    if any(other.name == request.get("Name") and other is not policy for other in backend.policies):
        raise _error("DuplicatePolicyException", "A policy with the same name already exists.")
    _check_policy(policy.type, request)


def _check_policy(policy_type: str, request: dict[str, Any]) -> None:
    """API_CreatePolicy: the size counts every character, white space too, when an SDK saves it."""
    if len(request.get("Name") or "") > 128 or len(request.get("Description") or "") > 512:
        raise _invalid("MAX_LENGTH_EXCEEDED", "You provided a string parameter that is longer than allowed.")
    content = request.get("Content")
    if content is None:
        return
    if policy_type == "SERVICE_CONTROL_POLICY":
        if len(content) > MAX_CONTENT:
            raise _violation("POLICY_CONTENT_LIMIT_EXCEEDED", "You have exceeded the maximum policy size.")
        # Principal and NotPrincipal are the elements that an SCP may not have:
        # https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_syntax.html
        error = document_error(content, principal="forbidden", resource="required", version="required")
        if error:
            raise _error("MalformedPolicyDocumentException", f"The provided policy document does not meet the requirements of the specified policy type. {error}")
    elif not _is_object(content):
        raise _error("MalformedPolicyDocumentException", "The provided policy document does not meet the requirements of the specified policy type.")


def _is_object(content: str) -> bool:
    try:
        return isinstance(json.loads(content), dict)
    except ValueError:
        return False


def _delete_policy(backend: OrganizationsBackend, request: dict[str, Any]) -> None:
    _refuse_aws_managed(backend.get_policy_by_id(request["PolicyId"]))


def _refuse_aws_managed(policy: Any) -> None:
    if policy.aws_managed:
        raise _invalid("IMMUTABLE_POLICY", "You specified a policy that is managed by AWS and can't be modified.")


def _attach_policy(backend: OrganizationsBackend, request: dict[str, Any]) -> None:
    policy = backend.get_policy_by_id(request["PolicyId"])
    target = _target(backend, request["TargetId"])
    if not _is_enabled(backend, policy.type):
        raise _error("PolicyTypeNotEnabledException", "The specified policy type isn't currently enabled in this root.")
    if policy in target.attached_policies:
        raise _error("DuplicatePolicyAttachmentException", "The selected policy is already attached to the specified target.")
    if len(_attached(target, policy.type)) >= MAX_ATTACHED:
        raise _violation("MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED", "You have attached the maximum number of policies of this type to the target.")


def _detach_policy(backend: OrganizationsBackend, request: dict[str, Any]) -> None:
    policy = backend.get_policy_by_id(request["PolicyId"])
    target = _target(backend, request["TargetId"])
    if policy not in target.attached_policies:
        raise _error("PolicyNotAttachedException", "The policy isn't attached to the specified target in the specified root.")
    if policy.id == DEFAULT_RCP_POLICY_ID:
        raise _invalid("NON_DETACHABLE_POLICY", "You can't detach this Amazon Web Services managed policy.")
    if policy.type == "SERVICE_CONTROL_POLICY" and len(_attached(target, policy.type)) == 1:
        raise _violation("MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED", "You can't detach the last policy of this type from the target.")


def _enable_policy_type(backend: OrganizationsBackend, request: dict[str, Any]) -> None:
    return None


def _disable_policy_type(backend: OrganizationsBackend, request: dict[str, Any]) -> Any:
    """API_DisablePolicyType: what was attached is lost, and enabling again attaches the default only."""
    policy_type = request["PolicyType"]

    def detach_all() -> None:
        default = DEFAULT_POLICIES.get(policy_type)
        for policy in [policy for policy in backend.policies if policy.type == policy_type]:
            for target in [] if policy.id == default else list(policy.attachments):
                target.attached_policies.remove(policy)
                policy.attachments.remove(target)
        for target in [*backend.ou, *backend.accounts] if default else []:
            backend.attach_policy(PolicyId=default, TargetId=target.id)

    return detach_all


def _target(backend: OrganizationsBackend, target_id: str) -> Any:
    target = next((entity for entity in [*backend.ou, *backend.accounts] if entity.id == target_id), None)
    if target is None:
        raise _error("TargetNotFoundException", "We can't find a root, OU, account, or policy with the TargetId that you specified.")
    return target


def _attached(target: Any, policy_type: str) -> list[Any]:
    return [policy for policy in target.attached_policies if policy.type == policy_type]


def _is_enabled(backend: OrganizationsBackend, policy_type: str) -> bool:
    roots = [root for root in backend.ou if isinstance(root, FakeRoot)]
    return any(enabled["Type"] == policy_type for root in roots for enabled in root.policy_types)


def _policies_for_target(backend: OrganizationsBackend, request: dict[str, Any]) -> list[dict[str, Any]]:
    target = _target(backend, request["TargetId"])
    # moto attaches FullAWSAccess before its type is enabled; AWS does it on enabling.
    attached = _attached(target, request["Filter"]) if _is_enabled(backend, request["Filter"]) else []
    return [policy.describe()["Policy"]["PolicySummary"] for policy in attached]


def _policies(backend: OrganizationsBackend, request: dict[str, Any]) -> list[dict[str, Any]]:
    return [policy.describe()["Policy"]["PolicySummary"] for policy in backend.policies if policy.type == request["Filter"]]


def _units_for_parent(backend: OrganizationsBackend, request: dict[str, Any]) -> list[dict[str, Any]]:
    parent = backend.validate_parent_id(request["ParentId"])
    return [{"Id": unit.id, "Arn": unit.arn, "Name": unit.name} for unit in backend.ou if unit.parent_id == parent]


def _accounts_for_parent(backend: OrganizationsBackend, request: dict[str, Any]) -> list[dict[str, Any]]:
    parent = backend.validate_parent_id(request["ParentId"])
    return [account.describe() for account in backend.accounts if account.parent_id == parent]


def _accounts(backend: OrganizationsBackend, request: dict[str, Any]) -> list[dict[str, Any]]:
    return [account.describe() for account in backend.accounts]


def _targets_for_policy(backend: OrganizationsBackend, request: dict[str, Any]) -> list[dict[str, Any]]:
    return backend.list_targets_for_policy(PolicyId=request["PolicyId"])["Targets"]


def _children(backend: OrganizationsBackend, request: dict[str, Any]) -> list[dict[str, Any]]:
    return backend.list_children(ParentId=request["ParentId"], ChildType=request["ChildType"])["Children"]


def _paged(key: str, list_all: Any) -> Any:
    """MaxResults is 1 to 20 (botocore shape MaxResults), and without it a page is as full as it may be."""

    def operation(self: OrganizationsResponse) -> str:
        request = self.request_params
        size = request.get("MaxResults", MAX_RESULTS)
        if not 1 <= size <= MAX_RESULTS:
            raise _invalid("MAX_VALUE_EXCEEDED" if size > MAX_RESULTS else "MIN_VALUE_EXCEEDED", "You provided a MaxResults that is out of range.")
        token = request.get("NextToken")
        if token is not None and not token.removeprefix("page-").isdigit():
            raise _invalid("INVALID_NEXT_TOKEN", "You provided an invalid NextToken.")
        start = int(token.removeprefix("page-")) if token else 0
        items = list_all(self.organizations_backend, request)
        page: dict[str, Any] = {key: items[start:start + size]}
        if start + size < len(items):
            page["NextToken"] = f"page-{start + size}"
        return json.dumps(page)

    return operation


LISTINGS = {
    "list_policies": ("Policies", _policies),
    "list_policies_for_target": ("Policies", _policies_for_target),
    "list_targets_for_policy": ("Targets", _targets_for_policy),
    "list_accounts": ("Accounts", _accounts),
    "list_organizational_units_for_parent": ("OrganizationalUnits", _units_for_parent),
    "list_accounts_for_parent": ("Accounts", _accounts_for_parent),
    "list_children": ("Children", _children),
}
