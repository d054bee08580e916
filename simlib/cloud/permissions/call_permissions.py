"""What a call asks permission for: actions, resource ARNs and context keys.

The table of services (service_table.py) describes nearly all; S3, EC2, IAM, KMS and DynamoDB have a page of their own.
Nothing is silently allowed: what no page describes is asked for under the API's own name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from simlib.cloud.credentials.sessions import Caller
from simlib.cloud.permissions import (
    dynamodb_permissions,
    ec2_permissions,
    iam_permissions,
    kms_permissions,
    s3_permissions,
    service_table,
)
from simlib.cloud.permissions.passed_roles import passed_roles
from simlib.cloud.permissions.permission import Context, Permission, account_of, tag_keys
from simlib.cloud.permissions.service_table import action_of as action_name
from simlib.cloud.storage import buckets, organizations, resources
from simlib.cloud.storage.store import Store
from simlib.cloud.transport.calls import Call
from simlib.iam import service_data

__all__ = ["EXACT", "Permission", "action_name", "permissions_of"]

# The services whose resources and condition keys were compared with AWS's reference call by call; of the others the
# action is exact, and the resource where the API names it as the reference does.
EXACT = ("acm", "apigateway", "athena", "autoscaling", "backup", "bedrock", "cloudformation", "cloudfront",
         "cloudtrail", "cloudwatch", "codebuild", "cognito-idp", "dynamodb", "dynamodbstreams", "ec2", "ecr", "ecs",
         "efs", "eks", "elasticache", "elb", "elbv2", "events", "firehose", "glue", "iam", "kinesis", "kms", "lambda",
         "logs", "organizations", "rds", "redshift", "route53", "s3", "sagemaker", "secretsmanager", "sns", "sqs",
         "ssm", "stepfunctions", "sts")  # fmt: skip


def permissions_of(call: Call, caller: Caller, store: Store) -> list[Permission]:
    """Everything the caller must be allowed, in the order AWS would complain about it."""
    new_tags, removed = _tags(call)
    named = [*new_tags, *removed]
    tags: Context = {**tag_keys(new_tags), "aws:TagKeys": named} if named else {}
    permissions = [
        Permission(r.action, r.resource, r.account, {**tags, **_keys(call, caller), **r.context}, r.label, r.rewording)
        for r in _by_service(call, caller, store)
    ]
    if not permissions and call.name != "s3:DeleteObjects":  # which asks key by key
        permissions = [Permission(action_name(call), "*", caller.account, tags)]
    if new_tags and permissions:
        permissions += _tagging(call, caller, permissions[0])
    return [
        *permissions,
        *_also(call, caller),
        *kms_permissions.behind(call, caller, permissions),
        *passed_roles(call, caller, store),
    ]


def _by_service(call: Call, caller: Caller, store: Store) -> Iterable[Permission]:
    match call.service:
        case "s3":
            return s3_permissions.permissions_of(call, caller)
        case "iam":
            return iam_permissions.permissions_of(call, caller, store)
        case "ec2":
            return ec2_permissions.permissions_of(call, caller)
        case "kms":
            return kms_permissions.permissions_of(call, caller)
        case "secretsmanager":
            return _secrets(call, caller)
        case "dynamodb":
            permissions = dynamodb_permissions.permissions_of(call, caller)
            return permissions if permissions is not None else _by_table(call, caller)
        case "organizations":
            return _organization(call, caller)
    return _by_table(call, caller)


def _by_table(call: Call, caller: Caller) -> Iterator[Permission]:
    action = action_name(call)
    for arn in service_table.resources_of(call, action, caller.account):
        yield Permission(action, arn, account_of(arn) or caller.account)


def _keys(call: Call, caller: Caller) -> Context:
    """The condition keys whose values the call's members are."""
    keys: dict[str, str | list[str]] = {}
    for key, path in service_table.row(call.service).get("keys", {}).items():
        if "{" in path:
            action = service_table.known(action_name(call))
            if action and key in action.condition_keys:
                keys |= dict.fromkeys([key], next(service_table.filled(path, call, caller.account), ""))
            continue
        value = call.parameters.get(path)
        if isinstance(value, list):
            keys[key] = [str(item) for item in value]
        elif value is not None and value != "":
            keys[key] = str(value).lower() if isinstance(value, bool) else str(value)
    return keys


def _tagging(call: Call, caller: Caller, making: Permission) -> Iterator[Permission]:
    """Whoever gives tags to what he makes must be allowed to tag it, on the same resource.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html
    """
    row, prefix = service_table.row(call.service), service_table.prefix_of(call.service)
    known = service_table.known(making.action)
    action = next(
        filter(_TAGGING.fullmatch, known.dependent_actions if known else ()), f"{prefix}:{row.get('tag', '')}"
    )
    if "Tag" in call.operation or action.endswith(":"):
        return
    key = f"{prefix}:CreateAction"
    context = {**making.context, **({key: call.operation} if service_data.key_type(key) else {})}
    on = next(service_table.filled(row["tag_on"], call, caller.account)) if "tag_on" in row else making.resource
    text = str(row.get("tag_text", "")).format(account=caller.account, operation=call.operation)
    rewording = ("^.*$", text) if text else None
    yield Permission(action, on, making.account, context, making.label, rewording)


def _also(call: Call, caller: Caller) -> Iterator[Permission]:
    for needed in service_table.row(call.service).get("also", {}).get(call.operation, ()):
        action, template = needed.split(" ", 1)
        for arn in service_table.filled(template, call, caller.account):
            bucket = arn.removeprefix("arn:aws:s3:::").partition("/")[0]
            yield Permission(action, arn, account_of(arn) or buckets.owner(bucket) or caller.account)


def _organization(call: Call, caller: Caller) -> Iterator[Permission]:
    """Whatever a call names by an ID that tells its kind; in a member account only a delegation could allow.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsorganizations.html
    """
    known = organizations.arns(caller.account)
    action = service_table.known(action_name(call))
    kinds = action.resource_types if action else ()
    named = [known[str(value)] for value in call.parameters.values() if str(value) in known]
    arns = [arn for arn in named if arn.split(":", 5)[5].partition("/")[0].replace("ou", "organizationalunit") in kinds]
    rewording = None
    if (
        call.operation != "DescribeOrganization"
        and call.operation.startswith(("List", "Describe"))
        and organizations.is_member(caller.account)
    ):
        rewording = ("no identity-based policy", "no resource-based policy")
    for arn in arns or ["*"]:
        yield Permission(action_name(call), arn, caller.account, rewording=rewording)


def _secrets(call: Call, caller: Caller) -> Iterator[Permission]:
    """Secrets by their full ARN; the error text names them as the request did.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html. The six characters
    of a secret that does not exist yet are asked about as `??????` (a choice). A batch that filters reads whatever
    there is (a choice: all of it must be allowed).
    """
    parameters, action = call.parameters, f"secretsmanager:{call.operation}"
    names = [str(parameters[member]) for member in ("SecretId", "Name") if member in parameters][:1]
    if not names:
        yield Permission(action, "*", caller.account)
    if call.operation == "BatchGetSecretValue":
        action = "secretsmanager:GetSecretValue"
        secrets = parameters.get("SecretIdList") or resources.secret_arns(call.region, caller.account)
        names = [str(name) for name in secrets]
        if parameters.get("Filters"):
            yield Permission("secretsmanager:ListSecrets", "*", caller.account)
    for name in names:
        arn = resources.secret_arn(name, call.region, caller.account)
        if arn is None and name.startswith("arn:"):
            arn = name
        elif arn is None:
            arn = f"arn:aws:secretsmanager:{call.region}:{caller.account}:secret:{name}-??????"
        key = "secretsmanager:Name" if call.operation == "CreateSecret" else "secretsmanager:SecretId"
        value = name if call.operation == "CreateSecret" else arn
        yield Permission(action, arn, account_of(arn) or caller.account, {key: value}, label=name)


_TAGGING = re.compile(r"[\w-]+:(?:Add|Create)?Tag(?:s|Resource|sToResource)?")
# Members that say which tags a call gives or takes away.
_TAGS = ("Tags", "tags", "TagList", "AddTags")
_TAG_KEYS = ("TagKeys", "tagKeys", "TagKeyList")


def _tags(call: Call) -> tuple[Mapping[str, str], list[str]]:
    """The tags a request gives, and the keys of those it takes away; EC2 gives them to each resource by itself."""
    parameters = call.parameters
    if call.service == "ec2":
        return {}, []
    if call.name == "s3:CreateBucket":
        parameters = parameters.get("CreateBucketConfiguration") or {}
    tags = next((parameters[member] for member in _TAGS if parameters.get(member)), ())
    if isinstance(tags, Mapping):
        pairs = {str(key): str(value) for key, value in tags.items() if isinstance(value, str)}
    else:
        pairs = dict(filter(None, map(_pair, tags if isinstance(tags, list) else ())))
    removed = next((parameters[member] for member in _TAG_KEYS if isinstance(parameters.get(member), list)), ())
    return pairs, [str(key) for key in removed if isinstance(key, str)]


def _pair(tag: Any) -> tuple[str, str] | None:
    """A tag in any of the spellings of AWS's APIs: Key and Value, key and value, TagKey and TagValue."""
    if not isinstance(tag, Mapping):
        return None
    low = {str(name).lower().removeprefix("tag"): value for name, value in tag.items()}
    return (str(low["key"]), str(low.get("value") or "")) if "key" in low else None
