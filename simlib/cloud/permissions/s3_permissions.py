"""What a call of S3 asks permission for: S3 names its permissions after the object or bucket feature.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from simlib.cloud.credentials.sessions import Caller
from simlib.cloud.permissions import kms_permissions, service_table
from simlib.cloud.permissions.permission import Context, Permission, tag_keys
from simlib.cloud.permissions.service_table import row
from simlib.cloud.storage import buckets
from simlib.cloud.transport.calls import Call, copy_source


def permissions_of(call: Call, caller: Caller) -> Iterator[Permission]:
    """Every permission a call of S3 needs. DeleteObjects asks for its keys one by one, when it deletes them."""
    parameters = call.parameters
    bucket, key = parameters.get("Bucket"), parameters.get("Key")
    context = context_of(call)
    action = versioned(service_table.action_of(call), parameters.get("VersionId"))
    if call.operation == "DeleteObjects":
        return
    if not bucket:  # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_statement.html
        yield Permission(action, "arn:aws:s3:::*", caller.account, context, label="")
        return
    arn = f"arn:aws:s3:::{bucket}"
    # who creates a bucket asks its own account, also for a name that another account has taken
    owner = caller.account if call.operation == "CreateBucket" else buckets.owner(bucket) or caller.account
    if source := parameters.get("CopySource"):
        yield from _source(call, str(source), caller)
    if call.operation == "GetObjectAttributes":
        yield Permission(versioned("s3:GetObject", parameters.get("VersionId")), f"{arn}/{key}", owner, context)
    yield Permission(action, f"{arn}/{key}" if key else arn, owner, context)
    yield from bypassing(call, str(bucket), str(key), parameters.get("VersionId"), context)
    more = row("s3")["more"].get(call.operation, {})
    for needed in dict.fromkeys(name for member, names in more.items() if parameters.get(member) for name in names):
        yield Permission(needed, f"{arn}/{key}" if key else arn, owner, context)
    if call.operation == "CopyObject" and (tags := _copied_tags(call)):
        yield Permission("s3:PutObjectTagging", f"{arn}/{key}", owner, {**context, **_object_tags(tags)})
    yield from _keys(call, caller)


def bypassing(call: Call, bucket: str, key: str, version: Any, context: Context) -> Iterator[Permission]:
    """Passing over an object's lock in governance mode, for which a call has to ask.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
    """
    if call.parameters.get("BypassGovernanceRetention") and buckets.is_governed(bucket, key, version):
        arn = f"arn:aws:s3:::{bucket}/{key}"
        yield Permission("s3:BypassGovernanceRetention", arn, buckets.owner(bucket) or "", context)


def _keys(call: Call, caller: Caller) -> Iterator[Permission]:
    """Whoever reads or writes what a customer's KMS key encrypts must be allowed to use the key, through S3.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
    """
    parameters = call.parameters
    bucket, key, version = str(parameters["Bucket"]), str(parameters.get("Key", "")), parameters.get("VersionId")
    uses: list[tuple[str, Any, str]] = []
    if call.operation == "GetObject":
        uses.append(("kms:Decrypt", buckets.key_of_object(bucket, key, version), f"{bucket}/{key}"))
    if source := parameters.get("CopySource"):
        place = copy_source(str(source))
        uses.append(("kms:Decrypt", buckets.key_of_object(place[0], place[1], place[2] or None), "/".join(place[:2])))
    if call.operation in ("PutObject", "CopyObject", "CreateMultipartUpload"):
        default = buckets.key_of_new_objects(bucket)
        name = parameters.get("SSEKMSKeyId") if parameters.get("ServerSideEncryption") else default
        uses.append(("kms:GenerateDataKey", name, f"{bucket}/{key}"))
    for action, name, place_of in uses:
        yield from kms_permissions.use(call, caller, action, name, {"aws:s3:arn": f"arn:aws:s3:::{place_of}"})


def versioned(action: str, version: Any) -> str:
    """The action on a version that is named: GetObject → GetObjectVersion."""
    if version and action.removeprefix("s3:") in row("s3")["versioned"]:
        return action.replace("Object", "ObjectVersion", 1)
    return action


def context_of(call: Call) -> Context:
    """The condition keys of S3 that are no members of a request."""
    parameters = call.parameters
    context: dict[str, str | list[str]] = {}
    if tags := _tags_in(parameters.get("Tagging")):
        context |= _object_tags(tags) if parameters.get("Key") else {}
    until = parameters.get("ObjectLockRetainUntilDate") or (parameters.get("Retention") or {}).get("RetainUntilDate")
    if isinstance(until, datetime):
        context["s3:object-lock-remaining-retention-days"] = str((until.replace(tzinfo=UTC) - datetime.now(UTC)).days)
    query, headers = dict(parse_qsl(call.raw.parts.query)), call.raw.headers
    if body := headers.get("x-amz-content-sha256", "UNSIGNED-PAYLOAD" if "X-Amz-Signature" in query else ""):
        context["s3:x-amz-content-sha256"] = body
    if "X-Amz-Signature" in query or "Signature" in query:
        context["s3:authType"] = "REST-QUERY-STRING"
        context["s3:signatureversion"] = "AWS4-HMAC-SHA256" if "X-Amz-Signature" in query else "AWS"
        if since := query.get("X-Amz-Date"):
            signed = datetime.strptime(since, "%Y%m%dT%H%M%S%z")
            context["s3:signatureAge"] = str(round((datetime.now(UTC) - signed).total_seconds() * 1000))
    elif "authorization" in headers:
        context["s3:authType"] = "REST-HEADER"
        context["s3:signatureversion"] = "AWS4-HMAC-SHA256"
    return context


def _source(call: Call, source: str, caller: Caller) -> Iterator[Permission]:
    bucket, key, version = copy_source(source)
    arn, owner = f"arn:aws:s3:::{bucket}/{key}", buckets.owner(bucket) or caller.account
    context: dict[str, str | list[str]] = {"s3:versionid": version} if version else {}
    yield Permission(versioned("s3:GetObject", version), arn, owner, context)
    if call.operation == "CopyObject" and _copied_tags(call):
        yield Permission(versioned("s3:GetObjectTagging", version), arn, owner, context)


def _copied_tags(call: Call) -> Mapping[str, str]:
    """The source's tags, where a copy takes them along."""
    if call.parameters.get("TaggingDirective") == "REPLACE":
        return {}
    bucket, key, version = copy_source(str(call.parameters["CopySource"]))
    return buckets.object_tags(bucket, key, version or None)


def _tags_in(tagging: Any) -> dict[str, str]:
    """Tags as a header ("team=blue&stage=test") or as PutObjectTagging's body."""
    if isinstance(tagging, str):
        return dict(parse_qsl(tagging, keep_blank_values=True))
    pairs = tagging.get("TagSet", ()) if isinstance(tagging, Mapping) else ()
    return {str(tag["Key"]): str(tag.get("Value", "")) for tag in pairs if "Key" in tag}


def _object_tags(tags: Mapping[str, str]) -> dict[str, str | list[str]]:
    return {**tag_keys(tags, "s3:RequestObjectTag/"), "s3:RequestObjectTagKeys": list(tags)}
