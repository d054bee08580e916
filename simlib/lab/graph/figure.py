"""The same picture as a matplotlib figure, to save as PNG, SVG or PDF and to print."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from ..markup import visible
from ..pictures import DIM, INK, NO, YES
from . import drawing, ways
from .answers import Still
from .layout import HEAD, HEIGHT, OUTSIDE, WIDTH

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_INCH = 80  # units of the layout
TITLE, LINE = 400, 60  # characters at most
_DASH = {ways.MAY: (0, (2, 3)), ways.TAKES: (0, (7, 3)), ways.OWNS: (0, (7, 3))}


def figure_of(still: Still, title: str) -> Figure:
    """A figure with the colours of the light theme; nothing in it is read as a formula."""
    from matplotlib.figure import Figure

    layout = still.layout
    wide, tall = max(layout.width, 400), max(layout.height, 60)
    figure = Figure(figsize=(wide / _INCH, tall / _INCH + 0.5), layout="constrained")
    axes = figure.add_subplot()
    axes.set(xlim=(-4, wide + 4), ylim=(tall + 4, -4), aspect="equal")
    axes.axis("off")
    lines = textwrap.fill(visible(title)[:TITLE], max(40, int(wide / 7)))
    axes.set_title(lines, fontsize=11, color=INK, loc="left", parse_math=False)
    for box in layout.boxes:
        _frame(axes, box.x, box.y, box.width, box.height, DIM, style=":", thick=1.0)
        head = "outside" if box.account == OUTSIDE else f"account {still.names.get(box.account, '')} {box.account}"
        _text(axes, box.x + 10, box.y + HEAD - 12, head, DIM, 8)
    edges = drawing.drawn_edges(still.graph, layout, still.light)
    for edge in sorted(edges, key=lambda each: each in still.light.edges):
        _edge(axes, still, edge)
    for node, spot in layout.spots.items():
        about = still.graph.nodes[node]
        lit = node in still.light.nodes or any(node in edge for edge in still.light.edges)
        _frame(axes, spot.x, spot.y, WIDTH, HEIGHT, NO if lit else DIM, thick=2.2 if lit else 1.0, fill="white")
        _text(axes, spot.x + 8, spot.y + 12, drawing.kind_of(about), DIM, 7)
        _text(axes, spot.x + 8, spot.y + 28, drawing.short(about), INK, 9)
    return figure


def _frame(axes: Any, x: float, y: float, width: float, height: float, colour: str, *, style: str = "-", thick: float,
           fill: str = "none") -> None:  # fmt: skip
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle((x, y), width, height, edgecolor=colour, facecolor=fill, linestyle=style,
                             linewidth=thick, zorder=2 if fill != "none" else 1))  # fmt: skip


def _text(axes: Any, x: float, y: float, text: str, colour: str, size: float, **more: Any) -> None:
    axes.text(
        x, y, visible(text), color=colour, fontsize=size, va="center", parse_math=False, zorder=3, clip_on=True, **more
    )


def _edge(axes: Any, still: Still, edge: tuple[str, str]) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    light, kind = still.light, still.graph.edges[edge]["kind"]
    lit, come, gone = edge in light.edges, edge in light.come, edge in light.gone
    line = drawing.curve(still.layout.spots[edge[0]], still.layout.spots[edge[1]])
    curve = Path(list(line.points), [Path.MOVETO, *[Path.CURVE4] * (len(line.points) - 1)])
    colour = NO if lit or gone else YES if come else DIM
    style = (0, (1, 4)) if gone else _DASH.get(kind, "-")
    width = 2.2 if lit or come or gone else 0.8
    axes.add_patch(FancyArrowPatch(path=curve, arrowstyle="-|>", mutation_scale=9, color=colour, linestyle=style,
                                   linewidth=width, zorder=1.5, fill=False))  # fmt: skip
    word = drawing.tag(still.graph, edge, light)
    if word:
        x, y = line.middle
        boxed = {"boxstyle": "round,pad=0.2", "facecolor": "white", "edgecolor": colour}
        _text(axes, x, y, word, colour, 8, ha="center", bbox=boxed)
