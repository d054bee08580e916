"""What moto keeps about buckets and objects. Knows moto's inside.

The lab's new buckets are as AWS makes them since April 2023: all of Block Public Access on, and ACLs off
(`BucketOwnerEnforced`). https://docs.aws.amazon.com/AmazonS3/latest/userguide/create-bucket-faq.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simlib.cloud import moto_names as moto
from simlib.cloud.moto_names import keeper

ENFORCED = "BucketOwnerEnforced"
_READ_BY_ALL = ("public-read", "public-read-write", "authenticated-read")


@dataclass(frozen=True, slots=True)
class PublicAccessBlock:
    """The four settings, as they act: a bucket's own or its account's."""

    block_public_acls: bool = False
    ignore_public_acls: bool = False
    block_public_policy: bool = False
    restrict_public_buckets: bool = False


def owner(bucket: str) -> str | None:
    """The account a bucket belongs to; None where there is none of that name."""
    entry = moto.s3_backends.bucket_accounts.get(bucket)
    return entry[1] if entry else None


def _s3(bucket: str) -> Any:
    """moto's S3 of the account a bucket belongs to; None where there is no such bucket."""
    return keeper("s3", owner(bucket) or "")


def _bucket(name: str) -> Any | None:
    return s3.buckets.get(name) if (s3 := _s3(name)) else None


def _object(bucket: str, key: str, version: str | None = None) -> Any | None:
    return s3.get_object(bucket, key, version) if (s3 := _s3(bucket)) and key else None


def key_of_upload(bucket: str, upload: str) -> str | None:
    """The key of the object that is uploaded in parts; None where there is no such upload."""
    return getattr(getattr(_bucket(bucket), "multiparts", {}).get(upload), "key_name", None)


def policy(name: str) -> str | None:
    """The text of a bucket's policy."""
    text = getattr(_bucket(name), "policy", None)
    return text.decode("utf-8") if text else None


def public_access_block(name: str) -> PublicAccessBlock:
    """What acts on a bucket: the stricter of its own settings and its account's.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
    """
    holders = _bucket(name), keeper("s3control", owner(name) or "")
    blocks = [getattr(holder, "public_access_block", None) for holder in holders]
    names = PublicAccessBlock.__dataclass_fields__
    return PublicAccessBlock(**{n: any(getattr(block, n, False) for block in blocks) for n in names})


def as_new(name: str) -> None:
    """Give a bucket that has just been made what AWS gives new ones."""
    if (bucket := _bucket(name)) is not None:
        bucket.public_access_block = bucket.public_access_block or moto.PublicAccessBlock(True, True, True, True)
        bucket.ownership_rule = bucket.ownership_rule or ENFORCED


def acls_are_off(name: str) -> bool:
    """Whether the bucket's owner owns every object and ACLs count for nothing."""
    return ENFORCED in str(getattr(_bucket(name), "ownership_rule", None))


def bucket_tags(name: str) -> Mapping[str, str]:
    """A bucket's tags where they decide: only once attribute-based access control is switched on for it.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/buckets-tagging-enable-abac.html
    """
    return _s3(name).tagger.get_tag_dict_for_resource(f"arn:aws:s3:::{name}") if abac_enabled(name) else {}


def abac_enabled(name: str) -> bool:
    return bool(getattr(_bucket(name), "abac_enabled", False))


def set_abac(name: str, enabled: bool) -> None:
    """moto knows nothing of it; the bucket remembers, and forgets it when it is deleted."""
    if (bucket := _bucket(name)) is not None:
        bucket.abac_enabled = enabled


def object_tags(bucket: str, key: str, version: str | None = None) -> Mapping[str, str]:
    """An object's tags; none where there is no such object."""
    stored = _object(bucket, key, version)
    return _s3(bucket).tagger.get_tag_dict_for_resource(stored.arn) if stored is not None else {}


def note_object_owner(bucket: str, key: str, account: str, acl: str) -> None:
    """Keep whose an object is that has just been written, and the canned ACL it was given; moto keeps neither.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
    """
    if (stored := _object(bucket, key)) is not None:
        preferred = "Preferred" in str(getattr(_bucket(bucket), "ownership_rule", ""))
        handed_over = acls_are_off(bucket) or (preferred and acl == "bucket-owner-full-control")
        stored.owner_account, stored.canned_acl = owner(bucket) if handed_over else account, acl


def note_object_acl(bucket: str, key: str, version: str | None, acl: str) -> None:
    if (stored := _object(bucket, key, version)) is not None:
        stored.canned_acl = acl


def is_withheld(bucket: str, key: str, version: str | None, account: str, reading: bool) -> bool:
    """Whether an object belongs to another account than the bucket, and its ACL lets `account` do nothing with it.

    What the bucket's policy says does not count for such an object.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-policy-language-overview.html
    """
    stored, of_bucket = _object(bucket, key, version), owner(bucket)
    whose = getattr(stored, "owner_account", of_bucket)
    if stored is None or whose in (of_bucket, account) or acls_are_off(bucket):
        return False
    acl = getattr(stored, "canned_acl", "")
    for_owner = acl == "bucket-owner-full-control" or (reading and acl == "bucket-owner-read")
    return not (for_owner and account == of_bucket) and not (reading and acl in _READ_BY_ALL)


def is_governed(bucket: str, key: str, version: str | None = None) -> bool:
    """Whether an object's lock in governance mode holds, which only a permission passes."""
    stored = _object(bucket, key, version)
    return stored is not None and stored.is_locked(False) and not stored.is_locked(True)


def key_of_object(bucket: str, key: str, version: str | None = None) -> str | None:
    """The customer's KMS key that an object is encrypted with, as it was named; None for S3's own encryption."""
    stored = _object(bucket, key, version)
    return stored.kms_key_id if stored is not None and str(stored.encryption).startswith("aws:kms") else None


def key_of_new_objects(bucket: str) -> str | None:
    """The customer's KMS key that a bucket encrypts new objects with, unless they say otherwise."""
    rule = (getattr(_bucket(bucket), "encryption", None) or {}).get("Rule", {})
    default = rule.get("ApplyServerSideEncryptionByDefault", {})
    return default.get("KMSMasterKeyID") if str(default.get("SSEAlgorithm")).startswith("aws:kms") else None


def delete(bucket: str, key: str, version: str | None, bypass: bool) -> dict[str, Any] | None:
    """Delete an object, which the gate has found, as DeleteObjects tells of it; None where its lock forbids it."""
    deleted, _ = _s3(bucket).delete_objects(bucket, [{"Key": key, "VersionId": version}], bypass)
    if not deleted:
        return None
    marker = deleted[0][2]
    made = {"DeleteMarker": True, "DeleteMarkerVersionId": marker} if marker else {}
    return {"Key": key, **({"VersionId": version} if version else {}), **made}
