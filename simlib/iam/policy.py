"""A policy document, read once and prepared for any number of requests (UG/reference_policies_grammar)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from simlib.iam.errors import PolicyError
from simlib.iam.statement import Reader, Reporter, Statement, Unreadable

STRICT = Reporter()
MOST_ACTIONS = 256  # that a policy remembers: memory does not grow with the number of requests


class Policy:
    """A policy document. Make one with ``Policy.parse``.

    ``document`` is the object as given, ``statements`` what it says, prepared.
    """

    __slots__ = ("_covering", "document", "kind", "name", "statements", "title")

    def __init__(
        self, document: Mapping[str, Any], kind: str, name: str, statements: Iterable[Statement], title: str = ""
    ) -> None:
        self.document = document
        self.kind = kind
        self.name = name
        self.title = title
        self.statements = tuple(statements)
        self._covering: dict[str, tuple[Statement, ...]] = {}

    @staticmethod
    def parse(source: str | Mapping[str, Any], kind: str = "identity", *, name: str = "", title: str = "") -> Policy:
        """Read a policy from JSON text or from the object it stands for.

        ``kind``: identity, boundary, session, scp, rcp, resource, trust, key or endpoint. ``name`` is how answers speak
        of it, ``title`` how explanations do where the name is an ARN with an ID. Raises ``PolicyError`` with every
        problem where it is no policy of that kind. What a service refuses to save besides – sizes, partitions, the form
        of a Sid, actions of a trust policy – is left to ``validation.problems``, and decided by as it stands (a
        choice).
        """
        document: Any = source
        located = None
        if isinstance(source, str):
            from simlib.iam.json_text import parse  # late: who has objects does not need it

            located = parse(source)
            document = located.value
        try:
            return Policy(document, kind, name, Reader(kind, STRICT).read(document), title)
        except Unreadable:
            from simlib.iam.findings import Report  # late: most documents are good

            report = Report(kind, located.place if located else None)
            Reader(kind, report).read(document)
            raise PolicyError(report.problems) from None

    def candidates(self, action: str) -> tuple[Statement, ...]:
        """The statements that cover an action (in lower case), which many requests have in common."""
        covering = self._covering.get(action)
        if covering is None:
            covering = tuple([statement for statement in self.statements if statement.covers_action(action)])
            if len(self._covering) == MOST_ACTIONS:
                self._covering.clear()
            self._covering[action] = covering
        return covering

    def __repr__(self) -> str:
        return f"<Policy {self.name or 'unnamed'}: {self.kind}, {len(self.statements)} statements>"
