"""The document at an address: inline policies by their owner and name, managed ones and SCPs by their own ARN."""

from __future__ import annotations

from collections.abc import Iterable

from simlib.cloud.storage import organizations
from simlib.cloud.storage.store import Store
from simlib.cloud.storage.stored import Place, StoredDocument


def stored_at(place: Place, store: Store) -> StoredDocument | None:
    """The identity-based policy, boundary, SCP or RCP at a place; None while nothing is stored there."""
    if place.kind in ("scp", "rcp"):
        return organizations.policy(place.owner)
    if place.name:
        found = _inline(place, store)
        return next((each for each in found if each.inline_in and each.name == place.name), None)
    return store.managed_policy(place.owner)


def _inline(place: Place, store: Store) -> Iterable[StoredDocument]:
    account, kind, name = _parts(place.owner)
    if account not in store.accounts():
        return ()
    if kind == "group":
        return store.group_documents(account, name) or ()
    owner = {"user": store.user, "role": store.role}.get(kind)
    identity = owner(account, name) if owner else None
    of_groups = identity.documents if identity is not None and identity.arn == place.owner else ()
    return [each for each in of_groups if each.inline_in == place.owner]


def _parts(arn: str) -> tuple[str, str, str]:
    """Account, kind and name of an IAM entity."""
    parts = arn.split(":", 5)
    kind, _, path = parts[-1].partition("/")
    return (parts[4] if len(parts) > 5 else ""), kind, path.rpartition("/")[2]
