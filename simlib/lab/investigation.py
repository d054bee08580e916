"""To look into the incident: calls told in lines, and what Mallory can still do with all that she holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simlib.cloud.event import Event

from . import incident
from .attempts import Attempt, Comparison, attempt, compare
from .beginnings import IMAGE
from .exercises import Verdict
from .look import table
from .page import Part, el
from .panel import Shown

if TYPE_CHECKING:
    from simlib.cloud.machines.instance import Instance

HEAD = ["When (UTC)", "From", "Who", "Call", "On what"]


@dataclass(frozen=True, repr=False)
class Told(Shown):
    """Calls of the trail, oldest first: when, from where, by whom (the account in front), what, and on what."""

    rows: tuple[tuple[str, str, str, str, str], ...]

    def page(self) -> Part:
        whole = [[*(el("span", each, style="white-space: nowrap") for each in row[:2]), *row[2:]] for row in self.rows]
        return el("div.sl-trail.sl-told", table(HEAD, whole)) if whole else el("p", "No call like this.")

    def __str__(self) -> str:
        lines = [f"{when}  {where:<13}  {who:<30}  {call:<22}  {what}" for when, where, who, call, what in self.rows]
        return "\n".join(lines) or super().__str__()


def tell(events: Iterable[Event]) -> Told:
    """Calls of the running world's trail, to be read from top to bottom: `tell(aws.trail[-5:])`."""
    return Told(tuple(_row(event) for event in events))


def _row(event: Event) -> tuple[str, str, str, str, str]:
    call = event.action if not event.refused else f"{event.action} ✘"
    return f"{event.when:%d %b %H:%M}", event.source_ip, _named(event.who), call, event.resource.rpartition(":")[2]


def _named(arn: str) -> str:
    """ "dev/deploy/build-7" of the ARN of a session; what is no ARN stays as it is."""
    from simlib.cloud import Cloud

    parts = arn.split(":", 5)
    if len(parts) < 6:
        return arn
    account = Cloud.running.account_name(parts[4]) if Cloud.running else parts[4]
    return f"{account}/{parts[5].partition('/')[2] or parts[5]}"


# -- what has been done, and what Mallory can still do -----------------------------------------------------------------

_LOOKING = ("Get", "List", "Describe", "Head", "Lookup", "Simulate")  # so begin the operations that change nothing


def nothing_done(world: Any) -> bool:
    """Whether nobody has changed anything since the eleven days."""
    calls = incident.people(world).calls
    since = world.trail.since(calls) if calls is not None else ()
    return calls is not None and all(event.refused or event.operation.startswith(_LOOKING) for event in since)


def mallorys_ways(world: Any) -> Iterator[tuple[str, str, Attempt]]:
    """Every way that is known to be hers, tried one after the other by real calls: who, does what, AWS's answer."""
    held = incident.people(world).mallory
    operator = {"RoleArn": incident.OPERATOR, "RoleSessionName": "maintenance"}
    back = {"RoleArn": incident.BREAK_GLASS, "RoleSessionName": "night"}
    key, door = held["bob's forgotten key"], held["her session of break-glass"]
    yield "Bob's forgotten key", "opens the account dev", attempt(key.client("sts").get_caller_identity)
    outside = world.account("mallory").admin.client("sts")
    yield "Mallory, from her own account,", "assumes break-glass", attempt(outside.assume_role, **back)
    read = attempt(door.client("s3").get_object, Bucket="prod-ledger", Key="2026.csv")
    yield "Mallory's open session of break-glass", "reads the ledger", read
    deploy = held["her session of deploy"].client("ec2")
    started = attempt(deploy.run_instances, ImageId=IMAGE, MinCount=1, MaxCount=1)
    yield "Mallory's open session of deploy", "starts a machine", started
    copied = held["what her machine told her"].client("sts")
    yield "What Mallory has copied from her machine", "assumes operator", attempt(copied.assume_role, **operator)


def runs(world: Any, machine: Instance | None) -> bool:
    """Whether a machine is still there, and running."""
    facts = world.instance_facts(machine.id) if machine else None
    return bool(facts and facts.running)


def tonight(world: Any) -> Comparison | Verdict:
    """Mallory comes back and tries all of it. It is a rehearsal: the world and its trail stay as they are."""
    if nothing_done(world):
        return Verdict(None, "You have changed nothing yet. Tonight Mallory reads the ledger, as on the nights before.")
    with world.rehearsal():
        tried = {f"{who} {does}": answer for who, does, answer in mallorys_ways(world)}
        machine = incident.people(world).mallory["her machine"]
        if runs(world, machine):
            whoami = machine.session.client("sts").get_caller_identity
            tried["Mallory's machine is still running, and asks who it is"] = attempt(whoami)
        return compare(tried)
