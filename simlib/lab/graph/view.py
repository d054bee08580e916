"""AccessGraph on the screen: a thin shell over `panel.AccessGraph`."""

from __future__ import annotations

from typing import Any

import ipywidgets

from .. import screen
from ..markup import card
from .panel import AccessGraph
from .telling import detail, verdict

_CSS = """<style>
.sl-access { max-width: 100%; overflow: visible; }
.sl-access .widget-html, .sl-access .widget-html-content { max-width: 100%; min-width: 0; overflow: visible;
  line-height: inherit; white-space: normal; }
.sl-access .sl-bar { flex-flow: row wrap; gap: .3em .6em; overflow: visible; }
.sl-access .widget-combobox { width: 22em; max-width: 100%; }
</style>"""


def graph_view(panel: AccessGraph) -> dict[str, Any]:
    """The panel as a widget: a mime bundle that displays it. An earlier view of it is closed."""
    style = {"description_width": "3.2em"}
    start = ipywidgets.Combobox(description="From", placeholder="a user, a role, a key", style=style)
    goal = ipywidgets.Combobox(description="To", placeholder="empty: everything it reaches", style=style)
    ask = _button("Show", "how the first reaches the second, or everything it reaches")
    back = _button("Step back", "to the step before")
    forward = _button("Next step", "to the next step, and why it is allowed")
    other = _button("Next way", "another way to the same goal")
    again = _button("Look again", "look at the world anew and compare from here on")
    said, drawn, below = ipywidgets.HTML(), ipywidgets.HTML(), ipywidgets.HTML()

    def show() -> None:
        names = panel.choices()
        if list(start.options) != names:
            start.options, goal.options = names, names
        said.value = _CSS + verdict(panel)
        drawn.value = card(panel.still.html(panel.title), css="sl-wide")
        below.value = detail(panel)
        steps = len(panel.ways[panel.chosen].steps) if panel.ways else 0
        back.disabled, forward.disabled = panel.at == 0, panel.at >= steps - 1
        other.disabled = len(panel.ways) < 2

    def asked() -> None:
        show()
        if not panel.problem:
            start.value, goal.value = panel.typed

    ask.on_click(lambda _: panel.ask(start.value, goal.value))
    back.on_click(lambda _: panel.step_to(panel.at - 1))
    forward.on_click(lambda _: panel.step_to(panel.at + 1))
    other.on_click(lambda _: panel.step_to(0, (panel.chosen + 1) % len(panel.ways)))
    again.on_click(lambda _: panel.look_again())
    panel.on_change = asked
    asked()
    question = ipywidgets.Box([start, goal, ask])
    steps = ipywidgets.Box([back, forward, other, again])
    for bar in (question, steps):
        bar.add_class("sl-bar")
    keys = screen.KeepKeys()
    box = ipywidgets.VBox([said, question, steps, drawn, below, keys])
    box.add_class("sl-access").add_class("sl-keys")
    parts = (start, goal, ask, back, forward, other, again, said, drawn, below, question, steps, keys)
    screen.follow(box, show)
    return screen.show(panel, "graph", box, *parts)


def _button(text: str, about: str) -> ipywidgets.Button:
    return ipywidgets.Button(description=text, tooltip=about, layout={"width": "auto"})
