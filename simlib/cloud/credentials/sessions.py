"""Who calls: long-term keys and the temporary credentials this lab mints, on its own clock."""

from __future__ import annotations

import base64
import secrets
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from simlib.cloud.storage import store
from simlib.cloud.storage.changes import unique_id
from simlib.cloud.storage.stored import StoredIdentity, StoredKey
from simlib.iam import Policy

if TYPE_CHECKING:
    from simlib.cloud.credentials.issuer import Issuer

_TOKEN_HEAD = "IQoJb3JpZ2luX2Vj"  # how AWS's own session tokens begin

NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Session:
    """Temporary credentials and what AWS remembers about them.

    `kind` is how they came to be: the STS operation, or "EC2" (an instance's role). `context` are the condition keys
    fixed when they were issued, `transitive` the keys of the session tags that a chained session inherits. The user
    or role behind a session is known by its unique ID, so that a new one of the same name does not inherit it.
    `issued_by` is the access key it was asked for with, empty where a service or an identity provider asked;
    `role_maximum` is the role's `MaxSessionDuration` in seconds at that time.
    """

    access_key_id: str
    secret_access_key: str
    session_token: str
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
    issued_by: str = ""
    role_maximum: int = 0
    identity_id: str = ""
    transitive: tuple[str, ...] = ()

    @property
    def mfa(self) -> bool:
        """Whether these credentials were given for an MFA code."""
        return self.context.get("aws:MultiFactorAuthPresent") == "true"


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated identity: the principal that acts, with what its credentials say about it.

    A service of AWS ("ec2.amazonaws.com") and whoever comes with the token of an identity provider have no account.
    """

    arn: str
    account: str = ""
    user_id: str = ""
    access_key_id: str = ""
    identity: StoredIdentity | None = None
    session: Session | None = None
    context: Mapping[str, str | list[str]] = field(default_factory=dict)

    @property
    def user_name(self) -> str | None:
        """The IAM user behind these credentials; None for roles and the root user."""
        return self.identity.name if self.identity and self.identity.arn.split(":", 5)[5].startswith("user/") else None

    @property
    def role_arn(self) -> str | None:
        """Where a session comes from: the role with its path, or the user who federated it."""
        if self.session is None or self.session.kind == "GetSessionToken":
            return None
        return self.identity.arn if self.identity else None

    @property
    def is_root(self) -> bool:
        """Whether this is the root user of its account, with either kind of credentials."""
        return self.arn.endswith(":root")


ANONYMOUS = Caller("anonymous", user_id="ANONYMOUS")


class Sessions:
    """Every temporary credential of a world, by access key; `issuers` are its identity providers, by URL."""

    def __init__(self) -> None:
        self._by_key: dict[str, Session] = {}
        self.issuers: dict[str, Issuer] = {}

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._by_key.values()))

    def __len__(self) -> int:
        return len(self._by_key)

    def bookmark(self) -> Callable[[], None]:
        """What, when called, forgets all that was issued since; but a machine's session stays, as it holds on to it."""
        keys, tokens = set(self._by_key), {url: list(each.issued) for url, each in self.issuers.items()}

        def forget() -> None:
            issued = self._by_key.items()
            self._by_key = {key: session for key, session in issued if key in keys or session.kind == "EC2"}
            self.issuers = {url: each for url, each in self.issuers.items() if url in tokens}
            for url, earlier in tokens.items():
                self.issuers[url].issued = deque(earlier, self.issuers[url].issued.maxlen)

        return forget

    def find(self, access_key_id: str) -> Session | None:
        return self._by_key.get(access_key_id)

    def assume(self, role: StoredIdentity, session_name: str, now: datetime, seconds: int, **more: Any) -> Session:
        """Credentials for a role's session, `seconds` long from `now`; `more` are other members of `Session`."""
        return self._mint(
            fresh_session(role, session_name, now), seconds, role_maximum=role.max_session_seconds, **more
        )

    def for_user(self, caller: Caller, now: datetime, seconds: int, **more: Any) -> Session:
        """Credentials of `GetSessionToken`: the caller's own permissions for a while."""
        return self._mint(_of_user(caller, now), seconds, **more)

    def federate(self, caller: Caller, name: str, now: datetime, seconds: int, **more: Any) -> Session:
        """Credentials of `GetFederationToken`: what both the caller and the session policies allow."""
        arn, user_id = f"arn:aws:sts::{caller.account}:federated-user/{name}", f"{caller.account}:{name}"
        return self._mint(_of_user(caller, now), seconds, kind="GetFederationToken", arn=arn, user_id=user_id, **more)

    def _mint(
        self, template: Session, seconds: int, context: Mapping[str, str | list[str]] = NOTHING, **more: Any
    ) -> Session:
        """A session like the template, with keys of its own."""
        session = replace(
            template,
            access_key_id=unique_id(template.account, "ASIA", 20),
            secret_access_key=base64.b64encode(secrets.token_bytes(30)).decode("ascii"),
            session_token=_TOKEN_HEAD + base64.b64encode(secrets.token_bytes(252)).decode("ascii"),
            expires=template.issued_at + timedelta(seconds=seconds),
            context=issued_context(context, template.issued_at),
            **more,
        )
        self.keep(session)
        return session

    def keep(self, session: Session) -> None:
        """Let a session's credentials count."""
        self._by_key[session.access_key_id] = session


def issued_context(given: Mapping[str, str | list[str]], issued_at: datetime) -> dict[str, str | list[str]]:
    """The condition keys that temporary credentials carry from their issue on."""
    return {
        "aws:MultiFactorAuthPresent": "false",
        **given,
        "aws:TokenIssueTime": f"{issued_at:%Y-%m-%dT%H:%M:%SZ}",
    }


def fresh_session(role: StoredIdentity, name: str, now: datetime) -> Session:
    """A session of a role as one that begins now would be; nobody holds credentials of it, and no world knows it."""
    issued_at = now.replace(microsecond=0)
    return Session(
        "", "", "", "AssumeRole", role.account, f"arn:aws:sts::{role.account}:assumed-role/{role.name}/{name}",
        f"{role.unique_id}:{name}", issued_at, issued_at + timedelta(hours=1), issued_context({}, issued_at),
        role_name=role.name, role_id=role.unique_id, identity_id=role.unique_id,
    )  # fmt: skip


def _of_user(caller: Caller, now: datetime) -> Session:
    """A session of a user's, or of the root user's, that begins now."""
    issued_at = now.replace(microsecond=0)
    return Session(
        "", "", "", "GetSessionToken", caller.account, caller.arn, caller.user_id, issued_at, issued_at,
        user_name=caller.user_name, issued_to=caller.arn, issued_by=caller.access_key_id, identity_id=caller.user_id,
    )  # fmt: skip


def user_caller(key: StoredKey) -> Caller | None:
    """The IAM user behind a long-term key, or the root user."""
    if not key.user_name:
        return root_caller(key.account, key.access_key_id)
    user = store.identity("user", key.account, key.user_name)
    return caller_of(user, key.access_key_id) if user is not None else None


def root_caller(account: str, access_key_id: str = "") -> Caller:
    """The root user of an account."""
    return Caller(f"arn:aws:iam::{account}:root", account, account, access_key_id)


def caller_of(user: StoredIdentity, access_key_id: str = "") -> Caller:
    """An IAM user, with a key of its own."""
    return Caller(user.arn, user.account, user.unique_id, access_key_id, user, context=principal_tags(user.tags))


def holder_of(session: Session) -> StoredIdentity | None:
    """The role or user behind a session, or another one that has its name by now; None for the root user."""
    if session.role_name:
        return store.identity("role", session.account, session.role_name)
    return store.identity("user", session.account, session.user_name) if session.user_name else None


def session_caller(session: Session, now: datetime, role: StoredIdentity | None = None) -> Caller | None:
    """The identity behind a session; None once its role or user is gone, for then the session is gone too.

    `role` is the session's, where it has been looked up already.
    """
    identity = role or holder_of(session)
    if identity is None and session.kind == "GetFederationToken" and not session.user_name:
        identity = all_powerful(f"arn:aws:iam::{session.account}:root", session.account, session.account)
    if identity is None and session.identity_id != session.account:  # the root user is never gone
        return None
    if identity is not None and identity.unique_id != session.identity_id:
        return None
    context = dict(session.context)
    if session.mfa:
        context["aws:MultiFactorAuthAge"] = str(int((now - session.issued_at).total_seconds()))
    if identity is not None:
        passed = {key.lower() for key in context}  # a session tag takes the place of the identity's, in any capitals
        own = principal_tags(identity.tags)
        context |= {key: value for key, value in own.items() if key.lower() not in passed}
    return Caller(session.arn, session.account, session.user_id, session.access_key_id, identity, session, context)


def all_powerful(arn: str, unique_id: str, account: str) -> StoredIdentity:
    """Somebody who may do everything: the root user whom a session policy narrows, anybody of an unknown account."""
    everything = store.managed_policy("arn:aws:iam::aws:policy/AdministratorAccess")
    documents = (everything,) if everything else ()
    return StoredIdentity(arn, unique_id, account, arn.rpartition("/")[2], documents, None, {})


def principal_tags(tags: Mapping[str, str]) -> dict[str, str | list[str]]:
    """Tags of an identity or a session as condition keys."""
    return {f"aws:PrincipalTag/{key}": value for key, value in tags.items()}
