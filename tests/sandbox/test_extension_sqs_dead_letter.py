"""Tests queues, and the dead-letter queue that gets what an API destination did not."""

import json
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from test_extension_server import MANAGEMENT, client, endpoint, error_of, reset

endpoint()
from extension.events_delivery import CONTROL  # noqa: E402

REGION = "eu-central-1"
RULE = f"arn:aws:events:{REGION}:{MANAGEMENT}:rule/alert"
KEY = {"ApiKeyAuthParameters": {"ApiKeyName": "k", "ApiKeyValue": "v"}}


def policy(queue_arn, **changes):
    statement = {
        "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": queue_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": RULE}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement | changes]})


class Refuser(BaseHTTPRequestHandler):
    """Answers with one code for ever."""

    code = 500

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


class QueueCase(unittest.TestCase):
    def setUp(self):
        reset()
        self.sqs = client("sqs")
        self.url = self.sqs.create_queue(QueueName="dead")["QueueUrl"]
        self.arn = self.attributes("QueueArn")["QueueArn"]

    def attributes(self, *names):
        return self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=list(names)).get("Attributes", {})


class Queues(QueueCase):
    def test_a_missing_queue_has_the_code_of_the_query_protocol(self):
        missing = "AWS.SimpleQueueService.NonExistentQueue"
        self.assertEqual(error_of(self.sqs.get_queue_url, QueueName="none"), missing)
        self.assertEqual(error_of(self.sqs.get_queue_attributes, QueueUrl=self.url + "x", AttributeNames=["All"]), missing)
        self.assertEqual(self.sqs.get_queue_url(QueueName="dead")["QueueUrl"], self.url)
        self.sqs.delete_queue(QueueUrl=self.url)
        self.assertEqual(error_of(self.sqs.get_queue_url, QueueName="dead"), missing)

    def test_other_attributes_leave_the_policy(self):
        self.sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": policy(self.arn)})
        self.sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"MessageRetentionPeriod": "1209600"})
        kept = self.attributes("Policy", "MessageRetentionPeriod")
        self.assertEqual((json.loads(kept["Policy"]), kept["MessageRetentionPeriod"]), (json.loads(policy(self.arn)), "1209600"))
        self.sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": ""})
        self.assertEqual(self.attributes("Policy"), {})

    def test_refuses_a_malformed_policy(self):
        for wrong in ("{", policy(self.arn, Effect="Maybe"), policy(self.arn, Principal={"Service": "events"})):
            self.assertEqual(error_of(self.sqs.set_queue_attributes, QueueUrl=self.url, Attributes={"Policy": wrong}), "InvalidAttributeValue")
            self.assertEqual(error_of(self.sqs.create_queue, QueueName="other", Attributes={"Policy": wrong}), "InvalidAttributeValue")


class DeadLetters(QueueCase):
    @classmethod
    def setUpClass(cls):
        cls.receiver = ThreadingHTTPServer(("127.0.0.1", 0), Refuser)
        threading.Thread(target=cls.receiver.serve_forever, daemon=True).start()

    @classmethod
    def tearDownClass(cls):
        cls.receiver.shutdown()
        cls.receiver.server_close()

    def fail_one(self, code=500, queue=None, **target):
        """Puts an event that the API destination refuses; returns the record of its delivery."""
        Refuser.code = code
        events = client("events")
        connection = events.create_connection(Name="slack", AuthorizationType="API_KEY", AuthParameters=KEY)["ConnectionArn"]
        self.destination = events.create_api_destination(
            Name="slack", ConnectionArn=connection, HttpMethod="POST", InvocationEndpoint=f"http://127.0.0.1:{self.receiver.server_port}/",
        )["ApiDestinationArn"]
        events.put_rule(Name="alert", EventPattern=json.dumps({"source": ["test"]}))
        events.put_targets(Rule="alert", Targets=[{
            "Id": "slack", "Arn": self.destination, "RoleArn": f"arn:aws:iam::{MANAGEMENT}:role/events",
            "RetryPolicy": {"MaximumRetryAttempts": 2}, "DeadLetterConfig": {"Arn": queue or self.arn}} | target])
        self.event_id = events.put_events(Entries=[{"Source": "test", "DetailType": "Test", "Detail": '{"a": 1}'}])["Entries"][0]["EventId"]
        for _ in range(500):
            record = CONTROL["deliveries"](MANAGEMENT)[0]
            if record["status"] != "pending":
                return record
            time.sleep(0.01)
        self.fail("no end")

    def received(self):
        answer = self.sqs.receive_message(QueueUrl=self.url, MessageAttributeNames=["All"], MaxNumberOfMessages=10)
        return [
            (json.loads(message["Body"]), {k: v["StringValue"] for k, v in message["MessageAttributes"].items()})
            for message in answer.get("Messages", [])
        ]

    def allow(self, **changes):
        self.sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": policy(self.arn, **changes)})

    def test_the_queue_gets_the_original_event_and_why(self):
        self.allow()
        record = self.fail_one(InputTransformer={"InputPathsMap": {}, "InputTemplate": '{"text": "hello"}'})
        self.assertEqual((record["status"], record["dead_letter"], record["attempts"]), ("failed", "sent", 3))
        [(event, attributes)] = self.received()
        self.assertEqual((event["id"], event["source"], event["detail"], event["version"]), (self.event_id, "test", {"a": 1}, "0"))
        self.assertRegex(event["time"], r"^\d{4}-\d\d-\d\dT[\d:]+Z$")
        self.assertNotIn("ingestion-time", event)
        self.assertEqual(attributes, {
            "RULE_ARN": RULE, "TARGET_ARN": self.destination, "ERROR_CODE": "SDK_CLIENT_ERROR", "RETRY_ATTEMPTS": "2",
            "ERROR_MESSAGE": "Unable to invoke ApiDestination endpoint: HTTP 500", "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts"})

    def test_what_is_not_retried_exhausts_no_retries(self):
        self.allow()
        self.fail_one(code=404)
        [(_, attributes)] = self.received()
        self.assertEqual((attributes["RETRY_ATTEMPTS"], "EXHAUSTED_RETRY_CONDITION" in attributes), ("0", False))

    def test_an_event_is_lost_without_the_permission_of_the_queue(self):
        wrong = {
            "no policy": None,
            "another rule": {"Condition": {"ArnEquals": {"aws:SourceArn": RULE + "s"}}},
            "another service": {"Principal": {"Service": "sns.amazonaws.com"}},
            "another action": {"Action": "sqs:ReceiveMessage"},
        }
        for name, changes in wrong.items():
            with self.subTest(name):
                self.setUp()
                if changes is not None:
                    self.allow(**changes)
                record = self.fail_one(code=404)
                self.assertEqual((record["status"], record["dead_letter"]), ("failed", "lost"))
                self.assertIn("the event is lost: the policy of", record["error"])
                self.assertEqual(self.received(), [])

    def test_an_event_is_lost_without_the_queue(self):
        record = self.fail_one(code=404, queue=self.arn + "-none")
        self.assertEqual(record["dead_letter"], "lost")
        self.assertIn("does not exist", record["error"])


if __name__ == "__main__":
    unittest.main()
