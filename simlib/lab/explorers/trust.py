"""TrustExplorer: a role's trust policy before everybody who might knock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simlib.cloud.inspection import Place, Principal
from simlib.iam.vocabulary import ALLOW, DELEGATES, EXPLICIT_DENY

from ..markup import verdict_text
from ..people import find, titles
from .answers import Answer, Question, plain
from .draft import Draft, place_of
from .explorer import Explorer, circumstances

ASSUME, WEB_IDENTITY = "sts:AssumeRole", "sts:AssumeRoleWithWebIdentity"
NOTHING_HELD = "nothing: the role has no permissions policy"
MOST_OF_ACCOUNT = 15  # callers whom the trust policy does not name; there may be hundreds of users and sessions
LEAST_TOGETHER = 2  # callers who are refused for one reason have one row
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


@dataclass(frozen=True)
class Row:
    """A row of the table: one caller, or several who are refused for the same reason."""

    knocks: tuple[Knock, ...]
    others: bool = False  # whether there are rows before it

    @property
    def together(self) -> str:
        """ "19 others"; "" of one caller."""
        return f"{len(self.knocks)} {'others' if self.others else 'callers'}" if len(self.knocks) > 1 else ""

    @property
    def first(self) -> Knock:
        return self.knocks[0]


class TrustExplorer(Explorer):
    """Who may borrow a role, decided again at every keystroke, and what they would hold.

        lab.TrustExplorer(aws, role="reports")
        lab.TrustExplorer(aws, role="reports", who=["alice", "bob", "ec2.amazonaws.com"], circumstances={"mfa": True},
                          requests=[("s3:GetObject", "arn:aws:s3:::my-secure-bucket/report.csv")])
        lab.TrustExplorer(aws, role="deploy", who=[fork_token, main_token])

    `role`: a name, with its account where several have one ("prod/reports"), or an ARN. `who`: the callers, as in
    `AccessExplorer`, tokens of an identity provider included, a row for each; by default everybody – users, sessions,
    services, a session of this role itself, other accounts, tokens, a stranger –, those who get in first.
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
        self.role = find(world, role, kind="role")
        if self.role.kind != "role":
            raise LookupError(f"{role!r} is no role of this world.")
        self._who = None if who is None else [find(world, each) for each in who]
        self.requests = tuple(requests)
        places = [Place(self.role.arn, "trust"), *(place_of(world, each) for each in edit)]
        self._people: list[Principal] = []
        self._titles: dict[Principal, str] = {}
        self.filter, self.left_out = "", 0
        super().__init__(world, Draft(world, lambda: places, plain=plain), circumstances)

    # -- commands ----------------------------------------------------------------------------------------------------

    def search(self, words: str) -> None:
        """Show only callers whose name, ARN, kind or account has these words in it."""
        self.filter = words
        self.decide()

    # -- what there is to see ----------------------------------------------------------------------------------------

    def _settle(self) -> None:
        self._people = self._who if self._who is not None else self._everybody()
        self._titles = titles(self.world, self._people)
        super()._settle()

    @property
    def people(self) -> list[Principal]:
        """Who is shown: those the filter finds, of each account whom the policy names and `MOST_OF_ACCOUNT` others."""
        words, policy = self.filter.lower().split(), self.draft.documents[0].text
        found = [each for each in self._people if all(word in self._searched(each) for word in words)]
        counted: Counter[str] = Counter()
        shown = []
        for each in found:
            counted[each.account] += bool(each.account) and f'"{each.arn}"' not in policy
            if counted[each.account] <= MOST_OF_ACCOUNT or f'"{each.arn}"' in policy:
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
        """Every caller at the door; those who were not asked for by name in the order of the table."""
        found = [self._knock(self.answers[self._knocking(each).key]) for each in self.people]
        return found if self._who is not None else sorted(found, key=lambda each: not each.inside)

    @property
    def rows(self) -> list[Row]:
        """The table: who gets in, whose verdict has just moved, then the refused, together where for one reason."""
        told: list[Row] = []
        refused: dict[tuple[str, str], list[Knock]] = {}
        for each in self.knocks:
            if self._who is not None or each.inside or self.before(each.answer.question):
                told.append(Row((each,)))
            else:
                refused.setdefault((each.why, each.second), []).append(each)
        for alike in sorted(refused.values(), key=len):
            apart = len(alike) < LEAST_TOGETHER
            told += [Row((each,)) for each in alike] if apart else [Row(tuple(alike), bool(told))]
        return told

    @property
    def _first(self) -> Any:
        """Of somebody who gets in."""
        inside = [key for key, each in self.answers.items() if each.allowed and each.question.who != self.role]
        return inside[0] if inside else super()._first

    def knock(self, who: Any) -> Knock:
        """The row of one caller, by name."""
        question = self._knocking(find(self.world, who))
        return self._knock(self.answers.get(question.key) or self._put(question, instead=self.draft.instead))

    def _knock(self, answer: Answer) -> Knock:
        return Knock(answer, _why(answer), _second(answer))

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
        return [(row.first.inside, f"{verdict_text(row.first.inside, row.first.word)} {self._who_of(row)}",
                 "\n".join(filter(None, (row.first.why, row.first.second, self._names_of(row))))) for row in self.rows
               ]  # fmt: skip

    def _who_of(self, row: Row) -> str:
        return row.together or self.name(row.first.who)

    def _names_of(self, row: Row) -> str:
        """Who is in a row of several."""
        return "; ".join(self.name(each.who) for each in row.knocks) if row.together else ""

    @property
    def more(self) -> str:
        """How many rows are left out."""
        return f"and {self.left_out} more: search by name, kind or account" if self.left_out else ""

    def name(self, person: Principal) -> str:
        """Who knocks, as the table calls them."""
        if person.arn == self.role.arn:
            return "a session of this role itself"
        called = self._titles.get(person) or titles(self.world, [person, *self._people])[person]
        return {"role": f"a session of {called}", "token": f"token: {called}"}.get(person.kind, called)

    @property
    def title(self) -> str:  # type: ignore[override]
        return f"Who may borrow the role {self._titles.get(self.role, self.role.name)}"

    # -- as text -----------------------------------------------------------------------------------------------------

    def __str__(self) -> str:
        rows = self.rows
        width = max((len(self._who_of(row)) for row in rows), default=0)
        lines = [self.title, *self.said]
        for row in rows:
            each = row.first
            before = self.before(each.answer.question)
            was = f" (was {'Assumed' if before.allowed else 'Refused'})" if before else ""
            lines.append(f"{verdict_text(each.inside, each.word)}{was}  {self._who_of(row):<{width}}  {each.why}")
            lines += [f"    {more}" for more in (each.second, self._names_of(row)) if more]
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
    if answer.question.who.kind == "root" and not evaluation.allowed:
        return "Roles may not be assumed by root users"
    lacking = {check.check_type for check in evaluation.deciding.lacking}
    if not lacking:
        return answer.because
    if "RESOURCE" in lacking:
        near = [each for each in evaluation.near_misses if each.check_type == "RESOURCE"]
        named = [plain(each.sentence) for each in near if each.deciding and each.deciding.name != "Principal"]
        return named[0] if named else "The trust policy does not name this caller"
    names = [name for kind, name in _OWN_SIDE.items() if kind in lacking]
    return f"Trusted, but not allowed by the caller's own {' and '.join(names)}"


def _second(answer: Answer) -> str:
    """What the trust policy leaves to the caller's own account."""
    evaluation = answer.evaluation
    if evaluation is None or not answer.question.who.account or answer.question.who.kind == "root":
        return ""
    meaning = next((check.meaning for check in evaluation.checks if check.check_type == "RESOURCE"), "")
    if evaluation.effect == EXPLICIT_DENY or meaning not in (ALLOW, DELEGATES):
        return ""
    if not evaluation.request.in_own_account:
        return "Another account: their own policy there must allow it too"
    return "Trust names the account, so their own policy must allow it too" if meaning == DELEGATES else ""


def _listed(value: Any) -> Sequence[str]:
    return [value] if isinstance(value, str) else list(value or ())
