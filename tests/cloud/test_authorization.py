"""Authorisation: what a call asks permission for, which policies answer, and AWS's words for a no.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from simlib import Cloud, PolicySet, Request, evaluate
from simlib.cloud.explain import in_words
from simlib.cloud.permissions.condition_keys import always
from simlib.cloud.permissions.permission import Permission

from .conftest import allow, deny, document, new_user, refused, trust

BUCKET = "my-secure-bucket"
BUCKET_ARN = f"arn:aws:s3:::{BUCKET}"
ALICE = "arn:aws:iam::111111111111:user/alice"


@pytest.fixture
def s3(dev: Any) -> Any:
    client = dev.admin.client("s3")
    client.create_bucket(Bucket=BUCKET)
    client.delete_public_access_block(Bucket=BUCKET)  # so that a policy may name everybody
    client.put_object(Bucket=BUCKET, Key="report.txt", Body=b"the report")
    client.put_object(Bucket=BUCKET, Key="private/diary.txt", Body=b"dear diary")
    return client


LIST: Callable[[Any], Any] = lambda client: client.list_objects_v2(Bucket=BUCKET)  # noqa: E731
READ: Callable[[Any], Any] = lambda client: client.get_object(Bucket=BUCKET, Key="report.txt")  # noqa: E731
WRITE: Callable[[Any], Any] = lambda client: client.put_object(Bucket=BUCKET, Key="new.txt", Body=b"x")  # noqa: E731

S3_CASES = [
    ("nothing is allowed that is not said", [], READ, "no identity-based policy allows the s3:GetObject action"),
    ("an allow on the object", [allow("s3:GetObject", f"{BUCKET_ARN}/*")], READ, None),
    ("the bucket is not its objects", [allow("s3:GetObject", BUCKET_ARN)], READ, "no identity-based policy"),
    ("listing is asked on the bucket", [allow("s3:ListBucket", BUCKET_ARN)], LIST, None),
    ("an object's ARN does not list", [allow("s3:ListBucket", f"{BUCKET_ARN}/*")], LIST, "s3:ListBucket"),
    ("actions are matched in any case", [allow("S3:getobject")], READ, None),
    ("resources are matched in their case", [allow("s3:*", f"arn:aws:s3:::{BUCKET.upper()}/*")], READ, "no identity"),
    ("a wildcard in the middle", [allow("s3:Get*ect", f"{BUCKET_ARN}/rep*.t?t")], READ, None),
    (
        "an explicit deny wins over an allow",
        [allow("*"), deny("s3:GetObject")],
        READ,
        "with an explicit deny in an identity-based policy",
    ),
    (
        "NotAction leaves out what it names",
        [{"Effect": "Allow", "NotAction": "s3:Get*", "Resource": "*"}],
        READ,
        "no i",
    ),
    ("NotAction allows the rest", [{"Effect": "Allow", "NotAction": "s3:Get*", "Resource": "*"}], WRITE, None),
    (
        "NotResource leaves out what it names",
        [{"Effect": "Allow", "Action": "s3:*", "NotResource": f"{BUCKET_ARN}/report.txt"}],
        READ,
        "no identity-based",
    ),
    (
        "StringLike on a prefix that was not given",
        [allow("s3:ListBucket", Condition={"StringLike": {"s3:prefix": "home/*"}})],
        LIST,
        "no identity-based",
    ),
    (
        "IfExists on a prefix that was not given",
        [allow("s3:ListBucket", Condition={"StringLikeIfExists": {"s3:prefix": "home/*"}})],
        LIST,
        None,
    ),
    (
        "from the office's address",
        [allow("s3:*", Condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})],
        READ,
        None,
    ),
    (
        "not from elsewhere",
        [allow("s3:*", Condition={"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}})],
        READ,
        "no identity-based",
    ),
    (
        "a date that has passed",
        [allow("s3:*", Condition={"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}})],
        READ,
        "no identity-based",
    ),
    (
        "an MFA deny with Bool lets access keys pass",
        [allow("s3:*"), deny("s3:*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "false"}})],
        READ,
        None,
    ),
    (
        "with BoolIfExists it catches them",
        [allow("s3:*"), deny("s3:*", Condition={"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}})],
        READ,
        "explicit deny",
    ),
    (
        "a data perimeter by S3's own key for the bucket's account",
        [allow("s3:*"), deny("s3:*", Condition={"StringNotEquals": {"s3:ResourceAccount": "111111111111"}})],
        READ,
        None,
    ),
    (
        "which keeps out of other accounts",
        [allow("s3:*"), deny("s3:*", Condition={"StringNotEquals": {"s3:ResourceAccount": "222222222222"}})],
        READ,
        "explicit deny",
    ),
    (
        "the TLS that every SDK of today speaks",
        [allow("s3:*", Condition={"NumericGreaterThanEquals": {"s3:TlsVersion": "1.2"}})],
        READ,
        None,
    ),
    (
        "Null says a key is absent",
        [allow("s3:*", Condition={"Null": {"aws:TokenIssueTime": "true"}})],
        READ,
        None,
    ),
]


@pytest.mark.parametrize(
    ("statements", "call", "refusal"), [case[1:] for case in S3_CASES], ids=[case[0] for case in S3_CASES]
)
def test_a_users_statements_decide(
    aws: Cloud, iam: Any, s3: Any, statements: list[Any], call: Callable[[Any], Any], refusal: str | None
) -> None:
    client = new_user(aws, iam, "alice", *statements).client("s3")
    if refusal is None:
        call(client)
        assert aws.trail[-1].decision == "ALLOW"
        return
    code, text = refused(lambda: call(client))
    assert code == "AccessDenied"
    assert refusal in text
    assert f"User: {ALICE} is not authorized to perform: s3:" in text


@pytest.mark.parametrize("how", ["inline", "attached", "aws-managed", "group-inline", "group-attached"])
def test_every_way_a_user_comes_by_a_policy_counts(aws: Cloud, iam: Any, s3: Any, how: str) -> None:
    alice = new_user(aws, iam, "alice")
    assert refused(lambda: READ(alice.client("s3")))[0] == "AccessDenied"
    text = document(allow("s3:Get*"))
    if how.startswith("group"):
        iam.create_group(GroupName="readers")
        iam.add_user_to_group(GroupName="readers", UserName="alice")
    if how == "inline":
        iam.put_user_policy(UserName="alice", PolicyName="p", PolicyDocument=text)
    elif how == "group-inline":
        iam.put_group_policy(GroupName="readers", PolicyName="p", PolicyDocument=text)
    elif how == "aws-managed":
        iam.attach_user_policy(UserName="alice", PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    else:
        arn = iam.create_policy(PolicyName="p", PolicyDocument=text)["Policy"]["Arn"]
        if how == "attached":
            iam.attach_user_policy(UserName="alice", PolicyArn=arn)
        else:
            iam.attach_group_policy(GroupName="readers", PolicyArn=arn)
    assert READ(alice.client("s3"))["Body"].read() == b"the report"


def test_a_managed_policys_default_version_counts(aws: Cloud, iam: Any, s3: Any) -> None:
    alice = new_user(aws, iam, "alice")
    arn = iam.create_policy(PolicyName="p", PolicyDocument=document(allow("s3:Get*")))["Policy"]["Arn"]
    iam.attach_user_policy(UserName="alice", PolicyArn=arn)
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(allow("ec2:*")), SetAsDefault=True)
    assert refused(lambda: READ(alice.client("s3")))[0] == "AccessDenied"
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    READ(alice.client("s3"))


def bucket_policy(effect: str, principal: Any, action: Any, resource: Any) -> str:
    return document({"Effect": effect, "Principal": principal, "Action": action, "Resource": resource})


BUCKET_CASES = [
    ("the user is named: that is enough", "Allow", {"AWS": ALICE}, [], True),
    ("the account is named: the user needs its own allow", "Allow", {"AWS": "111111111111"}, [], False),
    ("the account is named and the user allowed", "Allow", {"AWS": "111111111111"}, [allow("s3:GetObject")], True),
    ("everybody", "Allow", "*", [], True),
    ("a deny for the user", "Deny", {"AWS": ALICE}, [allow("s3:*")], False),
    ("a deny for somebody else", "Deny", {"AWS": "arn:aws:iam::111111111111:user/bob"}, [allow("s3:*")], True),
]


@pytest.mark.parametrize(
    ("effect", "principal", "statements", "works"),
    [case[1:] for case in BUCKET_CASES],
    ids=[case[0] for case in BUCKET_CASES],
)
def test_a_bucket_policy_speaks_too(
    aws: Cloud, iam: Any, s3: Any, effect: str, principal: Any, statements: list[Any], works: bool
) -> None:
    iam.create_user(UserName="bob")
    alice = new_user(aws, iam, "alice", *statements).client("s3")
    s3.put_bucket_policy(Bucket=BUCKET, Policy=bucket_policy(effect, principal, "s3:GetObject", f"{BUCKET_ARN}/*"))
    if works:
        READ(alice)
        return
    text = refused(lambda: READ(alice))[1]
    assert ("explicit deny in a resource-based policy" in text) == (effect == "Deny")


def test_a_stranger_reads_what_a_bucket_gives_to_everybody_and_nothing_else(aws: Cloud, s3: Any) -> None:
    stranger = boto3.client("s3", region_name="us-east-1", config=Config(signature_version=UNSIGNED))
    assert refused(lambda: READ(stranger)) == ("AccessDenied", "Access Denied")
    s3.put_bucket_policy(Bucket=BUCKET, Policy=bucket_policy("Allow", "*", "s3:GetObject", f"{BUCKET_ARN}/report.txt"))
    assert READ(stranger)["Body"].read() == b"the report"
    assert refused(lambda: LIST(stranger)) == ("AccessDenied", "Access Denied")


def test_why_says_a_special_rule_once() -> None:
    root, role = "arn:aws:iam::111111111111:root", "arn:aws:iam::111111111111:role/app"
    words = in_words(evaluate(Request(root, "sts:AssumeRole", role), PolicySet()))
    assert words.count("The root user cannot assume a role") == 1


def test_a_bucket_of_another_account_needs_both_sides_and_tells_no_reasons(aws: Cloud, iam: Any, s3: Any) -> None:
    partner = aws.account("partner")
    theirs = partner.admin.client("iam")
    carol = new_user(aws, theirs, "carol").client("s3")
    policy = bucket_policy("Allow", {"AWS": "arn:aws:iam::222222222222:user/carol"}, "s3:GetObject", f"{BUCKET_ARN}/*")
    s3.put_bucket_policy(Bucket=BUCKET, Policy=policy)
    assert refused(lambda: READ(carol)) == ("AccessDenied", "Access Denied")
    assert "an Allow is needed here" in str(aws.why())
    theirs.put_user_policy(UserName="carol", PolicyName="p", PolicyDocument=document(allow("s3:GetObject")))
    assert READ(carol)["Body"].read() == b"the report"


def test_copying_asks_for_reading_there_and_writing_here(aws: Cloud, iam: Any, s3: Any) -> None:
    copy = lambda client: client.copy_object(  # noqa: E731
        Bucket=BUCKET, Key="copy.txt", CopySource={"Bucket": BUCKET, "Key": "private/diary.txt"}
    )
    alice = new_user(aws, iam, "alice", allow("s3:PutObject")).client("s3")
    assert "s3:GetObject on resource" in refused(lambda: copy(alice))[1]
    bob = new_user(aws, iam, "bob", allow("s3:GetObject")).client("s3")
    assert "s3:PutObject on resource" in refused(lambda: copy(bob))[1]
    copy(new_user(aws, iam, "carol", allow(["s3:GetObject", "s3:PutObject"])).client("s3"))


def test_an_action_without_a_table_of_its_own_is_still_asked_for(aws: Cloud, iam: Any) -> None:
    client = new_user(aws, iam, "alice", allow("logs:Describe*")).client("logs")
    client.describe_log_groups()
    assert refused(lambda: client.create_log_group(logGroupName="x"))[0] == "AccessDeniedException"


def test_ids_carry_their_prefixes(aws: Cloud, iam: Any) -> None:
    trusted = trust({"Service": "ec2.amazonaws.com"})
    assert iam.create_user(UserName="u")["User"]["UserId"].startswith("AIDA")
    assert iam.create_group(GroupName="g")["Group"]["GroupId"].startswith("AGPA")
    assert iam.create_role(RoleName="r", AssumeRolePolicyDocument=trusted)["Role"]["RoleId"].startswith("AROA")
    profile = iam.create_instance_profile(InstanceProfileName="p")["InstanceProfile"]
    assert profile["InstanceProfileId"].startswith("AIPA")
    policy = iam.create_policy(PolicyName="p", PolicyDocument=document(allow("s3:*")))["Policy"]
    assert policy["PolicyId"].startswith("ANPA")


def test_a_services_own_keys_leave_out_an_account_that_is_not_known() -> None:
    read, own = "s3:GetObject", {"s3:TlsVersion": "1.3"}
    assert always(Permission(read, "arn:aws:s3:::b/k", "111111111111")) == {**own, "s3:ResourceAccount": "111111111111"}
    assert always(Permission(read, "arn:aws:s3:::b/k", "")) == own
    assert always(Permission("sqs:SendMessage", "*", "111111111111")) == {}
