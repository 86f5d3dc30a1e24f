#!/usr/bin/env python3
"""Compares ssm-agentcheck show with boto3 and with the AWS CLI and jq, doing the same join over the same fleet.

The fleet is made up on a local AWS: NODES instances over four Regions. Runs
alternate; CPU and peak memory are the kernel's count of each process and its
children, calls are the local AWS's own. A fleet of a tenth shows whether memory
grows with it. Nothing is reached beyond 127.0.0.1.

usage: agentcheck.py [NODES [RUNS]]   (after `cargo build --release`; `make bench` does both)
"""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = ROOT / "target/release/ssm-agentcheck"
VENV = ROOT / ".venv/bin"
SANDBOX = ROOT / "tests/sandbox/sandbox.py"
REGIONS = ("us-east-1", "us-west-2", "eu-central-1", "eu-west-1")
WHOLE, TENTH = "222222222222", "333333333333"

BOTO3 = """
import json, os, boto3
config = boto3.session.Config(retries={"mode": "standard"})
account = boto3.client("sts", region_name="us-east-1").get_caller_identity()["Account"]
for region in os.environ["REGIONS"].split(","):
    ssm = boto3.client("ssm", region_name=region, config=config)
    ec2 = boto3.client("ec2", region_name=region, config=config)
    pages = ssm.get_paginator("describe_instance_information").paginate(PaginationConfig={"PageSize": 50})
    agents = {agent["InstanceId"]: agent for page in pages for agent in page["InstanceInformationList"]}
    states = [{"Name": "instance-state-name", "Values": ["pending", "running", "shutting-down", "stopping", "stopped"]}]
    pages = ec2.get_paginator("describe_instances").paginate(Filters=states, PaginationConfig={"PageSize": 1000})
    for page in pages:
        for reservation in page["Reservations"]:
            for instance in reservation["Instances"]:
                agent = agents.pop(instance["InstanceId"], None)
                print(json.dumps({"target": {"account": account, "region": region}, "instance_id": instance["InstanceId"],
                    "state": instance["State"]["Name"], "version": agent and agent["AgentVersion"], "ping": agent and agent["PingStatus"],
                    "imds": instance.get("MetadataOptions", {}).get("HttpTokens")}))
    for agent in agents.values():
        print(json.dumps({"target": {"account": account, "region": region}, "instance_id": agent["InstanceId"],
            "version": agent["AgentVersion"], "ping": agent["PingStatus"]}))
"""

CLI = r"""
set -eu
for region in $(echo "$REGIONS" | tr , ' '); do
    aws ssm describe-instance-information --region "$region" --page-size 50 >"$DIRECTORY/ssm.json"
    aws ec2 describe-instances --region "$region" --page-size 1000 \
        --filters Name=instance-state-name,Values=pending,running,shutting-down,stopping,stopped >"$DIRECTORY/ec2.json"
    jq -c -n --slurpfile ssm "$DIRECTORY/ssm.json" --slurpfile ec2 "$DIRECTORY/ec2.json" --arg region "$region" '
        ($ssm[0].InstanceInformationList | INDEX(.InstanceId)) as $agents
        | $ec2[0].Reservations[].Instances[] | $agents[.InstanceId] as $agent
        | {region: $region, instance_id: .InstanceId, state: .State.Name, version: $agent.AgentVersion, ping: $agent.PingStatus,
            imds: .MetadataOptions.HttpTokens}'
done
"""

# In a bare interpreter: Linux counts what a process held before exec to its peak. RUSAGE_CHILDREN has the greatest
# peak of all children, and their CPU together.
MEASURE = """
import posix, resource, sys, time
started = time.perf_counter()
process = posix.fork()
if process == 0:
    try:
        posix.dup2(posix.open(sys.argv[1], posix.O_WRONLY | posix.O_CREAT | posix.O_TRUNC, 0o600), 1)
        posix.execv(sys.argv[2], sys.argv[2:])
    finally:
        posix._exit(127)
_, status = posix.waitpid(process, 0)
wall = time.perf_counter() - started
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(posix.waitstatus_to_exitcode(status), wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
"""


def main():
    n_nodes = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    n_runs = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    for needed in (TOOL, VENV / "aws"):
        if not needed.exists():
            sys.exit(f"bench: {needed} is missing: run make bench")
    with tempfile.TemporaryDirectory(dir=ROOT / "target") as directory:
        directory = pathlib.Path(directory)
        estate = directory / "estate.json"
        estate.write_text(json.dumps({"nodes": fleet(WHOLE, n_nodes) + fleet(TENTH, n_nodes // 10)}))
        with subprocess.Popen(
            [VENV / "python", SANDBOX, "--estate", estate, "--exit-with-stdin"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as sandbox:
            url = sandbox.stdout.readline().strip()
            compare(directory, url, n_nodes, n_runs)
            sandbox.stdin.close()


def fleet(account, n_nodes):
    return [
        {
            "account": account,
            "region": REGIONS[number % len(REGIONS)],
            "instance_id": f"i-{number:017x}",
            "name": f"node-{number}",
            "agent": {"version": "3.3.987.0"},
        }
        for number in range(n_nodes)
    ]


def compare(directory, url, n_nodes, n_runs):
    regions = ",".join(REGIONS)
    show = [TOOL, "show", "--region", regions]
    commands = {
        "ssm-agentcheck show": (show, WHOLE, n_nodes),
        "boto3": ([VENV / "python", "-c", BOTO3], WHOLE, n_nodes),
        "AWS CLI and jq": ([shutil.which("sh"), "-c", CLI], WHOLE, n_nodes),
        "ssm-agentcheck show, a tenth": (show, TENTH, n_nodes // 10),
    }
    figures = {name: [] for name in commands}
    for _ in range(n_runs):
        for name, (command, account, n_expected) in commands.items():
            figures[name].append(measure(directory, url, command, account, n_expected))
    print(f"{n_nodes:,} nodes over {len(REGIONS)} Regions, {n_runs} runs each, medians")
    print(f"{'':30} {'CPU s':>8} {'wall s':>8} {'peak MB':>8} {'calls':>6}")
    medians = {}
    for name, runs in figures.items():
        cpu, wall, peak, calls = (statistics.median(run[index] for run in runs) for index in range(4))
        medians[name] = (cpu, wall, peak)
        print(f"{name:30} {cpu:8.2f} {wall:8.2f} {peak:8.1f} {calls:6.0f}")
    ours = medians["ssm-agentcheck show"]
    for other in ("boto3", "AWS CLI and jq"):
        cpu, wall, peak = (theirs / mine for theirs, mine in zip(medians[other], ours))
        print(f"{other} takes {cpu:.0f} times the CPU, {wall:.1f} times as long, {peak:.1f} times the memory")


def measure(directory, url, command, account, n_expected):
    environment = {
        "PATH": f"{VENV}:{os.environ['PATH']}",
        "HOME": str(directory),
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": f"AKIA{account}",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
        "REGIONS": ",".join(REGIONS),
        "DIRECTORY": str(directory),
    }
    control(url, "DELETE", account)
    output = directory / "output"
    words = [shutil.which("python3"), "-I", "-S", "-c", MEASURE, output, *command]
    done = subprocess.run(words, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True, text=True)
    status, wall, cpu, peak = done.stdout.split()
    n_lines = sum(1 for _ in output.open())
    if status != "0" or n_lines != n_expected:
        sys.exit(f"bench: {command[0]} ended with {status} and printed {n_lines} of {n_expected} nodes")
    n_calls = sum(1 for _ in control(url, "GET", account).splitlines())
    return float(cpu), float(wall), int(peak) / 1024, n_calls


def control(url, method, account):
    request = urllib.request.Request(f"{url}/_sandbox/calls?account={account}", method=method)
    with urllib.request.urlopen(request) as answer:
        return answer.read().decode()


if __name__ == "__main__":
    main()
