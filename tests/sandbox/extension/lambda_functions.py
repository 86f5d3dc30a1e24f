"""Owns what Lambda refuses of functions and their policies, and what moto leaves out of a function.

https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html
Role: https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-deployment.html
"""

import base64
import io
import json
import re
import uuid
import zipfile
from typing import Any

import unkind
from moto.awslambda.exceptions import InvalidParameterValueException, LambdaClientError
from moto.awslambda.models import EventInvokeConfig, LambdaBackend, LambdaFunction
from moto.awslambda.responses import LambdaResponse
from moto.core.utils import iso_8601_datetime_with_nanoseconds

from .lambda_fleet import end_of, retire_of
from .lambda_role import allows, can_be_assumed

# What UpdateFunctionConfiguration changes and moto does not, with the attribute that keeps it.
MORE_SETTINGS = {"DeadLetterConfig": "dead_letter_config", "TracingConfig": "tracing_config", "KMSKeyArn": "kms_key_arn"}


class Conflict(LambdaClientError):
    code = 409

    def __init__(self, message: str) -> None:
        super().__init__("ResourceConflictException", message)


def install() -> None:
    """Makes the sandbox's Lambda refuse what AWS refuses, and answer as it does."""
    for cls, name, wrap in (
        (LambdaBackend, "create_function", _create), (LambdaBackend, "delete_function", _delete),
        (LambdaBackend, "add_permission", _add_permission), (LambdaResponse, "add_permission", _created),
        (LambdaFunction, "__init__", _initialise), (LambdaFunction, "get_configuration", _describe),
        (LambdaFunction, "update_configuration", _update_configuration), (LambdaFunction, "update_function_code", _update_code),
    ):
        setattr(cls, name, wrap(getattr(cls, name)))
    LambdaBackend.put_function_event_invoke_config = _put_event_config
    LambdaBackend.update_function_event_invoke_config = _update_event_config


def _create(original: Any) -> Any:
    def create_function(self: LambdaBackend, spec: dict[str, Any]) -> LambdaFunction:
        spec = spec | {"FunctionName": spec["FunctionName"].rsplit(":", 1)[-1]}
        if spec.get("PackageType", "Zip") == "Zip":
            if not spec.get("Runtime") or not spec.get("Handler"):
                raise InvalidParameterValueException("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
            _check_package(spec.get("Code", {}))
        if re.match(r"arn:[\w-]+:iam::\d{12}:role/", spec["Role"]) and spec["Role"].split(":")[4] == self.account_id:
            _check_role(self.account_id, spec["Role"], spec)
        function = original(self, spec)
        _takes_time(function, "function")
        return function

    return create_function


def _check_package(code: dict[str, Any]) -> None:
    if "ZipFile" not in code:
        return
    try:
        damaged = zipfile.ZipFile(io.BytesIO(base64.b64decode(code["ZipFile"]))).testzip()
    except (zipfile.BadZipFile, ValueError):
        damaged = "all of it"
    if damaged:
        raise InvalidParameterValueException("Could not unzip uploaded file. Please check your file, then try to upload again.")


def _check_role(account: str, role: str, settings: dict[str, Any]) -> None:
    if not can_be_assumed(account, role):
        raise InvalidParameterValueException("The role defined for the function cannot be assumed by Lambda.")
    queue = (settings.get("DeadLetterConfig") or {}).get("TargetArn")
    if queue and queue.split(":")[2] == "sqs" and not allows(account, role, "sqs:SendMessage", queue):
        raise InvalidParameterValueException("The provided execution role does not have permissions to call SendMessage on SQS")


def _initialise(original: Any) -> Any:
    def initialise(self: LambdaFunction, account_id: str, spec: dict[str, Any], *arguments: Any, **more: Any) -> None:
        original(self, account_id, spec, *arguments, **more)
        self.dead_letter_config = spec.get("DeadLetterConfig")
        self.revision_id = str(uuid.uuid4())

    return initialise


def _describe(original: Any) -> Any:
    def get_configuration(self: LambdaFunction, on_create: bool = False) -> dict[str, Any]:
        """An update is over when its answer comes, and so is the creation, unless the account asks for AWS's seconds.

        https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
        """
        more = {"RevisionId": self.revision_id, "State": "Pending" if _is_in(self, "function") else "Active",
                "LastUpdateStatus": "InProgress" if _is_in(self, "function") or _is_in(self, "update") else "Successful",
                "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{self.function_name}"}}
        if (self.dead_letter_config or {}).get("TargetArn"):
            more["DeadLetterConfig"] = self.dead_letter_config
        return {key: value for key, value in (original(self, on_create) | more).items() if value is not None}

    return get_configuration


def _update_configuration(original: Any) -> Any:
    def update_configuration(self: LambdaFunction, changes: dict[str, Any]) -> dict[str, Any]:
        _check_revision(self, changes)
        if "Role" in changes or "DeadLetterConfig" in changes:
            _check_role(self.account_id, changes.get("Role", self.role), changes)
        if "Environment" in changes:
            changes = changes | {"Environment": {"Variables": changes["Environment"].get("Variables", {})}}
        for name, attribute in MORE_SETTINGS.items():
            if name in changes:
                setattr(self, attribute, changes[name])
        if "EphemeralStorage" in changes:
            self.ephemeral_storage = changes["EphemeralStorage"]["Size"]
        original(self, changes)
        return _changed(self)

    return update_configuration


def _update_code(original: Any) -> Any:
    def update_function_code(self: LambdaFunction, changes: dict[str, Any]) -> dict[str, Any]:
        # moto's backend calls this twice for one request, so the second must see that all is done.
        if getattr(self, "_applied", None) is changes:
            return self.get_configuration()
        _check_revision(self, changes)
        _check_package(changes)
        if changes.get("DryRun"):
            return self.get_configuration()
        if changes.get("Architectures"):
            self.architectures = changes["Architectures"]
        original(self, changes)
        self._applied = changes
        return _changed(self)

    return update_function_code


def _check_revision(function: LambdaFunction, changes: dict[str, Any]) -> None:
    if changes.get("RevisionId") not in (None, function.revision_id):
        error = LambdaClientError("PreconditionFailedException", "The Revision Id provided does not match the latest Revision Id. "
                                  "Call the GetFunction/GetAlias API to retrieve the latest Revision Id")
        error.code = 412
        raise error


def _takes_time(function: LambdaFunction, kind: str) -> None:
    seconds = unkind.draw(function.account_id, f"lambda.{kind}", function.function_name)
    unkind.grow(function.account_id, kind, f"{function.region}/{function.function_name}", seconds)


def _is_in(function: LambdaFunction, kind: str) -> bool:
    return unkind.is_young(function.account_id, kind, f"{function.region}/{function.function_name}")


def _changed(function: LambdaFunction) -> dict[str, Any]:
    _takes_time(function, "update")
    function.revision_id = str(uuid.uuid4())
    function.last_modified = iso_8601_datetime_with_nanoseconds()
    retire_of(function)
    return function.get_configuration()


def _delete(original: Any) -> Any:
    def delete_function(self: LambdaBackend, function_name: str, qualifier: str | None = None) -> None:
        function = self.get_function(function_name, qualifier)
        original(self, function_name, qualifier)
        if function.function_name not in [one.function_name for one in self.list_functions()]:
            end_of(self.account_id, self.region_name, function.function_name)

    return delete_function


def _add_permission(original: Any) -> Any:
    def add_permission(self: LambdaBackend, function_name: str, qualifier: str, raw: str) -> dict[str, Any]:
        request = json.loads(raw)
        for name in ("StatementId", "Action", "Principal"):
            if not request.get(name):
                raise LambdaClientError("ValidationException", f"1 validation error detected: Value null at '{name[0].lower() + name[1:]}' "
                                        "failed to satisfy constraint: Member must not be null")
        statements = self.get_function(function_name, qualifier).policy.statements
        if any(statement["Sid"] == request["StatementId"] for statement in statements):
            raise Conflict(f"The statement id ({request['StatementId']}) provided already exists. Please provide a new statement id, "
                           "or remove the existing statement.")
        statement = original(self, function_name, qualifier, raw)
        if isinstance(statement["Principal"], str) and statement["Principal"] != "*":
            account = statement["Principal"]
            statement["Principal"] = {"AWS": f"arn:{self.partition}:iam::{account}:root" if account.isdigit() else account}
        return statement

    return add_permission


def _created(original: Any) -> Any:
    return lambda self: (201, {"status": 201}, original(self))


def _put_event_config(self: LambdaBackend, function_name: str, config: dict[str, Any]) -> dict[str, Any]:
    """"If a configuration already exists, this overwrites it"; moto keeps the first."""
    function = self.get_function(function_name)
    for side in config.get("DestinationConfig", {}).values():
        arn = side.get("Destination", "")
        if arn.split(":")[2:3] == ["sqs"] and not allows(self.account_id, function.role, "sqs:SendMessage", arn):
            raise InvalidParameterValueException(f"The function execution role does not have permissions to call SendMessage on {arn}")
    made = EventInvokeConfig(function.function_arn, function.last_modified, config)
    function.event_invoke_config = [made]
    return made.response()


def _update_event_config(self: LambdaBackend, function_name: str, config: dict[str, Any]) -> dict[str, Any]:
    function = self.get_function(function_name)
    before = function.event_invoke_config[0].config if function.event_invoke_config else {}
    return _put_event_config(self, function_name, before | config)
