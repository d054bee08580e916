"""What stands out in a picture of the graph."""

from __future__ import annotations

from dataclasses import dataclass

Edge = tuple[str, str]


@dataclass(frozen=True)
class Light:
    """The edges of a path in order, those of a blast radius, what came and went, and who was asked about."""

    path: tuple[Edge, ...] = ()
    reached_edges: frozenset[Edge] = frozenset()
    added: frozenset[Edge] = frozenset()
    removed: frozenset[Edge] = frozenset()
    nodes: frozenset[str] = frozenset()

    @property
    def edges(self) -> frozenset[Edge]:
        return frozenset(self.path) | self.reached_edges

    @property
    def all_nodes(self) -> frozenset[str]:
        return self.nodes | {node for edge in (*self.edges, *self.added, *self.removed) for node in edge}

    def dims(self, lit: bool) -> str:
        """The class of what is not lit, where anything is."""
        return "" if lit or not (self.nodes or self.edges) else ".unlit"
