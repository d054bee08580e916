"""The panels that ask, in three frontends: typed into, by keyboard, in both themes, wide and narrow."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from tests.browser.test_policy_editor import behind

SETUP = """
from simlib import Cloud, lab
from tests.lab.explorer_worlds import FILE, LEDGER, furnish
aws = Cloud.start()
furnish(aws)
"""
ACCESS = 'lab.AccessExplorer(aws, who=["alice", "bob"], requests=[("s3:GetObject", FILE)], edit=["alice/read"])'
TRUST = 'lab.TrustExplorer(aws, role="reports")'
CROSS = """lab.CrossAccount(aws, who="acme/scanner", role="prod/reports-reader",
    requests=[("s3:GetObject", LEDGER)], external_ids={"for us": "prod-7f3", "for mallory": "mallory-9"},
    edit=["acme/scanner/borrow", "prod/reports-reader/read-ledger", "prod/reports-reader/trust"])"""

ROWS = """lab.AccessExplorer(aws, who="alice", edit=["alice/read"],
    requests=[("s3:GetObject", FILE), ("s3:PutObject", FILE), ("s3:DeleteObject", FILE)])"""


@pytest.fixture(scope="module")
def opened(everywhere: Any) -> Any:
    everywhere.show(SETUP, ACCESS, TRUST, CROSS, ROWS)
    return everywhere


def write_over(page: Any, panel: Any, before: str, old: str, new: str) -> None:
    """Type, as a person does, over what stands behind `before` in the editor."""
    panel.locator(".cm-content").click()
    behind(page, panel.locator(".sle"), before + old)
    for _ in old:
        page.keyboard.press("Backspace")
    page.keyboard.type(new, delay=20)
    page.keyboard.press("Escape")  # what is offered to complete it


def test_a_matrix_moves_as_one_types_and_explains_itself_by_keyboard(opened: Any) -> None:
    page, panel = opened.page, opened.output(1).locator(".sl-live .sl-panel")
    cells = panel.locator(".sl-matrix tbody td")
    cells.nth(0).get_by_text("✔ Allowed").wait_for()
    panel.locator(".cm-editor").get_by_text("alice").first.wait_for()  # the mark of the statement
    write_over(page, panel, '"', "Allow", "De")
    panel.get_by_text("is not a policy yet").wait_for()
    cells.nth(0).get_by_text("✔ Allowed").wait_for()  # the last verdict stays
    page.keyboard.type("ny", delay=20)
    cells.nth(0).get_by_text("✘ Denied").wait_for()
    cells.nth(0).get_by_text("was ✔ Allowed").wait_for()
    why = panel.get_by_role("button", name="bob: Not allowed")
    why.focus()
    page.keyboard.press("Enter")
    panel.get_by_text("bob asks for s3:GetObject").wait_for()
    assert why.evaluate("node => node === document.activeElement")
    panel.locator(".is-deciding").get_by_text("No statement allows it").wait_for()
    panel.get_by_text("shown in the editor: bob").wait_for()


def test_a_door_follows_every_key_and_tells_who_moved(opened: Any) -> None:
    page, panel = opened.page, opened.output(2).locator(".sl-live .sl-panel")
    inside, outside = panel.locator(".sl-inside"), panel.locator(".sl-outside")
    inside.get_by_text("alice (dev)").wait_for()
    write_over(page, panel, "user/", "alice", "bob")
    inside.get_by_text("bob (dev)").wait_for()
    inside.get_by_text("was ✘ outside").wait_for()
    outside.get_by_role("button", name="alice (dev) was inside").wait_for()
    itself = outside.get_by_role("button", name="a session of this role itself")
    itself.click()
    outside.get_by_text("a session of this role itself asks for sts:AssumeRole").wait_for()  # where it was pressed
    assert itself.evaluate("node => node === document.activeElement")


def test_two_accounts_each_with_its_editor_and_the_bridge_between(opened: Any) -> None:
    page, panel = opened.page, opened.output(3).locator(".sl-live .sl-panel")
    panel.get_by_text("prod does not allow it.").wait_for()
    assert panel.locator(".sle").count() == 2
    owner = panel.locator(".sl-acct.is-prod")
    assert owner.get_by_role("tab").count() == 2
    owner.get_by_role("tab", name="trust policy of reports-reader", selected=True).wait_for()  # it decides
    write_over(page, owner, '"', "222222222222", "333333333333")
    panel.get_by_text("The owner’s side delegates, and the caller’s allows it.").wait_for()
    panel.get_by_text("A confused deputy:").wait_for()
    owner.get_by_text("only delegates").first.wait_for()  # in the text, beside the statement


def test_rows_are_gone_through_taken_out_and_put_back_by_keyboard(opened: Any) -> None:
    page, panel = opened.page, opened.output(4).locator(".sl-live .sl-panel")
    focused = "() => document.activeElement.ariaLabel ?? document.activeElement.textContent"
    panel.get_by_role("button", name="Row 1: show in the editor").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.evaluate(focused) == "Row 3: show in the editor"
    page.keyboard.press("Delete")
    panel.get_by_text("Taken out:").wait_for()
    assert panel.locator(".sl-reqs > .sl-req").count() == 2
    page.wait_for_function("() => document.activeElement.ariaLabel === 'Row 2: show in the editor'")
    page.keyboard.press("Enter")
    panel.get_by_text("alice asks for s3:PutObject").wait_for()
    panel.get_by_role("button", name="Undo", exact=True).last.focus()
    page.keyboard.press("Enter")
    panel.get_by_text("alice asks for s3:DeleteObject").wait_for()
    assert panel.locator(".sl-reqs > .sl-req").count() == 3
    matrix = opened.output(1).locator(".sl-live .sl-panel")
    matrix.get_by_role("button", name="alice: ").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused).startswith("bob: ")


def test_all_can_be_read_and_reached_in_both_themes_wide_and_narrow(opened: Any) -> None:
    def panel(cell: int) -> Any:
        found = opened.output(cell).locator(".sl-live .sl-panel")
        found.scroll_into_view_if_needed()
        return found

    opened.readable(**{name: partial(panel, cell) for cell, name in enumerate(("access", "trust", "cross", "rows"), 1)})
