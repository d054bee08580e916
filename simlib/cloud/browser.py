"""A browser: in JupyterLite Python runs inside a page, as WebAssembly, without sockets, other processes and threads.

What a lesson needs works without them; what cannot, asks here and says so in a sentence.
"""

from __future__ import annotations

import sys
from typing import Any


def in_browser() -> bool:
    """Whether this Python runs in a browser."""
    return sys.platform == "emscripten"


def not_in_browser(sentence: str, kind: type[Exception] = RuntimeError) -> Exception:
    """The error to raise at what is not to be had in a browser. A notebook shows the sentence alone, no traceback.

    `kind` is what Python itself raises there, so that who is prepared for that still catches it.
    """
    text = f"{sentence} On your own machine the lab can do it: python3 lab.py."
    error: Any = kind(text)
    error._render_traceback_ = lambda: [text]  # IPython asks an error for it
    return error  # type: ignore[no-any-return]
