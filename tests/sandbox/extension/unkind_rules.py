"""Owns what AWS refuses of a write that comes too early: the thing that it needs was just made, and is not there for
everybody yet. Only accounts that ask for it meet this, see unkind.py; reads are stale meanwhile, which is done there too.
"""

import json
import re
from typing import Any, Iterator

import unkind
from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.models import lambda_backends
from moto.iam.models import iam_backends
from moto.utilities.utils import get_partition

from .iam import as_list

Refusal = tuple[int, str, str] | None
# What names a role, profile or policy of IAM, in the parameters of IAM itself.
OF_ROLE = ("AttachRolePolicy", "DeleteRole", "DeleteRolePermissionsBoundary", "DeleteRolePolicy", "DetachRolePolicy", "PutRolePermissionsBoundary",
           "PutRolePolicy", "TagRole", "UntagRole", "UpdateAssumeRolePolicy", "UpdateRole")
OF_KEY = ("CancelKeyDeletion", "CreateGrant", "DisableKey", "DisableKeyRotation", "EnableKey", "EnableKeyRotation", "Encrypt", "GenerateDataKey",
          "PutKeyPolicy", "RetireGrant", "RevokeGrant", "ScheduleKeyDeletion", "TagResource", "UntagResource", "UpdateKeyDescription")
OF_BUCKET = ("DeleteBucketPolicy", "DeleteBucketEncryption", "PutBucketEncryption", "PutBucketLifecycleConfiguration", "PutBucketLogging",
             "PutBucketOwnershipControls", "PutBucketPolicy", "PutBucketTagging", "PutBucketVersioning", "PutObjectLockConfiguration",
             "PutPublicAccessBlock")
OF_TRAIL = ("AddTags", "DeleteTrail", "PutEventSelectors", "StartLogging", "StopLogging", "UpdateTrail")
OF_FUNCTION = ("AddPermission", "CreateAlias", "Invoke", "PublishVersion", "PutFunctionConcurrency", "PutFunctionEventInvokeConfig",
               "RemovePermission", "UpdateFunctionCode", "UpdateFunctionConfiguration", "UpdateFunctionEventInvokeConfig")
UPDATES = ("UpdateFunctionCode", "UpdateFunctionConfiguration")


def last(arn: Any) -> str:
    """Returns the name at the end of an ARN or path, or the name itself."""
    return re.split(r"[:/]", arn or "")[-1]


# IAM: a role, profile or policy is not there for IAM's own writes, for other services, nor as a principal.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
@unkind.creates("iam", "CreateRole")
def _role(call: unkind.Call) -> Iterator[tuple[str, str]]:
    yield "role", call.params["RoleName"]


@unkind.creates("iam", "PutRolePolicy", "AttachRolePolicy")
def _role_policy(call: unkind.Call) -> Iterator[tuple[str, str]]:
    yield "role_policy", call.params["RoleName"]


@unkind.creates("iam", "CreateInstanceProfile", "AddRoleToInstanceProfile")
def _profile(call: unkind.Call) -> Iterator[tuple[str, str]]:
    # A profile whose role is new is as good as new to EC2.
    yield ("profile" if call.operation == "CreateInstanceProfile" else "profile_role"), call.params["InstanceProfileName"]


@unkind.creates("iam", "CreatePolicy")
def _policy(call: unkind.Call) -> Iterator[tuple[str, str]]:
    yield "policy", call.params["PolicyName"]


@unkind.refuses("iam", *OF_ROLE, "AddRoleToInstanceProfile", "RemoveRoleFromInstanceProfile")
def _needs_role(call: unkind.Call) -> Refusal:
    name = call.params.get("RoleName")
    return (404, "NoSuchEntity", f"The role with name {name} cannot be found.") if call.waits_for("role", name) else None


@unkind.refuses("iam", "AddRoleToInstanceProfile", "RemoveRoleFromInstanceProfile", "DeleteInstanceProfile", "TagInstanceProfile")
def _needs_profile(call: unkind.Call) -> Refusal:
    name = call.params.get("InstanceProfileName")
    return (404, "NoSuchEntity", f"Instance Profile {name} cannot be found.") if call.waits_for("profile", name) else None


@unkind.refuses("iam", "AttachRolePolicy", "DetachRolePolicy", "CreatePolicyVersion", "DeletePolicy", "DeletePolicyVersion", "SetDefaultPolicyVersion")
def _needs_policy(call: unkind.Call) -> Refusal:
    arn = call.params.get("PolicyArn")
    own = (arn or "").split(":")[4:5] == [call.account]
    return (404, "NoSuchEntity", f"Policy {arn} does not exist or is not attachable.") if own and call.waits_for("policy", last(arn)) else None


@unkind.refuses("lambda", "CreateFunction", "UpdateFunctionConfiguration")
def _lambda_needs_role(call: unkind.Call) -> Refusal:
    if "Role" in call.params and call.waits_for("role", last(call.params["Role"])):
        return 400, "InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda."
    return None


@unkind.refuses("lambda", "CreateFunction", "UpdateFunctionConfiguration")
def _lambda_needs_role_policy(call: unkind.Call) -> Refusal:
    queue = (call.params.get("DeadLetterConfig") or {}).get("TargetArn")
    if queue and call.waits_for("role_policy", last(call.params.get("Role")) or _role_of_function(call)):
        return 400, "InvalidParameterValueException", "The provided execution role does not have permissions to call SendMessage on SQS"
    return None


@unkind.refuses("lambda", "PutFunctionEventInvokeConfig", "UpdateFunctionEventInvokeConfig")
def _destination_needs_role_policy(call: unkind.Call) -> Refusal:
    """What Lambda says of a role that may not send, see lambda_functions.py."""
    destination = ((call.params.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination", "")
    role = _role_of_function(call)
    if destination and (call.waits_for("role", role) or call.waits_for("role_policy", role)):
        return 400, "InvalidParameterValueException", f"The function execution role does not have permissions to call SendMessage on {destination}"
    return None


def _role_of_function(call: unkind.Call) -> str:
    try:
        return last(lambda_backends[call.account][call.region].get_function(last(call.params.get("FunctionName"))).role)
    except UnknownFunctionException:
        return ""


@unkind.refuses("ssm", "UpdateServiceSetting")
def _setting_needs_role(call: unkind.Call) -> Refusal:
    """What Systems Manager says of the role of an activation; of the setting, nobody has written it down.

    https://github.com/hashicorp/terraform-provider-aws/issues/27952
    """
    path = call.params.get("SettingValue", "")
    if not call.waits_for("role", last(path)):
        return None
    arn = f"arn:{get_partition(call.region)}:iam::{call.account}:role/{path}"
    return 400, "ValidationException", f"Nonexistent role or missing ssm service principal in trust policy: {arn}"


@unkind.refuses("events", "PutTargets")
def _target_needs_role(call: unkind.Call) -> Refusal:
    """In the words of PutRule, which checks its RoleArn alike: https://github.com/Miserlou/Zappa/issues/381"""
    for target in call.params.get("Targets", []):
        arn = target.get("RoleArn")
        if arn and call.waits_for("role", last(arn)):
            return 400, "ValidationException", f"Provided role '{arn}' cannot be assumed by principal 'events.amazonaws.com'."
    return None


@unkind.refuses("ec2", "AssociateIamInstanceProfile", "ReplaceIamInstanceProfileAssociation", "RunInstances")
def _ec2_needs_profile(call: unkind.Call) -> Refusal:
    """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/troubleshooting-iam.html"""
    given = call.params.get("IamInstanceProfile") or {}
    name = given.get("Name") or last(given.get("Arn"))
    if call.waits_for("profile", name) or call.waits_for("profile_role", name):
        return 400, "InvalidParameterValue", f"Value ({name}) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name"
    return None


@unkind.refuses("sts", "AssumeRole")
def _assume_needs_role(call: unkind.Call) -> Refusal:
    arn = call.params.get("RoleArn", "")
    if arn.count(":") == 5 and unkind.is_young(arn.split(":")[4], "role", last(arn)):
        who = f"arn:{get_partition(call.region)}:iam::{call.account}:user/sandbox"
        return 403, "AccessDenied", f"User: {who} is not authorized to perform: sts:AssumeRole on resource: {arn}"
    return None


# KMS: https://docs.aws.amazon.com/kms/latest/developerguide/accessing-kms.html#programming-eventual-consistency
@unkind.creates("kms", "CreateKey")
def _key(call: unkind.Call) -> Iterator[tuple[str, str]]:
    yield "key", call.response["KeyMetadata"]["KeyId"]


@unkind.creates("kms", "CreateKey", "PutKeyPolicy")
def _key_policy(call: unkind.Call) -> Iterator[tuple[str, str]]:
    yield "key_policy", call.response.get("KeyMetadata", {}).get("KeyId") or last(call.params["KeyId"])


@unkind.creates("kms", "CreateAlias")
def _alias(call: unkind.Call) -> Iterator[tuple[str, str]]:
    yield "alias", call.params["AliasName"]


@unkind.refuses("kms", *OF_KEY, "CreateAlias", "UpdateAlias")
def _needs_key(call: unkind.Call) -> Refusal:
    given = call.params.get("TargetKeyId") or call.params.get("KeyId") or ""
    alias = f"alias/{given.partition('alias/')[2]}"
    if "alias/" in given and call.waits_for("alias", alias):
        return 400, "NotFoundException", f"Alias arn:{get_partition(call.region)}:kms:{call.region}:{call.account}:{alias} is not found."
    key = last(given)
    if call.waits_for("key", key):
        return 400, "NotFoundException", f"Key 'arn:{get_partition(call.region)}:kms:{call.region}:{call.account}:key/{key}' does not exist"
    return None


@unkind.refuses("kms", "UpdateAlias", "DeleteAlias")
def _needs_alias(call: unkind.Call) -> Refusal:
    name = call.params.get("AliasName")
    arn = f"arn:{get_partition(call.region)}:kms:{call.region}:{call.account}:{name}"
    return (400, "NotFoundException", f"Alias {arn} is not found.") if call.waits_for("alias", name) else None


@unkind.refuses("kms", "CreateKey", "PutKeyPolicy")
def _policy_needs_principals(call: unkind.Call) -> Refusal:
    """"The principals in the key policy must exist and be visible to KMS. When you create a new principal .., you might need
    to enforce a delay before including the new principal in a key policy" (API_CreateKey, Policy)."""
    if all(_is_there(arn) for arn in _principals(call.params.get("Policy"))):
        return None
    return 400, "MalformedPolicyDocumentException", "Policy contains a statement with one or more invalid principals."


def _principals(policy: str | None) -> Iterator[str]:
    try:
        statements = as_list(json.loads(policy or "{}").get("Statement", []))
    except (ValueError, AttributeError):
        # KMS itself says what is wrong with it.
        return
    for statement in statements:
        principal = statement.get("Principal") if isinstance(statement, dict) else None
        if isinstance(principal, dict):
            yield from as_list(principal.get("AWS", []))


def _is_there(arn: Any) -> bool:
    found = re.fullmatch(r"arn:([\w-]+):iam::(\d{12}):(role|user)/(.+)", arn) if isinstance(arn, str) else None
    if not found:
        return True
    partition, account, kind, path = found.groups()
    iam = iam_backends[account][partition]
    things = iam.roles.values() if kind == "role" else iam.users.values()
    return any(thing.arn == arn for thing in things) and not unkind.is_young(account, kind, last(path))


@unkind.refuses("logs", "CreateLogGroup", "AssociateKmsKey")
def _logs_need_key(call: unkind.Call) -> Refusal:
    """What logs says of a key that it cannot use, see logs.py."""
    key, group = last(call.params.get("kmsKeyId")), call.params.get("logGroupName")
    if call.waits_for("key", key) or call.waits_for("key_policy", key):
        arn = f"arn:{get_partition(call.region)}:logs:{call.region}:{call.account}:log-group:{group}"
        return 400, "AccessDeniedException", f"The specified KMS key does not exist or is not allowed to be used with Arn '{arn}'"
    return None


# S3: https://github.com/hashicorp/terraform-provider-aws/issues/7628, https://github.com/ansible/ansible/pull/67811
@unkind.creates("s3", "CreateBucket")
def _bucket(call: unkind.Call) -> Iterator[tuple[str, str]]:
    yield "bucket", call.params["Bucket"]


@unkind.creates("s3", "PutBucketPolicy")
def _bucket_policy(call: unkind.Call) -> Iterator[tuple[str, str]]:
    yield "bucket_policy", call.params["Bucket"]


@unkind.refuses("s3", *OF_BUCKET)
def _needs_bucket(call: unkind.Call) -> Refusal:
    """Both answers are seen for the same operation, so the seed says which."""
    bucket = call.params.get("Bucket")
    if not call.waits_for("bucket", bucket):
        return None
    if unkind.chance(call.account, "s3.refusal", bucket) < 0.5:
        return 404, "NoSuchBucket", "The specified bucket does not exist"
    return 409, "OperationAborted", "A conflicting conditional operation is currently in progress against this resource. Please try again."


# CloudTrail: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-data-consistency.html
@unkind.creates("cloudtrail", "CreateTrail")
def _trail(call: unkind.Call) -> Iterator[tuple[str, str]]:
    yield "trail", f"{call.region}/{call.params['Name']}"


@unkind.refuses("cloudtrail", "CreateTrail", "UpdateTrail")
def _trail_needs_bucket(call: unkind.Call) -> Refusal:
    bucket = call.params.get("S3BucketName")
    if call.waits_for("bucket", bucket):
        return 400, "S3BucketDoesNotExistException", f"S3 bucket {bucket} does not exist!"
    if call.waits_for("bucket_policy", bucket):
        return 400, "InsufficientS3BucketPolicyException", f"Incorrect S3 bucket policy is detected for bucket: {bucket}"
    return None


@unkind.refuses("cloudtrail", *OF_TRAIL)
def _needs_trail(call: unkind.Call) -> Refusal:
    name = last(call.params.get("TrailName") or call.params.get("Name") or call.params.get("ResourceId"))
    if call.waits_for("trail", f"{call.region}/{name}"):
        return 400, "TrailNotFoundException", f"Unknown trail: {name} for the user: {call.account}"
    return None


# SQS: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteQueue.html
@unkind.creates("sqs", "DeleteQueue")
def _deleted_queue(call: unkind.Call) -> Iterator[tuple[str, str]]:
    yield "deleted_queue", f"{call.region}/{last(call.params['QueueUrl'])}"


@unkind.refuses("sqs", "CreateQueue")
def _needs_free_name(call: unkind.Call) -> Refusal:
    if call.waits_for("deleted_queue", f"{call.region}/{call.params.get('QueueName')}"):
        return 400, "AWS.SimpleQueueService.QueueDeletedRecently", (
            "You must wait 60 seconds after deleting a queue before you can create another with the same name.")
    return None


# Lambda: https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html; the states are in lambda_functions.py
@unkind.refuses("lambda", *OF_FUNCTION)
def _needs_function(call: unkind.Call) -> Refusal:
    name = last(call.params.get("FunctionName"))
    if call.waits_for("function", f"{call.region}/{name}"):
        return 409, "ResourceConflictException", "The operation cannot be performed at this time. The function is currently in the following state: Pending"
    if call.operation in (*UPDATES, "PublishVersion") and call.waits_for("update", f"{call.region}/{name}"):
        arn = f"arn:{get_partition(call.region)}:lambda:{call.region}:{call.account}:function:{name}"
        return 409, "ResourceConflictException", f"The operation cannot be performed at this time. An update is in progress for resource: {arn}"
    return None


# Organizations: https://docs.aws.amazon.com/organizations/latest/APIReference/API_EnablePolicyType.html; the states are
# in organizations.py
@unkind.refuses("organizations", "AttachPolicy", "DisablePolicyType", "EnablePolicyType")
def _needs_policy_type(call: unkind.Call) -> Refusal:
    kinds = ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY", "TAG_POLICY", "BACKUP_POLICY", "AISERVICES_OPT_OUT_POLICY")
    wanted = call.params.get("PolicyType")
    for kind in [wanted] if wanted else kinds:
        if call.waits_for("policy_type", kind):
            if call.operation == "AttachPolicy":
                return 400, "PolicyTypeNotEnabledException", "The specified policy type isn't currently enabled in this root."
            return 400, "PolicyChangesInProgressException", "Changes to the effective policy are in progress, and its contents can't be returned. Try the operation again later."
    return None
