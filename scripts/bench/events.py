#!/usr/bin/env python3
"""Measures ssm-events: a search through a trail's log files, event patterns, the transcripts of sessions, and a Lambda function
that alerts Slack.

All input is made up, the same at every run, and read from the page cache.

usage: events.py [history|inputs|match|sessions|lambda ...]      (after `cargo build --release`)
"""

import argparse
import functools
import gzip
import json
import os
import pathlib
import shutil

import events_data as data
import events_lambda as functions
import events_live
import events_sessions
import measure

SECTIONS = ("history", "inputs", "match", "sessions", "lambda")
# 100 MB, below which `sessions` promises to stay with 100,000 of them.
MOST_MIB = 95
# What `history` promises over 1 GiB of log files: a part of the CPU of `gzip -dc`, and 25 MB.
FULL_MIB, MOST_OF_GZIP, MOST_HISTORY_MIB = 1024, 0.6, 25e6 / 2**20
# What no trail writes, and memory must not grow with: this many MiB, between two records.
LARGEST_MIB, ENDLESS = 60, "lists without an end"
# Of a node, with what begins elsewhere, and what began nowhere.
BEGINNINGS, ENDS = "--instance-id, of other nodes", "--instance-id, ends alone"
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
    with measure.scratch() as directory:
        args.output, args.home = directory / "output", directory
        args.data = args.keep.resolve() if args.keep else directory
        for section in args.sections or SECTIONS:
            {"history": history, "inputs": inputs, "match": match, "sessions": sessions, "lambda": function}[section](args)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sections", nargs="*", metavar="|".join(SECTIONS), help="what to measure [default: all]")
    parser.add_argument("--mib", type=int, default=1024, help="size of the log files before gzip [default: %(default)s]")
    parser.add_argument("--events", type=int, default=1_000_000, help="events to match, 10 or more [default: %(default)s]")
    parser.add_argument("--sessions", type=int, default=100_000, help="sessions to find the transcripts of [default: %(default)s]")
    parser.add_argument("--invocations", type=int, default=1_000, help="events for the function [default: %(default)s]")
    parser.add_argument("--runs", type=int, default=3, help="runs of each, jq over log files excepted [default: %(default)s]")
    parser.add_argument("--keep", type=pathlib.Path, metavar="DIR", help="keep the input in DIR, and take it from there")
    args = parser.parse_args()
    for section in args.sections:
        if section not in SECTIONS:
            parser.error(f"'{section}' is none of {', '.join(SECTIONS)}")
    if min(args.mib, args.events // 10, args.sessions, args.invocations, args.runs) < 1:
        parser.error("nothing to measure")
    args.tool = measure.program("ssm-events")
    return args


def history(args):
    directory, facts = data.history(args.data, args.mib)
    packed, whole = (facts[key] / data.MIB for key in ("packed", "bytes"))
    print(
        f"history: {facts['records']:,} records in {facts['files']:,} log files, {whole:,.0f} MiB, {packed:,.0f} MiB with gzip"
        f" ({whole / packed:.1f}:1); {facts['matches']:,} match. Medians; runs: {args.runs}, of jq 1."
    )
    ours, plain, jq = "ssm-events history", "gzip -dc >/dev/null", "gzip -dc | jq"
    shell = measure.program("sh")
    commands = {
        measure.FLOOR: [measure.program("true")],
        ours: [args.tool, "history", directory, "--event", ",".join(data.WANTED)],
        plain: [shell, "-c", f"{GZIP} >/dev/null", "sh", directory],
        jq: [shell, "-c", f"{GZIP} | {JQ}", "sh", directory],
        "python gzip and json": [measure.program("python"), "-I", "-c", PYTHON, directory],
    }
    for path in directory.rglob("*.gz"):
        path.read_bytes()
    found = {}

    def once(name, command):
        wall, cpu, peak = run(args, name, command)
        if name not in (measure.FLOOR, plain):
            same(found, name, identifiers(args.output, name, "eventID"))
        return wall, cpu, peak, cpu / max(wall, 1e-6)

    runs = {name: functools.partial(once, name, command) for name, command in commands.items()}
    runs[jq] = functools.cache(runs[jq])
    rows = measure.in_turns(runs, args.runs)
    if len(found[ours]) != facts["matches"]:
        measure.fail(f"{ours} found {len(found[ours])} of {facts['matches']} records")
    (_, cpu, peak, _), (_, cpu_of_gzip, _, _) = rows[ours], rows[plain]
    if args.mib >= FULL_MIB and (cpu > MOST_OF_GZIP * cpu_of_gzip or peak > MOST_HISTORY_MIB):
        measure.fail(f"{ours} took {cpu / cpu_of_gzip:.0%} of the CPU of {plain}, and held {peak:,.0f} MiB")
    rows[measure.FLOOR][3] = None
    columns = [measure.WALL, measure.CPU, measure.PEAK, measure.Column("cores", 1, 1, False)]
    measure.table(columns, rows, ours)


def inputs(args):
    size = min(args.mib, LARGEST_MIB) * data.MIB
    record = (
        '{"eventName":"StartSession","eventSource":"ssm.amazonaws.com","eventID":"%s","requestParameters":{"target":"i-0123456789abcdef0"}}\n'
    )
    first, last = record % "first", record % "last"
    other = '{"eventName":"GetObject","eventSource":"s3.amazonaws.com","requestParameters":{"key":"%s"}}\n'
    # What another verb upstream says that it could not read.
    gap = '{"kind":"finding","id":"events.history.unread","severity":"error","resource":"%s","message":"%s"}\n'
    small, large = gap % ("file", "damaged"), gap % ("file", "x" * 1_000_000)
    # Sessions that begin on another node, and ends of sessions whose beginning is not there.
    begins = record.replace("i-0123456789abcdef0", "i-0123456789abcdef1").replace("}}", '},"responseElements":{"sessionId":"session-%d"}}')
    ends = begins.replace("StartSession", "TerminateSession").replace('"target":"i-0123456789abcdef1"', '"sessionId":"session-%d"').replace(
        ',"responseElements":{"sessionId":"session-%d"}', ""
    )
    of_node = ["--instance-id", "i-0123456789abcdef0"]
    makers = {
        "gaps upstream": lambda: (first + small * (size // len(small)) + last).encode(),
        "gaps with long texts": lambda: (first + large * (size // len(large)) + last).encode(),
        "one object": lambda: (first + other % ("x" * size) + last).encode(),
        "objects in lists": lambda: (first + "[" * size + "]" * size + "\n" + last).encode(),
        ENDLESS: lambda: (first + "[" * size + "\n" + last).encode(),
        "UTF-16": lambda: (first + other % "x" * (size // 2 // len(other)) + last).encode("utf-16"),
        "one object, gzip": lambda: gzip.compress((first + other % ("x" * size) + last).encode(), 1),
        BEGINNINGS: lambda: (first + "".join(begins % ("e", n) for n in range(size // len(begins))) + last).encode(),
        ENDS: lambda: (first + "".join(ends % ("e", n) for n in range(size // len(ends))) + last).encode(),
    }
    print(f"inputs: {size // data.MIB} MiB of what no trail writes, between two records. Medians; runs: {args.runs}.")
    given, ours = args.home / "given", "ssm-events history"

    def once(name):
        flags = of_node if name in (BEGINNINGS, ENDS) else []
        # What is too large or too deep to be read is said, by the status as well.
        wall, cpu, peak = run(args, f"{ours}, {name}", [args.tool, "history", given, *flags], fine=(0, 2))
        with args.output.open(encoding="utf-8") as lines:
            found = {json.loads(line).get("eventID") for line in lines}
        if "first" not in found or ("last" not in found and name != ENDLESS):
            measure.fail(f"{ours}, {name}, found {found}")
        if args.mib >= FULL_MIB and peak > MOST_HISTORY_MIB:
            measure.fail(f"{ours}, {name}, held {peak:,.0f} MiB")
        return wall, cpu, peak

    floor = functools.partial(run, args, measure.FLOOR, [measure.program("true")])
    rows = measure.in_turns({measure.FLOOR: floor}, args.runs)
    for name, make in makers.items():
        given.write_bytes(make())
        rows |= measure.in_turns({name: functools.partial(once, name)}, args.runs)
    measure.table([measure.WALL, measure.CPU, measure.PEAK], rows, "one object")


def match(args):
    whole, facts = data.events(args.data, args.events)
    n_tenth = args.events // 10
    tenth, pattern = args.home / "tenth", args.home / "pattern.json"
    with whole.open("rb") as given, tenth.open("wb") as out:
        out.writelines(line for line, _ in zip(given, range(n_tenth)))
    pattern.write_text(json.dumps(PATTERN))
    print(
        f"match: {args.events:,} events, {facts['bytes'] / args.events:,.0f} bytes each; {facts['matches']:,} match."
        f" Medians; runs: {args.runs}."
    )
    base, ours = "ssm-events match, a tenth", "ssm-events match"
    commands = {
        measure.FLOOR: ([measure.program("true")], tenth, n_tenth),
        ours: ([args.tool, "match", pattern], whole, args.events),
        base: ([args.tool, "match", pattern], tenth, n_tenth),
        "jq, a tenth": ([measure.program("jq"), "-c", JQ_MATCH], tenth, n_tenth),
    }
    found = {}

    def once(name, command, given, n_events):
        wall, cpu, peak = run(args, name, command, given)
        if name == ours:
            n_found = len(identifiers(args.output, name, "id"))
            if n_found != facts["matches"]:
                measure.fail(f"{name} found {n_found} of {facts['matches']} events")
        elif name != measure.FLOOR:
            same(found, name, identifiers(args.output, name, "id"))
        return wall, cpu, peak, n_events / max(cpu, 1e-6)

    rows = measure.in_turns({name: functools.partial(once, name, *command) for name, command in commands.items()}, args.runs)
    rows[measure.FLOOR][3] = None
    columns = [measure.WALL, measure.CPU, measure.PEAK, measure.Column("events/CPU s", 1, 0, False)]
    # The whole is ten times the work of the others: no ratio but of memory would say anything.
    measure.table(columns, rows, base, without=(ours,))


def sessions(args):
    paths, n_lost = events_sessions.make(args.home, args.sessions)
    print(f"sessions: {args.sessions:,}, of which {n_lost:,} have no transcript. Medians; runs: {args.runs}, of that which calls 1.")
    base, ours, live = "ssm-events report", "ssm-events sessions", "ssm-events sessions, calls"
    listings = ",".join(str(paths[name]) for name in ("ended", "objects", "preferences", "versions"))
    with events_live.serving(paths, data.REGIONS[0]) as env:
        commands = {
            measure.FLOOR: ([measure.program("true")], {}),
            ours: ([args.tool, "sessions", "--offline", "--listing", listings], {}),
            live: ([args.tool, "sessions"], env),
            base: ([args.tool, "report"], {}),
        }

        def once(name, command, env):
            wall, cpu, peak = run(args, name, command, paths["records"], more=env)
            if name in (ours, live):
                with args.output.open(encoding="utf-8") as lines:
                    found = [json.loads(line)["transcript"]["none"] for line in lines]
                if len(found) != args.sessions or sum(none is not None for none in found) != n_lost:
                    measure.fail(f"{name} found {len(found)} sessions, {sum(none is not None for none in found)} without a transcript")
                if args.sessions <= 100_000 and peak > MOST_MIB:
                    measure.fail(f"{name} held {peak:,.0f} MiB")
            return wall, cpu, peak, args.sessions / max(cpu, 1e-6)

        runs = {name: functools.partial(once, name, *command) for name, command in commands.items()}
        # Pages of 200 sessions, five a second, as AWS allows.
        runs[live] = functools.cache(runs[live])
        rows = measure.in_turns(runs, args.runs)
    rows[measure.FLOOR][3] = None
    columns = [measure.WALL, measure.CPU, measure.PEAK, measure.Column("sessions/CPU s", 1, 0, False)]
    measure.table(columns, rows, base)


def function(args):
    # A copy: the tool knows by its name that it is a function, as it is in the archive that Lambda unpacks.
    bootstrap = args.home / "bootstrap"
    shutil.copy2(args.tool, bootstrap)
    sessions = data.sessions(args.invocations)
    base = "ssm-events (bootstrap)"
    python = measure.program("python")
    commands = {
        measure.FLOOR: [python, "-I", "-S", "-c", functions.ECHO],
        base: [bootstrap],
        "python http.client": [python, "-I", "-c", functions.HANDLER],
    }
    print(
        f"lambda: {args.invocations:,} sessions posted to Slack, one after the other. Medians; runs: {args.runs},"
        f" of the start {STARTS}; all times hold the first row's."
    )

    def once(name, given, figures):
        return functions.invoke(name, commands[name], args.home, given)[figures]

    starts = measure.in_turns({name: functools.partial(once, name, [], slice(2)) for name in commands}, STARTS)
    events = measure.in_turns({name: functools.partial(once, name, sessions, slice(2, None)) for name in commands}, args.runs)
    milliseconds = (("init ms", 1), ("init CPU ms", 1), ("first event ms", 2), ("event ms", 3), ("CPU ms/event", 3))
    columns = [measure.Column(heading, 1000, digits) for heading, digits in milliseconds]
    measure.table([*columns, measure.PEAK], {name: starts[name] + events[name] for name in commands}, base)


def run(args, name, command, given=os.devnull, fine=None, more=None):
    """Returns the figures of one run. What it printed is left in a file, and looked at by the caller."""
    env = {"PATH": os.environ["PATH"], "HOME": str(args.home), "LC_ALL": "C.UTF-8"} | (more or {})
    # The tool may end with 1 when it finds something, which is no failure.
    fine = fine or ((0, 1) if command[0] == args.tool else (0,))
    return measure.run(name, command, env, given, args.output, fine)


def identifiers(output, name, key):
    """Returns what the lines of an output are known by, in order of the alphabet: files are read in any order."""
    try:
        with output.open(encoding="utf-8") as lines:
            return sorted(json.loads(line)[key] for line in lines)
    except (ValueError, KeyError, TypeError) as error:
        measure.fail(f"{name} printed a line that is no JSON object with {key}: {error}")


def same(found, name, these):
    """Stops unless all who search find the same."""
    found[name] = these
    other, those = next(iter(found.items()))
    if these != those:
        differ = sorted(set(these) ^ set(those))[:3]
        measure.fail(f"{name} found {len(these)}, {other} found {len(those)}; they differ by {differ or 'repetitions'}")


if __name__ == "__main__":
    main()
