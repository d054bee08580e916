"""The map of the course: its lessons, and how far this learner has come in each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import catching_up, course, progress
from .markup import card, escape, plain, prose, table
from .take_along import TakeAlong


@dataclass(frozen=True)
class Stage:
    """A lesson and what has been done of it."""

    number: int
    title: str
    notebook: str
    predictions: int
    of_predictions: int
    exercises: int
    of_exercises: int
    begun: bool

    @property
    def state(self) -> str:
        """Not begun, begun, or done: a sign and a word."""
        done = (self.predictions, self.exercises)
        if done == (self.of_predictions, self.of_exercises) and any(done):
            return "● done"
        return "◐ begun" if self.begun else "○ not begun"

    @property
    def counted(self) -> str:
        parts = (
            (self.predictions, self.of_predictions, "predictions"),
            (self.exercises, self.of_exercises, "exercises"),
        )
        return ", ".join(f"{done} of {of} {what}" for done, of, what in parts if of)


@dataclass(frozen=True)
class Overview:
    """The lessons in order. `last` is the lesson in which something was done last, and the heading of that step."""

    stages: tuple[Stage, ...]
    last: tuple[int, str] = (0, "")
    mine: bool = False  # this learner's: the buttons to take it along stand below it

    @property
    def next(self) -> str:
        """Where to go on, in a sentence or two; empty when nothing has been done, or everything."""
        number, step = self.last
        open_from_here = [stage for stage in self.stages if stage.number >= number and stage.state != "● done"]
        if not number or not open_from_here:
            return ""
        stage = open_from_here[0]
        where = f"Go on with lesson {stage.number}, {stage.title}."
        if stage.number != number or not step:
            return where
        return f'{where} You were at “{step}”: in its notebook, `lab.catch_up({number}, "{step}")` brings you there.'

    def __str__(self) -> str:
        width = max(len(stage.title) for stage in self.stages)
        rows = [
            f"{stage.number}  {stage.title:<{width}}  {stage.state:<11}  {stage.counted}".rstrip()
            for stage in self.stages
        ]
        return "\n".join(["The course", *rows, *filter(None, [plain(self.next)])])

    __repr__ = __str__

    def _ipython_display_(self) -> None:
        from IPython.display import display

        table = display(self._repr_mimebundle_(), raw=True, display_id=True)
        if self.mine:
            display(TakeAlong(lambda: table.update(overview()._repr_mimebundle_(), raw=True)))

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        rows = [
            [
                f'<a href="{escape(stage.notebook)}">{stage.number} · {escape(stage.title)}</a>',
                escape(stage.state),
                escape(stage.counted),
            ]
            for stage in self.stages
        ]
        shown = table(["Lesson", "State", "You have"], rows, "The course") + (prose(self.next) if self.next else "")
        return {"text/plain": str(self), "text/html": card(shown)}


def overview(lessons: Mapping[str, Any] | None = None) -> Overview:
    """The map of the course with a learner's progress (default: this one's), as `progress_file.read` returns it."""
    kept = progress.mine() if lessons is None else lessons
    stages = tuple(_stage(number, kept.get(str(number), {})) for number in course.LESSONS if number)
    if said := progress.news():
        print(said)
    return Overview(stages, _last(kept), mine=lessons is None)


def _last(kept: Mapping[str, Any]) -> tuple[int, str]:
    _, number, name = progress.last(kept)
    try:
        return number, catching_up.step_of(catching_up.read_lesson(number), name) if number else ""
    except LookupError:  # a file of another version of the lab, or no lesson beside it
        return 0, ""


def _stage(number: int, kept: Mapping[str, Any]) -> Stage:
    module = course.lesson(number)
    guessed = kept.get("predictions", {})
    made = kept.get("exercises", {})
    solved = sum(bool(made.get(name, {}).get("passed")) for name in module.EXERCISES)
    told = sum(name in guessed for name in module.QUESTIONS)
    return Stage(
        number,
        module.TITLE,
        course.LESSONS[number],
        told,
        len(module.QUESTIONS),
        solved,
        len(module.EXERCISES),
        bool(kept),
    )
