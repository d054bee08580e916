"""The predictions of the lessons, by name, and what the learner of this kernel has said to each.

They live here and not on a lesson's page, so that the page does not give the answers away.
"""

from __future__ import annotations

from difflib import get_close_matches

from .lesson_1 import QUESTIONS as LESSON_1
from .predictions import Explanation, Guess, Prediction

QUESTIONS: dict[str, Prediction] = {**LESSON_1}

_guesses: dict[str, Guess] = {}


def predict(name: str) -> Guess:
    """Ask for the prediction of that name; what was locked in before stays locked in."""
    if name not in QUESTIONS:
        near = get_close_matches(name, QUESTIONS, 1)
        raise KeyError(f"there is no prediction {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    return _guesses.setdefault(name, Guess(QUESTIONS[name], name))


def answer(name: str, choice: int | str) -> Explanation:
    """Lock in an answer from Python, by letter or index, and read the explanation."""
    guess = predict(name)
    guess.lock(choice)
    return guess.explain()


def explain(name: str) -> Explanation:
    """What happened and why; it waits until the prediction of that name is locked in."""
    return predict(name).explain()
