"""Binder's image in a browser: what it opens first, and lesson 1 with its panel.

Run by `nox -s binder`, which has done the image's steps and says in SIMLIB_IMAGE how to start a program there.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.servers import PATIENCE, ROOT, TOKEN, Server, free_port, wait_until_up
from tests.browser.test_lesson_1_in_browser import LESSON, LIST, change, says, type_in, verdict
from tests.browser.visits import visiting


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """JupyterLab as Binder starts it, but for the address; in a folder of the image's user."""
    port, log = free_port(), tmp_path_factory.mktemp("image") / "server.log"
    options = ["--ip=127.0.0.1", f"--port={port}", "--no-browser", f"--IdentityProvider.token={TOKEN}"]
    options += ["--LabApp.expose_app_in_browser=True"]  # for the test's hands
    with log.open("wb") as said:
        process = subprocess.Popen([*json.loads(os.environ["SIMLIB_IMAGE"]), "jupyter-lab", *options], stderr=said)
    try:
        wait_until_up(f"http://127.0.0.1:{port}/api?token={TOKEN}", process, log)
        yield Server(f"http://127.0.0.1:{port}", Path("notebooks"))
    finally:
        process.terminate()
        process.wait(PATIENCE)


@pytest.fixture(scope="module")
def visit(browser: Any, server: Server, artifacts: Path) -> Iterator[Any]:
    with visiting(browser, server, artifacts, "binder") as page:
        yield page


def test_it_opens_on_the_first_page_whose_answers_are_kept_in_the_users_home(visit: Any) -> None:
    visit.page.goto(f"{visit.server.url}/?token={TOKEN}")
    visit.settle()
    visit.run_all()
    question = visit.output(index("00-start-here.ipynb", "predict-a-new-user-looks-around"))
    question.get_by_role("radio", name="It sends the list").check()
    question.get_by_role("button", name="Lock in my answer").click()
    answer = visit.output(index("00-start-here.ipynb", "explain-a-new-user-looks-around"))
    answer.get_by_text("You expected").wait_for()
    folder = visit.page.request.get(f"{visit.server.url}/api/contents/notebooks?token={TOKEN}").json()
    assert "progress.json" in {entry["name"] for entry in folder["content"]}


def test_a_lesson_runs_and_its_panel_answers(visit: Any) -> None:
    visit.open(f"notebooks/{LESSON.name}")
    visit.run_all()
    panel = visit.output(index(LESSON.name, "panel")).locator(".sl-live .sl-panel")
    says(verdict(panel, LIST), "✔ Allowed", "Allow statement 1 of read-bucket")
    type_in(panel)
    change(visit.page, panel, '"s3:ListBucket",', "")
    says(verdict(panel, LIST), "✘ Not allowed", "s3:ListBucket is not in Action")


def index(lesson: str, cell: str) -> int:
    cells = json.loads((ROOT / "notebooks" / lesson).read_text(encoding="utf-8"))["cells"]
    return [each["id"] for each in cells].index(cell)
