"""A room of learners at once, and what it takes: `nox -s hub -- load 30`.

All log in at the same moment and run lesson 1 without a pause, which no real room does: the times are the worst case.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median

import psutil
from learner import LESSON, Learner

ROOT = Path(__file__).resolve().parents[2]
PER_SEAT = 30.0  # seconds, on one core; with the two minutes below it bounds the whole


@dataclass
class Seat:
    """What a learner's server and kernel take: bytes of proportional set size each, seconds of processor together."""

    server: int = 0
    kernel: int = 0
    processor: float = 0.0

    @property
    def memory(self) -> int:
        return self.server + self.kernel


async def room(url: str, password: str, seats: int, hub: int) -> int:
    """Send them through, print the table; the number of learners who did not reach the end."""
    limit = 120 + PER_SEAT * seats
    learners = [Learner(url, f"learner-{number:02}", password) for number in range(1, seats + 1)]
    started = time.monotonic()
    await asyncio.gather(*(learner.take_lesson(cells(), limit) for learner in learners))
    print("\n".join(report(learners, started, taken(hub))))
    return sum(bool(learner.failure) for learner in learners)


def cells() -> list[str]:
    book = json.loads((ROOT / LESSON).read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in book["cells"] if cell["cell_type"] == "code"]


def taken(hub: int) -> dict[str, Seat]:
    """By learner, what the hub's processes take now; under "" the hub itself with its proxy."""
    found: dict[str, Seat] = {"": Seat()}
    for process in [psutil.Process(hub), *psutil.Process(hub).children(recursive=True)]:
        try:
            size, times = process.memory_full_info().pss, process.cpu_times()
            seat = found.setdefault(process.environ().get("JUPYTERHUB_USER", ""), Seat())
            is_kernel = "ipykernel_launcher" in process.cmdline()
        except psutil.Error:
            continue
        seat.kernel += size if is_kernel else 0
        seat.server += 0 if is_kernel else size
        seat.processor += times.user + times.system
    return found


def report(learners: Sequence[Learner], started: float, taken: dict[str, Seat]) -> Iterator[str]:
    lost = [learner for learner in learners if learner.failure]
    there = [learner for learner in learners if not learner.failure]
    yield f"{len(learners)} learners at once, lesson 1 without a pause, {len(lost)} lost. {surroundings()}"
    yield from (f"{learner.name}: {learner.failure}" for learner in lost)
    if not there:
        return
    yield from ("", "| from the first login | half of the room | all |", "|---|--:|--:|")
    for what, words in WORDS.items():
        times = [getattr(learner, what) - started for learner in there]
        yield f"| {words} | {median(times):.0f} s | {max(times):.0f} s |"
    hub, seats = taken.pop(""), list(taken.values())
    yield from ("", "| | a seat | the largest | together |", "|---|--:|--:|--:|")
    for words, sizes in {
        "memory (PSS), server and kernel": [seat.memory for seat in seats],
        "its kernel alone": [seat.kernel for seat in seats],
    }.items():
        yield f"| {words} | {mb(median(sizes))} | {mb(max(sizes))} | {mb(sum(sizes))} |"
    processor = [seat.processor for seat in seats]
    yield f"| processor time | {median(processor):.0f} s | {max(processor):.0f} s | {sum(processor):.0f} s |"
    yield f"| the hub and its proxy | | | {mb(hub.memory)}, {hub.processor:.0f} s |"
    yield ""
    yield f"The hub said “not yet” (429) {sum(learner.asked_to_wait for learner in learners)} times."


WORDS = {"ready": "server ready", "verdict": "first verdict: a refusal", "end": "lesson 1 to its end"}


def mb(size: float) -> str:
    return f"{size / 1e6:,.0f} MB"


def surroundings() -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in ("jupyterhub", "jupyterlab", "ipykernel"))
    memory = psutil.virtual_memory().total / 2**30
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB"
    return f"{machine}, Python {platform.python_version()}; {packages}."
