"""Cloud: opening and closing worlds, accounts, signing in, asking why."""

from __future__ import annotations

import os
import socket
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from botocore.handlers import BUILTIN_HANDLERS

from simlib import Cloud

from .conftest import allow, document, new_user, refused


def test_accounts_are_created_on_first_mention_and_numbered(aws: Cloud) -> None:
    assert [aws.account(name).id for name in ("dev", "prod", "dev")] == ["1" * 12, "2" * 12, "1" * 12]
    assert aws.account("prod").admin.client("sts").get_caller_identity()["Account"] == "2" * 12


def test_starting_again_gives_a_fresh_world(aws: Cloud, iam: Any) -> None:
    iam.create_user(UserName="alice")
    fresh = Cloud.start()
    try:
        users = fresh.account("dev").admin.client("iam").list_users()["Users"]
        assert "alice" not in {user["UserName"] for user in users}
        assert len(fresh.trail) == 1
    finally:
        fresh.stop()


def _surroundings() -> list[Any]:
    """What a world changes in this process and in other people's modules."""
    import botocore.httpsession
    import moto.iam.models as iam
    import time_machine
    from moto.core.config import default_user_config
    from moto.s3.models import FakeBucket

    classes = [iam.User.__init__, iam.Group.__init__, iam.ManagedPolicy.__init__, iam.IAMBackend._init_aws_policies]
    travels = list(getattr(time_machine, "traveller_stack", ()))
    ways_out = [botocore.httpsession.URLLib3Session.send, socket.getaddrinfo, boto3.DEFAULT_SESSION]
    mine = [dict(os.environ), list(BUILTIN_HANDLERS)]
    return [*classes, FakeBucket.get_permission, dict(default_user_config), travels, *ways_out, *mine]


@pytest.mark.parametrize("fails", [None, "Gate", "Store", "Endpoint"])
def test_nothing_is_left_after_the_end_or_a_start_that_fails(
    fails: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _surroundings()
    with monkeypatch.context() as patch:
        if fails:
            patch.setattr(f"simlib.cloud.world.{fails}", lambda *_, **__: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                Cloud.start()
        else:
            world = Cloud.start()
            assert _surroundings() != before
            world.account("dev").admin.client("iam").create_user(UserName="alice")
            world.clock.advance(days=400)
            world.stop()
            world.stop()
    assert _surroundings() == before
    assert Cloud.running is None


def test_a_plain_boto3_client_meets_the_same_gate(aws: Cloud, iam: Any) -> None:
    alice = new_user(aws, iam, "alice")
    keys = {"aws_access_key_id": alice.access_key_id, "aws_secret_access_key": alice.secret_access_key}
    plain = boto3.client("s3", region_name="us-east-1", **keys)
    assert refused(plain.list_buckets)[0] == "AccessDenied"
    elsewhere = boto3.client("s3", region_name="eu-west-1", endpoint_url="https://s3.eu-west-1.amazonaws.com", **keys)
    assert refused(elsewhere.list_buckets)[0] == "AccessDenied"


def test_variables_set_after_the_start_count(aws: Cloud, iam: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    alice = new_user(aws, iam, "alice")
    with pytest.raises(NoCredentialsError, match="Unable to locate credentials"):
        boto3.Session().client("sts").get_caller_identity()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", alice.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", alice.secret_access_key)
    assert boto3.Session().client("sts").get_caller_identity()["Arn"].endswith("user/alice")


def test_sign_in_takes_any_answer_with_credentials_and_says_what_is_missing(aws: Cloud, iam: Any) -> None:
    iam.create_user(UserName="alice")
    assert aws.sign_in(iam.create_access_key(UserName="alice")).client("sts").get_caller_identity()
    with pytest.raises(ValueError, match="No credentials in this answer"):
        aws.sign_in(iam.list_access_keys(UserName="alice"))


def test_why_explains_the_last_refusal_or_a_given_error(aws: Cloud, iam: Any) -> None:
    assert str(aws.why()) == "Nothing has been refused so far."
    alice = new_user(aws, iam, "alice", allow("s3:ListAllMyBuckets"))
    with pytest.raises(ClientError) as first:
        alice.client("iam").list_users()
    with pytest.raises(ClientError):
        alice.client("ec2").describe_instances()
    assert "ec2:DescribeInstances" in str(aws.why())
    assert "iam:ListUsers" in str(aws.why(first.value))
    with pytest.raises(ClientError) as missing:
        iam.get_user(UserName="nobody")
    assert "The policies allowed this." in str(aws.why(missing.value))
    with pytest.raises(ValueError, match="did not come from a call of this world"):
        aws.why(KeyError("x"))


def test_the_trail_tells_when_who_what_and_how_it_was_decided(aws: Cloud, iam: Any) -> None:
    alice = new_user(aws, iam, "alice")
    refused(alice.client("s3").list_buckets)
    event = aws.trail[-1]
    assert event.when.tzinfo is not None
    assert (event.who, event.action, event.resource, event.decision, event.error_code) == (
        "arn:aws:iam::111111111111:user/alice",
        "s3:ListAllMyBuckets",
        "arn:aws:s3:::*",
        "IMPLICIT_DENY",
        "AccessDenied",
    )
    assert "s3:ListAllMyBuckets" in repr(aws.trail)


def test_what_was_called_since_a_number_is_told_past_the_bound_too() -> None:
    with Cloud.start(trail_bound=3) as world:
        assert (world.trail.total, world.trail.since(0)) == (0, [])
        sts = world.account("dev").admin.client("sts")
        for _ in range(5):
            sts.get_caller_identity()
        before = world.trail.total
        sts.get_caller_identity()
        assert [event.number for event in world.trail.since(before)] == [6]
        assert [event.number for event in world.trail.since(0)] == [4, 5, 6]
        assert world.trail.since(world.trail.total) == []


def test_a_permissions_boundary_of_a_role_is_a_ceiling(aws: Cloud, iam: Any, dev: Any) -> None:
    arn = iam.create_policy(PolicyName="ceiling", PolicyDocument=document(allow("ec2:*")))["Policy"]["Arn"]
    trusted = document({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"})
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trusted, PermissionsBoundary=arn)
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=document(allow("s3:*")))
    sts = dev.admin.client("sts")
    session = aws.sign_in(sts.assume_role(RoleArn="arn:aws:iam::111111111111:role/r", RoleSessionName="me"))
    assert "no permissions boundary allows" in refused(session.client("s3").list_buckets)[1]


def test_a_stopped_world_says_so_and_leaves_the_running_one_alone() -> None:
    old = Cloud.start()
    old.account("dev")
    with Cloud.start() as fresh:
        with pytest.raises(RuntimeError, match="has been stopped"):
            old.account("late")
        assert fresh.account("first").id == "1" * 12


def test_a_mistake_of_the_labs_own_is_an_answer_and_never_an_exception(
    aws: Cloud, dev: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simlib.cloud.gate.permissions_of", lambda *_: 1 / 0)
    code, text = refused(dev.admin.client("s3").list_buckets)
    assert code == "NotImplemented"
    assert "ZeroDivisionError" in text
    assert aws.trail[-1].decision == "INVALID"


def test_a_bucket_name_that_another_account_has_is_taken(aws: Cloud, dev: Any) -> None:
    dev.admin.client("s3").create_bucket(Bucket="wanted-name")
    other = aws.account("other").admin.client("s3")
    assert refused(lambda: other.create_bucket(Bucket="wanted-name"))[0] == "BucketAlreadyExists"
