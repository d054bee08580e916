"""A mocked AWS that obeys its policies: one gate in front of moto.

`Cloud` is imported on first use: moto takes a second, which nobody should pay for who only wants the clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simlib.cloud.world import Account, Cloud

__all__ = ["Account", "Cloud"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'simlib.cloud' has no attribute {name!r}")
    from simlib.cloud import world

    return getattr(world, name)
