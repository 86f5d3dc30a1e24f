"""Owns where the agent puts what a command printed: objects in S3, streams in CloudWatch Logs.

The agent, not the service, writes them, so that a bucket or group that is missing or closed makes neither an error nor
another status.
Keys: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CommandPlugin.html (OutputS3KeyPrefix) and the
agent's agent/framework/docparser/docparser.go, agent/fileutil/fileutil.go (BuildS3Path drops colons)
Streams: https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-rc-setting-up-cwlogs.html and the agent's
agent/framework/runpluginutil/runpluginutil.go, agent/messageservice/utils/messageutil.go
Events: agent/agentlogstocloudwatch/cloudwatchlogspublisher/cloudwatchlogsservice.go
"""

import re

from moto.core.exceptions import ServiceException
from moto.logs.models import logs_backends
from moto.s3.models import s3_backends

# As many whole lines as fit make one event.
EVENT_BYTES = 200_000


def keep(command, one):
    """Writes the output of an invocation whose steps have ended."""
    for step, result in zip(command.steps, one.results):
        for name, text in (("stdout", result.stdout), ("stderr", result.stderr)):
            if text:
                _put_object(command, one.node, step, name, text)
                _put_events(command, one.node, step, name, text)


def url(command, node, step, name):
    """Returns where an output is said to be, whether it got there or not; empty without a bucket."""
    bucket = command.request.get("OutputS3BucketName")
    return f"https://s3.{command.region}.amazonaws.com/{bucket}/{_key(command, node, step, name)}" if bucket else ""


def prefix(command, node, step):
    """Returns the prefix that CommandPlugin has."""
    root = "/".join(part for part in (command.request.get("OutputS3KeyPrefix"), command.command_id, node.instance_id) if part)
    return f"{re.sub('/+', '/', root)}/{_without_colons(step.action)}"


def log_group(command):
    """Returns the group that a command writes to, None if it writes to none."""
    config = command.request.get("CloudWatchOutputConfig") or {}
    if not config.get("CloudWatchOutputEnabled"):
        return None
    return config.get("CloudWatchLogGroupName") or re.sub(r"[^\w\-/.#]", ".", f"/aws/ssm/{command.document_name}", flags=re.ASCII)


def _key(command, node, step, name):
    return "/".join(part for part in (prefix(command, node, step), _without_colons(step.folder), name) if part)


def _without_colons(name):
    return name.replace(":", "")


def _put_object(command, node, step, name, text):
    bucket = command.request.get("OutputS3BucketName")
    owner = s3_backends.bucket_accounts.get(bucket)
    if owner and owner[1] == command.account:
        partition, account = owner
        s3_backends[account][partition].put_object(bucket, _key(command, node, step, name), text)


def _put_events(command, node, step, name, text):
    group = log_group(command)
    if not group:
        return
    stream = f"{command.command_id}/{node.instance_id}/{re.sub('[:*]', '-', step.name)}/{name}"
    logs = logs_backends[command.account][command.region]
    try:
        if group not in logs.groups:
            logs.create_log_group(group, {})
        logs.ensure_log_stream(group, stream)
        at = int(_ended(command, node).timestamp() * 1000)
        logs.put_log_events(group, stream, [{"timestamp": at, "message": message} for message in events_of(text)])
    except ServiceException:
        return


def events_of(text):
    """Returns the messages that the agent makes of a whole output: each without the newline at its end."""
    messages, kept = [], b""
    for line in re.findall(rb"[^\n]*\n|[^\n]+", text):
        if kept and len(kept) + len(line) > EVENT_BYTES:
            messages.append(kept)
            kept = b""
        kept += line
    messages.append(kept)
    return [m.decode("utf-8", "replace").replace("\r\n", "\n").removesuffix("\n") or "\n" for m in messages]


def _ended(command, node):
    return max(r.ended for r in command.by_id[node.instance_id].results)
