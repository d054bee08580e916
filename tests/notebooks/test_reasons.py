"""What learners choose from before an explanation opens: AWS's check is the one that decided, and each experiment shows
what it is there for and leaves the lesson as it was."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from simlib import Cloud
from simlib.lab import course, lesson_cells
from simlib.lab.experiments import last_value, run_on_copy

ASKED = re.compile(r'lab\.(predict|explain)\("([^"]+)"\)')
PREDICTIONS = {name: each for lesson in course.LESSONS for name, each in course.lesson(lesson).predictions.items()}
SHOWN = {  # by each experiment: what is allowed and what is not, in order, or other words
    "a new user looks around": "✔",
    "a key and no policy": "✔",
    "no key on the machine": "user/alice.*assumed-role/web-app",
    "the day after": "✔",
    "the permission is gone": "report.csv",
    "the trust is gone": "report.csv",
    "the administrator assumes a role": "✔",
    "root in the trust policy": "✔✘",
    "a user who does not exist yet": "✔",
    "alice is back": "✔",
    "an hour and a minute": "✔✘",
    "two hours": "✔",
    "two hours for the machine": "1 hour session limit for roles assumed by role chaining",
    "the key is deleted": "✔",
    "twelve hours later": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n\d{4}",
    "old variables": "assumed-role/web-app.*user/alice",
    "prod trusts alice": "✔",
    "one organization": "✘",
    "a tag and a source identity": "✘",
    "the bucket names bob": "✘",
    "the bucket names dev": "✔",
    "a role of mallory": "✔✘",
    "mallory knows the external id": "✔",
    "allow and deny": "✘",
    "the mfa trap": "✘",
    "a boundary for bob": "✔✘",
    "an scp for dev": "✔✔",
    "a generous session policy": "✘✘",
    "alice starts a machine": "✔✘",
    "what alice has become": "✘✔",
    "version two": "web-app",
    "the pipeline assumes a role": "✘✘",
    "the second run": "✔✔",
    "half a test": "READ_LEDGER may delete: False.*the wide one may delete: True",
    "what the SDK asks for": "0",
    "a machine for Alice": "✔",
}


def signs(text: str) -> str:
    """What was allowed and what was not, in order."""
    return "".join(re.findall(r"[✔✘]", text))


class Played:
    """A lesson run as `catch_up` runs it; at each explanation the experiment is made, if they are to be."""

    def __init__(self, lesson: str, experiments: bool, patch: pytest.MonkeyPatch) -> None:
        self.names: dict[str, Any] = {}
        patch.setattr(lesson_cells, "names", lambda: self.names)
        self.shown: dict[str, str] = {}  # by cell
        self.results: dict[str, str] = {}  # by prediction
        self.late_results: dict[str, str] = {}  # the same at the lesson's end
        self.decided: dict[str, set[str]] = {}  # by prediction: the checks that have decided since it was asked
        asked = 0
        for cell in lesson_cells.read_lesson(lesson):
            source = "".join(cell["source"])
            if cell["cell_type"] != "code" or "lab.exercise(" in source:
                continue
            kind, name = found.groups() if (found := ASKED.search(source)) else ("", "")
            if kind == "explain":
                self.decided[name] = set(decided(asked))
                if experiments and PREDICTIONS[name].experiment:
                    self.results[name] = run_on_copy(PREDICTIONS[name].experiment.code)
            else:
                value = last_value("\n".join(lesson_cells.sources([cell])), self.names)
                self.shown[cell["id"]] = signs(str(value))
            if kind == "predict" and Cloud.running:
                asked = Cloud.running.trail.total
        for name in self.results:
            self.late_results[name] = run_on_copy(PREDICTIONS[name].experiment.code)


def decided(since: int) -> Iterator[str]:
    for event in Cloud.running.trail.since(since) if Cloud.running else ():
        for evaluation in event.evaluations:
            check, statements, _ = evaluation.deciding
            yield from [check.check_type] if check else (each.check_type for each in statements)


@pytest.fixture(scope="module", params=course.LESSONS)
def both(request: pytest.FixtureRequest) -> Iterator[tuple[Played, Played]]:
    """A lesson without its experiments, and with all of them."""
    with pytest.MonkeyPatch.context() as patch:
        yield Played(request.param, False, patch), Played(request.param, True, patch)
    if Cloud.running:
        Cloud.running.stop()


def test_every_experiment_shows_what_it_is_for_and_leaves_the_lesson_as_it_was(both: tuple[Played, Played]) -> None:
    without, made = both
    assert [text for name, text in made.results.items() if not shows(name, text)] == []
    assert made.shown == without.shown


def test_an_experiment_shows_the_same_to_somebody_who_comes_back_from_the_end_of_the_lesson(
    both: tuple[Played, Played],
) -> None:
    late = both[1].late_results
    assert {name: text for name, text in late.items() if not shows(name, text)} == {}


def shows(name: str, text: str) -> bool:
    """Whether an experiment shows what it is there for."""
    wanted = SHOWN[name]
    return signs(text) == wanted if signs(wanted) else bool(re.search(wanted, text, re.DOTALL))


def test_the_check_that_a_reason_names_is_the_one_that_decided(both: tuple[Played, Played]) -> None:
    for name, checks in both[1].decided.items():
        named = [each.check for each in PREDICTIONS[name].reasons] or [""]
        right, *others = ["RESOURCE" if each == "TRUST" else each for each in named]
        assert not right or (right in checks and right not in others), name


def test_in_more_than_half_of_the_predictions_the_reason_is_asked() -> None:
    asked = [each for each in PREDICTIONS.values() if each.reasons]
    assert len(asked) > len(PREDICTIONS) / 2
    assert all(len(each.reasons) >= 3 for each in asked)
    assert all(each.experiment is None or each.reasons for each in PREDICTIONS.values())
