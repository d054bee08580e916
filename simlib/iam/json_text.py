"""Reading a policy's JSON so that a mistake has a line, a column and a sentence.

The standard library reads the text and says what is wrong with it. Where the parts of good text stand is worked out
when somebody asks.
AWS page: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from simlib.iam.errors import Path, PolicyError, Position, Problem

MAX_DEPTH: Final = 64  # a policy needs 7 levels; more is a mistake or an attack
_TOKEN: Final = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{},:]|[^\s\[\]{},:"]++'


@dataclass(frozen=True)
class Located:
    """A JSON value (`value`, plain Python) that knows where in `text` each part of it stands."""

    value: Any
    text: str

    def place(self, path: Path, *, of_name: bool = False) -> Position | None:
        """Where the value at `path` begins, or the name before it; None if there is no such part."""
        offset = self._offsets.get(path, (None, None))[0 if of_name else 1]
        return None if offset is None else self.position(offset)

    def position(self, offset: int) -> Position:
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1

    @cached_property
    def _lines(self) -> list[int]:
        """Where each line begins."""
        return [0, *(newline.end() for newline in re.finditer("\n", self.text))]

    @cached_property
    def _offsets(self) -> dict[Path, tuple[int, int]]:
        return {path: (name, value) for path, name, value in _parts(self.text)}


def read(text: str) -> Located:
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


def _parts(text: str) -> Iterator[tuple[Path, int, int]]:
    """The parts of good text: the way to each, and where its name (else it itself) and it begin."""
    path: list[str | int | None] = []  # of each open bracket the item or the name, None before one
    name_at = None
    for token in re.finditer(_TOKEN, text):
        sign, at = token[0], token.start()
        if sign in ("]", "}"):
            path.pop()
        elif sign == ",":
            path[-1] = path[-1] + 1 if isinstance(path[-1], int) else None
        elif path and path[-1] is None:
            path[-1], name_at = json.loads(sign), at
        elif sign != ":":
            yield tuple(path), at if name_at is None else name_at, at  # type: ignore[arg-type]
            name_at = None
            if sign in ("[", "{"):
                path.append(0 if sign == "[" else None)


def _mistake(text: str, error: Exception) -> Problem:
    """What is wrong with a text; where the standard library does not say where, its parts are gone through."""
    from simlib.iam.findings import Report  # late: most texts are good

    report, known, located = Report("identity"), set[Path](), Located(None, text)
    if isinstance(error, json.JSONDecodeError):
        codes = {"delimiter": "json-delimiter", "Extra data": "json-extra-data"}
        code = next((code for words, code in codes.items() if words in error.msg), "json-syntax")
        place = error.lineno, error.colno
        report.add(code, (), text[error.pos : error.pos + 40], place=place, reason=error.msg)
        return report.problems[0]
    for path, name_at, at in _parts(text):
        if isinstance(error, RecursionError):
            if len(path) == MAX_DEPTH and text[at] in "[{":
                report.add("json-too-deep", path, None, place=located.position(at), most=MAX_DEPTH)
                break
        elif path in known:
            report.add("json-duplicate-key", path, path[-1], place=located.position(name_at))
            break
        elif text.startswith(("NaN", "Infinity", "-Infinity"), at):
            report.add("json-syntax", path, text[at : at + 9], place=located.position(at), reason="Expecting value")
            break
        known.add(path)
    return report.problems[0]
