"""What AWS saves and IAM Access Analyzer finds, and a few things more that learners meet: the tests of `FINDINGS`.

The table there says which finding is whose. Most are rules of the table itself (`rules`); the others are functions of a
statement, here and in `advice_names`.
AWS pages: UG/access-analyzer-reference-policy-checks, UG/confused-deputy, UG/id_roles_use_passrole,
Organizations/orgs_manage_policies_rcps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from simlib.iam import advice_names, rules
from simlib.iam.conditions import operator
from simlib.iam.findings import FINDINGS, Report, shown, some
from simlib.iam.matching import Patterns
from simlib.iam.statement import Comparison, Statement, Texts


def examine(document: Mapping[str, Any], statements: Sequence[Statement], report: Report) -> None:
    """Report what in these statements cannot work, should not be, or need not be there."""
    rules.examine(document, statements, report, refused=False)
    for statement in statements:
        for test in TESTS.values():
            test(statement, report)


_MOST_PAIRS: Final = 200_000  # of texts compared with each other in one list; nobody has written more by hand


def covered(statement: Statement, report: Report) -> None:
    """Actions and resources that another of the same list covers: one finding for each that covers others.

    Its place is the first of them all, as Access Analyzer has it.
    """
    for element in ("Action", "Resource"):
        fold = str.lower if element == "Action" else str  # case does not count in actions
        texts = [(path, text, fold(text)) for path, text in report.sound(statement, element)]
        words = {word for _, _, word in texts if "*" in word and "?" not in word and "${" not in word}
        wide = {word: Patterns([word]) for word in words} if len(texts) * len(words) <= _MOST_PAIRS else {}
        groups: dict[str, list[tuple[Any, str, str]]] = {}
        for path, text, word in texts:
            covers = [each for each, fits in wide.items() if fits.matches(word, {})]
            widest = (each for each in covers if all(wide[each].matches(other, {}) for other in covers))
            groups.setdefault(next(widest, word), []).append((path, text, word))
        for leader, members in groups.items():
            if len(members) > 1:
                by = next((text for _, text, word in members if word == leader), leader)
                others = [text for _, text, word in members if word != leader] or [by]
                report.add(f"redundant-{element.lower()}", *members[0][:2], by=shown(by), shows=some(others))


# ---- what should not be handed out lightly

_HANDED_OUT: Final = (  # action, how the codes begin, the condition key that narrows it
    ("iam:PassRole", "pass-role", "iam:PassedToService"),
    ("iam:CreateServiceLinkedRole", "create-slr", "iam:AWSServiceName"),
)
_WAYS: Final = {  # how the action is named → how the code ends with Resource, with NotResource
    "by name": ("star-in-resource", "not-resource"),
    "by wildcard": ("star-in-action-and-resource", "star-in-action-and-not-resource"),
    "by NotAction": ("star-in-resource-and-not-action", "not-action-and-not-resource"),
}


def handed_out(statement: Statement, report: Report) -> None:
    """`iam:PassRole` and `iam:CreateServiceLinkedRole` on everything, for any service."""
    excepted = "NotResource" in statement.document
    everything = any(text == "*" or text.endswith((":*", ":role/*")) for _, text in statement.texts("Resource"))
    if statement.effect != "Allow" or report.kind not in ("identity", "session") or not (excepted or everything):
        return
    excluded = [text.lower() for _, text in statement.texts("NotAction")]
    for action, start, key in _HANDED_OUT:
        low = action.lower()
        named: Texts = [each for each in statement.texts("Action") if Patterns([each[1].lower()]).matches(low, {})]
        named.sort(key=lambda each: each[1].lower() != low)
        way = "by name" if named and named[0][1].lower() == low else "by wildcard"
        if excluded and not Patterns(excluded).matches(low, {}):
            way, named = "by NotAction", [((*statement.path, "NotAction"), "NotAction")]
        if named and not any(_narrows(each, key) for each in statement.comparisons):
            report.add(f"{start}-with-{_WAYS[way][excepted]}", *named[0], pattern=shown(named[0][1]), key=key)


def _narrows(comparison: Comparison, key: str) -> bool:
    """Whether a condition lets through requests with certain values of a key only."""
    known = operator(comparison.operator)
    if known is None or comparison.key.lower() != key.lower() or known.if_exists or known.qualifier == "ForAllValues":
        return False
    from_any = any(str(value).startswith("*") for _, value in comparison.values)
    return known.base.startswith(("String", "Arn")) and not known.negated and not from_any


_WHERE: Final = {**vars(advice_names), **globals()}
TESTS: Final[dict[str, Callable[[Statement, Report], None]]] = {
    row.test: _WHERE[row.test] for row in FINDINGS.values() if row.test
}
