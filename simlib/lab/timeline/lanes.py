"""The credentials of a world as lanes to draw: one for each key and each session, after the one it was born of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from simlib.cloud.credentials.lifetimes import (
    DELETED,
    EXPIRED,
    INACTIVE,
    ORPHANED,
    REVOKED,
    VALID,
    Credential,
)

from ..explorers.answers import Answer
from ..markup import shortened
from ..principals import short_key

MOST_ADDRESSES = 4  # of one key are named
LETTERS = 28  # of a name beside its lane; the beginning and the end tell most
SIGNS = {VALID: "yes", INACTIVE: "ring", REVOKED: "deny", EXPIRED: "failed", DELETED: "no", ORPHANED: "no", "": "none"}


@dataclass(frozen=True)
class Lane:
    """One credential. `parent` is the name of the one it was asked for with, or of the service that asked; `depth` is
    how far below a lane without a parent it hangs."""

    name: str
    credential: Credential
    parent: str = ""
    depth: int = 0

    @property
    def key(self) -> str:
        return self.credential.access_key_id

    @property
    def label(self) -> str:
        return shortened(self.name, LETTERS)

    def valid(self, moment: datetime) -> bool:
        return self.credential.state(moment) == VALID

    def describe(self, moment: datetime, *, years: bool = False) -> str:
        """Its state at a moment, in words."""
        credential = self.credential
        state = credential.state(moment)
        since = next((each.since for each in reversed(credential.intervals) if each.since <= moment), credential.born)
        until = f" until {short(credential.expires, years=years)}" if credential.expires else ", no expiry date"
        return {
            VALID: f"valid{until}",
            "": f"not issued before {short(credential.born, years=years)}",
            INACTIVE: f"inactive since {short(since, years=years)}",
            REVOKED: f"revoked {short(since, years=years)}",
            EXPIRED: f"expired {short(since, years=years)}",
            DELETED: f"deleted {short(since, years=years)}",
            ORPHANED: f"over {short(since, years=years)}, with its role or user",
        }[state]

    @property
    def origin(self) -> str:
        """From whom it came, how and when."""
        credential = self.credential
        if not credential.expires:
            return f"created {short(credential.born, years=True)}"
        by = f"{self.parent} ({short_key(credential.issued_by)})" if credential.issued_by else credential.issued_to
        return f"{credential.kind} by {by}, {short(credential.born, years=True)}"


@dataclass(frozen=True)
class LaneState:
    """One credential at the moment looked at: its state, in words too, what can be done with it, and from where it was
    used, the most frequent address first."""

    lane: Lane
    state: str
    words: str
    answers: tuple[Answer, ...]
    addresses: tuple[str, ...]

    @property
    def sign(self) -> str:
        """The shape of the state, a name in `look.SIGNS`."""
        return SIGNS[self.state]

    @property
    def key(self) -> str:
        return self.lane.key

    @property
    def story(self) -> str:
        """Where it comes from, how long it could have lasted, from where it was used."""
        limit, count = self.lane.credential.limit, len(self.addresses)
        more = f" and {count - MOST_ADDRESSES:,} more" if count > MOST_ADDRESSES else ""
        several = f"{count:,} addresses: " if count > 1 else ""
        used = f"used from {several}{', '.join(self.addresses[:MOST_ADDRESSES])}{more}" if count else "never used"
        return f"{self.lane.origin}{f'; at most {limit}' if limit else ''}; {used}"


def title(credential: Credential) -> str:
    """Whom a credential stands for, without what its ARN repeats: "alice", "web-app/i-0abc"."""
    kind, _, name = credential.arn.split(":", 5)[5].partition("/")
    if kind == "root":
        return "root user"
    return f"{name} (GetSessionToken)" if credential.kind == "GetSessionToken" else name


def short(moment: datetime, *, years: bool = False) -> str:
    """A moment to the minute."""
    return f"{moment:%d %b %Y, %H:%M}" if years else f"{moment:%d %b %H:%M}"


def lanes(
    credentials: Sequence[Credential],
    account_name: Callable[[str], str] = str,
    only: Mapping[str, Any] | Iterable[Any] | None = None,
) -> list[Lane]:
    """A lane for each, after the one it was born of, then by age; of several accounts each tells its own.

    `only` names those to show: identities, AWS answers that hold credentials, access keys, ARNs, names; a mapping gives
    each a name of its own.
    """
    names, everything = {}, {each.access_key_id: each for each in credentials}
    if only is not None:
        selected = only.items() if isinstance(only, Mapping) else ((None, each) for each in only)
        for own, selector in [(own, _selector(each)) for own, each in selected]:
            names |= {each.access_key_id: own for each in credentials if _is_selected(each, selector, account_name)}
        credentials = [each for each in credentials if each.access_key_id in names]
    several = len({each.account for each in credentials}) > 1
    by_key = {each.access_key_id: each for each in credentials}

    def name(each: Credential) -> str:
        account = f" ({account_name(each.account)})" if several else ""
        return str(names.get(each.access_key_id) or title(each) + account)

    children: dict[str, list[Credential]] = {}
    for each in credentials:
        children.setdefault(each.issued_by if each.issued_by in by_key else "", []).append(each)
    result: list[Lane] = []
    waiting = [(each, 0) for each in reversed(children.get("", []))]
    while waiting:
        each, depth = waiting.pop()
        parent = everything.get(each.issued_by)
        result.append(Lane(name(each), each, name(parent) if parent else each.issued_to, depth))
        waiting += [(child, depth + 1) for child in reversed(children.get(each.access_key_id, []))]
    return result


def _selector(selected: Any) -> str:
    """What to look for: an access key, an ARN, or a name."""
    if isinstance(selected, str):
        return selected
    for attribute in ("access_key_id", "instance_id"):
        if isinstance(value := getattr(selected, attribute, None), str):
            return value
    parts = (selected, *selected.values()) if isinstance(selected, Mapping) else ()
    for part in parts:
        if isinstance(part, Mapping) and isinstance(part.get("AccessKeyId"), str):
            return str(part["AccessKeyId"])
    raise ValueError(
        "only= takes identities, AWS answers that hold credentials, access keys, ARNs and names; "
        f"{type(selected).__name__} is none of these"
    )


def _is_selected(credential: Credential, selector: str, account_name: Callable[[str], str]) -> bool:
    path = credential.arn.split(":", 5)[5].split("/")
    if selector.startswith("arn:"):
        role = selector.partition(":role/")[2].rpartition("/")[2]
        of_role = path[0] == "assumed-role" and path[1] == role and selector.split(":")[4] == credential.account
        return credential.arn == selector or of_role
    own = {selector, selector.removeprefix(f"{account_name(credential.account)}/")}  # "dev/alice"
    return not own.isdisjoint({credential.access_key_id, title(credential), *path[1:]})
