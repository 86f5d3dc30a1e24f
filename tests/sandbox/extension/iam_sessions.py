"""Owns what moto does not keep of a session: its policy ARNs, tags, source identity and when it began.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
"""

from typing import Any

import emulate
from moto.core.responses import ActionResult
from moto.sts.models import AssumedRole, sts_backends
from moto.sts.responses import TokenResponse
from moto.utilities.utils import get_partition

# As the value of aws:TokenIssueTime.
TIME = "%Y-%m-%dT%H:%M:%SZ"
OPERATIONS = ("assume_role", "assume_role_with_web_identity", "assume_role_with_saml")


def install() -> None:
    """Has each AssumeRole operation keep what was asked for."""
    for operation in OPERATIONS:
        setattr(TokenResponse, operation, _keeping(getattr(TokenResponse, operation)))


def begin(account: str, region: str, role: str, name: str) -> AssumedRole:
    """Returns a session of a role that a service assumes for itself, such as Lambda for a function."""
    session = sts_backends[account][get_partition(region)].assume_role(
        region_name=region, role_session_name=name, role_arn=role, policy=None, duration=3600, external_id=None)
    session.sandbox = {"issued": emulate.now().strftime(TIME)}
    return session


def _keeping(original: Any) -> Any:
    def operation(self: TokenResponse) -> ActionResult:
        before = _session(self)
        answer = original(self)
        tags = {tag["Key"]: tag["Value"] for tag in self._get_param("Tags") or []}
        # "Transitive tags persist during role chaining."
        inherited = {key: value for key, value in before.get("tags", {}).items() if key in before.get("transitive", [])}
        answer.result["Credentials"].sandbox = {
            "policy_arns": [entry["arn"] for entry in self._get_param("PolicyArns") or []],
            "tags": tags | inherited,
            "transitive": [*(self._get_param("TransitiveTagKeys") or []), *inherited],
            "source_identity": before.get("source_identity") or self._get_param("SourceIdentity"),
            "issued": emulate.now().strftime(TIME),
        }
        return answer

    return operation


def _session(self: TokenResponse) -> dict[str, Any]:
    """Returns what is kept of the session that calls, if one does."""
    key = self.get_access_key()
    for region in list(dict.values(sts_backends[self.current_account])):
        for session in region.assumed_roles:
            if session.access_key_id == key:
                return getattr(session, "sandbox", {})
    return {}
