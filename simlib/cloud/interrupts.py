"""Ctrl-C and the notebook's stop button: what must not be left half done is finished first."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let an interruption wait until the end of the block, and have its effect there; a second one does not wait."""
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler) or threading.current_thread() is not threading.main_thread():
        yield  # nobody here is interrupted
        return
    waiting: list[FrameType | None] = []

    def wait(number: int, frame: FrameType | None) -> None:
        if waiting:
            handler(number, frame)
        waiting.append(frame)

    signal.signal(signal.SIGINT, wait)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if waiting:
            handler(signal.SIGINT, waiting[0])


class Undo:
    """What is to be undone, the last first; an interruption leaves the rest, and what it cut short, for the next time.

    So each step must bear being done twice.
    """

    def __init__(self) -> None:
        self._steps: list[Callable[[], Any]] = []

    def callback(self, step: Callable[..., Any], *arguments: Any) -> None:
        self._steps.append(partial(step, *arguments))

    def close(self) -> None:
        """Undo everything; the first error is raised when all is done."""
        errors: list[Exception] = []
        while self._steps:
            try:
                self._steps[-1]()
            except Exception as error:
                errors.append(error)
            self._steps.pop()
        if errors:
            raise errors[0]
