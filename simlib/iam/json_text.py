"""Reading a policy's JSON so that every mistake has a line, a column and a sentence.

The standard library reads good text. Where its parts stand, and what is wrong with bad text, comes from a walk over
the tokens, for which only those pay who ask. What is said of a mistake is a row of `findings.toml`.
AWS page: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, Final

from simlib.iam.errors import Path, PolicyError, Position

_Places = dict[Path, tuple[Position, Position]]  # of the name before a value (else of the value), and of the value
_Mistake = tuple[str, Path, str, Position, dict[str, Any]]  # code, way, what stands there and where, words of its row

MAX_DEPTH: Final = 64  # a policy needs 7 levels; more is a mistake or an attack
MAX_PROBLEMS: Final = 20  # after so many mistakes more of them help nobody

_TOKEN: Final = r"""(?xs) [ \t\n\r]*+ (?:
    (?P<string> "[^"\\\n\r]*+(?:\\.[^"\\\n\r]*+)*+" )
  | (?P<bare> [\w.+-]+ )
  | (?P<bracket> [\[{] )
  | (?P<trailing> ,(?=(?:\s|//[^\n]*|\#[^\n]*|/\*.*?\*/)*+[]}]) )
  | (?P<comment> //[^\n]* | \#[^\n]* | /\*.*?(?:\*/|\Z) )
  | (?P<space> [\s\ufeff\u200b]+ )
  | (?P<quoted> '[^'\n]*' | `[^`\n]*` | [“”„][^“”\n]*[“”] | [‘’][^’\n]*’ | «[^»\n]*» )
  | (?P<unclosed> ["'`“”„‘’«] )
  | (?P<sign> . )
  | (?P<end> \Z ) )"""
_ESCAPE: Final = r'(?s)\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})|(\\.|[\x00-\x1f])'  # group 1: what JSON does not know
_LITERAL: Final = r"true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_NO_TOKEN: Final = {"comment": "json-comment", "space": "json-space", "trailing": "json-trailing-comma"}
_BEGINS: Final = ("string", "quoted", "bare", "bracket")  # the tokens that a name or a value begins with
_VALUE, _NAME, _COLON, _COMMA, _END = "a value", "a name in double quotes", "a colon", "a comma", "the end of the text"
_INSIDE: Final = {"": (_VALUE, ""), "{": (_NAME, "}"), "[": (_VALUE, "]")}  # what a bracket holds, and what closes it


@dataclass(frozen=True)
class Located:
    """A JSON value (`value`, plain Python) that knows where in `text` each part of it stands."""

    value: Any
    text: str

    def place(self, path: Path, *, of_name: bool = False) -> Position | None:
        """Where the value at `path` begins, or the name before it; None if there is no such part."""
        return self._places.get(path, (None, None))[0 if of_name else 1]

    @cached_property
    def _places(self) -> _Places:
        places: _Places = {}
        list(_walk(self.text, places))
        return places


def read(text: str) -> Located:
    """Parse JSON text; numbers, strings and lists become plain Python values.

    Raises PolicyError with up to 20 mistakes: wrong syntax, a name used twice in one object, more than 64 levels.
    Time grows linearly with the text, whatever it holds.
    """
    try:
        value = _DECODER.decode(text)
        if text.count("{") + text.count("[") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
            raise ValueError("nested too deeply")
    except (ValueError, RecursionError) as error:
        from simlib.iam.findings import Report  # late: most texts are good

        report = Report("identity")
        for code, path, word, place, words in islice(_walk(text, {}), MAX_PROBLEMS):
            report.add(code, path, word, place=place, **words)
        if not report.problems:  # the walk agrees with the standard library (a property test); for the day it does not
            report.add("json-syntax", (), text[:40], place=(1, 1), expected=f"JSON ({error})")
        raise PolicyError(report.problems) from None
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
    depth, level = 0, [value]
    while level := [node for node in level if isinstance(node, (dict, list))]:
        depth += 1
        level = [child for node in level for child in (node.values() if isinstance(node, dict) else node)]
    return depth


def _walk(text: str, places: _Places) -> Iterator[_Mistake]:
    """The mistakes in `text`, in its order; fills in `places`.

    After a mistake that shows what was meant it goes on as if that stood there, else it ends. It never goes back and
    keeps its own stack: hostile text costs neither recursion nor more than linear time.
    """
    lines = [0, *(newline.end() for newline in re.finditer("\n", text))]  # where each begins
    path: list[str | int] = []
    opened: list[tuple[str, int, dict[str, int]]] = []  # brackets: which, where, and where its names stand
    expected, word, start, name_at = _VALUE, "", 0, 0

    def position(offset: int) -> Position:
        line = bisect_right(lines, offset)
        return line, offset - lines[line - 1] + 1

    def mistake(code: str, value: str, at: int, **words: Any) -> _Mistake:
        return code, tuple(path), value, position(at), words

    for token in re.finditer(_TOKEN, text):
        kind = str(token.lastgroup)
        if kind in _NO_TOKEN:
            yield mistake(_NO_TOKEN[kind], token[kind], token.start(kind))
            continue
        before, word, start = word, token[kind], token.start(kind)
        bracket, bracket_at, names = opened[-1] if opened else ("", 0, {})
        inside, closer = _INSIDE[bracket]
        if expected == _COLON and word == ":":
            expected = _VALUE
            continue
        if opened and word == closer and (expected == _COMMA or before == bracket):
            opened.pop()
            del path[len(opened) :]
            expected = _COMMA if opened else _END
            continue
        if expected == _COMMA and (word == "," or kind in _BEGINS):
            if word != ",":
                yield mistake("json-missing-comma", word, start)
            expected = inside
            path[-1:] = [step if isinstance(step, str) else step + 1 for step in path[-1:]]
            if word == ",":
                continue
        # from here on a name or a value may follow, and nothing else
        if kind not in _BEGINS or expected in (_COLON, _END) or (kind == "bracket" and expected == _NAME):
            if kind == "unclosed":
                yield mistake("json-unclosed-string", word, start)
            elif kind == "end" and opened:
                yield mistake("json-unclosed", bracket, bracket_at, closer=closer)
            elif word in ("]", "}") and expected == _COMMA:
                yield mistake(
                    "json-other-bracket", word, start, opener=bracket, line=position(bracket_at)[0], closer=closer
                )
            elif kind != "end":
                yield mistake("json-syntax", word, start, expected=expected)
            elif expected != _END:
                yield mistake("json-empty", word, 0)
            return
        escaped = kind == "string" and ("\\" in word or not word.isprintable())
        unknown = [each for each in re.finditer(_ESCAPE, word) if each[1]] if escaped else []
        for each in unknown:
            yield mistake("json-escape", each[1], start + each.start(), written=repr(each[1])[1:-1])
        plain = word if kind == "bare" else word[1:-1]
        if kind == "quoted" or (kind == "bare" and expected == _NAME):
            yield mistake("json-quotes", plain, start)
        elif kind == "bare" and not re.fullmatch(_LITERAL, word):
            yield mistake("json-literal", word, start)
        if expected == _NAME:
            name = json.loads(word) if escaped and not unknown else plain
            path[len(opened) - 1 :] = [name]
            if name in names:
                yield mistake("json-duplicate-key", name, start, line=position(names[name])[0])
            names.setdefault(name, start)
            expected, name_at = _COLON, start
            continue
        places[tuple(path)] = position(name_at or start), position(start)
        expected, name_at = _COMMA if opened else _END, 0
        if kind == "bracket":
            if len(opened) == MAX_DEPTH:
                yield mistake("json-too-deep", word, start, most=MAX_DEPTH)
                return
            opened.append((word, start, {}))
            expected = _INSIDE[word][0]
            path += [0] if word == "[" else []
