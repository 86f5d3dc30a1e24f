"""Owns the steps of Command documents, and how the parameters of a command get into them.

https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-syntax-data-elements-parameters.html
https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-param-runcommand.html ({{ssm:name}})
https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-aws-runpatchbaseline.html
Placeholders as in the agent's agent/framework/docparser/parameters/parameters.go.
"""

import json
import re

import emulate
from extension.ssm_command_agent import Step
from moto.ssm.models import ssm_backends

SCRIPT = {"runCommand": "{{ commands }}", "workingDirectory": "{{ workingDirectory }}", "timeoutSeconds": "{{ executionTimeout }}"}
SCRIPT_DEFAULTS = {"workingDirectory": "", "executionTimeout": "3600"}


def _legacy(action):
    return {"runtimeConfig": {action: {"properties": [{"id": f"0.{action}", **SCRIPT}]}}}, SCRIPT_DEFAULTS


def _patching(action, name, platform):
    precondition = {"StringEquals": ["platformType", platform]}
    return {"action": action, "name": name, "precondition": precondition, "inputs": {"timeoutSeconds": 7200, "runCommand": ["patch {{ Operation }}"]}}


# Amazon's documents in short: the content of their steps, and the defaults of their parameters.
# A parameter without a default must be given.
AMAZON = {
    "AWS-RunShellScript": _legacy("aws:runShellScript"),
    "AWS-RunPowerShellScript": _legacy("aws:runPowerShellScript"),
    "AWS-UpdateSSMAgent": (
        {"runtimeConfig": {"aws:updateSsmAgent": {"properties": [{"id": "0.aws:updateSsmAgent"}]}}},
        {"version": "", "allowDowngrade": "false"},
    ),
    "AWS-ConfigureAWSPackage": (
        {"mainSteps": [{"action": "aws:configurePackage", "name": "configurePackage", "inputs": {}}]},
        {"installationType": "Uninstall and reinstall", "version": "", "additionalArguments": "{}"},
    ),
    "AWS-RunPatchBaseline": (
        {
            "mainSteps": [
                _patching("aws:runPowerShellScript", "PatchWindows", "Windows"),
                _patching("aws:runShellScript", "PatchLinux", "Linux"),
                _patching("aws:runShellScript", "PatchMacOS", "MacOS"),
            ]
        },
        {"RebootOption": "RebootIfNeeded", "SnapshotId": "", "InstallOverrideList": "", "BaselineOverride": "", "AssociationId": ""},
    ),
}
ALLOWED = {
    ("AWS-RunPatchBaseline", "Operation"): ("Scan", "Install"),
    ("AWS-RunPatchBaseline", "RebootOption"): ("RebootIfNeeded", "NoReboot"),
    ("AWS-UpdateSSMAgent", "allowDowngrade"): ("true", "false"),
}
SSM_PARAMETER = re.compile(r"\{\{\s*ssm:([^}\s]+)\s*\}\}")


def steps_of(document, version, given, account, region):
    """Returns the steps of a command, or refuses its parameters.

    "You must specify values for all required parameters in the document. You can only supply values to
    parameters defined in the document" (InvalidParameters, API_SendCommand).
    """
    parsed, defaults = version.parsed, {}
    if document.owner == "Amazon":
        content, defaults = AMAZON.get(document.name, ({}, {}))
        parsed = {**parsed, **content}
    values = _values(document.name, parsed.get("parameters") or {}, defaults, given, account, region)
    if "runtimeConfig" in parsed:
        return [
            Step(action, action, _property_id(part.get("properties")), _filled(_inputs(part), values), {}, False)
            for action, part in parsed["runtimeConfig"].items()
        ]
    return [
        Step(
            step["name"], step["action"], step["name"], _filled(_resolved(step.get("inputs") or {}, account, region), values),
            _filled(step.get("precondition") or {}, values), parsed.get("schemaVersion") == "2.2",
        )
        for step in parsed.get("mainSteps") or []
    ]


def filled_in(document_name, parsed, defaults, given, account, region):
    """Returns the content of a Session document with its parameters in their places; refuses parameters as for a command."""
    declared = parsed.get("parameters") or {}
    values = _values(document_name, declared, defaults, given, account, region)
    for key, parameter in declared.items():
        if parameter.get("type") == "Boolean" and isinstance(values[key], str):
            values[key] = values[key].lower() == "true"
    content = {key: value for key, value in parsed.items() if key != "parameters"}
    return _filled(_resolved(content, account, region), values)


def _property_id(properties):
    first = properties[0] if isinstance(properties, list) and properties else properties
    return first.get("id", "") if isinstance(first, dict) else ""


def _inputs(part):
    properties = part.get("properties") or {}
    return properties[0] if isinstance(properties, list) else properties


def _values(name, declared, defaults, given, account, region):
    for key, value in given.items():
        if key not in declared:
            emulate.refuse("InvalidParameters", f"Parameter {key} is not in the document.")
        if not isinstance(value, list):
            emulate.refuse("InvalidParameters", f"Parameter {key} must be a list of strings.")
    values = {}
    for key, parameter in declared.items():
        is_list = parameter.get("type") == "StringList"
        default = parameter.get("default", defaults.get(key))
        if key in given:
            value = _resolved(given[key], account, region)
            value = value if is_list else "".join(value[:1])
            _check(name, key, parameter, value if is_list else [value])
        elif default is None:
            emulate.refuse("InvalidParameters", f"Parameter {key} is required.")
        else:
            value = default
        values[key] = value
    return values


def _check(name, key, parameter, values):
    allowed = parameter.get("allowedValues") or ALLOWED.get((name, key))
    pattern = parameter.get("allowedPattern")
    for value in values:
        if allowed and value not in allowed or pattern and not re.search(pattern, value):
            emulate.refuse("InvalidParameters", f"Parameter {key} has a value that the document does not allow.")


def _resolved(value, account, region):
    """Puts the values of Parameter Store in: String and StringList, never SecureString."""
    if isinstance(value, list):
        return [_resolved(one, account, region) for one in value]
    if isinstance(value, dict):
        return {key: _resolved(one, account, region) for key, one in value.items()}
    if not isinstance(value, str):
        return value

    def stored(found):
        parameter = ssm_backends[account][region].get_parameter(found[1])
        if parameter is None or parameter.parameter_type == "SecureString":
            emulate.refuse("InvalidParameters", f"Parameters [{found[1]}] do not exist, or are secure.")
        return parameter.value

    return SSM_PARAMETER.sub(stored, value)


def _filled(value, values):
    """Replaces {{ name }}; alone in its string it becomes the parameter itself, which may be a list."""
    if isinstance(value, list):
        return [_filled(one, values) for one in value]
    if isinstance(value, dict):
        return {key: _filled(one, values) for key, one in value.items()}
    if not isinstance(value, str):
        return value
    alone = re.fullmatch(r"\{\{\s*([\w.-]+)\s*\}\}", value)
    if alone and alone[1] in values:
        return values[alone[1]]

    def text_of(found):
        if found[1] not in values:
            return found[0]
        one = values[found[1]]
        text = one if isinstance(one, str) else json.dumps(one, separators=(",", ":"))
        # The agent keeps scripts working that wrote $$ for $ when it could not do otherwise.
        return text.replace("$$", "$")

    return re.sub(r"\{\{\s*([\w.-]+)\s*\}\}", text_of, value)
