"""Is a policy public? And what Block Public Access does about it.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
"""

from __future__ import annotations

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


def is_public(policy: Policy) -> bool:
    """Whether a resource policy lets the public in: an allow for everybody that no fixed condition narrows."""
    return any(
        statement.effect == "Allow"
        and (statement.not_principal or (statement.principals is not None and statement.principals.everyone))
        and not statement.demands(_FIXING, _is_fixed)
        for statement in policy.statements
    )


def restricted(policy: Policy, caller: Caller, owner: str | None) -> Policy:
    """A bucket's policy under ``RestrictPublicBuckets``: a public one lets in nobody but the owner's account and AWS's
    services; what it denies, it denies."""
    insider = caller.kind == Kind.SERVICE or (caller.account is not None and caller.account == owner)
    if insider or not is_public(policy):
        return policy
    denials = [statement for statement in policy.statements if statement.effect == "Deny"]
    return Policy(policy.document, policy.kind, policy.name, denials)


def _is_fixed(key: str, value: str) -> bool:
    """Whether a value of one of the keys is without wildcard or variable."""
    if key == "aws:sourceip":  # AWS calls a range public from /0 to /7; of IPv6 the same share, to /31 (a choice)
        limit = network(value)
        return limit is not None and bool(limit.prefixlen >= (8 if limit.version == 4 else 32))
    if key == "aws:userid":  # AWS: a role's ID with any session name counts as fixed
        value = value.removesuffix(":*")
    if key in ("aws:principalarn", "aws:sourcearn", "s3:dataaccesspointarn"):  # the account is what fixes them
        value = ":".join(value.split(":")[4:5])
        return bool(value) and not set("*?$") & set(value)
    if key == "aws:principalorgpaths":  # its organization does (a choice)
        value = value.partition("/")[0]
    return not set("*?$") & set(value)
