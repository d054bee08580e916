"""AccessGraph on the screen: a thin shell over `panel.AccessGraph`."""

from __future__ import annotations

from itertools import count
from typing import Any

from .. import screen
from ..interactive_html import InteractiveHTML
from .panel import AccessGraph
from .telling import page

_numbers = count(1)


def graph_view(panel: AccessGraph) -> Any:
    """The panel as a widget. An earlier view of it is closed."""
    key = f"access-graph-{next(_numbers)}"  # of this view on its page
    typed = dict(zip(("start", "goal"), panel.typed, strict=True))

    def type_in(which: str, text: str) -> None:
        typed[which] = text

    def html() -> str:
        return page(panel, key, typed["start"], typed["goal"])

    def draw() -> None:
        shown.html = html()

    def changed() -> None:
        if not panel.problem:
            typed["start"], typed["goal"] = panel.typed
        draw()

    shown = InteractiveHTML(
        html(),
        {
            "start": lambda text: type_in("start", text),
            "goal": lambda text: type_in("goal", text),
            "show": lambda _: panel.ask(typed["start"], typed["goal"]),
            "step": lambda number: panel.step_to(int(number)),
            "way": lambda number: panel.step_to(0, int(number)),
            "again": lambda _: panel.look_again(),
        },
    )
    panel.on_change = changed
    screen.follow(shown, draw)
    return screen.show(panel, "graph", shown)
