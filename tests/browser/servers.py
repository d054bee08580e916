"""A Jupyter server for the browser tests: one process serves JupyterLab, Notebook 7 and Voilà."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "a-token-for-the-browser-tests"
APP = ROOT / "simlib" / "lab" / "app"  # the settings that a learner's Jupyter has
WIDGETS = ["@jupyter-widgets/jupyterlab-manager", "@voila-dashboards/widgets-manager8", "anywidget"]
OPTIONS = (
    "--LabApp.expose_app_in_browser=True",
    "--JupyterNotebookApp.expose_app_in_browser=True",
    "--VoilaConfiguration.template=offline",
    f"--VoilaConfiguration.extension_allowlist={WIDGETS}",
    "--VoilaConfiguration.show_tracebacks=True",
)
_HOMES = {
    "JUPYTER_CONFIG_DIR": "config",
    "JUPYTER_DATA_DIR": "data",
    "JUPYTER_RUNTIME_DIR": "runtime",
    "IPYTHONDIR": "ipython",
    "JUPYTERLAB_SETTINGS_DIR": "settings",
    "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
}


PATIENCE = 120  # seconds to start or to end, on a busy machine; what hangs fails after them


@dataclass(frozen=True)
class Server:
    """Where it listens, and the folder whose notebooks it opens."""

    url: str
    folder: Path


@contextmanager
def serving(home: Path) -> Iterator[Server]:
    """A server with a home of its own; its kernels run in the Python of the tests, on this checkout."""
    folder = home / "notebooks"
    folder.mkdir()
    port = free_port()
    command = [
        *ended_with_us("jupyterlab.labapp"),
        *("--no-browser", "--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"),
        *("--ServerApp.allow_root=True", f"--ServerApp.root_dir={folder}", f"--IdentityProvider.token={TOKEN}"),
        "--ServerApp.disable_check_xsrf=True",  # Voilà takes leave of its kernel without a token
        *OPTIONS,
    ]
    with running(command, home, f"http://127.0.0.1:{port}/api?token={TOKEN}"):
        yield Server(f"http://127.0.0.1:{port}", folder)


def ended_with_us(module: str) -> tuple[str, str, str]:
    """The beginning of a command that runs a server's module and ends when its standard input is closed."""
    return sys.executable, str(Path(__file__).with_name("lab_server.py")), module


@contextmanager
def running(command: Sequence[str], home: Path, answers: str) -> Iterator[None]:
    """A process that ends when its standard input is closed; it is up when the address `answers`."""
    with (home / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment(home), stdin=subprocess.PIPE, stdout=log, stderr=log)
        try:
            wait_until_up(answers, process, home / "server.log")
            yield
        finally:
            assert process.stdin
            process.stdin.close()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                pytest.fail("the server did not end when its standard input was closed")


def environment(home: Path) -> Mapping[str, str]:
    """Ours, with Jupyter's settings in that home, and this checkout first among what is imported."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    own = {name: str(home / where) for name, where in _HOMES.items()}
    return {**os.environ, **own, "PYTHONPATH": path, "JUPYTER_PATH": str(APP), "JUPYTER_CONFIG_PATH": str(APP)}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_until_up(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    pytest.fail(f"Jupyter did not start:\n{log.read_text(encoding='utf-8', errors='replace')[-3000:]}")
