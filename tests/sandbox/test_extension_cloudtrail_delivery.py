"""Tests where a CloudTrail record goes besides the history: EventBridge and the bucket of a trail; and who else may put events."""

import gzip
import hashlib
import json
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cloudtrail_case import AWAY, NODE, REGION, Case, sandbox
from cloudtrail_case import start as setUpModule  # noqa: F401
from cloudtrail_case import stop as tearDownModule  # noqa: F401
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

PATTERN = json.dumps({"source": ["aws.ssm"], "detail": {"eventSource": ["ssm.amazonaws.com"]}})


class Receiver(BaseHTTPRequestHandler):
    """Answers 200 and keeps the events that it got."""

    got: list[dict] = []

    def do_POST(self):
        self.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


class Delivery(Case):
    @classmethod
    def setUpClass(cls):
        cls.receiver = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        threading.Thread(target=cls.receiver.serve_forever, daemon=True).start()

    @classmethod
    def tearDownClass(cls):
        cls.receiver.shutdown()
        cls.receiver.server_close()

    def setUp(self):
        super().setUp()
        Receiver.got.clear()

    def rule(self, region=REGION, pattern=PATTERN):
        events = self.client("events", region)
        key = {"ApiKeyAuthParameters": {"ApiKeyName": "k", "ApiKeyValue": "v"}}
        connection = events.create_connection(Name="slack", AuthorizationType="API_KEY", AuthParameters=key)["ConnectionArn"]
        destination = events.create_api_destination(
            Name="slack", ConnectionArn=connection, HttpMethod="POST", InvocationEndpoint=f"http://127.0.0.1:{self.receiver.server_port}/")
        events.put_rule(Name="ssm", EventPattern=pattern, State="ENABLED")
        role = f"arn:aws:iam::{self.account}:role/events"
        events.put_targets(Rule="ssm", Targets=[{"Id": "slack", "Arn": destination["ApiDestinationArn"], "RoleArn": role}])

    def trail(self, name="all", region=REGION, **more):
        bucket = f"trail-{self.account}"
        s3 = self.client("s3")
        s3.create_bucket(Bucket=bucket)
        service = {"Service": "cloudtrail.amazonaws.com"}
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": service, "Action": "s3:GetBucketAcl", "Resource": f"arn:aws:s3:::{bucket}"},
            {"Effect": "Allow", "Principal": service, "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/*"}]}))
        cloudtrail = self.client("cloudtrail", region)
        cloudtrail.create_trail(Name=name, S3BucketName=bucket, **more)
        cloudtrail.start_logging(Name=name)
        return cloudtrail

    def deliveries(self, count):
        """Waits until nothing is pending, and expects so many deliveries."""
        for _ in range(500):
            found = sandbox().control("GET", f"/_sandbox/deliveries?account={self.account}")
            if all(entry["status"] != "pending" for entry in found):
                break
            time.sleep(0.01)
        self.assertEqual([entry["status"] for entry in found], ["delivered"] * count)

    def test_a_logging_trail_brings_the_record_to_eventbridge(self):
        self.rule()
        self.trail()
        self.ssm.start_session(Target=NODE)
        self.deliveries(1)
        event, record = Receiver.got[0], self.records()[0]
        self.assertEqual(event["detail"], record)
        self.assertEqual({key: value for key, value in event.items() if key not in ("detail", "id")}, {
            "version": "0", "detail-type": "AWS API Call via CloudTrail", "source": "aws.ssm", "account": self.account,
            "time": record["eventTime"], "region": REGION, "resources": []})

    def test_without_a_logging_trail_eventbridge_gets_nothing(self):
        self.rule()
        self.ssm.start_session(Target=NODE)
        cloudtrail = self.trail()
        cloudtrail.stop_logging(Name="all")
        self.ssm.start_session(Target=NODE)
        cloudtrail.start_logging(Name="all")
        cloudtrail.put_event_selectors(TrailName="all", EventSelectors=[{"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True}])
        self.ssm.start_session(Target=NODE)
        self.deliveries(0)
        self.assertEqual(len(self.records()), 3)

    def test_a_trail_of_another_region_counts_if_it_is_multi_region(self):
        self.rule()
        cloudtrail = self.trail(region=AWAY)
        self.ssm.start_session(Target=NODE)
        self.deliveries(0)
        cloudtrail.update_trail(Name="all", IsMultiRegionTrail=True)
        self.ssm.start_session(Target=NODE)
        self.deliveries(1)

    def test_two_trails_bring_an_event_once(self):
        self.rule()
        self.trail()
        self.trail("more")
        self.ssm.start_session(Target=NODE)
        self.deliveries(1)

    def test_log_files_are_written_on_demand(self):
        self.trail(IsMultiRegionTrail=True, S3KeyPrefix="pre")
        flush = f"/_sandbox/flush-trails?account={self.account}"
        self.assertEqual(sandbox().control("POST", flush), [])
        self.ssm.start_session(Target=NODE)
        self.refused(self.client("ssm", AWAY).start_session, Target=NODE)
        written = sandbox().control("POST", flush)
        self.assertEqual([(one["bucket"], one["records"]) for one in written], [(f"trail-{self.account}", 1)] * 2)
        for one, region in zip(written, (AWAY, REGION)):
            self.assertRegex(one["key"], rf"^pre/AWSLogs/{self.account}/CloudTrail/{region}/\d{{4}}/\d\d/\d\d/"
                                         rf"{self.account}_CloudTrail_{region}_\d{{8}}T\d{{4}}Z_[A-Za-z0-9]{{16}}\.json\.gz$")
            body = self.client("s3").get_object(Bucket=one["bucket"], Key=one["key"])["Body"].read()
            self.assertEqual(json.loads(gzip.decompress(body)), {"Records": self.records(region)})
        self.assertEqual(sandbox().control("POST", flush), [])

    def test_log_files_wait_for_a_bucket_that_lets_cloudtrail_write(self):
        self.trail()
        self.ssm.start_session(Target=NODE)
        bucket, flush = f"trail-{self.account}", f"/_sandbox/flush-trails?account={self.account}"
        policy = self.client("s3").get_bucket_policy(Bucket=bucket)["Policy"]
        self.client("s3").delete_bucket_policy(Bucket=bucket)
        self.assertIn("error", sandbox().control("POST", flush)[0])
        self.client("s3").put_bucket_policy(Bucket=bucket, Policy=policy)
        self.assertEqual(sandbox().control("POST", flush)[0]["records"], 1)

    def test_digests_name_the_log_files_of_their_time_and_each_other(self):
        cloudtrail = self.trail(EnableLogFileValidation=True)
        self.assertTrue(cloudtrail.describe_trails()["trailList"][0]["LogFileValidationEnabled"])
        where = {"trail": "all", "region": REGION}
        url = f"/_sandbox/%s?account={self.account}"
        log = sandbox().control("POST", url % "log-files", where | {"time": "2026-11-03T10:05:00Z", "records": [self.past()]})[0]
        hours = [{"from": f"2026-11-03T1{hour}:00:00Z", "to": f"2026-11-03T1{hour + 1}:00:00Z"} for hour in (0, 1)]
        first, second = (sandbox().control("POST", url % "digests", where | hour)[0] for hour in hours)
        self.assertRegex(first["key"], rf"^AWSLogs/{self.account}/CloudTrail-Digest/{REGION}/2026/11/03/"
                                       rf"{self.account}_CloudTrail-Digest_{REGION}_all_{REGION}_20261103T110000Z\.json\.gz$")
        objects = [self.client("s3").get_object(Bucket=one["bucket"], Key=one["key"]) for one in (first, second)]
        texts = [gzip.decompress(one["Body"].read()) for one in objects]
        digests = [json.loads(text) for text in texts]
        self.assertEqual([file["s3Object"] for file in digests[0]["logFiles"]], [log["key"]])
        self.assertEqual((digests[0]["previousDigestS3Object"], digests[1]["logFiles"]), (None, []))
        self.assertEqual(digests[1]["previousDigestS3Object"], first["key"])
        self.assertEqual(digests[1]["previousDigestHashValue"], hashlib.sha256(texts[0]).hexdigest())
        self.assertEqual(digests[1]["previousDigestSignature"], objects[0]["Metadata"]["signature"])
        key = cloudtrail.list_public_keys()["PublicKeyList"][0]
        self.assertEqual(key["Fingerprint"], digests[0]["digestPublicKeyFingerprint"])
        public = load_der_public_key(key["Value"])
        signed = "\n".join(["2026-11-03T11:00:00Z", f"{first['bucket']}/{first['key']}", hashlib.sha256(texts[0]).hexdigest(), "null"])
        public.verify(bytes.fromhex(objects[0]["Metadata"]["signature"]), signed.encode(), PKCS1v15(), SHA256())

    def test_a_trail_without_validation_writes_no_digest(self):
        self.trail()
        body = {"trail": "all", "region": REGION, "from": "2026-11-03T10:00:00Z", "to": "2026-11-03T11:00:00Z"}
        with self.assertRaisesRegex(Exception, "400"):
            sandbox().control("POST", f"/_sandbox/digests?account={self.account}", body)

    def test_tests_put_any_event_of_cloudtrail(self):
        self.rule()
        url = f"/_sandbox/events?account={self.account}&region={REGION}"
        record = self.past(errorCode="AccessDenied")
        sandbox().control("POST", url, record)
        sandbox().control("POST", url, {"Records": [record, record]})
        envelope = {"detail-type": "AWS API Call via CloudTrail", "source": "aws.ssm", "id": "7", "time": "2024-08-02T09:08:56Z", "detail": record}
        sandbox().control("POST", url, [envelope])
        self.deliveries(4)
        self.assertEqual([event["detail"] for event in Receiver.got], [record] * 4)
        one = next(event for event in Receiver.got if event["id"] == "7")
        self.assertEqual((one["time"], one["account"], one["region"]), ("2024-08-02T09:08:56Z", self.account, REGION))
        self.assertEqual(self.records(), [])

    def test_nobody_puts_events_of_aws(self):
        self.rule(pattern=json.dumps({"source": ["mine", "aws.ssm", "aws-like"]}))
        entries = [{"Source": source, "DetailType": "t", "Detail": "{}"} for source in ("aws.ssm", "mine", "aws-like")]
        done = sandbox().aws(self.account, "events", "put-events", "--entries", json.dumps(entries))
        answer = json.loads(done.stdout)
        self.assertEqual(answer["FailedEntryCount"], 1)
        self.assertEqual(answer["Entries"][0]["ErrorCode"], "NotAuthorizedForSourceException")
        self.assertTrue(all("EventId" in entry for entry in answer["Entries"][1:]))
        self.deliveries(2)
        self.assertEqual({event["source"] for event in Receiver.got}, {"mine", "aws-like"})


if __name__ == "__main__":
    unittest.main()
