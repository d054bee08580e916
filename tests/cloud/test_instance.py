"""An instance from inside: session, AWS CLI and metadata, with the credentials of its role and nothing else."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import botocore.handlers
import pytest
from botocore.awsrequest import AWSResponse

from simlib.cloud.clock import Clock
from simlib.cloud.machines.instance import Instance
from simlib.cloud.transport.wire import Body

from .machine import FACTS, NO_PROFILE, NO_ROLE, STOPPED, TOKENS_ONLY, WEB, World


@dataclass
class Aws:
    """Stands for the gate: answers every request of this process and notes who made it."""

    signed_by: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    def answer(self, request: Any, **_: Any) -> AWSResponse:
        authorization = request.headers.get("Authorization", b"")
        text = authorization.decode() if isinstance(authorization, bytes) else authorization
        self.signed_by.append(text.partition("Credential=")[2].partition("/")[0])
        token = request.headers.get("X-Amz-Security-Token", b"")
        self.tokens.append(token.decode() if isinstance(token, bytes) else token)
        arn = f"arn:aws:sts::111111111111:assumed-role/web-role/{WEB}"
        result = f"<GetCallerIdentityResult><Arn>{arn}</Arn></GetCallerIdentityResult>"
        body = Body(f"<GetCallerIdentityResponse>{result}</GetCallerIdentityResponse>".encode())
        return AWSResponse(request.url, 200, {"Content-Type": "text/xml"}, body)


@pytest.fixture
def world() -> Iterator[World]:
    clock = Clock()
    clock.start()
    yield World(clock)
    clock.stop()


@pytest.fixture
def web(world: World) -> Instance:
    return Instance(world, WEB)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    aws = Aws()
    handler = ("before-send", aws.answer, botocore.handlers.REGISTER_FIRST)
    monkeypatch.setattr(botocore.handlers, "BUILTIN_HANDLERS", [*botocore.handlers.BUILTIN_HANDLERS, handler])
    return aws


@pytest.fixture
def learners_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What a learner's own surroundings would bring."""
    (tmp_path / "credentials").write_text("[default]\naws_access_key_id=AKIAFILE\naws_secret_access_key=s\n", "utf-8")
    (tmp_path / "config").write_text("[default]\nregion = eu-west-3\noutput = yaml-stream\n", encoding="utf-8")
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIALEARNER",
        "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_SESSION_TOKEN": "stale",
        "AWS_PROFILE": "no-such-profile",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)


# -- the session ----------------------------------------------------------------------------------------------------


def test_the_session_has_the_roles_credentials_and_nothing_of_the_learners_own(
    web: Instance, aws: Aws, learners_own: None
) -> None:
    assert web.session.get_credentials().method == "iam-role"
    assert web.session.region_name == "us-east-1"
    answer = web.session.client("sts").get_caller_identity()
    assert answer["Arn"].endswith(f"assumed-role/web-role/{WEB}")
    assert aws.signed_by == ["ASIA0000000000000001"]
    assert aws.tokens == ["token-1"]


def test_the_session_refreshes_itself_as_the_clock_moves(web: Instance, world: World, aws: Aws) -> None:
    sts = web.session.client("sts")
    sts.get_caller_identity()
    world.clock.advance(hours=5)
    sts.get_caller_identity()
    world.clock.advance(minutes=46)
    sts.get_caller_identity()
    world.clock.advance(days=365)
    sts.get_caller_identity()
    assert aws.signed_by == [f"ASIA{number:016d}" for number in (1, 1, 2, 3)]
    assert web.session.get_credentials()._expiry_time - world.clock.now > timedelta(hours=5)


def test_an_instance_without_a_role_has_no_credentials(web: Instance, world: World) -> None:
    world.facts = NO_PROFILE
    assert web.session.get_credentials() is None
    world.facts = FACTS
    assert web.session.get_credentials().access_key == "ASIA0000000000000001"


def test_the_role_taken_out_of_the_profile_meanwhile(web: Instance, world: World, monkeypatch: Any) -> None:
    def gone(instance_id: str) -> Any:
        raise LookupError("no role on it")

    monkeypatch.setattr(world, "mint_instance_session", gone)
    document = web.curl("latest/meta-data/iam/security-credentials/web-role").json()
    assert document["Code"] == "InstanceProfileNotFound"


# -- the command line -----------------------------------------------------------------------------------------------


def test_the_cli_uses_the_roles_credentials(web: Instance, aws: Aws, learners_own: None) -> None:
    result = web.run("aws sts get-caller-identity --query Arn --output text")
    assert (result.stdout.strip(), result.stderr, result.returncode) == (
        f"arn:aws:sts::111111111111:assumed-role/web-role/{WEB}",
        "",
        0,
    )
    assert aws.signed_by == ["ASIA0000000000000001"]


def test_cli_and_session_share_one_rotation(web: Instance, world: World, aws: Aws) -> None:
    web.session.client("sts").get_caller_identity()
    web.run("aws sts get-caller-identity")
    world.clock.advance(hours=6)
    web.run("aws sts get-caller-identity")
    assert aws.signed_by == [f"ASIA{number:016d}" for number in (1, 1, 2)]


def test_without_a_role_the_cli_finds_no_credentials(web: Instance, world: World, learners_own: None) -> None:
    world.facts = NO_PROFILE
    result = web.run("aws s3 ls")
    assert result.stdout == ""
    assert "Unable to locate credentials. You can configure credentials by running" in result.stderr
    assert result.returncode == 255


def test_keys_configured_on_the_instance_win_over_its_role(web: Instance, aws: Aws) -> None:
    web.run("aws configure set aws_access_key_id AKIAONDISK")
    web.run("aws configure set aws_secret_access_key on-disk")
    web.run("aws sts get-caller-identity")
    assert aws.signed_by == ["AKIAONDISK"]
    assert "AKIAONDISK" in (web.home / ".aws" / "credentials").read_text(encoding="utf-8")
    assert web.session.get_credentials().access_key == "AKIAONDISK"


def test_a_profile_may_take_the_instance_as_its_source(web: Instance, aws: Aws) -> None:
    web.run("aws configure set role_arn arn:aws:iam::222222222222:role/other --profile other")
    web.run("aws configure set credential_source Ec2InstanceMetadata --profile other")
    web.run("aws sts get-caller-identity --profile other")
    assert aws.signed_by[0] == "ASIA0000000000000001"


def test_the_environment_is_the_instances_own(web: Instance, learners_own: None) -> None:
    assert {name for name in web.environment if name.startswith("AWS_")} == {"AWS_DEFAULT_REGION"}
    assert Path(web.environment["HOME"]) == web.home
    before = dict(os.environ)
    web.run("aws configure list")
    assert dict(os.environ) == before


# -- the metadata service -------------------------------------------------------------------------------------------


def test_curl_just_works(web: Instance, world: World) -> None:
    assert web.curl("latest/meta-data/iam/security-credentials/") == "web-role"
    document = web.curl("latest/meta-data/iam/security-credentials/web-role").json()
    assert document["AccessKeyId"] == "ASIA0000000000000001"
    world.facts = TOKENS_ONLY
    assert web.curl("http://169.254.169.254/latest/meta-data/instance-id") == WEB


def test_curl_shows_text_as_it_is(web: Instance) -> None:
    document = web.curl("latest/meta-data/iam/security-credentials/web-role")
    assert repr(document) == document
    assert repr(document).startswith('{\n  "Code" : "Success",')
    assert document.status == 200


def test_version_1_on_request_and_both_steps_of_version_2_by_hand(web: Instance, world: World) -> None:
    assert web.curl("latest/meta-data/instance-id", token=False) == WEB
    world.facts = TOKENS_ONLY
    refused = web.curl("latest/meta-data/instance-id", token=False)
    assert refused.status == 401
    assert "401 - Unauthorized" in refused
    token = web.curl("latest/api/token", method="PUT", headers={"X-aws-ec2-metadata-token-ttl-seconds": "60"})
    assert web.curl("latest/meta-data/instance-id", headers={"X-aws-ec2-metadata-token": token}) == WEB
    world.clock.advance(seconds=61)
    assert web.curl("latest/meta-data/instance-id", headers={"X-aws-ec2-metadata-token": token}).status == 401


# -- which instance -------------------------------------------------------------------------------------------------


def test_an_unknown_instance_is_a_lookup_error(world: World) -> None:
    with pytest.raises(LookupError, match="There is no instance 'i-nowhere'"):
        Instance(world, "i-nowhere")


def test_a_stopped_instance_can_do_nothing(web: Instance, world: World) -> None:
    world.facts = STOPPED
    for act in (lambda: web.run("aws s3 ls"), lambda: web.curl("latest/"), lambda: web.session):
        with pytest.raises(RuntimeError, match="is not running"):
            act()


def test_an_instance_shows_itself(web: Instance, world: World) -> None:
    assert repr(web) == f"<Instance {WEB}, running, role web-role>"
    world.facts = replace(NO_ROLE, running=False)
    assert repr(web) == f"<Instance {WEB}, not running, no role>"
    world.facts = None
    assert repr(web) == f"<Instance {WEB}, gone>"


def test_what_a_document_holds_is_json(web: Instance) -> None:
    text = web.curl("latest/dynamic/instance-identity/document")
    assert text.json() == json.loads(text)
