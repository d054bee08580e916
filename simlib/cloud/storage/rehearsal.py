"""What is stored, for a while in a copy: what is done to the copy goes with it, the original was never touched."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy, deepcopy
from threading import RLock
from typing import Any

from moto.core.base_backend import BackendDict
from moto.core.model_instances import model_data
from moto.iam.models import AWSManagedPolicy, iam_backends
from moto.s3.models import s3_backends

from simlib.cloud.interrupts import uninterrupted


@contextmanager
def on_a_copy(still: Callable[[], bool], lock: RLock) -> Iterator[None]:
    """Let every call act on a copy of all that moto stores; afterwards the original is back, if `still()` wanted.

    Copying is done under the lock, acting is not.
    """
    with lock:
        put_back = _exchange()
    try:
        yield
    finally:
        with lock, uninterrupted():
            if still():
                put_back()


def _exchange() -> Callable[[], None]:
    """Put a copy in the place of all that is stored; what is returned puts the original back."""
    services = [(service, dict(service)) for service in BackendDict._instances]
    lists = [(found, dict(found)) for found in _lists()]
    tracked = [(model, model.instances_tracked) for models in model_data.values() for model in models.values()]
    for model, instances in tracked:
        model.instances_tracked = list(instances)

    def put_back() -> None:
        for service in BackendDict._instances:
            dict.clear(service)
        for service, accounts in services:
            _fill(service, accounts)
        BackendDict._instances[:] = [service for service, _ in services]
        for found, entries in lists:
            _fill(found, entries)
        for model, instances in tracked:
            model.instances_tracked = instances

    try:
        memo = _shared()
        for service, accounts in services:
            _fill(service, {account: deepcopy(backend, memo) for account, backend in accounts.items()})
    except BaseException:
        put_back()
        raise
    return put_back


def _fill(target: dict[Any, Any], entries: dict[Any, Any]) -> None:
    dict.clear(target)
    dict.update(target, entries)


def _lists() -> Iterator[dict[Any, Any]]:
    """What moto keeps beside its backends: who owns a bucket, and who belongs to an organization."""
    yield s3_backends.bucket_accounts
    if "moto.organizations.models" in sys.modules:
        from moto.organizations.models import organizations_backends

        yield organizations_backends.master_accounts


def _shared() -> dict[int, Any]:
    """What need not be copied through and through: thousands of things of AWS's own, which hardly change."""
    found: dict[int, Any] = {}
    for accounts in iam_backends.values():
        for backend in accounts.values():
            policies = backend.managed_policies.values()
            found |= {id(policy): copy(policy) for policy in policies if isinstance(policy, AWSManagedPolicy)}
    common: list[Any] = [BackendDict._instances, *BackendDict._instances]
    if "moto.ec2.models" in sys.modules:
        from moto.ec2.models import ec2_backends

        for regions in ec2_backends.values():
            for backend in regions.values():
                common += [*backend.amis.values(), *backend.snapshots.values()]
    return found | {id(each): each for each in common}
