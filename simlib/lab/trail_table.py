"""The trail to read: its calls as rows, by identity and decision, and why each was decided as it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from simlib.cloud.event import Event, short_arn
from simlib.cloud.explain import Explanation
from simlib.cloud.trail import Trail

from . import answer_summary
from .look import verdict
from .markup import outline
from .page import Html, Part, code, el

PAGE = 10  # rows
MOST_IDENTITIES = 200  # are offered to filter by

WORDS = {"ALLOW": "Allowed", "IMPLICIT_DENY": "Not allowed", "EXPLICIT_DENY": "Denied"}
_SHAPES = {"Allowed": "yes", "Not allowed": "no", "Denied": "deny", answer_summary.REFUSED: "no"}  # other calls failed
DECISIONS = {
    "": "any decision",
    "ALLOW": "allowed",
    "REFUSED": "refused",
    "IMPLICIT_DENY": "not allowed: nobody has allowed it",
    "EXPLICIT_DENY": "denied by a statement",
    "UNAUTHENTICATED": "refused: the credentials",
    "INVALID": "not decided: the request itself",
}


@dataclass
class KeyCalls:
    """The calls made with one key: when those that were allowed and those that were refused, and from where."""

    allowed: list[datetime] = field(default_factory=list)
    refused: list[datetime] = field(default_factory=list)
    addresses: Counter[str] = field(default_factory=Counter)


class TrailTable:
    """The calls of a trail, newest first, a page at a time; one of them may be open.

    `identity` is an ARN, an access key or "" for everybody, `decision` a key of `DECISIONS`. What was looked at once
    is not looked at again: `refresh` reads only what is new. `account_name` tells an account's name by its number.
    """

    def __init__(self, trail: Trail, *, rows: int = PAGE, account_name: Callable[[str], str] | None = None) -> None:
        self.trail, self.page_size, self.account_name = trail, rows, account_name
        self.identity, self.decision, self.page = "", "", 0
        self.open: int | None = None  # the number of an event
        self.among: Collection[str] | None = None  # access keys; None: of everybody
        self.by_key: dict[str, KeyCalls] = {}
        self.identities: Counter[str] = Counter()
        self._seen = self._held = 0
        self._matching: list[Event] | None = None
        self._query: Any = None

    def refresh(self) -> bool:
        """Take in the calls made since the last time; whether there were any."""
        new = self.trail.since(self._seen)
        if not new:
            return False
        if self._held + len(new) > 1.2 * self.trail.bound:  # the trail has forgotten its oldest calls, so do we
            self.by_key, self.identities, self._held, new = {}, Counter(), 0, list(self.trail)
        self._held += len(new)
        for event in new:
            calls = self.by_key.setdefault(event.access_key_id, KeyCalls())
            (calls.refused if event.refused else calls.allowed).append(event.when)
            calls.addresses[event.source_ip] += 1
            self.identities[event.who] += 1
        self._seen, self._query = new[-1].number, None
        return True

    # -- which calls -------------------------------------------------------------------------------------------------

    def filter(self, *, identity: str | None = None, decision: str | None = None) -> None:
        """Show the calls of an identity or a key, or with one decision; "" is any. Raises `ValueError` for others."""
        if decision is not None:
            if decision not in DECISIONS:
                raise ValueError(f"decision is one of {', '.join(map(repr, DECISIONS))}, not {decision!r}")
            self.decision = decision
        if identity is not None:
            self.identity = identity
        self.page, self.open = 0, None

    @property
    def matching(self) -> Sequence[Event]:
        """The calls that pass the filter, newest first."""
        query = (self.identity, self.decision, self._seen, None if self.among is None else frozenset(self.among))
        if self._matching is None or query != self._query:
            tests = list(self._tests())
            events = reversed(list(self.trail))
            self._matching = [event for event in events if all(test(event) for test in tests)]
            self._query = query
        return self._matching

    def _tests(self) -> Iterable[Callable[[Event], bool]]:
        if self.among is not None:
            keys = frozenset(self.among)
            yield lambda event: event.access_key_id in keys
        if self.identity:
            yield lambda event: self.identity in (event.who, event.access_key_id)
        if self.decision == "REFUSED":
            yield lambda event: event.refused
        elif self.decision:
            yield lambda event: event.decision == self.decision

    @property
    def rows(self) -> Sequence[Event]:
        """The calls on this page."""
        self.page = min(max(self.page, 0), self.last_page)
        return self.matching[self.page * self.page_size : (self.page + 1) * self.page_size]

    @property
    def last_page(self) -> int:
        """The number of the page with the oldest calls, from 0."""
        return max((len(self.matching) - 1) // self.page_size, 0)

    @property
    def counted(self) -> str:
        """How many calls there are and which of them are shown."""
        matching, all_of_them = len(self.matching), len(self.trail)
        if not matching:
            return f"None of {all_of_them:,} calls." if all_of_them else "No calls yet."
        start = self.page * self.page_size
        part = f"{start + 1:,} to {start + len(self.rows):,} of" if self.last_page else "All"
        of_all = "" if matching == all_of_them else f" that match, of {all_of_them:,} calls"
        if matching == all_of_them == 1:
            return "One call."
        return f"{part} {matching:,}{of_all or ' calls'}, newest first."

    def show(self, number: int | None) -> None:
        """Open the evaluation of a call by its number; the same again closes it."""
        self.open = None if number == self.open else number


def outcome(event: Event) -> str:
    """The decision in a word or two; without a decision, or if it failed though it was allowed, that of its error."""
    if event.error_code and not event.decision.endswith("_DENY"):
        return answer_summary.outcome_word(event.error_code)
    return WORDS.get(event.decision, answer_summary.REFUSED)


# -- on a page ---------------------------------------------------------------------------------------------------------


def trail_page(table: TrailTable, *, opens: bool = False) -> Part:
    """The page of calls that is shown; those that are not open bring their evaluation along where nobody `opens` it."""
    rows = [_row(event, table, opens=opens) for event in table.rows]
    head = el(
        "thead", el("tr", [el("th", word, scope="col") for word in ("Decision, when (UTC)", "Call", "Who")], text="")
    )
    return el("div.sl-trail", el("table.sl-t", el("caption", table.counted), head, el("tbody", rows)))


def _row(event: Event, table: TrailTable, *, opens: bool) -> Part:
    """When and how decided, what on what, by whom with which key from where."""
    opened, who = event.number == table.open, principal_name(event.who, table.account_name)
    words = str(Explanation(event)) if opened or not opens else ""
    why = el("div.sl-why", Html(outline(words)), text=words) if words else None
    about, toggle = f"Why? {event.action}, call {event.number}", "call" if opens else None
    summary = el("summary", "Why?", aria_label=about)
    live = {"open": opened, "data_toggle": toggle, "value": str(event.number), "key": f"call-{event.number}"}
    details = el("details.sl-open", summary, why, **live)
    word, when = outcome(event), f"{event.when:%d %b %Y %H:%M:%S}"
    decision = verdict(_SHAPES.get(word, "failed"), word)
    code_ = f" ({event.error_code})" if event.error_code else ""
    lines = [f"{when}  {decision}{code_}  {event.action} on {event.resource}, by {who} from {event.source_ip}"]
    lines += [f"    {line}" for line in words.splitlines()] if opened else []
    key = f"key …{event.access_key_id[-4:]} " if event.access_key_id else ""  # none, or one that AWS does not know
    cells = (
        el("th", decision, el("div.sl-small", event.error_code), el("time.sl-small.sl-dim", when), scope="row"),
        el("td", code(event.action), " ", code(event.resource, ".sl-dim"), details),
        el("td", who, el("div.sl-small.sl-dim", f"{key}from {event.source_ip}")),
    )
    return el("tr", *cells, key=f"event-{event.number}", text="\n".join(lines))


def principal_name(arn: str, account_name: Callable[[str], str] | None) -> str:
    """ "alice (dev)"; "111111111111 user/alice" where nobody knows what the account is called. Other names stay."""
    parts = arn.split(":", 5)
    if account_name is None or len(parts) < 6:
        return short_arn(arn)
    kind, _, name = parts[5].partition("/")
    return f"{name or f'{kind} user'} ({account_name(parts[4])})"
