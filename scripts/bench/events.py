#!/usr/bin/env python3
"""Measures ssm-events: a search through a trail's log files, event patterns, and a Lambda function that tells Slack.

What is measured runs in turns, so that whatever else the machine does meets all. CPU and peak memory are the kernel's
count of each process and its children: CPU is of all together, the peak of the greatest one. All input is made up,
the same at every run, and read from the page cache. Nothing is reached beyond 127.0.0.1.

usage: events.py [history|match|lambda ...]      (after `cargo build --release`)
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

import events_data as data
import events_lambda as functions
from agentcheck import MEASURE

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = ROOT / "target/release/ssm-events"
SECTIONS = ("history", "match", "lambda")
FLOOR = "(measuring itself)"
STARTS = 10

GZIP = 'find "$1" -name "*.json.gz" -print0 | xargs -0 gzip -dc'
JQ = "jq -c '.Records[] | select(.eventName == \"StartSession\" or .eventName == \"SendCommand\")'"
PYTHON = """
import glob, gzip, json, sys
for path in glob.iglob(sys.argv[1] + "/**/*.json.gz", recursive=True):
    with gzip.open(path) as given:
        for record in json.load(given)["Records"]:
            if record["eventName"] in ("StartSession", "SendCommand"):
                print(json.dumps(record))
"""

PATTERN = {
    "source": ["aws.ssm"],
    "detail-type": ["AWS API Call via CloudTrail"],
    "detail": {"eventSource": ["ssm.amazonaws.com"], "eventName": ["StartSession", "SendCommand"]},
}
JQ_MATCH = (
    'select(.source == "aws.ssm" and ."detail-type" == "AWS API Call via CloudTrail"'
    ' and .detail.eventSource == "ssm.amazonaws.com"'
    ' and (.detail.eventName == "StartSession" or .detail.eventName == "SendCommand"))'
)


def main():
    args = arguments()
    if not args.tool.is_file():
        fail(f"{args.tool} is missing: run cargo build --release -p ssm-events")
    for needed in ("jq", "gzip", "find", "xargs"):
        if not shutil.which(needed):
            fail(f"{needed} is missing")
    (ROOT / "target").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "target") as directory:
        directory = pathlib.Path(directory)
        args.output, args.home = directory / "output", directory
        args.data = args.keep.resolve() if args.keep else directory
        for section in args.sections or SECTIONS:
            {"history": history, "match": match, "lambda": function}[section](args)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sections", nargs="*", metavar="history|match|lambda", help="what to measure [default: all]")
    parser.add_argument("--tool", type=pathlib.Path, default=TOOL, help="the ssm-events to measure [default: %(default)s]")
    parser.add_argument("--mib", type=int, default=1024, help="size of the log files before gzip [default: %(default)s]")
    parser.add_argument("--events", type=int, default=1_000_000, help="events to match, 10 or more [default: %(default)s]")
    parser.add_argument("--invocations", type=int, default=1_000, help="events for the function [default: %(default)s]")
    parser.add_argument("--runs", type=int, default=3, help="runs of each, jq over log files excepted [default: %(default)s]")
    parser.add_argument("--keep", type=pathlib.Path, metavar="DIR", help="keep the input in DIR, and take it from there")
    args = parser.parse_args()
    for section in args.sections:
        if section not in SECTIONS:
            parser.error(f"'{section}' is none of {', '.join(SECTIONS)}")
    if min(args.mib, args.events // 10, args.invocations, args.runs) < 1:
        parser.error("nothing to measure")
    args.tool = args.tool.resolve()
    return args


def history(args):
    directory, facts = data.history(args.data, args.mib)
    packed, whole = (facts[key] / data.MIB for key in ("packed", "bytes"))
    print(
        f"history: {facts['records']:,} records in {facts['files']:,} log files, {whole:,.0f} MiB, {packed:,.0f} MiB with gzip"
        f" ({whole / packed:.1f}:1); {facts['matches']:,} match. Medians of {args.runs} runs, jq once."
    )
    search = [args.tool, "history", directory, "--event", ",".join(data.WANTED)]
    ours, gzip, jq = "ssm-events history", "gzip -dc >/dev/null", "gzip -dc | jq"
    commands = {
        FLOOR: [shutil.which("true")],
        ours: search,
        gzip: [shutil.which("sh"), "-c", f"{GZIP} >/dev/null", "sh", directory],
        jq: [shutil.which("sh"), "-c", f"{GZIP} | {JQ}", "sh", directory],
        "python gzip and json": [sys.executable, "-I", "-c", PYTHON, directory],
    }
    for path in directory.rglob("*.gz"):
        path.read_bytes()
    figures, found = {name: [] for name in commands}, {}
    for number in range(args.runs):
        for name, command in commands.items():
            if name == jq and number > 0:
                continue
            wall, cpu, peak = run(args, name, command)
            figures[name].append((wall, cpu, cpu / max(wall, 1e-6), peak))
            if name not in (FLOOR, gzip):
                same(found, name, identifiers(args.output, name, "eventID"))
    if len(found[ours]) != facts["matches"]:
        fail(f"{ours} found {len(found[ours])} of {facts['matches']} records")
    columns = [("wall s", 1, 2, True), ("CPU s", 1, 2, True), ("cores", 1, 1, False), ("peak MiB", 1, 1, True)]
    rows = {name: medians(taken) for name, taken in figures.items()}
    rows[FLOOR][2] = None
    table(columns, rows, ours)


def match(args):
    whole, facts = data.events(args.data, args.events)
    n_tenth = args.events // 10
    tenth, pattern = args.home / "tenth", args.home / "pattern.json"
    with whole.open("rb") as given, tenth.open("wb") as out:
        out.writelines(line for line, _ in zip(given, range(n_tenth)))
    pattern.write_text(json.dumps(PATTERN))
    print(
        f"match: {args.events:,} events, {facts['bytes'] / args.events:,.0f} bytes each; {facts['matches']:,} match."
        f" Medians of {args.runs} runs."
    )
    base, ours = "ssm-events match, a tenth", "ssm-events match"
    commands = {
        FLOOR: ([shutil.which("true")], tenth, n_tenth),
        ours: ([args.tool, "match", pattern], whole, args.events),
        base: ([args.tool, "match", pattern], tenth, n_tenth),
        "jq, a tenth": ([shutil.which("jq"), "-c", JQ_MATCH], tenth, n_tenth),
    }
    figures, found = {name: [] for name in commands}, {}
    for _ in range(args.runs):
        for name, (command, given, n_events) in commands.items():
            wall, cpu, peak = run(args, name, command, given)
            figures[name].append((wall, cpu, n_events / max(cpu, 1e-6), peak))
            if name == ours:
                n_found = len(identifiers(args.output, name, "id"))
                if n_found != facts["matches"]:
                    fail(f"{name} found {n_found} of {facts['matches']} events")
            elif name != FLOOR:
                same(found, name, identifiers(args.output, name, "id"))
    columns = [("wall s", 1, 2, True), ("CPU s", 1, 2, True), ("events/CPU s", 1, 0, False), ("peak MiB", 1, 1, True)]
    rows = {name: medians(taken) for name, taken in figures.items()}
    rows[FLOOR][2] = None
    # The whole is ten times the work of the others: no ratio but of memory would say anything.
    table(columns, rows, base, without=(ours,))


def function(args):
    # A copy: the tool knows by its name that it is a function, as it is in the archive that Lambda unpacks.
    bootstrap = args.home / "bootstrap"
    shutil.copy2(args.tool, bootstrap)
    sessions = data.sessions(args.invocations)
    base = "ssm-events (bootstrap)"
    commands = {
        FLOOR: [sys.executable, "-I", "-S", "-c", functions.ECHO],
        base: [bootstrap],
        "python http.client": [sys.executable, "-I", "-c", functions.HANDLER],
    }
    starts = max(STARTS, args.runs)
    print(
        f"lambda: {args.invocations:,} sessions told in Slack, one after the other. Medians of {args.runs} runs, of"
        f" {starts} for the start; all times hold the first row's."
    )
    figures = {name: [] for name in commands}
    for number in range(starts):
        for name, command in commands.items():
            given = sessions if number < args.runs else []
            figures[name].append(functions.invoke(name, command, args.home, given))
    rows = {}
    for name, taken in figures.items():
        full = medians(taken[: args.runs])
        rows[name] = medians([each[:2] for each in taken]) + full[2:]
    columns = [("init ms", 1000, 1, True), ("init CPU ms", 1000, 1, True), ("first event ms", 1000, 2, True)]
    columns += [("event ms", 1000, 3, True), ("CPU ms/event", 1000, 3, True), ("peak MiB", 1, 1, True)]
    table(columns, rows, base)


def run(args, name, command, given=pathlib.Path(os.devnull)):
    """Returns wall seconds, CPU seconds and peak memory in MiB of one run, whose output is left in a file."""
    words = [sys.executable, "-I", "-S", "-c", MEASURE, args.output, *command]
    env = {"PATH": os.environ["PATH"], "HOME": str(args.home), "LC_ALL": "C.UTF-8"}
    with given.open("rb") as stdin:
        done = subprocess.run(words, env=env, stdin=stdin, capture_output=True, text=True)
    status, wall, cpu, peak = done.stdout.split() if done.returncode == 0 else ("127", 0, 0, 0)
    # The tool may end with 1 when it finds something, which is no failure; what it printed is looked at by the caller.
    if status not in (("0", "1") if command[0] == args.tool else ("0",)):
        sys.exit(f"bench: {name} ended with status {status}: {functions.complaint(done.stderr)}")
    return float(wall), float(cpu), int(peak) / 1024


def identifiers(output, name, key):
    """Returns what the lines of an output are known by, in order of the alphabet: files are read in any order."""
    try:
        with output.open(encoding="utf-8") as lines:
            return sorted(json.loads(line)[key] for line in lines)
    except (ValueError, KeyError, TypeError) as error:
        fail(f"{name} printed a line that is no JSON object with {key}: {error}")


def same(found, name, these):
    """Stops unless all who search find the same."""
    found[name] = these
    other, those = next(iter(found.items()))
    if these != those:
        differ = sorted(set(these) ^ set(those))[:3]
        fail(f"{name} found {len(these)}, {other} found {len(those)}; they differ by {differ or 'repetitions'}")


def medians(taken):
    return [statistics.median(column) for column in zip(*taken)]


def table(columns, rows, base, without=()):
    """Prints rows of figures; in brackets how many times those of the base."""
    print(f"{'':27}" + "".join(f"{heading:>20}" for heading, *_ in columns))
    for name, values in rows.items():
        cells = []
        for (_, scale, digits, compared), value, of_base in zip(columns, values, rows[base]):
            cell = "" if value is None else f"{value * scale:,.{digits}f}"
            if compared and name not in (base, FLOOR, *without):
                cell += f" ({value / max(of_base, 1e-6):.1f}x)"
            cells.append(cell)
        print(f"{name:27}" + "".join(f"{cell:>20}" for cell in cells))
    print(flush=True)


def fail(message):
    print(f"bench: {message}", file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main()
