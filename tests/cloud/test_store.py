"""moto's private names: which of them moved, said clearly, when moto changes."""

from __future__ import annotations

import gc
import pkgutil
from collections import Counter
from typing import Any

import boto3
import moto.iam.models
import pytest
import requests
from moto import mock_aws
from moto.core.base_backend import BaseBackend
from moto.s3.models import FakeKey

from simlib import Cloud
from simlib.cloud import moto_names

ASKED = {
    "ec2": "describe_subnets",
    "iam": "list_users",
    "s3": "list_buckets",
    "sns": "list_topics",
    "rds": "describe_db_instances",
    "emr": "list_clusters",
    "sqs": "list_queues",
    "lambda": "list_functions",
    "dynamodb": "list_tables",
}


@pytest.mark.parametrize("name", [*moto_names.NAMES, *moto_names.MODULES])
def test_what_the_lab_names_of_moto_is_there(name: str) -> None:
    module = moto_names.NAMES.get(name) or moto_names.MODULES[name]
    try:
        getattr(moto_names, name)
    except (AttributeError, ImportError):
        pytest.fail(f"moto.{module} no longer has {name}: simlib/cloud/moto_names.py must follow")


@pytest.mark.parametrize(
    ("place", "names"),
    [
        ("moto.core.responses.BaseResponse", "_get_action call_action parse_parameters setup_class"),
        ("moto.core.utils", "_load_service_model"),
        ("moto.ec2.models.instance_types", "INSTANCE_TYPE_OFFERINGS INSTANCE_FAMILIES InstanceTypeBackend"),
        ("moto.s3.responses.S3Response", "all_buckets get_bucket_lifecycle get_bucket_tags head_object"),
        ("moto.s3.responses.S3Response", "_bucket_response_put _key_response_put _key_response_post"),
        ("moto.s3.responses.S3Response", "_bucket_response _key_response parse_bucket_name_from_url"),
        ("moto.utilities.utils", "load_resource"),
    ],
)
def test_what_the_lab_calls_or_replaces_inside_of_moto_is_there(place: str, names: str) -> None:
    found = pkgutil.resolve_name(place)
    missing = [name for name in names.split() if not hasattr(found, name)]
    assert not missing, f"{place} no longer has {missing}"


def test_moto_sends_nothing_over_the_network(aws: Cloud, dev: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def sent(*args: Any, **kwargs: Any) -> None:
        pytest.fail(f"moto really sent {args}")

    monkeypatch.setattr(requests.Session, "send", sent)
    sns = dev.admin.client("sns")
    topic = sns.create_topic(Name="news")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint="http://127.0.0.1:9/hook")
    sns.publish(TopicArn=topic, Message="hello")


def test_after_stop_motos_modules_are_as_they_were() -> None:
    before = (moto.iam.models.User.__init__, moto.iam.models.ManagedPolicy.__init__)
    with Cloud.start() as world:
        world.account("dev").admin.client("iam").create_user(UserName="alice")
        assert moto.iam.models.User.__init__ is not before[0]
    assert (moto.iam.models.User.__init__, moto.iam.models.ManagedPolicy.__init__) == before
    assert len(moto.iam.models.iam_backends) == 0


def test_motos_own_mock_is_refused_while_a_world_is_open_and_works_after() -> None:
    with Cloud.start() as aws:
        iam = aws.account("dev").admin.client("iam")
        iam.create_user(UserName="alice")
        with pytest.raises(RuntimeError, match="would empty this world"), mock_aws():
            pass
        with pytest.raises(RuntimeError, match="the lab is a mocked AWS already"):
            mock_aws(lambda: None)()
        assert "alice" in {user["UserName"] for user in iam.list_users()["Users"]}
    with mock_aws():
        assert boto3.client("iam", region_name="us-east-1").list_users()["Users"] == []


def test_what_is_replaced_is_freed() -> None:
    with Cloud.start() as aws:
        s3 = aws.account("dev").admin.client("s3")
        s3.create_bucket(Bucket="overwritten")
        for number in range(20):
            s3.put_object(Bucket="overwritten", Key="same", Body=str(number).encode())
        gc.collect()
        assert sum(type(each) is FakeKey for each in gc.get_objects()) == 1


def test_nothing_of_a_world_that_is_closed_or_rehearsed_stays_in_memory() -> None:
    """moto remembers of some objects what they answered, and with that the objects, and with these all that it kept."""

    def of_moto() -> dict[str, int]:
        gc.collect()
        return Counter(type(each).__module__ for each in gc.get_objects() if isinstance(each, BaseBackend))

    def use(world: Cloud) -> None:
        for service, operation in ASKED.items():
            getattr(world.account("dev").admin.client(service), operation)()

    before = of_moto()
    with Cloud.start() as world:
        use(world)
        in_use = of_moto()
        assert len(in_use) >= len(ASKED)
        for _ in range(2):
            with world.rehearsal():
                use(world)
        assert of_moto() == in_use
    assert of_moto().keys() <= before.keys() | {"moto.moto_api._internal.models"}
