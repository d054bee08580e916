"""Something a lesson claims to show: true in the lesson as it is, and not true when its reason is taken away."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Claim:
    """Something a cell of the lesson shows: every one of `words` (regular expressions), and none of `never`.

    `without` names the changed lesson in which its reason is taken away: there the claim must fail.
    """

    cell: str
    without: str
    words: tuple[str, ...]
    never: tuple[str, ...] = ()

    def holds(self, shown: str) -> bool:
        return all(re.search(word, shown, re.DOTALL) for word in self.words) and not any(
            re.search(word, shown, re.DOTALL) for word in self.never
        )
