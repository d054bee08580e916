"""A notebook's shell in a browser, simulated: what cannot be done there is a sentence in its cell, not a traceback."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib.machinery import BuiltinImporter, FrozenImporter, ModuleSpec, PathFinder
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from simlib import Cloud
from simlib.lab import display, missing_names


class WithoutMatplotlib:
    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        return None if name == "matplotlib" else PathFinder.find_spec(name, path, target)


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    shell = InteractiveShell(user_ns={"Cloud": Cloud})
    with monkeypatch.context() as browser:
        browser.setattr(threading.Thread, "start", threading.Thread.start)  # for its own to come back afterwards
        browser.setattr(subprocess.Popen, "__init__", subprocess.Popen.__init__)
        browser.setattr(sys, "meta_path", [BuiltinImporter, FrozenImporter, WithoutMatplotlib])
        for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
            browser.delitem(sys.modules, name)
        browser.setattr(sys, "platform", "emscripten")
        display.install(shell)
        missing_names.install(shell)
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
        ("import matplotlib.pyplot", "matplotlib, which draws figures to save and print, is not part of this site."),
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


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("import threading\nthreading.Thread(target=print).start()", RuntimeError),
        ("import subprocess\nsubprocess.run(['aws', 's3', 'ls'])", OSError),
        ("import matplotlib", ModuleNotFoundError),
    ],
)
def test_who_is_prepared_for_pythons_own_error_still_catches_it(
    shell: Any, capsys: pytest.CaptureFixture[str], cell: str, kind: type[Exception]
) -> None:
    assert isinstance(shell.run_cell(cell).error_in_exec, kind)


def test_every_other_error_keeps_its_traceback(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run_cell("raise RuntimeError('of my own')")
    assert "Traceback (most recent call last)" in "".join(capsys.readouterr())
