"""Who leads to whom over all accounts of a world: credentials, trust, ways to power, what may be done to resources.

Nodes have `kind`, `label`, `short` and `account`, edges `kind` and `reasons`; the engine has allowed every one of them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import NamedTuple

import networkx as nx

from simlib.audit.arns import Arns, account_of, principals_of
from simlib.audit.difference import Difference
from simlib.audit.escalation import ROWS, Finder, Way, compute_of
from simlib.audit.facts import ANYBODY, DELIVERIES, Facts, Identity, LiveCredential, Thing
from simlib.audit.grants import Instead
from simlib.iam import Evaluation

#: Kinds of edges, and what each is called where there is room for a word only.
ACTS, ASSUMES, MAY, STARTS, RUNS, TAKES, OWNS = "acts", "assumes", "may", "starts", "runs", "takes", "owns"
WORDS = {ACTS: "is", ASSUMES: "assumes", MAY: "may use", STARTS: "starts", RUNS: "runs as", TAKES: "takes over",
         OWNS: "controls"}  # fmt: skip
ANYONE = "anyone"
HOUR = 1.0  # a chained session lasts an hour at most, whatever the role says
_UNSEEN = "their own account allows it, which we cannot see"
_SERVED = "an AWS service acts for them"


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

    `hours` is how much longer than its source the gain lasts: 0, an hour for an assumed role, `inf` without end.
    """

    kind: str
    does: str
    evaluations: tuple[Evaluation, ...] = ()
    needs: tuple[str, ...] = ()
    hours: float = 0


class Actor(NamedTuple):
    """Somebody who is asked for: an identity, or a session that may do less than the one behind it."""

    node: str
    who: str
    identity: Identity


class AccessMap:
    """The graph of what is known of a world, as `graph`."""

    def __init__(self, facts: Facts) -> None:
        self.facts, self.finder, self.graph = facts, Finder(facts), nx.DiGraph()
        self._controlled: set[str] = set()
        self._decide(facts.identities, [*facts.identities, *facts.things])

    def edited(self, instead: Instead) -> AccessMap:
        """The graph with some documents in place of stored ones."""
        return self.after(self.facts.edited(instead))

    def after(self, facts: Facts) -> AccessMap:
        """The graph for other facts of the same world: decided again is only what the difference can bear on."""
        difference = Difference(self.facts, facts)
        if difference.is_everything:
            return AccessMap(facts)
        copy = object.__new__(AccessMap)
        copy.__dict__.update(facts=facts, finder=Finder(facts), graph=self.graph.copy(), _controlled=self._controlled)
        reach = {node.partition(" ")[0] for each in difference.targets & self.graph.nodes
                 for node in self.graph.predecessors(each)}  # fmt: skip
        nodes, before = (
            {*each.identities, *each.things, *(credential.key_id for credential in each.credentials)}
            for each in (facts, self.facts)
        )
        for node in before - nodes:
            copy._forget(node)
            copy.graph.remove_node(node)
        copy._decide(difference.actors | reach | (nodes - before), difference.targets & nodes)
        return copy

    def _decide(self, actors: Collection[str], targets: Collection[str]) -> None:
        """Everything that leads from these users, roles and keys, and from outside to these roles and resources."""
        for each in self.facts.identities.values():
            if each.arn in actors:
                self._node(each.arn, each.kind, each.name, each.account)
        for arn in targets:
            if thing := self.facts.things.get(arn):
                self._thing(thing)
        for credential in self.facts.credentials:
            if not self.graph.has_node(credential.key_id):
                self._credential(credential)
        for actor in self.actors():
            if actor.node in actors or actor.identity.arn in actors:
                self._forget(actor.node)
                self._from(actor)
        for arn in targets:
            near = [n for n in self.graph.predecessors(arn) if self.graph.nodes[n]["kind"] in ("outside", "control")]
            self.graph.remove_edges_from([(source, arn) for source in near])
            self._into(arn)
            if (owner := self.facts.owner(arn)) in self._controlled:
                self._controls(arn, owner)
        self._everything()

    def _forget(self, node: str) -> None:
        """Take away whatever leads from a node, with what it would start."""
        self.graph.remove_nodes_from([each for each in self.graph[node] if each.startswith(f"{node} ")])
        self.graph.remove_edges_from(list(self.graph.out_edges(node)))
        self.graph.nodes[node].pop("renews", None)

    def actors(self) -> list[Actor]:
        own = [Actor(arn, arn, identity) for arn, identity in self.facts.identities.items()]
        less = [credential for credential in self.facts.credentials if credential.narrowed]
        return own + [Actor(each.key_id, each.arn, self.facts.identities[each.behind]) for each in less]

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
        self.graph.remove_edges_from(list(self.graph.out_edges(thing.arn)))
        if role := self.facts.identities.get(thing.runs_as):
            self._edge(thing.arn, role.arn, Reason(RUNS, f"runs as the role {role.name}"))

    def _credential(self, credential: LiveCredential) -> None:
        """A key is its user, a session its role, unless it may do less."""
        identity = self.facts.identities[credential.behind]
        kind, label = "key", f"key …{credential.key_id[-4:]}"
        if credential.expires:
            kind, label = "session", f"session {credential.arn.rpartition('/')[2]}"
        self._node(credential.key_id, kind, label, identity.account)
        self.graph.nodes[credential.key_id]["expires"] = credential.expires
        if not credential.narrowed:
            does = f"acts as a session of {identity.name}" if credential.expires else f"signs in as {identity.name}"
            self._edge(credential.key_id, credential.behind, Reason(ACTS, does))

    def _account(self, number: str) -> str:
        """The node that stands for an account: everything in one we look into, anybody in one we do not."""
        if number in self.facts.accounts:
            label = f"everything in {self.facts.accounts[number]}"
            return self._node(number, "control", label, number, "whole account")
        name = self.facts.names.get(number) or DELIVERIES.get(number, [""])[0]
        label = f"account {number} ({name})" if name else f"account {number}"
        return self._node(number, "outside", label, number, name or number)

    # -- what somebody leads to ----------------------------------------------------------------------------------------

    def _from(self, actor: Actor) -> None:
        node, who, identity = actor
        if (needs := self.finder.administrator(who, identity)) is not None:
            owns = Reason(OWNS, "is an administrator: any permission there is", needs=needs)
            self._edge(node, self._account(identity.account), owns)
        for way in self.finder.ways(identity, who, brief=True):
            self._way(node, identity, way)
        self._uses(actor)

    def _way(self, node: str, identity: Identity, way: Way) -> None:
        """The edges of a way to power; who takes over everything in an account takes over each of it."""
        row, does, decisions = ROWS[way.id], way.does, (way.evaluations, way.needs)
        if way.id == "sts-001":
            self._edge(node, way.target, Reason(ASSUMES, does, *decisions, HOUR))
        elif way.gains == "any" and way.whole:
            owned = self._account(account_of(way.target))
            self._edge(node, owned, Reason(OWNS, f"{does} ({way.actions}): any permission there is", *decisions, inf))
        elif row["on"] == "passed":
            self._passes(node, identity, way, row["service"])
        elif row["on"] == "running" and way.thing:
            self._edge(node, way.thing, Reason(TAKES, f"{does} ({way.actions})", *decisions, inf))
        elif row["on"] in ("user", "role", "other group"):
            if row["on"] == "other group":
                self._node(way.target, "group", way.target.rpartition("/")[2], identity.account)
            self._edge(node, way.target, Reason(TAKES, f"{does} ({way.actions})", *decisions, inf))

    def _passes(self, node: str, identity: Identity, way: Way, service: str) -> None:
        """Something that somebody starts, and the role it then runs as."""
        role, thing = self.facts.identities[way.target], compute_of(ROWS[way.id])
        new = self._node(f"{node} {service}", "new", f"a new {thing}", identity.account)
        actions = ", ".join(dict.fromkeys(action for action, _ in way.asks[1:]))
        self._edge(node, new, Reason(STARTS, f"starts a {thing} ({actions})", way.evaluations[1:], way.needs, inf))
        trusted = self.finder.trust_of(service, role.arn)
        passed = (way.evaluations[0], *([trusted.evaluation] if trusted else []))
        does = f"runs as the role {role.name}, which {self.graph.nodes[node]['label']} passes to it (iam:PassRole)"
        if not self.graph.has_edge(new, role.arn):
            self._edge(new, role.arn, Reason(RUNS, does, passed, way.needs, inf))

    def _uses(self, actor: Actor) -> None:
        """The resources that somebody may use; whatever may be done there are the reasons of one edge."""
        identity, things = actor.identity, self.facts.things
        named_in = [self.facts.lets_in.get(name, Arns()).arns for name in (identity.arn, "*", identity.account)]
        open_to_caller, foreign = {*named_in[0], *named_in[1]}, {arn for arns in named_in for arn in arns}
        for service, arns in self.facts.of_service.items():
            for use in USES.get(service, ()):
                patterns = identity.patterns(use.action)
                candidates = dict.fromkeys(arn for pattern in patterns for arn in arns.holders(pattern))
                candidates |= dict.fromkeys(arn for arn in open_to_caller if things[arn].service == service)
                for arn in candidates:
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
            may_be_allowed = (thing and thing.policy) or only.all_matching(identity.patterns(action))
            if may_be_allowed and (grant := self.facts.grant(who, action, resource)):
                copy._edge(node, resource, Reason(MAY, "use", grant[:1], grant.needs))
        return copy

    # -- who leads to something from outside ---------------------------------------------------------------------------

    def _into(self, arn: str) -> None:
        """Whom a role's or a resource's own policy lets in from where we cannot look."""
        role, owner = self.facts.identities.get(arn), self.facts.owner(arn)
        for kind, name in principals_of(self.facts.policy_of(arn)):
            number, who, by, condition = account_of(name), name, "", _UNSEEN
            if kind == "Federated" and role:
                action = "sts:AssumeRoleWithSAML" if ":saml-provider/" in name else "sts:AssumeRoleWithWebIdentity"
                node, condition = name, ""
            elif kind == "AWS" and (name == "*" or (number and number not in self.facts.accounts)):
                action, node = "sts:AssumeRole", number or ANYONE
                if name in ("*", number):
                    who = f"arn:aws:iam::{number or '0' * 12}:role/{ANYBODY}"
                else:
                    by = f" as {name.split(':', 5)[5]}"
            else:
                continue
            if role:
                questions = [(Reason(ASSUMES, f"assumes the role {role.name}{by}", hours=inf), action, arn)]
            else:
                questions = self._questions(arn)
                if name == "*":
                    who, condition = "anonymous", "no credentials at all"
            for reason, action, resource in questions:
                also, grant = condition, self.facts.grant_outside(who, action, resource, owner)
                if grant is None and number:
                    also, grant = _SERVED, self.facts.grant_outside(who, action, resource, owner, acting=number)
                if grant:
                    needs = tuple(filter(None, (also, *grant.needs))) or ("any token of it does",)
                    self._edge(self._outside(node), arn, replace(reason, evaluations=grant[:1], needs=needs))

    def _questions(self, arn: str) -> list[tuple[Reason, str, str]]:
        """What may be done to a resource, each with the action, and the ARN it is asked on."""
        uses = USES.get(self.facts.things[arn].service, ())
        return [(Reason(MAY, use.verb), use.action, arn + use.part) for use in uses]

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
        kinds = list(self.graph.nodes(data="kind"))
        near = {"outside": self.graph.succ, "control": self.graph.pred, "group": self.graph.pred}
        self.graph.remove_nodes_from([node for node, kind in kinds if kind in near and not near[kind][node]])
        owned = {node for node, kind in kinds if kind == "control" and node in self.graph}
        new, self._controlled = owned - self._controlled, owned
        for number in sorted(new):
            for arn in self.facts.of_account.get(number, Arns()).arns:
                self._controls(arn, number)
        for thing in self.facts.things.values() if new else ():
            if thing.account in new:
                self._controls(thing.arn, thing.account)

    def _controls(self, arn: str, owner: str) -> None:
        root, identity = f"arn:aws:iam::{owner}:root", self.facts.identities.get(arn)
        if identity:
            action, does = "iam:UpdateAssumeRolePolicy", "rewrites the trust policy of"
            if identity.kind == "user":
                action, does = "iam:CreateAccessKey", "makes an access key for"
            takes = Reason(TAKES, f"{does} {identity.name}", hours=inf)
            questions = [] if identity.is_of_aws else [(takes, action, arn)]
        else:
            questions = self._questions(arn)
        for reason, action, resource in questions:
            if grant := self.facts.grant(root, action, resource):
                self._edge(owner, arn, replace(reason, evaluations=grant[:1], needs=grant.needs))


def parts(holder: str, part: str, patterns: Iterable[str]) -> list[str]:
    """ARNs to ask about: the resource or any part of it, and one for each pattern that is narrower than the whole."""
    if not part:
        return [holder]
    narrower = [each for each in patterns if each != "*" and each.startswith(holder) and each != holder]
    filled = ["".join("any-object" if c == "*" else "x" if c == "?" else c for c in each) for each in narrower]
    return list(dict.fromkeys([holder + part, *filled]))
