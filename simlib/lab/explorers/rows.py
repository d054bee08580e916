"""An answer as a line of a panel: what was asked, the verdict beside it, and why, which opens where it stands."""

from __future__ import annotations

from ..page import Child, Part, el
from .answers import Answer
from .pipe import Side, explanation


def request_row(
    asked: Child, ends: Child, *below: Child, key: str, first: Child = None, out: Child = None, here: str = ""
) -> Part:
    """`asked` begins with what stands beside the verdict, in bold; `ends` are the verdict and what belongs to it,
    `first` the row's number, `out` what takes it out; `here` the verdict's shape, where the editor shows this row."""
    css = (".is-here" if here else "") + (".is-yes" if here == "yes" else "")
    told = el("span.sl-what", asked), el("span.sl-ends", ends), el("span.sl-out", out) if out else None
    return el(f"li.sl-req{css}", first, *told, *below, key=key)


def why(
    answer: Answer,
    who: str,
    command: str,
    value: str,
    *,
    opened: bool,
    told: bool | None = None,
    gist: str = "",
    side: Side | None = None,
) -> Part:
    """The explanation of an answer to what `who` asks, or of one account's `side`; `command` opens it, with `value`.
    `told`: whether it is there, also while it is folded."""
    key = f"{value}-{side.kinds[-1]}" if side else value
    content = explanation(answer, who, key, side) if opened or told else None
    inside = el("div.sl-why", content, on="" if opened else "still") if content else None
    summary = el("summary", "Why? ", el("span.sl-dim", f"{(gist or answer.because).rstrip('.')}."))
    live = {"data_toggle": command, "value": value, "key": f"why-{key}"}
    return el("details.sl-open", summary, inside, open=opened, **live)
