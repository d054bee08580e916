"""The Python runtime of AWS Lambda, in this process: unpack a function's code, run its handler, catch what it says.

Every run is a cold start, so nothing is kept between two; no time limit is kept either. Environment variables, output
and imports belong to the process, and so only one function runs at a time: a second waits as long as its own timeout,
and is then told that there are too many (a choice: AWS runs a thousand).
https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import logging
import os
import sys
import threading
import time
import traceback
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any
from unittest.mock import patch

import boto3

TASK = "/var/task"  # where a function's code lies in AWS
_ONE_AT_A_TIME = threading.RLock()


class TooMany(Exception):
    """Another function is running and did not end in time."""


@dataclass(frozen=True, slots=True)
class Function:
    """What is to be run: code as a zip file, the handler's name, and what the handler finds around it."""

    code: bytes
    handler: str
    environment: Mapping[str, str]
    name: str
    version: str
    arn: str
    memory: int
    timeout: int
    log_group: str
    log_stream: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run left: the payload it answers with, whether that is an error, and its log."""

    payload: bytes
    failed: bool
    log: str


class Context:
    """The second argument of a handler, https://docs.aws.amazon.com/lambda/latest/dg/python-context.html"""

    def __init__(self, function: Function, request_id: str) -> None:
        self.function_name, self.function_version = function.name, function.version
        self.invoked_function_arn, self.memory_limit_in_mb = function.arn, str(function.memory)
        self.aws_request_id = request_id
        self.log_group_name, self.log_stream_name = function.log_group, function.log_stream
        self.identity = self.client_context = None
        self._end = time.monotonic() + function.timeout

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._end - time.monotonic()) * 1000))


class _Failure(Exception):
    """An error of the runtime itself, by AWS's name for it."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def run(function: Function, event: Any, request_id: str) -> Outcome:
    """Run a function once; raises `TooMany`, and nothing that the function raises."""
    if not _ONE_AT_A_TIME.acquire(timeout=function.timeout):
        raise TooMany
    try:
        with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            return _run_in(Path(folder).resolve(), function, event, request_id)
    finally:
        _ONE_AT_A_TIME.release()


def _run_in(folder: Path, function: Function, event: Any, request_id: str) -> Outcome:
    started = time.monotonic()
    failed = False
    with zipfile.ZipFile(io.BytesIO(function.code)) as archive:
        archive.extractall(folder)
    with _surroundings(folder, function.environment), _written() as log:
        print(f"START RequestId: {request_id} Version: {function.version}")
        try:
            result: Any = _handler(function.handler)(event, Context(function, request_id))
            payload = _marshalled(result)
        except (Exception, SystemExit) as error:
            failed = True
            told = _told(error, folder, request_id)
            payload = json.dumps(told).encode()
            trace = "\n".join(told.get("stackTrace", ()))
            print(f"[ERROR] {told['errorType']}: {told['errorMessage']}\n{trace}".rstrip())
        milliseconds = (time.monotonic() - started) * 1000
        print(f"END RequestId: {request_id}")
        print(f"REPORT RequestId: {request_id}\tDuration: {milliseconds:.2f} ms\tMemory Size: {function.memory} MB")
    return Outcome(payload, failed, log.getvalue())


def _handler(name: str) -> Any:
    """The function that "module.function" names."""
    place, dot, attribute = name.rpartition(".")
    if not dot:
        raise _Failure("Runtime.MalformedHandlerName", f"Bad handler '{name}': not enough values to unpack")
    try:
        module = importlib.import_module(place.replace("/", "."))
    except ImportError as error:
        raise _Failure("Runtime.ImportModuleError", f"Unable to import module '{place}': {error}") from error
    except SyntaxError as error:
        raise _Failure("Runtime.UserCodeSyntaxError", f"Syntax error in module '{place}': {error}") from error
    if not hasattr(module, attribute):
        raise _Failure("Runtime.HandlerNotFound", f"Handler '{attribute}' missing on module '{place}'")
    return getattr(module, attribute)


def _marshalled(result: Any) -> bytes:
    try:
        return json.dumps(result).encode()
    except (TypeError, ValueError) as error:
        raise _Failure("Runtime.MarshalError", f"Unable to marshal response: {error}") from error


def _told(error: BaseException, folder: Path, request_id: str) -> dict[str, Any]:
    """An exception as Lambda's answer tells of it, without this module's own frames."""
    if isinstance(error, SystemExit):
        message = f"RequestId: {request_id} Error: Runtime exited with error: exit status {error.code or 0}"
        return {"errorMessage": message, "errorType": "Runtime.ExitError"}
    if isinstance(error, _Failure):
        return {"errorMessage": str(error), "errorType": error.kind, "requestId": request_id, "stackTrace": []}
    frames = traceback.extract_tb(error.__traceback__)
    theirs = next((i for i, frame in enumerate(frames) if frame.filename.startswith(str(folder))), len(frames))
    lines = [line.replace(str(folder), TASK) for line in traceback.format_list(frames[theirs:])]
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "requestId": request_id,
        "stackTrace": lines,
    }


@contextlib.contextmanager
def _surroundings(folder: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """The process as a function of AWS would find it: its variables, no AWS session yet, its own modules."""
    own = {path.stem for path in folder.iterdir()}
    before = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in own}
    with (
        patch.dict(os.environ, dict(environment)),
        patch.object(boto3, "DEFAULT_SESSION", None),
        patch.object(sys, "path", [str(folder), *sys.path]),
        patch.object(sys, "dont_write_bytecode", True),
    ):
        for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
            os.environ.pop(name, None)
        for name in before:  # a notebook's module of the same name is another one
            del sys.modules[name]
        importlib.invalidate_caches()
        try:
            yield
        finally:
            for name, module in list(sys.modules.items()):
                if _lies_in(module, folder):
                    del sys.modules[name]
            sys.modules.update(before)


def _lies_in(module: ModuleType, folder: Path) -> bool:
    return str(getattr(module, "__file__", None) or "").startswith(str(folder))


@contextlib.contextmanager
def _written() -> Iterator[io.StringIO]:
    """Everything printed and logged meanwhile."""
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    handler.setFormatter(logging.Formatter("[%(levelname)s]\t%(message)s"))
    root = logging.getLogger()
    others, root.handlers = root.handlers, [handler]
    level = root.level
    try:
        with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
            yield log
    finally:
        root.handlers = others
        root.setLevel(level)
