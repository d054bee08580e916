"""Lessons as their files have them: texts, tables of requests, and by name what else judges an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from ..exercises import Exercise
from ..judging import Ask, At, Policies
from ..predictions import Experiment, Prediction, Reason
from .texts import texts


@dataclass(frozen=True)
class Lesson:
    """The name of a prediction, or of an exercise, stands for one thing in the whole course."""

    title: str
    predictions: Mapping[str, Prediction]
    exercises: Mapping[str, Exercise]


@cache
def load(slug: str, language: str) -> Lesson:
    """The lesson of that slug."""
    entries = texts(slug, language)
    return Lesson(
        entries["title"],
        {name: _prediction(**each) for name, each in entries["predictions"].items()},
        {name: _exercise(**each) for name, each in entries.get("exercises", {}).items()},
    )


def _prediction(reasons: Any = (), experiment: Any = None, **fields: Any) -> Prediction:
    parsed = Experiment(**experiment) if experiment else None
    return Prediction(reasons=[Reason(**each) for each in reasons], experiment=parsed, **fields)


def _exercise(
    judge: str = "", untouched: str = "", asks: Any = (), places: Any = (), besides: Any = (), **fields: Any
) -> Exercise:
    """`judge` and `untouched` are functions in this folder, "MODULE.FUNCTION"; without a judge, the `asks` do it."""
    standing = dict(_standing(**each) for each in besides)
    table = Policies([Ask(**each) for each in asks], [At(**each) for each in places], standing)
    judge_function = _function(judge) if judge else table
    return Exercise(judge=judge_function, untouched=_function(untouched) if untouched else None, **fields)


def _standing(statement: dict[str, Any], **at: str) -> tuple[At, dict[str, Any]]:
    return At(**at), {"Version": "2012-10-17", "Statement": [statement]}


def _function(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(".")
    value: Callable[..., Any] = getattr(import_module(f"{__package__}.{module}"), function)
    return value
