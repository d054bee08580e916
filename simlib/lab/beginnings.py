"""The state in which a lesson's story begins, so that no page has to set it up.

The same people and places in every lesson; accounts are mentioned in the same order, so that a number means the same
everywhere. Everything is made by ordinary calls of the accounts' administrators.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from simlib.lessons import find

from .course import texts
from .waiting import working

if TYPE_CHECKING:
    from simlib.cloud import Cloud
    from simlib.cloud.machines.instance import Instance

DEV, PROD = "111111111111", "222222222222"
ALICE, BOB = (f"arn:aws:iam::{DEV}:user/{name}" for name in ("alice", "bob"))
IMAGE = "ami-12c6146b"


def begin(lesson: int | str, *, language: str = texts.ENGLISH) -> Cloud:
    """A fresh world in the state in which the story of this lesson begins; the world before it is closed.

    What the lab says in this lesson is in that language, by its code, as far as it is translated. Raises `LookupError`
    for a lesson that there is not, `ValueError` for a language.
    """
    from simlib.cloud import Cloud

    build = _BEGINNINGS.get(find(lesson).slug)
    texts.use(language)
    world = Cloud.start()
    if build is _incident:
        build(world)  # which tells its days itself
    elif build:
        with working(f"Lesson {find(lesson).number} begins"):
            build(world)
    return world


def machine(role: str, account: str = "dev") -> Instance:
    """The machine of the running world that has the role. Raises `LookupError`."""
    from simlib.cloud import Cloud

    world = Cloud.running
    ec2 = world.account(account).admin.client("ec2") if world else None
    groups = ec2.describe_instances()["Reservations"] if ec2 else ()
    for each in (each for group in groups for each in group["Instances"]):
        if world and each.get("IamInstanceProfile", {}).get("Arn", "").endswith(f"/{role}"):
            return world.instance(each["InstanceId"])
    raise LookupError(f"No machine in {account} has the role {role}. Run the lesson's first cells again.")


class PolicyText(str):
    """The text of a policy, as AWS gets it; in a cell it is shown as it would be printed."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


Names = str | Sequence[str]


def allow(action: Names, resource: Names = "*", **more: Any) -> PolicyText:
    """A policy that allows these actions on these resources, as text; `more` are elements such as `Condition`."""
    return _document(Effect="Allow", Action=action, Resource=resource, **more)


def deny(action: Names, resource: Names = "*", **more: Any) -> PolicyText:
    """As `allow`, but it denies."""
    return _document(Effect="Deny", Action=action, Resource=resource, **more)


def trust(*arns: str, service: Names = "", federated: str = "", **more: Any) -> PolicyText:
    """A trust policy that names these ARNs, a service, or an identity provider, as text."""
    named: dict[str, Names] = {"AWS": arns[0] if len(arns) == 1 else arns, "Service": service, "Federated": federated}
    action = "sts:AssumeRoleWithWebIdentity" if federated else "sts:AssumeRole"
    principal = {kind: each for kind, each in named.items() if each}
    return _document(**{"Effect": "Allow", "Principal": principal, "Action": action, **more})


def _document(**statement: Any) -> PolicyText:
    return PolicyText(json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2))


def bucket(admin: Any, name: str, **files: str) -> None:
    """A bucket with files in it, by name and content; `_csv` in a name is read as the ending."""
    s3 = admin.client("s3")
    s3.create_bucket(Bucket=name)
    for file, text in files.items():
        s3.put_object(Bucket=name, Key=file.replace("_csv", ".csv"), Body=text.encode())


READ_BUCKET = allow(
    ["s3:ListBucket", "s3:GetObject"], ["arn:aws:s3:::my-secure-bucket", "arn:aws:s3:::my-secure-bucket/*"]
)


def _bucket_alone(world: Cloud) -> None:
    bucket(world.account("dev").admin, "my-secure-bucket", report_csv="month,profit\nOctober,42\n")


def _alice_reads(world: Cloud) -> None:
    _bucket_alone(world)
    iam = world.account("dev").admin.client("iam")
    iam.create_user(UserName="alice")
    iam.put_user_policy(UserName="alice", PolicyName="read-bucket", PolicyDocument=READ_BUCKET)


def _temporary_credentials(world: Cloud) -> None:
    admin = world.account("dev").admin
    iam = admin.client("iam")
    _bucket_alone(world)
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


def _two_policies(world: Cloud) -> None:
    _temporary_credentials(world)
    iam = world.account("dev").admin.client("iam")
    iam.delete_role_policy(RoleName="web-app", PolicyName="assume-reports")  # so that the role has two policies


def _long_sessions(world: Cloud) -> None:
    _temporary_credentials(world)
    world.account("dev").admin.client("iam").update_role(RoleName="reports", MaxSessionDuration=12 * 3600)


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
    admin = world.account("dev").admin
    iam = admin.client("iam")
    bucket(admin, "my-secure-bucket", report_csv="month,profit\nOctober,42\n")
    for name in ("alice", "bob"):
        iam.create_user(UserName=name)
    iam.put_user_policy(UserName="alice", PolicyName="read-bucket", PolicyDocument=READ_BUCKET)
    iam.create_role(RoleName="writer", AssumeRolePolicyDocument=trust(ALICE))
    iam.put_role_policy(RoleName="writer", PolicyName="write", PolicyDocument=allow("s3:PutObject"))


def _limits(world: Cloud) -> None:
    """The same in an organization, with dev in a unit of its own."""
    _organization(world)
    _who_wins(world)
    office = world.account("head-office").admin.client("organizations")
    root = office.list_roots()["Roots"][0]["Id"]
    unit = office.create_organizational_unit(ParentId=root, Name="development")["OrganizationalUnit"]["Id"]
    office.move_account(AccountId=DEV, SourceParentId=root, DestinationParentId=unit)


def _across_accounts(world: Cloud) -> None:
    _organization(world)
    dev = world.account("dev").admin
    _bucket_alone(world)
    for name in ("alice", "bob"):
        dev.client("iam").create_user(UserName=name)
    dev.client("iam").put_user_policy(UserName="alice", PolicyName="read-bucket", PolicyDocument=READ_BUCKET)
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


def _partners(world: Cloud) -> None:
    _across_accounts(world)
    iam = world.account("prod").admin.client("iam")
    scanner = f"arn:aws:iam::{world.account('acme-audit').id}:role/scanner"
    iam.create_role(RoleName="audit", AssumeRolePolicyDocument=trust(scanner))
    ledger = allow("s3:GetObject", "arn:aws:s3:::prod-ledger/*")
    iam.put_role_policy(RoleName="audit", PolicyName="read-ledger", PolicyDocument=ledger)


def _scripts(world: Cloud) -> None:
    world.account("dev")
    world.account("prod")


def _tests(world: Cloud) -> None:
    _scripts(world)
    iam = world.account("prod").admin.client("iam")
    ledger = allow(["s3:ListBucket", "s3:GetObject"], ["arn:aws:s3:::prod-ledger", "arn:aws:s3:::prod-ledger/*"])
    iam.create_role(RoleName="reports-reader", AssumeRolePolicyDocument=trust(f"arn:aws:iam::{PROD}:root"))
    iam.put_role_policy(RoleName="reports-reader", PolicyName="read-ledger", PolicyDocument=ledger)


def _machines_and_pipelines(world: Cloud) -> None:
    admin = world.account("dev").admin
    iam = admin.client("iam")
    bucket(admin, "my-secure-bucket", report_csv="month,profit\nOctober,42\n")
    iam.create_user(UserName="alice")
    for role in ("web-app", "deploy"):
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust(service="ec2.amazonaws.com"))
        iam.create_instance_profile(InstanceProfileName=role)
        iam.add_role_to_instance_profile(InstanceProfileName=role, RoleName=role)
    iam.put_role_policy(RoleName="web-app", PolicyName="read-bucket", PolicyDocument=READ_BUCKET)
    iam.put_role_policy(RoleName="deploy", PolicyName="everything", PolicyDocument=allow("*"))


def _incident(world: Cloud) -> None:
    from .incident import lay_out

    lay_out(world)


_BEGINNINGS: dict[str, Callable[[Cloud], None]] = {
    "users": _bucket_alone,
    "roles": _alice_reads,
    "two-policies": _two_policies,
    **dict.fromkeys(("sessions", "credentials", "four-sentences"), _temporary_credentials),
    **dict.fromkeys(("trust", "names"), _trust_policies),
    "revoking": _long_sessions,
    **dict.fromkeys(("accounts", "buckets"), _across_accounts),
    "partners": _partners,
    "deny": _who_wins,
    "limits": _limits,
    **dict.fromkeys(("machines", "pipelines"), _machines_and_pipelines),
    "metadata": _temporary_credentials,
    "scripts": _scripts,
    "tests": _tests,
    **dict.fromkeys(("incident", "repair"), _incident),
}
