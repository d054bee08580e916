"""The map of the course: how far a learner has come, and where to go on."""

from __future__ import annotations

from typing import Any

from simlib import lab
from simlib.lab import course

NINE, TEN = "2026-11-24T09:00:00Z", "2026-11-24T10:00:00Z"


def solved(number: int, when: str = NINE) -> dict[str, Any]:
    module = course.lesson(number)
    return {
        "predictions": {name: {"choice": 0, "right": True, "when": when} for name in module.predictions},
        "exercises": {name: {"passed": True, "tries": 1, "hints": 0, "when": when} for name in module.exercises},
    }


def test_nothing_done() -> None:
    shown = lab.overview({})
    assert f"{sum(course.lesson(8).minutes.values())} min" in str(shown).splitlines()[8]
    assert {stage.state for stage in shown.stages} == {"○ not begun"}
    assert [stage.number for stage in shown.stages] == list(range(1, 10))
    assert shown.next == ""


def test_in_the_middle_of_a_lesson_it_names_the_step() -> None:
    begun = {"predictions": {"root in the trust policy": {"choice": 0, "right": False, "when": TEN}}}
    shown = lab.overview({"1": solved(1), "2": begun})
    assert [stage.state for stage in shown.stages][:3] == ["● done", "◐ begun", "○ not begun"]
    assert shown.next.startswith(
        "Go on with lesson 2, Trust policies: who may assume a role. You were at “Name the account”"
    )
    assert 'lab.catch_up(2, "Name the account")' in str(shown).replace("\n", " ")
    html = shown._repr_mimebundle_()["text/html"]
    assert '<a href="02-trust-policies.ipynb">' in html
    assert "<code>lab.catch_up(2, &quot;Name the account&quot;)</code>" in html
    assert html.count("Continue") == 1


def test_after_a_lesson_it_names_the_next_that_is_open() -> None:
    assert lab.overview({"2": solved(2), "3": solved(3), "1": {}}).next == (
        "Go on with lesson 4, Temporary credentials."
    )


def test_when_all_is_done_there_is_nothing_to_go_on_with() -> None:
    assert lab.overview({str(number): solved(number) for number in course.LESSONS}).next == ""


def test_answers_of_another_version_of_the_lab_do_no_harm() -> None:
    strange = {"99": solved(2, TEN), "4": {"predictions": {"of old": {"choice": 1, "when": NINE}}}}
    assert lab.overview(strange).next == ""
    del strange["99"]
    assert lab.overview(strange).next == "Go on with lesson 4, Temporary credentials."
