"""By which names the nodes of a graph can be asked for: "alice", "dev/alice", an ARN, an access key, an account."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

import networkx as nx


class Names:
    """The names of a graph's nodes; of its `accounts`, and of those `outside` that may have no node (number: name)."""

    def __init__(self, graph: nx.DiGraph, accounts: Mapping[str, str], outside: Mapping[str, str]) -> None:
        self._graph, self._accounts, self._outside = graph, accounts, outside
        self._nodes: dict[str, list[str]] = {}  # by each name, in lower case
        for node, about in graph.nodes(data=True):
            label = str(about["label"])
            also = [label.removeprefix("everything in "), str(about["account"])] if about["kind"] == "control" else []
            also += [label.rpartition("(")[2].removesuffix(")")] if about["kind"] == "outside" else []
            names = (label, self._full(node), f"{about['account']}/{label}", *also)
            for name in dict.fromkeys(each.lower() for each in names):
                self._nodes.setdefault(name, []).append(node)
        for number, name in outside.items():
            if number not in graph:
                self._nodes.setdefault(name.lower(), []).append(number)

    def label(self, node: str) -> str:
        """A node's name for people."""
        if node in self._graph:
            return str(self._graph.nodes[node]["label"])
        return f"account {node} ({self._outside[node]})" if node in self._outside else node

    def _account(self, node: str) -> str:
        account = str(self._graph.nodes[node].get("account", ""))
        return self._accounts.get(account, account)

    def _full(self, node: str) -> str:
        """ "dev/alice"."""
        return f"{self._account(node)}/{self.label(node)}"

    def _is_alone(self, name: str) -> bool:
        return len(self._nodes.get(name.lower(), ())) == 1

    def in_sentence(self, node: str) -> str:
        """The name in a sentence; "lab-admin (mallory)" where others are called so, too."""
        label = self.label(node)
        return label if node not in self._graph or self._is_alone(label) else f"{label} ({self._account(node)})"

    def short(self, node: str) -> str:
        """The shortest text that finds the node again: "alice", "dev/alice", its ARN."""
        names = (self.label(node), self._full(node)) if node in self._graph else ()
        return next(filter(self._is_alone, names), node)

    def choices(self) -> list[str]:
        """Everything there is, each by its shortest name."""
        return sorted(map(self.short, self._graph))

    def find(self, name: str) -> str:
        """The node of a name; raises `LookupError` where it is not one node."""
        if name in self._graph or name in self._outside:
            return name
        nodes = self._nodes.get(name.strip().lower(), [])
        if len(nodes) == 1:
            return nodes[0]
        if nodes:
            candidates = ", ".join(sorted(map(self.short, nodes))[:6])
            raise LookupError(f"{name!r} could be any of: {candidates}. Say which, by one of these.")
        near = get_close_matches(name[:200], self.choices(), 3, 0.5)
        also = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise LookupError(f"There is nobody and nothing here called {name[:200]!r}.{also}")
