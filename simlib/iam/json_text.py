"""Reading a policy's JSON so that every mistake has a line, a column and a sentence.

`read` is fast for good text: the standard library parses it, and places are worked out only when somebody asks for one.
Only text with a mistake, or a document with a problem, pays for `json_scan`.
AWS page: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NoReturn

from simlib.iam.errors import PolicyError, Problem

if TYPE_CHECKING:
    from simlib.iam.json_scan import Path, Scanner

MAX_DEPTH: Final = 64  # a policy needs 7 levels; more is a mistake or an attack


@dataclass(frozen=True)
class Located:
    """A JSON value (`value`, plain Python) that remembers where in `text` each part of it stands."""

    value: Any
    text: str

    def place(self, path: Path, *, of_name: bool = False) -> tuple[int, int] | None:
        """Line and column, from 1, of the value at `path`, or of the name before it; None if there is no such part."""
        entry = self._scanned.places.get(path)
        if entry is None:
            return None
        name_at, value_at = entry
        return self._scanned.line_and_column(name_at if of_name and name_at is not None else value_at)

    @cached_property
    def _scanned(self) -> Scanner:
        return _scan(self.text)


def read(text: str) -> Located:
    """Parse JSON text; numbers, strings and lists become plain Python values.

    Raises PolicyError with every mistake found: wrong syntax, a name used twice in one object, more than 64 levels.
    Time grows linearly with the text, whatever it holds.
    """
    try:
        value = _DECODER.decode(text)
        if _too_deep(text, value):
            raise ValueError("nested too deeply")
    except (ValueError, RecursionError) as error:
        # the scanner agrees with the standard library (a property test); the second half is for the day it does not
        otherwise = Problem("", f"This is not JSON: {error}", text[:40], None, 1, 1, "error", "json-syntax")
        raise PolicyError(_scan(text).problems or [otherwise]) from None
    return Located(value, text)


def _scan(text: str) -> Scanner:
    from simlib.iam.json_scan import Scanner  # late: good text without a question about places does without it

    scanner = Scanner(text)
    scanner.run()
    return scanner


# ---- good text: the standard library's parser, with three answers it would not give


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a name is used twice")
    return result


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) < 400 else float(digits)  # int() of thousands of digits would raise


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_constant=_no_constant)


def _too_deep(text: str, value: Any) -> bool:
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return False
    level = [value]  # all containers of one depth
    for _ in range(MAX_DEPTH):
        children = [child for node in level for child in (node.values() if isinstance(node, dict) else node)]
        level = [child for child in children if isinstance(child, (dict, list))]
        if not level:
            return False
    return True
