"""One line of the table of results."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A measured value. `floor` is the same without our part, or a peer's, from the same run.

    `limit` is how many times the floor the value may be at most, `most` how much it may be at most, in its own unit.
    """

    what: str
    value: float
    unit: str
    floor: float | None = None
    limit: float | None = None
    most: float | None = None

    @property
    def ratio(self) -> float | None:
        return self.value / self.floor if self.floor else None

    @property
    def holds(self) -> bool:
        fits = self.most is None or self.value <= self.most
        return fits and (self.limit is None or self.ratio is None or self.ratio <= self.limit)

    @property
    def demanded(self) -> str:
        """What is demanded of it, in words; "" where nothing is."""
        relative = f"≤ {self.limit:.2f} ×" if self.limit is not None else ""
        absolute = f"≤ {quantity(self.most, self.unit)}" if self.most is not None else ""
        return ", ".join(filter(None, (relative, absolute)))

    def __str__(self) -> str:
        """The line in Markdown."""
        floor = "" if self.floor is None else quantity(self.floor, self.unit)
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        compared = self.limit is None or self.ratio is not None
        verdict = "" if not self.demanded else "**over**" if not self.holds else "holds" if compared else "not compared"
        cells = (self.what, quantity(self.value, self.unit), floor, ratio, self.demanded, verdict)
        return f"| {' | '.join(cells)} |"


def quantity(value: float, unit: str) -> str:
    """ "1,234 MB", "0.0123 s": three digits, whole numbers where there are more."""
    number = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{number} {unit}".rstrip()
