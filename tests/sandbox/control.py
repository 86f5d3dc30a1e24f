"""Owns the URLs under /_sandbox/ by which tests steer the sandbox.

An extension module may add its own with `route`.
"""

import json
from urllib.parse import parse_qs

import calls
import faults

_routes = {}
_forgetting = []


def route(method, path):
    """Registers `function(query, body) -> (status, bytes)` for a control URL."""

    def register(function):
        _routes[(method, path)] = function
        return function

    return register


def on_clear(forget):
    """Calls `forget(account)`, None for all, when faults are dropped."""
    _forgetting.append(forget)


def answer(environ, body):
    """Returns (status, headers, body) for a request under /_sandbox/."""
    function = _routes.get((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
    if function is None:
        return _json_error(404, "no such control URL")
    query = {k: v[-1] for k, v in parse_qs(environ.get("QUERY_STRING", "")).items()}
    try:
        status, text = function(query, body)
    except (ValueError, KeyError, TypeError) as error:
        return _json_error(400, f"{type(error).__name__}: {error}")
    return status, {"Content-Type": "application/json"}, text


def _json_error(status, message):
    body = json.dumps({"error": message}).encode() + b"\n"
    return status, {"Content-Type": "application/json"}, body


@route("GET", "/_sandbox/calls")
def get_calls(query, _body):
    """Prints the calls of an account, or of all, one JSON object per line."""
    lines = [
        json.dumps(calls.public(entry), default=str) + "\n"
        for entry in calls.entries(query.get("account"))
    ]
    return 200, "".join(lines).encode()


@route("DELETE", "/_sandbox/calls")
def delete_calls(query, _body):
    """Forgets the calls of an account, or of all."""
    calls.forget(query.get("account"))
    return 200, b"{}\n"


@route("POST", "/_sandbox/faults")
def post_faults(_query, body):
    """Takes one fault or a list of them."""
    given = json.loads(body)
    for fault in given if isinstance(given, list) else [given]:
        faults.add(fault)
    return 200, b"{}\n"


@route("DELETE", "/_sandbox/faults")
def delete_faults(query, _body):
    """Drops the faults of an account, or all, and what they left stale."""
    faults.clear(query.get("account"))
    for forget in _forgetting:
        forget(query.get("account"))
    return 200, b"{}\n"
