"""A name that an earlier cell of the lesson makes, asked for before it has run: a sentence in place of a traceback."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from typing import Any

from simlib.lessons import METADATA

from . import course, lesson_cells


def install(shell: Any) -> None:
    """Let an IPython shell answer so; names that no lesson makes keep their traceback."""
    shell.set_custom_exc((NameError,), _show)


def load_ipython_extension(shell: Any) -> None:
    """For kernels that begin with it (app/kernels): the sentence is there before the lab's first cell has run, and the
    kernel says of its language what the notebooks do."""
    install(shell)
    shell.kernel.language_info = METADATA["language_info"]


def _show(shell: Any, kind: type[BaseException], error: Any, trace: Any, tb_offset: int | None = None) -> None:
    words = sentence(error.name or "", os.environ.get("JPY_SESSION_NAME", ""))
    if words:
        error._render_traceback_ = lambda: [words]  # IPython asks an error for it
    shell.showtraceback((kind, error, trace), tb_offset=tb_offset)


def sentence(name: str, notebook: str = "") -> str:
    """Where the name is made and what to do; "" where no lesson makes it.

    `notebook` is the file that is open; where that is not known, any lesson counts.
    """
    open_here = [slug for slug, lesson in course.LESSONS.items() if lesson.notebook.removesuffix(".ipynb") in notebook]
    if notebook and not open_here and name in ("lab", "Cloud"):
        return f"“{name}” does not exist yet. Run `from simlib import Cloud, lab` in a cell, then run this cell again."
    for slug in open_here if notebook else course.LESSONS:
        for heading, names_made in _names_by_heading(slug):
            if name in names_made:
                place = f"under “{heading}”" if notebook else "further up"
                return (
                    f"“{name}” does not exist yet. The cell {place} that creates it "
                    "has not run since this kernel started.\n"
                    "Choose Run ▸ Run All Above Selected Cell, then run this cell again."
                )
    return ""


def _names_by_heading(slug: str) -> Iterator[tuple[str, set[str]]]:
    """The names that each code cell of a lesson makes, with the heading above it."""
    try:
        cells = lesson_cells.read_lesson(slug)
    except LookupError:
        return
    above = dict(lesson_cells.headings(cells))
    heading = ""
    for index, cell in enumerate(cells):
        heading = above.get(index, heading)
        if cell["cell_type"] == "code":
            yield heading, set(_names("".join(cell["source"])))


def _names(source: str) -> Iterator[str]:
    try:
        tree = ast.parse(source)
    except SyntaxError:  # a command for the shell makes no names
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.alias):
            yield node.asname or node.name
