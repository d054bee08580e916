"""The identities of an account, in the shape of `get-account-authorization-details`. Knows moto's inside.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html. Of AWS's managed policies
only those are written whose text is not the one the lab has anyway.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from moto.iam import models

from simlib.cloud.storage.iam_entities import backend, entity
from simlib.cloud.storage.store import PARTITION, Store, aws_managed_policies
from simlib.cloud.worlds.shape import DATE, NUMBER, TAGS, TEXT, TRUTH, WorldFileError, document, matching

_NAME = matching(r"[\w+=,.@-]{1,128}", "a name: letters, digits and +=,.@-_")
_PATH = matching(r"/([\x21-\x7e]+/)?", 'a path such as "/" or "/team/"')
_ARN = matching(r"arn:aws:[\x21-\x7e]+", "an ARN")


def _id(prefix: str) -> Any:
    return matching(rf"{prefix}[A-Z0-9]{{12,124}}", f"a unique ID that begins with {prefix}")


_ATTACHED = {"PolicyName?": _NAME, "PolicyArn": _ARN}
_BOUNDARY = {"PermissionsBoundaryType?": TEXT, "PermissionsBoundaryArn": _ARN}
_INLINE = {"PolicyName": _NAME, "PolicyDocument": document("identity")}
_PROFILE = {
    "Path?": _PATH, "InstanceProfileName": _NAME, "InstanceProfileId": _id("AIPA"), "Arn?": _ARN, "CreateDate": DATE,
    "Tags?": TAGS,
}  # fmt: skip
_USER = {
    "Path?": _PATH, "UserName": _NAME, "UserId": _id("AIDA"), "Arn": _ARN, "CreateDate": DATE,
    "UserPolicyList?": [_INLINE], "GroupList?": [_NAME], "AttachedManagedPolicies?": [_ATTACHED],
    "PermissionsBoundary?": _BOUNDARY, "Tags?": TAGS,
}  # fmt: skip
_GROUP = {
    "Path?": _PATH, "GroupName": _NAME, "GroupId": _id("AGPA"), "Arn": _ARN, "CreateDate": DATE,
    "GroupPolicyList?": [_INLINE], "AttachedManagedPolicies?": [_ATTACHED],
}  # fmt: skip
_ROLE = {
    "Path?": _PATH, "RoleName": _NAME, "RoleId": _id("AROA"), "Arn": _ARN, "CreateDate": DATE,
    "AssumeRolePolicyDocument": document("trust"), "Description?": TEXT, "MaxSessionDuration?": NUMBER,
    "InstanceProfileList?": [_PROFILE], "RolePolicyList?": [_INLINE], "AttachedManagedPolicies?": [_ATTACHED],
    "PermissionsBoundary?": _BOUNDARY, "Tags?": TAGS, "RoleLastUsed?": {"LastUsedDate?": DATE, "Region?": TEXT},
}  # fmt: skip
_VERSION = {
    "Document": document("identity"), "VersionId": matching(r"v[1-9][0-9]{0,8}", 'a version such as "v1"'),
    "IsDefaultVersion": TRUTH, "CreateDate": DATE,
}  # fmt: skip
_POLICY = {
    "PolicyName?": _NAME, "PolicyId?": _id("ANPA"), "Arn": _ARN, "Path?": _PATH, "Description?": TEXT,
    "DefaultVersionId?": TEXT, "CreateDate": DATE, "UpdateDate": DATE, "PolicyVersionList": [_VERSION], "Tags?": TAGS,
}  # fmt: skip

SHAPE = {"UserDetailList?": [_USER], "GroupDetailList?": [_GROUP], "RoleDetailList?": [_ROLE], "Policies?": [_POLICY]}


def naive(moment: datetime) -> datetime:
    """As moto keeps dates: in UTC, without saying so."""
    return moment.replace(tzinfo=None)


# -- telling -----------------------------------------------------------------------------------------------------------


def details(account: str) -> dict[str, Any]:
    """What `SHAPE` says of an account's identities."""
    iam = backend(account)
    return {
        "UserDetailList": [_of_user(iam, user) for user in iam.users.values()],
        "GroupDetailList": [_of_group(group) for group in iam.groups.values()],
        "RoleDetailList": [_of_role(iam, role) for role in iam.roles.values()],
        "Policies": [_of_policy(policy) for policy in _own_policies(iam)],
    }


def _common(kind: str, found: Any) -> dict[str, Any]:
    return {
        "Path": found.path,
        f"{kind}Name": found.name,
        f"{kind}Id": found.id,
        "Arn": found.arn,
        "CreateDate": found.create_date,
    }


def _permissions(kind: str, found: Any) -> dict[str, Any]:
    attached = [{"PolicyName": policy.name, "PolicyArn": policy.arn} for policy in found.managed_policies.values()]
    boundary = getattr(found, "permissions_boundary_arn", None)
    return {
        f"{kind}PolicyList": [{"PolicyName": name, "PolicyDocument": text} for name, text in found.policies.items()],
        "AttachedManagedPolicies": attached,
        "PermissionsBoundary": boundary and {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary},
    }


def pairs(tags: Any) -> dict[str, str]:
    """moto's tags, in whichever of its forms."""
    listed = tags.values() if isinstance(tags, Mapping) else tags or ()
    return {tag["Key"]: tag["Value"] for tag in listed}


def _of_user(iam: Any, user: Any) -> dict[str, Any]:
    groups = [group.name for group in iam.groups.values() if user in group.users]
    tags = {"Tags": pairs(user.tags)}
    return {**_common("User", user), **_permissions("User", user), "GroupList": groups, **tags}


def _of_group(group: Any) -> dict[str, Any]:
    return {**_common("Group", group), **_permissions("Group", group)}


def _of_role(iam: Any, role: Any) -> dict[str, Any]:
    profiles = [of_profile(profile) for profile in iam.instance_profiles.values() if role in profile.roles]
    used = {"LastUsedDate": role.last_used, "Region": role.last_used_region} if role.last_used else None
    return {
        **_common("Role", role),
        "AssumeRolePolicyDocument": role.assume_role_policy_document,
        "Description": role.description or None,
        "MaxSessionDuration": int(role.max_session_duration or 3600),
        "InstanceProfileList": profiles,
        **_permissions("Role", role),
        "Tags": pairs(role.tags),
        "RoleLastUsed": used,
    }


def of_profile(profile: Any) -> dict[str, Any]:
    return {**_common("InstanceProfile", profile), "Tags": pairs(profile.tags)}


def _own_policies(iam: Any) -> Iterator[Any]:
    of_aws = {policy.arn: policy for policy in aws_managed_policies()}
    for arn, policy in iam.managed_policies.items():
        if arn not in of_aws or policy.versions is not of_aws[arn].versions:
            yield policy


def _of_policy(policy: Any) -> dict[str, Any]:
    versions = [
        {
            "Document": version.document,
            "VersionId": version.version_id,
            "IsDefaultVersion": version.version_id == policy.default_version_id,
            "CreateDate": version.create_date,
        }
        for version in policy.versions
    ]
    return {
        **_common("Policy", policy),
        "Description": policy.description or None,
        "DefaultVersionId": policy.default_version_id,
        "UpdateDate": policy.update_date,
        "PolicyVersionList": versions,
        "Tags": pairs(policy.tags),
    }


# -- making ------------------------------------------------------------------------------------------------------------


def restore(account: str, told: Mapping[str, Any], store: Store, place: str) -> None:
    """Make the identities that `told` describes, with their IDs and dates. Raises `WorldFileError`."""
    iam = backend(account)
    for index, policy in enumerate(told.get("Policies", ())):
        _restore_policy(iam, account, policy, f"{place}Policies[{index}]")
    for index, group in enumerate(told.get("GroupDetailList", ())):
        where = f"{place}GroupDetailList[{index}]"
        _must_be_new(iam.groups, group["GroupName"], where)
        made = iam.create_group(group["GroupName"], group.get("Path", "/"))
        _fill(iam, made, "Group", group, where)
    for index, user in enumerate(told.get("UserDetailList", ())):
        _restore_user(iam, account, user, store, f"{place}UserDetailList[{index}]")
    for index, role in enumerate(told.get("RoleDetailList", ())):
        _restore_role(iam, account, role, f"{place}RoleDetailList[{index}]")


def _must_be_new(known: Any, name: str, where: str) -> None:
    if name in known:
        raise WorldFileError(f"{where}: there is another {name} in this account already.")


def _fill(iam: Any, made: Any, kind: str, told: Mapping[str, Any], where: str) -> None:
    if made.arn != told["Arn"]:
        raise WorldFileError(f"{where}.Arn: {told['Arn']} should be {made.arn}, as account, path and name have it.")
    made.id, made.create_date = told[f"{kind}Id"], naive(told["CreateDate"])
    for inline in told.get(f"{kind}PolicyList", ()):
        made.policies[inline["PolicyName"]] = inline["PolicyDocument"]
    for entry in told.get("AttachedManagedPolicies", ()):
        _known_policy(iam, entry["PolicyArn"], where).attach_to(made)


def _known_policy(iam: Any, arn: str, where: str) -> Any:
    found = iam.managed_policies.get(arn)
    if found is None:
        raise WorldFileError(
            f"{where} names the policy {arn}, which the file does not hold. Make the dump without --filter, or take "
            "the policy out."
        )
    return found


def _boundary(iam: Any, told: Mapping[str, Any], where: str) -> str | None:
    arn = told.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    return str(_known_policy(iam, arn, where).arn) if arn else None


def _restore_user(iam: Any, account: str, told: Mapping[str, Any], store: Store, where: str) -> None:
    name = told["UserName"]
    _must_be_new(iam.users, name, where)
    tags = [{"Key": key, "Value": value} for key, value in told.get("Tags", {}).items()]
    made = iam.create_user("us-east-1", name, told.get("Path", "/"), tags)
    _fill(iam, made, "User", told, where)
    for group in told.get("GroupList", ()):
        if group not in iam.groups:
            raise WorldFileError(f"{where}.GroupList: there is no group {group} in this account.")
        iam.groups[group].users.append(made)
    if boundary := _boundary(iam, told, where):
        store.set_user_boundary(account, name, boundary)


def _restore_role(iam: Any, account: str, told: Mapping[str, Any], where: str) -> None:
    if entity(account, "roles", told["RoleName"]) is not None or told["RoleId"] in iam.roles:
        raise WorldFileError(f"{where}: there is another {told['RoleName']} in this account already.")
    made = models.Role(
        account_id=account,
        partition=PARTITION,
        role_id=told["RoleId"],
        name=told["RoleName"],
        assume_role_policy_document=told["AssumeRolePolicyDocument"],
        path=told.get("Path", "/"),
        permissions_boundary=_boundary(iam, told, where),
        description=told.get("Description", ""),
        tags=[{"Key": key, "Value": value} for key, value in told.get("Tags", {}).items()],
        max_session_duration=str(told.get("MaxSessionDuration", 3600)),
        linked_service=None,
    )
    _fill(iam, made, "Role", told, where)
    iam.roles[made.id] = made
    if used := told.get("RoleLastUsed", {}).get("LastUsedDate"):
        made.last_used, made.last_used_region = used, told["RoleLastUsed"].get("Region", "")
    for profile in told.get("InstanceProfileList", ()):
        restore_profile(iam, profile, [made])


def restore_profile(iam: Any, told: Mapping[str, Any], roles: list[Any]) -> None:
    tags = [{"Key": key, "Value": value} for key, value in told.get("Tags", {}).items()]
    made = iam.create_instance_profile(told["InstanceProfileName"], told.get("Path", "/"), [], tags)
    made.id, made.create_date, made.roles = told["InstanceProfileId"], naive(told["CreateDate"]), roles


def _restore_policy(iam: Any, account: str, told: Mapping[str, Any], where: str) -> None:
    of_aws = told["Arn"].split(":")[4] == "aws"
    known = iam.managed_policies.get(told["Arn"])
    if known is not None and not of_aws:
        raise WorldFileError(f"{where}: there is another {told['Arn']} in this account already.")
    versions = told["PolicyVersionList"]
    default = next((version for version in versions if version["IsDefaultVersion"]), None)
    if default is None:
        raise WorldFileError(f"{where}.PolicyVersionList: none of these is the default version.")
    cls = models.AWSManagedPolicy if of_aws else models.ManagedPolicy
    made = cls(
        told.get("PolicyName") or told["Arn"].rpartition("/")[2],
        account_id="aws" if of_aws else account,
        region="us-east-1",
        default_version_id=default["VersionId"],
        description=told.get("Description"),
        document=default["Document"],
        path=told.get("Path", "/"),
        create_date=naive(told["CreateDate"]),
        update_date=naive(told["UpdateDate"]),
        tags={key: {"Key": key, "Value": value} for key, value in told.get("Tags", {}).items()},
    )
    if made.arn != told["Arn"]:
        raise WorldFileError(f"{where}.Arn: {told['Arn']} should be {made.arn}, as account, path and name have it.")
    made.id = told.get("PolicyId", made.id)
    made.versions = [_version(made.arn, version) for version in versions]
    made.next_version_num = max(int(version["VersionId"][1:]) for version in versions) + 1
    if known is None or known.versions[-1].document != default["Document"]:
        iam.managed_policies[made.arn] = made


def _version(arn: str, told: Mapping[str, Any]) -> Any:
    is_default, created = told["IsDefaultVersion"], naive(told["CreateDate"])
    return models.PolicyVersion(arn, told["Document"], is_default, told["VersionId"], created)
