"""What a policy hands out more widely than it seems to, and what it says twice.

The checks marked as security warnings by Access Analyzer, and four that learners need: a principal of `*` without
condition, `ForAllValues` with Allow, and multi-factor conditions that miss access keys, on either side
(UG/reference_policies_condition-keys, aws:MultiFactorAuthPresent; UG/confused-deputy; UG/id_roles_use_passrole).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from simlib.iam.conditions import network, operator
from simlib.iam.findings import Report, shown
from simlib.iam.matching import Patterns
from simlib.iam.statement import Comparison, Statement, Texts
from simlib.iam.vocabulary import RCP_SERVICES

if TYPE_CHECKING:
    from simlib.iam.json_text import Path

_HANDED_OUT: Final = (  # action, how the codes begin, the condition key that narrows it
    ("iam:PassRole", "pass-role", "iam:PassedToService"),
    ("iam:CreateServiceLinkedRole", "create-slr", "iam:AWSServiceName"),
)
_WAYS: Final = {  # how the action is named, how the resource is named → how the code ends
    ("by name", "everything"): "star-in-resource",
    ("by wildcard", "everything"): "star-in-action-and-resource",
    ("by NotAction", "everything"): "star-in-resource-and-not-action",
    ("by name", "NotResource"): "not-resource",
    ("by wildcard", "NotResource"): "star-in-action-and-not-resource",
    ("by NotAction", "NotResource"): "not-action-and-not-resource",
}
_SOURCE_KEYS: Final = {"aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths"}
_PRIVATE: Final = (
    *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "100.64.0.0/10"),
    *("fc00::/7", "fe80::/10", "::1/128"),
)
_MOST_PAIRS: Final = 20_000  # of texts compared with each other in one list


def examine(statement: Statement, report: Report) -> None:
    """Report what one statement hands out, and conditions that do not do what they seem to."""
    if statement.effect == "Allow":
        if report.kind in ("identity", "session"):
            _handed_out(statement, report)
        if report.kind in ("resource", "trust"):
            _open_principal(statement, report)
        if report.kind == "resource":
            _confused_deputy(statement, report)
        if report.kind == "trust":
            _web_identity(statement, report)
            _principal_fits_action(statement, report)
    if report.kind == "rcp":
        for path, text in statement.texts("Action"):
            service = text.partition(":")[0].lower()
            if service != "*" and service not in RCP_SERVICES:
                report.add("rcp-service", path, text, shows=shown(service))
    for comparison in statement.comparisons:
        _multi_factor(comparison, statement, report)
        _source_ip(comparison, report)


def _keys(statement: Statement) -> set[str]:
    return {comparison.key.lower() for comparison in statement.comparisons}


def _handed_out(statement: Statement, report: Report) -> None:
    if "NotResource" in statement.document:
        resource = "NotResource"
    elif any(text == "*" or text.endswith((":*", ":role/*")) for _, text in statement.texts("Resource")):
        resource = "everything"
    else:
        return
    for action, start, narrowing in _HANDED_OUT:
        way = _named(action, statement)
        if way is not None and narrowing.lower() not in _keys(statement):
            how, path, pattern = way
            code, advice = f"{start}-with-{_WAYS[how, resource]}", f"name the roles, or add a condition on {narrowing}"
            report.add(code, path, pattern, advice, action=action, pattern=shown(pattern))


def _named(action: str, statement: Statement) -> tuple[str, Path, str] | None:
    low = action.lower()
    for path, text in statement.texts("Action"):
        if text.lower() == low:
            return "by name", path, text
    for path, text in statement.texts("Action"):
        if ("*" in text or "?" in text) and Patterns([text.lower()]).matches(low, {}):
            return "by wildcard", path, text
    excluded = statement.texts("NotAction")
    if excluded and not any(Patterns([text.lower()]).matches(low, {}) for _, text in excluded):
        return "by NotAction", (*statement.path, "NotAction"), "NotAction"
    return None


# ---- principals


def _open_principal(statement: Statement, report: Report) -> None:
    for path, key, text in statement.principal_texts:
        if text == "*" and key in ("*", "AWS") and "Principal" in path and not statement.comparisons:
            report.add("open-principal", path, text, "name who may do this, or add a condition")


def _confused_deputy(statement: Statement, report: Report) -> None:
    for path, key, text in statement.principal_texts:
        if key == "Service" and not _keys(statement) & _SOURCE_KEYS:
            advice = "add a condition on aws:SourceArn or aws:SourceAccount"
            report.add("restrict-access-to-service-principal", path, text, advice)


def _provider(principal: str) -> str | None:
    """The domain of an OIDC provider, by which its condition keys begin; None for anything else."""
    _, oidc, domain = principal.partition(":oidc-provider/")
    if oidc:
        return domain
    return None if ":saml-provider/" in principal or principal == "*" else principal


def _web_identity(statement: Statement, report: Report) -> None:
    for path, key, text in statement.principal_texts:
        domain = _provider(text) if key == "Federated" else None
        if not domain or path in report.wrong:
            continue
        if not any(each.startswith(f"{domain.lower()}:") for each in _keys(statement)):
            advice = f"add a condition on {domain}:sub or {domain}:aud"
            report.add("missing-condition-key-for-oidc-principal", path, text, advice, shows=shown(domain))


_Fits = Callable[[str, str], bool]
_WANTED: Final[dict[str, tuple[str, _Fits]]] = {  # action → who it is for, in words and as a test
    "sts:assumerole": ("it is for users, roles and services", lambda key, text: key != "Federated"),
    "sts:assumerolewithsaml": (
        "it is for SAML providers",
        lambda key, text: key == "Federated" and ":saml-provider/" in text,
    ),
    "sts:assumerolewithwebidentity": (
        "it is for OpenID Connect providers",
        lambda key, text: key == "Federated" and ":saml-provider/" not in text,
    ),
}


def _principal_fits_action(statement: Statement, report: Report) -> None:
    if not statement.principal_texts or any(path in report.wrong for path, _, _ in statement.principal_texts):
        return
    for path, text in statement.texts("Action"):
        rule, fits = _WANTED.get(text.lower(), ("", lambda key, value: True))
        if not any(fits(key, value) for _, key, value in statement.principal_texts):
            names = ", ".join(shown(value) for _, _, value in statement.principal_texts[:3])
            report.add("mismatched-action-for-principal", path, text, action=text, principals=names, rule=rule)


# ---- conditions


def _multi_factor(comparison: Comparison, statement: Statement, report: Report) -> None:
    known = operator(comparison.operator)
    if comparison.key.lower() != "aws:multifactorauthpresent" or known is None or known.base != "Bool":
        return
    if any(each.operator == "Null" and each.key.lower() == comparison.key.lower() for each in statement.comparisons):
        return
    wanted = {str(value).lower() for _, value in comparison.values}
    path, key = comparison.path, comparison.key
    if statement.effect == "Deny" and wanted == {"false"} and not known.if_exists:
        report.add("mfa-bool", path, key, "did you mean BoolIfExists?", name=True)
    elif statement.effect == "Allow" and wanted == {"true"} and known.if_exists:
        report.add("mfa-if-exists", path, key, "did you mean Bool?", name=True)


def _source_ip(comparison: Comparison, report: Report) -> None:
    known = operator(comparison.operator)
    if comparison.key.lower() != "aws:sourceip" or known is None or not known.base.endswith("IpAddress"):
        return
    ranges = [(path, value, network(value)) for path, value in comparison.values if isinstance(value, str)]
    private = [network(text) for text in _PRIVATE]
    inside = [
        (path, value)
        for path, value, found in ranges
        if found and any(found.version == each.version and found.subnet_of(each) for each in private)
    ]
    ending = "" if len(inside) == len(ranges) else "-subset"
    for path, value in inside:
        code = "private-ip-address" if known.base == "IpAddress" else "private-not-ip-address"
        report.add(code + ending, path, value, "use aws:VpcSourceIp for addresses inside a VPC")


# ---- what is said twice


def redundancy(statements: list[Statement], report: Report) -> None:
    """Report actions and resources that another of the same list covers, and statements that are there twice."""
    first: dict[str, int] = {}
    sound = not any(problem.level == "error" for problem in report.problems)  # else statements are not whole
    for index, statement in enumerate(statements):
        _covered(statement.texts("Action"), "redundant-action", report)
        _covered(statement.texts("Resource"), "redundant-resource", report)
        meaning = _meaning(statement)
        if sound and first.setdefault(meaning, index) != index:
            report.add("redundant-statement", statement.path, None, "remove one of them", first=first[meaning])


def _meaning(statement: Statement) -> str:
    """All that a statement says, in one order; the same for statements that say the same."""
    return repr(
        (
            statement.effect,
            "NotPrincipal" in statement.document,
            [
                sorted(text for _, text in statement.texts(element))
                for element in ("Action", "NotAction", "Resource", "NotResource")
            ],
            sorted((key, text) for _, key, text in statement.principal_texts),
            sorted((c.operator, c.key.lower(), sorted(str(v) for _, v in c.values)) for c in statement.comparisons),
        )
    )


def _covered(texts: Texts, code: str, report: Report) -> None:
    """One finding per text that is there twice, or that a pattern with `*` (but without `?`) covers."""
    fold = code == "redundant-action"  # case does not count in actions
    words = [(path, text, text.lower() if fold else text) for path, text in texts if path not in report.wrong]
    wide = [(text, word) for _, text, word in words if "*" in word and "?" not in word and "${" not in word]
    patterns = [(text, Patterns([word])) for text, word in wide]
    seen: set[str] = set()
    for path, text, word in words:
        if word in seen:
            report.add(code, path, text, "remove it", by="the same above")
        elif len(words) * len(patterns) <= _MOST_PAIRS:
            cover = next((by for by, each in patterns if by != text and each.matches(word, {})), None)
            if cover is not None:
                report.add(code, path, text, "remove it", by=shown(cover))
        seen.add(word)
