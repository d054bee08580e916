"""STS: who gets temporary credentials, how long they last, and the words of each refusal.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html and API_GetSessionToken.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from simlib import Cloud

from .conftest import allow, deny, document, new_user, refused, trust

ROLE = "arn:aws:iam::111111111111:role/reader"
OTHER = "arn:aws:iam::222222222222:root"
ASSUME = allow("sts:AssumeRole", ROLE)


@pytest.fixture
def role(iam: Any) -> str:
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument=trust({"AWS": "111111111111"}), MaxSessionDuration=7200)
    return ROLE


def assume(identity: Any, arn: str = ROLE, **more: Any) -> Any:
    return identity.client("sts").assume_role(RoleArn=arn, RoleSessionName="work", **more)


def test_an_assumed_role_session_has_asia_keys_an_expiry_and_an_arn_of_its_own(aws: Cloud, iam: Any, role: str) -> None:
    answer = assume(new_user(aws, iam, "alice", ASSUME))
    credentials = answer["Credentials"]
    assert credentials["AccessKeyId"].startswith("ASIA")
    assert len(credentials["AccessKeyId"]) == 20
    assert credentials["Expiration"] - aws.clock.now == pytest.approx(timedelta(hours=1), abs=timedelta(seconds=3))
    assert answer["AssumedRoleUser"]["Arn"] == "arn:aws:sts::111111111111:assumed-role/reader/work"
    role_id = iam.get_role(RoleName="reader")["Role"]["RoleId"]
    assert role_id.startswith("AROA")
    assert answer["AssumedRoleUser"]["AssumedRoleId"] == f"{role_id}:work"
    who = aws.sign_in(answer).client("sts").get_caller_identity()
    assert (who["Arn"], who["UserId"]) == (answer["AssumedRoleUser"]["Arn"], f"{role_id}:work")


TRUST_CASES = [
    # what the trust policy says, the caller's own statements, whether the role is assumed
    ("the account is trusted and the caller may", {"AWS": "111111111111"}, [ASSUME], True),
    ("the account by :root is the same thing", {"AWS": "arn:aws:iam::111111111111:root"}, [ASSUME], True),
    ("the account is trusted but the caller has no permission", {"AWS": "111111111111"}, [], False),
    ("the user is named: no permission of its own is needed", {"AWS": "USER"}, [], True),
    ("another user is named", {"AWS": "OTHER-USER"}, [ASSUME], False),
    ("another account is trusted", {"AWS": OTHER}, [ASSUME], False),
    ("only a service is trusted", {"Service": "ec2.amazonaws.com"}, [ASSUME], False),
    ("everybody is trusted", {"AWS": "*"}, [], True),
    ("the user is named but denies itself", {"AWS": "USER"}, [deny("sts:*")], False),
    ("a wildcard in the permission", {"AWS": "111111111111"}, [allow("sts:Assume*", "*")], True),
    ("the permission is for another role", {"AWS": "111111111111"}, [allow("sts:AssumeRole", ROLE + "x")], False),
]


@pytest.mark.parametrize(
    ("principal", "statements", "works"),
    [case[1:] for case in TRUST_CASES],
    ids=[case[0] for case in TRUST_CASES],
)
def test_trust_and_permission_decide_together(
    aws: Cloud, iam: Any, principal: dict[str, str], statements: list[Any], works: bool
) -> None:
    alice = new_user(aws, iam, "alice", *statements)
    iam.create_user(UserName="bob")
    names = {"USER": "arn:aws:iam::111111111111:user/alice", "OTHER-USER": "arn:aws:iam::111111111111:user/bob"}
    resolved = {kind: names.get(value, value) for kind, value in principal.items()}
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument=trust(resolved))
    if works:
        assert assume(alice)["AssumedRoleUser"]["Arn"].endswith("assumed-role/reader/work")
        return
    user = "arn:aws:iam::111111111111:user/alice"
    text = f"User: {user} is not authorized to perform: sts:AssumeRole on resource: {ROLE}"
    assert refused(lambda: assume(alice)) == ("AccessDenied", text)


@pytest.mark.parametrize(("seconds", "allowed"), [(900, True), (129_600, True), (129_601, False), (None, True)])
def test_how_long_a_session_token_may_last(aws: Cloud, iam: Any, seconds: int | None, allowed: bool) -> None:
    sts = new_user(aws, iam, "alice").client("sts")
    asked = {"DurationSeconds": seconds} if seconds else {}
    if not allowed:
        assert refused(lambda: sts.get_session_token(**asked))[0] == "ValidationError"
        return
    lasts = sts.get_session_token(**asked)["Credentials"]["Expiration"] - aws.clock.now
    assert lasts == pytest.approx(timedelta(seconds=seconds or 43_200), abs=timedelta(seconds=3))


def test_get_session_token_needs_no_permission(aws: Cloud, iam: Any) -> None:
    alice = new_user(aws, iam, "alice", deny("sts:*"))
    session = aws.sign_in(alice.client("sts").get_session_token())
    assert session.access_key_id.startswith("ASIA")


def test_credentials_of_get_session_token_do_not_reach_iam(aws: Cloud, iam: Any) -> None:
    alice = new_user(aws, iam, "alice", allow("*"))
    alice.client("iam").list_users()
    session = aws.sign_in(alice.client("sts").get_session_token())
    assert refused(session.client("iam").list_users)[0] == "InvalidClientTokenId"
    session.client("s3").list_buckets()


def test_who_am_i_works_even_under_an_explicit_deny(aws: Cloud, iam: Any) -> None:
    alice = new_user(aws, iam, "alice", deny("*"))
    assert alice.client("sts").get_caller_identity()["UserId"].startswith("AIDA")


def test_a_session_policy_narrows_and_never_grants(aws: Cloud, iam: Any, role: str) -> None:
    iam.put_role_policy(RoleName="reader", PolicyName="s3", PolicyDocument=document(allow("s3:ListAllMyBuckets")))
    alice = new_user(aws, iam, "alice", ASSUME)
    narrow = aws.sign_in(assume(alice, Policy=document(allow("ec2:*"))))
    assert "no session policy allows" in refused(narrow.client("s3").list_buckets)[1]
    assert refused(narrow.client("ec2").describe_instances)[0] == "UnauthorizedOperation"
    aws.sign_in(assume(alice, Policy=document(allow("s3:*")))).client("s3").list_buckets()


def test_a_session_dies_with_its_role_and_a_new_role_of_that_name_does_not_inherit_it(
    aws: Cloud, iam: Any, role: str
) -> None:
    session = aws.sign_in(assume(new_user(aws, iam, "alice", ASSUME)))
    iam.delete_role(RoleName="reader")
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument=trust({"AWS": "111111111111"}))
    assert refused(session.client("sts").get_caller_identity)[0] == "InvalidClientTokenId"


def test_rotating_the_key_or_narrowing_the_trust_does_not_end_a_session(aws: Cloud, iam: Any, role: str) -> None:
    alice = new_user(aws, iam, "alice", ASSUME)
    session = aws.sign_in(assume(alice))
    iam.delete_access_key(UserName="alice", AccessKeyId=alice.access_key_id)
    iam.update_assume_role_policy(RoleName="reader", PolicyDocument=trust({"Service": "ec2.amazonaws.com"}))
    assert session.client("sts").get_caller_identity()["Arn"].endswith("assumed-role/reader/work")


def test_a_session_is_judged_by_the_roles_policies_of_now(aws: Cloud, iam: Any, role: str) -> None:
    session = aws.sign_in(assume(new_user(aws, iam, "alice", ASSUME)))
    assert refused(session.client("s3").list_buckets)[0] == "AccessDenied"
    iam.put_role_policy(RoleName="reader", PolicyName="s3", PolicyDocument=document(allow("s3:ListAllMyBuckets")))
    session.client("s3").list_buckets()
    iam.delete_role_policy(RoleName="reader", PolicyName="s3")
    assert refused(session.client("s3").list_buckets)[0] == "AccessDenied"


def test_a_long_managed_policy_may_be_a_session_policy(aws: Cloud, iam: Any, role: str) -> None:
    alice = new_user(aws, iam, "alice", ASSUME)
    assert assume(alice, PolicyArns=[{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}])


def test_what_is_no_role_arn_is_invalid(aws: Cloud, iam: Any) -> None:
    alice = new_user(aws, iam, "alice", allow("sts:*"))
    for arn in (
        "arn:aws:iam::1:role/reader-of-logs",
        "arn:aws:iam:::role/reader-of-logs",
        "arn:aws:s3:::a-bucket-name",
    ):
        assert refused(lambda arn=arn: assume(alice, arn)) == ("ValidationError", f"{arn} is invalid")


def test_a_session_has_at_most_ten_managed_session_policies(aws: Cloud, iam: Any, role: str) -> None:
    alice = new_user(aws, iam, "alice", ASSUME)
    one = {"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}
    assert assume(alice, PolicyArns=[one] * 10)["PackedPolicySize"] > 0
    code, text = refused(lambda: assume(alice, PolicyArns=[one] * 11))
    assert code == "ValidationError"
    assert "'policyArns'" in text
