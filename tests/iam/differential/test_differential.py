"""Generated scenarios: we do not contradict ourselves, nor the peer where AWS's documentation does not settle it."""

from __future__ import annotations

import os

import pytest

from tests.iam.differential.comparison import compare, ours, smallest
from tests.iam.differential.disagreements import settle
from tests.iam.differential.peer import Peer, folder
from tests.iam.differential.scenarios import scenario

COUNT = int(os.environ.get("IAM_DIFFERENTIAL", "1500"))


def test_the_same_seed_draws_the_same_scenario() -> None:
    assert [scenario(seed) for seed in range(50)] == [scenario(seed) for seed in range(50)]


def test_generated_scenarios_meet_every_decision_often() -> None:
    decisions = [ours(scenario(seed)) for seed in range(400)]
    assert all(decisions.count(each) > 60 for each in ("ALLOW", "IMPLICIT_DENY", "EXPLICIT_DENY"))


def test_what_is_settled_by_documentation_is_what_we_answer_anyway() -> None:
    scenarios = [scenario(seed) for seed in range(COUNT)]
    settled = [settle(each) for each in scenarios]
    assert sum(bool(names) for _, names in settled) > COUNT / 3, "there is something to settle"
    assert [
        each for each, (other, names) in zip(scenarios, settled, strict=True) if names and ours(each) != ours(other)
    ] == []


def test_the_peer_agrees_on_all_that_documentation_settles() -> None:
    home = folder()
    if isinstance(home, str):
        pytest.skip(home)
    with Peer(home) as peer:
        unexplained = compare(peer, COUNT).unexplained
        assert not unexplained, "\n".join(smallest(peer, each) for each in unexplained[:5])
