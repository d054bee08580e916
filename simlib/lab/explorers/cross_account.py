"""CrossAccount: one call between two accounts, what each side says to it, and which side is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from simlib.cloud.inspection import Place, Principal
from simlib.iam.explanation import display_name
from simlib.iam.vocabulary import ALLOW, DELEGATES, EXPLICIT_DENY, IMPLICIT_DENY

from ..look import avatar, chip, icon, panel_card, verdict
from ..page import Child, Part, code, el, name
from ..policy.store import relevant_places
from ..principals import find
from .answers import Answer, Question
from .circumstances import circumstances
from .explorer import Explorer
from .pipe import SAYS, Side, gates

CALLERS = ("SERVICE_CONTROL_POLICY", "VPC_ENDPOINT", "PRINCIPAL", "PERMISSIONS_BOUNDARY", "SESSION")
OWNERS = ("RESOURCE_CONTROL_POLICY", "RESOURCE")
_MEANS = {EXPLICIT_DENY: "denies", IMPLICIT_DENY: "missing", DELEGATES: "delegates", ALLOW: "allows"}


class CrossAccount(Explorer):
    """A caller in one account, a role or a resource in another: both sides' documents, and the line between.

        lab.CrossAccount(aws, who="dev/alice", role="prod/reports-reader",
                         requests=[("s3:GetObject", "arn:aws:s3:::prod-ledger/2026.csv")])
        lab.CrossAccount(aws, who="dev/alice", requests=[("s3:GetObject", "arn:aws:s3:::prod-ledger/2026.csv")])
        lab.CrossAccount(aws, who="acme-audit/scanner", role="prod/reports-reader",
                         external_ids={"for us": "prod-7f3", "for mallory": "mallory-99", "without one": None})

    With `role` the call is `sts:AssumeRole`, and `requests` are what the session then asks; without, the first of the
    `requests` is the call. `external_ids`: on whose behalf the caller asks, and what it sends for them; the first
    one counts for the call that is drawn. `edit` and `circumstances` are as in `AccessExplorer`.
    """

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
    ) -> None:
        self.who = find(world, who)
        self.role: Principal | None = None if role is None else find(world, role, kind="role")
        self.requests = tuple(requests)
        if self.role is None and not self.requests:
            raise ValueError('There is no call to look at. Give role="prod/reader", or requests=[(action, resource)].')
        if self.role is not None and self.role.kind != "role":
            raise LookupError(f"{role!r} is no role of this world.")
        self.external_ids = dict(external_ids or {})
        super().__init__(world, lambda: self._both_sides(world), edit, circumstances)

    def _both_sides(self, world: Any) -> list[Place]:
        """The caller's documents, the owner's, those of what is asked then; where one side has none, one to begin."""
        roles = [self.role] if self.role else []
        trust = self.role.arn if self.role else ""
        resources = [resource for _, resource in self.requests]
        documents = relevant_places(world, [self.who, *roles], (), begin=True)
        documents += relevant_places(world, (), resources, begin=self.role is None)  # a session needs none
        relevant = [each for each in documents if each.kind != "trust" or each.owner == trust]
        return sorted(relevant, key=lambda each: each.kind != "trust")  # the door comes before what is behind it

    # -- what there is to see ----------------------------------------------------------------------------------------

    @property
    def call(self) -> Question:
        """The call between the accounts."""
        if self.external_ids:
            return self._for(next(iter(self.external_ids)))
        return self._question(circumstances(self.circumstances))

    def _question(self, keys: Mapping[str, Any]) -> Question:
        if self.role is not None:
            return Question(self.who, "sts:AssumeRole", self.role.arn, keys)
        action, resource = self.requests[0]
        return Question(self.who, action, resource, keys)

    def _for(self, whom: str) -> Question:
        return self._question({**circumstances(self.circumstances), "sts:ExternalId": self.external_ids[whom]})

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
        """For whom the caller asks, and the answer."""
        return {whom: self.answers[self._for(whom).key] for whom in self.external_ids}

    @property
    def confused(self) -> str:
        """Whether the caller could be led to act for the wrong one; "" where it cannot, or nobody asks."""
        inside = [whom for whom, answer in self.behalf.items() if answer.allowed]
        if len(inside) < 2:
            return ""
        whom = " and for ".join(f"“{each}”" for each in inside)
        return f"A confused deputy: the role lets the caller in for {whom}, and cannot tell them apart."

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
            self._side(home, self.name(self.who), CALLERS),
            self._side(name(self.owner), target, OWNERS),
        )

    def _side(self, account: str, who: str, kinds: tuple[str, ...]) -> Side:
        answer = self.answer
        if answer.evaluation is None:
            return Side(account, who, "missing", kinds, because=answer.objection)
        checks = (check for check in answer.evaluation.checks if check.check_type in kinds)
        policies = tuple(
            dict.fromkeys(display_name(policy) for check in checks for policy in check.policies if policy.name)
        )
        present = [gate for gate in gates(answer, self.name(self.who)) if gate.kind in kinds and gate.means]
        for meaning, says in _MEANS.items():
            for gate in present:
                if gate.means == meaning and (gate.grants or meaning != ALLOW):
                    return Side(account, who, says, kinds, policies, gate.because)
        return Side(account, who, "silent", kinds, policies)

    @property
    def missing(self) -> list[Side]:
        """The sides without which the call fails."""
        return [side for side in self.sides if not side.allowed]

    @property
    def verdict(self) -> str:
        """What comes of both sides, in a sentence."""
        answer, missing = self.answer, self.missing
        if answer.allowed:
            if self.sides[1].says == "delegates":
                return "The owner’s side delegates, and the caller’s allows it."
            return "One account: one side is enough." if self.same_account else "Both sides allow it."
        if not missing:
            return f"{answer.because}."
        whose = {side: f"{side.account} ({side.who})" if self.same_account else side.account for side in missing}
        if [side.says for side in missing] == ["missing", "missing"]:
            return f"Neither {' nor '.join(whose.values())} allows it."
        return f"{', and '.join(f'{name} {SAYS[side.says][1]}' for side, name in whose.items())}."

    @property
    def title(self) -> str:
        caller, owner = self.sides
        return f"{caller.who} → {owner.who}"

    def label(self, question: Question) -> str:
        if question.key == self.call.key:
            return "the call"
        whom = next((whom for whom in self.external_ids if self._for(whom).key == question.key), "")
        return whom or question.action

    # -- the page ----------------------------------------------------------------------------------------------------

    def page(self) -> Part:
        answer, (caller, owner) = self.answer, self.sides
        parts = el("b", caller.who), Part("", (icon("to", "sl-to"),), text="→"), el("b", owner.who), answer.verdict
        title = el("span.sl-row", *parts, answer.changed_from(self.before(answer.question)))
        bridge = el("div.sl-bridge", self._plank(caller), self._plank(owner), aria_hidden="true", text="")
        owned = self._documents
        cross = el(
            "div.sl-cross", self._account(caller, "dev", owned[0]), bridge, self._account(owner, "prod", owned[1])
        )
        below = el("div.sl-body.sl-why", self._behalf(), self._requests_after(), self._circumstances())
        notices = el("div", self.notices, key="notices")
        side = el("span.sl-small.sl-dim", self.verdict, role="status")
        return panel_card(title, notices, el("div", cross, key="cross"), below, about=code(self.call.action), side=side)

    @property
    def _documents(self) -> tuple[list[int], list[int]]:
        """Which documents of the editor are the caller's account's, and which the owner's."""
        ours, theirs = list[int](), list[int]()
        for index, each in enumerate(self.documents):
            place = each.place
            account = str(self.world.inspect.owner(place.owner) or place.owner.split(":")[4]) if place else ""
            in_home = account == self.who.account and (not self.same_account or (place and place.kind == "identity"))
            (ours if in_home else theirs).append(index)
        return ours, theirs

    def _account(self, side: Side, css: str, documents: list[int]) -> Part:
        """One account: who is there, what it says, and its documents to edit."""
        person, number = (self.who, self.who.account) if css == "dev" else (self.role, self.owner)
        account_parts = el("b", side.account), el("span.sl-dim.sl-small", number), el("span.sl-grow")
        who = chip(person.kind if person else "resource", side.who)
        why = self.why(self.answer, side.because or self.answer.because, side)
        policies = el("p.sl-small.sl-dim", name(f"Policies: {', '.join(side.policies) or 'none'}"))
        status = el("div", side.verdict, el("div.sl-small", why), policies)
        head = el("div.sl-acctname", avatar("account"), *account_parts, who)
        editor = self.slot(*documents) if documents else None
        return el(f"section.sl-acct.is-{css}", head, status, editor, key=f"side-{css}")

    def _plank(self, side: Side) -> Part:
        sign, _, stands = SAYS[side.says]
        words = el("span", el("b", f"{side.account}’s half"), el("br"), verdict(sign, stands))
        return el("div.sl-plank" + ("" if side.allowed else ".is-no"), el("i"), words)

    def _behalf(self) -> Child:
        """The customers that the caller calls for, and AWS's answer for each."""
        if not self.behalf:
            return None
        rows = []
        for whom, answer in self.behalf.items():
            parts = (el("b", whom), " ", el("span.sl-dim", "external ID "), code(self.external_ids[whom] or "none"))
            rows.append(self.row(answer, parts, key=f"behalf-{whom}", why=answer.question.key != self.call.key))
        confused = el("p.sl-quiet", verdict("deny", self.confused), role="status") if self.confused else None
        head = el("h4", f"For whom {self.name(self.who)} calls, and with which external ID")
        return el("section", head, el("ul.sl-reqs", rows), confused, key="behalf")

    def _requests_after(self) -> Child:
        """What the session may do, or what the caller asks for besides."""
        if not self.then:
            return None
        borrowed = "What its session may do" if self.answer.allowed else "What its session could do, if it were allowed"
        head = "And also" if self.role is None else borrowed
        rows = []
        for index, each in enumerate(self.then):
            request = (el("b", code(each.question.action)), " ", code(each.question.resource, ".sl-dim"))
            rows.append(self.row(each, request, key=f"then-{index}"))
        return el("section", el("h4", head), el("ul.sl-reqs", rows), key="then")
