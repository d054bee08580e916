"""What setting up takes: `lab.py`, against the same third-party packages put in by plain pip, without the lab.

Both begin with nothing but Python and an empty cache, in a home of their own, and end when JupyterLab answers at its
address; the speed of the package index counts in both. Later starts find everything there.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

import lab as command
from benchmarks.row import Row

ROOT = Path(__file__).resolve().parents[1]
PYTHON = getattr(sys, "_base_executable", sys.executable)
TOKEN = "measured"
PATIENCE = 600  # seconds
FETCHED, UNITS = re.compile(r"Downloading .*\((\d[\d.]*) (\wB)\)"), {"kB": 1e-3, "MB": 1.0, "GB": 1e3}


def measure() -> Iterator[Row]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        floor, lab = Place(Path(folder, "floor")), Place(Path(folder, "lab"))
        floor.run([PYTHON, "-m", "venv", ".venv"])
        by_pip = floor.run([*floor.python, "-m", "pip", "install", "--requirement", "requirements.txt"])
        server = [*floor.python, "-m", "jupyterlab", "notebooks/00-start-here.ipynb", "--allow-root"]
        first_floor, first = by_pip + floor.start(server), lab.start([PYTHON, "lab.py"])
        yield Row("from nothing to JupyterLab's first answer", first, "s", first_floor)
        fetched = lab.fetched
        yield Row("fetched for it", fetched, "MB", floor.fetched)
        yield Row("on disk", lab.installed, "MB", floor.installed)
        yield Row("a later start", lab.start([PYTHON, "lab.py"]), "s", floor.start(server))
        yield Row("from there to the tests' first word", lab.run([PYTHON, "lab.py", "test", "--version"]), "s")
        yield Row("fetched, with the tests", fetched + lab.fetched, "MB")
        yield Row("on disk, with the tests", lab.installed, "MB")
        yield Row("the tests' first word, later", lab.run([PYTHON, "lab.py", "test", "--version"]), "s")


class Place:
    """A copy of the repository as it is committed or about to be, with a home and a cache of its own."""

    def __init__(self, folder: Path) -> None:
        self.home, self.words = folder / "home", folder / "words.txt"
        self.repository = folder / "repository"
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, encoding="utf-8")
        for name in filter(None, listed.stdout.split("\0")):
            if (ROOT / name).is_file():
                (self.repository / name).parent.mkdir(parents=True, exist_ok=True)
                (self.repository / name).write_bytes((ROOT / name).read_bytes())
        self.home.mkdir()
        others = ("PYTHON", "JUPYTER", "IPY", "PIP_NO_CACHE")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(others)}
        homes = dict.fromkeys(("HOME", "USERPROFILE", "APPDATA"), str(self.home))
        self.environment = {
            **kept,
            **homes,
            "PIP_CACHE_DIR": str(folder / "cache"),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }

    @property
    def python(self) -> list[str]:
        return [str(self.repository / command.PYTHON.relative_to(command.ROOT))]

    @property
    def fetched(self) -> float:
        """MB that pip has fetched, as it said the last time; `lab.py` keeps its words."""
        kept = self.repository / command.LOG.relative_to(command.ROOT)
        said = FETCHED.findall((kept if kept.exists() else self.words).read_text("utf-8"))
        return sum(float(number) * UNITS[unit] for number, unit in said)

    @property
    def installed(self) -> float:
        """MB in .venv."""
        return size(self.repository / ".venv")

    def run(self, line: Sequence[str]) -> float:
        """Seconds that a command takes."""
        started = time.perf_counter()
        with self.words.open("w", encoding="utf-8") as words:
            subprocess.run(line, cwd=self.repository, env=self.environment, stdout=words, timeout=PATIENCE, check=True)
        return time.perf_counter() - started

    def start(self, line: Sequence[str]) -> float:
        """Seconds until the server that a command starts answers; then it is ended."""
        port = free_port()
        options = ("--no-browser", f"--port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}")
        started = time.perf_counter()
        with self._running([*line, *options]) as process:
            while not answers(f"http://127.0.0.1:{port}/lab?token={TOKEN}"):
                if process.poll() is not None or time.perf_counter() - started > PATIENCE:
                    raise RuntimeError(f"{line} has started no server")
                time.sleep(0.02)
            return time.perf_counter() - started

    @contextmanager
    def _running(self, line: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with subprocess.Popen(line, cwd=self.repository, env=self.environment, **quiet) as process:
            try:
                yield process
            finally:
                for each in [*psutil.Process(process.pid).children(recursive=True), process]:
                    each.kill()


def size(folder: Path) -> float:
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir()) / 1e6


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
