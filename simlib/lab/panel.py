"""What every panel is: a page that is made anew when there is something new to see, and commands for its controls.

A panel is plain Python: `on_screen` shows it, as HTML that can be used and, where no kernel is, read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .markup import styles
from .on_screen import OnScreen
from .page import Child, Part

if TYPE_CHECKING:
    from ipywidgets import DOMWidget

Commands = Mapping[str, Callable[..., object]]
NEXT = "next"  # what a command returns when its panel is done with: the focus goes on to the next cell


class Shown:
    """What says in `page` what there is to see of it."""

    def page(self) -> Part:
        """What there is to see, once for the screen, the still page and the text."""
        raise NotImplementedError

    @property
    def html(self) -> str:
        """The page without controls, for where no kernel is."""
        return still(self.page())

    def __str__(self) -> str:
        return str(self.page())

    def __repr__(self) -> str:
        return str(self)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": str(self)}


class Panel(OnScreen, Shown):
    """Subclasses say what `page` shows, and which `commands` its controls call."""

    def __init__(self) -> None:
        self._screens: dict[str, Callable[[], None]] = {}
        self.give: Callable[[str, str], None] = lambda name, text: None  # a file, to the browser that shows the panel

    @property
    def commands(self) -> Commands:
        """What its controls call: by name, with a text."""
        return {}

    @property
    def hosted(self) -> Panel | None:
        """The panel that stands in the page's slots, an editor say, where there is one."""
        return None

    def follow(self) -> None:
        """Look whether something has happened in the world since; cheap where nothing has."""

    def draw_by(self, place: str, screen: Callable[[], None]) -> None:
        """Call `screen` when there is something new to see. Each place has one."""
        self._screens[place] = screen

    def _view(self) -> DOMWidget:
        from .panel_view import panel_view  # the one place where panels get to the screen

        return panel_view(self)

    def _still(self) -> str:
        return self.html

    def _draw(self) -> None:
        for screen in list(self._screens.values()):
            screen()


def still(page: Part) -> str:
    """A page with its styles, to be read."""
    shown = f'<div class="simlib sl-panel">{page.html()}</div>'
    return styles(shown, "look", "lessons", "panels") + shown


def slot(*documents: int, still: Child) -> tuple[Part, Part]:
    """Where the hosted panel stands, an editor with some of its `documents` (none: all); `still` can be read there."""
    shown = {"data-widget": "0", "data-only": " ".join(map(str, documents)) or None, "data-key": f"slot{documents}"}
    return Part("div", (), shown, on="live"), Part("", (still,), on="still")
