"""The decision in one account and across two, row by row of UG/reference_policies_evaluation-logic."""

from __future__ import annotations

from typing import Any

import pytest

from simlib.iam import PolicySet, Request
from tests.iam.shorthand import (
    ALICE,
    ALLOW_ALL,
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
    OTHER_TARGET,
    OWN,
    RCP_FULL,
    REFUSED,
    ROLE,
    ROOT,
    SCP_DENY,
    SCP_OTHERS,
    SESSION,
    TARGET,
    allow,
    decide,
    deny,
    policy,
    rcp_deny,
    resource_policy,
)

# --- one account ----------------------------------------------------------------------------------------------------

# UG/reference_policies_evaluation-logic_policy-eval-basics-single-account
ONE_ACCOUNT: dict[str, tuple[PolicySet, str]] = {
    "what is not mentioned is refused": (PolicySet(), REFUSED),
    "an identity policy that allows is enough": (PolicySet(identity=(ALLOW_ALL,)), GRANTED),
    "an identity policy that allows other things is not": (PolicySet(identity=(ALLOW_OTHERS,)), REFUSED),
    "any of several identity policies may allow": (PolicySet(identity=(ALLOW_OTHERS, ALLOW_ALL)), GRANTED),
    "a denial beside an allow denies": (PolicySet(identity=(ALLOW_ALL, DENY_ALL)), DENIED),
    "a resource policy that allows is enough": (PolicySet(resource=resource_policy({"AWS": ALICE})), GRANTED),
    "a resource policy that denies denies": (
        PolicySet(identity=(ALLOW_ALL,), resource=policy(deny(Principal="*"), kind="resource")),
        DENIED,
    ),
    "a boundary alone grants nothing": (PolicySet(permissions_boundary=ALLOW_ALL), REFUSED),
    "a boundary that allows lets through": (PolicySet((ALLOW_ALL,), permissions_boundary=ALLOW_ALL), GRANTED),
    "a boundary that allows other things refuses": (
        PolicySet((ALLOW_ALL,), permissions_boundary=ALLOW_OTHERS),
        REFUSED,
    ),
    "a boundary that denies denies": (PolicySet((ALLOW_ALL,), permissions_boundary=DENY_ALL), DENIED),
    "a session policy alone grants nothing": (PolicySet(session=(ALLOW_ALL,)), REFUSED),
    "a session policy that allows lets through": (PolicySet((ALLOW_ALL,), session=(ALLOW_ALL,)), GRANTED),
    "a session policy that allows other things refuses": (PolicySet((ALLOW_ALL,), session=(ALLOW_OTHERS,)), REFUSED),
    "any of several session policies may allow": (PolicySet((ALLOW_ALL,), session=(ALLOW_OTHERS, ALLOW_ALL)), GRANTED),
    "any of several session policies may deny": (PolicySet((ALLOW_ALL,), session=(DENY_ALL, ALLOW_ALL)), DENIED),
    "no session policy is no limit": (PolicySet((ALLOW_ALL,), session=()), GRANTED),
    "an SCP alone grants nothing": (PolicySet(scps=((FULL_ACCESS,),)), REFUSED),
    "an SCP that allows lets through": (PolicySet((ALLOW_ALL,), scps=((FULL_ACCESS,),)), GRANTED),
    "an SCP that allows other things refuses": (PolicySet((ALLOW_ALL,), scps=((SCP_OTHERS,),)), REFUSED),
    "an allow is needed at every level": (PolicySet((ALLOW_ALL,), scps=((FULL_ACCESS,), (SCP_OTHERS,))), REFUSED),
    "a level without any SCP allows nothing": (PolicySet((ALLOW_ALL,), scps=((FULL_ACCESS,), ())), REFUSED),
    "any SCP of a level may allow": (PolicySet((ALLOW_ALL,), scps=((SCP_OTHERS, FULL_ACCESS),)), GRANTED),
    "an SCP that denies denies": (PolicySet((ALLOW_ALL,), scps=((FULL_ACCESS,), (SCP_DENY,))), DENIED),
    "an SCP limits what a resource policy grants": (
        PolicySet(resource=resource_policy({"AWS": ALICE}), scps=((SCP_OTHERS,),)),
        REFUSED,
    ),
    "an RCP alone grants nothing": (PolicySet(rcps=((RCP_FULL,),)), REFUSED),
    "an RCP that denies denies": (PolicySet((ALLOW_ALL,), rcps=((RCP_FULL,), (rcp_deny(),))), DENIED),
    "an RCP that denies other things does not": (PolicySet((ALLOW_ALL,), rcps=((rcp_deny("s3:Put*"),),)), GRANTED),
    "RCPFullAWSAccess is there without being written": (PolicySet((ALLOW_ALL,), rcps=((), ())), GRANTED),
    "an endpoint policy alone grants nothing": (
        PolicySet(vpc_endpoint=(policy(allow(Principal="*"), kind="endpoint"),)),
        REFUSED,
    ),
    "an endpoint policy that allows lets through": (
        PolicySet((ALLOW_ALL,), vpc_endpoint=(policy(allow(Principal="*"), kind="endpoint"),)),
        GRANTED,
    ),
    "an endpoint policy that allows other things refuses": (
        PolicySet((ALLOW_ALL,), vpc_endpoint=(policy(allow("ec2:*", Principal="*"), kind="endpoint"),)),
        REFUSED,
    ),
    "an endpoint policy that allows others refuses": (
        PolicySet((ALLOW_ALL,), vpc_endpoint=(policy(allow(Principal={"AWS": BOB}), kind="endpoint"),)),
        REFUSED,
    ),
    "an endpoint policy that allows the account lets through": (
        PolicySet((ALLOW_ALL,), vpc_endpoint=(policy(allow(Principal={"AWS": OWN}), kind="endpoint"),)),
        GRANTED,
    ),
    "an endpoint policy limits what a resource policy grants": (
        PolicySet(
            resource=resource_policy({"AWS": ALICE}),
            vpc_endpoint=(policy(allow("ec2:*", Principal="*"), kind="endpoint"),),
        ),
        REFUSED,
    ),
}


@pytest.mark.parametrize(("policies", "decision"), ONE_ACCOUNT.values(), ids=ONE_ACCOUNT)
def test_in_one_account(policies: PolicySet, decision: str) -> None:
    assert decide(ALICE, "s3:GetObject", OBJECT, policies) == decision


BY_CONDITION = allow(Principal="*", Condition={"ArnEquals": {"aws:PrincipalArn": [ALICE, ROLE, CAROL]}})

# UG/reference_policies_evaluation-logic_policy-eval-denyallow, the table of principals of resource-based policies:
# caller, resource policy, identity allow needed, limited by an implicit deny in boundary and session policy
NAMED_PRINCIPALS: dict[str, tuple[str, dict[str, Any], bool, bool]] = {
    "the IAM user": (ALICE, allow(Principal={"AWS": ALICE}), False, False),
    "the role of a session": (SESSION, allow(Principal={"AWS": ROLE}), False, True),
    "the role itself": (ROLE, allow(Principal={"AWS": ROLE}), False, True),
    "the role session": (SESSION, allow(Principal={"AWS": SESSION}), False, False),
    "the federated user session": (CAROL, allow(Principal={"AWS": CAROL}), False, False),
    "the federating user": (CAROL, allow(Principal={"AWS": ALICE}), False, True),
    "the account of a user": (ALICE, allow(Principal={"AWS": OWN}), True, True),
    "the account's root, of a session": (SESSION, allow(Principal={"AWS": ROOT}), True, True),
    "the account of a federated user": (CAROL, allow(Principal={"AWS": OWN}), True, True),
    "everybody with a condition on a user": (ALICE, BY_CONDITION, False, False),
    "everybody with a condition on a session's role": (SESSION, BY_CONDITION, False, False),
    "everybody with a condition on a federated user": (CAROL, BY_CONDITION, False, False),
    "everybody (a choice)": (SESSION, allow(Principal="*"), False, False),
    "everybody of AWS (a choice)": (SESSION, allow(Principal={"AWS": "*"}), False, False),
    "the session and the account": (SESSION, allow(Principal={"AWS": [ROOT, SESSION]}), False, False),
    "the role and the account": (SESSION, allow(Principal={"AWS": [OWN, ROLE]}), False, True),
}


@pytest.mark.parametrize(("caller", "granting", "identity", "limited"), NAMED_PRINCIPALS.values(), ids=NAMED_PRINCIPALS)
def test_whom_a_resource_policy_names(caller: str, granting: dict[str, Any], identity: bool, limited: bool) -> None:
    document = policy(granting, kind="resource")
    source = ALICE if caller == CAROL else None
    session = (ALLOW_ALL,) if caller == CAROL else None  # a federated user without any is another row

    def ask(**policies: Any) -> str:
        policies = {"session": session, **policies}
        return decide(caller, "s3:GetObject", OBJECT, PolicySet(resource=document, **policies), role_arn=source)

    assert ask() == (REFUSED if identity else GRANTED)
    assert ask(identity=(ALLOW_ALL,)) == GRANTED
    assert ask(identity=(ALLOW_ALL,), permissions_boundary=ALLOW_OTHERS) == (REFUSED if limited else GRANTED)
    assert ask(identity=(ALLOW_ALL,), session=(ALLOW_OTHERS,)) == (REFUSED if limited else GRANTED)
    assert ask(identity=(ALLOW_ALL,), permissions_boundary=DENY_ALL) == DENIED
    assert ask(identity=(ALLOW_ALL,), session=(DENY_ALL,)) == DENIED
    assert ask(identity=(DENY_ALL,)) == DENIED


def test_the_freest_of_several_allows_counts() -> None:
    allows = [allow(Principal={"AWS": OWN}), allow(Principal={"AWS": SESSION})]
    for statements in (allows, allows[::-1]):
        policies = PolicySet(resource=policy(*statements, kind="resource"), session=(ALLOW_OTHERS,))
        assert decide(SESSION, "s3:GetObject", OBJECT, policies) == GRANTED


# --- two accounts ---------------------------------------------------------------------------------------------------

ACROSS: dict[str, tuple[PolicySet, str]] = {
    "the caller's side alone is not enough": (PolicySet((ALLOW_ALL,)), REFUSED),
    "the owner's side alone is not enough": (PolicySet(resource=resource_policy({"AWS": ALICE})), REFUSED),
    "everybody named alone is not enough": (PolicySet(resource=resource_policy("*")), REFUSED),
    "both sides, the caller named": (PolicySet((ALLOW_ALL,), resource=resource_policy({"AWS": ALICE})), GRANTED),
    "both sides, the account named": (PolicySet((ALLOW_ALL,), resource=resource_policy({"AWS": OWN})), GRANTED),
    "both sides, everybody named": (PolicySet((ALLOW_ALL,), resource=resource_policy("*")), GRANTED),
    "both sides, somebody else named": (PolicySet((ALLOW_ALL,), resource=resource_policy({"AWS": BOB})), REFUSED),
    "both sides, the owner's own account named": (
        PolicySet((ALLOW_ALL,), resource=resource_policy({"AWS": OTHER})),
        REFUSED,
    ),
    "a boundary limits, whoever is named": (
        PolicySet((ALLOW_ALL,), permissions_boundary=ALLOW_OTHERS, resource=resource_policy({"AWS": ALICE})),
        REFUSED,
    ),
    "a session policy limits, whoever is named": (
        PolicySet((ALLOW_ALL,), session=(ALLOW_OTHERS,), resource=resource_policy({"AWS": ALICE})),
        REFUSED,
    ),
    "an SCP of the caller's account limits": (
        PolicySet((ALLOW_ALL,), scps=((SCP_OTHERS,),), resource=resource_policy({"AWS": ALICE})),
        REFUSED,
    ),
    "an RCP of the owner's account limits": (
        PolicySet((ALLOW_ALL,), rcps=((rcp_deny(),),), resource=resource_policy({"AWS": ALICE})),
        DENIED,
    ),
    "a denial on the caller's side denies": (
        PolicySet((ALLOW_ALL, DENY_ALL), resource=resource_policy({"AWS": ALICE})),
        DENIED,
    ),
    "a denial on the owner's side denies": (
        PolicySet((ALLOW_ALL,), resource=resource_policy({"AWS": ALICE}, deny(Principal={"AWS": ALICE}))),
        DENIED,
    ),
}


@pytest.mark.parametrize(("policies", "decision"), ACROSS.values(), ids=ACROSS)
def test_across_accounts(policies: PolicySet, decision: str) -> None:
    assert decide(ALICE, "s3:GetObject", OBJECT, policies, resource_account=OTHER) == decision
    assert decide(ALICE, "sqs:SendMessage", f"arn:aws:sqs:us-east-1:{OTHER}:queue", policies) == decision


def test_two_accounts_of_one_organization_are_two_accounts() -> None:
    context = {"aws:PrincipalOrgID": "o-abcde12345", "aws:ResourceOrgID": "o-abcde12345"}
    policies = PolicySet(resource=resource_policy({"AWS": ALICE}))
    assert decide(ALICE, "s3:GetObject", OBJECT, policies, resource_account=OTHER, context=context) == REFUSED


def test_the_account_in_an_arn_is_the_owner_unless_said_otherwise() -> None:
    queue = f"arn:aws:sqs:us-east-1:{OTHER}:queue"
    assert Request(ALICE, "sqs:SendMessage", queue).owner == OTHER
    assert Request(ALICE, "sqs:SendMessage", queue, resource_account=OWN).owner == OWN
    assert Request(ALICE, "s3:GetObject", OBJECT).owner == OWN
    assert Request(EC2, "s3:GetObject", OBJECT).owner is None
    assert Request(ALICE, "logs:PutLogEvents", f"arn:aws:logs:r:{OTHER}:log-group:a:log-stream:b").owner == OTHER
    assert Request(ALICE, "ec2:RunInstances", "arn:aws:ec2:us-east-1::image/ami-1").owner == OWN


def test_pass_role_does_not_cross_accounts() -> None:
    """UG/id_roles_use_passrole: there is no policy on the other side that could allow it."""
    everything = PolicySet((ALLOW_ALL,))
    assert decide(ALICE, "iam:PassRole", TARGET, everything) == GRANTED
    assert decide(ALICE, "iam:PassRole", OTHER_TARGET, everything) == REFUSED
