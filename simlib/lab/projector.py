"""For a room: everything of the lab on the page in large type, and nothing that only shows under the mouse.

Two custom properties of the page do it, so that panels that are shown already follow at once: sizes are multiplied by
`--sl-scale`, and what repeats in place what a tooltip says has the class `sl-unhovered`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .markup import card

SCALE = 1.5


@dataclass(frozen=True)
class Projector:
    """The mode of the page; it lasts as long as this output is on it."""

    on: bool

    def __str__(self) -> str:
        return "Projector mode is on: large type, nothing hidden." if self.on else "Projector mode is off."

    __repr__ = __str__

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        mode = f"<style>:root {{ --sl-scale: {SCALE}; --sl-unhovered: block; }}</style>" if self.on else ""
        return {"text/html": mode + card(f'<p role="status">{self}</p>'), "text/plain": str(self)}


def projector(on: bool = True) -> Projector:
    """Show the whole page in large type: `lab.projector()`. Run the cell with `False`, or clear it, to go back."""
    return Projector(on)
