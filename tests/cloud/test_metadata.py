"""The instance metadata service: its tree, its tokens, and the credentials of the instance's role."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from simlib.cloud.machines.instance import Instance
from simlib.cloud.storage.stored import StoredInstance
from simlib.cloud.transport.wire import RawAnswer

from .machine import FACTS, NO_PROFILE, NO_ROLE, STOPPED, TOKENS_ONLY, WEB, WITH_ANOTHER_ROLE, World

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TOKEN = "X-aws-ec2-metadata-token"
TTL = "X-aws-ec2-metadata-token-ttl-seconds"
FIRST, SECOND = (f"ASIA{number:016d}" for number in (1, 2))


class Asked(World):
    """What the metadata service of an instance is asked."""

    def __init__(self) -> None:
        super().__init__(SimpleNamespace(now=START))
        self.service = Instance(self, WEB).metadata

    def ask(self, path: str, method: str = "GET", **headers: str) -> RawAnswer:
        return self.service.answer(method, path, {name.replace("_", "-"): value for name, value in headers.items()})

    def token(self, seconds: int = 60) -> str:
        return self.service.answer("PUT", "latest/api/token", {TTL: str(seconds)}).body.decode("ascii")

    def credentials(self, role: str = "web-role") -> dict[str, str]:
        document: dict[str, str] = json.loads(self.ask(f"latest/meta-data/iam/security-credentials/{role}").body)
        return document


@pytest.fixture
def world() -> Asked:
    return Asked()


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
def test_the_tree(world: Asked, path: str, text: str) -> None:
    answer = world.ask(path)
    assert (answer.status, answer.body.decode("utf-8")) == (200, text)
    assert answer.headers["Server"] == "EC2ws"
    assert answer.headers["Content-Length"] == str(len(answer.body))


def test_the_listing_names_directories_with_a_slash(world: Asked) -> None:
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
def test_what_is_not_there_is_a_404_page(world: Asked, path: str) -> None:
    answer = world.ask(path)
    assert answer.status == 404
    assert b"<title>404 - Not Found</title>" in answer.body
    assert answer.body.startswith(b'<?xml version="1.0"')


def _with(**details: str) -> StoredInstance:
    return replace(FACTS, details=details)


@pytest.mark.parametrize(
    ("facts", "path", "status"),
    [
        (_with(), "latest/user-data", 404),
        (_with(), "latest/meta-data/instance-id", 200),
        (_with(**{"http-endpoint": "disabled"}), "latest/meta-data/", 403),
        (None, "latest/meta-data/instance-id", 503),
        (STOPPED, "latest/meta-data/instance-id", 503),
        (TOKENS_ONLY, "latest/meta-data/instance-id", 401),
        (NO_ROLE, "latest/meta-data/iam/security-credentials/", 404),
        (NO_PROFILE, "latest/meta-data/iam", 404),
        (NO_PROFILE, "latest/meta-data/iam/info", 404),
        (WITH_ANOTHER_ROLE, "latest/meta-data/iam/security-credentials/web-role", 404),
    ],
)
def test_what_an_instance_has_decides_what_it_is_answered(
    world: Asked, facts: StoredInstance | None, path: str, status: int
) -> None:
    world.facts = facts
    assert world.ask(path).status == status


def test_the_identity_document(world: Asked) -> None:
    document = json.loads(world.ask("latest/dynamic/instance-identity/document").body)
    assert (document["accountId"], document["instanceId"]) == ("111111111111", "i-0123456789abcdef0")
    assert (document["imageId"], document["region"], document["privateIp"]) == ("ami-0abc", "us-east-1", "10.0.0.7")


def test_head_answers_without_a_body(world: Asked) -> None:
    answer = world.ask("latest/meta-data/instance-id", "HEAD")
    assert (answer.status, answer.body, answer.headers["Content-Length"]) == (200, b"", "19")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_metadata_cannot_be_written(world: Asked, method: str) -> None:
    assert world.ask("latest/meta-data/instance-id", method).status == 405


# -- tokens ---------------------------------------------------------------------------------------------------------


def test_a_token_opens_a_session(world: Asked) -> None:
    token = world.token(300)
    assert len(token) == 56
    answer = world.service.answer("GET", "latest/meta-data/instance-id", {TOKEN: token})
    assert answer.status == 200
    assert answer.headers["X-Aws-Ec2-Metadata-Token-Ttl-Seconds"] == "300"


def test_a_token_ends_on_the_simulated_clock(world: Asked) -> None:
    token = world.token(300)
    world.clock.now += timedelta(seconds=299)
    assert world.ask("latest/meta-data/instance-id", x_aws_ec2_metadata_token=token).status == 200
    world.clock.now += timedelta(seconds=1)
    assert world.ask("latest/meta-data/instance-id", x_aws_ec2_metadata_token=token).status == 401


@pytest.mark.parametrize("ttl", ["1", "21600", " 60 "])
def test_a_token_may_live_up_to_six_hours(world: Asked, ttl: str) -> None:
    assert world.service.answer("PUT", "latest/api/token", {TTL: ttl}).status == 200


@pytest.mark.parametrize("ttl", ["", "0", "21601", "-1", "1.5", "sixty", "²", "9" * 5000])
def test_a_token_needs_a_sensible_lifetime(world: Asked, ttl: str) -> None:
    assert world.service.answer("PUT", "latest/api/token", {TTL: ttl}).status == 400


@pytest.mark.parametrize(
    ("path", "method", "headers", "status"),
    [
        ("latest/api/token", "PUT", {}, 400),
        ("latest/api/token", "GET", {TTL: "60"}, 405),
        ("latest/api/token", "POST", {TTL: "60"}, 405),
        ("1.0/api/token", "PUT", {TTL: "60"}, 403),
        ("latest/api/token", "PUT", {TTL: "60", "X-Forwarded-For": "203.0.113.9"}, 403),
    ],
)
def test_how_a_token_is_not_given(world: Asked, path: str, method: str, headers: dict[str, str], status: int) -> None:
    assert world.service.answer(method, path, headers).status == status


def test_tokens_are_the_instances_own(world: Asked) -> None:
    token = world.token()
    world.facts = replace(FACTS, instance_id="i-other")
    assert world.ask("latest/meta-data/", x_aws_ec2_metadata_token=token).status == 401


@pytest.mark.parametrize("token", ["", "x", "Zm9v", "AQAAAA==", "é", "A" * 56, "AQAA" + "_" * 52, "A" * 100_000])
def test_a_made_up_token_is_refused(world: Asked, token: str) -> None:
    answer = world.ask("latest/meta-data/", x_aws_ec2_metadata_token=token)
    assert answer.status == 401
    assert b"401 - Unauthorized" in answer.body


def test_a_token_with_a_later_end_is_refused(world: Asked) -> None:
    token = bytearray(base64.urlsafe_b64decode(world.token()))
    token[8] += 1
    forged = base64.urlsafe_b64encode(bytes(token)).decode("ascii")
    assert world.ask("latest/meta-data/", x_aws_ec2_metadata_token=forged).status == 401


def test_version_1_is_allowed_unless_tokens_are_required(world: Asked) -> None:
    assert world.ask("latest/meta-data/instance-id").status == 200
    world.facts = TOKENS_ONLY
    assert world.ask("latest/meta-data/instance-id", x_aws_ec2_metadata_token=world.token()).status == 200


# -- the role's credentials -----------------------------------------------------------------------------------------


def test_the_credentials_document(world: Asked) -> None:
    assert world.credentials() == {
        "Code": "Success",
        "LastUpdated": "2026-11-23T12:00:00Z",
        "Type": "AWS-HMAC",
        "AccessKeyId": FIRST,
        "SecretAccessKey": "secret",
        "Token": "token-1",
        "Expiration": "2026-11-23T18:00:00Z",
    }


def test_credentials_stay_the_same_until_shortly_before_their_end(world: Asked) -> None:
    for _ in range(3):
        assert world.credentials()["AccessKeyId"] == FIRST
    world.clock.now += timedelta(hours=5, minutes=30)
    assert world.credentials()["AccessKeyId"] == FIRST
    world.clock.now += timedelta(seconds=1)
    assert world.credentials()["AccessKeyId"] == SECOND
    assert world.credentials()["Expiration"] == "2026-11-23T23:30:01Z"


def test_a_lost_trust_is_noticed_at_the_next_renewal(world: Asked) -> None:
    world.credentials()
    world.trusted = False
    world.clock.now += timedelta(hours=5, minutes=59)
    assert world.credentials()["AccessKeyId"] == FIRST
    world.clock.now += timedelta(minutes=1)
    document = world.credentials()
    assert document["Code"] == "AssumeRoleUnauthorizedAccess"
    assert document["Message"].startswith("EC2 cannot assume the role web-role. Please see documentation at https://")
    world.trusted = True
    assert world.credentials()["AccessKeyId"] == SECOND


def test_another_role_in_the_profile_brings_other_credentials(world: Asked) -> None:
    world.credentials()
    world.facts = WITH_ANOTHER_ROLE
    assert world.credentials("new-role")["AccessKeyId"] == SECOND


def test_the_profile_names_itself(world: Asked) -> None:
    info = json.loads(world.ask("latest/meta-data/iam/info").body)
    assert info == {
        "Code": "Success",
        "LastUpdated": "2026-11-23T12:00:00Z",
        "InstanceProfileArn": "arn:aws:iam::111111111111:instance-profile/web",
        "InstanceProfileId": "AIPAEXAMPLE",
    }


def test_a_profile_without_a_role_says_so(world: Asked) -> None:
    world.facts = NO_ROLE
    assert world.ask("latest/meta-data/iam/").body == b"info"
    assert "does not contain a role" in json.loads(world.ask("latest/meta-data/iam/info").body)["Message"]


def test_without_a_profile_there_is_no_iam_at_all(world: Asked) -> None:
    world.facts = NO_PROFILE
    assert "iam/" not in world.ask("latest/meta-data/").body.decode("utf-8").split("\n")
    assert world.minted == 0
