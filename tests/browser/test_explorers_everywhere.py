"""The panels that ask, in three frontends: typed into, by keyboard, in both themes, wide and narrow."""

from __future__ import annotations

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
    requests=[("s3:GetObject", LEDGER)], external_ids={"for us": "prod-7f3", "for mallory": "mallory-9"})"""


@pytest.fixture(scope="module")
def opened(everywhere: Any) -> Any:
    everywhere.show(SETUP, ACCESS, TRUST, CROSS)
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
    page, panel = opened.page, opened.output(1).locator(".sl-explorer")
    cells = panel.locator(".sl-table tbody td")
    cells.nth(0).get_by_text("✔ Allowed").wait_for()
    write_over(page, panel, '"', "Allow", "De")
    panel.get_by_text("is not a policy yet").wait_for()
    cells.nth(0).get_by_text("✔ Allowed").wait_for()  # the last verdict stays
    page.keyboard.type("ny", delay=20)
    cells.nth(0).get_by_text("✘ Denied").wait_for()
    cells.nth(0).get_by_text("was ✔ Allowed").wait_for()
    why = panel.get_by_role("button", name="Explain: bob")
    why.focus()
    page.keyboard.press("Enter")
    panel.get_by_text("bob: s3:GetObject").wait_for()
    assert why.evaluate("node => node === document.activeElement")
    panel.get_by_text("Identity policies: an Allow is lacking – decides").wait_for()


def test_a_door_with_a_list_follows_every_key(opened: Any) -> None:
    page, panel = opened.page, opened.output(2).locator(".sl-explorer")
    rows = panel.locator(".sl-table tbody tr")
    rows.filter(has_text="alice").get_by_text("✔ Assumed").wait_for()
    write_over(page, panel, "user/", "alice", "bob")
    rows.filter(has_text="bob").get_by_text("✔ Assumed").wait_for()
    rows.filter(has_text="alice").get_by_text("✘ Refused").wait_for()
    together = panel.locator(".sl-together").filter(has_text="a session of this role itself")
    together.get_by_text("✘ Refused").wait_for()
    together.get_by_role("button", name="Explain: a session of this role itself").click()
    panel.get_by_text("a session of this role itself: sts:AssumeRole").wait_for()


def test_two_sides_and_the_line_between(opened: Any) -> None:
    page, panel = opened.page, opened.output(3).locator(".sl-explorer")
    panel.get_by_text("Missing: prod (reports-reader)").first.wait_for()
    panel.get_by_role("tab", name="trust policy of reports-reader").click()
    write_over(page, panel, '"', "222222222222", "333333333333")
    panel.get_by_text("The owner's side delegates, and the caller's allows it.").wait_for()
    panel.get_by_text("A confused deputy.").wait_for()


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("cell", [1, 2, 3], ids=["access", "trust", "cross"])
def test_it_can_be_read_and_reached_wide_and_narrow(opened: Any, cell: int, theme: str) -> None:
    opened.theme(theme)
    for width in (1280, 390):
        opened.width(width)
        panel = opened.output(cell).locator(".sl-explorer")
        panel.scroll_into_view_if_needed()
        opened.fits(panel)
        opened.accessible(panel)
        opened.picture(f"explorer-{cell}")
    opened.width(1280)
