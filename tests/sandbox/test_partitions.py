"""Tests estates in AWS GovCloud (US) and in China: what is global is there by its own ARNs, and nowhere else."""

import unittest
import urllib.error

import sandbox_server
from botocore.exceptions import ClientError

SANDBOX = None
PLACES = (
    ("aws-us-gov", "us-gov-west-1", "500000002001", "500000002002", "ec2.amazonaws.com"),
    ("aws-cn", "cn-northwest-1", "500000002011", "500000002012", "ec2.amazonaws.com.cn"),
)


def setUpModule():
    global SANDBOX
    SANDBOX = sandbox_server.Served()
    for place in PLACES:
        SANDBOX.control("POST", "/_sandbox/estate", estate(*place))


def tearDownModule():
    SANDBOX.stop()


def estate(partition, region, management, member, service):
    return {
        "partition": partition,
        "accounts": [{"id": management, "name": "management"}, {"id": member, "name": "member"}],
        "organization": {
            "management_account": management, "id": f"o-{management}", "root_id": "r-sand",
            "ous": [{"id": f"ou-sand-{management}", "name": "workloads", "accounts": [member]}],
        },
        "roles": [{
            "account": member, "name": "node-ssm", "trust": service, "instance_profile": True,
            "managed_policies": [f"arn:{partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"],
        }],
        "nodes": [{
            "account": member, "region": region, "instance_id": "i-0123456789abcdef0", "profile": "node-ssm",
            "agent": {"version": "3.3.987.0"},
        }],
        "service_settings": [{
            "account": member, "region": region, "value": "node-ssm", "id": "/ssm/managed-instance/default-ec2-instance-management-role",
        }],
    }


class Partitions(unittest.TestCase):
    def test_profiles_roles_and_managed_policies(self):
        for partition, region, _, member, service in PLACES:
            with self.subTest(partition):
                ec2, iam = (SANDBOX.client(name, member, region=region) for name in ("ec2", "iam"))
                (reservation,) = ec2.describe_instances()["Reservations"]
                profile = f"arn:{partition}:iam::{member}:instance-profile/node-ssm"
                self.assertEqual(reservation["Instances"][0]["IamInstanceProfile"]["Arn"], profile)
                found = iam.get_instance_profile(InstanceProfileName="node-ssm")["InstanceProfile"]
                self.assertEqual(found["Arn"], profile)
                self.assertEqual([role["Arn"] for role in found["Roles"]], [f"arn:{partition}:iam::{member}:role/node-ssm"])
                self.assertEqual(found["Roles"][0]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"], {"Service": service})
                (attached,) = iam.list_attached_role_policies(RoleName="node-ssm")["AttachedPolicies"]
                self.assertEqual(attached["PolicyArn"], f"arn:{partition}:iam::aws:policy/AmazonSSMManagedInstanceCore")
                iam.create_role(RoleName="fresh", AssumeRolePolicyDocument=(
                    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"%s"},"Action":"sts:AssumeRole"}]}' % service))
                iam.attach_role_policy(RoleName="fresh", PolicyArn=attached["PolicyArn"])
                with self.assertRaises(ClientError) as raised:
                    iam.attach_role_policy(RoleName="fresh", PolicyArn="arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore")
                self.assertEqual(raised.exception.response["Error"]["Code"], "NoSuchEntity")

    def test_policies_of_aws_name_their_own_partition(self):
        partition, region, _, member, _ = PLACES[0]
        iam = SANDBOX.client("iam", member, region=region)
        arn = f"arn:{partition}:iam::aws:policy/AWSQuickSetupEnableDHMCExecutionPolicy"
        text = str(iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"])
        self.assertIn(f"arn:{partition}:iam", text)
        self.assertNotIn("arn:aws:", text)

    def test_the_organization_and_the_way_into_its_members(self):
        for partition, region, management, member, _ in PLACES:
            with self.subTest(partition):
                organizations = SANDBOX.client("organizations", management, region=region)
                organization = organizations.describe_organization()["Organization"]
                self.assertEqual(organization["Arn"], f"arn:{partition}:organizations::{management}:organization/o-{management}")
                self.assertEqual({a["Id"] for a in organizations.list_accounts()["Accounts"]}, {management, member})
                sts = SANDBOX.client("sts", management, region=region)
                self.assertEqual(sts.get_caller_identity()["Arn"], f"arn:{partition}:iam::{management}:user/sandbox")
                role = f"arn:{partition}:iam::{member}:role/OrganizationAccountAccessRole"
                keys = sts.assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
                inside = SANDBOX.client("sts", "", region=region, access_key=keys["AccessKeyId"], aws_session_token=keys["SessionToken"])
                self.assertEqual(inside.get_caller_identity()["Arn"], f"arn:{partition}:sts::{member}:assumed-role/OrganizationAccountAccessRole/me")

    def test_who_changed_a_setting_and_who_is_denied(self):
        for partition, region, _, member, _ in PLACES:
            with self.subTest(partition):
                ssm = SANDBOX.client("ssm", member, region=region)
                setting = ssm.get_service_setting(SettingId="/ssm/managed-instance/default-ec2-instance-management-role")["ServiceSetting"]
                self.assertEqual(setting["LastModifiedUser"], f"arn:{partition}:iam::{member}:user/sandbox")
                SANDBOX.fault(account=member, kind="denied", service="ssm")
                with self.assertRaises(ClientError) as raised:
                    ssm.list_documents()
                self.assertIn(f"arn:{partition}:iam::{member}:user/sandbox", str(raised.exception))

    def test_an_estate_lies_in_one_partition(self):
        place = PLACES[0]
        nodes = {"nodes": estate(*place)["nodes"]}
        policies = {"roles": [{"account": "500000002003", "name": "r", "trust": "ec2.amazonaws.com",
                               "managed_policies": ["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"]}]}
        for wrong in ({"partition": "aws-moon"}, nodes, policies | {"partition": "aws-us-gov"}):
            with self.assertRaises(urllib.error.HTTPError) as raised:
                SANDBOX.control("POST", "/_sandbox/estate", wrong)
            self.assertEqual(raised.exception.code, 400)
            self.assertIn("partition", raised.exception.read().decode())
            raised.exception.close()


if __name__ == "__main__":
    unittest.main()
