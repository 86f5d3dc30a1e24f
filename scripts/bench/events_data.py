"""Makes what events.py reads: CloudTrail log files, EventBridge events. The same at every run.

Records are filled into templates, as dumping a million dictionaries would take longer than what is measured. Every
file and every block of events has its own seed, so that several processes make the same as one.
"""

import datetime
import gzip
import hashlib
import json
import multiprocessing
import pathlib
import random
import string

SEED = 20261124
MIB = 1 << 20
ACCOUNTS = ("111122223333", "222222222222", "333333333333")
REGIONS = ("eu-central-1", "eu-west-1", "us-east-1", "us-west-2")
START = datetime.datetime(2026, 11, 23)
DAYS = 7
WANTED = ("StartSession", "SendCommand")
BLOCK = 10_000  # events
VERSION = hashlib.sha256(pathlib.Path(__file__).read_bytes()).hexdigest()[:8]

NAMES = ("ann", "botocore-session-1764000000", "i-0b22a22eec53b9321", "GitHubActions", "karpenter", "Jörg.Müller@example.com")
AGENTS = (
    "aws-cli/2.31.0 md/awscrt#0.27.6 ua/2.1 os/linux#6.1.0 md/arch#x86_64 lang/python#3.13.7 md/command#ssm.start-session",
    "[aws-sdk-java/1.12.780 Linux/5.10.245 OpenJDK_64-Bit_Server_VM/17.0.17+10 java/17.0.17 vendor/Amazon.com_Inc.]",
    "APN/1.0 HashiCorp/1.0 Terraform/1.13.5 (+https://www.terraform.io) terraform-provider-aws/6.22.1 aws-sdk-go-v2/1.39.6",
    "Boto3/1.40.70 md/Botocore#1.40.70 ua/2.1 os/linux#6.1.0 lang/python#3.12.12 cfg/retry-mode#standard Botocore/1.40.70",
    "amazon-ssm-agent/3.3.987.0",
    'wrapper \\"StartSession\\" C:\\tools\\',
)
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["ssm:StartSession", "ssm:SendCommand"], "Resource": "*"}]}
RULE = {"source": ["aws.ssm"], "detail": {"eventName": ["StartSession", "SendCommand"]}}
QUERY = 'fields @timestamp | filter @message like /"eventName":"StartSession"/ and path = "C:\\\\logs\\\\" | limit 20'
HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
BUCKET = "%(role)s-data-%(account)s"
NODE_ARN = "arn:aws:ec2:%(region)s:%(account)s:instance/%(node)s"
KEY_ARN = "arn:aws:kms:%(region)s:%(account)s:key/5f0c1d2e-%(few)s-4a5b-8c6d-0e1f2a3b4c5d"
OBJECT = "logs/2026/11/%(few)s/part-%(short)s.parquet"

SESSION = {"sessionId": "%(user)s-%(long)s", "tokenValue": "Value hidden due to security reasons.", "streamUrl": "wss://ssmmessages.%(region)s.amazonaws.com/v1/data-channel/%(user)s-%(long)s?role=publish_subscribe"}
COMMAND = {"command": {"commandId": "%(uuid)s", "documentName": "AWS-RunShellScript", "documentVersion": "$DEFAULT", "comment": 'say \\"StartSession\\"', "expiresAfter": "%(time)s", "parameters": HIDDEN, "instanceIds": ["%(node)s"], "targets": [], "status": "Pending", "statusDetails": "Pending", "outputS3BucketName": "", "maxConcurrency": "50", "maxErrors": "0", "targetCount": 1, "completedCount": 0, "errorCount": 0, "timeoutSeconds": 3600}}
INSTANCE = {"instanceId": "%(node)s", "imageId": "ami-0%(few)s5c7e9b1d3f5a7", "instanceState": {"code": 0, "name": "pending"}, "privateDnsName": "ip-10-0-%(few)s.ec2.internal", "instanceType": "m7g.large", "subnetId": "subnet-0a1b2c3d4e5f60718", "vpcId": "vpc-0123456789abcdef0", "privateIpAddress": "10.0.%(byte)s.%(byte)s", "groupSet": {"items": [{"groupId": "sg-0fedcba9876543210", "groupName": "nodes"}]}, "tagSet": {"items": [{"key": "Name", "value": "%(role)s"}, {"key": "note", "value": "open with \"StartSession\""}]}, "metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 2, "httpEndpoint": "enabled"}}
CREDENTIALS = {"credentials": {"accessKeyId": "ASIA%(key)s", "sessionToken": "IQoJb3JpZ2luX2VjE%(token)s", "expiration": "Nov 24, 2026, 4:00:00 AM"}, "assumedRoleUser": {"assumedRoleId": "AROAEXAMPLE%(few)s:%(user)s", "arn": "arn:aws:sts::%(account)s:assumed-role/%(role)s/%(user)s"}}
TRANSFER = {"SignatureVersion": "SigV4", "CipherSuite": "TLS_AES_128_GCM_SHA256", "bytesTransferredIn": 0, "AuthenticationMethod": "AuthHeader", "x-amz-id-2": "%(token)s", "bytesTransferredOut": "#%(size)s#"}

# In ten thousand records, service, call, request, response, and what else the record has.
KINDS = [
    (2000, "s3", "GetObject", {"bucketName": BUCKET, "Host": BUCKET + ".s3.%(region)s.amazonaws.com", "key": OBJECT}, None, {"additionalEventData": TRANSFER, "resources": [{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::" + BUCKET + "/" + OBJECT}], "managementEvent": False, "eventCategory": "Data"}),
    (800, "s3", "PutObject", {"bucketName": BUCKET, "Host": "s3.%(region)s.amazonaws.com", "key": OBJECT, "x-amz-server-side-encryption": "aws:kms"}, {"x-amz-server-side-encryption-aws-kms-key-id": KEY_ARN}, {"additionalEventData": TRANSFER, "managementEvent": False, "eventCategory": "Data"}),
    (600, "s3", "GetBucketAcl", {"bucketName": BUCKET, "acl": ""}, None, {"additionalEventData": TRANSFER}),
    (1000, "ec2", "DescribeInstances", {"filterSet": {"items": [{"name": "instance-state-name", "valueSet": {"items": [{"value": "running"}]}}]}, "maxResults": 1000}, None, {}),
    (500, "ec2", "DescribeVolumes", {"maxResults": 500, "volumeSet": {"items": [{"volumeId": "vol-%(long)s"}]}}, None, {}),
    (60, "ec2", "RunInstances", {"instancesSet": {"items": [{"imageId": "ami-0%(few)s5c7e9b1d3f5a7", "minCount": 1, "maxCount": 2}]}, "userData": "<sensitiveDataRemoved>", "instanceType": "m7g.large"}, {"requestId": "%(uuid)s", "reservationId": "r-%(long)s", "instancesSet": {"items": [INSTANCE, INSTANCE]}}, {}),
    (100, "ec2", "TerminateInstances", {"instancesSet": {"items": [{"instanceId": "%(node)s"}]}}, None, {"errorCode": "Client.UnauthorizedOperation", "errorMessage": "You are not authorized to perform this operation. Encoded authorization failure message: %(token)s"}),
    (1600, "sts", "AssumeRole", {"roleArn": "arn:aws:iam::%(account)s:role/%(role)s", "roleSessionName": "%(user)s", "durationSeconds": 3600}, CREDENTIALS, {"resources": [{"accountId": "%(account)s", "type": "AWS::IAM::Role", "ARN": "arn:aws:iam::%(account)s:role/%(role)s"}], "sharedEventID": "%(uuid)s"}),
    (1300, "kms", "Decrypt", {"encryptionContext": {"aws:s3:arn": "arn:aws:s3:::" + BUCKET + "/" + OBJECT}, "encryptionAlgorithm": "SYMMETRIC_DEFAULT"}, None, {"resources": [{"accountId": "%(account)s", "type": "AWS::KMS::Key", "ARN": KEY_ARN}]}),
    (500, "kms", "GenerateDataKey", {"keyId": KEY_ARN, "keySpec": "AES_256", "encryptionContext": {"PARAMETER_ARN": "arn:aws:ssm:%(region)s:%(account)s:parameter/%(role)s/StartSession"}}, None, {}),
    (300, "iam", "GetRole", {"roleName": "%(role)s"}, None, {}),
    (30, "iam", "PutRolePolicy", {"roleName": "%(role)s", "policyName": "StartSession", "policyDocument": json.dumps(POLICY, indent=2)}, None, {}),
    (700, "ssm", "UpdateInstanceInformation", {"instanceId": "%(node)s", "agentVersion": "3.3.987.0", "agentStatus": "Active", "platformType": "Linux", "platformName": "Amazon Linux", "platformVersion": "2023", "iPAddress": "10.0.%(byte)s.7", "computerName": "ip-10-0-%(few)s.ec2.internal", "agentName": "amazon-ssm-agent", "availabilityZone": "%(region)sa"}, None, {}),
    (300, "ssm", "GetParameters", {"names": ["/%(role)s/url", "/%(role)s/password"], "withDecryption": True}, None, {}),
    (90, "ssm", "DescribeInstanceInformation", {"maxResults": 50}, None, {}),
    (22, "ssm", "StartSession", {"target": "%(node)s", "documentName": "SSM-SessionManagerRunShell", "reason": 'ticket 4711: \\"disk full\\" on C:\\'}, SESSION, {}),
    (8, "ssm", "StartSession", {"target": "%(node)s"}, None, {"errorCode": "AccessDenied", "errorMessage": "User: arn:aws:sts::%(account)s:assumed-role/%(role)s/%(user)s is not authorized to perform: ssm:StartSession on resource: " + NODE_ARN + " because no identity-based policy allows the ssm:StartSession action"}),
    (16, "ssm", "SendCommand", {"documentName": "AWS-RunShellScript", "instanceIds": ["%(node)s"], "comment": 'say \\"StartSession\\"', "parameters": HIDDEN, "interactive": False}, COMMAND, {}),
    (4, "ssm", "SendCommand", {"documentName": "AWS-RunShellScript", "targets": [{"key": "tag:env", "values": ["prod"]}], "parameters": HIDDEN}, None, {"errorCode": "AccessDeniedException", "errorMessage": "User is not authorized to perform: ssm:SendCommand"}),
    # What speaks of the calls without being one.
    (20, "ssm", "TerminateSession", {"sessionId": "%(user)s-%(long)s"}, {"sessionId": "%(user)s-%(long)s"}, {}),
    (15, "cloudtrail", "LookupEvents", {"lookupAttributes": [{"attributeKey": "EventName", "attributeValue": "StartSession"}], "maxResults": 50}, None, {}),
    (10, "events", "PutRule", {"name": "ssm-activity", "state": "ENABLED", "eventPattern": json.dumps(RULE)}, {"ruleArn": "arn:aws:events:%(region)s:%(account)s:rule/ssm-activity"}, {}),
    (10, "detective", "SearchGraph", {"filter": {"eventName": "StartSession", "eventSource": "ssm.amazonaws.com"}}, None, {}),
    (10, "logs", "StartQuery", {"logGroupName": "trail", "queryString": QUERY}, {"queryId": "%(uuid)s"}, {}),
    (5, "s3", "GetObject", {"bucketName": BUCKET, "key": '\\\\","eventName":"StartSession","x":"\\'}, None, {"errorCode": "NoSuchKey", "errorMessage": "The specified key does not exist."}),
]


def dump(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def template(service, call, request, response, more):
    """Returns a record in the order of CloudTrail, with %(..)s where records differ; `"#..#"` is a number."""
    failure = {key: more[key] for key in ("errorCode", "errorMessage") if key in more}
    record = {
        "eventVersion": "1.11", "userIdentity": "#%(identity)s#", "eventTime": "%(time)s",
        "eventSource": f"{service}.amazonaws.com", "eventName": call, "awsRegion": "%(region)s",
        "sourceIPAddress": "%(ip)s", "userAgent": "#%(agent)s#", **failure,
        "requestParameters": request, "responseElements": response, "requestID": "%(request)s", "eventID": "%(id)s",
        "readOnly": call.startswith(("Get", "Describe", "Lookup", "Assume", "Decrypt")), "eventType": "AwsApiCall",
        "managementEvent": True, "recipientAccountId": "%(account)s", "eventCategory": "Management", **more,
        "tlsDetails": {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": f"{service}.%(region)s.amazonaws.com"},
    }
    return dump(record).replace('"#', "").replace('#"', "")


TEMPLATES = [(kind[1], kind[2], template(*kind[1:])) for kind in KINDS]
ENVELOPE = '{"version":"0","id":"%s","detail-type":"AWS API Call via CloudTrail","source":"aws.%s","account":"%s","time":"%s","region":"%s","resources":[],"detail":%s}\n'
# What a bus carries in place of this call.
STATE_CALL = "DescribeVolumes"
STATE = '{"version":"0","id":"%s","detail-type":"EC2 Instance State-change Notification","source":"aws.ec2","account":"%s","time":"%s","region":"%s","resources":["arn:aws:ec2:%s:%s:instance/%s"],"detail":{"instance-id":"%s","state":"running"}}\n'


class Maker:
    """Makes records of one account and region within five minutes, by a few dozen callers."""

    def __init__(self, seed, account, region, start, weights=None):
        self.random = random.Random(f"{SEED}/{seed}")
        self.account, self.region, self.start = account, region, start
        self.weights = weights or [kind[0] for kind in KINDS]
        self.callers = [self.caller() for _ in range(24)]
        self.nodes = [f"i-0{self.random.getrandbits(64):016x}" for _ in range(64)]

    def caller(self):
        role, user = f"{self.random.choice(('web', 'batch', 'operator', 'deploy'))}-{self.random.randrange(40)}", self.random.choice(NAMES)
        key = "".join(self.random.choices(string.ascii_uppercase + "234567", k=16))
        common = {"principalId": f"AROAEXAMPLE{key[:9]}", "accountId": self.account}
        arn = f"arn:aws:iam::{self.account}"
        issuer = {"type": "Role", **common, "arn": f"{arn}:role/{role}", "userName": role}
        attributes = {"creationDate": f"{self.start:%Y-%m-%dT%H}:00:00Z", "mfaAuthenticated": "false"}
        identity = self.random.choices([
            {"type": "AssumedRole", "principalId": f"{common['principalId']}:{user}", "arn": f"arn:aws:sts::{self.account}:assumed-role/{role}/{user}", "accountId": self.account, "accessKeyId": f"ASIA{key}", "sessionContext": {"sessionIssuer": issuer, "webIdFederationData": {}, "attributes": attributes}},
            {"type": "IAMUser", **common, "arn": f"{arn}:user/{user}", "accessKeyId": f"AKIA{key}", "userName": user},
            {"type": "AWSService", "invokedBy": "ec2.amazonaws.com"},
            {"type": "Root", **common, "arn": f"{arn}:root", "accessKeyId": ""},
        ], (80, 12, 7, 1))[0]
        ip = f"203.0.113.{self.random.randrange(256)}"
        return {"identity": dump(identity), "role": role, "user": user, "key": key, "ip": ip, "agent": dump(self.random.choice(AGENTS))}

    def records(self, count):
        """Yields service, call, the fields and the text of so many records."""
        draw = self.random
        for service, call, text in draw.choices(TEMPLATES, self.weights, k=count):
            digits = f"{draw.getrandbits(640):0160x}"
            second = self.start + datetime.timedelta(seconds=int(digits[:4], 16) % 300)
            fields = {
                **draw.choice(self.callers), "account": self.account, "region": self.region, "time": f"{second:%Y-%m-%dT%H:%M:%SZ}",
                "id": uuid(digits[8:40]), "request": uuid(digits[40:72]), "uuid": uuid(digits[72:104]), "long": digits[104:121],
                "short": digits[121:129], "few": digits[129:131], "byte": int(digits[131:133], 16), "size": int(digits[133:138], 16),
                "node": draw.choice(self.nodes), "token": f"{digits[8:72]}/{digits[72:88]}==",
            }
            yield service, call, fields, text % fields

    def events(self, count):
        for service, call, fields, record in self.records(count):
            node, name = fields["node"], uuid(fields["token"][:32][::-1])
            if call == STATE_CALL:
                yield call, STATE % (name, self.account, fields["time"], self.region, self.region, self.account, node, node)
            else:
                yield call, ENVELOPE % (name, service, self.account, fields["time"], self.region, record)


def uuid(digits):
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:32]}"


def history(directory, mib):
    """Makes log files of so many MiB in all as a trail leaves them in its bucket; returns their directory and facts."""
    draw, sizes = random.Random(SEED), []
    while sum(sizes) < mib * MIB:
        sizes.append(int(draw.uniform(1.05, 7.9) * MIB))
    directory /= f"history-{mib}mib-{VERSION}"
    return directory, once(directory, log_file, [(directory, number, size) for number, size in enumerate(sizes)])


def log_file(job):
    directory, number, size = job
    draw = random.Random(f"{SEED}/name/{number}")
    account, region = draw.choice(ACCOUNTS), draw.choice(REGIONS)
    start = START + datetime.timedelta(minutes=5 * draw.randrange(DAYS * 288))
    parts, left, n_matches = [], size, 0
    maker = Maker(number, account, region, start)
    while left > 0:
        for _, call, _, text in maker.records(min(50, left // 1000 + 1)):
            parts.append(text)
            left -= len(text) + 1
            n_matches += call in WANTED
    content = ('{"Records":[' + ",".join(parts) + "]}").encode()
    packed = gzip.compress(content, 6, mtime=0)
    name = f"{account}_CloudTrail_{region}_{start:%Y%m%dT%H%MZ}_{''.join(draw.choices(string.ascii_letters + string.digits, k=16))}.json.gz"
    path = directory / "AWSLogs" / account / "CloudTrail" / region / f"{start:%Y/%m/%d}" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(packed)
    return {"files": 1, "bytes": len(content), "packed": len(packed), "records": len(parts), "matches": n_matches}


def events(directory, count):
    """Makes a file of so many EventBridge events, a JSON line each; returns its path and facts."""
    directory /= f"events-{count}-{VERSION}"
    sizes = [min(BLOCK, count - first) for first in range(0, count, BLOCK)]
    facts = once(directory, event_block, [(directory, number, size) for number, size in enumerate(sizes)])
    path = directory / "events"
    if not path.exists():
        blocks = sorted(directory.glob("block-*"))
        with (directory / "part").open("wb") as out:
            for block in blocks:
                out.write(block.read_bytes())
        (directory / "part").rename(path)
        for block in blocks:
            block.unlink()
    return path, facts


def event_block(job):
    directory, number, count = job
    # A bus carries short events too, and of the wanted calls ten times as many as a trail: so that printing counts.
    weights = [kind[0] * 10 if kind[2] in WANTED else 7000 if kind[2] == STATE_CALL else kind[0] for kind in KINDS]
    maker = Maker(f"events/{number}", ACCOUNTS[number % 3], REGIONS[number % 4], START, weights)
    made = list(maker.events(count))
    content = "".join(text for _, text in made).encode()
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"block-{number:06}").write_bytes(content)
    return {"bytes": len(content), "matches": sum(call in WANTED for call, _ in made)}


def sessions(count):
    """Returns so many events of sessions, and the identifier of each session."""
    weights = [int(kind[2] == "StartSession" and kind[4] is not None) for kind in KINDS]
    maker = Maker("sessions", ACCOUNTS[1], REGIONS[0], START, weights)
    texts = [text.encode() for _, text in maker.events(count)]
    return [(text, json.loads(text)["detail"]["responseElements"]["sessionId"]) for text in texts]


def once(directory, make, jobs):
    """Makes a directory by all cores, unless an earlier run did; returns the sums of what each job says."""
    # Beside it: in it, it would be a file that is not of CloudTrail.
    said = directory.with_name(f"{directory.name}.made.json")
    if not said.exists():
        with multiprocessing.Pool() as pool:
            facts = pool.map(make, jobs, chunksize=1)
        said.write_text(json.dumps({key: sum(fact[key] for fact in facts) for key in facts[0]}))
    return json.loads(said.read_text())
