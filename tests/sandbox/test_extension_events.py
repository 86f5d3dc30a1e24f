"""Tests EventBridge rules, connections and the delivery to API destinations."""

import json
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from test_extension_server import MANAGEMENT, MEMBER, client, endpoint, error_of, reset

endpoint()
from extension.events_delivery import CONTROL  # noqa: E402

KEY = {"ApiKeyAuthParameters": {"ApiKeyName": "Authorization", "ApiKeyValue": "Bearer secret"}}
ROLE = f"arn:aws:iam::{MANAGEMENT}:role/events"
PATTERN = json.dumps({"source": ["test"]})


class Receiver(BaseHTTPRequestHandler):
    """Answers with the codes in `codes`, one for each request, then 200; keeps what it got."""

    codes: list[int] = []
    got: list[tuple[str, dict, str]] = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.got.append((self.path, dict(self.headers), body))
        self.send_response(self.codes.pop(0) if self.codes else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


class EventBridge(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.receiver = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        threading.Thread(target=cls.receiver.serve_forever, daemon=True).start()
        cls.url = f"http://127.0.0.1:{cls.receiver.server_port}/hook"

    @classmethod
    def tearDownClass(cls):
        cls.receiver.shutdown()
        cls.receiver.server_close()

    def setUp(self):
        reset()
        Receiver.got.clear()
        Receiver.codes.clear()
        self.events = client("events")

    def connection(self):
        return self.events.create_connection(Name="slack", AuthorizationType="API_KEY", AuthParameters=KEY)["ConnectionArn"]

    def destination(self, url=None, connection=None):
        return self.events.create_api_destination(
            Name="slack", ConnectionArn=connection or self.connection(), HttpMethod="POST",
            InvocationEndpoint=url or self.url, InvocationRateLimitPerSecond=1,
        )["ApiDestinationArn"]

    def rule(self, destination, state="ENABLED", **target):
        self.events.put_rule(Name="alert", EventPattern=PATTERN, State=state)
        return self.events.put_targets(Rule="alert", Targets=[{"Id": "slack", "Arn": destination, "RoleArn": ROLE} | target])

    def put(self, detail, kind="Test"):
        self.events.put_events(Entries=[{"Source": "test", "DetailType": kind, "Detail": json.dumps(detail)}])

    def delivery(self):
        """Waits for the one delivery and returns its record."""
        for _ in range(500):
            records = CONTROL["deliveries"](MANAGEMENT)
            if records and records[0]["status"] != "pending":
                return records[0]
            time.sleep(0.01)
        self.fail(f"no delivery: {records}")

    def test_posts_the_event_with_the_key_of_the_connection(self):
        self.rule(self.destination())
        self.put({"eventName": "StartSession"})
        self.assertEqual(self.delivery()["status"], "delivered")
        path, headers, body = Receiver.got[0]
        event = json.loads(body)
        self.assertEqual((path, headers["Authorization"]), ("/hook", "Bearer secret"))
        self.assertTrue(headers["Content-Type"].startswith("application/json"))
        self.assertEqual((event["detail"], event["account"]), ({"eventName": "StartSession"}, MANAGEMENT))
        self.assertRegex(event["time"], r"^\d{4}-\d\d-\d\dT[\d:]+Z$")
        self.assertEqual(CONTROL["deliveries"](MEMBER), [])

    def test_transforms_the_input(self):
        self.rule(self.destination(), InputTransformer={
            "InputPathsMap": {"name": "$.detail.eventName", "who": "$.detail.user", "gone": "$.detail.nothing.here"},
            "InputTemplate": '{"text": "<name> by <who>, <gone>!", "name": <name>, "rule": "<aws.events.rule-name>"}',
        })
        self.put({"eventName": "StartSession", "user": "alice"})
        self.delivery()
        self.assertEqual(json.loads(Receiver.got[0][2]), {"text": "StartSession by alice, !", "name": "StartSession", "rule": "alert"})

    def test_fails_when_the_template_yields_no_json(self):
        self.rule(self.destination(), InputTransformer={
            "InputPathsMap": {"gone": "$.detail.gone"}, "InputTemplate": '{"text": <gone>}'})
        self.put({"a": 1})
        record = self.delivery()
        self.assertEqual((record["status"], record["attempts"]), ("failed", 0))

    def test_retries_what_may_pass(self):
        self.rule(self.destination(), RetryPolicy={"MaximumRetryAttempts": 3})
        Receiver.codes[:] = [409, 429, 503]
        self.put({"a": 1})
        self.assertEqual((self.delivery()["status"], self.delivery()["codes"]), ("delivered", [409, 429, 503, 200]))

    def test_gives_up_after_the_retries(self):
        self.rule(self.destination(), RetryPolicy={"MaximumRetryAttempts": 1})
        Receiver.codes[:] = [500, 500, 500]
        self.put({"a": 1})
        self.assertEqual((self.delivery()["status"], self.delivery()["codes"]), ("failed", [500, 500]))

    def test_drops_what_the_endpoint_refuses(self):
        self.rule(self.destination())
        Receiver.codes[:] = [403]
        self.put({"a": 1})
        self.assertEqual((self.delivery()["status"], self.delivery()["codes"]), ("failed", [403]))

    def test_sends_nothing_beyond_loopback(self):
        self.rule(self.destination("https://hooks.example.com/x"))
        self.put({"a": 1})
        record = self.delivery()
        self.assertEqual((record["status"], record["attempts"], record["url"]), ("failed", 0, "https://hooks.example.com/x"))

    def test_a_disabled_rule_and_read_only_events_match_nothing(self):
        destination = self.destination()
        self.rule(destination, state="DISABLED")
        self.put({"a": 1})
        self.rule(destination)
        self.put({"readOnly": True}, "AWS API Call via CloudTrail")
        self.assertEqual(CONTROL["deliveries"](MANAGEMENT), [])
        self.rule(destination, state="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")
        self.put({"readOnly": True}, "AWS API Call via CloudTrail")
        self.assertEqual(self.delivery()["status"], "delivered")

    def test_refuses_targets_one_by_one(self):
        destination = self.destination()
        answer = self.rule(destination + "x")
        self.assertEqual((answer["FailedEntryCount"], answer["FailedEntries"][0]["TargetId"]), (1, "slack"))
        self.assertEqual(self.rule(destination)["FailedEntryCount"], 0)
        self.assertEqual(error_of(self.rule, destination=destination, RoleArn=None), "ValidationException")
        bad = {"InputPathsMap": {"a": "$.detail['x']"}, "InputTemplate": "<a>"}
        self.assertEqual(error_of(self.rule, destination=destination, InputTransformer=bad), "ValidationException")

    def test_refuses_connections_without_parameters(self):
        self.assertEqual(error_of(self.events.create_connection, Name="c", AuthorizationType="API_KEY"), "ValidationException")
        self.assertEqual(error_of(self.events.create_connection, Name="c", AuthorizationType="BASIC", AuthParameters=KEY), "ValidationException")
        self.connection()
        described = self.events.describe_connection(Name="slack")
        self.assertEqual(described["ConnectionState"], "AUTHORIZED")
        self.assertEqual(described["AuthParameters"]["ApiKeyAuthParameters"], {"ApiKeyName": "Authorization"})
        self.assertEqual(error_of(self.connection), "ResourceAlreadyExistsException")

    def test_refuses_endpoints_that_aws_refuses(self):
        connection = self.connection()
        self.assertEqual(error_of(self.destination, url="http://hooks.example.com", connection=connection), "ValidationException")
        self.assertEqual(error_of(self.destination, connection=connection + "x"), "ResourceNotFoundException")
        rate = dict(Name="d", ConnectionArn=connection, HttpMethod="POST", InvocationEndpoint=self.url)
        self.assertEqual(error_of(self.events.create_api_destination, **rate, InvocationRateLimitPerSecond=0), "ValidationException")
        self.events.create_api_destination(**rate)
        self.assertEqual(self.events.describe_api_destination(Name="d")["InvocationRateLimitPerSecond"], 300)

    def test_refuses_states_that_do_not_exist(self):
        self.assertEqual(error_of(self.events.put_rule, Name="r", EventPattern=PATTERN, State="ON"), "ValidationException")


if __name__ == "__main__":
    unittest.main()
