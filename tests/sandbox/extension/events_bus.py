"""Owns who may put what on an event bus: AWS services, of which CloudTrail is one here, and callers of PutEvents.

Events of services: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
PutEvents: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html; that a source which
begins with `aws.` is refused per entry: https://github.com/aws-samples/serverless-patterns/pull/3089
"""

import copy
import json
import sys
import time
import traceback
import uuid
from typing import Any

import control
from moto.events.models import events_backends
from moto.events.responses import EventsHandler

from .cloudtrail_records import seconds

# By the eventType of a record.
DETAIL_TYPES = {
    "AwsApiCall": "AWS API Call via CloudTrail",
    "AwsServiceEvent": "AWS Service Event via CloudTrail",
    "AwsConsoleSignIn": "AWS Console Sign In via CloudTrail",
}
RESERVED = "aws."
MAX_ENTRIES = 10
REFUSED = {"ErrorCode": "NotAuthorizedForSourceException", "ErrorMessage": "Not authorized for the source."}


def install() -> None:
    """Keeps callers from putting events of AWS services, and lets tests put them."""
    EventsHandler.put_events = _put_events

    @control.route("POST", "/_sandbox/events")
    def post_events(query: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """Puts envelopes or records on the default bus of `account` in `region` as if CloudTrail had sent them."""
        account, region = query["account"], query["region"]
        events = [_envelope(given, account, region) for given in _listed(json.loads(body))]
        for event in events:
            put(account, region, event)
        return 200, "".join(json.dumps({"id": event["id"]}) + "\n" for event in events).encode()


def envelope_of(record: dict[str, Any], account: str, region: str) -> dict[str, Any]:
    """Returns the event that carries a CloudTrail record."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": DETAIL_TYPES.get(record.get("eventType"), DETAIL_TYPES["AwsApiCall"]),
        "source": RESERVED + record["eventSource"].split(".")[0],
        "account": account,
        "time": record["eventTime"],
        "region": region,
        "resources": [],
        "detail": record,
    }


def put(account: str, region: str, event: dict[str, Any]) -> None:
    """Gives an event to the rules of the default bus of an account in a Region."""
    rules = events_backends[account][region].event_buses["default"].rules
    for rule in list(rules.values()):
        sent = copy.deepcopy(event)
        # Moto's own deliveries compute with the time.
        sent |= {"time": seconds(event["time"]), "ingestion-time": time.time()}
        try:
            rule.send_to_targets(sent)
        except Exception:  # noqa: BLE001 - a rule that cannot deliver keeps no other from it.
            traceback.print_exc(file=sys.stderr)


def _put_events(self: EventsHandler) -> str:
    """Entries fail one by one, and the answer has them in the order of the request."""
    given = self._get_param("Entries") or []
    if len(given) > MAX_ENTRIES:
        self.events_backend.put_events(given)  # refuses the whole request
    refused = [str(entry.get("Source") or "").startswith(RESERVED) for entry in given]
    accepted = iter(self.events_backend.put_events([e for e, no in zip(given, refused) if not no]))
    entries = [REFUSED if no else next(accepted) for no in refused]
    return json.dumps({"FailedEntryCount": sum("ErrorCode" in entry for entry in entries), "Entries": entries})


def _listed(given: Any) -> list[dict[str, Any]]:
    if isinstance(given, dict) and isinstance(given.get("Records"), list):
        return given["Records"]
    return given if isinstance(given, list) else [given]


def _envelope(given: Any, account: str, region: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise ValueError("neither an EventBridge event nor a CloudTrail record")
    if "detail-type" not in given:
        return envelope_of(given, account, region)
    seconds(given["time"])
    return {"version": "0", "resources": [], "account": account, "region": region, "id": str(uuid.uuid4())} | given
