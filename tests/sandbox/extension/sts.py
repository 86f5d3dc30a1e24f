"""Owns who the caller is when the key is a static one of the sandbox, that a
role must exist to be assumed, and when a session of an estate's role ends.

https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""

import datetime

import accounts
import emulate
import iam_enforce
from moto.core.utils import utcnow
from moto.core.responses import ActionResult
from moto.iam.models import iam_backends
from moto.sts.responses import TokenResponse


def install():
    _install_get_caller_identity()
    _install_assume_role()


def _install_assume_role():
    inherited = TokenResponse.assume_role

    def assume_role(self):
        """Refuses a role that an account with roles does not have.

        An account without any is a test's fresh one, where each role may be assumed.
        """
        arn = self._get_param("RoleArn") or ""
        parts = arn.split(":")
        if len(parts) == 6 and parts[4].isdigit():
            roles = iam_backends[parts[4]][self.partition].roles.values()
            if roles and all(role.arn != arn for role in roles):
                emulate.refuse(
                    "AccessDenied",
                    f"User: arn:{self.partition}:iam::{self.current_account}:user/sandbox is not "
                    f"authorized to perform: sts:AssumeRole on resource: {arn}",
                )
        answer = inherited(self)
        _shorten(answer.result["Credentials"])
        return answer

    TokenResponse.assume_role = assume_role


def _shorten(session):
    """Lets a session end as soon as the estate says, not after an hour: a test need not wait for it."""
    roles = iam_backends[session.account_id][session.partition].roles.values()
    role = next((role for role in roles if role.arn == session.role_arn), None)
    seconds = getattr(role, "session_seconds", None)
    if seconds is not None:
        session.expiration = utcnow() + datetime.timedelta(seconds=seconds)


def _install_get_caller_identity():
    inherited = TokenResponse.get_caller_identity

    def get_caller_identity(self):
        """Answers for static keys; moto knows the others."""
        if not accounts.STATIC_KEY.match(self.get_access_key()):
            return inherited(self)
        account = self.current_account
        if iam_enforce.is_on(account):
            # Where IAM is enforced the key is the root user's, whom only SCPs bind.
            return ActionResult({"UserId": account, "Account": account, "Arn": f"arn:{self.partition}:iam::{account}:root"})
        return ActionResult(
            {
                "UserId": f"AIDA{account}SAND",
                "Account": account,
                "Arn": f"arn:{self.partition}:iam::{account}:user/sandbox",
            }
        )

    TokenResponse.get_caller_identity = get_caller_identity
