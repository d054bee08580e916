"""The request that is decided: who asks, to do what, to which resource, under which circumstances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simlib.iam.conditions import scalar_text
from simlib.iam.errors import RequestError
from simlib.iam.matching import Values
from simlib.iam.principals import NONE, identify, is_account_id

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
        *("caller", "folded_action", "service", "owner", "values"),  # worked out from the others
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
        for name, text in (("principal", principal), ("action", action), ("resource", resource)):
            if type(text) is not str or len(text) > LONGEST:
                _check_text(text, name)
        if role_arn is not None:
            _check_text(role_arn, "role_arn")
        if resource_account is not None and not (isinstance(resource_account, str) and is_account_id(resource_account)):
            raise RequestError("resource_account", "an account ID is a text of twelve digits")
        folded = action.lower()
        service, _, verb = folded.partition(":")
        if not service or not verb or "*" in action or "?" in action:
            raise RequestError("action", f"{action[:200]!r} is not an action such as 's3:GetObject'")
        self.principal = principal
        self.action = action
        self.resource = resource
        self.resource_account = resource_account
        self.context = context
        self.role_arn = role_arn
        self.folded_action = folded
        #: The service of the action, such as ``s3``.
        self.service = service
        self.caller = identify(principal, role_arn)
        self.owner = resource_account or _account_of(resource) or self.caller.account
        #: The context as conditions look at it, with what AWS derives from the principal.
        self.values: Mapping[str, Values] = {**self.caller.derived, **context_values(context)}

    @property
    def full_context(self) -> dict[str, Values]:
        """The context with what AWS derives from the principal (UG/reference_policies_condition-keys)."""
        given = {key: self.values[key.lower()] for key in self.context}
        known = {key.lower() for key in given}
        return {key: value for key, value in self.caller.context.items() if key.lower() not in known} | given


def _check_text(value: Any, path: str) -> None:
    if not isinstance(value, str):
        raise RequestError(path, "this is a text")
    if len(value) > LONGEST:
        raise RequestError(path, f"this has {len(value):,} characters; nothing of AWS's has more than {LONGEST:,}")


def _account_of(resource: str) -> str | None:
    """The account in an ARN, if it has one (S3's do not)."""
    parts = resource.split(":", 5)
    return parts[4] if len(parts) == 6 and is_account_id(parts[4]) else None


def context_values(context: Any) -> dict[str, Values]:
    """A context as conditions look at it: keys in lower case, every value a text or a tuple of texts."""
    if not isinstance(context, Mapping):
        raise RequestError("context", "the context is an object of condition keys")
    values: dict[str, Values] = {}
    for key, value in context.items():
        if not isinstance(key, str):
            raise RequestError("context", "a condition key is a text")
        if type(value) is str and len(value) <= LONGEST:
            folded: Values = value
        elif isinstance(value, list | tuple):
            folded = tuple(_text(each, key) for each in value)
        else:
            folded = _text(value, key)
        values[key.lower()] = folded
    if len(values) < len(context):
        raise RequestError("context", "a condition key is there twice: their letter case does not matter")
    return values


def _text(value: Any, key: str) -> str:
    text = scalar_text(value)
    if text is None:
        raise RequestError(f"context.{key[:80]}", "a value is a text, a number, true or false, or a list of these")
    _check_text(text, f"context.{key[:80]}")
    return text
