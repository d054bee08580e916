"""Who calls: long-term keys and the temporary credentials this lab mints, on its own clock."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from ..iam import Policy
from .store import Store, StoredIdentity, StoredKey, unique_id

NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Session:
    """Temporary credentials and what AWS remembers about them.

    `kind` is how they came to be: "AssumeRole", "GetSessionToken" or "EC2" (an instance's role). `context` are the
    condition keys fixed when they were issued; a role is known by its unique ID, so that a new role of the same name
    does not inherit its sessions.
    """

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
    kind: str
    account: str
    arn: str
    user_id: str
    issued_at: datetime
    expires: datetime
    context: Mapping[str, str | list[str]] = field(default_factory=dict)
    role_name: str | None = None
    role_id: str | None = None
    user_name: str | None = None
    session_policies: tuple[Policy, ...] | None = None
    issued_to: str = ""


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated identity: the principal that acts, with what its credentials say about it."""

    arn: str
    account: str
    user_id: str
    access_key_id: str
    identity: StoredIdentity | None
    session: Session | None = None
    context: Mapping[str, str | list[str]] = field(default_factory=dict)

    @property
    def user_name(self) -> str | None:
        """The IAM user behind these credentials; None for roles."""
        return self.identity.name if self.identity and self.identity.arn.split(":", 5)[5].startswith("user/") else None

    @property
    def role_arn(self) -> str | None:
        """The role of a role session, with its path."""
        return self.identity.arn if self.session and self.session.role_id and self.identity else None


ANONYMOUS = Caller("anonymous", "", "ANONYMOUS", "", None)


class Sessions:
    """Every temporary credential of a world, by access key."""

    def __init__(self) -> None:
        self._by_key: dict[str, Session] = {}

    def __iter__(self) -> Iterable[Session]:
        return iter(self._by_key.values())

    def __len__(self) -> int:
        return len(self._by_key)

    def find(self, access_key_id: str) -> Session | None:
        return self._by_key.get(access_key_id)

    def assume(
        self,
        role: StoredIdentity,
        session_name: str,
        now: datetime,
        seconds: int,
        *,
        kind: str = "AssumeRole",
        context: Mapping[str, str | list[str]] = NOTHING,
        session_policies: tuple[Policy, ...] | None = None,
        issued_to: str = "",
    ) -> Session:
        """Credentials for a role's session, `seconds` long from `now`."""
        return self._mint(
            kind,
            role.account,
            f"arn:aws:sts::{role.account}:assumed-role/{role.name}/{session_name}",
            f"{role.unique_id}:{session_name}",
            now,
            seconds,
            context={"aws:MultiFactorAuthPresent": "false", **context},
            role_name=role.name,
            role_id=role.unique_id,
            session_policies=session_policies,
            issued_to=issued_to,
        )

    def for_user(
        self, user: StoredIdentity, now: datetime, seconds: int, context: Mapping[str, str | list[str]] = NOTHING
    ) -> Session:
        """Credentials of `GetSessionToken`: the user's own permissions for a while."""
        return self._mint(
            "GetSessionToken",
            user.account,
            user.arn,
            user.unique_id,
            now,
            seconds,
            context={"aws:MultiFactorAuthPresent": "false", **context},
            user_name=user.name,
            issued_to=user.arn,
        )

    def _mint(
        self,
        kind: str,
        account: str,
        arn: str,
        user_id: str,
        now: datetime,
        seconds: int,
        *,
        context: Mapping[str, str | list[str]],
        role_name: str | None = None,
        role_id: str | None = None,
        user_name: str | None = None,
        session_policies: tuple[Policy, ...] | None = None,
        issued_to: str = "",
    ) -> Session:
        issued_at = now.replace(microsecond=0)
        session = Session(
            unique_id(account, "ASIA", 20),
            base64.b64encode(secrets.token_bytes(30)).decode("ascii"),
            base64.b64encode(b"IQoJ" + secrets.token_bytes(260)).decode("ascii"),
            kind,
            account,
            arn,
            user_id,
            issued_at,
            issued_at + timedelta(seconds=seconds),
            {**context, "aws:TokenIssueTime": f"{issued_at:%Y-%m-%dT%H:%M:%SZ}"},
            role_name,
            role_id,
            user_name,
            session_policies,
            issued_to,
        )
        self._by_key[session.access_key_id] = session
        return session


def user_caller(key: StoredKey, store: Store) -> Caller | None:
    """The IAM user behind a long-term key."""
    user = store.user(key.account, key.user_name)
    if user is None:
        return None
    return Caller(user.arn, key.account, user.unique_id, key.access_key_id, user, context=_principal_tags(user))


def session_caller(session: Session, store: Store) -> Caller | None:
    """The identity behind a session; None once its role or user is gone, for then the session is gone too."""
    if session.role_id:
        identity = store.role(session.account, session.role_name or "")
        alive = identity is not None and identity.unique_id == session.role_id
    else:
        identity = store.user(session.account, session.user_name or "")
        alive = identity is not None and identity.unique_id == session.user_id
    if not alive or identity is None:
        return None
    context = {**_principal_tags(identity), **session.context}
    return Caller(session.arn, session.account, session.user_id, session.access_key_id, identity, session, context)


def _principal_tags(identity: StoredIdentity) -> dict[str, str | list[str]]:
    return {f"aws:PrincipalTag/{key}": value for key, value in identity.tags.items()}
