"""Predictions on the screen: a thin shell over `predictions.Guess`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import traitlets

from . import screen
from .markup import STYLE
from .predictions import Explanation, Guess

_CSS = """
.sl-predict { border-left: 4px solid var(--sl-yes); padding: .1em 0 .1em .8em; }
.sl-predict fieldset { border: 0; margin: 0; padding: 0; }
.sl-predict legend { font-weight: 600; padding: 0; margin-bottom: .3em; max-width: 100%; white-space: normal; }
.sl-predict legend::before { content: "Predict. "; color: var(--sl-yes); }
.sl-predict label { display: flex; gap: .5em; align-items: baseline; padding: .15em 0; cursor: pointer; }
.sl-predict label:has(input:checked) { font-weight: 600; }
.sl-predict button { font: inherit; margin: .4em 0 .2em; padding: .2em .9em; cursor: pointer; border-radius: 3px;
  color: inherit; background: transparent; border: 1px solid currentColor; }
.sl-predict button[hidden] { display: none; }
.sl-predict :focus-visible { outline: 2px solid var(--sl-yes); outline-offset: 2px; }
.sl-predict p { color: var(--sl-dim); }
"""


class _Question(anywidget.AnyWidget):  # type: ignore[misc]
    _esm = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
    _css = STYLE.removeprefix("<style>").removesuffix("</style>") + _CSS

    question = traitlets.Unicode().tag(sync=True)
    choices = traitlets.List(traitlets.Unicode()).tag(sync=True)
    status = traitlets.Unicode().tag(sync=True)
    locked = traitlets.Int(-1).tag(sync=True)  # set by Python alone
    choice = traitlets.Int(-1).tag(sync=True)  # set by the browser alone


def question_view(guess: Guess) -> dict[str, Any]:
    """The guess as a widget: a mime bundle that displays it."""
    widget = _Question(question=guess.prediction.question, choices=guess.choices)

    def follow() -> None:
        widget.locked = -1 if guess.locked is None else guess.locked
        widget.status = guess.status

    def chosen(change: dict[str, Any]) -> None:
        if 0 <= change["new"] < len(guess.choices):
            guess.lock(change["new"])
        follow()

    follow()
    guess.watch("question", follow)
    widget.observe(chosen, "choice")
    return screen.show(guess, "question", widget)


def explanation_view(explanation: Explanation) -> dict[str, Any]:
    """The explanation as a widget that opens when its guess is locked."""
    widget = ipywidgets.HTML(explanation.html)

    def follow() -> None:
        widget.value = explanation.html

    explanation.guess.watch("explanation", follow)
    return screen.show(explanation.guess, "explanation", widget)
