"""The guide speaks of every lesson, and of nothing that is not there."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from simlib import lab
from simlib.__main__ import COMMANDS
from simlib.lab import course, lesson_cells
from tests.notebooks import lessons, minutes

GUIDE = (lessons.NOTEBOOKS / "instructor-guide.md").read_text(encoding="utf-8")
PARTS = dict(re.findall(r"^### (\d+) · [^\n]*\n(.*?)(?=^##|\Z)", GUIDE, re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize("slug", course.LESSONS)
def test_every_lesson_has_its_point_its_wrong_answers_and_where_to_cut(slug: str) -> None:
    for heading in ("**Point.**", "**Usual wrong answer", "**Cut.**"):
        assert heading in PARTS[str(course.LESSONS[slug].number)], heading
    if slug != "start-here":
        assert "**Talk about.**" in PARTS[str(course.LESSONS[slug].number)]


def test_what_it_tells_to_type_is_there() -> None:
    for name in re.findall(r"`lab\.(\w+)", GUIDE):
        assert hasattr(lab, name), name
    for command in re.findall(r"python -m simlib (\w+)", GUIDE):
        assert command in COMMANDS
    for slug, heading in re.findall(r'lab\.catch_up\("([^"]+)", "([^"]+)"\)', GUIDE):
        lesson_cells.upto(lesson_cells.read_lesson(slug), heading)


def test_the_steps_it_names_are_those_of_the_lessons() -> None:
    """In the plans and in what may be cut, words in italics are a heading, a prediction or an exercise."""
    plans = GUIDE[GUIDE.index("## 90 minutes") : GUIDE.index("## Lesson by lesson")]
    cuts = re.findall(r"\*\*Cut\.\*\* (.*)", GUIDE)
    named = re.findall(r"(?<!\*)\*([^*\n]+?)\*(?!\*)", "\n".join([plans, *cuts]))
    there = {text for slug in course.LESSONS for _, text in lesson_cells.headings(lesson_cells.read_lesson(slug))}
    for slug in course.LESSONS:
        there |= {*course.lesson(slug).predictions, *course.lesson(slug).exercises, course.lesson(slug).title}
    assert len(named) > 20
    assert set(named) <= there, set(named) - there


@pytest.mark.parametrize("slug", course.LESSONS)
def test_the_usual_wrong_answers_are_those_of_the_lesson(slug: str) -> None:
    """A quote is a choice that is wrong, of the prediction that is named before it, or the exercise has that name."""
    lines = re.findall(r"^- \*([^*]+)\*(.*)$", PARTS[str(course.LESSONS[slug].number)], re.MULTILINE)
    assert lines
    module = course.lesson(slug)
    for name, said in lines:
        assert name in {*module.predictions, *module.exercises}, name
        for quoted in re.findall(r"“([^”]+)”", said):
            choices = module.predictions[name].choices
            assert quoted in choices, f"{name}: {choices}"
            assert quoted != choices[module.predictions[name].answer], "that is right"


PLANS = dict(re.findall(r"^## (\d+) minutes$(.*?)(?=^## )", GUIDE, re.MULTILINE | re.DOTALL))


def in_class(slug: str) -> dict[str, float]:
    """The minutes of each step of a lesson by its heading, of each exercise, and of a prediction asked alone."""
    steps = minutes.steps(slug, minutes.IN_CLASS)
    exercises = {name: minutes.IN_CLASS.exercise for step in steps for name in step.exercises}
    questions = {name: 1.0 for name in course.lesson(slug).predictions if name not in exercises}
    return {step.heading: step.minutes for step in steps} | exercises | questions


@pytest.mark.parametrize("plan", PLANS)
def test_the_plan_leaves_time_for_what_it_names(plan: str) -> None:
    rows = [(int(minute), text) for minute, text in re.findall(r"^\| (\d+) \| (.*) \|$", PLANS[plan], re.MULTILINE)]
    assert [minute for minute, _ in rows] == sorted(minute for minute, _ in rows)
    lesson, begun, named = "start-here", set[str](), 0
    for (minute, text), (end, _) in pairwise([*rows, (int(plan), "")]):
        if "as above" in text:
            begun |= {course.find(int(number)).slug for number in re.findall(r"\d+", text)}
            continue
        lesson = course.find(int(found[1])).slug if (found := re.search(r"Lesson (\d+)", text)) else lesson
        steps, needed = in_class(lesson), 0.0
        if found and lesson not in begun:
            needed += next(iter(steps.values()))  # the lesson's beginning
            begun.add(lesson)
        for name in re.findall(r"(?<!\*)\*([^*]+)\*(?!\*)", text.partition("Whoever is early")[0]):
            needed += steps[name]
            named += 1
        assert needed <= 1.2 * (end - minute), f"{minute}: {text} takes {needed:.0f} minutes"
    assert named > 10


def test_its_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#([^)]+))?\)", GUIDE)
    assert links
    for file, heading in links:
        text = (lessons.NOTEBOOKS / file).read_text(encoding="utf-8")
        there = [line.lstrip("# ").lower().replace(" ", "-") for line in text.splitlines() if line.startswith("#")]
        assert not heading or heading in there, heading
