"""Owns AWS::Events::Connection, AWS::Events::ApiDestination, AWS::Events::Rule and AWS::CloudTrail::Trail in stacks.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Events.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_CloudTrail.html
"""

from .cloudformation_resources import KINDS, Kind, document

# Properties of a trail that CreateTrail and UpdateTrail take, by the API's names.
TRAIL = {"S3BucketName": "S3BucketName", "S3KeyPrefix": "S3KeyPrefix", "IsMultiRegionTrail": "IsMultiRegionTrail",
         "IncludeGlobalServiceEvents": "IncludeGlobalServiceEvents", "EnableLogFileValidation": "EnableLogFileValidation",
         "KMSKeyId": "KmsKeyId", "CloudWatchLogsLogGroupArn": "CloudWatchLogsLogGroupArn",
         "CloudWatchLogsRoleArn": "CloudWatchLogsRoleArn", "SnsTopicName": "SnsTopicName", "IsOrganizationTrail": "IsOrganizationTrail"}
SELECTORS = ("EventSelectors", "AdvancedEventSelectors")


def create_connection(place, properties):
    name = properties.get("Name") or place.name(64)
    made = place.call("events", "create_connection", Name=name, AuthorizationType=properties.get("AuthorizationType"),
                      AuthParameters=properties.get("AuthParameters"), Description=properties.get("Description"))
    described = place.call("events", "describe_connection", Name=name)
    return name, {"Arn": made["ConnectionArn"], "ArnForPolicy": made["ConnectionArn"].rsplit("/", 1)[0],
                  "SecretArn": described.get("SecretArn", "")}


def update_connection(place, name, properties, _before):
    place.call("events", "update_connection", Name=name, AuthorizationType=properties.get("AuthorizationType"),
               AuthParameters=properties.get("AuthParameters"), Description=properties.get("Description"))


def delete_connection(place, name, _properties):
    place.call("events", "delete_connection", Name=name)


def _destination(place, operation, name, properties):
    return place.call("events", operation, Name=name, **{key: value for key, value in properties.items() if key != "Name"})


def create_destination(place, properties):
    name = properties.get("Name") or place.name(64)
    arn = _destination(place, "create_api_destination", name, properties)["ApiDestinationArn"]
    return name, {"Arn": arn, "ArnForPolicy": arn.rsplit("/", 1)[0]}


def update_destination(place, name, properties, _before):
    _destination(place, "update_api_destination", name, properties)


def delete_destination(place, name, _properties):
    place.call("events", "delete_api_destination", Name=name)


def create_rule(place, properties):
    name = properties.get("Name") or place.name(64)
    arn = _put_rule(place, name, properties)
    try:
        _put_targets(place, name, properties, {})
    except Exception:
        # Nobody knows of a rule whose creation failed, and it would be left behind.
        place.call("events", "delete_rule", Name=name, EventBusName=properties.get("EventBusName"))
        raise
    return name, {"Arn": arn, "RuleName": name}


def _put_rule(place, name, properties):
    return place.call("events", "put_rule", Name=name, EventPattern=document(properties.get("EventPattern")),
                      ScheduleExpression=properties.get("ScheduleExpression"), State=properties.get("State"),
                      Description=properties.get("Description"), RoleArn=properties.get("RoleArn"),
                      EventBusName=properties.get("EventBusName"), Tags=properties.get("Tags"))["RuleArn"]


def _put_targets(place, name, properties, before):
    gone = sorted({target["Id"] for target in before.get("Targets", [])} - {target["Id"] for target in properties.get("Targets", [])})
    if gone:
        place.call("events", "remove_targets", Rule=name, Ids=gone, EventBusName=properties.get("EventBusName"))
    if properties.get("Targets"):
        place.call("events", "put_targets", Rule=name, Targets=properties["Targets"], EventBusName=properties.get("EventBusName"))


def update_rule(place, name, properties, before):
    _put_rule(place, name, {key: value for key, value in properties.items() if key != "Tags"})
    _put_targets(place, name, properties, before)


def delete_rule(place, name, properties):
    if properties.get("Targets"):
        ids = [target["Id"] for target in properties["Targets"]]
        place.call("events", "remove_targets", Rule=name, Ids=ids, EventBusName=properties.get("EventBusName"))
    place.call("events", "delete_rule", Name=name, EventBusName=properties.get("EventBusName"))


def create_trail(place, properties):
    name = properties.get("TrailName") or place.name(128)
    arn = place.call("cloudtrail", "create_trail", Name=name, TagsList=properties.get("Tags"), **_trail(properties))["TrailARN"]
    try:
        _set_trail(place, name, properties, {})
    except Exception:
        place.call("cloudtrail", "delete_trail", Name=name)
        raise
    return name, {"Arn": arn}


def _trail(properties):
    return {TRAIL[key]: value for key, value in properties.items() if key in TRAIL}


def _set_trail(place, name, properties, before):
    for selectors in SELECTORS:
        if properties.get(selectors) and properties[selectors] != before.get(selectors):
            place.call("cloudtrail", "put_event_selectors", TrailName=name, **{selectors: properties[selectors]})
    if properties["IsLogging"] != before.get("IsLogging", False):
        place.call("cloudtrail", "start_logging" if properties["IsLogging"] else "stop_logging", Name=name)


def update_trail(place, name, properties, before):
    place.call("cloudtrail", "update_trail", Name=name, **_trail(properties))
    _set_trail(place, name, properties, before)


def delete_trail(place, name, _properties):
    place.call("cloudtrail", "delete_trail", Name=name)


def install():
    KINDS["AWS::Events::Connection"] = Kind(
        "Name AuthorizationType AuthParameters Description", create_connection, update_connection, delete_connection)
    KINDS["AWS::Events::ApiDestination"] = Kind(
        "Name ConnectionArn Description HttpMethod InvocationEndpoint InvocationRateLimitPerSecond",
        create_destination, update_destination, delete_destination)
    KINDS["AWS::Events::Rule"] = Kind(
        "Name Description EventBusName EventPattern RoleArn ScheduleExpression State Tags Targets",
        create_rule, update_rule, delete_rule)
    KINDS["AWS::CloudTrail::Trail"] = Kind(
        f"TrailName IsLogging Tags {' '.join(TRAIL)} {' '.join(SELECTORS)}", create_trail, update_trail, delete_trail)
