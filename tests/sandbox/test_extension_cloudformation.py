"""Shows how the sandbox makes stacks: what a template results in, what is refused, and how a stack fails, changes and goes."""

import io
import itertools
import json
import sys
import unittest
import zipfile

import sandbox_server
from test_extension_server import error_of

TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
ALIAS = {"Type": "AWS::KMS::Alias", "Properties": {"AliasName": "alias/ssm", "TargetKeyId": {"Ref": "Key"}}}
KEY = {"Type": "AWS::KMS::Key"}
_accounts = itertools.count(400000000001)


def setUpModule():
    global SANDBOX
    SANDBOX = sandbox_server.Served()


def tearDownModule():
    SANDBOX.stop()


class Stacks(unittest.TestCase):
    def setUp(self):
        self.account = str(next(_accounts))
        self.stacks = self.client("cloudformation")

    def client(self, service, region="eu-central-1"):
        return SANDBOX.client(service, self.account, region)

    def create(self, resources, *, name="s", more=None, **request):
        template = {"Resources": resources, **(more or {})}
        return self.stacks.create_stack(StackName=name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_NAMED_IAM"], **request)["StackId"]

    def update(self, resources, more=None, **request):
        self.stacks.update_stack(StackName="s", TemplateBody=json.dumps({"Resources": resources, **(more or {})}), Capabilities=["CAPABILITY_NAMED_IAM"], **request)

    def status(self, name="s"):
        return self.stacks.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]

    def reason(self, name="s"):
        """Returns the reason of the last resource that failed."""
        events = self.stacks.describe_stack_events(StackName=name)["StackEvents"]
        failed = [one for one in events if one["ResourceStatus"].endswith("_FAILED") and one["ResourceType"] != "AWS::CloudFormation::Stack"]
        return failed[0]["ResourceStatusReason"]

    def refusal(self, call, *arguments, **request):
        """Returns the message with which a call is refused."""
        with self.assertRaises(Exception) as caught:
            call(*arguments, **request)
        return str(caught.exception)

    def outputs(self, resources, outputs, more=None, **request):
        """Returns what outputs come to, by name."""
        self.create(resources, more={**(more or {}), "Outputs": {name: {"Value": value} for name, value in outputs.items()}}, **request)
        return {one["OutputKey"]: one["OutputValue"] for one in self.stacks.describe_stacks(StackName="s")["Stacks"][0]["Outputs"]}


class Templates(Stacks):
    def test_functions_come_to_their_values(self):
        got = self.outputs(
            {"Key": KEY, "Alias": ALIAS},
            {
                "Ref": {"Ref": "Alias"}, "Att": {"Fn::GetAtt": ["Key", "Arn"]},
                "Sub": {"Fn::Sub": "${AWS::Partition} ${AWS::AccountId} ${AWS::Region} ${AWS::URLSuffix} ${AWS::StackName} ${!Literal} ${Alias}"},
                "SubOf": {"Fn::Sub": ["${a}-${Key.KeyId}", {"a": "x"}]}, "Join": {"Fn::Join": ["-", ["a", {"Ref": "Given"}]]},
                "Select": {"Fn::Select": [1, {"Fn::Split": [",", "a,b"]}]}, "If": {"Fn::If": ["Here", "yes", "no"]}, "Code": {"Fn::Base64": "a"},
            },
            more={
                "Parameters": {"Given": {"Type": "String", "Default": "b"}},
                "Conditions": {"Here": {"Fn::And": [{"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-central-1"]}, {"Fn::Not": [{"Condition": "There"}]}]},
                               "There": {"Fn::Or": [{"Fn::Equals": [{"Ref": "Given"}, "c"]}, {"Fn::Equals": ["a", "b"]}]}},
            },
        )
        key = got["Att"].rsplit("/", 1)[1]
        self.assertEqual(got, {
            "Ref": "alias/ssm", "Att": f"arn:aws:kms:eu-central-1:{self.account}:key/{key}",
            "Sub": f"aws {self.account} eu-central-1 amazonaws.com s ${{Literal}} alias/ssm", "SubOf": f"x-{key}", "Join": "a-b",
            "Select": "b", "If": "yes", "Code": "YQ==",
        })

    def test_reads_yaml_with_short_forms(self):
        self.stacks.create_stack(StackName="s", TemplateBody="Resources:\n  Key:\n    Type: AWS::KMS::Key\n    Properties:\n"
                                 "      KeyPolicy: {Version: 2012-10-17, Statement: [{Effect: Allow, Action: 'kms:*', Resource: '*',"
                                 " Principal: {AWS: !Sub 'arn:${AWS::Partition}:iam::${AWS::AccountId}:root'}}]}\n"
                                 "Outputs:\n  Arn:\n    Value: !GetAtt Key.Arn\n")
        self.assertEqual(self.status(), "CREATE_COMPLETE")

    def test_leaves_out_what_a_condition_or_no_value_leaves_out(self):
        group = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "g", "RetentionInDays": {"Fn::If": ["Never", 7, {"Ref": "AWS::NoValue"}]}}}
        self.create({"Key": KEY | {"Condition": "Never"}, "Group": group | {"DependsOn": "Key"}}, more={"Conditions": {"Never": {"Fn::Equals": ["a", "b"]}}})
        self.assertNotIn("retentionInDays", self.client("logs").describe_log_groups()["logGroups"][0])
        self.assertEqual(self.client("kms").list_keys()["Keys"], [])

    def test_resolves_parameters_and_secrets_and_no_other_reference(self):
        self.client("ssm").put_parameter(Name="/a", Type="String", Value="from the store")
        arn = self.client("secretsmanager").create_secret(Name="hook", SecretString="secret")["ARN"]
        described = {"Key": {"Type": "AWS::KMS::Key", "Properties": {"Description": "{{resolve:ssm:/a}} {{resolve:secretsmanager:hook}} {{resolve:secretsmanager:%s}}" % arn}}}
        self.create(described)
        key = self.client("kms").list_keys()["Keys"][0]["KeyId"]
        self.assertEqual(self.client("kms").describe_key(KeyId=key)["KeyMetadata"]["Description"], "from the store secret secret")
        described["Key"]["Properties"]["Description"] = "{{resolve:ssm-secure:/a}}"
        self.create(described, name="t")
        self.assertIn("NotEmulated", self.reason("t"))

    def test_hides_parameters_with_no_echo(self):
        more = {"Parameters": {"Secret": {"Type": "String", "NoEcho": True}}}
        self.create({"Key": KEY}, more=more, Parameters=[{"ParameterKey": "Secret", "ParameterValue": "xyz"}])
        self.assertEqual(self.stacks.describe_stacks(StackName="s")["Stacks"][0]["Parameters"], [{"ParameterKey": "Secret", "ParameterValue": "****"}])

    def test_refuses_what_aws_refuses_of_a_template(self):
        parameter = {"Parameters": {"P": {"Type": "String", "AllowedPattern": "[a-z]+"}}}
        for resources, more, given, expected in (
            ({}, {}, [], "At least one Resources member"), ({"K": {"Type": "AWS::KMS::Kex"}}, {}, [], "Unrecognized resource types: [AWS::KMS::Kex]"),
            ({"K": KEY | {"Depends": "x"}}, {}, [], "Invalid template resource property 'Depends'"), ({"K": KEY}, {"Resource": {}}, [], "Invalid template property or properties [Resource]"),
            ({"A": ALIAS}, {}, [], "Unresolved resource dependencies [Key]"), ({"K": KEY}, {"Outputs": {"O": {"Value": {"Fn::GetAtt": ["K", "Name"]}}}}, [], "does not support attribute type Name"),
            ({"Key": KEY | {"DependsOn": "A"}, "A": ALIAS}, {}, [], "Circular dependency between resources: [A, Key]"), ({"K": KEY | {"Condition": "C"}}, {}, [], "Unresolved condition dependency C"),
            ({"K": KEY}, parameter, [], "Parameters: [P] must have values"), ({"K": KEY}, parameter, [("P", "A")], "Parameter P failed to satisfy constraint"),
            ({"K": KEY}, {}, [("Q", "a")], "Parameters: [Q] do not exist in the template"), ({"K": KEY}, {"Description": "x" * 52_000}, [], "less than or equal to 51200"),
        ):
            with self.subTest(expected):
                parameters = [{"ParameterKey": name, "ParameterValue": value} for name, value in given]
                self.assertIn(expected, self.refusal(self.create, resources, more=more, Parameters=parameters))
        self.assertEqual(self.stacks.describe_stacks()["Stacks"], [])

    def test_says_what_it_does_not_emulate(self):
        self.assertIn("NotEmulated", self.refusal(self.create, {"K": KEY}, more={"Transform": "AWS::Serverless-2016-10-31"}))
        for resource in ({"Type": "AWS::SNS::Topic"}, {"Type": "AWS::S3::Bucket", "Properties": {"WebsiteConfiguration": {"IndexDocument": "x"}}}):
            self.create({"R": resource}, name="t")
            self.assertEqual(self.status("t"), "ROLLBACK_COMPLETE")
            self.assertIn("NotEmulated", self.reason("t"))
            self.stacks.delete_stack(StackName="t")

    def test_says_what_a_template_has_and_needs(self):
        role = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "r", "AssumeRolePolicyDocument": TRUST}}
        body = json.dumps({"Description": "d", "Resources": {"R": role}, "Parameters": {"P": {"Type": "Number", "Default": 1}, "S": {"Type": "String", "NoEcho": True}}})
        described = self.stacks.get_template_summary(TemplateBody=body)
        self.assertEqual((described["Capabilities"], described["ResourceTypes"], described["Description"]), (["CAPABILITY_NAMED_IAM"], ["AWS::IAM::Role"], "d"))
        self.assertEqual(described["Parameters"], [{"ParameterKey": "P", "DefaultValue": "1", "ParameterType": "Number", "NoEcho": False},
                                              {"ParameterKey": "S", "ParameterType": "String", "NoEcho": True}])

    def test_wants_capabilities_for_iam(self):
        body = json.dumps({"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "r", "AssumeRolePolicyDocument": TRUST}}}})
        for given, expected in ((["CAPABILITY_IAM"], "InsufficientCapabilitiesException"), (["CAPABILITY_NAMED_IAM"], "none")):
            self.assertEqual(error_of(self.stacks.create_stack, StackName="s", TemplateBody=body, Capabilities=given), expected)


class Failures(Stacks):
    def test_rolls_back_and_gives_the_reason(self):
        self.client("logs").create_log_group(logGroupName="taken")
        self.create({"Key": KEY, "Group": {"Type": "AWS::Logs::LogGroup", "DependsOn": "Key", "Properties": {"LogGroupName": "taken"}}})
        self.assertEqual(self.status(), "ROLLBACK_COMPLETE")
        self.assertIn("HandlerErrorCode: AlreadyExists", self.reason())
        self.assertEqual(error_of(self.stacks.create_stack, StackName="s", TemplateBody="{}"), "AlreadyExistsException")
        self.assertIn("ROLLBACK_COMPLETE state and can not be updated", self.refusal(self.update, {"Key": KEY}))
        key = self.client("kms").list_keys()["Keys"][0]["KeyId"]
        self.assertEqual(self.client("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyState"], "PendingDeletion")
        self.assertEqual(len(self.client("logs").describe_log_groups()["logGroups"]), 1)

    def test_what_a_service_refuses_fails_the_resource(self):
        locked_out = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:Encrypt", "Resource": "*"}]}
        for name, resource, expected in (
            ("a", {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": locked_out}}, "MalformedPolicyDocumentException"),
            ("b", {"Type": "AWS::SSM::Document", "Properties": {"Name": "doc", "DocumentType": "Session", "Content": {"schemaVersion": "9"}}}, "InvalidDocument"),
            ("c", {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "192.168.1.1"}}, "InvalidBucketName"),
        ):
            self.create({"R": resource}, name=name)
            self.assertIn(expected, self.reason(name))

    def test_an_output_that_cannot_be_known_fails_the_stack(self):
        body = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": f"b-{self.account}"}}}}
        more = {"Outputs": {"Url": {"Value": {"Fn::GetAtt": ["Bucket", "WebsiteURL"]}}}}
        self.create(body["Resources"], more=more)
        described = self.stacks.describe_stack_events(StackName="s")["StackEvents"]
        self.assertEqual(self.status(), "ROLLBACK_COMPLETE")
        self.assertTrue(any("does not emulate the attribute WebsiteURL" in one.get("ResourceStatusReason", "") for one in described))
        self.create(body["Resources"], name="t")
        self.stacks.update_stack(StackName="t", TemplateBody=json.dumps(body | more))
        self.assertEqual(self.status("t"), "UPDATE_ROLLBACK_COMPLETE")

    def test_a_fault_of_a_service_fails_the_resource(self):
        SANDBOX.fault(account=self.account, kind="denied", service="kms", operation="CreateAlias")
        self.create({"Key": KEY, "Alias": ALIAS})
        self.assertIn("AccessDenied", self.reason())

    def test_refuses_properties_that_the_type_does_not_have(self):
        for name, properties, expected in (("a", {"Foo": 1}, "#: extraneous key [Foo] is not permitted"), ("b", {"RetentionInDays": 8}, "#/RetentionInDays")):
            self.create({"R": {"Type": "AWS::Logs::LogGroup", "Properties": properties}}, name=name)
            self.assertIn(expected, self.reason(name))
        self.create({"R": {"Type": "AWS::KMS::Alias", "Properties": {"AliasName": "alias/x"}}}, name="c")
        self.assertIn("#: required key [TargetKeyId] not found", self.reason("c"))

    def test_keeps_what_its_policy_says(self):
        bad = {"Type": "AWS::Logs::LogGroup", "DependsOn": ["A", "B"], "Properties": {"RetentionInDays": 8}}
        groups = {name: {"Type": "AWS::Logs::LogGroup", "DeletionPolicy": policy, "Properties": {"LogGroupName": name}}
                  for name, policy in (("A", "Retain"), ("B", "RetainExceptOnCreate"))}
        self.create(groups | {"Bad": bad})
        self.assertEqual([one["logGroupName"] for one in self.client("logs").describe_log_groups()["logGroups"]], ["A"])
        self.client("logs").delete_log_group(logGroupName="A")
        stack = self.create(groups | {"C": {"Type": "AWS::Logs::LogGroup"}}, name="t")
        self.stacks.delete_stack(StackName="t")
        self.assertEqual(self.status(stack), "DELETE_COMPLETE")
        self.assertEqual([one["logGroupName"] for one in self.client("logs").describe_log_groups()["logGroups"]], ["A", "B"])

    def test_a_resource_that_cannot_be_deleted_keeps_the_stack(self):
        stack = self.create({"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": f"full-{self.account}"}}, "Group": {"Type": "AWS::Logs::LogGroup"}})
        self.client("s3").put_object(Bucket=f"full-{self.account}", Key="k", Body=b"x")
        self.stacks.delete_stack(StackName="s")
        self.assertEqual(self.status(), "DELETE_FAILED")
        self.assertIn("BucketNotEmpty", self.reason())
        self.assertEqual(self.client("logs").describe_log_groups()["logGroups"], [])
        self.stacks.delete_stack(StackName="s", RetainResources=["Bucket"])
        self.assertEqual(self.status(stack), "DELETE_COMPLETE")


class Updates(Stacks):
    def test_changes_what_changed_and_nothing_else(self):
        def template(days):
            return {"Key": KEY, "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "g", "RetentionInDays": days}}}

        self.create(template(7))
        self.assertIn("No updates are to be performed", self.refusal(self.update, template(7)))
        SANDBOX.control("DELETE", f"/_sandbox/calls?account={self.account}")
        self.update(template(14))
        self.assertEqual(self.status(), "UPDATE_COMPLETE")
        self.assertEqual([one["operation"] for one in SANDBOX.calls(self.account) if one["service"] != "cloudformation"], ["PutRetentionPolicy"])
        self.update({"Key": KEY})
        self.assertEqual(self.client("logs").describe_log_groups()["logGroups"], [])

    def test_goes_back_when_a_resource_fails(self):
        group = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "g", "RetentionInDays": 7}}
        self.create({"Group": group})
        group = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "g", "RetentionInDays": 14}}
        self.update({"Group": group, "Bad": {"Type": "AWS::Logs::LogGroup", "DependsOn": "Group", "Properties": {"LogGroupName": "g"}}})
        self.assertEqual(self.status(), "UPDATE_ROLLBACK_COMPLETE")
        self.assertEqual(self.client("logs").describe_log_groups()["logGroups"][0]["retentionInDays"], 7)

    def test_a_document_gets_a_new_default_version_or_is_not_replaced(self):
        def document(minutes, method):
            content = {"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": {"idleSessionTimeout": minutes}}
            return {"Doc": {"Type": "AWS::SSM::Document", "Properties": {"Name": "SSM-SessionManagerRunShell", "DocumentType": "Session", "UpdateMethod": method, "Content": content}}}

        self.create(document("20", "NewVersion"))
        self.update(document("30", "NewVersion"))
        described = self.client("ssm").describe_document(Name="SSM-SessionManagerRunShell")["Document"]
        self.assertEqual((described["DefaultVersion"], described["LatestVersion"]), ("2", "2"))
        self.update(document("40", "Replace"))
        self.assertIn("custom-named resource requires replacing", self.reason())
        self.create(document("50", "NewVersion"), name="t")
        self.assertIn("DocumentAlreadyExists", self.reason("t"))

    def test_a_new_name_makes_a_new_resource_and_then_deletes_the_old(self):
        self.create({"Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "a"}}})
        self.update({"Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "b"}}})
        self.assertEqual([one["logGroupName"] for one in self.client("logs").describe_log_groups()["logGroups"]], ["b"])

    def test_takes_the_parameters_and_the_template_that_were(self):
        more = {"Parameters": {"Days": {"Type": "Number"}}}
        self.create({"G": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "g", "RetentionInDays": {"Ref": "Days"}}}}, more=more,
                    Parameters=[{"ParameterKey": "Days", "ParameterValue": "7"}])
        again = {"StackName": "s", "UsePreviousTemplate": True}
        self.assertIn("No updates", self.refusal(self.stacks.update_stack, **again, Parameters=[{"ParameterKey": "Days", "UsePreviousValue": True}]))
        self.stacks.update_stack(**again, Parameters=[{"ParameterKey": "Days", "ParameterValue": "14"}])
        self.assertEqual(self.client("logs").describe_log_groups()["logGroups"][0]["retentionInDays"], 14)


class Types(Stacks):
    def test_host_management_can_be_on_once_and_goes_off_with_the_stack(self):
        role = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "dhmc", "Path": "/service-role/", "Description": "d", "AssumeRolePolicyDocument": TRUST,
                                                         "ManagedPolicyArns": ["arn:aws:iam::aws:policy/AmazonSSMManagedEC2InstanceDefaultPolicy"]}}
        on = {"Type": "AWS::SSM::DefaultHostManagementConfiguration", "Properties": {"PermissionModel": "SELF_MANAGED", "CustomerManagedRoleArn": {"Fn::GetAtt": ["Role", "Arn"]}}}
        setting = {"SettingId": "/ssm/managed-instance/default-ec2-instance-management-role"}
        self.create({"Role": role, "On": on})
        self.assertEqual(self.client("ssm").get_service_setting(**setting)["ServiceSetting"]["SettingValue"], "service-role/dhmc")
        twice = dict(on, Properties=on["Properties"] | {"CustomerManagedRoleArn": f"arn:aws:iam::{self.account}:role/x"})
        self.create({"On": twice}, name="t")
        self.assertIn("already turned on", self.reason("t"))
        self.stacks.delete_stack(StackName="s")
        self.assertEqual(self.client("ssm").get_service_setting(**setting)["ServiceSetting"]["Status"], "Default")

    def test_rules_destinations_and_queues(self):
        arn = {"Fn::GetAtt": ["Queue", "Arn"]}
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn}]}
        target = {"Id": "slack", "Arn": {"Fn::GetAtt": ["Destination", "Arn"]}, "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]}, "DeadLetterConfig": {"Arn": arn},
                  "RetryPolicy": {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 60}, "InputTransformer": {"InputPathsMap": {"a": "$.account"}, "InputTemplate": '{"text": "<a>"}'}}
        self.create({
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "q", "MessageRetentionPeriod": 1209600, "SqsManagedSseEnabled": True}},
            "Policy": {"Type": "AWS::SQS::QueuePolicy", "Properties": {"Queues": [{"Ref": "Queue"}], "PolicyDocument": policy}},
            "Connection": {"Type": "AWS::Events::Connection", "Properties": {"Name": "c", "AuthorizationType": "API_KEY", "AuthParameters": {
                "ApiKeyAuthParameters": {"ApiKeyName": "x", "ApiKeyValue": "y"}}}},
            "Destination": {"Type": "AWS::Events::ApiDestination", "Properties": {"Name": "d", "ConnectionArn": {"Fn::GetAtt": ["Connection", "Arn"]}, "HttpMethod": "POST",
                                                                                "InvocationEndpoint": {"Ref": "Webhook"}, "InvocationRateLimitPerSecond": 1}},
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST, "Policies": [{"PolicyName": "p", "PolicyDocument": {
                "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "events:InvokeApiDestination", "Resource": {"Fn::GetAtt": ["Destination", "Arn"]}}]}}]}},
            "Rule": {"Type": "AWS::Events::Rule", "Properties": {"Name": "r", "EventPattern": {"source": ["aws.ssm"]}, "State": "ENABLED", "Targets": [target]}},
        }, more={"Parameters": {"Webhook": {"Type": "String", "NoEcho": True}}}, Parameters=[{"ParameterKey": "Webhook", "ParameterValue": "https://hooks.slack.com/x"}])
        self.assertEqual(self.status(), "CREATE_COMPLETE")
        (made,) = self.client("events").list_targets_by_rule(Rule="r")["Targets"]
        self.assertEqual((made["RetryPolicy"], made["InputTransformer"]["InputTemplate"]), (target["RetryPolicy"], '{"text": "<a>"}'))
        self.assertEqual(made["DeadLetterConfig"]["Arn"], f"arn:aws:sqs:eu-central-1:{self.account}:q")
        url = self.client("sqs").get_queue_url(QueueName="q")["QueueUrl"]
        attributes = self.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        self.assertEqual((attributes["MessageRetentionPeriod"], attributes["SqsManagedSseEnabled"], "sqs:SendMessage" in attributes["Policy"]), ("1209600", "true", True))
        self.stacks.delete_stack(StackName="s")
        self.assertEqual(self.client("events").list_rules()["Rules"], [])
        self.assertEqual(self.client("iam").list_roles()["Roles"], [])

    def test_a_function_from_a_bucket(self):
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr("bootstrap", f"#!{sys.executable}\n")
        s3, bucket = self.client("s3", "us-east-1"), f"code-{self.account}"
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key="a.zip", Body=package.getvalue())
        name = {"Ref": "Function"}
        self.create({
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST}},
            "Function": {"Type": "AWS::Lambda::Function", "Properties": {
                "FunctionName": "f", "Runtime": "provided.al2023", "Handler": "bootstrap", "Code": {"S3Bucket": bucket, "S3Key": "a.zip"}, "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Architectures": ["arm64"], "MemorySize": 128, "Timeout": 30, "Environment": {"Variables": {"AA": "b"}}}},
            "Permission": {"Type": "AWS::Lambda::Permission", "Properties": {"FunctionName": name, "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com",
                                                                            "SourceArn": {"Fn::Sub": "arn:aws:events:${AWS::Region}:${AWS::AccountId}:rule/r"}}},
            "Tries": {"Type": "AWS::Lambda::EventInvokeConfig", "Properties": {"FunctionName": name, "Qualifier": "$LATEST", "MaximumRetryAttempts": 1}},
        })
        self.assertEqual(self.status(), "CREATE_COMPLETE", self.stacks.describe_stack_events(StackName="s")["StackEvents"])
        function = self.client("lambda").get_function(FunctionName="f")["Configuration"]
        self.assertEqual((function["Architectures"], function["Environment"]["Variables"]), (["arm64"], {"AA": "b"}))
        self.assertIn("rule/r", self.client("lambda").get_policy(FunctionName="f")["Policy"])
        self.assertEqual(self.client("lambda").get_function_event_invoke_config(FunctionName="f")["MaximumRetryAttempts"], 1)
        self.stacks.delete_stack(StackName="s")
        self.assertEqual(self.client("lambda").list_functions()["Functions"], [])

    def test_a_trail_with_its_bucket(self):
        bucket = {"Fn::Sub": "trail-${AWS::AccountId}"}
        service = {"Service": "cloudtrail.amazonaws.com"}
        policy = {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": service, "Action": "s3:GetBucketAcl", "Resource": {"Fn::GetAtt": ["Bucket", "Arn"]}},
            {"Effect": "Allow", "Principal": service, "Action": "s3:PutObject", "Resource": {"Fn::Sub": "${Bucket.Arn}/AWSLogs/${AWS::AccountId}/*"},
             "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}}]}
        trail = {"Type": "AWS::CloudTrail::Trail", "Properties": {"TrailName": "trail", "S3BucketName": {"Ref": "Bucket"}, "IsLogging": True, "IsMultiRegionTrail": True,
                                                                  "EnableLogFileValidation": True, "IncludeGlobalServiceEvents": True}}
        resources = {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": bucket}},
                     "Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": policy}}, "Trail": trail | {"DependsOn": "Policy"}}
        self.create(resources)
        self.assertEqual(self.status(), "CREATE_COMPLETE", self.stacks.describe_stack_events(StackName="s")["StackEvents"])
        self.assertTrue(self.client("cloudtrail").get_trail_status(Name="trail")["IsLogging"])
        trail["Properties"]["IsLogging"] = False
        self.update(resources | {"Trail": trail | {"DependsOn": "Policy"}})
        self.assertFalse(self.client("cloudtrail").get_trail_status(Name="trail")["IsLogging"])

    def test_a_bucket_with_all_that_we_set(self):
        name = f"logs-{self.account}"
        lifecycle = {"Rules": [{"Id": "expire", "Status": "Enabled", "ExpirationInDays": 30, "NoncurrentVersionExpiration": {"NoncurrentDays": 7}, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}}]}
        block = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)
        rule = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Fn::GetAtt": ["Key", "Arn"]}}, "BucketKeyEnabled": True}
        self.create({"Key": {"Type": "AWS::KMS::Key", "Properties": {"EnableKeyRotation": True}}, "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {
            "BucketName": name, "BucketEncryption": {"ServerSideEncryptionConfiguration": [rule]}, "VersioningConfiguration": {"Status": "Enabled"},
            "PublicAccessBlockConfiguration": block, "LifecycleConfiguration": lifecycle}}})
        self.assertEqual(self.status(), "CREATE_COMPLETE", self.stacks.describe_stack_events(StackName="s")["StackEvents"])
        s3 = self.client("s3")
        (made,) = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
        self.assertEqual((made["ID"], made["Expiration"], made["NoncurrentVersionExpiration"]), ("expire", {"Days": 30}, {"NoncurrentDays": 7}))
        self.assertTrue(s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"][0]["BucketKeyEnabled"])
        self.assertEqual(s3.get_bucket_location(Bucket=name)["LocationConstraint"], "eu-central-1")
        key = self.client("kms").list_keys()["Keys"][0]["KeyId"]
        self.assertTrue(self.client("kms").get_key_rotation_status(KeyId=key)["KeyRotationEnabled"])

    def test_requests_follow_the_models(self):
        self.create({"Key": KEY, "Alias": ALIAS})
        self.assertEqual(self.status(), "CREATE_COMPLETE")
        done = SANDBOX.aws(self.account, "--region", "eu-central-1", "cloudformation", "list-stack-resources", "--stack-name", "s")
        self.assertEqual([one["LogicalResourceId"] for one in json.loads(done.stdout)["StackResourceSummaries"]], ["Key", "Alias"], done.stderr)
        self.assertEqual([one for one in SANDBOX.calls(self.account) if one["problems"]], [])


if __name__ == "__main__":
    unittest.main()
