#!/usr/bin/env python3
"""Compares ssm-run with a boto3 loop that sends the same command and asks for each node until it has ended.

Twice: on 2,000 nodes that print a line after 0.3 to 8 seconds, and on those of tests/sandbox/estates/fleet.json that run
sh scripts and are online, which end well, failed, timed out, undelivered and canceled, and of which some print more than a
list of invocations reports. The loop is the one that everybody writes: commands of 50 nodes, then GetCommandInvocation for
each node that has not ended, and a second's pause.

usage: run.py [RUNS [NODES]]   (after `cargo build --release`; `make bench` does both)
"""

import functools
import json

import measure

FLEET, SHORT = "555555555555", "666666666666"
COMMAND = "uname -srm"
N_SHORT = 2_000
SECONDS = (0.3, 1, 2, 4, 8)

BOTO3 = """
import json, sys, time, boto3
ssm = boto3.client("ssm", config=boto3.session.Config(retries={"mode": "standard", "max_attempts": 8}))
ids = [json.loads(line)["instance_id"] for line in sys.stdin]
waiting = {}
for at in range(0, len(ids), 50):
    batch = ids[at : at + 50]
    sent = ssm.send_command(DocumentName="AWS-RunShellScript", InstanceIds=batch, Parameters={"commands": [sys.argv[1]]}, MaxErrors="100%")
    waiting |= dict.fromkeys(batch, sent["Command"]["CommandId"])
while waiting:
    for node, command in list(waiting.items()):
        try:
            one = ssm.get_command_invocation(CommandId=command, InstanceId=node)
        except ssm.exceptions.InvocationDoesNotExist:
            continue
        if one["Status"] in ("Success", "Failed", "TimedOut", "Cancelled"):
            del waiting[node]
            print(json.dumps({"kind": "invocation", "instance_id": node, "status": one["Status"],
                "exit_code": one["ResponseCode"], "stdout": one["StandardOutputContent"], "stderr": one["StandardErrorContent"]}), flush=True)
    if waiting:
        time.sleep(1)
"""


def main():
    n_runs, n_most = measure.numbers(1, N_SHORT)
    fleet = json.loads((measure.ROOT / "tests/sandbox/estates/fleet.json").read_text())
    short = [of_seconds(number, seconds) for number, seconds in enumerate(SECONDS)]
    estate = {**fleet, "nodes": fleet["nodes"] + short}
    with measure.scratch() as directory, measure.Sandbox(directory, estate) as sandbox:
        # One of each kind after another, so that no command is done before the others.
        columns = [list(ids(entry)) for entry in short]
        mixed = [one for row in zip(*columns) for one in row]
        compare(sandbox, "short outputs", SHORT, mixed[:n_most], n_runs)
        usable = [one for entry in fleet["nodes"] if is_usable(entry) for one in ids(entry)]
        compare(sandbox, "every end, 12 % long outputs", FLEET, usable[:n_most], n_runs)


def of_seconds(number, seconds):
    """Returns the estate's nodes that print a line after so many seconds."""
    return {
        "account": SHORT,
        "region": measure.REGIONS[0],
        "instance_id": f"i-{(number + 1) * 0x10000:017x}",
        "count": N_SHORT // len(SECONDS),
        "agent": {"version": "3.3.3050.0", "run_output": [{"stdout": "Linux 6.1.0 x86_64\n", "seconds": seconds}]},
    }


def is_usable(entry):
    """Returns whether both can run on an estate's nodes."""
    return "platform" not in entry and entry["agent"].get("ping", "Online") == "Online"


def ids(entry):
    """Returns the ids of an estate's entry."""
    first = int(entry["instance_id"][2:], 16)
    return (f"i-{number:017x}" for number in range(first, first + entry.get("count", 1)))


def record(account, instance_id):
    """Returns a node as ssm-agentcheck show prints it."""
    return {
        "kind": "node",
        "target": {"account": account, "region": measure.REGIONS[0]},
        "instance_id": instance_id,
        "state": "running",
        "platform": {"type": "Linux", "name": "Amazon Linux", "version": "2023"},
        "agent": {"version": "3.3.3050.0", "latest": True, "ping": "Online", "last_ping": None},
        "imds": None,
        "profile": None,
        "role": None,
        "managed_by": "instance-profile",
        "tags": {},
    }


def compare(sandbox, title, account, instance_ids, n_runs):
    nodes = sandbox.directory / "nodes.jsonl"
    nodes.write_text("".join(json.dumps(record(account, one)) + "\n" for one in instance_ids))
    commands = {
        "ssm-run": [measure.program("ssm-run"), "--", COMMAND],
        "boto3": [measure.program("python"), "-c", BOTO3, COMMAND],
    }
    runs = {
        name: functools.partial(figures, sandbox, name, command, account, nodes, len(instance_ids))
        for name, command in commands.items()
    }
    rows = measure.in_turns(runs, n_runs)
    print(f"{len(instance_ids):,} nodes, {title}, medians; runs: {n_runs}")
    measure.table([measure.WALL, measure.CPU, measure.PEAK, measure.CALLS], rows, "ssm-run")


def figures(sandbox, name, command, account, nodes, n_nodes):
    output = sandbox.directory / "output"
    # 1 and 2: commands failed on nodes, or did not reach them.
    taken = sandbox.run(name, command, account, given=nodes, output=output, fine=(0, 1, 2))
    n_reported = sum(json.loads(line)["kind"] == "invocation" for line in output.open())
    if n_reported != n_nodes:
        measure.fail(f"{name} reported {n_reported} of {n_nodes} nodes")
    return taken


if __name__ == "__main__":
    main()
