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
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from unittest.mock import patch

import boto3

from simlib.cloud import ambient
from simlib.cloud.browser import in_browser
from simlib.cloud.services import function_handler
from simlib.cloud.transport.answers import Refusal

_AT_ONCE = threading.BoundedSemaphore(10)
_START_SECONDS = 60  # of the process; the timeout counts from then on


class Outcome(NamedTuple):
    """What a run left: the payload it answers with, whether that is an error, and its log."""

    payload: bytes
    failed: bool
    log: str


def zip_archive(source: str) -> bytes:
    """A text of Python as `run` takes it, and Lambda: a zip file with `index.py`; the handler is `index.handler`."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("index.py", source)
    return archive.getvalue()


def run(task: Mapping[str, Any], code: bytes, environment: Mapping[str, str]) -> Outcome:
    """Run a function's code, a zip file, once: a task of `function_handler`, but for its folder and result.

    Raises AWS's `Refusal` where others are running and do not end in time, and nothing that the function raises.
    """
    if not _AT_ONCE.acquire(timeout=task["timeout"]):
        extra = {"Type": "User", "Reason": "ConcurrentInvocationLimitExceeded"}
        raise Refusal("TooManyRequestsException", "Rate Exceeded.", 429, extra)
    try:
        with TemporaryDirectory(ignore_cleanup_errors=True) as name, zipfile.ZipFile(io.BytesIO(code)) as archive:
            folder = Path(name).resolve()
            archive.extractall(folder / "task")
            here = {**task, "folder": str(folder / "task"), "result": str(folder / "result")}
            started = time.monotonic()
            work = _in_this_process if in_browser() else _in_its_own_process
            payload, failed, log = work(here, environment, folder)
    finally:
        _AT_ONCE.release()
    milliseconds, request = (time.monotonic() - started) * 1000, f"RequestId: {task['request_id']}"
    memory = environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
    report = f"REPORT {request}\tDuration: {milliseconds:.2f} ms\tMemory Size: {memory} MB"
    version = environment["AWS_LAMBDA_FUNCTION_VERSION"]
    lines = [f"START {request} Version: {version}", *log.splitlines(), f"END {request}", report]
    return Outcome(payload.encode(), failed, "\n".join(lines) + "\n")


def _in_its_own_process(task: Mapping[str, Any], environment: Mapping[str, str], folder: Path) -> tuple[str, bool, str]:
    command = [sys.executable, "-P", "-B", "-X", "utf8", function_handler.__file__]
    log = folder / "log"
    with log.open("wb") as output, contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(
            command, input=json.dumps(task).encode(), stdout=output, stderr=output, cwd=task["folder"],
            env={**ambient.machine(folder), **ambient.of_the_lab(), **environment}, check=False,
            timeout=_START_SECONDS + task["timeout"],
        )  # fmt: skip
    try:
        payload, failed = json.loads(Path(task["result"]).read_text("utf-8"))
    except (OSError, ValueError):  # it ended itself, or was ended from outside
        error = f"RequestId: {task['request_id']} Error: Runtime exited without providing a reason"
        payload, failed = json.dumps({"errorType": "Runtime.ExitError", "errorMessage": error}), True
    return payload, failed, log.read_text("utf-8", "replace")


def _in_this_process(task: Mapping[str, Any], environment: Mapping[str, str], _: Path) -> tuple[str, bool, str]:
    """With the process as a function of AWS would find it: its variables, no AWS session yet, its own modules."""
    log, logger = io.StringIO(), logging.getLogger()
    handler = logging.StreamHandler(log)
    handler.setFormatter(logging.Formatter("[%(levelname)s]\t%(message)s"))
    with (
        _own_modules(Path(task["folder"])),
        patch.dict(os.environ, environment),
        patch.object(boto3, "DEFAULT_SESSION", None),
        patch.object(logger, "handlers", [handler]),
        patch.object(logger, "level", logger.level),
        contextlib.redirect_stdout(log),
        contextlib.redirect_stderr(log),
    ):
        for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
            os.environ.pop(name, None)
        payload, failed = function_handler.call(task)
    return payload, failed, log.getvalue()


@contextlib.contextmanager
def _own_modules(folder: Path) -> Iterator[None]:
    """Modules of this folder can be imported, also where a notebook's have their names; they leave nothing behind."""
    own = {path.stem for path in folder.iterdir()}
    before = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in own}
    importlib.invalidate_caches()
    with patch.object(sys, "path", [str(folder), *sys.path]), patch.object(sys, "dont_write_bytecode", True):
        try:
            yield
        finally:
            for name, module in list(sys.modules.items()):
                if str(getattr(module, "__file__", None) or "").startswith(str(folder)):
                    del sys.modules[name]
            sys.modules.update(before)
