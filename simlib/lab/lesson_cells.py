"""Begin a lesson at any of its headings, in the state it should have there.

The lesson's own cells are run, quietly, with a solution in place of each exercise: there is no second description of
the states. To begin a step again is the same as to catch up with it.
"""

from __future__ import annotations

import ast
import io
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import redirect_stdout
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ..start import lessons
from . import course
from .progress_bar import track

_HEADING = re.compile(r"^#{1,4} (.+)$", re.MULTILINE)
_CHECK = re.compile(r'lab\.exercise\("([^"]+)"\)\.check\(')


def catch_up(lesson: int | str, heading: str = "") -> str:
    """Run a lesson, by its number or slug, up to that heading ("" is its end) in this notebook; what was there before
    is replaced.

    Raises `LookupError`, with the headings there are, where there is none of that name, and for a cell that does not
    run any more.
    """
    cells, number = read_lesson(lesson), course.find(lesson).number
    end = upto(cells, heading)
    code = list(sources(cells[:end]))
    _run(track(code, f"Lesson {number}, cell by cell", f"{len(code)} cells of lesson {number} have run."), lesson)
    place = f"“{heading}”" if heading else "its end"
    return f"Lesson {number} stands at {place}. Go on with the cells below it."


def read_lesson(lesson: int | str) -> list[dict[str, Any]]:
    """The cells of a lesson's notebook: the learner's copy, or the one that came with the lab."""
    name = course.find(lesson).notebook
    places = (Path(name), lessons() / name)
    path = next((place for place in places if place.exists()), None)
    if path is None:
        raise LookupError(f"{name} is not here. Open a notebook in the folder of the lessons, and try again.")
    try:
        return list(json.loads(path.read_text(encoding="utf-8"))["cells"])
    except (OSError, ValueError, KeyError, TypeError):
        raise LookupError(f"{path.name} cannot be read as a notebook. Get the lab's copy of it again.") from None


def headings(cells: Sequence[dict[str, Any]]) -> Iterator[tuple[int, str]]:
    """The headings of a notebook, each with the index of its cell."""
    for index, cell in enumerate(cells):
        if cell["cell_type"] == "markdown":
            yield from ((index, text) for text in _HEADING.findall("".join(cell["source"])))


def step_of(cells: Sequence[dict[str, Any]], name: str) -> str:
    """The heading above the first cell that speaks of a prediction or exercise; "" where none does."""
    mentions = (index for index, cell in enumerate(cells) if f'("{name}")' in "".join(cell["source"]))
    at = next(mentions, -1)
    return next((text for index, text in reversed(list(headings(cells))) if index <= at), "")


def upto(cells: Sequence[dict[str, Any]], heading: str) -> int:
    """The index of the cell with this heading; "" is the end. Raises `LookupError`."""
    if not heading:
        return len(cells)
    by_text = {text: index for index, text in headings(cells)}
    if heading in by_text:
        return by_text[heading]
    similar = get_close_matches(heading, by_text, 1, 0.5)
    hint = f' Did you mean "{similar[0]}"?' if similar else ""
    lines = "".join(f"\n  {text}" for text in by_text)
    raise LookupError(f"There is no heading {heading!r}.{hint} The headings are:{lines}")


def sources(cells: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The code to run, in order: without what only asks, and with solutions in place of the answers."""
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    for index, source in enumerate(code):
        following = _CHECK.search(code[index + 1]) if index + 1 < len(code) else None
        if following:
            slug = course.lesson_of(following[1], "exercises")
            yield course.lesson(slug).exercises[following[1]].solution
        elif not _CHECK.search(source):
            yield "\n".join(line for line in source.split("\n") if not re.match(r"lab\.(predict|explain)\(", line))


def begin_again(exercise: str) -> None:
    """Run the lesson that has this exercise up to the cell with its answer, which stays as it is.

    Raises `LookupError` as `catch_up` does.
    """
    lesson = course.lesson_of(exercise, "exercises")
    cells = read_lesson(lesson)
    code = [index for index, cell in enumerate(cells) if cell["cell_type"] == "code"]
    check = f'("{exercise}").check('
    check_cells = [place for place, index in enumerate(code) if check in "".join(cells[index]["source"])]
    if not check_cells:
        raise LookupError(
            f"No cell of {course.find(lesson).notebook} checks {exercise!r} any more. Get the lab's copy of it again."
        )
    again = list(sources(cells[: code[max(0, check_cells[0] - 1)]]))
    _run(track(again, "This step begins again, cell by cell", f"{len(again)} cells have run again."), lesson)


def names() -> dict[str, Any]:
    """The names of the learner's notebook."""
    return sys.modules["__main__"].__dict__


def _run(code: Iterable[str], lesson: int | str) -> None:
    for source in code:
        try:
            with redirect_stdout(io.StringIO()):
                exec(compile(ast.parse(source), "<catching up>", "exec"), names())
        except Exception as error:
            first_line = source.strip().split("\n")[0]
            name = course.find(lesson).notebook
            raise LookupError(
                f"A cell of {name} ended with {type(error).__name__}: {error}. It begins: {first_line} – "
                "If you have changed it, change it back, or get the lab's copy of the lesson again."
            ) from None
