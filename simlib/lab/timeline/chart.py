"""Credentials on a time axis, before it is drawn: which stretch of time, which bars, limits, births and calls.

All times are aware datetimes. `drawing` draws a chart on a page, `figure` on paper.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from simlib.cloud.credentials.lifetimes import GOOD, INACTIVE, REVOKED, Credential, hours

from .lines import Line

MOST_LINES = 20  # are drawn
COLUMNS = 120  # of calls that fall into one column of a line, one mark is drawn
LONGEST_NAME, BRIEFEST_NAME = 40, 20  # characters of a line's name in the drawing; the table has it whole

LIVE, PAUSED, OVER = "live", "paused", "over"  # how a bar looks

CallTimes = tuple[Sequence[datetime], Sequence[datetime]]  # of allowed calls, of refused ones; in order

_RECENT = timedelta(days=2)  # sessions that ended longer ago than this are left of the axis, unless they are the last
_STEPS = [timedelta(minutes=n) for n in (1, 5, 15, 30)]
_STEPS += [timedelta(hours=n) for n in (1, 2, 3, 6, 12)]
_STEPS += [timedelta(days=n) for n in (1, 2, 7, 14, 28, 91, 182, 365, 1826, 3652)]
_BEGIN = datetime(2024, 1, 1, tzinfo=UTC)  # a Monday, where ticks are counted from


@dataclass(frozen=True)
class Calls:
    """Calls so close together that one mark stands for them."""

    since: datetime
    until: datetime
    allowed: int
    refused: int

    @property
    def words(self) -> str:
        return f"{self.since:%d %b %H:%M}: {counted(self.allowed + self.refused, 'call')}, {self.refused} refused"


@dataclass(frozen=True)
class Bar:
    """A stretch of time in which credentials are in one state; `until` is None where there is no end.

    `look` is what they are at the moment looked at: "over" bars are of credentials that are no longer good then.
    """

    credential: Credential
    since: datetime
    until: datetime | None
    state: str
    look: str


@dataclass(frozen=True)
class Lane:
    """One line, drawn. `above` is the index of the lane it was born of; `limits` are from when on, until when and by
    which rule each could have lasted (said of the last under each rule); `brief` is the label for a narrow page."""

    line: Line
    label: str
    brief: str
    good: bool
    bars: tuple[Bar, ...]
    limits: tuple[tuple[datetime, datetime, str], ...]
    calls: tuple[Calls, ...]
    above: int | None


@dataclass(frozen=True)
class Chart:
    """What is drawn. `looked` is the moment looked at; `hidden` lines are left out."""

    now: datetime
    looked: datetime
    left: datetime
    right: datetime
    lanes: tuple[Lane, ...]
    hidden: int = 0

    def place(self, moment: datetime) -> float:
        """Where a moment is, from 0 at the left edge to 1 at the right; beyond the edges, at the edge."""
        return min(max((moment - self.left) / (self.right - self.left), 0.0), 1.0)

    def ticks(self, most: int = 5) -> list[tuple[datetime, str]]:
        """Round moments to write under the axis."""
        span = self.right - self.left
        step = next((step for step in _STEPS if span / step <= most), span / most)
        first = _BEGIN + -((_BEGIN - self.left) // step) * step
        moments = [first + n * step for n in range(most + 2)]
        form = "%H:%M" if step < timedelta(days=1) else "%d %b" if step < timedelta(days=180) else "%b %Y"
        told, day = [], None
        for moment in (m for m in moments if self.left <= m <= self.right):
            told.append((moment, f"{moment:{form}}" if form != "%H:%M" or moment.date() == day else _with_day(moment)))
            day = moment.date()
        return told


def _with_day(moment: datetime) -> str:
    return f"{moment:%d %b %H:%M}"


def counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def chart(
    lines: Sequence[Line],
    now: datetime,
    looked: datetime,
    span: timedelta | None,
    calls: Mapping[str, CallTimes],
    before: Chart | None = None,
) -> Chart:
    """Lay lines out. `span` is how much time to show around the moment looked at; None: what the sessions need. A chart
    that was drawn `before` with the same span keeps its place, as long as the moment is on it.

    `calls` are, by access key, the moments of those that were allowed and of those that were refused.
    """
    shown = _most_telling(lines, now)
    left, right = _stretch(shown, now, looked, span, before)
    places = {line.identity: index for index, line in enumerate(shown)}
    lanes = []
    for line in shown:
        times = [calls[each.access_key_id] for each in line.credentials if each.access_key_id in calls]
        lanes.append(
            Lane(
                line,
                line.label(looked, LONGEST_NAME),
                line.label(looked, BRIEFEST_NAME, with_key=False),
                line.good(looked),
                tuple(bar for each in line.credentials for bar in _bars(each, looked) if _inside(bar, left, right)),
                tuple(_limits(line, left, right)),
                tuple(_marks(times, left, right)),
                places.get(line.parent_identity or ()),
            )
        )
    return Chart(now, looked, left, right, tuple(lanes), len(lines) - len(shown))


def _most_telling(lines: Sequence[Line], now: datetime) -> list[Line]:
    """Those with good credentials first, then the youngest; in their old order."""
    if len(lines) <= MOST_LINES:
        return list(lines)
    ranked = sorted(lines, key=lambda line: (line.good(now), line.credentials[-1].born), reverse=True)[:MOST_LINES]
    kept = {id(line) for line in ranked}
    return [line for line in lines if id(line) in kept]


def _stretch(
    lines: Sequence[Line], now: datetime, looked: datetime, span: timedelta | None, before: Chart | None
) -> tuple[datetime, datetime]:
    if span is None:
        left, right = _around(lines, now)
        if looked < left:
            left = looked - (right - looked) / 20
        elif looked > right:
            right = looked + (looked - left) / 20
        return left, right
    if before and before.right - before.left == span and before.left <= looked <= before.right:
        return before.left, before.right
    return looked - span / 2, looked + span / 2


def _around(lines: Sequence[Line], now: datetime) -> tuple[datetime, datetime]:
    """From the oldest session that is not long over to the last that ends, now included."""
    sessions = [each for line in lines for each in line.credentials if each.expires]
    last = max((each.expires for each in sessions if each.expires), default=now)
    recent = [each for each in sessions if each.expires and each.expires > min(now, last) - _RECENT]
    moments = [now, *(each.born for each in recent), *(each.expires for each in recent if each.expires)]
    if not recent:
        moments += [each.born for line in lines for each in line.credentials if each.born > now - _RECENT]
    pad = max((max(moments) - min(moments)) / 10, timedelta(minutes=30))
    return min(moments) - pad, max(moments) + pad


def _limits(line: Line, left: datetime, right: datetime) -> Iterator[tuple[datetime, datetime, str]]:
    last = {_rule(each): each for each in line.credentials}
    for each in line.credentials:
        if each.expires and each.longest and each.longest >= each.expires and left < each.expires < right:
            yield each.expires, each.longest, _rule(each) if each is last[_rule(each)] else ""


def _rule(credential: Credential) -> str:
    """How long it could have been asked to last: "≤ 12 hours" as the role was when it was issued."""
    if credential.longest is None:
        return ""
    chained = ", chained" if credential.issued_by.startswith("ASIA") else ""
    return f"≤ {hours(credential.longest - credential.born)}{chained}"


def _bars(credential: Credential, looked: datetime) -> list[Bar]:
    ended = credential.over(looked)
    bars = []
    for spell, following in zip(credential.spells, [*credential.spells[1:], None], strict=True):
        until = following.since if following else None
        if spell.state == GOOD:
            bars.append(Bar(credential, spell.since, until, GOOD, OVER if ended else LIVE))
        elif spell.state in (INACTIVE, REVOKED):
            bars.append(Bar(credential, spell.since, until, spell.state, OVER if ended else PAUSED))
    return bars


def _inside(bar: Bar, left: datetime, right: datetime) -> bool:
    return bar.since < right and (bar.until is None or bar.until > left)


def _marks(calls: Sequence[CallTimes], left: datetime, right: datetime) -> list[Calls]:
    """Calls gathered by column, so that a hundred thousand of them are no more to draw than a hundred."""
    width = (right - left) / COLUMNS
    columns: dict[int, list[int]] = {}
    for of_key in calls:
        for refused, moments in enumerate(of_key):
            first, last = bisect_left(moments, left), bisect_left(moments, right)
            while first < last:
                column = int((moments[first] - left) / width)
                after = max(bisect_left(moments, left + (column + 1) * width, first, last), first + 1)
                columns.setdefault(column, [0, 0])[refused] += after - first
                first = after
    return [
        Calls(left + column * width, left + (column + 1) * width, *counts) for column, counts in sorted(columns.items())
    ]
