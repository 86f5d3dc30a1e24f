"""Tests the stand-in for the session-manager-plugin: started by the AWS CLI as the plugin is, and by hand."""

import json
import os
import pathlib
import subprocess
import sys
import unittest
from itertools import count

import sandbox_server
import session_scene
from session_scene import NODE, R

SANDBOX = None
ACCOUNTS = (f"{number:012}" for number in count(750000000000))
HERE = pathlib.Path(__file__).parent
PLUGIN = HERE / "session-manager-plugin"
PARAMETERS = json.dumps({"Target": NODE})


def setUpModule():
    global SANDBOX
    SANDBOX = sandbox_server.Served()


def tearDownModule():
    SANDBOX.stop()


def scene(**changed):
    return session_scene.scene(SANDBOX, next(ACCOUNTS), **changed)


def run(arguments, typed="", **environment):
    path = {"PATH": f"{HERE}:{os.environ['PATH']}"}
    done = subprocess.run(arguments, input=typed, capture_output=True, text=True, env=path | environment, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def plugin(response, typed="", **environment):
    return run([PLUGIN, response, R, "StartSession", "", PARAMETERS, SANDBOX.url], typed, **environment)


def shown(session_id):
    (session,) = SANDBOX.control("GET", f"/_sandbox/sessions?session_id={session_id}")
    return session


class Started(unittest.TestCase):
    def start(self, made):
        answer = made.client("ssm").start_session(Target=NODE)
        return {key: answer[key] for key in ("SessionId", "TokenValue", "StreamUrl")}

    def test_by_the_aws_cli(self):
        made = scene()
        cli = [pathlib.Path(sys.executable).parent / "aws", "--endpoint-url", SANDBOX.url, "ssm", "start-session", "--target", NODE]
        keys = {"AWS_ACCESS_KEY_ID": f"AKIA{made.account}", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": R, "HOME": "/nonexistent"}
        status, printed, complaints = run(cli, "echo nonce\nexit\n", **keys)
        (session,) = SANDBOX.control("GET", f"/_sandbox/sessions?account={made.account}")
        session_id = session["session_id"]
        self.assertEqual((status, complaints, session["status"]), (0, "", "Terminated"))
        self.assertEqual((session["s3"]["written"], session["logs"]["written"]), (True, True))
        start, end = f"\nStarting session with SessionId: {session_id}\n", f"\n\nExiting session with sessionId: {session_id}.\n\n"
        self.assertTrue(printed.startswith(start) and printed.endswith(end), printed)
        self.assertIn("\nnonce\n", printed)

    def test_with_the_response_in_the_arguments_and_in_the_environment(self):
        made = scene()
        for by in ("argument", "environment"):
            response = self.start(made)
            text, name = json.dumps(response), "AWS_SSM_START_SESSION_RESPONSE_1"
            status, printed, _ = plugin(text, "exit\n") if by == "argument" else plugin(name, "exit\n", **{name: text})
            self.assertEqual((status, shown(response["SessionId"])["status"]), (0, "Terminated"), printed)

    def test_says_what_the_agent_refuses_it_for(self):
        made = scene()
        made.permit("node", without=("decrypt",))
        response = self.start(made)
        _, printed, _ = plugin(json.dumps(response))
        refused = f"\n\nSessionId: {response['SessionId']} : Encountered error while initiating handshake. Fetching data key failed"
        self.assertIn(refused, printed)

    def test_opens_nothing_with_another_token(self):
        response = self.start(scene())
        status, printed, _ = plugin(json.dumps(response | {"TokenValue": "other"}), "exit\n")
        self.assertEqual((status, shown(response["SessionId"])["status"]), (0, "Connected"))
        self.assertIn("Cannot perform start session: ValueError: the token is not that of the session\n", printed)

    def test_the_end_of_the_terminal_leaves_the_session_open(self):
        response = self.start(scene())
        status, printed, _ = plugin(json.dumps(response), "echo nonce\n")
        self.assertEqual((status, shown(response["SessionId"])["status"]), (0, "Connected"))
        self.assertTrue(printed.endswith("Cannot perform start session: EOF\n"), printed)

    def test_ends_with_a_session_that_somebody_else_ends(self):
        made = scene()
        response = self.start(made)
        arguments = [PLUGIN, json.dumps(response), R, "StartSession", "", PARAMETERS, SANDBOX.url]
        with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            self.assertIn("Starting session", process.stdout.readline() + process.stdout.readline())
            made.client("ssm").terminate_session(SessionId=response["SessionId"])
            self.assertEqual(process.wait(timeout=10), 0)
            self.assertIn("Exiting session with sessionId", process.stdout.read())


class Arguments(unittest.TestCase):
    def test_without_a_session(self):
        for arguments, expected in (
            ([], "\nThe Session Manager plugin was installed successfully. Use the AWS CLI to start a session.\n\n"),
            (["--version"], "1.2.764.0\n"),
            (["StartSession"], "\nUnknown operation StartSession. \nUse session-manager-plugin --version to check the version.\n\n"),
            (["{}", R, "ResumeSession", "", "{}", "http://x"], "Invalid Operation\n"),
        ):
            self.assertEqual(run([PLUGIN, *arguments]), (0, expected, ""))
