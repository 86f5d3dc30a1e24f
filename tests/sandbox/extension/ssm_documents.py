"""Owns the SSM document operations, as AWS does them and moto does not quite:
versions, default version, content checks, errors.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UpdateDocument.html
(and CreateDocument, GetDocument, DescribeDocument, DeleteDocument,
UpdateDocumentDefaultVersion, ListDocumentVersions of the same reference);
errors and limits: botocore/data/ssm/2014-11-06/service-2.json
"""

import json
import re

import document_content
import documents
import emulate
import yaml
from moto.ssm.responses import SimpleSystemManagerResponse

# "If you have reached this limit, ..." of DocumentVersionLimitExceeded and DocumentLimitExceeded.
MAXIMUM_VERSIONS = 1000
MAXIMUM_DOCUMENTS = 500
NAME = re.compile(r"^[a-zA-Z0-9_\-.]{3,128}$")
# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateDocument.html#EC2-CreateDocument-request-Name
RESERVED = ("aws", "amazon", "amzn", "awsec2", "awsconfigremediation", "awssupport")


def create_document(response):
    """Makes version 1, the default; answers `Creating` as AWS does."""
    request = emulate.parameters(response)
    name = request["Name"]
    if not NAME.match(name) or name.lower().startswith(RESERVED):
        emulate.refuse("ValidationException", f"The document name {name} is not valid.")
    own = documents.DOCUMENTS.here(response)
    if name in own:
        emulate.refuse("DocumentAlreadyExists", f"Document with name {name} already exists.")
    if len(own) >= MAXIMUM_DOCUMENTS:
        emulate.refuse("DocumentLimitExceeded", "You can have at most 500 active documents.")
    document_format = request.get("DocumentFormat", "JSON")
    document_type = request.get("DocumentType", "Command")
    parsed = document_content.parse(request["Content"], document_format, document_type)
    document = documents.Document(
        name,
        response.current_account,
        document_type,
        request.get("TargetType"),
        request.get("Tags") or [],
    )
    version = document.add_version(
        request["Content"], parsed, document_format, request.get("VersionName")
    )
    own[name] = document
    return {"DocumentDescription": describe(document, version, "Creating")}


def update_document(response):
    """Adds a version based on the latest one; never moves the default version."""
    request = emulate.parameters(response)
    document = _own(response, request["Name"])
    base = request.get("DocumentVersion")
    if base is None:
        emulate.refuse("InvalidDocumentVersion", "DocumentVersion is required: use $LATEST.")
    if base != "$LATEST" and base != str(document.latest):
        # "Currently, Systems Manager supports updating only the latest version of the document."
        emulate.refuse("InvalidDocumentVersion", "Only the latest version can be updated.")
    document_format = request.get("DocumentFormat", "JSON")
    parsed = document_content.parse(
        request["Content"], document_format, document.document_type
    )
    if request["Content"] == document.versions[document.latest].content:
        emulate.refuse(
            "DuplicateDocumentContent",
            "The content of the association document matches another document.",
        )
    version_name = request.get("VersionName")
    if version_name and any(v.version_name == version_name for v in document.versions.values()):
        emulate.refuse("DuplicateDocumentVersionName", "The version name has been used already.")
    if len(document.versions) >= MAXIMUM_VERSIONS:
        emulate.refuse("DocumentVersionLimitExceeded", "The document has too many versions.")
    version = document.add_version(request["Content"], parsed, document_format, version_name)
    return {"DocumentDescription": describe(document, version, "Updating")}


def update_document_default_version(response):
    """Moves the default version; takes a number only."""
    request = emulate.parameters(response)
    document = _own(response, request["Name"])
    number = request.get("DocumentVersion") or ""
    if not re.match(r"^[1-9][0-9]*$", number):
        emulate.refuse(
            "ValidationException",
            f"1 validation error detected: Value '{number}' at 'documentVersion' failed to "
            "satisfy constraint: Member must satisfy regular expression pattern: ^[1-9][0-9]*$",
        )
    if int(number) not in document.versions:
        emulate.refuse("InvalidDocumentVersion", f"Version {number} does not exist.")
    document.default = int(number)
    return {"Description": {"Name": document.name, "DefaultVersion": number}}


def get_document(response):
    """Answers with the default version unless another one is asked for."""
    request = emulate.parameters(response)
    document = found(response, request["Name"])
    version = version_of(document, request)
    wanted = request.get("DocumentFormat", version.document_format)
    content = version.content
    if wanted != version.document_format and "TEXT" not in (wanted, version.document_format):
        # "Returns the document in the specified format": AWS converts.
        content = (
            json.dumps(version.parsed, indent=2)
            if wanted == "JSON"
            else yaml.safe_dump(version.parsed, sort_keys=False)
        )
    answer = {
        "Name": document.name,
        "CreatedDate": version.created,
        "DocumentVersion": str(version.number),
        "Status": "Active",
        "Content": content,
        "DocumentType": document.document_type,
        "DocumentFormat": wanted,
    }
    if version.version_name:
        answer["VersionName"] = version.version_name
    return answer


def describe_document(response):
    """Answers with the metadata of the default version unless another is asked for."""
    request = emulate.parameters(response)
    document = found(response, request["Name"])
    return {"Document": describe(document, version_of(document, request), "Active")}


def list_document_versions(response):
    """Answers with every version, newest first."""
    request = emulate.parameters(response)
    document = found(response, request["Name"])
    versions = sorted(document.versions.values(), key=lambda v: -v.number)
    shown, token = emulate.page(versions, request, 1, 50, 50)
    answer = {
        "DocumentVersions": [
            {
                "Name": document.name,
                "DocumentVersion": str(version.number),
                "CreatedDate": version.created,
                "IsDefaultVersion": version.number == document.default,
                "DocumentFormat": version.document_format,
                "Status": "Active",
                **({"VersionName": version.version_name} if version.version_name else {}),
            }
            for version in shown
        ]
    }
    if token:
        answer["NextToken"] = token
    return answer


def delete_document(response):
    """Deletes one version, or all of them when none is named."""
    request = emulate.parameters(response)
    document = _own(response, request["Name"])
    if document.shared_with:
        emulate.refuse("InvalidDocumentOperation", "Must unshare document first before deletion.")
    if "DocumentVersion" not in request and "VersionName" not in request:
        del documents.DOCUMENTS.here(response)[document.name]
        return {}
    version = version_of(document, request)
    if version.number == document.default:
        emulate.refuse(
            "InvalidDocumentOperation", "Default version of the document can't be deleted."
        )
    del document.versions[version.number]
    return {}


def found(response, name):
    """Returns a document that the caller may read, or refuses."""
    document = documents.find(response.current_account, response.region, name)
    if document is None:
        emulate.refuse("InvalidDocument", f"Document with name {name} does not exist.")
    return document


def version_of(document, request):
    """Returns the version that a request names; the default one if it names none."""
    name = request.get("VersionName")
    number = request.get("DocumentVersion") or "$DEFAULT"
    if name and "DocumentVersion" not in request:
        for version in document.versions.values():
            if version.version_name == name:
                return version
    elif number == "$LATEST":
        return document.versions[document.latest]
    elif number == "$DEFAULT":
        return document.versions[document.default]
    elif number.isdigit() and int(number) in document.versions:
        return document.versions[int(number)]
    return emulate.refuse(
        "InvalidDocumentVersion", "The document version is not valid or does not exist."
    )


def describe(document, version, status):
    """Returns the DocumentDescription of one version."""
    description = {
        "Hash": version.hash,
        "HashType": "Sha256",
        "Name": document.name,
        "Owner": document.owner,
        "CreatedDate": version.created,
        "Status": status,
        "DocumentVersion": str(version.number),
        "Parameters": [
            {
                "Name": name,
                "Type": "StringList" if parameter.get("type") == "StringList" else "String",
                **{
                    key: str(parameter[field])
                    for key, field in (("Description", "description"), ("DefaultValue", "default"))
                    if field in parameter
                },
            }
            for name, parameter in (version.parsed.get("parameters") or {}).items()
        ],
        "PlatformTypes": documents.platforms(document),
        "DocumentType": document.document_type,
        "SchemaVersion": version.parsed.get("schemaVersion"),
        "LatestVersion": str(document.latest),
        "DefaultVersion": str(document.default),
        "DocumentFormat": version.document_format,
        "Tags": document.tags,
    }
    if version.parsed.get("description"):
        description["Description"] = version.parsed["description"]
    if version.version_name:
        description["VersionName"] = version.version_name
    if document.target_type:
        description["TargetType"] = document.target_type
    return description


def _own(response, name):
    document = found(response, name)
    if document.owner != response.current_account:
        emulate.refuse("InvalidDocumentOperation", f"{name} is not owned by this account.")
    return document


def install():
    for name, function in (
        ("CreateDocument", create_document),
        ("UpdateDocument", update_document),
        ("UpdateDocumentDefaultVersion", update_document_default_version),
        ("GetDocument", get_document),
        ("DescribeDocument", describe_document),
        ("ListDocumentVersions", list_document_versions),
        ("DeleteDocument", delete_document),
    ):
        emulate.operation(SimpleSystemManagerResponse, name)(function)
