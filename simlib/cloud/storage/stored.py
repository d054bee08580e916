"""What the store hands out: keys, identities, policy documents and their addresses, instances – as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from simlib.cloud.moto_names import PARTITION as PARTITION
from simlib.iam import Policy


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A long-term access key: `owner` is the ARN it acts as, `user_name` empty for the root user, `created` aware."""

    access_key_id: str
    secret_access_key: str
    account: str
    user_name: str
    owner: str
    active: bool
    created: datetime


class Place(NamedTuple):
    """The address of one policy document.

    `owner` is the ARN of what it hangs on: the user, group, role, bucket, key, queue …, and for a document that may
    hang on many (a managed policy, an SCP or RCP) its own ARN, for it is one document wherever it is attached. `kind`
    is as in `Policy.parse`: identity, trust, boundary, resource, session, scp or rcp. `name` is that of an inline
    policy, else "".
    """

    owner: str
    kind: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A policy as stored: the name AWS shows (an ARN for managed policies), its JSON text, whose inline policy it is,
    and, where the ARN has an ID alone, what people call it.
    """

    name: str
    text: str
    inline_in: str = ""
    title: str = ""

    def place(self, kind: str) -> Place:
        return Place(self.inline_in, kind, self.name) if self.inline_in else Place(self.name, kind)


@dataclass(frozen=True, slots=True)
class StoredIdentity:
    """A user or a role with everything that bears on its permissions."""

    arn: str
    unique_id: str
    account: str
    name: str
    documents: tuple[StoredDocument, ...]
    permissions_boundary: StoredDocument | None
    tags: dict[str, str]
    trust_policy: str = ""
    max_session_seconds: int = 3600
    groups: tuple[str, ...] = ()  # the ARNs of those a user is in


@dataclass(frozen=True, slots=True)
class StoredInstance:
    """An EC2 instance as its metadata service knows it."""

    instance_id: str
    account: str
    region: str
    running: bool
    profile_arn: str | None
    profile_id: str | None
    role: StoredIdentity | None
    http_tokens: str
    details: dict[str, str]


def cached_policy(text: str, kind: str, name: str, title: str = "") -> Policy:
    """A stored document, prepared once for all decisions; raises `PolicyError` where it is not a policy."""
    return _parsed(text, kind, name, title)


@lru_cache(maxsize=32_768)
def _parsed(text: str, kind: str, name: str, title: str) -> Policy:
    return Policy.parse(text, kind, name=name, title=title)


def as_list(value: Any) -> list[Any]:
    """A list, of one where somebody has written the thing itself."""
    return value if isinstance(value, list) else [] if value is None else [value]


def tag_map(tags: Any) -> dict[str, str]:
    """Tags by their keys, in whichever of moto's forms: a list of pairs, pairs by key, texts by key."""
    if isinstance(tags, Mapping):
        return {key: value["Value"] if isinstance(value, Mapping) else str(value) for key, value in tags.items()}
    return {tag["Key"]: tag["Value"] for tag in tags or ()}


class JmespathView:
    """A thing that is stored as JMESPath looks into it: by its attributes."""

    def __init__(self, thing: Any) -> None:
        self._thing = thing

    def get(self, name: str) -> Any:
        return jmespath_view(getattr(self._thing, name, None))


def jmespath_view(value: Any) -> Any:
    """A value as JMESPath looks into it."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Mapping):
        return {name: jmespath_view(item) for name, item in value.items()}
    return [jmespath_view(item) for item in value] if isinstance(value, list | tuple | set) else JmespathView(value)
