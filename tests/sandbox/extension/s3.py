"""Owns what S3 refuses, what a new bucket has by default, and who may reach a bucket.

Names: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
Default encryption: https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html
Default access: https://docs.aws.amazon.com/AmazonS3/latest/userguide/create-bucket-faq.html
Object Lock: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html
Errors: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

import ipaddress
import json
import re
from typing import Any
from xml.sax.saxutils import escape

from moto.iam.access_control import PermissionResult
from moto.s3.exceptions import InvalidBucketName, InvalidBucketState, S3ClientError
from moto.s3.models import FakeBucket, PublicAccessBlock, S3Backend, s3_backends
from moto.s3.responses import ACTION_MAP, S3Response

from .iam import as_list, document_error
from .iam_simulate import ALLOWED, EXPLICIT_DENY, decide

RESERVED_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
RESERVED_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
# Reads of a bucket that moto's own table takes for ListBucket, by the word in the query.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
OTHER_READS = {"encryption": "GetEncryptionConfiguration", "object-lock": "GetBucketObjectLockConfiguration"}
SSE_S3 = {"Rule": {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": "false"}}


def install() -> None:
    """Makes the sandbox's S3 refuse, redirect and default as AWS does."""
    _wrap_create_bucket()
    _wrap_put_bucket_policy()
    S3Backend.delete_bucket_encryption = _delete_bucket_encryption
    # moto denies what any statement denies, whomever and on whatever condition: a bucket that refuses plain HTTP could not be read.
    # Whether a policy lets somebody in is for iam_enforce to say, where it is asked to.
    FakeBucket.get_permission = lambda self, action, resource: PermissionResult.NEUTRAL
    S3Backend.put_object_lock_configuration = _put_object_lock_configuration
    S3Backend.put_bucket_versioning = _put_bucket_versioning(S3Backend.put_bucket_versioning)
    FakeBucket.get_permission = _get_permission
    S3Response.bucket_response = _guarded(S3Response.bucket_response)
    S3Response.key_response = _guarded(S3Response.key_response)


def name_is_valid(name: str) -> bool:
    """Returns whether S3 would take the name for a general purpose bucket."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", name) or ".." in name:
        return False
    try:
        ipaddress.IPv4Address(name)
        return False
    except ValueError:
        return not name.startswith(RESERVED_PREFIXES) and not name.endswith(RESERVED_SUFFIXES)


def _wrap_create_bucket() -> None:
    original = S3Backend.create_bucket

    def create_bucket(self: S3Backend, bucket_name: str, *arguments: Any, **more: Any) -> FakeBucket:
        if not name_is_valid(bucket_name):
            raise InvalidBucketName()
        bucket = original(self, bucket_name, *arguments, **more)
        # SSE-S3 since January 2023, Block Public Access and no ACLs since April 2023.
        bucket.encryption = SSE_S3
        bucket.public_access_block = PublicAccessBlock(True, True, True, True)
        bucket.ownership_rule = bucket.ownership_rule or "BucketOwnerEnforced"
        return bucket

    S3Backend.create_bucket = create_bucket


def _delete_bucket_encryption(self: S3Backend, bucket_name: str) -> None:
    """API_DeleteBucketEncryption "resets the default encryption for the bucket as SSE-S3"."""
    self.get_bucket(bucket_name).encryption = SSE_S3


def _put_object_lock_configuration(
    self: S3Backend, bucket_name: str, lock_enabled: bool, mode: str | None = None, days: int | None = None, years: int | None = None
) -> None:
    """An existing bucket takes it as well, whatever is in it, if versioning is on; moto refuses one that holds objects.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-configure.html#object-lock-configure-existing-bucket
    """
    bucket = self.get_bucket(bucket_name)
    if not bucket.is_versioned:
        raise InvalidBucketState("Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration")
    bucket.object_lock_enabled = bucket.object_lock_enabled or lock_enabled
    bucket.default_lock_mode, bucket.default_lock_days, bucket.default_lock_years = mode, days or 0, years or 0


def _put_bucket_versioning(original: Any) -> Any:
    def put_bucket_versioning(self: S3Backend, bucket_name: str, status: str) -> None:
        # "you can't disable Object Lock or suspend versioning for that bucket" (object-lock-managing.html).
        if status != "Enabled" and self.get_bucket(bucket_name).object_lock_enabled:
            raise InvalidBucketState("An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.")
        original(self, bucket_name, status)

    return put_bucket_versioning


def lock_by_default(bucket: FakeBucket, key: Any) -> None:
    """Locks a new object as the bucket's default says."""
    if bucket.has_default_lock:
        key.lock_mode, key.lock_until = bucket.default_lock_mode, bucket.default_retention()


def _wrap_put_bucket_policy() -> None:
    original = S3Backend.put_bucket_policy

    def put_bucket_policy(self: S3Backend, bucket_name: str, policy: bytes) -> None:
        bucket = self.get_bucket(bucket_name)
        text = policy.decode() if isinstance(policy, bytes) else policy
        error = document_error(text, principal="required", resource="required") or _bucket_policy_error(text, bucket_name)
        if error:
            raise S3ClientError("MalformedPolicy", error)
        block = bucket.public_access_block
        if block and block.block_public_policy and _is_public(text):
            raise S3ClientError("AccessDenied", "User is not authorized to perform: s3:PutBucketPolicy because public policies are blocked by the BlockPublicPolicy block public access setting.")
        original(self, bucket_name, policy)

    S3Backend.put_bucket_policy = put_bucket_policy


def _bucket_policy_error(text: str, bucket_name: str) -> str | None:
    arn = re.compile(rf"arn:[\w-]+:s3:::{re.escape(bucket_name)}(/.*)?", re.DOTALL)
    for statement in as_list(json.loads(text)["Statement"]):
        if not all(arn.fullmatch(item) for item in as_list(statement.get("Resource", statement.get("NotResource")))):
            return "Policy has invalid resource"
        if not all(item == "*" or item.startswith("s3:") for item in as_list(statement.get("Action", statement.get("NotAction")))):
            return "Policy has invalid action"
    return None


def _is_public(text: str) -> bool:
    """Returns whether a statement lets everybody in. A Condition is taken for a fence, which is coarser than AWS's test."""
    return any(
        statement["Effect"] == "Allow" and statement.get("Principal") in ("*", {"AWS": "*"}, {"AWS": ["*"]}) and not statement.get("Condition")
        for statement in as_list(json.loads(text)["Statement"])
    )


def _guarded(original: Any) -> Any:
    def response(self: S3Response, request: Any, full_url: str, headers: Any) -> Any:
        self.setup_class(request)
        refused = _refusal(self, request, full_url)
        return self._send_response(refused) if refused else original(self, request, full_url, headers)

    return response


def _refusal(self: S3Response, request: Any, full_url: str) -> tuple[int, dict[str, str], str] | None:
    """Returns the refusal of a reserved name, the redirect for a bucket of another Region, or the denial for one of another account."""
    name = self.parse_bucket_name_from_url(request, full_url)
    namespace = request.headers.get("x-amz-bucket-namespace", "global")
    if name and _is_creation(self, request, full_url) and not _fits_namespace(name, namespace, self.current_account, self.region):
        return 400, {}, _body(request, "InvalidBucketName", "The specified bucket is not valid.", f"<BucketName>{escape(name)}</BucketName>")
    owner = s3_backends.bucket_accounts.get(name)
    if not name or not owner or "Authorization" not in request.headers:
        return None
    bucket = s3_backends[owner[1]][owner[0]].buckets.get(name)
    key = self.parse_key_name().lstrip("/")
    query = self._get_querystring(request, full_url)
    if bucket is None or _is_creation(self, request, full_url):
        return None
    # "In a bucket's home Region, calls to the GetBucketLocation operation are governed by the bucket's policy. In other Regions, the
    # bucket policy doesn't apply, which means that cross-account access won't be authorized."
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html
    asks_location = request.method == "GET" and not key and "location" in query
    if bucket.region_name != self.region and asks_location and bucket.account_id != self.current_account:
        return 403, {}, _body(request, "AccessDenied", "Access Denied", "")
    if bucket.region_name != self.region and not asks_location:
        where = {"x-amz-bucket-region": bucket.region_name}
        message = "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint."
        detail = f"<Endpoint>s3.{bucket.region_name}.amazonaws.com</Endpoint><Bucket>{escape(name)}</Bucket>"
        return 301, where, _body(request, "PermanentRedirect", message, detail)
    # "If the account ID that you provide does not match the actual owner of the bucket, the request fails with the HTTP status
    # code 403 Forbidden (access denied)": https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
    if request.headers.get("x-amz-expected-bucket-owner", bucket.account_id) != bucket.account_id:
        return 403, {}, _body(request, "AccessDenied", "Access Denied", "")
    if bucket.account_id != self.current_account and not _shares(self, bucket, request.method, query, key):
        return 403, {"x-amz-bucket-region": bucket.region_name}, _body(request, "AccessDenied", "Access Denied", "")
    return None


def _is_creation(self: S3Response, request: Any, full_url: str) -> bool:
    key, query = self.parse_key_name().lstrip("/"), self._get_querystring(request, full_url)
    return request.method == "PUT" and not key and not set(query) - {"x-id"}


def _fits_namespace(name: str, namespace: str, account: str, region: str) -> bool:
    """Returns whether a name is of the namespace that CreateBucket names: those that end in -an are the accounts' own.

    "Bucket names must follow the format bucket-name-prefix-accountId-region-an" (botocore, CreateBucket, BucketNamespace).
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/gpbucketnamespaces.html
    """
    if namespace == "account-regional":
        return len(name) > len(f"-{account}-{region}-an") and name.endswith(f"-{account}-{region}-an")
    return not name.endswith("-an")


def _shares(self: S3Response, bucket: FakeBucket, method: str, query: dict[str, Any], key: str) -> bool:
    """Returns whether the bucket's policy lets the caller's account do this. HeadBucket needs s3:ListBucket."""
    if bucket.policy is None:
        return False
    actions = ACTION_MAP["KEY" if key else "BUCKET"].get(method, {})
    if method == "GET" and not key:
        actions = OTHER_READS | actions
    action = next((name for word, name in actions.items() if word in query), actions.get("DEFAULT", "ListBucket"))
    action = {"HeadBucket": "ListBucket", "HeadObject": "GetObject"}.get(action, action)
    policy = bucket.policy.decode() if isinstance(bucket.policy, bytes) else bucket.policy
    resource = bucket.arn + (f"/{key}" if key else "")
    return decide([("bucket", policy)], f"s3:{action}", resource, {}, ("AWS", self.current_account)).result == ALLOWED


def _get_permission(self: FakeBucket, action: str, resource: str) -> PermissionResult:
    """What the policy says of a request of the bucket's own account; moto takes the condition of a denial for met.

    The local AWS speaks HTTP in place of TLS, so that a denial of plain HTTP is one of nothing.
    """
    if self.policy is None:
        return PermissionResult.NEUTRAL
    policy = self.policy.decode() if isinstance(self.policy, bytes) else self.policy
    result = decide([("bucket", policy)], action, resource, {"aws:SecureTransport": ["true"]}, ("AWS", self.account_id)).result
    return {ALLOWED: PermissionResult.PERMITTED, EXPLICIT_DENY: PermissionResult.DENIED}.get(result, PermissionResult.NEUTRAL)


def _body(request: Any, code: str, message: str, detail: str) -> str:
    if request.method == "HEAD":
        return ""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message>{detail}</Error>'
