"""The policy panel on the screen: a thin shell over `policy_panel.PolicyPanel`."""

from __future__ import annotations

from typing import Any

import ipywidgets

from . import screen
from .policy_panel import PolicyPanel

_CSS = """<style>
.sl-policy-panel { flex-flow: row wrap; gap: .5em 1.5em; align-items: flex-start; overflow: visible; }
.sl-policy-panel > .widget-vbox { flex: 1 1 24em; min-width: 0; margin: 0; }
.sl-policy-panel > .widget-html { flex: 1.4 1 27em; min-width: 0; margin: 0; }
.sl-policy-panel > .widget-html > .widget-html-content { line-height: inherit; white-space: normal; }
.sl-editor { flex-direction: column !important; height: auto !important; margin: 0 !important; }
.sl-editor label { text-align: left !important; color: var(--jp-content-font-color0, CanvasText) !important; }
.sl-editor textarea { font: 13px/1.45 var(--jp-code-font-family, monospace) !important; white-space: pre; tab-size: 2; }
.simlib .sl-stale, .simlib .sl-stale .sl-yes, .simlib .sl-stale .sl-no { color: var(--sl-dim); }
</style>"""


def policy_view(panel: PolicyPanel) -> dict[str, Any]:
    """The panel as a widget: a mime bundle that displays it. One panel has one view; an earlier one is closed."""
    lines = max(12, panel.text.count("\n") + 2)
    style = {"description_width": "auto"}
    editor = ipywidgets.Textarea(
        panel.text, description="Policy", continuous_update=True, rows=lines, style=style, layout={"width": "100%"}
    )
    editor.add_class("sl-editor")
    verdicts = ipywidgets.HTML()
    save = ipywidgets.Button(description="Save to the role", icon="check", layout={"width": "auto"})
    reload = ipywidgets.Button(description="Start again", icon="undo", layout={"width": "auto"})
    buttons = ipywidgets.HBox([save, reload])

    def show() -> None:
        verdicts.value = _CSS + panel.html
        if editor.value != panel.text:
            editor.value = panel.text

    def typed(change: dict[str, Any]) -> None:
        if change["new"] != panel.text:
            panel.note = ""
            panel.edit(change["new"])

    editor.observe(typed, "value")
    save.on_click(lambda _: panel.save())
    reload.on_click(lambda _: panel.reload())
    panel.on_change = show
    show()
    left = ipywidgets.VBox([editor, buttons])
    keys = screen.KeepKeys()
    columns = ipywidgets.Box([left, verdicts, keys])
    columns.add_class("sl-policy-panel").add_class("sl-keys")
    return screen.show(panel, "panel", columns, left, editor, verdicts, save, reload, buttons, keys)
