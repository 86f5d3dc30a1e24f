"""Owns what a program may do, whoever it calls as: its calls are held to one policy, in every account that they are made in.

AWS has nothing like it. It answers whether a policy that a program prints is enough for it, and which of its actions were needed. A
call names its program by the application ID, which AWS's SDKs put into the User-Agent as `app/ID`:
https://docs.aws.amazon.com/sdkref/latest/guide/feature-appid.html. Here it is the name of the policy, a dot, and the number of the run.
"""

import json
import re
import threading

import control
import iam_callers
import iam_condition
import iam_context
import iam_needs
import iam_pattern
import iam_resources
import wire

_APPLICATION = re.compile(r"(?:^|\s)app/([\w-]+)\.(\d+)(?:\s|$)")
# The SDK for Rust has the whole of it in the first only.
HEADERS = ("HTTP_X_AMZ_USER_AGENT", "HTTP_USER_AGENT")
_programs = {}
_lock = threading.Lock()


class Program:
    """A policy, and what came of holding calls to it."""

    def __init__(self, policy):
        self._statements = {}
        for statement in policy["Statement"]:
            if statement["Effect"] != "Allow" or not {"Action", "Resource"} < set(statement) <= {"Sid", "Effect", "Action", "Resource", "Condition"}:
                raise ValueError(f"expected statements that allow actions on resources, found {statement}")
            for action in _as_list(statement["Action"]):
                if "*" in action or "?" in action:
                    raise ValueError(f"which action was needed cannot be said of a pattern such as {action}")
                self._statements.setdefault(action.lower(), []).append((action, statement))
        self._known = {}
        # What one statement alone has allowed: (Sid, action).
        self.needed = set()
        # (run, account, region, action, resource)
        self.refused = []

    def allows(self, action, resource, context):
        """Returns whether an action is allowed, and remembers if a single statement did; `context` is asked for when it counts."""
        key = (action.lower(), resource)
        by = self._known.get(key)
        if by is None:
            found = self._statements.get(key[0], [])
            depends = any("Condition" in statement or "${" in str(statement["Resource"]) for _, statement in found)
            keys = context() if depends else {}
            about = [(name, statement) for name, statement in found
                     if any(iam_pattern.resource_matches(pattern, resource, keys) for pattern in _as_list(statement["Resource"]))]
            by = [(name, statement) for name, statement in about if iam_condition.holds(statement.get("Condition", {}), keys, True)]
            if not depends:
                self._known[key] = by
        if len(by) == 1:
            self.needed.add((by[0][1].get("Sid"), by[0][0]))
        return bool(by)


def named_by(environ):
    """Returns (name of the policy, number of the run) of a call, None of one that names no program."""
    for header in HEADERS:
        found = _APPLICATION.search(environ.get(header, ""))
        if found:
            return found.group(1), int(found.group(2))
    return None


def refusal(credential, call, understood, environ):
    """Returns the answer (status, headers, body) that refuses the call of a program, or None if its policy allows it."""
    named = named_by(environ)
    if named is None or credential is None:
        return None
    if named[0] not in _programs:
        return wire.render_error(understood.protocol, understood.service, 500, "NotEmulated", f"nobody gave the policy of program {named[0]}")
    identity = iam_callers.identify(credential, call.account, call.partition, call)
    for need in iam_needs.needs(call):
        if need.resource == "${caller}":
            need.resource = identity.caller.arn
        message = refused(call, need, identity, environ)
        if message:
            status = 400 if understood.protocol == "json" else 403
            code = {"json": "AccessDeniedException", "rest-json": "AccessDeniedException", "ec2": "UnauthorizedOperation"}.get(understood.protocol, "AccessDenied")
            return wire.render_error(understood.protocol, understood.service, status, code, message)
    return None


def refused(call, need, identity, environ):
    """Returns why the program that a request names may not have one need of a call, and remembers it; None if it may, or no program is named."""
    named = named_by(environ)
    if named is None:
        return None
    name, run = named
    program = _programs[name]

    def context():
        return iam_context.of(call, need, identity, environ, iam_resources.describe(need.action, need.resource))

    with _lock:
        if program.allows(need.action, need.resource, context):
            return None
        program.refused.append((run, call.account, call.region, need.action, need.resource))
    return f"the policy of program {name} does not allow {need.action} on {need.resource}"


@control.route("POST", "/_sandbox/programs")
def post_programs(_query, body):
    """Takes the policy of a program, in place of what was there."""
    given = json.loads(body)
    if set(given) != {"name", "policy"} or not re.fullmatch(r"[\w-]+", given["name"]):
        raise ValueError('expected {"name": "word", "policy": {..}}')
    _programs[given["name"]] = Program(given["policy"])
    return 200, b"{}\n"


@control.route("GET", "/_sandbox/programs")
def get_programs(query, _body):
    """Prints what the policy of a program refused to one of its runs, and what it was needed for since it was asked last."""
    program = _programs[query["name"]]
    run = int(query["run"])
    with _lock:
        needed, program.needed = program.needed, set()
        refused = [one for one in program.refused if one[0] == run]
        program.refused = [one for one in program.refused if one[0] != run]
    lines = [{"needed": {"sid": sid, "action": action}} for sid, action in sorted(needed)]
    lines += [{"refused": {"account": account, "region": region, "action": action, "resource": resource}} for _, account, region, action, resource in refused]
    return 200, "".join(json.dumps(line) + "\n" for line in lines).encode()


def _as_list(value):
    return value if isinstance(value, list) else [value]
