"""Lessons as they stand in their files: texts as data, and what judges an answer by its name."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from ..exercises import Exercise
from ..judging import Ask, At, Policies
from ..predictions import Prediction

ENGLISH = "en"
_CODE = ("given", "solution")  # their lines stay as they are; elsewhere an empty line parts paragraphs


@dataclass(frozen=True)
class Lesson:
    """`minutes` is how long each sitting takes, by the heading it begins with; "" is the beginning.

    The name of a prediction, or of an exercise, stands for one thing in the whole course.
    """

    title: str
    minutes: Mapping[str, int]
    predictions: Mapping[str, Prediction]
    exercises: Mapping[str, Exercise]


@cache
def read(notebook: str) -> Lesson:
    """The lesson of a notebook."""
    held = texts(notebook)
    return Lesson(
        held["title"],
        held["minutes"],
        {name: Prediction(**each) for name, each in held["predictions"].items()},
        {name: _exercise(**each) for name, each in held.get("exercises", {}).items()},
    )


def texts(notebook: str, language: str = ENGLISH) -> dict[str, Any]:
    """What the file of a lesson holds in a language; {} where there is none."""
    name = notebook.partition("-")[2].removesuffix(".ipynb")
    path = Path(__file__).parent / language / f"{name}.toml"
    return dict(_flowing(tomllib.loads(path.read_text(encoding="utf-8")))) if path.exists() else {}


def _flowing(held: Any) -> Any:
    """Texts without the line ends that only the file needs."""
    if isinstance(held, dict):
        return {key: each if key in _CODE else _flowing(each) for key, each in held.items()}
    if isinstance(held, list):
        return [_flowing(each) for each in held]
    if isinstance(held, str):
        return "\n\n".join(" ".join(part.split()) for part in re.split(r"\n\s*\n", held.strip()))
    return held


def _exercise(judge: str = "", untouched: str = "", **held: Any) -> Exercise:
    """`judge` and `untouched` are functions in this folder, "MODULE.FUNCTION"; without a judge, the `asks` do it."""
    asks, places, besides = (held.pop(name, ()) for name in ("asks", "places", "besides"))
    counting = dict(_standing(**each) for each in besides)
    table = Policies([Ask(**each) for each in asks], [At(**each) for each in places], counting)
    judged = _function(judge) if judge else table
    return Exercise(judge=judged, untouched=_function(untouched) if untouched else None, **held)


def _standing(statement: dict[str, Any], **at: str) -> tuple[At, dict[str, Any]]:
    return At(**at), {"Version": "2012-10-17", "Statement": [statement]}


def _function(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(".")
    found: Callable[..., Any] = getattr(import_module(f"{__package__}.{module}"), function)
    return found
