"""What an account holds besides identities: buckets, keys, queues, topics, secrets, tables, functions, instances.

Knows moto's inside. Not kept: ACLs of single grants, life cycles, websites and unfinished uploads of buckets; messages
and subscriptions; versions and aliases of functions; the material of asymmetric keys; networks and volumes – an
instance wakes in its account's default network.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from unittest.mock import patch

from moto.s3 import models as s3

from simlib.cloud.worlds.sections import Section, tags
from simlib.cloud.worlds.shape import (
    ACCOUNT_ID,
    BYTES,
    CONTENT,
    DATE,
    EPOCH,
    FLAG,
    INSTANT,
    NAIVE_DATE,
    NOTE,
    NUMBER,
    OBJECT,
    TAGS,
    TEXT,
    TRUTH,
    At,
    Form,
    document,
    fill,
    make,
    matching,
    one_of,
)

_POLICY = document("resource")


def _all(collection: str) -> Callable[[Any], Any]:
    return lambda keeper: getattr(keeper, collection).values()


def _tagged(arn_of: Callable[[Any], str]) -> At:
    return At(lambda keeper, thing: keeper.tagger.get_tag_dict_for_resource(arn_of(thing)), TAGS)


# -- S3 ----------------------------------------------------------------------------------------------------------------

_OWNERSHIP = ("BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter")
_PUBLIC_ACCESS = dict.fromkeys(
    ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), TRUTH
)
_OBJECT = {
    "Key": At("name", matching(r"(?s).{1,1024}", "the key of an object")),
    "VersionId?": At("_version_id", TEXT),
    "LastModified": INSTANT,
    "Body?": At(lambda _, version: getattr(version, "value", None), CONTENT),
    "IsDeleteMarker?": At(lambda _, version: isinstance(version, s3.FakeDeleteMarker), FLAG),
    "ETag?": At(lambda _, version: version.etag.strip('"') if hasattr(version, "etag") else None, TEXT),
    "Metadata?": At(lambda _, version: {n: str(v) for n, v in getattr(version, "metadata", {}).items()}, OBJECT),
    "Tags?": At(lambda keeper, version: keeper.tagger.get_tag_dict_for_resource(getattr(version, "arn", "")), TAGS),
    "ServerSideEncryption?": At("encryption", TEXT),
    "SSEKMSKeyId?": At("kms_key_id", TEXT),
    "ChecksumAlgorithm?": TEXT,
    "Checksum?": At("checksum_value", TEXT),
    "Owner?": At("owner_account", ACCOUNT_ID),
    "CannedAcl?": At("canned_acl", TEXT),
}
_BUCKET = {
    "Name": matching(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "the name of a bucket"),
    "Region": At("region_name", TEXT),
    "CreationDate": DATE,
    "Policy?": Form(lambda value: _POLICY.read(value).encode("utf-8"), json.loads),
    "PublicAccessBlock?": _PUBLIC_ACCESS,
    "ObjectOwnership?": At(
        lambda _, bucket: next((name for name in _OWNERSHIP if name in str(bucket.ownership_rule)), None),
        one_of(*_OWNERSHIP),
    ),
    "Tags?": _tagged(lambda bucket: f"arn:aws:s3:::{bucket.name}"),
    "AbacStatus?": At("abac_enabled", FLAG),
    "Versioning?": At("versioning_status", one_of("Enabled", "Suspended")),
    "Encryption?": OBJECT,
    # of each key the oldest version first
    "Objects?": At(lambda _, bucket: [each for key in bucket.keys for each in bucket.keys.getlist(key)], [_OBJECT]),
}


def _make_bucket(keeper: Any, entry: Mapping[str, Any]) -> Any:
    bucket = s3.FakeBucket(entry["Name"], keeper.account_id, entry["Region"])
    keeper.buckets[bucket.name] = bucket
    if "PublicAccessBlock" in entry:
        bucket.public_access_block = make(s3.PublicAccessBlock, _PUBLIC_ACCESS, entry["PublicAccessBlock"])
    bucket.ownership_rule = entry.get("ObjectOwnership")
    keeper.tagger.tag_resource(f"arn:aws:s3:::{bucket.name}", tags(entry))
    for version in entry.get("Objects", ()):
        kept = bucket.keys.getlist(version["Key"], [])
        bucket.keys.setlist(version["Key"], [*kept, _object(keeper, bucket, version)])
    return bucket


def _object(keeper: Any, bucket: Any, entry: Mapping[str, Any]) -> Any:
    version = entry.get("VersionId", "null")
    key = s3.FakeKey(
        entry["Key"], entry.get("Body", b""), bucket.account_id, bucket.region_name, etag=entry.get("ETag"),
        is_versioned=version != "null", version_id=version, bucket_name=bucket.name,
    )  # fmt: skip
    if entry.get("IsDeleteMarker"):
        return fill(_OBJECT, s3.FakeDeleteMarker(key), entry)
    key.set_metadata({str(name): str(value) for name, value in entry.get("Metadata", {}).items()})
    keeper.tagger.tag_resource(key.arn, tags(entry))
    return fill(_OBJECT, key, entry)


def _make_public_access_block(s3control: Any, entry: Mapping[str, Any]) -> Any:
    s3control.public_access_block = make(s3.PublicAccessBlock, _PUBLIC_ACCESS, entry)
    return s3control.public_access_block


# -- KMS ---------------------------------------------------------------------------------------------------------------

_GRANT = {
    "GrantId": At("id", TEXT), "Name?": TEXT, "GranteePrincipal": TEXT, "RetiringPrincipal?": TEXT,
    "Operations": [TEXT], "Constraints?": OBJECT, "GrantToken": At("token", TEXT),
}  # fmt: skip
_KEY = {
    "Region": TEXT, "KeyId": At("id", TEXT), "Policy": _POLICY, "Description?": NOTE, "KeyUsage?": TEXT,
    "KeySpec": TEXT, "KeyState": TEXT, "Enabled": TRUTH, "CreationDate": EPOCH, "DeletionDate?": NAIVE_DATE,
    "RotationEnabled?": At("key_rotation_status", FLAG), "KeyMaterial": BYTES,
    "Aliases?": At(lambda _, key: sorted(key.aliases), [TEXT]),
    "Grants?": At(lambda _, key: key.grants.values(), [_GRANT]), "Tags?": _tagged(lambda key: str(key.id)),
}  # fmt: skip


def _make_key(kms: Any, entry: Mapping[str, Any]) -> Any:
    from moto.kms.models import Grant, Key

    key = Key(entry["Policy"], entry.get("KeyUsage"), entry["KeySpec"], "", kms.account_id, kms.region_name)
    key.id, key.arn = entry["KeyId"], key.arn.replace(key.id, entry["KeyId"])
    kms.keys[key.id] = key
    for alias in entry.get("Aliases", ()):
        kms.create_alias(key.id, alias)
    grants = [make(Grant, _GRANT, grant, key_id=key.id) for grant in entry.get("Grants", ())]
    key.grants = {grant.id: grant for grant in grants}
    key.key_manager = "AWS" if any(alias.startswith("alias/aws/") for alias in key.aliases) else "CUSTOMER"
    kms.tagger.tag_resource(key.id, tags(entry, "TagKey", "TagValue"))
    return key


# -- SQS and SNS -------------------------------------------------------------------------------------------------------

_SETTABLE = (
    "DelaySeconds", "MaximumMessageSize", "MessageRetentionPeriod", "ReceiveMessageWaitTimeSeconds",
    "VisibilityTimeout", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled", "FifoQueue",
    "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit",
)  # fmt: skip
_REGION = At(lambda keeper, _: keeper.region_name, TEXT)
_QUEUE = {
    "Region": _REGION, "QueueName": At("name", TEXT), "CreatedTimestamp": EPOCH,
    "Attributes?": At(
        lambda _, queue: {n: str(v) for n in _SETTABLE if (v := queue.attributes.get(n)) is not None}, OBJECT
    ),
    "RedrivePolicy?": At(lambda _, queue: queue.attributes.get("RedrivePolicy"), TEXT),
    "Policy?": At(lambda _, queue: queue.policy or None, _POLICY), "Tags?": At(lambda _, queue: queue.tags, TAGS),
}  # fmt: skip
_TOPIC = {
    "Region": _REGION, "TopicName": At("name", TEXT), "DisplayName?": NOTE, "KmsMasterKeyId?": NOTE,
    "FifoTopic?": At(lambda _, topic: str(topic.fifo_topic).lower() == "true", FLAG), "Policy": TEXT,
    "Tags?": At("_tags", TAGS),
}  # fmt: skip


def _make_queue(sqs: Any, entry: Mapping[str, Any]) -> Any:
    attributes = {name: str(value) for name, value in entry.get("Attributes", {}).items() if name in _SETTABLE}
    attributes |= {name: entry[name] for name in ("Policy", "RedrivePolicy") if name in entry}
    return sqs.create_queue(entry["QueueName"], dict(entry.get("Tags", {})), **attributes)


# -- Secrets Manager ---------------------------------------------------------------------------------------------------

_SECRET_VERSION = {
    "VersionId": At("version_id", TEXT), "SecretString?": At("secret_string", TEXT),
    "SecretBinary?": At("secret_binary", TEXT), "VersionStages?": At("version_stages", [TEXT]),
    "CreatedDate": At("createdate", NUMBER),
}  # fmt: skip
_SECRET = {
    "Region": TEXT, "Name": TEXT, "ARN": At("arn", TEXT), "Description?": NOTE, "KmsKeyId?": TEXT,
    "CreatedDate?": NUMBER, "LastChangedDate?": NUMBER, "DeletedDate?": EPOCH, "ResourcePolicy?": At("policy", _POLICY),
    "Versions?": At(lambda _, secret: secret.versions.values(), [_SECRET_VERSION]),
    "Tags?": At(lambda _, secret: {tag["Key"]: tag["Value"] for tag in secret.tags or ()}, TAGS),
}  # fmt: skip


def _make_secret(manager: Any, entry: Mapping[str, Any]) -> Any:
    secret, _ = manager._add_secret(entry["Name"], tags=tags(entry))
    for version in entry.get("Versions", ()):
        kept = {at.where: version[name] for member, at in _SECRET_VERSION.items() if (name := member.rstrip("?")) in
                version}  # fmt: skip
        secret.versions[version["VersionId"]] = {"version_stages": [], **kept}
        if "AWSCURRENT" in version.get("VersionStages", ()):
            secret.set_default_version_id(version["VersionId"])
    return secret


# -- DynamoDB ----------------------------------------------------------------------------------------------------------


def _indexes(attribute: str) -> At:
    def described(_: Any, table: Any) -> list[dict[str, Any]]:
        return [
            {"IndexName": index.name, "KeySchema": index.schema, "Projection": index.projection}
            for index in getattr(table, attribute)
        ]

    return At(described, [OBJECT])


def _throughput(_: Any, table: Any) -> dict[str, Any] | None:
    return {n: table.throughput[n] for n in ("ReadCapacityUnits", "WriteCapacityUnits")} if any(
        table.throughput.values()) else None  # fmt: skip


def _items(_: Any, table: Any) -> list[dict[str, Any]]:
    items = [item.to_json()["Attributes"] for item in table.all_items()]
    return list(json.loads(json.dumps(items, default=lambda value: value.to_json())))


def _table_policy(dynamodb: Any, table: Any) -> str | None:
    policy = dynamodb.resource_policies.get(table.table_arn)
    return policy and str(policy.policy_doc)


_TABLE = {
    "Region": _REGION, "TableName": At("name", TEXT), "AttributeDefinitions": At("attr", [OBJECT]),
    "KeySchema": At("schema", [OBJECT]), "BillingMode?": TEXT, "ProvisionedThroughput?": At(_throughput, OBJECT),
    "LocalSecondaryIndexes?": _indexes("indexes"), "GlobalSecondaryIndexes?": _indexes("global_indexes"),
    "CreationDateTime": At("created_at", NAIVE_DATE), "ResourcePolicy?": At(_table_policy, _POLICY),
    "Tags?": At(lambda _, table: {tag["Key"]: tag["Value"] for tag in table.tags}, TAGS),
    "Items?": At(_items, [OBJECT]),
}  # fmt: skip


def _make_table(dynamodb: Any, entry: Mapping[str, Any]) -> Any:
    table = dynamodb.create_table(
        entry["TableName"],
        schema=entry["KeySchema"],
        throughput=entry.get("ProvisionedThroughput"),
        attr=entry["AttributeDefinitions"],
        global_indexes=entry.get("GlobalSecondaryIndexes"),
        indexes=entry.get("LocalSecondaryIndexes"),
        streams=None,
        billing_mode=entry.get("BillingMode"),
        sse_specification=None,
        tags=tags(entry),
        deletion_protection_enabled=False,
        warm_throughput=None,
    )
    if "ResourcePolicy" in entry:
        dynamodb.put_resource_policy(table.table_arn, entry["ResourcePolicy"], None)
    for item in entry.get("Items", ()):
        table.put_item(item)
    return table


# -- Lambda ------------------------------------------------------------------------------------------------------------

_FUNCTION = {
    "Region": _REGION, "FunctionName": TEXT, "Role": TEXT, "Handler?": TEXT, "Runtime?": At("run_time", TEXT),
    "Description?": NOTE, "MemorySize": NUMBER, "Timeout": NUMBER, "Environment?": At("environment_vars", OBJECT),
    "LastModified": TEXT, "ZipFile?": At(lambda _, function: getattr(function, "code_bytes", None) or None, BYTES),
    "Statements?": At("policy.statements", [OBJECT]), "Tags?": At("tags", TAGS),
}  # fmt: skip


def _make_function(functions: Any, entry: Mapping[str, Any]) -> Any:
    members = ("FunctionName", "Role", "Handler", "Runtime", "Description", "MemorySize", "Timeout", "Tags")
    code = {"ZipFile": base64.b64encode(entry["ZipFile"]).decode("ascii")} if "ZipFile" in entry else {}
    spec = {name: entry[name] for name in members if name in entry}
    environment = {"Variables": entry.get("Environment", {})}
    return functions.create_function({**spec, "Code": code, "Environment": environment})


# -- EC2 ---------------------------------------------------------------------------------------------------------------

_STATES = ("running", "stopped")
_OPTIONS = {f"{name}?": Form(TEXT.read, str) for name in ("HttpTokens", "HttpEndpoint", "InstanceMetadataTags")}


def _profile(ec2: Any, instance: Any) -> dict[str, str] | None:
    association = ec2.iam_instance_profile_associations.get(instance.id)
    arn = association and association.iam_instance_profile.arn
    return association and {"Arn": arn, "AssociationId": association.association_id}


_INSTANCE = {
    "Region": _REGION, "InstanceId": At("id", matching("i-[0-9a-f]{8,17}", "the ID of an instance")),
    "ImageId": Form(TEXT.read, str), "InstanceType": TEXT, "State": At(lambda _, instance: instance.state,
                                                                       one_of(*_STATES)),
    "LaunchTime": NAIVE_DATE, "PrivateIpAddress?": At(lambda _, instance: instance.private_ip, TEXT),
    "PublicIpAddress?": At(lambda _, instance: instance.public_ip, TEXT),
    "AvailabilityZone?": At(lambda _, instance: instance._placement.zone, TEXT),
    "UserData?": At(lambda _, instance: str(instance.user_data) if instance.user_data else None, TEXT),
    "MetadataOptions?": _OPTIONS, "IamInstanceProfile?": At(_profile, {"Arn": TEXT, "AssociationId": TEXT}),
    "Tags?": At(lambda ec2, instance: dict(ec2.tags.get(instance.id, {})), TAGS),
}  # fmt: skip


def _make_instance(ec2: Any, entry: Mapping[str, Any]) -> Any:
    models = sys.modules["moto.ec2.models.instances"]
    with patch.object(models, "random_instance_id", lambda: entry["InstanceId"]):
        reservation = ec2.run_instances(
            entry["ImageId"], 1, entry.get("UserData"), [], instance_type=entry["InstanceType"],
            is_instance_type_default=False, placement=entry.get("AvailabilityZone"), region_name=ec2.region_name,
            private_ip=entry.get("PrivateIpAddress"), metadata_options=entry.get("MetadataOptions", {}),
            tags={"instance": entry.get("Tags", {})},
        )  # fmt: skip
    instance = reservation.instances[0]
    if profile := entry.get("IamInstanceProfile"):
        association = ec2.associate_iam_instance_profile(instance.id, iam_instance_profile_arn=profile["Arn"])
        association.association_id = profile["AssociationId"]
        instance.iam_instance_profile = {"Arn": profile["Arn"], "Id": profile["AssociationId"]}
    if entry["State"] == "stopped":
        instance.stop()
    elif entry.get("PublicIpAddress"):
        instance.nics[0].public_ip = entry["PublicIpAddress"]
    return instance


def _instances(ec2: Any) -> Iterator[Any]:
    return (each for group in ec2.reservations.values() for each in group.instances if each.state in _STATES)


def _dead_letters_first(sqs: Any) -> list[Any]:
    return sorted(sqs.queues.values(), key=lambda queue: bool(queue.redrive_policy))


RESOURCES = (
    Section("PublicAccessBlock", "s3control", _PUBLIC_ACCESS,
            lambda s3control: [each for each in [s3control.public_access_block] if each],
            _make_public_access_block, single=True),
    Section("Buckets", "s3", _BUCKET, _all("buckets"), _make_bucket, ("Name",), everywhere=True),
    Section("Keys", "kms", _KEY, _all("keys"), _make_key, ("KeyId",)),
    Section("Queues", "sqs", _QUEUE, _dead_letters_first, _make_queue, ("QueueName",)),
    Section("Topics", "sns", _TOPIC, _all("topics"), lambda sns, entry: sns.create_topic(
        entry["TopicName"], {"FifoTopic": "true"} if entry.get("FifoTopic") else {}), ("TopicName",)),
    Section("Secrets", "secretsmanager", _SECRET,
            lambda manager: [each for each in manager.secrets.values() if hasattr(each, "versions")],  # no replicas
            _make_secret, ("Name",)),
    Section("Tables", "dynamodb", _TABLE, _all("tables"), _make_table, ("TableName",)),
    Section("Functions", "lambda", _FUNCTION, lambda functions: functions.list_functions(), _make_function,
            ("FunctionName",)),
    Section("Instances", "ec2", _INSTANCE, _instances, _make_instance, ("InstanceId",), everywhere=True),
)  # fmt: skip
