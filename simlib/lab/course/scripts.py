"""Judges of what a learner writes in Python: a deployment, and a test of a policy."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from simlib.challenges.statements import policy
from simlib.lab.lesson_worlds import PROD, allow, trust

LEDGER = "arn:aws:s3:::prod-ledger"
BOTH = f"{LEDGER}, {LEDGER}/*"
TRUST = json.loads(trust(f"arn:aws:iam::{PROD}:root"))
READ_LEDGER = json.loads(allow(["s3:ListBucket", "s3:GetObject"], BOTH.split(", ")))
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
        trust_policy = iam.get_role(**ROLE)["Role"]["AssumeRolePolicyDocument"]
    except iam.exceptions.NoSuchEntityException:
        yield f"{when}, there is no role reports-reader. Does every call use the client that your function gets?"
        return
    if trust_policy != TRUST:
        yield f"{when}, the role's trust policy is not TRUST."
    try:
        permissions = iam.get_role_policy(**ROLE, PolicyName="read-ledger")["PolicyDocument"]
    except iam.exceptions.NoSuchEntityException:
        yield f"{when}, the role has no policy read-ledger."
        return
    if permissions != READ_LEDGER:
        yield f"{when}, the policy read-ledger is not READ_LEDGER."


def says_no(_world: Any, test: Callable[[Any], object]) -> Iterator[str]:
    """Put a test to policies that are right and to others that are too wide or too narrow."""
    if not callable(test):
        yield f"test_reader is not a function but {type(test).__name__}."
        return
    for what, lines in _RIGHT.items():
        if not _passes(test, lines):
            yield f"Your test refuses a policy that is right: {what}."
    for what, lines in _WRONG.items():
        if _passes(test, lines):
            yield f"Your test accepts a policy that is wrong: {what}."


def _passes(test: Callable[[Any], object], lines: list[Any]) -> bool:
    try:
        test(json.loads(policy(lines)))
    except AssertionError:
        return False
    return True


_RIGHT: dict[str, list[Any]] = {
    "READ_LEDGER itself": [f"Allow s3:ListBucket, s3:GetObject on {BOTH}"],
    "the same in two statements": [f"Allow s3:ListBucket on {LEDGER}", f"Allow s3:GetObject on {LEDGER}/*"],
    "the same with a deny that changes nothing": [
        f"Allow s3:ListBucket, s3:GetObject on {BOTH}",
        {"Effect": "Deny", "Action": "s3:*", "NotResource": BOTH.split(", ")},
    ],
}
_WRONG: dict[str, list[Any]] = {
    'the action is "*"': [f"Allow * on {BOTH}"],
    'the action is "s3:*"': [f"Allow s3:* on {BOTH}"],
    "writing is allowed": [f"Allow s3:ListBucket, s3:GetObject, s3:PutObject on {BOTH}"],
    "deleting is allowed": [f"Allow s3:ListBucket, s3:GetObject, s3:DeleteObject on {BOTH}"],
    'the resource is "*"': ["Allow s3:ListBucket, s3:GetObject"],
    "every bucket whose name begins with prod- can be read": [
        "Allow s3:ListBucket, s3:GetObject on arn:aws:s3:::prod-*"
    ],
    "the ledger cannot be read": [f"Allow s3:ListBucket on {LEDGER}"],
    "the ledger cannot be listed": [f"Allow s3:GetObject on {LEDGER}/*"],
}
