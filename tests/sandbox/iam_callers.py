"""Owns who a request comes from and what that caller may do in general: policies, boundary, session, tags.

UG is https://docs.aws.amazon.com/IAM/latest/UserGuide/.
"""

import base64
import json
from dataclasses import dataclass, field
from types import SimpleNamespace

import accounts
import emulate
import iam_evaluate
from moto.iam.models import iam_backends
from moto.sts.models import sts_backends
from moto.utilities.utils import PARTITION_NAMES


@dataclass
class Identity:
    """A caller with all that is attached to it."""

    caller: iam_evaluate.Caller
    identity: list = field(default_factory=list)
    boundary: list | None = None
    session: list | None = None
    # Of a role also the session tags, which win over the role's: UG id_session-tags.html.
    tags: dict = field(default_factory=dict)
    # aws:username, aws:userid and what else the kind of caller decides: UG reference_policies_variables.html#principaltable
    keys: dict = field(default_factory=dict)
    # Service-linked roles: "SCPs do not affect any service-linked role" (ORG orgs_manage_policies_scps.html).
    is_service_linked: bool = False


def identify(credential, account, partition, call):
    """Returns the Identity behind a request; `credential` is None for one that is not signed."""
    if credential is None:
        return _unsigned(call)
    if accounts.STATIC_KEY.match(credential.access_key):
        return _root(account, partition)
    for name in PARTITION_NAMES:
        backend = dict.get(iam_backends[account], name)
        if backend is None:
            continue
        for user in list(backend.users.values()):
            if any(key.access_key_id == credential.access_key for key in user.access_keys):
                return _user(backend, user)
        session = _session_of(account, credential.access_key)
        if session is not None:
            return _role_session(backend, session)
    # moto made the key, yet nobody has it: a user that was deleted. AWS would not know the key.
    return Identity(iam_evaluate.Caller("anonymous"))


def of_role(role, session_name, keys=None):
    """Returns the Identity of a session of a role that nobody was given the keys of, such as an agent's on its node.

    `keys` are what AWS adds to the requests of such a session.
    """
    session = SimpleNamespace(
        arn=f"arn:{role.partition}:sts::{role.account_id}:assumed-role/{role.name}/{session_name}", account_id=role.account_id, role_arn=role.arn,
        user_id=f"{role.id}:{session_name}", policy=None, sandbox={"issued": emulate.now().strftime("%Y-%m-%dT%H:%M:%SZ")},
    )
    identity = _role_session(iam_backends[role.account_id][role.partition], session)
    identity.keys |= keys or {}
    return identity


def of_principal(arn, session_name="operator"):
    """Returns the Identity of a user, of a role in a session of that name, or of an account's root user; None if it is not there."""
    _, partition, _, _, account, name = arn.split(":", 5)
    backend = iam_backends[account][partition]
    if name == "root":
        return _root(account, partition)
    if name.startswith("role/"):
        role = next((role for role in list(backend.roles.values()) if role.arn == arn), None)
        return of_role(role, session_name) if role else None
    user = next((user for user in list(backend.users.values()) if user.arn == arn), None)
    return _user(backend, user) if user else None


def _session_of(account, access_key):
    for region in list(dict.values(sts_backends[account])):
        for session in list(region.assumed_roles):
            if session.access_key_id == access_key:
                return session
    return None


def _unsigned(call):
    # AssumeRoleWithWebIdentity and AssumeRoleWithSAML are called without credentials: the provider vouches.
    if call.operation == "AssumeRoleWithWebIdentity":
        claims = _claims(call.params.get("WebIdentityToken", ""))
        name = call.params.get("ProviderId") or str(claims.get("iss", "")).removeprefix("https://")
        # "HOST:aud", "HOST:sub" ..: UG reference_policies_iam-condition-keys.html#condition-keys-wif
        keys = {f"{name}:{claim}".lower(): [str(one) for one in (value if isinstance(value, list) else [value])] for claim, value in claims.items()}
        return Identity(iam_evaluate.Caller("provider", name=name), keys=keys)
    if call.operation == "AssumeRoleWithSAML":
        return Identity(iam_evaluate.Caller("provider", name=call.params.get("PrincipalArn")))
    return Identity(iam_evaluate.Caller("anonymous"))


def _claims(token):
    """Returns the claims of a JSON web token, none of what is not one. Its signature is not checked."""
    try:
        claims = token.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    except (IndexError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _root(account, partition):
    arn = f"arn:{partition}:iam::{account}:root"
    keys = {"aws:principaltype": ["Account"], "aws:userid": [account], "aws:principalarn": [arn]}
    return Identity(iam_evaluate.Caller("root", arn, account), keys=keys)


def _user(backend, user):
    holders = [user, *backend.get_groups_for_user(user.name)]
    keys = {"aws:principaltype": ["User"], "aws:userid": [user.id], "aws:username": [user.name], "aws:principalarn": [user.arn]}
    return Identity(
        iam_evaluate.Caller("user", user.arn, user.account_id, unique_id=user.id),
        [policy for holder in holders for policy in _attached(holder)],
        _boundary(backend, getattr(user, "permissions_boundary_arn", None)),
        tags=_tags(getattr(backend, "tagger", None) and backend.tagger.get_tag_dict_for_resource(user.arn)),
        keys=keys,
    )


def _role_session(backend, session):
    role = next((role for role in list(backend.roles.values()) if role.arn == session.role_arn), None)
    extras = getattr(session, "sandbox", {})
    caller = iam_evaluate.Caller("role", session.arn, session.account_id, session.role_arn, role.id if role else None)
    keys = {
        "aws:principaltype": ["AssumedRole"], "aws:principalarn": [session.role_arn], "aws:userid": [session.user_id],
        # Temporary credentials have these: UG reference_policies_condition-keys.html
        "aws:tokenissuetime": [extras.get("issued", "")], "aws:multifactorauthpresent": ["false"],
    }
    if not extras.get("issued"):
        del keys["aws:tokenissuetime"]
    if extras.get("source_identity"):
        keys["aws:sourceidentity"] = [extras["source_identity"]]
    # What a service puts in the sessions that it gives away, such as ssm:AccessRequestId.
    keys |= extras.get("keys", {})
    policies = [("session", session.policy)] if session.policy else []
    policies += [policy for arn in extras.get("policy_arns", []) for policy in _by_arn(backend, arn)]
    return Identity(
        caller,
        list(_attached(role)) if role else [],
        _boundary(backend, role.permissions_boundary_arn if role else None),
        # "The resulting session's permissions are the intersection of the role's policies and the session policies."
        policies or None,
        _tags(role.tags if role else None) | extras.get("tags", {}),
        keys,
        ":role/aws-service-role/" in session.role_arn,
    )


def _attached(holder):
    for policy in list(holder.managed_policies.values()):
        yield policy.arn, default_version(policy)
    yield from list(holder.policies.items())


def default_version(policy):
    """Returns the text of a managed policy."""
    return next(version.document for version in policy.versions if version.version_id == policy.default_version_id)


def _by_arn(backend, arn):
    policy = backend.managed_policies.get(arn)
    # A boundary or session policy that is gone allows nothing.
    return [(arn, default_version(policy))] if policy is not None else [(arn, {"Statement": []})]


def _boundary(backend, arn):
    return _by_arn(backend, arn) if arn else None


def _tags(tags):
    if not tags:
        return {}
    if isinstance(tags, dict):
        return {key: value["Value"] if isinstance(value, dict) else value for key, value in tags.items()}
    return {tag["Key"]: tag["Value"] for tag in tags}
