"""Owns what CloudWatch Logs refuses and how its log groups are encrypted, protected and paged.

Encryption: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/logs/encrypt-log-data-kms.html
Deletion protection: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/protecting-log-groups-from-deletion.html
Operations and retention days: botocore logs/2014-03-28.
"""

import json
import re
from typing import Any

import emulate
from moto.kms.models import kms_backends
from moto.logs.exceptions import InvalidParameterException, ResourceNotFoundException
from moto.logs.models import LogGroup
from moto.logs.responses import LogsResponse

from .iam_simulate import ALLOWED, decide

# PutRetentionPolicy, shape RetentionInDays: "Possible values are".
RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
# The actions of the key policy in encrypt-log-data-kms which encrypting and reading back cannot do without.
KEY_ACTIONS = ("kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey")
MAX_GROUPS = 50


def install() -> None:
    """Adds the operations on keys, and makes the others refuse what AWS refuses."""
    LogsResponse.put_retention_policy = _put_retention_policy(LogsResponse.put_retention_policy)
    LogsResponse.create_log_group = _create_log_group(LogsResponse.create_log_group)
    LogsResponse.describe_log_groups = _describe_log_groups
    LogsResponse.associate_kms_key = _associate_kms_key
    LogsResponse.disassociate_kms_key = _disassociate_kms_key
    LogsResponse.put_log_group_deletion_protection = _put_log_group_deletion_protection
    LogsResponse.delete_log_group = _delete_log_group(LogsResponse.delete_log_group)


def _put_retention_policy(original: Any) -> Any:
    def operation(self: LogsResponse) -> str:
        days = self._get_param("retentionInDays")
        if days not in RETENTION_DAYS:
            allowed = ", ".join(map(str, RETENTION_DAYS))
            raise InvalidParameterException(
                constraint=f"Member must satisfy enum value set: [{allowed}]", parameter="retentionInDays", value=days
            )
        return original(self)

    return operation


def _create_log_group(original: Any) -> Any:
    def operation(self: LogsResponse) -> str:
        name = self._get_param("logGroupName")
        if not re.fullmatch(r"[.\-_/#A-Za-z0-9]{1,512}", name or ""):
            raise InvalidParameterException(
                constraint=r"Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+",
                parameter="logGroupName", value=name,
            )
        if name.startswith("aws/"):
            # "Log group names can't start with the string aws/" (botocore, CreateLogGroup); AWS's own begin with /aws/.
            raise InvalidParameterException(f"Log groups starting with aws/ are reserved for AWS: {name}")
        key = self._get_param("kmsKeyId")
        if key and name not in self.logs_backend.groups:
            _check_key(self, key, LogGroup(self.current_account, self.region, name).arn)
        answer = original(self)
        if self._get_param("deletionProtectionEnabled"):
            _protect(self.logs_backend.groups[name], True)
        return answer

    return operation


def _put_log_group_deletion_protection(self: LogsResponse) -> str:
    """logGroupIdentifier is "the name or ARN of the log group"."""
    identifier = self._get_param("logGroupIdentifier")
    name = identifier.partition(":log-group:")[2].removesuffix(":*") or identifier
    if name not in self.logs_backend.groups:
        raise ResourceNotFoundException()
    _protect(self.logs_backend.groups[name], self._get_param("deletionProtectionEnabled"))
    return "{}"


def _protect(group: LogGroup, is_on: bool) -> None:
    group.deletion_protection = is_on


def _is_protected(group: LogGroup) -> bool:
    """"By default, deletion protection is not enabled"."""
    return getattr(group, "deletion_protection", False)


def _delete_log_group(original: Any) -> Any:
    def operation(self: LogsResponse) -> str:
        group = self.logs_backend.groups.get(self._get_param("logGroupName"))
        if group is not None and _is_protected(group):
            emulate.refuse("ValidationException", "Cannot delete log group with deletion protection enabled. Disable deletion protection first.")
        return original(self)

    return operation


def _associate_kms_key(self: LogsResponse) -> str:
    group = _group(self)
    _check_key(self, self._get_param("kmsKeyId"), group.arn)
    group.kms_key_id = self._get_param("kmsKeyId")
    return "{}"


def _disassociate_kms_key(self: LogsResponse) -> str:
    _group(self).kms_key_id = None
    return "{}"


def _group(self: LogsResponse) -> LogGroup:
    """AssociateKmsKey takes either logGroupName or resourceIdentifier, not both."""
    name, identifier = self._get_param("logGroupName"), self._get_param("resourceIdentifier")
    if (name is None) == (identifier is None):
        raise InvalidParameterException("Exactly one of logGroupName and resourceIdentifier must be given.")
    name = name or identifier.partition(":log-group:")[2].removesuffix(":*")
    if name not in self.logs_backend.groups:
        raise ResourceNotFoundException()
    return self.logs_backend.groups[name]


def _check_key(self: LogsResponse, key_arn: str, group_arn: str) -> None:
    """Refuses a key which the service may not use for this log group.

    "If you attempt to associate a KMS key with the log group but the KMS key does not exist or the KMS
    key is disabled, you receive an InvalidParameterException error." (botocore, AssociateKmsKey). One whose policy does
    not let the service in is another error, which the model does not list:
    https://github.com/hashicorp/terraform-provider-aws/issues/29282
    https://github.com/ministryofjustice/modernisation-platform/issues/7870
    """
    found = re.fullmatch(r"arn:[\w-]+:kms:([\w-]+):(\d{12}):key/([\w-]+)", key_arn or "")
    if not found:
        raise InvalidParameterException("The specified KMS Key Id is not valid: it must be the ARN of a key.")
    region, account, key_id = found.groups()
    key = kms_backends[account][region].keys.get(key_id) if region == self.region else None
    if key is None or key.key_state != "Enabled" or key.key_spec != "SYMMETRIC_DEFAULT":
        raise InvalidParameterException("The specified KMS key does not exist, is disabled, or is not a symmetric key of this Region.")
    service = f"logs.{self.region}.{'amazonaws.com.cn' if self.region.startswith('cn-') else 'amazonaws.com'}"
    context = {
        "kms:EncryptionContext:aws:logs:arn": [group_arn],
        "aws:SourceArn": [group_arn],
        "aws:SourceAccount": [self.current_account],
    }
    for action in KEY_ACTIONS:
        if decide([("key", key.policy)], action, key.arn, context, ("Service", service)).result != ALLOWED:
            emulate.refuse(
                "AccessDeniedException",
                f"The specified KMS key does not exist or is not allowed to be used with Arn '{group_arn}'",
            )


def _describe_log_groups(self: LogsResponse) -> str:
    """DescribeLogGroups: limit is 1 to 50; prefix and pattern exclude each other; the token is the last name."""
    prefix, pattern = self._get_param("logGroupNamePrefix"), self._get_param("logGroupNamePattern")
    if prefix and pattern:
        raise InvalidParameterException("logGroupNamePrefix and logGroupNamePattern are mutually exclusive parameters.")
    limit = self._get_param("limit", MAX_GROUPS)
    if not 1 <= limit <= MAX_GROUPS:
        bound = "less than or equal to 50" if limit > MAX_GROUPS else "greater than or equal to 1"
        raise InvalidParameterException(constraint=f"Member must have value {bound}", parameter="limit", value=limit)
    names = sorted(
        name for name in self.logs_backend.groups
        if name.startswith(prefix or "") and (pattern or "").lower() in name.lower()
    )
    after = self._get_param("nextToken")
    if after is not None:
        if after not in self.logs_backend.groups:
            raise InvalidParameterException("The specified nextToken is invalid.")
        names = [name for name in names if name > after]
    page = names[:limit]
    groups = [self.logs_backend.groups[name] for name in page]
    answer: dict[str, Any] = {"logGroups": [group.to_describe_dict() | {"deletionProtectionEnabled": _is_protected(group)} for group in groups]}
    if len(names) > limit:
        answer["nextToken"] = page[-1]
    return json.dumps(answer)
