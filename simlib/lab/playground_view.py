"""The playground on the screen: a bar of tabs and worlds above, the open panel's own view below."""

from __future__ import annotations

from collections import deque
from typing import Any

import ipywidgets

from . import screen
from .interactive_html import InteractiveHTML
from .markup import card, escape
from .playground import EXAMPLES, TABS, Playground

_CSS = """<style>
.simlib .sl-tabs { display: flex; flex-wrap: wrap; gap: .3em; border-bottom: 1px solid var(--sl-edge); }
.simlib .sl-tabs button { border: 1px solid var(--sl-edge); border-bottom: 3px solid transparent;
  border-radius: 3px 3px 0 0; }
.simlib .sl-tabs button[aria-current] { font-weight: 600; border-bottom-color: var(--sl-yes); }
.simlib .sl-first { font-size: 1.1em; margin: .6em 0 .3em; }
.simlib .sl-bar input[type="text"] { font: inherit; max-width: 100%; width: 18em; color: inherit;
  background: transparent; border: 1px solid currentColor; border-radius: 3px; padding: .2em .5em; }
</style>"""


def playground_view(playground: Playground) -> Any:
    """The page as a widget. An earlier view of it is closed."""
    path: deque[str] = deque(maxlen=1)  # as it is being typed
    commands = {
        "open": lambda name: name in TABS and playground.open(name),
        "choose": playground.choose,
        "begin": lambda number: number.isdecimal() and int(number) in EXAMPLES and playground.begin(int(number)),
        "path": path.append,
        "load": lambda _: path and path[-1].strip() and playground.load(path[-1].strip()),
        "save": lambda _: path and path[-1].strip() and playground.save(path[-1].strip()),
    }
    bar, below = InteractiveHTML("", commands), screen.Holder()
    shown: list[Any] = [None]

    def show() -> None:
        bar.html = page(playground)
        panel = playground.panel
        if panel is not shown[0]:
            shown[0] = panel
            below.hold(panel)

    playground.on_change = show
    show()
    box = ipywidgets.VBox([bar, below], layout={"overflow": "visible"})
    return screen.show(playground, "playground", box, bar, below)


def page(playground: Playground) -> str:
    """What stands above the panel: the tabs, the world, and what to do first."""
    tabs = "".join(
        f'<button data-do="open" data-value="{name}"{" aria-current=page" if name == playground.tab else ""}>'
        f"{escape(tab.title)}</button>"
        for name, tab in TABS.items()
    )
    tab = TABS[playground.tab]
    note = f'<p role="status">{escape(playground.note)}</p>' if playground.note else ""
    return card(
        f'{_CSS}<div class="sl-bar">{_worlds()}</div><nav class="sl-tabs" aria-label="Panels">{tabs}</nav>'
        f'<p class="sl-first">{escape(tab.first)}</p>{note}{_subjects(playground)}',
        css="sl-wide",
    )


def _worlds() -> str:
    options = "".join(f'<option value="{number}">{escape(title)}</option>' for number, title in EXAMPLES.items())
    return (
        f'<label>Begin with <select data-do="begin"><option value="">an example …</option>{options}</select></label>'
        '<label>or a file <input type="text" data-do="path" placeholder="world.json"></label>'
        '<button data-do="load">Open</button><button data-do="save">Save</button>'
    )


def _subjects(playground: Playground) -> str:
    tab, chosen = TABS[playground.tab], playground.subject
    if not tab.asks:
        return ""
    options = "".join(
        f'<option value="{escape(each)}"{" selected" if each == chosen else ""}>{escape(each)}</option>'
        for each in playground.subjects
    )
    empty = "" if options else "<p>There is nothing of this kind in this world yet.</p>"
    choice = f'<label>{escape(tab.asks)} <select data-do="choose">{options}</select></label>'
    return f'<div class="sl-bar">{choice}</div>{empty}'
