"""The decision, row by row of AWS's documentation: UG/reference_policies_evaluation-logic and the pages named below."""

from __future__ import annotations

from typing import Any

import pytest

from simlib.iam import PolicySet, Request, evaluate
from tests.iam.shorthand import (
    ALICE,
    ALLOW_ALL,
    ALLOW_NOTHING,
    ALLOW_OTHERS,
    BOB,
    CAROL,
    EC2,
    KEY,
    OBJECT,
    OIDC,
    OTHER,
    OTHER_TARGET,
    OWN,
    ROLE,
    ROOT,
    SAML,
    SESSION,
    TARGET,
    allow,
    decide,
    deny,
    effects,
    policy,
    resource_policy,
    trust,
)

GRANTED, REFUSED, DENIED = "ALLOW", "IMPLICIT_DENY", "EXPLICIT_DENY"
DENY_ALL = policy(deny(), name="deny-all")
FULL_ACCESS = policy(allow(), kind="scp", name="FullAWSAccess")
SCP_OTHERS = policy(allow("ec2:*"), kind="scp", name="scp-others")
SCP_DENY = policy(allow(), deny("s3:*"), kind="scp", name="scp-deny")
RCP_FULL = policy(allow(Principal="*"), kind="rcp", name="RCPFullAWSAccess")


def rcp_deny(action: str = "*") -> Any:
    return policy(deny(action, Principal="*"), kind="rcp", name="rcp-deny")


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
    "a single session policy need not be in a tuple": (PolicySet((ALLOW_ALL,), session=ALLOW_OTHERS), REFUSED),
    "no session policy is no limit": (PolicySet((ALLOW_ALL,), session=None), GRANTED),
    "an empty tuple of session policies is none": (PolicySet((ALLOW_ALL,), session=()), GRANTED),
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
    document = policy(allow(Principal={"AWS": OWN}), allow(Principal={"AWS": SESSION}), kind="resource")
    assert decide(SESSION, "s3:GetObject", OBJECT, PolicySet(resource=document, session=(ALLOW_OTHERS,))) == GRANTED


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


# --- root user, federated users, services, anonymous callers --------------------------------------------------------

ROOT_USER: dict[str, tuple[str, PolicySet, str]] = {
    "everything in its account": ("s3:GetObject", PolicySet(), GRANTED),
    "limited by SCPs": ("s3:GetObject", PolicySet(scps=((SCP_OTHERS,),)), REFUSED),
    "denied by SCPs": ("s3:GetObject", PolicySet(scps=((SCP_DENY,),)), DENIED),
    "denied by RCPs": ("s3:GetObject", PolicySet(rcps=((rcp_deny(),),)), DENIED),
    "denied by a resource policy": (
        "s3:GetObject",
        PolicySet(resource=policy(deny(Principal="*"), kind="resource")),
        DENIED,
    ),
    "not limited by a resource policy that names others": (
        "s3:GetObject",
        PolicySet(resource=resource_policy({"AWS": ALICE})),
        GRANTED,
    ),
    "has no identity policies": ("s3:GetObject", PolicySet((DENY_ALL,)), GRANTED),
    "has no boundary": ("s3:GetObject", PolicySet(permissions_boundary=DENY_ALL), GRANTED),
    "has no session policy": ("s3:GetObject", PolicySet(session=(DENY_ALL,)), GRANTED),
}


@pytest.mark.parametrize(("action", "policies", "decision"), ROOT_USER.values(), ids=ROOT_USER)
def test_the_root_user(action: str, policies: PolicySet, decision: str) -> None:
    """UG/id_root-user"""
    assert decide(ROOT, action, OBJECT, policies) == decision


@pytest.mark.parametrize("action", ["s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"])
def test_the_root_user_can_always_repair_its_bucket_policy(action: str) -> None:
    """S3/bucket-policies: even against a denial in that policy, but not against SCPs, nor in another account."""
    locked = PolicySet(resource=policy(deny(Principal="*"), kind="resource"))
    bucket = "arn:aws:s3:::bucket"
    assert decide(ROOT, action, bucket, locked) == GRANTED
    assert decide(ALICE, action, bucket, locked) == DENIED
    assert decide(ROOT, action, bucket, locked, resource_account=OTHER) == DENIED
    assert decide(ROOT, "s3:ListBucket", bucket, locked) == DENIED
    assert decide(ROOT, action, bucket, PolicySet(resource=locked.resource, scps=((SCP_DENY,),))) == DENIED


def test_the_root_user_across_accounts_needs_the_other_side() -> None:
    assert decide(ROOT, "s3:GetObject", OBJECT, resource_account=OTHER) == REFUSED
    opened = PolicySet(resource=resource_policy({"AWS": OWN}))
    assert decide(ROOT, "s3:GetObject", OBJECT, opened, resource_account=OTHER) == GRANTED


# STS/API_GetFederationToken
FEDERATED: dict[str, tuple[str, PolicySet, str]] = {
    "without a session policy: nothing": ("s3:GetObject", PolicySet((ALLOW_ALL,)), REFUSED),
    "the user's permissions within the session policy": (
        "s3:GetObject",
        PolicySet((ALLOW_ALL,), session=(ALLOW_ALL,)),
        GRANTED,
    ),
    "a session policy grants nothing": ("s3:GetObject", PolicySet(session=(ALLOW_ALL,)), REFUSED),
    "a session policy of other things": ("s3:GetObject", PolicySet((ALLOW_ALL,), session=(ALLOW_OTHERS,)), REFUSED),
    "without a session policy, what names the session": (
        "s3:GetObject",
        PolicySet(resource=resource_policy({"AWS": CAROL})),
        GRANTED,
    ),
    "without a session policy, not what names the user": (
        "s3:GetObject",
        PolicySet((ALLOW_ALL,), resource=resource_policy({"AWS": ALICE})),
        REFUSED,
    ),
    "the user's boundary limits": (
        "s3:GetObject",
        PolicySet((ALLOW_ALL,), session=(ALLOW_ALL,), permissions_boundary=ALLOW_OTHERS),
        REFUSED,
    ),
    "no IAM": ("iam:ListUsers", PolicySet((ALLOW_ALL,), session=(ALLOW_ALL,)), REFUSED),
    "no STS": ("sts:DecodeAuthorizationMessage", PolicySet((ALLOW_ALL,), session=(ALLOW_ALL,)), REFUSED),
    "but who one is": ("sts:GetCallerIdentity", PolicySet(), GRANTED),
}


@pytest.mark.parametrize(("action", "policies", "decision"), FEDERATED.values(), ids=FEDERATED)
def test_federated_users(action: str, policies: PolicySet, decision: str) -> None:
    resource = OBJECT if action.startswith("s3:") else "*"
    assert decide(CAROL, action, resource, policies, role_arn=ALICE) == decision


# UG/reference_policies_elements_principal#principal-services; Organizations/orgs_manage_policies_scps, …_rcps
SERVICES: dict[str, tuple[PolicySet, str]] = {
    "nothing allows": (PolicySet(), REFUSED),
    "identity policies are not for services": (PolicySet((ALLOW_ALL,)), REFUSED),
    "a resource policy names the service": (PolicySet(resource=resource_policy({"Service": EC2})), GRANTED),
    "a resource policy names everybody": (PolicySet(resource=resource_policy("*")), GRANTED),
    "a resource policy names the account": (PolicySet(resource=resource_policy({"AWS": OWN})), REFUSED),
    "a resource policy denies": (PolicySet(resource=resource_policy("*", deny(Principal={"Service": EC2}))), DENIED),
    "SCPs do not limit services": (PolicySet(resource=resource_policy({"Service": EC2}), scps=((SCP_DENY,),)), GRANTED),
    "RCPs do": (PolicySet(resource=resource_policy({"Service": EC2}), rcps=((rcp_deny(),),)), DENIED),
    "services do not come through a VPC endpoint": (
        PolicySet(resource=resource_policy({"Service": EC2}), vpc_endpoint=(policy(kind="endpoint"),)),
        GRANTED,
    ),
    "boundaries are not for services": (
        PolicySet(resource=resource_policy({"Service": EC2}), permissions_boundary=DENY_ALL),
        GRANTED,
    ),
    "session policies are not for services": (
        PolicySet(resource=resource_policy({"Service": EC2}), session=(DENY_ALL,)),
        GRANTED,
    ),
}


@pytest.mark.parametrize(("policies", "decision"), SERVICES.values(), ids=SERVICES)
def test_services(policies: PolicySet, decision: str) -> None:
    assert decide(EC2, "s3:GetObject", OBJECT, policies, resource_account=OWN) == decision
    assert decide(EC2, "s3:GetObject", OBJECT, policies) == decision


def test_an_rcp_exempts_services_by_condition() -> None:
    """Organizations/orgs_manage_policies_rcps_examples"""
    only_ours = {
        "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-abcde12345"},
        "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
    }
    rcp = policy(deny("s3:*", Principal="*", Condition=only_ours), kind="rcp")
    policies = PolicySet((ALLOW_ALL,), resource=resource_policy("*"), rcps=((rcp,),))
    service = {"aws:PrincipalIsAWSService": "true"}
    ours = {"aws:PrincipalIsAWSService": "false", "aws:PrincipalOrgID": "o-abcde12345"}
    theirs = {"aws:PrincipalIsAWSService": "false", "aws:PrincipalOrgID": "o-zyxwv54321"}
    assert decide(EC2, "s3:GetObject", OBJECT, policies, context=service) == GRANTED
    assert decide(ALICE, "s3:GetObject", OBJECT, policies, context=ours) == GRANTED
    assert decide(ALICE, "s3:GetObject", OBJECT, policies, context=theirs) == DENIED


ANONYMOUS: dict[str, tuple[PolicySet, str]] = {
    "nothing allows": (PolicySet((ALLOW_ALL,)), REFUSED),
    "everybody": (PolicySet(resource=resource_policy("*")), GRANTED),
    "everybody of AWS": (PolicySet(resource=resource_policy({"AWS": "*"})), GRANTED),
    "an account": (PolicySet(resource=resource_policy({"AWS": OWN})), REFUSED),
    "everybody of an organization": (
        PolicySet(
            resource=policy(
                allow(Principal="*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}}), kind="resource"
            )
        ),
        REFUSED,
    ),
    "an RCP denies": (PolicySet(resource=resource_policy("*"), rcps=((rcp_deny(),),)), DENIED),
    "an endpoint policy limits": (
        PolicySet(
            resource=resource_policy("*"), vpc_endpoint=(policy(allow("ec2:*", Principal="*"), kind="endpoint"),)
        ),
        REFUSED,
    ),
    "SCPs are not for strangers": (PolicySet(resource=resource_policy("*"), scps=((SCP_DENY,),)), GRANTED),
}


@pytest.mark.parametrize(("policies", "decision"), ANONYMOUS.values(), ids=ANONYMOUS)
def test_anonymous_callers(policies: PolicySet, decision: str) -> None:
    assert decide("anonymous", "s3:GetObject", OBJECT, policies, resource_account=OWN) == decision


def test_service_linked_roles_are_not_limited_by_organizations() -> None:
    """Organizations/orgs_manage_policies_scps#not-restricted-by-scp, …_rcps"""
    role = f"arn:aws:iam::{OWN}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
    session = f"arn:aws:sts::{OWN}:assumed-role/AWSServiceRoleForECS/s"
    limited = PolicySet((ALLOW_ALL,), scps=((SCP_DENY,),), rcps=((rcp_deny(),),))
    assert decide(session, "s3:GetObject", OBJECT, limited, role_arn=role) == GRANTED
    assert decide(session, "s3:GetObject", OBJECT, limited) == DENIED


@pytest.mark.parametrize(
    ("action", "resource", "decision"),
    [
        ("s3:GetObject", OBJECT, DENIED),
        ("sqs:SendMessage", f"arn:aws:sqs:us-east-1:{OWN}:queue", DENIED),
        ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:us-east-1:{OWN}:secret:db-AbCdEf", DENIED),
        ("dynamodb:GetItem", f"arn:aws:dynamodb:us-east-1:{OWN}:table/t", DENIED),
        ("ecr:BatchGetImage", f"arn:aws:ecr:us-east-1:{OWN}:repository/r", DENIED),
        ("aoss:APIAccessAll", f"arn:aws:aoss:us-east-1:{OWN}:collection/c", DENIED),
        ("logs:PutLogEvents", f"arn:aws:logs:us-east-1:{OWN}:log-group:g", DENIED),
        ("cognito-idp:AdminGetUser", f"arn:aws:cognito-idp:us-east-1:{OWN}:userpool/p", DENIED),
        ("cognito-identity:GetId", f"arn:aws:cognito-identity:us-east-1:{OWN}:identitypool/p", DENIED),
        ("sts:DecodeAuthorizationMessage", "*", DENIED),
        ("ec2:StartInstances", f"arn:aws:ec2:us-east-1:{OWN}:instance/i-0", GRANTED),
        ("iam:GetUser", ALICE, GRANTED),
        ("lambda:InvokeFunction", f"arn:aws:lambda:us-east-1:{OWN}:function:f", GRANTED),
        ("sns:Publish", f"arn:aws:sns:us-east-1:{OWN}:topic", GRANTED),
        ("kms:DescribeKey", f"arn:aws:kms:us-east-1:{OWN}:alias/aws/s3", GRANTED),
    ],
)
def test_rcps_reach_only_some_services(action: str, resource: str, decision: str) -> None:
    """Organizations/orgs_manage_policies_rcps#rcp-supported-services; not AWS-managed keys"""
    assert decide(ALICE, action, resource, PolicySet((ALLOW_ALL,), rcps=((rcp_deny(),),))) == decision


@pytest.mark.parametrize("action", ["sts:GetCallerIdentity", "sts:getsessiontoken"])
def test_what_no_policy_can_withhold(action: str) -> None:
    """STS/API_GetCallerIdentity, STS/API_GetSessionToken"""
    against = PolicySet((DENY_ALL,), permissions_boundary=DENY_ALL, scps=((SCP_OTHERS,),))
    for caller in (ALICE, ROOT, SESSION, EC2):
        evaluation = evaluate(Request(caller, action, "*"), against)
        assert (evaluation.effect, evaluation.checks, evaluation.message) == (GRANTED, (), "")
        assert evaluation.policies is against
    assert decide("anonymous", action, "*") == REFUSED


# --- statements -----------------------------------------------------------------------------------------------------

READ = "s3:GetObject"
STATEMENTS: dict[str, tuple[dict[str, Any], str]] = {
    "the action": (allow(READ), GRANTED),
    "letter case of actions does not matter": (allow("S3:getobject"), GRANTED),
    "a wildcard in an action": (allow("s3:Get*"), GRANTED),
    "a question mark in an action": (allow("s3:?etObject"), GRANTED),
    "every action": (allow("*"), GRANTED),
    "every action of every service (a choice)": (allow("*:*"), GRANTED),
    "another service": (allow("ec2:*"), REFUSED),
    "a service that begins alike": (allow("s3-object-lambda:*"), REFUSED),
    "a list of actions": (allow(["ec2:*", READ]), GRANTED),
    "an empty list of actions": (allow([]), REFUSED),
    "NotAction of another": ({"Effect": "Allow", "NotAction": "s3:Put*", "Resource": "*"}, GRANTED),
    "NotAction of this one": ({"Effect": "Allow", "NotAction": ["ec2:*", "s3:Get*"], "Resource": "*"}, REFUSED),
    "NotAction in a denial": ({"Effect": "Deny", "NotAction": "s3:Put*", "Resource": "*"}, DENIED),
    "the resource": (allow(READ, OBJECT), GRANTED),
    "a wildcard in a resource": (allow(READ, "arn:aws:s3:::bucket/*"), GRANTED),
    "an incomplete ARN": (allow(READ, "arn:aws:s3"), GRANTED),
    "another resource": (allow(READ, "arn:aws:s3:::bucket2/*"), REFUSED),
    "letter case of resources matters": (allow(READ, OBJECT.upper().replace("ARN:AWS:S3", "arn:aws:s3")), REFUSED),
    "a list of resources": (allow(READ, ["arn:aws:s3:::x", OBJECT]), GRANTED),
    "NotResource of another": ({"Effect": "Allow", "Action": READ, "NotResource": "arn:aws:s3:::x"}, GRANTED),
    "NotResource of this one": ({"Effect": "Allow", "Action": READ, "NotResource": [OBJECT]}, REFUSED),
    "NotResource with a variable that has no value excludes nothing": (
        {"Effect": "Allow", "Action": READ, "NotResource": "arn:aws:s3:::bucket/${aws:userid}*"},
        GRANTED,
    ),
    "Resource with a variable that has no value matches nothing": (
        allow(READ, "arn:aws:s3:::bucket/${aws:userid}*"),
        REFUSED,
    ),
    "a condition that holds": (allow(Condition={"StringEquals": {"aws:username": "alice"}}), GRANTED),
    "a condition that does not": (allow(Condition={"StringEquals": {"aws:username": "bob"}}), REFUSED),
    "a denial whose condition does not hold": (deny(Condition={"StringEquals": {"aws:username": "bob"}}), REFUSED),
}


@pytest.mark.parametrize(("statement", "decision"), STATEMENTS.values(), ids=STATEMENTS)
def test_statements(statement: dict[str, Any], decision: str) -> None:
    assert decide(ALICE, READ, OBJECT, PolicySet((policy(statement),))) == decision
    many = [allow("ec2:DescribeRegions", Sid=f"S{number}") for number in range(9)]
    assert decide(ALICE, READ, OBJECT, PolicySet((policy(*many, statement, *many),))) == decision


def test_a_resource_keeps_its_wildcards_within_the_parts_of_an_arn() -> None:
    """UG/reference_policies_elements_resource"""
    within = PolicySet((policy(allow("sqs:*", "arn:aws:sqs:u*1:*:queue")),))
    assert decide(ALICE, "sqs:SendMessage", f"arn:aws:sqs:us-east-1:{OWN}:queue", within) == GRANTED
    assert decide(ALICE, "sqs:SendMessage", f"arn:aws:sqs:us:east-1:{OWN}:queue", within) == REFUSED


def test_a_specific_resource_does_not_cover_what_is_asked_of_all() -> None:
    assert decide(ALICE, "s3:ListAllMyBuckets", "*", PolicySet((policy(allow("*", "arn:aws:s3:::*")),))) == REFUSED
    assert decide(ALICE, "s3:ListAllMyBuckets", "*", PolicySet((ALLOW_ALL,))) == GRANTED


def test_a_resource_policy_without_resource_speaks_of_its_resource() -> None:
    document = policy(allow("sns:Publish", None, Principal={"AWS": ALICE}), kind="resource")
    assert decide(ALICE, "sns:Publish", f"arn:aws:sns:us-east-1:{OWN}:topic", PolicySet(resource=document)) == GRANTED


def test_variables_of_sessions_and_users() -> None:
    """UG/reference_policies_variables#principaltable: no aws:username in a role session."""
    home = PolicySet((policy(allow("s3:*", "arn:aws:s3:::home/${aws:username}/*")),))
    assert decide(ALICE, READ, "arn:aws:s3:::home/alice/x", home) == GRANTED
    assert decide(BOB, READ, "arn:aws:s3:::home/bob/x", home) == GRANTED
    assert decide(SESSION, READ, "arn:aws:s3:::home/session-1/x", home) == REFUSED


# --- the checks -----------------------------------------------------------------------------------------------------


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
