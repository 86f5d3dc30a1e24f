"""Owns starting and ending sessions, and what Systems Manager says of them. The agent's part is `ssm_session_agent`'s.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StartSession.html
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeSessions.html
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetConnectionStatus.html
"""

import re
import secrets

import emulate
import iam_callers
import iam_enforce
import iam_needs
import nodes
import sessions
from accounts import Credential
from moto.ssm.responses import SimpleSystemManagerResponse
from moto.utilities.utils import get_partition

from . import ssm_access_requests, ssm_session_agent, ssm_session_logs, ssm_session_preferences, ssm_session_role, ssm_session_terminal
from .ssm_session_access import Caller, Refusal
from .ssm_session_role import NoCredentials

# API_SessionFilter.
FILTERS = {
    "Target": lambda session: session.target,
    "Owner": lambda session: session.operator,
    "Status": lambda session: session.status,
    "SessionId": lambda session: session.session_id,
    "AccessType": lambda session: session.access_type,
}
# The tag of a principal that says whom it runs as: session-preferences-run-as.html
RUN_AS_TAG = "SSMSessionRunAs"


def start_session(response):
    """Starts a session on a node that is connected; what the agent then refuses is no error of the call."""
    request = emulate.parameters(response)
    operator = _operator(response)
    session = begin(operator, request["Target"], request.get("DocumentName"), request.get("Parameters") or {}, request.get("Reason"))
    session.hidden["token"] = secrets.token_urlsafe(48)
    return {
        "SessionId": session.session_id,
        "TokenValue": session.hidden["token"],
        # Never opened by anything here; loopback, so that nothing leaves the machine.
        "StreamUrl": f"wss://127.0.0.1/v1/data-channel/{session.session_id}?role=publish_subscribe",
    }


def begin(operator, target, document=None, parameters=None, purpose=None, version_by=None, challenge=False):
    """Starts a session for an operator, a Caller; refuses what StartSession refuses."""
    account, region = operator.account, operator.region
    agent = agent_of(account, region, target)
    platform = agent.node.platform_type if agent else "Linux"
    preferences = ssm_session_preferences.of(account, region, document, parameters or {}, platform, version_by)
    if agent is None:
        emulate.refuse("TargetNotConnected", f"{target} is not connected.")
    caller = operator.identity.caller
    arn, name = caller.arn, re.split(r"[:/]", caller.arn)[-1]
    if caller.kind == "root" and not iam_enforce.is_on(account):
        # As GetCallerIdentity has it where IAM is not enforced.
        arn, name = f"arn:{get_partition(region)}:iam::{account}:user/sandbox", "sandbox"
    session = sessions.Session(
        f"{name[:78]}-{secrets.token_hex(9)[:17]}", account, region, target, arn, operator.identity.keys.get("aws:userid", [""])[0],
        preferences.document, preferences.version, purpose,
    )
    if ssm_access_requests.ACCESS_REQUEST_ID in operator.identity.keys:
        session.access_type = "JustInTime"
    ssm_session_agent.begin(session, agent, operator, preferences, operator.identity.tags.get(RUN_AS_TAG), challenge)
    if session.is_active:
        ssm_session_terminal.opened(session)
    sessions.SESSIONS.of(account, region)[session.session_id] = session
    return session


def end(session):
    """Ends a session, if it has not ended: then the agent writes the transcript, with what its role may do by now."""
    if not session.is_active:
        return
    node = nodes.online(session.account, session.region, session.target)
    if node is not None:
        try:
            session.hidden["agent"] = ssm_session_role.agent_of(session.account, session.region, node)
        except NoCredentials:
            # It goes on with the credentials that it has, for some hours.
            pass
        ssm_session_logs.finish(session)
    for destination in (session.s3, session.logs):
        if node is None and destination:
            destination.lost("the node is offline")
    session.ends("Terminated")


def agent_of(account, region, target):
    """Returns the agent of a node that waits for sessions, None where the node is not connected."""
    try:
        return _waiting(account, region, target)
    except (NoCredentials, Refusal):
        return None


def why_not_connected(account, region, target):
    """Returns why a node is not connected, which AWS says only in the agent's log; None for one that is."""
    try:
        return None if _waiting(account, region, target) else "the agent is offline, or its channel is closed"
    except (NoCredentials, Refusal) as error:
        return str(error)


def _waiting(account, region, target):
    node = nodes.online(account, region, target)
    if node is None or not node.connected:
        return None
    agent = ssm_session_role.agent_of(account, region, node)
    ssm_session_role.waits(agent)
    return agent


def _operator(response):
    account, region = response.current_account, response.region
    key = iam_enforce.caller_key() or f"AKIA{account}"
    identity = iam_callers.identify(Credential(key, region, "ssm"), account, response.partition, None)
    # Keys of IAM Identity Center and the like are nobody's here, and their calls are let through.
    # What the client calls during the session is held to the policy of the program that started it.
    return Caller(identity, account, region, iam_enforce.caller_program(), is_checked=iam_enforce.is_on(account))


def operator_of(principal, account, region):
    """Returns the Caller that a principal is: a user, a role, or root, by ARN. What it may not do is refused, enforced or not."""
    identity = iam_callers.of_principal(principal)
    if identity is None:
        raise ValueError(f"no such principal: {principal}")
    return Caller(identity, account, region, {})


def check_start(operator, target, document):
    """Refuses a StartSession that a principal may not make, as IAM does where it is enforced."""
    params = {"Target": target} | ({"DocumentName": document} if document else {})
    try:
        operator.may(iam_needs.Call(operator.account, operator.region, "ssm", "StartSession", params))
    except Refusal as refused:
        emulate.refuse(refused.code, refused.message)


def terminate_session(response):
    """Ends a session; ending it again, or one that never was, is no error."""
    session_id = emulate.parameters(response)["SessionId"]
    session = sessions.SESSIONS.here(response).get(session_id)
    if session:
        end(session)
    return {"SessionId": session_id}


def describe_sessions(response):
    """Answers with active or ended sessions, newest first."""
    request = emulate.parameters(response)
    wants_active = request["State"] == "Active"
    listed = [
        session
        for session in list(sessions.SESSIONS.here(response).values())
        if session.is_active == wants_active and all(_matches(session, f) for f in request.get("Filters") or [])
    ]
    listed.sort(key=lambda session: session.started, reverse=True)
    shown, token = emulate.page(listed, request, 1, 200, 200)
    answer = {"Sessions": [_description(session) for session in shown]}
    if token:
        answer["NextToken"] = token
    return answer


def _description(session):
    found = {
        "SessionId": session.session_id,
        "Target": session.target,
        "Status": session.status,
        "StartDate": session.started,
        "DocumentName": session.document,
        "Owner": session.operator,
        # "Reserved for future use" (API_Session).
        "OutputUrl": {},
        "AccessType": session.access_type,
    }
    for key, value in (("EndDate", session.ended), ("Reason", session.purpose), ("MaxSessionDuration", session.max_minutes)):
        if value:
            found[key] = value
    return found


def _matches(session, item):
    key, value = item["key"], item["value"]
    started = session.started.strftime("%Y-%m-%dT%H:%M:%SZ")
    if key == "InvokedAfter":
        return started >= value
    if key == "InvokedBefore":
        return started <= value
    return FILTERS[key](session) == value


def get_connection_status(response):
    """Returns whether a target is connected by its estate: a heartbeat and an open channel, whatever its role may do by now."""
    target = emulate.parameters(response)["Target"]
    node = nodes.online(response.current_account, response.region, target)
    connected = node is not None and node.connected
    return {"Target": target, "Status": "connected" if connected else "notconnected"}


def install():
    for name, function in (
        ("StartSession", start_session),
        ("TerminateSession", terminate_session),
        ("DescribeSessions", describe_sessions),
        ("GetConnectionStatus", get_connection_status),
    ):
        emulate.operation(SimpleSystemManagerResponse, name)(function)
