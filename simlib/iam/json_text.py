"""Reading a policy's JSON so that every mistake has a line, a column and a sentence.

The standard library reads good text. Where its parts stand, and what is wrong with bad text, comes from a walk over
the tokens, for which only those pay who ask.
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

from simlib.iam.errors import PolicyError, Problem

Path = tuple[str | int, ...]
"""The way to a part of a document: element names and list positions."""
Position = tuple[int, int]  # line and column, from 1
_Places = dict[Path, tuple[Position, Position]]  # of the name before a value (else of the value), and of the value

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
_MEANT: Final = {"true": "true", "false": "false", "null": "null", "none": "null", "undefined": "null"}
_NO_TOKEN: Final = {
    "comment": ("json-comment", "JSON has no comments.", "remove it"),
    "space": ("json-space", "An invisible character, perhaps copied from a web page.", "replace it with a space"),
    "trailing": ("json-trailing-comma", "Nothing follows this comma.", "remove it"),
}
_BEGINS: Final = ("string", "quoted", "bare", "bracket")  # the tokens that a name or a value begins with
_VALUE, _NAME, _COLON, _COMMA, _END = "a value", "a name in double quotes", "a colon", "a comma", "the end of the text"
_INSIDE: Final = {"": (_VALUE, ""), "{": (_NAME, "}"), "[": (_VALUE, "]")}  # what a bracket holds, and what closes it


def name_of(path: Path) -> str:
    """The path as people write it: `Statement[1].Condition.StringEquals`; odd names stand in brackets and quotes."""
    name = ""
    for step in path:
        plain = not isinstance(step, int) and re.fullmatch(r"[^\s.\[\]\"']+", str(step))
        name += f".{step}" if plain else f"[{json.dumps(step, ensure_ascii=False)}]"
    return name.removeprefix(".")


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
        # the walk agrees with the standard library (a property test); the second half is for the day it does not
        otherwise = Problem("", f"This is not JSON: {error}", text[:40], None, 1, 1, "error", "json-syntax")
        raise PolicyError(list(islice(_walk(text, {}), MAX_PROBLEMS)) or [otherwise]) from None
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


def _walk(text: str, places: _Places) -> Iterator[Problem]:
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

    def problem(code: str, message: str, advice: str | None = None, at: int = -1, value: str = "") -> Problem:
        line, column = position(start if at < 0 else at)
        return Problem(name_of(tuple(path)), message, (value or word)[:60], advice, line, column, "error", code)

    for token in re.finditer(_TOKEN, text):
        kind = str(token.lastgroup)
        if kind in _NO_TOKEN:
            yield problem(*_NO_TOKEN[kind], token.start(kind), token[kind])
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
                yield problem("json-missing-comma", "A comma is missing before this.", "add a comma")
            expected = inside
            path[-1:] = [step if isinstance(step, str) else step + 1 for step in path[-1:]]
            if word == ",":
                continue
        # from here on a name or a value may follow, and nothing else
        if kind not in _BEGINS or expected in (_COLON, _END) or (kind == "bracket" and expected == _NAME):
            if kind == "unclosed":
                yield problem("json-unclosed", "The string that begins here is not closed on its line.", 'add "')
            elif kind == "end" and opened:
                message = f"The text ends, but this {bracket!r} is never closed."
                yield problem("json-unclosed", message, f"add {closer!r}", bracket_at, bracket)
            elif word in ("]", "}") and expected == _COMMA:
                message = f"{word!r} does not close the {bracket!r} of line {position(bracket_at)[0]}."
                yield problem("json-unclosed", message, f"write {closer!r} here")
            elif kind != "end":
                yield problem("json-syntax", f"Expected {expected}, but found {word[:40]!r}.")
            elif expected != _END:
                yield problem("json-empty", "The text is empty.", 'write an object: {"Version": …, "Statement": …}', 0)
            return
        escaped = kind == "string" and ("\\" in word or not word.isprintable())
        unknown = [each for each in re.finditer(_ESCAPE, word) if each[1]] if escaped else []
        for each in unknown:
            advice = repr(each[1])[1:-1] if len(each[1]) == 1 else "a backslash itself is \\\\"
            yield problem("json-escape", "This means nothing in a JSON string.", advice, start + each.start(), each[1])
        plain = word if kind == "bare" else word[1:-1]
        if kind == "quoted" or (kind == "bare" and expected == _NAME):
            yield problem("json-quotes", "Names and texts need double quotes.", f'"{plain[:60]}"', value=plain)
        elif kind == "bare" and not re.fullmatch(_LITERAL, word):
            message = f"{word[:60]} is no number as JSON writes it, nor true, false or null."
            yield problem("json-literal", message, _MEANT.get(word.lower(), f'"{word[:60]}"'))
        if expected == _NAME:
            name = json.loads(word) if escaped and not unknown else plain
            path[len(opened) - 1 :] = [name]
            if name in names:
                message = f"{name[:60]!r} stands twice in one object, first on line {position(names[name])[0]}."
                yield problem("duplicate-key", message, "merge the two, or remove one", value=name)
            names.setdefault(name, start)
            expected, name_at = _COLON, start
            continue
        places[tuple(path)] = position(name_at or start), position(start)
        expected, name_at = _COMMA if opened else _END, 0
        if kind == "bracket":
            if len(opened) == MAX_DEPTH:
                yield problem("json-too-deep", f"More than {MAX_DEPTH} levels of brackets; a policy needs seven.")
                return
            opened.append((word, start, {}))
            expected = _INSIDE[word][0]
            path += [0] if word == "[" else []
