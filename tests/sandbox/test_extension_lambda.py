"""Shows how the sandbox runs a function: what Lambda refuses, how one process serves many events, and how each failure ends."""

import base64
import hashlib
import io
import json
import os
import shutil
import sys
import time
import unittest
import zipfile

import sandbox_server
from botocore.exceptions import ClientError
from test_extension_server import error_of

ACCOUNT = "300000000071"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
# Does what the event asks for. The interpreter is that of the tests, so that a function needs no other one.
BOOTSTRAP = f"""#!{sys.executable}
import json, os, sys, time, urllib.request

API = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/"

def post(path, value):
    urllib.request.urlopen(urllib.request.Request(API + path, json.dumps(value).encode(), method="POST")).read()

if os.environ.get("INIT") == "error":
    post("init/error", {{"errorType": "Init.Bad", "errorMessage": "no webhook"}})
    sys.exit(1)
n = 0
while True:
    with urllib.request.urlopen(API + "invocation/next") as answer:
        event, request = json.loads(answer.read()), answer.headers
    n += 1
    name = "invocation/" + request["Lambda-Runtime-Aws-Request-Id"]
    do = event.get("do") or event.get("detail", {{}}).get("do")
    print("asked to", do, flush=True)
    if do == "fail":
        post(name + "/error", {{"errorType": "Slack.Refused", "errorMessage": "HTTP 403", "stackTrace": []}})
    elif do == "crash":
        sys.exit(3)
    elif do == "sleep":
        time.sleep(event.get("seconds", 30))
        post(name + "/response", {{"pid": os.getpid()}})
    else:
        post(name + "/response", {{
            "event": event, "pid": os.getpid(), "n": n, "environment": dict(os.environ), "arn": request["Lambda-Runtime-Invoked-Function-Arn"],
            "left": int(request["Lambda-Runtime-Deadline-Ms"]) / 1000 - time.time(),
        }})
"""


def setUpModule():
    global SANDBOX
    SANDBOX = sandbox_server.Served()


def tearDownModule():
    SANDBOX.stop()


def package(text=BOOTSTRAP, mode=0o755, name="bootstrap"):
    """Returns a deployment package with one file of that mode."""
    file, info = io.BytesIO(), zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(info, text)
    return file.getvalue()


def is_running(pid):
    """Returns whether a process is there and no mere zombie."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


class Functions(unittest.TestCase):
    """Each test has functions of its own name, in one account."""

    @classmethod
    def setUpClass(cls):
        cls.lambda_, cls.events, cls.sqs = (SANDBOX.client(name, ACCOUNT) for name in ("lambda", "events", "sqs"))
        cls.iam = SANDBOX.client("iam", ACCOUNT)
        try:
            cls.iam.create_role(RoleName="function", AssumeRolePolicyDocument=TRUST)
        except ClientError:
            pass
        cls.role = f"arn:aws:iam::{ACCOUNT}:role/function"

    def setUp(self):
        self.name = self.id().rsplit(".", 1)[1][:60]

    def create(self, code=None, **settings):
        settings = {"FunctionName": self.name, "Runtime": "provided.al2023", "Handler": "any", "Role": self.role, "Timeout": 2} | settings
        return self.lambda_.create_function(Code={"ZipFile": package() if code is None else code}, **settings)

    def invoke(self, **event):
        """Returns (error header, parsed payload)."""
        answer = self.lambda_.invoke(FunctionName=self.name, Payload=json.dumps(event))
        self.assertEqual(answer["StatusCode"], 200)
        return answer.get("FunctionError"), json.loads(answer["Payload"].read())

    def log(self):
        return [line["message"] for line in SANDBOX.control("GET", f"/_sandbox/lambda-logs?account={ACCOUNT}&function={self.name}")]

    def queue(self, name):
        url = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"
        statement = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn}
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})})
        return url, arn

    def message(self, url, seconds=5):
        until = time.time() + seconds
        while time.time() < until:
            found = self.sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"]).get("Messages")
            if found:
                return json.loads(found[0]["Body"]), {key: value["StringValue"] for key, value in found[0].get("MessageAttributes", {}).items()}
            time.sleep(0.05)
        return None, None

    def let_role_send(self, arn):
        statement = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn}
        self.iam.put_role_policy(RoleName="function", PolicyName=arn.rsplit(":", 1)[1], PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


class Configuration(Functions):
    def test_a_function_is_described_as_it_was_made(self):
        code = package()
        made = self.create(code, Architectures=["arm64"], Environment={"Variables": {"A": "1"}})
        found = self.lambda_.get_function(FunctionName=self.name)["Configuration"]
        self.assertEqual((found["State"], found["LastUpdateStatus"], found["Architectures"]), ("Active", "Successful", ["arm64"]))
        self.assertEqual(found["CodeSha256"], base64.b64encode(hashlib.sha256(code).digest()).decode())
        self.assertEqual(made["FunctionArn"], f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{self.name}")
        self.assertEqual(self.lambda_.get_function_configuration(FunctionName=self.name)["Environment"]["Variables"], {"A": "1"})

    def test_a_name_is_taken_once_and_can_be_given_again(self):
        self.create()
        self.assertEqual(error_of(self.create), "ResourceConflictException")
        self.lambda_.delete_function(FunctionName=self.name)
        for call in (self.lambda_.get_function, self.lambda_.delete_function, self.lambda_.invoke, self.lambda_.get_policy):
            self.assertEqual(error_of(call, FunctionName=self.name), "ResourceNotFoundException")
        self.create()

    def test_the_role_must_be_there_and_trust_lambda(self):
        self.assertEqual(error_of(self.create, Role=self.role + "x"), "InvalidParameterValueException")
        self.iam.create_role(RoleName="ec2", AssumeRolePolicyDocument=TRUST.replace("lambda", "ec2"))
        with self.assertRaisesRegex(ClientError, "cannot be assumed by Lambda"):
            self.create(Role=f"arn:aws:iam::{ACCOUNT}:role/ec2")
        self.create()
        self.assertEqual(error_of(self.lambda_.update_function_configuration, FunctionName=self.name, Role=f"arn:aws:iam::{ACCOUNT}:role/ec2"), "InvalidParameterValueException")

    def test_what_is_no_zip_is_refused(self):
        with self.assertRaisesRegex(ClientError, "Could not unzip"):
            self.create(b"no zip")

    def test_an_update_starts_a_new_process(self):
        before = self.create()
        _, first = self.invoke()
        after = self.lambda_.update_function_configuration(FunctionName=self.name, Environment={"Variables": {"A": "2"}}, Timeout=3)
        self.assertNotEqual(before["RevisionId"], after["RevisionId"])
        _, second = self.invoke()
        self.assertEqual((second["environment"]["A"], second["n"]), ("2", 1))
        self.assertFalse(is_running(first["pid"]))
        code = package(BOOTSTRAP + "# new\n")
        after = self.lambda_.update_function_code(FunctionName=self.name, ZipFile=code, Architectures=["arm64"])
        self.assertEqual((after["CodeSha256"], after["Architectures"]), (base64.b64encode(hashlib.sha256(code).digest()).decode(), ["arm64"]))
        self.assertEqual(self.invoke()[1]["n"], 1)
        self.assertFalse(is_running(second["pid"]))

    def test_a_dry_run_changes_no_code(self):
        before = self.create()
        after = self.lambda_.update_function_code(FunctionName=self.name, ZipFile=package("x"), DryRun=True)
        self.assertEqual((before["CodeSha256"], before["RevisionId"]), (after["CodeSha256"], after["RevisionId"]))

    def test_a_statement_is_added_once(self):
        self.create()
        statement = {"FunctionName": self.name, "StatementId": "rule", "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com",
                     "SourceArn": f"arn:aws:events:us-east-1:{ACCOUNT}:rule/x"}
        self.lambda_.add_permission(**statement)
        self.assertEqual(error_of(self.lambda_.add_permission, **statement), "ResourceConflictException")
        policy = json.loads(self.lambda_.get_policy(FunctionName=self.name)["Policy"])["Statement"]
        self.assertEqual([(one["Sid"], one["Principal"]) for one in policy], [("rule", {"Service": "events.amazonaws.com"})])
        self.lambda_.remove_permission(FunctionName=self.name, StatementId="rule")
        self.assertEqual(error_of(self.lambda_.get_policy, FunctionName=self.name), "ResourceNotFoundException")
        self.assertEqual(error_of(self.lambda_.remove_permission, FunctionName=self.name, StatementId="rule"), "ResourceNotFoundException")


class Invocation(Functions):
    def test_a_process_answers_one_event_after_another(self):
        self.create()
        answers = [self.invoke(i=i)[1] for i in range(3)]
        self.assertEqual([(answer["event"]["i"], answer["n"]) for answer in answers], [(0, 1), (1, 2), (2, 3)])
        self.assertEqual(len({answer["pid"] for answer in answers}), 1)
        self.assertTrue(0 < answers[0]["left"] <= 2)
        self.assertEqual(answers[0]["arn"], f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{self.name}")
        self.assertIn("asked to None", self.log())

    def test_a_function_knows_only_what_lambda_gives_it(self):
        self.create(Environment={"Variables": {"OWN": "yes"}})
        seen = self.invoke()[1]["environment"]
        self.assertEqual((seen["OWN"], seen["AWS_ACCESS_KEY_ID"], seen["AWS_ENDPOINT_URL"]), ("yes", f"AKIA{ACCOUNT}", SANDBOX.url))
        self.assertEqual((seen["_HANDLER"], seen["AWS_LAMBDA_FUNCTION_NAME"], seen["AWS_REGION"]), ("any", self.name, "us-east-1"))
        self.assertFalse({"HOME", "USER", "VIRTUAL_ENV"} & set(seen))

    def test_an_error_of_the_function_is_the_payload(self):
        self.create()
        error, payload = self.invoke(do="fail")
        self.assertEqual((error, payload["errorType"], payload["errorMessage"]), ("Unhandled", "Slack.Refused", "HTTP 403"))
        self.assertEqual(self.invoke()[1]["n"], 2)

    def test_after_a_crash_a_new_process_starts(self):
        self.create()
        first = self.invoke()[1]["pid"]
        error, payload = self.invoke(do="crash")
        self.assertEqual((error, payload["errorType"]), ("Unhandled", "Runtime.ExitError"))
        self.assertIn("exit status 3", payload["errorMessage"])
        answer = self.invoke()[1]
        self.assertEqual(answer["n"], 1)
        self.assertNotEqual(answer["pid"], first)

    def test_a_timeout_kills_the_process(self):
        self.create(Timeout=1)
        pid = self.invoke()[1]["pid"]
        error, payload = self.invoke(do="sleep")
        self.assertEqual(error, "Unhandled")
        self.assertIn("Task timed out after 1.00 seconds", payload["errorMessage"])
        self.assertFalse(is_running(pid))
        self.assertEqual(self.invoke()[1]["n"], 1)

    def test_a_failed_start_says_why(self):
        self.create(Environment={"Variables": {"INIT": "error"}})
        self.assertEqual(self.invoke(), ("Unhandled", {"errorType": "Init.Bad", "errorMessage": "no webhook"}))

    def test_a_package_needs_a_bootstrap_that_may_run(self):
        self.create(package(mode=0o644))
        self.assertIn("permission denied", self.invoke()[1]["errorMessage"])
        self.lambda_.update_function_code(FunctionName=self.name, ZipFile=package(name="main"))
        self.assertEqual(self.invoke()[1]["errorType"], "Runtime.InvalidEntrypoint")

    def test_a_dry_run_invokes_nothing(self):
        self.create()
        self.assertEqual(self.lambda_.invoke(FunctionName=self.name, InvocationType="DryRun")["StatusCode"], 204)
        self.assertEqual(self.log(), [])

    def test_what_is_no_json_is_no_event(self):
        self.create()
        self.assertEqual(error_of(self.lambda_.invoke, FunctionName=self.name, Payload="{"), "InvalidRequestContentException")

    def test_reserved_concurrency_throttles(self):
        self.create()
        self.lambda_.put_function_concurrency(FunctionName=self.name, ReservedConcurrentExecutions=0)
        self.assertEqual(error_of(self.lambda_.invoke, FunctionName=self.name), "TooManyRequestsException")

    def test_the_tail_of_the_log_is_that_of_the_invocation(self):
        self.create()
        self.invoke(do="first")
        answer = self.lambda_.invoke(FunctionName=self.name, Payload='{"do": "second"}', LogType="Tail")
        log = base64.b64decode(answer["LogResult"]).decode()
        self.assertTrue(log.startswith("START RequestId:") and "asked to second" in log and "asked to first" not in log, log)

    def test_a_deleted_function_leaves_no_process(self):
        self.create()
        pid = self.invoke()[1]["pid"]
        self.lambda_.delete_function(FunctionName=self.name)
        self.assertFalse(is_running(pid))


class Asynchronous(Functions):
    def test_an_event_is_tried_three_times_and_then_kept(self):
        self.create()
        url, arn = self.queue("destination")
        config = {"FunctionName": self.name, "DestinationConfig": {"OnFailure": {"Destination": arn}}}
        self.assertEqual(error_of(self.lambda_.put_function_event_invoke_config, **config), "InvalidParameterValueException")
        self.let_role_send(arn)
        self.lambda_.put_function_event_invoke_config(**config)
        answer = self.lambda_.invoke(FunctionName=self.name, InvocationType="Event", Payload='{"do": "fail"}')
        self.assertEqual((answer["StatusCode"], answer["Payload"].read()), (202, b""))
        record, _ = self.message(url)
        self.assertEqual((record["requestContext"]["condition"], record["requestContext"]["approximateInvokeCount"]), ("RetriesExhausted", 3))
        self.assertEqual((record["requestPayload"], record["responsePayload"]["errorType"]), ({"do": "fail"}, "Slack.Refused"))
        self.assertEqual(self.log().count("asked to fail"), 3)

    def test_the_dead_letter_queue_gets_the_event_alone(self):
        url, arn = self.queue("dead")
        self.assertEqual(error_of(self.create, DeadLetterConfig={"TargetArn": arn}), "InvalidParameterValueException")
        self.let_role_send(arn)
        self.create(DeadLetterConfig={"TargetArn": arn})
        self.lambda_.put_function_event_invoke_config(FunctionName=self.name, MaximumRetryAttempts=0)
        self.lambda_.invoke(FunctionName=self.name, InvocationType="Event", Payload='{"do": "fail"}')
        body, attributes = self.message(url)
        self.assertEqual((body, attributes["ErrorMessage"], attributes["ErrorCode"]), ({"do": "fail"}, "HTTP 403", "200"))
        self.assertEqual(self.log().count("asked to fail"), 1)


class Rules(Functions):
    def rule(self, permit=True, **target):
        arn = self.create()["FunctionArn"]
        rule = self.events.put_rule(Name=self.name, EventPattern=json.dumps({"source": [self.name]}))["RuleArn"]
        if permit:
            self.lambda_.add_permission(FunctionName=self.name, StatementId="rule", Action="lambda:InvokeFunction",
                                        Principal="events.amazonaws.com", SourceArn=rule if permit is True else permit)
        self.events.put_targets(Rule=self.name, Targets=[{"Id": "function", "Arn": arn} | target])

    def put(self, **detail):
        """Puts an event and returns its delivery."""
        self.events.put_events(Entries=[{"Source": self.name, "DetailType": "Test", "Detail": json.dumps(detail)}])
        for _ in range(200):
            found = [one for one in SANDBOX.control("GET", f"/_sandbox/deliveries?account={ACCOUNT}") if one["rule"] == self.name]
            if found and found[-1]["status"] != "pending":
                return found[-1]
            time.sleep(0.05)
        return self.fail(f"no delivery: {found}")

    def test_a_function_gets_the_event(self):
        self.rule()
        delivery = self.put(do="greet")
        self.assertEqual((delivery["status"], delivery["attempts"], delivery["invocations"]), ("delivered", 1, 1))
        self.assertIn("asked to greet", self.log())

    def test_a_function_gets_what_the_transformer_makes(self):
        self.rule(InputTransformer={"InputPathsMap": {"what": "$.detail.what"}, "InputTemplate": '{"do": <what>}'})
        self.assertEqual(self.put(what="transformed")["status"], "delivered")
        self.assertIn("asked to transformed", self.log())

    def test_without_permission_the_event_goes_to_the_queue_of_the_rule_at_once(self):
        url, arn = self.queue("rule-queue")
        self.rule(permit=f"arn:aws:events:us-east-1:{ACCOUNT}:rule/another", DeadLetterConfig={"Arn": arn})
        delivery = self.put(do="greet")
        self.assertEqual((delivery["status"], delivery["attempts"], delivery["dead_letter"]), ("failed", 1, "sent"))
        self.assertIn("lambda:InvokeFunction", delivery["error"])
        body, attributes = self.message(url)
        self.assertEqual((body["detail"], attributes["ERROR_CODE"]), ({"do": "greet"}, "NO_PERMISSIONS"))
        self.assertEqual(self.log(), [])

    def test_errors_of_the_function_are_not_for_the_queue_of_the_rule(self):
        rules, rules_arn = self.queue("of-the-rule")
        functions, functions_arn = self.queue("of-the-function")
        self.let_role_send(functions_arn)
        self.rule(DeadLetterConfig={"Arn": rules_arn})
        self.lambda_.put_function_event_invoke_config(FunctionName=self.name, MaximumRetryAttempts=1, DestinationConfig={"OnFailure": {"Destination": functions_arn}})
        delivery = self.put(do="fail")
        self.assertEqual((delivery["status"], delivery["attempts"], delivery["invocations"]), ("failed", 1, 2))
        self.assertEqual((delivery["dead_letter"], delivery["function_dead_letter"]), (None, "sent"))
        self.assertEqual(self.message(functions)[0]["requestPayload"]["detail"], {"do": "fail"})
        self.assertIsNone(self.message(rules, 0.2)[0])

    def test_a_throttled_hand_over_is_tried_again(self):
        self.rule(RetryPolicy={"MaximumRetryAttempts": 2})
        SANDBOX.fault(account=ACCOUNT, kind="throttle", service="lambda", operation="Invoke", times=2)
        delivery = self.put(do="greet")
        self.assertEqual((delivery["status"], delivery["attempts"]), ("delivered", 3))


class Surroundings(Functions):
    def test_the_calls_of_these_tests_are_as_the_models_say(self):
        self.create()
        self.invoke()
        self.lambda_.delete_function(FunctionName=self.name)
        calls = [one for one in SANDBOX.calls(ACCOUNT) if one["service"] == "lambda" and one["params"].get("FunctionName") == self.name]
        self.assertEqual([(one["operation"], one["problems"]) for one in calls], [("CreateFunction", []), ("Invoke", []), ("DeleteFunction", [])])

    def test_secrets_and_secure_parameters_are_there_for_a_function(self):
        secrets, ssm = (SANDBOX.client(name, ACCOUNT) for name in ("secretsmanager", "ssm"))
        secrets.create_secret(Name="slack", SecretString="https://hooks.example.com/x")
        self.assertEqual(secrets.get_secret_value(SecretId="slack")["SecretString"], "https://hooks.example.com/x")
        self.assertEqual(error_of(secrets.get_secret_value, SecretId="none"), "ResourceNotFoundException")
        ssm.put_parameter(Name="/slack", Type="SecureString", Value="hidden")
        self.assertEqual(ssm.get_parameter(Name="/slack", WithDecryption=True)["Parameter"]["Value"], "hidden")
        self.assertNotEqual(ssm.get_parameter(Name="/slack")["Parameter"]["Value"], "hidden")
        self.assertEqual(error_of(ssm.get_parameter, Name="/none"), "ParameterNotFound")

    def test_no_process_outlives_the_sandbox(self):
        other = sandbox_server.Served()
        try:
            pids = []
            for name, event in (("idle", {}), ("busy", {"do": "sleep"})):
                iam, functions = other.client("iam", ACCOUNT), other.client("lambda", ACCOUNT)
                iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
                functions.create_function(FunctionName=name, Runtime="provided.al2023", Handler="any", Role=f"arn:aws:iam::{ACCOUNT}:role/{name}",
                                          Timeout=60, Code={"ZipFile": package()})
                pids.append(json.loads(functions.invoke(FunctionName=name, Payload="{}")["Payload"].read())["pid"])
                if event:
                    functions.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(event))
        finally:
            started = time.time()
            other.stop()
        self.assertLess(time.time() - started, 5)
        self.assertEqual([pid for pid in pids if is_running(pid)], [])

    def test_no_process_outlives_a_killed_sandbox(self):
        other = sandbox_server.Served()
        functions = other.client("lambda", ACCOUNT)
        other.client("iam", ACCOUNT).create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
        functions.create_function(FunctionName="f", Runtime="provided.al2023", Handler="any", Role=f"arn:aws:iam::{ACCOUNT}:role/r", Timeout=60, Code={"ZipFile": package()})
        answer = json.loads(functions.invoke(FunctionName="f", Payload="{}")["Payload"].read())
        pid = answer["pid"]
        self.addCleanup(shutil.rmtree, answer["environment"]["LAMBDA_TASK_ROOT"])
        os.kill(other.pid, 9)
        other.stop()
        until = time.time() + 5
        while is_running(pid) and time.time() < until:
            time.sleep(0.05)
        self.assertFalse(is_running(pid))


if __name__ == "__main__":
    unittest.main()
