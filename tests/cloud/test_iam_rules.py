"""What IAM refuses although the policies allow it, in its own words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import jmespath
import pytest
from botocore.exceptions import ClientError

from simlib import Cloud
from simlib.cloud.services import rules

from .conftest import allow, deny, document, new_user, refused, trust

ACCOUNT = "111111111111"
TRUST = trust({"AWS": ACCOUNT})
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"

Call = Callable[[Any], Any]


@pytest.fixture
def staff(iam: Any) -> Any:
    """alice, the group developers, the role reader and the profile web."""
    iam.create_user(UserName="alice")
    iam.create_group(GroupName="developers")
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument=TRUST)
    iam.create_instance_profile(InstanceProfileName="web")
    return iam


def own_policy(iam: Any, name: str = "mine") -> str:
    return str(iam.create_policy(PolicyName=name, PolicyDocument=document(allow("s3:*")))["Policy"]["Arn"])


NAMES = [
    # the call, the code, the text
    (lambda c: c.get_user(UserName="bob"), "NoSuchEntity", "The user with name bob cannot be found."),
    (lambda c: c.create_access_key(UserName="bob"), "NoSuchEntity", "The user with name bob cannot be found."),
    (lambda c: c.get_role(RoleName="writer"), "NoSuchEntity", "The role with name writer cannot be found."),
    (lambda c: c.get_group(GroupName="ops"), "NoSuchEntity", "The group with name ops cannot be found."),
    (lambda c: c.get_instance_profile(InstanceProfileName="db"), "NoSuchEntity",
     "Instance Profile db cannot be found."),
    (lambda c: c.get_policy(PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/none"), "NoSuchEntity",
     f"Policy arn:aws:iam::{ACCOUNT}:policy/none was not found."),
    (lambda c: c.attach_user_policy(UserName="alice", PolicyArn="arn:aws:iam::aws:policy/Nothing"), "NoSuchEntity",
     "Policy arn:aws:iam::aws:policy/Nothing does not exist or is not attachable."),
    (lambda c: c.create_user(UserName="alice"), "EntityAlreadyExists", "User with name alice already exists."),
    (lambda c: c.create_user(UserName="ALICE"), "EntityAlreadyExists", "User with name ALICE already exists."),
    (lambda c: c.create_group(GroupName="Developers"), "EntityAlreadyExists",
     "Group with name Developers already exists."),
    (lambda c: c.create_role(RoleName="reader", AssumeRolePolicyDocument=TRUST), "EntityAlreadyExists",
     "Role with name reader already exists."),
    (lambda c: c.create_role(RoleName="b", AssumeRolePolicyDocument=TRUST, PermissionsBoundary=own_policy(c) + "x"),
     "NoSuchEntity", f"Scope ARN: arn:aws:iam::{ACCOUNT}:policy/minex does not exist or is not attachable."),
    (lambda c: c.put_role_permissions_boundary(
        RoleName="reader", PermissionsBoundary=f"arn:aws:iam::{ACCOUNT}:policy/x"),
     "NoSuchEntity", f"Scope ARN: arn:aws:iam::{ACCOUNT}:policy/x does not exist or is not attachable."),
]  # fmt: skip


@pytest.mark.parametrize(("call", "code", "text"), NAMES, ids=[case[2] for case in NAMES])
def test_names_must_exist_or_be_free(aws: Cloud, staff: Any, call: Call, code: str, text: str) -> None:
    assert refused(lambda: call(staff)) == (code, text)
    assert aws.trail[-1].decision == "ALLOW"  # it was not the policies that said no


CONFLICTS = [
    # what hangs on it, the deletion, the text after "Cannot delete entity, "
    (lambda c: c.create_access_key(UserName="alice"), "user", "must delete access keys first."),
    (lambda c: c.create_login_profile(UserName="alice", Password="Correct-horse-1"), "user",
     "must delete login profile first."),
    (lambda c: c.add_user_to_group(UserName="alice", GroupName="developers"), "user",
     "must remove users from group first."),
    (lambda c: c.attach_user_policy(UserName="alice", PolicyArn=READ_ONLY), "user", "must detach all policies first."),
    (lambda c: c.put_user_policy(UserName="alice", PolicyName="p", PolicyDocument=document(allow("s3:*"))), "user",
     "must delete policies first."),
    (lambda c: c.add_user_to_group(UserName="alice", GroupName="developers"), "group",
     "must remove users from group first."),
    (lambda c: c.attach_group_policy(GroupName="developers", PolicyArn=READ_ONLY), "group",
     "must detach all policies first."),
    (lambda c: c.put_group_policy(GroupName="developers", PolicyName="p", PolicyDocument=document(allow("s3:*"))),
     "group", "must delete policies first."),
    (lambda c: c.attach_role_policy(RoleName="reader", PolicyArn=READ_ONLY), "role", "must detach all policies first."),
    (lambda c: c.put_role_policy(RoleName="reader", PolicyName="p", PolicyDocument=document(allow("s3:*"))), "role",
     "must delete policies first."),
    (lambda c: c.add_role_to_instance_profile(InstanceProfileName="web", RoleName="reader"), "role",
     "must remove roles from instance profile first."),
    (lambda c: c.add_role_to_instance_profile(InstanceProfileName="web", RoleName="reader"), "profile",
     "must remove roles from instance profile first."),
]  # fmt: skip
DELETIONS: dict[str, Call] = {
    "user": lambda c: c.delete_user(UserName="alice"),
    "group": lambda c: c.delete_group(GroupName="developers"),
    "role": lambda c: c.delete_role(RoleName="reader"),
    "profile": lambda c: c.delete_instance_profile(InstanceProfileName="web"),
}


@pytest.mark.parametrize(("hang", "kind", "text"), CONFLICTS, ids=[f"{case[1]}: {case[2]}" for case in CONFLICTS])
def test_what_something_hangs_on_is_not_deleted(aws: Cloud, staff: Any, hang: Call, kind: str, text: str) -> None:
    hang(staff)
    assert refused(lambda: DELETIONS[kind](staff)) == ("DeleteConflict", f"Cannot delete entity, {text}")


@pytest.mark.parametrize("kind", DELETIONS)
def test_what_nothing_hangs_on_is(aws: Cloud, staff: Any, kind: str) -> None:
    DELETIONS[kind](staff)


def test_a_policy_in_use_is_not_deleted(aws: Cloud, staff: Any) -> None:
    arn = own_policy(staff)
    attached = ("DeleteConflict", "Cannot delete a policy attached to entities.")
    staff.attach_user_policy(UserName="alice", PolicyArn=arn)
    assert refused(lambda: staff.delete_policy(PolicyArn=arn)) == attached
    staff.detach_user_policy(UserName="alice", PolicyArn=arn)
    staff.put_user_permissions_boundary(UserName="alice", PermissionsBoundary=arn)
    assert refused(lambda: staff.delete_policy(PolicyArn=arn)) == attached
    staff.delete_user_permissions_boundary(UserName="alice")
    staff.create_policy_version(PolicyArn=arn, PolicyDocument=document(allow("s3:*")), SetAsDefault=True)
    code, text = refused(lambda: staff.delete_policy(PolicyArn=arn))
    assert code == "DeleteConflict"
    assert text.startswith("This policy has more than one version.")
    staff.delete_policy_version(PolicyArn=arn, VersionId="v1")
    staff.delete_policy(PolicyArn=arn)


def test_ten_groups_ten_policies_two_keys_five_versions_and_one_role(aws: Cloud, staff: Any) -> None:
    for number in range(10):
        staff.create_group(GroupName=f"group-{number}")
        staff.add_user_to_group(UserName="alice", GroupName=f"group-{number}")
        staff.attach_role_policy(RoleName="reader", PolicyArn=own_policy(staff, f"policy-{number}"))
    staff.add_user_to_group(UserName="alice", GroupName="group-0")  # again is no more
    eleventh = own_policy(staff, "eleventh")
    first = staff.create_access_key(UserName="alice")["AccessKey"]["AccessKeyId"]
    staff.update_access_key(UserName="alice", AccessKeyId=first, Status="Inactive")  # counts all the same
    staff.create_access_key(UserName="alice")
    for _ in range(4):
        staff.create_policy_version(PolicyArn=eleventh, PolicyDocument=document(allow("s3:*")))
    staff.create_role(RoleName="writer", AssumeRolePolicyDocument=TRUST)
    staff.add_role_to_instance_profile(InstanceProfileName="web", RoleName="reader")
    said = [
        refused(lambda: staff.add_user_to_group(UserName="alice", GroupName="developers")),
        refused(lambda: staff.attach_role_policy(RoleName="reader", PolicyArn=eleventh)),
        refused(lambda: staff.create_access_key(UserName="alice")),
        refused(lambda: staff.create_policy_version(PolicyArn=eleventh, PolicyDocument=document(allow("s3:*")))),
        refused(lambda: staff.add_role_to_instance_profile(InstanceProfileName="web", RoleName="writer")),
    ]
    assert said == [
        ("LimitExceeded", "Cannot exceed quota for GroupsPerUser: 10"),
        ("LimitExceeded", "Cannot exceed quota for PoliciesPerRole: 10"),
        ("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2"),
        (
            "LimitExceeded",
            "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing "
            "version.",
        ),
        ("LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1"),
    ]


def test_every_row_of_the_table_can_be_read() -> None:
    for rows in (rows for rows in rules._TABLE.values() if isinstance(rows, list)):
        for operations, when, code, text in rows:
            assert jmespath.compile(when)
            assert not re.search(r"!\w+\.", when), f"{operations}: JMESPath reads !a.b as (!a).b"
            assert code
            assert text


def test_an_account_holds_so_many(staff: Any) -> None:
    for number in range(299):
        staff.create_group(GroupName=f"group-{number}")
    said = refused(lambda: staff.create_group(GroupName="one-more"))
    assert said == ("LimitExceeded", "Cannot exceed quota for GroupsPerAccount: 300")


def padded(size: int) -> str:
    """A permission policy of that many characters without white space."""
    empty = json.loads(document(allow("s3:GetObject", "arn:aws:s3:::notes/")))
    short = len(json.dumps(empty, separators=(",", ":")))
    return document(allow("s3:GetObject", "arn:aws:s3:::notes/" + "x" * (size - short)))


def test_inline_policies_share_one_quota(aws: Cloud, staff: Any) -> None:
    text = ("LimitExceeded", "Maximum policy size of 2048 bytes exceeded for user alice")
    staff.put_user_policy(UserName="alice", PolicyName="a", PolicyDocument=padded(1500))
    assert refused(lambda: staff.put_user_policy(UserName="alice", PolicyName="b", PolicyDocument=padded(549))) == text
    staff.put_user_policy(UserName="alice", PolicyName="b", PolicyDocument=padded(548))
    staff.put_user_policy(UserName="alice", PolicyName="a", PolicyDocument=padded(1400))  # takes the place of itself
    assert refused(lambda: staff.put_user_policy(UserName="alice", PolicyName="a", PolicyDocument=padded(2049))) == text


def test_tags_count_together(aws: Cloud, staff: Any) -> None:
    tags = [{"Key": f"k{number}", "Value": "v"} for number in range(50)]
    staff.tag_user(UserName="alice", Tags=tags)
    staff.tag_user(UserName="alice", Tags=[{"Key": "k0", "Value": "changed"}])
    code, _ = refused(lambda: staff.tag_user(UserName="alice", Tags=[{"Key": "one-more", "Value": "v"}]))
    assert code == "LimitExceeded"


def test_a_roles_sessions_last_twelve_hours_at_most(aws: Cloud, staff: Any) -> None:
    long = {"MaxSessionDuration": 43_201}  # below an hour botocore itself refuses
    text = (
        "1 validation error detected: Value '43201' at 'maxSessionDuration' failed to satisfy constraint: "
        "Member must have value less than or equal to 43200"
    )
    assert refused(lambda: staff.update_role(RoleName="reader", **long)) == ("ValidationError", text)
    new = {"RoleName": "b", "AssumeRolePolicyDocument": TRUST}
    assert refused(lambda: staff.create_role(**new, **long)) == ("ValidationError", text)


def test_an_update_changes_what_it_names(aws: Cloud, staff: Any) -> None:
    staff.update_role(RoleName="reader", Description="reads", MaxSessionDuration=7200)
    staff.update_role(RoleName="reader", MaxSessionDuration=10_800)
    role = staff.get_role(RoleName="reader")["Role"]
    assert (role["Description"], role["MaxSessionDuration"]) == ("reads", 10_800)


def test_a_renamed_user_keeps_keys_and_tags(aws: Cloud, staff: Any) -> None:
    alice = aws.sign_in(staff.create_access_key(UserName="alice"))
    staff.tag_user(UserName="alice", Tags=[{"Key": "team", "Value": "red"}])
    staff.update_user(UserName="alice", NewUserName="alice.b", NewPath="/team/")
    assert alice.client("sts").get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/team/alice.b"
    assert staff.list_user_tags(UserName="alice.b")["Tags"] == [{"Key": "team", "Value": "red"}]


def test_a_user_may_leave_out_its_own_name(aws: Cloud, iam: Any) -> None:
    alice = new_user(aws, iam, "alice", allow("iam:*", f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}"))
    client = alice.client("iam")
    assert client.get_user()["User"]["UserName"] == "alice"
    second = client.create_access_key()["AccessKey"]
    assert second["UserName"] == "alice"
    assert len(client.list_access_keys()["AccessKeyMetadata"]) == 2
    client.update_access_key(AccessKeyId=second["AccessKeyId"], Status="Inactive")
    assert refused(aws.sign_in(second).client("sts").get_caller_identity)[0] == "InvalidClientTokenId"
    client.delete_access_key(AccessKeyId=second["AccessKeyId"])
    assert client.list_mfa_devices()["MFADevices"] == []


def test_names_may_hold_what_urls_do_not(aws: Cloud, iam: Any) -> None:
    client = new_user(aws, iam, "a+b=c@d,e", allow("iam:*")).client("iam")
    assert client.get_user()["User"]["UserName"] == "a+b=c@d,e"
    assert len(client.list_access_keys()["AccessKeyMetadata"]) == 1


def test_a_role_session_has_no_user_to_leave_out(aws: Cloud, iam: Any) -> None:
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument=TRUST)
    iam.attach_role_policy(RoleName="reader", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    sts = new_user(aws, iam, "alice", allow("sts:AssumeRole")).client("sts")
    session = aws.sign_in(sts.assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/reader", RoleSessionName="work"))
    said = refused(session.client("iam").get_user)
    assert said == ("ValidationError", "Must specify userName when calling with non-User credentials")


def test_only_its_service_changes_a_service_linked_role(aws: Cloud, iam: Any) -> None:
    role = iam.create_service_linked_role(AWSServiceName="elasticbeanstalk.amazonaws.com")["Role"]
    name = role["RoleName"]
    text = f"Cannot perform the operation on the protected role '{name}' - this role is only modifiable by AWS"
    assert refused(lambda: iam.attach_role_policy(RoleName=name, PolicyArn=READ_ONLY)) == ("UnmodifiableEntity", text)
    assert refused(lambda: iam.delete_role(RoleName=name)) == ("UnmodifiableEntity", text)
    iam.delete_service_linked_role(RoleName=name)


def test_a_deputy_can_be_made_to_set_a_boundary(aws: Cloud, iam: Any) -> None:
    """The delegation of the User Guide's page on permissions boundaries."""
    arn = own_policy(iam, "limit")
    condition = {"StringEquals": {"iam:PermissionsBoundary": arn}}
    deputy = new_user(
        aws,
        iam,
        "deputy",
        allow(["iam:CreateUser", "iam:PutUserPolicy", "iam:AttachUserPolicy"], Condition=condition),
        deny("iam:DeleteUserPermissionsBoundary"),
    ).client("iam")
    assert refused(lambda: deputy.create_user(UserName="free"))[0] == "AccessDenied"
    deputy.create_user(UserName="bounded", PermissionsBoundary=arn)
    policy = {"PolicyName": "p", "PolicyDocument": document(allow("*"))}
    deputy.put_user_policy(UserName="bounded", **policy)
    iam.create_user(UserName="other")
    assert refused(lambda: deputy.put_user_policy(UserName="other", **policy))[0] == "AccessDenied"
    assert refused(lambda: deputy.delete_user_permissions_boundary(UserName="bounded"))[0] == "AccessDenied"
    bounded = aws.sign_in(iam.create_access_key(UserName="bounded"))
    bounded.client("s3").list_buckets()
    with pytest.raises(ClientError, match="no permissions boundary allows"):
        bounded.client("iam").list_users()
