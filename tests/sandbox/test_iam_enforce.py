"""Tests that the sandbox enforces IAM for whoever calls, on request: over HTTP, as the tools see it."""

import base64
import json
import unittest
import urllib.error
from itertools import count

import sandbox_server
from botocore.exceptions import ClientError
from test_extension_lambda import package

SANDBOX = None
ACCOUNTS = (f"{number:012}" for number in count(700000000000))
MANAGEMENT, MEMBER, LONER = "710000000001", "710000000002", "710000000003"
R = "us-east-1"


def setUpModule():
    global SANDBOX
    SANDBOX = sandbox_server.Served()


def tearDownModule():
    SANDBOX.stop()


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource} | more


def deny(action, resource="*", **more):
    return allow(action, resource, **more) | {"Effect": "Deny"}


def trust(principal, **more):
    return policy({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"} | more)


class Enforced(unittest.TestCase):
    def setUp(self):
        self.account = next(ACCOUNTS)
        self.enforce(self.account)
        self.root = f"arn:aws:iam::{self.account}:root"

    def enforce(self, account, on=True):
        SANDBOX.control("POST", "/_sandbox/iam", {"account": account, "enforce": on})

    def client(self, service, key=None, account=None, **more):
        keys = {"access_key": key} if key else {}
        return SANDBOX.client(service, account or self.account, R, **keys, **more)

    def user(self, name, *statements):
        """Makes a user with an inline policy and returns its access key."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        if statements:
            iam.put_user_policy(UserName=name, PolicyName="inline", PolicyDocument=policy(*statements))
        return iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]

    def role(self, name, *statements, trusts=None, **more):
        iam = self.client("iam")
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusts or trust({"AWS": self.root}), **more)["Role"]["Arn"]
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=policy(*statements))
        return arn

    def session(self, role, key=None, account=None, **more):
        """Assumes a role and returns the access key of the session."""
        sts = self.client("sts", key, account)
        return sts.assume_role(RoleArn=role, RoleSessionName=more.pop("name", "s"), **more)["Credentials"]["AccessKeyId"]

    def refused(self, call, **parameters):
        """Returns (code, message) of a refused call; an error of another kind is none."""
        try:
            call(**parameters)
        except ClientError as error:
            details = error.response["Error"]
            return details["Code"], details.get("Message", "")
        return None

    def denied(self, call, **parameters):
        """Returns the sentence after `perform: ` of a denial, None if the call was let through."""
        refused = self.refused(call, **parameters)
        return refused[1].partition("perform: ")[2] if refused and "perform: " in refused[1] else None


class Switch(Enforced):
    def test_is_off_until_asked_for(self):
        self.enforce(self.account, False)
        key = self.user("bob")
        self.client("ssm", key).describe_instance_information()
        self.enforce(self.account)
        self.assertEqual(self.refused(self.client("ssm", key).describe_instance_information)[0], "AccessDeniedException")
        self.enforce(self.account, False)
        self.client("ssm", key).describe_instance_information()

    def test_a_denied_head_bucket_names_the_region(self):
        bucket = f"logs-{self.account}"
        self.client("s3").create_bucket(Bucket=bucket)
        with self.assertRaises(ClientError) as raised:
            self.client("s3", self.user("bob")).head_bucket(Bucket=bucket)
        answer = raised.exception.response["ResponseMetadata"]
        self.assertEqual((answer["HTTPStatusCode"], answer["HTTPHeaders"]["x-amz-bucket-region"]), (403, R))

    def test_an_estate_may_ask(self):
        account = next(ACCOUNTS)
        role = {"account": account, "name": "reader", "trust": f"arn:aws:iam::{account}:root"}
        SANDBOX.control("POST", "/_sandbox/estate", {"roles": [role], "enforce_iam": [account]})
        key = self.session(f"arn:aws:iam::{account}:role/reader", account=account)
        self.assertIn("ssm:ListDocuments on resource: *", self.denied(self.client("ssm", key).list_documents))

    def test_bad_requests_are_refused(self):
        for body in ({"account": self.account}, {"account": "x", "enforce": True}, {"account": self.account, "enforce": "yes"}, {"account": self.account, "enforce": True, "x": 1}):
            with self.subTest(body), self.assertRaises(urllib.error.HTTPError) as raised:
                SANDBOX.control("POST", "/_sandbox/iam", body)
            self.assertEqual(raised.exception.code, 400)

    def test_a_call_that_nobody_mapped_is_refused_loudly(self):
        code, message = self.refused(self.client("ec2").delete_transit_gateway, TransitGatewayId="tgw-1")
        self.assertEqual(code, "NotEmulated")
        self.assertIn("does not know", message)
        (call,) = [call for call in SANDBOX.calls(self.account) if call["operation"] == "DeleteTransitGateway"]
        self.assertEqual(call["status"], 500)


class Callers(Enforced):
    def test_the_static_key_is_the_root_user(self):
        self.client("ssm").describe_instance_information()
        self.assertEqual(self.client("sts").get_caller_identity()["Arn"], self.root)

    def test_services_deny_in_their_own_words(self):
        key = self.user("bob")
        user = f"User: arn:aws:iam::{self.account}:user/bob is not authorized to perform: "
        for service, operation, parameters, status, code, message in (
            ("ssm", "list_documents", {}, 400, "AccessDeniedException", user + "ssm:ListDocuments on resource: * because no identity-based policy allows the ssm:ListDocuments action"),
            ("kms", "list_keys", {}, 400, "AccessDeniedException", user + "kms:ListKeys on resource: * because no identity-based policy allows the kms:ListKeys action"),
            ("iam", "list_roles", {}, 403, "AccessDenied", user + "iam:ListRoles on resource: * because no identity-based policy allows the iam:ListRoles action"),
            ("ec2", "describe_instances", {}, 403, "UnauthorizedOperation",
             "You are not authorized to perform this operation. " + user + "ec2:DescribeInstances on resource: * because no identity-based policy allows the ec2:DescribeInstances action"),
            ("s3", "list_buckets", {}, 403, "AccessDenied", user + 's3:ListAllMyBuckets on resource: "*" because no identity-based policy allows the s3:ListAllMyBuckets action'),
            ("sqs", "list_queues", {}, 400, "AccessDenied", user + "sqs:ListQueues on resource: * because no identity-based policy allows the sqs:ListQueues action"),
            ("lambda", "list_functions", {}, 403, "AccessDeniedException", user + "lambda:ListFunctions on resource: * because no identity-based policy allows the lambda:ListFunctions action"),
            ("events", "list_rules", {}, 400, "AccessDeniedException", user + "events:ListRules on resource: * because no identity-based policy allows the events:ListRules action"),
            ("logs", "describe_log_groups", {}, 400, "AccessDeniedException", user + f"logs:DescribeLogGroups on resource: arn:aws:logs:{R}:{self.account}:log-group::log-stream: because no identity-based policy allows the logs:DescribeLogGroups action"),
            ("cloudtrail", "lookup_events", {}, 400, "AccessDeniedException", user + "cloudtrail:LookupEvents on resource: * because no identity-based policy allows the cloudtrail:LookupEvents action"),
            ("cloudformation", "list_stacks", {}, 403, "AccessDenied", user + "cloudformation:ListStacks on resource: * because no identity-based policy allows the cloudformation:ListStacks action"),
        ):
            with self.subTest(service), self.assertRaises(ClientError) as raised:
                getattr(self.client(service, key), operation)(**parameters)
            response = raised.exception.response
            self.assertEqual((response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"], response["Error"]["Message"]), (status, code, message))

    def test_users_by_inline_managed_and_group_policies(self):
        iam = self.client("iam")
        inline, managed, grouped = self.user("inline", allow("ssm:ListDocuments")), self.user("managed"), self.user("grouped")
        arn = iam.create_policy(PolicyName="p", PolicyDocument=policy(allow("ssm:ListDocuments")))["Policy"]["Arn"]
        iam.attach_user_policy(UserName="managed", PolicyArn=arn)
        iam.create_group(GroupName="g")
        iam.add_user_to_group(GroupName="g", UserName="grouped")
        self.assertIn("ssm:ListDocuments", self.denied(self.client("ssm", grouped).list_documents))
        iam.attach_group_policy(GroupName="g", PolicyArn=arn)
        for key in (inline, managed, grouped):
            self.client("ssm", key).list_documents()
            self.assertIn("ssm:DescribeInstanceInformation", self.denied(self.client("ssm", key).describe_instance_information))
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy(deny("ssm:*")), SetAsDefault=True)
        self.assertEqual(self.denied(self.client("ssm", grouped).list_documents), f"ssm:ListDocuments on resource: * with an explicit deny in an identity-based policy: {arn}")

    def test_sessions_by_role_session_policy_and_boundary(self):
        role = self.role("operator", allow(["ssm:ListDocuments", "ssm:ListCommands"]))
        ssm = self.client("ssm", self.session(role))
        ssm.list_documents()
        self.assertEqual(
            self.refused(ssm.describe_instance_information)[1],
            f"User: arn:aws:sts::{self.account}:assumed-role/operator/s is not authorized to perform: ssm:DescribeInstanceInformation on resource: * "
            "because no identity-based policy allows the ssm:DescribeInstanceInformation action",
        )
        narrowed = self.client("ssm", self.session(role, Policy=policy(allow("ssm:ListCommands"))))
        narrowed.list_commands()
        self.assertIn("because no session policy allows the ssm:ListDocuments action", self.denied(narrowed.list_documents))
        by_arn = self.client("ssm", self.session(role, PolicyArns=[{"arn": "arn:aws:iam::aws:policy/AmazonS3FullAccess"}]))
        self.assertIn("because no session policy allows", self.denied(by_arn.list_documents))
        iam = self.client("iam")
        boundary = iam.create_policy(PolicyName="b", PolicyDocument=policy(allow("ssm:ListCommands")))["Policy"]["Arn"]
        iam.put_role_permissions_boundary(RoleName="operator", PermissionsBoundary=boundary)
        ssm.list_commands()
        self.assertIn("because no permissions boundary allows the ssm:ListDocuments action", self.denied(ssm.list_documents))

    def test_who_may_assume_a_role(self):
        bob, eve = self.user("bob", allow("sts:AssumeRole")), self.user("eve")
        for shows, trusts, key, more, denial in (
            ("the account delegates, the policy allows", trust({"AWS": self.root}), bob, {}, None),
            ("the account delegates, no policy", trust({"AWS": self.root}), eve, {}, "because no identity-based policy allows"),
            ("named in the trust policy", trust({"AWS": f"arn:aws:iam::{self.account}:user/eve"}), eve, {}, None),
            ("not trusted", trust({"Service": "ec2.amazonaws.com"}), bob, {}, "because no role trust policy allows the sts:AssumeRole action"),
            ("external id missing", trust({"AWS": self.root}, Condition={"StringEquals": {"sts:ExternalId": "x"}}), bob, {}, "because no role trust policy allows"),
            ("external id given", trust({"AWS": self.root}, Condition={"StringEquals": {"sts:ExternalId": "x"}}), bob, {"ExternalId": "x"}, None),
            ("session tags need another action", trust({"AWS": self.root}), bob, {"Tags": [{"Key": "k", "Value": "v"}]}, "sts:TagSession"),
        ):
            with self.subTest(shows):
                role = self.role(f"r{next(COUNTER)}", trusts=trusts)
                answer = self.denied(self.client("sts", key).assume_role, RoleArn=role, RoleSessionName="s", **more)
                self.assertEqual(answer is None, denial is None, answer)
                self.assertIn(denial or "", answer or "")

    def test_web_identities_by_provider_and_claims(self):
        """UG id_roles_create_for-idp_oidc.html and reference_policies_iam-condition-keys.html#condition-keys-wif"""
        host = "token.actions.githubusercontent.com"
        condition = {"StringEquals": {f"{host}:aud": "sts.amazonaws.com"}, "StringLike": {f"{host}:sub": "repo:org/*"}}
        role = self.role("ci", trusts=policy({
            "Effect": "Allow", "Principal": {"Federated": f"arn:aws:iam::{self.account}:oidc-provider/{host}"}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": condition}))
        # This call is never signed.
        unsigned = self.client("sts")
        for issuer, subject, allowed in ((host, "repo:org/x", True), (host, "repo:other/x", False), ("example.com", "repo:org/x", False)):
            with self.subTest(issuer=issuer, subject=subject):
                claims = {"iss": f"https://{issuer}", "aud": "sts.amazonaws.com", "sub": subject}
                token = f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.x"
                answer = self.denied(unsigned.assume_role_with_web_identity, RoleArn=role, RoleSessionName="s", WebIdentityToken=token)
                self.assertEqual(answer is None, allowed, answer)

    def test_a_deleted_user_is_nobody(self):
        key = self.user("gone", allow("*"))
        iam = self.client("iam")
        iam.delete_access_key(UserName="gone", AccessKeyId=key)
        self.assertIn(self.refused(self.client("ssm", key).list_documents)[0], ("UnrecognizedClientException", "AccessDeniedException"))


COUNTER = count()


class Organization(Enforced):
    @classmethod
    def setUpClass(cls):
        accounts = [{"id": account, "name": f"a{account}"} for account in (MANAGEMENT, MEMBER, LONER)]
        ou = {"id": "ou-abcd-11111111", "name": "unit", "accounts": [MEMBER]}
        SANDBOX.control("POST", "/_sandbox/estate", {
            "accounts": accounts, "organization": {"management_account": MANAGEMENT, "id": "o-abcdefghij", "root_id": "r-abcd", "ous": [ou]}, "enforce_iam": [MANAGEMENT, MEMBER, LONER]})

    def scp(self, target, *statements):
        organizations = self.client("organizations", account=MANAGEMENT)
        made = organizations.create_policy(Name=f"p{next(COUNTER)}", Description="", Type="SERVICE_CONTROL_POLICY", Content=policy(*statements))["Policy"]["PolicySummary"]
        organizations.attach_policy(PolicyId=made["Id"], TargetId=target)
        self.addCleanup(organizations.delete_policy, PolicyId=made["Id"])
        self.addCleanup(organizations.detach_policy, PolicyId=made["Id"], TargetId=target)
        return made

    def test_policies_of_every_level_bind_members_and_their_root_users_only(self):
        call = {account: self.client("ssm", account=account).list_documents for account in (MANAGEMENT, MEMBER, LONER)}
        for target, bound in (("r-abcd", {MEMBER, LONER}), ("ou-abcd-11111111", {MEMBER}), (LONER, {LONER})):
            with self.subTest(target):
                made = self.scp(target, deny("ssm:ListDocuments"))
                for account, list_documents in call.items():
                    denied = self.denied(list_documents)
                    self.assertEqual(denied, f"ssm:ListDocuments on resource: * with an explicit deny in a service control policy: {made['Arn']}" if account in bound else None)
                self.doCleanups()

    def test_resource_policies_of_the_account_that_owns_the_resource_bind_whoever_asks(self):
        """ORG orgs_manage_policies_rcps.html: of services that support them, and not in the management account."""
        organizations = self.client("organizations", account=MANAGEMENT)
        organizations.enable_policy_type(RootId="r-abcd", PolicyType="RESOURCE_CONTROL_POLICY")
        self.addCleanup(organizations.disable_policy_type, RootId="r-abcd", PolicyType="RESOURCE_CONTROL_POLICY")
        for target in ("ou-abcd-11111111", MEMBER, LONER):
            organizations.attach_policy(PolicyId="p-RCPFullAWSAccess", TargetId=target)
        everybody = {"Principal": "*"}
        made = organizations.create_policy(
            Name=f"p{next(COUNTER)}", Description="", Type="RESOURCE_CONTROL_POLICY",
            Content=policy(deny(["logs:CreateLogStream", "kms:Encrypt", "kms:RetireGrant", "ssm:ListDocuments"], **everybody)))["Policy"]["PolicySummary"]
        organizations.attach_policy(PolicyId=made["Id"], TargetId="r-abcd")
        self.addCleanup(organizations.delete_policy, PolicyId=made["Id"])
        self.addCleanup(organizations.detach_policy, PolicyId=made["Id"], TargetId="r-abcd")
        for account, bound in ((MEMBER, True), (MANAGEMENT, False)):
            key = self.client("kms", account=account).create_key()["KeyMetadata"]["Arn"]
            self.client("logs", account=account).create_log_group(logGroupName="/g")
            for service, call, parameters in (
                ("logs", "create_log_stream", {"logGroupName": "/g", "logStreamName": "s"}),
                ("kms", "encrypt", {"KeyId": key, "Plaintext": b"x"}),
            ):
                denied = self.denied(getattr(self.client(service, account=account), call), **parameters)
                self.assertEqual("explicit deny in a resource control policy" in (denied or ""), bound, (account, denied))
            # KMS resource-control-policies.html: "The kms:RetireGrant permission is not effective in an RCP".
            kms = self.client("kms", account=account)
            grant = kms.create_grant(KeyId=key, GranteePrincipal=f"arn:aws:iam::{account}:root", Operations=["Decrypt"])["GrantId"]
            kms.retire_grant(KeyId=key, GrantId=grant)
            # Systems Manager is not among the services whose resources they govern.
            self.client("ssm", account=account).list_documents()

    def test_every_level_must_allow(self):
        organizations = self.client("organizations", account=MANAGEMENT)
        self.scp("ou-abcd-11111111", allow("ssm:*"))
        organizations.detach_policy(PolicyId="p-FullAWSAccess", TargetId="ou-abcd-11111111")
        self.addCleanup(organizations.attach_policy, PolicyId="p-FullAWSAccess", TargetId="ou-abcd-11111111")
        self.client("ssm", account=MEMBER).list_documents()
        self.assertIn("because no service control policy allows the kms:ListKeys action", self.denied(self.client("kms", account=MEMBER).list_keys))
        self.client("kms", account=LONER).list_keys()

    def test_a_policy_of_a_type_that_is_off_does_not_bind(self):
        management, member = "710000000011", "710000000012"
        SANDBOX.control("POST", "/_sandbox/estate", {
            "accounts": [{"id": management, "name": "m"}, {"id": member, "name": "n"}],
            "organization": {"management_account": management, "id": "o-bbbbbbbbbb", "root_id": "r-bbbb"}, "enforce_iam": [member]})
        organizations = self.client("organizations", account=management)
        made = organizations.create_policy(Name="p", Description="", Type="SERVICE_CONTROL_POLICY", Content=policy(deny("ssm:*")))["Policy"]["PolicySummary"]
        organizations.attach_policy(PolicyId=made["Id"], TargetId=member)
        self.assertIn("service control policy", self.denied(self.client("ssm", account=member).list_documents))
        organizations.disable_policy_type(RootId="r-bbbb", PolicyType="SERVICE_CONTROL_POLICY")
        self.client("ssm", account=member).list_documents()

    def test_a_guardrail_spares_the_principal_that_it_names(self):
        spared = {"Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/BreakGlass"}}}
        self.scp("ou-abcd-11111111", deny(["ssm:StartSession", "ssm:SendCommand"], **spared))
        iam = self.client("iam", account=MEMBER)
        for name in ("BreakGlass", "Other"):
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust({"AWS": f"arn:aws:iam::{MEMBER}:root"}))
            iam.attach_role_policy(RoleName=name, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
        start = {name: self.client("ssm", self.session(f"arn:aws:iam::{MEMBER}:role/{name}", account=MEMBER)).start_session for name in ("BreakGlass", "Other")}
        self.assertIsNone(self.denied(start["BreakGlass"], Target="i-0123456789abcdef0"))
        self.assertIn("service control policy", self.denied(start["Other"], Target="i-0123456789abcdef0"))

    def test_conditions_on_the_organization(self):
        role = self.client("iam", account=MEMBER).create_role(
            RoleName=f"r{next(COUNTER)}", AssumeRolePolicyDocument=trust({"AWS": "*"}, Condition={"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}))["Role"]["Arn"]
        self.session(role, account=LONER)
        self.assertIn("because no role trust policy allows", self.denied(self.client("sts").assume_role, RoleArn=role, RoleSessionName="s"))


class Resources(Enforced):
    def test_keys_by_policy_and_delegation(self):
        kms = self.client("kms")
        bob, eve = self.user("bob", allow("kms:*")), self.user("eve")
        default = kms.create_key()["KeyMetadata"]["KeyId"]
        narrow = json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": self.root}, "Action": "kms:PutKeyPolicy", "Resource": "*"},
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{self.account}:user/eve"}, "Action": "kms:Encrypt", "Resource": "*"}]})
        named = kms.create_key(Policy=narrow)["KeyMetadata"]["KeyId"]
        for shows, key, key_id, denial in (
            ("root by the default policy", None, default, None),
            ("a user with a policy", bob, default, None),
            ("a user without", eve, default, "because no identity-based policy allows the kms:Encrypt action"),
            ("named in the key policy", eve, named, None),
            ("not named in it", bob, named, "because no resource-based policy allows the kms:Encrypt action"),
            ("nor is root", None, named, "because no resource-based policy allows the kms:Encrypt action"),
        ):
            with self.subTest(shows):
                answer = self.denied(self.client("kms", key).encrypt, KeyId=key_id, Plaintext=b"x")
                self.assertEqual(answer is None, denial is None, answer)
                self.assertIn(denial or "", answer or "")

    def test_encryption_context_and_alias(self):
        context = {"StringEquals": {"kms:EncryptionContext:team": "blue"}}
        key = self.user("bob", allow("kms:Encrypt", f"arn:aws:kms:{R}:{self.account}:key/*", Condition=context))
        kms, bob = self.client("kms"), self.client("kms", key)
        kms.create_alias(AliasName="alias/a", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
        bob.encrypt(KeyId="alias/a", Plaintext=b"x", EncryptionContext={"team": "blue"})
        self.assertIn("kms:Encrypt", self.denied(bob.encrypt, KeyId="alias/a", Plaintext=b"x", EncryptionContext={"team": "red"}))
        # DeleteAlias needs the alias and the key.
        self.assertIn(f"kms:DeleteAlias on resource: arn:aws:kms:{R}:{self.account}:alias/a", self.denied(bob.delete_alias, AliasName="alias/a"))

    def test_buckets_by_policy(self):
        s3, bob = self.client("s3"), self.user("bob", allow("s3:GetObject"))
        bucket, other = f"b-{self.account}", next(ACCOUNTS)
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key="k", Body=b"x")
        self.client("s3", bob).get_object(Bucket=bucket, Key="k")
        self.assertIn(f'"arn:aws:s3:::{bucket}/k" because no identity-based', self.denied(self.client("s3", bob).put_object, Bucket=bucket, Key="k", Body=b"y"))
        self.enforce(other)
        stranger = self.client("s3", account=other)
        self.assertEqual(self.refused(stranger.get_object, Bucket=bucket, Key="k"), ("AccessDenied", "Access Denied"))
        shared = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{other}:root"}, "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
        closed = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/secret"}
        s3.put_bucket_policy(Bucket=bucket, Policy=policy(shared, closed))
        stranger.get_object(Bucket=bucket, Key="k")
        self.assertIn("with an explicit deny in a resource-based policy", self.denied(self.client("s3").get_object, Bucket=bucket, Key="secret"))

    def test_a_resource_is_guarded_though_its_caller_is_not_enforced(self):
        bucket, other = f"b-{self.account}", next(ACCOUNTS)
        self.client("s3").create_bucket(Bucket=bucket)
        role = self.role("r")
        self.assertEqual(self.refused(self.client("s3", account=other).list_objects_v2, Bucket=bucket)[0], "AccessDenied")
        self.assertIn("role trust policy", self.denied(self.client("sts", account=other).assume_role, RoleArn=role, RoleSessionName="s"))

    def test_encrypted_buckets_need_the_key(self):
        bucket = f"b-{self.account}"
        s3, kms = self.client("s3"), self.client("kms")
        key = kms.create_key()["KeyMetadata"]["Arn"]
        s3.create_bucket(Bucket=bucket)
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
        s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
        writer = self.client("s3", self.user("writer", allow("s3:PutObject")))
        self.assertIn(f"kms:GenerateDataKey on resource: {key}", self.denied(writer.put_object, Bucket=bucket, Key="k", Body=b"x").replace('"', ""))
        through = {"Condition": {"StringEquals": {"kms:ViaService": f"s3.{R}.amazonaws.com", "kms:EncryptionContext:aws:s3:arn": f"arn:aws:s3:::{bucket}/k"}}}
        self.client("s3", self.user("through", allow("s3:PutObject"), allow("kms:GenerateDataKey", key, **through))).put_object(Bucket=bucket, Key="k", Body=b"x")
        self.assertIn("kms:Decrypt", self.denied(self.client("s3", self.user("reader", allow("s3:GetObject"))).get_object, Bucket=bucket, Key="k"))

    def test_queues_and_functions_by_policy(self):
        other = next(ACCOUNTS)
        self.enforce(other)
        sqs = self.client("sqs")
        url = sqs.create_queue(QueueName="q")["QueueUrl"]
        send = dict(QueueUrl=url, MessageBody="x")
        self.assertIn("because no resource-based policy allows the sqs:SendMessage action", self.denied(self.client("sqs", account=other).send_message, **send))
        arn = f"arn:aws:sqs:{R}:{self.account}:q"
        grant = {"Effect": "Allow", "Principal": {"AWS": other}, "Action": "sqs:SendMessage", "Resource": arn}
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy(grant)})
        self.assertIsNone(self.denied(self.client("sqs", account=other).send_message, **send))
        bob = self.user("bob")
        self.assertIn("because no identity-based policy", self.denied(self.client("sqs", bob).send_message, **send))

    def test_roles_are_passed(self):
        role = self.role("fn", trusts=trust({"Service": "lambda.amazonaws.com"}))
        create = dict(FunctionName="f", Runtime="provided.al2023", Handler="x", Role=role, Code={"ZipFile": b"x"})
        only_to = lambda service: {"Condition": {"StringEquals": {"iam:PassedToService": service}}}
        for shows, statements, denial in (
            ("no PassRole", [], f"iam:PassRole on resource: {role} because no identity-based policy allows the iam:PassRole action"),
            ("to another service", [allow("iam:PassRole", role, **only_to("ec2.amazonaws.com"))], "iam:PassRole"),
            ("another role", [allow("iam:PassRole", role + "2")], "iam:PassRole"),
            ("to Lambda", [allow("iam:PassRole", role, **only_to("lambda.amazonaws.com"))], None),
        ):
            with self.subTest(shows):
                key = self.user(f"u{next(COUNTER)}", allow("lambda:CreateFunction"), *statements)
                answer = self.denied(self.client("lambda", key).create_function, **create)
                self.assertEqual(answer is None, denial is None, answer)
                self.assertIn(denial or "", answer or "")

    def test_instance_profiles_pass_their_role(self):
        iam = self.client("iam")
        role = self.role("node", trusts=trust({"Service": "ec2.amazonaws.com"}))
        iam.create_instance_profile(InstanceProfileName="node")
        add = dict(InstanceProfileName="node", RoleName="node")
        key = self.user("bob", allow(["iam:AddRoleToInstanceProfile", "ec2:AssociateIamInstanceProfile"]))
        self.assertIn(f"iam:PassRole on resource: {role}", self.denied(self.client("iam", key).add_role_to_instance_profile, **add))
        iam.add_role_to_instance_profile(**add)
        associate = dict(IamInstanceProfile={"Name": "node"}, InstanceId="i-0123456789abcdef0")
        self.assertIn(f"iam:PassRole on resource: {role}", self.denied(self.client("ec2", key).associate_iam_instance_profile, **associate))

    def test_host_management_passes_its_role(self):
        setting = "/ssm/managed-instance/default-ec2-instance-management-role"
        role = self.role("dhmc", trusts=trust({"Service": "ssm.amazonaws.com"}))
        key = self.user("bob", allow("ssm:UpdateServiceSetting", f"arn:aws:ssm:*:*:servicesetting{setting}"))
        update = dict(SettingId=setting, SettingValue="dhmc")
        self.assertIn(f"iam:PassRole on resource: {role}", self.denied(self.client("ssm", key).update_service_setting, **update))
        passer = self.user("passer", allow("ssm:UpdateServiceSetting"), allow("iam:PassRole", role, Condition={"StringEquals": {"iam:PassedToService": "ssm.amazonaws.com"}}))
        self.client("ssm", passer).update_service_setting(**update)


class Stacks(Enforced):
    def test_a_stack_is_made_with_what_its_creator_may_do(self):
        """CloudFormation using-iam-servicerole.html; UG reference_policies_condition-keys.html#condition-keys-calledvia"""
        template = json.dumps({"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}})
        via = {"Condition": {"ForAnyValue:StringEquals": {"aws:CalledVia": ["cloudformation.amazonaws.com"]}}}
        for shows, statements, status in (
            ("no permission for the queue", [], "ROLLBACK_COMPLETE"),
            ("through CloudFormation", [allow("sqs:*", **via)], "CREATE_COMPLETE"),
        ):
            with self.subTest(shows):
                key = self.user(f"u{next(COUNTER)}", allow("cloudformation:*"), *statements)
                name = f"s{next(COUNTER)}"
                stacks = self.client("cloudformation", key)
                stacks.create_stack(StackName=name, TemplateBody=template)
                (stack,) = stacks.describe_stacks(StackName=name)["Stacks"]
                self.assertEqual(stack["StackStatus"], status)
                self.assertIn("sqs:ListQueues", self.denied(self.client("sqs", key).list_queues))
                reasons = " ".join(event.get("ResourceStatusReason", "") for event in stacks.describe_stack_events(StackName=name)["StackEvents"])
                self.assertEqual("is not authorized to perform: sqs:CreateQueue" in reasons, status != "CREATE_COMPLETE", reasons)


class Functions(Enforced):
    def test_a_function_is_its_role(self):
        """Lambda lambda-intro-execution-role.html"""
        role = self.role("fn", allow("ssm:ListDocuments"), trusts=trust({"Service": "lambda.amazonaws.com"}))
        self.client("lambda").create_function(FunctionName="f", Runtime="provided.al2023", Handler="x", Role=role, Code={"ZipFile": package()}, Timeout=20)
        answer = json.loads(self.client("lambda").invoke(FunctionName="f", Payload=b"{}")["Payload"].read())
        key = answer["environment"]["AWS_ACCESS_KEY_ID"]
        self.assertEqual(self.client("sts", key).get_caller_identity()["Arn"], f"arn:aws:sts::{self.account}:assumed-role/fn/f")
        self.client("ssm", key).list_documents()
        self.assertIn("because no identity-based policy", self.denied(self.client("ssm", key).describe_instance_information))


class Nodes(Enforced):
    """The samples of the Systems Manager user guide, on nodes with tags."""

    def setUp(self):
        super().setUp()
        node = {"account": self.account, "region": R, "agent": {"version": "3.3.987.0"}}
        SANDBOX.control("POST", "/_sandbox/estate", {"nodes": [
            node | {"instance_id": "i-0000000000000000a", "tags": {"Finance": "WebServers"}}, node | {"instance_id": "i-0000000000000000b"},
            node | {"instance_id": "mi-0000000000000000c", "tags": {"Finance": "WebServers"}}]})

    def test_commands_by_tag(self):
        """run-command-setting-up.html, "Restrict Run Command access based on tags"."""
        tagged = {"Condition": {"StringLike": {"ssm:resourceTag/Finance": ["WebServers"]}}}
        key = self.user("bob", allow("ssm:SendCommand", "arn:aws:ssm:*:*:document/*"), allow("ssm:SendCommand", ["arn:aws:ec2:*:*:instance/*", "arn:aws:ssm:*:*:managed-instance/*"], **tagged))
        send = self.client("ssm", key).send_command
        command = dict(DocumentName="AWS-RunShellScript", Parameters={"commands": ["x"]})
        self.assertIsNone(self.denied(send, InstanceIds=["i-0000000000000000a", "mi-0000000000000000c"], **command))
        self.assertIn("instance/i-0000000000000000b because no identity-based policy", self.denied(send, InstanceIds=["i-0000000000000000a", "i-0000000000000000b"], **command))
        self.assertIsNone(self.denied(send, Targets=[{"Key": "tag:Finance", "Values": ["WebServers"]}], **command))
        self.assertIn("instance/i-0000000000000000b", self.denied(send, Targets=[{"Key": "InstanceIds", "Values": ["i-0000000000000000b"]}], **command))
        # The tag is not the document's: both in one statement do not do.
        one = self.user("eve", allow("ssm:SendCommand", "*", **tagged))
        self.assertIn("document/AWS-RunShellScript", self.denied(self.client("ssm", one).send_command, InstanceIds=["i-0000000000000000a"], **command))

    def test_sessions_of_end_users(self):
        """getting-started-restrict-access-quickstart.html, and getting-started-restrict-access-examples.html for the own sessions."""
        document = f"arn:aws:ssm:{R}:{self.account}:document/SSM-SessionManagerRunShell"
        checked = {"Condition": {"BoolIfExists": {"ssm:SessionDocumentAccessCheck": "true"}}}
        instance = f"arn:aws:ec2:{R}:{self.account}:instance/i-0000000000000000a"
        own = allow(["ssm:TerminateSession", "ssm:ResumeSession"], "arn:aws:ssm:*:*:session/${aws:username}-*")
        for shows, statements, target, denial in (
            ("instance and document", [allow("ssm:StartSession", [instance, document], **checked)], "i-0000000000000000a", None),
            ("another instance", [allow("ssm:StartSession", [instance, document], **checked)], "i-0000000000000000b", "instance/i-0000000000000000b"),
            ("no document", [allow("ssm:StartSession", instance, **checked)], "i-0000000000000000a", "document/SSM-SessionManagerRunShell"),
        ):
            with self.subTest(shows):
                name = f"u{next(COUNTER)}"
                ssm = self.client("ssm", self.user(name, *statements, own))
                answer = self.denied(ssm.start_session, Target=target)
                self.assertEqual(answer is None, denial is None, answer)
                self.assertIn(denial or "", answer or "")
                self.assertIn("ssm:TerminateSession", self.denied(ssm.terminate_session, SessionId="somebody-0123"))
                self.assertIsNone(self.denied(ssm.terminate_session, SessionId=f"{name}-0123"))

    def test_tags_of_principals_and_requests(self):
        """UG access_tags.html: ABAC by aws:PrincipalTag, and which tags a request may set."""
        same = {"Condition": {"StringEquals": {"aws:ResourceTag/Finance": "${aws:PrincipalTag/Finance}"}}}
        # "The trust policy must allow sts:TagSession as well" (id_session-tags.html).
        tagging = trust({"AWS": self.root}, Action=["sts:AssumeRole", "sts:TagSession"])
        role = self.role("abac", allow("ssm:GetConnectionStatus", "arn:aws:ec2:*:*:instance/*", **same), allow("iam:CreateRole", "*", Condition={
            "StringEquals": {"aws:RequestTag/Team": "blue"}, "ForAllValues:StringEquals": {"aws:TagKeys": ["Team"]}}), allow("iam:TagRole"),
            trusts=tagging, Tags=[{"Key": "Finance", "Value": "WebServers"}])
        key = self.session(role)
        self.assertIsNone(self.denied(self.client("ssm", key).get_connection_status, Target="i-0000000000000000a"))
        self.assertIn("ssm:GetConnectionStatus", self.denied(self.client("ssm", key).get_connection_status, Target="i-0000000000000000b"))
        # A tag of the session wins over the role's.
        other = self.session(role, Tags=[{"Key": "Finance", "Value": "None"}])
        self.assertIn("ssm:GetConnectionStatus", self.denied(self.client("ssm", other).get_connection_status, Target="i-0000000000000000a"))
        for tags, allowed in (([("Team", "blue")], True), ([("Team", "red")], False), ([("Team", "blue"), ("Extra", "x")], False), ([], False)):
            with self.subTest(tags):
                given = [{"Key": name, "Value": value} for name, value in tags]
                answer = self.denied(self.client("iam", key).create_role, RoleName=f"r{next(COUNTER)}", AssumeRolePolicyDocument=trust({"AWS": self.root}), Tags=given)
                self.assertEqual(answer is None, allowed, answer)

    def test_global_keys(self):
        for shows, condition, allowed in (
            ("Region", {"StringEquals": {"aws:RequestedRegion": R}}, True),
            ("another Region", {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}, False),
            ("address", {"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, True),
            ("time", {"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}, "DateLessThan": {"aws:EpochTime": "4102444800"}}, True),
            ("TLS", {"Bool": {"aws:SecureTransport": "true"}}, True),
            ("account", {"StringEquals": {"aws:PrincipalAccount": self.account, "aws:PrincipalType": "User"}}, True),
            ("no session", {"Null": {"aws:TokenIssueTime": "true"}}, True),
            ("MFA", {"Bool": {"aws:MultiFactorAuthPresent": "true"}}, False),
            ("nobody called in between", {"Bool": {"aws:ViaAWSService": "false"}}, True),
            ("the name of the user", {"StringLike": {"aws:username": "u*"}}, True),
        ):
            with self.subTest(shows):
                key = self.user(f"u{next(COUNTER)}", allow("ssm:ListDocuments", Condition=condition))
                self.assertEqual(self.denied(self.client("ssm", key).list_documents) is None, allowed)


if __name__ == "__main__":
    unittest.main()
