"""Owns the log files of trails. AWS writes them about every five minutes, the sandbox when a test asks for it.

Keys: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-find-log-files.html
Names: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html
"""

import datetime
import gzip
import hashlib
import json
import secrets
import string
from typing import Any, Iterable

import control
import emulate
from moto.cloudtrail.models import Trail, cloudtrail_backends
from moto.s3.models import s3_backends

from .cloudtrail import log_prefix, may_write
from .cloudtrail_history import UNWRITTEN

ALPHABET = string.ascii_letters + string.digits
# (ARN of a trail, account, Region) -> log files that no digest names yet, as a digest has them
UNDIGESTED: dict[tuple[str, str, str], list[dict[str, Any]]] = {}


def install() -> None:
    """Adds the control URL."""

    @control.route("POST", "/_sandbox/flush-trails")
    def flush_trails(query: dict[str, str], _body: bytes) -> tuple[int, bytes]:
        """Writes what the trails of `account` have not written yet; answers with one line per file."""
        return 200, "".join(json.dumps(written) + "\n" for written in _flush(query["account"])).encode()

    @control.route("POST", "/_sandbox/log-files")
    def log_files(query: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """Writes `records` as a log file of `trail` in `region`, delivered at `time`; of a `member` of an `organization` if given."""
        given = json.loads(body)
        trail = trail_of(query["account"], given["trail"], given.get("home"))
        written = _write(trail, files_of(query["account"], given), given["region"], given["records"], moment(given["time"]))
        return 200, json.dumps(written).encode() + b"\n"


def trail_of(account: str, name: str, home: str | None = None) -> Trail:
    """Returns a trail of an account by its name, which is unique in its home Region."""
    backends = cloudtrail_backends[account].values()
    found = [backend.trails[name] for backend in backends if name in backend.trails and home in (None, backend.region_name)]
    if not found:
        raise ValueError(f"no trail {name} in {account}")
    return found[0]


def files_of(account: str, given: dict[str, str]) -> str:
    """Returns whose files these are, as keys have it: a trail of an organization puts its ID before the account."""
    return f"{given['organization']}/{given['member']}" if "organization" in given else account


def moment(text: str) -> datetime.datetime:
    """Returns a time that a test gives."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def _flush(account: str) -> Iterable[dict[str, Any]]:
    trails = {trail.arn: trail for backend in cloudtrail_backends[account].values() for trail in backend.trails.values()}
    for arn, unwritten in list(UNWRITTEN.get(account, {}).items()):
        trail = trails.get(arn)
        if trail is None:
            # Deleted: nobody knows any more where to.
            UNWRITTEN[account].pop(arn)
        elif not may_write(trail.bucket_name, trail.s3_key_prefix, arn):
            # "CloudTrail will attempt to redeliver the log files": they stay for the next time.
            yield {"trail": arn, "bucket": trail.bucket_name, "error": "CloudTrail may not write to the bucket"}
        else:
            by_region: dict[str, list[dict[str, Any]]] = {}
            while unwritten:
                region, record = unwritten.popleft()
                by_region.setdefault(region, []).append(record)
            for region, records in sorted(by_region.items()):
                yield _write(trail, account, region, records, emulate.now())


def _write(trail: Trail, folder: str, region: str, records: list[dict[str, Any]], now: datetime.datetime) -> dict[str, Any]:
    account = folder.rsplit("/", 1)[-1]
    unique = "".join(secrets.choice(ALPHABET) for _ in range(16))
    key = (
        f"{log_prefix(trail.s3_key_prefix, folder)}{region}/{now:%Y/%m/%d}/"
        f"{account}_CloudTrail_{region}_{now:%Y%m%dT%H%MZ}_{unique}.json.gz"
    )
    partition, owner = s3_backends.bucket_accounts[trail.bucket_name]
    text = json.dumps({"Records": records}).encode()
    body = gzip.compress(text)
    written = s3_backends[owner][partition].put_object(trail.bucket_name, key, body)
    written.set_metadata({"Content-Type": "application/json", "Content-Encoding": "gzip"})
    times = sorted(record["eventTime"] for record in records)
    UNDIGESTED.setdefault((trail.arn, account, region), []).append({
        "s3Bucket": trail.bucket_name, "s3Object": key, "hashValue": hashlib.sha256(text).hexdigest(), "hashAlgorithm": "SHA-256",
        "newestEventTime": times[-1], "oldestEventTime": times[0]})
    return {"trail": trail.arn, "bucket": trail.bucket_name, "key": key, "records": len(records)}
