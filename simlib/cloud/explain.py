"""Why a call was refused, in a learner's words."""

from __future__ import annotations

from dataclasses import dataclass

from simlib.cloud.event import Event
from simlib.cloud.transport.refusals import TABLE
from simlib.iam import Evaluation


def in_words(evaluation: Evaluation) -> str:
    """A decision explained, with a hint where it was a no."""
    return "\n".join(filter(None, (evaluation.explain(), evaluation.hint())))


@dataclass(frozen=True, slots=True)
class Explanation:
    """A refusal explained; print it, or read `event` and its `evaluations`."""

    event: Event | None

    @property
    def authorization_id(self) -> str:
        """What `iam-toolbox` answers for; "" where AWS gives none."""
        return self.event.authorization_id if self.event else ""

    def __str__(self) -> str:
        event = self.event
        if event is None:
            return "Nothing has been refused so far."
        denied = next((evaluation for evaluation in event.evaluations if not evaluation.allowed), None)
        if denied is not None and event.situation != "no-such-role":
            return in_words(denied)
        head = f"{event.who} asked for {event.action} on {event.resource}."
        answer = f"AWS said: {event.error_code}: {event.error_message}" if event.error_code else ""
        if event.situation:
            reason = TABLE[event.situation]["words"]
        else:
            reason = (
                "The policies allowed this." if event.decision == "ALLOW" else "No policy refused this; the rules did."
            )
        return "\n".join(filter(None, (head, reason, event.detail, answer)))

    __repr__ = __str__
