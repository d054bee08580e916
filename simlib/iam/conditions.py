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
from operator import eq, ge, gt, le, lt
from typing import Any, NamedTuple

from simlib.iam.matching import Context, Patterns, Values

Test = Callable[[str, Context], bool]  # is any wanted value met by this one value of the request?


# --- families of values: each prepares the wanted texts once and returns the test ---------------------------------


def _patterns(base: str, wanted: Sequence[str], variables: bool) -> Patterns:
    """What strings and ARNs are compared with.

    An ARN's six parts are compared one by one; ``ArnEquals`` and ``ArnLike`` are the same. A wanted text that is no ARN
    of six parts, a lone ``*`` included, never meets any (a choice): AWS only says that each part is checked on its own.
    """
    if base.startswith("String"):
        return Patterns(wanted, wildcards=base.endswith("Like"), variables=variables)
    texts = [text for text in wanted if is_arn(text) or (variables and "${" in text)]
    return Patterns(texts, variables=variables, parts=True)


def _string(wanted: Sequence[str], variables: bool, *, base: str) -> Test:
    return _patterns(base, wanted, variables).matches


def _folded(wanted: Sequence[str], variables: bool) -> Test:
    """``StringEqualsIgnoreCase``; what a variable brings is folded too."""
    patterns = Patterns([text.casefold() for text in wanted], wildcards=False, variables=variables)
    has_variables = bool(patterns.keys)

    def met(actual: str, context: Context) -> bool:
        if has_variables:
            context = {key: value.casefold() for key, value in context.items() if isinstance(value, str)}
        return patterns.matches(actual.casefold(), context)

    return met


def _arn(wanted: Sequence[str], variables: bool) -> Test:
    patterns = _patterns("Arn", wanted, variables)
    return lambda actual, context: is_arn(actual) and patterns.matches(actual, context)


def _compared(
    wanted: Sequence[str],
    variables: bool,
    *,
    value: Callable[[str], Any],
    limit: Callable[[str], Any] | None = None,
    compare: Any = eq,
) -> Test:
    """Values that are understood before they are compared (``limit``: the wanted ones, where that differs).

    What cannot be understood is never met, so that a negated operator holds for it (a choice); so is a variable, which
    only strings and ARNs can have (UG/reference_policies_variables), and which is not replaced here (a choice).
    """
    limits = [each for each in map(limit or value, wanted) if each is not None]

    def met(actual: str, context: Context) -> bool:
        understood = value(actual)
        return understood is not None and any(compare(understood, each) for each in limits)

    return met


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
        return seconds
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
    return {"true": True, "false": False}.get(text.lower())


def binary(text: str) -> bytes | None:
    """The octets of a base64 text."""
    from binascii import Error, a2b_base64

    try:
        return a2b_base64(text, strict_mode=True)
    except (Error, ValueError):
        return None


def network(text: str) -> Any:
    """An IPv4 or IPv6 range in CIDR notation, not with a mask; an address alone is a range of one."""
    from ipaddress import ip_network

    if "%" in text or ("/" in text and not text.rpartition("/")[2].isdigit()):
        return None
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def address(text: str) -> Any:
    """An IPv4 or IPv6 address."""
    from ipaddress import ip_address

    try:
        return ip_address(text) if "%" not in text else None
    except ValueError:
        return None


def is_arn(text: str) -> bool:
    """Whether this is an ARN of six parts, with or without wildcards."""
    return text.startswith("arn:") and text.count(":") >= 5


def _within(address: Any, limit: Any) -> bool:
    return address in limit


def _ordered(value: Callable[[str], Any], **compare: Any) -> dict[str, tuple[Callable[..., Test], bool]]:
    return {suffix: (partial(_compared, value=value, compare=each), False) for suffix, each in compare.items()}


_ORDER = {"Equals": eq, "LessThan": lt, "LessThanEquals": le, "GreaterThan": gt, "GreaterThanEquals": ge}

#: Every operator: how its wanted values become a test, and whether it is negated. ``Null`` is apart: it looks at
#: presence.
OPERATORS: dict[str, tuple[Callable[..., Test], bool]] = {
    "StringEquals": (partial(_string, base="StringEquals"), False),
    "StringNotEquals": (partial(_string, base="StringEquals"), True),
    "StringEqualsIgnoreCase": (_folded, False),
    "StringNotEqualsIgnoreCase": (_folded, True),
    "StringLike": (partial(_string, base="StringLike"), False),
    "StringNotLike": (partial(_string, base="StringLike"), True),
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
    """The operator of this name; ``None`` if there is none. Letter case counts (a choice)."""
    return _BY_NAME.get(name)


class Condition:
    """One key of one operator: ``name`` as written, ``key`` in lower case, ``wanted`` the policy's values.

    The values are prepared when a request first comes so far as to be compared with them.
    """

    __slots__ = ("_met", "key", "name", "operator", "variables", "wanted")

    def __init__(self, operator: Operator, name: str, wanted: Sequence[str], *, variables: bool) -> None:
        self.operator = operator
        self.name = name
        self.key = name.lower()
        self.wanted = tuple(wanted)
        self.variables = variables
        self._met: Test | None = None

    @property
    def patterns(self) -> Patterns | None:
        """What a string or an ARN is compared with; ``None`` where values are understood first."""
        base = self.operator.base
        return _patterns(base, self.wanted, self.variables) if base.startswith(("String", "Arn")) else None

    def met(self, actual: str, context: Context) -> bool:
        """Whether one value of the request meets any of the wanted ones; negation is not looked at."""
        if self._met is None:
            self._met = OPERATORS[self.operator.base][0](self.wanted, self.variables)
        return self._met(actual, context)

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
