"""What every panel owes: it closes cleanly however often its cell is run, and tells the same in text."""

from __future__ import annotations

import gc
import inspect
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ipywidgets.widgets.widget import _instances

from simlib import Cloud, lab
from simlib.lab import course, screen
from simlib.lab.exercises import ExerciseState
from simlib.lab.page import Part, el
from simlib.lab.panel import Commands, Panel
from simlib.lab.predictions import Guess

ROLE = "arn:aws:iam::111111111111:role/reports"
QUESTION = course.lesson("trust").predictions["root in the trust policy"]
EXERCISE = course.lesson("trust").exercises["let bob in"]
FILE = ("s3:GetObject", "arn:aws:s3:::my-secure-bucket/report.csv")
PANELS: dict[str, Callable[[Any], Any]] = {
    "AccessExplorer": lambda world: lab.AccessExplorer(world, who=["alice", "reports"], requests=[FILE]),
    "AccessGraph": lambda world: lab.AccessGraph(world),
    "Challenges": lambda world: lab.Challenges(),
    "Containment": lambda world: lab.Containment(world, accounts=["dev"]),
    "CrossAccount": lambda world: lab.CrossAccount(world, who="alice", role="reports", requests=[FILE]),
    "Playground": lambda world: lab.Playground(world),
    "PolicyEditor": lambda world: lab.PolicyEditor.of(world, ROLE),
    "SessionTimeline": lambda world: lab.SessionTimeline(world, requests=[FILE]),
    "TrustExplorer": lambda world: lab.TrustExplorer(world, role="reports"),
}
PANELS |= {  # what lessons ask
    "prediction": lambda world: Guess(QUESTION),
    "explanation": lambda world: Guess(QUESTION).explain(),
    "exercise": lambda world: ExerciseState(EXERCISE, "let bob in").panel(),
    "verdict": lambda world: ExerciseState(EXERCISE, "let bob in").check(""),
}
RUNS = 50
each_panel = pytest.mark.parametrize("name", PANELS)


@pytest.fixture(scope="module")
def world() -> Iterator[Any]:
    with lab.begin("trust") as world:
        yield world
    if Cloud.running:  # what the playground was told to begin
        Cloud.running.stop()


def test_every_panel_is_among_them() -> None:
    public = (getattr(lab, name) for name in lab.__all__)
    panels = {each.__name__ for each in public if inspect.isclass(each) and issubclass(each, Panel)}
    assert panels <= set(PANELS)


@each_panel
def test_a_panel_shown_again_and_again_keeps_one_view(world: Any, name: str) -> None:
    panel = PANELS[name](world)

    def run() -> tuple[int, int]:
        panel._repr_mimebundle_()
        screen.follow_up()
        return len(_instances), len(screen._followers)

    run()
    once = run()
    assert [run() for _ in range(RUNS)][-1] == once


@each_panel
def test_a_cell_run_again_and_again_keeps_one_panel(world: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    count = iter(range(RUNS + 2))

    def run() -> tuple[int, int]:
        request = f"request-{next(count)}"
        monkeypatch.setattr(screen, "_running", lambda: (f"cell of {name}", request))
        panel = PANELS[name](world)
        panel._repr_mimebundle_()
        screen.follow_up()
        kinds.add(type(panel))
        return len(_instances), len(screen._followers)

    def kept() -> int:
        gc.collect()
        return sum(type(each) in kinds for each in gc.get_objects())

    kinds: set[type] = set()
    run()
    once, in_memory = run(), kept()
    assert [run() for _ in range(RUNS)][-1] == once, "widgets, or watchers of the world, are left"
    assert kept() <= in_memory, "panels of earlier runs are kept in memory"


@each_panel
def test_a_panel_is_told_in_text_and_outside_a_kernel(world: Any, name: str) -> None:
    panel = PANELS[name](world)
    shown = panel._repr_mimebundle_()
    assert shown["text/plain"] == str(panel) == repr(panel)
    assert len(str(panel)) > 50
    assert len(shown["text/html"]) > 200, "its last picture, where no kernel is"
    assert "data-do" not in shown["text/html"], "nothing to press where nobody listens"


@each_panel
def test_a_panel_whose_world_is_over_stays_as_it_was_and_troubles_no_cell(name: str) -> None:
    with lab.begin("trust") as over:
        panel = PANELS[name](over)
        panel._repr_mimebundle_()
    with Cloud.start():
        screen.follow_up()


JUNK = ("", "x", "-1", "999", "²", "٣", "0 999", "<script>", "tomorrow", "===,,", "\u202e", "x" * 100_000)
PRESSED = sorted(set(PANELS) - {"Challenges", "Playground", "PolicyEditor"})  # these have messages of their own
NONSENSE = (None, "move", {}, {"do": "move", "value": 3}, {"do": "explain", "value": "0", "file": 1})


@pytest.mark.parametrize("name", PRESSED)
def test_a_browser_may_send_anything(name: str) -> None:
    with lab.begin("trust") as world:
        panel = PANELS[name](world)
        view = _instances[panel._repr_mimebundle_()["application/vnd.jupyter.widget-view+json"]["model_id"]]
        orders = [{"do": do, "value": value} for do in [*panel.commands, "exec"] for value in JUNK]
        for content in (*orders, *NONSENSE):
            view._handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})
        assert not re.search("<script>|\u202e", view.html + panel.picture())
        assert str(panel)


HOSTILE = {
    "script": "<script>alert(1)</script>",
    "attribute": "'\"><img src=x onerror=alert(1)>",
    "right to left": "\u202egnirts",
    "entities": "]]>&amp;\x00",
    "long": "x" * 10_000,
}
ASKED: dict[str, Callable[[Any, str], Any]] = {
    "AccessExplorer": lambda world, text: lab.AccessExplorer(
        world, who="alice", requests=[(FILE[0], FILE[1] + text)], edit=["reports/trust"]
    ),
    "CrossAccount": lambda world, text: lab.CrossAccount(
        world, who="alice", role="reports", external_ids={text: text[:1000]}
    ),
    "PolicyEditor": lambda world, text: lab.PolicyEditor({text: {"Statement": {"Effect": text, "Sid": text}}}),
    "SessionTimeline": lambda world, text: lab.SessionTimeline(
        world, only={text: "alice"}, requests=[(FILE[0], FILE[1] + text)]
    ),
    "TrustExplorer": lambda world, text: lab.TrustExplorer(world, role="reports", circumstances={"tags": {"x": text}}),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_only_read(text: str) -> None:
    with lab.begin("trust") as world:
        for name, make in ASKED.items():
            panel = make(world, text)
            if hasattr(panel, "edit"):
                panel.edit(text)
            view = _instances[panel._repr_mimebundle_()["application/vnd.jupyter.widget-view+json"]["model_id"]]
            html = panel.html + getattr(view, "html", "")
            assert not re.search("<script>|<img|\u202e|\x00", html), name
            assert len(html) < 250_000, name
            marks = json.dumps([each.marks for each in getattr(view, "hosted", [view])], ensure_ascii=False)
            assert "\u202e" not in marks, "what cannot be seen is named"
            assert len(marks) < 20_000, name
            json.dumps(view.get_state(), default=str).encode()


def test_a_command_that_fails_is_told_and_what_it_has_changed_is_shown() -> None:
    class Failing(Panel):
        text = "before"

        def page(self) -> Part:
            return el("p", self.text)

        def fail(self, _: str) -> None:
            self.text = "changed"
            raise KeyError("\u202e")

        @property
        def commands(self) -> Commands:
            return {"fail": self.fail}

    widget: Any = Failing()._view()
    sent: list[Any] = []
    widget.send = sent.append
    with pytest.raises(KeyError):
        widget._on_message(widget, {"do": "fail", "value": ""}, [])
    again = "This has not worked. Run the cell of this panel again."
    assert sent == [{"failed": f"{again} (KeyError: '\\u202e')"}, {"done": True}]
    assert "changed" in widget.html
    widget.close()
