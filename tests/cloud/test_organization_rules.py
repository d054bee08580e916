"""What Organizations refuses: calls of members and outsiders, and changes its tree does not bear."""

from __future__ import annotations

from typing import Any

import pytest

from simlib import Cloud

from .conftest import allow, deny, document, refused
from .test_organizations import new_policy, new_unit

SCP, RCP = "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"


@pytest.fixture
def organizations(aws: Cloud) -> Any:
    management = aws.account("management").admin.client("organizations")
    management.create_organization()
    return management


@pytest.fixture
def member(aws: Cloud, organizations: Any) -> Any:
    return aws.account("member", organization=aws.account("management"))


def test_a_member_asks_where_it_belongs_and_manages_nothing(aws: Cloud, member: Any) -> None:
    client = member.admin.client("organizations")
    assert client.describe_organization()["Organization"]["MasterAccountId"] == "111111111111"
    said = refused(client.list_accounts)
    assert said == ("AccessDeniedException", "You don't have permissions to access this resource.")
    outside = aws.account("outside").admin.client("organizations")
    assert refused(outside.list_accounts) == (
        "AWSOrganizationsNotInUseException", "Your account is not a member of an organization."
    )  # fmt: skip
    assert refused(lambda: new_policy(outside, SCP, allow("*")))[0] == "AWSOrganizationsNotInUseException"


def test_a_policy_that_is_updated_is_checked_as_a_new_one_is(organizations: Any, member: Any) -> None:
    policy = new_policy(organizations, SCP, allow("*"))
    organizations.attach_policy(PolicyId=policy, TargetId=member.id)
    for broken in ("{", document({"Effect": "Allow", "Action": "s3:*"})):
        said = refused(lambda text=broken: organizations.update_policy(PolicyId=policy, Content=text))  # type: ignore[misc]
        assert said[0] == "MalformedPolicyDocumentException"
    assert member.admin.client("s3").list_buckets()["Buckets"] == []
    root = organizations.list_roots()["Roots"][0]["Id"]
    organizations.enable_policy_type(RootId=root, PolicyType=RCP)
    ceiling = new_policy(organizations, RCP, {**deny("s3:*"), "Principal": "*"})
    said = refused(lambda: organizations.update_policy(PolicyId=ceiling, Content=document(deny("s3:*"))))
    assert said[0] == "MalformedPolicyDocumentException"


def test_attaching_and_detaching_have_their_rules(organizations: Any, member: Any) -> None:
    policy = new_policy(organizations, SCP, deny("s3:*"))
    here = {"PolicyId": policy, "TargetId": member.id}
    assert refused(lambda: organizations.detach_policy(**here))[0] == "PolicyNotAttachedException"
    organizations.attach_policy(**here)
    assert refused(lambda: organizations.attach_policy(**here))[0] == "DuplicatePolicyAttachmentException"
    organizations.detach_policy(**here)
    last = {"PolicyId": "p-FullAWSAccess", "TargetId": member.id}
    assert refused(lambda: organizations.detach_policy(**last))[0] == "ConstraintViolationException"
    assert refused(lambda: organizations.update_policy(PolicyId="p-FullAWSAccess", Name="x"))[0] == (
        "InvalidInputException"
    )


def test_the_tree_has_its_rules(organizations: Any, member: Any) -> None:
    root, unit = organizations.list_roots()["Roots"][0]["Id"], new_unit(organizations)
    assert refused(lambda: new_unit(organizations))[0] == "DuplicateOrganizationalUnitException"

    def move(source: str, destination: str) -> Any:
        return lambda: organizations.move_account(
            AccountId=member.id, SourceParentId=source, DestinationParentId=destination
        )

    assert refused(move(unit, root))[0] == "SourceParentNotFoundException"
    assert refused(move(root, "ou-none-00000000"))[0] == "DestinationParentNotFoundException"
    assert refused(move(root, root))[0] == "DuplicateAccountException"
    move(root, unit)()
    said = refused(lambda: organizations.delete_organizational_unit(OrganizationalUnitId=unit))
    assert said[0] == "OrganizationalUnitNotEmptyException"
