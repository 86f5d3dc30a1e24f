"""Owns what the agent does between the start of a session and its shell: channel, key, checks of the log destinations, user.

Order and words are those of https://github.com/aws/amazon-ssm-agent (release 3.3.1230.0):
agent/session/plugins/sessionplugin/sessionplugin.go, agent/session/datachannel/datachannel.go, agent/session/crypto,
agent/session/shell/shell.go (validate), agent/session/shell/shell_unix.go (StartCommandExecutor), agent/s3util/s3util.go.
The client's half of the handshake: https://github.com/aws/session-manager-plugin, src/datachannel/streaming.go, src/encryption.
"""

import base64
import posixpath
import secrets

import sessions
from iam_needs import Need, resources
from moto.logs.models import logs_backends
from moto.s3.models import s3_backends

from . import ssm_session_role
from .ssm_session_access import Refusal, because, usable_key
from .ssm_session_preferences import NON_INTERACTIVE, PORT

# Without run-as: agent/appconfig/constants.go, DefaultRunAsUserName.
DEFAULT_USER = "ssm-user"
# agent/session/config/config.go
GROUP_NOT_ENCRYPTED = (
    "We couldn't start the session because encryption is not set up on the selected CloudWatch Logs log group. Either encrypt the log group "
    "or choose an option to enable logging without encryption."
)
BUCKET_NOT_ENCRYPTED = (
    "We couldn't start the session because encryption is not set up on the selected Amazon S3 bucket. Either encrypt the bucket or choose an "
    "option to enable logging without encryption."
)
GROUP_NOT_SEEN = (
    "The CloudWatch log group specified in session preferences either does not exist or unable to validate its existence. This might result in "
    "no logging of session data to CloudWatch."
)
POWERSHELL_TOO_OLD = (
    "The PowerShell version installed on the instance doesn’t support streaming logs to CloudWatch. Updated PowerShell to version 5.1 or later "
    "to stream session data to CloudWatch."
)


class Failed(Exception):
    """The session ends before it began; the reason is what the client sees."""

    def __init__(self, reason, denied_by=None):
        super().__init__(reason)
        self.reason, self.denied_by = reason, denied_by


def begin(session, agent, operator, preferences, run_as_tag=None, challenge=False):
    """Starts a session on a node, or ends it as Failed. `operator` is the Caller that the client's KMS call is made by.

    `challenge` says whether the client acknowledges the agent's challenge, which the published plugin does not.
    """
    session.hidden = {"agent": agent, "preferences": preferences}
    session.role, session.credentials = agent.role_arn, agent.source
    session.session_type = preferences.session_type
    session.idle_minutes, session.max_minutes = preferences.idle_minutes or None, preferences.max_minutes or None
    is_windows = agent.node.platform_type == "Windows"
    try:
        if preferences.unreadable:
            raise Failed(preferences.unreadable, because("preferences"))
        if preferences.session_type != PORT:
            _name_destinations(session, preferences)
        _open_data_channel(session, agent)
        if not _client_connects(session, operator):
            # The agent waits for it in a session that stays open until somebody ends it.
            return
        if preferences.session_type == PORT:
            # "Session logging isn't available for sessions that connect through port forwarding or SSH", and isEncryptionEnabled
            # leaves the port plugin out. https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-logging.html
            return
        if preferences.kms_key:
            _shake_hands(session, agent, operator, preferences, challenge)
        _check_log_group(session, agent, preferences)
        _check_bucket(session, agent, preferences)
        session.run_as = _user(agent.node, preferences, run_as_tag)
    except Failed as failed:
        for destination in (session.s3, session.logs):
            if destination:
                destination.lost("the session did not start")
        session.warn(failed.reason)
        session.ends("Failed", failed.reason, failed.denied_by)
        return
    if preferences.session_type == "Standard_Stream":
        session.shell_profile = preferences.shell_profile.get("windows" if is_windows else "linux") or None


def _open_data_channel(session, agent):
    try:
        ssm_session_role.talks(agent)
    except Refusal as refused:
        # The one is a request, the other the web socket that is opened with its answer.
        doing = "failed to create websocket for datachannel with error: CreateDataChannel failed with no output or error: createDataChannel request failed"
        if refused.denied_by["action"] == "ssmmessages:OpenDataChannel":
            doing = "failed to open datachannel with error"
        body = f"<{refused.code}>\n  <Message>{refused.message}</Message>\n</{refused.code}>\n"
        reason = f"Setting up data channel with id {session.session_id} failed: {doing}: unexpected response from the service {body}"
        raise Failed(reason, refused.denied_by) from None


def _client_connects(session, operator):
    """Returns whether the client may open its data channel, which it signs for since version 1.2.764.0, the oldest that is supported.

    AWS's samples allow it on session/${aws:userid}-*, with which the ID of no session of a role begins. What AWS makes of that is not
    documented, so that programs alone are held to it.
    https://docs.aws.amazon.com/systems-manager/latest/userguide/plugin-version-history.html
    https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-restrict-access-quickstart.html
    """
    call = operator.call("ssmmessages", "OpenDataChannel")
    try:
        operator.hold(call, Need("ssmmessages:OpenDataChannel", call.arn("ssm", f"session/{session.session_id}")))
    except Refusal as refused:
        session.hidden["unopened"] = str(refused)
        return False
    return True


def _shake_hands(session, agent, operator, preferences, challenge):
    """The client asks for a data key and the agent has it decrypted, each with its own credentials.

    Encryption context: the plugin's ProcessKMSEncryptionHandshakeAction, the agent's UpdateEncryptionKey (blockcipher.go).
    """
    context = {"aws:ssm:SessionId": session.session_id, "aws:ssm:TargetId": session.target}
    if challenge:
        context["aws:ssm:RandomChallenge"] = base64.b64encode(secrets.token_bytes(16)).decode()
    begun = "Encountered error while initiating handshake. "
    call = operator.call("kms", "GenerateDataKey", KeyId=preferences.kms_key, NumberOfBytes=64, EncryptionContext=context)
    try:
        operator.may(call)
        session.kms_key = usable_key(resources.key(call, preferences.kms_key), region=session.region).arn
    except Refusal as refused:
        # ActionStatus 2 is Failed (agent/session/contracts/model.go).
        raise Failed(
            f"{begun}KMSEncryption failed on client with status 2 error: Failed to process action KMSEncryption: Error calling KMS GenerateDataKey "
            f"API: {refused}", refused.denied_by,
        ) from None
    call = agent.caller.call("kms", "Decrypt", KeyId=preferences.kms_key, EncryptionContext=context)
    try:
        agent.caller.may(call)
    except Refusal as refused:
        raise Failed(f"{begun}Fetching data key failed: Unable to retrieve data key, Error when decrypting data key {refused}", refused.denied_by) from None


def _name_destinations(session, preferences):
    """Names where the transcript goes: fileutil.BuildS3Path, which drops colons of all but the prefix."""
    name = f"{session.session_id}.log".replace(":", "")
    if preferences.bucket:
        session.s3 = sessions.Destination(preferences.bucket, posixpath.normpath(posixpath.join(preferences.key_prefix, name)))
    if preferences.log_group:
        session.logs = sessions.Destination(preferences.log_group, session.session_id)
        session.streams = preferences.streaming


def _check_log_group(session, agent, preferences):
    if not preferences.log_group:
        return
    group = None
    try:
        call = agent.caller.call("logs", "DescribeLogGroups", logGroupNamePrefix=preferences.log_group)
        agent.caller.may(call)
        group = logs_backends[session.account][session.region].groups.get(preferences.log_group)
        cause = because("log group is missing", preferences.log_group)
    except Refusal as refused:
        session.warn(f"Error Calling DescribeLogGroups:{refused}")
        cause = refused.denied_by
    if group is None:
        session.warn(GROUP_NOT_SEEN)
        if session.streams:
            # finishLogging uploads only what is not set to be streamed, so that nothing does.
            session.streams = False
            session.logs.lost(GROUP_NOT_SEEN, cause)
    elif group.kms_key_id is None:
        cause = because("log group is not encrypted", preferences.log_group)
    if preferences.log_group_must_be_encrypted and (group is None or group.kms_key_id is None):
        # IsLogGroupEncryptedWithKMS says the same of a group that is not seen as of one without a key.
        raise Failed(GROUP_NOT_ENCRYPTED, cause)
    if session.streams:
        _check_streaming(session, agent.node, preferences)


def _check_streaming(session, node, preferences):
    """isLogStreamingSupported of shell_unix.go and shell_windows.go; what is not streamed is not uploaded either."""
    why = None
    if preferences.session_type == NON_INTERACTIVE:
        why, cause = "CloudWatch streaming is not supported for NonInteractiveCommands", "session type"
    elif node.platform_type == "Windows" and _version(node.powershell) < (5, 1):
        why, cause = POWERSHELL_TOO_OLD, "PowerShell"
    if why:
        session.warn(why)
        session.streams = False
        session.logs.lost(why, because(cause))


def _version(text):
    return tuple(int(part) for part in text.split(".")[:2])


def _check_bucket(session, agent, preferences):
    if not preferences.bucket or not preferences.bucket_must_be_encrypted:
        return
    try:
        algorithm, _key = bucket_encryption(agent, preferences.bucket)
    except Refusal as refused:
        session.warn(f"Encountered an error while calling S3 API GetBucketEncryption {refused}")
        raise Failed(f"Couldn't start the session because we are unable to validate encryption on Amazon S3 bucket. Error: {refused}", refused.denied_by) from None
    if algorithm not in ("aws:kms", "AES256"):
        # IsBucketEncrypted knows these two only: dual-layer encryption is none to it.
        raise Failed(BUCKET_NOT_ENCRYPTED, because(f"bucket has {algorithm}", preferences.bucket))


def bucket_encryption(agent, bucket_name):
    """Returns (algorithm, key) of the first rule of a bucket, as GetBucketEncryption answers the agent; raises a Refusal."""
    agent.caller.may(agent.caller.call("s3", "GetBucketEncryption", Bucket=bucket_name))
    bucket = bucket_of(bucket_name)
    rule = ((bucket.encryption or {}).get("Rule") or {}).get("ApplyServerSideEncryptionByDefault") or {}
    return rule.get("SSEAlgorithm", "AES256"), rule.get("KMSMasterKeyID")


def bucket_of(name):
    """Returns moto's bucket of whichever account; raises S3's NoSuchBucket."""
    partition, account = s3_backends.bucket_accounts.get(name) or (None, None)
    bucket = s3_backends[account][partition].buckets.get(name) if account else None
    if bucket is None:
        raise Refusal("s3", 404, "NoSuchBucket", "The specified bucket does not exist", because("bucket is missing", name))
    return bucket


def _user(node, preferences, run_as_tag):
    """Returns the user that the shell is started as. Windows knows no run-as: session-preferences-run-as.html."""
    if node.platform_type == "Windows":
        return DEFAULT_USER
    if preferences.is_elevated:
        return "root"
    if not preferences.run_as:
        return DEFAULT_USER
    user = (run_as_tag or "").strip() or preferences.run_as_user.strip()
    if not user:
        raise Failed("Unable to start command: please set the RunAs default user\n", because("run-as user is empty"))
    if user == "root":
        # getUserCredentials wants an uid and a gid above 0.
        raise Failed("Unable to start command: invalid uid and gid\n", because("run-as user is root"))
    if user not in node.users:
        raise Failed(f"Unable to start command: failed to start pty since RunAs user {user} does not exist\n", because("run-as user is missing", user))
    return user
