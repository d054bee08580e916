"""Lessons as a learner opens them: every cell run, nothing in red, and a panel that answers."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from simlib.lab import course

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
PANELS = {  # a cell of the lesson, and what its panel or answer says once every cell has run
    "start-here": ("map", "Who may assume a role"),
    "roles": ("role-card", "Who may assume web-app"),
    "revoking": ("timeline-revoked", "revoked"),
    "credentials": ("chain", "Where the SDK looks"),
    "accounts": ("cross-account", "Both sides allow it"),
    "buckets": ("matrix", "Who may do what"),
    "tests": ("editor", "A valid policy"),
    "incident": ("graph", "bob reaches prod-ledger"),
    "repair": ("policies", "A valid policy"),
}

# Whether the notebook that is open would have to be saved, once JupyterLab knows all about its kernel.
_UNSAVED = """async () => {
    const { context, sessionContext } = window.jupyterapp.shell.currentWidget;
    await sessionContext.session.kernel.info;
    await sessionContext.session.kernel.requestKernelInfo();
    return context.model.dirty;
}"""


def shown(slug: str) -> set[str]:
    """What a lesson puts on the screen: the panels and answers of the lab that its cells ask for."""
    cells = json.loads((NOTEBOOKS / course.find(slug).notebook).read_text(encoding="utf-8"))["cells"]
    return set(re.findall(r"\blab\.(\w+)\(", "".join(line for cell in cells for line in cell["source"])))


def test_whatever_a_lesson_shows_is_seen_in_one_of_these() -> None:
    """All lessons run in a kernel (tests/notebooks); what differs in a browser is what they show."""
    everything = set().union(*map(shown, course.LESSONS))
    assert {"AccessExplorer", "SessionTimeline", "predict", "exercise"} <= everything
    assert everything == set().union(*map(shown, PANELS))


@pytest.mark.parametrize("slug", PANELS)
def test_run_all_in_a_browser(visit: Any, slug: str) -> None:
    name = course.find(slug).notebook
    shutil.copy(NOTEBOOKS / name, visit.server.folder / name)
    cells = [cell["id"] for cell in json.loads((NOTEBOOKS / name).read_text(encoding="utf-8"))["cells"]]
    cell, words = PANELS[slug]
    visit.open(name)
    assert visit.page.evaluate(_UNSAVED) is False, "nothing has been run"
    visit.run_all()
    visit.output(cells.index(cell)).get_by_text(words).filter(visible=True).first.wait_for()
    told = visit.page.evaluate(
        """() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells
            .flatMap(cell => cell.cell_type === "code" ? cell.outputs : [])
            .filter(output => output.output_type === "error").map(output => output.evalue)"""
    )
    assert told == []


def test_a_prediction_and_an_exercise_by_hand(visit: Any) -> None:
    """The first page: a wrong guess is met, and the gap filled with the keyboard is right."""
    name = course.find(0).notebook
    cells = [cell["id"] for cell in json.loads((NOTEBOOKS / name).read_text(encoding="utf-8"))["cells"]]
    shutil.copy(NOTEBOOKS / name, visit.server.folder / f"by-hand-{name}")
    visit.open(f"by-hand-{name}")
    visit.run_all()
    question = visit.output(cells.index("predict-a-new-user-looks-around"))
    question.get_by_role("radio", name="It sends the list").check()
    question.get_by_role("button", name="Lock in my answer").click()
    visit.output(cells.index("explain-a-new-user-looks-around")).get_by_text("You expected").wait_for()
    visit.page.evaluate(
        """id => {
            const notebook = window.jupyterapp.shell.currentWidget.content;
            const cell = notebook.widgets.find(cell => cell.model.sharedModel.id === id);
            cell.model.sharedModel.setSource(cell.model.sharedModel.getSource().replace('"iam:"', '"iam:ListUsers"'));
        }""",
        "make",
    )
    visit.run_cell("make")
    visit.run_cell("check-make")
    visit.output(cells.index("check-make")).get_by_text("Right").wait_for()
