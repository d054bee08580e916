"""EC2: the resources and conditions of its calls.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from simlib import Cloud

from .conftest import allow, deny, new_user, refused, trust

IMAGE = "ami-12c6146b"
ROOT = "arn:aws:ec2:us-east-1:111111111111"
PROFILE = "arn:aws:iam::111111111111:instance-profile/web"
ROLE = "arn:aws:iam::111111111111:role/web"


def run(client: Any, **more: Any) -> str:
    answer = client.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, **more)
    return str(answer["Instances"][0]["InstanceId"])


@pytest.fixture
def ec2(dev: Any) -> Any:
    return dev.admin.client("ec2")


@pytest.fixture
def profile(iam: Any) -> str:
    iam.create_role(RoleName="web", AssumeRolePolicyDocument=trust({"Service": "ec2.amazonaws.com"}))
    iam.create_instance_profile(InstanceProfileName="web")
    iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="web")
    return PROFILE


SMALL = {"StringEquals": {"ec2:InstanceType": "t3.micro"}}
KINDS = ("instance", "network-interface", "volume", "security-group", "subnet")
ONLY_SMALL = [
    allow("ec2:RunInstances", f"{ROOT}:instance/*", Condition=SMALL),
    allow("ec2:RunInstances", [*(f"{ROOT}:{kind}/*" for kind in KINDS[1:]), "arn:aws:ec2:us-east-1::image/*"]),
]
NOT_OF_AMAZON = deny("ec2:RunInstances", "arn:aws:ec2:*::image/*", Condition={
    "StringNotEquals": {"ec2:Owner": "amazon"}})  # fmt: skip
IN_THE_CLEAR = deny("ec2:RunInstances", f"{ROOT}:volume/*", Condition={"Bool": {"ec2:Encrypted": "false"}})
DISKS = {"BlockDeviceMappings": [
    {"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 8, "Encrypted": True}},
    {"DeviceName": "/dev/sdb", "Ebs": {"VolumeSize": 8}},
]}  # fmt: skip
IMDSV2 = {"StringNotEquals": {"ec2:MetadataHttpTokens": "required"}}
TOKENS = {"MetadataOptions": {"HttpTokens": "required"}}
NO_KEY = deny("ec2:RunInstances", f"{ROOT}:key-pair/*")
LAUNCHES: list[tuple[str, list[Any], dict[str, Any], str | None]] = [
    ("everything", [allow("ec2:RunInstances")], {}, None),
    ("the instance alone is not enough", [allow("ec2:RunInstances", f"{ROOT}:instance/*")], {}, "image/" + IMAGE),
    ("each resource by itself",
     [allow("ec2:RunInstances", [f"{ROOT}:{kind}/*" for kind in KINDS]),
      allow("ec2:RunInstances", f"arn:aws:ec2:us-east-1::image/{IMAGE}")], {}, None),
    ("a type that is allowed", ONLY_SMALL, {"InstanceType": "t3.micro"}, None),
    ("a type that is not", ONLY_SMALL, {"InstanceType": "t3.large"}, "instance/*"),
    # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ExamplePolicies_EC2.html
    ("an image has no type of instances", [allow("ec2:RunInstances", Condition=SMALL)], {"InstanceType": "t3.micro"},
     "image/" + IMAGE),
    ("an image of Amazon's", [allow("ec2:RunInstances"), NOT_OF_AMAZON], {}, None),
    ("in a VPC that is denied", [allow("ec2:RunInstances"), deny("ec2:RunInstances", f"{ROOT}:subnet/*", Condition={
        "ArnLike": {"ec2:Vpc": f"{ROOT}:vpc/*"}})], {"SubnetId": "@"}, "explicit deny"),
    ("a volume in the clear", [allow("ec2:RunInstances"), IN_THE_CLEAR], DISKS, "explicit deny"),
    ("volumes that are encrypted", [allow("ec2:RunInstances"), IN_THE_CLEAR], {"BlockDeviceMappings": DISKS[
        "BlockDeviceMappings"][:1]}, None),
    ("IMDSv2 is asked for and not given",
     [allow("ec2:*"), deny("ec2:RunInstances", f"{ROOT}:instance/*", Condition=IMDSV2)], {}, "explicit deny"),
    ("IMDSv2 is asked for and given",
     [allow("ec2:*"), deny("ec2:RunInstances", f"{ROOT}:instance/*", Condition=IMDSV2)], TOKENS, None),
    ("tags need CreateTags", [allow("ec2:RunInstances")],
     {"TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "b"}]}]}, "ec2:CreateTags"),
    ("tags only while launching",
     [allow("ec2:RunInstances"),
      allow("ec2:CreateTags", Condition={"StringEquals": {"ec2:CreateAction": "RunInstances"}})],
     {"TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "b"}]}]}, None),
    ("a profile needs PassRole", [allow("ec2:*")], {"IamInstanceProfile": {"Name": "web"}},
     "iam:PassRole on resource: " + ROLE),
    ("PassRole to EC2",
     [allow("ec2:*"),
      allow("iam:PassRole", ROLE, Condition={"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}})],
     {"IamInstanceProfile": {"Arn": PROFILE}}, None),
    ("a key pair is a resource too", [allow("ec2:*"), NO_KEY], {"KeyName": "mine"}, "explicit deny"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("statements", "given", "refusal"), [case[1:] for case in LAUNCHES], ids=[case[0] for case in LAUNCHES]
)
def test_who_may_launch_what(
    aws: Cloud, iam: Any, ec2: Any, profile: str, statements: list[Any], given: dict[str, Any], refusal: str | None
) -> None:
    ec2.create_key_pair(KeyName="mine")
    client = new_user(aws, iam, "alice", *statements).client("ec2")
    if "SubnetId" in given:
        given = {"SubnetId": ec2.describe_subnets()["Subnets"][0]["SubnetId"]}
    if refusal is None:
        run(client, **given)
        return
    code, text = refused(lambda: run(client, **given))
    assert code == "UnauthorizedOperation"
    assert refusal in text


CALLS: list[tuple[str, Callable[[Any, str], Any], list[str]]] = [
    ("one instance of several", lambda c, i: c.stop_instances(InstanceIds=[i]), ["instance/{}"]),
    ("tags on an instance", lambda c, i: c.create_tags(Resources=[i], Tags=[{"Key": "a", "Value": "b"}]),
     ["instance/{}"]),
    ("an attribute", lambda c, i: c.describe_instance_attribute(InstanceId=i, Attribute="userData"), ["instance/{}"]),
    ("describing has no resource", lambda c, i: c.describe_instances(InstanceIds=[i]), ["*"]),
    ("what is to be made", lambda c, i: c.create_vpc(CidrBlock="10.1.0.0/16"), ["vpc/*"]),
]  # fmt: skip


@pytest.mark.parametrize(("call", "asked"), [case[1:] for case in CALLS], ids=[case[0] for case in CALLS])
def test_what_a_call_of_ec2_asks_for(aws: Cloud, ec2: Any, call: Callable[[Any, str], Any], asked: list[str]) -> None:
    name = run(ec2)
    call(ec2, name)
    seen = [evaluation.resource for evaluation in aws.trail[-1].evaluations]
    assert seen == [what if what == "*" else f"{ROOT}:{what.format(name)}" for what in asked]


def test_an_association_is_asked_about_as_its_instance(aws: Cloud, iam: Any, ec2: Any, profile: str) -> None:
    name = run(ec2)
    answer = ec2.associate_iam_instance_profile(InstanceId=name, IamInstanceProfile={"Name": "web"})
    association = answer["IamInstanceProfileAssociation"]["AssociationId"]
    alice = new_user(aws, iam, "alice", allow("ec2:Disassociate*", f"{ROOT}:instance/i-0")).client("ec2")
    text = refused(lambda: alice.disassociate_iam_instance_profile(AssociationId=association))[1]
    assert f"on resource: {ROOT}:instance/{name}" in text


def test_what_an_instance_is_decides_too(aws: Cloud, iam: Any, ec2: Any) -> None:
    small, large = run(ec2, InstanceType="t3.micro"), run(ec2, InstanceType="t3.large")
    alice = new_user(aws, iam, "alice", allow("ec2:StopInstances", Condition=SMALL)).client("ec2")
    alice.stop_instances(InstanceIds=[small])
    assert refused(lambda: alice.stop_instances(InstanceIds=[large]))[0] == "UnauthorizedOperation"
    assert refused(lambda: alice.stop_instances(InstanceIds=[small, large]))[0] == "UnauthorizedOperation"


def test_an_image_is_known_before_anything_else_of_ec2_has_been_asked(aws: Cloud, iam: Any) -> None:
    public = {"Bool": {"ec2:Public": "true"}}
    alice = new_user(aws, iam, "alice", allow("ec2:DeregisterImage", Condition=public)).client("ec2")
    alice.deregister_image(ImageId="ami-12c6146b")
    assert refused(lambda: alice.deregister_image(ImageId="ami-0123456789abcdef0"))[0] == "UnauthorizedOperation"
