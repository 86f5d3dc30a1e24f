"""Answers policy cases, or makes up random ones with their answers: for whoever has an evaluator to compare with this one.

    iam_crosscheck.py --seed 7 --count 2000     prints cases, one JSON object per line
    iam_crosscheck.py --answer < cases          prints "allowed" or "denied" for each line

A case: {"policies": {service_control: [[..]], identity: [..], resource, boundary, session}, action, resource, principal,
session, context, expected}. What depends on how AWS takes a pattern that its pages do not allow is expected to be "unknown". All is within one account; what AWS leaves open is left out, see `_random_case`.
"""

import argparse
import itertools
import json
import random
import sys

import iam_evaluate
import iam_pattern

ACCOUNT, OTHER = "111122223333", "444455556666"
USER, ROLE = f"arn:aws:iam::{ACCOUNT}:user/ann", f"arn:aws:iam::{ACCOUNT}:role/path/ops"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/ops/ann"
ACTIONS = ("ssm:StartSession", "ssm:SendCommand", "s3:GetObject", "s3:PutObject", "iam:PassRole")
ACTION_PATTERNS = ("*", "ssm:*", "ssm:Start*", "SSM:sendcommand", "s3:Get?bject", "s3:*Object", "iam:Pass????", "ssm:StartSession", "s3:putobject")
ARNS = (
    "*", f"arn:aws:ec2:eu-central-1:{ACCOUNT}:instance/i-1", "arn:aws:ssm:eu-central-1::document/AWS-RunShellScript", "arn:aws:s3:::b/ann/x",
    "arn:aws:s3:::b/*", "arn:aws:s3:::b/a:b/c", f"arn:aws:iam::{ACCOUNT}:role/path/ops", f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/a/b:log-stream:s", "arn:aws:s3:::b/yellow",
)
RESOURCE_PATTERNS = (
    "*", "arn:aws:ec2:*:*:instance/*", "arn:aws:ssm", "arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::b/${aws:username, 'all'}/*", "arn:aws:s3:::b/${*}",
    "arn:aws:s3:::b/${aws:PrincipalTag/team}", "arn:aws:s3:::*/x", "arn:aws:s3:::?/ann/?", "arn:aws:s*:::b/*", "arn:aws:*", "arn:aws:logs:*:log-stream:s",
    "arn:aws:logs:us-*t-1:log-group:/a/b:log-stream:s", "arn:aws:logs:us-east-?:*:log-group:/a/*", "arn:aws:iam::*:role/*", "arn:aws:ec2:eu-*:instance/i-1",
    f"arn:aws:iam::{ACCOUNT}:role/Path/ops", "arn:aws:s3:::b/${aws:TagKeys}", "arn:aws:s3:::b/a?b/c", "arn:aws:e?2:*:*:*", "arn:aws:ssm:*::document/AWS-*", "arn:aws:iam::${aws:PrincipalAccount}:role/*",
    "arn:aws:iam::*:rol?/path/ops", "arn:aws:ec2:*:*:*/i-1", "arn:aws:ec2:*:*:*/*", "arn:aws:logs:*:*:log-*:s", "arn:aws:s3:::?/*",
    "arn:*/i-1", "arn:*i-1", "arn:aws:ssm:eu-central-1??document/AWS-RunShellScript", "arn:aws:e*2:eu*instance/i-1", "arn:aws:ec2:*:instance/i-1", "arn:aws:l?gs:us-east-1", "arn:*:role/path/ops",
)
# key -> (values in requests, values in policies of text operators)
KEYS = {
    "aws:PrincipalArn": ((USER, ROLE), (USER, ROLE, "arn:aws:iam::*:role/*", f"arn:aws:iam::{ACCOUNT}:*", "*", f"arn:aws:iam::{ACCOUNT}:role/*/ops", "arn:aws:iam::*:user/${aws:username}")),
    "aws:username": (("ann", "ANN", "a*n"), ("ann", "a*", "a?n", "${*}", "a${*}n", "${aws:PrincipalTag/team}", "${aws:username}", "${aws:userid, 'ann'}")),
    "aws:PrincipalTag/team": (("yellow", "", "a*"), ("yellow", "y*", "", "Yellow", "${aws:username}", "a${*}", "a*")),
    "aws:TagKeys": (("Team", "Cost", "", "team"), ("Team", "Cost*", "T?am", "", "Team:*")),
    "aws:SourceArn": ((f"arn:aws:sns:us-east-1:{ACCOUNT}:t", f"arn:aws:someservice:us-east-2:{OTHER}:store/abc:{ACCOUNT}:finance/document.txt", "no-arn"),
                      (f"arn:aws:sns:*:{ACCOUNT}:*", f"arn:aws:someservice:*:{ACCOUNT}:finance/*", "arn:aws:*:*:*:*", "*")),
    "aws:SourceIp": (("203.0.113.7", "198.51.100.1", "2001:db8::1", "10.0.0.300"), ("203.0.113.0/24", "203.0.113.7", "2001:DB8::/32", "198.51.100.1/16")),
    "s3:max-keys": (("7", "10", "10.0", "-1", "ten"), ("7", "10", "10.5", "-1")),
    "aws:CurrentTime": (("2026-11-24T00:00:00Z", "2026-11-24T01:30:00+01:00", "1795478400", "2026-11-24", "86400", "1000000", "later"),
                        ("2026-11-24T00:00:00Z", "2026-11-24", "2026-11", "2026", "1795478400", "2026-11-24T00:00:00.5Z", "1000000", "2026-11-24T01:00+01:00")),
    "aws:SecureTransport": (("true", "false", "TRUE", "yes"), ("true", "false")),
    "a:binary": (("YQ==", "YWI=", "YWJj"), ("YQ==", "YWI=", "YWJj")),
}
TEXT_KEYS = ("aws:PrincipalArn", "aws:username", "aws:PrincipalTag/team", "aws:TagKeys", "aws:SourceArn")
ORDER = ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
# operator -> keys whose values suit it
OPERATORS = {
    **{name: TEXT_KEYS for name in ("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike")},
    **{name: ("aws:PrincipalArn", "aws:SourceArn") for name in ("ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike")},
    **{name: ("aws:SourceIp",) for name in ("IpAddress", "NotIpAddress")},
    **{f"Numeric{name}": ("s3:max-keys",) for name in ORDER},
    **{f"Date{name}": ("aws:CurrentTime",) for name in ORDER},
    "Bool": ("aws:SecureTransport",),
    "BinaryEquals": ("a:binary",),
}


def main():
    parser = argparse.ArgumentParser(description="Answer policy cases, or print random ones with their answers")
    parser.add_argument("--answer", action="store_true", help="read cases from stdin, print an answer per line")
    parser.add_argument("--seed", type=int, default=0, help="seed of the random cases (default 0)")
    parser.add_argument("--count", type=int, default=1000, help="how many cases (default 1000)")
    args = parser.parse_args()
    if args.answer:
        for line in sys.stdin:
            print(answer(json.loads(line)))
        return
    chance = random.Random(args.seed)
    for _ in range(args.count):
        case = _random_case(chance)
        answers = {answer(case, *reading) for reading in itertools.product((False, True), repeat=2)}
        print(json.dumps(case | {"expected": answers.pop() if len(answers) == 1 else "unknown"}))


def answer(case, takes_types=False, completes_all=False):
    """Returns "allowed" or "denied". Kinds of policy that a case does not have are not judged, as if they allowed.

    Other than as documented, wildcards in types may be taken for wildcards, and incomplete ARNs of all kinds of policy completed.
    """
    documented = iam_pattern.has_doubtful_type, iam_pattern.resource_matches
    if takes_types:
        iam_pattern.has_doubtful_type = lambda pattern: False
    if completes_all:
        iam_pattern.resource_matches = lambda pattern, resource, context, completes: documented[1](pattern, resource, context)
    try:
        return _answer(case)
    finally:
        iam_pattern.has_doubtful_type, iam_pattern.resource_matches = documented


def _answer(case):
    given = case["policies"]
    name = lambda document: ("policy", document)
    policies = iam_evaluate.Policies(
        identity=[name(document) for document in given.get("identity") or []],
        boundary=[name(given["boundary"])] if given.get("boundary") else None,
        session=[name(given["session"])] if given.get("session") else None,
        scps=[[name(document) for document in level] for level in given["service_control"]] if given.get("service_control") else None,
        resource=name(given["resource"]) if given.get("resource") else None,
    )
    if given.get("identity") is None:
        everything = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
        policies.identity = [name(everything)] if not given.get("resource") else []
    context = {key.lower(): values for key, values in (case.get("context") or {}).items()}
    request = iam_evaluate.Request(case["action"], case["resource"], _caller(case), context)
    return "allowed" if iam_evaluate.decide(request, policies).allowed else "denied"


def _caller(case):
    principal, session = case.get("principal"), case.get("session")
    if principal is None:
        # Only Principal "*" covers nobody in particular.
        return iam_evaluate.Caller("user", "arn:aws:iam::000000000000:user/nobody", "000000000000")
    if not principal.startswith("arn:"):
        return iam_evaluate.Caller("service", name=principal)
    account = principal.split(":")[4]
    if session:
        return iam_evaluate.Caller("role", session, account, principal)
    return iam_evaluate.Caller("user", principal, account)


def _random_case(chance):
    """Makes up a case that AWS's documentation has an answer for.

    Left out: a wildcard Principal together with a boundary or session policy, unless aws:PrincipalArn says whom it is for
    (reference_policies_elements_principal.html speaks of that one only); NotPrincipal that lists a principal without all
    that it belongs to, of which reference_policies_elements_notprincipal.html says that it "might" deny.
    """
    is_role = chance.random() < 0.5
    principal, session = (ROLE, SESSION) if is_role else (USER, None)
    context = {"aws:PrincipalArn": [principal], "aws:PrincipalAccount": [ACCOUNT]}
    for key, (values, _) in KEYS.items():
        if key != "aws:PrincipalArn" and chance.random() < 0.6:
            many = key == "aws:TagKeys"
            context[key] = chance.sample(values, chance.randint(0, len(values))) if many else [chance.choice(values)]
    policies = {"identity": [_policy(chance, allows=0.8) for _ in range(chance.choice((0, 1, 1, 2)))]}
    limits = [kind for kind in ("boundary", "session") if chance.random() < 0.3 and (is_role or kind == "boundary")]
    policies |= {kind: _policy(chance, allows=0.8) for kind in limits}
    if chance.random() < 0.4:
        policies["service_control"] = [[_policy(chance, allows=0.8) for _ in range(chance.choice((1, 1, 2)))] for _ in range(chance.choice((1, 2, 3)))]
    if chance.random() < 0.5:
        policies["resource"] = _policy(chance, principals=_principals(principal, session, bool(limits)))
    return {"policies": policies, "action": chance.choice(ACTIONS), "resource": chance.choice(ARNS), "principal": principal, "session": session, "context": context}


def _principals(principal, session, is_limited):
    """Returns functions that make a Principal or NotPrincipal element: (of Allow, of Deny)."""
    root, mine = f"arn:aws:iam::{ACCOUNT}:root", [one for one in (session, principal) if one]
    listed = [principal, session or USER + "2", root, ACCOUNT, f"arn:aws:iam::{OTHER}:root", f"arn:aws:iam::{ACCOUNT}:role/other"]
    some = lambda chance: {"Principal": {"AWS": chance.sample(listed, chance.choice((1, 2)))}}
    everyone = lambda chance: {"Principal": chance.choice(("*", {"AWS": "*"}))}
    spared = lambda chance: {"NotPrincipal": {"AWS": chance.choice(([*mine, root], [f"arn:aws:iam::{ACCOUNT}:user/bob", root], [root]))}}
    service = lambda _: {"Principal": {"Service": "ssm.amazonaws.com"}}
    return ([some, some, service] + ([] if is_limited else [everyone]), [some, everyone, spared, service])


def _policy(chance, allows=0.65, principals=None):
    statements = [_statement(chance, allows, principals) for _ in range(chance.choice((1, 1, 2, 3)))]
    version = {"Version": "2012-10-17"} if chance.random() < 0.85 else {"Version": "2008-10-17"}
    return version | {"Statement": statements}


def _statement(chance, allows, principals):
    effect = "Allow" if chance.random() < allows else "Deny"
    statement = {"Effect": effect}
    if principals:
        statement |= chance.choice(principals[0 if effect == "Allow" else 1])(chance)
    # An answer that no allowing statement reaches shows little: every other part is for everything.
    for element, patterns in (("Action", ACTION_PATTERNS), ("Resource", RESOURCE_PATTERNS)):
        kind = chance.random()
        if effect == "Allow" and kind < 0.5:
            statement[element] = "*"
        else:
            statement["Not" * (kind > 0.85) + element] = _some(chance, patterns)
    conditions = {}
    for _ in range(chance.choice((0, 0, 1, 1, 2) if effect == "Deny" else (0, 0, 0, 1, 1))):
        operator, key, values = _condition(chance)
        conditions.setdefault(operator, {})[key] = values
    return statement | ({"Condition": conditions} if conditions else {})


def _condition(chance):
    if chance.random() < 0.1:
        return "Null", chance.choice(list(KEYS)), chance.choice(("true", "false"))
    operator = chance.choice(list(OPERATORS))
    key = chance.choice(OPERATORS[operator])
    values = _some(chance, KEYS[key][1])
    if_exists = chance.choice(("", "", "IfExists"))
    # Keys with several values need a set operator; the others may have one.
    qualifier = chance.choice(("ForAllValues:", "ForAnyValue:")) if key == "aws:TagKeys" or chance.random() < 0.1 else ""
    return f"{qualifier}{operator}{if_exists}", key, values


def _some(chance, values):
    return chance.choice(values) if chance.random() < 0.6 else chance.sample(values, chance.choice((1, 2, 3)) if len(values) > 2 else 1)


if __name__ == "__main__":
    main()
