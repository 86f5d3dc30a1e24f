"""Owns what a session is to do: the Session document that applies, its version, and its inputs as the agent reads them.

Content: https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-schema.html
"Preferences" are the document SSM-SessionManagerRunShell; a session with another document has that one's inputs, or none:
https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-preferences-cli.html
Types that the agent accepts: agent/contracts/model.go (SessionInputs) and agent/framework/docparser/docparser.go,
parsePluginStateForStartSession, in https://github.com/aws/amazon-ssm-agent
"""

from dataclasses import dataclass, field

import documents
import emulate
import sessions

from .ssm_command_steps import filled_in

DEFAULT_DOCUMENT = "SSM-SessionManagerRunShell"
SHELL, INTERACTIVE, NON_INTERACTIVE, PORT = "Standard_Stream", "InteractiveCommands", "NonInteractiveCommands", "Port"
TRUE, FALSE = ("1", "t", "T", "TRUE", "true", "True"), ("0", "f", "F", "FALSE", "false", "False")
# What Amazon's documents do, and the defaults of their parameters. None has inputs, so that none is logged or encrypted:
# https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-sessions-start.html
AMAZON = {
    "AWS-StartSSHSession": (PORT, {"portNumber": "22"}),
    "AWS-StartPortForwardingSession": (PORT, {"portNumber": "80", "localPortNumber": "0"}),
    "AWS-StartPortForwardingSessionToRemoteHost": (PORT, {"portNumber": "80", "localPortNumber": "0"}),
    "AWS-StartInteractiveCommand": (INTERACTIVE, {}),
    "AWS-StartNonInteractiveCommand": (NON_INTERACTIVE, {}),
}


@dataclass
class Preferences:
    """The inputs of a Session document, as the agent has them after it has read them."""

    document: str
    version: int | None = None
    session_type: str = SHELL
    bucket: str = ""
    key_prefix: str = ""
    bucket_must_be_encrypted: bool = False
    log_group: str = ""
    log_group_must_be_encrypted: bool = False
    streaming: bool = False
    kms_key: str = ""
    run_as: bool = False
    run_as_user: str = ""
    idle_minutes: str = ""
    max_minutes: str = ""
    shell_profile: dict = field(default_factory=dict)
    # Runs as root, whatever runAsEnabled says.
    is_elevated: bool = False
    # Why the agent cannot read the document.
    unreadable: str | None = None


def of(account, region, name, parameters, platform, version_by=None):
    """Returns what a session with a document does, the preferences if `name` is None; refuses one that is not there.

    `version_by` is `default` or `latest`, which the account's switch decides if it is None.
    """
    document = documents.find(account, region, name or DEFAULT_DOCUMENT)
    if document is None and not name:
        # The document is made by whoever saves preferences first. Without it a session is neither logged nor encrypted.
        return Preferences(DEFAULT_DOCUMENT)
    if document is None or document.document_type != "Session":
        emulate.refuse("InvalidDocument", f"Document with name {name} does not exist.")
    version = document.latest if (version_by or sessions.version_by(account)) == "latest" else document.default
    session_type, defaults = AMAZON.get(document.name, (None, {})) if document.owner == "Amazon" else (None, {})
    content = filled_in(document.name, document.versions[version].parsed, defaults, parameters, account, region)
    return _read(document.name, version, {"sessionType": session_type, **content}, platform)


def _read(name, version, content, platform):
    found = Preferences(name, version, content["sessionType"])
    inputs = content.get("inputs") or {}
    found.bucket, found.key_prefix = inputs.get("s3BucketName", ""), inputs.get("s3KeyPrefix", "")
    found.log_group, found.kms_key = inputs.get("cloudWatchLogGroupName", ""), inputs.get("kmsKeyId", "")
    found.run_as_user = inputs.get("runAsDefaultUser", "")
    found.idle_minutes, found.max_minutes = inputs.get("idleSessionTimeout", ""), inputs.get("maxSessionDuration", "")
    found.shell_profile = inputs.get("shellProfile") or {}
    # `windows`, `linux`, `macOS`.
    properties = {key.lower(): value for key, value in (content.get("properties") or {}).items()}.get(platform.lower())
    found.is_elevated = isinstance(properties, dict) and properties.get("runAsElevated") is True
    try:
        found.bucket_must_be_encrypted = _switch(inputs, "s3EncryptionEnabled")
        found.log_group_must_be_encrypted = _switch(inputs, "cloudWatchEncryptionEnabled")
        found.run_as = _switch(inputs, "runAsEnabled")
        found.streaming = inputs.get("cloudWatchStreamingEnabled", False)
        if not isinstance(found.streaming, bool):
            # The one switch that is a Go bool and not an interface{}.
            raise ValueError("json: cannot unmarshal string into Go struct field .cloudWatchStreamingEnabled of type bool")
    except ValueError as error:
        found.unreadable = str(error)
    return found


def _switch(inputs, key):
    """Reads a switch as ConvertToBool does (agent/framework/docparser/parameters): a boolean, or what Go's ParseBool takes for one."""
    value = inputs.get(key)
    if isinstance(value, str) and value:
        if value not in TRUE + FALSE:
            raise ValueError(f'invalid input strconv.ParseBool: parsing "{value}": invalid syntax')
        return value in TRUE
    return bool(value)
