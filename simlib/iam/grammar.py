"""The shape of a policy: which elements a document and a statement of each kind must, may and must not have.

`examine` reports what AWS would refuse and hands back the statements taken apart, for the checks of what is written in
them (`grammar_values`, `advice`). AWS page: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from simlib.iam.findings import Report, shown
from simlib.iam.statement import (
    CURRENT_VERSION,
    DOCUMENT_ELEMENTS,
    KINDS,
    OLD_VERSION,
    PRINCIPAL_TYPES,
    STATEMENT_ELEMENTS,
)

if TYPE_CHECKING:
    from simlib.iam.json_text import Path

Texts = list[tuple["Path", str]]
"""Strings of a document, each with the way to it."""


VERSIONS: Final = (CURRENT_VERSION, OLD_VERSION)
_PAIRS: Final = (("Principal", "NotPrincipal"), ("Action", "NotAction"), ("Resource", "NotResource"))
_ALPHANUMERIC: Final = re.compile(r"[A-Za-z0-9]*")


@dataclass(frozen=True)
class Comparison:
    """One key of one operator of a Condition, with the values it is compared with."""

    path: Path  # to the key
    operator: str  # as written
    key: str
    values: list[tuple[Path, Any]]


@dataclass
class Statement:
    """A statement taken apart. An element that is absent or has the wrong type is not among the `texts`."""

    path: Path
    effect: str = ""
    sid: str | None = None
    texts: dict[str, Texts] = field(default_factory=dict)  # Action, NotAction, Resource, NotResource
    principals: list[tuple[Path, str, str]] = field(default_factory=list)  # path; AWS, Service … or *; value
    conditions: list[Comparison] = field(default_factory=list)
    idle_operators: Texts = field(default_factory=list)  # of the Condition, with nothing to compare
    elements: Mapping[str, Any] = field(default_factory=dict)

    @property
    def actions(self) -> Texts:
        return self.texts.get("Action", [])

    @property
    def resources(self) -> Texts:
        return self.texts.get("Resource", [])

    @property
    def has_condition(self) -> bool:
        return bool(self.conditions)


@dataclass
class Policy:
    """A document taken apart: its version, if it has one, and its statements."""

    version: str | None
    statements: list[Statement]

    @property
    def has_variables(self) -> bool:
        return self.version == VERSIONS[0]


def type_name(value: Any) -> str:
    """What JSON calls it, with an article."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    names: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (str, "a string"),
        ((int, float), "a number"),
        ((list, tuple), "a list"),
        (Mapping, "an object"),
    )
    return next((name for types, name in names if isinstance(value, types)), f"a {type(value).__name__}")


def examine(document: Any, report: Report) -> Policy:
    """Report what is wrong with the shape of a document, and return what is right."""
    policy = Policy(None, [])
    if not isinstance(document, Mapping):
        _wrong_type(report, (), "A policy", "an object", document)
        return policy
    _only_known(document, (), DOCUMENT_ELEMENTS, "A policy", report)
    if "Version" not in document:
        report.add("missing-version", (), suggestion='add "Version": "2012-10-17"')
    elif not isinstance(document["Version"], str):
        _wrong_type(report, ("Version",), "Version", "a string", document["Version"])
    elif document["Version"] not in VERSIONS:
        report.add("invalid-version", ("Version",), document["Version"], "did you mean 2012-10-17?")
    else:
        policy.version = document["Version"]
    if "Id" in document:
        if not isinstance(document["Id"], str):
            _wrong_type(report, ("Id",), "Id", "a string", document["Id"])
        elif not KINDS[report.kind].principal:
            report.add("id-element", ("Id",), document["Id"], "remove it", name=True, kind=KINDS[report.kind].name)
    for path, statement in _statements(document, report):
        policy.statements.append(_statement(statement, path, report))
    _sids(policy.statements, report)
    return policy


def _statements(document: Mapping[str, Any], report: Report) -> Iterable[tuple[Path, Mapping[str, Any]]]:
    statements = document.get("Statement")
    if "Statement" not in document or statements == []:
        path = ("Statement",) if "Statement" in document else ()
        report.add("missing-statement", path, statements, 'add "Statement": [{"Effect": …, "Action": …}]')
        return
    if isinstance(statements, Mapping):
        yield ("Statement",), statements
        return
    if not isinstance(statements, (list, tuple)):
        _wrong_type(report, ("Statement",), "Statement", "an object or a list of objects", statements)
        return
    for index, statement in enumerate(statements):
        if isinstance(statement, Mapping):
            yield ("Statement", index), statement
        else:
            _wrong_type(report, ("Statement", index), "A statement", "an object", statement)


def _statement(elements: Mapping[str, Any], path: Path, report: Report) -> Statement:
    kind = KINDS[report.kind]
    statement = Statement(path, elements=elements)
    _only_known(elements, path, STATEMENT_ELEMENTS, "A statement", report)
    for one, other in _PAIRS:
        if one in elements and other in elements:
            advice = f"remove {other}, or make two statements"
            report.add("unsupported-element-combination", (*path, other), None, advice, name=True, one=one, other=other)
    _effect(statement, report)
    _sid(statement, report)
    for element in ("Action", "NotAction", "Resource", "NotResource"):
        if element in elements:
            statement.texts[element] = _texts(elements[element], (*path, element), element, report)
    if "Action" not in elements and "NotAction" not in elements:
        report.add("missing-action", path, suggestion='add "Action": …')
    if "Resource" not in elements and "NotResource" not in elements and kind.resource is not False:
        code = "missing-resource" if kind.resource else "no-resource"
        report.add(code, path, suggestion='add "Resource": …')
    _principals(statement, report)
    _conditions(statement, report)
    return statement


def _effect(statement: Statement, report: Report) -> None:
    effect, path = statement.elements.get("Effect"), (*statement.path, "Effect")
    if "Effect" not in statement.elements:
        report.add("missing-effect", statement.path, suggestion='add "Effect": "Allow" or "Effect": "Deny"')
    elif not isinstance(effect, str):
        _wrong_type(report, path, "Effect", "a string", effect)
    elif effect not in ("Allow", "Deny"):
        report.add("invalid-effect", path, effect, report.did_you_mean(effect, ("Allow", "Deny")))
    else:
        statement.effect = effect


def _sid(statement: Statement, report: Report) -> None:
    sid, path = statement.elements.get("Sid"), (*statement.path, "Sid")
    if "Sid" not in statement.elements:
        return
    if not isinstance(sid, str):
        _wrong_type(report, path, "Sid", "a string", sid)
    elif not sid:
        if report.kind != "trust":  # the console writes "Sid": "" into trust policies
            report.add("empty-sid-value", path, sid, "give it a name, or remove it")
    else:
        statement.sid = sid
        if not KINDS[report.kind].principal and not _ALPHANUMERIC.fullmatch(sid):
            report.add("unsupported-sid", path, sid, re.sub(r"[^A-Za-z0-9]", "", sid)[:60] or None)


def _sids(statements: list[Statement], report: Report) -> None:
    code = "unique-sids-recommended" if report.kind in ("resource", "endpoint") else "unique-sids-required"
    first: dict[str, int] = {}
    for index, statement in enumerate(statements):
        if statement.sid is not None and first.setdefault(statement.sid, index) != index:
            at = (*statement.path, "Sid")
            report.add(code, at, statement.sid, "give it another name", first=first[statement.sid])


def _texts(value: Any, path: Path, element: str, report: Report) -> Texts:
    """A string, or a list of strings, as a list with paths; what is neither is reported and left out."""
    if isinstance(value, str):
        return [(path, value)]
    if not isinstance(value, (list, tuple)):
        _wrong_type(report, path, element, "a string or a list of strings", value)
        return []
    if not value and not element.endswith(" principal"):
        code = f"empty-array-{element.removeprefix('Not').lower()}"
        report.add(code, path, value, "fill it, or remove the statement")
    texts: Texts = []
    for index, text in enumerate(value):
        if isinstance(text, str):
            texts.append(((*path, index), text))
        else:
            _wrong_type(report, (*path, index), f"Each item of {element}", "a string", text)
    return texts


def _principals(statement: Statement, report: Report) -> None:
    kind, elements = KINDS[report.kind], statement.elements
    present = [element for element in ("Principal", "NotPrincipal") if element in elements]
    if not present and kind.principal:
        report.add("missing-principal", statement.path, suggestion='add "Principal": …', kind=kind.name)
    for element in present:
        path, value = (*statement.path, element), elements[element]
        if not kind.principal:
            code = "scp-syntax-error-principal" if report.kind == "scp" else "unsupported-principal"
            advice = "remove it; to say who may use a role or a resource is for trust and resource-based policies"
            report.add(code, path, value, advice, name=True, kind=kind.name, shows=element)
        elif value == "*":
            statement.principals.append((path, "*", "*"))
        elif not isinstance(value, Mapping):
            hint = f'did you mean {{"AWS": "{shown(value)}"}}?' if isinstance(value, str) else None
            report.add("invalid-principal-format", path, value, hint)
        else:
            _principal_map(statement, value, path, report)


def _principal_map(statement: Statement, value: Mapping[str, Any], path: Path, report: Report) -> None:
    nobody = True
    for key, content in value.items():
        if key not in PRINCIPAL_TYPES:
            nobody = False
            advice: str | None = report.did_you_mean(key, PRINCIPAL_TYPES)
            report.add("invalid-principal-key", (*path, str(key)), key, advice, name=True)
            continue
        texts = _texts(content, (*path, key), f"The {key} principal", report)
        nobody = nobody and not texts and content == []
        statement.principals += [(text_path, key, text) for text_path, text in texts]
    if nobody:
        code = "empty-array-principal" if value else "empty-object-principal"
        report.add("no-principals" if report.kind == "trust" else code, path, value, "name a principal")


def _conditions(statement: Statement, report: Report) -> None:
    if "Condition" not in statement.elements:
        return
    condition, path = statement.elements["Condition"], (*statement.path, "Condition")
    if not isinstance(condition, Mapping):
        _wrong_type(report, path, "Condition", "an object of operators", condition)
        return
    if not condition:
        report.add("empty-object-condition", path, condition, "remove it, or say what must be true")
    for operator, comparisons in condition.items():
        place = (*path, str(operator))
        if not isinstance(comparisons, Mapping):
            _wrong_type(report, place, f"What follows {shown(operator)}", "an object of condition keys", comparisons)
            continue
        if not comparisons:
            statement.idle_operators.append((place, str(operator)))
            report.add("empty-object-condition", place, comparisons, "remove it, or say what must be true")
        seen: dict[str, str] = {}
        for key, values in comparisons.items():
            at = (*place, str(key))
            first = seen.setdefault(str(key).lower(), str(key))
            if first != key:
                code = "duplicate-keys-with-different-case"
                report.add(code, at, key, "merge the two", name=True, first=shown(first))
            statement.conditions.append(Comparison(at, str(operator), str(key), _values(values, at, report)))


def _values(value: Any, path: Path, report: Report) -> list[tuple[Path, Any]]:
    items = enumerate(value) if isinstance(value, (list, tuple)) else None
    values = [(path, value)] if items is None else [((*path, index), item) for index, item in items]
    good = []
    for at, item in values:
        if isinstance(item, (str, float)) or (isinstance(item, int) and item.bit_length() <= 1024):
            good.append((at, item))
        else:
            _wrong_type(report, at, "A condition's value", "a string, a number, true or false", item)
    if items is not None and not values:
        report.add("empty-array-condition", path, value, "to ask whether a key is absent, use Null")
    return good


def _only_known(elements: Mapping[str, Any], path: Path, known: tuple[str, ...], where: str, report: Report) -> None:
    for name in elements:
        if name not in known:
            elsewhere = STATEMENT_ELEMENTS if known is DOCUMENT_ELEMENTS else DOCUMENT_ELEMENTS
            advice = f"{name} belongs in {'a statement' if known is DOCUMENT_ELEMENTS else 'the document'}"
            suggestion = advice if name in elsewhere else report.did_you_mean(name, known)
            report.add("invalid-policy-element", (*path, str(name)), name, suggestion, name=True, where=where)


def _wrong_type(report: Report, path: Path, what: str, wanted: str, value: Any) -> None:
    report.add("data-type-mismatch", path, value, what=what, wanted=wanted, found=type_name(value))
