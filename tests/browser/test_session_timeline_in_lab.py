"""The timeline in a living notebook: it follows the cells, and a cell that is run again leaves nothing behind."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.test_session_timeline_everywhere import PANEL, SETUP, panel

CALL = 'alice.client("sts").get_caller_identity()["Account"]'
COUNT = """
from ipywidgets.widgets.widget import _instances
from simlib.lab import screen
print(len(_instances), len(get_ipython().kernel.comm_manager.comms), len(screen._followers))
"""


@pytest.fixture(scope="module")
def opened(visit: Any) -> Any:
    visit.show(SETUP, PANEL, CALL, COUNT)
    return visit


def run(visit: Any, cell: int) -> None:
    visit.page.evaluate("index => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = index }", cell)
    visit.command("notebook:run-cell")


def test_it_shows_what_a_later_cell_has_done(opened: Any) -> None:
    shown = panel(opened)
    shown.get_by_text("sts:GetCallerIdentity").first.wait_for()
    calls = shown.get_by_text("sts:GetCallerIdentity").count()
    run(opened, 2)
    opened.page.wait_for_function(
        "([root, before]) => root.innerText.split('sts:GetCallerIdentity').length - 1 > before",
        arg=[panel(opened).element_handle(), calls],
    )


def test_a_cell_run_ten_times_leaves_no_widget_no_comm_and_no_follower(opened: Any) -> None:
    def counts() -> str:
        run(opened, 3)
        return opened.output(3).inner_text()

    run(opened, 1)
    before = counts()
    assert before.split()[-3:] != ["0", "0", "0"]
    for _ in range(50):
        run(opened, 1)
    panel(opened)
    assert counts() == before
    assert panel(opened).count() == 1
