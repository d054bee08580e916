"""The accounts that never were: what is planted is found, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from simlib import Cloud
from simlib.audit.exposure import Audit
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
        audit = Audit(cloud)
        assert {(way.id, way.principal, way.target) for way in audit.ways} == set(planted)
        rules = {each.rule for each in audit.exposures}
    assert rules == {"path-to-power", "confused-deputy", "oidc-without-subject", "dangling-trust", "nobody-assumes"}
