"""A notebook's shell in a browser, simulated: what cannot be done there is a sentence in its cell, not a traceback."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from simlib import Cloud
from simlib.lab import display


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    def no_thread(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    def no_process(*_: Any, **__: Any) -> None:
        raise OSError(138, "emscripten does not support processes.")

    shell = InteractiveShell(user_ns={"Cloud": Cloud})
    with monkeypatch.context() as browser:
        browser.setattr(threading.Thread, "start", no_thread)
        browser.setattr(subprocess.Popen, "__init__", no_process)
        browser.setitem(sys.modules, "matplotlib", None)
        browser.setattr(sys, "platform", "emscripten")
        display.teach(shell)
        yield shell
    InteractiveShell.clear_instance()


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("!aws s3 ls", 'The AWS CLI runs inside Python: dev.admin.run("aws s3 ls")'),
        ("listed = !aws s3 ls", "There is no shell in a browser."),
        ("%sx aws s3 ls", "There is no shell in a browser."),
        ("%%bash\naws s3 ls", "There is no shell in a browser."),
        ("%%sh\naws s3 ls", "There is no shell in a browser."),
        ("import threading\nthreading.Thread(target=print).start()", "A browser gives Python one thread"),
        ("import subprocess\nsubprocess.run(['aws', 's3', 'ls'])", "A browser starts no other programs."),
        ("Cloud.serve(None)", "no other process can call the lab"),
        ("import matplotlib", "matplotlib, which draws figures to save and print, is not part of this site."),
    ],
)
def test_what_a_browser_cannot_do_is_a_sentence(
    shell: Any, capsys: pytest.CaptureFixture[str], cell: str, said: str
) -> None:
    shell.run_cell(cell)
    shown = "".join(capsys.readouterr())
    assert said in shown
    assert "Traceback" not in shown
    assert shown.count("\n") == 1


def test_every_other_error_keeps_its_traceback(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run_cell("raise RuntimeError('of my own')")
    assert "Traceback (most recent call last)" in "".join(capsys.readouterr())
