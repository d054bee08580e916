"""Looking at a world: who could ask, which documents count, what there is to ask for."""

from __future__ import annotations

import pytest

from simlib import Policy
from simlib.cloud.inspection import Place, Principal
from simlib.iam import Evaluation

from ..conftest import allow, document
from .conftest import ALICE, BUCKET, DEV, EC2, FILE, PROD, READER, World

CAGE = f"arn:aws:iam::{DEV}:policy/cage"


def test_everybody_who_can_ask_is_there(world: World) -> None:
    people = world.inspect.principals()
    kinds = {(each.kind, each.name) for each in people}
    assert {("user", "alice"), ("role", "reader"), ("session", "reader/first"), ("root", "root user"),
            ("session", "alice with a session token"), ("service", EC2), ("anonymous", "anonymous"),
            ("outside", "a stranger")} <= kinds  # fmt: skip
    for each in people:  # and can
        assert isinstance(world.inspect.ask(each, "s3:GetObject", FILE), Evaluation)


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
