"""An answer as a line of a panel: what was asked, the verdict beside it, and why, which opens where it stands."""

from __future__ import annotations

from ..look import fold
from ..page import Child, Part, el
from .answers import Answer
from .pipe import Side, explanation


def request_row(
    request: Child, ends: Child, *below: Child, key: str, first: Child = None, out: Child = None, here: str = ""
) -> Part:
    """`request` begins with what stands beside the verdict, in bold; `ends` are the verdict and what belongs to it,
    `first` the row's number, `out` what takes it out; `here` the verdict's shape, where the editor shows this row."""
    css = (".is-here" if here else "") + (".is-yes" if here == "yes" else "")
    parts = el("span.sl-what", request), el("span.sl-ends", ends), el("span.sl-out", out) if out else None
    return el(f"li.sl-req{css}", first, *parts, *below, key=key)


def why(
    answer: Answer,
    who: str,
    command: str,
    value: str,
    *,
    opened: bool,
    included: bool | None = None,
    reason: str = "",
    side: Side | None = None,
) -> Part:
    """The explanation of an answer to what `who` asks, or of one account's `side`; `command` opens it, with `value`.
    `included`: whether it is there, also while it is folded."""
    key = f"{value}-{side.kinds[-1]}" if side else value
    content = explanation(answer, who, key, side) if opened or included else None
    inside = el("div.sl-why", content, on="" if opened else "still") if content else None
    summary = "Why? ", el("span.sl-dim", f"{(reason or answer.because).rstrip('.')}.")
    return fold(summary, inside, key=f"why-{key}", opened=opened, data_toggle=command, value=value)
