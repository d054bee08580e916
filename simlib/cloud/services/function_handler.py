"""What runs in a Lambda function's own process: its handler is imported and called, and what comes of it written down.

Nothing here but the standard library. `python function_handler.py` reads a task as JSON from its standard input:
`event`, `request_id`, `arn`, `timeout` in seconds, the `folder` of the code, and the file for the `result`, into which
goes `[payload, failed]`. The rest is in the environment, by the names that AWS gives it.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
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
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

TASK = "/var/task"  # where a function's code lies in AWS
_OF_ENVIRONMENT = {"function_name": "FUNCTION_NAME", "function_version": "FUNCTION_VERSION",
                   "memory_limit_in_mb": "FUNCTION_MEMORY_SIZE", "log_group_name": "LOG_GROUP_NAME",
                   "log_stream_name": "LOG_STREAM_NAME"}  # fmt: skip


class Context:
    """The second argument of a handler, https://docs.aws.amazon.com/lambda/latest/dg/python-context.html"""

    identity = client_context = None

    def __init__(self, task: Mapping[str, Any]) -> None:
        self.__dict__ |= {own: os.environ[f"AWS_LAMBDA_{name}"] for own, name in _OF_ENVIRONMENT.items()}
        self.invoked_function_arn, self.aws_request_id = task["arn"], task["request_id"]
        self._end = time.monotonic() + task["timeout"]

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._end - time.monotonic()) * 1000))


class _Failure(Exception):
    """An error of the runtime itself, by AWS's name for it."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = f"Runtime.{kind}"


def call(task: Mapping[str, Any], begin: Callable[[], None] = lambda: None) -> tuple[str, bool]:
    """Import and call the handler; the payload, and whether it is an error, which is printed, too.

    `begin` is called in between: what a module does while it is imported is not held against the function's timeout.
    """
    try:
        handler = _handler(os.environ["_HANDLER"])
        begin()
        result = handler(task["event"], Context(task))
        try:
            return json.dumps(result), False
        except (TypeError, ValueError) as error:
            raise _Failure("MarshalError", f"Unable to marshal response: {error}") from error
    except (Exception, SystemExit) as error:
        report = _report(error, task["folder"], task["request_id"])
        trace = "\n".join(report.get("stackTrace", ()))
        print(f"[ERROR] {report['errorType']}: {report['errorMessage']}\n{trace}".rstrip())
        return json.dumps(report), True


def _handler(name: str) -> Any:
    """The function that "module.function" names."""
    place, dot, attribute = name.rpartition(".")
    if not dot:
        raise _Failure("MalformedHandlerName", f"Bad handler '{name}': not enough values to unpack")
    try:
        return getattr(importlib.import_module(place.replace("/", ".")), attribute)
    except ImportError as error:
        raise _Failure("ImportModuleError", f"Unable to import module '{place}': {error}") from error
    except SyntaxError as error:
        raise _Failure("UserCodeSyntaxError", f"Syntax error in module '{place}': {error}") from error
    except AttributeError as error:
        if error.name != attribute:  # raised by the module itself
            raise
        raise _Failure("HandlerNotFound", f"Handler '{attribute}' missing on module '{place}'") from error


def _report(error: BaseException, folder: str, request_id: str) -> dict[str, Any]:
    """An exception as Lambda's answer tells of it, without this module's own frames."""
    if isinstance(error, SystemExit):
        message = f"RequestId: {request_id} Error: Runtime exited with error: exit status {error.code or 0}"
        return {"errorMessage": message, "errorType": "Runtime.ExitError"}
    kind, lines = type(error).__name__, []
    if isinstance(error, _Failure):
        kind = error.kind
    else:
        frames = traceback.extract_tb(error.__traceback__)
        theirs = next((i for i, frame in enumerate(frames) if frame.filename.startswith(folder)), len(frames))
        lines = [line.replace(folder, TASK) for line in traceback.format_list(frames[theirs:])]
    return {"errorMessage": str(error), "errorType": kind, "requestId": request_id, "stackTrace": lines}


def _main() -> None:
    task = json.load(sys.stdin)
    sys.path.insert(0, task["folder"])
    logging.basicConfig(format="[%(levelname)s]\t%(message)s", stream=sys.stdout)

    def finish(payload: str, failed: bool) -> None:
        Path(task["result"]).write_text(json.dumps([payload, failed]), encoding="utf-8")
        sys.stdout.flush()
        os._exit(0)

    def expire() -> None:
        text = f"RequestId: {task['request_id']} Error: Task timed out after {task['timeout']}.00 seconds"
        print(text)
        finish(json.dumps({"errorType": "Sandbox.Timedout", "errorMessage": text}), True)

    timer = threading.Timer(task["timeout"], expire)
    timer.daemon = True
    finish(*call(task, timer.start))


if __name__ == "__main__":
    _main()
