"""From when until when each key and session of a world is valid, and who has it from whom. No secret is in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from simlib.cloud.credentials.sessions import Session, Sessions, holder_of
from simlib.cloud.storage import iam_entities, store
from simlib.cloud.storage.stored import StoredIdentity, StoredKey, cached_policy
from simlib.iam import Request, RequestError, Statement
from simlib.iam.conditions import moment

ACCESS_KEY = "access key"
VALID, INACTIVE, REVOKED = "valid", "inactive", "revoked"
EXPIRED, DELETED, ORPHANED = "expired", "deleted", "orphaned"  # there is no way back from these
ENDS = (EXPIRED, DELETED, ORPHANED)

CHAINED = timedelta(hours=1)
_OF_A_USER = {False: timedelta(hours=36), True: timedelta(hours=1)}  # GetSessionToken, GetFederationToken; the root's

_OF_A_SESSION = ("access_key_id", "kind", "account", "arn", "expires", "issued_to", "issued_by")
_OLDER = r"datelessthan\w* aws:tokenissuetime"

# What may change the state of a key, or take the user or role behind a session away
CHANGING = frozenset(
    f"iam:{name}" for name in ("CreateAccessKey", "UpdateAccessKey", "DeleteAccessKey", "DeleteUser", "DeleteRole")
)


@dataclass(frozen=True, slots=True)
class Interval:
    """Since when credentials have been in a state: one of the words above."""

    since: datetime
    state: str


@dataclass(frozen=True, slots=True)
class Credential:
    """A long-term key or a session.

    `kind` is "access key" or how a session came to be (see `Session`), `arn` whom AWS takes the bearer for.
    `issued_to` is the ARN or the service that asked for a session, `issued_by` the access key it asked with.
    `longest` is the moment beyond which it could not have been asked to last, and `limit` says by which rule.
    `intervals` are oldest first; the one of the expiry stands there beforehand.
    """

    access_key_id: str
    kind: str
    account: str
    arn: str
    born: datetime
    intervals: tuple[Interval, ...]
    expires: datetime | None = None
    issued_to: str = ""
    issued_by: str = ""
    longest: datetime | None = None
    limit: str = ""

    def state(self, when: datetime) -> str:
        """The state at a moment; "" before the credentials were issued."""
        return next((interval.state for interval in reversed(self.intervals) if interval.since <= when), "")

    def over(self, when: datetime) -> bool:
        """Whether there is no way back any more."""
        return self.state(when) in ENDS


@dataclass(slots=True)
class History:
    """What moto forgets: keys that were deleted or inactive, and when the user or role of a session went."""

    _keys: dict[str, tuple[StoredKey, tuple[Interval, ...]]] = field(default_factory=dict)
    _orphaned: dict[str, datetime] = field(default_factory=dict)  # sessions

    def observe(self, sessions: Sessions, now: datetime) -> None:
        """Note what has changed since the last look. Called under the gate's lock, after calls that may change it."""
        there = {key.access_key_id: key for key in store.access_keys()}
        known = {name: key for name, (key, _) in self._keys.items()}
        for name, key in {**known, **there}.items():
            state = DELETED if name not in there else VALID if key.active else INACTIVE
            _, intervals = self._keys.get(name, (key, (Interval(key.created, VALID),)))
            if intervals[-1].state != state:
                intervals += (Interval(now, state),)
            self._keys[name] = key, intervals
        alive = {unique_id for account in store.accounts() for unique_id in iam_entities.unique_ids(account)}
        for session in sessions:
            if session.identity_id not in alive and session.identity_id != session.account and now < session.expires:
                self._orphaned.setdefault(session.access_key_id, now)

    def credentials(self, sessions: Sessions, now: datetime) -> list[Credential]:
        """Every key and session there ever was, in the order they were issued."""
        self.observe(sessions, now)
        keys = [
            Credential(each.access_key_id, ACCESS_KEY, each.account, each.owner, each.created, intervals)
            for each, intervals in self._keys.values()
        ]
        revoking: dict[str, tuple[Statement, ...]] = {}  # by the unique ID of the role or user
        issued = []
        for session in sessions:
            holder = session.identity_id
            if holder not in revoking:
                identity = holder_of(session)
                revoking[holder] = tuple(_revoking(identity)) if identity and identity.unique_id == holder else ()
            issued.append(_session(session, sessions, revoking[holder], self._orphaned.get(session.access_key_id), now))
        return sorted([*keys, *issued], key=lambda credential: credential.born)


def _session(
    session: Session, sessions: Sessions, revoking: Iterable[Statement], orphaned: datetime | None, now: datetime
) -> Credential:
    intervals = [Interval(session.expires, EXPIRED)]
    revoked = next((since for statement in revoking if (since := _revoked(session, statement, now))), None)
    if revoked and revoked < session.expires:
        intervals.append(Interval(max(revoked, session.issued_at), REVOKED))
    if orphaned:
        intervals = [*(interval for interval in intervals if interval.since < orphaned), Interval(orphaned, ORPHANED)]
    states = (Interval(session.issued_at, VALID), *sorted(intervals, key=lambda interval: interval.since))
    same: dict[str, Any] = {name: getattr(session, name) for name in _OF_A_SESSION}
    longest, limit = _longest(session, sessions)
    return Credential(born=session.issued_at, intervals=states, longest=longest, limit=limit, **same)


def _longest(session: Session, sessions: Sessions) -> tuple[datetime | None, str]:
    """How long a session could have been asked to last. AWS itself decides that for what it gives EC2 and Lambda.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    """
    if session.kind in ("GetSessionToken", "GetFederationToken"):
        root = session.identity_id == session.account
        return session.issued_at + _OF_A_USER[root], "1 hour for the root user" if root else "36 hours for a user"
    if session.kind not in ("AssumeRole", "AssumeRoleWithWebIdentity"):
        return None, ""
    maximum = timedelta(seconds=session.role_maximum)
    if sessions.find(session.issued_by) is not None:
        return session.issued_at + CHAINED, "1 hour, because it is chained"
    return session.issued_at + maximum, f"{hours(maximum)}, the role's maximum"


def hours(span: timedelta) -> str:
    """ "1 hour", "1.5 hours", "15 minutes"; from two days on "4 days"."""
    minutes = round(span.total_seconds() / 60)
    amount, unit = (minutes, "minute") if minutes < 60 else (round(minutes / 60, 1), "hour")
    if amount >= 48 and unit == "hour":
        amount, unit = round(amount / 24), "day"
    return f"{amount:g} {unit}{'' if amount == 1 else 's'}"


# -- revoked sessions -------------------------------------------------------------------------------------------------


def _revoking(identity: StoredIdentity) -> Iterator[Statement]:
    """Statements that deny everything to sessions issued before some time, as AWSRevokeOlderSessions does.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html
    """
    for document in identity.documents:
        if "tokenissuetime" not in document.text.lower():
            continue
        yield from filter(_cutoff, cached_policy(document.text, "identity", document.name).statements)


def _cutoff(statement: Statement) -> str:
    """The time before which a statement denies everything, asking for nothing else; "" of any other statement."""
    match statement.document:
        case {"Effect": "Deny", "Action": "*" | ["*"], "Resource": "*" | ["*"], "Condition": dict() as condition}:
            tests = [(f"{operator} {key}".lower(), value) for operator, tests in condition.items()
                     for key, value in tests.items()]  # fmt: skip
            match tests:
                case [(test, str(time) | [str(time)])] if re.fullmatch(_OLDER, test):
                    return time
    return ""


def _revoked(session: Session, statement: Statement, now: datetime) -> datetime | None:
    """Since when a statement denies everything to a session; None where it does not. The engine decides whether."""
    try:
        request = Request(session.arn, "sts:GetSessionToken", "*", context=session.context)
    except RequestError:
        return None
    if not (statement.covers_action(request.folded_action) and statement.fits(request, False)):
        return None
    cutoff = moment(_cutoff(statement))
    return session.issued_at if cutoff is None else datetime.fromtimestamp(max(min(cutoff, now.timestamp()), 0), UTC)
