"""The graph while it is made: nodes, edges, and the one way to get an edge in – the engine says yes."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import networkx as nx

from simlib.iam import Evaluation, Policy, PolicySet, Request, evaluate
from simlib.iam.principals import Kind

from .candidates import Shelf, listed
from .facts import ANYONE, Facts, Held, Identity, Thing

EVERYTHING = Policy.parse(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}, name="everything"
)
_MFA = {"aws:MultiFactorAuthPresent": "true", "aws:MultiFactorAuthAge": "1"}
_OF_NOBODY = ("aws:currenttime", "aws:epochtime", "aws:securetransport", "aws:sourceip", "aws:useragent",
              "aws:requestedregion", "aws:viaawsservice", "aws:resource")  # fmt: skip


@dataclass(frozen=True, eq=False)
class Way:
    """Why there is an edge: what its holder does, the decisions that allow it, and what it takes besides.

    `hours` is how much longer than its source the gain lasts: 0, an hour for an assumed role, None without end.
    """

    kind: str
    does: str
    evaluations: tuple[Evaluation, ...] = ()
    needs: tuple[str, ...] = ()
    hours: float | None = 0


Confirmed = tuple[tuple[Evaluation, ...], tuple[str, ...]]  # the decisions, and what they take besides


class Question(NamedTuple):
    who: str
    action: str
    resource: str
    circumstances: Mapping[str, Any] | None = None
    instead: Mapping[Any, Policy | None] | None = None


@dataclass(frozen=True)
class Actor:
    """Somebody who is asked for: an identity, or a session that may do less than the one behind it."""

    node: str
    who: str
    identity: Identity


class Draft:
    """A graph in the making, and the shelves its candidates are found on."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.graph = nx.DiGraph()
        self.identities = {identity.arn: identity for identity in facts.identities}
        self.things = {thing.arn: thing for thing in facts.things}
        self._trusting: dict[str, dict[str, Shelf]] = {}
        self._lets_in: dict[str, Container[str]] = {}
        self.asked = 0  # questions put to the engine

    # -- nodes ---------------------------------------------------------------------------------------------------------

    def node(self, name: str, kind: str, label: str, account: str, short: str = "") -> str:
        self.graph.add_node(name, kind=kind, label=label, account=account, short=short or label)
        return name

    def identity(self, identity: Identity) -> None:
        self.node(identity.arn, identity.kind, identity.name, identity.account)

    def thing(self, thing: Thing) -> None:
        kind = {"ec2": "machine", "lambda": "function"}.get(thing.service, "resource")
        name = thing.arn.split(":", 5)[5]
        label = name if thing.service in ("s3", "sqs", "sns") else name.replace(":", "/").partition("/")[2] or name
        self.node(thing.arn, kind, label, thing.account)

    def held(self, held: Held) -> None:
        kind, label = "key", f"key …{held.key_id[-4:]}"
        if held.expires:
            kind, label = "session", f"session {held.arn.rpartition('/')[2]}"
        self.node(held.key_id, kind, label, held.behind.split(":")[4])
        self.graph.nodes[held.key_id]["expires"] = held.expires

    def account(self, number: str) -> str:
        """The node that stands for an account: everything in one we look into, anybody in one we do not."""
        if number in self.facts.accounts:
            return self.node(number, "control", f"everything in {self.facts.accounts[number]}", number)
        name = self.facts.names.get(number)
        label = f"account {number} ({name})" if name else f"account {number}"
        return self.node(number, "outside", label, number, name or number)

    def anyone(self) -> str:
        return self.node(ANYONE, "outside", "anyone at all", ANYONE)

    # -- who acts ------------------------------------------------------------------------------------------------------

    @cached_property
    def actors(self) -> list[Actor]:
        own = [Actor(arn, arn, identity) for arn, identity in self.identities.items()]
        sessions = [
            Actor(held.key_id, held.arn, self.identities[held.behind])
            for held in self.facts.held
            if held.narrowed and held.behind in self.identities
        ]
        return [*own, *sessions]

    @cached_property
    def of_account(self) -> dict[str, Shelf]:
        """The users and roles of each account."""
        return shelves((identity.account, identity.arn) for identity in self.facts.identities)

    def trusting(self, service: str) -> dict[str, Shelf]:
        """The roles whose trust policy names a service, by account."""
        if service not in self._trusting:
            self._trusting[service] = shelves(
                (identity.account, identity.arn)
                for identity in self.facts.identities
                if ("Service", service) in named(identity.trust)
            )
        return self._trusting[service]

    def lets_in(self, arn: str) -> Container[str]:
        """The accounts whose people a resource's own policy may let in."""
        if arn not in self._lets_in:
            names = [name for kind, name in named(self.things[arn].policy) if kind == "AWS"]
            self._lets_in[arn] = self.facts.accounts if "*" in names else {account_of(name) for name in names}
        return self._lets_in[arn]

    @cached_property
    def running(self) -> dict[str, Shelf]:
        """Machines and functions that run as a role, by service."""
        return shelves((thing.service, thing.arn) for thing in self.facts.things if thing.runs_as)

    # -- edges ---------------------------------------------------------------------------------------------------------

    def edge(self, source: str, target: str, way: Way) -> None:
        if self.graph.has_edge(source, target):
            self.graph.edges[source, target]["ways"].append(way)
        elif source != target:
            self.graph.add_edge(source, target, ways=[way], kind=way.kind)
        elif way.hours:
            self.graph.nodes[source]["renews"] = way

    def confirmed(self, questions: Iterable[Question]) -> Confirmed | None:
        """The decisions, and what they take besides, where all are allowed; None where one is not."""
        evaluations, needs = [], {}
        for question in questions:
            evaluation, need = self._decide(question)
            if not evaluation.allowed:
                return None
            evaluations.append(evaluation)
            needs |= dict.fromkeys(need)
        return tuple(evaluations), tuple(needs)

    def _decide(self, question: Question) -> tuple[Evaluation, list[str]]:
        self.asked += 1
        evaluation = self.facts.ask(*question)
        if evaluation.allowed:
            return evaluation, []
        more, needs = asked_for(evaluation)
        if not more:
            return evaluation, []
        self.asked += 1
        again = {**(question.circumstances or {}), **more}
        return self.facts.ask(*question[:3], again, question.instead), needs

    def confirm(self, source: str, target: str, kind: str, does: str, questions: Iterable[Question],
                *, needs: tuple[str, ...] = (), hours: float | None = 0) -> bool:  # fmt: skip
        """Draw an edge if the engine allows all of it."""
        found = self.confirmed(questions)
        if found is not None:
            self.edge(source, target, Way(kind, does, found[0], (*needs, *found[1]), hours))
        return found is not None

    def outsider(self, who: str, action: str, resource: str, owner: str, more: Mapping[str, Any]) -> Evaluation:
        """The decision on somebody we cannot look into, as if their own account allowed them everything."""
        self.asked += 1
        inside = self.facts.ask(f"arn:aws:iam::{owner}:root", action, resource)
        around = {key: value for key, value in inside.request.context.items() if key.lower().startswith(_OF_NOBODY)}
        policies = PolicySet(identity=(EVERYTHING,), resource=inside.policies.resource, rcps=inside.policies.rcps)
        request = Request(who, action, resource, resource_account=owner, context={**around, **more})
        return evaluate(request, policies)


def asked_for(evaluation: Evaluation) -> tuple[dict[str, str], list[str]]:
    """Circumstances that the policies of a refusal ask for and that its caller could bring: MFA, an external ID."""
    more: dict[str, str] = {}
    needs = []
    policies = evaluation.policies
    for policy in (*policies.identity, *((policies.resource,) if policies.resource else ())):
        for statement in policy.statements:
            for condition in statement.conditions:
                if condition.key == "aws:multifactorauthpresent" and evaluation.request.caller.kind == Kind.USER:
                    more |= _MFA
                    needs.append("MFA")
                elif condition.key == "sts:externalid" and statement.effect == "Allow" and condition.wanted:
                    more.setdefault("sts:ExternalId", condition.wanted[0])
                    needs.append(f"the external ID {condition.wanted[0]}")
    return more, list(dict.fromkeys(needs))


def named(policy: Policy | None) -> Iterator[tuple[str, str]]:
    """Whom the Allow statements of a trust or resource policy name: the type and the name, each once."""
    found: dict[tuple[str, str], None] = {}
    for statement in policy.statements if policy else ():
        principal = statement.document.get("Principal")
        if statement.effect != "Allow" or principal is None:
            continue
        if isinstance(principal, str):
            found["AWS", principal] = None
            continue
        for kind, names in principal.items():
            found |= dict.fromkeys((kind, name) for name in listed(names))
    yield from found


def account_in(name: str) -> str | None:
    """The account whose own policies are to say who: 111111111111 or its `:root`; None where a name says more."""
    if name.isdigit():
        return name
    return name.split(":")[4] if name.endswith(":root") and name.count(":") == 5 else None


def account_of(name: str) -> str:
    """The account that a principal of a policy belongs to; "" where it belongs to none."""
    return account_in(name) or (name.split(":")[4] if name.count(":") >= 5 else "")


def shelves(pairs: Iterable[tuple[str, str]]) -> dict[str, Shelf]:
    sorted_out: dict[str, list[str]] = {}
    for key, arn in pairs:
        sorted_out.setdefault(key, []).append(arn)
    return {key: Shelf(arns) for key, arns in sorted_out.items()}
