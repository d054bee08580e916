"""What the lab adds to moto's S3: DeleteObjects key by key, Block Public Access, ACLs off, tags that decide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simlib.cloud.call_context import CallContext
from simlib.cloud.permissions.permission import Permission
from simlib.cloud.permissions.s3_permissions import bypassing, context_of, versioned
from simlib.cloud.storage import buckets
from simlib.cloud.storage.stored import parsed
from simlib.cloud.transport.answers import Refusal
from simlib.cloud.transport.calls import copy_source
from simlib.cloud.transport.wire import RawAnswer
from simlib.iam import public_access


def delete_objects(context: CallContext) -> Mapping[str, Any]:
    """Each key is asked for by itself; a refused one is an error inside the answer, the others are deleted.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
    """
    bucket = str(context.parameters["Bucket"])
    account = buckets.owner(bucket)
    if account is None:
        raise Refusal("NoSuchBucket", "The specified bucket does not exist", 404, {"BucketName": bucket})
    request = context.parameters.get("Delete") or {}
    deleted, errors = [], []
    for entry in request.get("Objects") or []:
        key, version = str(entry.get("Key", "")), entry.get("VersionId")
        action = versioned("s3:DeleteObject", version)
        main = Permission(action, f"arn:aws:s3:::{bucket}/{key}", account, context_of(context.call))
        try:
            for permission in (main, *bypassing(context.call, bucket, key, version, main.context)):
                context.require(permission)
            deletion = _delete(context, bucket, key, version)
        except Refusal as refusal:
            errors.append({"Key": key, "Code": refusal.code, "Message": refusal.message, **_version(version)})
        else:
            deleted.append(deletion)
    return {**({} if request.get("Quiet") else {"Deleted": deleted}), "Errors": errors}


def _delete(context: CallContext, bucket: str, key: str, version: str | None) -> dict[str, Any]:
    deletion = buckets.delete(bucket, key, version, bool(context.parameters.get("BypassGovernanceRetention")))
    if deletion is None:
        raise Refusal("AccessDenied", "Access Denied because object protected by object lock.", 403)
    return deletion


def _version(version: str | None) -> dict[str, str]:
    return {"VersionId": version} if version else {}


def hide_missing_object(context: CallContext, answer: RawAnswer) -> RawAnswer:
    """Whether an object exists is told only to those who may list the bucket.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (Permissions)
    """
    bucket = str(context.parameters.get("Bucket"))
    owner = buckets.owner(bucket)
    if answer.status == 404 and owner is not None:
        context.require(Permission("s3:ListBucket", f"arn:aws:s3:::{bucket}", owner))
    return answer


def check_policy(context: CallContext) -> None:
    """BlockPublicPolicy refuses a policy that is public.

    AWS does not document the text: it is as S3 is seen to say.
    """
    bucket = str(context.parameters["Bucket"])
    if buckets.public_access_block(bucket).block_public_policy and public_access.is_public(
        parsed(str(context.parameters["Policy"]), "resource", "")
    ):
        raise Refusal(
            "AccessDenied",
            f"User: {context.caller.arn} is not authorized to perform: s3:PutBucketPolicy on resource: "
            f'"arn:aws:s3:::{bucket}" because public policies are prevented by the BlockPublicPolicy setting in S3 '
            "Block Public Access.",
            403,
        )


def refuse_acl(context: CallContext) -> None:
    """Where the bucket's owner owns everything, ACLs are off: only those that change nothing are accepted.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
    """
    parameters = context.parameters
    acl = parameters.get("ACL")
    grants = any(parameters.get(f"Grant{kind}") for kind in ("FullControl", "Read", "ReadACP", "Write", "WriteACP"))
    puts_acl = context.call.operation.endswith("Acl")
    harmless = not grants and (acl == "bucket-owner-full-control" or (acl == "private" and puts_acl))
    if (acl or grants or puts_acl) and not harmless and buckets.acls_are_off(str(parameters["Bucket"])):
        raise Refusal("AccessControlListNotSupported", "The bucket does not allow ACLs", 400)


def check_object_owner(context: CallContext) -> None:
    """Who owns an object decides about it with its ACL, also where the bucket is another account's.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
    """
    parameters = context.parameters
    place = str(parameters["Bucket"]), str(parameters.get("Key", "")), parameters.get("VersionId")
    if source := parameters.get("CopySource"):
        bucket, key, version = copy_source(str(source))
        place = bucket, key, version or None
    reading = context.call.operation not in ("GetObjectAcl", "PutObjectAcl")
    if buckets.is_withheld(*place, context.caller.account, reading):
        raise Refusal("AccessDenied", "Access Denied", 403)


def _check_acl_and_owner(context: CallContext) -> None:
    refuse_acl(context)
    check_object_owner(context)


def note_owner(context: CallContext, answer: RawAnswer) -> RawAnswer:
    """An object belongs to the account that wrote it, where ACLs are on."""
    if answer.status == 200:
        parameters = context.parameters
        place, acl = (str(parameters["Bucket"]), str(parameters["Key"])), str(parameters.get("ACL") or "private")
        buckets.note_object_owner(*place, context.caller.account, acl)
    return answer


def note_acl(context: CallContext, answer: RawAnswer) -> RawAnswer:
    if answer.status == 200 and (acl := context.parameters.get("ACL")):
        bucket, key = str(context.parameters["Bucket"]), str(context.parameters["Key"])
        buckets.note_object_acl(bucket, key, context.parameters.get("VersionId"), str(acl))
    return answer


def refuse_bucket_acl(context: CallContext) -> None:
    """A new bucket has ACLs off unless it says otherwise, and then cannot be given one that opens it.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/ensure-object-ownership.html
    """
    parameters = context.parameters
    opening = parameters.get("ACL") not in (None, "private") or any(name.startswith("Grant") for name in parameters)
    if opening and parameters.get("ObjectOwnership") in (None, buckets.ENFORCED):
        text = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"
        raise Refusal("InvalidBucketAclWithObjectOwnership", text, 400)


def complete_new_bucket(context: CallContext, answer: RawAnswer) -> RawAnswer:
    if answer.status == 200:
        buckets.as_new(str(context.parameters["Bucket"]))
    return answer


def put_bucket_abac(context: CallContext) -> Mapping[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAbac.html"""
    status = (context.parameters.get("AbacStatus") or {}).get("Status")
    buckets.set_abac(_existing(context), status == "Enabled")
    return {}


def get_bucket_abac(context: CallContext) -> Mapping[str, Any]:
    return {"AbacStatus": {"Status": "Enabled" if buckets.abac_enabled(_existing(context)) else "Disabled"}}


def _existing(context: CallContext) -> str:
    bucket = str(context.parameters["Bucket"])
    if buckets.owner(bucket) is None:
        raise Refusal("NoSuchBucket", "The specified bucket does not exist", 404, {"BucketName": bucket})
    return bucket


ANSWERS = {
    "s3:DeleteObjects": delete_objects,
    "s3:PutBucketAbac": put_bucket_abac,
    "s3:GetBucketAbac": get_bucket_abac,
}
BEFORE = {
    "s3:CreateBucket": refuse_bucket_acl,
    "s3:PutBucketPolicy": check_policy,
    **{f"s3:{operation}": refuse_acl for operation in ("PutObject", "CreateMultipartUpload", "PutBucketAcl")},
    **{f"s3:{operation}": _check_acl_and_owner for operation in ("CopyObject", "PutObjectAcl")},
    **{
        f"s3:{operation}": check_object_owner
        for operation in (
            "GetObject",
            "HeadObject",
            "GetObjectAcl",
            "GetObjectAttributes",
            "GetObjectTagging",
            "PutObjectTagging",
            "DeleteObjectTagging",
            "UploadPartCopy",
        )
    },
}
AFTER = {
    "s3:CreateBucket": complete_new_bucket,
    "s3:PutObjectAcl": note_acl,
    **{f"s3:{operation}": note_owner for operation in ("PutObject", "CopyObject", "CompleteMultipartUpload")},
    **{
        f"s3:{operation}": hide_missing_object
        for operation in ("GetObject", "HeadObject", "GetObjectTagging", "GetObjectAcl", "GetObjectAttributes")
    },
}
