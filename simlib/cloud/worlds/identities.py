"""The identities of an account and their credentials. Knows moto's inside.

Identities have the shape of `get-account-authorization-details`,
https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html; of AWS's managed policies
only those are written whose text is not the one the lab has anyway. Keys, passwords and devices are the mock's own:
a file that has them gives whoever holds it the same keys as before, and they open nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from moto.iam import models

from simlib.cloud.storage.iam_entities import set_user_boundary
from simlib.cloud.storage.store import aws_managed_policies
from simlib.cloud.storage.stored import PARTITION, tag_map
from simlib.cloud.worlds.sections import Section, tags
from simlib.cloud.worlds.shape import (
    ARN,
    DATE,
    FLAG,
    NAIVE_DATE,
    NOTE,
    NUMBER,
    TAGS,
    TEXT,
    TRUTH,
    At,
    WorldFileError,
    document,
    fill,
    make,
    matching,
    one_of,
    pairs,
)

_NAME = matching(r"[\w+=,.@-]{1,128}", "a name: letters, digits and +=,.@-_")
_PATH = matching(r"/([\x21-\x7e]+/)?", 'a path such as "/" or "/team/"')


def _common(kind: str, prefix: str, *optional: str) -> dict[str, Any]:
    unique_id = matching(rf"{prefix}[A-Z0-9]{{12,124}}", f"a unique ID that begins with {prefix}")
    members = {
        "Path?": _PATH, f"{kind}Name": At("name", _NAME), f"{kind}Id": At("id", unique_id), "Arn": ARN,
        "CreateDate": NAIVE_DATE,
    }  # fmt: skip
    return {f"{name}?" if name in optional else name: shape for name, shape in members.items()}


def _permissions(kind: str) -> dict[str, Any]:
    attached = {"PolicyName?": At("name", _NAME), "PolicyArn": At("arn", ARN)}
    inline = pairs("PolicyName", _NAME, "PolicyDocument", document("identity"))
    return {
        f"{kind}PolicyList?": At("policies", inline),
        "AttachedManagedPolicies?": At(lambda _, entity: entity.managed_policies.values(), [attached]),
    }


def _boundary_of(iam: Any, entity: Any) -> dict[str, str] | None:
    arn = getattr(entity, "permissions_boundary_arn", None)
    return arn and {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}


_BOUNDARY = At(_boundary_of, {"PermissionsBoundaryType?": TEXT, "PermissionsBoundaryArn": ARN})
_TAGS = At(lambda _, entity: tag_map(entity.tags), TAGS)
_PROFILE = {**_common("InstanceProfile", "AIPA", "Arn"), "Tags?": _TAGS}
_USER = {
    **_common("User", "AIDA"), **_permissions("User"),
    "GroupList?": At(lambda iam, user: [group.name for group in iam.groups.values() if user in group.users], [_NAME]),
    "PermissionsBoundary?": _BOUNDARY, "Tags?": _TAGS,
}  # fmt: skip
_GROUP = {**_common("Group", "AGPA"), **_permissions("Group")}
_ROLE = {
    **_common("Role", "AROA"), "AssumeRolePolicyDocument": document("trust"), "Description?": NOTE,
    "MaxSessionDuration?": NUMBER,
    "InstanceProfileList?": At(lambda iam, role: [p for p in iam.instance_profiles.values() if role in p.roles],
                               [_PROFILE]),
    **_permissions("Role"), "PermissionsBoundary?": _BOUNDARY, "Tags?": _TAGS,
    "RoleLastUsed?": At(lambda _, role: role if role.last_used else None,
                        {"LastUsedDate?": At("last_used", DATE), "Region?": At("last_used_region", TEXT)}),
}  # fmt: skip
_VERSION = {
    "Document": document("identity"), "VersionId": matching(r"v[1-9][0-9]{0,8}", 'a version such as "v1"'),
    "IsDefaultVersion": At("is_default", TRUTH), "CreateDate": NAIVE_DATE,
}  # fmt: skip
_POLICY = {
    **_common("Policy", "ANPA", "PolicyName", "PolicyId"), "Description?": NOTE, "DefaultVersionId?": TEXT,
    "UpdateDate": NAIVE_DATE, "PolicyVersionList": At("versions", [_VERSION]), "Tags?": _TAGS,
}  # fmt: skip
_KEY = {
    "UserName?": _NAME,  # the root user has none
    "AccessKeyId": matching(r"AKIA[A-Z0-9]{16}", "an access key ID: AKIA and 16 letters and digits"),
    "SecretAccessKey": matching(r"[A-Za-z0-9+/=]{16,128}", "a secret access key"),
    "Status": one_of("Active", "Inactive"),
    "CreateDate": NAIVE_DATE,
    "AccessKeyLastUsed?": At("last_used", {
        "LastUsedDate": At("_timestamp", DATE), "ServiceName": At("service", TEXT), "Region": TEXT,
    }),
}  # fmt: skip
_LOGIN = {"UserName": At("name", _NAME), "Password": TEXT, "PasswordResetRequired?": FLAG}
_DEVICE = {
    "SerialNumber": matching(r"arn:aws:iam::\d{12}:mfa/[\x21-\x7e]+", "the ARN of a virtual MFA device"),
    "Base32StringSeed": matching("[A-Z2-7]{16,128}", "a seed in Base32"),
    "UserName?": At(lambda _, device: device.user.name if device.user else None, _NAME),
    "EnableDate?": At(lambda _, device: device.enable_date if device.user else None, NAIVE_DATE),
    "LastStep?": NUMBER,
}
_OIDC = {
    "Url": matching(r"[a-z0-9.-]+(:\d+)?(/[\x21-\x7e]*)?", "the URL of an identity provider without https://"),
    "ClientIDList?": [TEXT], "ThumbprintList?": [TEXT], "CreateDate": NAIVE_DATE, "Tags?": _TAGS,
}  # fmt: skip
_SAML = {"Name": _NAME, "SAMLMetadataDocument": TEXT, "CreateDate": NAIVE_DATE}
_PASSWORDS = {
    **dict.fromkeys(("AllowUsersToChangePassword?", "HardExpiry?"), TRUTH),
    **dict.fromkeys(("MaxPasswordAge?", "MinimumPasswordLength?", "PasswordReusePrevention?"), NUMBER),
    **dict.fromkeys((f"Require{what}?" for what in ("LowercaseCharacters", "Numbers", "Symbols",
                                                   "UppercaseCharacters")), TRUTH),
}  # fmt: skip


def _own_policies(iam: Any) -> Iterator[Any]:
    of_aws = {policy.arn: policy for policy in aws_managed_policies()}
    for arn, policy in iam.managed_policies.items():
        if arn not in of_aws or policy.versions is not of_aws[arn].versions:
            yield policy


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
    policy.versions = [make(models.PolicyVersion, _VERSION, version, policy_arn=policy.arn) for version in versions]
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


def _make_group(iam: Any, entry: Mapping[str, Any]) -> Any:
    return _with_policies(iam, iam.create_group(entry["GroupName"], entry.get("Path", "/")), entry)


def _make_user(iam: Any, entry: Mapping[str, Any]) -> Any:
    user = iam.create_user("us-east-1", entry["UserName"], entry.get("Path", "/"), tags(entry))
    for group in entry.get("GroupList", ()):
        if group not in iam.groups:
            raise WorldFileError(f"GroupList: there is no group {group} in this account.")
        iam.groups[group].users.append(user)
    if boundary := _boundary(iam, entry):
        set_user_boundary(user, boundary)
    return _with_policies(iam, user, entry)


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
        fill(_PROFILE, _make_profile(iam, profile), profile).roles = [role]
    return _with_policies(iam, role, entry)


def _make_profile(iam: Any, entry: Mapping[str, Any]) -> Any:
    return iam.create_instance_profile(entry["InstanceProfileName"], entry.get("Path", "/"), [], tags(entry))


def _user(iam: Any, entry: Mapping[str, Any]) -> Any:
    if entry["UserName"] not in iam.users:
        raise WorldFileError(f"UserName: there is no user {entry['UserName']} in this account.")
    return iam.users[entry["UserName"]]


def _make_key(iam: Any, entry: Mapping[str, Any]) -> Any:
    key = models.AccessKey(entry.get("UserName"), "AKIA", iam.account_id)
    if used := entry.get("AccessKeyLastUsed"):
        key.last_used = models.AccessKeyLastUsed(used["LastUsedDate"], used["ServiceName"], used["Region"])
    if "UserName" in entry:
        _user(iam, entry).access_keys.append(key)
    iam.access_keys[entry["AccessKeyId"]] = key
    return key


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


def _make_oidc(iam: Any, entry: Mapping[str, Any]) -> Any:
    lists = (entry.get(name, []) for name in ("ThumbprintList", "ClientIDList"))
    return iam.create_open_id_connect_provider(f"https://{entry['Url']}", *lists, tags(entry))


def _make_passwords(iam: Any, entry: Mapping[str, Any]) -> Any:
    iam.account_password_policy = make(models.AccountPasswordPolicy, _PASSWORDS, entry, _errors=[])
    return iam.account_password_policy


def _all(collection: str) -> Any:
    return lambda iam: getattr(iam, collection).values()


# In this order they are made: an identity after the policies and groups that it names. The first four are a dump's.
DUMP = (
    Section("Policies", "iam", _POLICY, _own_policies, _make_policy, ("Arn",)),
    Section("GroupDetailList", "iam", _GROUP, _all("groups"), _make_group, ("GroupName",)),
    Section("UserDetailList", "iam", _USER, _all("users"), _make_user, ("UserName",)),
    Section("RoleDetailList", "iam", _ROLE, _all("roles"), _make_role, ("RoleName", "RoleId")),
)
CREDENTIALS = (
    Section("PasswordPolicy", "iam", _PASSWORDS, lambda iam: [p for p in [iam.account_password_policy] if p],
            _make_passwords, single=True),
    Section("AccessKeys", "iam", _KEY, _all("access_keys"), _make_key, ("AccessKeyId",), everywhere=True),
    Section("LoginProfiles", "iam", _LOGIN, lambda iam: [user for user in iam.users.values() if user.password], _user),
    Section("VirtualMFADevices", "iam", _DEVICE, _all("virtual_mfa_devices"), _make_device, ("SerialNumber",)),
    Section("InstanceProfiles", "iam", _PROFILE,  # those without a role
            lambda iam: [profile for profile in iam.instance_profiles.values() if not profile.roles], _make_profile),
    Section("OpenIDConnectProviders", "iam", _OIDC, _all("open_id_providers"), _make_oidc, ("Url",)),
    Section("SAMLProviders", "iam", _SAML, _all("saml_providers"),
            lambda iam, entry: iam.create_saml_provider(entry["Name"], entry["SAMLMetadataDocument"]), ("Name",)),
)  # fmt: skip
