"""What AWS's services refuse to save though it can be read as a policy, and what they save though it cannot work.

Nothing here needs to know which services there are. AWS pages: UG/reference_policies_elements_sid, …_resource,
…_principal, …_condition_operators; Organizations/orgs_manage_policies_rcps_syntax.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from simlib.iam.conditions import binary, is_arn, moment, network, number, operator, truth
from simlib.iam.findings import Report, shown
from simlib.iam.principals import PARTITIONS
from simlib.iam.statement import KINDS, OBJECT, Comparison, Statement

if TYPE_CHECKING:
    from simlib.iam.json_text import Path

VARIABLE: Final = re.compile(r"\$\{[^}]*\}")
_ALPHANUMERIC: Final = re.compile(r"[A-Za-z0-9]*")
_IAM_PATHS: Final = (  # what IAM's own message lists, and what has been added since
    *("user/", "federated-user/", "role/", "group/", "instance-profile/", "mfa/", "server-certificate/", "policy/"),
    *("sms-mfa/", "saml-provider/", "oidc-provider/", "report/", "access-report/"),
    *("role-template/", "contextProvider/", "delegation-request/", "root"),
)
_S3_WITH_REGION: Final = ("accesspoint", "job/", "storage-lens", "access-grants", "*", "?")
_TRUST_ACTIONS: Final = (
    *("sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"),
    *("sts:TagSession", "sts:SetSourceIdentity", "sts:SetContext"),
)
_W3C: Final = "write it as YYYY-MM-DDThh:mm:ssZ"
_W3C_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?", re.ASCII)
_EPOCH: Final = re.compile(r"\d{1,19}", re.ASCII)


def document(written: Any, statements: list[Statement], report: Report) -> None:
    """Report what is wrong with a document as a whole."""
    if not isinstance(written, OBJECT):
        return
    if "Version" not in written:
        report.add("missing-version", (), suggestion='add "Version": "2012-10-17"')
    if "Id" in written and isinstance(written["Id"], str) and not KINDS[report.kind].principal:
        report.add("id-element", ("Id",), written["Id"], "remove it", name=True, kind=KINDS[report.kind].name)
    if written.get("Statement") == []:
        report.add("empty-array-statement", ("Statement",), [], 'add {"Effect": …, "Action": …}')
    required = report.kind not in ("resource", "endpoint", "key")
    code = "unique-sids-required" if required else "unique-sids-recommended"
    first: dict[str, int] = {}
    for index, statement in enumerate(statements):
        sid = statement.sid
        if isinstance(sid, str) and sid and first.setdefault(sid, index) != index:
            at = (*statement.path, "Sid")
            report.add(code, at, sid, "give it another name", first=first[sid])


def examine(statement: Statement, report: Report) -> None:
    """Report what is wrong with the texts of one statement."""
    _sid(statement, report)
    if KINDS[report.kind].resource is None and not {"Resource", "NotResource"} & statement.document.keys():
        report.add("no-resource", statement.path, suggestion='add "Resource": …')
    for element in ("Action", "NotAction", "Resource", "NotResource"):
        if statement.document.get(element) == []:
            code = f"empty-array-{element.removeprefix('Not').lower()}"
            report.add(code, (*statement.path, element), [], "fill it, or remove the statement")
    for element in ("Resource", "NotResource"):
        for path, text in statement.texts(element):
            if path not in report.wrong:
                _resource(text, path, report)
    _principals(statement, report)
    _empty_conditions(statement, report)
    _same_keys(statement, report)
    for comparison in statement.comparisons:
        if operator(comparison.operator):
            _comparison(comparison, report)
    if rules := _RULES_BY_KIND.get(report.kind):
        rules(statement, report)


def _sid(statement: Statement, report: Report) -> None:
    sid, path = statement.sid, (*statement.path, "Sid")
    if sid == "" and report.kind != "trust":  # the console writes "Sid": "" into trust policies
        report.add("empty-sid-value", path, sid, "give it a name, or remove it")
    elif isinstance(sid, str) and not KINDS[report.kind].principal and not _ALPHANUMERIC.fullmatch(sid):
        report.add("unsupported-sid", path, sid, re.sub(r"[^A-Za-z0-9]", "", sid)[:60] or None)


def _same_keys(statement: Statement, report: Report) -> None:
    """Both count in a decision; AWS does not save them."""
    first: dict[tuple[str, str], str] = {}
    for comparison in statement.comparisons:
        name, key = comparison.operator, comparison.key
        if (other := first.setdefault((name, key.lower()), key)) != key:
            code = "duplicate-keys-with-different-case"
            report.add(code, comparison.path, key, "merge the two", name=True, first=shown(other))


def _empty_conditions(statement: Statement, report: Report) -> None:
    block, path = statement.document.get("Condition"), (*statement.path, "Condition")
    if isinstance(block, OBJECT):
        empty = [(path, block)] * (not block) + [((*path, name), keys) for name, keys in block.items() if keys == {}]
        for at, value in empty:
            report.add("empty-object-condition", at, value, "remove it, or say what must be true")
        for comparison in statement.comparisons:
            if block[comparison.operator][comparison.key] == []:
                advice = "to ask whether a key is absent, use Null"
                report.add("empty-array-condition", comparison.path, [], advice, shows=comparison.key)


# ---- resources


def _resource(text: str, path: Path, report: Report) -> None:
    """The order of the questions is that of IAM's answers."""
    if text == "*":
        return
    parts = (VARIABLE.sub("*", text) if "$" in text else text).split(":", 5)
    _, partition, service, region, _, resource = (parts + ["*"] * 5)[:6]
    if partition not in (*PARTITIONS, "*"):
        report.add("invalid-partition", path, text, report.did_you_mean(partition, PARTITIONS), shows=shown(partition))
    elif not service or (len(parts) < 6 and "::" in text):
        full = ":".join([*parts[:-1], *[""] * (6 - len(parts)), parts[-1]])
        report.add("arn-fields", path, text, f"did you mean {full}?")
    elif len(parts) < 6:
        report.add("missing-arn-field", path, text, f"write {':'.join([*parts, *['*'] * (6 - len(parts))])}")
    elif region and (service == "iam" or (service == "s3" and not resource.startswith(_S3_WITH_REGION))):
        without = ":".join([*parts[:3], "", *parts[4:]])
        report.add("arn-region-not-allowed", path, text, f"did you mean {without}?", service=service)
    elif service == "iam" and resource != "*" and not resource.startswith(_IAM_PATHS):
        report.add("iam-resource-path", path, text, report.did_you_mean(f"{resource.split('/')[0]}/", _IAM_PATHS))


# ---- principals


def _principals(statement: Statement, report: Report) -> None:
    element = "NotPrincipal" if "NotPrincipal" in statement.document else "Principal"
    written, path = statement.document.get(element), (*statement.path, element)
    if isinstance(written, OBJECT) and not any(written.values()):
        code = (
            "no-principals"
            if report.kind == "trust"
            else "empty-array-principal"
            if written
            else "empty-object-principal"
        )
        report.add(code, path, written, "name a principal")
    for at, key, text in statement.principal_texts:
        if at in report.wrong:
            continue
        if text.startswith(("AIDA", "AROA")):
            code = "invalid-role-reference" if text.startswith("AROA") else "invalid-user-reference"
            report.add(code, at, text, "name it by its ARN")
        elif ":assumed-role/" in text and ("*" in text or "?" in text):
            report.add("session-wildcard", at, text, "name the role instead")
        elif key == "Federated" and report.kind != "trust":
            report.add("federated-principal-not-supported", at, text, "name the role the provider's users assume")
        elif key == "CanonicalUser" and report.kind == "trust":
            report.add("canonical-user-not-supported", at, text, "name a user or a role")


# ---- conditions


def _comparison(comparison: Comparison, report: Report) -> None:
    known = operator(comparison.operator)
    assert known is not None
    if ":" not in comparison.key:
        report.add("invalid-condition-key-format", comparison.path, comparison.key, f"aws:{comparison.key}", name=True)
    if known.base == "Null" and known.qualifier:
        always = "true" if known.qualifier == "ForAllValues" else "false"
        path, advice = comparison.path[:-1], f"remove {known.qualifier}:"
        words = {"qualifier": known.qualifier, "always": always}
        report.add("null-with-qualifier", path, comparison.operator, advice, name=True, **words)
    check = next((check for start, check in _VALUES if known.base.startswith(start)), None)
    if check is not None:
        for at, value in comparison.values:
            if not (isinstance(value, str) and "${" in value):  # variables have their own rules
                check(value, at, comparison, report)
    if known.base == "Bool" and len({str(value).lower() for _, value in comparison.values}) > 1:
        values = [value for _, value in comparison.values]
        report.add("invalid-condition-multiple-boolean", comparison.path, values, operator=comparison.operator)


def _number(value: Any, path: Path, comparison: Comparison, report: Report) -> None:
    if isinstance(value, bool) or (isinstance(value, str) and number(value) is None):
        report.add("type-mismatch-number", path, value, operator=comparison.operator, shows=shown(str(value)))


def _date(value: Any, path: Path, comparison: Comparison, report: Report) -> None:
    text = str(value)
    if _EPOCH.fullmatch(text):
        if comparison.key.lower() != "aws:epochtime":
            report.add("invalid-date-value", path, value, _W3C, shows=text)
    elif moment(text) is None:
        report.add("type-mismatch-date", path, value, _W3C, operator=comparison.operator, shows=shown(text))
    elif not _W3C_DATE.fullmatch(text):
        report.add("invalid-date-value", path, value, _W3C, shows=shown(text))


def _boolean(value: Any, path: Path, comparison: Comparison, report: Report) -> None:
    if not isinstance(value, bool) and truth(str(value)) is None:
        report.add("type-mismatch-boolean", path, value, operator=comparison.operator)


def _binary(value: Any, path: Path, comparison: Comparison, report: Report) -> None:
    if binary(str(value)) is None:
        report.add("type-mismatch-string", path, value, operator=comparison.operator)


def _address(value: Any, path: Path, comparison: Comparison, report: Report) -> None:
    text = str(value)
    found = network(text)
    if found is None:
        report.add("type-mismatch-ip-range", path, value, operator=comparison.operator)
    elif "/" in text and str(found.network_address) != str(network(text.partition("/")[0]).network_address):
        report.add("improve-ip-range", path, value, f"write {found}", bits=found.prefixlen)


def _arn(value: Any, path: Path, comparison: Comparison, report: Report) -> None:
    text = str(value)
    if not is_arn(text):
        advice = "write arn:partition:service:region:account:resource"
        report.add("arn-value", path, value, advice, operator=comparison.operator, shows=shown(text))


def _literal_wildcard(value: Any, path: Path, comparison: Comparison, report: Report) -> None:
    if isinstance(value, str) and ("*" in value or "?" in value):
        like = comparison.operator.replace("NotEquals", "NotLike").replace("Equals", "Like").replace("IgnoreCase", "")
        report.add("wildcard-without-like-operator", path, value, f"did you mean {like}?", operator=comparison.operator)


_VALUES: Final = (  # how the name of an operator begins → the check of its values
    ("Numeric", _number),
    ("Date", _date),
    ("Bool", _boolean),
    ("Null", _boolean),
    ("Binary", _binary),
    ("IpAddress", _address),
    ("NotIpAddress", _address),
    ("Arn", _arn),
    ("StringEquals", _literal_wildcard),
    ("StringNotEquals", _literal_wildcard),
)


# ---- kinds of policy with rules of their own; an SCP has none: since September 2025 it may use the whole language


def _trust(statement: Statement, report: Report) -> None:
    """Any action of STS may stand here, `sts:*` and misspelt ones too: a choice, for AWS says nothing of wildcards and
    checks of no action whether it exists when it stores a policy."""
    if statement.document.get("Principal") == "*":
        path = (*statement.path, "Principal")
        report.add("role-trust-policy-unsupported-wildcard-in-principal", path, "*", 'did you mean {"AWS": "*"}?')
    for element in ("Action", "NotAction"):
        for path, text in statement.texts(element):
            if not text.lower().startswith("sts:") and path not in report.wrong:
                guess = report.did_you_mean(text, _TRUST_ACTIONS) or "did you mean sts:AssumeRole?"
                report.add("unsupported-action-in-policy", path, text, guess)


def _rcp(statement: Statement, report: Report) -> None:
    for at, text in statement.texts("Action") if statement.effect == "Deny" else ():
        if text.partition(":")[0] == "*":
            report.add("rcp-syntax-error-action", at, text, "one statement per service: s3:*, sts:*, …")


_RULES_BY_KIND: Final = {"trust": _trust, "rcp": _rcp}
