"""How AWS says no: the texts of its refusals, by kind of policy.

IAM has two parsers and so two ways to speak: one for identity-based policies, one for trust policies, whose texts S3
and other services with resource-based policies share. The texts are as AWS gives them, odd capitals included; where one
is not known, the parser's general answer stands for it. Organizations has one text for everything.
"""

from __future__ import annotations

import re
from typing import Final

from simlib.iam.errors import Problem

_PREFACED: Final = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
_NO_ARN: Final = 'Resource {} must be in ARN format or "*".'
_PARTITION: Final = 'Partition "{}" is not valid for resource "{}".'
_LEGACY: Final = "The policy failed legacy parsing"
_TWO_COLONS: Final = "Actions/Condition can contain only one colon."
_HAS_RESOURCE: Final = "Has prohibited field Resource"
_HAS_NOT_RESOURCE: Final = "AssumeRole policy must not contain resources."
_IAM_REGION: Final = "IAM resource {} cannot contain region information."
_S3_REGION: Final = "Resource {} can not contain region information."
_PATHS: Final = (
    "user/, federated-user/, role/, group/, instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, "
    "saml-provider/, oidc-provider/, report/, access-report/"
)

# in the order in which IAM looks: the first text that fits is the one it gives
IDENTITY: Final = {
    "unsupported-character": (
        "The specified value for policyDocument is invalid. It must contain only printable ASCII characters."
    ),
    "document-too-long": (
        "1 validation error detected: Value at 'policyDocument' failed to satisfy constraint: "
        "Member must have length less than or equal to 131072"
    ),
    "json": "Syntax errors in policy.",
    "": "Syntax errors in policy.",
    "unsupported-principal": "Policy document should not specify a principal.",
    "old-version": "Policy document must be version 2012-10-17 or greater.",
    "effect-in-wrong-case": _LEGACY,
    "type-mismatch-date": _LEGACY,
    "arn-fields": _LEGACY,
    "unsupported-sid": (
        "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
    ),
    "unique-sids-required": "Statement IDs (SID) in a single policy must be unique.",
    "missing-action": "Policy statement must contain actions.",
    "empty-array-action": "Policy statement must contain actions.",
    "invalid-arn-prefix": "{prefix}",
    "invalid-partition": "{prefix}",
    "arn-service": "Resource vendor must be fully qualified and cannot contain regexes.",
    "arn-region-not-allowed": "{region}",
    "iam-resource-path": f'IAM resource path must either be "*" or start with {_PATHS}.',
    "action-format": "{action}",
    "action-vendor": "Vendor {vendor} is not valid",
    "missing-resource": "Policy statement must contain resources.",
    "empty-array-resource": "Policy statement must contain resources.",
    "policy-size": "{size}",
}

TRUST: Final = {
    "unsupported-character": IDENTITY["unsupported-character"],
    "document-too-long": IDENTITY["document-too-long"],
    "json": "This policy contains invalid Json",
    "data-type-mismatch": "Syntax error in policy.",
    "": "Syntax error in policy.",
    "invalid-policy-element": "Unknown field {value}",
    "invalid-version": "The policy must contain a valid version string",
    "missing-statement": "Could not parse the policy: Statement is empty!",
    "empty-array-statement": "Could not parse the policy: Statement is empty!",
    "missing-effect": "Missing required field Effect",
    "invalid-effect": "Invalid effect: {value}",
    "allow-with-not-principal": "Allow with NotPrincipal is not allowed.",
    "role-trust-policy-syntax-error-notprincipal": "AssumeRole policy must not contain NotPrincipal field.",
    "missing-principal": "Missing required field Principal",
    "no-principals": "Missing required field Principal cannot be empty!",
    "invalid-principal-format": "Principal must be a JSON object.",
    "role-trust-policy-unsupported-wildcard-in-principal": "Principal must be a JSON object.",
    "invalid-principal-key": 'Invalid principal in policy: "{value}"',
    "missing-action": "Missing required field Action",
    "empty-array-action": "Missing required field Action cannot be empty!",
    "unsupported-action-in-policy": "AssumeRole policy may only specify STS AssumeRole actions.",
    "action-format": "AssumeRole policy may only specify STS AssumeRole actions.",
    "action-vendor": "AssumeRole policy may only specify STS AssumeRole actions.",
    "role-trust-policy-syntax-error-resource": "{resource}",
    "unique-sids-required": "The Statement Ids in the policy are not unique",
    "invalid-principal": 'Invalid principal in policy: "{key}":"{value}"',
    "canonical-user-not-supported": 'Invalid principal in policy: "{key}":"{value}"',
    "unsupported-wildcard-in-principal": 'Invalid principal in policy: "{key}":"{value}"',
    "invalid-service-principal-format": 'Invalid principal in policy: "{key}":"{value}"',
    "invalid-federated-principal-syntax-in-role-trust-policy": (
        "Federated principals must be valid domain names or SAML metadata ARNs"
    ),
    "policy-size": "Cannot exceed quota for ACLSizePerRole: 2048",
}

RESOURCE: Final = {
    **TRUST,
    "json": "Policies must be valid JSON and the first byte must be '{{'",
    "": "Invalid policy syntax.",
    "data-type-mismatch": "Invalid policy syntax.",
    "invalid-condition-operator": "Invalid Condition type : {value}",
    "action-format": "Policy has invalid action",
    "action-vendor": "Policy has invalid action",
    "missing-resource": "Missing required field Resource",
    "invalid-arn-prefix": "Policy has invalid resource",
    "invalid-partition": "Policy has invalid resource",
    "arn-service": "Policy has invalid resource",
    "arn-fields": "Policy has invalid resource",
    "arn-region-not-allowed": "Policy has invalid resource",
    "iam-resource-path": "Policy has invalid resource",
    **dict.fromkeys(
        ("invalid-principal", "unsupported-wildcard-in-principal", "invalid-service-principal-format"),
        "Invalid principal in policy",
    ),
    "resource-mismatch": "Action does not apply to any resource(s) in statement",
    "invalid-action": "Policy has invalid action",
    "invalid-service-in-action": "Policy has invalid action",
}

ORGANIZATIONS: Final = {"": "The provided policy document does not meet the requirements of the specified policy type."}

_TEXTS: Final = {
    "identity": IDENTITY,
    "boundary": IDENTITY,
    "session": IDENTITY,
    "trust": TRUST,
    "resource": RESOURCE,
    "key": RESOURCE,
    "endpoint": RESOURCE,
    "scp": ORGANIZATIONS,
    "rcp": ORGANIZATIONS,
}


S3_REFUSES: Final = frozenset(("resource-mismatch", "invalid-action", "invalid-service-in-action"))
"""What S3 does not save, though other services would."""


def _code(problem: Problem, texts: dict[str, str]) -> str:
    code = problem.code
    if code.startswith("json-") or code == "duplicate-key":
        code = "json"
    elif code == "invalid-effect" and str(problem.value).lower() in ("allow", "deny") and texts is IDENTITY:
        code = "effect-in-wrong-case"
    return code if code in texts else ""


def rank(problem: Problem, kind: str) -> int:
    """The place of a problem in the order in which AWS looks for them."""
    texts = _TEXTS[kind]
    return list(texts).index(_code(problem, texts))


def text_for(problem: Problem, kind: str) -> str:
    """The text of AWS's refusal; see `validation.aws_message`."""
    texts = _TEXTS[kind]
    value = problem.value if isinstance(problem.value, str) else ""
    parts = (value.split(":", 5) + ["*"] * 6)[:6]
    element = problem.path.split(".")[-1].split("[")[0]
    words = {
        "value": value,
        "prefix": _PARTITION.format(parts[1], ":".join(["arn", *parts[1:]])) if ":" in value else _NO_ARN.format(value),
        "vendor": value.partition(":")[0],
        "key": element if element == "AWS" else element.upper(),
        "resource": _HAS_RESOURCE if element == "Resource" else _HAS_NOT_RESOURCE,
        "region": (_IAM_REGION if parts[2] == "iam" else _S3_REGION).format(value),
        "action": _TWO_COLONS if value.count(":") > 1 else _PREFACED,
        "size": _size(problem.message),
    }
    return texts[_code(problem, texts)].format(**words)


def _size(message: str) -> str:
    """IAM's text for a policy that is too long; for an inline one, the name of its user, group or role must follow."""
    quota = "".join(re.findall(r"\d", message.rpartition(" may have ")[2]))
    for place in ("user", "group", "role"):
        if message.rpartition(" may have")[0].endswith(f"of a {place}"):
            return f"Maximum policy size of {quota} bytes exceeded for {place}"
    return f"Cannot exceed quota for PolicySize: {quota}"
