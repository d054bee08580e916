"""AccessExplorer: who may do what on what – a list of requests, or a matrix of identities × requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from simlib.cloud.inspection import Place, Principal
from simlib.iam import service_data

from ..look import avatar, button, choice, field, fold, icon, icon_button
from ..page import Child, Part, code, el
from ..panel import Commands
from ..policy.completion import actions, fitting
from ..policy.store import relevant_places
from ..principals import about, find, title, titles
from .answers import Answer, Question
from .circumstances import circumstances, in_words
from .explorer import Explorer
from .trial import try_really

Request = tuple[str, str] | tuple[str, str, Mapping[str, Any]]
MOST_WORDS = 40  # are offered at once; typing on narrows them down


class AccessExplorer(Explorer):
    """Requests of one or several identities, decided at every keystroke, and each verdict explained.

        lab.AccessExplorer(aws, who="web-app", edit=["web-app/read-bucket"], requests=[
            ("s3:ListBucket", "arn:aws:s3:::my-secure-bucket"),
            ("s3:GetObject", "arn:aws:s3:::my-secure-bucket/report.csv"),
        ])
        lab.AccessExplorer(aws, who=["alice", "bob", session], requests=[…], circumstances={"mfa": True})

    `who`: names, ARNs, identities that are signed in; several make a matrix, with a column for each. `requests`:
    action and resource, and circumstances of this request alone. `edit`: documents by name ("alice/read",
    "reports/trust", "bob/boundary", "my-bucket"), by default every one that bears on the requests. `circumstances`:
    `mfa`, `source_ip`, `time`, `external_id`, `tags`, `request_tags`, or condition keys.
    """

    def __init__(
        self,
        world: Any,
        *,
        who: Any,
        requests: Iterable[Request] = (),
        edit: Iterable[str | Place] | None = None,
        circumstances: Mapping[str, Any] | None = None,
    ) -> None:
        names = list(who) if isinstance(who, list | tuple | set) else [who]
        if not names:
            raise ValueError('Nobody is asked about. Name somebody: who="alice" or who=["alice", "bob"].')
        self.people = list(dict.fromkeys(find(world, each) for each in names))
        self.requests: list[tuple[str, str, Mapping[str, Any]]] = [_request(each) for each in requests]
        self._typed = {"action": "", "resource": ""}
        self._removed: tuple[int, list[Any]] | None = None  # which, and what was asked before
        resources = [resource for _, resource, _ in self.requests]
        people = list(self.people)
        super().__init__(world, lambda: relevant_places(world, people, resources), edit, circumstances)

    # -- to do -------------------------------------------------------------------------------------------------------

    def ask(self, action: str, resource: str, **own: Any) -> None:
        """Add a request to the table and explain it; `own` are circumstances of it alone."""
        request, self._removed = _request((action, resource, own)), None
        if request not in self.requests:
            self.requests.append(request)
        self.problem = ""
        self.decide()
        self.choose(self.question(self.people[0], request).key)

    def forget(self, index: int) -> None:
        """Take a request out of the table; `restore` puts it back."""
        self._removed = index, [*self.requests]
        del self.requests[index]
        self.decide()

    def restore(self) -> None:
        """Put back the request that was taken out last."""
        if self._removed is not None:
            index, self.requests = self._removed
            self._removed = None
            self.decide()
            self.choose(self.question(self.people[0], self.requests[index]).key)

    def add(self, who: Any) -> None:
        """Ask for somebody else too."""
        person = find(self.world, who)
        if person not in self.people:
            self.people.append(person)
        self.decide()

    def try_it(self) -> str:
        """Really make the call of the chosen question through boto3, and say whether reality agrees."""
        answer = self.answers[self.chosen or next(iter(self.answers))]
        text = try_really(self.world, answer, saved=not self.unsaved)
        self.refresh()
        self.trial_text = text
        self._draw()
        return text

    # -- what there is to see ----------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Whom and what one could ask about besides: as the world is, not anew with each key that is pressed."""
        people: list[Principal] = self.world.inspect.principals()
        titles_of = titles(self.world, people)
        self._others = [(each.credential or each.arn, f"{titles_of[each]} – {each.kind}") for each in people]
        self._resource_arns: list[str] = self.world.inspect.resources()
        super()._settle()

    @property
    def questions(self) -> list[Question]:
        return [self.question(person, request) for request in self.requests for person in self.people]

    def question(self, person: Principal, request: tuple[str, str, Mapping[str, Any]]) -> Question:
        action, resource, own = request
        return Question(person, action, resource, circumstances({**self.circumstances, **own}))

    def label(self, question: Question) -> str:
        row = self.row_of(question) + 1
        if len(self.people) == 1:
            return str(row)
        return self.name(question.who) if len(self.requests) == 1 else f"{self.name(question.who)} {row}"

    def row_of(self, question: Question) -> int:
        return [each.key for each in self.questions].index(question.key) // len(self.people)

    def answer(self, row: int = 0, column: int = 0) -> Answer:
        """The answer to a request (by row) of somebody (by column)."""
        return self.answers[self.question(self.people[column], self.requests[row]).key]

    def name(self, person: Principal) -> str:
        return title(self.world, person, among=self.people)

    @property
    def title(self) -> str:
        return f"What may {self.name(self.people[0])} do?" if len(self.people) == 1 else "Who may do what?"

    # -- the page ----------------------------------------------------------------------------------------------------

    def page(self) -> Part:
        several = len(self.people) > 1
        allowed = sum(each.allowed for each in self.answers.values())
        count = el("span.sl-dim.sl-small", f"{allowed} of {len(self.answers)} allowed", role="status")
        table = self._matrix() if several else el("ol.sl-reqs", [self._row(row) for row in range(len(self.requests))])
        person = self.people[0]
        account = self.world.account_name(person.account) if person.account else ""
        where = " ".join(filter(None, (about(person), f"in {account} {person.account}" if account else "")))
        return self.card(
            el("div.sl-panehead", el("h4", "Requests"), count),
            el("div.sl-stale" if self.stale else "div", table, key="table"),
            self._below(),
            about=None if several else where,
            who=None if several else avatar(person.kind, person.name, ".is-big"),
            stacked=len(self.people) > 2,
        )

    def _row(self, row: int) -> Part:
        answer, index = self.answer(row), str(row)
        is_chosen = answer.question.key == self.chosen
        number = button("show", str(row + 1), value=index, css=f".sl-n{'.is-here' if is_chosen else ''}", still=True,
                        aria_label=f"Row {row + 1}: show in the editor", aria_pressed=str(is_chosen).lower(),
                        data_at=f"{row} 0", data_enter="explain", data_delete="forget")  # fmt: skip
        near_misses = answer.near_misses if answer.question.key not in self.open else ()
        near = el("p.sl-small.sl-dim.sl-near", f"{near_misses[0]}.") if near_misses else None
        out = icon_button("forget", "cross", f"Take row {row + 1} out", index)
        label, key = f"row {row + 1}", f"row-{row}"
        return self.row(answer, self._request_text(row), key=key, first=number, out=out, label=label, near=near)

    def _request_text(self, row: int) -> Child:
        action, resource, own = self.requests[row]
        with_own = el("span.sl-dim.sl-small", f" with {in_words(own)}") if own else None
        return el("b", code(action)), " ", code(resource.removeprefix("arn:aws:s3:::"), ".sl-dim"), with_own

    def _matrix(self) -> Part:
        names = [self.name(each) for each in self.people]
        people = zip(self.people, names, strict=True)
        heads = [
            el("th", el("span.sl-who", avatar(each.kind, each.name), called), scope="col") for each, called in people
        ]
        top = el("thead", el("tr", el("th", el("span.sl-eyebrow", "Request"), scope="col"), heads))
        rows: list[Part] = []
        for row in range(len(self.requests)):
            cells = [self._cell(row, column, names[column]) for column in range(len(names))]
            out = icon_button("forget", "cross", f"Take {self.requests[row][0]} out", str(row))
            number = el("span.sl-n", str(row + 1)) if len(self.requests) > 1 else None
            head = el("th", number, el("span", self._request_text(row)), el("span.sl-out", out), scope="row")
            rows.append(el("tr", head, cells, key=f"row-{row}"))
            for column in range(len(names)):
                answer = self.answer(row, column)
                if answer.question.key in self.open:
                    inside = el("div.sl-stick", el("b", f"{names[column]}: "), self.why(answer))
                    rows.append(
                        el("tr.sl-unfolded", el("td", inside, colspan=len(names) + 1), key=f"why-{row}-{column}")
                    )
        whole = el("table.sl-matrix", top, el("tbody", rows))
        return el("div.sl-scroll", whole, tabindex="0", role="region", aria_label=self.title)

    def _cell(self, row: int, column: int, called: str) -> Part:
        answer = self.answer(row, column)
        question, changed = answer.question, answer.changed_from(self.before(answer.question))
        why, mark = el("span.sl-small.sl-dim", "Why?", text=""), self.editor_mark(question, self.label(question))
        live = {"do": "explain", "value": str(row * len(self.people) + column), "still": True,
                "aria_expanded": str(question.key in self.open).lower(),
                "data_at": f"{row} {column}", "data_delete": "forget", "data_delete_value": str(row)}  # fmt: skip
        inside = (el("span.sl-whose", f"{called}: "), answer.verdict, changed, why, mark)
        css = (".is-here" + (".is-yes" if answer.allowed else "")) if question.key == self.chosen else ""
        return el(f"td{css}", el("button.sl-cell", *inside, **live))

    def _below(self) -> Child:
        """To try one really, to ask something else, for somebody else, under other circumstances."""
        trial = el("p.sl-quiet", self.trial_text, role="status") if self.trial_text else None
        action, resource = self._typed["action"], self._typed["resource"]
        words = [each.text for each in fitting(actions(action), action)]
        form = el(
            "div.sl-form",
            field("action", "Action", action, words, "ask", "s3:GetObject"),
            field("resource", "Resource", resource, self._resources(), "ask", "arn:aws:s3:::…"),
            button("ask", "Ask"),
            role="group",
            aria_label="A new request",
        )
        return (
            self._trying(),
            trial,
            self._undo(),
            el("div", fold("Add a request", form, key="new", opened=not self.requests), on="live"),
            self._circumstances(choice("person", "Also ask for", [("", "nobody else"), *self._others], "")),
        )

    def _trying(self) -> Child:
        if not self.answers:
            return None
        answer = self.answers.get(self.chosen) or next(iter(self.answers.values()))
        who = f" as {self.name(answer.question.who)}" if len(self.people) > 1 else ""
        what = "it" if who and len(self.requests) == 1 else f"row {self.row_of(answer.question) + 1}"
        label = f"Try {what}{who} for real"
        return el("div.sl-row", button("try", icon("play"), label), key="try")

    def _undo(self) -> Child:
        if self._removed is None:
            return None
        index, requests = self._removed
        sentence = el("span", "Taken out: ", code(requests[index][0]), ".", role="status")
        undo = button("restore", icon("undo"), "Undo", data_key="undo")
        return el("div.sl-row", sentence, undo, key="undone", on="live")

    def _resources(self) -> list[str]:
        part = self._typed["resource"].lower()
        return [arn for arn in self._resource_arns if part in arn.lower()][:MOST_WORDS]

    @property
    def commands(self) -> Commands:
        def write(name: str, text: str) -> None:
            self._typed[name] = text.strip()
            self._draw()

        def person(value: str) -> None:
            if any(value in (each.credential, each.arn) for each in self.world.inspect.principals()):
                self.add(self.world.inspect.principal(value))

        return {
            "ask": lambda _: self._ask_from_fields(),
            "action": lambda text: write("action", text),
            "resource": lambda text: write("resource", text),
            "person": person,
            "forget": lambda value: (
                self.forget(int(value)) if value.isdigit() and int(value) < len(self.requests) else None
            ),
            "restore": lambda _: self.restore(),
            "try": lambda _: self.try_it() if self.answers else None,
            **super().commands,
        }

    def _ask_from_fields(self) -> None:
        """Ask what stands in the fields; what makes no sense gets a sentence."""
        action, resource = self._typed["action"], self._typed["resource"]
        service, _, name = action.lower().partition(":")
        data = service_data.service(service) if service in service_data.services() else None
        if data is None or name not in data.actions:
            what = f"AWS has no action “{action}”." if action else "The action is missing."
            self.problem = f"{what} Write it as service:Name, like s3:GetObject."
        elif resource != "*" and not (resource.startswith("arn:") and all(resource.split(":", 5)[5:] or [""])):
            what = f"“{resource}” is not an ARN." if resource else "The resource is missing."
            self.problem = f"{what} Write its ARN, like arn:aws:s3:::my-bucket/report.csv, or * for all."
        else:
            return self.ask(action, resource)
        self._draw()


def _request(request: Request) -> tuple[str, str, Mapping[str, Any]]:
    if isinstance(request, str) or len(request) not in (2, 3):
        raise ValueError(f'A request is a pair, ("s3:GetObject", "arn:aws:s3:::my-bucket/a.csv"), and not {request!r}.')
    action, resource, *own = request
    circumstances(own[0] if own else {})
    return action.strip(), resource.strip(), dict(own[0]) if own else {}
