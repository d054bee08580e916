"""What every panel owes: it closes cleanly however often its cell is run, tells the same in text, and can be saved."""

from __future__ import annotations

import gc
import inspect
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import pytest
from ipywidgets.widgets.widget import _instances

from simlib import Cloud, lab
from simlib.lab import screen

ROLE = "arn:aws:iam::111111111111:role/reports"
FILE = ("s3:GetObject", "arn:aws:s3:::my-secure-bucket/report.csv")
PANELS: dict[str, Callable[[Any], Any]] = {
    "AccessExplorer": lambda world: lab.AccessExplorer(world, who=["alice", "reports"], requests=[FILE]),
    "AccessGraph": lambda world: lab.AccessGraph(world),
    "CrossAccount": lambda world: lab.CrossAccount(world, who="alice", role="reports", requests=[FILE]),
    "Playground": lambda world: lab.Playground(world),
    "PolicyEditor": lambda world: lab.PolicyEditor.of(world, ROLE),
    "SessionTimeline": lambda world: lab.SessionTimeline(world, requests=[FILE]),
    "TrustExplorer": lambda world: lab.TrustExplorer(world, role="reports"),
    "plain PolicyEditor": lambda world: lab.PolicyEditor.of(world, ROLE, plain=True),
}
RUNS = 50
each_panel = pytest.mark.parametrize("name", PANELS)


@pytest.fixture(scope="module")
def world() -> Iterator[Any]:
    with lab.begin(2) as world:
        yield world
    assert Cloud.running is None


def test_every_panel_with_a_view_is_among_them() -> None:
    panels = {name for name in lab.__all__ if inspect.isclass(found := getattr(lab, name)) and hasattr(found, "figure")}
    with_view = {name for name in panels if "widget-view" in _types(name)}
    assert with_view <= set(PANELS)


def _types(name: str) -> str:
    """The mime types that a panel shows itself by; of one that is not in the table, none can be told."""
    if name not in PANELS:
        return "widget-view" if "view" in inspect.getsource(getattr(lab, name)._repr_mimebundle_) else ""
    with lab.begin(2) as world:
        return " ".join(PANELS[name](world)._repr_mimebundle_())


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
def test_a_panel_is_told_in_text_and_outside_a_kernel_and_saved_as_a_picture(world: Any, name: str) -> None:
    panel = PANELS[name](world)
    shown = panel._repr_mimebundle_()
    assert shown["text/plain"] == str(panel) == repr(panel)
    assert len(str(panel)) > 50
    assert len(shown["text/html"]) > 200, "its last picture, where no kernel is"
    for kind in ("png", "svg", "pdf"):
        saved = BytesIO()
        panel.figure().savefig(saved, format=kind)
        assert len(saved.getvalue()) > 1_000


@each_panel
def test_a_panel_whose_world_is_over_stays_as_it_was_and_troubles_no_cell(name: str) -> None:
    with lab.begin(2) as over:
        panel = PANELS[name](over)
        panel._repr_mimebundle_()
    with Cloud.start():
        screen.follow_up()
