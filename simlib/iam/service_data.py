"""What AWS's services can be asked: their actions, the resources these act on, and the condition keys.

From AWS's Service Authorization Reference, by `tools/service_data.py`; one service is read when it is asked for. The
data has a date (`edition`): AWS adds actions every week, so what is missing may exist.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path


@dataclass(frozen=True)
class Action:
    """An action of a service; its resource types and keys by their names."""

    name: str
    access_level: str  # List, Read, Write, Tagging or Permissions management
    resource_types: tuple[str, ...]  # none: it acts on `*`
    required_types: tuple[str, ...]  # those of them that every call needs
    condition_keys: tuple[str, ...]
    dependent_actions: tuple[str, ...]  # what a caller must be allowed besides, such as iam:PassRole


@dataclass(frozen=True)
class ResourceType:
    """A kind of resource: its ARN with placeholders like `${BucketName}`, and the condition keys that describe it."""

    name: str  # where AWS gives a type two ARNs, the second is a type of its own: `bot (2)`
    arn: str
    condition_keys: tuple[str, ...]


@dataclass(frozen=True)
class Service:
    """A service by its action prefix. A condition key that contains `*` stands for a family (of tags, mostly)."""

    prefix: str
    name: str
    condition_keys: Mapping[str, str]  # key → type: String, ARN, Bool, Date, Numeric, IPAddress, ArrayOf…
    resource_types: Mapping[str, ResourceType]
    actions: Mapping[str, Action]  # by their lower-case names


@dataclass(frozen=True)
class Edition:
    """Where the data comes from, its day (YYYY-MM-DD), and what in it belongs to no single service."""

    source: str
    date: str
    arn_services: Sequence[str]
    condition_keys: Mapping[str, Mapping[str, str]]  # prefix that is no service's → key → type


@cache
def services() -> frozenset[str]:
    """The prefixes of all services."""
    return frozenset(_archive().namelist()) - {"_edition"}


@lru_cache(maxsize=512)
def service(prefix: str) -> Service | None:
    """The service with this action prefix (lower case), or None."""
    if prefix not in services():
        return None
    data = json.loads(_archive().read(prefix))
    actions = {}
    for name, entry in data["actions"].items():
        level, required, others, keys, dependents = (*entry, (), (), (), ())[:5]
        actions[name.lower()] = Action(name, level, *map(tuple, ([*required, *others], required, keys, dependents)))
    kinds = {name: ResourceType(name, arn, tuple(keys)) for name, (arn, keys) in data["resources"].items()}
    return Service(prefix, data["name"], data["keys"], kinds, actions)


@cache
def edition() -> Edition:
    """What is said of the data as a whole."""
    return Edition(**json.loads(_archive().read("_edition")))


def arn_services() -> frozenset[str]:
    """Every name that stands in the service part of some resource's ARN."""
    return frozenset(edition().arn_services)


def condition_keys(prefix: str) -> Mapping[str, str] | None:
    """Key → type of a prefix's keys (`s3`, `saml` …, lower case; `aws`: the global keys); None if there are none."""
    found = service(prefix)
    return found.condition_keys if found else edition().condition_keys.get(prefix)


@lru_cache(maxsize=4096)
def key_type(key: str) -> str | None:
    """The type of a condition key, whatever its case and tag (`aws:RequestTag/team`); None if AWS does not list it."""
    low = key.lower()
    for pattern, kind in sorted((condition_keys(low.partition(":")[0]) or {}).items(), reverse=True):  # longer first
        if fnmatchcase(low, pattern.lower().replace("*", "?*")) if "*" in pattern else low == pattern.lower():
            return kind
    return None


@cache
def _archive() -> zipfile.ZipFile:
    return zipfile.ZipFile(BytesIO(Path(__file__).with_name("service_data.zip").read_bytes()))  # leaves no file open
