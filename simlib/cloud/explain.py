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

    @property
    def reason(self) -> str:
        """Why, for whoever has read AWS's answer already."""
        event = self.event
        if event is None:
            return "Nothing has been refused so far."
        if (denied := self._denied) is not None:
            return in_words(denied)
        head = f"{event.who} asked for {event.action} on {event.resource}."
        if event.situation:
            reason = TABLE[event.situation]["words"]
        else:
            reason = (
                "The policies allowed this." if event.decision == "ALLOW" else "No policy refused this; the rules did."
            )
        return "\n".join(filter(None, (head, reason, event.detail)))

    @property
    def _denied(self) -> Evaluation | None:
        """The decision that explains it, which AWS's answer would only repeat."""
        asked = self.event.evaluations if self.event and self.event.situation != "no-such-role" else ()
        return next((each for each in asked if not each.allowed), None)

    def __str__(self) -> str:
        event = self.event
        if event is None or not event.error_code or self._denied is not None:
            return self.reason
        return f"{self.reason}\nAWS said: {event.error_code}: {event.error_message}"

    __repr__ = __str__
