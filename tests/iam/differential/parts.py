"""The parts of a scenario: to find them, and to put others in their place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from simlib.iam.principals import identify
from simlib.iam.vocabulary import TRUST_ACTIONS

Scenario = dict[str, Any]
NEVER = {"no:such-key": "x"}


def caller_of(scenario: Scenario) -> Any:
    return identify(scenario["principal"], scenario.get("role_arn"))


def documents(scenario: Scenario) -> Iterator[dict[str, Any]]:
    for field in ("identity_policies", "session_policies", "vpc_endpoint_policies"):
        yield from scenario.get(field, [])
    for field in ("scps", "rcps"):
        for level in scenario.get(field, []):
            yield from level
    for field in ("permissions_boundary", "resource_policy"):
        if field in scenario:
            yield scenario[field]


def statements(document: dict[str, Any]) -> list[dict[str, Any]]:
    written = document["Statement"]
    return written if isinstance(written, list) else [written]


def all_statements(scenario: Scenario) -> Iterator[dict[str, Any]]:
    for document in documents(scenario):
        yield from statements(document)


def listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def is_trust(scenario: Scenario) -> bool:
    return scenario["action"].lower() in TRUST_ACTIONS and ":role/" in scenario["resource"]


def rewrite_texts(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        for key in value:
            value[key] = rewrite_texts(value[key], change)
        return value
    if isinstance(value, list):
        value[:] = [rewrite_texts(each, change) for each in value]
        return value
    return change(value) if isinstance(value, str) else value


Change = Callable[[str, str, list[Any]], list[Any] | bool]


def rewrite_conditions(scenario: Scenario, change: Change) -> None:
    """Replace the wanted values of every condition; a condition may also become ``True`` (left out) or ``False``."""
    for statement in all_statements(scenario):
        for name, keys in list(statement.get("Condition", {}).items()):
            for key, wanted in list(keys.items()):
                changed = change(name, key, listed(wanted))
                if isinstance(changed, list):
                    if changed != listed(wanted):
                        keys[key] = changed
                else:
                    del keys[key]
                    if not changed:
                        statement["Condition"].setdefault("StringEquals", {}).update(NEVER)


def value_of(scenario: Scenario, key: str) -> Any:
    known = {name.lower(): value for name, value in scenario.get("context", {}).items()}
    derived = {name.lower(): value for name, value in caller_of(scenario).context.items()}
    return {**derived, **known}.get(key.lower())
