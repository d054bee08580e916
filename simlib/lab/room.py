"""`python -m simlib progress DIR`: the view of the room, from the progress files of its learners.

The files are found below DIR – one folder for each learner, as a hub has them, or files gathered in one place. A
learner is called after the folder, or after the file where several lie in one. Nothing is written there.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import course, progress, progress_file
from .map_of_course import Overview, overview

EVERY = 5.0  # seconds between two looks with --watch
STUCK = 2  # tries without success, from which on an exercise counts as one that holds somebody up
MOST = 5  # stumbling blocks that are told


@dataclass(frozen=True)
class Learner:
    """One file: whose, and what it holds."""

    name: str
    lessons: Mapping[str, Any]

    @property
    def overview(self) -> Overview:
        return overview(self.lessons)

    @property
    def where(self) -> tuple[str, int]:
        """When something was last done, and in which lesson; ("", 0) where nothing has been."""
        return progress.last(self.lessons)[:2]


@dataclass(frozen=True)
class Room:
    """The learners, and the files that could not be read, each with a sentence."""

    learners: tuple[Learner, ...]
    unreadable: tuple[str, ...]

    def counts(self) -> dict[int, tuple[int, int]]:
        """For each lesson how many have begun it, and how many are done with it."""
        stages = [stage for learner in self.learners for stage in learner.overview.stages]
        return {
            number: (
                sum(stage.number == number and stage.state != "○ not begun" for stage in stages),
                sum(stage.number == number and stage.state == "● done" for stage in stages),
            )
            for number in course.LESSONS
            if number
        }

    def stumbling_blocks(self) -> list[tuple[str, int, int, int]]:
        """What holds the room up: (what, lesson, how many, of how many that came so far), the most first."""
        fell: Counter[tuple[str, int]] = Counter()
        came: Counter[tuple[str, int]] = Counter()
        for learner in self.learners:
            for number, kinds in learner.lessons.items():
                for kind, names in kinds.items():
                    for name, each in names.items():
                        what = (f"{kind.removesuffix('s')} “{_printable(name)[:60]}”", int(number))
                        came[what] += 1
                        fell[what] += _fell(kind, each)
        found = [(what, number, fell[what, number], came[what, number]) for what, number in came if fell[what, number]]
        return sorted(found, key=lambda each: (-each[2], each[1], each[0]))[:MOST]

    def __str__(self) -> str:
        if not self.learners:
            return "\n".join(["No progress file yet.", *self.unreadable])
        width = max(len(learner.name) for learner in self.learners)
        head = f"{'learner':<{width}}  " + "  ".join(f"{number:>4}" for number in course.LESSONS if number) + "  last"
        rows = [_row(learner, width) for learner in sorted(self.learners, key=lambda each: each.name)]
        blocks = [
            f"  {fell} of {came}  lesson {number}, {what}" for what, number, fell, came in self.stumbling_blocks()
        ]
        signs = "○ not begun   ◐ begun   ● done; then how many exercises are solved"
        told = ["", signs, "", "What holds the room up", *(blocks or ["  nothing"]), *self.unreadable]
        return "\n".join([head, *rows, *told])

    def figure(self) -> Any:
        """A matplotlib figure: for each lesson how many of the room have begun it and are done with it."""
        from matplotlib.figure import Figure

        from .pictures import DIM, YES

        figure = Figure(figsize=(8, 3.2), layout="constrained")
        axes = figure.add_subplot()
        for number, (begun, done) in self.counts().items():
            axes.bar(number, begun, color="none", edgecolor=YES, hatch="///", label="begun" if number == 1 else None)
            axes.bar(number, done, color=YES, label="done" if number == 1 else None)
        axes.set(xlabel="lesson", ylabel="learners", ylim=(0, max(1, len(self.learners))))
        axes.set_xticks([number for number in course.LESSONS if number])
        axes.yaxis.get_major_locator().set_params(integer=True)
        axes.legend(frameon=False)
        axes.tick_params(colors=DIM)
        return figure


def _fell(kind: str, each: Mapping[str, Any]) -> bool:
    if kind == "predictions":
        return not each.get("right")
    return not each.get("passed") and each.get("tries", 0) >= STUCK


def _row(learner: Learner, width: int) -> str:
    when, number = learner.where
    cells = [
        f"{stage.state[0]} {stage.exercises}/{stage.of_exercises}".rjust(5)[-5:] for stage in learner.overview.stages
    ]
    last = f"  lesson {number}, {when[11:16]} UTC" if when else ""
    return f"{learner.name:<{width}}  " + " ".join(cells) + last


def look(folder: Path) -> Room:
    """Read every progress file below a folder."""
    learners, unreadable = [], []
    for path in _files(folder):
        try:
            learners.append(Learner(_name(path, folder), progress_file.read(path)))
        except ValueError as problem:
            unreadable.append(f"Passed over: {_printable(str(path.relative_to(folder)))}: {_printable(str(problem))}")
    return Room(tuple(learners), tuple(unreadable))


def _files(folder: Path) -> Iterator[Path]:
    found = {path for pattern in ("*.json", "**/progress*.json") for path in folder.glob(pattern)}
    yield from sorted(path for path in found if path.is_file() and "set-aside" not in path.name)


def _name(path: Path, folder: Path) -> str:
    """The first folder below the one that was named, or the file's own name; control characters are shown."""
    parts = path.relative_to(folder).parts
    name = parts[0] if len(parts) > 1 else path.stem
    return _printable(name)[:40]


def _printable(text: str) -> str:
    """Foreign text for a terminal: what would move its cursor, or cannot be printed, is a sign of its own."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table of the room, once or again and again; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m simlib progress", description=__doc__)
    parser.add_argument("folder", metavar="DIR", type=Path, help="where the learners' progress files are")
    parser.add_argument("--watch", action="store_true", help=f"look again every {EVERY:g} seconds, until Ctrl+C")
    parser.add_argument("--picture", metavar="FILE", type=Path, help="also draw it: a .png, .svg or .pdf file")
    options = parser.parse_args(argv)
    if not options.folder.is_dir():
        print(f"{options.folder} is not a folder. Name the one that holds the learners' files.", file=sys.stderr)
        return 2
    try:
        while True:
            room = look(options.folder)
            if options.watch and sys.stdout.isatty():
                print("\033[2J\033[H", end="")
            print(room, flush=True)
            if options.picture:
                room.figure().savefig(options.picture)
            if not options.watch:
                return 0
            time.sleep(EVERY)
    except KeyboardInterrupt:
        return 0
    except (OSError, ValueError) as error:
        print(f"The picture cannot be written to {options.picture}: {error}.", file=sys.stderr)
        return 2
