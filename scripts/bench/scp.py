#!/usr/bin/env python3
"""Measures ssm-scp replay over a million CloudTrail records: CPU, wall time, memory.

Beside it run the same search by jq and by Python, a replay of a tenth of the
records, which shows whether memory grows with them, and one of the mixed records of
events_data.py, of which few are calls that a guard is about.

usage: scp.py [RECORDS [RUNS]]      (after `cargo build --release`; `make bench` does both)
"""

import functools
import gzip
import json

import events_data
import measure

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
    n_records, n_runs = measure.numbers(1_000_000, 3)
    replay = [measure.program("ssm-scp"), "replay", "-q", "--guard", measure.ROOT / "scripts/rollout.d/scp.json"]
    with measure.scratch() as directory:
        whole, tenth = directory / "whole", directory / "tenth"
        write(whole, n_records)
        write(tenth, n_records // 10)
        mixed = mix(directory, max(1, whole.stat().st_size // events_data.MIB))
        megabytes = {path: path.stat().st_size / 1e6 for path in (whole, tenth, mixed)}
        print(f"{n_records:,} CloudTrail records, {megabytes[whole]:,.0f} MB, in the page cache, medians; runs: {n_runs}")
        commands = {
            "ssm-scp replay": (replay, whole),
            "ssm-scp replay, a tenth": (replay, tenth),
            "ssm-scp replay, mixed": (replay, mixed),
            "jq": ([measure.program("jq"), "-c", JQ], whole),
            "python json": ([measure.program("python"), "-c", PYTHON], whole),
        }
        # Whether a guard denies some of the mixed calls depends on what their records do not say: status 2.
        run = functools.partial(measure.run, fine=(0, 2))
        runs = {name: functools.partial(run, name, command, given=given) for name, (command, given) in commands.items()}
        rows = measure.in_turns(runs, n_runs)
    for name, (_, given) in commands.items():
        rows[name].append(megabytes[given] / rows[name][1])
    columns = [measure.WALL, measure.CPU, measure.PEAK, measure.Column("MB/CPU s", 1, 0)]
    measure.table(columns, rows, "ssm-scp replay", without=("ssm-scp replay, a tenth", "ssm-scp replay, mixed"))


def mix(directory, mib):
    """Returns a file of so many MiB of log files, one after another."""
    files, _ = events_data.history(directory, mib)
    mixed = directory / "mixed"
    with mixed.open("wb") as out:
        for path in sorted(files.rglob("*.json.gz")):
            out.write(gzip.decompress(path.read_bytes()) + b"\n")
    return mixed


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


if __name__ == "__main__":
    main()
