"""Predict, run, say why: a question whose answer stays shut until the learner has given one, and an explanation that
opens when a reason has been chosen.

Nothing of either is in what is shown, in a notebook file or in a browser, before it is locked in.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .course.texts import word
from .experiments import run_on_copy
from .look import button, sign
from .options import Option, Options, by_letter
from .page import Part, el, line, paragraphs
from .panel import NEXT, Commands, Panel


@dataclass(frozen=True)
class Reason:
    """Why something happens, or seems to: what speaks for or against it, and AWS's check that it names, if it does."""

    text: str
    says: str
    check: str = ""


@dataclass(frozen=True)
class Experiment:
    """The smallest one that shows it, after the lesson's own: what to do, in words and as code."""

    text: str
    code: str


@dataclass(frozen=True)
class Prediction:
    """A question put before an experiment: `answer` is the index of what will happen, `because` says why.

    `reasons` answer the question `why`. The first is right; where they are `ordered`, all are, in this order. A page
    mixes them.
    """

    question: str
    choices: Sequence[str]
    answer: int
    because: str
    why: str = ""
    reasons: Sequence[Reason] = ()
    ordered: bool = False
    experiment: Experiment | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.answer < len(self.choices):
            raise ValueError(f"answer {self.answer} is none of the {len(self.choices)} choices of {self.question!r}")

    @property
    def mixed(self) -> list[int]:
        """The indices of the reasons as a page has them; where the order is asked, never in order."""
        places = [*range(len(self.reasons))]
        order = random.Random(self.because).sample(places, len(places))
        return order[::-1] if self.ordered and order == places else order

    def explained(self, reason: Sequence[int]) -> bool:
        """Whether this is the reason, or this is their order."""
        return [*reason] == ([*range(len(self.reasons))] if self.ordered else [0])


class Guess(Panel):
    """What a learner says to one prediction. Locked in, it stays until it is asked `again` on purpose.

    `locked` is None or the index of the choice; `reason` None or the indices of the reasons given, () for unsure.
    """

    def __init__(self, prediction: Prediction, name: str = "") -> None:
        super().__init__()
        self.prediction, self.name = prediction, name
        self.locked: int | None = None
        self.reason: tuple[int, ...] | None = None
        self.note = ""  # what became of keeping it
        self.on_lock: Callable[[], object] = lambda: None
        self._again = False
        self._options = Options()
        self._explanation = Explanation(self)

    @property
    def choices(self) -> list[str]:
        """What can be chosen; to be unsure is a choice too."""
        return [*self.prediction.choices, word("unsure")]

    @property
    def right(self) -> bool:
        return self.locked == self.prediction.answer

    @property
    def is_open(self) -> bool:
        """Whether something is still asked: the answer, or the reason for it."""
        return self.locked is None or (bool(self.prediction.reasons) and self.reason is None)

    def explain(self) -> Explanation:
        """The answer and why, for the cell after the experiment; it waits until the guess is locked."""
        return self._explanation

    def lock(self, choice: int | str) -> None:
        """Settle on a choice, by index or by its letter ("a", "b", …); a second one does not count."""
        index = by_letter(choice, len(self.choices))
        if self.locked is None:
            self.locked, self.note, self._again = index, "", False
            self.on_lock()
            self._draw()

    def settle(self, reason: Sequence[int]) -> None:
        """Settle on a reason, or on their order, by index in the prediction; a second one does not count."""
        if self.locked is not None and self.reason is None:
            self.reason = tuple(reason)
            self.on_lock()
            self._draw()

    def recall(self, choice: int = -1, reason: Sequence[int] | None = None) -> None:
        """Take up what was locked in elsewhere, and is kept already."""
        if self._again or not self.is_open or not 0 <= choice < len(self.choices):
            return
        self.locked = choice if self.locked is None else self.locked
        if reason is not None and {*reason} <= {*range(len(self.prediction.reasons))}:
            self.reason = tuple(reason)
        self._draw()

    def again(self) -> None:
        """Ask once more; what is kept stays kept until another answer is locked in."""
        self.locked, self.reason, self._again, self.note = None, None, True, ""
        self._options.pressed.clear()
        self._explanation.begin()
        self._draw()

    def _draw(self) -> None:
        super()._draw()
        self._explanation._draw()

    @property
    def commands(self) -> Commands:
        return {
            "choose": lambda value: self._options.press(value, len(self.choices)),
            "lock": self._lock,
            "again": lambda _: self.again(),
        }

    def _lock(self, _: str) -> str:
        if self.locked is not None:
            return ""
        if self._options.pressed:
            self.lock(self._options.pressed[0])
            return NEXT
        self.note = word("choose_first")
        self._draw()
        return ""

    @property
    def status(self) -> str:
        """One line under the choices."""
        if self.locked is None:
            return self.note or word("choose_one")
        return f"{word('locked')} {self.note}".rstrip()

    def page(self) -> Part:
        is_open, question = self.locked is None, self.prediction.question
        marks = (word("yours") if index == self.locked else "" for index in range(len(self.choices)))
        rows = [Option(choice, mark) for choice, mark in zip(self.choices, marks, strict=True)]
        options = self._options.page(question, rows) if is_open else _option_list(rows)
        body = el("p.sl-eyebrow", word("predict")), el("h3.sl-title", line(question)), options
        do = button("lock", word("lock"), css=".is-primary") if is_open else None
        again_button = None if is_open else button("again", word("again"), css=".is-quiet")
        status = el("span.sl-small.sl-dim", line(self.status), role="status")
        how = _in_python(f"lab.answer({self.name!r}, 'a')") if is_open and self.name else None
        return el(
            "section.sl-card.sl-predict", el("div.sl-body", body), el("div.sl-foot", do, status, again_button), how
        )


def _option_list(rows: Sequence[Option]) -> Part:
    return el("div.sl-options", *(row.page() for row in rows))


def _in_python(code: str) -> Part:
    """How to answer where there is nothing to press: in the text alone."""
    return Part("", text=f"(In Python: {code})")


class Explanation(Panel):
    """The reveal that belongs to a guess: what happens, the reasons to choose from, and then why."""

    def __init__(self, guess: Guess) -> None:
        super().__init__()
        self.guess = guess
        self.begin()

    def begin(self) -> None:
        """Nothing is chosen yet, and nothing tried."""
        self._options, self._note, self._result = Options(), "", ""

    @property
    def commands(self) -> Commands:
        return {"choose": self._choose, "lock": self._lock}

    def _choose(self, value: str) -> None:
        prediction = self.guess.prediction
        self._options.press(value, len(prediction.reasons) + 1, prediction.ordered)
        self._note = ""
        if prediction.ordered:
            self._draw()

    def _lock(self, _: str) -> str:
        """What the one button does: lock the reason in; afterwards, where it was another one, try it."""
        if self.guess.locked is None:
            return ""
        if self.guess.is_open:
            try:
                self.answer(self._options.pressed)
            except ValueError as wanting:
                self._note = str(wanting)
            else:
                return "" if self.experiment else NEXT
        elif self.experiment:
            self._result = run_on_copy(self.experiment.code)
        self._draw()
        return ""

    def answer(self, pressed: Sequence[int]) -> None:
        """Give the reason, or the order of all, by index on the page. Raises `ValueError` where one is wanting."""
        mixed, ordered = self.guess.prediction.mixed, self.guess.prediction.ordered
        if [*pressed] == [len(mixed)]:
            self.guess.settle(())
        elif len(pressed) != (len(mixed) if ordered else 1):
            raise ValueError(word("order_first" if ordered else "choose_first"))
        else:
            self.guess.settle([mixed[index] for index in pressed])

    @property
    def experiment(self) -> Experiment | None:
        """What is to be tried by somebody who has expected otherwise, or for another reason."""
        guess, prediction = self.guess, self.guess.prediction
        if guess.is_open or (guess.right and (not prediction.reasons or prediction.explained(guess.reason or ()))):
            return None
        return prediction.experiment

    @property
    def reasons(self) -> list[Option]:
        """The reasons as they are asked, and then as they are told: in their order, if they have one."""
        chosen, prediction = self.guess.reason, self.guess.prediction
        if chosen is None:
            mixed = [prediction.reasons[index] for index in prediction.mixed]
            with_checks = all(each.check for each in mixed)  # a check that only the right one names would give it away
            return [*(Option(each.text, check=each.check * with_checks) for each in mixed), Option(word("unsure"))]
        rows = []
        for index in range(len(prediction.reasons)) if prediction.ordered else prediction.mixed:
            reason, place = prediction.reasons[index], chosen.index(index) + 1 if index in chosen else 0
            true = place == index + 1 if prediction.ordered else index == 0
            mark = (f"{word('your_place')}: {place}" if prediction.ordered else word("your_reason")) if place else ""
            says = reason.says if true or place or prediction.ordered else ""
            rows.append(Option(reason.text, mark, index + 1 if prediction.ordered else 0, true, says, reason.check))
        return rows

    def page(self) -> Part:
        guess, prediction, locked = self.guess, self.guess.prediction, self.guess.locked
        if locked is None:
            return el("p.sl-quiet.sl-dim", word("waiting"))
        because = None if guess.is_open else paragraphs(prediction.because, "div.sl-because")
        rows = [_revealed("as_predicted" if guess.right else "happens", prediction.choices[prediction.answer], True)]
        if not guess.right and locked < len(prediction.choices):
            rows.append(_revealed("expected", guess.choices[locked], False))
        body: list[Part | None] = [el("div.sl-options", *rows)]
        if prediction.reasons:
            why = prediction.why or word("why")
            options = (
                self._options.page(why, self.reasons, prediction.ordered)
                if guess.is_open
                else _option_list(self.reasons)
            )
            body += [el("p.sl-eyebrow", word("explain")), el("h3.sl-title", line(why)), options]
        how = f"lab.answer({guess.name!r}, reason={'bca' if prediction.ordered else 'a'!r})"
        more = _in_python(how) if guess.is_open else None
        return el("section.sl-card", el("div.sl-body", *body, because, self._try()), self._foot(), more)

    def _try(self) -> Part | None:
        if not self.experiment:
            return None
        words = el("p", el("b", f"{word('try_it')}: "), line(self.experiment.text))
        result = el("pre.sl-said", self._result, role="status") if self._result else None
        return el("div.sl-try", words, el("pre", self.experiment.code), result)

    def _foot(self) -> Part | None:
        asks, ordered = self.guess.is_open, self.guess.prediction.ordered
        if not asks and not self.experiment:
            return None
        says = self._note or word("order_all" if ordered else "choose_reason") if asks else word("try_safe")
        do = button("lock", word("lock_reason" if asks else "try_it"), css=".is-primary")
        return el("div.sl-foot", do, el("span.sl-small.sl-dim", says, role="status"), on="live")


def _revealed(heading: str, choice: str, true: bool) -> Part:
    words = el("span", el("b", f"{word(heading)}: "), line(choice))
    return el(f"div.sl-option.is-set.{'is-true' if true else 'is-mine.is-false'}", sign("yes" if true else "no"), words)
