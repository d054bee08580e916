"""Catching up runs a lesson's own cells, with solutions in place of the exercises."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simlib import Cloud
from simlib.lab import course, lesson_cells


def cell(kind: str, source: str) -> dict[str, Any]:
    return {"cell_type": kind, "source": source.splitlines(keepends=True)}


LESSON = [
    cell("markdown", "# A lesson"),
    cell("code", "ran = ['first']\nprint('noise')"),
    cell("code", 'lab.predict("two hours")'),
    cell("markdown", "## A key, rotated"),
    cell("code", "def rotate(iam, use):\n    ..."),
    cell("code", 'lab.exercise("rotate a key").check(rotate)'),
    cell("markdown", "## The end"),
    cell("code", "ran.append('last')"),
]


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    (tmp_path / course.find("sessions").notebook).write_text(json.dumps({"cells": LESSON}), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    monkeypatch.setattr(lesson_cells, "names", lambda: names)
    return names


def test_up_to_a_heading_with_the_solution_in_place(names: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    said = lesson_cells.catch_up("sessions", "The end")
    assert names["ran"] == ["first"]
    assert names["rotate"].__code__.co_names  # the solution, not the dots
    assert "The end" in said
    assert capsys.readouterr().out == ""


def test_the_same_step_can_be_begun_again_and_the_lesson_gone_through(names: dict[str, Any]) -> None:
    lesson_cells.catch_up("sessions", "A key, rotated")
    names["ran"].append("a mess")
    lesson_cells.catch_up("sessions", "A key, rotated")
    assert names["ran"] == ["first"]
    lesson_cells.catch_up("sessions")
    assert names["ran"] == ["first", "last"]


def test_a_heading_that_is_not_there_gets_the_list(names: dict[str, Any]) -> None:
    with pytest.raises(LookupError, match='Did you mean "The end"') as refused:
        lesson_cells.catch_up("sessions", "The edn")
    assert "A key, rotated" in str(refused.value)
    assert names == {}


def test_a_lesson_that_is_not_there_or_cannot_be_read(names: dict[str, Any]) -> None:
    with pytest.raises(LookupError, match="There is no lesson 99"):
        lesson_cells.catch_up(99)
    Path(course.find("sessions").notebook).write_text("{", encoding="utf-8")
    with pytest.raises(LookupError, match="cannot be read as a notebook"):
        lesson_cells.catch_up("sessions")


def test_a_cell_that_does_not_run_any_more_is_named(names: dict[str, Any], tmp_path: Path) -> None:
    broken = [cell("code", "%matplotlib inline"), *LESSON]
    (tmp_path / course.find("sessions").notebook).write_text(json.dumps({"cells": broken}), encoding="utf-8")
    with pytest.raises(LookupError, match=r"SyntaxError.*It begins: %matplotlib inline"):
        lesson_cells.catch_up("sessions", "The end")


def test_the_step_of_a_question_is_the_heading_above_it() -> None:
    assert lesson_cells.step_of(LESSON, "rotate a key") == "A key, rotated"
    assert lesson_cells.step_of(LESSON, "two hours") == "A lesson"
    assert lesson_cells.step_of(LESSON, "of old") == ""


@pytest.mark.parametrize("exercise", [name for lesson in course.LESSONS for name in course.lesson(lesson).exercises])
def test_the_step_of_every_exercise_can_be_begun_again(exercise: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made: dict[str, Any] = {}
    monkeypatch.setattr(lesson_cells, "names", lambda: made)
    lesson_cells.begin_again(exercise)
    assert made["aws"] is Cloud.running
    Cloud.running.stop()
