"""A learner's progress: one small file, which never leaves the machine by itself.

It lies beside the lessons, `progress.json` in the kernel's working folder, where the learner sees it and can take it
along; the variable IAM_LAB_PROGRESS names another place. Each notebook has a kernel, and all of them write into the
one file: under a lock, and beside what stands there by then. A damaged file is set aside under another name. What
cannot be written is remembered as long as the kernel lives, and the lesson goes on.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import progress_file
from .progress_file import Damaged, Untouchable, answers, merged, read

if TYPE_CHECKING:
    from .exercises import ExerciseState
    from .predictions import Guess


CHALLENGES = "challenges"  # under which they are kept, each by name and seed; no lesson is called so


@dataclass
class Memory:
    """What this kernel knows beside the file: answers that are not in it yet, and what is to be told to the learner."""

    unwritten: dict[str, Any] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    announced: set[str] = field(default_factory=set)  # once is enough, until it works again

    def announce(self, sentence: str) -> None:
        if sentence not in self.announced:
            self.announced.add(sentence)
            self.notices.append(sentence)


_memory = Memory()


def place() -> Path:
    """Where the file lies. It is found anew each time: the folder may be gone."""
    return Path(os.environ.get("IAM_LAB_PROGRESS") or "progress.json")


def notices() -> str:
    """What the learner has to know about the file, in sentences; each is said once."""
    text, _memory.notices = " ".join(_memory.notices), []
    return text


def prediction(lesson: str, name: str, guess: Guess) -> None:
    """Keep what was locked in."""
    entry: dict[str, Any] = {"choice": guess.locked, "right": guess.right}
    if guess.reason is not None:
        entry |= {"reason": [*guess.reason], "explained": guess.prediction.explained(guess.reason)}
    _keep(lesson, "predictions", name, entry)


def exercise(lesson: str, name: str, made: ExerciseState) -> None:
    """Keep how far an exercise has come."""
    _keep(lesson, "exercises", name, {"passed": made.passed, "tries": made.tries, "hints": made.hinted})


def challenge(name: str, entry: dict[str, Any]) -> None:
    """Keep how far a challenge has come: passed, tries, hints, and, once it is over, `score` and `seconds`."""
    _keep(CHALLENGES, "exercises", name, entry)


def challenges(lessons: Mapping[str, Any] | None = None) -> dict[str, dict[str, Any]]:
    """The challenges a learner has played (default: this one), by name and seed, "passrole-lambda 7"."""
    all_lessons = own_lessons() if lessons is None else lessons
    return dict(all_lessons.get(CHALLENGES, {}).get("exercises", {}))


def challenge_points(lessons: Mapping[str, Any] | None = None) -> tuple[int, int]:
    """How many challenges have been solved, and the points for them."""
    solved = [each for each in challenges(lessons).values() if each.get("passed")]
    return len(solved), sum(each.get("score", 0) for each in solved)


def entry_of(lesson: str, kind: str, name: str) -> dict[str, Any]:
    """What is kept of one answer (`kind`: "predictions" or "exercises"); empty where nothing is."""
    return dict(own_lessons().get(lesson, {}).get(kind, {}).get(name, {}))


def last_entry(lessons: Mapping[str, Any]) -> tuple[str, str, str]:
    """What was done last in the lessons: when, in which, and its name; three times "" where nothing has been."""
    in_lessons = {slug: kinds for slug, kinds in lessons.items() if slug != CHALLENGES}
    entries = [(each.get("when", ""), slug, name) for (slug, _, name), each in answers(in_lessons).items()]
    return max(entries, default=("", "", ""))


def own_lessons() -> dict[str, Any]:
    """This learner's lessons, as `progress_file.read` has them: what is in the file, and what could not be written."""
    try:
        lessons = read(place())
    except Damaged:
        try:
            with progress_file.locked_file(place()):
                lessons = _in_the_file()
        except OSError as error:
            _memory.announce(f"{place().name} is damaged, and cannot be set aside ({error.strerror}).")
            lessons = {}
    except Untouchable as problem:
        _memory.announce(f"{problem} Until this is fixed, your progress is not kept.")
        lessons = {}
    return merged(lessons, _memory.unwritten)


def restore(content: bytes, name: str = "progress.json") -> str:
    """Take in the answers of a progress file that was downloaded earlier; of two to the same question the later counts.

    Returns what has become of them, in a sentence; raises `ValueError`, with one, for what is no progress file.
    """
    theirs = progress_file.parse(content, name)
    before = answers(own_lessons())
    _add(theirs, by_date=True)
    after = answers(own_lessons())
    new = sum(after[key] != before.get(key) for key in answers(theirs))
    newer = sum(after[key] == before.get(key) != entry for key, entry in answers(theirs).items())
    parts = [f"{name}: {_count(len(answers(theirs)))}, {new or 'none'} of them new here."]
    parts += [f"{_count(newer)} that you have given here since then {'stays' if newer == 1 else 'stay'}."] * (newer > 0)
    return " ".join([*parts, *filter(None, [notices()])])


def _count(number: int) -> str:
    return f"{number} answer{'' if number == 1 else 's'}"


def _keep(lesson: str, kind: str, name: str, entry: dict[str, Any]) -> None:
    entry["when"] = f"{now():%Y-%m-%dT%H:%M:%SZ}"
    _add({lesson: {kind: {name: entry}}})


def _add(new: Mapping[str, Any], *, by_date: bool = False) -> None:
    """Put answers beside what stands in the file by now, and with them what could not be written before."""
    path = place()
    _memory.unwritten = merged(_memory.unwritten, new, by_date=by_date)
    try:
        with progress_file.locked_file(path):
            progress_file.write(path, merged(_in_the_file(), _memory.unwritten, by_date=by_date))
    except OSError as error:
        _memory.announce(
            f"Your progress cannot be kept in {path.name} ({error.strerror}). The lesson goes on, and this notebook "
            "remembers until its kernel stops: lab.overview() lets you download it."
        )
    except Untouchable as problem:
        _memory.announce(f"{problem} Until this is fixed, your progress is not kept.")
    else:
        _memory.unwritten = {}
        _memory.announced.clear()


def _in_the_file() -> dict[str, Any]:
    """What the file holds, for whoever has the lock; a damaged one is set aside. Raises `OSError`, `Untouchable`."""
    path = place()
    try:
        return read(path)
    except Damaged as problem:
        damaged = progress_file.set_aside(path, f"{now():%Y%m%d-%H%M%S-%f}")
        _memory.notices.append(f"{problem} It is kept as {damaged.name}; your progress starts again.")
        return {}


def now() -> datetime:
    """The real time, UTC: lessons move the clock."""
    from simlib.cloud import Cloud

    return Cloud.running.clock.real_now if Cloud.running else datetime.now(UTC)
