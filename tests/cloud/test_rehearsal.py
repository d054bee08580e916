"""A rehearsal: calls are really answered, and undone at the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simlib import Cloud
from simlib.cloud.storage import contents

TRUST_EC2 = """{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"},
"Action": "sts:AssumeRole"}}"""
AMI = "ami-12c6146b"


@pytest.fixture
def aws() -> Iterator[Cloud]:
    with Cloud.start() as world:
        yield world


@pytest.fixture
def iam(aws: Cloud) -> Any:
    return aws.account("dev").admin.client("iam")


def users(iam: Any) -> list[str]:
    return sorted(each["UserName"] for each in iam.list_users()["Users"])


def test_queues_and_parameters_are_rehearsed_too(aws: Cloud) -> None:
    sqs, ssm = (aws.account("dev").admin.client(service) for service in ("sqs", "ssm"))
    queue = sqs.create_queue(QueueName="orders")["QueueUrl"]
    ssm.put_parameter(Name="/web/port", Value="80", Type="String")
    with aws.rehearsal():
        sqs.send_message(QueueUrl=queue, MessageBody="1 bell")
        assert sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "1 bell"
        ssm.put_parameter(Name="/web/port", Value="443", Type="String", Overwrite=True)
        assert ssm.get_parameter(Name="/web/port")["Parameter"]["Value"] == "443"
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    assert ssm.get_parameter(Name="/web/port")["Parameter"]["Value"] == "80"


def test_what_is_done_is_seen_inside_and_undone_afterwards(aws: Cloud, iam: Any) -> None:
    iam.create_user(UserName="alice")
    s3 = aws.account("dev").admin.client("s3")
    s3.create_bucket(Bucket="kept")
    s3.put_object(Bucket="kept", Key="file", Body=b"as it was")
    trail = list(aws.trail)
    with aws.rehearsal():
        iam.create_user(UserName="bob")
        iam.delete_user(UserName="alice")
        s3.put_object(Bucket="kept", Key="file", Body=b"changed")
        s3.create_bucket(Bucket="new")
        assert users(iam) == ["bob", "lab-admin"]
        assert s3.get_object(Bucket="kept", Key="file")["Body"].read() == b"changed"
        aws.account("another").admin.client("sqs").create_queue(QueueName="q")
    assert list(aws.trail) == trail
    assert [account.name for account in aws.accounts] == ["dev"]
    assert users(iam) == ["alice", "lab-admin"]
    assert [each["Name"] for each in s3.list_buckets()["Buckets"]] == ["kept"]
    assert s3.get_object(Bucket="kept", Key="file")["Body"].read() == b"as it was"
    assert aws.account("next").id == "222222222222", "the number of the account that was undone is free"


def test_credentials_issued_inside_are_unknown_afterwards(aws: Cloud, iam: Any) -> None:
    with aws.rehearsal():
        iam.create_user(UserName="alice")
        alice = aws.sign_in(iam.create_access_key(UserName="alice"))
        session = aws.sign_in(alice.client("sts").get_session_token())
    for identity in (alice, session):
        with pytest.raises(ClientError, match="InvalidClientTokenId"):
            identity.client("sts").get_caller_identity()


def test_the_lives_of_credentials_are_told_as_before(aws: Cloud, iam: Any) -> None:
    iam.create_user(UserName="alice")
    key = iam.create_access_key(UserName="alice")["AccessKey"]["AccessKeyId"]
    before = aws.credentials()
    with aws.rehearsal():
        iam.delete_access_key(UserName="alice", AccessKeyId=key)
        another = aws.account("another").admin.client("iam")
        another.create_user(UserName="bob")
        another.create_access_key(UserName="bob")
        assert aws.credentials() != before
    assert aws.credentials() == before


def test_tokens_of_identity_providers_are_forgotten(aws: Cloud) -> None:
    github = aws.oidc_provider()
    kept = github.token("repo:example/shop:ref:refs/heads/main")
    with aws.rehearsal():
        github.token("repo:example/fork:ref:refs/heads/main")
        aws.oidc_provider("https://another.example").token("me")
    assert list(github.issued) == [kept]
    assert aws.oidc_provider() is github


def test_credentials_issued_before_are_good_inside_and_afterwards(aws: Cloud, iam: Any) -> None:
    iam.create_user(UserName="alice")
    alice = aws.sign_in(iam.create_access_key(UserName="alice"))
    session = aws.sign_in(alice.client("sts").get_session_token())
    with aws.rehearsal():
        for identity in (alice, session):
            identity.client("sts").get_caller_identity()
        iam.update_access_key(UserName="alice", AccessKeyId=alice.access_key_id, Status="Inactive")
    for identity in (alice, session):
        identity.client("sts").get_caller_identity()


def test_a_machine_that_renews_its_credentials_inside_goes_on_with_them(aws: Cloud, iam: Any) -> None:
    iam.create_role(RoleName="web-app", AssumeRolePolicyDocument=TRUST_EC2)
    iam.create_instance_profile(InstanceProfileName="web-app")
    iam.add_role_to_instance_profile(InstanceProfileName="web-app", RoleName="web-app")
    ec2 = aws.account("dev").admin.client("ec2")
    started = ec2.run_instances(ImageId=AMI, MinCount=1, MaxCount=1, IamInstanceProfile={"Name": "web-app"})
    web = aws.instance(started["Instances"][0]["InstanceId"])
    with aws.rehearsal():
        assert web.run("aws sts get-caller-identity").returncode == 0
        ec2.terminate_instances(InstanceIds=[web.id])
    assert web.run("aws sts get-caller-identity").returncode == 0


def test_attachments_of_aws_s_own_policies_are_counted_as_before(aws: Cloud, iam: Any) -> None:
    administrators = "arn:aws:iam::aws:policy/AdministratorAccess"
    iam.create_user(UserName="alice")

    def attached() -> int:
        return int(iam.get_policy(PolicyArn=administrators)["Policy"]["AttachmentCount"])

    before = attached()
    with aws.rehearsal():
        iam.attach_user_policy(UserName="alice", PolicyArn=administrators)
        assert attached() == before + 1
    assert attached() == before


def test_an_exception_undoes_as_well_and_goes_on(aws: Cloud, iam: Any) -> None:
    def fail() -> None:
        with aws.rehearsal():
            iam.create_user(UserName="bob")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert users(iam) == ["lab-admin"]


def test_where_no_copy_can_be_made_nothing_has_changed(aws: Cloud, iam: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise TypeError("cannot be copied")

    monkeypatch.setattr(contents, "deepcopy", fail)
    with pytest.raises(TypeError), aws.rehearsal():
        pass
    assert users(iam) == ["lab-admin"]


def test_a_world_that_replaces_this_one_inside_stays(aws: Cloud) -> None:
    with aws.rehearsal():
        later = Cloud.start()
        later.account("dev").admin.client("iam").create_user(UserName="carol")
    assert Cloud.running is later
    assert users(later.account("dev").admin.client("iam")) == ["carol", "lab-admin"]
    later.stop()


def test_a_stopped_world_says_so(aws: Cloud) -> None:
    aws.stop()
    with pytest.raises(RuntimeError, match="has been stopped"), aws.rehearsal():
        pass


def test_time_that_has_passed_inside_has_not_passed_afterwards(aws: Cloud) -> None:
    aws.clock.advance(hours=2)
    before = aws.clock.now
    with aws.rehearsal():
        aws.clock.advance(days=400)
        assert (aws.clock.now - before).days == 400
    assert 0 <= (aws.clock.now - before).total_seconds() < 60
