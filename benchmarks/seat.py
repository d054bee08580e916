"""What a learner's seat costs: a kernel's memory and time in the first two lessons, against one without simlib.

The floor is a kernel with the same libraries imported and one bucket created in moto alone. They also start EC2
instances, for which moto alone loads tables of images and instance types: a second floor shows how much that is.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

from benchmarks.row import Row
from simlib.lessons import find

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
RUNS = 3
AS_A_LEARNER = "import sys; sys.modules['pytest'] = None"  # time_machine imports it where it finds it
FLOOR = [
    """
import boto3, ipywidgets, matplotlib.pyplot, networkx
from moto import mock_aws
mock = mock_aws()
mock.start()
boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="floor")
"""
]
WITH_EC2 = [
    *FLOOR,
    'boto3.client("ec2", region_name="us-east-1").run_instances(ImageId="ami-1", MinCount=1, MaxCount=1)',
]
MEMORY = "import psutil; psutil.Process().memory_info().rss"


@dataclass(frozen=True)
class Run:
    """Seconds from the kernel's readiness to the first panel and to the end; bytes of memory at the end."""

    first_panel: float
    whole: float
    memory: float


def measure() -> Iterator[Row]:
    lesson, floor, with_ec2 = runs(lesson_cells(), FLOOR, WITH_EC2)
    yield Row(
        "memory of a kernel after the first two lessons", lesson.memory / 1e6, "MB", floor.memory / 1e6, limit=1.15
    )
    yield Row(
        "the same, against a floor that also starts an instance", lesson.memory / 1e6, "MB", with_ec2.memory / 1e6
    )
    yield Row("from a kernel's start to the first panel", lesson.first_panel, "s", floor.whole, limit=1.3)
    yield Row("the first two lessons, all cells", lesson.whole, "s")


def lesson_cells() -> list[str]:
    paths = [NOTEBOOKS / find(number).notebook for number in (1, 2)]
    cells = [cell for path in paths for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def runs(*rivals: Sequence[str]) -> list[Run]:
    """Of each the shortest times and the median memory, out of runs taken in turn."""
    taken = list(zip(*([run(cells) for cells in rivals] for _ in range(RUNS)), strict=True))
    return [
        Run(min(one.first_panel for one in each), min(one.whole for one in each), median(one.memory for one in each))
        for each in taken
    ]


def run(cells: Iterable[str]) -> Run:
    """Run the cells in a fresh kernel, in the lesson's folder."""
    manager, client = start_new_kernel(cwd=str(NOTEBOOKS), stderr=subprocess.DEVNULL)
    try:
        execute(client, AS_A_LEARNER)
        start, first_panel = time.perf_counter(), 0.0
        for cell in cells:
            shown = execute(client, cell)
            if not first_panel and "application/vnd.jupyter.widget-view+json" in shown:
                first_panel = time.perf_counter() - start
        whole = time.perf_counter() - start
        return Run(first_panel or whole, whole, float(execute(client, MEMORY)["text/plain"]))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def execute(client: BlockingKernelClient, cell: str) -> dict[str, str]:
    """Run one cell to its end; what it showed, by type. A cell that fails stops the measurement."""
    shown: dict[str, str] = {}

    def collect(message: dict) -> None:
        if message["msg_type"] in ("execute_result", "display_data"):
            shown.update(message["content"]["data"])

    answer = client.execute_interactive(cell, allow_stdin=False, timeout=300, output_hook=collect)["content"]
    if answer["status"] != "ok":
        raise RuntimeError(f"{answer.get('ename')}: {answer.get('evalue')} in {cell[:60]!r}")
    return shown
