"""Which edges the graph has: what the engine allows, all of it, and nothing else."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from contextlib import suppress
from fnmatch import fnmatchcase
from typing import Any

import networkx as nx
import pytest

from simlib import Cloud
from simlib.audit.arns import Arns
from simlib.audit.facts import Facts
from simlib.audit.graph import ACTS, ASSUMES, OWNS, RUNS, STARTS, TAKES, USES, AccessMap
from simlib.audit.paths import cuts, who_reaches
from simlib.cloud.inspection import Place
from simlib.iam import Policy
from tests.lab.access_world import allow, arn, bucket, document, incident, profile, role, trust, user

LEDGER = "arn:aws:s3:::ledger"
OTHERS = "555555555555"


@pytest.fixture
def aws() -> Iterator[Cloud]:
    with Cloud.start() as world:
        yield world


@pytest.fixture
def dev(aws: Cloud) -> Any:
    return aws.account("dev")


def graph_of(aws: Cloud, **options: Any) -> nx.DiGraph:
    return AccessMap(Facts(aws, **options)).graph


def kinds(graph: nx.DiGraph, source: str, target: str) -> set[str]:
    return {way.kind for way in graph.edges[source, target]["reasons"]} if graph.has_edge(source, target) else set()


# -- who may assume what: every pair asked, against the graph ----------------------------------------------------------


def test_it_has_an_assume_edge_exactly_where_the_engine_allows_one(aws: Cloud) -> None:
    incident(aws)
    graph = graph_of(aws)
    actors = [each.arn for each in aws.inspect.principals() if each.kind in ("user", "role")]
    roles = [name for name in actors if ":role/" in name]
    pairs = {(who, name) for who in actors for name in roles if who != name}
    allowed = {pair for pair in pairs if aws.inspect.ask(pair[0], "sts:AssumeRole", pair[1]).allowed}
    drawn = {(a, b) for a, b in graph.edges if (a, b) in pairs and ASSUMES in kinds(graph, a, b)}
    assert drawn == allowed
    assert len(allowed) >= 6


def test_it_has_a_permission_edge_exactly_where_the_engine_allows_a_use(aws: Cloud, dev: Any) -> None:
    prod = aws.account("prod")
    for account, name in ((dev, "one"), (dev, "two"), (prod, "three"), (prod, "open")):
        account.admin.client("s3").create_bucket(Bucket=name)
    user(dev, "reads-one", allow("s3:Get*", bucket("one")))
    user(dev, "lists-all", allow("s3:ListBucket", "arn:aws:s3:::*"))
    user(dev, "named-by-three", allow("s3:*", bucket("three")))
    user(dev, "named-only", allow("ec2:*"))
    user(dev, "denied", allow("s3:*"), {"Effect": "Deny", "Action": "s3:*", "Resource": "*"})
    user(prod, "named-by-own", allow("sqs:*"))
    user(prod, "not-resource", {"Effect": "Allow", "Action": "s3:*", "NotResource": bucket("three")})
    names = [arn(dev, "user/named-by-three"), arn(dev, "user/named-only"), arn(prod, "user/named-by-own")]
    policy = {"Effect": "Allow", "Principal": {"AWS": names}, "Action": "s3:*", "Resource": bucket("three")}
    prod.admin.client("s3").put_bucket_policy(Bucket="three", Policy=document(policy))
    graph = graph_of(aws)
    buckets = [f"arn:aws:s3:::{name}" for name in ("one", "two", "three", "open")]
    for who in (each.arn for each in aws.inspect.principals() if each.kind == "user"):
        for target in buckets:
            wanted = {use.action for use in USES["s3"] if aws.inspect.ask(who, use.action, target + use.part).allowed}
            drawn = graph.edges[who, target]["reasons"] if graph.has_edge(who, target) else []
            assert {e.action for way in drawn for e in way.evaluations} == wanted, (who, target)


def test_a_permission_on_a_part_only_is_found(aws: Cloud, dev: Any) -> None:
    dev.admin.client("s3").create_bucket(Bucket="ledger")
    user(dev, "alice", allow("s3:GetObject", f"{LEDGER}/alice/*.csv"))
    (way,) = graph_of(aws).edges[arn(dev, "user/alice"), LEDGER]["reasons"]
    assert way.evaluations[0].resource == f"{LEDGER}/alice/any-object.csv"


# -- what stands in the way --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "needs"),
    [
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, ("MFA",)),
        ({"StringEquals": {"sts:ExternalId": "blue-42"}}, ("sts:ExternalId is blue-42",)),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-none"}}, None),
        ({"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}}, None),
        ({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, ()),
        ({"StringLike": {"aws:RequestTag/team": "blue*"}}, ("aws:RequestTag/team is like blue*",)),
    ],
)
def test_an_edge_that_takes_something_besides_says_so(
    aws: Cloud, dev: Any, condition: dict[str, Any], needs: tuple[str, ...] | None
) -> None:
    user(dev, "alice")
    edge = (arn(dev, "user/alice"), role(dev, "deploy", trust({"AWS": arn(dev, "user/alice")}, Condition=condition)))
    graph = graph_of(aws, circumstances={"aws:SourceIp": "192.0.2.7"})  # of every request
    found = graph.edges[edge]["reasons"] if graph.has_edge(*edge) else []
    assert [way.needs for way in found] == ([] if needs is None else [needs])


# -- from outside ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("principal", "node", "label"),
    [
        ({"AWS": "555555555555"}, "555555555555", "account 555555555555"),
        ({"AWS": "arn:aws:iam::555555555555:root"}, "555555555555", "account 555555555555"),
        ({"AWS": "*"}, "anyone", "anyone at all"),
        ({"AWS": "arn:aws:sts::555555555555:assumed-role/ci/build"}, "555555555555", "account 555555555555"),
    ],
)
def test_a_role_that_trusts_an_account_we_do_not_know(
    aws: Cloud, dev: Any, principal: Any, node: str, label: str
) -> None:
    target = role(dev, "break-glass", trust(principal))
    graph = graph_of(aws)
    assert kinds(graph, node, target) == {ASSUMES}
    assert graph.nodes[node]["label"] == label


def test_an_account_that_is_left_out_is_seen_from_outside_by_its_name(aws: Cloud) -> None:
    incident(aws)
    graph = graph_of(aws, accounts=[aws.account("dev").id, aws.account("prod").id])
    outside = {about["label"] for _, about in graph.nodes(data=True) if about["kind"] == "outside"}
    assert outside == {"account 444444444444 (acme-audit)", "account 555555555555 (mallory)"}
    assert not any("444444444444" in node for node in graph if node != "444444444444")


def test_a_bucket_that_is_open_to_the_world(aws: Cloud, dev: Any) -> None:
    s3 = dev.admin.client("s3")
    s3.create_bucket(Bucket="ledger")
    s3.delete_public_access_block(Bucket="ledger")
    policy = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"{LEDGER}/*"}
    s3.put_bucket_policy(Bucket="ledger", Policy=document(policy))
    (way,) = graph_of(aws).edges["anyone", LEDGER]["reasons"]
    assert (way.does, way.needs) == ("read", ("no credentials at all",))


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({}, {"anyone": ("no credentials at all",)}),
        ({"AWS:SourceOwner": OTHERS}, {OTHERS: ("an AWS service acts for them",)}),
        ({"aws:SourceAccount": OTHERS}, {OTHERS: ("an AWS service acts for them",)}),
        ({"aws:PrincipalAccount": OTHERS}, {OTHERS: ("their own account allows it, which we cannot see",)}),
        ({"aws:SourceArn": f"arn:aws:s3:::{OTHERS}"}, {}),
    ],
)
def test_a_star_with_a_condition_on_an_account_is_that_account_and_not_anyone(
    aws: Cloud, dev: Any, condition: dict[str, str], found: dict[str, tuple[str, ...]]
) -> None:
    sns = dev.admin.client("sns")
    topic = sns.create_topic(Name="news")["TopicArn"]
    statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sns:Publish", "Resource": topic}
    policy = document({**statement, **({"Condition": {"StringEquals": condition}} if condition else {})})
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    graph = graph_of(aws)
    outside = [node for node in graph.predecessors(topic) if graph.nodes[node]["kind"] == "outside"]
    assert {node: graph.edges[node, topic]["reasons"][0].needs for node in outside} == found


def test_the_policy_that_aws_gives_a_new_topic_opens_it_to_nobody_by_itself(aws: Cloud, dev: Any) -> None:
    user(dev, "alice")
    topic = dev.admin.client("sns").create_topic(Name="news")["TopicArn"]
    graph = graph_of(aws)
    named = {graph.nodes[node]["label"] for node in graph.predecessors(topic)}
    assert not named & {"anyone at all", "alice"}


def test_the_tokens_of_a_provider(aws: Cloud, dev: Any) -> None:
    iam = dev.admin.client("iam")
    iam.create_open_id_connect_provider(Url=aws.oidc_provider().url, ClientIDList=["sts.amazonaws.com"])
    provider = arn(dev, "oidc-provider/token.actions.githubusercontent.com")
    claims = {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:example/*"}}
    target = role(dev, "pipeline", trust({"Federated": provider}, "sts:AssumeRoleWithWebIdentity", Condition=claims))
    (way,) = graph_of(aws).edges[provider, target]["reasons"]
    assert way.needs == ("token.actions.githubusercontent.com:sub is like repo:example/*",)
    assert way.evaluations[0].allowed


# -- ways to power, as edges -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "target"),
    [("iam:CreateAccessKey", "user/victim"), ("iam:UpdateAssumeRolePolicy", "role/victim"),
     ("iam:AddUserToGroup", "group/victims")],
)  # fmt: skip
@pytest.mark.parametrize("allowed", [True, False])
def test_taking_over_somebody(aws: Cloud, dev: Any, action: str, target: str, allowed: bool) -> None:
    user(dev, "victim")
    dev.admin.client("iam").create_group(GroupName="victims")
    role(dev, "victim", trust({"Service": "ec2.amazonaws.com"}))
    user(dev, "mallory", allow(action if allowed else "iam:ListUsers"))
    graph = graph_of(aws)
    assert kinds(graph, arn(dev, "user/mallory"), arn(dev, target)) == ({TAKES} if allowed else set())


def test_a_rewritten_trust_policy_does_not_help_past_a_boundary(aws: Cloud, dev: Any) -> None:
    target = role(dev, "victim", trust({"Service": "ec2.amazonaws.com"}))
    user(dev, "mallory", allow("iam:UpdateAssumeRolePolicy"))
    bounded(dev, "mallory", allow("iam:*"))
    assert not graph_of(aws).has_edge(arn(dev, "user/mallory"), target)


@pytest.mark.parametrize("action", ["iam:PutUserPolicy", "iam:AttachUserPolicy", "*", "iam:ListUsers"])
@pytest.mark.parametrize("limited", [True, False])
def test_any_permission_controls_the_account(aws: Cloud, dev: Any, action: str, limited: bool) -> None:
    who = arn(dev, "user/mallory")
    user(dev, "mallory", allow(action))
    user(dev, "victim")
    if limited:
        bounded(dev, "mallory", allow(["s3:*", "iam:Put*", "iam:Attach*"]))
    graph, controls = graph_of(aws), action != "iam:ListUsers" and not limited
    assert kinds(graph, who, dev.id) == ({OWNS} if controls else set())
    assert nx.has_path(graph, who, arn(dev, "user/victim")) is controls


@pytest.mark.parametrize("missing", [None, "iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"])
def test_handing_a_role_to_a_service(aws: Cloud, dev: Any, missing: str | None) -> None:
    target, who = role(dev, "admin", trust({"Service": "lambda.amazonaws.com"})), arn(dev, "user/mallory")
    actions = {"iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"} - {missing or ""}
    user(dev, "mallory", allow(sorted(actions)))
    graph, node = graph_of(aws), f"{who} lambda.amazonaws.com"
    assert (kinds(graph, who, node), kinds(graph, node, target)) == (
        ({STARTS}, {RUNS}) if missing is None else (set(), set())
    )


def test_getting_into_a_machine_that_runs(aws: Cloud, dev: Any) -> None:
    target = role(dev, "web-app", trust({"Service": "ec2.amazonaws.com"}))
    profile(dev, "web-app")
    named = {"Name": "web-app"}
    made = dev.admin.client("ec2").run_instances(
        ImageId="ami-12345678", MinCount=1, MaxCount=1, IamInstanceProfile=named
    )
    machine = f"arn:aws:ec2:us-east-1:{dev.id}:instance/{made['Instances'][0]['InstanceId']}"
    user(dev, "mallory", allow("ssm:StartSession"))
    graph = graph_of(aws)
    assert kinds(graph, machine, target) == {RUNS}
    assert kinds(graph, arn(dev, "user/mallory"), machine) == {TAKES}


def bounded(account: Any, name: str, statement: dict[str, Any]) -> None:
    iam = account.admin.client("iam")
    made = iam.create_policy(PolicyName="limit", PolicyDocument=document(statement))["Policy"]["Arn"]
    iam.put_user_permissions_boundary(UserName=name, PermissionsBoundary=made)


# -- credentials -------------------------------------------------------------------------------------------------------


def test_a_key_is_its_user_while_it_is_active(aws: Cloud, dev: Any) -> None:
    key, who = user(dev, "alice"), arn(dev, "user/alice")
    assert kinds(graph_of(aws), key, who) == {ACTS}
    dev.admin.client("iam").update_access_key(UserName="alice", AccessKeyId=key, Status="Inactive")
    assert key not in graph_of(aws)


def test_a_session_is_its_role_unless_it_was_narrowed(aws: Cloud, dev: Any) -> None:
    dev.admin.client("s3").create_bucket(Bucket="ledger")
    iam = dev.admin.client("iam")
    iam.create_user(UserName="alice")
    alice = aws.sign_in(iam.create_access_key(UserName="alice"))
    target = role(dev, "reports", trust({"AWS": arn(dev, "user/alice")}), allow("s3:*", bucket("ledger")))
    sts = alice.client("sts")
    wide = sts.assume_role(RoleArn=target, RoleSessionName="wide")["Credentials"]["AccessKeyId"]
    narrow = sts.assume_role(RoleArn=target, RoleSessionName="narrow", Policy=document(allow("s3:ListBucket")))[
        "Credentials"
    ]["AccessKeyId"]
    graph = graph_of(aws)
    assert kinds(graph, wide, target) == {ACTS}
    assert not graph.has_edge(narrow, target)
    assert [way.does for way in graph.edges[narrow, LEDGER]["reasons"]] == ["list"]
    aws.clock.advance(hours=2)
    assert wide not in graph_of(aws)


# -- where candidates are found ----------------------------------------------------------------------------------------


def test_whatever_a_pattern_may_mean_is_found_and_nothing_else() -> None:
    accounts, names = ("111111111111", "222222222222"), ("a-1", "a-2", "b", "team/b", "team/a-1")
    arns = [f"arn:aws:iam::{account}:role/{name}" for account in accounts for name in names]
    chance, found = random.Random(7), 0
    for _ in range(400):
        pattern = chance.choice(arns)
        for _ in range(chance.randrange(3)):
            start = chance.randrange(len(pattern))
            gap = chance.choice(("*", "?", "${aws:username}", "(.*)"))
            pattern = pattern[:start] + gap + pattern[chance.randrange(start, len(pattern) + 1) :]
        wanted = [arn for arn in arns if fnmatchcase(arn, re.sub(r"\$\{[^}]*}", "*", pattern))]
        assert list(Arns(arns).matching(pattern)) == sorted(wanted), pattern
        found += bool(wanted)
    assert found > 100


@pytest.mark.parametrize(
    ("pattern", "held"),
    [
        ("arn:aws:s3:::one/private/report.csv", ["one"]),
        ("arn:aws:s3:::one*/logs/*", ["one", "one-more"]),
        ("arn:aws:s3:::*/logs", ["one", "one-more", "two"]),
        ("*", ["one", "one-more", "two"]),
        ("arn:aws:s3:::three/*", []),
    ],
)
def test_what_holds_the_part_that_is_meant_is_found(pattern: str, held: list[str]) -> None:
    arns = Arns(f"arn:aws:s3:::{name}" for name in ("one", "one-more", "two"))
    assert sorted(arns.holders(pattern)) == [f"arn:aws:s3:::{name}" for name in held]


# -- questions to the graph --------------------------------------------------------------------------------------------


def test_each_change_that_cuts_every_way_is_found_and_none_that_does_not(aws: Cloud, dev: Any) -> None:
    user(dev, "mallory", allow("iam:UpdateAssumeRolePolicy"), allow("s3:ListAllMyBuckets"))
    target = role(dev, "admin", trust({"Service": "lambda.amazonaws.com"}), allow("*"))
    access, who = AccessMap(Facts(aws)), arn(dev, "user/mallory")
    found = [cut.sentence for cut in cuts(access, who, target)]
    assert found == [
        f"take statement 1 out of own of {who}",
        f"deny {who} iam:UpdateAssumeRolePolicy on {target}",
        f"deny {who} sts:AssumeRole on {target}",
    ]
    iam = dev.admin.client("iam")
    deny = next(cut.policy for cut in cuts(access, who, target) if cut.sentence == found[1])
    with aws.rehearsal():
        iam.put_user_policy(UserName="mallory", PolicyName="deny", PolicyDocument=json.dumps(deny.document))
        assert not nx.has_path(graph_of(aws), who, target), "the same by a real call"
    iam.put_user_policy(UserName="mallory", PolicyName="more", PolicyDocument=document(allow("iam:PassRole"),
                        allow(["lambda:CreateFunction", "lambda:InvokeFunction"])))  # fmt: skip
    assert list(cuts(AccessMap(Facts(aws)), who, target)) == [], "no single change cuts two ways"


def test_who_reaches_a_resource_by_which_steps(aws: Cloud, dev: Any) -> None:
    user(dev, "reader", allow("s3:GetObject", f"{LEDGER}/*"))
    user(dev, "nobody", allow("s3:GetObject", f"{LEDGER}-other/*"))
    user(dev, "alice")
    role(dev, "reads", trust({"AWS": arn(dev, "user/alice")}), allow("s3:*"))
    graph = AccessMap(Facts(aws)).asking("s3:GetObject", f"{LEDGER}/a.csv").graph
    lines = {path.line for path in who_reaches(graph, f"{LEDGER}/a.csv")}
    assert {line for line in lines if "lab-admin" not in line} == {
        f"reader → {LEDGER}/a.csv", f"reads → {LEDGER}/a.csv", f"alice → reads → {LEDGER}/a.csv"
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_an_edit_and_a_real_call_decide_anew_all_that_they_bear_on(aws: Cloud, dev: Any, seed: int) -> None:
    """Documents by chance, edited or really stored one after the other: the same graph as one made from scratch."""
    chance, prod = random.Random(seed), aws.account("prod")
    names = [arn(each, f"{kind}/{name}") for each in (dev, prod) for kind, name in (("user", "a"), ("role", "b"))]
    actions = ["sts:AssumeRole", "iam:PutUserPolicy", "iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy", "s3:GetObject",
               "iam:CreateAccessKey", "iam:AddUserToGroup", "lambda:*", "iam:PassRole", "iam:CreatePolicyVersion",
               "*"]  # fmt: skip

    def statement(**more: Any) -> dict[str, Any]:
        effect = chance.choice(["Allow", "Allow", "Allow", "Deny"])
        return {**allow(chance.sample(actions, 3), chance.choice(["*", *names])), "Effect": effect, **more}

    def trusting() -> str:
        principal = chance.choice([{"AWS": chance.choice([dev.id, prod.id, "*", "555555555555", *names[:1]])},
                                   {"Service": "lambda.amazonaws.com"}])  # fmt: skip
        return trust(principal)

    def of_bucket() -> str:
        whom = {"AWS": chance.choice(["*", prod.id, names[0], "555555555555"])}
        return document(statement(Principal=whom, Resource=f"{LEDGER}/*"))

    for account in (dev, prod):
        user(account, "a", statement())
        role(account, "b", trusting(), statement())
    dev.admin.client("s3").create_bucket(Bucket="ledger")
    s3, iam = dev.admin.client("s3"), chance.choice((dev, prod)).admin.client("iam")
    managed = iam.create_policy(PolicyName="managed", PolicyDocument=document(statement()))["Policy"]["Arn"]
    calls = [
        lambda: iam.put_user_policy(UserName="a", PolicyName="own", PolicyDocument=document(statement())),
        lambda: iam.put_role_policy(RoleName="b", PolicyName="own", PolicyDocument=document(statement())),
        lambda: iam.update_assume_role_policy(RoleName="b", PolicyDocument=trusting()),
        lambda: s3.put_bucket_policy(Bucket="ledger", Policy=of_bucket()),
        lambda: s3.delete_bucket_policy(Bucket="ledger"),
        lambda: iam.create_role(RoleName=f"new-{chance.random()}", AssumeRolePolicyDocument=trusting()),
        lambda: iam.delete_role(RoleName=next(each["RoleName"] for each in iam.list_roles()["Roles"])),
        lambda: iam.create_user(UserName=f"new-{chance.random()}"),
        lambda: s3.create_bucket(Bucket=f"new-{chance.randrange(1_000_000)}"),
        lambda: iam.create_group(GroupName=f"new-{chance.random()}"),
        lambda: iam.delete_group(GroupName=iam.list_groups()["Groups"][0]["GroupName"]),
        lambda: iam.create_access_key(UserName="a"),
        lambda: iam.put_user_permissions_boundary(UserName="a", PermissionsBoundary=READ_ONLY),
        lambda: iam.attach_role_policy(RoleName="b", PolicyArn=managed),
        lambda: iam.detach_role_policy(RoleName="b", PolicyArn=managed),
        lambda: iam.tag_role(RoleName="b", Tags=[{"Key": "team", "Value": chance.choice("xy")}]),
    ]  # fmt: skip
    stored, edits = AccessMap(Facts(aws)), dict[Place, Policy | None]()
    for _ in range(12):
        with suppress(Exception):  # where there is nothing to delete
            chance.choice(calls)()
        stored = stored.after(Facts(aws, before=stored.facts))
        same(stored.graph, AccessMap(Facts(aws)).graph)
        place = chance.choice([*(Place(name, "identity", "own") for name in names), Place(LEDGER, "resource"),
                               *(Place(name, "trust") for name in names if ":role/" in name)])  # fmt: skip
        text = {"identity": lambda: document(statement()), "resource": of_bucket, "trust": trusting}[place.kind]()
        edits[place] = Policy.parse(text, place.kind, name=place.name or place.owner)
        same(stored.edited(edits).graph, AccessMap(stored.facts.edited(edits)).graph)


READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def same(one: nx.DiGraph, other: nx.DiGraph) -> None:
    assert told(one) == told(other)
    assert dict(one.nodes(data=True)) == dict(other.nodes(data=True))


def told(graph: nx.DiGraph) -> dict[tuple[str, str], set[str]]:
    return {(a, b): {each.does for each in edge["reasons"]} for a, b, edge in graph.edges(data=True)}
