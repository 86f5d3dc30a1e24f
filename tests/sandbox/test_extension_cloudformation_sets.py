"""Shows how the sandbox's stack sets deploy: where to, in which order, how they fail, stop, and follow accounts that move."""

import itertools
import json
import time
import unittest

import sandbox_server
from test_extension_server import error_of

KEY = {"Type": "AWS::KMS::Key"}
ALIAS = {"Type": "AWS::KMS::Alias", "Properties": {"AliasName": "alias/ssm", "TargetKeyId": {"Ref": "Key"}}}
REGIONS = ["eu-central-1", "us-east-1"]
_numbers = itertools.count(1)


def setUpModule():
    global SANDBOX
    SANDBOX = sandbox_server.Served()


def tearDownModule():
    SANDBOX.stop()


class StackSets(unittest.TestCase):
    """An organization: the management account and one other in the root, two in the unit, one in a unit below it."""

    def setUp(self):
        number = next(_numbers)
        self.management, self.outside, self.first, self.second, self.below = (f"4{number:05}{n:06}" for n in range(5))
        self.root, self.unit, child = f"r-{number:04}", f"ou-{number:04}-11111111", f"ou-{number:04}-22222222"
        accounts = [{"id": id, "name": f"a{id}"} for id in (self.management, self.outside, self.first, self.second, self.below)]
        SANDBOX.control("POST", "/_sandbox/estate", {"accounts": accounts, "organization": {
            "management_account": self.management, "id": f"o-{number:010}", "root_id": self.root,
            "ous": [{"id": self.unit, "name": "unit", "accounts": [self.first, self.second]}, {"id": child, "name": "child", "parent": self.unit, "accounts": [self.below]}]}})
        self.sets = SANDBOX.client("cloudformation", self.management)
        self.sets.activate_organizations_access()

    def create(self, resources=None, enabled=True, retain=False, client=None, **request):
        template = json.dumps({"Resources": resources or {"Key": KEY, "Alias": ALIAS}})
        deployment = {"Enabled": enabled} | ({"RetainStacksOnAccountRemoval": retain} if enabled else {})
        (client or self.sets).create_stack_set(StackSetName="s", TemplateBody=template, PermissionModel="SERVICE_MANAGED", AutoDeployment=deployment, **request)

    def deploy(self, regions=("us-east-1",), targets=None, **preferences):
        """Makes instances, and returns the operation when it has ended with its results."""
        return self.ended(self.sets.create_stack_instances(
            StackSetName="s", DeploymentTargets=targets or {"OrganizationalUnitIds": [self.unit]}, Regions=list(regions), OperationPreferences=preferences)["OperationId"])

    def ended(self, operation):
        until = time.monotonic() + 30
        while True:
            described = self.sets.describe_stack_set_operation(StackSetName="s", OperationId=operation)["StackSetOperation"]
            if described["Status"] not in ("RUNNING", "STOPPING"):
                return described, self.sets.list_stack_set_operation_results(StackSetName="s", OperationId=operation)["Summaries"]
            self.assertLess(time.monotonic(), until, "the operation does not end")
            time.sleep(0.02)

    def instances(self):
        return {(one["Account"], one["Region"]): one["Status"] for one in self.sets.list_stack_instances(StackSetName="s")["Summaries"]}

    def aliases(self, account, region="us-east-1"):
        found = SANDBOX.client("kms", account, region).list_aliases()["Aliases"]
        return [one["AliasName"] for one in found if one["AliasName"] == "alias/ssm"]

    def wait_for(self, expected):
        until = time.monotonic() + 20
        while self.instances() != expected and time.monotonic() < until:
            time.sleep(0.05)
        self.assertEqual(self.instances(), expected)

    def take_alias(self, account, region="us-east-1"):
        """Lets the alias be there already, so that the stack fails."""
        kms = SANDBOX.client("kms", account, region)
        kms.create_alias(AliasName="alias/ssm", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
        return kms


class Deployments(StackSets):
    def test_reach_all_accounts_below_a_unit_but_the_management_account(self):
        self.create()
        operation, _ = self.deploy(REGIONS, {"OrganizationalUnitIds": [self.root]}, MaxConcurrentPercentage=100, FailureTolerancePercentage=100)
        self.assertEqual(operation["Status"], "SUCCEEDED")
        accounts = (self.outside, self.first, self.second, self.below)
        self.assertEqual(self.instances(), {(account, region): "CURRENT" for account in accounts for region in REGIONS})
        self.assertEqual((self.aliases(self.first), self.aliases(self.management)), (["alias/ssm"], []))
        (stack,) = SANDBOX.client("cloudformation", self.first).describe_stacks()["Stacks"]
        self.assertRegex(stack["StackName"], "^StackSet-s-")
        described = self.sets.describe_stack_set(StackSetName="s")["StackSet"]
        self.assertEqual((described["OrganizationalUnitIds"], described["Regions"], described["PermissionModel"]), ([self.root], REGIONS, "SERVICE_MANAGED"))

    def test_filters_take_the_accounts_that_they_name_or_all_others(self):
        self.create()
        for kind, expected in (("INTERSECTION", [self.first]), ("DIFFERENCE", [self.second, self.below])):
            _, results = self.deploy(targets={"OrganizationalUnitIds": [self.unit], "AccountFilterType": kind, "Accounts": [self.first]})
            self.assertEqual([one["Account"] for one in results], sorted(expected))

    def test_go_region_after_region_in_the_order_that_is_given(self):
        self.create()
        _, results = self.deploy(REGIONS, RegionOrder=["us-east-1", "eu-central-1"])
        self.assertEqual([one["Region"] for one in results], ["us-east-1"] * 3 + ["eu-central-1"] * 3)

    def test_an_instance_that_is_current_stays_and_one_that_failed_is_made_again(self):
        kms = self.take_alias(self.second)
        self.create()
        operation, _ = self.deploy(FailureToleranceCount=1)
        self.assertEqual((operation["Status"], operation["StatusDetails"]), ("SUCCEEDED", {"FailedStackInstancesCount": 1}))
        kms.delete_alias(AliasName="alias/ssm")
        SANDBOX.control("DELETE", f"/_sandbox/calls?account={self.first}")
        self.deploy()
        self.assertEqual(set(self.instances().values()), {"CURRENT"})
        self.assertEqual(SANDBOX.calls(self.first), [])

    def test_more_failures_than_are_tolerated_cancel_the_rest_and_say_why(self):
        self.take_alias(self.first)
        self.create()
        operation, results = self.deploy(REGIONS, RegionOrder=["us-east-1", "eu-central-1"])
        self.assertEqual(operation["Status"], "FAILED")
        self.assertEqual([one["Status"] for one in results], ["FAILED"] + ["CANCELLED"] * 5)
        reason = results[0]["StatusReason"]
        self.assertIn("ResourceLogicalId:Alias, ResourceType:AWS::KMS::Alias, ResourceStatusReason:", reason)
        self.assertIn("already exists", reason)
        self.assertEqual(self.instances(), {(self.first, "us-east-1"): "OUTDATED"})

    def test_a_share_is_rounded_down(self):
        self.take_alias(self.first)
        self.create()
        self.assertEqual(self.deploy(FailureTolerancePercentage=33)[0]["Status"], "FAILED")
        self.assertEqual(self.deploy(FailureTolerancePercentage=34)[0]["Status"], "SUCCEEDED")

    def test_stop_after_what_is_under_way(self):
        self.create()
        SANDBOX.fault(account=self.first, kind="latency", service="kms", operation="CreateKey", milliseconds=500)
        operation = self.sets.create_stack_instances(StackSetName="s", DeploymentTargets={"OrganizationalUnitIds": [self.unit]}, Regions=["us-east-1"])["OperationId"]
        self.assertEqual(error_of(self.sets.delete_stack_set, StackSetName="s"), "OperationInProgressException")
        self.assertEqual(error_of(self.deploy), "OperationInProgressException")
        self.sets.stop_stack_set_operation(StackSetName="s", OperationId=operation)
        described, results = self.ended(operation)
        self.assertEqual((described["Status"], [one["Status"] for one in results]), ("STOPPED", ["SUCCEEDED", "CANCELLED", "CANCELLED"]))


class Changes(StackSets):
    def test_an_update_reaches_every_instance(self):
        self.create()
        self.deploy(REGIONS)
        template = json.dumps({"Resources": {"Key": KEY}})
        described, _ = self.ended(self.sets.update_stack_set(StackSetName="s", TemplateBody=template)["OperationId"])
        self.assertEqual((described["Action"], described["Status"]), ("UPDATE", "SUCCEEDED"))
        self.assertEqual(set(self.instances().values()), {"CURRENT"})
        self.assertEqual(self.aliases(self.below, "eu-central-1"), [])
        self.assertEqual(self.sets.describe_stack_set(StackSetName="s")["StackSet"]["TemplateBody"], template)

    def test_an_update_that_stops_leaves_the_others_outdated(self):
        self.create()
        self.deploy()
        SANDBOX.fault(account=self.first, kind="denied", service="kms", operation="UpdateKeyDescription", times=-1)
        resources = {"Key": KEY | {"Properties": {"Description": "new"}}, "Alias": ALIAS}
        described, _ = self.ended(self.sets.update_stack_set(StackSetName="s", TemplateBody=json.dumps({"Resources": resources}))["OperationId"])
        self.assertEqual(described["Status"], "FAILED")
        self.assertEqual(set(self.instances().values()), {"OUTDATED"})

    def test_is_deleted_once_it_is_empty(self):
        self.create()
        self.deploy()
        self.assertEqual(error_of(self.sets.delete_stack_set, StackSetName="s"), "StackSetNotEmptyException")
        targets = {"OrganizationalUnitIds": [self.unit]}
        self.ended(self.sets.delete_stack_instances(StackSetName="s", DeploymentTargets=targets, Regions=["us-east-1"], RetainStacks=False)["OperationId"])
        self.assertEqual(self.aliases(self.first), [])
        self.sets.delete_stack_set(StackSetName="s")
        self.assertEqual(error_of(self.sets.describe_stack_set, StackSetName="s"), "StackSetNotFoundException")

    def test_retained_stacks_stay(self):
        self.create()
        self.deploy()
        targets = {"OrganizationalUnitIds": [self.unit]}
        self.ended(self.sets.delete_stack_instances(StackSetName="s", DeploymentTargets=targets, Regions=["us-east-1"], RetainStacks=True)["OperationId"])
        self.assertEqual(self.instances(), {})
        self.assertEqual(len(SANDBOX.client("cloudformation", self.first).describe_stacks()["Stacks"]), 1)

    def test_an_account_that_comes_gets_its_stacks_and_one_that_goes_loses_them(self):
        self.create()
        self.deploy(REGIONS)
        organizations = SANDBOX.client("organizations", self.management)
        before = self.instances()
        organizations.move_account(AccountId=self.outside, SourceParentId=self.root, DestinationParentId=self.unit)
        self.wait_for(before | {(self.outside, region): "CURRENT" for region in REGIONS})
        organizations.move_account(AccountId=self.outside, SourceParentId=self.unit, DestinationParentId=self.root)
        self.wait_for(before)
        self.assertEqual(self.aliases(self.outside), [])

    def test_an_account_that_comes_gets_its_stack_whatever_the_filter(self):
        self.create()
        self.deploy(targets={"OrganizationalUnitIds": [self.unit], "AccountFilterType": "INTERSECTION", "Accounts": [self.first]})
        SANDBOX.client("organizations", self.management).move_account(AccountId=self.outside, SourceParentId=self.root, DestinationParentId=self.unit)
        self.wait_for({(self.first, "us-east-1"): "CURRENT", (self.outside, "us-east-1"): "CURRENT"})

    def test_an_account_that_comes_gets_nothing_without_auto_deployment(self):
        self.create(enabled=False)
        self.deploy()
        before = self.instances()
        SANDBOX.client("organizations", self.management).move_account(AccountId=self.outside, SourceParentId=self.root, DestinationParentId=self.unit)
        time.sleep(0.3)
        self.assertEqual(self.instances(), before)


class Refusals(StackSets):
    def test_needs_the_trust_of_the_organization(self):
        alone = SANDBOX.client("cloudformation", f"499{next(_numbers):09}")
        with self.assertRaisesRegex(Exception, "You must enable organizations access to operate a service managed stack set"):
            self.create(client=alone)
        self.assertEqual(alone.describe_organizations_access()["Status"], "DISABLED")
        self.assertEqual(self.sets.describe_organizations_access()["Status"], "ENABLED")

    def test_a_delegated_administrator_works_in_the_management_account(self):
        member = SANDBOX.client("cloudformation", self.outside)
        with self.assertRaisesRegex(Exception, "not a delegated administrator"):
            self.create(client=member, CallAs="DELEGATED_ADMIN")
        SANDBOX.client("organizations", self.management).register_delegated_administrator(
            AccountId=self.outside, ServicePrincipal="member.org.stacksets.cloudformation.amazonaws.com")
        self.create(client=member, CallAs="DELEGATED_ADMIN")
        self.assertEqual(member.describe_stack_set(StackSetName="s", CallAs="DELEGATED_ADMIN")["StackSet"]["Status"], "ACTIVE")
        self.assertEqual(error_of(member.describe_stack_set, StackSetName="s"), "StackSetNotFoundException")
        self.assertEqual(self.sets.describe_stack_set(StackSetName="s")["StackSet"]["Status"], "ACTIVE")

    def test_refuses_what_aws_refuses(self):
        self.create()
        create = self.sets.create_stack_instances
        targets = {"OrganizationalUnitIds": [self.unit]}
        both = {"FailureToleranceCount": 1, "FailureTolerancePercentage": 1}
        for expected, call, request in (
            ("StackSetNotFoundException", self.sets.describe_stack_set, {"StackSetName": "t"}),
            ("OperationNotFoundException", self.sets.describe_stack_set_operation, {"StackSetName": "s", "OperationId": "x"}),
            ("StackInstanceNotFoundException", self.sets.describe_stack_instance, {"StackSetName": "s", "StackInstanceAccount": self.first, "StackInstanceRegion": "us-east-1"}),
            ("ValidationError", create, {"StackSetName": "s", "Regions": ["us-east-1"], "Accounts": [self.first]}),
            ("ValidationError", create, {"StackSetName": "s", "Regions": ["us-east-1"], "DeploymentTargets": {"OrganizationalUnitIds": ["ou-zzzz-99999999"]}}),
            ("ValidationError", create, {"StackSetName": "s", "Regions": ["us-east-1"], "DeploymentTargets": targets, "OperationPreferences": both}),
            ("NameAlreadyExistsException", self.create, {}),
        ):
            with self.subTest(expected):
                self.assertEqual(error_of(call, **request), expected)
        with self.assertRaisesRegex(Exception, "Requires capabilities"):
            self.sets.create_stack_set(StackSetName="t", PermissionModel="SERVICE_MANAGED", AutoDeployment={"Enabled": False},
                                       TemplateBody=json.dumps({"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}}}}}))

    def test_an_operation_id_counts_once(self):
        self.create()
        request = {"StackSetName": "s", "Regions": ["us-east-1"], "DeploymentTargets": {"OrganizationalUnitIds": [self.unit]}, "OperationId": "mine"}
        self.ended(self.sets.create_stack_instances(**request)["OperationId"])
        self.assertEqual(error_of(self.sets.create_stack_instances, **request), "OperationIdAlreadyExistsException")

    def test_a_request_for_a_set_counts_once(self):
        self.create(ClientRequestToken="mine")
        self.create(ClientRequestToken="mine")
        self.assertEqual(error_of(self.create, ClientRequestToken="another"), "NameAlreadyExistsException")

    def test_lists_come_in_pages(self):
        self.create()
        operation, _ = self.deploy(REGIONS)
        for call, more in ((self.sets.list_stack_instances, {}), (self.sets.list_stack_set_operation_results, {"OperationId": operation["OperationId"]})):
            page = call(StackSetName="s", MaxResults=4, **more)
            rest = call(StackSetName="s", MaxResults=4, NextToken=page["NextToken"], **more)
            self.assertEqual((len(page["Summaries"]), len(rest["Summaries"]), "NextToken" in rest), (4, 2, False))

    def test_requests_follow_the_models(self):
        self.create()
        self.deploy()
        done = SANDBOX.aws(self.management, "cloudformation", "list-stack-set-operations", "--stack-set-name", "s")
        self.assertEqual([one["Action"] for one in json.loads(done.stdout)["Summaries"]], ["CREATE"], done.stderr)
        self.assertEqual([one for one in SANDBOX.calls(self.management) + SANDBOX.calls(self.first) if one["problems"]], [])


if __name__ == "__main__":
    unittest.main()
