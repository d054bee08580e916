"""A policy document, read once and prepared for any number of requests (UG/reference_policies_grammar)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from simlib.iam.errors import PolicyError
from simlib.iam.statement import KINDS, OLD_VERSION, Reader, Reporter, Statement, Unreadable

STRICT = Reporter()
FEW = 4  # statements: trying so many costs less than looking up which could match


class Policy:
    """A policy document. Make one with ``Policy.parse``.

    ``document`` is the object as given, ``statements`` what it says, prepared; ``version`` the language it is written
    in.
    """

    __slots__ = ("_by_service", "_everywhere", "document", "kind", "name", "statements", "version")

    def __init__(self, document: Mapping[str, Any], kind: str, name: str, statements: Iterable[Statement]) -> None:
        self.document = document
        self.kind = kind
        self.name = name
        self.version: str = document.get("Version", OLD_VERSION)
        self.statements = tuple(statements)
        self._everywhere: Sequence[Statement] = self.statements
        self._by_service: dict[str, list[Statement]] = {}
        if len(self.statements) > FEW:  # sorted by the services whose actions they could match
            self._everywhere = everywhere = []
            for statement in self.statements:
                services = {text.partition(":")[0] for text in statement.actions.texts}
                if statement.not_action or "*" in services:  # NotAction: whatever it does not name
                    everywhere.append(statement)
                else:
                    for service in services:
                        self._by_service.setdefault(service, []).append(statement)

    @staticmethod
    def parse(source: str | Mapping[str, Any], kind: str = "identity", *, name: str = "") -> Policy:
        """Read a policy from JSON text or from the object it stands for.

        ``kind``: identity, boundary, session, scp, rcp, resource, trust, key or endpoint. ``name`` is how answers speak
        of it. Raises ``PolicyError`` with every problem where it is no policy of that kind. What a service refuses to
        save besides – sizes, partitions, the form of a Sid, actions of a trust policy – is left to
        ``validation.problems``, and decided by as it stands (a choice).
        """
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
        document: Any = source
        located = None
        if isinstance(source, str):
            from simlib.iam.json_text import read  # late: who has objects does not need it

            located = read(source)
            document = located.value
        try:
            return Policy(document, kind, name, Reader(kind, STRICT).read(document))
        except Unreadable:
            from simlib.iam.findings import Report  # late: most documents are good

            report = Report(kind, located.place if located else None)
            Reader(kind, report).read(document)
            raise PolicyError(report.problems) from None

    def candidates(self, action: str) -> Sequence[Statement]:
        """The statements that could match an action (in lower case); cost does not grow with the others."""
        if not self._by_service:
            return self._everywhere
        return [*self._by_service.get(action.partition(":")[0], ()), *self._everywhere]

    def __repr__(self) -> str:
        return f"<Policy {self.name or 'unnamed'}: {self.kind}, {len(self.statements)} statements>"
