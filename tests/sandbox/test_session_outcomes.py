"""Tests what becomes of a session and its transcript: whole, and with one permission or setting broken at a time."""

import json
import unittest
from itertools import count

import sandbox_server
import session_scene
from session_scene import DHMC_CORE, NODE, R, SSM_TRUST, Scene, allow, closed_key_policy, deny, document, key_policy, trust

SANDBOX = None
ACCOUNTS = (f"{number:012}" for number in count(720000000000))


def setUpModule():
    global SANDBOX
    SANDBOX = sandbox_server.Served()


def tearDownModule():
    SANDBOX.stop()


def scene(**changed):
    return session_scene.scene(SANDBOX, next(ACCOUNTS), **changed)


class Case(unittest.TestCase):
    maxDiff = None

    def assert_whole(self, made, session):
        """Asserts that the transcript of a session lies in both places."""
        self.assertEqual((session["status"], session["reason"]), ("Terminated", None), session)
        for place in ("s3", "logs"):
            self.assertEqual((session[place]["written"], session[place]["error"]), (True, None), session[place])
        name = session["session_id"]
        self.assertEqual(session["s3"]["key"], f"sessions/{name}.log")
        body = made.client("s3").get_object(Bucket=made.bucket, Key=f"sessions/{name}.log")["Body"].read().decode()
        self.assertIn("nonce-1", body)
        events = made.client("logs").get_log_events(logGroupName=made.group, logStreamName=name)["events"]
        self.assertIn("nonce-1", "".join(event["message"] for event in events))
        return body, events

    def assert_lost(self, session, place, by, action=None):
        """Asserts that a session went well but for one place, which got nothing."""
        self.assertEqual((session["status"], session["reason"]), ("Terminated", None), session)
        other = "logs" if place == "s3" else "s3"
        self.assertTrue(session[other]["written"], session[other])
        lost = session[place]
        self.assertFalse(lost["written"], lost)
        self.assertEqual((lost["denied_by"]["by"], lost["denied_by"]["action"]), (by, action), lost)
        self.assertTrue(session["agent_log"])

    def assert_failed(self, session, reason, by, action=None):
        """Asserts that a session did not start, why, and that no transcript is anywhere."""
        self.assertEqual(session["status"], "Failed", session)
        self.assertIn(reason, session["reason"])
        self.assertEqual((session["denied_by"]["by"], session["denied_by"]["action"]), (by, action), session)
        for place in ("s3", "logs"):
            self.assertFalse(session[place]["written"])
            self.assertTrue(session[place]["error"])


class Whole(Case):
    def test_by_instance_profile(self):
        made = scene()
        body, events = self.assert_whole(made, made.session(NODE))
        self.assertRegex(body, r"^Script started on .*\nsh-5.2\$ umask 077\nsh-5.2\$ echo nonce-1\nnonce-1\n")
        event = json.loads(events[0]["message"])
        self.assertEqual(
            (event["target"], event["userIdentity"], event["runAsUser"], event["sessionData"][-1]),
            ({"id": NODE}, {"arn": f"arn:aws:iam::{made.account}:user/sandbox"}, "ssm-user", "nonce-1"),
        )

    def test_on_windows(self):
        made = scene(shellProfile={"windows": "cd C:\\"})
        made.node("i-0123456789abcdef1", "node", "Windows")
        body, _ = self.assert_whole(made, made.session("i-0123456789abcdef1"))
        self.assertIn("PS C:\\Windows\\system32> cd C:\\\r\n", body)

    def test_by_host_management(self):
        made = scene()
        made.role("host", SSM_TRUST, (DHMC_CORE,), "/service-role/")
        made.host_management("service-role/host")
        made.node("i-0123456789abcdef1")
        session = made.session("i-0123456789abcdef1")
        self.assert_whole(made, session)
        self.assertEqual((session["credentials"], session["role"]), ("dhmc", f"arn:aws:iam::{made.account}:role/service-role/host"))

    def test_on_a_hybrid_node(self):
        made = scene()
        made.role("hybrid", SSM_TRUST, path="/service-role/")
        made.node("mi-0123456789abcdef1", iam_role="service-role/hybrid")
        session = made.session("mi-0123456789abcdef1")
        self.assert_whole(made, session)
        self.assertEqual(session["credentials"], "hybrid")

    def test_without_streaming_the_text_is_uploaded(self):
        made = scene(cloudWatchStreamingEnabled=False)
        body, events = self.assert_whole(made, made.session(NODE))
        self.assertEqual(events[0]["message"] + "\n", body)

    def test_without_preferences_nothing_is_logged(self):
        made = Scene(SANDBOX, next(ACCOUNTS))
        made.role("node")
        made.node(NODE, "node")
        session = made.session(NODE)
        self.assertEqual((session["status"], session["s3"], session["logs"], session["document_version"]), ("Terminated", None, None, None))

    def test_the_bucket_of_another_account_under_its_policies(self):
        made, archive = scene(), Scene(SANDBOX, next(ACCOUNTS))
        made.prefer(s3BucketName=archive.bucket)
        role = f"arn:aws:iam::{made.account}:role/node"
        every = f"arn:aws:s3:::{archive.bucket}/*"
        more = [allow("s3:GetEncryptionConfiguration", f"arn:aws:s3:::{archive.bucket}"), allow(["s3:PutObject", "s3:PutObjectAcl"], every),
                allow("kms:GenerateDataKey", archive.bucket_key)]
        made.permit("node", more=more)
        self.assert_failed(made.session(NODE), "unable to validate encryption on Amazon S3 bucket. Error: AccessDenied: Access Denied\n\tstatus code: 403",
                           "bucket policy", "s3:GetEncryptionConfiguration")
        opened = [allow("s3:GetEncryptionConfiguration", f"arn:aws:s3:::{archive.bucket}", Principal={"AWS": role}),
                  allow(["s3:PutObject", "s3:PutObjectAcl"], every, Principal={"AWS": role})]
        archive.client("s3").put_bucket_policy(Bucket=archive.bucket, Policy=document(*opened))
        self.assert_lost(made.session(NODE), "s3", "key policy", "kms:GenerateDataKey")
        using = {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "kms:GenerateDataKey", "Resource": "*"}
        archive.client("kms").put_key_policy(KeyId=archive.bucket_key, PolicyName="default", Policy=key_policy(archive.account, using))
        session = made.session(NODE)
        self.assertTrue(session["s3"]["written"], session)
        made.permit("node", more=[*more[:1], allow("s3:PutObject", every), more[2]])
        self.assert_lost(made.session(NODE), "s3", "identity-based policy", "s3:PutObjectAcl")
        made.permit("node", more=more)
        archive.encrypt("aws:kms")
        self.assert_lost(made.session(NODE), "s3", "key is AWS's own and the bucket another account's")


class Broken(Case):
    def test_one_permission_of_the_role(self):
        made = scene()
        identity = "identity-based policy"
        unable = "Couldn't start the session because we are unable to validate encryption on Amazon S3 bucket. Error: AccessDenied: User: "
        decrypting = ("Encountered error while initiating handshake. Fetching data key failed: Unable to retrieve data key, Error when decrypting data key "
                      "AccessDeniedException: User: ")
        for without, reason, place, action in (
            ("encryption", unable, None, "s3:GetEncryptionConfiguration"),
            ("decrypt", decrypting, None, "kms:Decrypt"),
            ("describe", "because encryption is not set up on the selected CloudWatch Logs log group", None, "logs:DescribeLogGroups"),
            ("put", None, "s3", "s3:PutObject"),
            ("bucket_key", None, "s3", "kms:GenerateDataKey"),
            ("stream", None, "logs", "logs:CreateLogStream"),
            ("events", None, "logs", "logs:PutLogEvents"),
        ):
            with self.subTest(without):
                made.permit("node", [without])
                session = made.session(NODE)
                if reason:
                    self.assert_failed(session, reason, identity, action)
                else:
                    self.assert_lost(session, place, identity, action)
        made.permit("node")
        self.assert_whole(made, made.session(NODE))

    def test_resources_of_logs_that_match_and_that_do_not(self):
        made = scene()
        group = f"arn:aws:logs:{R}:{made.account}:log-group:{made.group}"
        everything = [allow("logs:DescribeLogGroups")]
        for resource, writes in ((f"{group}:*", True), (f"{group}:log-stream:*", True), (group, False), (f"{group}-other:*", False)):
            with self.subTest(resource):
                made.permit("node", ["describe", "stream", "events"], [*everything, allow(["logs:CreateLogStream", "logs:PutLogEvents"], resource)])
                self.assertEqual(made.session(NODE)["logs"]["written"], writes)
        for resource, starts in (("*", True), (f"arn:aws:logs:{R}:{made.account}:log-group:*", True), (f"{group}:*", False), (group, False)):
            with self.subTest(describe=resource):
                made.permit("node", ["describe"], [allow("logs:DescribeLogGroups", resource)])
                self.assertEqual(made.session(NODE)["status"], "Terminated" if starts else "Failed")

    def test_flags_off_sessions_start_and_transcripts_are_lost(self):
        off = {"s3EncryptionEnabled": False, "cloudWatchEncryptionEnabled": False}
        made = scene(**off)
        made.permit("node", ["describe"])
        # Not seen, so not streamed, and what is to be streamed is not uploaded.
        self.assert_lost(made.session(NODE), "logs", "identity-based policy", "logs:DescribeLogGroups")
        made.prefer(**off, cloudWatchStreamingEnabled=False)
        self.assert_whole(made, made.session(NODE))
        made.permit("node", ["encryption"])
        # Without the header the bucket encrypts by itself.
        self.assert_whole(made, made.session(NODE))
        made.prefer(**off, s3BucketName="nobody-made-this", cloudWatchStreamingEnabled=False)
        made.permit("node", more=[allow("s3:*")])
        self.assert_lost(made.session(NODE), "s3", "bucket is missing")
        made.prefer(**off, cloudWatchLogGroupName="/gone")
        self.assert_lost(made.session(NODE), "logs", "log group is missing")
        made.prefer(**off, cloudWatchLogGroupName="/gone", cloudWatchStreamingEnabled=False)
        made.permit("node", more=[allow("logs:*")])
        self.assert_lost(made.session(NODE), "logs", "log group is missing")

    def test_flags_on_what_is_missing_or_not_encrypted_refuses_the_session(self):
        made = scene(cloudWatchLogGroupName="/plain")
        made.permit("node", more=[allow(["logs:*", "s3:*"])])
        group = "encryption is not set up on the selected CloudWatch Logs log group"
        self.assert_failed(made.session(NODE), group, "log group is missing")
        made.client("logs").create_log_group(logGroupName="/plain")
        self.assert_failed(made.session(NODE), group, "log group is not encrypted")
        made.prefer(s3BucketName="nobody-made-this-either")
        self.assert_failed(made.session(NODE), "unable to validate encryption on Amazon S3 bucket. Error: NoSuchBucket: ", "bucket is missing")
        made.prefer()
        made.encrypt("aws:kms:dsse", made.bucket_key)
        self.assert_failed(made.session(NODE), "encryption is not set up on the selected Amazon S3 bucket", "bucket has aws:kms:dsse")
        made.prefer(s3EncryptionEnabled=False)
        self.assert_whole(made, made.session(NODE))
        made.encrypt("AES256")
        made.permit("node", ["bucket_key"])
        made.prefer()
        self.assert_whole(made, made.session(NODE))

    def test_key_of_the_session(self):
        made = scene()
        kms, role = made.client("kms"), f"arn:aws:iam::{made.account}:role/node"
        operator = made.client("iam").create_role(RoleName="operator", AssumeRolePolicyDocument=trust("ec2.amazonaws.com"))["Role"]["Arn"]
        made.client("iam").put_role_policy(RoleName="operator", PolicyName="p", PolicyDocument=document(allow(["ssm:StartSession", "kms:GenerateDataKey"])))

        def put(policy):
            kms.put_key_policy(KeyId=made.session_key, PolicyName="default", Policy=policy)

        def using(principal, action, **more):
            return {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": action, "Resource": "*"} | more

        client = "KMSEncryption failed on client with status 2 error: Failed to process action KMSEncryption: Error calling KMS GenerateDataKey API: "
        agent = "Fetching data key failed: Unable to retrieve data key, Error when decrypting data key "
        self.assert_whole(made, made.session(NODE, principal=operator))
        put(closed_key_policy(made.account, using(role, "kms:Decrypt")))
        self.assert_failed(made.session(NODE, principal=operator), client + "AccessDeniedException: User: ", "key policy", "kms:GenerateDataKey")
        put(closed_key_policy(made.account, using(operator, "kms:GenerateDataKey")))
        self.assert_failed(made.session(NODE, principal=operator), agent + "AccessDeniedException: User: ", "key policy", "kms:Decrypt")
        # A key policy that names the roles needs no IAM policy beside it.
        made.permit("node", ["decrypt"])
        put(closed_key_policy(made.account, using(operator, "kms:GenerateDataKey"), using(role, "kms:Decrypt")))
        self.assert_whole(made, made.session(NODE, principal=operator))
        for target, starts in ((NODE, True), ("i-0123456789abcdef1", False)):
            condition = {"StringEquals": {"kms:EncryptionContext:aws:ssm:TargetId": target}}
            put(closed_key_policy(made.account, using(operator, "kms:GenerateDataKey"), using(role, "kms:Decrypt", Condition=condition)))
            self.assertEqual(made.session(NODE, principal=operator)["status"], "Terminated" if starts else "Failed")
        two = {"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["aws:ssm:SessionId", "aws:ssm:TargetId"]}}
        put(closed_key_policy(made.account, using(operator, "kms:GenerateDataKey"), using(role, "kms:Decrypt", Condition=two)))
        for challenge in (False, True):
            self.assertEqual(made.session(NODE, principal=operator, challenge=challenge)["status"], "Failed" if challenge else "Terminated")
        put(key_policy(made.account, deny("kms:Decrypt", Principal={"AWS": role})))
        made.permit("node")
        session = made.session(NODE, principal=operator)
        self.assert_failed(session, agent, "key policy", "kms:Decrypt")
        self.assertTrue(session["denied_by"]["explicit"])
        put(key_policy(made.account))
        kms.disable_key(KeyId=made.session_key)
        self.assert_failed(made.session(NODE), client + f"DisabledException: {made.session_key} is disabled.", "key is disabled")
        kms.schedule_key_deletion(KeyId=made.session_key, PendingWindowInDays=7)
        self.assert_failed(made.session(NODE), client + "KMSInvalidStateException: ", "key is pending deletion")
        elsewhere = SANDBOX.client("kms", made.account, "eu-west-1").create_key()["KeyMetadata"]["Arn"]
        made.prefer(kmsKeyId=elsewhere)
        self.assert_failed(made.session(NODE), client + "NotFoundException: Invalid arn eu-west-1", "key is in another Region")
        made.prefer(kmsKeyId="alias/nobody-made-this")
        made.permit("node", more=[allow("kms:*")])
        self.assert_failed(made.session(NODE), client + "NotFoundException: Alias ", "key is missing")
        kms.create_alias(AliasName="alias/sessions", TargetKeyId=made.bucket_key)
        made.prefer(kmsKeyId="alias/sessions")
        session = made.session(NODE)
        self.assert_whole(made, session)
        self.assertEqual(session["kms_key"], made.bucket_key)

    def test_key_of_the_bucket(self):
        made = scene()
        kms, role = made.client("kms"), f"arn:aws:iam::{made.account}:role/node"
        kms.put_key_policy(KeyId=made.bucket_key, PolicyName="default", Policy=closed_key_policy(made.account))
        self.assert_lost(made.session(NODE), "s3", "key policy", "kms:GenerateDataKey")
        named = {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "kms:GenerateDataKey", "Resource": "*",
                 "Condition": {"StringEquals": {"kms:ViaService": f"s3.{R}.amazonaws.com"}}}
        kms.put_key_policy(KeyId=made.bucket_key, PolicyName="default", Policy=closed_key_policy(made.account, named))
        made.permit("node", ["bucket_key"])
        self.assert_whole(made, made.session(NODE))
        kms.disable_key(KeyId=made.bucket_key)
        session = made.session(NODE)
        self.assert_lost(session, "s3", "key is disabled")
        self.assertIn("KMS.DisabledException", session["s3"]["error"])
        # AWS's own key is everybody's of the account.
        made.encrypt("aws:kms")
        self.assert_whole(made, made.session(NODE))

    def test_large_transcripts_go_up_in_parts_and_need_decrypt(self):
        made = scene(cloudWatchLogGroupName="")
        large = ["echo " + "x" * 1000] * 2700
        session = made.session(NODE, input=large)
        self.assertEqual(session["s3"]["denied_by"]["action"], "kms:Decrypt")
        made.permit("node", more=[allow("kms:Decrypt", made.bucket_key)])
        self.assertTrue(made.session(NODE, input=large)["s3"]["written"])

    def test_policy_of_the_bucket(self):
        made = scene()
        s3, every = made.client("s3"), [f"arn:aws:s3:::{made.bucket}", f"arn:aws:s3:::{made.bucket}/*"]
        others = {"ArnNotEquals": {"aws:PrincipalArn": f"arn:aws:iam::{made.account}:role/admin"}}
        unencrypted = {"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}
        for shows, statement, action in (
            ("everybody but one role", deny("s3:*", every, Principal="*", Condition=others), "s3:GetEncryptionConfiguration"),
            ("no uploads", deny("s3:PutObject", every[1], Principal="*", Condition=others), "s3:PutObject"),
            ("no ACL", deny("s3:PutObject", every[1], Principal="*", Condition={"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}), "s3:PutObject"),
            ("another key", deny("s3:PutObject", every[1], Principal="*", Condition={"StringNotEquals": {
                "s3:x-amz-server-side-encryption-aws-kms-key-id": made.session_key}}), "s3:PutObject"),
            ("TLS", deny("s3:*", every, Principal="*", Condition={"Bool": {"aws:SecureTransport": "false"}}), None),
            ("SSE-KMS in the header", deny("s3:PutObject", every[1], Principal="*", Condition=unencrypted), None),
        ):
            with self.subTest(shows):
                s3.put_bucket_policy(Bucket=made.bucket, Policy=document(statement))
                session = made.session(NODE)
                if action == "s3:GetEncryptionConfiguration":
                    self.assert_failed(session, "unable to validate encryption", "bucket policy", action)
                elif action:
                    self.assert_lost(session, "s3", "bucket policy", action)
                    self.assertTrue(session["s3"]["denied_by"]["explicit"])
                else:
                    # moto would apply the policy to the test's own GetObject, without conditions.
                    s3.delete_bucket_policy(Bucket=made.bucket)
                    self.assert_whole(made, session)
        s3.put_bucket_policy(Bucket=made.bucket, Policy=document(statement))
        # The agent sends the header only if it may read the bucket's encryption.
        made.prefer(s3EncryptionEnabled=False)
        made.permit("node", ["encryption"])
        self.assert_lost(made.session(NODE), "s3", "bucket policy", "s3:PutObject")

    def test_key_of_the_log_group(self):
        made = scene()
        kms = made.client("kms")
        kms.put_key_policy(KeyId=made.group_key, PolicyName="default", Policy=key_policy(made.account))
        self.assert_lost(made.session(NODE), "logs", "key of the log group")
        made.client("logs").disassociate_kms_key(logGroupName=made.group)
        made.prefer(cloudWatchEncryptionEnabled=False)
        self.assert_whole(made, made.session(NODE))
        other = scene()
        other.client("kms").disable_key(KeyId=other.group_key)
        self.assert_lost(other.session(NODE), "logs", "key of the log group")

    def test_boundary_and_scp_of_the_role(self):
        made = scene()
        iam = made.client("iam")
        narrow = document(allow("*"), deny("s3:PutObject"))
        boundary = iam.create_policy(PolicyName="b", PolicyDocument=narrow)["Policy"]["Arn"]
        iam.put_role_permissions_boundary(RoleName="node", PermissionsBoundary=boundary)
        self.assert_lost(made.session(NODE), "s3", "permissions boundary", "s3:PutObject")
        iam.create_policy_version(PolicyArn=boundary, PolicyDocument=document(allow(["ssm:*", "ssmmessages:*", "s3:*", "logs:*"])), SetAsDefault=True)
        self.assert_failed(made.session(NODE), "Fetching data key failed", "permissions boundary", "kms:Decrypt")
        iam.delete_role_permissions_boundary(RoleName="node")
        management = next(ACCOUNTS)
        estate = {"accounts": [{"id": management, "name": "m"}, {"id": made.account, "name": "w"}], "organization": {
            "management_account": management, "id": "o-sessions001", "root_id": "r-sess", "ous": [{"id": "ou-sess-workload", "name": "w", "accounts": [made.account]}]}}
        SANDBOX.control("POST", "/_sandbox/estate", estate)
        organizations = SANDBOX.client("organizations", management)

        def scp(*statements):
            made_policy = organizations.create_policy(Content=document(*statements), Description="", Name=statements[0]["Action"], Type="SERVICE_CONTROL_POLICY")
            organizations.attach_policy(PolicyId=made_policy["Policy"]["PolicySummary"]["Id"], TargetId="ou-sess-workload")

        self.assert_whole(made, made.session(NODE))
        scp(deny("kms:GenerateDataKey"))
        self.assert_lost(made.session(NODE), "s3", "service control policy", "kms:GenerateDataKey")
        scp(deny("logs:PutLogEvents"))
        self.assertEqual(made.session(NODE)["logs"]["denied_by"]["by"], "service control policy")
        scp(deny("ssmmessages:OpenDataChannel"))
        session = made.session(NODE)
        self.assert_failed(session, f"Setting up data channel with id {session['session_id']} failed: failed to open datachannel", "service control policy", "ssmmessages:OpenDataChannel")
        scp(deny("ssmmessages:CreateControlChannel"))
        session = made.session(NODE)
        self.assertEqual((session["status"], session["reason"]), ("Refused", f"TargetNotConnected: {NODE} is not connected."))
        self.assertIn("service control policy", session["why"])


if __name__ == "__main__":
    unittest.main()
