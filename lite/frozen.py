"""What a kernel of the site has imported when it wakes; freeze.mjs runs it, in Pyodide.

All of the lab, what its kernel needs, and of moto the services that every lesson uses. `cryptography` has compiled
parts, which come only after the memory: a stand-in gives each name that is imported from it as a `Deferred`, which is
itself at its first use.
"""

from __future__ import annotations

import gc
import importlib
import importlib.abc
import importlib.machinery
import pkgutil
import sys
from types import ModuleType
from typing import Any

LATE = "cryptography"
SERVICES = ("iam", "kms", "organizations", "s3", "sts")


class Deferred:
    """A name of a module that is not there yet. At the first use of one all are exchanged for what they stand for."""

    def __init__(self, module: str, name: str) -> None:
        self._module, self._name = module, name

    def itself(self) -> Any:
        module = importlib.import_module(self._module)
        if not hasattr(module, self._name):
            importlib.import_module(f"{self._module}.{self._name}")
        return getattr(module, self._name)

    def __getattr__(self, name: str) -> Any:
        return getattr(_exchanged(self), name)

    def __call__(self, *args: Any, **more: Any) -> Any:
        return _exchanged(self)(*args, **more)


def _exchanged(wanted: Deferred) -> Any:
    for module in [each for each in sys.modules.values() if issubclass(type(each), ModuleType)]:
        for name, value in list(vars(module).items()):
            if type(value) is Deferred:
                setattr(module, name, value.itself())
    return wanted.itself()


class StandIn(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds every module of the late package."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> Any:
        late = name.partition(".")[0] == LATE
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if late else None

    def create_module(self, spec: object) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        def member(name: str) -> Deferred:
            if name.startswith("__"):
                raise AttributeError(name)
            return Deferred(module.__name__, name)

        module.__getattr__ = member  # type: ignore[method-assign]


stand_in = StandIn()
sys.meta_path.insert(0, stand_in)
services = (f"moto.{name}.{part}" for name in SERVICES for part in ("models", "responses", "urls"))
for name in ("piplite.piplite", "pyodide_kernel", "simlib", *services):
    importlib.import_module(name)
for each in pkgutil.walk_packages(sys.modules["simlib"].__path__, "simlib."):
    if not each.name.endswith("__main__"):
        importlib.import_module(each.name)

sys.meta_path.remove(stand_in)
for name in [name for name in sys.modules if name.partition(".")[0] == LATE]:
    del sys.modules[name]
gc.collect()
