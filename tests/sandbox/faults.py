"""Owns the faults that a test asked for: which call gets which one, and how
each looks. Faults belong to one account, so parallel tests do not meet.

Codes: https://docs.aws.amazon.com/systems-manager/latest/APIReference/CommonErrors.html
Throttling per protocol: botocore/data/_retry.json (`Throttling`,
`ThrottlingException`, `SlowDown`).
"""

import random
import threading

import partitions

KINDS = ("throttle", "error", "latency", "drop", "cut", "expired", "denied", "stale")
# These do the work, whatever becomes of the answer.
DONE = ("latency", "cut")
FIELDS = {
    "account": str,
    "region": str,
    "service": str,
    "operation": str,
    "kind": str,
    "code": str,
    "status": int,
    "message": str,
    "milliseconds": int,
    "times": int,
    "after": int,
    "when": str,
    "seed": int,
}
# A stale fault leaves the write alone, so it has no answer to give.
NOT_OF_STALE = ("code", "status", "message", "when")

_faults = []
_lock = threading.Lock()


def add(fault):
    """Takes one fault; raises ValueError saying what is wrong with it."""
    for key, value in fault.items():
        if key not in FIELDS:
            raise ValueError(f"unknown field {key}")
        if not isinstance(value, FIELDS[key]):
            raise ValueError(f"{key} must be a {FIELDS[key].__name__}")
    if "account" not in fault:
        raise ValueError("account is missing")
    if fault.get("kind") not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}")
    if fault.get("when", "before") not in ("before", "after"):
        raise ValueError("when must be before or after")
    if fault["kind"] == "stale":
        _check_stale(fault)
    elif "seed" in fault:
        raise ValueError("seed is for kind stale only")
    with _lock:
        _faults.append({"times": 1, "after": 0, "when": "before", "n_drawn": 0, **fault})


def _check_stale(fault):
    if "service" not in fault:
        raise ValueError("service is missing: what is stale is the reads of one service")
    if fault["service"] == "sts":
        raise ValueError("sts has nothing that could be stale")
    if fault.get("milliseconds", 0) < 1:
        raise ValueError("milliseconds must say for how long the reads are stale")
    for field in NOT_OF_STALE:
        if field in fault:
            raise ValueError(f"{field} is not for kind stale")


def clear(account=None):
    """Drops the faults of one account, or all."""
    with _lock:
        _faults[:] = [f for f in _faults if account is not None and f["account"] != account]


def take(account, region, service, operation):
    """Returns the fault that this call gets, or None, and counts it."""
    return _take(account, region, service, operation, stale=False)


def take_stale(account, region, service, operation):
    """Returns the fault that makes the reads after this write stale, or None, and counts it.

    It goes beside the other kinds, so that an answer may be lost and the reads be stale at once.
    """
    return _take(account, region, service, operation, stale=True)


def give_back(fault):
    """Counts a stale fault as not taken: the write that it was for was refused."""
    with _lock:
        if fault["times"] >= 0:
            fault["times"] += 1


def staleness(fault):
    """Returns for how many seconds the reads are stale: `milliseconds`, or with a seed a part of it that it draws."""
    with _lock:
        fault["n_drawn"] += 1
        whole = fault["milliseconds"] / 1000
        return whole if "seed" not in fault else whole * random.Random(f"{fault['seed']}/{fault['n_drawn']}").random()


def _take(account, region, service, operation, stale):
    with _lock:
        for fault in _faults:
            if fault["account"] != account or (fault["kind"] == "stale") != stale:
                continue
            if fault.get("region", region) != region:
                continue
            if fault.get("service", service) != service:
                continue
            if fault.get("operation", operation) != operation:
                continue
            if fault["after"] > 0:
                fault["after"] -= 1
                continue
            if fault["times"] == 0:
                continue
            if fault["times"] > 0:
                fault["times"] -= 1
            return fault
    return None


def error_of(fault, protocol, service, operation, account, region):
    """Returns (status, code, message) of a fault that answers with an error."""
    kind = fault["kind"]
    is_json = protocol in ("json", "rest-json")
    if kind == "throttle":
        if service == "s3":
            default = (503, "SlowDown", "Please reduce your request rate.")
        elif protocol == "ec2":
            default = (503, "RequestLimitExceeded", "Request limit exceeded.")
        elif service == "organizations":
            default = (400, "TooManyRequestsException", "Rate exceeded")
        else:
            code = "ThrottlingException" if is_json else "Throttling"
            default = (400, code, "Rate exceeded")
    elif kind == "expired":
        code = "ExpiredTokenException" if is_json else "ExpiredToken"
        if protocol == "ec2":
            code = "RequestExpired"
        status = 400 if is_json or service == "s3" or protocol == "ec2" else 403
        default = (
            status,
            code,
            "The security token included in the request is expired",
        )
    elif kind == "denied":
        code = "AccessDeniedException" if is_json else "AccessDenied"
        if protocol == "ec2":
            code = "UnauthorizedOperation"
        default = (
            400 if is_json else 403,
            code,
            f"User: arn:{partitions.of_region(region)}:iam::{account}:user/sandbox is not authorized to perform: "
            f"{service}:{operation} on resource: * because no identity-based policy "
            f"allows the {service}:{operation} action",
        )
    else:
        code = "InternalServerError" if is_json else "InternalFailure"
        default = (500, code, "Internal server error")
    return (
        fault.get("status", default[0]),
        fault.get("code", default[1]),
        fault.get("message", default[2]),
    )
