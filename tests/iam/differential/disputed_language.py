"""What is disputed about the policy language, said in words that both understand."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

from simlib.iam.conditions import BY_NAME, moment, number
from tests.iam.differential.parts import (
    Scenario,
    all_statements,
    caller_of,
    documents,
    listed,
    rewrite_conditions,
    rewrite_texts,
    statements,
    value_of,
)


def endpoint_principals(scenario: Scenario) -> None:
    """A policy of a VPC endpoint has principals, too: a statement that names others is none for this caller."""
    caller = caller_of(scenario)
    for document in scenario.get("vpc_endpoint_policies", []):
        kept = []
        for statement in statements(document):
            principal = statement["Principal"]
            named = set(listed(principal.get(caller.key, []))) if isinstance(principal, dict) else {"*"}
            if named & {"*", *caller.names} or (principal != "*" and "*" in listed(principal.get("AWS", []))):
                kept.append({**statement, "Principal": "*"})
        if kept != statements(document):
            document["Statement"] = kept


def default_values(scenario: Scenario) -> None:
    """A variable with a default, replaced by the value it has or by the default."""

    def fill(text: str) -> str:
        for key, default in (("aws:username", "alice"), ("aws:RequestTag/team", "red")):
            value = value_of(scenario, key)
            text = text.replace(f"${{{key}, '{default}'}}", value if isinstance(value, str) else default)
        return text

    for document in documents(scenario):
        if document.get("Version") == "2012-10-17":
            rewrite_texts(statements(document), fill)


def not_arns(scenario: Scenario) -> None:
    """What is not an ARN is none of the wanted ones."""

    def change(name: str, key: str, wanted: list[Any]) -> list[Any] | bool:
        known, value = BY_NAME.get(name), value_of(scenario, key)
        if known is None or not known.base.startswith("Arn") or value != "not-an-arn":
            return wanted
        return known.negated

    rewrite_conditions(scenario, change)


def every_action(scenario: Scenario) -> None:
    for statement in all_statements(scenario):
        for name in {"Action", "NotAction"} & set(statement):
            if "*:*" in listed(statement[name]):
                statement[name] = ["*" if each == "*:*" else each for each in listed(statement[name])]


def incomplete_arns(scenario: Scenario) -> None:
    for statement in all_statements(scenario):
        for name in {"Resource", "NotResource"} & set(statement):
            texts = listed(statement[name])
            completed = [each + ":*" * (5 - each.count(":")) if each[:4] == "arn:" else each for each in texts]
            if completed != texts:
                statement[name] = completed


def resource_types(scenario: Scenario) -> None:
    _, _, rest = scenario["resource"].rpartition(":")
    for statement in all_statements(scenario):
        if {"Resource", "NotResource"} & set(statement):
            rewrite_texts(statement, lambda text: text.replace(f":?{rest[1:]}", f":{rest}"))


def escapes(scenario: Scenario) -> None:
    for document in documents(scenario):
        if document.get("Version") == "2012-10-17":
            rewrite_texts(statements(document), lambda text: text.replace("${$}", "$"))


def variables_first(scenario: Scenario) -> None:
    """``arn:aws:sqs:*:*:${aws:username}-queue`` is AWS's own example."""
    name = value_of(scenario, "aws:username")
    if isinstance(name, str):
        for document in documents(scenario):
            if document.get("Version") == "2012-10-17":
                rewrite_texts(statements(document), lambda text: text.replace(":${aws:username}", f":{name}"))


def line_breaks(scenario: Scenario) -> None:
    scenario["resource"] = scenario["resource"].replace("\n", "_")
    for document in documents(scenario):
        rewrite_texts(statements(document), lambda text: text.replace("\n", "_"))


def old_versions(scenario: Scenario) -> None:
    """Without variables in the language, ``${…}`` is text that no request of ours holds."""
    for document in documents(scenario):
        if document.get("Version") != "2012-10-17":
            rewrite_texts(statements(document), lambda text: text.replace("${", "%{"))


def variables_without_value(scenario: Scenario) -> None:
    """A pattern with such a variable matches nothing; a negated operator holds where nothing is matched."""

    def change(name: str, key: str, wanted: list[Any]) -> list[Any] | bool:
        known, value = BY_NAME.get(name), value_of(scenario, key)
        if known is None or not known.negated or value is None or (known.qualifier and not any(listed(value))):
            return wanted
        kept = [each for each in wanted if not _lacks_a_value(str(each), scenario)]
        return kept or True

    rewrite_conditions(scenario, change)
    for document in documents(scenario):
        for statement in statements(document) if document.get("Version") == "2012-10-17" else ():
            for name in {"Resource", "NotResource"} & set(statement):
                texts = listed(statement[name])
                kept = [each for each in texts if not _lacks_a_value(each, scenario)]
                if kept != texts:
                    statement[name] = kept or ["arn:aws:nothing:::nothing"]


def _lacks_a_value(text: str, scenario: Scenario) -> bool:
    for each in text.split("${")[1:]:
        inside = each.partition("}")[0]
        if inside not in "*?$" and "," not in inside and not isinstance(value_of(scenario, inside), str):
            return True
    return False


def epoch_seconds(scenario: Scenario) -> None:
    def change(name: str, key: str, wanted: list[Any]) -> list[Any] | bool:
        return [_iso(each) for each in wanted] if "Date" in name else wanted

    rewrite_conditions(scenario, change)
    context = scenario.get("context", {})
    for key in context:
        if key.lower() == "aws:epochtime":
            context[key] = _iso(context[key])


def _iso(value: Any) -> Any:
    seconds = moment(str(value))
    return value if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def not_numbers(scenario: Scenario) -> None:
    def change(name: str, key: str, wanted: list[Any]) -> list[Any] | bool:
        known = BY_NAME.get(name)
        if known is None or not known.base.startswith("Numeric") or value_of(scenario, key) is None:
            return wanted
        return [each for each in wanted if number(str(each)) is not None] or known.negated

    rewrite_conditions(scenario, change)


def addresses(scenario: Scenario) -> None:
    def change(name: str, key: str, wanted: list[Any]) -> list[Any] | bool:
        if "IpAddress" not in name:
            return wanted
        networks = [str(ip_network(each)) for each in wanted]
        halves = ["0.0.0.0/1", "128.0.0.0/1"] if "0.0.0.0/0" in networks else []
        return [each for each in networks if each != "0.0.0.0/0"] + halves

    rewrite_conditions(scenario, change)
    context = scenario.get("context", {})
    for key in context:
        if key.lower() == "aws:sourceip":
            context[key] = str(ip_network(context[key]).network_address)


def sets_of_nothing(scenario: Scenario) -> None:
    """Under a set operator an empty text, or a list of nothing, is no value at all."""

    def change(name: str, key: str, wanted: list[Any]) -> list[Any] | bool:
        known, value = BY_NAME.get(name), value_of(scenario, key)
        if known is None or not known.qualifier or (value is not None and any(listed(value))):
            return wanted
        return known.qualifier == "ForAllValues" or known.if_exists

    rewrite_conditions(scenario, change)
    scenario["context"] = {key: value for key, value in scenario.get("context", {}).items() if value != []}


def lists_without_set_operator(scenario: Scenario) -> None:
    """A list of several is not equal to any one value; a list of one is that value."""

    def change(name: str, key: str, wanted: list[Any]) -> list[Any] | bool:
        known, value = BY_NAME.get(name), value_of(scenario, key)
        if known is None or known.qualifier or known.base == "Null" or not isinstance(value, list):
            return wanted
        return wanted if len(value) == 1 else known.negated

    rewrite_conditions(scenario, change)
    context = scenario.get("context", {})
    for key in context:
        if isinstance(context[key], list) and len(context[key]) == 1:
            context[key] = context[key][0]
