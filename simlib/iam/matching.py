"""Wildcards and policy variables: does a text of the request match what a policy says?

``*`` stands for any characters and ``?`` for exactly one. A ``${key}`` is replaced by a value of the request before the
comparison, and what it brings is literal. Every comparison takes time proportional to the text: there are no regular
expressions here, and nothing that goes back to try again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import NamedTuple, Protocol

Values = str | tuple[str, ...]
Context = Mapping[str, Values]  # keys in lower case


class Wild(Enum):
    """A wildcard. Inside one of the first five parts of an ARN it stops at the colon."""

    ANY = "*"
    ONE = "?"
    ANY_IN_PART = "* within a part"
    ONE_IN_PART = "? within a part"


class Variable(NamedTuple):
    """``${key}`` or ``${key, 'default'}``. Only single-valued keys can be used (UG/reference_policies_variables)."""

    key: str
    default: str | None = None

    def value(self, context: Context) -> str | None:
        found = context.get(self.key)
        return found if isinstance(found, str) else self.default


_STARS = (Wild.ANY, Wild.ANY_IN_PART)
Piece = str | Wild | Variable

# These take a text apart in one go; nothing is matched with them.
_WILDCARD = re.compile(r"([*?])")
_SPECIAL = re.compile(r"(\$\{[^}]*\}|[*?])")
_WILD = {"*": Wild.ANY, "?": Wild.ONE}
_WILD_IN_PART = {"*": Wild.ANY_IN_PART, "?": Wild.ONE_IN_PART}


class Pattern(Protocol):
    """Anything that can be compared with a text of a request."""

    def matches(self, text: str, context: Context) -> bool: ...


class Stars:
    """Literal texts with a ``*`` between each two of them; the leftmost place that fits is always good enough."""

    __slots__ = ("first", "last", "least", "middle")

    def __init__(self, literals: Sequence[str]) -> None:
        self.first, *middle, self.last = literals
        self.middle = [literal for literal in middle if literal]
        self.least = sum(map(len, literals))

    def matches(self, text: str, context: Context) -> bool:
        if len(text) < self.least or not text.startswith(self.first) or not text.endswith(self.last):
            return False
        at, end = len(self.first), len(text) - len(self.last)
        for literal in self.middle:
            at = text.find(literal, at, end)
            if at < 0:
                return False
            at += len(literal)
        return at <= end


class Steps:
    """Any mixture of literals and wildcards, followed on all its possible paths at once.

    Bit *n* of a whole number says: the first *n* letters of the pattern can have matched what was read so far. One
    character of the text moves all bits at once, so that time grows with the text alone.
    """

    __slots__ = ("_tables", "head", "least", "pieces")

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.pieces = pieces
        stars = [index for index, piece in enumerate(pieces) if piece in _STARS]
        self.head = pieces[: stars[0]] if stars else pieces
        self.least = sum(len(piece) if isinstance(piece, str) else piece not in _STARS for piece in pieces)
        self._tables: _Tables | None = None

    def matches(self, text: str, context: Context) -> bool:
        if len(text) < self.least:
            return False
        at = 0
        for piece in self.head:  # up to the first star there is only one path
            if isinstance(piece, str):
                if not text.startswith(piece, at):
                    return False
                at += len(piece)
            elif piece is Wild.ONE_IN_PART and text[at] == ":":
                return False
            else:
                at += 1
        if len(self.head) == len(self.pieces):
            return at == len(text)
        tables = self._tables
        if tables is None:
            tables = self._tables = _tables(self.pieces)
        return _follow(text, tables)


class _Tables(NamedTuple):
    """What moves the bits: where each character leads, where any does, where any but a colon does, where a * waits."""

    letters: dict[str, int]
    everywhere: int
    inside: int
    stay: int
    stay_in_part: int
    final: int


def _tables(pieces: Iterable[Piece]) -> _Tables:
    letters: dict[str, int] = {}
    wild = dict.fromkeys(Wild, 0)
    bit = 1
    for piece in pieces:
        if isinstance(piece, str):
            for character in piece:
                bit <<= 1
                letters[character] = letters.get(character, 0) | bit
        elif isinstance(piece, Wild):
            bit <<= piece not in _STARS
            wild[piece] |= bit
    return _Tables(letters, wild[Wild.ONE], wild[Wild.ONE_IN_PART], wild[Wild.ANY], wild[Wild.ANY_IN_PART], bit)


def _follow(text: str, tables: _Tables) -> bool:
    letters, reached = tables.letters, 1
    colon, other = letters.get(":", 0) | tables.everywhere, tables.everywhere | tables.inside
    stay, stay_in_part = tables.stay, tables.stay | tables.stay_in_part
    for character in text:
        if character == ":":
            reached = (reached << 1) & colon | reached & stay
        else:
            reached = (reached << 1) & (letters.get(character, 0) | other) | reached & stay_in_part
        if not reached:
            return False
    return bool(reached & tables.final)


class Template:
    """A pattern with policy variables: filled in for each request; a missing value makes it match nothing."""

    __slots__ = ("head", "pieces")

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.pieces = tuple(pieces)
        self.head = pieces[0] if pieces and isinstance(pieces[0], str) else ""

    def fill(self, context: Context) -> list[Piece] | None:
        """The pieces with every variable replaced by its value, or ``None`` where one has none."""
        filled: list[Piece] = []
        for piece in self.pieces:
            if isinstance(piece, Variable):
                value = piece.value(context)
                if value is None:
                    return None
                filled.append(value)
            else:
                filled.append(piece)
        return filled

    def matches(self, text: str, context: Context) -> bool:
        if not text.startswith(self.head):
            return False
        filled = self.fill(context)
        return filled is not None and pattern(filled).matches(text, context)


class Literal:
    """A text that must be met exactly."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def matches(self, text: str, context: Context) -> bool:
        return text == self.text


def pattern(pieces: Sequence[Piece]) -> Pattern:
    """The simplest matcher for these pieces."""
    literals = [""]
    for piece in pieces:
        if isinstance(piece, str):
            literals[-1] += piece
        elif piece is Wild.ANY:
            literals.append("")
        else:
            return Template(pieces) if any(isinstance(each, Variable) for each in pieces) else Steps(pieces)
    return Literal(literals[0]) if len(literals) == 1 else Stars(literals)


def read(text: str, *, wildcards: bool = True, variables: bool = False) -> list[Piece]:
    """Take the text of a policy apart into literals, wildcards and variables."""
    closed = text.rfind("}") + 1 if variables else 0  # behind the last brace no variable can end
    tokens = _SPECIAL.split(text[:closed]) if closed else []
    pieces: list[Piece] = []
    for token in (*tokens, *_WILDCARD.split(text[closed:])):
        if wildcards and token in _WILD:
            pieces.append(_WILD[token])
        elif token.startswith("${") and token.endswith("}"):
            pieces.append(_variable(token[2:-1]))
        elif token:
            pieces.append(token)
    return pieces


def read_resource(arn: str, *, variables: bool = False) -> list[Piece]:
    """Take a ``Resource`` of six parts apart.

    A wildcard in one of the first five parts stays within it, except that a part's last ``*`` may run past colons
    (UG/reference_policies_elements_resource); variables count only after the fifth colon
    (UG/reference_policies_variables), before it they are plain text.
    """
    *parts, rest = arn.split(":", 5)
    head = ":".join(parts) + ":"
    pieces: list[Piece] = [head]
    if "*" in head or "?" in head:
        pieces.clear()
        for part in parts:
            *inner, last = _WILDCARD.split(part)
            if inner and not last and inner[-1] == "*":
                inner, last = inner[:-1], "*"
            pieces += [_WILD_IN_PART.get(token, token) for token in inner if token]
            pieces += [Wild.ANY if last == "*" else last, ":"]
    return pieces + read(rest, variables=variables)


def _variable(inside: str) -> Piece:
    """What stands between ``${`` and ``}``: an escaped ``*``, ``?`` or ``$``, or a key with or without a default."""
    if inside in {"*", "?", "$"}:
        return inside
    key, comma, default = inside.partition(",")
    default = default.strip()
    if comma and len(default) >= 2 and default[0] == default[-1] == "'":
        return Variable(key.strip().lower(), default[1:-1])
    return Variable(inside.strip().lower())


def simple(text: str) -> Pattern:
    """The matcher for a text with wildcards, but without variables."""
    if "?" in text:
        return pattern(read(text))
    return Stars(text.split("*")) if "*" in text else Literal(text)


def _every_star_crosses(arn: str) -> bool:
    """Whether every ``*`` of an ARN may run past colons: in the first five parts only a part's last character may."""
    for part in arn.split(":", 5)[:5]:  # noqa: SIM110 - this is asked of every resource
        if -1 < part.find("*") < len(part) - 1:
            return False
    return True


class Patterns:
    """Several texts of a policy of which any may match: the commonest kinds first, each decided in one step.

    ``arn``: the texts are those of a ``Resource``. What needs more than one step is taken apart when first asked for.
    """

    __slots__ = ("_arn", "_others", "_rest", "_variables", "_wildcards", "exact", "prefixes")

    def __init__(
        self, texts: Iterable[str], *, wildcards: bool = True, variables: bool = False, arn: bool = False
    ) -> None:
        exact: list[str] = []
        prefixes: list[str] = []
        rest: list[str] = []
        for text in texts:
            if variables and "${" in text:
                rest.append(text)
                continue
            star = text.find("*") if wildcards else -1
            if wildcards and ("?" in text or -1 < star < len(text) - 1):
                rest.append(text)
            elif star < 0:
                exact.append(text)
            else:
                prefixes.append(text[:-1])
        self.exact, self.prefixes = frozenset(exact), tuple(prefixes)
        self._others: tuple[Pattern, ...] | None = ()
        if rest:
            self._rest, self._others = rest, None
            self._wildcards, self._variables, self._arn = wildcards, variables, arn

    def matches(self, text: str, context: Context) -> bool:
        if text in self.exact or (self.prefixes and text.startswith(self.prefixes)):
            return True
        others = self._others
        if others is None:
            others = self._others = tuple([self._prepare(each) for each in self._rest])
        for other in others:  # noqa: SIM110 - a generator would cost more than the comparison
            if other.matches(text, context):
                return True
        return False

    def _prepare(self, text: str) -> Pattern:
        """The matcher for a text that is more than a literal or a beginning."""
        variables = self._variables and "${" in text
        if self._arn and (variables or "?" in text or not _every_star_crosses(text)):
            return pattern(read_resource(text, variables=variables))
        return pattern(read(text, wildcards=self._wildcards, variables=True)) if variables else simple(text)
