"""Exercises: something to make, judged by what it does.

An `Exercise` has a judge: it takes the learner's answer – policies, or a function – to a table of requests that must
be allowed and others that must not be, and the first wrong row is told in a sentence. So any right answer passes,
however it is written, and `"*"` does not.

Policies are decided where they would stand, by the engine that decides every call of the running world, which they do
not change (`Cloud.inspect`). A function is really run, by real calls. Either is a rehearsal (`Cloud.rehearsal`): the
learner's world and its trail are afterwards what they were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from . import panel_answers
from .judging import Policies, Row, Unjudged, untouched
from .markup import card, plain, prose

if TYPE_CHECKING:
    from simlib.cloud import Cloud

PANEL = "In a panel"
SEVERAL = ("Think of this", "The idea", "Nearly the answer")


@dataclass(frozen=True)
class Verdict:
    """What `check()` says. `passed` is None while there is nothing to judge."""

    passed: bool | None
    text: str

    def __str__(self) -> str:
        return plain(self._line)

    @property
    def _line(self) -> str:
        words = {True: "✔ Right.", False: "✘ Not yet.", None: "… Not answered yet."}
        return f"{words[self.passed]} {self.text}".strip()

    __repr__ = __str__

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        css = {True: "sl-yes", False: "sl-no", None: "sl-dim"}[self.passed]
        sign, _sep, rest = prose(self._line).partition(".")
        shown = f'<span class="{css}">{sign.removeprefix("<p>")}.</span>{rest}'
        return {"text/plain": str(self), "text/html": card(f'<p role="status">{shown}', css="sl-note")}


@dataclass(frozen=True)
class Saying:
    """A hint or a solution: text of ours, with code in `backquotes` or as a block of its own."""

    title: str
    text: str
    code: str = ""

    def __str__(self) -> str:
        return "\n\n".join(filter(None, [f"{self.title}. {plain(self.text)}", self.code]))

    __repr__ = __str__

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        from .markup import escape

        code = f"<pre>{escape(self.code)}</pre>" if self.code else ""
        return {
            "text/plain": str(self),
            "text/html": card(f"<p><b>{escape(self.title)}.</b></p>{prose(self.text)}{code}", css="sl-note"),
        }


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
    praise: str = "It does what it should, and nothing else."


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
        verdict = self._judged(answer)
        if verdict.passed is not None:
            self.tries += 1
            self.passed = self.passed or verdict.passed
            self.on_change(self)
        return verdict

    def panel(self) -> Any:
        """An editor to answer in, instead of the cell: write there, then `check()`."""
        from simlib.cloud import Cloud

        if not isinstance(self.exercise.judge, Policies):
            world = "Whatever you apply, in any panel of this page, counts." if self.exercise.untouched else ""
            return Saying(PANEL, world or "Write a function for this exercise, in the cell above the check.")
        places = [at.place for at in self.exercise.judge.places]
        if self._begun is None or self._begun_in is not Cloud.running:
            self._begun = panel_answers.begin(Cloud.running, places, self.exercise.given, self._begun)
            self._begun_in = Cloud.running
        return self._begun.editor

    def _judged(self, answer: tuple[Any, ...]) -> Verdict:
        from simlib.cloud import Cloud

        about = ""
        try:
            if isinstance(self.exercise.judge, Policies):
                places = self.exercise.judge.places
                answer, about = panel_answers.taken(answer, self.exercise.given, places, self._begun, Cloud.running)
            elif any(panel_answers.documents(each) is not None for each in answer):
                raise Unjudged("This exercise is not about the text of a policy, so no panel holds the answer.")
            if self.exercise.given and len(answer) != len(self.exercise.given):
                return Verdict(None, self.exercise.waits_for)
            if any(untouched(each, given) for each, given in zip(answer, self.exercise.given, strict=False)):
                return Verdict(None, self.exercise.waits_for)
            if Cloud.running is None:
                return Verdict(
                    None, "There is no running world. Run the first cells of the lesson, then this one again."
                )
            with Cloud.running.rehearsal():
                verdict = self._judged_in(Cloud.running, answer)
        except Unjudged as problem:
            verdict = Verdict(False, str(problem))
        except (ClientError, BotoCoreError) as error:
            verdict = Verdict(False, f"AWS refused a call in your answer: {error}")
        except (Exception, SystemExit) as error:  # the learner's own code may raise anything
            verdict = Verdict(False, f"It ended with {type(error).__name__}: {error}")
        return replace(verdict, text=f"{verdict.text} {about}".strip())

    def _judged_in(self, world: Cloud, answer: tuple[Any, ...]) -> Verdict:
        if self.exercise.untouched is not None and self.exercise.untouched(world, *answer):
            return Verdict(None, self.exercise.waits_for)
        for row in self.exercise.judge(world, *answer):
            if isinstance(row, str):
                return Verdict(False, row)
            if not row.right:
                return Verdict(False, row.sentence)
        return Verdict(True, self.exercise.praise)

    def hint(self) -> Saying:
        """The next hint; after the third, the third again."""
        number = min(self.hinted, len(self.exercise.hints) - 1)
        self.hinted = number + 1
        self.on_change(self)
        return Saying(SEVERAL[number], self.exercise.hints[number])

    def solution(self) -> Saying:
        """One right answer, and why it is right."""
        return Saying("A solution", self.exercise.because, self.exercise.solution)

    def __str__(self) -> str:
        state = "solved" if self.passed else self.exercise.waits_for
        return f"Exercise {self.name!r}: {plain(state)} .check(…), .panel(), .hint() and .solution() are there for you."

    __repr__ = __str__
