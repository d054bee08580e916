"""The large tables that boto3 and moto come with, each read once, and when it is needed. Knows moto's inside.

Left alone, moto reads at EC2's first call what types of instances there are and which of them every region offers,
and keeps a second copy of the models from which boto3 makes its clients: together 90 MB and more than a second.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache, cached_property
from typing import Any
from unittest.mock import patch

from botocore.loaders import Loader
from moto.core import loaders as moto_loaders
from moto.utilities import utils as moto_utilities

_OFFERINGS, _TYPES = "ec2/resources/instance_type_offerings", "ec2/resources/instance_types.json"
_READS_THEM = "moto.ec2.models.instance_types"
_REWRITTEN = ("s3", "s3control")  # a client rewrites addresses in these models, so moto has its own


@cache
def service_models() -> Loader:
    """One reader of AWS's API models for all clients, the AWS CLI and moto; it reads none of ~/.aws/models."""
    return Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)


def model_for_moto(service: str, kind: str) -> Any:
    """An API model with what moto adds to it; all else is shared with the clients."""
    if service in _REWRITTEN:
        return moto_loaders.create_loader().load_service_model(service, kind)
    model = service_models().load_service_model(service, kind)
    version = service_models().determine_latest_version(service, kind)
    for extra in moto_loaders.create_loader()._find_extras(service, kind, version):
        model = _merged(model, extra["merge"])
    return model


def _merged(model: Any, more: Any) -> Any:
    if not (isinstance(model, Mapping) and isinstance(more, Mapping)):
        return more
    return {**model, **{name: _merged(model.get(name), value) for name, value in more.items()}}


@contextmanager
def ec2_read_late() -> Iterator[None]:
    """Whatever of moto is imported in here leaves EC2's tables unread until somebody asks for what is in them."""
    if _READS_THEM in sys.modules:
        yield
        return
    types, read = InstanceTypes(), moto_utilities.load_resource

    def unread(name: str) -> Any:
        return [] if _OFFERINGS in name else types if name == _TYPES else read(name)

    with patch.object(moto_utilities, "load_resource", unread):
        yield
    if module := sys.modules.get(_READS_THEM):
        module.INSTANCE_TYPE_OFFERINGS.update({place: Offerings(place) for place in module.INSTANCE_TYPE_OFFERINGS})
        types.families = module.INSTANCE_FAMILIES
        module.InstanceTypeBackend.instance_types = property(lambda _: [module.InstanceType(name) for name in types])


class Offerings(dict[str, list[dict[str, str]]]):
    """Which types of instances there are, by region; `place` is what a location is: a region, a zone, a zone's ID."""

    def __init__(self, place: str) -> None:
        self.place = place

    def __missing__(self, region: str) -> list[dict[str, str]]:
        try:
            read = moto_utilities.load_resource(f"{_OFFERINGS}/{self.place}/{region}.json")
        except FileNotFoundError:
            raise KeyError(region) from None
        self[region] = [{**offered, "LocationType": self.place} for offered in read]
        return self[region]

    def get(self, region: str, default: Any = None) -> Any:
        try:
            return self[region]
        except KeyError:
            return default


class InstanceTypes(Mapping[str, Any]):
    """What each type of instance is like, by its name; empty until moto has been imported."""

    def __init__(self) -> None:
        self.families: list[str] | None = None  # moto's own list of them

    @cached_property
    def _read(self) -> dict[str, Any]:
        read: dict[str, Any] = moto_utilities.load_resource(_TYPES)
        assert self.families is not None
        self.families.extend({name.partition(".")[0] for name in read})
        return read

    def __getitem__(self, name: str) -> Any:
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(()) if self.families is None else iter(self._read)

    def __len__(self) -> int:
        return len(self._read)
