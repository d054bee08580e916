"""The findings that a row of `findings.toml` describes by itself: what a part of a document looks like.

Each part – the document, an element, a text, a principal, a key, a value, a variable – is a row of named texts
(`_parts`), and a rule is a regular expression for some of them. The first rule that fits a part is reported, with its
named groups as words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from simlib.iam import conditions, service_data
from simlib.iam.conditions import network
from simlib.iam.errors import Path
from simlib.iam.findings import FINDINGS, Report, preview
from simlib.iam.matching import Patterns
from simlib.iam.principals import PARTITIONS
from simlib.iam.statement import LIST, OBJECT, Statement
from simlib.iam.vocabulary import RCP_SERVICES

_ACTIONS: Final = ("Action", "NotAction")
VARIABLE: Final = re.compile(r"\$\{([^}]*)(\}?)")
_WORDS: Final = {"PARTITIONS": PARTITIONS, "RCP_SERVICES": RCP_SERVICES}  # what stands in a rule for several words
_PRIVATE: Final = [
    network(text)
    for text in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "100.64.0.0/10"),
        *("fc00::/7", "fe80::/10", "::1/128"),
    )
]


_Part = tuple[str, Path, Any, dict[str, str]]  # what it is, the way to it, its value, its texts by name


class _Rule(NamedTuple):
    code: str
    patterns: Mapping[str, re.Pattern[str]]  # name of a text → what all of it looks like
    options: Mapping[str, str]

    def words(self, texts: Mapping[str, str], features: Sequence[str]) -> dict[str, str] | None:
        """What the message is filled in with; None where the rule does not fit."""
        words = {"operator": texts.get("operator", ""), "key": texts.get("key_as_written", "")}
        for name, pattern in self.patterns.items():
            if not (fits := pattern.fullmatch(texts.get(name, ""))):
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


@cache
def _rules(refused: bool) -> Mapping[str, Sequence[_Rule]]:
    """The rules for each kind of part, of what is `refused`, or of what is saved."""
    rules: dict[str, list[_Rule]] = {}
    for code, row in FINDINGS.items():
        for when in row.when if (row.level == "refused") is refused else ():
            options = {name: when[name] for name in when.keys() & {"with", "without", "unreadable", "nearest"}}
            looks = {name: text for name, text in when.items() if name != "of" and name not in options}
            for word, several in _WORDS.items():
                looks = {name: text.replace(word, "|".join(several)) for name, text in looks.items()}
            patterns = {name: re.compile(text, re.DOTALL) for name, text in looks.items()}
            rules.setdefault(when["of"], []).append(_Rule(code, patterns, options))
    return rules


def examine(document: Mapping[str, Any], statements: Sequence[Statement], report: Report, *, refused: bool) -> None:
    """Report the parts of a document that a rule fits: what is `refused`, or what is saved."""
    rules, sound = _rules(refused), all(problem.level == "warning" for problem in report.problems)
    twins: dict[object, int] = {}
    parts: list[_Part] = [("document", (), None, {"value": " ".join(map(str, document))})]
    for element, written in document.items():
        parts.append(("element", (str(element),), written, {"element": str(element), "value": _shape(written)}))
    _apply(rules, parts, {}, (), report)
    for statement in statements:
        first = twins.setdefault(statement.sid, statement.index) if statement.sid else statement.index
        texts = {"same_sid": str(first) if first != statement.index else "", "effect": statement.effect}
        if not refused and sound:  # else what a statement says is not certain
            meaning = repr({name: value for name, value in sorted(statement.document.items()) if name != "Sid"})
            first = twins.setdefault((meaning,), statement.index)
            texts["same"] = str(first) if first != statement.index else ""
        named = statement.principal_texts
        features = [f"{each.operator.name} {each.key}".lower() for each in statement.conditions]
        narrowing = [each for each in statement.conditions if each.demands]
        features += [f"only {each.key}" for each in narrowing if not any(text[:1] == "*" for text in each.values)]
        if report.kind == "trust":
            features += [f"{form} {text}".lower() for _, form, text in named]
            features += [f"{element} {text}".lower() for element in _ACTIONS for _, text in statement.texts(element)]
        texts["principals"] = "sound" if named and not report.wrong.intersection(path for path, _, _ in named) else ""
        texts["conditions"] = str(len(statement.conditions))
        _apply(rules, _parts(statement, typed=not refused), texts, features, report)


def _apply(
    rules: Mapping[str, Sequence[_Rule]],
    parts: Iterable[_Part],
    always: Mapping[str, str],
    features: Sequence[str],
    report: Report,
) -> None:
    for of, path, value, texts in parts:
        known = {"kind": report.kind, "version": report.version, "stored_as": report.stored_as, **always, **texts}
        for rule in rules.get(of, ()) if of in ("document", "grant") or path not in report.wrong else ():
            if (words := rule.words(known, features)) is not None:
                nearest = rule.options.get("nearest", "")
                names = [each for each in service_data.condition_keys(nearest) or () if "*" not in each]
                shows: dict[str, Any] = {name: word and preview(word) for name, word in words.items()}
                report.add(rule.code, path, value, known=PARTITIONS if nearest == "PARTITIONS" else names, **shows)
                break


def _parts(statement: Statement, *, typed: bool) -> Iterator[_Part]:
    """The parts of a statement; `typed`: with the types of condition keys."""
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
    yield from _grants(statement)
    spelled: dict[tuple[str, str], str] = {}
    for condition in statement.conditions:
        name, key, place = condition.operator.name, condition.name, statement.place(condition)
        texts = {"operator": name, "key": condition.key, "key_as_written": key, "type": _type(key, typed)}
        first = spelled.setdefault((name, condition.key), key)
        texts["spelled"] = first if first != key else ""
        texts["values"] = ",".join(sorted({text.lower() for text in condition.values}))
        texts["count"] = str(len(condition.values))
        values = list(zip(statement.values(condition), condition.values, strict=True))
        texts["json"] = ",".join({re.sub("int|float", "number", type(value).__name__) for (_, value), _ in values})
        ranges = [_range(text) if "IpAddress" in name else {} for text in condition.values]
        texts["reaches"] = ",".join(sorted({each.get("reach", "") for each in ranges}))
        yield "operator", place[:-1], name, texts
        yield "key", place, key, texts | {"value": key}
        for ((at, value), text), block in zip(values, ranges, strict=True):
            if "${" not in text:
                yield "value", at, value, texts | block | {"value": text}
            for variable in VARIABLE.finditer(text):
                yield "variable", at, value, texts | {"value": variable[0], "type": _type(variable[1], typed)}


def _grants(statement: Statement) -> Iterator[_Part]:
    """What should not be handed out lightly, and how it is: named, by a wildcard, or not excepted."""
    resources = [text for _, text in statement.texts("Resource")]
    everything = any(text == "*" or text.endswith((":*", ":role/*")) for text in resources)
    on = "most" if "NotResource" in statement.document else "everything" if everything else "some"
    for action in ("iam:passrole", "iam:createservicelinkedrole"):
        named = [each for each in statement.texts("Action") if Patterns([each[1].lower()]).matches(action, {})]
        named.sort(key=lambda each: each[1].lower() != action)
        if statement.not_action and not statement.actions.matches(action, {}):
            named = [((*statement.path, "NotAction"), "NotAction")]
        for path, text in named[:1]:
            yield "grant", path, text, {"action": action, "value": text.lower(), "on": on}


def _range(text: str) -> dict[str, str]:
    """Of a range of addresses: whether requests can come from it, and without the bits that do not count."""
    block = network(text)
    if block is None:
        return {}
    private = any(block.version == each.version and block.subnet_of(each) for each in _PRIVATE)
    bare = block[0] == network(text.partition("/")[0])[0]
    return {"reach": "private" if private else "public", "range": "" if bare else str(block)}


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
