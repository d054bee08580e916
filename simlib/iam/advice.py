"""What AWS saves without a word and IAM Access Analyzer finds: names that do not exist, and parts that do not fit.

Everything here needs `service_data`; one service of it is read for each service that a policy speaks of.
AWS page: https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from simlib.iam import advice_security, advice_variables, service_data
from simlib.iam.arn_overlap import overlaps
from simlib.iam.conditions import Operator, operator
from simlib.iam.findings import Report, shown
from simlib.iam.matching import Patterns
from simlib.iam.principals import is_account_id
from simlib.iam.statement import Comparison, Statement

if TYPE_CHECKING:
    from simlib.iam.json_text import Path

_MOST_PAIRS: Final = 20_000  # of resources and formats compared in one statement; beyond, nobody has written it by hand
_OPERATORS_FOR: Final = {  # type of a condition key → how the operators for it begin, and what its value is called
    "String": (("String", "Arn", "Binary"), "a string"),
    "ARN": (("Arn", "String"), "an ARN"),
    "Bool": (("Bool",), "true or false"),
    "Numeric": (("Numeric",), "a number"),
    "Date": (("Date",), "a date"),
    "IPAddress": (("IpAddress", "NotIpAddress"), "an IP address"),
}
_COMPARES: Final = (
    *(("String", "strings"), ("Arn", "ARNs"), ("Bool", "true and false"), ("Numeric", "numbers"), ("Date", "dates")),
    *(("IpAddress", "IP addresses"), ("NotIpAddress", "IP addresses"), ("Binary", "binary data")),
)
_ALONGSIDE: Final = ("sts:tagsession", "sts:setsourceidentity", "sts:setcontext")  # decided with the keys of AssumeRole
_SENSITIVE: Final = frozenset(  # no wildcards in these (UG/reference_policies_condition-keys, sensitive condition keys)
    f"aws:{name}"
    for name in (
        *("principalaccount", "principalorgid", "resourceaccount", "resourceorgid", "sourceaccount", "sourceorgid"),
        *("sourcevpc", "sourcevpce", "vpceaccount", "vpceorgid"),
    )
)


def examine(statements: list[Statement], has_variables: bool, report: Report) -> None:
    """Report what in these statements cannot work, should not be, or need not be there."""
    for statement in statements:
        advice_variables.examine(statement, has_variables, report)
        for element in ("Action", "NotAction"):
            for path, text in statement.texts(element):
                _known_action(text, path, report)
        for element in ("Resource", "NotResource"):
            for path, text in statement.texts(element):
                _known_resource(text, path, statement, report)
        _actions_fit_resources(statement, report)
        for comparison in statement.comparisons:
            if known := operator(comparison.operator):
                _known_key(comparison, known, statement, report)
                _keys_of_actions(comparison, statement, report)
        advice_security.examine(statement, report)
    advice_security.redundancy(statements, report)


# ---- actions


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
    if "*" in text or "?" in text:
        report.comparisons -= 1
        if report.comparisons < 0:
            return None
    return actions_of(text)


def _known_action(text: str, path: Path, report: Report) -> None:
    prefix, colon, name = text.partition(":")
    if not colon or prefix == "*" or path in report.wrong:
        return
    service = service_data.service(prefix.lower())
    if service is None:
        close = report.close(prefix, service_data.services())
        with_it = [other for other in close if actions_of(f"{other}:{name}")]  # rather one that has the action
        guess = f"did you mean {(with_it or close)[0]}:{name}?" if close else None
        report.add("invalid-service-in-action", path, text, guess, shows=shown(prefix))
    elif _expanded(text, report) == ():
        names = [action.name for action in service.actions.values()]
        close = report.close(name.removesuffix("*"), names)
        guess = f"did you mean {prefix}:{close[0]}{'*' if name.endswith('*') else ''}?" if close else None
        report.add("invalid-action", path, text, guess, service=prefix.lower(), shows=shown(name))


def _actions_fit_resources(statement: Statement, report: Report) -> None:
    resources = [text for _, text in statement.texts("Resource")]
    if not resources or "*" in resources or any(path in report.wrong for path, _ in statement.texts("Resource")):
        return
    fitting: dict[str, set[str]] = {}  # service → its kinds of resources that the statement speaks of
    for path, text in statement.texts("Action"):
        actions, prefix = _expanded(text, report), text.partition(":")[0].lower()
        service = service_data.service(prefix)
        if not actions or service is None or path in report.wrong:
            continue
        if len(resources) * len(service.resource_types) > _MOST_PAIRS:
            continue
        if prefix not in fitting:
            fitting[prefix] = {
                kind.name
                for kind in service.resource_types.values()
                if any(overlaps(resource, kind.arn) for resource in resources)
            }
        whole = any(resource.split(":")[2:3] == [prefix] and resource.endswith(":*") for resource in resources)
        fits = fitting[prefix]
        if not any(fits & set(each.resource_types) or (whole and not each.resource_types) for each in actions):
            kinds = [
                service.resource_types[name] for name in {name for each in actions for name in each.resource_types}
            ]
            kinds.sort(key=lambda kind: (len(kind.arn), kind.arn))  # the plainest first
            advice = f"such an ARN is {kinds[0].arn}" if kinds else 'use "Resource": "*"'
            names = ", ".join(kind.name for kind in kinds[:4]) or "no particular resource"
            on = shown(resources[0]) + (f" and {len(resources) - 1} more" if len(resources) > 1 else "")
            report.add("resource-mismatch", path, text, advice, action=shown(text), resources=on, kinds=names)


# ---- resources


def _known_resource(text: str, path: Path, statement: Statement, report: Report) -> None:
    parts = text.split(":", 5)
    if len(parts) < 6 or path in report.wrong or "${" in ":".join(parts[:5]):
        return
    service, account = parts[2], parts[4]
    wild = "*" in account or "?" in account
    if account and not wild and not is_account_id(account) and account not in ("aws", "aws-managed", "cloudfront"):
        report.add("invalid-arn-account", path, text, shows=shown(account))
    elif service != service.lower():
        report.add("invalid-arn-service-case", path, text, f"did you mean {text.replace(service, service.lower(), 1)}?")
    elif service not in service_data.services() | service_data.arn_services():
        guess = report.did_you_mean(service, service_data.services() | service_data.arn_services())
        report.add("invalid-service", path, text, guess, shows=shown(service))
    else:
        report.comparisons -= 1
        formats = _formats(service, statement) if report.comparisons > 0 else []
        if formats and not any(overlaps(text, each) for each in formats):
            _unknown_arn(parts, formats, path, report)


def _formats(service: str, statement: Statement) -> list[str]:
    """The ARN formats of a service: its own, and those of the services whose actions the statement names."""
    named = [*statement.texts("Action"), *statement.texts("NotAction")]
    prefixes = {service, *(text.partition(":")[0].lower() for _, text in named)}
    known = [found for prefix in prefixes if (found := service_data.service(prefix))]
    formats = [kind.arn for each in known for kind in each.resource_types.values()]
    return [each for each in formats if each.split(":")[2] == service or "$" in each.split(":")[2]]


def _unknown_arn(parts: list[str], formats: list[str], path: Path, report: Report) -> None:
    """Say which part is wrong, if it is one: the other parts then fit some format."""
    text, service = ":".join(parts), parts[2]
    for code, position, wanted in (
        ("arn-account-not-allowed", 4, ""),
        ("missing-arn-region", 3, "*"),
        ("missing-arn-account", 4, "*"),
    ):
        other = [*parts[:position], wanted, *parts[position + 1 :]]
        if bool(wanted) != bool(parts[position]) and any(overlaps(":".join(other), each) for each in formats):
            report.add(code, path, text, f"did you mean {':'.join(other)}?" if not wanted else None, service=service)
            return
    report.add(
        "invalid-arn-resource",
        path,
        text,
        f"such ARNs are {' or '.join(sorted(formats, key=len)[:2])}",
        service=service,
    )


# ---- condition keys


def _known_key(comparison: Comparison, known: Operator, statement: Statement, report: Report) -> None:
    key, path = comparison.key, comparison.path
    prefix = key.partition(":")[0].lower()
    if ":" not in key or "." in prefix:  # malformed, or the key of an identity provider
        return
    kind = service_data.key_type(key)
    if kind is None:
        _unknown_key(key, prefix, path, report)
        return
    if known.base == "Null":
        return
    several, kind = kind.startswith("ArrayOf"), kind.removeprefix("ArrayOf")
    if several and not known.qualifier:
        advice = f"did you mean ForAnyValue:{comparison.operator}?"
        report.add("missing-qualifier", path, key, advice, name=True)
    elif known.qualifier == "ForAllValues" and not several:
        code, advice = "forallvalues-with-single-valued-key", f"remove {known.qualifier}:"
        report.add(code, path, key, advice, name=True)
    elif known.qualifier == "ForAllValues" and statement.effect == "Allow" and not _asks_for_presence(key, statement):
        advice = f'add "Null": {{"{shown(key)}": "false"}}'
        report.add("for-all-values-allow", path, key, advice, name=True)
    starts, is_a = _OPERATORS_FOR.get(kind, (("",), ""))
    if not known.base.startswith(starts) and not (key.lower() == "aws:epochtime" and known.base.startswith("Numeric")):
        does = next(what for start, what in _COMPARES if known.base.startswith(start))
        advice = f"use one of the {starts[0]} operators"
        report.add(
            "type-mismatch", path, key, advice, name=True, operator=comparison.operator, compares=does, kind=is_a
        )
    if key.lower() in _SENSITIVE and known.base in ("StringLike", "StringNotLike"):
        for at, value in comparison.values:
            if isinstance(value, str) and ("*" in value or "?" in value):
                report.add("wildcard-usage-too-permissive", at, value, "write it out", key=key)


def _asks_for_presence(key: str, statement: Statement) -> bool:
    return any(each.operator == "Null" and each.key.lower() == key.lower() for each in statement.comparisons)


def _unknown_key(key: str, prefix: str, path: Path, report: Report) -> None:
    low = key.lower()
    if prefix == "aws":
        if low.rstrip("/") in ("aws:principaltag", "aws:requesttag", "aws:resourcetag"):
            report.add("missing-tag-key-in-condition", path, key, f"write {key.rstrip('/')}/name-of-the-tag", name=True)
        elif low == "aws:arn":
            advice = "use aws:PrincipalArn or aws:SourceArn"
            report.add("unsupported-global-condition-key", path, key, advice, name=True)
        else:
            guess = report.did_you_mean(key, service_data.condition_keys("aws") or ())
            report.add("invalid-global-condition-key", path, key, guess, name=True)
        return
    keys = service_data.condition_keys(prefix)
    if keys is None:
        guess = report.did_you_mean(prefix, {"aws", *service_data.services()})
        report.add("invalid-service", path, key, guess, name=True, shows=shown(prefix))
    else:
        guess = report.did_you_mean(key, keys)
        report.add("invalid-service-condition-key", path, key, guess, name=True, service=prefix)


def _keys_of_actions(comparison: Comparison, statement: Statement, report: Report) -> None:
    """A key of a service is only there when an action has it; wildcards are not looked at, as AWS does not."""
    low = comparison.key.lower()
    prefix = low.partition(":")[0]
    everywhere = service_data.condition_keys("aws") or ()
    if prefix == "aws" or "." in prefix or low in map(str.lower, everywhere):
        return
    if service_data.key_type(comparison.key) is None:
        return
    without = [text for _, text in statement.texts("Action") if _lacks(text, low)]
    if without:
        names = ", ".join(shown(text) for text in without[:3]) + (", …" if len(without) > 3 else "")
        advice = "move it to a statement of its own" if len(without) < len(statement.texts("Action")) else None
        report.add(
            "unsupported-action-for-condition-key",
            comparison.path,
            comparison.key,
            advice,
            name=True,
            actions=names,
            key=shown(comparison.key),
        )


def _lacks(action: str, key: str) -> bool:
    if "*" in action or "?" in action or action.lower() in _ALONGSIDE:
        return False
    found = actions_of(action)
    service = service_data.service(action.partition(":")[0].lower())
    if not found or service is None:
        return False
    keys: Iterable[str] = (
        *found[0].condition_keys,
        *(key for name in found[0].resource_types for key in service.resource_types[name].condition_keys),
    )
    families = (each.lower().partition("*") for each in keys)
    return not any(
        key.startswith(before) and key.endswith(after) if star else key == before for before, star, after in families
    )
