"""What was saved is there again: decisions, IDs, dates, keys, sessions, the clock."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simlib import Cloud
from simlib.cloud import clock
from simlib.cloud.worlds import shape

from ..conftest import new_user, refused, trust
from .conftest import ROLE, Frozen, furnished, outcome

_BUCKET = {"Bucket": "my-bucket"}


def table_of_requests(held: dict[str, Any]) -> dict[str, Any]:
    """The same requests by everybody, with the keys in hand, and how each of them ends."""
    told = {}
    for who in ("admin", "prod", "alice", "session", "federated", "expired"):
        mine = held[who]
        s3 = mine.client("s3")
        requests: dict[str, Callable[[], Any]] = {
            "who": lambda c=mine: c.client("sts").get_caller_identity(),
            "report": lambda s3=s3: s3.get_object(**_BUCKET, Key="report.csv"),
            "open": lambda s3=s3: s3.get_object(**_BUCKET, Key="open/x"),
            "secret": lambda s3=s3: s3.get_object(**_BUCKET, Key="secret"),
            "list": lambda s3=s3: s3.list_objects_v2(**_BUCKET),
            "users": lambda c=mine: c.client("iam").list_users(),
            "queues": lambda c=mine: c.client("sqs").list_queues(),
            "decrypt": lambda c=mine: c.client("kms").decrypt(CiphertextBlob=held["blob"]),
            "value": lambda c=mine: c.client("secretsmanager").get_secret_value(SecretId=held["secret"]),
            "item": lambda c=mine: c.client("dynamodb").get_item(TableName="items", Key={"id": {"S": "1"}}),
            "role": lambda c=mine: c.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="again"),
        }
        told |= {f"{who} {what}": outcome(ask) for what, ask in requests.items()}
    return told


def test_what_is_saved_and_loaded_and_saved_is_the_same(still: None, tmp_path: Path, stopped: None) -> None:
    aws = Cloud.start()
    furnished(aws)
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    assert "2 accounts" in repr(aws.save(first))
    Cloud.load(first).save(second)
    assert json.loads(second.read_text("utf-8")) == json.loads(first.read_text("utf-8"))


def test_a_file_of_an_earlier_lab_opens_and_says_the_same(tmp_path: Path, stopped: None) -> None:
    """The file was written by the lab of November 2026; whoever changes how files are written leaves it as it is."""
    old, new = Path(__file__).with_name("world_of_version_1.json"), tmp_path / "w.json"
    Cloud.load(old).save(new)
    before, after = (json.loads(path.read_text("utf-8")) for path in (old, new))
    assert before.pop("Clock") <= after.pop("Clock")
    assert after == before


def test_every_decision_is_the_same_with_the_keys_in_hand(tmp_path: Path, stopped: None) -> None:
    aws = Cloud.start()
    held = furnished(aws)
    before, credentials = table_of_requests(held), aws.credentials()
    assert len({str(outcome) for outcome in before.values()}) > 20  # allowed, refused by many, expired
    aws.save(tmp_path / "w.json")
    again = Cloud.load(tmp_path / "w.json")
    known = {each.access_key_id: (each.issued_by, each.limit) for each in credentials}
    assert {each.access_key_id: (each.issued_by, each.limit) for each in again.credentials()}.items() >= known.items()
    assert table_of_requests(held) == before
    assert again.account("prod").admin.access_key_id == held["prod"].access_key_id
    assert again.account("third").id == "3" * 12


class Made:
    """Of a class with both, some Pythons take __new__'s arguments for the class's."""

    def __new__(cls, *_: Any, **__: Any) -> Made:
        return object.__new__(cls)

    def __init__(self, name: str, region: str, description: str = "") -> None:
        self.said = (name, region, description)


def test_a_thing_is_made_by_what_it_is_initialised_with() -> None:
    keeper = SimpleNamespace(account_id="111111111111", region_name="us-east-1")
    made = shape.new(Made, keeper, "Policy", {"Description": "reads"}, name="reader")
    assert made.said == ("reader", "us-east-1", "reads")


def test_ids_dates_and_what_hangs_on_them_survive(tmp_path: Path, stopped: None) -> None:
    aws = Cloud.start()
    held = furnished(aws)

    def look(world: Cloud) -> list[Any]:
        iam = held["admin"].client("iam")
        ec2 = held["admin"].client("ec2").describe_instances()["Reservations"][0]["Instances"][0]
        told = [
            iam.get_user(UserName="alice")["User"],
            iam.get_role(RoleName="reports")["Role"] | {"RoleLastUsed": None},
            iam.list_access_keys(UserName="alice")["AccessKeyMetadata"],
            iam.list_mfa_devices(UserName="alice")["MFADevices"],
            held["admin"].client("organizations").list_parents(ChildId="2" * 12)["Parents"],
            held["admin"].client("kms").list_aliases()["Aliases"],
            held["admin"].client("s3").list_object_versions(Bucket="my-bucket").get("Versions"),
            [ec2[name] for name in ("InstanceId", "LaunchTime", "PrivateIpAddress", "IamInstanceProfile")],
        ]
        return json.loads(json.dumps(told, default=lambda value: str(value).split(".")[0].removesuffix("+00:00")))

    before = look(aws)
    aws.save(tmp_path / "w.json")
    again = Cloud.load(tmp_path / "w.json")
    assert look(again) == before
    assert "report.csv" in again.instance(held["machine"]).run("aws s3 ls s3://my-bucket").stdout
    trusted = trust({"Federated": "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com"},
                    "sts:AssumeRoleWithWebIdentity", Condition={
                        "StringLike": {"token.actions.githubusercontent.com:sub": "repo:example/shop:*"}})  # fmt: skip
    held["admin"].client("iam").create_role(RoleName="pipeline", AssumeRolePolicyDocument=trusted)
    answer = boto3.client("sts").assume_role_with_web_identity(
        RoleArn="arn:aws:iam::111111111111:role/pipeline", RoleSessionName="run",
        WebIdentityToken=again.oidc_provider().workflow_token("example/shop"),
    )  # fmt: skip
    assert answer["Audience"] == "sts.amazonaws.com"
    again.clock.advance(minutes=1)
    sts = held["alice"].client("sts")
    assert sts.get_session_token(SerialNumber=held["serial"], TokenCode=held["code"].code)["Credentials"]
    assert again.oidc_provider().has_signed(held["token"])  # a token from before is signed by the same key


def test_the_clock_goes_on_and_sessions_end_in_their_time(tmp_path: Path, stopped: None) -> None:
    aws = Cloud.start()
    admin = aws.account().admin
    aws.clock.advance(days=3)
    session = aws.sign_in(admin.client("sts").get_session_token(DurationSeconds=900))
    saved = aws.clock.now
    aws.save(tmp_path / "w.json")
    again = Cloud.load(tmp_path / "w.json")
    assert timedelta(seconds=-1) <= again.clock.now - saved < timedelta(seconds=30)
    assert session.client("sts").get_caller_identity()
    again.clock.advance(minutes=16)
    assert refused(session.client("sts").get_caller_identity)[0] == "ExpiredToken"


_NAMES = st.text("abcXYZ019+=,.@-_", min_size=1, max_size=12)
_ACTIONS = st.lists(st.sampled_from(["s3:*", "s3:GetObject", "iam:List*", "sts:AssumeRole", "*"]), min_size=1)
_RESOURCES = st.sampled_from(["*", "arn:aws:s3:::bücket/*", "arn:aws:iam::*:role/${aws:username}"])
_STATEMENTS = st.builds(
    lambda effect, actions, resource, keyed: {
        "Effect": effect,
        "Action": actions,
        "Resource": resource,
        **({"Condition": {"StringLike": {"aws:PrincipalTag/team": ["a*", "ü"]}}} if keyed else {}),
    },
    st.sampled_from(["Allow", "Deny"]), _ACTIONS, _RESOURCES, st.booleans(),
)  # fmt: skip


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    users=st.dictionaries(_NAMES, st.lists(_STATEMENTS, min_size=1, max_size=3), max_size=5),
    tags=st.dictionaries(
        st.text("abcxyz019+=.@-_", min_size=1, max_size=12), st.text("aü北 +=:/@", max_size=9), max_size=3
    ),
    body=st.binary(max_size=40),
    days=st.integers(1, 900),
)
def test_any_world_survives(
    tmp_path_factory: pytest.TempPathFactory, users: dict[str, Any], tags: dict[str, str], body: bytes, days: int
) -> None:
    folder = tmp_path_factory.mktemp("worlds")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "best_mechanism", Frozen)
        aws = Cloud.start()
        iam, s3 = aws.account("dev").admin.client("iam"), aws.account("dev").admin.client("s3")
        aws.clock.advance(days=days)
        by_lower = {name.lower(): name for name in users}
        for name in by_lower.values():
            key = new_user(aws, iam, name, *users[name])
            aws.sign_in(key.client("sts").get_session_token())
            if tags:
                iam.tag_user(UserName=name, Tags=[{"Key": k, "Value": v} for k, v in tags.items()])
        s3.create_bucket(Bucket="any-bucket")
        s3.put_object(Bucket="any-bucket", Key="ä b", Body=body)
        aws.save(folder / "1.json")
        with Cloud.load(folder / "1.json") as again:
            again.save(folder / "2.json")
    assert json.loads((folder / "1.json").read_text("utf-8")) == json.loads((folder / "2.json").read_text("utf-8"))
