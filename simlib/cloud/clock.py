"""The one clock of the lab: moved forward, never back, and everything in this process reads it.

Sessions expire, IAM writes dates, requests are signed and botocore decides when to refresh - all by asking Python for
the time. So the clock does not hand out a time of its own: it moves the answer of `time.time()` and `datetime.now()`.
Waiting is not touched (`time.monotonic`, `asyncio`, time-outs), and other processes keep real time.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

from simlib.cloud.browser import in_browser

LAST_YEAR = 2999  # what every platform's C library can still turn into a local time


class TimeMachine:
    """Moves `time` and `datetime` in C, for every module that has already imported them, and lets them tick on."""

    def __init__(self) -> None:
        import time_machine

        self._library = time_machine
        self._travel: Any = None
        self._traveller: Any = None

    def start(self) -> None:
        # A number carries no time zone; a datetime in UTC would set the process's TZ variable.
        self._travel = self._library.travel(time.time(), tick=True)
        self._traveller = self._travel.start()
        self._traveller.time_ns()  # ticking begins with the first question

    def stop(self) -> None:
        # The library ends the journey that began last. Another one may have begun meanwhile (a test's fixture,
        # say); it must survive ours.
        journeys = self._library.traveller_stack
        if self._traveller in journeys:
            journeys.remove(self._traveller)
            journeys.append(self._traveller)
            self._travel.stop()
        self._travel = self._traveller = None

    def shift(self, delta: timedelta) -> None:
        self._traveller.shift(delta)

    def real_time(self) -> float:
        real: float = self._library.escape_hatch.time.time()
        return real


class BrowserTime:
    """Moves `Date.now` in the page's worker that this kernel is: from there Python in a browser has the time of day."""

    _JOURNEY = """(() => {
        const before = Date.now, real = () => before.call(Date);
        const journey = { ahead: 0, real, stop: () => { journey.ahead = 0; if (Date.now === now) Date.now = before } };
        const now = Date.now = () => real() + journey.ahead;
        return journey;
    })()"""

    def __init__(self) -> None:
        self._run_js = import_module("pyodide.code").run_js
        self._journey: Any = None

    def start(self) -> None:
        self._journey = self._run_js(self._JOURNEY)

    def stop(self) -> None:
        self._journey.stop()

    def shift(self, delta: timedelta) -> None:
        self._journey.ahead += delta / timedelta(milliseconds=1)

    def real_time(self) -> float:
        return float(self._journey.real()) / 1000


Mechanism = TimeMachine | BrowserTime  # what really moves Python's time


def best_mechanism() -> Mechanism:
    return BrowserTime() if in_browser() else TimeMachine()


class Clock:
    """The simulated time. Real time at the start, then as far ahead as it has been moved.

    Between `start()` and `stop()` the whole process follows it; before and after, it shows real time.
    """

    def __init__(self, mechanism: Mechanism | None = None) -> None:
        self._mechanism = mechanism or best_mechanism()
        self._running = False

    def start(self) -> None:
        """Begin to rule this process's time. Starting a running clock changes nothing."""
        if not self._running:
            self._mechanism.start()
            self._running = True

    def stop(self) -> None:
        """Give the process its real time back. Stopping a stopped clock changes nothing."""
        if self._running:
            self._running = False
            self._mechanism.stop()

    @property
    def now(self) -> datetime:
        """The simulated time: an aware datetime in UTC."""
        return datetime.now(UTC)

    @property
    def real_now(self) -> datetime:
        """The time outside, which other processes sign their requests with: an aware datetime in UTC."""
        return datetime.fromtimestamp(self._mechanism.real_time() if self._running else time.time(), UTC)

    def advance(self, **step: float) -> None:
        """Move time forward, by the arguments of `datetime.timedelta` (hours=1, days=30), without waiting.

        Raises `ValueError` for a step back or beyond the year 2999, `RuntimeError` when the clock does not run.
        """
        arguments = ", ".join(f"{unit}={amount}" for unit, amount in step.items())
        try:
            delta = timedelta(**step)
            year = (self.now + delta).year
        except OverflowError:
            delta, year = timedelta.max, LAST_YEAR + 1
        if delta < timedelta(0):
            raise ValueError(
                f"advance({arguments}) would turn time back. The clock only moves forward, as time does at AWS; "
                "start a fresh Cloud to begin again at the present."
            )
        if year > LAST_YEAR:
            raise ValueError(f"advance({arguments}) is too far: the lab's time ends with the year {LAST_YEAR}.")
        if not self._running:
            raise RuntimeError("This clock has stopped with its Cloud. Start a Cloud and move the clock of that one.")
        self._mechanism.shift(delta)

    def set(self, moment: datetime) -> None:
        """Move time forward to an aware datetime; raises `ValueError` as `advance` does, and for anything else."""
        if not isinstance(moment, datetime) or moment.tzinfo is None:
            wrong = "does not say which time zone it means" if isinstance(moment, datetime) else "is no moment"
            raise ValueError(
                f"set({moment!r}) {wrong}. Give an aware datetime, such as datetime(2030, 1, 1, tzinfo=UTC)."
            )
        self.advance(microseconds=(moment - self.now) / timedelta(microseconds=1))

    @contextmanager
    def undone(self) -> Iterator[None]:
        """However far the clock is moved in here, at the end it goes on from where it was: for what never happened."""
        before = self.now - self.real_now
        try:
            yield
        finally:
            if self._running:
                self._mechanism.shift(before - (self.now - self.real_now))

    def __repr__(self) -> str:
        ahead = self.now - self.real_now
        where = f"{timedelta(seconds=round(ahead.total_seconds()))} ahead" if ahead.total_seconds() > 1 else "real time"
        return f"The clock shows {self.now:%Y-%m-%d %H:%M:%S} UTC, {where}."
