"""What the graph is made from: everybody and everything in a world, with their policies, and somebody to ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from simlib.iam import Evaluation, Policy

ANYONE = "anyone"


@dataclass(frozen=True)
class Identity:
    """A user or a role; `holders` are the groups and the account's managed policies that its permissions come from."""

    arn: str
    kind: str  # user or role
    account: str
    name: str
    policies: tuple[Policy, ...] = ()
    trust: Policy | None = None
    bounded: bool = False
    holders: tuple[str, ...] = ()


@dataclass(frozen=True)
class Held:
    """A key or a session that is good now: whom it acts as, until when (None: no end), and whether it is less.

    `narrowed`: it may do less than the user or role behind it, so that it is asked about by itself.
    """

    key_id: str
    arn: str
    behind: str
    expires: datetime | None = None
    narrowed: bool = False


@dataclass(frozen=True)
class Thing:
    """A resource; a machine or a function may run as a role."""

    arn: str
    account: str
    policy: Policy | None = None
    runs_as: str = ""

    @property
    def service(self) -> str:
        return self.arn.split(":")[2]


class Ask(Protocol):
    """Put one request to the engine, with every policy of the world that bears on it."""

    def __call__(
        self,
        who: str,
        action: str,
        resource: str,
        circumstances: Mapping[str, Any] | None = None,
        instead: Mapping[Any, Policy | None] | None = None,
    ) -> Evaluation: ...


@dataclass(frozen=True)
class Facts:
    """A world as the graph sees it. `accounts` are those it may look into: their numbers and names."""

    accounts: Mapping[str, str]
    identities: tuple[Identity, ...]
    held: tuple[Held, ...]
    things: tuple[Thing, ...]
    ask: Ask
    names: Mapping[str, str] = field(default_factory=dict)  # of accounts that are known by name only
