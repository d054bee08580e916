"""The trail in CloudTrail's shape: who really acted, also behind a role."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from types import FunctionType
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simlib import Cloud
from simlib.cloud import cloudtrail

from .conftest import allow, new_user, refused, trust


def test_a_users_call_names_the_user_and_the_refusal(aws: Cloud, iam: Any) -> None:
    alice = new_user(aws, iam, "alice")
    refused(alice.client("ec2").describe_instances)
    record = aws.trail.cloudtrail()[-1]
    assert record["userIdentity"]["type"] == "IAMUser"
    assert record["userIdentity"]["userName"] == "alice"
    assert record["userIdentity"]["principalId"].startswith("AIDA")
    assert (record["eventSource"], record["eventName"]) == ("ec2.amazonaws.com", "DescribeInstances")
    assert record["errorCode"] == "UnauthorizedOperation"
    assert record["eventTime"].endswith("Z")


def test_behind_a_role_the_session_and_its_issuer_are_named(aws: Cloud, iam: Any) -> None:
    both = ["sts:AssumeRole", "sts:SetSourceIdentity"]
    arn = iam.create_role(RoleName="reader", AssumeRolePolicyDocument=trust({"AWS": "111111111111"}, both))["Role"][
        "Arn"
    ]
    alice = new_user(aws, iam, "alice", allow(both))
    answer = alice.client("sts").assume_role(RoleArn=arn, RoleSessionName="work", SourceIdentity="alice@example.com")
    aws.sign_in(answer).client("sts").get_caller_identity()
    identity = aws.trail.cloudtrail()[-1]["userIdentity"]
    assert identity["type"] == "AssumedRole"
    assert identity["arn"] == "arn:aws:sts::111111111111:assumed-role/reader/work"
    issuer = identity["sessionContext"]["sessionIssuer"]
    assert (issuer["arn"], issuer["userName"]) == (arn, "reader")
    assert issuer["principalId"] == identity["principalId"].partition(":")[0]
    assert identity["sessionContext"]["sourceIdentity"] == "alice@example.com"


def test_a_stranger_is_unknown_and_no_record_holds_a_secret(aws: Cloud, iam: Any) -> None:
    alice = new_user(aws, iam, "alice")
    session = aws.sign_in(alice.client("sts").get_session_token())
    session.client("sts").get_caller_identity()
    text = str(aws.trail.cloudtrail()) + repr(aws.trail)
    assert session.access_key_id in text
    for secret in (session.secret_access_key, session.session_token, alice.secret_access_key):
        assert secret not in text


HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
QUEUE = "https://queue.amazonaws.com/111111111111/jobs"
KEY = "11111111-1111-1111-1111-111111111111"
# a call of a service, and what its record says of it
SAID: list[tuple[str, str, dict[str, Any], Any]] = [
    ("sts", "get_caller_identity", {}, None),
    ("iam", "list_users", {}, None),
    ("iam", "create_user", {"UserName": "alice", "Tags": [{"Key": "team", "Value": "blue"}]},
     {"userName": "alice", "tags": [{"key": "team", "value": "blue"}]}),
    ("iam", "put_user_policy", {"UserName": "alice", "PolicyName": "p", "PolicyDocument": "{}"},
     {"userName": "alice", "policyName": "p", "policyDocument": "{}"}),
    ("iam", "create_login_profile", {"UserName": "alice", "Password": "open sesame", "PasswordResetRequired": True},
     {"userName": "alice", "password": HIDDEN, "passwordResetRequired": True}),
    ("iam", "change_password", {"OldPassword": "a1!aaaaa", "NewPassword": "b1!bbbbb"},
     {"oldPassword": HIDDEN, "newPassword": HIDDEN}),
    ("iam", "create_policy", {"PolicyName": "p", "PolicyDocument": "x" * 20_000}, {"omitted": True}),
    ("s3", "get_bucket_policy", {"Bucket": "files"}, {"bucketName": "files"}),
    ("s3", "list_objects_v2", {"Bucket": "files", "Prefix": "a/"},
     {"bucketName": "files", "prefix": "a/", "encoding-type": "url"}),
    ("s3", "put_object", {"Bucket": "files", "Key": "k", "Body": b"sesame", "ACL": "private", "ContentMD5": "?"},
     {"bucketName": "files", "key": "k", "x-amz-acl": "private", "Content-MD5": "?", "x-amz-checksum-crc32": "sLIIqQ==",
      "x-amz-sdk-checksum-algorithm": "CRC32"}),
    ("secretsmanager", "create_secret", {"Name": "s", "SecretString": "sesame", "ClientRequestToken": KEY},
     {"name": "s", "secretString": HIDDEN, "clientRequestToken": KEY}),
    ("ssm", "put_parameter", {"Name": "/p", "Value": "sesame", "Type": "SecureString"},
     {"name": "/p", "value": HIDDEN, "type": "SecureString"}),
    ("rds", "modify_db_instance", {"DBInstanceIdentifier": "db", "MasterUserPassword": "sesame12"},
     {"dBInstanceIdentifier": "db", "masterUserPassword": HIDDEN}),
    ("kms", "encrypt", {"KeyId": KEY, "Plaintext": b"sesame", "EncryptionContext": {"Team": "blue"}},
     {"keyId": KEY, "encryptionContext": {"Team": "blue"}}),
    ("sqs", "send_message", {"QueueUrl": QUEUE, "MessageBody": "sesame"}, {"queueUrl": QUEUE, "messageBody": HIDDEN}),
    ("sns", "publish", {"TopicArn": "arn:aws:sns:us-east-1:111111111111:t", "Message": "sesame"},
     {"topicArn": "arn:aws:sns:us-east-1:111111111111:t", "message": HIDDEN}),
    ("lambda", "update_function_code", {"FunctionName": "f", "ZipFile": b"sesame"}, {"functionName": "f"}),
    ("dynamodb", "put_item", {"TableName": "t", "Item": {"id": {"S": "1"}, "photo": {"B": b"sesame"}}},
     {"tableName": "t", "item": {"id": {"s": "1"}, "photo": {}}}),
    ("cloudtrail", "lookup_events", {"StartTime": datetime(2026, 3, 1, 14, 5, 9, tzinfo=UTC)},
     {"startTime": "Mar 1, 2026 2:05:09 PM"}),
]  # fmt: skip


@pytest.mark.parametrize(("service", "operation", "given", "said"), SAID, ids=[f"{row[0]} {row[1]}" for row in SAID])
def test_a_record_says_what_was_asked_but_no_secret_and_no_data(
    aws: Cloud, dev: Any, service: str, operation: str, given: dict[str, Any], said: Any
) -> None:
    with suppress(ClientError):  # a record says so too where the call was refused, or there is nothing of the kind
        getattr(dev.admin.client(service), operation)(**given)
    record = aws.trail.cloudtrail()[-1]
    assert json.loads(json.dumps(record))["requestParameters"] == said
    assert "sesame" not in str(aws.trail[-1].parameters)


def test_what_a_record_says_is_worked_out_when_it_is_looked_at(
    aws: Cloud, iam: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(cloudtrail, "_record_value", None)  # a call that wanted it would fail
        iam.create_user(UserName="alice")
    assert aws.trail[-1].parameters == {"userName": "alice"}


LONG: list[tuple[str, str, dict[str, Any], int]] = [  # and the longest text that is kept of it
    ("s3", "put_object", {"Bucket": "files", "Key": "k", "Body": b"x" * 5_000}, 100),
    ("s3", "put_object", {"Bucket": "files", "Key": "k", "Body": b"x" * 5_000_000}, 100),
    ("secretsmanager", "create_secret", {"Name": "s", "SecretString": "x" * 60_000}, 100),
    ("iam", "create_policy", {"PolicyName": "p", "PolicyDocument": "x" * 60_000}, 100),
    ("iam", "create_policy", {"PolicyName": "p", "PolicyDocument": "x" * 5_000}, 5_000),
]


@pytest.mark.parametrize(("service", "operation", "given", "most"), LONG, ids=range(len(LONG)))
def test_the_trail_keeps_no_body_and_nothing_longer_than_a_record(
    aws: Cloud, dev: Any, service: str, operation: str, given: dict[str, Any], most: int
) -> None:
    with suppress(ClientError):
        getattr(dev.admin.client(service), operation)(**given)
    lengths = {len(text) for text in texts(aws.trail[-1].show_parameters)}
    assert 0 < max(lengths) <= most


def texts(kept: Any) -> Iterator[str | bytes]:
    """All texts and bodies that something holds on to."""
    if isinstance(kept, str | bytes):
        yield kept
    elif isinstance(kept, partial):
        yield from texts(kept.args)
    elif isinstance(kept, FunctionType):
        yield from texts([cell.cell_contents for cell in kept.__closure__ or ()])
    elif isinstance(kept, Mapping):
        yield from texts([*kept, *kept.values()])
    elif isinstance(kept, list | tuple):
        for each in kept:
            yield from texts(each)


def test_what_is_no_call_has_no_parameters(aws: Cloud, dev: Any) -> None:
    stray = dev.admin.client("iam", endpoint_url="https://iam.amazonaws.com/nowhere?Action=Nothing")
    refused(stray.list_users)
    assert aws.trail.cloudtrail()[-1]["requestParameters"] is None


def names(answer: Any) -> list[str]:
    return [event["EventName"] for event in answer["Events"]]


def test_lookup_events_finds_what_was_done_but_not_what_was_read(aws: Cloud, iam: Any, dev: Any) -> None:
    history = dev.admin.client("cloudtrail")
    s3 = dev.admin.client("s3")
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="k", Body=b"x")
    alice = new_user(aws, iam, "alice")
    refused(alice.client("ec2").describe_instances)
    assert names(history.lookup_events())[:4] == ["DescribeInstances", "CreateAccessKey", "CreateUser", "CreateBucket"]
    by_alice = [{"AttributeKey": "Username", "AttributeValue": "alice"}]
    (event,) = history.lookup_events(LookupAttributes=by_alice)["Events"]
    assert (event["EventSource"], event["ReadOnly"], event["Username"]) == ("ec2.amazonaws.com", "true", "alice")
    assert json.loads(event["CloudTrailEvent"])["errorCode"] == "UnauthorizedOperation"
    by_name = [{"AttributeKey": "EventName", "AttributeValue": "CreateUser"}]
    assert names(history.lookup_events(LookupAttributes=by_name)) == ["CreateUser"]


def test_lookup_events_tells_of_one_account_region_and_time_page_by_page(aws: Cloud, iam: Any, dev: Any) -> None:
    for name in ("a", "b", "c"):
        iam.create_user(UserName=name)
    then = aws.clock.now
    aws.clock.advance(hours=1)
    aws.account("other").admin.client("iam").create_user(UserName="d")
    history = dev.admin.client("cloudtrail")
    assert names(history.lookup_events(EndTime=then)) == ["CreateUser"] * 3
    assert names(history.lookup_events(StartTime=aws.clock.now)) == []
    pages = history.get_paginator("lookup_events").paginate(EndTime=then, PaginationConfig={"PageSize": 2})
    assert [len(page["Events"]) for page in pages] == [2, 1]
    elsewhere = dev.admin.client("cloudtrail", region_name="eu-west-1")
    assert names(elsewhere.lookup_events()) == []
    code, _ = refused(lambda: history.lookup_events(StartTime=aws.clock.now, EndTime=then))
    assert code == "InvalidTimeRangeException"


def test_lookup_events_needs_its_permission(aws: Cloud, iam: Any) -> None:
    alice = new_user(aws, iam, "alice", allow("cloudtrail:Describe*"))
    code, text = refused(alice.client("cloudtrail").lookup_events)
    assert (code, "cloudtrail:LookupEvents because no identity-based" in text) == ("AccessDeniedException", True)
