"""The instance metadata service: its tree, its tokens, and the credentials of the instance's role."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from simlib.cloud.machines.metadata import Metadata, Unavailable
from simlib.cloud.transport.wire import RawAnswer

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TOKEN = "X-aws-ec2-metadata-token"
TTL = "X-aws-ec2-metadata-token-ttl-seconds"


@dataclass(frozen=True)
class Role:
    name: str = "web-role"


@dataclass(frozen=True)
class Instance:
    instance_id: str = "i-0123456789abcdef0"
    account: str = "111111111111"
    region: str = "us-east-1"
    running: bool = True
    profile_arn: str | None = "arn:aws:iam::111111111111:instance-profile/web"
    profile_id: str | None = "AIPAEXAMPLE"
    role: Role | None = field(default_factory=Role)
    http_tokens: str = "optional"
    details: Mapping[str, str] = field(
        default_factory=lambda: {
            "ami-id": "ami-0abc",
            "instance-type": "t3.micro",
            "local-ipv4": "10.0.0.7",
            "public-ipv4": "",
            "availability-zone": "us-east-1c",
            "user-data": "#!/bin/sh\necho grüezi\n",
        }
    )


@dataclass(frozen=True)
class Session:
    access_key_id: str
    secret_access_key: str
    session_token: str
    issued_at: datetime
    expires: datetime


class World:
    """An instance, a clock and a mint, each of which a test can change."""

    def __init__(self, instance: Instance | None = None) -> None:
        self.instance: Instance | None = instance or Instance()
        self.now = START
        self.trusted = True
        self.minted = 0
        self.service = Metadata(lambda: self.instance, self.mint, lambda: self.now)

    def mint(self) -> Session:
        if not self.trusted:
            raise Unavailable.untrusted("web-role")
        self.minted += 1
        return Session(f"ASIA{self.minted}", "secret", "token", self.now, self.now + timedelta(hours=6))

    def ask(self, path: str, method: str = "GET", **headers: str) -> RawAnswer:
        return self.service.answer(method, path, {name.replace("_", "-"): value for name, value in headers.items()})

    def token(self, seconds: int = 60) -> str:
        return self.service.answer("PUT", "latest/api/token", {TTL: str(seconds)}).body.decode("ascii")

    def credentials(self) -> dict[str, str]:
        document: dict[str, str] = json.loads(self.ask("latest/meta-data/iam/security-credentials/web-role").body)
        return document


@pytest.fixture
def world() -> World:
    return World()


# -- the tree -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("latest/meta-data/instance-id", "i-0123456789abcdef0"),
        ("/latest/meta-data/instance-id", "i-0123456789abcdef0"),
        ("1.0/meta-data/instance-type", "t3.micro"),
        ("latest/meta-data/ami-id", "ami-0abc"),
        ("latest/meta-data/local-ipv4", "10.0.0.7"),
        ("latest/meta-data/local-hostname", "ip-10-0-0-7.ec2.internal"),
        ("latest/meta-data/placement/availability-zone", "us-east-1c"),
        ("latest/meta-data/placement/region", "us-east-1"),
        ("latest/meta-data/placement/", "availability-zone\nregion"),
        ("latest/meta-data/iam", "info\nsecurity-credentials/"),
        ("latest/meta-data/iam/security-credentials/", "web-role"),
        ("latest/meta-data/iam/security-credentials", "web-role"),
        ("latest/user-data", "#!/bin/sh\necho grüezi\n"),
        ("latest/", "dynamic/\nmeta-data/\nuser-data"),
        ("", "1.0\nlatest"),
    ],
)
def test_the_tree(world: World, path: str, text: str) -> None:
    answer = world.ask(path)
    assert (answer.status, answer.body.decode("utf-8")) == (200, text)
    assert answer.headers["Server"] == "EC2ws"
    assert answer.headers["Content-Length"] == str(len(answer.body))


def test_the_listing_names_directories_with_a_slash(world: World) -> None:
    names = world.ask("latest/meta-data/").body.decode("utf-8").split("\n")
    assert {"ami-id", "iam/", "instance-id", "placement/", "services/"} <= set(names)
    assert names == sorted(names)
    assert not {"availability-zone", "user-data", "public-ipv4"} & set(names)


@pytest.mark.parametrize(
    "path",
    [
        "latest/meta-data/nothing",
        "latest/meta-data/instance-id/deeper",
        "latest/meta-data/iam/security-credentials/another-role",
        "latest/meta-data/iam/security-credentials/web-role/deeper",
        "latest/meta-data/../user-data",
        "2031-01-01/meta-data/",
        "nonsense",
    ],
)
def test_what_is_not_there_is_a_404_page(world: World, path: str) -> None:
    answer = world.ask(path)
    assert answer.status == 404
    assert b"<title>404 - Not Found</title>" in answer.body
    assert answer.body.startswith(b'<?xml version="1.0"')


def test_no_user_data_is_a_404() -> None:
    world = World(Instance(details={}))
    assert world.ask("latest/user-data").status == 404
    assert world.ask("latest/meta-data/instance-id").status == 200


def test_the_identity_document(world: World) -> None:
    document = json.loads(world.ask("latest/dynamic/instance-identity/document").body)
    assert (document["accountId"], document["instanceId"]) == ("111111111111", "i-0123456789abcdef0")
    assert (document["imageId"], document["region"], document["privateIp"]) == ("ami-0abc", "us-east-1", "10.0.0.7")


def test_head_answers_without_a_body(world: World) -> None:
    answer = world.ask("latest/meta-data/instance-id", "HEAD")
    assert (answer.status, answer.body, answer.headers["Content-Length"]) == (200, b"", "19")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_metadata_cannot_be_written(world: World, method: str) -> None:
    assert world.ask("latest/meta-data/instance-id", method).status == 405


@pytest.mark.parametrize("gone", [None, Instance(running=False)])
def test_an_instance_that_does_not_run_answers_nothing(world: World, gone: Instance | None) -> None:
    world.instance = gone
    assert world.ask("latest/meta-data/instance-id").status == 503


def test_the_service_can_be_switched_off() -> None:
    assert World(Instance(details={"http-endpoint": "disabled"})).ask("latest/meta-data/").status == 403


# -- tokens ---------------------------------------------------------------------------------------------------------


def test_a_token_opens_a_session(world: World) -> None:
    token = world.token(300)
    assert len(token) == 56
    answer = world.service.answer("GET", "latest/meta-data/instance-id", {TOKEN: token})
    assert answer.status == 200
    assert answer.headers["X-Aws-Ec2-Metadata-Token-Ttl-Seconds"] == "300"


def test_a_token_ends_on_the_simulated_clock(world: World) -> None:
    token = world.token(300)
    world.now += timedelta(seconds=299)
    assert world.ask("latest/meta-data/instance-id", x_aws_ec2_metadata_token=token).status == 200
    world.now += timedelta(seconds=1)
    assert world.ask("latest/meta-data/instance-id", x_aws_ec2_metadata_token=token).status == 401


@pytest.mark.parametrize("ttl", ["1", "21600", " 60 "])
def test_a_token_may_live_up_to_six_hours(world: World, ttl: str) -> None:
    assert world.service.answer("PUT", "latest/api/token", {TTL: ttl}).status == 200


@pytest.mark.parametrize("ttl", ["", "0", "21601", "-1", "1.5", "sixty", "²", "9" * 5000])
def test_a_token_needs_a_sensible_lifetime(world: World, ttl: str) -> None:
    assert world.service.answer("PUT", "latest/api/token", {TTL: ttl}).status == 400


def test_a_token_without_a_lifetime_is_a_bad_request(world: World) -> None:
    assert world.ask("latest/api/token", "PUT").status == 400


@pytest.mark.parametrize(
    ("path", "method", "headers", "status"),
    [
        ("latest/api/token", "GET", {TTL: "60"}, 405),
        ("latest/api/token", "POST", {TTL: "60"}, 405),
        ("1.0/api/token", "PUT", {TTL: "60"}, 403),
        ("latest/api/token", "PUT", {TTL: "60", "X-Forwarded-For": "203.0.113.9"}, 403),
    ],
)
def test_how_a_token_is_not_given(world: World, path: str, method: str, headers: dict[str, str], status: int) -> None:
    assert world.service.answer(method, path, headers).status == status


def test_tokens_are_the_instances_own(world: World) -> None:
    other = World(replace(Instance(), instance_id="i-other"))
    other.service.secret = world.service.secret
    assert other.ask("latest/meta-data/", x_aws_ec2_metadata_token=world.token()).status == 401


@pytest.mark.parametrize("token", ["", "x", "Zm9v", "AQAAAA==", "é", "A" * 56, "AQAA" + "_" * 52, "A" * 100_000])
def test_a_made_up_token_is_refused(world: World, token: str) -> None:
    answer = world.ask("latest/meta-data/", x_aws_ec2_metadata_token=token)
    assert answer.status == 401
    assert b"401 - Unauthorized" in answer.body


def test_a_token_with_a_later_end_is_refused(world: World) -> None:
    import base64

    token = bytearray(base64.urlsafe_b64decode(world.token()))
    token[8] += 1
    forged = base64.urlsafe_b64encode(bytes(token)).decode("ascii")
    assert world.ask("latest/meta-data/", x_aws_ec2_metadata_token=forged).status == 401


def test_version_1_is_allowed_unless_tokens_are_required(world: World) -> None:
    assert world.ask("latest/meta-data/instance-id").status == 200
    world.instance = Instance(http_tokens="required")
    assert world.ask("latest/meta-data/instance-id").status == 401
    assert world.ask("latest/meta-data/instance-id", x_aws_ec2_metadata_token=world.token()).status == 200


# -- the role's credentials -----------------------------------------------------------------------------------------


def test_the_credentials_document(world: World) -> None:
    assert world.credentials() == {
        "Code": "Success",
        "LastUpdated": "2026-11-23T12:00:00Z",
        "Type": "AWS-HMAC",
        "AccessKeyId": "ASIA1",
        "SecretAccessKey": "secret",
        "Token": "token",
        "Expiration": "2026-11-23T18:00:00Z",
    }


def test_credentials_stay_the_same_until_shortly_before_their_end(world: World) -> None:
    for _ in range(3):
        assert world.credentials()["AccessKeyId"] == "ASIA1"
    world.now += timedelta(hours=5, minutes=30)
    assert world.credentials()["AccessKeyId"] == "ASIA1"
    world.now += timedelta(seconds=1)
    assert world.credentials()["AccessKeyId"] == "ASIA2"
    assert world.credentials()["Expiration"] == "2026-11-23T23:30:01Z"


def test_a_lost_trust_is_noticed_at_the_next_renewal(world: World) -> None:
    world.credentials()
    world.trusted = False
    world.now += timedelta(hours=5, minutes=59)
    assert world.credentials()["AccessKeyId"] == "ASIA1"
    world.now += timedelta(minutes=1)
    document = world.credentials()
    assert document["Code"] == "AssumeRoleUnauthorizedAccess"
    assert document["Message"].startswith("EC2 cannot assume the role web-role. Please see documentation at https://")
    world.trusted = True
    assert world.credentials()["AccessKeyId"] == "ASIA2"


def test_another_role_in_the_profile_brings_other_credentials(world: World) -> None:
    world.credentials()
    world.instance = Instance(role=Role("new-role"))
    assert world.ask("latest/meta-data/iam/security-credentials/web-role").status == 404
    document = json.loads(world.ask("latest/meta-data/iam/security-credentials/new-role").body)
    assert document["AccessKeyId"] == "ASIA2"


def test_the_profile_names_itself(world: World) -> None:
    info = json.loads(world.ask("latest/meta-data/iam/info").body)
    assert info == {
        "Code": "Success",
        "LastUpdated": "2026-11-23T12:00:00Z",
        "InstanceProfileArn": "arn:aws:iam::111111111111:instance-profile/web",
        "InstanceProfileId": "AIPAEXAMPLE",
    }


def test_a_profile_without_a_role_says_so(world: World) -> None:
    world.instance = Instance(role=None)
    assert world.ask("latest/meta-data/iam/").body == b"info"
    assert "does not contain a role" in json.loads(world.ask("latest/meta-data/iam/info").body)["Message"]
    assert world.ask("latest/meta-data/iam/security-credentials/").status == 404


def test_without_a_profile_there_is_no_iam_at_all() -> None:
    world = World(Instance(profile_arn=None, profile_id=None, role=None))
    assert world.ask("latest/meta-data/iam").status == 404
    assert world.ask("latest/meta-data/iam/info").status == 404
    assert "iam/" not in world.ask("latest/meta-data/").body.decode("utf-8").split("\n")
    assert world.minted == 0
