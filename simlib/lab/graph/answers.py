"""What AccessGraph answers: values that print themselves and show their picture, wherever they are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha1
from typing import TYPE_CHECKING

import networkx as nx

from ..markup import card, escape, table
from . import drawing, ways
from .drawing import Light
from .layout import Layout, left_out
from .queries import Path, Reached, words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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
        """What is not drawn, in a sentence; "" where everything is."""
        missing = left_out(self.graph, self.layout.spots)
        return f"Too many to draw and read: {', '.join(missing)} left out. They count all the same." if missing else ""

    def html(self, title: str) -> str:
        """The picture for a page; whoever does not see it reads the table below it."""
        desc = f"{len(self.layout.spots)} boxes with arrows between them. The table says the same in words."
        drawn = drawing.picture(self.graph, self.layout, self.light, self.names, title, desc, _key(title, self))
        scroll = f'<div class="sl-graph" tabindex="0" role="region" aria-label="Picture: {escape(title)}">{drawn}</div>'
        note = f'<p class="sl-dim">{escape(self.left_out)}</p>' if self.left_out else ""
        return drawing.STYLE + scroll + note


def _key(title: str, still: Still) -> str:
    """An identifier that no other picture on the page has."""
    return f"g{sha1(f'{title}{sorted(still.layout.spots)}{still.light}'.encode()).hexdigest()[:10]}"


@dataclass(frozen=True)
class Paths:
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
            return f"⊘ No way found from {self.start} to {self.goal}."
        count = "1 way" if len(self.found) == 1 else f"{len(self.found)} ways"
        steps = len(self.found[0].steps)
        shortest = f"{steps} step{'' if steps == 1 else 's'}"
        return f"→ {self.start} reaches {self.goal}: {count} shown, the shortest in {shortest}."

    def __str__(self) -> str:
        told = [f"Way {number}. {path}" for number, path in enumerate(self.found, 1)]
        return "\n".join([self.sentence, *(told or [f"Looked at: {'; '.join(ways.LOOKED_AT)}."])])

    __repr__ = __str__

    @property
    def html(self) -> str:
        """The ways as tables."""
        return "".join(
            f"<h4>Way {number}: {escape(path.line)}</h4>{steps_table(path)}"
            for number, path in enumerate(self.found, 1)
        )

    def figure(self) -> Figure:
        """The same as a matplotlib figure."""
        from .figure import figure_of

        return figure_of(self.still, self.sentence)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        picture = self.still.html(self.sentence)
        text = f"<p><b>{escape(self.sentence)}</b></p>{picture}{self.html}{how_far()}"
        return {"text/html": card(text, css="sl-wide"), "text/plain": str(self)}


@dataclass(frozen=True)
class BlastRadius:
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
        good = f"good {words(self.until)}" if self.until else "good until somebody deletes it"
        if not self.found:
            return f"⊘ Whoever has {self.start} ({good}) reaches nothing of what is looked at."
        return f"→ Whoever has {self.start} ({good}) reaches {', '.join(self._counts())}."

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

    def __str__(self) -> str:
        told = [f"  {each.kind} {each.label} ({words(each.until)}): {each.path.line}" for each in self._rows]
        return "\n".join([self.sentence, *told, *([f"  … {self._rest}"] if self._rest else [])])

    __repr__ = __str__

    @property
    def html(self) -> str:
        """What is reached, as a table."""
        rows = [
            [
                f"{escape(each.kind)} <code>{escape(each.label)}</code>",
                escape(words(each.until)),
                escape(each.path.line),
            ]
            for each in self._rows
        ]
        return table(["Reached", "At the longest", "How"], rows, self._rest) if rows else ""

    def figure(self) -> Figure:
        """The same as a matplotlib figure."""
        from .figure import figure_of

        return figure_of(self.still, self.sentence)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        picture = self.still.html(self.sentence)
        text = f"<p><b>{escape(self.sentence)}</b></p>{picture}{self.html}{how_far()}"
        return {"text/html": card(text, css="sl-wide"), "text/plain": str(self)}


def steps_table(path: Path) -> str:
    """The steps of a way."""
    rows = [[str(number), f"{escape(step.sentence)}."] for number, step in enumerate(path.steps, 1)]
    return table(["Step", "What happens"], rows)


def how_far() -> str:
    """What is looked at and what is not."""
    parts = [
        f"<p>{head}</p><ul>{''.join(f'<li>{escape(each)}</li>' for each in items)}</ul>"
        for head, items in (("Looked at:", ways.LOOKED_AT), ("Not looked at:", ways.NOT_LOOKED_AT))
    ]
    return f"<details><summary>How far this goes, and how far not</summary>{''.join(parts)}</details>"
