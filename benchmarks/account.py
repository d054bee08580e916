"""Somebody's own account: dumps of 1,000 roles in one account and of 10,000 in 100, in processor time.

A role has a trust policy that names another, an inline policy of ten statements, an AWS-managed policy and one of fifty
of the account's own.
"""

from __future__ import annotations

import gc
import json
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3

from benchmarks.growth import exponent
from benchmarks.row import Row
from simlib import Cloud
from simlib.audit.exposure import Audit
from simlib.audit.facts import Facts
from simlib.audit.graph import AccessMap
from simlib.cloud.inspection import Place
from simlib.cloud.storage import iam_entities
from simlib.iam import Policy
from simlib.lab import AccessGraph

ACTIONS = ("s3:Get*", "s3:PutObject", "sqs:*", "dynamodb:Query", "logs:PutLogEvents", "sns:Publish", "ec2:Describe*")
LOAD, GRAPH, WAYS = "the dump opened", "AccessGraph, built", "every way to power looked for"
PATH, EDIT, CALL = "a path query", "the graph after one edited policy", "the graph after one real call"


def measure() -> Iterator[Row]:
    Cloud.start().stop()  # what is loaded once in a process is no part of it
    one = of_dumps(1, 1_000)
    limits = {LOAD: 1.0, GRAPH: 3.0}
    for what, seconds in one.items():
        yield Row(f"{what}, 1,000 roles in one account", seconds, "s", most=limits.get(what))
    many = of_dumps(100, 100)
    limits = {LOAD: 8.0, GRAPH: 60.0, PATH: 0.1, EDIT: 0.3, CALL: 0.3}
    for what, seconds in many.items():
        yield Row(f"{what}, 10,000 roles in 100 accounts", seconds, "s", most=limits.get(what))
    for what, seconds in of_dumps(1, 10_000).items():
        yield Row(f"{what}, 10,000 roles in one account", seconds, "s")
        yield Row(
            f"{what}: exponent, 1,000 to 10,000 roles", exponent((1_000, 10_000), (one[what], seconds)), "", most=1.2
        )
    yield Row("the most memory", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "MB", most=1_500)


def of_dumps(accounts: int, roles: int) -> dict[str, float]:
    """Seconds of processor time for each step."""
    with tempfile.TemporaryDirectory() as folder:
        for index in range(accounts):
            Path(folder, f"{index}.json").write_text(json.dumps(dump(f"{index + 1:012}", roles)), "utf-8")
        worlds: list[Cloud] = []
        taken = {LOAD: seconds(lambda: worlds.append(Cloud.load(folder)))}
        graphs: list[AccessGraph] = []
        taken[GRAPH] = seconds(lambda: graphs.append(AccessGraph(worlds[0])))
        first, last = (f"arn:aws:iam::000000000001:role/role-{index}" for index in (8, 57))
        taken[PATH] = seconds(lambda: graphs[0].paths(first, last))
        edited = {"Version": "2012-10-17", "Statement": [{**TRUSTING, "Principal": {"AWS": first}}]}
        access = AccessMap(Facts(worlds[0]))
        policy = Policy.parse(edited, "trust")
        after: list[AccessMap] = []
        taken[EDIT] = seconds(lambda: after.append(access.edited({Place(last, "trust"): policy})))
        if set(after[0].graph.edges) == set(access.graph.edges):
            raise RuntimeError("the edit changes nothing, so nothing is measured")
        root = boto3.Session(*iam_entities.root_key("000000000001"), region_name="us-east-1")
        root.client("iam").update_assume_role_policy(RoleName="role-57", PolicyDocument=json.dumps(edited))
        taken[CALL] = seconds(lambda: graphs[0].graph)
        if not graphs[0].changes:
            raise RuntimeError("the call changes nothing, so nothing is measured")
        taken[WAYS] = seconds(lambda: Audit(worlds[0]).all_ways)
        worlds[0].stop()
        return taken


TRUSTING = {"Effect": "Allow", "Action": "sts:AssumeRole"}


def seconds(work: Callable[[], object]) -> float:
    gc.collect()  # what was left by the step before is no part of this one
    started = time.process_time()
    work()
    return time.process_time() - started


def dump(account: str, roles: int) -> dict[str, Any]:
    def arn(kind: str, name: str) -> str:
        return f"arn:aws:iam::{account}:{kind}/{name}"

    def policy(name: str) -> dict[str, Any]:
        version = {"VersionId": "v1", "IsDefaultVersion": True, "Document": document(name)}
        return {
            "PolicyName": name,
            "Arn": arn("policy", name),
            "DefaultVersionId": "v1",
            "PolicyVersionList": [version],
        }

    details = []
    for index in range(roles):
        statement = {**TRUSTING, "Principal": {"AWS": arn("role", f"role-{(index * 7 + 1) % roles}")}}
        attached = ["arn:aws:iam::aws:policy/ReadOnlyAccess", arn("policy", f"policy-{index % 50}")]
        details.append(
            {
                "RoleName": f"role-{index}",
                "Arn": arn("role", f"role-{index}"),
                "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
                "RolePolicyList": [{"PolicyName": "work", "PolicyDocument": document(f"role-{index}")}],
                "AttachedManagedPolicies": [{"PolicyArn": each} for each in attached],
            }
        )
    return {"RoleDetailList": details, "Policies": [policy(f"policy-{index}") for index in range(50)]}


def document(name: str) -> dict[str, Any]:
    statements = [
        {"Effect": "Allow", "Action": list(ACTIONS[: 1 + index % 7]), "Resource": f"arn:aws:s3:::{name}-{index}/*"}
        for index in range(10)
    ]
    return {"Version": "2012-10-17", "Statement": statements}
