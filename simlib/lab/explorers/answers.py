"""A question put to a world, and its answer told in one line, in steps and in statements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from simlib.cloud.inspection import Principal
from simlib.cloud.transport.refusals import Refusal
from simlib.iam import Evaluation, RequestError
from simlib.iam.explanation import ExplainedStatement
from simlib.iam.vocabulary import ALLOW, DELEGATES, EXPLICIT_DENY, IMPLICIT_DENY, NO_IMPACT, POLICY_NAMES

# AWS's checks in AWS's order, as a learner reads them.
CHECKS = {
    "RESOURCE_CONTROL_POLICY": "Resource control policies",
    "SERVICE_CONTROL_POLICY": "Service control policies",
    "VPC_ENDPOINT": "VPC endpoint policy",
    "RESOURCE": "Resource policy",
    "PRINCIPAL": "Identity policies",
    "PERMISSIONS_BOUNDARY": "Permissions boundary",
    "SESSION": "Session policy",
}
EFFECTS = {
    ALLOW: ("✔", "allows"),
    DELEGATES: ("→", "delegates to the caller's account"),
    NO_IMPACT: ("–", "says nothing, and need not"),
    IMPLICIT_DENY: ("✘", "an Allow is lacking"),
    EXPLICIT_DENY: ("✘", "denies"),
    "": ("·", "none here"),
}
_CEILINGS = ("RESOURCE_CONTROL_POLICY", "SERVICE_CONTROL_POLICY")  # that they allow goes without saying
_STRENGTH = ("", NO_IMPACT, DELEGATES, ALLOW, IMPLICIT_DENY, EXPLICIT_DENY)


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
class Step:
    """One of AWS's checks: what it means ("" where there is no such policy), and whether it is one that decides."""

    name: str
    effect: str
    decides: bool
    policies: tuple[str, ...] = ()

    @property
    def sign(self) -> str:
        return EFFECTS[self.effect][0]

    @property
    def word(self) -> str:
        return EFFECTS[self.effect][1]

    def __str__(self) -> str:
        marked = "  ← decides" if self.decides else ""
        return f"{self.sign} {self.name}: {self.word}{marked}"


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
    def because(self) -> str:
        """The statement that decides, "Decided by Allow statement 1 of read-bucket", or what is lacking."""
        if self.evaluation is None:
            return self.objection
        if self.evaluation.effect == IMPLICIT_DENY:
            return self._lacking()
        if deciding := self.deciding:
            return "Decided by " + " and ".join(plain(each.title) for each in deciding)
        return "The root user may do this." if self.evaluation.checks else "This needs no permission."

    @property
    def deciding(self) -> list[ExplainedStatement]:
        """The statements that decide: the first Deny, or the first of each check whose allow was needed."""
        evaluation = self.evaluation
        first: dict[str, ExplainedStatement] = {}
        for each in evaluation.deciding.statements if evaluation else ():
            first.setdefault(each.check_type, each)
        if evaluation and not evaluation.allowed:
            return list(first.values())[:1]
        return [each for kind, each in first.items() if kind not in _CEILINGS] or list(first.values())

    @property
    def missing(self) -> list[str]:
        """The kinds of policy that lack an Allow, as a reader calls them; none where nothing lacks."""
        evaluation = self.evaluation
        if evaluation is None:
            return []
        trust = "trust policy" if evaluation.request.is_trust_question else POLICY_NAMES["RESOURCE"]
        names = {**POLICY_NAMES, "PRINCIPAL": "identity policies", "RESOURCE": trust}
        return list(dict.fromkeys(names[check.check_type] for check in evaluation.deciding.lacking))

    def _lacking(self) -> str:
        names = self.missing
        if names == ["identity policies"]:
            return "No statement allows it"
        return f"No statement allows it in the {' and the '.join(names)}"

    @property
    def near_misses(self) -> list[str]:
        """Where nothing allows: why the Allow statements that came nearest do not match."""
        return [plain(each.sentence) for each in self.evaluation.near_misses] if self.evaluation else []

    @property
    def steps(self) -> list[Step]:
        """AWS's seven checks in its order, those that nothing is attached for included."""
        evaluation = self.evaluation
        if evaluation is None:
            return []
        decisive = evaluation.deciding.check
        decided = {decisive.check_type} if decisive else {each.check_type for each in self.deciding}
        trust = evaluation.request.is_trust_question
        found = []
        for kind, name in CHECKS.items():
            checks = [check for check in evaluation.checks if check.check_type == kind]
            meaning = max((check.meaning for check in checks), key=_STRENGTH.index, default="")
            policies = tuple(dict.fromkeys(policy.name for check in checks for policy in check.policies if policy.name))
            shown = "Trust policy" if kind == "RESOURCE" and trust else name
            found.append(Step(shown, meaning, kind in decided, policies))
        return found

    @property
    def reasons(self) -> list[str]:
        """Every statement of every policy that was asked: that it matches, or what keeps it from matching."""
        statements = self.evaluation.statements if self.evaluation else ()
        return list(dict.fromkeys(plain(each.sentence) for each in statements))


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


def as_answer(evaluation: Evaluation) -> Answer:
    """A decision that was made elsewhere, as an answer."""
    who = Principal(evaluation.principal, "", "", evaluation.principal)
    return Answer(Question(who, evaluation.action, evaluation.resource), evaluation)
