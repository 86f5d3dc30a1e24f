"""Owns a command from SendCommand to its end: which nodes run it when, what CancelCommand and the error limit do, and
its counts. Whoever asks brings the time; nothing waits here.

https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html (statuses, time-outs)
https://docs.aws.amazon.com/systems-manager/latest/userguide/send-commands-multiple.html (concurrency and error controls)
"""

import collections
import datetime
import heapq
import itertools
import threading
from dataclasses import dataclass, field

import emulate
from extension import ssm_command_canned as canned
from extension import ssm_command_output
from extension.ssm_command_agent import Result, overall, run_steps
from extension.ssm_command_shell import Job, timeout_of

# Seconds after SendCommand during which AWS, eventually consistent, does not know the invocations.
KNOWN_AFTER = 0.1
# Seconds from CancelCommand until the agent has stopped what it ran.
CANCEL_SECONDS = 0.2
# "Execution timeouts count against the max-errors limit", deliveries that time out do not.
ERRORS = ("Failed", "ExecutionTimedOut")
# Four of these and one Success are a Success, all of them a failure.
OUT_OF_REACH = ("Undeliverable", "InvalidPlatform", "AccessDenied")

# command id -> Command
COMMANDS = emulate.Store(dict)


@dataclass
class Invocation:
    """One command on one node."""

    node: object
    status: str = "Pending"
    details: str = "Pending"
    started: object = None
    ended: object = None
    # By step, None as long as it has not ended.
    results: list = field(default_factory=list)
    # What really runs now, if anything does.
    job: object = None
    # Whether it counts against MaxConcurrency.
    has_place: bool = False
    n_runs: int = 0


class Command:
    """One SendCommand with an invocation per node."""

    def __init__(self, command_id, account, region, request, targets, steps, platforms, now):
        self.command_id = command_id
        self.account = account
        self.region = region
        self.request = request
        self.steps = steps
        self.platforms = platforms
        self.requested = now
        self.timeout = request.get("TimeoutSeconds", 3600)
        # "Total timeout is equal to the value of delivery timeout plus execution timeout."
        total = self.timeout + (timeout_of(steps[0]) if steps else 3600)
        self.expires = now + datetime.timedelta(seconds=total)
        self.invocations = [Invocation(node, results=[None] * len(steps)) for node in targets]
        self.by_id = {one.node.instance_id: one for one in self.invocations}
        self.counts = collections.Counter()
        self._concurrency = max(1, share(request.get("MaxConcurrency", "50"), len(targets)))
        self._max_errors = share(request.get("MaxErrors", "0"), len(targets))
        self._is_canceled = False
        self._n_started = self._n_running = 0
        self._due = []
        self._order = itertools.count()
        self.lock = threading.RLock()
        with self.lock:
            self._at(self.expires, self._expire)
            self._start_more(now)

    @property
    def document_name(self):
        return self.request["DocumentName"]

    def is_known(self, now):
        """Returns whether AWS shows the invocations yet."""
        return (now - self.requested).total_seconds() >= KNOWN_AFTER

    def advance(self, now):
        """Lets everything happen that was due by now."""
        with self.lock:
            while self._due and self._due[0][0] <= now:
                at, _, step = heapq.heappop(self._due)
                step(at)

    def is_moving(self, now, seconds):
        """Returns whether something runs, or happens by itself within some seconds."""
        with self.lock:
            is_due = bool(self._due) and (self._due[0][0] - now).total_seconds() < seconds
            return not self.is_over and (is_due or any(one.job for one in self.invocations))

    @property
    def is_over(self):
        return self.counts.total() == len(self.invocations)

    def cancel(self, instance_ids, now):
        """Cancels what has not ended; on all nodes if none is named.

        "There is no guarantee that the command will be terminated" (API_CancelCommand): what ended stays as it is.
        """
        with self.lock:
            self._is_canceled = self._is_canceled or not instance_ids
            for one in [self.by_id[i] for i in instance_ids] or self.invocations:
                if one.ended or one.status == "Cancelling":
                    continue
                if one.job is not None:
                    one.status = one.details = "Cancelling"
                    one.job.cancel()
                elif one.started is None or one.status in ("Pending", "Delayed"):
                    self._end(one, "Cancelled", "Cancelled", now)
                else:
                    one.status = one.details = "Cancelling"
                    self._in(CANCEL_SECONDS, now, lambda at, one=one: self._stopped(one, at))
            self._start_more(now)

    def status(self, now):
        """Returns (status, details) of the whole command."""
        n_ended = self.counts.total()
        if not self.is_known(now):
            return "Pending", "Pending"
        if not self.invocations:
            return "Success", "NoInstancesInTag"
        if n_ended < len(self.invocations):
            word = "Cancelling" if self._is_canceled else "InProgress" if self._n_started else "Pending"
            return word, word
        limit = max(1, self._max_errors)
        n_out_of_reach = sum(self.counts[details] for details in OUT_OF_REACH)
        if self._is_canceled and self.counts["Cancelled"]:
            return "Cancelled", "Cancelled"
        for details in ("Failed", "ExecutionTimedOut", "DeliveryTimedOut"):
            # "The value of max-errors or more command invocations shows a status of .."
            if self.counts[details] >= limit:
                return canned.STATUSES.get(details, details), details
        if n_out_of_reach == n_ended:
            return "Failed", "AccessDenied" if self.counts["AccessDenied"] == n_ended else "Failed"
        if self.counts["Success"] + n_out_of_reach == n_ended:
            return "Success", "Success"
        return "Failed", "Incomplete"

    # What happens over time.

    def _at(self, time, step):
        heapq.heappush(self._due, (time, next(self._order), step))

    def _in(self, seconds, now, step):
        self._at(now + datetime.timedelta(seconds=seconds), step)

    def _start_more(self, now):
        while not self._is_canceled and self._n_started < len(self.invocations) and self._n_running < self._concurrency:
            one = self.invocations[self._n_started]
            self._n_started += 1
            if not one.ended:
                self._start(one, now)

    def _start(self, one, now):
        fate = canned.fate(self, one.node)
        self._n_running += 1
        one.has_place = True
        one.started = now
        one.status = one.details = "InProgress"
        if fate.details in canned.NOT_DELIVERED:
            one.status = one.details = "Delayed" if fate.details == "DeliveryTimedOut" else "Pending"
            self._in(fate.seconds, now, lambda at: self._not_delivered(one, fate.details, at))
        elif fate.details in ("Pending", "Delayed"):
            one.status = one.details = fate.details
        else:
            one.n_runs += 1
            if fate.is_shell:
                one.job = Job(one.node, self.region, self.command_id)
                one.job.submit(lambda execute: self._run(one, execute))
            elif fate.details is None:
                self._in(fate.seconds, now, lambda at: self._pretend(one, at))

    def _pretend(self, one, at):
        """Ends a node that runs nothing really."""
        if one.status == "InProgress":
            one.results.clear()
            run_steps(
                self.steps, one.node.platform_type,
                lambda step: canned.execute(self, one.node, step),
                lambda step, result: one.results.append(self._stamped(result, one.started, at)),
            )
            self._finish(one, at)

    def _run(self, one, execute):
        """Runs the steps of a node, in a thread of its own, without holding up anybody else."""
        started, n_reported = emulate.now(), itertools.count()

        def report(_step, result):
            nonlocal started
            ended = emulate.now()
            with self.lock:
                one.results[next(n_reported)] = self._stamped(result, started, ended)
            started = ended

        try:
            run_steps(self.steps, one.node.platform_type, execute, report)
        finally:
            with self.lock:
                one.job = None
                if not one.ended:
                    now = emulate.now()
                    lost = Result("Failed", 1, note="the sandbox could not run it")
                    one.results = [result or self._stamped(lost, started, now) for result in one.results]
                    self._finish(one, now)

    def _finish(self, one, at):
        ssm_command_output.keep(self, one)
        self._end(one, *overall(one.results), at)

    def _stopped(self, one, at):
        if not one.ended:
            one.results = [self._stamped(Result("Cancelled", canned.KILLED), one.started, at) for _ in self.steps]
            self._end(one, "Cancelled", "Cancelled", at)

    def _not_delivered(self, one, details, at):
        if not one.ended:
            one.started = None
            self._end(one, canned.STATUSES[details], details, at)

    def _end(self, one, status, details, at):
        one.status, one.details, one.ended = status, details, at
        self.counts[details] += 1
        if one.has_place:
            one.has_place = False
            self._n_running -= 1
        if sum(self.counts[word] for word in ERRORS) > self._max_errors:
            # "When the command fails one more time beyond the value of MaxErrors, the systems stops sending."
            rest = [other for other in self.invocations[self._n_started :] if not other.ended]
            self._n_started = len(self.invocations)
            for other in rest:
                self._end(other, "Cancelled", "Terminated", at)
        self._start_more(at)

    def _expire(self, at):
        self._n_started = len(self.invocations)
        for one in self.invocations:
            if not one.ended:
                if one.job is not None:
                    one.job.cancel()
                one.started = None
                self._end(one, "TimedOut", "DeliveryTimedOut", at)

    @staticmethod
    def _stamped(result, started, ended):
        result.started, result.ended = started, ended
        return result


def share(text, n_targets):
    """Returns a number or a percentage of the targets, rounded down."""
    return n_targets * int(text[:-1]) // 100 if text.endswith("%") else int(text)
