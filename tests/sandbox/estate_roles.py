"""Owns seeding IAM roles and their instance profiles."""

import json

from moto.iam.models import iam_backends


def seed(given, partition):
    """Makes one role: trust is a service name, an ARN or a whole policy document."""
    iam = iam_backends[given["account"]][partition]
    path = given.get("path", "/")
    role = iam.create_role(
        role_name=given["name"],
        assume_role_policy_document=json.dumps(_trust(given["trust"])),
        path=path,
        permissions_boundary=None,
        description=given.get("description", ""),
        tags=[],
        max_session_duration="3600",
    )
    role.session_seconds = given.get("session_seconds")
    for arn in given.get("managed_policies", []):
        iam.attach_role_policy(arn, given["name"])
    for name, document in given.get("inline", {}).items():
        iam.put_role_policy(given["name"], name, json.dumps(document))
    if given.get("instance_profile"):
        iam.create_instance_profile(given["name"], path, [given["name"]], [])


def _trust(trust):
    if isinstance(trust, dict):
        return trust
    kind = "AWS" if trust.startswith("arn:") else "Service"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {kind: trust}, "Action": "sts:AssumeRole"}
        ],
    }
