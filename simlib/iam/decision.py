"""The values of a decision: the policies that have a say, the checks, every statement's elements, what decided."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from simlib.iam.principals import ACCOUNT, NOT, ROOT, Named
from simlib.iam.vocabulary import ALLOW, DELEGATES, EXPLICIT_DENY, IMPLICIT_DENY, NO_IMPACT

if TYPE_CHECKING:
    from simlib.iam.policy import Policy
    from simlib.iam.request import Request
    from simlib.iam.statement import Statement

GRANTS = ("RESOURCE", "PRINCIPAL")  # the checks that can grant; the others are ceilings
_SUBJECTS = {"Action": "the action", "Resource": "the resource", "Principal": "the caller"}


class PolicySet(NamedTuple):
    """Every policy that could have a say.

    ``scps`` and ``rcps`` are levels from the organization's root down to the account, each a tuple of policies.
    ``session``: the session policies, which act as one; ``None`` is a session without. ``resource`` is the policy of
    the resource: a bucket policy, a role's trust policy, a key policy. Nothing given for a layer means that the layer
    does not apply.
    """

    identity: tuple[Policy, ...] = ()
    permissions_boundary: Policy | None = None
    session: tuple[Policy, ...] | Policy | None = None
    resource: Policy | None = None
    scps: tuple[tuple[Policy, ...], ...] = ()
    rcps: tuple[tuple[Policy, ...], ...] = ()
    vpc_endpoint: tuple[Policy, ...] = ()

    def bounds(self, request: Request) -> bool:
        """Whether the caller has a permissions boundary; only users and roles can (UG/access_policies_boundaries)."""
        return self.permissions_boundary is not None and request.caller.kind < ROOT


class MatchedPolicy(NamedTuple):
    """A policy of which at least one statement matched."""

    policy: Policy
    statements: tuple[Statement, ...]


class Check(NamedTuple):
    """One requirement of the decision and its result, in the vocabulary of AWS's ``iam-toolbox`` API.

    ``level`` counts the levels of SCPs and RCPs from the organization's root, from 0; ``policies`` are all that were
    asked. ``needed``: whether the request fails without an allow from here. ``named``: how the freest allow names the
    caller, ``Named.NOT`` where nothing allows.
    """

    check_type: str
    effect: str
    matched_policies: tuple[MatchedPolicy, ...] = ()
    level: int | None = None
    policies: tuple[Policy, ...] = ()
    needed: bool = True
    named: Named = NOT

    def unneeded(self) -> Check:
        """The same where the request does without an allow from here."""
        return self._replace(effect=NO_IMPACT if self.effect == IMPLICIT_DENY else self.effect, needed=False)

    @property
    def meaning(self) -> str:
        """The effect, told apart where a resource's policy names only the caller's account: it ``DELEGATES``."""
        delegates = self.effect == ALLOW and self.check_type == "RESOURCE" and self.named == ACCOUNT
        return DELEGATES if delegates else self.effect


class Element(NamedTuple):
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
        """What there is and what is needed: ``aws:MultiFactorAuthPresent`` is absent; ``Bool`` needs ``true``."""
        actual = "absent" if self.actual is None else _code(_texts(self.actual)) or "empty"
        if self.name == "Condition":
            return f"{_code([self.key])} is {actual}; {_code([self.operator])} needs {self._needed}"
        plain = self.name.removeprefix("Not")
        verb = "is" if self.matched is not (plain != self.name) else "is not"
        return f"{_SUBJECTS[plain]} {actual} {verb} in {self.name} {_code(self.wanted)}"

    def to_dict(self) -> dict[str, Any]:
        condition = {"operator": self.operator or None, "key": self.key or None}
        actual = list(self.actual) if isinstance(self.actual, tuple) else self.actual
        compared = {"matched": self.matched, "wanted": list(self.wanted), "actual": actual}
        return {"element": self.name, **condition, **compared}

    @property
    def _needed(self) -> str:
        if self.operator.rpartition(":")[2] == "Null":
            return "it to be absent" if self.wanted == ("true",) else "it to be present"
        return ("anything but " if self.negated else "") + (_code(self.wanted) or "a value the policy does not give")


class ExplainedStatement(NamedTuple):
    """A statement of a policy that a check looked at, and why it matched the request or did not."""

    check_type: str
    level: int | None
    policy: Policy
    statement: Statement
    request: Request
    bounded: bool

    @property
    def elements(self) -> tuple[Element, ...]:
        """Every element, in the order Principal, Action, Resource, Condition."""
        return tuple(_elements(self.statement, self.request, self.bounded))

    @property
    def misses(self) -> int:
        """How many elements do not fit."""
        return sum(not element.matched for element in self.elements)

    @property
    def matched(self) -> bool:
        return self.deciding is None

    @property
    def deciding(self) -> Element | None:
        """The first element that does not fit; ``None`` where all do."""
        return next((element for element in self.elements if not element.matched), None)

    @property
    def meaning(self) -> str:
        """What it says to a request that it matches: ``ALLOW``, ``DELEGATES`` or ``EXPLICIT_DENY``."""
        if self.statement.effect == "Deny":
            return EXPLICIT_DENY
        names_account = self.check_type == "RESOURCE" and self.statement.names(self.request, self.bounded) == ACCOUNT
        return DELEGATES if names_account else ALLOW

    @property
    def title(self) -> str:
        """``Deny statement 2 (NoDelete) of policy-name``; statements count from 1, as a reader counts."""
        sid = f" ({self.statement.sid})" if self.statement.sid else ""
        return f"{self.statement.effect} statement {self.statement.index + 1}{sid} of {called(self.policy)}"

    @property
    def sentence(self) -> str:
        deciding = self.deciding
        return f"{self.title} matches" if deciding is None else f"{self.title} does not match: {deciding.sentence}"

    def to_dict(self) -> dict[str, Any]:
        place = {"check_type": self.check_type, "level": self.level, "policy": self.policy.name}
        statement = {"sid": self.statement.sid, "index": self.statement.index, "effect": self.statement.effect.upper()}
        elements = [each.to_dict() for each in self.elements]
        return {**place, **statement, "matched": self.matched, "elements": elements}


class Deciding(NamedTuple):
    """What decided.

    ``check``: of a refusal the check that AWS names; it mentions one only, among several the first in its order (a
    choice). ``statements``: of an explicit deny the statements that deny, those of ``check`` first; of an allow those
    whose allow was needed, on both sides where there are two, or, where either side would do, those of both; of an
    implicit deny none. ``lacking``: the checks that lack an allow.
    """

    check: Check | None
    statements: tuple[ExplainedStatement, ...] = ()
    lacking: tuple[Check, ...] = ()


class Decision(NamedTuple):
    """``effect`` is ``ALLOW``, ``IMPLICIT_DENY`` or ``EXPLICIT_DENY``; ``checks`` are in AWS's order."""

    request: Request
    policies: PolicySet
    effect: str
    checks: tuple[Check, ...]

    @property
    def allowed(self) -> bool:
        return self.effect == ALLOW

    @property
    def deciding(self) -> Deciding:
        """Which check and which statements decided."""
        if self.effect == IMPLICIT_DENY:
            lacking = self._lacking()
            return Deciding(lacking[0], lacking=lacking)
        decisive = [check for check in self.checks if check.effect == self.effect]
        if self.effect == EXPLICIT_DENY:
            return Deciding(decisive[0], tuple(self._matched(decisive, "Deny")))
        either = not any(check.needed for check in decisive if check.check_type in GRANTS)
        needed = [check for check in decisive if check.needed or (either and check.check_type in GRANTS)]
        return Deciding(None, tuple(self._matched(needed, "Allow")))

    def _lacking(self) -> tuple[Check, ...]:
        """In the caller's own account an identity policy is what most requests lack, so it goes before the resource's,
        which is left out where either may allow."""
        lacking = [check for check in self.checks if check.effect == IMPLICIT_DENY]
        if self.request.in_own_account and any(check.check_type == "PRINCIPAL" for check in lacking):
            resource = [check for check in lacking if check.check_type == "RESOURCE"]
            lacking = [check for check in lacking if check.check_type != "RESOURCE"]
            lacking += resource if self.request.owner_must_allow else []
        return tuple(lacking)

    def _matched(self, checks: Sequence[Check], effect: str) -> Iterator[ExplainedStatement]:
        for check in checks:
            for policy, statements in check.matched_policies:
                for statement in statements:
                    if statement.effect == effect:
                        yield self.explained(check, policy, statement)

    def explained(self, check: Check, policy: Policy, statement: Statement) -> ExplainedStatement:
        bounded = self.policies.bounds(self.request)
        return ExplainedStatement(check.check_type, check.level, policy, statement, self.request, bounded)

    @property
    def statements(self) -> Sequence[ExplainedStatement]:
        """Every statement of every policy that was asked, check by check, with what decided whether it matched."""
        return [
            self.explained(check, policy, statement)
            for check in self.checks
            for policy in check.policies
            for statement in policy.statements
        ]


def called(policy: Policy) -> str:
    """``AdministratorAccess``, ``web-app (trust policy)``: of the ARN of a managed or trust policy its last part."""
    name = policy.name or "the policy"
    return name.rpartition("/")[2] if name.startswith(("arn:aws:iam:", "arn:aws:organizations:")) else name


def _elements(statement: Statement, request: Request, bounded: bool) -> Iterator[Element]:
    document = statement.document
    if statement.principals is not None:
        name = "NotPrincipal" if statement.not_principal else "Principal"
        yield Element(name, bool(statement.names(request, bounded)), _names(document[name]), request.caller.arn)
    name = "NotAction" if statement.not_action else "Action"
    yield Element(name, statement.covers_action(request), _texts(document[name]), request.action)
    if statement.resources is not None:
        name = "NotResource" if statement.not_resource else "Resource"
        yield Element(name, statement.covers_resource(request), _texts(document[name]), request.resource)
    for condition in statement.conditions:
        holds, actual, operator = condition.holds(request.values), request.values.get(condition.key), condition.operator
        yield Element("Condition", holds, condition.wanted, actual, operator.name, condition.name, operator.negated)


def _texts(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _names(principal: Any) -> tuple[str, ...]:
    if isinstance(principal, str):
        return (principal,)
    return tuple(name for names in principal.values() for name in _texts(names))


def _code(texts: Sequence[str]) -> str:
    """Values as a sentence shows them: at most four, none of them longer than a line."""
    shown = [f"`{text if len(text) <= 120 else text[:119] + '…'}`" for text in texts[:4]]
    more = f" and {len(texts) - 4} more" if len(texts) > 4 else ""
    return ", ".join(shown) + more
