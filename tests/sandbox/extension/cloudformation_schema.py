"""Owns what AWS's own schemas say of resource types: which exist, what their properties may be, which change in place.

The schemas are those that cfn-lint ships; those of types that it lacks lie in `cloudformation_types`.
https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html
"""

import functools
import importlib.util
import json
import pathlib
import re

OWN = pathlib.Path(__file__).parent / "cloudformation_types"


@functools.cache
def _of_cfn_lint():
    # Found without being imported, which takes more than a second.
    package = pathlib.Path(importlib.util.find_spec("cfnlint").origin).parent
    directory = package / "data" / "schemas"
    return directory, json.loads((directory / "providers" / "us-east-1.json").read_text())


@functools.cache
def of(name):
    """Returns the schema of a type, None if AWS has no such type."""
    own = OWN / (name.replace("::", "-") + ".json")
    if own.exists():
        return json.loads(own.read_text())
    directory, files = _of_cfn_lint()
    if name not in files:
        return None
    return json.loads((directory / "resources" / f"{files[name]}.json").read_text())


def _names(schema, key):
    return {path.split("/")[2] for path in schema.get(key) or [] if path.count("/") == 2}


def attributes(name):
    """Returns what Fn::GetAtt may ask of a type."""
    return {path.removeprefix("/properties/").replace("/", ".") for path in of(name).get("readOnlyProperties") or []}


def replaced_by(name, before, after):
    """Returns the changed properties for which a resource has to be made anew."""
    changed = {key for key in {*before, *after} if before.get(key) != after.get(key)}
    schema = of(name)
    if name == "AWS::SSM::Document" and after.get("UpdateMethod", "Replace") == "Replace":
        # "when set to 'Replace', the update will replace the existing document; when set to 'NewVersion', the update will
        # create a new version" (schema of AWS::SSM::Document, UpdateMethod).
        changed_for_new = changed & (_names(schema, "createOnlyProperties") | _names(schema, "conditionalCreateOnlyProperties"))
    else:
        changed_for_new = changed & _names(schema, "createOnlyProperties")
    return sorted(changed_for_new)


def is_named(name, properties):
    """Returns the properties by which a template gives the resource its name."""
    return _names(of(name), "primaryIdentifier") & set(properties)


def settle(name, properties):
    """Returns properties in the types that the schema wants: every parameter is a text, AWS turns it into a number."""
    schema = of(name)
    return _settle(properties, schema, schema)


def _settle(value, shape, schema):
    shape = _follow(shape, schema)
    types = shape.get("type", [])
    types = [types] if isinstance(types, str) else types
    if isinstance(value, dict) and "properties" in shape:
        return {key: _settle(item, shape["properties"].get(key, {}), schema) for key, item in value.items()}
    if isinstance(value, list):
        return [_settle(item, shape.get("items") or {}, schema) for item in value]
    if isinstance(value, str) and types and "string" not in types:
        if "boolean" in types and value.lower() in ("true", "false"):
            return value.lower() == "true"
        if {"integer", "number"} & set(types) and re.fullmatch(r"-?\d+", value):
            return int(value)
    if types == ["string"] and isinstance(value, (bool, int, float)):
        return json.dumps(value)
    return value


def _follow(shape, schema):
    while "$ref" in shape:
        found = schema
        for part in shape["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        shape = found
    return shape


@functools.cache
def _validator(name):
    import jsonschema

    def matches(validator, pattern, text, shape):
        try:
            found = re.search(pattern, text) if isinstance(text, str) else True
        except re.error:  # A pattern with Unicode classes, which Python's expressions lack.
            return
        if not found:
            yield jsonschema.ValidationError(f"failed validation constraint for keyword [pattern]: {text!r}")

    checks = jsonschema.validators.extend(jsonschema.Draft7Validator, {"pattern": matches, "format": lambda *_: ()})
    return checks(of(name))


def problems(name, properties):
    """Returns what is wrong with the properties of a resource, in CloudFormation's words."""
    found = []
    for error in sorted(_validator(name).iter_errors(properties), key=lambda error: list(map(str, error.absolute_path))):
        place = "/".join(["#", *map(str, error.absolute_path)])
        if error.validator == "additionalProperties":
            for extra in sorted(set(error.instance) - set(error.schema.get("properties", {}))):
                found.append(f"[{place}: extraneous key [{extra}] is not permitted]")
        elif error.validator == "required":
            missing = [key for key in error.validator_value if key not in error.instance]
            found += [f"[{place}: required key [{key}] not found]" for key in missing if f"'{key}'" in error.message]
        else:
            found.append(f"[{place}: {error.message[:300]}]")
    return found
