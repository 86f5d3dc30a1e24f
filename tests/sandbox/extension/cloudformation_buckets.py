"""Owns AWS::S3::Bucket and AWS::S3::BucketPolicy in stacks.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_S3.html
"""

from .cloudformation_resources import KINDS, Failed, Kind, document

# Properties in the order in which they are put, with the call and the way from the property to its argument.
SETTINGS = {
    "BucketEncryption": ("put_bucket_encryption", lambda given: {"ServerSideEncryptionConfiguration": {"Rules": [
        _renamed(rule, {"ServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault"})
        for rule in given["ServerSideEncryptionConfiguration"]]}}),
    "VersioningConfiguration": ("put_bucket_versioning", lambda given: {"VersioningConfiguration": given}),
    "ObjectLockConfiguration": ("put_object_lock_configuration", lambda given: {"ObjectLockConfiguration": given}),
    "PublicAccessBlockConfiguration": ("put_public_access_block", lambda given: {"PublicAccessBlockConfiguration": given}),
    "OwnershipControls": ("put_bucket_ownership_controls", lambda given: {"OwnershipControls": given}),
    "LifecycleConfiguration": ("put_bucket_lifecycle_configuration", lambda given: {"LifecycleConfiguration": {
        "Rules": [_lifecycle_rule(rule) for rule in given["Rules"]]}}),
    "Tags": ("put_bucket_tagging", lambda given: {"Tagging": {"TagSet": given}}),
}
# What takes a setting away that a template no longer has.
REMOVALS = {
    "BucketEncryption": "delete_bucket_encryption", "PublicAccessBlockConfiguration": "delete_public_access_block",
    "OwnershipControls": "delete_bucket_ownership_controls", "LifecycleConfiguration": "delete_bucket_lifecycle", "Tags": "delete_bucket_tagging",
}
LIFECYCLE = {"Id", "Status", "Prefix", "ExpirationInDays", "NoncurrentVersionExpiration", "NoncurrentVersionExpirationInDays",
             "AbortIncompleteMultipartUpload", "Transitions", "ExpiredObjectDeleteMarker"}


def _renamed(given, names):
    return {names.get(key, key): value for key, value in given.items()}


def _lifecycle_rule(rule):
    """Turns a rule into the API's, which nests what the template keeps flat.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-s3-bucket-rule.html
    """
    extra = sorted(set(rule) - LIFECYCLE)
    if extra:
        raise Failed(f"NotEmulated: the sandbox does not emulate {', '.join(extra)} of lifecycle rules")
    made = {"Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    if "Id" in rule:
        made["ID"] = rule["Id"]
    expiration = {"Days": rule.get("ExpirationInDays"), "ExpiredObjectDeleteMarker": rule.get("ExpiredObjectDeleteMarker")}
    expiration = {key: value for key, value in expiration.items() if value is not None}
    if expiration:
        made["Expiration"] = expiration
    if "NoncurrentVersionExpirationInDays" in rule:
        made["NoncurrentVersionExpiration"] = {"NoncurrentDays": rule["NoncurrentVersionExpirationInDays"]}
    for name in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
        if name in rule:
            made[name] = rule[name]
    if "Transitions" in rule:
        made["Transitions"] = [_renamed(one, {"TransitionInDays": "Days", "TransitionDate": "Date"}) for one in rule["Transitions"]]
    return made


def create_bucket(place, properties):
    name = properties.get("BucketName") or place.name(63).lower()
    where = None if place.region == "us-east-1" else {"LocationConstraint": place.region}
    place.call("s3", "create_bucket", Bucket=name, CreateBucketConfiguration=where,
               ObjectLockEnabledForBucket=properties.get("ObjectLockEnabled"))
    try:
        _put(place, name, properties, {})
    except Exception:
        # Nobody knows of a bucket whose creation failed, and it would be left behind.
        place.call("s3", "delete_bucket", Bucket=name)
        raise
    return name, {
        "Arn": f"arn:{place.partition}:s3:::{name}", "DomainName": f"{name}.s3.{place.url_suffix}",
        "RegionalDomainName": f"{name}.s3.{place.region}.{place.url_suffix}",
    }


def _put(place, name, properties, before):
    for setting, (operation, argument) in SETTINGS.items():
        if setting in properties and properties[setting] != before.get(setting):
            place.call("s3", operation, Bucket=name, **argument(properties[setting]))


def update_bucket(place, name, properties, before):
    _put(place, name, properties, before)
    for setting in set(before) - set(properties):
        if setting == "VersioningConfiguration":
            place.call("s3", "put_bucket_versioning", Bucket=name, VersioningConfiguration={"Status": "Suspended"})
        elif setting in REMOVALS:
            place.call("s3", REMOVALS[setting], Bucket=name)


def delete_bucket(place, name, _properties):
    """"You can only delete empty buckets" (aws-resource-s3-bucket)."""
    place.call("s3", "delete_bucket", Bucket=name)


def create_bucket_policy(place, properties):
    place.call("s3", "put_bucket_policy", Bucket=properties["Bucket"], Policy=document(properties["PolicyDocument"]))
    return properties["Bucket"], {}


def update_bucket_policy(place, bucket, properties, _before):
    place.call("s3", "put_bucket_policy", Bucket=bucket, Policy=document(properties["PolicyDocument"]))


def delete_bucket_policy(place, bucket, _properties):
    place.call("s3", "delete_bucket_policy", Bucket=bucket)


def install():
    KINDS["AWS::S3::Bucket"] = Kind(f"BucketName ObjectLockEnabled {' '.join(SETTINGS)}", create_bucket, update_bucket, delete_bucket)
    KINDS["AWS::S3::BucketPolicy"] = Kind(
        "Bucket PolicyDocument", create_bucket_policy, update_bucket_policy, delete_bucket_policy)
