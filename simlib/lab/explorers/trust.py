"""TrustExplorer: a role's trust policy before everybody who might knock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simlib.cloud.inspection import Place, Principal
from simlib.iam.evaluation import EXPLICIT_DENY
from simlib.iam.explanation import lacking_checks
from simlib.iam.principals import Named

from ..markup import verdict_text
from .answers import Answer, Question
from .draft import Draft, place_of
from .explorer import Explorer, circumstances
from .people import find, title

ASSUME, WEB_IDENTITY = "sts:AssumeRole", "sts:AssumeRoleWithWebIdentity"
NOTHING_HELD = "nothing: the role has no permissions policy"
MOST_OF_ACCOUNT = 15  # rows; there may be hundreds of users and sessions
MOST_HELD = 4  # statements of what a session holds that are told in its line


@dataclass(frozen=True)
class Knock:
    """One caller at the door: in or out, why, and a second word where the trust policy alone does not settle it."""

    answer: Answer
    why: str
    second: str = ""

    @property
    def who(self) -> Principal:
        return self.answer.question.who

    @property
    def inside(self) -> bool:
        return self.answer.allowed

    @property
    def word(self) -> str:
        return "Assumed" if self.inside else "Refused"


class TrustExplorer(Explorer):
    """Who may borrow a role, decided again at every keystroke, and what they would hold.

        lab.TrustExplorer(aws, role="reports")
        lab.TrustExplorer(aws, role="reports", who=["alice", "bob", "ec2.amazonaws.com"], circumstances={"mfa": True},
                          requests=[("s3:GetObject", "arn:aws:s3:::my-secure-bucket/report.csv")])
        lab.TrustExplorer(aws, role="deploy", who=[fork_token, main_token])

    `role`: a name or ARN. `who`: the callers, as in `AccessExplorer`, tokens of an identity provider included; by
    default everybody: users, sessions, services, a session of this role itself, other accounts, tokens, a stranger.
    `requests`: what is asked with the borrowed role. `edit`: further documents beside the trust policy. `circumstances`
    are those of the knock.
    """

    arrangement = "trust_page"

    def __init__(
        self,
        world: Any,
        *,
        role: Any,
        who: Iterable[Any] | None = None,
        requests: Iterable[tuple[str, str]] = (),
        edit: Iterable[str | Place] = (),
        circumstances: Mapping[str, Any] | None = None,
        plain: bool | None = None,
    ) -> None:
        self.role = find(world, role)
        if self.role.kind != "role":
            raise LookupError(f"{role!r} is no role of this world.")
        self._who = None if who is None else [find(world, each) for each in who]
        self.requests = tuple(requests)
        places = [Place(self.role.arn, "trust"), *(place_of(world, each) for each in edit)]
        self._people: list[Principal] = []
        self.filter, self.left_out = "", 0
        super().__init__(world, Draft(world, places, plain=plain), circumstances)

    # -- commands ----------------------------------------------------------------------------------------------------

    def search(self, words: str) -> None:
        """Show only callers whose name, ARN, kind or account has these words in it."""
        self.filter = words
        self.decide()

    # -- what there is to see ----------------------------------------------------------------------------------------

    def _settle(self) -> None:
        self._people = self._who if self._who is not None else self._everybody()
        super()._settle()

    @property
    def people(self) -> list[Principal]:
        """Whose rows are shown: those the filter finds, of each account no more than `MOST_OF_ACCOUNT`."""
        words = self.filter.lower().split()
        found = [each for each in self._people if all(word in self._searched(each) for word in words)]
        counted: Counter[str] = Counter()
        shown = []
        for each in found:
            counted[each.account] += bool(each.account)
            if counted[each.account] <= MOST_OF_ACCOUNT:
                shown.append(each)
        self.left_out = len(found) - len(shown)
        return shown

    def _searched(self, person: Principal) -> str:
        account = self.world.account_name(person.account) if person.account else ""
        return f"{person.arn} {person.name} {person.kind} {account}".lower()

    def _everybody(self) -> list[Principal]:
        """All who might knock; a session stands for itself, other roles as a fresh session of them."""
        people: list[Principal] = self.world.inspect.principals()
        kinds = ("user", "role", "session", "root", "token", "service", "outside", "anonymous")
        order = {kind: index for index, kind in enumerate(kinds)}
        own = [each for each in people if each.account == self.role.account]
        others = [each for each in people if each.account and each.account != self.role.account]
        nobodys = [each for each in people if not each.account]
        return [each for group in (own, nobodys, others) for each in sorted(group, key=lambda one: order[one.kind])]

    @property
    def questions(self) -> list[Question]:
        return [self._knocking(each) for each in self.people] + [
            self._holding(action, resource) for action, resource in self.requests
        ]

    def _knocking(self, person: Principal) -> Question:
        action = WEB_IDENTITY if person.kind == "token" else ASSUME
        given = {} if person.kind in ("token", "service") else circumstances(self.circumstances)
        return Question(person, action, self.role.arn, given)

    def _holding(self, action: str, resource: str) -> Question:
        return Question(self.role, action, resource)

    @property
    def knocks(self) -> list[Knock]:
        """Every caller's row, in the order of the table."""
        return [self._knock(self.answers[self._knocking(each).key]) for each in self.people]

    def knock(self, who: Any) -> Knock:
        """The row of one caller, by name."""
        question = self._knocking(find(self.world, who))
        return self._knock(self.answers.get(question.key) or self._put(question, instead=self.draft.instead))

    def _knock(self, answer: Answer) -> Knock:
        return Knock(answer, _why(answer), _second(answer, self.role.account))

    @property
    def held(self) -> list[str]:
        """What a session of the role holds: the verdicts on `requests`, else the statements of its policies."""
        if self.requests:
            answers = [self.answers[self._holding(*request).key] for request in self.requests]
            return [f"{verdict_text(each.allowed, each.word)} {each.question.action} on {each.question.resource}"
                    for each in answers]  # fmt: skip
        return list(self._permissions())

    def _permissions(self) -> Iterable[str]:
        try:
            asked = self.world.inspect.ask(self.role, "sts:GetSessionToken", "*", instead=self.draft.instead)
        except LookupError:
            yield "nothing any more: the role is gone"
            return
        statements = [each for policy in asked.policies.identity for each in policy.statements]
        for each in statements[:MOST_HELD]:
            document = each.document
            actions = _listed(document.get("Action") or document.get("NotAction"))
            resources = _listed(document.get("Resource") or document.get("NotResource"))
            but = " under a condition" if "Condition" in document else ""
            exceptly = "everything but " if "NotAction" in document else ""
            yield f"{each.effect} {exceptly}{', '.join(actions)} on {', '.join(resources)}{but}"
        if len(statements) > MOST_HELD:
            yield f"and {len(statements) - MOST_HELD} more statements"

    @property
    def lines(self) -> list[tuple[bool, str, str]]:
        return [(each.inside, f"{verdict_text(each.inside, each.word)} {self.name(each.who)}",
                 "\n".join(filter(None, (each.why, each.second)))) for each in self.knocks]  # fmt: skip

    @property
    def more(self) -> str:
        """How many rows are left out."""
        return f"and {self.left_out} more: search by name, kind or account" if self.left_out else ""

    def name(self, person: Principal) -> str:
        """Who knocks, as the table calls them."""
        if person.arn == self.role.arn:
            return "a session of this role itself"
        called = title(self.world, person, among=self._people)
        return {"role": f"a session of {called}", "token": f"token: {called}"}.get(person.kind, called)

    @property
    def title(self) -> str:  # type: ignore[override]
        return f"Who may borrow the role {self.role.name}"

    # -- as text -----------------------------------------------------------------------------------------------------

    def __str__(self) -> str:
        knocks = self.knocks
        width = max((len(self.name(each.who)) for each in knocks), default=0)
        lines = [self.title, *self.said]
        for each in knocks:
            before = self.before(each.answer.question)
            was = f" (was {'Assumed' if before.allowed else 'Refused'})" if before else ""
            lines.append(f"{verdict_text(each.inside, each.word)}{was}  {self.name(each.who):<{width}}  {each.why}")
            lines += [f"    {each.second}"] if each.second else []
        lines += [self.more] if self.more else []
        lines += ["", "Whoever gets in holds:", *(f"  {each}" for each in self.held or [NOTHING_HELD])]
        return "\n".join([*lines, *(f"\n{each.name}\n{each.text}" for each in self.draft.documents)])

    __repr__ = __str__


_OWN_SIDE = {
    "PRINCIPAL": "identity policies",
    "PERMISSIONS_BOUNDARY": "permissions boundary",
    "SESSION": "session policy",
    "SERVICE_CONTROL_POLICY": "service control policies",
}


def _why(answer: Answer) -> str:
    """In or out and why, in one line."""
    evaluation = answer.evaluation
    if evaluation is None:
        return answer.objection
    if evaluation.allowed:
        return answer.because
    if evaluation.effect == EXPLICIT_DENY:
        return answer.because
    if answer.question.who.kind == "root":
        return "Roles may not be assumed by root users"
    lacking = {check.check_type for check in lacking_checks(evaluation)}
    if "RESOURCE" in lacking:
        near = [line for line in answer.misses("RESOURCE") if " in Principal " not in line]
        return near[0] if near else "The trust policy does not name this caller"
    names = [name for kind, name in _OWN_SIDE.items() if kind in lacking]
    return f"Trusted, but not allowed by the caller's own {' and '.join(names)}"


def _second(answer: Answer, owner: str) -> str:
    """What the trust policy leaves to the caller's own account."""
    evaluation = answer.evaluation
    if evaluation is None or not answer.question.who.account or answer.question.who.kind == "root":
        return ""
    named = _named(answer)
    if named == Named.NOT or evaluation.effect == EXPLICIT_DENY:
        return ""
    if answer.question.who.account != owner:
        return "Another account: their own policy there must allow it too"
    if named == Named.ACCOUNT:
        return "Trust names the account, so their own policy must allow it too"
    return ""


def _named(answer: Answer) -> Named:
    """How the statements of the trust policy that match name the caller, at best."""
    assert answer.evaluation is not None
    best = Named.NOT
    for check in answer.evaluation.checks:
        for matched in check.matched_policies if check.check_type == "RESOURCE" else ():
            for statement in matched.statements:
                if statement.effect == "Allow":
                    best = max(best, statement.names(answer.evaluation.request, False))
    return best


def _listed(value: Any) -> Sequence[str]:
    return [value] if isinstance(value, str) else list(value or ())
