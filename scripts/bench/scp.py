#!/usr/bin/env python3
"""Measures ssm-scp replay over a million CloudTrail records: CPU, wall time, memory.

Beside it run the same search by jq and by Python, and a replay of a tenth of the
records, which shows whether memory grows with them. Nothing is reached.

usage: scp.py [RECORDS]      (after `cargo build --release`; `make bench` does both)
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = ROOT / "target/release/ssm-scp"
GUARD = ROOT / "scripts/rollout.d/scp.json"
EVENTS = [
    ("ssm", "StartSession"),
    ("ssm", "SendCommand"),
    ("ssm", "DescribeInstanceInformation"),
    ("s3", "GetObject"),
    ("ec2", "DescribeInstances"),
    ("sts", "AssumeRole"),
]
ROLES = 40

JQ = (
    'select(.eventSource == "ssm.amazonaws.com"'
    ' and (.eventName == "StartSession" or .eventName == "SendCommand"))'
    " | [.userIdentity.sessionContext.sessionIssuer.arn, .eventName, .eventTime]"
)
PYTHON = """
import json, sys
for line in sys.stdin:
    record = json.loads(line)
    if record["eventSource"] == "ssm.amazonaws.com" and record["eventName"] in ("StartSession", "SendCommand"):
        print(record["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"], record["eventName"])
"""


def main():
    n_records = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    if not TOOL.exists():
        sys.exit(f"bench: {TOOL} is missing: run make bench")
    with tempfile.TemporaryDirectory(dir=ROOT / "target") as directory:
        whole, tenth = (pathlib.Path(directory) / name for name in ("whole", "tenth"))
        write(whole, n_records)
        write(tenth, n_records // 10)
        size = whole.stat().st_size / 1e6
        print(f"{n_records:,} CloudTrail records, {size:,.0f} MB, in the page cache")
        replay = [TOOL, "replay", "-q", "--guard", GUARD]
        rows = [
            ("ssm-scp replay", replay, whole),
            ("ssm-scp replay, a tenth", replay, tenth),
            ("jq", [shutil.which("jq"), "-c", JQ], whole),
            ("python json", [sys.executable, "-c", PYTHON], whole),
        ]
        print(f"{'':25} {'wall s':>8} {'CPU s':>8} {'MB/s':>8} {'peak MB':>8}")
        for name, command, source in rows:
            wall, cpu, peak = measure(command, source)
            rate = source.stat().st_size / 1e6 / cpu
            print(f"{name:25} {wall:8.2f} {cpu:8.2f} {rate:8.0f} {peak:8.0f}")


def write(path, n_records):
    with path.open("w") as out:
        for n in range(n_records):
            source, name = EVENTS[n % len(EVENTS)]
            out.write(json.dumps(record(n, source, name), separators=(",", ":")) + "\n")


def record(n, source, name):
    role = f"role-{n % ROLES}"
    seconds = n % 86400
    return {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": f"AROAEXAMPLE{n % ROLES:05}:ann",
            "arn": f"arn:aws:sts::111122223333:assumed-role/{role}/ann",
            "accountId": "111122223333",
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": f"AROAEXAMPLE{n % ROLES:05}",
                    "arn": f"arn:aws:iam::111122223333:role/{role}",
                    "accountId": "111122223333",
                    "userName": role,
                },
                "attributes": {"creationDate": "2026-11-01T00:00:00Z", "mfaAuthenticated": "false"},
            },
        },
        "eventTime": f"2026-11-{n % 28 + 1:02}T{seconds // 3600:02}:{seconds % 3600 // 60:02}:{seconds % 60:02}Z",
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "awsRegion": "eu-central-1",
        "sourceIPAddress": f"203.0.113.{n % 256}",
        "userAgent": "aws-cli/2.31.0 md/awscrt#0.27.6 ua/2.1 os/linux#6.1.0 lang/python#3.13.7",
        "requestParameters": {"target": f"i-{n:017x}", "documentName": "SSM-SessionManagerRunShell"},
        "responseElements": None,
        "requestID": f"{n:08x}-1111-2222-3333-444455556666",
        "eventID": f"{n:08x}-aaaa-bbbb-cccc-ddddeeeeffff",
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": "111122223333",
        "eventCategory": "Management",
    }


def measure(command, source):
    """Returns wall seconds, CPU seconds and peak megabytes of one run, the best of three by CPU."""
    best = None
    for _ in range(3):
        started = time.perf_counter()
        with source.open("rb") as given:
            process = subprocess.Popen(
                [str(part) for part in command], stdin=given, stdout=subprocess.DEVNULL
            )
            _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"bench: {command[0]} ended with status {process.returncode}")
        found = (usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1000)
        best = min(best, found) if best else found
    cpu, wall, peak = best
    return wall, cpu, peak


main()
