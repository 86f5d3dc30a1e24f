#!/usr/bin/env python3
"""Measures ssm-scp: replay over a million CloudTrail records, and simulate and impact over a large organization.

Beside it run the same search by jq and by Python, a replay of a tenth of the
records, which shows whether memory grows with them, and one of the mixed records of
events_data.py, of which few are calls that a guard is about.

The organization is made up on a local AWS: ACCOUNTS accounts with PRINCIPALS roles each. simulate reads its policies and answers for
every role; impact reads all roles, too. Wall time is mostly the local AWS's own.

usage: scp.py [RECORDS [RUNS [ACCOUNTS [PRINCIPALS]]]]     (after `cargo build --release`; `make bench` does both)
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
MANAGEMENT = "111111111111"
UNIT = "ou-scps-members1"
READER = "OrganizationAccountAccessRole"
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:Get*", "ssm:*", "kms:Decrypt"], "Resource": "*"}]}
GUARD = {
    "policy_name": "guard",
    "exempt_principals": ["arn:aws:iam::*:role/role-0"],
    "ways": ["sessions", "commands", "automations", "associations"],
    "targets": [UNIT],
}

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
    n_records, n_runs, n_accounts, n_principals = measure.numbers(1_000_000, 3, 500, 300)
    replay_records(n_records, n_runs)
    judge_organization(n_accounts, n_principals)


def replay_records(n_records, n_runs):
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


def judge_organization(n_accounts, n_principals):
    accounts = [f"2{number:011}" for number in range(n_accounts)]
    arns = [f"arn:aws:iam::{account}:role/role-{number}" for account in accounts for number in range(n_principals)]
    with measure.scratch() as directory, measure.Sandbox(directory, organization(accounts, n_principals)) as sandbox:
        listed, guard = directory / "principals", directory / "guard.json"
        listed.write_text("\n".join(arns))
        guard.write_text(json.dumps(GUARD))
        assumed = ("--assume-role", "arn:{partition}:iam::{account}:role/" + READER)
        commands = {
            "ssm-scp simulate": (["simulate", "-q", "--action", "ssm:StartSession"], listed),
            "ssm-scp impact": (["impact", "-q", "-f", guard, *assumed], "/dev/null"),
        }
        rows = {}
        for name, (words, given) in commands.items():
            output = directory / "output"
            command = [measure.program("ssm-scp"), *words]
            rows[name] = sandbox.run(name, command, MANAGEMENT, given=given, output=output, fine=(0, 1, 2))
            n_found = output.read_bytes().count(b"\n")
            if n_found < len(arns):
                measure.fail(f"{name} printed {n_found} records about {len(arns)} principals")
    print(f"{n_accounts:,} accounts with {n_principals:,} roles each")
    columns = [measure.WALL, measure.CPU, measure.PEAK, measure.CALLS]
    measure.table(columns, rows, "ssm-scp simulate", without=("ssm-scp impact",))


def organization(accounts, n_principals):
    """Returns an estate of so many accounts in one unit, each with the same roles."""
    trust = f"arn:aws:iam::{MANAGEMENT}:root"
    roles = [
        {"account": account, "name": f"role-{number}", "trust": trust, "inline": {"p": POLICY}}
        for account in accounts
        for number in range(n_principals)
    ]
    return {
        "accounts": [{"id": one, "name": "member"} for one in [MANAGEMENT, *accounts]],
        "organization": {
            "management_account": MANAGEMENT,
            "id": "o-scpbench001",
            "root_id": "r-scps",
            "ous": [{"id": UNIT, "name": "members", "accounts": accounts}],
        },
        "roles": roles,
    }


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
