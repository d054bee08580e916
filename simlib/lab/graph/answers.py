"""What AccessGraph answers: values that print themselves and show their picture, wherever they are kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import networkx as nx

from simlib.audit.graph import LOOKED_AT, NOT_LOOKED_AT
from simlib.audit.paths import Path, Reached, words

from ..look import fold, icon, panel_card
from ..page import Child, Part, code, el, name
from ..panel import Shown
from . import drawing
from .layout import Layout, counted
from .light import Light

MOST_ROWS = 40  # of a blast radius are told; the rest is counted


@dataclass(frozen=True)
class Still:
    """The picture at one moment."""

    graph: nx.DiGraph
    layout: Layout
    light: Light
    names: Mapping[str, str]

    @property
    def left_out(self) -> str:
        """What is not drawn one by one, in a sentence; "" where everything is."""
        counts = sum((counts for _, counts in self.graph.nodes(data="counts") if counts), Counter[str]())
        return f"Folded into cards: {counted(counts)}. They still count." if counts else ""

    def part(self, title: str, zoom: float = 1.0) -> Part:
        """The picture for a page; whoever does not see it reads what stands below it."""
        drawn = drawing.picture(self.graph, self.layout, self.light, self.names, title, zoom)
        label = f"Picture: {title}"
        scroll = el("div.sl-graph", drawn, tabindex="0", role="region", aria_label=label, data_pan=True, key="picture")
        note = el("p.sl-small.sl-dim", self.left_out) if self.left_out else None
        return el("div", scroll, note, _LEGEND)


_LEGEND = el(
    "ul.sl-legend",
    el("li", el("i.sl-line"), "is, assumes, starts, runs as"),
    el("li", el("i.sl-line.is-dashed"), "takes over, controls"),
    el("li", el("i.sl-line.is-dotted"), "may use"),
    el("li", el("span.sl-n.is-here", "1"), "a step of the way"),
    text="",
)


@dataclass(frozen=True, repr=False)
class Paths(Shown):
    """The ways from one to another, shortest first; falsy where there is none."""

    still: Still
    start: str
    goal: str
    found: tuple[Path, ...]

    def __iter__(self) -> Iterator[Path]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    def __getitem__(self, index: int) -> Path:
        return self.found[index]

    @property
    def sentence(self) -> str:
        """The verdict in one line."""
        if not self.found:
            return f"No way found from {self.start} to {self.goal}."
        count = "1 way" if len(self.found) == 1 else f"{len(self.found)} ways"
        steps = len(self.found[0].steps)
        shortest = f"{steps} step{'' if steps == 1 else 's'}"
        return f"{self.start} reaches {self.goal}: {count} shown, the shortest in {shortest}."

    def page(self) -> Part:
        told = [
            el("section", el("h4", name(f"Way {number}: {path.line}")), steps_list(path))
            for number, path in enumerate(self.found, 1)
        ]
        none = el("p", f"Looked at: {'; '.join(LOOKED_AT)}.") if not told else None
        return panel_card(self.sentence, el("div.sl-body", self.still.part(self.sentence), told, none, how_far()))


@dataclass(frozen=True, repr=False)
class BlastRadius(Shown):
    """Everything that whoever has a credential reaches; `until` is when the credential itself ends."""

    still: Still
    start: str
    until: datetime | None
    found: tuple[Reached, ...]

    def __iter__(self) -> Iterator[Reached]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    @property
    def sentence(self) -> str:
        """The verdict in one line."""
        valid = f"valid {words(self.until)}" if self.until else "valid until somebody deletes it"
        if not self.found:
            return f"Whoever acts as {self.start} ({valid}) reaches nothing of what is looked at."
        return f"Whoever acts as {self.start} ({valid}) reaches {', '.join(self._counts())}."

    def _counts(self) -> Iterator[str]:
        kinds = [each.kind for each in self.found]
        for kind in ("user", "role", "machine", "function", "resource", "control"):
            if count := kinds.count(kind):
                word = "whole account" if kind == "control" else kind
                yield f"{count} {word}{'' if count == 1 else 's'}"

    @property
    def _rows(self) -> tuple[Reached, ...]:
        return tuple(each for each in self.found if each.kind != "new")[:MOST_ROWS]

    @property
    def _rest(self) -> str:
        rest = sum(each.kind != "new" for each in self.found) - len(self._rows)
        return f"and {rest} more" if rest else ""

    @property
    def table(self) -> Child:
        """What is reached, until when at the longest, and how."""
        rows = [
            el("li.sl-req", icon("to"), el("span.sl-what", el("b", each.kind), " ", code(each.label)),
               el("span.sl-ends.sl-dim", words(each.until)), el("p.sl-open.sl-dim", each.path.line))
            for each in self._rows
        ]  # fmt: skip
        more = el("p.sl-dim", self._rest) if self._rest else None
        return (el("ul.sl-reqs", rows), more) if rows else None

    def page(self) -> Part:
        return panel_card(self.sentence, el("div.sl-body", self.still.part(self.sentence), self.table, how_far()))


def steps_list(path: Path, opened: frozenset[int] = frozenset(), *, live: bool = False) -> Part:
    """The steps of a way, numbered as in the picture; why each is allowed opens in place."""
    rows = []
    for index, step in enumerate(path.steps):
        inside = el("pre.sl-quiet", step.explanation, on="" if index in opened else "still")
        toggle = {"data_toggle": "step", "value": str(index)} if live else {}
        why = el(
            "details.sl-open",
            el("summary", "Why?", text=""),
            inside,
            open=index in opened,
            key=f"step-{index}",
            **toggle,
        )
        rows.append(el("li", el("span.sl-n.is-here", str(index + 1)), el("span", name(f"{step.sentence}.")), why))
    return el("ol.sl-steps", rows)


def how_far() -> Part:
    """What is looked at and what is not."""
    not_looked = "; ".join(NOT_LOOKED_AT)
    parts = [
        el("div", el("p", head), el("ul", [el("li", each) for each in items]))
        for head, items in (("Looked at:", LOOKED_AT), ("Not looked at:", NOT_LOOKED_AT))
    ]
    return fold("How far this goes, and how far not", parts, key="how-far", text=f"Not looked at: {not_looked}.")
