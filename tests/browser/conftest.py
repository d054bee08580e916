"""A real browser in front of a real JupyterLab, as a learner has it; nothing but that server may be talked to."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "a-token-for-the-browser-tests"
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


@dataclass(frozen=True)
class LabServer:
    url: str
    folder: Path


@pytest.fixture(scope="session")
def lab_server(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    """JupyterLab with a home of its own; its kernel runs in the Python of the tests, on this checkout."""
    home = tmp_path_factory.mktemp("jupyter")
    folder = home / "notebooks"
    folder.mkdir()
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    quiet = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(quiet), encoding="utf-8")
    own = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "IPYTHONDIR": "ipython",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    }
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, **{name: str(home / where) for name, where in own.items()}, "PYTHONPATH": path}
    port = _free_port()
    command = [
        sys.executable,
        str(Path(__file__).with_name("lab_server.py")),
        "--no-browser",
        "--ip=127.0.0.1",
        f"--port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={folder}",
        f"--IdentityProvider.token={TOKEN}",
        "--ServerApp.allow_root=True",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.expose_app_in_browser=True",
    ]
    with (home / "server.log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=log, stderr=log)
        try:
            _wait_until_up(f"http://127.0.0.1:{port}/api?token={TOKEN}", server, home / "server.log")
            yield LabServer(f"http://127.0.0.1:{port}", folder)
        finally:
            assert server.stdin
            server.stdin.close()
            try:
                server.wait(15)
            except subprocess.TimeoutExpired:
                server.kill()
                pytest.fail("the server did not end when its standard input was closed")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_until_up(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text(encoding='utf-8', errors='replace')[-3000:]}")


@dataclass
class Visit:
    """A page of JupyterLab with a notebook open, and what went wrong on it."""

    page: Any
    server: LabServer
    errors: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def open(self, notebook: str) -> None:
        """Open a notebook and wait until its kernel answers."""
        self.page.goto(f"{self.server.url}/lab/tree/{notebook}?token={TOKEN}&reset")
        self.page.wait_for_function("() => window.jupyterapp?.shell", timeout=60_000)
        self.page.evaluate("() => window.jupyterapp.restored")
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")
        self.page.wait_for_function("() => window.jupyterapp.shell.currentWidget?.sessionContext")
        self.page.evaluate(
            """async () => {
                const app = window.jupyterapp;
                const session = app.shell.currentWidget.sessionContext;
                await session.ready;
                await session.session.kernel.info;
            }"""
        )

    def command(self, name: str, **arguments: Any) -> None:
        """Run one of JupyterLab's commands and wait for it."""
        self.page.evaluate("([name, given]) => window.jupyterapp.commands.execute(name, given)", [name, arguments])

    def run_all(self) -> None:
        """Run every cell and wait for the last."""
        self.command("notebook:run-all-cells")

    def select(self, cell: str) -> None:
        """Make the cell of that ID the selected one."""
        self.page.evaluate(
            """id => {
                const notebook = window.jupyterapp.shell.currentWidget.content;
                notebook.activeCellIndex = notebook.widgets.findIndex(cell => cell.model.sharedModel.id === id);
                notebook.activate();
            }""",
            cell,
        )

    def run_cell(self, cell: str) -> None:
        """Run the cell of that ID and wait for it."""
        self.select(cell)
        self.command("notebook:run-cell")

    def theme(self, name: str) -> None:
        """Switch to "JupyterLab Light" or "JupyterLab Dark"."""
        self.command("apputils:change-theme", theme=name)
        is_light = json.dumps(name.endswith("Light"))
        self.page.wait_for_selector(f"body[data-jp-theme-light='{is_light}']", state="attached")
        self.page.wait_for_function(
            "() => getComputedStyle(document.body).getPropertyValue('--jp-content-font-color0').trim() !== ''"
        )


@contextmanager
def visiting(browser: Any, server: LabServer, screenshot: Path) -> Iterator[Visit]:
    """A fresh page; it is an error when its console shows one, or when it asks anybody but its server."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    page.set_default_timeout(30_000)
    visit = Visit(page, server)
    home = urlsplit(server.url).netloc

    def asked(url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != home:
            visit.strangers.append(url)

    page.on("request", lambda request: asked(request.url))
    page.on("websocket", lambda socket: asked(socket.url))
    page.on("console", lambda message: visit.errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: visit.errors.append(str(error)))
    try:
        yield visit
    finally:
        page.screenshot(path=screenshot)
        context.close()
    assert visit.strangers == [], "the page asked somebody else than its own server"
    assert visit.errors == [], "the browser's console shows errors"


@pytest.fixture(scope="module")
def visit(browser: Any, lab_server: LabServer, artifacts: Path, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A page of JupyterLab that the tests of a module share."""
    name = request.module.__name__.rpartition(".")[2]
    with visiting(browser, lab_server, artifacts / f"{name}.png") as page:
        yield page


@pytest.fixture(scope="module")
def notebook(lab_server: LabServer) -> Callable[[str, str], str]:
    """Put a notebook with the given code cells into the server's folder."""

    def write(name: str, *sources: str) -> str:
        import nbformat

        book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
        book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(book, lab_server.folder / name)
        return name

    return write
