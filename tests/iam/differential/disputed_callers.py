"""What is disputed about who is limited by what, said in words that both understand."""

from __future__ import annotations

import copy
from typing import Any

from simlib.iam import evaluate
from simlib.iam.principals import Kind, Named
from simlib.iam.scenario import read_scenario
from simlib.iam.vocabulary import RCP_SERVICES
from tests.iam.differential.parts import Scenario, all_statements, caller_of, documents, is_trust, listed, statements

ALLOW_ALL = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
NOBODY = {"Service": "nobody.amazonaws.com"}


def service_linked_roles(scenario: Scenario) -> None:
    if caller_of(scenario).service_linked:
        scenario.pop("scps", None)
        scenario.pop("rcps", None)


def services_outside_organizations(scenario: Scenario) -> None:
    if not caller_of(scenario).has_account:
        scenario.pop("scps", None)


def services_without_rcps(scenario: Scenario) -> None:
    if scenario["action"].partition(":")[0] not in RCP_SERVICES:
        scenario.pop("rcps", None)


def root_user(scenario: Scenario) -> None:
    if caller_of(scenario).kind == Kind.ROOT:
        scenario["identity_policies"] = [ALLOW_ALL]


def federated_users(scenario: Scenario) -> None:
    if caller_of(scenario).kind == Kind.FEDERATED_USER:
        if not scenario.get("session_policies"):
            scenario["session_policies"] = [{"Statement": []}]
        if scenario["action"].partition(":")[0] in ("iam", "sts"):
            for document in scenario.get("identity_policies", []):
                document["Statement"] = [each for each in statements(document) if each["Effect"] == "Deny"]


def federating_users(scenario: Scenario) -> None:
    """Naming the user a federated session came from spares its identity policies, but no ceiling: as if the session
    were named or, where a ceiling decides, as if its account were and its policies allowed everything."""
    caller, source = caller_of(scenario), scenario.get("role_arn")
    if caller.kind != Kind.FEDERATED_USER or not source:
        return
    effects = {check.check_type: check.effect for check in evaluate(*read_scenario(scenario)).checks}
    ceilings = {effects.get("PERMISSIONS_BOUNDARY"), effects.get("SESSION")}
    limited = effects.get("PRINCIPAL") in ("ALLOW", "NO_IMPACT") and "IMPLICIT_DENY" in ceilings
    for document in documents(scenario):
        for statement in statements(document):
            named = statement.get("Principal")
            if isinstance(named, dict) and source in listed(named.get("AWS", [])):
                freest = caller.account if limited and statement["Effect"] == "Allow" else caller.arn
                named["AWS"] = [freest if each == source else each for each in listed(named["AWS"])]
    if limited:
        scenario["identity_policies"] = [*scenario.get("identity_policies", []), copy.deepcopy(ALLOW_ALL)]


def named_sessions(scenario: Scenario) -> None:
    """What limits nothing may as well allow everything."""
    evaluation = evaluate(*read_scenario(scenario))
    effects = {check.check_type: check.effect for check in evaluation.checks}
    if effects.get("SESSION") == "NO_IMPACT":
        _statements_of_list(scenario["session_policies"][0]).append(ALLOW_ALL["Statement"][0])
    if effects.get("PERMISSIONS_BOUNDARY") == "NO_IMPACT":
        _statements_of_list(scenario["permissions_boundary"]).append(ALLOW_ALL["Statement"][0])


def _statements_of_list(document: dict[str, Any]) -> list[dict[str, Any]]:
    document["Statement"] = statements(document)
    return document["Statement"]


# --- roles ----------------------------------------------------------------------------------------------------------


def roles_without_trust(scenario: Scenario) -> None:
    if is_trust(scenario) and "resource_policy" not in scenario:
        nobody = {"Effect": "Allow", "Principal": NOBODY, "Action": "sts:AssumeRole"}
        scenario["resource_policy"] = {"Statement": [nobody]}


def bounded_callers_of_roles(scenario: Scenario) -> None:
    """A trust policy that names the caller itself is one that names its account, if boundary and session count."""
    evaluation = evaluate(*read_scenario(scenario))
    denied = {check.check_type for check in evaluation.checks if check.effect == "IMPLICIT_DENY"}
    if is_trust(scenario) and denied <= {"PERMISSIONS_BOUNDARY", "SESSION"} and denied:
        for statement in statements(scenario["resource_policy"]):
            if statement["Effect"] == "Allow":
                statement["Principal"] = {"AWS": caller_of(scenario).account}
        scenario["identity_policies"] = [*scenario.get("identity_policies", []), ALLOW_ALL]


def providers(scenario: Scenario) -> None:
    """``*`` is everybody, an identity provider too; it is nobody's account; one of another account cannot be used."""
    caller = caller_of(scenario)
    if caller.kind == Kind.PROVIDER:
        for statement in statements(scenario.get("resource_policy", {"Statement": []})):
            if statement.get("Principal") in ("*", {"AWS": "*"}):
                statement["Principal"] = {"Federated": caller.arn}
            elif isinstance(statement.get("Principal"), dict):
                statement["Principal"].pop("AWS", None)
                statement["Principal"].setdefault("Service", NOBODY["Service"])
        if f":{caller.account}:" not in scenario["resource"]:
            document = scenario.get("resource_policy", {"Statement": []})
            document["Statement"] = [each for each in statements(document) if each["Effect"] == "Deny"]


def not_principals(scenario: Scenario) -> None:
    """A NotPrincipal that does not list account, role and session denies, and always a caller with a boundary."""
    caller = caller_of(scenario)
    bounded = "permissions_boundary" in scenario and caller.kind < Kind.ROOT
    for statement in all_statements(scenario):
        if "NotPrincipal" in statement:
            principal = statement.pop("NotPrincipal")
            named = principal.get(caller.key, []) if isinstance(principal, dict) else []
            needed = set(caller.names.values()) - ({Named.ROLE} if caller.kind == Kind.FEDERATED_USER else set())
            spared = needed and needed <= {caller.names[each] for each in listed(named) if each in caller.names}
            spared = spared and not bounded
            everybody = principal == "*" or "*" in listed(principal.get("AWS", []))
            statement["Principal"] = dict(NOBODY) if spared or (everybody and not bounded) else "*"
