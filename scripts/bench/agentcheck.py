#!/usr/bin/env python3
"""Compares ssm-agentcheck show with boto3 and with the AWS CLI and jq, doing the same join over the same fleet.

The fleet is made up on a local AWS: NODES instances over four Regions. A fleet of
a tenth shows whether memory grows with it.

usage: agentcheck.py [NODES [RUNS]]   (after `cargo build --release`; `make bench` does both)
"""

import functools

import measure

WHOLE, TENTH = "222222222222", "333333333333"

BOTO3 = """
import json, sys, boto3
config = boto3.session.Config(retries={"mode": "standard"})
account = boto3.client("sts", region_name="us-east-1").get_caller_identity()["Account"]
for region in sys.argv[1].split(","):
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
for region in $(echo "$1" | tr , ' '); do
    aws ssm describe-instance-information --region "$region" --page-size 50 >"$2/ssm.json"
    aws ec2 describe-instances --region "$region" --page-size 1000 \
        --filters Name=instance-state-name,Values=pending,running,shutting-down,stopping,stopped >"$2/ec2.json"
    jq -c -n --slurpfile ssm "$2/ssm.json" --slurpfile ec2 "$2/ec2.json" --arg region "$region" '
        ($ssm[0].InstanceInformationList | INDEX(.InstanceId)) as $agents
        | $ec2[0].Reservations[].Instances[] | $agents[.InstanceId] as $agent
        | {region: $region, instance_id: .InstanceId, state: .State.Name, version: $agent.AgentVersion, ping: $agent.PingStatus,
            imds: .MetadataOptions.HttpTokens}'
done
"""


def main():
    n_nodes, n_runs = measure.numbers(5_000, 3)
    regions = ",".join(measure.REGIONS)
    show = [measure.program("ssm-agentcheck"), "show", "--region", regions]
    ours, tenth = "ssm-agentcheck show", "ssm-agentcheck show, a tenth"
    estate = {"nodes": measure.nodes(WHOLE, n_nodes) + measure.nodes(TENTH, n_nodes // 10)}
    with measure.scratch() as directory, measure.Sandbox(directory, estate) as sandbox:
        commands = {
            ours: (show, WHOLE, n_nodes),
            "boto3": ([measure.program("python"), "-c", BOTO3, regions], WHOLE, n_nodes),
            "AWS CLI and jq": ([measure.program("sh"), "-c", CLI, "sh", regions, directory], WHOLE, n_nodes),
            tenth: (show, TENTH, n_nodes // 10),
        }
        runs = {name: functools.partial(figures, sandbox, name, *command) for name, command in commands.items()}
        rows = measure.in_turns(runs, n_runs)
    print(f"{n_nodes:,} nodes over {len(measure.REGIONS)} Regions, medians; runs: {n_runs}")
    measure.table([measure.WALL, measure.CPU, measure.PEAK, measure.CALLS], rows, ours, without=(tenth,))


def figures(sandbox, name, command, account, n_expected):
    output = sandbox.directory / "output"
    taken = sandbox.run(name, command, account, output=output)
    n_lines = sum(1 for _ in output.open())
    if n_lines != n_expected:
        measure.fail(f"{name} printed {n_lines} of {n_expected} nodes")
    return taken


if __name__ == "__main__":
    main()
