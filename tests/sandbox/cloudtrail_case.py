"""Owns what the tests of CloudTrail share: a sandbox for each module, an account with a node for each test. No tests."""

import json
import time
import unittest

import sandbox_server
from botocore.exceptions import ClientError

REGION, AWAY = "us-east-1", "eu-west-1"
NODE = "i-0123456789abcdef0"
CORE = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"

_numbers = iter(range(510000000001, 519999999999))
_running = []


def start():
    """Starts the sandbox of a test module."""
    _running.append(sandbox_server.Served())


def stop():
    """Ends it."""
    _running.pop().stop()


def sandbox():
    """Returns the one that runs."""
    return _running[-1]


def new_account():
    """Returns an account that no test has used."""
    return str(next(_numbers))


class Case(unittest.TestCase):
    """Gives every test an account with a node."""

    def setUp(self):
        self.account = new_account()
        self.seed(
            roles=[{"account": self.account, "name": "node", "trust": "ec2.amazonaws.com", "managed_policies": [CORE], "instance_profile": True}],
            nodes=[{"account": self.account, "region": REGION, "instance_id": NODE, "profile": "node", "agent": {"version": "3.3.987.0"}}],
        )
        self.ssm = self.client("ssm")

    def client(self, service, region=REGION, **keys):
        return sandbox().client(service, self.account, region, **keys)

    def seed(self, **estate):
        sandbox().control("POST", "/_sandbox/estate", estate)

    def lookup(self, region=REGION, **request):
        return self.client("cloudtrail", region).lookup_events(**request)["Events"]

    def records(self, region=REGION, **request):
        return [json.loads(event["CloudTrailEvent"]) for event in self.lookup(region, **request)]

    def refused(self, function, **parameters):
        with self.assertRaises(ClientError) as raised:
            function(**parameters)
        return raised.exception.response["Error"]["Code"]

    def fault(self, **fault):
        sandbox().fault(account=self.account, **fault)

    def past(self, name="StartSession", seconds_ago=3600, **fields):
        """Returns a record of the past."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - seconds_ago))
        return {
            "eventVersion": "1.08", "eventID": f"{name}-{seconds_ago}", "eventName": name, "eventTime": moment, "awsRegion": REGION,
            "eventSource": "ssm.amazonaws.com", "readOnly": False, "eventType": "AwsApiCall", "recipientAccountId": self.account,
            "userIdentity": {"type": "IAMUser", "userName": "alice", "accessKeyId": "AKIAALICE"},
        } | fields

    def seed_past(self, *records):
        self.seed(cloudtrail_records=[{"account": self.account, "region": REGION, "record": record} for record in records])
