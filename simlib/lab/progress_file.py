"""The file of a learner's progress: its shape, how two of them become one, and how it is written.

    {"version": 2, "lessons": {"trust": {
        "predictions": {"root": {"choice": 1, "right": true, "reason": [0], "explained": true,
            "when": "2026-11-24T09:00:00Z"}},
        "exercises": {"a door": {"passed": true, "tries": 3, "hints": 1, "when": "…"}}}}}

A file of version 1 has numbers for the lessons. Whatever a file says, an answer belongs to the lesson that has its name
today, so that lessons may be cut and ordered anew. `choice` counts from 0; one past the last choice is "I am not sure".
`reason` is what was chosen of the reasons, or their order, by their places in the lesson's file; [] is "I am not sure".
`when` is the real time, in UTC. Challenges stand under `challenges` as exercises do, by name and seed, with a `score`
and the `seconds` they took.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

try:  # of these locks a system has one; a browser none, even where it has a module of that name
    from fcntl import LOCK_EX, LOCK_NB, flock
except ImportError:
    flock = None  # type: ignore[assignment]
try:
    from msvcrt import LK_NBLCK, locking
except ImportError:
    locking = None  # type: ignore[assignment]

VERSION = 2
_MOST = ("tries", "hints", "passed")  # of two entries the higher one counts
LARGEST = 1_000_000  # bytes; a learner's file has a few thousand
PATIENCE = 10.0  # seconds: as long as another kernel is waited for
_PAUSE = 0.01

KINDS = ("predictions", "exercises")
_SLUG = re.compile(r"[a-z0-9-]{1,40}")
_SHAPE: Mapping[str, Callable[[Any], bool]] = {
    **{name: (lambda value: type(value) is int) for name in ("choice", "tries", "hints", "score", "seconds")},
    **{name: (lambda value: type(value) is bool) for name in ("right", "passed", "explained")},
    "reason": lambda value: isinstance(value, list) and all(type(each) is int for each in value),
    "when": lambda value: isinstance(value, str) and bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value)),
}


class Damaged(ValueError):
    """What stands there is no progress; the message says why."""


class Untouchable(ValueError):
    """What stands there may be somebody's progress, and cannot be read here; the message says why."""


def read(path: Path) -> dict[str, Any]:
    """The lessons of a file, by slug, {} where there is none. Raises `Damaged` or `Untouchable`."""
    try:
        return parse(_retry(_content, path), path.name)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise Untouchable(f"{path.name} cannot be read: {error.strerror}.") from None


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LARGEST + 1)


def parse(content: bytes, name: str) -> dict[str, Any]:
    """The lessons in the content of a file called `name`. Raises `Damaged` or `Untouchable`."""
    if len(content) > LARGEST:
        raise Damaged(f"{name} is too large for a progress file.")
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise Damaged(f"{name} cannot be read: {error}.") from None
    version = document.get("version") if isinstance(document, dict) else None
    if type(version) is int and version > VERSION:
        raise Untouchable(f"{name} was written by a newer version of the lab. Get the lab again.")
    if version not in (1, VERSION) or not _well_formed(document.get("lessons")):
        raise Damaged(f"{name} is not a progress file.")
    return _at_home(document["lessons"])


def _at_home(lessons: Mapping[str, Any]) -> dict[str, Any]:
    """The answers under the lessons that ask for them today; those that none asks for stay where they are."""
    from . import course

    at_home: dict[str, Any] = {slug: {} for slug in lessons if not answers({slug: lessons[slug]})}
    for (slug, kind, name), entry in answers(lessons).items():
        at_home.setdefault(course.home(name, kind) or slug, {}).setdefault(kind, {})[name] = entry
    return at_home


def _well_formed(lessons: Any) -> bool:
    try:
        is_known = all(_SLUG.fullmatch(slug) and {*kinds} <= {*KINDS} for slug, kinds in lessons.items())
        return is_known and all(
            isinstance(entry, dict) and all(fits(entry[name]) for name, fits in _SHAPE.items() if name in entry)
            for entry in answers(lessons).values()
        )
    except (AttributeError, TypeError):  # a text or a list in place of a table
        return False


def text(lessons: Mapping[str, Any]) -> str:
    """What the file of these lessons holds."""
    return json.dumps({"version": VERSION, "lessons": lessons}, indent=1)


def answers(lessons: Mapping[str, Any]) -> dict[tuple[str, str, str], dict[str, Any]]:
    """Each answer by lesson, kind ("predictions" or "exercises") and name."""
    return {
        (number, kind, name): entry
        for number, kinds in lessons.items()
        for kind, names in kinds.items()
        for name, entry in names.items()
    }


def merged(one: Mapping[str, Any], other: Mapping[str, Any], *, by_date: bool = False) -> dict[str, Any]:
    """The answers of both. Where both have one, that of `other` counts, or `by_date` the later one; but what has once
    been solved stays solved, and no try, no hint and no better score is forgotten."""
    both = deepcopy(dict(one))
    for (number, kind, name), entry in answers(other).items():
        names = both.setdefault(number, {}).setdefault(kind, {})
        names[name] = _one_of(names[name], entry, by_date) if name in names else dict(entry)
    return both


def _one_of(one: Mapping[str, Any], other: Mapping[str, Any], by_date: bool) -> dict[str, Any]:
    later = one if by_date and one.get("when", "") > other.get("when", "") else other
    highest = {name: max(one[name], other[name]) for name in _MOST if name in one and name in other}
    best = max(one, other, key=lambda each: each.get("score", -1))  # the time belongs to the score
    return {**later, **highest, **{name: best[name] for name in ("score", "seconds") if name in best}}


def write(path: Path, lessons: Mapping[str, Any]) -> None:
    """All of it or nothing: a file that is half written is never there. Raises `OSError`."""
    target = path.resolve()
    beside = target.with_name(f".progress-{secrets.token_hex(4)}.tmp")
    try:
        with beside.open("x", encoding="utf-8") as file:
            file.write(text(lessons))
            file.flush()
            os.fsync(file.fileno())
        _retry(os.replace, beside, target)
    except OSError:
        with suppress(OSError):
            beside.unlink()
        raise


def set_aside(path: Path, suffix: str) -> Path:
    """Give a file another name, under which it is kept. Raises `OSError`."""
    target = path.with_name(f"{path.stem}.set-aside-{suffix}{path.suffix}")
    _retry(os.replace, path, target)
    return target


def _retry(do: Callable[..., Any], *what: Any) -> Any:
    """Windows refuses for a moment what another program has open just now."""
    for _ in range(10):
        with suppress(PermissionError):
            return do(*what)
        time.sleep(_PAUSE)
    return do(*what)


@contextmanager
def locked_file(path: Path) -> Iterator[None]:
    """Only one kernel of this machine is in here for the same file. The lock ends with whoever holds it; where the
    folder's file system has none we go on without. Raises `OSError`, `TimeoutError` after `PATIENCE`."""
    with path.with_name(".progress.lock").open("ab") as file:
        end = time.monotonic() + PATIENCE
        while _is_held(file.fileno()):
            if time.monotonic() > end:
                raise TimeoutError(0, "other notebooks are writing into it")
            time.sleep(_PAUSE)
        yield


def _is_held(descriptor: int) -> bool:
    try:
        if flock is not None:
            flock(descriptor, LOCK_EX | LOCK_NB)
        elif locking is not None:
            locking(descriptor, LK_NBLCK, 1)
    except (BlockingIOError, PermissionError):
        return True
    except OSError:  # no locks here
        return False
    return False
