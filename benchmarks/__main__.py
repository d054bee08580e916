"""`python -m benchmarks [NAME …]`: measure, print the table, and write it to benchmarks/RESULTS.md.

Fails when a value is over its limit. Measure on an otherwise idle machine; all floors are measured in the same run.
With names only those are measured, and nothing is written.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import psutil

from simlib import __version__

RESULTS = Path(__file__).with_name("RESULTS.md")
NAMES = ("engine", "gate", "seat", "course", "growth", "keystrokes", "setup")
PACKAGES = ("moto", "boto3", "ipykernel", "jupyterlab", "matplotlib", "networkx")
HEAD = ("| | measured | floor | ratio | demanded | |", "|---|--:|--:|--:|---|---|")
INTRODUCTION = """# What the lab costs

`nox -s bench` has written this. {surroundings}

A *floor* is the same work without the lab, or a peer's, measured in the same run; the *ratio* is how many times the \
floor the lab takes.
"""


def measured(names: tuple[str, ...]) -> Iterator[tuple[str, bool]]:
    """Each line of the table, and whether all is well with it; a benchmark that breaks off is a line too."""
    for name in names:
        module = import_module(f"benchmarks.{name}")
        yield f"| **{(module.__doc__ or name).splitlines()[0]}** | | | | | |", True
        try:
            for row in module.measure():
                yield str(row), row.holds
        except Exception as error:
            said = " ".join(f"{type(error).__name__}: {error}".split())[:300].replace("|", "/")
            yield f"| {name} broke off: {said} | | | | | **failed** |", False


def surroundings() -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    memory = psutil.virtual_memory().total / 2**30
    system = f"{platform.system()} {platform.release()} {platform.machine()}, {processor()}"
    machine = f"{system}, {os.cpu_count()} cores, {memory:.0f} GB, Python {platform.python_version()}"
    load = ", ".join(f"{each:.1f}" for each in psutil.getloadavg()[:2])
    lab = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; simlib {__version__}"
    return f"{lab}; {machine}; {packages}. Load of the machine before: {load}."


def processor() -> str:
    """The processor's name, as the system tells it."""
    if Path("/proc/cpuinfo").exists():
        names = (line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines()
                 if line.startswith("model name"))  # fmt: skip
        return next(names, "") or platform.machine()
    return platform.processor() or platform.machine()


def main(wanted: list[str]) -> int:
    unknown = set(wanted) - set(NAMES)
    if unknown:
        print(f"no benchmark {', '.join(sorted(unknown))}; there are: {', '.join(NAMES)}", file=sys.stderr)
        return 2
    start, well = time.perf_counter(), True
    lines = [*INTRODUCTION.format(surroundings=surroundings()).splitlines(), "", *HEAD]
    print("\n".join(lines), flush=True)
    for line, holds in measured(tuple(wanted) or NAMES):
        print(line, flush=True)
        lines.append(line)
        well = well and holds
    if not wanted:
        lines += ["", f"All of it took {(time.perf_counter() - start) / 60:.0f} minutes."]
        RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
