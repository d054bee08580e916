"""Session tags, transitive tags and the source identity, along a chain of roles; the packed size of all of it."""

from __future__ import annotations

import random
from typing import Any

import pytest

from simlib import Cloud

from .conftest import allow, document, new_user, refused, trust

ALL = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
TEAM = [{"Key": "team", "Value": "red"}]


@pytest.fixture
def alice(aws: Cloud, iam: Any) -> Any:
    """alice may assume first, first may assume second, and both may be given tags and a source identity."""
    for name in ("first", "second"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust({"AWS": "111111111111"}, ALL))
        iam.put_role_policy(RoleName=name, PolicyName="sts", PolicyDocument=document(allow("sts:*")))
    return new_user(aws, iam, "alice", allow("sts:*"))


def assume(identity: Any, name: str = "first", **more: Any) -> Any:
    arn = f"arn:aws:iam::111111111111:role/{name}"
    return identity.client("sts").assume_role(RoleArn=arn, RoleSessionName="work", **more)


def lists_buckets_when(iam: Any, role: str, **condition: Any) -> None:
    text = document(allow("s3:ListAllMyBuckets", Condition={"StringEquals": condition}), allow("sts:*"))
    iam.put_role_policy(RoleName=role, PolicyName="sts", PolicyDocument=text)


def may_list(identity: Any) -> bool:
    try:
        identity.client("s3").list_buckets()
    except identity.client("s3").exceptions.ClientError:
        return False
    return True


def test_a_session_tag_takes_the_place_of_the_roles_in_any_capitals(aws: Cloud, iam: Any, alice: Any) -> None:
    iam.tag_role(RoleName="first", Tags=[{"Key": "Team", "Value": "blue"}])
    lists_buckets_when(iam, "first", **{"aws:PrincipalTag/team": "red"})
    assert not may_list(aws.sign_in(assume(alice)))
    assert may_list(aws.sign_in(assume(alice, Tags=TEAM)))


@pytest.mark.parametrize("transitive", [True, False])
def test_only_transitive_tags_pass_on(aws: Cloud, iam: Any, alice: Any, transitive: bool) -> None:
    lists_buckets_when(iam, "second", **{"aws:PrincipalTag/team": "red"})
    keys = {"TransitiveTagKeys": ["team"]} if transitive else {}
    first = aws.sign_in(assume(alice, Tags=TEAM, **keys))
    assert may_list(aws.sign_in(assume(first, "second"))) is transitive


def test_transitive_tags_pass_on_again_and_again(aws: Cloud, iam: Any, alice: Any) -> None:
    identity = aws.sign_in(assume(alice, Tags=TEAM, TransitiveTagKeys=["team"]))
    for name in ("second", "first", "second"):
        identity = aws.sign_in(assume(identity, name))
    lists_buckets_when(iam, "second", **{"aws:PrincipalTag/team": "red"})
    assert may_list(identity)


def test_what_a_request_for_tags_may_not_say(aws: Cloud, alice: Any) -> None:
    first = aws.sign_in(assume(alice, Tags=TEAM, TransitiveTagKeys=["team"]))
    twice = [*TEAM, {"Key": "TEAM", "Value": "blue"}]
    said = [
        refused(lambda: assume(first, "second", Tags=[{"Key": "Team", "Value": "blue"}])),
        refused(lambda: assume(alice, TransitiveTagKeys=["team"])),
        refused(lambda: assume(alice, Tags=twice)),
    ]
    assert {code for code, _ in said} == {"InvalidParameterValue"}
    assert "conflicts with a transitive tag key from the calling session" in said[0][1]
    assert "must be included in the requested tags" in said[1][1]
    assert "Duplicate tag keys found" in said[2][1]


def test_a_role_that_receives_transitive_tags_must_let_them_in(aws: Cloud, iam: Any, alice: Any) -> None:
    iam.update_assume_role_policy(RoleName="second", PolicyDocument=trust({"AWS": "111111111111"}))
    first = aws.sign_in(assume(alice, Tags=TEAM, TransitiveTagKeys=["team"]))
    assert "sts:TagSession" in refused(lambda: assume(first, "second"))[1]


def test_a_source_identity_stays_and_survives_chaining(aws: Cloud, iam: Any, alice: Any) -> None:
    lists_buckets_when(iam, "second", **{"aws:SourceIdentity": "alice"})
    first = aws.sign_in(assume(alice, SourceIdentity="alice"))
    assert may_list(aws.sign_in(assume(first, "second")))
    assert may_list(aws.sign_in(assume(first, "second", SourceIdentity="alice")))
    said = refused(lambda: assume(first, "second", SourceIdentity="bob"))
    assert said == ("ValidationError", "The source identity is already set for this assume role session")


def test_every_role_of_the_chain_must_let_a_source_identity_in(aws: Cloud, iam: Any, alice: Any) -> None:
    iam.update_assume_role_policy(RoleName="second", PolicyDocument=trust({"AWS": "111111111111"}))
    first = aws.sign_in(assume(alice, SourceIdentity="alice"))
    assert "sts:SetSourceIdentity" in refused(lambda: assume(first, "second"))[1]


def test_policies_and_tags_have_a_packed_size(aws: Cloud, alice: Any) -> None:
    assert "PackedPolicySize" not in assume(alice)
    small = assume(alice, Tags=TEAM)["PackedPolicySize"]
    larger = assume(alice, Tags=TEAM, Policy=document(allow("s3:*", "arn:aws:s3:::notes/*")))["PackedPolicySize"]
    assert 0 < small < larger <= 100
    noise = random.Random(1)
    many = [{"Key": f"key{n}", "Value": f"{noise.getrandbits(800):x}"} for n in range(50)]
    code, text = refused(lambda: assume(alice, Tags=many))
    assert code == "PackedPolicyTooLarge"
    assert text.startswith("Packed size of session tags consumes ")


def test_a_session_policy_has_its_length(aws: Cloud, alice: Any) -> None:
    long = document(allow("s3:GetObject", "arn:aws:s3:::notes/" + "x" * 2048))
    assert refused(lambda: assume(alice, Policy=long))[0] == "PackedPolicyTooLarge"


def test_managed_policies_serve_as_session_policies(aws: Cloud, iam: Any, alice: Any) -> None:
    iam.attach_role_policy(RoleName="first", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    read_only = [{"arn": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}]
    session = aws.sign_in(assume(alice, PolicyArns=read_only))
    assert may_list(session)
    assert refused(lambda: session.client("s3").create_bucket(Bucket="notes"))[0] == "AccessDenied"
    missing = [{"arn": "arn:aws:iam::111111111111:policy/nothing"}]
    assert refused(lambda: assume(alice, PolicyArns=missing))[0] == "ValidationError"


def test_a_keys_account_is_read_from_its_id(aws: Cloud, dev: Any) -> None:
    prod = aws.account("prod")
    sts = dev.admin.client("sts")
    for account in (dev, prod):
        assert sts.get_access_key_info(AccessKeyId=account.admin.access_key_id)["Account"] == account.id
    assert refused(lambda: sts.get_access_key_info(AccessKeyId="AKIA!!!!!!!!!!!!"))[0] == "ValidationError"
