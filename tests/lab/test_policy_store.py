"""Documents of a running world in the editor: read, stored through AWS's own API, refused by it, taken back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from simlib import Cloud, evaluate
from simlib.cloud.inspection import Place
from simlib.lab import PolicyEditor
from simlib.lab.policy.code import LANGUAGES

DEV = "111111111111"
ALICE, ROLE, GROUP = (f"arn:aws:iam::{DEV}:{what}" for what in ("user/alice", "role/team/reader", "group/staff"))
BUCKET = "arn:aws:s3:::my-secure-bucket"


def document(action: str, resource: str | None = "*", principal: Any = None, effect: str = "Allow", **more: Any) -> str:
    statement = {"Effect": effect, "Action": action, **more}
    statement |= {"Resource": resource} if resource else {}
    statement |= {"Principal": principal} if principal else {}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@dataclass
class World:
    aws: Any
    places: dict[str, Place]

    def editor(self, *what: Any, **options: Any) -> PolicyEditor:
        return PolicyEditor.of(self.aws, *(self.places.get(each, each) for each in what), **options)

    def stored(self, place: Place) -> Any:
        found = self.aws.inspect.document(place)
        return json.loads(found.text) if found else None


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """An account with a place of every kind that can be written, and a policy at each."""
    with Cloud.start() as aws:
        dev = aws.account("dev")
        client = dev.admin.client
        iam, root = client("iam"), {"AWS": f"arn:aws:iam::{DEV}:root"}
        iam.create_user(UserName="alice")
        iam.put_user_policy(UserName="alice", PolicyName="read", PolicyDocument=document("s3:GetObject"))
        iam.create_group(GroupName="staff")
        iam.put_group_policy(GroupName="staff", PolicyName="list", PolicyDocument=document("s3:ListBucket"))
        iam.create_role(
            RoleName="reader", Path="/team/", AssumeRolePolicyDocument=document("sts:AssumeRole", None, root)
        )
        iam.put_role_policy(RoleName="reader", PolicyName="read", PolicyDocument=document("s3:GetObject"))
        managed = iam.create_policy(PolicyName="shared", PolicyDocument=document("s3:GetObject"))["Policy"]["Arn"]
        client("s3").create_bucket(Bucket="my-secure-bucket")
        client("s3").put_bucket_policy(
            Bucket="my-secure-bucket", Policy=document("s3:ListBucket", BUCKET, {"AWS": ALICE})
        )
        key = client("kms").create_key()["KeyMetadata"]["Arn"]
        queue = client("sqs").create_queue(QueueName="orders")["QueueUrl"]
        client("sqs").set_queue_attributes(
            QueueUrl=queue, Attributes={"Policy": document("sqs:SendMessage", "*", root)}
        )
        topic = client("sns").create_topic(Name="news")["TopicArn"]
        client("sns").set_topic_attributes(
            TopicArn=topic, AttributeName="Policy", AttributeValue=document("sns:Publish", topic, root)
        )
        secret = client("secretsmanager").create_secret(Name="password", SecretString="x")["ARN"]
        client("secretsmanager").put_resource_policy(
            SecretId=secret, ResourcePolicy=document("secretsmanager:GetSecretValue", "*", root)
        )
        table = client("dynamodb").create_table(
            TableName="ledger",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )["TableDescription"]["TableArn"]
        client("dynamodb").put_resource_policy(ResourceArn=table, Policy=document("dynamodb:GetItem", table, root))
        organizations = client("organizations")
        organizations.create_organization()
        scp = organizations.create_policy(
            Name="fence", Description="", Type="SERVICE_CONTROL_POLICY", Content=document("s3:*", effect="Deny")
        )["Policy"]["PolicySummary"]["Arn"]
        places = {
            "user": Place(ALICE, "identity", "read"),
            "group": Place(GROUP, "identity", "list"),
            "role": Place(ROLE, "identity", "read"),
            "managed": Place(managed, "identity"),
            "boundary": Place(managed, "boundary"),
            "trust": Place(ROLE, "trust"),
            "bucket": Place(BUCKET, "resource"),
            "key": Place(key, "resource"),
            "queue": Place(f"arn:aws:sqs:us-east-1:{DEV}:orders", "resource"),
            "topic": Place(topic, "resource"),
            "secret": Place(secret, "resource"),
            "table": Place(table, "resource"),
            "scp": Place(scp, "scp"),
        }
        yield World(aws, places)


KINDS = ("user", "group", "role", "managed", "boundary", "trust", "bucket", "key", "queue", "topic", "secret", "table",
    "scp")  # fmt: skip


def changed(text: str) -> str:
    """The same policy with another Sid."""
    policy = json.loads(text)
    policy["Statement"][0]["Sid"] = "Changed"
    return json.dumps(policy, indent=2)


@pytest.mark.parametrize("kind", KINDS)
def test_a_document_is_stored_through_the_api_and_taken_back(world: World, kind: str) -> None:
    place = world.places[kind]
    editor, before = world.editor(kind), world.stored(place)
    (shown,) = editor.documents
    assert json.loads(shown.text) == before
    assert (shown.changed, shown.read_only, shown.complete) == (False, False, True)

    editor.edit(changed(shown.text))
    assert shown.changed
    assert world.stored(place) == before, "nothing changes before it is applied"
    assert editor.apply().allowed
    assert world.stored(place)["Statement"][0]["Sid"] == "Changed"
    assert (shown.changed, editor.can_take_back) == (False, True)
    assert shown.note.startswith("Applied by the administrator of dev: ")

    assert editor.take_back().allowed
    assert world.stored(place) == before == json.loads(shown.text)
    assert editor.take_back() is None


@pytest.mark.parametrize(
    ("place", "action"),
    [
        (Place(ALICE, "identity", "new"), "s3:GetObject"),
        (Place(ROLE, "identity", "new"), "s3:GetObject"),
        (Place(GROUP, "identity", "new"), "s3:GetObject"),
    ],
)
def test_a_new_document_begins_blank_and_is_taken_away_again(world: World, place: Place, action: str) -> None:
    editor = world.editor(place)
    assert not editor.front.complete, "there is something to write"
    editor.edit(document(action))
    assert editor.apply().allowed
    assert world.stored(place) is not None
    editor.take_back()
    assert world.stored(place) is None
    assert json.loads(editor.front.text)["Statement"][0]["Action"] == action, "what was written is not lost"


def test_a_bucket_without_a_policy_can_be_given_one(world: World) -> None:
    world.aws.account("dev").admin.client("s3").create_bucket(Bucket="bare")
    editor = world.editor("arn:aws:s3:::bare")
    assert editor.front.name == "policy of bare"
    editor.edit(document("s3:ListBucket", "arn:aws:s3:::bare", {"AWS": ALICE}))
    assert editor.apply().allowed
    editor.take_back()
    assert world.stored(editor.front.place) is None


@pytest.mark.parametrize("kind", ["trust", "bucket", "key", "queue", "topic", "secret", "table"])
def test_a_principal_that_does_not_exist_is_refused_where_it_stands(world: World, kind: str) -> None:
    editor = world.editor(kind)
    before = world.stored(world.places[kind])
    policy = json.loads(editor.front.text)
    nobody = f"arn:aws:iam::{DEV}:user/alcie"
    policy["Statement"][0]["Principal"] = {"AWS": [f"arn:aws:iam::{DEV}:root", nobody]}
    editor.edit(json.dumps(policy, indent=2))
    assert editor.front.complete, "as a text it is right"
    assert not editor.apply().allowed
    refused = editor.front.refused
    assert editor.front.text[refused.start : refused.end] == f'"{nobody}"'
    assert refused.text.startswith("AWS refuses it: ")
    assert editor.front.summary == "✘ AWS has refused it. What is stored has not changed."
    assert f"✘ Mistake. {refused.place}: {refused.text}" in str(editor)
    assert world.stored(world.places[kind]) == before
    assert not editor.can_take_back
    editor.edit(editor.front.text + " ")
    assert editor.front.refused is None, "said of that text alone"


def test_who_may_not_is_refused(world: World) -> None:
    iam = world.aws.account("dev").admin.client("iam")
    alice = world.aws.sign_in(iam.create_access_key(UserName="alice"))
    editor = world.editor("role", by=alice)
    editor.edit(changed(editor.front.text))
    done = editor.apply()
    assert (done.allowed, done.code) == (False, "AccessDenied")
    assert "is not authorized to perform: iam:PutRolePolicy" in editor.front.refused.text
    assert editor.front.refused.place == "The document"
    iam.delete_access_key(UserName="alice", AccessKeyId=alice.access_key_id)


def test_half_a_policy_is_refused_by_aws_itself(world: World) -> None:
    editor = world.editor("user")
    editor.edit('{"Version": "2012-10-17"')
    assert editor.apply().code == "MalformedPolicyDocument"
    assert editor.front.summary.startswith("✘ Not a policy yet")


def test_an_arn_stands_for_all_that_hangs_on_it(world: World) -> None:
    assert [each.name for each in world.editor(ROLE).documents] == ["read", "trust policy of reader"]
    both = world.editor(ROLE, ALICE)
    assert [each.name for each in both.documents] == ["read of reader", "trust policy of reader", "read of alice"]
    with pytest.raises(LookupError, match="Name one to write"):
        world.editor(f"arn:aws:iam::{DEV}:root")
    with pytest.raises(LookupError, match="There is no"):
        world.editor(f"arn:aws:iam::{DEV}:user/nobody")


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        (Place("arn:aws:iam::aws:policy/AdministratorAccess", "identity"), "AWS's own"),
        (Place(f"arn:aws:sts::{DEV}:assumed-role/reader/first", "session", "Policy"), "given when the session begins"),
        (Place(f"arn:aws:lambda:us-east-1:{DEV}:function:f", "resource"), "a statement at a time"),
        (Place(ALICE, "boundary"), "managed policy"),
        (Place(f"arn:aws:ec2:us-east-1:{DEV}:vpc-endpoint/e", "endpoint"), "no call"),
    ],
)
def test_what_cannot_be_written_is_read_only_and_says_why(world: World, place: Place, reason: str) -> None:
    editor = world.editor(place)
    assert editor.front.read_only
    assert reason in editor.front.note
    assert all(reason in editor.code(language) for language in LANGUAGES)
    with pytest.raises(ValueError, match=reason):
        editor.apply()


def test_a_text_of_no_world_cannot_be_applied() -> None:
    editor = PolicyEditor("{}")
    with pytest.raises(ValueError, match="no place in a world"):
        editor.apply()
    assert editor.code("boto3").startswith("This text belongs to no")


def test_reading_leaves_no_trace(world: World) -> None:
    calls = len(world.aws.trail)
    editor = world.editor(ROLE, BUCKET)
    editor.edit(changed(editor.front.text))
    editor.reload()
    editor.complete('{"Statement": {"Principal": {"AWS": "', 37, "trust policy of reader")
    assert len(world.aws.trail) == calls
    assert not editor.front.changed


def test_watchers_are_told_when_the_world_has_changed(world: World) -> None:
    editor, told = world.editor("user"), []
    editor.on_edit = lambda: told.append(editor.front.note)
    editor.apply()
    editor.take_back()
    editor.reload()
    assert [note[:7] for note in told] == ["Applied", "Taken b", ""]


def test_names_of_the_running_world_are_offered(world: World) -> None:
    editor = world.editor("trust", "role")
    begun = '{"Statement": {"Principal": {"AWS": "'
    offered = [word.text for word in editor.complete(begun, len(begun), "trust policy of reader").words]
    assert {ALICE, ROLE, f"arn:aws:iam::{DEV}:root"} <= set(offered)
    world.aws.account("dev").admin.client("iam").create_user(UserName="newcomer")
    offered = [word.text for word in editor.complete(begun, len(begun), "trust policy of reader").words]
    assert f"arn:aws:iam::{DEV}:user/newcomer" in offered
    begun = '{"Statement": {"Resource": "arn:aws:s3'
    offered = [word.text for word in editor.complete(begun, len(begun), "read").words]
    assert {BUCKET, f"{BUCKET}/*"} <= set(offered)


def test_an_edited_document_decides_in_the_place_of_the_stored_one(world: World) -> None:
    editor = world.editor("user")
    editor.edit(document("s3:PutObject"))
    answer = world.aws.inspect.ask(ALICE, "s3:PutObject", f"{BUCKET}/x", instead=editor.instead)
    editor.light(answer)
    assert answer.allowed
    assert [remark.state for remark in editor.front.remarks.values()] == ["allows"]
    assert not world.aws.inspect.ask(ALICE, "s3:PutObject", f"{BUCKET}/x").allowed
    assert evaluate is not None


def test_a_managed_policy_can_be_applied_more_often_than_aws_keeps_versions(world: World) -> None:
    editor = world.editor("managed")
    for number in range(7):
        editor.edit(document("s3:GetObject", Sid=f"Take{number}"))
        assert editor.apply().allowed
    assert world.stored(world.places["managed"])["Statement"][0]["Sid"] == "Take6"


def test_an_account_that_was_not_mentioned_has_nobody_to_apply(world: World) -> None:
    organizations = world.aws.account("dev").admin.client("organizations")
    made = organizations.create_account(Email="x@example.com", AccountName="new")["CreateAccountStatus"]["AccountId"]
    editor = world.editor(Place(f"arn:aws:iam::{made}:role/OrganizationAccountAccessRole", "trust"))
    editor.edit(document("sts:AssumeRole", None, {"AWS": DEV}))
    with pytest.raises(ValueError, match=f"Account {made} has not been mentioned"):
        editor.apply()
