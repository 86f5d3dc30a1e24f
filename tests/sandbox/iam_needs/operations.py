"""Owns the operations whose name is not that of their action, that need several, or that need more besides.

Each row names the page it is from. SAR is https://docs.aws.amazon.com/service-authorization/latest/reference/,
S3P https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html.
"""

import re

from moto.iam.models import iam_backends
from moto.s3.models import s3_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.sqs.models import sqs_backends

from . import Need, Unmapped, keys, reference, resources

# "No permissions are required to perform this operation": STS API_GetCallerIdentity, API_GetSessionToken.
FREE = {("sts", "GetCallerIdentity"), ("sts", "GetSessionToken")}

# S3P, "S3 API operations" beside "Policy actions".
S3_ACTIONS = {
    "AbortMultipartUpload": "AbortMultipartUpload",
    "CompleteMultipartUpload": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteBucketAnalyticsConfiguration": "PutAnalyticsConfiguration",
    "DeleteBucketCors": "PutBucketCORS",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketIntelligentTieringConfiguration": "PutIntelligentTieringConfiguration",
    "DeleteBucketInventoryConfiguration": "PutInventoryConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketMetricsConfiguration": "PutMetricsConfiguration",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketReplication": "PutReplicationConfiguration",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeleteBucketWebsite": "DeleteBucketWebsite",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "GetBucketAnalyticsConfiguration": "GetAnalyticsConfiguration",
    "GetBucketCors": "GetBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketIntelligentTieringConfiguration": "GetIntelligentTieringConfiguration",
    "GetBucketInventoryConfiguration": "GetInventoryConfiguration",
    "GetBucketLifecycle": "GetLifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketMetricsConfiguration": "GetMetricsConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetObjectAttributes": "GetObjectAttributes",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListBucketAnalyticsConfigurations": "GetAnalyticsConfiguration",
    "ListBucketIntelligentTieringConfigurations": "GetIntelligentTieringConfiguration",
    "ListBucketInventoryConfigurations": "GetInventoryConfiguration",
    "ListBucketMetricsConfigurations": "GetMetricsConfiguration",
    "ListBuckets": "ListAllMyBuckets",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListParts": "ListMultipartUploadParts",
    "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
    "PutBucketAnalyticsConfiguration": "PutAnalyticsConfiguration",
    "PutBucketCors": "PutBucketCORS",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketIntelligentTieringConfiguration": "PutIntelligentTieringConfiguration",
    "PutBucketInventoryConfiguration": "PutInventoryConfiguration",
    "PutBucketLifecycle": "PutLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketMetricsConfiguration": "PutMetricsConfiguration",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutBucketReplication": "PutReplicationConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "SelectObjectContent": "GetObject",
    "UploadPart": "PutObject",
}
ACTIONS = {
    **{("s3", operation): [f"s3:{action}"] for operation, action in S3_ACTIONS.items()},
    # SAR list_amazonsqs.html: "you can use the action for the batch operation as well".
    ("sqs", "ChangeMessageVisibilityBatch"): ["sqs:ChangeMessageVisibility"],
    ("sqs", "DeleteMessageBatch"): ["sqs:DeleteMessage"],
    ("sqs", "SendMessageBatch"): ["sqs:SendMessage"],
    # Lambda API_Invoke: "This operation requires permission for the lambda:InvokeFunction action."
    ("lambda", "Invoke"): ["lambda:InvokeFunction"],
    ("lambda", "InvokeWithResponseStream"): ["lambda:InvokeFunction"],
}


def actions(call):
    """Returns the names of the actions that an operation needs on its resources; raises Unmapped."""
    renamed = ACTIONS.get((call.service, call.operation))
    if renamed:
        return renamed
    known = reference.action(f"{reference.PREFIX.get(call.service, call.service)}:{call.operation}")
    if known is None:
        raise Unmapped(f"which actions {call.service}:{call.operation} needs")
    return [known.name]


# Operations that no rule covers.


def _create_bucket(call):
    # API_CreateBucket, "Permissions": s3:CreateBucket; an ACL, object lock or ownership needs more.
    bucket = resources.bucket(call)
    found = [Need("s3:CreateBucket", bucket)]
    if call.params.get("ACL") or any(call.params.get(f"Grant{kind}") for kind in ("FullControl", "Read", "ReadACP", "Write", "WriteACP")):
        found.append(Need("s3:PutBucketAcl", bucket))
    if call.params.get("ObjectLockEnabledForBucket"):
        found += [Need("s3:PutBucketObjectLockConfiguration", bucket), Need("s3:PutBucketVersioning", bucket)]
    if call.params.get("ObjectOwnership"):
        found.append(Need("s3:PutBucketOwnershipControls", bucket))
    return found


def _get_object(call):
    # S3P: GetObject and HeadObject of a version need s3:GetObjectVersion.
    versioned = "Version" if call.params.get("VersionId") else ""
    return [Need(f"s3:GetObject{versioned}", resources.s3_object(call))]


def _put_object(call):
    # S3P, PutObject: with an ACL, tags or object lock.
    resource = resources.s3_object(call)
    found = [Need("s3:PutObject", resource)]
    if call.params.get("ACL") or any(key.startswith("Grant") for key in call.params):
        found.append(Need("s3:PutObjectAcl", resource))
    if call.params.get("Tagging"):
        found.append(Need("s3:PutObjectTagging", resource))
    if call.params.get("ObjectLockMode"):
        found.append(Need("s3:PutObjectRetention", resource))
    if call.params.get("ObjectLockLegalHoldStatus"):
        found.append(Need("s3:PutObjectLegalHold", resource))
    return found


def _copy_object(call):
    # S3P, CopyObject: s3:GetObject on the source, s3:PutObject on the destination.
    source = call.params["CopySource"]
    source = f"{source['Bucket']}/{source['Key']}" if isinstance(source, dict) else source.lstrip("/").partition("?")[0]
    return [Need("s3:GetObject", f"arn:{call.partition}:s3:::{source}"), *_put_object(call)]


def _delete_object(call):
    # S3P: DeleteObject of a version needs s3:DeleteObjectVersion.
    versioned = "Version" if call.params.get("VersionId") else ""
    found = [Need(f"s3:DeleteObject{versioned}", resources.s3_object(call))]
    if call.params.get("BypassGovernanceRetention"):
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html#object-lock-managing-bypass
        found.append(Need("s3:BypassGovernanceRetention", resources.s3_object(call)))
    return found


def _delete_objects(call):
    found = []
    for entry in call.params.get("Delete", {}).get("Objects", []):
        versioned = "Version" if entry.get("VersionId") else ""
        found.append(Need(f"s3:DeleteObject{versioned}", f"{resources.bucket(call)}/{entry['Key']}"))
    return found


def _object_version(action):
    def own(call):
        versioned = "Version" if call.params.get("VersionId") else ""
        return [Need(f"s3:{action[0]}Object{versioned}{action[1]}", resources.s3_object(call))]

    return own


def _re_encrypt(call):
    # KMS API_ReEncrypt: kms:ReEncryptFrom on the source key, kms:ReEncryptTo on the destination.
    # The source is in the ciphertext unless it is named.
    if "SourceKeyId" not in call.params:
        raise Unmapped("which key kms:ReEncrypt decrypts with, unless SourceKeyId names it")
    return [
        Need("kms:ReEncryptFrom", resources.key(call, call.params["SourceKeyId"])),
        Need("kms:ReEncryptTo", resources.key(call, call.params["DestinationKeyId"])),
    ]


def _decrypt(call):
    # KMS API_Decrypt: the key need not be named, it is in the ciphertext. moto writes its id in front of it.
    named = call.params.get("KeyId")
    if not named:
        named = resources.key_of_ciphertext(call)
    return [Need("kms:Decrypt", resources.key(call, named))]


def _alias_and_key(call):
    # SAR list_awskeymanagementservice.html: kms:CreateAlias, UpdateAlias and DeleteAlias are needed on the alias and on
    # the key; of UpdateAlias on both keys (KMS alias-access.html).
    action = f"kms:{call.operation}"
    alias = call.arn("kms", call.params["AliasName"])
    found = [resources.key(call, call.params["TargetKeyId"])] if "TargetKeyId" in call.params else []
    if call.operation != "CreateAlias":
        before = resources.key(call, call.params["AliasName"])
        # An alias that nobody made is about no key.
        found += [before] if before not in (alias, *found) else []
    return [Need(action, alias), *(Need(action, key) for key in found)]


def _host_management(call):
    # API_RegisterDefaultHostManagementConfiguration: "ssm:GetServiceSetting, ssm:UpdateServiceSetting, iam:GetRole and
    # iam:PassRole; for a service-managed role iam:CreateRole and iam:AttachRolePolicy as well".
    setting = call.arn("ssm", "servicesetting/ssm/managed-instance/default-ec2-instance-management-role")
    found = [Need("ssm:GetServiceSetting", setting), Need("ssm:UpdateServiceSetting", setting)]
    if call.operation.startswith("Deregister"):
        return [Need("ssm:GetServiceSetting", setting), Need("ssm:ResetServiceSetting", setting)]
    role = call.params.get("RoleArn") or call.arn("iam", "role/service-role/AWSSystemsManagerDefaultEC2InstanceManagementRole", "")
    if call.params.get("PermissionModel") == "SERVICE_MANAGED":
        found += [Need("iam:CreateRole", role), Need("iam:AttachRolePolicy", role)]
    return [*found, Need("iam:GetRole", role), _pass(role, "ssm.amazonaws.com")]


def _describe_log_groups(call):
    # The reference names no resource, yet denials quote this one, whatever prefix was asked for, so that `log-group:*` is
    # enough and the ARN of one group is not: https://github.com/hashicorp/terraform-provider-aws/issues/8804,
    # https://github.com/maxbanton/cwh/pull/83
    return [Need("logs:DescribeLogGroups", call.arn("logs", "log-group::log-stream:"))]


def _own_user(action):
    """IAM: "if you do not specify a user name, IAM determines it from the access key": the caller's own user."""

    def own(call):
        return [Need(f"iam:{action}", resources.user(call, call.params.get("UserName")))]

    return own


OWN = {
    ("s3", "CreateBucket"): _create_bucket,
    ("s3", "GetObject"): _get_object,
    ("s3", "HeadObject"): _get_object,
    ("s3", "PutObject"): _put_object,
    ("s3", "CopyObject"): _copy_object,
    ("s3", "DeleteObject"): _delete_object,
    ("s3", "DeleteObjects"): _delete_objects,
    ("s3", "GetObjectTagging"): _object_version(("Get", "Tagging")),
    ("s3", "PutObjectTagging"): _object_version(("Put", "Tagging")),
    ("s3", "DeleteObjectTagging"): _object_version(("Delete", "Tagging")),
    ("s3", "GetObjectAcl"): _object_version(("Get", "Acl")),
    ("s3", "PutObjectAcl"): _object_version(("Put", "Acl")),
    ("kms", "ReEncrypt"): _re_encrypt,
    ("kms", "Decrypt"): _decrypt,
    ("kms", "CreateAlias"): _alias_and_key,
    ("kms", "UpdateAlias"): _alias_and_key,
    ("kms", "DeleteAlias"): _alias_and_key,
    ("logs", "DescribeLogGroups"): _describe_log_groups,
    ("ssm", "RegisterDefaultHostManagementConfiguration"): _host_management,
    ("ssm", "DeregisterDefaultHostManagementConfiguration"): _host_management,
    ("iam", "GetUser"): _own_user("GetUser"),
    ("iam", "CreateAccessKey"): _own_user("CreateAccessKey"),
    ("iam", "DeleteAccessKey"): _own_user("DeleteAccessKey"),
    ("iam", "ListAccessKeys"): _own_user("ListAccessKeys"),
    ("iam", "UpdateAccessKey"): _own_user("UpdateAccessKey"),
}


# What is needed besides.


def _pass(role, service, call=None, associated=None):
    """iam:PassRole with its keys: UG id_roles_use_passrole.html, SAR list_awsidentityandaccessmanagementiam.html."""
    if call is not None:
        # Some services take the name where others want the ARN.
        role = resources.role(call, role)
    more = {"iam:associatedresourcearn": [associated]} if associated else {}
    return Need("iam:PassRole", role, {"iam:passedtoservice": [service]} | more)


def _passes(parameter, service):
    """A role in a parameter is passed to a service."""

    def besides(call):
        role = call.params.get(parameter)
        return [_pass(role, service, call)] if role else []

    return besides


def _create_function(call):
    # Lambda API_CreateFunction, lambda-permissions; SAR list_awslambda.html, dependent iam:PassRole. Tags and layers too.
    function = resources.function(call, call.params.get("FunctionName"))
    found = [_pass(call.params["Role"], "lambda.amazonaws.com", call, function)] if call.params.get("Role") else []
    if call.params.get("Tags"):
        found.append(Need("lambda:TagResource", function, _tag_keys(call.params["Tags"])))
    found += [Need("lambda:GetLayerVersion", layer) for layer in call.params.get("Layers", [])]
    return found


def _update_function_configuration(call):
    found = _passes("Role", "lambda.amazonaws.com")(call)
    return found + [Need("lambda:GetLayerVersion", layer) for layer in call.params.get("Layers", [])]


def _put_targets(call):
    # EventBridge eb-use-identity-based.html: iam:PassRole for targets with a RoleArn.
    return [_pass(target["RoleArn"], "events.amazonaws.com", call) for target in call.params.get("Targets", []) if target.get("RoleArn")]


def _put_rule(call):
    rule = resources.of(call, reference.action("events:PutRule"))[0]
    found = [_pass(call.params["RoleArn"], "events.amazonaws.com", call)] if call.params.get("RoleArn") else []
    if call.params.get("Tags"):
        found.append(Need("events:TagResource", rule, _tag_keys(call.params["Tags"])))
    return found


def _update_service_setting(call):
    # managed-instances-default-host-management.html: "iam:PassRole ... with iam:PassedToService ssm.amazonaws.com".
    value = call.params.get("SettingValue", "")
    is_role = call.params.get("SettingId", "").endswith("default-ec2-instance-management-role") and value not in ("", "$None")
    return [_pass(value, "ssm.amazonaws.com", call)] if is_role else []


def _profile_roles(parameter):
    def besides(call):
        # EC2: "You must have iam:PassRole for the role of the instance profile" (UG id_roles_use_switch-role-ec2_instance-profiles.html).
        profile = call.params.get(parameter) or {}
        name = profile.get("Name") or profile.get("Arn", "").rpartition("/")[2]
        known = iam_backends[call.account][call.partition].instance_profiles.values()
        roles = [role for entry in known if entry.name == name for role in entry.roles]
        return [_pass(role.arn, "ec2.amazonaws.com") for role in roles]

    return besides


def _run_instances(call):
    found = _profile_roles("IamInstanceProfile")(call)
    # EC2 supported-iam-actions-tagging.html: tags on creation need ec2:CreateTags.
    for specification in call.params.get("TagSpecifications", []):
        tags = specification.get("Tags", [])
        created = _tag_keys(tags) | {"ec2:createaction": ["RunInstances"]}
        found.append(Need("ec2:CreateTags", call.arn("ec2", f"{specification['ResourceType']}/*"), created))
    return found


def _add_role_to_profile(call):
    # SAR list_awsidentityandaccessmanagementiam.html: AddRoleToInstanceProfile depends on iam:PassRole.
    return [_pass(call.params["RoleName"], "ec2.amazonaws.com", call)]


def _trail(call):
    # CloudTrail cloudtrail-required-policy-for-cloudwatch-logs.html: iam:PassRole on the role for the log group;
    # SAR list_awscloudtrail.html: the dependent actions are for organization trails and tags.
    trail = resources.trail(call, call.params.get("Name"))
    found = _passes("CloudWatchLogsRoleArn", "cloudtrail.amazonaws.com")(call)
    if call.params.get("TagsList"):
        found.append(Need("cloudtrail:AddTags", trail, _tag_keys(call.params["TagsList"])))
    if call.params.get("IsOrganizationTrail"):
        role = call.arn("iam", "role/aws-service-role/cloudtrail.amazonaws.com/AWSServiceRoleForCloudTrail", "")
        found += [Need("organizations:ListAWSServiceAccessForOrganization", "*"), Need("iam:GetRole", role)]
        found += _service_linked_role(call, role, "cloudtrail.amazonaws.com")
    return found


def _service_linked_role(call, role, service):
    """The caller creates a service-linked role that is not there yet: UG using-service-linked-roles.html."""
    if any(known.arn == role for known in iam_backends[call.account][call.partition].roles.values()):
        return []
    return [Need("iam:CreateServiceLinkedRole", role, {"iam:awsservicename": [service]})]


def _create_connection(call):
    # EventBridge using-service-linked-roles-service-action-1.html: "When you create a connection, EventBridge creates the
    # service-linked role for you", which keeps the secret.
    role = "role/aws-service-role/apidestinations.events.amazonaws.com/AWSServiceRoleForAmazonEventBridgeApiDestinations"
    return _service_linked_role(call, call.arn("iam", role, ""), "apidestinations.events.amazonaws.com")


def _send_command(call):
    # SNS: "ServiceRoleArn: the ARN of the IAM service role to use to publish SNS notifications" (API_SendCommand);
    # monitoring-sns-notifications.html: the user needs iam:PassRole on it.
    return _passes("ServiceRoleArn", "ssm.amazonaws.com")(call)


def _task_role(call):
    # Automation and State Manager: automation-setup-iam.html, "AutomationAssumeRole" or AssumeRole needs iam:PassRole.
    role = call.params.get("AssumeRole") or next(iter(call.params.get("Parameters", {}).get("AutomationAssumeRole", [])), None)
    return [_pass(role, "ssm.amazonaws.com", call)] if role else []


def _associations_of_nodes(call):
    return _passes("IamRole", "ssm.amazonaws.com")(call)


def _create_key(call):
    # KMS API_CreateKey, "Required permissions": "To use the Tags parameter, kms:TagResource"; multi-Region keys:
    # multi-region-keys-auth.html, iam:CreateServiceLinkedRole.
    found = []
    if call.params.get("Tags"):
        found.append(Need("kms:TagResource", call.arn("kms", "key/*"), _tag_keys(call.params["Tags"])))
    if call.params.get("MultiRegion"):
        role = call.arn("iam", "role/aws-service-role/mrk.kms.amazonaws.com/AWSServiceRoleForKeyManagementServiceMultiRegionKeys", "")
        found += _service_linked_role(call, role, "mrk.kms.amazonaws.com")
    return found


def _tagged(action):
    """IAM and others: tags on creation need the tagging action as well (UG id_tags_roles.html and its sisters)."""

    def besides(call):
        tags = call.params.get("Tags") or call.params.get("tags")
        if not tags:
            return []
        own = resources.of(call, reference.action(f"{call.service}:{call.operation}"))
        return [Need(action, arn, _tag_keys(tags)) for arn in own]

    return besides


def _queue_key(*actions):
    # SQS sqs-key-management.html: producers need kms:GenerateDataKey and kms:Decrypt, consumers kms:Decrypt.
    def besides(call):
        name = call.params.get("QueueUrl", "").rpartition("/")[2]
        queue = sqs_backends[call.account][call.region].queues.get(name)
        key = queue and queue.kms_master_key_id
        if not key or key.startswith("alias/aws/"):
            return []
        context = {"kms:encryptioncontext:aws:sqs:arn": [queue.queue_arn]}
        return [Need(f"kms:{action}", resources.key(call, key), context, "sqs") for action in actions]

    return besides


def _bucket_key(action):
    # S3 UsingKMSEncryption.html: "to upload, you must have permission to kms:GenerateDataKey on the key; to download,
    # to kms:Decrypt"; the encryption context is the object's ARN, the bucket's with a bucket key.
    def besides(call):
        name = call.params.get("Bucket", "")
        owner = s3_backends.bucket_accounts.get(name)
        if not owner:
            return []
        bucket = s3_backends[owner[1]][owner[0]].buckets.get(name)
        key = resources.s3_key_of(call, bucket, action)
        if not key:
            return []
        resource = bucket.arn if resources.uses_bucket_key(bucket, call) else f"{bucket.arn}/{call.params.get('Key', '')}"
        return [Need(f"kms:{action}", resources.key(call, key), {"kms:encryptioncontext:aws:s3:arn": [resource]}, "s3")]

    return besides


def _parameter_key(call):
    # Parameter Store sysman-paramstore-access.html and KMS services-parameter-store.html: kms:Encrypt (standard tier) or
    # kms:GenerateDataKey (advanced) to write a SecureString.
    key = call.params.get("KeyId")
    if call.params.get("Type") != "SecureString" or not key or key == "alias/aws/ssm":
        return []
    action = "kms:GenerateDataKey" if call.params.get("Tier") == "Advanced" else "kms:Encrypt"
    arn = call.arn("ssm", f"parameter/{call.params['Name'].lstrip('/')}")
    return [Need(action, resources.key(call, key), {"kms:encryptioncontext:parameter_arn": [arn]}, "ssm")]


def _decrypted_parameters(call):
    found = []
    if call.params.get("WithDecryption"):
        for name, key in resources.secure_parameters(call):
            arn = call.arn("ssm", f"parameter/{name.lstrip('/')}")
            found.append(Need("kms:Decrypt", resources.key(call, key), {"kms:encryptioncontext:parameter_arn": [arn]}, "ssm"))
    return found


def _secret_key(call):
    # Secrets Manager security-encryption.html: "To use a customer managed key, the user or role must have kms:Decrypt and
    # kms:GenerateDataKey"; to read, it is Decrypt. The encryption context has the ARN and the version of the secret.
    known = secretsmanager_backends[call.account][call.region].secrets.values()
    named = call.params.get("SecretId", "")
    secret = next((one for one in known if named in (one.name, one.arn)), None)
    if secret is None or not secret.kms_key_id or "alias/aws/" in secret.kms_key_id:
        return []
    context = {"kms:encryptioncontext:secretarn": [secret.arn]}
    return [Need("kms:Decrypt", resources.key(call, secret.kms_key_id), context, "secretsmanager")]


def _stack(call):
    # CloudFormation using-iam-servicerole.html: iam:PassRole on the role that a stack is made with.
    return _passes("RoleARN", "cloudformation.amazonaws.com")(call)


def _stack_set(call):
    # CloudFormation stacksets-prereqs-self-managed.html: iam:PassRole on the administration role.
    return _passes("AdministrationRoleARN", "cloudformation.amazonaws.com")(call)


def _assume_role(call):
    # SAR list_awssecuritytokenservice.html: session tags need sts:TagSession, a source identity sts:SetSourceIdentity.
    role, found = call.params.get("RoleArn", ""), []
    if call.params.get("Tags"):
        tagged = _tag_keys(call.params["Tags"]) | {"sts:transitivetagkeys": list(call.params.get("TransitiveTagKeys", []))}
        found.append(Need("sts:TagSession", role, tagged))
    if call.params.get("SourceIdentity"):
        found.append(Need("sts:SetSourceIdentity", role, {"sts:sourceidentity": [call.params["SourceIdentity"]]}))
    return found


def _query(call):
    # Athena fine-grained-access-to-glue-resources.html, limitations and examples: whoever asks about a table needs the catalog, the
    # database and the table, glue:GetTable and the glue:GetDatabase of its ancestors; to make one, glue:CreateTable as well.
    named = re.search(r"(?:TABLE IF NOT EXISTS|FROM) (?:(\w+)\.)?(\w+)", call.params.get("QueryString", ""))
    if not named:
        # SELECT 1
        return _query_output(call)
    database, table = named.group(1) or "default", named.group(2)
    objects = [call.arn("glue", f"table/{database}/{table}"), call.arn("glue", f"database/{database}"), call.arn("glue", "catalog")]
    actions = ["glue:GetDatabase", "glue:GetTable"] + ["glue:CreateTable"] * call.params["QueryString"].startswith("CREATE")
    found = [Need(action, arn, via="athena") for action in actions for arn in (objects if action != "glue:GetDatabase" else objects[1:])]
    return found + _query_output(call)


def _query_output(call):
    # Athena querying-iam-service-role / querying.html: the caller's own permissions read the data and write the results.
    location = (call.params.get("ResultConfiguration") or {}).get("OutputLocation", "")
    if not location.startswith("s3://"):
        return []
    bucket, _, prefix = location[5:].partition("/")
    arn = f"arn:{call.partition}:s3:::{bucket}"
    return [Need("s3:GetBucketLocation", arn, via="athena"), Need("s3:PutObject", f"{arn}/{prefix.rstrip('/')}/*" if prefix else f"{arn}/*", via="athena")]


def _tag_keys(tags):
    return keys.of_tags(tags)


BESIDES = {
    ("lambda", "CreateFunction"): _create_function,
    ("lambda", "UpdateFunctionConfiguration"): _update_function_configuration,
    ("events", "PutTargets"): _put_targets,
    ("events", "PutRule"): _put_rule,
    ("events", "CreateConnection"): _create_connection,
    ("events", "CreateEventBus"): _tagged("events:TagResource"),
    ("ssm", "UpdateServiceSetting"): _update_service_setting,
    ("ssm", "SendCommand"): _send_command,
    ("ssm", "StartAutomationExecution"): _task_role,
    ("ssm", "CreateAssociation"): _task_role,
    ("ssm", "UpdateAssociation"): _task_role,
    ("ssm", "CreateActivation"): _associations_of_nodes,
    ("ssm", "CreateDocument"): _tagged("ssm:AddTagsToResource"),
    ("ssm", "PutParameter"): _parameter_key,
    ("ssm", "GetParameter"): _decrypted_parameters,
    ("ssm", "GetParameters"): _decrypted_parameters,
    ("ssm", "GetParametersByPath"): _decrypted_parameters,
    ("ec2", "AssociateIamInstanceProfile"): _profile_roles("IamInstanceProfile"),
    ("ec2", "ReplaceIamInstanceProfileAssociation"): _profile_roles("IamInstanceProfile"),
    ("ec2", "RunInstances"): _run_instances,
    ("iam", "AddRoleToInstanceProfile"): _add_role_to_profile,
    ("iam", "CreateRole"): _tagged("iam:TagRole"),
    ("iam", "CreateUser"): _tagged("iam:TagUser"),
    ("iam", "CreatePolicy"): _tagged("iam:TagPolicy"),
    ("iam", "CreateInstanceProfile"): _tagged("iam:TagInstanceProfile"),
    ("cloudtrail", "CreateTrail"): _trail,
    ("cloudtrail", "UpdateTrail"): _trail,
    ("kms", "CreateKey"): _create_key,
    ("logs", "CreateLogGroup"): _tagged("logs:TagResource"),
    ("organizations", "CreatePolicy"): _tagged("organizations:TagResource"),
    ("organizations", "CreateOrganizationalUnit"): _tagged("organizations:TagResource"),
    ("secretsmanager", "CreateSecret"): _tagged("secretsmanager:TagResource"),
    ("secretsmanager", "GetSecretValue"): _secret_key,
    ("sqs", "CreateQueue"): _tagged("sqs:TagQueue"),
    ("sqs", "SendMessage"): _queue_key("GenerateDataKey", "Decrypt"),
    ("sqs", "SendMessageBatch"): _queue_key("GenerateDataKey", "Decrypt"),
    ("sqs", "ReceiveMessage"): _queue_key("Decrypt"),
    ("s3", "PutObject"): _bucket_key("GenerateDataKey"),
    ("s3", "GetObject"): _bucket_key("Decrypt"),
    ("sts", "AssumeRole"): _assume_role,
    ("cloudformation", "CreateStack"): _stack,
    ("cloudformation", "UpdateStack"): _stack,
    ("cloudformation", "DeleteStack"): _stack,
    ("cloudformation", "CreateChangeSet"): _stack,
    ("cloudformation", "CreateStackSet"): _stack_set,
    ("cloudformation", "UpdateStackSet"): _stack_set,
    ("athena", "StartQueryExecution"): _query,
}
