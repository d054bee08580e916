"""Policy documents next to each other, for reading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .page import Part, el
from .panel import Shown


@dataclass(frozen=True, repr=False)
class SideBySide(Shown):
    """Texts in columns; on a narrow screen, and in a terminal, under each other."""

    texts: Mapping[str, str]

    def page(self) -> Part:
        columns = [
            el("section", el("h4", title), el("pre", text.strip(), text=text.strip()))
            for title, text in self.texts.items()
        ]
        return el("div.sl-pair", columns)


def side_by_side(texts: Mapping[str, str]) -> SideBySide:
    """Show texts in columns: `side_by_side({"Trust policy": TRUST, "Permissions policy": READ})`."""
    return SideBySide(dict(texts))
