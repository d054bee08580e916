"""The map of the course: its lessons, and how far this learner has come in each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import course, progress
from .markup import card, escape, table


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
    """The lessons in order."""

    stages: tuple[Stage, ...]

    def __str__(self) -> str:
        width = max(len(stage.title) for stage in self.stages)
        rows = [
            f"{stage.number}  {stage.title:<{width}}  {stage.state:<11}  {stage.counted}".rstrip()
            for stage in self.stages
        ]
        return "\n".join(["The course", *rows])

    __repr__ = __str__

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        rows = [
            [
                f'<a href="{escape(stage.notebook)}">{stage.number} · {escape(stage.title)}</a>',
                escape(stage.state),
                escape(stage.counted),
            ]
            for stage in self.stages
        ]
        return {"text/plain": str(self), "text/html": card(table(["Lesson", "", "You have"], rows, "The course"))}


def overview(lessons: Mapping[str, Any] | None = None) -> Overview:
    """The map of the course with a learner's progress (default: this one's), as `progress.read` returns it."""
    kept = progress.mine() if lessons is None else lessons
    return Overview(tuple(_stage(number, kept.get(str(number), {})) for number in course.LESSONS if number))


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
