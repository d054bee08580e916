"""A panel on the screen: its page as a widget, with the panel it hosts in it."""

from __future__ import annotations

from ipywidgets import DOMWidget

from . import screen
from .interactive_html import InteractiveHTML
from .panel import Panel
from .policy.editor import PolicyEditor


def panel_view(panel: Panel) -> DOMWidget:
    """The panel as a widget. An earlier view of it is closed."""
    if isinstance(panel, PolicyEditor):
        from .policy.view import code_view

        return screen.show(panel, code_view(panel))
    shown = InteractiveHTML(panel)
    screen.show(panel, shown)
    shown.draw()
    panel.draw_by("view", shown.draw)
    screen.follow(shown, panel.follow)
    return shown
