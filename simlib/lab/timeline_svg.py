"""A chart of credentials as SVG: bars stretch with the page, letters keep their size."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import svg

from simlib.cloud.credentials.lifetimes import GOOD

from .markup import escape
from .timeline_chart import LIVE, OVER, PAUSED, Bar, Calls, Chart, Lane

LANE, BAR, TOP, FOOT = 42, 14, 26, 22  # pixels: a lane, its bar, what is above the first and below the last lane
MARK = 3  # half the size of a call's mark

INK = "currentColor"
YES, NO, DIM = "var(--sl-yes)", "var(--sl-no)", "var(--sl-dim)"


def drawing(chart: Chart, name: str) -> str:
    """The chart as an SVG element. `name` tells the patterns of several drawings on a page apart."""
    height = TOP + LANE * max(len(chart.lanes), 1) + FOOT
    parts: list[svg.Element] = [
        svg.Title(id=f"{name}-title", text=escape(title(chart))),
        svg.Desc(id=f"{name}-desc", text=escape(description(chart))),
        svg.Defs(elements=[_hatching(name, OVER, NO, 45), _hatching(name, PAUSED, NO, 90)]),
    ]
    parts += _axis(chart, height)
    for index, lane in enumerate(chart.lanes):
        parts += _lane(chart, lane, index, name)
    parts += _moments(chart, height)
    return str(
        svg.SVG(
            class_=["sl-chart"],
            width=svg.Length(100, "%"),
            height=height,
            elements=parts,
            extra={"role": "img", "aria-labelledby": f"{name}-title {name}-desc"},
        )
    )


def title(chart: Chart) -> str:
    """What the drawing is."""
    good = sum(lane.good for lane in chart.lanes)
    return f"Credentials on a time axis: {good} of {len(chart.lanes)} lines are good on {chart.looked:%d %B %H:%M} UTC"


def description(chart: Chart) -> str:
    """What it shows, in words; the table below has it in full."""
    told = [lane.label for lane in chart.lanes]
    return ". ".join([*told, "The table after the drawing says the same in full."])


def _hatching(name: str, look: str, colour: str, angle: int) -> svg.Element:
    line = svg.Line(x1=0, y1=0, x2=0, y2=6, stroke=colour, stroke_width=2)
    return svg.Pattern(
        id=f"{name}-{look}",
        width=6,
        height=6,
        patternUnits="userSpaceOnUse",
        patternTransform=[svg.Rotate(angle)],
        elements=[line],
    )


def _at(chart: Chart, moment: datetime) -> svg.Length:
    return svg.Length(round(100 * chart.place(moment), 2), "%")


def _text(x: svg.Length | int, y: float, text: str, colour: str = INK, anchor: str = "start") -> svg.Text:
    return svg.Text(x=x, y=y, text=escape(text), fill=colour, text_anchor=anchor)


def _axis(chart: Chart, height: int) -> Iterator[svg.Element]:
    foot = height - FOOT
    yield svg.Line(x1=0, x2=svg.Length(100, "%"), y1=foot, y2=foot, stroke=DIM)
    for moment, label in chart.ticks():
        place = chart.place(moment)
        yield svg.Line(x1=_at(chart, moment), x2=_at(chart, moment), y1=foot, y2=foot + 5, stroke=DIM)
        anchor = "start" if place < 0.08 else "end" if place > 0.92 else "middle"
        yield _text(_at(chart, moment), foot + 18, label, DIM, anchor)


def _moments(chart: Chart, height: int) -> Iterator[svg.Element]:
    """Now, and the moment looked at where it is another one."""
    words = [(chart.now, "now", "5 4")] if chart.left <= chart.now <= chart.right else []
    if chart.looked != chart.now:
        words.append((chart.looked, "looking here", ""))
    for moment, word, dashes in words:
        place = chart.place(moment)
        anchor = "start" if place < 0.12 else "end" if place > 0.88 else "middle"
        dashed = [int(part) for part in dashes.split()] or None
        x = _at(chart, moment)
        yield svg.Line(x1=x, x2=x, y1=TOP - 8, y2=height - FOOT, stroke=INK, stroke_width=1.5, stroke_dasharray=dashed)
        yield _text(x, 12, word, INK, anchor)


def _lane(chart: Chart, lane: Lane, index: int, name: str) -> Iterator[svg.Element]:
    top = TOP + index * LANE
    middle = top + 17 + BAR / 2
    if lane.above is not None:
        yield from _birth(chart, lane, TOP + lane.above * LANE + 17 + BAR / 2, middle)
    for end, limit, words in lane.limits:
        yield from _limit(chart, end, limit, words, middle)
    for bar in lane.bars:
        yield from _bar(chart, bar, middle, name)
    for label, css in ((lane.label, "sl-full"), (lane.brief, "sl-brief")):
        text = _text(0, top + 12, label, YES if lane.good else NO)
        text.class_ = [css]
        yield text
    for calls in lane.calls:
        yield _mark(chart, calls, middle + BAR / 2 + 5)


def _bar(chart: Chart, bar: Bar, middle: float, name: str) -> Iterator[svg.Element]:
    colour = YES if bar.look == LIVE and bar.state == GOOD else NO
    until = bar.until or chart.right
    left, right = chart.place(bar.since), chart.place(until)
    hatch = OVER if bar.state == GOOD else PAUSED
    yield svg.Rect(
        x=svg.Length(round(100 * left, 2), "%"),
        width=svg.Length(round(100 * (right - left), 2), "%"),
        y=middle - BAR / 2,
        height=BAR,
        fill=YES if colour == YES else f"url(#{name}-{hatch})",
        stroke=colour,
    )
    if bar.until is None:
        x = svg.Length(100, "%")
        yield svg.Line(x1=x, x2=x, y1=middle - BAR, y2=middle + BAR, stroke=colour, stroke_dasharray=[3, 3])
    elif bar.until <= chart.right:
        x = _at(chart, bar.until)
        yield svg.Line(x1=x, x2=x, y1=middle - BAR, y2=middle + BAR, stroke=colour, stroke_width=3)


def _limit(chart: Chart, end: datetime, limit: datetime, words: str, middle: float) -> Iterator[svg.Element]:
    """How long the credentials could have been asked to last: a thin line on from their end to a bracket."""
    x = _at(chart, limit)
    yield svg.Line(x1=_at(chart, end), x2=x, y1=middle, y2=middle, stroke=DIM, stroke_dasharray=[2, 3])
    if limit > chart.right:
        return
    yield svg.Line(x1=x, x2=x, y1=middle - BAR / 2, y2=middle + BAR / 2, stroke=DIM, stroke_width=2)
    if words:
        left = chart.place(limit) > 0.65
        text = _text(x, middle - 4 if left else middle + 4, words, DIM, "end" if left else "start")
        text.dx = -6 if left else 6
        yield text


def _birth(chart: Chart, lane: Lane, above: float, middle: float) -> Iterator[svg.Element]:
    """From the line with whose credentials these were asked for: down, to their first bar."""
    for born in sorted({bar.since for bar in lane.bars if bar.state == GOOD and bar.since >= chart.left}):
        x = _at(chart, born)
        yield svg.Line(x1=x, x2=x, y1=above, y2=middle, stroke=INK, stroke_width=1.5)
        yield svg.Circle(cx=x, cy=above, r=3.5, fill=INK)


def _mark(chart: Chart, calls: Calls, y: float) -> svg.Element:
    """A dot where all calls were allowed, a cross where one was refused."""
    parts: list[svg.Element] = [svg.Title(text=escape(calls.words))]
    if calls.refused:
        for direction in (-MARK, MARK):
            parts.append(svg.Line(x1=-MARK, x2=MARK, y1=direction, y2=-direction, stroke=NO, stroke_width=2))
    else:
        parts.append(svg.Circle(cx=0, cy=0, r=MARK, fill=YES))
    x = _at(chart, calls.since + (calls.until - calls.since) / 2)
    return svg.SVG(x=x, y=y, overflow="visible", elements=parts)
