"""By which names the nodes of a graph can be asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

import networkx as nx


class Names:
    """The names of a graph's nodes; of its `accounts`, and of those `outside` that may have no node (number: name)."""

    def __init__(self, graph: nx.DiGraph, accounts: Mapping[str, str], outside: Mapping[str, str]) -> None:
        self._graph, self._accounts, self._outside = graph, accounts, outside
        self._labels = Counter(label for _, label in graph.nodes(data="label"))
        self._with_account = Counter(self._full(node) for node in graph)

    def label(self, node: str) -> str:
        """A node's name for people."""
        if node in self._graph:
            return str(self._graph.nodes[node]["label"])
        return f"account {node} ({self._outside[node]})" if node in self._outside else node

    def told(self, node: str) -> str:
        """The same; "lab-admin (mallory)" where others are called so, too."""
        label = self.label(node)
        if self._labels[label] < 2 or node not in self._graph:
            return label
        account = str(self._graph.nodes[node].get("account", ""))
        return f"{label} ({self._accounts.get(account, account)})"

    def _full(self, node: str) -> str:
        """ "dev/alice"."""
        account = str(self._graph.nodes[node].get("account", ""))
        return f"{self._accounts.get(account, account)}/{self.label(node)}"

    def short(self, node: str) -> str:
        """The shortest text that finds the node again: "alice", "dev/alice", its ARN."""
        label = self.label(node)
        if self._labels[label] == 1 or node not in self._graph:
            return label if node in self._graph else node
        full = self._full(node)
        return full if self._with_account[full] == 1 else node

    def choices(self) -> list[str]:
        """Everything there is, each by its shortest name."""
        return sorted(map(self.short, self._graph))

    def find(self, name: str) -> str:
        """The node of that name ("alice", "dev/alice"), ARN, access key or account number; raises `LookupError` where
        it is not one node."""
        if name in self._graph or name in self._outside:
            return name
        folded = name.strip().lower()
        fits = {node for node, about in self._graph.nodes(data=True) if folded in _answers_to(about)}
        fits |= {node for node in self._graph if folded == self._full(node).lower()}
        fits |= {number for number, own in self._outside.items() if folded == own.lower()}
        if len(fits) == 1:
            return fits.pop()
        if fits:
            meant = ", ".join(sorted(map(self.short, fits))[:6])
            raise LookupError(f"{name!r} could be any of: {meant}. Say which, by one of these.")
        near = get_close_matches(name[:200], self.choices(), 3, 0.5)
        also = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise LookupError(f"There is no {name[:200]!r} among what is looked at.{also}")


def _answers_to(about: Mapping[str, Any]) -> Iterator[str]:
    """The names a node answers to, in lower case."""
    label = str(about["label"]).lower()
    yield label
    if about["kind"] == "control":
        yield label.removeprefix("everything in ")
        yield str(about["account"])
    elif about["kind"] == "outside":
        yield label.rpartition("(")[2].removesuffix(")")
