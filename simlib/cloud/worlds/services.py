"""KMS keys, queues, topics, secrets, tables and functions: what lessons put beside buckets. Knows moto's inside.

Not kept: messages in queues, subscriptions, versions and aliases of functions, and the material of asymmetric keys.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from simlib.cloud.worlds.identities import naive
from simlib.cloud.worlds.shape import BYTES, DATE, NUMBER, OBJECT, TAGS, TEXT, TRUTH, Shape, document

_POLICY = document("resource")


def _backends(module: str, name: str) -> Any:
    return getattr(sys.modules.get(f"moto.{module}.models"), f"{name}_backends", {})


@dataclass(frozen=True, slots=True)
class Service:
    """A kind of resource: the file's section, moto's backends, the shape, and how one is told of and made."""

    section: str
    module: str
    backends: str
    shape: Shape
    tell: Callable[[Any], Iterator[dict[str, Any]]]
    make: Callable[[Any, Mapping[str, Any]], None]

    def details(self, account: str) -> list[dict[str, Any]]:
        loaded = _backends(self.module, self.backends)
        regions = loaded.get(account, {})
        return [{"Region": region, **told} for region in list(regions) for told in self.tell(regions[region])]

    def restore(self, account: str, told: Mapping[str, Any]) -> None:
        from importlib import import_module

        backends = getattr(import_module(f"moto.{self.module}.models"), f"{self.backends}_backends")
        self.make(backends[account][told["Region"]], told)


def _pairs(tags: Mapping[str, str], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    return [{key: name, value: text} for name, text in tags.items()]


# -- KMS ---------------------------------------------------------------------------------------------------------------

_GRANT = {
    "GrantId": TEXT, "Name?": TEXT, "GranteePrincipal": TEXT, "RetiringPrincipal?": TEXT, "Operations": [TEXT],
    "Constraints?": OBJECT, "GrantToken": TEXT,
}  # fmt: skip


def _tell_keys(kms: Any) -> Iterator[dict[str, Any]]:
    for key in kms.keys.values():
        grants = [{**grant.to_json(), "GrantToken": grant.token} for grant in key.grants.values()]
        yield {
            "KeyId": key.id,
            "Policy": key.policy,
            "Description": key.description or None,
            "KeyUsage": key.key_usage,
            "KeySpec": key.key_spec,
            "KeyState": key.key_state,
            "Enabled": key.enabled,
            "CreationDate": int(key.creation_date),
            "DeletionDate": key.deletion_date,
            "RotationEnabled": key.key_rotation_status or None,
            "KeyMaterial": key.key_material,
            "Aliases": sorted(key.aliases),
            "Grants": grants,
            "Tags": kms.tagger.get_tag_dict_for_resource(key.id),
        }


def _make_key(kms: Any, told: Mapping[str, Any]) -> None:
    from moto.kms.models import Grant, Key

    key = Key(
        told["Policy"],
        told.get("KeyUsage"),
        told["KeySpec"],
        told.get("Description", ""),
        kms.account_id,
        kms.region_name,
    )
    key.arn = key.arn.replace(key.id, told["KeyId"])
    key.id, key.creation_date = told["KeyId"], float(told["CreationDate"])
    key.key_state, key.enabled, key.key_material = told["KeyState"], told["Enabled"], told["KeyMaterial"]
    key.key_rotation_status = told.get("RotationEnabled", False)
    key.deletion_date = naive(told["DeletionDate"]) if "DeletionDate" in told else None
    kms.keys[key.id] = key
    for alias in told.get("Aliases", ()):
        kms.create_alias(key.id, alias)
    for entry in told.get("Grants", ()):
        who = (entry["GranteePrincipal"], entry["Operations"], entry.get("Constraints", {}))
        grant = Grant(key.id, entry.get("Name"), *who, retiring_principal=entry.get("RetiringPrincipal"))
        grant.id, grant.token = entry["GrantId"], entry["GrantToken"]
        key.grants[grant.id] = grant
    kms.tagger.tag_resource(key.id, _pairs(told.get("Tags", {}), "TagKey", "TagValue"))


# -- SQS and SNS -------------------------------------------------------------------------------------------------------

_SETTABLE = (
    "DelaySeconds", "MaximumMessageSize", "MessageRetentionPeriod", "ReceiveMessageWaitTimeSeconds",
    "VisibilityTimeout", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled", "FifoQueue",
    "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit",
)  # fmt: skip


def _tell_queues(sqs: Any) -> Iterator[dict[str, Any]]:
    # a queue for dead letters has to be there before the queue that names it
    for queue in sorted(sqs.queues.values(), key=lambda queue: bool(queue.redrive_policy)):
        given = queue.attributes
        yield {
            "QueueName": queue.name,
            "CreatedTimestamp": int(queue.created_timestamp),
            "Attributes": {name: str(given[name]) for name in _SETTABLE if given.get(name) is not None},
            "RedrivePolicy": given.get("RedrivePolicy"),
            "Policy": queue.policy or None,
            "Tags": queue.tags,
        }


def _make_queue(sqs: Any, told: Mapping[str, Any]) -> None:
    attributes = {name: str(value) for name, value in told.get("Attributes", {}).items() if name in _SETTABLE}
    attributes |= {name: told[name] for name in ("Policy", "RedrivePolicy") if name in told}
    queue = sqs.create_queue(told["QueueName"], dict(told.get("Tags", {})), **attributes)
    queue.created_timestamp = float(told["CreatedTimestamp"])


def _tell_topics(sns: Any) -> Iterator[dict[str, Any]]:
    for topic in sns.topics.values():
        yield {
            "TopicName": topic.name,
            "DisplayName": topic.display_name or None,
            "KmsMasterKeyId": topic.kms_master_key_id or None,
            "Policy": topic.policy,
            "Tags": topic._tags,
        }


def _make_topic(sns: Any, told: Mapping[str, Any]) -> None:
    attributes = {name: told[name] for name in ("DisplayName", "KmsMasterKeyId", "Policy") if name in told}
    sns.create_topic(told["TopicName"], attributes, dict(told.get("Tags", {})))


# -- Secrets Manager ---------------------------------------------------------------------------------------------------

_SECRET_VERSION = {
    "VersionId": TEXT, "SecretString?": TEXT, "SecretBinary?": TEXT, "VersionStages?": [TEXT], "CreatedDate": NUMBER,
}  # fmt: skip


def _tell_secrets(manager: Any) -> Iterator[dict[str, Any]]:
    for secret in manager.secrets.values():
        if not hasattr(secret, "versions"):  # a replica
            continue
        versions = [
            {
                "VersionId": name,
                "SecretString": version.get("secret_string"),
                "SecretBinary": version.get("secret_binary"),
                "VersionStages": version.get("version_stages"),
                "CreatedDate": int(version["createdate"]),
            }
            for name, version in secret.versions.items()
        ]
        yield {
            "Name": secret.name,
            "ARN": secret.arn,
            "Description": secret.description or None,
            "KmsKeyId": secret.kms_key_id,
            "CreatedDate": secret.created_date,
            "LastChangedDate": secret.last_changed_date,
            "DeletedDate": secret.deleted_date and int(secret.deleted_date),
            "ResourcePolicy": secret.policy,
            "Versions": versions,
            "Tags": {tag["Key"]: tag["Value"] for tag in secret.tags or ()},
        }


def _make_secret(manager: Any, told: Mapping[str, Any]) -> None:
    secret, _ = manager._add_secret(
        told["Name"], description=told.get("Description"), tags=_pairs(told.get("Tags", {})),
        kms_key_id=told.get("KmsKeyId"),
    )  # fmt: skip
    secret.arn, secret.policy = told["ARN"], told.get("ResourcePolicy")
    secret.created_date, secret.last_changed_date = told.get("CreatedDate"), told.get("LastChangedDate")
    secret.deleted_date = float(told["DeletedDate"]) if "DeletedDate" in told else None
    for entry in told.get("Versions", ()):
        stages = entry.get("VersionStages", [])
        version = {"createdate": entry["CreatedDate"], "version_id": entry["VersionId"], "version_stages": stages}
        version |= {f"secret_{n.lower()}": entry[f"Secret{n}"] for n in ("String", "Binary") if f"Secret{n}" in entry}
        secret.versions[entry["VersionId"]] = version
        if "AWSCURRENT" in stages:
            secret.set_default_version_id(entry["VersionId"])


# -- DynamoDB ----------------------------------------------------------------------------------------------------------


def _tell_tables(dynamodb: Any) -> Iterator[dict[str, Any]]:
    for table in dynamodb.tables.values():
        policy = dynamodb.resource_policies.get(table.table_arn)
        reads, writes = table.throughput["ReadCapacityUnits"], table.throughput["WriteCapacityUnits"]
        items = [json.loads(json.dumps(item.to_json()["Attributes"], default=_plain)) for item in table.all_items()]
        yield {
            "TableName": table.name,
            "AttributeDefinitions": table.attr,
            "KeySchema": table.schema,
            "BillingMode": table.billing_mode,
            "ProvisionedThroughput": {"ReadCapacityUnits": reads, "WriteCapacityUnits": writes} if reads else None,
            "LocalSecondaryIndexes": [_index(index) for index in table.indexes],
            "GlobalSecondaryIndexes": [_index(index) for index in table.global_indexes],
            "CreationDateTime": table.created_at,
            "ResourcePolicy": policy.policy_doc if policy else None,
            "Tags": {tag["Key"]: tag["Value"] for tag in table.tags},
            "Items": items,
        }


def _index(index: Any) -> dict[str, Any]:
    return {"IndexName": index.name, "KeySchema": index.schema, "Projection": index.projection}


def _plain(value: Any) -> Any:
    return value.to_json()


def _make_table(dynamodb: Any, told: Mapping[str, Any]) -> None:
    table = dynamodb.create_table(
        told["TableName"],
        schema=told["KeySchema"],
        throughput=told.get("ProvisionedThroughput"),
        attr=told["AttributeDefinitions"],
        global_indexes=told.get("GlobalSecondaryIndexes"),
        indexes=told.get("LocalSecondaryIndexes"),
        streams=None,
        billing_mode=told.get("BillingMode"),
        sse_specification=None,
        tags=_pairs(told.get("Tags", {})),
        deletion_protection_enabled=False,
        warm_throughput=None,
    )
    table.created_at = naive(told["CreationDateTime"])
    if "ResourcePolicy" in told:
        dynamodb.put_resource_policy(table.table_arn, told["ResourcePolicy"], None)
    for item in told.get("Items", ()):
        table.put_item(item)


# -- Lambda ------------------------------------------------------------------------------------------------------------


def _tell_functions(functions: Any) -> Iterator[dict[str, Any]]:
    for function in functions.list_functions():
        yield {
            "FunctionName": function.function_name,
            "Role": function.role,
            "Handler": function.handler,
            "Runtime": function.run_time,
            "Description": function.description or None,
            "MemorySize": int(function.memory_size),
            "Timeout": int(function.timeout),
            "Environment": function.environment_vars,
            "LastModified": function.last_modified,
            "ZipFile": getattr(function, "code_bytes", None) or None,
            "Statements": function.policy.statements,
            "Tags": function.tags,
        }


def _make_function(functions: Any, told: Mapping[str, Any]) -> None:
    members = ("FunctionName", "Role", "Handler", "Runtime", "Description", "MemorySize", "Timeout", "Tags")
    given = {name: told[name] for name in members if name in told}
    code = {"ZipFile": base64.b64encode(told["ZipFile"]).decode("ascii")} if "ZipFile" in told else {}
    made = functions.create_function({**given, "Code": code, "Environment": {"Variables": told.get("Environment", {})}})
    made.last_modified, made.policy.statements = told["LastModified"], told.get("Statements", [])


SERVICES = (
    Service("Keys", "kms", "kms", {
        "Region": TEXT, "KeyId": TEXT, "Policy": _POLICY, "Description?": TEXT, "KeyUsage?": TEXT, "KeySpec": TEXT,
        "KeyState": TEXT, "Enabled": TRUTH, "CreationDate": NUMBER, "DeletionDate?": DATE, "RotationEnabled?": TRUTH,
        "KeyMaterial": BYTES, "Aliases?": [TEXT], "Grants?": [_GRANT], "Tags?": TAGS,
    }, _tell_keys, _make_key),
    Service("Queues", "sqs", "sqs", {
        "Region": TEXT, "QueueName": TEXT, "CreatedTimestamp": NUMBER, "Attributes?": OBJECT, "RedrivePolicy?": TEXT,
        "Policy?": _POLICY, "Tags?": TAGS,
    }, _tell_queues, _make_queue),
    Service("Topics", "sns", "sns", {
        "Region": TEXT, "TopicName": TEXT, "DisplayName?": TEXT, "KmsMasterKeyId?": TEXT, "Policy": TEXT, "Tags?": TAGS,
    }, _tell_topics, _make_topic),
    Service("Secrets", "secretsmanager", "secretsmanager", {
        "Region": TEXT, "Name": TEXT, "ARN": TEXT, "Description?": TEXT, "KmsKeyId?": TEXT, "CreatedDate?": NUMBER,
        "LastChangedDate?": NUMBER, "DeletedDate?": NUMBER, "ResourcePolicy?": _POLICY, "Versions?": [_SECRET_VERSION],
        "Tags?": TAGS,
    }, _tell_secrets, _make_secret),
    Service("Tables", "dynamodb", "dynamodb", {
        "Region": TEXT, "TableName": TEXT, "AttributeDefinitions": [OBJECT], "KeySchema": [OBJECT],
        "BillingMode?": TEXT, "ProvisionedThroughput?": OBJECT, "LocalSecondaryIndexes?": [OBJECT],
        "GlobalSecondaryIndexes?": [OBJECT], "CreationDateTime": DATE, "ResourcePolicy?": _POLICY, "Tags?": TAGS,
        "Items?": [OBJECT],
    }, _tell_tables, _make_table),
    Service("Functions", "awslambda_simple", "lambda_simple", {
        "Region": TEXT, "FunctionName": TEXT, "Role": TEXT, "Handler?": TEXT, "Runtime?": TEXT, "Description?": TEXT,
        "MemorySize": NUMBER, "Timeout": NUMBER, "Environment?": OBJECT, "LastModified": TEXT, "ZipFile?": BYTES,
        "Statements?": [OBJECT], "Tags?": TAGS,
    }, _tell_functions, _make_function),
)  # fmt: skip
