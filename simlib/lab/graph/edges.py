"""The whole graph, from the facts of a world."""

from __future__ import annotations

import networkx as nx

from . import escalation, permissions, trust
from .draft import Draft
from .facts import Facts


def graph_of(facts: Facts) -> nx.DiGraph:
    """Nodes with `kind`, `label` and `account`; edges with `kind` and `ways`, each of them decided by the engine.

    `graph.graph["asked"]` is how many decisions that took.
    """
    draft = Draft(facts)
    for identity in facts.identities:
        draft.identity(identity)
    trust.draw(draft)
    permissions.draw(draft)
    escalation.draw(draft)
    draft.graph.graph["asked"] = draft.asked
    return draft.graph
