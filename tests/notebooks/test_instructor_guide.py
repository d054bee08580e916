"""The guide speaks of every lesson, and of nothing that is not there."""

from __future__ import annotations

import re

import pytest

from simlib import lab
from simlib.__main__ import COMMANDS
from simlib.lab import catching_up, course
from tests.notebooks import lessons

GUIDE = (lessons.NOTEBOOKS / "instructor-guide.md").read_text(encoding="utf-8")
PARTS = dict(re.findall(r"^### (\d) · [^\n]*\n(.*?)(?=^##|\Z)", GUIDE, re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize("number", course.LESSONS)
def test_every_lesson_has_its_point_its_wrong_answers_and_where_to_cut(number: int) -> None:
    for heading in ("**Point.**", "**Usual wrong answer", "**Cut.**"):
        assert heading in PARTS[str(number)], heading
    if number:
        assert "**Talk about.**" in PARTS[str(number)]


def test_what_it_tells_to_type_is_there() -> None:
    for name in re.findall(r"`lab\.(\w+)", GUIDE):
        assert hasattr(lab, name), name
    for command in re.findall(r"python -m simlib (\w+)", GUIDE):
        assert command in COMMANDS
    for number, heading in re.findall(r'lab\.catch_up\((\d), "([^"]+)"\)', GUIDE):
        catching_up.upto(catching_up.read_lesson(int(number)), heading)


def test_the_steps_it_names_are_those_of_the_lessons() -> None:
    """In the plans and in what may be cut, words in italics are a heading, a prediction or an exercise."""
    plans = GUIDE[GUIDE.index("## 90 minutes") : GUIDE.index("## Lesson by lesson")]
    cuts = re.findall(r"\*\*Cut\.\*\* (.*)", GUIDE)
    named = re.findall(r"(?<!\*)\*([^*\n]+?)\*(?!\*)", "\n".join([plans, *cuts]))
    there = {text for number in course.LESSONS for _, text in catching_up.headings(catching_up.read_lesson(number))}
    for number in course.LESSONS:
        there |= {*course.lesson(number).QUESTIONS, *course.lesson(number).EXERCISES, course.lesson(number).TITLE}
    assert len(named) > 20
    assert set(named) <= there, set(named) - there
