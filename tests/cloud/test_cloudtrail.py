"""The trail in CloudTrail's shape: who really acted, also behind a role."""

from __future__ import annotations

from typing import Any

from simlib import Cloud

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
