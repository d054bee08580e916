"""Where everything stands: a lane for each account, a column for each kind in it, one card for what there is much of.

Nodes keep their order from when they are first shown: edges that come and go move nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import networkx as nx

from ..markup import number_of
from .light import Light

_COLUMN = {"key": 0, "session": 0, "user": 0, "outside": 0, "new": 1, "machine": 1, "function": 1, "role": 2,
           "group": 2, "control": 3, "resource": 4}  # fmt: skip
WIDTH, HEIGHT, ACROSS, DOWN = 178, 48, 222, 62  # of a node, and from one to the next
PAD, HEAD, GAP, ARC = 16, 26, 18, 32  # inside a lane, its heading, between lanes, round the last column
OUTSIDE, OTHERS = "outside", "others"  # lanes that are no account's
FEW, MORE, LANES = 4, 40, 6  # nodes of a kind before a card, those that a click on it adds, lanes before a card


class Spot(NamedTuple):
    """The upper left corner of a node."""

    x: float
    y: float


class Box(NamedTuple):
    """The frame of an account."""

    account: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Layout:
    spots: Mapping[str, Spot]
    boxes: tuple[Box, ...]
    width: float
    height: float


class NodePlaces:
    """Every node that has been shown, in the order of its lane and column."""

    def __init__(self) -> None:
        self._order: dict[tuple[str, int], dict[str, None]] = {}

    def layout(self, graph: nx.DiGraph) -> Layout:
        """Places for the nodes of a graph; new ones come last, next to what they are linked with."""
        lanes: dict[str, dict[int, list[str]]] = {}
        for node, about in graph.nodes(data=True):
            lanes.setdefault(lane_of(about), {}).setdefault(_column(about), []).append(node)
        columns_used = sorted({column for columns in lanes.values() for column in columns})
        across = {column: PAD + index * ACROSS for index, column in enumerate(columns_used)}
        width = 2 * PAD + (len(columns_used) - 1) * ACROSS + WIDTH + ARC if columns_used else 0.0
        spots, boxes, top = dict[str, Spot](), [], 0.0
        for lane in sorted(lanes, key=lambda name: (name == OTHERS, name != OUTSIDE, name)):
            rows: dict[str, int] = {}
            for column, nodes in sorted(lanes[lane].items()):
                order = self._order.setdefault((lane, column), {})
                new = sorted(set(nodes).difference(order), key=lambda node: _near(graph, node, rows))
                order |= dict.fromkeys(new)
                shown_nodes = sorted(
                    (each for each in order if each in set(nodes)), key=lambda node: _is_card(graph, node)
                )
                rows |= {node: row for row, node in enumerate(shown_nodes)}
                spots |= {node: Spot(across[column], top + HEAD + PAD + rows[node] * DOWN) for node in nodes}
            height = HEAD + 2 * PAD + (1 + max(rows.values())) * DOWN - (DOWN - HEIGHT)
            boxes.append(Box(lane, 0, top, width, height))
            top += height + GAP
        return Layout(spots, tuple(boxes), width, max(top - GAP, 0))


def lane_of(about: Mapping[str, str]) -> str:
    return OUTSIDE if about["kind"] == "outside" else about["account"]


def _column(about: Mapping[str, str]) -> int:
    return _COLUMN[about.get("of", about["kind"])]


def _near(graph: nx.DiGraph, node: str, placed: Mapping[str, int]) -> tuple[bool, float, str, str]:
    """Cards last; else the mean row of those that lead to it and have a place already; then its name."""
    rows = [placed[other] for other in graph.predecessors(node) if other in placed]
    mean = sum(rows) / len(rows) if rows else 1e9
    return _is_card(graph, node), mean, str(graph.nodes[node]["label"]), node


def _is_card(graph: nx.DiGraph, node: str) -> bool:
    return bool(graph.nodes[node]["kind"] == "card")


# -- what there is much of ---------------------------------------------------------------------------------------------


def with_cards(
    graph: nx.DiGraph, light: Light, opened: Mapping[str, int], dull: Iterable[str] = ()
) -> tuple[nx.DiGraph, Light]:
    """The graph with cards in place of many nodes, and its light; what a way leads through stays by itself.

    A card stands for nodes of one account, kind and IAM path, or for whole accounts; `opened` says how often each
    was clicked, `dull` which nodes go in first.
    """
    cards = _cards(graph, light, opened, set(dull))
    home = {node: card for card, nodes in cards.items() for node in nodes}
    picture = nx.DiGraph()
    picture.add_nodes_from((node, about) for node, about in graph.nodes(data=True) if node not in home)
    for card, nodes in cards.items():
        about, counts = graph.nodes[nodes[0]], Counter(str(graph.nodes[node]["kind"]) for node in nodes)
        lanes = {lane_of(graph.nodes[node]) for node in nodes}
        of_accounts = {"of": "outside", "label": f"{len(lanes)} more accounts", "account": OTHERS}
        of_kind = {"of": about["kind"], "label": kinds_text(counts), "account": lane_of(about)}
        attributes = of_accounts if card == OTHERS else of_kind
        picture.add_node(
            card, kind="card", short=attributes["label"], names=_names(graph, nodes), counts=counts, **attributes
        )
    for source, target, about in graph.edges(data=True):
        edge = home.get(source, source), home.get(target, target)
        if edge[0] != edge[1] and edge not in picture.edges:
            picture.add_edge(*edge, **about)

    def moved(edges: Iterable[tuple[str, str]]) -> frozenset[tuple[str, str]]:
        return frozenset((home.get(a, a), home.get(b, b)) for a, b in edges) & set(picture.edges)

    return picture, replace(
        light, reached_edges=moved(light.reached_edges), added=moved(light.added), removed=moved(light.removed)
    )


def _cards(graph: nx.DiGraph, light: Light, opened: Mapping[str, int], last: set[str]) -> dict[str, list[str]]:
    """The nodes that a card stands for, by its name."""
    asked_about, lit_nodes = light.nodes | {node for edge in light.path for node in edge}, light.all_nodes
    lanes: dict[str, list[str]] = {}
    for node, about in graph.nodes(data=True):
        lanes.setdefault(lane_of(about), []).append(node)
    weight = {lane: (asked_about.isdisjoint(nodes), lit_nodes.isdisjoint(nodes)) for lane, nodes in lanes.items()}
    order = sorted(lanes, key=lambda lane: (*weight[lane], lane != OUTSIDE, lane))
    asked_lanes, reached_lanes = (
        (sum(not far for far in each) for each in zip(*weight.values(), strict=True)) if lanes else (0, 0)
    )
    most = max(asked_lanes, min(reached_lanes, LANES) if asked_about else LANES, 1) + MORE * opened.get(OTHERS, 0)
    groups: dict[str, list[str]] = {}
    for lane, nodes in lanes.items():
        many = Counter(_column(graph.nodes[node]) for node in nodes)
        for node in nodes:
            column, kind = _column(graph.nodes[node]), graph.nodes[node]["kind"]
            part = "keys" if kind in ("key", "session") else _path(node) if many[column] > 3 * FEW else ""
            far = len(order) > most + 1 and lane in order[most:]
            groups.setdefault(OTHERS if far else f"{lane} {column} {part}", []).append(node)
    cards = {OTHERS: groups.pop(OTHERS)} if OTHERS in groups else {}
    for card, nodes in groups.items():
        fixed_count = len(asked_about.intersection(nodes))
        few = (1 if card.endswith("keys") else FEW) + MORE * opened.get(card, 0)
        if len(nodes) > max(few, fixed_count):
            ranked = sorted(
                nodes, key=lambda n: (n not in asked_about, n not in lit_nodes, n in last, -graph.degree(n), n)
            )
            cards[card] = ranked[max(few - 1, fixed_count) :]
    return cards


def _path(node: str) -> str:
    """The IAM path of a user or role: `/team/`."""
    return node.partition("/")[2].rpartition("/")[0]


def _names(graph: nx.DiGraph, nodes: list[str]) -> str:
    names = [str(graph.nodes[node]["label"]) for node in nodes[:20]]
    return ", ".join(names) + (f" and {len(nodes) - 20} more" if len(nodes) > 20 else "")


def kinds_text(counts: Counter[str]) -> str:
    """What there is, in words: "12 roles", "6 credentials"."""
    if counts["key"] and counts["session"]:
        others = {kind: n for kind, n in counts.items() if kind not in ("key", "session")}
        counts = Counter(others, credential=counts["key"] + counts["session"])
    words = {"control": "account", "outside": "outsider", "new": "new machine"}
    return ", ".join(number_of(n, words.get(kind, kind)) for kind, n in sorted(counts.items()) if n)
