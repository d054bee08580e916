"""Wildcards and policy variables: does a text of the request match what a policy says?

``*`` stands for any characters and ``?`` for exactly one. A ``${key}`` is replaced by a value of the request before the
comparison, and what it brings is literal. Every comparison takes time proportional to the text: there are no regular
expressions here, and nothing that goes back to try again.
"""

from __future__ import annotations

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


Piece = str | Wild | Variable


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

    __slots__ = ("everywhere", "final", "inside", "letters", "stay", "stay_in_part")

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self.letters: dict[str, int] = {}  # character -> the bits it can move to
        self.everywhere = 0  # bits that any character can move to
        self.inside = 0  # bits that any character but a colon can move to
        self.stay = 0  # bits after which a * waits
        self.stay_in_part = 0  # bits after which a * waits that does not cross a colon
        bit = 1
        for piece in pieces:
            if piece is Wild.ANY:
                self.stay |= bit
            elif piece is Wild.ANY_IN_PART:
                self.stay_in_part |= bit
            elif piece is Wild.ONE:
                bit <<= 1
                self.everywhere |= bit
            elif piece is Wild.ONE_IN_PART:
                bit <<= 1
                self.inside |= bit
            elif isinstance(piece, str):
                for character in piece:
                    bit <<= 1
                    self.letters[character] = self.letters.get(character, 0) | bit
        self.final = bit

    def matches(self, text: str, context: Context) -> bool:
        letters, reached = self.letters, 1
        colon = letters.get(":", 0) | self.everywhere
        other, stay, stay_in_part = self.everywhere | self.inside, self.stay, self.stay | self.stay_in_part
        for character in text:
            if character == ":":
                reached = (reached << 1) & colon | reached & stay
            else:
                reached = (reached << 1) & (letters.get(character, 0) | other) | reached & stay_in_part
            if not reached:
                return False
        return bool(reached & self.final)


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


def read(text: str, *, wildcards: bool = True, variables: bool = False, arn: bool = False) -> list[Piece]:
    """Take the text of a policy apart.

    ``arn``: the text is a ``Resource``. A wildcard in one of the first five parts stays within it, except that a part's
    last ``*`` may run past colons (UG/reference_policies_elements_resource); variables count only after the fifth colon
    (UG/reference_policies_variables), before it they are plain text.
    """
    pieces: list[Piece] = []
    literal, at, colons = "", 0, 0 if arn else 5
    while at < len(text):
        character, step, special = text[at], 1, None
        if character == "$" and variables and colons >= 5 and text.startswith("${", at):
            end = text.find("}", at)
            if end > 0:
                special, step = _variable(text[at + 2 : end]), end + 1 - at
        elif character == "*" and wildcards:
            crossing = colons >= 5 or at + 1 == len(text) or text[at + 1] == ":"
            special = Wild.ANY if crossing else Wild.ANY_IN_PART
        elif character == "?" and wildcards:
            special = Wild.ONE if colons >= 5 else Wild.ONE_IN_PART
        elif character == ":":
            colons += 1
        if special is None:
            literal += character
        elif isinstance(special, str):
            literal += special
        else:
            if literal:
                pieces.append(literal)
            pieces.append(special)
            literal = ""
        at += step
    if literal:
        pieces.append(literal)
    return pieces


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
    return not any("*" in part[:-1] for part in arn.split(":", 5)[:5] if part and part != "*")


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
            elif not wildcards or ("*" not in text and "?" not in text):
                exact.append(text)
            elif text.find("*") == len(text) - 1 and "?" not in text:
                prefixes.append(text[:-1])
            else:
                rest.append(text)
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
            others = self._others = tuple(self._prepared(each) for each in self._rest)
        for other in others:  # noqa: SIM110 - a generator would cost more than the comparison
            if other.matches(text, context):
                return True
        return False

    def _prepared(self, text: str) -> Pattern:
        if (self._variables and "${" in text) or (self._arn and not _every_star_crosses(text)):
            return pattern(read(text, wildcards=self._wildcards, variables=self._variables, arn=self._arn))
        return pattern(read(text, arn=self._arn)) if "?" in text else Stars(text.split("*"))
