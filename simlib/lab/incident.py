"""The world of the capstone: three accounts, eleven days of trail, five faults, and an intruder who found them.

Everything has happened by real calls on the lab's clock, so that the trail, the ages of keys and the sessions that are
still open are what they would be; `incident.toml` tells which.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from simlib.challenges.setting import Refused, Setting, lay_out_accounts

from .beginnings import ALICE, BOB, DEV, IMAGE, PROD
from .judging import Unjudged
from .waiting import track

if TYPE_CHECKING:
    from simlib.cloud import Cloud
    from simlib.cloud.identity import Identity
    from simlib.cloud.machines.instance import Instance

DEPLOY, OPERATIONS = f"arn:aws:iam::{DEV}:role/deploy", f"arn:aws:iam::{DEV}:role/operations"
OPERATOR, BREAK_GLASS = f"arn:aws:iam::{PROD}:role/operator", f"arn:aws:iam::{PROD}:role/break-glass"
READER = f"arn:aws:iam::{PROD}:role/reports-reader"
_GONE = {"AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "SecretAccessKey": "deleted"}


@dataclass(frozen=True)
class People:
    """Who works in this world, with the credentials they hold; `mallory` is what she holds, by what it is."""

    alice: Identity
    bob: Identity
    scanner: Identity
    web: Instance | None
    mallory: dict[str, Any]
    calls: int | None = None  # how many there have been when the story begins; None: it has begun long ago


_PEOPLE: WeakKeyDictionary[Cloud, People] = WeakKeyDictionary()


def people(world: Cloud) -> People:
    """The people of a world that `lay_out` has made, or that was saved since; `Unjudged` in another world."""
    if world not in _PEOPLE:
        try:
            _PEOPLE[world] = _recognised(world)
        except LookupError:
            raise Unjudged('This is not the world of the incident. Start it with lab.begin("incident").') from None
    return _PEOPLE[world]


def _recognised(world: Cloud, calls: int | None = None) -> People:
    """Who they are, by the credentials of the world; what is gone opens nothing. `LookupError`: nobody."""
    held = sorted(world.credentials(), key=lambda each: each.born)

    def last(arn: str, *, before: Any = None) -> Identity:
        found = [each for each in held if each.arn.startswith(arn) and (before is None or each.born < before)]
        return world.holder(found[-1].access_key_id) if found else world.sign_in(_GONE)

    def machine(profile: str) -> Instance | None:
        reservations = world.account("dev").admin.client("ec2").describe_instances()["Reservations"]
        found = [each for group in reservations for each in group["Instances"]]
        mine = [each for each in found if each.get("IamInstanceProfile", {}).get("Arn", "").endswith(f"/{profile}")]
        return world.instance(mine[0]["InstanceId"]) if mine else None

    scheduler = next((each for each in held if each.arn.endswith("444444444444:user/scheduler")), None)
    if scheduler is None:
        raise LookupError("nobody of this story")
    sessions = f"arn:aws:sts::{DEV}:assumed-role"
    mallory = {
        "bob's forgotten key": last(BOB, before=scheduler.born + timedelta(days=1)),
        "her machine": machine("operations"),
        "what her machine told her": last(f"{sessions}/operations/"),
        "her session of deploy": last(f"{sessions}/deploy/build-8"),
        "her session of break-glass": last(f"arn:aws:sts::{PROD}:assumed-role/break-glass/"),
    }
    scanner = world.holder(scheduler.access_key_id)
    return People(last(ALICE), last(BOB), scanner, machine("web-app"), mallory, calls)


@cache
def _file() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def _setting(world: Cloud, **people: Any) -> Setting:
    return Setting(world, {**_file()["values"], "image": IMAGE}, people, tuple(_file()["tokens"]))


def lay_out(world: Cloud) -> None:
    """The accounts as they grew, and the eleven days."""
    setting, steps = _setting(world), _file()["steps"]

    def perform(*names: str) -> None:
        for name in names:
            setting.perform(steps[name])

    lay_out_accounts(setting, _file())
    world.clock.advance(days=400)  # the key in the repository has been forgotten for more than a year
    perform("bob's new key", "pipeline", "the web application starts")
    done = "The incident is ready: five accounts, and all that happened in them in eleven days."
    for day in track(range(11), "Eleven days of work, and of an intruder", done):
        perform("morning", "alice in prod", "the ledger is read")
        if day % 3 == 0:
            setting.perform(["at 13:20"])
            perform("pipeline", "the site is built")
        if day % 5 == 1:
            setting.perform(["at 15:40"])
            perform("acme in prod", "the audit")
        if day == 6:
            perform("break in")
        if day > 6:
            perform("come back")
            setting.people["her machine"].get_credentials().get_frozen_credentials()  # she copies them every night
    setting.perform(["at 03:30"])
    calls = world.trail.total
    _PEOPLE[world] = _recognised(world, calls)


def acting(us: People, world: Cloud, who: str) -> Identity:
    """A session of somebody at work, by the steps of that name: "alice in prod", "scanner", "acme in prod", "pipeline".

    Raises what boto3 raises where AWS refuses one.
    """
    setting = _setting(world, alice=us.alice, scheduler=us.scanner)
    try:
        setting.perform(_file()["steps"][who])
    except Refused as refused:
        raise refused.error from None
    return setting.people[who]  # type: ignore[no-any-return]
