"""Two tutorials of AWS's IAM User Guide, call by call; what each of their sentences promises is asserted behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest

from simlib import Cloud

from .conftest import allow, deny, document, refused, trust

BUCKET = "amzn-s3-demo-bucket-shared-container"
POWER_USER = "arn:aws:iam::aws:policy/PowerUserAccess"


class CrossAccount:
    """The two accounts of the first tutorial, with what its prerequisites ask for."""

    def __init__(self, aws: Cloud) -> None:
        self.aws = aws
        self.originating, self.destination = aws.account("originating"), aws.account("destination")
        self.role = f"arn:aws:iam::{self.destination.id}:role/UpdateData"
        iam = self.originating.admin.client("iam")
        self.people: dict[str, Any] = {}
        for group, person in (("Developers", "David"), ("Analysts", "Jane")):
            iam.create_group(GroupName=group)
            iam.attach_group_policy(GroupName=group, PolicyArn=POWER_USER)
            iam.create_user(UserName=person)
            iam.add_user_to_group(GroupName=group, UserName=person)
            self.people[person] = aws.sign_in(iam.create_access_key(UserName=person))
        self.destination.admin.client("s3").create_bucket(Bucket=BUCKET)

    def step_1_create_a_role(self) -> None:
        iam = self.destination.admin.client("iam")
        read_write = document(
            allow("s3:ListAllMyBuckets"),
            allow(["s3:ListBucket", "s3:GetBucketLocation"], f"arn:aws:s3:::{BUCKET}"),
            allow(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], f"arn:aws:s3:::{BUCKET}/*"),
        )
        policy = iam.create_policy(PolicyName="read-write-app-bucket", PolicyDocument=read_write)["Policy"]
        account = {"AWS": f"arn:aws:iam::{self.originating.id}:root"}
        iam.create_role(RoleName="UpdateData", AssumeRolePolicyDocument=trust(account))
        iam.attach_role_policy(RoleName="UpdateData", PolicyArn=policy["Arn"])
        assert iam.get_role(RoleName="UpdateData")["Role"]["Arn"] == self.role

    def step_2_grant_access_to_the_role(self) -> None:
        iam = self.originating.admin.client("iam")
        for group, effect in (("Developers", allow), ("Analysts", deny)):
            name = f"{effect.__name__}-assume-S3-role-in-production"
            text = document(effect("sts:AssumeRole", self.role))
            iam.put_group_policy(GroupName=group, PolicyName=name, PolicyDocument=text)

    def switch(self, person: str) -> Any:
        client = self.people[person].client("sts")
        return self.aws.sign_in(client.assume_role(RoleArn=self.role, RoleSessionName=f"{person}-ProductionUpdate"))


@pytest.fixture
def tutorial(aws: Cloud) -> CrossAccount:
    told = CrossAccount(aws)
    told.step_1_create_a_role()
    told.step_2_grant_access_to_the_role()
    return told


def test_delegate_access_across_accounts_using_roles(tutorial: CrossAccount) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/tutorial_cross-account-with-roles.html"""
    david = tutorial.people["David"]
    assert refused(lambda: david.client("s3").list_objects_v2(Bucket=BUCKET))[0] == "AccessDenied"
    updater = tutorial.switch("David")
    s3 = updater.client("s3")
    s3.put_object(Bucket=BUCKET, Key="data.csv", Body=b"new")
    assert s3.get_object(Bucket=BUCKET, Key="data.csv")["Body"].read() == b"new"
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == [BUCKET]
    # with only read and write access to the bucket, any other action in the destination account is denied …
    assert refused(updater.client("dynamodb").list_tables)[0] == "AccessDeniedException"
    assert refused(lambda: s3.delete_bucket(Bucket=BUCKET))[0] == "AccessDenied"
    # … and his power-user privileges at home are not in effect in the session, though they are beside it
    arn = updater.client("sts").get_caller_identity()["Arn"]
    assert arn == f"arn:aws:sts::{tutorial.destination.id}:assumed-role/UpdateData/David-ProductionUpdate"
    assert david.client("dynamodb").list_tables()["TableNames"] == []


def test_an_analyst_tries_the_role_and_fails(tutorial: CrossAccount) -> None:
    code, text = refused(lambda: tutorial.switch("Jane"))
    jane = f"arn:aws:iam::{tutorial.originating.id}:user/Jane"
    assert code == "AccessDenied"
    assert text == f"User: {jane} is not authorized to perform: sts:AssumeRole on resource: {tutorial.role}"
    # the deny is what keeps her out: power users may assume roles, the tutorial says
    iam = tutorial.originating.admin.client("iam")
    iam.delete_group_policy(GroupName="Analysts", PolicyName="deny-assume-S3-role-in-production")
    assert tutorial.switch("Jane")


def test_the_tutorial_by_a_profile_that_assumes_the_role(
    tutorial: CrossAccount, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A profile with `role_arn` and `source_profile` makes the SDK call AssumeRole itself, and renew what it got."""
    david = tutorial.people["David"]
    config, credentials = tmp_path / "config", tmp_path / "credentials"
    config.write_text(
        f"[profile production]\nrole_arn = {tutorial.role}\nsource_profile = david\nregion = us-east-1\n",
        encoding="utf-8",
    )
    secret = f"aws_access_key_id = {david.access_key_id}\naws_secret_access_key = {david.secret_access_key}\n"
    credentials.write_text(f"[david]\n{secret}", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    session = boto3.Session(profile_name="production")
    s3 = session.client("s3")
    assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0
    first = session.get_credentials().get_frozen_credentials()
    keys = (first.access_key, first.secret_key, first.token)
    pasted = boto3.Session(*keys, region_name="us-east-1").client("s3")
    tutorial.aws.clock.advance(hours=2)
    assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0
    assert session.get_credentials().get_frozen_credentials().access_key != first.access_key
    assert refused(lambda: pasted.list_objects_v2(Bucket=BUCKET))[0] == "ExpiredToken"  # pasted ones do not renew
    assert [e.operation for e in tutorial.aws.trail if e.service == "sts"] == ["AssumeRole", "AssumeRole"]


# -- delegating responsibility to others using permissions boundaries --------------------------------------------------


class XCompany:
    """María's account after her three tasks, and Zhang in it."""

    def __init__(self, aws: Cloud) -> None:
        self.aws, self.account = aws, aws.account("x-company")
        self.iam = self.account.admin.client("iam")
        self.iam.create_user(UserName="Maria")
        self.boundaries = self._managed("XCompanyBoundaries", _company_boundaries())
        zhangs = self._managed("DelegatedUserBoundary", _delegated_boundary(self.account.id))
        self.iam.create_user(UserName="Zhang", PermissionsBoundary=zhangs)
        permissions = self._managed("DelegatedUserPermissions", _delegated_permissions())
        self.iam.attach_user_policy(UserName="Zhang", PolicyArn=permissions)
        self.zhang = aws.sign_in(self.iam.create_access_key(UserName="Zhang"))
        for bucket in ("logs-of-x-company", "zhang-bucket"):
            self.account.admin.client("s3").create_bucket(Bucket=bucket)

    def _managed(self, name: str, text: str) -> str:
        return str(self.iam.create_policy(PolicyName=name, PolicyDocument=text)["Policy"]["Arn"])

    def hire_nikhil(self) -> Any:
        iam = self.zhang.client("iam")
        iam.create_user(UserName="Nikhil", PermissionsBoundary=self.boundaries)
        for name in ("IAMFullAccess", "AmazonS3ReadOnlyAccess"):
            iam.attach_user_policy(UserName="Nikhil", PolicyArn=f"arn:aws:iam::aws:policy/{name}")
        return self.aws.sign_in(iam.create_access_key(UserName="Nikhil"))


def _company_boundaries() -> str:
    logs = ["arn:aws:s3:::logs-of-x-company", "arn:aws:s3:::logs-of-x-company/*"]
    own = ["iam:*AccessKey*", "iam:ChangePassword", "iam:GetUser", "iam:*ServiceSpecificCredential*",
           "iam:*SigningCertificate*"]  # fmt: skip
    return document(
        allow(["s3:*", "cloudwatch:*", "ec2:*", "dynamodb:*"], Sid="ServiceBoundaries"),
        allow(["iam:ListUsers", "iam:GetAccountPasswordPolicy"], Sid="AllowIAMConsoleForCredentials"),
        allow(own, ["arn:aws:iam::*:user/${aws:username}"], Sid="AllowManageOwnPasswordAndAccessKeys"),
        deny("s3:*", logs, Sid="DenyS3Logs"),
        deny("ec2:*", "arn:aws:ec2:*:*:instance/i-1234567890abcdef0", Sid="DenyEC2Production"),
    )


def _delegated_boundary(account: str) -> str:
    with_boundary = [f"iam:{name}" for name in ("CreateUser", "DeleteUserPolicy", "AttachUserPolicy",
                     "DetachUserPolicy", "PutUserPermissionsBoundary", "PutUserPolicy")]  # fmt: skip
    others = [f"iam:{name}" for name in (
        "GetUser", "ListUsers", "DeleteUser", "UpdateUser", "CreateAccessKey", "CreateLoginProfile",
        "GetAccountPasswordPolicy", "GetLoginProfile", "ListGroups", "ListGroupsForUser", "CreateGroup", "GetGroup",
        "DeleteGroup", "UpdateGroup", "CreatePolicy", "DeletePolicy", "DeletePolicyVersion", "GetPolicy",
        "GetPolicyVersion", "GetUserPolicy", "GetRolePolicy", "ListPolicies", "ListPolicyVersions",
        "ListEntitiesForPolicy", "ListUserPolicies", "ListAttachedUserPolicies", "ListRolePolicies",
        "ListAttachedRolePolicies", "SetDefaultPolicyVersion", "SimulatePrincipalPolicy", "SimulateCustomPolicy",
    )]  # fmt: skip
    root = f"arn:aws:iam::{account}"
    edits = [f"iam:{name}" for name in ("CreatePolicyVersion", "DeletePolicy", "DeletePolicyVersion",
                                        "SetDefaultPolicyVersion")]  # fmt: skip
    only = {"StringEquals": {"iam:PermissionsBoundary": f"{root}:policy/XCompanyBoundaries"}}
    but_maria = {"Sid": "CloudWatchAndOtherIAMTasks", "Effect": "Allow", "Action": ["cloudwatch:*", *others],
                 "NotResource": f"{root}:user/Maria"}  # fmt: skip
    return document(
        allow(with_boundary, Sid="CreateOrChangeOnlyWithBoundary", Condition=only),
        but_maria,
        deny(edits, [f"{root}:policy/XCompanyBoundaries", f"{root}:policy/DelegatedUserBoundary"],
             Sid="NoBoundaryPolicyEdit"),
        deny("iam:DeleteUserPermissionsBoundary", Sid="NoBoundaryUserDelete"),
    )  # fmt: skip


def _delegated_permissions() -> str:
    metrics = [f"cloudwatch:{name}" for name in ("GetDashboard", "GetMetricData", "ListDashboards",
                                                 "GetMetricStatistics", "ListMetrics")]  # fmt: skip
    return document(
        allow("iam:*", Sid="IAM"),
        allow(metrics, Sid="CloudWatchLimited"),
        allow("s3:ListBucket", "arn:aws:s3:::zhang-bucket", Sid="S3BucketContents"),
    )


@pytest.fixture
def company(aws: Cloud) -> XCompany:
    return XCompany(aws)


def test_zhang_creates_users_only_with_the_companys_boundary(company: XCompany) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html#access_policies_boundaries-delegate"""
    iam = company.zhang.client("iam")
    code, text = refused(lambda: iam.create_user(UserName="Nikhil"))  # he forgets María's instructions
    assert code == "AccessDenied"
    assert text.endswith("because no permissions boundary allows the iam:CreateUser action")
    company.hire_nikhil()
    boundary = iam.get_user(UserName="Nikhil")["User"]["PermissionsBoundary"]
    assert boundary["PermissionsBoundaryArn"] == company.boundaries


FORBIDDEN: dict[str, Callable[[Any, XCompany], Any]] = {
    "edit the boundary": lambda iam, it: iam.create_policy_version(
        PolicyArn=it.boundaries, PolicyDocument=document(allow("*")), SetAsDefault=True
    ),
    "delete the boundary's policy": lambda iam, it: iam.delete_policy(PolicyArn=it.boundaries),
    "take a boundary off": lambda iam, it: iam.delete_user_permissions_boundary(UserName="Nikhil"),
    "take his own off": lambda iam, it: iam.delete_user_permissions_boundary(UserName="Zhang"),
    "set another boundary": lambda iam, it: iam.put_user_permissions_boundary(
        UserName="Nikhil", PermissionsBoundary="arn:aws:iam::aws:policy/AdministratorAccess"
    ),
    "touch Maria": lambda iam, it: iam.create_access_key(UserName="Maria"),
    "give himself a policy": lambda iam, it: iam.put_user_policy(
        UserName="Zhang", PolicyName="more", PolicyDocument=document(allow("*"))
    ),
    "create a role": lambda iam, it: iam.create_role(
        RoleName="r", AssumeRolePolicyDocument=trust({"AWS": it.account.id})
    ),
}


@pytest.mark.parametrize("attempt", FORBIDDEN)
def test_zhang_cannot(company: XCompany, attempt: str) -> None:
    company.hire_nikhil()
    assert refused(lambda: FORBIDDEN[attempt](company.zhang.client("iam"), company))[0] == "AccessDenied"


def test_zhang_is_limited_by_both_his_policy_and_his_boundary(company: XCompany) -> None:
    assert "Metrics" in company.zhang.client("cloudwatch").list_metrics()
    alarms = refused(company.zhang.client("cloudwatch").describe_alarms)[1]
    assert "no identity-based policy allows" in alarms  # the boundary would
    listing = refused(lambda: company.zhang.client("s3").list_objects_v2(Bucket="zhang-bucket"))[1]
    assert "no permissions boundary allows" in listing  # his policy would


def test_nikhil_has_iam_and_s3_within_the_boundary(company: XCompany) -> None:
    nikhil = company.hire_nikhil()
    iam, s3 = nikhil.client("iam"), nikhil.client("s3")
    assert len(iam.list_users()["Users"]) >= 3
    iam.create_access_key()  # his own
    assert refused(lambda: iam.create_access_key(UserName="Zhang"))[0] == "AccessDenied"
    assert refused(lambda: iam.create_user(UserName="other"))[0] == "AccessDenied"
    assert refused(lambda: iam.delete_user_permissions_boundary(UserName="Nikhil"))[0] == "AccessDenied"
    assert len(s3.list_buckets()["Buckets"]) == 2  # read-only access to S3 …
    s3.list_objects_v2(Bucket="zhang-bucket")
    assert refused(lambda: s3.put_object(Bucket="zhang-bucket", Key="a", Body=b""))[0] == "AccessDenied"
    assert (
        "explicit deny in a permissions boundary" in refused(lambda: s3.list_objects_v2(Bucket="logs-of-x-company"))[1]
    )


def test_a_resource_policy_reaches_past_the_boundarys_silence_not_past_its_deny(company: XCompany) -> None:
    nikhil = company.hire_nikhil()
    owner = company.account.admin
    him = {"AWS": f"arn:aws:iam::{company.account.id}:user/Nikhil"}
    let = document(allow("s3:PutObject", "arn:aws:s3:::logs-of-x-company/*", Principal=him))
    owner.client("s3").put_bucket_policy(Bucket="logs-of-x-company", Policy=let)
    put = refused(lambda: nikhil.client("s3").put_object(Bucket="logs-of-x-company", Key="a", Body=b""))
    assert "explicit deny in a permissions boundary" in put[1]
    secrets = owner.client("secretsmanager")
    arn = secrets.create_secret(Name="plan", SecretString="x")["ARN"]
    read = lambda: nikhil.client("secretsmanager").get_secret_value(SecretId=arn)  # noqa: E731
    assert refused(read)[0] == "AccessDeniedException"
    secrets.put_resource_policy(
        SecretId=arn, ResourcePolicy=document(allow("secretsmanager:GetSecretValue", "*", Principal=him))
    )
    assert read()["SecretString"] == "x"
