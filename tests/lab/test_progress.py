"""Progress is kept in one small file; whatever is wrong with it, the lesson goes on."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from simlib import Cloud, lab
from simlib.lab import progress, questions


@pytest.fixture(autouse=True)
def a_new_learner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "_guesses", {})
    monkeypatch.setattr(questions, "_attempted", {})
    monkeypatch.setattr(progress, "_said", False)


@pytest.fixture
def file(progress_of_nobody: Path) -> Path:
    return progress_of_nobody


def test_predictions_and_exercises_are_kept_with_the_real_time(file: Path) -> None:
    lab.answer("a third key", "b")
    with lab.begin(4) as aws:
        aws.clock.advance(days=1000)
        lab.exercise("rotate a key").check(lambda iam, use: use(None))
        real = aws.clock.real_now
    lab.exercise("rotate a key").hint()
    kept = json.loads(file.read_text(encoding="utf-8"))
    assert kept["version"] == 1
    prediction = kept["lessons"]["4"]["predictions"]["a third key"]
    assert (prediction["choice"], prediction["right"]) == (1, True)
    made = kept["lessons"]["4"]["exercises"]["rotate a key"]
    assert (made["passed"], made["tries"], made["hints"]) == (False, 1, 1)
    assert made["when"][:10] == f"{real:%Y-%m-%d}"


def test_what_has_been_solved_stays_solved_in_the_next_kernel(file: Path) -> None:
    progress._write(file, {"version": 1, "lessons": {"4": {"exercises": {"rotate a key": {"passed": True}}}}})
    lab.exercise("rotate a key").hint()
    assert progress.mine()["4"]["exercises"]["rotate a key"]["passed"] is True


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
        (b"[" * 100_000, "cannot be read"),
        (b"[]", "is not a progress file"),
        (b'{"version": 1, "lessons": {"4": {"exercises": []}}}', "is not a progress file"),
        (b'{"version": 2, "lessons": {}}', "newer version"),
        (b" " * 1_000_001, "too large"),
    ],
)
def test_a_file_that_cannot_be_read_is_set_aside_and_not_lost(
    file: Path, content: bytes, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_bytes(content)
    lab.answer("a third key", "b")
    shown = capsys.readouterr().out
    assert said in shown
    (aside,) = file.parent.glob("progress.set-aside-*.json")
    assert aside.read_bytes() == content
    assert aside.name in shown
    assert "4" in progress.read(file)


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), OSError(28, "No space left on device")])
def test_where_nothing_can_be_written_one_sentence_is_said_and_the_lesson_goes_on(
    file: Path, error: OSError, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    progress._write(file, {"version": 1, "lessons": {}})
    before = file.read_bytes()
    monkeypatch.setattr(os, "replace", fail)
    assert "Two keys" in str(lab.answer("a third key", "b"))
    lab.answer("two hours", "a")
    assert capsys.readouterr().out.count("cannot be kept") == 1
    assert file.read_bytes() == before
    assert [each.name for each in file.parent.iterdir()] == [file.name]


def test_progress_does_not_depend_on_a_world(file: Path) -> None:
    assert Cloud.running is None
    lab.answer("two hours", "c")
    assert progress.mine()["4"]["predictions"]["two hours"]["right"] is True


def in_another_kernel() -> None:
    questions._guesses.clear()
    questions._attempted.clear()


def test_what_was_locked_in_is_locked_in_the_next_kernel(file: Path) -> None:
    lab.answer("two hours", "a")
    in_another_kernel()
    before = file.read_bytes()
    assert lab.predict("two hours").locked == 0
    assert "You expected" in str(lab.explain("two hours"))
    assert lab.predict("a third key").locked is None
    assert file.read_bytes() == before, "only looked at"


def test_tries_are_counted_on_and_hints_begin_anew_but_none_is_forgotten(file: Path) -> None:
    entry = {"passed": False, "tries": 3, "hints": 2}
    progress._write(file, {"version": 1, "lessons": {"4": {"exercises": {"rotate a key": entry}}}})
    made = lab.exercise("rotate a key")
    assert made.hint().title == "Think of this"
    with lab.begin(4):
        made.check(lambda iam, use: use(None))
    kept = progress.mine()["4"]["exercises"]["rotate a key"]
    assert (kept["tries"], kept["hints"]) == (4, 2)


def test_a_choice_that_the_lesson_does_not_offer_any_more_is_open_again(file: Path) -> None:
    progress._write(file, {"version": 1, "lessons": {"4": {"predictions": {"two hours": {"choice": 99}}}}})
    assert lab.predict("two hours").locked is None
