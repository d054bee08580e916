"""What a call asks permission for: actions, resource ARNs and context keys.

Each service that has habits of its own – S3, EC2, KMS, DynamoDB, IAM – has a page of its own; for every other one the
names come from the API's model and AWS's Service Authorization Reference (service_actions.py). Nothing is silently
allowed: what no page describes is asked for under the API's own name, on `*`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from simlib.cloud.credentials.sessions import Caller
from simlib.cloud.permissions import dynamodb_requested, ec2_requested, kms_requested, s3_requested, service_actions
from simlib.cloud.permissions.asked import Requested, account_of, tag_keys
from simlib.cloud.permissions.passed_roles import passed_roles
from simlib.cloud.storage import buckets, resources
from simlib.cloud.storage.store import Store
from simlib.cloud.transport.calls import Call, members

__all__ = ["EXACT", "Requested", "action_name", "requested"]

# The services whose resources and condition keys were compared with AWS's reference call by call; of the others the
# action is exact, and the resource where the API names it as the reference does.
EXACT = ("dynamodb", "dynamodbstreams", "ec2", "iam", "kms", "lambda", "logs", "organizations", "s3", "secretsmanager",
         "sns", "sqs", "ssm", "sts")  # fmt: skip

_IAM_OWNERS = (
    ("InstanceProfileName", "instance-profile"),
    ("GroupName", "group"),
    ("RoleName", "role"),
    ("UserName", "user"),
)
_IAM_ARNS = ("PolicyArn", "PolicySourceArn", "SerialNumber", "OpenIDConnectProviderArn", "SAMLProviderArn")
_IAM_LISTS = {
    "ListUsers": "user/",
    "ListRoles": "role/",
    "ListGroups": "group/",
    "ListPolicies": "policy/",
    "ListInstanceProfiles": "instance-profile/",
}


def requested(call: Call, caller: Caller, store: Store) -> list[Requested]:
    """Everything the caller must be allowed, in the order AWS would complain about it."""
    tags = _request_tags(call)
    asked = [
        Requested(r.action, r.resource, r.account, {**tags, **r.context}, r.shown)
        for r in _by_service(call, caller, store)
    ]
    if not asked and call.name != "s3:DeleteObjects":  # which asks key by key
        asked = [Requested(action_name(call), "*", caller.account, tags)]
    return [*asked, *passed_roles(call, caller, store)]


def action_name(call: Call) -> str:
    """`service:Operation` as policies spell it."""
    return s3_requested.action_of(call) if call.service == "s3" else service_actions.action_of(call)


def _by_service(call: Call, caller: Caller, store: Store) -> Iterable[Requested]:
    match call.service:
        case "s3":
            return s3_requested.requested(call, caller)
        case "iam":
            return _iam(call, caller, store)
        case "ec2":
            return ec2_requested.requested(call, caller)
        case "kms":
            return kms_requested.requested(call, caller)
        case "secretsmanager":
            return _secrets(call, caller)
        case "lambda":
            return _functions(call, caller)
        case "dynamodb":
            asked = dynamodb_requested.requested(call, caller)
            return asked if asked is not None else _by_model(call, caller)
    return _by_model(call, caller)


def _by_model(call: Call, caller: Caller) -> Iterator[Requested]:
    action = service_actions.action_of(call)
    for arn in service_actions.resources_of(call, action, caller.account):
        if call.service == "sqs":
            arn = _queue(call, arn)
        yield Requested(action, arn, account_of(arn) or caller.account)


def _queue(call: Call, arn: str) -> str:
    """A queue's URL ends with its owner and its name."""
    url = str(call.parameters.get("QueueUrl", ""))
    parts = url.rstrip("/").split("/")
    return f"arn:aws:sqs:{call.region}:{parts[-2]}:{parts[-1]}" if len(parts) > 2 else arn


def _secrets(call: Call, caller: Caller) -> Iterator[Requested]:
    """Secrets by their full ARN; the error text names them as the request did.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html. The six characters
    of a secret that does not exist yet are asked about as `??????` (a choice).
    """
    given, action = call.parameters, f"secretsmanager:{call.operation}"
    listed = [str(name) for name in given.get("SecretIdList") or ()]
    named = [str(given[member]) for member in ("SecretId", "Name") if member in given][:1]
    if not named:
        yield Requested(action, "*", caller.account)
    for name in named or listed:
        arn = resources.secret_arn(name, call.region, caller.account)
        if arn is None:
            arn = (
                name
                if name.startswith("arn:")
                else f"arn:aws:secretsmanager:{call.region}:{caller.account}:secret:{name}-??????"
            )
        context: dict[str, str | list[str]] = {"secretsmanager:SecretId": arn}
        if call.operation == "CreateSecret":
            context = {"secretsmanager:Name": name}
        for member, key in (("VersionStage", "secretsmanager:VersionStage"), ("VersionId", "secretsmanager:VersionId")):
            if member in given:
                context[key] = str(given[member])
        action = "secretsmanager:GetSecretValue" if listed else action
        yield Requested(action, arn, account_of(arn) or caller.account, context, shown=name)


def _functions(call: Call, caller: Caller) -> Iterator[Requested]:
    """Functions by name, by ARN with or without its beginning, and by version or alias.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-api-permissions-ref.html
    """
    given, action = call.parameters, service_actions.action_of(call)
    name = str(given.get("FunctionName", ""))
    context: dict[str, str | list[str]] = {}
    if call.operation == "AddPermission":
        context["lambda:Principal"] = str(given.get("Principal", ""))
    if layers := given.get("Layers"):
        context["lambda:Layer"] = [str(layer) for layer in layers]
    if "AuthType" in given:
        context["lambda:FunctionUrlAuthType"] = str(given["AuthType"])
    if not name or "EventSourceMapping" in call.operation or call.operation in ("CreateFunction", "ListFunctions"):
        if name and "EventSourceMapping" in call.operation:
            context["lambda:FunctionArn"] = _function_arn(call, caller, name)
        for arn in service_actions.resources_of(call, action, caller.account):
            yield Requested(action, arn, account_of(arn) or caller.account, context)
        yield from _code(call, caller)
        return
    arn = _function_arn(call, caller, name)
    if (qualifier := given.get("Qualifier")) and arn.count(":") == 6:
        arn = f"{arn}:{qualifier}"
    yield Requested(action, arn, account_of(arn) or caller.account, context)
    yield from _code(call, caller)


def _code(call: Call, caller: Caller) -> Iterator[Requested]:
    """Code that lies in a bucket is read with the caller's permissions."""
    code = call.parameters.get("Code") or call.parameters
    if call.operation in ("CreateFunction", "UpdateFunctionCode") and (bucket := code.get("S3Bucket")):
        arn = f"arn:aws:s3:::{bucket}/{code.get('S3Key', '')}"
        yield Requested("s3:GetObject", arn, buckets.owner(str(bucket)) or caller.account)


def _function_arn(call: Call, caller: Caller, name: str) -> str:
    if name.startswith("arn:"):
        return name
    account, separator, rest = name.partition(":function:")
    if not separator:
        account, rest = caller.account, name
    return f"arn:aws:lambda:{call.region}:{account}:function:{rest}"


def _iam(call: Call, caller: Caller, store: Store) -> Iterator[Requested]:
    parameters, root = call.parameters, f"arn:aws:iam::{caller.account}:"
    context: dict[str, str | list[str]] = {}
    if "PolicyArn" in parameters:
        context["iam:PolicyARN"] = str(parameters["PolicyArn"])
    if boundary := parameters.get("PermissionsBoundary") or store.boundary_of(caller.account, parameters):
        context["iam:PermissionsBoundary"] = str(boundary)  # the one asked for, else the one that is attached
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
    if arn := next((parameters[member] for member in _IAM_ARNS if parameters.get(member)), None):
        return str(arn)
    if name := parameters.get("VirtualMFADeviceName"):
        return f"{root}mfa{parameters.get('Path', '/')}{name}"
    if call.operation == "CreateOpenIDConnectProvider":
        return f"{root}oidc-provider/{str(parameters.get('Url', '')).removeprefix('https://')}"
    if name := parameters.get("PolicyName"):
        return f"{root}policy{parameters.get('Path', '/')}{name}"
    if "UserName" in members("iam", call.operation) and caller.user_name:
        return caller.arn  # left out, it means the caller
    return "*"


# Members that say which tags a call gives or takes away.
_TAGS = ("Tags", "tags", "TagList", "AddTags")
_TAG_KEYS = ("TagKeys", "tagKeys", "TagKeyList")


def _request_tags(call: Call) -> dict[str, str | list[str]]:
    """`aws:RequestTag/…` and `aws:TagKeys`: the tags a request gives, or the keys of those it takes away."""
    given = call.parameters
    if call.service == "ec2":
        return {}  # EC2 gives tags to each kind of resource by itself
    tags = next((given[member] for member in _TAGS if given.get(member)), ())
    if call.name == "s3:CreateBucket":
        tags = (given.get("CreateBucketConfiguration") or {}).get("Tags") or ()
    if isinstance(tags, Mapping):
        pairs = {str(key): str(value) for key, value in tags.items() if isinstance(value, str)}
    else:
        pairs = dict(filter(None, map(_pair, tags if isinstance(tags, list) else ())))
    keys = tag_keys(pairs)
    removed = next((given[member] for member in _TAG_KEYS if isinstance(given.get(member), list)), ())
    named = [*pairs, *(str(key) for key in removed if isinstance(key, str))]
    return {**keys, "aws:TagKeys": named} if named else {}


def _pair(tag: Any) -> tuple[str, str] | None:
    """A tag in any of the spellings of AWS's APIs: Key and Value, key and value, TagKey and TagValue."""
    if not isinstance(tag, Mapping):
        return None
    low = {str(name).lower().removeprefix("tag"): value for name, value in tag.items()}
    return (str(low["key"]), str(low.get("value") or "")) if "key" in low else None
