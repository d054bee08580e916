"""How time grows with the world: 10, 100 and 1,000 roles in 20 accounts, and the exponent of the growth.

One time = a · roles ^ exponent, by least squares over the logarithms: 1 is linear, 2 asks every pair; over all sizes,
and over the last tenfold step, where what costs the same in every world hides nothing. Each account has
its administrator, users, buckets and roles of five kinds, so that the number of links grows as the number of roles.
"""

from __future__ import annotations

import json
import math
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.row import Row
from simlib import Cloud
from simlib.lab import AccessGraph, TrustExplorer

SIZES = (10, 100, 1_000)
ACCOUNTS = 20
ROUNDS = 3
LIMIT = 1.2  # of the exponent


def measure() -> Iterator[Row]:
    taken: dict[str, list[float]] = {}
    for roles in SIZES:
        for what, seconds in of_a_world(roles):
            taken.setdefault(what, []).append(seconds)
    for what, times in taken.items():
        for roles, seconds in zip(SIZES, times, strict=True):
            yield Row(f"{what}, {roles:,} roles", seconds * 1e3, "ms")
        for first in (0, 1):
            said = f"{what}: exponent of its growth, {SIZES[first]:,} to {SIZES[-1]:,} roles"
            yield Row(said, exponent(SIZES[first:], times[first:]), "", most=LIMIT)


def of_a_world(roles: int) -> Iterator[tuple[str, float]]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "world.json")
        with Cloud.start() as world:
            populate(world, roles)
            world.save(file)
        yield "start: the world loaded from its file", best(lambda: Cloud.load(file))
        with Cloud.load(file) as world:
            yield from of_calls(world)
            yield from of_trust_explorer(world)
            yield from of_access_graph(world, roles)


def of_calls(world: Cloud) -> Iterator[tuple[str, float]]:
    admin = world.account("team-0").admin
    user = world.sign_in(admin.client("iam").create_access_key(UserName="111111111111-user"))
    iam, sts = admin.client("iam"), user.client("sts")
    yield "a call: IAM GetRole", best(lambda: iam.get_role(RoleName="role-0"), rounds=20)
    role = "arn:aws:iam::111111111111:role/role-0"
    yield "a call: STS AssumeRole", best(lambda: sts.assume_role(RoleArn=role, RoleSessionName="me"), rounds=20)


def of_trust_explorer(world: Cloud) -> Iterator[tuple[str, float]]:
    iam = world.account("team-0").admin.client("iam")
    panel = TrustExplorer(world, role="arn:aws:iam::111111111111:role/role-0")
    seen = panel.answers

    def changed() -> None:
        """The world is another one after any call."""
        iam.get_user()
        panel.refresh()

    yield "TrustExplorer, refreshed", best(changed)
    if panel.answers is seen:
        raise RuntimeError("the panel has not decided again, so nothing is measured")


def of_access_graph(world: Cloud, roles: int) -> Iterator[tuple[str, float]]:
    yield "AccessGraph, built", best(lambda: AccessGraph(world))
    graph = AccessGraph(world)
    last = (roles - 1) // ACCOUNTS * ACCOUNTS  # the youngest role of the first account
    bucket = f"arn:aws:s3:::ledger-{last // 10}"
    if not graph.paths("111111111111-user", bucket):
        raise RuntimeError(f"there is no way to {bucket}, so nothing is measured")
    yield "AccessGraph, a path query", best(lambda: graph.paths("111111111111-user", bucket), rounds=20)
    yield "AccessGraph, a blast radius", best(lambda: graph.blast_radius("111111111111-user"), rounds=20)


def best(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Seconds of processor time, of the fastest of some rounds: what else the machine does is no growth."""
    fastest = math.inf
    for _ in range(rounds):
        started = time.process_time()
        work()
        fastest = min(fastest, time.process_time() - started)
    return fastest


def exponent(sizes: Sequence[int], times: Sequence[float]) -> float:
    """The slope of the line through the logarithms."""
    xs, ys = [math.log(size) for size in sizes], [math.log(seconds) for seconds in times]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum((a - x) ** 2 for a in xs)


# -- the world ---------------------------------------------------------------------------------------------------------


def populate(world: Cloud, roles: int) -> None:
    """`roles` roles, role n in account n modulo 20; each trusts something else, and may assume the next in its team."""
    accounts = [world.account(f"team-{number}") for number in range(ACCOUNTS)]
    for account in accounts:
        iam = account.admin.client("iam")
        iam.create_user(UserName=f"{account.id}-user")
        iam.put_user_policy(
            UserName=f"{account.id}-user", PolicyName="assume", PolicyDocument=document(own_roles(account.id))
        )
        iam.create_access_key(UserName=f"{account.id}-user")
    clients = [account.admin.client("iam") for account in accounts]
    for number in range(roles):
        at = number % ACCOUNTS
        name = f"role-{number}"
        clients[at].create_role(RoleName=name, AssumeRolePolicyDocument=document(trust(accounts, number)))
        clients[at].put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(*allows(accounts, number)))
        if number % 10 == 0:
            accounts[at].admin.client("s3").create_bucket(Bucket=f"ledger-{number // 10}")


def own_roles(account: str) -> dict[str, Any]:
    return allow("sts:AssumeRole", f"arn:aws:iam::{account}:role/role-*")


def trust(accounts: list[Any], number: int) -> dict[str, Any]:
    """By turns: the account, the role before it, EC2, an account nobody knows, the account again."""
    before = number - 1
    named = f"arn:aws:iam::{accounts[before % ACCOUNTS].id}:role/role-{before}" if number else accounts[0].id
    principal: dict[str, Any] = {
        1: {"AWS": named},
        2: {"Service": "ec2.amazonaws.com"},
        3: {"AWS": [named, "999999999999"]},
    }.get(number % 5, {"AWS": [accounts[number % ACCOUNTS].id, named]})
    return {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}


def allows(accounts: list[Any], number: int) -> Iterator[dict[str, Any]]:
    """The next role, by name; the bucket of its ten; and sometimes to pass the one after the next to a machine."""
    after = number + 1
    yield allow("sts:AssumeRole", f"arn:aws:iam::{accounts[after % ACCOUNTS].id}:role/role-{after}")
    bucket = f"arn:aws:s3:::ledger-{number // 10}"
    yield allow("s3:*", bucket) | {"Resource": [bucket, f"{bucket}/*"]}
    if number % 5 == 0:
        yield allow("ec2:RunInstances", "*")
        yield allow("iam:PassRole", f"arn:aws:iam::*:role/role-{number + ACCOUNTS}")


def allow(action: str, resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
