"""Owns seeding: turns an estate, given as JSON, into resources with fixed ids.

The format is described in README.md. Seeding writes into moto's backends in
this process, for AWS's own API lets nobody choose an id.
"""

import datetime
import json

import control
import document_content
import documents
import emulate
import estate_nodes
import estate_organization
import estate_roles
import iam_enforce
import partitions
from extension import cloudtrail_history, ssm_settings

KNOWN = {
    "comment",
    "accounts",
    "organization",
    "regions",
    "partition",
    "roles",
    "nodes",
    "documents",
    "service_settings",
    "latest_agent",
    "cloudtrail_records",
    "enforce_iam",
}


def seed(estate):
    """Seeds one estate; raises ValueError for a field that it does not know."""
    unknown = set(estate) - KNOWN
    if unknown:
        raise ValueError(f"unknown fields in the estate: {', '.join(sorted(unknown))}")
    partition = partitions.check(estate)
    if "organization" in estate:
        estate_organization.seed(estate["organization"], estate.get("accounts", []), partition)
    for role in estate.get("roles", []):
        estate_roles.seed(role, partition)
    for node in estate.get("nodes", []):
        estate_nodes.seed(node, estate.get("latest_agent"))
    for document in estate.get("documents", []):
        _seed_document(document)
    for setting in estate.get("service_settings", []):
        _seed_setting(setting)
    for given in estate.get("cloudtrail_records", []):
        cloudtrail_history.seed(given["account"], given["region"], given["record"])
    for account in estate.get("enforce_iam", []):
        iam_enforce.enforce(account)


def _seed_document(given):
    document = documents.Document(given["name"], given["account"], given.get("type", "Session"))
    for version in given["versions"]:
        content = version if isinstance(version, str) else json.dumps(version, indent=2)
        parsed = document_content.parse(content, "JSON", document.document_type)
        document.add_version(content, parsed, "JSON")
    document.default = int(given.get("default_version", 1))
    documents.DOCUMENTS.of(given["account"], given["region"])[document.name] = document


def _seed_setting(given):
    account = given["account"]
    ssm_settings.SETTINGS.of(account, given["region"])[given["id"]] = (
        given["value"],
        emulate.now() - datetime.timedelta(minutes=given.get("modified_minutes_ago", 43200)),
        f"arn:{partitions.of_region(given['region'])}:iam::{account}:user/sandbox",
    )


@control.route("POST", "/_sandbox/estate")
def post_estate(_query, body):
    """Seeds another estate into the running sandbox."""
    seed(json.loads(body))
    return 200, b"{}\n"
