"""The findings that a row of `findings.toml` describes by itself: what a part of a statement looks like.

Each part – an element, a text, a principal, a key, a value, a variable – is a row of named texts (`_parts`), and a rule
is a regular expression for some of them. The first rule that fits a part is reported, with its named groups as words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from simlib.iam import conditions, service_data
from simlib.iam.conditions import operator
from simlib.iam.findings import FINDINGS, Report, shown
from simlib.iam.statement import LIST, OBJECT, Statement

if TYPE_CHECKING:
    from simlib.iam.json_text import Path

_ACTIONS: Final = ("Action", "NotAction")
VARIABLE: Final = re.compile(r"\$\{([^}]*)(\}?)")


class _Rule(NamedTuple):
    code: str
    of: str
    refused: bool
    patterns: Mapping[str, re.Pattern[str]]  # name of a text → what all of it looks like
    options: Mapping[str, str]

    def words(self, texts: Mapping[str, str], features: Sequence[str]) -> dict[str, str] | None:
        """What the message is filled in with; None where the rule does not fit."""
        words = {"operator": texts.get("operator", ""), "key": texts.get("key_as_written", "")}
        for name, pattern in self.patterns.items():
            if not (fits := pattern.fullmatch(texts[name])):
                return None
            words |= fits.groupdict("")
        reader = self.options.get("unreadable")
        if reader and getattr(conditions, reader)(texts["value"]) is not None:
            return None
        for option in self.options.keys() & {"with", "without"}:
            feature = self.options[option].format(**{name: re.escape(word.lower()) for name, word in words.items()})
            if any(re.fullmatch(feature, each, re.DOTALL) for each in features) is (option == "without"):
                return None
        return words


def _rules() -> Iterator[_Rule]:
    for code, row in FINDINGS.items():
        for when in row.when:
            options = {name: when[name] for name in when.keys() & {"with", "without", "unreadable", "nearest"}}
            looks = {name: text for name, text in when.items() if name != "of" and name not in options}
            patterns = {name: re.compile(text, re.DOTALL) for name, text in looks.items()}
            yield _Rule(code, when["of"], row.level == "refused", patterns, options)


_RULES: Final = tuple(_rules())


def examine(statement: Statement, report: Report, *, refused: bool) -> None:
    """Report the parts of a statement that a rule fits: what is `refused`, or what is saved."""
    rules: dict[str, list[_Rule]] = {}
    for rule in _RULES:
        if rule.refused is refused:
            rules.setdefault(rule.of, []).append(rule)
    named = statement.principal_texts
    features = [f"{each.operator} {each.key}".lower() for each in statement.comparisons]
    if report.kind == "trust":
        features += [f"{form} {text}".lower() for _, form, text in named]
        features += [f"{element} {text}".lower() for element in _ACTIONS for _, text in statement.texts(element)]
    always = {"principals": "sound" if named and not report.wrong.intersection(path for path, _, _ in named) else ""}
    always |= {"kind": report.kind, "effect": str(statement.document.get("Effect")), "version": report.version}
    always["conditions"] = str(len(statement.comparisons))
    for of, path, value, texts in _parts(statement, typed=not refused):
        for rule in rules.get(of, ()) if path not in report.wrong else ():
            if (words := rule.words(always | texts, features)) is not None:
                known = service_data.condition_keys(rule.options.get("nearest", "")) or ()
                nearest = [each for each in known if "*" not in each]
                guess = report.did_you_mean(words["shows"], nearest) if nearest else None
                shows = {name: word and shown(word) for name, word in words.items()}
                report.add(rule.code, path, value, guess, name=of in ("key", "operator"), **shows)
                break


def _parts(statement: Statement, *, typed: bool) -> Iterator[tuple[str, Path, Any, dict[str, str]]]:
    """What a part is, the way to it, its value, and its texts by name. `typed`: with the types of condition keys."""
    document, path = statement.document, statement.path
    yield "statement", path, None, {"value": " ".join(map(str, document))}
    for element, written in document.items():
        block = written if element == "Condition" and isinstance(written, OBJECT) else {}
        for at, value in [((element,), written), *[((element, name), keys) for name, keys in block.items()]]:
            yield "element", (*path, *at), value, {"element": str(element), "value": _shape(value)}
    for element in (*_ACTIONS, "Resource", "NotResource"):
        of = "action" if element in _ACTIONS else "resource"
        for place, text in statement.texts(element):
            yield of, place, text, {"element": element, "value": text, "arn": VARIABLE.sub("*", text)}
            for variable in VARIABLE.finditer(text) if of == "resource" else ():
                yield "variable", place, text, {"value": variable[0], "operator": "", "type": _type(variable[1], typed)}
    for place, form, text in statement.principal_texts:
        yield "principal", place, text, {"element": str(place[len(path)]), "form": form, "value": text}
    for comparison in statement.comparisons:
        known, name, key = operator(comparison.operator), comparison.operator, comparison.key
        values = [(place, value, conditions.scalar_text(value) or "") for place, value in comparison.values]
        texts = {"operator": name if known else "", "key": key.lower(), "key_as_written": key}
        texts["type"] = _type(key, typed)
        texts["values"] = ",".join(sorted({text.lower() for _, _, text in values}))
        texts["count"] = str(len(values))
        texts["json"] = ",".join({re.sub("int|float", "number", type(value).__name__) for _, value, _ in values})
        if known:
            yield "operator", comparison.path[:-1], name, texts
            yield "key", comparison.path, key, texts | {"value": key}
        for place, value, text in values:
            if known and "${" not in text:
                yield "value", place, value, texts | {"value": text}
            for variable in VARIABLE.finditer(text):
                yield "variable", place, value, texts | {"value": variable[0], "type": _type(variable[1], typed)}


def _type(key: str, typed: bool) -> str:
    """The type of a condition key or of a variable's key, by the name that its operators have."""
    type_ = service_data.key_type(key.partition(",")[0]) if typed else None
    return (type_ or "").replace("IPAddress", "IpAddress").replace("ARN", "Arn")


def _shape(value: Any) -> str:
    """A text itself; of a list or an object, whether there is something in it, and in its parts."""
    if isinstance(value, LIST):
        return "[…]" if value else "[]"
    if isinstance(value, OBJECT):
        return "{}" if not value else "{…}" if any(value.values()) else "{[]}"
    return value if isinstance(value, str) else "other"
