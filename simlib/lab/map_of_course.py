"""The map of the course: its lessons, and how far this learner has come in each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import catching_up, course, progress
from .downloads import Downloads
from .markup import plain, prose
from .page import Html, Part, el
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

    @property
    def counted(self) -> str:
        parts = (
            (self.predictions, self.of_predictions, "predictions"),
            (self.exercises, self.of_exercises, "exercises"),
        )
        return ", ".join(f"{done} of {of} {what}" for done, of, what in parts if of)

    def page(self, next_step: str) -> Part:
        """The lesson's row; `next_step` says how to go on, in the one that is next."""
        sign, _, word = self.state.partition(" ")
        of = self.of_predictions + self.of_exercises
        share = round(100 * (self.predictions + self.exercises) / of) if of else 0
        link = el("a", f"{self.lesson.number} · {self.title}", href=self.lesson.notebook)
        go_on = el("a.sl-b.is-primary", "Continue", href=self.lesson.notebook)
        return el(
            f"div.sl-lesson{'.is-current' if next_step else ''}",
            el("span", sign, title=word),
            el("h4", link),
            el(
                "span.sl-progress",
                el("i", style=f"--p:{share}"),
                f"{word}: {self.counted}" if self.begun else f"{word}, about {self.lesson.minutes} minutes",
            ),
            el("div.sl-tell", Html(prose(next_step))) if next_step else None,
            el("div.sl-act", go_on) if next_step else None,
        )


@dataclass(repr=False)
class Overview(Panel):
    """The lessons in order. `last` is the lesson in which something was done last, and the heading of that step."""

    stages: tuple[Stage, ...]
    last: tuple[str, str] = ("", "")
    mine: bool = False  # this learner's: it can be downloaded and restored below
    won: tuple[int, int] = (0, 0)  # challenges that have been solved, and the points for them

    def __post_init__(self) -> None:
        super().__init__()
        self.downloads = Downloads(self._again, lambda name, text: self.give(name, text))

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
        where = (
            f"{'Go on' if any(each.begun for each in self.stages) else 'Begin'} with lesson {number}, {stage.title}."
        )
        if stage.lesson.slug != slug or not step:
            return where
        return f'{where} You were at “{step}”: in its notebook, `lab.catch_up("{slug}", "{step}")` brings you there.'

    def __str__(self) -> str:
        width = max(len(stage.title) for stage in self.stages)
        rows = [
            f"{each.lesson.number:>2}  {each.title:<{width}}  {each.lesson.minutes:>2} min  "
            f"{each.state:<11}  {each.counted}".rstrip()
            for each in self.stages
        ]
        return "\n".join(["The course", *rows, self.challenges, *filter(None, [plain(self.next)])])

    @property
    def challenges(self) -> str:
        solved, points = self.won
        return f"Challenges: {solved} solved, {points} points." if solved else "Challenges: break in, lock out, mend."

    def page(self) -> Part:
        """A row for each lesson; the one to go on with has the only button."""
        current = next((stage for stage in self._open), None)
        rows = [stage.page(self.next if stage == current else "") for stage in self.stages]
        head = el("div.sl-head", el("h3.sl-title", "The course"))
        more = el(
            "div.sl-lesson", el("span", "●" if self.won[0] else "○"), el("h4", el("a", self.challenges, href=GAMES))
        )
        return el("section.sl-card", head, *rows, more, self.downloads.page() if self.mine else None)

    @property
    def commands(self) -> Commands:
        return self.downloads.commands if self.mine else {}

    def _again(self) -> None:
        fresh = overview() if self.mine else self
        self.stages, self.last, self.won = fresh.stages, fresh.last, fresh.won
        self._draw()


def overview(lessons: Mapping[str, Any] | None = None) -> Overview:
    """The map of the course with a learner's progress (default: this one's), as `progress_file.read` returns it."""
    kept = progress.mine() if lessons is None else lessons
    stages = tuple(_stage(lesson, kept.get(lesson.slug, {})) for lesson in course.LESSONS.values() if lesson.number)
    if said := progress.news():
        print(said)
    return Overview(stages, _last(kept), lessons is None, progress.won(kept))


def _last(kept: Mapping[str, Any]) -> tuple[str, str]:
    _, slug, name = progress.last(kept)
    try:
        return slug, catching_up.step_of(catching_up.read_lesson(slug), name) if slug else ""
    except LookupError:  # a file of another version of the lab, or no lesson beside it
        return "", ""


def _stage(lesson: course.Entry, kept: Mapping[str, Any]) -> Stage:
    module = course.lesson(lesson.slug)
    guessed = kept.get("predictions", {})
    made = kept.get("exercises", {})
    solved = sum(bool(made.get(name, {}).get("passed")) for name in module.exercises)
    told = sum(name in guessed for name in module.predictions)
    return Stage(
        lesson,
        module.title,
        told,
        len(module.predictions),
        solved,
        len(module.exercises),
        bool(kept),
    )
