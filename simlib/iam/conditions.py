"""The ``Condition`` element: one table of operators, and what a missing key means for each.

A condition compares the values a request carries under one key with the values a policy wants. Operators and keys of a
block are all needed; of several wanted values any will do, or none may be met where the operator is a negated one
(UG/reference_policies_elements_condition_operators,
UG/reference_policies_condition-logic-multiple-context-keys-or-values).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import product, repeat
from operator import eq, ge, gt, le, lt
from typing import Any, NamedTuple

from simlib.iam.matching import ARN, EQUALS, Context, Patterns, Values

# --- one reading of each kind of value, for requests and policies alike; None is what is no such value -------------


def scalar_text(value: object) -> str | None:
    """A JSON text, number, true or false as the text that conditions compare; numbers without exponent."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if value.bit_length() < 1024 else None
    if not isinstance(value, float) or value - value != 0:  # infinity and NaN are not JSON
        return None
    text = repr(value)
    if "e" not in text:
        return text
    from decimal import Decimal  # few numbers need it

    return f"{Decimal(text):f}"


def number(text: str) -> int | float | None:
    """A whole or decimal number; ``10abc``, ``1e5``, ``NaN`` and endless digits are none."""
    digits = text[1:] if text[:1] in {"+", "-"} else text
    if len(digits) > 300 and (len(digits) > 1000 or len(digits.strip("0.")) > 300):
        return None
    whole, point, fraction = digits.partition(".")
    if not digits.isascii() or not (whole + fraction).isdigit():
        return None
    return float(text) if point else int(text)


_DATE = re.compile(
    r"(-?\d{1,9})(?:-(\d{1,2})(?:-(\d{1,2}))?)?"
    r"(?:T(?:(\d{1,2})(?::(\d{1,2})(?::(\d{1,2})(\.\d{1,9})?)?)?)?"
    r"(?:Z|([+-])([01]\d|2[0-3])(?::?([0-5]\d))?)?)?",
    re.ASCII | re.IGNORECASE,
)


def moment(text: str) -> float | None:
    """Seconds since 1970 of an ISO 8601 date or of a number of epoch seconds; without an offset it is UTC.

    AWS takes the forms of https://www.w3.org/TR/NOTE-datetime. Four digits are a year (a choice). Zeros in front may
    be missing; week dates, leap seconds and 24:00 are no dates.
    """
    seconds = number(text)
    if seconds is not None and not (len(text) == 4 and text.isdigit()):
        return seconds if -(2**63) <= seconds < 2**63 else None  # AWS counts in 64 bits
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    from datetime import UTC, datetime  # a policy without dates does not pay for the import

    year, month, day, hour, minute, second, fraction, sign, hours, minutes = match.groups()
    cycles, year_of_cycle = divmod(int(year) - 2000, 400)  # the calendar repeats itself after so many years
    time_of_day = int(hour or 0), int(minute or 0), int(second or 0)
    try:
        first = datetime(2000 + year_of_cycle, int(month or 1), int(day or 1), *time_of_day, tzinfo=UTC)
    except ValueError:
        return None
    offset = int(f"{sign or ''}1") * (int(hours or 0) * 60 + int(minutes or 0)) * 60
    return cycles * 146_097 * 86_400 + first.timestamp() + float(fraction or 0) - offset


def truth(text: str) -> bool | None:
    """``true`` or ``false``, in any case."""
    folded = text.lower()
    return folded == "true" if folded in ("true", "false") else None


def binary(text: str) -> bytes | None:
    """The octets of a base64 text."""
    from binascii import a2b_base64

    octets: bytes | None = _if_valid(lambda: a2b_base64(text, strict_mode=True))
    return octets


def network(text: str) -> Any:
    """An IPv4 or IPv6 range in CIDR notation, not with a mask; an address alone is a range of one."""
    from ipaddress import ip_network

    is_range = "%" not in text and ("/" not in text or text.rpartition("/")[2].isdigit())
    return _if_valid(lambda: ip_network(text, strict=False)) if is_range else None


def address(text: str) -> Any:
    """An IPv4 or IPv6 address."""
    from ipaddress import ip_address

    return _if_valid(lambda: ip_address(text)) if "%" not in text else None


def _if_valid(value: Callable[[], Any]) -> Any:
    try:
        return value()
    except ValueError:
        return None


def is_arn(text: str) -> bool:
    """Whether this is an ARN of six parts, with or without wildcards."""
    return text.startswith("arn:") and text.count(":") >= 5


# --- what a value of the request is compared with: each family prepares the texts of the policy once ----------------


class Folded(Patterns):
    """``StringEqualsIgnoreCase``; what a variable brings is folded too."""

    __slots__ = ()

    def __init__(self, texts: Sequence[str], *, variables: bool) -> None:
        super().__init__([text.casefold() for text in texts], EQUALS, variables=variables and "${" in str(texts))

    def matches(self, text: str, context: Context) -> bool:
        if self.variables:
            context = {key: value.casefold() for key, value in context.items() if isinstance(value, str)}
        return super().matches(text.casefold(), context)


class Arns(Patterns):
    """An ARN's six parts are compared one by one; ``ArnEquals`` and ``ArnLike`` are the same.

    A text of the policy that is no ARN of six parts, a lone ``*`` included, never matches any (a choice): AWS only says
    that each part is checked on its own.
    """

    __slots__ = ()

    def __init__(self, texts: Sequence[str], *, variables: bool) -> None:
        arns = [text for text in texts if is_arn(text) or (variables and "${" in text)]
        super().__init__(arns, ARN, variables=variables)

    def matches(self, text: str, context: Context) -> bool:
        return is_arn(text) and super().matches(text, context)


class Limits:
    """Values that are understood before they are compared (``limit``: those of the policy, where that differs).

    What cannot be understood never matches, so that a negated operator holds for it (a choice); so is a variable, which
    only strings and ARNs can have (UG/reference_policies_variables), and which is not replaced here (a choice).
    """

    __slots__ = ("compare", "limits", "value")

    def __init__(
        self,
        texts: Sequence[str],
        *,
        variables: bool,
        value: Callable[[str], Any],
        compare: Callable[[Any, Any], bool] = eq,
        limit: Callable[[str], Any] | None = None,
    ) -> None:
        self.value, self.compare = value, compare
        self.limits = [each for each in map(limit or value, texts) if each is not None]

    def matches(self, text: str, context: Context) -> bool:
        value = self.value(text)
        return value is not None and any(map(self.compare, repeat(value), self.limits))


_ORDER = {
    "Equals": eq,
    "NotEquals": eq,
    "LessThan": lt,
    "LessThanEquals": le,
    "GreaterThan": gt,
    "GreaterThanEquals": ge,
}
_RANGES = partial(Limits, value=address, compare=lambda value, limit: value in limit, limit=network)

#: Every operator, and what its values become; a negated one is tested like the positive. ``Null`` looks at presence.
OPERATORS: dict[str, Callable[..., Patterns | Limits]] = {
    **dict.fromkeys(("StringEquals", "StringNotEquals"), partial(Patterns, style=EQUALS)),
    **dict.fromkeys(("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"), Folded),
    **dict.fromkeys(("StringLike", "StringNotLike"), Patterns),
    **{f"Numeric{name}": partial(Limits, value=number, compare=compare) for name, compare in _ORDER.items()},
    **{f"Date{name}": partial(Limits, value=moment, compare=compare) for name, compare in _ORDER.items()},
    "Bool": partial(Limits, value=truth),
    "BinaryEquals": partial(Limits, value=binary),
    **dict.fromkeys(("IpAddress", "NotIpAddress"), _RANGES),
    **dict.fromkeys(("ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"), Arns),
    "Null": partial(Limits, value=truth),
}


class Operator(NamedTuple):
    """The name of a condition operator, taken apart: ``ForAnyValue:StringLikeIfExists``."""

    name: str
    base: str
    qualifier: str  # "", "ForAllValues" or "ForAnyValue"
    if_exists: bool
    negated: bool
    when_absent: bool  # what a condition with it says when the request does not have the key


def _operators() -> Iterator[Operator]:
    """Every way to write an operator; ``Null`` has no ``IfExists``: presence is what it asks about.

    Of an absent key positive operators fail and negated ones hold; ``IfExists`` and ``ForAllValues`` always hold,
    ``ForAnyValue`` fails. AWS does not say what ``ForAnyValue:…IfExists`` does: here it holds (a choice), as
    ``IfExists`` reads.
    """
    for base, qualifier, ending in product(OPERATORS, ("", "ForAllValues", "ForAnyValue"), ("", "IfExists")):
        if base != "Null" or not ending:
            name, negated = f"{qualifier}:{base}{ending}".lstrip(":"), "Not" in base
            absent = bool(ending) or qualifier == "ForAllValues" or (negated and not qualifier)
            yield Operator(name, base, qualifier, bool(ending), negated, absent)


#: Operators by their names, in which letter case counts (a choice).
BY_NAME = {each.name: each for each in _operators()}


class Condition:
    """One key of one operator: ``name`` as written, ``key`` in lower case, ``values`` the policy's."""

    __slots__ = ("_matcher", "key", "name", "operator", "values", "variables")

    def __init__(
        self,
        operator: Operator,
        name: str,
        values: tuple[str, ...],
        *,
        variables: bool,
        matcher: Patterns | Limits | None = None,
    ) -> None:
        self.operator, self.name, self.key, self.values = operator, name, name.lower(), values
        self.variables, self._matcher = variables, matcher

    @property
    def matcher(self) -> Patterns | Limits:
        """What a value of the request is compared with, prepared when one first comes so far."""
        if self._matcher is None:
            self._matcher = OPERATORS[self.operator.base](self.values, variables=self.variables)
        return self._matcher

    @property
    def demands(self) -> bool:
        """Whether a request that meets it has the key, with one of the wanted texts or addresses."""
        known = self.operator
        return not (known.when_absent or known.negated) and known.base.startswith(("String", "Arn", "IpAddress"))

    def met(self, actual: str, context: Context) -> bool:
        """Whether one value of the request meets any of the wanted ones; negation is not looked at."""
        return (self._matcher or self.matcher).matches(actual, context)

    def holds(self, context: Context) -> bool:
        """Whether the request meets this condition.

        ``ForAllValues:Null`` always does and ``ForAnyValue:Null`` never, whatever they want
        (UG/access-analyzer-reference-policy-checks, null with qualifier).
        """
        actual, known = context.get(self.key), self.operator
        absent = not actual and actual != ""  # a list of nothing is as good as no key
        if known.base == "Null":
            return self.met("true" if absent else "false", context) if not known.qualifier else known.when_absent
        if actual is None or absent:
            return known.when_absent
        if isinstance(actual, str) and not known.qualifier:
            return self.met(actual, context) is not known.negated
        return self._holds_for_set(actual, context)

    def _holds_for_set(self, actual: Values, context: Context) -> bool:
        """``ForAllValues`` and ``ForAnyValue``; an empty text counts as no value (UG/…multi-value-conditions).

        An operator without a qualifier is not made for a key with several values, AWS says: a list is not equal to any
        one value, so that positive operators do not match and negated ones do (a choice).
        """
        qualifier, negated = self.operator.qualifier, self.operator.negated
        values = (actual,) if isinstance(actual, str) else actual
        if not qualifier:
            return self.met(values[0], context) is not negated if len(values) == 1 else negated
        present = [value for value in values if value]
        if not present:
            return self.operator.when_absent
        each = (self.met(value, context) is not negated for value in present)
        return all(each) if qualifier == "ForAllValues" else any(each)
