"""The playground's page in JupyterLab, Notebook 7 and Voilà: something to see at once, every tab, wide and narrow."""

from __future__ import annotations

import os
import shutil
import time
import urllib.request
from collections.abc import Iterator
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from simlib.lab.playground import TABS
from tests.browser.servers import ROOT, TOKEN, Server, ended_with_us, free_port, running
from tests.browser.visits import visiting

PAGE = ROOT / "notebooks" / "playground.ipynb"


@pytest.fixture(scope="module")
def opened(everywhere: Any) -> Any:
    shutil.copy(PAGE, everywhere.server.folder / PAGE.name)
    everywhere.open(PAGE.name)
    everywhere.run_all()
    return everywhere


def tab(opened: Any, name: str) -> Any:
    output = opened.output(1)
    button = output.get_by_role("navigation", name="Panels").get_by_role("button", name=TABS[name].title)
    button.focus()
    opened.page.keyboard.press("Enter")
    output.get_by_text(TABS[name].first).or_(output.get_by_text(TABS[name].none or TABS[name].first)).first.wait_for()
    return output


def test_it_begins_with_something_to_look_at_and_says_what_to_do(opened: Any) -> None:
    output = opened.output(1)
    output.get_by_text(next(iter(TABS.values())).first).wait_for()
    output.locator("svg").first.wait_for()


def test_every_tab_can_be_read_and_reached_in_both_themes_wide_and_narrow(opened: Any) -> None:
    opened.readable(**{f"playground-{name}": partial(tab, opened, name) for name in TABS})


def test_a_policy_is_changed_and_the_graph_follows(opened: Any) -> None:
    output = tab(opened, "policies")
    output.get_by_label("Policies of").select_option("reports")
    output.get_by_role("tab", name="trust policy of reports", exact=True).wait_for()
    output.get_by_role("button", name="Apply", exact=True).click()
    output.get_by_text("Applied by the administrator of dev").wait_for()
    tab(opened, "graph")


def test_another_world_is_entered(opened: Any) -> None:
    output = opened.output(1)
    output.locator("select[data-do=begin]").select_option("trust")
    output.get_by_text("A fresh world: One role, and who may assume it.").wait_for()


def test_somebody_is_made_and_borrows_a_role_by_enter_and_by_mouse(opened: Any) -> None:
    output = opened.output(1)
    output.get_by_text("Create, borrow a role").click()
    output.get_by_label("called").fill("carol")
    output.get_by_label("called").press("Enter")
    output.get_by_text("There is a new user now: carol.").wait_for()
    output.locator("select[data-do=who]").select_option("alice")
    output.locator("select[data-do=role]").select_option("reports")
    output.get_by_role("button", name="Borrow this role").click()
    output.get_by_text("alice holds a session of reports now.").wait_for()
    assert opened.page.evaluate("document.activeElement.textContent") == "Borrow this role", "the focus stays"
    opened.picture("playground-made")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The playground as `lab.py app` starts it."""
    home, port = tmp_path_factory.mktemp("app"), free_port()
    options = (str(ROOT / "notebooks"), "--no-browser", f"--port={port}", f"--token={TOKEN}")
    command = [*ended_with_us("simlib.start"), "app", *options]
    with running(command, home, f"http://127.0.0.1:{port}/voila/static/voila.js"):
        yield Server(f"http://127.0.0.1:{port}", home)


def test_as_an_app_it_is_there_within_seconds(browser: Any, app: Server, artifacts: Path | None) -> None:
    with visiting(browser, app, artifacts, "playground-app", "voila") as visit:
        start = time.monotonic()
        visit.page.goto(f"{app.url}/?token={TOKEN}")
        visit.page.get_by_text(next(iter(TABS.values())).first).wait_for()
        visit.page.locator(".sl-graph svg:visible").first.wait_for()
        assert time.monotonic() - start < 30
        visit.picture("playground-app")
        if os.environ.get("SIMLIB_PICTURE"):  # how the README's pictures are made anew
            visit.page.set_viewport_size({"width": 1160, "height": 860})
            visit.page.wait_for_timeout(2000)  # it is laid out anew
            keep_picture(visit.page, "playground.png")
            visit.page.get_by_role("button", name=TABS["access"].title).click()
            visit.page.locator(".sle-badge").first.wait_for()
            visit.page.set_viewport_size({"width": 1160, "height": 760})
            keep_picture(visit.page, "access-explorer.png")


def test_without_its_token_nobody_gets_the_page_and_its_kernel(app: Server) -> None:
    with urllib.request.urlopen(app.url) as answer:
        assert answer.url.startswith(f"{app.url}/login")


def keep_picture(page: Any, name: str) -> None:
    """A screenshot for the README: small, because it is in the repository."""
    from PIL import Image

    Image.open(BytesIO(page.screenshot())).quantize(64).save(ROOT / "docs" / name, optimize=True)
