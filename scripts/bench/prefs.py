#!/usr/bin/env python3
"""Compares ssm-prefs with the AWS CLI on a local AWS: time, CPU and memory of one call each.

Runs alternate, so that whatever else the machine does meets both. Wall time is
from fork to exit; CPU and peak memory are what the kernel counted for that
process (wait4). Nothing is reached beyond 127.0.0.1, no AWS profile is read.

usage: prefs.py [RUNS]        (after `cargo build --release`; `make bench` does both)
"""

import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
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

FLOOR = "(measuring itself)"
BASE = "aws ssm get-document"

# The verbs of ssm-prefs against the least that the CLI can do: one call. `show`
# makes several, as it also reads the identity and the documents beside it.
COMMANDS = {
    FLOOR: [shutil.which("true")],
    "ssm-prefs show": [TOOL, "show"],
    BASE: [CLI, "ssm", "get-document", "--name", DOCUMENT],
    "ssm-prefs lint": [TOOL, "lint", "-f", DESIRED],
}

# Runs in a bare interpreter: Linux counts what a process held before exec to its
# peak, so this script with its imports would be the peak of every small program.
# What is left of that is the first row of the report.
MEASURE = """
import posix, sys, time
started = time.perf_counter()
process = posix.fork()
if process == 0:
    try:
        posix.dup2(posix.open("/dev/null", posix.O_WRONLY), 1)
        posix.execv(sys.argv[1], sys.argv[1:])
    finally:
        posix._exit(127)
_, status, usage = posix.wait4(process, 0)
wall = time.perf_counter() - started
cpu = usage.ru_utime + usage.ru_stime
print(posix.waitstatus_to_exitcode(status), wall, cpu, usage.ru_maxrss)
"""


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
    said = subprocess.run(
        [sys.executable, "-I", "-S", "-c", MEASURE, *command],
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    ).stdout.split()
    # lint ends with 1 when it finds something, which is no failure here.
    if int(said[0]) not in ((0, 1) if name.endswith("lint") else (0,)):
        sys.exit(f"bench: {name} ended with status {said[0]}")
    # ru_maxrss is in KiB on Linux and in bytes on macOS.
    scale = 1024 * 1024 if sys.platform == "darwin" else 1024
    return float(said[1]), float(said[2]), int(said[3]) / scale


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
            ratio = "" if name in (BASE, FLOOR) else f" ({of_base / max(value, 1e-6):.1f}x)"
            cells.append(f"{value * scale:.1f}{ratio}")
        print(f"{name:22}{counts[name]:>10}" + "".join(f"{cell:>18}" for cell in cells))


def medians(taken):
    return [statistics.median(column) for column in zip(*taken)]


if __name__ == "__main__":
    main()
