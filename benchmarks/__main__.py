"""`python -m benchmarks [NAME …]`: measure, print the table, and write it to benchmarks/RESULTS.md.

Fails when a value is over its limit. Measure on an otherwise idle machine; all floors are measured in the same run.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from benchmarks.row import Row

RESULTS = Path(__file__).with_name("RESULTS.md")
PACKAGES = ("moto", "boto3", "ipykernel", "jupyterlab", "matplotlib")


def names() -> list[str]:
    return sorted(
        path.stem for path in Path(__file__).parent.glob("*.py") if path.stem[0] != "_" and path.stem != "row"
    )


def table(rows: Iterable[Row]) -> Iterator[str]:
    yield "| | measured | floor | ratio | limit | |"
    yield "|---|--:|--:|--:|--:|---|"
    for row in rows:
        floor = "" if row.floor is None else f"{row.floor:.4g} {row.unit}"
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        limit = "" if row.limit is None else f"{row.limit:.2f}"
        verdict = "" if row.limit is None else "holds" if row.holds else "**over**"
        yield f"| {row.what} | {row.value:.4g} {row.unit} | {floor} | {ratio} | {limit} | {verdict} |"


def surroundings() -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    return f"{datetime.now(UTC):%Y-%m-%d}, {machine}; {packages}."


def main(wanted: list[str]) -> int:
    unknown = set(wanted) - set(names())
    if unknown:
        print(f"no benchmark {', '.join(sorted(unknown))}; there are: {', '.join(names())}", file=sys.stderr)
        return 2
    modules = [import_module(f"benchmarks.{name}") for name in wanted or names()]
    rows = [row for module in modules if hasattr(module, "measure") for row in module.measure()]
    text = "\n".join(["# What the lab costs", "", surroundings(), "", *table(rows), ""])
    print(text)
    if not wanted:
        RESULTS.write_text(text, encoding="utf-8")
    for module in modules:
        if not hasattr(module, "measure"):  # it has a table of its own
            sys.argv = [str(module.__file__)]
            module.main()
    return 0 if all(row.holds for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
