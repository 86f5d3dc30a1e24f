#!/usr/bin/env python3
"""Compares ssm-run with a boto3 loop that sends the same command and asks for each node until it has ended.

Twice: on 2,000 nodes that print a line after 0.3 to 8 seconds, and on those of tests/sandbox/estates/fleet.json that run
sh scripts and are online, which end well, failed, timed out, undelivered and cancelled, and of which some print more than a
list of invocations tells. The loop is the one that everybody writes: commands of 50 nodes, then GetCommandInvocation for
each node that has not ended, and a second's pause. CPU and peak memory are the kernel's count of each process and its
children, calls are the local AWS's own. Nothing is reached beyond 127.0.0.1.

usage: run.py [RUNS]   (after `cargo build --release`; `make bench` does both)
"""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = ROOT / "target/release/ssm-run"
VENV = ROOT / ".venv/bin"
SANDBOX = ROOT / "tests/sandbox/sandbox.py"
ESTATE = ROOT / "tests/sandbox/estates/fleet.json"
FLEET, SHORT, REGION = "555555555555", "666666666666", "us-east-1"
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

# In a bare interpreter: Linux counts what a process held before exec to its peak. RUSAGE_CHILDREN has the greatest
# peak of all children, and their CPU together.
MEASURE = """
import posix, resource, sys, time
started = time.perf_counter()
process = posix.fork()
if process == 0:
    try:
        posix.dup2(posix.open(sys.argv[1], posix.O_RDONLY), 0)
        posix.dup2(posix.open(sys.argv[2], posix.O_WRONLY | posix.O_CREAT | posix.O_TRUNC, 0o600), 1)
        posix.execv(sys.argv[3], sys.argv[3:])
    finally:
        posix._exit(127)
_, status = posix.waitpid(process, 0)
wall = time.perf_counter() - started
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(posix.waitstatus_to_exitcode(status), wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
"""


def main():
    n_runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    if not TOOL.exists():
        sys.exit(f"bench: {TOOL} is missing: run make bench")
    with tempfile.TemporaryDirectory(dir=ROOT / "target") as directory:
        directory = pathlib.Path(directory)
        fleet = json.loads(ESTATE.read_text())
        short = [of_seconds(number, seconds) for number, seconds in enumerate(SECONDS)]
        estate = directory / "estate.json"
        estate.write_text(json.dumps({**fleet, "nodes": fleet["nodes"] + short}))
        with subprocess.Popen(
            [VENV / "python", SANDBOX, "--estate", estate, "--exit-with-stdin"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as sandbox:
            url = sandbox.stdout.readline().strip()
            # One of each kind after another, so that no command is done before the others.
            columns = [list(ids(entry)) for entry in short]
            compare(directory, url, "short outputs", SHORT, [one for row in zip(*columns) for one in row], n_runs)
            usable = (entry for entry in fleet["nodes"] if is_usable(entry))
            compare(directory, url, "every end, 12 % long outputs", FLEET, [one for entry in usable for one in ids(entry)], n_runs)
            sandbox.stdin.close()


def of_seconds(number, seconds):
    """Returns the estate's nodes that print a line after so many seconds."""
    return {
        "account": SHORT,
        "region": REGION,
        "instance_id": f"i-{(number + 1) * 0x10000:017x}",
        "count": N_SHORT // len(SECONDS),
        "agent": {"version": "3.3.3050.0", "run_output": [{"stdout": "Linux 6.1.0 x86_64\n", "seconds": seconds}]},
    }


def is_usable(entry):
    """Tells whether both can run on an estate's nodes."""
    return "platform" not in entry and entry["agent"].get("ping", "Online") == "Online"


def ids(entry):
    """Returns the ids that an estate's entry stands for."""
    first = int(entry["instance_id"][2:], 16)
    return (f"i-{number:017x}" for number in range(first, first + entry.get("count", 1)))


def record(account, instance_id):
    """Returns a node as ssm-agentcheck show prints it."""
    return {
        "kind": "node",
        "target": {"account": account, "region": REGION},
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


def compare(directory, url, title, account, instance_ids, n_runs):
    nodes = directory / "nodes.jsonl"
    nodes.write_text("".join(json.dumps(record(account, one)) + "\n" for one in instance_ids))
    commands = {"ssm-run": [TOOL, "--", COMMAND], "boto3": [VENV / "python", "-c", BOTO3, COMMAND]}
    figures = {name: [] for name in commands}
    for _ in range(n_runs):
        for name, command in commands.items():
            figures[name].append(measure(directory, url, account, command, len(instance_ids)))
    print(f"{len(instance_ids):,} nodes, {title}; runs: {n_runs}, medians")
    print(f"{'':10} {'CPU s':>8} {'wall s':>8} {'peak MB':>8} {'calls':>6}")
    medians = {}
    for name, runs in figures.items():
        medians[name] = [statistics.median(run[index] for run in runs) for index in range(4)]
        cpu, wall, peak, calls = medians[name]
        print(f"{name:10} {cpu:8.2f} {wall:8.2f} {peak:8.1f} {calls:6.0f}")
    cpu, wall, peak, calls = (theirs / mine for theirs, mine in zip(medians["boto3"], medians["ssm-run"]))
    print(f"boto3 takes {cpu:.0f} times the CPU, {calls:.0f} times the calls, {wall:.1f} times as long, {peak:.1f} times the memory")


def measure(directory, url, account, command, n_nodes):
    environment = {
        "PATH": f"{VENV}:{os.environ['PATH']}",
        "HOME": str(directory),
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": f"AKIA{account}",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    control(url, "DELETE", account)
    output = directory / "output"
    words = [shutil.which("python3"), "-I", "-S", "-c", MEASURE, directory / "nodes.jsonl", output, *command]
    done = subprocess.run(words, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True, text=True)
    status, wall, cpu, peak = done.stdout.split()
    n_told = sum(json.loads(line)["kind"] == "invocation" for line in output.open())
    # 1 and 2: commands failed on nodes, or did not reach them.
    if int(status) not in (0, 1, 2) or n_told != n_nodes:
        sys.exit(f"bench: {command[0]} ended with {status} and told of {n_told} of {n_nodes} nodes")
    calls = [json.loads(line) for line in control(url, "GET", account).splitlines()]
    return float(cpu), float(wall), int(peak) / 1024, len(calls)


def control(url, method, account):
    request = urllib.request.Request(f"{url}/_sandbox/calls?account={account}", method=method)
    with urllib.request.urlopen(request) as answer:
        return answer.read().decode()


if __name__ == "__main__":
    main()
