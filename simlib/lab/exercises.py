"""Exercises: something to make, judged by what it does.

An `Exercise` has a judge: it takes the learner's answer – policies, or a function – to a table of requests that must
be allowed and others that must not be, and the first wrong row is told in a sentence. So any right answer passes,
however it is written, and `"*"` does not.

Policies are decided where they would stand, by the engine that decides every call of the running world, which they do
not change (`Cloud.inspect`). A function is really run, by real calls. Either is a rehearsal (`Cloud.rehearsal`): the
learner's world and its trail are afterwards what they were.
"""

from __future__ import annotations

import dis
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import FunctionType
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from simlib.cloud.permissions import public_access
from simlib.cloud.transport.refusals import Refusal
from simlib.iam import Evaluation, Policy, PolicyError
from simlib.iam.findings import ERROR, gravity
from simlib.iam.validation import problems

from .markup import card, plain, prose

if TYPE_CHECKING:
    from simlib.cloud import Cloud

SEVERAL = ("Think of this", "The idea", "Nearly the answer")


@dataclass(frozen=True)
class Row:
    """One request: who does what, whether it was allowed, whether it should be, and what decided."""

    who: str
    does: str
    allowed: bool
    should: bool
    because: str = ""

    @property
    def right(self) -> bool:
        return self.allowed == self.should

    @property
    def sentence(self) -> str:
        """ "Alice deletes report.csv: allowed, and should be refused. Allow statement 1 of … allows it." """
        got, wanted = (("refused", "allowed"), ("allowed", "refused"))[self.allowed]
        return f"{self.who} {self.does}: {got}, and should be {wanted}. {self.because}".strip()


@dataclass(frozen=True)
class Verdict:
    """What `check()` says. `passed` is None while there is nothing to judge."""

    passed: bool | None
    text: str

    def __str__(self) -> str:
        return plain(self._line)

    @property
    def _line(self) -> str:
        return f"{ {True: '✔ Right.', False: '✘ Not yet.', None: '… Waiting.'}[self.passed] } {self.text}".strip()

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


class Unjudged(Exception):
    """An answer that cannot be judged; the message says what is wrong with it, to the learner."""


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
    hints: tuple[str, str, str]
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

    def check(self, *answer: Any) -> Verdict:
        """Judge an answer; never raises, and changes nothing in the learner's world."""
        verdict = self._judged(answer)
        if verdict.passed is not None:
            self.tries += 1
            self.passed = self.passed or verdict.passed
            self.on_change(self)
        return verdict

    def _judged(self, answer: tuple[Any, ...]) -> Verdict:
        from simlib.cloud import Cloud

        if self.exercise.given and len(answer) != len(self.exercise.given):
            return Verdict(None, self.exercise.waits_for)
        if any(_untouched(each, given) for each, given in zip(answer, self.exercise.given, strict=False)):
            return Verdict(None, self.exercise.waits_for)
        if Cloud.running is None:
            return Verdict(None, "There is no running world. Run the first cells of the lesson, then this one again.")
        try:
            with Cloud.running.rehearsal():
                return self._judged_in(Cloud.running, answer)
        except Unjudged as problem:
            return Verdict(False, str(problem))
        except (ClientError, BotoCoreError) as error:
            return Verdict(False, f"AWS refused a call of it: {error}")
        except (Exception, SystemExit) as error:  # the learner's own code may raise anything
            return Verdict(False, f"It ended with {type(error).__name__}: {error}")

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
        return f"Exercise {self.name!r}: {plain(state)} .check(…), .hint() and .solution() are there for you."

    __repr__ = __str__


def _untouched(answer: Any, given: str) -> bool:
    """Whether an answer is still what the lesson gave: the same text, or a function without a body."""
    if isinstance(answer, FunctionType):
        return _steps(answer) == _steps(_nothing)
    if isinstance(answer, str):
        return "".join(answer.split()) in ("", "".join(given.split()))
    return answer is None or answer is Ellipsis


def _nothing() -> None: ...


def _steps(function: FunctionType) -> list[str]:
    return [step.opname for step in dis.get_instructions(function)]


# -- policies, judged where they would stand ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Ask:
    """A row of the table: `who` is anything `Cloud.inspect.ask` knows, or a function of the world that returns it."""

    name: str  # of who asks, as the sentence begins
    does: str  # as the sentence goes on: "deletes report.csv"
    who: str | Callable[[Any], Any]
    action: str
    resource: str
    should: bool
    given: Mapping[str, Any] = field(default_factory=dict)  # circumstances: condition keys


NOTHING: Mapping[Any, str] = {}


@dataclass(frozen=True)
class At:
    """Where a policy of the answer would stand: `owner` an ARN, `kind` as in `Policy.parse`, `name` if inline."""

    owner: str
    kind: str
    name: str = ""
    called: str = ""  # in a sentence, where there are several: "The trust policy"

    @property
    def yours(self) -> str:
        """What the answer is called in a sentence about one of its statements."""
        return self.called.replace("The", "your") or "your policy"


def policies(asks: Sequence[Ask], *places: At, besides: Mapping[At, str] = NOTHING) -> Judge:
    """A judge for policies, one for each place: these and what stands `besides` are all that counts for the asks.

    One policy for several places is written into each of them.
    """

    def judge(world: Any, *texts: Any) -> Iterator[Row]:
        written = dict(zip(places, texts * len(places) if len(texts) == 1 else texts, strict=True))
        instead = {_place(at): _read(text, at, at.name) for at, text in besides.items()}
        instead |= {_place(at): _read(text, at, at.yours) for at, text in written.items()}
        for ask in asks:
            who = ask.who(world) if callable(ask.who) else ask.who
            counting = {**_others(world, who, ask.resource, instead), **instead}
            try:
                found = world.inspect.ask(who, ask.action, ask.resource, circumstances=ask.given, instead=counting)
            except Refusal as refused:
                yield Row(ask.name, ask.does, False, ask.should, str(refused))
                continue
            because = decided_by(found)
            if ask.should and not found.allowed:
                useless = dict.fromkeys(_never_works(*each) for each in written.items())
                because = " ".join(filter(None, [because, *useless]))
            yield Row(ask.name, ask.does, found.allowed, ask.should, because)

    return judge


def _place(at: At) -> Any:
    from simlib.cloud.inspection import Place

    return Place(at.owner, at.kind, at.name)


def _read(text: Any, at: At, name: str) -> Policy:
    called = at.called or "The policy"
    if not isinstance(text, str | dict):
        raise Unjudged(f"{called} is not a text but {type(text).__name__}.")
    try:
        policy = Policy.parse(text, at.kind, name=name or at.kind)
    except PolicyError as error:
        first = error.problems[0]
        where = f"line {first.line}, column {first.column}" if first.line else first.path
        advice = f" ({first.suggestion})" if first.suggestion else ""
        raise Unjudged(f"{called} would not be saved: {where}: {first.message.rstrip('.')}{advice}.") from None
    document = json.loads(text) if isinstance(text, str) else text
    if at.owner.startswith("arn:aws:s3:::") and public_access.is_public(document):
        raise Unjudged(f"{called} would not be saved: it is public, and the bucket blocks public access.")
    return policy


def _others(world: Any, who: Any, resource: str, kept: Mapping[Any, Any]) -> dict[Any, None]:
    """What else counts for this request, to be left out: it is the answer alone that is judged."""
    found = {}
    for arn in (who, resource):
        try:
            documents = world.inspect.documents(arn)
        except (LookupError, ValueError, Refusal):
            continue
        for document in documents:
            if document.place not in kept and document.place.kind in ("identity", "boundary", "resource"):
                found[document.place] = None
    return found


def _never_works(at: At, text: Any) -> str:
    """What AWS would save and what can still not work: an action that there is not, for instance; "" if nothing."""
    found = problems(json.loads(text) if isinstance(text, str) else text, at.kind)
    wrong = next((each for each in found if gravity(each.code) == ERROR), None)
    if wrong is None:
        return ""
    return f"{wrong.message.rstrip('.')}{f' ({wrong.suggestion})' if wrong.suggestion else ''}."


def decided_by(evaluation: Evaluation) -> str:
    """What decided, in a sentence: what allows or denies, what is lacking, or which Deny has missed by one thing."""
    if not evaluation.allowed:
        return evaluation.hint()
    grants = [each for each in evaluation.statements if each.matched and each.check_type in ("PRINCIPAL", "RESOURCE")]
    titles = list(dict.fromkeys(each.title for each in reversed(grants)))
    allows = f"{' and '.join(titles)} {'allows' if len(titles) == 1 else 'allow'} it." if titles else ""
    missed = [each.sentence for each in evaluation.statements if each.statement.effect == "Deny"
              and sum(not element.matched for element in each.elements) == 1]  # fmt: skip
    return " ".join([allows, *(f"{each}." for each in dict.fromkeys(missed))]).strip()
