"""What a learner takes along and brings back: no wrong file does harm, and nothing newer is lost."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from simlib import Cloud, lab
from simlib.lab import downloads, progress, progress_file, questions
from simlib.lab.downloads import Downloads


@pytest.fixture(autouse=True)
def a_new_learner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "_guesses", {})
    monkeypatch.setattr(questions, "_states", {})
    monkeypatch.setattr(progress, "_memory", progress.Memory())


@pytest.fixture(autouse=True)
def notebook(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names of the learner's notebook."""
    module = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", module)
    return module.__dict__


@pytest.fixture
def aws() -> Iterator[Cloud]:
    with lab.begin("sessions") as world:
        yield world
    if Cloud.running:
        Cloud.running.stop()


@pytest.fixture
def given() -> dict[str, str]:
    """The files that the browser was given, by name."""
    return {}


@pytest.fixture
def bar(given: dict[str, str]) -> Downloads:
    return Downloads(lambda: None, given.__setitem__)


def press(bar: Downloads, do: str, *sent: str) -> str:
    """Press a button, with what the browser sends; what it says then."""
    bar.commands[do](*sent or [""])
    return bar.note


def test_progress_goes_to_another_machine_and_comes_back(
    bar: Downloads, given: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    lab.answer("two hours", "c")
    press(bar, "download_progress")
    monkeypatch.setenv("IAM_LAB_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.setattr(questions, "_guesses", {})
    assert lab.predict("two hours").locked is None
    press(bar, "restore_progress", given["progress.json"])
    assert bar.note == "progress.json: 1 answer, 1 of them new here."
    assert lab.predict("two hours").locked == 2
    assert "sessions" in progress_file.read(tmp_path / "progress.json")


def test_the_world_goes_to_another_kernel_and_comes_back(
    aws: Cloud, bar: Downloads, given: dict[str, str], notebook: dict[str, Any]
) -> None:
    notebook["aws"] = aws
    iam = aws.account("dev").admin.client("iam")
    key = iam.create_access_key(UserName="alice")
    press(bar, "download_world")
    assert bar.note == "Your browser has saved world.json. It holds the keys of this world."
    press(bar, "open_world", given["world.json"], "mine.json")
    assert bar.note == "mine.json is open. It holds dev."
    assert notebook["aws"] is Cloud.running is not aws
    alice = notebook["aws"].sign_in(key)
    assert alice.client("sts").get_caller_identity()["Arn"].endswith("user/alice")
    notebook["dev"] = aws.account("dev")
    press(bar, "open_world", given["world.json"], "mine.json")
    assert "Other names still belong to the world before" in bar.note


def test_a_name_that_means_something_else_is_left_to_the_learner(
    aws: Cloud, bar: Downloads, given: dict[str, str], notebook: dict[str, Any]
) -> None:
    press(bar, "download_world")
    notebook["aws"] = "Amazon"
    press(bar, "open_world", given["world.json"])
    assert notebook["aws"] == "Amazon"
    assert "`Cloud.running` is this world" in bar.note


A_WORLD = '{"IamLabWorld": 1, "Clock": "2026-11-24T09:00:00Z", "Accounts": []}'
NEWER = '{"version": 3, "lessons": {}}'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "x.json is empty. Nothing has changed."),
        ("\ud800", "x.json cannot be read"),
        ('{"cells": []}', "x.json is not a progress file. Nothing has changed."),
        (A_WORLD, "x.json is a world and not your progress. Press “Open a world …”"),
        (NEWER, "x.json was written by a newer version of the lab. Get the lab again. Nothing has changed."),
    ],
)
def test_a_wrong_file_is_not_taken_for_progress(bar: Downloads, text: str, said: str) -> None:
    lab.answer("two hours", "c")
    before = progress.place().read_bytes()
    press(bar, "restore_progress", text, "x.json")
    assert bar.note.startswith(said)
    assert progress.place().read_bytes() == before


def test_of_a_file_that_is_too_large_the_page_sends_the_name_alone(bar: Downloads) -> None:
    press(bar, "too_large", "", "x.json")
    assert bar.note.startswith("x.json is too large: No more than 5 MB")


@pytest.mark.parametrize("text", ["", "\ud800", "[]", '{"version": 1, "lessons": {}}', '{"IamLabWorld": 2}'])
def test_a_wrong_file_is_not_taken_for_a_world(aws: Cloud, bar: Downloads, text: str) -> None:
    press(bar, "open_world", text, "x.json")
    assert "x.json" in bar.note
    assert downloads.__name__ not in bar.note
    assert "/" not in bar.note.replace("x.json", "")
    assert Cloud.running is aws
    assert aws.account("dev").admin.client("sts").get_caller_identity()


def test_where_there_is_no_world_or_one_too_large_for_the_browser_it_says_so(
    bar: Downloads, given: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "There is no running world" in press(bar, "download_world")
    monkeypatch.setattr(downloads, "LARGEST", 100)
    with lab.begin("sessions"):
        assert 'aws.save("world.json")' in press(bar, "download_world")
    assert given == {}


def test_where_nothing_can_be_written_progress_can_still_be_taken_along(
    bar: Downloads, given: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IAM_LAB_PROGRESS", "no-such-folder/progress.json")
    lab.answer("two hours", "c")
    press(bar, "download_progress")
    assert json.loads(given["progress.json"])["lessons"]["sessions"]["predictions"]["two hours"]["choice"] == 2


def test_the_page_is_warned_of_the_keys_and_a_file_name_is_no_markup(bar: Downloads) -> None:
    press(bar, "restore_progress", "{", "<script>.json")
    shown = bar.page().html(live=True)
    assert "contains its keys" in shown
    assert "<script>" not in shown


def test_what_a_browser_sends_and_gets(given: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    from ipywidgets.widgets.widget import _instances

    model = lab.overview()._repr_mimebundle_()["application/vnd.jupyter.widget-view+json"]["model_id"]
    widget = _instances[model]
    sent: list[Any] = []
    monkeypatch.setattr(widget, "send", lambda content, buffers=None: sent.append(content))
    pick = {"do": "restore_progress", "value": "{", "file": "a"}
    for message in ({"do": "download_progress", "value": ""}, pick, {**pick, "value": 7}, {**pick, "do": "nothing"}):
        widget._handle_custom_msg(message, [])
    assert json.loads(sent[0]["text"]) == {"version": 2, "lessons": {}}
    assert sent[0]["file"] == "progress.json"
    assert sent.count({"done": True}) == 4
    assert "a cannot be read" in widget.html
    widget.close()
