"""To look into the incident: calls told in lines, and what Mallory can still do with all that she holds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from simlib.cloud.event import Event

from . import incident
from .attempts import Comparison, compare
from .exercises import Verdict
from .look import table
from .page import Part, el
from .panel import Displayable
from .trail_table import principal_name

HEAD = ["When (UTC)", "From", "Who", "Call", "On what"]


@dataclass(frozen=True, repr=False)
class CallTable(Displayable):
    """Calls of the trail, oldest first: when, from where, by whom (and of which account), what, and on what."""

    rows: tuple[tuple[str, str, str, str, str], ...]

    def page(self) -> Part:
        rows = [[*(el("span", each, style="white-space: nowrap") for each in row[:2]), *row[2:]] for row in self.rows]
        return el("div.sl-trail.sl-told", table(HEAD, rows)) if rows else el("p", "No call like this.")


def tell(events: Iterable[Event]) -> CallTable:
    """Calls of the running world's trail, to be read from top to bottom: `tell(aws.trail[-5:])`."""
    return CallTable(tuple(_row(event) for event in events))


def _row(event: Event) -> tuple[str, str, str, str, str]:
    from simlib.cloud import Cloud

    who = principal_name(event.who, Cloud.running.account_name if Cloud.running else None)
    call = event.action if not event.refused else f"{event.action} ✘"
    return f"{event.when:%d %b %H:%M}", event.source_ip, who, call, event.resource.rpartition(":")[2]


def tonight(world: Any) -> Comparison | Verdict:
    """Mallory comes back and tries all of it. It is a rehearsal: the world and its trail stay as they are."""
    if incident.nothing_done(world):
        return Verdict(None, "You have changed nothing yet. Tonight Mallory reads the ledger, as on the nights before.")
    with world.rehearsal():
        trials = incident.trials(world, "Mallory is out")
        return compare({f"{each['who']} {each['does']}": outcome for each, outcome in trials if outcome is not None})
