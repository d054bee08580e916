"""Why: every statement's elements, a learner's sentences, a hint and a structured form, all from one evaluation.

Nothing here decides: each element of a statement is asked again with the very predicate that decided, when somebody
wants to know.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from simlib.iam.evaluation import (
    ALLOW,
    EXPLICIT_DENY,
    IMPLICIT_DENY,
    NO_IMPACT,
    Check,
    Evaluation,
    in_own_account,
    is_bounded,
    is_trust_question,
    needs_no_permission,
    owner_must_allow,
)
from simlib.iam.principals import Kind
from simlib.iam.refusal import POLICY_NAMES, with_article

if TYPE_CHECKING:
    from simlib.iam.conditions import Condition
    from simlib.iam.policy import Policy
    from simlib.iam.request import Request
    from simlib.iam.statement import Statement

# --- statements and their elements ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Element:
    """One element of a statement put to the request: what was ``wanted``, what was there, and whether it fits.

    ``name`` is ``Action``, ``NotAction``, ``Resource``, …, ``Condition``; a condition also has ``operator`` and
    ``key``. ``actual`` is ``None`` where the request has no such key.
    """

    name: str
    matched: bool
    wanted: tuple[str, ...]
    actual: str | tuple[str, ...] | None
    operator: str = ""
    key: str = ""
    negated: bool = False

    @property
    def sentence(self) -> str:
        """What was found and what was wanted: ``aws:MultiFactorAuthPresent`` is absent; ``Bool`` needs ``true``."""
        if self.name == "Condition":
            return f"{_code([self.key])} is {_found(self.actual)}; {_code([self.operator])} needs {self._needed}"
        subject = {"Action": "the action", "Resource": "the resource", "Principal": "the caller"}
        plain = self.name.removeprefix("Not")
        verb = "is" if self.matched is not (plain != self.name) else "is not"
        return f"{subject[plain]} {_found(self.actual)} {verb} in {self.name} {_code(self.wanted)}"

    @property
    def _needed(self) -> str:
        if self.operator.rpartition(":")[2] == "Null":
            return "it to be absent" if self.wanted == ("true",) else "it to be present"
        return ("anything but " if self.negated else "") + (_code(self.wanted) or "a value the policy does not give")


@dataclass(frozen=True)
class ExplainedStatement:
    """A statement of a policy that was asked, and why it matched the request or did not."""

    check_type: str
    level: int | None
    policy: Policy
    statement: Statement
    request: Request
    bounded: bool

    @cached_property
    def elements(self) -> tuple[Element, ...]:
        """Every element, in the order Principal, Action, Resource, Condition."""
        return tuple(_elements(self.statement, self.request, self.bounded))

    @property
    def matched(self) -> bool:
        return all(element.matched for element in self.elements)

    @property
    def deciding(self) -> Element | None:
        """The first element that does not fit; ``None`` where all do."""
        return next((element for element in self.elements if not element.matched), None)

    @property
    def title(self) -> str:
        return _title(self.policy, self.statement)

    @property
    def sentence(self) -> str:
        deciding = self.deciding
        if deciding is None:
            return f"{self.title} matches"
        return f"{self.title} does not match: {deciding.sentence}"

    def to_dict(self) -> dict[str, Any]:
        return {
            "check_type": self.check_type,
            "level": self.level,
            "policy": self.policy.name,
            "sid": self.statement.sid,
            "index": self.statement.index,
            "effect": self.statement.effect.upper(),
            "matched": self.matched,
            "elements": [
                {
                    "element": element.name,
                    "operator": element.operator or None,
                    "key": element.key or None,
                    "matched": element.matched,
                    "wanted": list(element.wanted),
                    "actual": list(element.actual) if isinstance(element.actual, tuple) else element.actual,
                }
                for element in self.elements
            ],
        }


def _title(policy: Policy, statement: Statement) -> str:
    """``Deny statement 2 (NoDelete) of policy-name``; statements count from 1, as a reader counts."""
    sid = f" ({statement.sid})" if statement.sid else ""
    return f"{statement.effect} statement {statement.index + 1}{sid} of {called(policy)}"


def called(policy: Policy) -> str:
    """``AdministratorAccess``, ``web-app (trust policy)``: of the ARN of a managed or trust policy its last part."""
    name = policy.name or "the policy"
    return name.rpartition("/")[2] if name.startswith(("arn:aws:iam:", "arn:aws:organizations:")) else name


def explained_statements(evaluation: Evaluation) -> list[ExplainedStatement]:
    """Every statement of every policy that was asked, check by check, in the order of the documents."""
    return [
        _explained(evaluation, check, policy, statement)
        for check in evaluation.checks
        for policy in check.policies
        for statement in policy.statements
    ]


def _explained(evaluation: Evaluation, check: Check, policy: Policy, statement: Statement) -> ExplainedStatement:
    bounded = is_bounded(evaluation.request, evaluation.policies)
    return ExplainedStatement(check.check_type, check.level, policy, statement, evaluation.request, bounded)


def _elements(statement: Statement, request: Request, bounded: bool) -> Iterator[Element]:
    document = statement.document
    if statement.principals is not None:
        name = "NotPrincipal" if statement.not_principal else "Principal"
        yield Element(name, bool(statement.names(request, bounded)), _named(document[name]), request.caller.arn)
    name = "NotAction" if statement.not_action else "Action"
    yield Element(name, statement.covers_action(request), _listed(document[name]), request.action)
    if statement.resources is not None:
        name = "NotResource" if statement.not_resource else "Resource"
        yield Element(name, statement.covers_resource(request), _listed(document[name]), request.resource)
    for condition in statement.conditions:
        yield _condition(condition, request)


def _condition(condition: Condition, request: Request) -> Element:
    return Element(
        "Condition",
        condition.holds(request.values),
        condition.wanted,
        request.values.get(condition.key),
        condition.operator.name,
        condition.name,
        condition.operator.negated,
    )


# --- a learner's sentences ------------------------------------------------------------------------------------------

_EFFECTS = {
    ALLOW: "allows",
    NO_IMPACT: "says nothing, and need not",
    IMPLICIT_DENY: "an Allow is needed here, and nothing allows",
    EXPLICIT_DENY: "denies",
}


def explain(evaluation: Evaluation) -> str:
    """The decision, then one line for each check, with the statements that matched or came near."""
    request = evaluation.request
    verdict = {
        ALLOW: "Allowed",
        IMPLICIT_DENY: "Denied, because nothing allows it",
        EXPLICIT_DENY: "Denied by a statement",
    }
    lines = [f"{verdict[evaluation.effect]}: {request.caller.arn} asks for {request.action} on {request.resource}."]
    if needs_no_permission(request):
        lines.append("This action needs no permission, and no policy can withhold it.")
    for check in evaluation.checks:
        trust = check.check_type == "RESOURCE" and is_trust_question(request)
        lines.append(f"{'Trust policy' if trust else check_name(check)}: {_EFFECTS[check.effect]}.")
        for each in check.matched_policies:
            lines += [f"  {_title(each.policy, statement)} matches." for statement in each.statements]
        if check.effect == IMPLICIT_DENY:
            lines += [f"  {statement.sentence}." for statement in near_misses(evaluation, check)]
    why = _special_case(evaluation)
    return "\n".join([*lines, why] if why else lines)


def check_name(check: Check) -> str:
    """``Service control policy (level 1)``."""
    name = POLICY_NAMES[check.check_type]
    level = "" if check.level is None else f" (level {check.level + 1} from the organization's root)"
    return name[0].upper() + name[1:] + level


def near_misses(evaluation: Evaluation, check: Check, most: int = 3) -> list[ExplainedStatement]:
    """Allow statements that cover the action and fail on as few other elements as possible."""
    request = evaluation.request
    near = [
        _explained(evaluation, check, policy, statement)
        for policy in check.policies
        for statement in policy.candidates(request.folded_action)
        if statement.effect == "Allow" and statement.covers_action(request)
    ]
    near.sort(key=_distance)
    return [statement for statement in near[:most] if _distance(statement)]


def _distance(statement: ExplainedStatement) -> int:
    return sum(not element.matched for element in statement.elements)


def _special_case(evaluation: Evaluation) -> str:
    """The rule behind a denial that no policy explains."""
    request = evaluation.request
    if evaluation.allowed:
        return ""
    if request.caller.kind == Kind.ROOT and is_trust_question(request):
        return "The root user cannot assume a role, whatever the policies say."
    if request.caller.kind == Kind.FEDERATED_USER and request.service in ("iam", "sts"):
        return "Credentials from GetFederationToken cannot call IAM, nor STS but for GetCallerIdentity."
    if request.caller.kind == Kind.FEDERATED_USER and not evaluation.policies.session:
        return "Without a session policy a federated user has no permissions of its own."
    return ""


def hint(evaluation: Evaluation) -> str:
    """What would make this allowed, in as few sentences as are honest; "" when it is allowed."""
    if evaluation.allowed:
        return ""
    special = _special_case(evaluation)
    if special:
        return special
    if evaluation.effect == EXPLICIT_DENY:
        return " ".join(_ways_round_a_denial(evaluation))
    return " ".join(_missing_allow(evaluation, check) for check in lacking_checks(evaluation))


def lacking_checks(evaluation: Evaluation) -> list[Check]:
    """The checks that lack an allow; in one account the resource's policy may allow in place of the caller's."""
    lacking = [check for check in evaluation.checks if check.effect == IMPLICIT_DENY]
    either = in_own_account(evaluation.request) and not owner_must_allow(evaluation.request)
    if either and any(check.check_type == "PRINCIPAL" for check in lacking):
        return [check for check in lacking if check.check_type != "RESOURCE"]
    return lacking


def _ways_round_a_denial(evaluation: Evaluation) -> Iterable[str]:
    for check in evaluation.checks:
        for each in check.matched_policies if check.effect == EXPLICIT_DENY else ():
            for statement in each.statements:
                if statement.effect != "Deny":
                    continue
                explained = _explained(evaluation, check, each.policy, statement)
                conditions = [element for element in explained.elements if element.name == "Condition"]
                means = f"; it would not match if this were otherwise: {conditions[0].sentence}" if conditions else ""
                yield f"No Allow helps against {explained.title} ({POLICY_NAMES[check.check_type]}){means}."


def _missing_allow(evaluation: Evaluation, check: Check) -> str:
    """Which allow is lacking; the nearest statement is mentioned where one thing alone keeps it from matching."""
    request = evaluation.request
    place = {
        "SERVICE_CONTROL_POLICY": f"the {check_name(check)[0].lower()}{check_name(check)[1:]}",
        "RESOURCE": "the role's trust policy" if is_trust_question(request) else f"the policy of {request.resource}",
        "VPC_ENDPOINT": "the VPC endpoint's policy",
        "PERMISSIONS_BOUNDARY": "the permissions boundary",
        "SESSION": "the session policy",
    }.get(check.check_type, f"{with_article(POLICY_NAMES[check.check_type])} of {_holder(request)}")
    naming = f", with {request.caller.arn} as its Principal" if check.check_type == "RESOURCE" else ""
    text = f"It would need an Allow for {request.action} on {request.resource} in {place}{naming}"
    near = near_misses(evaluation, check, most=1)
    if near and _distance(near[0]) == 1 and near[0].deciding is not None:
        text += f"; {near[0].title} lacks one thing: {near[0].deciding.sentence}"
    return text + "."


def _holder(request: Request) -> str:
    """Whose identity policies count: a session has none of its own, they are its role's."""
    return str(request.caller.context.get("aws:PrincipalArn", request.caller.arn))


def to_dict(evaluation: Evaluation) -> dict[str, Any]:
    """Everything above as plain objects."""
    from simlib.iam.scenario import answer

    context = {key: list(value) if isinstance(value, tuple) else value for key, value in evaluation.context.items()}
    return {
        "principal": evaluation.principal,
        "action": evaluation.action,
        "resource": evaluation.resource,
        "context": context,
        **answer(evaluation),
        "reason": evaluation.reason,
        "explanation": evaluation.explain(),
        "hint": evaluation.hint(),
        "statements": [statement.to_dict() for statement in evaluation.statements],
    }


# --- words ----------------------------------------------------------------------------------------------------------


def _listed(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _named(principal: Any) -> tuple[str, ...]:
    if isinstance(principal, str):
        return (principal,)
    return tuple(name for names in principal.values() for name in _listed(names))


def _found(actual: str | tuple[str, ...] | None) -> str:
    if actual is None:
        return "absent"
    return _code(_listed(actual)) or "empty"


def _code(texts: Sequence[str]) -> str:
    """Values as a sentence shows them: at most four, none of them longer than a line."""
    shown = [f"`{text if len(text) <= 120 else text[:119] + '…'}`" for text in texts[:4]]
    more = f" and {len(texts) - 4} more" if len(texts) > 4 else ""
    return ", ".join(shown) + more
