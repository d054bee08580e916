"""A chart of credentials as a matplotlib figure: to read, save and print."""

from __future__ import annotations

from typing import Any

from simlib.cloud.credentials.lifetimes import GOOD

from ..markup import visible
from ..pictures import DIM, INK, NO, YES
from .chart import LIVE, OVER, Chart, Lane


def figure(chart: Chart) -> Any:
    """The chart as a `matplotlib.figure.Figure`, in the colours of the light theme."""
    from matplotlib.figure import Figure

    made = Figure(figsize=(8.5, 0.9 + 0.66 * max(len(chart.lanes), 1)), layout="constrained")
    axes = made.add_subplot()
    for row, lane in enumerate(chart.lanes):
        _lane(axes, chart, lane, row)
    _moment(axes, chart, chart.now, "now", "--", -1.2)
    if chart.looked != chart.now:
        _moment(axes, chart, chart.looked, "looking here", "-", -0.85)
    ticks = chart.ticks(most=7)
    axes.set(xlim=(0, 1), ylim=(len(chart.lanes) - 0.3, -1.2), yticks=[])
    axes.set_xticks([chart.place(moment) for moment, _ in ticks], [label for _, label in ticks], parse_math=False)
    axes.tick_params(colors=DIM)
    hidden = f" – {chart.hidden:,} more lines are not shown" if chart.hidden else ""
    axes.set_xlabel(f"UTC{hidden}", color=DIM, loc="left")
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(DIM)
    return made


def _lane(axes: Any, chart: Chart, lane: Lane, row: int) -> None:
    colour = YES if lane.good else NO
    axes.text(0, row - 0.34, visible(lane.label), color=colour, va="bottom", fontsize=10.5, parse_math=False)
    if lane.above is not None:
        for born in {bar.since for bar in lane.bars if bar.state == GOOD and bar.since >= chart.left}:
            axes.plot([chart.place(born)] * 2, [lane.above, row], color=INK, linewidth=1.2)
            axes.plot([chart.place(born)], [lane.above], marker="o", markersize=5, color=INK)
    for expiry, limit, words in lane.limits:
        axes.plot([chart.place(expiry), chart.place(limit)], [row, row], color=DIM, linestyle=":", linewidth=1.2)
        if limit <= chart.right:
            axes.plot([chart.place(limit)], [row], marker="|", markersize=16, color=DIM)
            covered = any(bar.since <= limit < (bar.until or chart.right) for bar in lane.bars)
            beside = chart.place(limit) < 0.85 and not covered
            shift, anchor = ((5, -3), "left") if beside else ((0, -20), "right")
            where = (chart.place(limit), row)
            axes.annotate(words, where, shift, textcoords="offset points", color=DIM, fontsize=8.5, ha=anchor)
    for bar in lane.bars:
        solid = bar.look == LIVE and bar.state == GOOD
        begin, end = chart.place(bar.since), chart.place(bar.until or chart.right)
        hatch = "////" if bar.look == OVER else "||||"
        look = {"color": YES} if solid else {"color": "none", "edgecolor": NO, "hatch": hatch}
        axes.barh(row, end - begin, left=begin, height=0.32, **look)
        if bar.until is None:
            axes.plot([end], [row], marker=">", markersize=12, color=YES if solid else NO, clip_on=False)
        elif bar.until <= chart.right:
            axes.plot([end], [row], marker="|", markersize=17, markeredgewidth=3, color=YES if solid else NO)
    for calls in lane.calls:
        place = chart.place(calls.since + (calls.until - calls.since) / 2)
        refused = calls.refused > 0
        axes.plot([place], [row + 0.3], marker="x" if refused else ".", markersize=5, color=NO if refused else YES)


def _moment(axes: Any, chart: Chart, moment: Any, word: str, style: str, top: float) -> None:
    if not chart.left <= moment <= chart.right:
        return
    place = chart.place(moment)
    axes.axvline(place, color=INK, linestyle=style, linewidth=1.5)
    axes.text(place, top, word, color=INK, ha="center", va="bottom", fontsize=10.5, parse_math=False)
