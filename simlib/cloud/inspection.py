"""The world as a panel looks at it: who could ask, which documents count, what the gate would decide – and what if.

Looking changes nothing and leaves no trace in the trail. `ask` decides with the gate's own gathering of policies
(`permissions.authorization`), some documents replaced by edited ones.

    world.inspect.principals()                      everybody who can ask
    world.inspect.documents(arn)                    the policies of a principal or resource, with their places
    world.inspect.ask("arn…:user/alice", "s3:GetObject", "arn:aws:s3:::b/k")            as the gate decides it now
    world.inspect.ask(alice, action, arn, circumstances={"aws:MultiFactorAuthPresent": "true"})
    world.inspect.ask(alice, action, arn, instead={Place("arn…:user/alice", "identity", "read"): Policy.parse(text)})

A `Place` is the address of one document. Of an inline policy: (user, group or role, "identity", its name). Of a managed
policy or SCP: (its own ARN, kind), for it is one document wherever it is attached. Of a trust policy, a bucket's or
key's policy: (the ARN, "trust" or "resource"). Of session policies: (ARN of the session or its role, "session", name).
In `instead`, None takes a document away; a place with nothing stored adds one: a new inline policy, a boundary for a
user (user ARN, "boundary"), a policy for a bucket without one, an SCP at a level (ID of root, unit or account, "scp").
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from simlib.cloud.authentication import check_kind_of_credentials
from simlib.cloud.credentials import issuer, sessions
from simlib.cloud.credentials.sessions import ANONYMOUS, Caller, Session
from simlib.cloud.gate import Gate
from simlib.cloud.permissions import authorization
from simlib.cloud.permissions.authorization import AS_STORED, Instead, resource_document
from simlib.cloud.permissions.permission import Permission, account_of, owner_of
from simlib.cloud.services.named_principals import services_and_accounts
from simlib.cloud.services.web_identity import bearer_of
from simlib.cloud.storage import iam_entities, store
from simlib.cloud.storage.organizations import Membership, membership
from simlib.cloud.storage.resources import resource_arns
from simlib.cloud.storage.stored import Place, StoredDocument, StoredIdentity
from simlib.cloud.transport.refusals import authentication_refusal
from simlib.iam import Evaluation
from simlib.iam.principals import is_account_id, is_service
from simlib.iam.vocabulary import TRUST_ACTIONS

__all__ = ["Document", "Inspection", "Place", "Principal"]

TRIED_SECONDS = 900  # a session that is opened to try something really
SESSION_NAME = "session"  # of a session that somebody would open
STRANGER = "999999999999"  # an account nobody here knows
_USUAL_SERVICES = ("ec2.amazonaws.com", "lambda.amazonaws.com")

Circumstances = Mapping[str, Any]
NORMAL: Circumstances = {}


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who can ask.

    `kind` is user, role (a fresh session of it asks), session, root, token (a web identity), service, anonymous or
    outside (somebody of an account that is not part of this world). `arn` is the ARN, the service's name or
    "anonymous"; `name` is short and for people; `account` is "" for who belongs to none. `credential` tells apart what
    has one ARN: a session's access key, the token itself.
    """

    arn: str
    kind: str
    account: str
    name: str
    credential: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """One policy that counts: its place, its JSON text, how answers call it, and what it is attached to.

    `attached_to` is an ARN, or the ID of a level of the organization: for a managed policy not the same as its place.
    """

    place: Place
    text: str
    name: str
    attached_to: str


class Inspection:
    """A world's `inspect`; see the module's first lines."""

    def __init__(self, gate: Gate, counts: Callable[[], tuple[int, ...]]) -> None:
        self._sessions, self._lock = gate.sessions, gate.lock
        self._now, self._source_ip, self._counts = gate.now, gate.source_ip, counts

    @property
    def version(self) -> tuple[int, ...]:
        """Another value after every call, new session, account or token, and step of the clock.

        Time that passes by itself does not count: a session may have expired under the same version.
        """
        return (*self._counts(), len(self._sessions), sum(len(each.issued) for each in self._sessions.issuers.values()))

    # -- who and what there is ---------------------------------------------------------------------------------------

    def principals(self) -> list[Principal]:
        """Everybody who can ask: of each account users, roles, live sessions, the root user; then those of none."""
        with self._lock:
            known = self._accounts()
            of_accounts = [each for account in known for each in self._of_account(account)]
            return [*of_accounts, *(self.principal(who) for who in self._of_none(known))]

    def principal(self, who: str) -> Principal:
        """Whoever an ARN, access key, token, service or account ID means, also where `principals` does not list it."""
        with self._lock:
            if (token := issuer.decode_unverified(who)) is not None:
                claims = token[1]
                return Principal(str(claims.get("iss")).removeprefix("https://"), "token", "", str(claims["sub"]), who)
            return self._described(self._caller(who, "", self._now())[0])

    def _described(self, caller: Caller) -> Principal:
        if caller.session and caller.session.access_key_id:
            return _of_session(caller.session)
        if not caller.account:
            kind = "anonymous" if caller is ANONYMOUS else "token" if caller.arn.startswith("arn:") else "service"
            return Principal(caller.arn, kind, "", caller.arn)
        if caller.is_root:
            return Principal(caller.arn, "root", caller.account, "root user")
        if not store.is_of_the_world(caller.account):
            name = caller.arn.rpartition("/")[2]
            return Principal(caller.arn, "outside", caller.account, f"a {name}" if name == "stranger" else name)
        identity = caller.identity
        if caller.session and identity and not caller.arn.endswith(f"/{SESSION_NAME}"):
            return Principal(caller.arn, "session", caller.account, caller.arn.partition("/")[2])
        assert identity is not None
        return Principal(identity.arn, "role" if caller.session else "user", caller.account, identity.name)

    def credentials(self, who: str | Principal) -> tuple[str, str, str | None]:
        """Key, secret and token to really make calls with as somebody; a role gets a new session for it.

        Raises `LookupError` for whoever has none: a user without an active key, a service, a stranger.
        """
        with self._lock:
            caller, _ = self._caller(who, "", self._now())
            session = caller.session
            if session and not session.access_key_id and caller.identity and caller.identity.trust_policy:
                name = caller.arn.rpartition("/")[2]
                session = self._sessions.assume(caller.identity, name, self._now(), TRIED_SECONDS, issued_to="the lab")
            if session:
                return session.access_key_id, session.secret_access_key, session.session_token
            key = iam_entities.active_key(caller.account, caller.user_name) if caller.account else None
            if key is None:
                raise LookupError(f"{caller.arn} has no credentials to sign a call with.")
            return key.access_key_id, key.secret_access_key, None

    def _accounts(self) -> list[str]:
        return [each for each in store.accounts() if store.is_of_the_world(each)]

    def _of_account(self, account: str) -> Iterator[Principal]:
        for identity in store.identities(account):
            yield Principal(identity.arn, "role" if identity.trust_policy else "user", account, identity.name)
        now = self._now()
        for session in self._sessions:
            alive = session.account == account and now < session.expires
            if alive and sessions.session_caller(session, now):
                yield _of_session(session)
        yield self.principal(f"arn:aws:iam::{account}:root")

    def _of_none(self, known: list[str]) -> Iterator[str]:
        for provider in self._sessions.issuers.values():
            tokens = {token: issuer.decode_unverified(token) for token in provider.issued}
            yield from (token for token, parts in tokens.items() if parts and parts[1]["exp"] > self._now().timestamp())
        policies = (resource_document(arn, trust=True) for arn in self.resources())
        services, accounts = services_and_accounts(policy[1] for policy in policies if policy)
        yield from dict.fromkeys((*_USUAL_SERVICES, *filter(is_service, services)))
        yield from (account for account in dict.fromkeys((*accounts, STRANGER)) if account not in known)
        yield "anonymous"

    def identities(self) -> dict[str, list[StoredIdentity]]:
        """The users and roles of each account with their policies: equal values while nothing of them is different."""
        with self._lock:
            return {account: list(store.identities(account)) for account in self._accounts()}

    def resources(self) -> list[str]:
        """The ARNs of what policies can be about: roles, buckets, keys, queues, topics, functions, instances, …"""
        with self._lock:
            arns: list[str] = []
            for account in self._accounts():
                arns += (each.arn for each in store.identities(account) if each.trust_policy)
                arns += resource_arns(account)
            return arns

    # -- the documents -----------------------------------------------------------------------------------------------

    def documents(self, arn: str) -> list[Document]:
        """The policies that bear on a principal, by ARN or access key, and on a resource: of a role, of both kinds.

        In this order: identity, boundary, session, the resource's own or trust policy, SCPs and RCPs of its account.
        Raises `LookupError` for a principal that is not there.
        """
        with self._lock:
            caller = None if _is_only_resource(arn) else self._caller(arn, "", self._now())[0]
            documents = [*_of_caller(caller)] if caller else []
            if (resource := resource_document(arn, trust=True)) and resource[1]:
                place, text, name = resource
                documents.append(Document(place, text, name, place.owner))
            account = caller.account if caller else self.owner(arn, "")
            return [*documents, *_of_organization(membership(account))]

    def document(self, place: Place) -> Document | None:
        """What is stored at a place, with nothing attached to it told; None while nothing is."""
        with self._lock:
            if place.kind in ("trust", "resource"):
                policy = resource_document(place.owner, trust=True)
                return Document(*policy, place.owner) if policy and policy[0] == place and policy[1] else None
            stored = store.document_at(place)
            return Document(place, stored.text, stored.name, place.owner) if stored else None

    # -- what the gate would decide ----------------------------------------------------------------------------------

    def ask(
        self,
        who: str | Principal,
        action: str,
        resource: str,
        *,
        circumstances: Circumstances = NORMAL,
        instead: Instead = AS_STORED,
        at: datetime | None = None,
    ) -> Evaluation:
        """What the gate would decide now, with some documents replaced.

        `at` is another moment for the clock to show; users, roles and policies are those of now.

        `who`: a `Principal`; an ARN (a role's: a fresh session of it); an access key of a session; a token of an
        identity provider; a service; an account ID or an ARN of an account that is not there (its own side is taken to
        allow everything); "anonymous". `circumstances` are condition keys and values that the request has beside, or
        instead of, those of the world; None leaves a key out.

        Raises `LookupError` where there is nobody of that name, `Refusal` where credentials or a token would not be
        believed, so that no policy is read, and `simlib.iam.RequestError` where no request can be like this.
        """
        with self._lock:
            now = at or self._now()
            caller, token_keys = self._caller(who, resource, now)
            service, _, operation = action.partition(":")
            if caller.session and caller.session.access_key_id and now >= caller.session.expires:
                raise authentication_refusal("expired-session", service)
            check_kind_of_credentials(caller, service, operation)
            if action.lower() in TRUST_ACTIONS:
                token_keys = {"sts:RoleSessionName": SESSION_NAME, **token_keys}
            changed = {key.lower() for key in circumstances}
            address, agent = ("", caller.arn) if is_service(caller.arn) else (self._source_ip(), "simlib")
            around = _without(changed, authorization.circumstances(now, address, agent, "us-east-1"))
            caller = replace(caller, context=_without(changed, caller.context))
            added = {key: value for key, value in circumstances.items() if value is not None}
            permission = Permission(
                action, resource, self.owner(resource, caller.account), {**_without(changed, token_keys), **added}
            )
            return authorization.decide(permission, caller, around, instead=instead)

    def owner(self, resource: str, default: str = "") -> str:
        """The account a resource belongs to, `default` where nobody knows."""
        return owner_of(resource) or default

    def _caller(self, who: str | Principal, resource: str, now: datetime) -> tuple[Caller, Mapping[str, Any]]:
        """The identity as the gate would see it, and the condition keys its token brings along."""
        name = who if isinstance(who, str) else who.credential or who.arn
        if session := self._sessions.find(name):
            return self._of_credentials(session, now), {}
        if name == "anonymous":
            return ANONYMOUS, {}
        if name.startswith("arn:") and name.count(":") >= 5:
            return self._identity(name, now), {}
        if key := store.find_key(name):
            caller = sessions.user_caller(key)
            if caller is not None:
                return caller, {}
        if issuer.decode_unverified(name) is not None:
            bearer = bearer_of(name, account_of(resource) or "", self._sessions, now)
            return Caller(bearer.provider), bearer.request_context()
        if is_account_id(name):
            return self._identity(f"arn:aws:iam::{name}:user/{'stranger' if name == STRANGER else 'somebody'}", now), {}
        if is_service(name):
            return Caller(name, user_id=name), {}
        raise LookupError(f"{name[:200]!r} is no ARN, access key, token, service or account of this world.")

    def _identity(self, arn: str, now: datetime) -> Caller:
        account, rest = arn.split(":", 5)[4:]
        kind, _, path = rest.partition("/")
        name = path.rpartition("/")[2]
        known = store.is_of_the_world(account)
        identity = store.identity_at(arn) if known else sessions.all_powerful(arn, "", account)
        if rest == "root":
            return sessions.root_caller(account)
        if kind == "oidc-provider":
            return Caller(arn)
        if kind == "user" and identity:
            return sessions.caller_of(identity)
        if kind == "role" and identity:
            return self._of_credentials(sessions.fresh_session(identity, SESSION_NAME, now), now, identity)
        if kind in ("assumed-role", "federated-user"):
            if live := [each for each in self._sessions if each.arn == arn]:
                return self._of_credentials(live[-1], now)
            role_name = path.partition("/")[0]
            role = store.identity("role", account, role_name) if known and kind == "assumed-role" else None
            if role is not None:
                return self._of_credentials(sessions.fresh_session(role, name, now), now, role)
        raise LookupError(f"There is no {arn[:200]} in this world.")

    def _of_credentials(self, session: Session, now: datetime, role: StoredIdentity | None = None) -> Caller:
        caller = sessions.session_caller(session, now, role)
        if caller is None:
            raise authentication_refusal("deleted-identity", "sts")
        return caller


def _of_session(session: Session) -> Principal:
    kept = session.arn.split(":", 5)[5]
    name = kept.partition("/")[2] or kept
    if session.kind == "GetSessionToken":
        name += " with a session token"
    return Principal(session.arn, "session", session.account, name, session.access_key_id)


def _without(keys: set[str], context: Mapping[str, Any]) -> dict[str, Any]:
    """A context without the keys that are given otherwise, whatever their letter case."""
    return {key: value for key, value in context.items() if key.lower() not in keys}


def _is_only_resource(arn: str) -> bool:
    return arn.startswith("arn:") and arn.split(":")[2] not in ("iam", "sts")


def _of_caller(caller: Caller) -> Iterator[Document]:
    identity = caller.identity
    if identity is not None:
        for each in identity.documents:
            yield _document(each, "identity", each.inline_in or identity.arn)
        if identity.permissions_boundary:
            yield _document(identity.permissions_boundary, "boundary", identity.arn)
    for policy in (caller.session.session_policies if caller.session else None) or ():
        text = json.dumps(policy.document, indent=2)
        yield Document(Place(caller.arn, "session", policy.name), text, policy.name, caller.arn)


def _of_organization(member: Membership | None) -> Iterator[Document]:
    if member is None or member.management:
        return
    for kind, levels in (("scp", member.scps), ("rcp", member.rcps)):
        for node, level in zip(member.nodes, levels, strict=False):
            yield from (_document(each, kind, node) for each in level)


def _document(stored: StoredDocument, kind: str, attached_to: str) -> Document:
    return Document(stored.place(kind), stored.text, stored.name, attached_to)
