"""What a call asks permission for: actions, resource ARNs and context keys.

The table of services (service_table.py) describes nearly all; S3, EC2, IAM, KMS and DynamoDB have a page of their own.
Nothing is silently allowed: what no page describes is asked for under the API's own name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from simlib.cloud.credentials.sessions import Caller
from simlib.cloud.permissions import (
    condition_keys,
    dynamodb_permissions,
    ec2_permissions,
    iam_permissions,
    kms_permissions,
    s3_permissions,
    service_table,
)
from simlib.cloud.permissions.passed_roles import passed_roles
from simlib.cloud.permissions.permission import Context, Permission, owner_of, tag_keys, tags_in
from simlib.cloud.permissions.service_table import action_of as action_name
from simlib.cloud.storage import organizations
from simlib.cloud.transport.calls import Call
from simlib.iam import service_data

__all__ = ["EXACT", "Permission", "action_name", "permissions_of"]

# The services whose resources and condition keys were compared with AWS's reference call by call; of the others the
# action is exact, and the resource where the API names it as the reference does.
EXACT: tuple[str, ...] = tuple(service_table.by_prefix("exact")["services"])


def permissions_of(call: Call, caller: Caller) -> list[Permission]:
    """Everything the caller must be allowed, in the order AWS would complain about it."""
    new_tags, removed = _tags(call)
    named = [*new_tags, *removed]
    tags: Context = {**tag_keys(new_tags), "aws:TagKeys": named} if named else {}
    permissions = [
        replace(permission, context={**tags, **_keys(request, caller, permission), **permission.context})
        for request in _requests(call, caller)
        for permission in _by_service(request, caller)
    ]
    if not permissions and call.name != "s3:DeleteObjects":  # which asks key by key
        permissions = [Permission(action_name(call), "*", caller.account, tags)]
    if new_tags and permissions:
        permissions += _tagging(call, caller, permissions[0])
    permissions += [*_within(call, caller), *_also(call, caller)]
    permissions += kms_permissions.behind(call, caller, permissions)
    permissions += passed_roles(call, caller)
    facts = [condition_keys.of_resource(permission, call) for permission in permissions]
    return [
        replace(p, context={**of_it, **p.context}) if of_it else p for p, of_it in zip(permissions, facts, strict=True)
    ]


def _requests(call: Call, caller: Caller) -> Iterable[Call]:
    """The single requests in a call that carries many, and what a call of Organizations names by its ID."""
    if call.service == "dynamodb":
        return dynamodb_permissions.requests(call)
    if call.service == "organizations":
        arns = organizations.arns(caller.account)
        parameters = {member: arns.get(str(value), value) for member, value in call.parameters.items()}
        if (policy := str(parameters.get("PolicyId"))).startswith("arn:"):  # …:policy/o-1/service_control_policy/p-1
            parameters["PolicyType"] = policy.split("/")[-2].upper()
        return [replace(call, parameters=parameters)]
    return [call]


def _by_service(call: Call, caller: Caller) -> Iterable[Permission]:
    match call.service:
        case "s3":
            return s3_permissions.permissions_of(call, caller)
        case "iam":
            return iam_permissions.permissions_of(call, caller)
        case "ec2":
            return ec2_permissions.permissions_of(call, caller)
    action = action_name(call)
    return [_on(action, arn, call, caller) for arn in service_table.resources_of(call, action, caller.account)]


def _on(action: str, arn: str, call: Call, caller: Caller) -> Permission:
    owner = owner_of(arn) or caller.account
    own = action.startswith(f"{service_table.prefix_of(call.service)}:")
    permission = Permission(action, arn, owner, label=service_table.label(call) if own else None)
    match call.service:
        case "kms":
            return kms_permissions.complete(call, caller, permission)
        case "dynamodb":
            return replace(permission, context=dynamodb_permissions.context_of(call, arn))
        case "organizations":  # in a member account only a delegation could allow
            looking = call.operation != "DescribeOrganization" and call.operation.startswith(("List", "Describe"))
            delegated = looking and organizations.is_member(caller.account)
            rewording = ("no identity-based policy", "no resource-based policy") if delegated else None
            return replace(permission, account=caller.account, rewording=rewording)
    return permission


def _keys(call: Call, caller: Caller, permission: Permission) -> Context:
    """The condition keys whose values the call's members are: those of the call's own action, and of this one."""
    names = dict.fromkeys((action_name(call), permission.action))
    each = [condition_keys.context_of(call, name, caller.account, permission.resource) for name in names]
    return {**each[0], **each[-1]}


def _tagging(call: Call, caller: Caller, making: Permission) -> Iterator[Permission]:
    """Whoever gives tags to what he makes must be allowed to tag it, on the same resource.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html
    """
    row, prefix = service_table.row(call.service), service_table.prefix_of(call.service)
    reference = service_table.reference_of(making.action)
    own = (name for name in (reference.dependent_actions if reference else ()) if name.startswith(f"{prefix}:"))
    tagging = (name for name in own if (each := service_table.reference_of(name)) and each.access_level == "Tagging")
    action = next(tagging, f"{prefix}:{row.get('tag', '')}")
    if "Tag" in call.operation or action.endswith(":"):
        return
    key = f"{prefix}:CreateAction"
    context = {**making.context, **({key: call.operation} if service_data.key_type(key) else {})}
    places = row.get("tag_on", {})
    place = places.get(call.operation) or places.get("*")
    on = next(service_table.fill(place, call, caller.account)) if place else making.resource
    text = str(row.get("tag_text", "")).format(account=caller.account, operation=call.operation)
    rewording = ("^.*$", text) if text else None
    yield Permission(action, on, making.account, context, row.get("tag_label", making.label), rewording)


def _within(call: Call, caller: Caller) -> Iterator[Permission]:
    """What the calls need that the service makes for the caller; where one is refused, the service may say so."""
    for within in service_table.calls_within(call, caller.account):
        text = service_table.passed_on(call, caller.account)
        for permission in _by_service(within, caller):
            context = {**_keys(within, caller, permission), **permission.context}
            yield replace(permission, context=context, rewording=("^.*$", text) if text else permission.rewording)


def _also(call: Call, caller: Caller) -> Iterator[Permission]:
    for needed in service_table.row(call.service).get("also", {}).get(call.operation, ()):
        name, template = needed.split(" ", 1)
        for arn in service_table.fill(template, call, caller.account):
            if action := service_table.action_on(arn, name):
                yield _on(action, arn, call, caller)


# Members that say which tags a call gives or takes away.
_TAGS = ("Tags", "tags", "TagList", "TagsList", "AddTags")
_TAG_KEYS = ("TagKeys", "tagKeys", "TagKeyList", "tags")


def _tags(call: Call) -> tuple[Mapping[str, str], list[str]]:
    """The tags a request gives, and the keys of those it takes away."""
    parameters = service_table.with_inner(call).parameters
    tags = next((parameters[member] for member in _TAGS if parameters.get(member)), ())
    if isinstance(tags, Mapping):
        pairs = {str(key): str(value) for key, value in tags.items() if isinstance(value, str)}
    else:
        pairs = tags_in(tags)
    removed = next((parameters[member] for member in _TAG_KEYS if isinstance(parameters.get(member), list)), ())
    keys = [str(key) for key in removed if isinstance(key, str)]
    return ({}, list(pairs)) if call.name == "ec2:DeleteTags" else (pairs, keys)
