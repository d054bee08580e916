"""All that moto keeps: emptied, copied, taken out and given back. The one way a world's state is exchanged.

Everything moto keeps hangs on its backends and on the few mappings beside them; whoever exchanges the entries of these
exchanges a world. The mappings themselves stay, for moto's modules hold on to them.
"""

from __future__ import annotations

import copyreg
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from threading import Condition, RLock
from typing import Any

from simlib.cloud import moto_names as moto
from simlib.cloud.interrupts import uninterrupted
from simlib.cloud.storage.changes import own_copy

# What moto remembers beside its backends: who owns a bucket, who belongs to an organization
_BESIDE = {"s3_backends": "bucket_accounts", "organizations_backends": "master_accounts"}


@dataclass(frozen=True, slots=True)
class Contents:
    """What moto keeps at a moment: the services in use, and the entries of each of its mappings."""

    services: tuple[Any, ...] = ()
    entries: tuple[tuple[dict[Any, Any], dict[Any, Any]], ...] = ()


def _current() -> Contents:
    services = tuple(moto.BackendDict._instances)
    beside = [getattr(kept, name) for backends, name in _BESIDE.items() if (kept := moto.loaded(backends)) is not None]
    return Contents(services, tuple((mapping, dict(mapping.items())) for mapping in (*services, *beside)))


def take_out() -> Contents:
    """All that moto keeps; moto is empty afterwards."""
    contents = _current()
    for mapping, _ in contents.entries:
        mapping.clear()
    moto.BackendDict._instances.clear()
    return contents


def put_back(contents: Contents) -> None:
    """Give moto what was taken out, in place of what it keeps now; whole, whoever presses stop."""
    with uninterrupted():
        take_out()
        for mapping, entries in contents.entries:
            mapping.update(entries)
        moto.BackendDict._instances.extend(contents.services)


def forget() -> None:
    """Empty moto for good; the files that hold the bytes of S3's objects are closed."""
    for regions in moto.s3_backends.values():
        regions.reset()
    take_out()


@contextmanager
def emptied() -> Iterator[Callable[[], Contents]]:
    """Work with a moto that is empty; all it kept is there again afterwards. Yields `take_out`."""
    contents = take_out()
    try:
        yield take_out
    finally:
        put_back(contents)


@contextmanager
def on_a_copy(still: Callable[[], bool], lock: RLock) -> Iterator[None]:
    """Let every call act on a copy of all that moto stores; afterwards the original is back, if `still()` wanted.

    Copying is done under the lock, acting is not.
    """
    with lock:
        original = _current()
        try:
            put_back(_copied(original))
        except BaseException:
            put_back(original)
            raise
    try:
        yield
    finally:
        with lock, uninterrupted():
            if still():
                put_back(original)


copyreg.pickle(Condition, lambda _: (Condition, ()))  # the copy of a queue has a lock of its own


def _parameters(kept: Any) -> Any:
    """How moto's parameters are made anew, which are a mapping that wants to know whose it is."""
    return type(kept), (kept.account_id, kept.region_name), vars(kept), None, iter(kept.items())


def _copied(contents: Contents) -> Contents:
    if (parameters := moto.loaded("ParameterDict")) is not None:
        copyreg.pickle(parameters, _parameters)
    # What need not be copied through and through: thousands of things of AWS's own, which hardly change
    memo: dict[int, Any] = {id(each): each for each in (moto.BackendDict._instances, *moto.BackendDict._instances)}
    for regions in moto.backends("iam").values():
        policies = (policy for backend in regions.values() for policy in backend.managed_policies.values())
        memo |= {id(policy): own_copy(policy) for policy in policies if isinstance(policy, moto.AWSManagedPolicy)}
    for regions in moto.backends("ec2").values():
        for backend in regions.values():
            memo |= {id(each): each for each in (*backend.amis.values(), *backend.snapshots.values())}
    entries = ((mapping, {name: deepcopy(entry, memo) for name, entry in kept.items()}) for mapping, kept in
               contents.entries)  # fmt: skip
    return Contents(contents.services, tuple(entries))
