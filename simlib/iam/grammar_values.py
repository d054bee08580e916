"""What is written in the elements of a statement: the form of actions, resources, principals and conditions.

Here is what AWS refuses when a policy is saved, and what it saves although it can never work; nothing here needs to
know which services there are. AWS pages: UG/reference_policies_elements_action, …_resource, …_principal,
…_condition_operators; Organizations/orgs_manage_policies_scps_syntax and …_rcps_syntax.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from simlib.iam.conditions import OPERATORS, binary, is_arn, moment, network, number, operator, truth
from simlib.iam.findings import Report, shown
from simlib.iam.grammar import Comparison, Statement
from simlib.iam.principals import BUILT_IN_PROVIDERS, is_account_id, is_canonical_id

if TYPE_CHECKING:
    from simlib.iam.json_scan import Path

PARTITIONS: Final = ("aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f")
VARIABLE: Final = re.compile(r"\$\{[^}]*\}")
_VENDOR: Final = re.compile(r"[A-Za-z0-9.\-]+")
_RUN_TOGETHER: Final = re.compile(r"([a-z0-9\-]{1,40})[./ ]?([A-Z][A-Za-z*]{1,60})?")
_IAM_PATHS: Final = (  # what IAM's own message lists, and what has been added since
    *("user/", "federated-user/", "role/", "group/", "instance-profile/", "mfa/", "server-certificate/", "policy/"),
    *("sms-mfa/", "saml-provider/", "oidc-provider/", "report/", "access-report/"),
    *("role-template/", "contextProvider/", "delegation-request/", "root"),
)
_S3_WITH_REGION: Final = ("accesspoint", "job/", "storage-lens", "access-grants", "*", "?")
_IAM_PRINCIPAL: Final = re.compile(r"root|(?:user|role)/(?:[\x21-\x7e]+/)?[\w+=,.@\-]{1,128}", re.ASCII)
_STS_PRINCIPAL: Final = re.compile(r"assumed-role/[\w+=,.@\-*?]+/[\w+=,.@\-*?]+|federated-user/[\w+=,.@\-]+", re.ASCII)
_CLOUDFRONT: Final = re.compile(r"arn:aws[\w-]*:iam::cloudfront:user/CloudFront Origin Access Identity \w+")
_UNIQUE_ID: Final = re.compile(r"A[A-Z0-9]{15,127}")
_SERVICE: Final = re.compile(r"(?:[a-z0-9\-]+\.)+(?:amazonaws\.com(?:\.cn)?|amazon\.com|aws\.internal|aws)")
_DOMAIN: Final = re.compile(r"(?:[A-Za-z0-9\-]+\.)+[A-Za-z]{2,}")
_PROVIDER: Final = re.compile(r"arn:aws[\w\-]*:iam::\d{12}:(?:saml-provider|oidc-provider)/.+")
_TRUST_ACTIONS: Final = (
    *("sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"),
    *("sts:TagSession", "sts:SetSourceIdentity", "sts:SetContext"),
)
_W3C: Final = "write it as YYYY-MM-DDThh:mm:ssZ"
_W3C_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?", re.ASCII)
_EPOCH: Final = re.compile(r"\d{1,19}", re.ASCII)


def examine(statement: Statement, report: Report) -> None:
    """Report what is wrong with the texts of one statement."""
    for element in ("Action", "NotAction"):
        for path, text in statement.texts.get(element, []):
            _action(text, path, report)
    for element in ("Resource", "NotResource"):
        for path, text in statement.texts.get(element, []):
            _resource(text, path, report)
    for path, key, text in statement.principals:
        if key != "*":
            _PRINCIPALS[key](text, path, report)
    for comparison in statement.conditions:
        _comparison(comparison, report)
    for path, name in statement.idle_operators:
        if operator(name) is None:  # IAM may let it pass with nothing to compare; refusing it is a choice
            _unknown_operator(Comparison((*path, ""), name, "", []), report)
    if rules := _RULES_BY_KIND.get(report.kind):
        rules(statement, report)
    if statement.effect == "Allow" and "NotPrincipal" in statement.elements and report.kind in ("resource", "endpoint"):
        path = (*statement.path, "NotPrincipal")
        report.add("allow-with-not-principal", path, statement.elements["NotPrincipal"], "use Principal", name=True)


# ---- actions and resources


def _action(text: str, path: Path, report: Report) -> None:
    service, colon, name = text.partition(":")
    if text == "*":
        return
    if not colon or not name or ":" in name:
        parts = _RUN_TOGETHER.fullmatch(text)
        report.add("action-format", path, text, f"did you mean {parts[1]}:{parts[2] or '*'}?" if parts else None)
    elif service != "*" and not _VENDOR.fullmatch(service):
        advice = "write the service out; wildcards go after the colon"
        report.add("action-vendor", path, text, advice, shows=shown(service))


def _resource(text: str, path: Path, report: Report) -> None:
    """The order of the questions is that of IAM's answers."""
    if text == "*":
        return
    parts = (VARIABLE.sub("*", text) if "$" in text else text).split(":", 5)
    prefix, partition, service, region, _, resource = (parts + ["*"] * 5)[:6]
    if prefix != "arn" or len(parts) == 1:
        report.add("invalid-arn-prefix", path, text, _as_arn(text))
    elif partition not in (*PARTITIONS, "*"):
        report.add("invalid-partition", path, text, report.did_you_mean(partition, PARTITIONS), shows=shown(partition))
    elif len(parts) == 2 or "*" in service or "?" in service:
        report.add("arn-service", path, text)
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


def _as_arn(text: str) -> str | None:
    if text.startswith("s3://"):
        return f"did you mean arn:aws:s3:::{text[5:]}?"
    return f"did you mean arn:{text}?" if text.startswith("aws:") else None


# ---- principals

_INSTEAD_OF_WILDCARD: Final = "name the account, with a condition on aws:PrincipalArn"
_WELL_KNOWN_SERVICES: Final = tuple(
    f"{name}.amazonaws.com" for name in ("ec2", "lambda", "ecs-tasks", "s3", "sns", "sqs", "events", "logs", "eks")
)


def _aws_principal(text: str, path: Path, report: Report) -> None:
    if text == "*" or is_account_id(text) or _CLOUDFRONT.fullmatch(text):
        return
    parts = text.split(":", 5)
    if _UNIQUE_ID.fullmatch(text):
        code = "invalid-role-reference" if text.startswith("AROA") else "invalid-user-reference"
        report.add(code, path, text, "name it by its ARN")
    elif len(parts) == 6 and parts[0] == "arn" and parts[1] in PARTITIONS and not parts[3] and is_account_id(parts[4]):
        service, resource = parts[2], parts[5]
        if service == "sts" and _STS_PRINCIPAL.fullmatch(resource):
            if "*" in resource or "?" in resource:
                report.add("session-wildcard", path, text, "name the role instead")
        elif "*" in text or "?" in text:
            report.add("unsupported-wildcard-in-principal", path, text, _INSTEAD_OF_WILDCARD)
        elif service != "iam" or not _IAM_PRINCIPAL.fullmatch(resource):
            advice = "a group is not a principal: name its users, or roles" if resource.startswith("group/") else None
            report.add("invalid-principal", path, text, advice)
    elif "*" in text or "?" in text:
        report.add("unsupported-wildcard-in-principal", path, text, _INSTEAD_OF_WILDCARD)
    else:
        advice = 'it belongs under "Service"' if _SERVICE.fullmatch(text) else None
        report.add("invalid-principal", path, text, advice)


def _service_principal(text: str, path: Path, report: Report) -> None:
    if not _SERVICE.fullmatch(text):
        close = f"did you mean {text.lower()}.amazonaws.com?" if re.fullmatch(r"[\w\-]+", text) else None
        if close is None and _SERVICE.fullmatch(text.lower()):
            close = f"did you mean {text.lower()}?"
        close = close or report.did_you_mean(text, _WELL_KNOWN_SERVICES)
        report.add("invalid-service-principal-format", path, text, close)


def _federated_principal(text: str, path: Path, report: Report) -> None:
    well_formed = text in BUILT_IN_PROVIDERS or _PROVIDER.fullmatch(text) or _DOMAIN.fullmatch(text)
    if report.kind != "trust":
        code = "federated-principal-not-supported" if well_formed else "invalid-principal"
        report.add(code, path, text, "name the role the provider's users assume")
    elif not well_formed:
        report.add("invalid-federated-principal-syntax-in-role-trust-policy", path, text)


def _canonical_principal(text: str, path: Path, report: Report) -> None:
    if report.kind == "trust" or not is_canonical_id(text):
        report.add("invalid-principal", path, text, "a canonical user ID has 64 hexadecimal digits, and is for S3 only")


_PRINCIPALS: Final = {
    "AWS": _aws_principal,
    "Service": _service_principal,
    "Federated": _federated_principal,
    "CanonicalUser": _canonical_principal,
}


# ---- conditions


def _comparison(comparison: Comparison, report: Report) -> None:
    known = operator(comparison.operator)
    if known is None:
        _unknown_operator(comparison, report)
        return
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


def _unknown_operator(comparison: Comparison, report: Report) -> None:
    name, path = comparison.operator, comparison.path[:-1]
    if name.rpartition(":")[2] == "NullIfExists":
        report.add("null-with-if-exists", path, name, "did you mean Null?", name=True)
        return
    qualifier, _, rest = name.rpartition(":")
    suffix = "IfExists" if rest.lower().endswith("ifexists") else ""
    guess = report.did_you_mean(rest[: len(rest) - len(suffix)], OPERATORS)
    if guess:
        base = guess.removeprefix("did you mean ").removesuffix("?")
        before = {"forallvalues": "ForAllValues:", "foranyvalue": "ForAnyValue:"}.get(qualifier.lower(), "")
        guess = f"did you mean {before}{base}{suffix}?"
    report.add("invalid-condition-operator", path, name, guess, name=True)


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
    for element in ("Resource", "NotResource"):
        if element in statement.elements:
            code, path = "role-trust-policy-syntax-error-resource", (*statement.path, element)
            report.add(code, path, statement.elements[element], "remove it", name=True, shows=element)
    if "NotPrincipal" in statement.elements:
        path = (*statement.path, "NotPrincipal")
        code = "role-trust-policy-syntax-error-notprincipal"
        report.add(code, path, statement.elements["NotPrincipal"], "use Principal", name=True)
    if statement.elements.get("Principal") == "*":
        path = (*statement.path, "Principal")
        report.add("role-trust-policy-unsupported-wildcard-in-principal", path, "*", 'did you mean {"AWS": "*"}?')
    for element in ("Action", "NotAction"):
        for path, text in statement.texts.get(element, []):
            if not text.lower().startswith("sts:"):
                guess = report.did_you_mean(text, _TRUST_ACTIONS) or "did you mean sts:AssumeRole?"
                report.add("unsupported-action-in-policy", path, text, guess)


def _rcp(statement: Statement, report: Report) -> None:
    elements, path = statement.elements, statement.path
    if "NotPrincipal" in elements or ("Principal" in elements and elements["Principal"] != "*"):
        element = "NotPrincipal" if "NotPrincipal" in elements else "Principal"
        advice = 'use "Principal": "*" and a condition'
        report.add("rcp-syntax-error-principal", (*path, element), elements[element], advice, name=True)
    if "NotAction" in elements:
        report.add("rcp-syntax-error-notaction", (*path, "NotAction"), elements["NotAction"], "use Action", name=True)
    everything = elements.get("Action") == "*" == elements.get("Resource") and "Condition" not in elements
    if statement.effect == "Allow":
        if not everything:
            report.add("rcp-syntax-error-allow", (*path, "Effect"), "Allow", "use Deny")
        return
    for at, text in statement.actions:
        if text.partition(":")[0] == "*":
            report.add("rcp-syntax-error-action", at, text, "one statement per service: s3:*, sts:*, …")


_RULES_BY_KIND: Final = {"trust": _trust, "rcp": _rcp}
