"""Owns reading a request as AWS would: which operation, which parameters, and
what botocore's model of that operation says is wrong with them.

Never answers a request; the service does, whatever the problems are.
Models: botocore/data/<service>/<version>/service-2.json
"""

import json
import re
import xml.etree.ElementTree as ElementTree
from urllib.parse import parse_qsl

from botocore.exceptions import UnknownServiceError
from botocore.validate import ParamValidator
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model

import constraints
import query_keys

# Signing names that are not the name of the model.
MODEL_OF_SIGNING_NAME = {"monitoring": "cloudwatch", "eventbridge": "events"}


class Understood:
    """What one request means."""

    def __init__(self, service):
        self.service = service
        self.protocol = "json"
        self.operation = None
        self.params = {}
        self.problems = []
        # Those of the problems for which AWS refuses the request.
        self.violations = []


def understand(service, environ, body):
    """Returns what a request means; whatever cannot be read is a problem, never an error."""
    understood = Understood(service)
    try:
        model = get_service_model(MODEL_OF_SIGNING_NAME.get(service, service))
    except UnknownServiceError:
        understood.problems.append(f"botocore knows no service {service}")
        return understood
    understood.protocol = model.protocol
    operation, uri_params = _operation(model, environ, body, understood)
    if operation is None:
        return understood
    understood.operation = operation.name
    try:
        _read_parameters(operation, uri_params, environ, body, understood)
    except Exception as error:  # Any malformed body: the service says what AWS says.
        understood.problems.append(f"unreadable request: {type(error).__name__}: {error}")
    return understood


def _operation(model, environ, body, understood):
    if model.protocol in ("json", "query", "ec2"):
        if model.protocol == "json":
            prefix, _, name = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")
            # SDKs made from Smithy models send the last part of a dotted prefix only, and AWS takes both.
            known = model.metadata.get("targetPrefix", "")
            if prefix not in (known, known.rpartition(".")[2]):
                understood.problems.append(f"target prefix {prefix} is not {model.service_name}'s")
        else:
            name = dict(_form(environ, body)).get("Action", "")
        if name in model.operation_names:
            return model.operation_model(name), {}
        understood.operation = name or None
        understood.problems.append(f"botocore knows no operation {name!r} of {model.service_name}")
        return None, {}
    try:
        return get_service_router(model.service_name).match(Request(dict(environ)))
    except Exception as error:  # Routing raises werkzeug's NotFound and others.
        understood.problems.append(f"no operation matches the request: {type(error).__name__}")
        return None, {}


def _form(environ, body):
    pairs = parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    content_type = environ.get("CONTENT_TYPE", "")
    if not content_type or content_type.startswith("application/x-www-form-urlencoded"):
        pairs += parse_qsl(body.decode("utf-8"), keep_blank_values=True)
    return pairs


def _read_parameters(operation, uri_params, environ, body, understood):
    shape = operation.input_shape
    protocol = understood.protocol
    if protocol == "json":
        params = json.loads(body or b"{}")
    else:
        params = _parse(operation, uri_params, environ, body, protocol) if shape else {}
    understood.params = _printable(params)
    if shape is None:
        return
    if protocol in ("query", "ec2"):
        keys = [k for k, _ in _form(environ, body) if k not in ("Action", "Version")]
        understood.problems += query_keys.unknown(shape, keys, protocol)
    if protocol == "rest-xml" and body:
        understood.problems += _unknown_elements(shape, body)
    report = ParamValidator().validate(params, shape)
    found = report.generate_report().splitlines() if report.has_errors() else []
    found += constraints.broken(shape, params)
    understood.problems += found
    # JSON services skip members that they do not know.
    understood.violations += [p for p in found if not p.startswith("Unknown parameter")]


def _parse(operation, uri_params, environ, body, protocol):
    values = dict(_form(environ, body)) if protocol in ("query", "ec2") else None
    request = Request(dict(environ))
    parser = PROTOCOL_PARSERS[protocol](operation)
    return parser.parse(
        {
            "method": request.method,
            "values": values if values is not None else request.args,
            "headers": request.headers,
            "body": body,
            "url_path": request.path,
            "url_params": uri_params,
        }
    )


def _unknown_elements(shape, body):
    payload = shape.serialization.get("payload")
    if not payload or shape.members[payload].type_name != "structure":
        return []
    member = shape.members[payload]
    root = ElementTree.fromstring(body)
    problems = []
    expected = member.serialization.get("name", member.name)
    if _bare(root.tag) != expected:
        problems.append(f"body root is {_bare(root.tag)}, not {expected}")
    _walk_elements(member, root, expected, problems)
    return problems


def _walk_elements(shape, node, path, problems):
    if shape.type_name == "structure":
        by_name = {m.serialization.get("name", n): m for n, m in shape.members.items()}
        for child in node:
            member = by_name.get(_bare(child.tag))
            if member is None:
                problems.append(f"unknown element {path}/{_bare(child.tag)}")
            elif member.type_name == "list" and member.serialization.get("flattened"):
                _walk_elements(member.member, child, f"{path}/{_bare(child.tag)}", problems)
            else:
                _walk_elements(member, child, f"{path}/{_bare(child.tag)}", problems)
    elif shape.type_name == "list":
        for child in node:
            _walk_elements(shape.member, child, f"{path}/{_bare(child.tag)}", problems)


def _bare(tag):
    return re.sub(r"^\{.*\}", "", tag)


def _printable(value):
    if isinstance(value, dict):
        return {key: _printable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_printable(item) for item in value]
    if isinstance(value, bytes):
        return value[:65_536].decode("utf-8", "replace")
    if hasattr(value, "read"):
        return "<stream>"
    return value
