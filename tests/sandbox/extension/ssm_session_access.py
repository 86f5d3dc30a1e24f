"""Owns the question whether one call of a session is allowed, and how the AWS SDK for Go words a refusal.

The node's calls are always decided about, with its role's policies, boundary, SCPs and the policy of the resource; those
of the operator where IAM is enforced, or where the session was started for a principal by name.
"""

import re
import uuid
from dataclasses import dataclass

import iam_enforce
import iam_evaluate
import iam_needs
import iam_programs
import iam_resources
from moto.kms.models import kms_backends

# What a denial by the policy of a resource is called, by the service of the action.
RESOURCE_POLICIES = {"kms": "key policy", "s3": "bucket policy"}
PROTOCOLS = {"s3": "rest-xml"}


@dataclass(eq=False)
class Refusal(Exception):
    """What a service answered in place of doing it."""

    service: str
    status: int
    code: str
    message: str
    denied_by: dict | None = None

    def __str__(self):
        """Words it as aws-sdk-go's awserr.SprintError and requestError do, and service/s3's with the host."""
        host = ", host id: " if self.service == "s3" else ""
        return f"{self.code}: {self.message}\n\tstatus code: {self.status}, request id: {uuid.uuid4()}{host}"


@dataclass
class Caller:
    """Who calls during a session: the agent on its node, or the operator's client."""

    identity: object
    account: str
    region: str
    environ: dict
    # Whether the caller's own policies count; the operator's only where IAM is enforced.
    is_checked: bool = True
    # Condition keys of the calls to Systems Manager.
    ssm_keys: dict | None = None

    def call(self, service, operation, **params):
        """Returns one call of this caller."""
        return iam_needs.Call(self.account, self.region, service, operation, params)

    def hold(self, call, need):
        """Raises a Refusal where the program that the caller runs may not have a need of a call."""
        message = iam_programs.refused(call, need, self.identity, self.environ)
        if message:
            raise Refusal(call.service, 400, "AccessDeniedException", message, because("policy of the program", need.resource))

    def may(self, call, needs=None):
        """Raises a Refusal unless all needs of a call are allowed."""
        for need in iam_needs.needs(call) if needs is None else needs:
            if self.ssm_keys and need.action.startswith(("ssm:", "ssmmessages:")):
                need.keys = need.keys | self.ssm_keys
            self.hold(call, need)
            resource = iam_resources.describe(need.action, need.resource)
            elsewhere = resource.can_be_shared and resource.account != self.identity.caller.account
            if not self.is_checked and not (elsewhere and iam_enforce.is_on(resource.account)):
                continue
            decision = iam_enforce.decide(call, need, self.identity, self.environ, resource, self.is_checked)
            if decision.allowed:
                continue
            protocol = PROTOCOLS.get(call.service, "json")
            worded = iam_enforce.worded(protocol, call.service, call, need, self.identity, resource, decision)
            raise Refusal(call.service, *worded, denied_by=_denied_by(need, decision))


def _denied_by(need, decision):
    by = decision.kind
    if by == iam_evaluate.RESOURCE:
        by = RESOURCE_POLICIES.get(need.action.partition(":")[0], by)
    return {"action": need.action, "resource": need.resource, "by": by, "explicit": decision.explicit, "policy": decision.policy}


def because(by, resource=None):
    """Returns what takes the place of a policy where a setting is the cause."""
    return {"action": None, "resource": resource, "by": by, "explicit": False, "policy": None}


def usable_key(arn, service="kms", region=None):
    """Returns a key that may encrypt, as KMS says in `region` or its own; raises what KMS answers, or S3 for it, for one that is not there or not enabled.

    https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html; S3 puts `KMS.` in front:
    https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    """
    prefix = "KMS." if service == "s3" else ""
    found = re.fullmatch(r"arn:[\w-]+:kms:([\w-]+):(\d{12}):key/([\w-]+)", arn)
    backend = kms_backends[found[2]] if found else {}
    if found and region not in (None, found[1]):
        # KMS knows the keys of its own Region only: https://docs.aws.amazon.com/kms/latest/developerguide/find-cmk-id-arn.html
        raise Refusal(service, 400, f"{prefix}NotFoundException", f"Invalid arn {found[1]}", because("key is in another Region", arn))
    key = backend[found[1]].keys.get(found[3]) if found and found[1] in backend.regions else None
    if key is None:
        name = f"Alias {arn} is not found." if ":alias/" in arn else f"Key '{arn}' does not exist"
        raise Refusal(service, 400, f"{prefix}NotFoundException", name, because("key is missing", arn))
    if key.key_state == "Disabled":
        raise Refusal(service, 400, f"{prefix}DisabledException", f"{arn} is disabled.", because("key is disabled", arn))
    if key.key_state != "Enabled":
        code = "KMS.KMSInvalidStateException" if prefix else "KMSInvalidStateException"
        words = "pending deletion" if key.key_state == "PendingDeletion" else "pending import"
        raise Refusal(service, 400, code, f"{arn} is {words}.", because(f"key is {words}", arn))
    if key.key_spec != "SYMMETRIC_DEFAULT":
        # API_GenerateDataKey: "The KeySpec must be SYMMETRIC_DEFAULT", which has but one usage.
        raise Refusal(service, 400, f"{prefix}InvalidKeyUsageException", f"{arn} is not valid for GenerateDataKey.", because("key is not symmetric", arn))
    return key


def service_may(account, name, action, key, context):
    """Returns whether a key policy lets an AWS service in, as CloudWatch Logs for a log group."""
    request = iam_evaluate.Request(action, key.arn, iam_evaluate.Caller("service", name=name), context)
    policies = iam_evaluate.Policies(resource=("key", key.policy), resource_account=account, resource_must_allow=True)
    return iam_evaluate.decide(request, policies).allowed
