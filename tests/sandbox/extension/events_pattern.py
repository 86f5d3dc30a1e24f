"""Owns the EventBridge pattern language: reading a pattern, and matching an event against it.

Replaces moto's reading of patterns everywhere (rules, archives), so that what
PutRule accepts, TestEventPattern answers and rules deliver cannot disagree.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
https://github.com/aws/event-ruler (the library behind the service)
"""

import ipaddress
import json
import math
import re
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
ABSENT = object()


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
    event = _nested(event)
    return any(_fits(_tree(rule), event) for rule in _rules(pattern, "", [{}]))


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


def _tree(rule: dict[str, Any]) -> dict[tuple[str, bool], Any]:
    """Returns a rule as objects within objects: (name, False) has tests, (name, True) an object."""
    tree: dict[tuple[str, bool], Any] = {}
    for path, tests in rule.items():
        *above, last = path.split(".")
        node = tree
        for name in above:
            node = node.setdefault((name, True), {})
        node[(last, False)] = tests
    return tree


def _nested(value: Any) -> Any:
    """Returns an event with {"a.b": 1} as {"a": {"b": 1}}: to the service both are the field a.b."""
    if isinstance(value, list):
        return [_nested(element) for element in value]
    if not isinstance(value, dict):
        return value
    nested: dict[str, Any] = {}
    dotted = [name for name in value if "." in name]
    for name in [name for name in value if "." not in name]:
        nested[name] = _nested(value[name])
    for name in dotted:
        first, rest = name.split(".", 1)
        inner = _nested({rest: value[name]})
        known = nested.get(first)
        for element in known if isinstance(known, list) else [known]:
            if isinstance(element, dict):
                _merge(element, inner)
        if not isinstance(known, (dict, list)):
            nested[first] = inner
    return nested


def _merge(into: dict[str, Any], other: dict[str, Any]) -> None:
    for name, value in other.items():
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        else:
            into[name] = value


def _fits(tree: dict[tuple[str, bool], Any], event: Any) -> bool:
    if not isinstance(event, dict):
        event = {}
    return all(_field_matches(is_object, wanted, event.get(name, ABSENT)) for (name, is_object), wanted in tree.items())


def _field_matches(is_object: bool, wanted: Any, value: Any) -> bool:
    if is_object:
        # An array of objects matches if one element satisfies the whole sub-pattern.
        elements = value if isinstance(value, list) and value else [value]
        return any(_fits(wanted, element) for element in elements)
    values = [leaf for leaf in _leaves(value) if not isinstance(leaf, dict)]
    return any(_value_matches(test, values) for test in wanted)


def _leaves(value: Any) -> list[Any]:
    if value is ABSENT:
        return []
    if isinstance(value, list):
        return [leaf for element in value for leaf in _leaves(element)]
    return [value]


def _value_matches(test: Any, values: list[Any]) -> bool:
    if isinstance(test, dict):
        (operator, argument), = test.items()
        if operator == "exists":
            return bool(values) == argument
        return any(_operator_matches(operator, argument, value) for value in values)
    return any(_same(test, value) for value in values)


def _same(wanted: Any, value: Any) -> bool:
    return type(wanted) is type(value) and wanted == value


def _operator_matches(operator: str, argument: Any, value: Any) -> bool:
    if operator == "anything-but":
        if isinstance(argument, dict):
            (inner, inner_argument), = argument.items()
            return not any(_operator_matches(inner, item, value) for item in _list(inner_argument))
        return not any(_same(item, value) for item in _list(argument))
    if operator == "numeric":
        return isinstance(value, Number) and _numeric_matches(argument, float(value))
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
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(argument, strict=False)
    except ValueError:
        return False


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
        try:
            ipaddress.ip_network(argument if type(argument) is str and "/" in argument else "", strict=False)
        except ValueError:
            raise ValueError("Malformed CIDR, one '/' required") from None


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
