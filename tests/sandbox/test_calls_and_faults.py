"""Tests the call log and the faults on demand."""

import unittest
import urllib.error
import urllib.request

import sandbox_server
from botocore.exceptions import ClientError, ConnectionClosedError

SANDBOX = None


def setUpModule():
    global SANDBOX
    SANDBOX = sandbox_server.Served()


def tearDownModule():
    SANDBOX.stop()


class CallLog(unittest.TestCase):
    def test_a_call_is_recorded_with_its_parameters(self):
        SANDBOX.client("ssm", "500000000020").list_documents(MaxResults=5)
        (call,) = SANDBOX.calls("500000000020")
        self.assertIsInstance(call.pop("n"), int)
        self.assertEqual(
            call,
            {
                "account": "500000000020",
                "region": "us-east-1",
                "service": "ssm",
                "operation": "ListDocuments",
                "read_only": True,
                "params": {"MaxResults": 5},
                "status": 200,
                "error_code": None,
                "problems": [],
            },
        )
        SANDBOX.control("DELETE", "/_sandbox/calls?account=500000000020")
        self.assertEqual(SANDBOX.calls("500000000020"), [])

    def test_an_error_is_recorded_with_its_code(self):
        with self.assertRaises(ClientError):
            SANDBOX.client("iam", "500000000021").get_role(RoleName="absent")
        (call,) = SANDBOX.calls("500000000021")
        self.assertEqual((call["status"], call["error_code"]), (404, "NoSuchEntity"))

    def test_writes_are_not_read_only(self):
        s3 = SANDBOX.client("s3", "500000000022")
        s3.create_bucket(Bucket="sandbox-call-log")
        s3.list_objects_v2(Bucket="sandbox-call-log")
        logged = [(c["operation"], c["read_only"]) for c in SANDBOX.calls("500000000022")]
        self.assertEqual(logged, [("CreateBucket", False), ("ListObjectsV2", True)])

    def problems_of(self, account, service, operation, **parameters):
        client = SANDBOX.client(service, account)
        try:
            getattr(client, operation)(**parameters)
        except ClientError:
            pass
        return SANDBOX.calls(account)[-1]["problems"]

    def test_a_missing_parameter_is_a_problem(self):
        problems = self.problems_of("500000000023", "ssm", "get_document")
        self.assertEqual(problems, ['Missing required parameter in input: "Name"'])
        (call,) = SANDBOX.calls("500000000023")
        self.assertEqual(call["error_code"], "ValidationException")

    def test_a_value_outside_the_model_is_a_problem(self):
        problems = self.problems_of("500000000024", "ssm", "list_documents", MaxResults=51)
        self.assertEqual(problems, ["input.MaxResults: value 51 is over the maximum of 50"])

    def test_an_unknown_json_parameter_is_a_problem(self):
        request = urllib.request.Request(
            SANDBOX.url,
            data=b'{"Name": "absent", "Nmae": "b"}',
            headers={
                "Authorization": "AWS4-HMAC-SHA256 "
                "Credential=AKIA500000000025/20260101/us-east-1/ssm/aws4_request, "
                "SignedHeaders=host, Signature=0",
                "Content-Type": "application/x-amz-json-1.1",
                "X-Amz-Target": "AmazonSSM.GetDocument",
            },
        )
        with self.assertRaises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen(request, timeout=10)
        raised.exception.close()
        (call,) = SANDBOX.calls("500000000025")
        self.assertIn('Unknown parameter in input: "Nmae"', call["problems"][0])
        # AWS skips what it does not know.
        self.assertEqual(call["error_code"], "InvalidDocument")

    def test_query_parameters_resolve_in_the_model(self):
        problems = self.problems_of(
            "500000000026",
            "ec2",
            "describe_instances",
            Filters=[{"Name": "tag:Name", "Values": ["a", "b"]}],
            MaxResults=5,
        )
        self.assertEqual(problems, [])
        problems = self.problems_of(
            "500000000026",
            "iam",
            "create_role",
            RoleName="r",
            AssumeRolePolicyDocument="{}",
            Tags=[{"Key": "k", "Value": "v"}],
        )
        self.assertEqual(problems, [])
        problems = self.problems_of("500000000026", "iam", "create_role", RoleName="r")
        self.assertIn("AssumeRolePolicyDocument", problems[0])


class Faults(unittest.TestCase):
    def code_of(self, account, service, operation, **parameters):
        client = SANDBOX.client(service, account)
        with self.assertRaises(ClientError) as raised:
            getattr(client, operation)(**parameters)
        error = raised.exception.response
        return error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Code"]

    def test_each_protocol_throttles_in_its_own_words(self):
        for account, service, operation, expected in (
            ("500000000030", "ssm", "list_documents", (400, "ThrottlingException")),
            ("500000000031", "iam", "list_roles", (400, "Throttling")),
            ("500000000032", "ec2", "describe_instances", (503, "RequestLimitExceeded")),
            ("500000000033", "s3", "list_buckets", (503, "SlowDown")),
        ):
            SANDBOX.fault(account=account, kind="throttle")
            self.assertEqual(self.code_of(account, service, operation), expected)
            getattr(SANDBOX.client(service, account), operation)()

    def test_a_retrying_client_gets_over_a_throttle(self):
        SANDBOX.fault(account="500000000034", kind="throttle")
        client = SANDBOX.client("ssm", "500000000034", attempts=3)
        client.list_documents()
        statuses = [c["status"] for c in SANDBOX.calls("500000000034")]
        self.assertEqual(statuses, [400, 200])

    def test_denied_and_expired(self):
        SANDBOX.fault(account="500000000035", kind="denied", operation="GetDocument")
        client = SANDBOX.client("ssm", "500000000035")
        client.list_documents()
        with self.assertRaises(ClientError) as raised:
            client.get_document(Name="absent")
        self.assertIn("is not authorized to perform: ssm:GetDocument", str(raised.exception))
        SANDBOX.fault(account="500000000035", kind="expired", times=2)
        self.assertEqual(
            self.code_of("500000000035", "ssm", "list_documents"), (400, "ExpiredTokenException")
        )
        self.assertEqual(
            self.code_of("500000000035", "sts", "get_caller_identity"), (403, "ExpiredToken")
        )

    def test_after_skips_calls_and_delete_clears(self):
        account = "500000000036"
        SANDBOX.fault(account=account, kind="error", after=1, times=-1)
        client = SANDBOX.client("ssm", account)
        client.list_documents()
        self.assertEqual(self.code_of(account, "ssm", "list_documents")[0], 500)
        SANDBOX.control("DELETE", f"/_sandbox/faults?account={account}")
        client.list_documents()

    def test_a_dropped_answer_may_come_after_the_work_was_done(self):
        account = "500000000037"
        client = SANDBOX.client("iam", account)
        SANDBOX.fault(account=account, kind="drop", operation="CreateUser", when="after")
        with self.assertRaises(ConnectionClosedError):
            client.create_user(UserName="half-done")
        self.assertEqual(client.get_user(UserName="half-done")["User"]["UserName"], "half-done")

    def test_a_fault_with_a_misspelt_field_is_refused(self):
        with self.assertRaises(urllib.error.HTTPError) as raised:
            SANDBOX.fault(account="500000000038", kind="throttle", tims=1)
        raised.exception.close()


if __name__ == "__main__":
    unittest.main()
