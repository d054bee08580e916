"""What a call of S3 asks permission for: S3 names its permissions after the object or bucket feature.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

from simlib.cloud.credentials.sessions import Caller
from simlib.cloud.permissions.asked import Context, Requested, account_of, tag_keys
from simlib.cloud.storage import buckets, resources
from simlib.cloud.transport.calls import Call

# Operations that are no actions: another verb for the same feature, or a call that needs what it does to an object.
_ACTIONS = {
    "HeadObject": "GetObject", "HeadBucket": "ListBucket", "ListObjects": "ListBucket", "ListObjectsV2": "ListBucket",
    "ListBuckets": "ListAllMyBuckets", "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads", "ListParts": "ListMultipartUploadParts",
    "CreateMultipartUpload": "PutObject", "UploadPart": "PutObject", "UploadPartCopy": "PutObject",
    "CompleteMultipartUpload": "PutObject", "CopyObject": "PutObject", "DeleteObjects": "DeleteObject",
    "SelectObjectContent": "GetObject", "DeleteBucketTagging": "PutBucketTagging",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock", "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
}  # fmt: skip
# features whose permissions are Get… and Put… (which deletes too) under a name of their own
_FEATURES = {
    "Cors": "BucketCORS", "Encryption": "EncryptionConfiguration", "Lifecycle": "LifecycleConfiguration",
    "LifecycleConfiguration": "LifecycleConfiguration", "Replication": "ReplicationConfiguration",
    "AnalyticsConfiguration": "AnalyticsConfiguration", "InventoryConfiguration": "InventoryConfiguration",
    "MetricsConfiguration": "MetricsConfiguration",
    "IntelligentTieringConfiguration": "IntelligentTieringConfiguration",
}  # fmt: skip
_VERBS = {"GetBucket": "Get", "PutBucket": "Put", "DeleteBucket": "Put"}
_ACTIONS |= {f"{verb}{n}": f"{get_or_put}{f}" for verb, get_or_put in _VERBS.items() for n, f in _FEATURES.items()}
_ACTIONS |= {f"ListBucket{n}s": f"Get{f}" for n, f in _FEATURES.items() if n == f}

_VERSIONED = {
    "GetObject", "DeleteObject", "GetObjectTagging", "PutObjectTagging", "DeleteObjectTagging", "GetObjectAcl",
    "PutObjectAcl", "GetObjectAttributes",
}  # fmt: skip
_CONTEXT = {
    "Prefix": "s3:prefix", "Delimiter": "s3:delimiter", "MaxKeys": "s3:max-keys", "ACL": "s3:x-amz-acl",
    "VersionId": "s3:VersionId", "ServerSideEncryption": "s3:x-amz-server-side-encryption",
    "SSEKMSKeyId": "s3:x-amz-server-side-encryption-aws-kms-key-id", "StorageClass": "s3:x-amz-storage-class",
    "CopySource": "s3:x-amz-copy-source", "MetadataDirective": "s3:x-amz-metadata-directive",
    "GrantFullControl": "s3:x-amz-grant-full-control", "GrantRead": "s3:x-amz-grant-read",
    "GrantWrite": "s3:x-amz-grant-write", "WebsiteRedirectLocation": "s3:x-amz-website-redirect-location",
    "ObjectOwnership": "s3:x-amz-object-ownership", "ObjectLockMode": "s3:object-lock-mode",
    "ObjectLockRetainUntilDate": "s3:object-lock-retain-until-date", "IfNoneMatch": "s3:if-none-match",
    "ObjectLockLegalHoldStatus": "s3:object-lock-legal-hold",
}  # fmt: skip

# Members of a writing call that need a permission more, on the same resource.
_MORE = {
    "Tagging": "s3:PutObjectTagging",
    "ACL": "s3:PutObjectAcl",
    "GrantFullControl": "s3:PutObjectAcl",
    "GrantRead": "s3:PutObjectAcl",
    "ObjectLockMode": "s3:PutObjectRetention",
    "ObjectLockLegalHoldStatus": "s3:PutObjectLegalHold",
}
_MORE_OF_BUCKET = {
    "ACL": ("s3:PutBucketAcl",),
    "ObjectOwnership": ("s3:PutBucketOwnershipControls",),
    "ObjectLockEnabledForBucket": ("s3:PutBucketObjectLockConfiguration", "s3:PutBucketVersioning"),
}


def action_of(call: Call) -> str:
    """The action of a call of S3, without regard to versions."""
    return f"s3:{_ACTIONS.get(call.operation, call.operation)}"


def requested(call: Call, caller: Caller) -> Iterator[Requested]:
    """Every permission a call of S3 needs. DeleteObjects asks for its keys one by one, when it deletes them."""
    given = call.parameters
    bucket, key = given.get("Bucket"), given.get("Key")
    context = context_of(call)
    action = versioned(action_of(call), given.get("VersionId"))
    if call.operation == "DeleteObjects":
        return
    if not bucket:
        yield Requested(action, "*", caller.account, context)
        return
    arn = f"arn:aws:s3:::{bucket}"
    # who creates a bucket asks its own account, also for a name that another account has taken
    owner = caller.account if call.operation == "CreateBucket" else buckets.owner(bucket) or caller.account
    if source := given.get("CopySource"):
        yield from _source(call, str(source), caller)
    if call.operation == "GetObjectAttributes":
        yield Requested(versioned("s3:GetObject", given.get("VersionId")), f"{arn}/{key}", owner, context)
    yield Requested(action, f"{arn}/{key}" if key else arn, owner, context)
    if call.operation in ("PutObject", "CopyObject", "CreateMultipartUpload"):
        for more in dict.fromkeys(_MORE[member] for member in _MORE if given.get(member)):
            yield Requested(more, f"{arn}/{key}", owner, context)
    if call.operation == "CopyObject" and (tags := _copied_tags(call)):
        yield Requested("s3:PutObjectTagging", f"{arn}/{key}", owner, {**context, **_object_tags(tags)})
    if call.operation == "CreateBucket":
        for member, actions in _MORE_OF_BUCKET.items():
            if given.get(member):
                yield from (Requested(more, arn, owner, context) for more in actions)
    yield from _keys(call, caller)


def _keys(call: Call, caller: Caller) -> Iterator[Requested]:
    """Whoever reads or writes what a customer's KMS key encrypts must be allowed to use the key, through S3.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html. For S3's own keys, that of AWS KMS
    (`aws/s3`) included, nothing is asked: their policies allow everybody of the account.
    """
    given = call.parameters
    bucket, key, version = str(given["Bucket"]), str(given.get("Key", "")), given.get("VersionId")
    used: list[tuple[str, Any, str]] = []
    if call.operation == "GetObject":
        used.append(("kms:Decrypt", buckets.key_of_object(bucket, key, version), f"{bucket}/{key}"))
    if source := given.get("CopySource"):
        place = source_of(str(source))
        used.append(("kms:Decrypt", buckets.key_of_object(place[0], place[1], place[2] or None), "/".join(place[:2])))
    if call.operation in ("PutObject", "CopyObject", "CreateMultipartUpload"):
        wanted = given.get("ServerSideEncryption")
        name = given.get("SSEKMSKeyId") if wanted else buckets.key_of_new_objects(bucket)
        used.append(("kms:GenerateDataKey", name, f"{bucket}/{key}"))
    for action, name, place_of in used:
        if arn := resources.key_arn(name, call.region, caller.account) if name else None:
            context = {
                "kms:ViaService": f"s3.{call.region}.amazonaws.com",
                "kms:CallerAccount": caller.account,
                "kms:EncryptionContext:aws:s3:arn": f"arn:aws:s3:::{place_of}",
                "aws:ViaAWSService": "true",
            }
            yield Requested(action, arn, account_of(arn) or caller.account, context)


def versioned(action: str, version: Any) -> str:
    """The action on a version that is named: GetObject → GetObjectVersion."""
    if version and action.removeprefix("s3:") in _VERSIONED:
        return action.replace("Object", "ObjectVersion", 1)
    return action


def context_of(call: Call) -> Context:
    """The condition keys of S3 that a request carries."""
    given = call.parameters
    context: dict[str, str | list[str]] = {
        key: str(given[member]) for member, key in _CONTEXT.items() if given.get(member) not in (None, "")
    }
    for empty in ("Prefix", "Delimiter"):  # "" is a value: the whole bucket was asked for by name
        if given.get(empty) == "":
            context[_CONTEXT[empty]] = ""
    if call.operation == "CreateBucket":
        wanted = given.get("CreateBucketConfiguration") or {}
        context["s3:locationconstraint"] = str(wanted.get("LocationConstraint") or "us-east-1")
    if tags := _tags_in(given.get("Tagging")):
        context |= _object_tags(tags) if given.get("Key") else {}
    query = dict(parse_qsl(call.raw.parts.query))
    if "X-Amz-Signature" in query or "Signature" in query:
        context["s3:authType"] = "REST-QUERY-STRING"
        context["s3:signatureversion"] = "AWS4-HMAC-SHA256" if "X-Amz-Signature" in query else "AWS"
    elif "authorization" in call.raw.headers:
        context["s3:authType"] = "REST-HEADER"
        context["s3:signatureversion"] = "AWS4-HMAC-SHA256"
    return context


def source_of(source: str) -> tuple[str, str, str]:
    """Bucket, key and version of a copy's source."""
    path, _, version = source.partition("?versionId=")
    bucket, _, key = unquote(path).lstrip("/").partition("/")
    return bucket, key, version


def _source(call: Call, source: str, caller: Caller) -> Iterator[Requested]:
    bucket, key, version = source_of(source)
    arn, owner = f"arn:aws:s3:::{bucket}/{key}", buckets.owner(bucket) or caller.account
    context: dict[str, str | list[str]] = {"s3:VersionId": version} if version else {}
    yield Requested(versioned("s3:GetObject", version), arn, owner, context)
    if call.operation == "CopyObject" and _copied_tags(call):
        yield Requested(versioned("s3:GetObjectTagging", version), arn, owner, context)


def _copied_tags(call: Call) -> Mapping[str, str]:
    """The source's tags, where a copy takes them along."""
    if call.parameters.get("TaggingDirective") == "REPLACE":
        return {}
    bucket, key, version = source_of(str(call.parameters["CopySource"]))
    return buckets.object_tags(bucket, key, version or None)


def _tags_in(tagging: Any) -> dict[str, str]:
    """Tags as a header ("team=blue&stage=test") or as PutObjectTagging's body."""
    if isinstance(tagging, str):
        return dict(parse_qsl(tagging, keep_blank_values=True))
    pairs = tagging.get("TagSet", ()) if isinstance(tagging, Mapping) else ()
    return {str(tag["Key"]): str(tag.get("Value", "")) for tag in pairs if "Key" in tag}


def _object_tags(tags: Mapping[str, str]) -> dict[str, str | list[str]]:
    return {**tag_keys(tags, "s3:RequestObjectTag/"), "s3:RequestObjectTagKeys": list(tags)}
