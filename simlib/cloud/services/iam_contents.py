"""What a call names inside of an entity – a key, a policy, a version – must be there, and IAM says so in its own words.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html. Looks at moto's users, groups and roles. The
texts are those IAM is seen to send; where none was to be found the function says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from simlib.cloud.call_context import CallContext
from simlib.cloud.storage.iam_entities import backend, entity
from simlib.cloud.transport.refusals import Objection

_AWS_MANAGED = "arn:aws:iam::aws:"


def _missing(text: str) -> NoReturn:
    raise Objection("NoSuchEntity", text, 404)


def _named(context: CallContext, collection: str, member: str) -> Any:
    """The entity a call names; that it is there has been checked before."""
    return entity(context.caller.account, collection, str(context.parameters[member]))


def _check_inline_policy(collection: str, member: str) -> Callable[[CallContext], None]:
    def check(context: CallContext) -> None:
        name = str(context.parameters["PolicyName"])
        if name not in _named(context, collection, member).policies:
            _missing(f"The {collection[:-1]} policy with name {name} cannot be found.")

    return check


def _check_key(context: CallContext) -> None:
    key = str(context.parameters["AccessKeyId"])
    owner = context.parameters.get("UserName")
    known = [each for each in backend(context.caller.account).access_keys.values() if each.access_key_id == key]
    if not known or (owner and known[0].user_name != owner):
        _missing(f"The Access Key with id {key} cannot be found.")


def _check_login_profile(context: CallContext) -> None:
    name = str(context.parameters["UserName"])
    if not _named(context, "users", "UserName").password:
        _missing(f"Login Profile for User {name} cannot be found.")


def _check_no_login_profile(context: CallContext) -> None:
    name = str(context.parameters["UserName"])
    if _named(context, "users", "UserName").password:
        raise Objection("EntityAlreadyExists", f"Login Profile for user {name} already exists.", 409)


def _check_version(context: CallContext) -> None:
    arn, version = str(context.parameters["PolicyArn"]), str(context.parameters["VersionId"])
    policy = backend(context.caller.account).managed_policies[arn]
    if all(each.version_id != version for each in policy.versions):
        _missing(f"Policy {arn} version {version} does not exist or is not attachable.")


def check_own_policy(context: CallContext) -> None:
    """AWS's managed policies belong to AWS: nobody else changes them, whatever an account's policies allow."""
    arn = str(context.parameters["PolicyArn"])
    if arn.startswith(_AWS_MANAGED):
        who, what = context.caller.arn, f"iam:{context.call.operation}"
        text = f"User: {who} is not authorized to perform: {what} on resource: policy {arn}"
        raise Objection("AccessDenied", text, 403)


def _check_own_version(context: CallContext) -> None:
    check_own_policy(context)
    _check_version(context)


def _check_new_policy(context: CallContext) -> None:
    name = str(context.parameters["PolicyName"])
    own = backend(context.caller.account).managed_policies.values()
    if any(each.name.lower() == name.lower() for each in own if not each.arn.startswith(_AWS_MANAGED)):
        raise Objection(
            "EntityAlreadyExists", f"A policy called {name} already exists. Duplicate names are not allowed.", 409
        )


def _check_member(context: CallContext) -> None:
    """AWS does not document the text."""
    user, group = _named(context, "users", "UserName"), _named(context, "groups", "GroupName")
    if user not in group.users:
        _missing(f"The user with name {user.name} is not a member of the group with name {group.name}.")


def _check_role_of_profile(context: CallContext) -> None:
    """AWS does not document the text."""
    profile, role = _named(context, "instance_profiles", "InstanceProfileName"), _named(context, "roles", "RoleName")
    if role not in profile.roles:
        _missing(f"The role with name {role.name} is not in the instance profile with name {profile.name}.")


def _check_provider(context: CallContext) -> None:
    url = str(context.parameters["Url"])
    if not url.startswith("https://"):
        raise Objection("ValidationError", "Invalid Open ID Connect Provider URL", 400)
    name = url.removeprefix("https://").rstrip("/")
    arn = f"arn:aws:iam::{context.caller.account}:oidc-provider/{name}"
    if arn in backend(context.caller.account).open_id_providers:
        raise Objection("EntityAlreadyExists", f"Provider with url {url} already exists.", 409)


def _check_alias(context: CallContext) -> None:
    alias = str(context.parameters["AccountAlias"])
    if alias not in backend(context.caller.account).account_aliases:
        _missing(f"The account alias with name {alias} cannot be found.")


def _check_service(context: CallContext) -> None:
    """A service-linked role is for a service. AWS does not document the text."""
    service = str(context.parameters["AWSServiceName"])
    if not service.removesuffix(".amazonaws.com").strip(".") or not service.endswith(".amazonaws.com"):
        raise Objection("InvalidInput", f"{service} is not the name of a service.", 400)


BEFORE: Mapping[str, Callable[[CallContext], None]] = {
    **{
        f"iam:{verb}{member.removesuffix('Name')}Policy": _check_inline_policy(collection, member)
        for verb in ("Get", "Delete")
        for collection, member in (("users", "UserName"), ("groups", "GroupName"), ("roles", "RoleName"))
    },
    **{f"iam:{operation}AccessKey": _check_key for operation in ("Update", "Delete")},
    **{f"iam:{operation}LoginProfile": _check_login_profile for operation in ("Get", "Update", "Delete")},
    **{f"iam:{operation}PolicyVersion": _check_own_version for operation in ("Delete", "SetDefault")},
    **{f"iam:{operation}": check_own_policy for operation in ("CreatePolicyVersion", "TagPolicy", "UntagPolicy")},
    "iam:GetPolicyVersion": _check_version,
    "iam:CreateLoginProfile": _check_no_login_profile,
    "iam:GetAccessKeyLastUsed": _check_key,
    "iam:CreatePolicy": _check_new_policy,
    "iam:RemoveUserFromGroup": _check_member,
    "iam:RemoveRoleFromInstanceProfile": _check_role_of_profile,
    "iam:CreateOpenIDConnectProvider": _check_provider,
    "iam:DeleteAccountAlias": _check_alias,
    "iam:CreateServiceLinkedRole": _check_service,
}
