"""A real browser in front of a real Jupyter, as a learner has it; nothing but that server may be talked to.

`visit` is a page of JupyterLab, `everywhere` one of JupyterLab, Notebook 7 and Voilà in turn: a test that takes it
runs three times. Both are shared by the tests of a module; `visits` says what can be done with them.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.browser.servers import Server, serving
from tests.browser.visits import ENGINES, Visit, visiting, write_notebook

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
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: the folder named by SIMLIB_ARTIFACTS, else a temporary one."""
    named = os.environ.get("SIMLIB_ARTIFACTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("artifacts")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def server(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all: JupyterLab, Notebook 7 and Voilà at addresses of their own."""
    with serving(tmp_path_factory.mktemp("jupyter")) as up:
        yield up


@pytest.fixture(scope="module")
def visit(browser: Any, server: Server, artifacts: Path, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A page of JupyterLab that the tests of a module share."""
    with visiting(browser, server, artifacts, _module(request)) as page:
        yield page


@pytest.fixture(scope="module", params=ENGINES)
def everywhere(browser: Any, server: Server, artifacts: Path, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A page of each of the three that the tests of a module share."""
    with visiting(browser, server, artifacts, f"{_module(request)}-{request.param}", request.param) as page:
        yield page


def _module(request: pytest.FixtureRequest) -> str:
    return str(request.module.__name__).rpartition(".")[2]


@pytest.fixture(scope="module")
def notebook(server: Server) -> Callable[..., str]:
    """Put a notebook with the given code cells into the server's folder: `notebook(NAME, *CELLS)`."""
    return partial(write_notebook, server.folder)
