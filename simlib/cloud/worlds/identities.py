"""The identities of an account and their credentials: how they are made again. Knows moto's inside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from simlib.cloud import moto_names as moto
from simlib.cloud.storage.changes import aws_managed_policies
from simlib.cloud.storage.iam_entities import set_user_boundary
from simlib.cloud.worlds.shape import VIEWS, WorldFileError, fill, make, new, tags

Entry = Mapping[str, Any]


def _own_policies(iam: Any, _: Any) -> Iterator[Any]:
    of_aws = {policy.arn: policy for policy in aws_managed_policies()}
    for arn, policy in iam.managed_policies.items():
        if arn not in of_aws or policy.versions is not of_aws[arn].versions:
            yield policy


VIEWS.update(
    own_policies=_own_policies,
    groups_of=lambda iam, user: [group.name for group in iam.groups.values() if user in group.users],
    profiles_of=lambda iam, role: [profile for profile in iam.instance_profiles.values() if role in profile.roles],
    profiles_without_role=lambda iam, _: [each for each in iam.instance_profiles.values() if not each.roles],
    users_with_passwords=lambda iam, _: [user for user in iam.users.values() if user.password],
    last_use=lambda _, role: role if role.last_used else None,
    enable_date=lambda _, device: device.enable_date if device.user else None,
)


def _policy(iam: Any, entry: Entry) -> Any:
    of_aws = entry["Arn"].split(":")[4] == "aws"
    policy = new(
        moto.AWSManagedPolicy if of_aws else moto.ManagedPolicy, iam, "Policy", entry, region="us-east-1",
        name=entry.get("PolicyName") or entry["Arn"].rpartition("/")[2], tags={tag["Key"]: tag for tag in tags(entry)},
        **({"account_id": "aws"} if of_aws else {}),
    )  # fmt: skip
    policy.versions = [
        make(moto.PolicyVersion, "PolicyVersion", version, policy_arn=policy.arn)
        for version in entry["PolicyVersionList"]
    ]
    default = next((version for version in policy.versions if version.is_default), None)
    if default is None:
        raise WorldFileError("PolicyVersionList: none of these is the default version.")
    policy.default_version_id = default.version_id
    policy.next_version_num = max(int(version.version_id[1:]) for version in policy.versions) + 1
    present = iam.managed_policies.get(policy.arn)
    if present is None or present.versions[-1].document != default.document:
        iam.managed_policies[policy.arn] = policy
    return policy


def _look_up(things: Mapping[str, Any], name: str, missing: str) -> Any:
    if name not in things:
        raise WorldFileError(missing.format(name))
    return things[name]


def _managed(iam: Any, arn: str) -> Any:
    return _look_up(
        iam.managed_policies, arn, "names the policy {}, which the file does not hold. Make the dump without --filter, "
        "or take the policy out."
    )  # fmt: skip


def _boundary(iam: Any, entry: Entry) -> str | None:
    arn = entry.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    return str(_managed(iam, arn).arn) if arn else None


def _with_policies(iam: Any, entity: Any, entry: Entry) -> Any:
    for attached in entry.get("AttachedManagedPolicies", ()):
        _managed(iam, attached["PolicyArn"]).attach_to(entity)
    return entity


def _user(iam: Any, entry: Entry) -> Any:
    user = new(iam.create_user, iam, "User", entry)
    for group in entry.get("GroupList", ()):
        _look_up(iam.groups, group, "GroupList: there is no group {} in this account.").users.append(user)
    if boundary := _boundary(iam, entry):
        set_user_boundary(user, boundary)
    return _with_policies(iam, user, entry)


def _role(iam: Any, entry: Entry) -> Any:
    role = new(moto.Role, iam, "Role", entry, permissions_boundary=_boundary(iam, entry), description="")
    iam.roles[role.id] = role
    if last_use := entry.get("RoleLastUsed"):
        role.last_used, role.last_used_region = last_use.get("LastUsedDate"), last_use.get("Region", "")
    for profile in entry.get("InstanceProfileList", ()):
        fill("InstanceProfile", _profile(iam, profile), profile).roles = [role]
    return _with_policies(iam, role, entry)


def _profile(iam: Any, entry: Entry) -> Any:
    return new(iam.create_instance_profile, iam, "InstanceProfile", entry, role_names=[])


def _known_user(iam: Any, entry: Entry) -> Any:
    return _look_up(iam.users, entry["UserName"], "UserName: there is no user {} in this account.")


def _key(iam: Any, entry: Entry) -> Any:
    key = new(moto.AccessKey, iam, "AccessKey", entry, prefix="AKIA")
    if last_use := entry.get("AccessKeyLastUsed"):
        key.last_used = moto.AccessKeyLastUsed(last_use["LastUsedDate"], last_use["ServiceName"], last_use["Region"])
    if "UserName" in entry:
        _known_user(iam, entry).access_keys.append(key)
    iam.access_keys[entry["AccessKeyId"]] = key
    return key


def _device(iam: Any, entry: Entry) -> Any:
    prefix, serial = f"arn:aws:iam::{iam.account_id}:mfa", entry["SerialNumber"]
    if not serial.startswith(f"{prefix}/"):
        raise WorldFileError(f"SerialNumber: {serial} is not of account {iam.account_id}.")
    device = moto.VirtualMfaDevice(iam.account_id, "us-east-1", serial.removeprefix(prefix))
    iam.virtual_mfa_devices[serial] = device
    if "UserName" in entry:
        user = _known_user(iam, entry)
        iam.enable_mfa_device(user.name, serial, "", "")
        device.enable_date = entry.get("EnableDate", device.enable_date)
        user.mfa_devices[serial].enable_date = device.enable_date
    return device


def _passwords(iam: Any, entry: Entry) -> Any:
    iam.account_password_policy = make(moto.AccountPasswordPolicy, "PasswordPolicy", entry, _errors=[])
    return iam.account_password_policy


MAKERS = {  # by section; each puts a thing into a backend of moto's and returns it
    "Policies": _policy,
    "GroupDetailList": lambda iam, entry: _with_policies(iam, new(iam.create_group, iam, "Group", entry), entry),
    "UserDetailList": _user,
    "RoleDetailList": _role,
    "PasswordPolicy": _passwords,
    "AccessKeys": _key,
    "LoginProfiles": _known_user,
    "VirtualMFADevices": _device,
    "InstanceProfiles": _profile,
    "OpenIDConnectProviders": lambda iam, entry: new(
        iam.create_open_id_connect_provider, iam, "OidcProvider", {"ThumbprintList": [], "ClientIDList": [], **entry},
        url=f"https://{entry['Url']}",
    ),
    "SAMLProviders": lambda iam, entry: new(iam.create_saml_provider, iam, "SamlProvider", entry),
}  # fmt: skip
