"""Owns the digests of trails that validate their log files, and the keys that sign them. AWS writes one an hour, the sandbox when a
test asks for it.

Contents and keys: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
Signature: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html
Public keys: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_ListPublicKeys.html
"""

import gzip
import hashlib
import json
from functools import lru_cache
from threading import Lock
from typing import Any

import control
import emulate
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from moto.cloudtrail.models import Trail
from moto.cloudtrail.responses import CloudTrailResponse
from moto.s3.models import s3_backends

from .cloudtrail import log_prefix
from .cloudtrail_files import UNDIGESTED, files_of, moment, trail_of

# (ARN of a trail, account, Region, whether backfill) -> the last digest
LAST: dict[tuple[str, str, str, bool], dict[str, str]] = {}
# Names of keys, which begin with a Region -> since when they sign
LATER: dict[str, float] = {}
# Held by whoever makes a key
MAKING = Lock()


def install() -> None:
    """Adds the control URL and the operation."""

    @control.route("POST", "/_sandbox/digests")
    def digests(query: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """Writes the digest of `trail`, of the Region `home` if it is given, in `region` from `from` to `to`; answers with its bucket and key.

        With `generated` a backfill digest is made at that time, and signed with a key of that time on. With `restart` it begins a chain, as after log file validation was off; with `backfill` it is for log files that came late."""
        given = json.loads(body)
        trail = trail_of(query["account"], given["trail"], given.get("home"))
        if not trail.log_validation:
            raise ValueError(f"{trail.arn} does not validate its log files")
        return 200, json.dumps(_write(trail, files_of(query["account"], given), given)).encode() + b"\n"

    @emulate.operation(CloudTrailResponse, "ListPublicKeys")
    def list_public_keys(response: CloudTrailResponse) -> dict[str, Any]:
        """"The public keys .. whose private keys were used to sign the digest files within the specified time range"; the sandbox
        has one key for each Region, of all times, and a later one for each time that a backfill digest was made at."""
        keys = [(response.region, 0)]
        keys += [(name, start) for name, start in LATER.items() if name.startswith(f"{response.region}/")]
        if (end := response._get_param("EndTime")) is not None:
            # The JSON protocol has seconds since 1970.
            last = end if isinstance(end, (int, float)) else moment(end).timestamp()
            keys = [(name, start) for name, start in keys if start <= last]
        return {"PublicKeyList": [_listed(name, start) for name, start in keys]}


def _listed(name: str, start: float) -> dict[str, Any]:
    # The member is a blob: the serializer encodes it.
    value, fingerprint = _public(name)
    return {"Value": value, "ValidityStartTime": start, "ValidityEndTime": 4102444800, "Fingerprint": fingerprint}


def _private(region: str) -> rsa.RSAPrivateKey:
    """"CloudTrail uses different key pairs for each AWS Region.\""""
    # Two requests that begin together would make two, and sign a digest with the one that is not listed.
    with MAKING:
        return _made(region)


@lru_cache(maxsize=None)
def _made(region: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _public(region: str) -> tuple[bytes, str]:
    """Returns "the DER encoded public key value in PKCS#1 format" and its fingerprint."""
    public = _private(region).public_key()
    value = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    return value, hashlib.md5(value).hexdigest()


def _write(trail: Trail, folder: str, given: dict[str, Any]) -> dict[str, str]:
    region, end = given["region"], moment(given["to"])
    account, is_backfill = folder.rsplit("/", 1)[-1], bool(given.get("backfill"))
    key = (
        f"{log_prefix(trail.s3_key_prefix, folder).removesuffix('/')}-Digest/{region}/{end:%Y/%m/%d}/{account}_CloudTrail-Digest_{region}_"
        f"{trail.trail_name}_{trail.region_name}_{end:%Y%m%dT%H%M%SZ}{'_backfill' if is_backfill else ''}.json.gz"
    )
    chain = (trail.arn, account, region, is_backfill)
    if given.get("restart"):
        LAST.pop(chain, None)
    last = LAST.get(chain, {})
    signer = region
    if generated := given.get("generated"):
        signer = f"{region}/{generated}"
        LATER[signer] = moment(generated).timestamp()
    log_files = UNDIGESTED.pop(chain[:3], [])
    content = {
        "awsAccountId": account,
        "digestStartTime": given["from"],
        "digestEndTime": given["to"],
        "digestS3Bucket": trail.bucket_name,
        "digestS3Object": key,
        "digestPublicKeyFingerprint": _public(signer)[1],
        "digestSignatureAlgorithm": "SHA256withRSA",
        "newestEventTime": max((file["newestEventTime"] for file in log_files), default=None),
        "oldestEventTime": min((file["oldestEventTime"] for file in log_files), default=None),
        "previousDigestS3Bucket": last.get("bucket"),
        "previousDigestS3Object": last.get("key"),
        "previousDigestHashValue": last.get("hash"),
        "previousDigestHashAlgorithm": "SHA-256" if last else None,
        "previousDigestSignature": last.get("signature"),
        "logFiles": log_files,
    }
    text = json.dumps(content).encode()
    digest = hashlib.sha256(text).hexdigest()
    signed = f"{given['to']}\n{trail.bucket_name}/{key}\n{digest}\n{last.get('signature', 'null')}"
    signature = _private(signer).sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()).hex()
    LAST[chain] = {"bucket": trail.bucket_name, "key": key, "hash": digest, "signature": signature}
    partition, owner = s3_backends.bucket_accounts[trail.bucket_name]
    written = s3_backends[owner][partition].put_object(trail.bucket_name, key, gzip.compress(text))
    metadata = {"signature": signature, "signature-algorithm": "SHA256withRSA"}
    if is_backfill:
        metadata["backfill-generation-timestamp"] = generated or given["to"]
    written.set_metadata({f"x-amz-meta-{name}": value for name, value in metadata.items()})
    return {"bucket": trail.bucket_name, "key": key}
