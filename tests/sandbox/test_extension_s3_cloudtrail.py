"""Tests buckets, and the trails that are written to them."""

import json
import unittest

from botocore.exceptions import ClientError
from test_extension_server import MANAGEMENT, MEMBER, client, error_of, reset

HOME, AWAY = "eu-central-1", "eu-west-1"


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def statement(principal, action, resource, **more):
    return {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": f"arn:aws:s3:::{resource}"} | more


class Buckets(unittest.TestCase):
    def setUp(self):
        reset()
        self.s3 = client("s3", region=HOME)
        self.create("logs-1")

    def create(self, name, **more):
        self.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": HOME}, **more)

    def status(self, account, region, bucket="logs-1"):
        """Returns the status of a plain HeadBucket, and the Region that the answer names."""
        s3 = client("s3", account, region)
        # botocore follows the redirect by itself unless its handler is taken away.
        s3.meta.events.unregister("needs-retry.s3", unique_id=None)
        seen = []
        s3.meta.events.register("before-parse.s3", lambda response_dict, **_: seen.append(response_dict))
        try:
            s3.head_bucket(Bucket=bucket)
        except ClientError:
            pass
        return seen[0]["status_code"], seen[0]["headers"].get("x-amz-bucket-region")

    def test_refuses_names_outside_the_rules(self):
        for name in ("Upper", "ab", "a_b", "192.168.1.1", "a..b", "xn--abc", "logs-s3alias", "-logs"):
            with self.subTest(name):
                self.assertIn(error_of(self.create, name=name), ("InvalidBucketName",))

    def test_object_lock_comes_to_a_versioned_bucket_and_stays(self):
        lock = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}}
        put = dict(Bucket="logs-1", ObjectLockConfiguration=lock)
        self.assertEqual(error_of(self.s3.get_object_lock_configuration, Bucket="logs-1"), "ObjectLockConfigurationNotFoundError")
        self.assertEqual(error_of(self.s3.put_object_lock_configuration, **put), "InvalidBucketState")
        self.s3.put_bucket_versioning(Bucket="logs-1", VersioningConfiguration={"Status": "Enabled"})
        before = self.s3.put_object(Bucket="logs-1", Key="before", Body=b"x")["VersionId"]
        self.s3.put_object_lock_configuration(**put)
        after = self.s3.put_object(Bucket="logs-1", Key="after", Body=b"x", ChecksumAlgorithm="SHA256")["VersionId"]
        self.assertEqual(error_of(self.s3.delete_object, Bucket="logs-1", Key="before", VersionId=before), "none")
        self.assertEqual(error_of(self.s3.delete_object, Bucket="logs-1", Key="after", VersionId=after, BypassGovernanceRetention=True), "AccessDenied")
        suspend = dict(Bucket="logs-1", VersioningConfiguration={"Status": "Suspended"})
        self.assertEqual(error_of(self.s3.put_bucket_versioning, **suspend), "InvalidBucketState")
        self.s3.put_object_lock_configuration(Bucket="logs-1", ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"})
        self.assertNotIn("Rule", self.s3.get_object_lock_configuration(Bucket="logs-1")["ObjectLockConfiguration"])
        self.assertEqual(error_of(self.s3.delete_object, Bucket="logs-1", Key="after", VersionId=after), "AccessDenied")

    def test_a_denial_counts_under_its_condition_only(self):
        deny = statement("*", "s3:*", "logs-1/*", Effect="Deny")
        for condition, error in (({}, "403"), ({"Condition": {"Bool": {"aws:SecureTransport": "false"}}}, "none")):
            self.s3.put_bucket_policy(Bucket="logs-1", Policy=policy(deny | condition))
            with self.subTest(condition):
                self.assertEqual(error_of(self.s3.put_object, Bucket="logs-1", Key="a", Body=b"x"), error)

    def test_another_account_reads_encryption_as_the_policy_lets_it_and_names_the_owner(self):
        s3 = client("s3", MEMBER, HOME)
        self.assertEqual(error_of(s3.get_bucket_encryption, Bucket="logs-1"), "AccessDenied")
        allowed = policy(statement({"AWS": f"arn:aws:iam::{MEMBER}:root"}, "s3:GetEncryptionConfiguration", "logs-1"))
        self.s3.put_bucket_policy(Bucket="logs-1", Policy=allowed)
        self.assertEqual(error_of(s3.get_bucket_encryption, Bucket="logs-1"), "none")
        self.assertEqual(error_of(s3.head_bucket, Bucket="logs-1"), "403")
        for owner, error in ((MEMBER, "AccessDenied"), (MANAGEMENT, "none")):
            self.assertEqual(error_of(s3.get_bucket_encryption, Bucket="logs-1", ExpectedBucketOwner=owner), error)

    def test_names_that_end_in_an_are_the_accounts_own(self):
        own = f"logs-{MANAGEMENT}-eu-central-1-an"
        for name, namespace in (
            (own, {}), ("logs-an", {}), (own, {"BucketNamespace": "global"}), ("logs", {"BucketNamespace": "account-regional"}),
            (own.replace(MANAGEMENT, MEMBER), {"BucketNamespace": "account-regional"}),
            (own.replace("eu-central-1", "eu-west-1"), {"BucketNamespace": "account-regional"}),
            (own.removeprefix("logs"), {"BucketNamespace": "account-regional"}),
        ):
            with self.subTest(f"{name} {namespace}"):
                self.assertEqual(error_of(self.create, name=name, **namespace), "InvalidBucketName")
        self.create(name=own, BucketNamespace="account-regional")
        self.s3.put_bucket_versioning(Bucket=own, VersioningConfiguration={"Status": "Enabled"})
        self.assertEqual(self.s3.get_bucket_versioning(Bucket=own)["Status"], "Enabled")

    def test_new_buckets_are_encrypted_and_private(self):
        rule = self.s3.get_bucket_encryption(Bucket="logs-1")["ServerSideEncryptionConfiguration"]["Rules"][0]
        self.assertEqual(rule["ApplyServerSideEncryptionByDefault"], {"SSEAlgorithm": "AES256"})
        block = self.s3.get_public_access_block(Bucket="logs-1")["PublicAccessBlockConfiguration"]
        self.assertEqual(set(block.values()), {True})
        self.assertEqual(len(block), 4)

    def test_keeps_the_encryption_that_was_put(self):
        for algorithm in ("aws:kms", "aws:kms:dsse"):
            wanted = {"SSEAlgorithm": algorithm, "KMSMasterKeyID": "arn:aws:kms:eu-central-1:111111111111:key/x"}
            self.s3.put_bucket_encryption(Bucket="logs-1", ServerSideEncryptionConfiguration={
                "Rules": [{"ApplyServerSideEncryptionByDefault": wanted, "BucketKeyEnabled": True}]})
            rule = self.s3.get_bucket_encryption(Bucket="logs-1")["ServerSideEncryptionConfiguration"]["Rules"][0]
            self.assertEqual((rule["ApplyServerSideEncryptionByDefault"], rule["BucketKeyEnabled"]), (wanted, True))
        self.s3.delete_bucket_encryption(Bucket="logs-1")
        rule = self.s3.get_bucket_encryption(Bucket="logs-1")["ServerSideEncryptionConfiguration"]["Rules"][0]
        self.assertEqual(rule["ApplyServerSideEncryptionByDefault"], {"SSEAlgorithm": "AES256"})

    def test_refuses_malformed_policies(self):
        everyone = {"AWS": f"arn:aws:iam::{MEMBER}:root"}
        cases = {
            "syntax": "{",
            "no principal": policy({"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::logs-1"}),
            "other bucket": policy(statement(everyone, "s3:*", "other")),
            "other service": policy(statement(everyone, "ssm:*", "logs-1")),
        }
        for name, document in cases.items():
            with self.subTest(name):
                self.assertEqual(error_of(self.s3.put_bucket_policy, Bucket="logs-1", Policy=document), "MalformedPolicy")
        public = policy(statement("*", "s3:GetObject", "logs-1/*"))
        self.assertEqual(error_of(self.s3.put_bucket_policy, Bucket="logs-1", Policy=public), "AccessDenied")

    def test_objects_of_a_bucket_that_refuses_plain_http_are_read(self):
        plain = {"Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
        self.s3.put_bucket_policy(Bucket="logs-1", Policy=policy(statement("*", "s3:*", "logs-1/*", **plain)))
        self.s3.put_object(Bucket="logs-1", Key="a", Body=b"text")
        self.assertEqual(self.s3.get_object(Bucket="logs-1", Key="a")["Body"].read(), b"text")

    def test_answers_other_accounts_as_the_policy_says(self):
        self.assertEqual(self.status(MANAGEMENT, HOME), (200, HOME))
        self.assertEqual(self.status(MEMBER, HOME)[0], 403)
        self.assertEqual(self.status(MANAGEMENT, HOME, "nowhere")[0], 404)
        shared = policy(statement({"AWS": f"arn:aws:iam::{MEMBER}:root"}, "s3:ListBucket", "logs-1"))
        self.s3.put_bucket_policy(Bucket="logs-1", Policy=shared)
        self.assertEqual(self.status(MEMBER, HOME)[0], 200)
        self.assertEqual(error_of(client("s3", MEMBER, HOME).put_object, Bucket="logs-1", Key="a", Body=b"x"), "AccessDenied")

    def test_redirects_to_the_region_of_the_bucket(self):
        self.assertEqual(self.status(MANAGEMENT, AWAY), (301, HOME))
        self.assertEqual(client("s3", region=AWAY).get_bucket_location(Bucket="logs-1")["LocationConstraint"], HOME)

    def test_says_the_region_of_anothers_bucket_by_head_bucket_alone(self):
        principal = {"AWS": f"arn:aws:iam::{MEMBER}:root"}
        self.s3.put_bucket_policy(Bucket="logs-1", Policy=policy(statement(principal, ["s3:ListBucket", "s3:GetBucketLocation"], "logs-1")))
        self.assertEqual(client("s3", MEMBER, HOME).get_bucket_location(Bucket="logs-1")["LocationConstraint"], HOME)
        # The policy of the bucket does not apply there.
        self.assertEqual(error_of(client("s3", MEMBER, AWAY).get_bucket_location, Bucket="logs-1"), "AccessDenied")
        self.assertEqual(self.status(MEMBER, AWAY), (301, HOME))
        self.s3.delete_bucket_policy(Bucket="logs-1")
        self.assertEqual(self.status(MEMBER, HOME), (403, HOME))


class Trails(unittest.TestCase):
    def setUp(self):
        reset()
        s3 = client("s3", region=HOME)
        for name in ("trail-1", "closed-1"):
            s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": HOME})
        service = {"Service": "cloudtrail.amazonaws.com"}
        acl = {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}
        s3.put_bucket_policy(Bucket="trail-1", Policy=policy(
            statement(service, "s3:GetBucketAcl", "trail-1"),
            statement(service, "s3:PutObject", f"trail-1/AWSLogs/{MANAGEMENT}/*", Condition=acl),
        ))
        self.home, self.away = client("cloudtrail", region=HOME), client("cloudtrail", region=AWAY)
        self.arn = self.home.create_trail(Name="all", S3BucketName="trail-1", IsMultiRegionTrail=True)["TrailARN"]

    def test_shows_a_multi_region_trail_everywhere(self):
        self.home.create_trail(Name="one", S3BucketName="trail-1")
        names = [trail["Name"] for trail in self.away.describe_trails()["trailList"]]
        self.assertEqual((names, self.away.describe_trails(includeShadowTrails=False)["trailList"]), (["all"], []))
        self.assertEqual(client("cloudtrail", MEMBER).describe_trails()["trailList"], [])

    def test_says_a_shadow_by_its_arn_only(self):
        self.assertFalse(self.home.get_trail_status(Name="all")["IsLogging"])
        self.home.start_logging(Name="all")
        self.assertTrue(self.away.get_trail_status(Name=self.arn)["IsLogging"])
        self.assertEqual(error_of(self.away.get_trail_status, Name="all"), "TrailNotFoundException")

    def test_changes_a_trail_at_home_only(self):
        for operation in ("start_logging", "stop_logging", "delete_trail"):
            self.assertEqual(error_of(getattr(self.away, operation), Name=self.arn), "InvalidHomeRegionException")
        self.home.delete_trail(Name=self.arn)
        self.assertEqual(error_of(self.home.delete_trail, Name=self.arn), "TrailNotFoundException")

    def test_has_default_event_selectors(self):
        selector = self.away.get_event_selectors(TrailName=self.arn)["EventSelectors"][0]
        self.assertEqual((selector["ReadWriteType"], selector["IncludeManagementEvents"]), ("All", True))
        advanced = [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}]
        self.home.put_event_selectors(TrailName="all", AdvancedEventSelectors=advanced)
        self.assertEqual(self.home.get_event_selectors(TrailName="all")["AdvancedEventSelectors"], advanced)
        self.assertTrue(self.home.get_trail(Name="all")["Trail"]["HasCustomEventSelectors"])

    def test_refuses_a_second_trail_and_a_closed_bucket(self):
        self.assertEqual(error_of(self.home.create_trail, Name="all", S3BucketName="trail-1"), "TrailAlreadyExistsException")
        self.assertEqual(error_of(self.home.create_trail, Name="two", S3BucketName="closed-1"), "InsufficientS3BucketPolicyException")
        self.assertEqual(error_of(self.home.create_trail, Name="two", S3BucketName="nowhere"), "S3BucketDoesNotExistException")


if __name__ == "__main__":
    unittest.main()
