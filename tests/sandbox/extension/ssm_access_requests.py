"""Owns just-in-time node access: requests for access to a node, who approves them, and the tokens for those that were approved.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StartAccessRequest.html
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetAccessToken.html
https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-just-in-time-node-access-start-session.html

A token is a session of the role that Quick Setup makes, narrowed by the managed policy that "allows Systems Manager to apply scoped
down permissions to a just-in-time node access session"; that policy names no node, so that the one that was asked for is added.
https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSSystemsManagerJustInTimeAccessTokenPolicy.html
https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSSystemsManagerJustInTimeAccessTokenSessionPolicy.html
"""

import json
import re
import secrets
from dataclasses import dataclass

import control
import emulate
import iam_enforce
from moto.iam.models import iam_backends
from moto.ssm.responses import SimpleSystemManagerResponse
from moto.utilities.utils import get_partition

from . import iam_sessions, ssm_command_targets

ROLE = "SSM-JustInTimeAccessTokenRole"
SESSION_POLICY = "AWSSystemsManagerJustInTimeAccessTokenSessionPolicy"
# API_GetAccessToken, AccessRequestStatus.
STATUSES = ("Approved", "Rejected", "Revoked", "Expired", "Pending")
# The condition key of StartSession: SAR list_awssystemsmanager.html.
ACCESS_REQUEST_ID = "ssm:accessrequestid"

REQUESTS = emulate.Store(dict)


@dataclass
class AccessRequest:
    """One request, from StartAccessRequest on."""

    node_ids: list
    requester: str
    status: str = "Pending"


def start_access_request(response):
    """Asks for access to a node; somebody has to approve it, as no policy approves it by itself here."""
    request = emulate.parameters(response)
    asked = ssm_command_targets.chosen(response.current_account, response.region, {"Targets": request["Targets"]})
    if not asked:
        emulate.refuse("ResourceNotFoundException", "No managed node matches the targets.")
    request_id = f"oi-{secrets.token_hex(6)}"
    requester = re.sub(r"[^\w+=,.@-]", "-", iam_enforce.caller_key() or "requester")
    REQUESTS.here(response)[request_id] = AccessRequest([node.instance_id for node in asked], requester)
    return {"AccessRequestId": request_id}


def get_access_token(response):
    """Answers with credentials once the request is approved, and with its status until then."""
    request_id = emulate.parameters(response)["AccessRequestId"]
    found = REQUESTS.here(response).get(request_id)
    if found is None:
        emulate.refuse("ResourceNotFoundException", f"The access request {request_id} does not exist.")
    answer = {"AccessRequestStatus": found.status}
    if found.status == "Approved":
        session = _token(response.current_account, response.region, request_id, found)
        answer["Credentials"] = {
            "AccessKeyId": session.access_key_id,
            "SecretAccessKey": session.secret_access_key,
            "SessionToken": session.session_token,
            "ExpirationTime": session.expiration.timestamp(),
        }
    return answer


def _token(account, region, request_id, found):
    partition = get_partition(region)
    role = next((role for role in iam_backends[account][partition].roles.values() if role.name == ROLE), None)
    if role is None:
        # Not documented: without the role there is nothing whose credentials these could be.
        emulate.refuse("ValidationException", f"The role {ROLE} does not exist: set up just-in-time node access.")
    session = iam_sessions.begin(account, region, role.arn, found.requester)
    resources = [f"arn:{partition}:ssm:*:*:session/*"]
    for node_id in found.node_ids:
        of_ssm = node_id.startswith("mi-")
        resources.append(f"arn:{partition}:{'ssm' if of_ssm else 'ec2'}:{region}:{account}:{'managed-instance' if of_ssm else 'instance'}/{node_id}")
    actions = ["ssm:StartSession", "ssm:TerminateSession", "ssm:ResumeSession", "ssmmessages:OpenDataChannel"]
    session.policy = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": resources}]})
    session.sandbox |= {"policy_arns": [f"arn:{partition}:iam::aws:policy/{SESSION_POLICY}"], "keys": {ACCESS_REQUEST_ID: [request_id]}}
    return session


@control.route("POST", "/_sandbox/access-requests")
def post_access_request(_query, body):
    """Decides about an access request, as its approvers do."""
    given = json.loads(body)
    if set(given) != {"account", "access_request_id", "status"} or given["status"] not in STATUSES:
        raise ValueError(f"expected account, access_request_id and a status of {', '.join(STATUSES)}")
    for (account, _region), found in REQUESTS.everywhere().items():
        if account == given["account"] and given["access_request_id"] in found:
            found[given["access_request_id"]].status = given["status"]
            return 200, b"{}\n"
    raise ValueError(f"no such access request: {given['access_request_id']}")


def install():
    emulate.operation(SimpleSystemManagerResponse, "StartAccessRequest")(start_access_request)
    emulate.operation(SimpleSystemManagerResponse, "GetAccessToken")(get_access_token)
