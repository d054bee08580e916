"""CrossAccount: one call between two accounts, what each side says to it, and which side is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simlib.cloud.inspection import Place, Principal
from simlib.iam.decision import GRANTS
from simlib.iam.explanation import called
from simlib.iam.vocabulary import ALLOW, DELEGATES, EXPLICIT_DENY, IMPLICIT_DENY

from ..markup import verdict_text
from ..people import find, title
from .answers import Answer, Question, plain
from .draft import Draft, bearing_on, place_of
from .explorer import Explorer, circumstances

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CALLERS = ("SERVICE_CONTROL_POLICY", "PRINCIPAL", "PERMISSIONS_BOUNDARY", "SESSION")
OWNERS = ("RESOURCE_CONTROL_POLICY", "RESOURCE")
SAYS = {
    "allows": ("✔", "allows it"),
    "delegates": ("→", "delegates to the caller's account"),
    "denies": ("✘", "denies it"),
    "missing": ("✘", "missing: no statement allows it"),
    "silent": ("–", "says nothing, and need not"),
}


@dataclass(frozen=True)
class Side:
    """One account's part of the decision: a key of `SAYS`, the policies asked there, and what is lacking or decides."""

    account: str
    who: str
    says: str
    policies: tuple[str, ...]
    because: str = ""

    @property
    def allows(self) -> bool:
        return self.says in ("allows", "delegates", "silent")

    def __str__(self) -> str:
        sign, words = SAYS[self.says]
        return f"{sign} {self.account}, {self.who}: {words}" + (f". {self.because}" if self.because else "")


class CrossAccount(Explorer):
    """A caller in one account, a role or a resource in another: both sides' documents, and the line between.

        lab.CrossAccount(aws, who="dev/alice", role="prod/reports-reader",
                         requests=[("s3:GetObject", "arn:aws:s3:::prod-ledger/2026.csv")])
        lab.CrossAccount(aws, who="dev/alice", requests=[("s3:GetObject", "arn:aws:s3:::prod-ledger/2026.csv")])
        lab.CrossAccount(aws, who="acme-audit/scanner", role="prod/reports-reader",
                         external_ids={"for us": "prod-7f3", "for mallory": "mallory-99", "without one": None})

    With `role` the call is `sts:AssumeRole`, and `requests` are what the session then asks; without, the first of the
    `requests` is the call. `external_ids`: on whose behalf the caller knocks, and what it sends for them; the first
    one counts for the call that is drawn. `edit` and `circumstances` are as in `AccessExplorer`.
    """

    arrangement = "cross_page"

    def __init__(
        self,
        world: Any,
        *,
        who: Any,
        role: Any = None,
        requests: Iterable[tuple[str, str]] = (),
        external_ids: Mapping[str, str | None] | None = None,
        edit: Iterable[str | Place] | None = None,
        circumstances: Mapping[str, Any] | None = None,
        plain: bool | None = None,
    ) -> None:
        self.who = find(world, who)
        self.role: Principal | None = None if role is None else find(world, role, kind="role")
        self.requests = tuple(requests)
        if self.role is None and not self.requests:
            raise ValueError('There is no call to look at. Give role="prod/reader", or requests=[(action, resource)].')
        if self.role is not None and self.role.kind != "role":
            raise LookupError(f"{role!r} is no role of this world.")
        self.external_ids = dict(external_ids or {})
        named = None if edit is None else [place_of(world, each) for each in edit]
        draft = Draft(world, lambda: self._both_sides(world) if named is None else named, plain=plain)
        super().__init__(world, draft, circumstances)

    def _both_sides(self, world: Any) -> list[Place]:
        """The caller's documents, the owner's, those of what is asked then; where one side has none, one to begin."""
        roles = [self.role] if self.role else []
        trust = self.role.arn if self.role else ""
        resources = [resource for _, resource in self.requests]
        held = bearing_on(world, [self.who, *roles], (), begin=True)
        held += bearing_on(world, (), resources, begin=self.role is None)  # a session needs none of its own account's
        return [each for each in held if each.kind != "trust" or each.owner == trust]

    # -- what there is to see ----------------------------------------------------------------------------------------

    @property
    def call(self) -> Question:
        """The call between the accounts."""
        if self.external_ids:
            return self._for(next(iter(self.external_ids)))
        return self._called(circumstances(self.circumstances))

    def _called(self, given: Mapping[str, Any]) -> Question:
        if self.role is not None:
            return Question(self.who, "sts:AssumeRole", self.role.arn, given)
        action, resource = self.requests[0]
        return Question(self.who, action, resource, given)

    def _for(self, whom: str) -> Question:
        return self._called({**circumstances(self.circumstances), "sts:ExternalId": self.external_ids[whom]})

    @property
    def questions(self) -> list[Question]:
        deputies = [self._for(whom) for whom in self.external_ids]
        return list({each.key: each for each in (self.call, *deputies, *self._then)}.values())

    @property
    def _then(self) -> list[Question]:
        """What is asked once the caller is in; without a role the other requests, of the caller itself."""
        if self.role is not None:
            return [Question(self.role, action, resource) for action, resource in self.requests]
        return [Question(self.who, *each, circumstances(self.circumstances)) for each in self.requests[1:]]

    @property
    def answer(self) -> Answer:
        """The answer to the call."""
        return self.answers[self.call.key]

    @property
    def then(self) -> list[Answer]:
        """What the session may do, if the caller gets in."""
        return [self.answers[each.key] for each in self._then]

    @property
    def behalf(self) -> dict[str, Answer]:
        """For whom the caller knocks, and the answer."""
        return {whom: self.answers[self._for(whom).key] for whom in self.external_ids}

    @property
    def confused(self) -> str:
        """Whether the caller could be led to act for the wrong one; "" where it cannot, or nobody asks."""
        inside = [whom for whom, answer in self.behalf.items() if answer.allowed]
        if len(inside) < 2:
            return ""
        return f"The role cannot tell them apart: it lets the caller in {', and '.join(inside)}. A confused deputy."

    @property
    def owner(self) -> str:
        """The account of the role or resource."""
        return str(self.world.inspect.owner(self.call.resource) or self.who.account)

    @property
    def same_account(self) -> bool:
        evaluation = self.answer.evaluation
        return bool(evaluation and evaluation.request.in_own_account)

    @property
    def sides(self) -> tuple[Side, Side]:
        """What the caller's account says, and what the owner's."""
        name = self.world.account_name
        target = self.role.name if self.role else self.call.resource.rpartition(":")[2]
        home = name(self.who.account) if self.who.account else "no account"
        return (
            self._side(home, title(self.world, self.who), CALLERS),
            self._side(name(self.owner), target, OWNERS),
        )

    def _side(self, account: str, who: str, kinds: tuple[str, ...]) -> Side:
        answer = self.answer
        evaluation = answer.evaluation
        if evaluation is None:
            return Side(account, who, "missing", (), answer.objection)
        checks = [check for check in evaluation.checks if check.check_type in kinds]
        meanings = {check.meaning for check in checks}
        asked = (policy for check in checks for policy in check.policies if policy.name)
        policies = tuple(dict.fromkeys(map(called, asked)))
        if EXPLICIT_DENY in meanings:
            return Side(account, who, "denies", policies, answer.because)
        if IMPLICIT_DENY in meanings:
            near = [plain(each.sentence) for each in evaluation.near_misses if each.check_type in kinds]
            return Side(account, who, "missing", policies, near[0] if near else "")
        own = next((check.meaning for check in checks if check.check_type in GRANTS), "")
        says = {ALLOW: "allows", DELEGATES: "delegates"}.get(own, "silent")
        deciding = [plain(each.title) for each in answer.deciding if each.check_type in kinds]
        return Side(account, who, says, policies, f"By {deciding[0]}" if deciding else "")

    @property
    def missing(self) -> list[Side]:
        """The sides without which the call fails."""
        return [side for side in self.sides if not side.allows]

    @property
    def lines(self) -> list[tuple[bool, str, str]]:
        rows = [(self.answer.allowed, verdict_text(self.answer.allowed, self.answer.word), self.verdict)]
        for side in self.sides:
            sign, words = SAYS[side.says]
            rows.append((side.allows, f"{sign} {side.account}: {side.who}", f"{words}\n{side.because}"))
        for whom, each in self.behalf.items():
            sent = f"external ID {self.external_ids[whom] or 'none'}"
            rows.append((each.allowed, f"{verdict_text(each.allowed, each.word)} {whom}", sent))
        for each in self.then:
            asked = f"{each.question.action} on {each.question.resource}\n{each.because}"
            rows.append((each.allowed, verdict_text(each.allowed, each.word), asked))
        return rows

    @property
    def verdict(self) -> str:
        """The call and its answer in one line."""
        answer, missing = self.answer, self.missing
        said, (caller, owner) = verdict_text(answer.allowed, answer.word), self.sides
        line = f"{said}: {caller.who} – {answer.question.action} → {owner.who}"
        if answer.allowed:
            if owner.says == "delegates":
                return f"{line}. The owner's side delegates, and the caller's allows it."
            return f"{line}. " + ("One account: one side is enough." if self.same_account else "Both sides allow it.")
        lacking = " and ".join(f"{side.account} ({side.who})" for side in missing)
        return f"{line}. Missing: {lacking}." if missing else f"{line}. {answer.because}."

    @property
    def title(self) -> str:  # type: ignore[override]
        there = self.sides[1]
        return f"From {self.sides[0].account} to {there.account}: {title(self.world, self.who)} and {there.who}"

    def figure(self) -> Figure:
        """The drawing as a matplotlib figure: `panel.figure().savefig("panel.pdf")`."""
        from .cross_figure import figure_of

        return figure_of(self)

    # -- as text -----------------------------------------------------------------------------------------------------

    def __str__(self) -> str:
        before = self.before(self.call)
        was = [f"Before: {verdict_text(before.allowed, before.word)}"] if before else []
        lines = [self.title, *self.said, self.verdict, *was, *(f"  {side}" for side in self.sides)]
        if self.behalf:
            lines += ["", "On whose behalf, and the external ID that is sent:"]
            lines += [f"  {verdict_text(each.allowed, each.word)} {whom}: {self.external_ids[whom] or 'none'}"
                      for whom, each in self.behalf.items()]  # fmt: skip
            lines += [f"  {self.confused}"] if self.confused else []
        if self.then:
            lines += ["", self.then_title]
            lines += [f"  {_line(each)}" for each in self.then]
        return "\n".join([*lines, *(f"\n{each.name}\n{each.text}" for each in self.draft.documents)])

    __repr__ = __str__

    @property
    def then_title(self) -> str:
        if self.role is None:
            return "And also:"
        return "Then its session may:" if self.answer.allowed else "If the caller got in, its session might:"


def _line(answer: Answer) -> str:
    asked = answer.question
    return f"{verdict_text(answer.allowed, answer.word)} {asked.action} on {asked.resource}: {answer.because}"
