"""Owns how fast time goes: every delay that the local AWS makes by itself is divided by one number, so that a test
of what takes AWS minutes takes seconds.

The number is SSM_TIME_DIVISOR at the start, 1 without it; a test may state another for its account. What a caller
asks for in so many words - a latency, the seconds of a script - is not divided.
"""

import os

VARIABLE = "SSM_TIME_DIVISOR"

_of_account = {}


def check(divisor):
    """Returns the divisor if it is an integer of at least 1; else raises ValueError."""
    if isinstance(divisor, bool) or not isinstance(divisor, int) or divisor < 1:
        raise ValueError(f"a time divisor is an integer of at least 1, not {divisor!r}")
    return divisor


def default():
    """Returns the divisor of accounts that state none; raises ValueError for a variable that is no divisor."""
    text = os.environ.get(VARIABLE) or "1"
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"{VARIABLE} must be an integer of at least 1, not {text!r}")
    return check(int(text))


def state(account, divisor):
    """Sets the divisor of one account; None goes back to the default."""
    if divisor is None:
        _of_account.pop(account, None)
    else:
        _of_account[account] = check(divisor)


def divisor(account):
    """Returns the divisor of one account."""
    return _of_account.get(account) or default()


def seconds(account, of_aws):
    """Returns how long something takes here that takes so many seconds on AWS."""
    return of_aws / divisor(account)
