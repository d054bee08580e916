"""How long a lesson takes: words, lines, cells, predictions, exercises and panels, each with its time.

A folded cell is run, not read; a panel in which an exercise is made has its time in the exercise's.

Two paces. `ALONE` is a careful beginner whose first language may not be English, and who does everything.
`IN_CLASS` is a room in which the instructor tells what the page says, and hands are raised for predictions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from simlib.lab import course, lesson_cells

PANELS = ("AccessExplorer", "AccessGraph", "CrossAccount", "PolicyEditor", "SessionTimeline", "TrustExplorer")
LONGER = {"the house in order": 12.0}  # minutes of an exercise that is not like the others


@dataclass(frozen=True)
class Pace:
    """Words a minute; seconds to run a cell and read its answer, to read a line of code, to think a prediction over,
    half as many for its reason; minutes for an exercise and for trying a panel."""

    words: float
    cell: float
    line: float
    prediction: float
    exercise: float
    panel: float


ALONE = Pace(words=150, cell=20, line=2, prediction=30, exercise=4, panel=1)
IN_CLASS = Pace(words=100, cell=20, line=0, prediction=30, exercise=4, panel=0)


@dataclass(frozen=True)
class Step:
    """What stands between two headings: its minutes without the exercises, and the exercises by name."""

    heading: str
    minutes: float
    exercises: tuple[str, ...]

    def with_exercises(self, pace: Pace) -> float:
        return self.minutes + sum(LONGER.get(name, pace.exercise) for name in self.exercises)


def words(text: str) -> int:
    """The words a reader reads: link targets and the bars of tables are none."""
    return len(re.findall(r"\w+", re.sub(r"\]\([^)]*\)", "]", text)))


@cache
def steps(slug: str, pace: Pace) -> tuple[Step, ...]:
    """The steps of a lesson, in order."""
    return tuple(_steps(slug, pace))


def _steps(slug: str, pace: Pace) -> Iterator[Step]:
    heading, minutes, exercises = "", 0.0, list[str]()
    cells = lesson_cells.read_lesson(slug)
    for cell, following in zip(cells, [*cells[1:], {"source": ""}], strict=True):
        source, here = "".join(cell["source"]), ".check(" in "".join(following["source"])
        if cell["cell_type"] == "code":
            minutes += _cell(slug, cell, pace) - pace.panel * (here and any(panel in source for panel in PANELS))
            exercises += re.findall(r'lab\.exercise\("([^"]+)"\)\.check', source)
            continue
        for part in re.split(r"^(?=#{1,4} )", source, flags=re.MULTILINE):
            if found := re.match(r"#{1,4} (.+)", part):
                if heading:
                    yield Step(heading, minutes, tuple(exercises))
                heading, minutes, exercises = found[1], 0.0, []
            minutes += words(part) / pace.words
    yield Step(heading, minutes, tuple(exercises))


def _cell(slug: str, cell: Mapping[str, Any], pace: Pace) -> float:
    source, is_folded = "".join(cell["source"]), cell["metadata"].get("jupyter", {}).get("source_hidden")
    questions = course.lesson(slug).predictions
    asked = re.findall(r'lab\.(predict|explain)\("([^"]+)"\)', source)
    minutes = pace.cell / 60
    for call, name in asked:
        question = questions[name]
        if call == "predict":
            text = " ".join([question.question, *question.choices])
            minutes += pace.prediction / 60
        else:
            text = " ".join([question.because, question.why, *(each.text for each in question.reasons)])
            text += "".join(each.says for each in question.reasons[:1])
            minutes += pace.prediction / 120 * bool(question.reasons)
        minutes += words(text) / pace.words
    if not asked and not is_folded:
        minutes += (source.count("\n") + 1) * pace.line / 60
    return minutes + pace.panel * any(panel in source for panel in PANELS)


def lesson(slug: str, pace: Pace = ALONE) -> float:
    """The minutes of a whole lesson."""
    return sum(step.with_exercises(pace) for step in steps(slug, pace))
