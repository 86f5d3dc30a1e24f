"""Owns the names of S3's answers: moto calls each root element `<Operation>Response`, and SDKs that check it, as the one
for Rust does, take that for a broken answer.

Roots: the "Response Syntax" of each operation, https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations.html
"""

from moto.core import serialize

ROOTS = {
    "GetBucketAccelerateConfiguration": "AccelerateConfiguration",
    "GetBucketAcl": "AccessControlPolicy",
    "GetBucketCors": "CORSConfiguration",
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
    "GetBucketRequestPayment": "RequestPaymentConfiguration",
    "GetBucketTagging": "Tagging",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetBucketWebsite": "WebsiteConfiguration",
    "GetObjectAcl": "AccessControlPolicy",
    "GetObjectTagging": "Tagging",
    "ListBuckets": "ListAllMyBucketsResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListObjects": "ListBucketResult",
    "ListObjectsV2": "ListBucketResult",
}


def install() -> None:
    """Gives S3's answers the root elements that AWS gives them."""
    given = serialize.S3Serializer.serialize

    def named(self, *arguments, **keywords):
        response = given(self, *arguments, **keywords)
        name = self.operation_model.name
        if name in ROOTS:
            response["body"] = _rename(response["body"], f"{name}Response", ROOTS[name])
        return response

    serialize.S3Serializer.serialize = named


def _rename(body, old, new):
    if isinstance(body, bytes):
        return _rename(body.decode(), old, new).encode()
    return body.replace(f"<{old}", f"<{new}").replace(f"</{old}>", f"</{new}>")
