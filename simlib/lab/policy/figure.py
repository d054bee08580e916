"""A policy document as a matplotlib figure: its lines, the deciding statement marked, and what is said of it below."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from ..pictures import DIM, INK, NO, YES
from .document import PolicyDocument

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS, MOST_LINES = 100, 120
_LINE, _WIDTH = 0.2, 0.085  # inches of a line's height and of a letter's width
_COLOURS = {"allows": YES, "denies": NO, "missed": DIM}


def figure_of(document: PolicyDocument) -> Figure:
    """The document's text with a bar in the colour of its verdict beside each statement; long lines are wrapped."""
    from matplotlib.figure import Figure

    state = dict(_states(document))
    lines: list[tuple[str, str]] = []  # text, and what the statement it belongs to did
    for number, line in enumerate(document.text.split("\n")):
        lines += [(part, state.get(number, "")) for part in textwrap.wrap(line, COLUMNS, drop_whitespace=False) or [""]]
    left_out = len(lines) - MOST_LINES
    lines = [*lines[:MOST_LINES], *([(f"… {left_out} more lines", "missed")] if left_out > 0 else [])]
    said = [part for line in _said(document) for part in textwrap.wrap(line, COLUMNS)]
    height = len(lines) + len(said) + 3
    figure = Figure(figsize=(COLUMNS * _WIDTH, height * _LINE))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set(xlim=(0, COLUMNS), ylim=(height, 0))
    plain = {"va": "center", "color": INK, "parse_math": False}
    axes.text(1, 0.8, document.name[:COLUMNS], weight="bold", size=10, **plain)
    for row, (text, did) in enumerate(lines, 2):
        ink = DIM if did == "missed" else INK
        axes.text(2.5, row, text, family="monospace", size=8, **{**plain, "color": ink})
        if did:
            axes.plot((1.2, 1.2), (row - 0.5, row + 0.5), color=_COLOURS.get(did, DIM), linewidth=3)
    for row, text in enumerate(said, len(lines) + 3):
        axes.text(1, row - 0.4, text, size=9, **plain)
    return figure


def _states(document: PolicyDocument) -> list[tuple[int, str]]:
    """For each line of a statement that something is said of, what the statement did."""
    found = []
    for index, remark in document.remarks.items():
        span = document.spans[index] if document.complete and index < len(document.spans) else None
        if span is not None:
            first, last = (document.text.count("\n", 0, place) for place in (span.start, span.end))
            found += [(number, remark.state) for number in range(first, last + 1)]
    return found


def _said(document: PolicyDocument) -> list[str]:
    mistakes = [f"✘ {each.place}: {each.text}" for each in document.errors]
    return [document.summary, *mistakes, *map(str, document.remarks.values())]
