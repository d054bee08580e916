"""What the course takes: every lesson run from top to bottom, and the memory of one kernel that runs them all.

A cell's time is from sending it to its last output, by a clock that the lessons do not move.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import median
from typing import Any

import psutil

from benchmarks.row import Row
from simlib.lab import course
from tests.notebooks import lessons

MEDIAN_CELL, SLOWEST_CELL = 1.0, 5.0  # seconds
MEMORY = 2_000  # MB, what a seat on mybinder.org has


def measure() -> Iterator[Row]:
    cells: dict[str, float] = {}
    for number, name in ((each.number, each.notebook) for each in course.LESSONS.values()):
        start = time.perf_counter()
        with lessons.kernel(lessons.read(name)) as client:
            run = lessons.run_all(client)
        yield Row(f"lesson {number}, all cells in a fresh kernel, its start included", time.perf_counter() - start, "s")
        cells |= {f"lesson {number}, {cell}": seconds for cell, seconds in run.seconds.items()}
    slowest = max(cells, key=lambda cell: cells[cell])
    yield Row(f"the median of {len(cells)} code cells", median(cells.values()), "s", most=MEDIAN_CELL)
    yield Row(f"the slowest code cell ({slowest})", cells[slowest], "s", most=SLOWEST_CELL)
    start, memory = time.perf_counter(), 0
    with lessons.kernel(lessons.read(course.find(0).notebook)) as client:
        for name in (each.notebook for each in course.LESSONS.values()):
            client.nb = lessons.read(name)
            memory = max(memory, *memory_by_cell(client))
        yield Row("the whole course, all cells in one kernel", time.perf_counter() - start, "s")
    yield Row("the most memory that this kernel took", memory / 1e6, "MB", most=MEMORY)


def memory_by_cell(client: Any) -> Iterator[int]:
    """Bytes of the kernel's process after each cell."""
    kernel = psutil.Process(client.km.provisioner.pid)
    for index, cell in enumerate(client.nb.cells):
        if cell.cell_type == "code":
            client.execute_cell(cell, index)
            yield kernel.memory_info().rss
