"""Owns invoking a function: waiting for its answer, or handing it an event that Lambda retries and at last gives away.

A dead-letter queue and an on-failure destination are Lambda's own; who sent the event learns of neither.

Synchronous: https://docs.aws.amazon.com/lambda/latest/dg/invocation-sync.html and API_Invoke
Retries: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
Records: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

import base64
import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable
from urllib.parse import unquote

import emulate
from moto.awslambda.exceptions import LambdaClientError, UnknownFunctionException
from moto.awslambda.models import LambdaFunction
from moto.awslambda.responses import LambdaResponse
from moto.awslambda.utils import get_backend
from moto.sqs.models import sqs_backends

from .lambda_fleet import Throttled, fleet_of
from .lambda_role import allows
from .lambda_runtime import Result

RETRIES = 2
MAXIMUM_AGE = 6 * 3600
# AWS waits one minute, then two; a test cannot.
BACK_OFF = 0.05
MOST_SYNCHRONOUS, MOST_ASYNCHRONOUS = 6 * 1024 * 1024, 1024 * 1024
TAIL = 4096

_queue = ThreadPoolExecutor(max_workers=16, thread_name_prefix="lambda-async")


class TooManyRequests(LambdaClientError):
    code = 429


class TooLarge(LambdaClientError):
    code = 413


def install() -> None:
    """Runs functions as processes of this machine; moto would in containers."""
    LambdaResponse.invoke = _invoke
    # A function may call Lambda itself, and others are served while it runs.
    emulate.runs_long("lambda", "Invoke")


def _invoke(self: LambdaResponse) -> tuple[int, dict[str, str], bytes]:
    function = self.backend.get_function(unquote(self.path.rsplit("/", 2)[-2]), self._get_param("Qualifier"))
    kind = self.headers.get("X-Amz-Invocation-Type") or "RequestResponse"
    event = self.body.encode() if isinstance(self.body, str) else self.body or b""
    most = MOST_ASYNCHRONOUS if kind == "Event" else MOST_SYNCHRONOUS
    if len(event) > most:
        raise TooLarge("RequestTooLargeException", f"{len(event)} byte payload is too large for the {kind} invocation type (limit {most} bytes)")
    event = event or b"{}"
    try:
        json.loads(event)
    except ValueError as error:
        raise LambdaClientError("InvalidRequestContentException", f"Could not parse request body into json: {error}") from error
    if function.package_type != "Zip" or function.run_time not in ("provided.al2023", "provided.al2"):
        raise NotImplementedError("the sandbox runs functions with a bootstrap of their own only")
    if kind == "DryRun":
        return 204, {"status": "204"}, b""
    request_id = str(uuid.uuid4())
    headers = {"x-amzn-RequestId": request_id, "X-Amz-Executed-Version": str(function.version), "Content-Type": "application/json"}
    if kind == "Event":
        hand_over(function, event, request_id)
        return 202, headers | {"status": "202"}, b""
    fleet = fleet_of(function.account_id, function.region, function.function_name)
    try:
        result = fleet.run(function, event, request_id)
    except Throttled:
        raise TooManyRequests("TooManyRequestsException", "Rate Exceeded.") from None
    if result.error:
        headers["X-Amz-Function-Error"] = "Unhandled"
    if self.headers.get("X-Amz-Log-Type") == "Tail":
        log = "".join(line["message"] + "\n" for line in list(fleet.lines))
        headers["X-Amz-Log-Result"] = base64.b64encode(log[log.find(f"START RequestId: {request_id}"):].encode()[-TAIL:]).decode()
    return 200, headers, result.payload


def hand_over(function: LambdaFunction, event: bytes, request_id: str, at_end: Callable[..., None] = lambda **facts: None) -> None:
    """Takes an event for asynchronous invocation; `at_end(invocations=, error=, kept=)` is called when Lambda is done with it.

    `kept` is what became of a failed event: "sent" to the function's queue, "lost" on the way there, or None.
    """

    def work() -> None:
        try:
            _work_off(function.account_id, function.region, function.function_arn, event, request_id, at_end)
        except Exception as problem:  # noqa: BLE001 - nobody else hears of it in this thread
            at_end(invocations=0, error=f"the sandbox broke: {problem!r}", kept=None)

    _queue.submit(work)


def _work_off(account: str, region: str, arn: str, event: bytes, request_id: str, at_end: Callable[..., None]) -> None:
    accepted, n_invocations, result = time.time(), 0, None
    while True:
        try:
            # Anew each time: an update may have come between two attempts.
            function = get_backend(account, region).get_function(arn)
        except UnknownFunctionException:
            return at_end(invocations=n_invocations, error="the function is gone", kept=None)
        config = function.event_invoke_config[0].config if function.event_invoke_config else {}
        condition = None
        if time.time() - accepted > config.get("MaximumEventAgeInSeconds", MAXIMUM_AGE):
            condition = "EventAgeExceeded"
        elif function.reserved_concurrency is not None and int(function.reserved_concurrency) == 0:
            condition = "RetriesExhausted"
        else:
            try:
                result = fleet_of(account, region, function.function_name).run(function, event, request_id)
                n_invocations += 1
                if not result.error:
                    _keep(function, config, event, request_id, "Success", n_invocations, result)
                    return at_end(invocations=n_invocations, error=None, kept=None)
                if n_invocations > config.get("MaximumRetryAttempts", RETRIES):
                    condition = "RetriesExhausted"
            except Throttled:
                pass  # "Lambda returns the event to the queue", and counts no attempt.
        if condition:
            kept = _keep(function, config, event, request_id, condition, n_invocations, result)
            error = result.payload.decode("utf-8", "replace") if result else condition
            return at_end(invocations=n_invocations, error=f"the function failed: {error}", kept=kept)
        time.sleep(BACK_OFF)


def _keep(
    function: LambdaFunction, config: dict[str, Any], event: bytes, request_id: str, condition: str, n_invocations: int, result: Result | None,
) -> str | None:
    """Sends what the destination and the dead-letter queue of the function are to get."""
    outcomes = []
    side = "OnSuccess" if condition == "Success" else "OnFailure"
    destination = config.get("DestinationConfig", {}).get(side, {}).get("Destination")
    if destination:
        record: dict[str, Any] = {
            "version": "1.0",
            "timestamp": emulate.now().strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "requestContext": {"requestId": request_id, "functionArn": f"{function.function_arn}:{function.version}", "condition": condition,
                               "approximateInvokeCount": n_invocations},
            "requestPayload": json.loads(event),
        }
        if result:
            record["responseContext"] = {"statusCode": 200, "executedVersion": str(function.version)} | ({"functionError": "Unhandled"} if result.error else {})
            record["responsePayload"] = _parsed(result.payload)
        outcomes.append(_send(function, destination, json.dumps(record), {}))
    queue = (function.dead_letter_config or {}).get("TargetArn")
    if queue and condition != "Success":
        message = _parsed(result.payload) if result else condition
        attributes = {
            "RequestID": {"DataType": "String", "StringValue": request_id},
            "ErrorCode": {"DataType": "Number", "StringValue": "200" if result else "429"},
            "ErrorMessage": {"DataType": "String", "StringValue": str(message.get("errorMessage", message) if isinstance(message, dict) else message)[:1024]},
        }
        outcomes.append(_send(function, queue, event.decode(), attributes))
    return None if not outcomes else "lost" if False in outcomes else "sent"


def _parsed(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except ValueError:
        return payload.decode("utf-8", "replace")


def _send(function: LambdaFunction, arn: str, body: str, attributes: dict[str, Any]) -> bool:
    """Sends to a standard queue as the role of the function; the sandbox has no other destinations."""
    _, _, service, region, account, name = arn.split(":", 5)
    queue = sqs_backends[account][region].queues.get(name) if service == "sqs" else None
    if queue is None or queue.fifo_queue or not allows(function.account_id, function.role, "sqs:SendMessage", arn):
        return False
    sqs_backends[account][region].send_message(name, body, attributes)
    return True
