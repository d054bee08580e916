"""A small library to learn AWS IAM with: a policy engine, a mocked AWS that obeys it, and panels to see both.

The names below are imported on first use, so that a terminal command does not pay for what only a lesson needs.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "Cloud": "simlib.cloud",
    "Policy": "simlib.iam",
    "PolicySet": "simlib.iam",
    "Request": "simlib.iam",
    "evaluate": "simlib.iam",
    "main": "simlib.__main__",
}

__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'simlib' has no attribute {name!r}")
    try:
        value = getattr(import_module(_HOME[name]), name)
    except ImportError as error:
        if foreign := os.environ.get("PYTHONPATH"):
            said = (
                f"{error}. Packages in PYTHONPATH ({foreign}) come before the lab's own: unset it, or start by iam-lab"
            )
            raise ImportError(said, name=error.name, path=error.path) from error
        raise
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
