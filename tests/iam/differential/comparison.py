"""Our decisions against the peer's, over any number of generated scenarios.

python -m tests.iam.differential 20000        (from the repository's root; IAM_ORACLE names the peer's folder)
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from simlib.iam import RequestError, evaluate
from simlib.iam.scenario import read_scenario
from tests.iam.differential.disagreements import settle
from tests.iam.differential.peer import DECISIONS, Peer
from tests.iam.differential.scenarios import scenario
from tests.iam.differential.shrink import shrink

Scenario = dict[str, Any]


@dataclass
class Report:
    """What a comparison found."""

    decisions: Counter[str] = field(default_factory=Counter)
    settled: Counter[str] = field(default_factory=Counter)  # disagreements that the table explains, by its rows
    unexplained: list[Scenario] = field(default_factory=list)


def ours(scenario: Scenario) -> str:
    return evaluate(*read_scenario(scenario)).effect


def compare(peer: Peer, count: int, first: int = 0) -> Report:
    """Ask both about the scenarios of ``count`` seeds."""
    report = Report()
    scenarios = [scenario(seed) for seed in range(first, first + count)]
    for each, answer in zip(scenarios, list(peer.decide(scenarios)), strict=True):
        decision = ours(each)
        report.decisions[decision] += 1
        if DECISIONS.get(answer["decision"]) != decision:
            if disagreement(peer, each):
                report.unexplained.append(each)
            else:
                report.settled.update(settle(each)[1])
    return report


def disagreement(peer: Peer, scenario: Scenario) -> tuple[str | None, ...] | None:
    """What the two say before and after the disputed parts are settled; ``None`` where that explains everything."""
    before, theirs = ours(scenario), peer.decision(scenario)
    if before == theirs:
        return None
    settled, _ = settle(scenario)
    after, theirs_after = ours(settled), peer.decision(settled)
    return None if before == after == theirs_after else (before, theirs, after, theirs_after)


def smallest(peer: Peer, scenario: Scenario) -> str:
    """The smallest scenario that shows the same disagreement, and both answers, as text for a report."""
    wanted = disagreement(peer, scenario)

    def still(candidate: Scenario) -> bool:
        try:
            return disagreement(peer, candidate) == wanted
        except RequestError:
            return False

    small = shrink(scenario, still)
    return f"seed {scenario['id']}: {json.dumps(small)}\n  ours, the peer's; settled: ours, the peer's = {wanted}"
