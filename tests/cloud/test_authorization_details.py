"""iam-toolbox answers for a denial's authorization ID, from the decision that denied.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied-authorization-id.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from simlib import Cloud

from .conftest import allow, deny, document, new_user, refused

ALICE = "arn:aws:iam::111111111111:user/alice"
PLAIN = f"User: {ALICE} is not authorized to perform: iam:ListUsers on resource: arn:aws:iam::111111111111:user/ "
NO_ALLOW = PLAIN + "because no identity-based policy allows the iam:ListUsers action"


def denied(aws: Cloud, call: Callable[[], Any]) -> str:
    """The authorization ID of a call that is denied."""
    assert refused(call)[0] == "AccessDenied"
    return aws.why().authorization_id


def details(account: Any, authorization_id: str, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = account.admin.client("iam-toolbox").get_request_authorization_details(
        authorizationId=authorization_id, **more
    )
    answer.pop("ResponseMetadata")
    return answer


# -- the ID in the error text ------------------------------------------------------------------------------------------


def test_the_text_carries_the_id_once_that_is_switched_on(aws: Cloud, dev: Any, iam: Any) -> None:
    alice = new_user(aws, iam, "alice").client("iam")
    assert refused(alice.list_users) == ("AccessDenied", NO_ALLOW)
    aws.authorization_ids = True
    text = refused(alice.list_users)[1]
    found = aws.why().authorization_id
    link = f"https://us-east-1.console.aws.amazon.com/iam/home?region=us-east-1#/authorization-details/{found}"
    api = f"or call the GetRequestAuthorizationDetails API with the following authorization id: {found}"
    assert text == f"{NO_ALLOW}. Go to {link} for complete details, {api}"
    assert found.isalnum()
    assert found == found.lower()


def test_a_managed_policy_that_denies_is_named_before_it(aws: Cloud, dev: Any, iam: Any) -> None:
    arn = iam.create_policy(PolicyName="no", PolicyDocument=document(deny("iam:*")))["Policy"]["Arn"]
    alice = new_user(aws, iam, "alice", allow("*")).client("iam")
    iam.attach_user_policy(UserName="alice", PolicyArn=arn)
    named = f"{PLAIN}with an explicit deny in an identity-based policy: {arn}"
    assert refused(alice.list_users)[1] == named
    aws.authorization_ids = True
    assert refused(alice.list_users)[1].startswith(f"{named}. Go to https://")


def test_only_denials_of_iam_have_an_id(aws: Cloud, dev: Any, iam: Any) -> None:
    aws.authorization_ids = True
    alice = new_user(aws, iam, "alice")
    assert "authorization id" not in refused(alice.client("s3").list_buckets)[1]
    assert aws.why().authorization_id == ""
    iam.get_user(UserName="alice")
    assert refused(lambda: iam.get_user(UserName="nobody"))[0] == "NoSuchEntity"  # allowed, so nothing to explain
    assert [event.authorization_id for event in aws.trail if event.authorization_id] == []


# -- the answer --------------------------------------------------------------------------------------------------------


def test_the_answer_is_the_decision_that_denied(aws: Cloud, dev: Any, iam: Any) -> None:
    limit = iam.create_policy(PolicyName="limit", PolicyDocument=document(allow("s3:*")))["Policy"]["Arn"]
    alice = new_user(aws, iam, "alice", allow("iam:List*", Sid="Lists"), deny("iam:ListUsers"))
    iam.put_user_permissions_boundary(UserName="alice", PermissionsBoundary=limit)
    answer = details(dev, denied(aws, alice.client("iam").list_users))
    (evaluation,) = answer["evaluations"]
    assert (evaluation["action"], evaluation["evaluatedEffect"]) == ("iam:ListUsers", "EXPLICIT_DENY")
    assert [(check["checkType"], check["evaluatedEffect"]) for check in evaluation["checks"]] == [
        ("PRINCIPAL", "EXPLICIT_DENY"),
        ("PERMISSIONS_BOUNDARY", "IMPLICIT_DENY"),
    ]
    (matched,) = evaluation["checks"][0]["matchedPolicies"]
    assert matched["matchedStatements"] == [
        {"sid": "Lists", "evaluatedEffect": "ALLOW"},
        {"sid": "Statement2", "evaluatedEffect": "DENY"},  # one without a Sid gets one
    ]
    inline, boundary = answer["policies"]
    assert inline == {
        "type": "IDENTITY_BASED_POLICY", "inline": True, "uri": matched["uri"], "attachedTo": [{"arn": ALICE}],
    }  # fmt: skip
    assert boundary == {
        "type": "PERMISSIONS_BOUNDARY", "inline": False, "uri": limit, "attachedTo": [{"arn": ALICE}],
    }  # fmt: skip
    assert answer["requestContext"]["aws:PrincipalArn"] == ALICE
    # the same checks as aws.why() and the trail hold
    (recorded,) = aws.trail.by_request_id(aws.why().event.request_id).evaluations  # type: ignore[union-attr]
    assert [check["evaluatedEffect"] for check in evaluation["checks"]] == [c.effect for c in recorded.checks]


def test_control_policies_are_told_level_by_level(aws: Cloud, dev: Any, iam: Any) -> None:
    organizations = dev.admin.client("organizations")
    organizations.create_organization()
    root = organizations.list_roots()["Roots"][0]
    unit = organizations.create_organizational_unit(ParentId=root["Id"], Name="apps")["OrganizationalUnit"]
    member = aws.account("member", organization=dev)
    organizations.move_account(AccountId=member.id, SourceParentId=root["Id"], DestinationParentId=unit["Id"])
    content = document(deny("iam:ListUsers"))
    scp = organizations.create_policy(Name="no", Description="", Type="SERVICE_CONTROL_POLICY", Content=content)
    scp_arn = scp["Policy"]["PolicySummary"]["Arn"]
    organizations.attach_policy(PolicyId=scp["Policy"]["PolicySummary"]["Id"], TargetId=unit["Id"])
    found = denied(aws, member.admin.client("iam").list_users)
    answer = details(member, found)
    levels = [check for check in answer["evaluations"][0]["checks"] if check["checkType"] == "SERVICE_CONTROL_POLICY"]
    account = next(a["Arn"] for a in organizations.list_accounts()["Accounts"] if a["Id"] == member.id)
    assert [check["targetArn"] for check in levels] == [root["Arn"], unit["Arn"], account]
    assert [check["evaluatedEffect"] for check in levels] == ["ALLOW", "EXPLICIT_DENY", "ALLOW"]
    full = next(info for info in answer["policies"] if "FullAWSAccess" in info["uri"])
    assert [place["arn"] for place in full["attachedTo"]] == [root["Arn"], unit["Arn"], account]
    client = dev.admin.client("iam-toolbox")  # anybody of the organization may look
    shown = client.get_request_authorization_policy(authorizationId=found, policyUri=scp_arn)["policyDocument"]
    assert shown == json.loads(content)


def test_a_policy_is_shown_as_it_was(aws: Cloud, dev: Any, iam: Any) -> None:
    alice = new_user(aws, iam, "alice", allow("s3:*"))
    found = denied(aws, alice.client("iam").list_users)
    iam.put_user_policy(UserName="alice", PolicyName="inline", PolicyDocument=document(allow("iam:*")))
    uri = details(dev, found)["policies"][0]["uri"]
    toolbox = dev.admin.client("iam-toolbox")
    shown = toolbox.get_request_authorization_policy(authorizationId=found, policyUri=uri)["policyDocument"]
    assert shown["Statement"] == [allow("s3:*")]
    unknown = refused(lambda: toolbox.get_request_authorization_policy(authorizationId=found, policyUri="other"))
    assert unknown[0] == "ResourceNotFoundException"


def test_several_evaluations_share_a_context(aws: Cloud, dev: Any, iam: Any) -> None:
    service = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName="web", AssumeRolePolicyDocument=document(service))
    iam.create_instance_profile(InstanceProfileName="web")
    alice = new_user(aws, iam, "alice", allow("iam:AddRoleToInstanceProfile"))
    found = denied(
        aws, lambda: alice.client("iam").add_role_to_instance_profile(InstanceProfileName="web", RoleName="web")
    )
    first, second = details(dev, found)["evaluations"]
    assert (first["action"], first["evaluatedEffect"]) == ("iam:AddRoleToInstanceProfile", "ALLOW")
    assert (second["action"], second["evaluatedEffect"]) == ("iam:PassRole", "IMPLICIT_DENY")
    assert second["context"] == {"iam:PassedToService": "ec2.amazonaws.com"}


# -- who may ask, and until when ---------------------------------------------------------------------------------------

GONE = "ResourceNotFoundException"


def test_asking_needs_a_permission_of_its_own(aws: Cloud, dev: Any, iam: Any) -> None:
    alice = new_user(aws, iam, "alice")
    found = denied(aws, alice.client("iam").list_users)
    ask = lambda: alice.client("iam-toolbox").get_request_authorization_details(authorizationId=found)  # noqa: E731
    code, text = refused(ask)
    assert code == "AccessDeniedException"
    assert "is not authorized to perform: iam:GetRequestAuthorizationDetails" in text
    permission = document(allow("iam:GetRequestAuthorizationDetails"))
    iam.put_user_policy(UserName="alice", PolicyName="ask", PolicyDocument=permission)
    assert ask()["evaluations"]


def test_details_are_kept_for_a_day_in_their_region_and_from_strangers(aws: Cloud, dev: Any, iam: Any) -> None:
    found = denied(aws, new_user(aws, iam, "alice").client("iam").list_users)
    elsewhere = dev.admin.client("iam-toolbox", region_name="eu-west-1")
    assert refused(lambda: elsewhere.get_request_authorization_details(authorizationId=found))[0] == GONE
    assert refused(lambda: details(aws.account("stranger"), found))[0] == GONE
    assert refused(lambda: details(dev, "a1b2c3"))[0] == GONE
    aws.clock.advance(hours=23)
    assert details(dev, found)["evaluations"]
    aws.clock.advance(hours=2)
    assert refused(lambda: details(dev, found))[0] == GONE


@pytest.mark.parametrize("given", [{"authorizationId": "NOT-AN-ID"}, {"nextToken": "x"}, {"nextToken": "7"}])
def test_what_is_malformed_is_refused(aws: Cloud, dev: Any, iam: Any, given: dict[str, str]) -> None:
    found = denied(aws, new_user(aws, iam, "alice").client("iam").list_users)
    toolbox = dev.admin.client("iam-toolbox")
    said = refused(lambda: toolbox.get_request_authorization_details(**{"authorizationId": found, **given}))
    assert said[0] == "ValidationException"
