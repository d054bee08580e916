"""The lessons: what each asks its reader to predict and to make. It lives here, so that no page gives it away.

The texts are data: one file for each lesson and language, `en/NAME.toml`, named as the notebook is without its number;
`texts.py` reads them. What judges an answer by more than a table of requests is Python, in this folder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .reading import Lesson

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


def lesson(number: int) -> Lesson:
    """The lesson of that number, in the learner's language."""
    from . import reading, texts

    return reading.read(LESSONS[number].partition("-")[2].removesuffix(".ipynb"), texts.chosen())


def lesson_of(name: str, kind: str) -> int:
    """The number of the lesson that has this prediction or exercise (`kind`: "predictions" or "exercises").

    Raises `KeyError`, with the name that was probably meant.
    """
    names = {each: number for number in LESSONS for each in getattr(lesson(number), kind)}
    if name not in names:
        from difflib import get_close_matches

        near = get_close_matches(name, names, 1)
        raise KeyError(f"there is no {kind[:-1]} {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    return names[name]
