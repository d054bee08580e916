"""What is kept of moto's work changes no answer, and goes with the world."""

from __future__ import annotations

from typing import Any

import pytest
from moto.core import responses
from moto.core.serialize import XFormedAttributePicker

from benchmarks.gate import forgetful
from simlib import Cloud

CALLS = {
    "an item": ("dynamodb", "get_item", {"TableName": "t", "Key": {"id": {"S": "1"}}}),
    "an item that is not there": ("dynamodb", "get_item", {"TableName": "t", "Key": {"id": {"S": "2"}}}),
    "a table": ("dynamodb", "describe_table", {"TableName": "t"}),
    "users": ("iam", "list_users", {}),
    "everything about an account": ("iam", "get_account_authorization_details", {}),
    "a key": ("kms", "list_keys", {}),
    "a parameter": ("ssm", "get_parameter", {"Name": "p"}),
    "security groups": ("ec2", "describe_security_groups", {}),
    "buckets": ("s3", "list_buckets", {}),
}


def test_without_a_world_moto_is_as_it_was() -> None:
    def places() -> tuple[Any, Any]:
        return responses.method_names_from_class, XFormedAttributePicker.get_possible_keys

    before = places()
    with Cloud.start():
        assert all(now is not then for now, then in zip(places(), before, strict=True))
    assert places() == before


@pytest.fixture(scope="module")
def admin() -> Any:
    with Cloud.start() as aws:
        admin = aws.account("dev").admin
        key = {"AttributeName": "id"}
        admin.client("dynamodb").create_table(
            TableName="t", BillingMode="PAY_PER_REQUEST", KeySchema=[{**key, "KeyType": "HASH"}],
            AttributeDefinitions=[{**key, "AttributeType": "S"}],
        )  # fmt: skip
        admin.client("dynamodb").put_item(TableName="t", Item={"id": {"S": "1"}, "Count": {"N": "3"}})
        admin.client("iam").create_user(UserName="alice")
        admin.client("kms").create_key()
        admin.client("ssm").put_parameter(Name="p", Value="v", Type="String")
        admin.client("s3").create_bucket(Bucket="b-1")
        yield admin


@pytest.mark.parametrize("call", sorted(CALLS))
def test_an_answer_is_the_same_the_first_time_the_second_and_worked_out_anew(admin: Any, call: str) -> None:
    service, operation, parameters = CALLS[call]

    def answer() -> Any:
        return {**getattr(admin.client(service), operation)(**parameters), "ResponseMetadata": None}

    first, second = answer(), answer()
    with forgetful():
        anew = answer()
    assert first == second == anew
    assert len(first) > (call != "an item that is not there")
