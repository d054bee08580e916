"""Documents that are good but for what a case changes in them."""

from __future__ import annotations

from typing import Any

from simlib.iam import validation
from simlib.iam.errors import Problem

ROLE = "arn:aws:iam::111122223333:role/web"
BUCKET = "arn:aws:s3:::my-secure-bucket"
OBJECTS = f"{BUCKET}/*"


def policy(**elements: Any) -> dict[str, Any]:
    """A policy of one good statement, with some elements replaced, added, or (None) taken away."""
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": OBJECTS, **elements}
    return {"Version": "2012-10-17", "Statement": [{k: v for k, v in statement.items() if v is not None}]}


def trust(**elements: Any) -> dict[str, Any]:
    trusted = {"Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole", "Resource": None}
    return policy(**{**trusted, **elements})


def bucket(**elements: Any) -> dict[str, Any]:
    return policy(**{"Principal": {"AWS": "111122223333"}, **elements})


def rcp(**elements: Any) -> dict[str, Any]:
    return policy(**{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", **elements})


def when(**operators: Any) -> dict[str, Any]:
    return policy(Condition=operators)


def found(document: Any, kind: str = "identity", **options: Any) -> list[Problem]:
    return validation.problems(document, kind, **options)
