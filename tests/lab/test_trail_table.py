"""The trail as a table: filtered, a page at a time, and no slower for what it has forgotten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from simlib.cloud.event import Event
from simlib.cloud.trail import Trail
from simlib.lab.trail_table import PAGE, TrailTable, outcome, trail_page

NOON = datetime(2027, 5, 2, 12, tzinfo=UTC)
ALICE, BOB = "arn:aws:iam::111111111111:user/alice", "arn:aws:iam::111111111111:user/bob"


def add(trail: Trail, who: str, decision: str = "ALLOW", ip: str = "203.0.113.10") -> None:
    number = trail.next_number()
    key = f"AKIA{who[-5:].upper()}"
    when = NOON + timedelta(seconds=number)
    trail.record(
        Event(number, when, who, "s3:GetObject", f"object-{number}", decision, access_key_id=key, source_ip=ip)
    )


@pytest.fixture
def trail() -> Trail:
    made = Trail(bound=100)
    for number in range(25):
        add(made, ALICE if number % 5 else BOB, "ALLOW" if number % 2 else "EXPLICIT_DENY")
    return made


def table(trail: Trail) -> TrailTable:
    made = TrailTable(trail)
    made.refresh()
    return made


def test_nothing_has_happened_yet() -> None:
    empty = table(Trail())
    assert (empty.rows, empty.counted) == ([], "No calls yet.")


def test_the_newest_call_comes_first_and_it_says_how_many_there_are(trail: Trail) -> None:
    made = table(trail)
    assert [event.number for event in made.rows] == list(range(25, 25 - PAGE, -1))
    assert made.counted == "1 to 10 of 25 calls, newest first."
    made.page = 99
    assert [event.number for event in made.rows] == [5, 4, 3, 2, 1]
    assert made.counted == "21 to 25 of 25 calls, newest first."
    made.page = -3
    assert made.rows[0].number == 25


def test_filters_go_together(trail: Trail) -> None:
    made = table(trail)
    made.filter(identity=BOB, decision="REFUSED")
    assert [event.number for event in made.rows] == [21, 11, 1]
    assert made.counted == "All 3 that match, of 25 calls, newest first."
    made.filter(identity="nobody")
    assert made.counted == "None of 25 calls."


def test_a_new_call_is_there_after_a_refresh_and_counted_by_key(trail: Trail) -> None:
    made = table(trail)
    assert made.refresh() is False
    add(trail, BOB, ip="198.51.100.7")
    assert made.refresh() is True
    assert made.rows[0].number == 26
    assert made.by_key["AKIA" + BOB[-5:].upper()].addresses == {"203.0.113.10": 5, "198.51.100.7": 1}


def test_what_the_trail_has_forgotten_is_forgotten_here_too(trail: Trail) -> None:
    made = table(trail)
    for _ in range(1000):
        add(trail, BOB)
        made.refresh()
    assert len(made.matching) == 100
    held = sum(len(calls.allowed) + len(calls.refused) for calls in made.by_key.values())
    assert 100 <= held <= 120


def test_the_open_call_is_explained_below_itself_in_text(trail: Trail) -> None:
    made = table(trail)
    made.show(24)
    lines = str(trail_page(made)).splitlines()
    opened = next(index for index, line in enumerate(lines) if "object-24" in line)
    assert lines[opened + 1].startswith("    ")
    made.show(24)
    assert not any(line.startswith("    ") for line in str(trail_page(made)).splitlines())


@pytest.mark.parametrize(
    ("decision", "code", "word"),
    [
        ("ALLOW", "", "Allowed"),
        ("ALLOW", "NoSuchKey", "Not there"),
        ("IMPLICIT_DENY", "AccessDenied", "Not allowed"),
        ("UNAUTHENTICATED", "ExpiredToken", "Refused"),
        ("INVALID", "AccessDenied", "Refused"),  # a session that asks for GetSessionToken
        ("INVALID", "ValidationError", "Invalid request"),
    ],
)
def test_a_call_has_the_word_that_an_attempt_has(decision: str, code: str, word: str) -> None:
    assert outcome(Event(1, NOON, ALICE, "sts:AssumeRole", "*", decision, error_code=code)) == word


def test_a_call_without_a_key_that_aws_knows_says_only_from_where_it_came() -> None:
    trail = Trail(bound=9)
    add(trail, ALICE)
    trail.record(Event(2, NOON, "an unknown access key", "s3:GetObject", "*", "REFUSED", source_ip="203.0.113.10"))
    shown = trail_page(table(trail)).html()
    assert ">key …LICE from 203.0.113.10<" in shown
    assert ">from 203.0.113.10<" in shown
