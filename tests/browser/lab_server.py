"""A Jupyter server for a browser test, in this Python, until whoever started it closes our standard input or dies.

python lab_server.py OPTIONS…
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from importlib import import_module


def end_with_parent() -> None:
    sys.stdin.buffer.read()  # returns when the other end is closed, also by a crash
    os.kill(os.getpid(), signal.SIGTERM)  # Jupyter then ends its kernels
    time.sleep(10)
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=end_with_parent, daemon=True).start()
    import_module(sys.argv[1]).main(sys.argv[2:])  # Notebook and Voilà are extensions of JupyterLab's server
