"""What the lab adds to moto's IAM: permissions boundaries of users.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPermissionsBoundary.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .answers import Refusal
from .desk import Desk
from .wire import RawAnswer


def put_user_boundary(desk: Desk) -> Mapping[str, Any]:
    arn = str(desk.parameters["PermissionsBoundary"])
    _check_boundary(arn, desk)
    _set_boundary(desk, arn)
    return {}


def delete_user_boundary(desk: Desk) -> Mapping[str, Any]:
    _set_boundary(desk, None)
    return {}


def check_new_user(desk: Desk) -> None:
    if arn := desk.parameters.get("PermissionsBoundary"):
        _check_boundary(str(arn), desk)


def complete_new_user(desk: Desk, answer: RawAnswer) -> RawAnswer:
    """moto forgets the boundary of a new user."""
    if answer.status == 200 and (arn := desk.parameters.get("PermissionsBoundary")):
        _set_boundary(desk, str(arn))
    return answer


def _set_boundary(desk: Desk, arn: str | None) -> None:
    name = str(desk.parameters["UserName"])
    if desk.store.user(desk.caller.account, name) is None:
        raise Refusal("NoSuchEntity", f"The user with name {name} cannot be found.", 404)
    desk.store.set_user_boundary(desk.caller.account, name, arn)


def _check_boundary(arn: str, desk: Desk) -> None:
    if desk.store.managed_policy(arn) is None:
        raise Refusal("NoSuchEntity", f"Scope ARN: {arn} does not exist or is not attachable.", 404)


ANSWERS = {
    "iam:PutUserPermissionsBoundary": put_user_boundary,
    "iam:DeleteUserPermissionsBoundary": delete_user_boundary,
}
BEFORE = {"iam:CreateUser": check_new_user}
AFTER = {"iam:CreateUser": complete_new_user}
