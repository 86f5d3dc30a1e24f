"""Tests what the local AWS itself owns: accounts, estate, paging, its end."""

import datetime
import json
import unittest
import urllib.error

import sandbox_server
from botocore.exceptions import ClientError

SANDBOX = None


def setUpModule():
    global SANDBOX
    SANDBOX = sandbox_server.Served("--estate", str(sandbox_server.HERE / "estates" / "demo.json"))


def tearDownModule():
    SANDBOX.stop()


def many_nodes(account, region, n):
    return {
        "nodes": [
            {
                "account": account,
                "region": region,
                "instance_id": f"i-{index:017d}",
                "name": f"node-{index}",
                "agent": {"version": "3.3.987.0"},
            }
            for index in range(n)
        ]
    }


class Accounts(unittest.TestCase):
    def test_the_static_key_names_the_account(self):
        identity = SANDBOX.client("sts", "500000000001").get_caller_identity()
        self.assertEqual(identity["Account"], "500000000001")
        self.assertEqual(identity["Arn"], "arn:aws:iam::500000000001:user/sandbox")

    def test_keys_of_an_assumed_role_select_the_account_of_the_role(self):
        arn = "arn:aws:iam::222222222222:role/OrganizationAccountAccessRole"
        role = SANDBOX.client("sts", "111111111111").assume_role(
            RoleArn=arn, RoleSessionName="me"
        )
        keys = role["Credentials"]
        client = SANDBOX.client(
            "sts",
            "",
            access_key=keys["AccessKeyId"],
            aws_session_token=keys["SessionToken"],
        )
        identity = client.get_caller_identity()
        self.assertEqual(identity["Account"], "222222222222")
        self.assertIn("assumed-role/OrganizationAccountAccessRole/me", identity["Arn"])

    def test_a_session_ends_when_the_estate_says(self):
        account = "500000000077"
        roles = [{"account": account, "name": "brief", "trust": "arn:aws:iam::111111111111:root", "session_seconds": 60}]
        roles.append({"account": account, "name": "long", "trust": "arn:aws:iam::111111111111:root"})
        SANDBOX.control("POST", "/_sandbox/estate", {"roles": roles})
        for name, seconds in (("brief", 60), ("long", 3600)):
            arn = f"arn:aws:iam::{account}:role/{name}"
            keys = SANDBOX.client("sts", "111111111111").assume_role(RoleArn=arn, RoleSessionName="me")["Credentials"]
            left = keys["Expiration"] - datetime.datetime.now(datetime.timezone.utc)
            self.assertAlmostEqual(left.total_seconds(), seconds, delta=10)

    def test_a_role_that_the_account_does_not_have_cannot_be_assumed(self):
        client = SANDBOX.client("sts", "111111111111")
        with self.assertRaises(ClientError) as raised:
            client.assume_role(
                RoleArn="arn:aws:iam::222222222222:role/absent", RoleSessionName="me"
            )
        self.assertEqual(raised.exception.response["Error"]["Code"], "AccessDenied")

    def test_a_key_that_nobody_made_is_refused(self):
        client = SANDBOX.client("ssm", "", access_key="AKIAUNKNOWNUNKNOWN00")
        with self.assertRaises(ClientError) as raised:
            client.list_documents()
        self.assertEqual(
            raised.exception.response["Error"]["Code"], "UnrecognizedClientException"
        )

    def test_accounts_and_regions_share_nothing(self):
        SANDBOX.control("POST", "/_sandbox/estate", many_nodes("500000000002", "us-east-1", 1))

        def n_nodes(account, region):
            client = SANDBOX.client("ssm", account, region)
            return len(client.describe_instance_information()["InstanceInformationList"])

        self.assertEqual(n_nodes("500000000002", "us-east-1"), 1)
        self.assertEqual(n_nodes("500000000002", "eu-central-1"), 0)
        self.assertEqual(n_nodes("500000000003", "us-east-1"), 0)


class Estate(unittest.TestCase):
    def test_the_demo_has_forty_nodes_with_fixed_ids(self):
        with open(sandbox_server.HERE / "estates" / "demo.json", encoding="utf-8") as file:
            demo = json.load(file)
        self.assertEqual(len(demo["nodes"]), 40)
        ids = {node["instance_id"] for node in demo["nodes"]}
        self.assertEqual(len(ids), 40)
        seen = set()
        for account in ("222222222222", "333333333333", "444444444444"):
            for region in ("us-east-1", "eu-central-1"):
                ec2 = SANDBOX.client("ec2", account, region)
                for reservation in ec2.describe_instances()["Reservations"]:
                    seen |= {i["InstanceId"] for i in reservation["Instances"]}
        self.assertEqual(seen, {i for i in ids if i.startswith("i-")})

    def test_an_instance_looks_as_seeded(self):
        ec2 = SANDBOX.client("ec2", "222222222222")
        found = ec2.describe_instances(
            Filters=[{"Name": "tag:Name", "Values": ["windows-old-agent"]}]
        )
        instance = found["Reservations"][0]["Instances"][0]
        self.assertEqual(instance["PlatformDetails"], "Windows")
        self.assertEqual(instance["State"]["Name"], "running")
        self.assertEqual(instance["MetadataOptions"]["HttpTokens"], "optional")
        self.assertEqual(instance["MetadataOptions"]["HttpPutResponseHopLimit"], 1)
        self.assertTrue(instance["IamInstanceProfile"]["Arn"].endswith("/node-ssm"))

    def test_the_organization_has_fixed_ids_and_full_access_everywhere(self):
        client = SANDBOX.client("organizations", "111111111111")
        self.assertEqual(client.describe_organization()["Organization"]["Id"], "o-sandbox0001")
        root = client.list_roots()["Roots"][0]
        self.assertEqual(root["Id"], "r-sand")
        self.assertEqual(root["PolicyTypes"][0]["Status"], "ENABLED")
        for target in ("r-sand", "ou-sand-workloads", "222222222222"):
            policies = client.list_policies_for_target(
                TargetId=target, Filter="SERVICE_CONTROL_POLICY"
            )["Policies"]
            self.assertEqual([p["Id"] for p in policies], ["p-FullAWSAccess"])

    def test_an_unknown_field_is_refused(self):
        with self.assertRaises(urllib.error.HTTPError) as raised:
            SANDBOX.control("POST", "/_sandbox/estate", {"node": []})
        self.assertEqual(raised.exception.code, 400)
        raised.exception.close()


class Paging(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        SANDBOX.control("POST", "/_sandbox/estate", many_nodes("500000000010", "us-east-1", 53))

    def test_instance_information_gives_ten_a_page_and_at_most_fifty(self):
        client = SANDBOX.client("ssm", "500000000010")
        first = client.describe_instance_information()
        self.assertEqual(len(first["InstanceInformationList"]), 10)
        pages = list(
            client.get_paginator("describe_instance_information").paginate(
                PaginationConfig={"PageSize": 50}
            )
        )
        self.assertEqual([len(p["InstanceInformationList"]) for p in pages], [50, 3])
        for size in (4, 51):
            with self.assertRaises(ClientError) as raised:
                client.describe_instance_information(MaxResults=size)
            self.assertEqual(raised.exception.response["Error"]["Code"], "ValidationException")

    def test_a_token_that_no_answer_gave_is_refused(self):
        client = SANDBOX.client("ssm", "500000000010")
        with self.assertRaises(ClientError) as raised:
            client.describe_instance_information(NextToken="made-up")
        self.assertEqual(raised.exception.response["Error"]["Code"], "InvalidNextToken")

    def test_instances_come_in_pages(self):
        client = SANDBOX.client("ec2", "500000000010")
        pages = list(
            client.get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": 20})
        )
        self.assertEqual([len(p["Reservations"]) for p in pages], [20, 20, 13])
        with self.assertRaises(ClientError) as raised:
            client.describe_instances(MaxResults=4)
        self.assertEqual(raised.exception.response["Error"]["Code"], "InvalidParameterValue")


class CommandLine(unittest.TestCase):
    def test_the_aws_cli_works_against_it(self):
        done = SANDBOX.aws("111111111111", "sts", "get-caller-identity", "--query", "Account")
        self.assertEqual((done.returncode, done.stdout), (0, '"111111111111"\n'))

    def test_the_aws_cli_pages_through_instance_information(self):
        done = SANDBOX.aws(
            "222222222222",
            "ssm",
            "describe-instance-information",
            "--page-size=5",
            "--query",
            "length(InstanceInformationList)",
        )
        self.assertEqual((done.returncode, done.stdout), (0, "21\n"))

    def test_the_sandbox_ends_with_its_stdin(self):
        other = sandbox_server.Served()
        self.assertEqual(other.stop(), 0)


if __name__ == "__main__":
    unittest.main()
