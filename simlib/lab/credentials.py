"""Credentials against the clock: which are good now, and until when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from .pictures import DIM, INK, NO, YES, Picture


@dataclass(frozen=True)
class Lifetime:
    """From when until when credentials are good; `until` is None where there is no end."""

    name: str
    key_id: str
    since: datetime | None
    until: datetime | None

    def good(self, now: datetime) -> bool:
        return self.until is None or now < self.until

    def words(self, now: datetime) -> str:
        """What the picture writes beside the bar."""
        if self.until is None:
            return "good, and no end in sight"
        return f"{'good until' if now < self.until else 'expired'} {self.until:%d %b %H:%M}"


def lifetime(name: str, answer: Mapping[str, Any]) -> Lifetime:
    """Read from any AWS answer that holds credentials, or from what the metadata service says.

    Raises `ValueError` where there are none.
    """
    found = next(
        (part for part in (answer, *answer.values()) if isinstance(part, Mapping) and "AccessKeyId" in part), None
    )
    if found is None:
        raise ValueError(f"no credentials in what was given for {name!r}")
    begin = found.get("CreateDate") or found.get("LastUpdated")
    return Lifetime(name, found["AccessKeyId"], _moment(begin), _moment(found.get("Expiration")))


def _moment(value: Any) -> datetime | None:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.astimezone(UTC) if moment else None


def credentials_figure(credentials: Mapping[str, Mapping[str, Any]], now: datetime) -> Picture:
    """One bar for each of the named credentials on one time axis, `now` marked.

    The axis covers the temporary ones; a key that began earlier, or never ends, runs off its edges.
    """
    lives = [lifetime(name, answer) for name, answer in credentials.items()]
    ends = [now, *(moment for life in lives if life.until for moment in (life.since, life.until) if moment)]
    pad = max((max(ends) - min(ends)) / 8, timedelta(hours=1))
    left, right = min(ends) - pad, max(ends) + pad
    return Picture(_draw(lives, now, left, right), _in_words(lives, now))


def _in_words(lives: list[Lifetime], now: datetime) -> str:
    parts = [f"{life.name} ({life.key_id[:4]}…): {life.words(now)}" for life in lives]
    return f"Credentials against the clock, which shows {now:%d %B %Y %H:%M} UTC. " + ". ".join(parts) + "."


def _draw(lives: list[Lifetime], now: datetime, left: datetime, right: datetime) -> Any:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.5, 0.9 + 0.62 * len(lives)), layout="constrained")
    axes = figure.add_subplot()
    start, stop = date2num(left), date2num(right)
    for row, life in enumerate(lives):
        good = life.good(now)
        begin = max(start, date2num(life.since)) if life.since else start
        end = date2num(life.until) if life.until else stop
        colour = YES if good else NO
        look = {"color": colour} if good else {"color": "none", "edgecolor": colour, "hatch": "////"}
        axes.barh(row, end - begin, left=begin, height=0.34, **look)
        if life.until is None:
            axes.plot([stop], [row], marker=">", markersize=13, color=colour, clip_on=False)
        else:
            axes.plot([end], [row], marker="|", markersize=18, markeredgewidth=3, color=colour)
        label = f"{life.name} ({life.key_id[:4]}…): {life.words(now)}"
        axes.text(start, row - 0.36, label, color=colour, va="bottom", fontsize=10.5, parse_math=False)
    axes.axvline(date2num(now), color=INK, linestyle="--", linewidth=1.5)
    axes.text(date2num(now), -0.95, "now", color=INK, ha="center", va="bottom", fontsize=10.5, parse_math=False)
    axes.set(xlim=(start, stop), ylim=(len(lives) - 0.45, -0.95), yticks=[])
    locator = AutoDateLocator(tz=UTC, maxticks=7)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=UTC))
    axes.tick_params(colors=DIM)
    axes.set_xlabel("UTC", color=DIM, loc="left")
    axes.xaxis.get_offset_text().set_color(DIM)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(DIM)
    return figure
