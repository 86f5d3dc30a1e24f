"""Owns the SSM documents of each account and Region, with all their versions,
and the documents of Amazon that every account sees.
"""

import hashlib
import json
from dataclasses import dataclass, field

import emulate


@dataclass
class Version:
    """One version of a document; never changes."""

    number: int
    content: str
    parsed: dict
    document_format: str
    created: object
    version_name: str = None

    @property
    def hash(self):
        return hashlib.sha256(self.content.encode()).hexdigest()


@dataclass
class Document:
    """One document of an account, or of Amazon."""

    name: str
    owner: str
    document_type: str
    target_type: str = None
    tags: list = field(default_factory=list)
    versions: dict = field(default_factory=dict)
    default: int = 1
    shared_with: dict = field(default_factory=dict)

    @property
    def latest(self):
        return max(self.versions)

    def add_version(self, content, parsed, document_format, version_name=None):
        """Adds a version; the first one becomes the default, later ones do not."""
        number = max(self.versions, default=0) + 1
        self.versions[number] = Version(
            number, content, parsed, document_format, emulate.now(), version_name
        )
        return self.versions[number]


DOCUMENTS = emulate.Store(dict)

# https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-command-ssm-plugin-reference.html
# Names from https://docs.aws.amazon.com/systems-manager/latest/userguide/run-command.html
# and https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-schema.html
AMAZON = {
    "AWS-RunShellScript": ("Command", ["Linux", "MacOS"], ["commands", "executionTimeout", "workingDirectory"]),
    "AWS-RunPowerShellScript": ("Command", ["Windows", "Linux", "MacOS"], ["commands", "executionTimeout", "workingDirectory"]),
    "AWS-UpdateSSMAgent": ("Command", ["Windows", "Linux", "MacOS"], ["version", "allowDowngrade"]),
    "AWS-ConfigureAWSPackage": ("Command", ["Windows", "Linux", "MacOS"], ["action", "installationType", "name", "version", "additionalArguments"]),
    "AWS-StartSSHSession": ("Session", [], ["portNumber"]),
    "AWS-StartPortForwardingSession": ("Session", [], ["portNumber", "localPortNumber"]),
    "AWS-StartPortForwardingSessionToRemoteHost": ("Session", [], ["host", "portNumber", "localPortNumber"]),
    "AWS-StartInteractiveCommand": ("Session", [], ["command"]),
    "AWS-StartNonInteractiveCommand": ("Session", [], ["command"]),
    "AWS-GatherSoftwareInventory": ("Policy", ["Windows", "Linux", "MacOS"], []),
    "AWS-RunPatchBaseline": ("Command", ["Windows", "Linux", "MacOS"], ["Operation", "RebootOption", "SnapshotId", "InstallOverrideList", "BaselineOverride", "AssociationId"]),
}


def _amazon_document(name):
    document_type, _platforms, names = AMAZON[name]
    schema = "1.0" if document_type == "Session" else "2.2"
    parsed = {
        "schemaVersion": schema,
        "description": f"{name}, as known to the sandbox",
        "parameters": {
            n: {"type": "StringList" if n == "commands" else "String"} for n in names
        },
    }
    document = Document(name, "Amazon", document_type)
    document.add_version(json.dumps(parsed), parsed, "JSON")
    return document


_AMAZON_DOCUMENTS = {name: _amazon_document(name) for name in AMAZON}


def find(account, region, name):
    """Returns a document by name or ARN, or None; shared ones only by ARN."""
    owner = account
    if name.startswith("arn:"):
        owner = name.split(":")[4] or account
        name = name.split("/", 1)[-1]
    if name in _AMAZON_DOCUMENTS:
        return _AMAZON_DOCUMENTS[name]
    document = DOCUMENTS.of(owner, region).get(name)
    if document and owner != account and not {account, "all"} & set(document.shared_with):
        return None
    return document


def all_of(account, region):
    """Returns Amazon's documents and the account's own, by name."""
    own = DOCUMENTS.of(account, region).values()
    return sorted([*_AMAZON_DOCUMENTS.values(), *own], key=lambda d: d.name)


def platforms(document):
    """Returns the platform types of a document, for the describing calls."""
    known = AMAZON.get(document.name) if document.owner == "Amazon" else None
    if known and known[1]:
        return known[1]
    return ["Windows", "Linux", "MacOS"]
