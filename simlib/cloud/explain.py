"""Why a call was refused, in a learner's words."""

from __future__ import annotations

from dataclasses import dataclass

from simlib.cloud.event import Event
from simlib.iam import Evaluation

# What refused before any policy was read, and what to look at.
_SITUATIONS = {
    "unknown-key": "AWS does not know this access key. It was never issued, has been deleted, or belongs to a world "
    "that is gone. No policy was read.",
    "wrong-secret": "The key is known, but the request was not signed with its secret. No policy was read.",
    "missing-token": "This is a temporary key (ASIA…). It is only good together with its session token, and none was "
    "sent. No policy was read.",
    "wrong-token": "The session token does not belong to this key. No policy was read.",
    "expired-session": "The session is over: temporary credentials are good until their expiration and not a second "
    "longer, whatever the policies say.",
    "inactive-key": "The key exists but has been made inactive. No policy was read.",
    "deleted-identity": "The user or role behind these credentials is gone, and its credentials with it.",
    "no-credentials": "The request was not signed at all, and this service does not talk to strangers.",
    "skewed": "The request was signed more than five minutes away from AWS's time. The loopback endpoint follows real "
    "time, calls in this process follow the lab's clock.",
    "expired-url": "The presigned URL is past the time it was made for.",
    "incomplete": "The signature is not complete.",
    "session-token-for-iam": "Credentials from GetSessionToken may not call IAM unless they were opened with MFA, "
    "those from GetFederationToken never.",
    "session-token-for-sts": "Of STS, credentials from GetSessionToken may only call AssumeRole and GetCallerIdentity, "
    "those from GetFederationToken only the latter.",
    "service": "The policies allowed this.",
    "no-such-role": "There is no such role. AWS answers as if the role had refused, so that nobody can try out names.",
    "malformed-document": "The document is not one AWS would store, so nothing was changed.",
    "unplaceable": "The lab could not tell which AWS operation this was.",
    "control": "This was an order for the mock behind the lab, not a call of AWS.",
    "not-stored": "The lab allowed the call, but the mock behind it cannot carry it out.",
}


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
        said = f"AWS said: {event.error_code}: {event.error_message}" if event.error_code else ""
        if event.situation:
            reason = _SITUATIONS[event.situation]
        else:
            reason = (
                "The policies allowed this." if event.decision == "ALLOW" else "No policy refused this; the rules did."
            )
        return "\n".join(filter(None, (head, reason, event.detail, said)))

    __repr__ = __str__
