"""Tests just-in-time node access under enforced IAM: who may ask, what a token is good for, and who approves."""

import json
import unittest
from itertools import count

import boto3
import sandbox_server
from botocore.config import Config
from botocore.exceptions import ClientError
from session_scene import NODE, R, allow, deny, document

SANDBOX = None
ACCOUNTS = (f"{number:012}" for number in count(735000000000))
OTHER = "i-0123456789abcdef1"
TOKEN_ROLE, TOKEN_POLICY = "SSM-JustInTimeAccessTokenRole", "arn:aws:iam::aws:policy/AWSSystemsManagerJustInTimeAccessTokenPolicy"


def setUpModule():
    global SANDBOX
    SANDBOX = sandbox_server.Served()


def tearDownModule():
    SANDBOX.stop()


def code(call, **parameters):
    """Returns the code with which a call is refused, None of one that is not."""
    try:
        call(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


class JustInTime(unittest.TestCase):
    def setUp(self):
        self.account = next(ACCOUNTS)
        role = {"account": self.account, "trust": "ec2.amazonaws.com", "instance_profile": True}
        node = {"account": self.account, "region": R, "profile": "node", "agent": {"version": "3.3.987.0"}}
        root = f"arn:aws:iam::{self.account}:root"
        asker = json.loads(document(allow(["ssm:StartAccessRequest", "ssm:GetAccessToken"])))
        SANDBOX.control("POST", "/_sandbox/estate", {
            "roles": [
                role | {"name": "node", "managed_policies": ["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"]},
                {"account": self.account, "name": TOKEN_ROLE, "trust": "ssm.amazonaws.com", "managed_policies": [TOKEN_POLICY]},
                {"account": self.account, "name": "asker", "trust": root, "inline": {"p": asker}},
                {"account": self.account, "name": "other", "trust": root, "inline": {"p": json.loads(document(deny("ssm:*")))}},
            ],
            "nodes": [node | {"instance_id": one} for one in (NODE, OTHER)],
            "enforce_iam": [self.account],
        })
        content = json.dumps({"schemaVersion": "1.0", "description": "", "sessionType": "Standard_Stream", "inputs": {}})
        self.ssm(None).create_document(Name="SSM-SessionManagerRunShell", DocumentType="Session", Content=content)

    def ssm(self, credentials):
        keys = credentials or {"AccessKeyId": f"AKIA{self.account}", "SecretAccessKey": "any", "SessionToken": None}
        return boto3.client(
            "ssm", endpoint_url=SANDBOX.url, region_name=R, config=Config(retries={"total_max_attempts": 1}), aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"], aws_session_token=keys["SessionToken"])

    def as_role(self, name):
        sts = SANDBOX.client("sts", self.account, R)
        return self.ssm(sts.assume_role(RoleArn=f"arn:aws:iam::{self.account}:role/{name}", RoleSessionName=name)["Credentials"])

    def ask(self):
        asker = self.as_role("asker")
        return asker, asker.start_access_request(Reason="INC-1", Targets=[{"Key": "InstanceIds", "Values": [NODE]}])["AccessRequestId"]

    def decide(self, request, status):
        SANDBOX.control("POST", "/_sandbox/access-requests", {"account": self.account, "access_request_id": request, "status": status})

    def test_a_token_starts_sessions_on_the_node_that_was_asked_for(self):
        asker, request = self.ask()
        self.assertRegex(request, "^oi-[0-9a-f]{12}$")
        self.assertEqual(code(asker.start_session, Target=NODE), "AccessDeniedException")
        waiting = asker.get_access_token(AccessRequestId=request)
        self.assertEqual((waiting["AccessRequestStatus"], "Credentials" in waiting), ("Pending", False))
        self.decide(request, "Approved")
        granted = asker.get_access_token(AccessRequestId=request)
        token = self.ssm(granted["Credentials"])
        self.assertTrue(token.start_session(Target=NODE)["SessionId"])
        for parameters in ({"Target": OTHER}, {"Target": NODE, "DocumentName": "AWS-StartPortForwardingSession"}):
            self.assertEqual(code(token.start_session, **parameters), "AccessDeniedException", parameters)
        self.assertEqual(code(token.describe_instance_information), "AccessDeniedException")
        (session,) = self.ssm(None).describe_sessions(State="Active", Filters=[{"key": "AccessType", "value": "JustInTime"}])["Sessions"]
        self.assertEqual(session["AccessType"], "JustInTime")
        self.assertIn(f":assumed-role/{TOKEN_ROLE}/", session["Owner"])

    def test_the_access_request_is_a_key_of_the_session(self):
        asker, request = self.ask()
        self.decide(request, "Approved")
        token = self.ssm(asker.get_access_token(AccessRequestId=request)["Credentials"])
        iam = SANDBOX.client("iam", self.account, R)
        for condition, refused in (({"StringLike": {"ssm:AccessRequestId": "oi-*"}}, "AccessDeniedException"), ({"Null": {"ssm:AccessRequestId": "true"}}, None)):
            iam.put_role_policy(RoleName=TOKEN_ROLE, PolicyName="no", PolicyDocument=document(deny("ssm:StartSession", Condition=condition)))
            self.assertEqual(code(token.start_session, Target=NODE), refused, condition)

    def test_what_is_not_approved_or_not_there_gives_no_token(self):
        asker, request = self.ask()
        for status in ("Rejected", "Revoked", "Expired"):
            self.decide(request, status)
            answer = asker.get_access_token(AccessRequestId=request)
            self.assertEqual((answer["AccessRequestStatus"], "Credentials" in answer), (status, False))
        self.assertEqual(code(asker.get_access_token, AccessRequestId="oi-000000000000"), "ResourceNotFoundException")
        other = self.as_role("other")
        self.assertEqual(code(other.get_access_token, AccessRequestId=request), "AccessDeniedException")
        self.assertEqual(code(other.start_access_request, Reason="x", Targets=[{"Key": "InstanceIds", "Values": [NODE]}]), "AccessDeniedException")
        nobody = [{"Key": "InstanceIds", "Values": ["i-0123456789abcdef9"]}]
        self.assertEqual(code(self.ssm(None).start_access_request, Reason="x", Targets=nobody), "ResourceNotFoundException")


if __name__ == "__main__":
    unittest.main()
