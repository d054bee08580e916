"""lab.own_account: the report of a dump, and its ways to power."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simlib import Cloud, lab


@pytest.fixture(scope="module")
def account() -> Iterator[lab.OwnAccount]:
    account = lab.own_account()
    yield account
    account.cloud.stop()
    assert Cloud.running is None


def test_the_made_up_accounts_are_shown_as_a_report(account: lab.OwnAccount) -> None:
    report = repr(account)
    assert "Account 100000000002" in report
    assert "[path-to-power]" in report
    assert len(account.ways) > 8


def test_a_way_is_walked(account: lab.OwnAccount) -> None:
    walks = [account.walk(number + 1) for number in range(3)]
    assert all(walk.done for walk in walks)
    with pytest.raises(ValueError, match="0 is none of them"):
        account.walk(0)
