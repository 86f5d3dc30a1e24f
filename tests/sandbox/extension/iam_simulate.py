"""Owns the evaluation of IAM policies: SimulatePrincipalPolicy, SimulateCustomPolicy.

`decide` is the small evaluator that the KMS, S3 and CloudWatch Logs modules
also ask. It never looks at SCPs, permissions boundaries or session policies.

Logic: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
Shapes: botocore iam/2010-05-08, EvaluationResult.
"""

import json
import re
from typing import Any, Iterable

from moto.core.responses import ActionResult
from moto.iam.exceptions import NotFoundException, ValidationError
from moto.iam.responses import IamResponse

from .iam import as_list, document_error

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
    """Evaluates (id, policy text) pairs. `principal` is (kind, name) for resource policies, None for identity policies."""
    decision = Decision()
    context = {key.lower(): values for key, values in context.items()}
    for source, document in documents:
        for statement in as_list(json.loads(document).get("Statement", [])):
            if not _applies(statement, action, resource, principal):
                continue
            if not _conditions_hold(statement.get("Condition", {}), context, decision):
                continue
            effect = EXPLICIT_DENY if statement["Effect"] == "Deny" else ALLOWED
            if decision.result != EXPLICIT_DENY:
                if effect != decision.result:
                    decision.matched = []
                decision.result = effect
            if effect == decision.result:
                decision.matched.append(source)
    return decision


def matches(pattern: str, value: str, ignore_case: bool = False) -> bool:
    """Tells whether a value fits an IAM pattern, in which * and ? are wildcards."""
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, value, re.DOTALL | (re.IGNORECASE if ignore_case else 0)) is not None


def _applies(statement: dict[str, Any], action: str, resource: str, principal: tuple[str, str] | None) -> bool:
    def any_matches(element: str, value: str, ignore_case: bool) -> bool:
        if f"Not{element}" in statement:
            return not any(matches(item, value, ignore_case) for item in as_list(statement[f"Not{element}"]))
        return any(matches(item, value, ignore_case) for item in as_list(statement.get(element, "*")))

    if not any_matches("Action", action, True) or not any_matches("Resource", resource, False):
        return False
    if principal is None:
        return True
    if "NotPrincipal" in statement:
        return not _names(statement["NotPrincipal"], *principal)
    return _names(statement.get("Principal"), *principal)


def _names(element: Any, kind: str, name: str) -> bool:
    """Tells whether a Principal element covers a service, or (for kind AWS) anyone of an account."""
    if element == "*":
        return True
    names = as_list(element.get(kind, [])) if isinstance(element, dict) else []
    if kind != "AWS":
        return name in names
    return any(item == "*" or item == name or item.split(":")[4:5] == [name] for item in names)


def _conditions_hold(conditions: dict[str, Any], context: dict[str, list[str]], decision: Decision) -> bool:
    holds = True
    for operator, keys in conditions.items():
        for key, wanted in keys.items():
            present = context.get(key.lower())
            if present is None and operator != "Null" and not operator.endswith("IfExists"):
                decision.missing_keys.add(key)
            holds = _condition_holds(operator, as_list(wanted), present) and holds
    return holds


def _condition_holds(operator: str, wanted: list[Any], present: list[str] | None) -> bool:
    """Condition operators: reference_policies_elements_condition_operators.html in the IAM user guide."""
    wanted = [str(item).lower() if isinstance(item, bool) else str(item) for item in wanted]
    if operator == "Null":
        return (present is None) == (wanted == ["true"])
    for_all = operator.startswith("ForAllValues:")
    operator = operator.split(":")[-1]
    if present is None:
        return operator.endswith("IfExists") or "Not" in operator or for_all
    operator = operator.removesuffix("IfExists")
    negated = "Not" in operator
    operator = operator.replace("Not", "")
    if operator in ("StringEquals", "BinaryEquals"):
        hits = [value in wanted for value in present]
    elif operator in ("Bool", "StringEqualsIgnoreCase"):
        hits = [value.lower() in map(str.lower, wanted) for value in present]
    elif operator in ("StringLike", "ArnLike", "ArnEquals"):
        hits = [any(matches(pattern, value) for pattern in wanted) for value in present]
    elif operator.startswith("Numeric"):
        hits = [any(_compare(operator, float(value), float(bound)) for bound in wanted) for value in present]
    else:
        raise ValidationError(f"Condition operator {operator} is not evaluated by the sandbox.")
    hits = [hit != negated for hit in hits]
    return all(hits) if for_all or negated else any(hits)


def _compare(operator: str, value: float, bound: float) -> bool:
    if "LessThan" in operator:
        return value < bound or (operator.endswith("Equals") and value == bound)
    if "GreaterThan" in operator:
        return value > bound or (operator.endswith("Equals") and value == bound)
    return value == bound


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
