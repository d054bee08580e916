"""What an account holds besides identities, made again: buckets, keys, queues, topics, secrets, tables, …

Knows moto's inside. Not kept: ACLs of single grants, life cycles, websites and unfinished uploads of buckets; messages
and subscriptions; versions and aliases of functions; the material of asymmetric keys; networks and volumes – an
instance wakes in its account's default network.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any
from unittest.mock import patch

from moto.s3 import models as s3

from simlib.cloud.worlds.sections import makes, tags
from simlib.cloud.worlds.shape import VIEWS, attributes, fill, make

_OWNERSHIP = ("BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter")
_SETTABLE = (
    "DelaySeconds", "MaximumMessageSize", "MessageRetentionPeriod", "ReceiveMessageWaitTimeSeconds",
    "VisibilityTimeout", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled", "FifoQueue",
    "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit",
)  # fmt: skip
_STATES = ("running", "stopped")


def _indexes(attribute: str) -> Any:
    def described(_: Any, table: Any) -> list[dict[str, Any]]:
        return [
            {"IndexName": index.name, "KeySchema": index.schema, "Projection": index.projection}
            for index in getattr(table, attribute)
        ]

    return described


def _throughput(_: Any, table: Any) -> dict[str, Any] | None:
    return {n: table.throughput[n] for n in ("ReadCapacityUnits", "WriteCapacityUnits")} if any(
        table.throughput.values()) else None  # fmt: skip


def _items(_: Any, table: Any) -> list[dict[str, Any]]:
    items = [item.to_json()["Attributes"] for item in table.all_items()]
    return list(json.loads(json.dumps(items, default=lambda value: value.to_json())))


def _table_policy(dynamodb: Any, table: Any) -> str | None:
    policy = dynamodb.resource_policies.get(table.table_arn)
    return policy and str(policy.policy_doc)


def _profile(ec2: Any, instance: Any) -> dict[str, str] | None:
    association = ec2.iam_instance_profile_associations.get(instance.id)
    arn = association and association.iam_instance_profile.arn
    return association and {"Arn": arn, "AssociationId": association.association_id}


def _instances(ec2: Any, _: Any) -> Iterator[Any]:
    return (each for group in ec2.reservations.values() for each in group.instances if each.state in _STATES)


VIEWS.update(
    ownership=lambda _, bucket: next((name for name in _OWNERSHIP if name in str(bucket.ownership_rule)), None),
    tags=lambda keeper, thing: keeper.tagger.get_tag_dict_for_resource(getattr(thing, "arn", "")),
    objects=lambda _, bucket: [each for key in bucket.keys for each in bucket.keys.getlist(key)],  # the oldest first
    deleted=lambda _, version: isinstance(version, s3.FakeDeleteMarker),
    etag=lambda _, version: version.etag.strip('"') if hasattr(version, "etag") else None,
    aliases=lambda _, key: sorted(key.aliases),
    key_tags=lambda kms, key: kms.tagger.get_tag_dict_for_resource(str(key.id)),
    region=lambda keeper, _: keeper.region_name,
    dead_letters_first=lambda sqs, _: sorted(sqs.queues.values(), key=lambda queue: bool(queue.redrive_policy)),
    queue_attributes=lambda _, queue: {n: str(v) for n in _SETTABLE if (v := queue.attributes.get(n)) is not None},
    queue_policy=lambda _, queue: queue.policy or None,
    fifo=lambda _, topic: str(topic.fifo_topic).lower() == "true",
    no_replicas=lambda manager, _: [each for each in manager.secrets.values() if hasattr(each, "versions")],
    throughput=_throughput,
    local_indexes=_indexes("indexes"),
    global_indexes=_indexes("global_indexes"),
    table_policy=_table_policy,
    items=_items,
    code=lambda _, function: getattr(function, "code_bytes", None),
    instances=_instances,
    profile=_profile,
    instance_tags=lambda ec2, instance: ec2.tags.get(instance.id, {}),
)


@makes("PublicAccessBlock")
def _make_public_access_block(s3control: Any, entry: Mapping[str, Any]) -> Any:
    s3control.public_access_block = make(s3.PublicAccessBlock, "PublicAccessBlock", entry)
    return s3control.public_access_block


@makes("Buckets")
def _make_bucket(keeper: Any, entry: Mapping[str, Any]) -> Any:
    bucket = s3.FakeBucket(entry["Name"], keeper.account_id, entry["Region"])
    keeper.buckets[bucket.name] = bucket
    if "PublicAccessBlock" in entry:
        bucket.public_access_block = make(s3.PublicAccessBlock, "PublicAccessBlock", entry["PublicAccessBlock"])
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
        return fill("Object", s3.FakeDeleteMarker(key), entry)
    key.set_metadata({str(name): str(value) for name, value in entry.get("Metadata", {}).items()})
    keeper.tagger.tag_resource(key.arn, tags(entry))
    return fill("Object", key, entry)


@makes("Keys")
def _make_key(kms: Any, entry: Mapping[str, Any]) -> Any:
    from moto.kms.models import Grant, Key

    key = Key(entry["Policy"], entry.get("KeyUsage"), entry["KeySpec"], "", kms.account_id, kms.region_name)
    key.id, key.arn = entry["KeyId"], key.arn.replace(key.id, entry["KeyId"])
    kms.keys[key.id] = key
    for alias in entry.get("Aliases", ()):
        kms.create_alias(key.id, alias)
    grants = [make(Grant, "Grant", grant, key_id=key.id) for grant in entry.get("Grants", ())]
    key.grants = {grant.id: grant for grant in grants}
    key.key_manager = "AWS" if any(alias.startswith("alias/aws/") for alias in key.aliases) else "CUSTOMER"
    kms.tagger.tag_resource(key.id, tags(entry, "TagKey", "TagValue"))
    return key


@makes("Queues")
def _make_queue(sqs: Any, entry: Mapping[str, Any]) -> Any:
    attributes = {name: str(value) for name, value in entry.get("Attributes", {}).items() if name in _SETTABLE}
    attributes |= {name: entry[name] for name in ("Policy", "RedrivePolicy") if name in entry}
    return sqs.create_queue(entry["QueueName"], dict(entry.get("Tags", {})), **attributes)


@makes("Topics")
def _make_topic(sns: Any, entry: Mapping[str, Any]) -> Any:
    return sns.create_topic(entry["TopicName"], {"FifoTopic": "true"} if entry.get("FifoTopic") else {})


@makes("Secrets")
def _make_secret(manager: Any, entry: Mapping[str, Any]) -> Any:
    secret, _ = manager._add_secret(entry["Name"], tags=tags(entry))
    for version in entry.get("Versions", ()):
        secret.versions[version["VersionId"]] = {"version_stages": [], **attributes("SecretVersion", version)}
        if "AWSCURRENT" in version.get("VersionStages", ()):
            secret.set_default_version_id(version["VersionId"])
    return secret


@makes("Tables")
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


@makes("Functions")
def _make_function(functions: Any, entry: Mapping[str, Any]) -> Any:
    members = ("FunctionName", "Role", "Handler", "Runtime", "Description", "MemorySize", "Timeout", "Tags")
    code = {"ZipFile": base64.b64encode(entry["ZipFile"]).decode("ascii")} if "ZipFile" in entry else {}
    spec = {name: entry[name] for name in members if name in entry}
    environment = {"Variables": entry.get("Environment", {})}
    return functions.create_function({**spec, "Code": code, "Environment": environment})


@makes("Instances")
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
