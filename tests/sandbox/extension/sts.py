"""Owns who the caller is when the key is a static one of the sandbox, and that a
role must exist to be assumed.

https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""

import accounts
import emulate
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
        return inherited(self)

    TokenResponse.assume_role = assume_role


def _install_get_caller_identity():
    inherited = TokenResponse.get_caller_identity

    def get_caller_identity(self):
        """Answers for static keys; moto knows the others."""
        if not accounts.STATIC_KEY.match(self.get_access_key()):
            return inherited(self)
        account = self.current_account
        return ActionResult(
            {
                "UserId": f"AIDA{account}SAND",
                "Account": account,
                "Arn": f"arn:{self.partition}:iam::{account}:user/sandbox",
            }
        )

    TokenResponse.get_caller_identity = get_caller_identity
