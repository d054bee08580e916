"""Is a policy public? And what Block Public Access does about it.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from simlib.iam.conditions import network
from simlib.iam.policy import Policy
from simlib.iam.principals import Caller, Kind

# Keys that, held to fixed values, make a statement for everybody a statement for some ("The meaning of public").
_FIXING = {
    "aws:principalorgid", "aws:principalarn", "aws:principalaccount", "aws:principalorgpaths", "aws:sourcearn",
    "aws:sourceaccount", "aws:sourceowner", "aws:sourceorgid", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceip",
    "aws:userid", "aws:resourceorgid", "s3:dataaccesspointarn", "s3:dataaccesspointaccount",
    "s3:x-amz-server-side-encryption-aws-kms-key-id", "kms:calleraccount", "kms:viaservice",
}  # fmt: skip
_POSITIVE = {
    "stringequals", "stringlike", "stringequalsignorecase", "arnequals", "arnlike", "ipaddress",
}  # fmt: skip


def is_public(document: Mapping[str, Any]) -> bool:
    """Whether a resource policy lets the public in: an allow for everybody that no fixed condition narrows."""
    statements = document.get("Statement", [])
    return any(_is_public(statement) for statement in _listed(statements))


def restricted(policy: Policy, caller: Caller, owner: str | None) -> Policy:
    """A bucket's policy under ``RestrictPublicBuckets``: a public one lets in nobody but the owner's account and AWS's
    services; what it denies, it denies."""
    insider = caller.kind == Kind.SERVICE or (caller.account is not None and caller.account == owner)
    if insider or not is_public(policy.document):
        return policy
    denials = [statement for statement in policy.statements if statement.effect == "Deny"]
    return Policy(policy.document, policy.kind, policy.name, denials)


def _is_public(statement: Mapping[str, Any]) -> bool:
    if statement.get("Effect") != "Allow":
        return False
    if "NotPrincipal" not in statement and not _names_everybody(statement.get("Principal")):
        return False
    return not any(_fixes(operator, keys) for operator, keys in statement.get("Condition", {}).items())


def _names_everybody(principal: Any) -> bool:
    named = [name for names in principal.values() for name in _listed(names)] if isinstance(principal, dict) else [
        principal
    ]  # fmt: skip
    return "*" in named


def _fixes(operator: str, keys: Mapping[str, Any]) -> bool:
    """Whether a condition holds one of the keys to values without wildcard or variable."""
    if operator.lower().removeprefix("foranyvalue:") not in _POSITIVE:  # …IfExists and ForAllValues let others pass
        return False
    return any(
        key.lower() in _FIXING and all(_is_fixed(key.lower(), str(value)) for value in _listed(values))
        for key, values in keys.items()
    )


def _is_fixed(key: str, value: str) -> bool:
    if key == "aws:sourceip":
        return _is_narrow(value)
    if key == "aws:userid":  # AWS: a role's ID with any session name counts as fixed
        value = value.removesuffix(":*")
    if key in ("aws:principalarn", "aws:sourcearn", "s3:dataaccesspointarn"):  # the account is what fixes them
        value = ":".join(value.split(":")[4:5])
        return bool(value) and not set("*?$") & set(value)
    if key == "aws:principalorgpaths":  # its organization does (a choice)
        value = value.partition("/")[0]
    return not set("*?$") & set(value)


def _is_narrow(address: str) -> bool:
    """AWS calls a range public from /0 to /7 (IPv4); for IPv6 the same share is taken (a choice): to /31."""
    limit = network(address)
    return limit is not None and bool(limit.prefixlen >= (8 if limit.version == 4 else 32))


def _listed(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else [value]
