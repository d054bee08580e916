"""The clock: every asker agrees, waiting is untouched, and nothing stays behind."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from simlib.cloud.clock import Clock, TimeMachine

YEAR = timedelta(days=365)
A_MOMENT = timedelta(seconds=20)


@pytest.fixture
def clock() -> Iterator[Clock]:
    clock = Clock()
    clock.start()
    yield clock
    clock.stop()


def near(one: datetime, other: datetime) -> bool:
    return abs(one - other) < A_MOMENT


def test_everything_that_asks_for_the_time_agrees(clock: Clock) -> None:
    from botocore.auth import get_current_datetime
    from botocore.credentials import _local_now
    from moto.core.utils import utcnow

    assert near(clock.now, clock.real_now)
    assert "real time" in repr(clock)
    clock.advance(days=365)
    moved = clock.real_now + YEAR
    naive = get_current_datetime(), utcnow(), datetime(*time.gmtime()[:6])
    aware = clock.now, datetime.now(UTC), datetime.fromtimestamp(time.time(), UTC), _local_now()
    assert all(near(told, moved) for told in (*aware, *(each.replace(tzinfo=UTC) for each in naive)))


def test_steps_add_up_and_time_ticks_on(clock: Clock) -> None:
    clock.advance(hours=1)
    clock.advance(hours=1, minutes=30)
    assert near(clock.now, clock.real_now + timedelta(hours=2.5))
    first = time.time_ns()
    assert time.time_ns() >= first
    assert "2:30:00 ahead" in repr(clock)


def test_waiting_is_not_touched(clock: Clock) -> None:
    before = time.monotonic(), time.perf_counter()
    clock.advance(days=365)
    assert time.monotonic() - before[0] < 60
    assert time.perf_counter() - before[1] < 60


def test_a_year_passes_in_a_live_event_loop(clock: Clock) -> None:
    async def lesson() -> list[str]:
        order: list[str] = []

        async def waiting(name: str, seconds: float) -> None:
            await asyncio.sleep(seconds)
            order.append(name)

        tasks = [asyncio.create_task(waiting("long", 0.05)), asyncio.create_task(waiting("short", 0.001))]
        clock.advance(days=365)
        await asyncio.wait_for(asyncio.gather(*tasks), timeout=30)
        return order

    assert asyncio.run(lesson()) == ["short", "long"]


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        ({"hours": -1}, "only moves forward"),
        ({"hours": 1, "minutes": -61}, "only moves forward"),
        ({"days": 10**6}, "ends with the year"),
        ({"days": 10**12}, "ends with the year"),
    ],
)
def test_impossible_steps_are_refused_and_change_nothing(clock: Clock, step: dict[str, int], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        clock.advance(**step)
    with pytest.raises(TypeError, match="years"):
        clock.advance(years=1)
    assert near(clock.now, clock.real_now)


def test_stop_gives_real_time_back_and_leaves_nothing_patched() -> None:
    before = time.time, datetime.now, uuid._generate_time_safe, os.environ.get("TZ")  # type: ignore[attr-defined]
    real = time.time()
    clock = Clock()
    clock.start()
    clock.advance(days=365)
    clock.stop()
    assert abs(time.time() - real) < 60
    assert (time.time, datetime.now, uuid._generate_time_safe, os.environ.get("TZ")) == before  # type: ignore[attr-defined]
    import time_machine

    assert not time_machine.escape_hatch.is_travelling()
    clock.stop()
    assert near(clock.now, clock.real_now)


def test_starting_twice_is_starting_once(clock: Clock) -> None:
    clock.advance(days=365)
    clock.start()
    assert near(clock.now, clock.real_now + YEAR)
    clock.stop()
    assert near(datetime.now(UTC), clock.real_now)


def test_clocks_may_end_in_any_order() -> None:
    real = time.time()
    one, two = Clock(), Clock()
    one.start()
    one.advance(days=365)
    two.start()
    two.advance(days=365)
    one.stop()
    assert abs(time.time() - real - 2 * YEAR.total_seconds()) < 60
    two.stop()
    assert abs(time.time() - real) < 60


def test_a_journey_begun_meanwhile_survives(clock: Clock) -> None:
    import time_machine

    with time_machine.travel(0, tick=False):
        clock.stop()
        assert time.time() == 0
    assert near(datetime.now(UTC), clock.real_now)


def test_a_mechanism_that_fails_to_start_leaves_a_stopped_clock_that_does_not_move() -> None:
    class Broken(TimeMachine):
        def start(self) -> None:
            raise OSError("no time here")

    clock = Clock(Broken())
    with pytest.raises(OSError, match="no time here"):
        clock.start()
    with pytest.raises(RuntimeError, match="Start a Cloud"):
        clock.advance(hours=1)


def test_other_processes_keep_real_time(clock: Clock) -> None:
    clock.advance(days=365)
    child = subprocess.run([sys.executable, "-c", "import time; print(time.time())"], capture_output=True, check=True)
    assert abs(float(child.stdout) - clock.real_now.timestamp()) < 60


def test_the_clock_can_be_set_to_a_moment_ahead_and_never_back(clock: Clock) -> None:
    clock.set(datetime(2040, 5, 1, 12, tzinfo=UTC))
    assert near(clock.now, datetime(2040, 5, 1, 12, tzinfo=UTC))
    with pytest.raises(ValueError, match="only moves forward"):
        clock.set(datetime(2039, 5, 1, tzinfo=UTC))
    with pytest.raises(ValueError, match="which time zone"):
        clock.set(datetime(2041, 5, 1))
    with pytest.raises(ValueError, match="is no moment"):
        clock.set("2041-05-01")  # type: ignore[arg-type]
    assert near(clock.now, datetime(2040, 5, 1, 12, tzinfo=UTC))
