"""AWS's refusals word for word, as boto3 raises them; those of a session's length and name: test_misconceptions."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import NoCredentialsError

from simlib import Cloud

from .conftest import allow, deny, document, new_user, refused, trust

ACCOUNT = "111111111111"
ALICE = f"arn:aws:iam::{ACCOUNT}:user/alice"
READER = f"arn:aws:iam::{ACCOUNT}:role/reader"
NOT_AUTHORIZED = f"User: {ALICE} is not authorized to perform: "


def assume(identity: Any, arn: str = READER, **more: Any) -> Any:
    return identity.client("sts").assume_role(RoleArn=arn, RoleSessionName="work", **more)


def reader(iam: Any, *statements: dict[str, Any], **more: Any) -> None:
    """The role reader, for everybody in the account who may assume roles."""
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument=trust({"AWS": ACCOUNT}), **more)
    if statements:
        iam.put_role_policy(RoleName="reader", PolicyName="p", PolicyDocument=document(*statements))


# -- no allow ------------------------------------------------------------------------------------------------------

NO_IDENTITY = "because no identity-based policy allows the {} action"
NO_ALLOW: list[tuple[str, Callable[[Any], Any], str, str]] = [
    # the service, the call, the code, the text after "User: ARN is not authorized to perform: "
    ("iam", lambda c: c.list_users(), "AccessDenied",
     f"iam:ListUsers on resource: arn:aws:iam::{ACCOUNT}:user/ {NO_IDENTITY.format('iam:ListUsers')}"),
    ("s3", lambda c: c.get_object(Bucket="notes", Key="a"), "AccessDenied",
     f's3:GetObject on resource: "arn:aws:s3:::notes/a" {NO_IDENTITY.format("s3:GetObject")}'),
    ("dynamodb", lambda c: c.describe_table(TableName="notes"), "AccessDeniedException",
     f"dynamodb:DescribeTable on resource: arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/notes "
     f"{NO_IDENTITY.format('dynamodb:DescribeTable')}"),
    ("lambda", lambda c: c.list_functions(), "AccessDeniedException",
     f"lambda:ListFunctions on resource: * {NO_IDENTITY.format('lambda:ListFunctions')}"),
    ("ec2", lambda c: c.allocate_address(), "UnauthorizedOperation",
     f"ec2:AllocateAddress on resource: arn:aws:ec2:us-east-1:{ACCOUNT}:elastic-ip/* "
     f"{NO_IDENTITY.format('ec2:AllocateAddress')}"),
    ("sns", lambda c: c.create_topic(Name="news"), "AuthorizationError",
     f"SNS:CreateTopic on resource: arn:aws:sns:us-east-1:{ACCOUNT}:news {NO_IDENTITY.format('SNS:CreateTopic')}"),
    ("sqs", lambda c: c.list_queues(), "AccessDenied",
     f"sqs:listqueues on resource: arn:aws:sqs:us-east-1:{ACCOUNT}: {NO_IDENTITY.format('sqs:listqueues')}"),
    ("secretsmanager", lambda c: c.list_secrets(), "AccessDeniedException",
     f"secretsmanager:ListSecrets {NO_IDENTITY.format('secretsmanager:ListSecrets')}"),
    ("kms", lambda c: c.list_keys(), "AccessDeniedException",
     f"kms:ListKeys on resource: * {NO_IDENTITY.format('kms:ListKeys')}"),
    ("route53", lambda c: c.list_hosted_zones(), "AccessDenied",
     f"route53:ListHostedZones {NO_IDENTITY.format('route53:ListHostedZones')}"),
]  # fmt: skip


@pytest.mark.parametrize(("service", "call", "code", "text"), NO_ALLOW, ids=[case[0] for case in NO_ALLOW])
def test_no_allow(
    aws: Cloud, dev: Any, iam: Any, service: str, call: Callable[[Any], Any], code: str, text: str
) -> None:
    dev.admin.client("s3").create_bucket(Bucket="notes")
    said = refused(lambda: call(new_user(aws, iam, "alice").client(service)))
    assert said[0] == code
    assert NOT_AUTHORIZED + text in said[1]
    if service == "ec2":  # the one that says more, before and behind
        assert said[1].startswith("You are not authorized to perform this operation. User: ")
        assert ". Encoded authorization failure message: " in said[1]
    else:
        assert said[1] == NOT_AUTHORIZED + text


def test_no_allow_of_a_resource_based_policy(aws: Cloud, dev: Any, iam: Any) -> None:
    kms = dev.admin.client("kms")
    only_admin = document(allow("kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:user/lab-admin"}))
    key = kms.create_key(Policy=only_admin)["KeyMetadata"]["Arn"]
    alice = new_user(aws, iam, "alice", allow("kms:*"))
    code, text = refused(lambda: alice.client("kms").describe_key(KeyId=key))
    assert code == "AccessDeniedException"
    assert text.endswith("because no resource-based policy allows the kms:DescribeKey action")


def test_s3_gives_its_reason_only_at_home(aws: Cloud, dev: Any, iam: Any) -> None:
    aws.account("prod").admin.client("s3").create_bucket(Bucket="theirs")
    alice = new_user(aws, iam, "alice", allow("s3:*"))
    said = refused(lambda: alice.client("s3").list_objects_v2(Bucket="theirs"))
    assert said == ("AccessDenied", "Access Denied")


def test_s3_head_has_no_body_and_a_missing_key_depends_on_listing(aws: Cloud, dev: Any, iam: Any) -> None:
    dev.admin.client("s3").create_bucket(Bucket="notes")
    blind = new_user(aws, iam, "alice", allow("s3:GetObject")).client("s3")
    lister = new_user(aws, iam, "bob", allow(["s3:GetObject", "s3:ListBucket"])).client("s3")
    nobody = new_user(aws, iam, "carol").client("s3")
    missing = {"Bucket": "notes", "Key": "nothing"}
    assert refused(lambda: nobody.head_object(**missing)) == ("403", "Forbidden")
    assert refused(lambda: blind.get_object(**missing))[0] == "AccessDenied"
    assert refused(lambda: lister.get_object(**missing)) == ("NoSuchKey", "The specified key does not exist.")


# -- explicit deny -------------------------------------------------------------------------------------------------


NO, NOTHING = (allow("*"), deny("s3:*")), (allow("ec2:*"),)


def in_an_identity_based_policy(aws: Cloud, dev: Any, limits: Any = NO) -> Any:
    return new_user(aws, dev.admin.client("iam"), "alice", *limits)


def in_a_resource_based_policy(aws: Cloud, dev: Any) -> Any:
    alice = new_user(aws, dev.admin.client("iam"), "alice", allow("s3:*"))
    text = document(deny("s3:*", ["arn:aws:s3:::notes", "arn:aws:s3:::notes/*"], Principal={"AWS": ALICE}))
    dev.admin.client("s3").put_bucket_policy(Bucket="notes", Policy=text)
    return alice


def in_a_permissions_boundary(aws: Cloud, dev: Any, limits: Any = NO) -> Any:
    iam = dev.admin.client("iam")
    arn = iam.create_policy(PolicyName="limit", PolicyDocument=document(*limits))["Policy"]["Arn"]
    alice = new_user(aws, iam, "alice", allow("s3:*"))
    iam.put_user_permissions_boundary(UserName="alice", PermissionsBoundary=arn)
    return alice


def in_a_session_policy(aws: Cloud, dev: Any, limits: Any = NO) -> Any:
    iam = dev.admin.client("iam")
    reader(iam, allow("s3:*"))
    alice = new_user(aws, iam, "alice", allow("sts:AssumeRole"))
    return aws.sign_in(assume(alice, Policy=document(*limits)))


LACKING = {
    "identity-based policy": in_an_identity_based_policy,
    "permissions boundary": in_a_permissions_boundary,
    "session policy": in_a_session_policy,
}


@pytest.mark.parametrize("place", LACKING)
def test_no_allow_in(aws: Cloud, dev: Any, place: str) -> None:
    code, text = refused(LACKING[place](aws, dev, NOTHING).client("s3").list_buckets)
    assert code == "AccessDenied"
    assert text.endswith(f"because no {place} allows the s3:ListAllMyBuckets action")


def _controlled(aws: Cloud, kind: str, text: str) -> Any:
    """A member account of an organization under one more control policy, and a user of it who may do everything."""
    manager = aws.account("management")
    organizations = manager.admin.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    root = organizations.list_roots()["Roots"][0]["Id"]
    if kind == "RESOURCE_CONTROL_POLICY":  # the others are on in a new organization
        organizations.enable_policy_type(RootId=root, PolicyType=kind)
    policy = organizations.create_policy(Name="limit", Description="", Type=kind, Content=text)["Policy"]
    member = aws.account("member", organization=manager)
    organizations.attach_policy(PolicyId=policy["PolicySummary"]["Id"], TargetId=member.id)
    member.admin.client("s3").create_bucket(Bucket="member-notes")
    return new_user(aws, member.admin.client("iam"), "alice", allow("*"))


def in_a_service_control_policy(aws: Cloud, dev: Any) -> Any:
    return _controlled(aws, "SERVICE_CONTROL_POLICY", document(deny("s3:GetObject")))


def in_a_resource_control_policy(aws: Cloud, dev: Any) -> Any:
    return _controlled(aws, "RESOURCE_CONTROL_POLICY", document(deny("s3:GetObject", Principal="*")))


DENIED = {
    "an identity-based policy": in_an_identity_based_policy,
    "a resource-based policy": in_a_resource_based_policy,
    "a permissions boundary": in_a_permissions_boundary,
    "a session policy": in_a_session_policy,
    "a service control policy": in_a_service_control_policy,
    "a resource control policy": in_a_resource_control_policy,
}


@pytest.mark.parametrize("place", DENIED)
def test_explicit_deny(aws: Cloud, dev: Any, place: str) -> None:
    dev.admin.client("s3").create_bucket(Bucket="notes")
    identity = DENIED[place](aws, dev)
    bucket = "member-notes" if "control" in place else "notes"
    code, text = refused(lambda: identity.client("s3").get_object(Bucket=bucket, Key="a"))
    assert code == "AccessDenied"
    assert f' is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::{bucket}/a" with an ' in text
    assert f"with an explicit deny in {place}" in text


# -- credentials ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("exists", [True, False])
def test_assume_role_refused_or_the_role_does_not_exist(aws: Cloud, iam: Any, exists: bool) -> None:
    if exists:
        iam.create_role(RoleName="reader", AssumeRolePolicyDocument=trust({"Service": "ec2.amazonaws.com"}))
    alice = new_user(aws, iam, "alice", allow("sts:*"))
    said = refused(lambda: assume(alice))
    assert said == ("AccessDenied", f"{NOT_AUTHORIZED}sts:AssumeRole on resource: {READER}")


SECURITY_TOKEN = "The security token included in the request is invalid."
CALLS: dict[str, Callable[[Any], Any]] = {
    "sts": lambda c: c.get_caller_identity(),
    "iam": lambda c: c.list_users(),
    "dynamodb": lambda c: c.list_tables(),
    "ec2": lambda c: c.describe_instances(),
    "s3": lambda c: c.list_buckets(),
}
UNKNOWN = {
    "sts": ("InvalidClientTokenId", SECURITY_TOKEN),
    "iam": ("InvalidClientTokenId", SECURITY_TOKEN.rstrip(".")),
    "dynamodb": ("UnrecognizedClientException", SECURITY_TOKEN),
    "ec2": ("AuthFailure", "AWS was not able to validate the provided access credentials"),
    "s3": ("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
}


@pytest.mark.parametrize("service", UNKNOWN)
def test_unknown_key(aws: Cloud, service: str) -> None:
    nobody = boto3.Session("AKIAIOSFODNN7EXAMPLE", "wrong", region_name="us-east-1")
    assert refused(lambda: CALLS[service](nobody.client(service))) == UNKNOWN[service]


SIGNATURE = "The request signature we calculated does not match the signature you provided. "
WRONG_SECRET = {
    "sts": ("SignatureDoesNotMatch", SIGNATURE + "Check your AWS Secret Access Key and signing method. "),
    "iam": ("SignatureDoesNotMatch", SIGNATURE + "Check your AWS Secret Access Key and signing method. "),
    "dynamodb": ("InvalidSignatureException", SIGNATURE + "Check your AWS Secret Access Key and signing method. "),
    "ec2": ("AuthFailure", "AWS was not able to validate the provided access credentials"),
    "s3": ("SignatureDoesNotMatch", SIGNATURE + "Check your key and signing method."),
}


@pytest.mark.parametrize("service", WRONG_SECRET)
def test_wrong_secret(aws: Cloud, dev: Any, service: str) -> None:
    forger = boto3.Session(dev.admin.access_key_id, "wrong", region_name="us-east-1")
    code, text = refused(lambda: CALLS[service](forger.client(service)))
    assert code == WRONG_SECRET[service][0]
    assert text.startswith(WRONG_SECRET[service][1])


OVER = "The security token included in the request is expired"
EXPIRED = {
    "sts": ("ExpiredToken", OVER),
    "iam": ("ExpiredToken", OVER),
    "dynamodb": ("ExpiredTokenException", OVER),
    "ec2": ("RequestExpired", "Request has expired."),
    "s3": ("ExpiredToken", "The provided token has expired."),
}


@pytest.mark.parametrize("service", EXPIRED)
def test_expired_session(aws: Cloud, iam: Any, service: str) -> None:
    reader(iam)
    session = aws.sign_in(assume(new_user(aws, iam, "alice", allow("sts:AssumeRole"))))
    aws.clock.advance(hours=1)
    assert refused(lambda: CALLS[service](session.client(service))) == EXPIRED[service]


# -- sessions ------------------------------------------------------------------------------------------------------


def test_root_assumes_a_role(aws: Cloud, dev: Any, iam: Any) -> None:
    reader(iam)
    assert refused(lambda: assume(dev.root)) == ("AccessDenied", "Roles may not be assumed by root accounts.")


@pytest.mark.parametrize(
    ("operation", "call"),
    [
        ("GetSessionToken", lambda sts: sts.get_session_token()),
        ("GetFederationToken", lambda sts: sts.get_federation_token(Name="emma")),
    ],
    ids=["GetSessionToken", "GetFederationToken"],
)
@pytest.mark.parametrize("kind", ["AssumeRole", "GetSessionToken", "GetFederationToken"])
def test_long_term_credentials_are_needed(
    aws: Cloud, iam: Any, operation: str, call: Callable[[Any], Any], kind: str
) -> None:
    reader(iam, allow("sts:*"))
    alice = new_user(aws, iam, "alice", allow("sts:*"))
    sts = alice.client("sts")
    session = {
        "AssumeRole": lambda: assume(alice),
        "GetSessionToken": lambda: sts.get_session_token(),
        "GetFederationToken": lambda: sts.get_federation_token(Name="emma"),
    }[kind]()
    said = refused(lambda: call(aws.sign_in(session).client("sts")))
    assert said == ("AccessDenied", f"Cannot call {operation} with session credentials")


def test_bad_mfa_code(aws: Cloud, iam: Any) -> None:
    alice = new_user(aws, iam, "alice")
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName="alice")
    phone, serial = aws.authenticator(device), device["VirtualMFADevice"]["SerialNumber"]
    iam.enable_mfa_device(
        UserName="alice", SerialNumber=serial, AuthenticationCode1=phone.code, AuthenticationCode2=phone.next_code
    )
    wrong = f"{(int(phone.code) + 1) % 1_000_000:06d}"
    aws.clock.advance(days=1)
    said = refused(lambda: alice.client("sts").get_session_token(SerialNumber=serial, TokenCode=wrong))
    assert said == ("AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code.")


def test_no_credentials_anywhere(aws: Cloud) -> None:
    with pytest.raises(NoCredentialsError, match="Unable to locate credentials"):
        boto3.Session(region_name="us-east-1").client("sts").get_caller_identity()


def test_ec2s_encoded_message_opens_for_whoever_may(aws: Cloud, iam: Any) -> None:
    alice = new_user(aws, iam, "alice", deny("ec2:*"))
    call = alice.client("ec2").stop_instances
    message = refused(lambda: call(InstanceIds=["i-0123456789abcdef0"]))[1].rpartition(": ")[2]
    bob = new_user(aws, iam, "bob", allow("sts:DecodeAuthorizationMessage")).client("sts")
    decoded = json.loads(bob.decode_authorization_message(EncodedMessage=message)["DecodedMessage"])
    assert (decoded["allowed"], decoded["explicitDeny"]) == (False, True)
    assert decoded["context"]["action"] == "ec2:StopInstances"
    assert decoded["context"]["principal"]["arn"] == ALICE
    assert (
        refused(lambda: alice.client("sts").decode_authorization_message(EncodedMessage=message))[0] == "AccessDenied"
    )
    code, _ = refused(lambda: bob.decode_authorization_message(EncodedMessage=message[:-4] + "AAA="))
    assert code == "InvalidAuthorizationMessageException"


def test_a_session_ends_to_the_second(aws: Cloud, iam: Any) -> None:
    reader(iam)
    answer = assume(new_user(aws, iam, "alice", allow("sts:AssumeRole")))
    session = aws.sign_in(answer)
    aws.clock.advance(seconds=(answer["Credentials"]["Expiration"] - aws.clock.now - timedelta(seconds=5)).seconds)
    session.client("sts").get_caller_identity()
    aws.clock.advance(seconds=6)
    assert refused(session.client("sts").get_caller_identity)[0] == "ExpiredToken"
