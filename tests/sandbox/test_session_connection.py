"""Tests on which nodes a session starts at all: with which role the agent acts, and when it has none."""

import unittest
from itertools import count

import sandbox_server
import session_scene
from session_scene import CORE, DHMC_CORE, NODE, R, SSM_TRUST, allow, document

SANDBOX = None
ACCOUNTS = (f"{number:012}" for number in count(740000000000))


def setUpModule():
    global SANDBOX
    SANDBOX = sandbox_server.Served()


def tearDownModule():
    SANDBOX.stop()


def scene():
    return session_scene.scene(SANDBOX, next(ACCOUNTS))


class NotConnected(unittest.TestCase):
    def refused(self, made, node, why):
        session = made.session(node)
        self.assertEqual((session["status"], session["reason"]), ("Refused", f"TargetNotConnected: {node} is not connected."), session)
        self.assertIn(why, session["why"])
        with self.assertRaises(made.client("ssm").exceptions.TargetNotConnected):
            made.client("ssm").start_session(Target=node)

    def test_without_a_role_that_works(self):
        made = scene()
        core = [CORE]
        nodes = (f"i-{number:017x}" for number in count(1))
        for name, service, managed, why in (
            ("for-ssm", SSM_TRUST, core, "AssumeRoleUnauthorizedAccess"),
            ("powerless", "ec2.amazonaws.com", [], "ssm:UpdateInstanceInformation"),
        ):
            made.role(name, service, managed)
            node = next(nodes)
            made.node(node, name)
            self.refused(made, node, why)
        made.role("heartbeat", managed=[], more=[allow("ssm:UpdateInstanceInformation")])
        node, bare = next(nodes), next(nodes)
        made.node(node, "heartbeat")
        self.refused(made, node, "ssmmessages:CreateControlChannel")
        made.node(bare)
        self.refused(made, bare, "no EC2 instance role found")
        # Host Management makes up for a role that may not report and for none, never for one that lacks only the channels.
        made.role("host", SSM_TRUST, (DHMC_CORE,))
        made.host_management("service-role/host")
        self.refused(made, bare, "the role service-role/host does not exist")
        made.host_management("host")
        self.assertEqual(made.session(bare)["credentials"], "dhmc")
        self.assertEqual(made.session(f"i-{2:017x}")["credentials"], "dhmc")
        self.refused(made, node, "ssmmessages:CreateControlChannel")
        made.host_management("node")
        self.refused(made, bare, "Systems Manager cannot assume the role node")
        made.host_management("host")
        old = next(nodes)
        made.node(old, version="3.2.581.9")
        self.refused(made, old, "does not know Default Host Management")

    def test_offline_nodes_and_closed_channels(self):
        made = scene()
        for node, agent in (("i-0123456789abcdef1", {"ping": "ConnectionLost"}), ("i-0123456789abcdef2", {"connected": False})):
            made.node(node, "node", **agent)
            self.refused(made, node, "offline, or its channel is closed")
        self.refused(made, "i-0123456789abcdef3", "offline")
        for role in ({}, {"iam_role": "service-role/none"}):
            made.node("mi-0123456789abcdef1", **role)
            self.refused(made, "mi-0123456789abcdef1", "role")
        made.role("ec2-only", path="/service-role/")
        made.node("mi-0123456789abcdef1", iam_role="service-role/ec2-only")
        self.refused(made, "mi-0123456789abcdef1", "cannot assume the role service-role/ec2-only")

    def test_the_confused_deputy_conditions_of_hybrid_roles_hold(self):
        made = scene()
        role = made.role("hybrid", SSM_TRUST)
        made.node("mi-0123456789abcdef1", iam_role="hybrid")
        for account, connected in ((made.account, True), ("999999999999", False)):
            condition = {"StringEquals": {"aws:SourceAccount": account}, "ArnEquals": {"aws:SourceArn": f"arn:aws:ssm:{R}:{account}:*"}}
            statement = {"Effect": "Allow", "Principal": {"Service": SSM_TRUST}, "Action": "sts:AssumeRole", "Condition": condition}
            made.client("iam").update_assume_role_policy(RoleName=role.rpartition("/")[2], PolicyDocument=document(statement))
            self.assertEqual(made.session("mi-0123456789abcdef1")["status"] != "Refused", connected)

    def test_in_other_partitions_services_have_their_names(self):
        for partition, region, services in (("aws-cn", "cn-north-1", ("ec2.amazonaws.com.cn", "ec2.amazonaws.com")), ("aws-us-gov", "us-gov-west-1", ("ec2.amazonaws.com",))):
            for service in services:
                with self.subTest(region, service=service):
                    account = next(ACCOUNTS)
                    role = {"account": account, "name": "node", "trust": service, "instance_profile": True, "managed_policies": [CORE.replace("aws", partition, 1)]}
                    node = {"account": account, "region": region, "instance_id": NODE, "profile": "node", "agent": {"version": "3.3.987.0"}}
                    SANDBOX.control("POST", "/_sandbox/estate", {"partition": partition, "roles": [role], "nodes": [node]})
                    (session,) = SANDBOX.control("POST", "/_sandbox/sessions", {"account": account, "region": region, "target": NODE})
                    self.assertEqual((session["status"], session["role"]), ("Terminated", f"arn:{partition}:iam::{account}:role/node"))
                    self.assertEqual(session["operator"], f"arn:{partition}:iam::{account}:user/sandbox")


if __name__ == "__main__":
    unittest.main()
