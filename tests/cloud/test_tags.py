"""Tags that decide (attribute-based access control): of the resource, of the request, of the caller.

https://docs.aws.amazon.com/IAM/latest/UserGuide/introduction_attribute-based-access-control.html
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simlib import Cloud

from .conftest import allow, document, new_user, refused, trust
from .test_functions import zipped

# "the resource's team is mine"
MY_TEAM = {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}
DENIED = ("AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation")

Make = Callable[[Any, Any, str], str]
Use = Callable[[Any, str], Any]


def table(client: Any, iam: Any, team: str) -> str:
    client.create_table(
        TableName=f"t-{team}", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}], Tags=[{"Key": "team", "Value": team}],
    )  # fmt: skip
    return f"t-{team}"


def function(client: Any, iam: Any, team: str) -> str:
    trusted = trust({"Service": "lambda.amazonaws.com"})
    role = iam.create_role(RoleName=f"f-{team}", AssumeRolePolicyDocument=trusted)["Role"]["Arn"]
    client.create_function(
        FunctionName=f"f-{team}", Runtime="python3.12", Role=role, Handler="app.handler", Tags={"team": team},
        Code={"ZipFile": zipped(app="def handler(event, context): return 'ran'")},
    )  # fmt: skip
    return f"f-{team}"


def tags(team: str) -> list[dict[str, str]]:
    return [{"Key": "team", "Value": team}]


def instance(client: Any, iam: Any, team: str) -> str:
    specification = [{"ResourceType": "instance", "Tags": tags(team)}]
    answer = client.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1, TagSpecifications=specification)
    return str(answer["Instances"][0]["InstanceId"])


def role_of(client: Any, iam: Any, team: str) -> str:
    iam.create_role(RoleName=f"r-{team}", AssumeRolePolicyDocument=trust({"AWS": "111111111111"}), Tags=tags(team))
    return f"r-{team}"


def user_of(client: Any, iam: Any, team: str) -> str:
    iam.create_user(UserName=f"u-{team}", Tags=tags(team))
    return f"u-{team}"


def stream(client: Any, iam: Any, team: str) -> str:
    client.create_stream(StreamName=team, ShardCount=1)
    client.add_tags_to_stream(StreamName=team, Tags={"team": team})
    return team


def service_role(iam: Any, service: str, team: str) -> str:
    trusted = trust({"Service": f"{service}.amazonaws.com"})
    return str(iam.create_role(RoleName=f"{service}-{team}", AssumeRolePolicyDocument=trusted)["Role"]["Arn"])


def machine(client: Any, iam: Any, team: str) -> str:
    definition = '{"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}'
    role = service_role(iam, "states", team)
    tag = [{"key": "team", "value": team}]
    made = client.create_state_machine(name=team, roleArn=role, definition=definition, tags=tag)
    return str(made["stateMachineArn"])


def zone(client: Any, iam: Any, team: str) -> str:
    made = client.create_hosted_zone(Name=f"{team}.example.com", CallerReference=team)["HostedZone"]["Id"]
    name = str(made.rpartition("/")[2])
    client.change_tags_for_resource(ResourceType="hostedzone", ResourceId=name, AddTags=tags(team))
    return name


def unit(client: Any, iam: Any, team: str) -> str:
    with suppress(ClientError):  # the first unit's organization is there
        client.create_organization()
    root = client.list_roots()["Roots"][0]["Id"]
    made = client.create_organizational_unit(ParentId=root, Name=team, Tags=tags(team))
    return str(made["OrganizationalUnit"]["Id"])


# service, how the owner makes one of a team, how another uses it
RESOURCES: dict[str, tuple[str, Make, Use]] = {
    "an EC2 instance": ("ec2", instance, lambda c, name: c.stop_instances(InstanceIds=[name])),
    "a security group": (
        "ec2",
        lambda c, _, team: c.create_security_group(GroupName=f"g-{team}", Description="x", TagSpecifications=[
            {"ResourceType": "security-group", "Tags": tags(team)}])["GroupId"],
        lambda c, name: c.delete_security_group(GroupId=name),
    ),
    "a table": ("dynamodb", table, lambda c, name: c.scan(TableName=name)),
    "a function": ("lambda", function, lambda c, name: c.invoke(FunctionName=name)),
    "a queue": (
        "sqs",
        lambda c, _, team: c.create_queue(QueueName=f"q-{team}", tags={"team": team})["QueueUrl"],
        lambda c, url: c.send_message(QueueUrl=url, MessageBody="x"),
    ),
    "a topic": (
        "sns",
        lambda c, _, team: c.create_topic(Name=f"n-{team}", Tags=tags(team))["TopicArn"],
        lambda c, arn: c.publish(TopicArn=arn, Message="x"),
    ),
    "a secret": (
        "secretsmanager",
        lambda c, _, team: c.create_secret(Name=f"s-{team}", SecretString="x", Tags=tags(team))["Name"],
        lambda c, name: c.get_secret_value(SecretId=name),
    ),
    "a KMS key": (
        "kms",
        lambda c, _, team: c.create_key(Tags=[{"TagKey": "team", "TagValue": team}])["KeyMetadata"]["KeyId"],
        lambda c, name: c.encrypt(KeyId=name, Plaintext=b"x"),
    ),
    "a role": ("iam", role_of, lambda c, name: c.get_role(RoleName=name)),
    "a user": ("iam", user_of, lambda c, name: c.get_user(UserName=name)),
    "a log group": (
        "logs",
        lambda c, _, team: c.create_log_group(logGroupName=f"l-{team}", tags={"team": team}) and f"l-{team}",
        lambda c, name: c.describe_log_streams(logGroupName=name),
    ),
    "a repository": (
        "ecr",
        lambda c, _, team: c.create_repository(repositoryName=f"app-{team}", tags=tags(team)) and f"app-{team}",
        lambda c, name: c.list_images(repositoryName=name),
    ),
    "a stream": ("kinesis", stream, lambda c, name: c.describe_stream(StreamName=name)),
    "a state machine": ("stepfunctions", machine, lambda c, arn: c.describe_state_machine(stateMachineArn=arn)),
    "a cluster of EKS": (
        "eks",
        lambda c, iam, team: c.create_cluster(name=team, roleArn=service_role(iam, "eks", team),
                                              resourcesVpcConfig={}, tags={"team": team}) and team,
        lambda c, name: c.describe_cluster(name=name),
    ),
    "a classic load balancer": (
        "elb",
        lambda c, _, team: c.create_load_balancer(
            LoadBalancerName=team, Listeners=[{"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 80}],
            AvailabilityZones=["us-east-1a"], Tags=tags(team)) and team,
        lambda c, name: c.delete_load_balancer(LoadBalancerName=name),
    ),
    "a hosted zone": ("route53", zone, lambda c, name: c.get_hosted_zone(Id=name)),
    "a file system": (
        "efs",
        lambda c, _, team: c.create_file_system(CreationToken=team, Tags=tags(team))["FileSystemId"],
        lambda c, name: c.describe_file_systems(FileSystemId=name),
    ),
    "an organizational unit": ("organizations", unit, lambda c, name: c.describe_organizational_unit(
        OrganizationalUnitId=name)),
}  # fmt: skip


@pytest.mark.parametrize(("service", "make", "use"), RESOURCES.values(), ids=RESOURCES.keys())
def test_only_resources_of_ones_own_team(aws: Cloud, iam: Any, dev: Any, service: str, make: Make, use: Use) -> None:
    owner = dev.admin.client(service)
    blue, red = make(owner, iam, "blue"), make(owner, iam, "red")
    alice = new_user(aws, iam, "alice", allow("*", Condition=MY_TEAM))
    client = alice.client(service)
    assert refused(lambda: use(client, blue))[0] in DENIED
    iam.tag_user(UserName="alice", Tags=tags("blue"))
    use(client, blue)
    assert refused(lambda: use(client, red))[0] in DENIED


def test_a_session_tag_is_the_callers_tag(aws: Cloud, iam: Any, dev: Any) -> None:
    dynamodb = dev.admin.client("dynamodb")
    blue, red = table(dynamodb, iam, "blue"), table(dynamodb, iam, "red")
    trusted = trust({"AWS": "111111111111"}, ["sts:AssumeRole", "sts:TagSession"])
    role = iam.create_role(RoleName="team", AssumeRolePolicyDocument=trusted)["Role"]["Arn"]
    statement = allow("dynamodb:*", Condition=MY_TEAM)
    iam.put_role_policy(RoleName="team", PolicyName="p", PolicyDocument=document(statement))
    sts = dev.admin.client("sts")
    for team, mine, other in (("blue", blue, red), ("red", red, blue)):
        answer = sts.assume_role(RoleArn=role, RoleSessionName="me", Tags=tags(team))
        client = aws.sign_in(answer).client("dynamodb")
        client.scan(TableName=mine)
        assert refused(lambda client=client, other=other: client.scan(TableName=other))[0] == "AccessDeniedException"


# what a request brings: service, call with tags, call without
BRINGING: dict[str, tuple[str, Callable[[Any, dict[str, str]], Any]]] = {
    "CreateUser": ("iam", lambda c, t: c.create_user(UserName="new", Tags=listed(t))),
    "CreateTable": ("dynamodb", lambda c, t: c.create_table(
        TableName="new", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}], Tags=listed(t))),
    "CreateQueue": ("sqs", lambda c, t: c.create_queue(QueueName="new", tags=t)),
    "CreateTopic": ("sns", lambda c, t: c.create_topic(Name="new", Tags=listed(t))),
    "CreateSecret": ("secretsmanager", lambda c, t: c.create_secret(Name="new", SecretString="x", Tags=listed(t))),
    "CreateKey": ("kms", lambda c, t: c.create_key(Tags=[{"TagKey": k, "TagValue": v} for k, v in t.items()])),
    "CreateLogGroup": ("logs", lambda c, t: c.create_log_group(logGroupName="new", tags=t)),
    "RunInstances": ("ec2", lambda c, t: c.run_instances(
        ImageId="ami-12c6146b", MinCount=1, MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": listed(t)}])),
    "CreateVolume": ("ec2", lambda c, t: c.create_volume(
        AvailabilityZone="us-east-1a", Size=1, TagSpecifications=[{"ResourceType": "volume", "Tags": listed(t)}])),
}  # fmt: skip


def listed(pairs: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in pairs.items()]


@pytest.mark.parametrize(("service", "make"), BRINGING.values(), ids=BRINGING.keys())
def test_what_is_made_must_carry_the_makers_tag(
    aws: Cloud, iam: Any, service: str, make: Callable[[Any, dict[str, str]], Any]
) -> None:
    only_team = {
        "StringEqualsIfExists": {"aws:RequestTag/team": "blue"},
        "ForAllValues:StringEquals": {"aws:TagKeys": ["team"]},
    }
    alice = new_user(aws, iam, "alice", allow("*", Condition=only_team)).client(service)
    assert refused(lambda: make(alice, {"team": "red"}))[0] in DENIED
    assert refused(lambda: make(alice, {"team": "blue", "more": "x"}))[0] in DENIED
    make(alice, {"team": "blue"})


def test_taking_a_tag_away_names_its_key(aws: Cloud, iam: Any, dev: Any) -> None:
    url = dev.admin.client("sqs").create_queue(QueueName="q", tags={"team": "blue", "note": "x"})["QueueUrl"]
    but_team = {"ForAllValues:StringNotEquals": {"aws:TagKeys": "team"}}
    alice = new_user(aws, iam, "alice", allow("sqs:UntagQueue", Condition=but_team)).client("sqs")
    alice.untag_queue(QueueUrl=url, TagKeys=["note"])
    assert refused(lambda: alice.untag_queue(QueueUrl=url, TagKeys=["team"]))[0] == "AccessDenied"


def test_tags_that_differ_in_capitals_alone_keep_no_call_from_being_decided(aws: Cloud, dev: Any) -> None:
    ec2 = dev.admin.client("ec2")
    image = ec2.describe_images()["Images"][0]["ImageId"]
    both = [{"Key": "Team", "Value": "blue"}, {"Key": "team", "Value": "red"}]
    wanted = {"ImageId": image, "MinCount": 1, "MaxCount": 1}
    started = ec2.run_instances(**wanted, TagSpecifications=[{"ResourceType": "instance", "Tags": both}])
    instance = started["Instances"][0]["InstanceId"]
    blue = allow("ec2:StopInstances", Condition={"StringEquals": {"aws:ResourceTag/team": "blue"}})
    alice = new_user(aws, dev.admin.client("iam"), "alice", blue)
    assert alice.client("ec2").stop_instances(InstanceIds=[instance])["StoppingInstances"]


def test_a_services_own_name_for_its_tags(aws: Cloud, iam: Any, dev: Any) -> None:
    """https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonrds.html"""
    rds = dev.admin.client("rds")
    for team in ("blue", "red"):
        rds.create_db_instance(
            DBInstanceIdentifier=team, DBInstanceClass="db.t3.micro", Engine="postgres", Tags=tags(team)
        )
    blue = allow("rds:*", Condition={"StringEquals": {"rds:db-tag/team": "blue"}})
    alice = new_user(aws, iam, "alice", blue).client("rds")
    assert alice.stop_db_instance(DBInstanceIdentifier="blue")["DBInstance"]
    assert refused(lambda: alice.stop_db_instance(DBInstanceIdentifier="red"))[0] == "AccessDenied"


def test_the_tags_of_a_trail_decide(aws: Cloud, iam: Any, dev: Any) -> None:
    dev.admin.client("s3").create_bucket(Bucket="trails")
    for team in ("blue", "red"):
        made = {"Name": f"t-{team}", "S3BucketName": "trails", "TagsList": tags(team)}
        dev.admin.client("cloudtrail").create_trail(**made)
    blue = allow("cloudtrail:*", Condition={"StringEquals": {"aws:ResourceTag/team": "blue"}})
    alice = new_user(aws, iam, "alice", blue).client("cloudtrail")
    assert alice.get_trail_status(Name="t-blue")
    assert refused(lambda: alice.get_trail_status(Name="t-red"))[0] == "AccessDeniedException"
