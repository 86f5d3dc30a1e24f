"""Owns sessions: the API side only, for no stream is ever opened here.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StartSession.html
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeSessions.html
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetConnectionStatus.html
"""

import secrets
import string

import documents
import emulate
import nodes
from moto.ssm.responses import SimpleSystemManagerResponse

# What a session uses when no document is named.
DEFAULT_DOCUMENT = "SSM-SessionManagerRunShell"
FILTERS = {
    "Target": "Target",
    "Owner": "Owner",
    "Status": "Status",
    "SessionId": "SessionId",
}

# session id -> description
SESSIONS = emulate.Store(dict)


def start_session(response):
    """Starts a session on a node that is connected."""
    request = emulate.parameters(response)
    account, region = response.current_account, response.region
    name = request.get("DocumentName")
    if name:
        document = documents.find(account, region, name)
        if document is None or document.document_type != "Session":
            emulate.refuse("InvalidDocument", f"Document with name {name} does not exist.")
    target = request["Target"]
    if not _connected(account, region, target):
        emulate.refuse("TargetNotConnected", f"{target} is not connected.")
    alphabet = string.ascii_lowercase + string.digits
    session_id = "sandbox-" + "".join(secrets.choice(alphabet) for _ in range(17))
    SESSIONS.of(account, region)[session_id] = {
        "SessionId": session_id,
        "Target": target,
        "Status": "Connected",
        "StartDate": emulate.now(),
        "DocumentName": name or DEFAULT_DOCUMENT,
        "Owner": f"arn:{response.partition}:iam::{account}:user/sandbox",
        "Reason": request.get("Reason"),
        "OutputUrl": {},
        "AccessType": "Standard",
    }
    return {
        "SessionId": session_id,
        "TokenValue": secrets.token_urlsafe(48),
        # Never opened by anything here; loopback, so that nothing leaves the machine.
        "StreamUrl": f"wss://127.0.0.1/v1/data-channel/{session_id}?role=publish_subscribe",
    }


def terminate_session(response):
    """Ends a session; ending it again, or one that never was, is no error."""
    session_id = emulate.parameters(response)["SessionId"]
    session = SESSIONS.here(response).get(session_id)
    if session and session["Status"] != "Terminated":
        session["Status"] = "Terminated"
        session["EndDate"] = emulate.now()
    return {"SessionId": session_id}


def describe_sessions(response):
    """Answers with active or ended sessions, newest first."""
    request = emulate.parameters(response)
    wants_active = request["State"] == "Active"
    listed = [
        session
        for session in SESSIONS.here(response).values()
        if (session["Status"] != "Terminated") == wants_active
        and all(_matches(session, f) for f in request.get("Filters") or [])
    ]
    listed.sort(key=lambda s: s["StartDate"], reverse=True)
    shown, token = emulate.page(listed, request, 1, 200, 200)
    answer = {"Sessions": shown}
    if token:
        answer["NextToken"] = token
    return answer


def _matches(session, item):
    key, value = item["key"], item["value"]
    started = session["StartDate"].strftime("%Y-%m-%dT%H:%M:%SZ")
    if key == "InvokedAfter":
        return started >= value
    if key == "InvokedBefore":
        return started <= value
    if key in FILTERS:
        return session[FILTERS[key]] == value
    return session.get(key) == value


def get_connection_status(response):
    """Tells whether a session could start on a target."""
    target = emulate.parameters(response)["Target"]
    connected = _connected(response.current_account, response.region, target)
    return {"Target": target, "Status": "connected" if connected else "notconnected"}


def _connected(account, region, target):
    node = nodes.online(account, region, target)
    return node is not None and node.connected


def install():
    for name, function in (
        ("StartSession", start_session),
        ("TerminateSession", terminate_session),
        ("DescribeSessions", describe_sessions),
        ("GetConnectionStatus", get_connection_status),
    ):
        emulate.operation(SimpleSystemManagerResponse, name)(function)
