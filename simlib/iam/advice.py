"""What AWS saves and IAM Access Analyzer finds, and a few things more that learners meet: the tests of `FINDINGS`.

The table there says which finding is whose. Names are compared with `service_data`, which has a date: a name that it
does not know and that is no misspelling of one it knows may be newer, and gets a remark only.
AWS pages: UG/access-analyzer-reference-policy-checks, UG/reference_policies_variables, UG/confused-deputy,
UG/id_roles_use_passrole, UG/reference_policies_condition-keys, Organizations/orgs_manage_policies_rcps.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from simlib.iam import service_data
from simlib.iam.conditions import Operator, binary, is_arn, moment, network, number, operator, truth
from simlib.iam.findings import FINDINGS, Report, shown
from simlib.iam.matching import Patterns
from simlib.iam.principals import is_account_id
from simlib.iam.statement import CURRENT_VERSION, KINDS, Comparison, Statement, Texts
from simlib.iam.vocabulary import RCP_SERVICES

if TYPE_CHECKING:
    from simlib.iam.json_text import Path

_VARIABLE: Final = re.compile(r"\$\{([^}]*)(\}?)")
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|/")
_MOST_PAIRS: Final = 20_000  # of texts compared with each other in one statement; nobody has written more by hand


def examine(document: Mapping[str, Any], statements: Sequence[Statement], report: Report) -> None:
    """Report what in these statements cannot work, should not be, or need not be there."""
    frame(document, statements, report)
    names = dict.fromkeys(row.test for row in FINDINGS.values() if row.test not in ("", "frame"))
    tests = [(name.startswith("each_"), globals()[name]) for name in names]
    for statement in statements:
        comparisons = [(each, operator(each.operator)) for each in statement.comparisons]
        for of_comparisons, test in tests:
            if not of_comparisons:
                test(statement, report)
            for comparison, known in comparisons if of_comparisons else ():
                if known is not None:
                    test(comparison, known, statement, report)


def _guess(meant: str | None) -> str | None:
    return f"did you mean {meant}?" if meant else None


def _some(texts: Sequence[str]) -> str:
    return shown(texts[0]) + (f" and {len(texts) - 1} more" if len(texts) > 1 else "")


def _sound(statement: Statement, report: Report, *elements: str) -> Iterator[tuple[Path, str]]:
    """The texts of some elements that nothing has been found about yet."""
    return (each for element in elements for each in statement.texts(element) if each[0] not in report.wrong)


def _keys(statement: Statement) -> set[str]:
    return {comparison.key.lower() for comparison in statement.comparisons}


# ---- the document and its elements


_SIDS_MAY_REPEAT: Final = ("resource", "endpoint", "key")


def frame(document: Mapping[str, Any], statements: Sequence[Statement], report: Report) -> None:
    """What concerns the document, or its statements together."""
    kind = KINDS[report.kind]
    report.has_variables = document.get("Version") == CURRENT_VERSION
    if "Version" not in document:
        report.add("missing-version", ())
    if isinstance(document.get("Id"), str) and not kind.principal:
        report.add("id-element", ("Id",), document["Id"], name=True, kind=kind.name)
    names: dict[str, int] = {}
    meanings: dict[str, int] = {}
    whole = not any(problem.level != "warning" for problem in report.problems)  # else statements are not
    for index, statement in enumerate(statements):
        sid, path, meaning = statement.sid, statement.path, _meaning(statement)
        if isinstance(sid, str) and sid and report.kind in _SIDS_MAY_REPEAT and names.setdefault(sid, index) != index:
            report.add("unique-sids-recommended", (*path, "Sid"), sid, first=names[sid])
        if whole and meanings.setdefault(meaning, index) != index:
            report.add("redundant-statement", path, None, first=meanings[meaning])


def _meaning(statement: Statement) -> str:
    """All that a statement says, in one order; the same for statements that say the same."""
    named = [name for name in ("NotPrincipal", "NotAction", "NotResource") if name in statement.document]
    texts = [
        sorted(text for _, text in statement.texts(f"{no}{name}"))
        for no in ("", "Not")
        for name in ("Action", "Resource")
    ]
    conditions = sorted((c.operator, c.key.lower(), sorted(str(v) for _, v in c.values)) for c in statement.comparisons)
    return repr((statement.effect, named, texts, sorted(each[1:] for each in statement.principal_texts), conditions))


def elements(statement: Statement, report: Report) -> None:
    """What is absent or empty."""
    document, kind, path = statement.document, KINDS[report.kind], statement.path
    if kind.resource is None and "Resource" not in document and "NotResource" not in document:
        report.add("no-resource", path)
    if report.kind != "trust":  # AWS refuses such a trust policy, and the console writes "Sid": "" into them
        if document.get("Sid") == "":
            report.add("empty-sid-value", (*path, "Sid"), "")
        for element in ("Principal", "NotPrincipal") if kind.principal else ():
            named = document.get(element)
            if isinstance(named, Mapping) and all(each == [] for each in named.values()):
                code = "empty-array-principal" if named else "empty-object-principal"
                report.add(code, (*path, element), named)
    block = document.get("Condition")
    idle = (
        [(*path, "Condition", name) for name, keys in block.items() if keys == {}] if isinstance(block, Mapping) else []
    )
    for place in idle + [(*path, "Condition")] * (block == {}):
        report.add("empty-object-condition", place, {})


# ---- names: actions and services

_NONE: Final = {  # names that AWS does not have → what is meant instead
    # operations of its APIs, by which people expect an action
    **dict.fromkeys(("s3:listobjects", "s3:listobjectsv2", "s3:headbucket"), "s3:ListBucket"),
    **{"s3:listbuckets": "s3:ListAllMyBuckets", "s3:headobject": "s3:GetObject", "s3:deleteobjects": "s3:DeleteObject"},
    **{"s3:copyobject": "s3:GetObject and s3:PutObject", "lambda:invoke": "lambda:InvokeFunction"},
    # withdrawn, which Access Analyzer called invalid in March 2026 (the last ones: CloudHSM Classic)
    **dict.fromkeys(("elastic-inference", "lakeformation:gluearn", "cloud9:validateenvironmentname"), ""),
    **dict.fromkeys(("qapps:importdocumenttoqapp", "qapps:importdocumenttoqappsession"), ""),
    **dict.fromkeys(
        ("memorydb:replicatemultiregionclusterdata", "cloudhsm:getconfig", "cloudhsm:listavailablezones"), ""
    ),
    **{
        f"cloudhsm:{verb}{noun}": ""
        for verb in ("create", "delete", "describe", "list", "modify")
        for noun in ("hapg", "hapgs", "hsm", "hsms", "lunaclient", "lunaclients")
    },
}


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
    names, words = list(known), _WORD.findall(name)
    common = {word.lower().rstrip("s") for each in names for word in _WORD.findall(each)}

    def same(one: str, two: str) -> bool:
        one, two = one.lower(), two.lower()
        if one == two or one.rstrip("s") in common or one.endswith(two) or two.endswith(one):
            return one == two
        return SequenceMatcher(None, one, two).ratio() >= 0.75

    for other in report.close(name.rstrip("*"), names):
        theirs = _WORD.findall(other)
        if len(words) == len(theirs) and all(map(same, words, theirs)):
            return other + "*" * name.endswith("*")
    return None


def actions(statement: Statement, report: Report) -> None:
    """Actions and services that do not exist, or that the data does not know."""
    unknown: dict[str, Texts] = {}
    for path, text in _sound(statement, report, "Action", "NotAction"):
        prefix, colon, name = text.partition(":")
        low, service = prefix.lower(), service_data.service(prefix.lower())
        if not colon or prefix == "*" or "${" in text or (service and _expanded(text, report) != ()):
            continue
        if service is None:
            code, close = "invalid-service-in-action", report.close(prefix, service_data.services())
            meant = next(
                (f"{each}:{name}" for each in close if "*" not in name and actions_of(f"{each}:{name}")), _NONE.get(low)
            )
        else:
            code, misspelt = (
                "invalid-action",
                misspelling(name, (each.name for each in service.actions.values()), report),
            )
            meant = f"{prefix}:{misspelt}" if misspelt else _NONE.get(text.lower())
        if meant is None:
            unknown.setdefault(low, []).append((path, text))
        else:
            report.add(code, path, text, _guess(meant), service=low, shows=shown(name if service else prefix))
    for prefix, texts in unknown.items():
        path, text = texts[0]
        names = [each.name for each in found.actions.values()] if (found := service_data.service(prefix)) else []
        guess = _guess(next((f"{prefix}:{each}" for each in report.close(text.partition(":")[2], names)), None))
        known: dict[str, Any] = {"date": service_data.edition().date, "shows": _some([text for _, text in texts])}
        report.add("unknown-action", path, text, guess, **known)


def _unknown_service(name: str, path: Path, value: str, report: Report, of_name: bool = False) -> None:
    known = service_data.services() | service_data.arn_services() | {"aws"}
    close = [each for each in report.close(name, known - {name}) if abs(len(each) - len(name)) <= 1]
    code = "invalid-service" if close or name in _NONE else "unknown-service"
    guess, date = _guess(close[0] if close else None), service_data.edition().date
    report.add(code, path, value, guess, name=of_name, shows=shown(name), date=date)


# ---- resources

_ONE_SEGMENT: Final = ("${BucketName}", "${TableName}")  # placeholders whose value has no slash; others may
_OWNERS: Final = ("aws", "aws-managed", "aws-marketplace", "cloudfront", "amazon")  # that stand for AWS's own accounts
_AWS_OWN: Final = re.compile("::[^:]*/(aws|amazon)", re.IGNORECASE)  # without account: AWS's documents, parameters, …


class _Format(NamedTuple):
    """An ARN format, one bit per place: where a character leads on, where one may stay, where any but `:` and `/`."""

    literals: dict[str, int]
    stays: int
    segments: int
    size: int


@lru_cache(maxsize=8192)
def _format(arn: str) -> _Format:
    literals: dict[str, int] = {}
    stays = segments = place = colons = 0
    for part in re.split(r"(\$\{[^}]*\}|<[^>]*>|\*)", arn):
        if not part.startswith(("${", "<", "*")):
            colons += part.count(":")
            for character in part:
                literals[character] = literals.get(character, 0) | 1 << place
                place += 1
        elif colons < 5 or part in _ONE_SEGMENT:
            literals[""] = literals.get("", 0) | 1 << place  # at least one character: no Region is not any Region
            segments |= 1 << place + 1
            place += 2
        else:
            stays |= 1 << place
            place += 1
    return _Format(literals, stays, segments, place)


@lru_cache(maxsize=4096)
def overlaps(resource: str, arn_format: str) -> bool:
    """Whether some resource with this ARN format is meant by a policy's `resource` (`*` or an ARN).

    As in Access Analyzer `*` runs over colons. All ways are followed at once, so that time grows with the text alone.
    """
    if resource == "*" or len(resource) > 2048:  # nobody has written it
        return True
    literals, stays, segments, size = _format(arn_format)
    gaps, everything = stays | segments, (1 << size + 1) - 1

    def past(reached: int) -> int:
        while (more := reached | (reached & gaps) << 1) != reached:  # a gap may be empty
            reached = more
        return reached

    text, reached = _VARIABLE.sub("*", resource), past(1)
    for character in text + ":*" * (5 - text.count(":")):
        if character == "*":
            reached = everything & -(reached & -reached)  # from the first place reached, any later one can be
        elif character == "?":
            reached = past((reached & ~gaps) << 1 | reached & gaps) & everything
        else:
            inside = character not in ":/"
            leads = literals.get(character, 0) | (literals.get("", 0) if inside else 0)
            reached = past((reached & leads) << 1 | reached & (gaps if inside else stays))
        if not reached:
            return False
    return bool(reached >> size)


def resources(statement: Statement, report: Report) -> None:
    """ARNs of no kind of resource."""
    for path, text in _sound(statement, report, "Resource", "NotResource"):
        parts = text.split(":", 5)
        service, account = (*parts, "", "", "", "")[2], (*parts, "", "", "", "")[4]
        if text == "*" or text.startswith("execute-api:/") or "${" in ":".join(parts[:5]):
            continue
        if len(parts) < 6:
            report.add("missing-arn-field", path, text, f"write {':'.join([*parts, *['*'] * (6 - len(parts))])}")
        elif account and not re.search(r"[*?]", account) and not is_account_id(account) and account not in _OWNERS:
            report.add("invalid-arn-account", path, text, shows=shown(account))
        elif service != service.lower():
            report.add("invalid-arn-service-case", path, text, _guess(text.replace(service, service.lower(), 1)))
        elif service in _NONE or service not in service_data.services() | service_data.arn_services():
            _unknown_service(service, path, text, report)
        elif account not in _OWNERS and not _AWS_OWN.search(text):
            report.comparisons -= 1
            formats = _formats(service, statement) if report.comparisons > 0 else []
            if formats and not any(overlaps(text, each) for each in formats):
                _unknown_arn(parts, formats, path, report)


def _formats(service: str, statement: Statement) -> list[str]:
    """The ARN formats of a service: its own, and those of the services whose actions the statement names.

    An ID at their end may be left out: a stack is found by its name as well.
    """
    named = chain(statement.texts("Action"), statement.texts("NotAction"))
    prefixes = {service, *(text.partition(":")[0].lower() for _, text in named)}
    known = [found for prefix in prefixes if (found := service_data.service(prefix))]
    formats = [kind.arn for each in known for kind in each.resource_types.values()]
    formats = [each for each in formats if each.split(":")[2] == service or "$" in each.split(":")[2]]
    return formats + [each.rpartition("/${")[0] for each in formats if each.count("/${") > 1]


def _unknown_arn(parts: list[str], formats: list[str], path: Path, report: Report) -> None:
    """Say which part is wrong, if it is one: the other parts then fit some format."""
    words: dict[str, Any] = {"path": path, "value": ":".join(parts), "service": parts[2]}
    for code, at, part in (
        ("arn-account-not-allowed", 4, ""),
        ("missing-arn-region", 3, "x"),
        ("missing-arn-account", 4, "x"),
    ):
        other = ":".join([*parts[:at], part, *parts[at + 1 :]])
        if bool(part) != bool(parts[at]) and any(overlaps(other, each) for each in formats):
            report.add(code, suggestion=None if part else _guess(other), **words)
            return
    report.add("invalid-arn-resource", suggestion=f"such ARNs are {' or '.join(sorted(formats, key=len)[:2])}", **words)


def actions_fit(statement: Statement, report: Report) -> None:
    """Actions that cannot act on any resource of the statement."""
    on, misfits = [text for _, text in statement.texts("Resource")], []
    if (
        not on
        or any(text == "*" or text.startswith("execute-api:/") for text in on)
        or any(path in report.wrong for path, _ in statement.texts("Resource"))
    ):
        return
    for path, text in statement.texts("Action"):
        prefix, _, name = text.lower().partition(":")
        found, service = _expanded(text, report), service_data.service(prefix)
        if not found or not service or path in report.wrong or len(on) * len(service.resource_types) > _MOST_PAIRS:
            return
        kinds = [
            service.resource_types[each] for each in {each: 1 for action in found for each in action.resource_types}
        ]
        # of others that have none the data is not sure
        dead = name.startswith(("list", "describe")) and not any(each.endswith(":*") for each in on)
        if (kinds or dead) and not any(overlaps(each, kind.arn) for each in on for kind in kinds):
            misfits.append((path, text, sorted((kind.arn, kind.name) for kind in kinds)))
    if len(misfits) == len(statement.texts("Action")):
        misfits = misfits[:1]  # the whole statement does nothing: said once
    elif any(not text.lower().startswith("s3:") for _, text, _ in misfits):
        return  # long lists name some resources for some actions; buckets and their objects are what people mix up
    for path, text, kinds_of in misfits:
        plainest = min(kinds_of, key=lambda kind: len(kind[0]), default=None)
        advice = f"such an ARN is {plainest[0]}" if plainest else 'use "Resource": "*"'
        names = ", ".join(name for _, name in kinds_of[:4]) or "no particular resource"
        report.add("resource-mismatch", path, text, advice, action=shown(text), resources=_some(on), kinds=names)


def covered(statement: Statement, report: Report) -> None:
    """Actions and resources that another of the same list covers: one finding for each that covers others.

    Its place is the first of them all, as Access Analyzer has it.
    """
    for element in ("Action", "Resource"):
        fold = element == "Action"  # case does not count in actions
        texts = [(path, text, text.lower() if fold else text) for path, text in _sound(statement, report, element)]
        wide: dict[str, dict[str, Patterns]] = {}  # by service, as only `*` covers more than one
        for _, _, word in texts:
            if "*" in word and "?" not in word and "${" not in word:
                wide.setdefault(_service_of(word), {})[word] = Patterns([word])
        if len(texts) * max(map(len, wide.values()), default=0) > _MOST_PAIRS:
            continue
        groups: dict[str, list[tuple[Path, str, str]]] = {}
        for path, text, word in texts:
            near = wide.get("*", {}) | wide.get(_service_of(word), {})
            covers = [each for each, fits in near.items() if fits.matches(word, {})]
            widest = (each for each in covers if all(near[each].matches(other, {}) for other in covers))
            groups.setdefault(next(widest, word), []).append((path, text, word))
        for leader, members in groups.items():
            if len(members) > 1:
                by = next((text for _, text, word in members if word == leader), leader)
                others = [text for _, text, word in members if word != leader] or [by]
                words: dict[str, Any] = {"by": shown(by), "shows": _some(others)}
                report.add(f"redundant-{element.lower()}", *members[0][:2], **words)


def _service_of(pattern: str) -> str:
    parts = pattern.split(":", 3)
    return pattern if pattern == "*" else parts[2] if parts[0] == "arn" and len(parts) > 2 else parts[0]


# ---- condition keys


def each_key(comparison: Comparison, known: Operator, statement: Statement, report: Report) -> None:
    """Keys that do not exist, that the data does not know, or that mean little alone."""
    key, path, low = comparison.key, comparison.path, comparison.key.lower()
    start, colon, tail = key.partition(":")
    prefix = start.lower()
    if not colon:
        report.add("invalid-condition-key-format", path, key, f"aws:{key}", name=True)
        return
    if low == "aws:vpcsourceip" and not {"aws:sourcevpc", "aws:sourcevpce"} & _keys(statement):
        report.add("missing-paired-condition-keys", path, key, name=True)
    if "." in prefix or service_data.key_type(key) is not None:
        return  # the keys of an identity provider are its own
    keys = service_data.condition_keys(prefix)
    if keys is None:
        _unknown_service(prefix, path, key, report, of_name=True)
    elif low.rstrip("/") in ("aws:principaltag", "aws:requesttag", "aws:resourcetag"):
        report.add("missing-tag-key-in-condition", path, key, name=True, shows=key.rstrip("/"))
    elif low == "aws:arn":
        report.add("unsupported-global-condition-key", path, key, name=True)
    elif (misspelt := misspelling(tail, (each.partition(":")[2] for each in keys), report)) or low in _NONE:
        code = "invalid-global-condition-key" if prefix == "aws" else "invalid-service-condition-key"
        report.add(code, path, key, _guess(misspelt and f"{start}:{misspelt}"), name=True, service=prefix)
    else:
        report.add("unknown-key", path, key, name=True, date=service_data.edition().date)


_ALONGSIDE: Final = ("sts:tagsession", "sts:setsourceidentity", "sts:setcontext")  # decided with the keys of AssumeRole


def each_fit(comparison: Comparison, known: Operator, statement: Statement, report: Report) -> None:
    """Keys of a service that none of the statement's actions has."""
    key, low, texts = comparison.key, comparison.key.lower(), [text for _, text in statement.texts("Action")]
    prefix = low.partition(":")[0]
    service = service_data.service(prefix)
    everywhere = map(str.lower, service_data.condition_keys("aws") or ())
    if service and texts and low not in everywhere and service_data.key_type(low) is not None:
        lacking = all(text.lower() not in _ALONGSIDE and _lacks(text, low) for text in texts)
        if lacking and not all(_lacks(f"{prefix}:{name}", low) for name in service.actions):  # else the data lacks it
            report.add("key-without-action", comparison.path, key, name=True, actions=_some(texts))


def _lacks(action: str, *keys: str) -> bool:
    """Whether an action has none of these condition keys, neither itself nor by a resource; False if that is open."""
    found, service = actions_of(action), service_data.service(action.partition(":")[0].lower())
    if "*" in action or "?" in action or not found or service is None:
        return False
    has = chain(found[0].condition_keys, *(service.resource_types[n].condition_keys for n in found[0].resource_types))
    families = [each.lower().partition("*") for each in has]
    return not any(
        key.startswith(before) and key.endswith(after) if star else key == before
        for before, star, after in families
        for key in keys
    )


def each_tag(comparison: Comparison, known: Operator, statement: Statement, report: Report) -> None:
    """Actions that have no `aws:ResourceTag`; those that take tags when they make a resource are not meant."""
    key, start, path = comparison.key.lower(), statement.effect.lower(), statement.path
    if not key.startswith("aws:resourcetag/") or known.if_exists or known.base == "Null":
        return
    if start == "allow" and "Not" in known.base:
        return
    if "NotAction" in statement.document:
        code = f"{start}-notaction-with-unsupported-tag-condition-key-for-service"
        report.add(code, (*path, "NotAction"), "NotAction", name=True, key=shown(comparison.key))
    without = [each for each in statement.texts("Action") if _lacks(each[1], key, "aws:requesttag/x", "aws:tagkeys")]
    if without and not any(at in report.wrong for at, _ in without):
        words: dict[str, Any] = {"actions": _some([text for _, text in without]), "key": shown(comparison.key)}
        code = f"{start}-with-unsupported-tag-condition-key-for-service"
        report.add(code, *without[0], **words)


# ---- operators and values

_OPERATORS_FOR: Final = {  # type of a condition key → how the operators for it begin, and what its value is called
    "String": (("String", "Arn", "Binary"), "a string"),
    "ARN": (("Arn", "String"), "an ARN"),
    "Bool": (("Bool",), "true or false"),
    "Numeric": (("Numeric",), "a number"),
    "Date": (("Date",), "a date"),
    "IPAddress": (("IpAddress", "NotIpAddress"), "an IP address"),
}


def each_operator(comparison: Comparison, known: Operator, statement: Statement, report: Report) -> None:
    """Operators that do not suit their key."""
    key, qualifier, base = comparison.key, known.qualifier, known.base
    type_ = service_data.key_type(key) or ""
    several, kind = type_.startswith("ArrayOf"), type_.removeprefix("ArrayOf")

    def found(code: str, **words: Any) -> None:
        words |= {"operator": comparison.operator, "qualifier": qualifier}
        report.add(code, comparison.path, key, name=True, **words)

    if base == "Null":
        if qualifier:
            always = str(qualifier == "ForAllValues").lower()
            words = {"qualifier": qualifier, "always": always}
            report.add("null-with-qualifier", comparison.path[:-1], comparison.operator, name=True, **words)
        return
    presence = any(each.operator == "Null" and each.key.lower() == key.lower() for each in statement.comparisons)
    wanted = {str(value).lower() for _, value in comparison.values}
    allows = statement.effect == "Allow"
    if "." in key.partition(":")[0] and key.endswith(":aud") and qualifier:
        found("confirm-audience-claim-type")
    elif several and not qualifier:
        found("missing-qualifier")
    elif qualifier == "ForAllValues" and kind and not several:
        found("forallvalues-with-single-valued-key")
    elif qualifier == "ForAllValues" and kind and allows and not presence and not key.lower().endswith("tagkeys"):
        found("for-all-values-allow")  # no tags are no harm
    if base in ("StringLike", "StringNotLike") and not qualifier:
        absent = "false" if base == "StringLike" else "true"
        if wanted == {"*"} and not known.if_exists:
            report.add(f"equivalent-to-null-{absent}", comparison.values[0][0], "*", shows=shown(key))
        elif kind == "ARN":
            found("string-like-operator-with-arn-condition-keys", right=base.replace("String", "Arn"))
    starts, is_a = _OPERATORS_FOR.get(kind, (("",), ""))
    if not base.startswith(starts) and (key.lower(), base[:7]) != ("aws:epochtime", "Numeric"):
        compares = next((what for begins, what in _OPERATORS_FOR.values() if base.startswith(begins[0])), "such values")
        compares = {"Not": "an IP address", "Bin": "binary data"}.get(base[:3], compares)
        found("type-mismatch", right=starts[0], compares=compares, kind=is_a)
    if key.lower() == "aws:multifactorauthpresent" and base == "Bool" and not presence:
        # a request with access keys has no such key, which is forgotten on either side
        if not allows and wanted == {"false"} and not known.if_exists:
            found("mfa-bool")
        elif allows and wanted == {"true"} and known.if_exists:
            found("mfa-if-exists")


_SENSITIVE: Final = frozenset(  # no wildcards in these (UG/reference_policies_condition-keys, sensitive condition keys)
    f"aws:{name}"
    for name in (
        *("principalaccount", "principalorgid", "resourceaccount", "resourceorgid", "sourceaccount", "sourceorgid"),
        *("sourcevpc", "sourcevpce", "vpceaccount", "vpceorgid"),
    )
)
_CALLERS: Final = ("aws:calledvia", "aws:calledviafirst", "aws:calledvialast")
_CALLER: Final = re.compile(r"[a-z0-9-]+\.amazonaws\.com(\.cn)?")
_W3C: Final = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?", re.ASCII)
_PRIVATE: Final = (
    *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "100.64.0.0/10"),
    *("fc00::/7", "fe80::/10", "::1/128"),
)
_VALUES: Final[tuple[tuple[tuple[str, ...], str, Callable[[str], bool]], ...]] = (
    # how operators begin, code, whether a value is wrong
    (("Numeric",), "type-mismatch-number", lambda text: number(text) is None),
    (("Bool", "Null"), "type-mismatch-boolean", lambda text: truth(text) is None),
    (("Binary",), "type-mismatch-string", lambda text: binary(text) is None),
    (("Date",), "invalid-date-value", lambda text: not _W3C.fullmatch(text) and moment(text) is not None),
    (("Arn",), "arn-value", lambda text: not is_arn(text)),
    (("IpAddress", "NotIpAddress"), "type-mismatch-ip-range", lambda text: network(text) is None),
)


def each_value(comparison: Comparison, known: Operator, statement: Statement, report: Report) -> None:
    """Values that their operator cannot read, or not as they are meant."""
    base, key, name = known.base, comparison.key.lower(), comparison.operator
    for path, value in comparison.values:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        words: dict[str, Any] = {"operator": name, "shows": shown(text), "key": comparison.key}
        wild = "*" in text or "?" in text
        if "${" in text:
            continue  # variables have tests of their own
        for starts, code, wrong in _VALUES:
            if (
                base.startswith(starts)
                and wrong(text)
                and (base[:4], key, text.isdigit()) != ("Date", "aws:epochtime", True)
            ):
                report.add(code, path, value, **words)
        if wild and base.startswith(("StringEquals", "StringNotEquals")):
            like = name.replace("NotEquals", "NotLike").replace("Equals", "Like").replace("IgnoreCase", "")
            report.add("wildcard-without-like-operator", path, value, _guess(like), **words)
        elif wild and key in _SENSITIVE and text != "*":
            report.add("wildcard-usage-too-permissive", path, value, **words)
        elif key in _CALLERS and not wild and not _CALLER.fullmatch(text):
            report.add("invalid-service-principal-format-as-value", path, value, **words)
        elif base.endswith("IpAddress") and (found := network(text)) and found[0] != network(text.partition("/")[0])[0]:
            report.add("improve-ip-range", path, value, f"write {found}", bits=found.prefixlen)


def each_list(comparison: Comparison, known: Operator, statement: Statement, report: Report) -> None:
    """Values that do not go together, or are none."""
    path, base, listed = comparison.path, known.base, [value for _, value in comparison.values]
    if statement.document["Condition"][comparison.operator][comparison.key] in ([], ()):
        ending = f"-{known.qualifier.lower()}" if known.qualifier else "-ifexists" if known.if_exists else ""
        report.add(f"empty-array-condition{ending}", path, [], shows=shown(comparison.key))
    if len({"number" if type(value) in (int, float) else type(value) for value in listed}) > 1:
        report.add("invalid-condition-data-type", path, listed)
    elif base == "Bool" and len({str(value).lower() for value in listed}) > 1:
        report.add("invalid-condition-multiple-boolean", path, listed, operator=comparison.operator)
    elif base.startswith(("NumericLess", "NumericGreater")) and len(listed) > 1 and not known.qualifier:
        numbers = [found for value in listed if (found := number(str(value))) is not None]
        if len(numbers) == len(listed):
            by = max(numbers) if "Less" in base else min(numbers)
            report.add("redundant-condition-value-num", path, listed, by=by)
    if comparison.key.lower() == "aws:sourceip" and base.endswith("IpAddress"):
        private = [network(text) for text in _PRIVATE]
        inside = [
            (at, value)
            for at, value in comparison.values
            if (found := network(str(value)))
            and any(found.version == each.version and found.subnet_of(each) for each in private)
        ]
        code = "private-ip-address" if base == "IpAddress" else "private-not-ip-address"
        for at, value in inside:
            report.add(code + "-subset" * (len(inside) < len(listed)), at, value)


# ---- policy variables: `${aws:username}`, where they work and how they are written


def variables(statement: Statement, report: Report) -> None:
    """Variables that are never filled in."""
    for path, text in _sound(statement, report, "Action", "NotAction"):
        if "${" in text:
            report.add("variable-unsupported-in-element", path, text, element="Action")
    for path, text in _sound(statement, report, "Resource", "NotResource"):
        if text.startswith("arn:") and "${" in ":".join(text.split(":", 5)[:5]):
            report.add("variable-position", path, text)
        elif "${" in text:
            _variables(text, path, report)
    for comparison in statement.comparisons:
        known = operator(comparison.operator)
        for path, value in comparison.values:
            if isinstance(value, str) and "${" in value:
                if known is not None and not known.base.startswith(("String", "Arn")):
                    report.add("invalid-variable-for-operator", path, value)
                else:
                    _variables(value, path, report)


def _variables(text: str, path: Path, report: Report) -> None:
    if not report.has_variables:
        shows = shown(text[text.index("${") :])
        report.add("variable-unsupported-in-version", path, text, shows=shows)
        return
    for inside, closed in _VARIABLE.findall(text):
        key, comma, default = inside.partition(",")
        without, kind = "".join(key.split()), service_data.key_type(key)
        if not closed:
            report.add("missing-brace-in-variable", path, text)
        elif inside in ("*", "?", "$"):  # these stand for themselves
            continue
        elif not without:
            report.add("empty-variable", path, text)
        elif key != without:
            report.add("unsupported-space-in-variable", path, text, _guess(f"${{{without}{comma}{default}}}"))
        elif comma and not re.fullmatch(r"\s*'[^']*'\s*", default):
            report.add("missing-quote-in-variable", path, text, _guess(f"${{{key}, '{default.strip()}'}}"))
        elif kind is None and "." not in key.partition(":")[0]:  # an identity provider's keys are its own
            guess = report.did_you_mean(
                key, [each for each in service_data.condition_keys("aws") or () if "*" not in each]
            )
            report.add("unknown-variable", path, text, guess, shows=shown(key))
        elif kind and kind.startswith("ArrayOf"):
            report.add("multivalued-variable", path, text, shows=shown(key))


# ---- principals

_SOURCE_KEYS: Final = {"aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths"}
_GITHUB: Final = "token.actions.githubusercontent.com"


def principals(statement: Statement, report: Report) -> None:
    """Principals that name nobody, or everybody."""
    allows, keys = statement.effect == "Allow", _keys(statement)
    for path, key, text in statement.principal_texts:
        domain = _provider(text) if key == "Federated" else None
        if path in report.wrong:
            continue
        if key == "AWS" and text.startswith(("AROA", "AIDA")):
            code = "invalid-role-reference" if text.startswith("AROA") else "invalid-user-reference"
            report.add(code, path, text)
        elif key == "AWS" and ":assumed-role/" in text and ("*" in text or "?" in text):
            report.add("session-wildcard", path, text)
        elif key == "Federated" and report.kind != "trust":
            report.add("federated-principal-not-supported", path, text)
        elif not allows:
            continue
        elif text == "*" and key in ("*", "AWS") and report.kind in ("resource", "trust") and "Principal" in path:
            if not statement.comparisons:
                report.add("open-principal", path, text)
        elif key == "Service" and report.kind == "resource" and not keys & _SOURCE_KEYS:
            report.add("restrict-access-to-service-principal", path, text)
        elif domain and not any(each.startswith(f"{domain.lower()}:") for each in keys):
            report.add("missing-condition-key-for-oidc-principal", path, text, shows=shown(domain))


def _provider(principal: str) -> str | None:
    """The domain of an OIDC provider, by which its condition keys begin; None for anything else."""
    _, oidc, domain = principal.partition(":oidc-provider/")
    return domain if oidc else None if ":saml-provider/" in principal or principal == "*" else principal


def each_claim(comparison: Comparison, known: Operator, statement: Statement, report: Report) -> None:
    """Claims of GitHub's tokens that more than one repository and branch has."""
    if comparison.key.lower() == f"{_GITHUB}:sub" and report.kind == "trust" and statement.effect == "Allow":
        for path, value in comparison.values:
            owner, _, rest = str(value).removeprefix("repo:").partition("/")
            repository, _, branch = rest.partition(":")
            if "*" in owner or repository in ("", "*") or branch in ("", "*"):
                report.add("specific-github-repo-and-branch-recommended", path, value)


_WANTED: Final[dict[str, tuple[str, Callable[[str, str], bool]]]] = {  # action → who it is for, in words and as a test
    "sts:assumerole": ("it is for users, roles and services", lambda key, text: key != "Federated"),
    "sts:assumerolewithsaml": ("it is for SAML providers", lambda key, text: ":saml-provider/" in text),
    "sts:assumerolewithwebidentity": (
        "it is for OpenID Connect providers",
        lambda key, text: key == "Federated" and ":saml-provider/" not in text,
    ),
}
_ROLES_ANYWHERE: Final = ("sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession")


def trust(statement: Statement, report: Report) -> None:
    """Trust policies: whether actions and principals suit each other."""
    named, allows = statement.principal_texts, statement.effect == "Allow"
    if report.kind != "trust" or not named or any(path in report.wrong for path, _, _ in named):
        return
    low = {text.lower() for _, text in statement.texts("Action")}
    for path, text in statement.texts("Action") if allows else ():
        rule, fits = _WANTED.get(text.lower(), ("", lambda key, value: True))
        if not any(fits(key, value) for _, key, value in named):
            names = ", ".join(shown(value) for _, _, value in named[:3])
            report.add("mismatched-action-for-principal", path, text, action=text, principals=names, rule=rule)
    lacking = " and ".join(each for each in _ROLES_ANYWHERE if each.lower() not in low and "sts:*" not in low)
    for path, _, text in named:
        if text == "rolesanywhere.amazonaws.com" and lacking and allows:
            report.add("missing-action-for-roles-anywhere-trust-policy", path, text, actions=lacking)
        account, _, session = text.partition(":assumed-role/")
        role = f"{account.replace(':sts:', ':iam:')}:role/{session.partition('/')[0]}"
        if session and any(role == other for _, _, other in named):
            report.add("redundant-principal-in-role-trust-policy", path, text, by=shown(role))


def rcp(statement: Statement, report: Report) -> None:
    """Resource control policies: services that they do not reach."""
    for path, text in statement.texts("Action") if report.kind == "rcp" and statement.effect == "Deny" else ():
        service = text.partition(":")[0].lower()
        if service != "*" and service not in RCP_SERVICES:
            report.add("rcp-service", path, text, shows=shown(service))


def each_border(comparison: Comparison, known: Operator, statement: Statement, report: Report) -> None:
    """Resource control policies: whether they let through AWS's own services."""
    low, by = comparison.key.lower(), "aws:PrincipalIsAWSService"
    if report.kind != "rcp" or statement.effect != "Deny" or "Not" not in known.base or by.lower() in _keys(statement):
        return
    callers = ("aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount")
    if low in _SOURCE_KEYS or low in callers:
        code = f"rcp-missing-related-{'principal' if low in callers else 'service'}-condition-key"
        report.add(code, comparison.path, comparison.key, name=True, by=by)


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
    for action, start, key in _HANDED_OUT:
        if (way := _named(action, statement)) and not any(_narrows(each, key) for each in statement.comparisons):
            how, path, pattern = way
            report.add(f"{start}-with-{_WAYS[how][excepted]}", path, pattern, pattern=shown(pattern), key=key)


def _named(action: str, statement: Statement) -> tuple[str, Path, str] | None:
    low = action.lower()
    fits = [each for each in statement.texts("Action") if Patterns([each[1].lower()]).matches(low, {})]
    if fits:
        path, text = next((each for each in fits if each[1].lower() == low), fits[0])
        return ("by name" if text.lower() == low else "by wildcard"), path, text
    excluded = statement.texts("NotAction")
    if excluded and not Patterns([text.lower() for _, text in excluded]).matches(low, {}):
        return "by NotAction", (*statement.path, "NotAction"), "NotAction"
    return None


def _narrows(comparison: Comparison, key: str) -> bool:
    """Whether a condition lets through requests with certain values of a key only."""
    known = operator(comparison.operator)
    if known is None or comparison.key.lower() != key.lower() or known.if_exists or known.qualifier == "ForAllValues":
        return False
    from_any = any(str(value).startswith("*") for _, value in comparison.values)
    return known.base.startswith(("String", "Arn")) and "Not" not in known.base and not from_any
