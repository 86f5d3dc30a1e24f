"""Owns what tests of Run Command need around a command: an account of its own with nodes, and waiting for the end."""

import itertools
import time

ENDED = ("Success", "Failed", "TimedOut", "Cancelled")
# What an estate says of a node itself; all else that a test gives is of its agent.
OF_NODE = ("platform", "tags", "patches", "name", "count")
SHELL = {"run_command": "sh"}
WINDOWS = {"platform": {"type": "Windows", "name": "Microsoft Windows Server 2022 Datacenter", "version": "10.0.20348"}}
_accounts = itertools.count(610_000_000_001)


class Scene:
    """An account of its own with hybrid nodes, numbered from 1."""

    def __init__(self, sandbox, *nodes, **estate):
        self.sandbox = sandbox
        self.account = str(next(_accounts))
        self.ssm = sandbox.client("ssm", self.account)
        self.ids = [f"mi-{n:017x}" for n in range(1, len(nodes) + 1)]
        place = {"account": self.account, "region": "us-east-1"}
        for document in estate.get("documents", []):
            document |= {**place, "type": "Command"}
        estate["nodes"] = []
        for instance_id, node in zip(self.ids, nodes):
            agent = {"version": "3.3.0.0", **{key: value for key, value in node.items() if key not in OF_NODE}}
            outside = {key: value for key, value in node.items() if key in OF_NODE}
            estate["nodes"].append({**place, "instance_id": instance_id, **outside, "agent": agent})
        sandbox.control("POST", "/_sandbox/estate", estate)

    def send(self, *lines, **request):
        """Sends a command to all nodes unless the request says otherwise, and returns its id."""
        request.setdefault("DocumentName", "AWS-RunShellScript")
        if "Targets" not in request:
            request.setdefault("InstanceIds", self.ids)
        if lines:
            request.setdefault("Parameters", {})["commands"] = list(lines)
        return self.ssm.send_command(**request)["Command"]["CommandId"]

    def command(self, command_id):
        """Returns what ListCommands says of one command."""
        return self.ssm.list_commands(CommandId=command_id)["Commands"][0]

    def wait(self, command_id):
        """Returns the command once it has ended."""
        deadline = time.monotonic() + 20
        while (command := self.command(command_id))["Status"] not in ENDED:
            if time.monotonic() > deadline:
                raise AssertionError(f"still {command['Status']}")
            time.sleep(0.05)
        return command

    def result(self, command_id, n=1, **request):
        """Returns what GetCommandInvocation says of a node once the command has ended."""
        self.wait(command_id)
        return self.ssm.get_command_invocation(CommandId=command_id, InstanceId=self.ids[n - 1], **request)

    def invocations(self, command_id, **request):
        """Returns the first page of the invocations of a command."""
        return self.ssm.list_command_invocations(CommandId=command_id, Details=True, **request)["CommandInvocations"]

    def outcomes(self, command_id):
        """Returns (status, details) by node."""
        return [(one["Status"], one["StatusDetails"]) for one in self.invocations(command_id)]

    def runs(self):
        """Returns which node ran which command how often."""
        return self.sandbox.control("GET", f"/_sandbox/runs?account={self.account}")
