"""Tests of what calls need: each row names the page that says so.

SAR is https://docs.aws.amazon.com/service-authorization/latest/reference/, S3P
https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html.
"""

import os
import unittest

# Before moto is imported, which reads it then.
os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"

import botocore.session
import iam_needs
from iam_needs import operations, reference, resources

A, R = "123456789012", "eu-central-1"
IAM = f"arn:aws:iam::{A}:"
SSM = f"arn:aws:ssm:{R}:{A}:"
EC2 = f"arn:aws:ec2:{R}:{A}:"
ROLE = f"{IAM}role/x"
DOCUMENT = f"arn:aws:ssm:{R}::document/AWS-RunShellScript"
DHMC = "/ssm/managed-instance/default-ec2-instance-management-role"
KEY = f"arn:aws:kms:{R}:{A}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
EVENTS_ROLE = f"{IAM}role/aws-service-role/apidestinations.events.amazonaws.com/AWSServiceRoleForAmazonEventBridgeApiDestinations"


def passing(role, service):
    return ("iam:PassRole", role, {"iam:passedtoservice": [service]})


# service, operation, parameters, [(action, resource, keys that it must have)], page
ROWS = [
    ("ssm", "DescribeInstanceInformation", {}, [("ssm:DescribeInstanceInformation", "*", {})], "SAR list_awssystemsmanager.html"),
    ("ssm", "GetDocument", {"Name": "SSM-SessionManagerRunShell"}, [("ssm:GetDocument", f"{SSM}document/SSM-SessionManagerRunShell", {})], "SAR list_awssystemsmanager.html"),
    # Amazon's documents have no account.
    ("ssm", "SendCommand", {"DocumentName": "AWS-RunShellScript", "InstanceIds": ["i-1", "mi-2"]},
     [("ssm:SendCommand", DOCUMENT, {}), ("ssm:SendCommand", f"{EC2}instance/i-1", {}), ("ssm:SendCommand", f"{SSM}managed-instance/mi-2", {})], "SAR list_awssystemsmanager.html"),
    ("ssm", "SendCommand", {"DocumentName": "own", "InstanceIds": ["i-1"], "ServiceRoleArn": ROLE},
     [("ssm:SendCommand", f"{SSM}document/own", {}), ("ssm:SendCommand", f"{EC2}instance/i-1", {}), passing(ROLE, "ssm.amazonaws.com")], "API_SendCommand; monitoring-sns-notifications.html"),
    # The default document must be allowed too: getting-started-default-session-document.html
    ("ssm", "StartSession", {"Target": "i-1"},
     [("ssm:StartSession", f"{SSM}document/SSM-SessionManagerRunShell", {}), ("ssm:StartSession", f"{EC2}instance/i-1", {"ssm:sessiondocumentaccesscheck": ["true"]})], "getting-started-default-session-document.html"),
    ("ssm", "StartSession", {"Target": "mi-1", "DocumentName": "AWS-StartPortForwardingSession"},
     [("ssm:StartSession", f"arn:aws:ssm:{R}::document/AWS-StartPortForwardingSession", {}), ("ssm:StartSession", f"{SSM}managed-instance/mi-1", {})], "SAR list_awssystemsmanager.html"),
    ("ssm", "TerminateSession", {"SessionId": "bob-0123"}, [("ssm:TerminateSession", f"{SSM}session/bob-0123", {})], "SAR list_awssystemsmanager.html"),
    ("ssm", "UpdateServiceSetting", {"SettingId": DHMC, "SettingValue": "service-role/x"},
     [("ssm:UpdateServiceSetting", f"{SSM}servicesetting{DHMC}", {}), passing(f"{IAM}role/service-role/x", "ssm.amazonaws.com")], "managed-instances-default-host-management.html"),
    ("ssm", "ResetServiceSetting", {"SettingId": DHMC}, [("ssm:ResetServiceSetting", f"{SSM}servicesetting{DHMC}", {})], "SAR list_awssystemsmanager.html"),
    ("ssm", "CreateAssociation", {"Name": "AWS-UpdateSSMAgent", "Targets": [{"Key": "InstanceIds", "Values": ["*"]}]},
     [("ssm:CreateAssociation", f"{SSM}association/*", {}), ("ssm:CreateAssociation", f"arn:aws:ssm:{R}::document/AWS-UpdateSSMAgent", {}), ("ssm:CreateAssociation", f"{EC2}instance/*", {})], "SAR list_awssystemsmanager.html"),
    ("ssm", "CreateDocument", {"Name": "own", "DocumentType": "Session", "Tags": [{"Key": "k", "Value": "v"}]},
     [("ssm:CreateDocument", f"{SSM}document/own", {"ssm:documenttype": ["Session"], "aws:requesttag/k": ["v"], "aws:tagkeys": ["k"]}), ("ssm:AddTagsToResource", f"{SSM}document/own", {"aws:tagkeys": ["k"]})], "API_CreateDocument"),
    ("ssm", "GetParameter", {"Name": "/a/b:3"}, [("ssm:GetParameter", f"{SSM}parameter/a/b", {})], "sysman-paramstore-access.html"),
    ("ssm", "PutParameter", {"Name": "/a", "Type": "SecureString", "KeyId": KEY, "Value": "x"},
     [("ssm:PutParameter", f"{SSM}parameter/a", {"ssm:overwrite": ["false"]}), ("kms:Encrypt", KEY, {"kms:encryptioncontext:parameter_arn": [f"{SSM}parameter/a"], "kms:calleraccount": [A]})], "KMS services-parameter-store.html"),
    ("ssm", "RegisterDefaultHostManagementConfiguration", {"PermissionModel": "SELF_MANAGED", "RoleArn": ROLE},
     [("ssm:GetServiceSetting", f"{SSM}servicesetting{DHMC}", {}), ("ssm:UpdateServiceSetting", f"{SSM}servicesetting{DHMC}", {}), ("iam:GetRole", ROLE, {}), passing(ROLE, "ssm.amazonaws.com")],
     "API_RegisterDefaultHostManagementConfiguration"),
    # A path and a name: there is no role yet.
    ("iam", "CreateRole", {"RoleName": "x", "Path": "/p/", "PermissionsBoundary": f"{IAM}policy/b"}, [("iam:CreateRole", f"{IAM}role/p/x", {"iam:permissionsboundary": [f"{IAM}policy/b"]})], "SAR list_awsidentityandaccessmanagementiam.html"),
    ("iam", "AttachRolePolicy", {"RoleName": "x", "PolicyArn": f"{IAM}policy/p"}, [("iam:AttachRolePolicy", ROLE, {"iam:policyarn": [f"{IAM}policy/p"]})], "SAR list_awsidentityandaccessmanagementiam.html"),
    ("iam", "AddRoleToInstanceProfile", {"InstanceProfileName": "p", "RoleName": "x"}, [("iam:AddRoleToInstanceProfile", f"{IAM}instance-profile/p", {}), passing(ROLE, "ec2.amazonaws.com")], "SAR list_awsidentityandaccessmanagementiam.html"),
    ("iam", "CreatePolicy", {"PolicyName": "p"}, [("iam:CreatePolicy", f"{IAM}policy/p", {})], "SAR list_awsidentityandaccessmanagementiam.html"),
    ("iam", "ListRoles", {}, [("iam:ListRoles", "*", {})], "SAR list_awsidentityandaccessmanagementiam.html"),
    ("iam", "GetUser", {}, [("iam:GetUser", "${caller}", {})], "API_GetUser"),
    ("ec2", "DescribeInstances", {"InstanceIds": ["i-1"]}, [("ec2:DescribeInstances", "*", {})], "SAR list_amazonec2.html"),
    ("ec2", "ModifyInstanceMetadataOptions", {"InstanceId": "i-1", "HttpTokens": "required"}, [("ec2:ModifyInstanceMetadataOptions", f"{EC2}instance/i-1", {"ec2:attribute/httptokens": ["required"]})], "SAR list_amazonec2.html"),
    ("ec2", "CreateTags", {"Resources": ["i-1", "vpc-2"], "Tags": [{"Key": "k", "Value": "v"}]}, [("ec2:CreateTags", f"{EC2}instance/i-1", {"aws:requesttag/k": ["v"]}), ("ec2:CreateTags", f"{EC2}vpc/vpc-2", {})], "SAR list_amazonec2.html"),
    ("kms", "CreateKey", {"Tags": [{"TagKey": "k", "TagValue": "v"}]}, [("kms:CreateKey", "*", {"kms:keyspec": ["SYMMETRIC_DEFAULT"], "aws:requesttag/k": ["v"]}), ("kms:TagResource", f"arn:aws:kms:{R}:{A}:key/*", {})], "API_CreateKey"),
    ("kms", "CreateAlias", {"AliasName": "alias/a", "TargetKeyId": KEY}, [("kms:CreateAlias", f"arn:aws:kms:{R}:{A}:alias/a", {}), ("kms:CreateAlias", KEY, {})], "SAR list_awskeymanagementservice.html"),
    ("kms", "ScheduleKeyDeletion", {"KeyId": KEY}, [("kms:ScheduleKeyDeletion", KEY, {"kms:schedulekeydeletionpendingwindowindays": ["30"]})], "API_ScheduleKeyDeletion"),
    ("kms", "GenerateDataKey", {"KeyId": KEY, "EncryptionContext": {"aws:ssm:SessionId": "s"}}, [("kms:GenerateDataKey", KEY, {"kms:encryptioncontext:aws:ssm:sessionid": ["s"], "kms:encryptioncontextkeys": ["aws:ssm:SessionId"]})], "KMS conditions-kms.html"),
    *(("s3", operation, {"Bucket": "b", **more}, [(f"s3:{action}", resource, {}) for action, resource in wanted], "S3P") for operation, more, wanted in (
        ("HeadBucket", {}, [("ListBucket", "arn:aws:s3:::b")]),
        ("ListObjectsV2", {"Prefix": "p/"}, [("ListBucket", "arn:aws:s3:::b")]),
        ("GetBucketEncryption", {}, [("GetEncryptionConfiguration", "arn:aws:s3:::b")]),
        ("PutBucketEncryption", {}, [("PutEncryptionConfiguration", "arn:aws:s3:::b")]),
        ("DeleteBucketEncryption", {}, [("PutEncryptionConfiguration", "arn:aws:s3:::b")]),
        ("GetPublicAccessBlock", {}, [("GetBucketPublicAccessBlock", "arn:aws:s3:::b")]),
        ("PutPublicAccessBlock", {}, [("PutBucketPublicAccessBlock", "arn:aws:s3:::b")]),
        ("DeletePublicAccessBlock", {}, [("PutBucketPublicAccessBlock", "arn:aws:s3:::b")]),
        ("GetBucketLifecycleConfiguration", {}, [("GetLifecycleConfiguration", "arn:aws:s3:::b")]),
        ("PutBucketLifecycleConfiguration", {}, [("PutLifecycleConfiguration", "arn:aws:s3:::b")]),
        ("DeleteBucketLifecycle", {}, [("PutLifecycleConfiguration", "arn:aws:s3:::b")]),
        ("GetBucketVersioning", {}, [("GetBucketVersioning", "arn:aws:s3:::b")]),
        ("PutBucketPolicy", {}, [("PutBucketPolicy", "arn:aws:s3:::b")]),
        ("GetBucketReplication", {}, [("GetReplicationConfiguration", "arn:aws:s3:::b")]),
        ("GetObjectLockConfiguration", {}, [("GetBucketObjectLockConfiguration", "arn:aws:s3:::b")]),
        ("CreateBucket", {"ObjectOwnership": "BucketOwnerEnforced"}, [("CreateBucket", "arn:aws:s3:::b"), ("PutBucketOwnershipControls", "arn:aws:s3:::b")]),
        ("GetObject", {"Key": "k"}, [("GetObject", "arn:aws:s3:::b/k")]),
        ("HeadObject", {"Key": "k", "VersionId": "1"}, [("GetObjectVersion", "arn:aws:s3:::b/k")]),
        ("PutObject", {"Key": "k", "ACL": "private", "Tagging": "a=b"}, [("PutObject", "arn:aws:s3:::b/k"), ("PutObjectAcl", "arn:aws:s3:::b/k"), ("PutObjectTagging", "arn:aws:s3:::b/k")]),
        ("CopyObject", {"Key": "k", "CopySource": "/c/d"}, [("GetObject", "arn:aws:s3:::c/d"), ("PutObject", "arn:aws:s3:::b/k")]),
        ("DeleteObject", {"Key": "k", "VersionId": "1", "BypassGovernanceRetention": True}, [("DeleteObjectVersion", "arn:aws:s3:::b/k"), ("BypassGovernanceRetention", "arn:aws:s3:::b/k")]),
        ("DeleteObjects", {"Delete": {"Objects": [{"Key": "1"}, {"Key": "2", "VersionId": "v"}]}}, [("DeleteObject", "arn:aws:s3:::b/1"), ("DeleteObjectVersion", "arn:aws:s3:::b/2")]),
        ("CompleteMultipartUpload", {"Key": "k"}, [("PutObject", "arn:aws:s3:::b/k")]),
    )),
    ("s3", "ListBuckets", {}, [("s3:ListAllMyBuckets", "*", {})], "S3P"),
    ("s3", "ListObjectsV2", {"Bucket": "b", "Prefix": "p/", "MaxKeys": 10}, [("s3:ListBucket", "arn:aws:s3:::b", {"s3:prefix": ["p/"], "s3:max-keys": ["10"]})], "SAR list_amazons3.html"),
    ("logs", "CreateLogGroup", {"logGroupName": "/a"}, [("logs:CreateLogGroup", f"arn:aws:logs:{R}:{A}:log-group:/a:*", {})], "SAR list_amazoncloudwatchlogs.html"),
    ("logs", "PutLogEvents", {"logGroupName": "/a", "logStreamName": "s"}, [("logs:PutLogEvents", f"arn:aws:logs:{R}:{A}:log-group:/a:log-stream:s", {})], "SAR list_amazoncloudwatchlogs.html"),
    ("logs", "DescribeLogGroups", {"logGroupNamePrefix": "/a"}, [("logs:DescribeLogGroups", f"arn:aws:logs:{R}:{A}:log-group::log-stream:", {})], "terraform-provider-aws#8804"),
    ("cloudtrail", "CreateTrail", {"Name": "t", "CloudWatchLogsRoleArn": ROLE}, [("cloudtrail:CreateTrail", f"arn:aws:cloudtrail:{R}:{A}:trail/t", {}), passing(ROLE, "cloudtrail.amazonaws.com")], "cloudtrail-required-policy-for-cloudwatch-logs.html"),
    ("cloudtrail", "LookupEvents", {}, [("cloudtrail:LookupEvents", "*", {})], "SAR list_awscloudtrail.html"),
    ("events", "PutTargets", {"Rule": "r", "Targets": [{"Id": "1", "Arn": "arn:t", "RoleArn": ROLE}]},
     [("events:PutTargets", f"arn:aws:events:{R}:{A}:rule/r", {"events:targetarn": ["arn:t"]}), passing(ROLE, "events.amazonaws.com")], "eb-use-identity-based.html"),
    ("events", "PutRule", {"Name": "r", "EventBusName": "own", "EventPattern": '{"source": ["aws.ssm"]}'}, [("events:PutRule", f"arn:aws:events:{R}:{A}:rule/own/r", {"events:source": ["aws.ssm"]})], "eb-use-conditions.html"),
    ("events", "CreateConnection", {"Name": "c"}, [("events:CreateConnection", f"arn:aws:events:{R}:{A}:connection/c", {}), ("iam:CreateServiceLinkedRole", EVENTS_ROLE, {"iam:awsservicename": ["apidestinations.events.amazonaws.com"]})],
     "using-service-linked-roles-service-action-1.html"),
    ("sqs", "SendMessage", {"QueueUrl": f"http://127.0.0.1:1/{A}/q"}, [("sqs:SendMessage", f"arn:aws:sqs:{R}:{A}:q", {})], "SAR list_amazonsqs.html"),
    ("sqs", "DeleteMessageBatch", {"QueueUrl": "http://127.0.0.1:1/999999999999/q"}, [("sqs:DeleteMessage", f"arn:aws:sqs:{R}:999999999999:q", {})], "SAR list_amazonsqs.html"),
    ("lambda", "CreateFunction", {"FunctionName": "f", "Role": ROLE, "Tags": {"k": "v"}},
     [("lambda:CreateFunction", f"arn:aws:lambda:{R}:{A}:function:f", {}), passing(ROLE, "lambda.amazonaws.com"), ("lambda:TagResource", f"arn:aws:lambda:{R}:{A}:function:f", {"aws:requesttag/k": ["v"]})], "SAR list_awslambda.html"),
    ("lambda", "Invoke", {"FunctionName": "f", "Qualifier": "2"}, [("lambda:InvokeFunction", f"arn:aws:lambda:{R}:{A}:function:f:2", {})], "Lambda API_Invoke"),
    ("lambda", "AddPermission", {"FunctionName": "f", "Principal": "events.amazonaws.com"}, [("lambda:AddPermission", f"arn:aws:lambda:{R}:{A}:function:f", {"lambda:principal": ["events.amazonaws.com"]})], "SAR list_awslambda.html"),
    ("organizations", "ListPolicies", {"Filter": "SERVICE_CONTROL_POLICY"}, [("organizations:ListPolicies", "*", {"organizations:policytype": ["SERVICE_CONTROL_POLICY"]})], "SAR list_awsorganizations.html"),
    ("sts", "AssumeRole", {"RoleArn": ROLE, "ExternalId": "e", "RoleSessionName": "s", "Tags": [{"Key": "k", "Value": "v"}]},
     [("sts:AssumeRole", ROLE, {"sts:externalid": ["e"], "sts:rolesessionname": ["s"], "aws:requesttag/k": ["v"]}), ("sts:TagSession", ROLE, {})], "SAR list_awssecuritytokenservice.html"),
    ("sts", "GetCallerIdentity", {}, [], "API_GetCallerIdentity"),
    ("cloudformation", "CreateStack", {"StackName": "s", "RoleARN": ROLE}, [("cloudformation:CreateStack", f"arn:aws:cloudformation:{R}:{A}:stack/s/*", {"cloudformation:rolearn": [ROLE]}), passing(ROLE, "cloudformation.amazonaws.com")], "using-iam-servicerole.html"),
    ("sns", "Publish", {"TopicArn": f"arn:aws:sns:{R}:{A}:t", "Message": "m"}, [("sns:Publish", f"arn:aws:sns:{R}:{A}:t", {})], "SAR list_amazonsns.html"),
    ("athena", "StartQueryExecution", {"QueryString": 'SELECT "$path" FROM logs.calls WHERE x'}, [("athena:StartQueryExecution", f"arn:aws:athena:{R}:{A}:workgroup/primary", {})] + [
        (f"glue:{action}", f"arn:aws:glue:{R}:{A}:{on}", {}) for action, on in (
            ("GetDatabase", "database/logs"), ("GetDatabase", "catalog"), ("GetTable", "table/logs/calls"), ("GetTable", "database/logs"), ("GetTable", "catalog"))
    ], "fine-grained-access-to-glue-resources.html"),
    ("secretsmanager", "GetSecretValue", {"SecretId": "slack"}, [("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{R}:{A}:secret:slack-??????", {})], "SAR list_awssecretsmanager.html"),
]

SERVICES = ("ssm", "iam", "kms", "s3", "logs", "cloudtrail", "events", "sqs", "lambda", "organizations", "sts", "athena", "cloudformation", "secretsmanager", "ec2")


class Needs(unittest.TestCase):
    def test_operations_need_what_their_pages_say(self):
        for service, operation, params, expected, page in ROWS:
            with self.subTest(page, operation=f"{service}:{operation}", params=params):
                found = iam_needs.needs(iam_needs.Call(A, R, service, operation, params))
                self.assertEqual([(need.action, need.resource) for need in found], [row[:2] for row in expected])
                for need, (_, _, keys) in zip(found, expected):
                    self.assertEqual(need.keys, need.keys | keys)

    def test_every_action_that_is_written_down_exists(self):
        for names in operations.ACTIONS.values():
            for name in names:
                self.assertIsNotNone(reference.action(name), name)
        for _, _, _, expected, _ in ROWS:
            for name, _, _ in expected:
                self.assertEqual(getattr(reference.action(name), "name", None), name)

    def test_every_key_that_is_written_down_exists(self):
        """Keys of services: those of the reference, or those that its pages write with a name at the end."""
        for service, operation, params, _, _ in ROWS:
            for need in iam_needs.needs(iam_needs.Call(A, R, service, operation, params)):
                for key in need.keys:
                    prefix = key.partition(":")[0]
                    known = reference.keys(prefix)
                    patterns = [name.partition("${")[0] for name in known if "${" in name]
                    if prefix != "aws":
                        self.assertTrue(key in known or any(key.startswith(pattern) for pattern in patterns), f"{service}:{operation} {key}")

    def test_every_operation_is_mapped_or_says_that_it_is_not(self):
        session, unmapped = botocore.session.get_session(), {}
        for service in SERVICES:
            model = session.get_service_model(service)
            for name in model.operation_names:
                shape = model.operation_model(name).input_shape
                full = _sample(shape) if shape else {}
                for params in (full, {key: full[key] for key in shape.required_members} if shape else {}):
                    with self.subTest(service=service, operation=name):
                        try:
                            iam_needs.needs(iam_needs.Call(A, R, service, name, params))
                        except iam_needs.Unmapped as missing:
                            self.assertIn(":", str(missing))
                            unmapped.setdefault(service, set()).add(name)
        # What the tools call is never among them.
        for service, names in CALLED.items():
            self.assertEqual(names & unmapped.get(service, set()), set(), service)

    def test_refuses_to_guess(self):
        for service, operation, params in (
            ("ssm", "ValidateCloudConnector", {}),
            ("ec2", "CreateTags", {"Resources": ["tgw-1"]}),
            ("ec2", "DeleteTransitGateway", {"TransitGatewayId": "tgw-1"}),
            ("kms", "ReEncrypt", {"DestinationKeyId": KEY}),
            ("dynamodb", "GetItem", {"TableName": "t"}),
        ):
            with self.subTest(service=service, operation=operation), self.assertRaises(iam_needs.Unmapped):
                iam_needs.needs(iam_needs.Call(A, R, service, operation, params))

    def test_every_row_of_resources_is_a_type_of_the_reference(self):
        for prefix, kind in resources.TYPES:
            self.assertIn(kind, reference.types(prefix), prefix)


# Operations of the services that tools call; one that nobody maps would be refused with status 500.
CALLED = {
    "ssm": {"CancelCommand", "CreateAssociation", "CreateDocument", "DeleteAssociation", "DeleteDocument", "DescribeDocument", "DescribeInstanceInformation", "DescribeInstancePatchStates",
            "GetCommandInvocation", "GetConnectionStatus", "GetDocument", "GetServiceSetting", "ListAssociations", "ListCommandInvocations", "ListCommands", "ListDocuments", "ListDocumentVersions",
            "ResetServiceSetting", "SendCommand", "StartSession", "TerminateSession", "UpdateAssociation", "UpdateDocument", "UpdateDocumentDefaultVersion", "UpdateServiceSetting"},
    "ec2": {"AssociateIamInstanceProfile", "DescribeIamInstanceProfileAssociations", "DescribeInstances", "DescribeRegions", "DescribeRouteTables", "DescribeSecurityGroups", "GetInstanceMetadataDefaults", "DescribeSubnets", "DescribeVpcEndpoints",
            "DisassociateIamInstanceProfile", "ModifyInstanceMetadataOptions", "ReplaceIamInstanceProfileAssociation", "RunInstances", "TerminateInstances"},
    "iam": {"AddRoleToInstanceProfile", "AttachRolePolicy", "CreateInstanceProfile", "CreatePolicy", "CreateRole", "DeleteInstanceProfile", "DeleteRole", "DeleteRolePolicy", "DetachRolePolicy",
            "GetAccountAuthorizationDetails", "GetInstanceProfile", "GetPolicy", "GetPolicyVersion", "GetRole", "GetRolePolicy", "ListAttachedRolePolicies", "ListRolePolicies", "PutRolePolicy",
            "RemoveRoleFromInstanceProfile", "SimulatePrincipalPolicy", "UpdateAssumeRolePolicy"},
    "kms": {"CreateAlias", "CreateKey", "Decrypt", "DeleteAlias", "DescribeKey", "DisableKeyRotation", "EnableKeyRotation", "Encrypt", "GenerateDataKey", "GetKeyPolicy", "GetKeyRotationStatus",
            "ListAliases", "ListKeys", "PutKeyPolicy", "ScheduleKeyDeletion", "UpdateAlias"},
    "s3": {"CreateBucket", "DeleteBucket", "DeleteBucketPolicy", "GetBucketEncryption", "GetBucketLifecycleConfiguration", "GetBucketLocation", "GetBucketPolicy", "GetBucketVersioning", "GetObject", "GetObjectLegalHold", "GetObjectLockConfiguration",
           "GetPublicAccessBlock", "HeadBucket", "ListBuckets", "ListObjectsV2", "PutBucketEncryption", "PutBucketLifecycleConfiguration", "PutBucketPolicy", "PutBucketVersioning", "PutObject", "PutObjectLegalHold", "PutObjectLockConfiguration", "PutPublicAccessBlock"},
    "logs": {"AssociateKmsKey", "CreateLogGroup", "DeleteLogGroup", "DescribeLogGroups", "DisassociateKmsKey", "GetLogEvents", "PutLogGroupDeletionProtection", "PutRetentionPolicy", "DeleteRetentionPolicy", "TagResource"},
    "cloudtrail": {"CreateTrail", "DeleteTrail", "DescribeTrails", "GetEventSelectors", "GetTrailStatus", "LookupEvents", "PutEventSelectors", "StartLogging", "StopLogging", "UpdateTrail"},
    "events": {"CreateApiDestination", "CreateConnection", "DeleteApiDestination", "DeleteConnection", "DeleteRule", "DescribeApiDestination", "DescribeConnection", "DescribeRule", "ListTargetsByRule",
               "PutEvents", "PutRule", "PutTargets", "RemoveTargets", "TestEventPattern", "UpdateApiDestination", "UpdateConnection"},
    "sqs": {"CreateQueue", "DeleteMessage", "DeleteQueue", "GetQueueAttributes", "GetQueueUrl", "ReceiveMessage", "SendMessage", "SetQueueAttributes"},
    "sns": {"Publish"},
    "lambda": {"AddPermission", "CreateFunction", "DeleteFunction", "GetFunction", "GetFunctionConfiguration", "GetFunctionEventInvokeConfig", "GetPolicy", "Invoke", "PutFunctionEventInvokeConfig", "RemovePermission",
               "UpdateFunctionCode", "UpdateFunctionConfiguration"},
    "organizations": {"AttachPolicy", "CreatePolicy", "DeletePolicy", "DescribeOrganization", "DescribePolicy", "DetachPolicy", "EnablePolicyType", "ListAccounts", "ListAccountsForParent",
                      "ListOrganizationalUnitsForParent", "ListPolicies", "ListPoliciesForTarget", "ListRoots", "ListTargetsForPolicy", "UpdatePolicy"},
    "sts": {"AssumeRole", "AssumeRoleWithWebIdentity", "GetCallerIdentity"},
    "athena": {"GetQueryExecution", "GetQueryResults", "StartQueryExecution"},
    "cloudformation": {"ActivateOrganizationsAccess", "CreateStack", "CreateStackInstances", "CreateStackSet", "DeleteStack", "DescribeStacks", "UpdateStack", "UpdateStackSet"},
    "secretsmanager": {"CreateSecret", "GetSecretValue"},
}


def _sample(shape, depth=0):
    """Returns a value of a shape: every member, one entry a list."""
    kind = shape.type_name
    if kind == "structure":
        return {name: _sample(member, depth + 1) for name, member in shape.members.items()} if depth < 4 else {}
    if kind == "list":
        return [_sample(shape.member, depth + 1)]
    if kind == "map":
        return {"k": _sample(shape.value, depth + 1)}
    if kind == "string":
        return shape.enum[0] if shape.enum else "x"
    return {"integer": 1, "long": 1, "boolean": True, "float": 1.0, "double": 1.0}.get(kind, "x")


if __name__ == "__main__":
    unittest.main()
