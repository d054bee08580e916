"""A small world for the access graph, and the shorthand its tests are written in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from simlib import Cloud
from simlib.lab import AccessGraph

LEDGER = "arn:aws:s3:::prod-ledger"


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str | list[str], resource: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def trust(principal: Any, action: str = "sts:AssumeRole", **more: Any) -> str:
    return document({"Effect": "Allow", "Principal": principal, "Action": action, **more})


def bucket(name: str) -> list[str]:
    return [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]


def arn(account: Any, name: str) -> str:
    return f"arn:aws:iam::{account.id}:{name}"


def user(account: Any, name: str, *statements: dict[str, Any]) -> str:
    """A user with an inline policy and an access key; the key."""
    iam = account.admin.client("iam")
    iam.create_user(UserName=name)
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document(*statements))
    return str(iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"])


def role(account: Any, name: str, trusted: str, *statements: dict[str, Any]) -> str:
    """A role with an inline policy; its ARN."""
    iam = account.admin.client("iam")
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusted)["Role"]["Arn"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(*statements))
    return str(made)


def profile(account: Any, name: str) -> None:
    """An instance profile that holds the role of its name."""
    iam = account.admin.client("iam")
    iam.create_instance_profile(InstanceProfileName=name)
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)


def incident(world: Cloud) -> dict[str, str]:
    """Two accounts with the faults of an incident, a partner's account and a stranger's; keys by user name."""
    names = ("dev", "prod", "head-office", "acme-audit", "mallory")
    dev, prod, _, acme, mallory = map(world.account, names)
    keys = {"alice": user(dev, "alice", allow("sts:AssumeRole"), allow("s3:GetObject", bucket("my-secure-bucket")))}
    keys["bob"] = user(dev, "bob", allow("sts:AssumeRole"))
    dev.admin.client("s3").create_bucket(Bucket="my-secure-bucket")
    prod.admin.client("s3").create_bucket(Bucket="prod-ledger")
    machine, function = {"Service": "ec2.amazonaws.com"}, {"Service": ["ec2.amazonaws.com", "lambda.amazonaws.com"]}
    role(dev, "web-app", trust(machine), allow(["s3:ListBucket", "s3:GetObject"], bucket("my-secure-bucket")))
    role(dev, "deploy", trust({"AWS": dev.id}), allow(["ec2:RunInstances", "iam:PassRole"]))
    role(dev, "admin", trust(function), allow("*"))
    profile(dev, "admin")
    role(acme, "scanner", trust({"AWS": acme.id}), allow("sts:AssumeRole", "arn:aws:iam::*:role/reports-reader"))
    reader = {"AWS": [arn(acme, "role/scanner"), arn(dev, "role/admin")]}
    role(prod, "reports-reader", trust(reader), allow(["s3:ListBucket", "s3:GetObject"], bucket("prod-ledger")))
    role(prod, "break-glass", trust({"AWS": mallory.id}), allow("*"))
    return keys


@pytest.fixture
def aws() -> Iterator[Cloud]:
    with Cloud.start() as world:
        yield world


@pytest.fixture
def keys(aws: Cloud) -> dict[str, str]:
    return incident(aws)


@pytest.fixture
def graph(aws: Cloud, keys: dict[str, str]) -> AccessGraph:
    return AccessGraph(aws, accounts=[aws.account("dev"), aws.account("prod")])


def deploy_trusts_alice(aws: Cloud) -> None:
    dev = aws.account("dev")
    trusting = trust({"AWS": arn(dev, "user/alice")})
    dev.admin.client("iam").update_assume_role_policy(RoleName="deploy", PolicyDocument=trusting)
