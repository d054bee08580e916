"""Organizations: accounts inside and outside, control policies at every level, and the keys that name them.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from simlib import Cloud

from .conftest import allow, deny, document, new_user, refused

BUCKET = "shared-reports"


@pytest.fixture
def management(aws: Cloud) -> Any:
    account = aws.account("management")
    account.admin.client("organizations").create_organization()
    return account


@pytest.fixture
def organizations(management: Any) -> Any:
    return management.admin.client("organizations")


def new_unit(organizations: Any, name: str = "workloads") -> str:
    root = organizations.list_roots()["Roots"][0]["Id"]
    return str(organizations.create_organizational_unit(ParentId=root, Name=name)["OrganizationalUnit"]["Id"])


def new_policy(organizations: Any, kind: str, *statements: Any) -> str:
    answer = organizations.create_policy(Content=document(*statements), Description="", Name=f"p-{kind}", Type=kind)
    return str(answer["Policy"]["PolicySummary"]["Id"])


def move(organizations: Any, account: Any, unit: str) -> None:
    root = organizations.list_roots()["Roots"][0]["Id"]
    organizations.move_account(AccountId=account.id, SourceParentId=root, DestinationParentId=unit)


def test_an_account_created_in_the_organization_is_found_by_its_name(aws: Cloud, organizations: Any) -> None:
    created = organizations.create_account(AccountName="prod", Email="prod@example.com")["CreateAccountStatus"]
    prod = aws.account("prod")
    assert prod.id == created["AccountId"] == "222222222222"
    assert {a["Id"] for a in organizations.list_accounts()["Accounts"]} == {"111111111111", "222222222222"}


def test_the_management_account_gets_in_by_the_access_role(aws: Cloud, management: Any, organizations: Any) -> None:
    organizations.create_account(AccountName="prod", Email="prod@example.com")
    arn = "arn:aws:iam::222222222222:role/OrganizationAccountAccessRole"
    answer = management.admin.client("sts").assume_role(RoleArn=arn, RoleSessionName="visit")
    assert "Users" in aws.sign_in(answer).client("iam").list_users()


def test_an_account_can_join_and_one_without_organization_cannot_take_members(aws: Cloud, management: Any) -> None:
    dev = aws.account("dev", organization=management)
    assert dev.admin.client("organizations").describe_organization()["Organization"]["MasterAccountId"] == management.id
    with pytest.raises(ValueError, match="has no organization yet"):
        aws.account("lonely", organization=aws.account("outsider"))


def test_an_account_that_is_there_already_can_join_later_and_keeps_its_number(aws: Cloud) -> None:
    dev, office = aws.account("dev"), aws.account("head-office")
    organizations = office.admin.client("organizations")
    organizations.create_organization()
    for _ in range(2):  # a member stays one
        assert aws.account("dev", organization=office) is dev
    assert sorted(a["Id"] for a in organizations.list_accounts()["Accounts"]) == [dev.id, office.id]
    other = aws.account("other")
    other.admin.client("organizations").create_organization()
    with pytest.raises(ValueError, match="another organization"):
        aws.account("dev", organization=other)


def test_an_scp_must_allow_at_every_level(aws: Cloud, management: Any, organizations: Any) -> None:
    dev = aws.account("dev", organization=management)
    unit = new_unit(organizations)
    move(organizations, dev, unit)
    s3, ec2 = dev.admin.client("s3"), dev.admin.client("ec2")
    s3.list_buckets()
    only_s3 = new_policy(organizations, "SERVICE_CONTROL_POLICY", allow("s3:*"))
    organizations.attach_policy(PolicyId=only_s3, TargetId=unit)
    ec2.describe_instances()  # FullAWSAccess is still attached beside it
    organizations.detach_policy(PolicyId="p-FullAWSAccess", TargetId=unit)
    s3.list_buckets()
    code, text = refused(ec2.describe_instances)
    assert code == "UnauthorizedOperation"
    assert "because no service control policy allows the ec2:DescribeInstances action" in text


def test_an_scp_grants_nothing_by_itself(aws: Cloud, management: Any) -> None:
    dev = aws.account("dev", organization=management)
    alice = new_user(aws, dev.admin.client("iam"), "alice")
    assert "no identity-based policy allows" in refused(alice.client("s3").list_buckets)[1]


def test_an_scp_denies_even_an_administrator_but_not_in_the_management_account(
    aws: Cloud, management: Any, organizations: Any
) -> None:
    dev = aws.account("dev", organization=management)
    root = organizations.list_roots()["Roots"][0]["Id"]
    no_s3 = new_policy(organizations, "SERVICE_CONTROL_POLICY", deny("s3:*"))
    organizations.attach_policy(PolicyId=no_s3, TargetId=root)
    assert "explicit deny in a service control policy" in refused(dev.admin.client("s3").list_buckets)[1]
    management.admin.client("s3").list_buckets()


def test_an_rcp_keeps_strangers_out_whatever_the_bucket_says(aws: Cloud, management: Any, organizations: Any) -> None:
    dev, outsider = aws.account("dev", organization=management), aws.account("outsider")
    s3 = dev.admin.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.delete_public_access_block(Bucket=BUCKET)
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{BUCKET}"}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=document(everybody))
    outsider.admin.client("s3").list_objects_v2(Bucket=BUCKET)
    root = organizations.list_roots()["Roots"][0]["Id"]
    organization_id = organizations.describe_organization()["Organization"]["Id"]
    ours = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": "*",
        "Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": organization_id}},
    }
    rcp = new_policy(organizations, "RESOURCE_CONTROL_POLICY", ours)
    attach = lambda: organizations.attach_policy(PolicyId=rcp, TargetId=root)  # noqa: E731
    assert refused(attach)[0] == "PolicyTypeNotEnabledException"
    organizations.enable_policy_type(RootId=root, PolicyType="RESOURCE_CONTROL_POLICY")
    attach()
    assert refused(lambda: outsider.admin.client("s3").list_objects_v2(Bucket=BUCKET))[0] == "AccessDenied"
    s3.list_objects_v2(Bucket=BUCKET)


@pytest.mark.parametrize("key", ["aws:PrincipalOrgID", "aws:PrincipalOrgPaths"])
def test_a_bucket_can_be_shared_with_an_organization(aws: Cloud, management: Any, organizations: Any, key: str) -> None:
    dev, friend = aws.account("dev", organization=management), aws.account("friend", organization=management)
    outsider = aws.account("outsider")
    unit = new_unit(organizations)
    move(organizations, friend, unit)
    s3 = dev.admin.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    organization_id = organizations.describe_organization()["Organization"]["Id"]
    root = organizations.list_roots()["Roots"][0]["Id"]
    condition = (
        {"StringEquals": {key: organization_id}}
        if key.endswith("ID")
        else {"ForAnyValue:StringLike": {key: f"{organization_id}/{root}/{unit}/*"}}
    )
    shared = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:ListBucket",
        "Resource": f"arn:aws:s3:::{BUCKET}",
        "Condition": condition,
    }
    s3.put_bucket_policy(Bucket=BUCKET, Policy=document(shared))
    friend.admin.client("s3").list_objects_v2(Bucket=BUCKET)
    assert refused(lambda: outsider.admin.client("s3").list_objects_v2(Bucket=BUCKET)) == (
        "AccessDenied",
        "Access Denied",
    )


def test_a_malformed_control_policy_is_refused(organizations: Any) -> None:
    allowing = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    said = refused(lambda: new_policy(organizations, "RESOURCE_CONTROL_POLICY", allowing))
    assert said[0] == "MalformedPolicyDocumentException"


def test_a_new_world_knows_nothing_of_the_old_organization(aws: Cloud, management: Any) -> None:
    aws.account("dev", organization=management)
    with Cloud.start() as fresh:
        fresh.account("one")
        client = fresh.account("two").admin.client("organizations")
        assert refused(client.describe_organization)[0] == "AWSOrganizationsNotInUseException"


def test_calls_are_asked_on_what_their_ids_name(aws: Cloud, management: Any, organizations: Any) -> None:
    unit, policy = new_unit(organizations), new_policy(organizations, "SERVICE_CONTROL_POLICY", deny("s3:*"))
    arn = organizations.describe_policy(PolicyId=policy)["Policy"]["PolicySummary"]["Arn"]
    alice = new_user(aws, management.admin.client("iam"), "alice", allow("organizations:DescribePolicy", arn))
    client = alice.client("organizations")
    assert client.describe_policy(PolicyId=policy)["Policy"]["PolicySummary"]["Arn"] == arn
    said = refused(lambda: client.describe_organizational_unit(OrganizationalUnitId=unit))[1]
    assert re.search(rf"on resource: arn:aws:organizations::\d+:ou/o-\w+/{unit} because no identity-based", said)


def test_a_member_is_told_of_the_resource_based_policy_that_could_delegate(
    aws: Cloud, management: Any, organizations: Any
) -> None:
    member = aws.account("member", organization=management)
    bob = new_user(aws, member.admin.client("iam"), "bob").client("organizations")
    said = refused(bob.list_accounts)[1]
    assert said.endswith("because no resource-based policy allows the organizations:ListAccounts action")
    assert "no identity-based policy" in refused(bob.leave_organization)[1]


def test_an_organization_keeps_its_id_from_world_to_world() -> None:
    """A learner copies it into a policy, and resets the step."""
    seen = []
    for _ in range(2):
        with Cloud.start() as aws:
            found = [aws.account(name).admin.client("organizations").create_organization() for name in ("a", "b")]
            office = aws.account("a").admin.client("organizations")
            assert office.describe_organization()["Organization"] == found[0]["Organization"]
            listed = [
                *office.list_accounts()["Accounts"],
                *office.list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"],
            ]
            assert all(found[0]["Organization"]["Id"] in each["Arn"] for each in listed if not each.get("AwsManaged"))
            seen.append([each["Organization"]["Id"] for each in found])
    assert seen[0] == seen[1]
    assert len({*seen[0]}) == 2
    assert all(re.fullmatch("o-[a-z0-9]{10,32}", each) for each in seen[0])
