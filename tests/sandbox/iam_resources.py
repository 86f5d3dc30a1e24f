"""Owns what is known of a resource by its ARN: whose it is, which policy it has, and its tags.

Types with a policy of their own: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html
"""

from dataclasses import dataclass, field

import documents
import iam_evaluate
import nodes
import sessions
from moto.awslambda.models import lambda_backends
from moto.cloudtrail.models import cloudtrail_backends
from moto.ec2.models import ec2_backends
from moto.events.models import events_backends
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.logs.models import logs_backends
from moto.s3.models import s3_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.sqs.models import sqs_backends
from moto.ssm.models import ssm_backends

# Actions whose resource is a role and that its trust policy decides about.
TRUST_ACTIONS = ("sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity", "sts:SetContext")


@dataclass
class Resource:
    """What is known of one resource."""

    # The account that owns it; None if nothing says so, or if it is AWS's.
    account: str | None = None
    policy: tuple | None = None
    must_allow: bool = False
    kind: str = iam_evaluate.RESOURCE
    # Whether another account could be let in by a policy of the resource.
    can_be_shared: bool = False
    tags: dict = field(default_factory=dict)


def describe(action, arn):
    """Returns what is known of a resource; a bare Resource for one that is not there."""
    parts = arn.split(":", 5)
    if len(parts) != 6:
        return Resource()
    _, partition, service, region, account, name = parts
    if service == "s3":
        return _bucket(name, arn)
    if not account.isdigit():
        return Resource()
    found = Resource(account)
    reader = READERS.get(service)
    if reader:
        try:
            reader(found, action, partition, region, account, name, arn)
        except KeyError:
            # A Region that moto does not have.
            pass
    return found


def _bucket(name, arn):
    bucket_name = name.partition("/")[0]
    owner = s3_backends.bucket_accounts.get(bucket_name)
    if not owner:
        return Resource()
    partition, account = owner
    bucket = s3_backends[account][partition].buckets.get(bucket_name)
    if bucket is None:
        return Resource()
    text = bucket.policy.decode() if isinstance(bucket.policy, bytes) else bucket.policy
    return Resource(account, ("bucket", text) if text else None, can_be_shared=True)


def region_of_bucket(name):
    """Returns the Region of a bucket, whoever owns it; None where there is none."""
    partition, account = s3_backends.bucket_accounts.get(name) or (None, None)
    bucket = account and s3_backends[account][partition].buckets.get(name)
    return bucket.region_name if bucket else None


def _kms(found, _action, _partition, region, account, name, _arn):
    found.can_be_shared = True
    if not name.startswith("key/"):
        return
    backend = kms_backends[account][region]
    key = backend.keys.get(name[4:])
    if key is not None:
        found.policy, found.must_allow = ("key", key.policy), True
        found.tags = backend.tagger.get_tag_dict_for_resource(key.id)


def _sqs(found, _action, _partition, region, account, name, _arn):
    found.can_be_shared = True
    queue = sqs_backends[account][region].queues.get(name)
    if queue is not None:
        found.policy, found.tags = (("queue", queue.policy) if queue.policy else None), dict(queue.tags)


def _lambda(found, _action, _partition, region, account, name, arn):
    found.can_be_shared = True
    plain = ":".join(arn.split(":")[:7])
    for function in lambda_backends[account][region].list_functions():
        if function.function_arn == plain:
            statements = function.policy.statements
            found.policy = ("function", {"Version": iam_evaluate.WITH_VARIABLES, "Statement": list(statements)}) if statements else None
            found.tags = dict(function.tags or {})


def _secretsmanager(found, _action, _partition, region, account, _name, arn):
    found.can_be_shared = True
    for secret in list(secretsmanager_backends[account][region].secrets.values()):
        if secret.arn == arn:
            found.policy = ("secret", secret.policy) if secret.policy else None
            found.tags = {tag["Key"]: tag["Value"] for tag in secret.tags or []}


def _events(found, _action, _partition, region, account, name, arn):
    found.can_be_shared = name.startswith("event-bus/")
    backend = events_backends[account][region]
    bus = backend.event_buses.get(name.partition("/")[2]) if found.can_be_shared else None
    if bus is not None and bus.policy:
        found.policy = ("event-bus", bus.policy)
    found.tags = backend.tagger.get_tag_dict_for_resource(arn)


def _iam(found, action, partition, _region, account, name, arn):
    backend = iam_backends[account][partition]
    if name.startswith("role/"):
        role = next((role for role in list(backend.roles.values()) if role.arn == arn), None)
        if action in TRUST_ACTIONS:
            found.must_allow, found.kind, found.can_be_shared = True, iam_evaluate.TRUST, True
            found.policy = ("trust", role.assume_role_policy_document) if role else None
        found.tags = {tag["Key"]: tag["Value"] for tag in role.tags or []} if role else {}
    elif name.startswith("user/"):
        found.tags = backend.tagger.get_tag_dict_for_resource(arn)
    elif name.startswith("policy/"):
        policy = backend.managed_policies.get(arn)
        found.tags = {key: value["Value"] for key, value in (policy.tags or {}).items()} if policy is not None else {}


def _ec2(found, _action, _partition, region, account, name, _arn):
    found.tags = dict(ec2_backends[account][region].tags.get(name.partition("/")[2], {}))


def _ssm(found, _action, _partition, region, account, name, _arn):
    kind, _, identifier = name.partition("/")
    if kind == "managed-instance":
        node = nodes.REGIONS.of(account, region).nodes.get(identifier)
        found.tags = dict(node.tags) if node else {}
    elif kind == "document":
        document = documents.DOCUMENTS.of(account, region).get(identifier)
        found.tags = {tag["Key"]: tag["Value"] for tag in document.tags or []} if document else {}
    elif kind == "session":
        session = sessions.SESSIONS.of(account, region).get(identifier)
        # getting-started-restrict-access-examples.html: tags that a session has from its start.
        found.tags = {"aws:ssmmessages:session-id": session.operator_id, "aws:ssmmessages:target-id": session.target} if session else {}
    elif kind == "parameter":
        tags = ssm_backends[account][region]._resource_tags["Parameter"]
        found.tags = dict(tags.get(f"/{identifier}") or tags.get(identifier) or {})


def _logs(found, _action, _partition, region, account, name, arn):
    group = arn.removesuffix(":*").partition(":log-stream:")[0]
    found.tags = dict(logs_backends[account][region].tagger.get_tag_dict_for_resource(group))


def _cloudtrail(found, _action, _partition, region, account, _name, arn):
    found.tags = dict(cloudtrail_backends[account][region].tagging_service.get_tag_dict_for_resource(arn))


READERS = {
    "kms": _kms, "sqs": _sqs, "lambda": _lambda, "secretsmanager": _secretsmanager, "events": _events, "iam": _iam, "ec2": _ec2, "ssm": _ssm,
    "logs": _logs, "cloudtrail": _cloudtrail,
}
