"""The smallest scenario that still shows something: whatever can be left out is left out."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

Scenario = dict[str, Any]


def shrink(scenario: Scenario, still: Callable[[Scenario], bool]) -> Scenario:
    """Leave out parts, the largest first, for as long as ``still`` holds."""
    smaller = next((each for each in _smaller(scenario) if still(each)), None)
    while smaller is not None:
        scenario = smaller
        smaller = next((each for each in _smaller(scenario) if still(each)), None)
    return scenario


def _smaller(scenario: Scenario) -> Iterator[Scenario]:
    for path in _parts(scenario):
        made = copy.deepcopy(scenario)
        holder: Any = made
        for step in path[:-1]:
            holder = holder[step]
        if len(path) > 1 or path[0] not in ("principal", "action", "resource", "id"):
            value = holder[path[-1]]
            del holder[path[-1]]
            if holder or path[-2:-1] not in (("Principal",), ("NotPrincipal",)):  # an empty one is another subject
                yield made
            if isinstance(value, list) and len(value) == 1:  # a list of one is more than its one value
                made = copy.deepcopy(made)
                holder = made
                for step in path[:-1]:
                    holder = holder[step]
                if isinstance(holder, dict):
                    holder[path[-1]] = value[0]
                    yield made


def _parts(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of all parts, shallow ones first."""
    steps = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
    for step in steps:
        yield (*path, step)
    for step in steps:
        yield from _parts(value[step], (*path, step))
