"""Owns where the transcript of a session goes when it ends: to the bucket first, then to the log group, with the node's role.

What goes wrong here ends in the agent's own log, never in the session: agent/session/shell/shell.go, finishLogging, in
https://github.com/aws/amazon-ssm-agent. Bucket: agent/s3util/s3util.go. Log group:
agent/agentlogstocloudwatch/cloudwatchlogspublisher/cloudwatchlogsservice.go.
"""

import json

import emulate
from iam_needs import Need, needs
from moto.kms.models import kms_backends
from moto.logs.models import logs_backends
from moto.s3.models import s3_backends

from .logs import KEY_ACTIONS
from .s3 import lock_by_default
from .ssm_command_output import events_of
from .ssm_session_access import Refusal, because, service_may, usable_key
from .ssm_session_agent import bucket_encryption, bucket_of

ACL = "bucket-owner-full-control"
# s3manager's DefaultUploadPartSize: what is larger goes up in parts.
PART_BYTES = 5 * 1024 * 1024
# Who may use a key that AWS manages for S3 is fixed in its policy: the principals of its own account, through S3.
# https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-cmk
MANAGED_KEY = "alias/aws/s3"


def finish(session):
    """Writes the transcript to where it is to go, and says in the session where it is and why it is not."""
    if session.s3:
        _guarded(session, session.s3, _upload, "Failed to upload shell session logs to S3: {}")
    if session.logs and (session.streams or not session.hidden["preferences"].streaming):
        _guarded(session, session.logs, _put_events, "Failed to upload message to CloudWatch, err: {}")


def _guarded(session, destination, write, words):
    try:
        write(session, destination, session.hidden["agent"])
        destination.written = True
    except Refusal as refused:
        session.warn(words.format(refused))
        destination.lost(str(refused), refused.denied_by)


def _upload(session, destination, agent):
    """S3Upload: with the ACL always, and with the bucket's own encryption in the header if the agent may read it."""
    body = _file(session).encode()
    header = {}
    try:
        algorithm, key = bucket_encryption(agent, destination.container)
        # getSSEAlgorithm does not know dual-layer encryption.
        if algorithm in ("aws:kms", "AES256"):
            header = {"ServerSideEncryption": algorithm} | ({"SSEKMSKeyId": key} if key and algorithm == "aws:kms" else {})
    except Refusal:
        session.warn("Bucket is not encrypted")
    call = agent.caller.call("s3", "PutObject", Bucket=destination.container, Key=destination.name, ACL=ACL, ContentType="text/plain", **header)
    agent.caller.may(call, needs(call)[:1])
    bucket = bucket_of(destination.container)
    for need in _needs_of_upload(call, bucket, len(body) > PART_BYTES):
        agent.caller.may(call, [need])
        if need.action.startswith("kms:"):
            usable_key(need.resource, "s3")
    algorithm = header.get("ServerSideEncryption") or _default(bucket).get("SSEAlgorithm", "AES256")
    _check_managed_key(session, bucket, algorithm, header.get("SSEKMSKeyId") or _default(bucket).get("KMSMasterKeyID"))
    partition = bucket.arn.split(":")[1]
    uploaded = s3_backends[bucket.account_id][partition].put_object(destination.container, destination.name, body)
    lock_by_default(bucket, uploaded)


def _default(bucket):
    return ((bucket.encryption or {}).get("Rule") or {}).get("ApplyServerSideEncryptionByDefault") or {}


def _needs_of_upload(call, bucket, in_parts):
    """Returns what PutObject needs here.

    The ACL needs s3:PutObjectAcl "if the bucket belongs to another account": the policy that Session Manager documents for its
    own account has s3:PutObject only, although the agent sends the ACL there as well.
    https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-iam-instance-profile.html
    https://repost.aws/knowledge-center/ssm-s3-bucket-logging-multiple-accounts
    """
    found = [need for need in needs(call) if need.action != "s3:PutObjectAcl" or bucket.account_id != call.account]
    if in_parts:
        # "To perform a multipart upload with encryption by using an AWS KMS key, the requester must have kms:Decrypt and
        # kms:GenerateDataKey*": https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
        found += [Need("kms:Decrypt", need.resource, need.keys, need.via) for need in found if need.action == "kms:GenerateDataKey"]
    return found


def _check_managed_key(session, bucket, algorithm, key):
    if algorithm.startswith("aws:kms") and (not key or MANAGED_KEY in key) and bucket.account_id != session.account:
        # Which account's aws/s3 would be taken is not documented; the owner of the bucket could read neither.
        raise Refusal("s3", 403, "AccessDenied", "Access Denied", because("key is AWS's own and the bucket another account's", bucket.name))


def _file(session):
    """The transcript as `script` writes it on Linux (generateLogData), and PowerShell's Start-Transcript on Windows."""
    lines = "\n".join(session.transcript)
    if session.hidden["agent"].node.platform_type == "Windows":
        line = "**********************"
        return (f"{line}\r\nWindows PowerShell transcript start\r\nStart time: {session.started:%Y%m%d%H%M%S}\r\n{line}\r\n" + lines.replace("\n", "\r\n")
                + f"\r\n{line}\r\nWindows PowerShell transcript end\r\nEnd time: {emulate.now():%Y%m%d%H%M%S}\r\n{line}\r\n")
    return f"Script started on {session.started:%Y-%m-%d %H:%M:%S}+00:00\n{lines}\n\nScript done on {emulate.now():%Y-%m-%d %H:%M:%S}+00:00\n"


def _put_events(session, destination, agent):
    """StreamData: the stream is made first, and nothing follows if it cannot be."""
    names = {"logGroupName": destination.container, "logStreamName": destination.name}
    logs = logs_backends[session.account][session.region]
    agent.caller.may(agent.caller.call("logs", "CreateLogStream", **names))
    group = logs.groups.get(destination.container)
    if group is None:
        raise Refusal("logs", 400, "ResourceNotFoundException", "The specified log group does not exist.", because("log group is missing", destination.container))
    logs.ensure_log_stream(destination.container, destination.name)
    agent.caller.may(agent.caller.call("logs", "PutLogEvents", **names))
    _check_key_of_group(session, group)
    at = int(emulate.now().timestamp() * 1000)
    messages = [_event(session)] if session.streams else events_of(_file(session).encode())
    logs.put_log_events(destination.container, destination.name, [{"timestamp": at, "message": message} for message in messages])


def _event(session):
    """buildEventInfo, structured: one event in place of one each second."""
    return json.dumps({
        "eventVersion": "1.0", "eventTime": emulate.now().strftime("%Y-%m-%dT%H:%M:%SZ"), "awsRegion": session.region,
        "target": {"id": session.target}, "userIdentity": {"arn": session.operator}, "runAsUser": session.run_as,
        "sessionId": session.session_id, "sessionData": session.transcript,
    }, separators=(",", ":"))


def _check_key_of_group(session, group):
    """CloudWatch Logs encrypts what it takes in with the key of the group.

    encrypt-log-data-kms.html says of a key that is gone, disabled or closed to the service only that "your encrypted data in
    CloudWatch Logs can no longer be retrieved". That it takes nothing in either is concluded: it cannot encrypt it.
    """
    if not group.kms_key_id:
        return
    _, _, _, region, account, name = group.kms_key_id.split(":", 5)
    key = kms_backends[account][region].keys.get(name.removeprefix("key/"))
    denied = because("key of the log group", group.kms_key_id)
    if key is None or key.key_state != "Enabled":
        raise Refusal("logs", 400, "InvalidParameterException", "The specified KMS key does not exist or is disabled.", denied)
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    context = {"kms:encryptioncontext:aws:logs:arn": [group.arn], "aws:sourcearn": [group.arn], "aws:sourceaccount": [session.account]}
    if not all(service_may(account, f"logs.{region}.{suffix}", action, key, context) for action in KEY_ACTIONS):
        message = f"The specified KMS key does not exist or is not allowed to be used with Arn '{group.arn}'"
        raise Refusal("logs", 400, "AccessDeniedException", message, denied)
