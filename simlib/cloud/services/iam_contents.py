"""What a call names inside of an entity – a key, a policy, a version – must be there, and IAM says so in its own words.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html. Looks at moto's users, groups and roles. The
texts are those IAM is seen to send; AWS documents none for members of groups, roles of instance profiles, names of
services.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from simlib.cloud.call_context import CallContext
from simlib.cloud.storage.iam_entities import backend, entity
from simlib.cloud.transport.refusals import Objection

_AWS_MANAGED = "arn:aws:iam::aws:"
_STATUS = {"NoSuchEntity": 404, "EntityAlreadyExists": 409}


class _Rule(NamedTuple):
    """What must hold before some operations; `text` may show the call's parameters."""

    operations: str
    holds: Callable[[CallContext], Any]
    code: str
    text: str


def _entity(context: CallContext, collection: str, member: str) -> Any:
    """The entity a call names; that it is there has been checked before."""
    return entity(context.caller.account, collection, str(context.parameters[member]))


def _user(context: CallContext) -> Any:
    return _entity(context, "users", "UserName")


def _has_inline_policy(collection: str, member: str) -> Callable[[CallContext], bool]:
    return lambda context: context.parameters["PolicyName"] in _entity(context, collection, member).policies


def _has_key(context: CallContext) -> bool:
    key = backend(context.caller.account).access_keys.get(str(context.parameters["AccessKeyId"]))
    return key is not None and context.parameters.get("UserName") in (None, key.user_name)


def _has_version(context: CallContext) -> bool:
    policy = backend(context.caller.account).managed_policies[str(context.parameters["PolicyArn"])]
    return any(version.version_id == context.parameters["VersionId"] for version in policy.versions)


def _is_new_policy(context: CallContext) -> bool:
    policies = backend(context.caller.account).managed_policies.values()
    names = {policy.name.lower() for policy in policies if not policy.arn.startswith(_AWS_MANAGED)}
    return str(context.parameters["PolicyName"]).lower() not in names


def _has_role(context: CallContext) -> bool:
    profile = _entity(context, "instance_profiles", "InstanceProfileName")
    return _entity(context, "roles", "RoleName") in profile.roles


def _is_new_provider(context: CallContext) -> bool:
    name = str(context.parameters["Url"]).removeprefix("https://").rstrip("/")
    arn = f"arn:aws:iam::{context.caller.account}:oidc-provider/{name}"
    return arn not in backend(context.caller.account).open_id_providers


def _is_service(context: CallContext) -> bool:
    name, domain, rest = str(context.parameters["AWSServiceName"]).partition(".amazonaws.com")
    return bool(name.strip(".") and domain and not rest)


_MISSING, _TAKEN = "NoSuchEntity", "EntityAlreadyExists"
_RULES = (
    *(
        _Rule(f"Get{kind}Policy Delete{kind}Policy", _has_inline_policy(f"{kind.lower()}s", f"{kind}Name"), _MISSING,
              f"The {kind.lower()} policy with name {{PolicyName}} cannot be found.")
        for kind in ("User", "Group", "Role")
    ),
    _Rule("UpdateAccessKey DeleteAccessKey GetAccessKeyLastUsed", _has_key, _MISSING,
          "The Access Key with id {AccessKeyId} cannot be found."),
    _Rule("GetLoginProfile UpdateLoginProfile DeleteLoginProfile", lambda context: _user(context).password, _MISSING,
          "Login Profile for User {UserName} cannot be found."),
    _Rule("CreateLoginProfile", lambda context: not _user(context).password, _TAKEN,
          "Login Profile for user {UserName} already exists."),
    _Rule("GetPolicyVersion DeletePolicyVersion SetDefaultPolicyVersion", _has_version, _MISSING,
          "Policy {PolicyArn} version {VersionId} does not exist or is not attachable."),
    _Rule("CreatePolicy", _is_new_policy, _TAKEN,
          "A policy called {PolicyName} already exists. Duplicate names are not allowed."),
    _Rule("RemoveUserFromGroup", lambda context: _user(context) in _entity(context, "groups", "GroupName").users,
          _MISSING, "The user with name {UserName} is not a member of the group with name {GroupName}."),
    _Rule("RemoveRoleFromInstanceProfile", _has_role, _MISSING,
          "The role with name {RoleName} is not in the instance profile with name {InstanceProfileName}."),
    _Rule("CreateOpenIDConnectProvider", lambda context: str(context.parameters["Url"]).startswith("https://"),
          "ValidationError", "Invalid Open ID Connect Provider URL"),
    _Rule("CreateOpenIDConnectProvider", _is_new_provider, _TAKEN, "Provider with url {Url} already exists."),
    _Rule("DeleteAccountAlias",
          lambda context: context.parameters["AccountAlias"] in backend(context.caller.account).account_aliases,
          _MISSING, "The account alias with name {AccountAlias} cannot be found."),
    _Rule("CreateServiceLinkedRole", _is_service, "InvalidInput", "{AWSServiceName} is not the name of a service."),
)  # fmt: skip
_CHANGING = ("DeletePolicyVersion", "SetDefaultPolicyVersion", "CreatePolicyVersion", "TagPolicy", "UntagPolicy")


def check_own_policy(context: CallContext) -> None:
    """AWS's managed policies belong to AWS: nobody else changes them, whatever an account's policies allow."""
    arn = str(context.parameters["PolicyArn"])
    if arn.startswith(_AWS_MANAGED):
        who, what = context.caller.arn, f"iam:{context.call.operation}"
        text = f"User: {who} is not authorized to perform: {what} on resource: policy {arn}"
        raise Objection("AccessDenied", text, 403)


def _check(context: CallContext) -> None:
    operation = context.call.operation
    if operation in _CHANGING:
        check_own_policy(context)
    for rule in _RULES:
        if operation in rule.operations.split() and not rule.holds(context):
            raise Objection(rule.code, rule.text.format(**context.parameters), _STATUS.get(rule.code, 400))


BEFORE: Mapping[str, Callable[[CallContext], None]] = {
    f"iam:{operation}": _check for operation in {*_CHANGING, *(o for rule in _RULES for o in rule.operations.split())}
}
