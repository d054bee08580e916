"""The playground without a browser: a panel for each tab, the world changed under it, nothing left behind."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from simlib import Cloud
from simlib.lab import AccessGraph, Playground, PolicyEditor, SessionTimeline
from simlib.lab.playground import EXAMPLES, TABS
from tests.lab.test_policy_editor import widget


@pytest.fixture
def playground() -> Any:
    yield Playground()
    if Cloud.running:
        Cloud.running.stop()


def ask(view: Any, name: str, value: str = "") -> None:
    view._handle_msg(
        {"content": {"data": {"method": "custom", "content": {"do": name, "value": value}}}, "buffers": []}
    )


def test_every_tab_has_its_panel_which_is_kept(playground: Playground) -> None:
    kinds = {"graph": AccessGraph, "policies": PolicyEditor, "timeline": SessionTimeline}
    playground.begin("partners")
    for name in TABS:
        playground.open(name)
        assert type(playground.panel) is kinds.get(name, type(playground.panel))
        assert playground.panel is playground.panel
        assert TABS[name].first in str(playground)
    with pytest.raises(KeyError, match="graph, policies"):
        playground.open("nonsense")


def test_it_begins_with_an_answer_and_who_is_asked_about_first_has_a_policy_to_change(playground: Playground) -> None:
    assert "alice" in str(playground)
    assert "nothing here" not in str(playground)
    playground.open("access")
    assert playground.panel.documents
    assert playground.subjects[-1] == "lab-admin"


def test_the_policies_of_others_can_be_chosen(playground: Playground) -> None:
    view = widget(playground)
    ask(view, "open", "policies")
    ask(view, "choose", "reports")
    assert [each.name for each in playground.panel.documents] == ["read-bucket", "trust policy of reports"]
    ask(view, "choose", "<script>")
    assert playground.subject == "reports"


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_fills_every_tab(playground: Playground, example: int) -> None:
    view = widget(playground)
    ask(view, "begin", str(example))
    for name in TABS:
        ask(view, "open", name)
        wanted = bool(playground.subjects) or not TABS[name].asks
        assert (playground.panel is not None) is wanted
        assert len(view.hosted) == wanted


def test_an_empty_world_says_so(playground: Playground) -> None:
    with Cloud.start() as aws:
        empty = Playground(aws)
        empty.open("policies")
        view = widget(empty)
        assert "Create a bucket above" in view.html
        assert "Create a bucket above" in str(empty)


@pytest.mark.parametrize(("name", "value"), [("open", "nonsense"), ("begin", "1"), ("begin", "x"), ("fly", "away")])
def test_a_message_that_makes_no_sense_changes_nothing(playground: Playground, name: str, value: str) -> None:
    view, before = widget(playground), str(playground)
    ask(view, name, value)
    assert str(playground) == before


def test_the_choices_show_what_counts(playground: Playground) -> None:
    """The world that is open, and what is created and borrowed if nothing else is chosen."""
    view = widget(playground)
    assert ">now: Keys and sessions</option>" in view.html
    ask(view, "begin", "partners")
    assert ">now: Two accounts, and a partner firm&#x27;s</option>" in view.html
    for what in ("account", "who", "role"):
        [field] = re.findall(f'<select[^>]*data-do="{what}"[^>]*>(.*?)</select>', view.html)
        assert field.count(" selected") == 1, what


def test_what_is_created_needs_a_name(playground: Playground) -> None:
    ask(widget(playground), "create", "")
    assert playground.note.startswith("It needs a name")


def test_going_from_tab_to_tab_and_running_the_cell_again_leaves_nothing_behind(playground: Playground) -> None:
    from ipywidgets.widgets.widget import _instances

    def around() -> int:
        view = widget(playground)
        for name in TABS:
            ask(view, "open", name)
        return len(_instances)

    around()
    once = around()
    assert [around() for _ in range(10)][-1] == once


def send(view: Any, do: str, value: str, file: str) -> None:
    content = {"do": do, "value": value, "file": file}
    view._handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})


def test_a_world_goes_through_the_browser_and_a_wrong_file_is_told(playground: Playground) -> None:
    given: dict[str, str] = {}
    view = widget(playground)
    playground.save_file = given.__setitem__
    playground.create("user", "carol")
    ask(view, "download_world")
    assert playground.note.startswith("Your browser has saved world.json.")
    ask(view, "begin", "trust")
    send(view, "open_world", given["world.json"], "mine.json")
    assert playground.note.startswith("mine.json is open.")
    assert "carol" in playground.people("user")
    assert playground.world is Cloud.running
    send(view, "open_world", "{}", "<none>.json")
    assert "none" in playground.note
    assert playground.world is Cloud.running
    assert "<none>" not in view.html


def test_worlds_beside_the_page_are_opened_by_name(
    playground: Playground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "progress.json").write_text("{}")
    playground.create("user", "carol")
    playground.world.save("with-carol.json")
    view = widget(playground)
    assert "with-carol.json" in view.html
    assert "progress.json" not in view.html
    ask(view, "begin", "trust")
    ask(view, "begin", "with-carol.json")
    assert playground.note == "Opened with-carol.json."
    assert "carol" in playground.people("user")


def test_people_and_places_are_made_and_roles_borrowed_without_code(playground: Playground) -> None:
    view = widget(playground)
    for kind, name in (("bucket", "carols-bucket"), ("user", "carol"), ("role", "audit")):
        ask(view, "kind", kind)
        ask(view, "name", name)
        ask(view, "create")
        assert playground.note == f"There is a new {kind} now: {name}."
    ask(view, "create")
    assert playground.note.startswith("Conflict.")
    ask(view, "kind", "user")
    ask(view, "name", "no such name")
    ask(view, "create")
    assert playground.note.startswith("Invalid request.")
    ask(view, "who", "alice")
    ask(view, "role", "reports")
    ask(view, "borrow")
    assert playground.note == "alice holds a session of reports now."
    ask(view, "borrow")
    assert len([each for each in playground.world.credentials() if each.issued_to.endswith("user/alice")]) == 2
    ask(view, "who", "carol")
    ask(view, "borrow")
    assert playground.note.startswith("Refused.")
    playground.borrow("nobody", "reports")
    assert "There is no user here called 'nobody'" in playground.note
