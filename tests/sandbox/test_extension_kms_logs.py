"""Tests that KMS keys, and the log groups that they encrypt, behave as AWS documents."""

import json
import unittest

from botocore.exceptions import ClientError
from test_extension_server import MANAGEMENT, client, error_of, reset

ADMIN = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{MANAGEMENT}:root"}, "Action": "kms:*", "Resource": "*"}
GROUPS = f"arn:aws:logs:eu-central-1:{MANAGEMENT}:log-group:"
LOGS = {
    "Effect": "Allow", "Principal": {"Service": "logs.eu-central-1.amazonaws.com"}, "Resource": "*",
    "Action": ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
    "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": GROUPS + "/ssm/*"}},
}


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


class Keys(unittest.TestCase):
    def setUp(self):
        reset()
        self.kms = client("kms")
        self.key = self.kms.create_key()["KeyMetadata"]["Arn"]

    def test_refuses_malformed_policies(self):
        no_principal = {key: value for key, value in ADMIN.items() if key != "Principal"}
        for name, document in {"syntax": "{", "principal": policy(no_principal)}.items():
            with self.subTest(name):
                self.assertEqual(error_of(self.kms.create_key, Policy=document), "MalformedPolicyDocumentException")
                self.assertEqual(error_of(self.kms.put_key_policy, KeyId=self.key, PolicyName="default", Policy=document), "MalformedPolicyDocumentException")

    def test_refuses_a_lockout_without_bypass(self):
        other = policy(ADMIN | {"Principal": {"AWS": "arn:aws:iam::222222222222:root"}})
        call = dict(KeyId=self.key, PolicyName="default", Policy=other)
        self.assertEqual(error_of(self.kms.put_key_policy, **call), "MalformedPolicyDocumentException")
        self.assertEqual(error_of(self.kms.put_key_policy, **call, BypassPolicyLockoutSafetyCheck=True), "none")

    def test_asks_who_the_caller_is_before_a_policy_locks_him_out(self):
        deny = ADMIN | {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "kms:PutKeyPolicy"}
        for named, error in {"arn:aws:iam::111111111111:root": "none", "arn:aws:iam::111111111111:role/ops": "MalformedPolicyDocumentException"}.items():
            document = policy(ADMIN, deny | {"Condition": {"ArnNotLike": {"aws:PrincipalArn": named.replace("111111111111", MANAGEMENT)}}})
            with self.subTest(named):
                self.assertEqual(error_of(self.kms.put_key_policy, KeyId=self.key, PolicyName="default", Policy=document), error)

    def test_keeps_aliases_unique_and_reserved(self):
        self.kms.create_alias(AliasName="alias/ssm", TargetKeyId=self.key)
        self.assertEqual(error_of(self.kms.create_alias, AliasName="alias/ssm", TargetKeyId=self.key), "AlreadyExistsException")
        self.assertEqual(error_of(self.kms.create_alias, AliasName="alias/aws/mine", TargetKeyId=self.key), "NotAuthorizedException")
        alias_arn = self.key.partition(":key/")[0] + ":alias/ssm"
        for name in ("alias/ssm", alias_arn, self.key.split("/")[1]):
            self.assertEqual(self.kms.describe_key(KeyId=name)["KeyMetadata"]["Arn"], self.key)
        self.assertEqual(error_of(self.kms.describe_key, KeyId="alias/other"), "NotFoundException")

    def test_follows_the_state_of_the_key(self):
        def state():
            return self.kms.describe_key(KeyId=self.key)["KeyMetadata"]["KeyState"]

        self.kms.enable_key_rotation(KeyId=self.key)
        self.assertTrue(self.kms.get_key_rotation_status(KeyId=self.key)["KeyRotationEnabled"])
        self.kms.disable_key(KeyId=self.key)
        self.assertEqual(state(), "Disabled")
        self.assertEqual(error_of(self.kms.encrypt, KeyId=self.key, Plaintext=b"x"), "DisabledException")
        self.assertEqual(error_of(self.kms.schedule_key_deletion, KeyId=self.key, PendingWindowInDays=5), "ValidationException")
        self.assertEqual(self.kms.schedule_key_deletion(KeyId=self.key)["KeyId"], self.key)
        self.assertEqual(state(), "PendingDeletion")
        self.assertEqual(error_of(self.kms.enable_key, KeyId=self.key), "KMSInvalidStateException")
        self.kms.cancel_key_deletion(KeyId=self.key)
        self.assertEqual(state(), "Disabled")
        self.kms.enable_key(KeyId=self.key)
        self.assertEqual(state(), "Enabled")


class LogGroups(unittest.TestCase):
    def setUp(self):
        reset()
        self.logs = client("logs")
        self.kms = client("kms")

    def group(self, name):
        return self.logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"][0]

    def test_deletes_no_group_that_is_protected(self):
        self.logs.create_log_group(logGroupName="/ssm/a", deletionProtectionEnabled=True)
        self.assertTrue(self.group("/ssm/a")["deletionProtectionEnabled"])
        self.assertEqual(error_of(self.logs.delete_log_group, logGroupName="/ssm/a"), "ValidationException")
        arn = self.group("/ssm/a")["logGroupArn"]
        self.logs.put_log_group_deletion_protection(logGroupIdentifier=arn, deletionProtectionEnabled=False)
        self.assertEqual(error_of(self.logs.delete_log_group, logGroupName="/ssm/a"), "none")
        call = dict(logGroupIdentifier="/ssm/a", deletionProtectionEnabled=True)
        self.assertEqual(error_of(self.logs.put_log_group_deletion_protection, **call), "ResourceNotFoundException")

    def test_retains_for_the_listed_days_only(self):
        self.logs.create_log_group(logGroupName="/ssm/a")
        self.logs.put_retention_policy(logGroupName="/ssm/a", retentionInDays=365)
        self.assertEqual(self.group("/ssm/a")["retentionInDays"], 365)
        self.assertEqual(error_of(self.logs.put_retention_policy, logGroupName="/ssm/a", retentionInDays=366), "InvalidParameterException")

    def test_refuses_names_that_start_with_aws(self):
        for name in ("aws/", "aws/sessions"):
            self.assertEqual(error_of(self.logs.create_log_group, logGroupName=name), "InvalidParameterException")
        for name in ("/aws/sessions", "aws-sessions", "my/aws/sessions"):
            self.logs.create_log_group(logGroupName=name)

    def test_encrypts_with_a_key_that_allows_it(self):
        key = self.kms.create_key(Policy=policy(ADMIN, LOGS))["KeyMetadata"]["Arn"]
        self.logs.create_log_group(logGroupName="/ssm/a")
        self.logs.associate_kms_key(logGroupName="/ssm/a", kmsKeyId=key)
        self.assertEqual(self.group("/ssm/a")["kmsKeyId"], key)
        self.logs.disassociate_kms_key(logGroupName="/ssm/a")
        self.assertNotIn("kmsKeyId", self.group("/ssm/a"))
        self.logs.create_log_group(logGroupName="/ssm/b", kmsKeyId=key)
        self.assertEqual(self.group("/ssm/b")["kmsKeyId"], key)

    def test_refuses_a_key_that_does_not_allow_it(self):
        self.logs.create_log_group(logGroupName="/ssm/a")
        self.logs.create_log_group(logGroupName="/other")
        plain = self.kms.create_key()["KeyMetadata"]["Arn"]
        key = self.kms.create_key(Policy=policy(ADMIN, LOGS))["KeyMetadata"]["Arn"]
        denied, invalid = "AccessDeniedException", "InvalidParameterException"
        cases = [("/ssm/a", plain, denied), ("/other", key, denied), ("/ssm/a", "alias/ssm", invalid), ("/ssm/a", plain[:-1] + "x", invalid)]
        for name, arn, code in cases:
            with self.subTest(f"{name} {arn}"):
                self.assertEqual(error_of(self.logs.associate_kms_key, logGroupName=name, kmsKeyId=arn), code)
        with self.assertRaises(ClientError) as raised:
            self.logs.create_log_group(logGroupName="/ssm/c", kmsKeyId=plain)
        error = raised.exception.response["Error"]
        self.assertEqual((error["Code"], error["Message"]), (denied, (
            "The specified KMS key does not exist or is not allowed to be used with Arn "
            f"'{GROUPS}/ssm/c'")))
        self.assertEqual(error_of(self.logs.associate_kms_key, logGroupName="/none", kmsKeyId=key), "ResourceNotFoundException")
        self.kms.disable_key(KeyId=key)
        self.assertEqual(error_of(self.logs.associate_kms_key, logGroupName="/ssm/a", kmsKeyId=key), "InvalidParameterException")

    def test_pages_log_groups(self):
        for number in range(51):
            self.logs.create_log_group(logGroupName=f"/ssm/{number:02}")
        first = self.logs.describe_log_groups()
        rest = self.logs.describe_log_groups(nextToken=first["nextToken"])
        self.assertEqual((len(first["logGroups"]), len(rest["logGroups"]), "nextToken" in rest), (50, 1, False))
        self.assertEqual(error_of(self.logs.describe_log_groups, limit=51), "InvalidParameterException")
        self.assertEqual(len(self.logs.describe_log_groups(logGroupNamePattern="M/5")["logGroups"]), 1)


if __name__ == "__main__":
    unittest.main()
