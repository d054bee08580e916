"""CrossAccount's drawing as a matplotlib figure, to save and print: two accounts and the line between them."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from ..markup import verdict_text, visible
from ..pictures import DIM, INK, NO, YES
from .cross_account import SAYS, CrossAccount, Side

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDE, LINE = 9.0, 0.2  # inches: the whole, a line of text
BOX, LOWEST = 3.0, 1.2
MOST_LINES = 4  # of one text in a box

Lines = list[tuple[str, str]]  # each with its colour


def figure_of(panel: CrossAccount) -> Figure:
    """A figure in the colours of the light theme; nothing in it is read as a formula."""
    from matplotlib.figure import Figure

    above = textwrap.wrap(visible(panel.verdict)[:600], 105)
    boxes = [_side(side) for side in panel.sides]
    below = _then(panel)
    head, foot = LINE * (len(above) + 1), LINE * (len(below) + 1)
    tall = max(LOWEST, LINE * (max(map(len, boxes)) + 1))
    made = Figure(figsize=(WIDE, head + tall + foot))
    axes = made.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set(xlim=(0, WIDE), ylim=(head + tall + foot, 0))
    _write(axes, 0.15, LINE, [(INK, line) for line in above], weight="bold")
    for side, lines, left in zip(panel.sides, boxes, (0.15, WIDE - BOX - 0.15), strict=True):
        _frame(axes, side, left, head, tall)
        _write(axes, left + 0.12, head + LINE, lines)
    _between(axes, panel, head + tall / 2)
    _write(axes, 0.15, head + tall + LINE, below)
    return made


def _colour(allowed: bool) -> str:
    return YES if allowed else NO


def _side(side: Side) -> Lines:
    """An account: whose it is, what it says, and by which policies."""
    sign, words = SAYS[side.says]
    lines = [(INK, line) for line in _wrapped(side.account) + _wrapped(side.who)]
    lines += [(_colour(side.allows), line) for line in _wrapped(f"{sign} {words}")]
    return lines + [(DIM, line) for line in _wrapped(f"Asked: {', '.join(side.policies) or 'no policy'}")]


def _then(panel: CrossAccount) -> Lines:
    """On whose behalf the caller gets in, and what the session may do."""
    lines = []
    for whom, each in panel.behalf.items():
        told = f"{verdict_text(each.allowed, each.word)} {whom}, external ID {panel.external_ids[whom] or 'none'}"
        lines += [(_colour(each.allowed), line) for line in textwrap.wrap(visible(told)[:300], 110)]
    lines += [(INK, panel.then_title)] if panel.then else []
    for each in panel.then:
        told = f"{verdict_text(each.allowed, each.word)} {each.question.action} on {each.question.resource}"
        lines += [(_colour(each.allowed), line) for line in textwrap.wrap(visible(told)[:300], 110)]
    return lines


def _write(axes: Any, x: float, y: float, lines: Lines, **look: Any) -> None:
    for index, (colour, line) in enumerate(lines):
        axes.text(x, y + LINE * index, line, color=colour, fontsize=9.5, va="center", parse_math=False, **look)


def _frame(axes: Any, side: Side, left: float, top: float, tall: float) -> None:
    from matplotlib.patches import Rectangle

    style = "-" if side.allows else "--"
    look = {"edgecolor": _colour(side.allows), "facecolor": "none", "linewidth": 1.5, "linestyle": style}
    axes.add_patch(Rectangle((left, top), BOX, tall, **look))


def _wrapped(text: str) -> list[str]:
    found = textwrap.wrap(visible(text)[:200], 36)
    return found if len(found) <= MOST_LINES else [*found[: MOST_LINES - 1], f"{found[MOST_LINES - 1][:35]}…"]


def _between(axes: Any, panel: CrossAccount, height: float) -> None:
    """The line: whole where both sides allow it, with a gap at the side that does not."""
    left, right = 0.15 + BOX, WIDE - BOX - 0.15
    middle = (left + right) / 2
    caller, owner = panel.sides
    axes.text(middle, height - 1.5 * LINE, visible(panel.call.action)[:40], color=INK, fontsize=9.5, ha="center",
              parse_math=False)  # fmt: skip
    for start, end, side in ((left, middle, caller), (middle, right, owner)):
        if side.allows:
            axes.plot([start, end], [height, height], color=YES, linewidth=3, solid_capstyle="butt")
            continue
        gap = (end - start) / 4
        for begin in (start, end - gap):
            axes.plot([begin, begin + gap], [height, height], color=NO, linewidth=1.5, linestyle=(0, (4, 4)))
        axes.text((start + end) / 2, height + 1.2 * LINE, f"✘ {side.says}", color=NO, fontsize=9, ha="center",
                  parse_math=False)  # fmt: skip
    if caller.allows and owner.allows:
        axes.plot([right - 0.06], [height], marker=">", markersize=11, color=YES)
