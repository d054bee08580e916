"""Authentication: who AWS believes you to be, and the words with which it does not (AWS: error texts, § by service)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from simlib import Cloud

from .conftest import new_user, refused

INVALID_TOKEN = "The security token included in the request is invalid."
MISMATCH = "The request signature we calculated does not match the signature you provided."
CALLS: dict[str, Callable[[Any], Any]] = {
    "sts": lambda client: client.get_caller_identity(),
    "iam": lambda client: client.list_users(),
    "s3": lambda client: client.list_buckets(),
    "dynamodb": lambda client: client.list_tables(),
    "ec2": lambda client: client.describe_instances(),
    "lambda": lambda client: client.list_functions(),
}


def refusal(service: str, key: str, secret: str, token: str | None = None) -> tuple[str, str]:
    client = boto3.client(
        service,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
    )
    return refused(lambda: CALLS[service](client))


@pytest.mark.parametrize(
    ("service", "code", "text"),
    [
        ("sts", "InvalidClientTokenId", INVALID_TOKEN),
        ("iam", "InvalidClientTokenId", INVALID_TOKEN.rstrip(".")),
        ("s3", "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
        ("dynamodb", "UnrecognizedClientException", INVALID_TOKEN),
        ("lambda", "UnrecognizedClientException", INVALID_TOKEN),
        ("ec2", "AuthFailure", "AWS was not able to validate the provided access credentials"),
    ],
)
def test_an_unknown_key_is_refused_in_each_services_words(aws: Cloud, service: str, code: str, text: str) -> None:
    assert refusal(service, "AKIAIOSFODNN7EXAMPLE", "secret") == (code, text)
    assert "does not know this access key" in str(aws.why())


@pytest.mark.parametrize(
    ("service", "code"),
    [
        ("sts", "SignatureDoesNotMatch"),
        ("iam", "SignatureDoesNotMatch"),
        ("s3", "SignatureDoesNotMatch"),
        ("dynamodb", "InvalidSignatureException"),
        ("lambda", "InvalidSignatureException"),
        ("ec2", "AuthFailure"),
    ],
)
def test_a_wrong_secret_is_refused_in_each_services_words(aws: Cloud, iam: Any, service: str, code: str) -> None:
    alice = new_user(aws, iam, "alice")
    said, text = refusal(service, alice.access_key_id, "x" * 40)
    assert said == code
    assert service == "ec2" or text.startswith(MISMATCH)
    assert aws.trail[-1].decision == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    ("service", "code", "text"),
    [
        ("sts", "ExpiredToken", "The security token included in the request is expired"),
        ("iam", "ExpiredToken", "The security token included in the request is expired"),
        ("s3", "ExpiredToken", "The provided token has expired."),
        ("dynamodb", "ExpiredTokenException", "The security token included in the request is expired"),
        ("ec2", "RequestExpired", "Request has expired."),
    ],
)
def test_an_expired_session_is_refused_to_the_second(aws: Cloud, iam: Any, service: str, code: str, text: str) -> None:
    alice = new_user(aws, iam, "alice", {"Effect": "Allow", "Action": "*", "Resource": "*"})
    session = aws.sign_in(alice.client("sts").get_session_token(DurationSeconds=900))
    if service != "iam":  # IAM does not talk to such credentials even while they live
        CALLS[service](session.client(service))
    aws.clock.advance(seconds=900)
    assert refused(lambda: CALLS[service](session.client(service))) == (code, text)
    CALLS[service](alice.client(service))


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
