"""Every credential of a world on one time axis, what each can still do, and the calls as they happen.

Looking at another moment changes nothing in the world. Moving its clock does, and only forward.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from simlib.cloud.credentials.lifetimes import EXPIRED, ORPHANED, REVOKED, VALID, hours
from simlib.cloud.inspection import Principal

from ..explorers.answers import Answer, Question, put
from ..explorers.rows import request_row, why
from ..look import button, choice, fold, icon, notice, panel_card
from ..markup import number_of
from ..page import Child, Part, code, el
from ..panel import Commands, Panel
from ..principals import short_key
from ..trail_table import DECISIONS, MOST_IDENTITIES, TrailTable, principal_name, trail_page
from .chart import MOST_LANES, Chart, chart
from .drawing import STEPS, drawing, legend
from .lanes import Lane, LaneState, lanes, short

SPANS = {
    "": None,
    "2 hours": timedelta(hours=2),
    "12 hours": timedelta(hours=12),
    "2 days": timedelta(days=2),
    "2 weeks": timedelta(days=14),
    "3 months": timedelta(days=91),
    "4 years": timedelta(days=1461),
}
FARTHEST = timedelta(days=36_500)  # from now that one can look
FEW = 8  # answers that are not folded
_HAPPENS = {VALID: "is valid again", EXPIRED: "expires", ORPHANED: "is over with its role or user"}


class Change(NamedTuple):
    """When something about a credential changes: it is issued, expires, is revoked, …"""

    moment: datetime
    words: str


class SessionTimeline(Panel):
    """The credentials of a running world against its clock, and its trail.

    `requests` are (action, resource ARN) pairs, decided for each credential as if it made them at the moment looked
    at. `only` names the credentials to show: identities, AWS answers that hold credentials, access keys, ARNs or names;
    a mapping gives each its own name. `span` is how much time the axis covers; None: what the sessions need.
    """

    def __init__(
        self,
        world: Any,
        *,
        requests: Sequence[tuple[str, str]] = (),
        only: Mapping[str, Any] | Iterable[Any] | None = None,
        span: timedelta | None = None,
    ) -> None:
        super().__init__()
        self.world, self.requests, self.span = world, tuple(requests), span
        self.only = only if only is None or isinstance(only, Mapping) else tuple(only)
        self.trail = TrailTable(world.trail, account_name=world.account_name)
        self.other_moment: datetime | None = None  # None: now, wherever the clock goes
        self.opened: tuple[str, int] | None = None  # the access key and the request whose evaluation is shown
        self.chosen = ""  # the access key whose story is told
        self.note = ""
        self.now: datetime = world.clock.now
        self.lanes: tuple[Lane, ...] = ()
        self.chart: Chart = chart((), self.now, self.now, None)
        self.holdings: tuple[LaneState, ...] = ()
        self.changes: tuple[Change, ...] = ()
        self._version: Any = None
        world.credentials()  # a world that has been stopped says so
        self.refresh()

    # -- following the world -----------------------------------------------------------------------------------------

    def follow(self) -> None:
        if self.world.inspect.version != self._version:
            self.refresh()

    def refresh(self) -> None:
        """Look at the world again: its clock, its credentials, its policies, its trail."""
        self._version = self.world.inspect.version
        try:
            credentials = self.world.credentials()
        except RuntimeError as error:  # it has been stopped
            self.note = str(error)
            self._draw()
            return
        self.now = self.world.clock.now
        self.lanes = tuple(lanes(credentials, self.world.account_name, self.only))
        self.trail.refresh()
        if self.only is not None:
            self.trail.among = {lane.key for lane in self.lanes}
        self._look_again()

    def _look_again(self) -> None:
        """Work out the view from what is known of the world."""
        identity = self.trail.identity
        selected_lanes = [lane for lane in self.lanes if not identity or identity in (lane.credential.arn, lane.key)]
        self.changes = _changes(selected_lanes)
        whole = self.only is not None or bool(identity)
        self.chart = chart(selected_lanes, self.now, self.moment, self.span, self.chart, whole=whole)
        self.holdings = tuple(map(self._holding, self.chart.lanes))
        self._draw()

    def _holding(self, lane: Lane) -> LaneState:
        state = lane.credential.state(self.moment)
        calls = self.trail.by_key.get(lane.key)
        addresses = tuple(address for address, _ in calls.addresses.most_common()) if calls else ()
        words = lane.describe(self.moment, years=self.chart.years)
        return LaneState(lane, state, words, tuple(self._answers(lane, state)), addresses)

    def _answers(self, lane: Lane, state: str) -> Iterable[Answer]:
        """What AWS would answer at the moment looked at: to credentials that are not valid, always the same."""
        credential = lane.credential
        who = Principal(
            credential.arn,
            "session" if credential.expires else "user",
            credential.account,
            lane.name,
            credential.access_key_id,
        )
        who = who if credential.expires else replace(who, credential="")
        for action, resource in self.requests if state else ():
            question = Question(who, action, resource)
            if state in (VALID, REVOKED):
                yield put(question, self.world.inspect.ask, at=self.moment)
            else:
                code = "ExpiredToken" if state == EXPIRED else "InvalidClientTokenId"
                yield Answer(question, None, f"AWS answers {code}")

    # -- looking, and moving the clock -------------------------------------------------------------------------------

    @property
    def moment(self) -> datetime:
        """The moment looked at."""
        return self.other_moment or self.now

    def look(self, moment: datetime | timedelta | None = None) -> None:
        """Look at another moment, or that far from now; None: at now. Nothing changes in the world."""
        if isinstance(moment, timedelta):
            moment = self.now + min(max(moment, -FARTHEST), FARTHEST)
        if moment is not None and moment.tzinfo is None:
            raise ValueError(f"{moment!r} does not say which time zone it means; give an aware datetime")
        if moment is not None and abs(moment - self.now) > FARTHEST:
            raise ValueError(f"{moment:%d %b %Y} is too far away: look at most a hundred years from now")
        self.other_moment, self.note = moment, ""
        self._look_again()

    def step(self, forward: bool = True) -> None:
        """Look at the next change, or at the one before."""
        moments = [
            each for each in self.changes if each.moment != self.moment and forward == (each.moment > self.moment)
        ]
        if moments:
            self.look(moments[0 if forward else -1].moment)

    @property
    def next_change(self) -> Change | None:
        """What the clock would bring next."""
        return next((change for change in _changes(self.lanes) if change.moment > self.now), None)

    def move_clock(self, moment: datetime | None = None) -> None:
        """Move the world's clock forward: to the next change, or to this moment. There is no way back."""
        change = self.next_change if moment is None else Change(moment, "")
        if change is None:
            self.note = "No credential ends by itself after now: there is nothing to move the clock to."
            self._draw()
            return
        try:
            self.world.clock.set(change.moment)
        except (ValueError, RuntimeError) as error:
            self.note = f"The clock stands still: {error}"
        else:
            self.other_moment = None
            self.note = f"The clock was moved to {change.moment:%d %b %Y, %H:%M:%S} UTC"
            self.note += f": {change.words}." if change.words else "."
        self.refresh()

    def zoom(self, span: timedelta | None) -> None:
        """How much time the axis covers around the moment looked at; None: what the sessions need."""
        self.span = span
        self._look_again()

    # -- the trail ---------------------------------------------------------------------------------------------------

    def filter(self, *, identity: str | None = None, decision: str | None = None) -> None:
        """Show one identity or key alone, of the axis and of the trail; or calls with one decision. "" is any."""
        self.trail.filter(identity=identity, decision=decision)
        self._look_again()

    def choose(self, key: str) -> None:
        """Tell the story of a credential; the same again leaves it."""
        self.chosen = "" if key == self.chosen else key
        self._draw()

    def open_call(self, number: int) -> None:
        """Show how the call of that number was decided; the same again hides it."""
        self.trail.show(number)
        self._draw()

    def open_verdict(self, key: str, request: int) -> None:
        """Show how a request would be decided for a credential; the same again hides it."""
        self.opened = None if self.opened == (key, request) else (key, request)
        self._draw()

    @property
    def identities(self) -> list[str]:
        """Whom the filter can choose: everybody who has credentials or has called."""
        arns = {lane.credential.arn for lane in self.lanes}
        return sorted(arns | set(self.trail.identities if self.only is None else ()))

    # -- the page ----------------------------------------------------------------------------------------------------

    @property
    def headline(self) -> str:
        """One line: how many are valid, and when."""
        valid = sum(each.state == VALID for each in self.holdings)
        ahead = self.moment - self.now
        distance = (
            f", {hours(abs(ahead))} {'from' if ahead > timedelta(0) else 'before'} now" if self.other_moment else ""
        )
        when = f"{'Now,' if self.other_moment is None else 'On'} {short(self.moment, years=True)} UTC{distance}"
        if not self.holdings:
            return f"{when}: no credentials here yet."
        return (
            f"{when}: {valid} of {number_of(len(self.holdings), 'credential')} {'is' if valid == 1 else 'are'} valid."
        )

    @property
    def remarks(self) -> Iterator[str]:
        """What is not shown, and with which policies another moment is decided."""
        if self.chart.hidden:
            counts = f"{MOST_LANES} of {MOST_LANES + self.chart.hidden:,} credentials are shown"
            yield f"{counts}, valid and newest ones first. Choose an identity to see its own."
        if self.other_moment is not None and self.requests:
            yield "Decided with the policies as they are now. What was decided in the past is in the trail."

    def page(self) -> Part:
        remarks = [el("p.sl-small.sl-dim", remark) for remark in self.remarks]
        calls = {each.key: self.trail.by_key.get(each.key) for each in self.holdings}
        picture = drawing(self.chart, self.holdings, calls, self.chosen)
        return panel_card(
            "Keys and sessions",
            notice(self.note),
            el("div.sl-body", picture, remarks, legend(picture), self._story(), self._answer_list(), key="body"),
            self._clockwork(),
            el("div.sl-body", self._choices(), self._trail(), key="trail"),
            side=el("span.sl-small.sl-dim", self.headline, role="status"),
        )

    def _story(self) -> Child:
        """What is to be known of the lane that was chosen."""
        holding = next((each for each in self.holdings if each.key == self.chosen), None)
        if holding is None:
            return None
        sentence = (
            el("b", holding.lane.name),
            " ",
            code(short_key(holding.key)),
            f": {holding.words}; {holding.story}.",
        )
        return el("p.sl-quiet.sl-small", *sentence, key="story", text="")

    def _answer_list(self) -> Child:
        """What could be done with each at the moment looked at."""
        rows = []
        for holding in self.holdings:
            for index, each in enumerate(holding.answers):
                request = code(f"{each.question.action} on {each.question.resource}", ".sl-dim")
                value, opened = f"{holding.key} {index}", self.opened == (holding.key, index)
                below = why(each, holding.lane.name, "verdict", value, opened=opened)
                what = (el("b", holding.lane.label, text=holding.lane.name), " ", request)
                rows.append(request_row(what, each.verdict, below, key=f"asked-{value}"))
        head, is_short = f"What each can do on {short(self.moment, years=True)} UTC", len(rows) <= FEW
        return fold(el("b", head), el("ul.sl-reqs", rows), key="what-each-can-do", opened=is_short) if rows else None

    def _clockwork(self) -> Part:
        earlier = any(change.moment < self.moment for change in self.changes)
        later = any(change.moment > self.moment for change in self.changes)
        change, here = self.next_change, self.moment > self.now
        words = f"Move the clock to {short(change.moment, years=True)}: {change.words}" if change else ""
        announcement = (
            el("p", f"Next: {short(change.moment, years=True)} UTC: {change.words}.", on="still") if change else None
        )
        move = button("move", words or "Move the clock: nothing will end by itself", off=not change, css=".is-primary")
        to_here = button("move-here", f"Move the clock here, to {short(self.moment, years=True)}") if here else None
        return el(
            "div.sl-foot", announcement, move, to_here,
            button("before", icon("left"), "Earlier change", off=not earlier),
            button("after", "Later change", icon("right"), off=not later),
            el("span.sl-grow"),
            button("now", "Back to now", off=self.other_moment is None, css=".is-quiet"), key="clockwork",
        )  # fmt: skip

    def _choices(self) -> Part:
        identities, chosen = self.identities[:MOST_IDENTITIES], self.trail.identity
        if chosen and chosen not in identities:
            identities = [chosen, *identities]
        everybody = [("", "everybody"), *((arn, principal_name(arn, self.world.account_name)) for arn in identities)]
        span = next((text for text, length in SPANS.items() if length == self.span), "")
        spans = choice("span", "Axis", [(text, text or "what the sessions need") for text in SPANS], span)
        decision = choice("decision", "Decision", DECISIONS.items(), self.trail.decision)
        return el("div.sl-form.is-close", choice("identity", "Identity", everybody, chosen), spans, decision, on="live")

    def _trail(self) -> Part:
        trail = self.trail
        newer = button("newer", icon("left"), "Newer calls", off=trail.page == 0)
        older = button("older", "Older calls", icon("right"), off=trail.page >= trail.last_page)
        pages = el("div.sl-row", newer, older, on="live") if trail.last_page else None
        return fold("The trail", trail_page(trail, opens=True), pages, key="the-trail", opened=True)

    @property
    def commands(self) -> Commands:
        def moment(value: str) -> None:
            if value.isdecimal() and value.isascii() and int(value) <= STEPS:
                self.look(self.chart.left + (self.chart.right - self.chart.left) * int(value) / STEPS)

        def turn(pages: int) -> None:
            self.trail.page += pages
            self._draw()

        def verdict_of(value: str) -> None:
            key, _, index = value.partition(" ")
            if index.isdigit():
                self.open_verdict(key, int(index))

        minute = timedelta(minutes=1)
        keys = {
            "ArrowLeft": lambda: self.look(self.moment - minute),
            "ArrowRight": lambda: self.look(self.moment + minute),
            "PageUp": lambda: self.step(forward=False),
            "PageDown": self.step,
            "Home": lambda: self.look(self.chart.left),
            "End": lambda: self.look(self.chart.right),
        }
        return {
            "moment": moment,
            "key": lambda value: keys[value]() if value in keys else None,
            "lane": self.choose,
            "before": lambda _: self.step(forward=False),
            "after": lambda _: self.step(),
            "now": lambda _: self.look(),
            "move": lambda _: self.move_clock(),
            "move-here": lambda _: self.move_clock(self.other_moment) if self.other_moment else None,
            "span": lambda value: self.zoom(SPANS[value]) if value in SPANS else None,
            "identity": lambda value: self.filter(identity=value),
            "decision": lambda value: self.filter(decision=value) if value in DECISIONS else None,
            "older": lambda _: turn(1),
            "newer": lambda _: turn(-1),
            "call": lambda value: self.open_call(int(value)) if value.isdigit() else None,
            "verdict": verdict_of,
        }


def _changes(lanes: Iterable[Lane]) -> tuple[Change, ...]:
    """Everything that happened to these credentials, and what will by itself, in order."""
    changes = []
    for lane in lanes:
        for index, interval in enumerate(lane.credential.intervals):
            word = _HAPPENS.get(interval.state, f"is {interval.state}") if index else "is issued"
            changes.append(Change(interval.since, f"{lane.label} {short_key(lane.key)} {word}"))
    return tuple(sorted(changes, key=lambda change: change.moment))
