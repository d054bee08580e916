"""What AccessGraph answers: values that print themselves and show their picture, wherever they are kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import networkx as nx

from simlib.audit.graph import LOOKED_AT, NOT_LOOKED_AT
from simlib.audit.paths import Path, Reached, words

from ..look import chip, fold, icon, panel_card
from ..markup import number_of
from ..page import Child, Part, code, el, name
from ..panel import Displayable
from . import drawing
from .layout import Layout, kinds_text
from .light import Light

MOST_ROWS = 40  # of a blast radius are told; the rest is counted
_LINES = {"": "is, assumes, starts, runs as", ".is-dashed": "takes over, controls", ".is-dotted": "may use"}
_STEP = el("li", el("span.sl-n.is-here", "1"), "a step of the way")
_LEGEND = el("ul.sl-legend", [el("li", el(f"i.sl-line{css}"), word) for css, word in _LINES.items()], _STEP, text="")


@dataclass(frozen=True)
class Snapshot:
    """The picture at one moment. A pane that is too narrow for it has the words below it alone."""

    graph: nx.DiGraph
    layout: Layout
    light: Light
    names: Mapping[str, str]

    @property
    def left_out(self) -> str:
        """What is not drawn one by one, in a sentence; "" where everything is."""
        counts = sum((counts for _, counts in self.graph.nodes(data="counts") if counts), Counter[str]())
        return f"Folded into cards, and still counted: {kinds_text(counts)}." if counts else ""

    def part(self, title: str, zoom: float = 1.0) -> Part:
        """The picture for a page; whoever does not see it reads what stands below it."""
        picture = drawing.picture(self.graph, self.layout, self.light, self.names, title, zoom)
        about = {"role": "region", "aria_label": f"Picture: {title}", "tabindex": "0", "data_pan": "zoom"}
        note = el("p.sl-small.sl-dim", self.left_out) if self.left_out else None
        return el("div.sl-map", el("div.sl-graph", picture, key="picture", **about), note, _LEGEND)


@dataclass(frozen=True, repr=False)
class Answer(Displayable):
    """The `results` from `start` on, in the world as it was then."""

    still: Snapshot
    start: str
    results: tuple[Any, ...]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.results)

    def __len__(self) -> int:
        return len(self.results)

    def __getitem__(self, index: int) -> Any:
        return self.results[index]

    @property
    def sentence(self) -> str:
        """The verdict in one line."""
        return ""

    @property
    def details(self) -> Child:
        """All that was found, below the picture."""
        return None

    def page(self) -> Part:
        return panel_card(self.sentence, el("div.sl-body", self.still.part(self.sentence), self.details, how_far()))


@dataclass(frozen=True, repr=False)
class Paths(Answer):
    """The ways (`Path`) from one to another, shortest first; falsy where there is none."""

    goal: str

    @property
    def sentence(self) -> str:
        if not self.results:
            return f"No way found from {self.start} to {self.goal}."
        ways, steps = number_of(len(self.results), "way"), number_of(len(self.results[0].steps), "step")
        return f"{self.start} reaches {self.goal}: {ways} shown, the shortest in {steps}."

    @property
    def details(self) -> Child:
        if not self.results:
            return el("p", f"Looked at: {'; '.join(LOOKED_AT)}.")
        return [
            el("section", el("h4", name(f"Way {number}: {path.line}")), steps_list(path, self.still.graph))
            for number, path in enumerate(self.results, 1)
        ]


@dataclass(frozen=True, repr=False)
class BlastRadius(Answer):
    """Everything (`Reached`) that whoever has a credential reaches; `until` is when the credential itself ends."""

    until: datetime | None

    @property
    def sentence(self) -> str:
        start = f"{self.start} ({'valid ' if self.until else ''}{words(self.until)})"
        kinds = Counter(each.kind for each in self.results)
        kind_names = {kind: kind for kind in ("user", "role", "machine", "function", "resource")} | {
            "control": "whole account"
        }
        *most, last = [number_of(kinds[kind], word) for kind, word in kind_names.items() if kinds[kind]] or ["nothing"]
        return f"{start} reaches {', '.join(most)}{' and ' if most else ''}{last}."

    @property
    def details(self) -> Child:
        """What is reached, until when at the longest, and how."""
        items: list[Reached] = [each for each in self.results if each.kind != "new"]
        rows = [
            el("li.sl-req", icon("to"),
               el("span.sl-what", el("b", drawing.KINDS.get(each.kind, each.kind)), " ", code(each.label)),
               el("span.sl-ends.sl-dim", words(each.until)), el("p.sl-open.sl-dim", each.path.line))
            for each in items[:MOST_ROWS]
        ]  # fmt: skip
        rest = len(items) - len(rows)
        return (el("ul.sl-reqs", rows), el("p.sl-dim", f"and {rest} more") if rest else None) if rows else None


def steps_list(path: Path, graph: nx.DiGraph, opened: frozenset[int] = frozenset(), *, live: bool = False) -> Part:
    """The steps of a way, numbered as in the picture; why each is allowed opens in place."""
    rows = []
    for index, step in enumerate(path.steps):
        ends = [chip(graph.nodes[node]["kind"], label) for node, label in
                ((step.source, step.source_label), (step.target, step.target_label))]  # fmt: skip
        hop = el("span.sl-hop", ends[0], icon("to", "sl-to"), ends[1], text="")
        inside = el("pre.sl-quiet", step.explanation, on="" if index in opened else "still")
        toggle = {"data_toggle": "step", "value": str(index)} if live else {}
        why = fold(Part("", ("Why?",), text=""), inside, key=f"step-{index}", opened=index in opened, **toggle)
        words = el("div", hop, el("p", name(f"{step.sentence}.")), why)
        rows.append(el("li", el("span.sl-n.is-here", str(index + 1)), words))
    return el("ol.sl-steps", rows)


def how_far() -> Part:
    """What is looked at and what is not."""
    parts = [
        el("div", el("p", head), el("ul", [el("li", each) for each in items]))
        for head, items in (("Looked at:", LOOKED_AT), ("Not looked at:", NOT_LOOKED_AT))
    ]
    text = f"Not looked at: {'; '.join(NOT_LOOKED_AT)}."
    return fold("How far this goes, and how far not", parts, key="how-far", text=text)
