"""The request that is decided: who asks, to do what, to which resource, under which circumstances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from simlib.iam.conditions import scalar_text
from simlib.iam.errors import RequestError
from simlib.iam.matching import Values
from simlib.iam.principals import NONE, Kind, identify, is_account_id
from simlib.iam.vocabulary import NEEDS_NO_PERMISSION, TRUST_ACTIONS

LONGEST = 8_192  # characters; an ARN has at most 2,048, and the time to decide grows with this
ContextValue = str | bool | int | float | Sequence[str | bool | int | float]


class Request:
    """A request to AWS. Raises ``RequestError`` where one cannot be asked so.

    ``principal``: an ARN, a service's name or ``"anonymous"``; ``action``: like ``"s3:GetObject"``; ``resource``: an
    ARN or ``"*"``; ``resource_account``: who owns it (default: the account in its ARN, else the principal's);
    ``context``: condition keys and values; ``role_arn``: what a session was issued for – the role with its path, or
    the federating user.
    """

    __slots__ = (
        *("principal", "action", "resource", "resource_account", "context", "role_arn"),
        # worked out from the others
        *("caller", "folded_action", "service", "owner", "values", "in_own_account", "is_trust_question"),
    )

    def __init__(
        self,
        principal: str,
        action: str,
        resource: str,
        resource_account: str | None = None,
        context: Mapping[str, ContextValue] = NONE,
        role_arn: str | None = None,
    ) -> None:
        self.principal, self.action = _text(principal, "principal"), _text(action, "action")
        self.resource, self.resource_account = _text(resource, "resource"), resource_account
        self.role_arn = None if role_arn is None else _text(role_arn, "role_arn")
        self.context = context
        if resource_account is not None and not (isinstance(resource_account, str) and is_account_id(resource_account)):
            raise RequestError("resource_account", "an account ID is a text of twelve digits")
        #: The action in lower case, and its service, such as ``s3``.
        self.folded_action, self.service = _folded(action)
        self.caller = identify(principal, role_arn)
        parts = resource.split(":", 5)
        account = parts[4] if len(parts) == 6 else ""  # S3's ARNs have none
        self.owner = resource_account or (account if account and is_account_id(account) else self.caller.account)
        #: Whether caller and resource belong to one account; two accounts of one organization are two accounts.
        self.in_own_account = self.caller.account == self.owner
        #: Whether a role's trust policy decides.
        self.is_trust_question = self.folded_action in TRUST_ACTIONS and ":role/" in resource
        #: The context as conditions look at it, with what AWS derives from the principal.
        self.values: Mapping[str, Values] = context_values(context, self.caller.derived)

    @property
    def needs_no_permission(self) -> bool:
        """GetCallerIdentity and GetSessionToken need credentials, and no permission; not even a deny withholds them."""
        return self.folded_action in NEEDS_NO_PERMISSION and self.caller.kind != Kind.ANONYMOUS

    @property
    def owner_must_allow(self) -> bool:
        """Even in one account, a role's trust policy and a KMS key's policy must allow (UG/…policy-eval-denyallow).

        What neither names the caller nor its account is not delegated to identity policies: a role without a trust
        policy, or a key whose policy does not name the account, is out of everybody's reach.
        """
        return self.is_trust_question or (self.service == "kms" and ":key/" in self.resource)


@lru_cache(maxsize=1024)  # many requests ask for the same
def _folded(action: str) -> tuple[str, str]:
    folded = action.lower()
    service, _, verb = folded.partition(":")
    if not service or not verb or "*" in action or "?" in action:
        raise RequestError("action", f"{action[:200]!r} is not an action such as 's3:GetObject'")
    return folded, service


def context_values(context: Any, derived: Mapping[str, str] = NONE) -> dict[str, Values]:
    """A context as conditions look at it: keys in lower case, every value a text or a tuple of texts.

    ``derived``: what AWS derives from the principal, where the context does not say otherwise.
    """
    if not isinstance(context, (dict, Mapping)):
        raise RequestError("context", "the context is an object of condition keys")
    values: dict[str, Values] = {**derived}
    try:
        for key, value in context.items():
            values[str.lower(key)] = value if type(value) is str and len(value) <= LONGEST else _values(value, key)
    except TypeError:
        raise RequestError("context", "a condition key is a text") from None
    if len(values) < len(derived) + len(context) and len({key.lower() for key in context}) < len(context):
        raise RequestError("context", "a condition key is there twice: their letter case does not matter")
    return values


def _values(value: Any, key: str) -> Values:
    return tuple([_scalar(each, key) for each in value]) if isinstance(value, (list, tuple)) else _scalar(value, key)


def _scalar(value: Any, key: str) -> str:
    text = value if type(value) is str else scalar_text(value)
    if text is None:
        raise RequestError(f"context.{key[:80]}", "a value is a text, a number, true or false, or a list of these")
    return _text(text, "context", key)


def _text(value: Any, *path: str) -> str:
    if isinstance(value, str) and len(value) <= LONGEST:
        return value
    where = ".".join(name[:80] for name in path)
    if not isinstance(value, str):
        raise RequestError(where, "this is a text")
    raise RequestError(where, f"this has {len(value):,} characters; nothing of AWS's has more than {LONGEST:,}")
