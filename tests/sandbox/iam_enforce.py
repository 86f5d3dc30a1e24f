"""Owns that IAM is enforced: in accounts that asked for it, a call that its caller may not make is refused.

Off until a test asks, per account: POST /_sandbox/iam {"account": A, "enforce": true}, or `enforce_iam` of an estate.
A call whose needs nobody wrote down is refused with status 500, never let through.

Messages: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

import contextlib
import json
import threading

import control
import iam_callers
import iam_context
import iam_evaluate
import iam_needs
import iam_organization
import iam_programs
import iam_resources
import wire
from accounts import Credential

_enforced = set()
# Who makes the call that this thread serves: a service that calls others for its caller asks.
_serving = threading.local()


def enforce(account, on=True):
    """Turns enforcement on or off for the callers and the resources of one account."""
    (_enforced.add if on else _enforced.discard)(account)


def is_on(account):
    """Returns whether calls of an account are checked."""
    return account in _enforced


@control.route("POST", "/_sandbox/iam")
def post_iam(_query, body):
    """Turns enforcement on or off."""
    given = json.loads(body)
    unknown = set(given) - {"account", "enforce"}
    if unknown or not isinstance(given.get("enforce"), bool) or not str(given.get("account", "")).isdigit():
        raise ValueError('expected {"account": "twelve digits", "enforce": true or false}')
    enforce(given["account"], given["enforce"])
    return 200, b"{}\n"


@contextlib.contextmanager
def serving(credential, environ):
    """Remembers who calls for as long as the call is served."""
    before = caller_key(), caller_program()
    _serving.access_key = environ.get("HTTP_X_SANDBOX_CALLER") or (credential.access_key if credential else None)
    _serving.program = {header: environ[header] for header in iam_programs.HEADERS if header in environ}
    try:
        yield
    finally:
        _serving.access_key, _serving.program = before


def caller_key():
    """Returns the access key of the call that this thread serves, None outside of one."""
    return getattr(_serving, "access_key", None)


def caller_program():
    """Returns the headers of the call that this thread serves that name its program."""
    return getattr(_serving, "program", {})


def refusal(credential, account, region, understood, environ):
    """Returns the answer (status, headers, body) that refuses a call, or None if it may be made."""
    program = iam_programs.named_by(environ)
    if not _enforced and not program:
        return None
    call = iam_needs.Call(account, region, understood.service, understood.operation, understood.params)
    try:
        refused = iam_programs.refusal(credential, call, understood, environ) if program else None
        if refused is None and _enforced:
            refused = _refusal(credential, call, understood, environ)
        return refused and _with_region(call, refused)
    except iam_needs.Unmapped as unmapped:
        message = f"the sandbox enforces IAM in account {account} and does not know {unmapped}"
        return wire.render_error(understood.protocol, understood.service, 500, "NotEmulated", message)


def _with_region(call, refused):
    """Has a denied HeadBucket name the Region all the same.

    "regardless of the permissions on the bucket, you will receive a response header with the correct bucket location"
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
    """
    region = call.operation == "HeadBucket" and iam_resources.region_of_bucket(call.params.get("Bucket"))
    if not region:
        return refused
    status, headers, body = refused
    return status, headers | {"x-amz-bucket-region": region}, body


def _refusal(credential, call, understood, environ):
    behind = environ.get("HTTP_X_SANDBOX_CALLER")
    if behind and credential:
        # A service calls with what its own caller may do.
        credential = Credential(behind, credential.region, credential.service)
    own = is_on(call.account) and credential is not None
    if not own and not _may_concern_others(call, credential):
        return None
    if call.operation is None:
        raise iam_needs.Unmapped(f"which operation of {call.service} this is")
    identity = iam_callers.identify(credential, call.account, call.partition, call)
    for need in iam_needs.needs(call):
        if need.resource == "${caller}":
            need.resource = identity.caller.arn
        resource = iam_resources.describe(need.action, need.resource)
        elsewhere = resource.can_be_shared and resource.account != identity.caller.account
        if not own and not (elsewhere and is_on(resource.account)):
            continue
        decision = decide(call, need, identity, environ, resource, own)
        if not decision.allowed:
            return _denial(understood, call, need, identity, resource, decision)
    return None


def _may_concern_others(call, credential):
    """Returns whether a call may reach into an account that is enforced, from one that is not."""
    # Resource-based policies let others in; only these services of the sandbox have them. An unsigned call has no account.
    return credential is None or call.service in ("s3", "sts", "kms", "sqs", "lambda", "secretsmanager", "events")


def decide(call, need, identity, environ, resource, own):
    """Decides about one need of a call under all policies that apply; `own` says whether those of the caller count."""
    caller = identity.caller
    levels = None
    everything = [("unchecked", {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})]
    if own and not identity.is_service_linked and caller.account:
        levels = iam_organization.levels(caller.account, call.partition, iam_organization.SCP)
    rcps = None
    is_governed = iam_organization.is_resource_controlled(need.action, need.resource)
    if resource.account and is_governed and not identity.is_service_linked:
        rcps = iam_organization.levels(resource.account, call.partition, iam_organization.RCP)
    request = iam_evaluate.Request(need.action, need.resource, caller, iam_context.of(call, need, identity, environ, resource))
    return iam_evaluate.decide(request, iam_evaluate.Policies(
        identity=identity.identity if own else everything,
        boundary=identity.boundary if own else None,
        session=identity.session if own else None,
        scps=levels,
        rcps=rcps,
        resource=resource.policy,
        resource_account=resource.account if resource.can_be_shared else None,
        resource_must_allow=resource.must_allow,
        resource_kind=resource.kind,
    ))


def _denial(understood, call, need, identity, resource, decision):
    status, code, message = worded(understood.protocol, understood.service, call, need, identity, resource, decision)
    answer_status, headers, body = wire.render_error(understood.protocol, understood.service, status, code, message)
    if understood.service == "sqs" and understood.protocol == "json":
        # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-json-faqs.html: the code of the query protocol.
        headers["x-amzn-query-error"] = "AccessDenied;Sender"
    return answer_status, headers, body


def worded(protocol, service, call, need, identity, resource, decision):
    """Words a denial as the service that was called does: (status, code, message)."""
    caller = identity.caller.arn or "anonymous"
    named = f'"{need.resource}"' if service == "s3" else need.resource
    message = f"User: {caller} is not authorized to perform: {need.action} on resource: {named} {decision.because(need.action)}"
    status = 403
    if protocol == "json":
        code, status = "AccessDeniedException", 400
    elif protocol == "rest-json":
        code = "AccessDeniedException"
    elif protocol == "ec2":
        # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
        code, message = "UnauthorizedOperation", f"You are not authorized to perform this operation. {message}"
    else:
        code = "AccessDenied"
    if service == "s3" and not _same_organization(identity, resource, call.partition):
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html: more is said only to callers
        # of the same account or organization.
        message = "Access Denied"
    return status, code, message


def _same_organization(identity, resource, partition):
    account = identity.caller.account
    if not account:
        return False
    if resource.account in (None, account):
        return True
    mine, theirs = iam_organization.of(account, partition), iam_organization.of(resource.account, partition)
    return mine is not None and mine is theirs
