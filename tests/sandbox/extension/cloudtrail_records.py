"""Owns the CloudTrail record of an SSM call: who called, what was asked, what was answered.

Write events only: nothing here shows what somebody merely read.

Contents: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
Identity: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
SSM: https://docs.aws.amazon.com/systems-manager/latest/userguide/monitoring-cloudtrail-logs.html
What is hidden: members that botocore's model of SSM marks as sensitive; both texts are those of real records.
"""

import datetime
import uuid
from functools import lru_cache
from typing import Any

import emulate
from moto.core.utils import get_service_model
from moto.iam.models import iam_backends
from moto.sts.models import sts_backends
from moto.utilities.utils import get_partition

SERVICE = "ssm"
HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
HIDDEN_TOKEN = "Value hidden due to security reasons."
HIDDEN_TOKENS = ("TokenValue",)
# The denial of a JSON service, in the word that SSM's records use.
DENIED = {"AccessDeniedException": "AccessDenied"}
# Refused before the service read the request, so that the record has no parameters.
UNREAD = ("AccessDenied", "Throttling", "ThrottlingException", "ExpiredTokenException", "UnauthorizedOperation")


def of(entry: dict[str, Any]) -> dict[str, Any] | None:
    """Returns the record of an entry of the call log, None for a call that makes none."""
    operation = entry["operation"]
    if entry["service"] != SERVICE or entry["read_only"] or entry["account"] is None or not entry["access_key"]:
        return None
    if operation not in get_service_model(SERVICE).operation_names:
        return None
    # A fault may have kept the answer from the caller; AWS recorded what the service did.
    answer = entry["lost"] or tuple(entry[k] for k in ("status", "error_code", "error_message", "response", "request_id"))
    status, code, message, response, request_id = answer
    # A request that never arrived, and one that the sandbox alone refuses.
    if status == 0 or code == "NotEmulated":
        return None
    code = DENIED.get(code, code)
    requested, answered = _shapes(operation)
    record = {
        "eventVersion": "1.11",
        "userIdentity": _identity(entry["account"], entry["access_key"], get_partition(entry["region"])),
        "eventTime": entry["time"].astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": f"{SERVICE}.amazonaws.com",
        "eventName": operation,
        "awsRegion": entry["region"],
        "sourceIPAddress": entry["source_ip"],
        "userAgent": entry["user_agent"],
    }
    if code:
        record |= {"errorCode": code, "errorMessage": message or ""}
    return record | {
        "requestParameters": None if code in UNREAD else _request(operation, requested, entry["params"]),
        "responseElements": None if code or not answered else _shown(answered, response) or None,
        "requestID": request_id or str(uuid.uuid4()),
        "eventID": str(uuid.uuid4()),
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": entry["account"],
        "eventCategory": "Management",
    }


def seconds(time: str) -> float:
    """Returns the Unix time of a record's eventTime."""
    return datetime.datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp()


@lru_cache(maxsize=None)
def _shapes(operation: str) -> tuple[Any, Any]:
    model = get_service_model(SERVICE).operation_model(operation)
    return model.input_shape, model.output_shape


def _request(operation: str, shape: Any, params: Any) -> Any:
    shown = _shown(shape, params) or None
    if operation == "SendCommand" and shown:
        shown["interactive"] = False
    return shown


def _shown(shape: Any, value: Any, name: str = "") -> Any:
    """Returns a value as records have it: member names begin in lower case, keys of maps stay, secrets do not show."""
    if value is None:
        return None
    if name in HIDDEN_TOKENS:
        return HIDDEN_TOKEN
    if shape.metadata.get("sensitive"):
        return HIDDEN
    if shape.type_name == "structure" and isinstance(value, dict):
        return {
            member[:1].lower() + member[1:]: _shown(shape.members[member], item, member)
            for member, item in value.items()
            if member in shape.members and item is not None
        }
    if shape.type_name == "list" and isinstance(value, list):
        return [_shown(shape.member, item) for item in value]
    if shape.type_name == "map" and isinstance(value, dict):
        return {key: _shown(shape.value, item) for key, item in value.items()}
    if shape.type_name == "timestamp" and isinstance(value, (int, float)):
        return _locale_time(value)
    return value


def _locale_time(seconds: float) -> str:
    """As in records since 2024: Aug 2, 2024, 11:08:56 AM."""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return f"{moment:%b} {moment.day}, {moment.year}, {moment.hour % 12 or 12}:{moment:%M:%S %p}"


# An identity never changes, and moto searches its roles one by one.
@lru_cache(maxsize=4096)
def _identity(account: str, key: str, partition: str) -> dict[str, Any]:
    role = sts_backends[account][partition].get_assumed_role_from_access_key(key)
    if role is not None:
        return _assumed_role(account, key, role)
    name, user_id = "sandbox", f"AIDA{account}SAND"
    made = iam_backends[account][partition].access_keys.get(key)
    if made is not None and made.user_name:
        name = made.user_name
        user_id = iam_backends[account][partition].users[name].id
    return {
        "type": "IAMUser",
        "principalId": user_id,
        "arn": f"arn:{partition}:iam::{account}:user/{name}",
        "accountId": account,
        "accessKeyId": key,
        "userName": name,
    }


def _assumed_role(account: str, key: str, role: Any) -> dict[str, Any]:
    principal = role.user_id
    created = getattr(role.access_key, "create_date", None) or emulate.now()
    return {
        "type": "AssumedRole",
        "principalId": principal,
        "arn": role.arn,
        "accountId": account,
        "accessKeyId": key,
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": principal.split(":")[0],
                "arn": role.role_arn,
                "accountId": account,
                "userName": role.role_arn.split("/")[-1],
            },
            "attributes": {"creationDate": created.strftime("%Y-%m-%dT%H:%M:%SZ"), "mfaAuthenticated": "false"},
        },
    }
