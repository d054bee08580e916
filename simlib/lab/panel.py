"""What every panel is: a page that is made anew when there is something new to see, and commands for its controls.

A panel is published twice: as a still picture – HTML that needs no kernel – and as the widget. The browser shows one of
them: the widget as long as a kernel answers it, otherwise the picture, which says how to go on. So a notebook that was
saved and is opened again, and one whose kernel was restarted, can be read as they last were.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .markup import styles, visible
from .page import Child, Part

if TYPE_CHECKING:
    from ipywidgets import DOMWidget

Commands = Mapping[str, Callable[..., object]]
NEXT = "next"  # what a command returns when its panel is done with: the focus goes on to the next cell
AGAIN = (
    "A still picture, as it looked last. To go on: <b>Run ▸ Run All Above Selected Cell</b>, then Shift + Enter in "
    "this cell."
)

# The picture and the widget are neighbours in the output area. A picture that is not replaced at once comes after a
# moment, so that nothing flickers while a widget loads.
_ONE_OF_THEM = """<style>
.jp-OutputArea-child:has(.sl-still):has(+ .jp-OutputArea-child .sl-live:not(.jupyter-widgets-disconnected)),
.jp-OutputArea-child:has(.sl-still) + .jp-OutputArea-child:not(:has(.sl-live:not(.jupyter-widgets-disconnected)))
  { display: none; }
.sl-still { animation: sl-late .01s .5s both; }
@keyframes sl-late { from { opacity: 0; } to { opacity: 1; } }
</style>"""


class Displayable(ABC):
    """What says in `page` what there is to see of it."""

    @abstractmethod
    def page(self) -> Part:
        """What there is to see, once for the screen, the still page and the text."""

    @property
    def html(self) -> str:
        """The page without controls, for where no kernel is: it means the same in reading order, also where an
        untrusted notebook loses its styles."""
        return still(self.page())

    def __str__(self) -> str:
        return str(self.page())

    def __repr__(self) -> str:
        return str(self)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {"text/html": self.html, "text/plain": str(self)}


class Panel(Displayable):
    """Subclasses say what `page` shows, and which `commands` its controls call.

    The picture is asked for again after each cell and each command, when there is a pause, and what there is then is
    what the notebook keeps; no panel has to do anything for that.
    """

    def __init__(self) -> None:
        self.on_draw: Callable[[], None] = lambda: None  # called when there is something new to see
        self.save_file: Callable[[str, str], None] = lambda name, text: (
            None
        )  # a file, to the browser that shows the panel

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

    def picture(self) -> str:
        """The still picture with its styles, and the line that says how to go on."""
        return f'{_ONE_OF_THEM}<div class="sl-still">{self.html}<p class="simlib sl-dim">{AGAIN}</p></div>'

    def _view(self) -> DOMWidget:
        """The panel as a widget. An earlier view of it is closed."""
        from . import screen
        from .interactive_html import InteractiveHTML

        widget = InteractiveHTML(self)
        screen.show(self, widget)
        widget.draw()
        self.on_draw = widget.draw
        screen.follow(widget, self.follow)
        return widget

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {**_bundle(self._view()), "text/html": self.picture(), "text/plain": str(self)}

    def _ipython_display_(self) -> None:
        from IPython import get_ipython
        from IPython.display import display

        display({"text/html": self.picture(), "text/plain": str(self)}, raw=True)
        if hasattr(get_ipython(), "kernel"):
            from .screen import live

            display({**_bundle(live(self)), "text/plain": ""}, raw=True)

    def _draw(self) -> None:
        self.on_draw()


def failure(error: Exception) -> str:
    """What a reader gets to know of a command that failed; what comes of the error itself only a log shows."""
    return f"This has not worked. Run the cell of this panel again. ({type(error).__name__}: {visible(str(error))})"


def _bundle(widget: DOMWidget) -> dict[str, Any]:
    bundle = widget._repr_mimebundle_()
    return dict(bundle[0] if isinstance(bundle, tuple) else bundle)


def still(page: Part) -> str:
    """A page with its styles, to be read."""
    html = f'<div class="simlib sl-panel">{page.html()}</div>'
    return styles(html, "look", "lessons", "panels") + html


def slot(*documents: int, still: Child) -> tuple[Part, Part]:
    """Where the hosted panel stands, an editor with some of its `documents` (none: all); `still` can be read there."""
    attributes = {
        "data-widget": "0",
        "data-only": " ".join(map(str, documents)) or None,
        "data-key": f"slot{documents}",
    }
    return Part("div", (), attributes, on="live"), Part("", (still,), on="still")
