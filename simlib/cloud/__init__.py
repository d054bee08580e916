"""A mocked AWS that obeys its policies: one gate in front of moto."""

from __future__ import annotations

from .world import Account, Cloud

__all__ = ["Account", "Cloud"]
