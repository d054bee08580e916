"""Progress is kept in one small file; whatever is wrong with it, the lesson goes on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from simlib import lab
from simlib.lab import progress, progress_file, questions
from simlib.lab.progress_file import merged


@pytest.fixture(autouse=True)
def a_new_learner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "_guesses", {})
    monkeypatch.setattr(questions, "_states", {})
    monkeypatch.setattr(progress, "_memory", progress.Memory())


@pytest.fixture
def file(progress_of_nobody: Path) -> Path:
    return progress_of_nobody


def test_predictions_and_exercises_are_kept_with_the_real_time(file: Path) -> None:
    lab.answer("a third key", "b")
    with lab.begin("sessions") as aws:
        aws.clock.advance(days=1000)
        lab.exercise("rotate a key").check(lambda iam, use: use(None))
        real = aws.clock.real_now
    lab.exercise("rotate a key").hint()
    kept = json.loads(file.read_text(encoding="utf-8"))
    assert kept["version"] == progress_file.VERSION
    prediction = kept["lessons"]["credentials"]["predictions"]["a third key"]
    assert (prediction["choice"], prediction["right"]) == (1, True)
    made = kept["lessons"]["credentials"]["exercises"]["rotate a key"]
    assert (made["passed"], made["tries"], made["hints"]) == (False, 1, 1)
    assert made["when"][:10] == f"{real:%Y-%m-%d}"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
        (b"[" * 100_000, "cannot be read"),
        (b"[]", "is not a progress file"),
        (b'{"version": 1, "lessons": {"credentials": {"exercises": []}}}', "is not a progress file"),
        (
            b'{"version": 1, "lessons": {"credentials": {"exercises": {"x": {"when": "09:00\\u001b[2J"}}}}}',
            "is not a progress file",
        ),
        (b'{"version": 1, "lessons": {"' + b"4" * 5000 + b'": {}}}', "is not a progress file"),
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
    assert "credentials" in progress_file.read(file)


NO_ROOM, READ_ONLY = OSError(28, "No space left on device"), PermissionError(13, "Permission denied")


@pytest.mark.parametrize(
    ("accident", "error"), [("open", READ_ONLY), ("open", NO_ROOM), ("write", NO_ROOM), ("replace", READ_ONLY)]
)
def test_where_nothing_can_be_written_one_sentence_is_said_and_nothing_is_lost(
    file: Path, accident: str, error: OSError, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lab.answer("a third key", "b")
    before = file.read_bytes()
    with monkeypatch.context() as broken:
        refuse(broken, accident, error)
        assert "the SDK takes the first" in str(lab.answer("the wrong account", "a"))
        lab.answer("old variables", "b")
        assert file.read_bytes() == before
        assert set(progress.own_lessons()["credentials"]["predictions"]) == {
            "a third key",
            "the wrong account",
            "old variables",
        }
    shown = capsys.readouterr().out
    assert shown.count("Your progress cannot be kept in progress.json") == 1
    assert str(error.strerror) in shown
    lab.answer("twelve hours later", "a")  # there is room again
    assert len(progress_file.read(file)["credentials"]["predictions"]) == 4
    assert sorted(each.name for each in file.parent.iterdir()) == [".progress.lock", file.name]


def refuse(broken: pytest.MonkeyPatch, accident: str, error: OSError) -> None:
    """Let one step of writing fail, as the operating system would."""

    def fail(*_: Any, **__: Any) -> None:
        raise error

    if accident == "replace":
        broken.setattr(os, "replace", fail)
    elif accident == "write":
        broken.setattr(os, "fsync", fail)
    else:
        opens = Path.open

        def open_(path: Path, mode: str = "r", *rest: Any, **more: Any) -> Any:
            return opens(path, mode, *rest, **more) if mode == "rb" else fail()

        broken.setattr(Path, "open", open_)


def test_a_sentence_comes_again_when_it_happens_again(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = []
    for name in ("a third key", "the wrong account", "old variables"):
        with monkeypatch.context() as broken:
            if name != "the wrong account":
                refuse(broken, "write", NO_ROOM)
            lab.predict(name).lock(0)
        said.append(lab.predict(name).status)
    assert ["cannot be kept" in each for each in said] == [True, False, True]


def test_the_folder_of_the_lessons_is_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "lessons"
    folder.mkdir()
    monkeypatch.delenv("IAM_LAB_PROGRESS")
    monkeypatch.chdir(folder)
    lab.answer("a third key", "b")
    try:
        shutil.rmtree(folder)
    except PermissionError:  # Windows does not let go of a folder that somebody works in
        monkeypatch.setenv("IAM_LAB_PROGRESS", str(tmp_path / "gone" / "progress.json"))
    assert "the SDK takes the first" in str(lab.answer("the wrong account", "a"))
    assert "cannot be kept in progress.json" in capsys.readouterr().out
    assert "the wrong account" in progress.own_lessons()["credentials"]["predictions"]
    assert "The course" in lab.overview()._repr_mimebundle_()["text/html"]


@pytest.mark.parametrize("what", ["a folder", "a newer version's"])
def test_what_is_there_and_cannot_be_read_is_left_as_it_is(
    file: Path, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    newer = b'{"version": 3, "lessons": {"12": "of a kind that we do not know"}}'
    file.mkdir() if what == "a folder" else file.write_bytes(newer)
    lab.answer("a third key", "b")
    lab.answer("the wrong account", "b")
    shown = capsys.readouterr().out
    assert ("cannot be read" if what == "a folder" else "newer version") in shown
    assert shown.count("your progress is not kept") == 1
    assert len(progress.own_lessons()["credentials"]["predictions"]) == 2
    assert file.is_dir() or file.read_bytes() == newer
    assert not [each for each in file.parent.iterdir() if "set-aside" in each.name]


A_KERNEL = """
import sys
from simlib.lab import progress
sys.stdin.readline()  # both at once
for number in range(40):
    progress._add({"credentials": {"predictions": {f"{sys.argv[1]} {number}": {"choice": 0}}}})
"""


def test_two_kernels_that_write_at_the_same_instant_lose_nothing(file: Path) -> None:
    code = [sys.executable, "-c", A_KERNEL]
    kernels = [subprocess.Popen([*code, name], stdin=subprocess.PIPE) for name in ("one", "other")]
    for kernel in kernels:
        assert kernel.stdin
        kernel.stdin.write(b"\n")
        kernel.stdin.flush()
    assert [kernel.wait(60) for kernel in kernels] == [0, 0]
    assert len(progress_file.read(file)["credentials"]["predictions"]) == 80
    assert not list(file.parent.glob("*.set-aside-*"))


def test_two_kernels_that_find_a_damaged_file_set_aside_no_good_one(file: Path) -> None:
    file.write_text("{", encoding="utf-8")
    lab.answer("a third key", "b")
    with progress_file.locked_file(file):  # the other one looks again once it is its turn
        assert "credentials" in progress._in_the_file()
    assert len(list(file.parent.glob("*.set-aside-*"))) == 1


def test_a_kernel_that_holds_on_to_the_lock_stops_nobody_and_nothing_is_lost(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress_file, "PATIENCE", 0)
    with progress_file.locked_file(file):
        lab.answer("a third key", "b")
        assert "other notebooks are writing into it" in capsys.readouterr().out
        assert progress.own_lessons()["credentials"]["predictions"]["a third key"]["choice"] == 1
    lab.answer("the wrong account", "c")
    assert {*progress_file.read(file)["credentials"]["predictions"]} == {"a third key", "the wrong account"}


IN_A_BROWSER = """
import sys, types
sys.modules["fcntl"] = types.ModuleType("fcntl")  # with nothing in it, as its kernel has one
from simlib.lab import progress
progress.challenge("old-key 1", {"passed": True, "score": 100})
"""


def test_where_a_system_has_no_lock_progress_is_kept_all_the_same(file: Path) -> None:
    subprocess.run([sys.executable, "-c", IN_A_BROWSER], check=True)
    assert progress_file.read(file)["challenges"]["exercises"]["old-key 1"]["score"] == 100


def in_another_kernel() -> None:
    questions._guesses.clear()
    questions._states.clear()


def test_what_was_locked_in_is_locked_in_the_next_kernel(file: Path) -> None:
    lab.answer("the wrong account", "a")
    in_another_kernel()
    before = file.read_bytes()
    assert lab.predict("the wrong account").locked == 0
    assert "You expected" in str(lab.explain("the wrong account"))
    assert lab.predict("a third key").locked is None
    assert file.read_bytes() == before, "only looked at"


def test_tries_are_counted_on_and_hints_begin_anew_but_none_is_forgotten_and_solved_stays_solved(file: Path) -> None:
    entry = {"passed": True, "tries": 3, "hints": 2}
    progress_file.write(file, {"credentials": {"exercises": {"rotate a key": entry}}})
    made = lab.exercise("rotate a key")
    assert made.hint().title == "Think of this"
    with lab.begin("sessions"):
        made.check(lambda iam, use: use(None))
    kept = progress.own_lessons()["credentials"]["exercises"]["rotate a key"]
    assert (kept["passed"], kept["tries"], kept["hints"]) == (True, 4, 2)


def test_a_choice_that_the_lesson_does_not_offer_any_more_is_open_again(file: Path) -> None:
    progress_file.write(file, {"credentials": {"predictions": {"the wrong account": {"choice": 99}}}})
    assert lab.predict("the wrong account").locked is None


EARLY, LATE = "2026-11-24T09:00:00Z", "2026-11-24T10:00:00Z"


def one(name: str, **entry: Any) -> dict[str, Any]:
    return {"credentials": {"exercises" if "passed" in entry else "predictions": {name: entry}}}


@pytest.mark.parametrize(
    ("here", "there", "both"),
    [
        ({}, one("a", choice=1, when=EARLY), one("a", choice=1, when=EARLY)),
        (one("a", choice=1, when=LATE), one("a", choice=2, when=EARLY), one("a", choice=1, when=LATE)),
        (one("a", choice=1, when=EARLY), one("a", choice=2, when=LATE), one("a", choice=2, when=LATE)),
        (
            one("b", passed=False, tries=2, hints=3, when=LATE),
            one("b", passed=True, tries=4, hints=0, when=EARLY),
            one("b", passed=True, tries=4, hints=3, when=LATE),
        ),
        (one("b", passed=True), one("b", passed=False, tries=1), one("b", passed=True, tries=1)),
    ],
    ids=["nothing here", "newer here", "newer there", "solved stays solved", "without dates"],
)
def test_of_two_files_the_later_answer_counts(
    here: dict[str, Any], there: dict[str, Any], both: dict[str, Any]
) -> None:
    assert merged(here, there, by_date=True) == both


def test_restoring_says_what_is_new_and_what_stays_and_shows_it_at_once(file: Path) -> None:
    lab.answer("a third key", "b")
    downloaded = one("rotate a key", passed=True, tries=2, hints=0, when=EARLY)
    downloaded["credentials"]["predictions"] = {
        "a third key": {"choice": 0, "right": False, "when": EARLY},
        "the wrong account": {"choice": 2, "right": True, "when": LATE},
    }
    made, guess, seen = lab.exercise("rotate a key"), lab.predict("the wrong account"), []
    guess.on_draw = lambda: seen.append("drawn")
    said = progress.restore(progress_file.text(downloaded).encode())
    assert said == ("progress.json: 3 answers, 2 of them new here. 1 answer that you have given here since then stays.")
    questions.recall()
    assert made.passed
    assert (guess.locked, seen) == (2, ["drawn"])
    kept = progress.own_lessons()["credentials"]["predictions"]
    assert (kept["a third key"]["choice"], kept["the wrong account"]["when"]) == (1, LATE)


def test_a_file_with_the_old_numbers_is_read_and_its_answers_are_where_they_are_asked_today(file: Path) -> None:
    """Lesson 4 has become three; what no lesson asks any more stays under its number."""
    old = {"two hours": {"choice": 2, "right": True}, "a third key": {"choice": 1}, "of long ago": {"choice": 0}}
    file.write_text(json.dumps({"version": 1, "lessons": {"4": {"predictions": old}}}), encoding="utf-8")
    assert {slug: [*kinds["predictions"]] for slug, kinds in progress.own_lessons().items()} == {
        "sessions": ["two hours"],
        "credentials": ["a third key"],
        "4": ["of long ago"],
    }
    assert lab.predict("two hours").locked == 2
