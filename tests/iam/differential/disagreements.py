"""Where the peer is wrong, or AWS is silent: each with its page, and how to ask the question without the disputed part.

``settle`` rewrites a scenario so that what is disputed is said in words both understand, as AWS's documentation means
it: where a service control policy does not apply, it is left out. Our answer to the scenario must be our answer to what
it is rewritten to, and the peer's answer to that. A rewriting that hid a mistake of ours would change our own answer.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

from simlib.iam import evaluate
from simlib.iam.conditions import moment, number, operator
from simlib.iam.evaluation import RCP_SERVICES, TRUST_ACTIONS
from simlib.iam.principals import Kind, identify
from simlib.iam.scenario import read_scenario

Scenario = dict[str, Any]
ALLOW_ALL = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
NEVER = {"StringEquals": {"no:such-key": "x"}}
NOBODY = {"Service": "nobody.amazonaws.com"}


def settle(scenario: Scenario) -> tuple[Scenario, list[str]]:
    """The scenario without what is disputed, and the names of what was."""
    settled, applied = copy.deepcopy(scenario), []
    for name, (_, rewrite) in DISAGREEMENTS.items():
        before = copy.deepcopy(settled)
        rewrite(settled)
        if settled != before:
            applied.append(name)
    return settled, applied


def _caller(scenario: Scenario) -> Any:
    return identify(scenario["principal"], scenario.get("role_arn"))


def _documents(scenario: Scenario) -> Iterator[dict[str, Any]]:
    for field in ("identity_policies", "session_policies", "vpc_endpoint_policies"):
        yield from scenario.get(field, [])
    for field in ("scps", "rcps"):
        for level in scenario.get(field, []):
            yield from level
    for field in ("permissions_boundary", "resource_policy"):
        if field in scenario:
            yield scenario[field]


def _statements(document: dict[str, Any]) -> list[dict[str, Any]]:
    written = document["Statement"]
    return written if isinstance(written, list) else [written]


def _all_statements(scenario: Scenario) -> Iterator[dict[str, Any]]:
    for document in _documents(scenario):
        yield from _statements(document)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def _trust(scenario: Scenario) -> bool:
    return scenario["action"].lower() in TRUST_ACTIONS and ":role/" in scenario["resource"]


# --- who is not limited ---------------------------------------------------------------------------------------------


def service_linked_roles(scenario: Scenario) -> None:
    if _caller(scenario).service_linked:
        scenario.pop("scps", None)
        scenario.pop("rcps", None)


def services_outside_organizations(scenario: Scenario) -> None:
    if not _caller(scenario).has_account:
        scenario.pop("scps", None)


def services_without_rcps(scenario: Scenario) -> None:
    if scenario["action"].partition(":")[0] not in RCP_SERVICES:
        scenario.pop("rcps", None)


def services_and_endpoints(scenario: Scenario) -> None:
    if _caller(scenario).kind == Kind.SERVICE:
        scenario.pop("vpc_endpoint_policies", None)


def root_user(scenario: Scenario) -> None:
    if _caller(scenario).kind == Kind.ROOT:
        scenario["identity_policies"] = [ALLOW_ALL]


def federated_users(scenario: Scenario) -> None:
    if _caller(scenario).kind == Kind.FEDERATED_USER:
        if not scenario.get("session_policies"):
            scenario["session_policies"] = [{"Statement": []}]
        if scenario["action"].partition(":")[0] in ("iam", "sts"):
            for document in scenario.get("identity_policies", []):
                document["Statement"] = [each for each in _statements(document) if each["Effect"] == "Deny"]


def named_sessions(scenario: Scenario) -> None:
    """What limits nothing may as well allow everything."""
    evaluation = evaluate(*read_scenario(scenario))
    effects = {check.check_type: check.effect for check in evaluation.checks}
    if effects.get("SESSION") == "NO_IMPACT":
        _statements_of_list(scenario["session_policies"][0]).append(ALLOW_ALL["Statement"][0])
    if effects.get("PERMISSIONS_BOUNDARY") == "NO_IMPACT":
        _statements_of_list(scenario["permissions_boundary"]).append(ALLOW_ALL["Statement"][0])


def _statements_of_list(document: dict[str, Any]) -> list[dict[str, Any]]:
    document["Statement"] = _statements(document)
    return document["Statement"]


# --- roles ----------------------------------------------------------------------------------------------------------


def roles_without_trust(scenario: Scenario) -> None:
    if _trust(scenario) and "resource_policy" not in scenario:
        nobody = {"Effect": "Allow", "Principal": NOBODY, "Action": "sts:AssumeRole"}
        scenario["resource_policy"] = {"Statement": [nobody]}


def bounded_callers_of_roles(scenario: Scenario) -> None:
    """A trust policy that names the caller itself is one that names its account, if boundary and session count."""
    evaluation = evaluate(*read_scenario(scenario))
    denied = {check.check_type for check in evaluation.checks if check.effect == "IMPLICIT_DENY"}
    if _trust(scenario) and denied <= {"PERMISSIONS_BOUNDARY", "SESSION"} and denied:
        for statement in _statements(scenario["resource_policy"]):
            if statement["Effect"] == "Allow":
                statement["Principal"] = {"AWS": _caller(scenario).account}
        scenario["identity_policies"] = [*scenario.get("identity_policies", []), ALLOW_ALL]


def providers(scenario: Scenario) -> None:
    """``*`` is everybody, an identity provider too; it is nobody's account; one of another account cannot be used."""
    caller = _caller(scenario)
    if caller.kind == Kind.PROVIDER:
        for statement in _statements(scenario.get("resource_policy", {"Statement": []})):
            if statement.get("Principal") in ("*", {"AWS": "*"}):
                statement["Principal"] = {"Federated": caller.arn}
            elif isinstance(statement.get("Principal"), dict):
                statement["Principal"].pop("AWS", None)
                statement["Principal"].setdefault("Service", NOBODY["Service"])
        if f":{caller.account}:" not in scenario["resource"]:
            document = scenario.get("resource_policy", {"Statement": []})
            document["Statement"] = [each for each in _statements(document) if each["Effect"] == "Deny"]


def not_principals(scenario: Scenario) -> None:
    """A NotPrincipal that does not list account, role and session denies, and always a caller with a boundary."""
    caller = _caller(scenario)
    bounded = "permissions_boundary" in scenario and caller.kind < Kind.ROOT
    for statement in _all_statements(scenario):
        if "NotPrincipal" in statement:
            principal = statement.pop("NotPrincipal")
            named = principal.get(caller.key, []) if isinstance(principal, dict) else []
            spared = caller.chain and all(names & set(_listed(named)) for names in caller.chain) and not bounded
            everybody = principal == "*" or "*" in _listed(principal.get("AWS", []))
            statement["Principal"] = dict(NOBODY) if spared or (everybody and not bounded) else "*"


# --- the language ---------------------------------------------------------------------------------------------------


def endpoint_principals(scenario: Scenario) -> None:
    """A policy of a VPC endpoint has principals, too: a statement that names others is none for this caller."""
    caller = _caller(scenario)
    for document in scenario.get("vpc_endpoint_policies", []):
        kept = []
        for statement in _statements(document):
            principal = statement["Principal"]
            named = set(_listed(principal.get(caller.key, []))) if isinstance(principal, dict) else {"*"}
            if named & {"*", *caller.names} or (principal != "*" and "*" in _listed(principal.get("AWS", []))):
                kept.append({**statement, "Principal": "*"})
        if kept != _statements(document):
            document["Statement"] = kept


def default_values(scenario: Scenario) -> None:
    """A variable with a default, replaced by the value it has or by the default."""

    def fill(text: str) -> str:
        for key, default in (("aws:username", "alice"), ("aws:RequestTag/team", "red")):
            value = _value(scenario, key)
            text = text.replace(f"${{{key}, '{default}'}}", value if isinstance(value, str) else default)
        return text

    for document in _documents(scenario):
        if document.get("Version") == "2012-10-17":
            _rewrite_texts(_statements(document), fill)


def not_arns(scenario: Scenario) -> None:
    """What is not an ARN is none of the wanted ones."""

    def change(name: str, key: str, wanted: list[Any]) -> list[Any] | bool:
        known, value = operator(name), _value(scenario, key)
        if known is None or not known.base.startswith("Arn") or value != "not-an-arn":
            return wanted
        return known.negated

    _rewrite_conditions(scenario, change)


def every_action(scenario: Scenario) -> None:
    for statement in _all_statements(scenario):
        for name in {"Action", "NotAction"} & set(statement):
            if "*:*" in _listed(statement[name]):
                statement[name] = ["*" if each == "*:*" else each for each in _listed(statement[name])]


def incomplete_arns(scenario: Scenario) -> None:
    for statement in _all_statements(scenario):
        for name in {"Resource", "NotResource"} & set(statement):
            texts = _listed(statement[name])
            completed = [each + ":*" * (5 - each.count(":")) if each[:4] == "arn:" else each for each in texts]
            if completed != texts:
                statement[name] = completed


def resource_types(scenario: Scenario) -> None:
    _, _, rest = scenario["resource"].rpartition(":")
    for statement in _all_statements(scenario):
        if {"Resource", "NotResource"} & set(statement):
            _rewrite_texts(statement, lambda text: text.replace(f":?{rest[1:]}", f":{rest}"))


def escapes(scenario: Scenario) -> None:
    for document in _documents(scenario):
        if document.get("Version") == "2012-10-17":
            _rewrite_texts(_statements(document), lambda text: text.replace("${$}", "$"))


def variables_first(scenario: Scenario) -> None:
    """``arn:aws:sqs:*:*:${aws:username}-queue`` is AWS's own example."""
    name = _value(scenario, "aws:username")
    if isinstance(name, str):
        for document in _documents(scenario):
            if document.get("Version") == "2012-10-17":
                _rewrite_texts(_statements(document), lambda text: text.replace(":${aws:username}", f":{name}"))


def line_breaks(scenario: Scenario) -> None:
    scenario["resource"] = scenario["resource"].replace("\n", "_")
    for document in _documents(scenario):
        _rewrite_texts(_statements(document), lambda text: text.replace("\n", "_"))


def old_versions(scenario: Scenario) -> None:
    """Without variables in the language, ``${…}`` is text that no request of ours holds."""
    for document in _documents(scenario):
        if document.get("Version") != "2012-10-17":
            _rewrite_texts(_statements(document), lambda text: text.replace("${", "%{"))


def _rewrite_texts(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        for key in value:
            value[key] = _rewrite_texts(value[key], change)
        return value
    if isinstance(value, list):
        value[:] = [_rewrite_texts(each, change) for each in value]
        return value
    return change(value) if isinstance(value, str) else value


Change = Callable[[str, str, list[Any]], list[Any] | bool]


def _rewrite_conditions(scenario: Scenario, change: Change) -> None:
    """Replace the wanted values of every condition; a condition may also become ``True`` (left out) or ``False``."""
    for statement in _all_statements(scenario):
        for name, keys in list(statement.get("Condition", {}).items()):
            for key, wanted in list(keys.items()):
                changed = change(name, key, _listed(wanted))
                if isinstance(changed, list):
                    if changed != _listed(wanted):
                        keys[key] = changed
                else:
                    del keys[key]
                    if not changed:
                        statement["Condition"].setdefault("StringEquals", {}).update(NEVER["StringEquals"])


def _value(scenario: Scenario, key: str) -> Any:
    known = {name.lower(): value for name, value in scenario.get("context", {}).items()}
    derived = {name.lower(): value for name, value in _caller(scenario).context.items()}
    return {**derived, **known}.get(key.lower())


def variables_without_value(scenario: Scenario) -> None:
    """A pattern with such a variable matches nothing; a negated operator holds where nothing is matched."""

    def change(name: str, key: str, wanted: list[Any]) -> list[Any] | bool:
        known, value = operator(name), _value(scenario, key)
        if known is None or not known.negated or value is None or (known.qualifier and not any(_listed(value))):
            return wanted
        kept = [each for each in wanted if not _lacks_a_value(str(each), scenario)]
        return kept or True

    _rewrite_conditions(scenario, change)
    for document in _documents(scenario):
        for statement in _statements(document) if document.get("Version") == "2012-10-17" else ():
            for name in {"Resource", "NotResource"} & set(statement):
                texts = _listed(statement[name])
                kept = [each for each in texts if not _lacks_a_value(each, scenario)]
                if kept != texts:
                    statement[name] = kept or ["arn:aws:nothing:::nothing"]


def _lacks_a_value(text: str, scenario: Scenario) -> bool:
    for each in text.split("${")[1:]:
        inside = each.partition("}")[0]
        if inside not in "*?$" and "," not in inside and not isinstance(_value(scenario, inside), str):
            return True
    return False


def epoch_seconds(scenario: Scenario) -> None:
    def change(name: str, key: str, wanted: list[Any]) -> list[Any] | bool:
        return [_iso(each) for each in wanted] if "Date" in name else wanted

    _rewrite_conditions(scenario, change)
    context = scenario.get("context", {})
    for key in context:
        if key.lower() == "aws:epochtime":
            context[key] = _iso(context[key])


def _iso(value: Any) -> Any:
    seconds = moment(str(value))
    return value if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def not_numbers(scenario: Scenario) -> None:
    def change(name: str, key: str, wanted: list[Any]) -> list[Any] | bool:
        known = operator(name)
        if known is None or not known.base.startswith("Numeric") or _value(scenario, key) is None:
            return wanted
        return [each for each in wanted if number(str(each)) is not None] or known.negated

    _rewrite_conditions(scenario, change)


def addresses(scenario: Scenario) -> None:
    def change(name: str, key: str, wanted: list[Any]) -> list[Any] | bool:
        if "IpAddress" not in name:
            return wanted
        networks = [str(ip_network(each)) for each in wanted]
        halves = ["0.0.0.0/1", "128.0.0.0/1"] if "0.0.0.0/0" in networks else []
        return [each for each in networks if each != "0.0.0.0/0"] + halves

    _rewrite_conditions(scenario, change)
    context = scenario.get("context", {})
    for key in context:
        if key.lower() == "aws:sourceip":
            context[key] = str(ip_network(context[key]).network_address)


def sets_of_nothing(scenario: Scenario) -> None:
    """Under a set operator an empty text, or a list of nothing, is no value at all."""

    def change(name: str, key: str, wanted: list[Any]) -> list[Any] | bool:
        known, value = operator(name), _value(scenario, key)
        if known is None or not known.qualifier or (value is not None and any(_listed(value))):
            return wanted
        return known.qualifier == "ForAllValues" or known.if_exists

    _rewrite_conditions(scenario, change)
    scenario["context"] = {key: value for key, value in scenario.get("context", {}).items() if value != []}


def lists_without_set_operator(scenario: Scenario) -> None:
    """A list of several is not equal to any one value; a list of one is that value."""

    def change(name: str, key: str, wanted: list[Any]) -> list[Any] | bool:
        known, value = operator(name), _value(scenario, key)
        if known is None or known.qualifier or known.base == "Null" or not isinstance(value, list):
            return wanted
        return wanted if len(value) == 1 else known.negated

    _rewrite_conditions(scenario, change)
    context = scenario.get("context", {})
    for key in context:
        if isinstance(context[key], list) and len(context[key]) == 1:
            context[key] = context[key][0]


#: name -> (AWS's page, or why the choice; the rewriting)
DISAGREEMENTS: dict[str, tuple[str, Callable[[Scenario], None]]] = {
    "a * and a newline": ("UG/reference_policies_elements_resource: any character", line_breaks),
    "*:* as an action": ("a choice: every action of every service, as written in many policies", every_action),
    "incomplete ARNs, and a part's last *": (
        "UG/reference-arns; UG/reference_policies_elements_resource",
        incomplete_arns,
    ),
    "a wildcard in a resource type": (
        "UG/reference-arns: not allowed; if there, a wildcard (a choice)",
        resource_types,
    ),
    "escaped signs": ("UG/reference_policies_variables: ${*}, ${?}, ${$}", escapes),
    "a variable first in a resource": ("UG/reference_policies_variables: after the fifth colon", variables_first),
    "variables before 2012-10-17": ("UG/reference_policies_elements_version: literal text", old_versions),
    "default values": ("UG/reference_policies_variables: default values, in any policy", default_values),
    "a variable without a value": ("UG/reference_policies_variables: matches nothing", variables_without_value),
    "epoch seconds": ("UG/reference_policies_elements_condition_operators: epoch time is allowed", epoch_seconds),
    "what is not a number": ("UG/reference_policies_elements_condition_operators: number", not_numbers),
    "addresses": ("RFC 4291: one address, many spellings; RFC 4632: 0.0.0.0/0 is every address", addresses),
    "what is not an ARN": ("UG/reference_policies_elements_condition_operators: negated matching", not_arns),
    "empty values under set operators": (
        "UG/reference_policies_multi-value-conditions, condition builder",
        sets_of_nothing,
    ),
    "lists without a set operator": ("a choice: AWS says one is required", lists_without_set_operator),
    "NotPrincipal": ("UG/reference_policies_elements_notprincipal", not_principals),
    "principals in endpoint policies": ("PrivateLink/vpc-endpoints-access: they count", endpoint_principals),
    "service-linked roles": ("Organizations/orgs_manage_policies_scps, …_rcps: not limited", service_linked_roles),
    "service principals and SCPs": (
        "Organizations/orgs_manage_policies_scps: not limited",
        services_outside_organizations,
    ),
    "services without RCPs": ("Organizations/orgs_manage_policies_rcps: the list", services_without_rcps),
    "services and VPC endpoints": ("a choice: they do not come through a customer's endpoint", services_and_endpoints),
    "the root user": ("UG/id_root-user: full access", root_user),
    "federated users": ("STS/API_GetFederationToken", federated_users),
    "identity providers": ("UG/reference_policies_elements_principal; …id_roles_providers_create_oidc", providers),
    "a role without trust policy": ("UG/id_roles_terms-and-concepts: every role has one", roles_without_trust),
    "who a trust policy names": ("UG/id_roles_update-role-trust-policy: the boundary limits", bounded_callers_of_roles),
    "who a resource policy names": ("UG/reference_policies_evaluation-logic_policy-eval-denyallow", named_sessions),
}
