"""A room of learners, from their progress files: who is where, and what holds the room up.

The files are found below a folder – one folder for each learner, as a hub has them, or files gathered in one place. A
learner is called after the folder, and has one row, of the newest file; a gathered file has its own. Nothing is written
there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from . import course, progress, progress_file
from .course_map import Stage, stages
from .look import panel_card, table
from .page import Child, Part, el
from .panel import Displayable
from .progress_file import answers

STUCK = 2  # tries without success, from which on an exercise counts as one that holds somebody up
MOST = 8  # stumbling blocks of a kind that are told
FEW = 6  # names of those who are stuck
DEEP = 4  # folders between a learner's and the progress file
HEAP = 50  # files of one learner that are looked at


@dataclass(frozen=True)
class Learner:
    """One file: whose, and what it holds."""

    name: str
    lessons: Mapping[str, Any]

    @property
    def stages(self) -> list[Stage]:
        return stages(self.lessons)

    @property
    def where(self) -> tuple[str, str]:
        """When something was last done, and in which lesson; "" where nothing has been."""
        when, slug, _ = progress.last_entry(self.lessons)
        return when, _place(slug)


@dataclass(frozen=True, repr=False)
class Room(Displayable):
    """The learners, and the files that could not be read, each with a sentence."""

    learners: tuple[Learner, ...]
    unreadable: tuple[str, ...]

    def stumbling_blocks(self) -> list[Block]:
        """Exercises that are not solved after some tries, and predictions that came otherwise; the most first."""
        entries: dict[tuple[str, str, str], list[tuple[str, Mapping[str, Any]]]] = {}
        for learner in self.learners:
            for (slug, kind, name), entry in answers(learner.lessons).items():
                entries.setdefault((kind, slug, name), []).append((learner.name, entry))
        blocks = []
        for what, all_of_them in entries.items():
            stumbled = [(who, entry) for who, entry in all_of_them if _stumbled(what[0], entry)]
            if stumbled:
                choices = Counter(_choice(entry) for _, entry in stumbled)
                blocks.append(
                    Block(*what, tuple(who for who, _ in stumbled), len(all_of_them), _common_choice(*what, choices))
                )
        return sorted(blocks, key=lambda each: (-len(each.who), each.lesson, each.name))

    def page(self) -> Part:
        rows = [_row(learner) for learner in sorted(self.learners, key=lambda each: each.name)]
        blocks = self.stumbling_blocks()
        lists = {
            f"Stuck: {STUCK} tries or more, and not solved": [each for each in blocks if each.kind == "exercises"],
            OTHERWISE: [each for each in blocks if each.kind == "predictions"],
        }
        learners = table(["Learner", *map(str, NUMBERS), "Challenges", "Last answer"], rows)
        scroller = el("div.sl-scroll", learners, tabindex="0", role="region", aria_label="Where each learner is")
        card = el("section.sl-card.sl-pane", scroller, el("p.sl-small.sl-dim", SIGNS))
        return el(
            "div.sl-reqs",
            [card, [_list(*each) for each in lists.items()]] if rows else "No progress file yet.",
            [el("p", each) for each in self.unreadable],
        )


NUMBERS = [lesson.number for lesson in course.LESSONS.values() if lesson.number]
OTHERWISE = "Predicted otherwise, or for another reason, and what most chose"
SIGNS = "○ not begun   ◐ begun   ● done; then how many exercises are solved"


def _row(learner: Learner) -> list[Child]:
    when, lesson = learner.where
    stages = [_done(stage) for stage in learner.stages]
    solved, points = progress.challenge_points(learner.lessons)
    challenges = f"{solved} solved, {points} points" if solved else ""
    return [learner.name, *stages, challenges, f"{lesson}, {local(when)}" if when else ""]


def _done(stage: Stage) -> Part:
    solved = el("span.sl-small.sl-dim", f"{stage.exercises}/{stage.of_exercises}") if stage.of_exercises else None
    return el("span", stage.state[0], " ", solved)


def _list(title: str, blocks: Sequence[Block]) -> Part:
    rows = [el("li", f"{each}{each.common_choice} – {_first_names(each.who)}") for each in blocks[:MOST]]
    return panel_card(title, el("div.sl-pane", el("ul", rows or el("li", "nobody"))))


@dataclass(frozen=True)
class Block:
    """An exercise or prediction, who has stumbled over it, and of how many; `common_choice`: what most have chosen."""

    kind: str
    lesson: str  # its slug
    name: str
    who: tuple[str, ...]
    answers_count: int
    common_choice: str = ""

    def __str__(self) -> str:
        what = f"{_place(self.lesson)}, {self.kind[:-1]}" if self.lesson != progress.CHALLENGES else "challenge"
        return f"{len(self.who)} of {self.answers_count}: {what} “{_printable(self.name)[:60]}”"


def _place(slug: str) -> str:
    if slug not in course.LESSONS:
        return slug and f"lesson {slug}"
    number = course.LESSONS[slug].number
    return f"lesson {number}" if number else course.lesson(slug).title


def _stumbled(kind: str, entry: Mapping[str, Any]) -> bool:
    if kind == "predictions":
        return not (entry.get("right") and entry.get("explained", True))
    return not entry.get("passed") and entry.get("tries", 0) >= STUCK


def _choice(entry: Mapping[str, Any]) -> tuple[str, int]:
    """What was chosen that is not right: an answer, or to the right one another reason; -1 for another order."""
    reason = entry.get("reason") or [-1]
    return ("reason", reason[0] if len(reason) == 1 else -1) if entry.get("right") else ("", entry.get("choice", -1))


def _common_choice(kind: str, slug: str, name: str, choices: Mapping[tuple[str, int], int]) -> str:
    """ ": Everybody in the account." – what most of those chose, in the words of the lesson, if it has them."""
    prediction = course.lesson(slug).predictions.get(name) if slug in course.LESSONS and kind == "predictions" else None
    if prediction is None:
        return ""
    what, index = max(choices, key=lambda each: (choices[each], -each[1]))
    words = [each.text for each in prediction.reasons] if what else [*prediction.choices, "not sure."]
    sentence = f": {'the right answer, because: ' if what else ''}{words[index]}" if 0 <= index < len(words) else ""
    return sentence.replace("`", "")


def _first_names(names: Sequence[str]) -> str:
    more = f" and {len(names) - FEW} more" if len(names) > FEW else ""
    return ", ".join(sorted(names)[:FEW]) + more


def local(when: str) -> str:
    """The time of day where the instructor is."""
    try:
        return f"{datetime.fromisoformat(when).astimezone():%H:%M}"
    except (ValueError, OverflowError, OSError):  # no moment, or one that this machine's clock cannot show
        return "--:--"


def read_folder(folder: Path) -> Room:
    """Read every progress file below a folder."""
    learners, unreadable = [], []
    for path in _files(folder):
        try:
            learners.append(Learner(_name(path, folder), progress_file.read(path)))
        except ValueError as problem:
            problem_text = str(problem).replace(path.name, str(path.relative_to(folder)), 1)
            unreadable.append(f"Passed over: {_printable(problem_text)}")
    return Room(tuple(learners), tuple(unreadable))


def _files(folder: Path) -> Iterator[Path]:
    """The gathered files, and the newest of each learner's folder; nothing that a link leads out of it to."""
    yield from sorted(_within(folder, folder.glob("*.json")))
    for home in sorted(each for each in folder.iterdir() if each.is_dir() and not each.is_symlink()):
        near = (path for depth in range(DEEP) for path in home.glob("*/" * depth + "progress*.json"))
        if files := list(islice(_within(home, near), HEAP)):
            yield max(files, key=lambda path: path.stat().st_mtime)


def _within(folder: Path, paths: Iterable[Path]) -> Iterator[Path]:
    place = folder.resolve()
    for path in paths:
        if path.is_file() and "set-aside" not in path.name and path.resolve().is_relative_to(place):
            yield path


def _name(path: Path, folder: Path) -> str:
    """The first folder below the one that was named, or the file's own name; control characters are shown."""
    parts = path.relative_to(folder).parts
    name = parts[0] if len(parts) > 1 else path.stem
    return _printable(name)[:40]


def _printable(text: str) -> str:
    """Foreign text for a terminal: what would move its cursor, or cannot be printed, is a sign of its own."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
