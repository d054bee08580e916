"""The scanner behind `json_text`: one walk over a text that finds places and mistakes.

It keeps its own stack and never goes back, so hostile text costs neither recursion nor more than linear time. It goes
on after mistakes it understands (a trailing comma, a comment, `True`, single quotes), to report several at once.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from simlib.iam.errors import Problem
from simlib.iam.json_text import MAX_DEPTH

Path = tuple[str | int, ...]
"""The way to a part of a document: element names and list positions."""

MAX_PROBLEMS: Final = 20  # after so many mistakes more of them help nobody

_WORD = re.compile(r"[^\W\d]\w*")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_NUMBER_LIKE = re.compile(r"[+\-.\w]+")
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')
_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})')
_SPACE = re.compile(r"[ \t\n\r]*")
_COMMENT = re.compile(r"//[^\n]*|#[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_FOREIGN_SPACE = re.compile(r"[^\S \t\n\r]+|[\ufeff\u200b]+")
_SIMPLE_NAME = re.compile(r"[^\s.\[\]\"']+")

_LITERALS: Final = ("true", "false", "null")
_MEANT: Final = {
    **dict.fromkeys(("True", "TRUE", "yes", "Yes"), "true"),
    **dict.fromkeys(("False", "FALSE", "no", "No"), "false"),
    **dict.fromkeys(("None", "NULL", "Null", "nil", "undefined"), "null"),
}
_QUOTES: Final = {"'": "'", "`": "`", "“": "”", "”": "”", "„": "“", "‘": "’", "’": "’", "«": "»"}
_CLOSER: Final = {"{": "}", "[": "]"}


def name_of(path: Path) -> str:
    """The path as people write it: `Statement[1].Condition.StringEquals`; odd names stand in brackets and quotes."""
    name = ""
    for step in path:
        if isinstance(step, int):
            name += f"[{step}]"
        elif _SIMPLE_NAME.fullmatch(str(step)):
            name += f".{step}" if name else str(step)
        else:
            name += f"[{json.dumps(step, ensure_ascii=False)}]"
    return name


@dataclass
class _Open:
    """A bracket that is still open."""

    bracket: str
    offset: int
    path: Path
    names: dict[str, int]  # of an object: name → where it was first used
    step: str | int | None  # the name or position of the value being read; None before an object's first name


class _Stop(Exception):
    """No sensible way to go on."""


class Scanner:
    """One walk over a text. `places` maps a path to the offsets of its name (or None) and of its value."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.comma = 0  # offset of the last comma
        self.stack: list[_Open] = []
        self.places: dict[Path, tuple[int | None, int]] = {}
        self.problems: list[Problem] = []
        self.lines = [0, *(match.end() for match in re.finditer("\n", text))]  # where each begins
        self.name_at: int | None = None

    def run(self) -> None:
        expect: Callable[[str], Any] = self.value
        try:
            while expect != self.finished:
                self.skip()
                expect = expect(self.text[self.at : self.at + 1])
        except _Stop:
            pass

    def line_and_column(self, offset: int) -> tuple[int, int]:
        """Both counted from 1, columns in characters."""
        line = bisect_right(self.lines, offset)
        return line, offset - self.lines[line - 1] + 1

    # -- reporting

    def report(self, code: str, offset: int, message: str, value: Any = None, suggestion: str | None = None) -> None:
        line, column = self.line_and_column(offset)
        place = name_of(self.path) if self.stack else ""
        self.problems.append(Problem(place, message, value, suggestion, line, column, "error", code))
        if len(self.problems) >= MAX_PROBLEMS:
            raise _Stop

    def fail(self, code: str, offset: int, message: str, value: Any = None, suggestion: str | None = None) -> NoReturn:
        self.report(code, offset, message, value, suggestion)
        raise _Stop

    def unexpected(self, char: str, wanted: str) -> NoReturn:
        if char:
            self.fail("json-syntax", self.at, f"Expected {wanted}, but found {char!r}.", char)
        if not self.stack:
            self.fail("json-empty", 0, "The text is empty.", "", 'write a JSON object: {"Version": …, "Statement": …}')
        top = self.stack[-1]
        line, column = self.line_and_column(top.offset)
        message = f"The text ends, but the {top.bracket!r} of line {line}, column {column} is never closed."
        self.fail("json-unclosed", top.offset, message, top.bracket, f"add {_CLOSER[top.bracket]!r}")

    @property
    def path(self) -> Path:
        top = self.stack[-1]
        return top.path if top.step is None else (*top.path, top.step)

    # -- what may stand here: each method reads one thing and returns the method for the next

    def finished(self, char: str) -> NoReturn:
        raise AssertionError("never called")

    def skip(self) -> None:
        while True:
            self.at = _SPACE.match(self.text, self.at).end()  # type: ignore[union-attr]
            if comment := _COMMENT.match(self.text, self.at):
                self.report("json-comment", self.at, "JSON has no comments.", comment[0][:60], "remove it")
                self.at = comment.end()
            elif space := _FOREIGN_SPACE.match(self.text, self.at):
                message = "An invisible character stands here, perhaps copied from a web page."
                self.report("json-space", self.at, message, space[0][:10], "replace it with a space")
                self.at = space.end()
            else:
                return

    def value(self, char: str) -> Callable[[str], Any]:
        start = self.at
        if not char:
            self.unexpected(char, "a value")
        if char in ",]}" and self.stack:
            message = "A value is missing here." if char == "," or self.name_at is not None else ""
            if message:
                self.report("json-syntax", start, message, char)
            else:
                self.trailing_comma()
            self.name_at = None
            return self.separator
        path = self.path if self.stack else ()
        self.places[path] = (self.name_at, start)
        self.name_at = None
        if char in _CLOSER:
            return self.open(char, path)
        if char == '"' or char in _QUOTES:
            self.string(char)
        elif char == "-" or char.isdigit() or char in "+.":
            self.number()
        elif word := _WORD.match(self.text, start):
            self.word(word[0])
        else:
            self.unexpected(char, "a value")
        return self.separator

    def open(self, char: str, path: Path) -> Callable[[str], Any]:
        if len(self.stack) == MAX_DEPTH:
            message = f"More than {MAX_DEPTH} levels of brackets; a policy needs seven."
            self.fail("json-too-deep", self.at, message, char)
        self.stack.append(_Open(char, self.at, path, {}, None if char == "{" else 0))
        self.at += 1
        return self.first_name if char == "{" else self.first_item

    def first_item(self, char: str) -> Callable[[str], Any]:
        return self.separator(char) if char == "]" else self.value(char)

    def first_name(self, char: str) -> Callable[[str], Any]:
        return self.separator(char) if char == "}" else self.name(char)

    def name(self, char: str) -> Callable[[str], Any]:
        start = self.at
        if char == "}":
            self.trailing_comma()
            return self.separator
        if char == '"' or char in _QUOTES:
            name = self.string(char)
        elif char and (word := _WORD.match(self.text, start)):
            self.report("json-quotes", start, "A name needs double quotes.", word[0], f'"{word[0]}"')
            self.at, name = word.end(), word[0]
        else:
            self.unexpected(char, "a name in double quotes")
        top = self.stack[-1]
        if name in top.names:
            line, _ = self.line_and_column(top.names[name])
            message = f'"{name}" stands twice in one object, first on line {line}; only one of them could count.'
            top.step = name
            self.report("duplicate-key", start, message, name, "merge the two, or remove one")
        top.names.setdefault(name, start)
        top.step, self.name_at = name, start
        return self.colon

    def colon(self, char: str) -> Callable[[str], Any]:
        if char == ":":
            self.at += 1
        else:
            self.report("json-syntax", self.at, f"A colon is missing after the name {self.stack[-1].step!r}.", char)
            self.at += char == "="
        return self.value

    def separator(self, char: str) -> Callable[[str], Any]:
        if not self.stack:
            if not char:
                return self.finished
            rest = self.text[self.at : self.at + 40]
            self.fail("json-syntax", self.at, "The document has ended; nothing may follow it.", rest)
        top = self.stack[-1]
        if char == _CLOSER[top.bracket]:
            self.stack.pop()
            self.at += 1
            return self.separator
        if char in (",", ";"):
            if char == ";":
                self.report("json-syntax", self.at, "Values are separated by commas.", char, ",")
            self.comma = self.at
            self.at += 1
        elif char and (char in '"[{-' or char in _QUOTES or char.isalnum()):
            self.report("json-missing-comma", self.at, "A comma is missing before this.", char, "add a comma")
        elif char in ("]", "}"):
            line, column = self.line_and_column(top.offset)
            message = f"{char!r} does not close the {top.bracket!r} of line {line}, column {column}."
            self.fail("json-unclosed", self.at, message, char, f"write {_CLOSER[top.bracket]!r} here")
        else:
            self.unexpected(char, f"a comma or {_CLOSER[top.bracket]!r}")
        if top.bracket == "{":
            return self.name
        if isinstance(top.step, int):
            top.step += 1
        return self.value

    def trailing_comma(self) -> None:
        self.report("json-trailing-comma", self.comma, "Nothing follows this comma.", ",", "remove it")

    # -- the simple things

    def string(self, quote: str) -> str:
        start = self.at
        if quote != '"':
            end = self.text.find(_QUOTES[quote], start + 1)
            if end < 0 or "\n" in self.text[start:end]:
                self.fail("json-quotes", start, "Strings stand in plain double quotes.", quote, '"')
            inner = self.text[start + 1 : end]
            self.report("json-quotes", start, "Strings stand in plain double quotes.", inner[:60], f'"{inner[:60]}"')
            self.at = end + 1
            return inner
        self.at += 1
        while True:
            self.at = _PLAIN.match(self.text, self.at).end()  # type: ignore[union-attr]
            char = self.text[self.at : self.at + 1]
            if char == '"':
                self.at += 1
                break
            if char == "\\":
                if escape := _ESCAPE.match(self.text, self.at):
                    self.at = escape.end()
                    continue
                wrong = self.text[self.at : self.at + 2]
                advice = "a backslash itself is \\\\"
                self.report("json-escape", self.at, f"{wrong} means nothing in JSON.", wrong, advice)
                self.at += 2
            elif char in ("", "\n", "\r"):
                message = "The string that begins here is not closed on its line."
                self.fail("json-unclosed", start, message, self.text[start : start + 40], 'add "')
            else:
                message = "A control character may not stand in a string."
                self.report("json-escape", self.at, message, char, repr(char)[1:-1])
                self.at += 1
        inside = self.text[start : self.at]
        if "\\" not in inside or self.problems:
            return inside[1:-1]
        return str(json.loads(inside))

    def number(self) -> None:
        seen = _NUMBER_LIKE.match(self.text, self.at)
        if seen is None or not _NUMBER.fullmatch(seen[0]):
            shown = (seen[0] if seen else self.text[self.at])[:40]
            self.report("json-literal", self.at, f"{shown} is not a number as JSON writes it.", shown, f'"{shown}"')
        self.at = seen.end() if seen else self.at + 1

    def word(self, word: str) -> None:
        if word not in _LITERALS:
            message = f"{word} is neither a string nor true, false or null."
            self.report("json-literal", self.at, message, word, _MEANT.get(word, f'"{word}"'))
        self.at += len(word)
