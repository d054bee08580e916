"""Judges of what a learner writes in Python: a deployment, and a test of a policy."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from simlib.lab.beginnings import PROD, allow, trust

LEDGER = ["arn:aws:s3:::prod-ledger", "arn:aws:s3:::prod-ledger/*"]
TRUST = json.loads(trust(f"arn:aws:iam::{PROD}:root"))
READ_LEDGER = json.loads(allow(["s3:ListBucket", "s3:GetObject"], LEDGER))
ROLE = {"RoleName": "reports-reader"}


def deployed(world: Any, deploy: Callable[[Any], object]) -> Iterator[str]:
    """Run a deployment in an account without the role, again, and after somebody has changed things."""
    if not callable(deploy):
        yield f"deploy is not a function but {type(deploy).__name__}."
        return
    office = world.account("head-office")
    iam = office.admin.client("iam")
    anybody = trust(f"arn:aws:iam::{office.id}:root")
    changes: dict[str, Callable[[], object]] = {
        "the first run": lambda: None,
        "the second run": lambda: None,
        "a run on a changed trust policy": lambda: iam.update_assume_role_policy(**ROLE, PolicyDocument=anybody),
        "a run on changed permissions": lambda: iam.put_role_policy(
            **ROLE, PolicyName="read-ledger", PolicyDocument=allow("*")
        ),
        "a run on deleted permissions": lambda: iam.delete_role_policy(**ROLE, PolicyName="read-ledger"),
    }
    for run, change in changes.items():
        change()
        try:
            deploy(iam)
        except ClientError as error:
            there = run == "the first run" and error.response["Error"]["Code"] == "EntityAlreadyExists"
            whose = " Does your function use the client that it gets?" if there else ""
            yield f"In {run}, AWS refused a call: {error}{whose}"
            return
        yield from _differences(iam, f"After {run}")


def _differences(iam: Any, when: str) -> Iterator[str]:
    try:
        stored = iam.get_role(**ROLE)["Role"]["AssumeRolePolicyDocument"]
    except iam.exceptions.NoSuchEntityException:
        yield f"{when}, there is no role reports-reader in the account of the client that your function got."
        return
    if stored != TRUST:
        yield f"{when}, the role's trust policy is not TRUST."
    try:
        found = iam.get_role_policy(**ROLE, PolicyName="read-ledger")["PolicyDocument"]
    except iam.exceptions.NoSuchEntityException:
        yield f"{when}, the role has no policy read-ledger."
        return
    if found != READ_LEDGER:
        yield f"{when}, the policy read-ledger is not READ_LEDGER."


def says_no(_world: Any, test: Callable[[Any], object]) -> Iterator[str]:
    """Put a test to policies that are right and to others that are too wide or too narrow."""
    if not callable(test):
        yield f"test_reader is not a function but {type(test).__name__}."
        return
    for what, document in _RIGHT.items():
        if not _passes(test, document):
            yield f"Your test refuses a policy that is right: {what}."
    for what, document in _WRONG.items():
        if _passes(test, document):
            yield f"Your test accepts a policy that is wrong: {what}."


def _passes(test: Callable[[Any], object], document: Any) -> bool:
    try:
        test(json.loads(json.dumps(document)))
    except AssertionError:
        return False
    return True


def _policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(action: Any, resource: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


_READ = ["s3:ListBucket", "s3:GetObject"]
_RIGHT = {
    "READ_LEDGER itself": READ_LEDGER,
    "the same in two statements": _policy(_allow("s3:ListBucket", LEDGER[0]), _allow("s3:GetObject", LEDGER[1])),
    "the same with a deny that changes nothing": _policy(
        _allow(_READ, LEDGER), {"Effect": "Deny", "Action": "s3:*", "NotResource": LEDGER}
    ),
}
_WRONG = {
    'the action is "*"': _policy(_allow("*", LEDGER)),
    'the action is "s3:*"': _policy(_allow("s3:*", LEDGER)),
    "writing is allowed": _policy(_allow([*_READ, "s3:PutObject"], LEDGER)),
    "deleting is allowed": _policy(_allow([*_READ, "s3:DeleteObject"], LEDGER)),
    'the resource is "*"': _policy(_allow(_READ, "*")),
    "a second bucket can be read": _policy(_allow(_READ, "arn:aws:s3:::prod-*")),
    "the ledger cannot be read": _policy(_allow("s3:ListBucket", LEDGER[0])),
    "the ledger cannot be listed": _policy(_allow("s3:GetObject", LEDGER[1])),
}
