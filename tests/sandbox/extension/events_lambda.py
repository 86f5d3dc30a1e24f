"""Owns the way of an event from a rule to a function: the function's policy must let the rule in, and from then on the
event is Lambda's, so that the rule's dead-letter queue never sees what the function fails at.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-lambda-permissions
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html
"""

import json
import time
import uuid
from typing import Callable

import faults
from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.utils import get_backend
from moto.events.models import Rule

from .iam_simulate import ALLOWED, decide
from .lambda_invoke import hand_over

ACTION = "lambda:InvokeFunction"


class Refusal(Exception):
    """Lambda did not take the event. `again` is whether EventBridge tries once more, `code` is the dead-letter queue's."""

    def __init__(self, code: str, message: str, again: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.again = again


def send(body: str, rule: Rule, arn: str, at_end: Callable[..., None]) -> None:
    """Hands the event to the function, as Invoke with type Event does. Raises Refusal."""
    _, _, _, region, account, _ = arn.split(":", 5)
    fault = faults.take(account, region, "lambda", "Invoke")
    if fault:
        time.sleep(fault.get("milliseconds", 0) / 1000)
        if fault["kind"] != "latency":
            again = fault["kind"] not in ("denied", "expired")
            _, code, message = faults.error_of(fault, "rest-json", "lambda", "Invoke", account, region)
            raise Refusal("THIRD_PARTY_SERVICE_ERROR" if again else "NO_PERMISSIONS", f"{code}: {message}", again)
    try:
        function = get_backend(account, region).get_function(arn)
    except UnknownFunctionException:
        function = None
    if function is None or region != rule.region_name:
        raise Refusal("NO_RESOURCE", f"the function {arn} does not exist in {rule.region_name}")
    policy = [("function", json.dumps({"Statement": function.policy.statements}))]
    context = {"aws:SourceArn": [rule.arn], "aws:SourceAccount": [rule.account_id]}
    if decide(policy, ACTION, arn, context, ("Service", "events.amazonaws.com")).result != ALLOWED:
        raise Refusal("NO_PERMISSIONS", f"the policy of {arn} does not allow events.amazonaws.com {ACTION} for {rule.arn}")
    hand_over(function, body.encode(), str(uuid.uuid4()), at_end)
