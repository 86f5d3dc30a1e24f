"""Owns how fast time goes: each account has a clock in seconds of AWS, by which every delay that the local AWS makes by
itself ends. It runs as many times faster than a watch as the time divisor says; a test may stop it, and put it forward.

The divisor is SSM_TIME_DIVISOR at the start, 1 without it, unless a test states another for its account. What a caller
asks for in so many words - a latency, the seconds of a script - goes by the watch.
"""

import json
import os
import time

import control
import forks

VARIABLE = "SSM_TIME_DIVISOR"

_clocks = {}
_changed = []
_lock = forks.lock()


class Clock:
    """The clock of one account, since it last changed its pace."""

    def __init__(self, divisor, stopped=False, shown=0.0):
        self.divisor = divisor
        self.stopped = stopped
        self._shown = shown
        self._since = time.monotonic()

    def now(self):
        """Returns what it shows, in seconds of AWS."""
        return self._shown + (0 if self.stopped else (time.monotonic() - self._since) * self.divisor)


def default():
    """Returns the divisor of accounts that state none; raises ValueError for a variable that is no divisor."""
    text = os.environ.get(VARIABLE) or "1"
    if not (text.isascii() and text.isdigit() and int(text)):
        raise ValueError(f"{VARIABLE} must be an integer of at least 1, not {text!r}")
    return int(text)


def now(account):
    """Returns what the clock of an account shows."""
    return _clock(account).now()


def real_seconds(account, of_aws):
    """Returns how long so many seconds of AWS take by the watch, at the pace of now; None if the clock is stopped."""
    clock = _clock(account)
    return None if clock.stopped else of_aws / clock.divisor


def state(account, divisor=None, advance=0, stopped=None):
    """Puts the clock of an account forward, changes its pace, stops it or lets it run; raises ValueError for what is none of these."""
    for name, value, least in (("divisor", 1 if divisor is None else divisor, 1), ("advance", advance, 0)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ValueError(f"{name} must be an integer of at least {least}, not {value!r}")
    if stopped not in (None, True, False):
        raise ValueError(f"stopped must be true or false, not {stopped!r}")
    before = _clock(account)
    with _lock:
        _clocks[account] = Clock(divisor or before.divisor, before.stopped if stopped is None else stopped, before.now() + advance)
    for listener in _changed:
        listener(account)


def on_change(listener):
    """Calls `listener(account)` whenever a clock was put forward or changed its pace."""
    _changed.append(listener)


def _clock(account):
    with _lock:
        if account not in _clocks:
            _clocks[account] = Clock(default())
        return _clocks[account]


@control.route("POST", "/_sandbox/time")
def post_time(_query, body):
    """Changes the pace of an account's clock, stops it, or puts it forward by seconds of AWS."""
    given = json.loads(body)
    if not {"account"} < set(given) <= {"account", "divisor", "advance", "stopped"}:
        raise ValueError("give account, and divisor, advance or stopped")
    if not isinstance(given["account"], str):
        raise ValueError("account must be a string")
    state(**given)
    return 200, b"{}\n"
