"""What an account holds besides identities, made again: buckets, keys, queues, topics, secrets, tables, …

Knows moto's inside. Not kept: ACLs of single grants, life cycles, websites and unfinished uploads of buckets; messages
and subscriptions; versions and aliases of functions; the material of asymmetric keys; networks and volumes – an
instance wakes in its account's default network.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any
from unittest.mock import patch

from simlib.cloud import moto_names as moto
from simlib.cloud.worlds.shape import VIEWS, attributes, fill, make, new, tags

Entry = Mapping[str, Any]

_OWNERSHIP = ("BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter")
_SETTABLE = (
    "DelaySeconds", "MaximumMessageSize", "MessageRetentionPeriod", "ReceiveMessageWaitTimeSeconds",
    "VisibilityTimeout", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled", "FifoQueue",
    "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit",
)  # fmt: skip


def _indexes(attribute: str) -> Callable[[Any, Any], list[dict[str, Any]]]:
    members = {"IndexName": "name", "KeySchema": "schema", "Projection": "projection"}
    return lambda _, table: [{n: getattr(each, a) for n, a in members.items()} for each in getattr(table, attribute)]


def _throughput(_: Any, table: Any) -> dict[str, Any] | None:
    units = {name: table.throughput[name] for name in ("ReadCapacityUnits", "WriteCapacityUnits")}
    return units if any(table.throughput.values()) else None


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


VIEWS.update(
    ownership=lambda _, bucket: next((name for name in _OWNERSHIP if name in str(bucket.ownership_rule)), None),
    tags=lambda keeper, thing: keeper.tagger.get_tag_dict_for_resource(getattr(thing, "arn", "")),
    objects=lambda _, bucket: [each for key in bucket.keys for each in bucket.keys.getlist(key)],  # the oldest first
    deleted=lambda _, version: isinstance(version, moto.FakeDeleteMarker),
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
    indexes=_indexes("indexes"),
    global_indexes=_indexes("global_indexes"),
    table_policy=_table_policy,
    items=_items,
    code=lambda _, function: getattr(function, "code_bytes", None),
    instances=lambda ec2, _: [each for each in ec2.all_instances() if each.state in ("running", "stopped")],
    profile=_profile,
    instance_tags=lambda ec2, instance: ec2.tags.get(instance.id, {}),
)


def _public_access_block(s3control: Any, entry: Entry) -> Any:
    s3control.public_access_block = new(moto.PublicAccessBlock, s3control, "PublicAccessBlock", entry)
    return s3control.public_access_block


def _bucket(s3: Any, entry: Entry) -> Any:
    bucket = s3.buckets[entry["Name"]] = new(moto.FakeBucket, s3, "Bucket", entry)
    if "PublicAccessBlock" in entry:
        bucket.public_access_block = new(moto.PublicAccessBlock, s3, "PublicAccessBlock", entry["PublicAccessBlock"])
    bucket.ownership_rule = entry.get("ObjectOwnership")
    s3.tagger.tag_resource(f"arn:aws:s3:::{bucket.name}", tags(entry))
    for version in entry.get("Objects", ()):
        kept = bucket.keys.getlist(version["Key"], [])
        bucket.keys.setlist(version["Key"], [*kept, _object(s3, bucket, version)])
    return bucket


def _object(s3: Any, bucket: Any, entry: Entry) -> Any:
    version = entry.get("VersionId", "null")
    key = moto.FakeKey(
        entry["Key"], entry.get("Body", b""), bucket.account_id, bucket.region_name, etag=entry.get("ETag"),
        is_versioned=version != "null", version_id=version, bucket_name=bucket.name,
    )  # fmt: skip
    if entry.get("IsDeleteMarker"):
        return fill("Object", moto.FakeDeleteMarker(key), entry)
    key.set_metadata({str(name): str(value) for name, value in entry.get("Metadata", {}).items()})
    s3.tagger.tag_resource(key.arn, tags(entry))
    return fill("Object", key, entry)


def _key(kms: Any, entry: Entry) -> Any:
    key = new(moto.Key, kms, "Key", entry)
    key.id, key.arn = entry["KeyId"], key.arn.replace(key.id, entry["KeyId"])
    kms.keys[key.id] = key
    for alias in entry.get("Aliases", ()):
        kms.create_alias(key.id, alias)
    grants = [make(moto.Grant, "Grant", grant, key_id=key.id) for grant in entry.get("Grants", ())]
    key.grants = {grant.id: grant for grant in grants}
    key.key_manager = "AWS" if any(alias.startswith("alias/aws/") for alias in key.aliases) else "CUSTOMER"
    kms.tagger.tag_resource(key.id, [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in tags(entry)])
    return key


def _queue(sqs: Any, entry: Entry) -> Any:
    settings = {name: str(value) for name, value in entry.get("Attributes", {}).items() if name in _SETTABLE}
    settings |= {name: entry[name] for name in ("Policy", "RedrivePolicy") if name in entry}
    return sqs.create_queue(entry["QueueName"], dict(entry.get("Tags", {})), **settings)


def _topic(sns: Any, entry: Entry) -> Any:
    return sns.create_topic(entry["TopicName"], {"FifoTopic": "true"} if entry.get("FifoTopic") else {})


def _secret(manager: Any, entry: Entry) -> Any:
    secret, _ = new(manager._add_secret, manager, "Secret", entry, secret_id=entry["Name"])
    for version in entry.get("Versions", ()):
        secret.versions[version["VersionId"]] = {"version_stages": [], **attributes("SecretVersion", version)}
        if "AWSCURRENT" in version.get("VersionStages", ()):
            secret.set_default_version_id(version["VersionId"])
    return secret


def _table(dynamodb: Any, entry: Entry) -> Any:
    table = new(dynamodb.create_table, dynamodb, "Table", entry)
    if "ResourcePolicy" in entry:
        dynamodb.put_resource_policy(table.table_arn, entry["ResourcePolicy"], None)
    for item in entry.get("Items", ()):
        table.put_item(item)
    return table


def _function(functions: Any, entry: Entry) -> Any:
    members = ("FunctionName", "Role", "Handler", "Runtime", "Description", "MemorySize", "Timeout", "Tags")
    code = {"ZipFile": base64.b64encode(entry["ZipFile"]).decode("ascii")} if "ZipFile" in entry else {}
    spec = {name: entry[name] for name in members if name in entry}
    return functions.create_function({**spec, "Code": code, "Environment": {"Variables": entry.get("Environment", {})}})


def _instance(ec2: Any, entry: Entry) -> Any:
    with patch.object(moto.instance_models, "random_instance_id", lambda: entry["InstanceId"]):
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


MAKERS = {  # by section; each puts a thing into a backend of moto's and returns it
    "PublicAccessBlock": _public_access_block,
    "Buckets": _bucket,
    "Keys": _key,
    "Queues": _queue,
    "Topics": _topic,
    "Secrets": _secret,
    "Tables": _table,
    "Functions": _function,
    "Instances": _instance,
}
