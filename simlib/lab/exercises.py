"""Exercises: something to make, judged by what it does.

An `Exercise` has a judge: it takes the learner's answer – policies, or a function – to a table of requests that must
be allowed and others that must not be, and the first wrong row is told in a sentence. So any right answer passes,
however it is written, and `"*"` does not.

It is judged in a rehearsal (`Cloud.rehearsal`): the learner's world and its trail are afterwards what they were.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from . import lesson_cells, panel_answers
from .course.texts import texts, word
from .judging import Policies, Row, Unjudged, sentence, untouched
from .look import button
from .markup import plain
from .page import Part, el, paragraphs
from .panel import Commands, Displayable, Panel, slot

if TYPE_CHECKING:
    from simlib.cloud import Cloud

    from .policy.editor import PolicyEditor

_VERDICTS = {True: ("✔", "right", "sl-yes"), False: ("✘", "not_yet", "sl-no"), None: ("…", "unanswered", "sl-dim")}


class Verdict(Panel):
    """What `check()` says; `passed` is None while there is nothing to judge. Of an exercise, with what helps on; with
    an `editor`, the place to answer in, and its check. Where the panel `above` says all of it, only how it went."""

    def __init__(
        self,
        passed: bool | None,
        text: str,
        state: ExerciseState | None = None,
        editor: PolicyEditor | None = None,
        *,
        above: bool = False,
    ) -> None:
        super().__init__()
        self.passed, self.text, self.state, self.editor, self.above = passed, text, state, editor, above
        self._help: dict[str, Advice] = {}
        self._asks = False  # whether the step is really to be begun again

    @property
    def hosted(self) -> Panel | None:
        return self.editor

    @property
    def commands(self) -> Commands:
        state = self.state
        if state is None:
            return {}
        return {
            "check": lambda _: self.take(*state.judge()),
            "hint": lambda _: self._say(state.hint()),
            "solution": lambda _: self._say(state.solution()),
            "reset": lambda _: self._reset(state) if self._asks else self._ask(True),
            "keep": lambda _: self._ask(False),
        }

    def take(self, passed: bool | None, text: str) -> None:
        """Show another verdict."""
        self.passed, self.text = passed, text
        self._draw()

    def _say(self, saying: Advice) -> None:
        self._help[saying.title] = saying
        self._draw()

    def _ask(self, asks: bool) -> None:
        self._asks = asks
        self._draw()

    def _reset(self, state: ExerciseState) -> None:
        """Begin the step again; what was said of the world before is no longer true of it."""
        advice, self._asks = state.reset(), False
        if state.exercise.untouched is not None:
            self.passed, self.text = None, state.exercise.waits_for
        self._say(advice)

    def page(self) -> Part:
        sign, right, css = _VERDICTS[self.passed]
        text = word("panel_asks" if self.passed is None else "panel_says") if self.above else self.text
        words = el(f"span.{css}", sign, " ", word(right)), paragraphs(text, "div.sl-because")
        status = el("div", *words, role="status", text=plain(f"{sign} {word(right)} {text}"))
        answer = (el("p.sl-dim", word("panel_how")), slot(still=self.editor.page)) if self.editor else ()
        # why it is right is told once
        messages = (replace(each, text="" if each.text in self.text else each.text) for each in self._help.values())
        return el(
            "section.sl-card",
            el("div.sl-body", answer, status, *(each.page() for each in messages)),
            self._foot() if self.state else None,
        )

    def _foot(self) -> Part:
        if self._asks:  # the focus stays in this row: the button that goes gives its key to the one that comes
            sure = button("reset", word("reset_now"), css=".is-primary"), button("keep", word("reset_not"), key="reset")
            return el("div.sl-foot", *sure, el("span.sl-small.sl-dim", word("reset_sure"), role="status"), on="live")
        of, hints = (len(self.state.exercise.hints), self.state.hinted) if self.state else (0, 0)
        return el(
            "div.sl-foot",
            button("check", word("check"), css=".is-primary") if self.editor else None,
            button("hint", f"{word('hint')} {min(hints, of - 1) + 1} / {of}"),
            button("solution", word("solution"), css=".is-quiet"),
            button("reset", word("reset"), css=".is-quiet", key="reset"),
            on="live",
        )


@dataclass(frozen=True, repr=False)
class Advice(Displayable):
    """A hint or a solution: text of ours, with code in `backquotes` or as a block of its own."""

    title: str
    text: str
    code: str = ""

    def page(self) -> Part:
        code = el("pre", self.code, text=self.code) if self.code else None
        return el("div.sl-quiet", el("p", el("b", f"{self.title}.")), paragraphs(self.text), code, role="status")


def hint(hints: Sequence[str], number: int) -> Advice:
    """One of three, by index: a nudge, the idea, or nearly the answer."""
    return Advice(texts("words")["hints"][number], hints[number])


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
class ExerciseState:
    """An exercise and what the learner of this kernel has made of it."""

    exercise: Exercise
    name: str
    hinted: int = 0
    passed: bool = False
    tries: int = 0
    on_change: Callable[[ExerciseState], None] = field(default=lambda _: None, repr=False)
    _panel: Verdict | None = field(default=None, init=False, repr=False)
    _begun_in: Cloud | None = field(default=None, init=False, repr=False)

    def check(self, *answer: Any) -> Verdict:
        """Judge an answer; never raises, and changes nothing in the learner's world.

        A policy is given as text, as a dictionary, or as a panel in which it stands. Where the lesson's own text has
        not been touched, what stands in `panel()` counts, or else what a panel has applied in the world. While that
        panel is open, the verdict and the buttons are there, and what is returned says only how it went.
        """
        from simlib.cloud import Cloud

        verdict = self.judge(*answer)
        if answer or self._panel is None or self._begun_in is not Cloud.running:
            return Verdict(*verdict, self)
        self._panel.take(*verdict)
        return Verdict(*verdict, above=True)

    def judge(self, *answer: Any) -> tuple[bool | None, str]:
        """Whether an answer, as `check` takes it, is right – None: there is none yet –, and what is said of it."""
        passed, text = self._judge(answer)
        if passed is not None:
            self.tries += 1
            self.passed = self.passed or passed
            self.on_change(self)
        return passed, f"{text}\n\n{self.exercise.because}" if passed else text

    def panel(self) -> Verdict | Advice:
        """An editor to answer in, with its check, in place of the cell; what is written there goes along into another
        world."""
        from simlib.cloud import Cloud

        judge = self.exercise.judge
        if not isinstance(judge, Policies):
            return Advice(word("panel"), word("panel_applied" if self.exercise.untouched else "panel_none"))
        if self._panel is None or self._begun_in is not Cloud.running:
            earlier = self._panel.editor if self._panel else None
            editor = panel_answers.new_editor(Cloud.running, judge.places, self.exercise.given, earlier)
            self._panel, self._begun_in = Verdict(None, self.exercise.waits_for, self, editor), Cloud.running
        return self._panel

    def _judge(self, answer: tuple[Any, ...]) -> tuple[bool | None, str]:
        from simlib.cloud import Cloud

        about = ""
        try:
            if isinstance(self.exercise.judge, Policies):
                own, places = self._panel.editor if self._panel else None, self.exercise.judge.places
                answer, about = panel_answers.resolve(answer, self.exercise.given, places, own, Cloud.running)
            elif any(panel_answers.documents(each) is not None for each in answer):
                raise Unjudged("This exercise is not about the text of a policy, so no panel holds the answer.")
            if self.exercise.given and len(answer) != len(self.exercise.given):
                return None, self.exercise.waits_for
            if any(untouched(each, given) for each, given in zip(answer, self.exercise.given, strict=False)):
                return None, self.exercise.waits_for
            if Cloud.running is None:
                return None, word("no_world")
            with Cloud.running.rehearsal():
                passed, text = self._judge_in(Cloud.running, answer)
        except Unjudged as problem:
            passed, text = False, str(problem)
        except ClientError as error:
            passed, text = False, f"{word('refused')}: {error}"
        except BotoCoreError as error:
            passed, text = False, f"{word('unsent')}: {error}"
        except (Exception, SystemExit) as error:  # the learner's own code may raise anything
            passed, text = False, f"{word('raised')} {type(error).__name__}: {error}"
        return passed, f"{text} {about}".strip()

    def _judge_in(self, world: Cloud, answer: tuple[Any, ...]) -> tuple[bool | None, str]:
        if self.exercise.untouched is not None and self.exercise.untouched(world, *answer):
            return None, self.exercise.waits_for
        for row in self.exercise.judge(world, *answer):
            if isinstance(row, str) or not row.right:
                return False, row if isinstance(row, str) else sentence(row)
        return True, self.exercise.praise or word("praise")

    def hint(self) -> Advice:
        """The next hint; after the third, the third again."""
        number = min(self.hinted, len(self.exercise.hints) - 1)
        self.hinted = number + 1
        self.on_change(self)
        return hint(self.exercise.hints, number)

    def solution(self) -> Advice:
        """One right answer, and why it is right: of policies their text, as it would stand in the editor."""
        code = self.exercise.solution
        if isinstance(self.exercise.judge, Policies):
            values = [each.value for each in ast.parse(code).body if isinstance(each, ast.Assign)]
            documents = [str(each.value) for each in values if isinstance(each, ast.Constant)]
            code = "\n".join(documents) if len(documents) == len(values) > 0 else code
        return Advice(word("a_solution"), self.exercise.because, code)

    def reset(self) -> Advice:
        """Repair the world: it becomes what it is when this exercise begins. What the learner has answered stays."""
        try:
            lesson_cells.begin_again(self.name)
        except LookupError as problem:
            return Advice(word("reset"), str(problem))
        return Advice(word("reset"), word("reset_done"))

    def __str__(self) -> str:
        state = word("solved") if self.passed else self.exercise.waits_for
        return f"{word('exercise')} {self.name!r}: {plain(state)} {word('ways')}"

    __repr__ = __str__
