"""Owns listing SSM documents and sharing them.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListDocuments.html
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DocumentKeyValuesFilter.html
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ModifyDocumentPermission.html
"""

import documents
import emulate
from extension.ssm_documents import found
from moto.ssm.responses import SimpleSystemManagerResponse

KEYS = ("Name", "Owner", "PlatformTypes", "DocumentType", "TargetType", "SearchKeyword")


def list_documents(response):
    """Answers with the documents that match every filter, by name."""
    request = emulate.parameters(response)
    filters = [(f["Key"], f.get("Values") or []) for f in request.get("Filters") or []]
    filters += [(f["key"], [f["value"]]) for f in request.get("DocumentFilterList") or []]
    for key, _ in filters:
        if key not in KEYS and not key.startswith("tag:"):
            emulate.refuse("InvalidFilterKey", f"The filter key {key} is not valid.")
    account = response.current_account
    listed = [
        document
        for document in documents.all_of(account, response.region)
        if all(_matches(document, key, values, account) for key, values in filters)
    ]
    shown, token = emulate.page(listed, request, 1, 50, 10)
    answer = {"DocumentIdentifiers": [_identify(document) for document in shown]}
    if token:
        answer["NextToken"] = token
    return answer


def _matches(document, key, values, account):
    if key == "Owner":
        amazon = document.owner == "Amazon"
        kinds = {"Self": not amazon, "Amazon": amazon, "Public": amazon, "All": True}
        kinds |= {"Private": not amazon, "ThirdParty": False, account: not amazon}
        return any(kinds.get(value, False) for value in values)
    if key == "Name":
        # "The name is a prefix": aws ssm list-documents --filters Key=Name,Values=AWS-Run
        return any(document.name.startswith(value) for value in values)
    if key == "SearchKeyword":
        return any(value.lower() in document.name.lower() for value in values)
    if key == "PlatformTypes":
        return bool(set(documents.platforms(document)) & set(values))
    if key == "DocumentType":
        return document.document_type in values
    if key == "TargetType":
        return document.target_type in values
    return any(t["Key"] == key[4:] and t["Value"] in values for t in document.tags)


def _identify(document):
    version = document.versions[document.default]
    identifier = {
        "Name": document.name,
        "CreatedDate": version.created,
        "Owner": document.owner,
        "PlatformTypes": documents.platforms(document),
        "DocumentVersion": str(version.number),
        "DocumentType": document.document_type,
        "SchemaVersion": version.parsed.get("schemaVersion"),
        "DocumentFormat": version.document_format,
        "Tags": document.tags,
    }
    if document.target_type:
        identifier["TargetType"] = document.target_type
    return identifier


def describe_document_permission(response):
    """Answers with the accounts that a document is shared with."""
    request = emulate.parameters(response)
    document = found(response, request["Name"])
    _check_permission_type(request)
    shared = sorted(document.shared_with.items())
    shown, token = emulate.page(shared, request, 1, 200, 200)
    answer = {
        "AccountIds": [account for account, _ in shown],
        "AccountSharingInfoList": [
            {"AccountId": account, "SharedDocumentVersion": version} for account, version in shown
        ],
    }
    if token:
        answer["NextToken"] = token
    return answer


def modify_document_permission(response):
    """Shares a document with accounts, or takes that back."""
    request = emulate.parameters(response)
    document = found(response, request["Name"])
    if document.owner != response.current_account:
        emulate.refuse("InvalidDocumentOperation", "Only the owner can share a document.")
    _check_permission_type(request)
    for account in request.get("AccountIdsToAdd") or []:
        document.shared_with[account] = request.get("SharedDocumentVersion", "$DEFAULT")
    for account in request.get("AccountIdsToRemove") or []:
        document.shared_with.pop(account, None)
    return {}


def _check_permission_type(request):
    if request.get("PermissionType") != "Share":
        emulate.refuse("InvalidPermissionType", "The permission type is not supported.")


def install():
    for name, function in (
        ("ListDocuments", list_documents),
        ("DescribeDocumentPermission", describe_document_permission),
        ("ModifyDocumentPermission", modify_document_permission),
    ):
        emulate.operation(SimpleSystemManagerResponse, name)(function)
