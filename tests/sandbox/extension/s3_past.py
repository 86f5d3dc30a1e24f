"""Owns objects that were uploaded in the past, which no call of S3 can make.

What was uploaded before 5 January 2023 without an algorithm, to a bucket without a default, is not encrypted to this day; all later is:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html
"""

import datetime
import json

import control
from moto.s3.models import s3_backends

ENCRYPTED_SINCE = datetime.datetime(2023, 1, 5, tzinfo=datetime.UTC)


def install() -> None:
    """Adds the control URL."""

    @control.route("POST", "/_sandbox/object-times")
    def object_times(query: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """Has an object of a bucket of `account` uploaded at `time`; `encrypted` says whether it was from before S3 did so by itself."""
        given = json.loads(body)
        if not {"bucket", "key", "time"} <= set(given) <= {"bucket", "key", "time", "encrypted"}:
            raise ValueError('expected {"bucket", "key", "time", "encrypted"?}')
        buckets = [backend.buckets[given["bucket"]] for backend in s3_backends[query["account"]].values() if given["bucket"] in backend.buckets]
        stored = buckets[0].keys.get(given["key"]) if buckets else None
        if stored is None:
            raise ValueError(f"no object {given['key']} in a bucket {given['bucket']} of {query['account']}")
        time = datetime.datetime.fromisoformat(given["time"])
        if not given.get("encrypted", True):
            if time >= ENCRYPTED_SINCE:
                raise ValueError(f"what is uploaded at {given['time']} is encrypted")
            stored.encryption = None
        # moto's times have no time zone.
        stored.last_modified = time.astimezone(datetime.UTC).replace(tzinfo=None)
        return 200, b"{}\n"
