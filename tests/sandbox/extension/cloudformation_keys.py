"""Owns AWS::KMS::Key, AWS::KMS::Alias, AWS::Logs::LogGroup, AWS::SQS::Queue and AWS::SQS::QueuePolicy in stacks.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_KMS.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Logs.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_SQS.html
"""

import json

from .cloudformation_resources import KINDS, Kind, document

# Attributes of queues that are properties of the same name.
QUEUE = ("DelaySeconds", "KmsDataKeyReusePeriodSeconds", "KmsMasterKeyId", "MaximumMessageSize", "MessageRetentionPeriod",
         "ReceiveMessageWaitTimeSeconds", "RedriveAllowPolicy", "RedrivePolicy", "SqsManagedSseEnabled", "VisibilityTimeout")


def create_key(place, properties):
    """The key's policy is AWS's default one when the template gives none."""
    made = place.call("kms", "create_key", Description=properties.get("Description"), Policy=document(properties.get("KeyPolicy")),
                      KeySpec=properties.get("KeySpec"), KeyUsage=properties.get("KeyUsage"), MultiRegion=properties.get("MultiRegion"),
                      BypassPolicyLockoutSafetyCheck=properties.get("BypassPolicyLockoutSafetyCheck"),
                      Tags=[{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in properties.get("Tags", [])] or None)
    key = made["KeyMetadata"]["KeyId"]
    _set_rotation(place, key, properties, {})
    if properties.get("Enabled") is False:
        place.call("kms", "disable_key", KeyId=key)
    return key, {"Arn": made["KeyMetadata"]["Arn"], "KeyId": key}


def update_key(place, key, properties, before):
    if document(properties.get("KeyPolicy")) != document(before.get("KeyPolicy")):
        place.call("kms", "put_key_policy", KeyId=key, PolicyName="default", Policy=document(properties["KeyPolicy"]))
    if properties.get("Description") != before.get("Description"):
        place.call("kms", "update_key_description", KeyId=key, Description=properties.get("Description", ""))
    if properties.get("Enabled", True) != before.get("Enabled", True):
        place.call("kms", "enable_key" if properties.get("Enabled", True) else "disable_key", KeyId=key)
    _set_rotation(place, key, properties, before)


def _set_rotation(place, key, properties, before):
    wanted = [(given.get("EnableKeyRotation", False), given.get("RotationPeriodInDays")) for given in (properties, before)]
    if wanted[0] == wanted[1]:
        return
    if properties.get("EnableKeyRotation"):
        place.call("kms", "enable_key_rotation", KeyId=key, RotationPeriodInDays=properties.get("RotationPeriodInDays"))
    else:
        place.call("kms", "disable_key_rotation", KeyId=key)


def delete_key(place, key, properties):
    """"If you remove a KMS key from a stack, it's scheduled for deletion", in 30 days unless the template says so."""
    place.call("kms", "schedule_key_deletion", KeyId=key, PendingWindowInDays=properties.get("PendingWindowInDays", 30))


def create_alias(place, properties):
    place.call("kms", "create_alias", AliasName=properties["AliasName"], TargetKeyId=properties["TargetKeyId"])
    return properties["AliasName"], {}


def update_alias(place, alias, properties, _before):
    place.call("kms", "update_alias", AliasName=alias, TargetKeyId=properties["TargetKeyId"])


def delete_alias(place, alias, _properties):
    place.call("kms", "delete_alias", AliasName=alias)


def create_log_group(place, properties):
    name = properties.get("LogGroupName") or place.name(512)
    place.call("logs", "create_log_group", logGroupName=name, kmsKeyId=properties.get("KmsKeyId"),
               logGroupClass=properties.get("LogGroupClass"), deletionProtectionEnabled=properties.get("DeletionProtectionEnabled"),
               tags={tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])} or None)
    if properties.get("RetentionInDays"):
        place.call("logs", "put_retention_policy", logGroupName=name, retentionInDays=properties["RetentionInDays"])
    return name, {"Arn": place.arn("logs", f"log-group:{name}:*")}


def update_log_group(place, name, properties, before):
    if properties.get("KmsKeyId") != before.get("KmsKeyId"):
        if properties.get("KmsKeyId"):
            place.call("logs", "associate_kms_key", logGroupName=name, kmsKeyId=properties["KmsKeyId"])
        else:
            place.call("logs", "disassociate_kms_key", logGroupName=name)
    if properties.get("RetentionInDays") != before.get("RetentionInDays"):
        if properties.get("RetentionInDays"):
            place.call("logs", "put_retention_policy", logGroupName=name, retentionInDays=properties["RetentionInDays"])
        else:
            place.call("logs", "delete_retention_policy", logGroupName=name)
    if properties.get("DeletionProtectionEnabled") != before.get("DeletionProtectionEnabled"):
        place.call("logs", "put_log_group_deletion_protection", logGroupIdentifier=name,
                   deletionProtectionEnabled=properties.get("DeletionProtectionEnabled", False))


def delete_log_group(place, name, _properties):
    place.call("logs", "delete_log_group", logGroupName=name)


def create_queue(place, properties):
    name = properties.get("QueueName") or place.name(80)
    url = place.call("sqs", "create_queue", QueueName=name, Attributes=_queue_attributes(properties),
                     tags={tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])} or None)["QueueUrl"]
    return url, {"Arn": place.arn("sqs", name), "QueueName": name, "QueueUrl": url}


def _queue_attributes(properties):
    given = {name: properties[name] for name in QUEUE if name in properties}
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}


def update_queue(place, url, properties, before):
    # An attribute that the template no longer gives goes back to AWS's default, of which "" is the key's.
    gone = {"KmsMasterKeyId": ""} if "KmsMasterKeyId" in set(before) - set(properties) else {}
    place.call("sqs", "set_queue_attributes", QueueUrl=url, Attributes=gone | _queue_attributes(properties))


def delete_queue(place, url, _properties):
    place.call("sqs", "delete_queue", QueueUrl=url)


def create_queue_policy(place, properties):
    for url in properties["Queues"]:
        place.call("sqs", "set_queue_attributes", QueueUrl=url, Attributes={"Policy": document(properties["PolicyDocument"])})
    name = place.name()
    return name, {"Id": name}


def update_queue_policy(place, name, properties, before):
    delete_queue_policy(place, name, {"Queues": [url for url in before["Queues"] if url not in properties["Queues"]]})
    create_queue_policy(place, properties)


def delete_queue_policy(place, _name, properties):
    for url in properties["Queues"]:
        place.call("sqs", "set_queue_attributes", QueueUrl=url, Attributes={"Policy": ""})


def install():
    KINDS["AWS::KMS::Key"] = Kind(
        "BypassPolicyLockoutSafetyCheck Description EnableKeyRotation Enabled KeyPolicy KeySpec KeyUsage MultiRegion "
        "PendingWindowInDays RotationPeriodInDays Tags", create_key, update_key, delete_key)
    KINDS["AWS::KMS::Alias"] = Kind("AliasName TargetKeyId", create_alias, update_alias, delete_alias)
    KINDS["AWS::Logs::LogGroup"] = Kind(
        "LogGroupName KmsKeyId RetentionInDays LogGroupClass DeletionProtectionEnabled Tags", create_log_group, update_log_group, delete_log_group)
    KINDS["AWS::SQS::Queue"] = Kind(f"QueueName Tags {' '.join(QUEUE)}", create_queue, update_queue, delete_queue)
    KINDS["AWS::SQS::QueuePolicy"] = Kind(
        "Queues PolicyDocument", create_queue_policy, update_queue_policy, delete_queue_policy)
