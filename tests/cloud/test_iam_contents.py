"""What is not inside of an entity is said in IAM's words, none of moto's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.config import Config

from .conftest import allow, document, refused, trust

READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
MINE = "arn:aws:iam::111111111111:policy/mine"
UNKNOWN_KEY = "AKIAXXXXXXXXXXXXXXXX"
NO_KEY = f"The Access Key with id {UNKNOWN_KEY} cannot be found."
NO_PROFILE = "Login Profile for User alice cannot be found."
NO_VERSION = f"Policy {MINE} version v9 does not exist or is not attachable."
RESERVED = "Tag keys starting with 'aws:' are reserved for internal use"
DUPLICATE = "Duplicate tag keys found. Please note that Tag keys are case insensitive."
ADMIN = "arn:aws:iam::111111111111:user/lab-admin"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


@pytest.fixture
def furnished(dev: Any) -> Any:
    """A client that sends what botocore would refuse, and one entity of each kind: alice, staff, r, profile, mine."""
    iam = dev.admin.session.client("iam", config=Config(parameter_validation=False))
    iam.create_user(UserName="alice")
    iam.create_group(GroupName="staff")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust({"AWS": "111111111111"}))
    iam.create_instance_profile(InstanceProfileName="profile")
    iam.create_policy(PolicyName="mine", PolicyDocument=document(allow("s3:*")))
    iam.create_open_id_connect_provider(Url="https://id.example.com", ClientIDList=["lab"])
    return iam


def tags(*keys: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": "v"} for key in keys]


CASES: dict[str, tuple[Callable[[Any], Any], str, str]] = {
    "a user's inline policy": (
        lambda iam: iam.get_user_policy(UserName="alice", PolicyName="p"),
        "NoSuchEntity", "The user policy with name p cannot be found.",
    ),
    "a group's inline policy": (
        lambda iam: iam.delete_group_policy(GroupName="staff", PolicyName="p"),
        "NoSuchEntity", "The group policy with name p cannot be found.",
    ),
    "a role's inline policy": (
        lambda iam: iam.get_role_policy(RoleName="r", PolicyName="p"),
        "NoSuchEntity", "The role policy with name p cannot be found.",
    ),
    "a key that is not there": (
        lambda iam: iam.delete_access_key(UserName="alice", AccessKeyId=UNKNOWN_KEY), "NoSuchEntity", NO_KEY,
    ),
    "a key's last use": (
        lambda iam: iam.get_access_key_last_used(AccessKeyId=UNKNOWN_KEY), "NoSuchEntity", NO_KEY,
    ),
    "a state that keys do not have": (
        lambda iam: iam.update_access_key(UserName="alice", AccessKeyId=UNKNOWN_KEY, Status="Off"),
        "ValidationError",
        "1 validation error detected: Value 'Off' at 'status' failed to satisfy constraint: "
        "Member must satisfy enum value set: [Active, Inactive, Expired]",
    ),
    "a password that is not there": (
        lambda iam: iam.delete_login_profile(UserName="alice"), "NoSuchEntity", NO_PROFILE,
    ),
    "a version that is not there": (
        lambda iam: iam.get_policy_version(PolicyArn=MINE, VersionId="v9"), "NoSuchEntity", NO_VERSION,
    ),
    "a version to delete": (
        lambda iam: iam.delete_policy_version(PolicyArn=MINE, VersionId="v9"), "NoSuchEntity", NO_VERSION,
    ),
    "a new version of AWS's own policy": (
        lambda iam: iam.create_policy_version(PolicyArn=READ_ONLY, PolicyDocument=document(allow("*"))),
        "AccessDenied",
        f"User: {ADMIN} is not authorized to perform: iam:CreatePolicyVersion on resource: policy {READ_ONLY}",
    ),
    "AWS's own policy deleted": (
        lambda iam: iam.delete_policy(PolicyArn=READ_ONLY),
        "AccessDenied",
        f"User: {ADMIN} is not authorized to perform: iam:DeletePolicy on resource: policy {READ_ONLY}",
    ),
    "a policy's name in other capitals": (
        lambda iam: iam.create_policy(PolicyName="Mine", PolicyDocument=document(allow("*"))),
        "EntityAlreadyExists", "A policy called Mine already exists. Duplicate names are not allowed.",
    ),
    "a user who is in no group": (
        lambda iam: iam.remove_user_from_group(UserName="alice", GroupName="staff"),
        "NoSuchEntity", "The user with name alice is not a member of the group with name staff.",
    ),
    "a role in no profile": (
        lambda iam: iam.remove_role_from_instance_profile(InstanceProfileName="profile", RoleName="r"),
        "NoSuchEntity", "The role with name r is not in the instance profile with name profile.",
    ),
    "a provider without TLS": (
        lambda iam: iam.create_open_id_connect_provider(Url="http://id.example.org", ClientIDList=["lab"]),
        "ValidationError", "Invalid Open ID Connect Provider URL",
    ),
    "a provider twice": (
        lambda iam: iam.create_open_id_connect_provider(Url="https://id.example.com", ClientIDList=["lab"]),
        "EntityAlreadyExists", "Provider with url https://id.example.com already exists.",
    ),
    "an alias that is not there": (
        lambda iam: iam.delete_account_alias(AccountAlias="the-lab"),
        "NoSuchEntity", "The account alias with name the-lab cannot be found.",
    ),
    "a role for no service": (
        lambda iam: iam.create_service_linked_role(AWSServiceName="batch"),
        "InvalidInput", "batch is not the name of a service.",
    ),
    "AWS's own tag": (lambda iam: iam.tag_user(UserName="alice", Tags=tags("AWS:team")), "InvalidInput", RESERVED),
    "a tag twice": (lambda iam: iam.create_user(UserName="b", Tags=tags("A", "a")), "InvalidInput", DUPLICATE),
    "a name with a space": (
        lambda iam: iam.create_user(UserName="alice smith"), "ValidationError",
        "The specified value for userName is invalid. It must contain only alphanumeric characters and/or the "
        "following: +=,.@_-",
    ),
    "an ARN where a name belongs": (
        lambda iam: iam.attach_role_policy(RoleName="arn:aws:iam::111111111111:role/r", PolicyArn=READ_ONLY),
        "ValidationError",
        "The specified value for roleName is invalid. It must contain only alphanumeric characters and/or the "
        "following: +=,.@_-",
    ),
    "a path without a slash": (
        lambda iam: iam.create_group(GroupName="g", Path="team/"), "ValidationError",
        "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric "
        "characters and/or / characters.",
    ),
    "a name that is too long, too": (
        lambda iam: iam.create_user(UserName=f"{'a' * 64} b"), "ValidationError",
        f"1 validation error detected: Value '{'a' * 64} b' at 'userName' failed to satisfy constraint: "
        "Member must have length less than or equal to 64",
    ),
    "one of several names": (
        lambda iam: iam.create_open_id_connect_provider(Url="https://id.example.org", ClientIDList=["a", "b" * 256]),
        "ValidationError",
        f"1 validation error detected: Value '[a, {'b' * 256}]' at 'clientIDList' failed to satisfy constraint: Member "
        "must satisfy constraint: [Member must have length less than or equal to 255, Member must have length greater "
        "than or equal to 1]",
    ),
    "a tag's characters": (
        lambda iam: iam.tag_role(RoleName="r", Tags=tags("team!")),
        "ValidationError",
        "1 validation error detected: Value 'team!' at 'tags.1.member.key' failed to satisfy constraint: "
        r"Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("call", "code", "text"), CASES.values(), ids=CASES.keys())
def test_what_is_not_there(furnished: Any, call: Callable[[Any], Any], code: str, text: str) -> None:
    assert refused(lambda: call(furnished)) == (code, text)


def test_a_second_password_is_one_too_many(furnished: Any) -> None:
    furnished.create_login_profile(UserName="alice", Password="abcDEF123!x")
    said = refused(lambda: furnished.create_login_profile(UserName="alice", Password="abcDEF123!x"))
    assert said == ("EntityAlreadyExists", "Login Profile for user alice already exists.")


def test_letters_of_every_alphabet_and_spaces_may_be_in_a_tag(furnished: Any) -> None:
    furnished.tag_user(UserName="alice", Tags=[{"Key": "équipe de nuit", "Value": "北京/2"}])
    assert furnished.list_user_tags(UserName="alice")["Tags"] == [{"Key": "équipe de nuit", "Value": "北京/2"}]


def test_what_the_lab_does_not_offer_is_said_in_a_sentence(furnished: Any, dev: Any) -> None:
    code, text = refused(lambda: furnished.get_service_last_accessed_details(JobId="x" * 36))
    assert (code, text) == (
        "NotImplemented", "The lab's AWS does not offer iam:GetServiceLastAccessedDetails; nothing was done."
    )  # fmt: skip
    organizations = dev.admin.client("organizations")
    organizations.create_organization()
    target = {"Id": "222222222222", "Type": "ACCOUNT"}
    assert "aws.account(name, organization=management)" in refused(
        lambda: organizations.invite_account_to_organization(Target=target)
    )[1]  # fmt: skip
    task = {"arn": "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"}
    sts = dev.admin.client("sts")
    asked = {"TargetPrincipal": "222222222222", "TaskPolicyArn": task}
    assert "account.root" in refused(lambda: sts.assume_root(**asked))[1]
    said = refused(lambda: dev.admin.session.client(
        "sts", config=Config(parameter_validation=False)).assume_root(**asked, DurationSeconds=901)
    )  # fmt: skip
    assert said[0] == "ValidationError"
    assert said[1].endswith("Member must have value less than or equal to 900")
