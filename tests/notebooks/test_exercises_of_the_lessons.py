"""Every exercise: untouched, with the right answer, with typical wrong ones, and with the cheat."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from simlib import Cloud, lab
from simlib.lab import course, lesson_cells, questions
from simlib.lab.course.texts import word
from tests.notebooks import answers

EXERCISES = [name for slug in course.LESSONS for name in course.lesson(slug).exercises]


@cache
def cells_of(name: str) -> tuple[list[str], str, str]:
    """The code that runs before the answer of an exercise, the answer as the lesson gives it, and the check."""
    cells = lesson_cells.read_lesson(course.lesson_of(name, "exercises"))
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    check = next(index for index, source in enumerate(code) if f'lab.exercise("{name}").check(' in source)
    kept = [cell for cell in cells if "".join(cell["source"]) not in code[check - 1 :] or cell["cell_type"] != "code"]
    return list(lesson_cells.sources(kept)), code[check - 1], code[check]


@contextmanager
def before(name: str) -> Iterator[dict[str, Any]]:
    """The names of a lesson at the cell that wants the answer."""
    names: dict[str, Any] = {}
    try:
        for source in cells_of(name)[0]:
            exec(compile(source, "lesson", "exec"), names)
        yield names
    finally:
        if Cloud.running:
            Cloud.running.stop()


def course_exercise(name: str) -> Any:
    return course.lesson(course.lesson_of(name, "exercises")).exercises[name]


def told(name: str, answer: str, names: dict[str, Any]) -> str:
    """What the check says to an answer, in one line; the texts of policies are handed in, as one may."""
    questions._states.clear()
    exec(compile(answer, "answer", "exec"), names)
    before = state(names["aws"])
    written = re.findall(r"^(\w+) = ", answer, re.MULTILINE)[: len(course_exercise(name).given)]
    check = cells_of(name)[2].replace(".check()", f".check({', '.join(written)})") if written else cells_of(name)[2]
    said = " ".join(str(eval(check, names)).split())
    assert state(names["aws"]) == before, "checking has changed the learner's world"
    return said


def state(world: Any) -> Any:
    """All of a world that is saved with it, but what passes by itself; and its trail."""
    with tempfile.TemporaryDirectory() as folder:
        kept = json.loads(Path(world.save(Path(folder, "world.json")).path).read_text(encoding="utf-8"))
    del kept["Clock"]
    kept["Sessions"] = [each for each in kept.get("Sessions", ()) if each["Kind"] != "EC2"]  # machines renew theirs
    return kept, list(world.trail)


def test_every_exercise_has_its_table() -> None:
    assert set(answers.WRONG) == set(answers.CHEATS) == set(EXERCISES)
    assert [name for name in EXERCISES if len(answers.WRONG[name]) < 3] == []
    assert [name for name in EXERCISES if len({said for _, said in answers.WRONG[name]}) < 3] == []


@pytest.fixture(scope="module", params=EXERCISES)
def asked(request: pytest.FixtureRequest) -> Iterator[tuple[str, dict[str, Any]]]:
    """An exercise, and the names of its lesson where it is asked."""
    with before(request.param) as names:
        yield request.param, names


@contextmanager
def undone(names: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The names for one answer: what it does to the world, and the names that it makes, are gone afterwards."""
    with names["aws"].rehearsal():
        yield dict(names)


def test_untouched_it_waits_and_reveals_nothing(asked: tuple[str, dict[str, Any]]) -> None:
    name, names = asked
    exercise = course.lesson(course.lesson_of(name, "exercises")).exercises[name]
    waits = f"… Not answered yet. {' '.join(exercise.waits_for.split())}"
    with undone(names) as copy:
        said = told(name, cells_of(name)[1], copy)
        if ".panel()" in cells_of(name)[1]:  # the panel says what it waits for, and the check below it points there
            assert said == f"… Not answered yet. {word('panel_asks')}"
            said = " ".join(str(eval(cells_of(name)[1], copy)).split())
    assert waits in said
    assert exercise.solution not in said


def test_a_right_answer_passes_and_so_do_wrong_ones_not(asked: tuple[str, dict[str, Any]]) -> None:
    """In one world, wrong ones first: of an answer that changes the world, nothing is left for the next."""
    name, names = asked
    exercise = course.lesson(course.lesson_of(name, "exercises")).exercises[name]
    with undone(names) as copy:
        said = told(name, answers.CHEATS[name][0], copy)
    assert answers.CHEATS[name][1] in said
    assert "Right" not in said
    later = [(answer, words) for answer, words in answers.WRONG[name] if "clock" in answer]  # time does not go back
    for answer, words in answers.WRONG[name]:
        if exercise.untouched is not None and name != "the house in order" and (answer, words) not in later:
            with undone(names) as copy:
                assert words in told(name, answer, copy)
        elif (answer, words) not in later:
            assert words in told(name, answer, names)
    if name != "the house in order":
        assert told(name, exercise.solution, names).startswith("✔ Right.")
    else:
        later.append((exercise.solution, "✔ Right."))
    for answer, words in later:
        with before(name) as others:
            assert words in told(name, answer, others)


@pytest.mark.parametrize("name", EXERCISES)
def test_hints_go_from_a_nudge_to_nearly_the_answer(name: str) -> None:
    exercise = course.lesson(course.lesson_of(name, "exercises")).exercises[name]
    assert len(set(exercise.hints)) == 3
    assert all(len(hint.split()) >= 1 for hint in exercise.hints)
    assert exercise.because
    shown = lab.exercise(name).solution().code
    assert [line for line in shown.splitlines() if line.strip() not in exercise.solution] == [], (
        "as in a cell, or as text"
    )
