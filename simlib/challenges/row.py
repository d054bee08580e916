"""What exercises and challenges are judged by: one request, as it came out and as it should."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One request: who does what, whether it was allowed, whether it should be, and what decided."""

    who: str
    does: str
    allowed: bool
    should: bool
    because: str = ""

    @property
    def right(self) -> bool:
        return self.allowed == self.should
