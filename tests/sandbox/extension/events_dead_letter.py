"""Owns what becomes of an event that a target did not get: the dead-letter queue of the target, if its policy
lets EventBridge send there; otherwise the event is lost.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
The code of a failed API destination is the one that queues on AWS show; the documentation only lists samples.
"""

import json
from typing import Any

from moto.events.models import Rule
from moto.sqs import sqs_backends

from .iam_simulate import ALLOWED, decide

API_DESTINATION_FAILED = "SDK_CLIENT_ERROR"
API_DESTINATION_PREFIX = "Unable to invoke ApiDestination endpoint: "


def send(queue_arn: str, event: dict[str, Any], rule: Rule, target: dict[str, Any], error: str, retries: int, exhausted: bool,
         code: str | None = None) -> str | None:
    """Sends the original event, whatever an input transformer would have made of it; returns why it is lost, or None.

    `code` is that of a target other than an API destination.
    """
    _, _, _, region, account, name = queue_arn.split(":", 5)
    queue = sqs_backends[account][region].queues.get(name)
    if queue is None:
        return f"the queue {queue_arn} does not exist"
    if region != rule.region_name or queue.fifo_queue:
        return f"{queue_arn} is no standard queue in {rule.region_name}"
    context = {"aws:SourceArn": [rule.arn], "aws:SourceAccount": [rule.account_id]}
    service = ("Service", "events.amazonaws.com")
    if not queue.policy or decide([("queue", queue.policy)], "sqs:SendMessage", queue_arn, context, service).result != ALLOWED:
        return f"the policy of {queue_arn} does not let events.amazonaws.com send for {rule.arn}"
    attributes = {
        "RULE_ARN": rule.arn,
        "TARGET_ARN": target["Arn"],
        "ERROR_CODE": code or API_DESTINATION_FAILED,
        "ERROR_MESSAGE": error if code else API_DESTINATION_PREFIX + error,
        "RETRY_ATTEMPTS": str(retries),
    }
    if exhausted:
        attributes["EXHAUSTED_RETRY_CONDITION"] = "MaximumRetryAttempts"
    sqs_backends[account][region].send_message(
        name, json.dumps(event), {key: {"DataType": "String", "StringValue": value} for key, value in attributes.items()}
    )
    return None
