"""Resources with a policy of their own: keys, secrets, queues, topics, tables – also from another account.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from simlib import Cloud

from .conftest import allow, document, new_user, refused

OWNER, PARTNER = "111111111111", "222222222222"
CAROL = f"arn:aws:iam::{PARTNER}:user/carol"


@dataclass(frozen=True)
class Kind:
    """A kind of resource: how its owner makes it, shares it and how anybody uses it."""

    service: str
    make: Callable[[Any], str]  # the resource's ARN
    share: Callable[[Any, str, str], Any]
    use: Callable[[Any, str], Any]
    action: str
    shows: bool = True  # whether an error text names the ARN


def statement(principal: Any, action: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*", **more}


def make_key(kms: Any) -> str:
    return str(kms.create_key()["KeyMetadata"]["Arn"])


def share_key(kms: Any, arn: str, text: str) -> None:
    policy = json.loads(text)
    policy["Statement"].append(statement({"AWS": f"arn:aws:iam::{OWNER}:root"}, "kms:*"))
    kms.put_key_policy(KeyId=arn, PolicyName="default", Policy=json.dumps(policy))


def make_table(dynamodb: Any) -> str:
    table = dynamodb.create_table(
        TableName="orders", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )  # fmt: skip
    dynamodb.put_item(TableName="orders", Item={"id": {"S": "1"}})
    return str(table["TableDescription"]["TableArn"])


def url_of(arn: str) -> str:
    _, _, _, region, account, name = arn.split(":")
    return f"https://sqs.{region}.amazonaws.com/{account}/{name}"


def make_queue(sqs: Any) -> str:
    sqs.create_queue(QueueName="jobs")
    return f"arn:aws:sqs:us-east-1:{OWNER}:jobs"


def share_repository(ecr: Any, _: str, text: str) -> None:
    """Its policy speaks of the repository alone, and names no resource."""
    policy = json.loads(text)
    statements = [{name: each[name] for name in each if name != "Resource"} for each in policy["Statement"]]
    ecr.set_repository_policy(repositoryName="app", policyText=json.dumps({**policy, "Statement": statements}))


def share_bus(events: Any, _: str, text: str) -> None:
    """Its statements have names."""
    events.put_permission(EventBusName="orders", Policy=text.replace('"Effect"', '"Sid": "s", "Effect"'))


def make_stream(kinesis: Any) -> str:
    kinesis.create_stream(StreamName="clicks", ShardCount=1)
    return f"arn:aws:kinesis:us-east-1:{OWNER}:stream/clicks"


def make_database(glue: Any) -> str:
    glue.create_database(DatabaseInput={"Name": "sales"})
    return f"arn:aws:glue:us-east-1:{OWNER}:catalog"


KINDS = {
    "a KMS key": Kind(
        "kms", make_key, share_key, lambda c, arn: c.encrypt(KeyId=arn, Plaintext=b"x"), "kms:Encrypt"
    ),
    "a secret": Kind(
        "secretsmanager",
        lambda c: str(c.create_secret(Name="db", SecretString="s3cret")["ARN"]),
        lambda c, arn, text: c.put_resource_policy(SecretId=arn, ResourcePolicy=text),
        lambda c, arn: c.get_secret_value(SecretId=arn)["SecretString"],
        "secretsmanager:GetSecretValue",
    ),
    "a queue": Kind(
        "sqs",
        make_queue,
        lambda c, arn, text: c.set_queue_attributes(QueueUrl=url_of(arn), Attributes={"Policy": text}),
        lambda c, arn: c.send_message(QueueUrl=url_of(arn), MessageBody="hello"),
        "sqs:SendMessage",
    ),
    "a topic": Kind(
        "sns",
        lambda c: str(c.create_topic(Name="news")["TopicArn"]),
        lambda c, arn, text: c.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=text),
        lambda c, arn: c.publish(TopicArn=arn, Message="hello"),
        "sns:Publish",
    ),
    "a table": Kind(
        "dynamodb",
        make_table,
        lambda c, arn, text: c.put_resource_policy(ResourceArn=arn, Policy=text),
        lambda c, arn: c.get_item(TableName=arn, Key={"id": {"S": "1"}})["Item"],
        "dynamodb:GetItem",
    ),
    "a repository": Kind(
        "ecr",
        lambda c: str(c.create_repository(repositoryName="app")["repository"]["repositoryArn"]),
        share_repository,
        lambda c, _: c.list_images(registryId=OWNER, repositoryName="app"),
        "ecr:ListImages",
    ),
    "an event bus": Kind(
        "events",
        lambda c: str(c.create_event_bus(Name="orders")["EventBusArn"]),
        share_bus,
        lambda c, arn: c.put_events(Entries=[{"EventBusName": arn, "Source": "x", "DetailType": "x", "Detail": "{}"}]),
        "events:PutEvents",
    ),
    "a stream": Kind(
        "kinesis",
        make_stream,
        lambda c, arn, text: c.put_resource_policy(ResourceARN=arn, Policy=text),
        lambda c, arn: c.put_record(StreamARN=arn, Data=b"x", PartitionKey="x"),
        "kinesis:PutRecord",
    ),
    "a database of the catalog": Kind(
        "glue",
        make_database,
        lambda c, _, text: c.put_resource_policy(PolicyInJson=text),
        lambda c, _: c.get_database(CatalogId=OWNER, Name="sales"),
        "glue:GetDatabase",
    ),
}  # fmt: skip
EVERY_KIND = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())


@pytest.fixture
def carol(aws: Cloud, dev: Any) -> Any:
    """A user of another account whom nobody allows anything yet."""
    return new_user(aws, aws.account("partner").admin.client("iam"), "carol")


def shared_key(dev: Any) -> str:
    """A KMS key with which both accounts may decrypt."""
    statements = [statement({"AWS": OWNER}, "kms:*"), statement({"AWS": PARTNER}, "kms:Decrypt")]
    return str(dev.admin.client("kms").create_key(Policy=document(*statements))["KeyMetadata"]["Arn"])


def let_carol(aws: Cloud, action: str) -> None:
    theirs = aws.account("partner").admin.client("iam")
    theirs.put_user_policy(UserName="carol", PolicyName="p", PolicyDocument=document(allow([action, "kms:Decrypt"])))


@EVERY_KIND
def test_across_accounts_both_sides_must_allow(aws: Cloud, dev: Any, carol: Any, kind: Kind) -> None:
    owner, client = dev.admin.client(kind.service), carol.client(kind.service)
    arn = kind.make(owner)
    if kind.service == "secretsmanager":  # with AWS's own key it would stay in its account
        owner.update_secret(SecretId=arn, KmsKeyId=shared_key(dev))
    use = lambda: kind.use(client, arn)  # noqa: E731
    assert refused(use)[0] in ("AccessDenied", "AccessDeniedException", "AuthorizationError")
    let_carol(aws, kind.action)
    text = refused(use)[1]
    assert "no resource-based polic" in text  # KMS says it in other words
    kind.share(owner, arn, document(statement({"AWS": CAROL}, kind.action)))
    assert use()
    aws.account("partner").admin.client("iam").delete_user_policy(UserName="carol", PolicyName="p")
    assert "no identity-based policy allows" in refused(use)[1]


@EVERY_KIND
def test_in_its_own_account_a_user_that_the_policy_names_needs_nothing_else(
    aws: Cloud, iam: Any, dev: Any, kind: Kind
) -> None:
    alice = new_user(aws, iam, "alice").client(kind.service)
    owner = dev.admin.client(kind.service)
    arn = kind.make(owner)
    use = lambda: kind.use(alice, arn)  # noqa: E731
    assert "no identity-based policy allows" in refused(use)[1]
    kind.share(owner, arn, document(statement({"AWS": f"arn:aws:iam::{OWNER}:user/alice"}, kind.action)))
    assert use()


@EVERY_KIND
def test_a_deny_of_the_resource_stops_an_administrator(dev: Any, kind: Kind) -> None:
    owner = dev.admin.client(kind.service)
    arn = kind.make(owner)
    kind.share(owner, arn, document(statement("*", kind.action, Effect="Deny")))
    assert "with an explicit deny in a resource-based policy" in refused(lambda: kind.use(owner, arn))[1]


@EVERY_KIND
def test_a_malformed_policy_is_not_stored(dev: Any, kind: Kind) -> None:
    owner = dev.admin.client(kind.service)
    arn = kind.make(owner)
    broken = document({**statement("*", kind.action), "Effect": "Perhaps"})
    assert refused(lambda: kind.share(owner, arn, broken))[0].startswith(
        (
            "MalformedPolicy",
            "InvalidAttribute",
            "InvalidParameter",
            "ValidationException",
            "InvalidInput",
            "InvalidArgument",
        )
    )
    kind.use(owner, arn)


# -- keys ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def kms(dev: Any) -> Any:
    return dev.admin.client("kms")


def test_a_key_policy_that_does_not_name_the_account_shuts_its_administrators_out(dev: Any, iam: Any, kms: Any) -> None:
    iam.create_user(UserName="alice")
    only_alice = statement({"AWS": f"arn:aws:iam::{OWNER}:user/alice"}, "kms:*")
    key = kms.create_key(Policy=document(only_alice), BypassPolicyLockoutSafetyCheck=True)["KeyMetadata"]["KeyId"]
    said = refused(lambda: kms.describe_key(KeyId=key))
    assert "because no resource-based policy allows the kms:DescribeKey action" in said[1]


def test_a_key_policy_that_names_the_account_leaves_it_to_identity_policies(aws: Cloud, iam: Any, kms: Any) -> None:
    arn = make_key(kms)
    alice = new_user(aws, iam, "alice", allow("kms:Encrypt", arn)).client("kms")
    alice.encrypt(KeyId=arn, Plaintext=b"x")
    assert "no identity-based policy allows the kms:DescribeKey" in refused(lambda: alice.describe_key(KeyId=arn))[1]


NAMES: Mapping[str, Callable[[str], str]] = {
    "its ID": lambda arn: arn.rpartition("/")[2],
    "its ARN": lambda arn: arn,
    "an alias": lambda arn: "alias/app",
    "an alias's ARN": lambda arn: arn.partition(":key/")[0] + ":alias/app",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_a_key_is_asked_about_by_its_arn_however_it_is_named(
    aws: Cloud, iam: Any, kms: Any, name: Callable[[str], str]
) -> None:
    arn = make_key(kms)
    kms.create_alias(AliasName="alias/app", TargetKeyId=arn)
    alice = new_user(aws, iam, "alice", allow("kms:Encrypt", arn)).client("kms")
    alice.encrypt(KeyId=name(arn), Plaintext=b"x")
    assert aws.trail[-1].resource == arn


def test_a_policy_may_ask_for_the_alias(aws: Cloud, iam: Any, kms: Any) -> None:
    arn = make_key(kms)
    kms.create_alias(AliasName="alias/app", TargetKeyId=arn)
    by_alias = {"StringEquals": {"kms:RequestAlias": "alias/app"}}
    alice = new_user(aws, iam, "alice", allow("kms:Encrypt", Condition=by_alias)).client("kms")
    alice.encrypt(KeyId="alias/app", Plaintext=b"x")
    assert refused(lambda: alice.encrypt(KeyId=arn, Plaintext=b"x"))[0] == "AccessDeniedException"


def test_a_dry_run_is_decided_and_does_nothing(aws: Cloud, iam: Any, kms: Any) -> None:
    key = make_key(kms)
    trial = {"KeyId": key, "DryRun": True}
    assert refused(lambda: kms.generate_data_key(KeySpec="AES_256", **trial))[0] == "DryRunOperationException"
    assert refused(lambda: kms.decrypt(DryRunModifiers=["IGNORE_CIPHERTEXT"], **trial))[0] == "DryRunOperationException"
    alice = new_user(aws, iam, "alice", allow("kms:Encrypt")).client("kms")
    assert refused(lambda: alice.encrypt(Plaintext=b"x", **trial))[0] == "DryRunOperationException"
    assert refused(lambda: alice.create_grant(GranteePrincipal=CAROL, Operations=["Decrypt"], **trial))[0] == (
        "AccessDeniedException"
    )
    assert kms.list_grants(KeyId=key)["Grants"] == []


def test_a_ciphertext_tells_its_key(aws: Cloud, iam: Any, kms: Any) -> None:
    arn, other = make_key(kms), make_key(kms)
    alice = new_user(aws, iam, "alice", allow("kms:Decrypt", arn)).client("kms")
    blob = kms.encrypt(KeyId=arn, Plaintext=b"hello")["CiphertextBlob"]
    assert alice.decrypt(CiphertextBlob=blob)["Plaintext"] == b"hello"
    others = kms.encrypt(KeyId=other, Plaintext=b"hello")["CiphertextBlob"]
    assert refused(lambda: alice.decrypt(CiphertextBlob=others))[0] == "AccessDeniedException"


def test_an_encryption_context_is_a_condition(aws: Cloud, iam: Any, kms: Any) -> None:
    arn = make_key(kms)
    blue = {"StringEquals": {"kms:EncryptionContext:team": "blue"}}
    alice = new_user(aws, iam, "alice", allow("kms:Encrypt", Condition=blue)).client("kms")
    alice.encrypt(KeyId=arn, Plaintext=b"x", EncryptionContext={"team": "blue"})
    wrong = lambda: alice.encrypt(KeyId=arn, Plaintext=b"x", EncryptionContext={"team": "red"})  # noqa: E731
    assert refused(wrong)[0] == "AccessDeniedException"


def test_reencrypting_asks_both_keys(aws: Cloud, iam: Any, kms: Any) -> None:
    first, second = make_key(kms), make_key(kms)
    blob = kms.encrypt(KeyId=first, Plaintext=b"x")["CiphertextBlob"]
    alice = new_user(aws, iam, "alice", allow("kms:ReEncryptFrom", first)).client("kms")
    again = lambda: alice.re_encrypt(CiphertextBlob=blob, DestinationKeyId=second)  # noqa: E731
    assert f"kms:ReEncryptTo on resource: {second}" in refused(again)[1]
    iam.put_user_policy(UserName="alice", PolicyName="to", PolicyDocument=document(allow("kms:ReEncryptTo", second)))
    again()


def test_an_alias_asks_for_itself_and_its_key(aws: Cloud, iam: Any, kms: Any) -> None:
    arn = make_key(kms)
    alias = f"arn:aws:kms:us-east-1:{OWNER}:alias/app"
    alice = new_user(aws, iam, "alice", allow("kms:CreateAlias", alias)).client("kms")
    make = lambda: alice.create_alias(AliasName="alias/app", TargetKeyId=arn)  # noqa: E731
    assert f"kms:CreateAlias on resource: {arn}" in refused(make)[1]
    iam.put_user_policy(UserName="alice", PolicyName="key", PolicyDocument=document(allow("kms:CreateAlias", arn)))
    make()


def test_a_grant_allows_what_it_lists_until_it_is_revoked(aws: Cloud, iam: Any, kms: Any) -> None:
    arn = make_key(kms)
    alice = new_user(aws, iam, "alice").client("kms")
    encrypt = lambda **more: alice.encrypt(KeyId=arn, Plaintext=b"x", **more)  # noqa: E731
    assert refused(encrypt)[0] == "AccessDeniedException"
    grant = kms.create_grant(
        KeyId=arn, GranteePrincipal=f"arn:aws:iam::{OWNER}:user/alice", Operations=["Encrypt"],
        Constraints={"EncryptionContextSubset": {"team": "blue"}},
    )["GrantId"]  # fmt: skip
    encrypt(EncryptionContext={"team": "blue", "stage": "test"})
    assert refused(encrypt)[0] == "AccessDeniedException"
    assert refused(lambda: alice.describe_key(KeyId=arn))[0] == "AccessDeniedException"
    kms.revoke_grant(KeyId=arn, GrantId=grant)
    assert refused(lambda: encrypt(EncryptionContext={"team": "blue"}))[0] == "AccessDeniedException"


# -- secrets, queues, tables ------------------------------------------------------------------------------------------


def test_a_secrets_arn_ends_with_six_characters_of_its_own(aws: Cloud, iam: Any, dev: Any) -> None:
    arn = dev.admin.client("secretsmanager").create_secret(Name="db", SecretString="s3cret")["ARN"]
    name = arn.rpartition(":")[2]
    assert (name[:3], len(name)) == ("db-", 9)
    alice = new_user(aws, iam, "alice", allow("secretsmanager:GetSecretValue", f"{arn[:-6]}??????"))
    for given in ("db", arn, arn[:-7]):
        assert alice.client("secretsmanager").get_secret_value(SecretId=given)["SecretString"] == "s3cret"
    iam.put_user_policy(
        UserName="alice", PolicyName="inline", PolicyDocument=document(allow("secretsmanager:*", arn[:-7]))
    )
    text = refused(lambda: alice.client("secretsmanager").get_secret_value(SecretId="db"))[1]
    assert "secretsmanager:GetSecretValue on resource: db because no identity-based policy" in text


def test_a_batch_of_secrets_asks_for_each(aws: Cloud, iam: Any, dev: Any) -> None:
    owner = dev.admin.client("secretsmanager")
    arns = [owner.create_secret(Name=name, SecretString="x")["ARN"] for name in ("one", "two")]
    alice = new_user(aws, iam, "alice", allow("secretsmanager:GetSecretValue", arns[0]),
                     allow("secretsmanager:BatchGetSecretValue")).client("secretsmanager")  # fmt: skip
    alice.batch_get_secret_value(SecretIdList=["one"])
    assert refused(lambda: alice.batch_get_secret_value(SecretIdList=["one", "two"]))[0] == "AccessDeniedException"


def test_a_file_systems_policy_decides(aws: Cloud, iam: Any, dev: Any) -> None:
    efs = dev.admin.client("efs")
    made = efs.create_file_system(CreationToken="x")["FileSystemId"]
    alice = new_user(aws, iam, "alice").client("efs")
    who, change = {"AWS": f"arn:aws:iam::{OWNER}:user/alice"}, "elasticfilesystem:PutFileSystemPolicy"

    def put(*statements: dict[str, Any], **more: Any) -> Any:
        return efs.put_file_system_policy(FileSystemId=made, Policy=document(*statements), **more)

    put(statement(who, "elasticfilesystem:DescribeFileSystems"))
    assert alice.describe_file_systems(FileSystemId=made)["FileSystems"]
    assert refused(lambda: alice.delete_file_system(FileSystemId=made))[0] == "AccessDeniedException"
    put(statement("*", "elasticfilesystem:DescribeFileSystems", Effect="Deny"))
    text = refused(lambda: efs.describe_file_systems(FileSystemId=made))[1]
    assert "explicit deny in a resource-based policy" in text or text.endswith("on the specified resource")
    assert refused(lambda: put({"Effect": "Allow"}))[0] == "InvalidPolicyException"
    shut = statement("*", change, Effect="Deny")
    assert refused(lambda: put(shut))[0] == "InvalidPolicyException"
    put(shut, BypassPolicyLockoutSafetyCheck=True)
    assert refused(lambda: put(statement(who, change)))[0] == "AccessDeniedException"


def test_a_secret_that_nothing_rotates_stays_readable(dev: Any) -> None:
    secrets, function = dev.admin.client("secretsmanager"), f"arn:aws:lambda:us-east-1:{OWNER}:function:rotate"
    secrets.create_secret(Name="db", SecretString="s3cret")
    none = ("InvalidRequestException", "No Lambda rotation function ARN is associated with this secret.")
    assert refused(lambda: secrets.rotate_secret(SecretId="db")) == none
    code, text = refused(lambda: secrets.rotate_secret(SecretId="db", RotationLambdaARN=function))
    assert (code, "nothing was done" in text) == ("NotImplemented", True)
    assert secrets.get_secret_value(SecretId="db")["SecretString"] == "s3cret"


def test_batches_of_messages_are_asked_for_as_messages(aws: Cloud, iam: Any, dev: Any) -> None:
    arn = make_queue(dev.admin.client("sqs"))
    alice = new_user(aws, iam, "alice", allow("sqs:SendMessage", arn)).client("sqs")
    alice.send_message_batch(QueueUrl=url_of(arn), Entries=[{"Id": "1", "MessageBody": "x"}])
    assert refused(lambda: alice.purge_queue(QueueUrl=url_of(arn)))[0] == "AccessDenied"


@pytest.fixture
def orders(dev: Any) -> str:
    return make_table(dev.admin.client("dynamodb"))


ITEM = {"id": {"S": "1"}}
TABLE_CALLS: list[tuple[str, Callable[[Any], Any], list[tuple[str, str]]]] = [
    ("a query of an index", lambda c: c.query(
        TableName="orders", IndexName="by-day", KeyConditionExpression="d = :d",
        ExpressionAttributeValues={":d": {"S": "x"}}), [("Query", "table/orders/index/by-day")]),
    ("a batch to read", lambda c: c.batch_get_item(RequestItems={"orders": {"Keys": [ITEM]}}),
     [("BatchGetItem", "table/orders")]),
    ("a batch to write", lambda c: c.batch_write_item(RequestItems={"orders": [{"PutRequest": {"Item": ITEM}}]}),
     [("BatchWriteItem", "table/orders")]),
    ("a transaction asks for each item", lambda c: c.transact_write_items(TransactItems=[
        {"Put": {"TableName": "orders", "Item": ITEM}},
        {"Delete": {"TableName": "orders", "Key": {"id": {"S": "2"}}}}]),
     [("PutItem", "table/orders"), ("DeleteItem", "table/orders")]),
    ("a transaction that reads", lambda c: c.transact_get_items(TransactItems=[
        {"Get": {"TableName": "orders", "Key": ITEM}}]), [("GetItem", "table/orders")]),
    ("PartiQL that reads", lambda c: c.execute_statement(Statement='SELECT * FROM "orders" WHERE id = \'1\''),
     [("PartiQLSelect", "table/orders")]),
    ("PartiQL that writes", lambda c: c.execute_statement(Statement="INSERT INTO orders VALUE {'id': '7'}"),
     [("PartiQLInsert", "table/orders")]),
    ("PartiQL that deletes", lambda c: c.execute_statement(Statement="DELETE FROM \"orders\" WHERE id = '7'"),
     [("PartiQLDelete", "table/orders")]),
]  # fmt: skip


@pytest.mark.parametrize(("call", "asked"), [case[1:] for case in TABLE_CALLS], ids=[case[0] for case in TABLE_CALLS])
def test_what_a_call_of_dynamodb_asks_for(
    aws: Cloud, iam: Any, orders: str, call: Callable[[Any], Any], asked: list[tuple[str, str]]
) -> None:
    root = orders.partition("table/")[0]
    for missing, resource in asked:
        statements = [allow(f"dynamodb:{action}", root + where) for action, where in asked if action != missing]
        alice = new_user(aws, iam, f"no-{missing}", *statements).client("dynamodb")
        assert f"dynamodb:{missing} on resource: {root}{resource}" in refused(lambda client=alice: call(client))[1]


def test_a_table_keeps_the_policy_it_is_created_with(dev: Any) -> None:
    dynamodb, policy = dev.admin.client("dynamodb"), document(statement({"AWS": PARTNER}, "dynamodb:GetItem"))
    made = dynamodb.create_table(
        TableName="open", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}], ResourcePolicy=policy,
    )  # fmt: skip
    assert dynamodb.get_resource_policy(ResourceArn=made["TableDescription"]["TableArn"])["Policy"] == policy


def test_everybody_reads_items_of_his_own(aws: Cloud, iam: Any, dev: Any, orders: str) -> None:
    own = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["${aws:username}"]}}
    alice = new_user(aws, iam, "alice", allow("dynamodb:*", orders, Condition=own)).client("dynamodb")
    mine, theirs = {"id": {"S": "alice"}}, {"id": {"S": "bob"}}
    alice.put_item(TableName="orders", Item=mine)
    alice.get_item(TableName="orders", Key=mine)
    query = {"TableName": "orders", "KeyConditionExpression": "#k = :me", "ExpressionAttributeNames": {"#k": "id"}}
    alice.query(**query, ExpressionAttributeValues={":me": {"S": "alice"}})
    for forbidden in (
        lambda: alice.get_item(TableName="orders", Key=theirs),
        lambda: alice.put_item(TableName="orders", Item=theirs),
        lambda: alice.query(**query, ExpressionAttributeValues={":me": {"S": "bob"}}),
        lambda: alice.batch_get_item(RequestItems={"orders": {"Keys": [mine, theirs]}}),
    ):
        assert refused(forbidden)[0] == "AccessDeniedException"


def test_a_topics_first_policy_leaves_it_to_identity_policies(aws: Cloud, iam: Any, dev: Any) -> None:
    arn = dev.admin.client("sns").create_topic(Name="news")["TopicArn"]
    alice = new_user(aws, iam, "alice").client("sns")
    code, text = refused(lambda: alice.publish(TopicArn=arn, Message="x"))
    assert code == "AuthorizationError"
    assert "no identity-based policy allows the SNS:Publish action" in text


def test_a_key_that_aws_manages_serves_its_account_through_its_service_alone(aws: Cloud, dev: Any, carol: Any) -> None:
    kms, s3 = dev.admin.client("kms"), dev.admin.client("s3")
    described = kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
    assert described["KeyManager"] == "AWS"
    policy = json.loads(kms.get_key_policy(KeyId=described["KeyId"], PolicyName="default")["Policy"])
    through = {"kms:CallerAccount": OWNER, "kms:ViaService": "s3.us-east-1.amazonaws.com"}
    assert policy["Statement"][0]["Condition"] == {"StringEquals": through}
    anything = document(statement({"AWS": "*"}, "kms:*"))
    for call in (
        lambda: kms.encrypt(KeyId="alias/aws/s3", Plaintext=b"x"),
        lambda: kms.put_key_policy(KeyId=described["KeyId"], PolicyName="default", Policy=anything),
        lambda: kms.schedule_key_deletion(KeyId=described["KeyId"]),
    ):
        assert refused(call)[0] == "AccessDeniedException"
    s3.create_bucket(Bucket="bucket-of-ours")
    sealed = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": described["Arn"]}
    s3.put_object(Bucket="bucket-of-ours", Key="k", Body=b"x", **sealed)
    assert s3.get_object(Bucket="bucket-of-ours", Key="k")["Body"].read() == b"x"
    s3.put_bucket_policy(Bucket="bucket-of-ours", Policy=document(
        {**statement({"AWS": CAROL}, "s3:GetObject"), "Resource": "arn:aws:s3:::bucket-of-ours/*"}))  # fmt: skip
    theirs = aws.account("partner").admin.client("iam")
    theirs.put_user_policy(UserName="carol", PolicyName="p", PolicyDocument=document(allow(["s3:*", "kms:*"])))
    assert refused(lambda: carol.client("s3").get_object(Bucket="bucket-of-ours", Key="k"))[0] == "AccessDenied"
    assert refused(lambda: carol.client("kms").decrypt(
        CiphertextBlob=b"x", KeyId=described["Arn"]))[0] == "AccessDeniedException"  # fmt: skip


def test_a_secret_under_awss_own_key_stays_in_its_account(aws: Cloud, dev: Any, carol: Any) -> None:
    owner = dev.admin.client("secretsmanager")
    arn = owner.create_secret(Name="db", SecretString="s3cret")["ARN"]
    let_carol(aws, "secretsmanager:GetSecretValue")
    owner.put_resource_policy(
        SecretId=arn, ResourcePolicy=document(statement({"AWS": CAROL}, "secretsmanager:GetSecretValue"))
    )
    read = lambda: carol.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]  # noqa: E731
    assert refused(read)[0] == "AccessDeniedException"
    owner.update_secret(SecretId=arn, KmsKeyId=shared_key(dev))
    assert read() == "s3cret"
    assert owner.get_secret_value(SecretId=arn)
