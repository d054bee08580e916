"""The Python runtime of AWS Lambda: a function's code is unpacked and run, and what it answers and prints is kept.

Every run is a cold start in a process of its own, which shares nothing with this one and keeps real time; it ends with
the function's timeout. A browser has one process alone: there the function runs in it, and nothing ends it. A few
run at once; one more waits as long as its own timeout, and is then told that there are too many (a choice: AWS runs a
thousand).
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import logging
import os
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from simlib.cloud import ambient
from simlib.cloud.browser import in_browser
from simlib.cloud.services import function_handler
from simlib.cloud.services.function_handler import Task

_AT_ONCE = threading.BoundedSemaphore(10)
_START_SECONDS = 60  # of the process; the timeout counts from then on


class TooMany(Exception):
    """Other functions are running and did not end in time."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run left: the payload it answers with, whether that is an error, and its log."""

    payload: bytes
    failed: bool
    log: str


def run(task: Task, code: bytes, environment: Mapping[str, str]) -> Outcome:
    """Run a function's code, a zip file, once; raises `TooMany`, and nothing that the function raises."""
    if not _AT_ONCE.acquire(timeout=task.timeout):
        raise TooMany
    try:
        with TemporaryDirectory(ignore_cleanup_errors=True) as name, zipfile.ZipFile(io.BytesIO(code)) as archive:
            folder = Path(name).resolve()
            archive.extractall(folder / "task")
            here = replace(task, folder=str(folder / "task"), result=str(folder / "result"))
            started = time.monotonic()
            work = _in_this_process if in_browser() else _in_its_own_process
            payload, failed, log = work(here, environment, folder)
    finally:
        _AT_ONCE.release()
    milliseconds, of_request = (time.monotonic() - started) * 1000, f"RequestId: {task.request_id}"
    report = f"REPORT {of_request}\tDuration: {milliseconds:.2f} ms\tMemory Size: {task.memory} MB"
    lines = [f"START {of_request} Version: {task.version}", *log.splitlines(), f"END {of_request}", report]
    return Outcome(payload.encode(), failed, "\n".join(lines) + "\n")


def _in_its_own_process(task: Task, environment: Mapping[str, str], folder: Path) -> tuple[str, bool, str]:
    command = [sys.executable, "-P", "-B", "-X", "utf8", function_handler.__file__]
    log = folder / "log"
    with log.open("wb") as output, contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(
            command, input=json.dumps(asdict(task)).encode(), stdout=output, stderr=output, cwd=task.folder,
            env={**ambient.machine(folder), **ambient.of_the_lab(), **environment}, check=False,
            timeout=_START_SECONDS + task.timeout,
        )  # fmt: skip
    text = log.read_text("utf-8", "replace")
    try:
        payload, failed = json.loads(Path(task.result).read_text("utf-8"))
    except (OSError, ValueError):  # it ended itself, or was ended from outside
        error = f"RequestId: {task.request_id} Error: Runtime exited without providing a reason"
        payload, failed = json.dumps({"errorType": "Runtime.ExitError", "errorMessage": error}), True
    return payload, failed, text


def _in_this_process(task: Task, environment: Mapping[str, str], folder: Path) -> tuple[str, bool, str]:
    with _surroundings(Path(task.folder), environment), _written() as log:
        payload, failed = function_handler.call(task)
    return payload, failed, log.getvalue()


@contextlib.contextmanager
def _surroundings(folder: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """The process as a function of AWS would find it: its variables, no AWS session yet, its own modules."""
    boto3 = importlib.import_module("boto3")
    own = {path.stem for path in folder.iterdir()}
    before = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in own}
    unset = {name: value for name, value in os.environ.items() if name not in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")}
    with (
        patch.dict(os.environ, {**unset, **environment}, clear=True),
        patch.object(boto3, "DEFAULT_SESSION", None),
        patch.object(sys, "path", [str(folder), *sys.path]),
        patch.object(sys, "dont_write_bytecode", True),
    ):
        for name in before:  # a notebook's module of the same name is another one
            del sys.modules[name]
        importlib.invalidate_caches()
        try:
            yield
        finally:
            for name, module in list(sys.modules.items()):
                if str(getattr(module, "__file__", None) or "").startswith(str(folder)):
                    del sys.modules[name]
            sys.modules.update(before)


@contextlib.contextmanager
def _written() -> Iterator[io.StringIO]:
    """Everything printed and logged meanwhile."""
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    handler.setFormatter(logging.Formatter("[%(levelname)s]\t%(message)s"))
    root = logging.getLogger()
    with (
        patch.object(root, "handlers", [handler]),
        patch.object(root, "level", root.level),
        contextlib.redirect_stdout(log),
        contextlib.redirect_stderr(log),
    ):
        yield log
