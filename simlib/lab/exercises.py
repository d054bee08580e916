"""Exercises: something to make, judged by what it does.

An `Exercise` has a judge: it takes the learner's answer – policies, or a function – to a table of requests that must
be allowed and others that must not be, and the first wrong row is told in a sentence. So any right answer passes,
however it is written, and `"*"` does not.

Policies are decided where they would stand, by the engine that decides every call of the running world, which they do
not change (`Cloud.inspect`). A function is really run, by real calls. Either is a rehearsal (`Cloud.rehearsal`): the
learner's world and its trail are afterwards what they were.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from . import catching_up, panel_answers
from .course.texts import texts, word
from .judging import Policies, Row, Unjudged, untouched
from .look import button
from .markup import plain, prose
from .page import Html, Part, el
from .panel import Panel, Shown

if TYPE_CHECKING:
    from simlib.cloud import Cloud


class Verdict(Panel):
    """What `check()` says; `passed` is None while there is nothing to judge. Of an exercise, with what helps on."""

    def __init__(self, passed: bool | None, text: str, made: Attempted | None = None) -> None:
        super().__init__()
        self.passed, self.text, self._made = passed, text, made
        self._help: list[Saying] = []
        self._asks = False  # whether the step is really to be begun again

    def __str__(self) -> str:
        sign, right, _ = _VERDICTS[self.passed]
        return plain(f"{sign} {word(right)} {self.text}".strip())

    @property
    def commands(self) -> Mapping[str, Callable[[str], object]]:
        return {"hint": self._hint, "solution": self._solve, "reset": self._reset, "keep": self._keep}

    def _hint(self, _: str) -> None:
        if self._made:
            self._say(self._made.hint())

    def _solve(self, _: str) -> None:
        if self._made:
            self._say(self._made.solution())

    def _reset(self, _: str) -> None:
        if self._made and self._asks:
            self._say(self._made.reset())
        self._asks = not self._asks
        self._draw()

    def _keep(self, _: str) -> None:
        self._asks = False
        self._draw()

    def _say(self, saying: Saying) -> None:
        self._help = [*(each for each in self._help if each.title != saying.title), saying]
        self._draw()

    def page(self) -> Part:
        sign, right, css = _VERDICTS[self.passed]
        words = el(f"span.{css}", sign, " ", word(right))
        told = el("div", words, Html(prose(self.text)), role="status")
        sayings = (each.page() for each in self._help)
        return el("section.sl-card", el("div.sl-body", told, *sayings), self._foot() if self._made else None)

    def _foot(self) -> Part:
        sure = button("reset", word("reset_now"), css=".is-primary"), button("keep", word("reset_not"))
        if self._asks:
            return el("div.sl-foot", *sure, el("span.sl-small.sl-dim", word("reset_sure"), role="status"), on="live")
        of = len(self._made.exercise.hints) if self._made else 0
        number = min(self._made.hinted, of - 1) + 1 if self._made else 0
        return el(
            "div.sl-foot",
            button("hint", f"{word('hint')} {number} / {of}"),
            button("solution", word("solution"), css=".is-quiet"),
            button("reset", word("reset"), css=".is-quiet"),
            on="live",
        )


_VERDICTS = {True: ("✔", "right", "sl-yes"), False: ("✘", "not_yet", "sl-no"), None: ("…", "unanswered", "sl-dim")}


@dataclass(frozen=True)
class Saying(Shown):
    """A hint or a solution: text of ours, with code in `backquotes` or as a block of its own."""

    title: str
    text: str
    code: str = ""

    def __str__(self) -> str:
        return "\n\n".join(filter(None, [f"{self.title}. {plain(self.text)}", self.code]))

    def page(self) -> Part:
        code = el("pre", self.code) if self.code else None
        return el("div.sl-quiet", el("p", el("b", f"{self.title}.")), Html(prose(self.text)), code, role="status")


def hint_titles() -> list[str]:
    """What the three hints of an exercise are called, from a nudge to nearly the answer."""
    return list(texts("words")["hints"])


Judge = Callable[..., Iterable[Row | str]]  # (world, *answer) -> rows, or a sentence for what is wrong otherwise


@dataclass(frozen=True)
class Exercise:
    """`waits_for` says what an untouched exercise wants; `given` is the text an answer begins as, which is no answer.

    `hints` are a nudge, the idea, and nearly the answer. `solution` is one right answer, as it would stand in the
    cell, and `because` says why it is right. Where the answer is a change of the world, `untouched` tells whether
    there has been any.
    """

    waits_for: str
    judge: Judge
    hints: Sequence[str]
    solution: str
    because: str
    given: Sequence[str] = ()
    untouched: Callable[..., bool] | None = None  # (world, *answer): nothing has been done yet
    praise: str = ""


@dataclass
class Attempted:
    """An exercise and what the learner of this kernel has made of it."""

    exercise: Exercise
    name: str
    hinted: int = 0
    passed: bool = False
    tries: int = 0
    on_change: Callable[[Attempted], None] = field(default=lambda _: None, repr=False)
    _begun: panel_answers.Begun | None = field(default=None, init=False, repr=False)
    _begun_in: Cloud | None = field(default=None, init=False, repr=False)

    def check(self, *answer: Any) -> Verdict:
        """Judge an answer; never raises, and changes nothing in the learner's world.

        A policy is given as text, as a dictionary, or as a panel in which it stands. Where the lesson's own text has
        not been touched, what stands in `panel()` counts, or else what a panel has applied in the world.
        """
        passed, text = self._judged(answer)
        if passed is not None:
            self.tries += 1
            self.passed = self.passed or passed
            self.on_change(self)
        return Verdict(passed, text, self)

    def panel(self) -> Any:
        """An editor to answer in, instead of the cell: write there, then `check()`."""
        from simlib.cloud import Cloud

        if not isinstance(self.exercise.judge, Policies):
            return Saying(word("panel"), word("panel_applied" if self.exercise.untouched else "panel_none"))
        places = [at.place for at in self.exercise.judge.places]
        if self._begun is None or self._begun_in is not Cloud.running:
            self._begun = panel_answers.begin(Cloud.running, places, self.exercise.given, self._begun)
            self._begun_in = Cloud.running
        return self._begun.editor

    def _judged(self, answer: tuple[Any, ...]) -> tuple[bool | None, str]:
        from simlib.cloud import Cloud

        about = ""
        try:
            if isinstance(self.exercise.judge, Policies):
                places = self.exercise.judge.places
                answer, about = panel_answers.taken(answer, self.exercise.given, places, self._begun, Cloud.running)
            elif any(panel_answers.documents(each) is not None for each in answer):
                raise Unjudged("This exercise is not about the text of a policy, so no panel holds the answer.")
            if self.exercise.given and len(answer) != len(self.exercise.given):
                return None, self.exercise.waits_for
            if any(untouched(each, given) for each, given in zip(answer, self.exercise.given, strict=False)):
                return None, self.exercise.waits_for
            if Cloud.running is None:
                return None, word("no_world")
            with Cloud.running.rehearsal():
                passed, text = self._judged_in(Cloud.running, answer)
        except Unjudged as problem:
            passed, text = False, str(problem)
        except (ClientError, BotoCoreError) as error:
            passed, text = False, f"{word('refused')}: {error}"
        except (Exception, SystemExit) as error:  # the learner's own code may raise anything
            passed, text = False, f"{word('raised')} {type(error).__name__}: {error}"
        return passed, f"{text} {about}".strip()

    def _judged_in(self, world: Cloud, answer: tuple[Any, ...]) -> tuple[bool | None, str]:
        if self.exercise.untouched is not None and self.exercise.untouched(world, *answer):
            return None, self.exercise.waits_for
        for row in self.exercise.judge(world, *answer):
            if isinstance(row, str) or not row.right:
                return False, row if isinstance(row, str) else row.sentence
        return True, self.exercise.praise or word("praise")

    def hint(self) -> Saying:
        """The next hint; after the third, the third again."""
        number = min(self.hinted, len(self.exercise.hints) - 1)
        self.hinted = number + 1
        self.on_change(self)
        return Saying(hint_titles()[number], self.exercise.hints[number])

    def solution(self) -> Saying:
        """One right answer, and why it is right: of policies their text, as it would stand in the editor."""
        code = self.exercise.solution
        if isinstance(self.exercise.judge, Policies):
            values = [each.value for each in ast.parse(code).body if isinstance(each, ast.Assign)]
            documents = [str(each.value) for each in values if isinstance(each, ast.Constant)]
            code = "\n".join(documents) if len(documents) == len(values) > 0 else code
        return Saying(word("a_solution"), self.exercise.because, code)

    def reset(self) -> Saying:
        """Repair the world: it becomes what it is when this exercise begins. What the learner has answered stays."""
        try:
            catching_up.begin_again(self.name)
        except LookupError as problem:
            return Saying(word("reset"), str(problem))
        return Saying(word("reset"), word("reset_done"))

    def __str__(self) -> str:
        state = word("solved") if self.passed else self.exercise.waits_for
        return f"{word('exercise')} {self.name!r}: {plain(state)} {word('ways')}"

    __repr__ = __str__
