"""Tests what CloudTrail records of SSM calls, and LookupEvents."""

import json
import unittest
import urllib.error

from cloudtrail_case import AWAY, NODE, REGION, Case, new_account, sandbox
from cloudtrail_case import start as setUpModule  # noqa: F401
from cloudtrail_case import stop as tearDownModule  # noqa: F401


class Records(Case):
    def test_a_session_is_recorded_without_its_token(self):
        answer = self.ssm.start_session(Target=NODE, Reason="look")
        record = self.records()[0]
        self.assertEqual(record["requestParameters"], {"target": NODE, "reason": "look"})
        self.assertEqual(record["responseElements"], {
            "sessionId": answer["SessionId"], "streamUrl": answer["StreamUrl"], "tokenValue": "Value hidden due to security reasons."})
        self.assertEqual(
            {key: record[key] for key in ("eventVersion", "eventSource", "eventName", "awsRegion", "readOnly", "eventType",
                                          "managementEvent", "recipientAccountId", "eventCategory", "sourceIPAddress")},
            {"eventVersion": "1.11", "eventSource": "ssm.amazonaws.com", "eventName": "StartSession", "awsRegion": REGION,
             "readOnly": False, "eventType": "AwsApiCall", "managementEvent": True, "recipientAccountId": self.account,
             "eventCategory": "Management", "sourceIPAddress": "127.0.0.1"})
        self.assertEqual(record["requestID"], answer["ResponseMetadata"]["RequestId"])
        self.assertRegex(record["eventTime"], r"^\d{4}-\d\d-\d\dT[\d:]{8}Z$")
        self.assertRegex(record["eventID"], r"^[0-9a-f]{8}-[0-9a-f-]{27}$")
        self.assertIn("Boto3", record["userAgent"])
        self.assertNotIn("errorCode", record)

    def test_the_static_key_is_an_iam_user(self):
        self.ssm.start_session(Target=NODE)
        self.assertEqual(self.records()[0]["userIdentity"], {
            "type": "IAMUser", "principalId": f"AIDA{self.account}SAND", "arn": f"arn:aws:iam::{self.account}:user/sandbox",
            "accountId": self.account, "accessKeyId": f"AKIA{self.account}", "userName": "sandbox"})

    def test_keys_of_an_assumed_role_name_the_role_and_the_session(self):
        self.seed(roles=[{"account": self.account, "name": "admin", "trust": f"arn:aws:iam::{self.account}:root"}])
        role = f"arn:aws:iam::{self.account}:role/admin"
        keys = self.client("sts").assume_role(RoleArn=role, RoleSessionName="alice")["Credentials"]
        self.client("ssm", access_key=keys["AccessKeyId"], aws_session_token=keys["SessionToken"]).start_session(Target=NODE)
        identity = self.records()[0]["userIdentity"]
        issuer = identity["sessionContext"]["sessionIssuer"]
        self.assertEqual((identity["type"], identity["arn"]), ("AssumedRole", f"arn:aws:sts::{self.account}:assumed-role/admin/alice"))
        self.assertEqual((issuer["type"], issuer["arn"], issuer["userName"]), ("Role", role, "admin"))
        self.assertEqual(identity["principalId"], issuer["principalId"] + ":alice")
        self.assertEqual((self.lookup()[0]["Username"], self.lookup()[0]["AccessKeyId"]), ("alice", keys["AccessKeyId"]))

    def test_the_parameters_of_a_command_are_hidden(self):
        self.ssm.send_command(InstanceIds=[NODE], DocumentName="AWS-RunShellScript", Parameters={"commands": ["secret"]})
        record = self.records()[0]
        self.assertEqual(record["requestParameters"], {
            "instanceIds": [NODE], "documentName": "AWS-RunShellScript", "parameters": "HIDDEN_DUE_TO_SECURITY_REASONS", "interactive": False})
        command = record["responseElements"]["command"]
        self.assertEqual((command["documentName"], command["status"]), ("AWS-RunShellScript", "Pending"))
        self.assertRegex(command["expiresAfter"], r"^[A-Z][a-z]{2} \d+, \d{4}, \d+:\d\d:\d\d [AP]M$")
        self.assertNotIn("secret", json.dumps(record))

    def test_an_empty_answer_is_recorded_as_null(self):
        content = json.dumps({"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": {}})
        self.ssm.create_document(Name="mine", Content=content, DocumentType="Session")
        self.ssm.delete_document(Name="mine")
        deleted, created = self.records()
        self.assertEqual((deleted["requestParameters"], deleted["responseElements"]), ({"name": "mine"}, None))
        self.assertEqual(created["requestParameters"]["content"], content)
        self.assertEqual(created["responseElements"]["documentDescription"]["name"], "mine")

    def test_reading_and_other_services_make_no_record(self):
        self.ssm.describe_sessions(State="Active")
        self.ssm.list_documents()
        self.client("iam").create_user(UserName="x")
        self.assertEqual(self.records(), [])

    def test_a_refused_call_keeps_its_parameters(self):
        self.assertEqual(self.refused(self.ssm.start_session, Target="i-00000000000000000"), "TargetNotConnected")
        record = self.records()[0]
        self.assertEqual((record["errorCode"], record["responseElements"]), ("TargetNotConnected", None))
        self.assertEqual(record["requestParameters"], {"target": "i-00000000000000000"})
        self.assertIn("not connected", record["errorMessage"])

    def test_denied_and_throttled_calls_have_no_parameters(self):
        for kind, answered, recorded in (("denied", "AccessDeniedException", "AccessDenied"),
                                         ("throttle", "ThrottlingException", "ThrottlingException")):
            with self.subTest(kind):
                self.fault(kind=kind)
                self.assertEqual(self.refused(self.ssm.start_session, Target=NODE), answered)
                record = self.records()[0]
                self.assertEqual((record["errorCode"], record["requestParameters"], record["responseElements"]), (recorded, None, None))
                self.assertTrue(record["errorMessage"])

    def test_a_lost_request_is_not_recorded_and_a_lost_answer_is(self):
        self.fault(kind="drop", operation="StartSession")
        with self.assertRaises(Exception):
            self.ssm.start_session(Target=NODE)
        self.assertEqual(self.records(), [])
        self.fault(kind="drop", operation="StartSession", when="after")
        with self.assertRaises(Exception):
            self.ssm.start_session(Target=NODE)
        self.assertIn("sessionId", self.records()[0]["responseElements"])

    def test_accounts_and_regions_share_no_history(self):
        self.ssm.start_session(Target=NODE)
        self.assertEqual(self.records(AWAY), [])
        self.account = new_account()
        self.assertEqual(self.records(), [])


class Lookup(Case):
    def test_the_newest_comes_first_in_pages_of_fifty(self):
        self.seed_past(*[self.past(seconds_ago=60 * n) for n in range(1, 121)])
        cloudtrail = self.client("cloudtrail")
        pages = list(cloudtrail.get_paginator("lookup_events").paginate())
        self.assertEqual([len(page["Events"]) for page in pages], [50, 50, 20])
        events = [event["EventId"] for page in pages for event in page["Events"]]
        self.assertEqual(events, [f"StartSession-{60 * n}" for n in range(1, 121)])
        self.assertEqual(len(cloudtrail.lookup_events(MaxResults=7)["Events"]), 7)
        for size in (0, 51):
            self.assertEqual(self.refused(cloudtrail.lookup_events, MaxResults=size), "InvalidMaxResultsException")

    def test_a_record_between_two_pages_shifts_nothing(self):
        self.seed_past(self.past(seconds_ago=20), self.past(seconds_ago=10))
        cloudtrail = self.client("cloudtrail")
        first = cloudtrail.lookup_events(MaxResults=1)
        self.ssm.start_session(Target=NODE)
        second = cloudtrail.lookup_events(MaxResults=1, NextToken=first["NextToken"])
        self.assertEqual([second["Events"][0]["EventId"], "NextToken" in second], ["StartSession-20", False])

    def test_a_token_is_for_the_same_parameters(self):
        self.seed_past(self.past(seconds_ago=20), self.past(seconds_ago=10))
        cloudtrail = self.client("cloudtrail")
        token = cloudtrail.lookup_events(MaxResults=1)["NextToken"]
        named = [{"AttributeKey": "EventName", "AttributeValue": "StartSession"}]
        for request in ({"NextToken": token, "LookupAttributes": named}, {"NextToken": "made-up"}, {"NextToken": "NQ=="}):
            self.assertEqual(self.refused(cloudtrail.lookup_events, **request), "InvalidNextTokenException")

    def test_each_attribute_selects(self):
        resource = {"ARN": "arn:aws:s3:::b", "type": "AWS::S3::Bucket"}
        bob = {"type": "AssumedRole", "principalId": "AROAX:bob", "accessKeyId": "ASIABOB"}
        self.seed_past(
            self.past("StartSession", 10),
            self.past("PutBucketPolicy", 20, eventSource="s3.amazonaws.com", resources=[resource], userIdentity=bob),
            self.past("DescribeSessions", 30, readOnly=True, userIdentity={"type": "Root"}),
        )
        for key, value, expected in (
            ("EventId", "StartSession-10", ["StartSession"]), ("EventName", "StartSession", ["StartSession"]),
            ("ReadOnly", "false", ["StartSession", "PutBucketPolicy"]), ("ReadOnly", "true", ["DescribeSessions"]),
            ("Username", "alice", ["StartSession"]), ("Username", "bob", ["PutBucketPolicy"]), ("Username", "root", ["DescribeSessions"]),
            ("ResourceType", "AWS::S3::Bucket", ["PutBucketPolicy"]), ("ResourceName", "arn:aws:s3:::b", ["PutBucketPolicy"]),
            ("EventSource", "ssm.amazonaws.com", ["StartSession", "DescribeSessions"]), ("AccessKeyId", "ASIABOB", ["PutBucketPolicy"]),
            ("EventName", "startsession", []),
        ):
            with self.subTest(key, value=value):
                found = self.lookup(LookupAttributes=[{"AttributeKey": key, "AttributeValue": value}])
                self.assertEqual([event["EventName"] for event in found], expected)
        self.assertEqual(self.lookup()[1]["Resources"], [{"ResourceType": "AWS::S3::Bucket", "ResourceName": "arn:aws:s3:::b"}])
        self.assertEqual(self.lookup()[2]["ReadOnly"], "true")
        self.assertNotIn("AccessKeyId", self.lookup()[2])

    def test_one_attribute_at_most(self):
        one = {"AttributeKey": "EventName", "AttributeValue": "StartSession"}
        for attributes in ([one, one], [one | {"AttributeKey": "Region"}], [one | {"AttributeValue": ""}]):
            self.assertEqual(self.refused(self.lookup, LookupAttributes=attributes), "InvalidLookupAttributesException")

    def test_both_ends_of_the_time_belong_to_it(self):
        self.seed_past(*[self.past(seconds_ago=n) for n in (100, 200, 300, 91 * 24 * 3600)])
        times = [event["EventTime"] for event in self.lookup()]
        self.assertEqual(len(times), 3)  # 90 days are kept
        self.assertEqual([e["EventTime"] for e in self.lookup(StartTime=times[1])], times[:2])
        self.assertEqual([e["EventTime"] for e in self.lookup(EndTime=times[1])], times[1:])
        self.assertEqual([e["EventTime"] for e in self.lookup(StartTime=times[1], EndTime=times[1])], [times[1]])
        self.assertEqual(self.refused(self.lookup, StartTime=times[0], EndTime=times[1]), "InvalidTimeRangeException")

    def test_insights_are_another_category(self):
        self.seed_past(self.past())
        self.assertEqual(self.lookup(EventCategory="insight"), [])
        self.assertEqual(self.refused(self.lookup, EventCategory="data"), "InvalidEventCategoryException")

    def test_the_cli_pages_through_all(self):
        self.seed_past(*[self.past(seconds_ago=60 * n) for n in range(1, 61)])
        done = sandbox().aws(self.account, "cloudtrail", "lookup-events", "--query", "length(Events)")
        self.assertEqual((done.returncode, done.stdout), (0, "60\n"))

    def test_a_seeded_record_must_be_one(self):
        with self.assertRaises(urllib.error.HTTPError) as raised:
            self.seed_past({"eventName": "StartSession"})
        raised.exception.close()
        self.assertEqual(raised.exception.code, 400)


if __name__ == "__main__":
    unittest.main()
