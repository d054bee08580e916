"""The checks of a decision: their order, their effects, what matched (AWS's iam-toolbox API)."""

from __future__ import annotations

import pytest

from simlib.iam import PolicySet, Request, evaluate
from tests.iam.shorthand import (
    ALICE,
    ALLOW_ALL,
    ALLOW_NOTHING,
    ALLOW_OTHERS,
    BOB,
    CAROL,
    DENIED,
    DENY_ALL,
    EC2,
    FULL_ACCESS,
    GRANTED,
    OBJECT,
    OTHER,
    OWN,
    RCP_FULL,
    REFUSED,
    ROLE,
    ROOT,
    SCP_DENY,
    SCP_OTHERS,
    SESSION,
    allow,
    deny,
    effects,
    policy,
    rcp_deny,
    resource_policy,
)

READ = "s3:GetObject"


def test_checks_are_in_the_order_of_the_iam_toolbox() -> None:
    policies = PolicySet(
        identity=(ALLOW_ALL,),
        permissions_boundary=ALLOW_ALL,
        session=(ALLOW_ALL,),
        resource=resource_policy("*"),
        scps=((FULL_ACCESS,), (FULL_ACCESS,)),
        rcps=((), (RCP_FULL,)),
        vpc_endpoint=(policy(allow(Principal="*"), kind="endpoint"),),
    )
    checks = evaluate(Request(SESSION, READ, OBJECT), policies).checks
    assert [(check.check_type, check.level) for check in checks] == [
        ("RESOURCE_CONTROL_POLICY", 0),
        ("RESOURCE_CONTROL_POLICY", 1),
        ("SERVICE_CONTROL_POLICY", 0),
        ("SERVICE_CONTROL_POLICY", 1),
        ("VPC_ENDPOINT", None),
        ("RESOURCE", None),
        ("PRINCIPAL", None),
        ("PERMISSIONS_BOUNDARY", None),
        ("SESSION", None),
    ]
    assert {check.effect for check in checks} == {GRANTED}


def test_every_check_is_worked_out_also_after_a_denial() -> None:
    policies = PolicySet(
        (ALLOW_OTHERS,), permissions_boundary=DENY_ALL, scps=((SCP_DENY,), (SCP_OTHERS,)), rcps=((rcp_deny(),),)
    )
    assert effects(ALICE, READ, OBJECT, policies) == {
        "RESOURCE_CONTROL_POLICY": DENIED,
        "SERVICE_CONTROL_POLICY": f"{DENIED}, {REFUSED}",
        "PRINCIPAL": REFUSED,
        "PERMISSIONS_BOUNDARY": DENIED,
    }


# the effect of each check of a request in one account
EFFECTS: dict[str, tuple[str, PolicySet, dict[str, str]]] = {
    "nothing allows": (ALICE, PolicySet(), {"PRINCIPAL": REFUSED}),
    "the identity policy allows": (ALICE, PolicySet((ALLOW_ALL,)), {"PRINCIPAL": GRANTED}),
    "the identity policy allows, the resource policy is silent": (
        ALICE,
        PolicySet((ALLOW_ALL,), resource=resource_policy({"AWS": BOB})),
        {"RESOURCE": "NO_IMPACT", "PRINCIPAL": GRANTED},
    ),
    "the resource policy allows, nothing else is needed": (
        ALICE,
        PolicySet(resource=resource_policy({"AWS": ALICE}), permissions_boundary=ALLOW_OTHERS),
        {"RESOURCE": GRANTED, "PRINCIPAL": "NO_IMPACT", "PERMISSIONS_BOUNDARY": "NO_IMPACT"},
    ),
    "neither allows": (
        ALICE,
        PolicySet(resource=resource_policy({"AWS": BOB})),
        {"RESOURCE": REFUSED, "PRINCIPAL": REFUSED},
    ),
    "the resource policy names the account": (
        ALICE,
        PolicySet(resource=resource_policy({"AWS": OWN})),
        {"RESOURCE": GRANTED, "PRINCIPAL": REFUSED},
    ),
    "the resource policy names the role of a limited session": (
        SESSION,
        PolicySet(resource=resource_policy({"AWS": ROLE}), session=(ALLOW_OTHERS,)),
        {"RESOURCE": GRANTED, "PRINCIPAL": "NO_IMPACT", "SESSION": REFUSED},
    ),
    "the root user": (ROOT, PolicySet(), {"PRINCIPAL": GRANTED}),
    "a federated user without session policy": (
        CAROL,
        PolicySet((ALLOW_ALL,)),
        {"PRINCIPAL": GRANTED, "SESSION": REFUSED},
    ),
    "a service": (EC2, PolicySet((ALLOW_ALL,)), {"RESOURCE": REFUSED}),
}


@pytest.mark.parametrize(("caller", "policies", "found"), EFFECTS.values(), ids=EFFECTS)
def test_the_effect_of_each_check(caller: str, policies: PolicySet, found: dict[str, str]) -> None:
    assert effects(caller, READ, OBJECT, policies) == found


def test_across_accounts_the_owner_must_allow() -> None:
    policies = PolicySet((ALLOW_ALL,))
    assert effects(ALICE, READ, OBJECT, policies, resource_account=OTHER) == {"RESOURCE": REFUSED, "PRINCIPAL": GRANTED}


def test_matched_statements_are_in_the_order_of_the_document() -> None:
    statements = [allow("ec2:DescribeRegions"), allow(READ, Sid="A"), deny("s3:*", Sid="B"), allow("*", Sid="C")]
    many = policy(*statements, *[allow("ec2:*", Sid=f"S{number}") for number in range(5)], allow("s3:Get*", Sid="D"))
    [check] = evaluate(Request(ALICE, READ, OBJECT), PolicySet((ALLOW_OTHERS, many, ALLOW_NOTHING))).checks
    [matched] = check.matched_policies
    assert matched.policy is many
    assert [(each.sid, each.index, each.effect) for each in matched.statements] == [
        ("A", 1, "Allow"),
        ("B", 2, "Deny"),
        ("C", 3, "Allow"),
        ("D", 9, "Allow"),
    ]
    assert check.policies == (ALLOW_OTHERS, many, ALLOW_NOTHING)
