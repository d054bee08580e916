"""What IAM refuses although the policies allow it: unknown and taken names, quotas, entities still in use.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html,
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html. The texts are those IAM is seen to send; AWS
documents none for members of groups, roles of instance profiles, MFA devices, names of services. moto itself knows the
quotas of keys, versions and instance profiles. Looks at moto's users, groups and roles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from simlib.cloud.call_context import CallContext
from simlib.cloud.services import named_principals
from simlib.cloud.services.rules import Facts, Rule, checks
from simlib.cloud.storage.iam_entities import backend, entity, rename_user

# The kinds of entities, the collections in which moto keeps them, and what IAM calls them.
_KINDS = {"User": ("users", "The user with name", "User with name"),
          "Group": ("groups", "The group with name", "Group with name"),
          "Role": ("roles", "The role with name", "Role with name"),
          "InstanceProfile": ("instance_profiles", "Instance Profile", "Instance Profile")}  # fmt: skip
_INLINE_SIZES = {"User": 2048, "Group": 5120, "Role": 10_240}
_AWS_MANAGED = "arn:aws:iam::aws:"
_MISSING, _TAKEN, _CONFLICT, _FULL = "NoSuchEntity", "EntityAlreadyExists", "DeleteConflict", "LimitExceeded"


class _Iam(Facts):
    """What a call of IAM names, as moto keeps it: None where it names none, or none is there."""

    def __init__(self, context: CallContext) -> None:
        super().__init__(context)
        self.moto = backend(self.account)
        self.user, self.group, self.role, self.profile = (self.entity(kind) for kind in _KINDS)
        self.policy = self.moto.managed_policies.get(self["PolicyArn"])
        self.device = self.moto.virtual_mfa_devices.get(self["SerialNumber"])
        named = {"User": self.user, "Role": self.role, "Group": self.group}
        self.kind = next((kind for kind, each in named.items() if each is not None), "")
        self.holder: Any = named.get(self.kind)
        self.noun, self.size = self.kind.lower(), _INLINE_SIZES.get(self.kind, 0)

    def entity(self, kind: str) -> Any:
        name = self[f"{kind}Name"]
        return entity(self.account, _KINDS[kind][0], str(name)) if name else None

    def lacks_entity(self, kind: str) -> bool:
        return self.operation != f"Create{kind}" and bool(self[f"{kind}Name"]) and self.entity(kind) is None

    def is_taken(self, kind: str, member: str) -> bool:
        """Names differ in more than their capitals; what is renamed may keep its own."""
        others = {each.name for each in getattr(self.moto, _KINDS[kind][0]).values()}
        others -= {self[f"{kind}Name"]} if member.startswith("New") else set()
        return _is_in(self[member], others)

    def is_full(self, kind: str) -> bool:
        return len(getattr(self.moto, _KINDS[kind][0])) >= _QUOTAS[kind]

    @property
    def groups(self) -> list[Any]:
        return [group for group in self.moto.groups.values() if self.user in group.users]

    @property
    def profiles(self) -> list[Any]:
        return [profile for profile in self.moto.instance_profiles.values() if self.role in profile.roles]

    @property
    def is_bounding(self) -> bool:
        bounded = (*self.moto.users.values(), *self.moto.roles.values())
        return any(getattr(each, "permissions_boundary_arn", None) == self["PolicyArn"] for each in bounded)

    @property
    def inline_size(self) -> int:
        """How many bytes of inline policies there will be, which share one quota; white space is not counted."""
        from simlib.iam import json_text, validation  # late: only writing needs it

        kept = {**self.holder.policies, self["PolicyName"]: self["PolicyDocument"]}
        located = [json_text.read(str(text)) for text in kept.values()]
        return sum(validation.size(document.value, document) for document in located)

    @property
    def provider(self) -> Any:
        name = str(self["Url"]).removeprefix("https://").rstrip("/")
        return self["OpenIDConnectProviderArn"] or f"arn:aws:iam::{self.account}:oidc-provider/{name}"

    def lacks_profile(self, member: str) -> bool:
        """Whether the instance profile that EC2 is to use is not there by one of its two names."""
        wanted = (self["IamInstanceProfile"] or {}).get(member)
        known = [getattr(each, member.lower()) for each in self.moto.instance_profiles.values()]
        return bool(wanted) and wanted not in known


def _is_in(name: Any, names: Iterable[str]) -> bool:
    return bool(name) and str(name).lower() in {each.lower() for each in names}


def _more_than(quota: int, existing: Iterable[str], new: Iterable[str]) -> bool:
    """Whether new things are too many; what is there already counts only once."""
    kept = set(existing)
    return not kept >= set(new) and len(kept | set(new)) > quota


def _has_key(f: _Iam) -> bool:
    key = f.moto.access_keys.get(f["AccessKeyId"])
    return key is not None and f["UserName"] in (None, key.user_name)


def _is_service(name: str) -> bool:
    service, domain, rest = name.partition(".amazonaws.com")
    return bool(service.strip(".") and domain and not rest)


def _own_names(f: _Iam) -> Iterable[str]:
    return (each.name for each in f.moto.managed_policies.values() if not each.arn.startswith(_AWS_MANAGED))


def _of_names(kind: str) -> Iterable[Rule]:
    """Every entity a call names must be there; the one it creates must not, whatever its capitals."""
    _, the, a = _KINDS[kind]
    taken = partial(_Iam.is_taken, kind=kind, member=f"{kind}Name")
    renamed = partial(_Iam.is_taken, kind=kind, member=f"New{kind}Name")
    yield Rule("*", partial(_Iam.lacks_entity, kind=kind), _MISSING, f"{the} {{{kind}Name}} cannot be found.")
    yield Rule(f"Create{kind}", taken, _TAKEN, f"{a} {{{kind}Name}} already exists.")
    yield Rule(f"Update{kind}", renamed, _TAKEN, f"{a} {{New{kind}Name}} already exists.")


# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entities
_QUOTAS = {"User": 5000, "Group": 300, "Role": 1000, "InstanceProfile": 1000}


def _in_use(operations: str, applies: Callable[[_Iam], Any], text: str) -> Rule:
    return Rule(operations, applies, _CONFLICT, f"Cannot delete entity, {text}")


_RULES = (
    *(rule for kind in _KINDS for rule in _of_names(kind)),
    *(
        Rule(f"Create{kind}", partial(_Iam.is_full, kind=kind), _FULL,
             f"Cannot exceed quota for {kind}sPerAccount: {most}")
        for kind, most in _QUOTAS.items()
    ),
    Rule("CreatePolicy", lambda f: len(list(_own_names(f))) >= 1500, _FULL,
         "Cannot exceed quota for PoliciesPerAccount: 1500"),
    Rule("AttachUserPolicy AttachGroupPolicy AttachRolePolicy", lambda f: f.policy is None, _MISSING,
         "Policy {PolicyArn} does not exist or is not attachable."),
    Rule("*", lambda f: f["PolicyArn"] and f.policy is None, _MISSING, "Policy {PolicyArn} was not found."),
    Rule("CreateUser CreateRole PutUserPermissionsBoundary PutRolePermissionsBoundary",
         lambda f: f["PermissionsBoundary"] and f["PermissionsBoundary"] not in f.moto.managed_policies, _MISSING,
         "Scope ARN: {PermissionsBoundary} does not exist or is not attachable."),
    # what only the service behind a service-linked role may do to it
    Rule("AttachRolePolicy DetachRolePolicy PutRolePolicy DeleteRolePolicy UpdateAssumeRolePolicy DeleteRole "
         "PutRolePermissionsBoundary UpdateRole", lambda f: f.role.path.startswith("/aws-service-role/"),
         "UnmodifiableEntity", "Cannot perform the operation on the protected role '{RoleName}' - this role is only "
         "modifiable by AWS"),
    # AWS's managed policies belong to AWS: nobody else changes them, whatever an account's policies allow
    Rule("DeletePolicy DeletePolicyVersion SetDefaultPolicyVersion CreatePolicyVersion TagPolicy UntagPolicy",
         lambda f: f["PolicyArn"].startswith(_AWS_MANAGED), "AccessDenied", "User: {0.context.caller.arn} is not "
         "authorized to perform: iam:{0.operation} on resource: policy {PolicyArn}"),
    *(
        Rule(f"Get{kind}Policy Delete{kind}Policy", lambda f: f["PolicyName"] not in f.holder.policies, _MISSING,
             f"The {kind.lower()} policy with name {{PolicyName}} cannot be found.")
        for kind in ("User", "Group", "Role")
    ),
    Rule("UpdateAccessKey DeleteAccessKey GetAccessKeyLastUsed", lambda f: not _has_key(f), _MISSING,
         "The Access Key with id {AccessKeyId} cannot be found."),
    Rule("GetLoginProfile UpdateLoginProfile DeleteLoginProfile", lambda f: not f.user.password, _MISSING,
         "Login Profile for User {UserName} cannot be found."),
    Rule("CreateLoginProfile", lambda f: f.user.password, _TAKEN, "Login Profile for user {UserName} already exists."),
    Rule("GetPolicyVersion DeletePolicyVersion SetDefaultPolicyVersion",
         lambda f: f["VersionId"] not in [version.version_id for version in f.policy.versions], _MISSING,
         "Policy {PolicyArn} version {VersionId} does not exist or is not attachable."),
    Rule("CreatePolicy", lambda f: _is_in(f["PolicyName"], _own_names(f)), _TAKEN,
         "A policy called {PolicyName} already exists. Duplicate names are not allowed."),
    Rule("RemoveUserFromGroup", lambda f: f.user not in f.group.users, _MISSING,
         "The user with name {UserName} is not a member of the group with name {GroupName}."),
    Rule("RemoveRoleFromInstanceProfile", lambda f: f.role not in f.profile.roles, _MISSING,
         "The role with name {RoleName} is not in the instance profile with name {InstanceProfileName}."),
    Rule("CreateOpenIDConnectProvider", lambda f: not f["Url"].startswith("https://"), "ValidationError",
         "Invalid Open ID Connect Provider URL"),
    Rule("CreateOpenIDConnectProvider", lambda f: f.provider in f.moto.open_id_providers, _TAKEN,
         "Provider with url {Url} already exists."),
    Rule("AddClientIDToOpenIDConnectProvider RemoveClientIDFromOpenIDConnectProvider",
         lambda f: f.provider not in f.moto.open_id_providers, _MISSING,
         "OpenIDConnect Provider not found for arn {OpenIDConnectProviderArn}"),
    Rule("DeleteAccountAlias", lambda f: f["AccountAlias"] not in f.moto.account_aliases, _MISSING,
         "The account alias with name {AccountAlias} cannot be found."),
    Rule("CreateServiceLinkedRole", lambda f: not _is_service(f["AWSServiceName"]), "InvalidInput",
         "{AWSServiceName} is not the name of a service."),
    Rule("GetMFADevice", lambda f: f.device is None or (f["UserName"] and f.device.user is not f.user), _MISSING,
         "MFA Device with serial number {SerialNumber} does not exist."),
    Rule("EnableMFADevice DeleteVirtualMFADevice", lambda f: f.device is None, _MISSING,
         "VirtualMFADevice with serial number {SerialNumber} doesn't exist."),
    Rule("EnableMFADevice", lambda f: f.device.user, _TAKEN, "MFA device {SerialNumber} is already in use."),
    Rule("DeleteVirtualMFADevice", lambda f: f.device.user, _CONFLICT,
         "MFA VirtualDevice in use. Must deactivate first."),
    # what keeps an entity from being deleted, in the order in which IAM is taken to look (it does not say)
    _in_use("DeleteUser", lambda f: f.user.access_keys, "must delete access keys first."),
    _in_use("DeleteUser", lambda f: f.user.mfa_devices, "must delete MFA device first."),
    _in_use("DeleteUser", lambda f: f.user.password, "must delete login profile first."),
    _in_use("DeleteUser", lambda f: f.groups, "must remove users from group first."),
    _in_use("DeleteUser", lambda f: f.user.signing_certificates or f.user.ssh_public_keys,
            "must remove referenced objects first."),
    _in_use("DeleteGroup", lambda f: f.group.users, "must remove users from group first."),
    _in_use("DeleteRole", lambda f: f.profiles, "must remove roles from instance profile first."),
    _in_use("DeleteInstanceProfile", lambda f: f.profile.roles, "must remove roles from instance profile first."),
    _in_use("DeleteUser DeleteGroup DeleteRole", lambda f: f.holder.managed_policies,
            "must detach all policies first."),
    _in_use("DeleteUser DeleteGroup DeleteRole", lambda f: f.holder.policies, "must delete policies first."),
    Rule("DeletePolicy", lambda f: f.policy.attachment_count or f.is_bounding, _CONFLICT,
         "Cannot delete a policy attached to entities."),
    Rule("DeletePolicy", lambda f: len(f.policy.versions) > 1, _CONFLICT, "This policy has more than one version. "
         "Before you delete a policy, you must delete the policy's versions. The default version is deleted with the "
         "policy."),
    Rule("AttachUserPolicy AttachGroupPolicy AttachRolePolicy",
         lambda f: _more_than(10, f.holder.managed_policies, [f["PolicyArn"]]), _FULL,
         "Cannot exceed quota for PoliciesPer{0.kind}: 10"),
    Rule("AddUserToGroup", lambda f: _more_than(10, [group.name for group in f.groups], [f["GroupName"]]), _FULL,
         "Cannot exceed quota for GroupsPerUser: 10"),
    Rule("EnableMFADevice", lambda f: _more_than(8, f.user.mfa_devices, [f["SerialNumber"]]), _FULL,
         "Cannot exceed quota for MFADevicesPerUser: 8"),
    Rule("TagUser TagRole", lambda f: _more_than(50, [tag["Key"].lower() for tag in f.holder.tags or ()],
                                                 [tag["Key"].lower() for tag in f["Tags"]]), _FULL,
         "Cannot exceed quota for TagsPer{0.kind}: 50"),
    Rule("PutUserPolicy PutGroupPolicy PutRolePolicy", lambda f: f.inline_size > f.size, _FULL,
         "Maximum policy size of {0.size} bytes exceeded for {0.noun} {0.holder.name}"),
)  # fmt: skip
_OF_PROFILES = tuple(
    Rule("RunInstances AssociateIamInstanceProfile ReplaceIamInstanceProfileAssociation",
         partial(_Iam.lacks_profile, member=member), "InvalidParameterValue",
         f"Value ({{IamInstanceProfile[{member}]}}) for parameter iamInstanceProfile.{member.lower()} is invalid. "
         f"Invalid IAM Instance Profile {what}")
    for member, what in (("Name", "name"), ("Arn", "ARN"))
)  # fmt: skip


def _forget(context: CallContext) -> None:
    """Policies that name whom a call deletes get the unique ID instead."""
    named_principals.replace(_Iam(context).holder.arn, _Iam(context).holder.id)


def _rename(context: CallContext) -> None:
    """Policies that name a user follow its new name and path."""
    facts = _Iam(context)
    user, old = facts.user, facts.user.arn
    named_principals.replace(
        old, rename_user(user, str(facts["NewPath"] or user.path), str(facts["NewUserName"] or user.name))
    )


BEFORE: Mapping[str, Callable[[CallContext], None]] = {
    **checks("iam", _Iam, _RULES),
    **checks("ec2", _Iam, _OF_PROFILES),
    "iam:DeleteUser": _forget,
    "iam:DeleteRole": _forget,
    "iam:UpdateUser": _rename,
}
