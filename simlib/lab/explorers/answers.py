"""A question put to a world, and its answer: a verdict, what decided, and why in one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from simlib.cloud.inspection import Principal
from simlib.cloud.transport.refusals import Refusal
from simlib.iam import Evaluation, RequestError
from simlib.iam.explanation import ExplainedStatement
from simlib.iam.vocabulary import ALLOW, EXPLICIT_DENY, IMPLICIT_DENY, POLICY_NAMES

from ..look import change, verdict
from ..page import Part

_CEILINGS = ("RESOURCE_CONTROL_POLICY", "SERVICE_CONTROL_POLICY")  # that they allow goes without saying

LACKING = {**POLICY_NAMES, "PRINCIPAL": "identity policies"}  # what lacks an Allow, by the kind of check


@dataclass(frozen=True)
class Question:
    """Who asks, to do what, on what; `circumstances` are condition keys of this request (None: without the key)."""

    who: Principal
    action: str
    resource: str
    circumstances: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def key(self) -> tuple[Any, ...]:
        """What makes it the same question at another time."""
        return (self.who, self.action, self.resource, repr(sorted(self.circumstances.items())))


@dataclass(frozen=True)
class Answer:
    """What AWS answers. `evaluation` is None where it refuses before any policy is read; then `objection` says why."""

    question: Question
    evaluation: Evaluation | None
    objection: str = ""

    @property
    def allowed(self) -> bool:
        return self.evaluation is not None and self.evaluation.allowed

    @property
    def word(self) -> str:
        """The verdict in one or two words: an explicit deny is told from a lacking allow."""
        if self.evaluation is None:
            return "Refused"
        return {ALLOW: "Allowed", EXPLICIT_DENY: "Denied"}.get(self.evaluation.effect, "Not allowed")

    @property
    def sign(self) -> str:
        """The verdict's shape, a name in `look.SIGNS`."""
        return {"Allowed": "yes", "Denied": "deny"}.get(self.word, "no")

    @property
    def verdict(self) -> Part:
        return verdict(self.sign, self.word)

    def changed_from(self, before: Answer | None) -> Part | None:
        """ "was ✔ Allowed", where it was something else `before`."""
        return change(before.sign, before.word) if before else None

    @property
    def because(self) -> str:
        """The statement that decides, "Allow statement 1 of read-bucket decides", or what is lacking."""
        if self.evaluation is None:
            return self.objection
        if self.evaluation.effect == IMPLICIT_DENY:
            return self._lacking()
        if deciding := self.deciding:
            titles = [plain(each.title) for each in deciding]
            return f"{' and '.join(titles)} decide{'s' if len(titles) == 1 else ''}"
        return "The root user may do this" if self.evaluation.checks else "This needs no permission"

    @property
    def deciding(self) -> list[ExplainedStatement]:
        """Of the statements that decide those to name: the first Deny, or the first of each check that grants."""
        evaluation = self.evaluation
        first: dict[str, ExplainedStatement] = {}
        for each in evaluation.deciding.statements if evaluation else ():
            first.setdefault(each.check_type, each)
        if evaluation and not evaluation.allowed:
            return list(first.values())[:1]
        return [each for kind, each in first.items() if kind not in _CEILINGS] or list(first.values())

    def _lacking(self) -> str:
        assert self.evaluation is not None
        trust = "trust policy" if self.evaluation.request.is_trust_question else POLICY_NAMES["RESOURCE"]
        names = {**LACKING, "RESOURCE": trust}
        lacking = list(dict.fromkeys(names[check.check_type] for check in self.evaluation.deciding.lacking))
        return "No statement allows it" + (
            "" if lacking == ["identity policies"] else f" in the {' and the '.join(lacking)}"
        )

    @property
    def near_misses(self) -> list[str]:
        """Where nothing allows: why the Allow statements that came nearest do not match."""
        return [plain(each.sentence) for each in self.evaluation.near_misses] if self.evaluation else []


def plain(sentence: str) -> str:
    """A sentence without marks for code."""
    return sentence.replace("`", "")


def put(question: Question, ask: Callable[..., Evaluation], **more: Any) -> Answer:
    """The answer to a question; what AWS refuses before it reads a policy, and what nobody can ask, is told in it."""
    try:
        evaluation = ask(question.who, question.action, question.resource, circumstances=question.circumstances, **more)
    except Refusal as refused:
        return Answer(question, None, f"{refused.code}: {refused.message}")
    except (LookupError, RequestError) as error:
        return Answer(question, None, str(error.args[0] if isinstance(error, LookupError) else error))
    return Answer(question, evaluation)
