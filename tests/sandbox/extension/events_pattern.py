"""Owns the EventBridge pattern language: reading a pattern, and matching an event against it.

Replaces moto's reading of patterns everywhere (rules, archives), so that what
PutRule accepts, TestEventPattern answers and rules deliver cannot disagree.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
https://github.com/aws/event-ruler (the library behind the service)
"""

import ipaddress
import itertools
import json
import math
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from moto.events.exceptions import InvalidEventPatternException
from moto.events.models import EventPattern

STRING_OPERATORS = ("prefix", "suffix", "equals-ignore-case", "wildcard")
OPERATORS = STRING_OPERATORS + ("anything-but", "numeric", "exists", "cidr")
MAX_NUMBER = 5e9
# Of the model; the quota of a rule is lower, see quotas.py.
MAX_PATTERN = 4096
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html#eb-filtering-complex-example-or
MAX_RULES = 1000


class Number(str):
    """A JSON number as it was written. Two are equal by value if a double holds them, else as text (ruler's ComparableNumber)."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Number):
            return False
        one, two = self._exact(), other._exact()
        return str(self) == str(other) or (one is not None and one == two)

    __hash__ = str.__hash__

    def _exact(self) -> float | None:
        value = float(self)
        return value if math.isfinite(value) and Decimal(repr(value)) == Decimal(str(self)) else None


def install() -> None:
    """Gives moto's rules and archives the whole pattern language."""
    EventPattern.load = classmethod(_load)
    EventPattern.matches_event = lambda self, event: not self._pattern or matches(self._pattern, read(json.dumps(event)))


def _load(cls: type[EventPattern], text: str | None) -> EventPattern:
    try:
        return cls(text, parse(text) if text else {})
    except ValueError as error:
        raise InvalidEventPatternException(str(error)) from error


def read(text: str) -> Any:
    """Returns JSON text with its numbers kept as they were written."""
    return json.loads(text, parse_int=Number, parse_float=Number, parse_constant=_refuse_constant)


def parse(text: str) -> dict[str, Any]:
    """Returns the pattern, or raises ValueError with the reason that it is not one."""
    try:
        pattern = read(text)
    except ValueError as error:
        raise ValueError(f"Invalid JSON: {error}") from None
    if len(text) > MAX_PATTERN:
        raise ValueError(f"The pattern is longer than {MAX_PATTERN} characters")
    if not isinstance(pattern, dict):
        raise ValueError("Filter is not an object")
    _check_object(pattern)
    if len(_rules(pattern, "", [{}])) > MAX_RULES:
        raise ValueError(f"$or makes more than {MAX_RULES} rules")
    return pattern


def matches(pattern: dict[str, Any], event: Any) -> bool:
    """Returns whether an event fits a pattern that `parse` returned."""
    fields: dict[str, list[tuple[Any, dict[int, int]]]] = {}
    _flatten(event, "", {}, fields, itertools.count())
    # The service takes the fields of a rule by their names, as Java compares texts.
    rules = [sorted(rule.items(), key=lambda field: field[0].encode("utf-16-be")) for rule in _rules(pattern, "", [{}])]
    return any(_fits(rule, fields, {}) for rule in rules)


def _rules(pattern: dict[str, Any], above: str, rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns the tests by dotted path of each rule: each branch of $or makes its own, and the last tests of a path count."""
    for key, wanted in pattern.items():
        if _is_or(key, wanted):
            rules = [rule for branch in wanted for rule in _rules(branch, above, [dict(rule) for rule in rules])]
        elif isinstance(wanted, dict):
            rules = _rules(wanted, f"{above}{key}.", rules)
        else:
            for rule in rules:
                rule[above + key] = wanted
    return rules


def _flatten(
    value: Any, path: str, place: dict[int, int], fields: dict[str, list[tuple[Any, dict[int, int]]]], arrays: Iterator[int],
) -> None:
    """Adds the scalars of an event by dotted path, each with its element of every array that it is in (ruler's Event)."""
    if isinstance(value, dict):
        for name, member in value.items():
            _flatten(member, f"{path}.{name}" if path else name, place, fields, arrays)
    elif isinstance(value, list):
        array = next(arrays)
        for at, element in enumerate(value):
            is_inner = isinstance(element, (dict, list))
            _flatten(element, path, place | {array: at} if is_inner else place, fields, arrays)
    else:
        fields.setdefault(path, []).append((value, place))


def _fits(rule: list[tuple[str, list[Any]]], fields: dict[str, list[tuple[Any, dict[int, int]]]], place: dict[int, int]) -> bool:
    """Returns whether the rest of a rule fits, where elements of arrays have been chosen already (ruler's ACFinder)."""
    if not rule:
        return True
    (path, tests), *rest = rule
    consistent = [
        (value, of) for value, of in fields.get(path, []) if all(place.get(array, at) == at for array, at in of.items())
    ]
    # A field is absent if no element has it that is left (ruler's NameState).
    if not consistent and {"exists": False} in tests and _fits(rest, fields, place):
        return True
    return any(
        _fits(rest, fields, place | of) for value, of in consistent if any(_value_matches(test, value) for test in tests)
    )


def _value_matches(test: Any, value: Any) -> bool:
    if isinstance(test, dict):
        (operator, argument), = test.items()
        return argument if operator == "exists" else _operator_matches(operator, argument, value)
    address = _address(test)
    return _same(test, value) if address is None else address == _address(value)


def _address(text: Any) -> Any:
    """Returns the address that a text is to the service (ruler's CIDR), or None."""
    if type(text) is not str:
        return None
    try:
        if re.fullmatch(r"[0-9]+(\.[0-9]+){3}", text):
            return ipaddress.ip_address(".".join(str(int(part)) for part in text.split(".")))
        if re.fullmatch(r"[0-9a-fA-F:]*:[0-9a-fA-F:]*", text):
            address = ipaddress.IPv6Address(text)
            return address.ipv4_mapped or address
    except ValueError:
        pass
    return None


def _same(wanted: Any, value: Any) -> bool:
    return type(wanted) is type(value) and wanted == value


def _operator_matches(operator: str, argument: Any, value: Any) -> bool:
    if operator == "anything-but":
        if isinstance(argument, dict):
            (inner, inner_argument), = argument.items()
            return not any(_operator_matches(inner, item, value) for item in _list(inner_argument))
        return not any(_same(item, value) for item in _list(argument))
    if operator == "numeric":
        exact = value._exact() if isinstance(value, Number) else None
        return exact is not None and _numeric_matches(argument, exact)
    if type(value) is not str:
        return False
    if isinstance(argument, dict):
        argument, value = argument["equals-ignore-case"].lower(), value.lower()
    if operator == "prefix":
        return value.startswith(argument)
    if operator == "suffix":
        return value.endswith(argument)
    if operator == "equals-ignore-case":
        return value.lower() == argument.lower()
    if operator == "wildcard":
        return re.fullmatch(_wildcard_expression(argument), value, re.DOTALL) is not None
    address = _address(value)
    return address is not None and address in _network(argument)


def _network(text: Any) -> Any:
    """Returns a block of addresses, or raises ValueError in the words of the service."""
    slashed = text.split("/") if type(text) is str else []
    if len(slashed) != 2:
        raise ValueError("Malformed CIDR, one '/' required")
    if not re.fullmatch(r"[+-]?[0-9]+", slashed[1]):
        raise ValueError("Malformed CIDR, mask bits must be an integer")
    bits, address = int(slashed[1]), _address(slashed[0])
    if bits < 0:
        raise ValueError("Malformed CIDR, mask bits must not be negative")
    if address is None:
        raise ValueError(f"Nonstandard IP address: {slashed[0]}")
    if bits >= address.max_prefixlen:
        raise ValueError(f"IPv{address.version} mask bits must be < {address.max_prefixlen}")
    return ipaddress.ip_network(f"{address}/{bits}", strict=False)


def _numeric_matches(argument: list[Any], value: float) -> bool:
    compare = {
        "=": value.__eq__, "<": value.__lt__, "<=": value.__le__, ">": value.__gt__, ">=": value.__ge__,
    }
    return all(compare[operator](float(bound)) for operator, bound in zip(argument[::2], argument[1::2]))


def _wildcard_expression(wildcard: str) -> str:
    parts = re.findall(r"\\.|\*|[^\\*]+", wildcard, re.DOTALL)
    return "".join(".*" if part == "*" else re.escape(part[1] if part[0] == "\\" else part) for part in parts)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _is_or(key: str, wanted: Any) -> bool:
    """Returns whether "$or" is the operator. With fewer than two objects event-ruler takes it for a field's name."""
    return (
        key == "$or" and isinstance(wanted, list) and len(wanted) >= 2
        and all(isinstance(branch, dict) and not set(branch) & set(OPERATORS) for branch in wanted)
    )


def _check_object(pattern: dict[str, Any]) -> None:
    if not pattern:
        raise ValueError("Empty objects are not allowed")
    for key, value in pattern.items():
        if _is_or(key, value):
            for branch in value:
                _check_object(branch)
        elif isinstance(value, dict):
            _check_object(value)
        elif not isinstance(value, list):
            raise ValueError(f'"{key}" must be an object or an array')
        elif not value:
            raise ValueError("Empty arrays are not allowed")
        else:
            for test in value:
                _check_value(test)


def _check_value(test: Any) -> None:
    if isinstance(test, list):
        raise ValueError("Match value must be String, number, true, false, or null")
    if not isinstance(test, dict):
        return
    if len(test) != 1:
        raise ValueError("Only one key allowed in match expression")
    (operator, argument), = test.items()
    if operator not in OPERATORS:
        raise ValueError(f"Unrecognized match type {operator}")
    if operator in STRING_OPERATORS:
        _check_string_operator(operator, argument, nested=False)
    elif operator == "exists" and not isinstance(argument, bool):
        raise ValueError("exists match pattern must be either true or false.")
    elif operator == "numeric":
        _check_numeric(argument)
    elif operator == "anything-but":
        _check_anything_but(argument)
    elif operator == "cidr":
        _network(argument)


def _check_string_operator(operator: str, argument: Any, nested: bool) -> None:
    if isinstance(argument, dict) and operator in ("prefix", "suffix") and not nested:
        if list(argument) != ["equals-ignore-case"]:
            raise ValueError(f"Unsupported anything in {operator} match pattern")
        argument = argument["equals-ignore-case"]
    if type(argument) is not str:
        raise ValueError(f"{operator} match pattern must be a string")
    if operator == "wildcard":
        if re.search(r"(?<!\\)(\\\\)*\*\*", argument):
            raise ValueError("Consecutive wildcard characters are not allowed")
        if re.search(r"\\(?![*\\])", re.sub(r"\\[*\\]", "", argument)):
            raise ValueError("Invalid escape character in wildcard")


def _check_anything_but(argument: Any) -> None:
    if isinstance(argument, dict):
        if len(argument) != 1 or next(iter(argument)) not in STRING_OPERATORS:
            raise ValueError("Unsupported anything-but pattern")
        (operator, values), = argument.items()
        if values == []:
            raise ValueError("Empty arrays are not allowed")
        for value in _list(values):
            _check_string_operator(operator, value, nested=True)
            if value == "" and operator in ("prefix", "suffix"):
                raise ValueError("Null prefix/suffix not allowed")
    elif {type(value) for value in _list(argument)} not in ({str}, {Number}):
        raise ValueError("Inside anything-but list, either all values are number or string, mixed type is not supported")


def _check_numeric(argument: Any) -> None:
    if not isinstance(argument, list) or len(argument) not in (2, 4):
        raise ValueError("Numeric match takes one or two pairs of operator and number")
    operators, bounds = argument[::2], argument[1::2]
    if not all(isinstance(bound, Number) and abs(float(bound)) <= MAX_NUMBER for bound in bounds):
        raise ValueError("Value of numeric match must be a number within +/-5.0e9")
    if len(operators) == 1 and operators[0] not in ("=", "<", "<=", ">", ">="):
        raise ValueError(f"Unrecognized numeric range operator: {operators[0]}")
    if len(operators) == 2:
        if operators[0] not in (">", ">=") or operators[1] not in ("<", "<="):
            raise ValueError("Bad numeric range operator")
        if float(bounds[0]) >= float(bounds[1]):
            raise ValueError("Bottom must be less than top")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
