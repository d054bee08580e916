"""What AWS's services refuse to save though it can be read as a policy.

Nothing here needs to know which services there are. AWS pages: UG/reference_policies_elements_sid, …_resource,
…_principal, …_condition_operators; Organizations/orgs_manage_policies_rcps_syntax.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from simlib.iam.conditions import moment, operator
from simlib.iam.findings import Report, shown
from simlib.iam.principals import PARTITIONS
from simlib.iam.statement import KINDS, OBJECT, Statement

if TYPE_CHECKING:
    from simlib.iam.json_text import Path

VARIABLE: Final = re.compile(r"\$\{[^}]*\}")
_ALPHANUMERIC: Final = re.compile(r"[A-Za-z0-9]*")
_IAM_PATHS: Final = (  # what IAM's own message lists, and what has been added since
    *("user/", "federated-user/", "role/", "group/", "instance-profile/", "mfa/", "server-certificate/", "policy/"),
    *("sms-mfa/", "saml-provider/", "oidc-provider/", "report/", "access-report/"),
    *("role-template/", "contextProvider/", "delegation-request/", "root"),
)
_S3_WITH_REGION: Final = ("accesspoint", "job/", "storage-lens", "access-grants", "async-request/", "*", "?")
_TRUST_ACTIONS: Final = (
    *("sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"),
    *("sts:TagSession", "sts:SetSourceIdentity", "sts:SetContext"),
)


def document(written: Any, statements: list[Statement], report: Report) -> None:
    """Report what is wrong with a document as a whole."""
    if not isinstance(written, OBJECT):
        return
    if written.get("Statement") == []:
        report.add("empty-array-statement", ("Statement",), [], 'add {"Effect": …, "Action": …}')
    first: dict[str, int] = {}
    for index, statement in enumerate(statements if report.kind not in ("resource", "endpoint", "key") else ()):
        sid = statement.sid
        if isinstance(sid, str) and sid and first.setdefault(sid, index) != index:
            at = (*statement.path, "Sid")
            report.add("unique-sids-required", at, sid, "give it another name", first=first[sid])


def examine(statement: Statement, report: Report) -> None:
    """Report what is wrong with the texts of one statement."""
    sid, path = statement.sid, statement.path
    if isinstance(sid, str) and not KINDS[report.kind].principal and not _ALPHANUMERIC.fullmatch(sid):
        report.add("unsupported-sid", (*path, "Sid"), sid, re.sub(r"[^A-Za-z0-9]", "", sid)[:60] or None)
    for element in ("Action", "NotAction", "Resource", "NotResource"):
        if statement.document.get(element) == []:
            code = f"empty-array-{element.removeprefix('Not').lower()}"
            report.add(code, (*path, element), [], "fill it, or remove the statement")
    for element in ("Resource", "NotResource"):
        for at, text in statement.texts(element):
            if at not in report.wrong:
                _resource(text, at, report)
    first: dict[tuple[str, str], str] = {}
    for comparison in statement.comparisons:
        name, key = comparison.operator, comparison.key
        if (other := first.setdefault((name, key.lower()), key)) != key:  # in a decision both count
            code = "duplicate-keys-with-different-case"
            report.add(code, comparison.path, key, "merge the two", name=True, first=shown(other))
        known = operator(name)
        for at, value in comparison.values if known is not None and known.base.startswith("Date") else ():
            if "${" not in str(value) and moment(str(value)) is None:
                words: dict[str, Any] = {"operator": comparison.operator, "shows": shown(str(value))}
                report.add("type-mismatch-date", at, value, "write it as YYYY-MM-DDThh:mm:ssZ", **words)
    if rules := _RULES_BY_KIND.get(report.kind):
        rules(statement, report)


# ---- resources


def _resource(text: str, path: Path, report: Report) -> None:
    """The order of the questions is that of IAM's answers."""
    if text == "*" or text.startswith("execute-api:/"):
        return
    parts = (VARIABLE.sub("*", text) if "$" in text else text).split(":", 5)
    _, partition, service, region, _, resource = (parts + ["*"] * 5)[:6]
    if partition not in (*PARTITIONS, "*"):
        report.add("invalid-partition", path, text, report.did_you_mean(partition, PARTITIONS), shows=shown(partition))
    elif not service or (len(parts) < 6 and "::" in text):
        full = ":".join([*parts[:-1], *[""] * (6 - len(parts)), parts[-1]])
        report.add("arn-fields", path, text, f"did you mean {full}?")
    elif len(parts) < 6:
        return
    elif region and (service == "iam" or (service == "s3" and not resource.startswith(_S3_WITH_REGION))):
        without = ":".join([*parts[:3], "", *parts[4:]])
        report.add("arn-region-not-allowed", path, text, f"did you mean {without}?", service=service)
    elif service == "iam" and resource != "*" and not resource.startswith(_IAM_PATHS):
        report.add("iam-resource-path", path, text, report.did_you_mean(f"{resource.split('/')[0]}/", _IAM_PATHS))


# ---- kinds of policy with rules of their own; an SCP has none: since September 2025 it may use the whole language


def _trust(statement: Statement, report: Report) -> None:
    """Any action of STS may stand here, `sts:*` and misspelt ones too: a choice, for AWS says nothing of wildcards and
    checks of no action whether it exists when it stores a policy."""
    principal, path = statement.document.get("Principal"), (*statement.path, "Principal")
    if isinstance(principal, OBJECT) and not any(principal.values()):
        report.add("no-principals", path, principal, "name a principal")
    for at, key, text in statement.principal_texts:
        if key == "CanonicalUser" and at not in report.wrong:
            report.add("canonical-user-not-supported", at, text, "name a user or a role")
    if principal == "*":
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
