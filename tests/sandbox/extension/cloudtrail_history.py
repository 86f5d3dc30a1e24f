"""Owns what CloudTrail keeps of an account and Region: the event history, which needs no trail, and for each
trail that is logging what it has yet to write; an event of a logging trail goes to EventBridge as well.

History: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events.html
To EventBridge: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
Selectors: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html
"""

import bisect
import collections
import itertools
import sys
import threading
import traceback
from typing import Any, Iterable

import calls
import emulate
from moto.cloudtrail.models import CloudTrailBackend, Trail, cloudtrail_backends

from . import cloudtrail_records, events_bus
from .cloudtrail_records import seconds

# Of an account in one Region, and of one trail: the largest test has a fraction of it.
KEPT = 20_000
REQUIRED = ("eventID", "eventName", "eventSource", "eventTime")


class History:
    """The records of one account in one Region by time, and in the order of arrival within a second."""

    def __init__(self) -> None:
        self._records: list[tuple[float, int, dict[str, Any]]] = []
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def add(self, record: dict[str, Any]) -> None:
        """Keeps one record, in place of the oldest when there are too many."""
        with self._lock:
            bisect.insort(self._records, (seconds(record["eventTime"]), next(self._numbers), record))
            del self._records[:-KEPT]

    def forget(self) -> None:
        """Drops all."""
        with self._lock:
            self._records.clear()

    def newest_first(self) -> list[tuple[float, int, dict[str, Any]]]:
        """Returns (time, number, record) of all; the first two together name a record for good."""
        with self._lock:
            return self._records[::-1]


HISTORY = emulate.Store(History)
# account -> ARN of a trail -> (region, record), not yet written to its bucket
UNWRITTEN: dict[str, dict[str, collections.deque]] = {}


def install() -> None:
    """Makes every SSM call that changes something a record."""
    calls.subscribe(_on_call)
    reset = CloudTrailBackend.reset

    def forget(backend: CloudTrailBackend) -> None:
        UNWRITTEN.pop(backend.account_id, None)
        HISTORY.of(backend.account_id, backend.region_name).forget()
        reset(backend)

    CloudTrailBackend.reset = forget


def seed(account: str, region: str, record: dict[str, Any]) -> None:
    """Puts a record into the history as if it had happened before; no trail saw it."""
    missing = [field for field in REQUIRED if not isinstance(record.get(field), str)]
    if missing:
        raise ValueError(f"a CloudTrail record without {', '.join(missing)}")
    HISTORY.of(account, region).add(record)


def logging_trails(account: str, region: str) -> Iterable[Trail]:
    """Returns the account's trails that record what changes in a Region now."""
    return [
        trail
        for trail in cloudtrail_backends[account][region].describe_trails(include_shadow_trails=True)
        if trail.status.is_logging and _selects_writes(trail)
    ]


def _on_call(entry: dict[str, Any]) -> None:
    try:
        record = cloudtrail_records.of(entry)
        if record is not None:
            _happened(entry["account"], entry["region"], record)
    except Exception:  # noqa: BLE001 - the call was answered already, and a record is no reason to fail it.
        traceback.print_exc(file=sys.stderr)


def _happened(account: str, region: str, record: dict[str, Any]) -> None:
    HISTORY.of(account, region).add(record)
    trails = logging_trails(account, region)
    for trail in trails:
        unwritten = UNWRITTEN.setdefault(account, {}).setdefault(trail.arn, collections.deque(maxlen=KEPT))
        unwritten.append((region, record))
    # However many trails there are, EventBridge gets an event once.
    if trails:
        events_bus.put(account, region, events_bus.envelope_of(record, account, region))


def _selects_writes(trail: Trail) -> bool:
    if trail.advanced_event_selectors:
        return any(_advanced_selects(selector["FieldSelectors"]) for selector in trail.advanced_event_selectors)
    return not trail.event_selectors or any(
        selector.get("IncludeManagementEvents", True) and selector.get("ReadWriteType", "All") != "ReadOnly"
        for selector in trail.event_selectors
    )


def _advanced_selects(fields: list[dict[str, Any]]) -> bool:
    wanted = {field["Field"]: field.get("Equals", []) for field in fields}
    return "Management" in wanted.get("eventCategory", []) and wanted.get("readOnly") != ["true"]
