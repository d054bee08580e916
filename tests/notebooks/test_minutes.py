"""Each lesson names the time it takes, and none is longer than 20 minutes."""

from __future__ import annotations

import re

import pytest

from simlib.lab import course
from tests.notebooks import lessons, minutes

every = pytest.mark.parametrize("slug", course.LESSONS)


@every
def test_it_takes_the_minutes_it_names(slug: str) -> None:
    """By the model of `minutes`, rounded up to a whole one; and its first cell says the same."""
    stated = course.LESSONS[slug].minutes
    assert stated - 1.5 <= minutes.lesson(slug) <= stated + 0.5
    first = lessons.read(course.LESSONS[slug].notebook).cells[0].source
    assert re.findall(r"[Ii]t takes about (\d+) minutes", first) == [str(stated)]


@every
def test_no_lesson_is_longer_than_twenty_minutes(slug: str) -> None:
    assert minutes.lesson(slug) <= 20
