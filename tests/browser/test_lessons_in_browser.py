"""The other lessons as a learner opens them: every cell run, nothing in red, and a panel that answers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from simlib.lab import course

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
PANELS = {  # a cell of the lesson, and what its panel or answer says once every cell has run
    "start-here": ("map", "Who may assume a role"),
    "roles": ("role-card", "Who may assume web-app"),
    "two-policies": ("editor", "A policy"),
    "trust": ("trust-explorer", "Who may assume reports"),
    "names": ("mfa-tried", "with the code"),
    "sessions": ("timeline", "credentials are valid"),
    "revoking": ("timeline-revoked", "revoked"),
    "credentials": ("chain", "Where the SDK looks"),
    "accounts": ("cross-account", "Both sides allow it"),
    "buckets": ("matrix", "Who may do what"),
    "partners": ("with-external-id", "Mallory herself"),
    "deny": ("steps", "s3:GetObject"),
    "limits": ("panel", "s3:PutObject"),
    "machines": ("graph", "alice reaches my-secure-bucket"),
    "metadata": ("invoke", "assumed-role/web-app/who"),
    "pipelines": ("trust-explorer", "Who may assume pipeline"),
    "scripts": ("careful", "reports-reader, again"),
    "tests": ("editor", "A policy"),
    "incident": ("graph", "bob reaches prod-ledger"),
    "repair": ("policies", "A policy"),
    "four-sentences": ("who-am-i", "assumed-role/web-app"),
}


@pytest.mark.parametrize("slug", PANELS)
def test_run_all_in_a_browser(visit: Any, slug: str) -> None:
    name = course.find(slug).notebook
    shutil.copy(NOTEBOOKS / name, visit.server.folder / name)
    cells = [cell["id"] for cell in json.loads((NOTEBOOKS / name).read_text(encoding="utf-8"))["cells"]]
    cell, words = PANELS[slug]
    visit.open(name)
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
