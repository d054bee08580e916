"""Where lanes stand on a time axis: which stretch of time it covers, its ticks, the bars of each lane, its calls.

All times are aware datetimes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from simlib.cloud.credentials.lifetimes import DELETED, EXPIRED, INACTIVE, ORPHANED, REVOKED, VALID, Credential

from ..markup import number_of
from .lanes import Lane

MOST_LANES, MOST_TICKS = 20, 5  # are drawn
COLUMNS = 120  # of calls that fall into one column of a lane, one mark is drawn
LONGEST = timedelta(days=60)  # that an axis covers unasked, from the first session asked about to now

CallTimes = tuple[Sequence[datetime], Sequence[datetime]]  # of allowed calls, of refused ones; in order

_APART = timedelta(days=2)  # sessions farther from the others are left of the axis
_STEPS = [timedelta(minutes=n) for n in (1, 5, 15, 30)]
_STEPS += [timedelta(hours=n) for n in (1, 2, 3, 6, 12)]
_STEPS += [timedelta(days=n) for n in (1, 2, 7, 14, 28, 91, 182, 365, 1826, 3652)]
_BEGIN = datetime(2024, 1, 1, tzinfo=UTC)  # a Monday, where ticks are counted from
_ENDED = {EXPIRED: "over", DELETED: "gone", ORPHANED: "gone", REVOKED: "was", INACTIVE: "was"}  # how valid time looks


@dataclass(frozen=True)
class Calls:
    """Calls so close together that one mark stands for them."""

    when: datetime
    allowed: int
    refused: int

    @property
    def words(self) -> str:
        return f"{self.when:%d %b %Y %H:%M}: {number_of(self.allowed + self.refused, 'call')}, {self.refused} refused"


@dataclass(frozen=True)
class Bar:
    """A stretch of time of one look: good, over (expired), gone (deleted), was (good before it was revoked or set
    inactive), revoked, off (inactive), unborn. `until` is None where there is no end."""

    since: datetime
    until: datetime | None
    look: str


@dataclass(frozen=True)
class Chart:
    """What is drawn. `moment` is the one looked at; `hidden` lanes are left out."""

    now: datetime
    moment: datetime
    left: datetime
    right: datetime
    lanes: tuple[Lane, ...]
    hidden: int = 0

    def place(self, moment: datetime) -> float:
        """Where a moment is, in hundredths of the axis; beyond its ends, at the end."""
        return round(100 * min(max((moment - self.left) / (self.right - self.left), 0.0), 1.0), 2)

    @property
    def years(self) -> bool:
        """Whether the axis crosses the end of a year."""
        return self.left.year != self.right.year

    def ticks(self) -> list[tuple[datetime, str, bool]]:
        """Round moments, what is written at each, and whether a year begins there; the ends of the axis with them."""
        span, day = self.right - self.left, timedelta(days=1)
        step = next((step for step in _STEPS if span / step <= MOST_TICKS), span / MOST_TICKS)
        first = _BEGIN + -((_BEGIN - self.left) // step) * step
        hours, years = step < day, self._new_years
        begin, end = (f"{at:%d %b %Y, %H:%M}" if hours else f"{at:%d %b %Y}" for at in (self.left, self.right))
        end = f"{self.right:%H:%M}" if hours and not self.years and span <= day else end
        ticks = [
            (self.left, begin, False),
            (self.right, f"{end} UTC", False),
            *((at, f"{at:%Y}", True) for at in years),
        ]
        for at in (first + n * step for n in range(MOST_TICKS + 2)):
            is_clear = all(abs(at - year) >= span / 6 for year in years)
            if self.left + span / 4 < at < self.right - span / 6 and is_clear:
                ticks.append((at, f"{at:%H:%M}" if hours and at.hour + at.minute else f"{at:%d %b}", False))
        return sorted(ticks)

    @property
    def _new_years(self) -> list[datetime]:
        years = (datetime(year, 1, 1, tzinfo=UTC) for year in range(self.left.year + 1, self.right.year + 1))
        return [each for each in years if self.left < each < self.right][:8]

    def bars(self, credential: Credential) -> Iterator[Bar]:
        """The bars of a credential as it is at the moment looked at: what has not happened then is not known."""
        intervals = [interval for interval in credential.intervals if interval.since <= self.moment]
        if not intervals:
            yield Bar(credential.born, credential.expires, "unborn")
            return
        for interval, following in zip(intervals, [*intervals[1:], None], strict=True):
            until = following.since if following else credential.expires
            if interval.state == VALID:
                yield Bar(interval.since, until, _ENDED[following.state] if following else "good")
            elif interval.state == REVOKED:
                yield Bar(interval.since, credential.expires, "revoked")
            elif interval.state == INACTIVE:
                yield Bar(interval.since, until, "off")

    def visible_bars(self, credential: Credential) -> list[Bar]:
        """Its bars that are on the axis."""
        bars = self.bars(credential)
        return [bar for bar in bars if bar.since < self.right and (bar.until is None or bar.until > self.left)]

    def marks(self, calls: CallTimes) -> list[Calls]:
        """Calls gathered by column, so that a hundred thousand of them are no more to draw than a hundred."""
        width = (self.right - self.left) / COLUMNS
        columns: dict[int, list[int]] = {}
        for refused, moments in enumerate(calls):
            first, last = bisect_left(moments, self.left), bisect_left(moments, self.right)
            while first < last:
                column = int((moments[first] - self.left) / width)
                after = max(bisect_left(moments, self.left + (column + 1) * width, first, last), first + 1)
                columns.setdefault(column, [0, 0])[refused] += after - first
                first = after
        return [Calls(self.left + (column + 0.5) * width, *counts) for column, counts in sorted(columns.items())]


def chart(
    lanes: Sequence[Lane],
    now: datetime,
    moment: datetime,
    span: timedelta | None,
    before: Chart | None = None,
    *,
    whole: bool = False,
) -> Chart:
    """Lay lanes out. `span` is how much time to show around the moment looked at; None: what the sessions need, all of
    them where the `whole` is asked about, else those near each other. A chart that was drawn `before` with the same
    span keeps its place, as long as the moment is on it."""
    drawn_lanes = _most_telling(lanes, now)
    if span is None:
        left, right = _around(drawn_lanes, now, whole=whole)
        if moment < left:
            left = moment - (right - moment) / 20
        elif moment > right:
            right = moment + (moment - left) / 20
    elif before and before.right - before.left == span and before.left <= moment <= before.right:
        left, right = before.left, before.right
    else:
        left, right = moment - span / 2, moment + span / 2
    return Chart(now, moment, left, right, tuple(drawn_lanes), len(lanes) - len(drawn_lanes))


def _most_telling(lanes: Sequence[Lane], now: datetime) -> list[Lane]:
    """Those with valid credentials first, then the youngest; in their old order."""
    ranked = sorted(lanes, key=lambda lane: (lane.valid(now), lane.credential.born), reverse=True)[:MOST_LANES]
    keys = {lane.key for lane in ranked}
    return [lane for lane in lanes if lane.key in keys]


def _around(lanes: Sequence[Lane], now: datetime, *, whole: bool) -> tuple[datetime, datetime]:
    """From the first session – of those that hang together, or that are asked about – to the last end, now included."""
    lives = sorted((each.born, each.expires) for each in (lane.credential for lane in lanes) if each.expires)
    first, last = now, max([now, *(expires for _, expires in lives)])
    if lives and lives[-1][1] < now - _APART:  # long over: they are what there is to see
        first = lives[-1][1]
    for born, expires in reversed(lives):
        if expires > first - _APART or (whole and last - born < LONGEST):
            first = min(first, born)
    if not lives:
        first = min([now, *(lane.credential.born for lane in lanes if lane.credential.born > now - _APART)])
    pad = max((last - first) / 20, timedelta(minutes=15))
    return first - pad, last + pad
