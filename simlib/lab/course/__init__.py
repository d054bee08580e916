"""The lessons: what each asks its reader to predict and to make. It lives here, so that no page gives it away.

A module `lesson_N` has `TITLE`, `MINUTES` (of each sitting, by the heading it begins with; "" is the beginning),
`QUESTIONS` (predictions by name) and `EXERCISES` (by name); a name stands for one thing in the whole course.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

#: The notebook of each lesson, in order.
LESSONS = {
    0: "00-start-here.ipynb",
    1: "01-users-and-roles.ipynb",
    2: "02-trust-policies.ipynb",
    3: "03-who-wins.ipynb",
    4: "04-temporary-credentials.ipynb",
    5: "05-across-accounts.ipynb",
    6: "06-machines-and-pipelines.ipynb",
    7: "07-from-code.ipynb",
    8: "08-the-incident.ipynb",
    9: "09-four-sentences.ipynb",  # the appendix
}


def lesson(number: int) -> Any:
    """The module of a lesson."""
    return import_module(f"simlib.lab.course.lesson_{number}")


def lesson_of(name: str, kind: str) -> int:
    """The number of the lesson that has this prediction or exercise (`kind`: "QUESTIONS" or "EXERCISES").

    Raises `KeyError`, with the name that was probably meant.
    """
    names = {each: number for number in LESSONS for each in getattr(lesson(number), kind)}
    if name not in names:
        from difflib import get_close_matches

        near = get_close_matches(name, names, 1)
        what = "prediction" if kind == "QUESTIONS" else "exercise"
        raise KeyError(f"there is no {what} {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    return names[name]
