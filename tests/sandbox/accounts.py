"""Owns which account a request is made in: the access key decides.

A static key is `AKIA` and the twelve digits of the account, with any secret.
Keys that AssumeRole gave out belong to the account of the role, and keys made
by IAM CreateAccessKey to the account of the user; moto knows both.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
"""

import re
from urllib.parse import parse_qs, unquote

from moto.core.responses import BaseResponse
from moto.iam.models import iam_backends
from moto.utilities.utils import PARTITION_NAMES

STATIC_KEY = re.compile(r"^AKIA(\d{12})$")

# Moto expects keys of exactly twenty characters; ours have sixteen.
BaseResponse.access_key_regex = re.compile(
    r"AWS.*Credential=(?P<access_key>[A-Z0-9]{16,32})/"
)


class Credential:
    """The scope that a signed request states: key, Region and service."""

    def __init__(self, access_key, region, service):
        self.access_key = access_key
        self.region = region
        self.service = service


def credential_of(environ):
    """Returns the credential scope of a request, or None if it is not signed."""
    found = re.search(
        r"Credential=([^,\s]+)", environ.get("HTTP_AUTHORIZATION", "")
    )
    if found:
        scope = found.group(1)
    else:
        presigned = parse_qs(environ.get("QUERY_STRING", "")).get("X-Amz-Credential")
        if not presigned:
            return None
        scope = unquote(presigned[0])
    parts = scope.split("/")
    if len(parts) != 5:
        return None
    return Credential(parts[0], parts[2], parts[3])


def account_of(access_key):
    """Returns the account that an access key belongs to, None if nobody made it."""
    static = STATIC_KEY.match(access_key)
    if static:
        return static.group(1)
    for account_id in list(iam_backends):
        for partition in PARTITION_NAMES:
            backend = dict.get(iam_backends[account_id], partition)
            if backend and access_key in backend.access_keys:
                return account_id
    return None
