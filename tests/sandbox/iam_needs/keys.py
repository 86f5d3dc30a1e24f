"""Owns the condition keys of services: what the parameters of a call and the state of a resource say.

The keys of each service are listed in https://docs.aws.amazon.com/service-authorization/latest/reference/ (SAR).
Global keys are `iam_context`'s.
"""

import json

from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends


def of_request(call):
    """Returns the keys of the tags that a call brings."""
    return of_tags(_tags_in(call))


def of_service(call, need):
    """Returns the keys of the service of an action, lower case, for one need of a call."""
    maker = MAKERS.get(need.action.partition(":")[0])
    return {name.lower(): values for name, values in maker(call, need).items() if values} if maker else {}


def of_tags(tags):
    """Returns aws:RequestTag/x and aws:TagKeys of tags in any of AWS's shapes: lists of pairs, or a map."""
    if not tags:
        return {}
    if isinstance(tags, dict):
        pairs = tags.items()
    elif all(isinstance(tag, str) for tag in tags):
        pairs = [(tag, None) for tag in tags]
    else:
        pairs = [(tag.get("Key", tag.get("TagKey", tag.get("key"))), tag.get("Value", tag.get("TagValue", tag.get("value", "")))) for tag in tags]
    pairs = [(key, value) for key, value in pairs if key is not None]
    # Tag keys that differ in case only are one key, as in AWS: condition keys are not case-sensitive.
    return {f"aws:requesttag/{key}".lower(): [str(value)] for key, value in pairs if value is not None} | {"aws:tagkeys": [key for key, _ in pairs]}


def _tags_in(call):
    params = call.params
    for name in ("Tags", "tags", "TagsList", "TagList"):
        if params.get(name):
            return params[name]
    if params.get("TagSpecifications"):
        return [tag for specification in params["TagSpecifications"] for tag in specification.get("Tags", [])]
    if isinstance(params.get("Tagging"), dict):
        return params["Tagging"].get("TagSet")
    for name in ("TagKeys", "tagKeys"):
        if params.get(name):
            return list(params[name])
    return None


def _text(value):
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _given(call, **names):
    """Returns {key: values} of the parameters that were given: key -> parameter."""
    found = {}
    for key, parameter in names.items():
        value = call.params.get(parameter)
        if value is not None and value != "":
            found[key] = [_text(item) for item in value] if isinstance(value, (list, tuple)) else [_text(value)]
    return found


def _prefixed(service, found):
    return {f"{service}:{key}": values for key, values in found.items()}


def _ssm(call, need):
    # SAR list_awssystemsmanager.html
    keys = _prefixed("ssm", _given(call, DocumentType="DocumentType", Overwrite="Overwrite", Recursive="Recursive"))
    if call.operation == "StartSession" and ":document/" not in need.resource:
        # getting-started-sessiondocumentaccesscheck.html: "the system checks that a user has explicit access to the document".
        # The check is always made here, and the key is not there while the document is looked at: BoolIfExists lets it
        # pass, as in AWS's samples, Bool does not.
        keys["ssm:SessionDocumentAccessCheck"] = ["true"]
    if call.operation == "CreateDocument" and "DocumentType" not in call.params:
        keys["ssm:DocumentType"] = ["Command"]
    if call.operation == "PutParameter":
        keys["ssm:Overwrite"] = [_text(call.params.get("Overwrite", False))]
        keys |= _prefixed("ssm", _given(call, Policies="Policies"))
    return keys


def _iam(call, need):
    # SAR list_awsidentityandaccessmanagementiam.html
    keys = {}
    if need.action in ("iam:AttachRolePolicy", "iam:AttachUserPolicy", "iam:AttachGroupPolicy", "iam:DetachRolePolicy", "iam:DetachUserPolicy", "iam:DetachGroupPolicy"):
        keys |= _prefixed("iam", _given(call, PolicyARN="PolicyArn"))
    keys |= _prefixed("iam", _given(call, AWSServiceName="AWSServiceName"))
    boundary = call.params.get("PermissionsBoundary")
    if not boundary and call.params.get("RoleName") and need.action != "iam:CreateRole":
        known = iam_backends[call.account][call.partition].roles.values()
        boundary = next((role.permissions_boundary_arn for role in known if role.name == call.params["RoleName"]), None)
    if boundary:
        # "The policy that is set as the permissions boundary of the entity."
        keys["iam:PermissionsBoundary"] = [boundary]
    return keys


def _kms(call, need):
    # https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
    keys = {"kms:CallerAccount": [call.account]}
    if call.service == "kms":
        keys |= _prefixed("kms", _given(
            call, KeySpec="KeySpec", KeyUsage="KeyUsage", MultiRegion="MultiRegion", GrantOperations="Operations",
            ScheduleKeyDeletionPendingWindowInDays="PendingWindowInDays", BypassPolicyLockoutSafetyCheck="BypassPolicyLockoutSafetyCheck",
            GranteePrincipal="GranteePrincipal", RetiringPrincipal="RetiringPrincipal", SigningAlgorithm="SigningAlgorithm",
            EncryptionAlgorithm="EncryptionAlgorithm", MessageType="MessageType", MacAlgorithm="MacAlgorithm",
        ))
        if need.action == "kms:ScheduleKeyDeletion" and "PendingWindowInDays" not in call.params:
            # The value is 30 where the parameter is left out: API_ScheduleKeyDeletion.
            keys["kms:ScheduleKeyDeletionPendingWindowInDays"] = ["30"]
        if need.action == "kms:CreateKey":
            keys |= {"kms:KeySpec": [call.params.get("KeySpec", "SYMMETRIC_DEFAULT")], "kms:KeyUsage": [call.params.get("KeyUsage", "ENCRYPT_DECRYPT")],
                     "kms:KeyOrigin": [call.params.get("Origin", "AWS_KMS")], "kms:MultiRegion": [_text(call.params.get("MultiRegion", False))]}
        if need.action in ("kms:CreateKey", "kms:PutKeyPolicy"):
            keys["kms:BypassPolicyLockoutSafetyCheck"] = [_text(call.params.get("BypassPolicyLockoutSafetyCheck", False))]
        context = call.params.get("EncryptionContext") or {}
        keys |= {f"kms:EncryptionContext:{name}": [value] for name, value in context.items()}
        keys["kms:EncryptionContextKeys"] = list(context)
        named = str(call.params.get("KeyId", ""))
        if "alias/" in named:
            keys["kms:RequestAlias"] = [named[named.index("alias/"):]]
    parts = need.resource.split(":", 5)
    if len(parts) == 6 and parts[5].startswith("key/"):
        known = kms_backends[parts[4]][parts[3]].keys.get(parts[5][4:])
        if known is not None:
            keys |= {"kms:ResourceAliases": list(known.aliases), "kms:KeySpec": [known.key_spec], "kms:KeyUsage": [known.key_usage],
                     "kms:KeyOrigin": [known.origin], "kms:MultiRegion": [_text(known.multi_region)]}
    return keys


def _s3(call, need):
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html and SAR list_amazons3.html
    keys = {"s3:signatureversion": ["AWS4-HMAC-SHA256"], "s3:authType": ["REST-HEADER"], "s3:TlsVersion": ["1.3"]}
    if call.service != "s3":
        return keys
    found = _given(call, **{
        "prefix": "Prefix", "delimiter": "Delimiter", "max-keys": "MaxKeys", "x-amz-acl": "ACL", "x-amz-storage-class": "StorageClass",
        "x-amz-server-side-encryption": "ServerSideEncryption", "x-amz-server-side-encryption-aws-kms-key-id": "SSEKMSKeyId",
        "x-amz-object-ownership": "ObjectOwnership", "x-amz-copy-source": "CopySource", "VersionId": "VersionId",
        "x-amz-grant-full-control": "GrantFullControl", "x-amz-grant-read": "GrantRead", "x-amz-grant-write": "GrantWrite",
        "object-lock-mode": "ObjectLockMode", "if-match": "IfMatch", "if-none-match": "IfNoneMatch",
    })
    if call.operation == "CreateBucket":
        location = (call.params.get("CreateBucketConfiguration") or {}).get("LocationConstraint")
        found |= {"LocationConstraint": [location]} if location else {}
    return _prefixed("s3", found) | keys


def _events(call, _need):
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html
    keys = {}
    if call.operation == "PutTargets":
        keys["events:TargetArn"] = [target["Arn"] for target in call.params.get("Targets", []) if "Arn" in target]
    if call.operation == "PutRule" and call.params.get("EventPattern"):
        try:
            pattern = json.loads(call.params["EventPattern"])
        except ValueError:
            pattern = {}
        for name in ("source", "detail-type"):
            values = pattern.get(name) if isinstance(pattern, dict) else None
            keys[f"events:{name}"] = [value for value in values or [] if isinstance(value, str)]
    if call.operation == "PutEvents":
        entries = call.params.get("Entries", [])
        keys |= {"events:source": [entry["Source"] for entry in entries if "Source" in entry],
                 "events:detail-type": [entry["DetailType"] for entry in entries if "DetailType" in entry]}
    if call.operation in ("PutRule", "PutTargets", "DeleteRule", "RemoveTargets", "DescribeRule", "EnableRule", "DisableRule", "ListTargetsByRule"):
        keys["events:creatorAccount"] = [call.account]
    return keys


def _organizations(call, need):
    # SAR list_awsorganizations.html
    keys = _prefixed("organizations", _given(call, ServicePrincipal="ServicePrincipal", PolicyType="PolicyType"))
    for parameter in ("Type", "Filter"):
        if call.params.get(parameter) and "Polic" in call.operation:
            keys["organizations:PolicyType"] = [call.params[parameter]]
    if ":policy/" in need.resource:
        parts = need.resource.partition(":policy/")[2].split("/")
        kind = parts[0] if need.resource.split(":")[4] == "aws" else parts[1]
        if kind != "*":
            keys["organizations:PolicyType"] = [kind.upper()]
    return keys


def _lambda(call, need):
    # SAR list_awslambda.html
    keys = _prefixed("lambda", _given(call, FunctionUrlAuthType="FunctionUrlAuthType", Layer="Layers", Principal="Principal"))
    if call.operation.endswith("EventSourceMapping") and need.resource.count(":") > 5:
        keys |= _prefixed("lambda", _given(call, FunctionArn="FunctionName"))
    return keys


def _ec2(call, need):
    # SAR list_amazonec2.html
    keys = {"ec2:Region": [call.region]}
    if ":instance/" not in need.resource:
        return keys
    known = _instance(call, need.resource.rpartition("/")[2])
    options = call.params.get("MetadataOptions") or (call.params if call.operation == "ModifyInstanceMetadataOptions" else {})
    if call.operation == "ModifyInstanceMetadataOptions":
        # "ec2:Attribute/HttpTokens": the value that the request sets.
        for name in ("HttpTokens", "HttpEndpoint", "HttpPutResponseHopLimit"):
            if call.params.get(name) is not None:
                keys[f"ec2:Attribute/{name}"] = [_text(call.params[name])]
        keys["ec2:Attribute"] = [name for name in ("HttpTokens", "HttpEndpoint", "HttpPutResponseHopLimit") if call.params.get(name) is not None]
    if known is not None:
        keys |= {"ec2:InstanceType": [known.instance_type], "ec2:InstanceID": [known.id], "ec2:RootDeviceType": ["ebs"],
                 "ec2:EbsOptimized": [_text(bool(known.ebs_optimized))], "ec2:MetadataHttpTokens": [known.metadata_options.http_tokens], "ec2:MetadataHttpEndpoint": [known.metadata_options.http_endpoint],
                 "ec2:MetadataHttpPutResponseHopLimit": [_text(known.metadata_options.http_put_response_hop_limit)]}
        if known.iam_instance_profile:
            keys["ec2:InstanceProfile"] = [known.iam_instance_profile["Arn"]]
    elif call.operation == "RunInstances":
        keys |= _prefixed("ec2", _given(call, InstanceType="InstanceType"))
        for key, name in (("MetadataHttpTokens", "HttpTokens"), ("MetadataHttpEndpoint", "HttpEndpoint"), ("MetadataHttpPutResponseHopLimit", "HttpPutResponseHopLimit")):
            if options.get(name) is not None:
                keys[f"ec2:{key}"] = [_text(options[name])]
    profile = call.params.get("IamInstanceProfile") or {}
    if profile:
        profiles = iam_backends[call.account][call.partition].instance_profiles.values()
        arn = profile.get("Arn") or next((entry.arn for entry in profiles if entry.name == profile.get("Name")), None)
        if arn:
            keys["ec2:InstanceProfile" if call.operation == "RunInstances" else "ec2:NewInstanceProfile"] = [arn]
    return keys


def _instance(call, instance_id):
    for reservation in ec2_backends[call.account][call.region].reservations.values():
        for instance in reservation.instances:
            if instance.id == instance_id:
                return instance
    return None


def _sts(call, _need):
    # SAR list_awssecuritytokenservice.html
    keys = _prefixed("sts", _given(call, ExternalId="ExternalId", RoleSessionName="RoleSessionName", SourceIdentity="SourceIdentity",
                                   TransitiveTagKeys="TransitiveTagKeys"))
    return keys


def _cloudformation(call, _need):
    # SAR list_awscloudformation.html
    return _prefixed("cloudformation", _given(call, TemplateUrl="TemplateURL", RoleArn="RoleARN", ResourceTypes="ResourceTypes", StackPolicyUrl="StackPolicyURL",
                                              TargetRegion="Regions", ChangeSetName="ChangeSetName"))


def _secretsmanager(call, need):
    # SAR list_awssecretsmanager.html
    keys = _given(call, Name="Name", Description="Description", KmsKeyId="KmsKeyId", VersionId="VersionId", VersionStage="VersionStage",
                  RecoveryWindowInDays="RecoveryWindowInDays", ForceDeleteWithoutRecovery="ForceDeleteWithoutRecovery")
    return _prefixed("secretsmanager", keys) | {"secretsmanager:SecretId": [need.resource]}


MAKERS = {
    "ssm": _ssm, "iam": _iam, "kms": _kms, "s3": _s3, "events": _events, "organizations": _organizations, "lambda": _lambda, "ec2": _ec2,
    "sts": _sts, "cloudformation": _cloudformation, "secretsmanager": _secretsmanager,
}
