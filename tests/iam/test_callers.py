"""Root user, federated users, services, strangers, service-linked roles: whom which policies reach."""

from __future__ import annotations

import pytest

from simlib.iam import PolicySet, Request, evaluate
from tests.iam.shorthand import (
    ALICE,
    ALLOW_ALL,
    ALLOW_OTHERS,
    CAROL,
    DENIED,
    DENY_ALL,
    EC2,
    GRANTED,
    KEY,
    OBJECT,
    OTHER,
    OWN,
    REFUSED,
    ROOT,
    SCP_DENY,
    SCP_OTHERS,
    SESSION,
    allow,
    decide,
    deny,
    policy,
    rcp_deny,
    resource_policy,
)

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
    "an endpoint policy limits services, too (a choice)": (
        PolicySet(resource=resource_policy({"Service": EC2}), vpc_endpoint=(policy(kind="endpoint"),)),
        REFUSED,
    ),
    "an endpoint policy that names the service lets it through": (
        PolicySet(
            resource=resource_policy({"Service": EC2}),
            vpc_endpoint=(policy(allow(Principal={"Service": EC2}), kind="endpoint"),),
        ),
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


def test_an_endpoint_policy_of_a_data_perimeter_lets_aws_services_through_by_name() -> None:
    """AWS's samples of data perimeters: one statement for the account's own principals, one for AWS's services."""
    ours = allow(Principal={"AWS": "*"}, Condition={"StringEquals": {"aws:PrincipalAccount": OWN}})
    services = allow(Principal={"AWS": "*"}, Condition={"Bool": {"aws:PrincipalIsAWSService": "true"}})
    by_aws = {"aws:PrincipalIsAWSService": "true"}
    for statements, decision in (((ours,), REFUSED), ((ours, services), GRANTED)):
        policies = PolicySet(
            resource=resource_policy({"Service": EC2}), vpc_endpoint=(policy(*statements, kind="endpoint"),)
        )
        assert decide(EC2, "s3:GetObject", OBJECT, policies, context=by_aws) == decision


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
        ("kms:Decrypt", KEY, DENIED),
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
