"""Every way to power is found where it is planted, is gone when a permission is, and is really walked."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simlib import Cloud
from simlib.audit.escalation import ROWS, Finder, Way
from simlib.audit.facts import ANYWHERE, Facts
from simlib.audit.walking import walk
from tests.cloud.conftest import allow, deny, document, trust

FILE = Path(__file__).parents[3] / "shared" / "data" / "escalation-paths.json"
ACCOUNT = "111111111111"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
HARMLESS = document(allow("s3:ListBucket", "arn:aws:s3:::nothing"))


def arn(kind: str, name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:{kind}/{name}"


def permissions(name: str) -> list[str]:
    row = ROWS[name]
    actions = [ask.partition(" ")[0] for ask in row["asks"]]
    return ["iam:PassRole", *actions] if row["on"] == "passed" else actions


@pytest.fixture(scope="module")
def world() -> Iterator[Cloud]:
    """Somebody to become: an administrator of every kind, and mallory, a user and a role with nothing."""
    with Cloud.start() as aws:
        iam = aws.account("dev").admin.client("iam")
        services = sorted({row["service"] for row in ROWS.values() if "service" in row})
        iam.create_role(RoleName="power", AssumeRolePolicyDocument=trust({"Service": services}))
        iam.attach_role_policy(RoleName="power", PolicyArn=ADMINISTRATOR)
        iam.create_instance_profile(InstanceProfileName="power")
        iam.add_role_to_instance_profile(InstanceProfileName="power", RoleName="power")
        iam.create_user(UserName="victim")
        iam.attach_user_policy(UserName="victim", PolicyArn=ADMINISTRATOR)
        for group in ("admins", "own"):
            iam.create_group(GroupName=group)
        iam.attach_group_policy(GroupName="admins", PolicyArn=ADMINISTRATOR)
        iam.create_user(UserName="mallory")
        iam.add_user_to_group(GroupName="own", UserName="mallory")
        iam.create_role(RoleName="mallory", AssumeRolePolicyDocument=trust({"AWS": ACCOUNT}))
        # who can be assumed with the permission alone, and has a policy that can be rewritten
        iam.create_role(RoleName="reader", AssumeRolePolicyDocument=trust({"AWS": ACCOUNT}))
        for name in ("own", "readers"):
            iam.create_policy(PolicyName=name, PolicyDocument=HARMLESS)
        iam.attach_role_policy(RoleName="reader", PolicyArn=arn("policy", "readers"))
        iam.create_policy(PolicyName="limits", PolicyDocument=document(allow("s3:ListBucket", "*")))
        yield aws


def plant(aws: Cloud, name: str, actions: list[str], *more: dict[str, Any], boundary: bool = False) -> str:
    """Give mallory these permissions, in a rehearsal; who has them."""
    row, iam = ROWS[name], aws.account("dev").admin.client("iam")
    kind = "role" if row.get("who") == "role" else "user"
    text = document(*[allow(action, "*") for action in actions], *more)
    if row["on"] == "policy":
        iam.create_policy_version(PolicyArn=arn("policy", "own"), PolicyDocument=text, SetAsDefault=True)
        iam.attach_user_policy(UserName="mallory", PolicyArn=arn("policy", "own"))
    elif kind == "role":
        iam.put_role_policy(RoleName="mallory", PolicyName="p", PolicyDocument=text)
    else:
        iam.put_user_policy(UserName="mallory", PolicyName="p", PolicyDocument=text)
    if boundary:
        put = iam.put_role_permissions_boundary if kind == "role" else iam.put_user_permissions_boundary
        put(**{f"{kind.capitalize()}Name": "mallory"}, PermissionsBoundary=arn("policy", "limits"))
    if row.get("needs") == "a password":
        iam.create_login_profile(UserName="victim", Password="Correct-horse-7-battery")
    if row.get("needs") == "two keys":
        for _ in range(2):
            iam.create_access_key(UserName="victim")
    if name in ("lambda-004", "lambda-003", "lambda-005"):
        aws.account("dev").admin.client("lambda").create_function(
            FunctionName="f",
            Role=arn("role", "power"),
            Runtime="python3.12",
            Handler="index.handler",
            Code={"ZipFile": EMPTY},
        )
    return arn(kind, "mallory")


EMPTY = b"PK\x05\x06" + bytes(18)


def find(aws: Cloud, arns: list[str]) -> list[Way]:
    facts = Facts(aws, circumstances=ANYWHERE)
    return [way for arn in arns for way in Finder(facts).ways(facts.identities[arn])]


def found(aws: Cloud, who: str, name: str) -> list[Way]:
    return [way for way in find(aws, [who]) if way.id == name]


@pytest.mark.parametrize("name", ROWS)
def test_a_planted_way_is_found_walked_and_gone_without_any_of_its_permissions(name: str, world: Cloud) -> None:
    with world.rehearsal():
        who = plant(world, name, permissions(name))
        ways = found(world, who, name)
        assert ways, "it is not found"
        walks = [walk(world, way) for way in ways]
        if "walk" in ROWS[name] and not all(way.needs for way in ways):
            assert any(each.done for each in walks), walks
        else:
            assert all(each.reason and not each.done for each in walks)
        sentence = ways[0].sentence
        assert sentence.startswith("mallory of account 1")
        assert all(action in sentence for action in permissions(name))
        assert "{" not in sentence
    for lacking in permissions(name):
        with world.rehearsal():
            others = [each for each in permissions(name) if each != lacking]
            assert not found(world, plant(world, name, [*others, "s3:ListAllMyBuckets"]), name), f"without {lacking}"
    for more, bounded in ((deny(permissions(name)[-1], "*"), False), (allow("s3:ListAllMyBuckets", "*"), True)):
        with world.rehearsal():
            assert not found(world, plant(world, name, permissions(name), more, boundary=bounded), name)


@pytest.mark.skipif(not FILE.exists(), reason="the published list is not beside the project")
def test_every_published_way_has_a_row_with_its_permissions() -> None:
    published = {row["id"]: set(row["permissions"]) for row in json.loads(FILE.read_text("utf-8"))}
    assert {name: set(permissions(name)) for name in ROWS} == published


def test_a_condition_on_the_service_that_a_role_is_passed_to_counts(world: Cloud) -> None:
    with world.rehearsal():
        only = {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
        passing = allow("iam:PassRole", "*", Condition=only)
        actions = ["lambda:CreateFunction", "lambda:InvokeFunction", "ec2:RunInstances"]
        who = plant(world, "lambda-001", actions, passing)
        assert {way.id for way in find(world, [who])} == {"ec2-001"}


def test_a_condition_that_nobody_knows_is_kept(world: Cloud) -> None:
    with world.rehearsal():
        iam = world.account("dev").admin.client("iam")
        condition = {"StringEquals": {"sts:ExternalId": "acme"}}
        iam.create_role(RoleName="vendor", AssumeRolePolicyDocument=trust({"AWS": ACCOUNT}, Condition=condition))
        who = plant(world, "sts-001", ["sts:AssumeRole"])
        [way] = [each for each in found(world, who, "sts-001") if each.target.endswith("vendor")]
        assert way.needs == ("sts:ExternalId is acme",)
        assert not walk(world, way).done


def test_a_condition_on_where_somebody_asks_from_is_kept(world: Cloud) -> None:
    with world.rehearsal():
        office = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
        who = plant(world, "iam-007", [], allow("iam:PutUserPolicy", "*", Condition=office))
        [way] = found(world, who, "iam-007")
        assert way.needs == ("aws:SourceIp is in 192.0.2.0/24",)


def test_who_a_trust_policy_names_needs_no_permission_to_assume_the_role(world: Cloud) -> None:
    with world.rehearsal():
        iam = world.account("dev").admin.client("iam")
        mallory = arn("user", "mallory")
        iam.create_role(RoleName="named", AssumeRolePolicyDocument=trust({"AWS": mallory}))
        [way] = find(world, [mallory])
        assert (way.id, way.target) == ("sts-001", arn("role", "named"))
        assert walk(world, way).done


def test_an_administrator_has_no_way_left(world: Cloud) -> None:
    assert find(world, [arn("user", "victim"), arn("role", "power")]) == []


def test_nobody_without_permissions_has_a_way(world: Cloud) -> None:
    assert find(world, [arn("user", "mallory")]) == []


def test_a_rehearsal_leaves_nothing(world: Cloud) -> None:
    with world.rehearsal():
        who = plant(world, "iam-002", ["iam:CreateAccessKey"])
        [way] = [each for each in found(world, who, "iam-002") if each.target.endswith("victim")]
        assert walk(world, way).done
        iam = world.account("dev").admin.client("iam")
        assert iam.list_access_keys(UserName="victim")["AccessKeyMetadata"] == []


@pytest.mark.parametrize("seed", range(5))
def test_in_a_world_by_chance_what_is_claimed_can_be_walked_and_what_is_not_is_refused(seed: int, world: Cloud) -> None:
    """Policies by chance, with resources, conditions and denies; rows that the lab can perform wholly."""
    chance = random.Random(seed)
    whole = [name for name, row in ROWS.items() if row.get("become") or row["gains"] == "any"]  # shown to the end
    rows = [name for name in whole if ROWS[name]["on"] != "running" and "needs" not in ROWS[name]]
    statements = []
    for name in chance.sample(rows, 6):
        for action in permissions(name):
            resource = chance.choice(
                ["*", "*", arn("user", "victim"), arn("role", "*"), "arn:aws:lambda:*:*:function:*"]
            )
            effect = deny if chance.random() < 0.1 else allow
            mfa = {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}} if chance.random() < 0.1 else {}
            statements.append(effect(action, resource, **mfa))
    with world.rehearsal():
        who = plant(world, "iam-002", [], *statements)
        claimed = find(world, [who])
        for way in claimed:
            if ROWS[way.id].get("walk") and not way.needs:
                outcome = walk(world, way)
                assert outcome.done, (way.sentence, outcome)
        pairs = {(way.id, way.target, way.policy) for way in claimed}
        power, own = arn("role", "power"), arn("policy", "readers")
        targets = {"user": (arn("user", "victim"), ""), "role": (power, ""), "passed": (power, ""),
                   "role policy": (arn("role", "reader"), own), "self": (who, "")}  # fmt: skip
        refused = 0
        for name in rows:
            row = ROWS[name]
            target, policy = targets.get(row["on"], ("", ""))
            if target and row.get("who", "user") == "user" and (name, target, policy) not in pairs:
                assert not walk(world, Way(name, who, target, policy, "", ())).done, (name, target)
                refused += 1
        assert refused > 5
