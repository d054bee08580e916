"""Where everything stands: a box for each account, a column for each kind in it, and a place that is kept.

A node has its place from when it is first shown. Edges that come and go move nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import networkx as nx

COLUMNS = ("key", "user", "new", "role", "control", "resource")
_COLUMN = {name: index for index, name in enumerate(COLUMNS)} | {
    "session": 0, "outside": 0, "machine": 2, "function": 2, "more": 5
}  # fmt: skip
WIDTH, HEIGHT, ACROSS, DOWN = 156, 48, 206, 62  # of a node, and from one to the next
PAD, HEAD, GAP = 16, 26, 18  # inside a box, its heading, between boxes
OUTSIDE = "outside"


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


class Places:
    """The row of every node that has been shown, by account and column."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, int], dict[str, int]] = {}

    def layout(self, graph: nx.DiGraph, shown: Iterable[str]) -> Layout:
        """Places for the nodes shown; new ones take the first free row, next to what they are linked with."""
        groups: dict[str, dict[int, list[str]]] = {}
        for node in shown:
            about = graph.nodes[node]
            account = OUTSIDE if about["kind"] == "outside" else about["account"]
            groups.setdefault(account, {}).setdefault(_COLUMN.get(about["kind"], 5), []).append(node)
        used = sorted({column for columns in groups.values() for column in columns})
        across = {column: PAD + index * ACROSS for index, column in enumerate(used)}
        width = 2 * PAD + (len(used) - 1) * ACROSS + WIDTH if used else 0.0
        spots, boxes, top = {}, [], 0.0
        for account in sorted(groups, key=lambda name: (name != OUTSIDE, name)):
            rows = self._placed(graph, account, groups[account])
            for node, (column, row) in rows.items():
                spots[node] = Spot(across[column], top + HEAD + PAD + row * DOWN)
            tall = 1 + max(row for _, row in rows.values())
            height = HEAD + 2 * PAD + tall * DOWN - (DOWN - HEIGHT)
            boxes.append(Box(account, 0, top, width, height))
            top += height + GAP
        return Layout(spots, tuple(boxes), width, max(top - GAP, 0))

    def _placed(self, graph: nx.DiGraph, account: str, columns: dict[int, list[str]]) -> dict[str, tuple[int, int]]:
        placed: dict[str, tuple[int, int]] = {}
        for column in sorted(columns):
            rows = self._rows.setdefault((account, column), {})
            taken = {rows[node] for node in columns[column] if node in rows}
            for node in sorted(
                (node for node in columns[column] if node not in rows), key=lambda n: self._near(graph, n, placed)
            ):
                rows[node] = next(row for row in range(len(taken) + 1) if row not in taken)
                taken.add(rows[node])
            placed |= {node: (column, rows[node]) for node in columns[column]}
        return placed

    @staticmethod
    def _near(graph: nx.DiGraph, node: str, placed: Mapping[str, tuple[int, int]]) -> tuple[float, str, str]:
        """The mean row of those it is linked with that have a place already; then its name."""
        linked = [placed[other][1] for other in graph.predecessors(node) if other in placed] if node in graph else []
        return (sum(linked) / len(linked) if linked else 1e9), str(graph.nodes[node]["label"]), node


# -- which nodes are shown ---------------------------------------------------------------------------------------------

_RANK = ("outside", "control", "new", "machine", "function", "role", "user", "resource", "session", "key")


def shown(graph: nx.DiGraph, lit: Iterable[str], most: int, dull: Iterable[str] = ()) -> list[str]:
    """At most so many nodes: what is lit, what is next to it, then the rest by kind; `dull` ones last."""
    first = {node: None for node in lit if node in graph}
    next_to = {other: None for node in first for other in (*graph.predecessors(node), *graph.successors(node))}
    last = set(dull)

    def rank(node: str) -> tuple[bool, bool, bool, int, str]:
        kind = graph.nodes[node]["kind"]
        return node not in first, node in last, node not in next_to, _RANK.index(kind), node

    return sorted(graph.nodes, key=rank)[:most]


def left_out(graph: nx.DiGraph, kept: Iterable[str]) -> list[str]:
    """What is not shown, in words: "12 roles of dev"; empty where everything is."""
    counts: dict[str, int] = {}
    for node in set(graph.nodes) - set(kept):
        kind = str(graph.nodes[node]["kind"])
        counts[kind] = counts.get(kind, 0) + 1
    return [f"{count} {_plural(kind, count)}" for kind, count in sorted(counts.items())]


def _plural(kind: str, count: int) -> str:
    word = {"new": "new machine or function", "control": "account", "outside": "outsider"}.get(kind, kind)
    return word if count == 1 else f"{word}s"


__all__ = ["COLUMNS", "Box", "Layout", "Places", "Spot", "left_out", "shown"]
