"""Owns what IAM refuses: malformed trust and identity policies.

`document_error` is the one reading of the policy grammar in the sandbox; the
KMS, S3 and Organizations modules ask it too, because each service words the
same mistake with an error code of its own.

Grammar: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

import json
import re
from typing import Any

from moto.iam.exceptions import MalformedPolicyDocument
from moto.iam.responses import IamResponse

VERSIONS = ("2012-10-17", "2008-10-17")
STATEMENT_KEYS = {
    "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction",
    "Resource", "NotResource", "Condition",
}
PRINCIPAL_KEYS = {"AWS", "Service", "Federated", "CanonicalUser"}
ACTION = re.compile(r"^(\*|[a-zA-Z0-9-]+:[a-zA-Z0-9*?]+)$")
AWS_PRINCIPAL = re.compile(
    r"^(\*|\d{12}|AIDA\w+|AROA\w+"
    r"|arn:[\w-]+:(iam::\d{12}:(root|(user|role)/.+)|sts::\d{12}:(assumed-role|federated-user)/.+))$"
)
OPERATOR = re.compile(
    r"^(ForAnyValue:|ForAllValues:)?(String(Not)?(Equals(IgnoreCase)?|Like)|Arn(Not)?(Equals|Like)"
    r"|Numeric(Not)?Equals|Numeric(Less|Greater)Than(Equals)?|Date(Not)?Equals"
    r"|Date(Less|Greater)Than(Equals)?|Bool|BinaryEquals|(Not)?IpAddress)(IfExists)?$|^Null$"
)


def install() -> None:
    """Makes the sandbox's IAM refuse what AWS refuses."""
    for operation in ("create_role", "update_assume_role_policy"):
        _check_before(operation, ("AssumeRolePolicyDocument", "PolicyDocument"), principal="required", resource="forbidden")
    for operation in ("put_role_policy", "put_user_policy", "put_group_policy", "create_policy", "create_policy_version"):
        _check_before(operation, ("PolicyDocument",), principal="forbidden", resource="required")


def document_error(document: Any, *, principal: str, resource: str, version: str = "optional") -> str | None:
    """Returns what is wrong with a policy, or None. `principal`, `resource` and `version` are required, forbidden or optional."""
    try:
        policy = json.loads(document, object_pairs_hook=_without_duplicates)
    except (TypeError, ValueError) as error:
        return f"Syntax errors in policy: {error}."
    if not isinstance(policy, dict):
        return "A policy must be one JSON object."
    unknown = set(policy) - {"Version", "Id", "Statement"}
    if unknown:
        return f"Unknown policy element {sorted(unknown)[0]}."
    if policy.get("Version", VERSIONS[0] if version == "optional" else None) not in VERSIONS:
        return "The policy must contain a valid version string."
    statements = policy.get("Statement")
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list) or not statements:
        return "The policy must contain at least one statement."
    sids = [statement["Sid"] for statement in statements if isinstance(statement, dict) and "Sid" in statement]
    if len(sids) != len(set(map(str, sids))):
        return "Statement IDs (SID) in a single policy must be unique."
    for statement in statements:
        error = _statement_error(statement, principal, resource)
        if error:
            return error
    return None


def as_list(value: Any) -> list[Any]:
    """Returns the value as the list it is short for: policies write one-element lists bare."""
    return value if isinstance(value, list) else [value]


def _statement_error(statement: Any, principal: str, resource: str) -> str | None:
    if not isinstance(statement, dict):
        return "A statement must be a JSON object."
    unknown = set(statement) - STATEMENT_KEYS
    if unknown:
        return f"Unknown statement element {sorted(unknown)[0]}."
    if statement.get("Effect") not in ("Allow", "Deny"):
        return "Effect must be Allow or Deny."
    for element, rule in (("Action", "required"), ("Resource", resource), ("Principal", principal)):
        present = [key for key in (element, f"Not{element}") if key in statement]
        if len(present) == 2:
            return f"A statement must not have both {element} and Not{element}."
        if rule == "required" and not present:
            return f"Missing required field {element}."
        if rule == "forbidden" and present:
            return f"Has prohibited field {present[0]}."
        if present and element != "Principal" and not _is_strings(statement[present[0]]):
            return f"{present[0]} must be a string or a non-empty list of strings."
        if present and element == "Principal":
            error = _principal_error(statement[present[0]])
            if error:
                return error
    for action in as_list(statement.get("Action", statement.get("NotAction"))):
        if not ACTION.match(action):
            return f"Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.: {action}."
    for arn in as_list(statement.get("Resource", statement.get("NotResource", []))):
        if arn != "*" and len(arn.split(":", 5)) < 6 and not arn.endswith("*"):
            return f'Resource {arn} must be in ARN format or "*".'
    return _condition_error(statement.get("Condition", {}))


def _principal_error(principal: Any) -> str | None:
    if principal == "*":
        return None
    if not isinstance(principal, dict) or not principal:
        return f"Invalid principal in policy: {json.dumps(principal)}."
    for kind, values in principal.items():
        if kind not in PRINCIPAL_KEYS or not _is_strings(values):
            return f'Invalid principal in policy: "{kind}".'
        for value in as_list(values):
            # A group is not a principal, nor is a wildcard inside an ARN:
            # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
            wrong_aws = kind == "AWS" and (not AWS_PRINCIPAL.match(value) or "*" in value and value != "*")
            wrong_service = kind == "Service" and not re.match(r"^[a-z0-9.-]+\.amazonaws\.com(\.cn)?$", value)
            if wrong_aws or wrong_service:
                return f'Invalid principal in policy: "{kind.upper()}":"{value}".'
    return None


def _condition_error(condition: Any) -> str | None:
    if not isinstance(condition, dict):
        return "Condition must be a JSON object."
    for operator, keys in condition.items():
        if not OPERATOR.match(operator):
            return f"Invalid Condition type : {operator}."
        if not isinstance(keys, dict) or not keys:
            return f"Condition operator {operator} must hold at least one key."
        if any(isinstance(value, (dict, type(None))) for values in keys.values() for value in as_list(values)):
            return f"Condition operator {operator} has a value that is not a string."
    return None


def _is_strings(value: Any) -> bool:
    return bool(value) and all(isinstance(item, str) and item for item in as_list(value))


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("duplicate key")
    return dict(pairs)


def _check_before(operation: str, parameters: tuple[str, ...], **rules: str) -> None:
    """CreateRole and PutRolePolicy list MalformedPolicyDocument among their errors (botocore iam/2010-05-08)."""
    original = getattr(IamResponse, operation)

    def checked(self: IamResponse) -> Any:
        document = next((self._get_param(name) for name in parameters if self._get_param(name) is not None), None)
        error = document_error(document, **rules)
        if error:
            raise MalformedPolicyDocument(error)
        return original(self)

    setattr(IamResponse, operation, checked)
