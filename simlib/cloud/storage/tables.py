"""What boto3 and moto read and keep for as long as Python runs, each once, and when it is needed. Knows moto's inside.

Left alone, moto reads at EC2's first call what types of instances there are and which of them every region offers,
and keeps a second copy of the models from which boto3 makes its clients: together 90 MB and more than a second.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import _lru_cache_wrapper, cache, partial, wraps
from importlib import import_module
from types import ModuleType
from typing import Any
from unittest.mock import patch
from weakref import WeakKeyDictionary

from botocore.loaders import Loader

from simlib.cloud import moto_names as moto

_OFFERINGS, _TYPES = "ec2/resources/instance_type_offerings", "ec2/resources/instance_types.json"


@cache
def service_models() -> Loader:
    """One reader of AWS's API models for all clients, the AWS CLI and moto; it reads none of ~/.aws/models."""
    return Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)


class _Late(dict[str, Any]):
    """A table that is read as far as it is asked for; `load` makes of a name what belongs to it, and may know more."""

    def __init__(self, load: Callable[[str], dict[str, Any]]) -> None:
        self._load = load

    def __missing__(self, name: str) -> Any:
        self.update(self._load(name))
        if name in self:
            return self[name]
        raise KeyError(name)

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default


def import_from_moto(name: str) -> ModuleType:
    """A module of moto's: EC2's tables are left unread, and what a method remembers of an object goes with the object.

    As moto comes, a subnet or an account that is remembered so keeps all of its world in memory for good.
    """
    with _ec2_read_late():
        module = import_module(name)
    for of_moto in [each for known, each in sys.modules.items() if known.startswith("moto.")]:
        for kind in [each for each in vars(of_moto).values() if isinstance(each, type)]:
            for method, function in list(vars(kind).items()):
                if isinstance(function, _lru_cache_wrapper):
                    setattr(kind, method, _remembering_weakly(function))
                    function.cache_clear()
    return module


def _remembering_weakly(method: Any) -> Callable[..., Any]:
    answers: WeakKeyDictionary[Any, dict[tuple[Any, ...], Any]] = WeakKeyDictionary()

    @wraps(method)
    def remembering(self: Any, *arguments: Any) -> Any:
        of_it = answers.setdefault(self, {})
        if arguments not in of_it:
            of_it[arguments] = method.__wrapped__(self, *arguments)
        return of_it[arguments]

    return remembering


@contextmanager
def _ec2_read_late() -> Iterator[None]:
    """Whatever of moto is imported in here leaves EC2's tables unread until somebody asks for what is in them."""
    if moto.EC2_TABLES in sys.modules:
        yield
        return
    types, load_resource = _Late(_types), moto.utilities.load_resource

    def without_tables(name: str) -> Any:
        return [] if _OFFERINGS in name else types if name == _TYPES else load_resource(name)

    with patch.object(moto.utilities, "load_resource", without_tables):
        yield
    if module := sys.modules.get(moto.EC2_TABLES):

        def every(_: Any) -> list[Any]:
            if not types:
                types.update(_types(""))
            return [module.InstanceType(name) for name in types]

        places = module.INSTANCE_TYPE_OFFERINGS
        places.update({place: _Late(partial(_offerings, place)) for place in places})
        module.InstanceTypeBackend.instance_types = property(every)


def _types(_: str) -> dict[str, Any]:
    """What each type of instance is like, by its name."""
    types: dict[str, Any] = moto.utilities.load_resource(_TYPES)
    sys.modules[moto.EC2_TABLES].INSTANCE_FAMILIES[:] = {name.partition(".")[0] for name in types}
    return types


def _offerings(place: str, region: str) -> dict[str, Any]:
    """Which types of instances a region offers; `place` is what a location is: a region, a zone, a zone's ID."""
    try:
        offerings = moto.utilities.load_resource(f"{_OFFERINGS}/{place}/{region}.json")
    except FileNotFoundError:
        return {}
    return {region: [{**each, "LocationType": place} for each in offerings]}


def open_keeper(service: str, account: str, region: str) -> Any:
    """moto's backend of a service in an account, begun where nothing of it exists yet."""
    regions = _backends(service)[account]
    return regions[moto.PARTITION if moto.PARTITION in regions else region]


@cache
def _backends(service: str) -> Any:
    """moto's backends of a service, by account."""
    module, name = moto.module_of_backends(service)
    return getattr(import_from_moto(module), name)
