"""Owns how a trail shows itself outside its home Region, and what CloudTrail refuses.

Shadow trails: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DescribeTrails.html
Bucket policy: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
Errors: botocore cloudtrail/2013-11-01.
"""

from typing import Any

from moto.cloudtrail.exceptions import TrailNotFoundException
from moto.cloudtrail.models import CloudTrailBackend, Trail
from moto.cloudtrail.responses import CloudTrailResponse
from moto.core.exceptions import JsonRESTError
from moto.s3.models import s3_backends

from .iam_simulate import ALLOWED, decide

# GetEventSelectors of a trail that nobody configured: all management events.
DEFAULT_SELECTORS = [
    {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [], "ExcludeManagementEventSources": []}
]
WRITES = ("start_logging", "stop_logging", "delete_trail", "update_trail", "put_event_selectors")


def install() -> None:
    """Gives moto's trails their shadows and their refusals."""
    CloudTrailBackend.get_trail = _get_trail
    CloudTrailBackend.get_trail_status = lambda self, name: _get_trail(self, name).status
    CloudTrailBackend.get_event_selectors = _get_event_selectors
    Trail.put_event_selectors = _put_event_selectors
    Trail.description = _with_selectors(Trail.description)
    CloudTrailResponse.create_trail = _create_trail(CloudTrailResponse.create_trail)
    for operation in WRITES:
        setattr(CloudTrailResponse, operation, _at_home(operation, getattr(CloudTrailResponse, operation)))


def _get_trail(self: CloudTrailBackend, name_or_arn: str) -> Trail:
    """"To get trail status from a shadow trail .., you must specify its ARN" (API_GetTrailStatus)."""
    for trail in self.describe_trails(include_shadow_trails=True):
        if trail.arn == name_or_arn or (trail.trail_name == name_or_arn and trail.region_name == self.region_name):
            return trail
    raise TrailNotFoundException(account_id=self.account_id, name=name_or_arn)


def _get_event_selectors(self: CloudTrailBackend, trail_name: str) -> tuple[str, Any, Any]:
    trail = _get_trail(self, trail_name)
    if trail.advanced_event_selectors:
        return trail.arn, None, trail.advanced_event_selectors
    return trail.arn, trail.event_selectors or DEFAULT_SELECTORS, None


def _put_event_selectors(self: Trail, event_selectors: Any, advanced_event_selectors: Any) -> None:
    """API_PutEventSelectors: basic and advanced selectors replace each other."""
    if bool(event_selectors) == bool(advanced_event_selectors):
        raise JsonRESTError("InvalidEventSelectorsException", "Give either EventSelectors or AdvancedEventSelectors.")
    self.event_selectors = event_selectors or []
    self.advanced_event_selectors = advanced_event_selectors or []


def _with_selectors(original: Any) -> Any:
    """HasCustomEventSelectors is constantly false in moto, and optional members come out as null."""

    def description(self: Trail, include_region: bool = False) -> dict[str, Any]:
        described = original(self, include_region) | {"HomeRegion": self.region_name}
        described["HasCustomEventSelectors"] = bool(self.event_selectors or self.advanced_event_selectors)
        described["HasInsightSelectors"] = bool(self.insight_selectors)
        return {key: value for key, value in described.items() if value is not None}

    return description


def _at_home(operation: str, original: Any) -> Any:
    def at_home(self: CloudTrailResponse) -> str:
        name = self._get_param("TrailName" if operation == "put_event_selectors" else "Name")
        trail = _get_trail(self.cloudtrail_backend, name)
        if trail.region_name != self.region:
            raise JsonRESTError("InvalidHomeRegionException", f"Trail {trail.arn} can only be changed in its home Region {trail.region_name}.")
        if operation == "delete_trail":
            # moto deletes by name only, and ignores an ARN.
            self.cloudtrail_backend.delete_trail(trail.trail_name)
            return "{}"
        if operation == "update_trail" and self._get_param("S3BucketName"):
            _check_bucket(self, self._get_param("S3BucketName"), self._get_param("S3KeyPrefix") or trail.s3_key_prefix, trail.arn)
        return original(self)

    return at_home


def _create_trail(original: Any) -> Any:
    def create_trail(self: CloudTrailResponse) -> str:
        name = self._get_param("Name")
        if name in self.cloudtrail_backend.trails:
            raise JsonRESTError("TrailAlreadyExistsException", f"Trail {name} already exists for customer: {self.current_account}")
        arn = f"arn:{self.partition}:cloudtrail:{self.region}:{self.current_account}:trail/{name}"
        _check_bucket(self, self._get_param("S3BucketName"), self._get_param("S3KeyPrefix"), arn)
        return original(self)

    return create_trail


def _check_bucket(self: CloudTrailResponse, bucket_name: str, prefix: str | None, trail_arn: str) -> None:
    """Refuses a bucket that CloudTrail may not write to. A bucket that is not there is moto's to refuse."""
    if may_write(bucket_name, prefix, trail_arn) is False:
        raise JsonRESTError("InsufficientS3BucketPolicyException", f"Incorrect S3 bucket policy is detected for bucket: {bucket_name}")


def log_prefix(prefix: str | None, account: str) -> str:
    """Returns what the keys of an account's log files begin with."""
    return f"{prefix.strip('/') + '/' if prefix else ''}AWSLogs/{account}/CloudTrail/"


def may_write(bucket_name: str, prefix: str | None, trail_arn: str) -> bool | None:
    """Returns whether the policy of a bucket lets CloudTrail write the logs of a trail, None if there is no such bucket."""
    partition, owner = s3_backends.bucket_accounts.get(bucket_name, (None, None))
    if owner is None:
        return None
    bucket = s3_backends[owner][partition].buckets[bucket_name]
    policy = bucket.policy.decode() if isinstance(bucket.policy, bytes) else bucket.policy
    account = trail_arn.split(":")[4]
    context = {"s3:x-amz-acl": ["bucket-owner-full-control"], "aws:SourceArn": [trail_arn], "aws:SourceAccount": [account]}
    needed = (("s3:GetBucketAcl", bucket.arn), ("s3:PutObject", f"{bucket.arn}/{log_prefix(prefix, account)}x"))
    service = ("Service", "cloudtrail.amazonaws.com")
    return bool(policy) and all(decide([("bucket", policy)], action, resource, context, service).result == ALLOWED for action, resource in needed)
