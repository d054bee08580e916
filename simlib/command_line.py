"""How a command of the lab ends: with a status, and never in a traceback for what its user did."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable


def status_of(command: Callable[[], int]) -> int:
    """Run a command; its exit status, 130 after Ctrl+C, 2 where a file cannot be opened, which is then named."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a Windows console may not be able to write what a sentence holds
            stream.reconfigure(errors="backslashreplace")
    try:
        status = command()
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # whoever read the answers has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if error.filename is None:
            raise
        print(f"{error.filename} cannot be opened: {error.strerror}.", file=sys.stderr)
        return 2
    return status
