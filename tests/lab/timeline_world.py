"""What the tests of the session timeline look at: keys and sessions of one account, and a browser's messages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from simlib import Cloud
from simlib.lab.timeline.panel import SessionTimeline

BUCKET = "arn:aws:s3:::my-secure-bucket"
LIST, USERS = ("s3:ListBucket", BUCKET), ("iam:ListUsers", "*")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def statement(effect: str, action: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": "*", **more}


@dataclass
class World:
    """alice has two keys, one of them inactive; with the other she borrows `reports`, and with that `chain`."""

    aws: Cloud
    iam: Any
    alice: Any
    spare: Any
    short: Any
    chained: Any

    def assume(self, by: Any, role: str, seconds: int = 3600, name: str = "alice") -> Any:
        arn = f"arn:aws:iam::111111111111:role/{role}"
        wanted = {"RoleArn": arn, "RoleSessionName": name, "DurationSeconds": seconds}
        return self.aws.sign_in(by.client("sts").assume_role(**wanted))

    def revoke(self, role: str) -> None:
        now = f"{self.aws.clock.now:%Y-%m-%dT%H:%M:%SZ}"
        older = statement("Deny", "*", Condition={"DateLessThan": {"aws:TokenIssueTime": now}})
        self.iam.put_role_policy(RoleName=role, PolicyName="AWSRevokeOlderSessions", PolicyDocument=document(older))


@pytest.fixture
def world() -> Iterator[World]:
    with Cloud.start() as aws:
        yield build(aws)


def build(aws: Any) -> World:
    """The world of these tests, in one that is empty."""
    admin = aws.account("dev").admin
    iam = admin.client("iam")
    admin.client("s3").create_bucket(Bucket="my-secure-bucket")
    iam.create_user(UserName="alice")
    iam.put_user_policy(UserName="alice", PolicyName="all", PolicyDocument=document(statement("Allow", "sts:*")))
    keys = [aws.sign_in(iam.create_access_key(UserName="alice")) for _ in range(2)]
    iam.update_access_key(UserName="alice", AccessKeyId=keys[1].access_key_id, Status="Inactive")
    trusted = {"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "sts:AssumeRole"}
    for role in ("reports", "chain"):
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=document(trusted), MaxSessionDuration=7200)
        allowed = document(statement("Allow", ["s3:ListBucket", "sts:AssumeRole"]))
        iam.put_role_policy(RoleName=role, PolicyName="read", PolicyDocument=allowed)
    made = World(aws, iam, *keys, None, None)
    made.short = made.assume(made.alice, "reports", 1800)
    made.chained = made.assume(made.short, "chain", name="from-reports")
    return made


def held(timeline: SessionTimeline, identity: Any) -> Any:
    """What the timeline says of the credentials in hand."""
    return next(each for each in timeline.holdings if each.key == identity.access_key_id)


def commands(timeline: SessionTimeline) -> Any:
    """The widget of a timeline, to be told what a browser would tell it."""
    from ipywidgets.widgets.widget import _instances

    return _instances[timeline._repr_mimebundle_()["application/vnd.jupyter.widget-view+json"]["model_id"]]


def tell(widget: Any, do: str, value: str = "") -> None:
    content = {"data": {"method": "custom", "content": {"do": do, "value": value}}}
    widget._handle_msg({"content": content, "buffers": []})
