"""`python -m simlib handout FILE.pdf`: the course on two pages, to print, made from its own words.

What it says stands elsewhere: the lessons' titles in `course`, their points in the instructor's guide, the words in the
glossary, what it all comes to on the first page of the course.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..start import lessons
from . import course
from .pictures import PICTURES

A4 = (8.27, 11.69)  # inches
PICTURE = 0.15  # of the height
LINE = 0.0118  # of the height: a line of 9 points


def points() -> dict[str, str]:
    """What each lesson is about, in a sentence or two, as the instructor's guide has it."""
    text = (lessons() / "instructor-guide.md").read_text(encoding="utf-8")
    found = re.findall(r"^### (\d+) · .*?\*\*Point\.\*\* (.*?)$", text, re.MULTILINE | re.DOTALL)
    return {course.find(int(number)).slug: point for number, point in found}


def glossary() -> dict[str, str]:
    """The words of the glossary, without marks."""
    text = (lessons() / "glossary.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \*\*(.+?)\*\* \| (.+?) \| .+ \|$", text, re.MULTILINE)
    return {word: re.sub(r"[`*]", "", meaning) for word, meaning in rows}


def message() -> str:
    """What it all comes to: the paragraph of the course's first page."""
    cells = json.loads((lessons() / course.find(0).notebook).read_text(encoding="utf-8"))["cells"]
    heading = "## What it all comes to"
    text = next("".join(cell["source"]) for cell in cells if "".join(cell["source"]).startswith(heading))
    return re.sub(r"[`*]", "", text.removeprefix(heading).strip())


class Sheet:
    """A page of A4 that is written from the top down."""

    def __init__(self) -> None:
        from matplotlib.figure import Figure

        self.page = Figure(figsize=A4)
        self.top = 0.955

    def write(
        self, text: str, x: float, *, size: float = 9, width: int = 112, bold: bool = False, skip: float = 0.0
    ) -> None:
        for part in textwrap.wrap(text, width):
            weight = "bold" if bold else "normal"
            self.page.text(x, self.top, part, fontsize=size, weight=weight, va="top", parse_math=False)
            self.top -= LINE * size / 9
        self.top -= skip

    def draw(self, title: str, picture: Callable[[Any], None]) -> None:
        """A picture of the course's, under its title."""
        self.top -= 0.012
        self.write(title, 0.08, size=11, bold=True, skip=0.002)
        axes = self.page.add_axes((0.08, self.top - PICTURE, 0.84, PICTURE), xlim=(0, 10), ylim=(0, 4))
        axes.set_axis_off()
        picture(axes)
        self.top -= PICTURE


def figures() -> list[Any]:
    """The pages as matplotlib figures, A4: the lessons, then the words."""
    first, second = Sheet(), Sheet()
    first.write("The IAM lab", 0.08, size=20, bold=True, skip=0.008)
    told = points()
    for lesson in [*course.LESSONS.values()][1:]:
        title = course.lesson(lesson.slug).title
        first.write(f"{lesson.number} · {title}. {told[lesson.slug]}", 0.08, size=8, width=125, skip=0.003)
    first.top -= 0.006
    first.write("What it all comes to", 0.08, size=11, bold=True, skip=0.004)
    first.write(message(), 0.08, skip=0.004)
    first.write("Afterwards: challenges, a new one every day. In a notebook, lab.challenge().", 0.08)
    second.write("Words", 0.08, size=11, bold=True, skip=0.004)
    for word, meaning in glossary().items():
        second.write(f"{word} – {meaning}", 0.08, size=7.5, width=135, skip=0.001)
    for sheet, shown in ((first, [*PICTURES][:2]), (second, [*PICTURES][2:])):
        for title in shown:
            sheet.draw(title, PICTURES[title])
    return [first.page, second.page]


def main(argv: Sequence[str] | None = None) -> int:
    """Write the pages; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m simlib handout", description=__doc__)
    parser.add_argument("file", metavar="FILE", type=Path, help="a .pdf file")
    options = parser.parse_args(argv)
    try:
        from matplotlib.backends.backend_pdf import PdfPages

        with PdfPages(options.file) as pdf:
            for page in figures():
                pdf.savefig(page)
    except (OSError, ValueError) as error:
        print(f"{options.file} cannot be written: {error}.", file=sys.stderr)
        return 2
    return 0
