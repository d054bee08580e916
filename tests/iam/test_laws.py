"""Laws of the decision: what holds for every request under any policies that generated scenarios can draw.

A law that is drawn where nothing is at stake says nothing. So each names its premise, scenarios are drawn so that it
mostly holds, and a law whose premise held in less than half of the cases fails.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from simlib.iam import Evaluation, evaluate
from simlib.iam.scenario import read_scenario
from tests.iam.differential.parts import all_statements, caller_of, documents, listed
from tests.iam.differential.scenarios import scenario as draw
from tests.iam.shorthand import form_of

Scenario = dict[str, Any]
ALLOW = {"Effect": "Allow", "Action": "*", "Resource": "*"}
DENY = {"Effect": "Deny", "Action": "*", "Resource": "*"}
ORDER = {"EXPLICIT_DENY": 0, "IMPLICIT_DENY": 1, "ALLOW": 2}
NEEDS_NO_PERMISSION = "sts:GetCallerIdentity"
LISTS = ("identity_policies", "session_policies", "vpc_endpoint_policies")
CEILINGS = ("permissions_boundary", "session_policies", "scps", "rcps", "vpc_endpoint_policies")
TRIES = 64  # scenarios that are looked at for one in which a premise holds

Premise = Callable[[Scenario], bool]


def law(premise: Premise, *more: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Callable[[], None]]:
    """A test of a law: over scenarios in which its premise mostly holds, which is counted, and what else it draws."""

    def scenario(number: int) -> Scenario:
        drawn = map(draw, range(number * TRIES, (number + 1) * TRIES))
        return next((each for each in drawn if premise(each)), draw(number))

    def decorate(check: Callable[..., None]) -> Callable[[], None]:
        held: list[bool] = []

        @given(st.tuples(st.integers(0, 1_000_000).map(scenario), *more))
        def every_case(case: tuple[Any, ...]) -> None:
            held.append(premise(case[0]))
            check(*case)

        def test() -> None:
            held.clear()
            every_case()
            assert 2 * sum(held) >= len(held), f"the premise held in {sum(held)} of {len(held)} cases"

        test.__name__, test.__doc__ = check.__name__, check.__doc__
        return test

    return decorate


def answer(scenario: Scenario) -> Evaluation:
    return evaluate(*read_scenario(scenario))


def effects(evaluation: Evaluation) -> list[tuple[str, str]]:
    return [(check.check_type, check.effect) for check in evaluation.checks]


# --- premises ---------------------------------------------------------------------------------------------------------


def free(scenario: Scenario) -> bool:
    """Whether it is allowed without any policy."""
    return bool(scenario["principal"].endswith(":root") or scenario["action"] == NEEDS_NO_PERMISSION)


def allowed(scenario: Scenario) -> bool:
    return answer(scenario).allowed and not free(scenario)


def refused(scenario: Scenario) -> bool:
    return not answer(scenario).allowed


def denied(scenario: Scenario) -> bool:
    return answer(scenario).effect == "EXPLICIT_DENY"


def lacking(scenario: Scenario) -> bool:
    return answer(scenario).effect == "IMPLICIT_DENY"


def disagreeing(scenario: Scenario) -> bool:
    """Whether the checks have different effects."""
    return len({check.effect for check in answer(scenario).checks}) > 1


def partly_matched(scenario: Scenario) -> bool:
    return len({not statement.misses for statement in answer(scenario).statements}) == 2


def several(scenario: Scenario) -> bool:
    """Whether there is something to put in another order: policies, statements or values."""
    elements = [statement.get(name) for statement in all_statements(scenario) for name in ("Action", "Resource")]
    written = [*(scenario.get(name) for name in LISTS), *(each["Statement"] for each in documents(scenario)), *elements]
    return any(isinstance(each, list) and len(each) > 1 for each in written)


def single(scenario: Scenario) -> bool:
    """Whether an element or a document's statement stands without a list."""
    elements = [statement.get(name) for statement in all_statements(scenario) for name in ("Action", "Resource")]
    return any(not isinstance(each, list) for each in (*elements, *(one["Statement"] for one in documents(scenario))))


def conditional(scenario: Scenario) -> bool:
    return bool(scenario["context"]) and any("Condition" in statement for statement in all_statements(scenario))


# --- the laws ---------------------------------------------------------------------------------------------------------


@law(partly_matched)
def test_the_same_question_has_the_same_answer(scenario: Scenario) -> None:
    assert form_of(answer(scenario)) == form_of(answer(copy.deepcopy(scenario)))


@law(disagreeing)
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


@law(denied)
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


def allowed_to_a_person(scenario: Scenario) -> bool:
    """Whether it is allowed to somebody who has identity policies."""
    return allowed(scenario) and bool(caller_of(scenario).has_account)


@law(allowed_to_a_person)
def test_an_explicit_deny_always_wins(scenario: Scenario) -> None:
    if allowed_to_a_person(scenario):
        scenario["identity_policies"] = [*scenario.get("identity_policies", []), {"Statement": [DENY]}]
        assert answer(scenario).effect == "EXPLICIT_DENY"


def allowed_below_a_ceiling(scenario: Scenario) -> bool:
    return allowed(scenario) and any(name in scenario for name in CEILINGS)


@law(allowed_below_a_ceiling)
def test_a_denial_in_any_ceiling_wins(scenario: Scenario) -> None:
    if scenario["action"] == NEEDS_NO_PERMISSION:
        return
    everybody = {**DENY, "Principal": "*"}
    denying = {
        "PERMISSIONS_BOUNDARY": {"permissions_boundary": {"Statement": DENY}},
        "SESSION": {"session_policies": [{"Statement": DENY}]},
        "SERVICE_CONTROL_POLICY": {"scps": [[{"Statement": DENY}]]},
        "RESOURCE_CONTROL_POLICY": {"rcps": [[{"Statement": everybody}]]},
        "VPC_ENDPOINT": {"vpc_endpoint_policies": [{"Statement": everybody}]},
    }
    for check in answer(scenario).checks:
        if check.check_type in denying:
            assert answer({**scenario, **denying[check.check_type]}).effect == "EXPLICIT_DENY"


@law(allowed)
def test_what_is_not_mentioned_is_denied(scenario: Scenario) -> None:
    for document in documents(scenario):
        document["Statement"] = [each for each in listed(document["Statement"]) if each["Effect"] == "Deny"]
    assert not answer(scenario).allowed or free(scenario)


@law(allowed_below_a_ceiling)
def test_ceilings_alone_never_grant(scenario: Scenario) -> None:
    bare = {name: value for name, value in scenario.items() if name not in ("identity_policies", "resource_policy")}
    assert not answer(bare).allowed or free(scenario)


def allowed_below_an_allow(scenario: Scenario) -> bool:
    return allowed(scenario) and any(scenario.get(each) for each in CEILINGS[:3])


@law(allowed_below_an_allow)
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


@law(refused)
def test_removing_an_allow_never_widens(scenario: Scenario) -> None:
    before = ORDER[answer(scenario).effect]
    for document in documents(scenario):
        kept = listed(document["Statement"])
        for index, statement in enumerate(kept):
            if statement["Effect"] == "Allow":
                document["Statement"] = kept[:index] + kept[index + 1 :]
                assert ORDER[answer(scenario).effect] <= before
        document["Statement"] = kept


@law(allowed)
def test_removing_a_denial_never_narrows(scenario: Scenario) -> None:
    before = ORDER[answer(scenario).effect]
    for document in documents(scenario):
        kept = listed(document["Statement"])
        for index, statement in enumerate(kept):
            if statement["Effect"] == "Deny":
                document["Statement"] = kept[:index] + kept[index + 1 :]
                assert ORDER[answer(scenario).effect] >= before
        document["Statement"] = kept


@law(several, st.randoms(use_true_random=False))
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
    assert effects(answer(scenario)) == effects(before)


@law(several)
def test_splitting_policies_never_matters(scenario: Scenario) -> None:
    before = answer(scenario)
    for field in ("identity_policies", "session_policies", "vpc_endpoint_policies"):
        if field in scenario:
            scenario[field] = list(split(scenario[field]))
    scenario["scps"] = [list(split(level)) for level in scenario.get("scps", [])]
    assert effects(answer(scenario)) == effects(before)


def split(written: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for document in written:
        for statement in listed(document["Statement"]):
            yield {**document, "Statement": statement}


@law(single)
def test_single_values_and_lists_of_one_are_the_same(scenario: Scenario) -> None:
    before = answer(scenario)
    for document in documents(scenario):
        document["Statement"] = listed(document["Statement"])
        for statement in document["Statement"]:
            for name in ("Action", "NotAction", "Resource", "NotResource"):
                if name in statement:
                    statement[name] = listed(statement[name])
    assert form_of(answer(scenario)) == form_of(before)


def strangers(scenario: Scenario) -> dict[str, str]:
    """Whom policies name besides the caller, and a name that nobody has for each."""
    caller = caller_of(scenario)
    lists = [statement.get(name) for statement in all_statements(scenario) for name in ("Principal", "NotPrincipal")]
    names = {name for each in lists if isinstance(each, dict) for kind in each.values() for name in listed(kind)}
    others = sorted(name for name in names - {"*", *caller.names} if ":user/" in name or "amazonaws" in name)
    return {name: name.replace("user/", "user/somebody-like-").replace("ec", "xy") for name in others}


@law(lambda scenario: bool(strangers(scenario)))
def test_renaming_unrelated_principals_changes_nothing(scenario: Scenario) -> None:
    before, renamed = form_of(answer(scenario))["checks"], strangers(scenario)
    for statement in all_statements(scenario):
        for element in ("Principal", "NotPrincipal"):
            if isinstance(statement.get(element), dict):
                for kind, names in statement[element].items():
                    statement[element][kind] = [renamed.get(name, name) for name in listed(names)]
    assert form_of(answer(scenario))["checks"] == before


@law(conditional)
def test_letter_case_of_actions_and_keys_never_matters(scenario: Scenario) -> None:
    before = answer(scenario).effect
    swapped = {
        **scenario,
        "action": scenario["action"].swapcase(),
        "context": {key.swapcase(): value for key, value in scenario["context"].items()},
    }
    assert answer(swapped).effect == before


@law(partly_matched)
def test_explaining_agrees_with_deciding(scenario: Scenario) -> None:
    """A statement matched in the decision exactly if every element of its explanation fits."""
    evaluation = answer(scenario)
    matched = {
        id(statement) for check in evaluation.checks for each in check.matched_policies for statement in each.statements
    }
    for explained in evaluation.statements:
        assert (explained.deciding is None) is (id(explained.statement) in matched)
        assert (explained.deciding is None) is not explained.misses


@law(refused)
def test_every_denial_has_a_message_and_a_hint(scenario: Scenario) -> None:
    evaluation = answer(scenario)
    for words in (evaluation.message, evaluation.hint()):
        assert bool(words) is not evaluation.allowed
    assert evaluation.explain()


def without(scenario: Scenario, decided: Evaluation) -> Scenario:
    """The scenario without the statements that decided it."""
    gone = {id(each.statement.document) for each in decided.deciding.statements}
    for document in documents(scenario):
        document["Statement"] = [each for each in listed(document["Statement"]) if id(each) not in gone]
    return scenario


@law(allowed)
def test_without_the_statements_that_decided_nothing_is_allowed(scenario: Scenario) -> None:
    evaluation = answer(scenario)
    if evaluation.allowed and not free(scenario):
        assert evaluation.deciding.statements
        assert not answer(without(scenario, evaluation)).allowed


@law(denied)
def test_without_the_statements_that_decided_nothing_is_denied(scenario: Scenario) -> None:
    evaluation = answer(scenario)
    if evaluation.effect == "EXPLICIT_DENY":
        assert evaluation.deciding.statements
        assert answer(without(scenario, evaluation)).effect != "EXPLICIT_DENY"


def delegated(scenario: Scenario) -> bool:
    return any(check.meaning == "DELEGATES" for check in answer(scenario).checks)


@law(delegated)
def test_who_is_delegated_to_needs_an_allow_of_its_own(scenario: Scenario) -> None:
    """UG/reference_policies_elements_principal: a policy that names the account leaves it to the account."""
    if delegated(scenario):
        scenario["identity_policies"] = []
        assert not answer(scenario).allowed or scenario["principal"].endswith(":root")


@law(lacking)
def test_what_is_lacking_is_all_that_is_lacking(scenario: Scenario) -> None:
    """Where every check that lacks an allow has one, nothing lacks; callers who cannot be allowed aside."""
    evaluation = answer(scenario)
    kinds = {check.check_type for check in evaluation.deciding.lacking}
    named = {**ALLOW, "Principal": {caller_of(scenario).key: scenario["principal"]}}
    if scenario["principal"] == "anonymous":
        named["Principal"] = "*"
    trust = evaluation.request.is_trust_question
    granting = {key: value for key, value in named.items() if key != "Resource"} if trust else named
    additions = {
        "PRINCIPAL": {"identity_policies": [*scenario.get("identity_policies", []), {"Statement": ALLOW}]},
        "PERMISSIONS_BOUNDARY": {"permissions_boundary": {"Statement": ALLOW}},
        "SESSION": {"session_policies": [{"Statement": ALLOW}]},
        "SERVICE_CONTROL_POLICY": {"scps": [[*level, {"Statement": ALLOW}] for level in scenario.get("scps", [])]},
        "VPC_ENDPOINT": {"vpc_endpoint_policies": [{"Statement": named}]},
        "RESOURCE": {"resource_policy": {"Statement": granting}},
    }
    for kind in kinds:
        scenario = {**scenario, **additions[kind]}
    provider = "-provider/" in scenario["principal"] and not evaluation.request.in_own_account
    special = evaluation.hint().startswith(("The root user", "Credentials from")) or provider
    assert not lacking(scenario) or special
