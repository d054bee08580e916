"""What a learner sees and touches: predictions, attempts, panels and pictures.

Names are imported on first use, so that a lesson without a picture does not wait for matplotlib.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

_HOME = {
    "AccessGraph": "graph.panel",
    "AccessExplorer": "explorers.access",
    "Challenges": "challenge_panel",
    "Containment": "containment",
    "CrossAccount": "explorers.cross_account",
    "Prediction": "predictions",
    "TrustExplorer": "explorers.trust",
    "allow": "beginnings",
    "answer": "questions",
    "attempt": "attempts",
    "begin": "beginnings",
    "catch_up": "catching_up",
    "challenge": "challenge_panel",
    "challenges": "challenge_panel",
    "compare": "attempts",
    "deny": "beginnings",
    "exercise": "questions",
    "explain": "questions",
    "machine": "beginnings",
    "OwnAccount": "dumps",
    "PolicyDocument": "policy.editor",
    "PolicyEditor": "policy.editor",
    "Playground": "playground",
    "SessionTimeline": "timeline.panel",
    "overview": "map_of_course",
    "own_account": "dumps",
    "predict": "questions",
    "projector": "projector",
    "provider_chain": "providers",
    "refused": "refusals",
    "trust": "beginnings",
}

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
    import_module("simlib.lab.display").teach(shell)
    import_module("simlib.lab.out_of_order").teach(shell)
