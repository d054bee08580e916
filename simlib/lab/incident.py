"""The capstone: three accounts, eleven days of trail, five faults, and an intruder who found them.

Everything has happened by real calls on the lab's clock, so that the trail, the ages of keys and the sessions that are
still open are what they would be; and what is possible by now is tried by real calls too. `incident.toml` tells which.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simlib.challenges.seeds import account_values
from simlib.challenges.setting import Refused, Setting, Step, lay_out_accounts

from .attempts import Attempt, attempt
from .judging import Unjudged
from .progress_bar import track

if TYPE_CHECKING:
    from simlib.cloud import Cloud
    from simlib.cloud.credentials.lifetimes import Credential
    from simlib.cloud.machines.instance import Instance

_GONE = {"AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "SecretAccessKey": "deleted"}
_LOOKING = ("Get", "List", "Describe", "Head", "Lookup", "Simulate")  # so begin the operations that change nothing


@cache
def _file() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def _setting(world: Cloud, people: dict[str, Any]) -> Setting:
    return Setting(world, account_values(()) | _file()["values"], people, tuple(_file()["tokens"]))


# -- how it has come to this -------------------------------------------------------------------------------------------


def lay_out(world: Cloud) -> None:
    """The accounts as they grew, and the eleven days."""
    setting, steps = _setting(world, {}), _file()["steps"]

    def perform(*names: str) -> None:
        for name in names:
            setting.perform(steps[name])

    lay_out_accounts(setting, _file())
    world.clock.advance(days=400)  # the key in the repository has been forgotten for more than a year
    perform("bob's new key", "pipeline", "the web application starts")
    end = "The incident is ready: five accounts, and all that happened in them in eleven days."
    for day in track(range(11), "Eleven days of work, and of an intruder", end):
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
            setting.people[
                "her machine"
            ].session.get_credentials().get_frozen_credentials()  # she copies them every night
    setting.perform(["at 03:30"])


def nothing_done(world: Any) -> bool:
    """Whether nobody has changed anything since Mallory's last visit."""
    hers = [event.number for event in world.trail if event.source_ip == _file()["values"]["home"]]
    since = world.trail.since(hers[-1]) if hers else ()
    return bool(hers) and all(event.refused or event.operation.startswith(_LOOKING) for event in since)


# -- what is possible by now -------------------------------------------------------------------------------------------


def people(world: Cloud) -> dict[str, Any]:
    """Who holds what in the world of the incident, also where it was saved and opened again: by the names of the file,
    and machines by their role. What is gone opens nothing. Raises `Unjudged` in another world."""
    credentials = world.credentials()

    def last(of: str, until: tuple[str, int] | None = None) -> Credential | None:
        other = last(**_file()["holders"][until[0]]) if until else None
        end = other.born + timedelta(hours=until[1]) if until and other else world.clock.now
        early = (each for each in credentials if each.arn.startswith(of) and each.born <= end)
        return max(early, key=lambda each: each.born, default=None)

    by_name = {name: last(**which) for name, which in _file()["holders"].items()}
    if by_name["scheduler"] is None:
        raise Unjudged('This is not the world of the incident. Start it with lab.begin("incident").')
    return {
        **{name: _holder(world, each) for name, each in by_name.items()},
        **{role: machine.session for role, machine in _machines(world).items()},
    }


def _holder(world: Cloud, credential: Credential | None) -> Any:
    try:
        return world.holder(credential.access_key_id if credential else "")
    except LookupError:  # a key that was deleted
        return world.sign_in(_GONE)


def _machines(world: Cloud) -> dict[str, Instance]:
    """The first machine of each role in dev that runs."""
    machines: dict[str, Instance] = {}
    for arn in world.inspect.resources():
        _, ours, name = arn.partition(":111111111111:instance/")
        facts = world.instance_facts(name) if ours else None
        if facts and facts.running and facts.role:
            machines.setdefault(facts.role.name, world.instance(name))
    return machines


def trials(world: Cloud, part: str) -> Iterator[tuple[dict[str, Any], Attempt | None]]:
    """What is tried of a part of the file's trials, and what came of it; None where its machine does not run."""
    setting, steps = _setting(world, people(world)), _file()["steps"]
    for trial in _file()["trials"][part]:
        script = [step for each in trial["steps"] for step in (steps[each] if isinstance(each, str) else [each])]
        is_gone = "machine" in trial and trial["machine"] not in setting.people
        yield trial, None if is_gone else attempt(partial(_perform, setting, script))


def _perform(setting: Setting, script: list[Step]) -> Any:
    """Raises what boto3 raises where AWS refuses a step."""
    try:
        return setting.perform(script)[-1]
    except Refused as refused:
        raise refused.error from None
