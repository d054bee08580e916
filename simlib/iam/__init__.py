"""The decision: what AWS would answer, and why. Pure Python, no I/O, no clock."""

from __future__ import annotations

from simlib.iam.decision import Check, MatchedPolicy, PolicySet
from simlib.iam.errors import PolicyError, Problem, RequestError
from simlib.iam.evaluation import evaluate
from simlib.iam.explanation import Evaluation
from simlib.iam.policy import Policy
from simlib.iam.request import Request
from simlib.iam.statement import Statement

__all__ = [
    "Check",
    "Evaluation",
    "MatchedPolicy",
    "Policy",
    "PolicyError",
    "PolicySet",
    "Problem",
    "Request",
    "RequestError",
    "Statement",
    "evaluate",
]
