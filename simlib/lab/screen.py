"""Widgets that come and go with their cells: a cell that is run again closes what it showed before."""

from __future__ import annotations

from typing import Any

import anywidget
import ipywidgets


def show(owner: Any, place: str, shown: ipywidgets.Widget, *others: ipywidgets.Widget) -> dict[str, Any]:
    """The mime bundle that displays `shown`; `others` are the widgets in it.

    What `owner` showed at this `place` before is closed, with its layouts and styles, in kernel and browser.
    """
    views = owner.__dict__.setdefault("_views", {})
    for old in views.get(place, ()):
        for part in (getattr(old, "layout", None), getattr(old, "style", None), old):
            if isinstance(part, ipywidgets.Widget):
                part.close()
    views[place] = (shown, *others)
    made = shown._repr_mimebundle_()
    return dict(made[0] if isinstance(made, tuple) else made)


class KeepKeys(anywidget.AnyWidget):  # type: ignore[misc]
    """Unseen in a box, it keeps the keys that are pressed in the box there.

    Otherwise JupyterLab takes them for its own while a button has the focus: "dd" would delete the cell.
    """

    _esm = """
    function render({ el }) {
      el.hidden = true;
      requestAnimationFrame(() => {
        const box = el.closest(".sl-keys");
        box.setAttribute("data-lm-suppress-shortcuts", "true");
        box.addEventListener("keydown", (event) => event.stopPropagation());
      });
    }
    export default { render };
    """
