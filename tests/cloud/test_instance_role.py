"""A role on an EC2 instance: passing it, trusting the service, and what the instance then holds.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-ec2.html
"""

from __future__ import annotations

from typing import Any

import pytest

from simlib import Cloud

from .conftest import allow, document, new_user, refused, trust

ROLE = "arn:aws:iam::111111111111:role/web"
RUN = [allow("ec2:RunInstances"), allow("ec2:Describe*")]
EC2 = {"Service": "ec2.amazonaws.com"}


@pytest.fixture
def profile(iam: Any) -> str:
    iam.create_role(RoleName="web", AssumeRolePolicyDocument=trust(EC2))
    iam.put_role_policy(RoleName="web", PolicyName="s3", PolicyDocument=document(allow("s3:ListAllMyBuckets")))
    iam.create_instance_profile(InstanceProfileName="web-profile")
    iam.add_role_to_instance_profile(InstanceProfileName="web-profile", RoleName="web")
    return "web-profile"


def run(identity: Any, **more: Any) -> str:
    ec2 = identity.client("ec2")
    return str(ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1, **more)["Instances"][0]["InstanceId"])


PASSING = [
    ("without the right to pass any role", [], False),
    ("with the right to pass this role", [allow("iam:PassRole", ROLE)], True),
    ("with the right to pass another role", [allow("iam:PassRole", ROLE + "-other")], False),
    ("AssumeRole is not PassRole", [allow("sts:AssumeRole", ROLE)], False),
    (
        "the right to pass it to EC2",
        [allow("iam:PassRole", ROLE, Condition={"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}})],
        True,
    ),
    (
        "the right to pass it to Lambda only",
        [allow("iam:PassRole", ROLE, Condition={"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}})],
        False,
    ),
]


@pytest.mark.parametrize(("statements", "works"), [case[1:] for case in PASSING], ids=[case[0] for case in PASSING])
def test_launching_with_a_profile_passes_its_role(
    aws: Cloud, iam: Any, profile: str, statements: list[Any], works: bool
) -> None:
    dan = new_user(aws, iam, "dan", *RUN, *statements)
    run(dan)  # without a role nothing is passed
    if works:
        assert run(dan, IamInstanceProfile={"Name": profile}).startswith("i-")
        return
    code, text = refused(lambda: run(dan, IamInstanceProfile={"Name": profile}))
    assert code == "UnauthorizedOperation"
    assert f"is not authorized to perform: iam:PassRole on resource: {ROLE}" in text


def test_putting_a_role_into_a_profile_passes_it_too(aws: Cloud, iam: Any, profile: str) -> None:
    dan = new_user(aws, iam, "dan", allow(["iam:*Profile*"])).client("iam")
    dan.create_instance_profile(InstanceProfileName="mine")
    said = refused(lambda: dan.add_role_to_instance_profile(InstanceProfileName="mine", RoleName="web"))
    assert "iam:PassRole" in said[1]


def test_the_instance_acts_as_a_session_of_its_role_named_by_its_id(aws: Cloud, dev: Any, profile: str) -> None:
    instance_id = run(dev.admin, IamInstanceProfile={"Name": profile})
    web = aws.instance(instance_id)
    who = web.session.client("sts").get_caller_identity()["Arn"]
    assert who == f"arn:aws:sts::111111111111:assumed-role/web/{instance_id}"
    web.session.client("s3").list_buckets()


def test_no_sts_call_is_made_by_the_instances_sdk(aws: Cloud, dev: Any, profile: str) -> None:
    web = aws.instance(run(dev.admin, IamInstanceProfile={"Name": profile}))
    before = aws.trail.total
    web.session.client("s3").list_buckets()
    assert [event.operation for event in aws.trail.since(before)] == ["ListBuckets"]


def test_a_role_that_does_not_trust_ec2_gives_an_instance_nothing(aws: Cloud, iam: Any, dev: Any, profile: str) -> None:
    instance_id = run(dev.admin, IamInstanceProfile={"Name": profile})
    iam.update_assume_role_policy(RoleName="web", PolicyDocument=trust({"AWS": "111111111111"}))
    web = aws.instance(instance_id)
    assert web.session.get_credentials() is None
    assert "AssumeRoleUnauthorizedAccess" in str(web.curl("latest/meta-data/iam/security-credentials/web"))


def test_the_aws_cli_on_the_instance_gets_what_boto3_gets(aws: Cloud, iam: Any, dev: Any, profile: str) -> None:
    dev.admin.client("s3").create_bucket(Bucket="my-secure-bucket")
    web = aws.instance(run(dev.admin, IamInstanceProfile={"Name": profile}))
    listing = web.run("aws s3 ls")
    assert (listing.returncode, "my-secure-bucket" in listing.stdout) == (0, True)
    denied = web.run("aws s3 ls s3://my-secure-bucket")
    code, text = refused(lambda: web.session.client("s3").list_objects_v2(Bucket="my-secure-bucket"))
    assert denied.returncode != 0
    assert f"({code})" in denied.stderr
    assert text in denied.stderr


def test_the_metadata_service_knows_how_the_instance_was_launched(aws: Cloud, dev: Any) -> None:
    options = {"HttpTokens": "required"}
    web = aws.instance(
        run(dev.admin, UserData="#!/bin/sh\necho hello", InstanceType="t3.micro", MetadataOptions=options)
    )
    assert web.curl("latest/meta-data/instance-id", token=False).status == 401
    assert web.curl("latest/user-data") == "#!/bin/sh\necho hello"
    assert web.curl("latest/meta-data/instance-type") == "t3.micro"


def test_a_profile_can_be_taken_off_an_instance(aws: Cloud, dev: Any, profile: str) -> None:
    web = aws.instance(run(dev.admin, IamInstanceProfile={"Name": profile}))
    ec2 = dev.admin.client("ec2")
    association = ec2.describe_iam_instance_profile_associations()["IamInstanceProfileAssociations"][0]
    ec2.disassociate_iam_instance_profile(AssociationId=association["AssociationId"])
    assert web.run("aws sts get-caller-identity").returncode != 0


def test_exported_variables_hide_the_role_until_they_are_gone(aws: Cloud, iam: Any, profile: str) -> None:
    alice = new_user(aws, iam, "alice")
    web = aws.instance(run(aws.account("dev").admin, IamInstanceProfile={"Name": profile}))
    web.variables |= {"AWS_ACCESS_KEY_ID": alice.access_key_id, "AWS_SECRET_ACCESS_KEY": alice.secret_access_key}
    assert "user/alice" in web.run("aws sts get-caller-identity").stdout
    assert "user/alice" in web.session.client("sts").get_caller_identity()["Arn"]
    web.variables.clear()
    assert "assumed-role/web" in web.run("aws sts get-caller-identity").stdout
