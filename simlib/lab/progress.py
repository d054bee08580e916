"""A learner's progress: one small file, which never leaves the machine by itself.

It lies beside the lessons, `progress.json` in the kernel's working folder, where the learner sees it, can download it
and can take it along; the variable IAM_LAB_PROGRESS names another place. Its shape:

    {"version": 1, "lessons": {"2": {
        "predictions": {"root": {"choice": 1, "right": true, "when": "2026-11-24T09:00:00Z"}},
        "exercises": {"a door": {"passed": true, "tries": 3, "hints": 1, "when": "…"}}}}}

`choice` counts from 0; one past the last choice is "I am not sure". A file that cannot be read is set aside under
another name; where nothing can be written, the lesson goes on without.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .exercises import Attempted
    from .predictions import Guess

VERSION = 1
LARGEST = 1_000_000  # bytes; a learner's file has a few thousand
_said = False  # that progress cannot be kept: once is enough


def place() -> Path:
    """Where the file lies."""
    return Path(os.environ.get("IAM_LAB_PROGRESS") or Path.cwd() / "progress.json")


def read(path: Path) -> dict[str, Any]:
    """The lessons of a file, by number; raises `ValueError`, with a sentence, for what is no such file."""
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError(f"{path.name} is too large for a progress file.")
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"{path.name} cannot be read: {error}.") from None
    if isinstance(found, dict) and isinstance(found.get("version"), int) and found["version"] > VERSION:
        raise ValueError(f"{path.name} was written by a newer version of the lab. Get the lab again.")
    if not _well_formed(found):
        raise ValueError(f"{path.name} is not a progress file.")
    return dict(found["lessons"])


_TYPES = {"choice": int, "right": bool, "passed": bool, "tries": int, "hints": int, "when": str}


def _well_formed(found: Any) -> bool:
    if not isinstance(found, dict) or found.get("version") != VERSION or not isinstance(found.get("lessons"), dict):
        return False
    entries = []
    for number, kinds in found["lessons"].items():
        if not number.isdecimal() or not isinstance(kinds, dict) or not {*kinds} <= {"predictions", "exercises"}:
            return False
        for names in kinds.values():
            if not isinstance(names, dict):
                return False
            entries += names.values()
    return all(
        isinstance(entry, dict) and all(isinstance(entry.get(name, of()), of) for name, of in _TYPES.items())
        for entry in entries
    )


def prediction(lesson: int, name: str, guess: Guess) -> None:
    """Keep what was locked in."""
    _keep(lesson, "predictions", name, {"choice": guess.locked, "right": guess.locked == guess.prediction.answer})


def exercise(lesson: int, name: str, made: Attempted) -> None:
    """Keep how far an exercise has come."""
    _keep(lesson, "exercises", name, {"passed": made.passed, "tries": made.tries, "hints": made.hinted})


def kept(lesson: int, kind: str, name: str) -> dict[str, Any]:
    """What is kept of one answer (`kind`: "predictions" or "exercises"); empty where nothing is."""
    return dict(mine().get(str(lesson), {}).get(kind, {}).get(name, {}))


def last(lessons: Mapping[str, Any]) -> tuple[str, int, str]:
    """What was done last: when, in which lesson, and its name; ("", 0, "") where nothing has been."""
    done = [
        (each.get("when", ""), int(number), name)
        for number, kinds in lessons.items()
        for names in kinds.values()
        for name, each in names.items()
    ]
    return max(done, default=("", 0, ""))


def mine() -> dict[str, Any]:
    """This learner's lessons; an unreadable file counts as none and is set aside, with a sentence."""
    path = place()
    try:
        return read(path)
    except ValueError as problem:
        aside = path.with_name(f"{path.stem}.set-aside-{_now():%Y%m%d-%H%M%S}{path.suffix}")
        with suppress(OSError):
            path.replace(aside)
            print(f"{problem} It is kept as {aside.name}; your progress begins anew.")
        return {}


def _keep(lesson: int, kind: str, name: str, entry: dict[str, Any]) -> None:
    global _said
    lessons = mine()
    entry["when"] = f"{_now():%Y-%m-%dT%H:%M:%SZ}"
    names = lessons.setdefault(str(lesson), {}).setdefault(kind, {})
    before = names.get(name, {})
    if before.get("passed"):
        entry["passed"] = True  # what has once been solved stays solved
    if "hints" in before:
        entry["hints"] = max(entry["hints"], before["hints"])
    names[name] = entry
    try:
        _write(place(), {"version": VERSION, "lessons": lessons})
    except OSError as error:
        if not _said:
            print(f"Your progress cannot be kept in {place().name} ({error.strerror}). The lesson goes on without.")
        _said = True


def _write(path: Path, content: dict[str, Any]) -> None:
    """All of it or nothing: a file that is half written is never there."""
    descriptor, name = tempfile.mkstemp(prefix=".progress-", suffix=".json", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
        os.replace(name, path)
    except OSError:
        with suppress(OSError):
            os.unlink(name)
        raise


def _now() -> datetime:
    """The real time: lessons move the clock."""
    from simlib.cloud import Cloud

    return Cloud.running.clock.real_now if Cloud.running else datetime.now(UTC)
