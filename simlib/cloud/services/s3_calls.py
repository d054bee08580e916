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
    wanted = context.parameters.get("Delete") or {}
    deleted, errors = [], []
    for entry in wanted.get("Objects") or []:
        key, version = str(entry.get("Key", "")), entry.get("VersionId")
        action = versioned("s3:DeleteObject", version)
        asked = Permission(action, f"arn:aws:s3:::{bucket}/{key}", account, context_of(context.call))
        try:
            for permission in (asked, *bypassing(context.call, bucket, key, version, asked.context)):
                context.require(permission)
            told = _delete(context, bucket, key, version)
        except Refusal as refusal:
            errors.append({"Key": key, "Code": refusal.code, "Message": refusal.message, **_version(version)})
        else:
            deleted.append(told)
    return {**({} if wanted.get("Quiet") else {"Deleted": deleted}), "Errors": errors}


def _delete(context: CallContext, bucket: str, key: str, version: str | None) -> dict[str, Any]:
    told = buckets.delete(bucket, key, version, bool(context.parameters.get("BypassGovernanceRetention")))
    if told is None:
        raise Refusal("AccessDenied", "Access Denied because object protected by object lock.", 403)
    return told


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
    given = context.parameters
    acl = given.get("ACL")
    grants = any(given.get(f"Grant{kind}") for kind in ("FullControl", "Read", "ReadACP", "Write", "WriteACP"))
    puts_acl = context.call.operation.endswith("Acl")
    harmless = not grants and (acl == "bucket-owner-full-control" or (acl == "private" and puts_acl))
    if (acl or grants or puts_acl) and not harmless and buckets.acls_are_off(str(given["Bucket"])):
        raise Refusal("AccessControlListNotSupported", "The bucket does not allow ACLs", 400)


def refuse_bucket_acl(context: CallContext) -> None:
    """A new bucket has ACLs off unless it says otherwise, and then cannot be given one that opens it.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/ensure-object-ownership.html
    """
    given = context.parameters
    opening = given.get("ACL") not in (None, "private") or any(name.startswith("Grant") for name in given)
    if opening and given.get("ObjectOwnership") in (None, buckets.ENFORCED):
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
    **{
        f"s3:{operation}": refuse_acl
        for operation in ("PutObject", "CopyObject", "CreateMultipartUpload", "PutObjectAcl", "PutBucketAcl")
    },
}
AFTER = {
    "s3:CreateBucket": complete_new_bucket,
    **{
        f"s3:{operation}": hide_missing_object
        for operation in ("GetObject", "HeadObject", "GetObjectTagging", "GetObjectAcl", "GetObjectAttributes")
    },
}
