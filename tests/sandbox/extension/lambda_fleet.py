"""Owns the environments of each function, kept warm between its invocations, and what it printed.

An idle environment is used again; one more starts when none is idle, as AWS scales. An update retires them when they
have finished, as AWS does; deleting the function, a reset and the end of the sandbox end them at once.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-view.html
"""

import collections
import json
import threading
import time
from typing import Any

import control
import emulate
import lifetime
from moto.awslambda.models import LambdaBackend

from .lambda_runtime import Environment, Result

# AWS runs 1,000 at a time in a Region; here the others wait for one of these.
MOST_AT_ONCE = 8
KEPT_LINES = 10_000


class Throttled(Exception):
    """The function already runs as often as its reserved concurrency allows."""


class Fleet:
    """The environments of one function, of all its versions."""

    def __init__(self) -> None:
        self.lines: collections.deque[dict[str, Any]] = collections.deque(maxlen=KEPT_LINES)
        self._idle: list[Environment] = []
        self._busy: set[Environment] = set()
        self._retired: set[Environment] = set()
        self._n_running = 0
        self._lock = threading.Lock()
        self._slots = threading.Semaphore(MOST_AT_ONCE)

    def log(self, line: str) -> None:
        """Keeps a line with the time at which it came."""
        self.lines.append({"timestamp": int(time.time() * 1000), "message": line})

    def lines_so_far(self) -> list[dict[str, Any]]:
        """Returns what was logged, including what was printed between the events."""
        with self._lock:
            environments = [*self._idle, *self._busy]
        for environment in environments:
            environment.read_output()
        return list(self.lines)

    def run(self, function: Any, event: bytes, request_id: str) -> Result:
        """Invokes the function once. Raises Throttled."""
        with self._lock:
            limit = function.reserved_concurrency
            if limit is not None and self._n_running >= int(limit):
                raise Throttled
            self._n_running += 1
        try:
            return self._run(function, event, request_id)
        finally:
            with self._lock:
                self._n_running -= 1

    def _run(self, function: Any, event: bytes, request_id: str) -> Result:
        with self._slots:
            environment = self._take(function)
            self.log(f"START RequestId: {request_id} Version: {function.version}")
            started = time.monotonic()
            try:
                return environment.invoke(event, float(function.timeout), request_id)
            finally:
                spent = (time.monotonic() - started) * 1000
                self.log(f"END RequestId: {request_id}")
                self.log(f"REPORT RequestId: {request_id}\tDuration: {spent:.2f} ms\tBilled Duration: {int(spent) + 1} ms\tMemory Size: {function.memory_size} MB")
                self._give(environment)

    def _take(self, function: Any) -> Environment:
        with self._lock:
            for environment in [one for one in self._idle if not one.alive]:
                self._idle.remove(environment)
                environment.kill()
            found = next((one for one in self._idle if one.arn == function.function_arn), None)
            if found:
                self._idle.remove(found)
            else:
                found = Environment(function, self.log)
            self._busy.add(found)
            return found

    def _give(self, environment: Environment) -> None:
        with self._lock:
            self._busy.discard(environment)
            keep = environment.alive and environment not in self._retired
            self._retired.discard(environment)
            if keep:
                self._idle.append(environment)
        if not keep:
            environment.kill()

    def retire(self) -> None:
        """Lets no environment take another event: the function was updated."""
        with self._lock:
            idle, self._idle = self._idle, []
            self._retired |= self._busy
        for environment in idle:
            environment.kill()

    def end(self) -> None:
        """Ends every environment, whatever it is doing."""
        self.retire()
        for environment in list(self._busy):
            environment.kill()


_fleets = emulate.Store(dict)
_used: set[tuple[str, str]] = set()
_making = threading.Lock()


def install() -> None:
    """Ends the environments with what they belong to, and shows the log."""
    reset = LambdaBackend.reset

    def reset_and_end(backend: LambdaBackend) -> None:
        for name in list(_fleets.of(backend.account_id, backend.region_name)):
            end_of(backend.account_id, backend.region_name, name)
        reset(backend)

    LambdaBackend.reset = reset_and_end
    lifetime.at_end(_end_all)

    @control.route("GET", "/_sandbox/lambda-logs")
    def get_logs(query: dict[str, str], _body: bytes) -> tuple[int, bytes]:
        """Prints what the functions of an account wrote, one JSON object per line, `region` being optional."""
        found = []
        for account, region in sorted(_used):
            if account == query["account"] and query.get("region", region) == region:
                fleet = _fleets.of(account, region).get(query["function"])
                found += fleet.lines_so_far() if fleet else []
        return 200, "".join(json.dumps(line) + "\n" for line in found).encode()


def fleet_of(account: str, region: str, name: str) -> Fleet:
    """Returns the fleet of a function, made on first use."""
    with _making:
        _used.add((account, region))
        return _fleets.of(account, region).setdefault(name, Fleet())


def retire_of(function: Any) -> None:
    """Retires the environments of a function that changed."""
    fleet_of(function.account_id, function.region, function.function_name).retire()


def end_of(account: str, region: str, name: str) -> None:
    """Ends the environments of a function that is gone, and forgets its log."""
    fleet = _fleets.of(account, region).pop(name, None)
    if fleet:
        fleet.end()


def _end_all() -> None:
    for account, region in list(_used):
        for name in list(_fleets.of(account, region)):
            end_of(account, region, name)
