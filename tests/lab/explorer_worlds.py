"""What the panels' tests look at: two accounts with a few people, a role and a bucket in each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from simlib import Cloud

BUCKET, FILE = "arn:aws:s3:::my-secure-bucket", "arn:aws:s3:::my-secure-bucket/report.csv"
LEDGER = "arn:aws:s3:::prod-ledger/2026.csv"
DEV, PROD, ACME = "111111111111", "222222222222", "333333333333"
ALICE, BOB = f"arn:aws:iam::{DEV}:user/alice", f"arn:aws:iam::{DEV}:user/bob"


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, indent=2)


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def trust(principal: Any, action: Any = "sts:AssumeRole", **more: Any) -> str:
    return document({"Effect": "Allow", "Principal": principal, "Action": action, **more})


READ = document(allow(["s3:ListBucket", "s3:GetObject"]))


def furnish(world: Cloud) -> None:
    """alice may read, bob nothing; `reports` trusts alice; `reports-reader` in prod trusts prod; acme has `scanner`."""
    dev, prod, acme = (world.account(name).admin for name in ("dev", "prod", "acme"))
    iam = dev.client("iam")
    for name in ("alice", "bob"):
        iam.create_user(UserName=name)
    iam.put_user_policy(UserName="alice", PolicyName="read", PolicyDocument=READ)
    iam.create_role(RoleName="reports", AssumeRolePolicyDocument=trust({"AWS": ALICE}))
    iam.put_role_policy(RoleName="reports", PolicyName="read-bucket", PolicyDocument=READ)
    there = prod.client("iam")
    there.create_role(RoleName="reports-reader", AssumeRolePolicyDocument=trust({"AWS": PROD}))
    there.put_role_policy(RoleName="reports-reader", PolicyName="read-ledger", PolicyDocument=READ)
    partner = acme.client("iam")
    partner.create_role(RoleName="scanner", AssumeRolePolicyDocument=trust({"AWS": ACME}))
    partner.put_role_policy(RoleName="scanner", PolicyName="borrow", PolicyDocument=document(allow("sts:AssumeRole")))
    for admin, bucket, file in ((dev, "my-secure-bucket", "report.csv"), (prod, "prod-ledger", "2026.csv")):
        admin.client("s3").create_bucket(Bucket=bucket)
        admin.client("s3").put_object(Bucket=bucket, Key=file, Body=b"1")


@pytest.fixture
def aws() -> Iterator[Cloud]:
    with Cloud.start() as world:
        furnish(world)
        yield world
