"""Each of the three panels says in text what AWS decides."""

from __future__ import annotations

from simlib import Cloud, lab

from .explorer_worlds import FILE, LEDGER, aws

__all__ = ["aws"]


def test_requests_of_one_and_of_several(aws: Cloud) -> None:
    panel = lab.AccessExplorer(aws, who="alice", requests=[("s3:GetObject", FILE)])
    assert "✔ Allowed     s3:GetObject on" in str(panel)
    several = lab.AccessExplorer(aws, who=["alice", "bob"], requests=[("s3:GetObject", FILE)])
    assert [several.answer(0, column).word for column in (0, 1)] == ["Allowed", "Not allowed"]


def test_who_may_borrow(aws: Cloud) -> None:
    panel = lab.TrustExplorer(aws, role="reports")
    assert (panel.knock("alice").inside, panel.knock("bob").inside) == (True, False)


def test_both_sides(aws: Cloud) -> None:
    panel = lab.CrossAccount(aws, who="alice", role="reports-reader", requests=[("s3:GetObject", LEDGER)])
    assert [side.account for side in panel.missing] == ["dev", "prod"]
