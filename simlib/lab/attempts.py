"""Trying a call whose outcome is in question: AWS's answer in one line instead of a stack trace."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from .markup import card, escape, table, verdict, verdict_text

_ENCODED = re.compile(r"(Encoded authorization failure message: .{12})\S+")


@dataclass(frozen=True)
class Attempt:
    """One call and what came of it. `answer` is AWS's answer, `error` the exception boto3 raised instead."""

    operation: str
    answer: Mapping[str, Any] | None = None
    error: ClientError | BotoCoreError | None = None

    @property
    def allowed(self) -> bool:
        """Whether AWS carried it out."""
        return self.error is None

    @property
    def code(self) -> str:
        """AWS's error code ("AccessDenied"), or the SDK's own; empty when allowed."""
        if isinstance(self.error, ClientError):
            return str(self.error.response["Error"]["Code"])
        return "" if self.error is None else type(self.error).__name__

    @property
    def message(self) -> str:
        """AWS's words; empty when allowed."""
        if isinstance(self.error, ClientError):
            return str(self.error.response["Error"]["Message"])
        return "" if self.error is None else str(self.error)

    def __getitem__(self, name: str) -> Any:
        """A part of AWS's answer; an attempt that was refused raises what boto3 raised."""
        if self.error is not None:
            raise self.error
        return (self.answer or {})[name]

    def __contains__(self, name: object) -> bool:
        return name in (self.answer or {})

    @property
    def _said(self) -> str:
        """AWS's words without the thousands of letters that only DecodeAuthorizationMessage can read."""
        return _ENCODED.sub(r"\1…", self.message)

    def __str__(self) -> str:
        line = f"{verdict_text(self.allowed)}  {self.operation}"
        return line if self.allowed else f"{line}\n  {self.code}: {self._said}"

    __repr__ = __str__

    def _html(self) -> str:
        said = "" if self.allowed else f"<br><code>{escape(self.code)}</code>: {escape(self._said)}"
        return f"{verdict(self.allowed)} <code>{escape(self.operation)}</code>{said}"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": card(f"<p>{self._html()}</p>")}


def attempt(call: Callable[..., Any], **parameters: Any) -> Attempt:
    """Make a boto3 call: `attempt(s3.list_objects_v2, Bucket="b")`. A refusal becomes a value, not a stack trace.

    Only AWS's and the SDK's own errors are caught; a mistake in the code still raises, `TypeError` where the call has
    been made already.
    """
    if not callable(call):
        raise TypeError("attempt() makes the call by itself: write attempt(iam.list_users), and not iam.list_users().")
    operation = str(getattr(call, "__name__", call))
    try:
        return Attempt(operation, answer=call(**parameters))
    except (ClientError, BotoCoreError) as error:
        return Attempt(operation, error=error)


@dataclass(frozen=True)
class Comparison:
    """Several attempts under each other, each with a name."""

    attempts: Mapping[str, Attempt]

    def __getitem__(self, name: str) -> Attempt:
        return self.attempts[name]

    def __str__(self) -> str:
        width = max(map(len, self.attempts), default=0)
        return "\n".join(f"{name:<{width}}  {attempt}" for name, attempt in self.attempts.items())

    __repr__ = __str__

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        rows = [[escape(name), attempt._html()] for name, attempt in self.attempts.items()]
        return {"text/plain": str(self), "text/html": card(table(["Attempt", "AWS's answer"], rows))}


def compare(attempts: Mapping[str, Attempt]) -> Comparison:
    """Attempts side by side: `compare({"today": attempt(…), "tomorrow": attempt(…)})`."""
    return Comparison(dict(attempts))
