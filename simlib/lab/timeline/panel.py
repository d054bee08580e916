"""Every credential of a world on one time axis, what each can still do, and the calls as they happen.

`SessionTimeline` is plain Python; `view` puts it on the screen. Looking at another moment changes
nothing in the world. Moving its clock does, and only forward.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from simlib.cloud.credentials.lifetimes import (
    DELETED,
    EXPIRED,
    GOOD,
    INACTIVE,
    ORPHANED,
    REVOKED,
    Credential,
    hours,
)
from simlib.cloud.explain import in_words
from simlib.cloud.transport.refusals import Refusal
from simlib.iam import Evaluation, RequestError

from ..explorers.answers import as_answer
from ..markup import verdict_text
from ..on_screen import OnScreen
from ..trail_table import TrailTable, as_text
from .chart import MOST_LINES, CallTimes, Chart, chart, counted
from .lines import SIGNS, Line, chosen, key_label, lines, short, told

SPANS = {
    "": None,
    "2 hours": timedelta(hours=2),
    "12 hours": timedelta(hours=12),
    "2 days": timedelta(days=2),
    "2 weeks": timedelta(days=14),
    "3 months": timedelta(days=91),
    "4 years": timedelta(days=1461),
}
_UNKNOWN = "InvalidClientTokenId"
FARTHEST = timedelta(days=36_500)  # from now that one can look
MOST_ROWS = 40  # credentials in the table
MOST_ADDRESSES = 4  # of one key are named


_HAPPENS = {GOOD: "is good again", EXPIRED: "expires", ORPHANED: "is over with its role or user"}

# What AWS answers to credentials that are no good, whatever is asked
_ANSWERS = {EXPIRED: "ExpiredToken", INACTIVE: _UNKNOWN, DELETED: _UNKNOWN, ORPHANED: _UNKNOWN}


@dataclass(frozen=True)
class Verdict:
    """What comes of one request made with one credential. `evaluation` is None where there is nothing to decide."""

    request: str
    allowed: bool
    word: str
    because: str
    evaluation: Evaluation | None = None


@dataclass(frozen=True)
class Holding:
    """One credential at the moment looked at: its state in a sign and words, and what can be done with it."""

    line: Line
    credential: Credential
    state: str
    words: str
    verdicts: tuple[Verdict, ...]
    addresses: tuple[str, ...]  # it was used from, the most frequent first

    @property
    def sign(self) -> str:
        return SIGNS[self.state]

    @property
    def key(self) -> str:
        return self.credential.access_key_id


@dataclass(frozen=True)
class Change:
    """When something about a credential changes: it is issued, expires, is revoked, …"""

    moment: datetime
    words: str


class SessionTimeline(OnScreen):
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
        self.world, self.requests, self.span = world, tuple(requests), span
        self.only = only if only is None or isinstance(only, Mapping) else tuple(only)
        self.trail = TrailTable(world.trail, account_name=world.account_name)
        self.looked: datetime | None = None  # None: now, wherever the clock goes
        self.opened: tuple[str, int] | None = None  # the access key and the request whose evaluation is shown
        self.note = ""
        self.now: datetime = world.clock.now
        self.lines: tuple[Line, ...] = ()
        self.chart: Chart = chart((), self.now, self.now, None, {})
        self.holdings: tuple[Holding, ...] = ()
        self.changes: tuple[Change, ...] = ()
        self._screens: dict[str, Callable[[], None]] = {}
        self._version: Any = None
        world.credentials()  # a world that has been stopped says so
        self.refresh()

    # -- following the world -----------------------------------------------------------------------------------------

    def follow(self) -> None:
        """Look at the world again if something has happened there since."""
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
        name = self.world.account_name
        found = lines(credentials, name) if self.only is None else chosen(credentials, self.only, name)
        self.lines = tuple(found)
        self.trail.refresh()
        if self.only is not None:
            self.trail.among = {each.access_key_id for line in found for each in line.credentials}
        self._look_again()

    def _look_again(self) -> None:
        """Work out the view from what is known of the world."""
        moment = self.moment
        identity = self.trail.identity
        shown = [line for line in self.lines if not identity or _belongs(line, identity)]
        self.changes = _changes(shown)
        calls: dict[str, CallTimes] = {key: (c.allowed, c.refused) for key, c in self.trail.by_key.items()}
        self.chart = chart(shown, self.now, moment, self.span, calls, self.chart)
        drawn = [lane.line for lane in self.chart.lanes]
        self.holdings = tuple(self._holding(line, each) for line in drawn for each in line.open_at(moment))[:MOST_ROWS]
        self._draw()

    def _holding(self, line: Line, credential: Credential) -> Holding:
        moment = self.moment
        state = credential.state(moment)
        calls = self.trail.by_key.get(credential.access_key_id)
        return Holding(
            line,
            credential,
            state,
            told(credential, moment),
            tuple(self._verdicts(credential, state)),
            tuple(address for address, _ in calls.addresses.most_common()) if calls else (),
        )

    def _verdicts(self, credential: Credential, state: str) -> Iterable[Verdict]:
        if not self.requests:
            return
        if not state:
            yield Verdict("whatever is asked", False, "Nothing", "There are no such credentials yet.")
        elif state not in (GOOD, REVOKED):
            yield Verdict("whatever is asked", False, "Not believed", f"AWS answers {_ANSWERS[state]}.")
        else:
            yield from (self._verdict(credential, *request) for request in self.requests)

    def _verdict(self, credential: Credential, action: str, resource: str) -> Verdict:
        who, request = credential.access_key_id if credential.expires else credential.arn, f"{action} on {resource}"
        try:
            evaluation = self.world.inspect.ask(who, action, resource, at=self.moment)
        except Refusal as refused:  # AWS does not read policies for this kind of credentials
            return Verdict(request, False, "Not believed", f"AWS answers {refused.code}: {refused.message}")
        except RequestError as error:
            return Verdict(request, False, "Not to be asked", f"{error}.")
        except LookupError:  # good at the moment looked at, but whoever it stood for has gone since
            return Verdict(request, False, "Not to be known", "Whoever it stood for is no longer there.")
        answer = as_answer(evaluation)
        return Verdict(request, answer.allowed, answer.word, answer.because, evaluation)

    # -- looking, and moving the clock -------------------------------------------------------------------------------

    @property
    def moment(self) -> datetime:
        """The moment looked at."""
        return self.looked or self.now

    def look(self, moment: datetime | timedelta | None = None) -> None:
        """Look at another moment, or that far from now; None: at now. Nothing changes in the world."""
        if isinstance(moment, timedelta):
            moment = self.now + min(max(moment, -FARTHEST), FARTHEST)
        if moment is not None and moment.tzinfo is None:
            raise ValueError(f"{moment!r} does not say which time zone it means; give an aware datetime")
        if moment is not None and abs(moment - self.now) > FARTHEST:
            raise ValueError(f"{moment:%d %b %Y} is too far away: look at most a hundred years from now")
        self.looked, self.note = moment, ""
        self._look_again()

    def step(self, forward: bool = True) -> None:
        """Look at the next change, or at the one before."""
        found = [each for each in self.changes if each.moment != self.moment and forward == (each.moment > self.moment)]
        if found:
            self.look(found[0 if forward else -1].moment)

    @property
    def next_change(self) -> Change | None:
        """What the clock would bring next."""
        return next((change for change in _changes(self.lines) if change.moment > self.now), None)

    def move_clock(self, moment: datetime | None = None) -> None:
        """Move the world's clock forward: to the next change, or to this moment. There is no way back."""
        if moment is None:
            change = self.next_change
            if change is None:
                self.note = "No credential ends by itself after now: there is nothing to move the clock to."
                self._draw()
                return
            moment, words = change.moment, change.words
        else:
            words = ""
        try:
            self.world.clock.set(moment)
        except (ValueError, RuntimeError) as error:
            self.note = f"The clock stands still: {error}"
        else:
            self.looked = None
            self.note = f"The clock was moved to {moment:%d %b %H:%M:%S} UTC" + (f": {words}." if words else ".")
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

    def turn(self, pages: int) -> None:
        """Go to older calls, or with a negative number to newer ones."""
        self.trail.page += pages
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
        named = {each.arn for line in self.lines for each in line.credentials}
        return sorted(named | set(self.trail.identities if self.only is None else ()))

    # -- as text -----------------------------------------------------------------------------------------------------

    def draw_by(self, place: str, screen: Callable[[], None]) -> None:
        """Call `screen` when there is something new to see. Each place has one."""
        self._screens[place] = screen

    def _draw(self) -> None:
        for screen in list(self._screens.values()):
            screen()

    @property
    def headline(self) -> str:
        """One line: how many are good, and when."""
        good = sum(lane.good for lane in self.chart.lanes)
        when = f"{'Now,' if self.looked is None else 'On'} {short(self.moment)} UTC{self._distance}"
        lanes = len(self.chart.lanes)
        if not lanes:
            return f"{when}: no credentials here yet."
        return f"{when}: {good} of {counted(lanes, 'line')} of credentials {'is' if good == 1 else 'are'} good."

    @property
    def _distance(self) -> str:
        ahead = self.moment - self.now
        return f", {hours(abs(ahead))} {'from' if ahead > timedelta(0) else 'before'} now" if self.looked else ""

    @property
    def hidden(self) -> str:
        """How much there is that is not shown; empty if nothing."""
        if not self.chart.hidden:
            return ""
        return (
            f"{MOST_LINES} of {MOST_LINES + self.chart.hidden:,} lines are shown, good and young ones first. "
            "Choose an identity to see its own."
        )

    @property
    def caveat(self) -> str:
        """With which policies another moment is decided."""
        if self.looked is None or not self.requests:
            return ""
        return "Decided with the policies as they are now. What was decided in the past is in the trail."

    def __str__(self) -> str:
        found = [self.headline, *filter(None, (self.hidden, self.note))]
        for holding in self.holdings:
            found.append(_holding_text(holding))
            for index, each in enumerate(holding.verdicts):
                found.append(f"      {verdict_text(each.allowed, each.word)}: {each.request}. {each.because}")
                if self.opened == (holding.key, index) and each.evaluation is not None:
                    found += [f"        {line}" for line in in_words(each.evaluation).splitlines()]
        change = self.next_change
        found += [self.caveat] if self.caveat else []
        found += [f"Next: {short(change.moment)} {change.words}."] if change else []
        return "\n".join([*found, "", f"The trail. {as_text(self.trail, 10)}"])

    __repr__ = __str__

    def figure(self) -> Any:
        """What the axis shows as a matplotlib figure; `.savefig("name.pdf")` saves it."""
        from .figure import figure

        return figure(self.chart)

    def _view(self) -> Any:
        from .view import timeline_view

        return timeline_view(self)

    def _still(self) -> str:
        from .view import still

        return still(self)


def born_of(holding: Holding) -> str:
    """From whom a credential came, how and when."""
    credential = holding.credential
    if not credential.expires:
        return f"created {short(credential.born)}"
    by = f"{holding.line.parent} ({credential.issued_by[:4]}…{credential.issued_by[-4:]})"
    return f"{credential.kind} by {by if credential.issued_by else credential.issued_to}, {short(credential.born)}"


def addresses(holding: Holding) -> str:
    """From where it was used."""
    if not holding.addresses:
        return "never used"
    more = len(holding.addresses) - MOST_ADDRESSES
    named = ", ".join(holding.addresses[:MOST_ADDRESSES]) + (f" and {more:,} more" if more > 0 else "")
    several = f"{len(holding.addresses):,} addresses: " if len(holding.addresses) > 1 else ""
    return f"used from {several}{named}"


def _holding_text(holding: Holding) -> str:
    limit = f"; at most {holding.credential.limit}" if holding.credential.limit else ""
    indent = "  " * holding.line.depth
    head = f"{indent}{holding.sign} {holding.line.name} {key_label(holding.credential)}: {holding.words}{limit}"
    return f"{head}; {born_of(holding)}; {addresses(holding)}"


def _belongs(line: Line, identity: str) -> bool:
    return any(identity in (each.arn, each.access_key_id) for each in line.credentials)


def _changes(shown: Iterable[Line]) -> tuple[Change, ...]:
    """Everything that happened to the credentials of these lines, and what will by itself, in order."""
    found = []
    for line in shown:
        for each in line.credentials:
            for index, spell in enumerate(each.spells):
                word = _HAPPENS.get(spell.state, f"is {spell.state}") if index else "is issued"
                found.append(Change(spell.since, f"{line.name} {key_label(each)} {word}"))
    return tuple(sorted(found, key=lambda change: change.moment))
