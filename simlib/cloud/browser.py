"""A browser: in JupyterLite Python runs inside a page, as WebAssembly, without sockets, other processes and threads.

What a lesson needs works without them; what cannot, asks here and says so in a sentence.
"""

from __future__ import annotations

import sys


def in_browser() -> bool:
    """Whether this Python runs in a browser."""
    return sys.platform == "emscripten"


class NotInBrowser(RuntimeError):
    """What was asked for is not to be had in a browser. A notebook shows the sentence alone, without a traceback."""

    def __init__(self, sentence: str) -> None:
        super().__init__(f"{sentence} On your own machine the lab can do it: python3 lab.py.")

    def _render_traceback_(self) -> list[str]:
        return [str(self)]
