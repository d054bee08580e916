"""Policy documents next to each other, for reading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .markup import card, escape


@dataclass(frozen=True)
class SideBySide:
    """Texts in columns; on a narrow screen, and in a terminal, under each other."""

    texts: Mapping[str, str]

    def __str__(self) -> str:
        return "\n\n".join(f"{title}\n{'-' * len(title)}\n{text.strip()}" for title, text in self.texts.items())

    __repr__ = __str__

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        columns = "".join(
            f"<section><h4>{escape(title)}</h4><pre>{escape(text.strip())}</pre></section>"
            for title, text in self.texts.items()
        )
        return {"text/plain": str(self), "text/html": card(f'<div class="sl-pair">{columns}</div>', css="sl-wide")}


def side_by_side(texts: Mapping[str, str]) -> SideBySide:
    """Show texts in columns: `side_by_side({"Trust policy": TRUST, "Permissions policy": READ})`."""
    return SideBySide(dict(texts))
