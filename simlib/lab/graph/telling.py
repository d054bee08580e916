"""AccessGraph in words, and as the HTML of its page: the same truth as the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..markup import card, escape, table
from . import queries, ways
from .answers import BlastRadius, how_far
from .queries import Path

if TYPE_CHECKING:
    from .panel import AccessGraph

MOST_LINKS = 60  # told one by one
MOST_CHOICES = 300  # offered while one types; any other name can be typed as well


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
    said = [queries.step(graph, *edge).sentence for edge in edges[:MOST_LINKS]]
    rest = graph.number_of_edges() - len(said)
    return [*said, *([f"… and {rest} more"] if rest else [])]


# -- the page ----------------------------------------------------------------------------------------------------------


def page(panel: AccessGraph, key: str = "", start: str = "", goal: str = "") -> str:
    """The panel as HTML; with a `key` it has controls, and `start` and `goal` are what is typed there."""
    wrong = f"<p>{escape(panel.problem)}</p>" if panel.problem else ""
    question = _question(panel, key, start, goal) if key else ""
    verdict = f'<div role="status"><p><b>{escape(panel.title)}</b></p>{wrong}</div>'
    picture = f"{_here(panel, key)}{panel.still.html(panel.title)}{_steps(panel, key)}"
    body = f"{question}{verdict}{picture}{_changed(panel)}{_below(panel)}"
    return card(body + how_far(), css="sl-wide sl-access")


def _question(panel: AccessGraph, key: str, start: str, goal: str) -> str:
    choices = "".join(f'<option value="{escape(name)}"></option>' for name in panel.choices()[:MOST_CHOICES])
    fields = "".join(
        f'<label>{label} <input data-do="{do}" list="{key}-names" value="{escape(value)}" '
        f'placeholder="{hint}" autocomplete="off" spellcheck="false"></label>'
        for label, do, value, hint in (
            ("From", "start", start, "a user, a role, a key"),
            ("To", "goal", goal, "empty: all it reaches"),
        )
    )
    button = '<button data-do="show">Show</button><button data-do="again">Look again</button>'
    return f'<datalist id="{key}-names">{choices}</datalist><div class="sl-bar">{fields}{button}</div>'


def _here(panel: AccessGraph, key: str) -> str:
    """Above the picture: the step one is at, and the buttons to the others."""
    if panel.step is None:
        return ""
    way = panel.ways[panel.chosen]
    said = f"Step {panel.at + 1} of {len(way.steps)}: {panel.step.sentence}."
    return f'{_controls(panel, len(way.steps)) if key else ""}<p role="status">{escape(said)}</p>'


def _steps(panel: AccessGraph, key: str) -> str:
    """Below it: the way that is shown, and the decisions behind the step one is at."""
    if panel.step is None:
        return ""
    way = panel.ways[panel.chosen]
    head = f"Way {panel.chosen + 1} of {len(panel.ways)}: {way.line}"
    why = f"<h4>Why step {panel.at + 1} is allowed</h4><pre>{escape(panel.step.explanation)}</pre>"
    return f"<h4>{escape(head)}</h4>{_table(way, panel.at, key)}{why}"


def _controls(panel: AccessGraph, steps: int) -> str:
    at, ways_shown = panel.at, len(panel.ways)
    other = (panel.chosen + 1) % ways_shown
    return (
        '<div class="sl-bar">'
        + _button("step", at - 1, "Step back", at > 0)
        + _button("step", at + 1, "Next step", at + 1 < steps)
        + (_button("way", other, "Next way", True) if ways_shown > 1 else "")
        + "</div>"
    )


def _button(do: str, value: int, text: str, can: bool) -> str:
    off = "" if can else ' aria-disabled="true"'
    return f'<button data-do="{do}" data-value="{value}"{off}>{text}</button>'


def _table(way: Path, at: int, key: str) -> str:
    rows = []
    for number, step in enumerate(way.steps):
        here = number == at
        mark = f"{'▶ ' if here else ''}{number + 1}"
        name = f"Step {number + 1}" + (", shown" if here else "")
        head = f'<button class="sl-row" data-do="step" data-value="{number}" aria-label="{name}">{mark}</button>'
        said = f"{escape(step.sentence)}."
        rows.append([head if key else mark, f"<b>{said}</b>" if here else said])
    return table(["Step", "What happens"], rows)


def _changed(panel: AccessGraph) -> str:
    if not (changes := panel.changes):
        return ""
    listed = "".join(f"<li>{escape(change)}</li>" for change in changes[:MOST_LINKS])
    rest = f"<p>and {len(changes) - MOST_LINKS} more</p>" if len(changes) > MOST_LINKS else ""
    return f"<h4>What has changed: + has come, − is gone, ± is different</h4><ul>{listed}</ul>{rest}"


def _below(panel: AccessGraph) -> str:
    """Below the picture: everything that is reached, or the links it shows."""
    if isinstance(panel.answer, BlastRadius):
        return panel.answer.html
    said = table(["Link"], [[escape(sentence)] for sentence in links(panel)])
    return f"<details><summary>Every link in words</summary>{said}</details>"
