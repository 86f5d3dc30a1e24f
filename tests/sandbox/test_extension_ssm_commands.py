"""Tests Run Command: what nodes really run, what they only report, and what becomes of the whole."""

import os
import pathlib
import tempfile
import time
import unittest
import urllib.error

import sandbox_server
from command_scene import SHELL, Scene

SANDBOX = None


def setUpModule():
    global SANDBOX
    SANDBOX = sandbox_server.Served()


def tearDownModule():
    SANDBOX.stop()


def scene(*nodes, **estate):
    """Returns an account of its own with nodes."""
    return Scene(SANDBOX, *nodes, **estate)


class Shell(unittest.TestCase):
    def test_a_script_really_runs_and_prints_its_output_and_exit_code(self):
        here = scene(SHELL)
        result = here.result(here.send("echo out", "echo err >&2", "exit 3"))
        self.assertEqual((result["Status"], result["ResponseCode"]), ("Failed", 3))
        self.assertEqual(result["StandardOutputContent"], "out\n")
        self.assertEqual(result["StandardErrorContent"], "err\nfailed to run commands: exit status 3")

    def test_a_script_may_have_64_kb_with_its_document(self):
        here = scene(SHELL)
        content = here.ssm.get_document(Name="AWS-RunShellScript")["Content"]
        room = 64 * 1024 - len(content) - len("commands")
        fits = "echo fits #" + "x" * (room - 11)
        self.assertEqual(here.result(here.send(fits))["StandardOutputContent"], "fits\n")
        for lines in ([fits + "x"], [fits, "x"], ["é" * (room // 2 + 1)]):
            with self.assertRaises(here.ssm.exceptions.MaxDocumentSizeExceeded):
                here.send(*lines)
        self.assertEqual(len(here.ssm.list_commands()["Commands"]), 1)

    def test_it_sees_only_what_the_agent_sets(self):
        here = scene(SHELL)
        command_id = here.send("env | sort; pwd")
        lines = here.result(command_id)["StandardOutputContent"].splitlines()
        variables = dict(line.split("=", 1) for line in lines[:-1])
        self.assertEqual(variables.pop("AWS_SSM_INSTANCE_ID"), here.ids[0])
        self.assertEqual(variables.pop("AWS_SSM_REGION_NAME"), "us-east-1")
        self.assertEqual(variables.pop("SSM_COMMAND_ID"), command_id)
        home = variables.pop("HOME")
        self.assertEqual(home, lines[-1])
        self.assertFalse(pathlib.Path(home).exists())
        self.assertEqual(set(variables) - {"_", "PWD", "SHLVL", "OLDPWD"}, {"PATH", "AWS_SSM_PLATFORM_NAME", "AWS_SSM_PLATFORM_VERSION"})

    def test_files_of_the_estate_are_there_and_programs_in_bin_come_first(self):
        files = {"bin/uname": "#!/bin/sh\necho played\n", "etc/os-release": "ID=alpine\n"}
        here = scene({**SHELL, "run_files": files, "run_hides": ["sed"]})
        result = here.result(here.send("uname; cat etc/os-release; command -v sed || echo hidden; command -v cat >/dev/null && echo seen"))
        self.assertEqual(result["StandardOutputContent"], "played\nID=alpine\nhidden\nseen\n")

    def test_a_script_with_an_interpreter_gets_it(self):
        here = scene(SHELL)
        self.assertEqual(here.result(here.send("#!/bin/cat", "as it is"))["StandardOutputContent"], "#!/bin/cat\nas it is\n")

    def test_the_working_directory_is_a_parameter(self):
        here = scene({**SHELL, "run_files": {"sub/file": ""}})
        self.assertEqual(here.result(here.send("ls", Parameters={"workingDirectory": ["sub"]}))["StandardOutputContent"], "file\n")
        result = here.result(here.send("ls", Parameters={"workingDirectory": ["/nowhere"]}))
        self.assertEqual((result["Status"], result["ResponseCode"]), ("Failed", 1))
        self.assertIn("chdir /nowhere: no such file or directory", result["StandardErrorContent"])

    def test_what_a_script_leaves_running_is_killed_at_the_time_out(self):
        here = scene(SHELL)
        command_id = here.send("sleep 60 & echo $!", Parameters={"executionTimeout": ["5"]})
        result = here.result(command_id)
        self.assertEqual((result["Status"], result["StatusDetails"], result["ResponseCode"]), ("TimedOut", "ExecutionTimedOut", 137))
        # It was sent its end; on a busy machine it takes a moment to come to it.
        deadline = time.monotonic() + 5
        while is_running(int(result["StandardOutputContent"])) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertFalse(is_running(int(result["StandardOutputContent"])))
        command = here.command(command_id)
        self.assertEqual((command["Status"], command["StatusDetails"], command["ErrorCount"]), ("TimedOut", "ExecutionTimedOut", 1))

    def test_a_cancelled_script_is_killed_and_keeps_its_output(self):
        here = scene(SHELL, SHELL)
        with tempfile.TemporaryDirectory() as folder:
            command_id = here.send(f"echo $$; touch {folder}/$AWS_SSM_INSTANCE_ID; sleep 60")
            while len(os.listdir(folder)) < 2:
                time.sleep(0.02)
            here.ssm.cancel_command(CommandId=command_id)
        command = here.wait(command_id)
        self.assertEqual((command["Status"], command["CompletedCount"], command["ErrorCount"]), ("Cancelled", 2, 0))
        for n in (1, 2):
            result = here.result(command_id, n)
            self.assertEqual((result["Status"], result["ResponseCode"]), ("Cancelled", 137))
            self.assertFalse(is_running(int(result["StandardOutputContent"])))

    def test_more_nodes_than_places_all_run_once(self):
        here = scene(*[SHELL] * 20)
        command_id = here.send("echo $AWS_SSM_INSTANCE_ID")
        self.assertEqual(here.wait(command_id)["CompletedCount"], 20)
        outputs = {one["InstanceId"]: one["CommandPlugins"][0]["Output"] for one in here.invocations(command_id)}
        self.assertEqual(outputs, {instance_id: f"{instance_id}\n" for instance_id in here.ids})
        self.assertEqual([(run["instance_id"], run["runs"]) for run in here.runs()], [(i, 1) for i in here.ids])

    def test_nothing_runs_after_the_sandbox_has_ended(self):
        own = sandbox_server.Served()
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
    """Returns whether a process lives; one that nobody has waited for does not."""
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


class Canned(unittest.TestCase):
    def test_results_go_by_the_text_of_the_command(self):
        rows = [{"match": "uname", "stdout": "Linux\n"}, {"match": "false", "exit_code": 2, "stderr": "no\n"}]
        here = scene({"run_output": rows})
        self.assertEqual(here.result(here.send("uname -a"))["StandardOutputContent"], "Linux\n")
        result = here.result(here.send("false"))
        self.assertEqual((result["Status"], result["ResponseCode"]), ("Failed", 2))
        self.assertEqual(result["StandardErrorContent"], "no\nfailed to run commands: exit status 2")
        self.assertEqual(here.result(here.send("other"))["StandardOutputContent"], "")

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
                here = scene({"run_command": given})
                command_id = here.send("true")
                result = here.result(command_id)
                self.assertEqual((result["Status"], result["StatusDetails"], result["ResponseCode"]), (status, details, response_code))
                self.assertEqual(here.outcomes(command_id), [(status, details)])
                command = here.command(command_id)
                self.assertEqual((command["CompletedCount"], command["ErrorCount"], command["DeliveryTimedOutCount"]), (1, *counts))
                self.assertEqual(len(here.runs()), 0 if response_code == -1 else 1)

    def test_some_never_end_until_they_are_cancelled(self):
        here = scene({"run_command": "InProgress"}, {"run_command": "Success"})
        command_id = here.send("true")
        time.sleep(0.5)
        self.assertEqual(here.outcomes(command_id), [("InProgress", "InProgress"), ("Success", "Success")])
        self.assertEqual(here.command(command_id)["Status"], "InProgress")
        here.ssm.cancel_command(CommandId=command_id, InstanceIds=here.ids[:1])
        self.assertIn(here.outcomes(command_id)[0][0], ("Cancelling", "Cancelled"))
        here.wait(command_id)
        self.assertEqual(here.outcomes(command_id), [("Cancelled", "Cancelled"), ("Success", "Success")])

    def test_an_unknown_status_is_refused(self):
        with self.assertRaises(urllib.error.HTTPError):
            scene({"run_command": "Sucess"})


if __name__ == "__main__":
    unittest.main()
