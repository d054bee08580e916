"""What IAM refuses although the policies allow it: unknown and taken names, quotas, entities still in use.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html. Looks at moto's users, groups and roles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from simlib.cloud.call_context import CallContext
from simlib.cloud.services import named_principals
from simlib.cloud.services.iam_contents import check_own_policy
from simlib.cloud.storage.iam_entities import backend, entity, rename_user
from simlib.cloud.transport.refusals import Objection


class _Kind(NamedTuple):
    """A kind of entity: the member that names it, where moto keeps it, and what IAM says of names."""

    member: str
    collection: str
    created_by: str
    missing: str
    taken: str


_KINDS = (
    _Kind("UserName", "users", "CreateUser", "The user with name {} cannot be found.",
          "User with name {} already exists."),
    _Kind("GroupName", "groups", "CreateGroup", "The group with name {} cannot be found.",
          "Group with name {} already exists."),
    _Kind("RoleName", "roles", "CreateRole", "The role with name {} cannot be found.",
          "Role with name {} already exists."),
    _Kind("InstanceProfileName", "instance_profiles", "CreateInstanceProfile", "Instance Profile {} cannot be found.",
          "Instance Profile {} already exists."),
)  # fmt: skip

# Quotas that IAM keeps by default; moto knows those of keys, versions and instance profiles by itself.
_QUOTAS = {"PoliciesPerUser": 10, "PoliciesPerGroup": 10, "PoliciesPerRole": 10, "GroupsPerUser": 10,
           "MFADevicesPerUser": 8, "TagsPerUser": 50, "TagsPerRole": 50}  # fmt: skip
_INLINE_SIZES = {"user": 2048, "group": 5120, "role": 10_240}

_Holds = Callable[[Any], Any]


def _groups_of(user: Any) -> list[Any]:
    return [group for group in backend(user.account_id).groups.values() if user in group.users]


def _profiles_of(role: Any) -> list[Any]:
    return [profile for profile in backend(role.account_id).instance_profiles.values() if role in profile.roles]


# What keeps an entity from being deleted, in the order in which IAM is taken to look (it does not say)
_IN_USE: Mapping[str, tuple[tuple[_Holds, str], ...]] = {
    "users": (
        (lambda user: user.access_keys, "must delete access keys first."),
        (lambda user: user.mfa_devices, "must delete MFA device first."),
        (lambda user: user.password, "must delete login profile first."),
        (_groups_of, "must remove users from group first."),
        (lambda user: user.signing_certificates or user.ssh_public_keys, "must remove referenced objects first."),
    ),
    "groups": ((lambda group: group.users, "must remove users from group first."),),
    "roles": ((_profiles_of, "must remove roles from instance profile first."),),
    "instance_profiles": ((lambda profile: profile.roles, "must remove roles from instance profile first."),),
}
_POLICIES = (
    (lambda entity: entity.managed_policies, "must detach all policies first."),
    (lambda entity: entity.policies, "must delete policies first."),
)

# What only the service behind a service-linked role may do to it
_PROTECTED = {
    "AttachRolePolicy", "DetachRolePolicy", "PutRolePolicy", "DeleteRolePolicy", "UpdateAssumeRolePolicy", "DeleteRole",
    "PutRolePermissionsBoundary", "UpdateRole",
}  # fmt: skip


def check_names(context: CallContext) -> None:
    """Every entity a call names must be there; the one it creates must not, whatever its capitals."""
    for kind in _KINDS:
        created = context.call.operation == kind.created_by
        name = context.parameters.get(kind.member)
        if name and not created and _named(context, kind) is None:
            raise Objection("NoSuchEntity", kind.missing.format(name), 404)
        new = name if created else context.parameters.get(f"New{kind.member}")
        if new and _is_taken(context, kind, str(new), None if created else str(name)):
            raise Objection("EntityAlreadyExists", kind.taken.format(new), 409)
    _check_policy(context)
    _check_protection(context)


def _check_policy(context: CallContext) -> None:
    arn = str(context.parameters.get("PolicyArn") or "")
    if arn and arn not in backend(context.caller.account).managed_policies:
        attaching = context.call.operation.startswith("Attach")
        ending = "does not exist or is not attachable." if attaching else "was not found."
        raise Objection("NoSuchEntity", f"Policy {arn} {ending}", 404)


def _check_protection(context: CallContext) -> None:
    role = _named(context, _KINDS[2]) if context.call.operation in _PROTECTED else None
    if role is not None and role.path.startswith("/aws-service-role/"):
        text = f"Cannot perform the operation on the protected role '{role.name}' - this role is only modifiable by AWS"
        raise Objection("UnmodifiableEntity", text, 400)


def check_deletion(context: CallContext) -> None:
    """Nothing may hang on what is deleted; policies that name it get its unique ID instead."""
    kind = next(kind for kind in _KINDS if kind.created_by == context.call.operation.replace("Delete", "Create"))
    doomed = _named(context, kind)
    policies = _POLICIES if hasattr(doomed, "managed_policies") else ()
    for holds, text in (*_IN_USE[kind.collection], *policies):
        if holds(doomed):
            raise Objection("DeleteConflict", f"Cannot delete entity, {text}", 409)
    if kind.collection in ("users", "roles"):
        named_principals.replace(doomed.arn, doomed.id)


def check_policy_deletion(context: CallContext) -> None:
    check_own_policy(context)
    arn, iam = str(context.parameters["PolicyArn"]), backend(context.caller.account)
    bounded = (*iam.users.values(), *iam.roles.values())
    policy = iam.managed_policies[arn]
    if policy.attachment_count > 0 or any(getattr(e, "permissions_boundary_arn", None) == arn for e in bounded):
        raise Objection("DeleteConflict", "Cannot delete a policy attached to entities.", 409)
    if len(policy.versions) > 1:
        text = (
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. "
            "The default version is deleted with the policy."
        )
        raise Objection("DeleteConflict", text, 409)


def check_renaming(context: CallContext) -> None:
    """Policies that name a user follow its new name and path."""
    user, parameters = _named(context, _KINDS[0]), context.parameters
    old = user.arn
    new = rename_user(user, str(parameters.get("NewPath", user.path)), str(parameters.get("NewUserName", user.name)))
    named_principals.replace(old, new)


def check_quota(context: CallContext) -> None:
    """One more policy, group or device must still fit; what is there already counts only once."""
    for quota, existing, new in _additions(context):
        if new not in existing and len(existing) >= _QUOTAS[quota]:
            raise Objection("LimitExceeded", f"Cannot exceed quota for {quota}: {_QUOTAS[quota]}", 409)


def _additions(context: CallContext) -> Iterator[tuple[str, Any, Any]]:
    parameters, operation = context.parameters, context.call.operation
    owner = next(each for kind in _KINDS if (each := _named(context, kind)) is not None)
    kind = "User" if "UserName" in parameters else "Role" if "RoleName" in parameters else "Group"
    if operation.startswith("Attach"):
        yield f"PoliciesPer{kind}", owner.managed_policies, parameters["PolicyArn"]
    elif operation == "AddUserToGroup":
        yield "GroupsPerUser", [group.name for group in _groups_of(owner)], parameters["GroupName"]
    elif operation == "EnableMFADevice":
        yield "MFADevicesPerUser", owner.mfa_devices, parameters["SerialNumber"]
    elif operation.startswith("Tag"):
        existing = {tag["Key"].lower() for tag in owner.tags or ()}
        for tag in parameters["Tags"]:  # one after the other, for they count together
            key = str(tag["Key"]).lower()
            yield f"TagsPer{kind}", set(existing), key
            existing.add(key)


def check_inline_size(context: CallContext) -> None:
    """All inline policies of an entity share one quota, white space not counted."""
    from simlib.iam import json_text, validation  # late: only writing needs it

    kind = next(kind for kind in _KINDS[:3] if kind.member in context.parameters)
    owner, quota = _named(context, kind), _INLINE_SIZES[kind.collection[:-1]]
    kept = {**owner.policies, str(context.parameters["PolicyName"]): str(context.parameters["PolicyDocument"])}
    located = [json_text.read(text) for text in kept.values()]
    if sum(validation.size(document.value, document) for document in located) > quota:
        text = f"Maximum policy size of {quota} bytes exceeded for {kind.collection[:-1]} {owner.name}"
        raise Objection("LimitExceeded", text, 409)


def check_profile(context: CallContext) -> None:
    """An instance profile that EC2 is to use must be there, by whichever of its two names."""
    parameters = context.parameters.get("IamInstanceProfile") or {}
    known = backend(context.caller.account).instance_profiles.values()
    for member, attribute in (("Name", "name"), ("Arn", "arn")):
        value = parameters.get(member)
        if value and all(getattr(profile, attribute) != value for profile in known):
            text = (
                f"Value ({value}) for parameter iamInstanceProfile.{member.lower()} is invalid. "
                f"Invalid IAM Instance Profile {'name' if member == 'Name' else 'ARN'}"
            )
            raise Objection("InvalidParameterValue", text, 400)


def _named(context: CallContext, kind: _Kind) -> Any:
    """The entity of a kind that a call names, None where it names none or none is there."""
    name = context.parameters.get(kind.member)
    return entity(context.caller.account, kind.collection, str(name)) if name else None


def _is_taken(context: CallContext, kind: _Kind, new: str, old: str | None) -> bool:
    names = {each.name for each in getattr(backend(context.caller.account), kind.collection).values()} - {old}
    return new.lower() in {name.lower() for name in names}


BEFORE: Mapping[str, Callable[[CallContext], None]] = {
    "iam:*": check_names,
    "iam:DeleteUser": check_deletion,
    "iam:DeleteGroup": check_deletion,
    "iam:DeleteRole": check_deletion,
    "iam:DeleteInstanceProfile": check_deletion,
    "iam:DeletePolicy": check_policy_deletion,
    "ec2:RunInstances": check_profile,
    "ec2:AssociateIamInstanceProfile": check_profile,
    "ec2:ReplaceIamInstanceProfileAssociation": check_profile,
    "iam:UpdateUser": check_renaming,
    "iam:AttachUserPolicy": check_quota,
    "iam:AttachGroupPolicy": check_quota,
    "iam:AttachRolePolicy": check_quota,
    "iam:AddUserToGroup": check_quota,
    "iam:TagUser": check_quota,
    "iam:TagRole": check_quota,
    "iam:PutUserPolicy": check_inline_size,
    "iam:PutGroupPolicy": check_inline_size,
    "iam:PutRolePolicy": check_inline_size,
}
