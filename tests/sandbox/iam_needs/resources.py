"""Owns the ARNs of the resources that the parameters of a call name, by service and type of resource.

ARN formats: https://docs.aws.amazon.com/service-authorization/latest/reference/, "Resource types defined by ..".
A type that is not here makes a call that needs it Unmapped.
"""

import base64

import documents
from extension import athena, ssm_command_targets
from moto.core.exceptions import ServiceException
from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.kms.utils import KEY_ID_LEN
from moto.organizations.models import organizations_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.ssm.models import ssm_backends

from . import Unmapped

ALL = "*"


def of(call, action):
    """Returns the ARNs of an action in a call; `*` for one that takes no resource or was given none."""
    prefix = action.name.partition(":")[0]
    found = []
    unknown = [kind for kind, required in action.types if required and (prefix, kind) not in TYPES]
    for kind, _required in action.types:
        builder = TYPES.get((prefix, kind), _none)
        found += [arn for arn in builder(call) if arn and arn not in found]
    if not found and not unknown:
        unknown = [kind for kind, _required in action.types if (prefix, kind) not in TYPES]
    if unknown:
        raise Unmapped(f"the {', '.join(unknown)} that {action.name} is about")
    return found or [ALL]


# What one parameter names.


def role(call, named):
    """Returns the ARN of a role given by name or ARN, with the path that it has."""
    return _iam(call, "role", named, "roles")


def user(call, named):
    """Returns the ARN of a user; without a name that of whoever calls, who is filled in as `${caller}`."""
    return _iam(call, "user", named, "users") if named else "${caller}"


def _iam(call, kind, named, registry):
    if not named or named.startswith("arn:"):
        return named
    known = getattr(iam_backends[call.account][call.partition], registry)
    for entry in known.values():
        if entry.name == named:
            return entry.arn
    return call.arn("iam", f"{kind}{call.params.get('Path') or '/'}{named}", "")


def bucket(call):
    """Returns the ARN of the bucket in the path."""
    name = call.params.get("Bucket", "")
    return name if name.startswith("arn:") else f"arn:{call.partition}:s3:::{name}"


def s3_object(call):
    """Returns the ARN of the object in the path."""
    return f"{bucket(call)}/{call.params.get('Key', '')}"


def key(call, named):
    """Returns the ARN of a KMS key given by ID, ARN, alias or alias ARN; an alias nobody made stays what it is."""
    if not named:
        return None
    account, region, name = call.account, call.region, named
    if named.startswith("arn:"):
        _, _, _, region, account, name = named.split(":", 5)
        if name.startswith("key/"):
            return named
    if name.startswith("alias/") and region in kms_backends[account].regions:
        for known in list(kms_backends[account][region].keys.values()):
            if name in known.aliases:
                return known.arn
        return call.arn("kms", name, region, account)
    return call.arn("kms", f"key/{name}", region, account)


def key_of_ciphertext(call):
    """Returns the ID of the key that moto wrote into a ciphertext."""
    try:
        named = base64.b64decode(call.params.get("CiphertextBlob", ""))[:KEY_ID_LEN].decode()
    except ValueError:
        named = ""
    # What is no ciphertext of moto's is about no key: the service says so.
    return named or "*"


def function(call, named):
    """Returns the ARN of a function given by name, partial or full ARN, with its qualifier.

    https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html, FunctionName
    """
    if not named:
        return None
    qualifier = call.params.get("Qualifier")
    if named.startswith("arn:"):
        arn = named
    else:
        account, _, name = named.rpartition("function:")
        arn = call.arn("lambda", f"function:{name or named}", account=account.strip(":") or None)
    return f"{arn}:{qualifier}" if qualifier and arn.count(":") == 6 else arn


def trail(call, named):
    """Returns the ARN of a trail given by name or ARN."""
    return _arn(call, "cloudtrail", "trail/", named)


def s3_key_of(call, owner, action):
    """Returns the KMS key that an object is, or is going to be, encrypted with; None for S3's own and AWS's."""
    if owner is None:
        return None
    if action == "Decrypt":
        stored = owner.keys.get(call.params.get("Key", ""))
        named = stored.kms_key_id if stored and stored.encryption == "aws:kms" else None
    elif call.params.get("ServerSideEncryption"):
        named = call.params.get("SSEKMSKeyId") if call.params["ServerSideEncryption"].startswith("aws:kms") else None
    else:
        rule = ((owner.encryption or {}).get("Rule") or {}).get("ApplyServerSideEncryptionByDefault") or {}
        named = rule.get("KMSMasterKeyID") if str(rule.get("SSEAlgorithm", "")).startswith("aws:kms") else None
    return None if not named or "alias/aws/" in named else named


def uses_bucket_key(owner, call):
    """Returns whether a bucket key stands between the object and KMS."""
    given = call.params.get("BucketKeyEnabled")
    if given is None:
        given = ((owner.encryption or {}).get("Rule") or {}).get("BucketKeyEnabled")
    return str(given).lower() == "true"


def secure_parameters(call):
    """Returns (name, key) of the SecureString parameters that a call reads, those under AWS's own key left out."""
    known = ssm_backends[call.account][call.region]._parameters
    names = call.params.get("Names") or [call.params["Name"]] if "Path" not in call.params else list(known)
    found = []
    for given in names:
        name = given.partition(":")[0] if not given.startswith("arn:") else given.partition(":parameter")[2]
        # Its `get` does not know a name with a slash at its head.
        versions = known[name] if name in known else None
        entry = versions[-1] if versions else None
        under = "Path" not in call.params or name.startswith(call.params["Path"].rstrip("/") + "/")
        if entry is not None and under and entry.parameter_type == "SecureString" and not entry.keyid.startswith("alias/aws/"):
            found.append((name, entry.keyid))
    return found


def _arn(call, service, prefix, named, region=None, account=None):
    if not named:
        return None
    return named if named.startswith("arn:") else call.arn(service, prefix + named, region, account)


def _given(call, *parameters):
    """Returns the values of the first of some parameters that was given, as a list."""
    for parameter in parameters:
        value = call.params.get(parameter)
        if value:
            return list(value) if isinstance(value, (list, tuple)) else [value]
    return []


def _named(service, prefix, *parameters, region=None, account=None):
    return lambda call: [_arn(call, service, prefix, value, region, account) for value in _given(call, *parameters)]


# SSM


def _document(call):
    given = _given(call, "DocumentName", "Name", "DocumentArn")
    if call.operation in ("CreateAssociation", "UpdateAssociation", "DeleteAssociation", "DescribeAssociation"):
        given = _given(call, "Name")
    if call.operation == "StartSession" and not given:
        # getting-started-default-session-document.html: without a name it is SSM-SessionManagerRunShell.
        given = ["SSM-SessionManagerRunShell"]
    if call.operation in ("AddTagsToResource", "RemoveTagsFromResource", "ListTagsForResource"):
        given = _given(call, "ResourceId") if call.params.get("ResourceType") == "Document" else []
    if call.operation == "CreateAssociationBatch":
        given = [entry["Name"] for entry in call.params.get("Entries", [])]
    # Amazon's documents have no account in their ARN: "arn:aws:ssm:us-east-1::document/AWS-RunShellScript".
    return [
        _arn(call, "ssm", "document/", name, account="" if documents.find(call.account, call.region, name) is not None
             and name not in documents.DOCUMENTS.of(call.account, call.region) and name in documents.AMAZON else None)
        for name in given
    ]


def _node_ids(call):
    if call.operation in ("AddTagsToResource", "RemoveTagsFromResource", "ListTagsForResource"):
        return _given(call, "ResourceId") if call.params.get("ResourceType") == "ManagedInstance" else []
    if call.operation == "CreateAssociationBatch":
        return [entry["InstanceId"] for entry in call.params.get("Entries", []) if "InstanceId" in entry]
    if call.operation == "StartSession":
        return _given(call, "Target")
    ids = _given(call, "InstanceIds", "InstanceId", "Target", "ResourceId")
    for target in call.params.get("Targets") or []:
        # The nodes that a target is about are each authorized: "if the user sends a command to an instance that is not
        # tagged, the execution results show AccessDenied" (sysman-rc-setting-up-cmdsec.html). Here the call fails.
        if call.operation in ("SendCommand", "StartAccessRequest"):
            try:
                ids += [node.instance_id for node in ssm_command_targets.chosen(call.account, call.region, {"Targets": call.params["Targets"]})]
            except (ServiceException, KeyError):
                pass
            break
        if target.get("Key") == "InstanceIds":
            ids += [value for value in target.get("Values", []) if value != "*"]
            if "*" in target.get("Values", []):
                ids.append("*")
    return list(dict.fromkeys(ids))


def _instance(call):
    # Hybrid nodes are managed-instance/mi-..; see SAR list_awssystemsmanager.html.
    return [call.arn("ec2", f"instance/{one}") for one in _node_ids(call) if not one.startswith(("mi-", "ecs:"))]


def _managed_instance(call):
    return [call.arn("ssm", f"managed-instance/{one}") for one in _node_ids(call) if one.startswith("mi-")]


def _command_bucket(call):
    # API_SendCommand, OutputS3BucketName. The node writes there, not the caller; the reference names it as optional.
    return []


def _service_setting(call):
    setting = call.params.get("SettingId", "")
    return [setting if setting.startswith("arn:") else call.arn("ssm", f"servicesetting/{setting.lstrip('/')}")]


def _parameter(call):
    names = _given(call, "Name", "Names", "Path")
    if call.operation in ("AddTagsToResource", "RemoveTagsFromResource", "ListTagsForResource"):
        names = _given(call, "ResourceId") if call.params.get("ResourceType") == "Parameter" else []
    # sysman-paramstore-access.html: "parameter/name" without a leading slash; a version or label is not part of it.
    return [name if name.startswith("arn:") else call.arn("ssm", f"parameter/{name.partition(':')[0].strip('/') or '*'}") for name in names]


def _association(call):
    ids = _given(call, "AssociationId", "AssociationIds")
    # SAR: association*, though it has no ID before it is made.
    return [call.arn("ssm", f"association/{one}") for one in ids] or ([call.arn("ssm", "association/*")] if call.operation.startswith("CreateAssociation") else [])


def _session(call):
    return [call.arn("ssm", f"session/{one}") for one in _given(call, "SessionId")]


def _tagged_ssm(resource_type, prefix, *parameters):
    def builder(call):
        if call.operation in ("AddTagsToResource", "RemoveTagsFromResource", "ListTagsForResource"):
            given = _given(call, "ResourceId") if call.params.get("ResourceType") == resource_type else []
        else:
            given = _given(call, *parameters)
        return [_arn(call, "ssm", prefix, one) for one in given]

    return builder


def _automation_definition(call):
    version = call.params.get("DocumentVersion") or "*"
    named = _given(call, "DocumentName") if call.operation.startswith("Start") else []
    return [_arn(call, "ssm", "automation-definition/", f"{one}:{version}") for one in named]


# EC2

# Resource type -> the parameters that name it.
EC2 = {
    "instance": ("InstanceId", "InstanceIds"),
    "vpc": ("VpcId", "VpcIds"),
    "subnet": ("SubnetId", "SubnetIds"),
    "security-group": ("GroupId", "SecurityGroupIds", "SecurityGroupId"),
    "network-interface": ("NetworkInterfaceId",),
    "route-table": ("RouteTableId", "RouteTableIds"),
    "internet-gateway": ("InternetGatewayId",),
    "vpc-endpoint": ("VpcEndpointId", "VpcEndpointIds"),
    "volume": ("VolumeId",),
    "snapshot": ("SnapshotId",),
    "image": ("ImageId",),
    "key-pair": ("KeyName",),
    "elastic-ip": ("AllocationId",),
    "natgateway": ("NatGatewayId",),
}
# Nothing has an ID before it is made.
EC2_NEW = {
    "RunInstances": ("instance", "network-interface", "volume"),
    "CreateSecurityGroup": ("security-group",), "CreateVpcEndpoint": ("vpc-endpoint",), "CreateVpc": ("vpc",), "CreateSubnet": ("subnet",),
    "CreateInternetGateway": ("internet-gateway",), "CreateRouteTable": ("route-table",), "CreateVolume": ("volume",), "CreateKeyPair": ("key-pair",),
}
EC2_PREFIX = {"i": "instance", "vpc": "vpc", "subnet": "subnet", "sg": "security-group", "eni": "network-interface", "rtb": "route-table",
              "igw": "internet-gateway", "vpce": "vpc-endpoint", "vol": "volume", "snap": "snapshot", "ami": "image", "eipalloc": "elastic-ip", "nat": "natgateway"}


def _ec2(kind):
    def builder(call):
        if call.operation in ("CreateTags", "DeleteTags"):
            for one in call.params.get("Resources", []):
                if one.partition("-")[0] not in EC2_PREFIX:
                    raise Unmapped(f"what {one} is, which ec2:{call.operation} is about")
            ids = [one for one in call.params.get("Resources", []) if EC2_PREFIX.get(one.partition("-")[0]) == kind]
        elif kind in EC2_NEW.get(call.operation, ()):
            ids = ["*"]
        else:
            ids = _given(call, *EC2[kind])
            if kind == "instance" and "AssociationId" in call.params and "Iam" in call.operation:
                known = ec2_backends[call.account][call.region].iam_instance_profile_associations.values()
                # One that has gone was of some instance.
                ids = [entry.instance_id for entry in known if entry.association_id == call.params["AssociationId"]] or ["*"]
            if call.operation == "RunInstances" and kind in ("subnet", "security-group") and not ids:
                # "If you don't specify a subnet ID, we choose a default subnet": any of them.
                ids = ["*"]
        account = "" if kind in ("image", "snapshot") else None
        return [call.arn("ec2", f"{kind}/{one}", account=account) for one in ids]

    return builder


# IAM


def _iam_of(kind, registry, *parameters):
    return lambda call: [_iam(call, kind, named, registry) for named in _given(call, *parameters)]


def _policy(call):
    if call.operation == "CreatePolicy":
        return [call.arn("iam", f"policy{call.params.get('Path') or '/'}{call.params.get('PolicyName', '')}", "")]
    # The policy that AttachRolePolicy attaches is a key, iam:PolicyARN, and no resource.
    return _given(call, "PolicyArn")


def _service_linked(call):
    service = call.params.get("AWSServiceName", "*")
    return [call.arn("iam", f"role/aws-service-role/{service}/*", "")]


def _iam_role(call):
    if call.operation == "CreateServiceLinkedRole":
        return _service_linked(call)
    if call.operation == "SimulatePrincipalPolicy":
        return [arn for arn in _given(call, "PolicySourceArn") if ":role/" in arn]
    return _iam_of("role", "roles", "RoleName")(call)


def _iam_user(call):
    if call.operation == "SimulatePrincipalPolicy":
        return [arn for arn in _given(call, "PolicySourceArn") if ":user/" in arn]
    return _iam_of("user", "users", "UserName")(call)


def _iam_group(call):
    if call.operation == "SimulatePrincipalPolicy":
        return [arn for arn in _given(call, "PolicySourceArn") if ":group/" in arn]
    return _iam_of("group", "groups", "GroupName")(call)


# Logs


def _log_group(call):
    # SAR list_amazoncloudwatchlogs.html: actions on a log group are on ..:log-group:NAME:*
    found = []
    for given in _given(call, "logGroupName", "logGroupNames", "logGroupIdentifier", "logGroupIdentifiers", "resourceArn", "resourceIdentifier"):
        arn = given if given.startswith("arn:") else call.arn("logs", f"log-group:{given}")
        if ":log-group:" in arn:
            found.append(arn if arn.endswith(":*") else f"{arn}:*")
    return found


def _log_stream(call):
    group = (_log_group(call) or [None])[0]
    if not group:
        return []
    return [f"{group[:-2]}:log-stream:{call.params.get('logStreamName', '')}"]


# EventBridge


def _rule(call):
    name = next(iter(_given(call, "Name", "Rule")), None)
    if call.operation in ("TagResource", "UntagResource", "ListTagsForResource"):
        return [arn for arn in _given(call, "ResourceARN") if ":rule/" in arn]
    bus = (call.params.get("EventBusName") or "default").rpartition("/")[2]
    return [call.arn("events", f"rule/{name}" if bus == "default" else f"rule/{bus}/{name}")] if name else []


def _bus(call):
    if call.operation == "PutEvents":
        buses = dict.fromkeys(entry.get("EventBusName") or "default" for entry in call.params.get("Entries", []))
        return [_arn(call, "events", "event-bus/", one) for one in buses]
    if call.operation in ("TagResource", "UntagResource", "ListTagsForResource"):
        return [arn for arn in _given(call, "ResourceARN") if ":event-bus/" in arn]
    named = _given(call, "Name", "EventBusName") or (["default"] if call.operation == "DescribeEventBus" else [])
    return [_arn(call, "events", "event-bus/", one) for one in named]


def _connection(call):
    if call.operation == "DescribeApiDestination":
        # SAR names the connection beside the destination; the parameters have the destination only.
        return []
    if "ApiDestination" in call.operation:
        return _given(call, "ConnectionArn")
    # events:CreateConnection: arn:..:connection/NAME; what exists has an ID behind, which the request does not name.
    return [_arn(call, "events", "connection/", one) for one in _given(call, "Name")]


# SQS


def _queue(call):
    url = call.params.get("QueueUrl")
    if url:
        account, _, name = url.rstrip("/").rpartition("/")
        account = account.rpartition("/")[2]
        return [call.arn("sqs", name, account=account if account.isdigit() else None)]
    if call.params.get("SourceArn", "").startswith("arn:"):
        return [call.params["SourceArn"]]
    owner = call.params.get("QueueOwnerAWSAccountId")
    return [call.arn("sqs", one, account=owner) for one in _given(call, "QueueName")]


# Lambda


def _function(call):
    if call.operation in ("TagResource", "UntagResource", "ListTags"):
        return [arn for arn in _given(call, "Resource") if ":function:" in arn]
    return [function(call, one) for one in _given(call, "FunctionName")]


# Organizations


def _organization(call):
    own = organizations_backends[call.account][call.partition]
    if own.org:
        return own
    management = organizations_backends.master_accounts.get(call.account)
    return organizations_backends[management[0]][management[1]] if management else own


def _org_target(kind):
    """Ids say what they are: r-.. a root, ou-.. a unit, twelve digits an account."""
    parameters = ("TargetId", "ParentId", "RootId", "OrganizationalUnitId", "AccountId", "ChildId", "SourceParentId", "DestinationParentId", "ResourceId")

    def builder(call):
        backend = _organization(call)
        # Whoever is in no organization names a target of some other one.
        organization = backend.org.id if backend.org else "o-0000000000"
        ids = [call.params[name] for name in parameters if call.params.get(name)]
        is_kind = {"root": lambda one: one.startswith("r-"), "ou": lambda one: one.startswith("ou-"), "account": str.isdigit}[kind]
        prefix = {"root": "root", "ou": "ou", "account": "account"}[kind]
        found = [call.arn("organizations", f"{prefix}/{organization}/{one}", "", backend.account_id) for one in ids if is_kind(one)]
        if call.operation == "CreateOrganizationalUnit" and kind == "ou":
            return [call.arn("organizations", f"ou/{organization}/*", "", backend.account_id)] if not found else found
        return found

    return builder


def _org_policy(call):
    backend = _organization(call)
    if not backend.org:
        return []
    found = []
    for one in _given(call, "PolicyId") + [given for given in _given(call, "ResourceId") if given.startswith("p-")]:
        known = next((policy for policy in backend.policies if policy.id == one), None)
        # Until it exists nothing says of which type a policy is.
        kind = known.type.lower() if known else "*"
        aws = known is not None and known.aws_managed
        found.append(f"arn:{call.partition}:organizations::aws:policy/{kind}/{one}" if aws else
                     call.arn("organizations", f"policy/{backend.org.id}/{kind}/{one}", "", backend.account_id))
    return found


# STS, CloudTrail, Athena, CloudFormation, Secrets Manager


def _workgroup(call):
    if "QueryExecutionId" in call.params:
        # SAR list_amazonathena.html: the workgroup of the query.
        execution = athena.EXECUTIONS.of(call.account, call.region).get(call.params["QueryExecutionId"]) or {}
        return [call.arn("athena", f"workgroup/{execution.get('work_group', 'primary')}")]
    return [call.arn("athena", f"workgroup/{one}") for one in _given(call, "WorkGroup", "Name") or ["primary"]]


def _stack(call):
    # SAR list_awscloudformation.html: stack/NAME/ID; by its name it is any of that name.
    found = []
    for one in _given(call, "StackName", "StackId"):
        found.append(one if one.startswith("arn:") else call.arn("cloudformation", f"stack/{one}/*"))
    return found


def _stack_set(call):
    # A stack set of a delegated administrator is the management account's; by its name it is any ID of that name.
    account = call.account
    if call.params.get("CallAs") == "DELEGATED_ADMIN" and organizations_backends.master_accounts.get(account):
        account = organizations_backends.master_accounts[account][0]
    return [_arn(call, "cloudformation", "stackset/", one if ":" in one else f"{one}:*", account=account) for one in _given(call, "StackSetName")]


def _secret(call):
    given = _given(call, "SecretId", "Name")
    # A secret has six characters behind its name, which the caller need not give:
    # https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_iam-permissions.html
    found = []
    for one in given:
        known = [secret.arn for secret in secretsmanager_backends[call.account][call.region].secrets.values() if one in (secret.name, secret.arn)]
        found += known[:1] or [one if one.startswith("arn:") else call.arn("secretsmanager", f"secret:{one}-??????")]
    return found


def _none(_call):
    return []


TYPES = {
    ("ssm", "document"): _document,
    ("ssm", "instance"): _instance,
    ("ssm", "managed-instance"): _managed_instance,
    ("ssm", "task"): _none,
    ("ssm", "bucket"): _command_bucket,
    ("ssm", "servicesetting"): _service_setting,
    ("ssm", "parameter"): _parameter,
    ("ssm", "association"): _association,
    ("ssm", "session"): _session,
    ("ssm", "automation-execution"): _tagged_ssm("Automation", "automation-execution/", "AutomationExecutionId"),
    ("ssm", "automation-definition"): _automation_definition,
    ("ssm", "maintenancewindow"): _tagged_ssm("MaintenanceWindow", "maintenancewindow/", "WindowId"),
    ("ssm", "patchbaseline"): _tagged_ssm("PatchBaseline", "patchbaseline/", "BaselineId"),
    ("ssm", "opsitem"): _tagged_ssm("OpsItem", "opsitem/", "OpsItemId", "AccessRequestId"),
    ("ssm", "opsmetadata"): _tagged_ssm("OpsMetadata", "opsmetadata/", "OpsMetadataArn"),
    ("ssm", "resourcedatasync"): _named("ssm", "resource-data-sync/", "SyncName"),
    ("ssm", "iam-role"): lambda call: [role(call, one) for one in _given(call, "IamRole")],
    **{("ec2", kind): _ec2(kind) for kind in EC2},
    ("iam", "role"): _iam_role,
    ("iam", "user"): _iam_user,
    ("iam", "group"): _iam_group,
    ("iam", "policy"): _policy,
    ("iam", "instance-profile"): _iam_of("instance-profile", "instance_profiles", "InstanceProfileName"),
    ("iam", "oidc-provider"): _named("iam", "oidc-provider/", "OpenIDConnectProviderArn", region=""),
    ("iam", "saml-provider"): _named("iam", "saml-provider/", "SAMLProviderArn", "Name", region=""),
    ("iam", "mfa"): _named("iam", "mfa/", "SerialNumber", "VirtualMFADeviceName", region=""),
    ("kms", "key"): lambda call: [key(call, one) for one in _given(call, "KeyId", "TargetKeyId")],
    ("s3", "bucket"): lambda call: [bucket(call)] if call.params.get("Bucket") else [],
    ("s3", "object"): lambda call: [s3_object(call)] if call.params.get("Key") else [],
    ("logs", "log-group"): _log_group,
    ("logs", "log-stream"): _log_stream,
    ("logs", "destination"): _named("logs", "destination:", "destinationArn", "destinationName"),
    ("cloudtrail", "trail"): lambda call: [trail(call, one) for one in _given(call, "Name", "TrailName", "ResourceId", "ResourceIdList")],
    ("cloudtrail", "eventdatastore"): _named("cloudtrail", "eventdatastore/", "EventDataStore"),
    ("cloudtrail", "channel"): _named("cloudtrail", "channel/", "Channel"),
    ("cloudtrail", "dashboard"): _named("cloudtrail", "dashboard/", "DashboardId"),
    ("events", "rule-on-default-event-bus"): _rule,
    ("events", "rule-on-custom-event-bus"): _rule,
    ("events", "event-bus"): _bus,
    ("events", "connection"): _connection,
    ("events", "api-destination"): _named("events", "api-destination/", "Name"),
    ("events", "archive"): _named("events", "archive/", "ArchiveName"),
    ("events", "replay"): _named("events", "replay/", "ReplayName"),
    ("sqs", "queue"): _queue,
    ("sns", "topic"): _named("sns", "", "TopicArn", "Name"),
    ("lambda", "function"): _function,
    ("lambda", "function version"): _function,
    ("lambda", "function alias"): _function,
    ("lambda", "eventSourceMapping"): _named("lambda", "event-source-mapping:", "UUID"),
    ("lambda", "layer"): _named("lambda", "layer:", "LayerName"),
    ("lambda", "layerVersion"): lambda call: [f"{_arn(call, 'lambda', 'layer:', one)}:{call.params.get('VersionNumber')}" for one in _given(call, "LayerName")],
    ("lambda", "code signing config"): _named("lambda", "code-signing-config:", "CodeSigningConfigArn"),
    ("lambda", "capacityProvider"): _none,
    ("organizations", "account"): _org_target("account"),
    ("organizations", "organizationalunit"): _org_target("ou"),
    ("organizations", "root"): _org_target("root"),
    ("organizations", "policy"): _org_policy,
    ("organizations", "handshake"): lambda call: [call.arn("organizations", f"handshake/*/*/{one}", "") for one in _given(call, "HandshakeId")],
    ("organizations", "resourcepolicy"): _none,
    ("organizations", "responsibilitytransfer"): _none,
    ("sts", "role"): lambda call: _given(call, "RoleArn"),
    ("sts", "user"): _none,
    ("sts", "federated-user"): _named("sts", "federated-user/", "Name", region=""),
    ("athena", "workgroup"): _workgroup,
    ("athena", "datacatalog"): lambda call: [call.arn("athena", f"datacatalog/{one}") for one in _given(call, "CatalogName", "Name") or ["AwsDataCatalog"]],
    ("athena", "session"): _none,
    ("athena", "capacity-reservation"): _none,
    ("cloudformation", "stack"): _stack,
    ("cloudformation", "stackset"): _stack_set,
    # It is there for those who restrict the targets of a stack set; the stack set is checked.
    ("cloudformation", "stackset-target"): _none,
    ("cloudformation", "type"): _none,
    ("cloudformation", "changeset"): _named("cloudformation", "changeSet/", "ChangeSetName"),
    ("secretsmanager", "Secret"): _secret,
}
