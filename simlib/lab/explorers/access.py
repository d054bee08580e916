"""AccessExplorer: who may do what on what – a verdict, AWS's checks as steps, a matrix of identities × requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from simlib.cloud.inspection import Place, Principal

from ..markup import verdict_text
from ..people import about, find, title
from .answers import Answer, Question
from .draft import Draft, bearing_on, place_of
from .explorer import Explorer, circumstances, in_words
from .reality import Trial, try_really

Request = tuple[str, str] | tuple[str, str, Mapping[str, Any]]
Should = Sequence[bool] | Mapping[str, Sequence[bool]]


class AccessExplorer(Explorer):
    """Requests of one or several identities, decided at every keystroke, and each verdict explained.

        lab.AccessExplorer(aws, who="web-app", edit=["web-app/read-bucket"], requests=[
            ("s3:ListBucket", "arn:aws:s3:::my-secure-bucket"),
            ("s3:GetObject", "arn:aws:s3:::my-secure-bucket/report.csv"),
        ])
        lab.AccessExplorer(aws, who=["alice", "bob", session], requests=[…], circumstances={"mfa": True},
                           should={"alice": [True, True], "bob": [True, False], session: [True, False]})

    `who`: names, ARNs, identities that are signed in; several make a matrix, with a column for each. `requests`:
    action and resource, and circumstances of this request alone. `edit`: documents by name ("alice/read",
    "reports/trust", "bob/boundary", "my-bucket"), by default every one that bears on the requests. `circumstances`:
    `mfa`, `source_ip`, `time`, `external_id`, `tags`, `request_tags`, or condition keys. `should`: what each verdict
    is meant to be, in the order of the requests, for all or for each identity.
    """

    arrangement = "access_page"

    def __init__(
        self,
        world: Any,
        *,
        who: Any,
        requests: Iterable[Request] = (),
        edit: Iterable[str | Place] | None = None,
        circumstances: Mapping[str, Any] | None = None,
        should: Should | None = None,
        plain: bool | None = None,
    ) -> None:
        given = list(who) if isinstance(who, list | tuple | set) else [who]
        if not given:
            raise ValueError('Nobody is asked about. Name somebody: who="alice" or who=["alice", "bob"].')
        found = [find(world, each) for each in given]
        self.requests: list[tuple[str, str, Mapping[str, Any]]] = [_request(each) for each in requests]
        self._should = _wishes(should, given, found, len(self.requests))
        self.people = list(dict.fromkeys(found))
        resources = [resource for _, resource, _ in self.requests]
        asked = list(self.people)
        named = None if edit is None else [place_of(world, each) for each in edit]
        draft = Draft(world, lambda: bearing_on(world, asked, resources) if named is None else named, plain=plain)
        super().__init__(world, draft, circumstances)

    # -- commands ----------------------------------------------------------------------------------------------------

    def ask(self, action: str, resource: str, **own: Any) -> None:
        """Add a request to the table and explain it; `own` are circumstances of it alone."""
        request = _request((action, resource, own))
        if request not in self.requests:
            self.requests.append(request)
        self.chosen, self.explained = self.question(self.people[0], request).key, True
        self.decide()

    def forget(self, index: int) -> None:
        """Take a request out of the table."""
        del self.requests[index]
        self._should = {key: wish for key, wish in self._should.items() if key[1] != index}
        self._should = {(who, row - (row > index)): wish for (who, row), wish in self._should.items()}
        self.decide()

    def add(self, who: Any) -> None:
        """Ask for somebody else too."""
        person = find(self.world, who)
        if person not in self.people:
            self.people.append(person)
        self.decide()

    def only(self, who: Any) -> None:
        """Ask for this one alone."""
        self.people = [find(self.world, who)]
        self.decide()

    def try_it(self, key: Any = None) -> Trial:
        """Really make the call of the chosen question through boto3, and say whether reality agrees."""
        answer = self.answers[self.chosen if key is None else key]
        trial = try_really(self.world, answer, saved=not self.draft.unsaved)
        self.refresh()
        self.tried = str(trial)
        self._tell()
        return trial

    # -- what there is to see ----------------------------------------------------------------------------------------

    @property
    def questions(self) -> list[Question]:
        return [self.question(person, request) for request in self.requests for person in self.people]

    def question(self, person: Principal, request: tuple[str, str, Mapping[str, Any]]) -> Question:
        action, resource, own = request
        return Question(person, action, resource, circumstances({**self.circumstances, **own}))

    def answer(self, row: int = 0, column: int = 0) -> Answer:
        """The answer to a request (by row) of somebody (by column)."""
        return self.answers[self.question(self.people[column], self.requests[row]).key]

    def should(self, row: int, column: int = 0) -> bool | None:
        """What a verdict is meant to be; None where nobody has said."""
        return self._should.get((self.people[column], row))

    @property
    def as_should_be(self) -> int:
        """How many verdicts are what they are meant to be."""
        rows = range(len(self.requests))
        cells = [(row, column) for row in rows for column in range(len(self.people))]
        return sum(self.should(*cell) == self.answer(*cell).allowed for cell in cells)

    @property
    def lines(self) -> list[tuple[bool, str, str]]:
        several = len(self.people) > 1
        found = []
        for row, (action, resource, _) in enumerate(self.requests):
            for column, person in enumerate(self.people):
                answer = self.answer(row, column)
                who = f"{self.name(person)}: " if several else ""
                said = " ".join(self.verdict(row, column).split())
                found.append((answer.allowed, said, f"{who}{action} on {resource}\n{answer.because}"))
        return found

    def name(self, person: Principal) -> str:
        return title(self.world, person, among=self.people)

    @property
    def title(self) -> str:  # type: ignore[override]
        if len(self.people) > 1:
            return "Who may do what"
        person = self.people[0]
        kind = about(person)
        return f"What {kind + ' ' if kind else ''}{self.name(person)} may do"

    # -- as text -----------------------------------------------------------------------------------------------------

    def __str__(self) -> str:
        lines = [self.title, *self.said]
        for row, (action, resource, own) in enumerate(self.requests):
            asked = f"{action} on {resource}" + (f", with {in_words(own)}" if own else "")
            if len(self.people) > 1:
                lines.append(asked)
            for column, person in enumerate(self.people):
                answer = self.answer(row, column)
                head = asked if len(self.people) == 1 else self.name(person)
                lines.append(f"{'  ' if len(self.people) > 1 else ''}{self.verdict(row, column)} {head}")
                lines += [f"    {line}" for line in (answer.because, *answer.near_misses)]
        chosen = self.opened
        if chosen and chosen.steps:
            lines += ["", f"AWS's checks for {self.name(chosen.question.who)}: {chosen.question.action}"]
            lines += [f"  {step}" for step in chosen.steps]
        lines += [self.tried] if self.tried else []
        return "\n".join([*lines, *(f"\n{each.name}\n{each.text}" for each in self.draft.documents)])

    __repr__ = __str__

    def verdict(self, row: int, column: int = 0) -> str:
        """ "✘ Not allowed (was ✔ Allowed) – should be ✔ Allowed": the verdict in one line, without markup."""
        answer = self.answer(row, column)
        before, wish = self.before(answer.question), self.should(row, column)
        was = f" (was {verdict_text(before.allowed, before.word)})" if before else ""
        amiss = wish is not None and wish != answer.allowed
        return f"{verdict_text(answer.allowed, answer.word):<13}{was}" + (
            f" – should be {verdict_text(bool(wish))}" if amiss else ""
        )

    @property
    def said(self) -> list[str]:
        """Also how many verdicts are as they should be."""
        wishes = [f"As it should be: {self.as_should_be} of {len(self._should)}"] if self._should else []
        return super().said + wishes


def _request(given: Request) -> tuple[str, str, Mapping[str, Any]]:
    if isinstance(given, str) or len(given) not in (2, 3):
        raise ValueError(f'A request is a pair, ("s3:GetObject", "arn:aws:s3:::my-bucket/a.csv"), and not {given!r}.')
    action, resource, *own = given
    circumstances(own[0] if own else {})
    return action.strip(), resource.strip(), dict(own[0]) if own else {}


def _wishes(
    should: Should | None, given: list[Any], people: list[Principal], rows: int
) -> dict[tuple[Principal, int], bool]:
    """What the verdicts are meant to be, by identity and row."""
    if should is None:
        return {}
    for_each = should if isinstance(should, Mapping) else dict.fromkeys(given, should)
    wishes = {}
    for who, row in for_each.items():
        if who not in given:
            raise ValueError(f"`should` speaks of {who!r}, whom `who` does not name.")
        if len(row) != rows:
            raise ValueError(f"`should` has {len(row)} verdicts for {who!r}, and there are {rows} requests.")
        wishes |= {(people[given.index(who)], index): wish for index, wish in enumerate(row)}
    return wishes
