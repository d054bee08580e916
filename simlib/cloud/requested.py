"""What a call asks permission for: actions, resource ARNs and context keys.

Exact for IAM, STS, S3, EC2's instances and the services in `_ARNS`; for every other service the API's own name and
`*`, so that nothing is silently allowed. Actions, resources and condition keys of each service:
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .calls import Call, members, signing_name
from .sessions import Caller
from .store import Store

Context = Mapping[str, str | list[str]]


@dataclass(frozen=True, slots=True)
class Requested:
    """One permission a call needs: an action on a resource that `account` owns, under `context`."""

    action: str
    resource: str
    account: str
    context: Context = field(default_factory=dict)


# Where the prefix of a service's actions is not the name its signatures carry.
_ACTION_PREFIXES = {"monitoring": "cloudwatch", "tagging": "tag", "iotdata": "iot", "data.iot": "iot"}

# S3 names its permissions after the object or bucket feature, not after the API call:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
_S3_ACTIONS = {
    "HeadObject": "GetObject",
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListBuckets": "ListAllMyBuckets",
    "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListParts": "ListMultipartUploadParts",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "DeleteObjects": "DeleteObject",
    "SelectObjectContent": "GetObject",
    "DeleteBucketCors": "PutBucketCORS",
    "GetBucketCors": "GetBucketCORS",
    "PutBucketCors": "PutBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "GetBucketLifecycle": "GetLifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "PutBucketLifecycle": "PutLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "GetBucketReplication": "GetReplicationConfiguration",
    "PutBucketReplication": "PutReplicationConfiguration",
    "DeleteBucketReplication": "PutReplicationConfiguration",
    "DeleteBucketTagging": "PutBucketTagging",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
}
_S3_VERSIONED = {
    "GetObject", "DeleteObject", "GetObjectTagging", "PutObjectTagging", "DeleteObjectTagging", "GetObjectAcl",
    "PutObjectAcl", "GetObjectAttributes",
}  # fmt: skip
_S3_CONTEXT = {"Prefix": "s3:prefix", "Delimiter": "s3:delimiter", "MaxKeys": "s3:max-keys", "ACL": "s3:x-amz-acl",
               "VersionId": "s3:VersionId", "ServerSideEncryption": "s3:x-amz-server-side-encryption",
               "StorageClass": "s3:x-amz-storage-class"}  # fmt: skip

# The first member a call carries names its resource. A value that is an ARN already stands for itself.
_ARNS: Mapping[str, Mapping[str, str]] = {
    "dynamodb": {"TableName": "table/{}", "TableArn": "{}", "ResourceArn": "{}"},
    "lambda": {"FunctionName": "function:{}", "Resource": "{}"},
    "sns": {"TopicArn": "{}", "TargetArn": "{}", "SubscriptionArn": "{}", "ResourceArn": "{}", "Name": "{}"},
    "sqs": {"QueueUrl": "{}", "QueueName": "{}"},
    "kms": {"KeyId": "key/{}", "TargetKeyId": "key/{}", "AliasName": "{}"},
    "secretsmanager": {"SecretId": "secret:{}", "Name": "secret:{}"},
    "logs": {"logGroupName": "log-group:{}"},
    "events": {"Rule": "rule/{}", "EventBusName": "event-bus/{}"},
    "states": {"stateMachineArn": "{}", "executionArn": "{}"},
    "ec2": {
        "InstanceId": "instance/{}", "InstanceIds": "instance/{}", "VolumeId": "volume/{}", "SnapshotId": "snapshot/{}",
        "GroupId": "security-group/{}", "SubnetId": "subnet/{}", "VpcId": "vpc/{}", "KeyName": "key-pair/{}",
        "NetworkInterfaceId": "network-interface/{}", "RouteTableId": "route-table/{}",
        "InternetGatewayId": "internet-gateway/{}", "AssociationId": "instance/*",
    },
}  # fmt: skip

_IAM_OWNERS = (
    ("InstanceProfileName", "instance-profile"),
    ("GroupName", "group"),
    ("RoleName", "role"),
    ("UserName", "user"),
)
_IAM_LISTS = {
    "ListUsers": "user/",
    "ListRoles": "role/",
    "ListGroups": "group/",
    "ListPolicies": "policy/",
    "ListInstanceProfiles": "instance-profile/",
}

# Calls that hand a role to a service: the member that names it, and the service it is passed to.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
_PASSED_ROLES = {
    "ec2:RunInstances": ("IamInstanceProfile", "ec2.amazonaws.com"),
    "ec2:AssociateIamInstanceProfile": ("IamInstanceProfile", "ec2.amazonaws.com"),
    "ec2:ReplaceIamInstanceProfileAssociation": ("IamInstanceProfile", "ec2.amazonaws.com"),
    "iam:AddRoleToInstanceProfile": ("RoleName", None),
    "lambda:CreateFunction": ("Role", "lambda.amazonaws.com"),
    "lambda:UpdateFunctionConfiguration": ("Role", "lambda.amazonaws.com"),
}


def requested(call: Call, caller: Caller, store: Store) -> list[Requested]:
    """Everything the caller must be allowed, in the order AWS would complain about it."""
    by_service = {"s3": _s3, "iam": _iam, "ec2": _ec2}.get(call.service, _by_table)
    tags = _request_tags(call.parameters)
    asked = [Requested(r.action, r.resource, r.account, {**tags, **r.context}) for r in by_service(call, caller, store)]
    return [*asked, *_passed_roles(call, caller, store)]


def action_name(call: Call) -> str:
    """`service:Operation` as policies spell it."""
    name = signing_name(call.service)
    operation = _S3_ACTIONS.get(call.operation, call.operation) if call.service == "s3" else call.operation
    return f"{_ACTION_PREFIXES.get(name, name)}:{operation}"


def _s3(call: Call, caller: Caller, store: Store) -> Iterator[Requested]:
    bucket, key = call.parameters.get("Bucket"), call.parameters.get("Key")
    action = action_name(call)
    if call.parameters.get("VersionId") and action[3:] in _S3_VERSIONED:
        action = action.replace("Object", "ObjectVersion", 1)
    context = {name: str(call.parameters[member]) for member, name in _S3_CONTEXT.items() if member in call.parameters}
    if not bucket:
        yield Requested(action, "*", caller.account, context)
        return
    arn = f"arn:aws:s3:::{bucket}"
    owner = store.bucket_owner(bucket) or caller.account
    if call.operation == "DeleteObjects":
        for entry in call.parameters.get("Delete", {}).get("Objects", []):
            versioned = "s3:DeleteObjectVersion" if entry.get("VersionId") else action
            yield Requested(versioned, f"{arn}/{entry.get('Key', '')}", owner, context)
        return
    if source := call.parameters.get("CopySource"):
        yield from _s3_copy_source(source, caller, store)
    yield Requested(action, f"{arn}/{key}" if key else arn, owner, context)


def _s3_copy_source(source: Any, caller: Caller, store: Store) -> Iterator[Requested]:
    from urllib.parse import unquote

    path, _, version = str(source).partition("?versionId=")
    bucket, _, key = unquote(path).lstrip("/").partition("/")
    action = "s3:GetObjectVersion" if version else "s3:GetObject"
    yield Requested(action, f"arn:aws:s3:::{bucket}/{key}", store.bucket_owner(bucket) or caller.account)


def _iam(call: Call, caller: Caller, store: Store) -> Iterator[Requested]:
    parameters, root = call.parameters, f"arn:aws:iam::{caller.account}:"
    context: dict[str, str | list[str]] = {}
    if "PolicyArn" in parameters:
        context["iam:PolicyARN"] = str(parameters["PolicyArn"])
    if "PermissionsBoundary" in parameters:
        context["iam:PermissionsBoundary"] = str(parameters["PermissionsBoundary"])
    yield Requested(action_name(call), _iam_resource(call, caller, store, root), caller.account, context)


def _iam_resource(call: Call, caller: Caller, store: Store, root: str) -> str:
    parameters = call.parameters
    if call.operation in _IAM_LISTS:
        return root + _IAM_LISTS[call.operation]
    for member, kind in _IAM_OWNERS:
        if name := parameters.get(member):
            creating = call.operation.startswith("Create") and "Path" in parameters
            path = f"{parameters['Path']}{name}" if creating else store.path_of(kind, caller.account, name)
            return f"{root}{kind}{path}"
    if arn := parameters.get("PolicyArn") or parameters.get("PolicySourceArn"):
        return str(arn)
    if name := parameters.get("PolicyName"):
        return f"{root}policy{parameters.get('Path', '/')}{name}"
    if "UserName" in members("iam", call.operation) and caller.user_name:
        return caller.arn  # left out, it means the caller
    return "*"


def _ec2(call: Call, caller: Caller, store: Store) -> Iterator[Requested]:
    if call.operation == "RunInstances":
        yield from _run_instances(call, caller)
    elif call.operation.startswith(("Describe", "Get")):
        yield Requested(action_name(call), "*", caller.account)
    else:
        yield from _by_table(call, caller, store)


def _run_instances(call: Call, caller: Caller) -> Iterator[Requested]:
    """RunInstances is checked on every resource it uses or makes; `*` stands for what does not exist yet."""
    parameters, root = call.parameters, f"arn:aws:ec2:{call.region}:{caller.account}:"
    resources = [f"{root}instance/*", f"arn:aws:ec2:{call.region}::image/{parameters.get('ImageId', '*')}"]
    resources += [f"{root}{kind}/*" for kind in ("network-interface", "volume")]
    resources += [f"{root}security-group/{name}" for name in parameters.get("SecurityGroupIds") or ["*"]]
    resources.append(f"{root}subnet/{parameters.get('SubnetId', '*')}")
    if name := parameters.get("KeyName"):
        resources.append(f"{root}key-pair/{name}")
    context = {"ec2:InstanceType": str(parameters.get("InstanceType", "m1.small"))}
    for resource in resources:
        yield Requested("ec2:RunInstances", resource, caller.account, context)


def _by_table(call: Call, caller: Caller, store: Store) -> Iterator[Requested]:
    action = action_name(call)
    for member, template in _ARNS.get(call.service, {}).items():
        if value := call.parameters.get(member):
            for name in value if isinstance(value, list) else [value]:
                resource = _arn(call, caller, str(name), template)
                yield Requested(action, resource, _account_of(resource) or caller.account)
            return
    yield Requested(action, "*", caller.account)


def _arn(call: Call, caller: Caller, name: str, template: str) -> str:
    if name.startswith("arn:"):
        return name
    account = caller.account
    if call.service == "sqs" and "/" in name:  # a queue URL ends with its owner and its name
        account, name = name.rstrip("/").split("/")[-2:]
    return f"arn:aws:{call.service}:{call.region}:{account}:{template.format(name)}"


def _passed_roles(call: Call, caller: Caller, store: Store) -> Iterator[Requested]:
    member, service = _PASSED_ROLES.get(call.name, (None, None))
    value = call.parameters.get(member) if member else None
    if not value:
        return
    find: Callable[[], Any]
    if member == "IamInstanceProfile":
        find = lambda: store.profile_role(caller.account, name=value.get("Name"), arn=value.get("Arn"))  # noqa: E731
    elif member == "RoleName":
        find = lambda: store.role(caller.account, value)  # noqa: E731
    else:
        find = lambda: store.role_by_arn(value)  # noqa: E731
    role = find()
    arn = role.arn if role else value if isinstance(value, str) and value.startswith("arn:") else None
    if arn:
        context = {"iam:PassedToService": service} if service else {}
        yield Requested("iam:PassRole", arn, _account_of(arn) or caller.account, context)


def _request_tags(parameters: Mapping[str, Any]) -> dict[str, str | list[str]]:
    given = parameters.get("Tags") or parameters.get("tags") or ()
    if isinstance(given, Mapping):
        pairs = {str(key): str(value) for key, value in given.items()}
    else:
        pairs = {str(t["Key"]): str(t.get("Value", "")) for t in given if isinstance(t, Mapping) and "Key" in t}
    keys: dict[str, str | list[str]] = {f"aws:RequestTag/{key}": value for key, value in pairs.items()}
    return {**keys, "aws:TagKeys": list(pairs)} if pairs else {}


def _account_of(arn: str) -> str | None:
    parts = arn.split(":")
    return parts[4] if len(parts) > 5 and parts[4].isdigit() else None
