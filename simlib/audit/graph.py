"""Who leads to whom over all accounts of a world: credentials, trust, ways to power, what may be done to resources.

Nodes have `kind`, `label`, `short` and `account`, edges `kind` and `reasons`; the engine has allowed every one of them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import networkx as nx

from simlib.audit.escalation import ROWS, Finder, Way
from simlib.audit.facts import ANYBODY, Arns, Facts, Grant, Held, Identity, Instead, Thing, account_of, grouped, named
from simlib.iam import Evaluation

#: Kinds of edges, and what each is called where there is room for a word only.
ACTS, ASSUMES, MAY, STARTS, RUNS, TAKES, OWNS = "acts", "assumes", "may", "starts", "runs", "takes", "owns"
WORDS = {ACTS: "is", ASSUMES: "assumes", MAY: "may use", STARTS: "starts", RUNS: "runs as", TAKES: "takes over",
         OWNS: "controls"}  # fmt: skip
ANYONE = "anyone"
HOUR = 1.0  # a chained session lasts an hour at most, whatever the role says
COMPUTE = {"ec2": "machine", "lambda": "function", "ecs-tasks": "ECS task", "cloudformation": "stack",
           "codebuild": "build", "glue": "Glue job", "sagemaker": "SageMaker job"}  # fmt: skip
_UNSEEN = "their own account allows it, which we cannot see"


class Use(NamedTuple):
    """Something to be done to a resource; `part` is added to its ARN where the action acts on a part."""

    verb: str
    action: str
    part: str


USES = {
    service: [Use(verb, *text.partition(" ")[::2]) for verb, texts in verbs.items() for text in texts]
    for service, verbs in tomllib.loads(Path(__file__).with_name("uses.toml").read_text("utf-8")).items()
}
LOOKED_AT = (
    "who may assume a role, in one account and across accounts, and under which conditions",
    "tokens of an identity provider that a role trusts",
    f"the {len(ROWS)} published ways to become more: own permissions rewritten, users and roles taken over, roles "
    "handed to services with iam:PassRole, machines and functions entered",
    "keys and sessions that are good now, and accounts we cannot look into",
)
NOT_LOOKED_AT = (
    "what other services do with a role they already have (pipelines, schedules, other people's stacks)",
    "what somebody under a permissions boundary gains by rewriting its own policies: whatever the boundary leaves it",
    "whether a machine can be reached over the network",
    "actions on a resource beyond a few of each service; secrets inside of what can be read",
)


@dataclass(frozen=True, eq=False)
class Reason:
    """Why there is an edge: what its holder does, the decisions that allow it, and what it takes besides.

    `hours` is how much longer than its source the gain lasts: 0, an hour for an assumed role, None without end.
    """

    kind: str
    does: str
    evaluations: tuple[Evaluation, ...] = ()
    needs: tuple[str, ...] = ()
    hours: float | None = 0


class Actor(NamedTuple):
    """Somebody who is asked for: an identity, or a session that may do less than the one behind it."""

    node: str
    who: str
    identity: Identity


class AccessMap:
    """The graph of what is known of a world, as `graph`."""

    def __init__(self, facts: Facts) -> None:
        self.facts, self.finder, self.graph = facts, Finder(facts), nx.DiGraph()
        for each in facts.identities.values():
            self._node(each.arn, each.kind, each.name, each.account)
        for thing in facts.things.values():
            self._thing(thing)
        for held in facts.held:
            self._credential(held)
        self.by_service = grouped((thing.service, arn) for arn, thing in facts.things.items())
        self._controlled: set[str] = set()
        for actor in self.actors():
            self._from(actor)
        for arn in [*facts.identities, *facts.things]:
            self._into(arn)
        self._everything()

    def actors(self) -> list[Actor]:
        own = [Actor(arn, arn, identity) for arn, identity in self.facts.identities.items()]
        return own + [
            Actor(held.key_id, held.arn, self.facts.identities[held.behind])
            for held in self.facts.held
            if held.narrowed
        ]

    # -- nodes and edges -----------------------------------------------------------------------------------------------

    def _node(self, name: str, kind: str, label: str, account: str, short: str = "") -> str:
        self.graph.add_node(name, kind=kind, label=label, account=account, short=short or label)
        return name

    def _edge(self, source: str, target: str, reason: Reason) -> None:
        if self.graph.has_edge(source, target):
            edge = self.graph.edges[source, target]
            if reason.kind != MAY and any(each.does == reason.does for each in edge["reasons"]):
                return
            edge["reasons"] = [*edge["reasons"], reason]  # a new list: copies of the graph share the old one
        elif source != target:
            self.graph.add_edge(source, target, reasons=[reason], kind=reason.kind)
        elif reason.hours:
            self.graph.nodes[source]["renews"] = True

    def _thing(self, thing: Thing) -> None:
        kind = {"ec2": "machine", "lambda": "function"}.get(thing.service, "resource")
        name = thing.arn.split(":", 5)[5]
        label = name if thing.service in ("s3", "sqs", "sns") else name.replace(":", "/").partition("/")[2] or name
        self._node(thing.arn, kind, label, thing.account)
        if role := self.facts.identities.get(thing.runs_as):
            self._edge(thing.arn, role.arn, Reason(RUNS, f"runs as the role {role.name}"))

    def _credential(self, held: Held) -> None:
        """A key is its user, a session its role, unless it may do less."""
        identity = self.facts.identities[held.behind]
        kind, label = "key", f"key …{held.key_id[-4:]}"
        if held.expires:
            kind, label = "session", f"session {held.arn.rpartition('/')[2]}"
        self._node(held.key_id, kind, label, identity.account)
        self.graph.nodes[held.key_id]["expires"] = held.expires
        if not held.narrowed:
            does = f"acts as a session of {identity.name}" if held.expires else f"signs in as {identity.name}"
            self._edge(held.key_id, held.behind, Reason(ACTS, does))

    def _account(self, number: str) -> str:
        """The node that stands for an account: everything in one we look into, anybody in one we do not."""
        if number in self.facts.accounts:
            return self._node(
                number, "control", f"everything in {self.facts.accounts[number]}", number, "whole account"
            )
        called = self.facts.names.get(number, "")
        label = f"account {number} ({called})" if called else f"account {number}"
        return self._node(number, "outside", label, number, called or number)

    # -- what somebody leads to ----------------------------------------------------------------------------------------

    def _from(self, actor: Actor) -> None:
        node, who, identity = actor
        if self.finder.is_administrator(who, identity):
            self._edge(
                node, self._account(identity.account), Reason(OWNS, "is an administrator: any permission there is")
            )
        for way in self.finder.ways(identity, who, brief=True):
            self._way(node, identity, way)
        self._uses(actor)

    def _way(self, node: str, identity: Identity, way: Way) -> None:
        """The edges of a way to power; who takes over everything in an account takes over each of it."""
        row, does, decided = ROWS[way.id], way.does, (way.evaluations, way.needs)
        if way.id == "sts-001":
            self._edge(node, way.target, Reason(ASSUMES, does, *decided, HOUR))
        elif way.gains == "any" and way.whole:
            owned = self._account(account_of(way.target))
            self._edge(node, owned, Reason(OWNS, f"{does} ({way.actions}): any permission there is", *decided, None))
        elif row["on"] == "passed":
            self._passes(node, identity, way, row["service"])
        elif row["on"] == "running" and way.thing:
            self._edge(node, way.thing, Reason(TAKES, f"{does} ({way.actions})", *decided, None))
        elif row["on"] in ("user", "role", "other group"):
            if row["on"] == "other group":
                self._node(way.target, "group", way.target.rpartition("/")[2], identity.account)
            self._edge(node, way.target, Reason(TAKES, f"{does} ({way.actions})", *decided, None))

    def _passes(self, node: str, identity: Identity, way: Way, service: str) -> None:
        """Something that somebody starts, and the role it then runs as."""
        prefix, role = service.partition(".")[0], self.facts.identities[way.target]
        thing = COMPUTE.get(prefix, f"thing of {prefix}")
        started = self._node(f"{node} {service}", "new", f"a new {thing}", identity.account)
        actions = ", ".join(dict.fromkeys(action for action, _ in way.asks[1:]))
        self._edge(node, started, Reason(STARTS, f"starts a {thing} ({actions})", way.evaluations[1:], way.needs, None))
        trusted = self.finder.trust_of(service, role.arn)
        passed = (way.evaluations[0], *([trusted.evaluation] if trusted else []))
        does = f"runs as the role {role.name}, which {self.graph.nodes[node]['label']} passes to it (iam:PassRole)"
        if not self.graph.has_edge(started, role.arn):
            self._edge(started, role.arn, Reason(RUNS, does, passed, way.needs, None))

    def _uses(self, actor: Actor) -> None:
        """The resources that somebody may use; whatever may be done there are the reasons of one edge."""
        identity, things = actor.identity, self.facts.things
        named_in = [self.facts.lets_in.get(name, Arns()).arns for name in (identity.arn, "*", identity.account)]
        opened, foreign = {*named_in[0], *named_in[1]}, {arn for arns in named_in for arn in arns}
        for service, arns in self.by_service.items():
            for use in USES.get(service, ()):
                patterns = identity.patterns(use.action)
                found = dict.fromkeys(arn for pattern in patterns for arn in arns.holders(pattern))
                found |= dict.fromkeys(arn for arn in opened if things[arn].service == service)
                for arn in found:
                    if things[arn].account != identity.account and arn not in foreign:
                        continue  # another account's resource needs a policy that says so
                    for part in parts(arn, use.part, patterns):
                        if grant := self.facts.grant(actor.who, use.action, part):
                            self._edge(actor.node, arn, Reason(MAY, use.verb, grant[:1], grant.needs))
                            break

    def asking(self, action: str, resource: str) -> AccessMap:
        """The same graph with a node for a resource, `resource`, to which lead all who may do this to it."""
        copy = object.__new__(AccessMap)
        copy.__dict__.update(vars(self), graph=self.graph.copy())
        owner, only = self.facts.look.owner(resource), Arns([resource])
        thing = self.facts.things.get(resource) or self.facts.things.get(resource.partition("/")[0])
        copy._node(resource, "resource", resource, owner)
        copy.graph.remove_edges_from(list(copy.graph.in_edges(resource)))
        for node, who, identity in self.actors():
            asked = (thing and thing.policy) or only.all_meant(identity.patterns(action))
            if asked and (grant := self.facts.grant(who, action, resource)):
                copy._edge(node, resource, Reason(MAY, "use", grant[:1], grant.needs))
        return copy

    # -- who leads to something from outside ---------------------------------------------------------------------------

    def _into(self, arn: str) -> None:
        """Whom a role's or a resource's own policy lets in from where we cannot look."""
        identity, thing = self.facts.identities.get(arn), self.facts.things.get(arn)
        for kind, name in named(identity.trust if identity else thing.policy if thing else None):
            number = account_of(name)
            if kind == "Federated" and identity:
                saml = "sts:AssumeRoleWithSAML" if ":saml-provider/" in name else "sts:AssumeRoleWithWebIdentity"
                grant = self.facts.grant_outside(name, saml, arn, identity.account)
                self._outsider(name, identity, grant, "any token of it does" if grant and not grant.needs else "", "")
            elif kind == "AWS" and (name == "*" or (number and number not in self.facts.accounts)):
                who = f"arn:aws:iam::{number or '0' * 12}:role/{ANYBODY}" if name in ("*", number) else name
                by = "" if name in ("*", number) else f" as {name.split(':', 5)[5]}"
                if identity:
                    grant = self.facts.grant_outside(who, "sts:AssumeRole", arn, identity.account)
                    self._outsider(number or ANYONE, identity, grant, _UNSEEN, by)
                for use, owner in _uses_of(thing):
                    asker = "anonymous" if name == "*" else who
                    grant = self.facts.grant_outside(asker, use.action, arn + use.part, owner)
                    if grant is not None:
                        needs = "no credentials at all" if name == "*" else _UNSEEN
                        reason = Reason(MAY, use.verb, grant[:1], (needs, *grant.needs))
                        self._edge(self._outside(number or ANYONE), arn, reason)

    def _outsider(self, name: str, role: Identity, grant: Grant | None, needs: str, by: str) -> None:
        if grant is not None:
            does, taken = f"assumes the role {role.name}{by}", tuple(filter(None, (needs, *grant.needs)))
            self._edge(self._outside(name), role.arn, Reason(ASSUMES, does, grant[:1], taken, None))

    def _outside(self, name: str) -> str:
        if name.isdigit():
            return self._account(name)
        if name == ANYONE:
            return self._node(ANYONE, "outside", "anyone at all", ANYONE)
        provider = name.rpartition("provider/")[2] or name
        return self._node(name, "outside", f"tokens of {provider}", name, provider)

    # -- what control of an account is worth ---------------------------------------------------------------------------

    def _everything(self) -> None:
        """Decided as for the root user, whom nothing limits but SCPs and denies; for accounts that are new here."""
        owned = {n for n, kind in self.graph.nodes(data="kind") if kind == "control"}
        idle = [number for number in owned if not self.graph.in_degree(number)]
        self.graph.remove_nodes_from(idle)
        new = owned.difference(idle, self._controlled)
        self._controlled = owned.difference(idle)
        for arn in [arn for number in sorted(new) for arn in self.facts.of_account.get(number, Arns()).arns]:
            self._controls(arn)
        for thing in self.facts.things.values():
            if thing.account in new:
                self._controls(thing.arn)

    def _controls(self, arn: str) -> None:
        identity, thing = self.facts.identities.get(arn), self.facts.things.get(arn)
        if identity:
            action = "iam:CreateAccessKey" if identity.kind == "user" else "iam:UpdateAssumeRolePolicy"
            does = "makes an access key for" if identity.kind == "user" else "rewrites the trust policy of"
            if grant := self.facts.grant(f"arn:aws:iam::{identity.account}:root", action, arn):
                self._edge(
                    identity.account, arn, Reason(TAKES, f"{does} {identity.name}", grant[:1], grant.needs, None)
                )
        for use, owner in _uses_of(thing):
            if grant := self.facts.grant(f"arn:aws:iam::{owner}:root", use.action, arn + use.part):
                self._edge(owner, arn, Reason(MAY, use.verb, grant[:1], grant.needs))

    # -- the same with other documents ---------------------------------------------------------------------------------

    def edited(self, instead: Instead) -> AccessMap:
        """The graph with some documents in place of stored ones: decided again is only what they can bear on."""
        facts = self.facts.edited(instead)
        if any(place.kind not in ("identity", "boundary", "trust", "resource") for place in instead):
            return AccessMap(facts)  # an organization's policies bear on everybody
        copy = object.__new__(AccessMap)
        copy.__dict__.update(vars(self), facts=facts, finder=Finder(facts), graph=self.graph.copy())
        targets = dict.fromkeys(place.owner for place in instead if place.kind in ("trust", "resource"))
        touched = set(self._bearing(instead, facts, targets))
        for actor in copy.actors():
            if touched & {actor.node, actor.identity.arn}:
                copy.graph.remove_nodes_from([n for n in copy.graph[actor.node] if n.startswith(f"{actor.node} ")])
                copy.graph.remove_edges_from(list(copy.graph.out_edges(actor.node)))
                copy._from(actor)
        for target in targets:
            sources = [
                n for n in copy.graph.predecessors(target) if copy.graph.nodes[n]["kind"] in ("outside", "control")
            ]
            copy.graph.remove_edges_from([(source, target) for source in sources])
            copy.graph.remove_nodes_from([n for n in sources if not copy.graph.degree(n)])
            copy._into(target)
            if account_of(target) in copy._controlled or any(n in copy._controlled for n in sources):
                copy._controls(target)
        copy._everything()
        return copy

    def _bearing(self, instead: Instead, facts: Facts, targets: Iterable[str]) -> Iterator[str]:
        """The identities whose edges an edit can change: its holders, those who reach what it is of, whom it names."""
        for place in instead:
            if place.kind == "boundary" and place.owner in facts.identities:  # others may gain by what it limits
                yield from facts.of_account[facts.identities[place.owner].account].arns
        yield from (arn for arn, each in facts.identities.items() if facts.bears(instead, each))
        for target in targets:
            if target not in self.graph:
                continue
            for node in self.graph.predecessors(target):
                yield node.partition(" ")[0]
            identity, thing = facts.identities.get(target), facts.things.get(target)
            account = identity.account if identity else thing.account if thing else ""
            for kind, name in named(identity.trust if identity else thing.policy if thing else None):
                whole = account if kind == "Service" or name == "*" else name
                yield from facts.of_account[whole].arns if whole in facts.of_account else [name]


def _uses_of(thing: Thing | None) -> list[tuple[Use, str]]:
    """What may be done to a thing, and who owns it."""
    return [(use, thing.account) for use in USES.get(thing.service, ())] if thing else []


def parts(holder: str, part: str, patterns: Iterable[str]) -> list[str]:
    """ARNs to ask about: the resource or any part of it, and one for each pattern that is narrower than the whole."""
    if not part:
        return [holder]
    narrower = [each for each in patterns if each != "*" and each.startswith(holder) and each != holder]
    filled = ["".join("any-object" if c == "*" else "x" if c == "?" else c for c in each) for each in narrower]
    return list(dict.fromkeys([holder + part, *filled]))
