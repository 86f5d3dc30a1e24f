#!/usr/bin/env python3
"""Compares ssm-prefs with the AWS CLI on a local AWS: time, CPU, memory and calls of one run each.

usage: prefs.py [RUNS]        (after `cargo build --release`; `make bench` does both)
"""

import functools

import measure

DOCUMENT = "SSM-SessionManagerRunShell"
ACCOUNT = "222222222222"
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
            "region": measure.REGIONS[0],
            "name": DOCUMENT,
            "type": "Session",
            "versions": [CONTENT],
        }
    ]
}


def main():
    (n_runs,) = measure.numbers(20)
    tool, lint = measure.program("ssm-prefs"), "ssm-prefs lint"
    # The verbs of ssm-prefs against the least that the CLI can do: one call. `show`
    # makes several, as it also reads the identity and the documents beside it.
    commands = {
        measure.FLOOR: [measure.program("true")],
        "ssm-prefs show": [tool, "show"],
        "aws ssm get-document": [measure.program("aws"), "ssm", "get-document", "--name", DOCUMENT],
        lint: [tool, "lint", "-f", measure.ROOT / "scripts/rollout.d/prefs.json"],
    }
    with measure.scratch() as directory, measure.Sandbox(directory, ESTATE) as sandbox:
        # lint ends with 1 when it finds something, which is no failure here.
        runs = {
            name: functools.partial(sandbox.run, name, command, ACCOUNT, fine=(0, 1) if name == lint else (0,))
            for name, command in commands.items()
        }
        rows = measure.in_turns(runs, n_runs)
    print(f"medians; runs: {n_runs}")
    columns = [measure.Column("wall ms", 1000, 1), measure.Column("CPU ms", 1000, 1), measure.PEAK]
    measure.table([*columns, measure.CALLS._replace(compared=False)], rows, "ssm-prefs show")


if __name__ == "__main__":
    main()
