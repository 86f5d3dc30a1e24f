"""Owns LookupEvents, which moto does not have.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
Two calls a second are allowed on AWS; the sandbox is faster, and the `throttle` fault shows what a caller does then.
"""

import base64
import datetime
import hashlib
import json
import time
from typing import Any, Callable

import emulate
from moto.cloudtrail.responses import CloudTrailResponse

from .cloudtrail_history import HISTORY

LARGEST = 50
KEPT_SECONDS = 90 * 24 * 3600
# "The maximum length for the AttributeValue is 2000 characters" (shape LookupAttribute)
LONGEST = 2000


def install() -> None:
    """Adds the operation."""
    emulate.operation(CloudTrailResponse, "LookupEvents")(_lookup_events)


def _lookup_events(response: CloudTrailResponse) -> dict[str, Any]:
    request = emulate.parameters(response)
    size = request.get("MaxResults", LARGEST)
    if not 1 <= size <= LARGEST:
        emulate.refuse("InvalidMaxResultsException", f"A max results value of {size} is invalid. Specify max results between 1 and {LARGEST}.")
    if request.get("EventCategory") not in (None, "insight"):
        emulate.refuse("InvalidEventCategoryException", "The event category must be insight.")
    wanted = _wanted(request.get("LookupAttributes") or [])
    start, end = request.get("StartTime"), request.get("EndTime")
    if start is not None and end is not None and start > end:
        emulate.refuse("InvalidTimeRangeException", "The start time must be before the end time.")
    before = _read_token(request)
    start = max(start or 0, time.time() - KEPT_SECONDS)
    if request.get("EventCategory") == "insight":
        return {"Events": []}
    found = []
    for moment, number, record in HISTORY.here(response).newest_first():
        if moment < start or len(found) > size:
            break
        if (end is None or moment <= end) and (before is None or (moment, number) < before) and wanted(record):
            found.append((moment, number, record))
    answer: dict[str, Any] = {"Events": [_event(moment, record) for moment, _, record in found[:size]]}
    if len(found) > size:
        answer["NextToken"] = _token(request, found[size - 1][:2])
    return answer


def _wanted(attributes: list[dict[str, str]]) -> Callable[[dict[str, Any]], bool]:
    """"Currently the list can contain only one item" (LookupAttributes)."""
    if not attributes:
        return lambda record: True
    if len(attributes) > 1:
        emulate.refuse("InvalidLookupAttributesException", "You can only specify one attribute in the lookup attributes list.")
    key, value = attributes[0].get("AttributeKey"), attributes[0].get("AttributeValue")
    values = ATTRIBUTES.get(key)
    if values is None or not isinstance(value, str) or not 1 <= len(value) <= LONGEST:
        emulate.refuse("InvalidLookupAttributesException", f"The lookup attribute {key} is not valid.")
    return lambda record: value in values(record)


def _event(moment: float, record: dict[str, Any]) -> dict[str, Any]:
    event = {
        "EventId": record["eventID"],
        "EventName": record["eventName"],
        "ReadOnly": _read_only(record),
        "AccessKeyId": _identity(record).get("accessKeyId"),
        "EventTime": datetime.datetime.fromtimestamp(moment, datetime.timezone.utc),
        "EventSource": record["eventSource"],
        "Username": _user_name(record),
        "Resources": [{"ResourceType": one.get("type"), "ResourceName": one.get("ARN")} for one in _resources(record)],
        "CloudTrailEvent": json.dumps(record, separators=(",", ":")),
    }
    return {key: value for key, value in event.items() if value is not None}


def _identity(record: dict[str, Any]) -> dict[str, Any]:
    return record.get("userIdentity") or {}


def _resources(record: dict[str, Any]) -> list[dict[str, Any]]:
    return record.get("resources") or []


def _read_only(record: dict[str, Any]) -> str:
    return str(bool(record.get("readOnly"))).lower()


def _user_name(record: dict[str, Any]) -> str | None:
    """Of a user the name, of a role the name of its session, as the console's event history shows them."""
    identity = _identity(record)
    if identity.get("type") == "Root":
        return "root"
    if identity.get("userName"):
        return identity["userName"]
    if identity.get("type") == "AssumedRole":
        return identity.get("principalId", "").partition(":")[2] or None
    return identity.get("invokedBy")


# AttributeKey -> the values that a record has for it
ATTRIBUTES: dict[str, Callable[[dict[str, Any]], list[Any]]] = {
    "EventId": lambda record: [record["eventID"]],
    "EventName": lambda record: [record["eventName"]],
    "ReadOnly": lambda record: [_read_only(record)],
    "Username": lambda record: [_user_name(record)],
    "ResourceType": lambda record: [one.get("type") for one in _resources(record)],
    "ResourceName": lambda record: [one.get("ARN") for one in _resources(record)],
    "EventSource": lambda record: [record["eventSource"]],
    "AccessKeyId": lambda record: [_identity(record).get("accessKeyId")],
}


def _fingerprint(request: dict[str, Any]) -> str:
    same = {key: request.get(key) for key in ("LookupAttributes", "StartTime", "EndTime", "EventCategory")}
    return hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()[:16]


def _token(request: dict[str, Any], last: tuple[float, int]) -> str:
    """A token names the last record of its page, so that records which arrive between two pages shift nothing."""
    return base64.urlsafe_b64encode(json.dumps([_fingerprint(request), *last]).encode()).decode()


def _read_token(request: dict[str, Any]) -> tuple[float, int] | None:
    if not request.get("NextToken"):
        return None
    try:
        fingerprint, moment, number = json.loads(base64.urlsafe_b64decode(request["NextToken"]))
    except (TypeError, ValueError):
        fingerprint, moment, number = None, 0, 0
    if fingerprint != _fingerprint(request):
        emulate.refuse("InvalidNextTokenException", "The token is not valid, or was given for a request with other parameters.")
    return moment, number
