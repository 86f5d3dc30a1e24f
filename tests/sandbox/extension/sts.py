"""Owns who the caller is when the key is a static one of the sandbox.

https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
"""

import accounts
from moto.core.responses import ActionResult
from moto.sts.responses import TokenResponse


def install():
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
