"""Tests Run Command: what nodes really run, what they only tell, and what becomes of the whole."""

import os
import pathlib
import time
import unittest
import urllib.error

import served
from botocore.exceptions import ClientError

SANDBOX = None
ENDED = ("Success", "Failed", "TimedOut", "Cancelled")


def setUpModule():
    global SANDBOX
    SANDBOX = served.Served()


def tearDownModule():
    SANDBOX.stop()


def code(function, **parameters):
    """Returns the error code of a call, or None."""
    try:
        function(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


class Scene:
    """An account of its own with nodes, numbered from 1."""

    n_accounts = 0

    def __init__(self, *nodes, **estate):
        Scene.n_accounts += 1
        self.account = f"{610000000000 + Scene.n_accounts}"
        self.ssm = SANDBOX.client("ssm", self.account)
        self.ids = [f"mi-{n:017x}" for n in range(1, len(nodes) + 1)]
        given = [
            {"account": self.account, "region": "us-east-1", "instance_id": instance_id, **{k: v for k, v in node.items() if k in OUTER},
             "agent": {"version": "3.3.0.0", **{k: v for k, v in node.items() if k not in OUTER}}}
            for instance_id, node in zip(self.ids, nodes)
        ]
        for document in estate.get("documents", []):
            document |= {"account": self.account, "region": "us-east-1", "type": "Command"}
        SANDBOX.control("POST", "/_sandbox/estate", {"nodes": given, **estate})

    def send(self, *lines, **request):
        """Sends a command to all nodes unless the request says otherwise, and returns its id."""
        request.setdefault("DocumentName", "AWS-RunShellScript")
        if "Targets" not in request:
            request.setdefault("InstanceIds", self.ids)
        if lines:
            request.setdefault("Parameters", {})["commands"] = list(lines)
        return self.ssm.send_command(**request)["Command"]["CommandId"]

    def command(self, command_id):
        return self.ssm.list_commands(CommandId=command_id)["Commands"][0]

    def invocations(self, command_id, **request):
        return self.ssm.list_command_invocations(CommandId=command_id, Details=True, **request)["CommandInvocations"]

    def wait(self, command_id, seconds=15):
        """Returns the command once it has ended."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            command = self.command(command_id)
            if command["Status"] in ENDED:
                return command
            time.sleep(0.05)
        raise AssertionError(f"still {command['Status']}")

    def result(self, command_id, n=1, **request):
        """Returns what GetCommandInvocation says of a node once the command has ended."""
        self.wait(command_id)
        return self.ssm.get_command_invocation(CommandId=command_id, InstanceId=self.ids[n - 1], **request)

    def outcomes(self, command_id):
        return [(one["Status"], one["StatusDetails"]) for one in self.invocations(command_id)]

    def runs(self):
        return SANDBOX.control("GET", f"/_sandbox/runs?account={self.account}")


OUTER = ("platform", "tags", "patches", "name")
SHELL = {"run_command": "sh"}


class Shell(unittest.TestCase):
    def test_a_script_really_runs_and_tells_its_output_and_exit_code(self):
        scene = Scene(SHELL)
        result = scene.result(scene.send("echo out", "echo err >&2", "exit 3"))
        self.assertEqual((result["Status"], result["ResponseCode"]), ("Failed", 3))
        self.assertEqual(result["StandardOutputContent"], "out\n")
        self.assertEqual(result["StandardErrorContent"], "err\nfailed to run commands: exit status 3")

    def test_it_sees_only_what_the_agent_sets(self):
        scene = Scene(SHELL)
        command_id = scene.send("env | sort; pwd")
        lines = scene.result(command_id)["StandardOutputContent"].splitlines()
        variables = dict(line.split("=", 1) for line in lines[:-1])
        self.assertEqual(variables.pop("AWS_SSM_INSTANCE_ID"), scene.ids[0])
        self.assertEqual(variables.pop("AWS_SSM_REGION_NAME"), "us-east-1")
        self.assertEqual(variables.pop("SSM_COMMAND_ID"), command_id)
        home = variables.pop("HOME")
        self.assertEqual(home, lines[-1])
        self.assertFalse(pathlib.Path(home).exists())
        self.assertEqual(set(variables) - {"_", "PWD", "SHLVL", "OLDPWD"}, {"PATH", "AWS_SSM_PLATFORM_NAME", "AWS_SSM_PLATFORM_VERSION"})

    def test_files_of_the_estate_are_there_and_programs_in_bin_come_first(self):
        files = {"bin/uname": "#!/bin/sh\necho played\n", "etc/os-release": "ID=alpine\n"}
        scene = Scene({**SHELL, "run_files": files, "run_hides": ["sed"]})
        result = scene.result(scene.send("uname; cat etc/os-release; command -v sed || echo hidden; command -v cat >/dev/null && echo seen"))
        self.assertEqual(result["StandardOutputContent"], "played\nID=alpine\nhidden\nseen\n")

    def test_a_script_with_an_interpreter_gets_it(self):
        scene = Scene(SHELL)
        self.assertEqual(scene.result(scene.send("#!/bin/cat", "as it is"))["StandardOutputContent"], "#!/bin/cat\nas it is\n")

    def test_the_working_directory_is_a_parameter(self):
        scene = Scene({**SHELL, "run_files": {"sub/file": ""}})
        self.assertEqual(scene.result(scene.send("ls", Parameters={"workingDirectory": ["sub"]}))["StandardOutputContent"], "file\n")
        result = scene.result(scene.send("ls", Parameters={"workingDirectory": ["/nowhere"]}))
        self.assertEqual((result["Status"], result["ResponseCode"]), ("Failed", 1))
        self.assertIn("chdir /nowhere: no such file or directory", result["StandardErrorContent"])

    def test_what_a_script_leaves_running_is_killed_at_the_time_out(self):
        scene = Scene(SHELL)
        command_id = scene.send("sleep 60 & echo $!", Parameters={"executionTimeout": ["5"]})
        result = scene.result(command_id)
        self.assertEqual((result["Status"], result["StatusDetails"], result["ResponseCode"]), ("TimedOut", "ExecutionTimedOut", 137))
        self.assertFalse(is_running(int(result["StandardOutputContent"])))
        command = scene.command(command_id)
        self.assertEqual((command["Status"], command["StatusDetails"], command["ErrorCount"]), ("TimedOut", "ExecutionTimedOut", 1))

    def test_a_cancelled_script_is_killed_and_keeps_its_output(self):
        scene = Scene(SHELL, SHELL)
        command_id = scene.send("echo $$; sleep 60")
        time.sleep(0.3)
        scene.ssm.cancel_command(CommandId=command_id)
        command = scene.wait(command_id)
        self.assertEqual((command["Status"], command["CompletedCount"], command["ErrorCount"]), ("Cancelled", 2, 0))
        for n in (1, 2):
            result = scene.result(command_id, n)
            self.assertEqual((result["Status"], result["ResponseCode"]), ("Cancelled", 137))
            self.assertFalse(is_running(int(result["StandardOutputContent"])))

    def test_more_nodes_than_places_all_run_once(self):
        scene = Scene(*[SHELL] * 20)
        command_id = scene.send("echo $AWS_SSM_INSTANCE_ID")
        self.assertEqual(scene.wait(command_id)["CompletedCount"], 20)
        outputs = {one["InstanceId"]: one["CommandPlugins"][0]["Output"] for one in scene.invocations(command_id)}
        self.assertEqual(outputs, {instance_id: f"{instance_id}\n" for instance_id in scene.ids})
        self.assertEqual([(run["instance_id"], run["runs"]) for run in scene.runs()], [(i, 1) for i in scene.ids])

    def test_nothing_runs_after_the_sandbox_has_ended(self):
        own = served.Served()
        account, instance_id = "619999999999", f"mi-{1:017x}"
        node = {"account": account, "region": "us-east-1", "instance_id": instance_id, "agent": {"version": "3.3.0.0", **SHELL}}
        own.control("POST", "/_sandbox/estate", {"nodes": [node]})
        mark = pathlib.Path(f"/tmp/sandbox-mark-{os.getpid()}")
        script = f"echo $$ $HOME > {mark}; sleep 60"
        own.client("ssm", account).send_command(DocumentName="AWS-RunShellScript", InstanceIds=[instance_id], Parameters={"commands": [script]})
        deadline = time.monotonic() + 10
        while not (mark.exists() and mark.read_text().endswith("\n")) and time.monotonic() < deadline:
            time.sleep(0.02)
        pid, home = mark.read_text().split()
        mark.unlink()
        own.stop()
        self.assertFalse(is_running(int(pid)))
        self.assertFalse(pathlib.Path(home).exists())


def is_running(pid):
    """Tells whether a process lives; one that nobody has waited for does not."""
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


class Canned(unittest.TestCase):
    def test_results_go_by_the_text_of_the_command(self):
        rows = [{"match": "uname", "stdout": "Linux\n"}, {"match": "false", "exit_code": 2, "stderr": "no\n"}]
        scene = Scene({"run_output": rows})
        self.assertEqual(scene.result(scene.send("uname -a"))["StandardOutputContent"], "Linux\n")
        result = scene.result(scene.send("false"))
        self.assertEqual((result["Status"], result["ResponseCode"]), ("Failed", 2))
        self.assertEqual(result["StandardErrorContent"], "no\nfailed to run commands: exit status 2")
        self.assertEqual(scene.result(scene.send("other"))["StandardOutputContent"], "")

    def test_every_status_is_spelled_and_counted_as_documented(self):
        cases = [
            ("Success", "Success", "Success", 0, (0, 0)),
            ("Failed", "Failed", "Failed", 1, (1, 0)),
            ("TimedOut", "TimedOut", "ExecutionTimedOut", 137, (1, 0)),
            ("DeliveryTimedOut", "TimedOut", "DeliveryTimedOut", -1, (0, 1)),
            ("Undeliverable", "Failed", "Undeliverable", -1, (0, 0)),
            ("AccessDenied", "Failed", "AccessDenied", -1, (0, 0)),
            ("Cancelled", "Cancelled", "Cancelled", 137, (0, 0)),
        ]
        for given, status, details, response_code, counts in cases:
            with self.subTest(given):
                scene = Scene({"run_command": given})
                command_id = scene.send("true")
                result = scene.result(command_id)
                self.assertEqual((result["Status"], result["StatusDetails"], result["ResponseCode"]), (status, details, response_code))
                self.assertEqual(scene.outcomes(command_id), [(status, details)])
                command = scene.command(command_id)
                self.assertEqual((command["CompletedCount"], command["ErrorCount"], command["DeliveryTimedOutCount"]), (1, *counts))
                self.assertEqual(len(scene.runs()), 0 if response_code == -1 else 1)

    def test_some_never_end_until_they_are_cancelled(self):
        scene = Scene({"run_command": "InProgress"}, {"run_command": "Success"})
        command_id = scene.send("true")
        time.sleep(0.5)
        self.assertEqual(scene.outcomes(command_id), [("InProgress", "InProgress"), ("Success", "Success")])
        self.assertEqual(scene.command(command_id)["Status"], "InProgress")
        scene.ssm.cancel_command(CommandId=command_id, InstanceIds=scene.ids[:1])
        self.assertEqual(scene.outcomes(command_id)[0][0], "Cancelling")
        scene.wait(command_id)
        self.assertEqual(scene.outcomes(command_id), [("Cancelled", "Cancelled"), ("Success", "Success")])

    def test_an_unknown_status_is_refused(self):
        with self.assertRaises(urllib.error.HTTPError):
            Scene({"run_command": "Sucess"})


if __name__ == "__main__":
    unittest.main()
