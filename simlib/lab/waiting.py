"""What takes longer than a second shows how far it has come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from .markup import card
from .page import el

T = TypeVar("T")


def track(items: Sequence[T], doing: str, done: str) -> Iterator[T]:
    """The items one by one; the cell that works on them shows a bar beside `doing`, and in the end says `done`."""
    shown = None
    for number, item in enumerate(items):
        shown = _show(doing, number, len(items), shown)
        yield item
    if shown is not None:
        shown.update(_bundle(el("p.sl-dim", done), done), raw=True)


def _show(doing: str, number: int | None, of: int, shown: Any) -> Any:
    """The display, made with the first item; None outside a notebook."""
    from IPython import get_ipython
    from IPython.display import display

    if not hasattr(get_ipython(), "kernel"):
        return None
    bar = el("progress", value_=None if number is None else str(number), max=str(of), aria_label=doing)
    bundle = _bundle(
        el("p", el("span", f"{doing} … "), bar, role="status"),
        f"{doing} …" + (f" {number} of {of}" if number is not None else ""),
    )
    if shown is None:
        return display(bundle, raw=True, display_id=True)
    shown.update(bundle, raw=True)
    return shown


def _bundle(part: Any, text: str) -> dict[str, str]:
    return {"text/html": card(part.html()), "text/plain": text}


@contextmanager
def working(doing: str) -> Iterator[None]:
    """What has no known length, and may be over within a second: a bar that runs, and goes when it is done."""
    shown = _show(doing, None, 1, None)
    yield
    if shown is not None:
        shown.update({"text/html": "", "text/plain": ""}, raw=True)
