"""Edges of escalation: how somebody becomes more than they are, by the table of `ways`."""

from __future__ import annotations

from collections.abc import Iterator

from simlib.cloud.inspection import Place
from simlib.iam import Policy

from . import ways
from .candidates import patterns
from .draft import Actor, Confirmed, Draft, Question, Way
from .facts import Identity


def draw(draft: Draft) -> None:
    controlled = set()
    for actor in draft.actors:
        if _rewrites(draft, actor):
            controlled.add(actor.identity.account)
        else:
            _takes_over(draft, actor)
            _hands_over(draft, actor)
        _enters(draft, actor)
    for number in sorted(controlled):
        _everything_in(draft, number)


# -- one's own policies ------------------------------------------------------------------------------------------------


def _rewrites(draft: Draft, actor: Actor) -> bool:
    """Whether somebody can give itself, or a role it assumes, any permission: then all of its account is its own."""
    controls = False
    for identity in _own(draft, actor):
        label = identity.name
        for action, holder, does in _rewritable(identity):
            if identity.bounded or not patterns(actor.identity.policies, action):
                continue
            node = draft.account(identity.account)
            asked = [Question(actor.who, action, holder)]
            about = does.format("itself" if identity is actor.identity and holder == identity.arn else _name(holder))
            also = "" if identity is actor.identity else f" and assumes {label}"
            if draft.confirm(actor.node, node, ways.OWNS, f"{about}{also}: any permission there is", asked, hours=None):
                controls = controls or identity.account == actor.identity.account
                break
    return controls


def _own(draft: Draft, actor: Actor) -> Iterator[Identity]:
    yield actor.identity
    for _, target, edge in draft.graph.out_edges(actor.node, data="kind"):
        if edge == ways.ASSUMES and target != actor.identity.arn and target in draft.identities:
            yield draft.identities[target]


def _rewritable(identity: Identity) -> Iterator[tuple[str, str, str]]:
    """Action, what it is asked on, and the words: of the identity itself, its groups, its managed policies."""
    for row in ways.REWRITES:
        if row.on == identity.kind:
            yield row.action, identity.arn, row.does
        else:
            for holder in identity.holders:
                if f":{row.on}/" in holder:
                    yield row.action, holder, row.does


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]


def _everything_in(draft: Draft, number: str) -> None:
    """What control of an account is worth: decided as for its root user, whom nothing limits but SCPs and denies."""
    node, root = draft.account(number), f"arn:aws:iam::{number}:root"
    for arn in draft.of_account[number].arns if number in draft.of_account else ():
        identity = draft.identities[arn]
        row = next(row for row in ways.TAKE_OVERS if row.on == identity.kind)
        draft.confirm(node, arn, ways.TAKES, row.does.format(identity.name), [Question(root, row.action, arn)],
                      hours=None)  # fmt: skip
    for thing in draft.facts.things:
        if thing.account == number and (uses := ways.USES.get(thing.service)):
            for use in uses:
                arn = thing.arn + use.part
                draft.confirm(node, thing.arn, ways.MAY, use.verb, [Question(root, use.action, arn)])


# -- somebody else -----------------------------------------------------------------------------------------------------


def _takes_over(draft: Draft, actor: Actor) -> None:
    shelf = draft.of_account.get(actor.identity.account)
    for row in ways.TAKE_OVERS:
        for pattern in patterns(actor.identity.policies, row.action) if shelf else ():
            for arn in shelf.meant(pattern):
                target = draft.identities[arn]
                if target.kind == row.on and arn != actor.identity.arn:
                    asked = [Question(actor.who, row.action, arn), *_afterwards(draft, actor, target)]
                    does = row.does.format(target.name)
                    draft.confirm(actor.node, arn, ways.TAKES, does, asked, hours=None)


def _afterwards(draft: Draft, actor: Actor, target: Identity) -> Iterator[Question]:
    """A role whose trust policy somebody has rewritten: may they assume it then?"""
    if target.kind != "role":
        return
    statement = {"Effect": "Allow", "Principal": {"AWS": actor.identity.arn}, "Action": "sts:AssumeRole"}
    trust = Policy.parse(
        {"Version": "2012-10-17", "Statement": [statement]}, "trust", name="the rewritten trust policy"
    )
    yield Question(actor.who, "sts:AssumeRole", target.arn, None, {Place(target.arn, "trust"): trust})


# -- through a service -------------------------------------------------------------------------------------------------


def _hands_over(draft: Draft, actor: Actor) -> None:
    """A machine or a function that somebody starts with a role of its choice."""
    account = actor.identity.account
    passed = patterns(actor.identity.policies, "iam:PassRole")
    for row in ways.COMPUTE if passed else ():
        trusting = draft.trusting(row.service).get(account)
        roles = dict.fromkeys(arn for pattern in passed for arn in trusting.meant(pattern)) if trusting else {}
        started = _started(draft, actor, row) if roles else None
        for arn in roles if started else ():
            role = draft.identities[arn]
            asked = [
                Question(actor.who, "iam:PassRole", arn, {"iam:PassedToService": row.service}),
                Question(row.service, "sts:AssumeRole", arn),
            ]
            found = draft.confirmed(asked)
            if found is None:
                continue
            node = f"{actor.node} {row.service}"
            if node not in draft.graph:
                draft.node(node, "new", f"a new {row.thing}", account)
                starts = f"starts a {row.thing} ({', '.join(row.actions)})"
                draft.edge(actor.node, node, Way(ways.STARTS, starts, *started, hours=None))
            does = f"runs as the role {role.name}, which {draft.graph.nodes[actor.node]['label']} passes to it"
            draft.edge(node, arn, Way(ways.RUNS, f"{does} (iam:PassRole)", *found, hours=None))


def _started(draft: Draft, actor: Actor, row: ways.Compute) -> Confirmed | None:
    """The decisions by which somebody starts a machine, a function, … with whatever role."""
    asked = [
        Question(actor.who, action, resource.format(actor.identity.account))
        for action in row.actions
        for resource in row.resources
    ]
    return draft.confirmed(asked) if all(patterns(actor.identity.policies, action) for action in row.actions) else None


def _enters(draft: Draft, actor: Actor) -> None:
    """Machines and functions that exist and run as a role."""
    for row in ways.ENTRIES:
        running = draft.running.get(row.service)
        for pattern in patterns(actor.identity.policies, row.actions[0]) if running else ():
            for arn in running.meant(pattern):
                asked = [Question(actor.who, action, arn) for action in row.actions]
                does = f"{row.does.format(draft.graph.nodes[arn]['label'])} ({', '.join(row.actions)})"
                draft.confirm(actor.node, arn, ways.TAKES, does, asked, hours=None)
