"""The trail in CloudTrail's shape: who really acted, also behind a role."""

from __future__ import annotations

import json
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
