"""Owns what EventBridge refuses, TestEventPattern, and what it hides of a connection.

Errors and shapes: botocore events/2015-10-07; the operations in
https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Operations.html
"""

import copy
import json
from typing import Any
from urllib.parse import urlsplit

import emulate
import quotas
import unkind
from moto.core.exceptions import JsonRESTError
from moto.events.exceptions import (
    InvalidEventPatternException,
    ResourceAlreadyExistsException,
    ResourceNotFoundException,
    ValidationException,
)
from moto.events.models import Connection, Destination, EventsBackend
from moto.events.responses import EventsHandler

from .events_delivery import is_loopback
from .events_pattern import MAX_PATTERN, matches, parse, read

STATES = ("ENABLED", "DISABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")
METHODS = ("POST", "GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE")
# TestEventPattern, parameter Event: "the following fields are mandatory".
ENVELOPE = ("id", "account", "source", "time", "region", "resources", "detail-type")
AUTH = {
    "API_KEY": ("ApiKeyAuthParameters", ("ApiKeyName", "ApiKeyValue")),
    "BASIC": ("BasicAuthParameters", ("Username", "Password")),
    "OAUTH_CLIENT_CREDENTIALS": ("OAuthParameters", ("ClientParameters", "AuthorizationEndpoint", "HttpMethod")),
}
SECRETS = ("ApiKeyValue", "Password", "ClientSecret")
MAX_TARGETS = 5
# CreateApiDestination: "The maximum number of requests per second", 300 when it is not given.
DEFAULT_RATE = 300
# name -> connection, deleted ones that may still show.
LEAVING = emulate.Store(dict)


def install() -> None:
    """Makes the sandbox's EventBridge refuse what AWS refuses."""
    EventsHandler.test_event_pattern = _test_event_pattern
    EventsHandler.put_targets = _put_targets
    _before("put_rule", _check_rule)
    EventsHandler.create_connection = _with_state(EventsHandler.create_connection)
    _before("create_connection", _check_new_connection)
    _before("update_connection", _check_connection)
    _before("create_api_destination", _check_new_destination)
    _before("update_api_destination", _check_destination)
    Destination.__init__ = _with_default_rate(Destination.__init__)
    Connection.describe = _without_secrets(Connection.describe)
    Connection.__init__ = _authorized_later(Connection.__init__)
    Connection.state = property(_state, lambda self, state: None)
    EventsBackend.update_connection = _authorized_again(EventsBackend.update_connection)
    EventsBackend.delete_connection = _deleted_later(EventsBackend.delete_connection)
    EventsBackend.describe_connection = _with_leaving(EventsBackend.describe_connection)
    EventsHandler.list_connections = _with_states(EventsHandler.list_connections)
    EventsBackend.list_connections = _with_all_leaving(EventsBackend.list_connections)


def _before(operation: str, check: Any) -> None:
    original = getattr(EventsHandler, operation)

    def checked(self: EventsHandler) -> Any:
        check(self)
        return original(self)

    setattr(EventsHandler, operation, checked)


def _test_event_pattern(self: EventsHandler) -> str:
    try:
        pattern = parse(self._get_param("EventPattern") or "")
    except ValueError as error:
        raise InvalidEventPatternException(str(error)) from error
    try:
        event = read(self._get_param("Event") or "")
    except ValueError:
        event = None
    missing = [field for field in ENVELOPE if field not in event] if isinstance(event, dict) else list(ENVELOPE)
    if missing:
        raise ValidationException(f"Parameter Event is not valid. Reason: missing {missing[0]}.")
    return json.dumps({"Result": matches(pattern, event)})


def _check_rule(self: EventsHandler) -> None:
    state = self._get_param("State")
    if state is not None and state not in STATES:
        raise ValidationException(f"Value '{state}' at 'state' failed to satisfy constraint: Member must satisfy enum value set: [{', '.join(STATES)}]")
    pattern, longest = self._get_param("EventPattern") or "", quotas.of(self.current_account, "event_pattern_characters")
    # The model allows MAX_PATTERN, which is what the quota may be raised to. PutRule lists this error; the page names none.
    if longest < len(pattern) <= MAX_PATTERN:
        raise JsonRESTError("LimitExceededException", f"The requested resource exceeds the maximum number allowed: {longest} characters.")


def _put_targets(self: EventsHandler) -> str:
    """PutTargets answers 200 when single targets fail, naming them in FailedEntries."""
    name, bus, targets = self._get_param("Rule"), self._get_param("EventBusName"), self._get_param("Targets") or []
    rule = self.events_backend.describe_rule(name, bus)
    ids = {target["Id"] for target in rule.targets} | {target["Id"] for target in targets}
    if len(ids) > MAX_TARGETS:
        raise JsonRESTError("LimitExceededException", f"The requested resource exceeds the maximum number allowed: {MAX_TARGETS} targets.")
    known = {destination.arn for destination in self.events_backend.destinations.values()}
    failed = []
    for target in targets:
        if ":api-destination/" not in target["Arn"]:
            continue
        if not target.get("RoleArn"):
            raise ValidationException(f"RoleArn is required for target {target['Arn']}.")
        if target["Arn"] not in known:
            failed.append({"TargetId": target["Id"], "ErrorCode": "ResourceNotFoundException", "ErrorMessage": f"{target['Arn']} does not exist."})
    rejected = {entry["TargetId"] for entry in failed}
    self.events_backend.put_targets(name, bus, [target for target in targets if target["Id"] not in rejected])
    return json.dumps({"FailedEntryCount": len(failed), "FailedEntries": failed})


def _check_new_connection(self: EventsHandler) -> None:
    """CreateConnection requires Name, AuthorizationType and AuthParameters."""
    for name in ("Name", "AuthorizationType", "AuthParameters"):
        if not self._get_param(name):
            raise ValidationException(f"Parameter(s) {name} must be specified.")
    if self._get_param("Name") in {**self.events_backend.connections, **_leaving(self.events_backend)}:
        raise ResourceAlreadyExistsException(f"Connection {self._get_param('Name')} already exists.")
    _check_connection(self)


def _check_connection(self: EventsHandler) -> None:
    kind, parameters = self._get_param("AuthorizationType"), self._get_param("AuthParameters")
    if kind is not None and kind not in AUTH:
        raise ValidationException(f"Value '{kind}' at 'authorizationType' failed to satisfy constraint: Member must satisfy enum value set: [{', '.join(AUTH)}]")
    if kind and parameters is not None:
        name, required = AUTH[kind]
        if not all(parameters.get(name, {}).get(field) for field in required):
            raise ValidationException(f"Parameter(s) {name} must be specified with {', '.join(required)} for authorization type {kind}.")


def _check_new_destination(self: EventsHandler) -> None:
    if self._get_param("Name") in self.events_backend.destinations:
        raise ResourceAlreadyExistsException(f"An api-destination '{self._get_param('Name')}' already exists.")
    for name in ("Name", "ConnectionArn", "InvocationEndpoint", "HttpMethod"):
        if not self._get_param(name):
            raise ValidationException(f"Parameter(s) {name} must be specified.")
    _check_destination(self)


def _check_destination(self: EventsHandler) -> None:
    """The endpoint is HTTPS on AWS; the sandbox lets plain HTTP stay on loopback, where its tests listen."""
    connection, endpoint = self._get_param("ConnectionArn"), self._get_param("InvocationEndpoint")
    if connection and connection not in [one.arn for one in self.events_backend.connections.values()]:
        raise ResourceNotFoundException(f"Connection '{connection}' does not exist.")
    if endpoint is not None:
        scheme = urlsplit(endpoint).scheme
        if " " in endpoint or len(endpoint) > 2048 or not (scheme == "https" or scheme == "http" and is_loopback(endpoint)):
            raise ValidationException(f"Parameter InvocationEndpoint is not valid. Reason: {endpoint} is not an HTTPS endpoint.")
    method = self._get_param("HttpMethod")
    if method is not None and method not in METHODS:
        raise ValidationException(f"Value '{method}' at 'httpMethod' failed to satisfy constraint: Member must satisfy enum value set: [{', '.join(METHODS)}]")
    rate = self._get_param("InvocationRateLimitPerSecond")
    if rate is not None and rate < 1:
        raise ValidationException("Value at 'invocationRateLimitPerSecond' failed to satisfy constraint: Member must have value greater than or equal to 1")


def _with_default_rate(original: Any) -> Any:
    def initialise(self: Destination, **values: Any) -> None:
        original(self, **values | {"invocation_rate_limit_per_second": values["invocation_rate_limit_per_second"] or DEFAULT_RATE})

    return initialise


def _without_secrets(original: Any) -> Any:
    """DescribeConnection returns the names of the parameters, never the secrets (shape ConnectionAuthResponseParameters)."""

    def describe(self: Connection) -> dict[str, Any]:
        answer = copy.deepcopy(original(self))
        for parameters in answer["AuthParameters"].values():
            for inner in (parameters, *[value for value in parameters.values() if isinstance(value, dict)]):
                for name in SECRETS:
                    inner.pop(name, None)
        answer |= {"LastModifiedTime": self.creation_time, "LastAuthorizedTime": self.creation_time}
        return answer

    return describe


def _authorized_later(original: Any) -> Any:
    def initialise(self: Connection, *values: Any, **named: Any) -> None:
        original(self, *values, **named)
        _authorize(self, unkind.draw(_account(self), "events.creating", self.name))

    return initialise


def _authorize(connection: Connection, after: float) -> None:
    account = _account(connection)
    unkind.grow(account, "connection_creating", connection.arn, after)
    unkind.grow(account, "connection_authorizing", connection.arn, after + unkind.draw(account, "events.authorizing", connection.name))


def _account(connection: Connection) -> str:
    return connection.arn.split(":")[4]


def _state(self: Connection) -> str:
    """A connection is CREATING, then AUTHORIZING, then AUTHORIZED, and DELETING before it is gone.

    https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeConnection.html
    """
    for state in ("DELETING", "CREATING", "AUTHORIZING"):
        if unkind.is_young(_account(self), f"connection_{state.lower()}", self.arn):
            return state
    return "AUTHORIZED"


def _with_state(original: Any) -> Any:
    """moto answers AUTHORIZED, whatever the connection is."""

    def create_connection(self: EventsHandler) -> Any:
        text, headers = original(self)
        state = self.events_backend.connections[self._get_param("Name")].state
        return json.dumps(json.loads(text) | {"ConnectionState": state}), headers

    return create_connection


def _with_states(original: Any) -> Any:
    def list_connections(self: EventsHandler) -> Any:
        text, headers = original(self)
        states = {connection.name: connection.state for connection in self.events_backend.list_connections()}
        listed = [one | {"ConnectionState": states[one["Name"]]} for one in json.loads(text)["Connections"]]
        return json.dumps({"Connections": listed}), headers

    return list_connections


def _authorized_again(original: Any) -> Any:
    def update_connection(self: EventsBackend, **changes: Any) -> dict[str, Any]:
        if changes["name"] in self.connections:
            _authorize(self.connections[changes["name"]], 0)
        return original(self, **changes)

    return update_connection


def _deleted_later(original: Any) -> Any:
    def delete_connection(self: EventsBackend, name: str) -> dict[str, Any]:
        connection = self.connections.get(name)
        seconds = unkind.draw(self.account_id, "events.deleting", name)
        if connection and seconds:
            unkind.grow(self.account_id, "connection_deleting", connection.arn, seconds)
            LEAVING.of(self.account_id, self.region_name)[name] = connection
        return original(self, name)

    return delete_connection


def _leaving(backend: EventsBackend) -> dict[str, Connection]:
    leaving = LEAVING.of(backend.account_id, backend.region_name)
    return {name: connection for name, connection in leaving.items() if connection.state == "DELETING"}


def _with_leaving(original: Any) -> Any:
    def describe_connection(self: EventsBackend, name: str) -> dict[str, Any]:
        leaving = _leaving(self)
        return leaving[name].describe() if name in leaving and name not in self.connections else original(self, name)

    return describe_connection


def _with_all_leaving(original: Any) -> Any:
    return lambda self: [*original(self), *_leaving(self).values()]
