"""A decision, what decided it, and its words: AWS's exact error text, a learner's sentences, what would help."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from simlib.iam.decision import GRANTS, Check, PolicySet
from simlib.iam.principals import ACCOUNT, Kind
from simlib.iam.vocabulary import ALLOW, DELEGATES, EXPLICIT_DENY, IMPLICIT_DENY, NO_IMPACT, POLICY_NAMES

if TYPE_CHECKING:
    from simlib.iam.matching import Values
    from simlib.iam.policy import Policy
    from simlib.iam.request import Request
    from simlib.iam.statement import Statement

_SUBJECTS = {"Action": "the action", "Resource": "the resource", "Principal": "the caller"}
_VERDICTS = {
    ALLOW: "Allowed",
    IMPLICIT_DENY: "Denied, because nothing allows it",
    EXPLICIT_DENY: "Denied, because a statement denies it",
}
_MEANINGS = {
    ALLOW: "allows",
    DELEGATES: "delegates to the caller's account, whose own policies must allow",
    NO_IMPACT: "no statement applies, and none is needed",
    IMPLICIT_DENY: "an Allow is needed here, and no statement gives one",
    EXPLICIT_DENY: "denies",
}


# --- why a statement matches, or does not -----------------------------------------------------------------------------


class Element(NamedTuple):
    """One element of a statement put to the request: what is ``expected``, what was there, and whether it fits.

    ``name`` is ``Action``, ``NotAction``, ``Resource``, …, ``Condition``; a condition also has ``operator`` and
    ``key``. ``actual`` is ``None`` where the request has no such key.
    """

    name: str
    matched: bool
    expected: tuple[str, ...]
    actual: Values | None
    operator: str = ""
    key: str = ""
    negated: bool = False

    @property
    def sentence(self) -> str:
        """What there is and what is needed: ``aws:MultiFactorAuthPresent`` is absent; ``Bool`` needs ``true``."""
        actual = "absent" if self.actual is None else _code(_texts(self.actual)) or "empty"
        if self.name != "Condition":
            plain = self.name.removeprefix("Not")
            verb = "is" if self.matched is not (plain != self.name) else "is not"
            return f"{_SUBJECTS[plain]} {actual} {verb} in {self.name} {_code(self.expected)}".rstrip()
        expected = _code(self.expected) or "a value the policy does not give"
        needed = f"anything but {expected}" if self.negated else expected
        if "Equals" in self.operator and self.operator.rpartition(":")[2][0] == "S" and "*" in "".join(self.expected):
            needed += ", in which `*` is no wildcard (it is one for `StringLike`)"
        if self.operator.rpartition(":")[2] == "Null":
            needed = "it to be absent" if self.expected == ("true",) else "it to be present"
        return f"{_code([self.key])} is {actual}; {_code([self.operator])} needs {needed}"


@dataclass
class ExplainedStatement:
    """A statement of a policy that a check looked at, and why it matched the request or did not."""

    check_type: str
    level: int | None
    policy: Policy
    statement: Statement
    request: Request
    bounded: bool

    @cached_property
    def elements(self) -> tuple[Element, ...]:
        """In the order Principal, Action, Resource, Condition."""
        return tuple(_elements(self.statement, self.request, self.bounded))

    @property
    def misses(self) -> int:
        """How many elements do not fit."""
        return sum(not element.matched for element in self.elements)

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
        return f"{self.statement.effect} statement {self.statement.index + 1}{sid} of {display_name(self.policy)}"

    @property
    def sentence(self) -> str:
        deciding = self.deciding
        return f"{self.title} matches" if deciding is None else f"{self.title} does not match: {deciding.sentence}"


def display_name(policy: Policy) -> str:
    """``AdministratorAccess``, ``web-app (trust policy)``: of the ARN of a managed or trust policy its last part; a
    policy that is called by the ARN of its resource is ``the policy of my-bucket``."""
    name = policy.title or policy.name or "the policy"
    if name.startswith(("arn:aws:iam:", "arn:aws:organizations:")):
        return name.rpartition("/")[2]
    return f"the policy of {name.rpartition(':')[2]}" if name.startswith("arn:") else name


def _elements(statement: Statement, request: Request, bounded: bool) -> Iterator[Element]:
    document, values = statement.document, request.values
    if statement.principals is not None:
        name, names = "NotPrincipal" if statement.not_principal else "Principal", statement.names(request, bounded)
        yield Element(name, bool(names), _texts(document[name]), request.caller.arn)
    # a statement of a key's policy may lack the other two, and then has no effect
    for element, patterns, excepted, actual, text in (
        ("Action", statement.actions, statement.not_action, request.action, request.folded_action),
        ("Resource", statement.resources, statement.not_resource, request.resource, request.resource),
    ):
        if patterns is not None:
            name = f"Not{element}" if excepted else element
            yield Element(name, patterns.matches(text, values) is not excepted, _texts(document.get(name, ())), actual)
    for condition in statement.conditions:
        holds, present, operator = condition.holds(values), values.get(condition.key), condition.operator
        yield Element("Condition", holds, condition.values, present, operator.name, condition.name, operator.negated)


def _texts(written: Any) -> tuple[str, ...]:
    """The texts of an element: one, several, or those of each type of principal."""
    if isinstance(written, Mapping):
        return tuple(text for texts in written.values() for text in _texts(texts))
    return (written,) if isinstance(written, str) else tuple(written)


def _code(texts: Sequence[str]) -> str:
    """Values as a sentence shows them: at most four, none of them longer than a line."""
    code = ", ".join(f"`{text if len(text) <= 120 else text[:119] + '…'}`" for text in texts[:4])
    return code + (f" and {len(texts) - 4} more" if len(texts) > 4 else "")


# --- the decision -----------------------------------------------------------------------------------------------------


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


class Evaluation(NamedTuple):
    """``effect`` is ``ALLOW``, ``IMPLICIT_DENY`` or ``EXPLICIT_DENY``; ``checks`` are in AWS's order.

    Its words are worked out when somebody wants them.
    """

    request: Request
    policies: PolicySet
    effect: str
    checks: tuple[Check, ...]

    @property
    def allowed(self) -> bool:
        return self.effect == ALLOW

    @property
    def principal(self) -> str:
        return self.request.principal

    @property
    def action(self) -> str:
        return self.request.action

    @property
    def resource(self) -> str:
        return self.request.resource

    @property
    def context(self) -> Mapping[str, Values]:
        """Every condition key the decision could see, those that AWS derives from the principal included
        (UG/reference_policies_condition-keys)."""
        known = {key: self.request.values[key.lower()] for key in self.request.context}
        names = {key.lower() for key in known}
        return {key: value for key, value in self.request.caller.context.items() if key.lower() not in names} | known

    @property
    def deciding(self) -> Deciding:
        """Which check and which statements decided."""
        decisive = [check for check in self.checks if check.effect == self.effect]
        if self.effect == IMPLICIT_DENY:
            # in the caller's own account an identity policy is what most requests lack, so it goes before the
            # resource's, which is left out where either may allow
            if self.request.in_own_account and any(check.check_type == "PRINCIPAL" for check in decisive):
                decisive.sort(key=lambda check: check.check_type == "RESOURCE")
                if not self.request.owner_must_allow:
                    decisive = [check for check in decisive if check.check_type != "RESOURCE"]
            return Deciding(decisive[0], lacking=tuple(decisive))
        if self.effect == EXPLICIT_DENY:
            return Deciding(decisive[0], self._matched(decisive, "Deny"))
        either = not any(check.needed for check in decisive if check.check_type in GRANTS)
        needed = [check for check in decisive if check.needed or (either and check.check_type in GRANTS)]
        return Deciding(None, self._matched(needed, "Allow"))

    @property
    def statements(self) -> Sequence[ExplainedStatement]:
        """Every statement of every policy that was asked, check by check, with what decided whether it matched."""
        return [each for check in self.checks for each in self._explained(check)]

    @property
    def near_misses(self) -> list[ExplainedStatement]:
        """The statements that came nearest to giving an allow that is lacking: of each check at most three, of other
        actions only where none is about this one."""
        lacking = self.deciding.lacking
        return [each for check in lacking for each in self._near(check) or self._near(check, of_action=False)]

    def _explained(self, check: Check, *, matched: bool = False) -> list[ExplainedStatement]:
        """The statements that a check looked at, or those of them that matched."""
        policies = check.matched_policies if matched else [(each, each.statements) for each in check.policies]
        bounded = self.policies.bounds(self.request)
        return [
            ExplainedStatement(check.check_type, check.level, policy, each, self.request, bounded)
            for policy, statements in policies
            for each in statements
        ]

    def _matched(self, checks: Iterable[Check], effect: str) -> tuple[ExplainedStatement, ...]:
        matched = [each for check in checks for each in self._explained(check, matched=True)]
        return tuple([each for each in matched if each.statement.effect == effect])

    def _near(self, check: Check, *, of_action: bool = True) -> list[ExplainedStatement]:
        """Allow statements that cover the action (or any) and fail on as few other elements as possible."""
        allows = [each for each in self._explained(check) if each.statement.effect == "Allow"]
        near = [each for each in allows if not of_action or each.statement.covers_action(self.request.folded_action)]
        return [each for each in sorted(near, key=lambda each: each.misses)[:3] if each.misses]

    # -- AWS's error text (UG/troubleshoot_access-denied)

    @property
    def message(self) -> str:
        """AWS's exact error text; "" when allowed. STS gives no reason, and S3 one only to its own family."""
        request, resource = self.request, self.request.resource
        if self.allowed:
            return ""
        if request.caller.kind == Kind.ROOT and request.folded_action == "sts:assumerole":
            return "Roles may not be assumed by root accounts."
        ours, theirs = request.values.get("aws:principalorgid"), request.values.get("aws:resourceorgid")
        in_family = request.in_own_account or (ours is not None and ours == theirs)  # one account or organization
        if request.service == "s3":
            if not in_family:
                return "Access Denied"
            resource = f'"{resource}"'
        text = f"User: {request.caller.arn} is not authorized to perform: {request.action} on resource: {resource}"
        check, statements, _ = self.deciding
        if check is None or request.is_trust_question:
            return text
        name = POLICY_NAMES[check.check_type]
        if self.effect == IMPLICIT_DENY:
            return f"{text} because no {name} allows the {request.action} action"
        text = f"{text} with an explicit deny in {'an' if name[0] == 'i' else 'a'} {name}"
        # the ARN of the managed policy that denies, which AWS adds for its family since 2026
        names = [each.policy.name for each in statements if each.check_type == check.check_type != "RESOURCE"]
        return text + next((f": {name}" for name in names if in_family and ":policy/" in name), "")

    # -- a learner's sentences

    def explain(self) -> str:
        """The decision, then one line for each check, with the statements that matched or came near."""
        request = self.request
        lines = [f"{_VERDICTS[self.effect]}: {request.caller.arn} asks for {request.action} on {request.resource}."]
        if request.needs_no_permission:
            lines.append("This action needs no permission, and no policy can withhold it.")
        for check in self.checks:
            trust = check.check_type == "RESOURCE" and request.is_trust_question
            name = "trust policy" if trust else _name(check)
            lines.append(f"{name[0].upper()}{name[1:]}: {_MEANINGS[check.meaning]}.")
            lines += [f"  {each.title} matches." for each in self._explained(check, matched=True)]
            if check.effect == IMPLICIT_DENY:
                lines += [f"  {each.sentence}." for each in self._near(check)]
        return "\n".join(lines)

    def hint(self) -> str:
        """What would make this allowed, in as few sentences as are honest; "" when it is allowed."""
        request, kind = self.request, self.request.caller.kind
        if self.allowed:
            return ""
        if kind == Kind.ROOT and request.is_trust_question:
            return "The root user cannot assume a role, whatever the policies say."
        if kind == Kind.FEDERATED_USER and request.service in ("iam", "sts"):
            return "Credentials from GetFederationToken cannot call IAM, nor STS but for GetCallerIdentity."
        if kind == Kind.FEDERATED_USER and not self.policies.session:
            return "Without a session policy a federated user has no permissions of its own."
        _, denying, lacking = self.deciding
        return " ".join([*map(_way_round, denying), *map(self._missing_allow, lacking)])

    def _missing_allow(self, check: Check) -> str:
        """Which allow is lacking; the nearest statement is mentioned where one thing alone keeps it from matching."""
        request = self.request
        # a session has no identity policies of its own, they are its role's
        holder = request.caller.context.get("aws:PrincipalArn", request.caller.arn)
        resource = "the role's trust policy" if request.is_trust_question else "the resource's own policy"
        near = [each for each in self._near(check)[:1] if each.misses == 1]
        named = any(each.deciding and "Principal" not in each.deciding.name for each in near)
        place = {
            "VPC_ENDPOINT": "the VPC endpoint's policy",
            "RESOURCE": resource if named else f"{resource}, with this caller as its Principal",
            "PRINCIPAL": f"an identity-based policy of {holder.split(':', 5)[-1]}",  # the first line names it whole
        }.get(check.check_type, f"the {_name(check)}")
        lacks = "".join(
            f" {each.title} fits but for one thing: {each.deciding.sentence}." for each in near if each.deciding
        )
        return f"It would need an Allow for {request.action} in {place}.{lacks}"


def _name(check: Check) -> str:
    """``service control policy (level 1 from the organization's root)``."""
    level = "" if check.level is None else f" (level {check.level + 1} from the organization's root)"
    return POLICY_NAMES[check.check_type] + level


def _way_round(denying: ExplainedStatement) -> str:
    conditions = [element.sentence for element in denying.elements if element.name == "Condition"]
    means = f" Its condition matches: {conditions[0]}." if conditions else ""
    return f"No Allow overrides {denying.title} ({POLICY_NAMES[denying.check_type]}).{means}"
