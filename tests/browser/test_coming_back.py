"""A notebook that was saved and is opened again, one whose kernel was restarted, and the way through a lesson by Shift
and Enter alone: JupyterLab and Notebook 7."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.parametrize("everywhere", ["lab", "notebook"], indirect=True, scope="module")
SETUP = """
import os, tempfile
os.environ["IAM_LAB_PROGRESS"] = os.path.join(tempfile.mkdtemp(), "progress.json")
from simlib import Cloud, lab
aws = lab.begin('trust')
"""
CELLS = (
    'lab.predict("root in the trust policy")',
    'print("the experiment has run")',
    'lab.explain("root in the trust policy")',
    'lab.TrustExplorer(aws, role="reports")',
    "lab.SessionTimeline(aws)",
    'lab.PolicyEditor.of(aws, "reports")',
)
SESSION = "window.jupyterapp.shell.currentWidget.sessionContext"
ACTIVE = "() => window.jupyterapp.shell.currentWidget.content.activeCellIndex"
KEPT = {1: "Your answer, locked in", 3: "You expected", 4: "reports", 5: "alice", 6: "Statement"}
OUTPUTS = "[...window.jupyterapp.shell.currentWidget.context.model.cells].map(cell => cell.outputs?.toJSON())"
STILL = "A still picture, as it looked last."


@pytest.fixture(scope="module")
def opened(everywhere: Any) -> Any:
    everywhere.show(SETUP, *CELLS)
    return everywhere


def test_once_locked_in_shift_and_enter_go_on(opened: Any) -> None:
    page, output = opened.page, opened.whole_output(1)
    assert output.get_by_text(STILL).count() == 1
    assert not output.get_by_text(STILL).is_visible(), "a live widget hides its picture"
    output.get_by_role("radio").first.check()
    output.get_by_role("button", name="Lock in my answer").click()
    page.wait_for_function(f"({ACTIVE})() === 2")
    page.keyboard.press("Shift+Enter")
    opened.output(2).get_by_text("the experiment has run").wait_for()
    page.wait_for_function(f"({ACTIVE})() === 3")
    opened.output(3).get_by_text("You expected").wait_for()


def test_a_panel_comes_into_view_when_its_cell_is_run_and_stays_where_it_is_then(opened: Any) -> None:
    page = opened.page
    top = "document.querySelector(\"[data-windowed-list-index='4'] .sl-live\")?.getBoundingClientRect().top"
    page.evaluate("() => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = 4 }")
    page.keyboard.press("Shift+Enter")
    page.wait_for_function(f"() => 20 < {top} && {top} < 200")
    page.mouse.move(640, 400)
    page.mouse.wheel(0, 300)
    page.wait_for_timeout(300)
    before = page.evaluate(top)
    page.evaluate(f"() => void {SESSION}.session.kernel.requestExecute({{ code: 'aws.clock.advance(minutes=1)' }})")
    page.wait_for_timeout(1500)
    assert page.evaluate(top) == before, "it scrolls once, and never when it is drawn anew"


def readable(opened: Any) -> None:
    """Every cell shows its picture, marked as one, and no widget."""
    for cell, words in KEPT.items():
        output = opened.whole_output(cell)
        output.get_by_text(STILL).wait_for()
        output.locator(".sl-still").get_by_text(words).first.wait_for()
        assert output.locator(".sl-live:visible").count() == 0
        assert "Error displaying widget" not in output.inner_text()
        assert "Loading widget" not in output.inner_text()


def test_after_a_restart_the_panels_are_still_and_say_so(opened: Any) -> None:
    opened.page.wait_for_function(f"() => JSON.stringify({OUTPUTS}).includes('You expected')")  # in a pause
    opened.page.evaluate(f"() => {SESSION}.restartKernel()")
    readable(opened)


def test_opened_again_it_is_as_it_was(opened: Any) -> None:
    page = opened.page
    path = page.evaluate("() => window.jupyterapp.shell.currentWidget.context.path")
    opened.command("docmanager:save")
    page.evaluate(f"() => {SESSION}.shutdown()")
    opened.open(path)
    readable(opened)
    page.wait_for_function("() => document.body.textContent.split('Error displaying widget').length > 5")  # unseen
    opened.picture("opened-again")
    page.evaluate("() => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = 1 }")
    opened.command("notebook:run-cell")
    opened.output(1).get_by_text("“lab” does not exist yet.").wait_for()
    opened.errors.clear()  # Jupyter's own, of widgets and answers that a stopped kernel does not give
