"""Owns the control URLs of sessions: start one as somebody, type into one, see all, and say which version preferences are taken by."""

import json

import control
import sessions

from . import ssm_session_terminal, ssm_sessions
from .ssm_session_access import Caller

FIELDS = {"account", "region", "target", "principal", "document", "parameters", "reason", "preferences_by", "challenge", "input", "end"}


@control.route("GET", "/_sandbox/sessions")
def get_sessions(query, _body):
    """Lists sessions, oldest first, one JSON object per line; of one account, Region, target or id where these are given."""
    lines = []
    for (account, region), found in sessions.SESSIONS.everywhere().items():
        if query.get("account", account) == account and query.get("region", region) == region:
            lines += [session.shown() for session in list(found.values())
                      if all(query.get(key, value) == value for key, value in (("target", session.target), ("session_id", session.session_id)))]
    lines.sort(key=lambda one: one["started"])
    return 200, "".join(_line(one) for one in lines).encode()


@control.route("POST", "/_sandbox/sessions")
def post_session(_query, body):
    """Starts a session, types its `input`, ends it unless `end` is false, and answers with what became of it.

    What StartSession refuses is a session with the status `Refused`, which nothing lists.
    """
    given = _fields(body, FIELDS, ("account", "target"))
    account, region, target = given["account"], given.get("region", "us-east-1"), given["target"]
    document, by = given.get("document"), given.get("preferences_by")
    if by not in (None, "default", "latest"):
        raise ValueError("preferences_by must be default or latest")
    principal = given.get("principal")
    try:
        operator = ssm_sessions.operator_of(principal, account, region) if principal else _nobody(account, region)
        if principal:
            ssm_sessions.check_start(operator, target, document)
        session = ssm_sessions.begin(operator, target, document, given.get("parameters"), given.get("reason"), by, given.get("challenge", False))
    except ssm_sessions.emulate.Refused as refused:
        answer = {"session_id": None, "target": target, "status": "Refused", "reason": f"{refused.code}: {refused.message}",
                  "why": ssm_sessions.why_not_connected(account, region, target)}
        return 200, _line(answer).encode()
    _type(session, given.get("input"), given.get("end", True))
    return 200, _line(session.shown()).encode()


@control.route("POST", "/_sandbox/session-input")
def post_input(_query, body):
    """Types into a session that has not ended, as the client's terminal; `exit`, or `end`, ends it.

    A client shows the token of StartSession's answer; a test need not. "Authentication tokens [..] are required to connect":
    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StartSession.html (TokenValue).
    """
    given = _fields(body, {"session_id", "input", "end", "token"}, ("session_id",))
    found = [store[given["session_id"]] for store in sessions.SESSIONS.everywhere().values() if given["session_id"] in store]
    if not found:
        raise ValueError(f"no such session: {given['session_id']}")
    session = found[0]
    if "token" in given and given["token"] != session.hidden.get("token"):
        raise ValueError("the token is not that of the session")
    if "token" in given and "unopened" in session.hidden:
        raise ValueError(session.hidden["unopened"])
    printed = _type(session, given.get("input"), given.get("end", False))
    return 200, _line({"printed": printed, **session.shown()}).encode()


@control.route("POST", "/_sandbox/session-preferences")
def post_preferences(_query, body):
    """Says by which version the sessions of an account take their document: `default` or `latest`."""
    given = _fields(body, {"account", "by"}, ("account", "by"))
    if given["by"] not in ("default", "latest"):
        raise ValueError("by must be default or latest")
    sessions.VERSIONS[given["account"]] = given["by"]
    return 200, b"{}\n"


def _fields(body, known, required):
    given = json.loads(body)
    unknown, missing = set(given) - known, [name for name in required if not given.get(name)]
    if unknown or missing:
        raise ValueError(f"unknown fields {sorted(unknown)}, missing {missing}")
    return given


def _nobody(account, region):
    """An operator without a name may do everything, as an account where IAM is not enforced."""
    operator = ssm_sessions.operator_of(f"arn:{ssm_sessions.get_partition(region)}:iam::{account}:root", account, region)
    return Caller(operator.identity, account, region, {}, is_checked=False)


def _type(session, text, ends):
    printed, has_exited = [], False
    if text and session.is_active:
        printed, has_exited = ssm_session_terminal.typed(session, "\n".join(text) if isinstance(text, list) else text)
    if ends or has_exited:
        ssm_sessions.end(session)
    return printed


def _line(value):
    return json.dumps(value) + "\n"
