"""Is this a policy, and a good one? Every mistake with its place, its value and what would be right.

An *error* is what AWS refuses to save; everything else is a *warning*. `gravity` tells more: IAM Access Analyzer, which
looks at what AWS saves, calls some of these errors too (an action that does not exist, say) and others security
warnings or suggestions. `findings` is the table of all that can be found; `statement` has the reader, `rules` the
mechanism for what a row of the table describes by itself, `advice` the other tests; here are sizes and characters.
AWS page: UG/access_policies_policy-validator.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path as File
from typing import Any, Final, NamedTuple

from simlib.iam import rules
from simlib.iam.errors import Problem
from simlib.iam.findings import Report, gravity, issue_code
from simlib.iam.json_text import Located
from simlib.iam.statement import OBJECT, Reader

__all__ = ["gravity", "issue_code", "problems", "quota", "size"]

_LONGEST: Final = 131_072  # characters of any policy parameter (IAM API reference, policyDocumentType)
_SPACES: Final = re.compile(r'("(?:[^"\\]|\\.)*")|\s+')
_UNSUPPORTED: Final = re.compile("[^\t\n\r\x20-\xff]")  # the same page


class Quota(NamedTuple):
    """How long a document may be: a row of `quotas.toml`."""

    characters: int
    what: str
    code: str = "policy-size"
    spaces: bool = False


_TABLES: Final = tomllib.loads(File(__file__).with_name("quotas.toml").read_text("utf-8"))
_BY_PLACE, _BY_KIND = ({name: Quota(**row) for name, row in rows.items()} for rows in _TABLES.values())


def problems(
    document: Any,
    kind: str,
    located: Located | None = None,
    *,
    stored_as: str | None = None,
    advice: bool = True,
) -> list[Problem]:
    """Every finding about a document, in the order of the document where `located` (`json_text.parse`) knows it.

    `kind`: identity, resource, trust, scp, rcp, boundary, session or endpoint. `stored_as`: where an identity-based
    policy is to be stored – user, group, role (inline) or managed –, if its size and version are to be judged by that.
    `advice`: also what AWS would save; without it only errors are reported, and no data about services is read.
    Raises ValueError for an unknown `kind` or `stored_as`, and nothing else, whatever the document holds.
    """
    if stored_as is not None and stored_as not in _BY_PLACE:
        raise ValueError(f"stored_as must be one of {', '.join(_BY_PLACE)}, not {stored_as!r}")
    report = Report(kind, located.place if located else None, stored_as or "")
    statements = Reader(kind, report).read(document)
    if isinstance(document, OBJECT):
        version = document.get("Version")
        report.version = version if isinstance(version, str) else ""
        rules.examine(document, statements, report, refused=True)
    any_character = kind in ("resource", "endpoint", "scp", "rcp")
    if located and not any_character and (strange := _UNSUPPORTED.search(located.text)):
        shows = f"{strange[0]!r} (U+{ord(strange[0]):04X})".encode("ascii", "backslashreplace").decode()
        before = located.text[: strange.start()].split("\n")
        place = len(before), len(before[-1]) + 1
        report.add("unsupported-character", (), strange[0], shows=shows, place=place)
    short_enough = _length(document, kind, located, stored_as, report)
    if advice and short_enough and isinstance(document, Mapping):
        from simlib.iam import advice as advised  # late: it needs the data about services

        advised.examine(document, statements, report)
    relevant = report.problems if advice else [problem for problem in report.problems if problem.level != "warning"]
    return sorted(relevant, key=lambda problem: (problem.line or 0, problem.column or 0))


def _length(document: Any, kind: str, located: Located | None, stored_as: str | None, report: Report) -> bool:
    """Report a document that is too long; False if it is too long to go on with."""
    allowed = quota(kind, stored_as)
    if located is not None and len(located.text) <= allowed.characters:
        return True
    count = size(document, located, spaces=allowed.spaces)
    if count > _LONGEST and stored_as:
        report.add("document-too-long", (), size=count, quota=_LONGEST)
    elif count > allowed.characters:
        how = "" if allowed.spaces else " without white space"
        report.add(allowed.code, (), size=count, quota=allowed.characters, what=allowed.what, how=how)
    return count <= 2 * _LONGEST  # AWS's own policies may be longer than what it takes from others


def quota(kind: str, stored_as: str | None = None) -> Quota:
    """How long a document may be, `kind` and `stored_as` as in `problems`."""
    return _BY_PLACE[stored_as] if stored_as else _BY_KIND[kind]


def size(document: Any, located: Located | None = None, *, spaces: bool = False) -> int:
    """The length of a document in characters; without `spaces`, white space between its parts is not counted.

    That only white space outside of strings is spared is a choice: AWS says no more than that it does not count any.
    """
    if located is not None:
        return len(located.text if spaces else _SPACES.sub(r"\1", located.text))
    length = 0
    with suppress(ValueError, TypeError, RecursionError):  # what is no JSON is refused for that
        for part in json.JSONEncoder(ensure_ascii=False, skipkeys=True, separators=(",", ":")).iterencode(document):
            length += len(part)
            if length > 2 * _LONGEST:
                break
    return length
