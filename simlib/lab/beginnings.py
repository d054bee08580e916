"""The state in which a lesson's story begins, so that no page has to set it up.

The same people and places in every lesson; accounts are mentioned in the same order, so that a number means the same
everywhere. Everything is made by ordinary calls of the accounts' administrators.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .waiting import working

if TYPE_CHECKING:
    from simlib.cloud import Cloud

DEV, PROD = "111111111111", "222222222222"
ALICE, BOB = (f"arn:aws:iam::{DEV}:user/{name}" for name in ("alice", "bob"))
IMAGE = "ami-12c6146b"


def begin(lesson: int) -> Cloud:
    """A fresh world in the state in which the story of this lesson begins; the world before it is closed.

    Raises ``ValueError`` for a lesson that begins with an empty world, or that there is not.
    """
    from simlib.cloud import Cloud

    if lesson not in _BEGINNINGS:
        listed = ", ".join(map(str, _BEGINNINGS))
        raise ValueError(
            f"Lesson {lesson} has no beginning of its own: begin with Cloud.start(). There is one for {listed}."
        )
    world = Cloud.start()
    if lesson == 8:
        _BEGINNINGS[lesson](world)  # which tells its days itself
    else:
        with working(f"Lesson {lesson} begins"):
            _BEGINNINGS[lesson](world)
    return world


def allow(action: str | list[str], resource: str | list[str] = "*", **more: Any) -> str:
    """A permissions policy with one statement, as text."""
    return _document({"Effect": "Allow", "Action": action, "Resource": resource, **more})


def trust(*arns: str, service: str = "", **more: Any) -> str:
    """A trust policy that names these ARNs, or a service, as text."""
    principal = {"Service": service} if service else {"AWS": list(arns) if len(arns) > 1 else arns[0]}
    return _document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more})


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)


def bucket(admin: Any, name: str, **files: str) -> None:
    """A bucket with files in it, by name and content; `_csv` in a name is read as the ending."""
    s3 = admin.client("s3")
    s3.create_bucket(Bucket=name)
    for file, text in files.items():
        s3.put_object(Bucket=name, Key=file.replace("_csv", ".csv"), Body=text.encode())


READ_BUCKET = allow(
    ["s3:ListBucket", "s3:GetObject"], ["arn:aws:s3:::my-secure-bucket", "arn:aws:s3:::my-secure-bucket/*"]
)


def _temporary_credentials(world: Cloud) -> None:
    admin = world.account("dev").admin
    iam = admin.client("iam")
    bucket(admin, "my-secure-bucket", report_csv="month,profit\nOctober,42\n")
    iam.create_user(UserName="alice")
    reports = f"arn:aws:iam::{DEV}:role/reports"
    iam.create_role(RoleName="web-app", AssumeRolePolicyDocument=trust(service="ec2.amazonaws.com"))
    iam.put_role_policy(RoleName="web-app", PolicyName="read-bucket", PolicyDocument=READ_BUCKET)
    iam.put_role_policy(
        RoleName="web-app", PolicyName="assume-reports", PolicyDocument=allow("sts:AssumeRole", reports)
    )
    iam.create_role(RoleName="reports", AssumeRolePolicyDocument=trust(ALICE, f"arn:aws:iam::{DEV}:role/web-app"))
    iam.put_role_policy(RoleName="reports", PolicyName="read-bucket", PolicyDocument=READ_BUCKET)
    iam.create_instance_profile(InstanceProfileName="web-app")
    iam.add_role_to_instance_profile(InstanceProfileName="web-app", RoleName="web-app")
    profile = {"Name": "web-app"}
    admin.client("ec2").run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, IamInstanceProfile=profile)


def _trust_policies(world: Cloud) -> None:
    admin = world.account("dev").admin
    world.account("prod")
    iam = admin.client("iam")
    bucket(admin, "my-secure-bucket", report_csv="month,profit\nOctober,42\n")
    for name in ("alice", "bob"):
        iam.create_user(UserName=name)
    iam.create_role(RoleName="archive", AssumeRolePolicyDocument=trust(f"arn:aws:iam::{DEV}:root"))
    iam.create_role(RoleName="reports", AssumeRolePolicyDocument=trust(ALICE))
    iam.put_role_policy(RoleName="reports", PolicyName="read-bucket", PolicyDocument=READ_BUCKET)


def _organization(world: Cloud) -> None:
    """dev, prod and head-office, which manages the organization of the three."""
    for name in ("dev", "prod"):
        world.account(name)
    office = world.account("head-office")
    office.admin.client("organizations").create_organization()
    for name in ("dev", "prod"):
        world.account(name, organization=office)


def _who_wins(world: Cloud) -> None:
    _organization(world)
    admin = world.account("dev").admin
    iam = admin.client("iam")
    bucket(admin, "my-secure-bucket", report_csv="month,profit\nOctober,42\n")
    for name in ("alice", "bob"):
        iam.create_user(UserName=name)
    iam.put_user_policy(UserName="alice", PolicyName="read-bucket", PolicyDocument=READ_BUCKET)
    office = world.account("head-office").admin.client("organizations")
    root = office.list_roots()["Roots"][0]["Id"]
    unit = office.create_organizational_unit(ParentId=root, Name="development")["OrganizationalUnit"]["Id"]
    office.move_account(AccountId=DEV, SourceParentId=root, DestinationParentId=unit)


def _across_accounts(world: Cloud) -> None:
    _organization(world)
    world.account("dev").admin.client("iam").create_user(UserName="alice")
    prod = world.account("prod").admin
    iam = prod.client("iam")
    bucket(prod, "prod-ledger", **{"2026_csv": "month,booked\nOctober,1042\n"})
    ledger = allow(["s3:ListBucket", "s3:GetObject"], ["arn:aws:s3:::prod-ledger", "arn:aws:s3:::prod-ledger/*"])
    iam.create_role(RoleName="reports-reader", AssumeRolePolicyDocument=trust(f"arn:aws:iam::{PROD}:root"))
    iam.put_role_policy(RoleName="reports-reader", PolicyName="read-ledger", PolicyDocument=ledger)
    acme = world.account("acme-audit")
    iam = acme.admin.client("iam")
    iam.create_role(RoleName="scanner", AssumeRolePolicyDocument=trust(f"arn:aws:iam::{acme.id}:root"))
    iam.put_role_policy(RoleName="scanner", PolicyName="assume", PolicyDocument=allow("sts:AssumeRole"))
    world.account("mallory")


def _machines_and_pipelines(world: Cloud) -> None:
    admin = world.account("dev").admin
    iam = admin.client("iam")
    bucket(admin, "my-secure-bucket", report_csv="month,profit\nOctober,42\n")
    iam.create_user(UserName="alice")
    for role in ("web-app", "deploy"):
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust(service="ec2.amazonaws.com"))
    iam.put_role_policy(RoleName="web-app", PolicyName="read-bucket", PolicyDocument=READ_BUCKET)
    iam.put_role_policy(RoleName="deploy", PolicyName="everything", PolicyDocument=allow("*"))


def _incident(world: Cloud) -> None:
    from .incident import lay_out

    lay_out(world)


_BEGINNINGS: dict[int, Callable[[Cloud], None]] = {
    2: _trust_policies,
    3: _who_wins,
    4: _temporary_credentials,
    5: _across_accounts,
    6: _machines_and_pipelines,
    8: _incident,
    9: _temporary_credentials,
}
