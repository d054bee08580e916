"""The ``Condition`` element: one table of operators, and what a missing key means for each.

A condition compares the values a request carries under one key with the values a policy wants. Operators and keys of a
block are all needed; of several wanted values any will do, or none may be met where the operator is a negated one
(UG/reference_policies_elements_condition_operators,
UG/reference_policies_condition-logic-multiple-context-keys-or-values).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from operator import eq, ge, gt, le, lt
from typing import Any, NamedTuple

from simlib.iam.matching import Context, Pattern, Patterns, Piece, Template, Values, pattern, read, simple

Test = Callable[[str, Context], bool]  # is any wanted value met by this one value of the request?


# --- families of values: each prepares the wanted texts once and returns the test ---------------------------------


def _string(wanted: Sequence[str], variables: bool, *, wildcards: bool = False, fold: bool = False) -> Test:
    if fold:
        return _folded(wanted, variables)
    return Patterns(wanted, wildcards=wildcards, variables=variables).matches


def _folded(wanted: Sequence[str], variables: bool) -> Test:
    """``StringEqualsIgnoreCase``; what a variable brings is folded too."""
    texts = {text.casefold() for text in wanted if not (variables and "${" in text)}
    templates = [Template(read(text, wildcards=False, variables=True)) for text in wanted if variables and "${" in text]

    def met(actual: str, context: Context) -> bool:
        folded = actual.casefold()
        filled = (template.fill(context) for template in templates)
        return folded in texts or any(
            "".join(map(str, each)).casefold() == folded for each in filled if each is not None
        )

    return met


def _arn(wanted: Sequence[str], variables: bool) -> Test:
    """Six parts compared one by one, each with wildcards; ``ArnEquals`` and ``ArnLike`` are the same.

    A value that is not an ARN of six parts, a lone ``*`` included, is never met.
    """
    special = [text for text in wanted if variables and "${" in text]
    fixed = [[simple(part) for part in text.split(":", 5)] for text in wanted if text not in special]
    templates = [Template(read(text, variables=True)) for text in special]

    def met(actual: str, context: Context) -> bool:
        parts = actual.split(":", 5)
        if len(parts) < 6 or parts[0] != "arn":
            return False
        candidates = fixed
        if templates:
            filled = (template.fill(context) for template in templates)
            candidates = [*fixed, *(_arn_parts(each) for each in filled if each is not None)]
        return any(
            len(candidate) == 6
            and all(want.matches(part, context) for want, part in zip(candidate, parts, strict=True))
            for candidate in candidates
        )

    return met


def _arn_parts(pieces: Sequence[Piece]) -> list[Pattern]:
    parts: list[list[Piece]] = [[]]
    for piece in pieces:
        if not isinstance(piece, str):
            parts[-1].append(piece)
            continue
        first, *rest = piece.split(":", 6 - len(parts))
        parts[-1].append(first)
        parts += [[each] for each in rest]
    return [pattern(part) for part in parts]


Reader = Callable[[str], Any]  # a text understood, or None where it cannot be


def _compared(
    wanted: Sequence[str], variables: bool, *, value: Reader, limit: Reader | None = None, compare: Any = eq
) -> Test:
    """Values that are understood before they are compared (``limit``: the wanted ones, where that differs).

    What cannot be understood is never met.
    """
    limits = [each for each in map(limit or value, wanted) if each is not None]

    def met(actual: str, context: Context) -> bool:
        understood = value(actual)
        return understood is not None and any(compare(understood, each) for each in limits)

    return met


def number(text: str) -> int | float | None:
    """A whole or decimal number; ``10abc``, ``NaN`` and endless digits are none."""
    digits = text[1:] if text[:1] in {"+", "-"} else text
    if len(digits) > 300 or not digits.isascii():
        return None
    whole, point, fraction = digits.partition(".")
    if whole.isdigit() and not point:
        return int(text)
    return float(text) if (whole + fraction).isdigit() else None


def moment(text: str) -> float | None:
    """Seconds since 1970 of an ISO 8601 date or of a number of epoch seconds; without an offset it is UTC."""
    seconds = number(text)
    if seconds is not None and not (len(text) == 4 and text.isdigit()):  # four digits are a year
        return seconds
    from datetime import UTC, datetime  # a policy without dates does not pay for the import

    try:
        day = datetime.fromisoformat({4: f"{text}-01-01", 7: f"{text}-01"}.get(len(text), text))
        return (day if day.tzinfo else day.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def truth(text: str) -> bool | None:
    """``true`` or ``false``, in any case."""
    return {"true": True, "false": False}.get(text.lower())


def binary(text: str) -> bytes | None:
    """The octets of a base64 text."""
    from binascii import Error, a2b_base64

    try:
        return a2b_base64(text, strict_mode=True)
    except (Error, ValueError):
        return None


def network(text: str) -> Any:
    """An IPv4 or IPv6 range in CIDR notation; an address alone is a range of one."""
    from ipaddress import ip_network

    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def address(text: str) -> Any:
    """An IPv4 or IPv6 address."""
    from ipaddress import ip_address

    try:
        return ip_address(text)
    except ValueError:
        return None


def _within(address: Any, limit: Any) -> bool:
    return address in limit


def _ordered(value: Reader, **compare: Any) -> dict[str, tuple[Callable[..., Test], bool]]:
    return {suffix: (partial(_compared, value=value, compare=each), False) for suffix, each in compare.items()}


_ORDER = {"Equals": eq, "LessThan": lt, "LessThanEquals": le, "GreaterThan": gt, "GreaterThanEquals": ge}

#: Every operator: how its wanted values become a test, and whether it is negated. ``Null`` is apart: it looks at
#: presence.
OPERATORS: dict[str, tuple[Callable[..., Test], bool]] = {
    "StringEquals": (_string, False),
    "StringNotEquals": (_string, True),
    "StringEqualsIgnoreCase": (partial(_string, fold=True), False),
    "StringNotEqualsIgnoreCase": (partial(_string, fold=True), True),
    "StringLike": (partial(_string, wildcards=True), False),
    "StringNotLike": (partial(_string, wildcards=True), True),
    **{f"Numeric{suffix}": test for suffix, test in _ordered(number, **_ORDER).items()},
    "NumericNotEquals": (partial(_compared, value=number), True),
    **{f"Date{suffix}": test for suffix, test in _ordered(moment, **_ORDER).items()},
    "DateNotEquals": (partial(_compared, value=moment), True),
    "Bool": (partial(_compared, value=truth), False),
    "BinaryEquals": (partial(_compared, value=binary), False),
    "IpAddress": (partial(_compared, value=address, limit=network, compare=_within), False),
    "NotIpAddress": (partial(_compared, value=address, limit=network, compare=_within), True),
    "ArnEquals": (_arn, False),
    "ArnLike": (_arn, False),
    "ArnNotEquals": (_arn, True),
    "ArnNotLike": (_arn, True),
    "Null": (partial(_compared, value=truth), False),
}


class Operator(NamedTuple):
    """The name of a condition operator, taken apart: ``ForAnyValue:StringLikeIfExists``."""

    name: str
    base: str
    qualifier: str  # "", "ForAllValues" or "ForAnyValue"
    if_exists: bool
    negated: bool
    when_absent: bool  # what a condition with it says when the request does not have the key


def _when_absent(qualifier: str, if_exists: bool, negated: bool) -> bool:
    """Positive operators fail and negated ones hold; ``IfExists`` and ``ForAllValues`` always hold, ``ForAnyValue``
    fails. AWS does not say what ``ForAnyValue:…IfExists`` does: here it holds (a choice), as ``IfExists`` reads.
    """
    return if_exists or qualifier == "ForAllValues" or (negated and not qualifier)


def _named_operators() -> Iterator[Operator]:
    """Every way to write an operator; ``Null`` has no ``IfExists``: presence is what it asks about."""
    for base, (_, negated) in OPERATORS.items():
        for qualifier in ("", "ForAllValues", "ForAnyValue"):
            for suffix in ("", "IfExists") if base != "Null" else ("",):
                name = f"{qualifier}:{base}{suffix}" if qualifier else base + suffix
                absent = _when_absent(qualifier, bool(suffix), negated)
                yield Operator(name, base, qualifier, bool(suffix), negated, absent)


_BY_NAME = {each.name: each for each in _named_operators()}
OPERATOR_NAMES = tuple(_BY_NAME)


def operator(name: str) -> Operator | None:
    """The operator of this name; ``None`` if there is none."""
    return _BY_NAME.get(name)


class Condition:
    """One key of one operator: ``name`` as written, ``key`` in lower case, ``wanted`` the policy's values.

    The values are prepared when a request first comes so far as to be compared with them.
    """

    __slots__ = ("_met", "_variables", "key", "name", "operator", "wanted")

    def __init__(self, operator: Operator, name: str, wanted: Sequence[str], *, variables: bool) -> None:
        self.operator = operator
        self.name = name
        self.key = name.lower()
        self.wanted = tuple(wanted)
        self._variables = variables
        self._met: Test | None = None

    def met(self, actual: str, context: Context) -> bool:
        """Whether one value of the request meets any of the wanted ones; negation is not looked at."""
        if self._met is None:
            self._met = OPERATORS[self.operator.base][0](self.wanted, self._variables)
        return self._met(actual, context)

    def holds(self, context: Context) -> bool:
        """Whether the request meets this condition."""
        actual = context.get(self.key)
        absent = not actual and actual != ""  # a list of nothing is as good as no key
        if self.operator.base == "Null":
            return self.met("true" if absent else "false", context)
        if actual is None or absent:
            return self.operator.when_absent
        if isinstance(actual, str) and not self.operator.qualifier:
            return self.met(actual, context) is not self.operator.negated
        return self._holds_for_set(actual, context)

    def _holds_for_set(self, actual: Values, context: Context) -> bool:
        """``ForAllValues`` and ``ForAnyValue``; an empty text counts as no value (UG/…multi-value-conditions).

        An operator without a qualifier on a key with several values is a choice (AWS only says that a set operator is
        required): a list is not equal to any one value, so positive operators do not match and negated ones do.
        """
        qualifier = self.operator.qualifier
        values = (actual,) if isinstance(actual, str) else actual
        if not qualifier:
            return (
                self.met(values[0], context) is not self.operator.negated if len(values) == 1 else self.operator.negated
            )
        present = [value for value in values if value]
        if not present:
            return self.operator.when_absent
        each = (self.met(value, context) is not self.operator.negated for value in present)
        return all(each) if qualifier == "ForAllValues" else any(each)
