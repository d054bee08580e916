"""Policies of resources that are well written and refused all the same, and one that must not be lost."""

from __future__ import annotations

from typing import Any

from simlib import Cloud

from .conftest import allow, document, refused

ADMIN = {"Principal": {"AWS": "arn:aws:iam::111111111111:user/lab-admin"}}


def test_a_key_policy_must_leave_its_author_a_way_back(dev: Any) -> None:
    kms = dev.admin.client("kms")
    shut, open_ = document({**allow("kms:Encrypt"), **ADMIN}), document({**allow("kms:*"), **ADMIN})
    text = "The new key policy will not allow you to update the key policy in the future."
    assert refused(lambda: kms.create_key(Policy=shut)) == ("MalformedPolicyDocumentException", text)
    key = kms.create_key(Policy=open_)["KeyMetadata"]["KeyId"]
    said = refused(lambda: kms.put_key_policy(KeyId=key, PolicyName="default", Policy=shut))
    assert said == ("MalformedPolicyDocumentException", text)
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=shut, BypassPolicyLockoutSafetyCheck=True)
    assert refused(lambda: kms.put_key_policy(KeyId=key, PolicyName="default", Policy=open_))[0] == (
        "AccessDeniedException"
    )


def test_a_deny_in_a_key_policy_is_for_whom_it_names(dev: Any) -> None:
    kms = dev.admin.client("kms")
    deny = {"Effect": "Deny", "Action": ["kms:DescribeKey"], "Resource": "*"}
    others = {**deny, "Principal": "*", "Condition": {"ArnNotLike": {"aws:PrincipalArn": ADMIN["Principal"]["AWS"]}}}
    key = kms.create_key(Policy=document({**allow("kms:*"), **ADMIN}, others))["KeyMetadata"]["KeyId"]
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyId"] == key
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=document({**allow("kms:*"), **ADMIN}, {**deny, **ADMIN}))
    assert "explicit deny" in refused(lambda: kms.describe_key(KeyId=key))[1]


def test_a_replica_has_a_policy_of_its_own(dev: Any) -> None:
    near, far = (dev.admin.client("kms", region_name=region) for region in ("us-east-1", "us-west-2"))
    own = document({**allow("kms:*"), **ADMIN})
    key = near.create_key(MultiRegion=True, Policy=own, Description="primary")["KeyMetadata"]["KeyId"]
    near.create_alias(AliasName="alias/orders", TargetKeyId=key)
    shut, tags = document({**allow("kms:Encrypt"), **ADMIN}), [{"TagKey": "team", "TagValue": "a"}]
    there = {"KeyId": key, "ReplicaRegion": "us-west-2"}
    assert refused(lambda: near.replicate_key(**there, Policy=shut))[0] == "MalformedPolicyDocumentException"
    made = near.replicate_key(**there, Description="replica", Tags=tags)
    assert made["ReplicaTags"] == tags == far.list_resource_tags(KeyId=key)["Tags"]
    policy = far.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    assert policy == made["ReplicaPolicy"] != near.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    assert far.list_aliases(KeyId=key)["Aliases"] == []
    told = [client.describe_key(KeyId=key)["KeyMetadata"] for client in (near, far)]
    kinds = [each["MultiRegionConfiguration"]["MultiRegionKeyType"] for each in told]
    assert (kinds, [each["Description"] for each in told]) == (["PRIMARY", "REPLICA"], ["primary", "replica"])
    assert [len(each["MultiRegionConfiguration"]["ReplicaKeys"]) for each in told] == [1, 1]
    assert refused(lambda: near.replicate_key(**there))[0] == "AlreadyExistsException"
    alone = near.create_key()["KeyMetadata"]["KeyId"]
    assert (
        refused(lambda: near.replicate_key(KeyId=alone, ReplicaRegion="us-west-2"))[0]
        == "UnsupportedOperationException"
    )


def test_a_bucket_policy_speaks_of_its_bucket(dev: Any) -> None:
    s3 = dev.admin.client("s3")
    s3.create_bucket(Bucket="reports")
    for resource in ("arn:aws:s3:::other/*", ["arn:aws:s3:::reports/*", "arn:aws:s3:::reports-2"]):
        text = document({**allow("s3:*", resource), **ADMIN})
        said = refused(lambda text=text: s3.put_bucket_policy(Bucket="reports", Policy=text))  # type: ignore[misc]
        assert said == ("MalformedPolicy", "Policy has invalid resource")
    s3.put_bucket_policy(Bucket="reports", Policy=document({**allow("s3:*", "arn:aws:s3:::rep*"), **ADMIN}))


def test_a_secret_for_everybody_is_refused_to_those_who_ask_for_the_check(dev: Any) -> None:
    secrets = dev.admin.client("secretsmanager")
    secrets.create_secret(Name="s", SecretString="x")
    everybody = document({**allow("secretsmanager:GetSecretValue"), "Principal": "*"})
    said = refused(lambda: secrets.put_resource_policy(SecretId="s", ResourcePolicy=everybody, BlockPublicPolicy=True))
    assert said[0] == "PublicPolicyException"
    secrets.put_resource_policy(SecretId="s", ResourcePolicy=everybody)


def test_the_policy_a_table_is_created_with_counts(aws: Cloud, dev: Any) -> None:
    arn = "arn:aws:dynamodb:us-east-1:111111111111:table/t"
    policy = document({**allow("dynamodb:GetItem", arn), "Principal": {"AWS": aws.account("prod").id}})
    dev.admin.client("dynamodb").create_table(
        TableName="t", KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}], BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}], ResourcePolicy=policy,
    )  # fmt: skip
    prod = aws.account("prod").admin.client("dynamodb")
    assert "Item" not in prod.get_item(TableName=arn, Key={"k": {"S": "x"}})
    assert refused(lambda: prod.scan(TableName=arn))[0] == "AccessDeniedException"
