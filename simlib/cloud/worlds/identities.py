"""The identities of an account and their credentials: how they are made again. Knows moto's inside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from moto.iam import models

from simlib.cloud.storage.iam_entities import set_user_boundary
from simlib.cloud.storage.changes import aws_managed_policies
from simlib.cloud.storage.stored import PARTITION
from simlib.cloud.worlds.sections import makes, tags
from simlib.cloud.worlds.shape import VIEWS, WorldFileError, fill, make


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


@makes("Policies")
def _make_policy(iam: Any, entry: Mapping[str, Any]) -> Any:
    of_aws = entry["Arn"].split(":")[4] == "aws"
    versions = entry["PolicyVersionList"]
    default = next((version for version in versions if version["IsDefaultVersion"]), None)
    if default is None:
        raise WorldFileError("PolicyVersionList: none of these is the default version.")
    policy = (models.AWSManagedPolicy if of_aws else models.ManagedPolicy)(
        entry.get("PolicyName") or entry["Arn"].rpartition("/")[2],
        account_id="aws" if of_aws else iam.account_id,
        region="us-east-1",
        default_version_id=default["VersionId"],
        path=entry.get("Path", "/"),
        tags={tag["Key"]: tag for tag in tags(entry)},
    )
    policy.versions = [
        make(models.PolicyVersion, "PolicyVersion", version, policy_arn=policy.arn) for version in versions
    ]
    policy.next_version_num = max(int(version["VersionId"][1:]) for version in versions) + 1
    known = iam.managed_policies.get(policy.arn)
    if known is None or known.versions[-1].document != default["Document"]:
        iam.managed_policies[policy.arn] = policy
    return policy


def _policy(iam: Any, arn: str) -> Any:
    if arn not in iam.managed_policies:
        raise WorldFileError(
            f"names the policy {arn}, which the file does not hold. Make the dump without --filter, or take the "
            "policy out."
        )
    return iam.managed_policies[arn]


def _boundary(iam: Any, entry: Mapping[str, Any]) -> str | None:
    arn = entry.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    return str(_policy(iam, arn).arn) if arn else None


def _with_policies(iam: Any, entity: Any, entry: Mapping[str, Any]) -> Any:
    for attached in entry.get("AttachedManagedPolicies", ()):
        _policy(iam, attached["PolicyArn"]).attach_to(entity)
    return entity


@makes("GroupDetailList")
def _make_group(iam: Any, entry: Mapping[str, Any]) -> Any:
    return _with_policies(iam, iam.create_group(entry["GroupName"], entry.get("Path", "/")), entry)


@makes("UserDetailList")
def _make_user(iam: Any, entry: Mapping[str, Any]) -> Any:
    user = iam.create_user("us-east-1", entry["UserName"], entry.get("Path", "/"), tags(entry))
    for group in entry.get("GroupList", ()):
        if group not in iam.groups:
            raise WorldFileError(f"GroupList: there is no group {group} in this account.")
        iam.groups[group].users.append(user)
    if boundary := _boundary(iam, entry):
        set_user_boundary(user, boundary)
    return _with_policies(iam, user, entry)


@makes("RoleDetailList")
def _make_role(iam: Any, entry: Mapping[str, Any]) -> Any:
    role = models.Role(
        account_id=iam.account_id,
        partition=PARTITION,
        role_id=entry["RoleId"],
        name=entry["RoleName"],
        assume_role_policy_document=entry["AssumeRolePolicyDocument"],
        path=entry.get("Path", "/"),
        permissions_boundary=_boundary(iam, entry),
        description="",
        tags=tags(entry),
        max_session_duration="3600",
    )
    iam.roles[role.id] = role
    if used := entry.get("RoleLastUsed", {}).get("LastUsedDate"):
        role.last_used, role.last_used_region = used, entry["RoleLastUsed"].get("Region", "")
    for profile in entry.get("InstanceProfileList", ()):
        fill("InstanceProfile", _make_profile(iam, profile), profile).roles = [role]
    return _with_policies(iam, role, entry)


@makes("InstanceProfiles")
def _make_profile(iam: Any, entry: Mapping[str, Any]) -> Any:
    return iam.create_instance_profile(entry["InstanceProfileName"], entry.get("Path", "/"), [], tags(entry))


@makes("LoginProfiles")
def _user(iam: Any, entry: Mapping[str, Any]) -> Any:
    if entry["UserName"] not in iam.users:
        raise WorldFileError(f"UserName: there is no user {entry['UserName']} in this account.")
    return iam.users[entry["UserName"]]


@makes("AccessKeys")
def _make_key(iam: Any, entry: Mapping[str, Any]) -> Any:
    key = models.AccessKey(entry.get("UserName"), "AKIA", iam.account_id)
    if used := entry.get("AccessKeyLastUsed"):
        key.last_used = models.AccessKeyLastUsed(used["LastUsedDate"], used["ServiceName"], used["Region"])
    if "UserName" in entry:
        _user(iam, entry).access_keys.append(key)
    iam.access_keys[entry["AccessKeyId"]] = key
    return key


@makes("VirtualMFADevices")
def _make_device(iam: Any, entry: Mapping[str, Any]) -> Any:
    prefix = f"arn:aws:iam::{iam.account_id}:mfa"
    if not entry["SerialNumber"].startswith(f"{prefix}/"):
        raise WorldFileError(f"SerialNumber: {entry['SerialNumber']} is not of account {iam.account_id}.")
    device = models.VirtualMfaDevice(iam.account_id, "us-east-1", entry["SerialNumber"].removeprefix(prefix))
    iam.virtual_mfa_devices[device.serial_number] = device
    if "UserName" in entry:
        user = _user(iam, entry)
        iam.enable_mfa_device(user.name, device.serial_number, "", "")
        device.enable_date = entry.get("EnableDate", device.enable_date)
        user.mfa_devices[device.serial_number].enable_date = device.enable_date
    return device


@makes("OpenIDConnectProviders")
def _make_oidc(iam: Any, entry: Mapping[str, Any]) -> Any:
    lists = (entry.get(name, []) for name in ("ThumbprintList", "ClientIDList"))
    return iam.create_open_id_connect_provider(f"https://{entry['Url']}", *lists, tags(entry))


@makes("PasswordPolicy")
def _make_passwords(iam: Any, entry: Mapping[str, Any]) -> Any:
    iam.account_password_policy = make(models.AccountPasswordPolicy, "PasswordPolicy", entry, _errors=[])
    return iam.account_password_policy


@makes("SAMLProviders")
def _make_saml(iam: Any, entry: Mapping[str, Any]) -> Any:
    return iam.create_saml_provider(entry["Name"], entry["SAMLMetadataDocument"])
