"""TrustExplorer: a role's trust policy before everybody who might try to assume it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simlib.cloud.inspection import Place, Principal
from simlib.iam.vocabulary import ALLOW, DELEGATES, EXPLICIT_DENY

from ..look import SIGNS, avatar, change, chip, drawing, field, icon, verdict
from ..page import Part, code, el
from ..page import name as breakable
from ..panel import Commands
from ..principals import find, titles
from .answers import LACKING, Answer, Question, plain
from .circumstances import circumstances
from .explorer import Explorer

ASSUME, WEB_IDENTITY = "sts:AssumeRole", "sts:AssumeRoleWithWebIdentity"
NOTHING_HELD = "An empty room: the role has no permissions policy, so its session may do nothing."
MOST_AT_DOOR = 3  # callers that come in are drawn at the door
MOST_OF_ACCOUNT = 15  # callers whom the trust policy does not name; there may be hundreds of users and sessions
MOST_HELD = 6  # tools that hang on the wall


@dataclass(frozen=True)
class AssumeAttempt:
    """One caller at the door: in or out, why, and a second word where the trust policy alone does not settle it."""

    answer: Answer
    why: str
    second: str

    @property
    def who(self) -> Principal:
        return self.answer.question.who

    @property
    def inside(self) -> bool:
        return self.answer.allowed


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
    are those of the attempt.
    """

    def __init__(
        self,
        world: Any,
        *,
        role: Any,
        who: Iterable[Any] | None = None,
        requests: Iterable[tuple[str, str]] = (),
        edit: Iterable[str | Place] = (),
        circumstances: Mapping[str, Any] | None = None,
    ) -> None:
        self.role = find(world, role, kind="role")
        if self.role.kind != "role":
            raise LookupError(f"{role!r} is no role of this world.")
        self._who = None if who is None else [find(world, each) for each in who]
        self.requests = tuple(requests)
        documents = [Place(self.role.arn, "trust"), *edit]
        self._people: list[Principal] = []
        self._titles: dict[Principal, str] = {}
        self.filter, self.left_out = "", 0
        super().__init__(world, list, documents, circumstances)

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
        words, policy, account_name = self.filter.lower().split(), self.documents[0].text, self.world.account_name
        counts, people, self.left_out = Counter[str](), list[Principal](), 0
        for each in self._people:
            account = account_name(each.account) if each.account else ""
            text = f"{each.arn} {each.name} {each.kind} {account}".lower()
            if not all(word in text for word in words):
                continue
            is_named = f'"{each.arn}"' in policy
            counts[each.account] += bool(each.account) and not is_named
            if is_named or counts[each.account] <= MOST_OF_ACCOUNT:
                people.append(each)
            else:
                self.left_out += 1
        return people

    def _everybody(self) -> list[Principal]:
        """All who might try, the role's own account first, then those of none; a session stands for itself, other
        roles as a fresh session of them."""
        kinds = ("user", "role", "session", "root", "token", "service", "outside", "anonymous")

        def order(each: Principal) -> tuple[int, int]:
            return (0 if each.account == self.role.account else 2 if each.account else 1), kinds.index(each.kind)

        return sorted(self.world.inspect.principals(), key=order)

    @property
    def questions(self) -> list[Question]:
        return [self._question(each) for each in self.people] + [
            self._holding(action, resource) for action, resource in self.requests
        ]

    def _question(self, person: Principal) -> Question:
        action = WEB_IDENTITY if person.kind == "token" else ASSUME
        keys = {} if person.kind in ("token", "service") else circumstances(self.circumstances)
        return Question(person, action, self.role.arn, keys)

    def _holding(self, action: str, resource: str) -> Question:
        return Question(self.role, action, resource)

    @property
    def attempts(self) -> list[AssumeAttempt]:
        """Every caller at the door; those who were not asked for by name in the order of the table."""
        attempts = [self._attempt(self.answers[self._question(each).key]) for each in self.people]
        return attempts if self._who is not None else sorted(attempts, key=lambda each: not each.inside)

    @property
    def groups(self) -> dict[str, list[AssumeAttempt]]:
        """Those outside, by the reason; the reasons of a few first."""
        refused: dict[str, list[AssumeAttempt]] = {}
        for each in self.attempts:
            if not each.inside:
                refused.setdefault(". ".join(filter(None, (each.why, each.second))), []).append(each)
        return dict(sorted(refused.items(), key=lambda group: (len(group[1]), group[0])))

    def attempt(self, who: Any) -> AssumeAttempt:
        """The row of one caller, by name."""
        question = self._question(find(self.world, who))
        return self._attempt(self.answers.get(question.key) or self._put(question, instead=self.instead))

    def _attempt(self, answer: Answer) -> AssumeAttempt:
        return AssumeAttempt(answer, _why(answer), _second(answer))

    @property
    def permissions(self) -> list[tuple[str, str, Part | None]]:
        """What a session of the role holds: actions, resources, and the verdict where it was asked about."""
        if self.requests:
            answers = [self.answers[self._holding(*request).key] for request in self.requests]
            return [(each.question.action, each.question.resource, each.verdict) for each in answers]
        try:
            evaluation = self.world.inspect.ask(self.role, "sts:GetSessionToken", "*", instead=self.instead)
        except LookupError:
            return []
        statements = [each for policy in evaluation.policies.identity for each in policy.statements]
        return [(_actions(each), ", ".join(_listed(each.document, "Resource")), None) for each in statements]

    @property
    def more(self) -> str:
        """How many callers are left out, or that the search finds none."""
        if self.filter and not self.people:
            return f"No caller has “{self.filter}” in name, kind or account."
        return f"and {self.left_out} more: search by name, kind or account" if self.left_out else ""

    def name(self, person: Principal) -> str:
        """Who asks, as the page calls them."""
        if person.arn == self.role.arn:
            return "a session of this role itself"
        title = self._titles.get(person) or titles(self.world, [person, *self._people])[person]
        return {"role": f"a session of {title}", "token": f"token: {title}"}.get(person.kind, title)

    def label(self, question: Question) -> str:
        return self.name(question.who) if question.resource == self.role.arn else question.action

    @property
    def title(self) -> str:
        return f"Who may assume {self._titles.get(self.role, self.role.name)}?"

    # -- the page ----------------------------------------------------------------------------------------------------

    def page(self) -> Part:
        attempts = self.attempts
        inside = sorted((each for each in attempts if each.inside), key=lambda one: self.name(one.who))
        account = self.world.account_name(self.role.account)
        count = f"{len(inside)} of {len(attempts)} may assume it"
        actions = dict.fromkeys(each.answer.question.action for each in attempts)
        stale = ".sl-stale" if self.stale else ""
        door = el(f"div{stale}", self._inside(inside), self._outside(), key="door", aria_label="The door")
        return self.card(
            door,
            self._circumstances(),
            above=self._room(inside, len(attempts) - len(inside)),
            about=(f"role in {account} {self.role.account} · ", code(", ".join(actions))),
            side=el("span.sl-small.sl-dim", count, role="status"),
            who=avatar("role", "", ".is-big"),
        )

    def _room(self, inside: list[AssumeAttempt], outside: int) -> Part:
        """The role as a room: who comes in through the door, and the tools that hang inside, one for each statement."""
        verdict_parts = icon("to", "sl-to"), verdict("yes", "comes in")
        queue = [
            el("div.sl-queue", chip(each.who.kind, self.name(each.who)), *verdict_parts)
            for each in inside[:MOST_AT_DOOR]
        ]
        more, stay = len(inside) - MOST_AT_DOOR, f"{outside} stay{'s' if outside == 1 else ''} outside"
        tools = self.permissions
        items = [
            el("li.sl-hang", el("b", code(actions)), chip("resource", resource.replace("arn:aws:s3:::", "")), decided)
            for actions, resource, decided in tools[:MOST_HELD]
        ]
        rest = el("li.sl-hang.sl-dim", f"and {len(tools) - MOST_HELD} more") if len(tools) > MOST_HELD else None
        street = el(
            "div.sl-street",
            el("h4", "The door"),
            el("p.sl-dim", "Trust policy: who may come in"),
            queue or el("div.sl-queue", verdict("no", "Nobody may come in")),
            el("p.sl-dim.sl-small", f"and {more} more") if more > 0 else None,
            el("div.sl-queue", verdict("no", stay)),
        )
        rail = el("ul.sl-rail", items, rest) if items else el("p", NOTHING_HELD)
        head = el("h4", "The tools"), el("p.sl-dim", "Permissions policy: what may be done")
        door = drawing("pictures", "doorway" if inside else "shut doorway", "sl-doorway", "0 0 64 96")
        return el("div.sl-room", street, door, el("div.sl-wall", *head, rail), key="room")

    def _inside(self, inside: list[AssumeAttempt]) -> Part:
        """Who comes in, through the door in the wall."""
        zone = el("div.sl-zone", el("b", "Inside"), el("span.sl-dim.sl-small", "gets a session of the role"))
        callers = el("ul.sl-callers", [self._caller(each) for each in inside])
        sill = drawing("pictures", "door", "sl-sill", "0 0 60 40"), el("span.sl-sillname", "the door: the trust policy")
        nobody = el("p.sl-dim", "Nobody may assume it.") if not inside else None
        return el("div.sl-inside" + ("" if inside else ".is-shut"), zone, nobody, callers, *sill)

    def _caller(self, attempt: AssumeAttempt) -> Part:
        question, name = attempt.answer.question, self.name(attempt.who)
        title = el("b", breakable(name), text=f"{SIGNS['yes']['text']} {name}")
        was = change("no", "outside") if self.before(question) else None
        head = el("div.sl-row", title, was, el("span.sl-grow"), self.editor_mark(question, name))
        why = (
            el("p.sl-small", f"{attempt.why}. {attempt.second}".strip()),
            self.why(attempt.answer, "AWS’s checks, one by one"),
        )
        css = ".is-here" if question.key == self.chosen else ""
        lines = avatar(attempt.who.kind, attempt.who.name), el("div", head, *why)
        return el(f"li.sl-caller{css}", *lines, key=self._key(attempt.who), data_moves=True)

    def _key(self, person: Principal) -> str:
        """What tells a caller on the page from another: not the ARN, which sessions share."""
        return f"caller-{self._people.index(person) if person in self._people else person.arn}"

    def _outside(self) -> Part:
        search = el("span.sl-find", field("search", "Find a caller", self.filter), on="live")
        head = el("div.sl-zone", el("b", "Outside"), el("span.sl-grow"), search)
        groups = [self._group(reason, attempts) for reason, attempts in self.groups.items()]
        return el("div.sl-outside", head, groups, el("p.sl-dim", self.more) if self.more else None)

    def _group(self, reason: str, attempts: list[AssumeAttempt]) -> Part:
        """Those who stay outside for one reason; each explains its own refusal in place."""
        for_good = attempts[0].answer.word == "Denied" or attempts[0].who.kind == "root"
        count = el("span.sl-dim.sl-small", str(len(attempts)))
        head = el("div.sl-row", verdict("deny" if for_good else "no", reason), count)
        keys, chips, explanations = [each.key for each in self.questions], [], []
        for each in sorted(attempts, key=lambda one: self.name(one.who)):
            question, name = each.answer.question, self.name(each.who)
            is_open, was = question.key in self.open, self.before(question)
            css = (".sl-ghost" if was else "") + (".is-here" if question.key == self.chosen else "")
            live = {"do": "explain", "value": str(keys.index(question.key)), "still": True, "key": self._key(each.who),
                    "data_moves": True, "aria_expanded": str(is_open).lower()}  # fmt: skip
            chips.append(chip(each.who.kind, name, "was inside" if was else "", "button", css, **live))
            if is_open:
                parts = el("b", name), self.editor_mark(question, name), self.why(each.answer)
                explanations.append(el("div.sl-shown-here", *parts))
        chip_list = el("div.sl-chips", chips, text="; ".join(map(str, chips)))
        return el("section.sl-group", head, chip_list, explanations, key=f"reason-{reason}")

    @property
    def commands(self) -> Commands:
        return {"search": self.search, **super().commands}


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
        reasons = [plain(each.sentence) for each in near if each.deciding and each.deciding.name != "Principal"]
        return reasons[0] if reasons else "The trust policy does not name this caller"
    names = [LACKING[kind] for kind in LACKING if kind in lacking]
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
        return "The caller is in another account, whose policies must allow it, too."
    delegated = "The trust policy names the account, so the caller's own policy must allow it, too."
    return delegated if meaning == DELEGATES else ""


def _listed(document: Mapping[str, Any], element: str) -> Sequence[str]:
    value = document.get(element) or document.get(f"Not{element}") or ()
    return [value] if isinstance(value, str) else list(value)


def _actions(statement: Any) -> str:
    """ "Allow s3:GetObject", as much as there is room for."""
    document = statement.document
    but = "everything but " if "NotAction" in document else ""
    condition = " under a condition" if "Condition" in document else ""
    return f"{statement.effect} {but}{', '.join(_listed(document, 'Action'))}{condition}"
