#!/usr/bin/env python3
"""Shows what judging a fleet costs: CPU, wall time and the memory of the largest process for 20, 200 and 2,000 nodes.

The nodes are made up of 500 packages of this Debian machine, a few of other
versions on each node, in packed inventories as Run Command returns them; the
advisories are 20,000 in OSV, for packages that are installed and for others.
AWS is not called: this is `vulnscan.sh --offline`, which writes the SBOMs,
the table and SARIF.

Then the programs of jq and awk that judged before ssm-vulns did, at 200 nodes, out
of the repository's history; and a large database, as lines and as OSV publishes it,
a zip with a file for each advisory. Loading it has a limit, and more is an error.

usage: vulnscan.py [NODES..]   (`make bench`)
LARGE=N: so many advisories in the large database, also where NODES are given
"""

import base64
import datetime
import gzip
import json
import os
import random
import shutil
import subprocess
import zipfile

import measure

N_PACKAGES = 500
# Advisories of the future would say nothing of how old they are.
TODAY = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT00:00:00Z")
N_ADVISORIES = 20_000
N_LARGE = 300_000
# What loading it may take: seconds of CPU and MiB, which are 100 MB.
MOST_CPU, MOST_PEAK = 3, 95
# The last commit whose vulnscan.sh judges by jq and awk.
BEFORE, N_BEFORE = "84e7bed6^", 200
FIELDS = r"${Package}\t${Version}\t${source:Package}\n"


def main():
    given = measure.numbers()
    sizes = given or [20, 200, 2000]
    listed = subprocess.run(["dpkg-query", "-W", "-f", FIELDS], check=True, capture_output=True, text=True).stdout
    packages = [line.split("\t") for line in listed.splitlines()][:N_PACKAGES]
    with measure.scratch() as directory:
        write_advisories(directory / "osv.jsonl", packages)
        measure.markdown_head("nodes", "packages", "matches", "CPU", "CPU a node", "wall", "largest process")
        spent = {}
        for size in sizes:
            spent[size] = row(directory / str(size), directory / "osv.jsonl", packages, size)
        before(directory, spent)
        n_large = int(os.environ.get("LARGE", 0 if given else N_LARGE))
        if n_large:
            load(directory, packages, n_large)


def write_advisories(path, packages, n_advisories=N_ADVISORIES):
    random.seed(1)
    with path.open("w") as file:
        for number in range(n_advisories):
            _, version, source = random.choice(packages)
            name = source if number % 2 else f"not-here-{number % 4000}"
            # Most were fixed long ago.
            fixed = version + "+later" if number % 500 == 1 else "0~" + version.replace(":", ".")
            affected = {
                "package": {"ecosystem": "Debian:12", "name": name},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}],
            }
            advisory = {"schema_version": "1.6.0", "id": f"CVE-2026-{number}", "affected": [affected], "details": "d" * 500, "modified": TODAY}
            file.write(json.dumps(advisory) + "\n")


def row(directory, advisories, packages, n_nodes):
    directory.mkdir()
    with (directory / "invocations.jsonl").open("w") as file:
        for number in range(n_nodes):
            file.write(json.dumps(invocation(packages, number)) + "\n")
    command = [measure.ROOT / "scripts/vulnscan.sh", "--out", directory, "--offline", "--advisories", advisories]
    environment = {**os.environ, "PATH": f"{measure.BIN}:{os.environ['PATH']}"}
    measure.program("ssm-vulns")
    wall, cpu, peak = measure.run("vulnscan.sh", command, environment, fine=(1,))
    n_matches = len((directory / "advisories.csv").read_text().splitlines()) - 1
    spent = (f"{cpu:.1f} s", f"{cpu / n_nodes * 1000:.0f} ms", f"{wall:.1f} s", f"{peak:.0f} MiB")
    measure.markdown(n_nodes, n_nodes * len(packages), n_matches, *spent)
    return cpu, n_matches


def before(directory, spent):
    """Judges the same nodes by the programs of jq and awk that ssm-vulns took the place of, which would take an hour at 2,000."""
    size = N_BEFORE
    if size not in spent:
        return
    old, scan = directory / "before", directory / "scan-before"
    old.mkdir()
    archive = subprocess.run(["git", "-C", measure.ROOT, "archive", BEFORE, "scripts"], capture_output=True)
    if archive.returncode != 0:
        print(f"\n{BEFORE} is not in this clone: {measure.complaint(archive.stderr.decode())}")
        return
    subprocess.run(["tar", "-x", "-C", old], input=archive.stdout, check=True)
    scan.mkdir()
    shutil.copy(directory / str(size) / "invocations.jsonl", scan)
    command = [old / "scripts/vulnscan.sh", "--out", scan, "--offline", "--advisories", directory / "osv.jsonl"]
    wall, cpu, peak = measure.run("vulnscan.sh of before", command, fine=(1,))
    n_matches = sum(1 for _ in (scan / "matches.jsonl").open())
    cpu_now, _ = spent[size]
    print(f"\nby jq and awk ({BEFORE}), {size} nodes: {n_matches} records, {cpu:.1f} s CPU, {wall:.1f} s wall, {peak:.0f} MiB: {cpu / cpu_now:.0f} times the CPU")


def load(directory, packages, n_large):
    """Loads a large database for one node, by ssm-vulns alone: as lines, and as a zip with a file for each advisory."""
    lines, archive = directory / "large.jsonl", directory / "all.zip"
    write_advisories(lines, packages, n_large)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed, lines.open() as file:
        for number, line in enumerate(file):
            packed.writestr(f"CVE-2026-{number}.json", line)
    (directory / "node.json").write_text(json.dumps(invocation(packages, 1)))
    for what, path in (("in lines", lines), ("in a zip of one file each", archive)):
        command = [measure.program("ssm-vulns"), "match", "-q", "--advisories", path]
        wall, cpu, peak = measure.run("ssm-vulns match", command, given=directory / "node.json", fine=(1,))
        n_bytes = path.stat().st_size
        print(f"\n{n_large} advisories {what} ({n_bytes >> 20} MiB) for one node: {cpu:.1f} s CPU, {wall:.1f} s wall, {peak:.0f} MiB")
        if cpu > MOST_CPU or peak > MOST_PEAK:
            measure.fail(f"loading them {what} takes more than {MOST_CPU} s of CPU or {MOST_PEAK} MiB")


def invocation(packages, number):
    lines = ["os\tdebian\t12\t\tbookworm\tDebian GNU/Linux 12 (bookworm)", "arch\tamd64", "kernel\t6.1.0-18-amd64\t"]
    for place, (name, version, source) in enumerate(packages):
        patched = f"+n{number % 5}" if (number * 7 + place * 13) % 29 == 0 else ""
        lines.append(f"deb\t{name}\t{version}{patched}\t\t{'' if source == name else source}\t")
    lines.append(f"end\t{len(lines)}\t-")
    packed = base64.b64encode(gzip.compress("\n".join(lines + [""]).encode(), 9)).decode()
    return {
        "kind": "invocation",
        "target": {"account": "111111111111", "region": "us-east-1"},
        "instance_id": f"i-{number:017x}",
        "name": None,
        "command_id": "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
        "status": "Success",
        "ended": "2026-11-27T06:00:01Z",
        "stdout": f"ssm-inventory 1 gzip\n{packed}\n",
        "stderr": "",
        "truncated": {"stdout": False, "stderr": False},
        "reason": None,
    }


if __name__ == "__main__":
    main()
