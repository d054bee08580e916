"""What every test may count on."""

from __future__ import annotations

import gc
import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests import outward

# A process that runs a share of the tests ignores Ctrl+C, and so would the kernels it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
# A world makes objects by the thousand, and looking through them is a fifth of the time.
gc.set_threshold(20_000, 10, 10)
outward.begin()
_watch = outward.Watch()


@pytest.fixture(autouse=True)
def nobody_goes_out(request: pytest.FixtureRequest) -> Iterator[outward.Watch]:
    """No test, and nothing it starts, asks for another machine. A test that means to may read what it did itself.

    What is only counted is not held against the browser: Chromium tries whether there is IPv6.
    """
    yield _watch
    tried = _watch.outward(counted="tests/browser" not in request.node.path.as_posix())
    assert tried == [], "this test asked for another machine"


@pytest.fixture(scope="session")
def progress_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """New folders, numbered here: pytest reads all names there are to find the next number."""
    parent = tmp_path_factory.mktemp("progress")
    return (parent / str(number) for number in count())


@pytest.fixture(autouse=True)
def progress_of_nobody(progress_folders: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing a test does is written into the progress of whoever runs it; kernels it starts inherit that."""
    path = next(progress_folders) / "progress.json"
    path.parent.mkdir()
    monkeypatch.setenv("IAM_LAB_PROGRESS", str(path))
    return path


def pytest_unconfigure() -> None:
    outward.end()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    state = f"open to these tests: {outward.why_open}" if outward.why_open else "closed to these tests"
    terminalreporter.write_line(f"The way out of this machine was {state}.")
