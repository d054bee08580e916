"""A matplotlib figure on a learner's screen: sharp at any size, in the theme's colours, and told in words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Any

from .markup import card, escape

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The figure is drawn, and saved, in the colours of the light theme; on the page each becomes the theme's own.
INK, YES, NO, DIM = "#1b1b1b", "#00589b", "#a33a00", "#5a5a5a"
_ON_PAGE = {
    INK: "var(--jp-content-font-color0, CanvasText)",
    YES: "var(--sl-yes)",
    NO: "var(--sl-no)",
    DIM: "var(--sl-dim)",
}


@dataclass(frozen=True)
class Picture:
    """A figure and what it shows in words; `picture.figure.savefig("name.pdf")` saves it."""

    figure: Figure
    alt: str

    def svg(self) -> str:
        """The figure as SVG for a page, with real text and the theme's colours."""
        import matplotlib

        out = StringIO()
        with matplotlib.rc_context({"svg.fonttype": "none"}):
            self.figure.savefig(out, format="svg", transparent=True, bbox_inches="tight", metadata={"Date": None})
        drawn = re.sub(r"^.*?(?=<svg)|<metadata>.*?</metadata>|<style.*?</style>", "", out.getvalue(), flags=re.DOTALL)
        drawn = re.sub("|".join(_ON_PAGE), lambda found: _ON_PAGE[found[0]], drawn)
        look = "width: 100%; max-width: 56em; height: auto; stroke-linejoin: round"
        drawn = re.sub(r'(<svg[^>]*?) height="[^"]*"(.*?) width="[^"]*"', r"\1\2", drawn, count=1)
        return drawn.replace("<svg ", f'<svg role="img" aria-label="{escape(self.alt)}" style="{look}" ', 1)

    def __str__(self) -> str:
        return self.alt

    __repr__ = __str__

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/html": card(self.svg()), "text/plain": str(self)}
