"""What decided: the check that AWS names, the statements, what is lacking, and what only delegates."""

from __future__ import annotations

from typing import Any

import pytest

from simlib.iam import Evaluation, PolicySet, Request, evaluate
from tests.iam.shorthand import (
    ALICE,
    ALLOW_ALL,
    ALLOW_OTHERS,
    BOB,
    DENY_ALL,
    FULL_ACCESS,
    KEY,
    OBJECT,
    OTHER,
    OTHER_TARGET,
    OWN,
    ROLE,
    ROOT,
    SCP_DENY,
    SCP_OTHERS,
    SESSION,
    TARGET,
    allow,
    deny,
    policy,
    rcp_deny,
    resource_policy,
    trust,
)

READ, ASSUME = "s3:GetObject", "sts:AssumeRole"
USER, ACCOUNT = resource_policy({"AWS": ALICE}), resource_policy({"AWS": OWN})


def ask(policies: PolicySet, action: str = READ, resource: str = OBJECT, who: str = ALICE, **more: Any) -> Evaluation:
    return evaluate(Request(who, action, resource, **more), policies)


THEIRS = {"resource_account": OTHER}

# policies, request -> the statements that decided: check, policy, what they mean
ALLOWED: dict[str, tuple[Evaluation, list[tuple[str, str, str]]]] = {
    "an identity policy": (ask(PolicySet((ALLOW_OTHERS, ALLOW_ALL))), [("PRINCIPAL", "allow-all", "ALLOW")]),
    "a bucket policy that names the user": (ask(PolicySet(resource=USER)), [("RESOURCE", "bucket-policy", "ALLOW")]),
    "either of both": (
        ask(PolicySet((ALLOW_ALL,), resource=USER)),
        [("RESOURCE", "bucket-policy", "ALLOW"), ("PRINCIPAL", "allow-all", "ALLOW")],
    ),
    "a bucket policy that names the account changes nothing": (
        ask(PolicySet((ALLOW_ALL,), resource=ACCOUNT)),
        [("PRINCIPAL", "allow-all", "ALLOW")],
    ),
    "both sides, between accounts": (
        ask(PolicySet((ALLOW_ALL,), resource=USER), **THEIRS),
        [("RESOURCE", "bucket-policy", "ALLOW"), ("PRINCIPAL", "allow-all", "ALLOW")],
    ),
    "both sides, where the owner's names the account": (
        ask(PolicySet((ALLOW_ALL,), resource=ACCOUNT), **THEIRS),
        [("RESOURCE", "bucket-policy", "DELEGATES"), ("PRINCIPAL", "allow-all", "ALLOW")],
    ),
    "a trust policy that names the user": (
        ask(PolicySet((ALLOW_ALL,), resource=trust({"AWS": ALICE})), ASSUME, TARGET),
        [("RESOURCE", "trust-policy", "ALLOW")],
    ),
    "a trust policy that names the account": (
        ask(PolicySet((ALLOW_ALL,), resource=trust({"AWS": ROOT})), ASSUME, TARGET),
        [("RESOURCE", "trust-policy", "DELEGATES"), ("PRINCIPAL", "allow-all", "ALLOW")],
    ),
    "a key policy that names the account": (
        ask(PolicySet((ALLOW_ALL,), resource=ACCOUNT), "kms:Decrypt", KEY),
        [("RESOURCE", "bucket-policy", "DELEGATES"), ("PRINCIPAL", "allow-all", "ALLOW")],
    ),
    "ceilings that must allow": (
        ask(PolicySet((ALLOW_ALL,), permissions_boundary=ALLOW_ALL, session=(ALLOW_ALL,), scps=((FULL_ACCESS,),))),
        [
            ("SERVICE_CONTROL_POLICY", "FullAWSAccess", "ALLOW"),
            ("PRINCIPAL", "allow-all", "ALLOW"),
            ("PERMISSIONS_BOUNDARY", "allow-all", "ALLOW"),
            ("SESSION", "allow-all", "ALLOW"),
        ],
    ),
    "no ceiling where a bucket policy names the user": (
        ask(PolicySet(resource=USER, permissions_boundary=ALLOW_ALL)),
        [("RESOURCE", "bucket-policy", "ALLOW")],
    ),
    "an endpoint's policy that names the account delegates nothing": (
        ask(PolicySet((ALLOW_ALL,), vpc_endpoint=(policy(allow(Principal={"AWS": OWN}), kind="endpoint"),))),
        [("VPC_ENDPOINT", "endpoint", "ALLOW"), ("PRINCIPAL", "allow-all", "ALLOW")],
    ),
    "nothing, for the root user": (ask(PolicySet(), who=ROOT), []),
    "nothing, where no permission is needed": (ask(PolicySet((DENY_ALL,)), "sts:GetCallerIdentity", "*"), []),
}


@pytest.mark.parametrize(("evaluation", "decided"), ALLOWED.values(), ids=ALLOWED)
def test_the_statements_whose_allow_was_needed(evaluation: Evaluation, decided: list[tuple[str, str, str]]) -> None:
    deciding = evaluation.deciding
    assert evaluation.allowed
    assert [(each.check_type, each.policy.name, each.meaning) for each in deciding.statements] == decided
    assert (deciding.check, deciding.lacking) == (None, ())


def test_the_statements_that_deny_those_of_the_check_aws_names_first() -> None:
    policies = PolicySet((ALLOW_ALL, DENY_ALL), scps=((SCP_DENY,),), rcps=((rcp_deny(),),))
    deciding = ask(policies).deciding
    assert deciding.check is not None
    assert deciding.check.check_type == "RESOURCE_CONTROL_POLICY"
    assert [(each.check_type, each.statement.index, each.meaning) for each in deciding.statements] == [
        ("RESOURCE_CONTROL_POLICY", 0, "EXPLICIT_DENY"),
        ("SERVICE_CONTROL_POLICY", 1, "EXPLICIT_DENY"),
        ("PRINCIPAL", 0, "EXPLICIT_DENY"),
    ]
    assert deciding.lacking == ()


# evaluation -> the checks that lack an allow; AWS names the first
LACKING: dict[str, tuple[Evaluation, list[str]]] = {
    "an identity policy": (ask(PolicySet()), ["PRINCIPAL"]),
    "either, and an identity policy will do": (ask(PolicySet(resource=resource_policy({"AWS": BOB}))), ["PRINCIPAL"]),
    "the account's own side, to which the bucket policy delegates": (ask(PolicySet(resource=ACCOUNT)), ["PRINCIPAL"]),
    "both sides, between accounts": (ask(PolicySet(), **THEIRS), ["RESOURCE", "PRINCIPAL"]),
    "the owner's side": (ask(PolicySet((ALLOW_ALL,)), **THEIRS), ["RESOURCE"]),
    "a trust policy and an identity policy of one account": (
        ask(PolicySet(), ASSUME, TARGET),
        ["PRINCIPAL", "RESOURCE"],
    ),
    "the same between accounts": (ask(PolicySet(), ASSUME, OTHER_TARGET), ["RESOURCE", "PRINCIPAL"]),
    "ceilings": (
        ask(PolicySet((ALLOW_ALL,), permissions_boundary=ALLOW_OTHERS, session=(ALLOW_OTHERS,), scps=((SCP_OTHERS,),))),
        ["SERVICE_CONTROL_POLICY", "PERMISSIONS_BOUNDARY", "SESSION"],
    ),
}


@pytest.mark.parametrize(("evaluation", "lacking"), LACKING.values(), ids=LACKING)
def test_the_checks_that_lack_an_allow(evaluation: Evaluation, lacking: list[str]) -> None:
    deciding = evaluation.deciding
    assert [check.check_type for check in deciding.lacking] == lacking
    assert deciding.check == deciding.lacking[0]
    assert deciding.statements == ()


# UG/reference_policies_elements_principal: who names the account leaves the decision to it
MEANINGS: dict[str, tuple[Evaluation, str]] = {
    "the account": (ask(PolicySet(resource=ACCOUNT)), "DELEGATES"),
    "its root": (ask(PolicySet(resource=resource_policy({"AWS": ROOT}))), "DELEGATES"),
    "the user": (ask(PolicySet(resource=USER)), "ALLOW"),
    "the user and the account": (ask(PolicySet(resource=resource_policy({"AWS": [OWN, ALICE]}))), "ALLOW"),
    "everybody": (ask(PolicySet(resource=resource_policy("*"))), "ALLOW"),
    "a session's role": (ask(PolicySet(resource=resource_policy({"AWS": ROLE})), who=SESSION), "ALLOW"),
    "somebody else": (ask(PolicySet(resource=resource_policy({"AWS": BOB}))), "IMPLICIT_DENY"),
    "the account, and denies": (
        ask(PolicySet(resource=resource_policy({"AWS": OWN}, deny(Principal="*")))),
        "EXPLICIT_DENY",
    ),
}


@pytest.mark.parametrize(("evaluation", "meaning"), MEANINGS.values(), ids=MEANINGS)
def test_what_a_resource_policy_means(evaluation: Evaluation, meaning: str) -> None:
    check = next(check for check in evaluation.checks if check.check_type == "RESOURCE")
    assert check.meaning == meaning
    assert check.effect == ("ALLOW" if meaning == "DELEGATES" else meaning), "AWS's own four words stay"
    assert ("Resource-based policy: allows" in evaluation.explain()) is (meaning == "ALLOW")
    assert ("Resource-based policy: delegates to the caller's account" in evaluation.explain()) is (
        meaning == "DELEGATES"
    )


def test_statements_that_came_near_are_those_of_the_checks_that_lack_an_allow() -> None:
    boundary = policy(allow(READ, "arn:aws:s3:::elsewhere/*"), name="boundary")
    near = ask(PolicySet((ALLOW_ALL, policy(allow(READ, "arn:aws:s3:::x"))), permissions_boundary=boundary)).near_misses
    assert [(each.check_type, each.policy, each.misses) for each in near] == [("PERMISSIONS_BOUNDARY", boundary, 1)]
    assert ask(PolicySet((ALLOW_ALL,))).near_misses == []


def test_statements_about_other_actions_came_near_only_where_none_is_about_this_one() -> None:
    others, this = policy(allow("ec2:*"), name="others"), policy(allow(READ, "arn:aws:s3:::x"), name="this")
    assert [each.policy for each in ask(PolicySet((others,))).near_misses] == [others]
    assert [each.policy for each in ask(PolicySet((others, this))).near_misses] == [this]
