"""AccessGraph in words and as a page without a kernel: the same truth as the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..markup import card, escape, table
from . import queries, ways
from .answers import Paths, how_far, steps_table

if TYPE_CHECKING:
    from .panel import AccessGraph

MOST_EDGES = 60  # told one by one


def told(panel: AccessGraph) -> str:
    """The graph for a terminal: what was asked, what has changed, then every link."""
    answer = panel.answer
    lines = [str(answer) if answer is not None else panel.title]
    lines += [*(["Changed:"] if panel.changes else []), *(f"  {change}" for change in panel.changes)]
    lines += ["Links:", *(f"  {sentence}" for sentence in links(panel))]
    lines.append(f"Not looked at: {'; '.join(ways.NOT_LOOKED_AT)}.")
    return "\n".join(lines)


def links(panel: AccessGraph) -> list[str]:
    """The links that are drawn, in sentences, and how many are not told."""
    graph = panel.graph
    edges = [edge for edge in graph.edges if graph.nodes[edge[0]]["kind"] != "control"]
    said = [queries.step(graph, *edge).sentence for edge in edges[:MOST_EDGES]]
    rest = graph.number_of_edges() - len(said)
    return [*said, *([f"… and {rest} more"] if rest else [])]


def verdict(panel: AccessGraph) -> str:
    """The line of truth, and what is wrong with what was typed."""
    wrong = f"<p>{escape(panel.problem)}</p>" if panel.problem else ""
    return card(f'<div role="status"><p><b>{escape(panel.title)}</b></p>{wrong}</div>')


def detail(panel: AccessGraph) -> str:
    """Below the picture: the steps with the decision behind the one one is at, or everything that is reached."""
    answer, parts = panel.answer, []
    if panel.step is not None:
        way = panel.ways[panel.chosen]
        parts += [
            f"<h4>Way {panel.chosen + 1} of {len(panel.ways)}: {escape(way.line)}</h4>",
            steps_table(way, panel.at),
        ]
        parts += [f"<h4>Why step {panel.at + 1} is allowed</h4><pre>{escape(panel.step.explanation)}</pre>"]
    elif answer is not None and not isinstance(answer, Paths):
        parts.append(answer.html)
    else:
        parts.append(table(["Link"], [[escape(sentence)] for sentence in links(panel)]))
    return card(_changed(panel) + "".join(parts) + how_far(), css="sl-wide")


def _changed(panel: AccessGraph) -> str:
    if not (changes := panel.changes):
        return ""
    listed = "".join(f"<li>{escape(change)}</li>" for change in changes[:MOST_EDGES])
    rest = f"<p>and {len(changes) - MOST_EDGES} more</p>" if len(changes) > MOST_EDGES else ""
    return f"<h4>What has changed (+ come, − gone)</h4><ul>{listed}</ul>{rest}"


def page(panel: AccessGraph) -> str:
    """The last picture, for a page without a kernel."""
    return verdict(panel) + card(panel.still.html(panel.title), css="sl-wide") + detail(panel)
