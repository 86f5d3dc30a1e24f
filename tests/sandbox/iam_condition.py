"""Owns the condition operators of IAM policies: whether a Condition block holds
for a request. The context maps lower-case keys to lists of strings.

UG below is https://docs.aws.amazon.com/IAM/latest/UserGuide/
reference_policies_elements_condition_operators.html has the operators,
reference_policies_condition-logic-multiple-context-keys-or-values.html and
reference_policies_condition-single-vs-multi-valued-context-keys.html how several keys and values combine.
"""

import base64
import binascii
import datetime
import decimal
import ipaddress
import re

import iam_pattern


class UnknownOperator(ValueError):
    """A policy uses an operator that AWS does not have."""


def holds(conditions, context, variables, missing=None):
    """Returns whether all of a Condition block holds: operators and keys are combined with AND.

    `variables` says whether the policy's version has them. Keys that are not in the request are added to `missing`.
    """
    result = True
    for operator, keys in conditions.items():
        for key, wanted in keys.items():
            wanted = wanted if isinstance(wanted, list) else [wanted]
            given = context.get(key.lower()) or None
            if given is None and missing is not None and _base(operator) != "Null" and not operator.endswith("IfExists"):
                missing.add(key)
            result = _one_holds(operator, [_text(item) for item in wanted], given, context if variables else None) and result
    return result


def _text(value):
    # JSON allows true and 10 where the grammar says "true" and "10".
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def _base(operator):
    return operator.rpartition(":")[2]


def _one_holds(operator, wanted, given, context):
    qualifier, _, name = operator.rpartition(":")
    # "No keys in the request, or the key values resolve to a null data set, such as an empty string".
    empty = given is None or all(value == "" for value in given)
    if name == "Null":
        # "true (the key doesn't exist - it is null) or false (the key exists and its value is not null)"
        return any(text.lower() == ("true" if given is None else "false") for text in wanted)
    if name.endswith("IfExists"):
        if given is None:
            return True
        name = name.removesuffix("IfExists")
    matches, negated = _matcher(name)
    if qualifier == "ForAllValues":
        # Also true without a key; "returns false" for ForAnyValue.
        if empty:
            return True
        return all(_matches_any(matches, wanted, value, context) != negated for value in given)
    if qualifier == "ForAnyValue":
        if empty:
            return False
        return any(_matches_any(matches, wanted, value, context) != negated for value in given)
    if qualifier:
        raise UnknownOperator(operator)
    # "If the key is not present, the values do not match and the condition is false"; negated: true. Several
    # values of a negated operator work "like a logical NOR".
    return any(_matches_any(matches, wanted, value, context) for value in given or []) != negated


def _matches_any(matches, wanted, value, context):
    return any(matches(text, value, context) for text in wanted)


def _matcher(name):
    """Returns (function(policy text, value, context), whether its result is turned round)."""
    known = _MATCHERS.get(name)
    if known:
        return known, False
    positive = "IpAddress" if name == "NotIpAddress" else name.replace("Not", "", 1)
    known = _MATCHERS.get(positive)
    if known is None or positive in _WITHOUT_NEGATION or name == positive:
        raise UnknownOperator(name)
    return known, True


def _string_equals(text, value, context):
    return iam_pattern.literal(text, context) == value


def _string_equals_ignore_case(text, value, context):
    wanted = iam_pattern.literal(text, context)
    return wanted is not None and wanted.lower() == value.lower()


def _string_like(text, value, context):
    return iam_pattern.like(text, value, context)


def _arn_like(text, value, context):
    # "The ArnEquals and ArnLike condition operators behave identically."
    return iam_pattern.arn_like(text, value, context)


def _bool(text, value, _context):
    return text.lower() in ("true", "false") and text.lower() == value.lower()


def _binary_equals(text, value, _context):
    # Compared "byte for byte against a base-64 encoded representation"; the context holds base64 as well.
    try:
        return base64.b64decode(text, validate=True) == base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return False


def _ip_address(text, value, _context):
    # "If you specify an IP address without the associated routing prefix, IAM uses the default prefix value of /32."
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False


def _ordered(read, compare):
    def matches(text, value, _context):
        wanted, given = read(text), read(value)
        return wanted is not None and given is not None and compare(given, wanted)

    return matches


def _number(text):
    try:
        number = decimal.Decimal(text)
    except decimal.InvalidOperation:
        return None
    return number if number.is_finite() else None


# "W3C implementations of the ISO 8601 date formats or epoch (UNIX) time": https://www.w3.org/TR/NOTE-datetime
_DATE = re.compile(
    r"^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)?)?)?)?$"
)
_UTC = datetime.timezone.utc


def _date(text):
    """Returns seconds since 1970. Four digits are a year, as in the W3C's note; more are epoch time."""
    found = _DATE.match(text)
    if not found:
        return _number(text)
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        at = datetime.datetime(int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=_UTC)
    except ValueError:
        return None
    seconds = decimal.Decimal(int(at.timestamp())) + decimal.Decimal(f"0.{fraction or 0}")
    if zone and zone != "Z":
        offset = int(zone[1:3]) * 3600 + int(zone[4:6]) * 60
        seconds += -offset if zone[0] == "+" else offset
    return seconds


_COMPARISONS = {
    "Equals": lambda given, wanted: given == wanted,
    "LessThan": lambda given, wanted: given < wanted,
    "LessThanEquals": lambda given, wanted: given <= wanted,
    "GreaterThan": lambda given, wanted: given > wanted,
    "GreaterThanEquals": lambda given, wanted: given >= wanted,
}
_MATCHERS = {
    "StringEquals": _string_equals,
    "StringEqualsIgnoreCase": _string_equals_ignore_case,
    "StringLike": _string_like,
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "Bool": _bool,
    "BinaryEquals": _binary_equals,
    "IpAddress": _ip_address,
    **{f"Numeric{name}": _ordered(_number, compare) for name, compare in _COMPARISONS.items()},
    **{f"Date{name}": _ordered(_date, compare) for name, compare in _COMPARISONS.items()},
}
_WITHOUT_NEGATION = {
    "Bool", "BinaryEquals",
    *(f"{kind}{name}" for kind in ("Numeric", "Date") for name in _COMPARISONS if name != "Equals"),
}
