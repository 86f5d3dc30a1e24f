"""Tests that calls which name a program are held to its policy, in every account, and that the log says what was needed."""

import json
import unittest
import urllib.error
from itertools import count

import sandbox_server
import session_scene
from botocore.config import Config
from botocore.exceptions import ClientError

SANDBOX = None
ACCOUNTS = (f"{number:012}" for number in count(720000000000))
RUNS = count(1)
R = "us-east-1"


def setUpModule():
    global SANDBOX
    SANDBOX = sandbox_server.Served()


def tearDownModule():
    SANDBOX.stop()


def allow(sid, action, resource="*", **more):
    return {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": resource} | more


class Programs(unittest.TestCase):
    def setUp(self):
        self.account = next(ACCOUNTS)
        self.run_number = next(RUNS)

    def hold(self, *statements):
        """Gives the policy of the program of this test."""
        SANDBOX.control("POST", "/_sandbox/programs", {"name": self.name, "policy": {"Version": "2012-10-17", "Statement": list(statements)}})

    @property
    def name(self):
        return self._testMethodName

    def client(self, service, name=None, **keys):
        application = f"{name or self.name}.{self.run_number}"
        config = Config(user_agent_appid=application, retries={"total_max_attempts": 1}, parameter_validation=False)
        return sandbox_server.SESSION.client(
            service, endpoint_url=SANDBOX.url, region_name=R, aws_access_key_id=keys.pop("access_key", f"AKIA{self.account}"),
            aws_secret_access_key="any", config=config, **keys,
        )

    def log(self):
        lines = SANDBOX.control("GET", f"/_sandbox/programs?name={self.name}&run={self.run_number}")
        return [(line["needed"]["sid"], line["needed"]["action"]) for line in lines if "needed" in line], [line["refused"] for line in lines if "refused" in line]

    def assert_refused(self, call, action, code="AccessDenied"):
        with self.assertRaises(ClientError) as caught:
            call()
        self.assertEqual(caught.exception.response["Error"]["Code"], code)
        self.assertIn(action, str(caught.exception))

    def test_what_the_policy_does_not_allow_is_refused_whoever_calls(self):
        self.hold(allow("Roles", ["iam:ListRoles"]))
        iam = self.client("iam")
        iam.list_roles()
        self.assert_refused(iam.list_users, "iam:ListUsers")
        self.assert_refused(self.client("ssm").list_documents, "ssm:ListDocuments", "AccessDeniedException")
        self.assert_refused(self.client("ec2").describe_vpcs, "ec2:DescribeVpcs", "UnauthorizedOperation")
        needed, refused = self.log()
        self.assertEqual(needed, [("Roles", "iam:ListRoles")])
        self.assertEqual([one["action"] for one in refused], ["iam:ListUsers", "ssm:ListDocuments", "ec2:DescribeVpcs"])
        self.assertEqual(self.log(), ([], []), "each is listed once")
        SANDBOX.client("iam", self.account).list_users()  # names no program

    def test_resources_and_conditions_count(self):
        self.hold(
            allow("Named", "ssm:PutParameter", f"arn:aws:ssm:{R}:*:parameter/a*"),
            allow("Pass", ["iam:PassRole"], "arn:aws:iam::*:role/*", Condition={"StringEquals": {"iam:PassedToService": "ssm.amazonaws.com"}}),
            allow("Set", ["ssm:UpdateServiceSetting"], "*"),
            allow("Profile", ["iam:AddRoleToInstanceProfile"]),
        )
        ssm = self.client("ssm")
        ssm.put_parameter(Name="a1", Value="x", Type="String")
        self.assert_refused(lambda: ssm.put_parameter(Name="b1", Value="x", Type="String"), "ssm:PutParameter", "AccessDeniedException")
        iam = SANDBOX.client("iam", self.account)
        iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ssm.amazonaws.com"}, "Action": "sts:AssumeRole"}]}))
        iam.create_instance_profile(InstanceProfileName="p")
        setting = "/ssm/managed-instance/default-ec2-instance-management-role"
        ssm.update_service_setting(SettingId=setting, SettingValue="r")
        self.assert_refused(lambda: self.client("iam").add_role_to_instance_profile(InstanceProfileName="p", RoleName="r"), "iam:PassRole")
        self.assertEqual(self.log()[0], [
            ("Named", "ssm:PutParameter"), ("Pass", "iam:PassRole"), ("Profile", "iam:AddRoleToInstanceProfile"), ("Set", "ssm:UpdateServiceSetting"),
        ])

    def test_an_action_that_two_statements_allow_is_not_needed(self):
        self.hold(allow("One", ["iam:ListRoles"]), allow("Two", ["iam:ListRoles", "iam:ListUsers"]))
        self.client("iam").list_roles()
        self.client("iam").list_users()
        self.assertEqual(self.log()[0], [("Two", "iam:ListUsers")])

    def test_a_role_that_is_assumed_is_held_too(self):
        other = next(ACCOUNTS)
        trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": self.account}, "Action": "sts:AssumeRole"}]}
        SANDBOX.client("iam", other).create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(trust))
        role = f"arn:aws:iam::{other}:role/r"
        self.hold(allow("Enter", ["sts:AssumeRole"], "arn:aws:iam::*:role/r"))
        keys = self.client("sts").assume_role(RoleArn=role, RoleSessionName="s")["Credentials"]
        iam = self.client("iam", access_key=keys["AccessKeyId"], aws_session_token=keys["SessionToken"])
        self.assert_refused(iam.list_roles, "iam:ListRoles")
        self.assertEqual(self.log()[1][0]["account"], other)

    def test_what_the_client_of_a_session_calls_is_held_too(self):
        made = session_scene.scene(SANDBOX, self.account)
        start, encrypt = allow("Start", ["ssm:StartSession"]), allow("Encrypt", ["kms:GenerateDataKey"], f"arn:aws:kms:{R}:*:key/*")
        channel = allow("Channel", ["ssmmessages:OpenDataChannel"], f"arn:aws:ssm:{R}:*:session/*")

        def session(*statements):
            self.hold(*statements)
            started = self.client("ssm").start_session(Target=session_scene.NODE)
            connect = {"session_id": started["SessionId"], "token": started["TokenValue"]}
            try:
                found = SANDBOX.control("POST", "/_sandbox/session-input", connect)[0]
            except urllib.error.HTTPError as error:
                with error:
                    found = {"status": "Refused", "reason": error.read().decode()}
            return found["status"], found["reason"], self.log()

        needed = [("Channel", "ssmmessages:OpenDataChannel"), ("Encrypt", "kms:GenerateDataKey"), ("Start", "ssm:StartSession")]
        self.assertEqual(session(start, channel, encrypt), ("Connected", None, (needed, [])))
        status, reason, (_, refused) = session(start, encrypt)
        self.assertEqual((status, [one["action"] for one in refused]), ("Refused", ["ssmmessages:OpenDataChannel"]))
        self.assertIn("AccessDeniedException: the policy of program", reason)
        status, reason, (_, refused) = session(start, channel)
        self.assertEqual((status, [(one["action"], one["resource"]) for one in refused]), ("Failed", [("kms:GenerateDataKey", made.session_key)]))
        self.assertIn("Error calling KMS GenerateDataKey API: AccessDeniedException: the policy of program", reason)
        # What the agent calls is its own.
        session_id = SANDBOX.client("ssm", self.account).start_session(Target=session_scene.NODE)["SessionId"]
        found = SANDBOX.control("GET", f"/_sandbox/sessions?account={self.account}&session_id={session_id}")[0]
        self.assertEqual(found["status"], "Connected")

    def test_a_program_without_policy_is_not_let_through(self):
        with self.assertRaises(ClientError) as caught:
            self.client("iam", "unheard-of").list_roles()
        self.assertEqual(caught.exception.response["Error"]["Code"], "NotEmulated")

    def test_a_policy_that_says_what_was_needed_has_no_patterns(self):
        for statement in (allow("A", "iam:List*"), allow("A", "iam:ListRoles") | {"Effect": "Deny"}, {"Effect": "Allow", "NotAction": "iam:ListRoles", "Resource": "*"}):
            with self.assertRaises(urllib.error.HTTPError) as caught:
                self.hold(statement)
            caught.exception.close()
            self.assertEqual(caught.exception.code, 400)


if __name__ == "__main__":
    unittest.main()
