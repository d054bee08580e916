"""The state in which a lesson's story begins, so that no page has to set it up; `lesson_worlds.toml` describes each.

The same people and places in every lesson, made by ordinary calls of the accounts' administrators.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simlib.challenges.seeds import account_values, merged
from simlib.lessons import find

from .course import texts
from .progress_bar import working

if TYPE_CHECKING:
    from simlib.cloud import Cloud
    from simlib.cloud.machines.instance import Instance

DEV, PROD = "111111111111", "222222222222"
ALICE, BOB = (f"arn:aws:iam::{DEV}:user/{name}" for name in ("alice", "bob"))


def begin(lesson: int | str, *, language: str = texts.ENGLISH) -> Cloud:
    """A fresh world in the state in which the story of this lesson begins; the world before it is closed.

    What the lab says in this lesson is in that language, by its code, as far as it is translated. Raises `LookupError`
    for a lesson that there is not, `ValueError` for a language.
    """
    about = find(lesson)
    texts.use_language(language)
    with working(f"Lesson {about.number} begins"):
        from simlib.challenges.setting import Setting, lay_out_accounts
        from simlib.cloud import Cloud  # late, and in here: the first start of a kernel takes its time

        world = Cloud.start()
        if made := _beginning(about.slug):
            lay_out_accounts(Setting(world, account_values(made["accounts"])), made)
    if about.slug in ("incident", "repair"):
        from .incident import lay_out

        lay_out(world)  # which tells its days itself
    return world


@cache
def _beginning(slug: str) -> dict[str, Any]:
    """What a lesson's world holds; {} for an empty one."""
    entry = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")).get(slug, {})
    return merged(_beginning(entry["like"]), entry) if "like" in entry else entry


def machine(role: str, account: str = "dev") -> Instance:
    """The machine of the running world that has the role. Raises `LookupError`."""
    from simlib.cloud import Cloud

    world = Cloud.running
    ec2 = world.account(account).admin.client("ec2") if world else None
    groups = ec2.describe_instances()["Reservations"] if ec2 else ()
    for each in (each for group in groups for each in group["Instances"]):
        if world and each.get("IamInstanceProfile", {}).get("Arn", "").endswith(f"/{role}"):
            return world.instance(each["InstanceId"])
    raise LookupError(f"No machine in {account} has the role {role}. Run the lesson's first cells again.")


class PolicyText(str):
    """The text of a policy, as AWS gets it; in a cell it is shown as it would be printed."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


Names = str | Sequence[str]


def allow(action: Names, resource: Names = "*", **more: Any) -> PolicyText:
    """A policy that allows these actions on these resources, as text; `more` are elements such as `Condition`."""
    return _document(Effect="Allow", Action=action, Resource=resource, **more)


def deny(action: Names, resource: Names = "*", **more: Any) -> PolicyText:
    """As `allow`, but it denies."""
    return _document(Effect="Deny", Action=action, Resource=resource, **more)


def trust(*arns: str, service: Names = "", federated: str = "", **more: Any) -> PolicyText:
    """A trust policy that names these ARNs, a service, or an identity provider, as text."""
    named: dict[str, Names] = {"AWS": arns[0] if len(arns) == 1 else arns, "Service": service, "Federated": federated}
    action = "sts:AssumeRoleWithWebIdentity" if federated else "sts:AssumeRole"
    principal = {kind: each for kind, each in named.items() if each}
    return _document(**{"Effect": "Allow", "Principal": principal, "Action": action, **more})


def _document(**statement: Any) -> PolicyText:
    """The principal stands where people write it: after the effect."""
    first = {name: statement[name] for name in ("Effect", "Principal") if name in statement}
    return PolicyText(json.dumps({"Version": "2012-10-17", "Statement": [{**first, **statement}]}, indent=2))
