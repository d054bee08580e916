"""A real browser in front of a real Jupyter, as a learner has it; nothing but that server may be talked to.

`visit` is a page of JupyterLab, `everywhere` one of JupyterLab, Notebook 7 and Voilà in turn: a test that takes it
runs three times. The pages are shared by all tests; what is open goes with a module. `visits` says what can be done.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from tests.browser.servers import Server, serving
from tests.browser.visits import ENGINES, Visit, a_page, looked_after, write_notebook

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
HOW = (
    "no Chromium found: install it (Debian/Ubuntu: `apt install chromium`; anywhere: `python -m playwright install "
    "chromium`), or name one in the variable SIMLIB_CHROMIUM"
)


def _chromium(playwright: Any) -> str | None:
    named = os.environ.get("SIMLIB_CHROMIUM")
    found = [named] if named else [shutil.which(name) for name in NAMES]
    own = playwright.chromium.executable_path
    return next((path for path in [*found, own] if path and Path(path).exists()), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    with launched() as chromium:
        yield chromium


@contextmanager
def launched() -> Iterator[Any]:
    """Chromium, as long as it is needed; where there is none a test is skipped, and in CI it fails."""
    in_ci = os.environ.get("CI", "").lower() == "true"
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        if in_ci:
            raise
        pytest.skip("no playwright: `pip install playwright`")
    with sync_playwright() as playwright:
        executable = _chromium(playwright)
        if executable is None:
            pytest.fail(HOW) if in_ci else pytest.skip(HOW)
        options = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run"]
        chromium = playwright.chromium.launch(executable_path=executable, args=options)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def artifacts() -> Path | None:
    """Where screenshots go: the folder named by SIMLIB_ARTIFACTS; else there are none."""
    folder = Path(named) if (named := os.environ.get("SIMLIB_ARTIFACTS")) else None
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def server(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all: JupyterLab, Notebook 7 and Voilà at addresses of their own."""
    with serving(tmp_path_factory.mktemp("jupyter")) as up:
        yield up


@pytest.fixture(scope="session")
def pages(browser: Any, server: Server, artifacts: Path | None) -> Iterator[Callable[..., Visit]]:
    """A page of its own for each fixture and frontend, loaded once."""
    with ExitStack() as stack:
        yield cache(lambda _fixture, engine: stack.enter_context(a_page(browser, server, artifacts, engine)))


@pytest.fixture(scope="module")
def visit(pages: Callable[..., Visit], request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A page of JupyterLab."""
    yield from _lent(pages("visit", "lab"), request)


@pytest.fixture(scope="module", params=ENGINES)
def everywhere(pages: Callable[..., Visit], request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A page of each of the three."""
    yield from _lent(pages("everywhere", request.param), request)


def _lent(page: Visit, request: pytest.FixtureRequest) -> Iterator[Visit]:
    with looked_after(page, f"{request.module.__name__.rpartition('.')[2]}-{page.engine}"):
        yield page
    page.width(1280)
    page.leave()


@pytest.fixture(scope="module")
def notebook(server: Server) -> Callable[..., str]:
    """Put a notebook with the given code cells into the server's folder: `notebook(NAME, *CELLS)`."""
    return partial(write_notebook, server.folder)
