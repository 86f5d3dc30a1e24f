#!/usr/bin/env python3
"""Compares ssm-prefs with the AWS CLI on a local AWS: time, CPU and memory of one call each.

Runs alternate, so that whatever else the machine does meets both. Wall time is
from fork to exit; CPU and peak memory are what the kernel counted for that
process (wait4). Nothing is reached beyond 127.0.0.1, no AWS profile is read.

usage: bench.py [RUNS]        (after `cargo build --release`; `make bench` does both)
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOOL = ROOT / "target/release/ssm-prefs"
CLI = ROOT / ".venv/bin/aws"
SANDBOX = ROOT / "tests/sandbox/sandbox.py"
DESIRED = ROOT / "scripts/rollout.d/prefs.json"
DOCUMENT = "SSM-SessionManagerRunShell"
ACCOUNT = "222222222222"
REGION = "us-east-1"

CONTENT = {
    "schemaVersion": "1.0",
    "description": "Preferences",
    "sessionType": "Standard_Stream",
    "inputs": {"idleSessionTimeout": "20"},
}
ESTATE = {
    "documents": [
        {
            "account": ACCOUNT,
            "region": REGION,
            "name": DOCUMENT,
            "type": "Session",
            "versions": [CONTENT],
        }
    ]
}

# The verbs of ssm-prefs against the least that the CLI can do: one call. `show`
# makes several, as it also reads the identity and the documents beside it.
COMMANDS = {
    "ssm-prefs show": [TOOL, "show"],
    "aws ssm get-document": [CLI, "ssm", "get-document", "--name", DOCUMENT],
    "ssm-prefs lint": [TOOL, "lint", "-f", DESIRED],
}
BASE = "aws ssm get-document"


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    for program in (TOOL, CLI):
        if not program.exists():
            sys.exit(f"bench: {program} is missing: run make bench")
    server = subprocess.Popen(
        [ROOT / ".venv/bin/python", SANDBOX, "--exit-with-stdin"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        with tempfile.TemporaryDirectory() as home:
            url = server.stdout.readline().strip()
            seed(url)
            samples = measure(environment(url, home), runs)
            report(samples, calls(url, environment(url, home)), runs)
    finally:
        # The server ends with its stdin.
        server.stdin.close()
        server.wait()


def seed(url):
    body = json.dumps(ESTATE).encode()
    request = urllib.request.Request(f"{url}/_sandbox/estate", data=body, method="POST")
    urllib.request.urlopen(request).read()


def environment(url, home):
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": home,
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": f"AKIA{ACCOUNT}",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        # ssm-prefs reads the first, version 1 of the CLI only the second.
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def measure(env, runs):
    samples = {name: [] for name in COMMANDS}
    # The first round fills the page cache and is not counted.
    for number in range(runs + 1):
        for name, command in COMMANDS.items():
            sample = run(name, command, env)
            if number > 0:
                samples[name].append(sample)
    return samples


def run(name, command, env):
    """Returns wall seconds, CPU seconds and peak memory in MiB of one run."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    # lint ends with 1 when it finds something, which is no failure here.
    if process.returncode not in ((0, 1) if name.endswith("lint") else (0,)):
        sys.exit(f"bench: {name} ended with status {process.returncode}")
    # ru_maxrss is in KiB on Linux and in bytes on macOS.
    scale = 1024 * 1024 if sys.platform == "darwin" else 1024
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / scale


def calls(url, env):
    """Returns how many requests one run of each command sends."""
    log = f"{url}/_sandbox/calls?account={ACCOUNT}"
    counts = {}
    for name, command in COMMANDS.items():
        urllib.request.urlopen(urllib.request.Request(log, method="DELETE")).read()
        run(name, command, env)
        counts[name] = len(urllib.request.urlopen(log).read().splitlines())
    return counts


def report(samples, counts, runs):
    print(f"Medians of {runs} alternating runs; in brackets how much less than {BASE}.\n")
    print(f"{'':22}{'requests':>10}{'wall ms':>18}{'CPU ms':>18}{'peak MiB':>18}")
    base = medians(samples[BASE])
    for name, taken in samples.items():
        cells = []
        for value, of_base, scale in zip(medians(taken), base, (1000, 1000, 1)):
            ratio = "" if name == BASE else f" ({of_base / max(value, 1e-6):.1f}x)"
            cells.append(f"{value * scale:.1f}{ratio}")
        print(f"{name:22}{counts[name]:>10}" + "".join(f"{cell:>18}" for cell in cells))


def medians(taken):
    return [statistics.median(column) for column in zip(*taken)]


if __name__ == "__main__":
    main()
