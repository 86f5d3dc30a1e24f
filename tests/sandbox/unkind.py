"""Owns how long AWS takes: for an account that asks for it, what was written shows late, and what needs a new thing is
refused until it is there everywhere, as AWS documents. How long is drawn with a seed, so that a run can be repeated.

Here are the times, the drawing and what is new; what each service refuses meanwhile is in extension/unkind_rules.py and
in the modules of the services.
"""

import json
import random

import control
import forks
import pace

# Seconds on AWS, least and most, of what a write changes until it shows. Where AWS gives no number, those that its users
# report; "several minutes" are left to the fault kind `stale`.
DELAYS = {
    # "Changes that I make are not always immediately visible"
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
    "iam": (2, 15),
    # "typically takes less than a few seconds .. but in some cases it can take several minutes"
    # https://docs.aws.amazon.com/kms/latest/developerguide/accessing-kms.html#programming-eventual-consistency
    "kms": (1, 8),
    # "Bucket configurations have an eventual consistency model"
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html#ConsistencyModel
    "s3": (1, 8),
    # https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-data-consistency.html
    "cloudtrail": (1, 10),
    # https://docs.aws.amazon.com/organizations/latest/userguide/orgs_troubleshoot.html (eventual consistency)
    "organizations": (1, 10),
    # "This is an asynchronous request that AWS performs in the background" (API_EnablePolicyType)
    "organizations.policy_type": (3, 20),
    # "you must wait at least one second after the queue is created to be able to use the queue" (API_CreateQueue)
    "sqs.CreateQueue": (1, 1),
    # "the change can take up to 60 seconds for most of the attributes to propagate" (API_SetQueueAttributes)
    "sqs.SetQueueAttributes": (5, 60),
    # "the deletion process takes up to 60 seconds" (API_DeleteQueue)
    "sqs.DeleteQueue": (10, 60),
    # "You must wait 60 seconds after deleting a queue before you can create another queue with the same name"
    "sqs.deleted_queue": (60, 60),
    # https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
    "lambda.function": (2, 10),
    "lambda.update": (1, 5),
    # States of a connection: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeConnection.html
    "events.creating": (1, 3),
    "events.authorizing": (1, 5),
    "events.deleting": (1, 5),
}
# Whose reads are answered as before the write.
STALE = ("iam", "kms", "s3", "cloudtrail", "organizations", "sqs")
# How CloudFormation names itself; it waits until what it makes is there.
PATIENT = "cloudformation.amazonaws.com"

_seeds = {}
_young = {}
_n_drawn = {}
_created = {}
_rules = {}
_lock = forks.lock()


class Call:
    """A call, as rules see it."""

    def __init__(self, account, region, understood):
        self.account = account
        self.region = region
        self.service = understood.service
        self.operation = understood.operation
        self.params = understood.params
        self.response = {}

    def waits_for(self, kind, name):
        """Returns whether a thing of the account is there, but not yet for everybody."""
        return is_young(self.account, kind, name)


def start(seed):
    """Has every account that states nothing else be unkind."""
    _seeds[None] = seed


def seed_of(account):
    """Returns the seed of an account, None if AWS is kind to it."""
    return _seeds.get(account, _seeds.get(None))


def draw(account, what, name=""):
    """Returns how many seconds of AWS something takes, 0 if AWS is kind; the next time the same may take another time."""
    if seed_of(account) is None:
        return 0.0
    least, most = DELAYS[what]
    return least + chance(account, what, name) * (most - least)


def chance(account, what, name):
    """Returns a number from 0 to 1 that the seed draws for this, another one each time."""
    with _lock:
        key = (account, what, name)
        _n_drawn[key] = _n_drawn.get(key, 0) + 1
        return random.Random(f"{seed_of(account)}/{what}/{name}/{_n_drawn[key]}").random()


def grow(account, kind, name, seconds):
    """Says that a thing is there for everybody in so many seconds of AWS only."""
    until = pace.now(account) + seconds
    with _lock:
        _young[account, kind, name] = until


def is_young(account, kind, name):
    """Returns whether a thing is not there for everybody yet."""
    now = pace.now(account)
    with _lock:
        until = _young.get((account, kind, name))
        if until is not None and until <= now:
            del _young[account, kind, name]
    return until is not None and until > now


def creates(service, *operations):
    """Makes a function of a call that was done say what is new: it yields (kind, name)."""

    def register(function):
        for operation in operations:
            _created.setdefault((service, operation), []).append(function)
        return function

    return register


def refuses(service, *operations):
    """Makes a function of a call return (status, code, message) as long as what it needs is not there for everybody."""

    def register(function):
        for operation in operations:
            _rules.setdefault((service, operation), []).append(function)
        return function

    return register


def is_patient(user_agent):
    """Returns whether the caller is a service of AWS that waits by itself for what it needs."""
    return user_agent.startswith(PATIENT)


def refusal(account, region, understood, user_agent):
    """Returns (status, code, message) of a call that comes too early, or None."""
    if seed_of(account) is None or is_patient(user_agent):
        return None
    call = Call(account, region, understood)
    found = (rule(call) for rule in _rules.get((call.service, call.operation), []))
    return next((refused for refused in found if refused), None)


def staleness(account, service, operation):
    """Returns for how many seconds of AWS the reads of a service do not show a write, 0 if at once."""
    if seed_of(account) is None or service not in STALE:
        return 0
    what = f"{service}.{operation}"
    what = what if what in DELAYS else service
    return draw(account, what) if what in DELAYS else 0


def done(account, region, understood, text, seconds):
    """Takes note of what a write that was done has made; `seconds` is for how long reads do not show it."""
    if seed_of(account) is None:
        return
    call = Call(account, region, understood)
    if understood.protocol == "json":
        # Where a call answers nothing, moto answers null.
        call.response = json.loads(text or b"{}") or {}
    for function in _created.get((call.service, call.operation), []):
        for kind, name in function(call):
            what = f"{call.service}.{kind}"
            grow(account, kind, name, draw(account, what, name) if what in DELAYS else seconds)


@control.route("POST", "/_sandbox/unkind")
def post_unkind(_query, body):
    """Takes the seed of an account, null for a kind AWS, and its time divisor if one is given."""
    given = json.loads(body)
    unknown = set(given) - {"account", "seed", "divisor"}
    if unknown or not {"account", "seed"} <= set(given):
        raise ValueError("give account, seed and perhaps divisor")
    if not isinstance(given["account"], str):
        raise ValueError("account must be a string")
    if given["seed"] is not None and (isinstance(given["seed"], bool) or not isinstance(given["seed"], int)):
        raise ValueError("seed must be an integer or null")
    if "divisor" in given:
        pace.state(given["account"], divisor=given["divisor"])
    with _lock:
        _seeds[given["account"]] = given["seed"]
        for table in (_young, _n_drawn):
            for key in [key for key in table if key[0] == given["account"]]:
                del table[key]
    return 200, b"{}\n"
