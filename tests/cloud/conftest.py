"""A fresh world for each test, and the few things nearly every test needs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simlib import Cloud


@pytest.fixture
def aws() -> Iterator[Cloud]:
    with Cloud.start() as world:
        yield world


@pytest.fixture
def dev(aws: Cloud) -> Any:
    return aws.account("dev")


@pytest.fixture
def iam(dev: Any) -> Any:
    return dev.admin.client("iam")


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def trust(principal: Any, action: Any = "sts:AssumeRole", **more: Any) -> str:
    return document({"Effect": "Allow", "Principal": principal, "Action": action, **more})


def new_user(aws: Cloud, iam: Any, name: str, *statements: dict[str, Any]) -> Any:
    """A user with one inline policy of these statements, signed in with a fresh key."""
    iam.create_user(UserName=name)
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="inline", PolicyDocument=document(*statements))
    return aws.sign_in(iam.create_access_key(UserName=name))


def refused(call: Callable[[], Any]) -> tuple[str, str]:
    """The code and text with which AWS refuses a call."""
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]
