"""The world of the capstone: three accounts, eleven days of trail, five faults, and an intruder who found them.

Everything has happened by real calls on the lab's clock, so that the trail, the ages of keys and the sessions that are
still open are what they would be.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from botocore import UNSIGNED
from botocore.config import Config

from .beginnings import ALICE, BOB, DEV, IMAGE, PROD, READ_BUCKET, allow, bucket, trust
from .judging import Unjudged
from .waiting import track

if TYPE_CHECKING:
    from simlib.cloud import Cloud
    from simlib.cloud.credentials.issuer import Issuer
    from simlib.cloud.identity import Identity
    from simlib.cloud.machines.instance import Instance

OFFICE, HOME = "203.0.113.10", "198.51.100.66"  # where our people sit, and where Mallory does
MALLORY = "555555555555"
PIPELINE = "repo:example/shop:ref:refs/heads/main"
DEPLOY, OPERATIONS = f"arn:aws:iam::{DEV}:role/deploy", f"arn:aws:iam::{DEV}:role/operations"
OPERATOR, BREAK_GLASS = f"arn:aws:iam::{PROD}:role/operator", f"arn:aws:iam::{PROD}:role/break-glass"
READER = f"arn:aws:iam::{PROD}:role/reports-reader"
SCANNER = "arn:aws:iam::444444444444:role/scanner"
GITHUB = f"arn:aws:iam::{DEV}:oidc-provider/token.actions.githubusercontent.com"
EXTERNAL_ID = "acme-1001"  # the number Acme has given to our firm
_GONE = {"AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "SecretAccessKey": "deleted"}


@dataclass
class People:
    """Who works in this world, with the credentials they hold; `mallory` is what she holds, by what it is."""

    alice: Identity
    bob: Identity
    scanner: Identity
    github: Issuer
    web: Instance | None
    mallory: dict[str, Any] = field(default_factory=dict)
    calls: int | None = None  # how many there have been when the story begins; None: it has begun long ago


_PEOPLE: WeakKeyDictionary[Cloud, People] = WeakKeyDictionary()


def people(world: Cloud) -> People:
    """The people of a world that `lay_out` has made, or that was saved since; `Unjudged` in another world."""
    if world not in _PEOPLE:
        try:
            _PEOPLE[world] = _recognised(world)
        except LookupError:
            raise Unjudged('This is not the world of the incident. Start it with lab.begin("incident").') from None
    return _PEOPLE[world]


def _recognised(world: Cloud) -> People:
    """Who they are in a world that was saved and is open again; what is gone opens nothing. `LookupError`: nobody."""
    held = sorted(world.credentials(), key=lambda each: each.born)

    def last(arn: str, *, before: Any = None) -> Identity:
        found = [each for each in held if each.arn.startswith(arn) and (before is None or each.born < before)]
        return world.holder(found[-1].access_key_id) if found else world.sign_in(_GONE)

    def machine(profile: str) -> Instance | None:
        reservations = world.account("dev").admin.client("ec2").describe_instances()["Reservations"]
        found = [each for group in reservations for each in group["Instances"]]
        mine = [each for each in found if each.get("IamInstanceProfile", {}).get("Arn", "").endswith(f"/{profile}")]
        return world.instance(mine[0]["InstanceId"]) if mine else None

    scheduler = next((each for each in held if each.arn.endswith("444444444444:user/scheduler")), None)
    if scheduler is None:
        raise LookupError("nobody of this story")
    sessions = f"arn:aws:sts::{DEV}:assumed-role"
    mallory = {
        "bob's forgotten key": last(BOB, before=scheduler.born + timedelta(days=1)),
        "her machine": machine("operations"),
        "what her machine told her": last(f"{sessions}/operations/"),
        "her session of deploy": last(f"{sessions}/deploy/build-8"),
        "her session of break-glass": last(f"arn:aws:sts::{PROD}:assumed-role/break-glass/"),
    }
    scanner = world.holder(scheduler.access_key_id)
    return People(last(ALICE), last(BOB), scanner, world.oidc_provider(), machine("web-app"), mallory)


def lay_out(world: Cloud) -> None:
    """The accounts as they grew, and the eleven days."""
    for name in ("dev", "prod", "head-office", "acme-audit", "mallory"):
        world.account(name)
    github = world.oidc_provider()
    alice, forgotten = _dev(world)
    scanner = _acme(world)
    _prod(world)
    iam = world.account("dev").admin.client("iam")
    world.clock.advance(days=400)  # the key in the repository has been forgotten for more than a year
    bob = world.sign_in(iam.create_access_key(UserName="bob"))
    web = world.instance(_started(_pipeline(world, github, alice), "web-app"))
    _PEOPLE[world] = us = People(alice, bob, scanner, github, web)
    done = "The world of the incident stands: five accounts, and what happened in them in eleven days."
    for day in track(range(11), "Eleven days of work, and of an intruder", done):
        _a_day(world, us, day)
        if day == 6:
            _break_in(world, us, forgotten)
        if day > 6:
            _come_back(world, us, forgotten)
    _until(world, 3, 30)
    us.calls = world.trail.total


def _until(world: Cloud, hour: int, minute: int) -> None:
    """Move the clock to the next time of day like this, UTC."""
    now = world.clock.now
    then = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    world.clock.advance(seconds=(then - now).total_seconds() % 86_400)


def _dev(world: Cloud) -> tuple[Identity, Identity]:
    """Alice's key, and the one of Bob's that will be forgotten."""
    admin = world.account("dev").admin
    iam = admin.client("iam")
    bucket(admin, "my-secure-bucket", report_csv="month,profit\nOctober,42\n")
    iam.create_group(GroupName="developers")
    document = json.loads(READ_BUCKET)
    document["Statement"].append({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"})
    iam.put_group_policy(GroupName="developers", PolicyName="developers", PolicyDocument=json.dumps(document))
    keys = []
    for name in ("alice", "bob"):
        iam.create_user(UserName=name)
        iam.add_user_to_group(GroupName="developers", UserName=name)
        keys.append(world.sign_in(iam.create_access_key(UserName=name)))
    iam.create_open_id_connect_provider(
        Url="https://token.actions.githubusercontent.com", ClientIDList=["sts.amazonaws.com"]
    )
    _role(iam, "web-app", trust(service="ec2.amazonaws.com"), READ_BUCKET, profile=True)
    may_operate = allow("sts:AssumeRole", OPERATOR)
    _role(iam, "operations", trust(service="ec2.amazonaws.com"), may_operate, profile=True)
    site = "arn:aws:s3:::my-secure-bucket/site/*"
    deploying = {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "Site", "Effect": "Allow", "Action": "s3:PutObject", "Resource": site},
            {"Sid": "Machines", "Effect": "Allow", "Action": "ec2:RunInstances", "Resource": "*"},
            {"Sid": "Roles", "Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"},
        ],
    }
    _role(iam, "deploy", json.dumps(_trust_of_deploy()), json.dumps(deploying))
    return keys[0], keys[1]


def _trust_of_deploy() -> dict[str, Any]:
    """The pipeline may come in by its token; and, which is the fault, so may the whole account."""
    token = {
        "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": PIPELINE,
        }
    }
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Pipeline",
                "Effect": "Allow",
                "Principal": {"Federated": GITHUB},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": token,
            },
            {
                "Sid": "Account",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{DEV}:root"},
                "Action": "sts:AssumeRole",
            },
        ],
    }


def _prod(world: Cloud) -> None:
    admin = world.account("prod").admin
    iam = admin.client("iam")
    bucket(admin, "prod-ledger", **{"2026_csv": "month,booked\nOctober,1042\n"})
    ledger = allow(["s3:ListBucket", "s3:GetObject"], ["arn:aws:s3:::prod-ledger", "arn:aws:s3:::prod-ledger/*"])
    _role(iam, "reports-reader", trust(ALICE, SCANNER), ledger)
    _role(iam, "operator", trust(OPERATIONS), allow("*"))


def _acme(world: Cloud) -> Identity:
    acme = world.account("acme-audit")
    iam = acme.admin.client("iam")
    _role(iam, "scanner", trust(f"arn:aws:iam::{acme.id}:root"), allow("sts:AssumeRole"))
    iam.create_user(UserName="scheduler")
    iam.put_user_policy(UserName="scheduler", PolicyName="assume", PolicyDocument=allow("sts:AssumeRole", SCANNER))
    return world.sign_in(iam.create_access_key(UserName="scheduler"))


def _role(iam: Any, name: str, trusted: str, may: str, *, profile: bool = False) -> None:
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusted, MaxSessionDuration=12 * 3600)
    iam.put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=may)
    if profile:
        iam.create_instance_profile(InstanceProfileName=name)
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)


def _started(who: Any, profile: str) -> str:
    ec2 = who.client("ec2")
    answer = ec2.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, IamInstanceProfile={"Name": profile})
    return str(answer["Instances"][0]["InstanceId"])


# -- what they do every day --------------------------------------------------------------------------------------------


def as_alice(us: People, world: Cloud) -> Identity:
    """Alice's session in prod."""
    return _borrowed(world, us.alice, READER, "alice")


def as_acme(us: People, world: Cloud) -> Identity:
    """Acme's session in prod, with the external ID that it has given to our firm."""
    return _borrowed(world, as_scanner(us, world), READER, "acme", ExternalId=EXTERNAL_ID)


def as_scanner(us: People, world: Cloud) -> Identity:
    """Acme's program in Acme's own account."""
    return _borrowed(world, us.scanner, SCANNER, "acme")


def as_pipeline(us: People, world: Cloud) -> Identity:
    """The pipeline's session, for its token."""
    return _pipeline(world, us.github, us.alice)


def _pipeline(world: Cloud, github: Issuer, anybody: Identity) -> Identity:
    sts = anybody.client("sts", config=Config(signature_version=UNSIGNED))  # nobody signs: the token alone counts
    answer = sts.assume_role_with_web_identity(
        RoleArn=DEPLOY, RoleSessionName="build", WebIdentityToken=github.token(PIPELINE)
    )
    return world.sign_in(answer)


def _borrowed(world: Cloud, who: Any, role: str, name: str, **more: Any) -> Identity:
    return world.sign_in(who.client("sts").assume_role(RoleArn=role, RoleSessionName=name, **more))


def _a_day(world: Cloud, us: People, day: int) -> None:
    """A day of ordinary work."""
    _until(world, 8, 0)
    us.web.session.client("s3").list_objects_v2(Bucket="my-secure-bucket")
    _until(world, 9, 12)
    us.bob.client("s3").get_object(Bucket="my-secure-bucket", Key="report.csv")
    _until(world, 10, 5)
    as_alice(us, world).client("s3").get_object(Bucket="prod-ledger", Key="2026.csv")
    if day % 3 == 0:
        _until(world, 13, 20)
        site = as_pipeline(us, world).client("s3")
        site.put_object(Bucket="my-secure-bucket", Key="site/index.html", Body=b"<h1>Shop</h1>")
    if day % 5 == 1:
        _until(world, 15, 40)
        as_acme(us, world).client("s3").list_objects_v2(Bucket="prod-ledger")


# -- what Mallory does -------------------------------------------------------------------------------------------------


@contextmanager
def _from_home(world: Cloud) -> Iterator[None]:
    office, world.source_ip = world.source_ip, HOME
    try:
        yield
    finally:
        world.source_ip = office


def _break_in(world: Cloud, us: People, key: Identity) -> None:
    """From a key in a repository to a door of her own: deploy, a machine, operations, operator, break-glass."""
    with _from_home(world):
        _until(world, 2, 11)
        key.client("sts").get_caller_identity()
        _until(world, 2, 14)
        deploy = _borrowed(world, key, DEPLOY, "build-7")
        _until(world, 2, 31)
        machine = world.instance(_started(deploy, "operations"))
        _until(world, 2, 40)
        operator = _borrowed(world, machine.session, OPERATOR, "maintenance")
        _until(world, 2, 43)
        operator.client("s3").get_object(Bucket="prod-ledger", Key="2026.csv")
        _until(world, 3, 2)
        _role(operator.client("iam"), "break-glass", trust(f"arn:aws:iam::{MALLORY}:root"), allow("*"))
    us.mallory["her machine"] = machine


def _come_back(world: Cloud, us: People, key: Identity) -> None:
    """Every night: through the new door to the ledger, and fresh sessions for the case that it is shut."""
    with _from_home(world):
        twelve = {"DurationSeconds": 12 * 3600}
        _until(world, 2, 5)
        door = _borrowed(world, world.account("mallory").admin, BREAK_GLASS, "night", **twelve)
        door.client("s3").get_object(Bucket="prod-ledger", Key="2026.csv")
        held = us.mallory["her machine"].session.get_credentials().get_frozen_credentials()
        us.mallory |= {
            "bob's forgotten key": key,
            "what her machine told her": world.sign_in(
                {"AccessKeyId": held.access_key, "SecretAccessKey": held.secret_key, "Token": held.token}
            ),
            "her session of deploy": _borrowed(world, key, DEPLOY, "build-8", **twelve),
            "her session of break-glass": door,
        }
