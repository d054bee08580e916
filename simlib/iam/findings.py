"""Everything `validation` can find, in one table: how grave it is, whether AWS saves such a document, what to say.

A code is the issue code of IAM Access Analyzer's policy check reference in lower case with hyphens, so that
`missing-effect` can be looked up there as MISSING_EFFECT; the codes marked `ours` are not in that reference.
AWS page: https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from simlib.iam.errors import Problem

if TYPE_CHECKING:
    from simlib.iam.json_text import Located, Path

ERROR: Final = "error"
SECURITY: Final = "security warning"
WARNING: Final = "warning"
SUGGESTION: Final = "suggestion"


class Finding(NamedTuple):
    """`gravity` is Access Analyzer's word for it.

    `level`: "error" is no policy of that kind, for the engine either; "refused" can be read, and some service of AWS
    does not save it; "warning" is saved.
    """

    gravity: str
    level: str
    message: str
    ours: bool = False


def _wrong(message: str, ours: bool = False) -> Finding:
    """No policy of that kind; reported by the reader of policies (`statement.Reader`)."""
    return Finding(ERROR, "error", message, ours)


def _refused(message: str, ours: bool = False) -> Finding:
    """Can be read, and AWS does not save it."""
    return Finding(ERROR, "refused", message, ours)


def _broken(message: str, ours: bool = False) -> Finding:
    """AWS saves it, and Access Analyzer calls it an error: some part of the policy will never work."""
    return Finding(ERROR, "warning", message, ours)


def _risky(message: str, ours: bool = False) -> Finding:
    return Finding(SECURITY, "warning", message, ours)


def _doubtful(message: str, ours: bool = False) -> Finding:
    return Finding(WARNING, "warning", message, ours)


def _untidy(message: str, ours: bool = False) -> Finding:
    return Finding(SUGGESTION, "warning", message, ours)


_STAR = "; that includes {action}, on every role, and so any service could be given any of them."
_SLR = "; that includes {action}, which creates service-linked roles that nobody asked for."

FINDINGS: Final[dict[str, Finding]] = {
    # the document and its elements
    "data-type-mismatch": _wrong("{what} must be {wanted}, not {found}."),
    "unsupported-character": _refused("AWS takes no {value} in a policy: only U+0020 to U+00FF and line ends.", True),
    "document-too-long": _refused("The document has {size:,} characters; AWS reads at most {quota:,}.", True),
    "policy-size": _refused("{size:,} characters{how}; {what} may have {quota:,}.", True),
    "policy-size-exceeds-scp-quota": _refused("{size:,} characters{how}; {what} may have {quota:,}."),
    "policy-size-exceeds-rcp-quota": _refused("{size:,} characters{how}; {what} may have {quota:,}."),
    "policy-size-exceeds-identity-policy-quota": _doubtful("{size:,} characters{how}; {what} may have {quota:,}."),
    "policy-size-exceeds-resource-policy-quota": _doubtful("{size:,} characters{how}; {what} may have {quota:,}."),
    "invalid-policy-element": _wrong("{where} has no element {value}."),
    "unsupported-element-combination": _wrong("{one} and {other} cannot stand in one statement."),
    "missing-version": _doubtful("Without Version the policy is read as of 2008-10-17: variables are plain text."),
    "invalid-version": _wrong("Version is that of the language, not of this policy: 2012-10-17 or 2008-10-17."),
    "old-version": _refused("A managed policy must have the Version 2012-10-17.", True),
    "id-element": _doubtful("{kind} does not use Id; it belongs in resource-based policies.", True),
    "missing-statement": _wrong("The policy has no statement."),
    "empty-array-statement": _refused("The policy has no statement.", True),
    "missing-effect": _wrong("The statement has no Effect."),
    "invalid-effect": _wrong("Effect is {value}; it must be Allow or Deny."),
    "missing-action": _wrong("The statement has neither Action nor NotAction."),
    "missing-resource": _wrong("The statement has neither Resource nor NotResource."),
    "no-resource": _doubtful("No Resource: only a few services (ECR, …) take a resource policy without it.", True),
    "missing-principal": _wrong("{kind} says in each statement for whom it is: Principal is missing."),
    "unsupported-principal": _wrong("{kind} applies to whoever it is attached to and has no {value}."),
    "empty-array-action": _refused("The list of actions is empty."),
    "empty-array-resource": _refused("The list of resources is empty."),
    "empty-array-principal": _untidy("The list of principals is empty: the statement is for nobody."),
    "empty-object-principal": _untidy("The statement is for nobody."),
    "no-principals": _refused("A trust policy whose statement names no principal lets nobody in.", True),
    "unsupported-sid": _refused("A Sid has letters and digits only (A–Z, a–z, 0–9)."),
    "empty-sid-value": _untidy("The Sid is empty."),
    "unique-sids-required": _refused("The Sid {value} is used more than once; the first is statement {first}."),
    "unique-sids-recommended": _doubtful("The Sid {value} is used more than once; the first is statement {first}."),
    "redundant-statement": _untidy("The statement says the same as statement {first}."),
    # kinds of policy with rules of their own
    "role-trust-policy-syntax-error-resource": _wrong("A trust policy is about its own role: it has no {value}."),
    "role-trust-policy-syntax-error-notprincipal": _wrong("A trust policy cannot use NotPrincipal."),
    "role-trust-policy-unsupported-wildcard-in-principal": _refused('A trust policy cannot have "Principal": "*".'),
    "unsupported-action-in-policy": _refused("A trust policy is about assuming its role; {value} has no place in it."),
    "mismatched-action-for-principal": _broken("{action} does not fit {principals}: {rule}."),
    "allow-with-not-principal": Finding(SECURITY, "error", "Allow with NotPrincipal would let in everybody else."),
    "scp-syntax-error-principal": _wrong("A service control policy is for whole accounts and has no {value}."),
    "rcp-syntax-error-principal": _wrong('A resource control policy is for everybody: "Principal": "*", no other.'),
    "rcp-syntax-error-allow": _wrong('A resource control policy denies; only RCPFullAWSAccess allows ("*").'),
    "rcp-syntax-error-notaction": _wrong("A resource control policy has no NotAction."),
    "rcp-syntax-error-action": _refused("A resource control policy names its services: {value} is too wide."),
    "rcp-service": _broken("Resource control policies do not reach the service {value}.", True),
    # actions
    "action-format": _wrong("An action is service:Name, such as s3:GetObject.", True),
    "action-vendor": _wrong("{value} cannot be the service of an action.", True),
    "invalid-service-in-action": _broken("There is no service {value}."),
    "invalid-action": _broken("The service {service} has no action {value}."),
    "resource-mismatch": _doubtful("{action} cannot act on {resources}; it acts on {kinds}.", True),
    "redundant-action": _untidy("{value} is already covered by {by}."),
    # resources
    "invalid-arn-prefix": _wrong('A resource is "*" or an ARN: arn:partition:service:region:account:resource.'),
    "invalid-partition": _refused("There is no partition {value}."),
    "arn-service": _wrong("The service of an ARN must be written out.", True),
    "arn-fields": _refused("An ARN has six parts: arn:partition:service:region:account:resource.", True),
    "missing-arn-field": _broken("An ARN has six parts; AWS fills in * for the missing ones."),
    "arn-region-not-allowed": _refused("ARNs of {service} have no Region."),
    "iam-resource-path": _refused("An IAM resource begins with user/, role/, group/, policy/ or the like.", True),
    "arn-account-not-allowed": _broken("ARNs of this kind of {service} resource have no account ID."),
    "invalid-arn-account": _broken("{value} is not an account ID: it has twelve digits."),
    "invalid-arn-service-case": _broken("The service in an ARN is in lower case."),
    "invalid-service": _broken("There is no service {value}."),
    "missing-arn-region": _broken("ARNs of this kind of {service} resource have a Region."),
    "missing-arn-account": _broken("ARNs of this kind of {service} resource have an account ID."),
    "invalid-arn-resource": _broken("No kind of resource of {service} has such an ARN."),
    "redundant-resource": _untidy("{value} is already covered by {by}."),
    # principals
    "invalid-principal-format": _wrong('Principal is "*" or an object such as {{"AWS": "111122223333"}}.'),
    "invalid-principal-key": _wrong("Principals stand under AWS, Service, Federated or CanonicalUser, not {value}."),
    "invalid-principal": _wrong("{value} is not an account ID nor the ARN of a user, a role or a session.", True),
    "unsupported-wildcard-in-principal": _wrong('No wildcards in a principal; only "*" alone, for everybody.'),
    "canonical-user-not-supported": _refused("A trust policy cannot name a canonical user ID; that is for S3.", True),
    "session-wildcard": _broken("A principal names one session; with a wildcard it matches none.", True),
    "invalid-service-principal-format": _wrong("{value} is not a service principal such as ec2.amazonaws.com."),
    "invalid-federated-principal-syntax-in-role-trust-policy": _wrong(
        "{value} is neither a domain name nor the ARN of an identity provider."
    ),
    "federated-principal-not-supported": _broken("Only trust policies have identity providers as principals."),
    "invalid-user-reference": _doubtful("This is the ID of a user, which AWS puts in place of a deleted user's ARN."),
    "invalid-role-reference": _doubtful("This is the ID of a role, which AWS puts in place of a deleted role's ARN."),
    "open-principal": _risky("Everybody in the world is allowed this: the principal is *, without condition.", True),
    "restrict-access-to-service-principal": _risky(
        "The service may be acting for anybody (confused deputy): say for which account or resource."
    ),
    "missing-condition-key-for-oidc-principal": _risky(
        "Everybody who signs in at {value} may assume the role: no condition says which of its users are meant."
    ),
    # conditions
    "invalid-condition-operator": _wrong("There is no condition operator {value}."),
    "null-with-if-exists": _wrong("Null asks whether the key exists; IfExists cannot be added to it."),
    "null-with-qualifier": _untidy("Null with {qualifier} is always {always}."),
    "duplicate-keys-with-different-case": _refused("{value} and {first} are the same key: case does not count."),
    "invalid-condition-key-format": _broken("A condition key is service:name, such as aws:SourceIp."),
    "invalid-global-condition-key": _broken("There is no global condition key {value}."),
    "invalid-service-condition-key": _broken("The service {service} has no condition key {value}."),
    "missing-tag-key-in-condition": _broken("{value} needs the name of a tag after the slash."),
    "unsupported-global-condition-key": _broken("{value} is not supported."),
    "unsupported-action-for-condition-key": _broken("{actions} never has {key}: the condition decides without it."),
    "missing-qualifier": _broken("{value} can have several values: say which of them must match."),
    "forallvalues-with-single-valued-key": _risky("{value} has one value; with ForAllValues its absence matches."),
    "for-all-values-allow": _doubtful(
        "ForAllValues is also true for a request without {value}, which this allows.", True
    ),
    "type-mismatch": _doubtful("{operator} compares {compares}, but {value} is {kind}."),
    "type-mismatch-boolean": _doubtful("{operator} needs true or false."),
    "type-mismatch-number": _doubtful("{operator} needs a number; {value} never matches."),
    "type-mismatch-date": _refused("{operator} needs a date such as 2026-11-23T10:00:00Z; {value} is none."),
    "invalid-date-value": _doubtful("{value} might not be read as you expect."),
    "type-mismatch-ip-range": _broken("{operator} needs an address or a range such as 203.0.113.0/24."),
    "type-mismatch-string": _doubtful("{operator} needs base64 text."),
    "arn-value": _doubtful("{operator} compares ARNs, and {value} is none: it never matches.", True),
    "invalid-condition-multiple-boolean": _broken("{operator} takes one value: true and false together mean nothing."),
    "wildcard-without-like-operator": _doubtful("{operator} takes * and ? literally."),
    "private-ip-address": _broken("aws:SourceIp is a public address: a private one never matches."),
    "private-ip-address-subset": _untidy("aws:SourceIp is a public address: this private one never matches."),
    "private-not-ip-address-subset": _untidy("aws:SourceIp is a public address: excluding this one does nothing."),
    "private-not-ip-address": _broken("aws:SourceIp is a public address: excluding a private one does nothing."),
    "wildcard-usage-too-permissive": _broken("{key} is too sensitive for wildcards."),
    "improve-ip-range": _untidy("The bits after /{bits} do not count."),
    "empty-object-condition": _untidy("An empty condition is no condition."),
    "empty-array-condition": _untidy("{value} has no value to compare with."),
    "mfa-bool": _doubtful("A request with access keys has no {value}, so that this does not deny it.", True),
    "mfa-if-exists": _risky("A request with access keys has no {value}: this allows it without MFA.", True),
    # policy variables
    "variable-unsupported-in-version": _broken("Only Version 2012-10-17 has variables: here {value} is plain text."),
    "variable-unsupported-in-element": _broken("Variables work in Resource and in conditions, not in {element}."),
    "variable-position": _broken("Variables work after the fifth colon of an ARN; {value} stands before it.", True),
    "invalid-variable-for-operator": _broken("Variables work with String and ARN operators, not with {operator}."),
    "missing-brace-in-variable": _broken("The variable is not closed."),
    "empty-variable": _broken("The variable has no name."),
    "unsupported-space-in-variable": _broken("The name of a variable has no spaces."),
    "missing-quote-in-variable": _broken("The default of a variable stands in single quotes."),
    "unknown-variable": _doubtful("AWS knows no key {value}: the variable is never filled in.", True),
    "multivalued-variable": _doubtful("{value} can have several values and cannot be used as a variable.", True),
    # what should not be handed out lightly
    "pass-role-with-star-in-resource": _risky("{action} on every role: any service could be given any of them."),
    "pass-role-with-star-in-action-and-resource": _risky("{pattern} on every resource" + _STAR),
    "pass-role-with-star-in-resource-and-not-action": _risky("NotAction on every resource" + _STAR),
    "pass-role-with-not-resource": _risky("{action} with NotResource: nearly any role could be passed."),
    "pass-role-with-star-in-action-and-not-resource": _risky("{pattern} with NotResource" + _STAR),
    "pass-role-with-not-action-and-not-resource": _risky("NotAction with NotResource" + _STAR),
    "create-slr-with-star-in-resource": _doubtful("{action} on everything can create any service-linked role."),
    "create-slr-with-star-in-action-and-resource": _doubtful("{pattern} on every resource" + _SLR),
    "create-slr-with-star-in-resource-and-not-action": _doubtful("NotAction on every resource" + _SLR),
    "create-slr-with-not-resource": _doubtful("{action} with NotResource can create nearly any service-linked role."),
    "create-slr-with-star-in-action-and-not-resource": _doubtful("{pattern} with NotResource" + _SLR),
    "create-slr-with-not-action-and-not-resource": _doubtful("NotAction with NotResource" + _SLR),
}


def gravity(code: str) -> str:
    """ "error", "security warning", "warning" or "suggestion": how Access Analyzer grades a finding with this code."""
    return FINDINGS[code].gravity if code in FINDINGS else ERROR  # the codes of json_text are errors, all of them


def issue_code(code: str) -> str | None:
    """Access Analyzer's issue code (`MISSING_EFFECT`), or None where it has no such check."""
    if code in FINDINGS:
        return None if FINDINGS[code].ours else code.upper().replace("-", "_")
    return "JSON_SYNTAX_ERROR"


def shown(value: Any) -> str:
    """A value as a message shows it: short, on one line, whatever it is."""
    if isinstance(value, bool) or value is None:
        text = {True: "true", False: "false", None: "null"}[value]
    elif isinstance(value, (int, float)):
        text = "a long number" if isinstance(value, int) and value.bit_length() > 200 else str(value)
    else:
        text = value if isinstance(value, str) else "a list" if isinstance(value, (list, tuple)) else "an object"
    text = text or "an empty text"
    text = text if text.isprintable() else text[:60].encode("ascii", "backslashreplace").decode()
    return text if len(text) <= 60 else f"{text[:59]}…"


class Report:
    """Collects findings about one document; `located` gives them their places in its text."""

    def __init__(self, kind: str, located: Located | None = None) -> None:
        self.kind = kind
        self.located = located
        self.problems: list[Problem] = []
        self.wrong: set[Path] = set()  # places with a problem; advice leaves them alone
        self.guesses = 50  # comparing words is slow, and a document with more misspellings is not one
        self.comparisons = (
            2000  # of a wildcard with all actions of a service, or a resource with all its ARNs: slow, too
        )

    def add(
        self,
        code: str,
        path: Path,
        value: Any = None,
        suggestion: str | None = None,
        *,
        name: bool = False,
        **words: Any,
    ) -> None:
        """Note a finding about the value at `path`, or (`name`) about its name. `words` fill in the message."""
        from simlib.iam.json_text import name_of  # late: a document without findings does without it

        finding = FINDINGS[code]
        self.wrong.add(path)
        message = finding.message.format(value=words.pop("shows", None) or shown(value), **words)
        place = self.located.place(path, of_name=name) if self.located else None
        line, column = place or (None, None)
        if suggestion is not None and len(suggestion) > 300:
            suggestion = f"{suggestion[:299]}…"
        self.problems.append(
            Problem(name_of(path), message, _bounded(value), suggestion, line, column, finding.level, code)
        )

    def close(self, word: Any, known: Iterable[str]) -> list[str]:
        """The known words that are much like this one, the most alike first."""
        from difflib import get_close_matches  # late: it is for documents with a misspelling

        if not isinstance(word, str) or len(word) > 80 or not self.guesses:
            return []
        self.guesses -= 1
        names = {name.lower(): name for name in known}
        alike = 0.7 if len(word) > 4 else 0.6 if len(word) > 2 else 0.5  # one letter of a short word counts more
        return [names[low] for low in get_close_matches(word.lower(), names, 8, alike)]

    def did_you_mean(self, word: Any, known: Iterable[str]) -> str | None:
        """`did you mean X?`, for the known word that is most like this one; None if none is much like it."""
        close = self.close(word, known)
        return f"did you mean {close[0]}?" if close else None


def _bounded(value: Any) -> Any:
    """The value itself, or its description where it is too deep or too big to be shown, compared or copied."""
    level, count = [value], 0
    for _ in range(8):
        if any(isinstance(node, int) and node.bit_length() > 1024 for node in level):
            break
        containers = [node for node in level if isinstance(node, (dict, list, tuple))]
        level = [child for node in containers for child in (node.values() if isinstance(node, dict) else node)]
        count += len(level)
        if not level:
            return value
        if count > 10_000:
            break
    return shown(value)
