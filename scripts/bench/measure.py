"""What all benchmarks share: starting the local AWS, measuring a process, running in turns, printing figures.

Knows no tool. Nothing is reached beyond 127.0.0.1, and no AWS profile is read.
"""

import collections
import contextlib
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Another build to measure, as the test does with the one it has.
BIN = pathlib.Path(os.environ.get("BENCH_BIN", ROOT / "target/release")).absolute()
PATH = f"{ROOT / '.venv/bin'}:{os.environ['PATH']}"
REGIONS = ("us-east-1", "us-west-2", "eu-central-1", "eu-west-1")
FLOOR = "(measuring itself)"

Column = collections.namedtuple("Column", "heading scale digits compared", defaults=(True,))
WALL, CPU, PEAK = Column("wall s", 1, 2), Column("CPU s", 1, 2), Column("peak MiB", 1, 1)
CALLS = Column("calls", 1, 0)

# Runs in a bare interpreter: Linux counts what a process held before exec to its peak, so a benchmark with its imports
# would be the peak of every small program. What is left of that is the row FLOOR. RUSAGE_CHILDREN has the greatest peak
# of a process and all its children, and their CPU together.
MEASURE = """
import posix, resource, sys, time
started = time.perf_counter()
process = posix.fork()
if process == 0:
    try:
        posix.dup2(posix.open(sys.argv[1], posix.O_RDONLY), 0)
        posix.dup2(posix.open(sys.argv[2], posix.O_WRONLY | posix.O_CREAT | posix.O_TRUNC, 0o600), 1)
        posix.execv(sys.argv[3], sys.argv[3:])
    finally:
        posix._exit(127)
_, status = posix.waitpid(process, 0)
wall = time.perf_counter() - started
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(posix.waitstatus_to_exitcode(status), wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
"""


def run(name, command, env=None, given=os.devnull, output=os.devnull, fine=(0,)):
    """Returns wall seconds, CPU seconds and peak MiB of one run, whose output is left in a file."""
    words = [sys.executable, "-I", "-S", "-c", MEASURE, given, output, *command]
    done = subprocess.run(words, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    status, wall, cpu, peak = done.stdout.split() if done.returncode == 0 else (127, 0, 0, 0)
    if int(status) not in fine:
        fail(f"{name} ended with status {status}: {complaint(done.stderr)}")
    # ru_maxrss is in KiB on Linux and in bytes on macOS.
    return float(wall), float(cpu), int(peak) / (1 << 20 if sys.platform == "darwin" else 1 << 10)


class Sandbox:
    """A local AWS that holds an estate, for as long as the `with` lasts."""

    def __init__(self, directory, estate):
        self.directory = directory
        self.file = directory / "estate.json"
        self.file.write_text(json.dumps(estate))

    def __enter__(self):
        words = [program("python"), ROOT / "tests/sandbox/sandbox.py", "--estate", self.file, "--exit-with-stdin"]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        return self

    def __exit__(self, *_):
        # The server ends with its stdin.
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def run(self, name, command, account, **options):
        """Returns the figures of one run as `run` does, and how many calls it sent."""
        env = {
            "PATH": PATH,
            "HOME": str(self.directory),
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": f"AKIA{account}",
            "AWS_SECRET_ACCESS_KEY": "bench",
            # The tools read the first, version 1 of the CLI only the second.
            "AWS_REGION": REGIONS[0],
            "AWS_DEFAULT_REGION": REGIONS[0],
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PAGER": "",
        }
        self.calls("DELETE")
        figures = run(name, command, env, **options)
        return *figures, len(self.calls("GET").splitlines())

    def calls(self, method):
        request = urllib.request.Request(f"{self.url}/_sandbox/calls", method=method)
        with urllib.request.urlopen(request) as answer:
            return answer.read()


def in_turns(runs, n_runs):
    """Calls each of `runs` so many times, in turns, so that whatever else the machine does meets all; returns medians."""
    taken = {name: [] for name in runs}
    for _ in range(n_runs):
        for name, once in runs.items():
            taken[name].append(once())
    return {name: [statistics.median(column) for column in zip(*figures)] for name, figures in taken.items()}


def table(columns, rows, base, without=()):
    """Prints rows of figures; in brackets how many times those of the base, where that says something."""
    print(f"{'':30}" + "".join(f"{column.heading:>20}" for column in columns))
    for name, values in rows.items():
        cells = []
        for column, value, of_base in zip(columns, values, rows[base]):
            cell = "" if value is None else f"{value * column.scale:,.{column.digits}f}"
            if column.compared and name not in (base, FLOOR, *without):
                cell += f" ({value / max(of_base, 1e-6):.1f}x)"
            cells.append(cell)
        print(f"{name:30}" + "".join(f"{cell:>20}" for cell in cells))
    print(flush=True)


def markdown(*cells):
    """Prints a row of a table as the documentation has it."""
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def markdown_head(*headings):
    markdown(*headings)
    print("|---" * len(headings) + "|")


def nodes(account, n_nodes, regions=REGIONS):
    """Returns so many nodes of an estate, spread over Regions."""
    return [
        {
            "account": account,
            "region": regions[number % len(regions)],
            "instance_id": f"i-{number:017x}",
            "name": f"node-{number}",
            "agent": {"version": "3.3.987.0"},
        }
        for number in range(n_nodes)
    ]


@contextlib.contextmanager
def scratch():
    """A directory on disk: /tmp may be memory, which a million records would take."""
    (ROOT / "target").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "target") as directory:
        yield pathlib.Path(directory)


def numbers(*defaults):
    """Returns the arguments, all of which are numbers, and defaults for those that are missing."""
    given = [int(word) for word in sys.argv[1:]]
    return given + list(defaults[len(given) :])


def program(name):
    """Returns where a program is. Of the tools it is the build in BIN, never one that is installed."""
    path = shutil.which(name, path=str(BIN) if name.startswith("ssm-") else PATH)
    return path or fail(f"{name} is missing: run make bench")


def complaint(said):
    """Returns the line of what a process said that says most: clap's is the first, Python's the last."""
    lines = said.strip().splitlines() or ["it said nothing"]
    return lines[0] if lines[0].startswith("error") else lines[-1]


def fail(message):
    print(f"bench: {message}", file=sys.stderr)
    sys.exit(2)
