"""Widgets that come and go with their cells: a cell that is run again closes what it showed before."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import traitlets

from .on_screen import OnScreen

_PAUSE = 0.4  # seconds without a cell or a command, before pictures are made anew

_shown_by: dict[str, tuple[str, list[ipywidgets.Widget]]] = {}  # by cell: the request that ran it, what it showed
_followers: list[tuple[ipywidgets.Widget, Callable[[], None]]] = []
_keepers: list[tuple[_Keeper, OnScreen]] = []
_followed_shells: list[Any] = []
_timer: asyncio.TimerHandle | None = None


class _Keeper(anywidget.AnyWidget):  # type: ignore[misc]
    """Unseen: puts the `picture` into the notebook that is open, before the output with the widget `view`."""

    _esm = Path(__file__).with_name("keeper.js").read_text(encoding="utf-8")

    view = traitlets.Unicode().tag(sync=True)
    picture = traitlets.Unicode().tag(sync=True)
    text = traitlets.Unicode().tag(sync=True)


def live(shown: OnScreen) -> ipywidgets.DOMWidget:
    """The view of what is shown, in a frame that tells when no kernel answers it any more; its picture is kept up to
    date for as long as it is open."""
    widget = shown._view()
    frame = ipywidgets.VBox([widget], layout={"overflow": "visible"})
    frame.add_class("sl-live")
    keeper = _Keeper(view=frame.model_id, picture=shown.picture(), text=str(shown))
    _keepers.append((keeper, shown))
    widget.observe(lambda _: _close((keeper, frame)), "comm")
    _follow_shell()
    return frame


def _freshen() -> None:
    _keepers[:] = [(keeper, shown) for keeper, shown in _keepers if keeper.comm is not None]
    for keeper, shown in _keepers:
        with suppress(RuntimeError):  # its world is over: the picture stays
            keeper.text, keeper.picture = str(shown), shown.picture()


def show(owner: Any, place: str, shown: ipywidgets.DOMWidget, *others: ipywidgets.Widget) -> ipywidgets.DOMWidget:
    """`shown`, which is to be displayed; `others` are the widgets in it.

    What `owner` showed at this `place` before is closed, with its layouts and styles, in kernel and browser; so is
    what the same cell showed when it was run before, whoever showed it.
    """
    views = owner.__dict__.setdefault("_views", {})
    _close(views.get(place, ()))
    views[place] = (shown, *others)
    if (running := _running()) is not None:
        cell, request = running
        if cell in _shown_by and _shown_by[cell][0] != request:
            _close(_shown_by.pop(cell)[1])
        _shown_by.setdefault(cell, (request, []))[1].extend(views[place])
    return shown


def add(owner: Any, place: str, *widgets: ipywidgets.Widget) -> None:
    """More widgets in what `owner` shows at this `place`: they are closed with it."""
    shown = owner.__dict__["_views"][place]
    owner.__dict__["_views"][place] = (*shown, *widgets)
    for _, of_cell in _shown_by.values():
        if any(each is shown[0] for each in of_cell):
            of_cell.extend(widgets)


def _close(widgets: Any) -> None:
    for old in widgets:
        for part in (getattr(old, "layout", None), getattr(old, "style", None), old):
            if isinstance(part, ipywidgets.Widget):
                part.close()


class Holder(ipywidgets.VBox):  # type: ignore[misc]
    """A place in a panel for the view of another one; what it held before is closed, and with it what it holds."""

    _held: tuple[ipywidgets.Widget, ...] = ()

    def hold(self, panel: Any) -> None:
        """Show a panel; None for nothing."""
        before, self._held = self._held, ()
        if panel is not None:
            panel._view()
            self._held = tuple(panel._views.values())[-1]
        self.children = self._held[:1]
        _close(before)

    def close(self) -> None:
        _close(self._held)
        super().close()


def _shell() -> Any:
    return sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None


def _running() -> tuple[str, str] | None:
    """The cell that is running, and the request that runs it; None where no notebook says so."""
    shell = _shell()
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    cell = (parent.get("metadata") or {}).get("cellId")
    return (str(cell), str(parent["header"]["msg_id"])) if cell else None


def follow(widget: ipywidgets.Widget, draw: Callable[[], None]) -> None:
    """Call `draw` after each cell and each command of a widget, for as long as `widget` is open: once, however many
    calls were made. Without IPython nothing follows by itself."""
    _followers.append((widget, draw))
    _follow_shell()


def _follow_shell() -> None:
    shell = _shell()
    if shell is not None and shell not in _followed_shells:
        shell.events.register("post_execute", follow_up)
        _followed_shells.append(shell)


def follow_up() -> None:
    """Have every open view that follows the world look whether there is something new."""
    global _timer
    _followers[:] = [(widget, draw) for widget, draw in _followers if widget.comm is not None]
    for follower in list(_followers):
        try:
            follower[1]()
        except RuntimeError:  # its world is over: it stays as it was
            _followers.remove(follower)
    if _timer is not None:
        _timer.cancel()
    try:
        _timer = asyncio.get_running_loop().call_later(_PAUSE, _freshen)
    except RuntimeError:  # no kernel, so no loop
        _freshen()


class KeepKeys(anywidget.AnyWidget):  # type: ignore[misc]
    """Unseen in a box, it keeps the keys that are pressed in the box there.

    Otherwise Jupyter takes them for its own while a button has the focus: "dd" would delete the cell. A text that would
    get `longest` characters or more by pasting stays as it was; then a message says how many were `pasted`.
    """

    longest = traitlets.Int(0).tag(sync=True)  # 0: as long as one likes

    _esm = """
    function render({ model, el }) {
      el.hidden = true;
      requestAnimationFrame(() => {
        const box = el.closest(".sl-keys");
        box.addEventListener("keydown", (event) => event.stopPropagation());
        const ours = (event) => event.target.setAttribute("data-lm-suppress-shortcuts", "true");
        box.addEventListener("focusin", ours);  // for Notebook 7, which hears keys before the box does
        box.addEventListener("paste", (event) => {
          const pasted = event.clipboardData.getData("text/plain").length;
          if (!model.get("longest") || event.target.value.length + pasted < model.get("longest")) return;
          event.preventDefault();
          model.send({ pasted });
        });
      });
    }
    export default { render };
    """
