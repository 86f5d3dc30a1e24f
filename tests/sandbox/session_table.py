"""Makes sessions with one thing or two broken each, on a running sandbox, and prints what was set and what the session did.

    python session_table.py --url http://127.0.0.1:PORT > rows.jsonl

Pairwise over preferences, role, key of the session, bucket and log group, and each of them broken alone; pairs without the key
are in sessions whose key works, for no other shows them. Every combination of the
four that are not the role is an account of its own, a "place"; its roles are rows. Lines are JSON: a place comes before its rows and
has the calls that made it, a row has the AWS documents that apply to it, the calls that made its role, and the outcome.
"""

import argparse
import itertools
import json

import sandbox_server
from session_scene import DHMC_CORE, GROUP, NODE, SSM_TRUST, Scene, allow, closed_key_policy, deny, document, key_policy, logs_statement, trust

ACCOUNTS = 760000000000
# Fewer where the key of the session lets nothing else be seen.
ROLES_PER_PLACE, ROLES_BEHIND_A_KEY = 4, 2
OFF = {"s3EncryptionEnabled": False, "cloudWatchEncryptionEnabled": False}
# The first of each is the one that works.
PREFERENCES = {
    "strict": {},
    "upload": {"cloudWatchStreamingEnabled": False},
    "lenient": OFF,
    "plain": OFF | {"cloudWatchStreamingEnabled": False, "kmsKeyId": ""},
}
# Broken alone only: a session that never starts hides everything else.
ALONE = {
    "run-as-nobody": {"runAsEnabled": True, "runAsDefaultUser": ""},
    "run-as-root": {"runAsEnabled": True, "runAsDefaultUser": "root"},
    "run-as-missing": {"runAsEnabled": True, "runAsDefaultUser": "nobody-there"},
}
# Without destinations; no session of the table is in such a place.
OFF_PLACES = {
    "no-bucket": {"s3BucketName": "", "s3EncryptionEnabled": False},
    "no-group": {"cloudWatchLogGroupName": "", "cloudWatchEncryptionEnabled": False},
    "nowhere": {"s3BucketName": "", "cloudWatchLogGroupName": ""} | OFF,
}
# What whoever tries out a session calls, and looks at to find the transcript and the cause.
PROBER = (
    "ssm:DescribeInstanceInformation", "ssm:DescribeDocument", "ssm:GetDocument", "ssm:StartSession", "ssm:TerminateSession", "ssm:DescribeSessions",
    "ssmmessages:OpenDataChannel", "kms:GenerateDataKey", "kms:Decrypt", "kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus",
    "s3:GetObject", "s3:ListBucket", "s3:GetEncryptionConfiguration", "s3:GetBucketVersioning", "s3:GetBucketPublicAccessBlock", "s3:GetBucketPolicy",
    "s3:GetLifecycleConfiguration", "logs:GetLogEvents", "logs:DescribeLogGroups",
)
# What a role lacks of the grants, and what it has besides.
ROLES = {
    "whole": ((), lambda scene: []),
    "no-encryption": (("encryption",), lambda scene: []),
    "no-put": (("put",), lambda scene: []),
    "no-bucket-key": (("bucket_key",), lambda scene: []),
    "no-describe": (("describe",), lambda scene: []),
    "no-stream": (("stream",), lambda scene: []),
    "no-events": (("events",), lambda scene: []),
    "no-decrypt": (("decrypt",), lambda scene: []),
    "other-prefix": (("put",), lambda scene: [allow("s3:PutObject", f"arn:aws:s3:::{scene.bucket}/elsewhere/*")]),
    "group-without-star": (("stream", "events"), lambda scene: [
        allow(["logs:CreateLogStream", "logs:PutLogEvents"], f"arn:aws:logs:{scene.region}:{scene.account}:log-group:{scene.group}")]),
    "decrypt-in-sessions": (("decrypt",), lambda scene: [
        allow("kms:Decrypt", scene.session_key, Condition={"Null": {"kms:EncryptionContext:aws:ssm:SessionId": "false"}})]),
    "everything": ((), lambda scene: [allow(["s3:*", "logs:*", "kms:*"])]),
    "boundary": ((), lambda scene: []),
}
BOUNDARY = document(allow("*"), deny("s3:PutObject"))
KEYS = ("delegates", "names-roles", "closed-to-node", "closed-to-operator", "denies-node", "disabled")
WORKING_KEYS = KEYS[:2]
BUCKETS = ("kms", "aes256", "kms-closed", "kms-names-roles", "dsse", "missing", "policy-denies", "policy-denies-put", "policy-wants-header")
GROUPS = ("encrypted", "plain", "missing", "key-closed")
DIMENSIONS = (tuple(PREFERENCES), KEYS, BUCKETS, GROUPS)


def plan():
    """Returns [(place, roles)]: a place is (preferences, key, bucket, group); every pair of values is in a row."""
    works = tuple(values[0] for values in DIMENSIONS)
    everywhere = list(itertools.product(*DIMENSIONS))
    places = [works] + [(*works[:n], value, *works[n + 1:]) for n, values in enumerate(DIMENSIONS) for value in values[1:]]
    missing = set().union(*map(_pairs, everywhere)).difference(*map(_pairs, places))
    while missing:
        best = max(everywhere, key=lambda place: len(missing & _pairs(place)))
        missing -= _pairs(best)
        places.append(best)
    wanted = {(role, side) for role in ROLES for place in everywhere for side in _shown(place)}
    planned = []
    for place in places:
        sides = _shown(place)
        open_roles = sorted(ROLES, key=lambda role: -sum((role, side) in wanted for side in sides))
        n_roles = ROLES_PER_PLACE if place[1] in WORKING_KEYS else ROLES_BEHIND_A_KEY
        is_broken_alone = sum(value != wanted_value for value, wanted_value in zip(place, works)) == 1
        roles = list(ROLES) if place == works else list(dict.fromkeys([*["whole"] * is_broken_alone, *open_roles]))[:n_roles]
        wanted -= {(role, side) for role in roles for side in sides}
        planned.append((place, roles))
    return planned + [((name, *works[1:]), ["whole"]) for name in ALONE]


def _shown(place):
    """Returns the values of a place that a session there can show, as (dimension, value)."""
    sides = set(enumerate(place))
    return sides if place[1] in WORKING_KEYS else {side for side in sides if side[0] == 1}


def _pairs(place):
    shown = _shown(place)
    return {frozenset(pair) for pair in itertools.combinations(enumerate(place), 2) if shown & set(pair)}


class Recorded(Scene):
    """A scene that writes down the calls that it makes."""

    def __init__(self, sandbox, account):
        self.calls, self._clients = [], {}
        super().__init__(sandbox, account)

    def client(self, service, **keys):
        if service not in self._clients:
            self._clients[service] = _Client(service, super().client(service, **keys), self.calls)
        return self._clients[service]

    def taken(self):
        """Returns the calls since it was last asked."""
        found = list(self.calls)
        self.calls.clear()
        return found


class _Client:
    def __init__(self, service, client, calls):
        self._service, self._client, self._calls = service, client, calls

    def __getattr__(self, name):
        if name == "exceptions":
            return self._client.exceptions

        def call(**parameters):
            self._calls.append({"service": self._service, "operation": name, "parameters": parameters})
            return getattr(self._client, name)(**parameters)

        return call


def rows(sandbox, planned=None):
    """Makes the places and their sessions; yields the lines."""
    for number, (place, roles) in enumerate(planned or plan()):
        yield from _place(sandbox, f"{ACCOUNTS + number}", place, roles)


def _place(sandbox, account, place, roles):
    preferences, key, bucket, group = place
    scene = Recorded(sandbox, account)
    iam = scene.client("iam")
    operator = iam.create_role(RoleName="operator", AssumeRolePolicyDocument=trust("ec2.amazonaws.com"))["Role"]["Arn"]
    may = document(allow("ssm:StartSession"), allow("kms:GenerateDataKey", scene.session_key))
    iam.put_role_policy(RoleName="operator", PolicyName="start", PolicyDocument=may)
    scene.prefer(**(PREFERENCES | ALONE)[preferences])
    made = scene.taken()
    nodes = {name: _role(scene, name, number) for number, name in enumerate(roles)}
    arns = [node["role"]["arn"] for node in nodes.values()]
    session_key = _session_key(scene, key, operator, arns)
    bucket_shown = _bucket(scene, bucket, arns)
    log_group = _log_group(scene, group)
    yield {"kind": "place", "account": account, "region": scene.region, "preferences": preferences, "key": key, "bucket": bucket, "log_group": group,
           "calls": made + scene.taken()}
    content = scene.client("ssm").get_document(Name="SSM-SessionManagerRunShell")["Content"]
    for name, node in nodes.items():
        session = scene.session(node["instance_id"], principal=operator)
        yield {
            "kind": "row", "name": "/".join((preferences, name, key, bucket, group)), "account": account, "region": scene.region,
            "instance_id": node["instance_id"], "preferences": json.loads(content), "role": node["role"], "operator": {"arn": operator, "policy": json.loads(may)},
            "key": session_key, "bucket": bucket_shown, "log_group": log_group, "calls": node["calls"],
            "outcome": {part: session[part] for part in ("status", "reason", "denied_by", "s3", "logs")},
        }


def one_place(sandbox, account, parts, source="instance-profile", platform="Linux", lacks=()):
    """Makes a place with a single node of a role, and an operator of its account who lacks some actions; starts no session.

    `parts` are preferences, role, key, bucket and log group; `source` is where the node has its credentials from.
    """
    preferences, name, key, bucket, group = parts
    scene = Scene(sandbox, account)
    operator = _prober(scene, lacks)
    scene.prefer(**(PREFERENCES | ALONE | OFF_PLACES)[preferences])
    without, more = ROLES[name]
    statements = more(scene)
    if source == "instance-profile":
        arn, instance_id, node = scene.role(name, without=without, more=statements), NODE, {"profile": name}
    elif source == "dhmc":
        arn, instance_id, node = scene.role(name, SSM_TRUST, (DHMC_CORE,), without=without, more=statements), NODE, {"iam_role": name}
        scene.host_management(name)
    else:
        arn, instance_id, node = scene.role(name, SSM_TRUST, without=without, more=statements), f"m{NODE}", {"iam_role": name}
    if name == "boundary":
        _bound(scene, name)
    scene.node(instance_id, platform=platform, powershell="5.1", **node)
    _session_key(scene, key, operator, [arn])
    _bucket(scene, bucket, [arn])
    _log_group(scene, group)
    return {"kind": "place", "account": account, "instance_id": instance_id, "role": arn, "operator": operator, "bucket": scene.bucket, "log_group": scene.group}


def _prober(scene, lacks):
    """Makes a role that people of the account take on to try out sessions, with all that it takes but some actions."""
    iam = scene.client("iam")
    account = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{scene.account}:root"}, "Action": "sts:AssumeRole"}
    arn = iam.create_role(RoleName="operator", AssumeRolePolicyDocument=document(account))["Role"]["Arn"]
    may = allow([action for action in PROBER if action not in lacks])
    iam.put_role_policy(RoleName="operator", PolicyName="probe", PolicyDocument=document(may))
    return arn


def _role(scene, name, number):
    without, more = ROLES[name]
    statements = more(scene)
    arn = scene.role(name, without=without, more=statements)
    if name == "boundary":
        _bound(scene, name)
    calls = scene.taken()
    instance_id = f"i-{number + 1:017x}"
    scene.node(instance_id, name)
    kept = [statement for key, statement in scene.grants().items() if key not in without] + statements
    role = {"name": name, "arn": arn, "policy": {"Version": "2012-10-17", "Statement": kept}, "boundary": json.loads(BOUNDARY) if name == "boundary" else None}
    return {"instance_id": instance_id, "role": role, "calls": calls}


def _bound(scene, name):
    iam = scene.client("iam")
    boundary = iam.create_policy(PolicyName="boundary", PolicyDocument=BOUNDARY)["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=boundary)


def _using(principals, action):
    return {"Effect": "Allow", "Principal": {"AWS": principals}, "Action": action, "Resource": "*"}


def _session_key(scene, kind, operator, nodes):
    kms, account = scene.client("kms"), scene.account
    policy = {
        "names-roles": closed_key_policy(account, _using(operator, "kms:GenerateDataKey"), _using(nodes, "kms:Decrypt")),
        "closed-to-node": closed_key_policy(account, _using(operator, "kms:GenerateDataKey")),
        "closed-to-operator": closed_key_policy(account, _using(nodes, "kms:Decrypt"), _using(operator, ["kms:DescribeKey", "kms:GetKeyPolicy"])),
        "denies-node": key_policy(account, deny("kms:Decrypt", Principal={"AWS": nodes})),
    }.get(kind, key_policy(account))
    kms.put_key_policy(KeyId=scene.session_key, PolicyName="default", Policy=policy)
    if kind == "disabled":
        kms.disable_key(KeyId=scene.session_key)
    return {"arn": scene.session_key, "policy": json.loads(policy), "state": "Disabled" if kind == "disabled" else "Enabled"}


def _bucket(scene, kind, nodes):
    s3, account = scene.client("s3"), scene.account
    every, objects = [f"arn:aws:s3:::{scene.bucket}", f"arn:aws:s3:::{scene.bucket}/*"], f"arn:aws:s3:::{scene.bucket}/*"
    but_admin = {"ArnNotEquals": {"aws:PrincipalArn": f"arn:aws:iam::{account}:role/admin"}}
    policy = {
        "policy-denies": document(deny("s3:*", every, Principal="*", Condition=but_admin)),
        "policy-denies-put": document(deny("s3:PutObject", objects, Principal="*", Condition=but_admin)),
        "policy-wants-header": document(deny("s3:PutObject", objects, Principal="*", Condition={"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}})),
    }.get(kind)
    of_key = {
        "kms-closed": closed_key_policy(account),
        "kms-names-roles": closed_key_policy(account, _using(nodes, "kms:GenerateDataKey")),
    }.get(kind, key_policy(account))
    scene.client("kms").put_key_policy(KeyId=scene.bucket_key, PolicyName="default", Policy=of_key)
    algorithm = {"aes256": "AES256", "dsse": "aws:kms:dsse"}.get(kind, "aws:kms")
    if kind == "missing":
        s3.delete_bucket(Bucket=scene.bucket)
        return {"name": scene.bucket, "encryption": None, "policy": None, "key": None}
    scene.encrypt(algorithm, scene.bucket_key if algorithm != "AES256" else None)
    if policy:
        s3.put_bucket_policy(Bucket=scene.bucket, Policy=policy)
    key = {"arn": scene.bucket_key, "policy": json.loads(of_key), "state": "Enabled"} if algorithm != "AES256" else None
    return {"name": scene.bucket, "encryption": algorithm, "policy": json.loads(policy) if policy else None, "key": key}


def _log_group(scene, kind):
    logs = scene.client("logs")
    if kind == "missing":
        logs.delete_log_group(logGroupName=GROUP)
        return {"name": GROUP, "exists": False, "key": None}
    if kind == "plain":
        logs.disassociate_kms_key(logGroupName=GROUP)
        return {"name": GROUP, "exists": True, "key": None}
    policy = key_policy(scene.account) if kind == "key-closed" else key_policy(scene.account, logs_statement(scene.account))
    scene.client("kms").put_key_policy(KeyId=scene.group_key, PolicyName="default", Policy=policy)
    return {"name": GROUP, "exists": True, "key": {"arn": scene.group_key, "policy": json.loads(policy), "state": "Enabled"}}


def main():
    parser = argparse.ArgumentParser(description="Print sessions with one or two things broken, and what became of them")
    parser.add_argument("--url", required=True, help="URL of a running sandbox")
    parser.add_argument("--plan", action="store_true", help="print only the combinations, make nothing")
    parser.add_argument("--place", metavar="PREFERENCES/ROLE/KEY/BUCKET/GROUP", help="make this one, with a node and an operator, and start no session")
    parser.add_argument("--account", help="where to make --place")
    parser.add_argument("--credentials", default="instance-profile", choices=("instance-profile", "dhmc", "hybrid"), help="where the node of --place has its role from")
    parser.add_argument("--platform", default="Linux", help="the platform of that node")
    parser.add_argument("--lacks", action="append", default=[], metavar="ACTION", help="take this action from the operator of --place")
    args = parser.parse_args()
    if args.place:
        made = one_place(sandbox_server.Connected(args.url), args.account, args.place.split("/"), args.credentials, args.platform, args.lacks)
        print(json.dumps(made))
        return
    if args.plan:
        for place, roles in plan():
            print(json.dumps({"place": place, "roles": roles}))
        return
    for line in rows(sandbox_server.Connected(args.url)):
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
