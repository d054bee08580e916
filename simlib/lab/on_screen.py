"""What a cell shows of a panel: the widget, and the still picture that a saved notebook keeps of it.

A panel is published twice: as a still picture – HTML that needs no kernel – and as the widget. The browser shows one of
them: the widget as long as a kernel answers it, otherwise the picture, which says how to go on. So a notebook that was
saved and is opened again, and one whose kernel was restarted, can be read as they last were.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ipywidgets import DOMWidget

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


class OnScreen:
    """What a cell shows live and still. A subclass says how:

    `_view()` makes the widgets anew and returns what `show` does. `_still()` is the picture: HTML, whose
    foreign text has passed `escape`, that means the same without controls, in reading order, also where an untrusted
    notebook loses its styles. It is asked again after each cell and each command, when there is a pause, and what it
    returns then is what the notebook keeps; no panel has to do anything for that. `str()` is the text for a terminal.
    """

    def _view(self) -> DOMWidget:
        raise NotImplementedError

    def _still(self) -> str:
        raise NotImplementedError

    def picture(self) -> str:
        """The still picture with its styles, and the line that says how to go on."""
        return f'{_ONE_OF_THEM}<div class="sl-still">{self._still()}<p class="simlib sl-dim">{AGAIN}</p></div>'

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {**_bundle(self._view()), "text/html": self.picture(), "text/plain": str(self)}

    def _ipython_display_(self) -> None:
        from IPython import get_ipython
        from IPython.display import display

        display({"text/html": self.picture(), "text/plain": str(self)}, raw=True)
        if hasattr(get_ipython(), "kernel"):
            from .screen import live

            display({**_bundle(live(self)), "text/plain": ""}, raw=True)


def _bundle(widget: DOMWidget) -> dict[str, Any]:
    made = widget._repr_mimebundle_()
    return dict(made[0] if isinstance(made, tuple) else made)
