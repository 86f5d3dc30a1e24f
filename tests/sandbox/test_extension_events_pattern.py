"""Tests the EventBridge pattern language of the sandbox, through the API."""

import json
import unittest

import quotas
from test_extension_server import MANAGEMENT, client, error_of, reset

EVENT = {
    "version": "0", "id": "1", "account": "111111111111", "source": "aws.ssm", "time": "2026-01-02T03:04:05Z",
    "region": "eu-central-1", "resources": ["arn:a", "arn:b"], "detail-type": "AWS API Call via CloudTrail",
    "detail": {
        "eventName": "StartSession", "count": 5, "size": 300.0, "flag": True, "none": None, "empty": [],
        "ip": "10.1.2.3", "six": "2001:db8::1", "path": "a*b\\c",
        "tags": [{"k": "a", "v": "1"}, {"k": "b", "v": "2"}], "nested": [[{"k": "a"}, {"k": "b", "v": "2"}]],
        "some": [{"k": "a"}, {"v": "2"}], "large": 9007199254740993,
    },
}

# Each case is the pattern of `detail` (or the whole pattern) and the expected result.
CASES = [
    ("exact", {"eventName": ["Other", "StartSession"]}, True),
    ("exact is case-sensitive", {"eventName": ["startsession"]}, False),
    ("every field must match", {"eventName": ["StartSession"], "count": [6]}, False),
    ("numbers compare by value", {"size": [300]}, True),
    ("number is no string", {"count": ["5"]}, False),
    ("true", {"flag": [True]}, True),
    ("true is not 1", {"flag": [1]}, False),
    ("null", {"none": [None]}, True),
    ("null is not absent", {"missing": [None]}, False),
    ("prefix", {"eventName": [{"prefix": "Start"}]}, True),
    ("prefix without case", {"eventName": [{"prefix": {"equals-ignore-case": "sTART"}}]}, True),
    ("suffix", {"eventName": [{"suffix": "Session"}]}, True),
    ("suffix without case", {"eventName": [{"suffix": {"equals-ignore-case": "SESSION"}}]}, True),
    ("equals-ignore-case", {"eventName": [{"equals-ignore-case": "STARTSESSION"}]}, True),
    ("wildcard", {"eventName": [{"wildcard": "S*t*Sess*"}]}, True),
    ("wildcard matches all of it", {"eventName": [{"wildcard": "Start"}]}, False),
    ("wildcard escapes", {"path": [{"wildcard": "a\\*b\\\\*"}]}, True),
    ("anything-but", {"eventName": [{"anything-but": "SendCommand"}]}, True),
    ("anything-but list", {"eventName": [{"anything-but": ["a", "StartSession"]}]}, False),
    ("anything-but number", {"count": [{"anything-but": [5]}]}, False),
    ("anything-but needs the field", {"missing": [{"anything-but": "x"}]}, False),
    ("anything-but prefix", {"eventName": [{"anything-but": {"prefix": "Start"}}]}, False),
    ("anything-but prefixes", {"eventName": [{"anything-but": {"prefix": ["Stop", "Send"]}}]}, True),
    ("anything-but suffix", {"eventName": [{"anything-but": {"suffix": "Session"}}]}, False),
    ("anything-but ignoring case", {"eventName": [{"anything-but": {"equals-ignore-case": ["STARTSESSION"]}}]}, False),
    ("anything-but wildcard", {"eventName": [{"anything-but": {"wildcard": "*Command"}}]}, True),
    ("numeric", {"count": [{"numeric": [">", 0, "<=", 5]}]}, True),
    ("numeric equals", {"size": [{"numeric": ["=", 300]}]}, True),
    ("numeric out of range", {"count": [{"numeric": ["<", 5]}]}, False),
    ("exists", {"eventName": [{"exists": True}]}, True),
    ("exists false", {"errorCode": [{"exists": False}]}, True),
    ("exists sees leaves only", {"tags": [{"exists": True}]}, False),
    ("absent below an absent object", {"a": {"b": [{"exists": False}]}}, True),
    ("cidr", {"ip": [{"cidr": "10.0.0.0/8"}]}, True),
    ("cidr outside", {"ip": [{"cidr": "10.2.0.0/16"}]}, False),
    ("cidr v6", {"six": [{"cidr": "2001:db8::/32"}]}, True),
    ("an address, however written", {"six": ["2001:0db8::1"]}, True),
    ("an address as text", {"six": [{"prefix": "2001:0db8::1"}]}, False),
    ("or", {"$or": [{"eventName": ["x"]}, {"count": [{"numeric": [">=", 5]}]}]}, True),
    ("or and a field", {"$or": [{"eventName": ["x"]}, {"count": [5]}], "ip": ["x"]}, False),
    ("or in or", {"$or": [{"count": [1]}, {"$or": [{"count": [2]}, {"count": [5]}]}]}, True),
    ("array of objects", {"tags": {"k": ["b"], "v": ["2"]}}, True),
    ("array of objects, one element", {"tags": {"k": ["a"], "v": ["2"]}}, False),
    ("array of objects in an array", {"nested": {"k": ["b"], "v": ["2"]}}, True),
    ("absent from the element that fits", {"some": {"k": ["a"], "v": [{"exists": False}]}}, True),
    ("absent from every element, where none has been chosen", {"some": {"k": [{"exists": False}], "v": ["2"]}}, False),
    ("a number beyond doubles is not compared", {"large": [{"numeric": [">", 0]}]}, False),
]

INVALID = {
    "syntax": "{",
    "not an object": "[]",
    "empty": "{}",
    "bare value": '{"source": "aws.ssm"}',
    "empty array": '{"source": []}',
    "empty object": '{"detail": {}}',
    "unknown operator": '{"source": [{"regex": "x"}]}',
    "two operators": '{"source": [{"prefix": "a", "suffix": "b"}]}',
    "prefix number": '{"source": [{"prefix": 1}]}',
    "two stars": '{"source": [{"wildcard": "a**b"}]}',
    "escape": '{"source": [{"wildcard": "a\\\\b"}]}',
    "numeric operator": '{"a": [{"numeric": ["~", 1]}]}',
    "numeric range": '{"a": [{"numeric": [">", 5, "<", 1]}]}',
    "numeric size": '{"a": [{"numeric": ["<", 6000000000]}]}',
    "exists text": '{"a": [{"exists": "yes"}]}',
    "cidr": '{"a": [{"cidr": "10.0.0.0"}]}',
    "cidr of one address": '{"a": [{"cidr": "10.0.0.1/32"}]}',
    "cidr without a number": '{"a": [{"cidr": "10.0.0.0/"}]}',
    "cidr of no text": '{"a": [{"cidr": 10}]}',
    "mixed anything-but": '{"a": [{"anything-but": ["a", 1]}]}',
    "anything-but operator": '{"a": [{"anything-but": {"numeric": ["=", 1]}}]}',
    "or of one": '{"$or": [{"a": ["b"]}]}',
    "or with a keyword": '{"$or": [{"a": ["b"]}, {"prefix": ["b"]}]}',
    "too long": json.dumps({"source": ["x" * 4096]}),
}


class Patterns(unittest.TestCase):
    def setUp(self):
        reset()
        self.events = client("events")

    def result(self, pattern):
        return self.events.test_event_pattern(EventPattern=json.dumps(pattern), Event=json.dumps(EVENT))["Result"]

    def test_matches(self):
        for name, detail, expected in CASES:
            with self.subTest(name):
                self.assertEqual(self.result({"detail": detail}), expected)

    def test_matches_any_element_of_an_array(self):
        self.assertTrue(self.result({"resources": [{"suffix": ":b"}]}))
        self.assertTrue(self.result({"resources": [{"anything-but": "arn:a"}]}))

    def test_refuses_invalid_patterns(self):
        for name, pattern in INVALID.items():
            with self.subTest(name):
                self.assertEqual(error_of(self.events.test_event_pattern, EventPattern=pattern, Event=json.dumps(EVENT)), "InvalidEventPatternException")
                self.assertEqual(error_of(self.events.put_rule, Name="r", EventPattern=pattern), "InvalidEventPatternException")

    def test_refuses_an_event_without_its_envelope(self):
        for event in ("{", "[]", json.dumps({"source": "aws.ssm"})):
            self.assertEqual(error_of(self.events.test_event_pattern, EventPattern='{"source": ["a"]}', Event=event), "ValidationException")

    def test_the_quota_of_a_rule_is_below_what_the_model_allows_until_it_is_raised(self):
        pattern = lambda characters: json.dumps({"source": ["x" * (characters - 16)]})
        self.assertEqual(len(pattern(2048)), 2048)
        rule = lambda characters: error_of(self.events.put_rule, Name="r", EventPattern=pattern(characters))
        self.assertEqual((rule(2048), rule(2049)), ("none", "LimitExceededException"))
        # TestEventPattern has no quota.
        self.assertFalse(self.result({"source": ["x" * 2049]}))
        raised = json.dumps({"account": MANAGEMENT, "event_pattern_characters": 4096}).encode()
        quotas.post_quotas({}, raised)
        self.addCleanup(quotas.post_quotas, {}, json.dumps({"account": MANAGEMENT}).encode())
        self.assertEqual((rule(4096), rule(4097)), ("none", "InvalidEventPatternException"))
        for wrong in ({"events": 1}, {"event_pattern_characters": "4096"}):
            with self.assertRaises(ValueError):
                quotas.post_quotas({}, json.dumps({"account": MANAGEMENT} | wrong).encode())


if __name__ == "__main__":
    unittest.main()
