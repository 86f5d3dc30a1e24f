"""Tests the fault kind `stale`: after a write, the reads of its service answer as before it."""

import io
import json
import subprocess
import time
import unittest
import urllib.error
import zipfile

import sandbox_server
from botocore.exceptions import ClientError, ConnectionClosedError

SANDBOX = None
TRUST = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
# Longer than any test takes, for reads that must stay stale.
LONG = 600_000


def setUpModule():
    global SANDBOX
    SANDBOX = sandbox_server.Served()


def tearDownModule():
    SANDBOX.stop()


def make_trail(s3, cloudtrail, account):
    """Makes the trail `trail` with a bucket of its own."""
    bucket = f"trail-{account}"
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": action, "Resource": resource}
        for action, resource in (("s3:GetBucketAcl", f"arn:aws:s3:::{bucket}"), ("s3:PutObject", f"arn:aws:s3:::{bucket}/*"))]}))
    cloudtrail.create_trail(Name="trail", S3BucketName=bucket)


def package():
    """Returns a package that Lambda takes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("bootstrap", "#!/bin/sh\n")
    return packed.getvalue()


def outcome(call, *path, **parameters):
    """Returns what is at a path of the answer, or the code of the error."""
    try:
        answer = call(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"]
    for step in path:
        answer = answer[step]
    return answer


def children():
    """Returns the process ids of the sandbox's children."""
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(SANDBOX.pid)], capture_output=True, text=True, check=False)
    return set(listed.stdout.split())


def become(wanted, read, seconds=5):
    """Waits until a read answers what it should; returns the last answer."""
    until = time.monotonic() + seconds
    while (seen := read()) != wanted and time.monotonic() < until:
        time.sleep(0.02)
    return seen


class Stale(unittest.TestCase):
    def stale(self, account, service, **more):
        SANDBOX.fault(**{"account": account, "kind": "stale", "service": service, "milliseconds": LONG, "times": -1} | more)

    def clear(self, account):
        SANDBOX.control("DELETE", f"/_sandbox/faults?account={account}")

    def test_a_new_role_is_not_there_for_a_while(self):
        account = "500000001001"
        iam = SANDBOX.client("iam", account)
        self.stale(account, "iam", milliseconds=2000, times=1)
        iam.create_role(RoleName="late", AssumeRolePolicyDocument=TRUST)
        began = time.monotonic()
        self.assertEqual(outcome(iam.get_role, RoleName="late"), "NoSuchEntity")
        self.assertEqual(outcome(iam.list_roles, "Roles"), [])
        self.assertEqual(become("late", lambda: outcome(iam.get_role, "Role", "RoleName", RoleName="late")), "late")
        self.assertGreater(time.monotonic() - began, 1.5)

    def test_the_clock_of_the_account_may_be_put_forward(self):
        account = "500000001013"
        iam = SANDBOX.client("iam", account)
        self.stale(account, "iam", times=1)
        before = children()
        iam.create_user(UserName="u")
        self.assertEqual(len(children() - before), 1)
        for advance, seen in ((LONG // 1000 - 60, 0), (60, 1)):
            SANDBOX.control("POST", "/_sandbox/time", {"account": account, "advance": advance})
            self.assertEqual(len(iam.list_users()["Users"]), seen)
        # Nothing of it is left running.
        self.assertEqual(become(before, children), before)

    def test_a_seed_draws_for_each_write_how_long(self):
        account = "500000001014"
        iam = SANDBOX.client("iam", account)

        def waits(seed):
            """Returns how often the clock is put forward by a minute until each of three writes shows."""
            self.stale(account, "iam", times=3, seed=seed)
            counts = []
            for n in range(3):
                iam.create_user(UserName=f"u-{seed}-{n}-{time.monotonic_ns()}")
                at_first, count = len(iam.list_users()["Users"]), 0
                while len(iam.list_users()["Users"]) == at_first:
                    SANDBOX.control("POST", "/_sandbox/time", {"account": account, "advance": 60})
                    count += 1
                counts.append(count)
            self.clear(account)
            return counts

        first = waits(1)
        self.assertEqual(waits(1), first)
        self.assertNotEqual(waits(2), first)
        self.assertLessEqual(max(first), LONG // 60_000)

    def test_the_write_itself_sees_the_truth(self):
        account = "500000001002"
        iam = SANDBOX.client("iam", account)
        self.stale(account, "iam")
        iam.create_role(RoleName="twice", AssumeRolePolicyDocument=TRUST)
        self.assertEqual(outcome(iam.get_role, RoleName="twice"), "NoSuchEntity")
        self.assertEqual(outcome(iam.create_role, RoleName="twice", AssumeRolePolicyDocument=TRUST), "EntityAlreadyExists")
        iam.put_role_policy(RoleName="twice", PolicyName="p", PolicyDocument=POLICY)
        self.assertEqual(outcome(iam.get_role_policy, RoleName="twice", PolicyName="p"), "NoSuchEntity")
        self.clear(account)
        self.assertEqual(iam.list_role_policies(RoleName="twice")["PolicyNames"], ["p"])

    def test_what_was_changed_or_deleted_is_as_it_was(self):
        account = "500000001003"
        iam = SANDBOX.client("iam", account)
        for name in ("changed", "deleted"):
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Description="before")
        self.stale(account, "iam", operation="UpdateRole")
        self.stale(account, "iam", operation="DeleteRole")
        iam.update_role(RoleName="changed", Description="after")
        self.assertEqual(iam.get_role(RoleName="changed")["Role"]["Description"], "before")
        iam.delete_role(RoleName="deleted")
        self.assertEqual(outcome(iam.get_role, "Role", "RoleName", RoleName="deleted"), "deleted")
        self.clear(account)
        self.assertEqual(iam.get_role(RoleName="changed")["Role"]["Description"], "after")
        self.assertEqual(outcome(iam.get_role, RoleName="deleted"), "NoSuchEntity")

    def test_a_later_write_shows_no_sooner_than_an_earlier_one(self):
        account = "500000001004"
        iam = SANDBOX.client("iam", account)
        self.stale(account, "iam", times=1)
        iam.create_user(UserName="first")
        self.stale(account, "iam", times=1, milliseconds=1)
        iam.create_user(UserName="second")
        time.sleep(0.1)
        self.assertEqual(iam.list_users()["Users"], [])

    def test_every_service_of_the_tools(self):
        account = "500000001005"
        client = {name: SANDBOX.client(name, account) for name in (
            "ssm", "kms", "s3", "logs", "cloudtrail", "events", "sqs", "lambda", "organizations")}
        key = client["kms"].create_key()["KeyMetadata"]["KeyId"]
        client["organizations"].create_organization(FeatureSet="ALL")
        document = '{"schemaVersion":"1.0","sessionType":"Standard_Stream","inputs":{}}'
        permission = {"FunctionName": "f", "StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com"}
        role = SANDBOX.client("iam", account).create_role(
            RoleName="f", AssumeRolePolicyDocument=TRUST.replace("ec2", "lambda"))["Role"]["Arn"]
        client["lambda"].create_function(
            FunctionName="f", Role=role, Runtime="provided.al2023", Handler="h", Code={"ZipFile": package()})
        for service, write, read, before in (
            ("ssm", lambda c: c.create_document(Name="doc", DocumentType="Session", Content=document),
             lambda c: outcome(c.get_document, "Name", Name="doc"), "InvalidDocument"),
            ("kms", lambda c: c.create_alias(AliasName="alias/a", TargetKeyId=key),
             lambda c: outcome(c.describe_key, "KeyMetadata", "KeyId", KeyId="alias/a"), "NotFoundException"),
            ("s3", lambda c: c.create_bucket(Bucket="stale-reads"),
             lambda c: outcome(c.get_bucket_location, "LocationConstraint", Bucket="stale-reads"), "NoSuchBucket"),
            ("logs", lambda c: c.create_log_group(logGroupName="g"),
             lambda c: [g["logGroupName"] for g in c.describe_log_groups()["logGroups"]], []),
            ("cloudtrail", lambda c: c.start_logging(Name="trail"),
             lambda c: c.get_trail_status(Name="trail")["IsLogging"], False),
            ("events", lambda c: c.put_rule(Name="r", ScheduleExpression="rate(1 hour)"),
             lambda c: outcome(c.describe_rule, "Name", Name="r"), "ResourceNotFoundException"),
            ("sqs", lambda c: c.create_queue(QueueName="q"),
             lambda c: outcome(c.get_queue_url, "QueueUrl", QueueName="q"), "AWS.SimpleQueueService.NonExistentQueue"),
            ("lambda", lambda c: c.add_permission(**permission),
             lambda c: outcome(c.get_policy, "Policy", FunctionName="f"),
             "ResourceNotFoundException"),
            ("organizations", lambda c: c.create_organizational_unit(
                ParentId=c.list_roots()["Roots"][0]["Id"], Name="u"),
             lambda c: c.list_organizational_units_for_parent(ParentId=c.list_roots()["Roots"][0]["Id"])["OrganizationalUnits"], []),
        ):
            with self.subTest(service):
                c = client[service]
                if service == "cloudtrail":
                    make_trail(client["s3"], c, account)
                if service == "s3":
                    self.assertEqual(outcome(c.head_bucket, Bucket="stale-reads"), "404")
                self.stale(account, service)
                write(c)
                self.assertEqual(read(c), before)
                self.clear(account)
                self.assertNotEqual(read(c), before)

    def test_only_the_service_account_and_region_of_the_write_are_stale(self):
        account, other = "500000001006", "500000001007"
        self.stale(account, "logs")
        clients = [SANDBOX.client("logs", a, region=r) for a, r in ((account, "us-east-1"), (account, "eu-west-1"), (other, "us-east-1"))]
        clients[0].create_log_group(logGroupName="g")
        clients[2].create_log_group(logGroupName="g")
        self.assertEqual(clients[0].describe_log_groups()["logGroups"], [])
        self.assertEqual(len(clients[2].describe_log_groups()["logGroups"]), 1)
        self.stale(account, "logs", region="eu-west-1", operation="DeleteLogGroup")
        clients[1].create_log_group(logGroupName="g")
        self.clear(account)
        self.assertEqual(len(clients[1].describe_log_groups()["logGroups"]), 1)
        SANDBOX.client("sqs", account).create_queue(QueueName="q")
        self.assertEqual(len(SANDBOX.client("sqs", account).list_queues()["QueueUrls"]), 1)

    def test_a_refused_write_leaves_the_reads_true_and_is_not_counted(self):
        account = "500000001008"
        iam = SANDBOX.client("iam", account)
        self.stale(account, "iam", times=1)
        self.assertEqual(outcome(iam.delete_user, UserName="nobody"), "NoSuchEntity")
        iam.create_user(UserName="hidden")
        self.assertEqual(iam.list_users()["Users"], [])
        self.clear(account)
        iam.create_user(UserName="seen")
        self.assertEqual(len(iam.list_users()["Users"]), 2)

    def test_an_answer_may_be_lost_and_the_reads_be_stale_at_once(self):
        account = "500000001009"
        iam = SANDBOX.client("iam", account)
        self.stale(account, "iam", operation="CreateUser")
        SANDBOX.fault(account=account, kind="drop", operation="CreateUser", when="after")
        with self.assertRaises(ConnectionClosedError):
            iam.create_user(UserName="lost")
        self.assertEqual(outcome(iam.get_user, UserName="lost"), "NoSuchEntity")
        self.assertEqual(outcome(iam.create_user, UserName="lost"), "EntityAlreadyExists")
        self.clear(account)
        self.assertEqual(iam.get_user(UserName="lost")["User"]["UserName"], "lost")

    def test_a_stale_read_is_in_the_call_log(self):
        account = "500000001010"
        iam = SANDBOX.client("iam", account)
        self.stale(account, "iam")
        iam.create_user(UserName="u")
        outcome(iam.get_user, UserName="u")
        logged = [(c["operation"], c["status"], c["error_code"]) for c in SANDBOX.calls(account)]
        self.assertEqual(logged, [("CreateUser", 200, None), ("GetUser", 404, "NoSuchEntity")])

    def test_the_divisor_of_the_account_shortens_it(self):
        account = "500000001011"
        iam = SANDBOX.client("iam", account)
        SANDBOX.control("POST", "/_sandbox/time", {"account": account, "divisor": LONG // 200})
        self.stale(account, "iam")
        iam.create_user(UserName="u")
        self.assertEqual(outcome(iam.get_user, UserName="u"), "NoSuchEntity")
        self.assertEqual(become("u", lambda: outcome(iam.get_user, "User", "UserName", UserName="u")), "u")

    def test_what_makes_no_sense_is_refused(self):
        base = {"account": "500000001012", "kind": "stale", "service": "iam", "milliseconds": 5}
        for wrong in ({"service": "sts"}, {"milliseconds": 0}, {"code": "X"}, {"when": "after"}, {"kind": "latency", "seed": 1}):
            with self.subTest(wrong), self.assertRaises(urllib.error.HTTPError) as raised:
                SANDBOX.fault(**base | wrong)
            self.assertEqual(raised.exception.code, 400)
            raised.exception.close()
        for wrong in ({"divisor": 0}, {"divisor": -1}, {"divisor": 1.5}, {"divisor": "2"}, {"divisor": True}, {"advance": -1}, {"stopped": 1.5}, {"account": 5, "advance": 1}, {"back": 1}, {}):
            with self.subTest(wrong), self.assertRaises(urllib.error.HTTPError) as raised:
                SANDBOX.control("POST", "/_sandbox/time", {"account": "500000001012", **wrong})
            self.assertEqual(raised.exception.code, 400)
            raised.exception.close()


if __name__ == "__main__":
    unittest.main()
