"""The buckets of an account and what lies in them. Knows moto's inside.

ACLs, life cycles, websites and unfinished uploads are not kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from moto.s3 import models

from simlib.cloud.storage.buckets import abac_enabled, set_abac
from simlib.cloud.storage.store import PARTITION
from simlib.cloud.worlds.identities import naive
from simlib.cloud.worlds.shape import (
    CONTENT,
    DATE,
    INSTANT,
    OBJECT,
    TAGS,
    TEXT,
    TRUTH,
    WorldFileError,
    document,
    matching,
)

_SETTINGS = {
    "BlockPublicAcls": "block_public_acls",
    "IgnorePublicAcls": "ignore_public_acls",
    "BlockPublicPolicy": "block_public_policy",
    "RestrictPublicBuckets": "restrict_public_buckets",
}
_OWNERSHIP = ("BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter")
PUBLIC_ACCESS = dict.fromkeys(_SETTINGS, TRUTH)
_OBJECT = {
    "Key": matching(r"(?s).{1,1024}", "the key of an object"),
    "VersionId?": TEXT,
    "LastModified": INSTANT,
    "Body?": CONTENT,
    "IsDeleteMarker?": TRUTH,
    "ETag?": TEXT,
    "Metadata?": OBJECT,
    "Tags?": TAGS,
    "ServerSideEncryption?": TEXT,
    "SSEKMSKeyId?": TEXT,
    "ChecksumAlgorithm?": TEXT,
    "Checksum?": TEXT,
}
SHAPE = {
    "Name": matching(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "the name of a bucket"),
    "Region": TEXT,
    "CreationDate": DATE,
    "Policy?": document("resource"),
    "PublicAccessBlock?": PUBLIC_ACCESS,
    "ObjectOwnership?": matching("|".join(_OWNERSHIP), f"one of {', '.join(_OWNERSHIP)}"),
    "Tags?": TAGS,
    "AbacStatus?": TRUTH,
    "Versioning?": matching("Enabled|Suspended", '"Enabled" or "Suspended"'),
    "Encryption?": OBJECT,
    "Objects?": [_OBJECT],  # of each key the oldest version first
}


def _backend(account: str) -> Any:
    return models.s3_backends[account][PARTITION]


def details(account: str) -> list[dict[str, Any]]:
    if account not in models.s3_backends:
        return []
    return [_of_bucket(_backend(account), bucket) for bucket in _backend(account).buckets.values()]


def public_access(block: Any) -> dict[str, bool] | None:
    return block and {name: bool(getattr(block, attribute)) for name, attribute in _SETTINGS.items()}


def access_block(told: Mapping[str, bool]) -> Any:
    return models.PublicAccessBlock(**{attribute: told[name] for name, attribute in _SETTINGS.items()})


def _of_bucket(backend: Any, bucket: Any) -> dict[str, Any]:
    rule = str(bucket.ownership_rule or "")
    return {
        "Name": bucket.name,
        "Region": bucket.region_name,
        "CreationDate": bucket.creation_date,
        "Policy": bucket.policy and bucket.policy.decode("utf-8"),
        "PublicAccessBlock": public_access(bucket.public_access_block),
        "ObjectOwnership": next((name for name in _OWNERSHIP if name in rule), None),
        "Tags": backend.tagger.get_tag_dict_for_resource(f"arn:aws:s3:::{bucket.name}"),
        "AbacStatus": abac_enabled(bucket.name) or None,
        "Versioning": bucket.versioning_status,
        "Encryption": bucket.encryption,
        "Objects": list(_objects(backend, bucket)),
    }


def _objects(backend: Any, bucket: Any) -> Iterator[dict[str, Any]]:
    for key in bucket.keys:
        for version in bucket.keys.getlist(key):
            told = {"Key": key, "VersionId": version.version_id, "LastModified": version.last_modified}
            if isinstance(version, models.FakeDeleteMarker):
                yield {**told, "IsDeleteMarker": True}
                continue
            yield {
                **told,
                "Body": version.value,
                "ETag": version.etag.strip('"'),
                "Metadata": {name: str(value) for name, value in version.metadata.items()},
                "Tags": backend.tagger.get_tag_dict_for_resource(version.arn),
                "ServerSideEncryption": version.encryption,
                "SSEKMSKeyId": version.kms_key_id,
                "ChecksumAlgorithm": version.checksum_algorithm,
                "Checksum": version.checksum_value,
            }


def restore(account: str, told: Mapping[str, Any], place: str) -> None:
    """Make a bucket with its objects. Raises `WorldFileError`."""
    backend, name = _backend(account), told["Name"]
    if name in models.s3_backends.bucket_accounts:
        raise WorldFileError(f"{place}.Name: there is another bucket {name}.")
    bucket = models.FakeBucket(name, account, told["Region"])
    backend.buckets[name] = bucket
    bucket.creation_date = told["CreationDate"]
    bucket.policy = told["Policy"].encode("utf-8") if "Policy" in told else None
    bucket.public_access_block = access_block(told["PublicAccessBlock"]) if "PublicAccessBlock" in told else None
    bucket.ownership_rule = told.get("ObjectOwnership")
    bucket.versioning_status, bucket.encryption = told.get("Versioning"), told.get("Encryption")
    backend.tagger.tag_resource(f"arn:aws:s3:::{name}", _tags(told))
    if told.get("AbacStatus"):
        set_abac(name, True)
    for entry in told.get("Objects", ()):
        made = _object(backend, bucket, entry)
        bucket.keys.setlist(entry["Key"], [*bucket.keys.getlist(entry["Key"], []), made])


def _tags(told: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in told.get("Tags", {}).items()]


def _object(backend: Any, bucket: Any, told: Mapping[str, Any]) -> Any:
    version = told.get("VersionId", "null")
    made = models.FakeKey(
        told["Key"],
        told.get("Body", b""),
        bucket.account_id,
        bucket.region_name,
        etag=told.get("ETag"),
        is_versioned=version != "null",
        version_id=version,
        bucket_name=bucket.name,
        encryption=told.get("ServerSideEncryption"),
        kms_key_id=told.get("SSEKMSKeyId"),
        checksum_value=told.get("Checksum"),
    )
    made.last_modified, made.checksum_algorithm = naive(told["LastModified"]), told.get("ChecksumAlgorithm")
    if told.get("IsDeleteMarker"):
        marker = models.FakeDeleteMarker(made)
        marker.last_modified, marker._version_id = made.last_modified, version
        return marker
    made.set_metadata({str(name): str(value) for name, value in told.get("Metadata", {}).items()})
    backend.tagger.tag_resource(made.arn, _tags(told))
    return made
