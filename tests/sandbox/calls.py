"""Owns the log of every AWS request that the sandbox answered.

Tests read it over HTTP to see what a tool really called; the CloudTrail
extension reads it in-process. Nothing is ever written to disk.
"""

import collections
import threading

# Enough for the largest test, small enough to keep memory flat in a long demo.
KEPT = 20_000

# As CloudTrail's `readOnly`: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
READ_ONLY_PREFIXES = (
    "Describe",
    "Get",
    "List",
    "Lookup",
    "Simulate",
    "Test",
    "Head",
    "Assume",
)

# In the order that the log prints them; what else an entry holds stays inside.
PUBLIC = (
    "n",
    "account",
    "region",
    "service",
    "operation",
    "read_only",
    "params",
    "status",
    "error_code",
    "problems",
)

_entries = collections.deque(maxlen=KEPT)
_listeners = []
_lock = threading.Lock()
_n_recorded = 0


def is_read_only(operation):
    """Returns whether an operation only reads."""
    return bool(operation) and operation.startswith(READ_ONLY_PREFIXES)


def record(entry):
    """Adds one entry, numbers it and calls the listeners."""
    global _n_recorded
    with _lock:
        _n_recorded += 1
        entry["n"] = _n_recorded
        _entries.append(entry)
        listeners = list(_listeners)
    for listener in listeners:
        listener(entry)


def entries(account=None):
    """Returns the entries of one account, or of all, oldest first.

    Besides the public fields an entry has `time` (aware datetime), `access_key`,
    `source_ip`, `user_agent`, `response` (parsed answer of a JSON service or None),
    `error_message`, `request_id`, and `lost`: None, or (status, error code, error
    message, parsed answer, request id) of the work whose answer a fault replaced.
    """
    with _lock:
        return [e for e in _entries if account is None or e["account"] == account]


def forget(account=None):
    """Drops the entries of one account, or of all."""
    with _lock:
        kept = [e for e in _entries if account is not None and e["account"] != account]
        _entries.clear()
        _entries.extend(kept)


def subscribe(listener):
    """Calls `listener(entry)` after every request from now on."""
    with _lock:
        _listeners.append(listener)


def public(entry):
    """Returns what the log prints of an entry."""
    return {key: entry.get(key) for key in PUBLIC}
