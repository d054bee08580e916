"""Trying a call whose outcome is in question: who, what, on what, and AWS's answer in a line, not a stack trace."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from simlib.cloud.event import Event
from simlib.cloud.explain import Explanation

from . import answer_summary
from .look import SIGNS, fold, icon, verdict
from .markup import outline
from .page import Html, Part, code, el, name
from .panel import Displayable
from .trail_table import principal_name

_ENCODED = re.compile(r"(Encoded authorization failure message: .{12})\S+")


@dataclass(frozen=True, repr=False)
class Attempt(Displayable):
    """One call and what came of it. `answer` is AWS's answer, `error` the exception boto3 raised instead; `who`, `what`
    and `target` are as the trail has them, empty where no call was sent."""

    operation: str
    answer: Mapping[str, Any] | None = None
    error: ClientError | BotoCoreError | None = None
    who: str = ""
    what: str = ""
    target: str = ""
    summary: str = ""
    event: Event | None = field(default=None, repr=False)

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

    @property
    def outcome(self) -> str:
        """ "Allowed", "Refused", or how it failed otherwise: "Not there", "Conflict", "Invalid request", "Not sent"."""
        if self.error is None:
            return "Allowed"
        return answer_summary.outcome_word(self.code) if isinstance(self.error, ClientError) else "Not sent"

    def __getitem__(self, name: str) -> Any:
        """A part of AWS's answer; an attempt that was refused raises what boto3 raised."""
        if self.error is not None:
            raise self.error
        return (self.answer or {})[name]

    def __contains__(self, name: object) -> bool:
        return name in (self.answer or {})

    def page(self) -> Part:
        return el("section.sl-card", self.part())

    def part(self, heading: str = "") -> Part:
        """The call and its outcome; then a summary of the answer, or AWS's own words and why. In text the verdict comes
        first: a terminal has no right side."""
        shape = {"Allowed": "yes", answer_summary.REFUSED: "no"}.get(self.outcome, "failed")
        what, to = self.what or self.operation, icon("to", "sl-to")
        call = [code(what), *([to, code(self.target)] if self.target else [])]
        who = [el("span.sl-who", el("span", name(self.who))), to] if self.who else []
        first_line = [heading, f"{SIGNS[shape]['text']} {self.outcome}", self.who, what, self.target]
        line = el(
            "div.sl-call-line", *who, *call, verdict(shape, self.outcome), text="  ".join(filter(None, first_line))
        )
        below: list[Part] = [el("p.sl-gist", self.summary, text=f"  {self.summary}")] if self.summary else []
        if self.error is not None:
            words = _ENCODED.sub(r"\1…", self.message)  # the rest only DecodeAuthorizationMessage can read
            below = [el("div.sl-said.sl-quiet", el("b", self.code), f": {words}", text=f"  {self.code}: {words}")]
        if self.outcome == answer_summary.REFUSED and self.event is not None:
            why = Html(outline(Explanation(self.event).reason))
            below.append(fold("Why?", why, key=self.event.request_id, text=""))
        return el("div.sl-attempt", el("p.sl-eyebrow", heading, text="") if heading else None, line, *below)


def attempt(call: Callable[..., Any], **parameters: Any) -> Attempt:
    """Make a boto3 call: `attempt(s3.list_objects_v2, Bucket="b")`. A refusal becomes a value, not a stack trace.

    Only AWS's and the SDK's own errors are caught; a mistake in the code still raises, `TypeError` where the call has
    been made already.
    """
    from simlib.cloud import Cloud

    if not callable(call):
        raise TypeError("attempt() makes the call by itself: write attempt(iam.list_users), and not iam.list_users().")
    operation = str(getattr(call, "__name__", call))
    before = Cloud.running.trail.total if Cloud.running else 0
    answer = error = None
    try:
        answer = call(**parameters)
    except (ClientError, BotoCoreError) as problem:
        error = problem
    events = Cloud.running.trail.since(before) if Cloud.running else []
    if not events:
        return Attempt(operation, answer, error, summary=answer_summary.summary(answer))
    event, account_name = events[-1], Cloud.running.account_name
    who, target = principal_name(event.who, account_name), _target(event, account_name)
    return Attempt(operation, answer, error, who, event.action, target, answer_summary.summary(answer), event)


def _target(event: Event, account_name: Callable[[str], str]) -> str:
    """What the call was about: an ARN without what is the same in all of them, with the account where it is another."""
    parts = event.resource.split(":", 5)
    if len(parts) < 6:
        return event.resource.strip("*")
    elsewhere = parts[4] and event.who.split(":")[4:5] != [parts[4]]
    return f"{parts[5]} ({account_name(parts[4])})" if elsewhere else parts[5]


@dataclass(frozen=True, repr=False)
class Comparison(Displayable):
    """Several attempts under each other, each with a name."""

    attempts: Mapping[str, Attempt]

    def __getitem__(self, name: str) -> Attempt:
        return self.attempts[name]

    def page(self) -> Part:
        width = max(map(len, self.attempts), default=0)
        return el("section.sl-card", [each.part(f"{name:<{width}}") for name, each in self.attempts.items()])


def compare(attempts: Mapping[str, Attempt]) -> Comparison:
    """Attempts side by side: `compare({"today": attempt(…), "tomorrow": attempt(…)})`."""
    return Comparison(dict(attempts))
