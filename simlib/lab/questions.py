"""What the lessons ask, by name, and what the learner of this kernel has said and made of it.

Whatever is locked in or solved is written into the learner's progress.
"""

from __future__ import annotations

from . import course, progress
from .exercises import Attempted
from .predictions import Explanation, Guess

_guesses: dict[str, Guess] = {}
_attempted: dict[str, Attempted] = {}


def predict(name: str) -> Guess:
    """Ask for the prediction of that name; what was locked in before, in another kernel too, stays locked in."""
    if name not in _guesses:
        number = course.lesson_of(name, "QUESTIONS")
        guess = Guess(course.lesson(number).QUESTIONS[name], name)
        choice = progress.kept(number, "predictions", name).get("choice", -1)
        guess.locked = choice if 0 <= choice < len(guess.choices) else None
        guess.watch("progress", lambda: progress.prediction(number, name, guess))
        _guesses[name] = guess
    return _guesses[name]


def answer(name: str, choice: int | str) -> Explanation:
    """Lock in an answer from Python, by letter or index, and read the explanation."""
    guess = predict(name)
    guess.lock(choice)
    return guess.explain()


def explain(name: str) -> Explanation:
    """What happened and why; it waits until the prediction of that name is locked in."""
    return predict(name).explain()


def exercise(name: str) -> Attempted:
    """The exercise of that name: `.check(…)` an answer, ask for a `.hint()` or for the `.solution()`."""
    if name not in _attempted:
        number = course.lesson_of(name, "EXERCISES")
        kept = progress.kept(number, "exercises", name)
        made = Attempted(course.lesson(number).EXERCISES[name], name)
        made.passed, made.tries = kept.get("passed", False), kept.get("tries", 0)
        made.on_change = lambda changed: progress.exercise(number, name, changed)
        _attempted[name] = made
    return _attempted[name]
