"""Owns what Systems Manager accepts as the content of a document.

Session documents: https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-schema.html
Schema versions: https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-schemas-features.html
Limit of 64 KB: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateDocument.html
The service's own messages are not documented; only the error codes are AWS's.
"""

import json

import emulate
import yaml

MAXIMUM_BYTES = 64 * 1024

SESSION_TYPES = ("Standard_Stream", "InteractiveCommands", "NonInteractiveCommands", "Port")
STRINGS = (
    "s3BucketName",
    "s3KeyPrefix",
    "cloudWatchLogGroupName",
    "kmsKeyId",
    "runAsDefaultUser",
)
SWITCHES = (
    "s3EncryptionEnabled",
    "cloudWatchEncryptionEnabled",
    "cloudWatchStreamingEnabled",
    "runAsEnabled",
)
# Minutes as strings: 1 to 60 and 1 to 1440.
# https://docs.aws.amazon.com/systems-manager/latest/userguide/session-preferences-timeout.html
# https://docs.aws.amazon.com/systems-manager/latest/userguide/session-preferences-max-timeout.html
TIMEOUTS = {"idleSessionTimeout": 60, "maxSessionDuration": 1440}
SCHEMA_VERSIONS = {
    "Session": ("1.0",),
    "Command": ("1.2", "2.0", "2.2"),
    "Automation": ("0.3",),
    "Policy": ("2.0",),
}


def parse(content, document_format, document_type):
    """Returns the parsed content or refuses it."""
    if len(content.encode()) > MAXIMUM_BYTES:
        emulate.refuse(
            "MaxDocumentSizeExceeded", "The size limit of a document is 64 KB."
        )
    if document_format == "TEXT":
        return {}
    try:
        parsed = yaml.safe_load(content) if document_format == "YAML" else json.loads(content)
    except (ValueError, yaml.YAMLError) as error:
        _invalid(f"{document_format} not well-formed: {error}")
    if not isinstance(parsed, dict):
        _invalid("The content must be an object.")
    _check_schema_version(parsed, document_type)
    if document_type == "Session":
        _check_session(parsed)
    return parsed


def _invalid(message):
    emulate.refuse("InvalidDocumentContent", message)


def _check_schema_version(parsed, document_type):
    version = parsed.get("schemaVersion")
    if not isinstance(version, str):
        _invalid("schemaVersion is missing or is not a string.")
    known = SCHEMA_VERSIONS.get(document_type)
    if known and version not in known:
        _invalid(f"schemaVersion {version} is not supported for {document_type} documents.")


def _check_session(parsed):
    session_type = parsed.get("sessionType")
    if session_type not in SESSION_TYPES:
        _invalid("sessionType is missing or unknown.")
    inputs = parsed.get("inputs")
    if inputs is None:
        if session_type == "Standard_Stream":
            _invalid("inputs is required for sessionType Standard_Stream.")
        return
    if not isinstance(inputs, dict):
        _invalid("inputs must be an object.")
    for key, value in inputs.items():
        _check_input(key, value)


def _check_input(key, value):
    if isinstance(value, str) and value.startswith("{{"):
        # A reference to a document parameter, filled in when a session starts.
        return
    if key in STRINGS:
        if not isinstance(value, str):
            _invalid(f"inputs.{key} must be a string.")
    elif key in SWITCHES:
        if not isinstance(value, bool):
            _invalid(f"inputs.{key} must be a boolean.")
    elif key in TIMEOUTS:
        if not isinstance(value, str):
            _invalid(f"inputs.{key} must be a string.")
        if value and not (value.isdigit() and 1 <= int(value) <= TIMEOUTS[key]):
            _invalid(f"inputs.{key} must be 1 to {TIMEOUTS[key]} minutes.")
    elif key == "shellProfile":
        if not isinstance(value, dict) or set(value) - {"linux", "windows"}:
            _invalid("inputs.shellProfile has only linux and windows.")
        if not all(isinstance(command, str) for command in value.values()):
            _invalid("inputs.shellProfile holds strings.")
    else:
        _invalid(f"inputs.{key} is not a known key.")
