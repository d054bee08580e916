"""`python -m simlib handout FILE.pdf`: the course on two pages, to print, made from its own words.

What it says stands elsewhere: the lessons' titles in `course`, their points in the instructor's guide, the words in the
glossary, what it all comes to on the first page of the course. `handout.toml` has the four pictures.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import textwrap
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..start import lessons
from . import course

A4 = (8.27, 11.69)  # inches
PICTURE = 0.15  # of the height
LINE = 0.0118  # of the height: a line of 9 points
COLOURS = {"ink": "#1b1b1b", "yes": "#00589b", "no": "#a33a00", "dim": "#5a5a5a"}  # of the light theme


def points() -> dict[str, str]:
    """What each lesson is about, in a sentence or two, as the instructor's guide has it."""
    text = (lessons() / "instructor-guide.md").read_text(encoding="utf-8")
    pairs = re.findall(r"^### (\d+) · .*?\*\*Point\.\*\* (.*?)$", text, re.MULTILINE | re.DOTALL)
    return {course.find(int(number)).slug: point for number, point in pairs}


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

    def draw(self, title: str, picture: dict[str, Any]) -> None:
        """A picture of the course's, under its title."""
        from matplotlib.patches import FancyBboxPatch

        self.top -= 0.012
        self.write(title, 0.08, size=11, bold=True, skip=0.002)
        axes = self.page.add_axes((0.08, self.top - PICTURE, 0.84, PICTURE), xlim=(0, 10), ylim=(0, 4))
        axes.set_axis_off()
        for x, y, width, height, colour in picture.get("boxes", ()):
            round_ = {"boxstyle": "round,pad=0,rounding_size=0.12", "facecolor": "none", "linewidth": 0.9}
            axes.add_patch(FancyBboxPatch((x, y), width, height, edgecolor=COLOURS[colour], **round_))
        for x, width, half in picture.get("bands", ()):
            axes.fill_between([x, x + width], 2 - half, 2 + half, color=COLOURS["yes"], alpha=0.18, linewidth=0)
        for x, y, to_x, to_y, colour, width in picture.get("lines", ()):
            axes.plot([x, to_x], [y, to_y], color=COLOURS[colour], linewidth=width, solid_capstyle="butt")
        for weight, kind in (("bold", "bold"), ("normal", "texts")):
            for x, y, text, colour, size in picture.get(kind, ()):
                look = {"weight": weight, "color": COLOURS[colour], "fontsize": size}
                axes.text(x, y, text, va="center", parse_math=False, **look)
        self.top -= PICTURE


def figures() -> list[Any]:
    """The pages as matplotlib figures, A4: the lessons, then the words."""
    first, second = Sheet(), Sheet()
    first.write("The IAM lab", 0.08, size=20, bold=True, skip=0.008)
    points_of = points()
    for lesson in [*course.LESSONS.values()][1:]:
        title = course.lesson(lesson.slug).title
        first.write(f"{lesson.number} · {title}. {points_of[lesson.slug]}", 0.08, size=8, width=125, skip=0.003)
    first.top -= 0.006
    first.write("What it all comes to", 0.08, size=11, bold=True, skip=0.004)
    first.write(message(), 0.08, skip=0.004)
    first.write("Afterwards: challenges, a new one every day. In a notebook, lab.challenge().", 0.08)
    second.write("Words", 0.08, size=11, bold=True, skip=0.004)
    for word, meaning in glossary().items():
        second.write(f"{word} – {meaning}", 0.08, size=7.5, width=135, skip=0.001)
    pictures = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    for sheet, (title, picture) in zip((first, first, second, second), pictures.items(), strict=True):
        sheet.draw(title, picture)
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
    except ValueError as error:
        print(f"{options.file} cannot be written: {error}.", file=sys.stderr)
        return 2
    return 0
