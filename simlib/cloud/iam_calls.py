"""IAM calls that the lab answers itself, because moto lacks them: permissions boundaries of users.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPermissionsBoundary.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .answers import Refusal
from .calls import Call
from .store import Store


def answer(call: Call, account: str, store: Store) -> Mapping[str, Any] | None:
    """The result of a call of IAM that moto does not know; None where moto answers. Raises `Refusal`."""
    own = _OWN.get(call.operation)
    return own(call, account, store) if own else None


def check(call: Call, store: Store) -> None:
    """What must hold before moto stores a user."""
    if call.operation == "CreateUser" and (arn := call.parameters.get("PermissionsBoundary")):
        _check_boundary(str(arn), store)


def complete(call: Call, account: str, store: Store) -> None:
    """What moto left out of a call it has carried out."""
    if call.operation == "CreateUser" and (arn := call.parameters.get("PermissionsBoundary")):
        store.set_user_boundary(account, str(call.parameters["UserName"]), str(arn))


def _put_user_boundary(call: Call, account: str, store: Store) -> Mapping[str, Any]:
    arn = str(call.parameters["PermissionsBoundary"])
    _check_boundary(arn, store)
    _set(call, account, store, arn)
    return {}


def _delete_user_boundary(call: Call, account: str, store: Store) -> Mapping[str, Any]:
    _set(call, account, store, None)
    return {}


def _set(call: Call, account: str, store: Store, arn: str | None) -> None:
    name = str(call.parameters["UserName"])
    if store.user(account, name) is None:
        raise Refusal("NoSuchEntity", f"The user with name {name} cannot be found.", 404)
    store.set_user_boundary(account, name, arn)


def _check_boundary(arn: str, store: Store) -> None:
    if store.managed_policy(arn) is None:
        raise Refusal("NoSuchEntity", f"Scope ARN: {arn} does not exist or is not attachable.", 404)


_OWN: Mapping[str, Callable[[Call, str, Store], Mapping[str, Any]]] = {
    "PutUserPermissionsBoundary": _put_user_boundary,
    "DeleteUserPermissionsBoundary": _delete_user_boundary,
}
