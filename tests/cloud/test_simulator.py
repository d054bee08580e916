"""IAM's policy simulator answers as the calls themselves do.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from __future__ import annotations

from typing import Any

import pytest

from simlib import Cloud

from .conftest import allow, deny, document, new_user, refused

ALICE = "arn:aws:iam::111111111111:user/alice"
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


def decisions(answer: Any) -> list[str]:
    return [result["EvalDecision"] for result in answer["EvaluationResults"]]


def test_every_action_is_tried_on_every_resource(aws: Cloud, iam: Any) -> None:
    new_user(aws, iam, "alice", allow("s3:Get*", "arn:aws:s3:::a/*"), deny("s3:DeleteObject"))
    answer = iam.simulate_principal_policy(
        PolicySourceArn=ALICE,
        ActionNames=["s3:GetObject", "s3:DeleteObject"],
        ResourceArns=["arn:aws:s3:::a/x", "arn:aws:s3:::b/x"],
    )
    assert decisions(answer) == ["allowed", "implicitDeny", "explicitDeny", "explicitDeny"]
    assert answer["EvaluationResults"][0]["MatchedStatements"][0]["SourcePolicyId"] == "inline"


def test_a_groups_policies_and_a_boundary_count(aws: Cloud, iam: Any) -> None:
    new_user(aws, iam, "alice")
    iam.create_group(GroupName="team")
    iam.put_group_policy(GroupName="team", PolicyName="p", PolicyDocument=document(allow("s3:*")))
    iam.add_user_to_group(GroupName="team", UserName="alice")
    simulate = lambda **more: iam.simulate_principal_policy(  # noqa: E731
        PolicySourceArn=ALICE, ActionNames=["s3:GetObject"], **more
    )
    assert decisions(simulate()) == ["allowed"]
    bounded = simulate(PermissionsBoundaryPolicyInputList=[document(allow("ec2:*"))])["EvaluationResults"][0]
    assert bounded["EvalDecision"] == "implicitDeny"
    assert bounded["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}
    group = "arn:aws:iam::111111111111:group/team"
    assert decisions(iam.simulate_principal_policy(PolicySourceArn=group, ActionNames=["s3:GetObject"])) == ["allowed"]


def test_missing_context_is_named_and_given_context_counts(aws: Cloud, iam: Any) -> None:
    policy = document(allow("s3:*", Condition=MFA), allow("ec2:*", "arn:aws:ec2:*:*:instance/${aws:username}"))
    asked = {"PolicyInputList": [policy], "ActionNames": ["s3:GetObject"]}
    first = iam.simulate_custom_policy(**asked)["EvaluationResults"][0]
    assert first["EvalDecision"] == "implicitDeny"
    assert first["MissingContextValues"] == ["aws:MultiFactorAuthPresent", "aws:username"]
    entry = {"ContextKeyName": "aws:MultiFactorAuthPresent", "ContextKeyValues": ["true"], "ContextKeyType": "boolean"}
    assert decisions(iam.simulate_custom_policy(**asked, ContextEntries=[entry])) == ["allowed"]
    keys = iam.get_context_keys_for_custom_policy(PolicyInputList=[policy])["ContextKeyNames"]
    assert keys == ["aws:MultiFactorAuthPresent", "aws:username"]


def test_context_keys_of_an_identity(aws: Cloud, iam: Any) -> None:
    new_user(aws, iam, "alice", allow("s3:*", Condition=MFA))
    answer = iam.get_context_keys_for_principal_policy(PolicySourceArn=ALICE)
    assert answer["ContextKeyNames"] == ["aws:MultiFactorAuthPresent"]


def test_many_results_come_in_pages(aws: Cloud, iam: Any) -> None:
    new_user(aws, iam, "alice", allow("s3:*"))
    pages = iam.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=ALICE,
        ActionNames=["s3:GetObject", "ec2:RunInstances", "s3:PutObject"],
        PaginationConfig={"PageSize": 2},
    )
    assert [decision for page in pages for decision in decisions(page)] == ["allowed", "implicitDeny", "allowed"]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"PolicySourceArn": ALICE.replace("alice", "nobody"), "ActionNames": ["s3:GetObject"]}, "NoSuchEntity"),
        ({"PolicySourceArn": ALICE, "ActionNames": ["GetObject"]}, "InvalidInput"),
        ({"PolicySourceArn": ALICE, "ActionNames": ["s3:Get"], "PolicyInputList": ["{"]}, "InvalidInput"),
    ],
)
def test_what_cannot_be_simulated_is_refused(aws: Cloud, iam: Any, asked: dict[str, Any], code: str) -> None:
    new_user(aws, iam, "alice")
    assert refused(lambda: iam.simulate_principal_policy(**asked))[0] == code


def test_simulating_needs_a_permission_of_its_own(aws: Cloud, iam: Any) -> None:
    alice = new_user(aws, iam, "alice", allow("s3:*")).client("iam")
    said = refused(lambda: alice.simulate_principal_policy(PolicySourceArn=ALICE, ActionNames=["s3:GetObject"]))
    assert said[0] == "AccessDenied"
    assert f"iam:SimulatePrincipalPolicy on resource: {ALICE}" in said[1]
