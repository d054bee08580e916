"""The credentials of a world as lines to draw: a key, or the sessions that follow each other under one name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from simlib.cloud.credentials.lifetimes import (
    ACCESS_KEY,
    DELETED,
    EXPIRED,
    GOOD,
    INACTIVE,
    ORPHANED,
    REVOKED,
    Credential,
)

SIGNS = {GOOD: "✔", INACTIVE: "○", REVOKED: "⊘", EXPIRED: "✘", DELETED: "✘", ORPHANED: "✘", "": "…"}


@dataclass(frozen=True)
class Line:
    """Credentials in the order they were issued; where there are several, each renews the one before it.

    `parent` is the name of the line with whose credentials these were asked for, or of the service that asked; `depth`
    is how far below a line without a parent it hangs.
    """

    name: str
    credentials: tuple[Credential, ...]
    parent: str = ""
    depth: int = 0
    identity: tuple[str, ...] = ()
    parent_identity: tuple[str, ...] | None = None

    def at(self, moment: datetime) -> Credential:
        """The latest that had been issued by then; the first where none had."""
        return next((each for each in reversed(self.credentials) if each.born <= moment), self.credentials[0])

    def open_at(self, moment: datetime) -> list[Credential]:
        """Those that had been issued and were not over; the latest where all were."""
        found = [each for each in self.credentials if each.state(moment) and not each.over(moment)]
        return found or [self.at(moment)]

    def label(self, moment: datetime, longest: int, *, with_key: bool = True) -> str:
        """What is written over the line: sign, name – cut to `longest` characters –, key and state."""
        good = [each for each in self.credentials if each.state(moment) == GOOD]
        current = good[-1] if good else self.at(moment)
        name = self.name if len(self.name) <= longest else f"{self.name[: longest - 1]}…"
        key = f" {key_label(current)}" if with_key else ""
        return f"{SIGNS[current.state(moment)]} {name}{key}: {told(current, moment)}"

    def good(self, moment: datetime) -> bool:
        """Whether any of them was good then."""
        return any(each.state(moment) == GOOD for each in self.credentials)


def title(credential: Credential) -> str:
    """Whom a credential stands for, without what its ARN repeats: "alice", "web-app/i-0abc"."""
    kind, _, name = credential.arn.split(":", 5)[5].partition("/")
    if kind == "root":
        return "root user"
    return f"{name} (GetSessionToken)" if credential.kind == "GetSessionToken" else name


def key_label(credential: Credential) -> str:
    """ "AKIA…WXYZ": which key it is, short enough to read."""
    return short_key(credential.access_key_id)


def short_key(access_key_id: str) -> str:
    return f"{access_key_id[:4]}…{access_key_id[-4:]}"


def told(credential: Credential, moment: datetime) -> str:
    """The state at a moment, in words."""
    state = credential.state(moment)
    since = next((spell.since for spell in reversed(credential.spells) if spell.since <= moment), credential.born)
    if state == GOOD:
        return f"good until {short(credential.expires)}" if credential.expires else "good, and no end in sight"
    return {
        "": f"not issued before {short(credential.born)}",
        INACTIVE: f"inactive since {short(since)}",
        REVOKED: f"revoked {short(since)}",
        EXPIRED: f"expired {short(since)}",
        DELETED: f"deleted {short(since)}",
        ORPHANED: f"over {short(since)}: its role or user was deleted",
    }[state]


def short(moment: datetime) -> str:
    """A moment to the minute."""
    return f"{moment:%d %b %H:%M}"


def lines(credentials: Sequence[Credential], account_name: Callable[[str], str] = str) -> list[Line]:
    """Each line after the one it was born of, then by age; of several accounts each tells its own."""
    by_key = {each.access_key_id: each for each in credentials}
    several = len({each.account for each in credentials}) > 1
    groups: dict[tuple[str, ...], list[Credential]] = {}
    for each in credentials:
        groups.setdefault(_identity(each, by_key), []).append(each)
    children: dict[tuple[str, ...] | None, list[tuple[str, ...]]] = {}
    for identity, members in groups.items():
        parent = by_key.get(members[0].issued_by)
        children.setdefault(_identity(parent, by_key) if parent else None, []).append(identity)
    names = {
        identity: title(members[0]) + (f" ({account_name(members[0].account)})" if several else "")
        for identity, members in groups.items()
    }
    found: list[Line] = []
    waiting: list[tuple[tuple[str, ...], tuple[str, ...] | None, int]]
    waiting = [(identity, None, 0) for identity in reversed(children.get(None, []))]
    while waiting:
        identity, above, depth = waiting.pop()
        members = groups[identity]
        born_of = names[above] if above else members[0].issued_to
        found.append(Line(names[identity], tuple(members), born_of, depth, identity, above))
        waiting += [(child, identity, depth + 1) for child in reversed(children.get(identity, []))]
    return found


def _identity(credential: Credential, by_key: Mapping[str, Credential]) -> tuple[str, ...]:
    """What the members of a line have in common: a key alone; a session's name and the line it was asked for with."""
    if credential.kind == ACCESS_KEY:
        return (credential.access_key_id,)
    chain = [credential]
    while (parent := by_key.get(chain[-1].issued_by)) is not None and parent.kind != ACCESS_KEY:
        chain.append(parent)
    last = chain[-1].issued_by or chain[-1].issued_to
    return (*(part for each in chain for part in (each.kind, each.arn)), last)


# -- some of them -----------------------------------------------------------------------------------------------------


def chosen(
    credentials: Sequence[Credential],
    only: Mapping[str, Any] | Iterable[Any],
    account_name: Callable[[str], str] = str,
) -> list[Line]:
    """The lines of what a lesson names: identities, AWS answers that hold credentials, access keys, ARNs, names.

    A mapping gives each a name of its own.
    """

    def meant(credential: Credential, selector: str) -> bool:
        own = selector.removeprefix(f"{account_name(credential.account)}/")  # "dev/alice"
        return _meant(credential, selector) or _meant(credential, own)

    if not isinstance(only, Mapping):
        wanted = [_selector(each) for each in only]
        return lines([each for each in credentials if any(meant(each, one) for one in wanted)], account_name)
    found = {
        str(name): members
        for name, each in only.items()
        if (members := tuple(credential for credential in credentials if meant(credential, _selector(each))))
    }
    home = {each.access_key_id: name for name, members in found.items() for each in members}
    drawn = []
    for name, members in found.items():
        above = home.get(members[0].issued_by)
        above = above if above != name else None
        drawn.append(
            Line(name, members, above or members[0].issued_to, 0, (name,), (above,) if above is not None else None)
        )
    return drawn


def _selector(given: Any) -> str:
    """What to look for: an access key, an ARN, or a name."""
    if isinstance(given, str):
        return given
    for attribute in ("access_key_id", "instance_id"):
        if isinstance(value := getattr(given, attribute, None), str):
            return value
    parts = (given, *given.values()) if isinstance(given, Mapping) else ()
    for part in parts:
        if isinstance(part, Mapping) and isinstance(part.get("AccessKeyId"), str):
            return str(part["AccessKeyId"])
    raise ValueError(
        "only= takes identities, AWS answers that hold credentials, access keys, ARNs and names; "
        f"{type(given).__name__} is none of these"
    )


def _meant(credential: Credential, selector: str) -> bool:
    path = credential.arn.split(":", 5)[5].split("/")
    if selector.startswith("arn:"):
        role = selector.partition(":role/")[2].rpartition("/")[2]
        of_role = path[0] == "assumed-role" and path[1] == role and selector.split(":")[4] == credential.account
        return credential.arn == selector or of_role
    return selector == credential.access_key_id or selector in path[1:] or selector == title(credential)
