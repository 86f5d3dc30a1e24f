"""Owns the decision whether a request is allowed under all policies that apply to it.

Pure: knows no account, no service and no request on the wire. `iam_enforce`
collects what goes in. Written from AWS's documentation alone, beside no other
evaluator; each rule names its page. UG is https://docs.aws.amazon.com/IAM/latest/UserGuide/,
ORG https://docs.aws.amazon.com/organizations/latest/userguide/.
"""

import json
from dataclasses import dataclass, field

import iam_condition
import iam_pattern

WITH_VARIABLES = "2012-10-17"

# What a statement of a resource-based policy names the caller as, weakest first. A grant to the account only
# delegates to the account's own policies; one to a role is limited by boundary and session policies; one to a
# user, a session, a service or everyone is final within the account:
# UG reference_policies_evaluation-logic_policy-eval-denyallow.html, "Resource-based policies".
NOBODY, ACCOUNT, ROLE, DIRECT = range(4)

# Callers that no account has, and so no identity-based policy.
OUTSIDE = ("service", "provider", "anonymous")

# In the order in which denials are reported; the words are UG troubleshoot_access-denied.html's.
SCP, RCP, RESOURCE, TRUST, IDENTITY, BOUNDARY, SESSION = KINDS = (
    "service control policy", "resource control policy", "resource-based policy", "role trust policy",
    "identity-based policy", "permissions boundary", "session policy",
)


@dataclass
class Caller:
    """Who calls.

    `kind` is root, user, role (a session of one), service, provider (whom an identity provider vouches for, before
    AssumeRoleWithSAML or WithWebIdentity gave it a session), anonymous, or anyone of an account. `arn` is the caller's own: of a role it
    is the session's, and `role_arn` names the role.
    """

    kind: str
    arn: str = ""
    account: str = ""
    role_arn: str | None = None
    # "AIDA..", "AROA..": what a deleted principal's ARN becomes in a policy (UG reference_identifiers.html).
    unique_id: str | None = None
    # Of a service its name, of a provider what Federated names it by.
    name: str | None = None


@dataclass
class Request:
    """One action on one resource, with the request context: lower-case keys to lists of strings."""

    action: str
    resource: str
    caller: Caller
    context: dict = field(default_factory=dict)


@dataclass
class Policies:
    """Everything that applies. A policy is (name, document as text or parsed); a name that is an ARN is reported.

    `scps` and `rcps` hold one list per level, from the root of the organization down to the account, and None
    where they do not apply: to the management account, or outside an organization. `boundary` and `session` are
    None where there is none; `resource` is the one policy of the resource, if it has one.
    """

    identity: list = field(default_factory=list)
    boundary: list | None = None
    session: list | None = None
    scps: list | None = None
    rcps: list | None = None
    resource: tuple | None = None
    # The account that owns the resource; None is the caller's.
    resource_account: str | None = None
    # KMS keys and roles: "they must explicitly allow access for principals" (UG .._policy-eval-denyallow.html).
    resource_must_allow: bool = False
    # What the resource's policy is called in a denial.
    resource_kind: str = RESOURCE


@dataclass
class Decision:
    """What was decided: `kind` of policy and `explicit` say why it is a denial, `policy` which one where one denied."""

    allowed: bool
    kind: str | None = None
    explicit: bool = False
    policy: str | None = None
    # Names of the policies with statements that led to the decision.
    matched: list = field(default_factory=list)
    missing: set = field(default_factory=set)

    def because(self, action):
        """Returns the end of AWS's sentence: UG troubleshoot_access-denied.html."""
        if self.explicit:
            article = "the" if self.kind == TRUST else "an" if self.kind[0] in "aeiou" else "a"
            # https://aws.amazon.com/blogs/security/enhanced-access-denied-error-messages-with-policy-arns
            which = f": {self.policy}" if self.policy and self.policy.startswith("arn:") else ""
            return f"with an explicit deny in {article} {self.kind}{which}"
        return f"because no {self.kind} allows the {action} action"


def decide(request, policies):
    """Decides as UG reference_policies_evaluation-logic_policy-eval-denyallow.html and, where the resource is in
    another account, reference_policies_evaluation-logic-cross-account.html."""
    seen = _Seen(request, policies.boundary is not None)
    caller = request.caller
    # "The code evaluates all policies that apply to the request and looks for a Deny."
    groups = [
        (SCP, [policy for level in policies.scps or [] for policy in level]),
        (RCP, [policy for level in policies.rcps or [] for policy in level]),
        (policies.resource_kind, [policies.resource] if policies.resource else []),
        (IDENTITY, policies.identity),
        (BOUNDARY, policies.boundary or []),
        (SESSION, policies.session or []),
    ]
    for kind, group in groups:
        for name, document in group:
            if seen.effects(name, document, kind).get("Deny", NOBODY) > NOBODY:
                return seen.denial(kind, explicit=True, policy=name)
    for kind, levels in ((SCP, policies.scps), (RCP, policies.rcps)):
        # "For a permission to be allowed, there must be an explicit Allow statement at every level from the root
        # through each OU in the direct path to the account": ORG orgs_manage_policies_scps_evaluation.html
        for level in levels or []:
            if not seen.any_allows(level, kind):
                return seen.denial(kind)
    granted = NOBODY
    if policies.resource:
        granted = seen.effects(*policies.resource, policies.resource_kind).get("Allow", NOBODY)
    elsewhere = policies.resource_account not in (None, caller.account)
    if caller.kind in OUTSIDE:
        # They have no identity-based policies: only the resource can let them in.
        return seen.permission([policies.resource[0]]) if granted == DIRECT else seen.denial(policies.resource_kind)
    if granted == NOBODY and (elsewhere or policies.resource_must_allow):
        return seen.denial(policies.resource_kind)
    if granted == DIRECT and not elsewhere:
        return seen.permission([policies.resource[0]])
    if caller.kind == "root":
        # "All requests are implicitly denied with the exception of the AWS account root user, which has full access."
        return seen.permission(["root"])
    by = [name for name, document in policies.identity if "Allow" in seen.effects(name, document, IDENTITY)]
    if not by and (granted != ROLE or elsewhere):
        return seen.denial(IDENTITY)
    if policies.boundary is not None and not seen.any_allows(policies.boundary, BOUNDARY):
        return seen.denial(BOUNDARY)
    if policies.session is not None and not seen.any_allows(policies.session, SESSION):
        return seen.denial(SESSION)
    return seen.permission(by or [policies.resource[0]])


class _Seen:
    """What the policies say about one request, each read once."""

    def __init__(self, request, has_boundary):
        self._request = request
        self._has_boundary = has_boundary
        self._effects = {}
        self._missing = set()

    def effects(self, name, document, kind):
        """Returns what a policy of a kind says: {"Allow" or "Deny": how it names the caller}."""
        key = (name, id(document), kind)
        if key not in self._effects:
            self._effects[key] = effects(document, self._request, kind, self._missing, self._has_boundary)
        return self._effects[key]

    def any_allows(self, group, kind):
        return any("Allow" in self.effects(name, document, kind) for name, document in group)

    def permission(self, matched):
        return Decision(True, matched=matched, missing=self._missing)

    def denial(self, kind, explicit=False, policy=None):
        return Decision(False, kind, explicit, policy, [policy] if policy else [], self._missing)


def effects(document, request, kind=IDENTITY, missing=None, has_boundary=False):
    """Returns {"Allow" or "Deny": the strongest way in which a statement that applies names the caller}."""
    policy = json.loads(document) if isinstance(document, str) else document
    variables = policy.get("Version") == WITH_VARIABLES
    found = {}
    for statement in _as_list(policy.get("Statement", [])):
        named = _names_caller(statement, request.caller, has_boundary) if kind in (RESOURCE, TRUST) else DIRECT
        if named > found.get(statement["Effect"], NOBODY) and applies(statement, request, variables, missing, kind):
            found[statement["Effect"]] = named
    return found


def applies(statement, request, variables, missing=None, kind=IDENTITY):
    """Returns whether a statement is about the request: action, resource and condition, whoever it names."""
    context = request.context if variables else None
    actions = _as_list(statement.get("Action", statement.get("NotAction", [])))
    if any(iam_pattern.action_matches(pattern, request.action) for pattern in actions) != ("NotAction" not in statement):
        return False
    # Trust policies have no Resource: the role is meant.
    if "Resource" in statement or "NotResource" in statement:
        patterns = _as_list(statement.get("Resource", statement.get("NotResource")))
        # "If a variable that has no value is used as part of Resource or NotResource, the resource that includes it
        # will not match any resource" (UG reference_policies_variables.html#policy-vars-no-value).
        # Incomplete ARNs are completed "in an identity-based policy" (UG reference_identifiers.html#identifiers-arns).
        completes = kind in (IDENTITY, BOUNDARY)
        covered = any(iam_pattern.resource_matches(pattern, request.resource, context, completes) for pattern in patterns)
        if covered != ("NotResource" not in statement):
            return False
    return iam_condition.holds(statement.get("Condition", {}), request.context, variables, missing)


def _names_caller(statement, caller, has_boundary):
    if "NotPrincipal" in statement:
        # "The NotPrincipal element with a Deny effect will always deny any IAM principal that has a permissions boundary
        # policy attached, regardless of the values specified": UG access_policies_boundaries.html
        if statement["Effect"] == "Deny" and has_boundary and caller.kind in ("user", "role"):
            return DIRECT
        return _not_named(statement["NotPrincipal"], caller)
    return _named(statement.get("Principal"), caller)


def _named(element, caller):
    """Returns how a Principal element names the caller: UG reference_policies_elements_principal.html."""
    if element == "*":
        return DIRECT
    if not isinstance(element, dict):
        return NOBODY
    if caller.kind in ("service", "provider"):
        named = _as_list(element.get("Service" if caller.kind == "service" else "Federated", []))
        # "cognito-identity.amazonaws.com", or the ARN of a provider of the account: "..:oidc-provider/HOST/PATH".
        return DIRECT if any(caller.name in (text, text.partition(":oidc-provider/")[2]) for text in named) else NOBODY
    return max((_named_by(text, caller) for text in _as_list(element.get("AWS", []))), default=NOBODY)


def _named_by(text, caller):
    if text == "*":
        # "Permissions boundaries and session policies do not limit permissions granted using the aws:PrincipalArn
        # condition key with a wildcard (*) in the Principal element."
        return DIRECT
    if caller.kind == "anonymous":
        return NOBODY
    if caller.kind == "anyone":
        return DIRECT if text == caller.account or text.split(":")[4:5] == [caller.account] else NOBODY
    partition = caller.arn.split(":")[1]
    if text in (caller.account, f"arn:{partition}:iam::{caller.account}:root"):
        return DIRECT if caller.kind == "root" else ACCOUNT
    if text in (caller.role_arn, caller.unique_id):
        return ROLE if caller.kind != "user" else DIRECT
    return DIRECT if text == caller.arn else NOBODY


def _not_named(element, caller):
    """Returns DIRECT unless NotPrincipal lists everything that the caller is.

    "You must also specify the account ARN of the not-denied principal. Otherwise, the policy might deny access to
    the entire account containing the principal"; of a session the role as well: UG
    reference_policies_elements_notprincipal.html. Here it always denies then.
    """
    if element == "*" or _as_list(element.get("AWS", [])) == ["*"]:
        return NOBODY
    if caller.kind in (*OUTSIDE, "anyone"):
        return NOBODY if _named(element, caller) else DIRECT
    listed = _as_list(element.get("AWS", []))
    partition = caller.arn.split(":")[1]
    identities = [{caller.account, f"arn:{partition}:iam::{caller.account}:root"}]
    if caller.kind != "root":
        identities.append({caller.arn, caller.unique_id} if caller.kind == "user" else {caller.arn})
    if caller.role_arn:
        identities.append({caller.role_arn, caller.unique_id})
    return NOBODY if all(any(name in listed for name in names if name) for names in identities) else DIRECT


def _as_list(value):
    return value if isinstance(value, list) else [value]
