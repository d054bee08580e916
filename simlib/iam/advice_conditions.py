"""Operators and values of a Condition that do not go together, and policy variables that are never filled in.

AWS pages: UG/reference_policies_elements_condition_operators, UG/reference_policies_variables.
"""

from __future__ import annotations

from typing import Final

from simlib.iam import service_data
from simlib.iam.conditions import network, number, operator
from simlib.iam.findings import Report, shown
from simlib.iam.rules import VARIABLE
from simlib.iam.statement import Statement

_OPERATORS_FOR: Final = {  # type of a condition key → how the operators for it begin, and what its value is called
    "String": (("String", "Arn", "Binary"), "a string"),
    "ARN": (("Arn", "String"), "an ARN"),
    "Bool": (("Bool",), "true or false"),
    "Numeric": (("Numeric",), "a number"),
    "Date": (("Date",), "a date"),
    "IPAddress": (("IpAddress", "NotIpAddress"), "an IP address"),
}
_PRIVATE: Final = [
    network(text)
    for text in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "100.64.0.0/10"),
        *("fc00::/7", "fe80::/10", "::1/128"),
    )
]


def types(statement: Statement, report: Report) -> None:
    """Operators that compare something else than the values of their key."""
    for path, name, key, _ in statement.comparisons:
        known, type_ = operator(name), (service_data.key_type(key) or "").removeprefix("ArrayOf")
        starts, kind = _OPERATORS_FOR.get(type_, (("",), ""))
        if known is None or known.base == "Null" or known.base.startswith(starts):
            continue
        if (key.lower(), known.base[:7]) != ("aws:epochtime", "Numeric"):
            compares = next((what for each, what in _OPERATORS_FOR.values() if known.base.startswith(each)), "")
            compares = "binary data" if known.base.startswith("Binary") else compares
            words = {"operator": name, "right": starts[0], "compares": compares, "kind": kind}
            report.add("type-mismatch", path, key, name=True, **words)


def lists(statement: Statement, report: Report) -> None:
    """Values that are not all of one type, or of which only one counts."""
    for path, name, _, values in statement.comparisons:
        known, listed = operator(name), [value for _, value in values]
        if known is None:
            continue
        if len({"number" if type(value) in (int, float) else type(value) for value in listed}) > 1:
            report.add("invalid-condition-data-type", path, listed)
        elif known.base.startswith(("NumericLess", "NumericGreater")) and len(listed) > 1 and not known.qualifier:
            numbers = [found for value in listed if (found := number(str(value))) is not None]
            if len(numbers) == len(listed):
                by = max(numbers) if "Less" in known.base else min(numbers)
                report.add("redundant-condition-value-num", path, listed, by=by)


def addresses(statement: Statement, report: Report) -> None:
    """Ranges with more bits than count, and addresses that no request comes from."""
    for _, name, key, values in statement.comparisons:
        known = operator(name)
        if known is None or not known.base.endswith("IpAddress"):
            continue
        ranges = [(path, value, found) for path, value in values if (found := network(str(value)))]
        for path, value, found in ranges:
            if found[0] != network(str(value).partition("/")[0])[0]:
                report.add("improve-ip-range", path, value, f"write {found}", bits=found.prefixlen)
        private = [
            (path, value)
            for path, value, found in ranges
            if any(found.version == each.version and found.subnet_of(each) for each in _PRIVATE)
        ]
        code = "private-not-ip-address" if known.negated else "private-ip-address"
        for path, value in private if key.lower() == "aws:sourceip" else ():
            report.add(code + "-subset" * (len(private) < len(values)), path, value)


def variables(statement: Statement, report: Report) -> None:
    """Variables of which no request has the one value; how they are written is for the rules of the table."""
    texts = report.sound(statement, "Resource", "NotResource")
    texts += [each for comparison in statement.comparisons for each in comparison.values if each[0] not in report.wrong]
    for path, text in texts:
        for inside, _ in VARIABLE.findall(text) if isinstance(text, str) else ():
            key = inside.partition(",")[0]
            kind = service_data.key_type(key)
            if inside in ("*", "?", "$") or "." in key.partition(":")[0]:
                continue  # these stand for themselves, and an identity provider's keys are its own
            if kind is None:
                keys = [each for each in service_data.condition_keys("aws") or () if "*" not in each]
                report.add("unknown-variable", path, text, report.did_you_mean(key, keys), shows=shown(key))
            elif kind.startswith("ArrayOf"):
                report.add("multivalued-variable", path, text, shows=shown(key))
