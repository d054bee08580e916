"""Wildcards and policy variables: does a text of the request match what a policy says?

``*`` stands for any characters and ``?`` for exactly one. A ``${key}`` is replaced by a value of the request before the
comparison, and what it brings is literal. Every comparison takes time proportional to the text: nothing goes back to
try again. ``meets`` and ``covers`` compare patterns with patterns.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import NamedTuple

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
        actual = context.get(self.key)
        return actual if isinstance(actual, str) else self.default


_STARS = (Wild.ANY, Wild.ANY_IN_PART)
_IN_PART = {Wild.ANY: Wild.ANY_IN_PART, Wild.ONE: Wild.ONE_IN_PART}
_WILD = {"*": Wild.ANY, "?": Wild.ONE}
Piece = str | Wild | Variable

# These take a text apart in one go; nothing is matched with them.
_WILDCARD = re.compile(r"([*?])")
_SPECIAL = re.compile(r"(\$\{[^}]*\}|[*?])")


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


class Glob:
    """A pattern without variables: its literal ends are compared at once, what lies between by an automaton."""

    __slots__ = ("_automaton", "first", "last", "least", "middle")

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.first = pieces[0] if pieces and isinstance(pieces[0], str) else ""
        self.last = pieces[-1] if len(pieces) > 1 and isinstance(pieces[-1], str) else ""
        self.middle = pieces[bool(self.first) : len(pieces) - bool(self.last)]
        self.least = sum(len(piece) if isinstance(piece, str) else piece not in _STARS for piece in pieces)
        self._automaton: Automaton | None = None

    def matches(self, text: str, context: Context) -> bool:
        if len(text) < self.least or not text.startswith(self.first) or not text.endswith(self.last):
            return False
        if self._automaton is None:
            self._automaton = Automaton([self.middle])
        return self._automaton.accepts(text[len(self.first) : len(text) - len(self.last)])


class Automaton:
    """Patterns of which any may match, followed on all their possible paths at once.

    Each pattern has a run of bits, one more than it has letters. Its bit *n* says: its first *n* letters can have
    matched what was read so far. One character of the text moves all bits at once, so that time grows with the text.
    """

    __slots__ = ("borders", "final", "inside", "letters", "runs", "start", "stay", "stay_in_part", "wild")

    def __init__(self, patterns: Iterable[Sequence[Piece]], borders: str = ":") -> None:
        self.borders = borders  # what a wildcard within a part stops at, when it is followed by `after`
        self.letters: dict[str, int] = {}  # where each character leads
        self.runs: list[int] = []  # the bits of each pattern with a * that may run past colons
        wild = dict.fromkeys(Wild, 0)
        self.start = self.final = 0
        bit = 1
        for pieces in patterns:
            first = bit
            for piece in pieces:
                if isinstance(piece, str):
                    for character in piece:
                        bit <<= 1
                        self.letters[character] = self.letters.get(character, 0) | bit
                elif isinstance(piece, Wild):
                    bit <<= piece not in _STARS
                    wild[piece] |= bit
            self.start |= first
            self.final |= bit
            bit <<= 1
            if Wild.ANY in pieces:
                self.runs.append(bit - first)
        self.wild, self.inside = wild[Wild.ONE], wild[Wild.ONE] | wild[Wild.ONE_IN_PART]
        self.stay, self.stay_in_part = wild[Wild.ANY], wild[Wild.ANY] | wild[Wild.ANY_IN_PART]

    def accepts(self, text: str) -> bool:
        letters, reached = self.letters, self.start
        colon, other, stay, stay_in_part = letters.get(":", 0) | self.wild, self.inside, self.stay, self.stay_in_part
        for character in text:
            if character == ":":
                reached = (reached << 1) & colon | reached & stay
            else:
                reached = (reached << 1) & (letters.get(character, 0) | other) | reached & stay_in_part
            if not reached:
                return False
        return bool(reached & self.final)

    def after(self, reached: int, character: str) -> int:
        """The bits after one more character; those before the last ``*`` reached, which add nothing, are left out."""
        at_border = character in self.borders
        moved = (reached << 1) & (self.letters.get(character, 0) | (self.wild if at_border else self.inside))
        reached = moved | reached & (self.stay if at_border else self.stay_in_part)
        for run in self.runs:
            if waits := reached & self.stay & run:
                reached &= ~run | -(1 << waits.bit_length() - 1)
        return reached


class TooManyTexts(Exception):
    """Patterns whose every combination cannot be looked at in reasonable time."""


def texts_by_match(
    patterns: Sequence[Sequence[Sequence[Piece]]], within: Sequence[Piece] = (Wild.ANY,), *, most: int = 10_000
) -> dict[int, str]:
    """The shortest text for each way in which texts of the pattern ``within`` can match others.

    Each of ``patterns`` is a list of which any may match. Bit *n* of a key says whether the list *n* matches; a
    combination that no text has is not in the answer. All are followed at once. Raises ``TooManyTexts`` where that
    takes more than ``most`` steps.
    """
    automata = [Automaton(each) for each in (*patterns, [within])]
    known = {":", *(character for each in automata for character in each.letters)}
    other = next(character for character in map(chr, range(ord("x"), 0x110000)) if character not in known)
    found: dict[int, str] = {}
    start = tuple([each.start for each in automata])
    waiting, seen = deque([(start, "")]), {start}
    while waiting:
        reached, text = waiting.popleft()
        pairs = list(zip(reached, automata, strict=True))
        if reached[-1] & automata[-1].final:
            matched = [1 << n for n, (bits, each) in enumerate(pairs[:-1]) if bits & each.final]
            found.setdefault(sum(matched), text)
        leading = {character for bits, each in pairs for character, to in each.letters.items() if bits << 1 & to}
        for character in sorted(leading | {":", other}):
            step = tuple([each.after(bits, character) for bits, each in pairs])
            if step[-1] and step not in seen:
                if len(seen) == most:
                    raise TooManyTexts
                seen.add(step)
                waiting.append((step, text + character))
    return found


def meets(left: Sequence[Piece], right: Sequence[Piece]) -> bool:
    """Whether some text matches both patterns. Raises ``TooManyTexts``."""
    return 1 in texts_by_match([[left]], right)


def covers(patterns: Sequence[Sequence[Piece]], narrow: Sequence[Piece]) -> bool:
    """Whether every text that matches ``narrow`` matches one of the patterns. Raises ``TooManyTexts``."""
    return 0 not in texts_by_match([patterns], narrow)


class Template:
    """A pattern with policy variables: filled in for each request; a missing value makes it match nothing."""

    __slots__ = ("head", "parts", "pieces")

    def __init__(self, pieces: Sequence[Piece], parts: bool) -> None:
        self.pieces = pieces
        self.parts = parts
        self.head = pieces[0] if pieces and isinstance(pieces[0], str) else ""

    def matches(self, text: str, context: Context) -> bool:
        if not text.startswith(self.head):
            return False
        pieces = fill(self.pieces, context)
        if pieces is None:
            return False
        return Glob(within_parts(pieces) if self.parts else pieces).matches(text, context)


def fill(pieces: Iterable[Piece], context: Context) -> list[Piece] | None:
    """The pieces with every variable replaced by its value, or ``None`` where one has none."""
    filled: list[Piece] = []
    for piece in pieces:
        value = piece.value(context) if isinstance(piece, Variable) else piece
        if value is None:
            return None
        if isinstance(value, str) and filled and isinstance(filled[-1], str):
            filled[-1] += value
        else:
            filled.append(value)
    return filled


def read(text: str, *, wildcards: bool = True, variables: bool = False) -> list[Piece]:
    """Take the text of a policy apart into literals, wildcards and variables."""
    closed = text.rfind("}") + 1 if variables else 0  # behind the last brace no variable can end
    tokens = _SPECIAL.split(text[:closed]) if closed else []
    pieces: list[Piece] = []
    for token in (*tokens, *_WILDCARD.split(text[closed:])):
        if wildcards and token in _WILD:
            pieces.append(_WILD[token])
        elif variables and token.startswith("${") and token.endswith("}"):
            pieces.append(_variable(token[2:-1]))
        elif token:
            pieces.append(token)
    return pieces


def read_resource(arn: str, *, variables: bool = False) -> list[Piece]:
    """Take a ``Resource`` of six parts apart; variables count only after the fifth colon
    (UG/reference_policies_variables), before it they are plain text."""
    *parts, rest = arn.split(":", 5)
    head = within_parts(read(":".join([*parts, ""])), crossing=True)
    return [*head, *read(rest, variables=variables)]


def within_parts(pieces: Sequence[Piece], *, crossing: bool = False) -> list[Piece]:
    """The same pieces, where a wildcard in one of an ARN's first five parts stays within it.

    ``crossing``: except that a part's last ``*`` may run past colons, as in a ``Resource``
    (UG/reference_policies_elements_resource).
    """
    kept: list[Piece] = []
    colons = 0
    for piece, following in zip(pieces, [*pieces, ""][1:], strict=True):
        if isinstance(piece, str):
            colons += piece.count(":")
        elif isinstance(piece, Wild) and colons < 5:
            last = isinstance(following, str) and following.startswith(":")
            piece = piece if crossing and last and piece is Wild.ANY else _IN_PART.get(piece, piece)
        kept.append(piece)
    return kept


def _variable(inside: str) -> Piece:
    """What stands between ``${`` and ``}``: an escaped ``*``, ``?`` or ``$``, or a key with or without a default."""
    if inside in {"*", "?", "$"}:
        return inside
    key, comma, default = inside.partition(",")
    default = default.strip()
    if comma and len(default) >= 2 and default[0] == default[-1] == "'":
        return Variable(key.strip().lower(), default[1:-1])
    return Variable(inside.strip().lower())


def _has_star_in_part(arn: str) -> bool:
    """Whether a ``*`` of an ARN may not run past colons: it is in one of the first five parts, and not its last."""
    return any(-1 < part.find("*") < len(part) - 1 for part in arn.split(":", 5)[:5])


class Patterns:
    """Several texts of a policy of which any may match: the commonest kinds first, each decided in one step.

    ``arn``: the texts are those of a ``Resource``; ``parts``: they are ARNs whose six parts are compared one by one, as
    ARN conditions do. What needs more than one step is taken apart when first asked for.
    """

    __slots__ = ("_arn", "_others", "_parts", "_rest", "_wildcards", "exact", "prefixes", "texts", "variables")

    def __init__(
        self,
        texts: Sequence[str],
        *,
        wildcards: bool = True,
        variables: bool = False,
        arn: bool = False,
        parts: bool = False,
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
        self.texts = texts
        self.exact, self.prefixes = frozenset(exact), tuple(prefixes)
        self._others: tuple[Stars | Glob | Template, ...] | None = None if rest else ()
        self._rest, self._wildcards, self.variables, self._arn, self._parts = rest, wildcards, variables, arn, parts

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

    def _prepare(self, text: str) -> Stars | Glob | Template:
        """The matcher for a text that is more than a literal or a beginning."""
        if self.variables and "${" in text:
            return Template(self.read(text), self._parts)
        if "?" not in text and not self._parts and not (self._arn and _has_star_in_part(text)):
            return Stars(text.split("*"))
        return Glob(self.read(text))

    def read(self, text: str) -> list[Piece]:
        """One of the texts, taken apart."""
        if self._arn:
            return read_resource(text, variables=self.variables)
        pieces = read(text, wildcards=self._wildcards, variables=self.variables)
        return within_parts(pieces) if self._parts and not (self.variables and "${" in text) else pieces

    @property
    def keys(self) -> set[str]:
        """The keys of the variables, in lower case."""
        texts = [text for text in self.texts if self.variables and "${" in text]
        return {piece.key for text in texts for piece in self.read(text) if isinstance(piece, Variable)}

    def pieces(self, context: Context) -> list[list[Piece]]:
        """Every text taken apart, its variables filled in; those that then match nothing are left out."""
        filled = (fill(self.read(text), context) for text in self.texts)
        return [within_parts(each) if self._parts else each for each in filled if each is not None]
