"""Edges of trust: who may assume which role, from inside and from outside; keys and sessions of an identity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from . import ways
from .candidates import patterns
from .draft import Actor, Draft, Question, Way, account_in, account_of, asked_for, named, shelves
from .facts import ANYONE, Held, Identity

HOUR = 1.0  # a chained session lasts an hour at most, whatever the role says
_ASSUME = "sts:AssumeRole"
_STRANGER = "000000000000"


def draw(draft: Draft) -> None:
    for held in draft.facts.held:
        _credential(draft, held)
    roles = [identity for identity in draft.facts.identities if identity.trust is not None]
    by_name: dict[str, list[str]] = {}
    for role in roles:
        for kind, name in named(role.trust):
            if kind == "AWS":
                by_name.setdefault(account_in(name) or name, []).append(role.arn)
    delegated = shelves((name, arn) for name, arns in by_name.items() if _is_wide(name) for arn in arns)
    for actor in draft.actors:
        for arn in _candidates(actor, by_name, delegated):
            questions = [Question(actor.who, _ASSUME, arn)]
            label = draft.identities[arn].name
            draft.confirm(actor.node, arn, ways.ASSUMES, f"assumes the role {label}", questions, hours=HOUR)
    for role in roles:
        _from_outside(draft, role)


def _credential(draft: Draft, held: Held) -> None:
    """A key is its user, a session its role, unless it may do less."""
    draft.held(held)
    if held.behind in draft.identities and not held.narrowed:
        label = draft.identities[held.behind].name
        does = f"acts as a session of {label}" if held.expires else f"signs in as {label}"
        draft.edge(held.key_id, held.behind, Way(ways.ACTS, does))


def _is_wide(name: str) -> bool:
    return name == "*" or (len(name) == 12 and name.isdigit())


def _candidates(actor: Actor, by_name: dict[str, list[str]], delegated: dict[str, Any]) -> list[str]:
    """The roles that name somebody, and those that leave it to an account whose policies then name the role."""
    identity = actor.identity
    found = dict.fromkeys([*by_name.get(identity.arn, ()), *by_name.get(actor.who, ())])
    own = f":{identity.account}:"
    found |= dict.fromkeys(arn for arn in by_name.get("*", ()) if own in arn)
    shelves_open = [delegated[name] for name in (identity.account, "*") if name in delegated]
    for pattern in patterns(identity.policies, _ASSUME) if shelves_open else ():
        for shelf in shelves_open:
            found |= dict.fromkeys(shelf.meant(pattern))
    return list(found)


# -- from outside ------------------------------------------------------------------------------------------------------


def _from_outside(draft: Draft, role: Identity) -> None:
    for kind, name in named(role.trust):
        if kind == "Federated":
            _provider(draft, role, name)
        elif kind == "AWS" and name == "*":
            who = f"arn:aws:iam::{_STRANGER}:role/{ANYONE}"
            _outsider(draft, role, draft.anyone(), who, "assumes the role {} from any account")
        elif kind == "AWS" and (number := _foreign(draft, name)):
            who = f"arn:aws:iam::{number}:role/{ANYONE}" if account_in(name) else name
            by = "" if account_in(name) else f" as {name.split(':', 5)[5]}"
            _outsider(draft, role, draft.account(number), who, f"assumes the role {{}}{by}")


def _foreign(draft: Draft, name: str) -> str | None:
    """The number of an account that a name belongs to, if we cannot look into it."""
    number = account_of(name)
    return number if number and number not in draft.facts.accounts else None


def _outsider(draft: Draft, role: Identity, node: str, who: str, does: str) -> None:
    evaluation = draft.outsider(who, _ASSUME, role.arn, role.account, {})
    needs = ["their own account allows it, which we cannot see"]
    if not evaluation.allowed:
        more, found = asked_for(evaluation)
        needs += found
        evaluation = draft.outsider(who, _ASSUME, role.arn, role.account, more)
    if evaluation.allowed:
        way = Way(ways.ASSUMES, does.format(role.name), (evaluation,), tuple(needs), None)
        draft.edge(node, role.arn, way)


def _provider(draft: Draft, role: Identity, provider: str) -> None:
    """Whoever has a token of a provider with the claims that the trust policy wants."""
    saml = ":saml-provider/" in provider
    action = "sts:AssumeRoleWithSAML" if saml else "sts:AssumeRoleWithWebIdentity"
    name = provider.rpartition("provider/")[2] or provider
    for statement in role.trust.candidates(action.lower()) if role.trust else ():
        if statement.effect == "Deny":
            continue
        claims = dict(_wanted(statement.conditions))
        token = {key: value.replace("*", "x").replace("?", "x") for key, value in claims.items()}
        evaluation = draft.outsider(provider, action, role.arn, role.account, token)
        if evaluation.allowed:
            said = tuple(f"a token with {key} like {value}" for key, value in claims.items()) or ("any token of it",)
            node = draft.node(provider, "outside", f"tokens of {name}", provider, name)
            draft.edge(node, role.arn, Way(ways.ASSUMES, f"assumes the role {role.name}", (evaluation,), said, None))


def _wanted(conditions: Iterable[Any]) -> Iterator[tuple[str, str]]:
    """The claims of a token that such conditions describe."""
    for condition in conditions:
        operator = condition.operator
        if condition.wanted and not operator.negated and operator.base.startswith("String"):
            yield condition.name, condition.wanted[0]
