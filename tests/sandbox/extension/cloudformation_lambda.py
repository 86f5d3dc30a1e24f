"""Owns AWS::Lambda::Function, AWS::Lambda::Permission and AWS::Lambda::EventInvokeConfig in stacks.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Lambda.html
"""

from .cloudformation_resources import KINDS, Kind

SETTINGS = ("Description", "Handler", "Role", "Runtime", "MemorySize", "Timeout", "Environment", "DeadLetterConfig",
            "EphemeralStorage", "KmsKeyArn", "TracingConfig")
API_NAMES = {"KmsKeyArn": "KMSKeyArn"}
PERMISSION = ("Action", "Principal", "SourceAccount", "SourceArn", "PrincipalOrgID", "EventSourceToken")
INVOKE = ("DestinationConfig", "MaximumEventAgeInSeconds", "MaximumRetryAttempts")


def _settings(properties):
    return {API_NAMES.get(name, name): properties[name] for name in SETTINGS if name in properties}


def create_function(place, properties):
    name = properties.get("FunctionName") or place.name(64)
    arn = place.call("lambda", "create_function", FunctionName=name, Code=properties["Code"],
                     Architectures=properties.get("Architectures"), PackageType=properties.get("PackageType"),
                     Tags={tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])} or None,
                     **_settings(properties))["FunctionArn"]
    if "ReservedConcurrentExecutions" in properties:
        _set_concurrency(place, name, properties)
    return name, {"Arn": arn}


def _set_concurrency(place, name, properties):
    if "ReservedConcurrentExecutions" in properties:
        place.call("lambda", "put_function_concurrency", FunctionName=name,
                   ReservedConcurrentExecutions=properties["ReservedConcurrentExecutions"])
    else:
        place.call("lambda", "delete_function_concurrency", FunctionName=name)


def update_function(place, name, properties, before):
    """"Changes to a deployment package in Amazon S3 .. are not detected automatically during stack updates" (schema, Code)."""
    if properties["Code"] != before["Code"] or properties.get("Architectures") != before.get("Architectures"):
        place.call("lambda", "update_function_code", FunctionName=name, Architectures=properties.get("Architectures"),
                   **properties["Code"])
    if _settings(properties) != _settings(before):
        gone = {"Environment": {"Variables": {}}} if "Environment" in before else {}
        place.call("lambda", "update_function_configuration", FunctionName=name, **{**gone, **_settings(properties)})
    if properties.get("ReservedConcurrentExecutions") != before.get("ReservedConcurrentExecutions"):
        _set_concurrency(place, name, properties)


def delete_function(place, name, _properties):
    place.call("lambda", "delete_function", FunctionName=name)


def create_permission(place, properties):
    statement = place.name(100)
    given = {name: properties[name] for name in PERMISSION if name in properties}
    place.call("lambda", "add_permission", FunctionName=properties["FunctionName"], StatementId=statement, **given)
    return statement, {"Id": statement}


def update_permission(*_):
    """Every property makes a new statement, so there is nothing to change."""


def delete_permission(place, statement, properties):
    place.call("lambda", "remove_permission", FunctionName=properties["FunctionName"], StatementId=statement)


def create_invoke_config(place, properties):
    given = {name: properties[name] for name in INVOKE if name in properties}
    qualifier = properties["Qualifier"]
    place.call("lambda", "put_function_event_invoke_config", FunctionName=properties["FunctionName"],
               Qualifier=None if qualifier == "$LATEST" else qualifier, **given)
    return f"{properties['FunctionName']}|{qualifier}", {}


def update_invoke_config(place, _name, properties, _before):
    create_invoke_config(place, properties)


def delete_invoke_config(place, _name, properties):
    place.call("lambda", "delete_function_event_invoke_config", FunctionName=properties["FunctionName"])


def install():
    KINDS["AWS::Lambda::Function"] = Kind(
        f"FunctionName Code Architectures PackageType ReservedConcurrentExecutions Tags {' '.join(SETTINGS)}",
        create_function, update_function, delete_function)
    KINDS["AWS::Lambda::Permission"] = Kind(
        f"FunctionName {' '.join(PERMISSION)}", create_permission, update_permission, delete_permission)
    KINDS["AWS::Lambda::EventInvokeConfig"] = Kind(
        f"FunctionName Qualifier {' '.join(INVOKE)}", create_invoke_config, update_invoke_config, delete_invoke_config)
