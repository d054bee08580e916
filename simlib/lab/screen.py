"""Widgets that come and go with their cells: a cell that is run again closes what it showed before."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import ipywidgets
import traitlets

if TYPE_CHECKING:
    from .panel import Panel


_PAUSE = 0.4  # seconds without a cell or a command, before pictures are made anew

_cell_widgets: dict[str, tuple[str, list[ipywidgets.Widget]]] = {}  # by cell: the request that ran it, what it showed
_followers: list[tuple[ipywidgets.Widget, Callable[[], None]]] = []
_keepers: list[tuple[_Keeper, Panel]] = []
_followed_shells: list[Any] = []
_timer: asyncio.TimerHandle | None = None


class _Keeper(anywidget.AnyWidget):  # type: ignore[misc]
    """Unseen: puts the `picture` into the notebook that is open, before the output with the widget `view`, and that
    into sight."""

    _esm = Path(__file__).with_name("keeper.js").read_text(encoding="utf-8")

    view = traitlets.Unicode().tag(sync=True)
    fresh = traitlets.Bool(True).tag(sync=True)  # until a browser has brought it into view
    picture = traitlets.Unicode().tag(sync=True)
    text = traitlets.Unicode().tag(sync=True)


def live(panel: Panel) -> ipywidgets.DOMWidget:
    """The view of what is shown, in a frame that tells when no kernel answers it any more; its picture is kept up to
    date for as long as it is open."""
    widget = panel._view()
    frame = ipywidgets.VBox([widget], layout={"overflow": "visible"})
    frame.add_class("sl-live")
    keeper = _Keeper(view=frame.model_id, picture=panel.picture(), text=str(panel))
    _keepers.append((keeper, panel))
    widget.observe(lambda _: close((keeper, frame)), "comm")
    _follow_shell()
    return frame


def _update_pictures() -> None:
    _keepers[:] = [(keeper, panel) for keeper, panel in _keepers if keeper.comm is not None]
    for keeper, panel in _keepers:
        with suppress(RuntimeError):  # its world is over: the picture stays
            keeper.text, keeper.picture = str(panel), panel.picture()


def show(owner: Any, widget: ipywidgets.DOMWidget) -> ipywidgets.DOMWidget:
    """`widget`, which is to be displayed.

    What `owner` showed before is closed, with its layouts and styles, in kernel and browser; so is what the same cell
    showed when it was run before, whoever showed it.
    """
    close(filter(None, [owner.__dict__.get("_shown")]))
    owner.__dict__["_shown"] = widget
    if (running := _running()) is not None:
        cell, request = running
        if cell in _cell_widgets and _cell_widgets[cell][0] != request:
            close(_cell_widgets.pop(cell)[1])
        _cell_widgets.setdefault(cell, (request, []))[1].append(widget)
    return widget


def close(widgets: Iterable[ipywidgets.Widget]) -> None:
    """Close widgets with their layouts and styles, in kernel and browser."""
    for widget in widgets:
        for part in (getattr(widget, "layout", None), getattr(widget, "style", None), widget):
            if isinstance(part, ipywidgets.Widget):
                part.close()


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
        _timer = asyncio.get_running_loop().call_later(_PAUSE, _update_pictures)
    except RuntimeError:  # no kernel, so no loop
        _update_pictures()
