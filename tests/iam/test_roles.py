"""Roles and keys: the resource's own policy must allow (UG/id_roles_update-role-trust-policy, KMS/key-policies)."""

from __future__ import annotations

import pytest

from simlib.iam import PolicySet
from tests.iam.shorthand import (
    ALICE,
    ALLOW_ALL,
    ALLOW_OTHERS,
    BOB,
    CAROL,
    DENIED,
    DENY_ALL,
    EC2,
    GRANTED,
    KEY,
    OIDC,
    OTHER_TARGET,
    OWN,
    REFUSED,
    ROLE,
    ROOT,
    SAML,
    SCP_OTHERS,
    SESSION,
    TARGET,
    allow,
    decide,
    deny,
    policy,
    rcp_deny,
    resource_policy,
    trust,
)

# --- roles ----------------------------------------------------------------------------------------------------------

ASSUME = policy(allow("sts:AssumeRole"), name="may-assume")

# UG/id_roles_update-role-trust-policy, STS/API_AssumeRole: caller, role, policies, decision
ASSUME_ROLE: dict[str, tuple[str, str, PolicySet, str]] = {
    "a trust policy that names the user is enough": (ALICE, TARGET, PolicySet(resource=trust({"AWS": ALICE})), GRANTED),
    "a trust policy that names the session's role is enough (a choice)": (
        SESSION,
        TARGET,
        PolicySet(resource=trust({"AWS": ROLE})),
        GRANTED,
    ),
    "a boundary must allow, though the user is named": (
        ALICE,
        TARGET,
        PolicySet(resource=trust({"AWS": ALICE}), permissions_boundary=ALLOW_OTHERS),
        REFUSED,
    ),
    "a boundary that allows is enough, where the user is named": (
        ALICE,
        TARGET,
        PolicySet(resource=trust({"AWS": ALICE}), permissions_boundary=ASSUME),
        GRANTED,
    ),
    "a session policy must allow, though the session is named (a choice)": (
        SESSION,
        TARGET,
        PolicySet(resource=trust({"AWS": SESSION}), session=(ALLOW_OTHERS,)),
        REFUSED,
    ),
    "an identity policy alone is not enough": (ALICE, TARGET, PolicySet((ASSUME,)), REFUSED),
    "a role without a trust policy trusts nobody": (ALICE, TARGET, PolicySet((ALLOW_ALL,), resource=None), REFUSED),
    "a trust policy that names the account is not enough": (
        ALICE,
        TARGET,
        PolicySet(resource=trust({"AWS": OWN})),
        REFUSED,
    ),
    "a trust policy that names the account, and an identity policy": (
        ALICE,
        TARGET,
        PolicySet((ASSUME,), resource=trust({"AWS": OWN})),
        GRANTED,
    ),
    "a trust policy that names somebody else": (
        ALICE,
        TARGET,
        PolicySet((ASSUME,), resource=trust({"AWS": BOB})),
        REFUSED,
    ),
    "a trust policy that names a service": (
        ALICE,
        TARGET,
        PolicySet((ASSUME,), resource=trust({"Service": EC2})),
        REFUSED,
    ),
    "a denial in an identity policy denies": (
        ALICE,
        TARGET,
        PolicySet((DENY_ALL,), resource=trust({"AWS": ALICE})),
        DENIED,
    ),
    "across accounts the trust policy alone is not enough": (
        ALICE,
        OTHER_TARGET,
        PolicySet(resource=trust({"AWS": ALICE})),
        REFUSED,
    ),
    "across accounts both sides are": (
        ALICE,
        OTHER_TARGET,
        PolicySet((ASSUME,), resource=trust({"AWS": ALICE})),
        GRANTED,
    ),
    "across accounts with the account named": (
        ALICE,
        OTHER_TARGET,
        PolicySet((ASSUME,), resource=trust({"AWS": OWN})),
        GRANTED,
    ),
    "a role does not trust itself": (
        SESSION,
        ROLE,
        PolicySet((ASSUME,), resource=trust({"Service": EC2})),
        REFUSED,
    ),
    "a role that names itself does": (SESSION, ROLE, PolicySet(resource=trust({"AWS": ROLE})), GRANTED),
    "the root user cannot assume a role": (ROOT, TARGET, PolicySet(resource=trust({"AWS": OWN})), REFUSED),
    "nor across accounts": (ROOT, OTHER_TARGET, PolicySet(resource=trust({"AWS": OWN})), REFUSED),
    "a service assumes a role that trusts it": (EC2, TARGET, PolicySet(resource=trust({"Service": EC2})), GRANTED),
    "a service does not assume a role that trusts another": (
        EC2,
        TARGET,
        PolicySet(resource=trust({"Service": "ecs.amazonaws.com"})),
        REFUSED,
    ),
    "a federated user assumes no role": (
        CAROL,
        TARGET,
        PolicySet((ALLOW_ALL,), session=(ALLOW_ALL,), resource=trust({"AWS": OWN})),
        REFUSED,
    ),
    "an SCP limits who may assume": (
        ALICE,
        TARGET,
        PolicySet(resource=trust({"AWS": ALICE}), scps=((SCP_OTHERS,),)),
        REFUSED,
    ),
    "an RCP limits who may assume": (
        ALICE,
        TARGET,
        PolicySet(resource=trust({"AWS": ALICE}), rcps=((rcp_deny("sts:*"),),)),
        DENIED,
    ),
}


@pytest.mark.parametrize(("caller", "role", "policies", "decision"), ASSUME_ROLE.values(), ids=ASSUME_ROLE)
def test_assume_role(caller: str, role: str, policies: PolicySet, decision: str) -> None:
    assert decide(caller, "sts:AssumeRole", role, policies) == decision


@pytest.mark.parametrize("action", ["sts:TagSession", "sts:SetSourceIdentity"])
def test_tags_and_source_identity_are_actions_of_their_own(action: str) -> None:
    """UG/id_session-tags, UG/id_credentials_temp_control-access_monitor: allowed in the trust policy, too."""
    assert decide(ALICE, action, TARGET, PolicySet((ALLOW_ALL,), resource=trust({"AWS": OWN}))) == REFUSED
    both = trust({"AWS": OWN}, action=["sts:AssumeRole", action])
    assert decide(ALICE, action, TARGET, PolicySet(resource=both)) == REFUSED
    assert decide(ALICE, action, TARGET, PolicySet((ALLOW_ALL,), resource=both)) == GRANTED


def test_external_id() -> None:
    """UG/id_roles_common-scenarios_third-party: the condition is on the trust policy."""
    by_condition = policy(
        allow("sts:AssumeRole", None, Principal={"AWS": OWN}, Condition={"StringEquals": {"sts:ExternalId": "12345"}}),
        kind="trust",
    )
    policies = PolicySet((ASSUME,), resource=by_condition)
    assert decide(ALICE, "sts:AssumeRole", OTHER_TARGET, policies, context={"sts:ExternalId": "12345"}) == GRANTED
    assert decide(ALICE, "sts:AssumeRole", OTHER_TARGET, policies, context={"sts:ExternalId": "54321"}) == REFUSED
    assert decide(ALICE, "sts:AssumeRole", OTHER_TARGET, policies) == REFUSED


def test_web_identities() -> None:
    """STS/API_AssumeRoleWithWebIdentity: no identity policies; the trust policy decides."""
    action = "sts:AssumeRoleWithWebIdentity"
    subject = {"StringEquals": {"token.actions.githubusercontent.com:sub": "repo:octo/app:ref:refs/heads/main"}}
    trusting = policy(allow(action, None, Principal={"Federated": OIDC}, Condition=subject), kind="trust")
    context = {"token.actions.githubusercontent.com:sub": "repo:octo/app:ref:refs/heads/main"}
    assert decide(OIDC, action, TARGET, PolicySet(resource=trusting), context=context) == GRANTED
    assert decide(OIDC, action, TARGET, PolicySet(resource=trusting)) == REFUSED
    assert decide(OIDC, action, TARGET, PolicySet()) == REFUSED
    assert decide(OIDC, action, TARGET, PolicySet((ALLOW_ALL,))) == REFUSED
    assert decide(SAML, action, TARGET, PolicySet(resource=trusting), context=context) == REFUSED
    assert decide(OIDC, action, OTHER_TARGET, PolicySet(resource=trusting), context=context) == REFUSED
    google = trust({"Federated": "accounts.google.com"}, action=action)
    assert decide("accounts.google.com", action, OTHER_TARGET, PolicySet(resource=google)) == GRANTED


def test_saml_identities() -> None:
    trusting = trust({"Federated": SAML}, action="sts:AssumeRoleWithSAML")
    assert decide(SAML, "sts:AssumeRoleWithSAML", TARGET, PolicySet(resource=trusting)) == GRANTED
    assert decide(SAML, "sts:AssumeRole", TARGET, PolicySet(resource=trusting)) == REFUSED
    assert decide(ALICE, "sts:AssumeRoleWithSAML", TARGET, PolicySet((ALLOW_ALL,), resource=trusting)) == REFUSED


# --- keys -----------------------------------------------------------------------------------------------------------

# KMS/key-policy-default: the key policy must allow; naming the account lets identity policies count
KEYS: dict[str, tuple[str, PolicySet, str]] = {
    "an identity policy alone is not enough": (ALICE, PolicySet((ALLOW_ALL,)), REFUSED),
    "a key policy that names somebody else does not let identity policies count": (
        ALICE,
        PolicySet((ALLOW_ALL,), resource=resource_policy({"AWS": BOB})),
        REFUSED,
    ),
    "a key policy that names the account lets them count": (
        ALICE,
        PolicySet((ALLOW_ALL,), resource=resource_policy({"AWS": ROOT})),
        GRANTED,
    ),
    "a key policy that names the account is not enough alone": (
        ALICE,
        PolicySet(resource=resource_policy({"AWS": ROOT})),
        REFUSED,
    ),
    "a key policy that names the user is enough": (ALICE, PolicySet(resource=resource_policy({"AWS": ALICE})), GRANTED),
    "the root user needs the key policy": (ROOT, PolicySet(), REFUSED),
    "a key policy that names a user locks out the root user": (
        ROOT,
        PolicySet(resource=resource_policy({"AWS": BOB})),
        REFUSED,
    ),
    "a key policy that names the account lets the root user in": (
        ROOT,
        PolicySet(resource=resource_policy({"AWS": ROOT})),
        GRANTED,
    ),
    "a key policy that denies denies": (
        ALICE,
        PolicySet((ALLOW_ALL,), resource=resource_policy({"AWS": ROOT}, deny(Principal={"AWS": ALICE}))),
        DENIED,
    ),
}


@pytest.mark.parametrize(("caller", "policies", "decision"), KEYS.values(), ids=KEYS)
def test_keys(caller: str, policies: PolicySet, decision: str) -> None:
    assert decide(caller, "kms:Decrypt", KEY, policies) == decision


def test_what_is_not_about_a_key_needs_no_key_policy() -> None:
    assert decide(ALICE, "kms:ListKeys", "*", PolicySet((ALLOW_ALL,))) == GRANTED
    alias = f"arn:aws:kms:us-east-1:{OWN}:alias/app"
    assert decide(ALICE, "kms:CreateAlias", alias, PolicySet((ALLOW_ALL,))) == GRANTED
