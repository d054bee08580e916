"""IAM's policy simulator answers as the calls themselves do.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from __future__ import annotations

import json
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
    assert decisions(answer) == ["implicitDeny", "explicitDeny"]  # the strictest of each action
    get, delete = answer["EvaluationResults"]
    shown = [(r["EvalResourceName"], r["EvalResourceDecision"]) for r in get["ResourceSpecificResults"]]
    assert shown == [("arn:aws:s3:::a/x", "allowed"), ("arn:aws:s3:::b/x", "implicitDeny")]
    assert get["ResourceSpecificResults"][0]["MatchedStatements"][0]["SourcePolicyId"] == "inline"
    assert get["MatchedStatements"] == []
    assert {r["EvalResourceDecision"] for r in delete["ResourceSpecificResults"]} == {"explicitDeny"}
    assert len(delete["MatchedStatements"]) == 1  # the one deny, told once
    alone = iam.simulate_principal_policy(PolicySourceArn=ALICE, ActionNames=["s3:GetObject"])["EvaluationResults"][0]
    assert alone["EvalResourceName"] == "*"
    assert "ResourceSpecificResults" not in alone


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("single", [False, True])
def test_a_matched_statement_is_pointed_out_in_its_text(iam: Any, indent: int | None, single: bool) -> None:
    statements = allow("s3:GetObject") if single else [deny("ec2:*"), allow("s3:GetObject")]
    text = json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=indent)
    asked = {"PolicyInputList": [text], "ActionNames": ["s3:GetObject"]}
    (matched,) = iam.simulate_custom_policy(**asked)["EvaluationResults"][0]["MatchedStatements"]
    assert (matched["SourcePolicyId"], matched["SourcePolicyType"]) == ("PolicyInputList.1", "IAM Policy")
    lines = text.split("\n")
    offset = lambda place: sum(len(line) + 1 for line in lines[: place["Line"] - 1]) + place["Column"] - 1  # noqa: E731
    pointed = text[offset(matched["StartPosition"]) : offset(matched["EndPosition"])]
    assert json.loads(pointed) == allow("s3:GetObject")


def test_what_follows_from_a_real_caller_is_not_missing(aws: Cloud, iam: Any) -> None:
    new_user(aws, iam, "alice", allow("s3:*", "arn:aws:s3:::a/${aws:username}", Condition=MFA))
    asked = {"PolicySourceArn": ALICE, "ActionNames": ["s3:GetObject"], "ResourceArns": ["arn:aws:s3:::a/alice"]}
    result = iam.simulate_principal_policy(**asked)["EvaluationResults"][0]
    assert result["MissingContextValues"] == ["aws:MultiFactorAuthPresent"]
    assert result["ResourceSpecificResults"][0]["MissingContextValues"] == ["aws:MultiFactorAuthPresent"]


def test_across_accounts_each_side_is_told(aws: Cloud, iam: Any) -> None:
    new_user(aws, iam, "alice", allow("s3:*"))
    theirs = document(allow("s3:GetObject", "arn:aws:s3:::a/*", Principal={"AWS": "333333333333"}))
    asked = {
        "PolicySourceArn": ALICE, "ActionNames": ["s3:GetObject"], "ResourceArns": ["arn:aws:s3:::a/x"],
        "ResourceOwner": "arn:aws:iam::222222222222:root", "ResourcePolicy": theirs, "CallerArn": ALICE,
    }  # fmt: skip
    result = iam.simulate_principal_policy(**asked)["EvaluationResults"][0]
    assert result["EvalDecision"] == "implicitDeny"
    assert result["EvalDecisionDetails"] == {"IAM Policy": "allowed", "Resource Policy": "implicitDeny"}


def test_an_organizations_policies_are_told_apart(aws: Cloud, iam: Any) -> None:
    organizations = aws.account("dev").admin.client("organizations")
    organizations.create_organization()
    member = aws.account("member", organization=aws.account("dev"))
    no, kind = document(deny("s3:*")), "SERVICE_CONTROL_POLICY"
    policy = organizations.create_policy(Name="no", Description="", Type=kind, Content=no)["Policy"]["PolicySummary"]
    organizations.attach_policy(PolicyId=policy["Id"], TargetId=member.id)
    theirs = member.admin.client("iam")
    new_user(aws, theirs, "bob", allow("*"))
    arn = f"arn:aws:iam::{member.id}:user/bob"
    asked = {"PolicySourceArn": arn, "ActionNames": ["s3:GetObject", "ec2:RunInstances"]}
    denied, allowed = theirs.simulate_principal_policy(**asked)["EvaluationResults"]
    assert (denied["EvalDecision"], allowed["EvalDecision"]) == ("explicitDeny", "allowed")
    assert denied["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": False}
    assert allowed["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": True}


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


KEY = "arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab"
TARGET = "arn:aws:iam::111111111111:role/target"


@pytest.mark.parametrize(
    ("action", "resource", "kind"),
    [("sts:AssumeRole", TARGET, "trust policy of the role"), ("kms:Decrypt", KEY, "policy of the key")],
)
def test_roles_and_keys_are_simulated_by_the_identitys_policies_and_the_rest_is_said(
    aws: Cloud, iam: Any, action: str, resource: str, kind: str
) -> None:
    """AWS's simulator looks at the identity's policies; that the owner decides too is said where AWS says nothing."""
    new_user(aws, iam, "alice", allow("*"))
    asked = {"PolicySourceArn": ALICE, "ActionNames": [action], "ResourceArns": [resource]}
    result = iam.simulate_principal_policy(**asked)["EvaluationResults"][0]
    assert result["EvalDecision"] == "allowed"
    assert [each["SourcePolicyId"] for each in result["MatchedStatements"]] == ["inline"]
    said = {"IAM Policy": "allowed", "Resource Policy": f"not simulated: the {kind} must allow it, too"}
    assert result["EvalDecisionDetails"] == said
    nothing = iam.simulate_custom_policy(
        PolicyInputList=[document(allow("s3:*"))], ActionNames=[action], ResourceArns=[resource]
    )["EvaluationResults"][0]
    assert (nothing["EvalDecision"], nothing["MatchedStatements"]) == ("implicitDeny", [])
    foreign = resource.replace("111111111111", "222222222222")
    across = iam.simulate_principal_policy(**{**asked, "ResourceArns": [foreign]})["EvaluationResults"][0]
    assert (across["EvalDecision"], across["MatchedStatements"]) == ("implicitDeny", [])


def test_a_resource_policy_that_is_given_is_simulated(aws: Cloud, iam: Any) -> None:
    new_user(aws, iam, "alice", allow("*"))
    theirs = document(allow("kms:*", Principal={"AWS": "arn:aws:iam::111111111111:user/bob"}))
    asked = {"PolicySourceArn": ALICE, "ActionNames": ["kms:Decrypt"], "ResourceArns": [KEY], "CallerArn": ALICE}
    result = iam.simulate_principal_policy(**asked, ResourcePolicy=theirs)["EvaluationResults"][0]
    assert result["EvalDecision"] == "implicitDeny"
    assert "EvalDecisionDetails" not in result
