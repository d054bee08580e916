"""Looking at a world: who could ask, what counts, and what the gate would decide – the same answer as the gate's."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simlib import Cloud, Policy
from simlib.cloud.inspection import Place, Principal
from simlib.cloud.transport.refusals import Refusal
from simlib.iam import Evaluation

from .conftest import allow, deny, document, new_user, trust

BUCKET = "arn:aws:s3:::reports"
FILE = f"{BUCKET}/a.csv"
DEV, PROD = "111111111111", "222222222222"
ALICE, BOB = f"arn:aws:iam::{DEV}:user/alice", f"arn:aws:iam::{DEV}:user/bob"
READER = f"arn:aws:iam::{DEV}:role/team/reader"
EC2 = "ec2.amazonaws.com"


@dataclass
class World:
    """Two accounts of an organization, and the identities in them, signed in."""

    aws: Cloud
    who: dict[str, Any]

    @property
    def inspect(self) -> Any:
        return self.aws.inspect


@pytest.fixture
def world(aws: Cloud) -> World:
    dev = aws.account("dev")
    dev.admin.client("organizations").create_organization()
    prod = aws.account("prod", organization=dev)
    iam, s3 = dev.admin.client("iam"), dev.admin.client("s3")
    s3.create_bucket(Bucket="reports")
    s3.put_object(Bucket="reports", Key="a.csv", Body=b"1", Tagging="team=blue")
    alice = new_user(aws, iam, "alice", allow("s3:GetObject"), allow("sts:AssumeRole"))
    iam.create_group(GroupName="developers")
    iam.put_group_policy(
        GroupName="developers", PolicyName="list", PolicyDocument=document(allow("s3:ListBucket", BUCKET))
    )
    iam.add_user_to_group(GroupName="developers", UserName="alice")
    bob = new_user(aws, iam, "bob")
    cage = iam.create_policy(PolicyName="cage", PolicyDocument=document(allow("s3:GetObject")))["Policy"]["Arn"]
    carol = new_user(aws, iam, "carol", allow("*"))
    iam.put_user_permissions_boundary(UserName="carol", PermissionsBoundary=cage)
    wants = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    dave = new_user(
        aws, iam, "dave", allow("s3:*"), deny("s3:GetObject", Condition={"Null": {"aws:TokenIssueTime": "true"}})
    )
    erin = new_user(aws, iam, "erin", allow("s3:*", Condition=wants))
    iam.create_role(RoleName="reader", Path="/team/", AssumeRolePolicyDocument=trust({"AWS": [ALICE, PROD]}))
    iam.put_role_policy(RoleName="reader", PolicyName="read", PolicyDocument=document(allow("s3:*")))
    policy = document(
        {**allow("s3:GetObject", f"{BUCKET}/*"), "Principal": {"AWS": BOB}},
        {**allow("s3:GetObject", f"{BUCKET}/*"), "Principal": {"AWS": PROD}},
        {**deny("s3:DeleteBucket", BUCKET), "Principal": "*"},
    )
    s3.put_bucket_policy(Bucket="reports", Policy=policy)
    frank = new_user(aws, prod.admin.client("iam"), "frank", allow("s3:GetObject"), allow("sts:AssumeRole"))
    grace = new_user(aws, prod.admin.client("iam"), "grace")
    sts = alice.client("sts")
    narrow = document(allow("s3:ListBucket"))
    return World(
        aws,
        {
            "alice": alice, "bob": bob, "carol": carol, "dave": dave, "erin": erin, "frank": frank, "grace": grace,
            "root": dev.root, "administrator": dev.admin, "the other administrator": prod.admin,
            "a session": aws.sign_in(sts.assume_role(RoleArn=READER, RoleSessionName="first")),
            "a narrowed session": aws.sign_in(
                sts.assume_role(RoleArn=READER, RoleSessionName="narrow", Policy=narrow)
            ),
            "a user's session": aws.sign_in(sts.get_session_token()),
            "dave's session": aws.sign_in(dave.client("sts").get_session_token()),
        },
    )  # fmt: skip


Call = Callable[[Any], Any]
# what is called, and what the gate decides for it
CALLS: dict[str, tuple[Call, str, str]] = {
    "reads a file": (lambda i: i.client("s3").get_object(Bucket="reports", Key="a.csv"), "s3:GetObject", FILE),
    "lists": (lambda i: i.client("s3").list_objects_v2(Bucket="reports"), "s3:ListBucket", BUCKET),
    "deletes the bucket": (lambda i: i.client("s3").delete_bucket(Bucket="reports"), "s3:DeleteBucket", BUCKET),
    "lists users": (lambda i: i.client("iam").list_users(), "iam:ListUsers", f"arn:aws:iam::{DEV}:user/"),
    "borrows": (
        lambda i: i.client("sts").assume_role(RoleArn=READER, RoleSessionName="session"),
        "sts:AssumeRole",
        READER,
    ),
}


def outcome(evaluation: Evaluation) -> tuple[str, list[tuple[str, str, list[tuple[str, list[int]]]]]]:
    """Everything a decision consists of."""
    checks = [
        (c.check_type, c.effect, [(m.policy.name, [s.index for s in m.statements]) for m in c.matched_policies])
        for c in evaluation.checks
    ]
    return evaluation.effect, checks


@pytest.mark.parametrize("call", CALLS)
def test_it_decides_as_the_gate_does(world: World, call: str) -> None:
    make, action, resource = CALLS[call]
    met = set()
    for name, identity in world.who.items():
        if call == "lists users" and name in ("the other administrator", "frank", "grace"):
            continue  # they list those of their own account
        with suppress(ClientError):
            make(identity)
        event = world.aws.trail[-1]
        if not event.evaluations:  # refused before any policy was read: so is the question
            if name == "root":
                assert not world.inspect.ask(event.who, action, resource).allowed
                continue
            with pytest.raises(Refusal) as refused:
                world.inspect.ask(event.access_key_id, action, resource)
            assert refused.value.code == event.error_code
            continue
        decided = event.evaluations[0]
        assert (decided.action, decided.resource) == (action, resource)
        who = event.access_key_id if event.session else event.who
        asked = world.inspect.ask(who, action, resource)
        assert outcome(asked) == outcome(decided), name
        keys = {key.lower() for key in asked.context} ^ {key.lower() for key in decided.context}
        assert keys <= {"s3:prefix", "s3:delimiter", "s3:max-keys", "s3:authtype", "s3:signatureversion",
                        "s3:x-amz-content-sha256", "s3:signatureage"}, name  # fmt: skip
        met.add(asked.effect)
    assert len(met) > (call == "lists users")


def test_looking_leaves_no_trace(world: World) -> None:
    before, sessions = len(world.aws.trail), world.inspect.version
    world.inspect.principals()
    world.inspect.documents(ALICE)
    world.inspect.ask(READER, "s3:GetObject", FILE)
    assert len(world.aws.trail) == before
    assert world.inspect.version == sessions


def parse(kind: str, *statements: dict[str, Any]) -> Policy:
    return Policy.parse(document(*statements), kind)


CAGE = f"arn:aws:iam::{DEV}:policy/cage"
EDITS: list[tuple[str, str, str, str, dict[Place, Policy | None], tuple[bool, bool]]] = [
    (
        "an inline policy is changed",
        ALICE, "s3:GetObject", FILE,
        {Place(ALICE, "identity", "inline"): parse("identity", allow("s3:PutObject"))},
        (True, False),
    ),
    ("it is taken away", ALICE, "s3:GetObject", FILE, {Place(ALICE, "identity", "inline"): None}, (True, False)),
    (
        "a new one is added",
        ALICE, "s3:PutObject", FILE,
        {Place(ALICE, "identity", "new"): parse("identity", allow("s3:PutObject"))},
        (False, True),
    ),
    (
        "the group's policy is taken away",
        ALICE, "s3:ListBucket", BUCKET,
        {Place(f"arn:aws:iam::{DEV}:group/developers", "identity", "list"): None},
        (True, False),
    ),
    (
        "the group gets another",
        ALICE, "s3:PutObject", FILE,
        {Place(f"arn:aws:iam::{DEV}:group/developers", "identity", "more"): parse("identity", allow("s3:*"))},
        (False, True),
    ),
    (
        "a managed policy is changed that is a boundary",
        f"arn:aws:iam::{DEV}:user/carol", "s3:ListBucket", BUCKET,
        {Place(CAGE, "boundary"): parse("boundary", allow("s3:*"))},
        (False, True),
    ),
    (
        "the boundary is taken away",
        f"arn:aws:iam::{DEV}:user/carol", "s3:ListBucket", BUCKET,
        {Place(CAGE, "boundary"): None},
        (False, True),
    ),
    (
        "alice gets a boundary",
        ALICE, "s3:GetObject", FILE,
        {Place(ALICE, "boundary"): parse("boundary", allow("s3:ListBucket"))},
        (True, False),
    ),
    ("the bucket's policy goes", BOB, "s3:GetObject", FILE, {Place(BUCKET, "resource"): None}, (True, False)),
    (
        "an SCP above the account",
        f"arn:aws:iam::{PROD}:user/frank", "s3:GetObject", FILE,
        {Place(PROD, "scp"): parse("scp", deny("s3:*"))},
        (True, False),
    ),
    (
        "a session policy",
        READER, "s3:GetObject", FILE,
        {Place(READER, "session"): parse("session", allow("s3:ListBucket"))},
        (True, False),
    ),
    (
        "the trust policy names bob",
        BOB, "sts:AssumeRole", READER,
        {Place(READER, "trust"): Policy.parse(trust({"AWS": BOB}), "trust")},
        (False, True),
    ),
    (
        "the trust policy names a service",
        EC2, "sts:AssumeRole", READER,
        {Place(READER, "trust"): Policy.parse(trust({"Service": EC2}), "trust")},
        (False, True),
    ),
    (
        "a place that has nothing to do with it",
        ALICE, "s3:GetObject", FILE,
        {Place(BOB, "identity", "inline"): parse("identity", deny("*"))},
        (True, True),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("said", "who", "action", "resource", "instead", "expected"), EDITS, ids=[e[0] for e in EDITS])
def test_edited_documents_count_in_place_of_the_stored(
    world: World,
    said: str,
    who: str,
    action: str,
    resource: str,
    instead: dict[Place, Policy | None],
    expected: tuple[bool, bool],
) -> None:
    before = world.inspect.ask(who, action, resource).allowed
    after = world.inspect.ask(who, action, resource, instead=instead).allowed
    assert (before, after) == expected
    assert world.inspect.ask(who, action, resource).allowed == before


def test_an_edit_that_is_saved_is_what_the_world_then_decides(world: World) -> None:
    edited = parse("identity", allow("s3:PutObject"))
    asked = world.inspect.ask(ALICE, "s3:GetObject", FILE, instead={Place(ALICE, "identity", "inline"): edited})
    iam = world.aws.account("dev").admin.client("iam")
    iam.put_user_policy(UserName="alice", PolicyName="inline", PolicyDocument=json.dumps(edited.document))
    assert asked.effect == world.inspect.ask(ALICE, "s3:GetObject", FILE).effect == "IMPLICIT_DENY"


def test_circumstances_count_whatever_the_case_of_their_keys(world: World) -> None:
    erin = f"arn:aws:iam::{DEV}:user/erin"
    ask = world.inspect.ask
    assert not ask(erin, "s3:GetObject", FILE).allowed
    assert ask(erin, "s3:GetObject", FILE, circumstances={"AWS:multifactorauthpresent": "true"}).allowed
    here = ask(ALICE, "s3:GetObject", FILE)
    assert here.context["aws:SourceIp"] == world.aws.source_ip
    assert (
        ask(ALICE, "s3:GetObject", FILE, circumstances={"aws:sourceip": "192.0.2.1"}).context["aws:sourceip"]
        == "192.0.2.1"
    )
    assert "aws:SourceIp" not in ask(ALICE, "s3:GetObject", FILE, circumstances={"aws:SourceIp": None}).context


def test_everybody_who_can_ask_is_there(world: World) -> None:
    people = world.inspect.principals()
    kinds = {(each.kind, each.name) for each in people}
    assert {("user", "alice"), ("role", "reader"), ("session", "reader/first"), ("root", "root user"),
            ("session", "alice with a session token"), ("service", EC2), ("anonymous", "anonymous"),
            ("outside", "a stranger")} <= kinds  # fmt: skip
    for each in people:  # and can
        assert isinstance(world.inspect.ask(each, "s3:GetObject", FILE), Evaluation)


def test_a_session_is_there_as_long_as_it_lives(world: World) -> None:
    first = next(each for each in world.inspect.principals() if each.name == "reader/first")
    world.aws.clock.advance(hours=2)
    assert "reader/first" not in [each.name for each in world.inspect.principals()]
    with pytest.raises(Refusal) as refused:
        world.inspect.ask(first, "s3:GetObject", FILE)
    assert refused.value.code == "ExpiredToken"


def test_tokens_ask_with_what_they_claim(world: World) -> None:
    provider = world.aws.oidc_provider()
    token = provider.workflow_token("example/shop")
    iam = world.aws.account("dev").admin.client("iam")
    (bearer,) = [each for each in world.inspect.principals() if each.kind == "token"]
    assert bearer.name == "repo:example/shop:ref:refs/heads/main"
    with pytest.raises(Refusal, match="No OpenIDConnect provider found"):
        world.inspect.ask(bearer, "sts:AssumeRoleWithWebIdentity", READER)
    arn = iam.create_open_id_connect_provider(Url=provider.url, ClientIDList=["sts.amazonaws.com"])[
        "OpenIDConnectProviderArn"
    ]
    key = "token.actions.githubusercontent.com:sub"
    for subject, expected in (("repo:example/shop:*", True), ("repo:example/other:*", False)):
        policy = trust({"Federated": arn}, "sts:AssumeRoleWithWebIdentity", Condition={"StringLike": {key: subject}})
        iam.update_assume_role_policy(RoleName="reader", PolicyDocument=policy)
        asked = world.inspect.ask(bearer, "sts:AssumeRoleWithWebIdentity", READER)
        sts = world.aws.account("dev").admin.client("sts")
        with suppress(ClientError):
            sts.assume_role_with_web_identity(RoleArn=READER, RoleSessionName="session", WebIdentityToken=token)
        assert outcome(asked) == outcome(world.aws.trail[-1].evaluations[0])
        assert asked.allowed == expected


def test_somebody_of_an_unknown_account_needs_only_the_owners_side(world: World) -> None:
    mallory = "arn:aws:iam::555555555555:user/mallory"
    assert not world.inspect.ask(mallory, "sts:AssumeRole", READER).allowed
    opened = {Place(READER, "trust"): Policy.parse(trust({"AWS": "555555555555"}), "trust")}
    assert world.inspect.ask(mallory, "sts:AssumeRole", READER, instead=opened).allowed
    assert world.inspect.ask("555555555555", "sts:AssumeRole", READER, instead=opened).allowed


def test_the_documents_that_bear_on_somebody_and_on_something(world: World) -> None:
    places = [each.place for each in world.inspect.documents(ALICE)]
    assert places == [
        Place(ALICE, "identity", "inline"),
        Place(f"arn:aws:iam::{DEV}:group/developers", "identity", "list"),
    ]
    carol = world.inspect.documents(f"arn:aws:iam::{DEV}:user/carol")
    assert [each.place for each in carol][1:] == [Place(CAGE, "boundary")]
    assert carol[1].attached_to.endswith("user/carol")
    assert [each.place for each in world.inspect.documents(READER)] == [
        Place(READER, "identity", "read"),
        Place(READER, "trust"),
    ]
    assert [each.place for each in world.inspect.documents(FILE)] == [Place(BUCKET, "resource")]
    narrow = world.inspect.documents(f"arn:aws:sts::{DEV}:assumed-role/reader/narrow")
    assert [each.place.kind for each in narrow] == ["identity", "session"]
    for each in [*carol, *narrow]:
        Policy.parse(each.text, each.place.kind)


def test_resources_are_there_by_arn(world: World) -> None:
    admin = world.aws.account("prod").admin
    made = {
        admin.client("kms").create_key()["KeyMetadata"]["Arn"],
        admin.client("sns").create_topic(Name="t")["TopicArn"],
        admin.client("secretsmanager").create_secret(Name="s", SecretString="x")["ARN"],
        admin.client("dynamodb").create_table(
            TableName="t", KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}], BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        )["TableDescription"]["TableArn"],
        f"arn:aws:sqs:us-east-1:{PROD}:q",
    }  # fmt: skip
    admin.client("sqs").create_queue(QueueName="q")
    instance = admin.client("ec2").run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)["Instances"][0]
    made.add(f"arn:aws:ec2:us-east-1:{PROD}:instance/{instance['InstanceId']}")
    found = world.inspect.resources()
    assert made | {BUCKET, READER} <= set(found)
    for arn in found:
        world.inspect.documents(arn)


def test_the_version_changes_with_the_world(world: World) -> None:
    versions = [world.inspect.version]
    for change in (
        lambda: world.aws.account("dev").admin.client("iam").create_user(UserName="new"),
        lambda: world.aws.account("third"),
        lambda: world.aws.clock.advance(minutes=1),
        lambda: world.aws.oidc_provider().workflow_token("example/shop"),
    ):
        change()
        versions.append(world.inspect.version)
    assert len(set(versions)) == len(versions)


@pytest.mark.parametrize("who", ["nobody", f"arn:aws:iam::{DEV}:user/nobody", f"arn:aws:iam::{DEV}:role/reader",
    f"arn:aws:sts::{DEV}:federated-user/x", "", "arn:aws:s3:::reports"])  # fmt: skip
def test_who_is_not_there_is_told(world: World, who: str) -> None:
    with pytest.raises(LookupError, match="this world"):
        world.inspect.ask(who, "s3:GetObject", FILE)
    assert isinstance(Principal("anonymous", "anonymous", "", "x").arn, str)


def test_a_principal_is_known_by_any_of_its_names(world: World) -> None:
    find = world.inspect.principal
    assert find(world.who["alice"].access_key_id) == Principal(ALICE, "user", DEV, "alice")
    assert find(READER) == Principal(READER, "role", DEV, "reader")
    first = find(world.who["a session"].access_key_id)
    assert (first.kind, first.name) == ("session", "reader/first")
    assert find(f"arn:aws:iam::{DEV}:root").kind == "root"
    assert find("555555555555").kind == "outside"
    assert [find(name).kind for name in (EC2, "anonymous")] == ["service", "anonymous"]
    token = world.aws.oidc_provider().workflow_token("example/shop")
    assert find(token).kind == "token"


@pytest.mark.parametrize("who", [ALICE, READER, f"arn:aws:sts::{DEV}:assumed-role/reader/first"])
def test_credentials_to_try_it_with_are_those_of_who_was_asked_for(world: World, who: str) -> None:
    key, secret, token = world.inspect.credentials(who)
    identity = world.aws.sign_in({"AccessKeyId": key, "SecretAccessKey": secret, "SessionToken": token})
    told = identity.client("sts").get_caller_identity()["Arn"]
    assert told in (who, f"arn:aws:sts::{DEV}:assumed-role/reader/session")


@pytest.mark.parametrize("who", [EC2, "anonymous", "555555555555"])
def test_who_has_no_credentials_is_told(world: World, who: str) -> None:
    with pytest.raises(LookupError, match="no credentials"):
        world.inspect.credentials(who)


def test_the_document_at_a_place_is_the_one_that_was_listed_there(world: World) -> None:
    world.aws.account("dev").admin.client("s3").put_bucket_policy(
        Bucket="reports", Policy=document(allow("s3:GetObject", FILE, Principal={"AWS": ALICE}))
    )
    asked = [*(each.arn for each in world.inspect.principals() if each.kind != "token"), BUCKET]
    listed = [each for arn in asked for each in world.inspect.documents(arn) if each.place.kind != "session"]
    assert {each.place.kind for each in listed} >= {"identity", "boundary", "trust", "resource", "scp"}
    for each in listed:
        found = world.inspect.document(each.place)
        assert (found.place, found.text, found.name) == (each.place, each.text, each.name)


NOWHERE = "arn:aws:iam::999999999999:role/r"
EMPTY = (
    Place(ALICE, "identity", "none"),
    Place(f"arn:aws:iam::{DEV}:user/x", "identity", "x"),
    Place(f"arn:aws:iam::{DEV}:policy/none", "identity"),
    Place("arn:aws:s3:::none", "resource"),
    Place(NOWHERE, "trust"),
    Place(NOWHERE, "identity", "x"),
    Place("r-1", "scp"),
    Place("nothing", "identity", "x"),
)


@pytest.mark.parametrize("place", EMPTY, ids=str)
def test_nothing_is_at_a_place_where_nothing_is_stored(world: World, place: Place) -> None:
    assert world.inspect.document(place) is None


def test_a_resource_has_an_owner(world: World) -> None:
    assert [world.inspect.owner(arn) for arn in (BUCKET, READER, "arn:aws:s3:::none")] == [DEV, DEV, ""]
