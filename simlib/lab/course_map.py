"""The map of the course: its lessons, and how far this learner has come in each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import course, lesson_cells, progress
from .downloads import Downloads
from .markup import plain
from .page import Part, el, paragraphs
from .panel import Commands, Panel

GAMES = "challenges.ipynb"


@dataclass(frozen=True)
class Stage:
    """A lesson and what has been done of it."""

    lesson: course.Entry
    title: str
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

    def page(self, next_step: str) -> Part:
        """The lesson's row; `next_step` says how to go on, in the one that is next."""
        sign, _, word = self.state.partition(" ")
        number, minutes = self.lesson.number, self.lesson.minutes
        counts = (
            (self.predictions, self.of_predictions, "predictions"),
            (self.exercises, self.of_exercises, "exercises"),
        )
        counts_text = ", ".join(f"{done} of {of} {what}" for done, of, what in counts if of)
        of = self.of_predictions + self.of_exercises
        share = round(100 * (self.predictions + self.exercises) / of) if of else 0
        about = f"{word}: {counts_text}" if self.begun else f"{word}, about {minutes} minutes"
        go_on = el("a.sl-b.is-primary", "Continue" if self.begun else "Begin", href=self.lesson.notebook)
        return el(
            f"div.sl-lesson{'.is-current' if next_step else ''}",
            el("span", sign, title=word),
            el("h4", el("a", f"{number} · {self.title}", href=self.lesson.notebook)),
            el("span.sl-progress", el("i", style=f"--p:{share}"), about),
            [paragraphs(next_step, "div.sl-tell"), el("div.sl-act", go_on)] if next_step else None,
            text=f"{number:>2}  {self.title:<50}  {minutes:>2} min  {self.state:<11}  {counts_text}".rstrip(),
        )


def stages(lessons: Mapping[str, Any]) -> list[Stage]:
    """The lessons in order, with what a learner has done of them."""
    return [_stage(lesson, lessons.get(lesson.slug, {})) for lesson in course.LESSONS.values() if lesson.number]


def _stage(lesson: course.Entry, entries: Mapping[str, Any]) -> Stage:
    lesson_texts, exercises = course.lesson(lesson.slug), entries.get("exercises", {})
    solved = sum(bool(exercises.get(name, {}).get("passed")) for name in lesson_texts.exercises)
    predictions = sum(name in entries.get("predictions", {}) for name in lesson_texts.predictions)
    return Stage(
        lesson,
        lesson_texts.title,
        predictions,
        len(lesson_texts.predictions),
        solved,
        len(lesson_texts.exercises),
        bool(entries),
    )


class Overview(Panel):
    """The lessons in order, with a learner's progress as `progress_file.read` returns it; of this learner, by default,
    it can be downloaded and restored below. `last` is the lesson in which something was done last, and the heading of
    that step; `won` how many challenges have been solved, and the points for them."""

    def __init__(self, lessons: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self._lessons = lessons
        self.downloads = Downloads(self._again, lambda name, text: self.save_file(name, text))
        self._read()

    def _read(self) -> None:
        lessons = progress.own_lessons() if self._lessons is None else self._lessons
        self.stages, self.last, self.won = stages(lessons), _last(lessons), progress.challenge_points(lessons)

    def _again(self) -> None:
        self._read()
        self._draw()

    @property
    def _open(self) -> list[Stage]:
        """What is not done: from the last lesson on, else from the first; the appendix only where it was begun."""
        open_ = [stage for stage in self.stages if stage.state != "● done"]
        begun = course.LESSONS[self.last[0]].number if self.last[0] in course.LESSONS else 0
        later = [stage for stage in open_ if stage.lesson.number >= begun]
        return [stage for stage in [*later, *open_] if stage.begun or stage.lesson != [*course.LESSONS.values()][-1]]

    @property
    def next(self) -> str:
        """Where to go on, in a sentence or two; empty when everything has been done."""
        slug, step = self.last
        if not self._open:
            return ""
        stage = self._open[0]
        number = stage.lesson.number
        do = "Go on" if any(each.begun for each in self.stages) else "Begin"
        where = f"{do} with lesson {number}, {stage.title}."
        if stage.lesson.slug != slug or not step:
            return where
        return f'{where} You were at “{step}”: in its notebook, `lab.catch_up("{slug}", "{step}")` brings you there.'

    def page(self) -> Part:
        """A row for each lesson; the one to go on with has the only button."""
        current, (solved, points) = next(iter(self._open), None), self.won
        games = f"{solved} solved, {points} points." if solved else "break in, lock out, mend."
        rows = [stage.page(self.next if stage == current else "") for stage in self.stages]
        link = el("a", f"Challenges: {games}", href=GAMES)
        return el(
            "section.sl-card",
            el("div.sl-head", el("h3.sl-title", "The course")),
            *rows,
            el("div.sl-lesson", el("span", "●" if solved else "○"), el("h4", link), text=f"Challenges: {games}"),
            Part("", text=plain(self.next)),
            self.downloads.page() if self._lessons is None else None,
        )

    @property
    def commands(self) -> Commands:
        return self.downloads.commands if self._lessons is None else {}


def overview(lessons: Mapping[str, Any] | None = None) -> Overview:
    """The map of the course, with this learner's progress or the one that is given."""
    panel = Overview(lessons)
    if news := progress.notices():
        print(news)
    return panel


def _last(lessons: Mapping[str, Any]) -> tuple[str, str]:
    _, slug, name = progress.last_entry(lessons)
    try:
        return slug, lesson_cells.step_of(lesson_cells.read_lesson(slug), name) if slug else ""
    except LookupError:  # a file of another version of the lab, or no lesson beside it
        return "", ""
