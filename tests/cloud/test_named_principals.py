"""Principals in stored policies: they must exist, and deleting one leaves its unique ID behind."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simlib import Cloud

from .conftest import allow, document, new_user, refused, trust

ALICE = "arn:aws:iam::111111111111:user/alice"
BUCKET = "arn:aws:s3:::notes"

UNKNOWN = [
    ("a user", "AWS", ALICE),
    ("a user by another path", "AWS", "arn:aws:iam::111111111111:user/team/bob"),
    ("a role", "AWS", "arn:aws:iam::111111111111:role/reader"),
    ("a user of an account that is not there", "AWS", "arn:aws:iam::999999999999:user/alice"),
    ("the ID of a user that was deleted", "AWS", "AIDAQQQQQQQQQQQQQQQQQ"),
    ("a group", "AWS", "arn:aws:iam::111111111111:group/developers"),
]


@pytest.mark.parametrize(("kind", "name"), [case[1:] for case in UNKNOWN], ids=[case[0] for case in UNKNOWN])
def test_a_principal_that_does_not_exist_cannot_be_named(aws: Cloud, iam: Any, kind: str, name: str) -> None:
    iam.create_user(UserName="bob")
    iam.create_group(GroupName="developers")
    text = trust({kind: name})
    code, said = refused(lambda: iam.create_role(RoleName="r", AssumeRolePolicyDocument=text))
    assert (code, said) == ("MalformedPolicyDocument", f'Invalid principal in policy: "{kind}":"{name}"')
    assert iam.list_roles()["Roles"] == []


@pytest.mark.parametrize(
    "principal",
    [
        {"AWS": "111111111111"},
        {"AWS": "arn:aws:iam::111111111111:root"},
        {"AWS": "999999999999"},
        {"AWS": ["arn:aws:iam::111111111111:user/team/bob", "*"]},
        {"Service": "ec2.amazonaws.com"},
    ],
    ids=str,
)
def test_what_exists_can_be_named(aws: Cloud, iam: Any, principal: Any) -> None:
    iam.create_user(UserName="bob", Path="/team/")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(principal))


def trusted(iam: Any) -> Any:
    return iam.get_role(RoleName="reader")["Role"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["AWS"]


def test_deleting_and_recreating_a_user_does_not_restore_trust(aws: Cloud, iam: Any) -> None:
    alice_id = iam.create_user(UserName="alice")["User"]["UserId"]
    iam.create_user(UserName="bob")
    names = [ALICE, ALICE.replace("alice", "bob")]
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument=trust({"AWS": names}))
    assert trusted(iam) == names
    iam.delete_user(UserName="alice")
    assert trusted(iam) == [alice_id, names[1]]
    alice = new_user(aws, iam, "alice")
    role = "arn:aws:iam::111111111111:role/reader"
    refusal = refused(lambda: alice.client("sts").assume_role(RoleArn=role, RoleSessionName="again"))
    assert refusal[0] == "AccessDenied"
    said = refused(lambda: iam.update_assume_role_policy(RoleName="reader", PolicyDocument=trust({"AWS": alice_id})))
    assert said == ("MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{alice_id}"')


def test_a_bucket_policy_shows_the_id_of_a_deleted_role(aws: Cloud, dev: Any, iam: Any) -> None:
    role = iam.create_role(RoleName="reader", AssumeRolePolicyDocument=trust({"AWS": "111111111111"}))["Role"]
    s3 = dev.admin.client("s3")
    s3.create_bucket(Bucket="notes")
    text = document(allow("s3:*", BUCKET, Principal={"AWS": role["Arn"]}))
    s3.put_bucket_policy(Bucket="notes", Policy=text)
    iam.delete_role(RoleName="reader")
    shown = json.loads(s3.get_bucket_policy(Bucket="notes")["Policy"])
    assert shown["Statement"][0]["Principal"] == {"AWS": role["RoleId"]}
    said = refused(lambda: s3.put_bucket_policy(Bucket="notes", Policy=text))
    assert said == ("MalformedPolicy", "Invalid principal in policy")


def test_a_renamed_user_stays_trusted(aws: Cloud, iam: Any) -> None:
    alice = new_user(aws, iam, "alice")
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument=trust({"AWS": ALICE}))
    iam.update_user(UserName="alice", NewUserName="alice.b")
    assert trusted(iam) == ALICE + ".b"
    role = "arn:aws:iam::111111111111:role/reader"
    assert alice.client("sts").assume_role(RoleArn=role, RoleSessionName="work")


def _key(account: Any, text: str) -> Any:
    kms = account.admin.client("kms")
    key = kms.create_key(Policy=text)["KeyMetadata"]["KeyId"]
    return lambda: kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]


def _queue(account: Any, text: str) -> Any:
    sqs = account.admin.client("sqs")
    url = sqs.create_queue(QueueName="jobs", Attributes={"Policy": text})["QueueUrl"]
    return lambda: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]


def _topic(account: Any, text: str) -> Any:
    sns = account.admin.client("sns")
    arn = sns.create_topic(Name="news", Attributes={"Policy": text})["TopicArn"]
    return lambda: sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"]


def _secret(account: Any, text: str) -> Any:
    client = account.admin.client("secretsmanager")
    client.create_secret(Name="door", SecretString="open")
    client.put_resource_policy(SecretId="door", ResourcePolicy=text)
    return lambda: client.get_resource_policy(SecretId="door")["ResourcePolicy"]


HOMES = {"kms": (_key, "kms:*"), "sqs": (_queue, "sqs:*"), "sns": (_topic, "sns:Publish"),
         "secretsmanager": (_secret, "secretsmanager:GetSecretValue")}  # fmt: skip


@pytest.mark.parametrize("service", HOMES)
def test_every_kind_of_resource_policy_shows_the_id_of_a_deleted_user(
    aws: Cloud, dev: Any, iam: Any, service: str
) -> None:
    make, action = HOMES[service]
    alice_id = iam.create_user(UserName="alice")["User"]["UserId"]
    admin = f"arn:aws:iam::111111111111:{'root' if service == 'kms' else 'user/lab-admin'}"
    read = make(dev, document(allow(action, Principal={"AWS": [ALICE, admin]})))
    assert json.loads(read())["Statement"][0]["Principal"]["AWS"] == [ALICE, admin]
    iam.delete_user(UserName="alice")
    assert json.loads(read())["Statement"][0]["Principal"]["AWS"] == [alice_id, admin]
