"""Reading a policy's JSON so that a mistake has a line, a column and a sentence.

The standard library reads the text and says what is wrong with it. Where the parts of good text stand is worked out
when somebody asks.
AWS page: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from simlib.iam.errors import Path, PolicyError, Position, Problem

MAX_DEPTH: Final = 64  # a policy needs 7 levels; more is a mistake or an attack
_TOKEN: Final = r'\n|"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{},:]|[^\s\[\]{},:"]++'


@dataclass
class Located:
    """A JSON value (`value`, plain Python) that knows where in `text` each part of it stands."""

    value: Any
    text: str

    def place(self, path: Path, *, of_name: bool = False) -> Position | None:
        """Where the value at `path` begins, or the name before it; None if there is no such part."""
        return self._places.get(path, (None, None))[0 if of_name else 1]

    @cached_property
    def _places(self) -> dict[Path, tuple[Position, Position]]:
        return {path: (name, value) for path, _, name, value in _parts(self.text)}


def parse(text: str) -> Located:
    """Parse JSON text; numbers, strings and lists become plain Python values.

    Raises PolicyError with the first mistake: wrong syntax, a name used twice in one object, more than 64 levels.
    """
    try:
        value = _DECODER.decode(text)
        if text.count("{") + text.count("[") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
            raise RecursionError
    except (ValueError, RecursionError) as error:
        raise PolicyError([_mistake(text, error)]) from None
    return Located(value, text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a name is used twice")
    return result


def _number(text: str) -> int | float:
    return int(text) if len(text) < 400 else float(text)  # int() of thousands of digits would raise; of NaN it does


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_object, parse_int=_number, parse_constant=_number)


def _depth(value: Any) -> int:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inside is None else 1 + max(map(_depth, inside), default=0)


def _parts(text: str) -> Iterator[tuple[Path, str, Position, Position]]:
    """The parts of good text: the way to each, its first token, and where its name (else it itself) and it begin."""
    path: list[str | int | None] = []  # of each open bracket the item or the name, None before one
    line, begin, name_at = 1, 0, None
    for match in re.finditer(_TOKEN, text):
        token, at = match[0], (line, match.start() - begin + 1)
        if token == "\n":
            line, begin = line + 1, match.end()
        elif token in ("]", "}"):
            path.pop()
        elif token == ",":
            path[-1] = path[-1] + 1 if isinstance(path[-1], int) else None
        elif path and path[-1] is None:
            path[-1], name_at = json.loads(token), at
        elif token != ":":
            yield tuple(path), token, name_at or at, at  # type: ignore[arg-type]
            name_at = None
            if token in ("[", "{"):
                path.append(0 if token == "[" else None)


def _mistake(text: str, error: Exception) -> Problem:
    """What is wrong with a text; where the standard library does not say where, its parts are gone through."""
    from simlib.iam.findings import Report  # late: most texts are good

    report, known = Report("identity"), set[Path]()
    if isinstance(error, json.JSONDecodeError):
        codes = {"delimiter": "json-delimiter", "Extra data": "json-extra-data"}
        code = next((code for words, code in codes.items() if words in error.msg), "json-syntax")
        place = error.lineno, error.colno
        report.add(code, (), text[error.pos : error.pos + 40], place=place, reason=error.msg)
        return report.problems[0]
    for path, token, name_at, at in _parts(text):
        if isinstance(error, RecursionError):
            if len(path) == MAX_DEPTH and token in "[{":
                report.add("json-too-deep", path, None, place=at, most=MAX_DEPTH)
                break
        elif path in known:
            report.add("json-duplicate-key", path, path[-1], place=name_at)
            break
        elif token in ("NaN", "Infinity", "-Infinity"):
            report.add("json-syntax", path, token, place=at, reason="Expecting value")
            break
        known.add(path)
    return report.problems[0]
