"""What AccessGraph answers: paths, blast radius, changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any

import networkx as nx
import pytest

from simlib import Cloud
from simlib.audit import paths
from simlib.audit.graph import Reason
from simlib.lab import AccessGraph

from .access_world import (
    LEDGER,
    allow,
    arn,
    aws,
    bucket,
    deploy_trusts_alice,
    document,
    graph,
    keys,
    role,
    trust,
)

__all__ = ["aws", "graph", "keys"]


# -- paths -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "goal", "lines"),
    [
        ("bob", "prod-ledger", ["bob → deploy → a new machine → admin → reports-reader → prod-ledger"]),
        ("bob", LEDGER, ["bob → deploy → a new machine → admin → reports-reader → prod-ledger"]),
        ("mallory", "prod-ledger", ["account 555555555555 (mallory) → break-glass → prod-ledger"]),
        ("acme-audit", LEDGER, ["account 444444444444 (acme-audit) → reports-reader → prod-ledger"]),
        ("bob", "dev", ["bob → deploy → a new machine → admin → everything in dev"]),
        ("web-app", "prod-ledger", []),
        ("head-office", "prod-ledger", []),
    ],
)
def test_the_ways_from_one_to_another(graph: AccessGraph, start: str, goal: str, lines: list[str]) -> None:
    found = graph.paths(start, goal)
    assert [path.line for path in found] == lines
    assert bool(found) is bool(lines)
    assert all(line in str(found) and line in str(graph) for line in lines)


def test_a_path_can_really_be_walked(aws: Cloud, graph: AccessGraph) -> None:
    """mallory's way, call by call."""
    mallory, prod = aws.account("mallory"), aws.account("prod")
    (path,) = graph.paths("mallory", "prod-ledger")
    assert path.nodes == (mallory.id, arn(prod, "role/break-glass"), LEDGER)
    answer = mallory.admin.client("sts").assume_role(RoleArn=path.nodes[1], RoleSessionName="mallory")
    assert aws.sign_in(answer).client("s3").list_objects_v2(Bucket="prod-ledger")["KeyCount"] == 0


def test_each_step_is_explained_by_its_decisions(graph: AccessGraph) -> None:
    for step in graph.paths("bob", "prod-ledger")[0].steps:
        assert all(evaluation.allowed for evaluation in step.evaluations)
        assert step.evaluations
        assert "Allowed: " in step.explanation
    handed = graph.paths("bob", "prod-ledger")[0].steps[2]
    assert [evaluation.action for evaluation in handed.evaluations] == ["iam:PassRole", "sts:AssumeRole"]


def test_a_way_with_a_step_too_many_is_not_shown() -> None:
    g = nx.DiGraph()
    for edge in [("a", "b"), ("b", "c"), ("a", "c"), ("c", "d"), ("b", "d"), ("a", "x"), ("x", "y"), ("y", "d")]:
        g.add_edge(*edge, reasons=[Reason("assumes", "goes")], kind="assumes")
    nx.set_node_attributes(g, {node: node for node in g}, "label")
    assert [path.nodes for path in paths.paths(g, "a", "d")] == [
        ("a", "b", "d"),
        ("a", "c", "d"),
        ("a", "x", "y", "d"),
    ]


def test_a_name_that_is_not_there_or_there_twice_is_told(aws: Cloud, graph: AccessGraph) -> None:
    with pytest.raises(LookupError, match=r"There is nobody and nothing here called 'bbo'. Did you mean 'bob'"):
        graph.paths("bbo", "prod-ledger")
    with pytest.raises(LookupError, match=r"'lab-admin' could be any of: dev/lab-admin, prod/lab-admin\."):
        graph.paths("bob", "lab-admin")
    assert graph.paths("dev/bob", "dev/lab-admin").goal == "lab-admin (dev)"
    assert AccessGraph(aws, accounts=["dev", "prod"]).names() == graph.names()
    graph.ask("bbo", "prod-ledger")
    assert "Did you mean 'bob'" in graph.problem
    graph.ask("", "prod-ledger")
    assert graph.problem.startswith("Say who starts")
    graph.ask("bob", "prod-ledger")
    assert graph.problem == ""


# -- blast radius ------------------------------------------------------------------------------------------------------


def test_a_leaked_key_reaches_what_its_user_reaches(graph: AccessGraph, keys: dict[str, str]) -> None:
    found = graph.blast_radius(keys["bob"])
    labels = {each.label for each in found}
    assert {"bob", "deploy", "admin", "prod-ledger", "my-secure-bucket", "everything in dev", "alice"} <= labels
    assert "break-glass" not in labels
    assert all(each.until is None for each in found)
    assert "(no expiry date)" in found.sentence
    assert {each.node for each in found} == nx.descendants(graph.graph, keys["bob"])


@pytest.mark.parametrize(
    ("edges", "hours"),
    [
        ([("s", "a", 0), ("a", "b", 1), ("b", "r", 0)], {"a": 0, "b": 1, "r": 1}),
        ([("s", "a", 0), ("a", "b", 1), ("b", "c", 1), ("a", "c", 1)], {"c": 2}),
        ([("s", "a", 0), ("a", "b", 1), ("b", "a", 1), ("b", "r", 0)], {"a": None, "b": None, "r": None}),
        ([("s", "a", 0), ("a", "b", inf), ("b", "c", 1), ("a", "d", 1)], {"a": 0, "b": None, "c": None, "d": 1}),
        ([("s", "a", 0), ("a", "a", 1), ("a", "r", 0)], {"a": None, "r": None}),
        ([("s", "a", 0), ("a", "b", 0), ("b", "a", 0)], {"a": 0, "b": 0}),
    ],
    ids=["chain", "longest", "circle", "a key made", "a role that trusts itself", "a circle that gains nothing"],
)
def test_until_when_it_can_be_reached(edges: list[tuple[str, str, float]], hours: dict[str, Any]) -> None:
    g = nx.DiGraph()
    for source, target, lasts in edges:
        way = Reason("assumes", "goes", hours=lasts)
        if source == target:
            g.nodes[source]["renews"] = way
        else:
            g.add_edge(source, target, reasons=[way], kind="assumes")
    nx.set_node_attributes(g, {n: {"label": n, "kind": "role", "account": "1"} for n in g})
    end = datetime(2026, 1, 1, tzinfo=UTC)
    found = {each.node: each.until for each in paths.reach(g, "s", end)}
    for node, lasts in hours.items():
        assert found[node] == (None if lasts is None else end + timedelta(hours=lasts)), node


def test_a_session_ends_and_what_it_opens_an_hour_later(aws: Cloud) -> None:
    dev = aws.account("dev")
    dev.admin.client("s3").create_bucket(Bucket="one")
    first = role(dev, "first", trust({"AWS": dev.id}), allow("sts:AssumeRole", arn(dev, "role/second")))
    role(dev, "second", trust({"AWS": first}), allow("s3:*", bucket("one")))
    session = dev.admin.client("sts").assume_role(RoleArn=first, RoleSessionName="leaked")["Credentials"]
    found = {each.label: each.until for each in AccessGraph(aws).blast_radius(session["AccessKeyId"])}
    end = session["Expiration"]
    assert found == {"first": end, "second": end + timedelta(hours=1), "one": end + timedelta(hours=1)}


# -- changes -----------------------------------------------------------------------------------------------------------


def test_it_follows_the_world_and_marks_what_is_different(aws: Cloud, graph: AccessGraph) -> None:
    graph.paths("bob", "prod-ledger")
    deploy_trusts_alice(aws)
    assert "− bob assumes the role deploy" in graph.changes
    assert not graph.ways
    assert "− assumes" in graph.html
    graph.look_again()
    assert graph.changes == []


def test_a_change_within_a_link_is_told_too(aws: Cloud, graph: AccessGraph) -> None:
    iam = aws.account("prod").admin.client("iam")
    only = document(allow("s3:ListBucket", LEDGER))
    iam.put_role_policy(RoleName="reports-reader", PolicyName="own", PolicyDocument=only)
    assert graph.changes == ["± reports-reader may list prod-ledger (s3:ListBucket)"]


def test_a_session_that_ends_by_itself_is_no_longer_there(aws: Cloud, graph: AccessGraph) -> None:
    dev = aws.account("dev")
    answer = dev.admin.client("sts").assume_role(RoleArn=arn(dev, "role/deploy"), RoleSessionName="one")
    key = answer["Credentials"]["AccessKeyId"]
    assert key in graph.graph
    aws.clock.advance(hours=1, seconds=1)
    assert key not in graph.graph
