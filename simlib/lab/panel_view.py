"""A panel on the screen: its page as a widget, with its editor in it."""

from __future__ import annotations

from ipywidgets import DOMWidget

from . import screen
from .interactive_html import InteractiveHTML
from .panel import Panel
from .policy.editor import PolicyEditor
from .policy.view import editor_widgets


def panel_view(panel: Panel) -> DOMWidget:
    """The panel as a widget, an editor by itself as its own. An earlier view of it is closed."""
    if isinstance(panel, PolicyEditor):
        return screen.show(panel, "editor", *editor_widgets(panel))
    shown = InteractiveHTML("", panel.commands)

    def draw() -> None:
        if panel.editor is not None and not shown.hosted:  # there may be nothing to edit at first
            editor = editor_widgets(panel.editor)
            shown.hosted = editor[:1]
            screen.add(panel, "panel", *editor)
        shown.html = f'<div class="simlib sl-panel">{panel.page().html(live=True)}</div>'

    screen.show(panel, "panel", shown)
    draw()
    panel.draw_by("view", draw)
    screen.follow(shown, panel.follow)
    return shown
