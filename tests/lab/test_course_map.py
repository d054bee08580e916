"""The map of the course: how far a learner has come, and where to go on."""

from __future__ import annotations

from typing import Any

from simlib import lab
from simlib.lab import course

NINE, TEN = "2026-11-24T09:00:00Z", "2026-11-24T10:00:00Z"


def solved(slug: str, when: str = NINE) -> dict[str, Any]:
    module = course.lesson(slug)
    return {
        "predictions": {name: {"choice": 0, "right": True, "when": when} for name in module.predictions},
        "exercises": {name: {"passed": True, "tries": 1, "hints": 0, "when": when} for name in module.exercises},
    }


def test_nothing_done() -> None:
    shown = lab.overview({})
    assert f"{course.LESSONS['deny'].minutes} min" in str(shown).splitlines()[12]
    assert {stage.state for stage in shown.stages} == {"○ not begun"}
    assert [stage.lesson.number for stage in shown.stages] == [*range(1, len(course.LESSONS))]
    assert shown.next == "Begin with lesson 1, A user and a key."
    html = shown._repr_mimebundle_()["text/html"]
    assert (
        html.count('<a class="sl-b is-primary" href="01-users.ipynb">Begin</a>') == html.count('is-primary" href') == 1
    )


def test_in_the_middle_of_a_lesson_it_names_the_step() -> None:
    begun = {"predictions": {"root in the trust policy": {"choice": 0, "right": False, "when": TEN}}}
    before = {slug: solved(slug) for slug in ("users", "roles", "two-policies")}
    shown = lab.overview({**before, "trust": begun})
    assert [stage.state for stage in shown.stages][2:5] == ["● done", "◐ begun", "○ not begun"]
    assert shown.next.startswith("Go on with lesson 4, Who may assume a role. You were at “Name the account”")
    assert 'lab.catch_up("trust", "Name the account")' in str(shown).replace("\n", " ")
    html = shown._repr_mimebundle_()["text/html"]
    assert '<a href="04-trust.ipynb">' in html
    assert "<code>lab.catch_up(&quot;trust&quot;, &quot;Name the account&quot;)</code>" in html
    assert html.count("Continue") == 1


def test_after_a_lesson_it_names_the_next_that_is_open() -> None:
    assert lab.overview({"trust": solved("trust"), "names": solved("names")}).next == (
        "Go on with lesson 6, When a session expires."
    )


def test_when_the_last_is_done_it_names_what_was_left_out() -> None:
    done = {slug: solved(slug) for slug in course.LESSONS if slug not in ("deny", "four-sentences")}
    assert lab.overview(done | {"repair": solved("repair", TEN)}).next == "Go on with lesson 12, Allow and deny."


def test_when_all_is_done_there_is_nothing_to_go_on_with() -> None:
    assert lab.overview({slug: solved(slug) for slug in course.LESSONS}).next == ""


def test_answers_of_another_version_of_the_lab_do_no_harm() -> None:
    strange = {"gone": solved("trust", TEN), "sessions": {"predictions": {"of old": {"choice": 1, "when": NINE}}}}
    assert lab.overview(strange).next == "Go on with lesson 1, A user and a key."
    del strange["gone"]
    assert lab.overview(strange).next == "Go on with lesson 6, When a session expires."
