"""What runs in a Lambda function's own process: its handler is imported and called, and what comes of it written down.

Nothing here but the standard library; `python function_handler.py` reads a `Task` as JSON from its standard input.
https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TASK = "/var/task"  # where a function's code lies in AWS


@dataclass(frozen=True)
class Task:
    """A run: the handler's name, the event, and what the handler's context tells.

    `folder` is that of the code, `result` the file into which the result goes: `[payload, failed]`.
    """

    handler: str
    event: Any
    request_id: str
    name: str
    version: str
    arn: str
    memory: int
    timeout: int
    log_group: str
    log_stream: str
    folder: str = ""
    result: str = ""


class Context:
    """The second argument of a handler, https://docs.aws.amazon.com/lambda/latest/dg/python-context.html"""

    def __init__(self, task: Task) -> None:
        self.function_name, self.function_version = task.name, task.version
        self.invoked_function_arn, self.memory_limit_in_mb = task.arn, str(task.memory)
        self.aws_request_id = task.request_id
        self.log_group_name, self.log_stream_name = task.log_group, task.log_stream
        self.identity = self.client_context = None
        self._end = time.monotonic() + task.timeout

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._end - time.monotonic()) * 1000))


class _Failure(Exception):
    """An error of the runtime itself, by AWS's name for it."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def timed_out(task: Task) -> dict[str, str]:
    text = f"RequestId: {task.request_id} Error: Task timed out after {task.timeout}.00 seconds"
    return {"errorType": "Sandbox.Timedout", "errorMessage": text}


def call(task: Task, begin: Callable[[], None] = lambda: None) -> tuple[str, bool]:
    """Import and call the handler; the payload, and whether it is an error, which is printed, too.

    `begin` is called in between: what a module does while it is imported is not held against the function's timeout.
    """
    try:
        handler = _handler(task.handler)
        begin()
        return _marshalled(handler(task.event, Context(task))), False
    except (Exception, SystemExit) as error:
        report = _report(error, Path(task.folder), task.request_id)
        trace = "\n".join(report.get("stackTrace", ()))
        print(f"[ERROR] {report['errorType']}: {report['errorMessage']}\n{trace}".rstrip())
        return json.dumps(report), True


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


def _marshalled(result: Any) -> str:
    try:
        return json.dumps(result)
    except (TypeError, ValueError) as error:
        raise _Failure("Runtime.MarshalError", f"Unable to marshal response: {error}") from error


def _report(error: BaseException, folder: Path, request_id: str) -> dict[str, Any]:
    """An exception as Lambda's answer tells of it, without this module's own frames."""
    if isinstance(error, SystemExit):
        message = f"RequestId: {request_id} Error: Runtime exited with error: exit status {error.code or 0}"
        return {"errorMessage": message, "errorType": "Runtime.ExitError"}
    if isinstance(error, _Failure):
        return {"errorMessage": str(error), "errorType": error.kind, "requestId": request_id, "stackTrace": []}
    frames = traceback.extract_tb(error.__traceback__)
    theirs = next((i for i, frame in enumerate(frames) if frame.filename.startswith(str(folder))), len(frames))
    lines = [line.replace(str(folder), TASK) for line in traceback.format_list(frames[theirs:])]
    kind = type(error).__name__
    return {"errorMessage": str(error), "errorType": kind, "requestId": request_id, "stackTrace": lines}


def _main() -> None:
    task = Task(**json.load(sys.stdin))
    sys.path.insert(0, task.folder)
    logging.basicConfig(format="[%(levelname)s]\t%(message)s", stream=sys.stdout)

    def finish(payload: str, failed: bool) -> None:
        Path(task.result).write_text(json.dumps([payload, failed]), encoding="utf-8")
        sys.stdout.flush()
        os._exit(0)

    def expire() -> None:
        report = timed_out(task)
        print(report["errorMessage"])
        finish(json.dumps(report), True)

    timer = threading.Timer(task.timeout, expire)
    timer.daemon = True
    finish(*call(task, timer.start))


if __name__ == "__main__":
    _main()
