"""What the lessons ask, by name, and what the learner of this kernel has said and made of it.

Whatever is locked in or solved is written into the learner's progress.
"""

from __future__ import annotations

from . import course, progress
from .exercises import ExerciseState
from .options import by_letter
from .predictions import Explanation, Guess

_guesses: dict[str, Guess] = {}
_states: dict[str, ExerciseState] = {}


def predict(name: str, *, again: bool = False) -> Guess:
    """Ask for the prediction of that name; what was locked in before, in another kernel too, stays locked in.

    `again` asks once more: what was kept is forgotten when another answer is locked in.
    """
    slug = course.lesson_of(name, "predictions")
    prediction = course.lesson(slug).predictions[name]
    guess = _guesses.setdefault(name, Guess(prediction, name))
    guess.prediction, guess.on_lock = prediction, lambda: _keep(slug, guess)
    if again:
        guess.again()
    entry = progress.entry_of(slug, "predictions", name)
    guess.recall(entry.get("choice", -1), entry.get("reason"))
    _print_notices()
    return guess


def _keep(slug: str, guess: Guess) -> None:
    progress.prediction(slug, guess.name, guess)
    guess.note = progress.notices()


def answer(name: str, choice: int | str | None = None, reason: str = "") -> Explanation:
    """Lock in an answer from Python, by letter or index, and read the explanation; then, by letter, the reason.

    Where an order is asked, `reason` is the letters in that order: "bca".
    """
    guess = predict(name)
    if choice is not None:
        guess.lock(choice)
    if reason and guess.is_open:
        options = guess.explain().reasons
        guess.explain().answer([by_letter(each, len(options)) for each in reason])
    if guess.note:
        print(guess.note)
    return guess.explain()


def explain(name: str) -> Explanation:
    """What happened and why; it waits until the prediction of that name is locked in."""
    return predict(name).explain()


def exercise(name: str) -> ExerciseState:
    """The exercise of that name: `.check(…)` an answer, ask for a `.hint()` or for the `.solution()`."""
    slug = course.lesson_of(name, "exercises")
    current = course.lesson(slug).exercises[name]  # in the language that is spoken now
    if name not in _states:
        entry = progress.entry_of(slug, "exercises", name)
        state = ExerciseState(current, name)
        state.passed, state.tries = entry.get("passed", False), entry.get("tries", 0)
        state.on_change = lambda changed: (progress.exercise(slug, name, changed), _print_notices())
        _states[name] = state
    _states[name].exercise = current
    _print_notices()
    return _states[name]


def recall() -> None:
    """Take up what the file holds by now, where this kernel has shown it as open."""
    for name in _guesses:
        predict(name)
    for name, state in _states.items():
        entry = progress.entry_of(course.lesson_of(name, "exercises"), "exercises", name)
        state.passed, state.tries = state.passed or entry.get("passed", False), max(state.tries, entry.get("tries", 0))


def _print_notices() -> None:
    """Say in a cell what is to be known of the progress file."""
    if text := progress.notices():
        print(text)
