"""The twenty things learners get wrong, each met by running it: the belief is the test's name, the answer its body."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from simlib import Cloud

from .conftest import allow, deny, document, new_user, refused, trust

ACCOUNT, PARTNER = "111111111111", "222222222222"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/reader"
ASSUME = allow("sts:AssumeRole", ROLE)
LIST = allow("s3:ListAllMyBuckets")
WITHOUT_MFA = {"aws:MultiFactorAuthPresent": "false"}


def assume(identity: Any, arn: str = ROLE, name: str = "work", **more: Any) -> Any:
    return identity.client("sts").assume_role(RoleArn=arn, RoleSessionName=name, **more)


def reader(iam: Any, principal: Any, *statements: dict[str, Any], **more: Any) -> None:
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument=trust(principal), **more)
    if statements:
        iam.put_role_policy(RoleName="reader", PolicyName="p", PolicyDocument=document(*statements))


def allowed(call: Callable[[], Any]) -> bool:
    """Whether a call works; only a refusal of permissions is a no."""
    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Code"] in ("AccessDenied", "UnauthorizedOperation"):
            return False
        raise
    return True


def test_01_one_side_is_enough_for_cross_account(aws: Cloud, dev: Any, iam: Any) -> None:
    owner, partner = dev.admin.client("s3"), aws.account("partner").admin.client("iam")
    owner.create_bucket(Bucket="shared")
    alice = new_user(aws, partner, "alice")
    read = lambda: alice.client("s3").list_objects_v2(Bucket="shared")  # noqa: E731
    named = {"AWS": f"arn:aws:iam::{PARTNER}:user/alice"}
    theirs = document(allow("s3:ListBucket", "arn:aws:s3:::shared", Principal=named))
    owner.put_bucket_policy(Bucket="shared", Policy=theirs)
    assert not allowed(read)  # the owner's side alone, though it names her
    partner.put_user_policy(UserName="alice", PolicyName="p", PolicyDocument=document(allow("s3:ListBucket")))
    assert allowed(read)
    owner.delete_bucket_policy(Bucket="shared")
    assert not allowed(read)  # her own side alone


def test_02_the_trust_policy_says_what_a_role_may_do(aws: Cloud, iam: Any) -> None:
    reader(iam, {"AWS": ACCOUNT})
    session = aws.sign_in(assume(new_user(aws, iam, "alice", ASSUME)))  # the trust policy lets in …
    assert not allowed(session.client("s3").list_buckets)  # … and gives nothing
    policy = {"RoleName": "reader", "PolicyName": "p", "PolicyDocument": document(LIST)}
    iam.put_role_policy(**policy)
    assert allowed(session.client("s3").list_buckets)
    said = refused(lambda: iam.update_assume_role_policy(RoleName="reader", PolicyDocument=document(LIST)))
    assert said[0] == "MalformedPolicyDocument"


def test_03_root_in_a_trust_policy_means_the_root_user(aws: Cloud, dev: Any, iam: Any) -> None:
    reader(iam, {"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    assert assume(new_user(aws, iam, "alice", ASSUME))  # it is the account: whoever its own policies allow
    assert refused(lambda: assume(dev.root)) == ("AccessDenied", "Roles may not be assumed by root accounts.")


def test_04_a_session_outlives_its_clock(aws: Cloud, iam: Any) -> None:
    reader(iam, {"AWS": ACCOUNT}, LIST)
    session = aws.sign_in(assume(new_user(aws, iam, "alice", ASSUME), DurationSeconds=900))
    s3 = session.client("s3")
    for _ in range(14):  # using it does not prolong it
        aws.clock.advance(minutes=1)
        s3.list_buckets()
    aws.clock.advance(minutes=1)
    assert refused(s3.list_buckets) == ("ExpiredToken", "The provided token has expired.")


def test_05_a_session_may_be_longer_than_the_roles_maximum(aws: Cloud, iam: Any) -> None:
    reader(iam, {"AWS": ACCOUNT}, MaxSessionDuration=7200)
    alice = new_user(aws, iam, "alice", ASSUME)
    assert assume(alice, DurationSeconds=7200)
    text = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    assert refused(lambda: assume(alice, DurationSeconds=7201)) == ("ValidationError", text)
    lasts = assume(alice)["Credentials"]["Expiration"] - aws.clock.now
    assert lasts == pytest.approx(timedelta(hours=1), abs=timedelta(seconds=3))  # the maximum is not the default


def test_06_a_chained_session_may_last_as_long_as_the_role_allows(aws: Cloud, iam: Any) -> None:
    reader(iam, {"AWS": ACCOUNT}, ASSUME, MaxSessionDuration=43_200)
    first = aws.sign_in(assume(new_user(aws, iam, "alice", ASSUME), DurationSeconds=43_200))
    text = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
    assert refused(lambda: assume(first, DurationSeconds=3601)) == ("ValidationError", text)
    assert assume(first, DurationSeconds=3600)


def test_07_any_duration_will_do(aws: Cloud, iam: Any) -> None:
    reader(iam, {"AWS": ACCOUNT}, MaxSessionDuration=43_200)
    alice = new_user(aws, iam, "alice", ASSUME)
    with pytest.raises(ParamValidationError, match="valid min value: 900"):
        assume(alice, DurationSeconds=899)  # the SDK says so by itself
    text = (
        "1 validation error detected: Value '43201' at 'durationSeconds' failed to satisfy constraint: "
        "Member must have value less than or equal to 43200"
    )
    assert refused(lambda: assume(alice, DurationSeconds=43_201)) == ("ValidationError", text)
    assert assume(alice, DurationSeconds=900)
    assert assume(alice, DurationSeconds=43_200)


def test_08_a_policy_may_name_a_principal_that_does_not_exist_yet(aws: Cloud, iam: Any) -> None:
    later = f"arn:aws:iam::{ACCOUNT}:user/alice"
    text = f'Invalid principal in policy: "AWS":"{later}"'
    assert refused(lambda: reader(iam, {"AWS": later})) == ("MalformedPolicyDocument", text)
    iam.create_user(UserName="alice")
    reader(iam, {"AWS": later})


def test_09_creating_a_principal_again_restores_trust(aws: Cloud, iam: Any) -> None:
    alice_id = iam.create_user(UserName="alice")["User"]["UserId"]
    reader(iam, {"AWS": f"arn:aws:iam::{ACCOUNT}:user/alice"})
    iam.delete_user(UserName="alice")
    alice = new_user(aws, iam, "alice", ASSUME)
    shown = iam.get_role(RoleName="reader")["Role"]["AssumeRolePolicyDocument"]
    assert shown["Statement"][0]["Principal"] == {"AWS": alice_id}
    assert not allowed(lambda: assume(alice))
    iam.update_assume_role_policy(
        RoleName="reader", PolicyDocument=trust({"AWS": f"arn:aws:iam::{ACCOUNT}:user/alice"})
    )
    assert allowed(lambda: assume(alice))


def test_10_the_external_id_is_a_secret(aws: Cloud, iam: Any) -> None:
    """It keeps a deputy from being confused: each customer's role expects the ID its provider gave that customer."""
    provider = aws.account("provider")
    deputy = new_user(aws, provider.admin.client("iam"), "deputy", allow("sts:AssumeRole"))
    ours = {"StringEquals": {"sts:ExternalId": "customer-blue"}}
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument=trust({"AWS": provider.id}, Condition=ours))
    # another customer of the provider, red, gives blue's role ARN as its own: the deputy works with red's ID
    assert not allowed(lambda: assume(deputy, ExternalId="customer-red"))
    assert not allowed(lambda: assume(deputy))
    assert allowed(lambda: assume(deputy, ExternalId="customer-blue"))
    # whoever knows the ID but is not the provider gets nowhere; and it stands in the open in the trust policy
    assert not allowed(lambda: assume(new_user(aws, iam, "mallory", ASSUME), ExternalId="customer-blue"))
    assert "customer-blue" in str(iam.get_role(RoleName="reader")["Role"]["AssumeRolePolicyDocument"])


def test_11_passing_a_role_is_assuming_it(aws: Cloud, dev: Any, iam: Any) -> None:
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument=trust({"Service": "ec2.amazonaws.com"}))
    iam.create_instance_profile(InstanceProfileName="reader")
    iam.add_role_to_instance_profile(InstanceProfileName="reader", RoleName="reader")
    launch = {"ImageId": "ami-12c6146b", "MinCount": 1, "MaxCount": 1, "IamInstanceProfile": {"Name": "reader"}}
    may_run = allow(["ec2:RunInstances", "ec2:Describe*"])
    assumer = new_user(aws, iam, "assumer", may_run, ASSUME)
    passer = new_user(aws, iam, "passer", may_run, allow("iam:PassRole", ROLE))
    assert not allowed(lambda: assumer.client("ec2").run_instances(**launch))
    assert allowed(lambda: passer.client("ec2").run_instances(**launch))
    assert not allowed(lambda: assume(passer))  # the service gets the role, not whoever passes it


def test_12_rotating_the_key_ends_the_session(aws: Cloud, iam: Any) -> None:
    reader(iam, {"AWS": ACCOUNT}, LIST)
    alice = new_user(aws, iam, "alice", ASSUME)
    session = aws.sign_in(assume(alice))
    iam.delete_access_key(UserName="alice", AccessKeyId=alice.access_key_id)
    assert allowed(session.client("s3").list_buckets)
    older = {"DateLessThan": {"aws:TokenIssueTime": f"{aws.clock.now + timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}"}}
    revoked = document(deny("*", Condition=older))
    iam.put_role_policy(RoleName="reader", PolicyName="AWSRevokeOlderSessions", PolicyDocument=revoked)
    assert not allowed(session.client("s3").list_buckets)  # this is what ends it
    aws.clock.advance(minutes=1)
    renewed = aws.sign_in(assume(aws.sign_in(iam.create_access_key(UserName="alice"))))
    assert allowed(renewed.client("s3").list_buckets)


def test_13_a_boundary_an_scp_or_a_session_policy_grants(aws: Cloud) -> None:
    manager = aws.account("manager")
    manager.admin.client("organizations").create_organization(FeatureSet="ALL")  # FullAWSAccess allows everything
    member = aws.account("member", organization=manager)
    iam = member.admin.client("iam")
    everything = "arn:aws:iam::aws:policy/AdministratorAccess"
    alice = new_user(aws, iam, "alice", allow("sts:AssumeRole"))
    iam.put_user_permissions_boundary(UserName="alice", PermissionsBoundary=everything)
    assert not allowed(alice.client("s3").list_buckets)
    reader(iam, {"AWS": member.id})
    arn = f"arn:aws:iam::{member.id}:role/reader"
    session = aws.sign_in(assume(alice, arn, Policy=document(allow("*"))))
    assert not allowed(session.client("s3").list_buckets)


def test_14_denying_what_is_not_mfa_by_bool_covers_access_keys(aws: Cloud, iam: Any) -> None:
    reader(iam, {"AWS": ACCOUNT}, LIST, deny("s3:*", Condition={"Bool": WITHOUT_MFA}))
    alice = new_user(aws, iam, "alice", ASSUME, LIST, deny("s3:*", Condition={"Bool": WITHOUT_MFA}))
    assert allowed(alice.client("s3").list_buckets)  # long-term keys carry no such key at all, so nothing is denied
    session = aws.sign_in(assume(alice))
    assert not allowed(session.client("s3").list_buckets)  # a role session carries "false"
    if_exists = document(ASSUME, LIST, deny("s3:*", Condition={"BoolIfExists": WITHOUT_MFA}))
    iam.put_user_policy(UserName="alice", PolicyName="inline", PolicyDocument=if_exists)
    assert not allowed(alice.client("s3").list_buckets)


def test_15_a_user_may_have_a_key_for_every_purpose(aws: Cloud, iam: Any) -> None:
    iam.create_user(UserName="alice")
    keys = [iam.create_access_key(UserName="alice")["AccessKey"]["AccessKeyId"] for _ in range(2)]
    iam.update_access_key(UserName="alice", AccessKeyId=keys[0], Status="Inactive")
    text = "Cannot exceed quota for AccessKeysPerUser: 2"
    assert refused(lambda: iam.create_access_key(UserName="alice")) == ("LimitExceeded", text)
    iam.delete_access_key(UserName="alice", AccessKeyId=keys[0])
    iam.create_access_key(UserName="alice")


def test_16_a_session_can_get_itself_another_session_token(aws: Cloud, iam: Any) -> None:
    reader(iam, {"AWS": ACCOUNT}, allow("sts:*"))
    alice = new_user(aws, iam, "alice", allow("sts:*"))
    text = "Cannot call GetSessionToken with session credentials"
    for answer in (alice.client("sts").get_session_token(), assume(alice)):
        session = aws.sign_in(answer)
        assert refused(session.client("sts").get_session_token) == ("AccessDenied", text)


def test_17_assume_role_covers_tags_and_source_identity(aws: Cloud, iam: Any) -> None:
    reader(iam, {"AWS": ACCOUNT})
    alice = new_user(aws, iam, "alice", ASSUME)
    tagged: dict[str, Any] = {"Tags": [{"Key": "team", "Value": "red"}], "SourceIdentity": "alice"}
    every = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
    assert "sts:TagSession" in refused(lambda: assume(alice, Tags=tagged["Tags"]))[1]
    assert "sts:SetSourceIdentity" in refused(lambda: assume(alice, SourceIdentity="alice"))[1]
    iam.put_user_policy(UserName="alice", PolicyName="inline", PolicyDocument=document(allow(every, ROLE)))
    assert not allowed(lambda: assume(alice, **tagged))  # the other side has not said it
    iam.update_assume_role_policy(RoleName="reader", PolicyDocument=trust({"AWS": ACCOUNT}, every))
    assert allowed(lambda: assume(alice, **tagged))


def test_18_a_role_trusts_itself(aws: Cloud, iam: Any) -> None:
    iam.create_user(UserName="alice")
    alice_arn = f"arn:aws:iam::{ACCOUNT}:user/alice"
    reader(iam, {"AWS": alice_arn}, ASSUME)
    session = aws.sign_in(assume(aws.sign_in(iam.create_access_key(UserName="alice"))))
    assert not allowed(lambda: assume(session))
    iam.update_assume_role_policy(RoleName="reader", PolicyDocument=trust({"AWS": [alice_arn, ROLE]}))
    assert allowed(lambda: assume(session))


@pytest.mark.parametrize("name", ["a/b", "alice smith", "alice:laptop", "élise"])
def test_19_a_session_name_may_be_anything(aws: Cloud, iam: Any, name: str) -> None:
    reader(iam, {"AWS": ACCOUNT})
    alice = new_user(aws, iam, "alice", ASSUME)
    code, text = refused(lambda: assume(alice, name=name))
    assert code == "ValidationError"
    assert text.startswith(f"1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy")
    assert assume(alice, name="alice+laptop=1,work.a@example-b")
    with pytest.raises(ParamValidationError, match="valid min length: 2"):
        assume(alice, name="a")


def test_20_a_role_is_its_instance_profile_and_every_program_on_the_instance_is_meant(
    aws: Cloud, dev: Any, iam: Any
) -> None:
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument=trust({"Service": "ec2.amazonaws.com"}))
    launch = {"ImageId": "ami-12c6146b", "MinCount": 1, "MaxCount": 1, "IamInstanceProfile": {"Name": "reader"}}
    ec2 = dev.admin.client("ec2")
    assert refused(lambda: ec2.run_instances(**launch))[0] == "InvalidParameterValue"  # no profile of the role's name
    iam.create_instance_profile(InstanceProfileName="reader")  # the console would have made it, the API does not
    iam.add_role_to_instance_profile(InstanceProfileName="reader", RoleName="reader")
    web = aws.instance(ec2.run_instances(**launch)["Instances"][0]["InstanceId"])
    path = "latest/meta-data/iam/security-credentials/reader"
    # version 1 of the metadata service answers a mere GET, such as a web page can be talked into (SSRF)
    assert "AccessKeyId" in web.curl(path, token=False)
    ec2.modify_instance_metadata_options(InstanceId=web.id, HttpTokens="required")
    assert "AccessKeyId" not in web.curl(path, token=False)
    assert "AccessKeyId" in web.curl(path)
    # stale credentials on the instance hide its role
    who = "aws sts get-caller-identity --query Arn --output text"
    assert ":assumed-role/reader/" in web.run(who).stdout
    alice = new_user(aws, iam, "alice")
    web.run(f"aws configure set aws_access_key_id {alice.access_key_id}")
    web.run(f"aws configure set aws_secret_access_key {alice.secret_access_key}")
    assert web.run(who).stdout.strip() == f"arn:aws:iam::{ACCOUNT}:user/alice"
