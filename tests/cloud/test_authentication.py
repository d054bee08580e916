"""Authentication: who AWS believes you to be. The words with which it does not are in `test_error_table`."""

from __future__ import annotations

from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config

from simlib import Cloud

from .conftest import new_user, refused


def refusal(service: str, key: str, secret: str, token: str | None = None) -> tuple[str, str]:
    client = boto3.client(
        service, "us-east-1", aws_access_key_id=key, aws_secret_access_key=secret, aws_session_token=token
    )
    return refused(client.list_buckets if service == "s3" else client.get_caller_identity)


def test_who_is_not_believed_stands_in_the_trail_as_such(aws: Cloud, iam: Any) -> None:
    alice = new_user(aws, iam, "alice")
    assert refusal("sts", alice.access_key_id, "x" * 40)[0] == "SignatureDoesNotMatch"
    assert (aws.trail[-1].decision, aws.trail[-1].access_key_id) == ("UNAUTHENTICATED", alice.access_key_id)
    assert refusal("sts", "AKIAIOSFODNN7EXAMPLE", "secret")[0] == "InvalidClientTokenId"
    assert "does not know this access key" in str(aws.why())
    assert aws.trail[-1].access_key_id == ""  # it may be a real one


def test_a_temporary_key_without_its_token_is_nothing(aws: Cloud, iam: Any) -> None:
    alice = new_user(aws, iam, "alice")
    session = aws.sign_in(alice.client("sts").get_session_token())
    assert refusal("sts", session.access_key_id, session.secret_access_key)[0] == "InvalidClientTokenId"
    assert "only good together with its session token" in str(aws.why())


def test_the_token_of_another_session_is_refused(aws: Cloud, iam: Any) -> None:
    alice = new_user(aws, iam, "alice")
    one, other = (aws.sign_in(alice.client("sts").get_session_token()) for _ in range(2))
    said = refusal("s3", one.access_key_id, one.secret_access_key, other.session_token)
    assert said == ("InvalidToken", "The provided token is malformed or otherwise invalid.")


def test_an_inactive_key_is_refused_and_works_again_when_activated(aws: Cloud, iam: Any) -> None:
    alice = new_user(aws, iam, "alice")
    iam.update_access_key(UserName="alice", AccessKeyId=alice.access_key_id, Status="Inactive")
    assert refused(alice.client("sts").get_caller_identity)[0] == "InvalidClientTokenId"
    iam.update_access_key(UserName="alice", AccessKeyId=alice.access_key_id, Status="Active")
    assert alice.client("sts").get_caller_identity()["Arn"].endswith("user/alice")


def test_a_deleted_key_is_unknown(aws: Cloud, iam: Any) -> None:
    alice = new_user(aws, iam, "alice")
    iam.delete_access_key(UserName="alice", AccessKeyId=alice.access_key_id)
    assert refused(alice.client("sts").get_caller_identity)[0] == "InvalidClientTokenId"


def test_a_key_has_no_expiry(aws: Cloud, iam: Any) -> None:
    alice = new_user(aws, iam, "alice")
    aws.clock.advance(days=365)
    assert alice.client("sts").get_caller_identity()["Arn"] == "arn:aws:iam::111111111111:user/alice"


def test_an_unsigned_call_is_refused_except_by_s3_which_asks_the_bucket(aws: Cloud, dev: Any) -> None:
    unsigned = Config(signature_version=UNSIGNED)
    sts = boto3.client("sts", region_name="us-east-1", config=unsigned)
    assert refused(sts.get_caller_identity)[0] == "MissingAuthenticationToken"
    dev.admin.client("s3").create_bucket(Bucket="private-bucket")
    s3 = boto3.client("s3", region_name="us-east-1", config=unsigned)
    assert refused(lambda: s3.list_objects_v2(Bucket="private-bucket")) == ("AccessDenied", "Access Denied")


def test_a_client_of_a_world_that_is_gone_is_unknown_in_the_next(aws: Cloud, dev: Any) -> None:
    client = dev.admin.client("sts")
    client.get_caller_identity()
    with Cloud.start() as fresh:
        fresh.account("dev")
        assert refused(client.get_caller_identity)[0] == "InvalidClientTokenId"
