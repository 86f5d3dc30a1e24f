"""Owns which AWS managed policies every account has: those that the tools may
meet, out of the copy that moto ships, parsed once.

Moto itself loads either none or all 1,400 into each account (118 MB for one).
https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
"""

import functools
import json

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend

PREFIXES = (
    "AmazonSSM",
    "CloudWatchAgent",
    "AWSLambdaBasicExecutionRole",
    "AWSQuickSetup",
    "AmazonEC2RoleforSSM",
    "AmazonS3ReadOnlyAccess",
    "AWSSystemsManagerJustInTimeAccessToken",
)
NAMES = ("AdministratorAccess", "PowerUserAccess", "ReadOnlyAccess", "SecurityAudit")


@functools.cache
def _policies(partition):
    """Each partition has its own copy, which names its own ARNs.

    https://docs.aws.amazon.com/govcloud-us/latest/UserGuide/using-govcloud-arns.html
    """
    return {
        name: data
        for name, data in json.loads(aws_managed_policies_data.replace("arn:aws:", f"arn:{partition}:")).items()
        if name.startswith(PREFIXES) or name in NAMES
    }


def _init_aws_policies(self):
    return [
        AWSManagedPolicy.from_data(name, self.account_id, self.region_name, data)
        for name, data in _policies(self.partition).items()
    ]


def install():
    IAMBackend._init_aws_policies = _init_aws_policies
