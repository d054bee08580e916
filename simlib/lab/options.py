"""A question and its options on a card: one is chosen, or all are put into an order; then it is told what is true."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_lowercase

from simlib.iam.vocabulary import POLICY_NAMES

from .look import sign, tag
from .markup import unmarked
from .page import Part, el, line, paragraphs

_CHECKS = {**POLICY_NAMES, "TRUST": "trust policy"}  # what a learner calls the resource-based policy of a role


@dataclass(frozen=True)
class Option:
    """One of them: the `mark` of whoever chose it, in an order its `place` from 1; afterwards what is `true`, and why.

    `check` is AWS's check that the option names, if it names one; "TRUST" is that of a role's trust policy.
    """

    text: str
    mark: str = ""
    place: int = 0
    true: bool = False
    says: str = ""
    check: str = ""

    def page(self) -> Part:
        """As it stands when nothing is asked any more."""
        css = ".is-true" * self.true + ".is-mine" * bool(self.mark) + ".is-false" * bool(self.says and not self.true)
        shape = sign("yes" if self.true else "no") if self.says else el("span.sl-radio")
        mark = el("span.sl-mark", self.mark) if self.mark else None
        about = paragraphs(self.says, "div.sl-because") if self.says else None
        return el(f"div.sl-option.is-set{css}", shape, self.words, mark, about)

    @property
    def words(self) -> Part:
        number = el("b", f"{self.place}. ") if self.place else None
        return el("span", number, line(self.text), (" ", tag(_CHECKS[self.check])) if self.check else None)


class Options:
    """What is pressed of the options of one question, by index; the page's last option is to be unsure."""

    def __init__(self) -> None:
        self.pressed: list[int] = []
        self._group = f"sl-{secrets.token_hex(4)}"  # a browser knows radio buttons that belong together by their name

    def press(self, value: str, count: int, ordered: bool = False) -> None:
        """Press option `value` of `count`; one that has its place in an order gives it up again."""
        if not value.isdecimal() or int(value) >= count:
            return
        index, unsure = int(value), count - 1
        if not ordered or index == unsure:
            self.pressed = [index]
        elif index in self.pressed:
            self.pressed.remove(index)
        else:
            self.pressed = [*(each for each in self.pressed if each != unsure), index]

    def page(self, question: str, rows: Sequence[Option], ordered: bool = False, enter: str = "lock") -> Part:
        """The options to choose from, in text by their letters; `enter` is the command of the button they belong to."""
        lines = (f"  {letter}) {unmarked(row.text)}" for letter, row in zip(ascii_lowercase, rows, strict=False))
        return el(
            "div.sl-options",
            (self._open(index, row, ordered, enter) for index, row in enumerate(rows)),
            text="\n".join(lines),
            role="group" if ordered else "radiogroup",
            aria_label=unmarked(question),
        )

    def _open(self, index: int, row: Option, ordered: bool, enter: str) -> Part:
        press = {"do": "choose", "value": str(index), "data_home": index == 0}  # for who asks again
        if not ordered:
            is_chosen = index in self.pressed
            field = el("input", type="radio", name=self._group, checked=is_chosen, data_enter=enter, **press)
            return el("label.sl-option", field, el("span.sl-radio"), row.words)
        place = str(self.pressed.index(index) + 1) if index in self.pressed else ""
        pressed = "true" if place else "false"
        return el("button.sl-option", el("span.sl-place", place), row.words, aria_pressed=pressed, still=True, **press)


def by_letter(choice: int | str, count: int) -> int:
    """The index of a choice that is given as such or by its letter."""
    letters = dict(zip(ascii_lowercase, range(count), strict=False))
    index = letters.get(choice.lower(), -1) if isinstance(choice, str) else choice
    if not 0 <= index < count:
        raise ValueError(f"choose one of {', '.join(ascii_lowercase[:count])}")
    return index
