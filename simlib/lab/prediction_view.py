"""Predictions on the screen: a thin shell over `predictions.Guess`."""

from __future__ import annotations

from itertools import count
from typing import Any

import ipywidgets

from . import screen
from .interactive_html import InteractiveHTML
from .predictions import Explanation, Guess

_numbers = count(1)


def question_view(guess: Guess) -> Any:
    """The guess as a widget; when it is locked in, the focus goes on to the next cell."""
    name = f"sl-predict-{next(_numbers)}"
    chosen = [""]

    def choose(value: str) -> None:
        if value.isdecimal() and int(value) < len(guess.choices):
            chosen[0] = value

    def lock(_: str) -> None:
        was_open = guess.locked is None
        if chosen[0]:
            guess.lock(int(chosen[0]))
        elif was_open:
            guess.note = "Choose one of the answers first."
        draw()
        if was_open and guess.locked is not None:
            widget.send({"next": True})

    def draw() -> None:
        widget.html = html()

    def html() -> str:
        return f'<div class="simlib">{guess.page(name, int(chosen[0] or -1)).html(live=True)}</div>'

    widget = InteractiveHTML(html(), {"choose": choose, "lock": lock})
    guess.watch("question", draw)
    return screen.show(guess, "question", widget)


def explanation_view(explanation: Explanation) -> Any:
    """The explanation as a widget that opens when its guess is locked."""
    widget = ipywidgets.HTML(explanation._still())

    def follow() -> None:
        widget.value = explanation._still()

    explanation.guess.watch("explanation", follow)
    return screen.show(explanation.guess, "explanation", widget)
