"""Owns the global condition keys of a request: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"""

import emulate
import iam_organization
from iam_needs import GLOBAL_SERVICES

# Services that keep their own spelling of the tags of a resource, beside aws:ResourceTag/x.
# https://docs.aws.amazon.com/service-authorization/latest/reference/, "Condition keys for ..".
OWN_TAG_KEY = {"ssm": "ssm:resourcetag/", "ec2": "ec2:resourcetag/", "iam": "iam:resourcetag/", "secretsmanager": "secretsmanager:resourcetag/"}
CALLED_VIA = ("athena", "cloudformation")
DNS_SUFFIX = {"aws-cn": "amazonaws.com.cn"}


def of(call, need, identity, environ, resource):
    """Returns the whole context of one need: global keys and those of the service, lower case."""
    now = emulate.now()
    keys = {
        "aws:currenttime": [now.strftime("%Y-%m-%dT%H:%M:%SZ")],
        "aws:epochtime": [str(int(now.timestamp()))],
        # Requests come over loopback in place of TLS, so that policies which demand TLS let them pass.
        "aws:securetransport": ["true"],
        "aws:sourceip": [environ.get("REMOTE_ADDR") or "127.0.0.1"],
        # IAM and Organizations are asked in us-east-1: UG .._condition-keys.html#condition-keys-requestedregion
        "aws:requestedregion": ["us-east-1" if call.service in GLOBAL_SERVICES and call.partition == "aws" else call.region],
        "aws:viaawsservice": ["true" if need.via else "false"],
        "aws:principalisawsservice": ["false"],
    }
    if environ.get("HTTP_USER_AGENT"):
        keys["aws:useragent"] = [environ["HTTP_USER_AGENT"]]
    keys |= _principal(identity, call.partition)
    service = need.action.partition(":")[0]
    for name, value in resource.tags.items():
        for prefix in ("aws:resourcetag/", OWN_TAG_KEY.get(service)):
            if prefix:
                keys[f"{prefix}{name.lower()}"] = [str(value)]
        if service == "ssm" and ":ec2:" in need.resource:
            # SAR list_awssystemsmanager.html: the tags of the instance.
            keys[f"ssm:resourcetag/{name.lower()}"] = [str(value)]
    owner = resource.account or (call.account if need.resource != "*" else None)
    if owner:
        keys["aws:resourceaccount"] = [owner]
        if service == "s3":
            keys["s3:resourceaccount"] = [owner]
        organization = iam_organization.of(owner, call.partition)
        if organization is not None:
            keys["aws:resourceorgid"] = [organization.org.id]
            keys["aws:resourceorgpaths"] = [iam_organization.path(owner, call.partition)]
    suffix = DNS_SUFFIX.get(call.partition, "amazonaws.com")
    called = [name for name in (environ.get("HTTP_X_SANDBOX_CALLED_VIA"), need.via and f"{need.via}.{suffix}") if name]
    if called:
        keys["aws:viaawsservice"] = ["true"]
        if service == "kms":
            # https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
            keys["kms:viaservice"] = [f"{called[-1].partition('.')[0]}.{call.region}.{suffix}"]
        # UG .._condition-keys.html#condition-keys-calledvia lists the services that are in it.
        called = [name for name in called if name.partition(".")[0] in CALLED_VIA]
        if called:
            keys |= {"aws:calledvia": called, "aws:calledviafirst": called[:1], "aws:calledvialast": called[-1:]}
    return keys | need.keys


def _principal(identity, partition):
    caller = identity.caller
    keys = dict(identity.keys)
    if caller.account:
        keys["aws:principalaccount"] = [caller.account]
        organization = iam_organization.of(caller.account, partition)
        if organization is not None:
            keys["aws:principalorgid"] = [organization.org.id]
            keys["aws:principalorgpaths"] = [iam_organization.path(caller.account, partition)]
    return keys | {f"aws:principaltag/{name.lower()}": [str(value)] for name, value in identity.tags.items()}
