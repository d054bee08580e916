"""Policy variables: `${aws:username}`, where they work and how they are written (UG/reference_policies_variables)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from simlib.iam import service_data
from simlib.iam.conditions import operator
from simlib.iam.findings import Report, shown
from simlib.iam.statement import Statement

if TYPE_CHECKING:
    from simlib.iam.json_text import Path

_VARIABLE: Final = re.compile(r"\$\{([^}]*)(\}?)")
_DEFAULT: Final = re.compile(r"\s*'[^']*'\s*")


def examine(statement: Statement, has_variables: bool, report: Report) -> None:
    """Report variables that are never filled in."""
    for element in ("Action", "NotAction", "Resource", "NotResource"):
        for path, text in statement.texts(element):
            if "${" not in text or path in report.wrong:
                continue
            if element.endswith("Action"):
                report.add("variable-unsupported-in-element", path, text, element=element)
            elif "${" in ":".join(text.split(":", 5)[:5]) and text.startswith("arn:"):
                at = text.index("${")
                report.add("variable-position", path, text, "write * there", shows=shown(text[at : at + 40]))
            else:
                _variables(text, path, has_variables, report)
    for comparison in statement.comparisons:
        for path, value in comparison.values:
            if isinstance(value, str) and "${" in value:
                known = operator(comparison.operator)
                if known is not None and not known.base.startswith(("String", "Arn")):
                    report.add("invalid-variable-for-operator", path, value, operator=comparison.operator)
                else:
                    _variables(value, path, has_variables, report)


def _variables(text: str, path: Path, has_variables: bool, report: Report) -> None:
    if not has_variables:
        shows = shown(text[text.index("${") :])
        report.add("variable-unsupported-in-version", path, text, 'set "Version": "2012-10-17"', shows=shows)
        return
    for inside, closed in _VARIABLE.findall(text):
        if not closed:
            report.add("missing-brace-in-variable", path, text, "add }")
        elif inside not in ("*", "?", "$"):  # these stand for themselves
            _variable(inside, text, path, report)


def _variable(inside: str, text: str, path: Path, report: Report) -> None:
    key, comma, default = inside.partition(",")
    if not key.strip():
        report.add("empty-variable", path, text, "name a condition key, such as ${aws:username}")
    elif key != "".join(key.split()):
        without = "".join(key.split())
        report.add("unsupported-space-in-variable", path, text, f"did you mean ${{{without}{comma}{default}}}?")
    elif comma and not _DEFAULT.fullmatch(default):
        report.add("missing-quote-in-variable", path, text, f"did you mean ${{{key}, '{default.strip()}'}}?")
    elif "." not in key.partition(":")[0]:  # an identity provider's keys are its own
        kind = service_data.key_type(key)
        if kind is None:
            guess = report.did_you_mean(key, [k for k in service_data.condition_keys("aws") or () if "*" not in k])
            report.add("unknown-variable", path, text, guess, shows=shown(key))
        elif kind.startswith("ArrayOf"):
            report.add("multivalued-variable", path, text, shows=shown(key))
