"""What a learner sees and touches: predictions, attempts, panels and pictures.

Names are imported on first use, so that a lesson without a picture does not wait for matplotlib.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

_NAMES = {
    "attempts": ("attempt", "compare"),
    "lesson_worlds": ("allow", "begin", "deny", "machine", "trust"),
    "lesson_cells": ("catch_up",),
    "challenge_panel": ("Challenges", "challenge"),
    "containment": ("Containment",),
    "account_report": ("OwnAccount", "own_account"),
    "explorers.access": ("AccessExplorer",),
    "explorers.cross_account": ("CrossAccount",),
    "explorers.trust": ("TrustExplorer",),
    "graph.panel": ("AccessGraph",),
    "course_map": ("overview",),
    "playground": ("Playground",),
    "policy.editor": ("PolicyDocument", "PolicyEditor"),
    "predictions": ("Prediction",),
    "projector": ("projector",),
    "providers": ("provider_chain",),
    "questions": ("answer", "exercise", "explain", "predict"),
    "refusals": ("refused",),
    "timeline.panel": ("SessionTimeline",),
}
_HOME = {name: module for module, names in _NAMES.items() for name in names}

__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'simlib.lab' has no attribute {name!r}")
    value = getattr(import_module(f"simlib.lab.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})


if "IPython" in sys.modules and (shell := sys.modules["IPython"].get_ipython()) is not None:
    import_module("simlib.lab.display").install(shell)
    import_module("simlib.lab.missing_names").install(shell)
