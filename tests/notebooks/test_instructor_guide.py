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


def test_the_headings_and_exercises_it_names_are_those_of_the_lessons() -> None:
    named = set(re.findall(r"(?<!\*)\*([^*\n]+?)\*(?!\*)", "\n".join(PARTS[str(n)] for n in range(1, 9))))
    cuts = re.findall(r"\*\*Cut\.\*\* (.*)", "\n".join(PARTS.values()))
    there = {text for number in course.LESSONS for _, text in catching_up.headings(catching_up.read_lesson(number))}
    for name in re.findall(r"(?<!\*)\*([^*\n]+?)\*(?!\*)", " ".join(cuts)):
        assert name in there, name
        assert name in named
