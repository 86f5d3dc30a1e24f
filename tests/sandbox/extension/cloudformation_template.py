"""Owns what a template says: reading it, its parameters and conditions, and what its functions result in.

Makes nothing and calls nothing; what refers to a resource is read from the `scope` that a caller gives.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

import base64
import json
import re

import yaml

SECTIONS = {"AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Conditions", "Resources", "Outputs"}
# Sections and attributes that AWS knows and nothing here does.
NOT_EMULATED = {"Rules", "Mappings", "Transform", "Hooks", "CreationPolicy", "UpdatePolicy"}
ATTRIBUTES = {"Type", "Properties", "DependsOn", "Condition", "DeletionPolicy", "UpdateReplacePolicy", "Metadata"}
POLICIES = {"Delete", "Retain", "RetainExceptOnCreate"}
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html
PSEUDO = {"AWS::AccountId", "AWS::NoValue", "AWS::NotificationARNs", "AWS::Partition", "AWS::Region", "AWS::StackId",
          "AWS::StackName", "AWS::URLSuffix"}
NO_VALUE = object()
IN_TEXT = re.compile(r"\$\{(!?)([^}]*)\}")
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
DYNAMIC = re.compile(r"\{\{resolve:([a-z-]+):([^}]*)\}\}")


class Invalid(Exception):
    """Why a template or a request is refused, in CloudFormation's words."""


class NotEmulated(Exception):
    """What a template asks for and nothing here emulates."""


class Template:
    """One template that has been read and found well-formed."""

    def __init__(self, text):
        self.text = text
        content = _read(text)
        for name in content:
            if name in NOT_EMULATED:
                raise NotEmulated(f"the sandbox does not emulate {name} of templates")
        unknown = sorted(set(content) - SECTIONS)
        if unknown:
            raise Invalid(f"Invalid template property or properties [{', '.join(unknown)}]")
        self.description = content.get("Description")
        self.parameters = content.get("Parameters") or {}
        self.conditions = content.get("Conditions") or {}
        self.resources = content.get("Resources") or {}
        self.outputs = content.get("Outputs") or {}
        if not self.resources:
            raise Invalid("Template format error: At least one Resources member must be defined.")
        for name, resource in self.resources.items():
            _check_resource(name, resource)
        self._check_references()

    def _check_references(self):
        known = set(self.resources) | set(self.parameters) | PSEUDO
        for section, part in (("Resources", self.resources), ("Outputs", self.outputs)):
            missing = sorted({name for name, _ in references(part)} - known)
            missing += [name for item in part.values() for name in _depends_on(item) if name not in self.resources]
            if missing:
                raise Invalid(f"Template format error: Unresolved resource dependencies [{', '.join(missing)}] in the {section} block of the template")
            for name in sorted(_conditions_of(part) - set(self.conditions)):
                raise Invalid(f"Template format error: Unresolved condition dependency {name} in the {section} block of the template")

    def decide(self, scope):
        """Returns the value of each condition."""
        decided = {}

        def of(name):
            if name not in self.conditions:
                raise Invalid(f"Template error: there is no condition {name}")
            if name not in decided:
                decided[name] = _is_true(self.conditions[name], scope, of)
            return decided[name]

        for name in self.conditions:
            of(name)
        return decided

    def order(self, conditions):
        """Returns the names of the resources to make, each after those that it refers to or depends on.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-dependson.html
        """
        wanted = [name for name, resource in self.resources.items() if conditions.get(resource.get("Condition"), True)]
        before = {}
        for name in wanted:
            resource = self.resources[name]
            used = {other for other, _ in references(resource.get("Properties", {}), conditions) if other in self.resources}
            missing = sorted(used - set(wanted))
            if missing:
                raise Invalid(f"Template format error: Unresolved resource dependencies [{', '.join(missing)}] in the Resources block of the template")
            before[name] = used | (set(_depends_on(resource)) & set(wanted))
        ordered = []
        while len(ordered) < len(wanted):
            ready = [name for name in wanted if name not in ordered and before[name] <= set(ordered)]
            if not ready:
                circle = ", ".join(sorted(set(wanted) - set(ordered)))
                raise Invalid(f"Circular dependency between resources: [{circle}]")
            ordered += ready
        return ordered


def _read(text):
    try:
        content = json.loads(text)
    except ValueError:
        try:
            content = yaml.load(text, Loader=_Loader)
        except yaml.YAMLError as error:
            raise Invalid(f"Template format error: YAML not well-formed. {error}") from None
    if not isinstance(content, dict):
        raise Invalid("Template format error: unsupported structure.")
    return content


class _Loader(yaml.SafeLoader):
    """Reads the short forms of functions, and dates as the texts that they are."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _short_form(loader, tag, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if tag == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {tag if tag in ("Ref", "Condition") else f"Fn::{tag}": value}


_Loader.add_multi_constructor("!", _short_form)


def _check_resource(name, resource):
    if not isinstance(resource, dict) or "Type" not in resource:
        raise Invalid(f"Template format error: [/Resources/{name}] Every Resources object must contain a Type member.")
    if not re.fullmatch(r"[A-Za-z0-9]{1,255}", name):
        raise Invalid(f"Template format error: Resource name {name} is non alphanumeric.")
    for attribute in resource:
        if attribute in NOT_EMULATED:
            raise NotEmulated(f"the sandbox does not emulate {attribute} of resources")
        if attribute not in ATTRIBUTES:
            raise Invalid(f"Invalid template resource property '{attribute}'")
    for attribute in ("DeletionPolicy", "UpdateReplacePolicy"):
        if resource.get(attribute, "Delete") not in POLICIES - ({"RetainExceptOnCreate"} if attribute == "UpdateReplacePolicy" else set()):
            raise Invalid(f"Template format error: Unrecognized {attribute} {resource[attribute]} for resource {name}")


def _depends_on(resource):
    given = resource.get("DependsOn", []) if isinstance(resource, dict) else []
    return [given] if isinstance(given, str) else given


def _conditions_of(value):
    if isinstance(value, list):
        return set().union(*map(_conditions_of, value)) if value else set()
    if not isinstance(value, dict):
        return set()
    found = set().union(*map(_conditions_of, value.values())) if value else set()
    if isinstance(value.get("Condition"), str) and ("Type" in value or "Value" in value):
        found.add(value["Condition"])
    if isinstance(value.get("Fn::If"), list):
        found.add(value["Fn::If"][0])
    return found


def references(value, conditions=None):
    """Yields (name, attribute or None) of all that a value refers to; with conditions, of what they leave of it."""
    if isinstance(value, list):
        for item in value:
            yield from references(item, conditions)
        return
    if not isinstance(value, dict):
        return
    if set(value) == {"Ref"}:
        yield value["Ref"], None
    elif set(value) == {"Fn::GetAtt"}:
        yield tuple(_attribute(value["Fn::GetAtt"]))
    elif set(value) == {"Fn::Sub"}:
        text, given = _sub(value["Fn::Sub"])
        yield from references(given, conditions)
        for literal, name in IN_TEXT.findall(text):
            if not literal and name not in given:
                resource, _, attribute = name.partition(".")
                yield resource, attribute or None
    elif set(value) == {"Fn::If"} and conditions is not None:
        name, then, otherwise = value["Fn::If"]
        yield from references(then if conditions[name] else otherwise, conditions)
    else:
        for item in value.values():
            yield from references(item, conditions)


def _attribute(given):
    return given.split(".", 1) if isinstance(given, str) else given


def _sub(given):
    return (given, {}) if isinstance(given, str) else given


def resolve(value, scope):
    """Returns a value with its functions carried out; `scope` answers `ref`, `attribute`, `condition` and `dynamic`."""
    if isinstance(value, list):
        return [item for item in (resolve(item, scope) for item in value) if item is not NO_VALUE]
    if isinstance(value, dict):
        name = next(iter(value), None)
        if len(value) == 1 and (name == "Ref" or name.startswith("Fn::")):
            return _dynamic(_carry_out(name, value[name], scope), scope)
        resolved = {key: resolve(item, scope) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not NO_VALUE}
    return _dynamic(value, scope)


def _dynamic(value, scope):
    if not isinstance(value, str):
        return value
    return DYNAMIC.sub(lambda found: scope.dynamic(found[1], found[2]), value)


def _carry_out(name, given, scope):
    if name == "Ref":
        return scope.ref(given)
    if name == "Fn::GetAtt":
        return scope.attribute(*_attribute(given))
    if name == "Fn::Sub":
        return _substitute(given, scope)
    if name == "Fn::If":
        return resolve(given[1] if scope.condition(given[0]) else given[2], scope)
    given = resolve(given, scope)
    if name == "Fn::Join":
        return given[0].join(str(item) for item in given[1])
    if name == "Fn::Split":
        return given[1].split(given[0])
    if name == "Fn::Select":
        if not 0 <= int(given[0]) < len(given[1]):
            raise Invalid(f"Template error: Fn::Select cannot select nonexistent value at index {given[0]}")
        return given[1][int(given[0])]
    if name == "Fn::Base64":
        return base64.b64encode(given.encode()).decode()
    raise NotEmulated(f"the sandbox does not emulate {name}")


def _substitute(given, scope):
    text, values = _sub(given)
    values = {key: resolve(value, scope) for key, value in values.items()}

    def found(match):
        literal, name = match.groups()
        if literal:
            return "${" + name + "}"
        if name in values:
            return str(values[name])
        resource, _, attribute = name.partition(".")
        return str(scope.attribute(resource, attribute) if attribute else scope.ref(resource))

    return IN_TEXT.sub(found, text)


def _is_true(condition, scope, of):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-conditions.html"""
    ((name, given),) = condition.items()
    if name == "Condition":
        return of(given)
    if name == "Fn::Equals":
        left, right = (resolve(side, scope) for side in given)
        return left == right
    if name == "Fn::Not":
        return not _is_true(given[0], scope, of)
    if name in ("Fn::And", "Fn::Or"):
        decided = [_is_true(part, scope, of) for part in given]
        return all(decided) if name == "Fn::And" else any(decided)
    raise Invalid(f"Template error: every Condition must be a function of conditions, not {name}")
