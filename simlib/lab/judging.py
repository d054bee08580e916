"""What an answer is judged by: rows of requests that must be allowed and others that must not be.

Policies are decided where they would stand, by the engine that decides every call of the running world, which they do
not change (`Cloud.inspect`).
"""

from __future__ import annotations

import dis
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import FunctionType
from typing import Any

from simlib.challenges.judge import Row
from simlib.cloud.inspection import Place
from simlib.cloud.transport.refusals import Refusal
from simlib.iam import Evaluation, Policy, PolicyError, public_access
from simlib.iam.decision import GRANTS
from simlib.iam.errors import Problem
from simlib.iam.findings import ERROR, gravity
from simlib.iam.json_text import parse
from simlib.iam.validation import problems
from simlib.iam.vocabulary import ALLOW, DELEGATES, EXPLICIT_DENY

from .course.texts import word
from .policy.document import PolicyDocument
from .policy.store import blank


def sentence(row: Row) -> str:
    """ "Alice deletes report.csv: allowed, but should be refused. Allow statement 1 of … allows it." """
    outcome, expected = (word("is_allowed" if each else "is_refused") for each in (row.allowed, row.should))
    return f"{word('row').format(who=row.who, does=row.does, got=outcome, wanted=expected)} {row.because}".strip()


class Unjudged(Exception):
    """An answer that cannot be judged; the message says what is wrong with it, to the learner."""


def untouched(answer: Any, given: str) -> bool:
    """Whether an answer is still what the lesson gave: the same text, or a function without a body."""
    if isinstance(answer, FunctionType):
        return _steps(answer) == _steps(_nothing)
    if isinstance(answer, tuple):  # documents
        texts = [given, *map(blank, {each.kind for each in answer})]
        return all(any(untouched(each.text, text) for text in texts) for each in answer)
    if isinstance(answer, str):
        return "".join(answer.split()) in ("", "".join(given.split()))
    return answer is None or answer is Ellipsis


def _nothing() -> None: ...


def _steps(function: FunctionType) -> list[str]:
    return [step.opname for step in dis.get_instructions(function)]


@dataclass(frozen=True)
class Ask:
    """A row of the table: `by` is who `Cloud.inspect.ask` is told, or the claims of a workflow of GitHub Actions."""

    who: str  # as the sentence begins: "Alice"
    does: str  # as it goes on: "deletes report.csv"
    by: str | Mapping[str, str]
    action: str
    resource: str
    allowed: bool
    given: Mapping[str, Any] = field(default_factory=dict)  # circumstances: condition keys


NOTHING: Mapping[Any, Any] = {}


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

    @property
    def place(self) -> Place:
        return Place(self.owner, self.kind, self.name)

    @property
    def description(self) -> str:
        """ "the trust policy of reports"."""
        kind = {"trust": "the trust policy", "resource": "the policy"}.get(self.kind, "a permissions policy")
        return f"{kind} of {self.owner.rpartition(':')[2].rpartition('/')[2]}"


@dataclass(frozen=True)
class Policies:
    """A judge for policies, one for each place: these and what stands `besides` are all that counts for the asks.

    One policy for several places is written into each of them. A policy is a text, a dictionary, or the documents of a
    panel that stand at its place, under whatever name.
    """

    asks: Sequence[Ask]
    places: Sequence[At]
    besides: Mapping[At, Any] = field(default_factory=dict)

    def __call__(self, world: Any, *answers: Any) -> Iterator[Row]:
        answer_at = dict(zip(self.places, answers * len(self.places) if len(answers) == 1 else answers, strict=True))
        instead = {at.place: _read(text, at, at.name) for at, text in self.besides.items()}
        for at, answer in answer_at.items():
            instead |= _documents(answer, at) if isinstance(answer, tuple) else {at.place: _read(answer, at, at.yours)}
        for ask in self.asks:
            who = ask.by if isinstance(ask.by, str) else str(world.oidc_provider().workflow_token(**ask.by))
            documents = {**_others(world, who, ask.resource, instead), **instead}
            try:
                evaluation = world.inspect.ask(
                    who, ask.action, ask.resource, circumstances=ask.given, instead=documents
                )
            except Refusal as refusal:
                yield Row(ask.who, ask.does, False, ask.allowed, str(refusal))
                continue
            because = decided_by(evaluation)
            if ask.allowed and not evaluation.allowed:
                hints = dict.fromkeys(_never_works(*each) for each in answer_at.items())
                because = " ".join(filter(None, [because, *hints]))
            yield Row(ask.who, ask.does, evaluation.allowed, ask.allowed, because)


def _documents(documents: tuple[PolicyDocument, ...], at: At) -> dict[Any, Policy]:
    """Documents where they stand; those of another owner, or of no world, where the answer would."""
    in_place = [each.place and (each.place.owner, each.place.kind) == (at.owner, at.kind) for each in documents]
    the = "the " if at.kind in ("trust", "resource") else ""  # their names say whose they are
    return {
        each.place if stands else at.place: _read(
            each.text, replace(at, called=at.called or f"{the.title()}{each.name}"), f"{the}{each.name}"
        )
        for each, stands in zip(documents, in_place, strict=True)
    }


def _read(text: Any, at: At, name: str) -> Policy:
    subject = at.called or "The policy"
    if not isinstance(text, str | dict):
        raise Unjudged(f"{subject} is not a text but {type(text).__name__}.")
    try:
        policy = Policy.parse(text, at.kind, name=name or at.kind)
    except PolicyError as error:
        raise _unsaved(subject, error.problems) from None
    located = parse(text) if isinstance(text, str) else None  # what can be decided, and yet is not saved
    if mistakes := problems(located.value if located else text, at.kind, located, advice=False):
        raise _unsaved(subject, mistakes)
    if at.owner.startswith("arn:aws:s3:::") and public_access.is_public(policy):
        raise Unjudged(f"{subject} would not be saved: it is public, and the bucket blocks public access.")
    return policy


def _unsaved(name: str, problems: Sequence[Problem]) -> Unjudged:
    """Why AWS would not save a policy: what is there and should not be says more than what is missing."""
    first = next((each for each in problems if not each.code.startswith("missing-")), problems[0])
    where = f"line {first.line}, column {first.column}" if first.line else first.path
    return Unjudged(f"{name} would not be saved: {where}: {first.sentence}")


def _others(world: Any, who: Any, resource: str, present: Mapping[Any, Any]) -> dict[Any, None]:
    """What else counts for this request, to be left out: it is the answer alone that is judged."""
    others = {}
    for arn in (who, resource):
        try:
            documents = world.inspect.documents(arn)
        except (LookupError, ValueError, Refusal):
            continue
        for document in documents:
            if document.place not in present and document.place.kind in ("identity", "boundary", "resource"):
                others[document.place] = None
    return others


def _never_works(at: At, answer: Any) -> str:
    """What AWS would save and what can still not work: an action that there is not, for instance; "" if nothing."""
    texts = [each.text for each in answer] if isinstance(answer, tuple) else [answer]
    findings = [
        each for text in texts for each in problems(json.loads(text) if isinstance(text, str) else text, at.kind)
    ]
    finding = next((each for each in findings if gravity(each.code) == ERROR or each.code == "unknown-action"), None)
    return finding.sentence if finding else ""


def decided_by(evaluation: Evaluation) -> str:
    """What decided, in a sentence: what allows or denies, what is lacking, or which Deny has missed by one thing."""
    if not evaluation.allowed:
        return evaluation.hint()
    grants = [each for each in reversed(evaluation.deciding.statements) if each.check_type in GRANTS]
    titles = list(dict.fromkeys(each.title for each in grants if each.meaning == ALLOW))
    delegates = "".join(f"; {each.title} delegates to the account" for each in grants if each.meaning == DELEGATES)
    allows = f"{' and '.join(titles)} {'allows' if len(titles) == 1 else 'allow'} it{delegates}." if titles else ""
    near_denies = [
        each.sentence for each in evaluation.statements if each.meaning == EXPLICIT_DENY and each.misses == 1
    ]
    return " ".join([allows, *(f"{each}." for each in dict.fromkeys(near_denies))]).strip()
