"""Owns an account in which sessions are logged in full, of which a test or the table breaks one thing at a time. No tests.

Everything is made by AWS's own calls; only nodes, whose ids nobody may choose, are seeded.
"""

import json

R = "us-east-1"
NODE = "i-0123456789abcdef0"
CORE = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
DHMC_CORE = "arn:aws:iam::aws:policy/AmazonSSMManagedEC2InstanceDefaultPolicy"
DHMC = "/ssm/managed-instance/default-ec2-instance-management-role"
GROUP = "/sessions"
EC2_TRUST, SSM_TRUST = "ec2.amazonaws.com", "ssm.amazonaws.com"


def document(*statements):
    """Returns a policy as text."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource} | more


def deny(action, resource="*", **more):
    return allow(action, resource, **more) | {"Effect": "Deny"}


def trust(service):
    return document({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"})


def key_policy(account, *more):
    """Returns the default key policy, which hands the key over to IAM, and more."""
    root = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "kms:*", "Resource": "*"}
    return document(root, *more)


def closed_key_policy(account, *more):
    """Returns a key policy by which nobody but the account's root user may use the key: IAM policies are not heard."""
    root = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "kms:PutKeyPolicy", "Resource": "*"}
    return document(root, *more)


def logs_statement(account, region=R):
    """Returns what CloudWatch Logs needs of the key of a log group: encrypt-log-data-kms.html."""
    return {
        "Effect": "Allow", "Principal": {"Service": f"logs.{region}.amazonaws.com"}, "Action": ["kms:Encrypt*", "kms:Decrypt*", "kms:GenerateDataKey*"], "Resource": "*",
        "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:{region}:{account}:*"}},
    }


class Scene:
    """One account: keys for sessions, bucket and log group, a bucket, a log group, preferences, nodes and their roles."""

    def __init__(self, sandbox, account, region=R):
        self.sandbox, self.account, self.region = sandbox, account, region
        self.bucket, self.group = f"logs-{account}", GROUP
        kms = self.client("kms")
        self.session_key, self.bucket_key = (kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2))
        self.group_key = kms.create_key(Policy=key_policy(account, logs_statement(account, region)))["KeyMetadata"]["Arn"]
        self.client("s3").create_bucket(Bucket=self.bucket)
        self.encrypt("aws:kms", self.bucket_key)
        self.client("logs").create_log_group(logGroupName=self.group, kmsKeyId=self.group_key)
        self.inputs = {
            "s3BucketName": self.bucket, "s3KeyPrefix": "sessions", "s3EncryptionEnabled": True,
            "cloudWatchLogGroupName": self.group, "cloudWatchEncryptionEnabled": True, "cloudWatchStreamingEnabled": True,
            "kmsKeyId": self.session_key, "idleSessionTimeout": "20", "maxSessionDuration": "60", "shellProfile": {"linux": "umask 077"},
        }

    def client(self, service, **keys):
        return self.sandbox.client(service, self.account, self.region, **keys)

    def encrypt(self, algorithm, key=None):
        """Gives the bucket its default encryption."""
        rule = {"SSEAlgorithm": algorithm} | ({"KMSMasterKeyID": key} if key else {})
        self.client("s3").put_bucket_encryption(
            Bucket=self.bucket, ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": rule, "BucketKeyEnabled": False}]},
        )

    def prefer(self, name="SSM-SessionManagerRunShell", default=True, session_type="Standard_Stream", **changed):
        """Saves a Session document with the inputs of the scene and some changed; a version that is new becomes the default."""
        ssm = self.client("ssm")
        content = json.dumps({"schemaVersion": "1.0", "description": name, "sessionType": session_type, "inputs": self.inputs | changed})
        try:
            ssm.create_document(Name=name, Content=content, DocumentType="Session", DocumentFormat="JSON")
        except ssm.exceptions.DocumentAlreadyExists:
            made = ssm.update_document(Name=name, Content=content, DocumentVersion="$LATEST", DocumentFormat="JSON")["DocumentDescription"]
            if default:
                ssm.update_document_default_version(Name=name, DocumentVersion=made["DocumentVersion"])

    def grants(self):
        """Returns the statements that a node needs beside AWS's managed policy, by name."""
        logs = f"arn:aws:logs:{self.region}:{self.account}:log-group:"
        return {
            "encryption": allow("s3:GetEncryptionConfiguration", f"arn:aws:s3:::{self.bucket}"),
            "put": allow("s3:PutObject", f"arn:aws:s3:::{self.bucket}/sessions/*"),
            "bucket_key": allow("kms:GenerateDataKey", self.bucket_key),
            "describe": allow("logs:DescribeLogGroups", f"{logs}*"),
            "stream": allow("logs:CreateLogStream", f"{logs}{self.group}:log-stream:*"),
            "events": allow("logs:PutLogEvents", f"{logs}{self.group}:log-stream:*"),
            "decrypt": allow("kms:Decrypt", self.session_key),
        }

    def role(self, name, service=EC2_TRUST, managed=(CORE,), path="/", without=(), more=()):
        """Makes the role of a node, a profile of the same name where EC2 may assume it, and returns its ARN."""
        iam = self.client("iam")
        arn = iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=trust(service))["Role"]["Arn"]
        for policy in managed:
            iam.attach_role_policy(RoleName=name, PolicyArn=policy)
        self.permit(name, without, more)
        iam.create_instance_profile(InstanceProfileName=name)
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
        return arn

    def permit(self, name, without=(), more=()):
        """Gives a role all grants but some, and more."""
        statements = [statement for key, statement in self.grants().items() if key not in without] + list(more)
        self.client("iam").put_role_policy(RoleName=name, PolicyName="sessions", PolicyDocument=document(*statements))

    def node(self, instance_id, profile=None, platform="Linux", **agent):
        """Seeds a node."""
        node = {"account": self.account, "region": self.region, "instance_id": instance_id, "platform": {"type": platform, "name": platform, "version": "1"},
                "agent": {"version": "3.3.987.0", **agent}} | ({"profile": profile} if profile else {})
        self.sandbox.control("POST", "/_sandbox/estate", {"nodes": [node]})

    def host_management(self, value):
        self.client("ssm").update_service_setting(SettingId=DHMC, SettingValue=value)

    def session(self, target, **request):
        """Starts a session by the control URL, types, ends it, and returns what became of it."""
        request = {"account": self.account, "region": self.region, "target": target, "input": ["echo nonce-1"]} | request
        return self.sandbox.control("POST", "/_sandbox/sessions", request)[0]


def scene(sandbox, account, **changed):
    """Returns an account in which a session on NODE is logged in full, but for changed preferences."""
    made = Scene(sandbox, account)
    made.role("node")
    made.node(NODE, "node")
    made.prefer(**changed)
    return made
