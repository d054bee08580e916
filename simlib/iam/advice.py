"""What AWS saves and IAM Access Analyzer finds, where no rule of the table does: the tests of `FINDINGS`.

Most are about names that AWS does not have, or not together: actions, services, ARNs, condition keys. They are compared
with `service_data`, which has a date: a name that it does not know and that is no misspelling of one it knows may be
newer, and gets a remark only. `names.toml` has what is no data of AWS's.
AWS page: UG/access-analyzer-reference-policy-checks.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import chain
from pathlib import Path as File
from typing import Any, Final

from simlib.iam import rules, service_data
from simlib.iam.errors import Path
from simlib.iam.findings import FINDINGS, Report, guess, preview, some
from simlib.iam.matching import Automaton, Patterns, Piece, Wild
from simlib.iam.rules import VARIABLE
from simlib.iam.statement import Statement, Texts

_NAMES: Final = tomllib.loads(File(__file__).with_name("names.toml").read_text("utf-8"))
_NONE: Final = {**_NAMES["meant"], **dict.fromkeys(_NAMES["withdrawn"], "")}  # names AWS does not have → what is meant
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|/")


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
                report.add(f"redundant-{element.lower()}", *members[0][:2], by=preview(by), shows=some(others))


# ---- actions and services


@lru_cache(maxsize=4096)
def actions_of(text: str) -> tuple[service_data.Action, ...] | None:
    """The actions that `s3:Get*` stands for; None where the service is unknown or not one."""
    prefix, _, name = text.lower().partition(":")
    service = service_data.service(prefix)
    if service is None:
        return None
    if "*" not in name and "?" not in name:
        return (service.actions[name],) if name in service.actions else ()
    fits = Patterns([name])
    return tuple(action for low, action in service.actions.items() if fits.matches(low, {}))


def _expanded(text: str, report: Report) -> tuple[service_data.Action, ...] | None:
    """`actions_of`, but not without end: None also where a document has had enough of it."""
    report.comparisons -= "*" in text or "?" in text
    return actions_of(text) if report.comparisons > 0 else None


def misspelling(name: str, known: Iterable[str], report: Report) -> str | None:
    """The known name that this is a misspelling of: word for word the same, but for words that are in none of them.

    A name of known words is a new one more likely; so is the opposite of one (`DeregisterX`).
    """
    names, words = list(known) if report.guesses else [], _WORD.findall(name)
    common = {word.lower().rstrip("s") for each in names for word in _WORD.findall(each)}

    def same(one: str, two: str) -> bool:
        one, two = one.lower(), two.lower()
        other = one.rstrip("s") in common or one.endswith(two) or two.endswith(one)
        return one == two or (not other and SequenceMatcher(None, one, two).ratio() >= 0.75)

    for near in report.close(name.rstrip("*"), names):
        theirs = _WORD.findall(near)
        if len(words) == len(theirs) and all(map(same, words, theirs)):
            return near + "*" * name.endswith("*")
    return None


def actions(statement: Statement, report: Report) -> None:
    """Actions and services that do not exist, or that the data does not know."""
    unknown: dict[str, Texts] = {}
    for path, text in report.sound(statement, "Action", "NotAction"):
        prefix, colon, name = text.partition(":")
        low, service = prefix.lower(), service_data.service(prefix.lower())
        if not colon or prefix == "*" or (service and _expanded(text, report) != ()):
            continue
        if service is None:
            close = report.close(prefix, service_data.services()) if "*" not in name else []
            suggestion = next((f"{each}:{name}" for each in close if actions_of(f"{each}:{name}")), _NONE.get(low))
        else:
            misspelt = misspelling(name, (each.name for each in service.actions.values()), report)
            suggestion = f"{prefix}:{misspelt}" if misspelt else _NONE.get(text.lower())
        if suggestion is None:
            unknown.setdefault(low, []).append((path, text))
        else:
            code = "invalid-action" if service else "invalid-service-in-action"
            report.add(code, path, text, guess(suggestion), service=low, shows=preview(name if service else prefix))
    for prefix, texts in unknown.items():
        found, names = service_data.service(prefix), some([text for _, text in texts])
        known = [f"{prefix}:{each.name}" for each in found.actions.values()] if found else ()
        report.add("unknown-action", *texts[0], known=known, date=service_data.edition().date, shows=names)


def _unknown_service(name: str, path: Path, value: str, report: Report) -> None:
    known = service_data.services() | service_data.arn_services() | {"aws"}
    close = [each for each in report.close(name, known - {name}) if abs(len(each) - len(name)) <= 1]
    code = "invalid-service" if close or name in _NONE else "unknown-service"
    suggestion, date = guess(close[0] if close else None), service_data.edition().date
    report.add(code, path, value, suggestion, shows=preview(name), date=date)


# ---- resources

_AWS_OWN: Final = re.compile(
    "::[^:]*/(aws|amazon)|^([^:]*:){4}(aws|aws-managed|aws-marketplace|cloudfront|amazon):", re.IGNORECASE
)
_ONE_SEGMENT: Final = ("${BucketName}", "${TableName}")  # placeholders whose value has no slash; others may


@lru_cache(maxsize=8192)
def _format(arn: str) -> Automaton:
    pieces: list[Piece] = []
    colons = 0
    for part in re.split(r"(\$\{[^}]*\}|<[^>]*>|\*)", arn):
        if not part.startswith(("${", "<", "*")):
            colons += part.count(":")
            pieces.append(part)
        elif colons < 5 or part in _ONE_SEGMENT:
            pieces += [Wild.ONE_IN_PART, Wild.ANY_IN_PART]  # at least one character: no Region is not any Region
        else:
            pieces.append(Wild.ANY)
    return Automaton(pieces, borders=":/")


@lru_cache(maxsize=4096)
def overlaps(resource: str, arn_format: str) -> bool:
    """Whether some resource with this ARN format is meant by a policy's `resource` (`*` or an ARN).

    As in Access Analyzer `*` runs over colons. All ways are followed at once, so that time grows with the text alone.
    """
    if resource == "*" or len(resource) > 2048:  # nobody has written it
        return True
    automaton = _format(arn_format)
    reached, everything = 1, 2 * automaton.final - 1
    text = VARIABLE.sub("*", resource)
    for character in text + ":*" * (5 - text.count(":")):
        if character == "*":
            reached = everything & -(reached & -reached)  # from the first place reached, any later one can be
        elif character == "?":
            reached = (reached << 1 | reached & automaton.other[1]) & everything
        else:
            reached = automaton.after(reached, character)
    return bool(reached & automaton.final)


def resources(statement: Statement, report: Report) -> None:
    """ARNs of no kind of resource; which part is wrong, if it is one: the other parts then fit some format."""
    for path, text in report.sound(statement, "Resource", "NotResource"):
        parts = text.split(":", 5)
        if len(parts) < 6 or text.startswith("execute-api:/"):
            continue
        if (service := parts[2]) in _NONE or service not in service_data.services() | service_data.arn_services():
            _unknown_service(service, path, text, report)
            continue
        report.comparisons -= 1
        formats = _formats(service, statement) if report.comparisons > 0 and not _AWS_OWN.search(text) else []
        if not formats or any(overlaps(text, each) for each in formats):
            continue
        for code, at in (("arn-account-not-allowed", 4), ("missing-arn-region", 3), ("missing-arn-account", 4)):
            part = "x" if code.startswith("missing") else ""
            other = ":".join([*parts[:at], part, *parts[at + 1 :]])
            if bool(part) != bool(parts[at]) and any(overlaps(other, each) for each in formats):
                report.add(code, path, text, None if part else guess(other), service=service)
                break
        else:
            advice = f"its ARNs are {' or '.join(sorted(formats, key=len)[:2])}"
            report.add("invalid-arn-resource", path, text, advice, service=service)


def _formats(service: str, statement: Statement) -> list[str]:
    """The ARN formats of a service: its own, and those of the services whose actions the statement names.

    An ID at their end may be left out: a stack is found by its name as well.
    """
    prefixes = {service, *(text.partition(":")[0] for text in statement.actions.texts)}
    known = [found for prefix in prefixes if (found := service_data.service(prefix))]
    formats = [kind.arn for each in known for kind in each.resource_types.values()]
    formats = [each for each in formats if each.split(":")[2] == service or "$" in each.split(":")[2]]
    return formats + [each.rpartition("/${")[0] for each in formats if each.count("/${") > 1]


def actions_fit(statement: Statement, report: Report) -> None:
    """Actions that cannot act on any resource of the statement."""
    on, misfits = [text for _, text in report.sound(statement, "Resource")], []
    if len(on) < max(1, len(statement.texts("Resource"))) or any(
        each == "*" or each[:13] == "execute-api:/" for each in on
    ):
        return
    for path, text in statement.texts("Action"):
        prefix, _, name = text.lower().partition(":")
        found, service = _expanded(text, report), service_data.service(prefix)
        if (
            not found
            or not service
            or path in report.wrong
            or len(on) * len(service.resource_types) > _MOST_PAIRS // 10
        ):
            return
        kinds = [service.resource_types[each] for each in {each for action in found for each in action.resource_types}]
        # of others that have none the data is not sure
        dead = name.startswith(("list", "describe")) and not any(each.endswith(":*") for each in on)
        if (kinds or dead) and not any(overlaps(each, kind.arn) for each in on for kind in kinds):
            misfits.append((path, text, sorted((kind.arn, kind.name) for kind in kinds)))
    if len(misfits) == len(statement.texts("Action")):
        misfits = misfits[:1]  # the whole statement does nothing: said once
    elif any(not text.lower().startswith("s3:") for _, text, _ in misfits):
        return  # long lists name some resources for some actions; buckets and their objects are what people mix up
    for path, text, kinds_of in misfits:
        advice = f"such an ARN is {min((arn for arn, _ in kinds_of), key=len)}" if kinds_of else 'use "Resource": "*"'
        names = ", ".join(name for _, name in kinds_of[:4]) or "no particular resource"
        report.add("resource-mismatch", path, text, advice, action=preview(text), resources=some(on), kinds=names)


# ---- condition keys


def keys(statement: Statement, report: Report) -> None:
    """Keys that do not exist, or that the data does not know."""
    for condition in statement.conditions:
        path, key, prefix = statement.place(condition), condition.name, condition.key.partition(":")[0]
        # the keys of an identity provider are its own
        if path in report.wrong or "." in prefix or service_data.key_type(key) is not None:
            continue
        of_service, (start, _, tail) = service_data.condition_keys(prefix), key.partition(":")
        if of_service is None:
            _unknown_service(prefix, path, key, report)
        elif (close := misspelling(tail, (each.partition(":")[2] for each in of_service), report)) or (
            condition.key in _NONE
        ):
            code = "invalid-global-condition-key" if prefix == "aws" else "invalid-service-condition-key"
            report.add(code, path, key, guess(close and f"{start}:{close}"), service=prefix)
        else:
            report.add("unknown-key", path, key, date=service_data.edition().date)


_ALONGSIDE: Final = ("sts:tagsession", "sts:setsourceidentity", "sts:setcontext")  # decided with the keys of AssumeRole


def keys_fit(statement: Statement, report: Report) -> None:
    """Keys of a service that none of the statement's actions has."""
    texts = [text for _, text in statement.texts("Action")]
    everywhere = {key.lower() for key in service_data.condition_keys("aws") or ()}
    for condition in statement.conditions if texts else ():
        key, service = condition.key, service_data.service(condition.key.partition(":")[0])
        if service and key not in everywhere and service_data.key_type(key) is not None:
            lacking = all(text.lower() not in _ALONGSIDE and _lacks(text, key) for text in texts)
            # a key of no action at all: the data lacks something
            if lacking and not all(_lacks(f"{service.prefix}:{action}", key) for action in service.actions):
                report.add("key-without-action", statement.place(condition), condition.name, actions=some(texts))


def _lacks(action: str, *keys: str) -> bool:
    """Whether an action has none of these condition keys, neither itself nor by a resource; False if that is open."""
    found, service = actions_of(action), service_data.service(action.partition(":")[0].lower())
    if "*" in action or "?" in action or not found or service is None:
        return False
    has = chain(found[0].condition_keys, *(service.resource_types[n].condition_keys for n in found[0].resource_types))
    families = Patterns([each.lower() for each in has])
    return not any(families.matches(key, {}) for key in keys)


def tags_fit(statement: Statement, report: Report) -> None:
    """Actions that have no `aws:ResourceTag`; those that take tags when they make a resource are not meant."""
    start = statement.effect.lower()
    for condition in statement.conditions:
        known, key = condition.operator, condition.key
        if not key.startswith("aws:resourcetag/") or known.if_exists or known.base == "Null":
            continue
        if start == "allow" and known.negated:
            continue
        without = [
            each for each in statement.texts("Action") if _lacks(each[1], key, "aws:requesttag/x", "aws:tagkeys")
        ]
        if without and not any(place in report.wrong for place, _ in without):
            words: dict[str, Any] = {
                "actions": some([text for _, text in without]),
                "key": preview(condition.name),
            }
            report.add(f"{start}-with-unsupported-tag-condition-key-for-service", *without[0], **words)


TESTS: Final[dict[str, Callable[[Statement, Report], None]]] = {
    row.test: globals()[row.test] for row in FINDINGS.values() if row.test
}
