"""Tests an AWS that takes its time: what is refused or not shown after a write, and that it passes by itself."""

import io
import itertools
import json
import subprocess
import sys
import time
import unittest
import urllib.error
import zipfile

import sandbox_server
from botocore.exceptions import ClientError

SANDBOX = None
# More seconds of AWS than anything takes.
LONG = 100
_accounts = itertools.count(500_000_003_001)


def setUpModule():
    global SANDBOX
    SANDBOX = sandbox_server.Served()


def tearDownModule():
    SANDBOX.stop()


def trust(service):
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}]})


def document(*statements, **statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [*statements, *([statement] if statement else [])]})


def package():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("bootstrap", "#!/bin/sh\n")
    return packed.getvalue()


class Unkind(unittest.TestCase):
    def setUp(self):
        self.account = str(next(_accounts))
        self.clients = {}

    def unkind(self, seed=1):
        # The clock moves when a test says so, however slow the machine is.
        SANDBOX.control("POST", "/_sandbox/time", {"account": self.account, "stopped": True})
        SANDBOX.control("POST", "/_sandbox/unkind", {"account": self.account, "seed": seed})

    def advance(self, seconds):
        """Puts the clock forward: nothing here waits for AWS's time."""
        SANDBOX.control("POST", "/_sandbox/time", {"account": self.account, "advance": seconds})

    def call(self, service, operation, **parameters):
        """Returns the answer of an operation, or the code of its error."""
        if service not in self.clients:
            self.clients[service] = SANDBOX.client(service, self.account)
        try:
            return getattr(self.clients[service], operation)(**parameters)
        except ClientError as error:
            return error.response["Error"]["Code"]

    def done(self, *call, **parameters):
        answer = self.call(*call, **parameters)
        self.assertIsInstance(answer, dict, f"{call}: {answer}")
        return answer

    def refused(self, codes, *call, **parameters):
        """Sees one of the errors."""
        answer = self.call(*call, **parameters)
        self.assertIn(answer if isinstance(answer, str) else "done", {codes} if isinstance(codes, str) else codes, call)

    def passes(self, codes, *call, **parameters):
        """Sees one of the errors, and none after a while; returns the answer."""
        self.refused(codes, *call, **parameters)
        self.advance(LONG)
        return self.done(*call, **parameters)

    def states(self, read, last):
        """Returns the different values that a read gives second after second until the last."""
        seen = []
        for _ in range(LONG):
            value = read()
            if not seen or seen[-1] != value:
                seen.append(value)
            if value == last:
                return seen
            self.advance(1)
        return self.fail(f"never {last}: {seen}")

    def role(self, name="new", service="lambda"):
        return self.done("iam", "create_role", RoleName=name, AssumeRolePolicyDocument=trust(service))["Role"]["Arn"]

    def test_an_account_that_does_not_ask_is_treated_kindly(self):
        arn = self.role()
        self.done("iam", "get_role", RoleName="new")
        self.done("lambda", "create_function", FunctionName="f", Role=arn, Runtime="provided.al2023", Handler="h", Code={"ZipFile": package()})
        self.assertEqual(self.done("lambda", "get_function", FunctionName="f")["Configuration"]["State"], "Active")

    def test_a_new_role_is_not_there_for_iam_nor_for_others(self):
        self.unkind()
        arn = self.role()
        function = {"FunctionName": "f", "Role": arn, "Runtime": "provided.al2023", "Handler": "h", "Code": {"ZipFile": package()}}
        setting = {"SettingId": "/ssm/managed-instance/default-ec2-instance-management-role", "SettingValue": "new"}
        key = {"Policy": document(
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{self.account}:root"}, "Action": "kms:*", "Resource": "*"},
            {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "kms:Decrypt", "Resource": "*"})}
        inline = {"RoleName": "new", "PolicyName": "p", "PolicyDocument": document(Effect="Allow", Action="s3:*", Resource="*")}
        self.done("events", "put_rule", Name="r", EventPattern='{"source": ["aws.ssm"]}')
        targets = {"Rule": "r", "Targets": [{"Id": "q", "Arn": f"arn:aws:sqs:us-east-1:{self.account}:q", "RoleArn": arn}]}
        early = {
            ("events", "put_targets"): (targets, "ValidationException"),
            ("lambda", "create_function"): (function, "InvalidParameterValueException"),
            ("ssm", "update_service_setting"): (setting, "ValidationException"),
            ("kms", "create_key"): (key, "MalformedPolicyDocumentException"),
            ("iam", "put_role_policy"): (inline, "NoSuchEntity"),
            ("iam", "get_role"): ({"RoleName": "new"}, "NoSuchEntity"),
            ("sts", "assume_role"): ({"RoleArn": arn, "RoleSessionName": "me"}, "AccessDenied"),
        }
        self.assertEqual({call: self.call(*call, **given) for call, (given, _) in early.items()}, {call: code for call, (_, code) in early.items()})
        # To create it again is refused: it is there.
        self.assertEqual(self.call("iam", "create_role", RoleName="new", AssumeRolePolicyDocument=trust("lambda")), "EntityAlreadyExists")
        self.advance(LONG)
        for call, (given, _) in early.items():
            with self.subTest(call):
                self.done(*call, **given)

    def test_a_new_profile_is_not_there_for_ec2(self):
        SANDBOX.control("POST", "/_sandbox/estate", {"nodes": [
            {"account": self.account, "region": "us-east-1", "instance_id": "i-0123456789abcdef0", "agent": None}]})
        self.role("node", "ec2")
        self.unkind()
        self.done("iam", "create_instance_profile", InstanceProfileName="node")
        self.passes("NoSuchEntity", "iam", "add_role_to_instance_profile", InstanceProfileName="node", RoleName="node")
        self.passes("InvalidParameterValue", "ec2", "associate_iam_instance_profile",
                    IamInstanceProfile={"Name": "node"}, InstanceId="i-0123456789abcdef0")

    def test_a_new_managed_policy_cannot_be_attached(self):
        self.role("old")
        self.unkind()
        policy = self.done("iam", "create_policy", PolicyName="p", PolicyDocument=document(Effect="Allow", Action="s3:*", Resource="*"))
        self.passes("NoSuchEntity", "iam", "attach_role_policy", RoleName="old", PolicyArn=policy["Policy"]["Arn"])

    def test_a_key_policy_names_principals_that_are_there(self):
        self.unkind()
        for principal, expected in ((f"arn:aws:iam::{self.account}:role/nobody", "MalformedPolicyDocumentException"),
                                    (f"arn:aws:iam::{self.account}:root", "done"), (self.account, "done")):
            policy = document(
                {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{self.account}:root"}, "Action": "kms:*", "Resource": "*"},
                {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "kms:Decrypt", "Resource": "*"})
            answer = self.call("kms", "create_key", Policy=policy)
            self.assertEqual(answer if isinstance(answer, str) else "done", expected)

    def test_a_new_key_and_alias_are_not_found(self):
        self.unkind()
        key = self.done("kms", "create_key")["KeyMetadata"]["KeyId"]
        self.passes("NotFoundException", "kms", "describe_key", KeyId=key)
        key = self.done("kms", "create_key")["KeyMetadata"]["KeyId"]
        self.assertEqual(self.call("kms", "enable_key_rotation", KeyId=key), "NotFoundException")
        self.passes("NotFoundException", "kms", "create_alias", AliasName="alias/new", TargetKeyId=key)
        self.assertEqual(self.call("kms", "encrypt", KeyId="alias/new", Plaintext=b"x"), "NotFoundException")
        self.passes("NotFoundException", "kms", "delete_alias", AliasName="alias/new")

    def test_a_key_policy_is_put_where_the_answer_is_empty(self):
        root = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{self.account}:root"}, "Action": "kms:*", "Resource": "*"}
        key = self.done("kms", "create_key")["KeyMetadata"]["KeyId"]
        self.unkind()
        self.done("kms", "put_key_policy", KeyId=key, PolicyName="default", Policy=document(root))

    def test_a_log_group_does_not_get_a_new_key(self):
        self.unkind()
        logs = {"Effect": "Allow", "Principal": {"Service": "logs.us-east-1.amazonaws.com"}, "Action": "kms:*", "Resource": "*"}
        root = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{self.account}:root"}, "Action": "kms:*", "Resource": "*"}
        arn = self.done("kms", "create_key", Policy=document(root, logs))["KeyMetadata"]["Arn"]
        self.passes("AccessDeniedException", "logs", "create_log_group", logGroupName="/ssm/new", kmsKeyId=arn)

    def test_a_new_bucket_takes_no_settings(self):
        self.unkind()
        bucket = f"new-{self.account}"
        self.done("s3", "create_bucket", Bucket=bucket)
        settings = (
            ("put_bucket_versioning", {"VersioningConfiguration": {"Status": "Enabled"}}),
            ("put_bucket_policy", {"Policy": document(Effect="Allow", Principal={"AWS": self.account}, Action="s3:GetObject", Resource=f"arn:aws:s3:::{bucket}/*")}),
            ("put_bucket_encryption", {"ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}}),
        )
        self.assertEqual(self.call("s3", "get_bucket_versioning", Bucket=bucket), "NoSuchBucket")
        for operation, given in settings:
            self.refused({"OperationAborted", "NoSuchBucket"}, "s3", operation, Bucket=bucket, **given)
        self.advance(LONG)
        for operation, given in settings:
            self.done("s3", operation, Bucket=bucket, **given)

    def test_a_trail_does_not_get_a_new_bucket_policy_nor_is_a_new_trail_found(self):
        bucket = f"trail-{self.account}"
        self.done("s3", "create_bucket", Bucket=bucket)
        self.unkind()
        service = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}}
        self.done("s3", "put_bucket_policy", Bucket=bucket, Policy=document(
            service | {"Action": "s3:GetBucketAcl", "Resource": f"arn:aws:s3:::{bucket}"},
            service | {"Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/*"}))
        self.passes("InsufficientS3BucketPolicyException", "cloudtrail", "create_trail", Name="trail", S3BucketName=bucket)
        self.assertEqual(self.call("cloudtrail", "get_trail_status", Name="trail"), "TrailNotFoundException")
        self.passes("TrailNotFoundException", "cloudtrail", "start_logging", Name="trail")

    def test_a_queue_takes_up_to_60_seconds_to_go_and_its_name_60_to_be_free(self):
        url = self.done("sqs", "create_queue", QueueName="q")["QueueUrl"]
        self.unkind()
        self.done("sqs", "delete_queue", QueueUrl=url)
        self.assertEqual(self.done("sqs", "get_queue_url", QueueName="q")["QueueUrl"], url)
        gone, recently = "AWS.SimpleQueueService.NonExistentQueue", "AWS.SimpleQueueService.QueueDeletedRecently"
        self.refused(recently, "sqs", "create_queue", QueueName="q")
        self.advance(50)
        self.refused(recently, "sqs", "create_queue", QueueName="q")
        self.advance(10)
        self.refused(gone, "sqs", "get_queue_url", QueueName="q")
        self.done("sqs", "create_queue", QueueName="q")
        self.refused(gone, "sqs", "get_queue_url", QueueName="q")
        self.advance(1)
        self.done("sqs", "get_queue_url", QueueName="q")

    def organization(self):
        self.done("organizations", "create_organization", FeatureSet="ALL")
        return self.done("organizations", "list_roots")["Roots"][0]["Id"]

    def test_a_policy_type_is_enabled_in_the_background(self):
        root = self.organization()
        policy = self.done("organizations", "create_policy", Name="p", Description="", Type="SERVICE_CONTROL_POLICY",
                           Content=document(Effect="Deny", Action="ssm:StartSession", Resource="*"))["Policy"]["PolicySummary"]["Id"]
        self.unkind()
        answer = self.done("organizations", "enable_policy_type", RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
        self.assertEqual(answer["Root"]["PolicyTypes"], [{"Type": "SERVICE_CONTROL_POLICY", "Status": "PENDING_ENABLE"}])
        attach = ("organizations", "attach_policy")
        self.assertEqual(self.call(*attach, PolicyId=policy, TargetId=root), "PolicyTypeNotEnabledException")
        read = lambda: ([one["Status"] for one in self.done("organizations", "list_roots")["Roots"][0]["PolicyTypes"]] or ["none"])[0]
        # Seed 1: the lists are stale for less time than the type is pending.
        self.assertEqual(self.states(read, "ENABLED"), ["none", "PENDING_ENABLE", "ENABLED"])
        self.done(*attach, PolicyId=policy, TargetId=root)

    def test_organizations_lists_are_stale(self):
        root = self.organization()
        self.done("organizations", "enable_policy_type", RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
        self.unkind()
        self.done("organizations", "create_policy", Name="p", Description="", Type="SERVICE_CONTROL_POLICY",
                  Content=document(Effect="Deny", Action="ssm:StartSession", Resource="*"))
        names = lambda: {p["Name"] for p in self.done("organizations", "list_policies", Filter="SERVICE_CONTROL_POLICY")["Policies"]}
        self.assertEqual(self.states(names, {"FullAWSAccess", "p"}), [{"FullAWSAccess"}, {"FullAWSAccess", "p"}])

    def test_a_function_is_pending_then_active_and_an_update_is_in_progress(self):
        arn = self.role()
        self.unkind()
        function = {"FunctionName": "f", "Role": arn, "Runtime": "provided.al2023", "Handler": "h", "Code": {"ZipFile": package()}}
        made = self.done("lambda", "create_function", **function)
        self.assertEqual((made["State"], made["LastUpdateStatus"]), ("Pending", "InProgress"))
        update = ("lambda", "update_function_configuration")
        self.assertEqual(self.call("lambda", "invoke", FunctionName="f"), "ResourceConflictException")
        self.assertEqual(self.call("lambda", "add_permission", FunctionName="f", StatementId="s", Action="lambda:InvokeFunction",
                                   Principal="events.amazonaws.com"), "ResourceConflictException")
        answer = self.passes("ResourceConflictException", *update, FunctionName="f", Timeout=5)
        self.assertEqual((answer["State"], answer["LastUpdateStatus"]), ("Active", "InProgress"))
        self.passes("ResourceConflictException", "lambda", "update_function_code", FunctionName="f", ZipFile=package())
        status = lambda: self.done("lambda", "get_function_configuration", FunctionName="f")["LastUpdateStatus"]
        self.assertEqual(self.states(status, "Successful"), ["InProgress", "Successful"])

    def test_a_function_sends_to_a_queue_only_once_its_role_may(self):
        arn = self.role()
        self.done("sqs", "create_queue", QueueName="q")
        self.done("lambda", "create_function", FunctionName="f", Role=arn, Runtime="provided.al2023", Handler="h", Code={"ZipFile": package()})
        self.unkind()
        self.done("iam", "put_role_policy", RoleName="new", PolicyName="p", PolicyDocument=document(Effect="Allow", Action="sqs:SendMessage", Resource="*"))
        queue = f"arn:aws:sqs:us-east-1:{self.account}:q"
        self.refused("InvalidParameterValueException", "lambda", "update_function_configuration", FunctionName="f", DeadLetterConfig={"TargetArn": queue})
        self.passes("InvalidParameterValueException", "lambda", "put_function_event_invoke_config", FunctionName="f",
                    DestinationConfig={"OnFailure": {"Destination": queue}})
        self.done("lambda", "update_function_configuration", FunctionName="f", DeadLetterConfig={"TargetArn": queue})

    def test_a_connection_goes_through_its_states(self):
        self.unkind()
        key = {"ApiKeyAuthParameters": {"ApiKeyName": "Authorization", "ApiKeyValue": "secret"}}
        create = {"Name": "slack", "AuthorizationType": "API_KEY", "AuthParameters": key}
        self.assertEqual(self.done("events", "create_connection", **create)["ConnectionState"], "CREATING")
        state = lambda: self.call("events", "describe_connection", Name="slack")
        state_of = lambda: state() if isinstance(state(), str) else state()["ConnectionState"]
        self.assertEqual(self.states(state_of, "AUTHORIZED"), ["CREATING", "AUTHORIZING", "AUTHORIZED"])
        self.assertEqual(self.done("events", "update_connection", **create)["ConnectionState"], "AUTHORIZING")
        self.states(state_of, "AUTHORIZED")
        self.assertEqual(self.done("events", "delete_connection", Name="slack")["ConnectionState"], "DELETING")
        self.assertEqual(self.call("events", "create_connection", **create), "ResourceAlreadyExistsException")
        self.assertEqual([c["ConnectionState"] for c in self.done("events", "list_connections")["Connections"]], ["DELETING"])
        self.states(lambda: isinstance(state(), str) and state(), "ResourceNotFoundException")
        self.done("events", "create_connection", **create)

    def test_the_seed_decides_how_long(self):
        def took(seed):
            """Returns after how many seconds each of three new roles shows."""
            self.unkind(seed)
            counts = []
            for _ in range(3):
                name = f"r-{next(_accounts)}"
                self.role(name)
                counts.append(0)
                while isinstance(self.call("iam", "get_role", RoleName=name), str):
                    self.advance(1)
                    counts[-1] += 1
            return counts

        first = took(1)
        self.assertEqual(took(1), first)
        self.assertNotEqual(took(2), first)
        self.assertTrue(all(2 <= seconds <= 15 for seconds in first), first)

    def test_it_passes_by_itself_as_fast_as_the_divisor_says(self):
        SANDBOX.control("POST", "/_sandbox/unkind", {"account": self.account, "seed": 1, "divisor": 10})
        self.role()
        began = time.monotonic()
        while isinstance(self.call("iam", "get_role", RoleName="new"), str):
            self.assertLess(time.monotonic() - began, 10)
            time.sleep(0.02)

    def test_cloudformation_waits_for_what_it_makes(self):
        self.unkind()
        template = {"Resources": {
            "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": json.loads(document(
                Effect="Allow", Principal={"AWS": f"arn:aws:iam::{self.account}:root"}, Action="kms:*", Resource="*")), "EnableKeyRotation": True}},
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "stack", "AssumeRolePolicyDocument": json.loads(trust("lambda"))}},
            "Policy": {"Type": "AWS::IAM::RolePolicy", "Properties": {"RoleName": {"Ref": "Role"}, "PolicyName": "p", "PolicyDocument": json.loads(
                document(Effect="Allow", Action="s3:*", Resource="*"))}},
            "Alias": {"Type": "AWS::KMS::Alias", "Properties": {"AliasName": "alias/stack", "TargetKeyId": {"Ref": "Key"}}},
        }}
        self.done("cloudformation", "create_stack", StackName="stack", TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_NAMED_IAM"])
        stack = self.done("cloudformation", "describe_stacks", StackName="stack")["Stacks"][0]
        self.assertEqual(stack["StackStatus"], "CREATE_COMPLETE", stack)

    def test_what_makes_no_sense_is_refused(self):
        for wrong in ({"seed": 1}, {"account": self.account}, {"account": self.account, "seed": "1"}, {"account": None, "seed": 1}, {"account": self.account, "seed": 1, "divisor": 0}):
            with self.subTest(wrong), self.assertRaises(urllib.error.HTTPError) as raised:
                SANDBOX.control("POST", "/_sandbox/unkind", wrong)
            self.assertEqual(raised.exception.code, 400)
            raised.exception.close()


class Options(unittest.TestCase):
    def test_the_option_holds_for_every_account_that_states_nothing_else(self):
        sandbox = sandbox_server.Served("--unkind", "1")
        self.addCleanup(sandbox.stop)
        kind, unkind = (sandbox.client("iam", account) for account in ("500000003900", "500000003901"))
        sandbox.control("POST", "/_sandbox/unkind", {"account": "500000003900", "seed": None})
        for iam in (kind, unkind):
            iam.create_user(UserName="u")
        self.assertEqual((len(kind.list_users()["Users"]), len(unkind.list_users()["Users"])), (1, 0))

    def test_a_divisor_that_is_none_ends_the_start(self):
        for text in ("0", "x", "1.5", "-2"):
            ended = subprocess.run([sys.executable, sandbox_server.HERE / "sandbox.py", "--exit-with-stdin"], env={"SSM_TIME_DIVISOR": text, "PATH": "/usr/bin:/bin"},
                                   capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False)
            self.assertEqual(ended.returncode, 2)
            self.assertIn(f"SSM_TIME_DIVISOR must be an integer of at least 1, not '{text}'", ended.stderr.splitlines()[-1])


if __name__ == "__main__":
    unittest.main()
