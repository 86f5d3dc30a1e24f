"""Owns the policy of a queue: what SQS refuses, and that other attributes leave it. Moto has the rest; its codes are
those of the query protocol, as AWS's are.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
"""

from typing import Any

import emulate
from moto.sqs.models import Queue
from moto.sqs.responses import SQSResponse

from .iam import document_error


def install() -> None:
    """Checks a policy before moto stores whatever it is given."""
    for operation in ("create_queue", "set_queue_attributes"):
        _check_before(operation)
    Queue._set_attributes = _keeping_policy(Queue._set_attributes)


def _keeping_policy(original: Any) -> Any:
    """"Sets the value of one or more queue attributes": moto drops the policy when it is not among them."""

    def set_attributes(self: Queue, attributes: dict[str, Any], now: float | None = None) -> None:
        if "Policy" not in attributes and hasattr(self, "_policy_json"):
            attributes = attributes | {"Policy": self.policy}
        original(self, attributes, now)

    return set_attributes


def _check_before(operation: str) -> None:
    original = getattr(SQSResponse, operation)

    def checked(self: SQSResponse) -> Any:
        policy = (self._get_param("Attributes", {}) or {}).get("Policy")
        # An empty policy removes the one that is there.
        if policy and document_error(policy, principal="required", resource="required"):
            emulate.refuse("InvalidAttributeValue", "Invalid value for the parameter Policy.")
        return original(self)

    setattr(SQSResponse, operation, checked)
