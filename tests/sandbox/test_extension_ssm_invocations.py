"""Tests reading commands: pages, filters, what is cut off where, and where the whole output is."""

import datetime
import statistics
import time
import unittest

import sandbox_server
from command_scene import SHELL, Scene
from test_nodes import code

SANDBOX = None


def setUpModule():
    global SANDBOX
    SANDBOX = sandbox_server.Served("--estate", str(sandbox_server.HERE / "estates" / "fleet.json"))


def tearDownModule():
    SANDBOX.stop()


def scene(*nodes, **estate):
    """Returns an account of its own with nodes."""
    return Scene(SANDBOX, *nodes, **estate)


class Lists(unittest.TestCase):
    def test_commands_are_listed_newest_first_and_by_node(self):
        here = scene({}, {})
        first = here.send("one", InstanceIds=here.ids[:1])
        second = here.send("two", Comment="why")
        time.sleep(0.15)
        listed = here.ssm.list_commands()["Commands"]
        self.assertEqual([one["CommandId"] for one in listed], [second, first])
        self.assertEqual((listed[0]["Comment"], listed[0]["Parameters"], listed[0]["InstanceIds"]), ("why", {"commands": ["two"]}, here.ids))
        page = here.ssm.list_commands(MaxResults=1)
        rest = here.ssm.list_commands(MaxResults=1, NextToken=page["NextToken"])
        self.assertEqual([page["Commands"][0]["CommandId"], rest["Commands"][0]["CommandId"]], [second, first])
        self.assertNotIn("NextToken", rest)
        (one,) = here.ssm.list_commands(InstanceId=here.ids[1])["Commands"]
        self.assertEqual(one["CommandId"], second)
        self.assertEqual(code(here.ssm.list_commands, CommandId=first[:-4] + "0000"), "InvalidCommandId")
        self.assertEqual(code(here.ssm.list_commands, MaxResults=51), "ValidationException")

    def test_commands_are_filtered(self):
        here = scene({}, {"run_command": "InProgress"}, {"run_command": "TimedOut"})
        done, running, late = (here.send("true", InstanceIds=[instance_id]) for instance_id in here.ids)
        updating = here.send(DocumentName="AWS-UpdateSSMAgent", InstanceIds=here.ids[:1])
        for command_id in (done, late, updating):
            here.wait(command_id)
        time.sleep(0.15)

        def ids(key, value):
            return {one["CommandId"] for one in here.ssm.list_commands(Filters=[{"key": key, "value": value}])["Commands"]}

        self.assertEqual(ids("Status", "Success"), {done, updating})
        self.assertEqual(ids("Status", "TimedOut"), {late})
        self.assertEqual(ids("Status", "ExecutionTimedOut"), {late})
        self.assertEqual(ids("ExecutionStage", "Executing"), {running})
        self.assertEqual(ids("ExecutionStage", "Complete"), {done, late, updating})
        self.assertEqual(ids("DocumentName", "AWS-UpdateSSMAgent"), {updating})
        now = datetime.datetime.now(datetime.timezone.utc)
        hour_ago = (now - datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.assertEqual(ids("InvokedAfter", hour_ago), {done, running, late, updating})
        self.assertEqual(ids("InvokedBefore", hour_ago), set())
        filters = [{"key": "InvokedAfter", "value": "yesterday"}]
        self.assertEqual(code(here.ssm.list_commands, Filters=filters), "ValidationException")

    def test_everything_is_unknown_at_first(self):
        here = scene({"run_output": [{"stdout": "x", "seconds": 0}]})
        # A machine that is busy may take longer to ask than AWS to know.
        for _ in range(20):
            command_id = here.send("true")
            request = {"CommandId": command_id, "InstanceId": here.ids[0]}
            error = code(here.ssm.get_command_invocation, **request)
            listed, found = here.ssm.list_commands()["Commands"], here.invocations(command_id)
            if not found and command_id not in [one["CommandId"] for one in listed]:
                break
        self.assertEqual((error, found), ("InvocationDoesNotExist", []))
        time.sleep(0.15)
        self.assertEqual(here.outcomes(command_id), [("Success", "Success")])
        self.assertIn(command_id, [one["CommandId"] for one in here.ssm.list_commands()["Commands"]])

    def test_invocations_come_in_pages_and_by_status(self):
        here = scene(*[{"run_command": "Failed"}, {}] * 30)
        command_id = here.send("true", InstanceIds=here.ids[:50])
        other = here.send("true", InstanceIds=here.ids[50:])
        here.wait(command_id), here.wait(other)
        first = here.ssm.list_command_invocations(MaxResults=50)
        second = here.ssm.list_command_invocations(MaxResults=50, NextToken=first["NextToken"])
        self.assertEqual((len(first["CommandInvocations"]), len(second["CommandInvocations"])), (50, 10))
        self.assertEqual(first["CommandInvocations"][0]["CommandPlugins"], [])
        failed = here.invocations(command_id, Filters=[{"key": "Status", "value": "Failed"}])
        self.assertEqual([one["InstanceId"] for one in failed], here.ids[:50:2])
        (one,) = here.ssm.list_command_invocations(InstanceId=here.ids[-1])["CommandInvocations"]
        self.assertEqual((one["CommandId"], one["Status"]), (other, "Success"))
        stage = [{"key": "ExecutionStage", "value": "Complete"}]
        self.assertEqual(code(here.ssm.list_command_invocations, Filters=stage), "InvalidFilterKey")
        bad = f"page.{10**6}"
        self.assertEqual(code(here.ssm.list_command_invocations, NextToken=bad), "InvalidNextToken")

    def test_a_running_step_has_no_output_yet(self):
        here = scene({**SHELL})
        command_id = here.send("echo early; sleep 1")
        time.sleep(0.4)
        request = {"CommandId": command_id, "InstanceId": here.ids[0]}
        early = here.ssm.get_command_invocation(**request)
        self.assertEqual((early["Status"], early["ResponseCode"], early["StandardOutputContent"]), ("InProgress", -1, ""))
        self.assertEqual((early["ExecutionEndDateTime"], early["ExecutionElapsedTime"]), ("", ""))
        (plugin,) = here.invocations(command_id)[0]["CommandPlugins"]
        self.assertEqual((plugin["Status"], plugin["ResponseCode"], plugin["Output"]), ("InProgress", -1, ""))
        late = here.result(command_id)
        self.assertEqual((late["Status"], late["StandardOutputContent"]), ("Success", "early\n"))
        self.assertRegex(late["ExecutionElapsedTime"], r"^PT[1-9]\.\d{3}S$")


class Cancelling(unittest.TestCase):
    def test_bad_requests_are_refused(self):
        here = scene({}, {})
        command_id = here.send("true", InstanceIds=here.ids[:1])
        cancel = here.ssm.cancel_command
        self.assertEqual(code(cancel, CommandId=command_id[:-4] + "0000"), "InvalidCommandId")
        self.assertEqual(code(cancel, CommandId=command_id, InstanceIds=here.ids[1:]), "InvalidInstanceId")
        self.assertEqual(code(cancel, CommandId=command_id, InstanceIds=here.ids[:1] * 2), "DuplicateInstanceId")
        here.wait(command_id)
        cancel(CommandId=command_id)
        self.assertEqual(here.command(command_id)["Status"], "Success")


class Outputs(unittest.TestCase):
    script = "i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done; echo wrong >&2; exit 2"

    def setUp(self):
        self.here = scene({**SHELL}, {"run_output": [{"stdout": ""}]})
        self.whole = "".join(f"line {n}\n" for n in range(5000))
        self.s3 = SANDBOX.client("s3", self.here.account)
        self.logs = SANDBOX.client("logs", self.here.account)

    def keys(self, bucket):
        return [one["Key"] for one in self.s3.list_objects_v2(Bucket=bucket).get("Contents", [])]

    def test_long_output_is_whole_in_the_bucket_only(self):
        here, bucket = self.here, f"outputs-{self.here.account}"
        self.s3.create_bucket(Bucket=bucket)
        command_id = here.send(self.script, OutputS3BucketName=bucket, OutputS3KeyPrefix="runs/today")
        result = here.result(command_id)
        self.assertEqual(len(result["StandardOutputContent"]), 24000)
        self.assertTrue(result["StandardOutputContent"].endswith("--output truncated--"))
        folder = f"runs/today/{command_id}/{here.ids[0]}/awsrunShellScript/0.awsrunShellScript"
        # Nothing printed, no object: the other node and its streams are not there.
        self.assertEqual(self.keys(bucket), [f"{folder}/stderr", f"{folder}/stdout"])
        self.assertEqual(result["StandardOutputUrl"], f"https://s3.us-east-1.amazonaws.com/{bucket}/{folder}/stdout")
        self.assertEqual(self.s3.get_object(Bucket=bucket, Key=f"{folder}/stdout")["Body"].read().decode(), self.whole)
        (plugin,) = here.invocations(command_id)[0]["CommandPlugins"]
        self.assertEqual(plugin["OutputS3KeyPrefix"], f"runs/today/{command_id}/{here.ids[0]}/awsrunShellScript")
        self.assertEqual(len(plugin["Output"]), 2500)
        self.assertIn("\n---Output truncated---\n----------ERROR-------\nwrong\n", plugin["Output"])

    def test_a_bucket_that_is_missing_or_of_another_account_makes_no_error(self):
        other = SANDBOX.client("s3", "610000009999")
        bucket = f"foreign-{self.here.account}"
        other.create_bucket(Bucket=bucket)
        for name in ("missing-bucket", bucket):
            result = self.here.result(self.here.send("echo there", OutputS3BucketName=name))
            self.assertEqual((result["Status"], result["StandardOutputContent"]), ("Success", "there\n"))
            self.assertIn(name, result["StandardOutputUrl"])
        self.assertNotIn("Contents", other.list_objects_v2(Bucket=bucket))

    def test_log_streams_have_the_output_by_node_and_step(self):
        here = self.here
        for config, group in (({}, "/aws/ssm/AWS-RunShellScript"), ({"CloudWatchLogGroupName": "/runs"}, "/runs")):
            command_id = here.send(self.script, CloudWatchOutputConfig={"CloudWatchOutputEnabled": True, **config})
            result = here.result(command_id)
            self.assertEqual(result["CloudWatchOutputConfig"], {"CloudWatchLogGroupName": group, "CloudWatchOutputEnabled": True})
            streams = self.logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=command_id)["logStreams"]
            folder = f"{command_id}/{here.ids[0]}/aws-runShellScript"
            self.assertEqual([one["logStreamName"] for one in streams], [f"{folder}/stderr", f"{folder}/stdout"])
            events = self.logs.get_log_events(logGroupName=group, logStreamName=f"{folder}/stdout", startFromHead=True)["events"]
            self.assertEqual("\n".join(event["message"] for event in events) + "\n", self.whole)

    def test_without_a_destination_there_is_none(self):
        result = self.here.result(self.here.send("echo there"))
        self.assertEqual((result["StandardOutputUrl"], result["StandardErrorUrl"]), ("", ""))
        self.assertEqual(result["CloudWatchOutputConfig"], {"CloudWatchLogGroupName": "", "CloudWatchOutputEnabled": False})


class Fleet(unittest.TestCase):
    def test_two_thousand_nodes_end_in_every_way_in_few_quick_calls(self):
        ssm = SANDBOX.client("ssm", "555555555555")
        request = {"DocumentName": "AWS-RunPowerShellScript", "Parameters": {"commands": ["hostname"]}, "MaxConcurrency": "100%", "MaxErrors": "100%"}
        command_id = ssm.send_command(Targets=[{"Key": "tag:Fleet", "Values": ["scan"]}], **request)["Command"]["CommandId"]
        while (command := ssm.list_commands(CommandId=command_id)["Commands"][0])["CompletedCount"] < 2000:
            time.sleep(0.1)
        self.assertEqual((command["TargetCount"], command["StatusDetails"]), (2000, "Incomplete"))
        counts, seconds, token = {}, [], {}
        while token is not None:
            started = time.monotonic()
            page = ssm.list_command_invocations(CommandId=command_id, Details=True, MaxResults=50, **token)
            seconds.append(time.monotonic() - started)
            for one in page["CommandInvocations"]:
                counts[one["StatusDetails"]] = counts.get(one["StatusDetails"], 0) + 1
            token = {"NextToken": page["NextToken"]} if "NextToken" in page else None
        self.assertEqual(counts["Undeliverable"], 60)
        self.assertEqual(counts["DeliveryTimedOut"], 60)
        self.assertEqual(counts["ExecutionTimedOut"], 60)
        self.assertEqual(counts["Cancelled"], 40)
        # The 20 that really run a shell have no PowerShell.
        self.assertEqual(counts["Failed"], 170)
        self.assertEqual(sum(counts.values()), 2000)
        # 20 ms on a machine with nothing else to do.
        self.assertLess(statistics.median(seconds), 0.5)


if __name__ == "__main__":
    unittest.main()
