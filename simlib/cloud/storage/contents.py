"""All that moto keeps, taken out of it and given back: so that a world can be made beside the one that runs.

Knows moto's inside.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data

# What moto remembers beside its backends: the module, its backends, the attribute that holds a mapping
_BESIDE = (
    ("moto.s3.models", "s3_backends", "bucket_accounts"),
    ("moto.organizations.models", "organizations_backends", "master_accounts"),
)


@dataclass(frozen=True, slots=True)
class Contents:
    """All that moto keeps, taken out of it: its backends by account, and what it remembers beside them."""

    backends: tuple[tuple[Any, dict[str, Any]], ...] = ()
    beside: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = ()


def take_out() -> Contents:
    """All that moto keeps; moto is empty afterwards."""
    backends = tuple((kept, dict(kept.items())) for kept in list(BackendDict._instances))
    modules = ((sys.modules.get(module), names) for module, *names in _BESIDE)
    homes = [getattr(getattr(module, names[0]), names[1]) for module, names in modules if module is not None]
    beside = tuple((home, dict(home)) for home in homes)
    for kept, _ in (*backends, *beside):
        kept.clear()
    BackendDict._instances.clear()
    reset_model_data()  # or a reset of S3 would close what has been taken out as well
    return Contents(backends, beside)


def put_back(contents: Contents) -> None:
    """Give moto what was taken out, in place of what it keeps now."""
    take_out()
    for kept, found in (*contents.backends, *contents.beside):
        kept.update(found)
    BackendDict._instances.extend(kept for kept, _ in contents.backends)


@contextmanager
def aside() -> Iterator[Callable[[], Contents]]:
    """Work with a moto that is empty; all it kept is there again afterwards. Yields `take_out`."""
    kept = take_out()
    try:
        yield take_out
    finally:
        put_back(kept)
