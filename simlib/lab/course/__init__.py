"""What each lesson asks its reader to predict and to make. It lives here, so that no page gives it away.

The texts are data: one file for each lesson and language, `en/SLUG.toml`; `texts.py` reads them. What judges an
answer by more than a table of requests is Python, in this folder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simlib.lessons import LESSONS, Entry, find

if TYPE_CHECKING:
    from .loader import Lesson

__all__ = ["LESSONS", "Entry", "find", "home", "lesson", "lesson_of"]


def lesson(name: int | str) -> Lesson:
    """What a lesson asks, by its slug or number, in the learner's language."""
    from . import loader, texts

    return loader.load(find(name).slug, texts.language())


def home(name: str, kind: str) -> str:
    """The slug of the lesson that has this prediction or exercise (`kind`: "predictions" or "exercises"), or ""."""
    return next((slug for slug in LESSONS if name in getattr(lesson(slug), kind)), "")


def lesson_of(name: str, kind: str) -> str:
    """As `home`; raises `KeyError`, with the name that was probably meant."""
    if slug := home(name, kind):
        return slug
    from difflib import get_close_matches

    similar = get_close_matches(name, [each for slug in LESSONS for each in getattr(lesson(slug), kind)], 1)
    raise KeyError(f"there is no {kind[:-1]} {name!r}" + (f"; did you mean {similar[0]!r}?" if similar else ""))
