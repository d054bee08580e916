"""Wildcards and policy variables: does a text of the request match what a policy says?

``*`` stands for any characters and ``?`` for exactly one. A ``${key}`` is replaced by a value of the request before the
comparison, and what it brings is literal. Every comparison takes time proportional to the text: nothing goes back to
try again. ``texts_by_match`` compares patterns with patterns.
"""

from __future__ import annotations

import re
import sys
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from enum import Enum
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

Values = str | tuple[str, ...]
Context = Mapping[str, Values]  # keys in lower case
Matcher = Callable[[str, Context], bool]


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


# Looking up a member of an enumeration takes Python 3.11 longer than comparing it.
_ANY, _ONE, _ANY_IN_PART, _ONE_IN_PART = Wild
_WILD = {"*": _ANY, "?": _ONE}
Piece = str | Wild | Variable

#: How a text of a policy is read: without wildcards; with them; as an ARN whose six parts are compared one by one, as
#: ARN conditions do; as a ``Resource``, in which a part's last ``*`` may run past colons and variables count only after
#: the fifth colon (UG/reference_policies_elements_resource, UG/reference_policies_variables).
EQUALS, LIKE, ARN, RESOURCE = "equals", "like", "arn", "resource"

# These take a text apart in one go; nothing is matched with them.
_WILDCARD: Final = re.compile(r"([*?])")
_SPECIAL: Final = re.compile(r"(\$\{[^}]*\}|[*?])")


class Automaton:
    """A pattern followed on all its possible paths at once.

    Bit *n* says: the first *n* letters of the pattern can have matched what was read so far. One character of the text
    moves all bits, so that time grows with the text. ``borders``: the characters at which a wildcard within a part
    stops.
    """

    __slots__ = ("crossing", "final", "first", "last", "letters", "other", "steps")

    def __init__(self, pieces: Sequence[Piece], borders: str = ":") -> None:
        self.first = pieces[0] if pieces and isinstance(pieces[0], str) else ""
        self.last = pieces[-1] if pieces and isinstance(pieces[-1], str) else ""
        self.letters: dict[str, int] = {}  # where each character leads
        wild = dict.fromkeys(Wild, 0)
        bit = 1
        for piece in pieces:
            if isinstance(piece, str):
                for character in piece:
                    bit <<= 1
                    self.letters[character] = self.letters.get(character, 0) | bit
            elif isinstance(piece, Wild):
                bit <<= piece in (_ONE, _ONE_IN_PART)
                wild[piece] |= bit
        self.final, self.crossing = bit, wild[_ANY]
        moves, stays = wild[_ONE] | wild[_ONE_IN_PART], self.crossing | wild[_ANY_IN_PART]
        self.other = moves, stays
        self.steps = {character: (bits | moves, stays) for character, bits in self.letters.items()}
        self.steps |= {border: (self.letters.get(border, 0) | wild[_ONE], self.crossing) for border in borders}

    def matches(self, text: str, context: Context) -> bool:
        if not (text.startswith(self.first) and text.endswith(self.last)):
            return False
        steps, other, reached = self.steps, self.other, 1 << len(self.first)
        for character in text[len(self.first) :]:
            moves, stays = steps.get(character, other)
            reached = (reached << 1) & moves | reached & stays
            if not reached:
                return False
        return bool(reached & self.final)

    def after(self, reached: int, character: str) -> int:
        """The bits after one more character; those before the last ``*`` reached, which add nothing, are left out."""
        moves, stays = self.steps.get(character, self.other)
        reached = (reached << 1) & moves | reached & stays
        waits = reached & self.crossing
        return reached & -(1 << waits.bit_length() - 1) if waits else reached


class Glob:
    """A pattern whose only wildcards are stars that may run past colons.

    Its literal ends are compared at once; between them the leftmost place that fits is always good enough.
    """

    __slots__ = ("first", "last", "least", "middle", "most")

    def __init__(self, pieces: Sequence[Piece]) -> None:
        literals = [piece for piece in pieces if isinstance(piece, str)]
        self.first = literals.pop(0) if pieces and isinstance(pieces[0], str) else ""
        self.last = literals.pop() if literals and isinstance(pieces[-1], str) else ""
        self.middle, self.least = literals, len("".join([self.first, *literals, self.last]))
        self.most = sys.maxsize if _ANY in pieces else self.least

    def matches(self, text: str, context: Context) -> bool:
        if not (self.least <= len(text) <= self.most and text.startswith(self.first) and text.endswith(self.last)):
            return False
        at, end = len(self.first), len(text) - len(self.last)
        for piece in self.middle:
            at = text.find(piece, at, end) + len(piece)
            if at < len(piece):
                return False
        return True


def matcher(pieces: Sequence[Piece]) -> Glob | Automaton:
    """What a text is compared with, by a pattern without variables."""
    return Glob(pieces) if all(piece is _ANY or isinstance(piece, str) for piece in pieces) else Automaton(pieces)


class TooManyTexts(Exception):
    """Patterns whose every combination cannot be looked at in reasonable time."""


def texts_by_match(
    patterns: Iterable[Sequence[Piece]], within: Sequence[Piece] = (_ANY,), *, most: int = 10_000
) -> dict[int, str]:
    """The shortest text for each way in which texts of the pattern ``within`` can match other patterns.

    Bit *n* of a key says whether the pattern *n* matches; a combination that no text has is not in the answer. All are
    followed at once. Raises ``TooManyTexts`` where that takes more than ``most`` steps.
    """
    automata = [Automaton(each) for each in (*patterns, within)]
    known = {character for each in automata for character in each.steps}
    other = next(character for character in map(chr, range(ord("x"), 0x110000)) if character not in known)
    texts: dict[int, str] = {}
    start = (1,) * len(automata)
    waiting, seen = deque([(start, "")]), {start}
    while waiting:
        reached, text = waiting.popleft()
        pairs = list(zip(reached, automata, strict=True))
        *matched, inside = [bool(bits & each.final) for bits, each in pairs]
        if inside:
            texts.setdefault(sum(1 << n for n, matches in enumerate(matched) if matches), text)
        leading = {character for bits, each in pairs for character, to in each.letters.items() if bits << 1 & to}
        for character in sorted(leading | {":", other}):
            step = tuple([each.after(bits, character) for bits, each in pairs])
            if step[-1] and step not in seen:
                if len(seen) == most:
                    raise TooManyTexts
                seen.add(step)
                waiting.append((step, text + character))
    return texts


def parse(text: str, style: str = LIKE, *, variables: bool = False) -> list[Piece]:
    """Take the text of a policy apart into literals, wildcards and variables."""
    if style == RESOURCE:
        *parts, rest = text.split(":", 5)
        return [*parse(":".join([*parts, ""])), *parse(rest, variables=variables)]
    closed = text.rfind("}") + 1 if variables else 0  # behind the last brace no variable can end
    pieces: list[Piece] = []
    for token in (*_SPECIAL.split(text[:closed]), *_WILDCARD.split(text[closed:])):
        if style != EQUALS and token in _WILD:
            pieces.append(_WILD[token])
        elif variables and token.startswith("${") and token.endswith("}"):
            pieces.append(_variable(token[2:-1]))
        elif token:
            pieces.append(token)
    return pieces


def _variable(inside: str) -> Piece:
    """What stands between ``${`` and ``}``: an escaped ``*``, ``?`` or ``$``, or a key with or without a default."""
    if inside in {"*", "?", "$"}:
        return inside
    key, _, default = inside.partition(",")
    default = default.strip()
    if len(default) >= 2 and default[0] == default[-1] == "'":
        return Variable(key.strip().lower(), default[1:-1])
    return Variable(inside.strip().lower())


def fill(pieces: Iterable[Piece], context: Context, style: str = LIKE) -> list[Piece] | None:
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
    if style in (ARN, RESOURCE):
        _keep_within_parts(filled, crossing=style == RESOURCE)
    return filled


def _keep_within_parts(pieces: list[Piece], *, crossing: bool) -> None:
    """Let the wildcards in an ARN's first five parts stop at colons; ``crossing``: but for the last star of a part."""
    colons = 0
    for index, (piece, behind) in enumerate(pairwise([*pieces, ""])):
        if isinstance(piece, str):
            colons += piece.count(":")
        elif colons < 5 and piece is _ONE:
            pieces[index] = _ONE_IN_PART
        elif colons < 5 and not (crossing and isinstance(behind, str) and behind.startswith(":")):
            pieces[index] = _ANY_IN_PART


@lru_cache(maxsize=1024)  # the same texts stand in many policies
def prepare(text: str, style: str, variables: bool) -> Matcher:
    """What a text is compared with. Variables are filled in for each request; a missing value matches nothing."""
    pieces = parse(text, style, variables=variables)
    if not any(isinstance(piece, Variable) for piece in pieces):
        return matcher(fill(pieces, {}, style) or []).matches
    head = pieces[0] if isinstance(pieces[0], str) else ""

    def template(text: str, context: Context) -> bool:
        filled = fill(pieces, context, style) if text.startswith(head) else None
        return filled is not None and matcher(filled).matches(text, context)

    return template


class Patterns:
    """Several texts of a policy of which any may match: the commonest kinds first, each decided in one step.

    They are taken apart when they are first needed, what needs more than one step one by one.
    """

    __slots__ = ("_exact", "_others", "_prefixes", "_rest", "style", "texts", "variables")

    def __init__(self, texts: Sequence[str], style: str = LIKE, *, variables: bool = False) -> None:
        self.texts, self.style, self.variables = texts, style, variables
        self._exact: Collection[str] = ()
        self._prefixes: tuple[str, ...] = ()
        self._others: list[Matcher] = []
        self._rest: list[str] | None = None  # texts whose matchers are not yet among the others

    def matches(self, text: str, context: Context) -> bool:
        if text in self._exact or (self._prefixes and text.startswith(self._prefixes)):
            return True
        for matches in self._others:
            if matches(text, context):
                return True
        if self._rest is None:
            self._rest = self._sorted()
            return self.matches(text, context)
        while self._rest:
            other = self._rest.pop()
            keep = prepare if len(other) < 200 else prepare.__wrapped__  # the cache stays small
            self._others.append(keep(other, self.style, self.variables))
            if self._others[-1](text, context):
                return True
        return False

    def _sorted(self) -> list[str]:
        exact, prefixes, others = [], [], []
        wild = self.style != EQUALS
        for text in self.texts:
            if "$" in text or (wild and ("?" in text or "*" in text[:-1])):
                others.append(text)
            elif wild and text[-1:] == "*":
                prefixes.append(text[:-1])
            else:
                exact.append(text)
        self._exact, self._prefixes = frozenset(exact), tuple(prefixes)
        return others

    @property
    def keys(self) -> set[str]:
        """The keys of the variables, in lower case."""
        texts = [text for text in self.texts if self.variables and "${" in text]
        return {piece.key for text in texts for piece in self.parse(text) if isinstance(piece, Variable)}

    def parse(self, text: str) -> list[Piece]:
        """One of the texts, taken apart."""
        return parse(text, self.style, variables=self.variables)

    def pieces(self, context: Context) -> list[list[Piece]]:
        """Every text taken apart, its variables filled in; those that then match nothing are left out."""
        filled = [fill(self.parse(text), context, self.style) for text in self.texts]
        return [each for each in filled if each is not None]
