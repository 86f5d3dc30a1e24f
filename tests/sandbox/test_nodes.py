"""Tests nodes, service settings, commands, associations and sessions."""

import time
import unittest

import sandbox_server
from botocore.exceptions import ClientError

DHMC = "/ssm/managed-instance/default-ec2-instance-management-role"
ACCOUNT = "222222222222"
CURRENT = "i-02a00000000000001"
ANCIENT = "i-02a00000000000010"
FAILING = "i-02a00000000000012"
LOST = "i-02a00000000000013"
STOPPED = "i-02a00000000000022"
WINDOWS = "i-02a00000000000025"
HYBRID = "mi-02a00000000000028"
SANDBOX = None


def setUpModule():
    global SANDBOX
    SANDBOX = sandbox_server.Served("--estate", str(sandbox_server.HERE / "estates" / "demo.json"))


def tearDownModule():
    SANDBOX.stop()


def code(function, **parameters):
    """Returns the error code of a call, or None."""
    try:
        function(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


class MetadataDefaults(unittest.TestCase):
    def test_what_has_no_preference_is_left_out(self):
        ec2 = SANDBOX.client("ec2", "666666666666")
        self.assertEqual(ec2.get_instance_metadata_defaults()["AccountLevel"], {"ManagedBy": "account"})
        ec2.modify_instance_metadata_defaults(HttpTokens="required", HttpTokensEnforced="enabled")
        ec2.modify_instance_metadata_defaults(HttpTokens="no-preference")
        self.assertEqual(ec2.get_instance_metadata_defaults()["AccountLevel"], {"HttpTokensEnforced": "enabled", "ManagedBy": "account"})
        self.assertEqual(SANDBOX.client("ec2", "777777777777").get_instance_metadata_defaults()["AccountLevel"], {"ManagedBy": "account"})

    def test_refuses_a_word_that_it_does_not_know(self):
        ec2 = SANDBOX.client("ec2", "666666666666")
        self.assertEqual(code(ec2.modify_instance_metadata_defaults, HttpTokens="maybe"), "InvalidParameterValue")


class Information(unittest.TestCase):
    def ids(self, **parameters):
        client = SANDBOX.client("ssm", ACCOUNT)
        answer = client.describe_instance_information(MaxResults=50, **parameters)
        return [node["InstanceId"] for node in answer["InstanceInformationList"]]

    def by(self, key, *values):
        return self.ids(Filters=[{"Key": key, "Values": list(values)}])

    def test_filters(self):
        self.assertEqual(self.by("InstanceIds", CURRENT), [CURRENT])
        self.assertIn(LOST, self.by("PingStatus", "ConnectionLost"))
        self.assertEqual(self.by("AgentVersion", "3.2.581.9"), ["i-02a00000000000007"])
        self.assertEqual(self.by("ResourceType", "ManagedInstance"), [HYBRID])
        self.assertIn(WINDOWS, self.by("PlatformType", "Windows"))
        self.assertEqual(self.by("tag:Name", "current-agent"), [CURRENT])
        legacy = [{"key": "PlatformTypes", "valueSet": ["MacOS"]}]
        self.assertEqual(self.ids(InstanceInformationFilterList=legacy), ["i-02a00000000000027"])

    def test_stopped_nodes_are_not_shown(self):
        self.assertNotIn(STOPPED, self.ids())
        self.assertEqual(self.by("InstanceIds", STOPPED), [])

    def test_bad_filters_are_refused(self):
        function = SANDBOX.client("ssm", ACCOUNT).describe_instance_information
        new = [{"Key": "PingStatus", "Values": ["Online"]}]
        old = [{"key": "PingStatus", "valueSet": ["Online"]}]
        tag = [{"Key": "tag:Name", "Values": ["a"]}]
        self.assertEqual(
            code(function, Filters=new, InstanceInformationFilterList=old), "ValidationException"
        )
        self.assertEqual(
            code(function, Filters=new + tag), "InvalidInstanceInformationFilterValue"
        )
        self.assertEqual(code(function, Filters=[{"Key": "Ping", "Values": ["a"]}]), "InvalidFilterKey")
        self.assertEqual(
            code(function, Filters=[{"Key": "InstanceIds", "Values": ["i-1"]}]), "InvalidInstanceId"
        )

    def test_a_node_that_stops_disappears(self):
        ec2 = SANDBOX.client("ec2", "444444444444")
        node = "i-04a00000000000001"
        ssm = SANDBOX.client("ssm", "444444444444")
        ec2.stop_instances(InstanceIds=[node])
        shown = ssm.describe_instance_information()["InstanceInformationList"]
        self.assertNotIn(node, [n["InstanceId"] for n in shown])
        ec2.start_instances(InstanceIds=[node])


class Network(unittest.TestCase):
    def test_the_default_vpc_leads_to_the_internet_and_nodes_may_have_no_address(self):
        nodes = [
            {"account": "555555555555", "region": "us-east-1", "instance_id": f"i-0000000000000000{n}", "public_ip": n == 1}
            for n in (1, 2)
        ]
        SANDBOX.control("POST", "/_sandbox/estate", {"nodes": nodes})
        ec2 = SANDBOX.client("ec2", "555555555555")
        reservations = ec2.describe_instances()["Reservations"]
        instances = {one["InstanceId"]: one for each in reservations for one in each["Instances"]}
        self.assertIn("PublicIpAddress", instances["i-00000000000000001"])
        self.assertNotIn("PublicIpAddress", instances["i-00000000000000002"])
        vpc = instances["i-00000000000000001"]["VpcId"]
        main = {"Name": "association.main", "Values": ["true"]}
        tables = ec2.describe_route_tables(Filters=[main, {"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
        routes = {route["DestinationCidrBlock"]: route["GatewayId"] for table in tables for route in table["Routes"]}
        self.assertTrue(routes["0.0.0.0/0"].startswith("igw-"), routes)


class Setting(unittest.TestCase):
    def test_is_default_until_updated_and_after_reset(self):
        client = SANDBOX.client("ssm", "600000000030")
        self.assertEqual(
            client.get_service_setting(SettingId=DHMC)["ServiceSetting"]["Status"], "Default"
        )
        arn = f"arn:aws:ssm:us-east-1:600000000030:servicesetting{DHMC}"
        client.update_service_setting(SettingId=arn, SettingValue="service-role/r")
        setting = client.get_service_setting(SettingId=DHMC)["ServiceSetting"]
        self.assertEqual(
            (setting["Status"], setting["SettingValue"], setting["ARN"]),
            ("Customized", "service-role/r", arn),
        )
        other = SANDBOX.client("ssm", "600000000030", "eu-central-1")
        self.assertEqual(
            other.get_service_setting(SettingId=DHMC)["ServiceSetting"]["Status"], "Default"
        )
        reset = client.reset_service_setting(SettingId=DHMC)["ServiceSetting"]
        self.assertEqual(reset["Status"], "Default")

    def test_an_unknown_setting_is_not_found(self):
        client = SANDBOX.client("ssm", "600000000031")
        misspelt = DHMC.replace("ec2-", "")
        self.assertEqual(
            code(client.get_service_setting, SettingId=misspelt), "ServiceSettingNotFound"
        )


class Commands(unittest.TestCase):
    def setUp(self):
        self.ssm = SANDBOX.client("ssm", ACCOUNT)

    def test_an_unreachable_node_refuses_the_whole_call(self):
        for node in (LOST, STOPPED, "i-00000000000000000"):
            refused = code(
                self.ssm.send_command,
                DocumentName="AWS-RunShellScript",
                InstanceIds=[CURRENT, node],
                Parameters={"commands": ["true"]},
            )
            self.assertEqual(refused, "InvalidInstanceId")

    def test_documents_parameters_and_platforms_are_checked(self):
        send = self.ssm.send_command
        self.assertEqual(code(send, DocumentName="nope", InstanceIds=[CURRENT]), "InvalidDocument")
        self.assertEqual(
            code(send, DocumentName="AWS-RunShellScript", InstanceIds=[WINDOWS]),
            "UnsupportedPlatformType",
        )
        self.assertEqual(
            code(
                send,
                DocumentName="AWS-UpdateSSMAgent",
                InstanceIds=[CURRENT],
                Parameters={"typo": ["1"]},
            ),
            "InvalidParameters",
        )

    def test_the_update_reaches_the_node_and_a_failure_does_not(self):
        sent = self.ssm.send_command(
            DocumentName="AWS-UpdateSSMAgent", InstanceIds=[ANCIENT, FAILING]
        )["Command"]
        self.assertEqual((sent["Status"], sent["TargetCount"]), ("Pending", 2))
        command_id = sent["CommandId"]
        self.assertEqual(
            code(self.ssm.get_command_invocation, CommandId=command_id, InstanceId=ANCIENT),
            "InvocationDoesNotExist",
        )
        time.sleep(0.5)
        invocations = self.ssm.list_command_invocations(CommandId=command_id, Details=True)
        statuses = {i["InstanceId"]: i["Status"] for i in invocations["CommandInvocations"]}
        self.assertEqual(statuses, {ANCIENT: "Success", FAILING: "Failed"})
        invocation = self.ssm.get_command_invocation(CommandId=command_id, InstanceId=FAILING)
        self.assertEqual((invocation["Status"], invocation["ResponseCode"]), ("Failed", 1))
        (command,) = self.ssm.list_commands(CommandId=command_id)["Commands"]
        self.assertEqual((command["Status"], command["ErrorCount"]), ("Failed", 1))
        filters = [{"Key": "InstanceIds", "Values": [ANCIENT, FAILING]}]
        nodes = self.ssm.describe_instance_information(Filters=filters)["InstanceInformationList"]
        versions = {n["InstanceId"]: n["AgentVersion"] for n in nodes}
        self.assertEqual(versions, {ANCIENT: "3.10.1.0", FAILING: "3.1.1732.0"})

    def test_targets_that_match_nothing_are_no_error(self):
        sent = self.ssm.send_command(
            DocumentName="AWS-UpdateSSMAgent",
            Targets=[{"Key": "tag:Name", "Values": ["nobody"]}],
        )["Command"]
        self.assertEqual((sent["Status"], sent["TargetCount"]), ("Pending", 0))
        time.sleep(0.2)
        (command,) = self.ssm.list_commands(CommandId=sent["CommandId"])["Commands"]
        self.assertEqual((command["Status"], command["StatusDetails"]), ("Success", "NoInstancesInTag"))


class Associations(unittest.TestCase):
    def test_create_twice_describe_list_and_delete(self):
        client = SANDBOX.client("ssm", ACCOUNT)
        request = {
            "Name": "AWS-UpdateSSMAgent",
            "Targets": [{"Key": "InstanceIds", "Values": ["*"]}],
            "ScheduleExpression": "rate(14 days)",
        }
        made = client.create_association(**request)["AssociationDescription"]
        self.assertEqual(code(client.create_association, **request), "AssociationAlreadyExists")
        association_id = made["AssociationId"]
        listed = client.list_associations(
            AssociationFilterList=[{"key": "Name", "value": "AWS-UpdateSSMAgent"}]
        )["Associations"]
        self.assertEqual([a["AssociationId"] for a in listed], [association_id])
        client.delete_association(AssociationId=association_id)
        self.assertEqual(
            code(client.describe_association, AssociationId=association_id),
            "AssociationDoesNotExist",
        )

    def test_bad_requests_are_refused(self):
        create = SANDBOX.client("ssm", ACCOUNT).create_association
        self.assertEqual(code(create, Name="nope", InstanceId=CURRENT), "InvalidDocument")
        self.assertEqual(
            code(
                create,
                Name="AWS-UpdateSSMAgent",
                InstanceId=CURRENT,
                ScheduleExpression="sometimes",
            ),
            "InvalidSchedule",
        )


class Sessions(unittest.TestCase):
    def test_starts_is_listed_and_ends(self):
        client = SANDBOX.client("ssm", ACCOUNT)
        session_id = client.start_session(Target=CURRENT, Reason="test")["SessionId"]
        (active,) = client.describe_sessions(State="Active")["Sessions"]
        self.assertEqual((active["SessionId"], active["Target"]), (session_id, CURRENT))
        client.terminate_session(SessionId=session_id)
        self.assertEqual(client.describe_sessions(State="Active")["Sessions"], [])
        (ended,) = client.describe_sessions(State="History")["Sessions"]
        self.assertEqual(ended["Status"], "Terminated")

    def test_only_connected_targets(self):
        client = SANDBOX.client("ssm", ACCOUNT)
        self.assertEqual(code(client.start_session, Target=LOST), "TargetNotConnected")
        self.assertEqual(client.get_connection_status(Target=LOST)["Status"], "notconnected")
        self.assertEqual(client.get_connection_status(Target=CURRENT)["Status"], "connected")
        # Online, yet its role lets no session channel open.
        self.assertEqual(
            code(client.start_session, Target="i-02a00000000000020"), "TargetNotConnected"
        )

    def test_the_document_must_be_of_type_session(self):
        client = SANDBOX.client("ssm", ACCOUNT)
        self.assertEqual(
            code(client.start_session, Target=CURRENT, DocumentName="AWS-RunShellScript"),
            "InvalidDocument",
        )


if __name__ == "__main__":
    unittest.main()
