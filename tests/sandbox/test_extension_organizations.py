"""Tests that the sandbox's Organizations refuses and pages as AWS documents."""

import json
import unittest

from test_extension_server import MANAGEMENT, MEMBER, client, error_of, reset

STATEMENT = {"Effect": "Deny", "Action": "ssm:StartSession", "Resource": "*"}


def scp(**changes):
    return json.dumps({"Version": "2012-10-17", "Statement": [STATEMENT | changes]})


class Organizations(unittest.TestCase):
    def setUp(self):
        reset()
        self.org = client("organizations")
        self.org.create_organization(FeatureSet="ALL")
        self.root = self.org.list_roots()["Roots"][0]["Id"]
        self.org.enable_policy_type(RootId=self.root, PolicyType="SERVICE_CONTROL_POLICY")

    def create(self, name, content=scp()):
        return self.org.create_policy(Name=name, Description="", Type="SERVICE_CONTROL_POLICY", Content=content)["Policy"]["PolicySummary"]["Id"]

    def create_error(self, content):
        return error_of(self.org.create_policy, Name="fence", Description="", Type="SERVICE_CONTROL_POLICY", Content=content)

    def test_refuses_malformed_documents(self):
        cases = {
            "syntax": "{",
            "principal": scp(Principal="*"),
            "not principal": scp(NotPrincipal={"AWS": "*"}),
            "no version": json.dumps({"Statement": [STATEMENT]}),
            "no statement": json.dumps({"Version": "2012-10-17"}),
            "effect": scp(Effect="deny"),
            "unknown element": scp(Actions="ssm:*"),
        }
        for name, content in cases.items():
            with self.subTest(name):
                self.assertEqual(self.create_error(content), "MalformedPolicyDocumentException")

    def test_accepts_the_full_policy_language(self):
        self.create("full", json.dumps({"Version": "2012-10-17", "Statement": {
            "Effect": "Deny", "Action": ["ssm:*Session"], "NotResource": "arn:aws:ssm:*:*:document/x",
            "Condition": {"ArnNotLike": {"aws:PrincipalArn": ["arn:aws:iam::*:role/admin"]}}}}))

    def test_counts_every_character_of_the_content(self):
        padding = 10240 - len(scp())
        self.create("fits", scp() + " " * padding)
        self.assertEqual(self.create_error(scp() + " " * (padding + 1)), "ConstraintViolationException POLICY_CONTENT_LIMIT_EXCEEDED")

    def test_refuses_a_second_policy_of_the_same_name(self):
        self.create("fence")
        self.assertEqual(self.create_error(scp()), "DuplicatePolicyException")
        other = self.create("other")
        self.assertEqual(error_of(self.org.update_policy, PolicyId=other, Name="fence"), "DuplicatePolicyException")

    def test_refuses_to_attach_an_eleventh_policy_or_one_twice(self):
        policies = [self.create(f"fence-{number}") for number in range(10)]
        for policy in policies[:9]:
            self.org.attach_policy(PolicyId=policy, TargetId=self.root)
        self.assertEqual(error_of(self.org.attach_policy, PolicyId=policies[0], TargetId=self.root), "DuplicatePolicyAttachmentException")
        self.assertEqual(
            error_of(self.org.attach_policy, PolicyId=policies[9], TargetId=self.root),
            "ConstraintViolationException MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED",
        )

    def test_refuses_targets_and_types_that_are_not_there(self):
        policy = self.create("fence")
        self.assertEqual(error_of(self.org.attach_policy, PolicyId=policy, TargetId="999999999999"), "TargetNotFoundException")
        self.org.disable_policy_type(RootId=self.root, PolicyType="SERVICE_CONTROL_POLICY")
        self.assertEqual(error_of(self.org.attach_policy, PolicyId=policy, TargetId=self.root), "PolicyTypeNotEnabledException")

    def test_disabling_a_type_detaches_its_policies(self):
        policy = self.create("fence")
        self.org.attach_policy(PolicyId=policy, TargetId=self.root)
        self.org.disable_policy_type(RootId=self.root, PolicyType="SERVICE_CONTROL_POLICY")
        self.org.enable_policy_type(RootId=self.root, PolicyType="SERVICE_CONTROL_POLICY")
        attached = self.org.list_policies_for_target(TargetId=self.root, Filter="SERVICE_CONTROL_POLICY")["Policies"]
        self.assertEqual([summary["Id"] for summary in attached], ["p-FullAWSAccess"])

    def test_keeps_one_policy_on_every_target(self):
        policy = self.create("fence")
        self.assertEqual(error_of(self.org.detach_policy, PolicyId=policy, TargetId=self.root), "PolicyNotAttachedException")
        self.assertEqual(
            error_of(self.org.detach_policy, PolicyId="p-FullAWSAccess", TargetId=self.root),
            "ConstraintViolationException MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED",
        )

    def test_refuses_to_delete_a_policy_in_use_or_of_aws(self):
        policy = self.create("fence")
        self.org.attach_policy(PolicyId=policy, TargetId=self.root)
        self.assertEqual(error_of(self.org.delete_policy, PolicyId=policy), "PolicyInUseException")
        self.assertEqual(error_of(self.org.delete_policy, PolicyId="p-FullAWSAccess"), "InvalidInputException IMMUTABLE_POLICY")

    def test_pages_every_list(self):
        policy = self.create("fence")
        for number in range(21):
            unit = self.org.create_organizational_unit(ParentId=self.root, Name=f"unit-{number}")["OrganizationalUnit"]["Id"]
            self.org.attach_policy(PolicyId=policy, TargetId=unit)
            self.org.create_account(AccountName=f"account-{number}", Email=f"a{number}@example.com")
            self.create(f"policy-{number}")
        cases = {
            "list_policies": ("Policies", {"Filter": "SERVICE_CONTROL_POLICY"}, 23),
            "list_targets_for_policy": ("Targets", {"PolicyId": policy}, 21),
            "list_accounts": ("Accounts", {}, 22),
            "list_organizational_units_for_parent": ("OrganizationalUnits", {"ParentId": self.root}, 21),
            "list_accounts_for_parent": ("Accounts", {"ParentId": self.root}, 22),
        }
        for operation, (key, parameters, total) in cases.items():
            with self.subTest(operation):
                call = getattr(self.org, operation)
                first = call(**parameters)
                rest = call(**parameters, NextToken=first["NextToken"])
                self.assertEqual((len(first[key]), len(rest[key]), "NextToken" in rest), (20, total - 20, False))
                self.assertEqual(len(call(**parameters, MaxResults=3)[key]), 3)
                self.assertEqual(error_of(call, **parameters, MaxResults=21), "InvalidInputException MAX_VALUE_EXCEEDED")
                self.assertEqual(error_of(call, **parameters, NextToken="x"), "InvalidInputException INVALID_NEXT_TOKEN")

    def test_says_the_path_of_an_account(self):
        accounts = self.org.list_accounts()["Accounts"]
        self.assertTrue(all(a["Paths"][0].endswith(f"/{a['Id']}/") for a in accounts))
        self.assertTrue(all(a["Paths"][0].startswith("o-") for a in accounts))

    def test_answers_the_management_account_only(self):
        self.assertEqual(error_of(client("organizations", MEMBER).list_accounts), "AWSOrganizationsNotInUseException")
        member = self.org.create_account(AccountName="member", Email="m@example.com")["CreateAccountStatus"]["AccountId"]
        as_member = client("organizations", member)
        self.assertEqual(error_of(as_member.list_policies, Filter="SERVICE_CONTROL_POLICY"), "AccessDeniedException")
        self.assertEqual(as_member.describe_organization()["Organization"]["MasterAccountId"], MANAGEMENT)
    def member(self):
        return self.org.create_account(AccountName="member", Email="m@example.com")["CreateAccountStatus"]["AccountId"]

    def test_a_delegated_administrator_of_a_service_reads_only(self):
        member, policy = self.member(), self.create("fence")
        as_member = client("organizations", member)
        reads = (
            (as_member.list_accounts, {}), (as_member.list_roots, {}), (as_member.list_delegated_administrators, {}),
            (as_member.list_policies, {"Filter": "SERVICE_CONTROL_POLICY"}), (as_member.describe_policy, {"PolicyId": policy}),
            (as_member.list_policies_for_target, {"TargetId": self.root, "Filter": "SERVICE_CONTROL_POLICY"}),
            (as_member.list_targets_for_policy, {"PolicyId": policy}), (as_member.describe_account, {"AccountId": member}),
            (as_member.list_parents, {"ChildId": member}), (as_member.list_children, {"ParentId": self.root, "ChildType": "ACCOUNT"}),
        )
        writes = (
            (as_member.attach_policy, {"PolicyId": policy, "TargetId": self.root}), (as_member.delete_policy, {"PolicyId": policy}),
            (as_member.create_policy, {"Name": "x", "Description": "", "Type": "SERVICE_CONTROL_POLICY", "Content": scp()}),
            (as_member.enable_policy_type, {"RootId": self.root, "PolicyType": "TAG_POLICY"}),
            (as_member.create_organizational_unit, {"ParentId": self.root, "Name": "x"}),
            (as_member.register_delegated_administrator, {"AccountId": member, "ServicePrincipal": "ssm.amazonaws.com"}),
        )
        outcomes = lambda calls: {error_of(call, **parameters) for call, parameters in calls}
        self.assertEqual(outcomes(reads), {"AccessDeniedException"})
        self.org.register_delegated_administrator(AccountId=member, ServicePrincipal="ssm.amazonaws.com")
        self.assertEqual((outcomes(reads), outcomes(writes)), ({"none"}, {"AccessDeniedException"}))
        self.assertEqual({a["Id"] for a in as_member.list_accounts()["Accounts"]}, {MANAGEMENT, member})
        self.org.deregister_delegated_administrator(AccountId=member, ServicePrincipal="ssm.amazonaws.com")
        self.assertEqual(outcomes(reads), {"AccessDeniedException"})
        self.assertEqual(as_member.describe_organization()["Organization"]["MasterAccountId"], MANAGEMENT)

    def test_the_resource_policy_lets_a_member_manage_policies(self):
        member, policy = self.member(), self.create("fence")
        as_member = client("organizations", member)
        arn = self.org.describe_policy(PolicyId=policy)["Policy"]["PolicySummary"]["Arn"]
        root = self.org.list_roots()["Roots"][0]["Arn"]
        attach = lambda: error_of(as_member.attach_policy, PolicyId=policy, TargetId=self.root)
        self.assertEqual(error_of(self.org.describe_resource_policy), "ResourcePolicyNotFoundException")
        self.assertEqual(attach(), "AccessDeniedException")
        statement = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{member}:root"}}
        content = json.dumps({"Version": "2012-10-17", "Statement": [
            statement | {"Action": ["organizations:List*", "organizations:MoveAccount"], "Resource": "*"},
            statement | {"Action": "organizations:AttachPolicy", "Resource": [arn, root],
                         "Condition": {"StringEquals": {"organizations:PolicyType": "SERVICE_CONTROL_POLICY"}}},
        ]})
        self.assertEqual(error_of(self.org.put_resource_policy, Content=scp()), "InvalidInputException")
        self.assertEqual(self.org.put_resource_policy(Content=content)["ResourcePolicy"]["Content"], content)
        self.assertEqual(len(as_member.list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"]), 2)
        self.assertEqual(error_of(as_member.attach_policy, PolicyId=policy, TargetId=member), "AccessDeniedException")
        self.assertEqual(attach(), "none")
        self.assertEqual(error_of(as_member.detach_policy, PolicyId=policy, TargetId=self.root), "AccessDeniedException")
        # "You can only call this operation from the management account", whatever a policy says.
        for call, parameters in ((as_member.put_resource_policy, {"Content": content}),
                                 (as_member.move_account, {"AccountId": member, "SourceParentId": self.root, "DestinationParentId": self.root})):
            self.assertEqual(error_of(call, **parameters), "AccessDeniedException")
        self.org.delete_resource_policy()
        self.assertEqual(error_of(as_member.list_policies, Filter="SERVICE_CONTROL_POLICY"), "AccessDeniedException")


if __name__ == "__main__":
    unittest.main()
