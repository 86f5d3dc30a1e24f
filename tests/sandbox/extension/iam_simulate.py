"""Owns the simulations of IAM policies, SimulatePrincipalPolicy and SimulateCustomPolicy, and `decide`.

`decide` is how the KMS, S3, Lambda and CloudWatch Logs modules ask what one set of policies says; what all policies
of a request say together is `iam_evaluate.decide`. Neither simulation looks at SCPs or session policies.

Shapes: botocore iam/2010-05-08, EvaluationResult.
"""

from typing import Any, Iterable

import iam_evaluate
from moto.core.responses import ActionResult
from moto.iam.exceptions import NotFoundException, ValidationError
from moto.iam.responses import IamResponse

from .iam import document_error

ALLOWED, EXPLICIT_DENY, IMPLICIT_DENY = "allowed", "explicitDeny", "implicitDeny"


def install() -> None:
    """Adds the two simulations, which moto does not have."""
    IamResponse.simulate_principal_policy = _simulate_principal_policy
    IamResponse.simulate_custom_policy = _simulate_custom_policy


class Decision:
    """What a set of policies says about one action on one resource."""

    def __init__(self) -> None:
        self.result = IMPLICIT_DENY
        self.matched: list[str] = []
        self.missing_keys: set[str] = set()


def decide(
    documents: Iterable[tuple[str, str]], action: str, resource: str,
    context: dict[str, list[str]], principal: tuple[str, str] | None = None,
) -> Decision:
    """Evaluates (id, policy text) pairs. `principal` is (kind, name) for resource policies, None for identity policies.

    Kind AWS with the number of an account means anyone of that account: who calls is `iam_enforce`'s to know.
    """
    decision = Decision()
    kind = iam_evaluate.IDENTITY if principal is None else iam_evaluate.RESOURCE
    request = iam_evaluate.Request(action, resource, _caller(principal), {key.lower(): values for key, values in context.items()})
    for source, document in documents:
        found = iam_evaluate.effects(document, request, kind, decision.missing_keys)
        result = EXPLICIT_DENY if "Deny" in found else ALLOWED if "Allow" in found else IMPLICIT_DENY
        if result == IMPLICIT_DENY or decision.result == EXPLICIT_DENY != result:
            continue
        if result != decision.result:
            decision.result, decision.matched = result, []
        decision.matched.append(source)
    return decision


def _caller(principal: tuple[str, str] | None) -> iam_evaluate.Caller:
    kind, name = principal or ("AWS", "")
    if kind == "Service":
        return iam_evaluate.Caller("service", name=name)
    return iam_evaluate.Caller("anyone", account=name)


def _simulate_principal_policy(self: IamResponse) -> ActionResult:
    arn = self._get_param("PolicySourceArn")
    kind, _, name = arn.split(":")[-1].partition("/")
    name = name.split("/")[-1]
    if kind == "role":
        holders = [self.backend.get_role(name)]
    elif kind == "user":
        user = self.backend.get_user(name)
        holders = [user, *self.backend.get_groups_for_user(name)]
    elif kind == "group":
        holders = [self.backend.get_group(name)]
    else:
        raise NotFoundException(f"The entity {arn} cannot be found.")
    documents = []
    for holder in holders:
        documents += [(policy.name, _default_version(policy)) for policy in holder.managed_policies.values()]
        documents += list(holder.policies.items())
    return _results(self, documents)


def _default_version(policy: Any) -> str:
    return next(version.document for version in policy.versions if version.version_id == policy.default_version_id)


def _simulate_custom_policy(self: IamResponse) -> ActionResult:
    return _results(self, [])


def _results(self: IamResponse, documents: list[tuple[str, str]]) -> ActionResult:
    for number, document in enumerate(self._get_param("PolicyInputList", []), 1):
        if document_error(document, principal="forbidden", resource="required"):
            raise _invalid_input(f"PolicyInputList.{number} is not a valid policy.")
        documents.append((f"PolicyInputList.{number}", document))
    context = {
        entry["ContextKeyName"]: [str(value) for value in entry.get("ContextKeyValues", [])]
        for entry in self._get_param("ContextEntries", [])
    }
    resources = self._get_param("ResourceArns", []) or ["*"]
    results = []
    for action in self._get_param("ActionNames", []):
        if ":" not in action:
            raise _invalid_input(f"Invalid action: {action}")
        for resource in resources:
            decision = decide(documents, action, resource, context)
            results.append({
                "EvalActionName": action,
                "EvalResourceName": resource,
                "EvalDecision": decision.result,
                "MatchedStatements": [{"SourcePolicyId": source, "SourcePolicyType": "IAM Policy"} for source in decision.matched],
                "MissingContextValues": sorted(decision.missing_keys),
            })
    return ActionResult({"EvaluationResults": results, "IsTruncated": False})


def _invalid_input(message: str) -> ValidationError:
    error = ValidationError(message)
    error.code = "InvalidInput"
    return error
