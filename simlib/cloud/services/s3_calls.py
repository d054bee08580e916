"""What the lab adds to moto's S3: DeleteObjects key by key, Block Public Access, ACLs off, tags that decide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simlib.cloud.call_context import CallContext
from simlib.cloud.permissions.permission import Permission
from simlib.cloud.permissions.s3_permissions import bypassing, context_of, versioned
from simlib.cloud.services.rules import CallFacts, checks
from simlib.cloud.storage import buckets
from simlib.cloud.storage.stored import cached_policy
from simlib.cloud.transport.answers import Refusal
from simlib.cloud.transport.calls import copy_source
from simlib.cloud.transport.wire import RawAnswer
from simlib.iam import public_access


def delete_objects(context: CallContext) -> Mapping[str, Any]:
    """Each key is asked for by itself; a refused one is an error inside the answer, the others are deleted.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
    """
    bucket = str(context.parameters["Bucket"])
    account = buckets.owner(bucket) or ""
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


def note_owner(context: CallContext, answer: RawAnswer) -> RawAnswer:
    """An object belongs to the account that wrote it, where ACLs are on."""
    bucket, key, acl = (str(context.parameters.get(name) or "private") for name in ("Bucket", "Key", "ACL"))
    buckets.note_object_owner(bucket, key, context.caller.account, acl)
    return answer


def note_acl(context: CallContext, answer: RawAnswer) -> RawAnswer:
    if acl := context.parameters.get("ACL"):
        bucket, key = str(context.parameters["Bucket"]), str(context.parameters["Key"])
        buckets.note_object_acl(bucket, key, context.parameters.get("VersionId"), str(acl))
    return answer


def complete_new_bucket(context: CallContext, answer: RawAnswer) -> RawAnswer:
    buckets.as_new(str(context.parameters["Bucket"]))
    return answer


def put_bucket_abac(context: CallContext) -> Mapping[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAbac.html"""
    status = (context.parameters.get("AbacStatus") or {}).get("Status")
    buckets.set_abac(str(context.parameters["Bucket"]), status == "Enabled")
    return {}


def get_bucket_abac(context: CallContext) -> Mapping[str, Any]:
    enabled = buckets.abac_enabled(str(context.parameters["Bucket"]))
    return {"AbacStatus": {"Status": "Enabled" if enabled else "Disabled"}}


class _S3(CallFacts):
    """What a call of S3 says, and what its bucket lets be said.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
    """

    @property
    def bucket(self) -> str:
        return str(self["Bucket"])

    @property
    def owner(self) -> str | None:
        return buckets.owner(self.bucket)

    @property
    def is_of_somebody_else(self) -> bool:
        """https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html"""
        source = copy_source(str(self["CopySource"] or ""))[0]
        expected = {"ExpectedBucketOwner": self.owner, "ExpectedSourceBucketOwner": buckets.owner(source)}
        return any(self[member] and self[member] != owner for member, owner in expected.items())

    @property
    def is_another_upload(self) -> bool:
        """An upload is of one key: moto looks at its ID alone."""
        return buckets.key_of_upload(self.bucket, str(self["UploadId"])) not in (None, self["Key"])

    @property
    def grants(self) -> bool:
        return any(member.startswith("Grant") for member in self.context.parameters)

    @property
    def changes_acl(self) -> bool:
        """Where the bucket's owner owns everything, ACLs are off: only those that change nothing are accepted."""
        puts = self.operation.endswith("Acl")
        harmless = self["ACL"] == "bucket-owner-full-control" or (self["ACL"] == "private" and puts)
        asked = bool(self["ACL"] or self.grants or puts) and (self.grants or not harmless)
        return asked and buckets.acls_are_off(self.bucket)

    @property
    def is_withheld(self) -> bool:
        """Who owns an object decides about it with its ACL, also where the bucket is another account's."""
        place = self.bucket, str(self["Key"] or ""), self["VersionId"]
        if self["CopySource"]:
            bucket, key, version = copy_source(str(self["CopySource"]))
            place = bucket, key, version or None
        reading = self.operation not in ("GetObjectAcl", "PutObjectAcl")
        return buckets.is_withheld(*place, self.account, reading)

    @property
    def wrong_digest(self) -> str:
        """What is said where a body and its digest do not fit."""
        wrong = next((name for name, digest in self.context.call.digests.items() if self[name] != digest), "")
        if wrong == "ContentMD5":
            return "The Content-MD5 you specified did not match what we received."
        return wrong and f"The {wrong.removeprefix('Checksum')} you specified did not match the calculated checksum."

    @property
    def opens_bucket(self) -> bool:
        blocked = buckets.public_access_block(self.bucket).block_public_policy
        return blocked and public_access.is_public(cached_policy(str(self["Policy"]), "resource", ""))


ANSWERS = {
    "s3:DeleteObjects": delete_objects,
    "s3:PutBucketAbac": put_bucket_abac,
    "s3:GetBucketAbac": get_bucket_abac,
}
BEFORE = checks("s3", _S3)
AFTER = {
    "s3:CreateBucket": complete_new_bucket,
    "s3:PutObjectAcl": note_acl,
    **dict.fromkeys(("s3:PutObject", "s3:CopyObject", "s3:CompleteMultipartUpload"), note_owner),
}
FAILED = dict.fromkeys(
    ("s3:GetObject", "s3:HeadObject", "s3:GetObjectTagging", "s3:GetObjectAcl", "s3:GetObjectAttributes"),
    hide_missing_object,
)
