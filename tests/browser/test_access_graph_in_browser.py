"""AccessGraph's main path in JupyterLab, Notebook 7 and Voilà: by keyboard, in both themes, wide and narrow."""

from __future__ import annotations

from typing import Any

import pytest

SETUP = """
import sys
from simlib import Cloud, lab
from tests.lab.access_world import incident
aws = Cloud.start()
incident(aws)
"""
PANEL = """
graph = lab.AccessGraph(aws, accounts=[aws.account("dev"), aws.account("prod")])
graph
"""
ANSWER = 'graph.blast_radius("bob")'


@pytest.fixture(scope="module")
def opened(everywhere: Any) -> Any:
    everywhere.show(SETUP, PANEL, ANSWER)
    return everywhere


def panel(opened: Any) -> Any:
    return opened.output(1).locator(".sl-live .sl-panel")


def test_asked_and_explained_by_keyboard(opened: Any) -> None:
    page, shown = opened.page, panel(opened)
    shown.get_by_role("combobox", name="From").focus()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("bob", delay=10)
    page.keyboard.press("Tab")
    page.keyboard.type("prod-ledger", delay=10)
    page.keyboard.press("Enter")  # does what the button does
    shown.get_by_role("status").get_by_text("bob reaches prod-ledger: 1 way shown, the shortest in 5 steps.").wait_for()
    assert page.evaluate("document.activeElement.dataset.do") == "goal", "the focus has gone astray"
    why = shown.locator(".sl-steps summary").nth(4)
    why.focus()
    page.keyboard.press("Enter")
    shown.get_by_text("s3:ListBucket on arn:aws:s3:::prod-ledger").first.wait_for()
    assert why.evaluate("node => node === document.activeElement")
    shown.get_by_role("button", name="role deploy: ways from here").focus()
    page.keyboard.press("Enter")
    shown.get_by_text("deploy (no expiry date) reaches").first.wait_for()
    card = shown.get_by_role("button", name="3 keys: show them")
    card.click()
    shown.get_by_role("button", name="access key …").first.wait_for()
    card.wait_for(state="detached")


def test_a_name_that_is_not_there_is_told(opened: Any) -> None:
    shown = panel(opened)
    shown.get_by_role("combobox", name="From").fill("bbo")
    shown.get_by_role("button", name="Show", exact=True).click()
    shown.get_by_text("Did you mean 'bob'?").wait_for()
    shown.get_by_role("combobox", name="From").fill("bob")
    shown.get_by_role("combobox", name="To").fill("prod-ledger")
    shown.get_by_role("button", name="Show", exact=True).click()
    shown.get_by_text("Did you mean 'bob'?").wait_for(state="detached")


def test_it_can_be_read_and_reached_in_both_themes_wide_and_narrow(opened: Any) -> None:
    def graph() -> Any:
        shown, wide = panel(opened), opened.page.viewport_size["width"] > 520
        shown.locator(".sl-graph svg").wait_for(state="attached")
        shown.locator(".sl-graph").wait_for(state="visible" if wide else "hidden")  # then it is told below
        return shown

    opened.readable(graph=graph, blast=lambda: opened.output(2).locator(".sl-panel"))
