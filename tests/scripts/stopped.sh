#!/usr/bin/env bash
# Scripts that are stopped by SIGTERM or SIGHUP, with the tools against the local AWS: nothing goes on afterwards, what was done
# is known, and the way back is open. With LONG=1, at more times.
set -euo pipefail
root=$(cd -- "$(dirname -- "$0")/../.." && pwd)
# shellcheck source=tests/scripts/signals
. "$root/tests/scripts/signals"
top=$(mktemp -d)
# shellcheck source=tests/scripts/local_aws
. "$root/tests/scripts/local_aws"
command -v ssm-prefs >/dev/null || { echo "ssm-prefs is not in PATH; make build, and add target/debug" >&2 && exit 1; }
cd -- "$top"

"$root/.venv/bin/python" - "$root" "${LONG:+long}" <<'PYTHON'
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time
import urllib.request

root, long = sys.argv[1:]
url = os.environ["AWS_ENDPOINT_URL"]
LATENCY = 0.05


def control(method: str, path: str, body: object = None) -> str:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{url}/_sandbox/{path}", data=data, method=method)) as answer:
        return answer.read().decode()


def account(number: int) -> tuple[str, dict[str, str]]:
    """An account of its own with slow answers, and the environment to work in it."""
    name = f"3333333333{number:02}"
    subprocess.run(["bash", "-ceu", f'. <(sed -n "/^control()/,\\$p" "{root}/tests/scripts/local_aws"); an_account {name}'], check=True)
    control("POST", "faults", {"account": name, "kind": "latency", "milliseconds": int(LATENCY * 1000), "times": -1})
    return name, os.environ | {"AWS_ACCESS_KEY_ID": f"AKIA{name}"}


def n_writes(name: str) -> int:
    return sum(not json.loads(line)["read_only"] for line in control("GET", f"calls?account={name}").splitlines())


def start(script: str, *arguments: str, **options: object) -> subprocess.Popen[str]:
    return subprocess.Popen([f"{root}/scripts/{script}", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True, start_new_session=True, **options)


def end(running: subprocess.Popen[str]) -> str:
    """Waits for what was started, and what it said. Only its own end counts: what it left behind may hold stderr open."""
    running.wait(timeout=120)
    os.set_blocking(running.stderr.fileno(), False)
    return running.stderr.read() or ""


def results(run: pathlib.Path) -> list[dict]:
    """Every result of a run directory, each of which is whole."""
    found = []
    for path in sorted(run.glob("attempt-*/*.result.json")):
        records = [json.loads(line) for line in path.read_text().splitlines()]
        assert records, f"{path} is empty"
        found += records
    return found


def in_group(group: int) -> list[str]:
    lines = subprocess.run(["ps", "-A", "-o", "pgid=,stat=,pid=,args="], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line for line in lines if line.split()[0] == str(group) and not line.split()[1].startswith("Z")]


def stop_rollout(number: int, at: int, delay: float, sent: signal.Signals, whole_group: bool) -> None:
    """Rolls out, sends a signal a while after so many writes, and goes back."""
    what = f"{sent.name} to {'all' if whole_group else 'rollout.sh'} {delay:.2f} s after write {at}"
    name, environment = account(number)
    run = pathlib.Path(f"the run {number}")
    running = start("rollout.sh", "--yes", "--run-dir", str(run), "--only", "preferences,roles,agents", env=environment)
    while n_writes(name) < at:
        assert running.poll() is None, f"{what}: it ended with {running.returncode} before: {end(running)}"
        time.sleep(0.02)
    time.sleep(delay)
    (os.killpg if whole_group else os.kill)(running.pid, sent)
    said = end(running)
    at_end = n_writes(name)
    assert running.returncode == 128 + sent, f"{what}: status {running.returncode}: {said}"
    assert not in_group(running.pid), f"{what}: still there: {in_group(running.pid)}"
    time.sleep(10 * LATENCY)
    assert n_writes(name) == at_end, f"{what}: {n_writes(name) - at_end} writes after the end"
    reported = results(run)
    assert reported, f"{what}: no result"
    statuses = {one["status"] for result in reported for one in result["results"]}
    assert "unknown" not in statuses, f"{what}: one signal gave a call up: {reported}"
    # Nobody holds the lock, and what was done can be undone.
    back = start("rollback.sh", str(run), "--yes", env=environment)
    said = end(back)
    assert back.returncode == 0, f"{what}: rollback.sh ended with {back.returncode}: {said}"
    assert "waiting for another run" not in said, f"{what}: the lock is held"
    show = subprocess.run(["ssm-prefs", "show", "-o", "json", "--region", "us-east-1"], env=environment, capture_output=True, text=True, check=True)
    assert json.loads(show.stdout)["document"] == {"state": "absent"}, f"{what}: {show.stdout}"


def stays_as_under_nohup(number: int) -> None:
    """SIGHUP was ignored at the start, so it stops nothing."""
    name, environment = account(number)
    running = start("rollout.sh", "--yes", "--run-dir", f"the run {number}", "--only", "preferences", env=environment,
                    preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    while n_writes(name) < 3:
        assert running.poll() is None, f"it ended before: {end(running)}"
        time.sleep(0.02)
    os.killpg(running.pid, signal.SIGHUP)
    os.kill(running.pid, signal.SIGHUP)
    said = end(running)
    assert running.returncode == 0, f"SIGHUP under nohup: status {running.returncode}: {said}"


def scan_is_canceled(number: int) -> None:
    """vulnscan.sh has ssm-run cancel its command, and says how to go on."""
    name, environment = account(number)
    control("POST", "estate", {"nodes": [{"account": name, "region": "us-east-1", "instance_id": f"i-0000000000000{number:02}22",
                                          "agent": {"version": "3.3.3050.0", "run_command": "InProgress"}}]})
    pathlib.Path("nodes").write_text(f"i-0000000000000{number:02}22\n")
    running = start("vulnscan.sh", "--out", "a scan", "--nodes", "nodes", "--", "--region", "us-east-1", env=environment)
    while '"SendCommand"' not in control("GET", f"calls?account={name}"):
        assert running.poll() is None, f"vulnscan.sh ended before: {end(running)}"
        time.sleep(0.05)
    time.sleep(0.5)
    os.kill(running.pid, signal.SIGTERM)
    said = end(running)
    assert running.returncode == 143 and "go on with --out a scan --resume" in said, f"vulnscan.sh: {running.returncode}: {said}"
    assert not in_group(running.pid), f"still there: {in_group(running.pid)}"
    assert '"CancelCommand"' in control("GET", f"calls?account={name}"), "the command goes on"
    records = [json.loads(line) for line in pathlib.Path("a scan/invocations.jsonl").read_text().splitlines()]
    assert any(record["kind"] == "invocation" for record in records), f"nothing is known of the node: {records}"
    assert not list(pathlib.Path("a scan").glob(".work.*")), "it left something behind"


def build_is_stopped() -> None:
    """lambda.sh ends what cargo has started, too, and leaves no half a zip."""
    bin = pathlib.Path("bin")
    bin.mkdir()
    (bin / "cargo").write_text('#!/bin/sh\n(sleep 3; touch "$0.went on") &\ntouch "$0.began"\nwait\n')
    (bin / "rustc").write_text(f'#!/bin/sh\necho "{bin.absolute()}"\n')
    for program in bin.iterdir():
        program.chmod(0o755)
    (bin / f"lib/rustlib/{os.uname().machine}-unknown-linux-gnu/lib").mkdir(parents=True)
    running = start("lambda.sh", "a lambda", env=os.environ | {"PATH": f"{bin.absolute()}:{os.environ['PATH']}"})
    while not (bin / "cargo.began").exists():
        assert running.poll() is None, f"lambda.sh ended before: {end(running)}"
        time.sleep(0.05)
    os.kill(running.pid, signal.SIGTERM)
    said = end(running)
    assert running.returncode == 143, f"lambda.sh: status {running.returncode}: {said}"
    assert not in_group(running.pid), f"still there: {in_group(running.pid)}"
    time.sleep(3.2)
    assert not (bin / "cargo.went on").exists() and not list(pathlib.Path("a lambda").iterdir()), "it went on"


build_is_stopped()
scan_is_canceled(90)
stays_as_under_nohup(91)
seeds = range(12) if long else range(2)
for seed in seeds:
    chance = random.Random(seed)
    stop_rollout(seed, chance.randint(1, 17), chance.uniform(0, 4 * LATENCY), (signal.SIGTERM, signal.SIGHUP)[seed % 2], seed % 4 > 1)
print("ok stopped.sh")
PYTHON
