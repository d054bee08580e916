"""Two accounts of an organization, and everybody in them who could ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from simlib import Cloud

from ..conftest import allow, deny, document, new_user, trust

BUCKET = "arn:aws:s3:::reports"
FILE = f"{BUCKET}/a.csv"
DEV, PROD = "111111111111", "222222222222"
ALICE, BOB = f"arn:aws:iam::{DEV}:user/alice", f"arn:aws:iam::{DEV}:user/bob"
READER = f"arn:aws:iam::{DEV}:role/team/reader"
EC2 = "ec2.amazonaws.com"


@dataclass
class World:
    """Two accounts of an organization, and the identities in them, signed in."""

    aws: Cloud
    who: dict[str, Any]

    @property
    def inspect(self) -> Any:
        return self.aws.inspect


@pytest.fixture
def world(aws: Cloud) -> World:
    dev = aws.account("dev")
    dev.admin.client("organizations").create_organization()
    prod = aws.account("prod", organization=dev)
    iam, s3 = dev.admin.client("iam"), dev.admin.client("s3")
    s3.create_bucket(Bucket="reports")
    s3.put_object(Bucket="reports", Key="a.csv", Body=b"1", Tagging="team=blue")
    alice = new_user(aws, iam, "alice", allow("s3:GetObject"), allow("sts:AssumeRole"))
    iam.create_group(GroupName="developers")
    iam.put_group_policy(
        GroupName="developers", PolicyName="list", PolicyDocument=document(allow("s3:ListBucket", BUCKET))
    )
    iam.add_user_to_group(GroupName="developers", UserName="alice")
    bob = new_user(aws, iam, "bob")
    cage = iam.create_policy(PolicyName="cage", PolicyDocument=document(allow("s3:GetObject")))["Policy"]["Arn"]
    carol = new_user(aws, iam, "carol", allow("*"))
    iam.put_user_permissions_boundary(UserName="carol", PermissionsBoundary=cage)
    wants = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    dave = new_user(
        aws, iam, "dave", allow("s3:*"), deny("s3:GetObject", Condition={"Null": {"aws:TokenIssueTime": "true"}})
    )
    erin = new_user(aws, iam, "erin", allow("s3:*", Condition=wants))
    iam.create_role(RoleName="reader", Path="/team/", AssumeRolePolicyDocument=trust({"AWS": [ALICE, PROD]}))
    iam.put_role_policy(RoleName="reader", PolicyName="read", PolicyDocument=document(allow("s3:*")))
    policy = document(
        {**allow("s3:GetObject", f"{BUCKET}/*"), "Principal": {"AWS": BOB}},
        {**allow("s3:GetObject", f"{BUCKET}/*"), "Principal": {"AWS": PROD}},
        {**deny("s3:DeleteBucket", BUCKET), "Principal": "*"},
    )
    s3.put_bucket_policy(Bucket="reports", Policy=policy)
    frank = new_user(aws, prod.admin.client("iam"), "frank", allow("s3:GetObject"), allow("sts:AssumeRole"))
    grace = new_user(aws, prod.admin.client("iam"), "grace")
    sts = alice.client("sts")
    narrow = document(allow("s3:ListBucket"))
    return World(
        aws,
        {
            "alice": alice, "bob": bob, "carol": carol, "dave": dave, "erin": erin, "frank": frank, "grace": grace,
            "root": dev.root, "administrator": dev.admin, "the other administrator": prod.admin,
            "a session": aws.sign_in(sts.assume_role(RoleArn=READER, RoleSessionName="first")),
            "a narrowed session": aws.sign_in(
                sts.assume_role(RoleArn=READER, RoleSessionName="narrow", Policy=narrow)
            ),
            "a user's session": aws.sign_in(sts.get_session_token()),
            "dave's session": aws.sign_in(dave.client("sts").get_session_token()),
        },
    )  # fmt: skip
