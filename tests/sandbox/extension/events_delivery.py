"""Owns what happens after a rule matched: the HTTP request to an API destination, the hand-over to a function.

Requests leave for loopback only; any other host is recorded as failed without
being contacted. Every delivery is kept in `deliveries`, by account.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
"""

import base64
import copy
import http.client
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode, urlsplit

import control
from moto.core.utils import iso_8601_datetime_without_milliseconds, utcfromtimestamp
from moto.events.models import EventsBackend, Rule, events_backends

from . import events_dead_letter, events_lambda
from .events_transform import render

DEFAULT_ATTEMPTS = 185
TIMEOUT = 5
# AWS backs off exponentially for up to a day; a test cannot wait.
BACK_OFF = 0.02
READ_ONLY_STATE = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"

deliveries: dict[str, list[dict[str, Any]]] = {}
CONTROL = {"deliveries": lambda account: deliveries.get(account, [])}

_pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="delivery")
_lock = threading.Lock()


def install() -> None:
    """Makes rules deliver to API destinations, and respects their state."""
    original, reset = Rule.send_to_targets, EventsBackend.reset

    def send_to_targets(rule: Rule, event: dict[str, Any], transform_input: bool = True) -> None:
        if rule.event_pattern.dump() is None or not _is_for(rule, event) or not rule.event_pattern.matches_event(_envelope(event)):
            return
        for target in rule.targets:
            if ":api-destination/" in target["Arn"]:
                _start(rule, target, event)
            elif target["Arn"].split(":")[2] == "lambda":
                _start_function(rule, target, event)
            elif target["Arn"].split(":")[2] in ("logs", "sqs") or ":event-bus/" in target["Arn"] or "archive-arn" in event:
                _send_to_one(original, rule, target, event, transform_input)
            else:
                _record(rule, target, event, status="failed", error="the sandbox does not deliver to this kind of target")

    def forget(backend: EventsBackend) -> None:
        deliveries.pop(backend.account_id, None)
        reset(backend)

    @control.route("GET", "/_sandbox/deliveries")
    def get_deliveries(query: dict[str, str], _body: bytes) -> tuple[int, bytes]:
        """Prints the deliveries of an account, one JSON object per line."""
        lines = [json.dumps(entry) + "\n" for entry in CONTROL["deliveries"](query["account"])]
        return 200, "".join(lines).encode()

    Rule.send_to_targets = send_to_targets
    EventsBackend.reset = forget


def _is_for(rule: Rule, event: dict[str, Any]) -> bool:
    """PutRule, State: read-only management events of CloudTrail need their own state; a disabled rule matches nothing."""
    if rule.state == "DISABLED":
        return False
    detail = event["detail"]
    from_trail = event["detail-type"].endswith("via CloudTrail") and isinstance(detail, dict)
    return not (from_trail and detail.get("readOnly") is True and rule.state != READ_ONLY_STATE)


def _envelope(event: dict[str, Any]) -> dict[str, Any]:
    """Returns the event as AWS sends it: the time is text, and when it came in is no part of it."""
    event = {key: value for key, value in event.items() if key != "ingestion-time"}
    if not isinstance(event["time"], str):
        event["time"] = iso_8601_datetime_without_milliseconds(utcfromtimestamp(float(event["time"])))
    return event


def _send_to_one(original: Any, rule: Rule, target: dict[str, Any], event: dict[str, Any], transform: bool) -> None:
    only = copy.copy(rule)
    only.targets = [target]
    original(only, event, transform)


def _record(rule: Rule, target: dict[str, Any], event: dict[str, Any], **facts: Any) -> dict[str, Any]:
    entry = {"rule": rule.name, "region": rule.region_name, "target": target["Id"], "arn": target["Arn"], "event_id": event["id"],
             "status": "pending", "attempts": 0, "codes": [], "error": None, "dead_letter": None} | facts
    with _lock:
        deliveries.setdefault(rule.account_id, []).append(entry)
    return entry


def _start(rule: Rule, target: dict[str, Any], event: dict[str, Any]) -> None:
    entry = _record(rule, target, event)
    try:
        backend = events_backends[rule.account_id][rule.region_name]
        destination = next((one for one in backend.destinations.values() if one.arn == target["Arn"]), None)
        if destination is None:
            raise ValueError("the API destination does not exist")
        connection = next((one for one in backend.connections.values() if one.arn == destination.connection_arn), None)
        if connection is None:
            raise ValueError("the connection does not exist")
        url, headers = _address(destination, connection, target.get("HttpParameters", {}))
        body = render(target, _envelope(event), rule, event.get("ingestion-time"))
        entry |= {"method": destination.http_method, "url": url, "headers": headers, "body": body}
    except ValueError as error:
        _fail(entry, str(error), rule, target, event)
        return
    _pool.submit(_deliver, entry, rule, target, event)


def _start_function(rule: Rule, target: dict[str, Any], event: dict[str, Any]) -> None:
    entry = _record(rule, target, event)
    try:
        entry["body"] = render(target, _envelope(event), rule, event.get("ingestion-time"))
    except ValueError as error:
        _fail(entry, str(error), rule, target, event, code="INVALID_JSON")
        return
    _pool.submit(_hand_over, entry, rule, target, event)


def _hand_over(entry: dict[str, Any], rule: Rule, target: dict[str, Any], event: dict[str, Any]) -> None:
    """Gives the event to Lambda, which reports what the function made of it: none of the rule's retries or queues is for that."""

    def settle(invocations: int, error: str | None, kept: str | None) -> None:
        entry.update({"invocations": invocations, "function_dead_letter": kept, "error": error, "status": "failed" if error else "delivered"})

    retries = target.get("RetryPolicy", {}).get("MaximumRetryAttempts", DEFAULT_ATTEMPTS)
    while True:
        entry["attempts"] += 1
        try:
            return events_lambda.send(entry["body"], rule, target["Arn"], settle)
        except events_lambda.Refusal as refusal:
            if not refusal.again or entry["attempts"] > retries:
                return _fail(entry, str(refusal), rule, target, event, exhausted=refusal.again, code=refusal.code)
        time.sleep(BACK_OFF)


def _address(destination: Any, connection: Any, parameters: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """Returns the URL and headers: the endpoint, then the target's parameters, then the connection's, which win."""
    url = destination.invocation_endpoint
    for value in parameters.get("PathParameterValues", []):
        url = url.replace("*", value, 1)
    query = dict(parameters.get("QueryStringParameters", {}))
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "Amazon/EventBridge/ApiDestinations"}
    headers |= parameters.get("HeaderParameters", {})
    auth = connection.auth_parameters
    invocation = auth.get("InvocationHttpParameters", {})
    headers |= {item["Key"]: item["Value"] for item in invocation.get("HeaderParameters", [])}
    query |= {item["Key"]: item["Value"] for item in invocation.get("QueryStringParameters", [])}
    if connection.authorization_type == "API_KEY":
        headers[auth["ApiKeyAuthParameters"]["ApiKeyName"]] = auth["ApiKeyAuthParameters"]["ApiKeyValue"]
    elif connection.authorization_type == "BASIC":
        basic = auth["BasicAuthParameters"]
        token = base64.b64encode(f"{basic['Username']}:{basic['Password']}".encode()).decode()
        headers["Authorization"] = f"Basic {token}"
    else:
        raise ValueError("the sandbox has no OAuth tokens")
    if query:
        url += ("&" if "?" in url else "?") + urlencode(query)
    return url, headers


def is_loopback(url: str) -> bool:
    """Returns whether a URL stays on this machine, by its text alone: no name is resolved."""
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.endswith(".localhost") or (
        host.startswith("127.") and host.replace(".", "").isdigit()
    )


def _deliver(entry: dict[str, Any], rule: Rule, target: dict[str, Any], event: dict[str, Any]) -> None:
    if not is_loopback(entry["url"]):
        _fail(entry, "the sandbox sends nothing beyond loopback", rule, target, event)
        return
    retries = target.get("RetryPolicy", {}).get("MaximumRetryAttempts", DEFAULT_ATTEMPTS)
    while True:
        entry["attempts"] += 1
        try:
            code = _request(entry)
            entry["codes"].append(code)
            error = None if 200 <= code < 300 else f"HTTP {code}"
            again = code in (409, 429) or code >= 500
        except (OSError, http.client.HTTPException) as problem:
            error, again = str(problem) or type(problem).__name__, True
        if error is None:
            entry |= {"status": "delivered", "error": None}
            return
        if not again or entry["attempts"] > retries:
            _fail(entry, error, rule, target, event, exhausted=again)
            return
        time.sleep(BACK_OFF)


def _request(entry: dict[str, Any]) -> int:
    parts = urlsplit(entry["url"])
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    host = "127.0.0.1" if (parts.hostname or "").endswith("localhost") else parts.hostname
    connection = kind(host, parts.port, timeout=TIMEOUT)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request(entry["method"], path, entry["body"].encode(), {"Host": parts.netloc} | entry["headers"])
        return connection.getresponse().status
    finally:
        connection.close()


def _fail(entry: dict[str, Any], error: str, rule: Rule, target: dict[str, Any], event: dict[str, Any], exhausted: bool = False,
          code: str | None = None) -> None:
    """Records the failure, and hands the event to the dead-letter queue where there is one."""
    queue = target.get("DeadLetterConfig", {}).get("Arn")
    if queue:
        try:
            lost = events_dead_letter.send(queue, _envelope(event), rule, target, error, max(entry["attempts"] - 1, 0), exhausted, code)
        except Exception as problem:  # noqa: BLE001 - whatever SQS says belongs into the record
            lost = str(problem) or type(problem).__name__
        entry["dead_letter"] = "lost" if lost else "sent"
        if lost:
            error += f"; the event is lost: {lost}"
    entry |= {"status": "failed", "error": error}
