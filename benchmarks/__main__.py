"""`python -m benchmarks [NAME …]`: measure, print the table, and write it to benchmarks/RESULTS.md.

Fails when a value is over its limit. Measure on an otherwise idle machine; a floor is measured in the same run as what
stands on it. Without a name all is measured but the setting up, which takes minutes and a network: `… -m benchmarks
setup`. Parts of the table that are not measured stay as they were.
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
NAMES = ("seat", "course", "growth", "account", "gate", "engine", "keystrokes", "setup")
ONLY_IF_NAMED = ("setup",)
PACKAGES = ("moto", "boto3", "ipykernel", "jupyterlab", "matplotlib", "networkx")
HEAD = ("| | measured | floor | ratio | demanded | |", "|---|--:|--:|--:|---|---|")
INTRODUCTION = """# What the lab costs

`nox -s bench` has written this, and `nox -s bench -- setup` the part on setting up. {surroundings}

A *floor* is the same work without the lab, or a peer's, measured in the same run; the *ratio* is how many times the \
floor the lab takes.
"""


def heading(name: str) -> str:
    """The first line of a benchmark's own text."""
    return (import_module(f"benchmarks.{name}").__doc__ or name).splitlines()[0]


def measured(name: str) -> Iterator[tuple[str, bool]]:
    """Each line of a part of the table, and whether all is well with it; breaking off is a line too."""
    start, load = time.perf_counter(), psutil.getloadavg()[0]
    try:
        for row in import_module(f"benchmarks.{name}").measure():
            yield str(row), row.holds
    except Exception as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())[:300].replace("|", "/")
        yield f"| broke off: {said} | | | | | **failed** |", False
    minutes = (time.perf_counter() - start) / 60
    told = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {minutes:.1f} minutes; load of the machine before: {load:.1f}"
    yield f"| *measured {told}* | | | | | |", True


def written() -> dict[str, list[str]]:
    """The parts of the table as they were written last, by their headings."""
    parts: dict[str, list[str]] = {}
    lines = RESULTS.read_text("utf-8").splitlines() if RESULTS.exists() else []
    for line in lines:
        if line.startswith("| **"):
            parts[line] = here = []
        elif parts and line.startswith("|"):
            here.append(line)
    return parts


def surroundings() -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    memory = psutil.virtual_memory().total / 2**30
    system = f"{platform.system()} {platform.release()} {platform.machine()}, {processor()}"
    machine = f"{system}, {os.cpu_count()} cores, {memory:.0f} GB, Python {platform.python_version()}"
    return f"simlib {__version__}; {machine}; {packages}."


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
    parts, well = written(), True
    heads = {name: f"| **{heading(name)}** | | | | | |" for name in NAMES}
    print("\n".join(HEAD))
    for name in wanted or [name for name in NAMES if name not in ONLY_IF_NAMED]:
        print(heads[name], flush=True)
        parts[heads[name]] = lines = []
        for line, holds in measured(name):
            print(line, flush=True)
            lines.append(line)
            well = well and holds
    table = [line for head in heads.values() if head in parts for line in (head, *parts[head])]
    text = "\n".join([INTRODUCTION.format(surroundings=surroundings()), *HEAD, *table])
    RESULTS.write_text(text + "\n", encoding="utf-8")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
