"""Predict, then run, then read why: questions whose answer stays shut until the learner has given one.

A `Guess` is plain Python; `prediction_view` puts it on the screen. Nothing of the answer is in what a guess shows, in a
notebook file or in a browser, before the guess is locked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from string import ascii_lowercase
from typing import Any

from .look import button, sign
from .markup import card, inline, plain, prose
from .on_screen import OnScreen
from .page import Html, Part, el

KEEPING = "progress"  # the place of the watcher that keeps what was locked in
UNSURE = "I am not sure: show me"
WAITING = "Waiting for your prediction above. The explanation opens here when you lock it in."


@dataclass(frozen=True)
class Prediction:
    """A question put before an experiment: `answer` is the index of what will happen, `because` says why."""

    question: str
    choices: Sequence[str]
    answer: int
    because: str

    def __post_init__(self) -> None:
        if not 0 <= self.answer < len(self.choices):
            raise ValueError(f"answer {self.answer} is none of the {len(self.choices)} choices of {self.question!r}")


@dataclass
class Guess(OnScreen):
    """What a learner says to one prediction. Locked once, it stays: `locked` is None or the index of the choice."""

    prediction: Prediction
    name: str = ""
    locked: int | None = None
    note: str = ""  # what became of keeping it
    _watchers: dict[str, Callable[[], None]] = field(default_factory=dict)

    @property
    def choices(self) -> list[str]:
        """What can be chosen; to be unsure is a choice too."""
        return [*self.prediction.choices, UNSURE]

    def lock(self, choice: int | str) -> None:
        """Settle on a choice, by index or by its letter ("a", "b", …); a second one does not count."""
        letters = dict(zip(ascii_lowercase, range(len(self.choices)), strict=False))
        index = letters.get(choice.lower(), -1) if isinstance(choice, str) else choice
        if not 0 <= index < len(self.choices):
            raise ValueError(f"choose one of {', '.join(ascii_lowercase[: len(self.choices)])}")
        if self.locked is not None:
            return
        self.locked, self.note = index, ""
        self._tell(self._watchers)

    def recall(self, choice: int) -> None:
        """Take up a choice that was locked in elsewhere, and is kept already."""
        if self.locked is None and 0 <= choice < len(self.choices):
            self.locked = choice
            self._tell(place for place in self._watchers if place != KEEPING)

    def _tell(self, places: Iterable[str]) -> None:
        for place in list(places):
            self._watchers[place]()

    def watch(self, place: str, watcher: Callable[[], None]) -> None:
        """Call `watcher` when the guess is locked; each place has one, and a later one takes over."""
        self._watchers[place] = watcher

    @property
    def outcome(self) -> str:
        """How the guess compares with what happens; empty while it is open."""
        if self.locked is None:
            return ""
        happens = self.prediction.choices[self.prediction.answer]
        if self.locked == self.prediction.answer:
            return f"As you predicted: {happens}"
        if self.locked == len(self.prediction.choices):
            return f"What happens: {happens}"
        return f"You expected: {self.choices[self.locked]}\n\nWhat happens: {happens}"

    @property
    def status(self) -> str:
        """One line under the choices."""
        if self.locked is None:
            return self.note or "Choose one, then lock it in. Nothing is revealed before."
        return f"Locked in. Now run the cell below: Shift + Enter. {self.note}".rstrip()

    def explain(self) -> Explanation:
        """The answer and why, for the cell after the experiment; it waits until the guess is locked."""
        return Explanation(self)

    def __str__(self) -> str:
        rows = [f"  {letter}) {plain(choice)}" for letter, choice in zip(ascii_lowercase, self.choices, strict=False)]
        how = f"\n(In Python: lab.answer({self.name!r}, 'a'))" if self.name and self.locked is None else ""
        return "\n".join([f"Predict. {plain(self.prediction.question)}", *rows, plain(self.status) + how])

    __repr__ = __str__

    def page(self, group: str = "", chosen: int = -1) -> Part:
        """The question. `group` names its radio buttons on the page, `chosen` is the one that is pressed."""
        is_open = self.locked is None
        mine = chosen if is_open else self.locked
        rows = [self._option(index, group, index == mine) for index in range(len(self.choices))]
        question = plain(self.prediction.question)
        group_of = {"role": "radiogroup", "aria_label": question} if is_open else {}
        return el(
            "section.sl-card.sl-predict",
            el(
                "div.sl-body",
                el("p.sl-eyebrow", "Predict"),
                el("h3.sl-title", Html(inline(self.prediction.question))),
                el("div.sl-options", *rows, **group_of),
            ),
            el(
                "div.sl-foot",
                button("lock", "Lock in my answer", css=".is-primary") if is_open else None,
                el("span.sl-small.sl-dim", Html(inline(self.status)), role="status"),
            ),
        )

    def _option(self, index: int, group: str, mine: bool) -> Part:
        words = [el("span.sl-radio"), el("span", Html(inline(self.choices[index])))]
        if self.locked is not None:
            mark = el("span.sl-mark", "✔ Your answer, locked in") if mine else None
            return el(f"div.sl-option.is-set{'.is-mine' if mine else ''}", *words, mark)
        press = {"do": "choose", "value": str(index), "data_enter": "lock"}
        return el("label.sl-option", el("input", type="radio", name=group, checked=mine, **press), *words)

    def _view(self) -> Any:
        from .prediction_view import question_view

        return question_view(self)

    def _still(self) -> str:
        return card(self.page().html())


@dataclass(frozen=True)
class Explanation(OnScreen):
    """The reveal that belongs to a guess: it opens by itself when the guess is locked."""

    guess: Guess

    def __str__(self) -> str:
        if self.guess.locked is None:
            return WAITING
        return f"{plain(self.guess.outcome)}\n\n{plain(self.guess.prediction.because)}"

    __repr__ = __str__

    def _view(self) -> Any:
        from .prediction_view import explanation_view

        return explanation_view(self)

    def page(self) -> Part:
        """What happens and why, beside the choice that was made, if that was another."""
        guess, prediction = self.guess, self.guess.prediction
        if guess.locked is None:
            return el("p.sl-quiet.sl-dim", WAITING)
        happens, right = prediction.choices[prediction.answer], guess.locked == prediction.answer
        because = el("div.sl-because", Html(prose(prediction.because)))
        heading = "As you predicted" if right else "What happens"
        options = [_revealed("yes", "is-true", happens, heading, because)]
        if not right and guess.locked < len(prediction.choices):
            options.append(_revealed("no", "is-mine.is-false", guess.choices[guess.locked], "You expected"))
        return el("section.sl-card", el("div.sl-body.sl-options", *options))

    def _still(self) -> str:
        return card(self.page().html())


def _revealed(which: str, css: str, choice: str, heading: str, because: Part | None = None) -> Part:
    words = el("span", el("b", f"{heading}: "), Html(inline(choice)))
    return el(f"div.sl-option.is-set.{css}", sign(which), words, because)
