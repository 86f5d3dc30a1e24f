#!/usr/bin/env python3
"""Shows what a run over many accounts costs: calls, CPU, wall time and peak memory for 1, 10 and 100 accounts.

The organization is made up on a local AWS: two Regions an account, NODES nodes in
each. CPU and peak memory are the kernel's count of the tool alone; wall time is
mostly the local AWS's own, which answers one call after another in Python.

usage: fleet.py [NODES [ACCOUNTS..]]   (after `cargo build --release`; `make bench` does both)
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

from agentcheck import MEASURE, ROOT, SANDBOX, VENV, fleet

REGIONS = ("us-east-1", "us-west-2", "eu-central-1", "eu-west-1")[:2]
MANAGEMENT = "111111111111"
ROLE = "arn:{partition}:iam::{account}:role/OrganizationAccountAccessRole"
VERBS = {
    "ssm-agentcheck show": "",
    "ssm-prefs plan": '{"idle_timeout_minutes": 20}',
    "ssm-role check": '{"default_host_management": {}}',
}


def main():
    n_nodes = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    sizes = [int(size) for size in sys.argv[2:]] or [1, 10, 100]
    members = [f"2{number:011}" for number in range(max(sizes))]
    with tempfile.TemporaryDirectory(dir=ROOT / "target") as directory:
        directory = pathlib.Path(directory)
        estate = directory / "estate.json"
        estate.write_text(json.dumps(organization(members, n_nodes)))
        with subprocess.Popen(
            [VENV / "python", SANDBOX, "--estate", estate, "--exit-with-stdin"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as sandbox:
            url = sandbox.stdout.readline().strip()
            print("| verb | accounts | targets | nodes | calls | calls a target | CPU | CPU a target | wall | peak memory |")
            print("|---|---|---|---|---|---|---|---|---|---|")
            for verb, desired in VERBS.items():
                for size in sizes:
                    row(directory, url, verb, desired, members[:size], n_nodes)
            sandbox.stdin.close()


def organization(members, n_nodes):
    """Returns an estate whose nodes lie in the first two of the Regions that `fleet` spreads them over."""
    nodes = []
    for account in members:
        spread = fleet(account, 4 * n_nodes)
        nodes += [node for node in spread if node["region"] in REGIONS]
    return {
        "accounts": [{"id": one, "name": "member"} for one in [MANAGEMENT, *members]],
        "organization": {
            "management_account": MANAGEMENT,
            "id": "o-fleet00001",
            "root_id": "r-flee",
            "ous": [{"id": "ou-flee-members1", "name": "members", "accounts": members}],
        },
        "nodes": nodes,
    }


def row(directory, url, verb, desired, accounts, n_nodes):
    (directory / "accounts").write_text("\n".join(accounts))
    (directory / "desired.json").write_text(desired)
    control(url, "DELETE")
    tool, word = verb.split()
    command = [ROOT / "target/release" / tool, word, "--accounts", directory / "accounts", "--assume-role", ROLE]
    command += ["--region", ",".join(REGIONS), "-f", directory / "desired.json"]
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(directory),
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": f"AKIA{MANAGEMENT}",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_REGION": REGIONS[0],
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    measured = subprocess.run(
        [VENV / "python", "-S", "-c", MEASURE, directory / "out", *command],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    status, wall, cpu, peak = map(float, measured.stdout.split())
    if status > 1:
        sys.exit(f"bench: {verb} ended with {status:.0f}: {measured.stderr}")
    n_calls = len(control(url, "GET").splitlines())
    n_targets = len(accounts) * len(REGIONS)
    print(
        f"| `{verb}` | {len(accounts)} | {n_targets} | {n_targets * n_nodes} | {n_calls} | {n_calls / n_targets:.1f} "
        f"| {cpu * 1000:.0f} ms | {cpu * 1000 / n_targets:.1f} ms | {wall:.2f} s | {peak / 1024:.0f} MB |",
        flush=True,
    )


def control(url, method):
    request = urllib.request.Request(f"{url}/_sandbox/calls", method=method)
    return urllib.request.urlopen(request).read().decode()


if __name__ == "__main__":
    main()
