"""What is wrong with a document or a request, said so that it can be put right."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

Path = tuple[str | int, ...]
"""The way to a part of a document: element names and list positions."""
Position = tuple[int, int]  # line and column, from 1


def name_of(path: Path) -> str:
    """The path as people write it: `Statement[1].Condition.StringEquals`; odd names stand in brackets and quotes."""
    from json import dumps  # late: who decides does not need it

    name = ""
    for step in path:
        plain = not isinstance(step, int) and re.fullmatch(r"[^\s.\[\]\"']+", str(step))
        name += f".{step}" if plain else f"[{dumps(step, ensure_ascii=False)}]"
    return name.removeprefix(".")


class Problem(NamedTuple):
    """One finding about a policy document.

    ``path`` names the place (``Statement[1].Condition.StringEqual``; empty for the document itself), ``value`` is what
    stands there (of a list or an object its kind), ``suggestion`` what would be right, ``line`` and ``column`` count
    from 1 where text was given, ``level`` is ``"error"`` (no policy of that kind), ``"refused"`` (some service does not
    save it) or ``"warning"``; ``code`` is a short stable name of the kind of finding.
    """

    path: str
    message: str
    value: Any = None
    suggestion: str | None = None
    line: int | None = None
    column: int | None = None
    level: str = "error"
    code: str = ""

    @property
    def sentence(self) -> str:
        """What is wrong, and what would be right: "There is no condition key aws:Foo. Did you mean aws:Bar?" """
        if not self.suggestion:
            return self.message
        advice = self.suggestion[0].upper() + self.suggestion[1:]
        return f"{self.message} {advice}{'' if advice.endswith(('?', '.', '…')) else '.'}"

    def __str__(self) -> str:
        place = f"{self.line}:{self.column}: " if self.line is not None else ""
        return f"{place}{self.path}: {self.sentence}" if self.path else place + self.sentence


class PolicyError(ValueError):
    """A document that is not a policy AWS would accept. ``problems`` holds every finding of level ``"error"``."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems) or "not a policy")


class RequestError(ValueError):
    """A request or scenario that cannot be asked. ``path`` names the field, ``message`` what is wrong with it."""

    def __init__(self, path: str, message: str) -> None:
        self.path = path
        self.message = message
        super().__init__(f"{path}: {message}" if path else message)
