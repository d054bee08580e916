"""Laws of the decision, for any request under any policies that generated scenarios can draw."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from simlib.iam import Evaluation, evaluate
from simlib.iam.scenario import read_scenario
from tests.iam.differential.scenarios import scenario as draw

Scenario = dict[str, Any]
scenarios = st.integers(0, 10_000_000).map(draw)
ALLOW = {"Effect": "Allow", "Action": "*", "Resource": "*"}
DENY = {"Effect": "Deny", "Action": "*", "Resource": "*"}
ORDER = {"EXPLICIT_DENY": 0, "IMPLICIT_DENY": 1, "ALLOW": 2}
NEEDS_NO_PERMISSION = "sts:GetCallerIdentity"


def answer(scenario: Scenario) -> Evaluation:
    return evaluate(*read_scenario(scenario))


def documents(scenario: Scenario) -> Iterator[dict[str, Any]]:
    for field in ("identity_policies", "session_policies", "vpc_endpoint_policies"):
        yield from scenario.get(field, [])
    for field in ("scps", "rcps"):
        for level in scenario.get(field, []):
            yield from level
    for field in ("permissions_boundary", "resource_policy"):
        if field in scenario:
            yield scenario[field]


def listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


@given(scenarios)
def test_the_same_question_has_the_same_answer(scenario: Scenario) -> None:
    assert answer(scenario).to_dict() == answer(copy.deepcopy(scenario)).to_dict()


@given(scenarios)
def test_the_effect_is_that_of_the_checks(scenario: Scenario) -> None:
    """UG/reference_policies_evaluation-logic_policy-eval-denyallow: a denial wins, then every needed allow counts."""
    evaluation = answer(scenario)
    effects = {check.effect for check in evaluation.checks}
    if scenario["action"] == NEEDS_NO_PERMISSION and scenario["principal"] != "anonymous":
        assert evaluation.allowed
    elif "EXPLICIT_DENY" in effects:
        assert evaluation.effect == "EXPLICIT_DENY"
    elif "IMPLICIT_DENY" in effects:
        assert evaluation.effect == "IMPLICIT_DENY"
    else:
        assert evaluation.allowed
        assert "ALLOW" in effects


@given(scenarios)
def test_a_check_denies_exactly_if_one_of_its_statements_does(scenario: Scenario) -> None:
    for check in answer(scenario).checks:
        matched = {statement.effect for each in check.matched_policies for statement in each.statements}
        assert (check.effect == "EXPLICIT_DENY") is ("Deny" in matched)
        root = scenario["principal"].endswith(":root")
        if check.effect == "ALLOW" and check.check_type != "RESOURCE_CONTROL_POLICY" and not root:
            assert "Allow" in matched
        cannot_use_it = "federated-user" in scenario["principal"] and scenario["action"][:4] in ("iam:", "sts:")
        if check.effect == "NO_IMPACT" and not cannot_use_it:
            assert not matched


@given(scenarios)
def test_an_explicit_deny_always_wins(scenario: Scenario) -> None:
    if not scenario["principal"].startswith("arn:") or scenario["principal"].endswith((":root", "corporate", "com")):
        return
    if scenario["action"] == NEEDS_NO_PERMISSION:
        return
    scenario["identity_policies"] = [*scenario.get("identity_policies", []), {"Statement": [DENY]}]
    assert answer(scenario).effect == "EXPLICIT_DENY"


@given(scenarios)
def test_a_denial_in_any_ceiling_wins(scenario: Scenario) -> None:
    if scenario["action"] == NEEDS_NO_PERMISSION:
        return
    types = {check.check_type for check in answer(scenario).checks}
    for field, check_type in (("permissions_boundary", "PERMISSIONS_BOUNDARY"), ("scps", "SERVICE_CONTROL_POLICY")):
        if check_type in types:
            denied = {
                **scenario,
                field: {"Statement": DENY} if field == "permissions_boundary" else [[{"Statement": DENY}]],
            }
            assert answer(denied).effect == "EXPLICIT_DENY"


@given(scenarios)
def test_what_is_not_mentioned_is_denied(scenario: Scenario) -> None:
    for document in documents(scenario):
        document["Statement"] = [each for each in listed(document["Statement"]) if each["Effect"] == "Deny"]
    free = scenario["principal"].endswith(":root") or scenario["action"] == NEEDS_NO_PERMISSION
    assert not answer(scenario).allowed or free


CEILINGS = ("permissions_boundary", "session_policies", "scps", "rcps", "vpc_endpoint_policies")


@given(scenarios)
def test_ceilings_alone_never_grant(scenario: Scenario) -> None:
    bare = {name: value for name, value in scenario.items() if name not in ("identity_policies", "resource_policy")}
    free = scenario["principal"].endswith(":root") or scenario["action"] == NEEDS_NO_PERMISSION
    assert not answer(bare).allowed or free


@given(scenarios)
def test_adding_an_allow_to_a_ceiling_never_narrows(scenario: Scenario) -> None:
    before = ORDER[answer(scenario).effect]
    for field in ("permissions_boundary", "session_policies"):
        if field in scenario:
            wider = copy.deepcopy(scenario)
            for document in listed(wider[field]):
                document["Statement"] = [*listed(document["Statement"]), ALLOW]
            assert ORDER[answer(wider).effect] >= before
    for level in range(len(scenario.get("scps", []))):
        wider = copy.deepcopy(scenario)
        wider["scps"][level].append({"Statement": ALLOW})
        assert ORDER[answer(wider).effect] >= before


@given(scenarios)
def test_removing_an_allow_never_widens(scenario: Scenario) -> None:
    before = ORDER[answer(scenario).effect]
    for document in documents(scenario):
        kept = listed(document["Statement"])
        for index, statement in enumerate(kept):
            if statement["Effect"] == "Allow":
                document["Statement"] = kept[:index] + kept[index + 1 :]
                assert ORDER[answer(scenario).effect] <= before
        document["Statement"] = kept


@given(scenarios)
def test_removing_a_denial_never_narrows(scenario: Scenario) -> None:
    before = ORDER[answer(scenario).effect]
    for document in documents(scenario):
        kept = listed(document["Statement"])
        for index, statement in enumerate(kept):
            if statement["Effect"] == "Deny":
                document["Statement"] = kept[:index] + kept[index + 1 :]
                assert ORDER[answer(scenario).effect] >= before
        document["Statement"] = kept


@given(scenarios, st.randoms(use_true_random=False))
def test_order_never_matters(scenario: Scenario, chance: random.Random) -> None:
    """Neither of policies, nor of statements, nor of the values in a list."""
    before = answer(scenario)
    for document in documents(scenario):
        statements = listed(document["Statement"])
        for statement in statements:
            for name in ("Action", "NotAction", "Resource", "NotResource"):
                if isinstance(statement.get(name), list):
                    chance.shuffle(statement[name])
            for keys in statement.get("Condition", {}).values():
                for wanted in keys.values():
                    if isinstance(wanted, list):
                        chance.shuffle(wanted)
        chance.shuffle(statements)
        document["Statement"] = statements
    for field in ("identity_policies", "session_policies", "vpc_endpoint_policies"):
        if field in scenario:
            chance.shuffle(scenario[field])
    after = answer(scenario)
    assert [(check.check_type, check.effect) for check in after.checks] == [
        (check.check_type, check.effect) for check in before.checks
    ]


@given(scenarios)
def test_splitting_policies_never_matters(scenario: Scenario) -> None:
    before = answer(scenario)
    for field in ("identity_policies", "session_policies", "vpc_endpoint_policies"):
        if field in scenario:
            scenario[field] = list(split(scenario[field]))
    scenario["scps"] = [list(split(level)) for level in scenario.get("scps", [])]
    after = answer(scenario)
    assert [(check.check_type, check.effect) for check in after.checks] == [
        (check.check_type, check.effect) for check in before.checks
    ]


def split(written: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for document in written:
        for statement in listed(document["Statement"]):
            yield {**document, "Statement": statement}


@given(scenarios)
def test_single_values_and_lists_of_one_are_the_same(scenario: Scenario) -> None:
    before = answer(scenario)
    for document in documents(scenario):
        document["Statement"] = listed(document["Statement"])
        for statement in document["Statement"]:
            for name in ("Action", "NotAction", "Resource", "NotResource"):
                if name in statement:
                    statement[name] = listed(statement[name])
    assert answer(scenario).to_dict()["checks"] == before.to_dict()["checks"]


@given(scenarios)
def test_renaming_unrelated_principals_changes_nothing(scenario: Scenario) -> None:
    before = answer(scenario).effect

    def rename(value: Any) -> Any:
        if isinstance(value, str):
            return value.replace("user/other", "user/somebody-else").replace("ecs.amazonaws.com", "eks.amazonaws.com")
        if isinstance(value, list):
            return [rename(each) for each in value]
        return {key: rename(each) for key, each in value.items()} if isinstance(value, dict) else value

    if "role_arn" not in scenario:
        assert answer(rename(scenario)).effect == before


@given(scenarios)
def test_letter_case_of_actions_and_keys_never_matters(scenario: Scenario) -> None:
    before = answer(scenario).effect
    swapped = {
        **scenario,
        "action": scenario["action"].swapcase(),
        "context": {key.swapcase(): value for key, value in scenario["context"].items()},
    }
    assert answer(swapped).effect == before


@given(scenarios)
def test_explaining_agrees_with_deciding(scenario: Scenario) -> None:
    """A statement matched in the decision exactly if every element of its explanation fits."""
    evaluation = answer(scenario)
    matched = {
        id(statement) for check in evaluation.checks for each in check.matched_policies for statement in each.statements
    }
    for explained in evaluation.statements:
        assert explained.matched is (id(explained.statement) in matched)
        assert (explained.deciding is None) is explained.matched


@given(scenarios)
def test_every_denial_has_a_message_and_a_hint(scenario: Scenario) -> None:
    evaluation = answer(scenario)
    for words in (evaluation.message, evaluation.reason, evaluation.hint()):
        assert bool(words) is not evaluation.allowed
    assert evaluation.explain()
