"""The decision: what AWS would answer, and why. Pure Python, no I/O, no clock."""

from __future__ import annotations

from simlib.iam.decision import Check as Check
from simlib.iam.decision import MatchedPolicy as MatchedPolicy
from simlib.iam.decision import PolicySet as PolicySet
from simlib.iam.errors import PolicyError as PolicyError
from simlib.iam.errors import Problem as Problem
from simlib.iam.errors import RequestError as RequestError
from simlib.iam.evaluation import evaluate as evaluate
from simlib.iam.explanation import Evaluation as Evaluation
from simlib.iam.policy import Policy as Policy
from simlib.iam.request import Request as Request
from simlib.iam.statement import Statement as Statement
