"""Progress and a world leave by one click and come back by one, in JupyterLab and Notebook 7."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.parametrize("everywhere", ["lab", "notebook"], indirect=True, scope="module")
SETUP = """
import os, tempfile
os.environ["IAM_LAB_PROGRESS"] = os.path.join(tempfile.mkdtemp(), "progress.json")
from simlib import Cloud, lab
aws = lab.begin('sessions')
lab.answer("two hours", "c")
"""
AGAIN = 'print("accounts:", *(account.name for account in aws.accounts))'


@pytest.fixture(scope="module")
def opened(everywhere: Any) -> Any:
    everywhere.show(SETUP, "lab.overview()", AGAIN)
    everywhere.output(1).get_by_text("Download and restore").click()
    everywhere.output(1).get_by_role("button", name="Download my progress").wait_for()
    return everywhere


def downloaded(opened: Any, name: str) -> Any:
    with opened.page.expect_download() as found:
        opened.output(1).get_by_role("button", name=name).click()
    assert found.value.suggested_filename in ("progress.json", "world.json")
    return json.loads(Path(found.value.path()).read_text(encoding="utf-8"))


def bring_back(opened: Any, name: str, content: Any) -> Any:
    """Choose a file of this content with the button of that name; the output of the cell."""
    output = opened.output(1)
    with opened.page.expect_file_chooser() as chooser:
        output.get_by_role("button", name=name).click()
    chooser.value.set_files(
        {
            "name": "mine.json",
            "mimeType": "",
            "buffer": content if isinstance(content, bytes) else json.dumps(content).encode(),
        }
    )
    return output


def test_progress_out_and_in(opened: Any) -> None:
    kept = downloaded(opened, "Download my progress")
    assert kept["lessons"]["sessions"]["predictions"]["two hours"]["right"] is True
    earlier = {"choice": 2, "right": True, "when": "2026-11-24T09:00:00Z"}
    kept["lessons"]["users"] = {"predictions": {"a key and no policy": earlier}}
    output = bring_back(opened, "Restore my progress", kept)
    output.get_by_text("mine.json: 2 answers, 1 of them new here.").wait_for()
    output.locator(".sl-lesson", has_text="A user and a key").get_by_text("1 of ").wait_for()  # the map has followed


def test_a_world_out_and_in(opened: Any) -> None:
    world = downloaded(opened, "Download this world")
    world["Accounts"][0]["Name"] = "renamed"
    bring_back(opened, "Open a world", world).get_by_text("mine.json is open. It holds renamed").wait_for()
    opened.page.evaluate(
        """() => {
            const app = window.jupyterapp;
            app.shell.currentWidget.content.activeCellIndex = 2;
            return app.commands.execute("notebook:run-cell");
        }"""
    )
    opened.output(2).get_by_text("accounts: renamed").wait_for()


def test_a_wrong_file_gets_a_sentence_and_one_that_is_too_large_too(opened: Any) -> None:
    bring_back(opened, "Restore my progress", []).get_by_text("mine.json is not a progress file.").wait_for()
    bring_back(opened, "Open a world", "x" * 5_000_001).get_by_text("mine.json is too large").wait_for()
    bring_back(opened, "Open a world", b"").get_by_text("mine.json is empty").wait_for()


def test_it_can_be_read_and_reached(opened: Any) -> None:
    for width in (1280, 390):
        opened.width(width)
        output = opened.output(1)
        opened.fits(output)
        opened.accessible(output)
        opened.picture("downloads")
    opened.width(1280)
