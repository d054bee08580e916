"""The world's list of credentials: born of whom, good until when, and what ended them. Told without secrets."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest

from simlib import Cloud
from simlib.cloud.credentials.lifetimes import Credential, hours

from .conftest import allow, deny, document, new_user, refused, trust

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def credentials(aws: Cloud) -> dict[str, Credential]:
    """Every credential of the world, by access key."""
    return {each.access_key_id: each for each in aws.credentials()}


def listed(aws: Cloud, identity: Any) -> Credential:
    """What the list says of the credentials in hand."""
    return credentials(aws)[identity.access_key_id]


@pytest.fixture
def alice(aws: Cloud, iam: Any) -> Any:
    return new_user(aws, iam, "alice", allow("*"))


@pytest.fixture
def assume(aws: Cloud, iam: Any, alice: Any) -> Callable[..., Any]:
    """Borrow a role that lends two hours, with alice's key unless said otherwise."""
    trusted = trust({"AWS": "111111111111"})
    iam.create_role(RoleName="reports", AssumeRolePolicyDocument=trusted, MaxSessionDuration=7200)
    iam.put_role_policy(RoleName="reports", PolicyName="all", PolicyDocument=document(allow("*")))

    def assumed(by: Any = alice, seconds: int = 3600, name: str = "s1") -> Any:
        role = "arn:aws:iam::111111111111:role/reports"
        wanted = {"RoleArn": role, "RoleSessionName": name, "DurationSeconds": seconds}
        return aws.sign_in(by.client("sts").assume_role(**wanted))

    return assumed


def test_a_key_has_no_end_and_no_limit(aws: Cloud, alice: Any) -> None:
    key = listed(aws, alice)
    assert (key.kind, key.arn) == ("access key", "arn:aws:iam::111111111111:user/alice")
    assert (key.expires, key.longest, key.issued_by) == (None, None, "")
    assert key.state(aws.clock.now + timedelta(days=3650)) == "valid"
    assert key.state(key.born - MINUTE) == ""


def test_a_key_that_was_switched_off_and_on_and_deleted_is_remembered_with_its_times(
    aws: Cloud, iam: Any, alice: Any
) -> None:
    key = {"UserName": "alice", "AccessKeyId": alice.access_key_id}
    times = []
    for change in (
        lambda: iam.update_access_key(Status="Inactive", **key),
        lambda: iam.update_access_key(Status="Active", **key),
        lambda: iam.delete_access_key(**key),
    ):
        aws.clock.advance(hours=1)
        change()
        times.append(aws.clock.now)
    states = [listed(aws, alice).state(moment) for moment in times]
    assert states == ["inactive", "valid", "deleted"]
    assert [listed(aws, alice).state(moment - MINUTE) for moment in times] == ["valid", "inactive", "valid"]


def test_a_session_knows_whose_key_it_was_asked_for_with_and_the_roles_maximum(
    aws: Cloud, alice: Any, assume: Callable[..., Any]
) -> None:
    session = listed(aws, assume(seconds=900))
    assert (session.issued_by, session.issued_to) == (alice.access_key_id, "arn:aws:iam::111111111111:user/alice")
    assert session.expires == session.born + timedelta(seconds=900)
    assert (session.longest, session.limit) == (session.born + 2 * HOUR, "2 hours, the role's maximum")


def test_a_chained_session_has_an_hour_whatever_the_role_lends(aws: Cloud, assume: Callable[..., Any]) -> None:
    first = assume()
    chained = listed(aws, assume(first, name="s2"))
    assert chained.issued_by == first.access_key_id
    assert (chained.longest, chained.limit) == (chained.born + HOUR, "1 hour, because it is chained")


def test_the_limit_is_that_of_the_sessions_birth(aws: Cloud, iam: Any, assume: Callable[..., Any]) -> None:
    long = assume(seconds=7200)
    iam.update_role(RoleName="reports", MaxSessionDuration=3600)
    session = listed(aws, long)
    assert session.longest == session.expires


def test_sessions_of_a_user_and_of_the_root_user_have_limits_of_their_own(aws: Cloud, dev: Any, alice: Any) -> None:
    of_alice = aws.sign_in(alice.client("sts").get_session_token())
    of_root = aws.sign_in(dev.root.client("sts").get_session_token())
    found = credentials(aws)
    assert found[of_alice.access_key_id].limit == "36 hours for a user"
    assert found[of_root.access_key_id].limit == "1 hour for the root user"
    assert found[of_root.access_key_id].issued_by == dev.root.access_key_id


def test_a_session_ends_by_the_clock(aws: Cloud, assume: Callable[..., Any]) -> None:
    session = listed(aws, assume())
    assert session.expires is not None
    assert session.state(session.expires - MINUTE) == "valid"
    assert session.state(session.expires) == "expired"


@pytest.mark.parametrize(
    ("statement", "state"),
    [
        (lambda now: deny("*", Condition={"DateLessThan": {"aws:TokenIssueTime": now}}), "revoked"),
        (lambda now: deny(["*"], ["*"], Condition={"DateLessThan": {"aws:tokenissuetime": [now]}}), "revoked"),
        (lambda now: deny("s3:*", Condition={"DateLessThan": {"aws:TokenIssueTime": now}}), "valid"),
        (lambda now: deny("*", Condition={"DateGreaterThan": {"aws:TokenIssueTime": now}}), "valid"),
        (lambda now: deny("*", Condition={"DateLessThan": {"aws:CurrentTime": now}}), "valid"),
        (lambda now: allow("*", Condition={"DateLessThan": {"aws:TokenIssueTime": now}}), "valid"),
        (lambda now: deny("*", Condition={"DateLessThan": {"aws:TokenIssueTime": "2001-01-01T00:00:00Z"}}), "valid"),
    ],
)
def test_a_deny_of_everything_for_older_sessions_revokes_them_and_no_later_one(
    aws: Cloud, iam: Any, assume: Callable[..., Any], statement: Callable[[str], Any], state: str
) -> None:
    old = assume()
    aws.clock.advance(minutes=10)
    policy = document(statement(f"{aws.clock.now:%Y-%m-%dT%H:%M:%SZ}"))
    iam.put_role_policy(RoleName="reports", PolicyName="AWSRevokeOlderSessions", PolicyDocument=policy)
    aws.clock.advance(minutes=10)
    new = assume()
    found = credentials(aws)
    assert found[old.access_key_id].state(aws.clock.now) == state
    assert found[old.access_key_id].state(aws.clock.now - 15 * MINUTE) == "valid"
    assert found[new.access_key_id].state(aws.clock.now) == "valid"
    assert found[old.access_key_id].state(aws.clock.now + HOUR) == "expired"
    if state == "revoked":
        assert refused(old.client("iam").list_users)[0] == "AccessDenied"


def test_a_session_is_over_with_its_role_and_a_new_role_of_that_name_brings_it_not_back(
    aws: Cloud, iam: Any, assume: Callable[..., Any]
) -> None:
    session = assume()
    aws.clock.advance(minutes=10)
    iam.delete_role_policy(RoleName="reports", PolicyName="all")
    iam.delete_role(RoleName="reports")
    gone = aws.clock.now
    iam.create_role(RoleName="reports", AssumeRolePolicyDocument=trust({"AWS": "111111111111"}))
    aws.clock.advance(minutes=10)
    found = listed(aws, session)
    states = [found.state(moment) for moment in (gone - MINUTE, gone, gone + 2 * HOUR)]
    assert states == ["valid", "orphaned", "orphaned"]
    of_the_new_role = assume()
    aws.clock.advance(minutes=1)
    older = deny("*", Condition={"DateLessThan": {"aws:TokenIssueTime": f"{aws.clock.now:%Y-%m-%dT%H:%M:%SZ}"}})
    iam.put_role_policy(RoleName="reports", PolicyName="AWSRevokeOlderSessions", PolicyDocument=document(older))
    assert listed(aws, of_the_new_role).state(aws.clock.now) == "revoked"


def test_what_the_list_says_of_now_is_what_happens(
    aws: Cloud, iam: Any, alice: Any, assume: Callable[..., Any]
) -> None:
    short, long = assume(seconds=900, name="short"), assume(seconds=3600, name="long")
    spare = aws.sign_in(iam.create_access_key(UserName="alice"))
    iam.update_access_key(UserName="alice", AccessKeyId=spare.access_key_id, Status="Inactive")
    aws.clock.advance(minutes=20)
    for identity in (alice, spare, short, long):
        good = listed(aws, identity).state(aws.clock.now) == "valid"
        if good:
            identity.client("sts").get_caller_identity()
        else:
            assert refused(identity.client("sts").get_caller_identity)[0] in ("ExpiredToken", "InvalidClientTokenId")


def test_the_list_holds_no_secret(aws: Cloud, alice: Any, assume: Callable[..., Any]) -> None:
    session = assume()
    told = json.dumps([asdict(each) for each in aws.credentials()], default=str)
    for identity in (alice, session):
        assert identity.access_key_id in told
        assert identity.secret_access_key not in told
    assert session.session_token not in told


@pytest.mark.parametrize(("span", "words"), [(15, "15 minutes"), (60, "1 hour"), (90, "1.5 hours"), (720, "12 hours")])
def test_spans_of_time_in_words(span: int, words: str) -> None:
    assert hours(timedelta(minutes=span)) == words
