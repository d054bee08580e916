"""Each lesson names the time it takes, and no sitting is longer than 20 minutes."""

from __future__ import annotations

import re

import pytest

from simlib.lab import course
from tests.notebooks import lessons, minutes

every = pytest.mark.parametrize("number", course.LESSONS)


@every
def test_it_takes_the_minutes_it_names(number: int) -> None:
    """By the model of `minutes`, within a minute and a half; and the first cell says the same numbers."""
    stated = course.lesson(number).minutes
    computed = minutes.parts(number)
    assert list(computed) == list(stated), "a sitting begins with a heading of the lesson"
    assert {part: round(took, 1) for part, took in computed.items() if abs(took - stated[part]) > 1.5} == {}
    first = lessons.read(course.LESSONS[number]).cells[0].source
    assert [int(said) for said in re.findall(r"about (\d+)(?: minutes)?", first)] == list(stated.values())
    for part in stated:
        assert part in first


@every
def test_no_sitting_is_longer_than_twenty_minutes(number: int) -> None:
    assert max(course.lesson(number).minutes.values()) <= 20


@every
def test_where_a_sitting_ends_the_page_says_how_to_go_on(number: int) -> None:
    """The call that it names is the one for the heading below which it stands."""
    page = lessons.read(course.LESSONS[number]).cells
    for part in filter(None, course.lesson(number).minutes):
        at = next(cell.source for cell in page if re.match(rf"#+ {re.escape(part)}\n", cell.source + "\n"))
        assert f'lab.catch_up({number}, "{part}")' in at
