"""The view of the room: who is where, and what holds it up."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from simlib.lab import course, room, room_view


def wrong(when: str = "2026-11-24T09:05:00Z") -> dict[str, Any]:
    return {"choice": 0, "right": False, "when": when}


def stuck(when: str = "2026-11-24T09:10:00Z") -> dict[str, Any]:
    return {"passed": False, "tries": 4, "hints": 2, "when": when}


def solved(when: str = "2026-11-24T09:20:00Z") -> dict[str, Any]:
    return {"passed": True, "tries": 1, "hints": 0, "when": when}


def write(path: Path, lessons: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"version": 1, "lessons": lessons}), encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three learners of a hub, one who has only just come, and a file that is no progress; with the old numbers."""
    four = {"predictions": {"two hours": wrong()}, "exercises": {"rotate a key": stuck()}}
    write(tmp_path / "ada" / "lab" / "notebooks" / "progress.json", {"4": four})
    write(tmp_path / "ben" / "progress.json", {"4": {"exercises": {"rotate a key": stuck("2026-11-24T09:11:00Z")}}})
    of_eight = course.lesson("credentials")
    done = {
        "predictions": {
            name: {"choice": 1, "right": True, "when": "2026-11-24T09:00:00Z"} for name in of_eight.predictions
        },
        "exercises": {name: solved() for name in of_eight.exercises},
    }
    write(tmp_path / "cy" / "progress.json", {"4": done})
    write(tmp_path / "dee" / "progress.json", {})
    (tmp_path / "eve").mkdir()
    (tmp_path / "eve" / "progress.json").write_text("{", encoding="utf-8")
    return tmp_path


def test_who_is_where(folder: Path) -> None:
    seen = room.read_folder(folder)
    assert [(learner.name, learner.where[1]) for learner in seen.learners] == [
        ("ada", "lesson 8"), ("ben", "lesson 8"), ("cy", "lesson 8"), ("dee", "")
    ]  # fmt: skip


def test_start_here_is_called_so_and_a_lesson_without_exercises_has_no_count(tmp_path: Path) -> None:
    write(tmp_path / "ada" / "progress.json", {"start-here": {"predictions": {"a new user looks around": wrong()}}})
    seen = room.read_folder(tmp_path)
    assert str(seen.stumbling_blocks()[0]) == "1 of 1: Start here, prediction “a new user looks around”"
    assert "Start here, " in str(seen)
    assert "0/0" not in str(seen)


def test_the_page_follows_the_theme_of_the_system(tmp_path: Path) -> None:
    assert ":root { color-scheme: light dark; }" in room_view.page(room.read_folder(tmp_path))


def test_the_right_answer_for_another_reason_holds_the_room_up_too(tmp_path: Path) -> None:
    right = {"choice": 2, "right": True, "when": "2026-11-24T09:00:00Z"}
    for who, reason, explained in (("ada", [0], True), ("ben", [1], False), ("cy", [1], False), ("dee", [2], False)):
        entry = {**right, "reason": reason, "explained": explained}
        write(tmp_path / who / "progress.json", {"sessions": {"predictions": {"two hours": entry}}})
    [block] = room.read_folder(tmp_path).stumbling_blocks()
    assert block.who == ("ben", "cy", "dee")
    assert block.common_choice == ": the right answer, because: From STS: no session lasts more than one hour."


def test_the_table_tells_what_holds_the_room_up_and_what_was_passed_over(folder: Path) -> None:
    first, second = room.read_folder(folder).stumbling_blocks()
    assert (str(first), first.who) == ("2 of 3: lesson 8, exercise “rotate a key”", ("ada", "ben"))
    assert str(second) == "1 of 1: lesson 6, prediction “two hours”"
    assert second.common_choice == ": A session of one hour: AWS gives as much as it can."
    _, ada, *rest = str(room.read_folder(folder)).splitlines()
    here = datetime(2026, 11, 24, 9, 10, tzinfo=UTC).astimezone()
    assert ada.startswith("ada")
    assert ada.endswith(f"lesson 8, {here:%H:%M}")
    shown = "\n".join(rest)
    assert f"{first} – ada, ben" in shown
    assert f"{second}{second.common_choice} – ada" in shown
    assert "Passed over: eve" in shown


@pytest.mark.parametrize(
    "entry",
    [
        {"passed": "<script>", "tries": 1},
        {"passed": False, "tries": "many"},
        {"passed": False, "tries": 10**30, "when": 12},
        [],
    ],
)
def test_a_strange_file_is_passed_over_with_a_sentence(tmp_path: Path, entry: Any) -> None:
    write(tmp_path / "mallory" / "progress.json", {"4": {"exercises": {"rotate a key": entry}}})
    seen = room.read_folder(tmp_path)
    assert seen.learners == ()
    assert "is not a progress file" in str(seen)


@pytest.mark.parametrize(
    ("folder", "lessons"),
    [
        ("mal\x1b[2Jlory", {}),
        ("mal\x1b[2Jlory", {"x": {}}),
        ("mallory", {"4": {"exercises": {"\x1b[2J": stuck()}}}),
        ("mallory", {"4": {"exercises": {"rotate a key": stuck("2026-11-24\x1b[2J")}}}),
        ("mallory", {"4": {"exercises": {"\ud800$\\frac$": stuck()}}}),
        ("mallory", {"\x1b[2J": {}}),
    ],
)
def test_what_a_file_says_is_data_and_moves_no_cursor(tmp_path: Path, folder: str, lessons: Any) -> None:
    write(tmp_path / folder / "progress.json", lessons)
    seen = room.read_folder(tmp_path)
    assert "mal" in str(seen)
    assert "\x1b" not in str(seen)
    assert "\x1b" not in room_view.page(seen)


def test_a_folder_that_is_not_there_gets_a_sentence_and_an_empty_one_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert room_view.main(["no-such-folder"]) == 2
    assert "is not a folder" in capsys.readouterr().err
    assert str(room.read_folder(tmp_path)) == "No progress file yet."


def test_watching_looks_again_until_it_is_stopped_and_no_page_that_cannot_be_written_ends_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    looks = iter([None, None])

    def sleep(_: float) -> None:
        if next(looks, "over") == "over":
            raise KeyboardInterrupt

    monkeypatch.setattr(room_view.time, "sleep", sleep)
    assert room_view.main([str(folder), "--watch", "--page", str(folder / "gone" / "room.html")]) == 0
    seen = capsys.readouterr()
    assert seen.out.count("Stuck:") == 3
    assert seen.err.count("cannot be written") == 3


def test_whoever_reads_may_stop_reading(folder: Path) -> None:
    command = [sys.executable, "-m", "simlib", "progress", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    process.wait(60)


def test_a_learner_has_one_row_however_many_files_and_links_lie_there(tmp_path: Path) -> None:
    write(
        tmp_path / "room" / "eve" / "notebooks" / "progress.json", {"1": {"exercises": {"your first policy": solved()}}}
    )
    for number in range(300):
        write(tmp_path / "room" / "eve" / "heap" / f"progress-{number}.json", {})
        os.utime(tmp_path / "room" / "eve" / "heap" / f"progress-{number}.json", (0, 0))
    write(tmp_path / "elsewhere" / "progress.json", {"4": {}})
    (tmp_path / "room" / "mallory").mkdir()
    try:
        (tmp_path / "room" / "mallory" / "progress.json").symlink_to(tmp_path / "elsewhere" / "progress.json")
        (tmp_path / "room" / "ghost").symlink_to(tmp_path / "elsewhere")
    except OSError:
        pytest.skip("Windows makes links for administrators only: run this as one, or elsewhere")
    [learner] = room.read_folder(tmp_path / "room").learners
    assert (learner.name, learner.where[1]) == ("eve", "Start here")


def test_scores_are_a_line_for_each_learner_and_lesson_in_nbgraders_form(folder: Path) -> None:
    write(folder / "=cmd" / "progress.json", {"4": {"exercises": {"rotate a key": solved()}}})
    assert room_view.main([str(folder), "--csv", str(folder / "scores.txt")]) == 0
    rows = list(csv.DictReader((folder / "scores.txt").read_text(encoding="utf-8").splitlines()))
    assert tuple(rows[0]) == room_view.COLUMNS
    of_eight = str(len(course.lesson("credentials").exercises))
    four = {
        row["student_id"]: (row["score"], row["max_score"], row["timestamp"])
        for row in rows
        if row["assignment"] == "lesson 8"
    }
    assert four["ada"] == ("0", of_eight, "")
    assert four["'=cmd"] == ("1", of_eight, "2026-11-24T09:20:00Z"), "a spreadsheet runs nothing"


def test_the_page_tells_the_same_and_what_a_file_says_is_text_there(folder: Path) -> None:
    write(folder / "<script>alert(1)<" / "progress.json", {"4": {"exercises": {"<b>": stuck()}}})
    assert room_view.main([str(folder), "--page", str(folder / "room.html")]) == 0
    page = (folder / "room.html").read_text(encoding="utf-8")
    assert "&lt;script&gt;alert(1)&lt;" in page
    assert "<script" not in page
    assert "2 of 3: lesson 8, exercise “rotate a key” – ada, ben" in page
    assert "A session of one hour: AWS gives as much as it can." in page
    assert [path.name for path in folder.glob(".*")] == []
