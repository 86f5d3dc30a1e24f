"""Owns AWS's adjustable quotas: each has AWS's default, until a test raises or lowers it for its account, as a quota increase would."""

import json

import control

DEFAULTS = {
    # "Event pattern size", https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
    "event_pattern_characters": 2048,
}

_of_account = {}


def of(account, name):
    """Returns the quota that an account has."""
    return _of_account.get(account, {}).get(name, DEFAULTS[name])


@control.route("POST", "/_sandbox/quotas")
def post_quotas(_query, body):
    """Takes the quotas of one account that are not AWS's default; those that are not given are."""
    given = json.loads(body)
    account = given.pop("account")
    for name, value in given.items():
        if name not in DEFAULTS:
            raise ValueError(f"unknown quota {name}: known are {', '.join(DEFAULTS)}")
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise ValueError(f"{name} must be a number")
    _of_account[account] = given
    return 200, b"{}\n"
