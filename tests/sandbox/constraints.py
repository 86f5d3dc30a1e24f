"""Owns the constraints of botocore's models that botocore itself does not check:
maximum lengths, enums and patterns. AWS checks them, so a tool must keep them.
"""

import re


def broken(shape, value, path="input"):
    """Returns a problem for each constraint that a value breaks."""
    if value is None:
        return []
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        return [
            problem
            for name, member in shape.members.items()
            if name in value
            for problem in broken(member, value[name], f"{path}.{name}")
        ]
    if kind == "list" and isinstance(value, list):
        problems = _too_large(shape, len(value), path, "items")
        for index, item in enumerate(value):
            problems += broken(shape.member, item, f"{path}[{index}]")
        return problems
    if kind == "map" and isinstance(value, dict):
        problems = _too_large(shape, len(value), path, "entries")
        for key, item in value.items():
            problems += broken(shape.key, key, f"{path} (key {key})")
            problems += broken(shape.value, item, f"{path}.{key}")
        return problems
    if kind == "string" and isinstance(value, str):
        return _broken_string(shape, value, path)
    if kind in ("integer", "long") and isinstance(value, int):
        return _too_large(shape, value, path, "value")
    return []


def _too_large(shape, size, path, what):
    maximum = shape.metadata.get("max")
    if maximum is not None and size > maximum:
        return [f"{path}: {what} {size} is over the maximum of {maximum}"]
    return []


def _broken_string(shape, value, path):
    problems = _too_large(shape, len(value), path, "length")
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        problems.append(f"{path}: {value!r} is not one of {', '.join(allowed)}")
    pattern = shape.metadata.get("pattern")
    if pattern:
        try:
            matches = re.search(f"^(?:{pattern})$", value, re.S)
        except re.error:
            # Some models use Java's syntax, which Python's re does not read.
            matches = True
        if not matches:
            problems.append(f"{path}: does not match {pattern}")
    return problems
