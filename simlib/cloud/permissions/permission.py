"""One permission that a call needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simlib.cloud.storage import buckets

Context = Mapping[str, str | list[str]]


@dataclass(frozen=True, slots=True)
class Permission:
    """One permission a call needs: an action on a resource that `account` owns, under `context`.

    `label` is what the service's error text names instead of the resource's ARN, "" where it names none; `rewording` is
    a regular expression and what the service says in place of what that matches in the text; `code` is its error code
    for this, where it is not the one for any permission.
    """

    action: str
    resource: str
    account: str
    context: Context = field(default_factory=dict)
    label: str | None = None
    rewording: tuple[str, str] | None = None
    code: str = ""


def account_of(arn: str) -> str | None:
    """The account in an ARN; None where it names none (S3's do not)."""
    parts = arn.split(":", 5)
    return parts[4] if len(parts) == 6 and len(parts[4]) == 12 and parts[4].isdigit() else None


def owner_of(arn: str) -> str | None:
    """The account a resource belongs to, of S3 too; None where nobody knows."""
    return account_of(arn) or buckets.owner(arn.removeprefix("arn:aws:s3:::").partition("/")[0])


def tag_keys(pairs: Mapping[str, str], prefix: str = "aws:RequestTag/") -> dict[str, str | list[str]]:
    """Tags of a request as condition keys."""
    keys: dict[str, str | list[str]] = {f"{prefix}{key}": value for key, value in pairs.items()}
    return keys


def tags_in(tags: Any) -> dict[str, str]:
    """Tags in any of the spellings of AWS's APIs: Key and Value, key and value, TagKey and TagValue."""
    pairs = {}
    for tag in tags if isinstance(tags, list) else ():
        named = tag.items() if isinstance(tag, Mapping) else ()
        low = {str(name).lower().removeprefix("tag"): value for name, value in named}
        if "key" in low:
            pairs[str(low["key"])] = str(low.get("value") or "")
    return pairs
