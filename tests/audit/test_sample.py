"""The accounts that never were: what is planted is found, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from simlib import Cloud
from simlib.audit.escalation import find
from simlib.audit.exposure import exposures
from simlib.audit.sample import sample, write


@pytest.mark.parametrize("seed", [7, 8])
def test_what_is_planted_is_found_and_nothing_else(seed: int, tmp_path: Path) -> None:
    dumps, planted = sample(seed)
    assert sample(seed) == (dumps, planted)
    with Cloud.load(write(tmp_path / "dumps", seed)) as cloud:
        assert cloud.remarks == ()
        people = [each for each in cloud.inspect.principals() if each.kind in ("user", "role")]
        assert len({each.account for each in people}) == 5
        assert len(people) > 300
        ways = {(way.id, way.principal, way.target) for way in find(cloud)}
        assert ways == set(planted)
        rules = {each.rule for each in exposures(cloud)}
    assert rules == {"path-to-power", "external-access", "confused-deputy", "oidc-without-subject", "dangling-trust"}
