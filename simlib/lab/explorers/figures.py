"""A panel as a matplotlib figure: its rows as it shows them, to save and print."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from ..markup import visible
from ..pictures import DIM, INK, NO, YES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .explorer import Explorer

MOST_ROWS = 60  # of a figure; a page of print holds no more
LINE = 0.2  # inches


def figure_of(panel: Explorer) -> Figure:
    """A figure in the colours of the light theme; nothing in it is read as a formula."""
    from matplotlib.figure import Figure

    rows = []
    for allowed, said, about in panel.lines[:MOST_ROWS]:
        left = textwrap.wrap(visible(said)[:300], 34) or [""]
        right = [line for part in visible(about)[:600].split("\n") for line in textwrap.wrap(part, 80)]
        rows.append((allowed, left, right))
    lines = [part for said in (panel.title, *panel.said) for part in textwrap.wrap(visible(said)[:600], 110)]
    height = LINE * (len(lines) + 1 + sum(max(len(left), len(right)) + 0.6 for _, left, right in rows))
    made = Figure(figsize=(9, max(height, 1.0)))
    axes = made.add_axes((0.02, 0, 0.96, 1))
    axes.set_axis_off()
    axes.set(xlim=(0, 1), ylim=(max(height, 1.0), 0))
    at = LINE
    for index, line in enumerate(lines):
        axes.text(0, at, line, color=INK, fontsize=10, weight="bold" if index == 0 else "normal", parse_math=False)
        at += LINE
    for allowed, left, right in rows:
        at += LINE * 0.6
        for index in range(max(len(left), len(right))):
            if index < len(left):
                axes.text(0, at, left[index], color=YES if allowed else NO, fontsize=9.5, parse_math=False)
            if index < len(right):
                axes.text(0.36, at, right[index], color=INK if index == 0 else DIM, fontsize=9, parse_math=False)
            at += LINE
    return made
