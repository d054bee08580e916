"""Ways through the graph: how somebody reaches something, step by step, and everything a credential reaches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, pairwise
from math import inf
from typing import NamedTuple

import networkx as nx

from simlib.audit.grants import only_if
from simlib.audit.graph import MAY, AccessMap, Reason
from simlib.cloud.inspection import Place
from simlib.iam import Evaluation, Policy

MOST_PATHS = 5
TRIED = 60  # ways through the graph that are looked at for them


@dataclass(frozen=True)
class Step:
    """One edge of a path, and why it is there."""

    source: str
    target: str
    source_label: str
    target_label: str
    reasons: tuple[Reason, ...]

    @property
    def sentence(self) -> str:
        """ "bob assumes the role deploy; only if MFA"."""
        first = self.reasons[0]
        return f"{self.source_label} {self._does}{only_if(first.needs)}"

    @property
    def _does(self) -> str:
        """What is done, in one clause for everything that may be done to a resource."""
        first, *others = self.reasons
        if first.kind == MAY:
            verbs = dict.fromkeys(each.does for each in self.reasons)
            actions = dict.fromkeys(evaluation.action for each in self.reasons for evaluation in each.evaluations)
            return f"may {_listed(verbs)} {self.target_label} ({', '.join(actions)})"
        more = "".join(f", or {way.does}" for way in others[:2])
        left = f", and {len(others) - 2} more ways" if len(others) > 2 else ""
        return first.does + more + left

    @property
    def evaluations(self) -> tuple[Evaluation, ...]:
        """The decisions behind it: of its first way."""
        return self.reasons[0].evaluations

    @property
    def explanation(self) -> str:
        """Every decision behind it, explained."""
        texts = [evaluation.explain().replace("`", "") for evaluation in self.evaluations]
        return "\n".join(texts) if texts else "No policy is asked here: whoever has the one has the other."


@dataclass(frozen=True)
class Path:
    """A way from one node to another without a detour."""

    nodes: tuple[str, ...]
    steps: tuple[Step, ...]

    @property
    def line(self) -> str:
        """ "bob → deploy → prod-ledger"."""
        return " → ".join([self.steps[0].source_label, *(step.target_label for step in self.steps)])

    def __str__(self) -> str:
        steps = [f"  {number}. {step.sentence}." for number, step in enumerate(self.steps, 1)]
        return "\n".join([self.line, *steps])

    __repr__ = __str__


def _listed(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def step(graph: nx.DiGraph, source: str, target: str) -> Step:
    label = graph.nodes
    return Step(
        source, target, label[source]["label"], label[target]["label"], tuple(graph.edges[source, target]["reasons"])
    )


def path_of(graph: nx.DiGraph, nodes: Sequence[str]) -> Path:
    return Path(tuple(nodes), tuple(step(graph, *pair) for pair in pairwise(nodes)))


def paths(graph: nx.DiGraph, source: str, target: str, most: int = MOST_PATHS) -> list[Path]:
    """The shortest ways first, none of them with a step that the next one makes superfluous."""
    if source == target or target not in (reached := nx.descendants(graph, source)):
        return []
    between = graph.subgraph((reached | {source}) & (nx.ancestors(graph, target) | {target}))
    useful = nx.DiGraph(sorted(between.edges))
    shortest = sorted(islice(nx.shortest_simple_paths(useful, source, target), TRIED), key=lambda n: (len(n), n))
    direct = [n for n in shortest if len(n) == 1 + nx.shortest_path_length(useful.subgraph(n), source, target)]
    return [path_of(graph, nodes) for nodes in direct[:most]]


# -- what would cut them -----------------------------------------------------------------------------------------------


class Cut(NamedTuple):
    """One change after which no way is left: a document in place of another one, and what it is in words."""

    place: Place
    policy: Policy
    sentence: str


def cuts(access: AccessMap, source: str, target: str) -> Iterator[Cut]:
    """Every single change that cuts all ways from one node to another: a statement taken out, or a Deny added.

    A change that cuts all of them cuts the shortest: those of its steps are tried, each on the graph decided anew.
    """
    ways = paths(access.graph, source, target, 1)
    candidates = {each.sentence: each for way in ways for one in way.steps for each in _changes(access, one)}
    for cut in candidates.values():
        edited = access.edited({**access.facts.instead, cut.place: cut.policy}).graph
        if source not in edited or target not in edited or not nx.has_path(edited, source, target):
            yield cut


def _changes(access: AccessMap, one: Step) -> Iterator[Cut]:
    for evaluation in one.evaluations:
        for decisive in evaluation.deciding.statements:
            place = access.facts.place_of(decisive.policy, evaluation)
            if place is not None:
                rest = [each.document for each in decisive.policy.statements if each.index != decisive.statement.index]
                document = {**decisive.policy.document, "Statement": rest}
                number = f"statement {decisive.statement.index + 1}"
                sentence = f"take {number} out of {place.name or place.kind} of {place.owner}"
                yield Cut(place, Policy.parse(document, place.kind, name=decisive.policy.name), sentence)
    identity = access.facts.identities.get(one.source)
    own = [each for each in one.evaluations if each.context.get("aws:PrincipalArn") == one.source]
    for action, resource in {(each.action, each.resource): None for each in own} if identity else ():
        deny = {"Effect": "Deny", "Action": action, "Resource": resource}
        policy = Policy.parse({"Version": "2012-10-17", "Statement": [deny]}, "identity", name="deny")
        yield Cut(Place(one.source, "identity", "deny"), policy, f"deny {one.source} {action} on {resource}")


# -- who reaches something ---------------------------------------------------------------------------------------------


def who_reaches(graph: nx.DiGraph, target: str) -> list[Path]:
    """The shortest way of everybody who reaches a node, the nearest first; credentials stand for who has them."""
    paths = nx.single_source_shortest_path(graph.reverse(copy=False), target)
    starts = [nodes[::-1] for node, nodes in paths.items() if graph.nodes[node]["kind"] in ("user", "role", "outside")]
    return [path_of(graph, nodes) for nodes in starts if len(nodes) > 1]


# -- everything that can be reached ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reached:
    """A node that a credential leads to: by which path, and until when that is so (None: no end in sight)."""

    node: str
    label: str
    kind: str
    account: str
    path: Path
    until: datetime | None


def reach(graph: nx.DiGraph, source: str, until: datetime | None) -> list[Reached]:
    """Everything that can be reached from a node that is good until then; nearest first."""
    ends = _ends(graph, source, until)
    paths = nx.single_source_shortest_path(graph, source)
    return [
        Reached(node, about["label"], about["kind"], about["account"], path_of(graph, nodes), ends[node])
        for node, nodes in paths.items()
        if node != source
        for about in (graph.nodes[node],)
    ]


def _ends(graph: nx.DiGraph, source: str, until: datetime | None) -> Mapping[str, datetime | None]:
    """Until when each node can be reached at the longest: an assumed role outlives its source by an hour, and who
    can go round in a circle of roles, or makes a key, never has to stop."""
    inside = graph.subgraph(nx.descendants(graph, source) | {source})
    if until is None:
        return dict.fromkeys(inside)
    gains = {edge: max(each.hours for each in inside.edges[edge]["reasons"]) for edge in inside.edges}
    hours: dict[str, float] = {}
    condensed = nx.condensation(inside)
    for circle in nx.topological_sort(condensed):
        members = condensed.nodes[circle]["members"]
        into = [edge for edge in inside.in_edges(members) if edge[0] not in members]
        goes_round = any(gains[edge] for edge in inside.subgraph(members).edges)
        renews = goes_round or any("renews" in inside.nodes[member] for member in members)
        lasts = inf if renews else max((hours[edge[0]] + gains[edge] for edge in into), default=0)
        hours |= dict.fromkeys(members, lasts)
    return {node: None if lasts == inf else until + timedelta(hours=lasts) for node, lasts in hours.items()}


# -- what has changed --------------------------------------------------------------------------------------------------


def changes(before: nx.DiGraph, after: nx.DiGraph) -> Iterator[tuple[str, Step]]:
    """Edges that are gone ("−"), that have come ("+"), and that are there for other reasons than before ("±")."""
    old, new = (
        {(start, end): reasons for start, end, reasons in graph.edges(data="reasons")} for graph in (before, after)
    )
    for sign, graph, edges in (("−", before, old.keys() - new), ("+", after, new.keys() - old)):
        yield from ((sign, step(graph, *edge)) for edge in sorted(edges))
    for edge in sorted(edge for edge in old.keys() & new if old[edge] is not new[edge]):  # those are decided anew
        if step(before, *edge).sentence != step(after, *edge).sentence:
            yield "±", step(after, *edge)


def words(until: datetime | None) -> str:
    return f"until {until:%d %b %Y %H:%M} UTC" if until else "no expiry date"
