"""What the graph is made from, read out of a running world."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from simlib.cloud.credentials.lifetimes import GOOD, Credential
from simlib.cloud.inspection import Document, Place, Principal
from simlib.cloud.storage import resources
from simlib.cloud.storage.stored import parsed
from simlib.iam import Evaluation, Policy, PolicyError

from .facts import Facts, Held, Identity, Thing

Instead = Mapping[Place, Policy | None]
_Key = tuple[str, str, str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True)
class _Found:
    """A principal or a resource with its documents as they are stored."""

    arn: str
    account: str
    documents: Mapping[Place, Document]
    principal: Principal | None = None
    runs_as: str = ""


@dataclass
class Reading:
    """A world at one moment. `known` are all its accounts, `accounts` those that may be looked into: number and name.

    Decisions are kept until an edit bears on them, so that a keystroke asks only what it can have changed.
    """

    world: Any
    known: Mapping[str, str]
    accounts: Mapping[str, str]
    circumstances: Mapping[str, Any]
    _identities: list[_Found] = field(default_factory=list)
    _things: list[_Found] = field(default_factory=list)
    _held: tuple[Held, ...] = ()
    _decisions: dict[_Key, Evaluation] = field(default_factory=dict)
    _decided_with: Instead = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._identities = list(_identities(self.world, self.accounts))
        self._things = list(_things(self.world, self.accounts))
        by_name = {_key_of(found.principal): found.arn for found in self._identities if found.principal}
        self._held = tuple(_held(self.world, by_name))

    @property
    def over(self) -> bool:
        """Whether one of its sessions has ended since."""
        return any(held.expires and held.expires <= self.world.clock.now for held in self._held)

    def facts(self, instead: Instead) -> Facts:
        """The same with the documents of `instead` in place of stored ones."""
        self._forget(instead)
        return Facts(
            self.accounts,
            tuple(_identity(found, found.principal, instead) for found in self._identities if found.principal),
            self._held,
            tuple(_thing(found, instead) for found in self._things),
            self._ask_with(instead),
            {number: name for number, name in self.known.items() if number not in self.accounts},
        )

    def _ask_with(self, instead: Instead) -> Any:
        look, own, decisions = self.world.inspect, self.circumstances, self._decisions

        def ask(
            who: str,
            action: str,
            resource: str,
            more: Mapping[str, Any] | None = None,
            edited: Instead | None = None,
        ) -> Evaluation:
            key = (who, action, resource, tuple(sorted((more or {}).items())))
            if edited is None and key in decisions:
                return decisions[key]
            evaluation: Evaluation = look.ask(
                who,
                action,
                resource,
                circumstances={**own, **(more or {})},
                instead={**instead, **edited} if edited else instead,
            )
            if edited is None:
                decisions[key] = evaluation
            return evaluation

        return ask

    def _forget(self, instead: Instead) -> None:
        """Drop the decisions that a difference between two sets of edits can bear on."""
        old, self._decided_with = self._decided_with, dict(instead)
        places = {place for place in {*old, *instead} if old.get(place, ...) is not instead.get(place, ...)}
        for key in [key for key, evaluation in self._decisions.items() if _bears(places, key, evaluation)]:
            del self._decisions[key]


def _bears(places: Iterable[Place], key: _Key, evaluation: Evaluation) -> bool:
    """Whether one of these documents may have a say in a decision; where that is not plain, it may."""
    who, _, resource, _ = key
    for place in places:
        if place.kind in ("trust", "resource"):
            if resource.startswith(place.owner):
                return True
        elif ":user/" in place.owner or ":role/" in place.owner:
            if place.owner in (who, evaluation.context.get("aws:PrincipalArn")):
                return True
        else:  # a group's, a managed policy, an organization's
            return True
    return False


def names_of_accounts(world: Any) -> dict[str, str]:
    """Every account of the world: its number, and its name or the number again."""
    named = {account.id: account.name for account in world.accounts}
    numbers = [each.account for each in world.inspect.principals() if each.kind == "root"]
    return {number: named.get(number, number) for number in numbers}


# -- users and roles ---------------------------------------------------------------------------------------------------


def _identities(world: Any, accounts: Mapping[str, str]) -> Iterator[_Found]:
    for each in world.inspect.principals():
        if each.kind in ("user", "role") and each.account in accounts:
            yield _Found(each.arn, each.account, _by_place(world.inspect.documents(each.arn)), each)


def _by_place(documents: Iterable[Document]) -> dict[Place, Document]:
    return {document.place: document for document in documents}


def _key_of(principal: Principal) -> tuple[str, str, str]:
    return principal.account, principal.kind, principal.name


def _identity(found: _Found, principal: Principal, instead: Instead) -> Identity:
    stored = found.documents
    own = {document.attached_to for document in stored.values()} | {found.arn}
    added = [place for place in instead if place not in stored and place.owner in own]
    policies = [_counting(place, stored, instead) for place in (*stored, *added) if place.kind == "identity"]
    bounds = [_counting(place, stored, instead) for place in (*stored, *added) if place.kind == "boundary"]
    holders = [
        arn
        for place, document in stored.items()
        if place.kind == "identity"
        for arn in (place.owner, document.attached_to)
        if arn != found.arn and not arn.startswith("arn:aws:iam::aws:")
    ]
    return Identity(
        found.arn,
        principal.kind,
        found.account,
        principal.name,
        tuple(policy for policy in policies if policy is not None),
        _counting(Place(found.arn, "trust"), stored, instead),
        any(bound is not None for bound in bounds),
        tuple(dict.fromkeys(holders)),
    )


def _counting(place: Place, stored: Mapping[Place, Document], instead: Instead) -> Policy | None:
    """The document that counts at a place: the edited one, else the stored one, else none."""
    if place in instead:
        return instead[place]
    try:
        document = stored.get(place)
        return parsed(document.text, place.kind, document.name) if document else None
    except PolicyError:  # put together by the mock, not by a caller: what nobody can read allows nothing
        return None


# -- keys and sessions -------------------------------------------------------------------------------------------------


def _held(world: Any, known: Mapping[tuple[str, str, str], str]) -> Iterator[Held]:
    """Keys and sessions that are good now."""
    credential: Credential
    for credential in world.credentials():
        behind = known.get(_behind(credential))
        if behind and credential.state(world.clock.now) == GOOD:
            yield Held(
                credential.access_key_id, credential.arn, behind, credential.expires, _is_less(world, credential)
            )


def _behind(credential: Credential) -> tuple[str, str, str]:
    """The user or role that a key or a session stands for: its account, kind and name."""
    arn = credential.issued_to if ":federated-user/" in credential.arn else credential.arn
    kind, _, path = arn.split(":", 5)[-1].partition("/")
    name = path.partition("/")[0] if kind == "assumed-role" else path.rpartition("/")[2]
    return credential.account, "role" if kind == "assumed-role" else kind, name


def _is_less(world: Any, credential: Credential) -> bool:
    """Whether a session may do less than who is behind it."""
    if credential.kind in ("GetSessionToken", "GetFederationToken"):
        return True
    sessions = credential.expires is not None
    return sessions and any(d.place.kind == "session" for d in world.inspect.documents(credential.access_key_id))


# -- resources ---------------------------------------------------------------------------------------------------------


def _things(world: Any, accounts: Mapping[str, str]) -> Iterator[_Found]:
    look = world.inspect
    for arn in look.resources():
        owner = look.owner(arn)
        if owner in accounts and ":iam:" not in arn:
            yield _Found(arn, owner, _by_place(look.documents(arn)), runs_as=_runs_as(world, arn))


def _thing(found: _Found, instead: Instead) -> Thing:
    place = next((place for place in found.documents if place.kind == "resource"), Place(found.arn, "resource"))
    return Thing(found.arn, found.account, _counting(place, found.documents, instead), found.runs_as)


def _runs_as(world: Any, arn: str) -> str:
    """The role that a machine or a function runs as."""
    if ":instance/" in arn and (machine := world.instance_facts(arn.rpartition("/")[2])):
        return machine.role.arn if machine.role and machine.running else ""
    if ":function:" in arn and (function := resources.thing_of(arn)):
        return str(function.role)
    return ""
