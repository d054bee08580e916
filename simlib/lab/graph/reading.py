"""What the graph is made from, read out of a running world."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from simlib.cloud.credentials.lifetimes import GOOD, Credential
from simlib.cloud.inspection import Document, Place
from simlib.cloud.permissions.authorization import parsed
from simlib.cloud.storage import resources
from simlib.iam import Evaluation, Policy, PolicyError

from .facts import Facts, Held, Identity, Thing

Instead = Mapping[Place, Policy | None]


def facts_of(
    world: Any,
    known: Mapping[str, str],
    accounts: Mapping[str, str],
    circumstances: Mapping[str, Any],
    instead: Instead,
) -> Facts:
    """Everything in these accounts (number: name) of those known, with the documents of `instead` in place of stored
    ones."""
    look = world.inspect
    identities = tuple(
        _identity(each, look.documents(each.arn), instead)
        for each in look.principals()
        if each.kind in ("user", "role") and each.account in accounts
    )

    def ask(
        who: str,
        action: str,
        resource: str,
        more: Mapping[str, Any] | None = None,
        edited: Instead | None = None,
    ) -> Evaluation:
        evaluation: Evaluation = look.ask(
            who,
            action,
            resource,
            circumstances={**circumstances, **(more or {})},
            instead={**instead, **edited} if edited else instead,
        )
        return evaluation

    by_name = {(identity.account, identity.kind, identity.name): identity.arn for identity in identities}
    names = {number: name for number, name in known.items() if number not in accounts}
    return Facts(
        accounts,
        identities,
        tuple(_held(world, by_name)),
        tuple(_things(world, accounts, instead)),
        ask,
        names,
    )


def names_of_accounts(world: Any) -> dict[str, str]:
    """Every account of the world: its number, and its name or the number again."""
    named = {account.id: account.name for account in world.accounts}
    numbers = [each.account for each in world.inspect.principals() if each.kind == "root"]
    return {number: named.get(number, number) for number in numbers}


def _identity(principal: Any, documents: Iterable[Document], instead: Instead) -> Identity:
    found: dict[Place, Document] = {document.place: document for document in documents}
    own = {document.attached_to for document in found.values()} | {principal.arn}
    policies, holders = [], {}
    for place, document in found.items():
        if place.kind == "identity":
            policies.append(instead[place] if place in instead else _read(document))
            holders |= dict.fromkeys(each for each in (place.owner, document.attached_to) if each != principal.arn)
    added = {place: policy for place, policy in instead.items() if place not in found and place.owner in own}
    policies += [policy for place, policy in added.items() if place.kind == "identity"]
    trust = Place(principal.arn, "trust")
    boundary = [
        place for place in (*found, *added) if place.kind == "boundary" and instead.get(place, True) is not None
    ]
    return Identity(
        principal.arn,
        principal.kind,
        principal.account,
        principal.name,
        tuple(policy for policy in policies if policy is not None),
        instead[trust] if trust in instead else _read(found[trust]) if trust in found else None,
        bool(boundary),
        tuple(arn for arn in holders if not arn.startswith("arn:aws:iam::aws:")),
    )


def _read(document: Document) -> Policy | None:
    try:
        return parsed(document.text, document.place.kind, document.name)
    except PolicyError:  # put together by the mock, not by a caller: what nobody can read allows nothing
        return None


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


def _things(world: Any, accounts: Mapping[str, str], instead: Instead) -> Iterator[Thing]:
    look = world.inspect
    for arn in look.resources():
        service = arn.split(":")[2]
        owner = look.ask("anonymous", f"{service}:Look", arn).request.owner if service != "iam" else ""
        if owner in accounts:
            found = {document.place: document for document in look.documents(arn) if document.place.kind == "resource"}
            place = next(iter(found), Place(arn, "resource"))
            policy = instead[place] if place in instead else _read(found[place]) if found else None
            yield Thing(arn, owner, policy, _runs_as(world, arn))


def _runs_as(world: Any, arn: str) -> str:
    """The role that a machine or a function runs as."""
    if ":instance/" in arn and (machine := world.instance_facts(arn.rpartition("/")[2])):
        return machine.role.arn if machine.role and machine.running else ""
    if ":function:" in arn and (function := resources.function_of(arn)):
        return str(function.role)
    return ""
