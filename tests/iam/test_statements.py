"""What a statement covers, from outside: its elements, one by one (UG/reference_policies_elements)."""

from __future__ import annotations

from typing import Any

import pytest

from simlib.iam import PolicySet
from tests.iam.shorthand import (
    ALICE,
    ALLOW_ALL,
    BOB,
    DENIED,
    GRANTED,
    OBJECT,
    OWN,
    REFUSED,
    SESSION,
    allow,
    decide,
    deny,
    policy,
)

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


def test_the_short_resources_of_api_gateway_are_completed() -> None:
    """apigateway/api-gateway-control-access-using-iam-policies-to-invoke-api"""
    short = policy(allow("execute-api:Invoke", "execute-api:/prod/GET/*", Principal="*"), kind="resource")
    for path, decision in {"prod/GET/pets": GRANTED, "test/GET/pets": REFUSED}.items():
        arn = f"arn:aws:execute-api:us-east-1:{OWN}:abc123/{path}"
        assert decide(ALICE, "execute-api:Invoke", arn, PolicySet(resource=short)) == decision


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
