"""What takes longer than a second shows how far it has come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from .markup import card
from .page import el

T = TypeVar("T")


def track(items: Sequence[T], doing: str, end: str) -> Iterator[T]:
    """The items one by one; the cell that works on them shows a bar beside `doing`, and in the end says `end`."""
    handle = None
    for number, item in enumerate(items):
        handle = _show(doing, number, len(items), handle)
        yield item
    if handle is not None:
        handle.update(_bundle(el("p.sl-dim", end), end), raw=True)


def _show(doing: str, number: int | None, of: int, handle: Any) -> Any:
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
    if handle is None:
        return display(bundle, raw=True, display_id=True)
    handle.update(bundle, raw=True)
    return handle


def _bundle(part: Any, text: str) -> dict[str, str]:
    return {"text/html": card(part.html()), "text/plain": text}


@contextmanager
def working(doing: str) -> Iterator[None]:
    """What has no known length, and may be over within a second: a bar that runs, and goes when it is done."""
    handle = _show(doing, None, 1, None)
    yield
    if handle is not None:
        handle.update({"text/html": "", "text/plain": ""}, raw=True)
