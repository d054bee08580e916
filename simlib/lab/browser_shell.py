"""An IPython shell in a browser: what it cannot do – `!`, `%%bash`, threads, programs – it says in a sentence.

The error itself carries the sentence, from the place where Python would raise its own. IPython keeps one handler of
errors at a time, which others set too.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

from simlib.cloud.browser import not_in_browser

_SHELLS = ("!", "bash", "cmd", "script", "sh", "sx", "system")  # magics that start one


def no_shell(*_asked: Any, **_more: Any) -> None:
    """What `!aws …` and `%%bash` come to."""
    raise not_in_browser(
        'There is no shell in a browser. The AWS CLI runs inside Python: dev.admin.run("aws s3 ls"), or .run("aws …") '
        "of a machine."
    )


def no_thread(_thread: threading.Thread) -> None:
    raise not_in_browser("A browser gives Python one thread, so no other can be started.")


def no_program(_popen: subprocess.Popen[Any], *_asked: Any, **_more: Any) -> None:
    raise not_in_browser("A browser starts no other programs.", OSError)


class NoMatplotlib:
    """Asked for a module last, when nothing else has found it."""

    @staticmethod
    def find_spec(name: str, _path: object = None, _target: object = None) -> None:
        if name == "matplotlib":
            sentence = "matplotlib, which draws figures to save and print, is not part of this site."
            raise not_in_browser(sentence, ModuleNotFoundError)


def install(shell: Any) -> None:
    """Let this Python and its IPython shell say so."""
    threading.Thread.start = no_thread  # type: ignore[method-assign]
    subprocess.Popen.__init__ = no_program  # type: ignore[method-assign]
    if NoMatplotlib not in sys.meta_path:
        sys.meta_path.append(NoMatplotlib)
    shell.system = shell.getoutput = no_shell
    for kind, magics in shell.magics_manager.magics.items():
        for name in {*_SHELLS} & {*magics}:
            shell.register_magic_function(no_shell, kind, name)
