"""A chart of credentials as SVG: bars stretch with the page, letters keep their size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import svg

from simlib.cloud.credentials.lifetimes import GOOD

from ..markup import escape
from .chart import LIVE, OVER, PAUSED, Bar, Calls, Chart, Lane

# Heights count in the letters of the page, so that lanes grow with them.
LANE, BAR, LABEL = 3.2, 1.05, 1.3  # em: a lane, its bar, its label
TOP, BELOW, FOOT = 2.6, 0.6, 1.7  # em: above the first lane, below the last down to the axis, below the axis
MARK = 0.25  # em: half the size of a call's mark

INK = "currentColor"
YES, NO, DIM = "var(--sl-yes)", "var(--sl-no)", "var(--sl-dim)"

CSS = """
.simlib .sl-chart { display: block; overflow: hidden; font-size: calc(13px * var(--sl-scale, 1)); }
.simlib .sl-chart text { paint-order: stroke; stroke: var(--jp-layout-color0, Canvas); stroke-width: 4px; }
.simlib .sl-chart .sl-brief { display: none; }
@media (max-width: 640px) {
  .simlib .sl-chart .sl-full { display: none; }
  .simlib .sl-chart .sl-brief { display: inline; }
}
"""


def drawing(chart: Chart, name: str) -> str:
    """The chart as an SVG element, to be shown with `CSS`. `name` tells several drawings on a page apart."""
    height = TOP + LANE * max(len(chart.lanes), 1) + BELOW + FOOT
    shapes: list[svg.Element] = []
    letters: list[svg.Element] = []  # over the shapes
    for index, lane in enumerate(chart.lanes):
        shapes += _lane(chart, lane, index, name)
        letters += _labels(chart, lane, index)
    for drawn in (*_axis(chart, height), *_moments(chart, height)):
        (letters if isinstance(drawn, svg.Text) else shapes).append(drawn)
    parts = [
        svg.Title(id=f"{name}-title", text=escape(title(chart))),
        svg.Desc(id=f"{name}-desc", text=escape(description(chart))),
        svg.Defs(elements=[_hatching(name, OVER, 45), _hatching(name, PAUSED, 90)]),
    ]
    return str(
        svg.SVG(
            class_=["sl-chart"],
            width=svg.Length(100, "%"),
            height=_em(height),
            elements=[*parts, *shapes, *letters],
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


def _hatching(name: str, look: str, angle: int) -> svg.Element:
    return svg.Pattern(
        id=f"{name}-{look}",
        width=6,
        height=6,
        patternUnits="userSpaceOnUse",
        patternTransform=[svg.Rotate(angle)],
        elements=[svg.Line(x1=0, y1=0, x2=0, y2=6, stroke=NO, stroke_width=2)],
    )


def _em(height: float) -> svg.Length:
    return svg.Length(round(height, 3), "em")


def _at(place: float) -> svg.Length:
    return svg.Length(round(100 * place, 2), "%")


def _upright(place: float, top: float, bottom: float, colour: str, **look: Any) -> svg.Element:
    return svg.Line(x1=_at(place), x2=_at(place), y1=_em(top), y2=_em(bottom), stroke=colour, **look)


def _text(place: float, y: float, text: str, colour: str = INK, *, margin: float = 0.1) -> svg.Text:
    """Letters in the middle over their place, or beside it where they would leave the page."""
    anchor: Any = "start" if place < margin else "end" if place > 1 - margin else "middle"
    return svg.Text(x=_at(place), y=_em(y), text=escape(text), fill=colour, text_anchor=anchor)


def _axis(chart: Chart, height: float) -> Iterator[svg.Element]:
    foot = height - FOOT
    yield svg.Line(x1=0, x2=_at(1), y1=_em(foot), y2=_em(foot), stroke=DIM)
    for index, (moment, label) in enumerate(chart.ticks()):
        yield _upright(chart.place(moment), foot, foot + 0.4, DIM)
        text = _text(chart.place(moment), foot + 1.4, label, DIM)
        text.class_ = ["sl-full"] if index % 2 else None  # a narrow page has room for every other
        yield text


def _moments(chart: Chart, height: float) -> Iterator[svg.Element]:
    """Now, and the moment looked at where it is another one."""
    if chart.left <= chart.now <= chart.right:
        place = chart.place(chart.now)
        yield _upright(place, TOP - 0.6, height - FOOT, INK, stroke_width=1.5, stroke_dasharray=[5, 4])
        yield _text(place, 0.9, "now")
    if chart.looked != chart.now:
        place = chart.place(chart.looked)
        yield _upright(place, TOP - 0.6, height - FOOT, INK, stroke_width=2)
        yield _text(place, TOP - 0.5, "looking here", margin=0.15)


def _middle(index: int) -> float:
    """Where the bars of a lane are."""
    return TOP + index * LANE + LABEL + BAR / 2


def _labels(chart: Chart, lane: Lane, index: int) -> Iterator[svg.Element]:
    for label, css in ((lane.label, "sl-full"), (lane.brief, "sl-brief")):
        text = _text(0, TOP + index * LANE + LABEL - 0.3, label, YES if lane.good else NO)
        text.class_ = [css]
        yield text
    for _, limit, words in lane.limits:
        if words and limit <= chart.right:
            covered = any(bar.since <= limit < (bar.until or chart.right) for bar in lane.bars)
            place = chart.place(limit)
            beside = place < 0.82 and not covered  # else below
            y = _middle(index) + (0.35 if beside else BAR / 2 + 0.95)
            text = _text(place, y, words, DIM)
            text.text_anchor = "start" if beside or place < 0.4 else "end"  # a narrow page has few letters either way
            text.dx = 6 if beside else 0
            yield text


def _lane(chart: Chart, lane: Lane, index: int, name: str) -> Iterator[svg.Element]:
    middle = _middle(index)
    for born in sorted({bar.since for bar in lane.bars if bar.state == GOOD and bar.since >= chart.left}):
        if lane.above is not None:  # down from the line with whose credentials it was asked for
            yield _upright(chart.place(born), _middle(lane.above), middle, INK, stroke_width=1.5)
            yield svg.Circle(cx=_at(chart.place(born)), cy=_em(_middle(lane.above)), r=_em(0.28), fill=INK)
    for end, limit, _ in lane.limits:  # on from their end to where they could have lasted
        x, until = _at(chart.place(end)), chart.place(limit)
        yield svg.Line(x1=x, x2=_at(until), y1=_em(middle), y2=_em(middle), stroke=DIM, stroke_dasharray=[2, 3])
        if limit <= chart.right:
            yield _upright(until, middle - BAR / 2, middle + BAR / 2, DIM, stroke_width=2)
    for bar in lane.bars:
        yield from _bar(chart, bar, middle, name)
    for calls in lane.calls:
        yield _mark(chart, calls, middle + BAR / 2 + 0.4)


def _bar(chart: Chart, bar: Bar, middle: float, name: str) -> Iterator[svg.Element]:
    live = bar.look == LIVE and bar.state == GOOD
    begin, end = chart.place(bar.since), chart.place(bar.until or chart.right)
    yield svg.Rect(
        x=_at(begin),
        width=_at(end - begin),
        y=_em(middle - BAR / 2),
        height=_em(BAR),
        fill=YES if live else f"url(#{name}-{OVER if bar.state == GOOD else PAUSED})",
        stroke=YES if live else NO,
    )
    if bar.until is None or bar.until <= chart.right:  # no end: dots, an end: a stop
        look = {"stroke_dasharray": [3, 3]} if bar.until is None else {"stroke_width": 3}
        yield _upright(end, middle - BAR, middle + BAR, YES if live else NO, **look)


def _mark(chart: Chart, calls: Calls, y: float) -> svg.Element:
    """A dot where all calls were allowed, a cross where one was refused."""
    title = svg.Title(text=escape(calls.words))
    x = _at(chart.place(calls.since + (calls.until - calls.since) / 2))
    low, high = _em(-MARK), _em(MARK)
    if not calls.refused:
        return svg.Circle(cx=x, cy=_em(y), r=high, fill=YES, elements=[title])
    strokes = ((low, high), (high, low))
    cross = [svg.Line(x1=low, x2=high, y1=top, y2=end, stroke=NO, stroke_width=2) for top, end in strokes]
    return svg.SVG(x=x, y=_em(y), overflow="visible", elements=[title, *cross])
