"""GetFederationToken, and the root user's credentials."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from simlib import Cloud

from .conftest import allow, document, new_user, refused, trust

ACCOUNT = "111111111111"
EMMA = f"arn:aws:sts::{ACCOUNT}:federated-user/emma"
LIST = document(allow("s3:ListAllMyBuckets"))


@pytest.fixture
def broker(aws: Cloud, iam: Any) -> Any:
    """A user that may federate, and everything of S3."""
    return new_user(aws, iam, "broker", allow(["sts:GetFederationToken", "sts:TagSession", "s3:*", "iam:*"]))


def federate(broker: Any, **more: Any) -> Any:
    return broker.client("sts").get_federation_token(Name="emma", **more)


def test_a_federated_user_has_a_name_of_its_own(aws: Cloud, broker: Any) -> None:
    answer = federate(broker, Policy=LIST)
    assert answer["FederatedUser"] == {"FederatedUserId": f"{ACCOUNT}:emma", "Arn": EMMA}
    assert 0 < answer["PackedPolicySize"] <= 100
    lasts = answer["Credentials"]["Expiration"] - aws.clock.now
    assert lasts == pytest.approx(timedelta(hours=12), abs=timedelta(seconds=3))
    who = aws.sign_in(answer).client("sts").get_caller_identity()
    assert (who["Arn"], who["UserId"]) == (EMMA, f"{ACCOUNT}:emma")


def test_it_may_what_both_the_user_and_the_session_policy_allow(aws: Cloud, broker: Any) -> None:
    both = document(allow(["s3:ListAllMyBuckets", "ec2:*"]))
    emma = aws.sign_in(federate(broker, Policy=both))
    emma.client("s3").list_buckets()
    assert "no session policy allows" in refused(lambda: emma.client("s3").create_bucket(Bucket="notes"))[1]
    assert refused(emma.client("ec2").describe_instances)[0] == "UnauthorizedOperation"


def test_without_session_policy_only_a_resource_policy_gives_it_anything(aws: Cloud, dev: Any, broker: Any) -> None:
    emma = aws.sign_in(federate(broker))
    s3 = dev.admin.client("s3")
    s3.create_bucket(Bucket="notes")
    assert refused(emma.client("s3").list_buckets)[0] == "AccessDenied"
    assert refused(lambda: emma.client("s3").list_objects_v2(Bucket="notes"))[0] == "AccessDenied"
    named = document(allow("s3:ListBucket", "arn:aws:s3:::notes", Principal={"AWS": EMMA}))
    s3.put_bucket_policy(Bucket="notes", Policy=named)
    emma.client("s3").list_objects_v2(Bucket="notes")


def test_it_calls_no_iam_and_nothing_of_sts_but_who_am_i(aws: Cloud, broker: Any) -> None:
    emma = aws.sign_in(federate(broker, Policy=document(allow("*"))))
    assert refused(emma.client("iam").list_users)[0] == "InvalidClientTokenId"
    sts = emma.client("sts")
    role = f"arn:aws:iam::{ACCOUNT}:role/reader"
    assert refused(lambda: sts.assume_role(RoleArn=role, RoleSessionName="work"))[0] == "InvalidClientTokenId"
    sts.get_caller_identity()


def test_it_needs_a_permission_and_long_term_keys(aws: Cloud, iam: Any, broker: Any) -> None:
    alice = new_user(aws, iam, "alice")
    code, text = refused(lambda: federate(alice))
    assert code == "AccessDenied"
    assert f"is not authorized to perform: sts:GetFederationToken on resource: {EMMA}" in text
    session = aws.sign_in(broker.client("sts").get_session_token())
    assert refused(lambda: federate(session)) == (
        "AccessDenied",
        "Cannot call GetFederationToken with session credentials",
    )


def test_its_tags_are_principal_tags(aws: Cloud, broker: Any) -> None:
    condition = {"StringEquals": {"aws:PrincipalTag/team": "red"}}
    policy = document(allow("s3:ListAllMyBuckets", Condition=condition))
    red, blue = (
        aws.sign_in(federate(broker, Policy=policy, Tags=[{"Key": "team", "Value": team}])) for team in ("red", "blue")
    )
    red.client("s3").list_buckets()
    assert refused(blue.client("s3").list_buckets)[0] == "AccessDenied"


def test_it_is_gone_with_its_user(aws: Cloud, iam: Any, broker: Any) -> None:
    emma = aws.sign_in(federate(broker, Policy=LIST))
    iam.delete_user_policy(UserName="broker", PolicyName="inline")
    assert refused(emma.client("s3").list_buckets)[0] == "AccessDenied"
    iam.delete_access_key(UserName="broker", AccessKeyId=broker.access_key_id)
    iam.delete_user(UserName="broker")
    assert refused(emma.client("sts").get_caller_identity)[0] == "InvalidClientTokenId"


# -- root ----------------------------------------------------------------------------------------------------------


def test_the_root_user_may_everything_in_its_account_but_assume_a_role(aws: Cloud, dev: Any, iam: Any) -> None:
    root = dev.root
    who = root.client("sts").get_caller_identity()
    assert (who["Arn"], who["UserId"]) == (f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT)
    root.client("iam").create_user(UserName="alice")
    root.client("s3").create_bucket(Bucket="notes")
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument=trust({"AWS": ACCOUNT}))
    role = {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/reader", "RoleSessionName": "work"}
    said = ("AccessDenied", "Roles may not be assumed by root accounts.")
    assert refused(lambda: root.client("sts").assume_role(**role)) == said
    session = aws.sign_in(root.client("sts").get_session_token())
    assert refused(lambda: session.client("sts").assume_role(**role)) == said


def test_the_root_user_cannot_reach_another_account(aws: Cloud, dev: Any) -> None:
    prod = aws.account("prod")
    prod.admin.client("s3").create_bucket(Bucket="theirs")
    assert refused(lambda: dev.root.client("s3").list_objects_v2(Bucket="theirs"))[0] == "AccessDenied"


@pytest.mark.parametrize("seconds", [None, 900, 3600, 129_600])
def test_the_root_users_sessions_last_an_hour_without_complaint(aws: Cloud, dev: Any, seconds: int | None) -> None:
    asked = {"DurationSeconds": seconds} if seconds else {}
    sts = dev.root.client("sts")
    for answer in (sts.get_session_token(**asked), sts.get_federation_token(Name="emma", **asked)):
        lasts = answer["Credentials"]["Expiration"] - aws.clock.now
        assert lasts == pytest.approx(timedelta(seconds=min(seconds or 3600, 3600)), abs=timedelta(seconds=3))


def test_what_root_federates_is_limited_by_the_session_policy_alone(aws: Cloud, dev: Any) -> None:
    emma = aws.sign_in(dev.root.client("sts").get_federation_token(Name="emma", Policy=LIST))
    emma.client("s3").list_buckets()
    assert refused(lambda: emma.client("s3").create_bucket(Bucket="notes"))[0] == "AccessDenied"


def test_the_root_user_looks_itself_up(aws: Cloud, dev: Any) -> None:
    user = dev.root.client("iam").get_user()["User"]
    assert (user["Arn"], user["UserId"]) == (f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT)
