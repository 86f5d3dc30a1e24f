"""Tests the calls about sessions: who may make them, which document a session takes, what is reported of it, and the control URLs."""

import json
import time
import unittest
import urllib.error
from itertools import count

import boto3
import sandbox_server
import session_scene
from botocore.config import Config
from botocore.exceptions import ClientError
from session_scene import NODE, R, allow, deny, document

SANDBOX = None
ACCOUNTS = (f"{number:012}" for number in count(730000000000))


def setUpModule():
    global SANDBOX
    SANDBOX = sandbox_server.Served()


def tearDownModule():
    SANDBOX.stop()


def scene(**changed):
    return session_scene.scene(SANDBOX, next(ACCOUNTS), **changed)


def refused(call, **parameters):
    """Returns (code, message) of a refused call, None of one that is not."""
    try:
        call(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    return None


class Calls(unittest.TestCase):
    def ssm(self, made, **more):
        """Returns a client that validates requests, unlike those of other tests, and whose answers botocore parses by its model."""
        keys = {"aws_access_key_id": f"AKIA{made.account}", "aws_secret_access_key": "any"} | more
        return boto3.client("ssm", endpoint_url=SANDBOX.url, region_name=R, config=Config(retries={"total_max_attempts": 1}), **keys)

    def test_start_type_end_describe(self):
        made = scene()
        ssm = self.ssm(made)
        started = ssm.start_session(Target=NODE, Reason="INC-1")
        self.assertRegex(started["StreamUrl"], rf"^wss://127\.0\.0\.1/v1/data-channel/{started['SessionId']}\?role=publish_subscribe$")
        self.assertRegex(started["SessionId"], r"^sandbox-[0-9a-f]{17}$")
        self.assertTrue(started["TokenValue"])
        (active,) = ssm.describe_sessions(State="Active")["Sessions"]
        for key, value in (
            ("SessionId", started["SessionId"]), ("Target", NODE), ("Status", "Connected"), ("DocumentName", "SSM-SessionManagerRunShell"), ("Reason", "INC-1"),
            ("Owner", f"arn:aws:iam::{made.account}:user/sandbox"), ("OutputUrl", {}), ("MaxSessionDuration", "60"), ("AccessType", "Standard"),
        ):
            self.assertEqual(active[key], value)
        self.assertNotIn("EndDate", active)
        (typed,) = SANDBOX.control("POST", "/_sandbox/session-input", {"session_id": started["SessionId"], "input": "echo nonce\nwhoami"})
        self.assertEqual((typed["printed"], typed["status"]), (["nonce", "ssm-user"], "Connected"))
        objects = made.client("s3").list_objects_v2
        self.assertEqual(objects(Bucket=made.bucket)["KeyCount"], 0)
        self.assertEqual(ssm.terminate_session(SessionId=started["SessionId"])["SessionId"], started["SessionId"])
        self.assertEqual([one["Key"] for one in objects(Bucket=made.bucket)["Contents"]], [f"sessions/{started['SessionId']}.log"])
        (ended,) = ssm.describe_sessions(State="History")["Sessions"]
        self.assertEqual((ended["Status"], ssm.describe_sessions(State="Active")["Sessions"]), ("Terminated", []))
        self.assertGreaterEqual(ended["EndDate"], ended["StartDate"])
        # Ending it again, or one that never was, is no error.
        for session_id in (started["SessionId"], "nobody-0"):
            ssm.terminate_session(SessionId=session_id)
        self.assertEqual([call["problems"] for call in SANDBOX.calls(made.account) if call["problems"]], [])

    def test_exit_ends_it(self):
        made = scene()
        session_id = self.ssm(made).start_session(Target=NODE)["SessionId"]
        (ended,) = SANDBOX.control("POST", "/_sandbox/session-input", {"session_id": session_id, "input": "echo nonce\nexit\necho more"})
        self.assertEqual((ended["status"], ended["s3"]["written"]), ("Terminated", True))
        self.assertTrue(ended["transcript"].endswith("nonce\nsh-5.2$ exit"))

    def test_a_session_that_the_agent_refuses_has_started_for_its_caller(self):
        made = scene(s3BucketName="nobody-made-this-one")
        made.permit("node", more=[allow("s3:*")])
        session_id = self.ssm(made).start_session(Target=NODE)["SessionId"]
        (failed,) = self.ssm(made).describe_sessions(State="History")["Sessions"]
        self.assertEqual((failed["SessionId"], failed["Status"]), (session_id, "Failed"))
        records = made.client("cloudtrail").lookup_events(LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "StartSession"}])["Events"]
        record = json.loads(records[0]["CloudTrailEvent"])
        self.assertEqual(record["responseElements"]["sessionId"], session_id)
        self.assertNotIn("errorCode", record)

    def test_filters_and_pages(self):
        made = scene()
        made.node("i-0123456789abcdef1", "node")
        ssm = self.ssm(made)
        first = [ssm.start_session(Target=NODE)["SessionId"] for _ in range(3)]
        time.sleep(1.1)
        last = ssm.start_session(Target="i-0123456789abcdef1")["SessionId"]
        ssm.terminate_session(SessionId=first[0])

        def ids(state="Active", **filters):
            chosen = [{"key": key, "value": value} for key, value in filters.items()]
            return [one["SessionId"] for one in ssm.describe_sessions(State=state, **({"Filters": chosen} if chosen else {}))["Sessions"]]

        # Newest first.
        self.assertEqual(ids(), [last, first[2], first[1]])
        self.assertEqual(ids(Target=NODE), [first[2], first[1]])
        self.assertEqual((ids(SessionId=last), ids(Status="Connected", Target="i-0123456789abcdef1")), ([last], [last]))
        self.assertEqual(ids("History", Owner=f"arn:aws:iam::{made.account}:user/sandbox"), [first[0]])
        self.assertEqual((ids(Owner="arn:aws:iam::1:user/x"), len(ids(AccessType="Standard")), ids(AccessType="JustInTime")), ([], 3, []))
        after = ssm.describe_sessions(State="Active")["Sessions"][0]["StartDate"].strftime("%Y-%m-%dT%H:%M:%SZ")
        self.assertEqual((ids(InvokedAfter=after), ids(InvokedBefore="2020-01-01T00:00:00Z")), ([last], []))
        pages = list(ssm.get_paginator("describe_sessions").paginate(State="Active", PaginationConfig={"PageSize": 2}))
        self.assertEqual([[one["SessionId"] for one in page["Sessions"]] for page in pages], [[last, first[2]], [first[1]]])
        self.assertEqual(refused(ssm.describe_sessions, State="Active", NextToken="page.9")[0], "InvalidNextToken")
        loose = made.client("ssm").describe_sessions
        for request in ({"State": "Ended"}, {"State": "Active", "Filters": [{"key": "Node", "value": "x"}]}, {"State": "Active", "MaxResults": 201}, {}):
            self.assertEqual(refused(loose, **request)[0], "ValidationException")


class Operators(unittest.TestCase):
    def setUp(self):
        self.made = scene()
        self.account = self.made.account
        SANDBOX.control("POST", "/_sandbox/iam", {"account": self.account, "enforce": True})
        self.shell = f"arn:aws:ssm:{R}:{self.account}:document/SSM-SessionManagerRunShell"
        self.instances = f"arn:aws:ec2:{R}:{self.account}:instance/*"

    def operator(self, name, *statements, tags=()):
        """Returns (client, ARN) of a session of a role with the statements."""
        iam = self.made.client("iam")
        trusted = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{self.account}:root"}, "Action": ["sts:AssumeRole", "sts:TagSession"]}
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trusted))["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document(*statements))
        assumed = self.made.client("sts").assume_role(RoleArn=arn, RoleSessionName="alice", Tags=[{"Key": key, "Value": value} for key, value in tags])
        return SANDBOX.client("ssm", self.account, R, access_key=assumed["Credentials"]["AccessKeyId"]), assumed["AssumedRoleUser"]["Arn"]

    def session(self, session_id):
        return SANDBOX.control("GET", f"/_sandbox/sessions?account={self.account}&session_id={session_id}")[0]

    def test_start_needs_document_and_instance_and_the_key_generate_data_key(self):
        start = allow("ssm:StartSession", [self.shell, self.instances])
        nobody, _ = self.operator("nobody", allow("ssm:StartSession", self.instances))
        code, message = refused(nobody.start_session, Target=NODE)
        self.assertEqual(code, "AccessDeniedException")
        self.assertIn(f"ssm:StartSession on resource: {self.shell}", message)
        keyless, _ = self.operator("keyless", start)
        session = self.session(keyless.start_session(Target=NODE)["SessionId"])
        self.assertEqual((session["status"], session["denied_by"]["action"], session["denied_by"]["by"]), ("Failed", "kms:GenerateDataKey", "identity-based policy"))
        whole, arn = self.operator("whole", start, allow("kms:GenerateDataKey", self.made.session_key))
        session_id = whole.start_session(Target=NODE)["SessionId"]
        self.assertRegex(session_id, r"^alice-[0-9a-f]{17}$")
        session = self.session(session_id)
        self.assertEqual((session["status"], session["operator"], session["kms_key"]), ("Connected", arn, self.made.session_key))

    def test_only_own_sessions_are_ended_by_their_tag(self):
        own = allow("ssm:TerminateSession", "*", Condition={"StringLike": {"ssm:resourceTag/aws:ssmmessages:session-id": ["${aws:userid}"]}})
        everything = allow(["ssm:StartSession", "kms:GenerateDataKey"])
        first, _ = self.operator("first", everything, own)
        second, _ = self.operator("second", everything, own)
        session_id = first.start_session(Target=NODE)["SessionId"]
        self.assertEqual(refused(second.terminate_session, SessionId=session_id)[0], "AccessDeniedException")
        self.assertEqual(self.session(session_id)["status"], "Connected")
        self.assertIsNone(refused(first.terminate_session, SessionId=session_id))
        self.assertEqual(self.session(session_id)["status"], "Terminated")

    def test_the_tag_of_the_operator_says_whom_the_session_runs_as(self):
        self.made.prefer(runAsEnabled=True, runAsDefaultUser="ec2-user")
        self.made.node("i-0123456789abcdef2", "node", users=["ec2-user", "alice"])
        everything = allow(["ssm:StartSession", "kms:GenerateDataKey"])
        tagged, _ = self.operator("tagged", everything, tags=[("SSMSessionRunAs", "alice")])
        plain, _ = self.operator("plain", everything)
        target = "i-0123456789abcdef2"
        self.assertEqual(self.session(tagged.start_session(Target=target)["SessionId"])["run_as"], "alice")
        self.assertEqual(self.session(plain.start_session(Target=target)["SessionId"])["run_as"], "ec2-user")
        # There is no falling back to the default where the tag's user is missing.
        failed = self.session(tagged.start_session(Target=NODE)["SessionId"])
        self.assertEqual((failed["status"], failed["reason"]), ("Failed", "Unable to start command: failed to start pty since RunAs user alice does not exist\n"))


class Documents(unittest.TestCase):
    def test_the_version_that_preferences_are_taken_by(self):
        made = scene()
        made.prefer(default=False, s3BucketName="", cloudWatchLogGroupName="")
        for by, version, logged in (("default", 1, True), ("latest", 2, False)):
            session = made.session(NODE, preferences_by=by)
            self.assertEqual((session["document_version"], session["s3"] is not None, session["logs"] is not None), (version, logged, logged))
            SANDBOX.control("POST", "/_sandbox/session-preferences", {"account": made.account, "by": by})
            session_id = made.client("ssm").start_session(Target=NODE)["SessionId"]
            (session,) = SANDBOX.control("GET", f"/_sandbox/sessions?session_id={session_id}")
            self.assertEqual(session["document_version"], version)
        # Two accounts do not share the switch.
        self.assertEqual(scene().session(NODE)["document_version"], 1)

    def test_documents_of_its_own_and_of_amazon(self):
        made = scene()
        made.prefer("Own", s3KeyPrefix="own/", kmsKeyId="")
        made.permit("node", more=[allow("s3:PutObject", f"arn:aws:s3:::{made.bucket}/own/*")])
        session = made.session(NODE, document="Own")
        self.assertEqual((session["document"], session["s3"]["key"], session["kms_key"]), ("Own", f"own/{session['session_id']}.log", None))
        self.assertTrue(session["s3"]["written"])
        made.permit("node", ["decrypt"])
        for name, parameters, kind in (
            ("AWS-StartSSHSession", {"portNumber": ["22"]}, "Port"),
            ("AWS-StartPortForwardingSession", {}, "Port"),
            ("AWS-StartPortForwardingSessionToRemoteHost", {"host": ["db"]}, "Port"),
            ("AWS-StartInteractiveCommand", {"command": ["ls"]}, "InteractiveCommands"),
            ("AWS-StartNonInteractiveCommand", {"command": ["ls"]}, "NonInteractiveCommands"),
        ):
            with self.subTest(name):
                session = made.session(NODE, document=name, parameters=parameters)
                self.assertEqual((session["status"], session["session_type"], session["s3"], session["logs"], session["kms_key"]), ("Terminated", kind, None, None, None))
        made.prefer("Forward", session_type="Port")
        session = made.session(NODE, document="Forward")
        self.assertEqual((session["status"], session["s3"], session["logs"], session["kms_key"]), ("Terminated", None, None, None))
        self.assertIn("Parameter command is required", made.session(NODE, document="AWS-StartInteractiveCommand")["reason"])
        self.assertIn("InvalidDocument", made.session(NODE, document="Nobody-Made-This")["reason"])

    def test_non_interactive_sessions_are_never_streamed_nor_uploaded_in_place_of_it(self):
        made = scene()
        made.prefer("Once", session_type="NonInteractiveCommands")
        session = made.session(NODE, document="Once")
        self.assertEqual((session["s3"]["written"], session["logs"]["written"], session["logs"]["denied_by"]["by"]), (True, False, "session type"))
        made.prefer("Once", session_type="NonInteractiveCommands", cloudWatchStreamingEnabled=False)
        self.assertTrue(made.session(NODE, document="Once")["logs"]["written"])

    def test_parameters_and_parameter_store_fill_the_inputs(self):
        made = scene()
        made.client("ssm").put_parameter(Name="prefix", Value="from-store", Type="String")
        inputs = made.inputs | {"s3KeyPrefix": "{{ssm:prefix}}/{{team}}", "cloudWatchStreamingEnabled": "{{stream}}", "s3EncryptionEnabled": "{{check}}"}
        content = {"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": inputs, "parameters": {
            "team": {"type": "String", "default": "red"}, "check": {"type": "String", "default": "true"}, "stream": {"type": "Boolean", "default": True}}}
        made.client("ssm").create_document(Name="Filled", Content=json.dumps(content), DocumentType="Session", DocumentFormat="JSON")
        session = made.session(NODE, document="Filled", parameters={"team": ["blue"]})
        self.assertEqual(session["s3"]["key"], f"from-store/blue/{session['session_id']}.log")
        content["parameters"]["stream"] = {"type": "String", "default": "true"}
        made.client("ssm").update_document(Name="Filled", Content=json.dumps(content), DocumentVersion="$LATEST", DocumentFormat="JSON")
        session = made.session(NODE, document="Filled", preferences_by="latest")
        self.assertEqual(session["status"], "Failed")
        self.assertIn("of type bool", session["reason"])

    def test_run_as(self):
        made = scene()
        for changed, run_as, reason in (
            ({}, "ssm-user", None),
            ({"runAsEnabled": True, "runAsDefaultUser": "ec2-user"}, "ec2-user", None),
            ({"runAsEnabled": True, "runAsDefaultUser": ""}, None, "Unable to start command: please set the RunAs default user\n"),
            ({"runAsEnabled": True, "runAsDefaultUser": "bob"}, None, "Unable to start command: failed to start pty since RunAs user bob does not exist\n"),
            ({"runAsEnabled": True, "runAsDefaultUser": "root"}, None, "Unable to start command: invalid uid and gid\n"),
        ):
            with self.subTest(changed):
                made.prefer(**changed, shellProfile={"linux": str(changed)})
                session = made.session(NODE)
                self.assertEqual((session["run_as"], session["reason"]), (run_as, reason))
                self.assertEqual(session["status"], "Failed" if reason else "Terminated")
        # Windows knows no run-as.
        made.node("i-0123456789abcdef1", "node", "Windows")
        self.assertEqual(made.session("i-0123456789abcdef1")["run_as"], "ssm-user")

    def test_streaming_from_windows_needs_powershell_5_1(self):
        made = scene()
        for number, version, streams in ((1, "5.1", True), (2, "5.0", False), (3, "7.4", True)):
            made.node(f"i-0123456789abcdef{number}", "node", "Windows", powershell=version)
            session = made.session(f"i-0123456789abcdef{number}")
            self.assertEqual((session["status"], session["s3"]["written"], session["logs"]["written"]), ("Terminated", True, streams))
        made.prefer(cloudWatchStreamingEnabled=False)
        self.assertTrue(made.session("i-0123456789abcdef2")["logs"]["written"])


class Control(unittest.TestCase):
    def test_a_principal_is_held_to_its_policies_though_iam_is_not_enforced(self):
        made = scene()
        iam = made.client("iam")
        user = iam.create_user(UserName="bob")["User"]["Arn"]
        session = made.session(NODE, principal=user)
        self.assertEqual(session["status"], "Refused")
        self.assertIn(f"AccessDeniedException: User: {user} is not authorized to perform: ssm:StartSession on resource: ", session["reason"])
        iam.put_user_policy(UserName="bob", PolicyName="p", PolicyDocument=document(allow(["ssm:StartSession", "kms:GenerateDataKey"])))
        session = made.session(NODE, principal=user)
        self.assertEqual((session["status"], session["operator"], session["session_id"][:4]), ("Terminated", user, "bob-"))
        iam.put_user_policy(UserName="bob", PolicyName="p", PolicyDocument=document(allow("*"), deny("kms:GenerateDataKey")))
        self.assertEqual(made.session(NODE, principal=user)["denied_by"]["explicit"], True)

    def test_what_a_role_may_not_do_any_more_at_the_end_is_not_done(self):
        made = scene()
        session = made.session(NODE, end=False)
        self.assertEqual(session["status"], "Connected")
        made.permit("node", ["put"])
        (ended,) = SANDBOX.control("POST", "/_sandbox/session-input", {"session_id": session["session_id"], "end": True})
        self.assertEqual((ended["status"], ended["s3"]["denied_by"]["action"], ended["logs"]["written"]), ("Terminated", "s3:PutObject", True))
        session = made.session(NODE, end=False)
        made.client("ec2").terminate_instances(InstanceIds=[NODE])
        (ended,) = SANDBOX.control("POST", "/_sandbox/session-input", {"session_id": session["session_id"], "end": True})
        self.assertEqual((ended["s3"]["error"], ended["logs"]["error"]), ("the node is offline",) * 2)

    def test_the_list_and_its_filters(self):
        made = scene()
        made.node("i-0123456789abcdef1", "node")
        first, second = made.session(NODE, reason="INC-1"), made.session("i-0123456789abcdef1", end=False)
        listed = SANDBOX.control("GET", f"/_sandbox/sessions?account={made.account}")
        self.assertEqual(listed, [first, second])
        self.assertEqual((first["purpose"], first["idle_minutes"], first["max_minutes"]), ("INC-1", "20", "60"))
        self.assertEqual(SANDBOX.control("GET", f"/_sandbox/sessions?account={made.account}&target={NODE}"), [first])
        self.assertEqual(SANDBOX.control("GET", f"/_sandbox/sessions?account={made.account}&region=eu-west-1"), [])

    def test_bad_requests_are_refused(self):
        made = scene()
        start = {"account": made.account, "target": NODE}
        for path, body in (
            ("sessions", {"account": made.account}), ("sessions", start | {"node": NODE}), ("sessions", start | {"preferences_by": "newest"}),
            ("sessions", start | {"principal": f"arn:aws:iam::{made.account}:user/nobody"}), ("session-input", {"session_id": "x"}),
            ("session-preferences", {"account": made.account, "by": "newest"}),
        ):
            with self.subTest(body), self.assertRaises(urllib.error.HTTPError) as raised:
                SANDBOX.control("POST", f"/_sandbox/{path}", body)
            self.assertEqual(raised.exception.code, 400)


if __name__ == "__main__":
    unittest.main()
