"""Makes what `ssm-events sessions` joins: records of sessions, and saved answers of AWS about them. The same at every run."""

import json
import random

from events_data import ACCOUNTS, DAYS, REGIONS, SEED, START, datetime

BUCKET = "transcripts"
# One session in so many has no transcript.
LOST = 100


def make(directory, count):
    """Writes records, sessions, objects and preferences, and returns their paths and how many sessions have no transcript."""
    paths = {name: directory / f"{name}.json" for name in ("records", "ended", "objects", "preferences", "versions")}
    rng = random.Random(SEED)
    inputs = {"s3BucketName": BUCKET, "s3KeyPrefix": "sessions", "s3EncryptionEnabled": True, "cloudWatchLogGroupName": "", "kmsKeyId": ""}
    version = {"version": "1", "content": {"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": inputs}}
    place = {"account": ACCOUNTS[0], "region": REGIONS[0]}
    paths["preferences"].write_text(json.dumps({
        "kind": "preferences", "target": place, "versions_differ": None,
        "document": {"state": "present", "value": {"default": version, "latest": version}},
    }))
    created = {"Name": "SSM-SessionManagerRunShell", "DocumentVersion": "1", "CreatedDate": f"{START.isoformat()}+00:00", "IsDefaultVersion": True}
    paths["versions"].write_text(json.dumps({"DocumentVersions": [created]}))
    users = [f"user{number}@example.com" for number in range(200)]
    with paths["records"].open("w") as records, paths["ended"].open("w") as ended, paths["objects"].open("w") as objects:
        ended.write('{"Sessions": [')
        objects.write(f'{{"Name": "{BUCKET}", "Prefix": "sessions/", "Contents": [')
        for number in range(count):
            user, node = rng.choice(users), f"i-{rng.randrange(5000):017x}"
            session = f"{user}-{rng.randrange(1 << 68):017x}"
            began = START + datetime.timedelta(seconds=rng.randrange(DAYS * 86400 - 7200))
            ends = began + datetime.timedelta(seconds=rng.randrange(60, 7200))
            comma = ",\n" if number else "\n"
            arn = f"arn:aws:sts::{ACCOUNTS[0]}:assumed-role/AWSReservedSSO_Ops_0123456789abcdef/{user}"
            issuer = f"arn:aws:iam::{ACCOUNTS[0]}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Ops_0123456789abcdef"
            records.write(json.dumps({
                "eventVersion": "1.11", "eventTime": f"{began:%Y-%m-%dT%H:%M:%SZ}", "eventSource": "ssm.amazonaws.com", "eventName": "StartSession",
                "awsRegion": REGIONS[0], "recipientAccountId": ACCOUNTS[0], "sourceIPAddress": f"192.0.2.{rng.randrange(256)}",
                "eventID": f"{rng.randrange(1 << 128):032x}",
                "userIdentity": {"type": "AssumedRole", "arn": arn, "sessionContext": {"sessionIssuer": {"type": "Role", "arn": issuer}}},
                "requestParameters": {"target": node, "reason": f"CHG-{number}"}, "responseElements": {"sessionId": session},
            }) + "\n")
            ended.write(comma + json.dumps({
                "SessionId": session, "Target": node, "Status": "Terminated", "StartDate": f"{began.isoformat()}.123000+00:00",
                "EndDate": f"{ends.isoformat()}.456000+00:00", "DocumentName": "SSM-SessionManagerRunShell", "Owner": arn,
                "Reason": f"CHG-{number}", "OutputUrl": {}, "MaxSessionDuration": "120",
            }))
            if number % LOST:
                key = f"sessions/{session}.log"
                comma = ",\n" if number > 1 else "\n"
                objects.write(comma + json.dumps({"Key": key, "LastModified": f"{ends.isoformat()}+00:00", "Size": rng.randrange(100, 90000)}))
        ended.write("]}\n")
        objects.write("]}\n")
    return paths, -(-count // LOST)
