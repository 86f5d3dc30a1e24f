"""Owns which values the parameters of a template take, and what CloudFormation refuses of them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
"""

import re

from .cloudformation_template import Invalid, NotEmulated

TYPES = {"String", "Number", "CommaDelimitedList"}
HIDDEN = "****"


def settle(template, given, previous=None):
    """Returns the value of every parameter, as text; `given` is as a request has it, `previous` what was before."""
    previous = previous or {}
    values = {}
    for parameter in given:
        name = parameter["ParameterKey"]
        if str(parameter.get("UsePreviousValue", "")).lower() == "true":
            if name not in previous:
                raise Invalid(f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true for a parameter key not in the previous template")
            values[name] = previous[name]
        else:
            values[name] = parameter.get("ParameterValue", "")
    unknown = [name for name in values if name not in template.parameters]
    if unknown:
        raise Invalid(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    missing = [name for name, declared in template.parameters.items() if name not in values and "Default" not in declared]
    if missing:
        raise Invalid(f"Parameters: [{', '.join(missing)}] must have values")
    for name, declared in template.parameters.items():
        values.setdefault(name, str(declared.get("Default")))
        _check(name, declared, values[name])
    return values


def _check(name, declared, value):
    if declared.get("Type") not in TYPES:
        raise NotEmulated(f"the sandbox does not emulate parameters of the type {declared.get('Type')}")
    reason = None
    if declared["Type"] == "Number":
        if not re.fullmatch(r"-?\d+(\.\d+)?", value):
            raise Invalid(f"Parameter validation failed: parameter value {value} for parameter name {name} does not exist as a number")
        if not float(declared.get("MinValue", value)) <= float(value) <= float(declared.get("MaxValue", value)):
            reason = f"must be a number between {declared.get('MinValue')} and {declared.get('MaxValue')}"
    if "AllowedValues" in declared and value not in [str(allowed) for allowed in declared["AllowedValues"]]:
        reason = f"must be one of [{', '.join(map(str, declared['AllowedValues']))}]"
    if "AllowedPattern" in declared and not re.fullmatch(declared["AllowedPattern"], value):
        reason = declared.get("ConstraintDescription") or f"must match pattern {declared['AllowedPattern']}"
    if len(value) < int(declared.get("MinLength", 0)):
        reason = f"must contain at least {declared['MinLength']} characters"
    if len(value) > int(declared.get("MaxLength", len(value))):
        reason = f"must contain at most {declared['MaxLength']} characters"
    if reason:
        raise Invalid(f"Parameter {name} failed to satisfy constraint: {reason}")


def described(template, values):
    """Returns parameters as CloudFormation prints them: those with NoEcho hidden."""
    hidden = {name for name, declared in template.parameters.items() if str(declared.get("NoEcho", "")).lower() == "true"}
    return [{"ParameterKey": name, "ParameterValue": HIDDEN if name in hidden else value} for name, value in values.items()]


def value_of(template, name, text):
    """Returns what `Ref` of a parameter gives."""
    return text.split(",") if template.parameters[name]["Type"] == "CommaDelimitedList" else text
