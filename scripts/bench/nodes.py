#!/usr/bin/env python3
"""Counts what ssm-agentcheck and ssm-role ask of AWS for a fleet in which some nodes are hybrid and some never registered.

Calls do not depend on the machine. With BENCH_BIN of another build the same table is its own, to compare; desired states
that it does not know are left out.

usage: nodes.py [NODES]   (after `cargo build --release`; `make bench` does both)
"""

import json

import measure

ACCOUNT = "222222222222"
N_ROLES = 20
EXCLUDE = {"tags": {"Role": ["dc", "ca"]}}
ROLES = {"default_host_management": {}, "instance_profiles": {}, "hybrid_activations": {}}
# Name of the row, tool, verb, and the desired state that the verb reads.
CASES = (
    ("ssm-agentcheck show", "ssm-agentcheck", "show", None),
    ("ssm-agentcheck check", "ssm-agentcheck", "check", {}),
    ("the same, IMDSv2 and exclude", "ssm-agentcheck", "check", {"imds": {"require_v2": True}, "exclude": EXCLUDE}),
    ("ssm-role show", "ssm-role", "show", None),
    ("ssm-role check", "ssm-role", "check", ROLES),
    ("the same, exclude", "ssm-role", "check", {**ROLES, "exclude": EXCLUDE}),
)


def main():
    (n_nodes,) = measure.numbers(5_000)
    regions = ",".join(measure.REGIONS)
    with measure.scratch() as directory, measure.Sandbox(directory, estate(n_nodes)) as sandbox:
        rows = {}
        given = directory / "desired.json"
        for name, tool, verb, desired in CASES:
            given.write_text(json.dumps(desired))
            flags = [] if desired is None else ["-f", str(given)]
            words = [measure.program(tool), verb, "--region", regions, *flags]
            # 2: another build that does not know the desired state.
            *_, n_calls = sandbox.run(name, words, ACCOUNT, fine=(0, 1, 2))
            rows[name] = (n_calls or None,)
    print(f"{n_nodes:,} nodes over {len(measure.REGIONS)} Regions: one in 20 hybrid, one in 50 never registered, {N_ROLES} roles")
    measure.table([measure.CALLS._replace(compared=False)], rows, "ssm-agentcheck show")


def estate(n_nodes):
    """Returns nodes of all kinds, and the roles of their profiles."""
    nodes = measure.nodes(ACCOUNT, n_nodes)
    for number, node in enumerate(nodes):
        if number % 20 == 7:
            node["instance_id"] = f"m{node['instance_id']}"
            node["agent"] = {**node["agent"], "iam_role": "hybrid"}
            continue
        node["profile"] = f"web-{number % N_ROLES}"
        if number % 50 == 3:
            del node["agent"]
        if number % 500 == 5:
            node["tags"] = {"Role": "dc"}
    role = {"account": ACCOUNT, "managed_policies": ["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"]}
    roles = [
        {**role, "name": f"web-{number}", "trust": "ec2.amazonaws.com", "instance_profile": True} for number in range(N_ROLES)
    ]
    return {"nodes": nodes, "roles": [*roles, {**role, "name": "hybrid", "trust": "ssm.amazonaws.com"}]}


if __name__ == "__main__":
    main()
