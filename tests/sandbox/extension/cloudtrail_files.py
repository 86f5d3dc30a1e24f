"""Owns the log files of trails. AWS writes them about every five minutes, the sandbox when a test asks for it.

Keys: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-find-log-files.html
Names: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html
"""

import gzip
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


def install() -> None:
    """Adds the control URL."""

    @control.route("POST", "/_sandbox/flush-trails")
    def flush_trails(query: dict[str, str], _body: bytes) -> tuple[int, bytes]:
        """Writes what the trails of `account` have not written yet; answers with one line per file."""
        return 200, "".join(json.dumps(written) + "\n" for written in _flush(query["account"])).encode()


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
                yield _write(trail, account, region, records)


def _write(trail: Trail, account: str, region: str, records: list[dict[str, Any]]) -> dict[str, Any]:
    now = emulate.now()
    unique = "".join(secrets.choice(ALPHABET) for _ in range(16))
    key = (
        f"{log_prefix(trail.s3_key_prefix, account)}{region}/{now:%Y/%m/%d}/"
        f"{account}_CloudTrail_{region}_{now:%Y%m%dT%H%MZ}_{unique}.json.gz"
    )
    partition, owner = s3_backends.bucket_accounts[trail.bucket_name]
    body = gzip.compress(json.dumps({"Records": records}).encode())
    written = s3_backends[owner][partition].put_object(trail.bucket_name, key, body)
    written.set_metadata({"Content-Type": "application/json", "Content-Encoding": "gzip"})
    return {"trail": trail.arn, "bucket": trail.bucket_name, "key": key, "records": len(records)}
