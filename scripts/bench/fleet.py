#!/usr/bin/env python3
"""Shows what a run over many accounts costs: calls, CPU, wall time and peak memory for 1, 10 and 100 accounts.

The organization is made up on a local AWS: two Regions an account, NODES nodes in
each. Wall time is mostly the local AWS's own, which answers one call after another
in Python.

usage: fleet.py [NODES [ACCOUNTS..]]   (after `cargo build --release`; `make bench` does both)
"""

import measure

REGIONS = measure.REGIONS[:2]
MANAGEMENT = "111111111111"
ROLE = "arn:{partition}:iam::{account}:role/OrganizationAccountAccessRole"
VERBS = {
    "ssm-agentcheck show": "",
    "ssm-prefs plan": '{"idle_timeout_minutes": 20}',
    "ssm-role check": '{"default_host_management": {}}',
}


def main():
    n_nodes, *sizes = measure.numbers(50)
    sizes = sizes or [1, 10, 100]
    members = [f"2{number:011}" for number in range(max(sizes))]
    with measure.scratch() as directory, measure.Sandbox(directory, organization(members, n_nodes)) as sandbox:
        headings = ("verb", "accounts", "targets", "nodes", "calls", "calls a target", "CPU", "CPU a target", "wall", "peak memory")
        measure.markdown_head(*headings)
        for verb, desired in VERBS.items():
            for size in sizes:
                row(sandbox, verb, desired, members[:size], n_nodes)


def organization(members, n_nodes):
    """Returns an estate with so many nodes in each of the Regions of each member."""
    return {
        "accounts": [{"id": one, "name": "member"} for one in [MANAGEMENT, *members]],
        "organization": {
            "management_account": MANAGEMENT,
            "id": "o-fleet00001",
            "root_id": "r-flee",
            "ous": [{"id": "ou-flee-members1", "name": "members", "accounts": members}],
        },
        "nodes": [node for account in members for node in measure.nodes(account, n_nodes * len(REGIONS), REGIONS)],
    }


def row(sandbox, verb, desired, accounts, n_nodes):
    listed, file = sandbox.directory / "accounts", sandbox.directory / "desired.json"
    listed.write_text("\n".join(accounts))
    file.write_text(desired)
    tool, word = verb.split()
    command = [measure.program(tool), word, "--accounts", listed, "--assume-role", ROLE]
    command += ["--region", ",".join(REGIONS), "-f", file]
    wall, cpu, peak, n_calls = sandbox.run(verb, command, MANAGEMENT, fine=(0, 1))
    n_targets = len(accounts) * len(REGIONS)
    measure.markdown(
        f"`{verb}`", len(accounts), n_targets, n_targets * n_nodes, n_calls, f"{n_calls / n_targets:.1f}",
        f"{cpu * 1000:.0f} ms", f"{cpu * 1000 / n_targets:.1f} ms", f"{wall:.2f} s", f"{peak:.0f} MiB",
    )  # fmt: skip


if __name__ == "__main__":
    main()
