"""The lanes as a picture: bars, calls, who was born of whom, and the line of the moment that is looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from ..look import SIGNS as SHAPES
from ..look import avatar, fold, icon, sign
from ..page import Child, Part, el, parts_of
from ..principals import short_key
from ..trail_table import KeyCalls
from .chart import Chart
from .lanes import LaneState

STEPS = 1000  # of the line of now, from one end of the axis to the other
_LEGEND = (
    ("sl-span.is-good", "valid (pale: still to come)"),
    ("sl-span.is-good.is-endless", "no end"),
    ("sl-span.is-over", "expired"),
    ("sl-span.is-revoked", "revoked"),
    ("sl-span.is-gone", "deleted"),
    ("sl-span.is-off", "inactive"),
    ("sl-span.is-unborn", "not issued yet"),
    ("sl-most", "longest it could have been"),
    ("sl-call", "call answered"),
    ("sl-call.is-no", "call refused"),
)


def drawing(chart: Chart, holdings: Sequence[LaneState], calls: Mapping[str, KeyCalls | None], chosen: str) -> Child:
    """A lane for each credential, its label at the left, the line of the moment looked at over all; those that live
    before or after what the axis covers, by their labels alone. `calls` and `chosen` are by access keys."""
    visible = [each for each in holdings if chart.visible_bars(each.lane.credential)]
    away = [each for each in holdings if each not in visible]
    rows = {each.key: row for row, each in enumerate(visible)}
    ticks = chart.ticks()
    ends = (0, len(ticks) - 1)
    marks = [
        el("span" + (".is-year" if year else "" if at in ends else ".is-minor"), word, style=_x(chart, on))
        for at, (on, word, year) in enumerate(ticks)
    ]
    lines = [el("span.sl-grid-l" + (".is-year" if year else ""), style=_x(chart, on)) for on, _, year in ticks[1:-1]]
    axis = el("div.sl-axis", marks, text="", data_along=True, aria_hidden="true")
    lanes = [_lane(each, chosen, lines, _track(chart, each, rows, calls.get(each.key))) for each in visible]
    moment = f"--moment:{chart.place(chart.moment)}"  # where the lanes are too narrow for one line over all of them
    return el("div.sl-tl", axis, lanes, _now_line(chart), key="drawing", style=moment), _away(chart, away, chosen)


def legend(picture: Child) -> Part:
    """What the looks mean that the picture has."""
    present = [set(str(part.attributes.get("class")).split()) for part in parts_of(picture)]
    keys = [
        el("li", el("span.sl-k", el(f"span.{css}", style="--f:0;--t:100;--lived:55;--x:50")), word)
        for css, word in _LEGEND
        if any({*css.split(".")} <= each for each in present)
    ]
    return el("ul.sl-legend", keys, text="")


def _x(chart: Chart, moment: datetime) -> str:
    return f"--x:{chart.place(moment)}"


def _away(chart: Chart, away: Sequence[LaneState], chosen: str) -> Child:
    if not away:
        return None
    later = sum(each.lane.credential.born >= chart.right for each in away)
    places = ((len(away) - later, "before"), (later, "after"))
    summary = " and ".join(f"{number} {where}" for number, where in places if number)
    lanes = [_lane(each, chosen) for each in away]
    text = "\n".join(["", f"{summary.capitalize()} this stretch of time:", *map(str, lanes)])
    return fold(f"{summary} this stretch of time", el("div.sl-tl.is-away", lanes), key="away", text=text)


def _lane(holding: LaneState, chosen: str, lines: Sequence[Part] = (), parts: Iterator[Part] | None = None) -> Part:
    lane, is_chosen = holding.lane, holding.key == chosen
    kind = "user" if not lane.credential.expires else "machine" if "/i-" in lane.credential.arn else "session"
    colour = SHAPES[holding.sign]["colour"]
    state = el("span" + (f".is-{colour}" if colour else ""), sign(holding.sign), " ", holding.words)
    key = el("span.sl-dim.sl-nb", short_key(lane.key))
    label = el(
        "button.sl-lane-label",
        avatar(kind, lane.name),
        el("span", el("b", lane.label, text=lane.name), " ", el("span.sl-small", key, " ", state)),
        el("span.sl-hidden", holding.story),
        do="lane", value=lane.key, still=True, aria_pressed=str(is_chosen).lower(), title=lane.name,
    )  # fmt: skip
    track = el("div.sl-track", lines, list(parts), text="") if parts else None
    return el("div.sl-lane" + (".is-here" if is_chosen else ""), label, track, key=f"lane-{lane.key}")


def _track(chart: Chart, holding: LaneState, rows: Mapping[str, int], calls: KeyCalls | None) -> Iterator[Part]:
    """The bars of a lane, the longest it could have lived, its calls, and the line to whom it was born of."""
    credential, place = holding.lane.credential, chart.place
    for bar in chart.visible_bars(credential):
        begin, end = place(bar.since), place(bar.until) if bar.until else 100.0
        lived = round(100 * min(max((place(chart.moment) - begin) / max(end - begin, 0.01), 0), 1))
        css = f"span.sl-span.is-{bar.look}" + (".is-older" if bar.since < chart.left else "")
        css += ".is-endless" if bar.until is None or bar.until > chart.right else ""
        yield el(css, style=f"--f:{begin};--t:{max(end, begin + 0.4)};--lived:{lived}")
    if credential.expires and credential.longest and credential.longest > credential.expires:
        most = f"--f:{place(credential.expires)};--t:{place(credential.longest)}"
        yield el("span.sl-most", style=most, title=f"at most {credential.limit}")
    for each in chart.marks((calls.allowed, calls.refused)) if calls else ():
        css = "span.sl-call" + (".is-no" if each.refused else "")
        yield el(css, style=_x(chart, each.when), title=each.words)
    if credential.issued_by in rows and credential.born >= chart.left:
        up = rows[holding.key] - rows[credential.issued_by]
        yield el("span.sl-born", style=f"{_x(chart, credential.born)};--up:{up}")


def _now_line(chart: Chart) -> Child:
    """The moment looked at: a line that can be dragged. Now is another line where it is another moment."""
    now, moment = chart.now, chart.moment
    slider = el(
        "button.sl-grip", icon("grip"), f"{'now ' if now == moment else ''}{moment:%H:%M}",
        role="slider", aria_label="Look at another moment", aria_valuemin="0", aria_valuemax=str(STEPS),
        aria_valuenow=str(round(STEPS / 100 * chart.place(moment))), aria_valuetext=f"{moment:%d %B %Y, %H:%M} UTC",
        data_drag="moment", data_keys="key", still=True,
    )  # fmt: skip
    is_elsewhere = now != moment and chart.left <= now <= chart.right
    real = el("div.sl-now.is-real", style=_x(chart, now), key="now", text="") if is_elsewhere else None
    return real, el("div.sl-now", slider, style=_x(chart, moment), key="looked", text="")
