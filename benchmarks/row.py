"""One line of the table of results."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A measured value; with a floor (the same without our part) also how many times the floor it may be at most."""

    what: str
    value: float
    unit: str
    floor: float | None = None
    limit: float | None = None

    @property
    def ratio(self) -> float | None:
        return self.value / self.floor if self.floor else None

    @property
    def holds(self) -> bool:
        return self.ratio is None or self.limit is None or self.ratio <= self.limit
