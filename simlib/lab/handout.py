"""`python -m simlib handout FILE.pdf`: the course on one page, to print, made from its own words.

What it says stands elsewhere: the lessons' titles in `course`, their points in the instructor's guide, the words in the
glossary, what it all comes to on the first page of the course.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..start import lessons
from . import course

A4 = (8.27, 11.69)  # inches


def points() -> dict[int, str]:
    """What each lesson is about, in a sentence or two, as the instructor's guide has it."""
    text = (lessons() / "instructor-guide.md").read_text(encoding="utf-8")
    found = re.findall(r"^### (\d) · .*?\*\*Point\.\*\* (.*?)$", text, re.MULTILINE | re.DOTALL)
    return {int(number): point for number, point in found}


def glossary() -> dict[str, str]:
    """The words of the glossary, without marks."""
    text = (lessons() / "glossary.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \*\*(.+?)\*\* \| (.+?) \| .+ \|$", text, re.MULTILINE)
    return {word: re.sub(r"[`*]", "", meaning) for word, meaning in rows}


def message() -> str:
    """What it all comes to: the paragraph of the course's first page."""
    cells = json.loads((lessons() / course.LESSONS[0]).read_text(encoding="utf-8"))["cells"]
    heading = "## What it all comes to"
    text = next("".join(cell["source"]) for cell in cells if "".join(cell["source"]).startswith(heading))
    return re.sub(r"[`*]", "", text.removeprefix(heading).strip())


def figure() -> Any:
    """The page as a matplotlib figure, A4."""
    from matplotlib.figure import Figure

    page = Figure(figsize=A4)
    line = 0.0118
    top = 0.955

    def write(text: str, x: float, *, size: float = 9, width: int = 112, bold: bool = False, skip: float = 0.0) -> None:
        nonlocal top
        for part in textwrap.wrap(text, width):
            page.text(x, top, part, fontsize=size, weight="bold" if bold else "normal", va="top", parse_math=False)
            top -= line * size / 9
        top -= skip

    write("The IAM lab", 0.08, size=20, bold=True, skip=0.012)
    told = points()
    for number in filter(None, course.LESSONS):
        write(f"{number} · {course.lesson(number).title}", 0.08, bold=True)
        write(told[number], 0.10, skip=0.004)
    top -= 0.01
    write("Words", 0.08, size=11, bold=True, skip=0.004)
    for word, meaning in glossary().items():
        write(f"{word} – {meaning}", 0.08, size=7.5, width=135, skip=0.001)
    top -= 0.012
    write("What it all comes to", 0.08, size=11, bold=True, skip=0.004)
    write(message(), 0.08)
    return page


def main(argv: Sequence[str] | None = None) -> int:
    """Write the page; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m simlib handout", description=__doc__)
    parser.add_argument("file", metavar="FILE", type=Path, help="a .pdf, .svg or .png file")
    options = parser.parse_args(argv)
    try:
        figure().savefig(options.file)
    except (OSError, ValueError) as error:
        print(f"{options.file} cannot be written: {error}.", file=sys.stderr)
        return 2
    return 0
