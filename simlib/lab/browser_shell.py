"""An IPython shell in a browser: what it cannot do – `!`, `%%bash`, threads, programs – it says in a sentence."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from simlib.cloud.browser import NotInBrowser

_SHELLS = ("!", "bash", "cmd", "script", "sh", "sx", "system")  # magics that start one


def no_shell(*_asked: Any, **_more: Any) -> None:
    """What `!aws …` and `%%bash` come to."""
    raise NotInBrowser(
        'There is no shell in a browser. The AWS CLI runs inside Python: dev.admin.run("aws s3 ls"), or .run("aws …") '
        "of a machine."
    )


def explained(error: BaseException) -> BaseException:
    """Python's own error at what a browser does not have, as a sentence; any other error as it is."""
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return NotInBrowser("A browser gives Python one thread, so no other can be started.")
    if isinstance(error, OSError) and "does not support processes" in str(error):
        return NotInBrowser("A browser starts no other programs.")
    if isinstance(error, ModuleNotFoundError) and error.name == "matplotlib":
        return NotInBrowser("matplotlib, which draws figures to save and print, is not part of this site.")
    return error


def teach(shell: Any) -> None:
    """Let an IPython shell say so."""

    def show(shell: Any, _kind: type, error: BaseException, trace: TracebackType, tb_offset: int | None = None) -> None:
        told = explained(error)
        shell.showtraceback((type(told), told, trace), tb_offset=tb_offset)

    shell.set_custom_exc((RuntimeError, OSError, ModuleNotFoundError), show)
    shell.system = shell.getoutput = no_shell
    for kind, magics in shell.magics_manager.magics.items():
        for name in {*_SHELLS} & {*magics}:
            shell.register_magic_function(no_shell, kind, name)
