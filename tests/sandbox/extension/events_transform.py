"""Owns what a target receives: Input, InputPath, InputTransformer or the event itself.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

import json
import re
from typing import Any

from moto.events.exceptions import ValidationException
from moto.events.models import EventsBackend

PATH = re.compile(r"\$(\.[^.\s*?()@,\[\]]+)*")
NAME = re.compile(r"[A-Za-z0-9_-]+")
MAX_TEMPLATE = 8192
MAX_PATHS = 100
PREDEFINED = ("aws.events.rule-arn", "aws.events.rule-name", "aws.events.event.ingestion-time",
              "aws.events.event", "aws.events.event.json")


def install() -> None:
    """Refuses transformers that PutTargets refuses."""
    original = EventsBackend.put_targets

    def put_targets(self: EventsBackend, name: str, event_bus_arn: str | None, targets: list[dict[str, Any]]) -> None:
        for target in targets:
            _check(target)
        original(self, name, event_bus_arn, targets)

    EventsBackend.put_targets = put_targets


def render(target: dict[str, Any], event: dict[str, Any], rule: Any, ingestion_time: Any) -> str:
    """Returns the body for a target. Raises ValueError when a template yields no JSON."""
    if "Input" in target:
        return target["Input"]
    if "InputPath" in target:
        return _as_json(_at(event, target["InputPath"]))
    if "InputTransformer" not in target:
        return _as_json(event)
    transformer = target["InputTransformer"]
    values = {name: _at(event, path) for name, path in transformer.get("InputPathsMap", {}).items()}
    values |= {
        "aws.events.rule-arn": rule.arn,
        "aws.events.rule-name": rule.name,
        "aws.events.event.ingestion-time": ingestion_time,
        "aws.events.event": {key: value for key, value in event.items() if key != "detail"},
        "aws.events.event.json": event,
    }
    text = _fill(transformer["InputTemplate"], values)
    if transformer["InputTemplate"].lstrip()[:1] in ("{", "[") and not _is_json(text):
        raise ValueError(f"the input transformer yields no JSON: {text}")
    return text


def _fill(template: str, values: dict[str, Any]) -> str:
    """Replaces placeholders: inside quotes by the bare text, outside by JSON, a missing value by nothing."""
    filled, quoted, position = [], False, 0
    for token in re.finditer(r'\\.|"|<([A-Za-z0-9_.-]+)>', template, re.DOTALL):
        filled.append(template[position:token.start()])
        position = token.end()
        name = token.group(1)
        if token.group() == '"':
            quoted = not quoted
        if name is None or name not in values:
            filled.append(token.group())
        elif values[name] is not None:
            value = values[name]
            filled.append(value if quoted and isinstance(value, str) else _as_json(value))
    return "".join(filled) + template[position:]


def _at(event: Any, path: str) -> Any:
    for name in path.split(".")[1:]:
        event = event.get(name) if isinstance(event, dict) else None
    return event


def _as_json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _check(target: dict[str, Any]) -> None:
    """InputTransformer: dot notation only, no name that begins with AWS, placeholders that are defined."""
    if sum(key in target for key in ("Input", "InputPath", "InputTransformer")) > 1:
        raise ValidationException(f"Only one of Input, InputPath, or InputTransformer must be provided for target {target['Id']}.")
    if "Input" in target and not _is_json(target["Input"]):
        raise ValidationException(f"Invalid JSON in Input of target {target['Id']}.")
    transformer = target.get("InputTransformer")
    if transformer is None:
        return
    paths, template = transformer.get("InputPathsMap", {}), transformer.get("InputTemplate") or ""
    if len(paths) > MAX_PATHS or not 1 <= len(template) <= MAX_TEMPLATE:
        raise ValidationException(f"InputTransformer for target {target['Id']} is too long.")
    for name, path in paths.items():
        if not NAME.fullmatch(name) or name.upper().startswith("AWS") or not PATH.fullmatch(path):
            raise ValidationException(f"Invalid InputPathsMap entry {name} for target {target['Id']}.")
    for name in re.findall(r"<([A-Za-z0-9_.-]+)>", template):
        if name not in paths and name not in PREDEFINED:
            raise ValidationException(f"InputTemplate for target {target['Id']} contains invalid placeholder {name}.")
