"""Edges to resources: what somebody may do to them, by their own policies or by the resource's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from . import ways
from .candidates import Shelf, patterns, witnesses
from .draft import Actor, Draft, Question, Way, account_in, account_of, named, shelves
from .facts import ANYONE, Thing
from .ways import Use


def draw(draft: Draft) -> None:
    for thing in draft.facts.things:
        draft.thing(thing)
        if thing.runs_as in draft.identities:
            role = draft.identities[thing.runs_as]
            draft.edge(thing.arn, role.arn, Way(ways.RUNS, f"runs as the role {role.name}"))
    by_service = shelves((thing.service, thing.arn) for thing in draft.facts.things)
    opened = _opened(draft)
    for actor in draft.actors:
        for service, shelf in by_service.items():
            for use in ways.USES.get(service, ()):
                _use(draft, actor, use, shelf, opened.get(actor.identity.arn, {}))
    for thing in draft.facts.things:
        for kind, name in named(thing.policy):
            if kind == "AWS":
                _outsider(draft, thing, name)


def _opened(draft: Draft) -> dict[str, dict[str, None]]:
    """The resources whose own policy names an identity, so that no other policy need speak of them."""
    found: dict[str, dict[str, None]] = {}
    for thing in draft.facts.things:
        for kind, name in named(thing.policy):
            if kind == "AWS" and name == "*" and thing.account in draft.of_account:
                for arn in draft.of_account[thing.account].arns:
                    found.setdefault(arn, {})[thing.arn] = None
            elif kind == "AWS" and name in draft.identities:
                found.setdefault(name, {})[thing.arn] = None
    return found


def _use(draft: Draft, actor: Actor, use: Use, shelf: Shelf, opened: Mapping[str, None]) -> None:
    """Where somebody may use a resource so; whatever may be done there are the ways of one edge."""
    among = patterns(actor.identity.policies, use.action)
    found = dict.fromkeys(arn for pattern in among for arn in shelf.holders(pattern))
    found |= {arn: None for arn in opened if arn.split(":")[2] == use.action.partition(":")[0]}
    account = actor.identity.account
    for arn in found:
        if draft.things[arn].account != account and account not in draft.lets_in(arn):
            continue  # another account's resource needs a policy that says so
        for part in _asked_about(arn, use, among):
            if draft.confirm(actor.node, arn, ways.MAY, use.verb, [Question(actor.who, use.action, part)]):
                break


def _asked_about(arn: str, use: Use, among: Iterable[str]) -> list[str]:
    return witnesses(arn, arn + use.part, among) if use.part else [arn]


def _outsider(draft: Draft, thing: Thing, name: str) -> None:
    """Whom a resource's policy lets in from where we cannot look."""
    number = account_of(name)
    if name == "*":
        node, who = draft.anyone, "anonymous"
    elif number and number not in draft.facts.accounts:
        node = partial(draft.account, number)
        who = f"arn:aws:iam::{number}:role/{ANYONE}" if account_in(name) else name
    else:
        return
    for use in ways.USES.get(thing.service, ()):
        arn = thing.arn + use.part
        evaluation = draft.outsider(who, use.action, arn, thing.account, {})
        if evaluation.allowed:
            needs = ("no credentials at all",) if name == "*" else ("their own account allows it, which we cannot see",)
            draft.edge(node(), thing.arn, Way(ways.MAY, use.verb, (evaluation,), needs))
