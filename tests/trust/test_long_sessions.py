"""A long afternoon: five hours of calls, two hundred policies, a clock that is years ahead – and all as before."""

from __future__ import annotations

import gc
import json
import os
import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.handlers import BUILTIN_HANDLERS

from simlib import Cloud, lab
from simlib.lab.playground import TABS

POLICY = "arn:aws:iam::111111111111:policy/"
ROLE = "arn:aws:iam::111111111111:role/reports"


def policy(effect: str, action: str) -> str:
    statement = {"Effect": effect, "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def trust(arn: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def furnish(aws: Cloud) -> Any:
    """A bucket, alice who may borrow the role reports, and her identity."""
    admin = aws.account("dev").admin
    iam = admin.client("iam")
    admin.client("s3").create_bucket(Bucket="my-secure-bucket")
    iam.create_user(UserName="alice")
    iam.create_role(RoleName="reports", AssumeRolePolicyDocument=trust("arn:aws:iam::111111111111:user/alice"))
    iam.put_role_policy(RoleName="reports", PolicyName="read", PolicyDocument=policy("Allow", "s3:*"))
    return aws.sign_in(iam.create_access_key(UserName="alice"))


# -- five hours --------------------------------------------------------------------------------------------------------

MINUTES, MEASURED, FULL = 270, 30, 100


def test_five_hours_of_work_grow_by_nothing_but_the_sessions_that_were_opened() -> None:
    """A call each quarter of a minute: one refused and explained, one session, one that depends, one change."""
    with Cloud.start(trail_bound=FULL) as aws:
        alice = furnish(aws)
        iam, began = aws.account("dev").admin.client("iam"), aws.clock.now
        s3, sts, her_iam = (alice.client(name) for name in ("s3", "sts", "iam"))

        def minute(number: int) -> None:
            assert "AccessDenied" in str(lab.attempt(her_iam.list_users))
            assert "iam:ListUsers" in str(aws.why())
            sts.assume_role(RoleArn=ROLE, RoleSessionName="work")
            lab.attempt(s3.list_objects_v2, Bucket="my-secure-bucket")
            effect = "Allow" if number % 2 else "Deny"
            iam.put_user_policy(UserName="alice", PolicyName="p", PolicyDocument=policy(effect, "s3:*"))
            aws.clock.advance(minutes=1)

        for number in range(FULL // 2):
            minute(number)
        threads, files, objects = threading.active_count(), open_files(), tracked()
        for number in range(MINUTES - FULL // 2):
            minute(number)
        assert (tracked() - objects) / (MINUTES - FULL // 2) < 5, "objects each minute; one session is a few"
        tracemalloc.start()
        minute(0)
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for number in range(MEASURED):
            minute(number)
        gc.collect()
        grown = (tracemalloc.get_traced_memory()[0] - before) / MEASURED
        tracemalloc.stop()
        assert grown < 20_000, "bytes each minute; a session is some 1,500, a call on record 4,000"
        assert (threading.active_count(), open_files()) == (threads, files)
        assert (len(aws.trail), aws.trail.total > 4 * MINUTES) == (FULL, True)
        assert aws.clock.now - began > timedelta(hours=5)
        assert len([each for each in aws.credentials() if each.kind == "AssumeRole"]) == MINUTES + MEASURED + 1


def tracked() -> int:
    gc.collect()
    return len(gc.get_objects())


def open_files() -> int:
    """How many files and sockets this process holds; 0 where the system does not say."""
    return len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").is_dir() else 0


def test_a_trail_forgets_before_it_is_a_burden() -> None:
    """At 4,000 bytes a call; a seat of a workshop has a gigabyte."""
    with Cloud.start() as aws:
        assert aws.trail.bound * 4_000 < 100_000_000


# -- a clock far ahead -------------------------------------------------------------------------------------------------


def surroundings() -> tuple[Any, ...]:
    import botocore.httpsession
    import time_machine

    send = botocore.httpsession.URLLib3Session.send
    journeys = list(time_machine.traveller_stack)
    return dict(os.environ), list(BUILTIN_HANDLERS), socket.getaddrinfo, send, boto3.DEFAULT_SESSION, journeys


@pytest.mark.parametrize("years", [1, 10, 100])
def test_years_ahead_everything_works_and_after_a_new_start_it_is_today(years: int, tmp_path: Path) -> None:
    before, begun = surroundings(), time.time()
    with Cloud.start() as aws:
        alice = furnish(aws)
        session = aws.sign_in(alice.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="work"))
        aws.clock.advance(days=365 * years)
        assert "ExpiredToken" in str(lab.attempt(session.client("s3").list_buckets))
        assert alice.client("sts").get_caller_identity()["Arn"].endswith("user/alice"), "a key has no end"
        again = aws.sign_in(alice.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="work"))
        assert again.client("s3").list_buckets()["Buckets"]
        assert alice.run("aws sts get-caller-identity").returncode == 0
        saved = aws.save(tmp_path / "world.json").path
        fresh = Cloud.start()
        assert abs(fresh.clock.now - datetime.fromtimestamp(begun, UTC)) < timedelta(minutes=10)
        furnish(fresh)
        with Cloud.load(saved) as later:
            assert later.clock.now - datetime.fromtimestamp(begun, UTC) > timedelta(days=364 * years)
            assert later.account("dev").admin.client("sts").get_caller_identity()
    assert surroundings() == before
    assert abs(time.time() - begun) < 600


# -- two hundred policies ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def crowded() -> Iterator[Cloud]:
    """Forty roles, five policies attached to each; the last one may read the bucket, by its two hundredth policy."""
    with Cloud.start() as aws:
        furnish(aws)
        iam = aws.account("dev").admin.client("iam")
        for number in range(200):
            role, action = f"r{number // 5}", "s3:ListBucket" if number == 199 else f"sqs:GetQueue{number}"
            if number % 5 == 0:
                iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust("arn:aws:iam::111111111111:root"))
            arn = iam.create_policy(PolicyName=f"p{number}", PolicyDocument=policy("Allow", action))["Policy"]["Arn"]
            iam.attach_role_policy(RoleName=role, PolicyArn=arn)
        in_prod = aws.account("prod").admin.client("iam")
        in_prod.create_role(RoleName="r39", AssumeRolePolicyDocument=trust("arn:aws:iam::111111111111:root"))
        yield aws


def test_among_two_hundred_policies_the_right_one_decides(crowded: Cloud) -> None:
    sts = crowded.account("dev").admin.client("sts")

    def borrowed(role: str) -> Any:
        return crowded.sign_in(
            sts.assume_role(RoleArn=f"arn:aws:iam::111111111111:role/{role}", RoleSessionName="work")
        )

    assert borrowed("r39").client("s3").list_objects_v2(Bucket="my-secure-bucket")["KeyCount"] == 0
    assert "AccessDenied" in str(lab.attempt(borrowed("r38").client("s3").list_objects_v2, Bucket="my-secure-bucket"))
    decided = crowded.trail[-3].evaluations[0]
    assert [each.policy.name for check in decided.checks for each in check.matched_policies] == [f"{POLICY}p199"]


@pytest.mark.parametrize("tab", [tab for tab in TABS if tab != "challenges"])  # which have worlds of their own
def test_every_panel_opens_over_two_hundred_policies(tab: str, crowded: Cloud) -> None:
    playground = lab.Playground(crowded)
    playground.open(tab)
    for subject in [each for each in playground.subjects if each.endswith("r39")]:
        playground.choose(subject)
    assert not playground.subjects or playground.subject.endswith("r39")
    panel = playground.panel
    assert "r39" in str(panel) or any("r39" in each for each in panel.choices()), "it can be asked about"


def test_a_world_of_two_hundred_policies_is_saved_and_opened_whole(crowded: Cloud, tmp_path: Path) -> None:
    path = crowded.save(tmp_path / "world.json").path
    with Cloud.load(path) as again:
        iam = again.account("dev").admin.client("iam")
        pages = iam.get_paginator("list_policies").paginate(Scope="Local")
        assert len([each for page in pages for each in page["Policies"]]) == 200
