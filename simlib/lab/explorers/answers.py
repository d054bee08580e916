"""A question put to a world, and its answer told in one line, in steps and in statements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from simlib.cloud.inspection import Principal
from simlib.cloud.transport.refusals import Refusal
from simlib.iam import Evaluation, RequestError
from simlib.iam.evaluation import ALLOW, EXPLICIT_DENY, IMPLICIT_DENY, NO_IMPACT, Check, is_trust_question
from simlib.iam.explanation import ExplainedStatement, lacking_checks
from simlib.iam.refusal import POLICY_NAMES, deciding_check

MOST_MISSES = 3  # statements that came near are told in the line; all of them behind it

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
    NO_IMPACT: ("–", "says nothing, and need not"),
    IMPLICIT_DENY: ("✘", "an Allow is lacking"),
    EXPLICIT_DENY: ("✘", "denies"),
    "": ("·", "none here"),
}
_STRENGTH = ("", NO_IMPACT, ALLOW, IMPLICIT_DENY, EXPLICIT_DENY)


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
    """One of AWS's checks: its effect ("" where there is no such policy), and whether it is the one that decides."""

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
            return self._lacking(self.evaluation)
        if deciding := self.deciding:
            return "Decided by " + " and ".join(plain(each.title) for each in deciding)
        return "The root user may do this." if self.evaluation.checks else "This needs no permission."

    @property
    def deciding(self) -> list[ExplainedStatement]:
        """The statements that decide: the first Deny, or an Allow of each check whose allow was needed."""
        evaluation = self.evaluation
        if evaluation is None or evaluation.effect == IMPLICIT_DENY:
            return []
        wanted = "Deny" if evaluation.effect == EXPLICIT_DENY else "Allow"
        needed = {check.check_type for check in evaluation.checks if check.effect == evaluation.effect}
        ceilings = {"RESOURCE_CONTROL_POLICY", "SERVICE_CONTROL_POLICY"}
        if wanted == "Allow" and not needed <= ceilings:
            needed -= ceilings  # that they allow goes without saying
        first: dict[str, ExplainedStatement] = {}
        for each in evaluation.statements:
            if each.check_type in needed and each.statement.effect == wanted and each.matched:
                first.setdefault(each.check_type, each)
        return list(first.values())[: 1 if wanted == "Deny" else None]

    @property
    def missing(self) -> list[str]:
        """The kinds of policy that lack an Allow, as a reader calls them; none where nothing lacks."""
        evaluation = self.evaluation
        if evaluation is None or evaluation.effect != IMPLICIT_DENY:
            return []
        return list(dict.fromkeys(self._name(check) for check in lacking_checks(evaluation)))

    def _lacking(self, evaluation: Evaluation) -> str:
        names = self.missing
        if not names and evaluation.hint():
            return evaluation.hint()
        if names in (["identity policies"], []):
            return "No statement allows it"
        return f"No statement allows it in the {' and the '.join(names)}"

    def _name(self, check: Check) -> str:
        evaluation = self.evaluation
        if check.check_type == "PRINCIPAL":
            return "identity policies"
        if check.check_type == "RESOURCE" and evaluation and is_trust_question(evaluation.request):
            return "trust policy"
        return POLICY_NAMES[check.check_type]

    @property
    def near_misses(self) -> list[str]:
        """Where nothing allows: why each Allow statement of the policies that lack one does not match."""
        lacking = lacking_checks(self.evaluation) if self.evaluation and self.missing else []
        return self.misses(*(check.check_type for check in lacking))[:MOST_MISSES]

    def misses(self, *checks: str) -> list[str]:
        """Why the Allow statements of these kinds of check do not match."""
        statements = self.evaluation.statements if self.evaluation else ()
        missed = (each for each in statements if each.statement.effect == "Allow" and not each.matched)
        return [plain(each.sentence) for each in missed if each.check_type in checks]

    @property
    def steps(self) -> list[Step]:
        """AWS's seven checks in its order, those that nothing is attached for included."""
        evaluation = self.evaluation
        if evaluation is None:
            return []
        decided = {each.check_type for each in self.deciding}
        if (check := deciding_check(evaluation)) is not None:
            decided = {check.check_type}
        trust = is_trust_question(evaluation.request)
        found = []
        for kind, name in CHECKS.items():
            checks = [check for check in evaluation.checks if check.check_type == kind]
            effect = max((check.effect for check in checks), key=_STRENGTH.index, default="")
            policies = tuple(dict.fromkeys(policy.name for check in checks for policy in check.policies if policy.name))
            shown = "Trust policy" if kind == "RESOURCE" and trust else name
            found.append(Step(shown, effect, kind in decided, policies))
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
