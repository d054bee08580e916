"""Predict, then run, then read why: questions whose answer stays shut until the learner has given one.

A `Guess` is plain Python; `prediction_view` puts it on the screen. Nothing of the answer is in what a guess shows, in a
notebook file or in a browser, before the guess is locked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from string import ascii_lowercase
from typing import Any

from .markup import card, escape, inline, plain, prose
from .on_screen import OnScreen

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

    def page(self, name: str = "", chosen: int = -1) -> str:
        """The question as HTML: with controls, whose names begin with `name`, as long as it is open; without it, or
        locked in, as it stands."""
        rows = []
        for index, choice in enumerate(self.choices):
            mine = index == (chosen if self.locked is None else self.locked)
            if name and self.locked is None:
                radio = (
                    f'<input type="radio" name="{name}" data-do="choose" data-enter="lock" data-value="{index}"'
                    f'{" checked" if mine else ""}><span class="sl-radio"></span>'
                )
                rows.append(f'<label class="sl-option">{radio}<span>{inline(choice)}</span></label>')
            else:
                mark = '<span class="sl-mark">✔ Your answer, locked in</span>' if mine else ""
                css = f"sl-option is-set{' is-mine' if mine else ''}"
                rows.append(f'<li class="{css}"><span class="sl-radio"></span><span>{inline(choice)}</span>{mark}</li>')
        lock = '<button type="button" class="sl-b is-primary" data-do="lock">Lock in my answer</button>'
        is_open = name and self.locked is None
        question = inline(self.prediction.question)
        options = (
            f'<div class="sl-options" role="radiogroup" aria-label="{escape(plain(self.prediction.question))}">'
            f"{''.join(rows)}</div>"
            if is_open
            else f'<ol class="sl-options">{"".join(rows)}</ol>'
        )
        return card(
            f'<section class="sl-card sl-predict"><div class="sl-body"><p class="sl-eyebrow">Predict</p>'
            f'<h3 class="sl-title">{question}</h3>{options}</div><div class="sl-foot">{lock if is_open else ""}'
            f'<span role="status">{inline(self.status)}</span></div></section>'
        )

    def _view(self) -> Any:
        from .prediction_view import question_view

        return question_view(self)

    def _still(self) -> str:
        return self.page()


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

    def _still(self) -> str:
        if self.guess.locked is None:
            return card(f'<p class="sl-dim">{WAITING}</p>', css="sl-note")
        because = prose(self.guess.prediction.because)
        return card(f"<div><b>{prose(self.guess.outcome)}</b></div>{because}", css="sl-note")
